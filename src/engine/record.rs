//! Records the outcomes of conditions, for the coverage of tests. Evaluation without a recorder pays nothing
//! for it.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{
    Scene,
    value::{Gap, Keys},
};
use crate::{
    ir::{ColumnId, ExternalRule, NodeId, Plan},
    logic::Truth,
    symbol::Symbols,
    value::Value,
};

/// A set of outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen(u8);

impl Seen {
    /// The empty set.
    pub const NONE: Seen = Seen(0);
    /// All three outcomes.
    pub const ALL: Seen = Seen(7);

    fn of(truth: Truth) -> Seen {
        Seen(match truth {
            Truth::True => 1,
            Truth::False => 2,
            Truth::Unknown => 4,
        })
    }

    /// Returns `true` if the set has this outcome.
    pub fn has(self, truth: Truth) -> bool {
        self.0 & Seen::of(truth).0 != 0
    }

    /// Returns the set with one more outcome.
    #[must_use]
    pub fn with(self, truth: Truth) -> Seen {
        self.and(Seen::of(truth))
    }

    /// Returns the union of two sets.
    #[must_use]
    pub fn and(self, other: Seen) -> Seen {
        Seen(self.0 | other.0)
    }
}

/// The outcomes of every node of a plan. Threads may record at once: the union of bits does not depend on
/// their order.
#[derive(Debug)]
pub struct Recorder {
    nodes: Vec<AtomicU8>,
}

impl Recorder {
    /// Returns a recorder for the nodes of a plan.
    pub fn new(plan: &Plan) -> Recorder {
        Recorder { nodes: plan.nodes.iter().map(|_| AtomicU8::new(0)).collect() }
    }

    /// Returns the outcomes of a node so far. A quantity counts as true if it is positive, so that
    /// preferences that are numbers have outcomes too.
    pub fn seen(&self, id: NodeId) -> Seen {
        self.nodes.get(id.0 as usize).map_or(Seen::NONE, |node| Seen(node.load(Ordering::Relaxed)))
    }

    fn record(&self, id: NodeId, value: &Result<Value, Gap>) {
        let truth = match value {
            Ok(Value::Bool(holds)) => Truth::from(*holds),
            Ok(Value::Quantity(_, amount)) => Truth::from(*amount > 0),
            Ok(_) => return,
            Err(_) => Truth::Unknown,
        };
        if let Some(node) = self.nodes.get(id.0 as usize) {
            node.fetch_or(Seen::of(truth).0, Ordering::Relaxed);
        }
    }
}

/// A candidate of a fleet whose evaluation is recorded.
pub(super) struct RecordedCandidate<'s, 'a> {
    pub scene: &'s Scene<'a>,
    pub recorder: &'s Recorder,
}

impl Keys for RecordedCandidate<'_, '_> {
    const TELLS: bool = true;

    fn tell(&self, node: NodeId, value: &Result<Value, Gap>) {
        self.recorder.record(node, value);
    }

    fn plan(&self) -> &Plan {
        self.scene.plan
    }

    fn symbols(&self) -> &Symbols {
        &self.scene.plan.symbols
    }

    fn read(&self, id: ColumnId) -> Result<Value, Gap> {
        self.scene.read(id)
    }

    fn asked(&self, asked: &ExternalRule) -> Result<Value, Gap> {
        self.scene.asked(asked)
    }
}
