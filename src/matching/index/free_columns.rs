//! Columns of free amounts by row, one for each resource and kind of requester.
//!
//! A column answers "which rows have at least this much" for 64 rows at a time. It can only do so for rows
//! where the answer is a comparison of numbers. All others are *odd*, and are checked one by one by the plain
//! engine: requests with a step, a minimum or a maximum, existing volumes, and rows of another kind than the
//! rest of their column.

use indexmap::IndexMap;

use crate::{
    engine::columns::{Bits, Ints, Journal},
    inventory::{
        availability::Revocable,
        ledger,
        world::{HoldingId, PartKind, Total, World},
    },
    ir::Amount,
    matching::{Draft, Matcher},
    quantity::{Dimension, MILLION},
    symbol::Symbol,
    types::Side,
};

/// The requesters that find the same free amounts, because the same parts are open to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OpenPartsKey {
    side: Side,
    resource: Symbol,
    /// The roles of the requester for which something is reserved somewhere.
    reserved: Vec<Symbol>,
    revocable: bool,
    /// The framework, if promises are kept apart.
    framework: Option<usize>,
}

/// The free amounts of a resource, by row.
#[derive(Clone, Debug)]
pub(super) struct FreeColumn {
    /// The free amounts of the open parts. Absent for rows that cannot give any.
    free: Ints,
    /// The rows without the resource.
    none: Bits,
    /// The rows that must be checked one by one.
    row_by_row: Bits,
    /// True if the other rows hold ranges or items.
    sets: bool,
    /// The dimension of the other rows.
    dimension: Dimension,
    /// True if some of the other rows are unlimited. Those also give amounts of another dimension.
    endless: bool,
    /// The number of entries of the journal that were read.
    read: usize,
}

/// The content of a column for one row.
enum FreeCell {
    None,
    RowByRow,
    /// No part is open to the requester.
    Shut,
    Free {
        set: bool,
        endless: bool,
        dimension: Dimension,
        amount: i64,
    },
}

/// The comparison that an amount asks of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AmountBound {
    /// At least this much must be free.
    AtLeast(i64),
    /// No row has enough.
    Never,
    /// The rows must be checked one by one.
    Plainly,
}

impl AmountBound {
    /// Returns the same bound if the limits over the requester leave room for it, and [`AmountBound::Never`]
    /// otherwise.
    pub fn within_limits(self, matcher: &Matcher<'_>, side: Side, resource: Symbol) -> AmountBound {
        let AmountBound::AtLeast(amount) = self else { return self };
        if matcher.moment.world.limits.is_empty() {
            return self;
        }
        let draft = Draft::default();
        match matcher.availability(&draft).limit_takes(side, resource, i128::from(amount)) {
            Ok(_) => self,
            Err(_) => AmountBound::Never,
        }
    }
}

/// The columns of an index.
#[derive(Clone, Debug, Default)]
pub(super) struct FreeColumns {
    columns: IndexMap<OpenPartsKey, FreeColumn>,
    /// The roles for which something is reserved, sorted.
    reserved: Vec<Symbol>,
}

impl FreeColumns {
    pub fn new(world: &World) -> FreeColumns {
        let parts = world.holdings.iter().flat_map(|holding| &holding.parts);
        let mut reserved: Vec<Symbol> = parts
            .filter_map(|part| match part.0 {
                PartKind::Reserved(role) => Some(role),
                PartKind::Unreserved | PartKind::Revocable => None,
            })
            .collect();
        reserved.sort_unstable();
        reserved.dedup();
        FreeColumns { columns: IndexMap::new(), reserved }
    }

    /// Returns the index of the column for a need and a resource. Builds it if it is new.
    pub fn column(
        &mut self,
        matcher: &Matcher<'_>,
        side: Side,
        resource: Symbol,
        journal: &Journal,
    ) -> usize {
        let draft = Draft::default();
        let requester = matcher.availability(&draft).requester;
        let of_line = requester.line.iter().filter(|role| self.reserved.binary_search(role).is_ok());
        let apart = matcher.moment.ledger.separates_promises();
        let key = OpenPartsKey {
            side,
            resource,
            reserved: of_line.copied().collect(),
            revocable: requester.revocable != Revocable::Exclude,
            framework: requester.framework.filter(|_| apart),
        };
        if let Some(known) = self.columns.get_index_of(&key) {
            return known;
        }
        let column = FreeColumn::new(matcher, side, resource, journal.len());
        self.columns.insert_full(key, column).0
    }

    /// Returns the bytes of the columns of a side.
    pub fn bytes(&self, side: Side) -> usize {
        let of_side = self.columns.iter().filter(|(key, _)| key.side == side);
        of_side.map(|(_, column)| column.free.rows() * column.free.width() + column.free.rows() * 3 / 8).sum()
    }

    /// Returns a column after bringing it up to date.
    pub fn current(&mut self, at: usize, matcher: &Matcher<'_>, journal: &Journal) -> &FreeColumn {
        let Some((key, column)) = self.columns.get_index_mut(at) else {
            unreachable!("a number that `column` gave")
        };
        if column.read < journal.len() {
            column.follow(matcher, key.side, key.resource, journal);
        }
        column
    }

    /// Returns a column as of the last call of [`FreeColumns::current`].
    pub fn known(&self, at: usize) -> &FreeColumn {
        &self.columns[at]
    }
}

impl FreeColumn {
    fn new(matcher: &Matcher<'_>, side: Side, resource: Symbol, read: usize) -> FreeColumn {
        let rows = rows(matcher.moment.world, side);
        let cells: Vec<FreeCell> = (0..rows).map(|row| cell(matcher, side, resource, row)).collect();
        // The first free amount decides what the column holds. Rows of another kind are odd.
        let first = cells.iter().find_map(|cell| match cell {
            FreeCell::Free { set, dimension, .. } => Some((*set, *dimension)),
            _ => None,
        });
        let (sets, dimension) = first.unwrap_or((false, Dimension::Number));
        let mut column = FreeColumn {
            free: Ints::new(&[]),
            none: Bits::of(rows, |row| matches!(cells[row], FreeCell::None)),
            row_by_row: Bits::none(rows),
            sets,
            dimension,
            endless: false,
            read,
        };
        let amounts: Vec<Option<i64>> =
            cells.iter().enumerate().map(|(row, cell)| column.amount(row, cell)).collect();
        column.free = Ints::new(&amounts);
        column
    }

    /// Returns the free amount of a row, and records if it is odd.
    fn amount(&mut self, row: usize, cell: &FreeCell) -> Option<i64> {
        let (odd, amount) = match *cell {
            FreeCell::None | FreeCell::Shut => (false, None),
            FreeCell::Free { set, endless, dimension, amount }
                if set == self.sets && (set || dimension == self.dimension) =>
            {
                self.endless |= endless;
                (false, Some(amount))
            }
            FreeCell::RowByRow | FreeCell::Free { .. } => (true, None),
        };
        self.row_by_row.set(row, odd);
        amount
    }

    fn follow(&mut self, matcher: &Matcher<'_>, side: Side, resource: Symbol, journal: &Journal) {
        let Some(changed) = journal.since(self.read) else {
            *self = FreeColumn::new(matcher, side, resource, journal.len());
            return;
        };
        for row in changed {
            let cell = cell(matcher, side, resource, row);
            self.none.set(row, matches!(cell, FreeCell::None));
            let amount = self.amount(row, &cell);
            self.free.set(row, amount);
        }
        self.read = journal.len();
    }

    /// Returns the comparison for an amount and the charges on it.
    pub fn bound(&self, amount: &Amount, charged: i64) -> AmountBound {
        let Amount::Scalar(dimension, low, _) = amount else { return AmountBound::Plainly };
        let Some(asked) = low.checked_add(charged) else { return AmountBound::Never };
        // Amounts of sets count members, so only whole ones can be given.
        if self.sets {
            let whole = |amount: i64| amount >= 0 && amount % MILLION == 0;
            return if whole(*low) && whole(charged) {
                AmountBound::AtLeast(asked)
            } else {
                AmountBound::Never
            };
        }
        match () {
            () if *dimension == self.dimension => AmountBound::AtLeast(asked.max(0)),
            () if self.endless => AmountBound::Plainly,
            () => AmountBound::Never,
        }
    }

    /// Keeps the rows that have enough, and those without the resource if `nothing` is `true`. Odd rows are
    /// removed.
    pub fn fits(&self, bound: AmountBound, nothing: bool, rows: &mut Bits) {
        let before = nothing.then(|| {
            let mut none = rows.clone();
            none.and(&self.none);
            none
        });
        match bound {
            AmountBound::AtLeast(bound) => self.free.at_least(bound, rows),
            AmountBound::Never | AmountBound::Plainly => *rows = Bits::none(rows.rows()),
        }
        if let Some(none) = before {
            rows.or(&none);
        }
    }

    /// Returns `true` if [`FreeColumn::fits`] would keep a row.
    pub fn fits_row(&self, bound: AmountBound, nothing: bool, row: usize) -> bool {
        match bound {
            AmountBound::AtLeast(bound) if self.free.is_at_least(row, bound) => true,
            _ => nothing && self.none.has(row),
        }
    }

    /// Returns the rows that must be checked one by one.
    pub fn row_by_row(&self) -> &Bits {
        &self.row_by_row
    }
}

fn rows(world: &World, side: Side) -> usize {
    if side == Side::Agent { world.agents.len() } else { world.supplies.len() }
}

fn cell(matcher: &Matcher<'_>, side: Side, resource: Symbol, row: usize) -> FreeCell {
    let world = matcher.moment.world;
    let of_agent;
    let tiers: &[HoldingId] = if side == Side::Agent {
        of_agent = world.agent_holding(row, resource);
        of_agent.as_slice()
    } else {
        let supply = &world.supplies[row];
        if supply.existing.is_some() {
            return FreeCell::RowByRow;
        }
        supply.holdings(resource).unwrap_or_default()
    };
    let Some(lowest) = tiers.first().map(|tier| world.holding(*tier)) else { return FreeCell::None };
    let quota = |part: &(PartKind, _)| &world.stock(part.1).usable;
    let has_set =
        |tier: &HoldingId| world.holding(*tier).parts.iter().any(|part| ledger::is_set(world.stock(part.1)));
    let set = tiers.iter().any(has_set);
    let endless = tiers
        .iter()
        .flat_map(|tier| &world.holding(*tier).parts)
        .any(|part| *quota(part) == Total::Unlimited);
    let plain = lowest.step == 0 && lowest.min == 0 && lowest.max.is_none();
    // Members of a set must be free in every tier at once, which numbers cannot tell.
    if !plain || (set && (endless || tiers.len() > 1)) {
        return FreeCell::RowByRow;
    }
    let draft = Draft::default();
    let availability = matcher.availability(&draft);
    let mut least = i128::MAX;
    for tier in tiers {
        if availability.parts(world.holding(*tier)).next().is_none() {
            return FreeCell::Shut;
        }
        least = least.min(availability.free_of(*tier).unwrap_or(i128::MAX));
    }
    let amount = i64::try_from(least).unwrap_or(i64::MAX);
    FreeCell::Free { set, endless, dimension: lowest.dimension, amount }
}
