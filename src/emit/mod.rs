//! The plugin compiler: translates a plan into a WebAssembly component that implements
//! `wit/bourse-filter.wit`.
//!
//! The output is a function of the plan: equal plans give equal bytes. The steps, in [`plugin`]:
//!
//! 1. `manifest` collects the rules, conditions, columns and literals that the plugin has, and numbers them.
//!    `abi` lays the description out in memory, so that `describe` only returns an address.
//! 2. `pattern` turns regular expressions into tables.
//! 3. `expr` generates a function per condition and rule over `asm`, a small structured assembler. It calls
//!    the functions in `helpers` and `arithmetic`, which are written only if something calls them.
//! 4. `feed` and `ask` generate the functions of the interface. `component` wraps the core module.
//!
//! The result is run by the top-level module `plugin`, or by any other host. Nothing here runs WebAssembly.

mod abi;
mod arithmetic;
mod ask;
mod asm;
mod component;
mod expr;
mod feed;
mod helpers;
mod kernels;
mod manifest;
mod memory;
mod module;
mod pattern;
mod read;
mod vocabulary;

pub use component::{EXPLAIN, FILTER};
pub use manifest::{ColumnKind, Manifest, ManifestColumn, ManifestRule, Owners};
pub use read::{is_component, read};
pub use vocabulary::{KeyName, Purpose, RuleCondition, RuleScope};

use wasm_encoder::ValType::I32;

use crate::{
    ir::{Node, NodeId, Plan},
    limits,
    types::Side,
};
use asm::{Ex, Fn, FunctionBody, St};
use manifest::PluginParts;
use module::Builder;

/// A plugin that was built.
#[derive(Clone, Debug)]
pub struct BuiltPlugin {
    /// The bytes of the component.
    pub bytes: Vec<u8>,
    /// The description that the component contains.
    pub manifest: Manifest,
}

/// The reason why a plan cannot become a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmitRefusal {
    /// The table of this pattern would be too large.
    LargePattern(String),
    /// This pattern has a Unicode word boundary, which no table can hold.
    Boundary(String),
    /// A rule belongs to another plugin, which has its code.
    Asked,
    /// The plan has more columns, rules or conditions than a plugin may have.
    TooMuch {
        /// The kind of items.
        what: &'static str,
        /// Their number.
        count: usize,
        /// The largest allowed number.
        most: usize,
    },
}

/// The memory layout of a plugin: addresses of its static tables, and their lengths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// The address of the slots, one per column: see [`feed::slot`].
    slots: u32,
    /// The address of the forms of columns, a byte each: see [`feed::form`].
    forms: u32,
    /// The number of columns of agents.
    agents: u32,
    /// The number of columns of agents and supplies.
    rows: u32,
    /// The number of all columns.
    columns: u32,
    conditions: u32,
    rules: u32,
    /// The address of a byte per rule: 1 for a preference.
    preferences: u32,
    /// The number of patterns.
    patterns: u32,
    /// The number of the first kernel in the table of functions. Kernels follow the functions of conditions
    /// and rules.
    kernels: u32,
    /// The address of two bytes per rule: twice the number of the function that judges 64 rows, plus 1 if
    /// they are rows of supplies; 0 for a rule without such a function. The address is 0 if no rule has one.
    words: u32,
    /// The addresses of words that cache results during one question. They are 0 when it begins.
    notes: Vec<u32>,
    /// `true` if the plugin keeps the tree of places.
    places: bool,
    /// The number of sets of text literals, the address of their values, and the address of the literals in
    /// them.
    sets: u32,
    set_values: u32,
    set_members: u32,
    /// The address of the result of `load` and `update`.
    result: u32,
    /// The address and length of the error of `load` and `update` for unexpected data.
    refusal: (u32, u32),
}

const REFUSAL: &str = "a column that was not asked for, or of another form";

/// Returns the manifest that the plugin of a plan would have.
pub fn manifest(plan: &Plan, owners: &Owners, name: &str) -> Manifest {
    manifest::manifest(plan, owners, name).0
}

/// Builds the plugin of a plan. The name appears in reasons and messages.
///
/// # Errors
/// Returns why the plan cannot become a plugin.
pub fn plugin(plan: &Plan, owners: &Owners, name: &str) -> Result<BuiltPlugin, EmitRefusal> {
    if !plan.asked.is_empty() {
        return Err(EmitRefusal::Asked);
    }
    let (manifest, used) = manifest::manifest(plan, owners, name);
    bounded("columns", manifest.columns.len())?;
    bounded("rules", manifest.rules.len())?;
    bounded("conditions", manifest.conditions.len())?;
    // Addresses are given out in the order of these calls, so their order is part of the output.
    let mut builder = Builder::default();
    let mut layout = layout(&mut builder, &manifest, &used);
    let descriptor = abi::descriptor(&mut builder.data, &manifest);
    let mut patterns = Vec::new();
    for text in used.patterns.keys() {
        let table = pattern::table(&mut builder.data, text).map_err(|refused| match refused {
            pattern::PatternRefusal::TooLarge => EmitRefusal::LargePattern(text.clone()),
            pattern::PatternRefusal::Boundary => EmitRefusal::Boundary(text.clone()),
        })?;
        patterns.push(table);
    }
    (layout.words, layout.notes) = judges(&mut builder, plan, &used, &layout, &manifest, patterns);
    exports(&mut builder, &layout, descriptor);
    Ok(BuiltPlugin { bytes: component::component(&builder.finish(), descriptor), manifest })
}

fn bounded(what: &'static str, count: usize) -> Result<(), EmitRefusal> {
    let most = limits::PLUGIN_RULES;
    if count > most { Err(EmitRefusal::TooMuch { what, count, most }) } else { Ok(()) }
}

fn layout(builder: &mut Builder, manifest: &Manifest, used: &PluginParts) -> Layout {
    // Columns are sorted by side; the numbers of sides are 0 for agents and 1 for supplies.
    let of = |most: u8| manifest.columns.iter().filter(|column| column.side as u8 <= most).count() as u32;
    let columns = manifest.columns.len() as u32;
    let data = &mut builder.data;
    let forms: Vec<u8> = manifest.columns.iter().map(|column| form(column.kind)).collect();
    let is_preference = |rule: &ManifestRule| u8::from(matches!(rule.purpose, Purpose::Prefer(_)));
    let preferences: Vec<u8> = manifest.rules.iter().map(is_preference).collect();
    let sets = used.sets.len() as u32;
    let members =
        used.sets.iter().flat_map(|set| std::iter::once(set.len() as u32).chain(set.iter().copied()));
    let members: Vec<u8> = members.flat_map(u32::to_le_bytes).collect();
    Layout {
        slots: data.space(columns * feed::slot::SIZE, 8),
        set_values: data.space(8 * sets, 8),
        result: data.space(12, 4),
        set_members: data.put(&members, 4),
        forms: data.put(&forms, 1),
        preferences: data.put(&preferences, 1),
        refusal: (data.text(REFUSAL), REFUSAL.len() as u32),
        agents: of(0),
        rows: of(1),
        columns,
        conditions: manifest.conditions.len() as u32,
        rules: manifest.rules.len() as u32,
        kernels: (4 * manifest.conditions.len() + manifest.rules.len()) as u32,
        words: 0,
        notes: Vec::new(),
        patterns: used.patterns.len() as u32,
        places: used.places,
        sets,
    }
}

fn form(kind: ColumnKind) -> u8 {
    use crate::types::Type;
    match kind {
        ColumnKind::Of(Type::Bool) => feed::form::BOOLEANS,
        ColumnKind::Of(Type::Quantity(_)) => feed::form::INTEGERS,
        ColumnKind::Of(Type::Text | Type::Version | Type::Place) => feed::form::NUMBERS,
        ColumnKind::Of(Type::Texts | Type::Numbers | Type::Ranges) => feed::form::SETS,
        ColumnKind::Mixed => feed::form::MIXED,
    }
}

/// Generates the functions that judge, in the order that `ask` expects in the table. Returns
/// [`Layout::words`] and [`Layout::notes`].
fn judges(
    builder: &mut Builder,
    plan: &Plan,
    used: &PluginParts,
    layout: &Layout,
    manifest: &Manifest,
    patterns: Vec<u32>,
) -> (u32, Vec<u32>) {
    let mut emitter = expr::Emitter::new(plan, used, layout, builder, patterns);
    // The sections of the table, in the order that `ask` documents.
    let mut table: Vec<Fn> = used.conditions.iter().map(|node| emitter.verdict(*node)).collect();
    for (rule, root) in manifest.rules.iter().zip(&used.roots) {
        table.push(match rule.purpose {
            Purpose::Prefer(_) => emitter.earned(*root),
            _ => table[rule.whole as usize],
        });
    }
    // Many conditions have nothing to return here. They share one constant function.
    let (mut fixed, mut none) = (None, None);
    for node in &used.conditions {
        let possible = emitter.possible(*node);
        let stub = |emitter: &mut expr::Emitter<'_>, value| emitter.builder.function(constant(value));
        table.push(match possible {
            Some(function) => function,
            None => *fixed.get_or_insert_with(|| stub(&mut emitter, -1)),
        });
    }
    for node in &used.conditions {
        table.push(match used.operand(plan, *node) {
            Some(operand) => emitter.operand(operand),
            None => *none.get_or_insert_with(|| emitter.builder.function(constant(helpers::ABSENT))),
        });
    }
    for node in &used.conditions {
        table.push(match compared_by_order(plan, *node) {
            Some(sides) => emitter.distance(sides),
            None => *none.get_or_insert_with(|| emitter.builder.function(constant(helpers::ABSENT))),
        });
    }
    let is_judged = |rule: &ManifestRule| !matches!(rule.purpose, Purpose::Prefer(_));
    let roots = manifest.rules.iter().zip(&used.roots);
    // Functions for 64 rows exist for requirements and classes only. Preferences are scored row by row.
    let words: Vec<_> =
        roots.map(|(rule, root)| if is_judged(rule) { emitter.words(*root) } else { None }).collect();
    table.extend(emitter.kernels.values());
    let notes = emitter.notes;
    builder.table = table;
    if words.iter().all(Option::is_none) {
        return (0, notes);
    }
    let mut numbers = Vec::with_capacity(2 * words.len());
    for words in words {
        let number = match words {
            Some((function, side)) => {
                builder.table.push(function);
                let number = 2 * (builder.table.len() - 1) + usize::from(side == Side::Pool);
                // Numbers that do not fit stay 0: these rules are judged row by row.
                u16::try_from(number).unwrap_or(0)
            }
            None => 0,
        };
        numbers.extend(number.to_le_bytes());
    }
    (builder.data.put(&numbers, 2), notes)
}

/// Returns the operands of an ordered comparison.
fn compared_by_order(plan: &Plan, node: NodeId) -> Option<[NodeId; 2]> {
    use crate::operator::TestOp::{Greater, GreaterOrEqual, Less, LessOrEqual};
    match plan.node(node) {
        Node::Test(Less | LessOrEqual | Greater | GreaterOrEqual, left, right) => Some([*left, *right]),
        _ => None,
    }
}

/// Returns a function of two rows with a constant result.
fn constant(value: i32) -> FunctionBody {
    let mut body = FunctionBody::new(&module::OF_ROWS.0, module::OF_ROWS.1);
    body.add([St::Return(Ex::Int(value))]);
    body
}

fn exports(builder: &mut Builder, layout: &Layout, descriptor: u32) {
    let reallocate = memory::reallocate(builder);
    let reallocate = builder.function(reallocate);
    builder.export("cabi_realloc".to_owned(), reallocate);
    let mut describe = FunctionBody::new(&[], Some(I32));
    describe.add([St::Return(Ex::from(descriptor))]);
    let describe = builder.function(describe);
    let (load, update) = feed::feed(builder, layout);
    let facts = builder.function(ask::facts(layout));
    let evaluate = ask::evaluate(builder, layout, facts);
    let evaluate = builder.function(evaluate);
    let explain = ask::explain(builder, layout, facts);
    let explain = builder.function(explain);
    let free = builder.function(ask::free());
    builder.export(component::FREE.to_owned(), free);
    for ((_, name), function) in
        component::FUNCTIONS.into_iter().zip([describe, load, update, evaluate, explain])
    {
        builder.export(name.to_owned(), function);
    }
}
