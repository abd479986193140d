//! One binary for every test outside the library.

mod bad_input;
mod codes;
mod fuzzing;
mod harness;
