//! Where instances are, and how many there are by what places count.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Candidate, NeedId};
use crate::{
    inventory::world::{Cell, Cells, World},
    ir::{ColumnId, Need, Place, PlaceKey, PlaceKind, Plan},
    symbol::{Symbol, Symbols},
    value::Value,
};

/// Where one instance of a need is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its agent.
    pub agent: Option<usize>,
    /// What serves its volumes, with the volume's name where it is known.
    pub supplies: Vec<(Option<Symbol>, usize)>,
}

impl Instance {
    /// The instance that a candidate of a need is.
    pub fn of(candidate: &Candidate, need: &Need) -> Instance {
        let supplies = need.volumes.iter().zip(&candidate.volumes);
        let supplies = supplies.map(|(volume, grant)| (Some(volume.name), grant.supply)).collect();
        Instance { agent: candidate.agent, supplies }
    }
}

/// What an agent or supply has of what places go by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Spot {
    /// A node of the tree of fault domains.
    Domain(Symbol),
    /// A text, or a name.
    Text(Symbol),
    /// Anything else, as it is shown.
    Other(Arc<str>),
}

impl Spot {
    fn of(value: &Value, symbols: &Symbols) -> Spot {
        match value {
            Value::Place(domain) => Spot::Domain(*domain),
            Value::Text(text) => Spot::Text(*text),
            other => Spot::Other(other.show(symbols).into()),
        }
    }

    /// As reasons show it.
    pub fn show(&self, symbols: &Symbols) -> String {
        match self {
            Spot::Domain(domain) => Value::Place(*domain).show(symbols),
            Spot::Text(text) => Value::Text(*text).show(symbols),
            Spot::Other(text) => text.to_string(),
        }
    }
}

/// How many instances, or volumes, there are by spot.
pub type Tally = IndexMap<Spot, u64>;

/// What is settled of the places of a need before its first grant: by the number of the place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Over which spots it is spread.
    pub eligible: IndexMap<u32, Vec<Spot>>,
    /// The one spot of all.
    pub together: IndexMap<u32, Spot>,
}

/// The instances of one framework.
#[derive(Clone, Debug, Default)]
struct OfFramework {
    instances: Vec<Vec<Instance>>,
    /// By need, then by the number of the place.
    tallies: Vec<Vec<Tally>>,
    settled: Vec<Option<Arc<Settled>>>,
}

/// Where the instances of every need are, allocations included.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// By framework; cheap to copy.
    frameworks: Vec<Arc<OfFramework>>,
}

impl Placed {
    /// Nothing is anywhere.
    pub fn new(plan: &Plan) -> Placed {
        let empty = plan.frameworks.iter().map(|framework| {
            let places = |need: &Need| vec![Tally::new(); need.counted as usize];
            Arc::new(OfFramework {
                instances: vec![Vec::new(); framework.needs.len()],
                tallies: framework.needs.iter().map(places).collect(),
                settled: vec![None; framework.needs.len()],
            })
        });
        Placed { frameworks: empty.collect() }
    }

    /// The instances of a need.
    pub fn of(&self, id: NeedId) -> &[Instance] {
        &self.frameworks[id.framework].instances[id.need]
    }

    /// The counts of a place of a need.
    pub(super) fn tally(&self, id: NeedId, place: u32) -> Option<&Tally> {
        self.frameworks[id.framework].tallies[id.need].get(place as usize)
    }

    /// What is settled of the places of a need.
    pub fn settled(&self, id: NeedId) -> Option<&Arc<Settled>> {
        self.frameworks[id.framework].settled[id.need].as_ref()
    }

    /// Settles the places of a need.
    pub fn settle(&mut self, id: NeedId, settled: Arc<Settled>) {
        Arc::make_mut(&mut self.frameworks[id.framework]).settled[id.need] = Some(settled);
    }

    /// Adds an instance.
    pub fn push(&mut self, plan: &Plan, world: &World, id: NeedId, instance: Instance) {
        let own = Arc::make_mut(&mut self.frameworks[id.framework]);
        own.count(plan, world, id, &instance, 1);
        own.instances[id.need].push(instance);
    }

    /// Takes the last instance away.
    pub fn pop(&mut self, plan: &Plan, world: &World, id: NeedId) {
        let own = Arc::make_mut(&mut self.frameworks[id.framework]);
        if let Some(instance) = own.instances[id.need].pop() {
            own.count(plan, world, id, &instance, -1);
        }
    }
}

impl OfFramework {
    fn count(&mut self, plan: &Plan, world: &World, id: NeedId, instance: &Instance, sign: i64) {
        for (at, need) in plan.frameworks[id.framework].needs.iter().enumerate() {
            let tallies = &mut self.tallies[at];
            let mut add = |place: &Place, spot: Option<Spot>| {
                let Some(tally) = tallies.get_mut(place.number as usize) else { return };
                let Some(spot) = spot else { return };
                let count = tally.entry(spot).or_insert(0);
                *count = count.saturating_add_signed(sign);
            };
            let counts = |place: &&Place| {
                let among = matches!(place.kind, PlaceKind::AtMost { among_framework: true, .. });
                place.kind.counts() && (at == id.need || among)
            };
            for place in need.places.iter().filter(counts) {
                let spot = instance.agent.zip(place.kind.key());
                add(place, spot.and_then(|(agent, key)| agent_spot(plan, world, agent, key)));
            }
            // Volumes with a count stand as often, with the same places.
            for volume in need.volumes.iter().filter(|volume| volume.ordinal.0 == 0) {
                for place in volume.places.iter().filter(counts) {
                    let Some(key) = place.kind.key() else { continue };
                    for (name, supply) in &instance.supplies {
                        if name.is_none_or(|name| name == volume.name) {
                            add(place, supply_spot(plan, world, *supply, key));
                        }
                    }
                }
            }
        }
    }
}

/// An agent's value of what places go by.
pub(super) fn agent_spot(plan: &Plan, world: &World, agent: usize, key: PlaceKey) -> Option<Spot> {
    let own = &world.agents[agent];
    match key {
        PlaceKey::Level(depth) => {
            own.placement.levels.get(usize::from(depth)).copied().flatten().map(Spot::Domain)
        }
        PlaceKey::Agent => Some(Spot::Text(own.name)),
        PlaceKey::Key(column) => cell(plan, world, column, &own.cells),
        PlaceKey::Pool | PlaceKey::Instance | PlaceKey::Provider => None,
    }
}

/// A supply's value of what places go by.
pub(super) fn supply_spot(plan: &Plan, world: &World, supply: usize, key: PlaceKey) -> Option<Spot> {
    let own = &world.supplies[supply];
    match key {
        PlaceKey::Level(depth) => {
            own.placement.levels.get(usize::from(depth)).copied().flatten().map(Spot::Domain)
        }
        PlaceKey::Pool => Some(Spot::Text(own.pool)),
        PlaceKey::Instance => Some(Spot::Text(own.instance_path)),
        PlaceKey::Provider => Some(Spot::Text(own.provider)),
        PlaceKey::Key(column) => cell(plan, world, column, &own.cells),
        PlaceKey::Agent => None,
    }
}

fn cell(plan: &Plan, world: &World, column: ColumnId, cells: &Cells) -> Option<Spot> {
    match cells.get(world.cell(column)?) {
        Cell::Value(value) => Some(Spot::of(value, &plan.symbols)),
        Cell::Absent | Cell::Mismatch(_) => None,
    }
}
