//! The tests of the crate, in one binary.

mod cases;
mod cli;
mod docs;
mod policies;
mod properties;
mod stdlib;
mod tidy;
