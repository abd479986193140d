//! What became of operations → its wire form.

use serde::Serialize;

use super::wire::VERSION;
use crate::state::{Change, Conflict, State};

/// The `format` of what operations did.
pub const APPLIED_FORMAT: &str = "bourse.applied";

/// What became of operations on a state.
#[derive(Debug, Serialize)]
pub struct Applied {
    /// `bourse.applied`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// `applied` or `conflicts`.
    pub outcome: &'static str,
    /// Whether the state was written.
    pub written: bool,
    /// The serial of the state, after the operations if they are applied.
    pub serial: u64,
    /// What they changed.
    pub changes: Vec<AppliedChange>,
    /// What was against them.
    pub conflicts: Vec<AppliedConflict>,
}

/// An entry of a state that was added or removed.
#[derive(Debug, Serialize)]
pub struct AppliedChange {
    /// `added` or `removed`.
    pub change: &'static str,
    /// `reservation`, `volume` or `allocation`.
    pub kind: &'static str,
    /// Its name; of a volume, its path.
    pub name: String,
}

/// What is against an operation.
#[derive(Debug, Serialize)]
pub struct AppliedConflict {
    /// Which operation, from 0.
    pub operation: usize,
    /// The kind of conflict.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The resource that is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// How much the operation takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// How much is free to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// Who has the rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<AppliedHolder>,
    /// What to do.
    pub help: String,
}

/// Who has some of what an operation wants.
#[derive(Debug, Serialize)]
pub struct AppliedHolder {
    /// `allocation`, `volume`, or `reservation` (what is kept for a role).
    pub kind: &'static str,
    /// Its name; of a volume its path, of what is kept the role.
    pub name: String,
    /// How much of it.
    pub amount: String,
}

/// The wire form of what operations changed, or of what was against them. `state` is the one they left, `serial` that
/// of the one they found.
pub fn applied(found: &State, left: Option<&State>, written: bool, conflicts: &[Conflict]) -> Applied {
    let changes = left.map(|left| left.changes_from(found)).unwrap_or_default();
    let change = |change: Change| AppliedChange {
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
    Applied {
        format: APPLIED_FORMAT,
        version: VERSION,
        outcome: if left.is_some() { "applied" } else { "conflicts" },
        written,
        serial: left.unwrap_or(found).serial(),
        changes: changes.into_iter().map(change).collect(),
        conflicts: conflicts.iter().map(conflict).collect(),
    }
}
