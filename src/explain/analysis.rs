//! The failing conditions of a need, counted over the whole fleet.
//!
//! A need has agents × supplies pairs for each volume, too many to list. Rows that the need cannot tell apart
//! form a class (`classes`), and one member of each is checked. Rules about both sides are evaluated over the
//! values that they read (`crossing`). The outcome is a set of failing conditions for each class of agents,
//! of supplies, and of both. Every set has a number, and set 0 is the empty one: nothing fails.
//!
//! The counts of the report follow from these sets, and so do the candidates for `relaxations`.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use super::{
    classes::{self, NeedReads, RowClasses},
    crossing::{ClassBits, ClassPartition, Crossing, Fails, Sets, split},
    sets::{Conditions, is_subset, set_of},
    state::MomentState,
};
use crate::{
    ir::{OwnedRule, Volume},
    limits,
    matching::{Constraint, Failure, Matcher, NeedId, Reach, Reason, Search},
};

/// The number of rows that a condition excludes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The rows that the condition excludes, alone or among others.
    pub excluded: u64,
    /// The rows that the condition alone excludes.
    pub alone: u64,
}

/// An excluded row or pair, kept as an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Example {
    pub agent: Option<usize>,
    pub supply: Option<usize>,
    /// The distance from passing, if it can be measured.
    pub distance: Option<u128>,
    /// True if the parts pass one by one, and fail in combination.
    pub together: bool,
}

/// The counts and examples of one condition of a volume, or of the agent.
#[derive(Clone, Debug, Default)]
pub(super) struct ConditionTally {
    pub agents: Counts,
    pub supplies: Counts,
    pub pairs: Counts,
    /// The members of `noted` that are excluded permanently.
    pub permanent: u64,
    /// The failures that were counted, each with the size of its class.
    pub noted: u64,
    /// The examples, nearest first.
    pub examples: Vec<Example>,
    /// The reasons of parts that fail in combination.
    pub joint_reasons: Vec<(Example, Reason)>,
    /// The absent columns that the condition reads, with the number of failures in which each is absent.
    pub absent: IndexMap<crate::ir::ColumnId, u64>,
}

/// The number of examples kept of a condition.
const EXAMPLES: usize = 12;

/// A class of agents, or the single row of a need that wants no agent.
#[derive(Clone, Debug)]
pub(super) struct AgentClass {
    /// The first member. `None` if the need wants no agent.
    pub agent: Option<usize>,
    /// The members, in order of name.
    pub members: Vec<usize>,
    pub count: u64,
    /// The class of the agents with respect to rules about both sides.
    pub crossing: usize,
    /// The number of the set of conditions that the agents fail by themselves.
    pub set: usize,
}

/// The sets of conditions that supplies fail, for a class of agents with respect to rules about both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct SupplyFailures {
    /// The numbers of the sets, ascending, for each volume.
    pub sets: Vec<Vec<usize>>,
    /// The volumes without a passing supply, each with all conditions that some supply fails.
    pub closed: Vec<(usize, Conditions)>,
}

/// The analysis of a need.
pub(super) struct Analysis<'a> {
    pub matcher: Matcher<'a>,
    pub conditions: IndexSet<Constraint>,
    /// The tallies, by the number of the condition and of the volume.
    pub tallies: IndexMap<(usize, Option<usize>), ConditionTally>,
    pub rows: Vec<AgentClass>,
    pub supplies: RowClasses,
    /// The first volume of each name, by number.
    pub volumes: Vec<usize>,
    /// The number of the set that each class of supplies fails by itself, by the volume's position in
    /// `volumes`.
    supply_sets: Vec<Vec<usize>>,
    pub sets: Sets,
    /// The distinct ways.
    pub ways: Vec<SupplyFailures>,
    /// The number of the way of each class of agents in `crossing`.
    pub way_of: Vec<usize>,
    crossing: Crossing<'a>,
    /// The failures of rules about both sides, by the volume's position in `volumes`.
    fails: Vec<Vec<Fails>>,
    /// The agents that can take an instance.
    pub feasible: u64,
    /// The classes of agents whose combinations were not tried, and the volumes whose rules about both sides
    /// were not evaluated, because a bound was reached.
    pub skipped: u64,
    /// True if a bound left out agents or supplies that fail by themselves.
    pub left_out: bool,
    reads: IndexMap<crate::ir::NodeId, Vec<crate::ir::ColumnId>>,
}

impl<'a> Analysis<'a> {
    pub fn new(fleet: &'a crate::Fleet, state: &'a MomentState, id: NeedId) -> Analysis<'a> {
        let matcher = Matcher::new(state.moment(fleet), id);
        let reads = NeedReads::new(&matcher);
        let volumes = &matcher.subject.need.volumes;
        let mut supplies = match volumes.as_slice() {
            [] => RowClasses { members: Vec::new(), of: Vec::new() },
            _ => classes::supplies(&matcher, &reads),
        };
        let serves = |supply| volumes.iter().any(|volume| matcher.supply_holds(volume, supply));
        let left_out = supplies.bound(matcher.looks() * volumes.len().max(1), serves);
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
            skipped: 0,
            left_out,
            reads: IndexMap::new(),
        };
        // Gives the empty set the number 0.
        analysis.sets.number(Conditions::new());
        analysis.agents(&reads);
        analysis.supplies_alone();
        analysis.pairs();
        analysis.agents_left();
        analysis.together();
        analysis
    }

    fn number(&mut self, condition: Constraint) -> usize {
        self.conditions.insert_full(condition).0
    }

    /// Records a failure that stands for `count` rows. Returns the condition's number and the volume.
    fn note(
        &mut self,
        failure: &Failure<'a>,
        example: Example,
        volume: Option<usize>,
        count: u64,
    ) -> (usize, Option<usize>) {
        let asked = volume.map(|at| &self.matcher.subject.need.volumes[at]);
        let condition = failure.constraint(asked);
        let scene = self.matcher.scene(example.agent, example.supply, asked);
        let mut absent = Vec::new();
        if let Some(node) = condition.node() {
            let plan = self.matcher.moment.plan;
            let reads = self.reads.entry(node).or_insert_with(|| plan.reads(node).into_iter().collect());
            absent.extend(reads.iter().copied().filter(|column| scene.read(*column).is_err()));
        }
        let distance = super::near::distance(&scene, failure);
        let permanent = failure.is_permanent(&scene);
        let key = (self.number(condition), volume);
        let tally = self.tallies.entry(key).or_default();
        tally.noted += count;
        tally.permanent += if permanent { count } else { 0 };
        for column in absent {
            *tally.absent.entry(column).or_insert(0) += count;
        }
        // Nearest first, and in order of discovery among equals.
        let at = tally.examples.partition_point(|known| {
            (known.distance.is_none(), known.distance) <= (distance.is_none(), distance)
        });
        if at < EXAMPLES {
            tally.examples.insert(at, Example { distance, ..example });
            tally.examples.truncate(EXAMPLES);
        }
        key
    }

    /// Checks each class of agents by itself.
    fn agents(&mut self, reads: &NeedReads) {
        let matcher = self.matcher;
        let wanted = matcher.subject.need.agent.is_some();
        let mut classes = match wanted {
            false => RowClasses { members: vec![vec![0]], of: vec![0] },
            true => classes::agents(&matcher, reads),
        };
        self.left_out |= classes.bound(matcher.looks(), |agent| matcher.agent_holds(Some(agent)));
        for members in classes.members {
            let agent = members.first().copied().filter(|_| wanted);
            let count = members.len() as u64;
            let mut set = Conditions::new();
            for failure in matcher.agent_failures(agent) {
                let example = Example { agent, supply: None, distance: None, together: false };
                let key = self.note(&failure, example, None, count);
                self.tallies[&key].agents.excluded += count;
                set.push(key.0);
            }
            let crossing = agent.map_or(0, |agent| self.crossing.classes.of[agent]);
            let set = self.sets.number(set_of(set));
            self.rows.push(AgentClass { agent, members, count, crossing, set });
        }
    }

    /// Checks each class of supplies by itself, for each volume.
    fn supplies_alone(&mut self) {
        let matcher = self.matcher;
        for at in self.volumes.clone() {
            let volume = &matcher.subject.need.volumes[at];
            let mut sets = Vec::with_capacity(self.supplies.members.len());
            for class in 0..self.supplies.members.len() {
                let (supply, count) =
                    (self.supplies.members[class][0], self.supplies.members[class].len() as u64);
                let mut set: BTreeSet<usize> = BTreeSet::new();
                for failure in matcher.supply_failures(None, volume, supply, Reach::WithoutAgent) {
                    let example =
                        Example { agent: None, supply: Some(supply), distance: None, together: false };
                    let key = self.note(&failure, example, Some(at), count);
                    if set.insert(key.0) {
                        self.tallies[&key].supplies.excluded += count;
                    }
                }
                let set: Conditions = set.into_iter().collect();
                if let [only] = set.as_slice() {
                    self.tallies[&(*only, Some(at))].supplies.alone += count;
                }
                sets.push(self.sets.number(set));
            }
            self.supply_sets.push(sets);
        }
    }

    /// Evaluates the rules about both sides, and derives the ways of each class of agents.
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
            self.skipped += u64::from(found.is_none());
            self.fails.push(found.unwrap_or_default());
        }
        self.crossing = crossing;
        // For each class: its first agent, its size, and the number of agents that fail nothing by
        // themselves.
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
            // Classes of agents with the same sets for every volume share a way.
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
                SupplyFailures { sets, closed }
            })
            .collect();
    }

    /// Counts the pairs that a rule about both sides alone excludes.
    fn alone_in_pairs(&mut self, parts: &ClassPartition, index: usize, open: u64) {
        for (set, bits) in parts {
            let [only] = self.sets.get(*set).as_slice() else { continue };
            let only = *only;
            // Supplies that fail nothing by themselves: the only condition of the set is then one of both
            // sides.
            let crossed = bits.iter().filter(|class| self.supply_sets[index][*class] == 0);
            let supplies: u64 = crossed.map(|class| self.supplies.members[class].len() as u64).sum();
            if supplies > 0 {
                self.tallies[&(only, Some(self.volumes[index]))].pairs.alone += supplies * open;
            }
        }
    }

    /// Partitions the classes of supplies by the set of conditions that they fail with an agent. With
    /// `count`, failures of the agent's own rules are recorded for as many agents.
    fn parts(&mut self, agent: Option<usize>, index: usize, count: Option<u64>) -> ClassPartition {
        let classes = self.supplies.members.len();
        let mut alone: IndexMap<usize, ClassBits> = IndexMap::new();
        for (class, set) in self.supply_sets[index].iter().enumerate() {
            alone.entry(*set).or_insert_with(|| ClassBits::none(classes)).set(class);
        }
        let alone: ClassPartition = alone.into_iter().collect();
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

    /// Evaluates the agent's own rules about supplies. They need not mention the agent, so `crossing` does
    /// not have them.
    fn own(&mut self, agent: usize, index: usize, count: Option<u64>) -> IndexMap<usize, ClassBits> {
        let (matcher, at) = (self.matcher, self.volumes[index]);
        let volume = &matcher.subject.need.volumes[at];
        let own = matcher.demand().own(Some(agent)).filter(OwnedRule::is_required);
        let rules: Vec<_> = own.filter(|one| one.subject.has_supply()).map(|one| one.rule).collect();
        let classes = self.supplies.members.len();
        let mut found: IndexMap<usize, ClassBits> = IndexMap::new();
        for class in 0..classes {
            let (supply, supplies) =
                (self.supplies.members[class][0], self.supplies.members[class].len() as u64);
            let scene = matcher.scene(Some(agent), Some(supply), Some(volume));
            for rule in rules.iter().copied() {
                for node in matcher.conditions(rule.root) {
                    if scene.truth(node).holds() {
                        continue;
                    }
                    let number = match count {
                        None => self.number(Constraint::Rule(rule.root, node)),
                        Some(count) => {
                            let (agent, supply) = (Some(agent), Some(supply));
                            let example = Example { agent, supply, distance: None, together: false };
                            let failure = Failure::Rule(rule, node);
                            let key = self.note(&failure, example, Some(at), count * supplies);
                            self.tallies[&key].pairs.excluded += count * supplies;
                            key.0
                        }
                    };
                    found.entry(number).or_insert_with(|| ClassBits::none(classes)).set(class);
                }
            }
        }
        found
    }

    /// Returns a member of each class of supplies that fails exactly this set with an agent.
    pub fn supplies_with(&mut self, agent: Option<usize>, index: usize, set: usize) -> Vec<usize> {
        let parts = self.parts(agent, index, None);
        let of_set = parts.iter().filter(|part| part.0 == set);
        of_set.flat_map(|part| part.1.iter()).map(|class| self.supplies.members[class][0]).collect()
    }

    /// Counts the agents that are left without a supply, and those that a single condition excludes.
    fn agents_left(&mut self) {
        let wanted = self.matcher.subject.need.agent.is_some();
        // Rows with equal sets and ways are counted together.
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
            // An agent is excluded by a condition alone if it fails nothing else by itself, and if every
            // volume without a supply would have one without the condition.
            let frees = |index: usize, number: usize| {
                ways.sets[index].iter().any(|set| self.sets.get(*set).as_slice() == [number])
            };
            let alone: Conditions = match set.as_slice() {
                [] => ways.closed.first().map_or(Conditions::new(), |closed| closed.1.clone()),
                [only] => vec![*only],
                _ => Conditions::new(),
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

    /// Returns the ways of a row.
    pub fn ways(&self, row: &AgentClass) -> &SupplyFailures {
        &self.ways[self.way_of[row.crossing]]
    }

    /// Returns `true` if all parts of a row pass one by one.
    pub fn is_open(&self, row: &AgentClass) -> bool {
        row.set == 0 && self.ways(row).closed.is_empty()
    }

    /// Tries the agents whose parts all pass one by one. Counts those that can take an instance, and the
    /// conditions that the others fail in combination.
    fn together(&mut self) {
        let need = self.matcher.subject.need;
        // With a single volume, no place between it and the agent, and no charge that reads the supply, parts
        // that pass one by one also pass together.
        let tied = need.volumes.len() > 1
            || need.places.iter().any(|place| place.kind.is_tie())
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
                self.skipped += 1;
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

    /// Records the conditions that fail in combination. Returns each once, with the set it fails in, and
    /// `true` if all failures are of a single condition.
    fn joint(
        &mut self,
        agent: Option<usize>,
        count: u64,
        search: &Search,
    ) -> Vec<((usize, Option<usize>), Conditions, bool)> {
        let matcher = self.matcher;
        let mut found: Vec<((usize, Option<usize>), Conditions)> = Vec::new();
        for supplies in search.refused.iter().flatten() {
            let Some(last) = supplies.last() else { continue };
            let failures = matcher.joint_failures(agent, supplies);
            let mut keys = Vec::new();
            for failure in &failures {
                let of_volume = failure.is_of_supply();
                let volume = self.distinct(supplies.len() - 1).filter(|_| of_volume);
                let supply = Some(*last).filter(|_| of_volume);
                let example = Example { agent, supply, distance: None, together: true };
                let key = self.note(failure, example, volume, count);
                let asked = volume.map(|at| &matcher.subject.need.volumes[at]);
                self.say(key, example, matcher.reason(failure, agent, supply, asked));
                keys.push(key);
            }
            let set = set_of(keys.iter().map(|key| key.0));
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
        let mut each: IndexMap<(usize, Option<usize>), Conditions> = IndexMap::new();
        for (key, set) in found {
            each.entry(key).or_insert(set);
        }
        each.into_iter().map(|(key, set)| (key, set, only)).collect()
    }

    fn say(&mut self, key: (usize, Option<usize>), example: Example, reason: Reason) {
        let joint_reasons = &mut self.tallies[&key].joint_reasons;
        if joint_reasons.len() < EXAMPLES && joint_reasons.iter().all(|known| known.1.have != reason.have) {
            joint_reasons.push((example, reason));
        }
    }

    /// Returns the first volume with the same name.
    fn distinct(&self, at: usize) -> Option<usize> {
        let volumes = &self.matcher.subject.need.volumes;
        let name = volumes.get(at)?.name;
        volumes.iter().position(|volume| volume.name == name)
    }

    /// Returns up to `each` supplies of each class that would pass if the conditions of `dropped` did not
    /// apply.
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

/// Returns the volume that a failure in combination is about, if it is about one: the last that was assigned.
pub(super) fn volume_of<'v>(
    failure: &Failure<'_>,
    volumes: &'v [Volume],
    assigned: usize,
) -> Option<&'v Volume> {
    volumes.get(assigned.wrapping_sub(1)).filter(|_| failure.is_of_supply())
}
