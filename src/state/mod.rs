//! The state of a running broker: allocations, reservations and retained volumes, and the operations that
//! change it, as pure functions from state to state. See `docs/state.md`.
//!
//! A state is an inventory of its own kind: bound together with the fleet, it gives the next offers.
//!
//! ```
//! use bourse::{Inventory, Policy, output::{self, Detail, View}, state::{self, Operations, State}};
//!
//! let policy = Policy::compile([(
//!     "demo.policy",
//!     "agent a { resources { cpus = 8 } } \n need web { count = 2, agent { cpus = 4 } }",
//! )])?;
//! let offers = output::offers_json(&bourse::offers(&policy, &[])?, View::Operator, Detail::None);
//! let offers: serde_json::Value = serde_json::from_str(&offers).unwrap();
//! let text = format!(
//!     r#"{{"format": "bourse.operations", "version": 1,
//!          "operations": [{{"op": "launch", "offer": {}, "as": "web-1"}}]}}"#,
//!     offers["offers"][0]
//! );
//! let operations = Operations::from_json("launch.json", text.as_bytes())?;
//! let state = state::apply(policy.parsed(), &[], &State::default(), &operations).unwrap();
//! // One of two is there, and the other is offered again.
//! let next = bourse::offers(&policy, &[&state.inventory()?])?;
//! assert_eq!(next.cycle().grants.len(), 1);
//! # Ok::<(), bourse::Error>(())
//! ```

mod claims;
mod conflict;
mod document;
mod operation;
mod transaction;

pub use conflict::{Conflict, Conflicts, HeldBy, Refusal};
pub use document::{EntryChange, State};

use crate::{
    Error, Inventory,
    diagnostic::Report,
    inventory::{
        operations::{OperationRecord, OperationsRecord},
        wire,
    },
    pipeline::Parsed,
    plugin::Plugin,
    source::Sources,
};
use transaction::Transaction;

/// A list of operations, which are performed all or not at all.
#[derive(Clone, Debug)]
pub struct Operations {
    record: OperationsRecord,
    sources: Sources,
    report: Report,
}

impl Operations {
    /// Reads a document of operations. Messages refer to it by `name`.
    ///
    /// # Errors
    /// Returns every problem of the document, each with its place.
    pub fn from_json(name: &str, bytes: &[u8]) -> Result<Operations, Error> {
        let mut sources = Sources::default();
        let (record, diagnostics) = wire::read_operations(&mut sources, name, bytes);
        let mut report = Report { sources: sources.clone(), diagnostics };
        report.sort();
        if report.has_errors() {
            return Err(Error::new(report));
        }
        Ok(Operations { record, sources, report })
    }

    /// Returns the number of operations.
    pub fn len(&self) -> usize {
        self.record.operations.len()
    }

    /// Returns `true` if there are no operations.
    pub fn is_empty(&self) -> bool {
        self.record.operations.is_empty()
    }

    /// Returns the warnings and notes of reading: values that were rounded, for example.
    pub fn warnings(&self) -> &Report {
        &self.report
    }
}

/// Performs operations in order, each on the state that the ones before it leave: all of them, or none.
///
/// # Errors
/// Returns every conflict of the list, or the reason that policies, inventories and state do not bind
/// together.
pub fn apply(
    parsed: &Parsed,
    inventories: &[&Inventory],
    state: &State,
    operations: &Operations,
) -> Result<State, Refusal> {
    apply_with(parsed, inventories, &[], state, operations)
}

/// Performs operations as [`apply`] does, for a set that asks for classes of plugins (`is vendor/fast`). No
/// plugin is called: operations are checked against the fleet, and not against rules.
///
/// # Errors
/// Returns the same errors as [`apply`].
pub fn apply_with(
    parsed: &Parsed,
    inventories: &[&Inventory],
    plugins: &[Plugin],
    state: &State,
    operations: &Operations,
) -> Result<State, Refusal> {
    let mut conflicts = Vec::new();
    if let Some((serial, span)) = operations.record.serial
        && serial != state.serial()
    {
        conflicts.push(conflict::of_other_serial(serial, state.serial(), span));
        return Err(Refusal::Conflicts(Conflicts::new(conflicts, &operations.sources)));
    }
    if operations.is_empty() {
        return Ok(state.clone());
    }
    // Most lists have no conflict. The first attempt binds many entries together; only if it fails does a
    // second one find the operations at fault.
    let mut quick = Transaction::new((parsed, plugins), inventories, state, false);
    if operations.record.operations.iter().all(|operation| quick.perform(operation).is_ok())
        && let Ok(state) = quick.finish()
    {
        return Ok(state);
    }
    let mut transaction = Transaction::new((parsed, plugins), inventories, state, true);
    one_by_one(&mut transaction, &operations.record.operations, &mut conflicts)?;
    if conflicts.is_empty() {
        return transaction.finish().map_err(Refusal::Invalid);
    }
    Err(Refusal::Conflicts(Conflicts::new(conflicts, &operations.sources)))
}

/// Performs operations, and collects the conflicts of each.
///
/// Each new reservation or volume makes the fleet bind again, so that runs of such operations are tried
/// together. The length of a run doubles after each success, and halves after a failure until a single
/// operation is left, whose conflicts are collected. A long list with few conflicts thus takes few bindings.
fn one_by_one(
    transaction: &mut Transaction<'_>,
    list: &[OperationRecord],
    conflicts: &mut Vec<Conflict>,
) -> Result<(), Refusal> {
    let (mut at, mut size) = (0, 1);
    while at < list.len() {
        let making = list[at..].iter().take(size).take_while(|operation| operation.makes()).count();
        if making > 1 {
            if transaction.together(&list[at..at + making]) {
                at += making;
                // More than the list is long makes no difference, and would overflow in the end.
                size = (2 * size).min(list.len());
            } else {
                size = making / 2;
            }
            continue;
        }
        transaction.told = conflicts.len();
        match transaction.perform(&list[at]) {
            Ok(()) => size = (2 * size).min(list.len()),
            Err(transaction::Obstacle::Invalid(error)) => return Err(Refusal::Invalid(error)),
            Err(transaction::Obstacle::Conflicts(found)) => {
                size = 1;
                conflicts.extend(found.into_iter().map(|conflict| conflict.at(at, list[at].span)));
            }
        }
        at += 1;
    }
    Ok(())
}
