//! The inventory: agents, storage, roles and allocations, first as read ([`records`]), then bound to a plan
//! ([`world`]).
//!
//! Data passes through in one direction: [`wire`] or a policy gives [`records`], `bind` types them by a plan
//! and gives a [`world::World`], and a [`ledger::Ledger`] counts the use of its stocks. [`availability`]
//! answers how much a requester may take now. Matching and the offer cycle read all of this; nothing here
//! knows about candidates or offers.

mod allocate;
pub mod amend;
pub mod availability;
mod bind;
pub mod declare;
mod existing;
mod holding;
pub mod ledger;
pub mod operations;
mod put;
pub mod records;
mod reserve;
mod roles;
mod stock;
mod values;
pub mod wire;
pub mod world;

pub use allocate::{allocate, amount_of, deallocate};
pub use bind::{SourceRecords, bind, show_raw};
pub use values::{built_in, value_of};
