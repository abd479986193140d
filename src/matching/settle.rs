//! Settles the places of a need before its first grant: the values that a `spread` is over, and the one value
//! that a `together` shares.
//!
//! Both need a decision over the whole fleet. If a spread were over the values that happen to be free, the
//! result would depend on the order of grants. So its values are those where an instance could ever run, with
//! everything free.
//!
//! `together` has no such local rule. Each combination of values is tried by granting the whole need there,
//! with the ledger from before the cycle, and the best one wins. The number of combinations is bounded by
//! `limits::TOGETHER_TRIED`.

use std::{cmp::Reverse, ops::ControlFlow, sync::Arc};

use indexmap::{IndexMap, IndexSet};

use super::{
    Index, Instance, Matcher, Moment, NeedId, PlaceValue, Placed, Search, Settled, amounts::Draft,
    check::Reach, failure::Failure, placed::PlaceTally,
};
use crate::{
    inventory::{ledger::Ledger, world::World},
    ir::{CountRule, Place, PlaceTest, Plan, Volume},
    limits,
    quantity::MILLION,
};

/// Settles the places of a need. The result depends on the inventory, and not on the grants so far; `start`
/// is the ledger before the cycle. The second value is `true` if a bound ended the search for a shared value.
pub fn settle(moment: Moment<'_>, start: &Ledger, id: NeedId, free: Option<&mut Free>) -> (Settled, bool) {
    settled(Matcher::new(moment, id), start, free)
}

/// A fleet with nothing taken, and its index.
#[derive(Clone, Debug)]
pub struct Free {
    ledger: Ledger,
    index: Index,
}

impl Free {
    /// Creates it from a fleet.
    pub fn new(plan: &Plan, world: &World) -> Free {
        Free { ledger: Ledger::empty(world), index: Index::new(plan, world) }
    }
}

/// Settles the places of the need of a matcher; see [`settle`].
pub fn settle_for(matcher: Matcher<'_>, start: &Ledger) -> (Settled, bool) {
    settled(matcher, start, None)
}

fn settled(matcher: Matcher<'_>, start: &Ledger, mut free: Option<&mut Free>) -> (Settled, bool) {
    let mut settled = Settled::default();
    let need = matcher.subject.need;
    let spread = |place: &&Place| matches!(place.kind.counts(), Some(CountRule::Spread { .. }));
    for place in need.places.iter().filter(spread) {
        let by_columns = free.as_mut().and_then(|free| {
            let moment = Moment { ledger: &free.ledger, ..matcher.moment };
            free.index.eligible(&Matcher { moment, ..matcher }, place)
        });
        settled
            .eligible
            .insert(place.number, by_columns.unwrap_or_else(|| Arc::new(matcher.eligible_agents(place))));
    }
    for volume in need.volumes.iter().filter(|volume| volume.ordinal.0 == 0) {
        for place in volume.places.iter().filter(spread) {
            settled.eligible.insert(place.number, Arc::new(matcher.eligible_supplies(place, volume)));
        }
    }
    let places = need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places));
    if !places.into_iter().any(|place| place.kind.is_together() && place.strength.is_required()) {
        return (settled, false);
    }
    let (together, bounded) = Together::new(matcher, start, &settled).choose();
    settled.together = together;
    (settled, bounded)
}

/// Returns `true` if a need has places to settle.
pub fn has_unsettled(need: &crate::ir::Need) -> bool {
    let settles = |place: &Place| place.kind.is_settled_first();
    need.places.iter().any(settles) || need.volumes.iter().flat_map(|volume| &volume.places).any(settles)
}

impl<'a> Matcher<'a> {
    /// Returns the values that a spread of agents is over: those where some agent could ever run, with
    /// everything free, and without regard to limits and other instances.
    fn eligible_agents(&self, place: &Place) -> IndexSet<PlaceValue> {
        let Some(key) = place.kind.key() else { return IndexSet::new() };
        let open: Vec<Vec<usize>> =
            self.subject.need.volumes.iter().map(|volume| self.open_supplies(volume)).collect();
        let mut found: IndexSet<PlaceValue> = IndexSet::new();
        for agent in self.agents().into_iter().flatten() {
            let Some(place_value) = self.agent_value(agent, key) else { continue };
            if !found.contains(&place_value) && self.could_ever(agent, &open) {
                found.insert(place_value);
            }
        }
        found
    }

    /// Returns the values that a spread of supplies is over.
    fn eligible_supplies(&self, place: &Place, volume: &'a Volume) -> IndexSet<PlaceValue> {
        let Some(key) = place.kind.key() else { return IndexSet::new() };
        let mut agents = self.agents();
        agents.retain(|agent| self.agent_is_open(*agent));
        let mut found: IndexSet<PlaceValue> = IndexSet::new();
        for supply in self.open_supplies(volume) {
            let Some(place_value) = self.supply_value(supply, key) else { continue };
            let reached = || agents.iter().any(|agent| self.reaches(*agent, volume, supply));
            if !found.contains(&place_value) && reached() {
                found.insert(place_value);
            }
        }
        found
    }

    /// Returns `true` if an agent could ever run the need: nothing permanent excludes it, and for each volume
    /// there is a supply that nothing permanent excludes.
    fn could_ever(&self, agent: usize, open: &[Vec<usize>]) -> bool {
        let mut volumes = self.subject.need.volumes.iter().zip(open);
        self.agent_is_open(Some(agent))
            && volumes
                .all(|(volume, open)| open.iter().any(|supply| self.reaches(Some(agent), volume, *supply)))
    }

    fn agent_is_open(&self, agent: Option<usize>) -> bool {
        let scene = self.scene(agent, None, None);
        self.agent_checks(agent, &mut |failure| obstacle(failure.is_permanent(&scene), &failure))
            .is_continue()
    }

    /// Returns the supplies that no permanent failure of their own excludes.
    fn open_supplies(&self, volume: &'a Volume) -> Vec<usize> {
        let supplies = 0..self.moment.world.supplies.len();
        supplies.filter(|supply| self.supply_is_open(None, volume, *supply, Reach::WithoutAgent)).collect()
    }

    fn reaches(&self, agent: Option<usize>, volume: &'a Volume, supply: usize) -> bool {
        self.supply_is_open(agent, volume, supply, Reach::AgentOnly)
    }

    fn supply_is_open(&self, agent: Option<usize>, volume: &'a Volume, supply: usize, reach: Reach) -> bool {
        let scene = self.scene(agent, Some(supply), Some(volume));
        let mut stop = |failure: Failure<'a>| obstacle(failure.is_permanent(&scene), &failure);
        self.supply_checks(agent, volume, supply, reach, &mut stop).is_continue()
    }
}

/// Stops at a permanent failure. Limits are not permanent obstacles, and of places only those about subtrees
/// are, because the others depend on where instances are.
fn obstacle(permanent: bool, failure: &Failure<'_>) -> ControlFlow<()> {
    let aside = match failure {
        Failure::Place(place, ..) => !place.kind.is_subtree(),
        Failure::Amount(shortage) => shortage.limit.is_some(),
        _ => false,
    };
    if permanent && !aside { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// The search for the values that all instances of a need share.
struct Together<'a> {
    matcher: Matcher<'a>,
    /// Every trial is undone in it.
    ledger: Ledger,
    placed: Placed,
    eligible: IndexMap<u32, Arc<IndexSet<PlaceValue>>>,
    /// The places to settle, those of agents first, each with the values to try.
    open: Vec<(u32, Vec<PlaceValue>)>,
    /// The agents by their values in the places of agents, so that a combination is tried with its own agents
    /// only.
    agents: IndexMap<Vec<Option<PlaceValue>>, Vec<Option<usize>>>,
    /// The number of places of agents, which are the first in `open`.
    of_agents: usize,
    /// The prefixes of the values that agents have. A combination that no agent has is cut at its first wrong
    /// value.
    beginnings: IndexSet<Vec<PlaceValue>>,
    /// The number of combinations tried.
    steps: usize,
    best: Option<(TogetherRank, Vec<PlaceValue>)>,
}

/// The order of combinations: most instances first, then the largest total score, then names.
type TogetherRank = (Reverse<u64>, Reverse<i128>, Vec<String>);

impl<'a> Together<'a> {
    fn new(matcher: Matcher<'a>, start: &Ledger, settled: &Settled) -> Self {
        let need = matcher.subject.need;
        let hard = |place: &&Place| place.kind.is_together() && place.strength.is_required();
        let of_agents: Vec<&Place> = need.places.iter().filter(hard).collect();
        let mut agents: IndexMap<Vec<Option<PlaceValue>>, Vec<Option<usize>>> = IndexMap::new();
        for agent in matcher.agents() {
            let values = of_agents.iter().map(|place| {
                agent.zip(place.kind.key()).and_then(|(agent, key)| matcher.agent_value(agent, key))
            });
            agents.entry(values.collect()).or_default().push(agent);
        }
        let mut open: Vec<(u32, Vec<PlaceValue>)> = Vec::new();
        for (at, place) in of_agents.iter().enumerate() {
            let values: IndexSet<PlaceValue> =
                agents.keys().filter_map(|values| values[at].clone()).collect();
            open.push((place.number, values.into_iter().collect()));
        }
        for volume in need.volumes.iter().filter(|volume| volume.ordinal.0 == 0) {
            for place in volume.places.iter().filter(hard) {
                let supplies = matcher.supplies();
                let key = place.kind.key();
                let values: IndexSet<PlaceValue> =
                    supplies.filter_map(|supply| matcher.supply_value(supply, key?)).collect();
                open.push((place.number, values.into_iter().collect()));
            }
        }
        // Values that instances share already are fixed.
        for (number, values) in &mut open {
            let tally = matcher.moment.placed.tally(matcher.id, *number);
            let there: Vec<PlaceValue> =
                tally.into_iter().flat_map(PlaceTally::place_values).cloned().collect();
            if !there.is_empty() {
                *values = there;
            }
        }
        let mut beginnings: IndexSet<Vec<PlaceValue>> = IndexSet::new();
        for values in agents.keys() {
            let there: Vec<PlaceValue> = values.iter().map_while(Clone::clone).collect();
            beginnings.extend((1..=there.len()).map(|end| there[..end].to_vec()));
        }
        Together {
            ledger: if open.is_empty() { Ledger::default() } else { start.clone() },
            placed: matcher.moment.placed.clone(),
            eligible: settled.eligible.clone(),
            of_agents: of_agents.len(),
            matcher,
            open,
            agents,
            beginnings,
            steps: 0,
            best: None,
        }
    }

    /// Returns the best values. The second part is `true` if a bound ended the search.
    fn choose(mut self) -> (IndexMap<u32, PlaceValue>, bool) {
        if self.open.is_empty() {
            return (IndexMap::new(), false);
        }
        let bounded = self.try_all(&mut Vec::new());
        // If nothing fits anywhere, nothing is settled, and the failures of candidates tell why.
        let best = self.best.take().filter(|(rank, _)| rank.0.0 > 0);
        let values = best.map(|(_, values)| values).unwrap_or_default();
        (self.open.iter().map(|open| open.0).zip(values).collect(), bounded)
    }

    /// Tries every value of the next place, recursively. Returns `true` if the bound is reached.
    fn try_all(&mut self, values: &mut Vec<PlaceValue>) -> bool {
        let at = values.len();
        let Some((_, place_values)) = self.open.get(at) else {
            self.steps += 1;
            self.try_one(values);
            return self.steps >= limits::TOGETHER_TRIED;
        };
        for place_value in place_values.clone() {
            values.push(place_value);
            let some = at >= self.of_agents || self.beginnings.contains(values.as_slice());
            let bounded = some && self.try_all(values);
            values.pop();
            if bounded {
                return true;
            }
        }
        false
    }

    /// Grants the need alone with these values, as often as possible, and records the number of instances and
    /// their total score.
    fn try_one(&mut self, values: &[PlaceValue]) {
        let matcher = self.matcher;
        let (Moment { plan, world, .. }, id) = (matcher.moment, matcher.id);
        let together = self.open.iter().map(|open| open.0).zip(values.iter().cloned()).collect();
        self.placed.settle(id, Settled { together, eligible: self.eligible.clone() }.into());
        let key: Vec<Option<PlaceValue>> = values[..self.of_agents].iter().cloned().map(Some).collect();
        let agents = self.agents.get(&key).map_or(&[][..], Vec::as_slice);
        let missing = matcher.subject.need.count.saturating_sub(self.placed.of(id).len() as u64);
        let mut taken = Vec::new();
        let (mut count, mut score) = (0, 0);
        while count < missing {
            let moment = Moment { ledger: &self.ledger, placed: &self.placed, ..matcher.moment };
            let best = Matcher { moment, ..matcher }.best_of(agents, &mut Search::default());
            let Some(candidate) = best else { break };
            for take in candidate.takes() {
                self.ledger.grant(world, id.framework, take);
                taken.push(take.clone());
            }
            self.placed.push(plan, world, id, Instance::of(&candidate, matcher.subject.need));
            count += 1;
            score += candidate.score.numerator;
        }
        taken.iter().rev().for_each(|take| self.ledger.revoke(id.framework, take));
        (0..count).for_each(|_| self.placed.pop(plan, world, id));
        let names = values.iter().map(|place_value| place_value.show(&plan.symbols)).collect();
        let rank = (Reverse(count), Reverse(score), names);
        if self.best.as_ref().is_none_or(|best| rank < best.0) {
            self.best = Some((rank, values.to_vec()));
        }
    }
}

impl Matcher<'_> {
    /// Returns an upper bound on the instances of the need that can be granted in the present state, in
    /// whatever order. Each amount of the agent, each volume and each `at most` gives a bound by itself, so
    /// the true number may be smaller.
    pub fn most_instances(&self) -> u128 {
        let need = self.subject.need;
        let mut most = u128::MAX;
        let agents: Vec<usize> =
            self.agents().into_iter().flatten().filter(|agent| self.agent_holds(Some(*agent))).collect();
        if need.agent.is_some() {
            let availability: Vec<u128> = agents.iter().map(|agent| self.most_on(*agent)).collect();
            most = availability.iter().copied().fold(0, u128::saturating_add);
            for place in need.places.iter().filter(|place| place.strength.is_required()) {
                let PlaceTest::Counted { rule: CountRule::AtMost { count, .. }, key } = place.kind.test()
                else {
                    continue;
                };
                let mut by_spot: IndexMap<PlaceValue, u128> = IndexMap::new();
                for (agent, availability) in agents.iter().zip(&availability) {
                    let Some(place_value) = self.agent_value(*agent, key) else { continue };
                    let sum = by_spot.entry(place_value).or_insert(0);
                    *sum = sum.saturating_add(*availability);
                }
                let tally = self.moment.placed.tally(self.id, place.number);
                let left = |place_value: &PlaceValue| {
                    let there = tally.map_or(0, |tally| tally.get(place_value));
                    u128::from(count.saturating_sub(there))
                };
                let sum =
                    by_spot.iter().map(|(place_value, availability)| left(place_value).min(*availability));
                most = most.min(sum.fold(0, u128::saturating_add));
            }
        }
        need.volumes.iter().map(|volume| self.most_of(volume)).fold(most, u128::min)
    }

    /// Returns how often the amounts asked of an agent fit there.
    fn most_on(&self, agent: usize) -> u128 {
        let draft = Draft::default();
        let availability = self.availability(&draft);
        let wants = self.agent_wants(Some(agent), &[]).unwrap_or_default();
        let often = wants.iter().filter_map(|want| {
            let holding = self.moment.world.agent_holding(agent, want.resource)?;
            let portion = availability.take(&[holding], &want.amount, want.charged).ok()?;
            whole_quotient(availability.free_of(holding)?, portion.amount())
        });
        often.min().unwrap_or(u128::MAX)
    }

    /// Returns how often a volume fits in all supplies together.
    fn most_of(&self, volume: &Volume) -> u128 {
        let draft = Draft::default();
        let availability = self.availability(&draft);
        let world = self.moment.world;
        let one = |supply: usize| {
            let known = &world.supplies[supply];
            if let Some(existing) = &known.existing {
                return availability
                    .free(existing.users)
                    .map_or(u128::MAX, |free| (free / i128::from(MILLION)).max(0) as u128);
            }
            let often = volume.request.amounts.iter().filter_map(|ask| {
                let tiers = known.holdings(ask.resource)?;
                let portion = availability.take(tiers, &ask.amount, 0).ok()?;
                whole_quotient(availability.free_of(*tiers.first()?)?, portion.amount())
            });
            often.min().unwrap_or(u128::MAX)
        };
        let supplies = self.open_now(volume);
        supplies.into_iter().map(one).fold(0, u128::saturating_add)
    }

    fn open_now(&self, volume: &Volume) -> Vec<usize> {
        let need = self.subject.need;
        let Some(volume) = need.volumes.iter().find(|known| known.name == volume.name) else {
            return Vec::new();
        };
        let supplies = 0..self.moment.world.supplies.len();
        let stop = &mut |_: Failure<'_>| ControlFlow::Break(());
        supplies
            .filter(|supply| {
                self.supply_checks(None, volume, *supply, Reach::WithoutAgent, stop).is_continue()
            })
            .collect()
    }
}

/// Returns how often an amount fits in what is free. `None` for any number of times.
fn whole_quotient(free: i128, amount: i128) -> Option<u128> {
    (amount > 0).then(|| (free / amount).max(0) as u128)
}
