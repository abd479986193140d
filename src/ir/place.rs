//! The places of a need: positions of its instances and volumes relative to subtrees, to each other and to
//! other needs.
//!
//! `matching` decides them; see `docs/language.md`, *Places*, for their meaning.

use super::ColumnId;
pub use crate::place::{CountRule, PlaceRelation};
use crate::{operator::Strength, place, source::Span, symbol::Symbol};

/// A place: a requirement or a preference on the position of instances or volumes.
#[derive(Clone, Debug)]
pub struct Place {
    /// The relation that it states.
    pub kind: PlaceKind,
    /// A requirement, or a preference with its weight.
    pub strength: Strength,
    /// The number of the place within its need, from 0, the need's own places before those of its volumes.
    /// The copies that a volume's `count` makes share the numbers of its places.
    pub number: u32,
    /// The source text of the place.
    pub span: Span,
}

/// The relation that a place states, in a plan.
pub type PlaceKind = place::PlaceKind<Symbol, Target, PlaceKey>;

/// The test that a place makes, in a plan.
pub type PlaceTest<'p> = place::PlaceTest<'p, Symbol, Target, PlaceKey>;

/// The counterpart that a place is relative to. A volume is given by its name.
pub type Target = place::Target<Symbol>;

/// The key that places count and compare by. An exposed key is a column.
pub type PlaceKey = place::PlaceKey<ColumnId>;
