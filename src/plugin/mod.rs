//! Filters of others, run in a sandbox: WebAssembly components against the interface of `wit/`.
//!
//! A [`Host`] holds the engine and the [`Limits`]; it installs a [`Plugin`] from bytes: looked over, compiled, tried in a store
//! that is thrown away, and its [`About`] checked against [`Grants`]. A plugin that is given a fleet is a [`Filter`], which is asked
//! about agents, supplies and pairs of their representatives. Whatever goes wrong is a [`Fault`] that names the plugin and the
//! rule it broke; a filter with a fault is gone, and whoever holds it must offer nothing that it was to judge.
//!
//! Without the feature `wasm` the types are there, and [`Host::with_compiler`] says that plugins are not built in.

pub mod about;
pub mod ask;
mod besides;
mod binding;
mod composed;
mod counted;
mod fault;
mod limits;
mod nobody;
mod rules;
mod shelf;

#[cfg(feature = "wasm")]
mod admit;
#[cfg(feature = "wasm")]
mod answer;
#[cfg(feature = "wasm")]
mod budget;
#[cfg(feature = "wasm")]
mod clock;
#[cfg(feature = "wasm")]
mod columns;
#[cfg(feature = "wasm")]
mod compiler;
#[cfg(feature = "wasm")]
mod cost;
#[cfg(feature = "wasm")]
mod filter;
#[cfg(feature = "wasm")]
mod host;
#[cfg(feature = "wasm")]
mod kept;
#[cfg(feature = "wasm")]
mod scan;
#[cfg(feature = "wasm")]
mod store;
#[cfg(feature = "wasm")]
mod texts;
#[cfg(feature = "wasm")]
mod wire;

#[cfg(not(feature = "wasm"))]
mod absent;

pub use about::{About, Grants};
#[cfg(not(feature = "wasm"))]
pub use absent::{Compiler, Filter, Host, Kept, Plugin, serve_compiler};
pub use ask::{Answer, Candidate, Changed, Outcome, Question, Rows, View};
pub use binding::{Beside, add_columns};
#[cfg(feature = "wasm")]
pub use compiler::{Compiler, serve_compiler};
pub use composed::{Composed, PluginRun, add_sources};
pub use fault::{Broken, Fault};
#[cfg(feature = "wasm")]
pub use filter::Filter;
#[cfg(feature = "wasm")]
pub use host::{Host, Plugin};
#[cfg(feature = "wasm")]
pub use kept::Kept;
pub use limits::Limits;
pub use shelf::Shelf;
