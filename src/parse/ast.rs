//! The tree of one source as written: every declaration and statement of the language, with its place.
//! Nothing is bound or typed here, and a statement may stand where it does not belong: `resolve` says so.

pub use crate::operator::{ArithmeticOp, ChargePer, TestOp};
use crate::{
    quantity::Quantity,
    ranges::Ranges,
    source::{SourceId, Span},
    types::Side,
    value::Version,
};

/// One source.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    /// Which source.
    pub source: SourceId,
    /// Declarations, in order.
    pub items: Vec<Statement>,
    /// Every `//` comment, in order; `///` texts stand at what they document.
    pub comments: Vec<Span>,
}

/// A name, bare or quoted: the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Without quotes and escapes.
    pub text: String,
    /// Where, quotes included.
    pub span: Span,
}

/// Names with dots between: `agent.free.cpus`, `storage.flash`, `adapter.infiniband`, `ring.data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// At least one.
    pub segments: Vec<Name>,
    /// Where, from first to last.
    pub span: Span,
}

/// A class that is asked for: `fast`, `storage.flash`, `vendor/fast`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassName {
    /// The plugin whose class it is, where it is one's.
    pub plugin: Option<Name>,
    /// Its name; the span is that of the whole.
    pub path: Path,
}

/// Statements between braces.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// In order.
    pub statements: Vec<Statement>,
    /// Where, braces included.
    pub span: Span,
}

/// A declaration or statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The lines of `///` before it, without the slashes and one space.
    pub docs: Vec<String>,
    /// Where, docs excluded.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// What a statement is.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `use std.storage`, `use std.storage { flash, hdd }`, `use "./other.policy"`.
    Use(Use),
    /// `let NAME = expr`.
    Let(Name, Expr),
    /// A block: `class fast for pool { … }`, `agent a1 { … }`, `resources { … }`, `adapter { … }`.
    Block(Block),
    /// `vlan: number`, in a schema.
    Field(Path, TypeName),
    /// `vlan = 19`, `size = 500TB { step = 1GB }`, `cpus = 2..8`.
    Assign(Assign),
    /// A condition that stands alone: `media == "ssd"`, `is rexray`, `not is slow`.
    Condition(Expr),
    /// `require [label:] expr`.
    Require(Rule),
    /// `prefer [label:] expr [weight N]`.
    Prefer(Rule),
    /// `prefer PLACE [weight N]`.
    PreferPlace {
        /// What is preferred.
        place: Place,
        /// Its weight.
        weight: Option<Number>,
    },
    /// `charge agent.RES expr per volume | per need`.
    Charge(Charge),
    /// `expose agent.os`.
    Expose(Path),
    /// `levels region > zone > rack`.
    Levels(Vec<Name>),
    /// `lend reserved`.
    LendReserved,
    /// `reserved for "db"`.
    ReservedFor(Name),
    /// `within …`, `near …`, `at most …` and their kin.
    Place(Place),
    /// `all or nothing`.
    AllOrNothing,
    /// `accept revocable`.
    AcceptRevocable,
    /// `volume "p/i/n/v"` without a body, in an allocation.
    VolumeReference(Name),
    /// `with inventory`, in a test.
    WithInventory,
    /// `expect …`, in a test.
    Expect(Expect),
}

/// What is used.
#[derive(Clone, Debug)]
pub enum Use {
    /// A standard module: `use std.storage`, with the names to bring in bare, if any.
    Module {
        /// `std`, `storage`.
        path: Path,
        /// `None`: as `storage.x`. Names: bare.
        names: Option<Vec<Name>>,
    },
    /// Another file, relative to this one.
    File(Name),
}

/// A block with a head and a body.
#[derive(Clone, Debug)]
pub struct Block {
    /// What its head says.
    pub kind: BlockKind,
    /// The name in its head, if it has one. For `Keys` the first segment of the path.
    pub name: Option<Name>,
    /// Where its head is, body excluded.
    pub head: Span,
    /// What it holds.
    pub body: Body,
}

/// The head of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// `schema SIDE { … }`; the word where a side should be may be none.
    Schema(Result<Side, Name>),
    /// `class NAME for SIDE { … }`; the word where a side should be may be none.
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
    /// `pool NAME { … }`; in an allocation the name is a path.
    Pool,
    /// `volume NAME { … }`: an existing volume in a pool, a request in a need, a use in an allocation.
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
    /// `adapter { … }`: keys of one prefix; the whole path.
    Keys(Path),
}

/// `name = value`, with options where the value is a resource.
#[derive(Clone, Debug)]
pub struct Assign {
    /// The key.
    pub key: Path,
    /// A literal; an expression that is none is said to be wrong by `resolve`.
    pub value: Expr,
    /// `{ reserved = 10%, step = 1GB }`.
    pub options: Option<Body>,
}

/// A requirement or preference.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The word before `:`.
    pub label: Option<Name>,
    /// The expression.
    pub expr: Expr,
    /// After `weight`, for a preference.
    pub weight: Option<Number>,
}

/// A number written as a literal, where the language wants one: in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Millionths.
    pub millionths: i64,
    /// Where.
    pub span: Span,
}

/// `charge agent.mounts 1 per volume`.
#[derive(Clone, Debug)]
pub struct Charge {
    /// `agent.mounts`.
    pub target: Path,
    /// How much.
    pub amount: Expr,
    /// For what.
    pub per: ChargePer,
}

/// Where a grant may go.
#[derive(Clone, Debug)]
pub enum Place {
    /// `within "us/a"` or a list.
    Within(Vec<Name>),
    /// `avoid "us/a"` or a list.
    Outside(Vec<Name>),
    /// `near X in KEY`.
    Near {
        /// A volume, a need, or NEED.VOLUME.
        target: Path,
        /// What must be the same.
        key: Path,
    },
    /// `avoid X in KEY`.
    Apart {
        /// A volume, a need, or NEED.VOLUME.
        target: Path,
        /// What must differ.
        key: Path,
    },
    /// `at most N per KEY [among framework]`.
    AtMost {
        /// N.
        count: Number,
        /// What they are counted by.
        key: Path,
        /// All the framework's needs together.
        among_framework: bool,
    },
    /// `spread over KEY [skew N] [at least M]`.
    Spread {
        /// What they are spread over.
        key: Path,
        /// How uneven at the most.
        skew: Option<Number>,
        /// How many values at the least.
        at_least: Option<Number>,
    },
    /// `together in KEY`.
    Together {
        /// What is shared.
        key: Path,
    },
}

/// What a test expects.
#[derive(Clone, Debug)]
pub enum Expect {
    /// `expect NEED met | partial | unmet | offered N`.
    Outcome(Path, Outcome),
    /// `expect NEED on AGENT`, `best on`, `not on AGENT [because LABEL]`.
    On {
        /// NEED or FRAMEWORK.NEED.
        need: Path,
        /// How.
        mode: OnMode,
        /// The agent.
        agent: Name,
        /// The label that must be among the reasons.
        because: Option<Name>,
    },
    /// `expect NEED.VOLUME from "p/i/n"`, `not from "p/i/n" [because LABEL]`.
    From {
        /// NEED.VOLUME or FRAMEWORK.NEED.VOLUME.
        volume: Path,
        /// `not from`.
        negative: bool,
        /// A pool's or existing volume's path.
        supply: Name,
        /// The label that must be among the reasons.
        because: Option<Name>,
    },
    /// `expect agent A free RES == amount`, `expect pool "p/i/n" free RES == amount`.
    Free {
        /// An agent or a pool.
        side: Side,
        /// Which.
        holder: Name,
        /// The resource.
        resource: Path,
        /// A literal.
        amount: Expr,
    },
    /// `expect role "R" share == 2/3`.
    Share {
        /// Which role.
        role: Name,
        /// Numerator.
        numerator: u64,
        /// Denominator; 1 where only a whole number is written.
        denominator: u64,
        /// Where the fraction is.
        span: Span,
    },
    /// `expect snapshot`.
    Snapshot,
}

/// How a need ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it.
    Met,
    /// Some of it.
    Partial,
    /// None of it.
    Unmet,
    /// So many instances.
    Offered(u64),
}

/// How a need and an agent go together in an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMode {
    /// Granted there.
    On,
    /// Granted there first.
    BestOn,
    /// Not granted there, and infeasible there when the need closed.
    NotOn,
}

/// The words of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// With single spaces: `set of text`.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A value as written.
    Literal(Literal),
    /// A key of a side, a bare key, or a let.
    Path(Path),
    /// `not e`.
    Not(Box<Expr>),
    /// `-e`.
    Negate(Box<Expr>),
    /// `a and b and …`: two or more.
    And(Vec<Expr>),
    /// `a or b or …`: two or more.
    Or(Vec<Expr>),
    /// `a == b` and its kin, `in`, `has`, `within`.
    Test(TestOp, Box<Expr>, Box<Expr>),
    /// `a matches "pattern"`.
    Matches(Box<Expr>, Name),
    /// `agent is CLASS`; without a subject where the side is understood.
    Is(Option<Path>, ClassName),
    /// `KEY is absent`.
    IsAbsent(Path),
    /// `KEY is present`.
    IsPresent(Path),
    /// `a + b` and its kin.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// `key else value`.
    Else(Path, Box<Expr>),
    /// `min(a, b)`.
    Call(Name, Vec<Expr>),
}

/// A value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// `7_200`, `2.5TB`, `40k`.
    Quantity(Quantity),
    /// `80%`: as a quantity it is the number 0.8.
    Percent(Quantity),
    /// `unlimited`.
    Unlimited,
    /// `"text"`.
    Text(String),
    /// `v"5.10.3"`.
    Version(Version),
    /// `2..8`, `1TB..4TB`: an amount with a lower and an upper end.
    Span(Quantity, Quantity),
    /// `[]`.
    EmptyList,
    /// `["a", "b"]`, each with its place.
    Texts(Vec<Name>),
    /// `[1, 9, 2.5]`: whole or not, no ranges among them; millionths.
    Numbers(Vec<Number>),
    /// `[1..5, 9]`: at least one range; whole numbers.
    Ranges(Ranges),
}
