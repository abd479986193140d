//! Places: within, avoid, near, at most.

use super::{Instance, Matcher};
use crate::{
    ir::{PlaceKey, PlaceKind, Target, Volume},
    symbol::Symbol,
    value::{Value, is_within},
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
    pub(super) fn agent_place(&self, place: &crate::ir::Place, agent: usize, supplies: &[usize]) -> Verdict {
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
            PlaceKind::AtMost { count, key, among_framework } => {
                let Some(own) = self.agent_value(agent, *key) else { return Verdict::Absent };
                let instances = self.instances(*among_framework);
                let there = instances
                    .filter(|one| {
                        one.agent.and_then(|agent| self.agent_value(agent, *key)).as_ref() == Some(&own)
                    })
                    .count() as u64;
                self.at_most(there, *count, &own)
            }
        }
    }

    /// A place of a volume, for a supply. `supplies` are those of the volumes before it.
    pub(super) fn supply_place(
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
            PlaceKind::AtMost { count, key, among_framework } => {
                let Some(own) = self.supply_value(supply, *key) else { return Verdict::Absent };
                let same = |other: usize| self.supply_value(other, *key).as_ref() == Some(&own);
                let placed = self.instances(*among_framework).flat_map(|one| &one.supplies);
                let named = placed.filter(|(name, _)| name.is_none_or(|name| name == volume.name));
                let mut there = named.filter(|(_, other)| same(*other)).count() as u64;
                let before = self.subject.need.volumes.iter().zip(supplies);
                there += before.filter(|(other, at)| other.name == volume.name && same(**at)).count() as u64;
                self.at_most(there, *count, &own)
            }
        }
    }

    fn subtree(&self, domain: Option<Symbol>, paths: &[Symbol], inside: bool) -> Verdict {
        let Some(domain) = domain else { return Verdict::Absent };
        let found = paths.iter().any(|path| self.is_within(domain, *path));
        if found == inside { Verdict::Holds } else { Verdict::Never(self.show(&Value::Place(domain))) }
    }

    fn is_within(&self, inner: Symbol, outer: Symbol) -> bool {
        let symbols = &self.moment.plan.symbols;
        is_within(symbols.text(inner), symbols.text(outer))
    }

    fn near(&self, own: Option<&Value>, others: &[Other], contains: impl Fn(&Other) -> bool) -> Verdict {
        let same = |other: &Other| own.is_some() && own == other.value.as_ref();
        let away = others.iter().find(|other| !same(other) && !contains(other));
        match (away, own) {
            (None, _) => Verdict::Holds,
            (Some(_), None) => Verdict::Absent,
            (Some(other), Some(own)) => Verdict::Now(self.show(own), self.show_other(other)),
        }
    }

    fn apart(&self, own: Option<&Value>, others: &[Other]) -> Verdict {
        if others.is_empty() {
            return Verdict::Holds;
        }
        let Some(own) = own else { return Verdict::Absent };
        match others.iter().find(|other| other.value.as_ref().is_none_or(|value| value == own)) {
            None => Verdict::Holds,
            Some(other) => Verdict::Now(self.show(own), self.show_other(other)),
        }
    }

    fn at_most(&self, there: u64, count: u64, own: &Value) -> Verdict {
        if there < count {
            return Verdict::Holds;
        }
        if count == 0 {
            return Verdict::Never(self.show(own));
        }
        Verdict::Now(format!("{there} in {}", self.show(own)), String::new())
    }

    fn show(&self, value: &Value) -> String {
        value.show(&self.moment.plan.symbols)
    }

    fn show_other(&self, other: &Other) -> String {
        other.value.as_ref().map_or_else(|| "nowhere".to_owned(), |value| self.show(value))
    }

    fn instances(&self, among_framework: bool) -> impl Iterator<Item = &'a Instance> {
        let needs = &self.moment.placed.instances[self.id.framework];
        let own = self.id.need;
        needs
            .iter()
            .enumerate()
            .filter(move |(at, _)| among_framework || *at == own)
            .flat_map(|(_, placed)| placed)
    }

    /// What the target of a place has, of each of its instances.
    fn target_values(&self, target: Target, key: PlaceKey, supplies: &[usize]) -> Vec<Other> {
        let of_supply = |supply: usize| Other {
            value: self.supply_value(supply, key),
            supply: Some(supply),
            agent: None,
        };
        let placed = &self.moment.placed.instances[self.id.framework];
        match target {
            Target::Volume(name) => {
                let assigned = self.subject.need.volumes.iter().zip(supplies);
                assigned
                    .filter(|(volume, _)| volume.name == name)
                    .map(|(_, supply)| of_supply(*supply))
                    .collect()
            }
            Target::Need(need) => {
                let agents = placed[need as usize].iter().filter_map(|one| one.agent);
                let of_agent =
                    |agent| Other { value: self.agent_value(agent, key), supply: None, agent: Some(agent) };
                agents.map(of_agent).collect()
            }
            Target::NeedVolume(need, name) => {
                let supplies = placed[need as usize].iter().flat_map(|one| &one.supplies);
                let named = supplies.filter(|(known, _)| known.is_none_or(|known| known == name));
                named.map(|(_, supply)| of_supply(*supply)).collect()
            }
        }
    }

    /// An agent's value of what places go by.
    pub(crate) fn agent_value(&self, agent: usize, key: PlaceKey) -> Option<Value> {
        let own = &self.moment.world.agents[agent];
        match key {
            PlaceKey::Level(depth) => {
                own.placement.levels.get(usize::from(depth)).copied().flatten().map(Value::Place)
            }
            PlaceKey::Agent => Some(Value::Text(own.name)),
            PlaceKey::Key(column) => self.scene(Some(agent), None, None).read(column).ok(),
            PlaceKey::Pool | PlaceKey::Instance | PlaceKey::Provider => None,
        }
    }

    /// A supply's value of what places go by.
    pub(crate) fn supply_value(&self, supply: usize, key: PlaceKey) -> Option<Value> {
        let own = &self.moment.world.supplies[supply];
        match key {
            PlaceKey::Level(depth) => {
                own.placement.levels.get(usize::from(depth)).copied().flatten().map(Value::Place)
            }
            PlaceKey::Pool => Some(Value::Text(own.pool)),
            PlaceKey::Instance => Some(Value::Text(own.instance_path)),
            PlaceKey::Provider => Some(Value::Text(own.provider)),
            PlaceKey::Key(column) => self.scene(None, Some(supply), None).read(column).ok(),
            PlaceKey::Agent => None,
        }
    }
}

/// What a place compares with.
struct Other {
    value: Option<Value>,
    supply: Option<usize>,
    agent: Option<usize>,
}
