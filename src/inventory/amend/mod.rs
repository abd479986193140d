//! A bound fleet that changes: rows put and removed, and what is taken of them, without binding the rest again. What
//! a change leaves is what binding all records anew would give, numbers of stocks aside.
//!
//! A change is staged first (`stage`: everything that can be said of its rows alone), then made (`apply`), and undone
//! if what is there does not suffice (`undo`); what came of it is found by comparing (`compare`).

mod apply;
mod compare;
mod known;
mod rows;
mod stage;
mod total;
mod undo;

pub use known::Known;
pub use rows::{FleetChanges, RowChanges};
pub use total::Holder;

use super::{bind::SourceRecords, ledger::Ledger, world::World};
use crate::ir::Plan;

/// What is to be gone after a change.
#[derive(Clone, Debug, Default)]
pub struct Removed {
    /// Agents, by name.
    pub agents: Vec<String>,
    /// Providers, instances, pools and existing volumes, by path: with all below them.
    pub storage: Vec<String>,
    /// Allocations, by name.
    pub allocations: Vec<String>,
}

/// What a change says.
#[derive(Clone, Copy, Debug)]
pub struct FleetChange<'a> {
    /// Rows to be put: each takes the place of the one of its name.
    pub parts: &'a [SourceRecords<'a>],
    /// What is to be gone.
    pub removed: &'a Removed,
}

/// A fleet that a change is made to.
pub struct BoundParts<'a> {
    /// The policy.
    pub plan: &'a mut Plan,
    /// The fleet.
    pub world: &'a mut World,
    /// What is used of it.
    pub ledger: &'a mut Ledger,
}
