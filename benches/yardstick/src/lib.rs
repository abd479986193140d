//! What the benchmarks run on: a seeded fleet, the ten works, the judge that reads the policy row by row, and **k**, an evaluator
//! written by hand for this one policy, so that every other figure is a ratio to it inside one run.

pub mod answer;
pub mod columns;
pub mod fleet;
pub mod judge;
pub mod measure;
pub mod run;
mod simd;
pub mod standing;
pub mod system;
pub mod work;

pub use columns::Columns;
pub use fleet::{Agent, Data, Fleet, Pool};
pub use judge::{Answer, Digest, Pair};
pub use run::{Row, Truth, measure};
pub use system::{K, Refusal, System};
pub use work::{Need, Rules, Update, Work};
