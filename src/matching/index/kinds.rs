//! Classes of agents that must get the same supplies.
//!
//! Agents of one kind are served by the same groups of supplies, earn the same for them, and have equal
//! values in the places that tie them to volumes. The search for an assignment cannot tell them apart, so
//! it runs once a kind.

use std::sync::Arc;

use indexmap::IndexSet;

use super::{open::OpenSupplies, supplies::SupplyFilter};
use crate::matching::{Matcher, assigned::Tied};

/// The most groups listed for a kind and volume. With more, scanning all supplies is as cheap.
const GROUPS_LISTED: usize = 64;

/// The kinds of agents for the volumes of a need. A kind refines a class of choices by ties.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    /// By agent, its kind.
    of: Vec<u32>,
    /// By kind, the number of its choices, before ties.
    choices: Vec<u32>,
    /// By number of choices, the groups of each volume that serve its agents. `None`: too many to list.
    groups: Vec<Option<Vec<Vec<u32>>>>,
}

impl Kinds {
    /// Returns the kind of an agent.
    pub fn of(&self, agent: usize) -> usize {
        self.of[agent] as usize
    }

    /// Returns the number of kinds.
    pub fn len(&self) -> usize {
        self.choices.len()
    }

    /// Returns the number of the choices of a kind's agents.
    pub fn choices(&self, kind: usize) -> usize {
        self.choices[kind] as usize
    }

    /// Returns the number of distinct choices.
    pub fn distinct(&self) -> usize {
        self.groups.len()
    }

    /// Returns the groups of a volume that serve an agent, if they are few.
    pub fn groups(&self, agent: usize, volume: usize) -> Option<&[u32]> {
        Some(self.groups[self.choices(self.of(agent))].as_ref()?[volume].as_slice())
    }

    fn new(open: &OpenSupplies<'_>, matcher: &Matcher<'_>, agents: usize) -> Kinds {
        let mut kinds: IndexSet<(u32, Tied)> = IndexSet::new();
        let mut choices: IndexSet<Vec<(u32, i64)>> = IndexSet::new();
        let mut groups: Vec<Option<Vec<Vec<u32>>>> = Vec::new();
        let each = open.classes(agents).into_iter().enumerate();
        let of = each.map(|(agent, class)| {
            let (class, new) = choices.insert_full(class);
            if new {
                let few =
                    |groups: &Vec<Vec<u32>>| groups.iter().all(|of_volume| of_volume.len() <= GROUPS_LISTED);
                groups.push(Some(open.groups(agent)).filter(few));
            }
            let class = class as u32;
            kinds.insert_full((class, matcher.tied(Some(agent)))).0 as u32
        });
        let of = of.collect();
        Kinds { of, choices: kinds.iter().map(|kind| kind.0).collect(), groups }
    }
}

/// The cached kinds of a shape, valid while each volume has the same number of groups.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownKinds {
    groups: Vec<usize>,
    kinds: Option<Arc<Kinds>>,
}

impl KnownKinds {
    /// Returns the kinds of agents, which are computed anew if groups were added, or if free amounts of
    /// agents decide which supplies serve them.
    pub fn now(
        &mut self,
        open: &OpenSupplies<'_>,
        volumes: &[SupplyFilter],
        matcher: &Matcher<'_>,
        agents: usize,
    ) -> Arc<Kinds> {
        let groups: Vec<usize> = volumes.iter().map(|volume| volume.groups.len()).collect();
        let stay = self.groups == groups && volumes.iter().all(SupplyFilter::groups_stay);
        if let Some(known) = self.kinds.as_ref().filter(|_| stay) {
            return Arc::clone(known);
        }
        let kinds = Arc::new(Kinds::new(open, matcher, agents));
        *self = KnownKinds { groups, kinds: Some(Arc::clone(&kinds)) };
        kinds
    }
}
