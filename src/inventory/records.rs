//! Records: an inventory as read. Keys have no types and names are not resolved yet. Policies and JSON give
//! the same records; `bind` turns them into a `world`.

use crate::operator::Strength;
use crate::{parse::ast::Expr, quantity::Quantity, ranges::Ranges, source::Span, value::Version};

/// The records of one inventory. Spans refer to the sources it was read from.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// The broker's place, levels and keys.
    pub broker: BrokerRecord,
    /// The agents, in order of declaration.
    pub agents: Vec<AgentRecord>,
    /// The providers, in order of declaration.
    pub providers: Vec<TierRecord>,
    /// The number of changes to the state, if the document is a state.
    pub serial: Option<u64>,
    /// The reservations of unreserved amounts for roles.
    pub reservations: Vec<ReservationRecord>,
    /// The existing volumes that are put into pools by path.
    pub volumes: Vec<AttachedVolume>,
    /// The allocations.
    pub allocations: Vec<AllocationRecord>,
    /// The roles.
    pub roles: Vec<DeclarationRecord>,
    /// The frameworks, with their needs.
    pub frameworks: Vec<FrameworkRecord>,
    /// The needs without a framework.
    pub needs: Vec<NeedRecord>,
}

/// A text and its place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The text.
    pub text: String,
    /// The place in the source.
    pub span: Span,
}

/// The broker's place, levels and keys.
#[derive(Clone, Debug, Default)]
pub struct BrokerRecord {
    /// The path in the tree of fault domains.
    pub domain: Option<Located>,
    /// The names of the levels, outermost first.
    pub levels: Option<(Vec<String>, Span)>,
    /// The keys.
    pub keys: Vec<KeyRecord>,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct AgentRecord {
    /// The name.
    pub name: Located,
    /// The path in the tree of fault domains.
    pub domain: Option<Located>,
    /// The keys.
    pub keys: Vec<KeyRecord>,
    /// The resources of all parts.
    pub resources: Vec<ResourceRecord>,
    /// The rules.
    pub rules: Vec<RuleRecord>,
}

/// The tiers of storage, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TierKind {
    /// The outermost tier.
    Provider,
    /// An array or service of a provider.
    Instance,
    /// A source of space that volumes are carved from.
    Pool,
    /// An existing volume.
    Volume,
}

impl TierKind {
    /// Returns the keyword of the tier.
    pub fn name(self) -> &'static str {
        match self {
            TierKind::Provider => "provider",
            TierKind::Instance => "instance",
            TierKind::Pool => "pool",
            TierKind::Volume => "volume",
        }
    }
}

/// A storage tier with all tiers below it.
#[derive(Clone, Debug)]
pub struct TierRecord {
    /// The kind.
    pub kind: TierKind,
    /// The name without those of the tiers above.
    pub name: Located,
    /// The path in the tree of fault domains, if the tier states its own.
    pub domain: Option<Located>,
    /// The keys. `filesystem`, `access`, `users` and `carve` are ordinary keys here.
    pub keys: Vec<KeyRecord>,
    /// The resources of all parts.
    pub resources: Vec<ResourceRecord>,
    /// The rules.
    pub rules: Vec<RuleRecord>,
    /// The role that an existing volume is kept for.
    pub reserved_for: Option<Located>,
    /// The tiers below.
    pub children: Vec<TierRecord>,
}

/// A key and its value. Segments of the key are joined by points, as in `adapter.infiniband`.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The whole key.
    pub key: String,
    /// The value.
    pub value: Raw,
    /// The place in the source.
    pub span: Span,
}

/// A value before the type of its key is known. JSON has fewer forms than the language, so that one form may
/// stand for several types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A boolean.
    Bool(bool),
    /// A whole number of data. It counts base units where the key is a size, bandwidth or duration.
    Integer(i64),
    /// A quantity with a unit, or a number with a fraction.
    Quantity(Quantity),
    /// A text. In data it may be a quantity, a version or a place, if the key is one.
    Text(String),
    /// A version.
    Version(Version),
    /// An empty list.
    Empty,
    /// A set of texts. In data it may be ranges (`"1..5"`), if the key is of ranges.
    Texts(Vec<String>),
    /// A set of numbers, in millionths.
    Numbers(Vec<i64>),
    /// Ranges.
    Ranges(Ranges),
}

/// The part of a holder's resources that a record belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartRecord {
    /// Open to everyone.
    Unreserved,
    /// Reserved for a role and those below it.
    Reserved(String),
    /// Revocable.
    Revocable,
}

/// One resource of one part of a holder.
#[derive(Clone, Debug)]
pub struct ResourceRecord {
    /// The part.
    pub part: PartRecord,
    /// The resource, in the form of the language.
    pub name: String,
    /// The amount.
    pub amount: RawAmount,
    /// The options; boxed, since few resources have any.
    pub options: Option<Box<ResourceOptions>>,
    /// The place in the source.
    pub span: Span,
}

/// An amount before the dimension of its resource is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawAmount {
    /// A whole number of data. It counts base units where the resource has a unit.
    Integer(i64),
    /// A quantity with a unit, or a number with a fraction.
    Quantity(Quantity),
    /// Unlimited; of any dimension.
    Unlimited,
    /// Ranges, such as ports.
    Ranges(Ranges),
    /// Named items, as written.
    Items(Vec<String>),
}

/// The options of a resource, each with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceOptions {
    /// The amount that is kept back.
    pub reserved: Option<(Reserved, Span)>,
    /// A request takes a multiple of this.
    pub step: Option<(RawAmount, Span)>,
    /// A request takes no less than this.
    pub min: Option<(RawAmount, Span)>,
    /// A request that would take more than this is refused.
    pub max: Option<(RawAmount, Span)>,
    /// The factor for what is left, in millionths.
    pub overcommit: Option<(i64, Span)>,
}

/// An amount that is kept back of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// An amount of the resource.
    Amount(RawAmount),
    /// A fraction of the total, in millionths.
    Fraction(i64),
}

/// A rule of an agent or a tier.
#[derive(Clone, Debug)]
pub struct RuleRecord {
    /// The label.
    pub label: Option<Located>,
    /// A requirement, or a preference with its weight.
    pub strength: Strength,
    /// The expression.
    pub text: RuleText,
    /// The place in the source.
    pub span: Span,
    /// The lines of its documentation.
    pub docs: Vec<String>,
}

/// The expression of a rule.
#[derive(Clone, Debug)]
pub enum RuleText {
    /// A tree, from a policy.
    Tree(Expr),
    /// A text in the language, from data; parsed later.
    Text(Located),
}

/// A reservation: unreserved amounts of one holder become a part for a role.
#[derive(Clone, Debug)]
pub struct ReservationRecord {
    /// The name.
    pub name: Located,
    /// The role.
    pub role: Located,
    /// The holder and the amounts.
    pub of: UseRecord,
}

/// An existing volume that is put into a pool by path, as if it were declared there.
#[derive(Clone, Debug)]
pub struct AttachedVolume {
    /// The path from the provider down to the volume.
    pub path: Located,
    /// The volume itself.
    pub tier: TierRecord,
}

impl AttachedVolume {
    /// Returns the path of its pool.
    pub fn pool(&self) -> &str {
        self.path.text.rsplit_once('/').map_or("", |(pool, _)| pool)
    }
}

/// An allocation: amounts in use, taken from one or more holders.
#[derive(Clone, Debug)]
pub struct AllocationRecord {
    /// The name.
    pub name: Located,
    /// The framework; `None` for one of the allocation's own name.
    pub framework: Option<Located>,
    /// The role it is charged to; `None` for that of the framework.
    pub role: Option<Located>,
    /// The need that it serves.
    pub need: Option<Located>,
    /// The amounts, by holder.
    pub uses: Vec<UseRecord>,
}

/// The amounts that an allocation takes from one holder.
#[derive(Clone, Debug)]
pub struct UseRecord {
    /// The name of an agent, or the path of a pool or existing volume.
    pub holder: Located,
    /// The kind.
    pub kind: UseKind,
    /// The amounts; empty for an existing volume, which is taken whole.
    pub amounts: Vec<AmountRecord>,
    /// `true` if only revocable parts are used.
    pub revocable: bool,
}

/// An amount that is taken.
#[derive(Clone, Debug)]
pub struct AmountRecord {
    /// The resource, in the form of the language.
    pub name: String,
    /// The amount. Of ranges and items it names members; a plain number of them is an error.
    pub amount: RawAmount,
    /// The place in the source.
    pub span: Span,
}

/// The kinds of holders that an allocation takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// An agent.
    Agent,
    /// A pool, of which a volume is carved.
    Pool,
    /// An existing volume.
    Volume,
}

/// A block that data declares by statements of the language, one for each text.
#[derive(Clone, Debug)]
pub struct DeclarationRecord {
    /// The name.
    pub name: Located,
    /// The statements.
    pub statements: Vec<Located>,
}

/// A framework, with its needs.
#[derive(Clone, Debug)]
pub struct FrameworkRecord {
    /// The name and the statements of the framework.
    pub declaration: DeclarationRecord,
    /// The needs.
    pub needs: Vec<NeedRecord>,
}

/// A need. Each text is one statement of the language, such as `count = 3`, `cpus = 4`, `is fast` or `at most
/// 1 per agent`.
#[derive(Clone, Debug)]
pub struct NeedRecord {
    /// The name, and the statements outside of blocks.
    pub declaration: DeclarationRecord,
    /// The statements of the `agent { … }` block, with its place.
    pub agent: Option<(Vec<Located>, Span)>,
    /// The volumes.
    pub volumes: Vec<DeclarationRecord>,
}
