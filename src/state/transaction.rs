//! Where operations are done: the state as it stands, and the fleet bound with it.

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

/// A fleet bound together with a state, and what is used of it.
#[derive(Clone, Debug)]
pub(super) struct BoundState {
    pub plan: Plan,
    pub world: World,
    pub ledger: Ledger,
}

/// Why an operation is not done.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// What it stands on does not hold together.
    Invalid(Error),
    /// What is against it.
    Conflicts(Vec<Conflict>),
}

impl From<Conflict> for Obstacle {
    fn from(conflict: Conflict) -> Obstacle {
        Obstacle::Conflicts(vec![conflict])
    }
}

pub(super) struct Transaction<'a> {
    parsed: &'a Parsed,
    pub inventories: &'a [&'a Inventory],
    plugins: &'a [Plugin],
    pub state: State,
    /// What is bound with the state as it stands; made when it is asked for.
    bound: Option<BoundState>,
    /// Whether each thing that is made is bound at once, to know what is in its way.
    checks_each: bool,
    /// Whether something was made that is not bound yet.
    deferred: bool,
    /// What was to be made, and was not: what rests on it is no conflict of its own.
    pub unmade: BTreeSet<(EntryKind, String)>,
    /// How many conflicts there are already.
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

    /// Does an operation, or says what is against it and leaves everything as it is.
    pub fn perform(&mut self, operation: &OperationRecord) -> Result<(), Obstacle> {
        self.operation(&operation.kind)
    }

    /// Does several operations, or none of them if anything is in the way of one.
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

    /// The state after all operations. It must bind: what was released may have been in the way of what is left.
    pub fn finish(mut self) -> Result<State, Error> {
        // Changed step by step, it is bound once more as the next one who reads it will.
        self.bound = None;
        self.bound()?;
        Ok(self.state.changed())
    }

    /// What is bound now.
    pub fn bound(&mut self) -> Result<&mut BoundState, Error> {
        let bound = match self.bound.take() {
            Some(bound) => bound,
            None => self.bind(&self.state)?,
        };
        self.deferred = false;
        Ok(self.bound.insert(bound))
    }

    /// Adds an entry without a look at what is in its way, if that is not asked for: what takes more leaves no room
    /// for what took less, so that one look at the end of many is as good.
    pub fn add_deferred(&mut self, kind: EntryKind, name: &str, entry: &Json) -> bool {
        if self.checks_each {
            return false;
        }
        self.bound = None;
        self.deferred = true;
        self.state.entries_mut(kind).insert(name.to_owned(), entry.clone());
        true
    }

    /// Looks at what was added unseen, before something is given back that it may rest on.
    pub fn bind_deferred(&mut self) -> Result<(), Error> {
        if self.deferred { self.bound().map(|_| ()) } else { Ok(()) }
    }

    /// Whether the state binds as it stands.
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

    /// Adds an entry that changes what there is, if the state then still binds.
    pub fn add(&mut self, kind: EntryKind, name: &str, entry: Json) -> Result<(), Error> {
        let mut after = self.state.clone();
        after.entries_mut(kind).insert(name.to_owned(), entry);
        self.bound = Some(self.bind(&after)?);
        self.state = after;
        Ok(())
    }

    /// Adds an allocation, and takes what it takes.
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

    /// Ends an allocation.
    pub fn release(&mut self, name: &str) {
        self.state.entries_mut(EntryKind::Allocation).remove(name);
        if let Some(BoundState { plan, world, ledger }) = &mut self.bound {
            inventory::deallocate(plan, world, ledger, name);
        }
    }

    /// Removes an entry that changes what there is.
    pub fn remove(&mut self, kind: EntryKind, name: &str) -> Option<Json> {
        self.bound = None;
        self.state.entries_mut(kind).remove(name)
    }

    /// Puts back what was removed.
    pub fn restore(&mut self, kind: EntryKind, name: &str, entry: Json) {
        self.bound = None;
        self.state.entries_mut(kind).insert(name.to_owned(), entry);
    }

    /// What the fleet itself says: its inventories.
    pub fn records(&self) -> impl Iterator<Item = &'a Records> {
        self.inventories.iter().map(|inventory| inventory.parts().0)
    }
}
