//! JSON with places. `serde_json` judges the syntax of a whole text once; what is here only finds the parts of
//! a text known to be JSON, one level at a time, so that a large file never becomes a tree and no depth of
//! nesting costs stack.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A value and where it stands in its source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    /// The value as written, without the space around it.
    pub raw: &'a str,
    /// Offset of its first byte in the source.
    pub start: usize,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    /// In words, with its article.
    pub fn describe(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

/// Why a text is not JSON, and where.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    pub message: String,
    /// Offset in the source.
    pub at: usize,
    /// One past the character there.
    pub end: usize,
    /// The text ends before its value does.
    pub is_truncated: bool,
    /// A value ends, and something follows.
    pub is_trailing: bool,
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub key: Node<'a>,
    pub value: Node<'a>,
}

impl<'a> Node<'a> {
    /// Reads `text`, which stands at `base` of its source, as one JSON value.
    pub fn parse(text: &'a str, base: usize) -> Result<Node<'a>, SyntaxError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| syntax_error(&error, text, base))?;
        let start = text.len() - text.trim_start_matches(is_space).len();
        Ok(Node { raw: raw.get(), start: base + start })
    }

    /// One past its last byte in the source.
    pub fn end(self) -> usize {
        self.start + self.raw.len()
    }

    /// What it is: the first byte says so.
    pub fn kind(self) -> Kind {
        match self.raw.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Text,
            Some(b't') => Kind::Bool(true),
            Some(b'f') => Kind::Bool(false),
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The members of a list; none for anything else.
    pub fn elements(self) -> impl Iterator<Item = Node<'a>> {
        let mut parts = Parts::new(self, Kind::List);
        std::iter::from_fn(move || parts.value())
    }

    /// The fields of an object, in order; none for anything else.
    pub fn fields(self) -> impl Iterator<Item = Field<'a>> {
        let mut parts = Parts::new(self, Kind::Object);
        std::iter::from_fn(move || Some(Field { key: parts.value()?, value: parts.value()? }))
    }

    /// What stands between the quotes of a text, escapes as written.
    pub fn inner(self) -> &'a str {
        self.raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("")
    }

    /// A text without its escapes. Half a surrogate pair is the one error that the first look at the whole
    /// text does not find.
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

/// Walks the values of one list or object; keys count as values.
struct Parts<'a> {
    node: Node<'a>,
    at: usize,
}

impl<'a> Parts<'a> {
    fn new(node: Node<'a>, kind: Kind) -> Parts<'a> {
        // Past the opening bracket, or at the end of what is no such value.
        Parts { node, at: if node.kind() == kind { 1 } else { node.raw.len() } }
    }

    fn value(&mut self) -> Option<Node<'a>> {
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
        Some(Node { raw: self.node.raw.get(start..self.at)?, start: self.node.start + start })
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// One past the value that begins at `start`.
fn value_end(bytes: &[u8], start: usize) -> usize {
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
    // A value has at least one byte, or the walk would stand still.
    bytes.iter().position(ends).unwrap_or(bytes.len()).max(1)
}

/// One past the text whose opening quote is at `start`.
fn text_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn syntax_error(error: &serde_json::Error, text: &str, base: usize) -> SyntaxError {
    let line_start = match error.line().checked_sub(2) {
        None => 0,
        Some(nth) => text.match_indices('\n').nth(nth).map_or(text.len(), |(at, _)| at + 1),
    };
    let column = error.column().saturating_sub(1);
    let mut at = if error.is_eof() { text.len() } else { (line_start + column).min(text.len()) };
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
pub(super) enum Number {
    /// A whole number, however it is written: `1000`, `1e3`, `10.0`.
    Whole(i64),
    /// Digits with a point, and no exponent.
    Decimal(String),
    /// More than 64 bits.
    TooLarge,
}

/// Digits kept on either side of the point when an exponent is written out: more than any unit holds.
const WRITTEN_OUT: i64 = 60;

/// Reads a JSON number without ever making a float of it.
pub(super) fn number(text: &str) -> Number {
    if let Ok(whole) = text.parse() {
        return Number::Whole(whole);
    }
    let (negative, body) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_start_matches('0');
    if kept.is_empty() {
        return Number::Whole(0);
    }
    let leading = (digits.len() - kept.len()) as i64;
    let kept = kept.trim_end_matches('0');
    // The value is 0.KEPT × 10^point. An exponent that is no `i64` is past every bound on its side.
    let huge = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    let exponent = exponent.trim_start_matches('+').parse().unwrap_or(huge);
    let point = exponent.saturating_add(whole.len() as i64 - leading).max(-WRITTEN_OUT);
    if point > WRITTEN_OUT {
        return Number::TooLarge;
    }
    let sign = if negative { "-" } else { "" };
    match usize::try_from(point) {
        Ok(point) if point >= kept.len() => {
            format!("{sign}{kept:0<point$}").parse().map_or(Number::TooLarge, Number::Whole)
        }
        Ok(point) if point > 0 => Number::Decimal(format!("{sign}{}.{}", &kept[..point], &kept[point..])),
        _ => {
            let zeros = "0".repeat(point.unsigned_abs() as usize);
            Number::Decimal(format!("{sign}0.{zeros}{kept}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let decimal = |text: &str| Number::Decimal(text.to_owned());
        for (text, want) in [
            ("0", Number::Whole(0)),
            ("-0.0e9", Number::Whole(0)),
            ("1e3", Number::Whole(1_000)),
            ("10.0", Number::Whole(10)),
            ("-1.25E2", Number::Whole(-125)),
            ("12.50", decimal("12.5")),
            ("125e-3", decimal("0.125")),
            ("1.5e-4", decimal("0.00015")),
            ("0.1", decimal("0.1")),
            ("9223372036854775807", Number::Whole(i64::MAX)),
            ("-9223372036854775808", Number::Whole(i64::MIN)),
            ("9223372036854775808", Number::TooLarge),
            ("1e99999999999999999999", Number::TooLarge),
            ("0e99999999999999999999", Number::Whole(0)),
        ] {
            assert_eq!(number(text), want, "{text}");
        }
        assert!(matches!(number("1e-99999999999999999999"), Number::Decimal(_)));
    }

    #[test]
    fn parts_have_their_places() {
        let text = r#" { "a\"b" : [1, {"x": "}]"}, [] ] , "c":true } "#;
        let node = Node::parse(text, 100).expect("is JSON");
        let fields: Vec<_> = node.fields().collect();
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[0].key.text().expect("reads"), "a\"b");
        assert_eq!(fields[1].value.kind(), Kind::Bool(true));
        let elements: Vec<_> = fields[0].value.elements().map(|element| element.raw).collect();
        assert_eq!(elements, ["1", r#"{"x": "}]"}"#, "[]"]);
        for field in fields {
            assert_eq!(&text[field.value.start - 100..field.value.end() - 100], field.value.raw);
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}1{}", "[".repeat(500_000), "]".repeat(500_000));
        let node = Node::parse(&deep, 0).expect("is JSON");
        assert_eq!(node.elements().count(), 1);
    }
}
