//! Raw values and amounts are typed here. A value that does not fit its type has no typed form; the caller
//! reports it.

use super::records::{Raw, RawAmount};
use crate::{
    diagnostic::{Code, Diagnostic},
    keys::{self, BuiltIn},
    quantity::{Dimension, MILLION, Quantity},
    ranges::Ranges,
    source::Span,
    symbol::Symbols,
    types::{Side, Type},
    value::{Value, Version, is_place},
};

/// Converts a raw value to the type of its key; `None` if it is of another type. Without a type the value
/// keeps the form it has.
///
/// Data has fewer forms than the language, so that the type decides: the text `"us/a"` may be a place,
/// `"1.2"` a version and `"64GiB"` a size, and a whole number counts base units where the key has a unit.
pub fn value_of(raw: &Raw, kind: Option<Type>, symbols: &mut Symbols) -> Option<Value> {
    let value = match (raw, kind) {
        (Raw::Text(text), Some(kind)) => text_as(text, kind, symbols)?,
        (Raw::Text(text), None) => Value::Text(symbols.intern(text)),
        (Raw::Bool(value), _) => Value::Bool(*value),
        (Raw::Integer(whole), Some(Type::Quantity(dimension))) if dimension != Dimension::Number => {
            Value::Quantity(dimension, *whole)
        }
        (Raw::Integer(whole), _) => Value::Quantity(Dimension::Number, whole.checked_mul(MILLION)?),
        (Raw::Quantity(quantity), _) => Value::Quantity(quantity.dimension, quantity.amount),
        (Raw::Version(version), _) => Value::Version(version.clone().into()),
        (Raw::Empty, Some(Type::Numbers)) => Value::numbers([]),
        (Raw::Empty, Some(Type::Ranges)) => Value::Ranges(Ranges::default().into()),
        (Raw::Empty, _) => Value::texts([]),
        (Raw::Texts(texts), Some(Type::Ranges)) => Value::Ranges(Ranges::new(parse_ranges(texts)?).into()),
        (Raw::Texts(texts), _) => Value::texts(texts.iter().map(|text| symbols.intern(text))),
        (Raw::Numbers(numbers), Some(Type::Ranges)) => {
            // Numbers are in millionths; only whole ones are members of ranges.
            let whole = |n: &i64| (n % MILLION == 0).then_some((n / MILLION, n / MILLION));
            Value::Ranges(Ranges::new(numbers.iter().map(whole).collect::<Option<Vec<_>>>()?).into())
        }
        (Raw::Numbers(numbers), _) => Value::numbers(numbers.iter().copied()),
        (Raw::Ranges(ranges), _) => Value::Ranges(ranges.clone().into()),
    };
    // Last check: a raw form with a type of its own must match the key's.
    kind.is_none_or(|kind| value.type_of() == kind).then_some(value)
}

fn text_as(text: &str, kind: Type, symbols: &mut Symbols) -> Option<Value> {
    match kind {
        Type::Text => Some(Value::Text(symbols.intern(text))),
        Type::Place => is_place(text).then(|| Value::Place(symbols.intern(text))),
        Type::Version => Version::parse(text).map(|version| Value::Version(version.into())),
        Type::Quantity(dimension) if dimension != Dimension::Number => {
            let (quantity, _) = Quantity::parse_rounding(text).ok()?;
            (quantity.dimension == dimension).then_some(Value::Quantity(dimension, quantity.amount))
        }
        _ => None,
    }
}

/// Parses `"1..5"` and `"9"`, the forms of ranges in data.
fn parse_ranges(texts: &[String]) -> Option<Vec<(i64, i64)>> {
    let one = |text: &String| match text.split_once("..") {
        Some((low, high)) => Some((low.parse().ok()?, high.parse().ok()?)),
        None => text.parse().ok().map(|n| (n, n)),
    };
    texts.iter().map(one).collect()
}

/// Converts an amount to base units of a dimension, or of its own if none is given. Returns `None` for
/// another dimension, for an overflow, and for amounts that are not scalars.
pub fn scalar_of(amount: &RawAmount, dimension: Option<Dimension>) -> Option<(Dimension, i64)> {
    match (amount, dimension) {
        (RawAmount::Quantity(quantity), dimension) => dimension
            .is_none_or(|wanted| wanted == quantity.dimension)
            .then_some((quantity.dimension, quantity.amount)),
        (RawAmount::Integer(whole), Some(dimension)) if dimension != Dimension::Number => {
            Some((dimension, *whole))
        }
        (RawAmount::Integer(whole), _) => Some((Dimension::Number, whole.checked_mul(MILLION)?)),
        _ => None,
    }
}

/// Returns the error for a key that has the name of a built-in of its side.
pub fn built_in<'a>(
    side: Side,
    key: &str,
    mut levels: impl Iterator<Item = &'a str>,
    span: Span,
) -> Option<Diagnostic> {
    let first = key.split('.').next().unwrap_or(key);
    let known = keys::find(side, first).map(|known| known.word);
    // `total.cpus` is an amount, while `name.first` is an open key.
    let help = match known.filter(|word| word.is_amount() || key == first) {
        Some(BuiltIn::Name) => {
            format!("`{side}.name` is the name in its head; choose another key, such as `label`")
        }
        Some(BuiltIn::Domain) => {
            format!("`{side}.domain` is its place, which is not stated among the keys; set its `domain`")
        }
        Some(BuiltIn::Total | BuiltIn::Free | BuiltIn::Used) => {
            format!("`{side}.{first}.RESOURCE` is what is there; declare amounts in `resources {{ … }}`")
        }
        Some(BuiltIn::Provider | BuiltIn::Instance) => {
            format!("`{side}.{key}` is the name of that tier; choose another key")
        }
        _ if keys::is_placed(side) && levels.any(|level| level == key) => {
            "a level's value comes from `domain = \"…\"`; set that".to_owned()
        }
        _ => return None,
    };
    let message = format!("the key `{key}` is named like a built-in");
    Some(Diagnostic::error(Code::B0211, span, message).help(help))
}
