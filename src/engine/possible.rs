//! The verdicts that a condition could have at another moment. Explanations use it to tell what may change
//! from what cannot.

use super::value::{self, Keys};
use crate::{
    ir::{Node, NodeId},
    logic::Truth,
};

/// The verdicts that a condition could have, given other free and used amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Possible {
    /// `true` if it could hold.
    pub may_hold: bool,
    /// `true` if it could fail.
    pub may_fail: bool,
}

/// Evaluates a condition in Kleene's logic over sets of verdicts. A leaf that reads free or used amounts,
/// with all its keys known, may go either way; any other leaf keeps its present verdict. Leaves count as
/// independent, so the result may include verdicts that are impossible together.
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
            if let Node::External(asked) = node
                && let Some(told) = keys.asked_possible(plan.asked(*asked))
            {
                return told;
            }
            let reads = plan.reads(id);
            let varies = reads.iter().any(|column| plan.column(*column).key.is_varying());
            let fixed = reads.iter().filter(|column| !plan.column(**column).key.is_varying());
            let known = fixed.into_iter().all(|column| keys.read(*column).is_ok());
            // An amount that a candidate lacks does not appear later, so such a leaf keeps its verdict.
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
