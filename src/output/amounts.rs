//! Amounts of stocks, holdings and requests, as outputs show them.

use indexmap::IndexMap;

use super::wire::{Amount, Fields, PartTotals, Parts, Totals};
use crate::{
    inventory::{
        ledger::{self, Ledger},
        world::{HoldingId, PartKind, Quota, Stock, StockId, StockKind, Take, Taken, World},
    },
    ir::{self, Plan},
    quantity::{Dimension, render},
    ranges::Ranges,
    symbol::Symbol,
};

/// A fleet and a ledger, whose amounts are shown.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The policy.
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// The used amounts.
    pub ledger: &'a Ledger,
}

impl Shown<'_> {
    fn text(&self, symbol: Symbol) -> String {
        self.plan.symbols.text(symbol).to_owned()
    }

    /// Returns the free amount of several stocks of one resource, together.
    fn free(&self, stocks: &[StockId]) -> Amount {
        let sets = stocks.iter().map(|id| (*id, self.ledger.free_set(self.world, *id)));
        self.sum(sets, |id| self.ledger.free(self.world, id))
    }

    /// Returns the usable amount of several stocks of one resource, together.
    fn total(&self, stocks: &[StockId]) -> Amount {
        let stock = |id: StockId| self.world.stock(id);
        let sets = stocks.iter().map(|id| (*id, ledger::all(stock(*id))));
        self.sum(sets, |id| ledger::total(stock(id)))
    }

    fn sum(
        &self,
        stocks: impl Iterator<Item = (StockId, Option<Ranges>)>,
        scalar: impl Fn(StockId) -> Option<i128>,
    ) -> Amount {
        // `None` stands for an unlimited sum.
        let mut sum: Option<i128> = Some(0);
        let mut dimension = Dimension::Number;
        let mut sets: Vec<Amount> = Vec::new();
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
        Amount::Scalar(sum.map_or("unlimited".to_owned(), |sum| render(dimension, sum)))
    }

    /// Returns the free amount of a holding, without its revocable part.
    pub fn free_of(&self, id: HoldingId) -> Amount {
        self.free(&self.world.holding(id).firm().collect::<Vec<_>>())
    }

    /// Returns the totals of a holding without its revocable part, and those of each part unless the only
    /// part is an unreserved one.
    pub fn totals(&self, id: HoldingId) -> Totals {
        let holding = self.world.holding(id);
        let firm: Vec<StockId> = holding.firm().collect();
        let used = |stocks: &[StockId]| {
            let sum = stocks.iter().map(|id| self.ledger.used(*id)).sum();
            Amount::Scalar(render(holding.dimension, sum))
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
        let mut kinds: IndexMap<(Kind, Option<Symbol>), IndexMap<Symbol, Vec<Take>>> = IndexMap::new();
        for (resource, takes) in taken {
            for take in takes {
                let StockKind::Part(kind) = self.world.stock(take.stock).kind else { continue };
                let kind = match kind {
                    PartKind::Unreserved => (Kind::Unreserved, None),
                    PartKind::Reserved(role) if line.contains(&role) => (Kind::Reserved, Some(role)),
                    PartKind::Reserved(role) if tells_whose => (Kind::Lent, Some(role)),
                    PartKind::Reserved(_) | PartKind::Revocable => (Kind::Revocable, None),
                };
                kinds.entry(kind).or_default().entry(resource).or_default().push(take.clone());
            }
        }
        let mut parts = Parts::default();
        for ((kind, role), amounts) in kinds {
            let amounts = amounts.iter().map(|(name, takes)| (self.text(*name), self.together(takes)));
            let amounts: Fields<Amount> = amounts.collect();
            let role = role.map(|role| self.text(role)).unwrap_or_default();
            match kind {
                Kind::Unreserved => parts.unreserved = amounts,
                Kind::Revocable => parts.revocable = amounts,
                Kind::Reserved => parts.reserved.0.push((role, amounts)),
                Kind::Lent => parts.lent.0.push((role, amounts)),
            }
        }
        parts
    }

    fn taken(&self, take: &Take) -> Taking {
        let stock = self.world.stock(take.stock);
        match &take.amount {
            Taken::Scalar(amount) => Taking::Scalar(stock.dimension, i128::from(*amount)),
            Taken::Set(set) => Taking::Set(set_of(self.plan, stock, set)),
        }
    }

    /// Returns the taken amount of one resource, all parts together.
    pub fn together(&self, takes: &[Take]) -> Amount {
        let sum = takes.iter().map(|take| self.taken(take)).reduce(Taking::plus);
        sum.map_or(Amount::Scalar("0".to_owned()), Taking::amount)
    }
}

enum Taking {
    Scalar(Dimension, i128),
    Set(Amount),
}

impl Taking {
    fn plus(self, other: Taking) -> Taking {
        match (self, other) {
            (Taking::Scalar(dimension, one), Taking::Scalar(_, other)) => {
                Taking::Scalar(dimension, one + other)
            }
            (Taking::Set(one), Taking::Set(other)) => Taking::Set(joined(one, other)),
            (one, _) => one,
        }
    }

    fn amount(self) -> Amount {
        match self {
            Taking::Scalar(dimension, amount) => Amount::Scalar(render(dimension, amount)),
            Taking::Set(set) => set,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Reserved,
    Unreserved,
    Revocable,
    Lent,
}

fn joined(one: Amount, other: Amount) -> Amount {
    match (one, other) {
        (Amount::Ranges(one), Amount::Ranges(other)) => {
            Amount::Ranges(Ranges::new(one.into_iter().chain(other)).parts().to_vec())
        }
        (Amount::Items(mut one), Amount::Items(other)) => {
            one.extend(other);
            one.sort_unstable();
            Amount::Items(one)
        }
        (one, _) => one,
    }
}

/// Returns the members of a set. A set of items holds their positions in the stock, which are replaced by
/// their names.
fn set_of(plan: &Plan, stock: &Stock, set: &Ranges) -> Amount {
    match &stock.usable {
        Quota::Items(items) => {
            let numbers = set.parts().iter().flat_map(|(low, high)| *low..=*high);
            let item = |number: i64| items.get(usize::try_from(number).ok()?);
            Amount::Items(numbers.filter_map(item).map(|item| plan.symbols.text(*item).to_owned()).collect())
        }
        _ => Amount::Ranges(set.parts().to_vec()),
    }
}

/// The amount that a need asks for.
pub fn asked(plan: &Plan, amount: &ir::Amount) -> Amount {
    match amount {
        ir::Amount::Scalar(dimension, low, high) => {
            let end = |amount: i64| render(*dimension, i128::from(amount));
            if low == high {
                Amount::Scalar(end(*low))
            } else {
                Amount::Scalar(format!("{}..{}", end(*low), end(*high)))
            }
        }
        ir::Amount::Ranges(ranges) => Amount::Ranges(ranges.parts().to_vec()),
        ir::Amount::Items(items) => {
            Amount::Items(items.iter().map(|item| plan.symbols.text(*item).to_owned()).collect())
        }
    }
}

/// The amount that an existing volume gives as a whole.
pub fn whole(dimension: Dimension, amount: i64) -> Amount {
    Amount::Scalar(render(dimension, i128::from(amount)))
}
