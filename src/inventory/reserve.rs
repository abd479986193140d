//! Reservations made while a broker runs: each moves an amount from the unreserved part of a holding to the
//! part of a role.
//!
//! They change totals, not use. A reservation is made at every tier that has the resource; otherwise a tier
//! above could give away to others what the pool has promised to the role (decision 13).

use indexmap::IndexMap;

use super::{
    allocate::{amount_of, unknown},
    bind::{Binder, SourceRecords},
    ledger,
    records::{AmountRecord, ReservationRecord, TierKind, UseKind},
    stock::without_options,
    world::{HoldingId, PartKind, Stock, StockId, StockKind, Total},
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, no_reservation},
    ir::Amount,
    quantity::render,
    ranges::Ranges,
    source::Span,
    symbol::Symbol,
};

impl Binder<'_> {
    /// Applies all reservations, in order of name.
    pub(super) fn reservations(&mut self, parts: &[SourceRecords<'_>]) {
        let mut records: IndexMap<&str, (SourceRecords<'_>, &ReservationRecord)> = IndexMap::new();
        for part in parts {
            for record in &part.records.reservations {
                let name = record.name.text.as_str();
                let Some((first_part, first)) = records.get(name) else {
                    records.insert(name, (*part, record));
                    continue;
                };
                let (span, first) =
                    (part.to_run_span(record.name.span), first_part.to_run_span(first.name.span));
                let problem = declared_twice("reservation", name, span, first);
                self.problems.push(Diagnostic { code: Code::B0506, ..problem });
            }
        }
        records.sort_unstable_keys();
        for (part, record) in records.values() {
            self.reservation(part, record);
        }
    }

    /// Applies one reservation: each of its amounts, up to the first whose holder is unknown.
    pub(super) fn reservation(&mut self, part: &SourceRecords<'_>, record: &ReservationRecord) {
        let role = &record.role;
        if let Some(problem) = no_reservation(&role.text, part.to_run_span(role.span)) {
            self.problems.push(problem);
            return;
        }
        let role = self.plan.symbols.intern(&role.text);
        let holder = &record.of.holder;
        for amount in &record.of.amounts {
            let Some(tiers) = self.holdings_of(record.of.kind, &holder.text, &amount.name) else {
                self.no_holder(record.of.kind, &holder.text, part.to_run_span(holder.span));
                return;
            };
            self.reserve(part.to_run_span(amount.span), amount, &tiers, role);
        }
        if record.of.amounts.is_empty() && self.holdings_of(record.of.kind, &holder.text, "").is_none() {
            self.no_holder(record.of.kind, &holder.text, part.to_run_span(holder.span));
        }
    }

    fn no_holder(&mut self, kind: UseKind, name: &str, span: Span) {
        let problem = match kind {
            UseKind::Agent => {
                let agents = self.world.agents.iter().map(|agent| &agent.name);
                unknown(self, span, "agent", name, agents)
            }
            _ => {
                let pools = self.world.tiers.iter().filter(|tier| tier.kind == TierKind::Pool);
                unknown(self, span, "pool", name, pools.map(|tier| &tier.path))
            }
        };
        self.problems.push(problem);
    }

    /// Returns the holdings of a resource at each tier, lowest first; `None` for an unknown agent or pool.
    /// Pools with `carve = false` count, too: they are tiers, though no supplies.
    fn holdings_of(&self, kind: UseKind, name: &str, resource: &str) -> Option<Vec<HoldingId>> {
        let symbols = &self.plan.symbols;
        let name = symbols.find(name)?;
        let resource = symbols.find(resource);
        let of = |held: &[super::world::HoldingRef]| {
            held.iter().find(|held| Some(held.resource) == resource).map(|held| held.holding)
        };
        if kind == UseKind::Agent {
            let agent = self.world.agent(name)?;
            return Some(of(self.world.agents[agent].resources.list()).into_iter().collect());
        }
        let tiers = &self.world.tiers;
        let pool = |tier: &super::world::Tier| tier.kind == TierKind::Pool && tier.path == name;
        let mut at = Some(tiers.iter().position(pool)?);
        let mut found = Vec::new();
        // From the pool up to the provider.
        while let Some(tier) = at.map(|at| &tiers[at]) {
            found.extend(of(&tier.resources));
            at = tier.parent;
        }
        Some(found)
    }

    /// Reserves one amount at every tier that has the resource.
    fn reserve(&mut self, span: Span, record: &AmountRecord, tiers: &[HoldingId], role: Symbol) {
        let Some(lowest) = tiers.first() else {
            let message = format!("there is no `{}` to reserve there", record.name);
            let help = "declare the resource where it is reserved, or remove the amount";
            self.problems.push(Diagnostic::error(Code::B0509, span, message).help(help));
            return;
        };
        let Some(amount) = amount_of(self.world, &self.plan.symbols, record, *lowest) else {
            let message = format!("this is not a part of the `{}` there", record.name);
            let help = "a reservation names a quantity of the same dimension, or the very ports or items";
            self.problems.push(Diagnostic::error(Code::B0502, span, message).help(help));
            return;
        };
        for tier in tiers {
            if let Err(problem) = self.split_off(*tier, &amount, role, record, span) {
                self.problems.push(problem);
                return;
            }
        }
    }

    /// Moves an amount from the unreserved part of a holding to the part of the role, which is created if
    /// need be.
    fn split_off(
        &mut self,
        id: HoldingId,
        amount: &Amount,
        role: Symbol,
        record: &AmountRecord,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let holding = self.world.holding(id);
        let of_kind = |kind: PartKind| holding.parts.iter().find(|part| part.0 == kind).map(|part| part.1);
        let (open, kept) = (of_kind(PartKind::Unreserved), of_kind(PartKind::Reserved(role)));
        let usable = open.map(|id| self.world.stock(id).usable.clone());
        let (left, moved) = match &usable {
            // An unlimited part leaves enough for everyone: nothing moves.
            Some(Total::Unlimited) => return Ok(()),
            Some(quota) => split_quota(quota, amount),
            None => None,
        }
        .ok_or_else(|| self.too_much(id, open, record, amount, span))?;
        if let Some(open) = open {
            self.set(open, left);
        }
        match kept {
            Some(kept) => {
                let sum = joined(&self.world.stock(kept).usable, &moved);
                self.set(kept, sum);
            }
            None => {
                let (resource, side) = (self.world.holding(id).resource, self.world.holding(id).side);
                let kind = PartKind::Reserved(role);
                let dimension = self.world.holding(id).dimension;
                let stock = without_options(resource, side, StockKind::Part(kind), dimension, moved, span);
                // A part that an earlier version of the fleet had here gets its old number.
                let before = self.orphaned_parts.swap_remove(&(id, kind));
                let number = self.write_stock(before, stock);
                self.note_holding(id);
                self.world.holdings[id.0 as usize].parts.push((kind, number));
            }
        }
        Ok(())
    }

    /// Replaces the usable total of a stock. Items stay sorted by name.
    fn set(&mut self, id: StockId, mut quota: Total) {
        if let Total::Items(items) = &mut quota {
            items.sort_by(|a, b| self.plan.symbols.text(*a).cmp(self.plan.symbols.text(*b)));
        }
        let stock = Stock { usable: quota, ..self.world.stock(id).clone() };
        self.write_stock(Some(id), stock);
    }

    fn too_much(
        &self,
        id: HoldingId,
        open: Option<StockId>,
        record: &AmountRecord,
        amount: &Amount,
        span: Span,
    ) -> Diagnostic {
        let holding = self.world.holding(id);
        let there = open.and_then(|id| ledger::total(self.world.stock(id))).unwrap_or(0);
        let show = |amount| render(holding.dimension, amount);
        let message = match amount {
            Amount::Scalar(_, wanted, _) => {
                let (wanted, there) = (show(i128::from(*wanted)), show(there));
                format!("{wanted} of `{}` reserved, and only {there} is unreserved there", record.name)
            }
            _ => format!("some of these `{}` are not unreserved there", record.name),
        };
        Diagnostic::error(Code::B0517, span, message)
            .label("more than can be reserved")
            .also(holding.span, "the whole is declared here")
            .help("reserve less, or release another reservation of it")
    }
}

/// Divides a quota into the rest and the amount that is split off. Returns `None` if it has less than that.
fn split_quota(quota: &Total, amount: &Amount) -> Option<(Total, Total)> {
    match (quota, amount) {
        (Total::Scalar(there), Amount::Scalar(_, wanted, _)) => {
            (wanted <= there).then(|| (Total::Scalar(there - wanted), Total::Scalar(*wanted)))
        }
        (Total::Ranges(there), Amount::Ranges(wanted)) => {
            let is_there = wanted.minus(there).is_empty();
            is_there.then(|| (Total::Ranges(there.minus(wanted)), Total::Ranges(wanted.clone())))
        }
        (Total::Items(there), Amount::Items(wanted)) => {
            let (moved, left): (Vec<_>, Vec<_>) = there.iter().partition(|item| wanted.contains(item));
            (moved.len() == wanted.len()).then_some((Total::Items(left), Total::Items(moved)))
        }
        // An empty list reads as ranges, and may mean no items.
        (Total::Items(_), Amount::Ranges(none)) if none.is_empty() => {
            Some((quota.clone(), Total::Ranges(Ranges::default())))
        }
        _ => None,
    }
}

/// Returns the sum of two quotas of one form.
fn joined(one: &Total, other: &Total) -> Total {
    match (one, other) {
        (Total::Scalar(one), Total::Scalar(other)) => Total::Scalar(one.saturating_add(*other)),
        (Total::Ranges(one), Total::Ranges(other)) => Total::Ranges(one.union(other)),
        (Total::Items(one), Total::Items(other)) => Total::Items(one.iter().chain(other).copied().collect()),
        (Total::Ranges(none), other) | (other, Total::Ranges(none)) if none.is_empty() => other.clone(),
        _ => one.clone(),
    }
}
