//! Cells as exact decimal numbers.

use super::options::Unit;
use crate::{
    inventory::wire::Json,
    quantity::{Dimension, Quantity, QuantityError},
};

/// The number `digits × 10^-scale`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    scale: i32,
}

/// The number of digits that are written out on either side of the point. It exceeds those of any unit.
const MAX_DIGITS: i32 = 60;

/// The reason why a cell gives no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellError {
    NotANumber,
    TooLarge,
    Negative,
}

impl CellError {
    pub fn describe(self) -> &'static str {
        match self {
            CellError::NotANumber => "is not a number",
            CellError::TooLarge => "is too large",
            CellError::Negative => "is negative, and amounts are 0 or more",
        }
    }
}

impl Decimal {
    /// The empty product.
    pub const ONE: Decimal = Decimal { digits: 1, scale: 0 };

    /// Parses `32000`, `0.5`, `-1.25e3`.
    pub fn parse(text: &str) -> Result<Decimal, CellError> {
        let wrong = CellError::NotANumber;
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let exponent: i32 =
                    exponent.strip_prefix('+').unwrap_or(exponent).parse().map_err(|_| wrong)?;
                // Beyond this, the result is 0 or too large anyway. The bound keeps sums of scales from
                // overflowing.
                (mantissa, exponent.clamp(-1_000_000, 1_000_000))
            }
            None => (text, 0),
        };
        let body = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || body.ends_with('.') {
            return Err(wrong);
        }
        let fraction = fraction.trim_end_matches('0');
        let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| CellError::TooLarge)?;
        let scale = i32::try_from(fraction.len()).map_err(|_| CellError::TooLarge)? - exponent;
        Ok(Decimal { digits: if body.len() < mantissa.len() { -digits } else { digits }, scale })
    }

    pub fn times(self, other: Decimal) -> Result<Decimal, CellError> {
        let digits = self.digits.checked_mul(other.digits).ok_or(CellError::TooLarge)?;
        Ok(Decimal { digits, scale: self.scale.saturating_add(other.scale) })
    }

    pub fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Returns the digits without an exponent.
    fn text(self) -> Result<String, CellError> {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        if self.digits == 0 {
            return Ok("0".to_owned());
        }
        if self.scale < -MAX_DIGITS {
            return Err(CellError::TooLarge);
        }
        // Digits after that many places cannot affect the rounding except as 0.
        let Ok(scale) = usize::try_from(self.scale.min(MAX_DIGITS * 2)) else {
            return Ok(format!("{sign}{digits}{}", "0".repeat(self.scale.unsigned_abs() as usize)));
        };
        // Zeros in front, so that there is a digit before the point.
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        Ok(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
    }

    /// Converts to the JSON value of an amount in this unit.
    pub fn write(self, unit: &Unit) -> Result<CellJson, CellError> {
        let (value, unit, bare) = match unit {
            Unit::One => (self, "", true),
            // A thousandth moves the point by three places.
            Unit::Milli => (Decimal { scale: self.scale.saturating_add(3), ..self }, "", false),
            Unit::Named(unit) => (self, unit.as_str(), false),
        };
        let text = value.text()?;
        // A whole number may be in base units, whose range is larger than that of millionths.
        if bare && let Ok(whole) = text.parse::<i64>() {
            return Ok(CellJson { json: Json::Number(text), is_rounded: false, is_zero: whole == 0 });
        }
        let (quantity, is_rounded) =
            Quantity::parse_rounding(&format!("{text}{unit}")).map_err(|error| match error {
                QuantityError::Overflow(_) => CellError::TooLarge,
                _ => CellError::NotANumber,
            })?;
        let shown = quantity.to_string();
        let json =
            if quantity.dimension == Dimension::Number { Json::Number(shown) } else { Json::Text(shown) };
        Ok(CellJson { json, is_rounded, is_zero: quantity.amount == 0 })
    }
}

/// The JSON value of a cell, or of a product of cells.
pub(super) struct CellJson {
    pub json: Json,
    pub is_rounded: bool,
    pub is_zero: bool,
}

/// Returns `true` if a cell can only be a number. `007` and `1e5` may be names.
pub(super) fn is_plain_number(text: &str) -> bool {
    let body = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = body.split_once('.').unwrap_or((body, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let text = |text: &str| Decimal::parse(text).and_then(Decimal::text);
        for (cell, want) in [
            ("32000", "32000"),
            ("0.50", "0.5"),
            ("-1.25e3", "-1250"),
            ("1E-4", "0.0001"),
            ("0", "0"),
            ("-0.0", "0"),
            ("1e-999999999", "0."),
        ] {
            assert!(text(cell).is_ok_and(|it| it == want || want == "0." && it.starts_with("0.0")), "{cell}");
        }
        for bad in ["", "x", ".5", "5.", "1,5", "--1", "1e", "0x1", "1_000", "NaN"] {
            assert_eq!(text(bad), Err(CellError::NotANumber), "{bad}");
        }
        assert_eq!(text("1e99"), Err(CellError::TooLarge));
        assert_eq!(text(&"9".repeat(50)), Err(CellError::TooLarge));
    }

    #[test]
    fn only_what_is_surely_a_number_reads_as_one() {
        for number in ["0", "12", "-3", "2.50"] {
            assert!(is_plain_number(number), "{number}");
        }
        for other in ["007", "1e5", "", "-", "1.", "G2", "1.2.3"] {
            assert!(!is_plain_number(other), "{other}");
        }
    }
}
