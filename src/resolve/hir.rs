//! The resolved form of a policy set. Every name is bound, and no module path, bare key or unknown word is
//! left.
//!
//! `check` infers types over it, `lower` translates it into a plan, and `doc` describes it.

use crate::{
    inventory::records::{KeyRecord, Located, Records},
    operator::{ArithmeticOp, Function, Strength, TestOp},
    parse::ast::{ChargePer, Literal, Name, Statement},
    place,
    quantity::{Overlap, Quantity},
    source::Span,
    types::{Side, Type},
};

/// The number of a class or let in [`Hir::definitions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionId(pub usize);

/// A key of a side. Texts are keys and names as the language writes them.
pub type Key = place::Key<String>;

/// A key together with the side it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Read {
    /// The side.
    pub side: Side,
    /// The key of that side.
    pub key: Key,
}

/// A bound expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The span in the source.
    pub span: Span,
    /// The kind of expression, with its operands.
    pub kind: ExprKind,
}

/// The kinds of bound expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// The value of a key.
    Read(Read),
    /// A reference to a class or let.
    Named(DefinitionId),
    /// `not e`.
    Not(Box<Expr>),
    /// `-e`.
    Negate(Box<Expr>),
    /// True if all operands are true.
    And(Vec<Expr>),
    /// True if any operand is true.
    Or(Vec<Expr>),
    /// A test with two operands.
    Test(TestOp, Box<Expr>, Box<Expr>),
    /// A pattern that the whole text must match.
    Matches(Box<Expr>, Name),
    /// `KEY is absent`.
    IsAbsent(Read),
    /// `KEY is present`.
    IsPresent(Read),
    /// An arithmetic operation.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// `key else value`.
    Else(Read, Box<Expr>),
    /// A call of a function.
    Call(Function, Vec<Expr>),
}

/// The kinds of definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionKind {
    /// A class of candidates on one side: agents or pools.
    Class(Side),
    /// A let: a named expression.
    Let,
}

/// A class or let.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The name as the set writes it: `fast-durable`, `storage.flash`.
    pub name: String,
    /// Class or let.
    pub kind: DefinitionKind,
    /// The conditions of a class, or the single expression of a let.
    pub body: Vec<Expr>,
    /// The span of its name.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// `true` if a standard module or a plugin defines it.
    pub standard: bool,
    /// `true` if a plugin defines it. It has no body then; the plugin decides who is in the class.
    pub asked: bool,
}

/// A rule: a requirement, or a preference with a weight.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its label, if it has one.
    pub label: Option<String>,
    /// A requirement, or a preference with its weight.
    pub strength: Strength,
    /// The condition, or for a preference the value that is scored.
    pub expr: Expr,
    /// The span of the rule.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A charge: an amount that each grant takes from its agent in addition.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The resource of the agent.
    pub resource: String,
    /// The amount per unit.
    pub amount: Expr,
    /// The unit: volume or need.
    pub per: ChargePer,
    /// The span of the charge.
    pub span: Span,
}

/// The broker blocks of a set, merged.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    /// The name of the first block.
    pub name: Option<Located>,
    /// The requirements and preferences, in source order.
    pub rules: Vec<Rule>,
    /// The charges, in source order.
    pub charges: Vec<Charge>,
    /// The keys added to the coarse vocabulary, with the spans of their `expose`.
    pub exposed: Vec<(Read, Span)>,
    /// The span of `expose counts`, if frameworks may see numbers of agents and pools.
    pub counts: Option<Span>,
    /// The span of `expose scores`, if frameworks may see scores.
    pub scores: Option<Span>,
    /// The span of `lend reserved`, if resources reserved for other roles are offered as revocable while
    /// free.
    pub lends: Option<Span>,
    /// The allowed overlap of offers, with the span of its statement.
    pub overlap: Option<(Overlap, Span)>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// The path of the role.
    pub name: Located,
    /// The weight in millionths.
    pub weight: i64,
    /// The other keys, `principals` among them.
    pub keys: Vec<KeyRecord>,
    /// The limits on what this role and the roles below it may use.
    pub limits: Vec<Limit>,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// The largest amount of a resource that a role and the roles below it may use.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The side of the resource, if the policy states it.
    pub side: Option<Side>,
    /// The resource.
    pub resource: String,
    /// The amount. For ranges and items, their number.
    pub amount: Quantity,
    /// The span of the limit.
    pub span: Span,
}

/// A framework.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name.
    pub name: Located,
    /// The path of its role; `"*"` if none is declared.
    pub role: String,
    /// The keys, `role`, `principal` and `capabilities` among them.
    pub keys: Vec<KeyRecord>,
    /// The needs, in source order.
    pub needs: Vec<Need>,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A need: a number of equal instances that a framework asks for.
#[derive(Clone, Debug)]
pub struct Need {
    /// Its name.
    pub name: Located,
    /// The number of instances.
    pub count: u64,
    /// The keys that the need declares.
    pub keys: Vec<KeyRecord>,
    /// The request to an agent; `None` if no agent is needed.
    pub agent: Option<Request>,
    /// The placement constraints on its agents.
    pub places: Vec<Place>,
    /// The volumes, in source order.
    pub volumes: Vec<Volume>,
    /// `true` if it is granted as a whole or not at all.
    pub all_or_nothing: bool,
    /// `true` if it accepts revocable resources.
    pub accept_revocable: bool,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A request for a volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its name.
    pub name: Located,
    /// The number of equal volumes.
    pub count: u64,
    /// The request to the supply.
    pub request: Request,
    /// The requested file system.
    pub filesystem: Option<Located>,
    /// `true` if read access is enough.
    pub read_only: bool,
    /// The path of the existing volume that this one is a snapshot of.
    pub source: Option<Located>,
    /// The placement constraints on its supply.
    pub places: Vec<Place>,
}

/// The amounts, classes and conditions that a need requests of one side.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The amounts, in source order.
    pub amounts: Vec<Ask>,
    /// The classes, required or excluded.
    pub classes: Vec<ClassAsk>,
    /// The conditions on exposed keys.
    pub conditions: Vec<Rule>,
}

/// A request for an amount of a resource.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The resource.
    pub resource: String,
    /// The amount.
    pub amount: AskAmount,
    /// The span of the request.
    pub span: Span,
}

/// A requested amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskAmount {
    /// A dimension with the least and the largest amount, in base units. The largest amount that fits is
    /// granted. Both are equal for an exact amount.
    Scalar(crate::quantity::Dimension, i64, i64),
    /// Exactly these numbers.
    Ranges(crate::ranges::Ranges),
    /// Exactly these items.
    Items(Vec<String>),
}

/// A class that a request requires or excludes.
#[derive(Clone, Debug)]
pub struct ClassAsk {
    /// The class.
    pub class: DefinitionId,
    /// `true` for `not is`: the class is excluded.
    pub negated: bool,
    /// The span of the condition.
    pub span: Span,
}

/// A placement constraint or preference.
#[derive(Clone, Debug)]
pub struct Place {
    /// The kind of constraint, with its parameters.
    pub kind: PlaceKind,
    /// A constraint, or a preference with its weight.
    pub strength: Strength,
    /// The span of the statement.
    pub span: Span,
}

/// The relation that a place states.
pub type PlaceKind = place::PlaceKind<String, Target, PlaceKey>;

/// The grants that a placement constraint refers to. A volume is given by its number in its need.
pub type Target = place::Target<usize>;

/// The key that placement constraints compare and count by.
pub type PlaceKey = place::PlaceKey<Read>;

/// A schema entry: the declared type of a key.
#[derive(Clone, Debug)]
pub struct SchemaField {
    /// The side of the key.
    pub side: Side,
    /// The key.
    pub key: String,
    /// The declared type.
    pub kind: Type,
    /// The span of the entry.
    pub span: Span,
    /// `true` if a standard module declares it.
    pub standard: bool,
}

/// A test. Its statements are unresolved; they are resolved against the set when the test runs.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: Located,
    /// The statements, in source order.
    pub statements: Vec<Statement>,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A resolved policy set.
#[derive(Clone, Debug, Default)]
pub struct Hir {
    /// The names of the fault-domain levels, outermost first.
    pub levels: Vec<String>,
    /// The classes and lets.
    pub definitions: Vec<Definition>,
    /// The declared types of keys.
    pub schema: Vec<SchemaField>,
    /// The operator's rules, charges and settings.
    pub broker: Broker,
    /// The roles.
    pub roles: Vec<Role>,
    /// The frameworks. A top-level need is one too.
    pub frameworks: Vec<Framework>,
    /// The agents, tiers and allocations.
    pub records: Records,
    /// The bound rules of records: see [`RecordRules`].
    pub record_rules: RecordRules,
    /// The tests.
    pub tests: Vec<Test>,
}

/// The bound rules of agents and tiers, one list per holder, in the order of a walk over the records: agents,
/// then tiers depth first. Records themselves are data and know no bound expressions; the order is what joins
/// the two.
#[derive(Clone, Debug, Default)]
pub struct RecordRules {
    /// The rules of each agent.
    pub agents: Vec<Vec<Rule>>,
    /// The rules of each tier.
    pub tiers: Vec<Vec<Rule>>,
}
