//! Sets of integers as inclusive ranges, for resources such as ports and VLANs.

use std::fmt;

/// The ratio of sizes from which an operation searches the larger set instead of walking through it: `n · log
/// m` steps in place of `n + m`.
const SEARCH_RATIO: usize = 16;

/// A set of integers as inclusive ranges: sorted, disjoint, no two adjacent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ranges {
    parts: Vec<(i64, i64)>,
}

impl Ranges {
    /// Makes the union of inclusive ranges `(low, high)`. A range with `low > high` is empty.
    pub fn new(parts: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut sorted: Vec<_> = parts.into_iter().filter(|(low, high)| low <= high).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Ranges { parts: merged }
    }

    /// The ranges, in ascending order.
    pub fn parts(&self) -> &[(i64, i64)] {
        &self.parts
    }

    /// Counts the integers.
    pub fn count(&self) -> u128 {
        self.parts.iter().map(|&(low, high)| (i128::from(high) - i128::from(low) + 1) as u128).sum()
    }

    /// Returns `true` if the set is empty.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns `true` if an integer is in the set.
    pub fn contains(&self, value: i64) -> bool {
        let at = self.parts.partition_point(|&(_, high)| high < value);
        self.parts.get(at).is_some_and(|&(low, _)| low <= value)
    }

    /// Returns `true` if every integer of `other` is in the set.
    pub fn contains_all(&self, other: &Ranges) -> bool {
        other.minus(self).is_empty()
    }

    /// Returns the integers that are in either set.
    pub fn union(&self, other: &Ranges) -> Ranges {
        Ranges::new(self.parts.iter().chain(&other.parts).copied())
    }

    /// Adds the integers of another set. If these are few, the cost is a search for each range and a move of
    /// the ranges behind it.
    pub fn add(&mut self, other: &Ranges) {
        if other.parts.len() * SEARCH_RATIO > self.parts.len() {
            *self = self.union(other);
            return;
        }
        for &(low, high) in &other.parts {
            // Ranges that overlap or adjoin the new one are merged with it.
            let from = self.parts.partition_point(|&(_, end)| end < low.saturating_sub(1));
            let to = self.parts.partition_point(|&(start, _)| start <= high.saturating_add(1));
            let touched = &self.parts[from..to.max(from)];
            let low = touched.first().map_or(low, |first| first.0.min(low));
            let high = touched.last().map_or(high, |last| last.1.max(high));
            self.parts.splice(from..to.max(from), [(low, high)]);
        }
    }

    /// Removes the integers of another set, at the cost of [`Ranges::add`].
    pub fn remove(&mut self, other: &Ranges) {
        if other.parts.len() * SEARCH_RATIO > self.parts.len() {
            *self = self.minus(other);
            return;
        }
        for &(low, high) in &other.parts {
            let from = self.parts.partition_point(|&(_, end)| end < low);
            let to = self.parts.partition_point(|&(start, _)| start <= high).max(from);
            let hit = Ranges { parts: self.parts[from..to].to_vec() };
            let left = hit.minus(&Ranges { parts: vec![(low, high)] });
            self.parts.splice(from..to, left.parts);
        }
    }

    /// Returns the ranges that end at `value` or after it.
    fn from(&self, value: i64) -> &[(i64, i64)] {
        &self.parts[self.parts.partition_point(|&(_, high)| high < value)..]
    }

    /// Returns the integers of `self` that are not in `other`.
    pub fn minus(&self, other: &Ranges) -> Ranges {
        // Few ranges against many: search for each of them alone.
        if self.parts.len() > 1 && self.parts.len() * SEARCH_RATIO < other.parts.len() {
            let one = |part: &(i64, i64)| Ranges { parts: vec![*part] }.minus(other).parts;
            return Ranges { parts: self.parts.iter().flat_map(one).collect() };
        }
        let mut left = Vec::with_capacity(self.parts.len());
        let first = self.parts.first().map_or(&[][..], |first| other.from(first.0));
        // Both lists ascend, so the holes that end before the current range are passed for good. A hole may
        // reach into the next range as well, hence the copy that looks ahead.
        let mut holes = first.iter().copied().peekable();
        for &(mut low, high) in &self.parts {
            while holes.peek().is_some_and(|hole| hole.1 < low) {
                holes.next();
            }
            let mut ahead = holes.clone();
            let mut done = false;
            while let Some(&(hole_low, hole_high)) = ahead.peek() {
                if hole_low > high {
                    break;
                }
                if hole_low > low {
                    left.push((low, hole_low - 1));
                }
                if hole_high >= high {
                    done = true;
                    break;
                }
                low = hole_high + 1;
                ahead.next();
            }
            if !done {
                left.push((low, high));
            }
        }
        Ranges { parts: left }
    }

    /// Returns the integers that are in both sets.
    pub fn common(&self, other: &Ranges) -> Ranges {
        if self.parts.len() > other.parts.len() {
            return other.common(self);
        }
        self.minus(&self.minus(other))
    }

    /// Returns the lowest `count` integers, or `None` if there are fewer.
    pub fn lowest(&self, count: u128) -> Option<Ranges> {
        let mut wanted = count;
        let mut taken = Vec::new();
        for &(low, high) in &self.parts {
            if wanted == 0 {
                break;
            }
            let here = (i128::from(high) - i128::from(low) + 1) as u128;
            let take = here.min(wanted);
            taken.push((low, (i128::from(low) + take as i128 - 1) as i64));
            wanted -= take;
        }
        (wanted == 0).then_some(Ranges { parts: taken })
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, (low, high)) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if low == high { write!(f, "{low}")? } else { write!(f, "{low}..{high}")? }
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn ranges_are_merged_and_sorted() {
        let ranges = Ranges::new([(5, 6), (1, 2), (3, 3), (9, 8)]);
        assert_eq!(ranges.parts(), [(1, 3), (5, 6)]);
        assert_eq!(ranges.to_string(), "[1..3, 5..6]");
        assert_eq!(ranges.count(), 5);
        assert_eq!(Ranges::new([(i64::MIN, i64::MAX)]).count(), 1 << 64);
    }

    #[test]
    fn minus_agrees_with_membership_one_by_one() {
        let cases = [
            (vec![(0, 9)], vec![(3, 4), (8, 12)]),
            (vec![(0, 3), (6, 9)], vec![(2, 7)]),
            (vec![(0, 9)], vec![(0, 9)]),
            (vec![(0, 1), (3, 4), (6, 7)], vec![(1, 3), (7, 7)]),
            (vec![(0, 9)], vec![]),
        ];
        for (left, right) in cases {
            let (left, right) = (Ranges::new(left), Ranges::new(right));
            let rest = left.minus(&right);
            for n in -1..15 {
                assert_eq!(
                    rest.contains(n),
                    left.contains(n) && !right.contains(n),
                    "{left} - {right} at {n}"
                );
            }
            assert_eq!(rest, Ranges::new(rest.parts().iter().copied()), "canonical");
        }
    }

    #[test]
    fn few_among_many_are_as_those_gone_through() {
        let many = Ranges::new((0..200).map(|n| (n * 4, n * 4 + 1)));
        for few in
            [(0, 0), (2, 3), (-5, 900), (7, 9), (1, 2), (398, 403), (795, 900), (i64::MIN, 3), (5, i64::MAX)]
        {
            let few = Ranges::new([few]);
            let (mut more, mut less) = (many.clone(), many.clone());
            more.add(&few);
            less.remove(&few);
            assert_eq!(more, many.union(&few), "{few}");
            assert_eq!(less, many.minus(&few), "{few}");
            let common = Ranges::new((0..200).flat_map(|n| {
                let here = few.parts()[0];
                [(here.0.max(n * 4), here.1.min(n * 4 + 1))]
            }));
            assert_eq!((many.common(&few), few.common(&many)), (common.clone(), common), "{few}");
            for n in -9..909 {
                assert_eq!(
                    few.minus(&many).contains(n),
                    few.contains(n) && !many.contains(n),
                    "{few} at {n}"
                );
            }
        }
    }

    #[test]
    fn lowest_takes_from_the_bottom_or_not_at_all() {
        let ranges = Ranges::new([(1, 2), (10, 12)]);
        assert_eq!(ranges.lowest(3), Some(Ranges::new([(1, 2), (10, 10)])));
        assert_eq!(ranges.lowest(6), None);
        assert_eq!(ranges.lowest(0), Some(Ranges::default()));
    }
}
