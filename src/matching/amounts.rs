//! Amounts against stocks: what fits, and what is taken.

use crate::{
    inventory::{
        ledger::{self, Ledger},
        world::{Quota, Stock, StockId, Take, Taken, World},
    },
    ir::Amount,
    quantity::MILLION,
    ranges::Ranges,
};

/// What a candidate takes, on top of what the ledger has: nothing is counted until it is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// In order of taking.
    pub takes: Vec<Take>,
}

impl Draft {
    fn pending(&self, stock: StockId) -> i128 {
        let of_stock = self.takes.iter().filter(|take| take.stock == stock);
        of_stock
            .map(|take| match &take.amount {
                Taken::Scalar(amount) => i128::from(*amount),
                Taken::Set(set) => set.count() as i128 * i128::from(MILLION),
            })
            .sum()
    }

    /// What is free of a stock once the draft is granted; `None`: without limit.
    pub fn free(&self, ledger: &Ledger, world: &World, stock: StockId) -> Option<i128> {
        ledger.free(world, stock).map(|free| free - self.pending(stock))
    }

    fn free_set(&self, ledger: &Ledger, world: &World, stock: StockId) -> Option<Ranges> {
        let free = ledger.free_set(world, stock)?;
        Some(self.takes.iter().filter(|take| take.stock == stock).fold(
            free,
            |free, take| match &take.amount {
                Taken::Set(set) => free.minus(set),
                Taken::Scalar(_) => free,
            },
        ))
    }

    /// What a request takes of each stock of a resource, lowest tier first, if it fits in all of them beside the
    /// draft. The options are those of the lowest tier; the tiers above give what it gives. Of a range of
    /// amounts the lower end is taken.
    ///
    /// # Errors
    /// The first stock that it does not fit.
    pub fn fitting(
        &self,
        ledger: &Ledger,
        world: &World,
        stocks: &[StockId],
        amount: &Amount,
        charged: i64,
    ) -> Result<Vec<Take>, StockId> {
        let mut takes = Vec::with_capacity(stocks.len());
        let mut wanted: Option<Taken> = None;
        for id in stocks {
            let taken = match &wanted {
                None => self.lowest_tier(ledger, world, *id, amount, charged),
                Some(taken) => Some(taken.clone()),
            };
            let take = taken
                .map(|amount| Take { stock: *id, amount })
                .filter(|take| self.has_room(ledger, world, take));
            let take = take.ok_or(*id)?;
            wanted.get_or_insert_with(|| take.amount.clone());
            takes.push(take);
        }
        Ok(takes)
    }

    fn lowest_tier(
        &self,
        ledger: &Ledger,
        world: &World,
        id: StockId,
        amount: &Amount,
        charged: i64,
    ) -> Option<Taken> {
        let stock = world.stock(id);
        match self.free_set(ledger, world, id) {
            Some(free) => set_of(stock, &free, amount, charged).map(Taken::Set),
            None => match (&stock.usable, amount) {
                // Where there is no end of them, the very ones asked for are there.
                (Quota::Unlimited, Amount::Ranges(ranges)) => Some(Taken::Set(ranges.clone())),
                (Quota::Unlimited, Amount::Items(items)) => i64::try_from(items.len())
                    .ok()
                    .and_then(|count| count.checked_mul(MILLION))
                    .map(Taken::Scalar),
                _ => scalar_of(stock, amount, charged).map(Taken::Scalar),
            },
        }
    }

    fn has_room(&self, ledger: &Ledger, world: &World, take: &Take) -> bool {
        match &take.amount {
            _ if world.stock(take.stock).usable == Quota::Unlimited => true,
            Taken::Scalar(amount) => {
                self.free(ledger, world, take.stock).is_none_or(|free| i128::from(*amount) <= free)
            }
            Taken::Set(set) => {
                self.free_set(ledger, world, take.stock).is_some_and(|free| free.contains_all(set))
            }
        }
    }
}

/// The scalar that a request takes of a stock; `None` above its `max`, or where it asks for ports of a number.
pub fn scalar_of(stock: &Stock, amount: &Amount, charged: i64) -> Option<i64> {
    let Amount::Scalar(dimension, low, _) = amount else { return None };
    let same = *dimension == stock.dimension || stock.usable == Quota::Unlimited;
    if !same {
        return None;
    }
    stock.taken(low.checked_add(charged)?)
}

/// The very ranges or items that a request takes: those asked for, or the lowest.
fn set_of(stock: &Stock, free: &Ranges, amount: &Amount, charged: i64) -> Option<Ranges> {
    let charged = whole(charged)?;
    let asked = match amount {
        Amount::Scalar(_, low, _) => return free.lowest(whole(*low)?.checked_add(charged)?),
        Amount::Ranges(ranges) => ranges.clone(),
        Amount::Items(items) => {
            let Quota::Items(all) = &stock.usable else { return None };
            let number = |item| all.iter().position(|known| known == item).map(|at| (at as i64, at as i64));
            Ranges::new(items.iter().map(number).collect::<Option<Vec<_>>>()?)
        }
    };
    if !free.contains_all(&asked) {
        return None;
    }
    let more = free.minus(&asked).lowest(charged)?;
    Some(asked.union(&more))
}

fn whole(millionths: i64) -> Option<u128> {
    (millionths >= 0 && millionths % MILLION == 0).then_some((millionths / MILLION) as u128)
}

/// Whether a request could be met by the stocks of a resource with everything free. It is asked for every
/// shortage, and looks at these stocks only.
pub fn could_fit(world: &World, stocks: &[StockId], amount: &Amount, charged: i64) -> bool {
    let mut wanted: Option<Taken> = None;
    stocks.iter().all(|id| {
        let stock = world.stock(*id);
        let all = ledger::all(stock);
        let taken = match (wanted.take(), &all) {
            (Some(taken), _) => Some(taken),
            (None, Some(all)) => set_of(stock, all, amount, charged).map(Taken::Set),
            (None, None) => scalar_of(stock, amount, charged).map(Taken::Scalar),
        };
        let fits = match (&taken, &all) {
            (Some(Taken::Scalar(amount)), _) => {
                ledger::total(stock).is_none_or(|total| i128::from(*amount) <= total)
            }
            (Some(Taken::Set(set)), Some(all)) => all.contains_all(set),
            (Some(Taken::Set(_)), None) | (None, _) => false,
        };
        wanted = taken;
        fits
    })
}

/// Raises what was taken of a range of amounts to the most that fits. `takes` says which of the draft's takes
/// are those of this request, lowest tier first.
pub fn raise(
    draft: &mut Draft,
    ledger: &Ledger,
    world: &World,
    amount: &Amount,
    charged: i64,
    takes: std::ops::Range<usize>,
) {
    let Amount::Scalar(dimension, low, high) = amount else { return };
    if high <= low || takes.is_empty() {
        return;
    }
    let own: Vec<Take> = draft.takes.splice(takes.clone(), []).collect();
    let stocks: Vec<StockId> = own.iter().map(|take| take.stock).collect();
    let unit = if ledger::is_set(world.stock(stocks[0])) { MILLION } else { 1 };
    let fits = |steps: i64| {
        let exact = low + steps * unit;
        draft.fitting(ledger, world, &stocks, &Amount::Scalar(*dimension, exact, exact), charged).ok()
    };
    // Halving: what fits at an amount fits at every smaller one.
    let (mut least, mut above) = (0, (high - low) / unit + 1);
    while above - least > 1 {
        let middle = least + (above - least) / 2;
        if fits(middle).is_some() { least = middle } else { above = middle }
    }
    let raised = fits(least).unwrap_or(own);
    draft.takes.splice(takes.start..takes.start, raised);
}
