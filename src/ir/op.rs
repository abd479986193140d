//! The meaning of each operator, written once, as a scalar function. Every engine is tested against these
//! functions.
//!
//! All arithmetic is exact, in base units of 64 bits. Products and quotients go through 128 bits and are
//! rounded once, half to even. A result that does not fit is an [`OpFault`], never a wrapped or clipped
//! value.

use std::cmp::Ordering;

use crate::{
    operator::{ArithmeticOp, Function, TestOp},
    quantity::{Dimension, MILLION, divide_half_even},
    symbol::{Symbol, Symbols},
    value::{Value, is_within},
};

/// The cause for which an operator has no value. The result is unknown, and explanations name the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpFault {
    /// An operand is of a type the operator does not take.
    Mismatch,
    /// The result does not fit 64 bits.
    Overflow,
    /// A division by zero.
    DivisionByZero,
}

impl OpFault {
    /// The cause in a few words.
    pub fn words(self) -> &'static str {
        match self {
            OpFault::Mismatch => "a value of another type",
            OpFault::Overflow => "an overflow",
            OpFault::DivisionByZero => "a division by zero",
        }
    }
}

/// A two-sided condition on two known values.
///
/// # Errors
/// Operands that the condition does not take.
pub fn test(op: TestOp, left: &Value, right: &Value, symbols: &Symbols) -> Result<bool, OpFault> {
    match op {
        TestOp::Equal => equal(left, right),
        TestOp::NotEqual => equal(left, right).map(|same| !same),
        TestOp::Less => order(left, right).map(Ordering::is_lt),
        TestOp::LessOrEqual => order(left, right).map(Ordering::is_le),
        TestOp::Greater => order(left, right).map(Ordering::is_gt),
        TestOp::GreaterOrEqual => order(left, right).map(Ordering::is_ge),
        TestOp::In => has(right, left),
        TestOp::Has => has(left, right),
        TestOp::HasAny => any(left, right),
        TestOp::HasAll => all(left, right),
        TestOp::Within => match (path(left), path(right)) {
            (Some(inner), Some(outer)) => Ok(is_within(symbols.text(inner), symbols.text(outer))),
            _ => Err(OpFault::Mismatch),
        },
    }
}

fn path(value: &Value) -> Option<Symbol> {
    match value {
        Value::Place(symbol) | Value::Text(symbol) => Some(*symbol),
        _ => None,
    }
}

/// Compares two values. `[]` has no member type, so an empty set equals any other empty set, whatever its
/// type.
fn equal(left: &Value, right: &Value) -> Result<bool, OpFault> {
    match (left, right) {
        (Value::Quantity(a, _), Value::Quantity(b, _)) if a != b => Err(OpFault::Mismatch),
        // A text compared with a place is a path.
        (Value::Text(a) | Value::Place(a), Value::Text(b) | Value::Place(b)) => Ok(a == b),
        (Value::Ranges(_), Value::Numbers(_)) | (Value::Numbers(_), Value::Ranges(_)) => {
            Ok(all(left, right)? && all(right, left)?)
        }
        (a, b) if is_empty_set(a) || is_empty_set(b) => Ok(is_empty_set(a) && is_empty_set(b)),
        (a, b) if a.type_of() == b.type_of() => Ok(a == b),
        _ => Err(OpFault::Mismatch),
    }
}

fn is_empty_set(value: &Value) -> bool {
    match value {
        Value::Texts(members) => members.is_empty(),
        Value::Numbers(members) => members.is_empty(),
        Value::Ranges(ranges) => ranges.is_empty(),
        _ => false,
    }
}

/// Orders quantities of one dimension, and versions. Other values have no order.
fn order(left: &Value, right: &Value) -> Result<Ordering, OpFault> {
    match (left, right) {
        (Value::Quantity(a, x), Value::Quantity(b, y)) if a == b => Ok(x.cmp(y)),
        (Value::Version(x), Value::Version(y)) => Ok(x.cmp(y)),
        _ => Err(OpFault::Mismatch),
    }
}

/// Returns `true` if `member` is in `set`.
fn has(set: &Value, member: &Value) -> Result<bool, OpFault> {
    match (set, member) {
        (Value::Texts(set), Value::Text(member) | Value::Place(member)) => {
            Ok(set.binary_search(member).is_ok())
        }
        (Value::Numbers(set), Value::Quantity(Dimension::Number, member)) => {
            Ok(set.binary_search(member).is_ok())
        }
        (Value::Ranges(set), Value::Quantity(Dimension::Number, member)) => {
            // Ranges hold whole numbers, and quantities hold millionths: a fraction is in no range.
            Ok(member % MILLION == 0 && set.contains(member / MILLION))
        }
        // `[]` is empty whatever it would hold.
        (Value::Texts(set), _) if set.is_empty() => Ok(false),
        _ => Err(OpFault::Mismatch),
    }
}

/// Returns `true` if two sets share a member.
fn any(left: &Value, right: &Value) -> Result<bool, OpFault> {
    match (left, right) {
        (a, b) if is_empty_set(a) || is_empty_set(b) => Ok(false),
        (Value::Texts(a), Value::Texts(b)) => Ok(a.iter().any(|member| b.binary_search(member).is_ok())),
        (Value::Numbers(a), Value::Numbers(b)) => Ok(a.iter().any(|member| b.binary_search(member).is_ok())),
        // Taking `b` out of `a` changes `a` exactly where they overlap.
        (Value::Ranges(a), Value::Ranges(b)) => Ok(a.minus(b) != **a),
        (ranges @ Value::Ranges(_), Value::Numbers(members))
        | (Value::Numbers(members), ranges @ Value::Ranges(_)) => {
            members.iter().try_fold(false, |found, member| Ok(found || has(ranges, &number(*member))?))
        }
        _ => Err(OpFault::Mismatch),
    }
}

/// Returns `true` if every member of `right` is in `left`.
fn all(left: &Value, right: &Value) -> Result<bool, OpFault> {
    match (left, right) {
        (_, b) if is_empty_set(b) => Ok(true),
        (a, _) if is_empty_set(a) => Ok(false),
        (Value::Texts(a), Value::Texts(b)) => Ok(b.iter().all(|member| a.binary_search(member).is_ok())),
        (Value::Numbers(a), Value::Numbers(b)) => Ok(b.iter().all(|member| a.binary_search(member).is_ok())),
        (Value::Ranges(a), Value::Ranges(b)) => Ok(a.contains_all(b)),
        (ranges @ Value::Ranges(_), Value::Numbers(members)) => {
            members.iter().try_fold(true, |every, member| Ok(every && has(ranges, &number(*member))?))
        }
        (Value::Numbers(members), Value::Ranges(ranges)) => {
            // A list has at most `LIST_MEMBERS` members and a range may have 2⁶⁴ integers. Comparing the
            // lengths first bounds the walk over the range by the length of the list.
            let inside = |&(low, high): &(i64, i64)| {
                i128::from(high) - i128::from(low) < members.len() as i128
                    && (low..=high)
                        .all(|n| n.checked_mul(MILLION).is_some_and(|n| members.binary_search(&n).is_ok()))
            };
            Ok(ranges.parts().iter().all(inside))
        }
        _ => Err(OpFault::Mismatch),
    }
}

fn number(millionths: i64) -> Value {
    Value::Quantity(Dimension::Number, millionths)
}

/// Arithmetic on two known values.
///
/// # Errors
/// Operands of other types, an overflow, a division by zero.
pub fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Result<Value, OpFault> {
    let (Value::Quantity(a, x), Value::Quantity(b, y)) = (left, right) else { return Err(OpFault::Mismatch) };
    // The product of two 64-bit amounts, and an amount times a million, fit 128 bits.
    let (wide_x, wide_y) = (i128::from(*x), i128::from(*y));
    let one = i128::from(MILLION);
    let (dimension, amount) = match op {
        ArithmeticOp::Add if a == b => (*a, wide_x + wide_y),
        ArithmeticOp::Subtract if a == b => (*a, wide_x - wide_y),
        ArithmeticOp::Multiply => {
            let dimension = match (a, b) {
                (Dimension::Number, other) | (other, Dimension::Number) => *other,
                _ => return Err(OpFault::Mismatch),
            };
            (dimension, divide_half_even(wide_x * wide_y, one).ok_or(OpFault::DivisionByZero)?)
        }
        ArithmeticOp::Divide => {
            let dimension = match (a, b) {
                (a, b) if a == b => Dimension::Number,
                (a, Dimension::Number) => *a,
                _ => return Err(OpFault::Mismatch),
            };
            (dimension, divide_half_even(wide_x * one, wide_y).ok_or(OpFault::DivisionByZero)?)
        }
        ArithmeticOp::Add | ArithmeticOp::Subtract => return Err(OpFault::Mismatch),
    };
    let amount = i64::try_from(amount).map_err(|_| OpFault::Overflow)?;
    Ok(Value::Quantity(dimension, amount))
}

/// Unary minus.
///
/// # Errors
/// A value of another type, or the one number whose negation does not fit 64 bits.
pub fn negate(value: &Value) -> Result<Value, OpFault> {
    let Value::Quantity(dimension, amount) = value else { return Err(OpFault::Mismatch) };
    amount.checked_neg().map(|amount| Value::Quantity(*dimension, amount)).ok_or(OpFault::Overflow)
}

/// Calls a function on known values. `levels` is the number of declared levels of fault domains.
///
/// # Errors
/// Arguments of other types, or an overflow.
pub fn call(
    function: Function,
    arguments: &[Value],
    levels: usize,
    symbols: &Symbols,
) -> Result<Value, OpFault> {
    match (function, arguments) {
        (Function::Closeness, [a, b]) => {
            let (Some(a), Some(b)) = (path(a), path(b)) else { return Err(OpFault::Mismatch) };
            let shared = shared_segments(symbols.text(a), symbols.text(b)).min(levels);
            let fraction = divide_half_even(shared as i128 * i128::from(MILLION), levels as i128);
            let fraction = fraction.ok_or(OpFault::DivisionByZero)?;
            Ok(number(i64::try_from(fraction).map_err(|_| OpFault::Overflow)?))
        }
        (Function::Abs, [value]) => match value {
            Value::Quantity(_, amount) if *amount < 0 => negate(value),
            Value::Quantity(..) => Ok(value.clone()),
            _ => Err(OpFault::Mismatch),
        },
        (Function::Clamp, [value, low, high]) => {
            if order(low, high)?.is_gt() {
                return Err(OpFault::Mismatch);
            }
            let raised = if order(value, low)?.is_lt() { low } else { value };
            Ok(if order(raised, high)?.is_gt() { high.clone() } else { raised.clone() })
        }
        (Function::Min | Function::Max, [first, rest @ ..]) => {
            let mut best = first;
            for other in rest {
                let order = order(other, best)?;
                if (function == Function::Min && order.is_lt())
                    || (function == Function::Max && order.is_gt())
                {
                    best = other;
                }
            }
            Ok(best.clone())
        }
        // Calls with another number of arguments.
        (Function::Closeness | Function::Abs | Function::Clamp | Function::Min | Function::Max, _) => {
            Err(OpFault::Mismatch)
        }
    }
}

/// Counts the leading segments that two paths have in common.
fn shared_segments(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(x, y)| x == y).count()
}

/// Returns the credit of a preference, in millionths: 1 or 0 for a condition, and a number clamped to 0…1.
///
/// # Errors
/// A value that is neither.
pub fn earned(value: &Value) -> Result<i64, OpFault> {
    match value {
        Value::Bool(holds) => Ok(if *holds { MILLION } else { 0 }),
        Value::Quantity(Dimension::Number, amount) => Ok((*amount).clamp(0, MILLION)),
        _ => Err(OpFault::Mismatch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{quantity::Quantity, ranges::Ranges};

    fn quantity(text: &str) -> Value {
        let quantity = Quantity::parse(text).expect(text);
        Value::Quantity(quantity.dimension, quantity.amount)
    }

    #[test]
    fn arithmetic_keeps_dimensions_and_rounds_half_to_even() {
        let case = |op, a, b| arithmetic(op, &quantity(a), &quantity(b));
        assert_eq!(case(ArithmeticOp::Add, "1TB", "500GB"), Ok(quantity("1.5TB")));
        assert_eq!(case(ArithmeticOp::Multiply, "2", "1TB"), Ok(quantity("2TB")));
        assert_eq!(case(ArithmeticOp::Multiply, "0.5", "3B"), Ok(quantity("2B")));
        assert_eq!(case(ArithmeticOp::Divide, "1TB", "250GB"), Ok(quantity("4")));
        assert_eq!(case(ArithmeticOp::Divide, "5B", "2"), Ok(quantity("2B")));
        assert_eq!(case(ArithmeticOp::Divide, "1", "3"), Ok(quantity("0.333333")));
        assert_eq!(case(ArithmeticOp::Divide, "1", "0"), Err(OpFault::DivisionByZero));
        assert_eq!(case(ArithmeticOp::Add, "9EB", "9EB"), Err(OpFault::Overflow));
        assert_eq!(case(ArithmeticOp::Add, "1TB", "3"), Err(OpFault::Mismatch));
        assert_eq!(case(ArithmeticOp::Multiply, "1TB", "1TB"), Err(OpFault::Mismatch));
    }

    #[test]
    fn sets_and_ranges_mix() {
        let symbols = Symbols::default();
        let ranges = Value::Ranges(Ranges::new([(1, 5), (9, 9)]).into());
        let numbers = |list: &[i64]| Value::numbers(list.iter().map(|n| n * MILLION));
        let case = |op, a: &Value, b: &Value| test(op, a, b, &symbols);
        assert_eq!(case(TestOp::Has, &ranges, &quantity("3")), Ok(true));
        assert_eq!(case(TestOp::Has, &ranges, &quantity("2.5")), Ok(false));
        assert_eq!(case(TestOp::HasAll, &ranges, &numbers(&[1, 9])), Ok(true));
        assert_eq!(case(TestOp::HasAll, &numbers(&[1, 2, 3, 4, 5, 9]), &ranges), Ok(true));
        assert_eq!(case(TestOp::HasAny, &ranges, &numbers(&[7, 8])), Ok(false));
        assert_eq!(case(TestOp::HasAny, &ranges, &Value::texts([])), Ok(false));
        assert_eq!(case(TestOp::In, &quantity("9"), &numbers(&[9])), Ok(true));
        assert_eq!(case(TestOp::Has, &ranges, &quantity("3B")), Err(OpFault::Mismatch));
    }

    #[test]
    fn closeness_counts_shared_levels() {
        let mut symbols = Symbols::default();
        let mut place = |text: &str| Value::Place(symbols.intern(text));
        let (a, b, c) = (place("us/a/r1"), place("us/a/r2"), place("eu/a/r1"));
        let close = |x: &Value, y: &Value| call(Function::Closeness, &[x.clone(), y.clone()], 3, &symbols);
        assert_eq!(close(&a, &a), Ok(quantity("1")));
        assert_eq!(close(&a, &b), Ok(quantity("0.666667")));
        assert_eq!(close(&a, &c), Ok(quantity("0")));
    }

    #[test]
    fn clamp_and_its_kin() {
        let symbols = Symbols::default();
        let case = |function, arguments: &[&str]| {
            let values: Vec<_> = arguments.iter().map(|text| quantity(text)).collect();
            call(function, &values, 2, &symbols)
        };
        assert_eq!(case(Function::Clamp, &["5", "1", "3"]), Ok(quantity("3")));
        assert_eq!(case(Function::Min, &["2TB", "1TB", "3TB"]), Ok(quantity("1TB")));
        assert_eq!(case(Function::Max, &["2", "1"]), Ok(quantity("2")));
        assert_eq!(case(Function::Abs, &["-4s"]), Ok(quantity("4s")));
        assert_eq!(case(Function::Clamp, &["5", "3", "1"]), Err(OpFault::Mismatch));
        assert_eq!(case(Function::Min, &["2TB", "1"]), Err(OpFault::Mismatch));
    }
}
