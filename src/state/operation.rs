//! The operations on a state: reserve, create, launch, release, unreserve and destroy. Each checks its claims
//! against the bound fleet of a [`Transaction`], then changes entries of its state or returns conflicts.

use super::{
    claims::{ClaimSource, Claimant},
    conflict::Conflict,
    document::EntryKind,
    transaction::{Obstacle, Transaction},
};
use crate::{
    Error,
    diagnostic::{Code, nearest_after},
    inventory::{
        availability::Revocable,
        operations::{OfferRecord, OfferVolume, OfferedAmount, OperationKind, ReserveEntry},
        records::{Located, ReservationRecord, UseKind},
        wire::{Json, amounts_json},
    },
};

const AGAIN: &str = "ask for offers again";

impl Transaction<'_> {
    pub(super) fn operation(&mut self, operation: &OperationKind) -> Result<(), Obstacle> {
        match operation {
            OperationKind::Reserve(record, entry) => {
                let result = self.reserve(record, entry);
                self.made(EntryKind::Reservation, &record.name.text, result)
            }
            OperationKind::Create { offer, name, only } => self.create(offer, name, only.as_deref()),
            OperationKind::Launch { offer, name, made } => {
                let rests = |path: &Located| self.unmade.contains(&(EntryKind::Volume, path.text.clone()));
                // The conflict is that of the volume, and was reported with it.
                if made.iter().any(|(_, path)| rests(path)) {
                    return self.made(
                        EntryKind::Allocation,
                        &name.text,
                        Err(Obstacle::Conflicts(Vec::new())),
                    );
                }
                let result = self.launch(offer, name, made);
                self.made(EntryKind::Allocation, &name.text, result)
            }
            OperationKind::Release(name) => self.end(name),
            OperationKind::Unreserve(name) => self.unreserve(name),
            OperationKind::Destroy(path) => self.destroy(path),
        }
    }

    /// Records an entry that could not be made.
    fn made(&mut self, kind: EntryKind, name: &str, result: Result<(), Obstacle>) -> Result<(), Obstacle> {
        if result.is_err() {
            self.unmade.insert((kind, name.to_owned()));
        }
        result
    }

    fn reserve(&mut self, record: &ReservationRecord, entry: &ReserveEntry) -> Result<(), Obstacle> {
        let name = &record.name.text;
        let of_fleet = self.records().flat_map(|records| &records.reservations);
        if self.state.entries(EntryKind::Reservation).contains_key(name)
            || of_fleet.into_iter().any(|known| known.name.text == *name)
        {
            return Err(taken_name(EntryKind::Reservation, name).into());
        }
        if self.add_deferred(EntryKind::Reservation, name, &entry.0) {
            return Ok(());
        }
        let before = self.bound().map_err(Obstacle::Invalid)?.clone();
        let holder = &record.of.holder.text;
        let source = match record.of.kind {
            UseKind::Agent => before.agent(holder).ok_or_else(|| missing_entry(name, "agent", holder))?,
            _ => before.pool(holder).ok_or_else(|| missing_entry(name, "pool", holder))?,
        };
        let Err(error) = self.add(EntryKind::Reservation, name, entry.0.clone()) else { return Ok(()) };
        let claimant = Claimant { name, role: &record.role.text, limited: false };
        let claims = record
            .of
            .amounts
            .iter()
            .map(|amount| OfferedAmount { name: String::new(), record: amount.clone() });
        let short: Vec<Conflict> =
            claims.filter_map(|claim| before.unreserved(&claimant, &source, &claim)).collect();
        Err(conflicts_or_error(short, &error))
    }

    fn create(
        &mut self,
        offer: &OfferRecord,
        name: &Located,
        only: Option<&[Located]>,
    ) -> Result<(), Obstacle> {
        let wanted = |volume: &&OfferVolume| match only {
            Some(only) => only.iter().any(|one| one.text == volume.name),
            None => !volume.exists,
        };
        let volumes: Vec<&OfferVolume> = offer.volumes.iter().filter(wanted).collect();
        if volumes.is_empty() {
            let message = format!("the offer `{}` has no volume to make", offer.id.text);
            return Err(Conflict::new(Code::B0523, message, "only carved volumes are made").into());
        }
        let mut conflicts = Vec::new();
        let mut pending = Vec::new();
        let mut entries = Vec::new();
        for volume in volumes {
            let path = format!("{}/{}-{}", volume.supply.text, name.text, volume.name);
            let is_new = !volume.exists
                && volume.revocable.is_empty()
                && !self.state.entries(EntryKind::Volume).contains_key(&path);
            if is_new && self.add_deferred(EntryKind::Volume, &path, &volume_entry(offer, volume, &path)) {
                continue;
            }
            let found = self.new_volume(offer, volume, &path, &mut pending)?;
            if !found.is_empty() {
                self.unmade.insert((EntryKind::Volume, path.clone()));
            }
            conflicts.extend(found);
            entries.push((path.clone(), volume_entry(offer, volume, &path)));
        }
        if !conflicts.is_empty() {
            return Err(Obstacle::Conflicts(conflicts));
        }
        if entries.is_empty() {
            return Ok(());
        }
        // All or none: if a volume does not bind, those before it are removed again.
        let before = self.state.clone();
        for (path, entry) in &entries {
            if let Err(error) = self.add(EntryKind::Volume, path, entry.clone()) {
                entries.iter().for_each(|(path, _)| drop(self.remove(EntryKind::Volume, path)));
                self.state = before;
                self.unmade.extend(entries.iter().map(|(path, _)| (EntryKind::Volume, path.clone())));
                return Err(conflicts_or_error(Vec::new(), &error));
            }
        }
        Ok(())
    }

    /// Returns the conflicts of making a volume.
    fn new_volume(
        &mut self,
        offer: &OfferRecord,
        volume: &OfferVolume,
        path: &str,
        pending: &mut Vec<crate::inventory::world::Take>,
    ) -> Result<Vec<Conflict>, Obstacle> {
        if volume.exists {
            let message = format!("the volume `{}` of the offer exists already", volume.supply.text);
            return Ok(vec![Conflict::new(Code::B0524, message, "launch the offer: it uses that volume")]);
        }
        if !volume.revocable.is_empty() {
            let message = format!("`{path}` would be made of what may be taken back");
            let help = "only what is taken for good can be retained";
            return Ok(vec![Conflict::new(Code::B0522, message, help)]);
        }
        let bound = self.bound().map_err(Obstacle::Invalid)?;
        let Some(pool) = bound.pool(&volume.supply.text) else {
            return Ok(vec![missing_entry(path, "pool", &volume.supply.text)]);
        };
        if bound.volume(path).is_some() {
            return Ok(vec![taken_name(EntryKind::Volume, path)]);
        }
        let claimant = Claimant { name: path, role: &offer.role.text, limited: false };
        Ok(bound.claim(&claimant, &pool, &volume.firm, Revocable::Exclude, pending))
    }

    fn launch(
        &mut self,
        offer: &OfferRecord,
        name: &Located,
        made: &[(Located, Located)],
    ) -> Result<(), Obstacle> {
        let bound = self.bound().map_err(Obstacle::Invalid)?;
        let name = &name.text;
        if bound.has_allocation(name) {
            return Err(taken_name(EntryKind::Allocation, name).into());
        }
        let mut conflicts: Vec<Conflict> =
            unneeded(bound.missing(&offer.framework.text, &offer.need.text), offer).into_iter().collect();
        let claimant = Claimant { name, role: &offer.role.text, limited: true };
        let mut pending = Vec::new();
        match offer.agent.as_ref().map(|agent| (bound.agent(&agent.text), agent)) {
            None => {}
            Some((None, agent)) => conflicts.push(missing_entry(name, "agent", &agent.text)),
            Some((Some(agent), _)) => {
                for (claims, part) in [(&offer.firm, Revocable::Exclude), (&offer.revocable, Revocable::Only)]
                {
                    conflicts.extend(bound.claim(&claimant, &agent, claims, part, &mut pending));
                }
            }
        }
        let mut used = Vec::new();
        for volume in &offer.volumes {
            let own = made.iter().find(|(of, _)| of.text == volume.name).map(|(_, path)| path.text.as_str());
            let path = if volume.exists { Some(volume.supply.text.as_str()) } else { own };
            if let Some(path) = path {
                conflicts.extend(bound.use_volume(&claimant, path, &mut pending));
                conflicts.extend(own.and_then(|own| unlike(bound, &claimant, volume, own)));
                used.push(path.to_owned());
                continue;
            }
            let Some(pool) = bound.pool(&volume.supply.text) else {
                conflicts.push(missing_entry(name, "pool", &volume.supply.text));
                continue;
            };
            for (claims, part) in [(&volume.firm, Revocable::Exclude), (&volume.revocable, Revocable::Only)] {
                conflicts.extend(bound.claim(&claimant, &pool, claims, part, &mut pending));
            }
        }
        if !conflicts.is_empty() {
            return Err(Obstacle::Conflicts(conflicts));
        }
        let entry = allocation_entry(name, offer, made, used);
        self.allocate(name, entry).map_err(|error| conflicts_or_error(Vec::new(), &error))
    }

    fn end(&mut self, name: &Located) -> Result<(), Obstacle> {
        let name = &name.text;
        if self.unmade.contains(&(EntryKind::Allocation, name.clone())) {
            return Ok(());
        }
        if !self.state.entries(EntryKind::Allocation).contains_key(name) {
            let elsewhere = self
                .records()
                .any(|records| records.allocations.iter().any(|known| known.name.text == *name));
            return Err(self.unknown(EntryKind::Allocation, name, elsewhere).into());
        }
        self.bind_deferred().map_err(Obstacle::Invalid)?;
        self.release(name);
        Ok(())
    }

    fn unreserve(&mut self, name: &Located) -> Result<(), Obstacle> {
        let name = &name.text;
        if self.unmade.contains(&(EntryKind::Reservation, name.clone())) {
            return Ok(());
        }
        if !self.state.entries(EntryKind::Reservation).contains_key(name) {
            let elsewhere = self
                .records()
                .any(|records| records.reservations.iter().any(|known| known.name.text == *name));
            return Err(self.unknown(EntryKind::Reservation, name, elsewhere).into());
        }
        let bound = self.binds();
        let Some(entry) = self.remove(EntryKind::Reservation, name) else { return Ok(()) };
        // If the state did not bind before either, the removal is not to blame.
        let Some(error) = self.bound().err().filter(|_| bound) else { return Ok(()) };
        self.restore(EntryKind::Reservation, name, entry);
        let reason = first_of(&error);
        let message = format!("the reservation `{name}` is in use: without it, {reason}");
        let help = "release the allocations that rest on it first";
        Err(Conflict::new(Code::B0525, message, help).into())
    }

    fn destroy(&mut self, path: &Located) -> Result<(), Obstacle> {
        let path = &path.text;
        if self.unmade.contains(&(EntryKind::Volume, path.clone())) {
            return Ok(());
        }
        if !self.state.entries(EntryKind::Volume).contains_key(path) {
            let elsewhere = self.bound().is_ok_and(|bound| bound.volume(path).is_some());
            return Err(self.unknown(EntryKind::Volume, path, elsewhere).into());
        }
        let of_fleet = self.records().flat_map(|records| &records.allocations);
        let uses = |of: &&crate::inventory::records::AllocationRecord| {
            of.uses.iter().any(|used| used.kind == UseKind::Volume && used.holder.text == *path)
        };
        let of_fleet = of_fleet.into_iter().filter(uses).map(|known| known.name.text.as_str());
        let users: Vec<String> =
            self.state.users_of(path).chain(of_fleet).map(|name| format!("`{name}`")).collect();
        if !users.is_empty() {
            let message = format!("the volume `{path}` is in use by {}", users.join(", "));
            return Err(Conflict::new(Code::B0525, message, "release its users first").into());
        }
        self.bind_deferred().map_err(Obstacle::Invalid)?;
        self.remove(EntryKind::Volume, path);
        Ok(())
    }

    /// Returns the conflict of a name that the state does not have. `elsewhere`: the fleet has it.
    fn unknown(&self, kind: EntryKind, name: &str, elsewhere: bool) -> Conflict {
        let word = kind.name();
        if elsewhere {
            let message = format!("the {word} `{name}` is the fleet's own, and no part of the state");
            return Conflict::new(Code::B0523, message, "change it where it is declared");
        }
        let near = nearest_after(self.told, name, self.state.entries(kind).keys().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it has ended already, or it never was".to_owned(),
        };
        Conflict::new(Code::B0523, format!("there is no {word} `{name}`"), help)
    }
}

fn taken_name(kind: EntryKind, name: &str) -> Conflict {
    let message = format!("there is {} {} `{name}` already", article(kind), kind.name());
    Conflict::new(Code::B0524, message, "choose another name with `as` or `name`")
}

fn article(kind: EntryKind) -> &'static str {
    if kind == EntryKind::Allocation { "an" } else { "a" }
}

fn missing_entry(claimant: &str, kind: &str, name: &str) -> Conflict {
    let message = format!("`{claimant}` takes from the {kind} `{name}`, and it is not there");
    Conflict::new(Code::B0523, message, AGAIN)
}

/// Returns a conflict if the need of an offer takes no more instances, or is gone.
fn unneeded(missing: Option<Option<u64>>, offer: &OfferRecord) -> Option<Conflict> {
    let (framework, need) = (&offer.framework.text, &offer.need.text);
    let message = match missing {
        // An unknown framework is no conflict: it may be declared elsewhere.
        None | Some(Some(1..)) => return None,
        Some(None) => format!("framework `{framework}` has no need `{need}` any more"),
        Some(Some(0)) => format!("need `{framework}.{need}` has all its instances"),
    };
    Some(Conflict::new(Code::B0523, message, AGAIN))
}

/// Compares a volume with the one of the offer that it stands for. Returns a conflict if it is in another
/// pool or too small.
fn unlike(
    bound: &super::transaction::BoundState,
    claimant: &Claimant<'_>,
    volume: &OfferVolume,
    path: &str,
) -> Option<Conflict> {
    let supply = bound.volume(path)?;
    let pool: ClaimSource = bound.pool(&volume.supply.text)?;
    let in_pool = path.rsplit_once('/').is_some_and(|(own, _)| own == volume.supply.text);
    let small = volume.firm.iter().find(|claim| !bound.is_within(&pool, claim, supply));
    let message = match small {
        _ if !in_pool => format!("`{path}` is in another pool than the offer's `{}`", pool.name),
        Some(claim) => format!("`{path}` has less `{}` than the offer takes", claim.record.name),
        None => return None,
    };
    let help =
        format!("make the volume `{}` of this very offer, for `{}` to use", volume.name, claimant.name);
    Some(Conflict::new(Code::B0522, message, help))
}

fn volume_entry(offer: &OfferRecord, volume: &OfferVolume, path: &str) -> Json {
    let mut fields = vec![("path".to_owned(), Json::text(path))];
    if let Some(filesystem) = &volume.filesystem {
        let keys = vec![("filesystem".to_owned(), Json::text(filesystem.text.as_str()))];
        fields.push(("keys".to_owned(), Json::Object(keys)));
    }
    fields.push(("resources".to_owned(), amounts_json(&volume.firm)));
    // The role `*` is everyone's, and has no reservations.
    if offer.role.text != "*" {
        fields.push(("reserved_for".to_owned(), Json::text(offer.role.text.as_str())));
    }
    Json::Object(fields)
}

fn allocation_entry(name: &str, offer: &OfferRecord, made: &[(Located, Located)], used: Vec<String>) -> Json {
    let carved = |volume: &&OfferVolume| !volume.exists && !made.iter().any(|(of, _)| of.text == volume.name);
    let uses = |agent: &[OfferedAmount], claims: fn(&OfferVolume) -> &[OfferedAmount]| {
        let mut fields = Vec::new();
        if let Some(holder) = offer.agent.as_ref().filter(|_| !agent.is_empty()) {
            let amounts = Json::Object(vec![(holder.text.clone(), amounts_json(agent))]);
            fields.push(("agents".to_owned(), amounts));
        }
        let mut pools: Vec<(String, Vec<OfferedAmount>)> = Vec::new();
        for volume in offer.volumes.iter().filter(carved).filter(|volume| !claims(volume).is_empty()) {
            match pools.iter_mut().find(|pool| pool.0 == volume.supply.text) {
                Some((_, known)) => crate::inventory::operations::add(known, claims(volume)),
                None => pools.push((volume.supply.text.clone(), claims(volume).to_vec())),
            }
        }
        if !pools.is_empty() {
            let pools = pools.into_iter().map(|(path, claims)| (path, amounts_json(&claims)));
            fields.push(("pools".to_owned(), Json::Object(pools.collect())));
        }
        fields
    };
    let text = |field: &str, value: &str| (field.to_owned(), Json::text(value));
    let mut fields = vec![
        text("name", name),
        text("framework", &offer.framework.text),
        text("role", &offer.role.text),
        text("need", &offer.need.text),
    ];
    let mut firm = uses(&offer.firm, |volume| &volume.firm);
    let revocable = uses(&offer.revocable, |volume| &volume.revocable);
    // An allocation names its agent even if it takes nothing there.
    if let Some(agent) = offer.agent.as_ref().filter(|_| offer.firm.is_empty() && offer.revocable.is_empty())
    {
        firm.insert(
            0,
            ("agents".to_owned(), Json::Object(vec![(agent.text.clone(), Json::Object(Vec::new()))])),
        );
    }
    fields.extend(firm);
    if !used.is_empty() {
        let mut paths: Vec<Json> = Vec::new();
        for path in used {
            let path = Json::Text(path);
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        fields.push(("volumes".to_owned(), Json::List(paths)));
    }
    if !revocable.is_empty() {
        fields.push(("revocable".to_owned(), Json::Object(revocable)));
    }
    Json::Object(fields)
}

/// Returns the conflicts, or if there are none, the errors of binding the new state as conflicts.
fn conflicts_or_error(conflicts: Vec<Conflict>, error: &Error) -> Obstacle {
    if !conflicts.is_empty() {
        return Obstacle::Conflicts(conflicts);
    }
    let problems = error.report().diagnostics.iter().filter(|problem| problem.is_error());
    let conflict = |problem: &crate::diagnostic::Diagnostic| {
        Conflict::new(Code::B0522, problem.message.clone(), problem.help.clone().unwrap_or_default())
    };
    Obstacle::Conflicts(problems.map(conflict).collect())
}

fn first_of(error: &Error) -> String {
    let problem = error.report().diagnostics.iter().find(|problem| problem.is_error());
    problem.map(|problem| problem.message.clone()).unwrap_or_default()
}
