//! Bourse: a policy language, compiler and evaluator for resource brokers.

pub mod diagnostic;
#[cfg(feature = "cli")]
pub mod import;
pub mod inventory;
pub mod limits;
pub mod logic;
pub mod parse;
pub mod quantity;
pub mod ranges;
pub mod source;
pub mod symbol;
pub mod types;
pub mod value;
