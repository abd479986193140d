//! Writes candidates and conditions of the solver as text of the language, for messages.

use indexmap::IndexSet;

use super::{
    AnalysedSet,
    candidate::{Variable, VariableValue},
    solve::{Goal, Solver, WantedTruth, Witness},
};
use crate::{
    engine::Keys,
    ir::{ColumnId, Key, Node, NodeId, Plan, Show},
    source::Sources,
    types::Side,
    value::show_name,
};

/// The most bytes of source text that a message shows of a condition. A longer one is written from the plan.
const LONGEST: usize = 100;

/// Lists the keys of a candidate: `media = "ssd"`. With `with_side` each is written with its side.
pub fn keys(solver: &Solver<'_>, witness: &Witness, with_side: bool) -> Vec<String> {
    let mut shown: Vec<(bool, String)> = witness
        .iter()
        .map(|(id, held)| {
            let text = variable_text(solver, solver.hypothetical.variable(*id), held, with_side);
            (matches!(held, VariableValue::Absent | VariableValue::Mismatch), text)
        })
        .collect();
    // Keys with a value come before those without, each in alphabetical order: the order of the search means
    // nothing to a reader.
    shown.sort();
    shown.into_iter().map(|(_, text)| text).collect()
}

/// Writes one variable with its value. The used amount of a resource is shown only if a condition can depend
/// on it.
fn variable_text(solver: &Solver<'_>, variable: Variable, held: &VariableValue, with_side: bool) -> String {
    let plan = solver.plan;
    let symbols = solver.hypothetical.symbols();
    let (side, key) = match variable {
        Variable::Key(column) => (plan.column(column).side, Show::new(plan).key(column)),
        Variable::Place(side) => (side, "domain".to_owned()),
        Variable::Stock(side, resource) => (side, show_name(plan.symbols.text(resource))),
    };
    let name = |word: &str| match (with_side, word) {
        (true, "") => format!("{side}.{key}"),
        (true, word) => format!("{side}.{word}.{key}"),
        (false, "") => key.clone(),
        (false, word) => format!("{word}.{key}"),
    };
    let stock = matches!(variable, Variable::Stock(..));
    match held {
        VariableValue::Absent => format!("{} is absent", name(if stock { "total" } else { "" })),
        VariableValue::Mismatch => format!("{} is of another type", name("")),
        VariableValue::Value(value) => format!("{} = {}", name(""), value.show(symbols)),
        VariableValue::Stock(dimension, total, used) => {
            let amount = |amount: i64| crate::quantity::render(*dimension, i128::from(amount));
            let read = |key: Key, side: Side| plan.find_column(crate::ir::Column { side, key }).is_some();
            let Variable::Stock(side, resource) = variable else { return String::new() };
            let mut parts = vec![format!("{} = {}", name("total"), amount(*total))];
            if read(Key::Used(resource), side) || read(Key::Free(resource), side) {
                parts.push(format!("{} = {}", name("used"), amount(*used)));
            }
            parts.join(", ")
        }
    }
}

/// Writes a candidate: `a pool with media = "ssd", replicas = 2`.
pub fn candidate(solver: &Solver<'_>, side: Side, witness: &Witness) -> String {
    let keys = keys(solver, witness, false);
    let article = if side == Side::Agent { "an" } else { "a" };
    if keys.is_empty() {
        return format!("any {side}");
    }
    format!("{article} {side} with {}", keys.join(", "))
}

/// Writes a condition as its author did if that fits in a message, or else from the plan.
pub fn condition(plan: &Plan, sources: &Sources, node: NodeId) -> String {
    if matches!(plan.node(node), Node::And(_))
        && let Some(class) = plan.definitions.iter().find(|known| known.root == node)
    {
        // The span of a definition's root is that of its name, which is no condition.
        return if class.class_of.is_some() { format!("is {}", class.name) } else { class.name.clone() };
    }
    let written = sources.text(plan.spans[node.0 as usize]);
    let readable = !written.is_empty() && written.len() <= LONGEST && !written.contains(['\n', '`']);
    if readable { written.to_owned() } else { Show::new(plan).node(node) }
}

/// Writes a goal: the condition, with `not` if it must not hold.
pub fn goal(plan: &Plan, sources: &Sources, goal: &Goal) -> String {
    let text = condition(plan, sources, goal.shown);
    let negated = goal.shown == goal.node && matches!(goal.want, WantedTruth::False | WantedTruth::NotTrue);
    if negated { format!("not ({text})") } else { text }
}

impl AnalysedSet<'_> {
    /// Writes that some goals exclude each other: `a` and `b` cannot both hold.
    ///
    /// The values of fixed keys that they read follow, as these are part of the reason. `whose` adds the
    /// origin of a goal.
    pub(super) fn conflict(
        &self,
        solver: &Solver<'_>,
        goals: &[Goal],
        whose: impl Fn(&Goal) -> String,
    ) -> String {
        let text = |one| format!("`{}`{}", goal(self.plan, self.sources, one), whose(one));
        let texts: Vec<String> = goals.iter().map(text).collect();
        let said = match texts.as_slice() {
            [only] => format!("{only} can never hold"),
            [one, other] => format!("{one} and {other} cannot both hold"),
            [first @ .., last] => format!("{} and {last} cannot all hold", first.join(", ")),
            [] => "it can never hold".to_owned(),
        };
        let reads: IndexSet<ColumnId> = goals.iter().flat_map(|goal| self.plan.reads(goal.node)).collect();
        let hypothetical = &solver.hypothetical;
        let fixed =
            reads.into_iter().filter(|column| hypothetical.is_fixed(hypothetical.variable_of(*column)));
        let facts: Vec<String> = fixed
            .map(|column| match hypothetical.read(column) {
                Ok(value) => {
                    format!(
                        "`{}` is {}",
                        Show::new(self.plan).column(column),
                        value.show(&hypothetical.symbols)
                    )
                }
                Err(_) => format!("`{}` is absent", Show::new(self.plan).column(column)),
            })
            .collect();
        if facts.is_empty() { said } else { format!("{said}: {}", facts.join(", ")) }
    }
}
