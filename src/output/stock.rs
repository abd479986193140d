//! A fleet as a wire form: its totals, and the used and free amounts.

use indexmap::{IndexMap, IndexSet};

use super::{
    amounts::AmountWriter,
    wire::{
        AgentStock, FLEET_FORMAT, FleetDocument, OrderedFields, Sums, TierStock, Totals, VERSION,
        WrittenAmount,
    },
};
use crate::{
    Fleet,
    inventory::{
        ledger,
        world::{HoldingId, HoldingRef},
    },
    quantity::{Dimension, render},
    symbol::Symbol,
};

/// Makes the wire form of a fleet before any offer.
pub fn stock(fleet: &Fleet) -> FleetDocument {
    let (plan, world) = (fleet.plan(), fleet.world());
    let text = |symbol: Symbol| plan.symbols.text(symbol).to_owned();
    let shown = AmountWriter { plan, world, ledger: fleet.ledger() };
    let totals = |held: &HoldingRef| (text(held.resource), shown.totals(held.holding));
    let agents = world.agents.iter().map(|agent| AgentStock {
        name: text(agent.name),
        domain: agent.placement.domain.map(text),
        resources: agent.resources.iter().map(totals).collect(),
    });
    let storage = world.tiers.iter().map(|tier| TierStock {
        kind: tier.kind.name(),
        path: text(tier.path),
        resources: tier.resources.iter().map(totals).collect(),
    });
    let of_agents = world.agents.iter().flat_map(|agent| &agent.resources).map(|held| held.holding);
    // Each resource is counted at the lowest tier that has it, and once for all the pools that share it.
    let pools = world.supplies.iter().filter(|supply| supply.existing.is_none());
    let lowest = pools.flat_map(|pool| &pool.resources).filter_map(|(_, tiers)| tiers.first().copied());
    let of_storage: IndexSet<HoldingId> = lowest.collect();
    FleetDocument {
        format: FLEET_FORMAT,
        version: VERSION,
        agents: agents.collect(),
        storage: storage.collect(),
        sums: Sums { agents: sums(fleet, of_agents), storage: sums(fleet, of_storage.into_iter()) },
    }
}

/// Returns sums by resource. For ranges and items, their number.
fn sums(fleet: &Fleet, holdings: impl Iterator<Item = HoldingId>) -> OrderedFields<Totals> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let mut sums: IndexMap<Symbol, (Dimension, Option<i128>, i128)> = IndexMap::new();
    for holding in holdings.map(|id| world.holding(id)) {
        let sum = sums.entry(holding.resource).or_insert((holding.dimension, Some(0), 0));
        // The sums leave revocable parts out.
        for id in holding.firm() {
            sum.1 = sum.1.zip(ledger::total(world.stock(id))).map(|(sum, total)| sum + total);
            sum.2 += fleet.ledger().used(id);
        }
    }
    let amount = |dimension, amount: Option<i128>| {
        WrittenAmount::Scalar(amount.map_or("unlimited".to_owned(), |amount| render(dimension, amount)))
    };
    sums.into_iter()
        .map(|(resource, (dimension, total, used))| {
            let totals = Totals {
                total: amount(dimension, total),
                used: amount(dimension, Some(used)),
                free: amount(dimension, total.map(|total| total - used)),
                parts: Vec::new(),
            };
            (plan.symbols.text(resource).to_owned(), totals)
        })
        .collect()
}
