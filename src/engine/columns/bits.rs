//! A set of rows as a bitmap.

use super::simd;

/// A set of rows as a bitmap. Invariant: bits beyond the last row are 0, so that words can be counted and
/// compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    rows: usize,
}

impl Bits {
    /// Returns the empty set of `rows` rows.
    pub fn none(rows: usize) -> Bits {
        Bits { words: vec![0; rows.div_ceil(64)], rows }
    }

    /// Returns the set of all `rows` rows.
    pub fn all(rows: usize) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; rows.div_ceil(64)], rows };
        bits.trim();
        bits
    }

    /// Returns the set of the rows that satisfy a predicate.
    pub fn of(rows: usize, mut holds: impl FnMut(usize) -> bool) -> Bits {
        let mut bits = Bits::none(rows);
        for (at, word) in bits.words.iter_mut().enumerate() {
            let first = at * 64;
            for row in first..rows.min(first + 64) {
                *word |= u64::from(holds(row)) << (row - first);
            }
        }
        bits
    }

    /// Returns the number of rows, in the set or not.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the words, 64 rows each, the lowest bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Returns the words for modification. Call [`Bits::trim`] after bits beyond the last row may have been
    /// set.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Clears the bits beyond the last row.
    pub(crate) fn trim(&mut self) {
        if !self.rows.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.rows % 64)) - 1;
        }
    }

    /// Returns `true` if a row is in the set.
    pub fn has(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Inserts or removes a row.
    pub fn set(&mut self, row: usize, on: bool) {
        if let Some(word) = self.words.get_mut(row / 64) {
            let bit = 1 << (row % 64);
            if on { *word |= bit } else { *word &= !bit }
        }
    }

    /// Returns the number of rows in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Returns `true` if the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Intersects this set with another.
    pub fn and(&mut self, other: &Bits) {
        simd::and(&mut self.words, &other.words);
    }

    /// Removes the rows of another set.
    pub fn and_not(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Adds the rows of another set.
    pub fn or(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Copies another set into this one, reusing its memory.
    pub fn copy_from(&mut self, other: &Bits) {
        self.words.clone_from(&other.words);
        self.rows = other.rows;
    }

    /// Iterates over the rows of the set, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| ones(*word).map(move |bit| at * 64 + bit))
    }
}

/// Iterates over the bits of a word, the lowest first.
pub fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros() as usize;
        (word != 0).then(|| {
            // Clears the lowest bit that is set.
            word &= word - 1;
            bit
        })
    })
}
