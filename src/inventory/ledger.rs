//! What is used of every stock: the one place where anything is counted.

use indexmap::IndexMap;

use super::world::{Quota, Stock, StockId, StockKind, Take, Taken, World};
use crate::{
    quantity::{Dimension, MILLION, Overlap},
    ranges::Ranges,
};

/// What is used of every stock of a [`World`]. Taking and giving back are exact opposites.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    used: Vec<Used>,
    /// Kept only where offers may overlap; else everything used is used for all.
    promises: Option<Promises>,
}

/// What was promised since the cycle began.
#[derive(Clone, Debug, Default)]
struct Promises {
    of_all: IndexMap<StockId, Used>,
    of_each: IndexMap<(usize, StockId), Used>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Used {
    Scalar(i128),
    /// Those used once at least, those used twice at least, and so on; and how many these are together.
    Set(Vec<Ranges>, i128),
}

impl Used {
    fn none(stock: &Stock) -> Used {
        match stock.usable {
            Quota::Unlimited | Quota::Scalar(_) => Used::Scalar(0),
            Quota::Ranges(_) | Quota::Items(_) => Used::Set(Vec::new(), 0),
        }
    }

    fn add(&mut self, taken: &Taken) {
        match (self, taken) {
            (Used::Scalar(used), Taken::Scalar(amount)) => *used += i128::from(*amount),
            (Used::Scalar(used), Taken::Set(set)) => *used += count(set),
            (Used::Set(layers, used), Taken::Set(set)) => {
                *used += count(set);
                let mut more = set.clone();
                for layer in layers.iter_mut() {
                    let again = layer.common(&more);
                    layer.add(&more);
                    more = again;
                }
                if !more.is_empty() {
                    layers.push(more);
                }
            }
            (Used::Set(..), Taken::Scalar(_)) => {}
        }
    }

    fn subtract(&mut self, taken: &Taken) {
        match (self, taken) {
            (Used::Scalar(used), Taken::Scalar(amount)) => *used -= i128::from(*amount),
            (Used::Scalar(used), Taken::Set(set)) => *used -= count(set),
            (Used::Set(layers, used), Taken::Set(set)) => {
                let mut less = set.clone();
                for layer in layers.iter_mut().rev() {
                    let here = layer.common(&less);
                    *used -= count(&here);
                    layer.remove(&here);
                    less = less.minus(&here);
                }
                while layers.last().is_some_and(Ranges::is_empty) {
                    layers.pop();
                }
            }
            (Used::Set(..), Taken::Scalar(_)) => {}
        }
    }

    fn amount(&self) -> i128 {
        match self {
            Used::Scalar(used) => *used,
            Used::Set(_, used) => *used,
        }
    }

    /// Those used so often at least.
    fn at_least(&self, times: usize) -> Ranges {
        match self {
            Used::Set(layers, _) => layers.get(times.wrapping_sub(1)).cloned().unwrap_or_default(),
            Used::Scalar(_) => Ranges::default(),
        }
    }
}

fn count(set: &Ranges) -> i128 {
    set.count() as i128 * i128::from(MILLION)
}

impl Ledger {
    /// Nothing is used.
    pub fn empty(world: &World) -> Ledger {
        Ledger { used: world.stocks.iter().map(Used::none).collect(), promises: None }
    }

    /// What allocations and existing volumes use.
    pub fn new(world: &World) -> Ledger {
        let mut ledger = Ledger::empty(world);
        let taken = world.carved().chain(world.allocations.iter().flat_map(|allocation| &allocation.takes));
        taken.for_each(|take| ledger.take(take));
        if world.overlap != Overlap::Part(0) {
            ledger.promises = Some(Promises::default());
        }
        ledger
    }

    /// Whether what frameworks are promised is told apart.
    pub fn tells_promises(&self) -> bool {
        self.promises.is_some()
    }

    /// Makes room for a stock that was added or changed. Where it changed from an amount to a list, or back, nothing
    /// may be taken of it.
    pub(super) fn fit(&mut self, world: &World, id: StockId) {
        let at = id.0 as usize;
        while self.used.len() <= at {
            self.used.push(Used::none(&world.stocks[self.used.len()]));
        }
        let none = Used::none(world.stock(id));
        if std::mem::discriminant(&none) != std::mem::discriminant(&self.used[at]) {
            self.used[at] = none;
        }
    }

    /// Forgets the stocks that a world no longer has.
    pub(super) fn shorten(&mut self, world: &World) {
        self.used.truncate(world.stocks.len());
    }

    /// Takes for good. The caller has seen that it fits.
    pub fn take(&mut self, take: &Take) {
        self.used[take.stock.0 as usize].add(&take.amount);
    }

    /// Gives back what was taken for good.
    pub fn put_back(&mut self, take: &Take) {
        self.used[take.stock.0 as usize].subtract(&take.amount);
    }

    /// Promises to a framework. The caller has seen that there is room.
    pub fn grant(&mut self, world: &World, framework: usize, take: &Take) {
        self.take(take);
        if let Some(promises) = &mut self.promises {
            let none = || Used::none(world.stock(take.stock));
            promises.of_all.entry(take.stock).or_insert_with(none).add(&take.amount);
            promises.of_each.entry((framework, take.stock)).or_insert_with(none).add(&take.amount);
        }
    }

    /// Undoes a promise.
    pub fn give_back(&mut self, framework: usize, take: &Take) {
        self.used[take.stock.0 as usize].subtract(&take.amount);
        if let Some(promises) = &mut self.promises {
            if let Some(used) = promises.of_all.get_mut(&take.stock) {
                used.subtract(&take.amount);
            }
            if let Some(used) = promises.of_each.get_mut(&(framework, take.stock)) {
                used.subtract(&take.amount);
            }
        }
    }

    /// What is used, in base units; of ranges and items how many, in millionths.
    pub fn used(&self, stock: StockId) -> i128 {
        self.used[stock.0 as usize].amount()
    }

    /// What is free, in base units; of ranges and items how many, in millionths: below zero where more is promised
    /// than there is. `None`: without limit.
    pub fn free(&self, world: &World, id: StockId) -> Option<i128> {
        total(world.stock(id)).map(|total| total - self.used(id))
    }

    /// Which ranges or items (by number) are free.
    pub fn free_set(&self, world: &World, id: StockId) -> Option<Ranges> {
        all(world.stock(id)).map(|all| all.minus(&self.used[id.0 as usize].at_least(1)))
    }

    /// Which of some ranges or items (by number) a framework may still be promised; `None` of a stock that has none.
    pub fn room_among(
        &self,
        world: &World,
        id: StockId,
        framework: Option<usize>,
        wanted: &Ranges,
    ) -> Option<Ranges> {
        if self.promises.is_some() {
            return self.room_set(world, id, framework).map(|free| wanted.common(&free));
        }
        let there = match &world.stock(id).usable {
            Quota::Ranges(ranges) => wanted.common(ranges),
            _ => wanted.common(&all(world.stock(id))?),
        };
        Some(match &self.used[id.0 as usize] {
            Used::Set(layers, _) => layers.first().map_or_else(|| there.clone(), |used| there.minus(used)),
            Used::Scalar(_) => there,
        })
    }

    /// What a framework may still be promised of a stock: what is free, and as much more as offers may overlap. Its
    /// own promises do not overlap, and what is free when the cycle begins bounds them. `None`: without limit.
    pub fn room(&self, world: &World, id: StockId, framework: Option<usize>) -> Option<i128> {
        let free = self.free(world, id)?;
        let Some(promises) = &self.promises else { return Some(free) };
        if let Some(set) = self.room_set(world, id, framework) {
            return Some(count(&set));
        }
        let kind = world.stock(id).kind;
        if matches!(kind, StockKind::Limit(_)) {
            return Some(free);
        }
        let of_all = promises.of_all.get(&id).map_or(0, Used::amount);
        let at_start = free + of_all;
        let own = framework.and_then(|framework| promises.of_each.get(&(framework, id)));
        let alone = at_start - own.map_or(0, Used::amount);
        let together = match world.overlap {
            Overlap::Unlimited => return Some(alone),
            // A volume is promised whole, so many times.
            Overlap::Part(_) if kind == StockKind::Users => at_start * times(world.overlap) as i128,
            Overlap::Part(more) => {
                let one = i128::from(MILLION);
                (at_start * (one + i128::from(more))).div_euclid(one)
            }
        };
        Some(alone.min(together - of_all))
    }

    /// Which ranges or items (by number) a framework may still be promised.
    pub fn room_set(&self, world: &World, id: StockId, framework: Option<usize>) -> Option<Ranges> {
        let Some(promises) = &self.promises else { return self.free_set(world, id) };
        let used = &self.used[id.0 as usize];
        let all = all(world.stock(id))?;
        // What is taken for good is what is used oftener than it is promised.
        let Some(of_all) = promises.of_all.get(&id) else { return Some(all.minus(&used.at_least(1))) };
        let Used::Set(layers, _) = used else { return None };
        let taken = (0..layers.len())
            .fold(Ranges::default(), |taken, at| taken.union(&layers[at].minus(&of_all.at_least(at + 1))));
        let own = framework.and_then(|framework| promises.of_each.get(&(framework, id)));
        let spent = match world.overlap {
            Overlap::Unlimited => Ranges::default(),
            Overlap::Part(_) => of_all.at_least(times(world.overlap)),
        };
        let own = own.map_or_else(Ranges::default, |own| own.at_least(1));
        Some(all.minus(&taken).minus(&spent).minus(&own))
    }
}

/// How often one thing may be promised: the whole part of 1 + overlap.
fn times(overlap: Overlap) -> usize {
    match overlap {
        Overlap::Part(more) => usize::try_from(1 + more / MILLION).unwrap_or(1),
        Overlap::Unlimited => usize::MAX,
    }
}

/// The usable total of a stock, in base units; of ranges and items how many, in millionths. `None`: without limit.
pub fn total(stock: &Stock) -> Option<i128> {
    match &stock.usable {
        Quota::Unlimited => None,
        Quota::Scalar(amount) => Some(i128::from(*amount)),
        Quota::Ranges(ranges) => Some(count(ranges)),
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
