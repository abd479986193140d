//! Evaluates the places of needs and volumes: `within`, `avoid`, `near`, `at most`, `spread`, `together`.
//!
//! Places read one of three kinds of state. `within` and `avoid "path"` read the inventory alone. `near X`
//! and `avoid X` compare with the instances of another need, or with volumes of the same need. `at most`,
//! `spread` and `together` count instances by value. [`Matcher::bar`] turns the counts into one threshold
//! that is the same for every subject, and the index uses it to judge all rows at once.

use indexmap::IndexSet;

use super::{
    Matcher, PlaceValue,
    placed::{
        CountByValue, OtherInstance, OtherInstances, PlaceTally, agent_place_value, supply_place_value,
    },
};
use crate::{
    ir::{CountRule, Place, PlaceKey, PlaceRelation, PlaceTest, Target, Volume},
    symbol::Symbol,
    value::is_within,
};

/// The outcome of a place for one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceVerdict {
    /// The place holds.
    Holds,
    /// The subject has no value in the key of the place.
    Absent,
    /// The place does not hold, and no change of free amounts can cure it. Contains the subject's value.
    Never(String),
    /// The place does not hold in the present state. Contains the subject's value, and the value that
    /// conflicts with it.
    Now(String, String),
}

impl PlaceVerdict {
    /// Returns `true` if the place holds.
    pub fn holds(&self) -> bool {
        *self == PlaceVerdict::Holds
    }

    /// Returns `true` for a place that fails and that no change of free amounts can cure.
    pub fn is_permanent(&self) -> bool {
        match self {
            PlaceVerdict::Absent | PlaceVerdict::Never(_) => true,
            PlaceVerdict::Holds | PlaceVerdict::Now(..) => false,
        }
    }
}

/// The demand of a counting place on a value. It is the same for all values.
pub(super) enum Bar {
    /// The count of the value must be below this.
    AtMost(u64),
    /// The count of the value must be below the first number, which is the second, the least count, plus
    /// the allowed skew. The third is the value with the least count, or a text if too few values are used
    /// yet.
    Below(u64, u64, Result<PlaceValue, String>),
    /// No value is allowed but the one chosen for all instances, if one was, and the one that other
    /// instances have.
    Only(Option<PlaceValue>),
}

/// The instances that a place compares its subject with.
struct Targets<'m> {
    /// The supplies assigned to volumes of the same need.
    assigned: Vec<OtherInstance>,
    /// The instances of another need.
    placed: Option<&'m OtherInstances>,
}

impl Targets<'_> {
    fn iter(&self) -> impl Iterator<Item = &OtherInstance> {
        self.assigned.iter().chain(self.placed.into_iter().flat_map(OtherInstances::iter))
    }

    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'a> Matcher<'a> {
    /// Evaluates a place of the need for an agent. `supplies` are those of the volumes assigned so far, in
    /// order. A place that refers to a later volume holds for now.
    pub fn agent_place(&self, place: &Place, agent: usize, supplies: &[usize]) -> PlaceVerdict {
        let world = self.moment.world;
        let domain = world.agents[agent].placement.domain;
        match place.kind.test() {
            PlaceTest::Subtree { inside, paths } => self.subtree(domain, paths, inside),
            PlaceTest::Compared { relation, target, key } => {
                let own = self.agent_value(agent, key);
                let others = self.targets(place, target, key, supplies);
                self.compared(relation, own.as_ref(), &others, |other| self.is_around(other, domain))
            }
            PlaceTest::Counted { rule, key } => {
                self.counted(place, rule, self.agent_value(agent, key), &CountByValue::new())
            }
        }
    }

    /// Evaluates a place of a volume for a supply. `supplies` are those of the volumes before it.
    pub fn supply_place(
        &self,
        place: &Place,
        supply: usize,
        supplies: &[usize],
        volume: &'a Volume,
    ) -> PlaceVerdict {
        let domain = self.moment.world.supplies[supply].placement.domain;
        match place.kind.test() {
            PlaceTest::Subtree { inside, paths } => self.subtree(domain, paths, inside),
            PlaceTest::Compared { relation, target, key } => {
                let own = self.supply_value(supply, key);
                let others = self.targets(place, target, key, supplies);
                self.compared(relation, own.as_ref(), &others, |other| self.is_inside(other, domain))
            }
            PlaceTest::Counted { rule, key } => {
                // Volumes that come of one block with a `count` share its name, and count against each other.
                let before = self.subject.need.volumes.iter().zip(supplies);
                let mut of_instance = CountByValue::new();
                for (_, other) in before.filter(|(other, _)| other.name == volume.name) {
                    if let Some(place_value) = self.supply_value(*other, key) {
                        *of_instance.entry(place_value).or_insert(0) += 1;
                    }
                }
                self.counted(place, rule, self.supply_value(supply, key), &of_instance)
            }
        }
    }

    /// Evaluates a counting place. `more` has the counts of the instance that is being assigned, which the
    /// tally does not have yet.
    fn counted(
        &self,
        place: &Place,
        rule: CountRule,
        own: Option<PlaceValue>,
        more: &CountByValue,
    ) -> PlaceVerdict {
        let Some(own) = own else { return PlaceVerdict::Absent };
        let there = self.there(place, &own, more);
        match self.bar(place, rule, more) {
            Bar::AtMost(count) => self.at_most(there, count, &own),
            Bar::Below(bar, ..) if there < bar => PlaceVerdict::Holds,
            Bar::Below(_, floor, whose) => {
                let whose = match whose {
                    Ok(place_value) => self.show(&place_value),
                    Err(used) => used,
                };
                PlaceVerdict::Now(format!("{there} in {}", self.show(&own)), format!("{floor} in {whose}"))
            }
            Bar::Only(one) => {
                let tally = self.moment.placed.tally(self.id, place.number);
                let there = tally.into_iter().flat_map(PlaceTally::place_values).chain(more.keys());
                match one.iter().chain(there).find(|place_value| **place_value != own) {
                    None => PlaceVerdict::Holds,
                    Some(other) => PlaceVerdict::Now(self.show(&own), self.show(other)),
                }
            }
        }
    }

    /// Returns the count of a value for a counting place.
    fn there(&self, place: &Place, own: &PlaceValue, more: &CountByValue) -> u64 {
        let tally = self.moment.placed.tally(self.id, place.number);
        tally.map_or(0, |tally| tally.get(own)) + more.get(own).copied().unwrap_or(0)
    }

    /// Returns the demand of a counting place. It depends on the counts and not on the subject.
    pub(super) fn bar(&self, place: &Place, rule: CountRule, more: &CountByValue) -> Bar {
        let none = PlaceTally::default();
        let tally = self.moment.placed.tally(self.id, place.number).unwrap_or(&none);
        let settled = self.moment.placed.settled(self.id);
        match rule {
            CountRule::AtMost { count, .. } => Bar::AtMost(count),
            CountRule::Spread { skew, at_least } => {
                let nowhere = IndexSet::new();
                let eligible = settled.and_then(|settled| settled.eligible.get(&place.number));
                let eligible = eligible.map_or(&nowhere, |eligible| eligible);
                let values = tally.used()
                    + more.keys().filter(|place_value| tally.get(place_value) == 0).count() as u64;
                // Below `at_least` used values, an unused one counts as the least, so that the place
                // spreads over new values first. Equal counts go by the order of values, which is that of
                // the agents.
                let least = (values >= at_least).then(|| tally.least(eligible, more)).flatten();
                let (floor, whose) = match least {
                    Some((floor, place_value)) => (floor, Ok(place_value)),
                    None => (0, Err(format!("{values} of {at_least} used"))),
                };
                Bar::Below(floor + skew, floor, whose)
            }
            CountRule::Together => {
                let chosen = settled.and_then(|settled| settled.together.get(&place.number));
                Bar::Only(chosen.filter(|_| place.strength.is_required()).cloned())
            }
        }
    }

    fn subtree(&self, domain: Option<Symbol>, paths: &[Symbol], inside: bool) -> PlaceVerdict {
        let Some(domain) = domain else { return PlaceVerdict::Absent };
        let found = paths.iter().any(|path| self.is_within(domain, *path));
        if found == inside {
            PlaceVerdict::Holds
        } else {
            PlaceVerdict::Never(self.show(&PlaceValue::Domain(domain)))
        }
    }

    pub(super) fn is_within(&self, inner: Symbol, outer: Symbol) -> bool {
        let symbols = &self.moment.plan.symbols;
        is_within(symbols.text(inner), symbols.text(outer))
    }

    /// Returns `true` if `other` is a supply whose domain contains `inner`. So the pool of a region is
    /// near each of the region's agents.
    pub(super) fn is_around(&self, other: &OtherInstance, inner: Option<Symbol>) -> bool {
        other.supply.is_some_and(|outer| inner.is_some_and(|inner| self.is_within(inner, outer)))
    }

    /// Returns `true` if `other` is an agent within `outer`.
    pub(super) fn is_inside(&self, other: &OtherInstance, outer: Option<Symbol>) -> bool {
        other.agent.is_some_and(|inner| outer.is_some_and(|outer| self.is_within(inner, outer)))
    }

    /// Evaluates a place that compares. `contains` says whether a fault domain makes an instance near.
    fn compared(
        &self,
        relation: PlaceRelation,
        own: Option<&PlaceValue>,
        others: &Targets<'_>,
        contains: impl Fn(&OtherInstance) -> bool,
    ) -> PlaceVerdict {
        match relation {
            PlaceRelation::Near => self.near(own, others, contains),
            PlaceRelation::Apart => self.apart(own, others),
        }
    }

    fn near(
        &self,
        own: Option<&PlaceValue>,
        others: &Targets<'_>,
        contains: impl Fn(&OtherInstance) -> bool,
    ) -> PlaceVerdict {
        let same = |other: &OtherInstance| own.is_some() && own == other.value.as_ref();
        let away = others.iter().find(|other| !same(other) && !contains(other));
        match (away, own) {
            (None, _) => PlaceVerdict::Holds,
            (Some(_), None) => PlaceVerdict::Absent,
            (Some(other), Some(own)) => PlaceVerdict::Now(self.show(own), self.show_other(other)),
        }
    }

    fn apart(&self, own: Option<&PlaceValue>, others: &Targets<'_>) -> PlaceVerdict {
        if others.is_empty() {
            return PlaceVerdict::Holds;
        }
        let Some(own) = own else { return PlaceVerdict::Absent };
        match others.iter().find(|other| other.value.as_ref().is_none_or(|value| value == own)) {
            None => PlaceVerdict::Holds,
            Some(other) => PlaceVerdict::Now(self.show(own), self.show_other(other)),
        }
    }

    fn at_most(&self, there: u64, count: u64, own: &PlaceValue) -> PlaceVerdict {
        if there < count {
            return PlaceVerdict::Holds;
        }
        if count == 0 {
            return PlaceVerdict::Never(self.show(own));
        }
        PlaceVerdict::Now(format!("{there} in {}", self.show(own)), String::new())
    }

    fn show(&self, value: &PlaceValue) -> String {
        value.show(&self.moment.plan.symbols)
    }

    fn show_other(&self, other: &OtherInstance) -> String {
        other.value.as_ref().map_or_else(|| "nowhere".to_owned(), |value| self.show(value))
    }

    /// Returns the instances of the target of a place.
    fn targets(&self, place: &Place, target: Target, key: PlaceKey, supplies: &[usize]) -> Targets<'a> {
        let Target::Volume(name) = target else {
            let placed = self.moment.placed.others(self.id, place.number);
            return Targets { assigned: Vec::new(), placed };
        };
        let assigned = self.subject.need.volumes.iter().zip(supplies);
        let assigned = assigned.filter(|(volume, _)| volume.name == name).map(|(_, supply)| OtherInstance {
            value: self.supply_value(*supply, key),
            agent: None,
            supply: self.moment.world.supplies[*supply].placement.domain,
        });
        Targets { assigned: assigned.collect(), placed: None }
    }

    /// Returns the value of an agent in a key of places.
    pub fn agent_value(&self, agent: usize, key: PlaceKey) -> Option<PlaceValue> {
        agent_place_value(self.moment.plan, self.moment.world, agent, key)
    }

    /// Returns the value of a supply in a key of places.
    pub fn supply_value(&self, supply: usize, key: PlaceKey) -> Option<PlaceValue> {
        supply_place_value(self.moment.plan, self.moment.world, supply, key)
    }
}
