//! Allocations: what is taken already, from which stocks.

use indexmap::IndexMap;

use super::{
    bind::{Binder, Part},
    ledger,
    records::{AllocationRecord, AmountRecord, Located, RawAmount, TierKind, UseKind, UseRecord},
    values::scalar_of,
    world::{Allocation, Quota, StockId, Take, Taken, Tier},
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, nearest},
    quantity::{Dimension, MILLION, render},
    ranges::Ranges,
    source::Span,
    symbol::Symbol,
    types::Side,
};

/// Binds allocations; what exceeds its holder, or names none, is a problem.
pub(super) fn allocations(binder: &mut Binder<'_>, parts: &[Part<'_>]) {
    let mut records: IndexMap<&str, (Part<'_>, &AllocationRecord)> = IndexMap::new();
    for part in parts {
        for record in &part.records.allocations {
            let span = part.lift(record.name.span);
            match records.get(record.name.text.as_str()) {
                Some((first_part, first)) => {
                    let first = first_part.lift(first.name.span);
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
    let mut used: IndexMap<StockId, Taken> = IndexMap::new();
    for take in &binder.world.carved {
        add(&mut used, take);
    }
    let frameworks: IndexMap<Symbol, usize> =
        binder.plan.frameworks.iter().enumerate().map(|(at, framework)| (framework.name, at)).collect();
    for (part, record) in records.values() {
        allocation(binder, part, record, &frameworks, &mut used);
    }
}

fn add(used: &mut IndexMap<StockId, Taken>, take: &Take) {
    match (used.get_mut(&take.stock), &take.amount) {
        (Some(Taken::Scalar(sum)), Taken::Scalar(amount)) => *sum = sum.saturating_add(*amount),
        (Some(Taken::Set(sum)), Taken::Set(amount)) => *sum = sum.union(amount),
        _ => {
            used.insert(take.stock, take.amount.clone());
        }
    }
}

fn allocation(
    binder: &mut Binder<'_>,
    part: &Part<'_>,
    record: &AllocationRecord,
    frameworks: &IndexMap<Symbol, usize>,
    used: &mut IndexMap<StockId, Taken>,
) {
    let framework = record.framework.as_ref().unwrap_or(&record.name);
    let of_framework = binder.plan.symbols.find(&framework.text);
    let role = match &record.role {
        Some(role) => role.text.clone(),
        None => {
            let known = of_framework.and_then(|name| frameworks.get(&name));
            known.map_or("*".to_owned(), |at| {
                binder.plan.symbols.text(binder.plan.frameworks[*at].role).to_owned()
            })
        }
    };
    if let Some(need) = &record.need {
        unknown_need(binder, part, need, of_framework.and_then(|name| frameworks.get(&name)).copied());
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
    };
    for taken in &record.uses {
        if taken.revocable {
            binder.not_yet(part.lift(taken.holder.span), "a revocable allocation");
            continue;
        }
        match taken.kind {
            UseKind::Agent => from_agent(binder, part, taken, &mut bound),
            UseKind::Pool => from_pool(binder, part, taken, &mut bound),
            UseKind::Volume => of_volume(binder, part, taken, &mut bound),
        }
    }
    for take in &bound.takes {
        let stock = binder.world.stock(take.stock);
        if let (Some(Taken::Set(before)), Taken::Set(now)) = (used.get(&take.stock), &take.amount)
            && before.minus(now) != *before
        {
            let name = binder.plan.symbols.text(stock.resource);
            let message = format!("some of these `{name}` are taken by an earlier allocation");
            let span = part.lift(record.name.span);
            binder
                .problems
                .push(Diagnostic::error(Code::B0508, span, message).help("give each one to one allocation"));
        }
        add(used, take);
        if let (Some(total), Some(Taken::Scalar(sum))) = (ledger::total(stock), used.get(&take.stock))
            && i128::from(*sum) > total
        {
            let name = binder.plan.symbols.text(stock.resource);
            let (sum, total) = (render(stock.dimension, i128::from(*sum)), render(stock.dimension, total));
            let message = format!("{sum} of `{name}` allocated, and only {total} can be used");
            let problem = Diagnostic::error(Code::B0508, part.lift(record.name.span), message)
                .label("with this allocation it is too much")
                .also(stock.span, "the whole is declared here")
                .help("correct the allocation, or the amount its holder has");
            binder.problems.push(problem);
        }
    }
    binder.world.allocations.push(bound);
}

fn unknown(binder: &mut Binder<'_>, span: Span, kind: &str, name: &str, known: Vec<Symbol>) {
    let names = known.iter().map(|name| binder.plan.symbols.text(*name));
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare the {kind}, or remove the allocation"),
    };
    let message = format!("no {kind} is named `{name}`");
    binder.problems.push(Diagnostic::error(Code::B0509, span, message).help(help));
}

/// An allocation of a need that its framework does not have counts for none of its needs. The framework itself may
/// be absent: it may have nothing to ask for now.
fn unknown_need(binder: &mut Binder<'_>, part: &Part<'_>, need: &Located, framework: Option<usize>) {
    let Some(framework) = framework.map(|at| &binder.plan.frameworks[at]) else { return };
    let text = |symbol| binder.plan.symbols.text(symbol);
    if framework.needs.iter().any(|known| text(known.name) == need.text) {
        return;
    }
    let message = format!("framework `{}` has no need `{}`", text(framework.name), need.text);
    let help = match nearest(&need.text, framework.needs.iter().map(|known| text(known.name))) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "it is taken all the same, and counts for no need".to_owned(),
    };
    binder.problems.push(Diagnostic::warning(Code::B0509, part.lift(need.span), message).help(help));
}

fn from_agent(binder: &mut Binder<'_>, part: &Part<'_>, taken: &UseRecord, bound: &mut Allocation) {
    let name = &taken.holder.text;
    let Some(agent) = binder.plan.symbols.find(name).and_then(|name| binder.world.agent(name)) else {
        let known = binder.world.agents.iter().map(|agent| agent.name).collect();
        unknown(binder, part.lift(taken.holder.span), "agent", name, known);
        return;
    };
    bound.agent.get_or_insert(agent);
    for amount in &taken.amounts {
        let resource = binder.plan.symbols.intern(&amount.name);
        let stock = binder.world.agent_stock(agent, resource);
        let stocks: Vec<StockId> = stock.into_iter().collect();
        take(binder, part, amount, Side::Agent, resource, &stocks, bound);
    }
}

fn from_pool(binder: &mut Binder<'_>, part: &Part<'_>, taken: &UseRecord, bound: &mut Allocation) {
    let path = &taken.holder.text;
    let supply = binder.plan.symbols.find(path).and_then(|path| binder.world.supply(path));
    let carved = supply.filter(|supply| binder.world.supplies[*supply].existing.is_none());
    let Some(supply) = carved else {
        let is_here =
            |tier: &&Tier| tier.kind == TierKind::Pool && binder.plan.symbols.text(tier.path) == path;
        if binder.world.tiers.iter().any(|tier| is_here(&tier)) {
            let message = format!("nothing is carved from the pool `{path}`: it says `carve = false`");
            let help = "allocate one of its existing volumes: `volume \"provider/instance/pool/NAME\"`";
            let span = part.lift(taken.holder.span);
            binder.problems.push(Diagnostic::error(Code::B0509, span, message).help(help));
            return;
        }
        let pools = binder.world.supplies.iter().filter(|supply| supply.existing.is_none());
        let known = pools.map(|supply| supply.path).collect();
        unknown(binder, part.lift(taken.holder.span), "pool", path, known);
        return;
    };
    bound.supplies.push(supply);
    for amount in &taken.amounts {
        let resource = binder.plan.symbols.intern(&amount.name);
        let stocks = binder.world.supplies[supply].stocks(resource).unwrap_or_default().to_vec();
        take(binder, part, amount, Side::Pool, resource, &stocks, bound);
    }
}

fn of_volume(binder: &mut Binder<'_>, part: &Part<'_>, taken: &UseRecord, bound: &mut Allocation) {
    let path = &taken.holder.text;
    let supply = binder.plan.symbols.find(path).and_then(|path| binder.world.supply(path));
    let existing =
        supply.and_then(|at| binder.world.supplies[at].existing.as_ref().map(|existing| (at, existing)));
    let Some((supply, existing)) = existing else {
        let volumes = binder.world.supplies.iter().filter(|supply| supply.existing.is_some());
        let known = volumes.map(|supply| supply.path).collect();
        unknown(binder, part.lift(taken.holder.span), "existing volume", path, known);
        return;
    };
    bound.takes.push(Take { stock: existing.users, amount: Taken::Scalar(MILLION) });
    bound
        .shares
        .extend(existing.whole.iter().map(|(name, _, amount)| (Side::Pool, *name, i128::from(*amount))));
    bound.supplies.push(supply);
}

/// Takes one amount from all its stocks, lowest tier first.
fn take(
    binder: &mut Binder<'_>,
    part: &Part<'_>,
    amount: &AmountRecord,
    side: Side,
    resource: Symbol,
    stocks: &[StockId],
    bound: &mut Allocation,
) {
    let span = part.lift(amount.span);
    if stocks.is_empty() {
        let message = format!("there is no `{}` to take there", amount.name);
        let help = "declare the resource where it is taken from, or remove the amount";
        binder.problems.push(Diagnostic::error(Code::B0509, span, message).help(help));
        return;
    }
    for (at, id) in stocks.iter().enumerate() {
        let Some(taken) = taken(binder, amount, *id) else {
            let message = format!("this is not a part of the `{}` there", amount.name);
            let help = "an allocation names a quantity of the same dimension, or the very ports or items";
            binder.problems.push(Diagnostic::error(Code::B0502, span, message).help(help));
            return;
        };
        if at == 0 {
            let share = match &taken {
                Taken::Scalar(amount) => i128::from(*amount),
                Taken::Set(set) => set.count() as i128 * i128::from(MILLION),
            };
            if ledger::total(binder.world.stock(*id)).is_some() {
                bound.shares.push((side, resource, share));
            }
        }
        bound.takes.push(Take { stock: *id, amount: taken });
    }
}

fn taken(binder: &Binder<'_>, amount: &AmountRecord, id: StockId) -> Option<Taken> {
    let stock = binder.world.stock(id);
    match (&stock.usable, &amount.amount) {
        (Quota::Unlimited | Quota::Scalar(_), raw) => {
            let dimension = if stock.usable == Quota::Unlimited { None } else { Some(stock.dimension) };
            let (found, amount) = scalar_of(raw, dimension.or(Some(stock.dimension)))?;
            (amount >= 0 && (found == stock.dimension || dimension.is_none()))
                .then_some(Taken::Scalar(amount))
        }
        (Quota::Ranges(all), RawAmount::Ranges(wanted)) => {
            all.contains_all(wanted).then(|| Taken::Set(wanted.clone()))
        }
        (Quota::Items(all), RawAmount::Items(wanted)) => {
            let number = |name: &String| {
                let symbol = binder.plan.symbols.find(name)?;
                all.iter().position(|item| *item == symbol).map(|at| (at as i64, at as i64))
            };
            wanted.iter().map(number).collect::<Option<Vec<_>>>().map(|parts| Taken::Set(Ranges::new(parts)))
        }
        (Quota::Ranges(_) | Quota::Items(_), _) => {
            debug_assert_eq!(stock.dimension, Dimension::Number);
            None
        }
    }
}
