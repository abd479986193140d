//! Bourse: a policy language, compiler and evaluator for resource brokers.

pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cycle;
pub mod diagnostic;
pub mod engine;
mod error;
#[cfg(feature = "cli")]
pub mod import;
pub mod inventory;
pub mod ir;
pub mod limits;
pub mod logic;
pub mod lower;
pub mod matching;
pub mod operator;
pub mod output;
pub mod parse;
pub mod pipeline;
mod policy;
pub mod quantity;
pub mod ranges;
pub mod resolve;
pub mod source;
pub mod symbol;
pub mod testing;
pub mod types;
pub mod value;

pub use error::Error;
pub use policy::{Fleet, Inventory, Offers, Policy, offers};
