//! The forms of a plan.

use std::sync::Arc;

use indexmap::IndexSet;

use super::Place;
pub use crate::operator::ChargePer;
use crate::{
    limits,
    operator::{ArithmeticOp, Function, TestOp},
    quantity::{Dimension, Overlap, Quantity},
    ranges::Ranges,
    source::Span,
    symbol::{Symbol, Symbols},
    types::{Side, Type},
    value::Value,
};

/// A node of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A column: a key of a side that the plan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u32);

/// A class or let.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionId(pub u32);

/// What a column holds of its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An open key. Of the volume or need asked for, also an amount.
    Attribute(Symbol),
    /// The name.
    Name,
    /// The place.
    Domain,
    /// The path down to a level, by its depth from 0.
    Level(u8),
    /// Usable total of a resource, firm parts.
    Total(Symbol),
    /// What is free of a resource, firm parts.
    Free(Symbol),
    /// What is used of a resource, firm parts.
    Used(Symbol),
    /// The provider's name.
    Provider,
    /// The instance's name.
    Instance,
}

impl Key {
    /// Whether its value follows what is taken and given back.
    pub fn is_varying(self) -> bool {
        matches!(self, Key::Free(_) | Key::Used(_))
    }
}

/// A key of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    /// Whose.
    pub side: Side,
    /// Which.
    pub key: Key,
}

/// A step of an expression. Operands come before it: a plan is in post-order, and has no circle.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A value.
    Constant(Value),
    /// A key's value; unknown where it is absent.
    Read(ColumnId),
    /// The value of a class or let.
    Named(DefinitionId),
    /// `not`.
    Not(NodeId),
    /// All of them.
    And(Box<[NodeId]>),
    /// Any of them.
    Or(Box<[NodeId]>),
    /// A two-sided condition.
    Test(TestOp, NodeId, NodeId),
    /// The whole text matches a pattern, by its number.
    Matches(NodeId, u32),
    /// Never unknown.
    IsAbsent(ColumnId),
    /// Never unknown.
    IsPresent(ColumnId),
    /// Arithmetic with two operands.
    Arithmetic(ArithmeticOp, NodeId, NodeId),
    /// Unary minus.
    Negate(NodeId),
    /// The key's value, or the other where it is absent.
    Else(ColumnId, NodeId),
    /// A function.
    Call(Function, Box<[NodeId]>),
    /// What a filter of others answers, by its place in [`Plan::asked`].
    Asked(u32),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Matches whole texts.
    pub regex: regex::Regex,
}

/// Compiles a pattern that matches whole texts, in linear time and bounded space.
///
/// # Errors
/// What is wrong with it, in a line.
pub fn pattern(text: &str) -> Result<regex::Regex, String> {
    // Alone first: a stray bracket must not close the group it is put into.
    build(text)?;
    build(&format!("^(?:{text})$"))
}

fn build(text: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(text)
        .size_limit(limits::PATTERN_BYTES)
        .dfa_size_limit(limits::PATTERN_BYTES)
        .nest_limit(limits::NESTING as u32)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large once compiled".to_owned(),
            other => {
                other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
        })
}

/// A set of sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SideSet(u8);

impl SideSet {
    /// The set with one more.
    #[must_use]
    pub fn with(self, side: Side) -> SideSet {
        SideSet(self.0 | 1 << side as u8)
    }

    /// The sides in either.
    #[must_use]
    pub fn union(self, other: SideSet) -> SideSet {
        SideSet(self.0 | other.0)
    }

    /// Whether a side is in it.
    pub fn has(self, side: Side) -> bool {
        self.0 & (1 << side as u8) != 0
    }

    /// Whether it speaks of a volume or its supply.
    pub fn of_volume(self) -> bool {
        self.has(Side::Pool) || self.has(Side::Volume)
    }

    /// Its sides, in order.
    pub fn iter(self) -> impl Iterator<Item = Side> {
        Side::ALL.into_iter().filter(move |side| self.has(*side))
    }
}

/// A class or let, compiled.
#[derive(Clone, Debug)]
pub struct Definition {
    /// As the set writes it.
    pub name: String,
    /// The side of a class; `None` for a let.
    pub class_of: Option<Side>,
    /// Its value.
    pub root: NodeId,
    /// What it mentions.
    pub sides: SideSet,
    /// Where its name is.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// Whether a standard module brings it.
    pub standard: bool,
}

/// A requirement or preference, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its label, or its place in the source.
    pub label: String,
    /// Whether the label was written.
    pub labelled: bool,
    /// `None`: required. Millionths: preferred.
    pub weight: Option<i64>,
    /// Its value.
    pub root: NodeId,
    /// What it mentions.
    pub sides: SideSet,
    /// Where it stands.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// What is asked of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// What one of its rules says, by its number.
    Rule(u32),
    /// What one of its conditions says, by its number.
    Condition(u32),
    /// Whether it has kept all that a filter must keep.
    Sound,
}

/// A rule or condition of a filter that others wrote. What it reads is known; what it says is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which filter, by its place among those of the fleet.
    pub filter: usize,
    /// What is asked of it.
    pub question: Question,
    /// As the language would write it.
    pub text: String,
    /// What it wants of its subject: `>= 2`; where it has none, `text`.
    pub want: String,
    /// The key it is about, where it is about one.
    pub subject: Option<ColumnId>,
    /// The keys it reads, in order of first reading.
    pub reads: Vec<ColumnId>,
    /// The one agent that it is about, where it is about one: whatever it would say of another holds, and earns nothing.
    pub agent: Option<Symbol>,
    /// Of a rule: the conditions that must all hold for it, where the filter tells them apart.
    pub conditions: Vec<NodeId>,
}

/// A charge, compiled.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The agent's resource.
    pub resource: Symbol,
    /// How much.
    pub root: NodeId,
    /// What it mentions.
    pub sides: SideSet,
    /// The keys it reads.
    pub reads: Vec<ColumnId>,
    /// For what.
    pub per: ChargePer,
    /// Where it stands.
    pub span: Span,
}

/// The operator's policy, compiled.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    /// The broker's name, if it has one.
    pub name: Option<Symbol>,
    /// Requirements, in order.
    pub requires: Vec<Rule>,
    /// Preferences, in order.
    pub prefers: Vec<Rule>,
    /// Charges, in order.
    pub charges: Vec<Charge>,
    /// The coarse vocabulary's keys.
    pub exposed: Vec<ColumnId>,
    /// What frameworks are told beside it.
    pub disclosed: super::Disclosed,
    /// Whether what is free of other roles' reservations is offered as revocable.
    pub lends: bool,
    /// By how much offers may overlap.
    pub overlap: Overlap,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its path.
    pub name: String,
    /// In millionths; above 0.
    pub weight: i64,
    /// Its keys.
    pub keys: Vec<(Symbol, Value)>,
    /// What it and the roles below it may use.
    pub limits: Vec<Limit>,
    /// Where its name is.
    pub span: Span,
}

/// The most that a role and those below it may use of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose resource, where it is said.
    pub side: Option<Side>,
    /// The resource.
    pub resource: Symbol,
    /// How much; of ranges and items, how many.
    pub amount: Quantity,
    /// Where it stands.
    pub span: Span,
}

/// A framework.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name.
    pub name: Symbol,
    /// Its role's path.
    pub role: Symbol,
    /// On whose behalf it asks.
    pub principal: Option<Symbol>,
    /// Whom its role serves, where it names them.
    pub served: Option<Arc<[Symbol]>>,
    /// Its keys.
    pub keys: Vec<(Symbol, Value)>,
    /// Its needs, in order.
    pub needs: Vec<Need>,
    /// Where its name is.
    pub span: Span,
}

/// A need.
#[derive(Clone, Debug)]
pub struct Need {
    /// Its name.
    pub name: Symbol,
    /// Instances wanted.
    pub count: u64,
    /// Its own keys.
    pub keys: Vec<(Symbol, Value)>,
    /// What it asks of an agent; `None`: it wants none.
    pub agent: Option<Request>,
    /// Places of its agents.
    pub places: Vec<Place>,
    /// Its volumes; those with a count stand as often.
    pub volumes: Vec<Volume>,
    /// How many places it has, those of its volumes included.
    pub counted: u32,
    /// Whether it is granted whole or not at all.
    pub all_or_nothing: bool,
    /// Whether it takes what may be taken back.
    pub accept_revocable: bool,
    /// Where its name is.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A volume asked for.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its name.
    pub name: Symbol,
    /// Which of those with this name, from 0, and how many there are.
    pub ordinal: (u32, u32),
    /// What is asked of its supply.
    pub request: Request,
    /// The file system wanted.
    pub filesystem: Option<Symbol>,
    /// Whether reading is enough.
    pub read_only: bool,
    /// The path of the existing volume that it is a snapshot of.
    pub source: Option<Symbol>,
    /// Places of its supply.
    pub places: Vec<Place>,
}

/// Amounts, classes and conditions asked of one side.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Amounts, in order.
    pub amounts: Vec<Ask>,
    /// Classes asked for or ruled out.
    pub classes: Vec<ClassAsk>,
    /// Conditions on exposed keys.
    pub conditions: Vec<Rule>,
}

impl Request {
    /// The amount asked of a resource.
    pub fn amount(&self, resource: Symbol) -> Option<&Amount> {
        self.amounts.iter().find(|ask| ask.resource == resource).map(|ask| &ask.amount)
    }
}

/// An amount asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The resource.
    pub resource: Symbol,
    /// How much.
    pub amount: Amount,
    /// Where it stands.
    pub span: Span,
}

/// How much is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// At least, at most, in base units. Of ranges and items: how many, in millionths.
    Scalar(Dimension, i64, i64),
    /// The very ones.
    Ranges(Ranges),
    /// The very ones.
    Items(Vec<Symbol>),
}

impl Amount {
    /// Whether nothing at all would do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        match self {
            Amount::Scalar(_, low, _) => *low == 0,
            Amount::Ranges(ranges) => ranges.is_empty(),
            Amount::Items(items) => items.is_empty(),
        }
    }
}

/// A class asked for.
#[derive(Clone, Copy, Debug)]
pub struct ClassAsk {
    /// Which.
    pub class: DefinitionId,
    /// `not is`.
    pub negated: bool,
    /// Where it stands.
    pub span: Span,
}

/// A policy set, compiled.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Every text of it.
    pub symbols: Symbols,
    /// Names of the levels, outermost first.
    pub levels: Vec<Symbol>,
    /// What it reads.
    pub columns: IndexSet<Column>,
    /// Types of the columns, where anything says them.
    pub column_types: Vec<Option<Type>>,
    /// Steps, operands first.
    pub nodes: Vec<Node>,
    /// Where each step stands in the source.
    pub spans: Vec<Span>,
    /// Classes and lets; each uses only earlier nodes.
    pub definitions: Vec<Definition>,
    /// Patterns.
    pub patterns: Vec<Pattern>,
    /// The operator's policy.
    pub broker: Broker,
    /// Declared roles.
    pub roles: Vec<Role>,
    /// Frameworks with their needs.
    pub frameworks: Vec<Framework>,
    /// Rules of agents, in the order of the records.
    pub agent_rules: Vec<Vec<Rule>>,
    /// Rules of tiers, in the order of a walk over the records, depth first.
    pub tier_rules: Vec<Vec<Rule>>,
    /// What filters of others are asked.
    pub asked: Vec<Asked>,
    /// Dimensions of resources of agents and of storage, where anything says them.
    pub resources: Vec<(Side, Symbol, Dimension)>,
}

impl Plan {
    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// What a filter is asked.
    pub fn asked(&self, at: u32) -> &Asked {
        &self.asked[at as usize]
    }

    /// A column.
    pub fn column(&self, id: ColumnId) -> Column {
        self.columns[id.0 as usize]
    }

    /// A class or let.
    pub fn definition(&self, id: DefinitionId) -> &Definition {
        &self.definitions[id.0 as usize]
    }

    /// The number of a column that the plan reads.
    pub fn find_column(&self, column: Column) -> Option<ColumnId> {
        self.columns.get_index_of(&column).map(|at| ColumnId(at as u32))
    }

    /// The dimension of a resource, where anything in the set says it.
    pub fn dimension(&self, side: Side, resource: Symbol) -> Option<Dimension> {
        self.resources.iter().find(|known| known.0 == side && known.1 == resource).map(|known| known.2)
    }
}
