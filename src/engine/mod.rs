//! Evaluation of a plan over a fleet.
//!
//! The plain engine in `value` and `eval` evaluates one node for one candidate and caches nothing. It is the
//! reference: `columns` and compiled plugins must give the same answers, which tests compare. `matching`
//! calls the engine; the engine knows nothing of feasibility, offers and cycles.

pub mod columns;
mod eval;
mod filters;
mod possible;
mod record;
mod value;

pub use eval::{Scene, Subject};
pub use filters::{FilterOutcome, Filters};
pub use possible::{Possible, possible};
pub use record::{Recorder, Seen};
pub use value::{Gap, Keys, truth, value};
