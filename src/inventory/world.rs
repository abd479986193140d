//! A fleet bound to a plan: values typed, places known, every stock of resources in one table.

use indexmap::{IndexMap, IndexSet};

use super::records::TierKind;
use crate::{
    ir::{ColumnId, Plan, Rule},
    quantity::{Dimension, Overlap},
    ranges::Ranges,
    source::Span,
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// Something that is counted, by its number in [`World::stocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StockId(pub u32);

/// What one holder has of one resource, by its number in [`World::holdings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldingId(pub u32);

/// Which part of what a holder has. The parts are disjoint and add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// For a role and those below it.
    Reserved(Symbol),
    /// For everyone.
    Unreserved,
    /// For who accepts that it may be taken back.
    Revocable,
}

/// What a stock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockKind {
    /// A part of a holding.
    Part(PartKind),
    /// The places for users of an existing volume.
    Users,
    /// What a role and those below it may use of a resource.
    Limit(Symbol),
}

/// How much a holder has of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Never used up.
    Unlimited,
    /// The usable total, in base units.
    Scalar(i64),
    /// Which ones.
    Ranges(Ranges),
    /// Which ones, sorted by name.
    Items(Vec<Symbol>),
}

/// Something that is counted.
#[derive(Clone, Debug)]
pub struct Stock {
    /// The resource.
    pub resource: Symbol,
    /// Of an agent or of storage.
    pub side: Side,
    /// What it is.
    pub kind: StockKind,
    /// What it measures; of ranges and items, a number.
    pub dimension: Dimension,
    /// The total as declared, before `reserved` and `overcommit`.
    pub declared: Quota,
    /// What can be used.
    pub usable: Quota,
    /// Whether `reserved` or `overcommit` stand between the two.
    pub is_adjusted: bool,
    /// Where it stands.
    pub span: Span,
}

/// What one holder has of one resource: its parts, and what may be asked of them together.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The resource.
    pub resource: Symbol,
    /// Of an agent or of storage.
    pub side: Side,
    /// What it measures; of ranges and items, a number.
    pub dimension: Dimension,
    /// Its parts, in order of declaration; of each kind and role, one.
    pub parts: Vec<(PartKind, StockId)>,
    /// A request takes a multiple of it; 0 for none.
    pub step: i64,
    /// A request takes at least it.
    pub min: i64,
    /// A request above it is refused.
    pub max: Option<i64>,
    /// Where its first part stands.
    pub span: Span,
}

impl Holding {
    /// What a request of `asked` takes: the least multiple of `step` that is at least `max(asked, min)`; `None`
    /// above `max`, or above 64 bits.
    pub fn taken(&self, asked: i64) -> Option<i64> {
        self.rounded(asked).filter(|taken| self.max.is_none_or(|max| *taken <= max))
    }

    /// What a request of `asked` would take if there were no `max`.
    pub fn rounded(&self, asked: i64) -> Option<i64> {
        let least = asked.max(self.min);
        if self.step == 0 {
            return Some(least);
        }
        let steps = i128::from(least).div_euclid(i128::from(self.step))
            + i128::from(least.rem_euclid(self.step) != 0);
        i64::try_from(steps * i128::from(self.step)).ok()
    }

    /// Its firm parts: all but the revocable one.
    pub fn firm(&self) -> impl Iterator<Item = StockId> {
        self.parts.iter().filter(|part| part.0 != PartKind::Revocable).map(|part| part.1)
    }
}

/// The value of a key of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The row does not have the key.
    Absent,
    /// The row has a value of another type than the key's, shown here as data has it.
    Mismatch(String),
    /// The value.
    Value(Value),
}

/// The keys that one row has, each at the place of its column ([`World::cell`]) and sorted by it. What the row does not have takes
/// no room: a fleet in which every row has a key of its own is as large as what was written, not rows times keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells(Vec<(u32, Cell)>);

impl Cells {
    /// The cells that are there, at their places, in any order.
    pub(super) fn new(mut there: Vec<(u32, Cell)>) -> Cells {
        there.sort_unstable_by_key(|(at, _)| *at);
        Cells(there)
    }

    /// The cell at a place: in a row that has all keys it is just there, else it is looked for.
    pub fn get(&self, at: usize) -> &Cell {
        if let Some((place, cell)) = self.0.get(at)
            && *place as usize == at
        {
            return cell;
        }
        let found = self.0.binary_search_by_key(&at, |(place, _)| *place as usize);
        found.map_or(&Cell::Absent, |found| &self.0[found].1)
    }

    /// The cells that are there, with their places, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Cell)> {
        self.0.iter().map(|(at, cell)| (*at as usize, cell))
    }
}

/// Where something is: its path, and the path down to each declared level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The whole path.
    pub domain: Option<Symbol>,
    /// By depth; levels below the path's end are absent.
    pub levels: Vec<Option<Symbol>>,
}

/// A resource of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The resource.
    pub resource: Symbol,
    /// What there is of it.
    pub holding: HoldingId,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its name.
    pub name: Symbol,
    /// Where it is.
    pub placement: Placement,
    /// Its keys, by [`World::cell`].
    pub cells: Cells,
    /// Its resources.
    pub resources: Holdings,
    /// Its rules, by their number in `Plan::agent_rules`.
    pub rules: usize,
    /// Where it is declared.
    pub span: Span,
}

/// Resources up to which a list of them is looked through; one with more is looked up.
const FEW_RESOURCES: usize = 8;

/// What an agent has, in order of declaration.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    list: Vec<Held>,
    /// Places in the list; none where it is short.
    by_resource: IndexMap<Symbol, usize>,
}

impl From<Vec<Held>> for Holdings {
    fn from(list: Vec<Held>) -> Holdings {
        let long = if list.len() > FEW_RESOURCES { list.as_slice() } else { &[] };
        // The first of a name is the one that is found.
        let by_resource = long.iter().enumerate().rev().map(|(at, held)| (held.resource, at)).collect();
        Holdings { list, by_resource }
    }
}

impl<'a> IntoIterator for &'a Holdings {
    type Item = &'a Held;
    type IntoIter = std::slice::Iter<'a, Held>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl PartialEq for Holdings {
    fn eq(&self, other: &Holdings) -> bool {
        self.list == other.list
    }
}

impl Holdings {
    /// All of it.
    pub fn list(&self) -> &[Held] {
        &self.list
    }

    /// All of it, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Held> {
        self.list.iter()
    }

    fn find(&self, resource: Symbol) -> Option<&Held> {
        if self.by_resource.is_empty() {
            return self.list.iter().find(|held| held.resource == resource);
        }
        self.by_resource.get(&resource).map(|at| &self.list[*at])
    }
}

/// A provider, instance, pool or existing volume.
#[derive(Clone, Debug)]
pub struct Tier {
    /// Which.
    pub kind: TierKind,
    /// Its own name.
    pub name: Symbol,
    /// Names down to it, with `/` between.
    pub path: Symbol,
    /// The tier above.
    pub parent: Option<usize>,
    /// Its resources.
    pub resources: Vec<Held>,
    /// Its rules, by their number in `Plan::tier_rules`.
    pub rules: usize,
    /// Where it is declared.
    pub span: Span,
}

/// What one volume can be served by: a pool, or an existing volume.
#[derive(Clone, Debug)]
pub struct Supply {
    /// The tier itself, then those above.
    pub chain: Vec<usize>,
    /// Its path.
    pub path: Symbol,
    /// Its pool's path.
    pub pool: Symbol,
    /// Its instance's path.
    pub instance_path: Symbol,
    /// Its instance's name.
    pub instance: Symbol,
    /// Its provider's name.
    pub provider: Symbol,
    /// Where it is: the nearest place of its tiers.
    pub placement: Placement,
    /// Its keys: the nearest value of its tiers.
    pub cells: Cells,
    /// For each resource what it is taken from: the lowest tier first. What an existing volume declares
    /// itself is not among them: its user has it whole.
    pub resources: IndexMap<Symbol, Vec<HoldingId>>,
    /// What an existing volume is.
    pub existing: Option<Existing>,
}

/// An existing volume.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its file system, if it has one.
    pub filesystem: Option<Symbol>,
    /// Whether it can only be read.
    pub read_only: bool,
    /// Its places for users: as many as may use it at once, without limit where it can only be read.
    pub users: StockId,
    /// Its own resources, which a user has whole.
    pub whole: Vec<(Symbol, Dimension, i64)>,
    /// The role it is kept for.
    pub reserved_for: Option<Symbol>,
    /// What it takes from its pool and the tiers above, whoever uses it.
    pub takes: Vec<Take>,
}

impl Supply {
    /// What there is of a resource at each tier, lowest first.
    pub fn holdings(&self, resource: Symbol) -> Option<&[HoldingId]> {
        if self.resources.len() > FEW_RESOURCES {
            return self.resources.get(&resource).map(Vec::as_slice);
        }
        self.resources.iter().find(|known| *known.0 == resource).map(|known| known.1.as_slice())
    }
}

/// What one stock gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The stock.
    pub stock: StockId,
    /// How much.
    pub amount: Taken,
}

/// How much was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// In base units.
    Scalar(i64),
    /// The very ones; of items, their numbers in the sorted list.
    Set(Ranges),
}

impl Taken {
    /// How much, in base units; of ranges and items how many, in millionths.
    pub fn count(&self) -> i128 {
        match self {
            Taken::Scalar(amount) => i128::from(*amount),
            Taken::Set(set) => set.count() as i128 * i128::from(crate::quantity::MILLION),
        }
    }
}

/// What is taken already.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// Its name.
    pub name: Symbol,
    /// Whose it is.
    pub framework: Symbol,
    /// Which role it counts for.
    pub role: Symbol,
    /// Which need of the framework it serves.
    pub need: Option<Symbol>,
    /// Where it runs.
    pub agent: Option<usize>,
    /// What serves its volumes.
    pub supplies: Vec<usize>,
    /// Everything it takes, tiers above included.
    pub takes: Vec<Take>,
    /// Of each of its uses, in order: how many of `takes` and of `shares` there are up to its end.
    pub ends: Vec<(usize, usize)>,
    /// The part of `takes` that counts in shares: the lowest tiers, and existing volumes whole.
    pub shares: Vec<(Side, Symbol, i128)>,
}

/// What is known of the broker.
#[derive(Clone, Debug, Default)]
pub struct BrokerFacts {
    /// Where it is.
    pub placement: Placement,
    /// Its keys.
    pub keys: Vec<(Symbol, Value)>,
}

/// A fleet bound to a plan.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The broker.
    pub broker: BrokerFacts,
    /// Agents, sorted by name.
    pub agents: Vec<Agent>,
    /// Tiers, parents before children.
    pub tiers: Vec<Tier>,
    /// Supplies, sorted by path.
    pub supplies: Vec<Supply>,
    /// Every stock.
    pub stocks: Vec<Stock>,
    /// Every holding.
    pub holdings: Vec<Holding>,
    /// What roles may use at the most: role, side and resource.
    pub limits: IndexMap<(Symbol, Side, Symbol), StockId>,
    /// Of each role that takes anything: itself, then those above it.
    pub lines: IndexMap<Symbol, Vec<Symbol>>,
    /// Whether what is free of other roles' reservations is offered as revocable.
    pub lends: bool,
    /// By how much offers may overlap.
    pub overlap: Overlap,
    /// What is taken, sorted by name.
    pub allocations: Vec<Allocation>,
    /// Usable totals by side and resource, for shares: each at the lowest tier that declares it, all parts.
    pub totals: IndexMap<(Side, Symbol), i128>,
    /// Every open key that some agent or tier has, also those that no policy reads. Of a fleet that changes, also
    /// those that one had before.
    pub keys: IndexSet<(Side, Symbol)>,
    pub(super) cells: Vec<Option<u32>>,
    pub(super) agent_names: IndexMap<Symbol, usize>,
    pub(super) supply_paths: IndexMap<Symbol, usize>,
    /// Numbers of stocks and holdings that are of nothing now, for the next that are needed.
    pub(super) free_stocks: Vec<StockId>,
    pub(super) free_holdings: Vec<HoldingId>,
}

impl World {
    /// A stock.
    pub fn stock(&self, id: StockId) -> &Stock {
        &self.stocks[id.0 as usize]
    }

    /// The agent with this name.
    pub fn agent(&self, name: Symbol) -> Option<usize> {
        self.agent_names.get(&name).copied()
    }

    /// The pool or existing volume with this path.
    pub fn supply(&self, path: Symbol) -> Option<usize> {
        self.supply_paths.get(&path).copied()
    }

    /// What existing volumes take from their pools, whoever uses them.
    pub fn carved(&self) -> impl Iterator<Item = &Take> {
        self.supplies.iter().filter_map(|supply| supply.existing.as_ref()).flat_map(|volume| &volume.takes)
    }

    /// What counts in shares of what a supply is taken from: of each resource the lowest tier that has it, and of
    /// an existing volume what its pool has of what the volume holds.
    pub(super) fn counted(&self, supply: &Supply) -> Vec<HoldingId> {
        let mut counted: Vec<HoldingId> =
            supply.resources.iter().filter_map(|(_, tiers)| tiers.first().copied()).collect();
        if let Some(existing) = &supply.existing {
            let pool = &self.tiers[supply.chain[1]];
            let of_volume =
                |held: &&Held| existing.whole.iter().any(|(resource, ..)| *resource == held.resource);
            counted.extend(pool.resources.iter().filter(of_volume).map(|held| held.holding));
        }
        counted
    }

    /// The usable total of a holding, all parts together, if any of it has an end.
    pub(super) fn usable(&self, id: HoldingId) -> Option<i128> {
        let totals =
            self.holding(id).parts.iter().filter_map(|part| super::ledger::total(self.stock(part.1)));
        totals.fold(None, |sum, total| Some(sum.unwrap_or(0) + total))
    }

    /// Adds what a holding has to the totals, or takes it away.
    pub(super) fn count(&mut self, id: HoldingId, sign: i128) {
        let Some(usable) = self.usable(id) else { return };
        let holding = self.holding(id);
        let key = (holding.side, holding.resource);
        *self.totals.entry(key).or_insert(0) += sign * usable;
    }

    /// A holding.
    pub fn holding(&self, id: HoldingId) -> &Holding {
        &self.holdings[id.0 as usize]
    }

    /// What an agent has of a resource.
    pub fn agent_holding(&self, agent: usize, resource: Symbol) -> Option<HoldingId> {
        self.agents[agent].resources.find(resource).map(|held| held.holding)
    }

    /// The rules of an agent's own; of none, none.
    pub fn rules_of_agent<'p>(&self, plan: &'p Plan, agent: Option<usize>) -> &'p [Rule] {
        agent.map(|agent| plan.agent_rules[self.agents[agent].rules].as_slice()).unwrap_or_default()
    }

    /// The rules of a supply's tiers, its own first.
    pub fn rules_of_supply<'p>(&self, plan: &'p Plan, supply: usize) -> impl Iterator<Item = &'p Rule> {
        let tiers = self.supplies[supply].chain.iter();
        tiers.flat_map(|tier| &plan.tier_rules[self.tiers[*tier].rules])
    }

    /// A role and those above it.
    pub fn line(&self, role: Symbol) -> &[Symbol] {
        self.lines.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Where the value of a column stands in the cells of its side's rows, for open keys of agents and supplies.
    pub fn cell(&self, column: ColumnId) -> Option<usize> {
        self.cells.get(column.0 as usize).copied().flatten().map(|at| at as usize)
    }

    /// The path of a place down to a level.
    pub fn place_of(plan: &mut Plan, domain: Option<&str>) -> Placement {
        let Some(domain) = domain else {
            return Placement { domain: None, levels: vec![None; plan.levels.len()] };
        };
        let ends = domain.match_indices('/').map(|(at, _)| at).chain([domain.len()]);
        let paths: Vec<Symbol> = ends.map(|end| plan.symbols.intern(&domain[..end])).collect();
        let levels = (0..plan.levels.len()).map(|depth| paths.get(depth).copied()).collect();
        Placement { domain: Some(plan.symbols.intern(domain)), levels }
    }
}
