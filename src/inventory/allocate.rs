//! Allocations: amounts in use when a cycle begins. Each is bound to its holders and charged to the parts
//! that an offer for the same role would use, in the same order.

use indexmap::IndexMap;

use super::{
    availability::{Availability, Requester, Revocable, Shortfall},
    bind::{Binder, SourceRecords, TypeTable},
    ledger::{self, Ledger},
    records::{AllocationRecord, AmountRecord, Located, RawAmount, TierKind, UseKind, UseRecord},
    values::scalar_of,
    world::{Allocation, HoldingId, StockId, StockKind, Take, Taken, Tier, Total, World},
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, nearest_after, no_role},
    ir::{Amount, Plan},
    quantity::{Dimension, MILLION, render},
    source::Span,
    symbol::{Symbol, Symbols},
    types::Side,
};

/// Binds all allocations, in order of name. Reports those that name unknown holders, and those that exceed
/// what their holder has.
pub(super) fn allocations(binder: &mut Binder<'_>, parts: &[SourceRecords<'_>], ledger: &mut Ledger) {
    let mut records: IndexMap<&str, (SourceRecords<'_>, &AllocationRecord)> = IndexMap::new();
    for part in parts {
        for record in &part.records.allocations {
            let span = part.to_run_span(record.name.span);
            match records.get(record.name.text.as_str()) {
                Some((first_part, first)) => {
                    let first = first_part.to_run_span(first.name.span);
                    let problem = declared_twice("allocation", &record.name.text, span, first);
                    binder.problems.push(Diagnostic { code: Code::B0506, ..problem });
                }
                None => {
                    records.insert(&record.name.text, (*part, record));
                }
            }
        }
    }
    records.sort_unstable_keys();
    for (part, record) in records.values() {
        let bound = allocation(binder, part, record, ledger, &mut |_| None);
        binder.world.allocations.push(bound);
    }
}

/// Binds one more allocation to a bound world, and takes it from the ledger. Warnings are dropped.
///
/// # Errors
/// The problems of the allocation. Nothing is taken then.
pub fn allocate(
    plan: &mut Plan,
    world: &mut World,
    ledger: &mut Ledger,
    part: &SourceRecords<'_>,
    record: &AllocationRecord,
) -> Result<(), Vec<Diagnostic>> {
    let typing = TypeTable::new(plan, world);
    let mut binder = Binder::new(plan, world, typing);
    let bound = allocation(&mut binder, part, record, ledger, &mut |_| None);
    let mut problems = binder.problems;
    problems.retain(Diagnostic::is_error);
    if !problems.is_empty() {
        bound.takes.iter().for_each(|take| ledger.release(take));
        return Err(problems);
    }
    // The list stays sorted by name.
    let before = |known: &Allocation| plan.symbols.text(known.name) < record.name.text.as_str();
    let at = world.allocations.partition_point(before);
    world.allocations.insert(at, bound);
    Ok(())
}

/// Removes an allocation and gives its amounts back. Returns `true` if it existed.
pub fn deallocate(plan: &Plan, world: &mut World, ledger: &mut Ledger, name: &str) -> bool {
    let Some(name) = plan.symbols.find(name) else { return false };
    let Some(at) = world.allocations.iter().position(|known| known.name == name) else { return false };
    let ended = world.allocations.remove(at);
    ended.takes.iter().for_each(|take| ledger.release(take));
    true
}

/// The amounts that one use of an allocation took before a change, and its share of `Allocation::shares`.
pub(super) type KeptUse = (Vec<Take>, Vec<(Side, Symbol, i128)>);

/// Takes amounts of before a change again. Returns `false`, and takes nothing, if some no longer fit: another
/// allocation may have taken them since.
fn take_again(world: &World, ledger: &mut Ledger, takes: &[Take]) -> bool {
    for (at, take) in takes.iter().enumerate() {
        let fits = match &take.amount {
            Taken::Scalar(amount) => {
                ledger.free(world, take.stock).is_none_or(|free| i128::from(*amount) <= free)
            }
            Taken::Set(set) => {
                ledger.free_set(world, take.stock).is_none_or(|free| set.minus(&free).is_empty())
            }
        };
        if !fits {
            takes[..at].iter().for_each(|take| ledger.release(take));
            return false;
        }
        ledger.take(take);
    }
    true
}

/// Binds an allocation and takes its amounts from the ledger. `kept` returns the amounts of a use, by its
/// position, that it had before a change: it keeps them where they still fit. All others are divided anew.
pub(super) fn allocation(
    binder: &mut Binder<'_>,
    part: &SourceRecords<'_>,
    record: &AllocationRecord,
    ledger: &mut Ledger,
    kept: &mut dyn FnMut(usize) -> Option<KeptUse>,
) -> Allocation {
    let framework = record.framework.as_ref().unwrap_or(&record.name);
    let of_framework = binder.plan.symbols.find(&framework.text);
    let role = match &record.role {
        Some(role) => role.text.clone(),
        None => {
            let known = of_framework.and_then(|name| binder.typing.frameworks.get(&name));
            known.map_or("*".to_owned(), |at| {
                binder.plan.symbols.text(binder.plan.frameworks[*at].role).to_owned()
            })
        }
    };
    let own = record.role.as_ref();
    binder.problems.extend(own.and_then(|own| no_role(&own.text, part.to_run_span(own.span))));
    if let Some(need) = &record.need {
        let framework = of_framework.and_then(|name| binder.typing.frameworks.get(&name)).copied();
        unknown_need(binder, part, need, framework);
    }
    let symbols = &mut binder.plan.symbols;
    let mut bound = Allocation {
        name: symbols.intern(&record.name.text),
        framework: symbols.intern(&framework.text),
        role: symbols.intern(&role),
        need: record.need.as_ref().map(|need| symbols.intern(&need.text)),
        agent: None,
        supplies: Vec::new(),
        takes: Vec::new(),
        shares: Vec::new(),
        ends: Vec::with_capacity(record.uses.len()),
    };
    binder.line(bound.role);
    for (at, taken) in record.uses.iter().enumerate() {
        let stays = kept(at).filter(|(takes, _)| take_again(binder.world, ledger, takes));
        match (stays, taken.kind) {
            (Some((takes, shares)), kind) => {
                bound.takes.extend(takes);
                bound.shares.extend(shares);
                let name = binder.plan.symbols.find(&taken.holder.text);
                match kind {
                    UseKind::Agent => {
                        bound.agent = bound.agent.or(name.and_then(|name| binder.world.agent(name)))
                    }
                    _ => bound.supplies.extend(name.and_then(|name| binder.world.supply(name))),
                }
            }
            (None, UseKind::Agent) => from_agent(binder, part, taken, ledger, &mut bound),
            (None, UseKind::Pool) => from_pool(binder, part, taken, ledger, &mut bound),
            (None, UseKind::Volume) => of_volume(binder, part, taken, ledger, &mut bound),
        }
        // Marks the end of this use in both lists.
        bound.ends.push((bound.takes.len(), bound.shares.len()));
    }
    bound
}

/// Returns the error for an unknown name, with the nearest known one.
pub(super) fn unknown<'k>(
    binder: &Binder<'_>,
    span: Span,
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'k Symbol>,
) -> Diagnostic {
    let names = known.map(|name| binder.plan.symbols.text(*name));
    let help = match nearest_after(binder.problems.len(), name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare the {kind}, or remove what names it"),
    };
    let message = format!("no {kind} is named `{name}`");
    Diagnostic::error(Code::B0509, span, message).help(help)
}

/// Warns of an allocation for a need that its framework does not have: it counts for no need. An unknown
/// framework is no problem, since it may have no needs now.
fn unknown_need(binder: &mut Binder<'_>, part: &SourceRecords<'_>, need: &Located, framework: Option<usize>) {
    let Some(framework) = framework.map(|at| &binder.plan.frameworks[at]) else { return };
    let text = |symbol| binder.plan.symbols.text(symbol);
    if framework.needs.iter().any(|known| text(known.name) == need.text) {
        return;
    }
    let message = format!("framework `{}` has no need `{}`", text(framework.name), need.text);
    let help = match nearest_after(
        binder.problems.len(),
        &need.text,
        framework.needs.iter().map(|known| text(known.name)),
    ) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "it is taken all the same, and counts for no need".to_owned(),
    };
    binder.problems.push(Diagnostic::warning(Code::B0509, part.to_run_span(need.span), message).help(help));
}

fn from_agent(
    binder: &mut Binder<'_>,
    part: &SourceRecords<'_>,
    taken: &UseRecord,
    ledger: &mut Ledger,
    bound: &mut Allocation,
) {
    let name = &taken.holder.text;
    let Some(agent) = binder.plan.symbols.find(name).and_then(|name| binder.world.agent(name)) else {
        let known = binder.world.agents.iter().map(|agent| &agent.name);
        let problem = unknown(binder, part.to_run_span(taken.holder.span), "agent", name, known);
        binder.problems.push(problem);
        return;
    };
    bound.agent.get_or_insert(agent);
    for amount in &taken.amounts {
        let resource = binder.plan.symbols.intern(&amount.name);
        let tiers: Vec<HoldingId> = binder.world.agent_holding(agent, resource).into_iter().collect();
        take(binder, part, amount, &tiers, revocable(taken), ledger, bound);
    }
}

fn from_pool(
    binder: &mut Binder<'_>,
    part: &SourceRecords<'_>,
    taken: &UseRecord,
    ledger: &mut Ledger,
    bound: &mut Allocation,
) {
    let path = &taken.holder.text;
    let supply = binder.plan.symbols.find(path).and_then(|path| binder.world.supply(path));
    let carved = supply.filter(|supply| binder.world.supplies[*supply].existing.is_none());
    let Some(supply) = carved else {
        let is_here =
            |tier: &&Tier| tier.kind == TierKind::Pool && binder.plan.symbols.text(tier.path) == path;
        if binder.world.tiers.iter().any(|tier| is_here(&tier)) {
            let message = format!("nothing is carved from the pool `{path}`: it says `carve = false`");
            let help = "allocate one of its existing volumes: `volume \"provider/instance/pool/NAME\"`";
            let span = part.to_run_span(taken.holder.span);
            binder.problems.push(Diagnostic::error(Code::B0509, span, message).help(help));
            return;
        }
        let pools = binder.world.supplies.iter().filter(|supply| supply.existing.is_none());
        let known = pools.map(|supply| &supply.path);
        let problem = unknown(binder, part.to_run_span(taken.holder.span), "pool", path, known);
        binder.problems.push(problem);
        return;
    };
    bound.supplies.push(supply);
    for amount in &taken.amounts {
        let resource = binder.plan.symbols.intern(&amount.name);
        let tiers = binder.world.supplies[supply].holdings(resource).unwrap_or_default().to_vec();
        take(binder, part, amount, &tiers, revocable(taken), ledger, bound);
    }
}

/// Takes an existing volume: one user slot, and its resources whole. The pool gave these when the volume was
/// carved, so that only shares and limits count them now.
fn of_volume(
    binder: &mut Binder<'_>,
    part: &SourceRecords<'_>,
    taken: &UseRecord,
    ledger: &mut Ledger,
    bound: &mut Allocation,
) {
    let path = &taken.holder.text;
    let supply = binder.plan.symbols.find(path).and_then(|path| binder.world.supply(path));
    let existing =
        supply.and_then(|at| binder.world.supplies[at].existing.as_ref().map(|existing| (at, existing)));
    let Some((supply, existing)) = existing else {
        let volumes = binder.world.supplies.iter().filter(|supply| supply.existing.is_some());
        let known = volumes.map(|supply| &supply.path);
        let problem = unknown(binder, part.to_run_span(taken.holder.span), "existing volume", path, known);
        binder.problems.push(problem);
        return;
    };
    let (users, whole) = (existing.users, existing.whole.clone());
    let span = part.to_run_span(taken.holder.span);
    let user = Take { stock: users, amount: Taken::Scalar(MILLION) };
    if ledger.free(binder.world, users).is_some_and(|free| free < i128::from(MILLION)) {
        let places = ledger::total(binder.world.stock(users)).unwrap_or(0) / i128::from(MILLION);
        let message = format!("the volume `{path}` has more users than the {places} it may have");
        let help = "end one of the allocations that use it, or raise its `users`";
        binder.problems.push(Diagnostic::error(Code::B0508, span, message).help(help));
    }
    ledger.take(&user);
    bound.takes.push(user);
    for (resource, _, amount) in whole {
        bound.shares.push((Side::Pool, resource, i128::from(amount)));
        limit(binder, span, Side::Pool, resource, i128::from(amount), ledger, bound);
    }
    bound.supplies.push(supply);
}

fn revocable(taken: &UseRecord) -> Revocable {
    if taken.revocable { Revocable::Only } else { Revocable::Exclude }
}

/// Takes one amount from all tiers, lowest first.
fn take(
    binder: &mut Binder<'_>,
    part: &SourceRecords<'_>,
    record: &AmountRecord,
    tiers: &[HoldingId],
    revocable: Revocable,
    ledger: &mut Ledger,
    bound: &mut Allocation,
) {
    let span = part.to_run_span(record.span);
    let Some(lowest) = tiers.first() else {
        let message = format!("there is no `{}` to take there", record.name);
        let help = "declare the resource where it is taken from, or remove the amount";
        binder.problems.push(Diagnostic::error(Code::B0509, span, message).help(help));
        return;
    };
    let amount = amount_of(binder.world, &binder.plan.symbols, record, *lowest);
    let line = binder.world.line(bound.role);
    let requester = Requester { framework: None, line, revocable, exempt: &[] };
    let availability = Availability { world: binder.world, ledger: Some(ledger), requester, pending: &[] };
    // The same requester, as if nothing were in use.
    let everything = Availability { ledger: None, ..availability };
    // Definite members must exist at all, in use or free; otherwise the text is wrong, and not the amount too
    // large.
    let could = |amount: &Amount| match amount {
        Amount::Scalar(..) => true,
        _ => everything.take_exact(&tiers[..1], amount).is_ok(),
    };
    let Some(amount) = amount.filter(could) else {
        let message = format!("this is not a part of the `{}` there", record.name);
        let help = "an allocation names a quantity of the same dimension, or the very ports or items";
        binder.problems.push(Diagnostic::error(Code::B0502, span, message).help(help));
        return;
    };
    match availability.take_exact(tiers, &amount) {
        Ok(portion) => {
            let holding = binder.world.holding(*lowest);
            let (side, resource, sum) = (holding.side, holding.resource, portion.amount());
            // Unlimited parts have no total that a share could be a part of.
            let limited = |take: &&Take| ledger::total(binder.world.stock(take.stock)).is_some();
            let shared = portion.own.iter().filter(limited).map(|take| take.amount.count()).sum::<i128>();
            if shared > 0 {
                bound.shares.push((side, resource, shared));
            }
            portion.takes().for_each(|take| ledger.take(take));
            bound.takes.extend(portion.own.into_iter().chain(portion.above));
            limit(binder, span, side, resource, sum, ledger, bound);
        }
        Err(Shortfall::Holding(tier)) => {
            let problem = too_much(&availability, &amount, tier, record, span);
            binder.problems.push(problem);
        }
        Err(Shortfall::Limit(_)) => {}
    }
}

/// Returns the error for an amount that exceeds what its holder has for the role.
fn too_much(
    availability: &Availability<'_>,
    amount: &Amount,
    tier: HoldingId,
    record: &AmountRecord,
    span: Span,
) -> Diagnostic {
    let holding = availability.world.holding(tier);
    let Amount::Scalar(_, asked, _) = amount else {
        let message = format!("some of these `{}` are taken by an earlier allocation", record.name);
        return Diagnostic::error(Code::B0508, span, message).help("give each one to one allocation");
    };
    let free = availability.free_of(tier).unwrap_or(0);
    let total = Availability { ledger: None, ..*availability }.free_of(tier).unwrap_or(0);
    let show = |amount| render(holding.dimension, amount);
    // Earlier allocations and this one together.
    let sum = show(total - free + i128::from(*asked));
    let message = match availability.requester.revocable {
        Revocable::Exclude => {
            format!("{sum} of `{}` allocated, and only {} can be used", record.name, show(total))
        }
        _ => format!("{sum} of `{}` allocated as revocable, and only {} may be", record.name, show(total)),
    };
    Diagnostic::error(Code::B0508, span, message)
        .label("with this allocation it is too much")
        .also(holding.span, "the whole is declared here")
        .help("correct the allocation, or the amount its holder has")
}

/// Counts an amount against the limits of the role and of those above it. An allocation is a fact: it counts
/// beyond the limit too, and only the one that crosses the limit is reported.
fn limit(
    binder: &mut Binder<'_>,
    span: Span,
    side: Side,
    resource: Symbol,
    amount: i128,
    ledger: &mut Ledger,
    bound: &mut Allocation,
) {
    let line = binder.world.line(bound.role).to_vec();
    let limits = line.iter().filter_map(|role| binder.world.limits.get(&(*role, side, resource)).copied());
    for id in limits.collect::<Vec<StockId>>() {
        let Ok(amount) = i64::try_from(amount) else { continue };
        let take = Take { stock: id, amount: Taken::Scalar(amount) };
        let before = ledger.free(binder.world, id);
        ledger.take(&take);
        bound.takes.push(take);
        let stock = binder.world.stock(id);
        let after = ledger.free(binder.world, id).unwrap_or(0);
        if let (StockKind::Limit(role), true) =
            (stock.kind, after < 0 && before.is_some_and(|free| free >= 0))
        {
            let text = |symbol| binder.plan.symbols.text(symbol);
            let message = format!(
                "role `{}` uses {} of `{}` already, and its limit is {}",
                text(role),
                render(stock.dimension, ledger.used(id)),
                text(resource),
                render(stock.dimension, ledger::total(stock).unwrap_or(0)),
            );
            let problem = Diagnostic::error(Code::B0516, span, message)
                .label("with this allocation it is too much")
                .also(stock.span, "the limit")
                .help("raise the limit, or end allocations of the role");
            binder.problems.push(problem);
        }
    }
}

/// Types an amount of an allocation or reservation by the lowest holding. Returns `None` if it cannot be an
/// amount of that holding.
pub fn amount_of(
    world: &World,
    symbols: &Symbols,
    record: &AmountRecord,
    lowest: HoldingId,
) -> Option<Amount> {
    let holding = world.holding(lowest);
    let is_set = holding.parts.iter().any(|part| ledger::is_set(world.stock(part.1)));
    let endless = holding.parts.iter().any(|part| world.stock(part.1).usable == Total::Unlimited);
    match &record.amount {
        RawAmount::Ranges(wanted) if is_set => Some(Amount::Ranges(wanted.clone())),
        RawAmount::Items(wanted) if is_set => {
            let known = wanted.iter().map(|name| symbols.find(name));
            known.collect::<Option<Vec<_>>>().map(Amount::Items)
        }
        _ if is_set => {
            debug_assert_eq!(holding.dimension, Dimension::Number);
            None
        }
        raw => {
            let (found, amount) = scalar_of(raw, Some(holding.dimension))?;
            (amount >= 0 && (found == holding.dimension || endless))
                .then_some(Amount::Scalar(found, amount, amount))
        }
    }
}
