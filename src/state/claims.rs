//! Checks what an operation takes against what is free, and words the conflict where it does not fit.
//!
//! `operation` calls this for each amount of an offer. All arithmetic is that of [`Availability`] and of the
//! ledger, so an operation and the offer that it was made from are judged by the same rules. Nothing here
//! changes the ledger: takes collect in `pending`, and the state changes only once the whole operation fits.

use super::{
    conflict::{Conflict, HeldBy, list_holders},
    transaction::BoundState,
};
use crate::{
    diagnostic::Code,
    inventory::{
        amount_of,
        availability::{Availability, Requester, Revocable, Shortfall},
        ledger,
        operations::OfferedAmount,
        records::{RawAmount, TierKind},
        world::{Allocation, HoldingId, PartKind, StockId, StockKind, Take, Taken, Tier, Total, World},
    },
    ir::Amount,
    quantity::{MILLION, render},
    ranges::Ranges,
    symbol::{Symbol, Symbols},
};

/// An agent or a pool that something is taken from.
#[derive(Clone, Debug)]
pub(super) struct ClaimSource {
    /// The kind and the name, for messages: `` agent `a1` ``.
    pub words: String,
    /// The name of the agent, or the path of the pool.
    pub name: String,
    kind: SourceKind,
}

#[derive(Clone, Copy, Debug)]
enum SourceKind {
    Agent(usize),
    Pool(usize),
}

/// The requester: what takes an amount.
#[derive(Clone, Debug)]
pub(super) struct Claimant<'a> {
    /// The name of the allocation or reservation, or the path of the volume, that is made.
    pub name: &'a str,
    pub role: &'a str,
    /// `true` if what it takes counts against the limits of its role and the roles above. Only allocations
    /// count: reservations and new volumes take nothing from a limit until something uses them.
    pub limited: bool,
}

impl BoundState {
    /// Returns the agent of this name, if the fleet has it.
    pub fn agent(&self, name: &str) -> Option<ClaimSource> {
        let agent = self.plan.symbols.find(name).and_then(|name| self.world.agent(name))?;
        let words = format!("agent `{name}`");
        Some(ClaimSource { words, name: name.to_owned(), kind: SourceKind::Agent(agent) })
    }

    /// Returns the pool at this path, if the fleet has it.
    ///
    /// Looks among the tiers, not the supplies: a pool from which no volume can be carved is no supply.
    pub fn pool(&self, path: &str) -> Option<ClaimSource> {
        let symbol = self.plan.symbols.find(path)?;
        let tiers = &self.world.tiers;
        let at = tiers.iter().position(|tier| tier.kind == TierKind::Pool && tier.path == symbol)?;
        let words = format!("pool `{path}`");
        Some(ClaimSource { words, name: path.to_owned(), kind: SourceKind::Pool(at) })
    }

    /// Returns the number, among the supplies, of the existing volume at this path.
    pub fn volume(&self, path: &str) -> Option<usize> {
        let supply = self.plan.symbols.find(path).and_then(|path| self.world.supply(path))?;
        self.world.supplies[supply].existing.is_some().then_some(supply)
    }

    /// Returns a role and the roles above it, lowest first. Roles that the fleet does not mention are left
    /// out.
    pub fn line(&self, role: &str) -> Vec<Symbol> {
        let ends = role.rmatch_indices('/').map(|(end, _)| end);
        let paths = std::iter::once(role.len()).chain(ends).map(|end| &role[..end]);
        paths.filter_map(|path| self.plan.symbols.find(path)).collect()
    }

    /// Returns the holdings of a resource that a take draws on, lowest tier first.
    ///
    /// An agent has at most one. A pool has one for itself and one for each tier above that counts the
    /// resource: what a pool gives, its backend and provider give with it.
    fn tiers(&self, source: &ClaimSource, resource: &str) -> Vec<HoldingId> {
        let Some(resource) = self.plan.symbols.find(resource) else { return Vec::new() };
        match source.kind {
            SourceKind::Agent(agent) => self.world.agent_holding(agent, resource).into_iter().collect(),
            SourceKind::Pool(pool) => {
                let above = |at: &usize| self.world.tiers[*at].parent;
                let chain = std::iter::successors(Some(pool), above);
                let held = chain.flat_map(|at| &self.world.tiers[at].resources);
                held.filter(|held| held.resource == resource).map(|held| held.holding).collect()
            }
        }
    }

    /// Adds what `claims` take of one source to `pending`, and returns a conflict for each claim that does
    /// not fit.
    ///
    /// Takes in `pending` count as used, so the claims of one operation cannot share the same free amount. A
    /// claim that does not fit adds nothing, and the claims after it are still checked: one refusal names
    /// them all.
    pub fn claim(
        &self,
        claimant: &Claimant<'_>,
        source: &ClaimSource,
        claims: &[OfferedAmount],
        revocable: Revocable,
        pending: &mut Vec<Take>,
    ) -> Vec<Conflict> {
        let line = self.line(claimant.role);
        let mut conflicts = Vec::new();
        for claim in claims {
            let tiers = self.tiers(source, &claim.record.name);
            let typed = tiers
                .first()
                .and_then(|lowest| amount_of(&self.world, &self.plan.symbols, &claim.record, *lowest));
            let Some(amount) = typed else {
                conflicts.push(missing_amount(claimant, source, claim, tiers.is_empty()));
                continue;
            };
            let requester = Requester { framework: None, line: &line, revocable, exempt: &[] };
            let availability =
                Availability { world: &self.world, ledger: Some(&self.ledger), requester, pending };
            // `take_exact` leaves options and limits aside: the offer has applied the options already, and
            // limits follow here, as they do not count for every requester.
            let taken = availability.take_exact(&tiers, &amount).and_then(|portion| {
                let holding = self.world.holding(tiers[0]);
                let limits = match claimant.limited {
                    true => availability.limit_takes(holding.side, holding.resource, portion.amount())?,
                    false => Vec::new(),
                };
                Ok(portion.own.into_iter().chain(portion.above).chain(limits).collect::<Vec<_>>())
            });
            match taken {
                Ok(takes) => pending.extend(takes),
                Err(shortfall) => {
                    conflicts.push(self.short(claimant, source, claim, &amount, &availability, shortfall))
                }
            }
        }
        conflicts
    }

    /// Words the conflict of a claim that does not fit.
    fn short(
        &self,
        claimant: &Claimant<'_>,
        source: &ClaimSource,
        claim: &OfferedAmount,
        amount: &Amount,
        availability: &Availability<'_>,
        shortfall: Shortfall,
    ) -> Conflict {
        let (resource, wanted) = (&claim.record.name, show(&claim.record.amount, amount));
        let name = claimant.name;
        if let Shortfall::Limit(limit) = shortfall {
            let stock = self.world.stock(limit);
            let free = render(stock.dimension, availability.free(limit).unwrap_or(0));
            let role = match stock.kind {
                StockKind::Limit(role) => self.plan.symbols.text(role),
                _ => claimant.role,
            };
            let message = format!(
                "`{name}` takes {wanted} of `{resource}`, and the limit of role `{role}` leaves {free}"
            );
            let help = "end another allocation of the role, or raise its limit";
            let conflict = Conflict::new(Code::B0522, message, help);
            return with_figures(conflict, resource, &format!("role {role}"), wanted, free, Vec::new());
        }
        // The holding that is short may be that of a tier above the source.
        let Shortfall::Holding(tier) = shortfall else {
            return missing_amount(claimant, source, claim, false);
        };
        let (holder, words) = self.holder(tier, source);
        let free = self.free(tier, availability);
        let held_by = self.held_by(tier, availability.requester.line, amount);
        let mut message =
            format!("`{name}` takes {wanted} of `{resource}` on {words}, and {free} is free to it");
        if !held_by.is_empty() {
            message.push_str(&format!(": {}", list_holders(&held_by)));
        }
        let help = "release what has it, or ask for offers again and take one that fits";
        with_figures(Conflict::new(Code::B0522, message, help), resource, &holder, wanted, free, held_by)
    }

    /// Returns the name of the holder of a holding, and the holder in words: a tier, or else the source
    /// itself.
    fn holder(&self, holding: HoldingId, source: &ClaimSource) -> (String, String) {
        let has = |tier: &&Tier| tier.resources.iter().any(|held| held.holding == holding);
        match self.world.tiers.iter().find(has) {
            Some(tier) => {
                let path = self.plan.symbols.text(tier.path);
                (path.to_owned(), format!("{} `{path}`", tier.kind.name()))
            }
            None => (source.name.clone(), source.words.clone()),
        }
    }

    /// Describes what is free of a holding to the requester of `availability`: an amount, or the free ranges
    /// or items.
    ///
    /// Ranges and items come from the ledger alone: those that are pending in the same operation still show
    /// as free.
    fn free(&self, id: HoldingId, availability: &Availability<'_>) -> String {
        let holding = self.world.holding(id);
        let sets = availability.parts(holding).filter_map(|part| {
            let stock = self.world.stock(part);
            ledger::is_set(stock).then(|| (part, self.ledger.free_set(&self.world, part)))
        });
        let sets: Vec<_> = sets.filter_map(|(part, free)| Some((part, free?))).collect();
        if sets.is_empty() {
            let free = availability.free_of(id);
            return free.map_or("unlimited".to_owned(), |free| render(holding.dimension, free));
        }
        let names = sets.iter().map(|(part, free)| shown_set(&self.world, &self.plan.symbols, *part, free));
        names.collect::<Vec<_>>().join(" and ")
    }

    /// Returns who has some of a holding that the requester could otherwise use: allocations, then volumes
    /// carved out of it, then the roles outside `line` that some of it is reserved for.
    fn held_by(&self, id: HoldingId, line: &[Symbol], wanted: &Amount) -> Vec<HeldBy> {
        let holding = self.world.holding(id);
        let text = |symbol| self.plan.symbols.text(symbol).to_owned();
        let stocks: Vec<StockId> = holding.parts.iter().map(|part| part.1).collect();
        let show = |amount| render(holding.dimension, amount);
        let mut found = Vec::new();
        for allocation in &self.world.allocations {
            let of_it = allocation.takes.iter().filter(|take| stocks.contains(&take.stock));
            let amount =
                of_it.filter(|take| is_taken_from(&self.world, take, wanted)).map(|take| take.amount.count());
            let amount: i128 = amount.sum();
            if amount > 0 {
                found.push(HeldBy { kind: "allocation", name: text(allocation.name), amount: show(amount) });
            }
        }
        for supply in &self.world.supplies {
            let Some(existing) = &supply.existing else { continue };
            // The first of a chain is the volume itself. What it has was carved out of the tiers after it.
            let in_it = supply.chain[1..].iter().flat_map(|tier| &self.world.tiers[*tier].resources);
            let in_it = in_it.map(|held| held.holding).any(|holding| holding == id);
            let own = existing.whole.iter().find(|own| own.0 == holding.resource && in_it);
            if let Some((_, _, amount)) = own {
                let amount = show(i128::from(*amount));
                found.push(HeldBy { kind: "volume", name: text(supply.path), amount });
            }
        }
        for (part, stock) in &holding.parts {
            let PartKind::Reserved(role) = part else { continue };
            let total = ledger::total(self.world.stock(*stock)).unwrap_or(0);
            if !line.contains(role) && total > 0 {
                found.push(HeldBy { kind: "reservation", name: text(*role), amount: show(total) });
            }
        }
        found
    }

    /// Adds one use of an existing volume to `pending`.
    ///
    /// Returns a conflict if the volume is not there, is reserved for a role that is not above the
    /// requester's, or has as many users as it takes.
    pub fn use_volume(&self, claimant: &Claimant<'_>, path: &str, pending: &mut Vec<Take>) -> Vec<Conflict> {
        let Some(supply) = self.volume(path) else {
            let message = format!("`{}` uses the volume `{path}`, and it is not there", claimant.name);
            let help = "it was destroyed, or never made: ask for offers again";
            return vec![Conflict::new(Code::B0523, message, help)];
        };
        let Some(existing) = &self.world.supplies[supply].existing else { return Vec::new() };
        if let Some(role) = existing.reserved_for.filter(|role| !self.line(claimant.role).contains(role)) {
            let role = self.plan.symbols.text(role);
            let message = format!(
                "`{}` of role `{}` uses the volume `{path}`, which is kept for role `{role}`",
                claimant.name, claimant.role
            );
            let help = "ask for offers again: it is offered to that role and those below it";
            return vec![Conflict::new(Code::B0522, message, help)];
        }
        // The users of a volume are a stock like any other, in millionths: each use takes one whole.
        let taken = pending.iter().filter(|take| take.stock == existing.users).count() as i128;
        let free =
            self.ledger.free(&self.world, existing.users).map(|free| free - taken * i128::from(MILLION));
        if free.is_none_or(|free| free >= i128::from(MILLION)) {
            let amount = Taken::Scalar(MILLION);
            pending.push(Take { stock: existing.users, amount });
            return Vec::new();
        }
        let uses = |allocation: &&Allocation| allocation.supplies.contains(&supply);
        let users = self.world.allocations.iter().filter(uses);
        let held_by: Vec<HeldBy> = users
            .map(|user| HeldBy {
                kind: "allocation",
                name: self.plan.symbols.text(user.name).to_owned(),
                amount: "1".to_owned(),
            })
            .collect();
        let names: Vec<String> = held_by.iter().map(|held| format!("`{}`", held.name)).collect();
        let message = format!(
            "`{}` uses the volume `{path}`, and all its places are taken: {} uses it",
            claimant.name,
            names.join(", ")
        );
        let conflict = Conflict::new(Code::B0522, message, "release who uses it, or use another volume");
        vec![with_figures(conflict, "users", path, "1".to_owned(), "0".to_owned(), held_by)]
    }

    /// Returns how much an existing volume has of a resource, in base units.
    pub fn whole(&self, volume: usize, resource: &str) -> Option<i64> {
        let resource = self.plan.symbols.find(resource)?;
        let existing = self.world.supplies[volume].existing.as_ref()?;
        existing.whole.iter().find(|whole| whole.0 == resource).map(|whole| whole.2)
    }

    /// Returns `true` if an amount that an offer takes of a pool is at most what a volume has of that
    /// resource.
    pub fn is_within(&self, source: &ClaimSource, claim: &OfferedAmount, volume: usize) -> bool {
        let tiers = self.tiers(source, &claim.record.name);
        let amount = tiers
            .first()
            .and_then(|lowest| amount_of(&self.world, &self.plan.symbols, &claim.record, *lowest));
        match (amount, self.whole(volume, &claim.record.name)) {
            (Some(Amount::Scalar(_, amount, _)), Some(whole)) => amount <= whole,
            _ => false,
        }
    }

    /// Returns the conflict of a reservation with what is unreserved and free, if it has one.
    pub fn unreserved(
        &self,
        claimant: &Claimant<'_>,
        source: &ClaimSource,
        claim: &OfferedAmount,
    ) -> Option<Conflict> {
        // A reservation can only be made of what is unreserved. The role `*` has no reservations to draw on.
        let unreserved_claimant = Claimant { name: claimant.name, role: "*", limited: false };
        self.claim(
            &unreserved_claimant,
            source,
            std::slice::from_ref(claim),
            Revocable::Exclude,
            &mut Vec::new(),
        )
        .pop()
    }

    /// Returns how many instances a need still lacks: `None` if its framework is not declared here,
    /// `Some(None)` if the framework has no such need.
    pub fn missing(&self, framework: &str, need: &str) -> Option<Option<u64>> {
        let symbols = &self.plan.symbols;
        let known = self.plan.frameworks.iter().find(|known| symbols.text(known.name) == framework)?;
        let Some(asked) = known.needs.iter().find(|asked| symbols.text(asked.name) == need) else {
            return Some(None);
        };
        // An allocation that names no need serves the only need of its framework.
        let serves = |allocation: &&Allocation| {
            allocation.framework == known.name
                && allocation.need.map_or(known.needs.len() == 1, |need| need == asked.name)
        };
        let there = self.world.allocations.iter().filter(serves).count() as u64;
        Some(Some(asked.count.saturating_sub(there)))
    }

    /// Returns `true` if an allocation has this name.
    pub fn has_allocation(&self, name: &str) -> bool {
        let name = self.plan.symbols.find(name);
        self.world.allocations.iter().any(|known| Some(known.name) == name)
    }
}

/// Completes a conflict with the figures that programs read.
fn with_figures(
    conflict: Conflict,
    resource: &str,
    holder: &str,
    wanted: String,
    free: String,
    held_by: Vec<HeldBy>,
) -> Conflict {
    Conflict {
        resource: Some(resource.to_owned()),
        holder: Some(holder.to_owned()),
        wanted: Some(wanted),
        free: Some(free),
        held_by,
        ..conflict
    }
}

/// The conflict of a claim on a resource that the source does not have, or has as another kind of amount.
fn missing_amount(
    claimant: &Claimant<'_>,
    source: &ClaimSource,
    claim: &OfferedAmount,
    none: bool,
) -> Conflict {
    let (name, resource) = (claimant.name, &claim.record.name);
    let what = if none { "there is none" } else { "what there is of it is of another kind" };
    let message = format!("`{name}` takes `{resource}` of {}, and {what}", source.words);
    let help = "the fleet is not what the offer was made from: ask for offers again";
    Conflict::new(Code::B0523, message, help)
}

/// Returns `true` if a take stands in the way of what is wanted.
///
/// Any take of an amount does. A take of ranges or items does only if it has one of those that are wanted by
/// name.
fn is_taken_from(world: &World, take: &Take, wanted: &Amount) -> bool {
    let Taken::Set(taken) = &take.amount else { return true };
    match (wanted, &world.stock(take.stock).usable) {
        (Amount::Ranges(wanted), Total::Ranges(_)) => !wanted.common(taken).is_empty(),
        (Amount::Items(wanted), Total::Items(all)) => {
            // A take of items has their numbers in the stock rather than their names.
            let number = |item| all.iter().position(|known| known == item);
            let numbers = wanted.iter().filter_map(number).filter_map(|at| i64::try_from(at).ok());
            numbers.into_iter().any(|number| taken.contains(number))
        }
        _ => true,
    }
}

/// Writes an amount as the language does.
fn show(raw: &RawAmount, typed: &Amount) -> String {
    match (raw, typed) {
        (_, Amount::Scalar(dimension, amount, _)) => render(*dimension, i128::from(*amount)),
        (_, Amount::Ranges(ranges)) => ranges.to_string(),
        (RawAmount::Items(items), _) => list(items.iter().map(String::as_str)),
        _ => String::new(),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.map(crate::value::quote).collect::<Vec<_>>().join(", "))
}

/// Writes a set of ranges, or of items by their numbers in the stock, as the language does.
fn shown_set(world: &World, symbols: &Symbols, stock: StockId, free: &Ranges) -> String {
    match &world.stock(stock).usable {
        Total::Items(items) => {
            let is_free = |at: usize| i64::try_from(at).is_ok_and(|at| free.contains(at));
            list(items.iter().enumerate().filter(|(at, _)| is_free(*at)).map(|(_, item)| symbols.text(*item)))
        }
        _ => free.to_string(),
    }
}
