//! The places of a need: where its instances and volumes may be, relative to subtrees, to each other and to other needs.

use super::ColumnId;
use crate::{source::Span, symbol::Symbol};

/// A place, hard or soft.
#[derive(Clone, Debug)]
pub struct Place {
    /// What it says.
    pub kind: PlaceKind,
    /// `None`: it must hold. Millionths: it is preferred.
    pub weight: Option<i64>,
    /// Which of the need's places, those of its volumes included; of a volume with a count, the same each time.
    pub number: u32,
    /// Where it stands.
    pub span: Span,
}

/// What a place says.
#[derive(Clone, Debug)]
pub enum PlaceKind {
    /// In one of these subtrees.
    Within(Vec<Symbol>),
    /// In none of these subtrees.
    Outside(Vec<Symbol>),
    /// The same value as every one of the target's.
    Near(Target, PlaceKey),
    /// A different value from every one of the target's.
    Apart(Target, PlaceKey),
    /// At most so many per value.
    AtMost {
        /// How many.
        count: u64,
        /// Per what.
        key: PlaceKey,
        /// Over all needs of the framework.
        among_framework: bool,
    },
    /// Evenly over the values.
    Spread {
        /// Over what.
        key: PlaceKey,
        /// How far one value may be above the least.
        skew: u64,
        /// Until so many values are used, the least counts as 0.
        at_least: u64,
    },
    /// One value for all.
    Together(PlaceKey),
}

impl PlaceKind {
    /// Whether instances, or volumes, are counted for it.
    pub fn counts(&self) -> bool {
        matches!(self, PlaceKind::AtMost { .. } | PlaceKind::Spread { .. } | PlaceKind::Together(_))
    }

    /// Whether the inventory alone decides it, wherever instances are.
    pub fn is_subtree(&self) -> bool {
        matches!(self, PlaceKind::Within(_) | PlaceKind::Outside(_))
    }

    /// Whether it ties what it is of to a volume of the same need.
    pub fn is_tie(&self) -> bool {
        matches!(self, PlaceKind::Near(Target::Volume(_), _) | PlaceKind::Apart(Target::Volume(_), _))
    }

    /// What it compares or counts by.
    pub fn key(&self) -> Option<PlaceKey> {
        match self {
            PlaceKind::Within(_) | PlaceKind::Outside(_) => None,
            PlaceKind::Near(_, key)
            | PlaceKind::Apart(_, key)
            | PlaceKind::AtMost { key, .. }
            | PlaceKind::Spread { key, .. }
            | PlaceKind::Together(key) => Some(*key),
        }
    }

    /// The label of its reasons.
    pub fn label(&self) -> &'static str {
        match self {
            PlaceKind::Within(_) => "within",
            PlaceKind::Outside(_) | PlaceKind::Apart(..) => "avoid",
            PlaceKind::Near(..) => "near",
            PlaceKind::AtMost { .. } => "at-most",
            PlaceKind::Spread { .. } => "spread",
            PlaceKind::Together(_) => "together",
        }
    }
}

/// What a place is relative to. Volumes are by the number of their name, `count` not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A volume of this need, by name.
    Volume(Symbol),
    /// An earlier need of the framework, by number.
    Need(u32),
    /// A volume of an earlier need.
    NeedVolume(u32, Symbol),
}

/// What places count and compare by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKey {
    /// A declared level, by its depth from 0.
    Level(u8),
    /// The agent itself.
    Agent,
    /// The pool.
    Pool,
    /// The instance.
    Instance,
    /// The provider.
    Provider,
    /// An exposed key of the subject.
    Key(ColumnId),
}
