//! Plugins: filters written by others, as WebAssembly components of the interface in `wit/`, run in a
//! sandbox.
//!
//! A [`Host`] holds the engine and the [`Limits`]. It installs a [`Plugin`] from bytes in four steps: it
//! scans their form, compiles them, runs them in a store that is thrown away, and checks the description that
//! they give ([`About`]) against [`Grants`]. A plugin with a fleet in its memory is a [`Filter`], which
//! answers questions about agents, supplies and pairs of them. [`Composed`] puts the plugins' rules beside
//! those of a policy, for the engine to ask about.
//!
//! A plugin is never trusted. Whatever goes wrong becomes a [`Fault`], which names the plugin and the rule
//! that it broke. A filter with a fault is dropped, and its caller must not offer anything that the filter
//! had a say about.
//!
//! Without the feature `wasm` the same types exist, but no host can be made: [`Host::with_compiler`] returns
//! the fault that plugins are not built in.

pub mod about;
pub mod ask;
mod besides;
mod binding;
mod code_cache;
mod composed;
mod counted;
mod fault;
mod limits;
mod placeholder;
mod rules;

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
mod fuel;
#[cfg(feature = "wasm")]
mod host;
#[cfg(feature = "wasm")]
mod scan;
#[cfg(feature = "wasm")]
mod sealed_cache;
#[cfg(feature = "wasm")]
mod store;
#[cfg(feature = "wasm")]
mod texts;
#[cfg(feature = "wasm")]
mod wire;

#[cfg(not(feature = "wasm"))]
mod absent;

pub use about::{About, AboutColumn, AboutRule, Grants};
#[cfg(not(feature = "wasm"))]
pub use absent::{Compiler, Filter, Host, Plugin, SealedCache, serve_compiler};
pub use ask::{Answer, CandidateQuestion, Changed, ConditionOutcome, FleetView, Question, TriedRows};
pub use binding::{Beside, add_columns};
pub use code_cache::CodeCache;
#[cfg(feature = "wasm")]
pub use compiler::{Compiler, serve_compiler};
pub use composed::{Composed, PluginRun, add_sources};
pub use fault::{Broken, Fault};
#[cfg(feature = "wasm")]
pub use filter::Filter;
#[cfg(feature = "wasm")]
pub use host::{Host, Plugin};
pub use limits::Limits;
#[cfg(feature = "wasm")]
pub use sealed_cache::SealedCache;
