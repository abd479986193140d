//! The interface to plugins, whose rules are evaluated outside the engine.

use std::fmt::Debug;

use super::{eval::Scene, possible::Possible, value::Gap};
use crate::{ir::ExternalRule, logic::Truth, types::Side, value::Value};

/// The explanation of a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterOutcome {
    /// The verdicts that it could have, given other free and used amounts, if the plugin tells.
    pub possible: Option<Possible>,
    /// The value that the subject is compared with, if the plugin tells.
    pub operand: Option<String>,
    /// The distance between two amounts in an ordered comparison, in base units, if the plugin tells.
    pub distance: Option<u64>,
    /// The fault of a computation, in words.
    pub cause: Option<String>,
    /// The reason why there is no answer for any candidate, in words.
    pub obstacle: Option<String>,
}

/// The plugins of a fleet. [`ExternalRule::filter`] is an index into them.
pub trait Filters: Debug + Send + Sync {
    /// Evaluates a rule or condition for a candidate: a truth value, or for a preference its score in
    /// millionths.
    ///
    /// # Errors
    /// Returns why it is unknown.
    fn value(&self, scene: &Scene<'_>, asked: &ExternalRule) -> Result<Value, Gap>;

    /// Explains a condition; `None` if the plugin cannot.
    fn outcome(&self, scene: &Scene<'_>, asked: &ExternalRule) -> Option<FilterOutcome>;

    /// Evaluates a rule for every row of a side, with the other sides as in `scene`. `None` if rows must be
    /// evaluated one by one.
    fn truths(&self, scene: &Scene<'_>, side: Side, asked: &ExternalRule) -> Option<Vec<Truth>>;

    /// Scores a preference for every row of a side, in millionths. Unknown scores are 0. `None` if rows must
    /// be scored one by one.
    fn earned(&self, scene: &Scene<'_>, side: Side, asked: &ExternalRule) -> Option<Vec<i64>>;
}
