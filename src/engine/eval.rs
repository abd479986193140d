//! The keys of a candidate in a fleet: built-in keys, open keys, and amounts at the moment of evaluation.

use super::{
    filters::Filters,
    possible::Possible,
    record::{RecordedCandidate, Recorder},
    value::{self, Gap, Keys},
};
use crate::{
    inventory::{
        ledger::Ledger,
        world::{Cell, Cells, HoldingId, Placement, World},
    },
    ir::{Amount, Column, ColumnId, ExternalRule, Framework, Key, Need, NodeId, Plan, Request, Volume, op},
    keys::{self, BuiltIn},
    logic::Truth,
    quantity::{Dimension, MILLION},
    symbol::{Symbol, Symbols},
    types::Side,
    value::Value,
};

/// The requester: a need and its framework.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The framework.
    pub framework: &'a Framework,
    /// The need.
    pub need: &'a Need,
}

/// The context of an evaluation: one candidate at one moment of the cycle.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The policy.
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// The amounts in use at this moment.
    pub ledger: &'a Ledger,
    /// The requester.
    pub subject: Subject<'a>,
    /// The agent being tried.
    pub agent: Option<usize>,
    /// The supply being tried.
    pub supply: Option<usize>,
    /// The volume that the supply is tried for.
    pub volume: Option<&'a Volume>,
    /// The plugins, which evaluate rules of their own.
    pub filters: Option<&'a dyn Filters>,
    /// The recorder of outcomes, for coverage.
    pub recorder: Option<&'a Recorder>,
}

impl<'a> Scene<'a> {
    /// Evaluates a condition.
    pub fn truth(&self, id: NodeId) -> Truth {
        match self.recorder {
            None => value::truth(self, id),
            Some(recorder) => value::truth(&RecordedCandidate { scene: self, recorder }, id),
        }
    }

    /// Evaluates a node.
    ///
    /// # Errors
    /// Returns why it is unknown: the first cause, in reading order.
    pub fn value(&self, id: NodeId) -> Result<Value, Gap> {
        match self.recorder {
            None => value::value(self, id),
            Some(recorder) => value::value(&RecordedCandidate { scene: self, recorder }, id),
        }
    }

    /// Returns the score of a preference in millionths; `None` if it is unknown, or neither a condition nor a
    /// number.
    pub fn earned(&self, id: NodeId) -> Option<i64> {
        op::earned(&self.value(id).ok()?).ok()
    }

    /// Returns the value of a key.
    ///
    /// # Errors
    /// Returns whether it is absent or of another type.
    pub fn read(&self, id: ColumnId) -> Result<Value, Gap> {
        let Column { side, key } = self.plan.column(id);
        let found = match side {
            Side::Agent => self.agent(id, key),
            Side::Pool => self.supply(id, key),
            Side::Volume => self.volume(key),
            Side::Need => self.need(key),
            Side::Framework => self.framework(key),
            Side::Role => self.role(key),
            Side::Broker => self.broker(key),
        };
        match found {
            FoundValue::Value(value) => Ok(value),
            FoundValue::Absent => Err(Gap::Absent(id)),
            FoundValue::Mismatch => Err(Gap::Mismatch(id)),
        }
    }

    fn agent(&self, id: ColumnId, key: Key) -> FoundValue {
        let Some(at) = self.agent else { return FoundValue::Absent };
        let agent = &self.world.agents[at];
        match key {
            Key::Attribute(_) => self.cell(id, &agent.cells),
            Key::Name => FoundValue::Value(Value::Text(agent.name)),
            Key::Domain | Key::Level(_) => place(&agent.placement, key),
            Key::Total(resource) | Key::Free(resource) | Key::Used(resource) => {
                self.amount(self.world.agent_holding(at, resource), key)
            }
            Key::Provider | Key::Instance => FoundValue::Absent,
        }
    }

    fn supply(&self, id: ColumnId, key: Key) -> FoundValue {
        let Some(at) = self.supply else { return FoundValue::Absent };
        let supply = &self.world.supplies[at];
        match key {
            Key::Attribute(_) => self.cell(id, &supply.cells),
            Key::Name => {
                // `chain` leads from the supply up to its provider, so the pool is third from the end.
                let pool = supply.chain.len().saturating_sub(3);
                FoundValue::Value(Value::Text(self.world.tiers[supply.chain[pool]].name))
            }
            Key::Domain | Key::Level(_) => place(&supply.placement, key),
            Key::Total(resource) | Key::Free(resource) | Key::Used(resource) => {
                // The nearest tier that has the resource: the supply itself, or one above it.
                let lowest = supply.holdings(resource).and_then(|tiers| tiers.first()).copied();
                self.amount(lowest.or_else(|| self.pool_holding(at, resource)), key)
            }
            Key::Provider => FoundValue::Value(Value::Text(supply.provider)),
            Key::Instance => FoundValue::Value(Value::Text(supply.instance)),
        }
    }

    /// Returns the holding of the pool that an existing volume was carved from, for resources that the volume
    /// itself has none of.
    fn pool_holding(&self, supply: usize, resource: Symbol) -> Option<HoldingId> {
        let tiers = self.world.supplies[supply].chain.iter().skip(1);
        let mut held = tiers.flat_map(|tier| &self.world.tiers[*tier].resources);
        held.find(|held| held.resource == resource).map(|held| held.holding)
    }

    fn cell(&self, id: ColumnId, cells: &Cells) -> FoundValue {
        match self.world.cell(id).map(|at| cells.get(at)) {
            Some(Cell::Value(value)) => FoundValue::Value(value.clone()),
            Some(Cell::Mismatch(_)) => FoundValue::Mismatch,
            Some(Cell::Absent) | None => FoundValue::Absent,
        }
    }

    /// Returns the total, free or used amount over all firm parts. An unlimited amount reads as the largest
    /// number.
    fn amount(&self, holding: Option<HoldingId>, key: Key) -> FoundValue {
        let Some(id) = holding else { return FoundValue::Absent };
        let holding = self.world.holding(id);
        let of_part = |part| match key {
            Key::Total(_) => crate::inventory::ledger::total(self.world.stock(part)),
            Key::Free(_) => self.ledger.free(self.world, part),
            _ => Some(self.ledger.used(part)),
        };
        // `None` from a part means that it is unlimited, and so is the sum.
        let sum = holding.firm().try_fold(0, |sum: i128, part| Some(sum + of_part(part)?));
        let amount = sum.map_or(i64::MAX, |sum| i64::try_from(sum).unwrap_or(i64::MAX));
        FoundValue::Value(Value::Quantity(holding.dimension, amount))
    }

    fn volume(&self, key: Key) -> FoundValue {
        let Some(volume) = self.volume else { return FoundValue::Absent };
        match key {
            Key::Name => FoundValue::Value(Value::Text(volume.name)),
            Key::Attribute(key) => match self.property(Side::Volume, key) {
                Some(BuiltIn::Filesystem) => text_or_absent(volume.filesystem),
                Some(BuiltIn::Source) => text_or_absent(volume.source),
                Some(BuiltIn::Access) => self.text(if volume.read_only { "ro" } else { "rw" }),
                Some(BuiltIn::Count) => whole(u64::from(volume.ordinal.1)),
                _ => asked(&volume.request, key),
            },
            _ => FoundValue::Absent,
        }
    }

    fn need(&self, key: Key) -> FoundValue {
        let need = self.subject.need;
        match key {
            Key::Name => FoundValue::Value(Value::Text(need.name)),
            Key::Attribute(key) => {
                // A key of the need hides a requested amount of the same name.
                if let Some((_, value)) = need.keys.iter().find(|own| own.0 == key) {
                    return FoundValue::Value(value.clone());
                }
                if self.property(Side::Need, key) == Some(BuiltIn::Count) {
                    return whole(need.count);
                }
                need.agent.as_ref().map_or(FoundValue::Absent, |request| asked(request, key))
            }
            _ => FoundValue::Absent,
        }
    }

    fn framework(&self, key: Key) -> FoundValue {
        let framework = self.subject.framework;
        match key {
            Key::Name => FoundValue::Value(Value::Text(framework.name)),
            Key::Attribute(key) => match framework.keys.iter().find(|own| own.0 == key) {
                Some((_, value)) => FoundValue::Value(value.clone()),
                None if self.property(Side::Framework, key) == Some(BuiltIn::Role) => {
                    FoundValue::Value(Value::Text(framework.role))
                }
                None => FoundValue::Absent,
            },
            _ => FoundValue::Absent,
        }
    }

    fn role(&self, key: Key) -> FoundValue {
        let name = self.subject.framework.role;
        // A role that is not declared has weight 1 and no keys.
        let role = self.plan.roles.iter().find(|role| role.name == self.plan.symbols.text(name));
        match key {
            Key::Name => FoundValue::Value(Value::Text(name)),
            Key::Attribute(key) if self.property(Side::Role, key) == Some(BuiltIn::Weight) => {
                FoundValue::Value(Value::Quantity(
                    Dimension::Number,
                    role.map_or(MILLION, |role| role.weight),
                ))
            }
            Key::Attribute(key) => match role.and_then(|role| role.keys.iter().find(|own| own.0 == key)) {
                Some((_, value)) => FoundValue::Value(value.clone()),
                None => FoundValue::Absent,
            },
            _ => FoundValue::Absent,
        }
    }

    fn broker(&self, key: Key) -> FoundValue {
        let broker = &self.world.broker;
        match key {
            Key::Name => {
                self.plan.broker.name.map_or(FoundValue::Absent, |name| FoundValue::Value(Value::Text(name)))
            }
            Key::Domain | Key::Level(_) => place(&broker.placement, key),
            Key::Attribute(key) => match broker.keys.iter().find(|own| own.0 == key) {
                Some((_, value)) => FoundValue::Value(value.clone()),
                None => FoundValue::Absent,
            },
            _ => FoundValue::Absent,
        }
    }

    /// Returns the property of a side that an attribute reads, if it is no open key.
    fn property(&self, side: Side, key: Symbol) -> Option<BuiltIn> {
        keys::property(side, self.plan.symbols.text(key)).map(|known| known.word)
    }

    /// Returns a text of the language itself. It is absent only if the plan never mentions it, and so never
    /// compares it.
    fn text(&self, text: &str) -> FoundValue {
        self.plan
            .symbols
            .find(text)
            .map_or(FoundValue::Absent, |symbol| FoundValue::Value(Value::Text(symbol)))
    }
}

impl Keys for Scene<'_> {
    fn plan(&self) -> &Plan {
        self.plan
    }

    fn symbols(&self) -> &Symbols {
        &self.plan.symbols
    }

    fn read(&self, id: ColumnId) -> Result<Value, Gap> {
        Scene::read(self, id)
    }

    fn asked(&self, asked: &ExternalRule) -> Result<Value, Gap> {
        self.filters.map_or(Err(Gap::Unanswered), |filters| filters.value(self, asked))
    }

    fn asked_possible(&self, asked: &ExternalRule) -> Option<Possible> {
        self.filters?.outcome(self, asked)?.possible
    }
}

enum FoundValue {
    Value(Value),
    Absent,
    Mismatch,
}

fn text_or_absent(text: Option<Symbol>) -> FoundValue {
    text.map_or(FoundValue::Absent, |text| FoundValue::Value(Value::Text(text)))
}

fn place(placement: &Placement, key: Key) -> FoundValue {
    let symbol = match key {
        Key::Level(depth) => placement.levels.get(usize::from(depth)).copied().flatten(),
        _ => placement.domain,
    };
    symbol.map_or(FoundValue::Absent, |symbol| FoundValue::Value(Value::Place(symbol)))
}

/// Returns the requested amount: the lower bound of a quantity, or the number of ranges' members or items.
fn asked(request: &Request, resource: Symbol) -> FoundValue {
    match request.amount(resource) {
        Some(Amount::Scalar(dimension, low, _)) => FoundValue::Value(Value::Quantity(*dimension, *low)),
        Some(Amount::Ranges(ranges)) => whole(u64::try_from(ranges.count()).unwrap_or(u64::MAX)),
        Some(Amount::Items(items)) => whole(items.len() as u64),
        None => FoundValue::Absent,
    }
}

fn whole(number: u64) -> FoundValue {
    let millionths = i64::try_from(number).ok().and_then(|number| number.checked_mul(MILLION));
    millionths
        .map_or(FoundValue::Mismatch, |amount| FoundValue::Value(Value::Quantity(Dimension::Number, amount)))
}
