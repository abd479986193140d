//! Bourse: a policy language, compiler and evaluator for resource brokers.
//!
//! A broker embeds four types. [`Policy`] is a compiled set. [`Inventory`] is a fleet as data. [`Fleet`] is
//! both, bound together. [`Offers`] are the result of one cycle. Compile once, bind when the fleet changes,
//! ask as often as you like. There is no I/O, no clock and no global state, and the same input gives the same
//! offers.
//!
//! ```
//! let policy = bourse::Policy::compile([(
//!     "pool.policy",
//!     r#"
//!     agent a1 { resources { cpus = 8 } }
//!     provider array { instance hall { pool ssd { resources { size = 10TB, iops = 5k } } } }
//!     need database {
//!       count = 2
//!       agent { cpus = 2 }
//!       volume data { size = 4TB, iops = 3k }
//!     }
//!     "#,
//! )])?;
//! let offers = policy.fleet(&[])?.offers();
//! let database = &offers.cycle().needs[0];
//! // The pool has size for two, and IOPS for one.
//! assert_eq!((database.offered, database.missing()), (1, 1));
//! let reason = offers.cycle().reason(database.rejections.list[0].reasons[0]);
//! assert_eq!((reason.label.as_str(), reason.have.as_deref()), ("iops", Some("2000 free")));
//! # Ok::<(), bourse::Error>(())
//! ```
//!
//! The language is described in `docs/language.md`, the stages and their invariants in `ARCHITECTURE.md`.

/// The README, whose examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The page about fleets that change, whose examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/live.md")]
struct LivePage;

pub mod analyse;
pub mod change;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compiled;
pub mod cycle;
pub mod diagnostic;
pub mod doc;
pub mod emit;
pub mod engine;
mod error;
pub mod explain;
pub mod format;
#[cfg(feature = "cli")]
pub mod import;
pub mod inventory;
pub mod ir;
pub mod keys;
pub mod limits;
pub mod live;
pub mod logic;
pub mod lower;
pub mod matching;
pub mod operator;
pub mod output;
pub mod parse;
pub mod pipeline;
pub mod place;
pub mod plugin;
mod policy;
pub mod quantity;
pub mod ranges;
pub mod resolve;
pub mod source;
pub mod standing;
pub mod state;
pub mod symbol;
pub mod testing;
pub mod types;
pub mod value;

pub use error::Error;
pub use live::{Delta, Live};
pub use policy::{Fleet, Inventory, Offers, Policy, offers};
pub use standing::Standing;
