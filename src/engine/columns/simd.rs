//! SIMD kernels over columns. Each has a scalar twin that defines its meaning. The widest instructions of the
//! processor are chosen at run time. The length of a column is a multiple of [`WORD`].

use fearless_simd::{Level, dispatch, prelude::*};

/// The number of rows in a word of a bitmap.
pub const WORD: usize = 64;

/// A number type of columns.
pub trait Lane: Copy + Ord + Default + Send + Sync + 'static {
    /// Removes from `rows` those whose number is below `bound`.
    fn at_least(column: &[Self], bound: Self, rows: &mut [u64]);
}

/// The scalar twin of [`Lane::at_least`].
pub fn at_least_plain<T: Lane>(column: &[T], bound: T, rows: &mut [u64]) {
    for (word, lanes) in rows.iter_mut().zip(column.chunks_exact(WORD)) {
        let mut holds = 0;
        for (at, lane) in lanes.iter().enumerate() {
            holds |= u64::from(*lane >= bound) << at;
        }
        *word &= holds;
    }
}

macro_rules! lane {
    ($lane:ty, $vector:ident) => {
        impl Lane for $lane {
            fn at_least(column: &[Self], bound: Self, rows: &mut [u64]) {
                #[inline(always)]
                fn kernel<S: Simd>(simd: S, column: &[$lane], bound: $lane, rows: &mut [u64]) {
                    let bound = S::$vector::splat(simd, bound);
                    let wide = S::$vector::LEN;
                    for (word, lanes) in rows.iter_mut().zip(column.chunks_exact(WORD)) {
                        let mut holds = 0;
                        for (at, lanes) in lanes.chunks_exact(wide).enumerate() {
                            let lanes = S::$vector::from_slice(simd, lanes);
                            holds |= lanes.simd_ge(bound).to_bitmask() << (at * wide);
                        }
                        *word &= holds;
                    }
                }
                let level = Level::new();
                dispatch!(level, simd => kernel(simd, column, bound, rows));
            }
        }
    };
}

lane!(u8, u8s);
lane!(u16, u16s);
lane!(u32, u32s);

impl Lane for i64 {
    fn at_least(column: &[Self], bound: Self, rows: &mut [u64]) {
        // The compiler vectorises this loop for the chosen instructions.
        #[inline(always)]
        fn kernel<S: Simd>(_: S, column: &[i64], bound: i64, rows: &mut [u64]) {
            at_least_plain(column, bound, rows);
        }
        let level = Level::new();
        dispatch!(level, simd => kernel(simd, column, bound, rows));
    }
}

/// Intersects `rows` with `other`.
pub fn and(rows: &mut [u64], other: &[u64]) {
    #[inline(always)]
    fn kernel<S: Simd>(_: S, rows: &mut [u64], other: &[u64]) {
        rows.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
    }
    let level = Level::new();
    dispatch!(level, simd => kernel(simd, rows, other));
}

/// Writes the intersection of `one` and `other` into `rows`.
pub fn and_into(rows: &mut [u64], one: &[u64], other: &[u64]) {
    #[inline(always)]
    fn kernel<S: Simd>(_: S, rows: &mut [u64], one: &[u64], other: &[u64]) {
        rows.iter_mut().zip(one.iter().zip(other)).for_each(|(word, (one, other))| *word = one & other);
    }
    let level = Level::new();
    dispatch!(level, simd => kernel(simd, rows, one, other));
}

/// Returns the size of the intersection of `one` and `other`.
pub fn count_both(one: &[u64], other: &[u64]) -> u64 {
    #[inline(always)]
    fn kernel<S: Simd>(_: S, one: &[u64], other: &[u64]) -> u64 {
        one.iter().zip(other).map(|(one, other)| u64::from((one & other).count_ones())).sum()
    }
    let level = Level::new();
    dispatch!(level, simd => kernel(simd, one, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern that a kernel could rely on.
    fn numbers(count: usize) -> impl Iterator<Item = u64> {
        (0..count as u64).map(|at| (at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 13)
    }

    fn twins<T: Lane + std::fmt::Debug>(make: impl Fn(u64) -> T, bounds: &[T]) {
        for words in [0, 1, 2, 3, 67] {
            let column: Vec<T> = numbers(words * WORD).map(&make).collect();
            let before: Vec<u64> = numbers(words).map(|word| word.rotate_left(word as u32)).collect();
            for bound in bounds.iter().chain(column.iter().step_by(17)) {
                let (mut fast, mut plain) = (before.clone(), before.clone());
                T::at_least(&column, *bound, &mut fast);
                at_least_plain(&column, *bound, &mut plain);
                assert_eq!(fast, plain, "{bound:?} over {words} words");
            }
        }
    }

    #[test]
    fn kernels_do_what_their_twins_do() {
        twins(|number| number as u8, &[0, 1, 127, 128, 255]);
        twins(|number| number as u16, &[0, 1, 0x7fff, 0x8000, 0xffff]);
        twins(|number| number as u32, &[0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]);
        twins(|number| number as i64 - (1 << 50), &[i64::MIN, -1, 0, 1, i64::MAX]);
    }

    #[test]
    fn sets_are_joined_word_by_word() {
        let (one, other): (Vec<u64>, Vec<u64>) = numbers(131).map(|word| (word << 11, word ^ 0x5555)).unzip();
        let both: Vec<u64> = one.iter().zip(&other).map(|(one, other)| one & other).collect();
        let mut rows = one.clone();
        and(&mut rows, &other);
        assert_eq!(rows, both);
        let mut rows = vec![7; 131];
        and_into(&mut rows, &one, &other);
        assert_eq!(rows, both);
        assert_eq!(
            count_both(&one, &other),
            both.iter().map(|word| u64::from(word.count_ones())).sum::<u64>()
        );
    }
}
