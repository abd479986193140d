//! What a condition could be at another moment.

use super::value::{self, Keys};
use crate::{
    ir::{Node, NodeId},
    logic::Truth,
};

/// What a condition could be if what is free and used were otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Possible {
    /// Whether it could be true.
    pub may_hold: bool,
    /// Whether it could be false.
    pub may_fail: bool,
}

/// Kleene's logic over what could be: a comparison that reads what is free or used, and is otherwise known, may
/// go either way; everything else stays as it is.
pub fn possible<K: Keys>(keys: &K, id: NodeId) -> Possible {
    let plan = keys.plan();
    match plan.node(id) {
        Node::Named(definition) => possible(keys, plan.definition(*definition).root),
        Node::Not(inner) => {
            let inner = possible(keys, *inner);
            Possible { may_hold: inner.may_fail, may_fail: inner.may_hold }
        }
        Node::And(parts) => {
            let parts: Vec<Possible> = parts.iter().map(|part| possible(keys, *part)).collect();
            Possible {
                may_hold: parts.iter().all(|part| part.may_hold),
                may_fail: parts.iter().any(|part| part.may_fail),
            }
        }
        Node::Or(parts) => {
            let parts: Vec<Possible> = parts.iter().map(|part| possible(keys, *part)).collect();
            Possible {
                may_hold: parts.iter().any(|part| part.may_hold),
                may_fail: parts.iter().all(|part| part.may_fail),
            }
        }
        node => {
            if let Node::Asked(asked) = node
                && let Some(told) = keys.asked_possible(plan.asked(*asked))
            {
                return told;
            }
            let reads = plan.reads(id);
            let varies = reads.iter().any(|column| plan.column(*column).key.is_varying());
            let fixed = reads.iter().filter(|column| !plan.column(**column).key.is_varying());
            let known = fixed.into_iter().all(|column| keys.read(*column).is_ok());
            let exists = reads.iter().all(|column| keys.read(*column).is_ok());
            match value::truth(keys, id) {
                _ if varies && known && exists => Possible { may_hold: true, may_fail: true },
                Truth::True => Possible { may_hold: true, may_fail: false },
                Truth::False => Possible { may_hold: false, may_fail: true },
                Truth::Unknown => Possible { may_hold: false, may_fail: false },
            }
        }
    }
}
