//! A state as a document: an inventory that holds only what changes.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    Error, Inventory,
    diagnostic::{Code, Diagnostic, Report},
    inventory::{
        records::{Located, Records},
        wire::{self, FORMAT, Json, VERSION},
    },
};

/// What is kept, retained and taken. The same state gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    name: String,
    serial: u64,
    reservations: Entries,
    volumes: Entries,
    allocations: Entries,
}

/// An entry that a state has and another has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// It was added, or else removed.
    pub added: bool,
    /// `reservation`, `volume` or `allocation`.
    pub kind: &'static str,
    /// Its name; of a volume, its path.
    pub name: String,
    /// The entry as the state holds it, in JSON.
    pub entry: String,
}

/// Entries of one kind, by name; of volumes, by path.
pub(super) type Entries = BTreeMap<String, Json>;

/// A kind of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Reservation,
    Volume,
    Allocation,
}

impl Kind {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Reservation => "reservation",
            Kind::Volume => "volume",
            Kind::Allocation => "allocation",
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
        let diagnostics = foreign(records);
        if !diagnostics.is_empty() {
            return Err(Error::new(Report { sources: sources.clone(), diagnostics }));
        }
        let serial = records.serial.unwrap_or(0);
        let mut state = State { name: name.to_owned(), serial, ..State::default() };
        for (list, name, entry) in wire::entries(text) {
            let kind = match list {
                "reservations" => Kind::Reservation,
                "volumes" => Kind::Volume,
                _ => Kind::Allocation,
            };
            state.entries_mut(kind).insert(name, entry);
        }
        Ok(state)
    }

    /// How often it was changed.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Names of the allocations.
    pub fn allocations(&self) -> impl Iterator<Item = &str> {
        self.allocations.keys().map(String::as_str)
    }

    /// Names of the reservations.
    pub fn reservations(&self) -> impl Iterator<Item = &str> {
        self.reservations.keys().map(String::as_str)
    }

    /// Paths of the volumes.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        self.volumes.keys().map(String::as_str)
    }

    /// The document, an entry a line, so that what changed can be seen.
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

    /// The inventory that it is, to be bound together with the fleet.
    ///
    /// # Errors
    /// None for a state that was read or made by operations.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        let name = if self.name.is_empty() { "the state" } else { self.name.as_str() };
        Inventory::from_json(name, &self.to_json())
    }

    /// What is there and was not in another state, and the other way round.
    pub fn changes_from(&self, before: &State) -> Vec<Change> {
        let mut changes = Vec::new();
        for kind in [Kind::Reservation, Kind::Volume, Kind::Allocation] {
            let (old, new) = (before.entries(kind), self.entries(kind));
            let gone = old.iter().filter(|(name, entry)| new.get(*name) != Some(entry));
            let made = new.iter().filter(|(name, entry)| old.get(*name) != Some(entry));
            let all = gone.map(|entry| (false, entry)).chain(made.map(|entry| (true, entry)));
            changes.extend(all.map(|(added, (name, entry))| Change {
                added,
                kind: kind.name(),
                name: name.clone(),
                entry: entry.to_string(),
            }));
        }
        changes
    }

    pub(super) fn entries(&self, kind: Kind) -> &Entries {
        match kind {
            Kind::Reservation => &self.reservations,
            Kind::Volume => &self.volumes,
            Kind::Allocation => &self.allocations,
        }
    }

    pub(super) fn entries_mut(&mut self, kind: Kind) -> &mut Entries {
        match kind {
            Kind::Reservation => &mut self.reservations,
            Kind::Volume => &mut self.volumes,
            Kind::Allocation => &mut self.allocations,
        }
    }

    /// The state after a change.
    pub(super) fn changed(mut self) -> State {
        self.serial += 1;
        self
    }

    /// Names of the allocations that use a volume.
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

/// What an inventory declares that a state does not hold.
fn foreign(records: &Records) -> Vec<Diagnostic> {
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
