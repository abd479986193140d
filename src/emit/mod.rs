//! Plan → plugin: a WebAssembly component with the filter that a plan is, after `wit/bourse-filter.wit`. The same plan
//! gives the same bytes. Nothing here runs WebAssembly.

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
mod said;

pub use component::{EXPLAIN, FILTER};
pub use manifest::{Column, Kind, Manifest, Owners, Rule};
pub use read::{is_component, read};
pub use said::{Condition, Key, Purpose, Scope};

use wasm_encoder::ValType::I32;

use crate::{
    ir::{Node, NodeId, Plan},
    limits,
    types::Side,
};
use asm::{Body, Ex, Fn, St};
use manifest::Used;
use module::Builder;

/// A plugin that was built.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The component.
    pub bytes: Vec<u8>,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Why a plan is no plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A pattern whose table would be too large.
    LargePattern(String),
    /// A pattern that no table can hold: it asks where words of any script begin and end.
    Boundary(String),
    /// A rule of another plugin, which has its own.
    Asked,
    /// More columns, rules or conditions than a plugin may have.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
}

/// Where things stand in a plugin's memory, and how many there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// A slot for each column.
    slots: u32,
    /// The form of each column's cells, a byte each.
    forms: u32,
    /// Columns of agents.
    agents: u32,
    /// Columns of agents and supplies.
    rows: u32,
    /// All columns.
    columns: u32,
    conditions: u32,
    rules: u32,
    /// For each rule, whether it is a preference; a byte each.
    preferences: u32,
    /// How many patterns there are.
    patterns: u32,
    /// Where kernels begin in the table of functions, after those of conditions and rules.
    kernels: u32,
    /// For each rule where the function that judges sixty-four rows stands in the table, twice, and whether these are
    /// supplies; 0: there is none. Two bytes each; 0 where no rule has one.
    words: u32,
    /// What is noted for one question: four bytes each, 0 when it begins.
    notes: Vec<u32>,
    /// Whether the tree of places is kept.
    places: bool,
    /// How many sets of literals there are, where their values stand, and which literals they hold.
    sets: u32,
    set_values: u32,
    set_members: u32,
    /// What `load` and `update` give.
    result: u32,
    /// What they say of data that they did not ask for: where, and how long.
    refusal: (u32, u32),
}

const REFUSAL: &str = "a column that was not asked for, or of another form";

/// What a plugin of a plan says of itself.
pub fn manifest(plan: &Plan, owners: &Owners, name: &str) -> Manifest {
    manifest::manifest(plan, owners, name).0
}

/// Builds the plugin of a plan. The name is for reasons and messages.
///
/// # Errors
/// What of the plan no plugin can hold.
pub fn plugin(plan: &Plan, owners: &Owners, name: &str) -> Result<Plugin, Refusal> {
    if !plan.asked.is_empty() {
        return Err(Refusal::Asked);
    }
    let (manifest, used) = manifest::manifest(plan, owners, name);
    bounded("columns", manifest.columns.len())?;
    bounded("rules", manifest.rules.len())?;
    bounded("conditions", manifest.conditions.len())?;
    let mut builder = Builder::default();
    let mut layout = layout(&mut builder, &manifest, &used);
    let descriptor = abi::descriptor(&mut builder.data, &manifest);
    let mut patterns = Vec::new();
    for text in used.patterns.keys() {
        let table = pattern::table(&mut builder.data, text).map_err(|refused| match refused {
            pattern::Refused::TooLarge => Refusal::LargePattern(text.clone()),
            pattern::Refused::Boundary => Refusal::Boundary(text.clone()),
        })?;
        patterns.push(table);
    }
    (layout.words, layout.notes) = judges(&mut builder, plan, &used, &layout, &manifest, patterns);
    exports(&mut builder, &layout, descriptor);
    Ok(Plugin { bytes: component::component(&builder.finish(), descriptor), manifest })
}

fn bounded(what: &'static str, count: usize) -> Result<(), Refusal> {
    let most = limits::PLUGIN_RULES;
    if count > most { Err(Refusal::TooMuch { what, count, most }) } else { Ok(()) }
}

fn layout(builder: &mut Builder, manifest: &Manifest, used: &Used) -> Layout {
    let of = |most: u8| manifest.columns.iter().filter(|column| column.side as u8 <= most).count() as u32;
    let columns = manifest.columns.len() as u32;
    let data = &mut builder.data;
    let forms: Vec<u8> = manifest.columns.iter().map(|column| form(column.kind)).collect();
    let is_preference = |rule: &Rule| u8::from(matches!(rule.purpose, Purpose::Prefer(_)));
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

fn form(kind: Kind) -> u8 {
    use crate::types::Type;
    match kind {
        Kind::Of(Type::Bool) => feed::form::BOOLEANS,
        Kind::Of(Type::Quantity(_)) => feed::form::INTEGERS,
        Kind::Of(Type::Text | Type::Version | Type::Place) => feed::form::NUMBERS,
        Kind::Of(Type::Texts | Type::Numbers | Type::Ranges) => feed::form::SETS,
        Kind::Mixed => feed::form::MIXED,
    }
}

/// The functions that judge, in the order of the table: see `ask`. Gives [`Layout::words`] and [`Layout::notes`].
fn judges(
    builder: &mut Builder,
    plan: &Plan,
    used: &Used,
    layout: &Layout,
    manifest: &Manifest,
    patterns: Vec<u32>,
) -> (u32, Vec<u32>) {
    let mut emitter = expr::Emitter::new(plan, used, layout, builder, patterns);
    let mut table: Vec<Fn> = used.conditions.iter().map(|node| emitter.verdict(*node)).collect();
    for (rule, root) in manifest.rules.iter().zip(&used.roots) {
        table.push(match rule.purpose {
            Purpose::Prefer(_) => emitter.earned(*root),
            _ => table[rule.whole as usize],
        });
    }
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
    let is_judged = |rule: &Rule| !matches!(rule.purpose, Purpose::Prefer(_));
    let roots = manifest.rules.iter().zip(&used.roots);
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
                // Of thousands of rules the last are asked row by row.
                u16::try_from(number).unwrap_or(0)
            }
            None => 0,
        };
        numbers.extend(number.to_le_bytes());
    }
    (builder.data.put(&numbers, 2), notes)
}

/// The sides of a comparison by order.
fn compared_by_order(plan: &Plan, node: NodeId) -> Option<[NodeId; 2]> {
    use crate::operator::TestOp::{Greater, GreaterOrEqual, Less, LessOrEqual};
    match plan.node(node) {
        Node::Test(Less | LessOrEqual | Greater | GreaterOrEqual, left, right) => Some([*left, *right]),
        _ => None,
    }
}

/// A function of two rows that always gives the same.
fn constant(value: i32) -> Body {
    let mut body = Body::new(&module::OF_ROWS.0, module::OF_ROWS.1);
    body.add([St::Return(Ex::Int(value))]);
    body
}

fn exports(builder: &mut Builder, layout: &Layout, descriptor: u32) {
    let reallocate = memory::reallocate(builder);
    let reallocate = builder.function(reallocate);
    builder.export("cabi_realloc".to_owned(), reallocate);
    let mut describe = Body::new(&[], Some(I32));
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
