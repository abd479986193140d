//! Uniqueness of names within an inventory. Names that several inventories repeat are found when they are
//! bound.

use indexmap::{IndexMap, map::Entry};

use super::reader::{Reader, quoted};
use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::records::{Located, Records, TierRecord},
    source::Span,
};

/// Reports every repeated name, with both places.
pub(super) fn check(records: &Records, reader: &mut Reader) {
    check_unique(reader, "agent", records.agents.iter().map(|agent| &agent.name));
    tiers(reader, &records.providers);
    check_unique(reader, "reservation", records.reservations.iter().map(|reservation| &reservation.name));
    check_unique(reader, "volume", records.volumes.iter().map(|volume| &volume.path));
    check_unique(reader, "allocation", records.allocations.iter().map(|allocation| &allocation.name));
    check_unique(reader, "role", records.roles.iter().map(|role| &role.name));
    let frameworks = records.frameworks.iter().map(|framework| &framework.declaration.name);
    let alone = records.needs.iter().map(|need| &need.declaration.name);
    // A need without framework becomes a framework of its own name.
    check_unique(reader, "framework or need", frameworks.chain(alone));
    for framework in &records.frameworks {
        check_unique(reader, "need", framework.needs.iter().map(|need| &need.declaration.name));
    }
    let needs = records.frameworks.iter().flat_map(|framework| &framework.needs).chain(&records.needs);
    for need in needs {
        check_unique(reader, "volume", need.volumes.iter().map(|volume| &volume.name));
    }
}

fn tiers(reader: &mut Reader, tiers_of_one: &[TierRecord]) {
    let kind = tiers_of_one.first().map_or("tier", |tier| tier.kind.name());
    check_unique(reader, kind, tiers_of_one.iter().map(|tier| &tier.name));
    for tier in tiers_of_one {
        tiers(reader, &tier.children);
    }
}

fn check_unique<'a>(reader: &mut Reader, kind: &str, names: impl Iterator<Item = &'a Located>) {
    let mut first: IndexMap<&str, Span> = IndexMap::new();
    for name in names {
        match first.entry(&name.text) {
            Entry::Vacant(entry) => {
                entry.insert(name.span);
            }
            Entry::Occupied(entry) => {
                let message = format!("the {kind} {} is given twice", quoted(&name.text));
                let diagnostic = Diagnostic::error(Code::B0506, name.span, message);
                reader.push(diagnostic.also(*entry.get(), "first here").help("rename or remove one of them"));
            }
        }
    }
}
