//! Rows by what they have of some keys: rows of one class are alike for whatever reads only these.

use std::hash::Hash;

use indexmap::IndexMap;

use super::bits::Bits;

/// The class of every row.
#[derive(Clone, Debug)]
pub struct Classes {
    of_row: Vec<u32>,
    /// A row of each class.
    one: Vec<u32>,
}

impl Classes {
    /// Rows by a key of theirs.
    pub fn of<K: Hash + Eq>(rows: usize, mut key: impl FnMut(usize) -> K) -> Classes {
        let mut known: IndexMap<K, u32> = IndexMap::new();
        let mut one = Vec::new();
        let of_row = (0..rows).map(|row| {
            let next = known.len() as u32;
            *known.entry(key(row)).or_insert_with(|| {
                one.push(row as u32);
                next
            })
        });
        Classes { of_row: of_row.collect(), one }
    }

    /// Rows by their classes in two ways.
    pub fn both(&self, other: &Classes) -> Classes {
        Classes::of(self.of_row.len(), |row| (self.of_row[row], other.of_row[row]))
    }

    /// How many classes there are.
    pub fn count(&self) -> usize {
        self.one.len()
    }

    /// The class of a row.
    pub fn class(&self, row: usize) -> usize {
        self.of_row[row] as usize
    }

    /// What one row of each class gives, by class.
    pub fn each<T>(&self, of_row: impl FnMut(usize) -> T) -> Vec<T> {
        self.one.iter().map(|row| *row as usize).map(of_row).collect()
    }

    /// The rows whose class is among some.
    pub fn rows(&self, among: &[bool]) -> Bits {
        Bits::of(self.of_row.len(), |row| among[self.of_row[row] as usize])
    }

    /// The rows for which something holds that one row of each class tells.
    pub fn rows_where(&self, holds: impl FnMut(usize) -> bool) -> Bits {
        self.rows(&self.each(holds))
    }
}
