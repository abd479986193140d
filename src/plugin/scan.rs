//! Checks the form of a component before anything compiles it. Time is linear in the number of bytes. Nothing
//! is allocated in proportion to counts that the bytes only claim.
//!
//! This is not validation: `wasmtime` validates whatever it compiles. The scan keeps bytes from it that are
//! large or deep enough to cost it too much.

use wasmparser::{
    BinaryReaderError, ComponentType, ComponentTypeDeclaration, CompositeInnerType, CoreType, FunctionBody,
    InstanceTypeDeclaration, ModuleTypeDeclaration, Operator, Parser, Payload, RecGroup, TypeRef,
};

use super::{
    Limits,
    cost::{FunctionCost, Signatures},
    fault::{Broken, Fault},
};
use crate::limits::PLUGIN_TYPE_DEPTH;

/// The rule that a component breaks, and the message.
type Stop = (Broken, String);

/// Checks that the bytes are a component, and not too many. Takes constant time.
///
/// # Errors
/// The rule that it breaks.
pub(super) fn size(name: &str, bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
    header(bytes)
        .and_then(|()| at_most("bytes", bytes.len() as u64, limits.component_bytes as u64))
        .map_err(|(broken, message)| Fault::new(name, broken, message))
}

/// Checks the form of a component.
///
/// # Errors
/// The first rule that it breaks.
pub(super) fn scan(name: &str, bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
    size(name, bytes, limits)?;
    Scan { bytes, limits, counts: ScanCounts::default(), signatures: Signatures::default(), bodies: 0 }
        .component(bytes)
        .map_err(|(broken, message)| Fault::new(name, broken, message))
}

/// Checks the first eight bytes: magic, version, layer.
fn header(bytes: &[u8]) -> Result<(), Stop> {
    let no_wasm = |message: &str| Err((Broken::Wasm, message.to_owned()));
    match bytes {
        [] => no_wasm("it is empty"),
        [b'\0', b'a', b's', b'm', rest @ ..] => match rest {
            [_, _, 1, 0, ..] => Ok(()),
            [1, 0, 0, 0, ..] => Err((Broken::Component, "it is a core module, not a component".to_owned())),
            [_, _, _, _, ..] => {
                Err((Broken::Component, "it is of an unknown version of WebAssembly".to_owned()))
            }
            _ => Err((Broken::Valid, "it ends within its header".to_owned())),
        },
        [b'(' | b';', ..] => no_wasm("it is WebAssembly as text; turn it into bytes with `wasm-tools parse`"),
        _ => no_wasm("it is not WebAssembly: it does not begin with `\\0asm`"),
    }
}

fn at_most(what: &str, count: u64, limit: u64) -> Result<(), Stop> {
    if count <= limit {
        return Ok(());
    }
    Err((Broken::Size, format!("it has {count} {what}; at most {limit} are allowed")))
}

#[derive(Default)]
struct ScanCounts {
    modules: u64,
    components: u64,
    items: u64,
    instances: u64,
    functions: u64,
    work: u64,
}

struct Scan<'a> {
    /// The whole component.
    bytes: &'a [u8],
    limits: &'a Limits,
    counts: ScanCounts,
    /// The types and functions of the core module that is being read.
    signatures: Signatures,
    /// The index of the function whose body comes next.
    bodies: usize,
}

impl Scan<'_> {
    fn component(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        for payload in Parser::new(0).parse_all(bytes) {
            self.payload(&payload.map_err(invalid)?)?;
        }
        Ok(())
    }

    fn items(&mut self, more: u32) -> Result<(), Stop> {
        self.counts.items += u64::from(more);
        at_most("types, imports, exports and the like", self.counts.items, u64::from(self.limits.items))
    }

    fn payload(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        match payload {
            Payload::ModuleSection { .. } => {
                self.signatures = Signatures::default();
                self.counts.modules += 1;
                at_most("core modules", self.counts.modules, u64::from(self.limits.modules))
            }
            Payload::ComponentSection { .. } => {
                self.counts.components += 1;
                at_most("components within it", self.counts.components, u64::from(self.limits.modules))
            }
            Payload::InstanceSection(section) => self.instances(section.count()),
            Payload::ComponentInstanceSection(section) => self.instances(section.count()),
            Payload::TypeSection(section) => {
                self.items(section.count())?;
                section.clone().into_iter().try_for_each(|group| {
                    let group = group.map_err(invalid)?;
                    group.types().for_each(|kind| self.signatures.add_type(kind));
                    self.group(&group)
                })
            }
            Payload::CoreTypeSection(section) => {
                self.items(section.count())?;
                section.clone().into_iter().try_for_each(|kind| self.core_type(&kind.map_err(invalid)?))
            }
            Payload::ComponentTypeSection(section) => {
                self.items(section.count())?;
                let bytes = self.bytes.get(section.range()).unwrap_or_default();
                at_most("types within types", nested_types(bytes), u64::from(PLUGIN_TYPE_DEPTH))?;
                section.clone().into_iter().try_for_each(|kind| self.component_type(&kind.map_err(invalid)?))
            }
            Payload::FunctionSection(section) => {
                self.counts.functions += u64::from(section.count());
                at_most("functions", self.counts.functions, u64::from(self.limits.functions))?;
                // Imports precede declared functions, so this is the index of the first one with a body.
                self.bodies = self.signatures.functions();
                section.clone().into_iter().try_for_each(|kind| {
                    self.signatures.add_function(kind.map_err(invalid)?);
                    Ok(())
                })
            }
            Payload::ImportSection(section) => {
                self.items(section.count())?;
                section.clone().into_imports().try_for_each(|import| {
                    if let TypeRef::Func(kind) = import.map_err(invalid)?.ty {
                        self.signatures.add_function(kind);
                    }
                    Ok(())
                })
            }
            Payload::ExportSection(section) => self.items(section.count()),
            Payload::GlobalSection(section) => self.items(section.count()),
            Payload::TableSection(section) => self.items(section.count()),
            Payload::MemorySection(section) => self.items(section.count()),
            Payload::TagSection(section) => self.items(section.count()),
            Payload::ElementSection(section) => self.items(section.count()),
            Payload::DataSection(section) => self.items(section.count()),
            Payload::ComponentAliasSection(section) => self.items(section.count()),
            Payload::ComponentCanonicalSection(section) => self.items(section.count()),
            Payload::ComponentImportSection(section) => self.items(section.count()),
            Payload::ComponentExportSection(section) => self.items(section.count()),
            Payload::CodeSectionEntry(body) => self.body(body),
            _ => Ok(()),
        }
    }

    fn instances(&mut self, more: u32) -> Result<(), Stop> {
        self.counts.instances += u64::from(more);
        // Sections also declare instances that only regroup exports and cost nothing at run time. So the
        // bound is looser than that of instances in a store.
        let limit = (self.limits.instances as u64).saturating_mul(8);
        at_most("instances", self.counts.instances, limit)
    }

    fn arity(&self, what: &str, count: usize) -> Result<(), Stop> {
        at_most(what, count as u64, u64::from(self.limits.arity))
    }

    fn group(&self, group: &RecGroup) -> Result<(), Stop> {
        for kind in group.types() {
            if let CompositeInnerType::Func(function) = &kind.composite_type.inner {
                self.arity("parameters in one function", function.params().len())?;
                self.arity("results in one function", function.results().len())?;
            }
        }
        Ok(())
    }

    fn core_type(&mut self, kind: &CoreType<'_>) -> Result<(), Stop> {
        match kind {
            CoreType::Rec(group) => self.group(group),
            CoreType::Module(declarations) => {
                self.items(declarations.len() as u32)?;
                declarations.iter().try_for_each(|declaration| match declaration {
                    ModuleTypeDeclaration::Type(group) => self.group(group),
                    _ => Ok(()),
                })
            }
        }
    }

    fn component_type(&mut self, kind: &ComponentType<'_>) -> Result<(), Stop> {
        use wasmparser::ComponentDefinedType as Defined;
        match kind {
            ComponentType::Defined(Defined::Record(fields)) => {
                self.arity("fields in one record", fields.len())
            }
            ComponentType::Defined(Defined::Variant(cases)) => {
                self.arity("cases in one variant", cases.len())
            }
            ComponentType::Defined(Defined::Tuple(parts)) => self.arity("parts in one tuple", parts.len()),
            ComponentType::Defined(Defined::Flags(flags)) => self.arity("flags in one type", flags.len()),
            ComponentType::Defined(Defined::Enum(cases)) => self.arity("cases in one type", cases.len()),
            ComponentType::Defined(_) | ComponentType::Resource { .. } => Ok(()),
            ComponentType::Func(function) => self.arity("parameters in one function", function.params.len()),
            ComponentType::Component(declarations) => {
                self.items(declarations.len() as u32)?;
                declarations.iter().try_for_each(|declaration| match declaration {
                    ComponentTypeDeclaration::CoreType(kind) => self.core_type(kind),
                    ComponentTypeDeclaration::Type(kind) => self.component_type(kind),
                    _ => Ok(()),
                })
            }
            ComponentType::Instance(declarations) => {
                self.items(declarations.len() as u32)?;
                declarations.iter().try_for_each(|declaration| match declaration {
                    InstanceTypeDeclaration::CoreType(kind) => self.core_type(kind),
                    InstanceTypeDeclaration::Type(kind) => self.component_type(kind),
                    _ => Ok(()),
                })
            }
        }
    }

    /// Checks the size, locals, nesting and jump tables of a body, and adds its cost of compiling.
    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), Stop> {
        at_most("bytes in one function", body.range().len() as u64, self.limits.body_bytes as u64)?;
        let mut locals: u64 = 0;
        for group in body.get_locals_reader().map_err(invalid)? {
            locals = locals.saturating_add(u64::from(group.map_err(invalid)?.0));
            at_most("locals in one function", locals, u64::from(self.limits.locals))?;
        }
        let kind = self.signatures.of_function(self.bodies);
        self.bodies += 1;
        let mut cost = FunctionCost::new(&mut self.signatures, kind, locals);
        let mut reader = body.get_operators_reader().map_err(invalid)?;
        while !reader.eof() {
            let operator = reader.read().map_err(invalid)?;
            if let Operator::BrTable { targets } = &operator {
                let limit = u64::from(self.limits.targets);
                at_most("targets in one `br_table`", u64::from(targets.len()), limit)?;
            }
            cost.step(&operator);
            let depth = (cost.depth() as u64).saturating_sub(1);
            at_most("blocks open at once", depth, u64::from(self.limits.nesting))?;
        }
        self.counts.work = self.counts.work.saturating_add(cost.work());
        at_most("steps of compiling", self.counts.work, self.limits.compile_work)
    }
}

/// Returns an upper bound of the nesting of the types in a section.
///
/// The reader of `wasmparser` recurses into a type of a component or an instance (0x41, 0x42) that is
/// declared (0x01) within another, three bytes for each step, and checks the depth only afterwards. A small
/// section could overflow the stack. Each step has these two bytes in a row. Other places where they occur
/// are rare, and counting them too is safe.
fn nested_types(section: &[u8]) -> u64 {
    section.windows(2).filter(|pair| matches!(pair, [0x01, 0x41 | 0x42])).count() as u64
}

fn invalid(error: BinaryReaderError) -> Stop {
    (Broken::Valid, format!("it is cut short or invalid: {} (at byte {})", error.message(), error.offset()))
}
