//! A JSON layer that keeps the place of every value (decision 1).
//!
//! `serde_json` checks the syntax of a whole text once. After that, this module may assume valid JSON: it
//! only finds the ends of values, by counting brackets outside of texts, and leaves their contents as slices.
//! A large file never becomes a tree, and depth costs no stack.
//!
//! Each level of nesting is scanned anew when its members are asked for. Readers bound the depth that they
//! enter, so the cost stays linear in the size of the text.
//!
//! Numbers are never read through floats: [`number`] works on their digits.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A value, and its place in the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonNode<'a> {
    /// The value as written, without surrounding space.
    pub raw: &'a str,
    /// The byte offset of the value in the source.
    pub start: usize,
}

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    Null,
    Bool(bool),
    Number,
    Text,
    List,
    Object,
}

impl ValueKind {
    /// Returns the kind in words, with an article.
    pub fn describe(self) -> &'static str {
        match self {
            ValueKind::Null => "null",
            ValueKind::Bool(_) => "a boolean",
            ValueKind::Number => "a number",
            ValueKind::Text => "a text",
            ValueKind::List => "a list",
            ValueKind::Object => "an object",
        }
    }
}

/// The first syntax error of a text.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    pub message: String,
    /// The byte offset of the error in the source.
    pub at: usize,
    /// The end of the character at `at`.
    pub end: usize,
    /// `true` if the text ends inside a value.
    pub is_truncated: bool,
    /// `true` if more text follows the value.
    pub is_trailing: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub key: JsonNode<'a>,
    pub value: JsonNode<'a>,
}

impl<'a> JsonNode<'a> {
    /// Parses a text as one JSON value. `base` is the offset of the text in its source.
    pub fn parse(text: &'a str, base: usize) -> Result<JsonNode<'a>, SyntaxError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| syntax_error(&error, text, base))?;
        let start = text.len() - text.trim_start_matches(is_space).len();
        Ok(JsonNode { raw: raw.get(), start: base + start })
    }

    /// Returns the byte offset of the end of the value in the source.
    pub fn end(self) -> usize {
        self.start + self.raw.len()
    }

    /// Returns the kind, which the first byte decides.
    pub fn kind(self) -> ValueKind {
        match self.raw.as_bytes().first() {
            Some(b'{') => ValueKind::Object,
            Some(b'[') => ValueKind::List,
            Some(b'"') => ValueKind::Text,
            Some(b't') => ValueKind::Bool(true),
            Some(b'f') => ValueKind::Bool(false),
            Some(b'n') | None => ValueKind::Null,
            Some(_) => ValueKind::Number,
        }
    }

    /// Returns the members of a list; nothing for other values.
    pub fn elements(self) -> impl Iterator<Item = JsonNode<'a>> {
        let mut parts = ValueIter::new(self, ValueKind::List);
        std::iter::from_fn(move || parts.value())
    }

    /// Returns the fields of an object, in order; nothing for other values.
    pub fn fields(self) -> impl Iterator<Item = Field<'a>> {
        let mut parts = ValueIter::new(self, ValueKind::Object);
        std::iter::from_fn(move || Some(Field { key: parts.value()?, value: parts.value()? }))
    }

    /// Returns the contents of a text, with its escapes; empty for other values.
    pub fn inner(self) -> &'a str {
        self.raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("")
    }

    /// Decodes a text. An unpaired surrogate is the only error left: the syntax check permits it.
    pub fn text(self) -> Result<Cow<'a, str>, SyntaxError> {
        let inner = self.inner();
        if !inner.as_bytes().contains(&b'\\') {
            return Ok(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(self.raw)
            .map(Cow::Owned)
            .map_err(|error| syntax_error(&error, self.raw, self.start))
    }
}

/// An iterator over the values of one list or object. The keys of an object are values, too.
struct ValueIter<'a> {
    node: JsonNode<'a>,
    at: usize,
}

impl<'a> ValueIter<'a> {
    fn new(node: JsonNode<'a>, kind: ValueKind) -> ValueIter<'a> {
        // Starts after the opening bracket, or at the end for a value of another kind.
        ValueIter { node, at: if node.kind() == kind { 1 } else { node.raw.len() } }
    }

    fn value(&mut self) -> Option<JsonNode<'a>> {
        let bytes = self.node.raw.as_bytes();
        while bytes
            .get(self.at)
            .is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':'))
        {
            self.at += 1;
        }
        let start = self.at;
        if matches!(bytes.get(start), None | Some(b']' | b'}')) {
            return None;
        }
        self.at = value_end(bytes, start);
        Some(JsonNode { raw: self.node.raw.get(start..self.at)?, start: self.node.start + start })
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Returns the offset of the end of the value that begins at `start`.
fn value_end(bytes: &[u8], start: usize) -> usize {
    // A counter in place of recursion. Texts are skipped whole, since they may hold brackets.
    let mut at = start;
    let mut open = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = text_end(bytes, at),
            b'{' | b'[' => {
                open += 1;
                at += 1;
            }
            b'}' | b']' => {
                open = open.saturating_sub(1);
                at += 1;
            }
            _ if open > 0 => at += 1,
            _ => return at + scalar_length(&bytes[at..]),
        }
        if open == 0 {
            return at;
        }
    }
    at
}

fn scalar_length(bytes: &[u8]) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
    // A value has at least one byte; otherwise the walk would not end.
    bytes.iter().position(ends).unwrap_or(bytes.len()).max(1)
}

/// Returns the offset of the end of the text that begins with the quote at `start`.
fn text_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            // The escaped byte may be a quote. The four digits of `\u` follow as plain bytes.
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn syntax_error(error: &serde_json::Error, text: &str, base: usize) -> SyntaxError {
    // `serde_json` tells line and column in bytes, both from 1; spans need the offset in the source.
    let line_start = match error.line().checked_sub(2) {
        None => 0,
        Some(nth) => text.match_indices('\n').nth(nth).map_or(text.len(), |(at, _)| at + 1),
    };
    let column = error.column().saturating_sub(1);
    let mut at = if error.is_eof() { text.len() } else { (line_start + column).min(text.len()) };
    // A column of bytes may fall inside a character; spans must not.
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or("").to_owned();
    let is_trailing = message == "trailing characters";
    let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
    SyntaxError { message, at: base + at, end: base + end, is_truncated: error.is_eof(), is_trailing }
}

/// A JSON number, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JsonNumber {
    /// A whole number in any notation: `1000`, `1e3`, `10.0`.
    Whole(i64),
    /// Decimal digits with a point, without exponent.
    Decimal(String),
    /// A number of more than 64 bits.
    TooLarge,
}

/// The most digits that are written on either side of the point for an exponent. No unit has that many.
const MAX_DIGITS: i64 = 60;

/// Parses a JSON number by its digits, without floats.
///
/// The digits without the zeros at both ends are written as `0.KEPT × 10^point`. If the point lies behind all
/// of them, the number is whole, whatever its notation.
pub(super) fn number(text: &str) -> JsonNumber {
    if let Ok(whole) = text.parse() {
        return JsonNumber::Whole(whole);
    }
    let (negative, body) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The digits without the point, whose position is counted apart.
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_start_matches('0');
    if kept.is_empty() {
        return JsonNumber::Whole(0);
    }
    let leading = (digits.len() - kept.len()) as i64;
    let kept = kept.trim_end_matches('0');
    // An exponent beyond `i64` is beyond every bound on its side.
    let huge = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    let exponent = exponent.trim_start_matches('+').parse().unwrap_or(huge);
    let point = exponent.saturating_add(whole.len() as i64 - leading).max(-MAX_DIGITS);
    if point > MAX_DIGITS {
        return JsonNumber::TooLarge;
    }
    let sign = if negative { "-" } else { "" };
    match usize::try_from(point) {
        Ok(point) if point >= kept.len() => {
            format!("{sign}{kept:0<point$}").parse().map_or(JsonNumber::TooLarge, JsonNumber::Whole)
        }
        Ok(point) if point > 0 => JsonNumber::Decimal(format!("{sign}{}.{}", &kept[..point], &kept[point..])),
        _ => {
            let zeros = "0".repeat(point.unsigned_abs() as usize);
            JsonNumber::Decimal(format!("{sign}0.{zeros}{kept}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let decimal = |text: &str| JsonNumber::Decimal(text.to_owned());
        for (text, want) in [
            ("0", JsonNumber::Whole(0)),
            ("-0.0e9", JsonNumber::Whole(0)),
            ("1e3", JsonNumber::Whole(1_000)),
            ("10.0", JsonNumber::Whole(10)),
            ("-1.25E2", JsonNumber::Whole(-125)),
            ("12.50", decimal("12.5")),
            ("125e-3", decimal("0.125")),
            ("1.5e-4", decimal("0.00015")),
            ("0.1", decimal("0.1")),
            ("9223372036854775807", JsonNumber::Whole(i64::MAX)),
            ("-9223372036854775808", JsonNumber::Whole(i64::MIN)),
            ("9223372036854775808", JsonNumber::TooLarge),
            ("1e99999999999999999999", JsonNumber::TooLarge),
            ("0e99999999999999999999", JsonNumber::Whole(0)),
        ] {
            assert_eq!(number(text), want, "{text}");
        }
        assert!(matches!(number("1e-99999999999999999999"), JsonNumber::Decimal(_)));
    }

    #[test]
    fn parts_have_their_places() {
        let text = r#" { "a\"b" : [1, {"x": "}]"}, [] ] , "c":true } "#;
        let node = JsonNode::parse(text, 100).expect("is JSON");
        let fields: Vec<_> = node.fields().collect();
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[0].key.text().expect("reads"), "a\"b");
        assert_eq!(fields[1].value.kind(), ValueKind::Bool(true));
        let elements: Vec<_> = fields[0].value.elements().map(|element| element.raw).collect();
        assert_eq!(elements, ["1", r#"{"x": "}]"}"#, "[]"]);
        for field in fields {
            assert_eq!(&text[field.value.start - 100..field.value.end() - 100], field.value.raw);
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}1{}", "[".repeat(500_000), "]".repeat(500_000));
        let node = JsonNode::parse(&deep, 0).expect("is JSON");
        assert_eq!(node.elements().count(), 1);
    }
}
