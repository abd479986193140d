//! The smallest sets of conditions without which there would be an offer. The sets that classes of candidates
//! fail are proposed, smallest first, and each is tried with `matching` before it is reported.

use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

use indexmap::{IndexMap, IndexSet};

use super::{
    analysis::{Analysis, volume_of},
    sets::{Conditions, is_subset, set_of, union},
    state::MomentState,
};
use crate::{
    Fleet,
    inventory::ledger::Ledger,
    ir::{Amount, Request},
    limits,
    matching::{Constraint, Instance, Matcher, NeedId, Placed, Relaxed, Search, has_unsettled, settle_for},
    quantity::{Dimension, MILLION},
    symbol::Symbol,
};

/// A condition to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedCondition {
    /// The condition.
    pub condition: Constraint,
    /// The amount to ask for instead. `None` to ask for nothing, or if the condition is no amount.
    pub instead: Option<Amount>,
}

/// A set of conditions without which there would be offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relaxation {
    /// The conditions.
    pub drops: Vec<DroppedCondition>,
    /// The number of missing instances that would be offered.
    pub offers: u64,
    /// True if counting stopped before its end.
    pub at_least: bool,
}

/// The result of a search for relaxations.
#[derive(Clone, Debug, Default)]
pub struct Relaxations {
    /// The relaxations, smallest first, then those with most offers.
    pub list: Vec<Relaxation>,
    /// True if a bound ended the search.
    pub stopped: bool,
}

/// A class of agents and supplies that fails a set: the numbers of the way, and of the sets of the agents and
/// of each volume's supplies.
#[derive(Clone, Debug)]
struct FailureOrigin {
    way: usize,
    agents: usize,
    supplies: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
struct Proposal {
    origins: Vec<FailureOrigin>,
    /// The amounts that were found to fit when the parts were combined.
    levels: IndexMap<Constraint, Option<Amount>>,
}

/// Conditions that fail only in combination, with amounts that would fit.
type JointFailures = (Conditions, IndexMap<Constraint, Option<Amount>>);

/// The number of sets combined for one volume, and kept for one class of agents.
const COMBINED: usize = 64;
/// The number of origins kept for a set.
const ORIGINS: usize = 16;
/// The number of agents that are searched for conditions that fail in combination.
const LOOKED_INTO: usize = 8;

pub(super) struct RelaxationTrial<'s, 'a> {
    pub analysis: &'s mut Analysis<'a>,
    pub fleet: &'a Fleet,
    pub id: NeedId,
    pub missing: u64,
    ledger: Ledger,
    placed: Placed,
    steps: u64,
    stopped: bool,
}

impl<'s, 'a> RelaxationTrial<'s, 'a> {
    pub fn new(
        analysis: &'s mut Analysis<'a>,
        fleet: &'a Fleet,
        state: &MomentState,
        id: NeedId,
        missing: u64,
    ) -> Self {
        let MomentState { ledger, placed } = state.clone();
        RelaxationTrial { analysis, fleet, id, missing, ledger, placed, steps: 0, stopped: false }
    }

    /// Searches for the smallest sets.
    pub fn run(mut self) -> Relaxations {
        let mut open = self.proposals();
        let mut tried: BTreeSet<Conditions> = BTreeSet::new();
        let mut found: Vec<(Conditions, Relaxation)> = Vec::new();
        // Smaller sets first: a set that contains a sufficient one is skipped.
        while let Some(set) = open.keys().min_by_key(|set| (set.len(), (*set).clone())).cloned() {
            let proposal = open.swap_remove(&set).unwrap_or_default();
            let known = found.iter().any(|(known, _)| is_subset(known, &set));
            if known || !tried.insert(set.clone()) {
                continue;
            }
            if tried.len() > limits::RELAXATIONS_TRIED || self.steps > limits::EXPLAIN_STEPS {
                self.stopped = true;
                break;
            }
            match self.attempt(&set, &proposal) {
                Ok(relaxation) => {
                    let (set, relaxation) = self.smaller(set, &proposal, relaxation);
                    found.retain(|(known, _)| !is_subset(&set, known));
                    found.push((set, relaxation));
                }
                Err(more) => {
                    for (more, levels) in more {
                        let larger = union(&set, &more);
                        if larger.len() > limits::RELAXATION_SIZE || tried.contains(&larger) {
                            continue;
                        }
                        let next = open.entry(larger).or_insert_with(|| proposal.clone());
                        next.levels.extend(levels);
                    }
                }
            }
        }
        found.sort_by_key(|(set, one)| (set.len(), Reverse(one.offers), set.clone()));
        self.stopped |= found.len() > limits::RELAXATIONS_KEPT;
        found.truncate(limits::RELAXATIONS_KEPT);
        Relaxations { list: found.into_iter().map(|(_, one)| one).collect(), stopped: self.stopped }
    }

    /// Proposes the sets that some class of agents fails with some classes of supplies, each once.
    fn proposals(&mut self) -> IndexMap<Conditions, Proposal> {
        let analysis = &*self.analysis;
        let kind = |row: &super::analysis::AgentClass| (row.set, analysis.way_of[row.crossing]);
        let kinds: IndexSet<(usize, usize)> = analysis.rows.iter().map(kind).collect();
        let mut found: IndexMap<Conditions, Proposal> = IndexMap::new();
        for (agents, way) in kinds {
            let mut partial: Vec<(Conditions, Vec<usize>)> =
                vec![(analysis.sets.get(agents).clone(), Vec::new())];
            for ways in &analysis.ways[way].sets {
                let mut sets: Vec<(usize, &Conditions)> =
                    ways.iter().map(|set| (*set, analysis.sets.get(*set))).collect();
                sets.sort_by_key(|(_, set)| (set.len(), *set));
                let mut next = Vec::new();
                for (set, supplies) in &partial {
                    for (number, own) in sets.iter().take(COMBINED) {
                        let together = union(set, own);
                        if together.len() <= limits::RELAXATION_SIZE {
                            next.push((together, [supplies.as_slice(), &[*number]].concat()));
                        }
                    }
                }
                next.sort_by_key(|(set, _)| (set.len(), set.clone()));
                next.truncate(COMBINED);
                self.stopped |= sets.len() > COMBINED;
                partial = next;
            }
            for (set, supplies) in partial.into_iter().filter(|(set, _)| set.len() <= limits::RELAXATION_SIZE)
            {
                let proposal = found.entry(set).or_default();
                if proposal.origins.len() < ORIGINS {
                    proposal.origins.push(FailureOrigin { way, agents, supplies });
                }
            }
        }
        self.instead_of_limits(&mut found);
        found
    }

    /// Proposes to ask for less in place of a limit.
    fn instead_of_limits(&mut self, found: &mut IndexMap<Conditions, Proposal>) {
        let need = self.analysis.matcher.subject.need;
        let volumes = need.volumes.iter().map(|volume| (Some(volume.name), &volume.request));
        let requests: Vec<_> = need.agent.iter().map(|request| (None, request)).chain(volumes).collect();
        for (set, proposal) in found.clone() {
            for number in &set {
                let Constraint::Limit(_, resource) = self.analysis.conditions[*number] else { continue };
                let asked = requests.iter().filter(|(_, request)| request.amount(resource).is_some());
                for (volume, _) in asked {
                    let less = Constraint::Amount(*volume, resource);
                    let less = self.analysis.conditions.insert_full(less).0;
                    let rest: Conditions = set.iter().copied().filter(|other| other != number).collect();
                    found.entry(union(&rest, &[less])).or_insert_with(|| proposal.clone());
                }
            }
        }
    }

    /// Removes conditions that turn out not to matter, one by one.
    fn smaller(&mut self, set: Conditions, proposal: &Proposal, of: Relaxation) -> (Conditions, Relaxation) {
        let (mut set, mut best) = (set, of);
        for number in set.clone() {
            if set.len() < 2 || self.steps > limits::EXPLAIN_STEPS {
                break;
            }
            let rest: Conditions = set.iter().copied().filter(|other| *other != number).collect();
            if let Ok(relaxation) = self.attempt(&rest, proposal) {
                (set, best) = (rest, relaxation);
            }
        }
        (set, best)
    }

    /// Tries a set. If nothing is offered, returns the conditions that fail in combination.
    fn attempt(&mut self, set: &[usize], proposal: &Proposal) -> Result<Relaxation, Vec<JointFailures>> {
        let drops = self.drops(set, proposal);
        // Places that count may pass once something is granted or another value is shared.
        let reach = union(set, &self.loose(set));
        let supplies = self.analysis.supplies_to_try(self.volumes(), &reach);
        let analysis = &*self.analysis;
        let sub = |number: &usize| is_subset(analysis.sets.get(*number), &reach);
        let reached: Vec<bool> =
            analysis.ways.iter().map(|ways| ways.sets.iter().all(|sets| sets.iter().any(sub))).collect();
        let rows = analysis.rows.iter().enumerate();
        let open: Vec<usize> = rows
            .filter(|(_, row)| reached[analysis.way_of[row.crossing]] && sub(&row.set))
            .map(|(at, _)| at)
            .collect();
        let (offers, at_least) = self.count(&self.relax(&drops), &open, &supplies);
        if offers > 0 {
            return Ok(Relaxation { drops, offers, at_least });
        }
        // Several volumes may need the same amount: try parts of it, and nothing at last.
        for part in [2, 3, 4, 0] {
            let Some(less) = parts_of(&drops, part) else { continue };
            let (offers, at_least) = self.count(&self.relax(&less), &open, &supplies);
            if offers > 0 {
                return Ok(Relaxation { drops: less, offers, at_least });
            }
        }
        Err(self.apart(&self.relax(&drops), &open, &supplies))
    }

    /// Returns the conditions that may pass after the drop of a set that does not name them: places that
    /// count, and limits on an amount that is lowered.
    fn loose(&self, set: &[usize]) -> Conditions {
        let conditions = &self.analysis.conditions;
        let need = self.analysis.matcher.subject.need;
        let places = need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places));
        let counted = places.filter(|place| place.kind.is_settled_first());
        let numbers = counted.filter_map(|place| conditions.get_index_of(&Constraint::Place(place.number)));
        let less = |resource: Symbol| {
            set.iter()
                .any(|number| matches!(conditions[*number], Constraint::Amount(_, of) if of == resource))
        };
        let limits = conditions.iter().enumerate().filter_map(|(number, condition)| match condition {
            Constraint::Limit(_, resource) if less(*resource) => Some(number),
            _ => None,
        });
        set_of(numbers.chain(limits))
    }

    fn volumes(&self) -> usize {
        self.analysis.matcher.subject.need.volumes.len()
    }

    /// Counts the missing instances that are offered, by a small cycle over the open classes. The grants are
    /// given back. The flag is set if there may be more.
    fn count(&mut self, relaxed: &Relaxed, open: &[usize], supplies: &[usize]) -> (u64, bool) {
        let (plan, world, id) = (self.fleet.plan(), self.fleet.world(), self.id);
        let budget = self.steps + limits::EXPLAIN_COUNT_STEPS;
        // A search tries every agent given, and the first of them suffice to find one offer.
        let most = limits::EXPLAIN_COUNT_STEPS as usize / 8 / (supplies.len() + 1);
        let cut = open.len() > most.max(LOOKED_INTO);
        let open = &open[..open.len().min(most.max(LOOKED_INTO))];
        let mut placed = self.placed.clone();
        let need = &relaxed.framework.needs[id.need];
        // Settled over the whole fleet from the start of the cycle, as the cycle does. A larger fleet keeps
        // the values settled before.
        let pairs = (world.agents.len() as u64 + 1).saturating_mul(world.supplies.len() as u64 + 1);
        if has_unsettled(need) && pairs <= limits::EXPLAIN_COUNT_STEPS {
            let moment = self.fleet.moment_with(&self.ledger, &placed);
            let (settled, _) = settle_for(Matcher::new(moment, id).relaxed(relaxed), self.fleet.ledger());
            placed.settle(id, Arc::new(settled));
        }
        let mut touched = ChangedRows::default();
        let mut taken = Vec::new();
        let (mut offers, mut stopped) = (0, false);
        while offers < self.missing {
            if self.steps > budget || self.steps > limits::EXPLAIN_STEPS {
                stopped = true;
                break;
            }
            let agents = touched.agents(self.analysis, open);
            let supplies = touched.supplies(self.analysis, supplies, self.volumes());
            let mut search = Search::default();
            let moment = self.fleet.moment_with(&self.ledger, &placed);
            let matcher = Matcher::new(moment, id).relaxed(relaxed).among(&supplies);
            let best = matcher.best_of(&agents, &mut search);
            self.steps += search.steps + 1;
            let Some(candidate) = best else { break };
            let instance = Instance::of(&candidate, need);
            for take in candidate.takes() {
                self.ledger.grant(world, id.framework, take);
                taken.push(take.clone());
            }
            touched.note(world, &instance);
            placed.push(plan, world, id, instance);
            offers += 1;
        }
        taken.iter().rev().for_each(|take| self.ledger.revoke(id.framework, take));
        self.stopped |= cut && offers == 0;
        (offers, stopped || cut && offers < self.missing)
    }

    /// Returns the conditions that fail in combination, one set for each way of failing.
    fn apart(&mut self, relaxed: &Relaxed, open: &[usize], supplies: &[usize]) -> Vec<JointFailures> {
        let moment = self.fleet.moment_with(&self.ledger, &self.placed);
        let matcher = Matcher::new(moment, self.id).relaxed(relaxed).among(supplies);
        let volumes = &matcher.subject.need.volumes;
        let mut found = Vec::new();
        for at in open.iter().take(LOOKED_INTO) {
            let agent = self.analysis.rows[*at].agent;
            let mut search = Search::explaining();
            if matcher.candidate(agent, &mut search).is_some() {
                continue;
            }
            self.steps += search.steps;
            for supplies in search.refused.iter().flatten().filter(|supplies| !supplies.is_empty()) {
                let failures = matcher.joint_failures(agent, supplies);
                let conditions = failures
                    .iter()
                    .map(|failure| failure.constraint(volume_of(failure, volumes, supplies.len())));
                let set = conditions.map(|condition| self.analysis.conditions.insert_full(condition).0);
                found.push((set_of(set), IndexMap::new()));
            }
            if let Some((at, _, shortage)) = &search.ran_out {
                let condition =
                    Constraint::Amount(volumes.get(*at).map(|volume| volume.name), shortage.resource);
                let number = self.analysis.conditions.insert_full(condition).0;
                let left = shortage.have.and_then(|have| i64::try_from(have).ok()).filter(|have| *have > 0);
                let level = left.map(|have| Amount::Scalar(shortage.dimension, have, have));
                found.push((vec![number], [(condition, level)].into_iter().collect()));
                if let Some(role) = shortage.limit {
                    let limit = Constraint::Limit(role, shortage.resource);
                    let number = self.analysis.conditions.insert_full(limit).0;
                    found.push((vec![number], IndexMap::new()));
                }
            }
        }
        found
    }

    /// Returns the conditions of a set, with amounts to ask for instead.
    fn drops(&mut self, set: &[usize], proposal: &Proposal) -> Vec<DroppedCondition> {
        let conditions: Vec<Constraint> =
            set.iter().map(|number| self.analysis.conditions[*number]).collect();
        let agent = self.agent_levels(&conditions, proposal);
        let mut drops = Vec::with_capacity(conditions.len());
        for condition in conditions {
            let instead = match (proposal.levels.get(&condition), condition) {
                (Some(level), _) => level.clone(),
                (None, Constraint::Amount(None, resource)) => {
                    agent.iter().find(|known| known.0 == resource).and_then(|known| known.1.clone())
                }
                (None, Constraint::Amount(Some(volume), resource)) => {
                    self.supply_level(volume, resource, proposal)
                }
                _ => None,
            };
            drops.push(DroppedCondition { condition, instead });
        }
        drops
    }

    /// Returns the amounts of the agent that comes nearest to everything asked of it.
    fn agent_levels(&self, conditions: &[Constraint], proposal: &Proposal) -> Vec<(Symbol, Option<Amount>)> {
        let matcher = self.analysis.matcher;
        let resources: Vec<Symbol> = conditions
            .iter()
            .filter_map(|condition| match condition {
                Constraint::Amount(None, resource) => Some(*resource),
                _ => None,
            })
            .collect();
        if resources.is_empty() {
            return Vec::new();
        }
        let seen = |row: &super::analysis::AgentClass| {
            let way = self.analysis.way_of[row.crossing];
            proposal.origins.iter().any(|origin| (origin.way, origin.agents) == (way, row.set))
        };
        let asked = matcher.subject.need.agent.as_ref();
        let rows = self.analysis.rows.iter().filter(|row| seen(row)).filter_map(|row| row.agent);
        let levels = rows.take(limits::RELAXATION_LEVELS).map(|agent| {
            let each = resources.iter().map(|resource| (*resource, matcher.agent_fits(agent, *resource)));
            each.collect::<Vec<_>>()
        });
        let part = |(resource, level): &(Symbol, Option<Amount>)| {
            part_of(asked.and_then(|request| request.amount(*resource)), level.as_ref())
        };
        // The agent whose smallest ratio is largest.
        first_of_most(levels, |levels| levels.iter().map(part).min().unwrap_or(0))
    }

    fn supply_level(&mut self, volume: Symbol, resource: Symbol, proposal: &Proposal) -> Option<Amount> {
        let matcher = self.analysis.matcher;
        let need = matcher.subject.need;
        let volumes = &self.analysis.volumes;
        let index = volumes.iter().position(|at| need.volumes[*at].name == volume)?;
        let asked = need.volumes[volumes[index]].request.amount(resource)?;
        let mut supplies: IndexSet<usize> = IndexSet::new();
        for origin in &proposal.origins {
            let analysis = &*self.analysis;
            let mut rows = analysis.rows.iter();
            let row =
                rows.find(|row| (analysis.way_of[row.crossing], row.set) == (origin.way, origin.agents));
            let agent = row.and_then(|row| row.agent);
            supplies.extend(self.analysis.supplies_with(agent, index, origin.supplies[index]));
        }
        let levels = supplies.into_iter().take(limits::RELAXATION_LEVELS);
        let levels = levels.map(|supply| matcher.supply_fits(supply, resource, asked));
        first_of_most(levels, |level: &Option<Amount>| part_of(Some(asked), level.as_ref()))
    }

    /// Returns the framework with a need that asks for less.
    fn relax(&self, drops: &[DroppedCondition]) -> Relaxed {
        let matcher = self.analysis.matcher;
        let mut relaxed = Relaxed {
            framework: matcher.subject.framework.clone(),
            conditions: IndexSet::new(),
            limits: Vec::new(),
            charges: Vec::new(),
        };
        for drop in drops {
            let need = &mut relaxed.framework.needs[self.id.need];
            let named =
                |name: Option<Symbol>| move |volume: &&mut crate::ir::Volume| Some(volume.name) == name;
            match drop.condition {
                Constraint::Amount(None, resource) => {
                    if drop.instead.is_none() {
                        let charges = matcher.moment.plan.broker.charges.iter();
                        let charges = charges.filter(|charge| charge.resource == resource);
                        relaxed.charges.extend(charges.map(|charge| charge.root));
                    }
                    if let Some(request) = &mut need.agent {
                        lower(request, resource, drop.instead.as_ref());
                    }
                }
                Constraint::Amount(name @ Some(_), resource) => need
                    .volumes
                    .iter_mut()
                    .filter(named(name))
                    .for_each(|volume| lower(&mut volume.request, resource, drop.instead.as_ref())),
                Constraint::Limit(role, resource) => {
                    relaxed.limits.extend(matcher.limits_of(role, resource));
                }
                Constraint::Charge(root) => relaxed.charges.push(root),
                Constraint::Place(number) => {
                    need.places.retain(|place| place.number != number);
                    need.volumes
                        .iter_mut()
                        .for_each(|volume| volume.places.retain(|place| place.number != number));
                }
                Constraint::Filesystem(name) => {
                    need.volumes.iter_mut().filter(named(name)).for_each(|volume| volume.filesystem = None);
                }
                Constraint::Access(name) => {
                    need.volumes.iter_mut().filter(named(name)).for_each(|volume| volume.read_only = true);
                }
                Constraint::Source(name) => {
                    need.volumes.iter_mut().filter(named(name)).for_each(|volume| volume.source = None);
                }
                Constraint::Principal => relaxed.framework.served = None,
                Constraint::Rule(..)
                | Constraint::Class(..)
                | Constraint::Asked(..)
                | Constraint::Users(_)
                | Constraint::Reserved(_) => {
                    relaxed.conditions.insert(drop.condition);
                }
            }
        }
        relaxed
    }
}

/// Returns the drops with a part of each amount of a volume. Part 0 leaves these out, and amounts of nothing.
fn parts_of(drops: &[DroppedCondition], part: i64) -> Option<Vec<DroppedCondition>> {
    let mut less = drops.to_vec();
    for drop in &mut less {
        // A request for nothing gets no offer, and a need without the request does.
        if part == 0 && drop.instead.as_ref().is_some_and(Amount::is_nothing) {
            drop.instead = None;
            continue;
        }
        let (Constraint::Amount(Some(_), _), Some(Amount::Scalar(dimension, low, _))) =
            (drop.condition, &drop.instead)
        else {
            continue;
        };
        let low = low.checked_div(part);
        // Whole numbers read better, and half a port does not exist.
        let whole = |low: i64| {
            if *dimension == Dimension::Number && low >= MILLION { low - low % MILLION } else { low }
        };
        let low = low.map(whole);
        drop.instead = low.map(|low| Amount::Scalar(*dimension, low, low));
    }
    (less != drops).then_some(less)
}

/// Returns the ratio of two amounts, in millionths.
fn part_of(asked: Option<&Amount>, level: Option<&Amount>) -> i128 {
    match (asked, level) {
        (Some(Amount::Scalar(_, low, _)), Some(Amount::Scalar(_, level, _))) if *low > 0 => {
            i128::from(*level) * 1_000_000 / i128::from(*low)
        }
        _ => 0,
    }
}

fn lower(request: &mut Request, resource: Symbol, instead: Option<&Amount>) {
    match instead {
        Some(amount) => {
            for ask in request.amounts.iter_mut().filter(|ask| ask.resource == resource) {
                ask.amount = amount.clone();
            }
        }
        None => request.amounts.retain(|ask| ask.resource != resource),
    }
}

/// The rows that grants have changed, which no longer equal the others of their classes.
#[derive(Default)]
struct ChangedRows {
    agents: BTreeSet<usize>,
    supplies: BTreeSet<usize>,
}

impl ChangedRows {
    fn note(&mut self, world: &crate::inventory::world::World, instance: &Instance) {
        self.agents.extend(instance.agent);
        let pools: Vec<Symbol> =
            instance.supplies.iter().map(|(_, supply)| world.supplies[*supply].pool).collect();
        let of_pool = world.supplies.iter().enumerate().filter(|(_, supply)| pools.contains(&supply.pool));
        self.supplies.extend(of_pool.map(|(at, _)| at));
    }

    /// Returns, for each class, the first untouched agent and the touched ones before it.
    fn agents(&self, analysis: &Analysis<'_>, open: &[usize]) -> Vec<Option<usize>> {
        let mut found = Vec::new();
        for row in open.iter().map(|at| &analysis.rows[*at]) {
            let Some(_) = row.agent else {
                found.push(None);
                continue;
            };
            for agent in &row.members {
                found.push(Some(*agent));
                if !self.agents.contains(agent) {
                    break;
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn supplies(&self, analysis: &Analysis<'_>, tried: &[usize], each: usize) -> Vec<usize> {
        let classes: BTreeSet<usize> = tried.iter().map(|supply| analysis.supplies.of[*supply]).collect();
        let mut found = Vec::new();
        for class in classes.iter().copied() {
            let mut fresh = 0;
            for supply in &analysis.supplies.members[class] {
                found.push(*supply);
                fresh += usize::from(!self.supplies.contains(supply));
                if fresh >= each.max(1) {
                    break;
                }
            }
        }
        let of_classes = |supply: &&usize| classes.contains(&analysis.supplies.of[**supply]);
        found.extend(self.supplies.iter().filter(of_classes));
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Returns the first of the largest items.
fn first_of_most<T: Default>(items: impl Iterator<Item = T>, of: impl Fn(&T) -> i128) -> T {
    let mut best: Option<(i128, T)> = None;
    for item in items {
        let value = of(&item);
        if best.as_ref().is_none_or(|best| value > best.0) {
            best = Some((value, item));
        }
    }
    best.map(|best| best.1).unwrap_or_default()
}
