//! The syntax tree of one source: every declaration and statement of the language, with its span.
//!
//! The tree holds the text as written. Names are not bound, types are not known, and a statement may stand in
//! a block where it does not belong; `resolve` reports all of these.

pub use crate::operator::{ArithmeticOp, ChargePer, TestOp};
use crate::{
    quantity::Quantity,
    ranges::Ranges,
    source::{SourceId, Span},
    types::Side,
    value::Version,
};

/// The syntax tree of one source.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    /// The source that was parsed.
    pub source: SourceId,
    /// The top-level statements, in source order.
    pub items: Vec<Statement>,
    /// The `//` comments, in source order, with every `///` line that documents no statement. The other `///`
    /// lines are the `docs` of their statements.
    pub comments: Vec<Span>,
}

/// A name. A bare name and its quoted form are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The text without quotes, with escapes resolved.
    pub text: String,
    /// The span, quotes included.
    pub span: Span,
}

/// A dotted name: `agent.free.cpus`, `storage.flash`, `adapter.infiniband`, `ring.data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DottedName {
    /// The names between the dots; at least one.
    pub segments: Vec<Name>,
    /// The span from the first segment to the last.
    pub span: Span,
}

/// A reference to a class: `fast`, `storage.flash`, `vendor/fast`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassName {
    /// The plugin before the `/`, if there is one.
    pub plugin: Option<Name>,
    /// The name after the `/`. Its span covers the plugin too.
    pub path: DottedName,
}

/// A block of statements between braces.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The statements, in source order.
    pub statements: Vec<Statement>,
    /// The span, braces included.
    pub span: Span,
}

/// A declaration or statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The `///` lines above it, without the slashes and the space after them.
    pub docs: Vec<String>,
    /// The span, without the documentation.
    pub span: Span,
    /// The kind of statement, with its parts.
    pub kind: StatementKind,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `use std.storage`, `use std.storage { flash, hdd }`, `use "./other.policy"`.
    Use(Use),
    /// `let NAME = expr`.
    Let(Name, Expr),
    /// A block with a head: `class fast for pool { … }`, `agent a1 { … }`, `resources { … }`, `adapter { …
    /// }`.
    Block(Block),
    /// `vlan: number`, in a schema.
    Field(DottedName, TypeName),
    /// `vlan = 19`, `size = 500TB { step = 1GB }`, `cpus = 2..8`.
    Assign(Assign),
    /// A condition on its own: `media == "ssd"`, `is rexray`, `not is slow`.
    Condition(Expr),
    /// `require [label:] expr`.
    Require(Rule),
    /// `prefer [label:] expr [weight N]`.
    Prefer(Rule),
    /// `prefer PLACE [weight N]`.
    PreferPlace {
        /// The preferred place.
        place: Place,
        /// The weight, if one is written.
        weight: Option<Number>,
    },
    /// `charge agent.RES expr per volume | per need`.
    Charge(Charge),
    /// `expose agent.os`.
    Expose(DottedName),
    /// `levels region > zone > rack`.
    Levels(Vec<Name>),
    /// `lend reserved`.
    LendReserved,
    /// `reserved for "db"`.
    ReservedFor(Name),
    /// A placement constraint: `within …`, `near …`, `at most …`, `spread over …`.
    Place(Place),
    /// `all or nothing`.
    AllOrNothing,
    /// `accept revocable`.
    AcceptRevocable,
    /// `volume "p/i/n/v"` without a body, in an allocation: an existing volume that is taken whole.
    VolumeReference(Name),
    /// `with inventory`, in a test.
    WithInventory,
    /// `expect …`, in a test.
    Expect(Expect),
}

/// The subject of a `use` statement.
#[derive(Clone, Debug)]
pub enum Use {
    /// A standard module, with the names to import, if they are listed.
    Module {
        /// The path of the module: `std`, `storage`.
        path: DottedName,
        /// `None`: definitions are imported as `storage.x`. `Some`: the listed names are imported as they
        /// are.
        names: Option<Vec<Name>>,
    },
    /// Another file, relative to this one.
    File(Name),
}

/// A block with a head and a body.
#[derive(Clone, Debug)]
pub struct Block {
    /// The kind of block, from its head.
    pub kind: BlockKind,
    /// The name in the head, if there is one. For `Keys`, the first segment of the path.
    pub name: Option<Name>,
    /// The span of the head, without the body.
    pub head: Span,
    /// The statements in braces.
    pub body: Body,
}

/// The kinds of blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// `schema SIDE { … }`. `Err` holds a word that names no side.
    Schema(Result<Side, Name>),
    /// `class NAME for SIDE { … }`. `Err` holds a word that names no side.
    Class(Result<Side, Name>),
    /// `role "NAME" { … }`.
    Role,
    /// `limit { … }`, in a role.
    Limit,
    /// `broker NAME { … }`.
    Broker,
    /// `provider NAME { … }`.
    Provider,
    /// `instance NAME { … }`.
    Instance,
    /// `pool NAME { … }`. In an allocation the name is a path.
    Pool,
    /// `volume NAME { … }`: in a pool, an existing volume; in a need, a request.
    Volume,
    /// `agent NAME { … }`, or `agent { … }` in a need.
    Agent,
    /// `framework NAME { … }`.
    Framework,
    /// `need NAME { … }`.
    Need,
    /// `allocation NAME { … }`.
    Allocation,
    /// `resources { … }`.
    Resources,
    /// `resources for "ROLE" { … }`.
    ResourcesFor(Name),
    /// `resources revocable { … }`.
    ResourcesRevocable,
    /// `revocable { … }`, in an allocation.
    Revocable,
    /// `test "name" { … }`.
    Test,
    /// `adapter { … }`: keys with a common prefix. Holds the whole prefix.
    Keys(DottedName),
}

/// `key = value`, with options if the value is the amount of a resource.
#[derive(Clone, Debug)]
pub struct Assign {
    /// The key.
    pub key: DottedName,
    /// The value. Only a literal is valid; `resolve` reports any other expression.
    pub value: Expr,
    /// The options in braces: `{ reserved = 10%, step = 1GB }`.
    pub options: Option<Body>,
}

/// A requirement or preference.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The label before the `:`, if there is one.
    pub label: Option<Name>,
    /// The condition, or for a preference the value that is scored.
    pub expr: Expr,
    /// The number after `weight`. Valid for preferences only; `resolve` reports it elsewhere.
    pub weight: Option<Number>,
}

/// A dimensionless number literal, where the language allows nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The value in millionths.
    pub millionths: i64,
    /// The span of the literal.
    pub span: Span,
}

/// A charge: `charge agent.mounts 1 per volume`.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The resource that is charged: `agent.mounts`.
    pub target: DottedName,
    /// The amount of one charge.
    pub amount: Expr,
    /// The unit of charging: each volume, or the need as a whole.
    pub per: ChargePer,
}

/// A placement constraint: a restriction on where a need or volume may be granted.
#[derive(Clone, Debug)]
pub enum Place {
    /// `within "us/a"`, or a list: only in these subtrees of fault domains.
    Within(Vec<Name>),
    /// `avoid "us/a"`, or a list: in none of these subtrees.
    Outside(Vec<Name>),
    /// `near X in KEY`: the same value of KEY as X.
    Near {
        /// A volume, a need, or NEED.VOLUME.
        target: DottedName,
        /// The key whose values must be equal.
        key: DottedName,
    },
    /// `avoid X in KEY`: another value of KEY than X.
    Apart {
        /// A volume, a need, or NEED.VOLUME.
        target: DottedName,
        /// The key whose values must differ.
        key: DottedName,
    },
    /// `at most N per KEY [among framework]`: a bound on instances per value of KEY.
    AtMost {
        /// The bound N.
        count: Number,
        /// The key whose values instances are counted by.
        key: DottedName,
        /// `true` if the instances of all needs of the framework count, not only those of this need.
        among_framework: bool,
    },
    /// `spread over KEY [skew N] [at least M]`: an even distribution over the values of KEY.
    Spread {
        /// The key whose values are spread over.
        key: DottedName,
        /// The largest allowed difference between two values.
        skew: Option<Number>,
        /// The number of values to use. Until then, the least used value counts as 0.
        at_least: Option<Number>,
    },
    /// `together in KEY`: all instances at one value of KEY.
    Together {
        /// The key whose value is shared.
        key: DottedName,
    },
}

/// The expectations of a test.
#[derive(Clone, Debug)]
pub enum Expect {
    /// `expect NEED met | partial | unmet | offered N`.
    Outcome(DottedName, ExpectedOutcome),
    /// `expect NEED on AGENT`, `best on`, `not on AGENT [because LABEL]`.
    On {
        /// NEED or FRAMEWORK.NEED.
        need: DottedName,
        /// The relation between need and agent.
        mode: OnMode,
        /// The name of the agent.
        agent: Name,
        /// The label that must be among the reasons.
        because: Option<Name>,
    },
    /// `expect NEED.VOLUME from "p/i/n"`, `not from "p/i/n" [because LABEL]`.
    From {
        /// NEED.VOLUME or FRAMEWORK.NEED.VOLUME.
        volume: DottedName,
        /// `true` for `not from`.
        negative: bool,
        /// The path of a pool or of an existing volume.
        supply: Name,
        /// The label that must be among the reasons.
        because: Option<Name>,
    },
    /// `expect agent A free RES == amount`, `expect pool "p/i/n" free RES == amount`.
    Free {
        /// The kind of holder: agent or pool.
        side: Side,
        /// The name or path of the holder.
        holder: Name,
        /// The name of the resource.
        resource: DottedName,
        /// The expected amount; `resolve` accepts a literal only.
        amount: Expr,
    },
    /// `expect role "R" share == 2/3`.
    Share {
        /// The path of the role.
        role: Name,
        /// The numerator of the fraction.
        numerator: u64,
        /// The denominator of the fraction; 1 if a whole number is written.
        denominator: u64,
        /// The span of the fraction.
        span: Span,
    },
    /// `expect snapshot`.
    Snapshot,
}

/// The outcome of a need in an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedOutcome {
    /// Every instance is granted.
    Met,
    /// Some instances are granted.
    Partial,
    /// No instance is granted.
    Unmet,
    /// Exactly this many instances are granted.
    Offered(u64),
}

/// The relation between a need and an agent in an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMode {
    /// An instance is granted on the agent.
    On,
    /// The first instance is granted on the agent.
    BestOn,
    /// No instance is granted on the agent, and the agent is not feasible when the need closes.
    NotOn,
}

/// The name of a type, which may have several words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// The words, joined by single spaces: `set of text`.
    pub text: String,
    /// The span of the words.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The span, without parentheses around the whole expression.
    pub span: Span,
    /// The kind of expression, with its operands.
    pub kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A key of a side, a bare key, or a let.
    Path(DottedName),
    /// `not e`.
    Not(Box<Expr>),
    /// `-e`.
    Negate(Box<Expr>),
    /// `a and b and …`: two operands or more.
    And(Vec<Expr>),
    /// `a or b or …`: two operands or more.
    Or(Vec<Expr>),
    /// A test with two operands: comparisons, `in`, `has`, `within`.
    Test(TestOp, Box<Expr>, Box<Expr>),
    /// `a matches "pattern"`.
    Matches(Box<Expr>, Name),
    /// `agent is CLASS`. The subject is `None` where the context gives the side.
    Is(Option<DottedName>, ClassName),
    /// `KEY is absent`.
    IsAbsent(DottedName),
    /// `KEY is present`.
    IsPresent(DottedName),
    /// `a + b`, `a - b`, `a * b`, `a / b`.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// `key else value`.
    Else(DottedName, Box<Expr>),
    /// `min(a, b)`.
    Call(Name, Vec<Expr>),
}

/// A literal, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// `7_200`, `2.5TB`, `40k`.
    Quantity(Quantity),
    /// `80%`. The quantity is the fraction, 0.8.
    Percent(Quantity),
    /// `unlimited`.
    Unlimited,
    /// `"text"`.
    Text(String),
    /// `v"5.10.3"`.
    Version(Version),
    /// `2..8`, `1TB..4TB`: a lower and an upper bound of one dimension.
    Span(Quantity, Quantity),
    /// `[]`.
    EmptyList,
    /// `["a", "b"]`, each text with its span.
    Texts(Vec<Name>),
    /// `[1, 9, 2.5]`: numbers without a range among them, in millionths.
    Numbers(Vec<Number>),
    /// `[1..5, 9]`: whole numbers, at least one range among them.
    Ranges(Ranges),
}
