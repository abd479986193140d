//! A partition of rows into classes of equal values of some keys. Rows of one class behave alike for whatever
//! reads only these keys.

use std::hash::Hash;

use indexmap::IndexMap;

use super::bits::Bits;

/// A partition of rows into classes.
#[derive(Clone, Debug)]
pub struct Classes {
    rows: usize,
    of_row: OfRow,
    /// A representative row of each class.
    one: Vec<u32>,
}

/// The class of each row, in one of two forms.
#[derive(Clone, Debug)]
enum OfRow {
    /// One entry per row.
    Each(Vec<u32>),
    /// The classes of the listed rows, in ascending order. All other rows are in class 0. Used for keys that
    /// few rows have.
    Few(Vec<(u32, u32)>),
}

impl Classes {
    /// Partitions rows by a key.
    pub fn of<K: Hash + Eq>(rows: usize, mut key: impl FnMut(usize) -> K) -> Classes {
        let mut numbers = Numbering::default();
        let of_row = (0..rows as u32).map(|row| numbers.class(row, key(row as usize)));
        Classes { rows, of_row: OfRow::Each(of_row.collect()), one: numbers.one }
    }

    /// Partitions rows by a key that only a few rows have, listed in ascending order. The other rows form one
    /// class, which no listed row joins. Takes time proportional to the number of listed rows.
    pub fn of_few<K: Hash + Eq>(rows: usize, few: &[u32], mut key: impl FnMut(usize) -> K) -> Classes {
        // The first row that is not listed represents the others. Without one, every row is listed.
        let Some(other) = (0..).zip(few).find(|(row, has)| row != *has).map(|(row, _)| row).or_else(|| {
            let next = few.len() as u32;
            (few.len() < rows).then_some(next)
        }) else {
            return Classes::of(rows, key);
        };
        let mut numbers = Numbering { known: IndexMap::new(), one: vec![other] };
        let of_row = few.iter().map(|row| (*row, numbers.class(*row, key(*row as usize))));
        Classes { rows, of_row: OfRow::Few(of_row.collect()), one: numbers.one }
    }

    /// Returns the common refinement of two partitions: rows are together if both have them together.
    pub fn both(&self, other: &Classes) -> Classes {
        let key = |row: usize| (self.class(row), other.class(row));
        // If few rows differ from the rest in either partition, few do in both.
        let (OfRow::Few(one), OfRow::Few(two)) = (&self.of_row, &other.of_row) else {
            return Classes::of(self.rows, key);
        };
        let mut few: Vec<u32> = one.iter().chain(two).map(|(row, _)| *row).collect();
        few.sort_unstable();
        few.dedup();
        Classes::of_few(self.rows, &few, key)
    }

    /// Returns the memory for data by rows, in bytes.
    pub fn bytes(&self) -> usize {
        match &self.of_row {
            OfRow::Each(of_row) => size_of_val(of_row.as_slice()),
            OfRow::Few(few) => size_of_val(few.as_slice()),
        }
    }

    /// Returns the number of classes.
    pub fn count(&self) -> usize {
        self.one.len()
    }

    /// Returns the class of a row.
    pub fn class(&self, row: usize) -> usize {
        match &self.of_row {
            OfRow::Each(of_row) => of_row[row] as usize,
            OfRow::Few(few) => {
                few.binary_search_by_key(&(row as u32), |(row, _)| *row).map_or(0, |at| few[at].1 as usize)
            }
        }
    }

    /// Calls a function with the representative of each class, in order of class.
    pub fn each<T>(&self, of_row: impl FnMut(usize) -> T) -> Vec<T> {
        self.one.iter().map(|row| *row as usize).map(of_row).collect()
    }

    /// Returns the rows of the selected classes.
    pub fn rows(&self, among: &[bool]) -> Bits {
        match &self.of_row {
            OfRow::Each(of_row) => Bits::of(self.rows, |row| among[of_row[row] as usize]),
            OfRow::Few(few) => {
                let mut rows = if among[0] { Bits::all(self.rows) } else { Bits::none(self.rows) };
                few.iter().for_each(|(row, class)| rows.set(*row as usize, among[*class as usize]));
                rows
            }
        }
    }

    /// Returns the rows whose representative satisfies a predicate.
    pub fn rows_where(&self, holds: impl FnMut(usize) -> bool) -> Bits {
        self.rows(&self.each(holds))
    }
}

/// Numbers classes in the order in which they are met.
struct Numbering<K> {
    known: IndexMap<K, u32>,
    /// A representative row of each class.
    one: Vec<u32>,
}

impl<K> Default for Numbering<K> {
    fn default() -> Self {
        Numbering { known: IndexMap::new(), one: Vec::new() }
    }
}

impl<K: Hash + Eq> Numbering<K> {
    fn class(&mut self, row: u32, key: K) -> u32 {
        let next = self.one.len() as u32;
        *self.known.entry(key).or_insert_with(|| {
            self.one.push(row);
            next
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A partition by few rows equals one by all rows, up to the numbers of classes.
    #[test]
    fn few_rows_are_classed_as_all_are() {
        let has = |row: usize| row.is_multiple_of(5).then_some(row % 3);
        let also = |row: usize| row.is_multiple_of(7).then_some(row % 2);
        for rows in [1, 2, 5, 36] {
            let few = |key: &dyn Fn(usize) -> Option<usize>| {
                let there: Vec<u32> = (0..rows as u32).filter(|row| key(*row as usize).is_some()).collect();
                (Classes::of_few(rows, &there, key), Classes::of(rows, key))
            };
            let ((one, all_one), (two, all_two)) = (few(&has), few(&also));
            let pairs = [(&one, &all_one), (&two, &all_two), (&one.both(&two), &all_one.both(&all_two))];
            for (few, all) in pairs {
                assert_eq!(few.count(), all.count());
                for row in 0..rows {
                    let alike = |classes: &Classes| -> Vec<bool> {
                        (0..rows).map(|other| classes.class(row) == classes.class(other)).collect()
                    };
                    assert_eq!(alike(few), alike(all), "row {row} of {rows}");
                }
                let holds = |classes: &Classes| classes.rows_where(|row| has(row) == Some(1));
                let (few, all) = (holds(few), holds(all));
                assert!((0..rows).all(|row| few.has(row) == all.has(row)), "{rows}");
            }
        }
    }
}
