//! A state as a document: an inventory that declares only reservations, volumes and allocations.
//!
//! Entries stay JSON values and are not interpreted here. A state is read and bound by the code that reads
//! and binds any inventory, so there is no second reading that could differ. The command line keeps these
//! documents in files; `desk` changes them.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    Error, Inventory,
    diagnostic::{Code, Diagnostic, Report},
    inventory::{
        records::{Located, Records},
        wire::{self, FORMAT, Json, VERSION},
    },
};

/// The state of a broker: what is reserved, which volumes exist, and what is allocated.
///
/// Entries are ordered by name, so equal states give equal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    name: String,
    serial: u64,
    reservations: Entries,
    volumes: Entries,
    allocations: Entries,
}

/// An entry that one of two states has and the other has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryChange {
    /// `true` if the later state has it, `false` if the earlier one had it.
    pub added: bool,
    /// `reservation`, `volume` or `allocation`.
    pub kind: &'static str,
    /// The name of the entry, or the path of a volume.
    pub name: String,
    /// The entry in JSON, as the state writes it.
    pub entry: String,
}

/// The entries of one kind, by name. Volumes are by path.
pub(super) type Entries = BTreeMap<String, Json>;

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntryKind {
    Reservation,
    Volume,
    Allocation,
}

impl EntryKind {
    /// The word for this kind in messages and documents.
    pub fn name(self) -> &'static str {
        match self {
            EntryKind::Reservation => "reservation",
            EntryKind::Volume => "volume",
            EntryKind::Allocation => "allocation",
        }
    }
}

impl State {
    /// Reads a state: an inventory document that declares nothing but reservations, volumes and allocations.
    ///
    /// # Errors
    /// Every problem of the document, each with its place.
    pub fn from_json(name: &str, text: &str) -> Result<State, Error> {
        let inventory = Inventory::from_json(name, text)?;
        let (records, sources) = inventory.parts();
        let diagnostics = undeclarable(records);
        if !diagnostics.is_empty() {
            return Err(Error::new(Report { sources: sources.clone(), diagnostics }));
        }
        let serial = records.serial.unwrap_or(0);
        let mut state = State { name: name.to_owned(), serial, ..State::default() };
        // The text has just been read without a problem, so its entries can be taken as they are.
        for (list, name, entry) in wire::entries(text) {
            let kind = match list {
                "reservations" => EntryKind::Reservation,
                "volumes" => EntryKind::Volume,
                _ => EntryKind::Allocation,
            };
            state.entries_mut(kind).insert(name, entry);
        }
        Ok(state)
    }

    /// The number of times that the state was changed: each list of operations that is applied adds one.
    ///
    /// Operations may name the serial they were made for, and are refused for any other.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The names of the allocations, in order.
    pub fn allocations(&self) -> impl Iterator<Item = &str> {
        self.allocations.keys().map(String::as_str)
    }

    /// The names of the reservations, in order.
    pub fn reservations(&self) -> impl Iterator<Item = &str> {
        self.reservations.keys().map(String::as_str)
    }

    /// The paths of the volumes, in order.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        self.volumes.keys().map(String::as_str)
    }

    /// Writes the document. Each entry has a line of its own, so a comparison of lines shows what changed.
    pub fn to_json(&self) -> String {
        let mut out = format!(
            "{{\n  \"format\": \"{FORMAT}\",\n  \"version\": {VERSION},\n  \"serial\": {}",
            self.serial
        );
        let lists = [
            ("reservations", &self.reservations),
            ("volumes", &self.volumes),
            ("allocations", &self.allocations),
        ];
        for (name, entries) in lists {
            let lines: Vec<String> = entries.values().map(|entry| format!("\n    {entry}")).collect();
            let end = if lines.is_empty() { "" } else { "\n  " };
            // Writing to memory does not fail.
            let _ = write!(out, ",\n  \"{name}\": [{}{end}]", lines.join(","));
        }
        out.push_str("\n}\n");
        out
    }

    /// Returns the state as an inventory, to be bound together with those of the fleet.
    ///
    /// # Errors
    /// Every problem of the document. A state that was read, or that operations made, has none.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        let name = if self.name.is_empty() { "the state" } else { self.name.as_str() };
        Inventory::from_json(name, &self.to_json())
    }

    /// Returns the entries by which this state differs from an earlier one: by kind, those removed before
    /// those added. An entry whose content changed is among both.
    pub fn changes_from(&self, before: &State) -> Vec<EntryChange> {
        let mut changes = Vec::new();
        for kind in [EntryKind::Reservation, EntryKind::Volume, EntryKind::Allocation] {
            let (old, new) = (before.entries(kind), self.entries(kind));
            let gone = old.iter().filter(|(name, entry)| new.get(*name) != Some(entry));
            let made = new.iter().filter(|(name, entry)| old.get(*name) != Some(entry));
            let all = gone.map(|entry| (false, entry)).chain(made.map(|entry| (true, entry)));
            changes.extend(all.map(|(added, (name, entry))| EntryChange {
                added,
                kind: kind.name(),
                name: name.clone(),
                entry: entry.to_string(),
            }));
        }
        changes
    }

    pub(super) fn entries(&self, kind: EntryKind) -> &Entries {
        match kind {
            EntryKind::Reservation => &self.reservations,
            EntryKind::Volume => &self.volumes,
            EntryKind::Allocation => &self.allocations,
        }
    }

    pub(super) fn entries_mut(&mut self, kind: EntryKind) -> &mut Entries {
        match kind {
            EntryKind::Reservation => &mut self.reservations,
            EntryKind::Volume => &mut self.volumes,
            EntryKind::Allocation => &mut self.allocations,
        }
    }

    /// Counts a change. Call once for each list of operations.
    pub(super) fn changed(mut self) -> State {
        self.serial += 1;
        self
    }

    /// Returns the names of the allocations that use a volume.
    pub(super) fn users_of<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s str> {
        let uses = move |entry: &Json| {
            let Json::Object(fields) = entry else { return false };
            fields.iter().any(|(name, value)| match value {
                Json::List(paths) if name == "volumes" => paths.contains(&Json::text(path)),
                _ => false,
            })
        };
        self.allocations.iter().filter(move |(_, entry)| uses(entry)).map(|(name, _)| name.as_str())
    }
}

/// Returns a diagnostic for each kind of declaration that an inventory has and a state must not have.
fn undeclarable(records: &Records) -> Vec<Diagnostic> {
    let found: [(&str, Option<&Located>); 6] = [
        ("broker", records.broker.domain.as_ref()),
        ("agent", records.agents.first().map(|agent| &agent.name)),
        ("provider", records.providers.first().map(|provider| &provider.name)),
        ("role", records.roles.first().map(|role| &role.name)),
        ("framework", records.frameworks.first().map(|framework| &framework.declaration.name)),
        ("need", records.needs.first().map(|need| &need.declaration.name)),
    ];
    let problem = |(kind, name): (&str, Option<&Located>)| {
        let name = name?;
        let message = format!("a state declares no {kind}, and this one declares `{}`", name.text);
        let help = "a state holds reservations, volumes and allocations; give the fleet with `--inventory`";
        Some(Diagnostic::error(Code::B0521, name.span, message).help(help))
    };
    found.into_iter().filter_map(problem).collect()
}
