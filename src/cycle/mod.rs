//! The offer cycle (section 10 of the language reference): needs in, offers out. A pure function of plan, world
//! and the needs that take part.

mod close;
mod result;
mod share;

pub use result::{Cycle, Grant, NeedResult, Outcome, Rejection, Rejections, RoleShare, Why, Winners};
pub use share::{Dominant, Fraction};

use std::sync::Arc;

use indexmap::IndexSet;

use crate::{
    inventory::{ledger::Ledger, world::World},
    ir::Plan,
    limits,
    matching::{Instance, Matcher, Moment, NeedId, Placed, Search},
};
use share::Shares;

/// Which needs' rejections are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasons {
    /// None.
    None,
    /// Of needs that are not met.
    #[default]
    Unmet,
    /// Of every need, when it closes.
    All,
}

/// What a cycle is asked.
#[derive(Default)]
pub struct Request<'a> {
    /// The needs that take part; `None`: all.
    pub needs: Option<Vec<NeedId>>,
    /// Which rejections to keep.
    pub reasons: Reasons,
    /// Told after each step: needs closed, needs in all.
    pub progress: Option<&'a mut dyn FnMut(usize, usize)>,
}

/// Runs one cycle.
pub fn run(plan: &Plan, world: &World, request: Request<'_>) -> Cycle {
    let start = start(plan, world);
    let taking_part: IndexSet<NeedId> = match request.needs {
        Some(needs) => needs.into_iter().collect(),
        None => every_need(plan).collect(),
    };
    let mut run = Run {
        plan,
        world,
        ledger: start.0.clone(),
        placed: start.1.clone(),
        shares: Shares::new(plan, world),
        start,
        needs: taking_part.iter().map(|id| NeedResult::new(plan, *id)).collect(),
        grants: Vec::new(),
        reasons: IndexSet::new(),
        lists: IndexSet::new(),
        keep: request.reasons,
        kept: 0,
        steps: 0,
    };
    run.needs.iter_mut().for_each(|need| {
        need.allocated = run.placed.instances[need.id.framework][need.id.need].len() as u64;
    });
    let mut progress = request.progress;
    run.cycle(&mut |done, total| {
        if let Some(progress) = progress.as_mut() {
            progress(done, total);
        }
    });
    run.finish()
}

/// Every need of a plan, in order.
pub fn every_need(plan: &Plan) -> impl Iterator<Item = NeedId> {
    plan.frameworks
        .iter()
        .enumerate()
        .flat_map(|(framework, known)| (0..known.needs.len()).map(move |need| NeedId { framework, need }))
}

/// What is used, and where instances are, before the cycle: allocations and existing volumes.
pub fn start(plan: &Plan, world: &World) -> (Ledger, Placed) {
    let mut placed = Placed {
        instances: plan.frameworks.iter().map(|framework| vec![Vec::new(); framework.needs.len()]).collect(),
    };
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
        placed.instances[framework][need].push(Instance { agent: allocation.agent, supplies });
    }
    (Ledger::new(world), placed)
}

struct Run<'a> {
    plan: &'a Plan,
    world: &'a World,
    ledger: Ledger,
    placed: Placed,
    shares: Shares,
    start: (Ledger, Placed),
    needs: Vec<NeedResult>,
    grants: Vec<Grant>,
    reasons: IndexSet<crate::matching::Reason>,
    lists: IndexSet<Arc<[usize]>>,
    keep: Reasons,
    kept: usize,
    steps: u64,
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
        let mut open: Vec<bool> =
            by_framework.iter().map(|needs| needs.iter().any(|at| !closed[*at])).collect();
        while let Some(framework) = self.shares.next(self.world, &open) {
            let Some(at) = by_framework[framework].iter().copied().find(|at| !closed[*at]) else {
                open[framework] = false;
                continue;
            };
            let granted = self.grant(at);
            if !granted || self.needs[at].missing() == 0 {
                self.close(at, !granted);
                closed[at] = true;
                open[framework] = by_framework[framework].iter().any(|at| !closed[*at]);
                done += 1;
            }
            progress(done, total);
        }
    }

    fn moment(&self) -> Moment<'_> {
        Moment { plan: self.plan, world: self.world, ledger: &self.ledger, placed: &self.placed }
    }

    /// Grants a need's best candidate, if there is one and the budget allows the search.
    fn grant(&mut self, at: usize) -> bool {
        if self.steps > limits::CYCLE_STEPS {
            self.needs[at].bounded = true;
            return false;
        }
        let id = self.needs[at].id;
        let mut search = Search::default();
        let candidate = Matcher::new(self.moment(), id).best(&mut search);
        self.steps += search.steps;
        self.needs[at].bounded |= search.bounded;
        self.needs[at].feasible_agents = search.feasible;
        let Some(candidate) = candidate else { return false };
        candidate.takes.iter().for_each(|take| self.ledger.take(take));
        self.shares.grant(self.world, id.framework, &candidate.shares);
        let volumes = &self.plan.frameworks[id.framework].needs[id.need].volumes;
        let supplies = volumes.iter().zip(&candidate.volumes);
        let supplies = supplies.map(|(volume, grant)| (Some(volume.name), grant.supply)).collect();
        self.placed.instances[id.framework][id.need].push(Instance { agent: candidate.agent, supplies });
        let role = self.plan.symbols.text(self.plan.frameworks[id.framework].role);
        let share = self.shares.of_role(self.world, role).map_or(Fraction::ZERO, |dominant| dominant.share);
        let need = &mut self.needs[at];
        need.offered += 1;
        need.grants.push(self.grants.len());
        let instance = need.allocated + need.offered;
        self.grants.push(Grant { id, instance, candidate, role_share: share });
        true
    }

    fn finish(self) -> Cycle {
        let roles = self.shares.roles().map(|role| RoleShare {
            path: role.path.clone(),
            weight: role.weight,
            dominant: share::dominant(self.world, &role.usage),
        });
        Cycle {
            roles: roles.collect(),
            needs: self.needs,
            grants: self.grants,
            ledger: self.ledger,
            reasons: self.reasons,
        }
    }
}
