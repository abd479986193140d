//! The supplies that the index has found for the volumes of a need. A [`Matcher`] with them assigns
//! volumes without checking each supply for each agent.
//!
//! A list of choices starts from the shortest list that is known to contain all of them: the supplies that
//! a tie leaves, those of the groups that serve the agent, or all supplies that hold. The other conditions
//! are then tested on each, so the choices are those of the plain engine whichever list was used.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Index, kinds::Kinds, rows_by_place::RowsByValue, supplies::SupplyFilter};
use crate::{
    engine::columns::Bits,
    ir::{PlaceKey, PlaceRelation},
    matching::{
        Choice, Matcher,
        tie::{self, Tie},
    },
};

/// The supplies that hold for the volumes of a need, with the agents that each serves.
#[derive(Debug)]
pub struct OpenSupplies<'a> {
    volumes: Vec<OpenVolume<'a>>,
    /// By key of a `near` that is a tie, the supplies at each value.
    rows_by_value: IndexMap<PlaceKey, Arc<RowsByValue>>,
    /// The kinds of agents, if assignments are shared by kind.
    pub(super) kinds: Option<Arc<Kinds>>,
}

#[derive(Debug)]
struct OpenVolume<'a> {
    asked: &'a SupplyFilter,
    supplies: &'a Bits,
    /// By group, the agents that it serves. `None`: every agent.
    agents: Vec<Option<Bits>>,
}

/// Returns the supplies by value, for each key of a hard `near` that refers to a volume.
pub(super) fn rows_by_value(
    index: &mut Index,
    matcher: &Matcher<'_>,
) -> IndexMap<PlaceKey, Arc<RowsByValue>> {
    let need = matcher.subject.need;
    let places = need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places));
    let ties = places.filter(|place| place.strength.is_required()).filter_map(|place| place.kind.tie());
    let keys = ties.filter_map(|(relation, _, key)| match relation {
        PlaceRelation::Near => Some(key),
        PlaceRelation::Apart => None,
    });
    keys.map(|key| (key, index.spots_of_supplies.rows_by_value(matcher, key))).collect()
}

impl<'a> OpenSupplies<'a> {
    /// Creates it from the filters of the volumes and the supplies that hold for each whatever the agent.
    pub(super) fn new(
        asked: &'a [SupplyFilter],
        open: &'a [Bits],
        rows_by_value: IndexMap<PlaceKey, Arc<RowsByValue>>,
    ) -> OpenSupplies<'a> {
        let volumes = asked.iter().zip(open).map(|(asked, supplies)| OpenVolume::new(asked, supplies));
        OpenSupplies { volumes: volumes.collect(), rows_by_value, kinds: None }
    }

    /// Returns, for each agent, a key that is equal for agents with equal choices: the groups that serve
    /// it, and the scores that it earns in them, each with a running number.
    pub(super) fn classes(&self, agents: usize) -> Vec<Vec<(u32, i64)>> {
        let mut classes = vec![Vec::new(); agents];
        let mut number = 0;
        for volume in &self.volumes {
            for (group, serves) in volume.asked.groups.iter().zip(&volume.agents) {
                for agent in serves.iter().flat_map(Bits::iter) {
                    classes[agent].push((number, 1));
                }
                number += 1;
                for (_, levels) in &group.scores {
                    for (agent, class) in classes.iter_mut().enumerate() {
                        let earned = levels.get(agent);
                        class.extend((earned != 0).then_some((number, earned)));
                    }
                    number += 1;
                }
            }
        }
        classes
    }

    /// Returns the groups of each volume that serve an agent.
    pub(super) fn groups(&self, agent: usize) -> Vec<Vec<u32>> {
        let of_volume = |volume: &OpenVolume<'_>| {
            let each = volume.agents.iter().enumerate();
            let serving = each.filter(|(_, agents)| agents.as_ref().is_none_or(|agents| agents.has(agent)));
            serving.map(|(group, _)| group as u32).collect()
        };
        self.volumes.iter().map(of_volume).collect()
    }

    /// Returns the supplies that hold for a volume on their own and satisfy its ties, in order of path.
    pub(in crate::matching) fn choices(
        &self,
        matcher: &Matcher<'_>,
        agent: Option<usize>,
        at: usize,
        before: &[usize],
        ties: &[Tie],
    ) -> Vec<Choice> {
        let open = &self.volumes[at];
        let choice = |supply: usize| {
            let group = open.asked.group_of[supply]? as usize;
            let mut choice = open.asked.ranks[supply].choice(supply);
            if let Some(agent) = agent {
                if open.agents[group].as_ref().is_some_and(|agents| !agents.has(agent)) {
                    return None;
                }
                for (weight, levels) in &open.asked.groups[group].scores {
                    choice.numerator += i128::from(*weight) * i128::from(levels.get(agent));
                }
            }
            if !tie::leave(ties, matcher, supply) {
                return None;
            }
            choice.numerator += matcher.soft_of_supply(at, supply, before);
            Some(choice)
        };
        let left = ties.iter().find_map(|tie| self.left_by(matcher, tie));
        match left.or_else(|| self.served_by(agent?, at)) {
            Some(few) => {
                few.into_iter().filter(|supply| open.supplies.has(*supply)).filter_map(choice).collect()
            }
            None => open.supplies.iter().filter_map(choice).collect(),
        }
    }

    /// Returns the supplies of the groups that serve an agent, in order of path, if the groups are known
    /// and few.
    fn served_by(&self, agent: usize, at: usize) -> Option<Vec<usize>> {
        let groups = self.kinds.as_ref()?.groups(agent, at)?;
        let groups = groups.iter().map(|group| &self.volumes[at].asked.groups[*group as usize]);
        let mut found: Vec<usize> =
            groups.flat_map(|group| &group.supplies).map(|supply| *supply as usize).collect();
        found.sort_unstable();
        Some(found)
    }

    /// Returns a list that contains all supplies that satisfy a tie, in order of path. Returns `None` for
    /// a tie that excludes supplies instead of naming them.
    fn left_by(&self, matcher: &Matcher<'_>, tie: &Tie) -> Option<Vec<usize>> {
        match tie {
            Tie::Same { key, value } => {
                let rows_by_value = self.rows_by_value.get(key)?;
                Some(value.as_ref().map_or_else(Vec::new, |value| rows_by_value.at(value).collect()))
            }
            Tie::Around { key, own, domain } => {
                let rows_by_value = self.rows_by_value.get(key)?;
                let mut found: Vec<usize> = own.iter().flat_map(|own| rows_by_value.at(own)).collect();
                let symbols = &matcher.moment.plan.symbols;
                let domain = domain.map_or("", |domain| symbols.text(domain));
                // The domains around `a/b/c` are `a`, `a/b` and itself.
                let ends = domain.match_indices('/').map(|(end, _)| end).chain([domain.len()]);
                let around = ends.filter_map(|end| symbols.find(&domain[..end]));
                found.extend(around.flat_map(|domain| rows_by_value.of_domain(domain)));
                found.sort_unstable();
                found.dedup();
                Some(found)
            }
            Tie::Away { .. } | Tie::Other { .. } => None,
        }
    }
}

impl<'a> OpenVolume<'a> {
    fn new(asked: &'a SupplyFilter, supplies: &'a Bits) -> OpenVolume<'a> {
        let agents = asked.groups.iter().map(|group| {
            let (first, rest) = group.terms.split_first()?;
            let mut agents = Bits::clone(first);
            rest.iter().for_each(|term| agents.and(term));
            Some(agents)
        });
        OpenVolume { asked, supplies, agents: agents.collect() }
    }
}
