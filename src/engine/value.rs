//! The value of a node, whatever its keys are read from.

use super::possible::Possible;
use crate::{
    ir::{Asked, ColumnId, Node, NodeId, Pattern, Plan, op},
    logic::Truth,
    symbol::{Symbol, Symbols},
    value::Value,
};

/// Why something is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// A key is absent.
    Absent(ColumnId),
    /// A key has a value of another type.
    Mismatch(ColumnId),
    /// An operator has no value for its operands.
    Fault(NodeId, op::Fault),
    /// A filter of others has no answer.
    Unanswered,
}

/// What expressions read: a candidate of a fleet, or one that is only thought of.
pub trait Keys {
    /// Whether somebody is told what each node comes to. Then both sides of `and` and `or` are always looked at.
    const TELLS: bool = false;

    /// Told what a node has come to.
    fn tell(&self, _node: NodeId, _value: &Result<Value, Gap>) {}

    /// The policy.
    fn plan(&self) -> &Plan;

    /// Every text of the policy and of the values.
    fn symbols(&self) -> &Symbols;

    /// The value of a key.
    ///
    /// # Errors
    /// That it is absent, or of another type.
    fn read(&self, id: ColumnId) -> Result<Value, Gap>;

    /// What a filter of others answers; of a candidate that is only thought of, nothing.
    ///
    /// # Errors
    /// Why it is unknown.
    fn asked(&self, _asked: &Asked) -> Result<Value, Gap> {
        Err(Gap::Unanswered)
    }

    /// What a condition of a filter of others could be, where the filter tells.
    fn asked_possible(&self, _asked: &Asked) -> Option<Possible> {
        None
    }

    /// Whether a whole text matches a pattern.
    fn matches(&self, text: Symbol, pattern: &Pattern) -> bool {
        pattern.regex.is_match(self.symbols().text(text))
    }
}

/// Whether a condition holds.
pub fn truth<K: Keys>(keys: &K, id: NodeId) -> Truth {
    match value(keys, id) {
        Ok(Value::Bool(holds)) => holds.into(),
        Ok(_) | Err(_) => Truth::Unknown,
    }
}

/// The value of a node.
///
/// # Errors
/// Why it is unknown: the first cause, in order of reading.
pub fn value<K: Keys>(keys: &K, id: NodeId) -> Result<Value, Gap> {
    let value = compute(keys, id);
    if K::TELLS {
        keys.tell(id, &value);
    }
    value
}

fn compute<K: Keys>(keys: &K, id: NodeId) -> Result<Value, Gap> {
    let fault = |fault| Gap::Fault(id, fault);
    let plan = keys.plan();
    match plan.node(id) {
        Node::Constant(value) => Ok(value.clone()),
        Node::Read(column) => keys.read(*column),
        Node::Named(definition) => value(keys, plan.definition(*definition).root),
        Node::Not(inner) => bool(keys, *inner).map(|holds| Value::Bool(!holds)),
        Node::And(parts) => join(keys, parts, false),
        Node::Or(parts) => join(keys, parts, true),
        Node::Test(op, left, right) => {
            let (left, right) = (value(keys, *left)?, value(keys, *right)?);
            op::test(*op, &left, &right, keys.symbols()).map(Value::Bool).map_err(fault)
        }
        Node::Matches(subject, pattern) => match value(keys, *subject)? {
            Value::Text(text) => Ok(Value::Bool(keys.matches(text, &plan.patterns[*pattern as usize]))),
            _ => Err(fault(op::Fault::Mismatch)),
        },
        Node::IsAbsent(column) => Ok(Value::Bool(matches!(keys.read(*column), Err(Gap::Absent(_))))),
        Node::IsPresent(column) => Ok(Value::Bool(!matches!(keys.read(*column), Err(Gap::Absent(_))))),
        Node::Arithmetic(op, left, right) => {
            let (left, right) = (value(keys, *left)?, value(keys, *right)?);
            op::arithmetic(*op, &left, &right).map_err(fault)
        }
        Node::Asked(asked) => keys.asked(plan.asked(*asked)),
        Node::Negate(inner) => op::negate(&value(keys, *inner)?).map_err(fault),
        Node::Else(column, other) => match keys.read(*column) {
            Err(Gap::Absent(_)) => value(keys, *other),
            known => known,
        },
        Node::Call(function, arguments) => {
            let values =
                arguments.iter().map(|argument| value(keys, *argument)).collect::<Result<Vec<_>, _>>()?;
            op::call(*function, &values, plan.levels.len(), keys.symbols()).map_err(fault)
        }
    }
}

fn bool<K: Keys>(keys: &K, id: NodeId) -> Result<bool, Gap> {
    match value(keys, id)? {
        Value::Bool(holds) => Ok(holds),
        _ => Err(Gap::Fault(id, op::Fault::Mismatch)),
    }
}

/// Kleene's `and` (decided by false) and `or` (decided by true).
fn join<K: Keys>(keys: &K, parts: &[NodeId], decides: bool) -> Result<Value, Gap> {
    let mut unknown = None;
    for (at, part) in parts.iter().enumerate() {
        match bool(keys, *part) {
            Ok(holds) if holds == decides => {
                if K::TELLS {
                    parts[at + 1..].iter().for_each(|rest| drop(value(keys, *rest)));
                }
                return Ok(Value::Bool(decides));
            }
            Ok(_) => {}
            Err(gap) => {
                unknown.get_or_insert(gap);
            }
        }
    }
    unknown.map_or(Ok(Value::Bool(!decides)), Err)
}
