//! Finds the rows and stocks that a change modified, by comparing the former rows that it recorded with those
//! of the world.

use indexmap::IndexMap;

use super::{
    apply::Work,
    rows::{FleetChanges, RowChanges},
};
use crate::inventory::{
    holding::UndoEntry,
    world::{Holding, HoldingId, Stock, StockId, Supply, Tier, Total},
};

impl Work<'_, '_> {
    /// Returns the rows and stocks that differ. A row that was bound again and is equal to the former one is
    /// left out: indexes compute every changed row anew.
    pub fn changed(&self) -> FleetChanges {
        let world = &*self.binder.world;
        let mut holdings: IndexMap<HoldingId, &Holding> = IndexMap::new();
        let mut stocks: IndexMap<StockId, &Stock> = IndexMap::new();
        for entry in self.binder.undo_log.iter().flatten() {
            match entry {
                UndoEntry::Stock(id, old) => drop(stocks.entry(*id).or_insert(old)),
                UndoEntry::Holding(id, old) => drop(holdings.entry(*id).or_insert(old)),
                _ => {}
            }
        }
        // The log may have several entries for a stock or holding. The first has the state before the change,
        // and `or_insert` keeps it.
        let total_is_other =
            |id: StockId| stocks.get(&id).is_some_and(|old| old.usable != world.stock(id).usable);
        let is_other = |id: HoldingId| {
            let now = world.holding(id);
            holdings.get(&id).is_some_and(|old| {
                (&old.parts, old.step, old.min, old.max) != (&now.parts, now.step, now.min, now.max)
            }) || now.parts.iter().any(|part| total_is_other(part.1))
        };
        let mut touched: Vec<StockId> = stocks.keys().copied().filter(|id| total_is_other(*id)).collect();
        let added = self.undo.stocks..world.stocks.len();
        touched.extend(added.map(|at| StockId(at as u32)));
        let now = self.undo.allocations_in.iter().map(|at| &world.allocations[*at]);
        let takes = self.undo.allocations.iter().chain(now).flat_map(|allocation| &allocation.takes);
        touched.extend(takes.map(|take| take.stock));
        if let Some((_, before)) = &self.undo.storage {
            let of_change = |supply: &&Supply| self.staged.providers.contains_key(&supply.provider);
            let volumes = before.iter().chain(&world.supplies).filter(of_change);
            let carved = volumes.filter_map(|supply| supply.existing.as_ref()).flat_map(|one| &one.takes);
            touched.extend(carved.map(|take| take.stock));
        }
        touched.sort_unstable();
        touched.dedup();
        let agents = self.changed_agents(is_other);
        FleetChanges { agents, supplies: self.changed_supplies(is_other), stocks: touched }
    }

    fn changed_agents(&self, is_other: impl Fn(HoldingId) -> bool) -> RowChanges {
        let (world, moved) = (&*self.binder.world, &self.undo.agents_moved);
        let changed = self.undo.agents.iter().filter_map(|(at, old)| {
            let at = moved.to(*at);
            let now = &world.agents[at];
            let same = old.cells == now.cells
                && old.placement == now.placement
                && old.rules == now.rules
                && old.resources == now.resources
                && !now.resources.iter().any(|held| is_other(held.holding));
            (!same).then_some(at)
        });
        let mut changed: Vec<usize> = changed.collect();
        changed.sort_unstable();
        RowChanges { removed: moved.removed.clone(), inserted: moved.inserted(), changed }
    }

    fn changed_supplies(&self, is_other: impl Fn(HoldingId) -> bool) -> RowChanges {
        let (world, moved) = (&*self.binder.world, &self.undo.supplies_moved);
        let Some((tiers, supplies)) = &self.undo.storage else { return RowChanges::default() };
        let changed = supplies.iter().enumerate().filter_map(|(at, old)| {
            if moved.removed.binary_search(&at).is_ok() || !self.staged.providers.contains_key(&old.provider)
            {
                return None;
            }
            let at = moved.to(at);
            let now = &world.supplies[at];
            let rules = |supply: &Supply, tiers: &[Tier]| {
                supply.chain.iter().map(|tier| tiers[*tier].rules).collect::<Vec<usize>>()
            };
            let volume = |supply: &Supply| {
                supply.existing.as_ref().map(|one| {
                    let whole = one.whole.clone();
                    (one.filesystem, one.read_only, one.users, whole, one.reserved_for)
                })
            };
            let users_differ = now.existing.as_ref().is_some_and(|one| {
                self.old_total(one.users).is_some_and(|old| *old != world.stock(one.users).usable)
            });
            let same = old.cells == now.cells
                && old.placement == now.placement
                && old.resources == now.resources
                && volume(old) == volume(now)
                && rules(old, tiers) == rules(now, &world.tiers)
                && !users_differ
                && !now.resources.iter().flat_map(|(_, tiers)| tiers).any(|id| is_other(*id));
            (!same).then_some(at)
        });
        RowChanges { removed: moved.removed.clone(), inserted: moved.inserted(), changed: changed.collect() }
    }

    fn old_total(&self, id: StockId) -> Option<&Total> {
        self.binder.undo_log.iter().flatten().find_map(|entry| match entry {
            UndoEntry::Stock(known, old) if *known == id => Some(&old.usable),
            _ => None,
        })
    }
}
