//! Running a plan over a world. This is the plain engine: one candidate at a time, nothing cached, obviously
//! right; every faster one is judged by it.

pub mod columns;
mod eval;
mod filters;
mod possible;
mod record;
mod value;

pub use eval::{Scene, Subject};
pub use filters::{Filters, Outcome};
pub use possible::{Possible, possible};
pub use record::{Recorder, Seen};
pub use value::{Gap, Keys, truth, value};
