//! The permanent obstacles of a need, by label and kind of place: the part of its reasons that a framework
//! may learn.
//!
//! The invariant: everything here is a function of the need, of keys and of rules. Free amounts, the
//! allocations and offers of others, limits, reservations of amounts, weights and the order of rules have no
//! influence. A failure counts only if no change of free amounts can cure it, and no amount counts at all. So
//! a framework that asks again and again, for a little more each time, learns nothing that offers do not
//! tell.
//!
//! Existing volumes are never listed, because their owners are the business of others. One may leave the need
//! open, unless it is reserved for another role.

use indexmap::{IndexMap, IndexSet};

use super::classes::{self, NeedReads, RowClasses};
use crate::{
    Fleet,
    ir::{ColumnId, Plan, RuleSubject, Show},
    limits,
    matching::{Failure, Matcher, NeedId, Reach},
    types::Side,
};

/// A kind of place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceClass {
    /// The agents.
    Agents,
    /// The storage that could serve a volume, by the volume's name.
    Storage(String),
    /// An agent together with the storage of a volume.
    Both(String),
}

/// A label that excludes some places of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// The kind of place.
    pub places: PlaceClass,
    /// The label as written, the class, or a word of the language. Never a position in a file.
    pub label: String,
    /// The kind of condition.
    pub kind: &'static str,
    /// The number of agents or pools that it excludes. 0 for agents with storage.
    pub count: u64,
}

/// The permanent obstacles of a need.
#[derive(Clone, Debug, Default)]
pub struct Barriers {
    /// The obstacles, by kind of place, then by kind of condition and label.
    pub list: Vec<Barrier>,
    /// True if some agent, and storage for each volume, have no obstacle, or if there were too many pairs to
    /// check.
    pub open: bool,
    /// The number of agents without an obstacle.
    pub open_agents: u64,
}

/// Finds the permanent obstacles of a need.
pub fn barriers(fleet: &Fleet, id: NeedId) -> Barriers {
    let _run = fleet.plugin_run();
    barriers_in_run(fleet, id)
}

/// Finds the permanent obstacles of a need, within a run of questions to plugins that the caller has opened.
pub(crate) fn barriers_in_run(fleet: &Fleet, id: NeedId) -> Barriers {
    // The values of `spread` and `together` depend on free amounts, so they are not settled here, and exclude
    // nothing.
    let matcher = Matcher::new(fleet.moment(), id);
    let mut finder = BarrierFinder { matcher, found: IndexMap::new() };
    let reads = NeedReads::new(&matcher);
    let agents = finder.agents(&reads);
    let storage = finder.storage(&reads);
    let open = finder.together(&agents, &storage);
    let mut list: Vec<Barrier> = finder
        .found
        .into_iter()
        .map(|((places, kind, label), count)| Barrier { places, label, kind, count })
        .collect();
    list.sort_by(|a, b| (&a.places, a.kind, &a.label).cmp(&(&b.places, b.kind, &b.label)));
    Barriers { list, open, open_agents: agents.iter().filter(|open| **open).count() as u64 }
}

/// The supplies that may serve a volume.
struct Storage {
    /// The number of the volume.
    volume: usize,
    /// The pools without an obstacle.
    pools: Vec<usize>,
    /// True if an existing volume may serve.
    existing: bool,
}

struct BarrierFinder<'a> {
    matcher: Matcher<'a>,
    found: IndexMap<(PlaceClass, &'static str, String), u64>,
}

impl<'a> BarrierFinder<'a> {
    fn plan(&self) -> &'a Plan {
        self.matcher.moment.plan
    }

    /// Counts labels against a number of places, each label once.
    fn note(&mut self, places: &PlaceClass, labels: IndexSet<(&'static str, String)>, count: u64) {
        for (kind, label) in labels {
            *self.found.entry((places.clone(), kind, label)).or_insert(0) += count;
        }
    }

    /// Returns `true` for each agent without an obstacle. A need without an agent has a single place.
    fn agents(&mut self, reads: &NeedReads) -> Vec<bool> {
        let matcher = self.matcher;
        let wanted = matcher.subject.need.agent.is_some();
        let classes = match wanted {
            true => classes::agents(&matcher, reads),
            false => RowClasses { members: vec![vec![0]], of: vec![0] },
        };
        let mut open = vec![false; classes.of.len()];
        for members in &classes.members {
            let agent = members.first().copied().filter(|_| wanted);
            let labels = self.labels(&matcher.agent_failures(agent), agent, None, None);
            members.iter().for_each(|member| open[*member] = labels.is_empty());
            self.note(&PlaceClass::Agents, labels, members.len() as u64);
        }
        open
    }

    /// Finds the supplies that may serve each volume, whatever the agent.
    fn storage(&mut self, reads: &NeedReads) -> Vec<Storage> {
        let matcher = self.matcher;
        let volumes = &matcher.subject.need.volumes;
        let distinct: Vec<usize> = (0..volumes.len()).filter(|at| volumes[*at].ordinal.0 == 0).collect();
        if distinct.is_empty() {
            return Vec::new();
        }
        let classes = classes::supplies(&matcher, reads);
        let one = |volume: usize| {
            let asked = &volumes[volume];
            let places = PlaceClass::Storage(self.plan().symbols.text(asked.name).to_owned());
            let mut storage = Storage { volume, pools: Vec::new(), existing: false };
            for members in &classes.members {
                let supply = members[0];
                let existing = matcher.moment.world.supplies[supply].existing.is_some();
                let failures = matcher.supply_failures(None, asked, supply, Reach::WithoutAgent);
                let kept = failures.iter().any(|failure| matches!(failure, Failure::Reserved { .. }));
                let labels = self.labels(&failures, None, Some(supply), Some(asked));
                match (existing, labels.is_empty()) {
                    (true, is_open) => storage.existing |= is_open && !kept,
                    (false, true) => storage.pools.extend(members),
                    (false, false) => self.note(&places, labels, members.len() as u64),
                }
            }
            storage.pools.sort_unstable();
            storage
        };
        distinct.into_iter().map(one).collect()
    }

    /// Checks the rules about both sides for pairs whose parts have no obstacle. Returns `true` if some agent
    /// keeps a supply for each volume, or if the bound on pairs is reached.
    fn together(&mut self, agents: &[bool], storage: &[Storage]) -> bool {
        let matcher = self.matcher;
        let there = storage.iter().all(|storage| storage.existing || !storage.pools.is_empty());
        if matcher.subject.need.agent.is_none() || storage.is_empty() || !there {
            return there && agents.contains(&true);
        }
        let columns = self.crossing_columns();
        let by_columns = classes::agents_by(&matcher, &columns.0);
        let alike = classes::agents_as(&matcher, std::iter::once(&by_columns));
        let pools: Vec<RowClasses> = storage
            .iter()
            .map(|storage| classes::supplies_by(&matcher, &columns.1, &storage.pools))
            .collect();
        let mut steps = limits::EXPLAIN_PAIRS;
        let mut any = false;
        for members in &alike.members {
            let Some(agent) = members.iter().copied().find(|member| agents[*member]) else { continue };
            let mut all = true;
            for (storage, classes) in storage.iter().zip(&pools) {
                let Some(left) = steps.checked_sub(classes.members.len() as u64) else { return true };
                steps = left;
                all &= self.pairs(agent, storage, classes);
            }
            any |= all;
        }
        any
    }

    /// Checks an agent with the pools of a volume. Returns `true` if one passes.
    fn pairs(&mut self, agent: usize, storage: &Storage, classes: &RowClasses) -> bool {
        let matcher = self.matcher;
        let asked = &matcher.subject.need.volumes[storage.volume];
        let places = PlaceClass::Both(self.plan().symbols.text(asked.name).to_owned());
        let mut left = storage.existing;
        for members in &classes.members {
            let supply = storage.pools[members[0]];
            let failures = matcher.supply_failures(Some(agent), asked, supply, Reach::AgentOnly);
            let labels = self.labels(&failures, Some(agent), Some(supply), Some(asked));
            left |= labels.is_empty();
            self.note(&places, labels, 0);
        }
        left
    }

    /// Returns the columns of agents and of pools that rules about both sides read.
    fn crossing_columns(&self) -> (Vec<ColumnId>, Vec<ColumnId>) {
        let plan = self.plan();
        let crossing = plan.rules().filter(|one| one.is_required() && one.subject == RuleSubject::Pair);
        let mut all: IndexSet<ColumnId> = IndexSet::new();
        crossing.for_each(|one| all.extend(plan.reads(one.rule.root)));
        let of = |side| all.iter().copied().filter(|column| plan.column(*column).side == side).collect();
        (of(Side::Agent), of(Side::Pool))
    }

    /// Returns the labels of the permanent failures.
    fn labels(
        &self,
        failures: &[Failure<'a>],
        agent: Option<usize>,
        supply: Option<usize>,
        volume: Option<&'a crate::ir::Volume>,
    ) -> IndexSet<(&'static str, String)> {
        let for_good =
            |failure: &&Failure<'a>| failure.is_permanent(&self.matcher.scene(agent, supply, volume));
        failures.iter().filter(for_good).filter_map(|failure| self.label(failure)).collect()
    }

    /// Returns the label of a failure for frameworks. `None` for failures that depend on amounts, or on
    /// volumes of others.
    fn label(&self, failure: &Failure<'a>) -> Option<(&'static str, String)> {
        let plan = self.plan();
        Some(match failure {
            // A rule without a label would be named by its position in a file.
            Failure::Rule(rule, _) if rule.labelled => ("rule", rule.label.clone()),
            Failure::Rule(..) => ("rule", "rule".to_owned()),
            Failure::Class(ask, ..) => ("class", plan.definition(ask.class).name.clone()),
            Failure::Condition(_, _, node) => ("condition", Show::new(plan).node(*node)),
            Failure::Place(place, ..) => ("place", place.kind.label().to_owned()),
            Failure::Charge(charge, _) => {
                let varies = plan.reads(charge.root).iter().any(|id| plan.column(*id).key.is_varying());
                return (!varies).then(|| ("charge", plan.symbols.text(charge.resource).to_owned()));
            }
            Failure::Principal { .. } => ("principal", "principal".to_owned()),
            Failure::Source { .. } => ("source", "source".to_owned()),
            Failure::Amount(_)
            | Failure::Nothing(..)
            | Failure::Filesystem { .. }
            | Failure::Access
            | Failure::Users { .. }
            | Failure::Reserved { .. } => return None,
        })
    }
}
