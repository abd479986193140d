//! Amounts of stocks, holdings and requests, as outputs show them.

use indexmap::IndexMap;

use super::wire::{OrderedFields, PartTotals, Parts, Totals, WrittenAmount};
use crate::{
    inventory::{
        ledger::{self, Ledger},
        world::{HoldingId, PartKind, Stock, StockId, StockKind, Take, Taken, Total, World},
    },
    ir::{self, Plan},
    quantity::{Dimension, render},
    ranges::Ranges,
    symbol::Symbol,
};

/// A fleet and a ledger, whose amounts are shown.
#[derive(Clone, Copy)]
pub struct AmountWriter<'a> {
    /// The policy.
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// The used amounts.
    pub ledger: &'a Ledger,
}

impl AmountWriter<'_> {
    fn text(&self, symbol: Symbol) -> String {
        self.plan.symbols.text(symbol).to_owned()
    }

    /// Returns the free amount of several stocks of one resource, together.
    fn free(&self, stocks: &[StockId]) -> WrittenAmount {
        let sets = stocks.iter().map(|id| (*id, self.ledger.free_set(self.world, *id)));
        self.sum(sets, |id| self.ledger.free(self.world, id))
    }

    /// Returns the usable amount of several stocks of one resource, together.
    fn total(&self, stocks: &[StockId]) -> WrittenAmount {
        let stock = |id: StockId| self.world.stock(id);
        let sets = stocks.iter().map(|id| (*id, ledger::all(stock(*id))));
        self.sum(sets, |id| ledger::total(stock(id)))
    }

    fn sum(
        &self,
        stocks: impl Iterator<Item = (StockId, Option<Ranges>)>,
        scalar: impl Fn(StockId) -> Option<i128>,
    ) -> WrittenAmount {
        // `None` stands for an unlimited sum.
        let mut sum: Option<i128> = Some(0);
        let mut dimension = Dimension::Number;
        let mut sets: Vec<WrittenAmount> = Vec::new();
        for (id, set) in stocks {
            let stock = self.world.stock(id);
            dimension = stock.dimension;
            match set {
                Some(set) => sets.push(set_of(self.plan, stock, &set)),
                None => sum = sum.zip(scalar(id)).map(|(sum, amount)| sum + amount),
            }
        }
        if let Some(together) = sets.into_iter().reduce(joined) {
            return together;
        }
        WrittenAmount::Scalar(sum.map_or("unlimited".to_owned(), |sum| render(dimension, sum)))
    }

    /// Returns the free amount of a holding, without its revocable part.
    pub fn free_of(&self, id: HoldingId) -> WrittenAmount {
        self.free(&self.world.holding(id).firm().collect::<Vec<_>>())
    }

    /// Returns the totals of a holding without its revocable part, and those of each part unless the only
    /// part is an unreserved one.
    pub fn totals(&self, id: HoldingId) -> Totals {
        let holding = self.world.holding(id);
        let firm: Vec<StockId> = holding.firm().collect();
        let used = |stocks: &[StockId]| {
            let sum = stocks.iter().map(|id| self.ledger.used(*id)).sum();
            WrittenAmount::Scalar(render(holding.dimension, sum))
        };
        let part = |(kind, id): &(PartKind, StockId)| {
            let (part, role) = match kind {
                PartKind::Reserved(role) => ("reserved", Some(self.text(*role))),
                PartKind::Unreserved => ("unreserved", None),
                PartKind::Revocable => ("revocable", None),
            };
            let own = [*id];
            PartTotals { part, role, total: self.total(&own), used: used(&own), free: self.free(&own) }
        };
        let plain = matches!(holding.parts.as_slice(), [(PartKind::Unreserved, _)]);
        let parts = if plain { Vec::new() } else { holding.parts.iter().map(part).collect() };
        Totals { total: self.total(&firm), used: used(&firm), free: self.free(&firm), parts }
    }

    /// Returns the taken amounts by part. `line` holds the roles whose reservations the framework may use:
    /// its role and those above it. Amounts lent from other reservations are shown with their role only if
    /// `tells_whose`, else as revocable: a framework must not learn who reserved what.
    pub fn parts<'t>(
        &self,
        taken: impl Iterator<Item = (Symbol, &'t [Take])>,
        line: &[Symbol],
        tells_whose: bool,
    ) -> Parts {
        let mut kinds: IndexMap<(WirePartKind, Option<Symbol>), IndexMap<Symbol, Vec<Take>>> =
            IndexMap::new();
        for (resource, takes) in taken {
            for take in takes {
                let StockKind::Part(kind) = self.world.stock(take.stock).kind else { continue };
                let kind = match kind {
                    PartKind::Unreserved => (WirePartKind::Unreserved, None),
                    PartKind::Reserved(role) if line.contains(&role) => (WirePartKind::Reserved, Some(role)),
                    PartKind::Reserved(role) if tells_whose => (WirePartKind::Lent, Some(role)),
                    PartKind::Reserved(_) | PartKind::Revocable => (WirePartKind::Revocable, None),
                };
                kinds.entry(kind).or_default().entry(resource).or_default().push(take.clone());
            }
        }
        let mut parts = Parts::default();
        for ((kind, role), amounts) in kinds {
            let amounts = amounts.iter().map(|(name, takes)| (self.text(*name), self.together(takes)));
            let amounts: OrderedFields<WrittenAmount> = amounts.collect();
            let role = role.map(|role| self.text(role)).unwrap_or_default();
            match kind {
                WirePartKind::Unreserved => parts.unreserved = amounts,
                WirePartKind::Revocable => parts.revocable = amounts,
                WirePartKind::Reserved => parts.reserved.0.push((role, amounts)),
                WirePartKind::Lent => parts.lent.0.push((role, amounts)),
            }
        }
        parts
    }

    fn taken(&self, take: &Take) -> AmountSum {
        let stock = self.world.stock(take.stock);
        match &take.amount {
            Taken::Scalar(amount) => AmountSum::Scalar(stock.dimension, i128::from(*amount)),
            Taken::Set(set) => AmountSum::Set(set_of(self.plan, stock, set)),
        }
    }

    /// Returns the taken amount of one resource, all parts together.
    pub fn together(&self, takes: &[Take]) -> WrittenAmount {
        let sum = takes.iter().map(|take| self.taken(take)).reduce(AmountSum::plus);
        sum.map_or(WrittenAmount::Scalar("0".to_owned()), AmountSum::amount)
    }
}

enum AmountSum {
    Scalar(Dimension, i128),
    Set(WrittenAmount),
}

impl AmountSum {
    fn plus(self, other: AmountSum) -> AmountSum {
        match (self, other) {
            (AmountSum::Scalar(dimension, one), AmountSum::Scalar(_, other)) => {
                AmountSum::Scalar(dimension, one + other)
            }
            (AmountSum::Set(one), AmountSum::Set(other)) => AmountSum::Set(joined(one, other)),
            (one, _) => one,
        }
    }

    fn amount(self) -> WrittenAmount {
        match self {
            AmountSum::Scalar(dimension, amount) => WrittenAmount::Scalar(render(dimension, amount)),
            AmountSum::Set(set) => set,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum WirePartKind {
    Reserved,
    Unreserved,
    Revocable,
    Lent,
}

fn joined(one: WrittenAmount, other: WrittenAmount) -> WrittenAmount {
    match (one, other) {
        (WrittenAmount::Ranges(one), WrittenAmount::Ranges(other)) => {
            WrittenAmount::Ranges(Ranges::new(one.into_iter().chain(other)).parts().to_vec())
        }
        (WrittenAmount::Items(mut one), WrittenAmount::Items(other)) => {
            one.extend(other);
            one.sort_unstable();
            WrittenAmount::Items(one)
        }
        (one, _) => one,
    }
}

/// Returns the members of a set. A set of items holds their positions in the stock, which are replaced by
/// their names.
fn set_of(plan: &Plan, stock: &Stock, set: &Ranges) -> WrittenAmount {
    match &stock.usable {
        Total::Items(items) => {
            let numbers = set.parts().iter().flat_map(|(low, high)| *low..=*high);
            let item = |number: i64| items.get(usize::try_from(number).ok()?);
            WrittenAmount::Items(
                numbers.filter_map(item).map(|item| plan.symbols.text(*item).to_owned()).collect(),
            )
        }
        _ => WrittenAmount::Ranges(set.parts().to_vec()),
    }
}

/// The amount that a need asks for.
pub fn asked(plan: &Plan, amount: &ir::Amount) -> WrittenAmount {
    match amount {
        ir::Amount::Scalar(dimension, low, high) => {
            let end = |amount: i64| render(*dimension, i128::from(amount));
            if low == high {
                WrittenAmount::Scalar(end(*low))
            } else {
                WrittenAmount::Scalar(format!("{}..{}", end(*low), end(*high)))
            }
        }
        ir::Amount::Ranges(ranges) => WrittenAmount::Ranges(ranges.parts().to_vec()),
        ir::Amount::Items(items) => {
            WrittenAmount::Items(items.iter().map(|item| plan.symbols.text(*item).to_owned()).collect())
        }
    }
}

/// The amount that an existing volume gives as a whole.
pub fn whole(dimension: Dimension, amount: i64) -> WrittenAmount {
    WrittenAmount::Scalar(render(dimension, i128::from(amount)))
}
