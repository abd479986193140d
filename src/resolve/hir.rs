//! A policy set with every name bound and the sugar gone: no module paths, no bare keys, no unknown words.

use crate::{
    inventory::records::{KeyRecord, Located, Records},
    operator::{ArithmeticOp, Function, TestOp},
    parse::ast::{ChargePer, Literal, Name, Statement},
    quantity::{Overlap, Quantity},
    source::Span,
    types::{Side, Type},
};

/// A class or let, by its number in [`Hir::definitions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionId(pub usize);

/// What an expression may read of a side. Texts are keys and names as the language shows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// An open key.
    Attribute(String),
    /// `.name`
    Name,
    /// `.domain`
    Domain,
    /// `.region`: a declared level, by its depth from 0.
    Level(usize),
    /// `.total.R`
    Total(String),
    /// `.free.R`
    Free(String),
    /// `.used.R`
    Used(String),
    /// `pool.provider`
    Provider,
    /// `pool.instance`
    Instance,
}

/// A key of a side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Read {
    /// Whose.
    pub side: Side,
    /// Which.
    pub key: Key,
}

/// An expression, bound. `var` is its type variable once `check` has seen it.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: ExprKind,
}

/// What a bound expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A value as written.
    Literal(Literal),
    /// A key.
    Read(Read),
    /// A class or let.
    Named(DefinitionId),
    /// `not e`.
    Not(Box<Expr>),
    /// `-e`.
    Negate(Box<Expr>),
    /// All of them.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
    /// A two-sided condition.
    Test(TestOp, Box<Expr>, Box<Expr>),
    /// The whole text matches.
    Matches(Box<Expr>, Name),
    /// `KEY is absent`.
    IsAbsent(Read),
    /// `KEY is present`.
    IsPresent(Read),
    /// Arithmetic.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// `key else value`.
    Else(Read, Box<Expr>),
    /// A function of values.
    Call(Function, Vec<Expr>),
}

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionKind {
    /// A class of candidates of this side: agents or pools.
    Class(Side),
    /// A named expression.
    Let,
}

/// A class or let.
#[derive(Clone, Debug)]
pub struct Definition {
    /// As the set writes it: `fast-durable`, `storage.flash`.
    pub name: String,
    /// Which of both.
    pub kind: DefinitionKind,
    /// A class: its conditions. A let: its one expression.
    pub body: Vec<Expr>,
    /// Where its name is.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// Whether a standard module, or a plugin, brings it.
    pub standard: bool,
    /// Whether a plugin brings it: then it has no body, and is asked.
    pub asked: bool,
}

/// A rule: required, or preferred with a weight.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its label, if it has one.
    pub label: Option<String>,
    /// `None`: required. Millionths: preferred.
    pub weight: Option<i64>,
    /// What it says.
    pub expr: Expr,
    /// Where it stands.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// What the operator charges agents for.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The agent's resource.
    pub resource: String,
    /// How much.
    pub amount: Expr,
    /// For what.
    pub per: ChargePer,
    /// Where it stands.
    pub span: Span,
}

/// All broker blocks together.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    /// The name of the first block.
    pub name: Option<Located>,
    /// Requirements and preferences, in order.
    pub rules: Vec<Rule>,
    /// Charges, in order.
    pub charges: Vec<Charge>,
    /// Keys added to the coarse vocabulary.
    pub exposed: Vec<(Read, Span)>,
    /// Whether frameworks are told numbers of agents and pools: where that is said.
    pub counts: Option<Span>,
    /// Whether frameworks are told scores: where that is said.
    pub scores: Option<Span>,
    /// Whether what is free of other roles' reservations is offered as revocable: where that is said.
    pub lends: Option<Span>,
    /// By how much offers may overlap, and where that is said.
    pub overlap: Option<(Overlap, Span)>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its path.
    pub name: Located,
    /// Its weight in millionths.
    pub weight: i64,
    /// Its other keys, `principals` among them.
    pub keys: Vec<KeyRecord>,
    /// What it and the roles below it may use.
    pub limits: Vec<Limit>,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// The most that a role and those below it may use of a resource.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Whose resource, where it is said.
    pub side: Option<Side>,
    /// The resource.
    pub resource: String,
    /// How much; of ranges and items, how many.
    pub amount: Quantity,
    /// Where it stands.
    pub span: Span,
}

/// A framework.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name.
    pub name: Located,
    /// Its role; `"*"` where it says none.
    pub role: String,
    /// Its keys, `role`, `principal` and `capabilities` among them.
    pub keys: Vec<KeyRecord>,
    /// Its needs, in order.
    pub needs: Vec<Need>,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// What a framework asks for.
#[derive(Clone, Debug)]
pub struct Need {
    /// Its name.
    pub name: Located,
    /// Instances wanted.
    pub count: u64,
    /// Its own keys.
    pub keys: Vec<KeyRecord>,
    /// What it asks of an agent; `None`: it wants no agent.
    pub agent: Option<Request>,
    /// Places of its agents.
    pub places: Vec<Place>,
    /// Its volumes, in order.
    pub volumes: Vec<Volume>,
    /// Whether it is granted whole or not at all.
    pub all_or_nothing: bool,
    /// Whether it takes what may be taken back.
    pub accept_revocable: bool,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A volume asked for.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its name.
    pub name: Located,
    /// How many alike.
    pub count: u64,
    /// What is asked of its supply.
    pub request: Request,
    /// The file system wanted.
    pub filesystem: Option<Located>,
    /// Whether reading is enough.
    pub read_only: bool,
    /// The path of the existing volume that it is a snapshot of.
    pub source: Option<Located>,
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

/// An amount asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The resource.
    pub resource: String,
    /// How much.
    pub amount: AskAmount,
    /// Where it stands.
    pub span: Span,
}

/// How much is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskAmount {
    /// At least, at most: the most that fits is taken. Both in base units; equal for an exact amount.
    Scalar(crate::quantity::Dimension, i64, i64),
    /// The very ones.
    Ranges(crate::ranges::Ranges),
    /// The very ones.
    Items(Vec<String>),
}

/// A class asked for.
#[derive(Clone, Debug)]
pub struct ClassAsk {
    /// Which.
    pub class: DefinitionId,
    /// `not is`.
    pub negated: bool,
    /// Where it stands.
    pub span: Span,
}

/// A place, hard or soft.
#[derive(Clone, Debug)]
pub struct Place {
    /// What it says.
    pub kind: PlaceKind,
    /// `None`: it must hold. Millionths: it is preferred.
    pub weight: Option<i64>,
    /// Where it stands.
    pub span: Span,
}

/// What a place says.
#[derive(Clone, Debug)]
pub enum PlaceKind {
    /// In one of these subtrees.
    Within(Vec<String>),
    /// In none of these subtrees.
    Outside(Vec<String>),
    /// The same value as every one of the target's.
    Near(Target, PlaceKey),
    /// A different value from every one of the target's.
    Apart(Target, PlaceKey),
    /// At most so many instances per value.
    AtMost {
        /// How many.
        count: u64,
        /// Per what.
        key: PlaceKey,
        /// Over all needs of the framework.
        among_framework: bool,
    },
    /// Evenly over the values.
    Spread {
        /// Over what.
        key: PlaceKey,
        /// How far one value may be above the least.
        skew: u64,
        /// Until so many values are used, the least counts as 0.
        at_least: u64,
    },
    /// One value for all.
    Together(PlaceKey),
}

/// What a place speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A volume of this need, by number.
    Volume(usize),
    /// An earlier need of the framework, by number.
    Need(usize),
    /// A volume of an earlier need, by numbers.
    NeedVolume(usize, usize),
}

/// What places count and compare by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlaceKey {
    /// A declared level, by its depth from 0.
    Level(usize),
    /// The agent itself.
    Agent,
    /// The pool.
    Pool,
    /// The instance.
    Instance,
    /// The provider.
    Provider,
    /// An exposed key of the subject.
    Key(Read),
}

/// A key's declared type.
#[derive(Clone, Debug)]
pub struct SchemaField {
    /// Whose.
    pub side: Side,
    /// Which.
    pub key: String,
    /// Its type.
    pub kind: Type,
    /// Where it is declared.
    pub span: Span,
    /// Whether a standard module declares it.
    pub standard: bool,
}

/// A test: declarations and expectations, still as written.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: Located,
    /// All its statements.
    pub statements: Vec<Statement>,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A policy set, resolved.
#[derive(Clone, Debug, Default)]
pub struct Hir {
    /// Names of the fault-domain levels, outermost first.
    pub levels: Vec<String>,
    /// Classes and lets.
    pub definitions: Vec<Definition>,
    /// Declared types.
    pub schema: Vec<SchemaField>,
    /// The operator's policy.
    pub broker: Broker,
    /// Roles.
    pub roles: Vec<Role>,
    /// Frameworks, those of top-level needs among them.
    pub frameworks: Vec<Framework>,
    /// Agents, tiers and allocations.
    pub records: Records,
    /// Bound rules of records: see [`RecordRules`].
    pub record_rules: RecordRules,
    /// Tests.
    pub tests: Vec<Test>,
}

/// The rules of agents and tiers, bound, in the order in which a walk over the records meets their holders:
/// agents, then tiers depth first.
#[derive(Clone, Debug, Default)]
pub struct RecordRules {
    /// By agent.
    pub agents: Vec<Vec<Rule>>,
    /// By tier.
    pub tiers: Vec<Vec<Rule>>,
}
