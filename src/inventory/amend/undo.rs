//! Restores a fleet after a change that could not be completed. It reverses the steps of `apply`, from what
//! [`Undo`] and the undo log of the binder recorded.

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

/// The former state of everything that a change modified, and the positions of what it inserted.
#[derive(Debug, Default)]
pub(super) struct Undo {
    pub totals: IndexMap<(Side, Symbol), i128>,
    /// The number of limits of roles before the change.
    pub limits: usize,
    /// The number of stocks before the change.
    pub stocks: usize,
    /// The names of the agents that the change puts.
    pub put: Vec<Symbol>,
    /// The former rows of the agents that stay, with their positions before the change.
    pub agents: Vec<(usize, Agent)>,
    pub agents_moved: Moved,
    pub agents_out: Vec<Agent>,
    /// The former tiers and supplies, if any provider was bound again.
    pub storage: Option<(Vec<Tier>, Vec<Supply>)>,
    pub supplies_moved: Moved,
    /// The allocations that were removed. `allocations_at` has their positions before the change.
    pub allocations: Vec<Allocation>,
    pub allocations_at: Vec<usize>,
    /// The positions at which allocations were inserted.
    pub allocations_in: Vec<usize>,
}

impl Undo {
    pub fn new(world: &World) -> Undo {
        Undo { limits: world.limits.len(), stocks: world.stocks.len(), ..Undo::default() }
    }
}

impl Work<'_, '_> {
    /// Restores the world and the ledger as they were before the change.
    pub fn take_back(&mut self) {
        let undo = std::mem::take(&mut self.undo);
        let world = &mut *self.binder.world;
        // New takes are released first, as long as their stocks are in the table.
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
        // A rank counts the rows that stay: a position, less the removed rows before it.
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
        // Existing volumes and allocations take again only from the restored stocks.
        world.totals = undo.totals;
        world.limits.truncate(undo.limits);
        let takes = undo.allocations.iter().flat_map(|allocation| &allocation.takes);
        takes.for_each(|take| self.ledger.take(take));
        let places = undo.allocations_at.iter().enumerate().map(|(before, at)| at - before);
        put_in(&mut world.allocations, &places.collect::<Vec<usize>>(), undo.allocations);
    }

    /// Restores the tables of stocks and holdings. The undo log is replayed backwards, so that the last entry
    /// that is applied to a row is the oldest.
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
