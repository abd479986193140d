//! Places: within, avoid, near, at most, spread, together.

use super::{
    Matcher, NeedId, Spot,
    placed::{Tally, agent_spot, supply_spot},
};
use crate::{
    ir::{PlaceKey, PlaceKind, Target, Volume},
    symbol::Symbol,
    value::is_within,
};

/// What became of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// The subject has no value to go by.
    Absent,
    /// It does not hold, and no change in what is free can cure it: the subject's value.
    Never(String),
    /// It does not hold as things are: the subject's value, and what is in the way.
    Now(String, String),
}

impl Verdict {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        *self == Verdict::Holds
    }
}

impl<'a> Matcher<'a> {
    /// A place of the need, for an agent. `supplies` are those of the volumes assigned so far, in order; a place
    /// that speaks of a volume beyond them holds for now.
    pub fn agent_place(&self, place: &crate::ir::Place, agent: usize, supplies: &[usize]) -> Verdict {
        let world = self.moment.world;
        let domain = world.agents[agent].placement.domain;
        match &place.kind {
            PlaceKind::Within(paths) => self.subtree(domain, paths, true),
            PlaceKind::Outside(paths) => self.subtree(domain, paths, false),
            PlaceKind::Near(target, key) => {
                let own = self.agent_value(agent, *key);
                let others = self.target_values(*target, *key, supplies);
                if others.is_empty() {
                    return Verdict::Holds;
                }
                let contains = |other: &Other| {
                    let outer = other.supply.and_then(|supply| world.supplies[supply].placement.domain);
                    outer.is_some_and(|outer| domain.is_some_and(|inner| self.is_within(inner, outer)))
                };
                self.near(own.as_ref(), &others, contains)
            }
            PlaceKind::Apart(target, key) => {
                let own = self.agent_value(agent, *key);
                self.apart(own.as_ref(), &self.target_values(*target, *key, supplies))
            }
            PlaceKind::AtMost { key, .. } | PlaceKind::Spread { key, .. } | PlaceKind::Together(key) => {
                self.counted(place, self.agent_value(agent, *key), &Tally::new())
            }
        }
    }

    /// A place of a volume, for a supply. `supplies` are those of the volumes before it.
    pub fn supply_place(
        &self,
        place: &crate::ir::Place,
        supply: usize,
        supplies: &[usize],
        volume: &'a Volume,
    ) -> Verdict {
        let domain = self.moment.world.supplies[supply].placement.domain;
        match &place.kind {
            PlaceKind::Within(paths) => self.subtree(domain, paths, true),
            PlaceKind::Outside(paths) => self.subtree(domain, paths, false),
            PlaceKind::Near(target, key) => {
                let own = self.supply_value(supply, *key);
                let others = self.target_values(*target, *key, supplies);
                if others.is_empty() {
                    return Verdict::Holds;
                }
                // A pool of the whole region is near each of its agents.
                let contains = |other: &Other| {
                    let inner =
                        other.agent.and_then(|agent| self.moment.world.agents[agent].placement.domain);
                    inner.is_some_and(|inner| domain.is_some_and(|outer| self.is_within(inner, outer)))
                };
                self.near(own.as_ref(), &others, contains)
            }
            PlaceKind::Apart(target, key) => {
                let own = self.supply_value(supply, *key);
                self.apart(own.as_ref(), &self.target_values(*target, *key, supplies))
            }
            PlaceKind::AtMost { key, .. } | PlaceKind::Spread { key, .. } | PlaceKind::Together(key) => {
                let before = self.subject.need.volumes.iter().zip(supplies);
                let mut of_instance = Tally::new();
                for (_, other) in before.filter(|(other, _)| other.name == volume.name) {
                    if let Some(spot) = self.supply_value(*other, *key) {
                        *of_instance.entry(spot).or_insert(0) += 1;
                    }
                }
                self.counted(place, self.supply_value(supply, *key), &of_instance)
            }
        }
    }

    /// A place that counts: `more` is what this very instance adds to what there is.
    fn counted(&self, place: &crate::ir::Place, own: Option<Spot>, more: &Tally) -> Verdict {
        let Some(own) = own else { return Verdict::Absent };
        let none = Tally::new();
        let tally = self.moment.placed.tally(self.id, place.number).unwrap_or(&none);
        let at = |spot: &Spot| tally.get(spot).copied().unwrap_or(0) + more.get(spot).copied().unwrap_or(0);
        let settled = self.moment.placed.settled(self.id);
        match &place.kind {
            PlaceKind::AtMost { count, .. } => self.at_most(at(&own), *count, &own),
            PlaceKind::Spread { skew, at_least, .. } => {
                let eligible = settled.and_then(|settled| settled.eligible.get(&place.number));
                let eligible = eligible.map_or(&[][..], Vec::as_slice);
                let used = |tally: &Tally| tally.values().filter(|count| **count > 0).count() as u64;
                let mut values = used(tally);
                values +=
                    more.keys().filter(|spot| tally.get(*spot).copied().unwrap_or(0) == 0).count() as u64;
                // Ties go by the order of the spots, which is that of the agents.
                let least = eligible.iter().min_by_key(|spot| at(spot));
                let (floor, whose) = match least {
                    Some(spot) if values >= *at_least => (at(spot), self.show(spot)),
                    _ => (0, format!("{values} of {at_least} used")),
                };
                if at(&own) < floor + skew {
                    return Verdict::Holds;
                }
                Verdict::Now(format!("{} in {}", at(&own), self.show(&own)), format!("{floor} in {whose}"))
            }
            _ => {
                let chosen = settled.and_then(|settled| settled.together.get(&place.number));
                let there = tally.iter().chain(more).filter(|(_, count)| **count > 0).map(|(spot, _)| spot);
                match chosen
                    .filter(|_| place.weight.is_none())
                    .into_iter()
                    .chain(there)
                    .find(|spot| **spot != own)
                {
                    None => Verdict::Holds,
                    Some(other) => Verdict::Now(self.show(&own), self.show(other)),
                }
            }
        }
    }

    fn subtree(&self, domain: Option<Symbol>, paths: &[Symbol], inside: bool) -> Verdict {
        let Some(domain) = domain else { return Verdict::Absent };
        let found = paths.iter().any(|path| self.is_within(domain, *path));
        if found == inside { Verdict::Holds } else { Verdict::Never(self.show(&Spot::Domain(domain))) }
    }

    fn is_within(&self, inner: Symbol, outer: Symbol) -> bool {
        let symbols = &self.moment.plan.symbols;
        is_within(symbols.text(inner), symbols.text(outer))
    }

    fn near(&self, own: Option<&Spot>, others: &[Other], contains: impl Fn(&Other) -> bool) -> Verdict {
        let same = |other: &Other| own.is_some() && own == other.value.as_ref();
        let away = others.iter().find(|other| !same(other) && !contains(other));
        match (away, own) {
            (None, _) => Verdict::Holds,
            (Some(_), None) => Verdict::Absent,
            (Some(other), Some(own)) => Verdict::Now(self.show(own), self.show_other(other)),
        }
    }

    fn apart(&self, own: Option<&Spot>, others: &[Other]) -> Verdict {
        if others.is_empty() {
            return Verdict::Holds;
        }
        let Some(own) = own else { return Verdict::Absent };
        match others.iter().find(|other| other.value.as_ref().is_none_or(|value| value == own)) {
            None => Verdict::Holds,
            Some(other) => Verdict::Now(self.show(own), self.show_other(other)),
        }
    }

    fn at_most(&self, there: u64, count: u64, own: &Spot) -> Verdict {
        if there < count {
            return Verdict::Holds;
        }
        if count == 0 {
            return Verdict::Never(self.show(own));
        }
        Verdict::Now(format!("{there} in {}", self.show(own)), String::new())
    }

    fn show(&self, value: &Spot) -> String {
        value.show(&self.moment.plan.symbols)
    }

    fn show_other(&self, other: &Other) -> String {
        other.value.as_ref().map_or_else(|| "nowhere".to_owned(), |value| self.show(value))
    }

    /// What the target of a place has, of each of its instances.
    fn target_values(&self, target: Target, key: PlaceKey, supplies: &[usize]) -> Vec<Other> {
        let of_supply = |supply: usize| Other {
            value: self.supply_value(supply, key),
            supply: Some(supply),
            agent: None,
        };
        let of_need =
            |need: u32| self.moment.placed.of(NeedId { framework: self.id.framework, need: need as usize });
        match target {
            Target::Volume(name) => {
                let assigned = self.subject.need.volumes.iter().zip(supplies);
                assigned
                    .filter(|(volume, _)| volume.name == name)
                    .map(|(_, supply)| of_supply(*supply))
                    .collect()
            }
            Target::Need(need) => {
                let agents = of_need(need).iter().filter_map(|one| one.agent);
                let of_agent =
                    |agent| Other { value: self.agent_value(agent, key), supply: None, agent: Some(agent) };
                agents.map(of_agent).collect()
            }
            Target::NeedVolume(need, name) => {
                let supplies = of_need(need).iter().flat_map(|one| &one.supplies);
                let named = supplies.filter(|(known, _)| known.is_none_or(|known| known == name));
                named.map(|(_, supply)| of_supply(*supply)).collect()
            }
        }
    }

    /// An agent's value of what places go by.
    pub fn agent_value(&self, agent: usize, key: PlaceKey) -> Option<Spot> {
        agent_spot(self.moment.plan, self.moment.world, agent, key)
    }

    /// A supply's value of what places go by.
    pub fn supply_value(&self, supply: usize, key: PlaceKey) -> Option<Spot> {
        supply_spot(self.moment.plan, self.moment.world, supply, key)
    }
}

/// What a place compares with.
struct Other {
    value: Option<Spot>,
    supply: Option<usize>,
    agent: Option<usize>,
}
