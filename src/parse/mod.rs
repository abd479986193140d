//! Text → tree. Always gives a tree, with the problems beside it.

pub mod ast;
