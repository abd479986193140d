//! A fleet in words, and what someone keeps of it who looks only at what is said to have changed.

use std::collections::BTreeMap;

use bourse::{
    Fleet,
    inventory::{
        ledger::{self, Ledger},
        world::{HoldingId, PartKind, StockId, StockKind, World},
    },
    live::{FleetChanges, RowChanges},
    output::{self, Detail, View},
};

use crate::properties::cycle;

/// Where a stock is, in words that do not depend on numbers.
pub fn holders(fleet: &Fleet) -> BTreeMap<StockId, String> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let text = |symbol| plan.symbols.text(symbol);
    let mut out = BTreeMap::new();
    let mut add = |holder: &str, id: HoldingId| {
        let holding = world.holding(id);
        for (_, stock) in &holding.parts {
            let kind = match world.stock(*stock).kind {
                StockKind::Part(PartKind::Reserved(role)) => text(role).to_owned(),
                other => format!("{other:?}"),
            };
            let (step, min, max) = (holding.step, holding.min, holding.max);
            let name = format!("{holder} {} {kind} {step} {min} {max:?}", text(holding.resource));
            assert!(out.insert(*stock, name).is_none(), "a stock is of two holders");
        }
    };
    for agent in &world.agents {
        agent.resources.iter().for_each(|held| add(&format!("agent {}", text(agent.name)), held.holding));
    }
    for tier in &world.tiers {
        tier.resources.iter().for_each(|held| add(text(tier.path), held.holding));
    }
    for supply in world.supplies.iter() {
        if let Some(existing) = &supply.existing {
            out.insert(existing.users, format!("{} users", text(supply.path)));
        }
    }
    for ((role, side, resource), id) in &world.limits {
        out.insert(*id, format!("limit of {} {side} {}", text(*role), text(*resource)));
    }
    out
}

/// Everything that is to be the same, in words.
pub fn digest(fleet: &Fleet) -> Vec<String> {
    let (plan, world, ledger) = (fleet.plan(), fleet.world(), fleet.ledger());
    let text = |symbol| plan.symbols.text(symbol);
    let holders = holders(fleet);
    let mut out: Vec<String> = Vec::new();
    for (id, holder) in &holders {
        let (total, used) = (ledger::total(world.stock(*id)), ledger.used(*id));
        out.push(format!("{holder}: {total:?} {used} {:?}", ledger.free_set(world, *id)));
    }
    for ((side, resource), total) in world.totals.iter().filter(|(_, total)| **total != 0) {
        out.push(format!("total {side} {} {total}", text(*resource)));
    }
    for allocation in &world.allocations {
        let mut takes: Vec<String> = allocation
            .takes
            .iter()
            .map(|take| format!("{} {:?}", holders[&take.stock], take.amount))
            .collect();
        takes.sort();
        let agent = allocation.agent.map(|at| text(world.agents[at].name));
        let supplies: Vec<&str> =
            allocation.supplies.iter().map(|at| text(world.supplies[*at].path)).collect();
        let mut shares: Vec<String> = allocation
            .shares
            .iter()
            .map(|(side, resource, amount)| format!("{side} {} {amount}", text(*resource)))
            .collect();
        shares.sort();
        out.push(format!("{} {agent:?} {supplies:?} {takes:?} {shares:?}", text(allocation.name)));
    }
    out.sort();
    let again = Ledger::new(world);
    assert!(
        holders.keys().all(|id| again.used(*id) == ledger.used(*id)),
        "the ledger is not of the allocations"
    );
    out
}

pub fn offers(fleet: &Fleet) -> String {
    output::offers_json(&cycle(fleet), View::Operator, Detail::All)
}

/// What someone keeps beside the rows, who looks only at what is said to have changed.
#[derive(Default)]
pub struct Mirror {
    agents: Vec<String>,
    supplies: Vec<String>,
    stocks: BTreeMap<StockId, String>,
}

pub fn held(world: &World, id: HoldingId) -> String {
    let holding = world.holding(id);
    let totals: Vec<_> = holding.parts.iter().map(|part| (part, &world.stock(part.1).usable)).collect();
    format!("{id:?} {totals:?} {} {} {:?}", holding.step, holding.min, holding.max)
}

pub fn agent_row(fleet: &Fleet, at: usize) -> String {
    let row = &fleet.world().agents[at];
    let resources: Vec<String> = row.resources.iter().map(|one| held(fleet.world(), one.holding)).collect();
    format!("{:?} {:?} {:?} {} {resources:?}", row.name, row.placement, row.cells, row.rules)
}

pub fn supply_row(fleet: &Fleet, at: usize) -> String {
    let (world, row) = (fleet.world(), &fleet.world().supplies[at]);
    let resources: Vec<String> =
        row.resources.iter().flat_map(|(_, tiers)| tiers).map(|id| held(world, *id)).collect();
    let volume = row.existing.as_ref().map(|one| {
        (
            one.filesystem,
            one.read_only,
            one.users,
            &world.stock(one.users).usable,
            &one.whole,
            one.reserved_for,
        )
    });
    let rules: Vec<usize> = row.chain.iter().map(|tier| world.tiers[*tier].rules).collect();
    format!("{:?} {:?} {:?} {rules:?} {resources:?} {volume:?}", row.path, row.placement, row.cells)
}

pub fn stock_row(fleet: &Fleet, id: StockId) -> String {
    format!("{:?} {}", fleet.world().stock(id).usable, fleet.ledger().used(id))
}

pub fn follow(kept: &mut Vec<String>, rows: &RowChanges, row: impl Fn(usize) -> String) {
    rows.removed.iter().rev().for_each(|at| drop(kept.remove(*at)));
    rows.inserted.iter().for_each(|at| kept.insert(*at, row(*at)));
    rows.changed.iter().for_each(|at| kept[*at] = row(*at));
}

impl Mirror {
    pub fn of(fleet: &Fleet) -> Mirror {
        let (agents, supplies) = (fleet.world().agents.len(), fleet.world().supplies.len());
        Mirror {
            agents: (0..agents).map(|at| agent_row(fleet, at)).collect(),
            supplies: (0..supplies).map(|at| supply_row(fleet, at)).collect(),
            stocks: holders(fleet).into_keys().map(|id| (id, stock_row(fleet, id))).collect(),
        }
    }

    pub fn follow(&mut self, fleet: &Fleet, changed: &FleetChanges) {
        follow(&mut self.agents, &changed.agents, |at| agent_row(fleet, at));
        follow(&mut self.supplies, &changed.supplies, |at| supply_row(fleet, at));
        changed.stocks.iter().filter(|id| (id.0 as usize) < fleet.world().stocks.len()).for_each(|id| {
            self.stocks.insert(*id, stock_row(fleet, *id));
        });
    }

    pub fn assert_is(&self, fleet: &Fleet, what: &str) {
        let now = Mirror::of(fleet);
        assert_eq!(self.agents, now.agents, "{what}: what changed of agents");
        assert_eq!(self.supplies, now.supplies, "{what}: what changed of supplies");
        for (id, row) in &now.stocks {
            assert_eq!(self.stocks.get(id), Some(row), "{what}: what changed of stocks");
        }
    }
}
