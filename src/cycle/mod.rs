//! The offer cycle (section 10 of the language reference): needs in, offers out. A pure function of the plan,
//! the world and the needs that take part.
//!
//! 1. `share` picks the framework with the smallest dominant share.
//! 2. Its first open need, in order of declaration, is granted its best candidate, which `matching` finds. A
//!    grant is taken from the ledger, and the shares grow.
//! 3. A need that is met, or has no candidate, is closed: `close` finds out why it got no more.
//! 4. A framework without an open need takes part no longer. The cycle ends when none is left.
//!
//! Each turn grants an instance, closes a need or retires a framework, so the number of turns is bounded by
//! the counts of the needs. The work of a turn is bounded by budgets (`budget`). A need that exceeds its own
//! is closed as bounded, which never claims that there is no candidate.

mod budget;
mod close;
mod result;
mod share;

pub use result::{
    Cut, Cycle, Grant, NeedResult, Outcome, Rejection, Rejections, RoleShare, Why, WhyKind, Winners,
};
pub use share::{Dominant, Fraction};

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::{
    engine::{Filters, Recorder},
    inventory::{
        ledger::Ledger,
        world::{StockId, World},
    },
    ir::Plan,
    limits,
    matching::{
        Candidate, Free, Index, Instance, Matcher, Moment, NeedId, Placed, Search, Shortage, has_unsettled,
        settle,
    },
};
use budget::CycleBudget;
use share::Shares;

/// The needs whose rejections are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasons {
    /// No need.
    None,
    /// Needs that are not met.
    #[default]
    Unmet,
    /// All needs, when they close.
    All,
}

/// The search for the best candidate. Both engines find the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Sets of rows over columns of the fleet, kept current from grant to grant.
    #[default]
    Indexed,
    /// One candidate at a time, with no state. The reference for the other engine.
    Plain,
}

/// The input of a cycle, besides plan and world.
#[derive(Default)]
pub struct CycleRequest<'a> {
    /// The needs that take part. `None` for all.
    pub needs: Option<Vec<NeedId>>,
    /// The rejections to keep.
    pub reasons: Reasons,
    /// The search for the best candidate. A cycle with a recorder always uses [`Engine::Plain`].
    pub engine: Engine,
    /// The evaluator of rules that plugins brought.
    pub filters: Option<&'a dyn Filters>,
    /// Records the outcome of each condition.
    pub recorder: Option<&'a Recorder>,
    /// Called after each step with the number of closed needs, and of all needs.
    pub progress: Option<&'a mut dyn FnMut(usize, usize)>,
}

/// Runs one cycle.
pub fn run(plan: &Plan, world: &World, request: CycleRequest<'_>) -> Cycle {
    let start = start(plan, world);
    let taking_part: IndexSet<NeedId> = match request.needs {
        Some(needs) => needs.into_iter().collect(),
        None => every_need(plan).collect(),
    };
    let frameworks: IndexSet<usize> = taking_part.iter().map(|id| id.framework).collect();
    let indexed = request.engine == Engine::Indexed && request.recorder.is_none();
    let index = indexed.then(|| Index::new(plan, world));
    let mut run = Run {
        plan,
        world,
        ledger: start.0.clone(),
        placed: start.1.clone(),
        shares: Shares::new(plan, world),
        start,
        needs: taking_part.iter().map(|id| NeedResult::new(plan, *id)).collect(),
        grants: Vec::new(),
        holders: vec![Vec::new(); world.stocks.len()],
        lost: None,
        reasons: IndexSet::new(),
        lists: IndexSet::new(),
        shortages: IndexMap::new(),
        keep: request.reasons,
        kept: 0,
        looked: 0,
        losses: 0,
        tries: CycleBudget::new(limits::CYCLE_TRIES, plan.frameworks.len(), frameworks.len()),
        parts: CycleBudget::new(limits::GRANTED_PARTS, plan.frameworks.len(), frameworks.len()),
        undone: CycleBudget::new(limits::UNDONE_PARTS, plan.frameworks.len(), frameworks.len()),
        explaining: limits::CYCLE_TRIES,
        filters: request.filters,
        recorder: request.recorder,
        free: indexed.then(|| Free::new(plan, world)),
        start_index: index.clone(),
        index,
    };
    run.needs.iter_mut().for_each(|need| {
        need.allocated = run.placed.of(need.id).len() as u64;
    });
    let mut progress = request.progress;
    run.cycle(&mut |done, total| {
        if let Some(progress) = progress.as_mut() {
            progress(done, total);
        }
    });
    run.finish()
}

/// Returns every need of a plan, in order.
pub fn every_need(plan: &Plan) -> impl Iterator<Item = NeedId> {
    plan.frameworks
        .iter()
        .enumerate()
        .flat_map(|(framework, known)| (0..known.needs.len()).map(move |need| NeedId { framework, need }))
}

/// Returns the ledger and the placed instances before the cycle: those of allocations and existing volumes.
pub fn start(plan: &Plan, world: &World) -> (Ledger, Placed) {
    let mut placed = Placed::new(plan);
    let frameworks = share::framework_numbers(plan);
    for allocation in &world.allocations {
        let Some(&framework) = frameworks.get(&allocation.framework) else { continue };
        let needs = &plan.frameworks[framework].needs;
        // A framework with one need may leave the need's name out.
        let need = match allocation.need {
            Some(name) => needs.iter().position(|known| known.name == name),
            None => (needs.len() == 1).then_some(0),
        };
        let Some(need) = need else { continue };
        let volumes = &needs[need].volumes;
        let named = volumes.len() == allocation.supplies.len();
        let supplies = allocation.supplies.iter().enumerate();
        let supplies = supplies.map(|(at, supply)| (named.then(|| volumes[at].name), *supply)).collect();
        let instance = Instance { agent: allocation.agent, supplies };
        placed.push(plan, world, NeedId { framework, need }, instance);
    }
    (Ledger::new(world), placed)
}

/// Returns the size of an instance in parts, which count against `limits::GRANTED_PARTS`.
fn parts(candidate: &Candidate) -> u64 {
    let takes: usize = candidate.takings.iter().map(|taking| 1 + taking.portion.takes().count()).sum();
    limits::INSTANCE_PARTS + (takes / 2 + candidate.items.len()) as u64
}

/// A cached result of [`Run::winners`]: the grants that took something of some stocks.
struct Lost {
    /// The stocks, sorted.
    wanted: Vec<StockId>,
    /// The number of grants at that time.
    grants: usize,
    /// The grants, by index.
    to: Vec<usize>,
}

struct Run<'a> {
    plan: &'a Plan,
    world: &'a World,
    ledger: Ledger,
    placed: Placed,
    shares: Shares,
    /// The ledger and the placed instances before the cycle.
    start: (Ledger, Placed),
    needs: Vec<NeedResult>,
    grants: Vec<Grant>,
    /// By stock, the grants that took something of it, in order.
    holders: Vec<Vec<usize>>,
    /// The last answer about the grants that needs were lost to.
    lost: Option<Lost>,
    reasons: IndexSet<crate::matching::Reason>,
    lists: IndexSet<Arc<[usize]>>,
    /// The index in `reasons` of the reason for each shortage.
    shortages: IndexMap<Shortage, usize>,
    keep: Reasons,
    kept: usize,
    /// Agents, supplies and pairs that were looked at for reasons.
    looked: usize,
    /// Supplies that frameworks try.
    tries: CycleBudget,
    /// Parts of instances that frameworks are granted.
    parts: CycleBudget,
    /// Parts of instances that frameworks are granted and that are taken back, or tried in their place to tell why.
    undone: CycleBudget,
    /// Agents looked at to tell what needs were lost to.
    losses: u64,
    /// Supplies that may still be tried to tell what does not hold together.
    explaining: u64,
    filters: Option<&'a dyn Filters>,
    recorder: Option<&'a Recorder>,
    /// The index over the present state. `None` for [`Engine::Plain`].
    index: Option<Index>,
    /// The index over the fleet with nothing taken, which settling places uses.
    free: Option<Free>,
    /// The index over the state before the cycle.
    start_index: Option<Index>,
}

impl Run<'_> {
    fn cycle(&mut self, progress: &mut dyn FnMut(usize, usize)) {
        let total = self.needs.len();
        let mut closed = vec![false; total];
        let mut by_framework: Vec<Vec<usize>> = vec![Vec::new(); self.plan.frameworks.len()];
        for (at, need) in self.needs.iter().enumerate() {
            by_framework[need.id.framework].push(at);
        }
        // A framework's needs are served in order of declaration.
        by_framework.iter_mut().for_each(|needs| needs.sort_by_key(|at| self.needs[*at].id.need));
        let mut done = 0;
        for (at, closed) in closed.iter_mut().enumerate() {
            if self.needs[at].missing() == 0 {
                self.close(at, false);
                *closed = true;
                done += 1;
            }
        }
        for (framework, needs) in by_framework.iter().enumerate() {
            if needs.iter().any(|at| !closed[*at]) {
                self.shares.set_open(self.world, framework, true);
            }
        }
        // The first need of each framework that may be open.
        let mut first = vec![0; by_framework.len()];
        while let Some(framework) = self.shares.next() {
            let needs = &by_framework[framework];
            while needs.get(first[framework]).is_some_and(|at| closed[*at]) {
                first[framework] += 1;
            }
            let Some(at) = needs.get(first[framework]).copied() else {
                self.shares.set_open(self.world, framework, false);
                continue;
            };
            let granted = self.grant(at);
            if !granted || self.needs[at].missing() == 0 {
                self.close(at, !granted);
                closed[at] = true;
                done += 1;
            }
            progress(done, total);
        }
    }

    fn moment(&self) -> Moment<'_> {
        Moment {
            plan: self.plan,
            world: self.world,
            ledger: &self.ledger,
            placed: &self.placed,
            filters: self.filters,
            recorder: self.recorder,
        }
    }

    /// Grants a need its best candidate, or all missing instances of a need that is granted whole. Returns
    /// `false` if there is no candidate, or if the budgets do not allow the search.
    fn grant(&mut self, at: usize) -> bool {
        self.settle(at);
        let NeedId { framework, need } = self.needs[at].id;
        if !self.plan.frameworks[framework].needs[need].all_or_nothing {
            return self.grant_one(at);
        }
        let before = self.grants.len();
        let (may, mut held) = (self.undone.left(framework), 0);
        while self.needs[at].missing() > 0 {
            let within = held <= may;
            if !within {
                self.needs[at].bounded = true;
                self.needs[at].cut = Some(Cut::Parts);
            }
            if within && self.grant_one(at) {
                held += self.grants.last().map_or(0, |grant| parts(&grant.candidate));
            } else {
                self.needs[at].fitted = Some((self.grants.len() - before) as u64);
                // All or nothing: the obstacle of the next instance is the reason for all of them.
                if self.keep != Reasons::None {
                    self.needs[at].rejections = self.rejections(self.needs[at].id);
                }
                self.undone.spend(framework, held);
                (before..self.grants.len()).for_each(|_| self.undo(at));
                return false;
            }
        }
        true
    }

    /// Settles the places of a need, unless it is done: a settled place stays for the cycle.
    fn settle(&mut self, at: usize) {
        let id = self.needs[at].id;
        if !has_unsettled(&self.plan.frameworks[id.framework].needs[id.need])
            || self.placed.settled(id).is_some()
        {
            return;
        }
        let mut free = self.free.take();
        let (settled, bounded) = settle(self.moment(), &self.start.0, id, free.as_mut());
        self.free = free;
        self.needs[at].bounded |= bounded;
        let settled = Arc::new(settled);
        self.start.1.settle(id, Arc::clone(&settled));
        self.placed.settle(id, settled);
    }

    fn grant_one(&mut self, at: usize) -> bool {
        let id = self.needs[at].id;
        let mut search = Search::within(self.tries.left(id.framework));
        let mut index = self.index.take();
        let matcher = Matcher::new(self.moment(), id);
        let candidate = match &mut index {
            Some(index) => index.best(&matcher, &mut search),
            None => matcher.best(&mut search),
        };
        self.index = index;
        self.tries.spend(id.framework, search.tries());
        self.needs[at].bounded |= search.bounded;
        self.needs[at].feasible_agents = search.feasible;
        if search.cut {
            self.needs[at].cut = Some(Cut::Tries);
            return false;
        }
        let Some(candidate) = candidate else { return false };
        let parts = parts(&candidate);
        if parts > self.parts.left(id.framework) {
            self.needs[at].bounded = true;
            self.needs[at].cut = Some(Cut::Parts);
            return false;
        }
        self.parts.spend(id.framework, parts);
        for take in candidate.takes() {
            self.ledger.grant(self.world, id.framework, take);
            let holders = &mut self.holders[take.stock.0 as usize];
            if holders.last() != Some(&self.grants.len()) {
                holders.push(self.grants.len());
            }
        }
        if let Some(index) = &mut self.index {
            index.touch(self.world, Some(id.framework), candidate.takes().map(|take| take.stock));
        }
        self.shares.grant(self.world, id.framework, &candidate.shares);
        let framework = &self.plan.frameworks[id.framework];
        let instance = Instance::of(&candidate, &framework.needs[id.need]);
        self.placed.push(self.plan, self.world, id, instance);
        let role = self.plan.symbols.text(framework.role);
        let share = self.shares.of_role(self.world, role).map_or(Fraction::ZERO, |dominant| dominant.share);
        let need = &mut self.needs[at];
        need.offered += 1;
        need.grants.push(self.grants.len());
        let instance = need.allocated + need.offered;
        self.grants.push(Grant { id, instance, candidate, role_share: share });
        true
    }

    /// Takes back the last grant, which must be this need's.
    fn undo(&mut self, at: usize) {
        let Some(grant) = self.grants.pop() else { return };
        self.lost = None;
        self.parts.refund(grant.id.framework, parts(&grant.candidate));
        for take in grant.candidate.takes() {
            self.ledger.revoke(grant.id.framework, take);
            let holders = &mut self.holders[take.stock.0 as usize];
            while holders.last().is_some_and(|grant| *grant >= self.grants.len()) {
                holders.pop();
            }
        }
        if let Some(index) = &mut self.index {
            let stocks = grant.candidate.takes().map(|take| take.stock);
            index.touch(self.world, Some(grant.id.framework), stocks);
        }
        self.shares.undo(self.world, grant.id.framework, &grant.candidate.shares);
        self.placed.pop(self.plan, self.world, grant.id);
        self.needs[at].offered -= 1;
        self.needs[at].grants.pop();
    }

    fn finish(self) -> Cycle {
        let before = Shares::new(self.plan, self.world);
        let none = Dominant { share: Fraction::ZERO, resource: None };
        let roles = self.shares.roles().map(|role| RoleShare {
            path: role.path.clone(),
            weight: role.weight,
            dominant: share::dominant(self.world, &role.usage),
            before: before.of_role(self.world, &role.path).unwrap_or(none),
        });
        Cycle {
            roles: roles.collect(),
            needs: self.needs,
            grants: self.grants,
            ledger: self.ledger,
            placed: self.placed,
            reasons: self.reasons,
        }
    }
}
