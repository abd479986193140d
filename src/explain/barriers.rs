//! What shuts a need out for good, by label and by class of place: as much of its reasons as a framework is told.
//!
//! The invariant: everything here is a function of the need, of keys, and of rules. What is free, what others hold or are
//! offered, limits, reservations, weights and the order of rules have no part in it: of a condition only such failures
//! count as no change in what is free can cure, and no amount counts at all. So asking again and again, for a little more
//! each time, tells nothing that offers do not tell. Existing volumes are open places without a word about them: who has
//! one is others' business.

use indexmap::{IndexMap, IndexSet};

use super::classes::{self, Classes, Reads};
use crate::{
    Fleet,
    ir::{ColumnId, Plan, Rule, Show},
    limits,
    matching::{Failure, Matcher, NeedId, Reach},
    types::Side,
};

/// A class of places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceClass {
    /// The agents.
    Agents,
    /// The storage that could serve a volume, by the volume's name.
    Storage(String),
    /// An agent together with the storage of a volume.
    Both(String),
}

/// One label that shuts out some places of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// Of which places.
    pub places: PlaceClass,
    /// The label that was written, the class, or the word of the language; never a place in a file.
    pub label: String,
    /// Which kind of condition.
    pub kind: &'static str,
    /// How many agents or pools it shuts out; of both together it is not counted.
    pub count: u64,
}

/// All that shuts a need out for good.
#[derive(Clone, Debug, Default)]
pub struct Barriers {
    /// By class of place, then by kind and label.
    pub list: Vec<Barrier>,
    /// Whether something is left that nothing shuts out for good: an agent, and storage for each volume.
    pub open: bool,
    /// How many agents nothing shuts out.
    pub open_agents: u64,
}

/// Finds what shuts a need out for good.
pub fn barriers(fleet: &Fleet, id: NeedId) -> Barriers {
    // What spread and together mean is settled by what is free: here they are left open.
    let matcher = Matcher::new(fleet.moment(), id);
    let mut finder = Finder { matcher, found: IndexMap::new() };
    let reads = Reads::new(&matcher);
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

/// What may serve one volume.
struct Storage {
    /// The volume's number.
    volume: usize,
    /// The pools that nothing shuts out.
    pools: Vec<usize>,
    /// Whether an existing volume may do.
    existing: bool,
}

struct Finder<'a> {
    matcher: Matcher<'a>,
    found: IndexMap<(PlaceClass, &'static str, String), u64>,
}

impl<'a> Finder<'a> {
    fn plan(&self) -> &'a Plan {
        self.matcher.moment.plan
    }

    /// Notes labels against so many places; each counts once.
    fn note(&mut self, places: &PlaceClass, labels: IndexSet<(&'static str, String)>, count: u64) {
        for (kind, label) in labels {
            *self.found.entry((places.clone(), kind, label)).or_insert(0) += count;
        }
    }

    /// Agents that nothing shuts out, by their numbers. Of a need without an agent there is one place: none.
    fn agents(&mut self, reads: &Reads) -> Vec<bool> {
        let matcher = self.matcher;
        let wanted = matcher.subject.need.agent.is_some();
        let classes = match wanted {
            true => classes::agents(&matcher, reads),
            false => Classes { members: vec![vec![0]], of: vec![0] },
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

    /// What may serve each volume, whatever the agent.
    fn storage(&mut self, reads: &Reads) -> Vec<Storage> {
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

    /// Rules about both, where both hold alone; and whether an agent is left with something for each volume.
    fn together(&mut self, agents: &[bool], storage: &[Storage]) -> bool {
        let matcher = self.matcher;
        let there = storage.iter().all(|storage| storage.existing || !storage.pools.is_empty());
        if matcher.subject.need.agent.is_none() || storage.is_empty() || !there {
            return there && agents.contains(&true);
        }
        let columns = self.crossing_columns();
        let by_columns = classes::agents_by(&matcher, &columns.0);
        let alike = classes::agents_as(&matcher, std::iter::once(&by_columns));
        let pools: Vec<Classes> = storage
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

    /// One agent with the pools of one volume: whether something is left.
    fn pairs(&mut self, agent: usize, storage: &Storage, classes: &Classes) -> bool {
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

    /// The columns of agents and of pools that rules about both read.
    fn crossing_columns(&self) -> (Vec<ColumnId>, Vec<ColumnId>) {
        let plan = self.plan();
        let shared = plan.broker.requires.iter().chain(plan.tier_rules.iter().flatten());
        let crossing = shared.filter(|rule| rule.sides.has(Side::Agent) && rule.sides.of_volume());
        let own = plan.agent_rules.iter().flatten().filter(|rule| rule.sides.of_volume());
        let mut all: IndexSet<ColumnId> = IndexSet::new();
        let is_required = |rule: &&Rule| rule.weight.is_none();
        crossing.chain(own).filter(is_required).for_each(|rule| all.extend(plan.reads(rule.root)));
        let of = |side| all.iter().copied().filter(|column| plan.column(*column).side == side).collect();
        (of(Side::Agent), of(Side::Pool))
    }

    /// The labels of what shuts a place out for good.
    fn labels(
        &self,
        failures: &[Failure<'a>],
        agent: Option<usize>,
        supply: Option<usize>,
        volume: Option<&'a crate::ir::Volume>,
    ) -> IndexSet<(&'static str, String)> {
        let for_good = |failure: &&Failure<'a>| self.matcher.is_permanent(failure, agent, supply, volume);
        failures.iter().filter(for_good).filter_map(|failure| self.label(failure)).collect()
    }

    /// What a framework calls a failure; `None` for what goes by amounts, or by others' volumes.
    fn label(&self, failure: &Failure<'a>) -> Option<(&'static str, String)> {
        let plan = self.plan();
        Some(match failure {
            // One without a label would be called by its place in a file.
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
