//! Running a plan over a world. This is the plain engine: one candidate at a time, nothing cached, obviously
//! right; every faster one is judged by it.

mod eval;

pub use eval::{Gap, Scene, Subject};
