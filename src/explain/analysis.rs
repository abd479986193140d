//! Every failing condition of a need, counted by classes of agents and supplies: whom it excludes, whom it excludes
//! alone, and which sets of conditions would have to go.

use indexmap::{IndexMap, IndexSet};

use super::{
    classes::{self, Classes, Reads},
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
    /// What stands against them alone.
    pub set: Set,
}

/// What stands against the supplies of one volume for one class of agents.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// Every set, with the classes of supplies that have just it.
    pub sets: IndexMap<Set, Vec<usize>>,
    /// Everything that stands against some supply.
    pub all: Set,
}

impl Ways {
    /// Whether some supply holds.
    pub fn is_open(&self) -> bool {
        self.sets.contains_key([].as_slice())
    }
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
    /// By the number of a volume's place in `volumes`, then by class of supplies.
    pub supply_sets: Vec<Vec<Set>>,
    /// By class of agents as crossing rules see them, then by volume.
    pub ways: Vec<Vec<Ways>>,
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
        let mut analysis = Analysis {
            matcher,
            conditions: IndexSet::new(),
            tallies: IndexMap::new(),
            rows: Vec::new(),
            supplies: classes::supplies(&matcher, &reads),
            volumes: (0..volumes.len()).filter(|at| volumes[*at].ordinal.0 == 0).collect(),
            supply_sets: Vec::new(),
            ways: Vec::new(),
            feasible: 0,
            unlooked: 0,
            reads: IndexMap::new(),
        };
        let crossing = analysis.agents(&reads);
        analysis.supplies_alone();
        analysis.pairs(&reads, &crossing);
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
    fn agents(&mut self, reads: &Reads) -> Classes {
        let matcher = self.matcher;
        let one = Classes { members: vec![vec![0]], of: vec![0] };
        let (classes, crossing) = match matcher.subject.need.agent {
            None => (one.clone(), one),
            Some(_) => (classes::agents(&matcher, reads), classes::crossing(&matcher, reads)),
        };
        let wanted = matcher.subject.need.agent.is_some();
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
            let crossing = crossing.of[members[0]];
            self.rows.push(Row { agent, members, count, crossing, set });
        }
        crossing
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
                sets.push(set);
            }
            self.supply_sets.push(sets);
        }
    }

    /// What stands against agents and supplies together, rule by rule.
    fn pairs(&mut self, reads: &Reads, crossing: &Classes) {
        let matcher = self.matcher;
        let plan = matcher.moment.plan;
        let agents = &matcher.moment.world.agents;
        // How many agents of each class, and how many of them nothing stands against alone.
        let mut counts = vec![(0, 0); crossing.members.len()];
        for row in &self.rows {
            counts[row.crossing].0 += row.count;
            counts[row.crossing].1 += if row.set.is_empty() { row.count } else { 0 };
        }
        let mut steps: u64 = 0;
        for (class, members) in crossing.members.iter().enumerate() {
            let agent = members.first().copied().filter(|_| matcher.subject.need.agent.is_some());
            let own = agent.map_or(&[][..], |agent| &plan.agent_rules[agents[agent].rules]);
            // An agent's own rules about supplies need not mention the agent itself.
            let whole = own.iter().any(|rule| rule.sides.of_volume());
            let mut ways = Vec::with_capacity(self.volumes.len());
            for index in 0..self.volumes.len() {
                let mut of_volume = Ways::default();
                for supplies in 0..self.supplies.members.len() {
                    let mut set = self.supply_sets[index][supplies].clone();
                    if let Some(agent) = agent.filter(|_| reads.crossed && steps < limits::EXPLAIN_PAIRS) {
                        steps += 1;
                        set = self.pair(agent, index, supplies, whole, counts[class], set);
                    }
                    of_volume.all = union(&of_volume.all, &set);
                    of_volume.sets.entry(set).or_default().push(supplies);
                }
                ways.push(of_volume);
            }
            self.ways.push(ways);
        }
        if steps >= limits::EXPLAIN_PAIRS {
            self.unlooked += 1;
        }
    }

    /// What stands against an agent with a class of supplies, besides what stands against the supplies anyway.
    fn pair(
        &mut self,
        agent: usize,
        index: usize,
        supplies: usize,
        whole: bool,
        (all, open): (u64, u64),
        own: Set,
    ) -> Set {
        let (matcher, at) = (self.matcher, self.volumes[index]);
        let volume = &matcher.subject.need.volumes[at];
        let (supply, count) =
            (self.supplies.members[supplies][0], self.supplies.members[supplies].len() as u64);
        let reach = if whole { Reach::All } else { Reach::AgentOnly };
        let mut set = own.clone();
        let mut crossed = Set::new();
        for failure in matcher.supply_failures(Some(agent), volume, supply, reach) {
            let number = self.number(Condition::of(&failure, Some(volume)));
            if own.binary_search(&number).is_ok() {
                continue;
            }
            let example =
                Example { agent: Some(agent), supply: Some(supply), distance: None, together: false };
            let key = self.note(&failure, example, Some(at), all * count);
            self.tallies[&key].pairs.excluded += all * count;
            crossed.push(number);
            set = union(&set, &[number]);
        }
        if let ([], [only]) = (own.as_slice(), crossed.as_slice()) {
            self.tallies[&(*only, Some(at))].pairs.alone += open * count;
        }
        set
    }

    /// Agents that no supply is left for; and whom a condition alone excludes.
    fn agents_left(&mut self) {
        let wanted = self.matcher.subject.need.agent.is_some();
        for at in 0..self.rows.len() {
            let (set, count) = (self.rows[at].set.clone(), self.rows[at].count);
            let ways = &self.ways[self.rows[at].crossing];
            let closed: Vec<usize> =
                (0..self.volumes.len()).filter(|index| !ways[*index].is_open()).collect();
            if wanted {
                for index in &closed {
                    for number in &ways[*index].all {
                        self.tallies[&(*number, Some(self.volumes[*index]))].agents.excluded += count;
                    }
                }
            }
            let frees = |index: &usize, number: usize| ways[*index].sets.contains_key([number].as_slice());
            let alone = match set.as_slice() {
                [] => closed.first().map_or(Vec::new(), |index| ways[*index].all.clone()),
                [only] => vec![*only],
                _ => Vec::new(),
            };
            for number in alone.into_iter().filter(|number| closed.iter().all(|index| frees(index, *number)))
            {
                if !set.is_empty() {
                    self.tallies[&(number, None)].agents.alone += count;
                }
                for index in closed.iter().filter(|_| wanted) {
                    self.tallies[&(number, Some(self.volumes[*index]))].agents.alone += count;
                }
            }
        }
    }

    /// Whether all parts of a row hold on their own.
    pub fn is_open(&self, row: &Row) -> bool {
        row.set.is_empty() && self.ways[row.crossing].iter().all(|ways| ways.is_open())
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
        let could = |class: usize| self.supply_sets.iter().any(|sets| is_subset(&sets[class], dropped));
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
