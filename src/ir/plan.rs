//! The tables of a plan, and the types of their rows.
//!
//! Rows refer to each other by number (`NodeId`, `ColumnId`, `DefinitionId`), so that a plan is plain data:
//! it is cloned and written to a file without following pointers.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::Place;
pub use crate::operator::{ChargePer, Strength};
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

/// The key of a side that a column reads.
pub type Key = crate::place::Key<Symbol>;

/// A column: a side, and a key of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    /// The side.
    pub side: Side,
    /// The key.
    pub key: Key,
}

/// A node of an expression. Its operands have smaller numbers: a plan is in post-order and has no cycle, so
/// an engine may evaluate the nodes in one pass from first to last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A value.
    Constant(Value),
    /// The value of a key; unknown if the key is absent.
    Read(ColumnId),
    /// The value of a class or let.
    Named(DefinitionId),
    /// `not`.
    Not(NodeId),
    /// The conjunction of conditions.
    And(Box<[NodeId]>),
    /// The disjunction of conditions.
    Or(Box<[NodeId]>),
    /// A two-sided condition.
    Test(TestOp, NodeId, NodeId),
    /// A match of a whole text with a pattern, given by its number in [`Plan::patterns`].
    Matches(NodeId, u32),
    /// The absence of a key. Never unknown.
    IsAbsent(ColumnId),
    /// The presence of a key. Never unknown.
    IsPresent(ColumnId),
    /// Arithmetic with two operands.
    Arithmetic(ArithmeticOp, NodeId, NodeId),
    /// Unary minus.
    Negate(NodeId),
    /// The value of a key, or of the other node if the key is absent.
    Else(ColumnId, NodeId),
    /// A call of a function.
    Call(Function, Box<[NodeId]>),
    /// The answer of a plugin's filter, by its number in [`Plan::asked`].
    External(u32),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The pattern as written.
    pub text: String,
    /// The compiled form, which matches whole texts.
    pub regex: regex::Regex,
}

/// Compiles a pattern that matches whole texts, in linear time and bounded space: the
/// `regex` crate guarantees both.
///
/// # Errors
/// The fault in the pattern, in a line.
pub fn pattern(text: &str) -> Result<regex::Regex, String> {
    // Builds the pattern alone first: in `a)|(b` the stray bracket would close the group that the second step
    // puts it into.
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

/// A set of sides, as a bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SideSet(u8);

impl SideSet {
    /// The set with one more side.
    #[must_use]
    pub fn with(self, side: Side) -> SideSet {
        SideSet(self.0 | 1 << side as u8)
    }

    /// The sides in either.
    #[must_use]
    pub fn union(self, other: SideSet) -> SideSet {
        SideSet(self.0 | other.0)
    }

    /// Returns `true` if a side is in the set.
    pub fn has(self, side: Side) -> bool {
        self.0 & (1 << side as u8) != 0
    }

    /// Returns `true` if the set names a volume or its supply.
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
    /// The name, as the set writes it.
    pub name: String,
    /// The side of a class; `None` for a let.
    pub class_of: Option<Side>,
    /// Its value.
    pub root: NodeId,
    /// The sides that it mentions.
    pub sides: SideSet,
    /// The source text of the name.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// True for a definition of a standard module.
    pub standard: bool,
}

/// A requirement or preference, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The label, or the position in the source if the rule has none.
    pub label: String,
    /// True if the label was written.
    pub labelled: bool,
    /// A requirement, or a preference with its weight.
    pub strength: Strength,
    /// Its value.
    pub root: NodeId,
    /// The sides that it mentions.
    pub sides: SideSet,
    /// The source text of the rule.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A question to a plugin's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExternalQuestion {
    /// The value of one of its rules, by number.
    Rule(u32),
    /// The value of one of its conditions, by number.
    Condition(u32),
    /// The state of the filter itself: true as long as it has kept the contract of plugins. Also stands for a
    /// class whose plugin is absent, which nobody answers.
    Healthy,
}

/// A rule or condition that a plugin's filter evaluates. The plan knows what it reads; the engine asks the
/// filter for its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRule {
    /// The number of the filter among those of the fleet. `usize::MAX` if its plugin is not given.
    pub filter: usize,
    /// The question.
    pub question: ExternalQuestion,
    /// The text of the rule or condition, as the language would write it.
    pub text: String,
    /// The demand on its subject, such as `>= 2`; the same as `text` if there is no subject.
    pub want: String,
    /// The key that it constrains, if it is about a single one.
    pub subject: Option<ColumnId>,
    /// The keys it reads, in order of first reading.
    pub reads: Vec<ColumnId>,
    /// The only agent that it applies to, if it applies to one. For every other agent a rule holds and a
    /// preference earns nothing.
    pub agent: Option<Symbol>,
    /// For a rule, the conditions that must all hold, if the filter reports them one by one.
    pub conditions: Vec<NodeId>,
}

/// A charge, compiled.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The agent's resource.
    pub resource: Symbol,
    /// The amount.
    pub root: NodeId,
    /// The sides that it mentions.
    pub sides: SideSet,
    /// The keys it reads.
    pub reads: Vec<ColumnId>,
    /// The occasion on which it is taken.
    pub per: ChargePer,
    /// The source text of the charge.
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
    /// The keys of the coarse vocabulary, which frameworks may use.
    pub exposed: Vec<ColumnId>,
    /// The facts disclosed to frameworks beside the vocabulary.
    pub disclosed: super::Disclosed,
    /// True if free amounts of other roles' reservations are offered as revocable (`lend reserved`).
    pub lends: bool,
    /// The amount by which offers may overlap.
    pub overlap: Overlap,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its path.
    pub name: String,
    /// The weight, in millionths, above 0.
    pub weight: i64,
    /// Its keys.
    pub keys: Vec<(Symbol, Value)>,
    /// The limits on what it and the roles below it may use.
    pub limits: Vec<Limit>,
    /// The source text of the name.
    pub span: Span,
}

/// The most that a role and those below it may use of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The side that has the resource, if the limit names one.
    pub side: Option<Side>,
    /// The resource.
    pub resource: Symbol,
    /// The amount. For ranges and items, their number.
    pub amount: Quantity,
    /// The source text of the limit.
    pub span: Span,
}

/// A framework.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name.
    pub name: Symbol,
    /// Its role's path.
    pub role: Symbol,
    /// The principal on whose behalf it asks.
    pub principal: Option<Symbol>,
    /// The principals that its role serves. `None` if the role does not restrict them.
    pub served: Option<Arc<[Symbol]>>,
    /// Its keys.
    pub keys: Vec<(Symbol, Value)>,
    /// Its needs, in order.
    pub needs: Vec<Need>,
    /// The source text of the name.
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
    /// The request to an agent. `None` if the need wants no agent.
    pub agent: Option<Request>,
    /// Places of its agents.
    pub places: Vec<Place>,
    /// Its volumes. A volume with a `count` is repeated as many times.
    pub volumes: Vec<Volume>,
    /// The number of its places, including those of its volumes.
    pub counted: u32,
    /// True if the need is granted whole or not at all.
    pub all_or_nothing: bool,
    /// True if the need accepts amounts that may be revoked.
    pub accept_revocable: bool,
    /// The source text of the name.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A volume asked for.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its name.
    pub name: Symbol,
    /// The position among the volumes of this name, from 0, and the number of them.
    pub ordinal: (u32, u32),
    /// The request to its supply.
    pub request: Request,
    /// The file system wanted.
    pub filesystem: Option<Symbol>,
    /// True if read access is enough.
    pub read_only: bool,
    /// The path of the existing volume that this one is to be a snapshot of.
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
    /// The amount.
    pub amount: Amount,
    /// The source text of the amount.
    pub span: Span,
}

/// The amount that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// The least and the most, in base units. For ranges and items, their number in millionths.
    Scalar(Dimension, i64, i64),
    /// The exact ranges.
    Ranges(Ranges),
    /// The exact items.
    Items(Vec<Symbol>),
}

impl Amount {
    /// Returns `true` if the request is met by nothing at all.
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
    /// The class.
    pub class: DefinitionId,
    /// True for `not is`: the class must not hold.
    pub negated: bool,
    /// The source text of the request.
    pub span: Span,
}

/// A policy set, compiled.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The interned texts of the plan.
    pub symbols: Symbols,
    /// Names of the levels, outermost first.
    pub levels: Vec<Symbol>,
    /// The keys that the plan reads.
    pub columns: IndexSet<Column>,
    /// The types of the columns. `None` if nothing in the set determines one.
    pub column_types: Vec<Option<Type>>,
    /// The nodes, operands first.
    pub nodes: Vec<Node>,
    /// The source text of each node.
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
    /// The questions to plugins' filters.
    pub asked: Vec<ExternalRule>,
    /// The dimensions of resources of agents and of storage that the set determines.
    pub resources: IndexMap<(Side, Symbol), Dimension>,
}

impl Plan {
    /// The node with a number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The question with a number.
    pub fn asked(&self, at: u32) -> &ExternalRule {
        &self.asked[at as usize]
    }

    /// The column with a number.
    pub fn column(&self, id: ColumnId) -> Column {
        self.columns[id.0 as usize]
    }

    /// The class or let with a number.
    pub fn definition(&self, id: DefinitionId) -> &Definition {
        &self.definitions[id.0 as usize]
    }

    /// The number of a column that the plan reads.
    pub fn find_column(&self, column: Column) -> Option<ColumnId> {
        self.columns.get_index_of(&column).map(|at| ColumnId(at as u32))
    }

    /// The dimension of a resource, if the set determines it.
    pub fn dimension(&self, side: Side, resource: Symbol) -> Option<Dimension> {
        self.resources.get(&(side, resource)).copied()
    }
}
