//! Conditions over many rows at once: agents, or supplies, as columns.
//!
//! Nothing here has a meaning of its own. Where a condition reads only keys that stay as they are, the plain engine is
//! asked once for each class of rows that are alike, and the answer kept as a set of rows. Where it reads amounts, it is
//! worked out column by column with the operators of [`crate::ir::op`]. What has changed is looked at again row by row.

mod batch;
mod bits;
mod classes;
mod ints;
pub mod simd;
mod terms;

pub use bits::{Bits, ones};
pub use classes::Classes;
pub use ints::Ints;
pub use terms::{Journal, Levels, Rows, Scored, Terms};
