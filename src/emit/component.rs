//! The component around the core module: the types of `wit/bourse-filter.wit`, the lifted functions, and the two
//! instances that a plugin exports. Written by hand, once: the types stand in it once, where a general tool would
//! write them three times.

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentInstanceSection, ComponentSectionId, ComponentTypeSection, ComponentValType,
    ExportKind, InstanceSection, ModuleArg, PrimitiveValType, RawSection,
};

/// The interface that every plugin exports.
pub const FILTER: &str = "bourse:filter/filter@0.1.0";
/// The interface of plugins that say why.
pub const EXPLAIN: &str = "bourse:filter/explain@0.1.0";

/// The functions of the interfaces, in the order in which they are declared.
pub const FUNCTIONS: [(&str, &str); 5] = [
    (FILTER, "describe"),
    (FILTER, "load"),
    (FILTER, "update"),
    (FILTER, "evaluate"),
    (EXPLAIN, "explain"),
];

const SIDES: [&str; 7] = ["agent", "pool", "volume", "need", "framework", "role", "broker"];

const BOOL: ComponentValType = ComponentValType::Primitive(PrimitiveValType::Bool);
const U8: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U8);
const U32: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U32);
const S32: ComponentValType = ComponentValType::Primitive(PrimitiveValType::S32);
const U64: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U64);
const S64: ComponentValType = ComponentValType::Primitive(PrimitiveValType::S64);
const STRING: ComponentValType = ComponentValType::Primitive(PrimitiveValType::String);

/// The types of a component, as they are numbered.
#[derive(Default)]
struct Types {
    section: ComponentTypeSection,
    filter: Vec<(&'static str, u32)>,
    explain: Vec<(&'static str, u32)>,
}

type Field = (&'static str, ComponentValType);

impl Types {
    fn last(&self) -> ComponentValType {
        ComponentValType::Type(self.section.len() - 1)
    }

    fn list(&mut self, of: ComponentValType) -> ComponentValType {
        self.section.defined_type().list(of);
        self.last()
    }

    fn option(&mut self, of: ComponentValType) -> ComponentValType {
        self.section.defined_type().option(of);
        self.last()
    }

    /// A type of the filter's interface.
    fn named(&mut self, name: &'static str) -> ComponentValType {
        self.filter.push((name, self.section.len() - 1));
        self.last()
    }

    /// A type of the explaining interface.
    fn explains(&mut self, name: &'static str) -> ComponentValType {
        self.explain.push((name, self.section.len() - 1));
        self.last()
    }

    fn primitive(&mut self, of: PrimitiveValType) {
        self.section.defined_type().primitive(of);
    }

    fn record(&mut self, fields: &[Field]) {
        self.section.defined_type().record(fields.iter().copied());
    }

    fn variant(&mut self, cases: &[(&'static str, Option<ComponentValType>)]) {
        self.section.defined_type().variant(cases.iter().copied());
    }

    fn function(&mut self, param: Option<Field>, result: ComponentValType) -> u32 {
        self.section.function().params(param).result(Some(result));
        self.section.len() - 1
    }
}

/// A component of a core module.
pub fn component(module: &[u8]) -> Vec<u8> {
    let mut types = Types::default();
    let functions = types_of(&mut types);
    let mut component = Component::new();
    component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
    let mut instances = InstanceSection::new();
    instances.instantiate::<[(&str, ModuleArg); 0], &str>(0, []);
    component.section(&instances);
    component.section(&aliases());
    component.section(&types.section);
    component.section(&lifted(&functions));
    let mut instances = ComponentInstanceSection::new();
    for (interface, own) in [(FILTER, &types.filter), (EXPLAIN, &types.explain)] {
        let named = own.iter().map(|(name, at)| (*name, ComponentExportKind::Type, *at));
        let lifted = FUNCTIONS.iter().enumerate().filter(|(_, function)| function.0 == interface);
        let lifted = lifted.map(|(at, function)| (function.1, ComponentExportKind::Func, at as u32));
        instances.export_items(named.chain(lifted).collect::<Vec<_>>());
    }
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    exports.export(FILTER, ComponentExportKind::Instance, 0, None);
    exports.export(EXPLAIN, ComponentExportKind::Instance, 1, None);
    component.section(&exports);
    component.finish()
}

/// The name of a function of an interface as the core module exports it.
pub fn core_name(function: (&str, &str)) -> String {
    format!("{}#{}", function.0, function.1)
}

/// The name of what is called when a result of a function has been read.
pub fn post_name(function: (&str, &str)) -> String {
    format!("cabi_post_{}", core_name(function))
}

/// The memory, `cabi_realloc`, then each function with what is called after it.
fn aliases() -> ComponentAliasSection {
    let mut aliases = ComponentAliasSection::new();
    let mut alias = |kind, name: &str| {
        aliases.alias(Alias::CoreInstanceExport { instance: 0, kind, name });
    };
    alias(ExportKind::Memory, "memory");
    alias(ExportKind::Func, "cabi_realloc");
    for function in FUNCTIONS {
        alias(ExportKind::Func, &core_name(function));
        if has_post(function) {
            alias(ExportKind::Func, &post_name(function));
        }
    }
    aliases
}

/// Whether memory is given back after a function: those that answer questions.
pub fn has_post(function: (&str, &str)) -> bool {
    matches!(function.1, "evaluate" | "explain")
}

fn lifted(types: &[u32; 5]) -> CanonicalFunctionSection {
    let mut section = CanonicalFunctionSection::new();
    let mut core = 1;
    for (function, kind) in FUNCTIONS.into_iter().zip(types) {
        let mut options = vec![CanonicalOption::UTF8, CanonicalOption::Memory(0), CanonicalOption::Realloc(0)];
        let own = core;
        core += 1;
        if has_post(function) {
            options.push(CanonicalOption::PostReturn(core));
            core += 1;
        }
        section.lift(own, *kind, options);
    }
    section
}

/// Every type of the interfaces, in the order of the text; gives those of the functions.
fn types_of(types: &mut Types) -> [u32; 5] {
    types.primitive(PrimitiveValType::U32);
    let symbol = types.named("symbol");
    types.primitive(PrimitiveValType::U32);
    let version = types.named("version");
    types.section.defined_type().enum_type(SIDES);
    let side = types.named("side");
    types.section.defined_type().flags(SIDES);
    let sides = types.named("sides");
    types.section.defined_type().enum_type(super::manifest::Kind::ALL.map(super::manifest::Kind::name));
    let kind = types.named("kind");
    let longs = types.list(S64);
    types.variant(&[
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
    ]);
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
    let functions = [
        types.function(None, descriptor),
        types.function(Some(("fleet", snapshot)), done),
        types.function(Some(("what", changes)), done),
        types.function(Some(("asked", question)), answer),
    ];
    let explain = explain(types, fact, value, facts, words);
    [functions[0], functions[1], functions[2], functions[3], explain]
}

fn descriptor(
    types: &mut Types,
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
    types: &mut Types,
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

fn explain(
    types: &mut Types,
    fact: ComponentValType,
    value: ComponentValType,
    facts: ComponentValType,
    words: ComponentValType,
) -> u32 {
    for (name, used) in [("fact", fact), ("value", value)] {
        if let ComponentValType::Type(at) = used {
            types.explain.push((name, at));
        }
    }
    let row = types.option(U32);
    types.record(&[("facts", facts), ("conditions", words), ("agent", row), ("pool", row)]);
    let candidate = types.explains("candidate");
    types.section.defined_type().enum_type(["no", "unknown", "yes"]);
    let truth = types.explains("truth");
    types.section.defined_type().enum_type(["overflow", "division-by-zero"]);
    let failure = types.explains("failure");
    types.record(&[("failure", failure), ("expression", U32)]);
    let fault = types.explains("fault");
    let fault = types.option(fault);
    let operand = types.option(value);
    types.record(&[
        ("truth", truth),
        ("may-hold", BOOL),
        ("may-fail", BOOL),
        ("fault", fault),
        ("operand", operand),
    ]);
    let outcome = types.explains("outcome");
    let outcomes = types.list(outcome);
    types.function(Some(("asked", candidate)), outcomes)
}
