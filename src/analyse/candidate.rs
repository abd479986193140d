//! A hypothetical candidate: an assignment of values to the keys that conditions read.
//!
//! `solve` assigns values and asks the engine for the truth of a condition. The engine sees a hypothetical
//! candidate through [`Keys`], as it sees one of a fleet, so the analysis has no evaluator of its own that
//! could disagree.
//!
//! Columns are not independent: `domain` and the levels of one side are parts of one path, and the total, the
//! used and the free amount of a resource are two numbers. A [`Variable`] is what can be chosen on its own,
//! and several columns may read it. A search over variables therefore never builds a candidate whose columns
//! contradict each other.

use indexmap::IndexMap;

use crate::{
    engine::{Gap, Keys},
    inventory::world::BrokerFacts,
    ir::{Column, ColumnId, Key, Pattern, Plan},
    quantity::Dimension,
    symbol::{Symbol, Symbols},
    types::{Side, Type},
    value::Value,
};

/// The number of a variable in [`HypotheticalCandidate::variables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableId(pub usize);

/// A part of a candidate that can be chosen on its own. Several columns may read one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// A key.
    Key(ColumnId),
    /// The place of a side: its `domain`, and with it every level.
    Place(Side),
    /// A resource of a side: the total and the used amount, and with them the free amount.
    Stock(Side, Symbol),
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableValue {
    /// The key is absent.
    Absent,
    /// The key has a value of another type than its own, as an inventory may state it.
    Mismatch,
    /// A value.
    Value(Value),
    /// The total of a resource, and the amount used of it.
    Stock(Dimension, i64, i64),
}

/// A hypothetical candidate, with the need and the broker that it is tried for.
#[derive(Clone, Debug)]
pub struct HypotheticalCandidate<'a> {
    plan: &'a Plan,
    /// The texts of the plan, and those that representatives add.
    pub symbols: Symbols,
    variables: Vec<Variable>,
    /// The variable that each column reads.
    slots: Vec<VariableId>,
    /// The current value of each variable.
    held: Vec<VariableValue>,
    /// `true` for each variable whose value is stated, and does not vary.
    fixed: Vec<bool>,
    /// Opaque texts. Each stands for any text that matches just these patterns.
    opaque: IndexMap<Symbol, Vec<String>>,
}

impl<'a> HypotheticalCandidate<'a> {
    /// Creates a candidate of which only the keys that the broker states are fixed.
    pub fn new(plan: &'a Plan, symbols: Symbols, broker: &BrokerFacts) -> Self {
        let mut variables: IndexMap<Variable, ()> = IndexMap::new();
        let slots = plan.columns.iter().enumerate().map(|(at, column)| {
            let variable = match column.key {
                Key::Domain | Key::Level(_) => Variable::Place(column.side),
                Key::Total(resource) | Key::Free(resource) | Key::Used(resource) => {
                    Variable::Stock(column.side, resource)
                }
                _ => Variable::Key(ColumnId(at as u32)),
            };
            VariableId(variables.insert_full(variable, ()).0)
        });
        let slots = slots.collect();
        let variables: Vec<Variable> = variables.into_keys().collect();
        let mut hypothetical = HypotheticalCandidate {
            plan,
            symbols,
            held: vec![VariableValue::Absent; variables.len()],
            fixed: vec![false; variables.len()],
            variables,
            slots,
            opaque: IndexMap::new(),
        };
        hypothetical.fix_broker(broker);
        hypothetical
    }

    /// Fixes the keys that the set states of its broker. Those that it does not state still vary: an
    /// inventory may state them.
    fn fix_broker(&mut self, broker: &BrokerFacts) {
        for at in 0..self.variables.len() {
            let value = match self.variables[at] {
                Variable::Place(Side::Broker) => broker.placement.domain.map(Value::Place),
                Variable::Key(column) => match self.plan.column(column) {
                    Column { side: Side::Broker, key: Key::Name } => self.plan.broker.name.map(Value::Text),
                    Column { side: Side::Broker, key: Key::Attribute(key) } => {
                        broker.keys.iter().find(|own| own.0 == key).map(|own| own.1.clone())
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(value) = value {
                self.fix(VariableId(at), VariableValue::Value(value));
            }
        }
    }

    /// Gives a variable its value for every candidate.
    pub fn fix(&mut self, variable: VariableId, held: VariableValue) {
        self.held[variable.0] = held;
        self.fixed[variable.0] = true;
    }

    /// Fixes every key of some sides to the value that `read` gives, until [`HypotheticalCandidate::free`].
    /// Places and resources are left as they are.
    pub fn fix_sides(&mut self, sides: &[Side], read: impl Fn(ColumnId) -> Result<Value, Gap>) {
        for at in 0..self.variables.len() {
            if let Variable::Key(column) = self.variables[at]
                && sides.contains(&self.plan.column(column).side)
            {
                let held = match read(column) {
                    Ok(value) => VariableValue::Value(value),
                    Err(Gap::Absent(_)) => VariableValue::Absent,
                    Err(_) => VariableValue::Mismatch,
                };
                self.fix(VariableId(at), held);
            }
        }
    }

    /// Lets every key of some sides vary again.
    pub fn free(&mut self, sides: &[Side]) {
        for at in 0..self.variables.len() {
            if let Variable::Key(column) = self.variables[at]
                && sides.contains(&self.plan.column(column).side)
            {
                self.fixed[at] = false;
            }
        }
    }

    /// Returns the part of a candidate that a variable stands for.
    pub fn variable(&self, id: VariableId) -> Variable {
        self.variables[id.0]
    }

    /// Returns the variable that a column reads.
    pub fn variable_of(&self, column: ColumnId) -> VariableId {
        self.slots[column.0 as usize]
    }

    /// Returns `true` if a variable has the same value for every candidate.
    pub fn is_fixed(&self, id: VariableId) -> bool {
        self.fixed[id.0]
    }

    /// Returns the current value of a variable.
    pub fn held(&self, id: VariableId) -> &VariableValue {
        &self.held[id.0]
    }

    /// Sets the current value of a variable.
    pub fn hold(&mut self, id: VariableId, held: VariableValue) {
        self.held[id.0] = held;
    }

    /// Returns a text that stands for any one that matches just these patterns.
    pub fn opaque(&mut self, patterns: Vec<String>) -> Symbol {
        // The control character keeps it apart from every text of a policy.
        let symbol = self.symbols.intern(&format!("\u{0}{}", patterns.join("\u{0}")));
        self.opaque.insert(symbol, patterns);
        symbol
    }

    /// Returns the type of a column, if anything in the set gives it one.
    pub fn type_of(&self, id: ColumnId) -> Option<Type> {
        let Column { side, key } = self.plan.column(id);
        let resource = |side, resource| self.plan.dimension(side, resource).map(Type::Quantity);
        match key {
            Key::Name | Key::Provider | Key::Instance => Some(Type::Text),
            Key::Domain | Key::Level(_) => Some(Type::Place),
            Key::Total(name) | Key::Free(name) | Key::Used(name) => resource(side, name),
            Key::Attribute(key) => self.plan.column_types[id.0 as usize].or_else(|| match side {
                Side::Volume => resource(Side::Pool, key),
                Side::Need => resource(Side::Agent, key),
                _ => None,
            }),
        }
    }

    /// Returns the whole path for `domain`, and its first segments for a level. A path that ends above a
    /// level has no value for it.
    fn place(&self, path: Symbol, key: Key) -> Option<Value> {
        let Key::Level(depth) = key else { return Some(Value::Place(path)) };
        let text = self.symbols.text(path);
        let mut ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        let end = ends.nth(usize::from(depth))?;
        self.symbols.find(&text[..end]).map(Value::Place)
    }
}

impl Keys for HypotheticalCandidate<'_> {
    fn plan(&self) -> &Plan {
        self.plan
    }

    fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    fn read(&self, id: ColumnId) -> Result<Value, Gap> {
        let key = self.plan.column(id).key;
        let value = match (&self.held[self.slots[id.0 as usize].0], key) {
            (VariableValue::Mismatch, _) => return Err(Gap::Mismatch(id)),
            (VariableValue::Absent, _) => None,
            (VariableValue::Value(Value::Place(path)), Key::Domain | Key::Level(_)) => self.place(*path, key),
            (VariableValue::Value(value), _) => Some(value.clone()),
            (VariableValue::Stock(dimension, total, used), _) => {
                let amount = match key {
                    Key::Used(_) => Some(*used),
                    Key::Free(_) => total.checked_sub(*used),
                    _ => Some(*total),
                };
                amount.map(|amount| Value::Quantity(*dimension, amount))
            }
        };
        value.ok_or(Gap::Absent(id))
    }

    fn matches(&self, text: Symbol, pattern: &Pattern) -> bool {
        match self.opaque.get(&text) {
            Some(matched) => matched.contains(&pattern.text),
            None => pattern.regex.is_match(self.symbols.text(text)),
        }
    }
}
