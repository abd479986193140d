//! A cache of assignments of supplies to volumes, shared by agents that must get the same one.
//!
//! The search for an assignment sees an agent only through the choices that it has for each volume and
//! through the values that ties compare. So two agents that are equal in both get the same supplies, and
//! the search runs once. [`Matcher::assigns_once`] says for which needs this holds. Both engines use the
//! cache, so that both count the same number of tries.

use indexmap::{IndexMap, IndexSet};

use super::{Choice, Matcher, PlaceValue, Search};
use crate::{symbol::Symbol, types::Side};

/// The values of an agent that hard ties of the need compare with its volumes. For each tie, the value of
/// its key and the fault domain.
pub(super) type Tied = Vec<(Option<PlaceValue>, Option<Symbol>)>;

/// The cached assignments, by choices and ties.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// The distinct lists of choices, one for each volume, before ties. Positions in this set stand for
    /// the lists.
    choices: IndexSet<Vec<Vec<Choice>>>,
    by_choices: IndexMap<(usize, Tied), Option<Vec<usize>>>,
}

impl Assigned {
    /// Returns the number of the choices of an agent. Agents with equal choices have equal numbers.
    pub fn choices(&mut self, matcher: &Matcher<'_>, agent: Option<usize>) -> usize {
        let volumes = 0..matcher.subject.need.volumes.len();
        let choices = volumes.map(|at| matcher.choices(agent, at, &[])).collect();
        self.choices.insert_full(choices).0
    }
}

impl Matcher<'_> {
    /// Returns the supplies of an agent's volumes, from the cache if an equal agent was assigned before.
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

    /// Searches for the supplies of an agent's volumes.
    pub(super) fn assigned(&self, agent: Option<usize>, search: &mut Search) -> Option<Vec<usize>> {
        let mut supplies = Vec::with_capacity(self.subject.need.volumes.len());
        self.assign_all(agent, &mut supplies, search).then_some(supplies)
    }

    /// Returns `true` if equal choices and ties imply equal assignments.
    ///
    /// Charges that read the supply are checked against the free amounts of each agent, and soft ties
    /// score each agent differently, so needs with either are searched agent by agent. A need with one
    /// volume that nothing ties to its agent simply gets its best supply, which is not worth a cache.
    pub(super) fn assigns_once(&self) -> bool {
        let need = self.subject.need;
        let several = need.volumes.len() > 1 || (!need.volumes.is_empty() && !self.is_apart());
        several
            && !self.charges().any(|charge| charge.sides.has(Side::Pool))
            && !need.places.iter().any(|place| place.strength.is_preferred() && place.kind.is_tie())
            && self.may_take_nothing().is_none()
    }

    /// Returns the values of an agent that its ties compare.
    pub(super) fn tied(&self, agent: Option<usize>) -> Tied {
        let ties = self.subject.need.places.iter().filter(|place| place.kind.is_tie());
        let keys = ties.filter_map(|place| place.kind.key().zip(agent));
        let domain = |agent: usize| self.moment.world.agents[agent].placement.domain;
        keys.map(|(key, agent)| (self.agent_value(agent, key), domain(agent))).collect()
    }

    /// Returns `true` if tried supplies count towards the budget. They do not for one volume that nothing
    /// ties to the agent: its first try succeeds, so there is no search to bound.
    pub(super) fn counts_tries(&self) -> bool {
        self.subject.need.volumes.len() > 1 || !self.is_apart()
    }
}
