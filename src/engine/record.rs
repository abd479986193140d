//! What conditions came out as, for coverage. Nothing is recorded where nobody asks.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{
    Scene,
    value::{Gap, Keys},
};
use crate::{
    ir::{Asked, ColumnId, NodeId, Plan},
    logic::Truth,
    symbol::Symbols,
    value::Value,
};

/// Which outcomes a condition has been seen with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen(u8);

impl Seen {
    /// None.
    pub const NONE: Seen = Seen(0);
    /// All three.
    pub const ALL: Seen = Seen(7);

    fn of(truth: Truth) -> Seen {
        Seen(match truth {
            Truth::True => 1,
            Truth::False => 2,
            Truth::Unknown => 4,
        })
    }

    /// Whether this outcome is among them.
    pub fn has(self, truth: Truth) -> bool {
        self.0 & Seen::of(truth).0 != 0
    }

    /// Those and one more.
    #[must_use]
    pub fn with(self, truth: Truth) -> Seen {
        self.and(Seen::of(truth))
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Seen) -> Seen {
        Seen(self.0 | other.0)
    }
}

/// Keeps what the nodes of one plan came out as.
#[derive(Debug)]
pub struct Recorder {
    nodes: Vec<AtomicU8>,
}

impl Recorder {
    /// For the nodes of a plan.
    pub fn new(plan: &Plan) -> Recorder {
        Recorder { nodes: plan.nodes.iter().map(|_| AtomicU8::new(0)).collect() }
    }

    /// What a node has come out as so far. A preference that is a number counts as true where it earns something.
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

/// A candidate of a fleet, with a recorder that listens.
pub(super) struct Heard<'s, 'a> {
    pub scene: &'s Scene<'a>,
    pub recorder: &'s Recorder,
}

impl Keys for Heard<'_, '_> {
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

    fn asked(&self, asked: &Asked) -> Result<Value, Gap> {
        self.scene.asked(asked)
    }
}
