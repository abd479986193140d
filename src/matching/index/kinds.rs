//! Agents by what they may choose from: those of one kind may choose from the same supplies, and are tied to them in the same
//! way.

use std::sync::Arc;

use indexmap::IndexSet;

use super::{open::OpenSupplies, supplies::SupplyFilter};
use crate::matching::{Matcher, assigned::Tied};

/// Groups that are listed for agents of a kind: with more, all supplies are looked at.
const GROUPS_LISTED: usize = 64;

/// The kinds of agents, for the volumes of a need.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    /// Of each agent, its kind.
    of: Vec<u32>,
    /// Of each kind, the number of what its agents may choose from, ties aside.
    choices: Vec<u32>,
    /// By these numbers, the groups of each volume that serve them; `None`: too many to list.
    groups: Vec<Option<Vec<Vec<u32>>>>,
}

impl Kinds {
    /// The kind of an agent.
    pub fn of(&self, agent: usize) -> usize {
        self.of[agent] as usize
    }

    /// How many kinds there are.
    pub fn len(&self) -> usize {
        self.choices.len()
    }

    /// What agents of a kind may choose from, by its number.
    pub fn choices(&self, kind: usize) -> usize {
        self.choices[kind] as usize
    }

    /// How many choices there are.
    pub fn distinct(&self) -> usize {
        self.groups.len()
    }

    /// The groups of a volume that serve an agent, if they are few.
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

/// Kinds that were found, and of how many groups of each volume.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownKinds {
    groups: Vec<usize>,
    kinds: Option<Arc<Kinds>>,
}

impl KnownKinds {
    /// The kinds of so many agents. They stay as they are, unless amounts of agents decide which supplies serve them.
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
