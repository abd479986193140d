//! What is free to one who takes, and how an amount is split over the parts of what holders have (section 7 of
//! the language reference): own and ancestors' reservations first, then unreserved, then, if accepted, revocable.

use super::{
    ledger::{self, Ledger},
    world::{Holding, HoldingId, PartKind, Quota, StockId, Take, Taken, World},
};
use crate::{ir::Amount, quantity::MILLION, ranges::Ranges, symbol::Symbol, types::Side};

/// Who takes.
#[derive(Clone, Copy, Debug)]
pub struct Taker<'a> {
    /// The framework, where promises are told apart.
    pub framework: Option<usize>,
    /// Its role, and those above it.
    pub line: &'a [Symbol],
    /// Whether it takes what may be taken back.
    pub revocable: Revocable,
    /// Limits that do not count.
    pub exempt: &'a [StockId],
}

/// Whether what may be taken back is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocable {
    /// Never.
    No,
    /// After all else.
    Too,
    /// Nothing else.
    Only,
}

/// What one has room for at a moment, beside what it is about to take.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// The fleet.
    pub world: &'a World,
    /// What is used; `None`: nothing is.
    pub ledger: Option<&'a Ledger>,
    /// Who takes.
    pub taker: Taker<'a>,
    /// What it is about to take.
    pub pending: &'a [Take],
}

/// What an amount takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// From the parts of the lowest tier, in order.
    pub own: Vec<Take>,
    /// From the tiers above, and from the limits of roles.
    pub above: Vec<Take>,
}

impl Portion {
    /// Everything it takes.
    pub fn takes(&self) -> impl Iterator<Item = &Take> {
        self.own.iter().chain(&self.above)
    }

    /// How much it takes of the lowest tier, in base units; of ranges and items how many, in millionths.
    pub fn amount(&self) -> i128 {
        self.own.iter().map(|take| take.amount.count()).sum()
    }
}

/// What an amount does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// What a holder has.
    Holding(HoldingId),
    /// The limit of a role.
    Limit(StockId),
}

/// What is taken of each tier.
enum Wanted {
    Scalar(i64),
    /// Those very ones, and so many more.
    Set(Very, u128),
}

#[derive(Clone)]
enum Very {
    Ranges(Ranges),
    Items(Vec<Symbol>),
}

impl<'a> Room<'a> {
    /// The parts of a holding that are open, in the order in which they are used up.
    pub fn parts(&self, holding: &'a Holding) -> impl Iterator<Item = StockId> + use<'a> {
        let (line, revocable, lends) = (self.taker.line, self.taker.revocable, self.world.lends);
        let parts = holding.parts.as_slice();
        let firm = if revocable == Revocable::Only { &[] } else { parts };
        let reserved = line.iter().flat_map(move |role| {
            firm.iter().filter(move |part| part.0 == PartKind::Reserved(*role)).map(|part| part.1)
        });
        let unreserved = firm.iter().filter(|part| part.0 == PartKind::Unreserved).map(|part| part.1);
        let back = if revocable == Revocable::No { &[] } else { parts };
        let revocable = back.iter().filter(|part| part.0 == PartKind::Revocable).map(|part| part.1);
        let lent = back
            .iter()
            .filter(move |part| matches!(&part.0, PartKind::Reserved(role) if lends && !line.contains(role)));
        reserved.chain(unreserved).chain(revocable).chain(lent.map(|part| part.1))
    }

    /// What is free of a stock, in base units; of ranges and items how many, in millionths; `None`: without limit.
    pub fn free(&self, id: StockId) -> Option<i128> {
        let free = match self.ledger {
            Some(ledger) => ledger.room(self.world, id, self.taker.framework),
            None => ledger::total(self.world.stock(id)),
        };
        free.map(|free| free - self.pending_of(id).map(|taken| taken.count()).sum::<i128>())
    }

    /// Which ranges or items (by number) are free of a stock; `None` where it has none.
    pub fn free_set(&self, id: StockId) -> Option<Ranges> {
        let free = match self.ledger {
            Some(ledger) => ledger.room_set(self.world, id, self.taker.framework),
            None => ledger::all(self.world.stock(id)),
        };
        free.map(|free| {
            self.pending_of(id).fold(free, |free, taken| match taken {
                Taken::Set(set) => free.minus(set),
                Taken::Scalar(_) => free,
            })
        })
    }

    /// Which of some ranges or items (by number) are free of a stock; `None` where it has none.
    fn free_among(&self, id: StockId, wanted: &Ranges) -> Option<Ranges> {
        let free = match self.ledger {
            Some(ledger) => ledger.room_among(self.world, id, self.taker.framework, wanted),
            None => ledger::all(self.world.stock(id)).map(|all| wanted.common(&all)),
        };
        free.map(|free| {
            self.pending_of(id).fold(free, |free, taken| match taken {
                Taken::Set(set) => free.minus(set),
                Taken::Scalar(_) => free,
            })
        })
    }

    fn pending_of(&self, id: StockId) -> impl Iterator<Item = &'a Taken> + use<'a> {
        self.pending.iter().filter(move |take| take.stock == id).map(|take| &take.amount)
    }

    /// What is free of a holding's open parts together; `None`: without limit.
    pub fn free_of(&self, id: HoldingId) -> Option<i128> {
        self.parts(self.world.holding(id)).try_fold(0, |sum, part| Some(sum + self.free(part)?.max(0)))
    }

    /// The limits on a resource that stand over the taker.
    fn limits(&self, side: Side, resource: Symbol) -> impl Iterator<Item = StockId> + use<'a> {
        let (world, Taker { line, exempt, .. }) = (self.world, self.taker);
        let any = if world.limits.is_empty() { &[] } else { line };
        let limits = any.iter().filter_map(move |role| world.limits.get(&(*role, side, resource)).copied());
        limits.filter(move |limit| !exempt.contains(limit))
    }

    /// What an amount takes of each tier, lowest first, if it fits in all of them and in the limits over the taker.
    /// The options are those of the lowest tier; the tiers above give what it gives. Of a range of amounts the
    /// lower end is taken.
    ///
    /// # Errors
    /// The first that it does not fit.
    pub fn take(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> Result<Portion, Lack> {
        let Some(lowest) = tiers.first() else { return Ok(Portion::default()) };
        let holding = self.world.holding(*lowest);
        let wanted = self.wanted(holding, amount, charged).ok_or(Lack::Holding(*lowest))?;
        let mut portion = self.tiers(tiers, wanted)?;
        let limits = self.limit_takes(holding.side, holding.resource, portion.amount())?;
        portion.above.extend(limits);
        Ok(portion)
    }

    /// What was taken before, exactly: whatever the options and limits say now.
    ///
    /// # Errors
    /// The first tier that it does not fit.
    pub fn exactly(&self, tiers: &[HoldingId], amount: &Amount) -> Result<Portion, Lack> {
        let Some(lowest) = tiers.first() else { return Ok(Portion::default()) };
        let holding = self.world.holding(*lowest);
        let wanted = match amount {
            Amount::Scalar(_, exact, _) if !self.is_set(holding) => Some(Wanted::Scalar(*exact)),
            _ => self.wanted(holding, amount, 0),
        };
        self.tiers(tiers, wanted.ok_or(Lack::Holding(*lowest))?)
    }

    fn tiers(&self, tiers: &[HoldingId], mut wanted: Wanted) -> Result<Portion, Lack> {
        let mut portion = Portion::default();
        for (at, tier) in tiers.iter().enumerate() {
            let takes = self.split(self.world.holding(*tier), wanted).ok_or(Lack::Holding(*tier))?;
            if at == 0 {
                portion.own = takes
            } else {
                portion.above.extend(takes)
            }
            wanted = self.same(&portion);
        }
        Ok(portion)
    }

    /// What an amount takes of the limits over the taker.
    ///
    /// # Errors
    /// The first that it exceeds.
    pub fn limit_takes(&self, side: Side, resource: Symbol, amount: i128) -> Result<Vec<Take>, Lack> {
        let mut takes = Vec::new();
        for limit in self.limits(side, resource) {
            let fits = self.free(limit).is_none_or(|free| amount <= free);
            let whole = i64::try_from(amount).ok().filter(|_| fits).ok_or(Lack::Limit(limit))?;
            takes.push(Take { stock: limit, amount: Taken::Scalar(whole) });
        }
        Ok(takes)
    }

    /// Whether an amount fits: as [`Room::take`], and for plain amounts without making a list of it.
    ///
    /// # Errors
    /// The first that it does not fit.
    pub fn fits(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> Result<(), Lack> {
        let Some(lowest) = tiers.first() else { return Ok(()) };
        let holding = self.world.holding(*lowest);
        let plain = tiers.iter().all(|tier| !self.is_set(self.world.holding(*tier)));
        let (true, Amount::Scalar(..)) = (plain, amount) else {
            return self.take(tiers, amount, charged).map(|_| ());
        };
        let Some(wanted) = scalar_of(self.world, holding, amount, charged) else {
            return Err(Lack::Holding(*lowest));
        };
        let short = |tier: &&HoldingId| {
            let holding = self.world.holding(**tier);
            !self.has_part(holding) || self.free_of(**tier).is_some_and(|free| i128::from(wanted) > free)
        };
        if let Some(tier) = tiers.iter().find(short) {
            return Err(Lack::Holding(*tier));
        }
        self.limit_takes(holding.side, holding.resource, i128::from(wanted)).map(|_| ())
    }

    fn has_part(&self, holding: &'a Holding) -> bool {
        self.parts(holding).next().is_some()
    }

    fn is_set(&self, holding: &Holding) -> bool {
        holding.parts.iter().any(|part| ledger::is_set(self.world.stock(part.1)))
    }

    fn wanted(&self, holding: &'a Holding, amount: &Amount, charged: i64) -> Option<Wanted> {
        let none = Very::Ranges(Ranges::default());
        if self.is_set(holding) {
            let charged = whole(charged)?;
            return Some(match amount {
                Amount::Scalar(_, low, _) => Wanted::Set(none, whole(*low)?.checked_add(charged)?),
                Amount::Ranges(ranges) => Wanted::Set(Very::Ranges(ranges.clone()), charged),
                Amount::Items(items) => Wanted::Set(Very::Items(items.clone()), charged),
            });
        }
        let endless = self.parts(holding).any(|part| self.world.stock(part).usable == Quota::Unlimited);
        match amount {
            // Where there is no end of them, the very ones asked for are there.
            Amount::Ranges(ranges) if endless => Some(Wanted::Set(Very::Ranges(ranges.clone()), 0)),
            Amount::Items(items) if endless => Some(Wanted::Set(Very::Items(items.clone()), 0)),
            _ => scalar_of(self.world, holding, amount, charged).map(Wanted::Scalar),
        }
    }

    /// What the tiers above give: what the lowest gave.
    fn same(&self, portion: &Portion) -> Wanted {
        let mut ranges = Ranges::default();
        let mut items = Vec::new();
        let mut sum: i64 = 0;
        for take in &portion.own {
            match (&take.amount, &self.world.stock(take.stock).usable) {
                (Taken::Scalar(amount), _) => sum = sum.saturating_add(*amount),
                (Taken::Set(set), Quota::Items(all)) => items.extend(
                    all.iter().enumerate().filter(|(at, _)| set.contains(*at as i64)).map(|(_, item)| *item),
                ),
                (Taken::Set(set), _) => ranges = ranges.union(set),
            }
        }
        if !items.is_empty() {
            Wanted::Set(Very::Items(items), 0)
        } else if ranges.is_empty() {
            Wanted::Scalar(sum)
        } else {
            Wanted::Set(Very::Ranges(ranges), 0)
        }
    }

    /// Splits what is wanted over the open parts of a holding, if it fits.
    fn split(&self, holding: &'a Holding, wanted: Wanted) -> Option<Vec<Take>> {
        match wanted {
            Wanted::Scalar(amount) => self.split_scalar(holding, amount),
            Wanted::Set(very, more) => self.split_set(holding, very, more),
        }
    }

    fn split_scalar(&self, holding: &'a Holding, amount: i64) -> Option<Vec<Take>> {
        if self.is_set(holding) {
            // So many of a set above a plain amount: any.
            return self.split_set(holding, Very::Ranges(Ranges::default()), whole(amount)?);
        }
        let mut left = amount;
        let mut takes = Vec::new();
        let mut parts = self.parts(holding).peekable();
        // Nothing is asked of the first part.
        let first = *parts.peek()?;
        for part in parts {
            let free = self.free(part).map_or(i128::MAX, |free| free.max(0));
            let here = left.min(i64::try_from(free).unwrap_or(i64::MAX));
            if here > 0 {
                takes.push(Take { stock: part, amount: Taken::Scalar(here) });
                left -= here;
            }
        }
        if takes.is_empty() {
            takes.push(Take { stock: first, amount: Taken::Scalar(0) });
        }
        (left == 0).then_some(takes)
    }

    fn split_set(&self, holding: &'a Holding, mut very: Very, more: u128) -> Option<Vec<Take>> {
        let mut left = more;
        let mut takes = Vec::new();
        let first = self.parts(holding).next()?;
        let mut rest: Vec<(StockId, Ranges)> = Vec::new();
        for part in self.parts(holding) {
            // Where very ones are asked for, only these are looked up.
            let free = match &very {
                Very::Ranges(wanted) if more == 0 => self.free_among(part, wanted),
                _ => self.free_set(part),
            };
            let Some(free) = free else {
                // A part without end gives what is left.
                takes.extend(very.all().map(|amount| Take { stock: part, amount }));
                very = Very::Ranges(Ranges::default());
                continue;
            };
            let here = very.take_from(&self.world.stock(part).usable, &free);
            rest.push((part, free.minus(&here)));
            if !here.is_empty() {
                takes.push(Take { stock: part, amount: Taken::Set(here) });
            }
        }
        if !very.is_empty() {
            return None;
        }
        for (part, free) in rest.into_iter().filter(|_| more > 0) {
            let here = free.lowest(left.min(free.count()))?;
            left -= here.count();
            match takes.iter_mut().find(|take| take.stock == part) {
                Some(Take { amount: Taken::Set(set), .. }) => *set = set.union(&here),
                _ if here.is_empty() => {}
                _ => takes.push(Take { stock: part, amount: Taken::Set(here) }),
            }
        }
        if takes.is_empty() {
            takes.push(Take { stock: first, amount: Taken::Set(Ranges::default()) });
        }
        (left == 0).then_some(takes)
    }

    /// Whether a request could be met if everything were free.
    pub fn could_fit(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> bool {
        Room { ledger: None, pending: &[], ..*self }.fits(tiers, amount, charged).is_ok()
    }

    /// What is taken of a range of amounts: the most that fits.
    pub fn most(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> Option<Portion> {
        let Amount::Scalar(dimension, low, high) = amount else { return None };
        let lowest = self.world.holding(*tiers.first()?);
        let unit = if self.is_set(lowest) { MILLION } else { 1 };
        let exact = |steps: i64| {
            let exact = low + steps * unit;
            Amount::Scalar(*dimension, exact, exact)
        };
        // Halving: what fits at an amount fits at every smaller one.
        let (mut least, mut above) = (0, (high - low) / unit + 1);
        while above - least > 1 {
            let middle = least + (above - least) / 2;
            if self.fits(tiers, &exact(middle), charged).is_ok() { least = middle } else { above = middle }
        }
        self.take(tiers, &exact(least), charged).ok()
    }
}

impl Very {
    fn is_empty(&self) -> bool {
        match self {
            Very::Ranges(ranges) => ranges.is_empty(),
            Very::Items(items) => items.is_empty(),
        }
    }

    /// All of them, as a part without end gives them.
    fn all(&self) -> Option<Taken> {
        match self {
            _ if self.is_empty() => None,
            Very::Ranges(ranges) => Some(Taken::Set(ranges.clone())),
            Very::Items(items) => {
                let count = i64::try_from(items.len()).ok()?.checked_mul(MILLION)?;
                Some(Taken::Scalar(count))
            }
        }
    }

    /// Those that are free in a part, by its numbers: they are wanted no longer.
    fn take_from(&mut self, part: &Quota, free: &Ranges) -> Ranges {
        match (self, part) {
            (Very::Ranges(wanted), Quota::Ranges(_)) => {
                let here = wanted.common(free);
                *wanted = wanted.minus(&here);
                here
            }
            (Very::Items(wanted), Quota::Items(all)) => {
                let mut here = Vec::new();
                wanted.retain(|item| {
                    let number = all.iter().position(|known| known == item).map(|at| at as i64);
                    let number = number.filter(|number| free.contains(*number));
                    here.extend(number.map(|number| (number, number)));
                    number.is_none()
                });
                Ranges::new(here)
            }
            _ => Ranges::default(),
        }
    }
}

/// The scalar that a request takes of a holding; `None` above its `max`, or where it asks for ports of a number.
pub fn scalar_of(world: &World, holding: &Holding, amount: &Amount, charged: i64) -> Option<i64> {
    let Amount::Scalar(dimension, low, _) = amount else { return None };
    let endless = || holding.parts.iter().any(|part| world.stock(part.1).usable == Quota::Unlimited);
    if *dimension != holding.dimension && !endless() {
        return None;
    }
    holding.taken(low.checked_add(charged)?)
}

fn whole(millionths: i64) -> Option<u128> {
    (millionths >= 0 && millionths % MILLION == 0).then_some((millionths / MILLION) as u128)
}
