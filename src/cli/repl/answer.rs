//! Writes the value of an expression, the reasons why it is unknown, and the values of its parts.

use super::session::{CompiledExpr, Session};
use crate::{
    engine::{Gap, Scene},
    ir::{ColumnId, Node, NodeId, Show},
    output::printable_name,
    types::{Side, Type},
};

/// The most lines of one tree. The rest are counted.
const LINES: usize = 200;

/// Writes the value with its type, or the reasons why it is unknown: `0.5  number`, `unknown: agent.vlan is
/// absent`.
pub fn value(session: &Session, compiled: &CompiledExpr) -> String {
    let Some(scene) = session.scene(&compiled.fleet) else { return String::new() };
    if session.need.is_none() && asks(&scene, compiled.root) {
        return "unknown: the set has no need, so nobody asks\n".to_owned();
    }
    let unchosen = missing_choices(session, &scene, compiled.root);
    let line = match scene.value(compiled.root) {
        Ok(value) if unchosen.is_empty() || value.type_of() != Type::Bool => {
            format!("{}  {}", value.show(&scene.plan.symbols), value.type_of())
        }
        Ok(value) => {
            format!("{}  {}  ({})", value.show(&scene.plan.symbols), value.type_of(), unchosen.join("; "))
        }
        Err(gap) => {
            let mut why: Vec<String> = Vec::new();
            gaps(session, &scene, compiled.root, &mut why);
            if why.is_empty() {
                why.push(words(session, &scene, gap));
            }
            format!("unknown: {}", why.join("; "))
        }
    };
    format!("{}\n", printable_name(&line))
}

/// Writes the type of an expression, which does not depend on the choices of the session.
pub fn kind(compiled: &CompiledExpr) -> String {
    match compiled.kind {
        Some(kind) => format!("{kind}\n"),
        None => "of any type: nothing says which\n".to_owned(),
    }
}

/// Returns a remark for each side that a condition reads and of which nothing is chosen. A condition such as
/// `agent.os is absent` holds for that reason alone.
fn missing_choices(session: &Session, scene: &Scene<'_>, root: NodeId) -> Vec<&'static str> {
    let sides = scene.plan.reads(root).into_iter().map(|column| scene.plan.column(column).side);
    let mut found: Vec<&'static str> = sides.filter_map(|side| session.missing_choice(side)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns `true` if an expression reads a key of the requester: the need, its volume, framework or role.
fn asks(scene: &Scene<'_>, root: NodeId) -> bool {
    let asking = [Side::Need, Side::Framework, Side::Role, Side::Volume];
    scene.plan.reads(root).into_iter().any(|column| asking.contains(&scene.plan.column(column).side))
}

/// Describes what makes a value unknown.
fn words(session: &Session, scene: &Scene<'_>, gap: Gap) -> String {
    let show = Show::new(scene.plan);
    match gap {
        Gap::Absent(column) => match session.missing_choice(scene.plan.column(column).side) {
            Some(why) => format!("{} is absent, since {why}", show.column(column)),
            None => format!("{} is absent", show.column(column)),
        },
        Gap::Mismatch(column) => format!("{} is of another type", show.column(column)),
        Gap::Unanswered => "its filter has no answer".to_owned(),
        Gap::Fault(node, fault) => format!("{} in {}", fault.words(), show.node(node)),
    }
}

/// Adds the causes that make a node unknown, each once: the unknown parts that have no unknown part
/// themselves.
fn gaps(session: &Session, scene: &Scene<'_>, root: NodeId, found: &mut Vec<String>) {
    let mut open = vec![root];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Err(gap) = scene.value(id) else { continue };
        let parts = parts(scene, id);
        let unknown: Vec<NodeId> = parts.into_iter().filter(|part| scene.value(*part).is_err()).collect();
        if unknown.is_empty() {
            let said = words(session, scene, gap);
            if !found.contains(&said) && found.len() < LINES {
                found.push(said);
            }
        }
        open.extend(unknown.into_iter().rev());
    }
}

/// Returns the operands of a node. A class or let has its body.
fn parts(scene: &Scene<'_>, id: NodeId) -> Vec<NodeId> {
    match scene.plan.node(id) {
        Node::Constant(_) | Node::Read(_) | Node::IsAbsent(_) | Node::IsPresent(_) => Vec::new(),
        Node::External(asked) => scene.plan.asked(*asked).conditions.clone(),
        Node::Named(definition) => vec![scene.plan.definition(*definition).root],
        Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) | Node::Else(_, inner) => {
            vec![*inner]
        }
        Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => parts.to_vec(),
        Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => vec![*left, *right],
    }
}

/// Returns the column that a node reads by itself rather than through an operand.
fn column(scene: &Scene<'_>, id: NodeId) -> Option<ColumnId> {
    match scene.plan.node(id) {
        Node::IsAbsent(column) | Node::IsPresent(column) | Node::Else(column, _) => Some(*column),
        _ => None,
    }
}

/// Writes an expression as a tree: a line for each part, indented below the part that contains it, after its
/// value.
pub fn tree(session: &Session, compiled: &CompiledExpr) -> String {
    let Some(scene) = session.scene(&compiled.fleet) else { return String::new() };
    if session.need.is_none() && asks(&scene, compiled.root) {
        return "unknown: the set has no need, so nobody asks\n".to_owned();
    }
    let show = Show::new(scene.plan);
    let mut out = String::new();
    let (mut open, mut lines, mut more) = (vec![(compiled.root, 0_usize)], 0, 0_usize);
    while let Some((id, depth)) = open.pop() {
        if matches!(scene.plan.node(id), Node::Constant(_)) && depth > 0 {
            continue;
        }
        lines += 1;
        if lines > LINES {
            more += 1;
            continue;
        }
        let mut line = |depth: usize, value: Result<crate::value::Value, Gap>, text: &str| {
            let (value, why) = match value {
                Ok(value) => (value.show(&scene.plan.symbols), String::new()),
                Err(gap) => ("unknown".to_owned(), format!("    {}", words(session, &scene, gap))),
            };
            let why = if matches!(scene.plan.node(id), Node::Read(_)) { why } else { String::new() };
            out.push_str(&format!(
                "{}{}\n",
                "  ".repeat(depth),
                printable_name(&format!("{value}  {text}{why}"))
            ));
        };
        line(depth, scene.value(id), &show.node(id));
        if let Some(column) = column(&scene, id)
            && let Ok(value) = scene.read(column)
        {
            line(depth + 1, Ok(value), &show.column(column));
        }
        open.extend(parts(&scene, id).into_iter().rev().map(|part| (part, depth + 1)));
    }
    if more > 0 {
        out.push_str(&format!("{more} more parts are not listed\n"));
    }
    out
}
