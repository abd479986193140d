//! The results of operations on a state, as JSON: `bourse.applied`, version 1.

use serde::Serialize;

use super::wire::VERSION;
use crate::state::{Conflict, EntryChange, State};

/// The `format` of results of operations.
pub const APPLIED_FORMAT: &str = "bourse.applied";

/// The result of operations on a state.
#[derive(Debug, Serialize)]
pub struct AppliedOperations {
    /// `bourse.applied`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// `applied` or `conflicts`.
    pub outcome: &'static str,
    /// True if the state was written.
    pub written: bool,
    /// The serial of the state, after the operations if they are applied.
    pub serial: u64,
    /// The changes, empty if there are conflicts.
    pub changes: Vec<AppliedChange>,
    /// The conflicts, empty if the operations are applied.
    pub conflicts: Vec<AppliedConflict>,
}

/// An entry of a state that was added or removed.
#[derive(Debug, Serialize)]
pub struct AppliedChange {
    /// `added` or `removed`.
    pub change: &'static str,
    /// `reservation`, `volume` or `allocation`.
    pub kind: &'static str,
    /// The name of the entry; for a volume, its path.
    pub name: String,
}

/// A conflict of an operation with the state.
#[derive(Debug, Serialize)]
pub struct AppliedConflict {
    /// The number of the operation, from 0.
    pub operation: usize,
    /// The kind of conflict.
    pub code: &'static str,
    /// The cause, in words.
    pub message: String,
    /// The resource that is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The holder of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The amount that the operation takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// The amount that is free to the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// The users of the rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<AppliedHolder>,
    /// The remedy.
    pub help: String,
}

/// A user of an amount that an operation wants.
#[derive(Debug, Serialize)]
pub struct AppliedHolder {
    /// `allocation`, `volume`, or `reservation` (an amount that is reserved for a role).
    pub kind: &'static str,
    /// The name; for a volume its path, for a reservation its role.
    pub name: String,
    /// The amount that it uses.
    pub amount: String,
}

/// Makes the wire form of the changes of operations, or of the conflicts with them. `found` is the state
/// before the operations, and `left` the state after them, if they were applied.
pub fn applied(
    found: &State,
    left: Option<&State>,
    written: bool,
    conflicts: &[Conflict],
) -> AppliedOperations {
    let changes = left.map(|left| left.changes_from(found)).unwrap_or_default();
    let change = |change: EntryChange| AppliedChange {
        change: if change.added { "added" } else { "removed" },
        kind: change.kind,
        name: change.name,
    };
    let conflict = |conflict: &Conflict| AppliedConflict {
        operation: conflict.operation,
        code: conflict.code.name(),
        message: conflict.message.clone(),
        resource: conflict.resource.clone(),
        holder: conflict.holder.clone(),
        wanted: conflict.wanted.clone(),
        free: conflict.free.clone(),
        held_by: conflict
            .held_by
            .iter()
            .map(|held| AppliedHolder {
                kind: held.kind,
                name: held.name.clone(),
                amount: held.amount.clone(),
            })
            .collect(),
        help: conflict.help.clone(),
    };
    AppliedOperations {
        format: APPLIED_FORMAT,
        version: VERSION,
        outcome: if left.is_some() { "applied" } else { "conflicts" },
        written,
        serial: left.unwrap_or(found).serial(),
        changes: changes.into_iter().map(change).collect(),
        conflicts: conflicts.iter().map(conflict).collect(),
    }
}
