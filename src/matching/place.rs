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

/// What a place that counts asks of a value, whatever the value.
enum Bar {
    /// Fewer there than so many.
    AtMost(u64),
    /// Fewer there than the first; the second is the least, where it is, or how many values are used.
    Below(u64, u64, Result<Spot, String>),
    /// No value but this, and but those of others.
    Only(Option<Spot>, Vec<Spot>),
}

/// Whom a place shuts out.
pub(super) enum Barred {
    /// Nobody.
    None,
    /// Those with one of these values, and those without any.
    At(Vec<Spot>),
    /// All but those with this value.
    AllBut(Option<Spot>),
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
        let there = self.there(place, &own, more);
        match self.bar(place, more) {
            Bar::AtMost(count) => self.at_most(there, count, &own),
            Bar::Below(bar, ..) if there < bar => Verdict::Holds,
            Bar::Below(_, floor, whose) => {
                let whose = match whose {
                    Ok(spot) => self.show(&spot),
                    Err(used) => used,
                };
                Verdict::Now(format!("{there} in {}", self.show(&own)), format!("{floor} in {whose}"))
            }
            Bar::Only(one, others) => match one.iter().chain(&others).find(|spot| **spot != own) {
                None => Verdict::Holds,
                Some(other) => Verdict::Now(self.show(&own), self.show(other)),
            },
        }
    }

    /// How many there are where a place that counts would have one more.
    fn there(&self, place: &crate::ir::Place, own: &Spot, more: &Tally) -> u64 {
        let tally = self.moment.placed.tally(self.id, place.number);
        let counted = |tally: &Tally| tally.get(own).copied().unwrap_or(0);
        tally.map_or(0, counted) + counted(more)
    }

    /// What a place that counts asks, whatever the subject.
    fn bar(&self, place: &crate::ir::Place, more: &Tally) -> Bar {
        let none = Tally::new();
        let tally = self.moment.placed.tally(self.id, place.number).unwrap_or(&none);
        let at = |spot: &Spot| tally.get(spot).copied().unwrap_or(0) + more.get(spot).copied().unwrap_or(0);
        let settled = self.moment.placed.settled(self.id);
        match &place.kind {
            PlaceKind::AtMost { count, .. } => Bar::AtMost(*count),
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
                    Some(spot) if values >= *at_least => (at(spot), Ok(spot.clone())),
                    _ => (0, Err(format!("{values} of {at_least} used"))),
                };
                Bar::Below(floor + skew, floor, whose)
            }
            _ => {
                let chosen = settled.and_then(|settled| settled.together.get(&place.number));
                let there = tally.iter().chain(more).filter(|(_, count)| **count > 0);
                let there = there.map(|(spot, _)| spot.clone()).collect();
                Bar::Only(chosen.filter(|_| place.weight.is_none()).cloned(), there)
            }
        }
    }

    /// The values of agents for which a place that counts, or keeps apart, does not hold, and whether that is all: `None`
    /// for a place of another kind. An agent without a value never holds, unless nothing is kept apart from.
    pub(super) fn agents_barred(&self, place: &crate::ir::Place) -> Option<Barred> {
        let tally = self.moment.placed.tally(self.id, place.number);
        let spots = || tally.into_iter().flat_map(Tally::keys).cloned();
        let none = Tally::new();
        Some(match &place.kind {
            PlaceKind::Within(_) | PlaceKind::Outside(_) | PlaceKind::Near(..) => return None,
            PlaceKind::Apart(target, key) => {
                let others = self.target_values(*target, *key, &[]);
                if others.iter().any(|other| other.value.is_none()) {
                    return Some(Barred::AllBut(None));
                }
                match others.is_empty() {
                    true => Barred::None,
                    false => Barred::At(others.into_iter().filter_map(|other| other.value).collect()),
                }
            }
            _ => match self.bar(place, &none) {
                Bar::AtMost(0) | Bar::Below(0, ..) => Barred::AllBut(None),
                Bar::AtMost(bar) | Bar::Below(bar, ..) => {
                    Barred::At(spots().filter(|spot| self.there(place, spot, &none) >= bar).collect())
                }
                Bar::Only(one, others) => {
                    let mut only = one.into_iter().chain(others);
                    match only.next() {
                        None => Barred::At(Vec::new()),
                        Some(one) if only.all(|other| other == one) => Barred::AllBut(Some(one)),
                        Some(_) => Barred::AllBut(None),
                    }
                }
            },
        })
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
