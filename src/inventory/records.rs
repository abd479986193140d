//! What is known of a fleet, as read: no key is typed and no name is bound yet. Policies declare the same
//! records that JSON carries; `world` binds them to a policy.

use crate::{parse::ast::Expr, quantity::Quantity, ranges::Ranges, source::Span, value::Version};

/// Everything one inventory says. Spans point into the sources it was read from.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// The broker's own place, levels and keys.
    pub broker: BrokerRecord,
    /// Agents, in order.
    pub agents: Vec<AgentRecord>,
    /// Providers, in order.
    pub providers: Vec<TierRecord>,
    /// How often the state was changed that this document holds, if it holds one.
    pub serial: Option<u64>,
    /// What of the unreserved parts is kept for a role.
    pub reservations: Vec<ReservationRecord>,
    /// Existing volumes, put into pools by path.
    pub volumes: Vec<PutRecord>,
    /// What is taken.
    pub allocations: Vec<AllocationRecord>,
    /// Roles.
    pub roles: Vec<DeclarationRecord>,
    /// Frameworks, with their needs.
    pub frameworks: Vec<FrameworkRecord>,
    /// Needs without a framework.
    pub needs: Vec<NeedRecord>,
}

/// A text and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What is said of the broker.
#[derive(Clone, Debug, Default)]
pub struct BrokerRecord {
    /// Where the broker is.
    pub domain: Option<Located>,
    /// Names of the levels, outermost first.
    pub levels: Option<(Vec<String>, Span)>,
    /// Other keys.
    pub keys: Vec<KeyRecord>,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct AgentRecord {
    /// Its name.
    pub name: Located,
    /// Its place in the tree of fault domains.
    pub domain: Option<Located>,
    /// Its attributes.
    pub keys: Vec<KeyRecord>,
    /// What it has to give.
    pub resources: Vec<ResourceRecord>,
    /// Its own rules.
    pub rules: Vec<RuleRecord>,
}

/// Which tier of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TierKind {
    /// The outermost.
    Provider,
    /// An array or a service of a provider.
    Instance,
    /// What volumes are carved from.
    Pool,
    /// An existing volume.
    Volume,
}

impl TierKind {
    /// Its word in the language.
    pub fn name(self) -> &'static str {
        match self {
            TierKind::Provider => "provider",
            TierKind::Instance => "instance",
            TierKind::Pool => "pool",
            TierKind::Volume => "volume",
        }
    }
}

/// A provider, instance, pool or existing volume.
#[derive(Clone, Debug)]
pub struct TierRecord {
    /// Which of them.
    pub kind: TierKind,
    /// Its name, without those of the tiers above.
    pub name: Located,
    /// Its place, where it states one itself.
    pub domain: Option<Located>,
    /// Its own attributes. `filesystem`, `access`, `users` and `carve` are ordinary keys here.
    pub keys: Vec<KeyRecord>,
    /// What it has to give.
    pub resources: Vec<ResourceRecord>,
    /// Its own rules.
    pub rules: Vec<RuleRecord>,
    /// The role an existing volume is kept for.
    pub reserved_for: Option<Located>,
    /// The tiers below.
    pub children: Vec<TierRecord>,
}

/// An attribute: the key as the language joins it (`adapter.infiniband`).
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The whole key.
    pub key: String,
    /// Its value.
    pub value: Raw,
    /// Where it stands.
    pub span: Span,
}

/// A value before its key has a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// True or false.
    Bool(bool),
    /// A whole number in data: a number, or base units where the key is a size, bandwidth or duration.
    Integer(i64),
    /// A literal with its unit, or a number with a fraction.
    Quantity(Quantity),
    /// A text; in data also a quantity, version or place where the key is one.
    Text(String),
    /// A version.
    Version(Version),
    /// `[]`.
    Empty,
    /// A set of text; in data also ranges (`"1..5"`) where the key is one.
    Texts(Vec<String>),
    /// A set of numbers, in millionths.
    Numbers(Vec<i64>),
    /// Ranges.
    Ranges(Ranges),
}

/// Which part of a holder's resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartRecord {
    /// For everyone.
    Unreserved,
    /// For a role and those below it.
    Reserved(String),
    /// May be taken back.
    Revocable,
}

/// A resource of a holder.
#[derive(Clone, Debug)]
pub struct ResourceRecord {
    /// Which part it belongs to.
    pub part: PartRecord,
    /// The resource, as the language shows names.
    pub name: String,
    /// How much.
    pub amount: RawAmount,
    /// What may be asked of it, and how much of it is kept back.
    pub options: Option<Box<ResourceOptions>>,
    /// Where it stands.
    pub span: Span,
}

/// An amount before its resource has a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawAmount {
    /// A whole number in data: a number, or base units where the resource has a unit.
    Integer(i64),
    /// A literal with its unit, or a number with a fraction.
    Quantity(Quantity),
    /// Of any dimension, never used up.
    Unlimited,
    /// Ports and their like.
    Ranges(Ranges),
    /// Named items, as written.
    Items(Vec<String>),
}

/// Options of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceOptions {
    /// Kept back.
    pub reserved: Option<(Reserved, Span)>,
    /// Requests take a multiple of it.
    pub step: Option<(RawAmount, Span)>,
    /// Requests take at least it.
    pub min: Option<(RawAmount, Span)>,
    /// Requests above it are refused.
    pub max: Option<(RawAmount, Span)>,
    /// A factor in millionths.
    pub overcommit: Option<(i64, Span)>,
}

/// What is kept back of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// So much.
    Amount(RawAmount),
    /// A fraction of the total, in millionths.
    Fraction(i64),
}

/// A rule of an agent or a tier.
#[derive(Clone, Debug)]
pub struct RuleRecord {
    /// Its label, if it has one.
    pub label: Option<Located>,
    /// `None`: it is required. A weight in millionths: it is preferred.
    pub weight: Option<i64>,
    /// What it says.
    pub text: RuleText,
    /// Where it stands.
    pub span: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// A rule's expression.
#[derive(Clone, Debug)]
pub enum RuleText {
    /// From a policy: read already.
    Tree(Expr),
    /// From data: a text in the language.
    Text(Located),
}

/// So much of what is unreserved somewhere becomes a part reserved for a role.
#[derive(Clone, Debug)]
pub struct ReservationRecord {
    /// Its name.
    pub name: Located,
    /// For whom.
    pub role: Located,
    /// Where, and how much of what.
    pub of: UseRecord,
}

/// An existing volume that is put into a pool by path, as if it were declared in it.
#[derive(Clone, Debug)]
pub struct PutRecord {
    /// Its whole path.
    pub path: Located,
    /// The volume.
    pub tier: TierRecord,
}

impl PutRecord {
    /// The path of its pool.
    pub fn pool(&self) -> &str {
        self.path.text.rsplit_once('/').map_or("", |(pool, _)| pool)
    }
}

/// A part of an allocation.
#[derive(Clone, Debug)]
pub struct AllocationRecord {
    /// Its name.
    pub name: Located,
    /// Whose it is; `None`: a framework of the allocation's name.
    pub framework: Option<Located>,
    /// Which role it counts for; `None`: the framework's.
    pub role: Option<Located>,
    /// Which need it serves.
    pub need: Option<Located>,
    /// What it takes.
    pub uses: Vec<UseRecord>,
}

/// What an allocation takes from one holder.
#[derive(Clone, Debug)]
pub struct UseRecord {
    /// An agent's name, or the path of a pool or existing volume.
    pub holder: Located,
    /// Which.
    pub kind: UseKind,
    /// How much of what; empty for an existing volume.
    pub amounts: Vec<AmountRecord>,
    /// Whether it may be taken back.
    pub revocable: bool,
}

/// An amount taken.
#[derive(Clone, Debug)]
pub struct AmountRecord {
    /// The resource, as the language shows names.
    pub name: String,
    /// How much. A whole number of ranges or items is an error: an allocation names which.
    pub amount: RawAmount,
    /// Where it stands.
    pub span: Span,
}

/// What an allocation takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// An agent.
    Agent,
    /// A carved part of a pool.
    Pool,
    /// An existing volume.
    Volume,
}

/// A role, or another block said by statements of the language: each text is one statement.
#[derive(Clone, Debug)]
pub struct DeclarationRecord {
    /// Its name.
    pub name: Located,
    /// Its statements.
    pub statements: Vec<Located>,
}

/// A framework of an inventory.
#[derive(Clone, Debug)]
pub struct FrameworkRecord {
    /// Its name and statements.
    pub declaration: DeclarationRecord,
    /// Its needs.
    pub needs: Vec<NeedRecord>,
}

/// A need of an inventory. Each text is one statement of the language: `count = 3`, `cpus = 4`, `is fast`,
/// `at most 1 per agent`.
#[derive(Clone, Debug)]
pub struct NeedRecord {
    /// Its name and the statements beside its blocks.
    pub declaration: DeclarationRecord,
    /// The statements of its `agent { … }`, if it has one.
    pub agent: Option<(Vec<Located>, Span)>,
    /// Its volumes.
    pub volumes: Vec<DeclarationRecord>,
}
