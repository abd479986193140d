//! The positions of granted instances, and counts of them for the places of needs.
//!
//! A place such as `spread over rack` or `at most 2 per rack` asks how many instances are at each value of a
//! key. [`Placed`] keeps one counter for each such question, and updates it with each instance that is added
//! or removed, so that an answer does not walk all instances. [`CounterLayout`] says which place reads which
//! counter, and which counters an instance adds to; it follows from the framework alone.
//!
//! Consumers such as the index keep data that follows from the counts. A tally therefore logs its changes: a
//! consumer remembers how many it has read, and reads the rest. Copies of the state would write different
//! logs after the same beginning, so each has a [`TallyOrigin`]; a consumer whose origin differs starts anew.

use std::{collections::BTreeSet, sync::Arc};

use indexmap::{IndexMap, IndexSet};

use super::{Candidate, NeedId};
use crate::{
    inventory::world::{Cell, Cells, World},
    ir::{ColumnId, CountRule, Framework, Need, PlaceKey, PlaceTest, Plan, Target},
    symbol::{Symbol, Symbols},
    value::Value,
};

/// The position of one instance of a need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its agent.
    pub agent: Option<usize>,
    /// The supplies of its volumes, each with the volume's name if it is known. Allocations need not name
    /// them.
    pub supplies: Vec<(Option<Symbol>, usize)>,
}

impl Instance {
    /// Returns the instance that granting a candidate makes.
    pub fn of(candidate: &Candidate, need: &Need) -> Instance {
        let supplies = need.volumes.iter().zip(&candidate.volumes);
        let supplies = supplies.map(|(volume, grant)| (Some(volume.name), grant.supply)).collect();
        Instance { agent: candidate.agent, supplies }
    }
}

/// The value of an agent or supply in the key of a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlaceValue {
    /// A node of the tree of fault domains.
    Domain(Symbol),
    /// A text, or a name.
    Text(Symbol),
    /// Any other value, as text.
    Other(Arc<str>),
}

impl PlaceValue {
    fn of(value: &Value, symbols: &Symbols) -> PlaceValue {
        match value {
            Value::Place(domain) => PlaceValue::Domain(*domain),
            Value::Text(text) => PlaceValue::Text(*text),
            other => PlaceValue::Other(other.show(symbols).into()),
        }
    }

    /// Writes it as reasons show it.
    pub fn show(&self, symbols: &Symbols) -> String {
        match self {
            PlaceValue::Domain(domain) => Value::Place(*domain).show(symbols),
            PlaceValue::Text(text) => Value::Text(*text).show(symbols),
            PlaceValue::Other(text) => text.to_string(),
        }
    }
}

/// Counts by value.
pub(super) type CountByValue = IndexMap<PlaceValue, u64>;

/// The number of instances or volumes at each value of a key, with a log of changes. A consumer remembers how
/// many changes it has read.
#[derive(Clone, Debug, Default)]
pub(super) struct PlaceTally {
    counts: CountByValue,
    /// The number of values with a count above 0.
    used: u64,
    /// The values whose counts changed, by index in `counts`, in order.
    changes: Vec<u32>,
    /// The values in order of their counts. Exists for a `spread`, once it is settled.
    order: Option<Order>,
}

/// Values sorted by count, so that the smallest count is found without a walk over all.
#[derive(Clone, Debug)]
struct Order {
    /// The values that the spread is over.
    eligible: Arc<IndexSet<PlaceValue>>,
    /// The eligible values, as count and index in `eligible`.
    least: BTreeSet<(u64, u32)>,
    /// All values that were ever counted, as count and index in `counts`.
    all: BTreeSet<(u64, u32)>,
}

impl PlaceTally {
    /// Returns the count of a value.
    pub fn get(&self, place_value: &PlaceValue) -> u64 {
        self.counts.get(place_value).copied().unwrap_or(0)
    }

    /// Returns the number of values with a count above 0.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Returns the values with a count above 0, in the order in which they were first counted.
    pub fn place_values(&self) -> impl Iterator<Item = &PlaceValue> {
        self.counts.iter().filter(|(_, count)| **count > 0).map(|(place_value, _)| place_value)
    }

    /// Returns the eligible value with the smallest count, after adding `more`. Ties are broken by the order
    /// of `eligible`. With a settled order the cost grows with the size of `more` only.
    pub fn least(&self, eligible: &IndexSet<PlaceValue>, more: &CountByValue) -> Option<(u64, PlaceValue)> {
        let at =
            |place_value: &PlaceValue| self.get(place_value) + more.get(place_value).copied().unwrap_or(0);
        let known = self.order.as_ref().filter(|order| std::ptr::eq(&raw const *order.eligible, eligible));
        let Some(order) = known else {
            let least = eligible.iter().min_by_key(|place_value| at(place_value))?;
            return Some((at(least), least.clone()));
        };
        // Counts in `more` only add, so the minimum is either among the values in `more`, or the first in the
        // order that is not.
        let plain = order.least.iter().find(|(_, rank)| !more.contains_key(&eligible[*rank as usize]));
        let added = more
            .keys()
            .filter_map(|place_value| Some((at(place_value), eligible.get_index_of(place_value)? as u32)));
        let (count, rank) = added.chain(plain.copied()).min()?;
        Some((count, eligible[rank as usize].clone()))
    }

    /// Returns the number of changes.
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    /// Returns the values that changed after the first `since` changes.
    pub fn changed(&self, since: usize) -> impl Iterator<Item = &PlaceValue> {
        self.changes[since.min(self.changes.len())..].iter().filter_map(|number| self.place_value(*number))
    }

    fn place_value(&self, number: u32) -> Option<&PlaceValue> {
        self.counts.get_index(number as usize).map(|(place_value, _)| place_value)
    }

    /// Returns the values with counts from `from` to below `to`, among those that were ever counted.
    pub fn between(&self, from: u64, to: u64) -> Vec<&PlaceValue> {
        match &self.order {
            Some(order) => {
                let range = order.all.range((from, 0)..(to, 0));
                range.filter_map(|(_, number)| self.place_value(*number)).collect()
            }
            None => {
                let within = self.counts.iter().filter(|(_, count)| (from..to).contains(*count));
                within.map(|(place_value, _)| place_value).collect()
            }
        }
    }

    fn add(&mut self, place_value: PlaceValue, sign: i64) {
        let entry = self.counts.entry(place_value);
        let number = entry.index();
        let count = entry.or_insert(0);
        let before = std::mem::replace(count, count.saturating_add_signed(sign));
        let after = *count;
        self.used = self.used + u64::from(after > 0) - u64::from(before > 0);
        self.changes.push(number as u32);
        if let Some(order) = &mut self.order {
            order.all.remove(&(before, number as u32));
            order.all.insert((after, number as u32));
            if let Some(rank) = order.eligible.get_index_of(&self.counts.keys()[number]) {
                order.least.remove(&(before, rank as u32));
                order.least.insert((after, rank as u32));
            }
        }
    }

    fn spread_over(&mut self, eligible: &Arc<IndexSet<PlaceValue>>) {
        if self.order.as_ref().is_some_and(|order| Arc::ptr_eq(&order.eligible, eligible)) {
            return;
        }
        let ranked =
            eligible.iter().enumerate().map(|(rank, place_value)| (self.get(place_value), rank as u32));
        let all = self.counts.values().enumerate().map(|(number, count)| (*count, number as u32));
        let (least, all) = (ranked.collect(), all.collect());
        self.order = Some(Order { eligible: Arc::clone(eligible), least, all });
    }
}

/// An instance of another need that a place (`near`, `avoid`) compares with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OtherInstance {
    pub value: Option<PlaceValue>,
    /// The fault domain of its agent.
    pub agent: Option<Symbol>,
    /// The fault domain of its supply.
    pub supply: Option<Symbol>,
}

/// The instances of another need that a place compares with. Instances that are alike are kept once, with
/// their number, in the order of the first.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherInstances {
    counts: IndexMap<OtherInstance, u64>,
    /// The number of times that an entry was removed.
    gone: usize,
}

impl OtherInstances {
    /// Returns the distinct ones.
    pub fn iter(&self) -> impl Iterator<Item = &OtherInstance> {
        self.counts.keys()
    }

    /// Returns the number of distinct ones.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Returns the number of removals. While it stays the same, entries were only added at the end.
    pub fn gone(&self) -> usize {
        self.gone
    }

    fn add(&mut self, other: OtherInstance, sign: i64) {
        let entry = self.counts.entry(other);
        let at = entry.index();
        let count = entry.or_insert(0);
        *count = count.saturating_add_signed(sign);
        // Instances are removed in the opposite order of adding, so this entry is normally the last, and the
        // shift is free.
        if *count == 0 {
            self.counts.shift_remove_index(at);
            self.gone += 1;
        }
    }
}

/// The decisions about the places of a need that are made before its first grant, by the number of the place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The values that a `spread` is over.
    pub eligible: IndexMap<u32, Arc<IndexSet<PlaceValue>>>,
    /// The one value that all instances share.
    pub together: IndexMap<u32, PlaceValue>,
}

/// The part of an instance that has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum InstancePart {
    Agent,
    /// The supplies of volumes with this name.
    Volume(Symbol),
}

/// The counter of a place.
#[derive(Clone, Copy, Debug)]
enum Counter {
    Tally(u32),
    Others(u32),
}

/// The counters of the needs of a framework: who reads them, and who adds to them.
#[derive(Debug, Default)]
struct CounterLayout {
    /// By need and number of the place, the counter that the place reads.
    reads: Vec<Vec<Option<Counter>>>,
    /// By need, the counters that each of its instances adds to.
    adds: Vec<Vec<(InstancePart, PlaceKey, Counter)>>,
    /// The counters that each instance of any need of the framework adds to.
    among: Vec<(InstancePart, PlaceKey, Counter)>,
    tallies: u32,
    others: u32,
}

impl CounterLayout {
    fn new(framework: &Framework) -> CounterLayout {
        let needs = framework.needs.len();
        let mut layout = CounterLayout { adds: vec![Vec::new(); needs], ..CounterLayout::default() };
        // Places that count the same thing share a counter.
        let mut among: IndexMap<(InstancePart, PlaceKey), Counter> = IndexMap::new();
        let mut others: IndexMap<(Target, PlaceKey), Counter> = IndexMap::new();
        for (at, need) in framework.needs.iter().enumerate() {
            let mut reads = vec![None; need.counted as usize];
            // A volume with a count is several volumes with the same places; the first stands for all.
            let volumes = need.volumes.iter().filter(|volume| volume.ordinal.0 == 0);
            let of_volumes =
                volumes.map(|volume| (InstancePart::Volume(volume.name), volume.places.as_slice()));
            for (part, places) in
                std::iter::once((InstancePart::Agent, need.places.as_slice())).chain(of_volumes)
            {
                for place in places {
                    let counter = match place.kind.test() {
                        PlaceTest::Counted { rule: CountRule::AtMost { among_framework: true, .. }, key } => {
                            let tallies = &mut layout.tallies;
                            let counter = among.entry((part, key)).or_insert_with(|| tally(tallies));
                            Some(*counter)
                        }
                        PlaceTest::Counted {
                            rule:
                                CountRule::AtMost { among_framework: false, .. }
                                | CountRule::Spread { .. }
                                | CountRule::Together,
                            key,
                        } => {
                            let counter = tally(&mut layout.tallies);
                            layout.adds[at].push((part, key, counter));
                            Some(counter)
                        }
                        PlaceTest::Compared { relation: _, target, key } => {
                            layout.compared(&mut others, target, key)
                        }
                        PlaceTest::Subtree { .. } => None,
                    };
                    if let Some(read) = reads.get_mut(place.number as usize) {
                        *read = counter;
                    }
                }
            }
            layout.reads.push(reads);
        }
        layout.among = among.into_iter().map(|((part, key), counter)| (part, key, counter)).collect();
        layout
    }

    fn compared(
        &mut self,
        known: &mut IndexMap<(Target, PlaceKey), Counter>,
        target: Target,
        key: PlaceKey,
    ) -> Option<Counter> {
        let (need, part) = match target {
            Target::Volume(_) => return None,
            Target::Need(need) => (need, InstancePart::Agent),
            Target::NeedVolume(need, name) => (need, InstancePart::Volume(name)),
        };
        if let Some(counter) = known.get(&(target, key)) {
            return Some(*counter);
        }
        let counter = Counter::Others(self.others);
        self.others += 1;
        known.insert((target, key), counter);
        self.adds[need as usize].push((part, key, counter));
        Some(counter)
    }
}

fn tally(tallies: &mut u32) -> Counter {
    *tallies += 1;
    Counter::Tally(*tallies - 1)
}

/// The identity of a state that changes in place. A clone gets a new one, because it may change in another
/// way.
#[derive(Debug, Default)]
struct Lineage(Arc<()>);

impl Clone for Lineage {
    fn clone(&self) -> Lineage {
        Lineage::default()
    }
}

/// The state that something was read from. Equal for a state that was only changed since, not for a copy of
/// it.
#[derive(Clone, Debug)]
pub(super) struct TallyOrigin(Arc<()>);

impl PartialEq for TallyOrigin {
    fn eq(&self, other: &TallyOrigin) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The instances of one framework.
#[derive(Clone, Debug)]
struct OfFramework {
    lineage: Lineage,
    layout: Arc<CounterLayout>,
    instances: Vec<Vec<Instance>>,
    tallies: Vec<PlaceTally>,
    others: Vec<OtherInstances>,
    settled: Vec<Option<Arc<Settled>>>,
}

/// The instances of every need, including those of allocations.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// By framework. Shared until written to, so that a copy is cheap.
    frameworks: Vec<Arc<OfFramework>>,
}

impl Placed {
    /// Creates a state without instances.
    pub fn new(plan: &Plan) -> Placed {
        let empty = plan.frameworks.iter().map(|framework| {
            let layout = CounterLayout::new(framework);
            Arc::new(OfFramework {
                lineage: Lineage::default(),
                instances: vec![Vec::new(); framework.needs.len()],
                tallies: vec![PlaceTally::default(); layout.tallies as usize],
                others: vec![OtherInstances::default(); layout.others as usize],
                settled: vec![None; framework.needs.len()],
                layout: Arc::new(layout),
            })
        });
        Placed { frameworks: empty.collect() }
    }

    /// Returns the instances of a need.
    pub fn of(&self, id: NeedId) -> &[Instance] {
        &self.frameworks[id.framework].instances[id.need]
    }

    /// Returns the counts that a place of a need reads.
    pub(super) fn tally(&self, id: NeedId, place: u32) -> Option<&PlaceTally> {
        let own = &self.frameworks[id.framework];
        match own.layout.reads[id.need].get(place as usize).copied().flatten()? {
            Counter::Tally(at) => own.tallies.get(at as usize),
            Counter::Others(_) => None,
        }
    }

    /// Returns the instances that a place of a need compares with, if it compares with another need.
    pub(super) fn others(&self, id: NeedId, place: u32) -> Option<&OtherInstances> {
        let own = &self.frameworks[id.framework];
        match own.layout.reads[id.need].get(place as usize).copied().flatten()? {
            Counter::Others(at) => own.others.get(at as usize),
            Counter::Tally(_) => None,
        }
    }

    /// Returns the identity of the counts of a framework.
    pub(super) fn origin(&self, framework: usize) -> TallyOrigin {
        TallyOrigin(Arc::clone(&self.frameworks[framework].lineage.0))
    }

    /// Returns the decisions about the places of a need.
    pub fn settled(&self, id: NeedId) -> Option<&Arc<Settled>> {
        self.frameworks[id.framework].settled[id.need].as_ref()
    }

    /// Records the decisions about the places of a need, and sorts the counts of its spreads.
    pub fn settle(&mut self, id: NeedId, settled: Arc<Settled>) {
        let own = Arc::make_mut(&mut self.frameworks[id.framework]);
        for (place, eligible) in &settled.eligible {
            let read = own.layout.reads[id.need].get(*place as usize).copied().flatten();
            if let Some(Counter::Tally(at)) = read
                && let Some(tally) = own.tallies.get_mut(at as usize)
            {
                tally.spread_over(eligible);
            }
        }
        own.settled[id.need] = Some(settled);
    }

    /// Adds an instance.
    pub fn push(&mut self, plan: &Plan, world: &World, id: NeedId, instance: Instance) {
        let own = Arc::make_mut(&mut self.frameworks[id.framework]);
        own.count(plan, world, id, &instance, 1);
        own.instances[id.need].push(instance);
    }

    /// Removes the last instance.
    pub fn pop(&mut self, plan: &Plan, world: &World, id: NeedId) {
        let own = Arc::make_mut(&mut self.frameworks[id.framework]);
        if let Some(instance) = own.instances[id.need].pop() {
            own.count(plan, world, id, &instance, -1);
        }
    }
}

impl OfFramework {
    /// Adds the values of an instance to the counters (`sign` 1), or removes them (-1).
    fn count(&mut self, plan: &Plan, world: &World, id: NeedId, instance: &Instance, sign: i64) {
        let layout = Arc::clone(&self.layout);
        for (part, key, counter) in layout.adds[id.need].iter().chain(&layout.among) {
            match part {
                InstancePart::Agent => {
                    let Some(agent) = instance.agent else { continue };
                    let domain = world.agents[agent].placement.domain;
                    let value = agent_place_value(plan, world, agent, *key);
                    self.add(*counter, OtherInstance { value, agent: domain, supply: None }, sign);
                }
                InstancePart::Volume(wanted) => {
                    for (name, supply) in &instance.supplies {
                        if name.is_none_or(|name| name == *wanted) {
                            let domain = world.supplies[*supply].placement.domain;
                            let value = supply_place_value(plan, world, *supply, *key);
                            self.add(*counter, OtherInstance { value, agent: None, supply: domain }, sign);
                        }
                    }
                }
            }
        }
    }

    fn add(&mut self, counter: Counter, other: OtherInstance, sign: i64) {
        match counter {
            Counter::Tally(at) => {
                if let Some(place_value) = other.value {
                    self.tallies[at as usize].add(place_value, sign);
                }
            }
            Counter::Others(at) => self.others[at as usize].add(other, sign),
        }
    }
}

/// Returns the value of an agent in the key of a place.
pub(super) fn agent_place_value(
    plan: &Plan,
    world: &World,
    agent: usize,
    key: PlaceKey,
) -> Option<PlaceValue> {
    let own = &world.agents[agent];
    match key {
        PlaceKey::Level(depth) => {
            own.placement.levels.get(usize::from(depth)).copied().flatten().map(PlaceValue::Domain)
        }
        PlaceKey::Agent => Some(PlaceValue::Text(own.name)),
        PlaceKey::Key(column) => cell(plan, world, column, &own.cells),
        PlaceKey::Pool | PlaceKey::Instance | PlaceKey::Provider => None,
    }
}

/// Returns the value of a supply in the key of a place.
pub(super) fn supply_place_value(
    plan: &Plan,
    world: &World,
    supply: usize,
    key: PlaceKey,
) -> Option<PlaceValue> {
    let own = &world.supplies[supply];
    match key {
        PlaceKey::Level(depth) => {
            own.placement.levels.get(usize::from(depth)).copied().flatten().map(PlaceValue::Domain)
        }
        PlaceKey::Pool => Some(PlaceValue::Text(own.pool)),
        PlaceKey::Instance => Some(PlaceValue::Text(own.instance_path)),
        PlaceKey::Provider => Some(PlaceValue::Text(own.provider)),
        PlaceKey::Key(column) => cell(plan, world, column, &own.cells),
        PlaceKey::Agent => None,
    }
}

fn cell(plan: &Plan, world: &World, column: ColumnId, cells: &Cells) -> Option<PlaceValue> {
    match cells.get(world.cell(column)?) {
        Cell::Value(value) => Some(PlaceValue::of(value, &plan.symbols)),
        Cell::Absent | Cell::Mismatch(_) => None,
    }
}
