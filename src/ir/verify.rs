//! Verifies a plan before it is run: every number in it is in range, and operands come before their users.
//!
//! A plan may come from a file. Engines index its tables without checking further, so the numbers that they
//! follow are checked here.

use super::{ColumnId, Key, Node, NodeId, PlaceKey, Plan, Request, Rule};
use crate::{
    limits,
    value::{Value, is_place, is_role},
};

/// Checks that a plan is whole. A plan from `lower` always is. One read from elsewhere need not be.
///
/// # Errors
/// The defect, in a line.
pub fn verify(plan: &Plan) -> Result<(), String> {
    if plan.spans.len() != plan.nodes.len() || plan.column_types.len() != plan.columns.len() {
        return Err("tables of unlike length".to_owned());
    }
    for (at, node) in plan.nodes.iter().enumerate() {
        verify_node(plan, at, node)?;
    }
    verify_depth(plan)?;
    verify_paths(plan)?;
    for (at, column) in plan.columns.iter().enumerate() {
        if let Key::Level(depth) = column.key
            && usize::from(depth) >= plan.levels.len()
        {
            return Err(format!("column {at} reads a level that is not declared"));
        }
    }
    for definition in &plan.definitions {
        root(plan, definition.root)?;
    }
    let rules = plan.broker.requires.iter().chain(&plan.broker.prefers);
    for rule in rules.chain(plan.agent_rules.iter().flatten()).chain(plan.tier_rules.iter().flatten()) {
        verify_rule(plan, rule)?;
    }
    for charge in &plan.broker.charges {
        root(plan, charge.root)?;
    }
    for need in plan.frameworks.iter().flat_map(|framework| &framework.needs) {
        for request in need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request)) {
            verify_request(plan, request)?;
        }
        for place in need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places)) {
            if let Some(PlaceKey::Key(id)) = place.kind.key() {
                column(plan, id)?;
            }
        }
    }
    Ok(())
}

/// Bounds the depth of every node. Engines evaluate operands by recursion, so a plan may be no deeper than a
/// checked set allows.
fn verify_depth(plan: &Plan) -> Result<(), String> {
    let mut depths: Vec<u64> = Vec::with_capacity(plan.nodes.len());
    for (at, node) in plan.nodes.iter().enumerate() {
        let mut below = 0;
        // Operands come before their users, and so does the root of what is named.
        plan.operands(node, &mut |id| below = below.max(depths[id.0 as usize]));
        if below >= limits::RULE_DEPTH {
            return Err(format!("node {at} is more than {} nodes deep", limits::RULE_DEPTH));
        }
        depths.push(below + 1);
    }
    Ok(())
}

/// Checks the paths of roles and places against the limits that texts of policies must keep: trees are built
/// from them.
fn verify_paths(plan: &Plan) -> Result<(), String> {
    let named = plan.roles.iter().map(|role| role.name.as_str());
    let mut roles = named.chain(plan.frameworks.iter().map(|framework| plan.symbols.text(framework.role)));
    if let Some(bad) = roles.find(|role| !is_role(role)) {
        return Err(format!("`{}` is not the path of a role", crate::value::printable(bad)));
    }
    let constants = plan.nodes.iter().filter_map(|node| match node {
        Node::Constant(Value::Place(place)) => Some(plan.symbols.text(*place)),
        _ => None,
    });
    let mut places = constants;
    match places.find(|place| !is_place(place)) {
        Some(bad) => Err(format!("`{}` is not a place", crate::value::printable(bad))),
        None => Ok(()),
    }
}

fn verify_request(plan: &Plan, request: &Request) -> Result<(), String> {
    for ask in &request.classes {
        if ask.class.0 as usize >= plan.definitions.len() {
            return Err("a need asks for a class that is not there".to_owned());
        }
    }
    request.conditions.iter().try_for_each(|rule| verify_rule(plan, rule))
}

fn verify_rule(plan: &Plan, rule: &Rule) -> Result<(), String> {
    root(plan, rule.root)
}

fn root(plan: &Plan, id: NodeId) -> Result<(), String> {
    if (id.0 as usize) < plan.nodes.len() { Ok(()) } else { Err(format!("node {} is not there", id.0)) }
}

fn column(plan: &Plan, id: ColumnId) -> Result<(), String> {
    if (id.0 as usize) < plan.columns.len() { Ok(()) } else { Err(format!("column {} is not there", id.0)) }
}

/// Returns `false` for a set whose members do not ascend. Operators search sets by halves.
fn is_ascending(value: &Value) -> bool {
    match value {
        Value::Texts(members) => members.is_sorted_by(|one, next| one < next),
        Value::Numbers(members) => members.is_sorted_by(|one, next| one < next),
        _ => true,
    }
}

fn verify_node(plan: &Plan, at: usize, node: &Node) -> Result<(), String> {
    let before = |id: &NodeId| {
        if (id.0 as usize) < at {
            Ok(())
        } else {
            Err(format!("node {at} uses node {}, which does not come before", id.0))
        }
    };
    match node {
        Node::Constant(value) if !is_ascending(value) => Err(format!("node {at} is a set out of order")),
        Node::Constant(_) => Ok(()),
        Node::Read(id) | Node::IsAbsent(id) | Node::IsPresent(id) => column(plan, *id),
        Node::Else(id, other) => column(plan, *id).and_then(|()| before(other)),
        Node::Named(id) => match plan.definitions.get(id.0 as usize) {
            Some(definition) => before(&definition.root),
            None => Err(format!("node {at} names a definition that is not there")),
        },
        Node::Not(inner) | Node::Negate(inner) => before(inner),
        Node::External(asked) => match plan.asked.get(*asked as usize) {
            Some(asked) => {
                asked.reads.iter().chain(&asked.subject).try_for_each(|id| column(plan, *id))?;
                asked.conditions.iter().try_for_each(before)
            }
            None => Err(format!("node {at} asks what is not there")),
        },
        Node::Matches(inner, pattern) => {
            if (*pattern as usize) < plan.patterns.len() {
                before(inner)
            } else {
                Err(format!("node {at} uses a pattern that is not there"))
            }
        }
        Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => parts.iter().try_for_each(before),
        Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => {
            before(left).and_then(|()| before(right))
        }
    }
}
