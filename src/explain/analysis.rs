//! Every failing condition of a need, counted by classes of agents and supplies: whom it excludes, whom it excludes
//! alone, and which sets of conditions would have to go.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use super::{
    classes::{self, Classes, Reads},
    crossing::{Bits, Crossing, Fails, Parts, Sets, split},
    state::State,
};
use crate::{
    ir::Volume,
    limits,
    matching::{Condition, Failure, Matcher, NeedId, Reach, Reason, Search, is_permanent},
    types::Side,
};

/// Conditions by their numbers, ascending.
pub(super) type Set = Vec<usize>;

/// How many a condition excludes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Against how many it stands.
    pub excluded: u64,
    /// Against how many it is all that stands.
    pub alone: u64,
}

/// One that a condition excludes, as an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Example {
    pub agent: Option<usize>,
    pub supply: Option<usize>,
    /// How far it is from holding, where that can be said.
    pub distance: Option<u128>,
    /// Whether the parts hold on their own, and it fails where they are put together.
    pub together: bool,
}

/// What is known of one condition, of one volume or of the agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub agents: Counts,
    pub supplies: Counts,
    pub pairs: Counts,
    /// How many of those it excludes it excludes for good.
    pub permanent: u64,
    pub noted: u64,
    /// Nearest first.
    pub examples: Vec<Example>,
    /// What was said of parts that do not hold together.
    pub said: Vec<(Example, Reason)>,
    /// Columns that are absent, and for how many of those noted.
    pub absent: IndexMap<crate::ir::ColumnId, u64>,
}

/// How many examples are kept of a condition.
const EXAMPLES: usize = 12;

/// Whether every member of one is in the other.
pub(super) fn is_subset(part: &[usize], whole: &[usize]) -> bool {
    part.iter().all(|member| whole.binary_search(member).is_ok())
}

/// The members of either.
pub(super) fn union(one: &[usize], other: &[usize]) -> Set {
    let mut all: Set = one.iter().chain(other).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Agents that are alike, or that there is none.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The first of them.
    pub agent: Option<usize>,
    /// Which of them, in order of name.
    pub members: Vec<usize>,
    pub count: u64,
    /// Their class as rules see them that mention the supply too.
    pub crossing: usize,
    /// What stands against them alone: the number of a set.
    pub set: usize,
}

/// What stands against the supplies of each volume, for classes of agents that are alike in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// By volume: the numbers of the sets, ascending.
    pub sets: Vec<Vec<usize>>,
    /// The volumes that no supply is left for, with all that stands against some supply.
    pub closed: Vec<(usize, Set)>,
}

/// A need against its fleet.
pub(super) struct Analysis<'a> {
    pub matcher: Matcher<'a>,
    pub conditions: IndexSet<Condition>,
    /// By condition and the volume's number.
    pub tallies: IndexMap<(usize, Option<usize>), Tally>,
    pub rows: Vec<Row>,
    pub supplies: Classes,
    /// The volumes that differ, by number.
    pub volumes: Vec<usize>,
    /// By the number of a volume's place in `volumes`, then by class of supplies: the number of a set.
    supply_sets: Vec<Vec<usize>>,
    pub sets: Sets,
    /// The ways there are, each once.
    pub ways: Vec<Ways>,
    /// Which of them, by class of agents as crossing rules see them.
    pub way_of: Vec<usize>,
    crossing: Crossing<'a>,
    /// By volume: conditions of both sides, with whom they exclude.
    fails: Vec<Vec<Fails>>,
    /// Agents that can take an instance.
    pub feasible: u64,
    /// Rows whose parts hold, and that were not looked into any further.
    pub unlooked: u64,
    reads: IndexMap<crate::ir::NodeId, Vec<crate::ir::ColumnId>>,
}

impl<'a> Analysis<'a> {
    pub fn new(fleet: &'a crate::Fleet, state: &'a State, id: NeedId) -> Analysis<'a> {
        let matcher = Matcher::new(state.moment(fleet), id);
        let reads = Reads::new(&matcher);
        let volumes = &matcher.subject.need.volumes;
        let supplies = match volumes.as_slice() {
            [] => Classes { members: Vec::new(), of: Vec::new() },
            _ => classes::supplies(&matcher, &reads),
        };
        let firsts: Vec<usize> = supplies.members.iter().map(|members| members[0]).collect();
        let mut analysis = Analysis {
            matcher,
            conditions: IndexSet::new(),
            tallies: IndexMap::new(),
            rows: Vec::new(),
            supplies,
            volumes: (0..volumes.len()).filter(|at| volumes[*at].ordinal.0 == 0).collect(),
            supply_sets: Vec::new(),
            sets: Sets::default(),
            ways: Vec::new(),
            way_of: Vec::new(),
            crossing: Crossing::new(matcher, &firsts),
            fails: Vec::new(),
            feasible: 0,
            unlooked: 0,
            reads: IndexMap::new(),
        };
        analysis.sets.number(Set::new());
        analysis.agents(&reads);
        analysis.supplies_alone();
        analysis.pairs();
        analysis.agents_left();
        analysis.together();
        analysis
    }

    fn number(&mut self, condition: Condition) -> usize {
        self.conditions.insert_full(condition).0
    }

    /// Notes one failure of so many.
    fn note(
        &mut self,
        failure: &Failure<'a>,
        example: Example,
        volume: Option<usize>,
        count: u64,
    ) -> (usize, Option<usize>) {
        let asked = volume.map(|at| &self.matcher.subject.need.volumes[at]);
        let condition = Condition::of(failure, asked);
        let scene = self.matcher.scene(example.agent, example.supply, asked);
        let mut absent = Vec::new();
        if let Some(node) = node_of(&condition) {
            let plan = self.matcher.moment.plan;
            let reads = self.reads.entry(node).or_insert_with(|| plan.reads(node).into_iter().collect());
            absent.extend(reads.iter().copied().filter(|column| scene.read(*column).is_err()));
        }
        let distance = super::near::distance(&scene, failure);
        let permanent = is_permanent(&scene, failure);
        let key = (self.number(condition), volume);
        let tally = self.tallies.entry(key).or_default();
        tally.noted += count;
        tally.permanent += if permanent { count } else { 0 };
        for column in absent {
            *tally.absent.entry(column).or_insert(0) += count;
        }
        // Nearest first, and among equals the first found.
        let at = tally.examples.partition_point(|known| {
            (known.distance.is_none(), known.distance) <= (distance.is_none(), distance)
        });
        if at < EXAMPLES {
            tally.examples.insert(at, Example { distance, ..example });
            tally.examples.truncate(EXAMPLES);
        }
        key
    }

    /// What stands against agents alone.
    fn agents(&mut self, reads: &Reads) {
        let matcher = self.matcher;
        let wanted = matcher.subject.need.agent.is_some();
        let classes = match wanted {
            false => Classes { members: vec![vec![0]], of: vec![0] },
            true => classes::agents(&matcher, reads),
        };
        for members in classes.members {
            let agent = members.first().copied().filter(|_| wanted);
            let count = members.len() as u64;
            let mut set = Set::new();
            for failure in matcher.agent_failures(agent) {
                let example = Example { agent, supply: None, distance: None, together: false };
                let key = self.note(&failure, example, None, count);
                self.tallies[&key].agents.excluded += count;
                set = union(&set, &[key.0]);
            }
            let crossing = agent.map_or(0, |agent| self.crossing.classes.of[agent]);
            let set = self.sets.number(set);
            self.rows.push(Row { agent, members, count, crossing, set });
        }
    }

    /// What stands against supplies, whatever the agent.
    fn supplies_alone(&mut self) {
        let matcher = self.matcher;
        for at in self.volumes.clone() {
            let volume = &matcher.subject.need.volumes[at];
            let mut sets = Vec::with_capacity(self.supplies.members.len());
            for class in 0..self.supplies.members.len() {
                let (supply, count) =
                    (self.supplies.members[class][0], self.supplies.members[class].len() as u64);
                let mut set = Set::new();
                for failure in matcher.supply_failures(None, volume, supply, Reach::WithoutAgent) {
                    let example =
                        Example { agent: None, supply: Some(supply), distance: None, together: false };
                    let key = self.note(&failure, example, Some(at), count);
                    if !set.contains(&key.0) {
                        self.tallies[&key].supplies.excluded += count;
                    }
                    set = union(&set, &[key.0]);
                }
                if let [only] = set.as_slice() {
                    self.tallies[&(*only, Some(at))].supplies.alone += count;
                }
                sets.push(self.sets.number(set));
            }
            self.supply_sets.push(sets);
        }
    }

    /// What stands against agents and supplies together, rule by rule.
    fn pairs(&mut self) {
        let mut steps = limits::EXPLAIN_PAIRS;
        let crossing = std::mem::replace(&mut self.crossing, Crossing::new(self.matcher, &[]));
        let supplies = self.supplies.clone();
        for at in self.volumes.clone() {
            let volume = &self.matcher.subject.need.volumes[at];
            let found = crossing.fails(volume, &supplies, &mut steps, &mut |pair| {
                let failure = Failure::Rule(pair.rule, pair.node);
                let (agent, supply) = (Some(pair.agent), Some(pair.supply));
                let example = Example { agent, supply, distance: None, together: false };
                let count = pair.agents * pair.supplies;
                let key = self.note(&failure, example, Some(at), count);
                self.tallies[&key].pairs.excluded += count;
                debug_assert_eq!(self.conditions[key.0], pair.condition);
                key.0
            });
            self.unlooked += u64::from(found.is_none());
            self.fails.push(found.unwrap_or_default());
        }
        self.crossing = crossing;
        // How many agents of each class, and how many of them nothing stands against alone.
        let classes = self.crossing.classes.members.len().max(1);
        let mut counts = vec![(None, 0, 0); classes];
        for row in &self.rows {
            let (first, all, open) = &mut counts[row.crossing];
            first.get_or_insert(row.agent);
            *all += row.count;
            *open += if row.set == 0 { row.count } else { 0 };
        }
        let mut known: IndexMap<Vec<Vec<usize>>, usize> = IndexMap::new();
        for (agent, all, open) in counts {
            let sets: Vec<Vec<usize>> = (0..self.volumes.len())
                .map(|index| {
                    let parts = self.parts(agent.flatten(), index, Some(all));
                    self.alone_in_pairs(&parts, index, open);
                    let mut sets: Vec<usize> = parts.into_iter().map(|part| part.0).collect();
                    sets.sort_unstable();
                    sets.dedup();
                    sets
                })
                .collect();
            let next = known.len();
            let way = *known.entry(sets).or_insert(next);
            self.way_of.push(way);
        }
        self.ways = known
            .into_keys()
            .map(|sets| {
                let shut = sets.iter().enumerate().filter(|(_, sets)| !sets.contains(&0));
                let all = |sets: &Vec<usize>| {
                    let members: BTreeSet<usize> =
                        sets.iter().flat_map(|set| self.sets.get(*set)).copied().collect();
                    members.into_iter().collect()
                };
                let closed = shut.map(|(index, sets)| (index, all(sets))).collect();
                Ways { sets, closed }
            })
            .collect();
    }

    /// Of rules about both sides: pairs that one alone excludes.
    fn alone_in_pairs(&mut self, parts: &Parts, index: usize, open: u64) {
        for (set, bits) in parts {
            let [only] = self.sets.get(*set).as_slice() else { continue };
            let only = *only;
            let crossed = bits.iter().filter(|class| self.supply_sets[index][*class] == 0);
            let supplies: u64 = crossed.map(|class| self.supplies.members[class].len() as u64).sum();
            if supplies > 0 {
                self.tallies[&(only, Some(self.volumes[index]))].pairs.alone += supplies * open;
            }
        }
    }

    /// The classes of supplies by what stands against them for an agent. Told `count`, what only this agent's own
    /// rules say is noted for so many.
    fn parts(&mut self, agent: Option<usize>, index: usize, count: Option<u64>) -> Parts {
        let classes = self.supplies.members.len();
        let mut alone: IndexMap<usize, Bits> = IndexMap::new();
        for (class, set) in self.supply_sets[index].iter().enumerate() {
            alone.entry(*set).or_insert_with(|| Bits::none(classes)).set(class);
        }
        let alone: Parts = alone.into_iter().collect();
        let Some(agent) = agent else { return alone };
        let fails = self.fails[index].iter();
        let fails =
            fails.map(|fails| (fails.number, &fails.of[self.crossing.projected(fails.projection, agent)]));
        let parts = split(&alone, fails, &mut self.sets);
        if !self.crossing.has_own(agent) {
            return parts;
        }
        let own = self.own(agent, index, count);
        split(&parts, own.iter().map(|(number, bits)| (*number, bits)), &mut self.sets)
    }

    /// What an agent's own rules say of supplies: they need not mention the agent itself.
    fn own(&mut self, agent: usize, index: usize, count: Option<u64>) -> IndexMap<usize, Bits> {
        let (matcher, at) = (self.matcher, self.volumes[index]);
        let (volume, plan) = (&matcher.subject.need.volumes[at], matcher.moment.plan);
        let rules = matcher.moment.world.rules_of_agent(plan, Some(agent));
        let classes = self.supplies.members.len();
        let mut found: IndexMap<usize, Bits> = IndexMap::new();
        for class in 0..classes {
            let (supply, supplies) =
                (self.supplies.members[class][0], self.supplies.members[class].len() as u64);
            let scene = matcher.scene(Some(agent), Some(supply), Some(volume));
            for rule in rules.iter().filter(|rule| rule.weight.is_none() && rule.sides.of_volume()) {
                for node in matcher.conditions(rule.root) {
                    if scene.truth(node).holds() {
                        continue;
                    }
                    let number = match count {
                        None => self.number(Condition::Rule(rule.root, node)),
                        Some(count) => {
                            let (agent, supply) = (Some(agent), Some(supply));
                            let example = Example { agent, supply, distance: None, together: false };
                            let failure = Failure::Rule(rule, node);
                            let key = self.note(&failure, example, Some(at), count * supplies);
                            self.tallies[&key].pairs.excluded += count * supplies;
                            key.0
                        }
                    };
                    found.entry(number).or_insert_with(|| Bits::none(classes)).set(class);
                }
            }
        }
        found
    }

    /// The supplies with just this set against them for an agent: one of each class.
    pub fn supplies_with(&mut self, agent: Option<usize>, index: usize, set: usize) -> Vec<usize> {
        let parts = self.parts(agent, index, None);
        let of_set = parts.iter().filter(|part| part.0 == set);
        of_set.flat_map(|part| part.1.iter()).map(|class| self.supplies.members[class][0]).collect()
    }

    /// Agents that no supply is left for; and whom a condition alone excludes.
    fn agents_left(&mut self) {
        let wanted = self.matcher.subject.need.agent.is_some();
        // Rows that are alike in all of this count together.
        let mut alike: IndexMap<(usize, usize), u64> = IndexMap::new();
        for row in &self.rows {
            *alike.entry((row.set, self.way_of[row.crossing])).or_insert(0) += row.count;
        }
        for ((set, way), count) in alike {
            let (set, ways) = (self.sets.get(set).clone(), &self.ways[way]);
            let key = |index: usize, number: usize| (number, Some(self.volumes[index]));
            for (index, all) in ways.closed.iter().filter(|_| wanted) {
                for number in all {
                    self.tallies[&key(*index, *number)].agents.excluded += count;
                }
            }
            let frees = |index: usize, number: usize| {
                ways.sets[index].iter().any(|set| self.sets.get(*set).as_slice() == [number])
            };
            let alone: Set = match set.as_slice() {
                [] => ways.closed.first().map_or(Set::new(), |closed| closed.1.clone()),
                [only] => vec![*only],
                _ => Set::new(),
            };
            for number in alone {
                if !ways.closed.iter().all(|closed| frees(closed.0, number)) {
                    continue;
                }
                if !set.is_empty() {
                    self.tallies[&(number, None)].agents.alone += count;
                }
                for (index, _) in ways.closed.iter().filter(|_| wanted) {
                    self.tallies[&key(*index, number)].agents.alone += count;
                }
            }
        }
    }

    /// The ways of a row.
    pub fn ways(&self, row: &Row) -> &Ways {
        &self.ways[self.way_of[row.crossing]]
    }

    /// Whether all parts of a row hold on their own.
    pub fn is_open(&self, row: &Row) -> bool {
        row.set == 0 && self.ways(row).closed.is_empty()
    }

    /// Agents whose parts all hold: those that can take an instance, and what keeps the parts of others apart.
    fn together(&mut self) {
        let need = self.matcher.subject.need;
        let tied = need.volumes.len() > 1
            || need.places.iter().any(classes::speaks_of_volume)
            || classes::charges_read_supplies(self.matcher.moment.plan);
        let supplies = self.supplies_to_try(need.volumes.len(), &[]);
        let mut steps = 0;
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            if !self.is_open(row) {
                continue;
            }
            let (agent, count) = (row.agent, row.count);
            if !tied {
                self.feasible += count;
                continue;
            }
            if steps >= limits::EXPLAIN_STEPS {
                self.unlooked += 1;
                continue;
            }
            let mut search = Search::explaining();
            let found = self.matcher.among(&supplies).candidate(agent, &mut search).is_some();
            steps += search.steps;
            if found {
                self.feasible += count;
                continue;
            }
            for (key, _, only) in self.joint(agent, count, &search) {
                self.tallies[&key].agents.excluded += count;
                self.tallies[&key].agents.alone += if only { count } else { 0 };
            }
        }
    }

    /// The conditions that keep parts apart which hold on their own, each once, with the whole sets; and whether it
    /// is the one thing that does.
    fn joint(
        &mut self,
        agent: Option<usize>,
        count: u64,
        search: &Search,
    ) -> Vec<((usize, Option<usize>), Set, bool)> {
        let matcher = self.matcher;
        let mut found: Vec<((usize, Option<usize>), Set)> = Vec::new();
        for supplies in search.refused.iter().flatten() {
            let Some(last) = supplies.last() else { continue };
            let failures = matcher.joint_failures(agent, supplies);
            let mut keys = Vec::new();
            for failure in &failures {
                let of_volume = failure_side(failure) == Side::Pool;
                let volume = self.distinct(supplies.len() - 1).filter(|_| of_volume);
                let supply = Some(*last).filter(|_| of_volume);
                let example = Example { agent, supply, distance: None, together: true };
                let key = self.note(failure, example, volume, count);
                let asked = volume.map(|at| &matcher.subject.need.volumes[at]);
                self.say(key, example, matcher.reason(failure, agent, supply, asked));
                keys.push(key);
            }
            let set = keys.iter().fold(Set::new(), |set, key| union(&set, &[key.0]));
            found.extend(keys.into_iter().map(|key| (key, set.clone())));
        }
        if let Some((at, supply, shortage)) = &search.ran_out {
            let failure = Failure::Amount(shortage.clone());
            let example = Example { agent, supply: Some(*supply), distance: None, together: true };
            let key = self.note(&failure, example, self.distinct(*at), count);
            self.say(key, example, matcher.ran_out(*supply, shortage));
            found.push((key, vec![key.0]));
        }
        let only = found.iter().all(|(_, set)| set.len() == 1 && *set == found[0].1);
        let mut each: IndexMap<(usize, Option<usize>), Set> = IndexMap::new();
        for (key, set) in found {
            each.entry(key).or_insert(set);
        }
        each.into_iter().map(|(key, set)| (key, set, only)).collect()
    }

    fn say(&mut self, key: (usize, Option<usize>), example: Example, reason: Reason) {
        let said = &mut self.tallies[&key].said;
        if said.len() < EXAMPLES && said.iter().all(|known| known.1.have != reason.have) {
            said.push((example, reason));
        }
    }

    /// The first volume with the same name.
    fn distinct(&self, at: usize) -> Option<usize> {
        let volumes = &self.matcher.subject.need.volumes;
        let name = volumes.get(at)?.name;
        volumes.iter().position(|volume| volume.name == name)
    }

    /// So many supplies of each class that could hold if these conditions were dropped.
    pub fn supplies_to_try(&self, each: usize, dropped: &[usize]) -> Vec<usize> {
        let could =
            |class: usize| self.supply_sets.iter().any(|sets| is_subset(self.sets.get(sets[class]), dropped));
        let classes = (0..self.supplies.members.len()).filter(|class| could(*class));
        let mut found: Vec<usize> = classes
            .flat_map(|class| self.supplies.members[class].iter().take(each.max(1)).copied())
            .collect();
        found.sort_unstable();
        found
    }
}

fn failure_side(failure: &Failure<'_>) -> Side {
    match failure {
        Failure::Place(_, side, _) => *side,
        Failure::Amount(shortage) => shortage.side,
        _ => Side::Agent,
    }
}

/// The volume that a failure of parts put together is about, where it is about one: the last of so many.
pub(super) fn volume_of<'v>(
    failure: &Failure<'_>,
    volumes: &'v [Volume],
    assigned: usize,
) -> Option<&'v Volume> {
    volumes.get(assigned.wrapping_sub(1)).filter(|_| failure_side(failure) == Side::Pool)
}

/// The node of a condition that is an expression.
pub(super) fn node_of(condition: &Condition) -> Option<crate::ir::NodeId> {
    match condition {
        Condition::Rule(_, node) | Condition::Class(_, _, node) | Condition::Asked(_, _, node) => Some(*node),
        Condition::Charge(node) => Some(*node),
        _ => None,
    }
}
