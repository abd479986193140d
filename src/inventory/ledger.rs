//! The use of every stock of a fleet: the one place where anything is counted.
//!
//! Allocations, existing volumes and grants of a cycle all reach a stock as a [`Take`] and leave it by the
//! same `Take`, so that a change and its undoing cancel exactly. The ledger does not judge: callers ask for
//! the free amount first ([`availability`](super::availability) does), and then take.
//!
//! Amounts are counted in 128 bits, since many takes of 64 bits each may sum up on one stock. Ranges and
//! items are counted by number as well as by member.

use indexmap::IndexMap;

use super::world::{Stock, StockId, StockKind, Take, Taken, Total, World};
use crate::{
    quantity::{Dimension, MILLION, Overlap},
    ranges::Ranges,
};

/// The use of every stock of a [`World`]. Taking and giving back are exact opposites.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By position of the stock in [`World::stocks`].
    used: Vec<StockUse>,
    /// The promises of the current cycle, apart from the rest. Kept only where offers may overlap; without
    /// overlap a promise blocks its amount for everyone, as any other use does.
    promises: Option<Promises>,
}

/// The amounts promised since the cycle began. They are also part of [`Ledger::used`].
#[derive(Clone, Debug, Default)]
struct Promises {
    /// The promises to all frameworks together.
    total: IndexMap<StockId, StockUse>,
    /// The promises to each framework, by its position in the plan.
    by_framework: IndexMap<(usize, StockId), StockUse>,
}

/// The use of one stock.
#[derive(Clone, Debug, PartialEq, Eq)]
enum StockUse {
    Scalar(i128),
    /// The members in use, and the sum of their uses in millionths.
    ///
    /// The list of layers is a multiset: layer `k` holds the members that are used at least `k + 1` times.
    /// Each layer contains the next, and the last one is not empty. A member is used more than once only
    /// where offers overlap, so that there is one layer as a rule.
    Set(Vec<Ranges>, i128),
}

impl StockUse {
    fn none(stock: &Stock) -> StockUse {
        match stock.usable {
            Total::Unlimited | Total::Scalar(_) => StockUse::Scalar(0),
            Total::Ranges(_) | Total::Items(_) => StockUse::Set(Vec::new(), 0),
        }
    }

    fn add(&mut self, taken: &Taken) {
        match (self, taken) {
            (StockUse::Scalar(used), Taken::Scalar(amount)) => *used += i128::from(*amount),
            // A set taken of an unlimited stock has no members to block: its number counts.
            (StockUse::Scalar(used), Taken::Set(set)) => *used += count(set),
            (StockUse::Set(layers, used), Taken::Set(set)) => {
                *used += count(set);
                // Members that a layer has already go on to the next one, which counts one more use.
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
            // Sets are taken of a set stock only as sets.
            (StockUse::Set(..), Taken::Scalar(_)) => {}
        }
    }

    fn subtract(&mut self, taken: &Taken) {
        match (self, taken) {
            (StockUse::Scalar(used), Taken::Scalar(amount)) => *used -= i128::from(*amount),
            (StockUse::Scalar(used), Taken::Set(set)) => *used -= count(set),
            (StockUse::Set(layers, used), Taken::Set(set)) => {
                let mut less = set.clone();
                // Each member leaves the deepest layer that has it, which lowers its number of uses by one.
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
            (StockUse::Set(..), Taken::Scalar(_)) => {}
        }
    }

    fn amount(&self) -> i128 {
        match self {
            StockUse::Scalar(used) => *used,
            StockUse::Set(_, used) => *used,
        }
    }

    /// Returns the members that are used at least `times` times; none for 0.
    fn at_least(&self, times: usize) -> Ranges {
        match self {
            StockUse::Set(layers, _) => layers.get(times.wrapping_sub(1)).cloned().unwrap_or_default(),
            StockUse::Scalar(_) => Ranges::default(),
        }
    }
}

fn count(set: &Ranges) -> i128 {
    set.count() as i128 * i128::from(MILLION)
}

impl Ledger {
    /// Creates a ledger in which nothing is used.
    pub fn empty(world: &World) -> Ledger {
        Ledger { used: world.stocks.iter().map(StockUse::none).collect(), promises: None }
    }

    /// Creates the ledger of a fleet at the start of a cycle, with the use of allocations and existing
    /// volumes.
    pub fn new(world: &World) -> Ledger {
        let mut ledger = Ledger::empty(world);
        let taken = world.carved().chain(world.allocations.iter().flat_map(|allocation| &allocation.takes));
        taken.for_each(|take| ledger.take(take));
        if world.overlap != Overlap::Part(0) {
            ledger.promises = Some(Promises::default());
        }
        ledger
    }

    /// Returns `true` if promises are kept apart, so that frameworks may see different free amounts.
    pub fn separates_promises(&self) -> bool {
        self.promises.is_some()
    }

    /// Adds an entry for a stock that was added or changed. A stock that changes its form, from an amount to
    /// a set or back, must not be in use: its entry starts anew.
    pub(super) fn fit(&mut self, world: &World, id: StockId) {
        let at = id.0 as usize;
        while self.used.len() <= at {
            self.used.push(StockUse::none(&world.stocks[self.used.len()]));
        }
        let none = StockUse::none(world.stock(id));
        // Amounts and sets are counted in different forms; a mere change of the total keeps the use.
        if std::mem::discriminant(&none) != std::mem::discriminant(&self.used[at]) {
            self.used[at] = none;
        }
    }

    /// Removes the entries of stocks that the world no longer has.
    pub(super) fn shorten(&mut self, world: &World) {
        self.used.truncate(world.stocks.len());
    }

    /// Takes for good. The caller has checked that the amount fits.
    pub fn take(&mut self, take: &Take) {
        self.used[take.stock.0 as usize].add(&take.amount);
    }

    /// Gives back an amount that was taken for good.
    pub fn release(&mut self, take: &Take) {
        self.used[take.stock.0 as usize].subtract(&take.amount);
    }

    /// Takes a promise to a framework. The caller has checked that the amount fits.
    pub fn grant(&mut self, world: &World, framework: usize, take: &Take) {
        self.take(take);
        if let Some(promises) = &mut self.promises {
            let none = || StockUse::none(world.stock(take.stock));
            promises.total.entry(take.stock).or_insert_with(none).add(&take.amount);
            promises.by_framework.entry((framework, take.stock)).or_insert_with(none).add(&take.amount);
        }
    }

    /// Gives back a promise to a framework.
    pub fn revoke(&mut self, framework: usize, take: &Take) {
        self.used[take.stock.0 as usize].subtract(&take.amount);
        if let Some(promises) = &mut self.promises {
            if let Some(used) = promises.total.get_mut(&take.stock) {
                used.subtract(&take.amount);
            }
            if let Some(used) = promises.by_framework.get_mut(&(framework, take.stock)) {
                used.subtract(&take.amount);
            }
        }
    }

    /// Returns the amount in use, in base units. Of ranges and items it is their number, in millionths.
    pub fn used(&self, stock: StockId) -> i128 {
        self.used[stock.0 as usize].amount()
    }

    /// Returns the free amount, in base units. Of ranges and items it is their number, in millionths. The
    /// amount is below zero where overlapping offers promise more than there is; it is `None` for an
    /// unlimited stock.
    pub fn free(&self, world: &World, id: StockId) -> Option<i128> {
        total(world.stock(id)).map(|total| total - self.used(id))
    }

    /// Returns the members of a set stock that are free; `None` for other stocks.
    pub fn free_set(&self, world: &World, id: StockId) -> Option<Ranges> {
        all(world.stock(id)).map(|all| all.minus(&self.used[id.0 as usize].at_least(1)))
    }

    /// Returns those of the `wanted` members that a framework may still be promised; `None` for a stock that
    /// is no set.
    ///
    /// Without overlap the cost grows with `wanted` and not with the stock, which may have many ranges.
    pub fn available_among(
        &self,
        world: &World,
        id: StockId,
        framework: Option<usize>,
        wanted: &Ranges,
    ) -> Option<Ranges> {
        if self.promises.is_some() {
            return self.available_set(world, id, framework).map(|free| wanted.common(&free));
        }
        let there = match &world.stock(id).usable {
            Total::Ranges(ranges) => wanted.common(ranges),
            _ => wanted.common(&all(world.stock(id))?),
        };
        Some(match &self.used[id.0 as usize] {
            StockUse::Set(layers, _) => {
                layers.first().map_or_else(|| there.clone(), |used| there.minus(used))
            }
            StockUse::Scalar(_) => there,
        })
    }

    /// Returns the amount that a framework may still be promised of a stock; `None` for an unlimited stock.
    ///
    /// Without overlap this is the free amount. With overlap, let `S` be the amount free at the start of the
    /// cycle, `P` the promises to all, and `F` those to the framework. The framework may have `S - F`, since
    /// its own offers are disjoint, and all frameworks together `S × (1 + overlap)`. The result is the lesser
    /// of `S - F` and `S × (1 + overlap) - P`. Limits of roles never overlap.
    pub fn available(&self, world: &World, id: StockId, framework: Option<usize>) -> Option<i128> {
        let free = self.free(world, id)?;
        let Some(promises) = &self.promises else { return Some(free) };
        // Overlap applies to members one by one, so their number follows from the members.
        if let Some(set) = self.available_set(world, id, framework) {
            return Some(count(&set));
        }
        let kind = world.stock(id).kind;
        if matches!(kind, StockKind::Limit(_)) {
            return Some(free);
        }
        let of_all = promises.total.get(&id).map_or(0, StockUse::amount);
        // `free` has lost all promises; adding them again gives the amount at the start of the cycle.
        let at_start = free + of_all;
        let own = framework.and_then(|framework| promises.by_framework.get(&(framework, id)));
        let alone = at_start - own.map_or(0, StockUse::amount);
        let together = match world.overlap {
            Overlap::Unlimited => return Some(alone),
            // A volume is promised whole: the fraction of an overlap gives no further user.
            Overlap::Part(_) if kind == StockKind::Users => at_start * max_promises(world.overlap) as i128,
            Overlap::Part(more) => {
                let one = i128::from(MILLION);
                (at_start * (one + i128::from(more))).div_euclid(one)
            }
        };
        Some(alone.min(together - of_all))
    }

    /// Returns the members that a framework may still be promised; `None` for a stock that is no set.
    ///
    /// With overlap, three kinds of members are excluded: those taken for good, those promised as often as
    /// the overlap permits, and those promised to this framework already.
    pub fn available_set(&self, world: &World, id: StockId, framework: Option<usize>) -> Option<Ranges> {
        let Some(promises) = &self.promises else { return self.free_set(world, id) };
        let used = &self.used[id.0 as usize];
        let all = all(world.stock(id))?;
        // A member is taken for good if it has more uses than promises: for some `k` it is used at least `k`
        // times and promised fewer than `k` times. Layers answer both.
        let Some(of_all) = promises.total.get(&id) else { return Some(all.minus(&used.at_least(1))) };
        let StockUse::Set(layers, _) = used else { return None };
        let taken = (0..layers.len())
            .fold(Ranges::default(), |taken, at| taken.union(&layers[at].minus(&of_all.at_least(at + 1))));
        let own = framework.and_then(|framework| promises.by_framework.get(&(framework, id)));
        // Members that other frameworks may get no further promise of.
        let spent = match world.overlap {
            Overlap::Unlimited => Ranges::default(),
            Overlap::Part(_) => of_all.at_least(max_promises(world.overlap)),
        };
        let own = own.map_or_else(Ranges::default, |own| own.at_least(1));
        Some(all.minus(&taken).minus(&spent).minus(&own))
    }
}

/// Returns the number of times that one member or user slot may be promised: the whole part of 1 + overlap.
fn max_promises(overlap: Overlap) -> usize {
    match overlap {
        Overlap::Part(more) => usize::try_from(1 + more / MILLION).unwrap_or(1),
        Overlap::Unlimited => usize::MAX,
    }
}

/// Returns the usable total of a stock, in base units. Of ranges and items it is their number, in millionths.
/// It is `None` for an unlimited stock.
pub fn total(stock: &Stock) -> Option<i128> {
    match &stock.usable {
        Total::Unlimited => None,
        Total::Scalar(amount) => Some(i128::from(*amount)),
        Total::Ranges(ranges) => Some(count(ranges)),
        Total::Items(items) => Some(items.len() as i128 * i128::from(MILLION)),
    }
}

/// Returns all members of a set stock: of ranges the numbers, of items their positions. Returns `None` for
/// other stocks.
pub fn all(stock: &Stock) -> Option<Ranges> {
    match &stock.usable {
        Total::Ranges(ranges) => Some(ranges.clone()),
        Total::Items(items) if items.is_empty() => Some(Ranges::default()),
        Total::Items(items) => Some(Ranges::new([(0, items.len() as i64 - 1)])),
        Total::Unlimited | Total::Scalar(_) => None,
    }
}

/// Returns `true` if a stock is a set: of ranges or named items.
pub fn is_set(stock: &Stock) -> bool {
    debug_assert!(
        stock.dimension == Dimension::Number || matches!(stock.usable, Total::Unlimited | Total::Scalar(_))
    );
    matches!(stock.usable, Total::Ranges(_) | Total::Items(_))
}
