//! The rows of one side by their value in the keys of places, and the bitmap of rows for which each place
//! holds.
//!
//! A bitmap is kept from grant to grant. It remembers how much of the log of instances it has read
//! ([`RowsRead`]), so that a grant changes only the rows at values whose count crossed the threshold. A
//! bitmap whose [`TallyOrigin`] differs was read from another state, and is computed anew.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::{
    engine::columns::{Bits, Classes},
    ir::{Place, PlaceKey, PlaceRelation, PlaceTest, Target, Volume},
    limits,
    matching::{
        Matcher, NeedId, PlaceValue,
        place::Bar,
        placed::{CountByValue, OtherInstance, OtherInstances, PlaceTally, TallyOrigin},
    },
    symbol::Symbol,
    types::Side,
};

/// The rows at one value. A short list is kept as such, so that setting them costs no more than a pass
/// over a bitmap of all rows.
#[derive(Clone, Debug)]
enum Here {
    Few(Vec<u32>),
    Many(Bits),
}

impl Here {
    /// Adds these rows to a bitmap, or removes them.
    fn put(&self, rows: &mut Bits, on: bool) {
        match (self, on) {
            (Here::Few(few), on) => few.iter().for_each(|row| rows.set(*row as usize, on)),
            (Here::Many(many), true) => rows.or(many),
            (Here::Many(many), false) => rows.and_not(many),
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let (few, many) = match self {
            Here::Few(few) => (few.as_slice(), None),
            Here::Many(many) => (&[][..], Some(many)),
        };
        few.iter().map(|row| *row as usize).chain(many.into_iter().flat_map(Bits::iter))
    }

    /// Returns the first of these rows that is in `rows`.
    pub fn first_of(&self, rows: &Bits) -> Option<u32> {
        match self {
            Here::Few(few) => few.iter().copied().find(|row| rows.has(*row as usize)),
            Here::Many(many) => {
                let words = many.words().iter().zip(rows.words()).enumerate();
                let both = words.map(|(at, (own, other))| (at, own & other)).find(|(_, word)| *word != 0);
                both.map(|(at, word)| (at * 64) as u32 + word.trailing_zeros())
            }
        }
    }
}

/// The rows at each value of a key.
#[derive(Clone, Debug)]
pub(super) struct RowsByValue {
    rows: IndexMap<PlaceValue, Here>,
    /// The rows with any value.
    known: Bits,
    /// The rows by their fault domain.
    of_domain: IndexMap<Symbol, Vec<u32>>,
}

impl RowsByValue {
    /// Returns, for each value with a row in `rows`, the first such row. Sorted by row.
    pub fn firsts(&self, rows: &Bits) -> Vec<(u32, PlaceValue)> {
        let of_spot =
            |(place_value, here): (&PlaceValue, &Here)| Some((here.first_of(rows)?, place_value.clone()));
        let mut found: Vec<(u32, PlaceValue)> = self.rows.iter().filter_map(of_spot).collect();
        found.sort_unstable_by_key(|one| one.0);
        found
    }

    /// Returns the rows at a value, in order.
    pub fn at(&self, place_value: &PlaceValue) -> impl Iterator<Item = usize> + '_ {
        self.rows.get(place_value).into_iter().flat_map(Here::iter)
    }

    /// Returns the rows in a fault domain itself, not in those below it, in order.
    pub fn of_domain(&self, domain: Symbol) -> impl Iterator<Item = usize> + '_ {
        self.of_domain.get(&domain).into_iter().flatten().map(|row| *row as usize)
    }

    fn put(&self, place_value: &PlaceValue, rows: &mut Bits, on: bool) {
        if let Some(here) = self.rows.get(place_value) {
            here.put(rows, on);
        }
    }
}

/// The rows for which a place holds, and the part of the state of instances that this follows from.
#[derive(Clone, Debug)]
struct PlaceRows {
    origin: TallyOrigin,
    read: RowsRead,
    holds: Bits,
}

/// The part of the state of instances that a bitmap has read.
#[derive(Clone, Debug)]
enum RowsRead {
    /// None: nothing changes the bitmap.
    Fixed,
    /// The first `changes` changes of the counts. A row holds if the count at its value is below `bar`.
    Counted { bar: u64, changes: usize },
    /// The only value that is allowed.
    Only(Sole),
    /// The first `others` instances, after `gone` removals. A removal may free rows, so the bitmap is then
    /// computed anew.
    Compared { others: usize, gone: usize },
}

/// The values that `together` allows: any, one, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sole {
    Any,
    One(PlaceValue),
    None,
}

/// The rows of one side by value, for the keys that were asked, and the bitmaps of places.
#[derive(Clone, Debug)]
pub(super) struct RowsByPlace {
    side: Side,
    rows: usize,
    rows_by_value: IndexMap<PlaceKey, Arc<RowsByValue>>,
    domains: Option<Classes>,
    with_domains: IndexMap<PlaceKey, Classes>,
    /// By need and number of the place.
    held: IndexMap<(NeedId, u32), PlaceRows>,
}

impl RowsByPlace {
    pub fn new(side: Side, rows: usize) -> RowsByPlace {
        RowsByPlace {
            side,
            rows,
            rows_by_value: IndexMap::new(),
            domains: None,
            with_domains: IndexMap::new(),
            held: IndexMap::new(),
        }
    }

    pub fn bytes(&self) -> usize {
        let classes = self.with_domains.len() + usize::from(self.domains.is_some());
        (self.rows_by_value.len() + classes) * self.rows * size_of::<u32>()
            + self.held.len() * self.rows.div_ceil(8)
    }

    pub fn rows_by_value(&mut self, matcher: &Matcher<'_>, key: PlaceKey) -> Arc<RowsByValue> {
        let (rows, side) = (self.rows, self.side);
        let known = self.rows_by_value.entry(key).or_insert_with(|| {
            let mut lists: IndexMap<PlaceValue, Vec<u32>> = IndexMap::new();
            let mut of_domain: IndexMap<Symbol, Vec<u32>> = IndexMap::new();
            let mut known = Bits::none(rows);
            for row in 0..rows {
                if let Some(place_value) = matcher.value_of(side, row, key) {
                    lists.entry(place_value).or_default().push(row as u32);
                    known.set(row, true);
                }
                if let Some(domain) = matcher.domain_of(side, row) {
                    of_domain.entry(domain).or_default().push(row as u32);
                }
            }
            // A bitmap of all rows has `rows / 64` words, the cost of one operation on it.
            let here = |list: Vec<u32>| match list.len() > rows / 64 + 1 {
                false => Here::Few(list),
                true => {
                    let mut many = Bits::none(rows);
                    list.iter().for_each(|row| many.set(*row as usize, true));
                    Here::Many(many)
                }
            };
            let rows = lists.into_iter().map(|(place_value, list)| (place_value, here(list))).collect();
            Arc::new(RowsByValue { rows, known, of_domain })
        });
        Arc::clone(known)
    }

    /// Returns the rows in classes of equal fault domains.
    pub fn domains(&mut self, matcher: &Matcher<'_>) -> &Classes {
        let (rows, side) = (self.rows, self.side);
        self.domains.get_or_insert_with(|| Classes::of(rows, |row| matcher.domain_of(side, row)))
    }

    /// Returns the rows in classes of equal value and fault domain.
    fn with_domains(&mut self, matcher: &Matcher<'_>, key: PlaceKey) -> &Classes {
        let (rows, side) = (self.rows, self.side);
        self.with_domains.entry(key).or_insert_with(|| {
            Classes::of(rows, |row| (matcher.value_of(side, row, key), matcher.domain_of(side, row)))
        })
    }

    /// Returns the rows for which a place of the need, or of one of its volumes, holds while no supply is
    /// assigned.
    pub fn placed(&mut self, matcher: &Matcher<'_>, place: &Place, volume: Option<&Volume>) -> &Bits {
        let at = (matcher.id, place.number);
        let origin = matcher.moment.placed.origin(matcher.id.framework);
        // Taken out, since following it borrows the rows by value too. Dropping the rest frees memory;
        // they are computed again when they are asked.
        let known = self.held.swap_remove(&at).filter(|held| held.origin == origin);
        if self.held.len() * self.rows.div_ceil(8) > limits::INDEX_BYTES {
            self.held.clear();
        }
        let (read, holds) = match known {
            Some(held) => self.follow(matcher, place, held),
            None => self.all(matcher, place, volume),
        };
        let (number, _) = self.held.insert_full(at, PlaceRows { origin, read, holds });
        &self.held[number].holds
    }

    /// Computes the bitmap of a place from the whole state.
    fn all(&mut self, matcher: &Matcher<'_>, place: &Place, volume: Option<&Volume>) -> (RowsRead, Bits) {
        match place.kind.test() {
            PlaceTest::Compared { relation, target: Target::Need(_) | Target::NeedVolume(..), key } => {
                let none = OtherInstances::default();
                let others = matcher.moment.placed.others(matcher.id, place.number).unwrap_or(&none);
                let mut holds = Bits::all(self.rows);
                self.compare(matcher, relation, key, others.iter(), &mut holds);
                (RowsRead::Compared { others: others.len(), gone: others.gone() }, holds)
            }
            PlaceTest::Counted { rule, key } => match matcher.bar(place, rule, &CountByValue::new()) {
                Bar::AtMost(bar) | Bar::Below(bar, ..) => {
                    let none = PlaceTally::default();
                    let tally = matcher.moment.placed.tally(matcher.id, place.number).unwrap_or(&none);
                    let rows_by_value = self.rows_by_value(matcher, key);
                    let rows = rows_by_value.known.rows();
                    let mut holds = if bar == 0 { Bits::none(rows) } else { rows_by_value.known.clone() };
                    for place_value in tally.between(bar, u64::MAX) {
                        rows_by_value.put(place_value, &mut holds, false);
                    }
                    (RowsRead::Counted { bar, changes: tally.changes() }, holds)
                }
                Bar::Only(chosen) => {
                    let sole = sole(matcher, place, chosen);
                    let holds = self.only(matcher, key, &sole);
                    (RowsRead::Only(sole), holds)
                }
            },
            // Subtrees, which the inventory alone decides, and ties to volumes, which hold as long as no
            // supply is assigned. The verdict depends on the fault domain alone.
            PlaceTest::Subtree { .. } | PlaceTest::Compared { target: Target::Volume(_), .. } => {
                let places = self.domains(matcher);
                let holds = places.rows_where(|row| match volume {
                    Some(volume) => matcher.supply_place(place, row, &[], volume).holds(),
                    None => matcher.agent_place(place, row, &[]).holds(),
                });
                (RowsRead::Fixed, holds)
            }
        }
    }

    /// Brings a bitmap up to date with the changes since it was read.
    fn follow(&mut self, matcher: &Matcher<'_>, place: &Place, held: PlaceRows) -> (RowsRead, Bits) {
        let PlaceRows { read, mut holds, .. } = held;
        let placed = matcher.moment.placed;
        match (&read, place.kind.test()) {
            (RowsRead::Counted { bar, changes }, PlaceTest::Counted { rule, key }) => {
                let (Some(tally), Bar::AtMost(now) | Bar::Below(now, ..)) =
                    (placed.tally(matcher.id, place.number), matcher.bar(place, rule, &CountByValue::new()))
                else {
                    return self.all(matcher, place, None);
                };
                // A threshold of 0 excludes every value, also those that were never counted and that no
                // change lists.
                if (*bar == 0) != (now == 0) {
                    return self.all(matcher, place, None);
                }
                let rows_by_value = self.rows_by_value(matcher, key);
                // Besides changed counts, a moved threshold turns the values between old and new.
                let moved =
                    if *bar == now { Vec::new() } else { tally.between(now.min(*bar), now.max(*bar)) };
                for place_value in tally.changed(*changes).chain(moved) {
                    rows_by_value.put(place_value, &mut holds, tally.get(place_value) < now);
                }
                (RowsRead::Counted { bar: now, changes: tally.changes() }, holds)
            }
            (RowsRead::Only(before), PlaceTest::Counted { rule, key }) => {
                let Bar::Only(chosen) = matcher.bar(place, rule, &CountByValue::new()) else {
                    return self.all(matcher, place, None);
                };
                let now = sole(matcher, place, chosen);
                if now != *before {
                    holds = self.only(matcher, key, &now);
                }
                (RowsRead::Only(now), holds)
            }
            (RowsRead::Compared { others, gone }, PlaceTest::Compared { relation, key, .. }) => {
                match placed.others(matcher.id, place.number) {
                    Some(now) if now.gone() == *gone => {
                        self.compare(matcher, relation, key, now.iter().skip(*others), &mut holds);
                        (RowsRead::Compared { others: now.len(), gone: *gone }, holds)
                    }
                    _ => self.all(matcher, place, None),
                }
            }
            (RowsRead::Fixed, PlaceTest::Subtree { .. } | PlaceTest::Compared { .. }) => (read, holds),
            // The bitmap was read for a test of another form, which a place with this number cannot have.
            (
                RowsRead::Fixed | RowsRead::Compared { .. } | RowsRead::Counted { .. } | RowsRead::Only(_),
                PlaceTest::Subtree { .. } | PlaceTest::Compared { .. } | PlaceTest::Counted { .. },
            ) => self.all(matcher, place, None),
        }
    }

    /// Returns the rows with a value that `sole` allows.
    fn only(&mut self, matcher: &Matcher<'_>, key: PlaceKey, sole: &Sole) -> Bits {
        let rows_by_value = self.rows_by_value(matcher, key);
        match sole {
            Sole::Any => rows_by_value.known.clone(),
            Sole::None => Bits::none(rows_by_value.known.rows()),
            Sole::One(place_value) => {
                let mut holds = Bits::none(rows_by_value.known.rows());
                rows_by_value.put(place_value, &mut holds, true);
                holds
            }
        }
    }

    /// Removes the rows for which a place that compares with `others` does not hold. Each of `others` can
    /// only remove rows, so a bitmap is updated with the new ones alone.
    fn compare<'o>(
        &mut self,
        matcher: &Matcher<'_>,
        relation: PlaceRelation,
        key: PlaceKey,
        others: impl Iterator<Item = &'o OtherInstance>,
        holds: &mut Bits,
    ) {
        for other in others {
            if holds.is_empty() {
                return;
            }
            match relation {
                PlaceRelation::Apart => self.away_from(matcher, key, other, holds),
                PlaceRelation::Near => self.near_to(matcher, key, other, holds),
            }
        }
    }

    /// Removes the rows that are not apart from an instance.
    fn away_from(&mut self, matcher: &Matcher<'_>, key: PlaceKey, other: &OtherInstance, holds: &mut Bits) {
        let rows_by_value = self.rows_by_value(matcher, key);
        holds.and(&rows_by_value.known);
        match &other.value {
            Some(place_value) => rows_by_value.put(place_value, holds, false),
            None => *holds = Bits::none(holds.rows()),
        }
    }

    /// Removes the rows that are not near an instance.
    fn near_to(&mut self, matcher: &Matcher<'_>, key: PlaceKey, other: &OtherInstance, holds: &mut Bits) {
        let side = self.side;
        // An agent is also near a supply whose domain contains it, and a supply is near the agents in
        // its domain. Without such an instance, only equal values are near.
        let reaches = if side == Side::Agent { other.supply } else { other.agent };
        let same = |row: usize| other.value.is_some() && matcher.value_of(side, row, key) == other.value;
        let around = |row: usize| match side {
            Side::Agent => matcher.is_around(other, matcher.domain_of(side, row)),
            _ => matcher.is_inside(other, matcher.domain_of(side, row)),
        };
        if reaches.is_some() {
            holds.and(&self.with_domains(matcher, key).rows_where(|row| same(row) || around(row)));
        } else {
            let rows_by_value = self.rows_by_value(matcher, key);
            let mut near = Bits::none(holds.rows());
            if let Some(place_value) = &other.value {
                rows_by_value.put(place_value, &mut near, true);
            }
            holds.and(&near);
        }
    }
}

/// Returns the values that `together` allows: the one chosen for all, and the one that instances have.
fn sole(matcher: &Matcher<'_>, place: &Place, chosen: Option<PlaceValue>) -> Sole {
    let tally = matcher.moment.placed.tally(matcher.id, place.number);
    let mut only = chosen.iter().chain(tally.into_iter().flat_map(PlaceTally::place_values));
    match only.next() {
        None => Sole::Any,
        Some(one) if only.all(|other| other == one) => Sole::One(one.clone()),
        Some(_) => Sole::None,
    }
}

impl Matcher<'_> {
    fn value_of(&self, side: Side, row: usize, key: PlaceKey) -> Option<PlaceValue> {
        match side {
            Side::Agent => self.agent_value(row, key),
            _ => self.supply_value(row, key),
        }
    }

    fn domain_of(&self, side: Side, row: usize) -> Option<Symbol> {
        match side {
            Side::Agent => self.moment.world.agents[row].placement.domain,
            _ => self.moment.world.supplies[row].placement.domain,
        }
    }
}
