//! Availability: the amount that a requester may take now, and its division over parts, tiers and limits
//! (`docs/language.md`, "resources").
//!
//! An amount is taken in three dimensions at once.
//!
//! - Over the **parts** of a holding, in a fixed order: reserved for the own role, reserved for the roles
//!   above it, unreserved, revocable, and lent (reserved for other roles, free now). One amount may be split
//!   over several parts.
//! - Over the **tiers** of storage, lowest first. Options such as `step` apply at the lowest tier; every tier
//!   above gives the very same amount, of sets the very same members.
//! - Over the **limits** of the requester's role and the roles above it.
//!
//! Nothing is counted here: a [`Portion`] lists takes, and the caller enters them into the ledger. Binding,
//! matching and changes of a state all ask here, so that "free" has one meaning.

use std::collections::BTreeSet;

use super::{
    ledger::{self, Ledger},
    world::{Holding, HoldingId, PartKind, StockId, Take, Taken, Total, World},
};
use crate::{ir::Amount, quantity::MILLION, ranges::Ranges, symbol::Symbol, types::Side};

/// A requester, as far as it decides which parts are open to it.
#[derive(Clone, Copy, Debug)]
pub struct Requester<'a> {
    /// The framework, whose own promises do not overlap. `None` for requests outside a cycle.
    pub framework: Option<usize>,
    /// Its role and those above it, nearest first.
    pub line: &'a [Symbol],
    /// The use of revocable resources.
    pub revocable: Revocable,
    /// The limits that are ignored. Explanations ask in this way if a need would be met without them.
    pub exempt: &'a [StockId],
}

/// The use of revocable resources by a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocable {
    /// None of it.
    Exclude,
    /// After everything else.
    Include,
    /// Nothing but it.
    Only,
}

/// The availability to one requester at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Availability<'a> {
    /// The fleet.
    pub world: &'a World,
    /// The amounts in use. `None` asks as if everything were free.
    pub ledger: Option<&'a Ledger>,
    /// The requester.
    pub requester: Requester<'a>,
    /// The amounts that the requester is about to take and the ledger does not have yet: a need is counted as
    /// one, so its second volume must not see what its first one takes.
    pub pending: &'a [Take],
}

/// The takes of one amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// The takes from the parts of the lowest tier, in the order of the parts.
    pub own: Vec<Take>,
    /// The takes from the tiers above and from the limits of roles.
    pub above: Vec<Take>,
}

impl Portion {
    /// Returns all takes.
    pub fn takes(&self) -> impl Iterator<Item = &Take> {
        self.own.iter().chain(&self.above)
    }

    /// Returns the amount taken of the lowest tier, in base units. Of ranges and items it is their number, in
    /// millionths.
    pub fn amount(&self) -> i128 {
        self.own.iter().map(|take| take.amount.count()).sum()
    }
}

/// The first obstacle that an amount does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// A holding has too little.
    Holding(HoldingId),
    /// A limit leaves too little.
    Limit(StockId),
}

/// An amount as one tier is asked for it.
enum TierRequest {
    Scalar(i64),
    /// Definite members, and a number of any others.
    Set(Exact, u128),
}

/// The definite members of a request that are still to be found.
#[derive(Clone)]
enum Exact {
    Ranges(Ranges),
    Items(Vec<Symbol>),
}

impl<'a> Availability<'a> {
    /// Returns the parts of a holding that are open to the requester, in the order in which they are used up.
    pub fn parts(&self, holding: &'a Holding) -> impl Iterator<Item = StockId> + use<'a> {
        let (line, revocable, lends) = (self.requester.line, self.requester.revocable, self.world.lends);
        let parts = holding.parts.as_slice();
        let firm = if revocable == Revocable::Only { &[] } else { parts };
        // The line has the nearest role first, so that own reservations come before those of roles above.
        let reserved = line.iter().flat_map(move |role| {
            firm.iter().filter(move |part| part.0 == PartKind::Reserved(*role)).map(|part| part.1)
        });
        let unreserved = firm.iter().filter(|part| part.0 == PartKind::Unreserved).map(|part| part.1);
        let back = if revocable == Revocable::Exclude { &[] } else { parts };
        let revocable = back.iter().filter(|part| part.0 == PartKind::Revocable).map(|part| part.1);
        // Under `lend reserved`, what is free of other roles' reservations counts as revocable.
        let lent = back
            .iter()
            .filter(move |part| matches!(&part.0, PartKind::Reserved(role) if lends && !line.contains(role)));
        reserved.chain(unreserved).chain(revocable).chain(lent.map(|part| part.1))
    }

    /// Returns the free amount of a stock, in base units; `None` for an unlimited stock. Of ranges and items
    /// it is their number, in millionths.
    pub fn free(&self, id: StockId) -> Option<i128> {
        let free = match self.ledger {
            Some(ledger) => ledger.available(self.world, id, self.requester.framework),
            None => ledger::total(self.world.stock(id)),
        };
        free.map(|free| free - self.pending_of(id).map(|taken| taken.count()).sum::<i128>())
    }

    /// Returns the free members of a set stock; `None` for other stocks.
    pub fn free_set(&self, id: StockId) -> Option<Ranges> {
        let free = match self.ledger {
            Some(ledger) => ledger.available_set(self.world, id, self.requester.framework),
            None => ledger::all(self.world.stock(id)),
        };
        free.map(|free| {
            self.pending_of(id).fold(free, |free, taken| match taken {
                Taken::Set(set) => free.minus(set),
                Taken::Scalar(_) => free,
            })
        })
    }

    /// Returns those of the `wanted` members that are free; `None` for a stock that is no set.
    fn free_among(&self, id: StockId, wanted: &Ranges) -> Option<Ranges> {
        let free = match self.ledger {
            Some(ledger) => ledger.available_among(self.world, id, self.requester.framework, wanted),
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

    /// Returns the free amount of all open parts of a holding; `None` if one of them is unlimited.
    pub fn free_of(&self, id: HoldingId) -> Option<i128> {
        // An overdrawn part has nothing to give, and takes nothing from the others.
        self.parts(self.world.holding(id)).try_fold(0, |sum, part| Some(sum + self.free(part)?.max(0)))
    }

    /// Returns the stocks of the limits on a resource that apply to the requester.
    fn limits(&self, side: Side, resource: Symbol) -> impl Iterator<Item = StockId> + use<'a> {
        let (world, Requester { line, exempt, .. }) = (self.world, self.requester);
        let any = if world.limits.is_empty() { &[] } else { line };
        let limits = any.iter().filter_map(move |role| world.limits.get(&(*role, side, resource)).copied());
        limits.filter(move |limit| !exempt.contains(limit))
    }

    /// Divides an amount over all tiers and limits, lowest tier first. `charged` is added to the amount
    /// before `step`, `min` and `max` apply. Of a range of amounts the lower end is taken;
    /// [`Availability::take_most`] finds more.
    ///
    /// # Errors
    /// The first holding or limit that the amount does not fit.
    pub fn take(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> Result<Portion, Shortfall> {
        let Some(lowest) = tiers.first() else { return Ok(Portion::default()) };
        let holding = self.world.holding(*lowest);
        let wanted = self.wanted(holding, amount, charged).ok_or(Shortfall::Holding(*lowest))?;
        let mut portion = self.tiers(tiers, wanted)?;
        let limits = self.limit_takes(holding.side, holding.resource, portion.amount())?;
        portion.above.extend(limits);
        Ok(portion)
    }

    /// Divides an exact amount over all tiers, without options and limits. Used for amounts decided earlier,
    /// such as allocations, which stay valid when options or limits change.
    ///
    /// # Errors
    /// The first tier that the amount does not fit.
    pub fn take_exact(&self, tiers: &[HoldingId], amount: &Amount) -> Result<Portion, Shortfall> {
        let Some(lowest) = tiers.first() else { return Ok(Portion::default()) };
        let holding = self.world.holding(*lowest);
        let wanted = match amount {
            Amount::Scalar(_, exact, _) if !self.is_set(holding) => Some(TierRequest::Scalar(*exact)),
            _ => self.wanted(holding, amount, 0),
        };
        self.tiers(tiers, wanted.ok_or(Shortfall::Holding(*lowest))?)
    }

    /// Divides an amount over the tiers. The lowest tier settles which members of a set are taken, and each
    /// tier above is asked for just those.
    fn tiers(&self, tiers: &[HoldingId], mut wanted: TierRequest) -> Result<Portion, Shortfall> {
        let mut portion = Portion::default();
        for (at, tier) in tiers.iter().enumerate() {
            let takes = self.split(self.world.holding(*tier), wanted).ok_or(Shortfall::Holding(*tier))?;
            // Only the lowest tier is reported and counted in shares, so its takes stay apart.
            if at == 0 {
                portion.own = takes
            } else {
                portion.above.extend(takes)
            }
            wanted = self.request_above(&portion);
        }
        Ok(portion)
    }

    /// Returns the takes of an amount from the limits that apply to the requester.
    ///
    /// # Errors
    /// The first limit that the amount exceeds.
    pub fn limit_takes(&self, side: Side, resource: Symbol, amount: i128) -> Result<Vec<Take>, Shortfall> {
        let mut takes = Vec::new();
        for limit in self.limits(side, resource) {
            let fits = self.free(limit).is_none_or(|free| amount <= free);
            let whole = i64::try_from(amount).ok().filter(|_| fits).ok_or(Shortfall::Limit(limit))?;
            takes.push(Take { stock: limit, amount: Taken::Scalar(whole) });
        }
        Ok(takes)
    }

    /// Checks that an amount fits, with the same result as [`Availability::take`]. For plain amounts no
    /// portion is built.
    ///
    /// # Errors
    /// The first holding or limit that the amount does not fit.
    pub fn fits(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> Result<(), Shortfall> {
        let Some(lowest) = tiers.first() else { return Ok(()) };
        let holding = self.world.holding(*lowest);
        // Sets must be divided to see if they fit; plain amounts need only the sums.
        let plain = tiers.iter().all(|tier| !self.is_set(self.world.holding(*tier)));
        let (true, Amount::Scalar(..)) = (plain, amount) else {
            return self.take(tiers, amount, charged).map(|_| ());
        };
        let Some(wanted) = scalar_of(self.world, holding, amount, charged) else {
            return Err(Shortfall::Holding(*lowest));
        };
        let short = |tier: &&HoldingId| {
            let holding = self.world.holding(**tier);
            !self.has_part(holding) || self.free_of(**tier).is_some_and(|free| i128::from(wanted) > free)
        };
        if let Some(tier) = tiers.iter().find(short) {
            return Err(Shortfall::Holding(*tier));
        }
        self.limit_takes(holding.side, holding.resource, i128::from(wanted)).map(|_| ())
    }

    /// Returns `true` if some part of a holding is open to the requester.
    fn has_part(&self, holding: &'a Holding) -> bool {
        self.parts(holding).next().is_some()
    }

    fn is_set(&self, holding: &Holding) -> bool {
        holding.parts.iter().any(|part| ledger::is_set(self.world.stock(part.1)))
    }

    /// Returns the request to the lowest tier, after options; `None` if the holding cannot serve it at any
    /// moment.
    fn wanted(&self, holding: &'a Holding, amount: &Amount, charged: i64) -> Option<TierRequest> {
        let none = Exact::Ranges(Ranges::default());
        if self.is_set(holding) {
            let charged = whole(charged)?;
            return Some(match amount {
                Amount::Scalar(_, low, _) => TierRequest::Set(none, whole(*low)?.checked_add(charged)?),
                Amount::Ranges(ranges) => TierRequest::Set(Exact::Ranges(ranges.clone()), charged),
                Amount::Items(items) => TierRequest::Set(Exact::Items(items.clone()), charged),
            });
        }
        let endless = self.parts(holding).any(|part| self.world.stock(part).usable == Total::Unlimited);
        match amount {
            // An unlimited holding has every member that is asked for.
            Amount::Ranges(ranges) if endless => Some(TierRequest::Set(Exact::Ranges(ranges.clone()), 0)),
            Amount::Items(items) if endless => Some(TierRequest::Set(Exact::Items(items.clone()), 0)),
            _ => scalar_of(self.world, holding, amount, charged).map(TierRequest::Scalar),
        }
    }

    /// Returns the request to the tiers above: the amount or the members that the lowest tier gave.
    fn request_above(&self, portion: &Portion) -> TierRequest {
        let mut ranges = Ranges::default();
        let mut items = Vec::new();
        let mut sum: i64 = 0;
        for take in &portion.own {
            match (&take.amount, &self.world.stock(take.stock).usable) {
                (Taken::Scalar(amount), _) => sum = sum.saturating_add(*amount),
                (Taken::Set(set), Total::Items(all)) => items.extend(
                    all.iter().enumerate().filter(|(at, _)| set.contains(*at as i64)).map(|(_, item)| *item),
                ),
                (Taken::Set(set), _) => ranges = ranges.union(set),
            }
        }
        if !items.is_empty() {
            TierRequest::Set(Exact::Items(items), 0)
        } else if ranges.is_empty() {
            TierRequest::Scalar(sum)
        } else {
            TierRequest::Set(Exact::Ranges(ranges), 0)
        }
    }

    /// Divides a request over the open parts of a holding; `None` if it does not fit.
    fn split(&self, holding: &'a Holding, wanted: TierRequest) -> Option<Vec<Take>> {
        match wanted {
            TierRequest::Scalar(amount) => self.split_scalar(holding, amount),
            // A tier that has a number of what the tier below has one by one: the members count.
            TierRequest::Set(exact, more) if self.is_counted(holding) => {
                let number = exact.count().checked_add(more)?.checked_mul(MILLION as u128)?;
                self.split_scalar(holding, i64::try_from(number).ok()?)
            }
            TierRequest::Set(exact, more) => self.split_set(holding, exact, more),
        }
    }

    /// Returns `true` if every part of a holding is a limited amount, without members.
    fn is_counted(&self, holding: &Holding) -> bool {
        holding.parts.iter().all(|part| matches!(self.world.stock(part.1).usable, Total::Scalar(_)))
    }

    fn split_scalar(&self, holding: &'a Holding, amount: i64) -> Option<Vec<Take>> {
        if self.is_set(holding) {
            // A plain amount at the tier below asks for a number of any members here.
            return self.split_set(holding, Exact::Ranges(Ranges::default()), whole(amount)?);
        }
        let mut left = amount;
        let mut takes = Vec::new();
        let mut parts = self.parts(holding).peekable();
        // A request for nothing needs an open part too: it takes nothing of the first one.
        let first = *parts.peek()?;
        for part in parts {
            // An overdrawn part gives nothing, and an unlimited one everything.
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

    /// Divides a request for members in two passes. The first finds the definite members, in whichever part
    /// has them. The second adds `more` members of any kind, the lowest free ones first, in the order of the
    /// parts.
    fn split_set(&self, holding: &'a Holding, mut exact: Exact, more: u128) -> Option<Vec<Take>> {
        let mut left = more;
        let mut takes = Vec::new();
        let first = self.parts(holding).next()?;
        let mut rest: Vec<(StockId, Ranges)> = Vec::new();
        for part in self.parts(holding) {
            // For definite members alone, look up only these: a part may have many ranges.
            let free = match &exact {
                Exact::Ranges(wanted) if more == 0 => self.free_among(part, wanted),
                _ => self.free_set(part),
            };
            let Some(free) = free else {
                // A part without members is unlimited here: it gives all that is still wanted.
                takes.extend(exact.all().map(|amount| Take { stock: part, amount }));
                exact = Exact::Ranges(Ranges::default());
                continue;
            };
            let here = exact.take_from(&self.world.stock(part).usable, &free);
            rest.push((part, free.minus(&here)));
            if !here.is_empty() {
                takes.push(Take { stock: part, amount: Taken::Set(here) });
            }
        }
        if !exact.is_empty() {
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

    /// Returns `true` if an amount would fit if everything were free.
    pub fn could_fit(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> bool {
        Availability { ledger: None, pending: &[], ..*self }.fits(tiers, amount, charged).is_ok()
    }

    /// Takes the most of a range of amounts that fits; `None` if even the lower end does not, or if the
    /// amount is not a scalar. The cost is logarithmic in the width of the range.
    pub fn take_most(&self, tiers: &[HoldingId], amount: &Amount, charged: i64) -> Option<Portion> {
        let Amount::Scalar(dimension, low, high) = amount else { return None };
        let lowest = self.world.holding(*tiers.first()?);
        // Members come whole, in millionths; other amounts in single base units.
        let unit = if self.is_set(lowest) { MILLION } else { 1 };
        let exact = |steps: i64| {
            let exact = low + steps * unit;
            Amount::Scalar(*dimension, exact, exact)
        };
        // Binary search: what fits at an amount fits at every smaller one. `least` is the lower end or fits,
        // and `above` does not fit or is past the upper end.
        let (mut least, mut above) = (0, (high - low) / unit + 1);
        while above - least > 1 {
            let middle = least + (above - least) / 2;
            if self.fits(tiers, &exact(middle), charged).is_ok() { least = middle } else { above = middle }
        }
        self.take(tiers, &exact(least), charged).ok()
    }
}

impl Exact {
    fn is_empty(&self) -> bool {
        match self {
            Exact::Ranges(ranges) => ranges.is_empty(),
            Exact::Items(items) => items.is_empty(),
        }
    }

    fn count(&self) -> u128 {
        match self {
            Exact::Ranges(ranges) => ranges.count(),
            Exact::Items(items) => items.len() as u128,
        }
    }

    /// Returns all wanted members as an unlimited part gives them. Items are only counted then, since such a
    /// part has no list of items to number them by.
    fn all(&self) -> Option<Taken> {
        match self {
            _ if self.is_empty() => None,
            Exact::Ranges(ranges) => Some(Taken::Set(ranges.clone())),
            Exact::Items(items) => {
                let count = i64::try_from(items.len()).ok()?.checked_mul(MILLION)?;
                Some(Taken::Scalar(count))
            }
        }
    }

    /// Removes from the wanted members those that are free in a part, and returns them as the part numbers
    /// them.
    fn take_from(&mut self, part: &Total, free: &Ranges) -> Ranges {
        match (self, part) {
            (Exact::Ranges(wanted), Total::Ranges(_)) => {
                let here = wanted.common(free);
                *wanted = wanted.minus(&here);
                here
            }
            (Exact::Items(wanted), Total::Items(all)) => {
                let mut left: BTreeSet<Symbol> = wanted.iter().copied().collect();
                let mut here = Vec::new();
                for (number, item) in (0..).zip(all) {
                    if free.contains(number) && left.remove(item) {
                        here.push((number, number));
                    }
                }
                wanted.retain(|item| left.contains(item));
                Ranges::new(here)
            }
            _ => Ranges::default(),
        }
    }
}

/// Returns the amount that a request takes of a plain holding, after `step` and `min`. Returns `None` above
/// `max` or 64 bits, for another dimension than that of the holding, and for requests of definite members.
pub fn scalar_of(world: &World, holding: &Holding, amount: &Amount, charged: i64) -> Option<i64> {
    let Amount::Scalar(dimension, low, _) = amount else { return None };
    let endless = || holding.parts.iter().any(|part| world.stock(part.1).usable == Total::Unlimited);
    if *dimension != holding.dimension && !endless() {
        return None;
    }
    holding.taken(low.checked_add(charged)?)
}

/// Returns the whole number that an amount in millionths stands for, if it is one.
fn whole(millionths: i64) -> Option<u128> {
    (millionths >= 0 && millionths % MILLION == 0).then_some((millionths / MILLION) as u128)
}
