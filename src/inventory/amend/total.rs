//! Sets the total of one resource, as heartbeats report it. Nothing is bound or taken again, so that only
//! resources with a single plain part qualify; all others go through a full change.

use super::{
    BoundParts, FleetChanges,
    known::{Known, provider_of},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::{
        records::{PartRecord, RawAmount, TierKind, TierRecord},
        world::{HoldingId, HoldingRef, PartKind, StockId, Tier, Total, World},
    },
    quantity::{Quantity, render},
    symbol::Symbols,
};

/// A holder of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// An agent, by its name.
    Agent(&'a str),
    /// A provider, instance or pool, by its path.
    Storage(&'a str),
}

impl Holder<'_> {
    fn show(&self) -> String {
        match self {
            Holder::Agent(name) => format!("agent `{name}`"),
            Holder::Storage(path) => format!("`{path}`"),
        }
    }
}

impl Known {
    /// Sets the total of a resource that has one unreserved part without `overcommit`. Returns `None` if it
    /// has that total already.
    ///
    /// # Errors
    /// Returns an error if the holder or the resource is unknown, if the total cannot be set alone or has
    /// another dimension, or if it is negative or below the amount in use.
    pub fn set_total(
        &mut self,
        bound: BoundParts<'_>,
        holder: Holder<'_>,
        resource: &str,
        total: Quantity,
    ) -> Result<Option<FleetChanges>, Diagnostic> {
        let BoundParts { plan, world, ledger } = bound;
        let (at, id) = find(&plan.symbols, world, holder, resource)?;
        let stock = plain_part(world, id).ok_or_else(|| not_alone(holder, resource))?;
        let dimension = world.holding(id).dimension;
        if total.dimension != dimension {
            let message = format!(
                "`{resource}` of {} is a {dimension}, and {total} is a {}",
                holder.show(),
                total.dimension
            );
            let help = "give it in the unit in which the fleet has it";
            return Err(Diagnostic::without_place(Code::B0502, message).help(help));
        }
        if total.amount < 0 {
            let message = format!("a negative amount of `{resource}`");
            return Err(Diagnostic::without_place(Code::B0507, message).help("an amount is 0 or more"));
        }
        let used = ledger.used(stock);
        if i128::from(total.amount) < used {
            let used = render(dimension, used);
            let message =
                format!("{used} of `{resource}` of {} is allocated, and only {total} there", holder.show());
            let help = "end allocations that take from it, or correct the amount";
            return Err(Diagnostic::without_place(Code::B0508, message).help(help));
        }
        let quota = Total::Scalar(total.amount);
        if world.stock(stock).usable == quota {
            return Ok(None);
        }
        let mut changed = FleetChanges { stocks: vec![stock], ..FleetChanges::default() };
        // A holding that counts towards the totals of the fleet leaves them with the old amount, and joins
        // them with the new one.
        let counts = match holder {
            Holder::Agent(_) => {
                changed.agents.changed.push(at);
                true
            }
            Holder::Storage(path) => {
                self.set_record(&plan.symbols, path, resource, total);
                let provider = plan.symbols.find(provider_of(path));
                let supplies = world.supplies.iter().enumerate();
                let below = supplies
                    .filter(|(_, supply)| Some(supply.provider) == provider && supply.chain.contains(&at));
                let below: Vec<usize> = below.map(|(supply, _)| supply).collect();
                let counts = below.iter().any(|supply| world.counted(&world.supplies[*supply]).contains(&id));
                changed.supplies.changed = below;
                counts
            }
        };
        if counts {
            world.count(id, -1);
        }
        let stock = &mut world.stocks[stock.0 as usize];
        (stock.declared, stock.usable) = (quota.clone(), quota);
        if counts {
            world.count(id, 1);
        }
        Ok(Some(changed))
    }

    /// Sets the total in the record of a tier too, from which a later change may bind the provider again.
    fn set_record(&mut self, symbols: &Symbols, path: &str, resource: &str, total: Quantity) {
        let mut names = path.split('/');
        let provider = names.next().and_then(|name| symbols.find(name));
        let Some(known) = provider.and_then(|provider| self.providers.get_mut(&provider)) else { return };
        let mut tier: &mut TierRecord = &mut known.record;
        for name in names {
            let Some(child) = tier.children.iter_mut().find(|child| child.name.text == name) else { return };
            tier = child;
        }
        let mut records = tier.resources.iter_mut();
        let stated = records.find(|known| known.name == resource && known.part == PartRecord::Unreserved);
        stated.into_iter().for_each(|stated| stated.amount = RawAmount::Quantity(total));
    }
}

/// Returns the position of a holder, and its holding of a resource.
fn find(
    symbols: &Symbols,
    world: &World,
    holder: Holder<'_>,
    resource: &str,
) -> Result<(usize, HoldingId), Diagnostic> {
    let found: Option<(usize, &[HoldingRef])> = match holder {
        Holder::Agent(name) => {
            let at = symbols.find(name).and_then(|name| world.agent(name));
            at.map(|at| (at, world.agents[at].resources.list()))
        }
        Holder::Storage(path) => {
            let path = symbols.find(path);
            let is_it = |tier: &Tier| Some(tier.path) == path && tier.kind != TierKind::Volume;
            let at = world.tiers.iter().position(is_it);
            at.map(|at| (at, world.tiers[at].resources.as_slice()))
        }
    };
    let Some((at, held)) = found else {
        let message = format!("there is no {}", holder.show());
        let help = "put it first, with all that it has";
        return Err(Diagnostic::without_place(Code::B0523, message).help(help));
    };
    let resource_name = symbols.find(resource);
    let held = held.iter().find(|held| Some(held.resource) == resource_name);
    held.map(|held| (at, held.holding)).ok_or_else(|| {
        let message = format!("{} has no `{resource}`", holder.show());
        Diagnostic::without_place(Code::B0523, message).help("put it first, with all that it has")
    })
}

/// Returns the stock of a holding that consists of one unreserved part, if its total is a number and as
/// declared.
fn plain_part(world: &World, id: HoldingId) -> Option<StockId> {
    let [(PartKind::Unreserved, id)] = world.holding(id).parts.as_slice() else { return None };
    let stock = world.stock(*id);
    (matches!(stock.usable, Total::Scalar(_)) && !stock.is_adjusted).then_some(*id)
}

fn not_alone(holder: Holder<'_>, resource: &str) -> Diagnostic {
    let message = format!("the total of `{resource}` of {} cannot be set alone", holder.show());
    let help = "it has several parts, `reserved`, `overcommit`, or no total: give all that its holder has";
    Diagnostic::without_place(Code::B0518, message).help(help)
}
