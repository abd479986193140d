//! Applies a staged change: removes and inserts rows, and takes the amounts of the affected allocations
//! again.

use indexmap::{IndexMap, IndexSet};

use super::{
    BoundParts, FleetChange, FleetChanges,
    known::{From, Known, provider_of},
    rows::{Moved, put_in, take_out},
    stage::{Stage, Staged},
    undo::Undo,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::{
        allocate::{self, KeptUse},
        bind::{Binder, TypeTable},
        holding::{HoldingDraft, PreviousRow, UndoEntry},
        ledger::{self, Ledger},
        records::{AllocationRecord, AttachedVolume, TierRecord, UseKind, UseRecord},
        world::{Agent, Allocation, HoldingId, StockId, Supply, Tier, Total, World},
    },
    source::Sources,
    symbol::Symbol,
    types::Side,
};

impl Known {
    /// Applies a change: all of it, or nothing. Returns the rows and stocks that it modified, and its
    /// warnings.
    ///
    /// # Errors
    /// Returns every problem of the change.
    pub fn apply(
        &mut self,
        bound: BoundParts<'_>,
        change: &FleetChange<'_>,
        sources: &Sources,
    ) -> Result<(FleetChanges, Vec<Diagnostic>), Vec<Diagnostic>> {
        let BoundParts { plan, world, ledger } = bound;
        let units = self.typing.units.len();
        let mut binder = Binder::new(&mut *plan, &mut *world, std::mem::take(&mut self.typing));
        let staged = Staged::default();
        let mut stage = Stage { known: self, binder: &mut binder, sources, staged, rules_now: None };
        stage.change(change);
        let mut staged = stage.staged;
        let Binder { typing, mut problems, .. } = binder;
        if problems.iter().any(Diagnostic::is_error) {
            return Err(self.refused(typing, units, problems));
        }
        let mut binder = Binder::new(&mut *plan, world, typing);
        (binder.problems, binder.undo_log) = (problems, Some(Vec::new()));
        let put = std::mem::take(&mut staged.agents);
        let mut work = Work::new(self, &staged, put, binder, ledger);
        work.make(units);
        if work.binder.problems.iter().any(Diagnostic::is_error) {
            work.take_back();
            let Binder { typing, problems, .. } = work.binder;
            return Err(self.refused(typing, units, problems));
        }
        let changed = work.changed();
        let Work { binder: Binder { typing, problems: found, .. }, undo, .. } = work;
        self.typing = typing;
        self.commit(&mut plan.symbols, staged);
        let brought = undo.put.iter().filter_map(|name| world.agent(*name));
        brought.for_each(|at| self.stands_in(world.agents[at].span.source));
        for agent in undo.agents.iter().map(|(_, agent)| agent).chain(&undo.agents_out) {
            self.left(agent.span.source);
        }
        problems = found;
        problems.retain(|problem| problem.code != Code::B0316 && is_of(problem, change));
        Ok((changed, problems))
    }

    fn refused(&mut self, typing: TypeTable, units: usize, mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
        self.typing = typing;
        self.typing.units.truncate(units);
        problems.retain(Diagnostic::is_error);
        problems
    }

    /// Replaces the kept records by the staged ones, and counts the rows of each source.
    fn commit(&mut self, symbols: &mut crate::symbol::Symbols, staged: Staged) {
        for (name, next) in staged.providers {
            let source = |known: &From<TierRecord>| known.part().to_run_span(known.record.name.span).source;
            next.iter().for_each(|next| self.stands_in(source(next)));
            let old = match next {
                Some(next) => self.providers.insert(name, next),
                None => self.providers.shift_remove(&name),
            };
            old.iter().for_each(|old| self.left(source(old)));
        }
        let gone = staged.gone_puts.into_iter().map(|path| (path, None));
        let puts = staged.puts.into_iter().map(|(path, put)| (path, Some(put)));
        for (path, put) in gone.chain(puts) {
            let source =
                |known: &From<AttachedVolume>| known.part().to_run_span(known.record.path.span).source;
            put.iter().for_each(|put| self.stands_in(source(put)));
            let old = match put {
                Some(put) => self.puts.insert(path, put),
                None => self.puts.shift_remove(&path),
            };
            old.iter().for_each(|old| self.left(source(old)));
        }
        let gone = staged.gone_allocations.into_iter().map(|name| (name, None));
        let put = staged.allocations.into_iter().map(|(name, record)| (name, Some(record)));
        for (name, record) in gone.chain(put) {
            let source =
                |known: &From<AllocationRecord>| known.part().to_run_span(known.record.name.span).source;
            record.iter().for_each(|record| self.stands_in(source(record)));
            if let Some(old) = self.allocations.swap_remove(&name) {
                self.takes_no_more(symbols, name, &old.record.uses);
                self.left(source(&old));
            }
            if let Some(record) = record {
                self.takes_from(symbols, name, &record.record.uses);
                self.allocations.insert(name, record);
            }
        }
    }
}

/// A change in progress. The world and the ledger are modified in place; `undo` records what is needed to
/// restore them.
pub(super) struct Work<'w, 'a> {
    pub known: &'a Known,
    pub staged: &'a Staged,
    /// The agents to put; empty once they are in the world.
    put: IndexMap<Symbol, (Agent, Vec<HoldingDraft>)>,
    pub binder: Binder<'a>,
    pub ledger: &'w mut Ledger,
    pub undo: Undo,
    /// Agents whose allocations are all taken again.
    pub agents: IndexSet<Symbol>,
    /// Providers whose allocations are all taken again.
    pub providers: IndexSet<Symbol>,
    /// Those of `agents` that are bound again or removed. Their reservations are split off again.
    pub rebound: IndexSet<Symbol>,
}

impl<'w, 'a> Work<'w, 'a> {
    fn new(
        known: &'a Known,
        staged: &'a Staged,
        put: IndexMap<Symbol, (Agent, Vec<HoldingDraft>)>,
        binder: Binder<'a>,
        ledger: &'w mut Ledger,
    ) -> Self {
        let mut undo = Undo { totals: binder.world.totals.clone(), ..Undo::new(binder.world) };
        undo.put = put.keys().copied().collect();
        let providers = staged.providers.keys().copied().collect();
        let (agents, rebound) = (IndexSet::new(), IndexSet::new());
        Work { known, staged, put, binder, ledger, undo, agents, providers, rebound }
    }

    /// Makes the change, in an order in which each step finds what it needs: allocations release their
    /// amounts while their stocks are there, rows leave the totals of the fleet before they are replaced and
    /// join them after, reservations are split off from complete holdings, and allocations take last, when
    /// every stock has its total.
    fn make(&mut self, units: usize) {
        self.touch();
        self.take_out_allocations();
        let touched = self.undo.put.iter().chain(&self.staged.gone_agents).copied();
        for at in touched.filter_map(|name| self.binder.world.agent(name)).collect::<Vec<usize>>() {
            self.count_agent(at, -1);
        }
        if !self.staged.providers.is_empty() {
            self.count_providers(-1);
            self.storage();
            self.count_later();
        }
        self.put_agents();
        self.move_allocations();
        self.reserve();
        self.binder.free_orphans();
        self.fit();
        if !self.binder.carved.is_empty() {
            self.binder.carve(self.ledger);
        }
        let put = self.undo.put.iter().filter_map(|name| self.binder.world.agent(*name));
        put.collect::<Vec<usize>>().into_iter().for_each(|at| self.count_agent(at, 1));
        self.count_providers(1);
        if self.binder.typing.units.len() > units && !self.binder.plan.roles.is_empty() {
            self.binder.limits();
            self.fit();
        }
        self.allocations();
    }

    /// Determines the holders whose allocations must all be taken again. The split of an amount over parts
    /// depends on the totals of the parts and on the order of takes, so that a change of either may move the
    /// takes of allocations that the change does not name.
    fn touch(&mut self) {
        let (known, world) = (self.known, &*self.binder.world);
        for (name, (_, drafts)) in &self.put {
            let Some(at) = world.agent(*name) else { continue };
            let reserved = known.reserved_agents.contains(name);
            let used = known.on_agents.contains_key(name);
            if reserved || (used && !keeps(world, self.ledger, &world.agents[at], drafts)) {
                self.agents.insert(*name);
                self.rebound.insert(*name);
            }
        }
        for name in &self.staged.gone_agents {
            self.agents.insert(*name);
            self.rebound.insert(*name);
        }
        let old = self.staged.gone_allocations.iter().chain(self.staged.allocations.keys());
        let old = old.filter_map(|name| known.allocations.get(name));
        for taken in old.chain(self.staged.allocations.values()).flat_map(|from| &from.record.uses) {
            self.touch_of(taken);
        }
    }

    /// Marks the holder of a changed use if the order of takes matters there: where a holder has several
    /// parts, or a set in a tier above the lowest, an earlier allocation decides what is left to a later one.
    fn touch_of(&mut self, taken: &UseRecord) {
        let world = &*self.binder.world;
        let Some(name) = self.binder.plan.symbols.find(&taken.holder.text) else { return };
        let several = |id: HoldingId| world.holding(id).parts.len() > 1;
        match taken.kind {
            UseKind::Agent => {
                let now = world
                    .agent(name)
                    .is_some_and(|at| world.agents[at].resources.iter().any(|held| several(held.holding)));
                let then = self.put.get(&name);
                if now || then.is_some_and(|(_, drafts)| drafts.iter().any(|draft| draft.stocks.len() > 1)) {
                    self.agents.insert(name);
                }
            }
            _ => {
                let Some(at) = world.supply(name) else { return };
                let is_set = |id: &HoldingId| {
                    world.holding(*id).parts.iter().any(|part| ledger::is_set(world.stock(part.1)))
                };
                let parted = |tiers: &Vec<HoldingId>| {
                    tiers.iter().any(|id| several(*id)) || tiers.iter().skip(1).any(is_set)
                };
                if world.supplies[at].resources.iter().any(|(_, tiers)| parted(tiers)) {
                    self.providers.insert(world.supplies[at].provider);
                }
            }
        }
    }

    /// Removes the allocations that are taken again, replaced or ended, and releases their amounts.
    fn take_out_allocations(&mut self) {
        let known = self.known;
        let on_agents = self.agents.iter().filter_map(|name| known.on_agents.get(name));
        let on_providers = self.providers.iter().filter_map(|name| known.on_providers.get(name));
        let changed = self.staged.gone_allocations.iter().chain(self.staged.allocations.keys());
        let names: IndexSet<Symbol> =
            on_agents.chain(on_providers).flatten().chain(changed).copied().collect();
        let text = |name: Symbol| self.binder.plan.symbols.text(name);
        let rows = &mut self.binder.world.allocations;
        let place = |name: &Symbol| rows.binary_search_by(|row| text(row.name).cmp(text(*name))).ok();
        let mut positions: Vec<usize> = names.iter().filter_map(place).collect();
        positions.sort_unstable();
        let out = take_out(rows, &positions);
        out.iter().flat_map(|allocation| &allocation.takes).for_each(|take| self.ledger.release(take));
        (self.undo.allocations_at, self.undo.allocations) = (positions, out);
    }

    fn count_agent(&mut self, at: usize, sign: i128) {
        let held = self.binder.world.agents[at].resources.iter().map(|held| held.holding);
        for id in held.collect::<Vec<HoldingId>>() {
            self.binder.world.count(id, sign);
        }
    }

    fn count_providers(&mut self, sign: i128) {
        if self.staged.providers.is_empty() {
            return;
        }
        let world = &mut *self.binder.world;
        let touched =
            world.supplies.iter().filter(|supply| self.staged.providers.contains_key(&supply.provider));
        let counted: IndexSet<HoldingId> = touched.flat_map(|supply| world.counted(supply)).collect();
        counted.into_iter().for_each(|id| world.count(id, sign));
    }

    /// Fixes the dimension of resources of tiers that are new with this change and have no declared unit.
    fn count_later(&mut self) {
        let (world, typing) = (&*self.binder.world, &mut self.binder.typing);
        for held in world.tiers.iter().flat_map(|tier| &tier.resources) {
            let key = (Side::Pool, held.resource);
            if !typing.dimensions.contains_key(&key) {
                typing.units.entry(key).or_insert(world.holding(held.holding).dimension);
            }
        }
    }

    /// Binds the staged providers again.
    ///
    /// The tiers of a provider stand together, in the order of providers, so that both tables are built anew
    /// in that order. A staged provider is bound from its record. The tiers of any other are copied, with
    /// their indices shifted. Holdings are reused by path and resource (`Binder::before`), so that their
    /// stocks keep their numbers.
    fn storage(&mut self) {
        let world = &mut *self.binder.world;
        let touched = |supply: &&Supply| self.staged.providers.contains_key(&supply.provider);
        let carved = world.supplies.iter().filter(touched).filter_map(|supply| supply.existing.as_ref());
        carved.flat_map(|volume| &volume.takes).for_each(|take| self.ledger.release(take));
        let tiers = std::mem::take(&mut world.tiers);
        let supplies = std::mem::take(&mut world.supplies);
        for tier in &tiers {
            let provider =
                self.binder.plan.symbols.find(provider_of(self.binder.plan.symbols.text(tier.path)));
            if provider.is_some_and(|provider| self.staged.providers.contains_key(&provider)) {
                let before = PreviousRow { held: tier.resources.clone(), users: None };
                self.binder.before.insert(tier.path, before);
            }
        }
        for supply in supplies.iter().filter(touched) {
            let users = supply.existing.as_ref().map(|existing| existing.users);
            self.binder.before.entry(supply.path).or_default().users = users;
        }
        self.put_volumes();
        let mut starts: IndexMap<Symbol, (usize, usize)> = IndexMap::new();
        for (at, tier) in tiers.iter().enumerate() {
            if tier.parent.is_none() {
                starts.insert(tier.name, (at, at));
            }
            starts.last_mut().into_iter().for_each(|(_, range)| range.1 = at + 1);
        }
        let mut shifts: IndexMap<Symbol, (usize, usize)> = IndexMap::new();
        let (known, staged) = (self.known, self.staged);
        let order: IndexSet<Symbol> =
            known.providers.keys().chain(staged.providers.keys()).copied().collect();
        for name in order {
            match staged.providers.get(&name) {
                Some(None) => {}
                Some(Some(next)) => {
                    let mut numbers = staged.tier_rules[&name].iter().copied();
                    self.binder.provider(&next.part(), &next.record, &mut numbers);
                }
                None => {
                    let Some(&(start, end)) = starts.get(&name) else { continue };
                    let now = self.binder.world.tiers.len();
                    let moved = tiers[start..end].iter().cloned().map(|tier| {
                        let parent = tier.parent.map(|parent| parent - start + now);
                        Tier { parent, ..tier }
                    });
                    self.binder.world.tiers.extend(moved);
                    shifts.insert(name, (start, now));
                }
            }
        }
        self.binder.report_unattached();
        for supply in supplies.iter() {
            let Some((start, now)) = shifts.get(&supply.provider) else { continue };
            let mut supply = supply.clone();
            supply.chain.iter_mut().for_each(|tier| *tier = *tier - start + now);
            self.binder.world.supplies.push(supply);
        }
        self.binder.sort_supplies();
        // Holdings and stocks that no new row has claimed belonged to rows that are gone.
        for (_, before) in std::mem::take(&mut self.binder.before) {
            before.held.iter().for_each(|held| self.binder.free_holding(held.holding));
            before.users.into_iter().for_each(|users| self.binder.free_stock(users));
        }
        let roles =
            self.binder.world.supplies.iter().filter_map(|supply| supply.existing.as_ref()?.reserved_for);
        roles.collect::<IndexSet<Symbol>>().into_iter().for_each(|role| self.binder.line(role));
        self.undo.supplies_moved = moved(&supplies, self.binder.world);
        self.undo.storage = Some((tiers, supplies));
    }

    /// Registers the volumes that are attached to pools of the staged providers, before these are bound.
    fn put_volumes(&mut self) {
        let staged = self.staged;
        let puts = &self.known.puts;
        let known = puts.iter().filter(|(path, _)| !staged.gone_puts.contains(*path));
        let as_is = known.map(|(path, put)| staged.puts.get(path).map_or((path, put), |put| (path, put)));
        let new = staged.puts.iter().filter(|(path, _)| !puts.contains_key(*path));
        for (path, put) in as_is.chain(new) {
            if let Some(rules) = staged.put_rules.get(path) {
                self.binder.attach_later(put.part(), &put.record, *rules);
            }
        }
    }

    /// Replaces the rows of agents that stay, then removes and inserts rows, in order of name.
    fn put_agents(&mut self) {
        let mut new: Vec<(Agent, Vec<HoldingDraft>)> = Vec::new();
        for (name, (row, drafts)) in std::mem::take(&mut self.put) {
            let Some(at) = self.binder.world.agent(name) else {
                new.push((row, drafts));
                continue;
            };
            let before = std::mem::take(&mut self.binder.world.agents[at].resources);
            let resources = self.binder.place(drafts, before.list()).into();
            let row = Agent { resources, ..row };
            let old = std::mem::replace(&mut self.binder.world.agents[at], row);
            self.undo.agents.push((at, Agent { resources: before, ..old }));
        }
        if new.is_empty() && self.staged.gone_agents.is_empty() {
            return;
        }
        let gone = self.staged.gone_agents.iter().filter_map(|name| self.binder.world.agent(*name));
        let mut removed: Vec<usize> = gone.collect();
        removed.sort_unstable();
        let out = take_out(&mut self.binder.world.agents, &removed);
        for agent in &out {
            self.binder.world.agent_names.swap_remove(&agent.name);
            agent.resources.iter().for_each(|held| self.binder.free_holding(held.holding));
        }
        let symbols = &self.binder.plan.symbols;
        new.sort_by(|a, b| symbols.text(a.0.name).cmp(symbols.text(b.0.name)));
        let rows = &self.binder.world.agents;
        let rank =
            |agent: &Agent| rows.partition_point(|row| symbols.text(row.name) < symbols.text(agent.name));
        let moved = Moved { removed, ranks: new.iter().map(|(agent, _)| rank(agent)).collect() };
        let new = new.into_iter().map(|(agent, drafts)| {
            let resources = self.binder.place(drafts, &[]).into();
            Agent { resources, ..agent }
        });
        let new: Vec<Agent> = new.collect();
        let names: Vec<Symbol> = new.iter().map(|agent| agent.name).collect();
        put_in(&mut self.binder.world.agents, &moved.ranks, new);
        self.binder.world.agent_names.values_mut().for_each(|at| *at = moved.to(*at));
        self.binder.world.agent_names.extend(names.into_iter().zip(moved.inserted()));
        (self.undo.agents_moved, self.undo.agents_out) = (moved, out);
    }

    /// Updates the positions of agents and supplies in allocations.
    fn move_allocations(&mut self) {
        let (agents, supplies) = (&self.undo.agents_moved, &self.undo.supplies_moved);
        if agents.is_empty() && supplies.is_empty() {
            return;
        }
        for allocation in &mut self.binder.world.allocations {
            allocation.agent = allocation.agent.map(|at| agents.to(at));
            allocation.supplies.iter_mut().for_each(|at| *at = supplies.to(*at));
        }
    }

    /// Splits off the reservations of the holders that were bound again.
    fn reserve(&mut self) {
        if self.rebound.is_empty() && self.staged.providers.is_empty() {
            return;
        }
        for reservation in &self.known.reservations {
            let of = &reservation.record.of;
            let symbols = &self.binder.plan.symbols;
            let touched = match of.kind {
                UseKind::Agent => {
                    symbols.find(&of.holder.text).is_some_and(|name| self.rebound.contains(&name))
                }
                _ => {
                    let provider = symbols.find(provider_of(&of.holder.text));
                    provider.is_some_and(|name| self.staged.providers.contains_key(&name))
                }
            };
            if touched {
                self.binder.reservation(&reservation.part(), &reservation.record);
            }
        }
    }

    /// Adjusts the ledger to stocks that were added or changed. To adjust the last one adds entries for all
    /// before it.
    fn fit(&mut self) {
        for entry in self.binder.undo_log.iter().flatten() {
            if let UndoEntry::Stock(id, _) = entry {
                self.ledger.fit(self.binder.world, *id);
            }
        }
        if let Some(last) = self.binder.world.stocks.len().checked_sub(1) {
            self.ledger.fit(self.binder.world, StockId(last as u32));
        }
    }

    /// Takes the amounts of the removed allocations that stay, and of the new ones, in order of name, as
    /// binding does.
    fn allocations(&mut self) {
        let (known, staged) = (self.known, self.staged);
        let out: IndexMap<Symbol, &Allocation> =
            self.undo.allocations.iter().map(|allocation| (allocation.name, allocation)).collect();
        let again = out.keys().filter(|name| !staged.gone_allocations.contains(*name));
        let names: IndexSet<Symbol> = again.chain(staged.allocations.keys()).copied().collect();
        let mut names: Vec<Symbol> = names.into_iter().collect();
        let symbols = &self.binder.plan.symbols;
        names.sort_by(|a, b| symbols.text(*a).cmp(symbols.text(*b)));
        let mut bound = Vec::with_capacity(names.len());
        for name in names {
            let new = staged.allocations.get(&name);
            let Some(from) = new.or_else(|| known.allocations.get(&name)) else { continue };
            let old = if new.is_some() { None } else { out.get(&name).copied() };
            // A use keeps its takes if its holder is not affected; others are split anew.
            let stays: Vec<bool> = from.record.uses.iter().map(|taken| !self.is_touched(taken)).collect();
            let mut kept = |at: usize| old.filter(|_| stays[at]).and_then(|old| kept_of(old, at));
            let row =
                allocate::allocation(&mut self.binder, &from.part(), &from.record, self.ledger, &mut kept);
            bound.push(row);
        }
        let symbols = &self.binder.plan.symbols;
        let rows = &mut self.binder.world.allocations;
        let rank = |row: &Allocation| {
            rows.partition_point(|known| symbols.text(known.name) < symbols.text(row.name))
        };
        let ranks: Vec<usize> = bound.iter().map(rank).collect();
        put_in(rows, &ranks, bound);
        self.undo.allocations_in = Moved { removed: Vec::new(), ranks }.inserted();
    }

    fn is_touched(&self, taken: &UseRecord) -> bool {
        let find = |text: &str| self.binder.plan.symbols.find(text);
        match taken.kind {
            UseKind::Agent => find(&taken.holder.text).is_some_and(|name| self.agents.contains(&name)),
            _ => find(provider_of(&taken.holder.text)).is_some_and(|name| self.providers.contains(&name)),
        }
    }
}

/// Returns `true` if a problem is about a row of the change itself.
fn is_of(problem: &Diagnostic, change: &FleetChange<'_>) -> bool {
    let source = problem.labels.first().map(|label| label.span.source.0);
    source.is_some_and(|source| change.parts.iter().any(|part| part.first_source == source))
}

/// Returns the takes and shares of one use of an allocation. `ends` has the end of each use in both lists.
fn kept_of(old: &Allocation, at: usize) -> Option<KeptUse> {
    let (takes, shares) = *old.ends.get(at)?;
    let start = at.checked_sub(1).map_or((0, 0), |before| old.ends[before]);
    Some((old.takes[start.0..takes].to_vec(), old.shares[start.1..shares].to_vec()))
}

/// Returns `true` if the allocations of an agent can keep their takes when it is bound again: a single part
/// that is a number still covers the amount in use, and all other parts have the totals that they had.
fn keeps(world: &World, ledger: &Ledger, old: &Agent, drafts: &[HoldingDraft]) -> bool {
    old.resources.iter().all(|held| {
        let parts = &world.holding(held.holding).parts;
        let Some(draft) = drafts.iter().find(|draft| draft.holding.resource == held.resource) else {
            return false;
        };
        parts.len() == draft.stocks.len()
            && parts.iter().zip(&draft.stocks).all(|((kind, id), (new_kind, new))| {
                let enough = match (&world.stock(*id).usable, &new.usable) {
                    (Total::Scalar(_), Total::Scalar(new)) if parts.len() == 1 => {
                        i128::from(*new) >= ledger.used(*id)
                    }
                    (old, new) => old == new,
                };
                kind == new_kind && enough
            })
    })
}

/// Computes how supplies have moved. Supplies that stay keep their relative order.
fn moved(before: &[Supply], world: &World) -> Moved {
    let paths: IndexSet<Symbol> = before.iter().map(|supply| supply.path).collect();
    let gone = before.iter().enumerate().filter(|(_, supply)| world.supply(supply.path).is_none());
    let removed = gone.map(|(at, _)| at).collect();
    let new = world.supplies.iter().enumerate().filter(|(_, supply)| !paths.contains(&supply.path));
    Moved { removed, ranks: new.enumerate().map(|(before, (at, _))| at - before).collect() }
}
