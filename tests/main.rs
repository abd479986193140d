//! The tests of the crate, in one binary.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

mod analyse;
mod bad_input;
mod cases;
mod changes;
mod cli;
mod codes;
mod deep;
mod doc;
mod docs;
mod emitted;
mod engines;
mod explaining;
mod fairness;
mod format;
mod fuzzing;
mod harness;
mod invariants;
mod keys;
mod live;
mod names;
mod operations;
mod overlap;
#[cfg(feature = "wasm")]
mod plugins;
mod policies;
mod properties;
mod readme;
mod sessions;
mod state;
mod stdlib;
mod tidy;
mod tied;
mod views;
mod workload;
