//! Every test that runs against the whole crate: one binary, a module for each part.
#![allow(clippy::disallowed_methods, reason = "tests write the files that they run on")]

mod cli;
