//! Undoing a change that could not be made whole.

use indexmap::IndexMap;

use super::{
    apply::Work,
    rows::{Moved, put_in, take_out},
};
use crate::{
    inventory::{
        holding::UndoEntry,
        world::{Agent, Allocation, StockId, Supply, Tier, World},
    },
    symbol::Symbol,
    types::Side,
};

/// What was there before a change, and what came.
#[derive(Debug, Default)]
pub(super) struct Undo {
    pub totals: IndexMap<(Side, Symbol), i128>,
    /// How many limits of roles there were.
    pub limits: usize,
    /// How many stocks there were.
    pub stocks: usize,
    /// Agents that are put.
    pub put: Vec<Symbol>,
    /// Agents that stay, as they were, at their positions before.
    pub agents: Vec<(usize, Agent)>,
    pub agents_moved: Moved,
    pub agents_out: Vec<Agent>,
    /// Tiers and supplies as they were, where any was bound again.
    pub storage: Option<(Vec<Tier>, Vec<Supply>)>,
    pub supplies_moved: Moved,
    /// Allocations that were taken out, and their positions before.
    pub allocations: Vec<Allocation>,
    pub allocations_at: Vec<usize>,
    /// Where allocations were put in.
    pub allocations_in: Vec<usize>,
}

impl Undo {
    pub fn new(world: &World) -> Undo {
        Undo { limits: world.limits.len(), stocks: world.stocks.len(), ..Undo::default() }
    }
}

impl Work<'_, '_> {
    /// Everything is as it was before the change.
    pub fn take_back(&mut self) {
        let undo = std::mem::take(&mut self.undo);
        let world = &mut *self.binder.world;
        for allocation in take_out(&mut world.allocations, &undo.allocations_in) {
            allocation.takes.iter().for_each(|take| self.ledger.release(take));
        }
        for allocation in &mut world.allocations {
            allocation.agent = allocation.agent.map(|at| undo.agents_moved.from(at));
            allocation.supplies.iter_mut().for_each(|at| *at = undo.supplies_moved.from(*at));
        }
        let touched = |supply: &&Supply| self.staged.providers.contains_key(&supply.provider);
        if undo.storage.is_some() {
            let carved = world.supplies.iter().filter(touched).filter_map(|supply| supply.existing.as_ref());
            carved.flat_map(|volume| &volume.takes).for_each(|take| self.ledger.release(take));
        }
        take_out(&mut world.agents, &undo.agents_moved.inserted());
        let removed = undo.agents_moved.removed.iter().enumerate().map(|(before, at)| at - before);
        put_in(&mut world.agents, &removed.collect::<Vec<usize>>(), undo.agents_out);
        for (at, agent) in undo.agents {
            world.agents[at] = agent;
        }
        if !undo.agents_moved.is_empty() {
            world.agent_names = world.agents.iter().enumerate().map(|(at, agent)| (agent.name, at)).collect();
        }
        let rebound = undo.storage.is_some();
        if let Some((tiers, supplies)) = undo.storage {
            (world.tiers, world.supplies) = (tiers, supplies);
            world.supply_paths = world.supplies.iter().enumerate().map(|(at, one)| (one.path, at)).collect();
        }
        self.tables();
        let world = &mut *self.binder.world;
        if rebound {
            let touched = |supply: &&Supply| self.staged.providers.contains_key(&supply.provider);
            let carved = world.supplies.iter().filter(touched).filter_map(|supply| supply.existing.as_ref());
            carved.flat_map(|volume| &volume.takes).for_each(|take| self.ledger.take(take));
        }
        world.totals = undo.totals;
        world.limits.truncate(undo.limits);
        let takes = undo.allocations.iter().flat_map(|allocation| &allocation.takes);
        takes.for_each(|take| self.ledger.take(take));
        let places = undo.allocations_at.iter().enumerate().map(|(before, at)| at - before);
        put_in(&mut world.allocations, &places.collect::<Vec<usize>>(), undo.allocations);
    }

    /// The tables of stocks and holdings as they were.
    fn tables(&mut self) {
        let world = &mut *self.binder.world;
        let mut restored: Vec<StockId> = Vec::new();
        for entry in self.binder.undo_log.take().into_iter().flatten().rev() {
            match entry {
                UndoEntry::Stock(id, old) => {
                    world.stocks[id.0 as usize] = *old;
                    restored.push(id);
                }
                UndoEntry::StockAdded => drop(world.stocks.pop()),
                UndoEntry::StockTaken(id) => world.free_stocks.push(id),
                UndoEntry::StockFreed => drop(world.free_stocks.pop()),
                UndoEntry::Holding(id, old) => world.holdings[id.0 as usize] = *old,
                UndoEntry::HoldingAdded => drop(world.holdings.pop()),
                UndoEntry::HoldingTaken(id) => world.free_holdings.push(id),
                UndoEntry::HoldingFreed => drop(world.free_holdings.pop()),
            }
        }
        self.ledger.shorten(world);
        for id in restored.into_iter().filter(|id| (id.0 as usize) < world.stocks.len()) {
            self.ledger.fit(world, id);
        }
    }
}
