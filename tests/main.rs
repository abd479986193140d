//! One binary for every test outside the library.

#![allow(clippy::disallowed_methods, reason = "cases are files")]

mod bad_input;
mod codes;
mod fuzzing;
mod harness;
