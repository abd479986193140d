//! Providers, agents, domains and allocations: as read ([`records`]), and bound to a plan ([`world`]).

mod allocate;
pub mod amend;
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
pub mod room;
mod stock;
mod values;
pub mod wire;
pub mod world;

pub use allocate::{allocate, amount_of, deallocate};
pub use bind::{Part, bind, show_raw};
pub use values::{built_in, value_of};
