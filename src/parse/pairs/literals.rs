//! Literals: numbers with units, texts and versions.

use super::{Pair, PairReader, Rule, child};
use crate::{
    diagnostic::Code,
    limits,
    parse::{
        ast::{Literal, Name, Number},
        error,
    },
    quantity::{Dimension, Quantity},
    value::Version,
};

impl PairReader<'_> {
    /// Reads a quantity with its sign. `80%` is the number 0.8.
    pub(super) fn quantity(&mut self, text: &str, pair: &Pair<'_>) -> Option<Quantity> {
        match Quantity::parse(text) {
            Ok(quantity) => Some(quantity),
            Err(cause) => {
                let problem = error::quantity(text, &cause, self.span(pair));
                self.problem(problem);
                None
            }
        }
    }

    /// Reads a quantity as a literal of the tree, which keeps `%` apart.
    pub(super) fn quantity_literal(&mut self, text: &str, pair: &Pair<'_>) -> Option<Literal> {
        let quantity = self.quantity(text, pair)?;
        Some(if text.ends_with('%') { Literal::Percent(quantity) } else { Literal::Quantity(quantity) })
    }

    /// Reads a number without a unit.
    pub(super) fn number(&mut self, pair: &Pair<'_>) -> Option<Number> {
        let quantity = self.quantity(pair.as_str(), pair)?;
        let span = self.span(pair);
        if quantity.dimension != Dimension::Number {
            let message = format!("expected a number, found the {} `{}`", quantity.dimension, pair.as_str());
            self.error(Code::B0107, span, message, "write it without a unit");
            return None;
        }
        Some(Number { millionths: quantity.amount, span })
    }

    /// Reads a whole number without sign or unit.
    pub(super) fn digits(&mut self, pair: &Pair<'_>) -> Option<u64> {
        let digits: String = pair.as_str().chars().filter(char::is_ascii_digit).collect();
        let number = digits.parse().ok();
        if number.is_none() {
            let message = format!("`{}` is too large", error::shown(pair.as_str()));
            self.error(Code::B0111, self.span(pair), message, "the largest is 18446744073709551615");
        }
        number
    }

    /// Reads `low..high`. Both ends must have one dimension.
    pub(super) fn bounds(
        &mut self,
        low: (Quantity, &str),
        high: &Pair<'_>,
        whole: Pair<'_>,
    ) -> Option<Literal> {
        let (low, low_text) = low;
        let top = self.quantity(high.as_str(), high)?;
        let span = self.span(&whole).to(self.span(high));
        if low.dimension != top.dimension {
            let message = format!("a {} and a {} are no two ends", low.dimension, top.dimension);
            self.error(Code::B0302, span, message, "write both ends with units of one kind");
            return None;
        }
        if low.amount > top.amount {
            let (message, help) = error::backwards(low_text, high.as_str());
            self.error(Code::B0112, span, message, help);
            return None;
        }
        Some(Literal::Span(low, top))
    }

    /// Reads a quoted text: removes the quotes and resolves escapes.
    pub(super) fn string(&mut self, pair: &Pair<'_>) -> Option<String> {
        let raw = pair.as_str();
        let body = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        if raw.len() > limits::TEXT_BYTES {
            let message = format!("a text of {} bytes; at most {} are kept", raw.len(), limits::TEXT_BYTES);
            self.error(Code::B0112, self.span(pair), message, "shorten it");
            return None;
        }
        if !body.contains('\\') {
            return Some(body.to_owned());
        }
        match unescape(body) {
            Ok(text) => Some(text),
            Err((at, length)) => {
                let start = pair.as_span().start() + 1 + at;
                let wrong = body.get(at..at + length).unwrap_or("");
                let message = format!("`{}` is no escape", error::shown(wrong));
                let help = "escapes are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{1f4be}`";
                self.error(Code::B0112, self.place.span(start, start + length), message, help);
                None
            }
        }
    }

    /// Reads a text with its span. Reports single quotes, and reads the text in them.
    pub(super) fn text_name(&mut self, pair: Pair<'_>) -> Option<Name> {
        let span = self.span(&pair);
        if pair.as_rule() != Rule::mistake_quotes {
            return self.string(&pair).map(|text| Name { text, span });
        }
        let text = pair.as_str().trim_matches('\'').to_owned();
        let help = format!("write {}", crate::value::quote(&text));
        self.error(Code::B0107, span, "a text stands in double quotes", help);
        Some(Name { text, span })
    }

    /// Reads `v"5.10.3"`.
    pub(super) fn version(&mut self, pair: Pair<'_>) -> Option<Version> {
        let span = self.span(&pair);
        let text = self.string(&child(pair, Rule::string)?)?;
        let version = Version::parse(&text);
        if version.is_none() {
            let message = format!("`{}` is no version", error::shown(&text));
            self.error(Code::B0112, span, message, "a version is like `v\"5.10.3\"` or `v\"2.0-rc.1\"`");
        }
        version
    }
}

/// Resolves the escapes of a text. The error is the offset and length of the first invalid escape.
fn unescape(body: &str) -> Result<String, (usize, usize)> {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let offset = body.len() - rest.len() + at;
        let escape = &rest[at + 1..];
        let length = match escape.chars().next() {
            Some('u') => {
                // `\u{…}`: up to six hexadecimal digits of a Unicode scalar value.
                let length = escape.find('}').map_or(1, |end| end + 1);
                let code = escape.get(..length).and_then(|escape| escape.strip_prefix("u{"));
                let code = code.and_then(|code| code.strip_suffix('}')).filter(|code| code.len() <= 6);
                let digits = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                text.push(value.and_then(char::from_u32).ok_or((offset, 1 + length))?);
                length
            }
            other => {
                text.push(match other {
                    Some('"') => '"',
                    Some('\\') => '\\',
                    Some('n') => '\n',
                    Some('t') => '\t',
                    _ => return Err((offset, 1 + other.map_or(0, char::len_utf8))),
                });
                1
            }
        };
        rest = &escape[length..];
    }
    text.push_str(rest);
    Ok(text)
}
