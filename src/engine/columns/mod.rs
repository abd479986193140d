//! Conditions over all rows of a side at once: agents or supplies, in columns.
//!
//! Nothing here defines the meaning of a node. `terms` picks one of three ways to evaluate a condition, all
//! of which end in the plain engine or in [`crate::ir::op`]:
//!
//! 1. By classes. If a condition reads only keys that never change, rows with equal values of these have
//!    equal verdicts. The plain engine judges one row of each class (`classes`), and the verdict applies to
//!    all of them.
//! 2. By columns. If it compares quantities, each operator runs over whole columns (`batch`).
//! 3. By rows. Any other condition goes through the plain engine row by row.
//!
//! Results are bitmaps, cached per condition and per value of the keys of other sides. A journal lists
//! changed rows; a cached result evaluates again only those that changed since it was last used.

mod batch;
mod bits;
mod classes;
mod ints;
pub mod simd;
mod terms;

pub use bits::{Bits, ones};
pub use classes::Classes;
pub use ints::Ints;
pub use terms::{ConditionRows, Journal, Levels, PreferenceScores, Terms};
