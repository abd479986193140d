//! The places of a need: positions of its instances and volumes relative to subtrees, to each other and to
//! other needs.
//!
//! `matching` decides them; see `docs/language.md`, *Places*, for their meaning.

use super::ColumnId;
use crate::{source::Span, symbol::Symbol};

/// A place: a requirement or a preference on the position of instances or volumes.
#[derive(Clone, Debug)]
pub struct Place {
    /// The relation that it states.
    pub kind: PlaceKind,
    /// The weight of a preference, in millionths. `None` for a requirement.
    pub weight: Option<i64>,
    /// The number of the place within its need, from 0, the need's own places before those of its volumes.
    /// The copies that a volume's `count` makes share the numbers of its places.
    pub number: u32,
    /// The source text of the place.
    pub span: Span,
}

/// The relation that a place states.
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
        /// The most instances for one value.
        count: u64,
        /// The key whose values are counted.
        key: PlaceKey,
        /// True if it counts the instances of all needs of the framework, not of this need alone.
        among_framework: bool,
    },
    /// Evenly over the values.
    Spread {
        /// The key whose values are counted.
        key: PlaceKey,
        /// The most by which the count of one value may exceed the least count.
        skew: u64,
        /// The number of values to be used first. Until then, the least count is taken as 0.
        at_least: u64,
    },
    /// One value for all.
    Together(PlaceKey),
}

impl PlaceKind {
    /// Returns `true` if the place counts instances or volumes.
    pub fn counts(&self) -> bool {
        matches!(self, PlaceKind::AtMost { .. } | PlaceKind::Spread { .. } | PlaceKind::Together(_))
    }

    /// Returns `true` if the inventory alone decides the place, wherever instances are.
    pub fn is_subtree(&self) -> bool {
        matches!(self, PlaceKind::Within(_) | PlaceKind::Outside(_))
    }

    /// Returns `true` if the place relates its subject to a volume of the same need.
    pub fn is_tie(&self) -> bool {
        matches!(self, PlaceKind::Near(Target::Volume(_), _) | PlaceKind::Apart(Target::Volume(_), _))
    }

    /// The key that the place compares or counts by.
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

/// The counterpart that a place is relative to. A volume is given by its name: its copies under `count` are
/// one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A volume of this need, by name.
    Volume(Symbol),
    /// An earlier need of the framework, by number.
    Need(u32),
    /// A volume of an earlier need.
    NeedVolume(u32, Symbol),
}

/// The key that places count and compare by.
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
