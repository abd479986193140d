//! What there is room for, by rows: one column for each resource and kind of taker.

use indexmap::IndexMap;

use crate::{
    engine::columns::{Bits, Ints, Journal},
    inventory::{
        ledger,
        room::Revocable,
        world::{HoldingId, PartKind, Quota, World},
    },
    ir::Amount,
    matching::{Draft, Matcher},
    quantity::{Dimension, MILLION},
    symbol::Symbol,
    types::Side,
};

/// Takers that find the same free: the parts that are open to them are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    side: Side,
    resource: Symbol,
    /// Roles of the taker's line for which anything is reserved anywhere.
    reserved: Vec<Symbol>,
    revocable: bool,
    /// Where promises are told apart.
    framework: Option<usize>,
}

/// What rows have free of a resource.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// What is free of the parts that are open; rows without it take nothing.
    free: Ints,
    /// Rows that do not have the resource.
    none: Bits,
    /// Rows that must be looked at one by one: with a step, a least or a most, or unlike the others.
    odd: Bits,
    /// Whether the others hold ranges or items.
    sets: bool,
    /// What the others measure.
    dimension: Dimension,
    /// Whether some of the others are without end, and give what is measured otherwise too.
    endless: bool,
    read: usize,
}

/// One row of a column.
enum Cell {
    None,
    Odd,
    /// Nothing of it is open.
    Shut,
    Free {
        set: bool,
        endless: bool,
        dimension: Dimension,
        amount: i64,
    },
}

/// What an amount asks of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// So much free.
    AtLeast(i64),
    /// More than any has.
    Never,
    /// Each row is looked at.
    Plainly,
}

impl Bound {
    /// The same, if the limits over the taker leave room for it.
    pub fn within_limits(self, matcher: &Matcher<'_>, side: Side, resource: Symbol) -> Bound {
        let Bound::AtLeast(amount) = self else { return self };
        if matcher.moment.world.limits.is_empty() {
            return self;
        }
        let draft = Draft::default();
        match matcher.room(&draft).limit_takes(side, resource, i128::from(amount)) {
            Ok(_) => self,
            Err(_) => Bound::Never,
        }
    }
}

/// Columns of what is free.
#[derive(Clone, Debug, Default)]
pub(super) struct Rooms {
    columns: IndexMap<Key, Column>,
    /// Roles for which anything is reserved.
    reserved: Vec<Symbol>,
}

impl Rooms {
    pub fn new(world: &World) -> Rooms {
        let parts = world.holdings.iter().flat_map(|holding| &holding.parts);
        let mut reserved: Vec<Symbol> = parts
            .filter_map(|part| match part.0 {
                PartKind::Reserved(role) => Some(role),
                PartKind::Unreserved | PartKind::Revocable => None,
            })
            .collect();
        reserved.sort_unstable();
        reserved.dedup();
        Rooms { columns: IndexMap::new(), reserved }
    }

    /// The number of the column for a need and a resource.
    pub fn column(
        &mut self,
        matcher: &Matcher<'_>,
        side: Side,
        resource: Symbol,
        journal: &Journal,
    ) -> usize {
        let draft = Draft::default();
        let taker = matcher.room(&draft).taker;
        let of_line = taker.line.iter().filter(|role| self.reserved.binary_search(role).is_ok());
        let apart = matcher.moment.ledger.tells_promises();
        let key = Key {
            side,
            resource,
            reserved: of_line.copied().collect(),
            revocable: taker.revocable != Revocable::No,
            framework: taker.framework.filter(|_| apart),
        };
        if let Some(known) = self.columns.get_index_of(&key) {
            return known;
        }
        let column = Column::new(matcher, side, resource, journal.len());
        self.columns.insert_full(key, column).0
    }

    /// Bytes of the columns of a side.
    pub fn bytes(&self, side: Side) -> usize {
        let of_side = self.columns.iter().filter(|(key, _)| key.side == side);
        of_side.map(|(_, column)| column.free.rows() * column.free.width() + column.free.rows() * 3 / 8).sum()
    }

    /// A column, as things are now.
    pub fn current(&mut self, at: usize, matcher: &Matcher<'_>, journal: &Journal) -> &Column {
        let Some((key, column)) = self.columns.get_index_mut(at) else {
            unreachable!("a number that `column` gave")
        };
        if column.read < journal.len() {
            column.follow(matcher, key.side, key.resource, journal);
        }
        column
    }

    /// A column, as it was when it was last asked for.
    pub fn known(&self, at: usize) -> &Column {
        &self.columns[at]
    }
}

impl Column {
    fn new(matcher: &Matcher<'_>, side: Side, resource: Symbol, read: usize) -> Column {
        let rows = rows(matcher.moment.world, side);
        let cells: Vec<Cell> = (0..rows).map(|row| cell(matcher, side, resource, row)).collect();
        let first = cells.iter().find_map(|cell| match cell {
            Cell::Free { set, dimension, .. } => Some((*set, *dimension)),
            _ => None,
        });
        let (sets, dimension) = first.unwrap_or((false, Dimension::Number));
        let mut column = Column {
            free: Ints::new(&[]),
            none: Bits::of(rows, |row| matches!(cells[row], Cell::None)),
            odd: Bits::none(rows),
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

    /// What a row has free; that it is odd is noted.
    fn amount(&mut self, row: usize, cell: &Cell) -> Option<i64> {
        let (odd, amount) = match *cell {
            Cell::None | Cell::Shut => (false, None),
            Cell::Free { set, endless, dimension, amount }
                if set == self.sets && (set || dimension == self.dimension) =>
            {
                self.endless |= endless;
                (false, Some(amount))
            }
            Cell::Odd | Cell::Free { .. } => (true, None),
        };
        self.odd.set(row, odd);
        amount
    }

    fn follow(&mut self, matcher: &Matcher<'_>, side: Side, resource: Symbol, journal: &Journal) {
        let Some(changed) = journal.since(self.read) else {
            *self = Column::new(matcher, side, resource, journal.len());
            return;
        };
        for row in changed {
            let cell = cell(matcher, side, resource, row);
            self.none.set(row, matches!(cell, Cell::None));
            let amount = self.amount(row, &cell);
            self.free.set(row, amount);
        }
        self.read = journal.len();
    }

    /// What an amount asks, with what is charged beside it.
    pub fn bound(&self, amount: &Amount, charged: i64) -> Bound {
        let Amount::Scalar(dimension, low, _) = amount else { return Bound::Plainly };
        let Some(asked) = low.checked_add(charged) else { return Bound::Never };
        if self.sets {
            let whole = |amount: i64| amount >= 0 && amount % MILLION == 0;
            return if whole(*low) && whole(charged) { Bound::AtLeast(asked) } else { Bound::Never };
        }
        match () {
            () if *dimension == self.dimension => Bound::AtLeast(asked.max(0)),
            () if self.endless => Bound::Plainly,
            () => Bound::Never,
        }
    }

    /// Keeps the rows that have enough; `nothing`: whether those without the resource do. Odd rows go.
    pub fn fits(&self, bound: Bound, nothing: bool, rows: &mut Bits) {
        let before = nothing.then(|| {
            let mut none = rows.clone();
            none.and(&self.none);
            none
        });
        match bound {
            Bound::AtLeast(bound) => self.free.at_least(bound, rows),
            Bound::Never | Bound::Plainly => *rows = Bits::none(rows.rows()),
        }
        if let Some(none) = before {
            rows.or(&none);
        }
    }

    /// As [`Column::fits`], of one row.
    pub fn fits_row(&self, bound: Bound, nothing: bool, row: usize) -> bool {
        match bound {
            Bound::AtLeast(bound) if self.free.is_at_least(row, bound) => true,
            _ => nothing && self.none.has(row),
        }
    }

    /// Rows that must be looked at one by one.
    pub fn odd(&self) -> &Bits {
        &self.odd
    }
}

fn rows(world: &World, side: Side) -> usize {
    if side == Side::Agent { world.agents.len() } else { world.supplies.len() }
}

fn cell(matcher: &Matcher<'_>, side: Side, resource: Symbol, row: usize) -> Cell {
    let world = matcher.moment.world;
    let of_agent;
    let tiers: &[HoldingId] = if side == Side::Agent {
        of_agent = world.agent_holding(row, resource);
        of_agent.as_slice()
    } else {
        let supply = &world.supplies[row];
        if supply.existing.is_some() {
            return Cell::Odd;
        }
        supply.holdings(resource).unwrap_or_default()
    };
    let Some(lowest) = tiers.first().map(|tier| world.holding(*tier)) else { return Cell::None };
    let quota = |part: &(PartKind, _)| &world.stock(part.1).usable;
    let has_set =
        |tier: &HoldingId| world.holding(*tier).parts.iter().any(|part| ledger::is_set(world.stock(part.1)));
    let set = tiers.iter().any(has_set);
    let endless = tiers
        .iter()
        .flat_map(|tier| &world.holding(*tier).parts)
        .any(|part| *quota(part) == Quota::Unlimited);
    let plain = lowest.step == 0 && lowest.min == 0 && lowest.max.is_none();
    // Sets over several tiers must be the same ones.
    if !plain || (set && (endless || tiers.len() > 1)) {
        return Cell::Odd;
    }
    let draft = Draft::default();
    let room = matcher.room(&draft);
    let mut least = i128::MAX;
    for tier in tiers {
        if room.parts(world.holding(*tier)).next().is_none() {
            return Cell::Shut;
        }
        least = least.min(room.free_of(*tier).unwrap_or(i128::MAX));
    }
    let amount = i64::try_from(least).unwrap_or(i64::MAX);
    Cell::Free { set, endless, dimension: lowest.dimension, amount }
}
