//! Prunes the supplies of a volume by the hard places that tie it to its agent or to volumes before it.
//!
//! The assignment works out the ties once for each volume, and tests each supply against them, instead of
//! trying a supply and finding out that a place fails. A tie states what the places state, so pruning
//! never changes which assignment is found. The index reads the ties too, to list only the supplies that
//! one of them leaves.

use indexmap::{IndexMap, IndexSet};

use super::{Matcher, PlaceValue};
use crate::{
    ir::{Place, PlaceKey, PlaceRelation},
    symbol::Symbol,
};

/// The demand of one place on a supply, given the agent and the supplies of the volumes before it.
#[derive(Clone, Debug)]
pub(super) enum Tie {
    /// The agent must be near the supply: both have the same value, or the agent is within the supply's
    /// domain.
    Around { key: PlaceKey, own: Option<PlaceValue>, domain: Option<Symbol> },
    /// The agent must be apart from the supply: both have a value, and the values differ.
    Away { key: PlaceKey, own: Option<PlaceValue> },
    /// The supply must have this value. `None`: no supply can satisfy the place.
    Same { key: PlaceKey, value: Option<PlaceValue> },
    /// The supply must have a value that is none of these. `None`: one of them is unknown, so that no
    /// supply can satisfy the place.
    Other { key: PlaceKey, values: Option<Vec<PlaceValue>> },
}

impl Tie {
    /// Returns `true` if a supply satisfies the tie.
    fn leaves(&self, matcher: &Matcher<'_>, supply: usize) -> bool {
        match self {
            Tie::Around { key, own, domain } => {
                let same = own.is_some() && *own == matcher.supply_value(supply, *key);
                let outer = matcher.moment.world.supplies[supply].placement.domain;
                same || outer.zip(*domain).is_some_and(|(outer, inner)| matcher.is_within(inner, outer))
            }
            Tie::Away { key, own } => {
                own.is_some()
                    && matcher.supply_value(supply, *key).is_some_and(|value| own.as_ref() != Some(&value))
            }
            Tie::Same { key, value } => value.is_some() && *value == matcher.supply_value(supply, *key),
            Tie::Other { key, values } => {
                let own = matcher.supply_value(supply, *key);
                own.zip(values.as_ref()).is_some_and(|(own, values)| !values.contains(&own))
            }
        }
    }
}

/// Returns `true` if a supply satisfies all ties.
pub(super) fn leave(ties: &[Tie], matcher: &Matcher<'_>, supply: usize) -> bool {
    ties.iter().all(|tie| tie.leaves(matcher, supply))
}

impl Matcher<'_> {
    /// Returns the ties of a volume that follow from the hard places of the need and of the volume, given
    /// the agent and the supplies of the volumes before it.
    pub(super) fn ties(&self, agent: Option<usize>, at: usize, before: &[usize]) -> Vec<Tie> {
        let need = self.subject.need;
        let volume = &need.volumes[at];
        let hard = |place: &&Place| place.strength.is_required();
        let mut ties = Vec::new();
        if let Some(agent) = agent {
            for place in need.places.iter().filter(hard) {
                let Some((relation, name, key)) = place.kind.tie() else { continue };
                if name != volume.name {
                    continue;
                }
                let own = self.agent_value(agent, key);
                ties.push(match relation {
                    PlaceRelation::Near => {
                        Tie::Around { key, own, domain: self.moment.world.agents[agent].placement.domain }
                    }
                    PlaceRelation::Apart => Tie::Away { key, own },
                });
            }
        }
        for place in volume.places.iter().filter(hard) {
            let Some((relation, name, key)) = place.kind.tie() else { continue };
            let others = need.volumes.iter().zip(before).filter(|(other, _)| other.name == name);
            let mut values = others.map(|(_, supply)| self.supply_value(*supply, key)).peekable();
            // `before` may leave out volumes, and the place then has nothing to compare with.
            if values.peek().is_none() {
                continue;
            }
            ties.push(match relation {
                PlaceRelation::Apart => Tie::Other { key, values: values.collect() },
                PlaceRelation::Near => {
                    // A supply cannot be near two supplies with different values.
                    let first = values.next().flatten();
                    let all = values.all(|value| value == first);
                    Tie::Same { key, value: first.filter(|_| all) }
                }
            });
        }
        ties
    }
}

/// The values that counting places have ruled out for one volume. The verdict of such a place depends on
/// nothing but the value, so no other supply with the value is tried.
#[derive(Default)]
pub(super) struct RuledOut {
    values: IndexMap<PlaceKey, IndexSet<PlaceValue>>,
}

impl RuledOut {
    /// Rules out the value of a supply for which a place fails, if the place counts.
    pub fn add(&mut self, matcher: &Matcher<'_>, place: &Place, supply: usize) {
        if let Some(key) = place.kind.key().filter(|_| place.kind.counts().is_some())
            && let Some(place_value) = matcher.supply_value(supply, key)
        {
            self.values.entry(key).or_default().insert(place_value);
        }
    }

    /// Returns `true` if a supply has a value that is ruled out.
    pub fn has(&self, matcher: &Matcher<'_>, supply: usize) -> bool {
        self.values.iter().any(|(key, values)| {
            matcher.supply_value(supply, *key).is_some_and(|value| values.contains(&value))
        })
    }
}
