//! Changes of a bound fleet: rows are put and removed, and allocations moved, without binding the rest again.
//! The result is the one that binding all records anew would give, up to the numbers of stocks.
//!
//! A change takes three steps. `stage` checks every row on its own and binds it to a draft, while the fleet
//! stays as it is. `apply` then modifies the world and the ledger in place, and records the former state. If
//! an amount does not suffice, `undo` restores that state. At the end `compare` finds the rows and stocks
//! that differ, for indexes beside the fleet. `total` is a short path for one small change, the total of a
//! single resource.

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

/// The rows that a change removes.
#[derive(Clone, Debug, Default)]
pub struct Removed {
    /// Agents, by name.
    pub agents: Vec<String>,
    /// Providers, instances, pools and existing volumes, by path. All tiers below them are removed too.
    pub storage: Vec<String>,
    /// Allocations, by name.
    pub allocations: Vec<String>,
}

/// A change of a fleet: rows to put, and rows to remove.
#[derive(Clone, Copy, Debug)]
pub struct FleetChange<'a> {
    /// The rows to put. Each replaces the row of the same name.
    pub parts: &'a [SourceRecords<'a>],
    /// The rows to remove.
    pub removed: &'a Removed,
}

/// The parts of a bound fleet, all of which a change may modify.
pub struct BoundParts<'a> {
    /// The compiled policy.
    pub plan: &'a mut Plan,
    /// The fleet.
    pub world: &'a mut World,
    /// The amounts in use.
    pub ledger: &'a mut Ledger,
}
