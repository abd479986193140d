//! The `bourse` command.

fn main() {}
