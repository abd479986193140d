//! Exact quantities: numbers in millionths, sizes in bytes, bandwidths in bits per second, durations in
//! nanoseconds. All parsing and printing of quantities is here.

use std::fmt;

/// The millionths in one. Numbers are stored in millionths.
pub const MILLION: i64 = 1_000_000;

/// The dimension that a quantity is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A plain number, stored in millionths.
    Number,
    /// Bytes.
    Size,
    /// Bits per second.
    Bandwidth,
    /// Nanoseconds.
    Duration,
}

impl Dimension {
    /// The word for the dimension in the language.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::Number => "number",
            Dimension::Size => "size",
            Dimension::Bandwidth => "bandwidth",
            Dimension::Duration => "duration",
        }
    }

    /// A unit of the dimension, for examples in messages.
    pub fn sample_unit(self) -> &'static str {
        match self {
            Dimension::Number => "",
            Dimension::Size => "GB",
            Dimension::Bandwidth => "Gbps",
            Dimension::Duration => "s",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An exact amount of one dimension, in its base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    /// The dimension.
    pub dimension: Dimension,
    /// The amount, in millionths, bytes, bits per second or nanoseconds.
    pub amount: i64,
}

/// The cause for which a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// The text is not a number.
    Malformed,
    /// The unit is none of the language's.
    UnknownUnit(String),
    /// The number has more digits than the base unit holds.
    Precision(Dimension),
    /// The quantity does not fit 64 bits of the base unit.
    Overflow(Dimension),
}

/// The units by name, each with its dimension and the number of base units in it. Those of a dimension are in
/// ascending order of size.
const UNITS: &[(&str, Dimension, i128)] = {
    use Dimension::{Bandwidth, Duration, Number, Size};
    &[
        ("", Number, 1_000_000),
        ("k", Number, 1_000_000_000),
        ("M", Number, 1_000_000_000_000),
        ("%", Number, 10_000),
        ("B", Size, 1),
        ("kB", Size, 1_000),
        ("MB", Size, 1_000_000),
        ("GB", Size, 1_000_000_000),
        ("TB", Size, 1_000_000_000_000),
        ("PB", Size, 1_000_000_000_000_000),
        ("EB", Size, 1_000_000_000_000_000_000),
        ("KiB", Size, 1 << 10),
        ("MiB", Size, 1 << 20),
        ("GiB", Size, 1 << 30),
        ("TiB", Size, 1 << 40),
        ("PiB", Size, 1 << 50),
        ("EiB", Size, 1 << 60),
        ("bps", Bandwidth, 1),
        ("kbps", Bandwidth, 1_000),
        ("Mbps", Bandwidth, 1_000_000),
        ("Gbps", Bandwidth, 1_000_000_000),
        ("Tbps", Bandwidth, 1_000_000_000_000),
        ("B/s", Bandwidth, 8),
        ("kB/s", Bandwidth, 8_000),
        ("MB/s", Bandwidth, 8_000_000),
        ("GB/s", Bandwidth, 8_000_000_000),
        ("MiB/s", Bandwidth, 8 << 20),
        ("GiB/s", Bandwidth, 8 << 30),
        ("ns", Duration, 1),
        ("us", Duration, 1_000),
        ("ms", Duration, 1_000_000),
        ("s", Duration, 1_000_000_000),
        ("min", Duration, 60_000_000_000),
        ("h", Duration, 3_600_000_000_000),
        ("d", Duration, 86_400_000_000_000),
    ]
};

/// Every unit a literal may carry, in the order of the reference.
pub fn unit_names() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|unit| unit.0).filter(|name| !name.is_empty())
}

/// The treatment of a decimal that has more digits than its base unit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rounding {
    /// More digits are an error.
    Exact,
    /// The decimal is rounded half to even.
    HalfEven,
}

impl Quantity {
    /// Reads a literal such as `7_200`, `2.5TB`, `-40k` or `80%`, exactly.
    ///
    /// # Errors
    /// An unknown unit, digits beyond the base unit, or an amount of more than 64 bits.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        parse(text, Rounding::Exact).map(|(quantity, _)| quantity)
    }

    /// Reads imported data. Digits beyond the base unit are rounded half to even, and the flag tells if that
    /// happened.
    ///
    /// # Errors
    /// The errors of [`Quantity::parse`], except the one for digits beyond the base unit.
    pub fn parse_rounding(text: &str) -> Result<(Quantity, bool), QuantityError> {
        parse(text, Rounding::HalfEven)
    }

    /// Makes a number of a whole one.
    ///
    /// # Errors
    /// A number whose millionths do not fit 64 bits.
    pub fn whole(number: i64) -> Result<Quantity, QuantityError> {
        let amount = number.checked_mul(MILLION).ok_or(QuantityError::Overflow(Dimension::Number))?;
        Ok(Quantity { dimension: Dimension::Number, amount })
    }
}

fn parse(text: &str, rounding: Rounding) -> Result<(Quantity, bool), QuantityError> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.')).unwrap_or(body.len());
    let (digits, unit) = body.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let dotted = digits.contains('.');
    if !whole.starts_with(|c: char| c.is_ascii_digit())
        || (dotted && !fraction.starts_with(|c: char| c.is_ascii_digit()))
        || fraction.contains('.')
    {
        return Err(QuantityError::Malformed);
    }
    let &(_, dimension, scale) = UNITS
        .iter()
        .find(|known| known.0 == unit)
        .ok_or_else(|| QuantityError::UnknownUnit(unit.to_owned()))?;
    let overflow = QuantityError::Overflow(dimension);
    let mut amount: i128 = 0;
    for digit in whole.bytes().filter(u8::is_ascii_digit) {
        amount = amount * 10 + i128::from(digit - b'0');
        // A unit is at least 1 and at most 2^60 base units: beyond 64 bits here is beyond them at the end, and within
        // them the product fits 128 bits.
        if amount > 1 << 63 {
            return Err(overflow);
        }
    }
    amount *= scale;
    let (part, rounded) = fraction_of(fraction, scale, amount % 2 != 0);
    if rounded && rounding == Rounding::Exact {
        return Err(QuantityError::Precision(dimension));
    }
    amount += part;
    let amount = if negative { -amount } else { amount };
    let amount = i64::try_from(amount).map_err(|_| overflow)?;
    Ok((Quantity { dimension, amount }, rounded))
}

/// Returns `0.FRACTION × scale`, rounded half to even, and `true` if it was rounded. `odd` tells if the whole
/// part that the result is added to is odd, because a tie goes to the even sum.
fn fraction_of(fraction: &str, scale: i128, odd: bool) -> (i128, bool) {
    let mut value: i128 = 0;
    let mut power: i128 = 1;
    let mut rest = false;
    for digit in fraction.bytes().filter(u8::is_ascii_digit) {
        // The first 18 digits decide the result for every unit. Further digits only break a tie.
        if power < 1_000_000_000_000_000_000 {
            value = value * 10 + i128::from(digit - b'0');
            power *= 10;
        } else {
            rest |= digit != b'0';
        }
    }
    let scaled = value * scale;
    let (quotient, remainder) = (scaled / power, scaled % power);
    let exact = remainder == 0 && !rest;
    let half = (remainder * 2).cmp(&power);
    let up = half.is_gt() || half.is_eq() && (rest || (quotient % 2 != 0) != odd);
    (quotient + i128::from(up), !exact)
}

/// Divides and rounds half to even, the one rounding of the language. Returns `None` for a zero divisor.
pub fn divide_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator == 0 {
        return None;
    }
    let (numerator, denominator) =
        if denominator < 0 { (numerator.checked_neg()?, -denominator) } else { (numerator, denominator) };
    // The remainder is never negative here, so comparing it with its distance to the divisor finds the nearer
    // multiple without doubling it, which could overflow.
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let up = match rest.cmp(&(denominator - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => floor % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    Some(floor + i128::from(up))
}

impl fmt::Display for Quantity {
    /// Writes the shortest exact literal that reads back as the same quantity.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self.dimension, i128::from(self.amount)))
    }
}

/// Returns the shortest exact literal of an amount in base units, with at most six digits after the point.
/// The amount is wide because sums over a fleet may exceed 64 bits.
pub fn render(dimension: Dimension, amount: i128) -> String {
    if dimension == Dimension::Number {
        return decimal(amount, i128::from(MILLION));
    }
    if amount == 0 {
        let base = UNITS.iter().find(|unit| unit.1 == dimension).map_or("", |unit| unit.0);
        return format!("0{base}");
    }
    UNITS
        .iter()
        // Bandwidth is shown in bits, as it is stored: bytes per second beside them would hide a factor of
        // eight.
        .filter(|unit| unit.1 == dimension && amount.abs() >= unit.2 && !unit.0.ends_with("/s"))
        .rev()
        // Only units that show the amount with at most three digits after the point are candidates.
        .filter(|unit| (amount * 1_000) % unit.2 == 0)
        .map(|unit| format!("{}{}", decimal(amount * 1_000 / unit.2, 1_000), unit.0))
        .min_by_key(String::len)
        .unwrap_or_else(|| amount.to_string())
}

/// Returns `amount / one` as a decimal without trailing zeros. `one` must be a power of ten.
pub fn decimal(amount: i128, one: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, fraction) =
        (amount.unsigned_abs() / one.unsigned_abs(), amount.unsigned_abs() % one.unsigned_abs());
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let width = one.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// The limit on how far the grants of all frameworks together may exceed the free amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// A part of the free amount, in millionths. 0 makes offers disjoint.
    Part(i64),
    /// No limit: offers are independent of each other.
    Unlimited,
}

impl Default for Overlap {
    fn default() -> Self {
        Overlap::Part(0)
    }
}

/// Returns a count with separators for readers: `1,523`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Result<i64, QuantityError> {
        Quantity::parse(text).map(|quantity| quantity.amount)
    }

    #[test]
    fn literals_are_exact() {
        assert_eq!(amount("7_200"), Ok(7_200 * MILLION));
        assert_eq!(amount("2.5"), Ok(2_500_000));
        assert_eq!(amount("80%"), Ok(800_000));
        assert_eq!(amount("40k"), Ok(40_000 * MILLION));
        assert_eq!(amount("1.5TB"), Ok(1_500_000_000_000));
        assert_eq!(amount("64GiB"), Ok(64 << 30));
        assert_eq!(amount("1GB/s"), Ok(8_000_000_000));
        assert_eq!(amount("1.5min"), Ok(90_000_000_000));
        assert_eq!(amount("-3"), Ok(-3 * MILLION));
    }

    #[test]
    fn what_cannot_be_held_is_an_error() {
        assert_eq!(amount("400m"), Err(QuantityError::UnknownUnit("m".into())));
        assert_eq!(amount("0.5B"), Err(QuantityError::Precision(Dimension::Size)));
        assert_eq!(amount("0.0000001"), Err(QuantityError::Precision(Dimension::Number)));
        assert_eq!(amount("10EB"), Err(QuantityError::Overflow(Dimension::Size)));
        assert_eq!(
            amount("99999999999999999999999999999999999999999"),
            Err(QuantityError::Overflow(Dimension::Number))
        );
        // 2^70 times 2^60 does not fit 128 bits.
        assert_eq!(amount("1180591620717411303424EiB"), Err(QuantityError::Overflow(Dimension::Size)));
        assert_eq!(amount("9223372036854775808EiB"), Err(QuantityError::Overflow(Dimension::Size)));
        for bad in ["", "x", "1.", ".5", "1.2.3", "--1", "1._5"] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn imported_digits_round_half_to_even() {
        let round =
            |text| Quantity::parse_rounding(text).map(|(quantity, rounded)| (quantity.amount, rounded));
        assert_eq!(round("0.0000005"), Ok((0, true)));
        assert_eq!(round("0.0000015"), Ok((2, true)));
        assert_eq!(round("1.5B"), Ok((2, true)));
        assert_eq!(round("2.5B"), Ok((2, true)));
        assert_eq!(round("0.25"), Ok((250_000, false)));
        assert_eq!(round("0.50000000000000000000000001B"), Ok((1, true)));
    }

    #[test]
    fn division_rounds_half_to_even_on_both_sides_of_zero() {
        for (n, d, want) in
            [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (5, -2, -2)]
        {
            assert_eq!(divide_half_even(n, d), Some(want), "{n}/{d}");
        }
        assert_eq!(divide_half_even(1, 0), None);
    }

    #[test]
    fn what_is_printed_reads_back() {
        for text in
            ["500TB", "64GiB", "1.5TB", "10Gbps", "90s", "0.25", "7200", "1B", "-2GB", "0B", "1234567B"]
        {
            let quantity = Quantity::parse(text).expect(text);
            assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity), "{text} prints as {quantity}");
        }
        assert_eq!(Quantity::parse("2_000GB").expect("reads").to_string(), "2TB");
        assert_eq!(Quantity::parse("68719476736B").expect("reads").to_string(), "64GiB");
    }
}
