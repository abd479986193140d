//! Assignments that are found once for all agents that are alike in what they may choose from.

use indexmap::{IndexMap, IndexSet};

use super::{Choice, Matcher, PlaceValue, Search};
use crate::{symbol::Symbol, types::Side};

/// What of an agent its own places compare with its volumes.
pub(super) type Tied = Vec<(Option<PlaceValue>, Option<Symbol>)>;

/// Assignments that were found for agents, by what each could choose from and what ties it to its volumes.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// The choices of each volume, apart from what ties them: agents share them.
    choices: IndexSet<Vec<Vec<Choice>>>,
    by_choices: IndexMap<(usize, Tied), Option<Vec<usize>>>,
}

impl Assigned {
    /// The number of what an agent may choose from.
    pub fn choices(&mut self, matcher: &Matcher<'_>, agent: Option<usize>) -> usize {
        let volumes = 0..matcher.subject.need.volumes.len();
        let choices = volumes.map(|at| matcher.choices(agent, at, &[])).collect();
        self.choices.insert_full(choices).0
    }
}

impl Matcher<'_> {
    /// The supplies of the volumes of an agent: one that may choose from the same, and is tied in the same way, gets the same.
    pub(super) fn assign_known(
        &self,
        agent: Option<usize>,
        known: &mut Assigned,
        search: &mut Search,
    ) -> Option<Vec<usize>> {
        let choices = (known.choices(self, agent), self.tied(agent));
        if let Some(found) = known.by_choices.get(&choices) {
            return found.clone();
        }
        let found = self.assigned(agent, search);
        known.by_choices.insert(choices, found.clone());
        found
    }

    /// The supplies of the volumes of an agent.
    pub(super) fn assigned(&self, agent: Option<usize>, search: &mut Search) -> Option<Vec<usize>> {
        let mut supplies = Vec::with_capacity(self.subject.need.volumes.len());
        self.assign_all(agent, &mut supplies, search).then_some(supplies)
    }

    /// Whether the volumes are assigned once for all agents that may choose from the same and are tied in the same way.
    pub(super) fn assigns_once(&self) -> bool {
        let need = self.subject.need;
        let several = need.volumes.len() > 1 || (!need.volumes.is_empty() && !self.is_apart());
        several
            && !self.charges().any(|charge| charge.sides.has(Side::Pool))
            && !need.places.iter().any(|place| place.weight.is_some() && place.kind.is_tie())
            && self.may_take_nothing().is_none()
    }

    /// What of an agent the hard places that tie it to its volumes go by.
    pub(super) fn tied(&self, agent: Option<usize>) -> Tied {
        let ties = self.subject.need.places.iter().filter(|place| place.kind.is_tie());
        let keys = ties.filter_map(|place| place.kind.key().zip(agent));
        let domain = |agent: usize| self.moment.world.agents[agent].placement.domain;
        keys.map(|(key, agent)| (self.agent_value(agent, key), domain(agent))).collect()
    }

    /// Whether what is tried counts: one volume that nothing ties to the agent gets what it is tried with first.
    pub(super) fn counts_tries(&self) -> bool {
        self.subject.need.volumes.len() > 1 || !self.is_apart()
    }
}
