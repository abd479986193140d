//! Who answers for rules that others wrote.

use std::fmt::Debug;

use super::{eval::Scene, possible::Possible, value::Gap};
use crate::{ir::Asked, logic::Truth, types::Side, value::Value};

/// What a condition came out as, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it could be if what is free and used were otherwise, where that is told.
    pub possible: Option<Possible>,
    /// What the subject is compared with, where that is told.
    pub operand: Option<String>,
    /// How far two amounts that are compared by order are apart, in base units, where that is told.
    pub distance: Option<u64>,
    /// What went wrong in a computation, in words.
    pub cause: Option<String>,
    /// Why there is no answer, whatever the candidate, in words.
    pub obstacle: Option<String>,
}

/// Filters that a fleet was given to, by their places in [`Asked::filter`].
pub trait Filters: Debug + Send + Sync {
    /// What a rule or condition says of a candidate: a truth; of a preference, what it earns, in millionths.
    ///
    /// # Errors
    /// Why that is unknown.
    fn value(&self, scene: &Scene<'_>, asked: &Asked) -> Result<Value, Gap>;

    /// Why a condition says what it says; `None` where the filter does not tell.
    fn outcome(&self, scene: &Scene<'_>, asked: &Asked) -> Option<Outcome>;

    /// What a rule says of every row of a side, the others being as in `scene`; `None` where it must be asked row by row.
    fn truths(&self, scene: &Scene<'_>, side: Side, asked: &Asked) -> Option<Vec<Truth>>;

    /// What a preference earns every row of a side, in millionths: 0 where that is unknown.
    fn earned(&self, scene: &Scene<'_>, side: Side, asked: &Asked) -> Option<Vec<i64>>;
}
