//! A fleet bound to a plan: typed values, resolved places, and every counted quantity in one table.
//!
//! The model of resources has four levels.
//!
//! - A **holder** (an agent, a storage tier) has resources.
//! - A **holding** is one resource of one holder, with the options that apply to it as a whole.
//! - A **part** of a holding is reserved for a role, unreserved, or revocable. Parts are disjoint.
//! - A **stock** is a counter with a total. Each part is one; so are the user slots of an existing volume and
//!   the limits of roles.
//!
//! All stocks stand in one table so that the ledger can count every kind of use by one rule. The `world`
//! holds totals only; the use of each stock is in the [`ledger`](super::ledger).
//!
//! Rows refer to each other by position. Agents and supplies are sorted by name, so that ties and listings
//! are the same whatever the order of the input.

use indexmap::{IndexMap, IndexSet};

use super::records::TierKind;
use crate::{
    ir::{ColumnId, Plan},
    quantity::{Dimension, Overlap},
    ranges::Ranges,
    source::Span,
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// The position of a [`Stock`] in [`World::stocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StockId(pub u32);

/// The position of a [`Holding`] in [`World::holdings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldingId(pub u32);

/// The kind of a part of a holding. The parts of a holding are disjoint, and their sum is the holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// Reserved for a role and the roles below it.
    Reserved(Symbol),
    /// Open to everyone.
    Unreserved,
    /// Open to requesters that accept revocable resources.
    Revocable,
}

/// The kind of quantity that a stock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockKind {
    /// A part of a holding.
    Part(PartKind),
    /// The user slots of an existing volume.
    Users,
    /// The limit of a role: the most that it and the roles below it may use of a resource.
    Limit(Symbol),
}

/// The total of a stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// Without limit.
    Unlimited,
    /// An amount, in base units of the dimension.
    Scalar(i64),
    /// Numbers such as ports.
    Ranges(Ranges),
    /// Named items, sorted by name. A set of items is written as positions in this list.
    Items(Vec<Symbol>),
}

/// A counter with a total: the unit that the ledger counts by.
#[derive(Clone, Debug)]
pub struct Stock {
    /// The resource.
    pub resource: Symbol,
    /// The side: agents or pools. Storage tiers of any kind count as pools.
    pub side: Side,
    /// The kind.
    pub kind: StockKind,
    /// The dimension. Ranges and items are numbers.
    pub dimension: Dimension,
    /// The total as declared, before `reserved` and `overcommit`.
    pub declared: Total,
    /// The total that can be used, after `reserved` and `overcommit`, and after reservations of a state moved
    /// some of it.
    pub usable: Total,
    /// `true` if `reserved` or `overcommit` was given.
    pub is_adjusted: bool,
    /// The place of the declaration.
    pub span: Span,
}

/// One resource of one holder: its parts, and the options that bound a request to all of them together.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The resource.
    pub resource: Symbol,
    /// The side: agents or pools.
    pub side: Side,
    /// The dimension. Ranges and items are numbers.
    pub dimension: Dimension,
    /// The parts, in order of declaration. Each kind and role occurs once.
    pub parts: Vec<(PartKind, StockId)>,
    /// A request takes a multiple of this; 0 for no step.
    pub step: i64,
    /// A request takes no less than this.
    pub min: i64,
    /// A request that would take more than this is refused.
    pub max: Option<i64>,
    /// The place of the first part.
    pub span: Span,
}

impl Holding {
    /// Returns the amount that a request of `asked` takes: the least multiple of `step` that is at least
    /// `max(asked, min)`. Returns `None` if that exceeds `max` or 64 bits.
    pub fn taken(&self, asked: i64) -> Option<i64> {
        self.rounded(asked).filter(|taken| self.max.is_none_or(|max| *taken <= max))
    }

    /// Returns the amount that a request of `asked` would take without `max`.
    pub fn rounded(&self, asked: i64) -> Option<i64> {
        let least = asked.max(self.min);
        if self.step == 0 {
            return Some(least);
        }
        // In 128 bits: rounding up to a step may exceed 64, and is refused then.
        let steps = i128::from(least).div_euclid(i128::from(self.step))
            + i128::from(least.rem_euclid(self.step) != 0);
        i64::try_from(steps * i128::from(self.step)).ok()
    }

    /// Returns the firm parts: all but the revocable one.
    pub fn firm(&self) -> impl Iterator<Item = StockId> {
        self.parts.iter().filter(|part| part.0 != PartKind::Revocable).map(|part| part.1)
    }
}

/// The value of one key in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The row does not have the key.
    Absent,
    /// The value has another type than the key. Holds the value as text, for messages.
    Mismatch(String),
    /// A value of the key's type.
    Value(Value),
}

/// The keys of one row: pairs of column position ([`World::cell`]) and cell, sorted by position.
///
/// The list is sparse. Absent keys take no memory, so a fleet in which every row has a key of its own is as
/// large as its text, and not rows × keys (decision 29).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells(Vec<(u32, Cell)>);

impl Cells {
    /// Creates the cells of a row from pairs in any order.
    pub(super) fn new(mut there: Vec<(u32, Cell)>) -> Cells {
        there.sort_unstable_by_key(|(at, _)| *at);
        Cells(there)
    }

    /// Returns the cell at a column position.
    pub fn get(&self, at: usize) -> &Cell {
        // A row with all keys has each cell at its own position; any other row is searched.
        if let Some((place, cell)) = self.0.get(at)
            && *place as usize == at
        {
            return cell;
        }
        let found = self.0.binary_search_by_key(&at, |(place, _)| *place as usize);
        found.map_or(&Cell::Absent, |found| &self.0[found].1)
    }

    /// Returns the cells that are present, by position.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Cell)> {
        self.0.iter().map(|(at, cell)| (*at as usize, cell))
    }
}

/// The place of a row in the tree of fault domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The whole path.
    pub domain: Option<Symbol>,
    /// The path down to each declared level, outermost first. Levels below the end of the path are `None`.
    pub levels: Vec<Option<Symbol>>,
}

/// A reference from a holder to one of its holdings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldingRef {
    /// The resource.
    pub resource: Symbol,
    /// The holding.
    pub holding: HoldingId,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The name.
    pub name: Symbol,
    /// The place in the tree of fault domains.
    pub placement: Placement,
    /// The values of its keys, by [`World::cell`].
    pub cells: Cells,
    /// The resources.
    pub resources: ResourceList,
    /// The position of its rules in `Plan::agent_rules`.
    pub rules: usize,
    /// The place of the declaration.
    pub span: Span,
}

/// The length up to which a list of resources is searched linearly. Longer ones have an index.
const FEW_RESOURCES: usize = 8;

/// The resources of an agent, in order of declaration.
#[derive(Clone, Debug, Default)]
pub struct ResourceList {
    list: Vec<HoldingRef>,
    /// The position in the list by resource; empty for a short list.
    by_resource: IndexMap<Symbol, usize>,
}

impl From<Vec<HoldingRef>> for ResourceList {
    fn from(list: Vec<HoldingRef>) -> ResourceList {
        let long = if list.len() > FEW_RESOURCES { list.as_slice() } else { &[] };
        // In reverse order, so that of repeated names the first one stays in the index.
        let by_resource = long.iter().enumerate().rev().map(|(at, held)| (held.resource, at)).collect();
        ResourceList { list, by_resource }
    }
}

impl<'a> IntoIterator for &'a ResourceList {
    type Item = &'a HoldingRef;
    type IntoIter = std::slice::Iter<'a, HoldingRef>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl PartialEq for ResourceList {
    fn eq(&self, other: &ResourceList) -> bool {
        self.list == other.list
    }
}

impl ResourceList {
    /// Returns the resources as a slice.
    pub fn list(&self) -> &[HoldingRef] {
        &self.list
    }

    /// Returns an iterator over the resources.
    pub fn iter(&self) -> std::slice::Iter<'_, HoldingRef> {
        self.list.iter()
    }

    fn find(&self, resource: Symbol) -> Option<&HoldingRef> {
        if self.by_resource.is_empty() {
            return self.list.iter().find(|held| held.resource == resource);
        }
        self.by_resource.get(&resource).map(|at| &self.list[*at])
    }
}

/// A storage tier: a provider, instance, pool or existing volume.
#[derive(Clone, Debug)]
pub struct Tier {
    /// The kind.
    pub kind: TierKind,
    /// The name without those of the tiers above.
    pub name: Symbol,
    /// The names from the provider down to this tier, joined by `/`.
    pub path: Symbol,
    /// The position of the tier above, in [`World::tiers`].
    pub parent: Option<usize>,
    /// The resources that this tier declares itself.
    pub resources: Vec<HoldingRef>,
    /// The position of its rules in `Plan::tier_rules`.
    pub rules: usize,
    /// The place of the declaration.
    pub span: Span,
}

/// A source of volumes: a pool to carve from, or an existing volume. It is one row of the storage side, with
/// the keys and resources of all its tiers joined.
#[derive(Clone, Debug)]
pub struct Supply {
    /// The positions of its tiers: its own first, the provider last.
    pub chain: Vec<usize>,
    /// The path of its own tier.
    pub path: Symbol,
    /// The path of its pool; for a pool, its own.
    pub pool: Symbol,
    /// The path of its instance.
    pub instance_path: Symbol,
    /// The name of its instance.
    pub instance: Symbol,
    /// The name of its provider.
    pub provider: Symbol,
    /// The place: that of the nearest tier that states one.
    pub placement: Placement,
    /// The values of its keys: for each key that of the nearest tier that has it.
    pub cells: Cells,
    /// The holdings that an amount of each resource is taken from: one for each tier that declares it, lowest
    /// first. The resources that an existing volume declares are not here, since its user gets them whole
    /// ([`Existing::whole`]).
    pub resources: IndexMap<Symbol, Vec<HoldingId>>,
    /// The properties of an existing volume; `None` for a pool.
    pub existing: Option<Existing>,
}

/// The properties of an existing volume.
#[derive(Clone, Debug)]
pub struct Existing {
    /// The file system, if it is formatted.
    pub filesystem: Option<Symbol>,
    /// `true` if the volume can only be read.
    pub read_only: bool,
    /// The stock of its user slots: the number of simultaneous users, unlimited for a read-only volume.
    pub users: StockId,
    /// The resources of the volume, each with dimension and amount. A user gets all of them.
    pub whole: Vec<(Symbol, Dimension, i64)>,
    /// The role that the volume is kept for.
    pub reserved_for: Option<Symbol>,
    /// The amounts that the volume itself takes from its pool and the tiers above, used or not.
    pub takes: Vec<Take>,
}

impl Supply {
    /// Returns the holdings of a resource, one for each tier that declares it, lowest first.
    pub fn holdings(&self, resource: Symbol) -> Option<&[HoldingId]> {
        if self.resources.len() > FEW_RESOURCES {
            return self.resources.get(&resource).map(Vec::as_slice);
        }
        self.resources.iter().find(|known| *known.0 == resource).map(|known| known.1.as_slice())
    }
}

/// An amount taken from one stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The stock.
    pub stock: StockId,
    /// The amount.
    pub amount: Taken,
}

/// The amount of a [`Take`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// An amount, in base units.
    Scalar(i64),
    /// Definite numbers: of ranges the numbers themselves, of items their positions in the sorted list.
    Set(Ranges),
}

impl Taken {
    /// Returns the amount in base units. Of ranges and items it is their number, in millionths.
    pub fn count(&self) -> i128 {
        match self {
            Taken::Scalar(amount) => i128::from(*amount),
            Taken::Set(set) => set.count() as i128 * i128::from(crate::quantity::MILLION),
        }
    }
}

/// An amount of the fleet that is in use: by a framework, on at most one agent and any number of supplies.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// The name.
    pub name: Symbol,
    /// The framework that uses it. It need not be declared.
    pub framework: Symbol,
    /// The role it is charged to.
    pub role: Symbol,
    /// The need of the framework that it serves.
    pub need: Option<Symbol>,
    /// The position of its agent, in [`World::agents`].
    pub agent: Option<usize>,
    /// The positions of the supplies that serve its volumes, in [`World::supplies`].
    pub supplies: Vec<usize>,
    /// The amounts it takes from all stocks: parts of holdings at every tier, user slots and limits of roles.
    pub takes: Vec<Take>,
    /// The lengths of `takes` and `shares` after each of its uses, in order. They divide both lists by use,
    /// so that a use whose holder did not change can keep what it took ([`amend`](super::amend)).
    pub ends: Vec<(usize, usize)>,
    /// The amounts of `takes` that count in dominant shares: those of the lowest tiers, and existing volumes
    /// whole.
    pub shares: Vec<(Side, Symbol, i128)>,
}

/// The broker's own place and keys.
#[derive(Clone, Debug, Default)]
pub struct BrokerFacts {
    /// The place in the tree of fault domains.
    pub placement: Placement,
    /// Its keys, with their values.
    pub keys: Vec<(Symbol, Value)>,
}

/// A fleet bound to a plan.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The broker.
    pub broker: BrokerFacts,
    /// The agents, sorted by name.
    pub agents: Vec<Agent>,
    /// The storage tiers, parents before children.
    pub tiers: Vec<Tier>,
    /// The pools and existing volumes, sorted by path.
    pub supplies: Vec<Supply>,
    /// Every stock. Positions are stable: a stock that is no longer used stays as a free slot.
    pub stocks: Vec<Stock>,
    /// Every holding. Positions are stable, as those of stocks.
    pub holdings: Vec<Holding>,
    /// The stocks of the limits, by role, side and resource.
    pub limits: IndexMap<(Symbol, Side, Symbol), StockId>,
    /// The line of each role that takes something: the role itself, then those above it, nearest first.
    pub lines: IndexMap<Symbol, Vec<Symbol>>,
    /// `true` if the free amounts of other roles' reservations are offered as revocable.
    pub lends: bool,
    /// The extent to which offers may overlap.
    pub overlap: Overlap,
    /// The allocations, sorted by name.
    pub allocations: Vec<Allocation>,
    /// The usable totals by side and resource, the denominators of dominant shares. Of a supply only the
    /// lowest tier that declares a resource counts, so that nothing counts twice.
    pub totals: IndexMap<(Side, Symbol), i128>,
    /// The open keys that some agent or tier has, including those that no policy reads. In a fleet that
    /// changes, keys of earlier versions stay.
    pub keys: IndexSet<(Side, Symbol)>,
    /// The position of each column in the cells of its side; `None` for columns that are no open key of a
    /// row.
    pub(super) cells: Vec<Option<u32>>,
    pub(super) agent_names: IndexMap<Symbol, usize>,
    pub(super) supply_paths: IndexMap<Symbol, usize>,
    /// Slots of the tables of stocks and holdings that are unused now. New entries fill them first.
    pub(super) free_stocks: Vec<StockId>,
    pub(super) free_holdings: Vec<HoldingId>,
}

impl World {
    /// Returns a stock.
    pub fn stock(&self, id: StockId) -> &Stock {
        &self.stocks[id.0 as usize]
    }

    /// Returns the position of the agent with this name.
    pub fn agent(&self, name: Symbol) -> Option<usize> {
        self.agent_names.get(&name).copied()
    }

    /// Returns the position of the pool or existing volume with this path.
    pub fn supply(&self, path: Symbol) -> Option<usize> {
        self.supply_paths.get(&path).copied()
    }

    /// Returns the amounts that existing volumes take from their pools, used or not.
    pub fn carved(&self) -> impl Iterator<Item = &Take> {
        self.supplies.iter().filter_map(|supply| supply.existing.as_ref()).flat_map(|volume| &volume.takes)
    }

    /// Returns the holdings of a supply that count in dominant shares: of each resource that of the lowest
    /// tier. For an existing volume these include the holdings of its pool from which its own resources were
    /// taken.
    pub(super) fn counted(&self, supply: &Supply) -> Vec<HoldingId> {
        let mut counted: Vec<HoldingId> =
            supply.resources.iter().filter_map(|(_, tiers)| tiers.first().copied()).collect();
        if let Some(existing) = &supply.existing {
            // The chain of a volume is itself, its pool, and the tiers above.
            let pool = &self.tiers[supply.chain[1]];
            let of_volume =
                |held: &&HoldingRef| existing.whole.iter().any(|(resource, ..)| *resource == held.resource);
            counted.extend(pool.resources.iter().filter(of_volume).map(|held| held.holding));
        }
        counted
    }

    /// Returns the usable total of all parts of a holding, or `None` if every part is unlimited.
    pub(super) fn usable(&self, id: HoldingId) -> Option<i128> {
        let totals =
            self.holding(id).parts.iter().filter_map(|part| super::ledger::total(self.stock(part.1)));
        totals.fold(None, |sum, total| Some(sum.unwrap_or(0) + total))
    }

    /// Adds the usable total of a holding to [`World::totals`], times `sign` (1 or -1).
    pub(super) fn count(&mut self, id: HoldingId, sign: i128) {
        let Some(usable) = self.usable(id) else { return };
        let holding = self.holding(id);
        let key = (holding.side, holding.resource);
        *self.totals.entry(key).or_insert(0) += sign * usable;
    }

    /// Returns a holding.
    pub fn holding(&self, id: HoldingId) -> &Holding {
        &self.holdings[id.0 as usize]
    }

    /// Returns the holding of a resource of an agent.
    pub fn agent_holding(&self, agent: usize, resource: Symbol) -> Option<HoldingId> {
        self.agents[agent].resources.find(resource).map(|held| held.holding)
    }

    /// Returns a role and those above it, nearest first; empty for a role that takes nothing.
    pub fn line(&self, role: Symbol) -> &[Symbol] {
        self.lines.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Returns the position of a column in the cells of its side's rows. Only open keys of agents and
    /// supplies have one.
    pub fn cell(&self, column: ColumnId) -> Option<usize> {
        self.cells.get(column.0 as usize).copied().flatten().map(|at| at as usize)
    }

    /// Returns the placement of a path, with its prefix for each level that the plan declares.
    pub fn place_of(plan: &mut Plan, domain: Option<&str>) -> Placement {
        let Some(domain) = domain else {
            return Placement { domain: None, levels: vec![None; plan.levels.len()] };
        };
        // The path `a/b/c` has the prefixes `a`, `a/b` and `a/b/c`, one for each level.
        let ends = domain.match_indices('/').map(|(at, _)| at).chain([domain.len()]);
        let paths: Vec<Symbol> = ends.map(|end| plan.symbols.intern(&domain[..end])).collect();
        let levels = (0..plan.levels.len()).map(|depth| paths.get(depth).copied()).collect();
        Placement { domain: Some(plan.symbols.intern(domain)), levels }
    }
}
