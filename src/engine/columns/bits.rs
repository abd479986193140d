//! A set of rows, one bit each.

use super::simd;

/// A set of rows, one bit each; bits beyond the last row are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    rows: usize,
}

impl Bits {
    /// No row of so many.
    pub fn none(rows: usize) -> Bits {
        Bits { words: vec![0; rows.div_ceil(64)], rows }
    }

    /// Every row of so many.
    pub fn all(rows: usize) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; rows.div_ceil(64)], rows };
        bits.trim();
        bits
    }

    /// Those of so many rows for which something holds.
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

    /// How many rows there are, in the set or not.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Sixty-four rows a word, the lowest bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// As [`Bits::words`]. Who changes the last word calls [`Bits::trim`].
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Puts out the bits beyond the last row.
    pub(crate) fn trim(&mut self) {
        if !self.rows.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.rows % 64)) - 1;
        }
    }

    /// Whether a row is in the set.
    pub fn has(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Puts a row in or out.
    pub fn set(&mut self, row: usize, on: bool) {
        if let Some(word) = self.words.get_mut(row / 64) {
            let bit = 1 << (row % 64);
            if on { *word |= bit } else { *word &= !bit }
        }
    }

    /// How many rows are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Keeps the rows that another set has too.
    pub fn and(&mut self, other: &Bits) {
        simd::and(&mut self.words, &other.words);
    }

    /// Keeps the rows that another set has not.
    pub fn and_not(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Adds the rows of another set.
    pub fn or(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Becomes the same set as another of as many rows, without a new list.
    pub fn copy_from(&mut self, other: &Bits) {
        self.words.clone_from(&other.words);
        self.rows = other.rows;
    }

    /// The rows of the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| ones(*word).map(move |bit| at * 64 + bit))
    }
}

/// The bits of a word, the lowest first.
pub fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros() as usize;
        (word != 0).then(|| {
            word &= word - 1;
            bit
        })
    })
}
