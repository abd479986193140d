//! A fleet → its wire form: what there is, what is used, what is free.

use indexmap::{IndexMap, IndexSet};

use super::{
    amounts,
    wire::{AgentStock, Amount, FLEET_FORMAT, Fields, Stock, Sums, TierStock, Totals, VERSION},
};
use crate::{
    Fleet,
    inventory::{
        ledger,
        world::{Held, StockId},
    },
    quantity::{Dimension, render},
    symbol::Symbol,
};

/// The wire form of a fleet, before any offer.
pub fn stock(fleet: &Fleet) -> Stock {
    let (plan, world) = (fleet.plan(), fleet.world());
    let text = |symbol: Symbol| plan.symbols.text(symbol).to_owned();
    let totals = |held: &Held| (text(held.resource), of_stock(fleet, held.stock));
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
    let of_agents = world.agents.iter().flat_map(|agent| &agent.resources).map(|held| held.stock);
    // Each resource at the lowest tier that has it: what pools share is counted once.
    let pools = world.supplies.iter().filter(|supply| supply.existing.is_none());
    let lowest = pools.flat_map(|pool| &pool.resources).filter_map(|(_, stocks)| stocks.first().copied());
    let of_storage: IndexSet<StockId> = lowest.collect();
    Stock {
        format: FLEET_FORMAT,
        version: VERSION,
        agents: agents.collect(),
        storage: storage.collect(),
        sums: Sums { agents: sums(fleet, of_agents), storage: sums(fleet, of_storage.into_iter()) },
    }
}

fn of_stock(fleet: &Fleet, id: StockId) -> Totals {
    let (plan, world) = (fleet.plan(), fleet.world());
    let stock = world.stock(id);
    Totals {
        total: amounts::total(plan, stock),
        used: Amount::Scalar(render(stock.dimension, fleet.ledger().used(id))),
        free: amounts::free(plan, world, fleet.ledger(), id),
    }
}

/// Sums by resource; of ranges and items how many.
fn sums(fleet: &Fleet, stocks: impl Iterator<Item = StockId>) -> Fields<Totals> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let mut sums: IndexMap<Symbol, (Dimension, Option<i128>, i128)> = IndexMap::new();
    for id in stocks {
        let stock = world.stock(id);
        let sum = sums.entry(stock.resource).or_insert((stock.dimension, Some(0), 0));
        sum.1 = sum.1.zip(ledger::total(stock)).map(|(sum, total)| sum + total);
        sum.2 += fleet.ledger().used(id);
    }
    let amount = |dimension, amount: Option<i128>| {
        Amount::Scalar(amount.map_or("unlimited".to_owned(), |amount| render(dimension, amount)))
    };
    sums.into_iter()
        .map(|(resource, (dimension, total, used))| {
            let totals = Totals {
                total: amount(dimension, total),
                used: amount(dimension, Some(used)),
                free: amount(dimension, total.map(|total| total - used)),
            };
            (plan.symbols.text(resource).to_owned(), totals)
        })
        .collect()
}
