//! A list of operations in progress: the state so far, and the fleet bound together with it. `operation` adds
//! the operations themselves, and [`apply`](super::apply) runs a list of them.

use std::collections::BTreeSet;

use super::{
    conflict::Conflict,
    document::{EntryKind, State},
};
use crate::{
    Error, Inventory,
    check::Strictness,
    inventory::{
        self, SourceRecords,
        ledger::Ledger,
        operations::OperationRecord,
        records::Records,
        wire::{FORMAT, Json, VERSION},
        world::World,
    },
    ir::Plan,
    pipeline::{Extra, Parsed},
    plugin::{Beside, Plugin},
};

/// A fleet bound together with a state, and the amounts in use.
#[derive(Clone, Debug)]
pub(super) struct BoundState {
    pub plan: Plan,
    pub world: World,
    pub ledger: Ledger,
}

/// The reason that an operation is not done.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Policies, inventories and state do not bind.
    Invalid(Error),
    /// The conflicts of the operation.
    Conflicts(Vec<Conflict>),
}

impl From<Conflict> for Obstacle {
    fn from(conflict: Conflict) -> Obstacle {
        Obstacle::Conflicts(vec![conflict])
    }
}

/// The state between operations, in one of two modes.
///
/// To bind a fleet costs as much as the fleet is large, and every reservation or volume requires it. With
/// `checks_each` each is bound at once, so that a conflict is told of the operation that causes it. Without,
/// entries are added unseen and bound together later: many operations cost one binding, and a failure says
/// only that some operation is at fault.
pub(super) struct Transaction<'a> {
    parsed: &'a Parsed,
    pub inventories: &'a [&'a Inventory],
    plugins: &'a [Plugin],
    pub state: State,
    /// The current binding. Made when it is asked for, and dropped when entries change.
    bound: Option<BoundState>,
    /// Bind after each reservation or volume.
    checks_each: bool,
    /// An entry was added and not bound yet.
    deferred: bool,
    /// The entries that could not be made. An operation that uses one has no conflict of its own.
    pub unmade: BTreeSet<(EntryKind, String)>,
    /// The number of conflicts reported so far.
    pub told: usize,
}

impl<'a> Transaction<'a> {
    pub fn new(
        (parsed, plugins): (&'a Parsed, &'a [Plugin]),
        inventories: &'a [&'a Inventory],
        state: &State,
        checks_each: bool,
    ) -> Transaction<'a> {
        let (state, unmade) = (state.clone(), BTreeSet::new());
        Transaction {
            parsed,
            inventories,
            plugins,
            state,
            bound: None,
            checks_each,
            deferred: false,
            unmade,
            told: 0,
        }
    }

    /// Performs an operation, or returns its conflicts and leaves everything as it is.
    pub fn perform(&mut self, operation: &OperationRecord) -> Result<(), Obstacle> {
        self.operation(&operation.kind)
    }

    /// Performs several operations, or none of them if one has a conflict. Returns `true` if they were
    /// performed.
    pub fn together(&mut self, operations: &[OperationRecord]) -> bool {
        let mut quick = Transaction {
            unmade: self.unmade.clone(),
            ..Transaction::new((self.parsed, self.plugins), self.inventories, &self.state, false)
        };
        if !operations.iter().all(|operation| quick.perform(operation).is_ok())
            || quick.bind_deferred().is_err()
        {
            return false;
        }
        *self = Transaction { checks_each: self.checks_each, told: self.told, ..quick };
        true
    }

    /// Returns the state after all operations, bound anew: an operation may have released something that what
    /// is left depends on.
    pub fn finish(mut self) -> Result<State, Error> {
        // The binding was changed step by step. The state must also bind as a whole, as its next reader does
        // it.
        self.bound = None;
        self.bound()?;
        Ok(self.state.changed())
    }

    /// Returns the current binding, and makes it first if there is none.
    pub fn bound(&mut self) -> Result<&mut BoundState, Error> {
        let bound = match self.bound.take() {
            Some(bound) => bound,
            None => self.bind(&self.state)?,
        };
        self.deferred = false;
        Ok(self.bound.insert(bound))
    }

    /// Adds an entry without binding it, unless each is checked. Returns `true` if it was added.
    ///
    /// Entries that only take leave less and less, so that if all of them fit at the end, each fitted when it
    /// was added: one check of many is as good as a check of each.
    pub fn add_deferred(&mut self, kind: EntryKind, name: &str, entry: &Json) -> bool {
        if self.checks_each {
            return false;
        }
        self.bound = None;
        self.deferred = true;
        self.state.entries_mut(kind).insert(name.to_owned(), entry.clone());
        true
    }

    /// Binds the entries that were added unseen. Called before an operation gives something back, as the end
    /// no longer tells then if each of them fitted when it was added.
    pub fn bind_deferred(&mut self) -> Result<(), Error> {
        if self.deferred { self.bound().map(|_| ()) } else { Ok(()) }
    }

    /// Returns `true` if the state binds as it is.
    pub fn binds(&mut self) -> bool {
        self.bound().is_ok()
    }

    fn bind(&self, state: &State) -> Result<BoundState, Error> {
        let state = state.inventory()?;
        let own = std::iter::once(state.parts());
        let inventories = self.inventories.iter().map(|inventory| inventory.parts()).chain(own).collect();
        let beside = Beside { plugins: self.plugins, ..Beside::default() };
        let extra = Extra { inventories, plugin_classes: beside.classes(), ..Extra::default() };
        let checked = self.parsed.check(&extra, Strictness::default());
        let loaded = checked.load(&extra).map_err(|report| Error::new(*report))?;
        let ledger = Ledger::new(&loaded.world);
        Ok(BoundState { plan: loaded.plan, world: loaded.world, ledger })
    }

    /// Adds a reservation or volume, if the state still binds with it.
    pub fn add(&mut self, kind: EntryKind, name: &str, entry: Json) -> Result<(), Error> {
        let mut after = self.state.clone();
        after.entries_mut(kind).insert(name.to_owned(), entry);
        self.bound = Some(self.bind(&after)?);
        self.state = after;
        Ok(())
    }

    /// Adds an allocation, and takes its amounts from the ledger.
    pub fn allocate(&mut self, name: &str, entry: Json) -> Result<(), Error> {
        let text =
            format!("{{\"format\": \"{FORMAT}\", \"version\": {VERSION}, \"allocations\": [{entry}]}}");
        let one = Inventory::from_json("an allocation", &text)?;
        let (records, sources) = one.parts();
        let BoundState { plan, world, ledger } = self.bound()?;
        let part = SourceRecords { records, first_source: 0 };
        for record in &records.allocations {
            if let Err(diagnostics) = inventory::allocate(plan, world, ledger, &part, record) {
                let sources = sources.clone();
                return Err(Error::new(crate::diagnostic::Report { sources, diagnostics }));
            }
        }
        self.state.entries_mut(EntryKind::Allocation).insert(name.to_owned(), entry);
        Ok(())
    }

    /// Ends an allocation, and releases its amounts.
    pub fn release(&mut self, name: &str) {
        self.state.entries_mut(EntryKind::Allocation).remove(name);
        if let Some(BoundState { plan, world, ledger }) = &mut self.bound {
            inventory::deallocate(plan, world, ledger, name);
        }
    }

    /// Removes a reservation or volume. The next use of the fleet binds it anew.
    pub fn remove(&mut self, kind: EntryKind, name: &str) -> Option<Json> {
        self.bound = None;
        self.state.entries_mut(kind).remove(name)
    }

    /// Restores a removed entry.
    pub fn restore(&mut self, kind: EntryKind, name: &str, entry: Json) {
        self.bound = None;
        self.state.entries_mut(kind).insert(name.to_owned(), entry);
    }

    /// Returns the records of the inventories, without the entries of the state.
    pub fn records(&self) -> impl Iterator<Item = &'a Records> {
        self.inventories.iter().map(|inventory| inventory.parts().0)
    }
}
