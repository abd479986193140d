//! x
mod fault;
mod limits;
#[cfg(feature = "wasm")]
pub mod wire;

pub use fault::{Fault, Rule};
pub use limits::Limits;
