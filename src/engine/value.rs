//! The evaluation of nodes, generic over the source of keys.
//!
//! The logic is Kleene's with three values: an absent key makes a comparison unknown, `false and unknown` is
//! false, `true or unknown` is true. The third value is an error here, a [`Gap`] that names the first cause
//! in reading order.

use super::possible::Possible;
use crate::{
    ir::{ColumnId, ExternalRule, Node, NodeId, Pattern, Plan, op},
    logic::Truth,
    symbol::{Symbol, Symbols},
    value::Value,
};

/// The reason why a value is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// An absent key.
    Absent(ColumnId),
    /// A key with a value of another type.
    Mismatch(ColumnId),
    /// An operator that has no value for its operands.
    Fault(NodeId, op::OpFault),
    /// A plugin that gives no answer.
    Unanswered,
}

/// A source of keys: a candidate of a fleet, or a hypothetical one.
pub trait Keys {
    /// `true` if [`Keys::tell`] observes every node. Then `and` and `or` evaluate all operands, also after
    /// one decides.
    const TELLS: bool = false;

    /// Observes the value of a node.
    fn tell(&self, _node: NodeId, _value: &Result<Value, Gap>) {}

    /// Returns the policy.
    fn plan(&self) -> &Plan;

    /// Returns the symbol table of the policy and its values.
    fn symbols(&self) -> &Symbols;

    /// Returns the value of a key.
    ///
    /// # Errors
    /// Returns whether the key is absent or of another type.
    fn read(&self, id: ColumnId) -> Result<Value, Gap>;

    /// Returns the answer of a plugin. A hypothetical candidate has none.
    ///
    /// # Errors
    /// Returns why it is unknown.
    fn asked(&self, _asked: &ExternalRule) -> Result<Value, Gap> {
        Err(Gap::Unanswered)
    }

    /// Returns the verdicts that a plugin's condition could have, if the plugin tells.
    fn asked_possible(&self, _asked: &ExternalRule) -> Option<Possible> {
        None
    }

    /// Returns `true` if a whole text matches a pattern.
    fn matches(&self, text: Symbol, pattern: &Pattern) -> bool {
        pattern.regex.is_match(self.symbols().text(text))
    }
}

/// Evaluates a condition.
pub fn truth<K: Keys>(keys: &K, id: NodeId) -> Truth {
    match value(keys, id) {
        Ok(Value::Bool(holds)) => holds.into(),
        Ok(_) | Err(_) => Truth::Unknown,
    }
}

/// Evaluates a node.
///
/// # Errors
/// Returns why it is unknown: the first cause, in reading order.
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
            _ => Err(fault(op::OpFault::Mismatch)),
        },
        // A key of another type is present: somebody set it.
        Node::IsAbsent(column) => Ok(Value::Bool(matches!(keys.read(*column), Err(Gap::Absent(_))))),
        Node::IsPresent(column) => Ok(Value::Bool(!matches!(keys.read(*column), Err(Gap::Absent(_))))),
        Node::Arithmetic(op, left, right) => {
            let (left, right) = (value(keys, *left)?, value(keys, *right)?);
            op::arithmetic(*op, &left, &right).map_err(fault)
        }
        Node::External(asked) => keys.asked(plan.asked(*asked)),
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
        _ => Err(Gap::Fault(id, op::OpFault::Mismatch)),
    }
}

/// Evaluates Kleene's `and` (decided by false) or `or` (decided by true).
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
                // The first cause is reported, but a later part may still decide.
                unknown.get_or_insert(gap);
            }
        }
    }
    unknown.map_or(Ok(Value::Bool(!decides)), Err)
}
