//! A compressed column of integers.

use super::{
    bits::Bits,
    simd::{Lane, WORD},
};

/// A column of optional integers in frame-of-reference encoding: number = `base + step × lane`, exactly.
/// `step` is the greatest common divisor of all distances from the base, so that capacities in multiples of a
/// gigabyte fit a byte or two. Narrow lanes mean that a comparison reads less memory and handles more rows
/// per instruction.
#[derive(Clone, Debug)]
pub struct Ints {
    base: i64,
    step: i64,
    lanes: Lanes,
    known: Bits,
}

#[derive(Clone, Debug)]
enum Lanes {
    Byte(Vec<u8>),
    Short(Vec<u16>),
    Word(Vec<u32>),
    /// Numbers without an encoding.
    Whole(Vec<i64>),
}

impl Ints {
    /// Encodes a column. `None` is a row without a number.
    pub fn new(numbers: &[Option<i64>]) -> Ints {
        let known = Bits::of(numbers.len(), |row| numbers[row].is_some());
        let (base, step, widest) = frame(numbers);
        let lane = |number: &Option<i64>| number.map_or(0, |number| ((number - base) / step) as u64);
        let lanes = match widest {
            Some(0..=0xff) => Lanes::Byte(padded(numbers.iter().map(|number| lane(number) as u8))),
            Some(0..=0xffff) => Lanes::Short(padded(numbers.iter().map(|number| lane(number) as u16))),
            Some(0..=0xffff_ffff) => Lanes::Word(padded(numbers.iter().map(|number| lane(number) as u32))),
            _ => Lanes::Whole(padded(numbers.iter().map(|number| number.unwrap_or_default()))),
        };
        let (base, step) = if matches!(lanes, Lanes::Whole(_)) { (0, 1) } else { (base, step) };
        Ints { base, step, lanes, known }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.known.rows()
    }

    /// Returns the rows that have a number.
    pub fn known(&self) -> &Bits {
        &self.known
    }

    /// Returns the number of bytes per row.
    pub fn width(&self) -> usize {
        match self.lanes {
            Lanes::Byte(_) => 1,
            Lanes::Short(_) => 2,
            Lanes::Word(_) => 4,
            Lanes::Whole(_) => 8,
        }
    }

    /// Returns the number of a row.
    pub fn get(&self, row: usize) -> Option<i64> {
        if !self.known.has(row) {
            return None;
        }
        Some(match &self.lanes {
            Lanes::Byte(lanes) => self.base + self.step * i64::from(lanes[row]),
            Lanes::Short(lanes) => self.base + self.step * i64::from(lanes[row]),
            Lanes::Word(lanes) => self.base + self.step * i64::from(lanes[row]),
            Lanes::Whole(lanes) => lanes[row],
        })
    }

    /// Returns `true` if a row has a number of at least `bound`.
    pub fn is_at_least(&self, row: usize, bound: i64) -> bool {
        self.get(row).is_some_and(|number| number >= bound)
    }

    /// Replaces the number of a row. A number that the encoding cannot hold makes the column encode itself
    /// anew, which takes time linear in its rows.
    pub fn set(&mut self, row: usize, number: Option<i64>) {
        self.known.set(row, number.is_some());
        let Some(number) = number else { return };
        let above = i128::from(number) - i128::from(self.base);
        let lane = (above >= 0 && above % i128::from(self.step) == 0).then(|| above / i128::from(self.step));
        let narrow = lane.and_then(|lane| u64::try_from(lane).ok());
        match (&mut self.lanes, narrow) {
            (Lanes::Whole(lanes), _) => lanes[row] = number,
            (Lanes::Byte(lanes), Some(lane @ 0..=0xff)) => lanes[row] = lane as u8,
            (Lanes::Short(lanes), Some(lane @ 0..=0xffff)) => lanes[row] = lane as u16,
            (Lanes::Word(lanes), Some(lane @ 0..=0xffff_ffff)) => lanes[row] = lane as u32,
            _ => {
                // `known` has the row already, but its lane is still the old one; the number is set right
                // after.
                let mut numbers: Vec<Option<i64>> = (0..self.rows()).map(|at| self.get(at)).collect();
                numbers[row] = Some(number);
                *self = Ints::new(&numbers);
            }
        }
    }

    /// Removes from `rows` those without a number, and those whose number is below `bound`.
    pub fn at_least(&self, bound: i64, rows: &mut Bits) {
        rows.and(&self.known);
        if let Lanes::Whole(lanes) = &self.lanes {
            return i64::at_least(lanes, bound, rows.words_mut());
        }
        let above = i128::from(bound) - i128::from(self.base);
        let step = i128::from(self.step);
        // The least lane whose number reaches the bound.
        let lane = above.div_euclid(step) + i128::from(above.rem_euclid(step) != 0);
        // A bound at or below the base is met by every lane. One beyond 64 bits is met by none.
        let Ok(lane) = u64::try_from(lane.max(0)) else { return none(rows) };
        if lane == 0 {
            return;
        }
        match &self.lanes {
            Lanes::Byte(lanes) => within(lanes, u8::try_from(lane).ok(), rows),
            Lanes::Short(lanes) => within(lanes, u16::try_from(lane).ok(), rows),
            Lanes::Word(lanes) => within(lanes, u32::try_from(lane).ok(), rows),
            Lanes::Whole(_) => {}
        }
    }
}

/// Compares with a bound in the lane's type. A bound that does not fit is above every lane.
fn within<T: Lane>(lanes: &[T], bound: Option<T>, rows: &mut Bits) {
    match bound {
        Some(bound) => T::at_least(lanes, bound, rows.words_mut()),
        None => none(rows),
    }
}

fn none(rows: &mut Bits) {
    rows.words_mut().fill(0);
}

fn padded<T: Lane>(lanes: impl ExactSizeIterator<Item = T>) -> Vec<T> {
    let rows = lanes.len().next_multiple_of(WORD);
    let mut column = Vec::with_capacity(rows);
    column.extend(lanes);
    column.resize(rows, T::default());
    column
}

/// Returns the base, the step, and the largest lane if 64 bits hold it.
fn frame(numbers: &[Option<i64>]) -> (i64, i64, Option<u64>) {
    let mut known = numbers.iter().flatten().copied();
    let Some(first) = known.next() else { return (0, 1, Some(0)) };
    let (low, high) = known.clone().fold((first, first), |(low, high), one| (low.min(one), high.max(one)));
    // A column without negative numbers starts at 0: amounts fall to 0 as they are used up, and the encoding
    // holds that too.
    let base = if low >= 0 { 0 } else { low };
    let Some(reach) = high.checked_sub(base) else { return (0, 1, None) };
    let step = numbers.iter().flatten().fold(0, |step, one| common_divisor(step, one - base));
    let step = step.max(1);
    (base, step, u64::try_from(reach / step).ok())
}

fn common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(numbers: &[Option<i64>], width: usize) -> Ints {
        let ints = Ints::new(numbers);
        assert_eq!(ints.width(), width, "{numbers:?}");
        for bound in
            numbers.iter().flatten().flat_map(|one| [one.saturating_sub(1), *one, one.saturating_add(1)])
        {
            let mut rows = Bits::all(numbers.len());
            ints.at_least(bound, &mut rows);
            let plain = Bits::of(numbers.len(), |row| numbers[row].is_some_and(|one| one >= bound));
            assert_eq!(rows, plain, "at least {bound} of {numbers:?}");
        }
        for (row, number) in numbers.iter().enumerate() {
            assert_eq!(ints.get(row), *number);
        }
        ints
    }

    #[test]
    fn the_narrowest_form_is_exact() {
        check(&[], 1);
        check(&[None, None], 1);
        check(&[Some(0), Some(64_000_000), None, Some(3_000_000)], 1);
        check(&[Some(512 << 20), Some(300 << 30), Some(0)], 2);
        check(&[Some(1), Some(70_000)], 4);
        check(&[Some(i64::MIN), Some(i64::MAX), None], 8);
        check(&[Some(-5), Some(5)], 1);
        check(&[Some(7), Some(i64::MAX)], 8);
    }

    #[test]
    fn a_column_widens_for_what_it_does_not_hold() {
        let mut numbers = vec![Some(4_000_000), Some(64_000_000), None];
        let mut ints = check(&numbers, 1);
        for (row, number) in
            [(0, Some(2_500_000)), (1, None), (2, Some(9)), (0, Some(-1)), (1, Some(i64::MAX)), (2, Some(0))]
        {
            ints.set(row, number);
            numbers[row] = number;
            for (row, number) in numbers.iter().enumerate() {
                assert_eq!(ints.get(row), *number);
            }
            let mut rows = Bits::all(3);
            ints.at_least(1, &mut rows);
            assert_eq!(rows, Bits::of(3, |row| numbers[row].is_some_and(|one| one >= 1)));
        }
    }
}
