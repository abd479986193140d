//! What is used of every stock: the one place where anything is counted.

use super::world::{Quota, Stock, StockId, Take, Taken, World};
use crate::{
    quantity::{Dimension, MILLION},
    ranges::Ranges,
};

/// What is used of every stock of a [`World`]. Taking and giving back are exact opposites.
#[derive(Clone, Debug)]
pub struct Ledger {
    used: Vec<Used>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Used {
    Scalar(i128),
    Set(Ranges),
}

impl Ledger {
    /// Nothing is used.
    pub fn empty(world: &World) -> Ledger {
        let used = world.stocks.iter().map(|stock| match stock.usable {
            Quota::Unlimited | Quota::Scalar(_) => Used::Scalar(0),
            Quota::Ranges(_) | Quota::Items(_) => Used::Set(Ranges::default()),
        });
        Ledger { used: used.collect() }
    }

    /// What allocations and existing volumes use.
    pub fn new(world: &World) -> Ledger {
        let mut ledger = Ledger::empty(world);
        let taken =
            world.carved.iter().chain(world.allocations.iter().flat_map(|allocation| &allocation.takes));
        taken.for_each(|take| ledger.take(take));
        ledger
    }

    /// Takes. The caller has seen that it fits.
    pub fn take(&mut self, take: &Take) {
        match (&mut self.used[take.stock.0 as usize], &take.amount) {
            (Used::Scalar(used), Taken::Scalar(amount)) => *used += i128::from(*amount),
            (Used::Set(used), Taken::Set(amount)) => *used = used.union(amount),
            _ => {}
        }
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, take: &Take) {
        match (&mut self.used[take.stock.0 as usize], &take.amount) {
            (Used::Scalar(used), Taken::Scalar(amount)) => *used -= i128::from(*amount),
            (Used::Set(used), Taken::Set(amount)) => *used = used.minus(amount),
            _ => {}
        }
    }

    /// What is used, in base units; of ranges and items how many, in millionths.
    pub fn used(&self, stock: StockId) -> i128 {
        match &self.used[stock.0 as usize] {
            Used::Scalar(used) => *used,
            Used::Set(used) => used.count() as i128 * i128::from(MILLION),
        }
    }

    /// What is free, in base units; of ranges and items how many, in millionths. `None`: without limit.
    pub fn free(&self, world: &World, id: StockId) -> Option<i128> {
        total(world.stock(id)).map(|total| total - self.used(id))
    }

    /// Which ranges or items (by number) are free.
    pub fn free_set(&self, world: &World, id: StockId) -> Option<Ranges> {
        let Used::Set(used) = &self.used[id.0 as usize] else { return None };
        all(world.stock(id)).map(|all| all.minus(used))
    }

    /// Whether an amount still fits.
    pub fn fits(&self, world: &World, take: &Take) -> bool {
        match &take.amount {
            Taken::Scalar(amount) => {
                self.free(world, take.stock).is_none_or(|free| i128::from(*amount) <= free)
            }
            Taken::Set(wanted) => {
                self.free_set(world, take.stock).is_some_and(|free| free.contains_all(wanted))
            }
        }
    }
}

/// The usable total of a stock, in base units; of ranges and items how many, in millionths. `None`: without limit.
pub fn total(stock: &Stock) -> Option<i128> {
    match &stock.usable {
        Quota::Unlimited => None,
        Quota::Scalar(amount) => Some(i128::from(*amount)),
        Quota::Ranges(ranges) => Some(ranges.count() as i128 * i128::from(MILLION)),
        Quota::Items(items) => Some(items.len() as i128 * i128::from(MILLION)),
    }
}

/// Every range, or every item's number.
pub fn all(stock: &Stock) -> Option<Ranges> {
    match &stock.usable {
        Quota::Ranges(ranges) => Some(ranges.clone()),
        Quota::Items(items) if items.is_empty() => Some(Ranges::default()),
        Quota::Items(items) => Some(Ranges::new([(0, items.len() as i64 - 1)])),
        Quota::Unlimited | Quota::Scalar(_) => None,
    }
}

/// Whether a stock is of ranges or named items.
pub fn is_set(stock: &Stock) -> bool {
    debug_assert!(
        stock.dimension == Dimension::Number || matches!(stock.usable, Quota::Unlimited | Quota::Scalar(_))
    );
    matches!(stock.usable, Quota::Ranges(_) | Quota::Items(_))
}
