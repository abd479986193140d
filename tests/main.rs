//! One binary for every test outside the library.

mod codes;
mod harness;
