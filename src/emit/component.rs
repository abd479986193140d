//! The component around the core module: the types of the interface, the lifted functions, and the two
//! exported instances.
//!
//! It is assembled by hand, so that each type stands in it once; a general tool would write them three times.
//! The second interface, `explain`, uses types of the first. A component can only export such an interface
//! through a nested component that imports the types and exports them again.

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentImportSection, ComponentInstanceSection, ComponentSectionId,
    ComponentTypeRef, ComponentTypeSection, ComponentValType, CustomSection, ExportKind, InstanceSection,
    ModuleArg, NestedComponentSection, PrimitiveValType, RawSection, TypeBounds,
};

use super::{manifest::ColumnKind, read::SECTION};

/// The interface that every plugin exports.
pub const FILTER: &str = "bourse:filter/filter@0.1.0";
/// The interface of plugins that explain their verdicts.
pub const EXPLAIN: &str = "bourse:filter/explain@0.1.0";

/// The functions of the interfaces, in order of declaration.
pub const FUNCTIONS: [(&str, &str); 5] =
    [(FILTER, "describe"), (FILTER, "load"), (FILTER, "update"), (FILTER, "evaluate"), (EXPLAIN, "explain")];

const SIDES: [&str; 7] = ["agent", "pool", "volume", "need", "framework", "role", "broker"];

const BOOL: ComponentValType = ComponentValType::Primitive(PrimitiveValType::Bool);
const U8: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U8);
const U32: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U32);
const S32: ComponentValType = ComponentValType::Primitive(PrimitiveValType::S32);
const U64: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U64);
const S64: ComponentValType = ComponentValType::Primitive(PrimitiveValType::S64);
const STRING: ComponentValType = ComponentValType::Primitive(PrimitiveValType::String);

/// The treatment of a named type. The same code describes the types in three places.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum TypeTreatment {
    /// Its number is recorded, to be exported with an instance.
    #[default]
    Note,
    /// The nested component imports it.
    Take,
    /// The nested component exports it.
    Give,
}

/// The types of a component, in the order that numbers them.
#[derive(Default)]
struct ComponentTypes {
    section: ComponentTypeSection,
    /// The number of types before the section.
    before: u32,
    way: TypeTreatment,
    /// The named types, recorded in the mode `Note`.
    named: Vec<(&'static str, u32)>,
    /// The nested component so far, and the number of its imported types.
    component: Component,
    taken: usize,
}

type RecordField = (&'static str, ComponentValType);

/// Returns the number of a type.
fn number(kind: ComponentValType) -> u32 {
    if let ComponentValType::Type(at) = kind { at } else { 0 }
}

impl ComponentTypes {
    fn last_number(&self) -> u32 {
        self.before + self.section.len() - 1
    }

    fn last(&self) -> ComponentValType {
        ComponentValType::Type(self.last_number())
    }

    fn list(&mut self, of: ComponentValType) -> ComponentValType {
        self.section.defined_type().list(of);
        self.last()
    }

    fn option(&mut self, of: ComponentValType) -> ComponentValType {
        self.section.defined_type().option(of);
        self.last()
    }

    /// Gives a name to the last type. The result is the type to use from then on.
    fn named(&mut self, name: &'static str) -> ComponentValType {
        match self.way {
            TypeTreatment::Note => self.named.push((name, self.last_number())),
            TypeTreatment::Give => return self.give(name, self.last()),
            TypeTreatment::Take => {
                let mut imports = ComponentImportSection::new();
                imports.import(TAKEN[self.taken], ComponentTypeRef::Type(TypeBounds::Eq(self.last_number())));
                self.flush();
                self.component.section(&imports);
                self.taken += 1;
                self.before += 1;
            }
        }
        self.last()
    }

    /// Exports a type. The export defines a new type, equal to the old one.
    fn give(&mut self, name: &str, kind: ComponentValType) -> ComponentValType {
        let mut exports = ComponentExportSection::new();
        exports.export(name, ComponentExportKind::Type, number(kind), None);
        self.flush();
        self.component.section(&exports);
        self.before += 1;
        self.last()
    }

    /// Writes the section out, so that another kind of section may follow.
    fn flush(&mut self) {
        self.before += self.section.len();
        if !self.section.is_empty() {
            self.component.section(&self.section);
        }
        self.section = ComponentTypeSection::new();
    }

    fn primitive(&mut self, of: PrimitiveValType) {
        self.section.defined_type().primitive(of);
    }

    fn record(&mut self, fields: &[RecordField]) {
        self.section.defined_type().record(fields.iter().copied());
    }

    fn variant(&mut self, cases: &[(&'static str, Option<ComponentValType>)]) {
        self.section.defined_type().variant(cases.iter().copied());
    }

    fn function(&mut self, param: Option<RecordField>, result: ComponentValType) -> u32 {
        self.section.function().params(param).result(Some(result));
        self.last_number()
    }
}

/// Wraps a core module in a component. `descriptor` is the address of its description.
pub fn component(module: &[u8], descriptor: u32) -> Vec<u8> {
    let mut types = ComponentTypes::default();
    let functions = types_of(&mut types);
    let mut component = Component::new();
    component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
    let mut instances = InstanceSection::new();
    instances.instantiate::<[(&str, ModuleArg); 0], &str>(0, []);
    component.section(&instances);
    component.section(&aliases());
    component.section(&types.section);
    component.section(&lifted(0, &functions));
    export(&mut component, FILTER, 0, &types.named);
    let before = types.section.len();
    component.section(&aliased(1, SHARED));
    let (fact, value) = (ComponentValType::Type(before + 3), ComponentValType::Type(before + 2));
    // Types are numbered through the component: those so far, then the aliases.
    types = ComponentTypes { before: before + SHARED.len() as u32, ..ComponentTypes::default() };
    let (named, function) = explain(&mut types, fact, value);
    component.section(&types.section);
    component.section(&lifted(functions.len(), &[function]));
    component.section(&NestedComponentSection(&explaining()));
    let own = named.iter().map(|(name, kind)| (*name, number(*kind)));
    let shared = SHARED.iter().enumerate().map(|(at, name)| (*name, before + at as u32));
    let given = shared.chain(own).enumerate();
    let mut given: Vec<(&str, ComponentExportKind, u32)> =
        given.map(|(at, (_, kind))| (TAKEN[at], ComponentExportKind::Type, kind)).collect();
    given.push((TAKEN[given.len()], ComponentExportKind::Func, functions.len() as u32));
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, given);
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    exports.export(EXPLAIN, ComponentExportKind::Instance, 2, None);
    component.section(&exports);
    let address = descriptor.to_le_bytes();
    component.section(&CustomSection { name: SECTION.into(), data: address[..].into() });
    component.finish()
}

/// The types that the second interface uses from the first, directly or not.
const SHARED: [&str; 4] = ["symbol", "version", "value", "fact"];

/// The import names of the nested component: types in order, then the function.
const TAKEN: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// Returns the nested component: it imports the types and the function of the second interface, and exports
/// them. An exported type is new but declared equal to the imported one, which is how one interface uses the
/// types of another.
fn explaining() -> Component {
    let mut types = ComponentTypes { way: TypeTreatment::Take, ..ComponentTypes::default() };
    types.primitive(PrimitiveValType::U32);
    let symbol = types.named("symbol");
    types.primitive(PrimitiveValType::U32);
    let version = types.named("version");
    let longs = types.list(S64);
    types.variant(&values(symbol, version, longs));
    let value = types.named("value");
    types.record(&[("column", U32), ("value", value)]);
    let fact = types.named("fact");
    let (_, function) = explain(&mut types, fact, value);
    types.flush();
    let mut imports = ComponentImportSection::new();
    imports.import(TAKEN[types.taken], ComponentTypeRef::Func(function));
    types.component.section(&imports);
    types.way = TypeTreatment::Give;
    let fact = types.give("fact", fact);
    let value = types.give("value", value);
    let (_, function) = explain(&mut types, fact, value);
    types.flush();
    let mut exports = ComponentExportSection::new();
    exports.export("explain", ComponentExportKind::Func, 0, Some(ComponentTypeRef::Func(function)));
    types.component.section(&exports);
    types.component
}

/// Exports an instance that consists of the types and functions of an interface.
fn export(component: &mut Component, interface: &str, instance: u32, types: &[(&'static str, u32)]) {
    let named = types.iter().map(|(name, at)| (*name, ComponentExportKind::Type, *at));
    let lifted = FUNCTIONS.iter().enumerate().filter(|(_, function)| function.0 == interface);
    let lifted = lifted.map(|(at, function)| (function.1, ComponentExportKind::Func, at as u32));
    let mut instances = ComponentInstanceSection::new();
    instances.export_items(named.chain(lifted).collect::<Vec<_>>());
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    exports.export(interface, ComponentExportKind::Instance, instance, None);
    component.section(&exports);
}

/// Makes the types of an instance known outside it.
fn aliased<const N: usize>(instance: u32, names: [&str; N]) -> ComponentAliasSection {
    let mut aliases = ComponentAliasSection::new();
    for name in names {
        aliases.alias(Alias::InstanceExport { instance, kind: ComponentExportKind::Type, name });
    }
    aliases
}

/// The export of the core module that is called after an answer has been read.
pub const FREE: &str = "free";

/// Makes known the memory, `cabi_realloc`, the function after answers, and the functions of the interface, in
/// this order. Their names in the core module are plain, for hosts that load it without the component.
fn aliases() -> ComponentAliasSection {
    let mut aliases = ComponentAliasSection::new();
    let mut alias = |kind, name: &str| {
        aliases.alias(Alias::CoreInstanceExport { instance: 0, kind, name });
    };
    alias(ExportKind::Memory, "memory");
    alias(ExportKind::Func, "cabi_realloc");
    alias(ExportKind::Func, FREE);
    for (_, name) in FUNCTIONS {
        alias(ExportKind::Func, name);
    }
    aliases
}

/// Lifts the functions from number `first` on, with these types.
fn lifted(first: usize, types: &[u32]) -> CanonicalFunctionSection {
    let mut section = CanonicalFunctionSection::new();
    for (at, kind) in types.iter().enumerate() {
        let mut options =
            vec![CanonicalOption::UTF8, CanonicalOption::Memory(0), CanonicalOption::Realloc(0)];
        // Only these return memory that must be freed after the host has read it.
        let answers = matches!(FUNCTIONS[first + at].1, "evaluate" | "explain");
        if answers {
            options.push(CanonicalOption::PostReturn(1));
        }
        // Functions of the core module are numbered by their aliases: 0 and 1 are `cabi_realloc` and `free`.
        section.lift((2 + first + at) as u32, *kind, options);
    }
    section
}

/// Declares the types of the first interface, in the order of its text. Returns the types of its functions.
fn types_of(types: &mut ComponentTypes) -> [u32; 4] {
    types.primitive(PrimitiveValType::U32);
    let symbol = types.named("symbol");
    types.primitive(PrimitiveValType::U32);
    let version = types.named("version");
    types.section.defined_type().enum_type(SIDES);
    let side = types.named("side");
    types.section.defined_type().flags(SIDES);
    let sides = types.named("sides");
    types.section.defined_type().enum_type(ColumnKind::ALL.map(ColumnKind::name));
    let kind = types.named("kind");
    let longs = types.list(S64);
    types.variant(&values(symbol, version, longs));
    let value = types.named("value");
    let words = types.list(U32);
    let descriptor = descriptor(types, side, sides, kind, words);
    let (snapshot, changes) = data(types, symbol, version, words, longs);
    types.record(&[("column", U32), ("value", value)]);
    let fact = types.named("fact");
    types.variant(&[("none", None), ("all", None), ("these", Some(words))]);
    let rows = types.named("rows");
    let facts = types.list(fact);
    types.record(&[("facts", facts), ("rules", words), ("agents", rows), ("pools", rows)]);
    let question = types.named("question");
    let bits = types.list(U64);
    let earned = types.list(S32);
    types.record(&[("holds", bits), ("unknown", bits), ("earned", earned)]);
    let answer = types.named("answer");
    types.section.defined_type().result(None, Some(STRING));
    let done = types.last();
    [
        types.function(None, descriptor),
        types.function(Some(("fleet", snapshot)), done),
        types.function(Some(("what", changes)), done),
        types.function(Some(("asked", question)), answer),
    ]
}

/// Returns the cases of a value.
fn values(
    symbol: ComponentValType,
    version: ComponentValType,
    longs: ComponentValType,
) -> [(&'static str, Option<ComponentValType>); 11] {
    [
        ("boolean", Some(BOOL)),
        ("number", Some(S64)),
        ("size", Some(S64)),
        ("bandwidth", Some(S64)),
        ("duration", Some(S64)),
        ("text", Some(symbol)),
        ("version", Some(version)),
        ("place", Some(symbol)),
        ("texts", Some(longs)),
        ("numbers", Some(longs)),
        ("ranges", Some(longs)),
    ]
}

fn descriptor(
    types: &mut ComponentTypes,
    side: ComponentValType,
    sides: ComponentValType,
    kind: ComponentValType,
    words: ComponentValType,
) -> ComponentValType {
    types.variant(&[
        ("attribute", Some(STRING)),
        ("name", None),
        ("domain", None),
        ("level", Some(STRING)),
        ("total", Some(STRING)),
        ("free", Some(STRING)),
        ("used", Some(STRING)),
        ("provider", None),
        ("instance", None),
    ]);
    let key = types.named("key");
    types.record(&[("side", side), ("key", key), ("kind", kind), ("required", BOOL)]);
    let column = types.named("column");
    types.variant(&[("require", None), ("prefer", Some(S64)), ("class", Some(side))]);
    let purpose = types.named("purpose");
    types.variant(&[("everyone", None), ("agent", Some(STRING)), ("tier", Some(STRING))]);
    let scope = types.named("scope");
    types.record(&[
        ("label", STRING),
        ("labelled", BOOL),
        ("purpose", purpose),
        ("scope", scope),
        ("sides", sides),
        ("whole", U32),
        ("conditions", words),
    ]);
    let rule = types.named("rule");
    let subject = types.option(U32);
    types.record(&[
        ("text", STRING),
        ("want", STRING),
        ("subject", subject),
        ("operand", BOOL),
        ("reads", words),
    ]);
    let condition = types.named("condition");
    types.section.defined_type().flags(["texts", "places"]);
    let wants = types.named("wants");
    let columns = types.list(column);
    let rules = types.list(rule);
    let conditions = types.list(condition);
    let texts = types.list(STRING);
    types.record(&[
        ("name", STRING),
        ("producer", STRING),
        ("columns", columns),
        ("rules", rules),
        ("conditions", conditions),
        ("expressions", texts),
        ("literals", texts),
        ("version-literals", texts),
        ("wants", wants),
    ]);
    types.named("descriptor")
}

fn data(
    types: &mut ComponentTypes,
    symbol: ComponentValType,
    version: ComponentValType,
    words: ComponentValType,
    longs: ComponentValType,
) -> (ComponentValType, ComponentValType) {
    let bytes = types.list(U8);
    types.record(&[("count", U32), ("parents", words), ("depths", words), ("ends", words), ("bytes", bytes)]);
    let symbols = types.named("symbols");
    let bits = types.list(U64);
    types.record(&[("spans", bits), ("members", longs)]);
    let sets = types.named("sets");
    types.record(&[("kinds", bytes), ("values", longs), ("members", longs)]);
    let mixed = types.named("mixed");
    types.variant(&[
        ("booleans", Some(bits)),
        ("integers", Some(longs)),
        ("numbers", Some(words)),
        ("sets", Some(sets)),
        ("mixed", Some(mixed)),
    ]);
    let cells = types.named("cells");
    types.record(&[("column", U32), ("known", bits), ("mismatched", bits), ("cells", cells)]);
    let column = types.named("column-data");
    let columns = types.list(column);
    types.record(&[("rows", U32), ("columns", columns)]);
    let table = types.named("table");
    let literals = types.list(symbol);
    let versions = types.list(version);
    types.record(&[
        ("symbols", symbols),
        ("literals", literals),
        ("versions", words),
        ("version-literals", versions),
        ("agents", table),
        ("pools", table),
    ]);
    let snapshot = types.named("snapshot");
    types.record(&[("rows", U32), ("changed", words), ("columns", columns)]);
    let changed = types.named("table-changes");
    types.record(&[("symbols", symbols), ("versions", words), ("agents", changed), ("pools", changed)]);
    (snapshot, types.named("changes"))
}

/// Declares the types of the second interface. Returns them by name, and the type of its function.
fn explain(
    types: &mut ComponentTypes,
    fact: ComponentValType,
    value: ComponentValType,
) -> ([(&'static str, ComponentValType); 5], u32) {
    let (facts, words) = (types.list(fact), types.list(U32));
    let row = types.option(U32);
    types.record(&[("facts", facts), ("conditions", words), ("agent", row), ("pool", row)]);
    let candidate = types.named("candidate");
    types.section.defined_type().enum_type(["no", "unknown", "yes"]);
    let truth = types.named("truth");
    types.section.defined_type().enum_type(["overflow", "division-by-zero"]);
    let failure = types.named("failure");
    types.record(&[("failure", failure), ("expression", U32)]);
    let named_fault = types.named("fault");
    let fault = types.option(named_fault);
    let (operand, distance) = (types.option(value), types.option(U64));
    types.record(&[
        ("truth", truth),
        ("may-hold", BOOL),
        ("may-fail", BOOL),
        ("fault", fault),
        ("operand", operand),
        ("distance", distance),
    ]);
    let outcome = types.named("outcome");
    let outcomes = types.list(outcome);
    let function = types.function(Some(("asked", candidate)), outcomes);
    let named = [
        ("candidate", candidate),
        ("truth", truth),
        ("failure", failure),
        ("fault", named_fault),
        ("outcome", outcome),
    ];
    (named, function)
}
