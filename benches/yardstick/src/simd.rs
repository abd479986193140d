//! The three loops over columns that everything rests on, in AVX2 where the machine has it, else as plain loops. This is the
//! one file with `unsafe`: the loads of whole vectors, and calls of functions that need a processor feature which was
//! looked for at the start.

/// What the machine can do. Made by [`Level::detect`] only, so that `Avx2` is proof that the feature is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(bool);

impl Level {
    /// Looks what the machine can do.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            Level(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"))
        }
        #[cfg(not(target_arch = "x86_64"))]
        Level(false)
    }

    /// The plain loops, whatever the machine can do.
    pub fn plain() -> Level {
        Level(false)
    }
}

/// Columns of the amounts and the region of agents, each padded to whole blocks of 64 rows.
#[derive(Clone, Copy, Debug)]
pub struct Amounts<'a> {
    /// Four columns to compare.
    pub columns: [&'a [u32]; 4],
    /// Codes below 16.
    pub region: &'a [u8],
}

/// What each of the columns must reach, and which regions count: 0xFF at their code.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The least of each column.
    pub least: [u32; 4],
    /// By code of the region.
    pub regions: [u8; 16],
}

/// The rows that have all amounts, and are in a region that counts, one bit each; gives how many.
pub fn filter(level: Level, amounts: Amounts<'_>, wanted: &Wanted, bits: &mut [u64]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if level.0 {
        // SAFETY: `level` says that AVX2 and POPCNT were found.
        return unsafe { avx2::filter(amounts, wanted, bits) };
    }
    let _ = level;
    plain::filter(amounts, wanted, bits)
}

/// The rows whose column reaches `least`, one bit each.
pub fn reaches(level: Level, column: &[u32], least: u32, bits: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if level.0 {
        // SAFETY: `level` says that AVX2 and POPCNT were found.
        return unsafe { avx2::reaches(column, least, bits) };
    }
    let _ = level;
    plain::reaches(column, least, bits);
}

/// How many bits all of the bitmaps share; they are of one length.
pub fn shared(level: Level, bits: &[u64], others: &[&[u64]]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if level.0 {
        // SAFETY: `level` says that AVX2 and POPCNT were found.
        return unsafe { avx2::shared(bits, others) };
    }
    let _ = level;
    plain::shared(bits, others)
}

/// Written so that each is compiled once with the features of its caller.
#[inline(always)]
fn count_shared(bits: &[u64], others: &[&[u64]]) -> u64 {
    let ones = |word: u64| u64::from(word.count_ones());
    match others {
        [] => bits.iter().map(|a| ones(*a)).sum(),
        [one] => bits.iter().zip(*one).map(|(a, b)| ones(a & b)).sum(),
        [one, two] => bits.iter().zip(*one).zip(*two).map(|((a, b), c)| ones(a & b & c)).sum(),
        [one, two, three] => {
            let rows = bits.iter().zip(*one).zip(*two).zip(*three);
            rows.map(|(((a, b), c), d)| ones(a & b & c & d)).sum()
        }
        more => {
            let all = |at: usize| more.iter().fold(bits[at], |word, other| word & other[at]);
            (0..bits.len()).map(|at| ones(all(at))).sum()
        }
    }
}

mod plain {
    use super::{Amounts, Wanted, count_shared};

    pub fn filter(amounts: Amounts<'_>, wanted: &Wanted, bits: &mut [u64]) -> u64 {
        let mut count = 0;
        for (at, word) in bits.iter_mut().enumerate() {
            let block = at * 64..at * 64 + 64;
            let [a, b, c, d] = amounts.columns.map(|column| &column[block.clone()]);
            let region = &amounts.region[block];
            *word = 0;
            for row in 0..64 {
                let enough = (a[row] >= wanted.least[0])
                    & (b[row] >= wanted.least[1])
                    & (c[row] >= wanted.least[2])
                    & (d[row] >= wanted.least[3]);
                let holds = enough & (wanted.regions[usize::from(region[row] & 15)] != 0);
                *word |= u64::from(holds) << row;
            }
            count += u64::from(word.count_ones());
        }
        count
    }

    pub fn reaches(column: &[u32], least: u32, bits: &mut [u64]) {
        for (block, word) in column.chunks_exact(64).zip(bits) {
            *word = block.iter().rev().fold(0, |word, value| word << 1 | u64::from(*value >= least));
        }
    }

    pub fn shared(bits: &[u64], others: &[&[u64]]) -> u64 {
        count_shared(bits, others)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{Amounts, Wanted, count_shared};

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(eight: &[u32; 8]) -> __m256i {
        // SAFETY: 32 bytes are there, and the load asks for no alignment.
        unsafe { _mm256_loadu_si256(eight.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_bytes(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: 32 bytes are there, and the load asks for no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// All ones where the lane of the column reaches the least, without sign.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn at_least(eight: &[u32; 8], least: __m256i) -> __m256i {
        let value = load(eight);
        _mm256_cmpeq_epi32(_mm256_max_epu32(value, least), value)
    }

    /// Eight rows from `at` on of a block.
    #[inline(always)]
    fn eight<const N: usize>(block: &[u32; N], at: usize) -> &[u32; 8] {
        block[at..].first_chunk().expect("inside the block")
    }

    /// All ones where the lanes from `at` on reach all four amounts.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn all_four(block: [&[u32; 64]; 4], at: usize, least: [__m256i; 4]) -> __m256i {
        let ab = _mm256_and_si256(
            at_least(eight(block[0], at), least[0]),
            at_least(eight(block[1], at), least[1]),
        );
        let cd = _mm256_and_si256(
            at_least(eight(block[2], at), least[2]),
            at_least(eight(block[3], at), least[3]),
        );
        _mm256_and_si256(ab, cd)
    }

    /// 32 rows from `at` on: four compares a row, narrowed to a byte a row. The packs work on each half of a vector
    /// alone; `order` puts the groups of four rows in order again.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn narrowed(block: [&[u32; 64]; 4], at: usize, least: [__m256i; 4]) -> __m256i {
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let low = _mm256_packs_epi32(all_four(block, at, least), all_four(block, at + 8, least));
        let high = _mm256_packs_epi32(all_four(block, at + 16, least), all_four(block, at + 24, least));
        _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order)
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub fn filter(amounts: Amounts<'_>, wanted: &Wanted, bits: &mut [u64]) -> u64 {
        let [a, b, c, d] = amounts.columns.map(|column| column.as_chunks::<64>().0);
        let region = amounts.region.as_chunks::<64>().0;
        let [w, x, y, z] = wanted.least.map(u32::cast_signed);
        let least = [_mm256_set1_epi32(w), _mm256_set1_epi32(x), _mm256_set1_epi32(y), _mm256_set1_epi32(z)];
        let mut twice = [0; 32];
        twice[..16].copy_from_slice(&wanted.regions);
        twice[16..].copy_from_slice(&wanted.regions);
        let table = load_bytes(&twice);
        let mut count = 0;
        let blocks = a.iter().zip(b).zip(c).zip(d).zip(region);
        for (word, ((((a, b), c), d), region)) in bits.iter_mut().zip(blocks) {
            let block = [a, b, c, d];
            let (low, high) = (narrowed(block, 0, least), narrowed(block, 32, least));
            let [first, second] = region.as_chunks::<32>().0 else { continue };
            let low = _mm256_and_si256(low, _mm256_shuffle_epi8(table, load_bytes(first)));
            let high = _mm256_and_si256(high, _mm256_shuffle_epi8(table, load_bytes(second)));
            let half = |lanes: __m256i| u64::from(_mm256_movemask_epi8(lanes).cast_unsigned());
            *word = half(low) | half(high) << 32;
            count += u64::from(word.count_ones());
        }
        count
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub fn reaches(column: &[u32], least: u32, bits: &mut [u64]) {
        let least = _mm256_set1_epi32(least.cast_signed());
        for (block, word) in column.as_chunks::<64>().0.iter().zip(bits) {
            *word = 0;
            for (at, eight) in block.as_chunks::<8>().0.iter().enumerate() {
                let lanes = _mm256_castsi256_ps(at_least(eight, least));
                *word |= u64::from(_mm256_movemask_ps(lanes).cast_unsigned()) << (at * 8);
            }
        }
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub fn shared(bits: &[u64], others: &[&[u64]]) -> u64 {
        count_shared(bits, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Draw;

    /// The loops of this machine and the plain ones say the same.
    #[test]
    fn twins_agree() {
        let mut draw = Draw::new(90, 0);
        let rows = 64 * 37;
        let mut column = |end: u32| (0..rows).map(|_| draw.small(end)).collect::<Vec<u32>>();
        let columns = [column(70), column(u32::MAX), column(9), column(1_000)];
        let region: Vec<u8> = column(16).into_iter().map(|code| code as u8).collect();
        let columns = [0, 1, 2, 3].map(|at| columns[at].as_slice());
        let amounts = Amounts { columns, region: &region };
        let mut regions = [0; 16];
        regions[2..9].fill(0xFF);
        for least in [[0, 0, 0, 0], [3, 1 << 31, 2, 500], [70, 1, 1, 1], [1, 7, 8, 999]] {
            let wanted = Wanted { least, regions };
            let [mut one, mut other] = [vec![7; 37], vec![9; 37]];
            let counts = [
                filter(Level::detect(), amounts, &wanted, &mut one),
                filter(Level::plain(), amounts, &wanted, &mut other),
            ];
            assert_eq!((counts[0], &one), (counts[1], &other), "{least:?}");
            let [mut third, mut fourth] = [vec![7; 37], vec![9; 37]];
            reaches(Level::detect(), columns[1], least[1], &mut third);
            reaches(Level::plain(), columns[1], least[1], &mut fourth);
            assert_eq!(third, fourth);
            for others in [vec![], vec![&third[..]], vec![&third[..], &one[..]], vec![&third[..]; 5]] {
                let level = Level::detect();
                assert_eq!(shared(level, &one, &others), shared(Level::plain(), &one, &others));
            }
        }
    }
}
