//! Places that tie a volume to its agent, or to a volume before it: which supplies the choice so far leaves open.

use super::{Matcher, PlaceValue};
use crate::{
    ir::{Place, PlaceKey, PlaceKind, Target},
    symbol::Symbol,
};

/// What one place asks of a supply, given the agent and the supplies before it.
#[derive(Clone, Debug)]
pub(super) enum Tie {
    /// The agent is near it: they have the same value, or the agent is in the domain that the supply is of.
    Around { key: PlaceKey, own: Option<PlaceValue>, domain: Option<Symbol> },
    /// The agent is apart from it.
    Away { key: PlaceKey, own: Option<PlaceValue> },
    /// It has this value; `None`: none that a supply may have.
    Same { key: PlaceKey, value: Option<PlaceValue> },
    /// It has a value, and none of these; `None`: one of these is not known.
    Other { key: PlaceKey, values: Option<Vec<PlaceValue>> },
}

impl Tie {
    /// Whether a supply is open to it.
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

/// Whether all places that tie a supply leave it open.
pub(super) fn leave(ties: &[Tie], matcher: &Matcher<'_>, supply: usize) -> bool {
    ties.iter().all(|tie| tie.leaves(matcher, supply))
}

impl Matcher<'_> {
    /// What the hard places of the need and of a volume ask of the supply of that volume, given the agent and the supplies of
    /// the volumes before it.
    pub(super) fn ties(&self, agent: Option<usize>, at: usize, before: &[usize]) -> Vec<Tie> {
        let need = self.subject.need;
        let volume = &need.volumes[at];
        let hard = |place: &&Place| place.weight.is_none();
        let mut ties = Vec::new();
        if let Some(agent) = agent {
            for place in need.places.iter().filter(hard) {
                match place.kind {
                    PlaceKind::Near(Target::Volume(name), key) if name == volume.name => {
                        let domain = self.moment.world.agents[agent].placement.domain;
                        ties.push(Tie::Around { key, own: self.agent_value(agent, key), domain });
                    }
                    PlaceKind::Apart(Target::Volume(name), key) if name == volume.name => {
                        ties.push(Tie::Away { key, own: self.agent_value(agent, key) });
                    }
                    _ => {}
                }
            }
        }
        for place in volume.places.iter().filter(hard) {
            let (PlaceKind::Near(Target::Volume(name), key) | PlaceKind::Apart(Target::Volume(name), key)) =
                place.kind
            else {
                continue;
            };
            let others = need.volumes.iter().zip(before).filter(|(other, _)| other.name == name);
            let mut values = others.map(|(_, supply)| self.supply_value(*supply, key)).peekable();
            if values.peek().is_none() {
                continue;
            }
            ties.push(match place.kind {
                PlaceKind::Apart(..) => Tie::Other { key, values: values.collect() },
                _ => {
                    let first = values.next().flatten();
                    let all = values.all(|value| value == first);
                    Tie::Same { key, value: first.filter(|_| all) }
                }
            });
        }
        ties
    }
}

/// What places that count ruled out for one volume: values of which no further supply is tried.
#[derive(Default)]
pub(super) struct RuledOut {
    values: Vec<(PlaceKey, PlaceValue)>,
}

impl RuledOut {
    /// A place that counts does not hold for a supply.
    pub fn add(&mut self, matcher: &Matcher<'_>, place: &Place, supply: usize) {
        if let Some(key) = place.kind.key().filter(|_| place.kind.counts())
            && let Some(place_value) = matcher.supply_value(supply, key)
        {
            self.values.push((key, place_value));
        }
    }

    /// Whether a supply has such a value.
    pub fn has(&self, matcher: &Matcher<'_>, supply: usize) -> bool {
        self.values
            .iter()
            .any(|(key, place_value)| matcher.supply_value(supply, *key).as_ref() == Some(place_value))
    }
}
