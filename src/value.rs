//! Values as the evaluator sees them, and the texts of the language that denote them: literals, names,
//! places, versions.

use std::{cmp::Ordering, fmt, sync::Arc};

use crate::{
    limits,
    quantity::{self, Dimension},
    ranges::Ranges,
    symbol::{Symbol, Symbols},
    types::Type,
};

/// A value of one key, literal or intermediate result. Quantities are in base units (see [`Dimension`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// Millionths, bytes, bits per second or nanoseconds.
    Quantity(Dimension, i64),
    /// A text, compared exactly.
    Text(Symbol),
    /// A version, in the order of versions.
    Version(Arc<Version>),
    /// A path in the tree of fault domains.
    Place(Symbol),
    /// Texts without duplicates, sorted by symbol.
    Texts(Arc<[Symbol]>),
    /// Numbers (millionths) without duplicates, ascending.
    Numbers(Arc<[i64]>),
    /// Inclusive ranges of integers.
    Ranges(Arc<Ranges>),
}

impl Value {
    /// The type of the value.
    pub fn type_of(&self) -> Type {
        match self {
            Value::Bool(_) => Type::Bool,
            Value::Quantity(dimension, _) => Type::Quantity(*dimension),
            Value::Text(_) => Type::Text,
            Value::Version(_) => Type::Version,
            Value::Place(_) => Type::Place,
            Value::Texts(_) => Type::Texts,
            Value::Numbers(_) => Type::Numbers,
            Value::Ranges(_) => Type::Ranges,
        }
    }

    /// Makes a set of texts.
    pub fn texts(members: impl IntoIterator<Item = Symbol>) -> Value {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        Value::Texts(members.into())
    }

    /// Makes a set of numbers, in millionths.
    pub fn numbers(members: impl IntoIterator<Item = i64>) -> Value {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        Value::Numbers(members.into())
    }

    /// Returns the literal of the language that denotes the value.
    pub fn show(&self, symbols: &Symbols) -> String {
        match self {
            Value::Bool(value) => value.to_string(),
            Value::Quantity(dimension, amount) => quantity::render(*dimension, i128::from(*amount)),
            Value::Text(text) | Value::Place(text) => quote(symbols.text(*text)),
            Value::Version(version) => format!("v\"{version}\""),
            // Symbols are in order of first use; people expect the order of the texts.
            Value::Texts(members) => {
                let mut texts: Vec<_> = members.iter().map(|member| symbols.text(*member)).collect();
                texts.sort_unstable();
                list(texts.into_iter().map(quote))
            }
            Value::Numbers(members) => {
                list(members.iter().map(|member| quantity::render(Dimension::Number, i128::from(*member))))
            }
            Value::Ranges(ranges) => ranges.to_string(),
        }
    }
}

fn list(members: impl Iterator<Item = String>) -> String {
    format!("[{}]", members.collect::<Vec<_>>().join(", "))
}

/// Returns a text as the language writes it, with quotes and escapes. The result is safe for a terminal:
/// control characters, bidirectional overrides and invisible characters are escaped.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_hidden(c) => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns the text of a quoted name, or `None` if it has no quotes. Names contain no character that
/// [`quote`] writes as a number.
pub fn unquoted(name: &str) -> Option<String> {
    let inner = name.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next()? } else { c });
    }
    Some(text)
}

/// Returns `true` if a character must not stand in a source as it is: a control character other than tab and
/// line ends, or one that reorders the text for a reader (Unicode Technical Report 36, bidirectional text).
pub fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t' | '\r')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns `true` if a character must not stand in a name, however it is written, because a reader would not
/// see it.
pub fn is_hidden(c: char) -> bool {
    // A fleet has millions of names, and most are ASCII: test that first.
    if c.is_ascii() { c.is_ascii_control() } else { c.is_control() || is_forbidden(c) || is_invisible(c) }
}

/// Returns `true` for zero-width and filling characters: the property `Default_Ignorable_Code_Point` of
/// Unicode 16.0 (`DerivedCoreProperties.txt`), and the two separators of lines and paragraphs.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns a text that moves no cursor, sets no colour, hides nothing and stays on its line, whatever it was
/// made from.
pub fn printable(text: &str) -> String {
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if is_hidden(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() })
        .collect()
}

/// Returns `true` if a name needs no quotes: a letter, then letters, digits, `_`, or `-` before one of these.
pub fn is_plain_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        && !text.contains("--")
}

/// Returns a name as the language writes it, without quotes if it needs none.
pub fn show_name(text: &str) -> String {
    if is_plain_name(text) { text.to_owned() } else { quote(text) }
}

/// Returns a dotted key as the language writes it: `adapter.infiniband`, `"nvidia.com/gpu"`.
pub fn join_key<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    segments.into_iter().map(show_name).collect::<Vec<_>>().join(".")
}

/// Returns `true` if a text is a path of fault domains: non-empty segments separated by `/`, at most
/// [`limits::LEVELS`] of them.
pub fn is_place(text: &str) -> bool {
    place_depth(text).is_some_and(|depth| depth <= limits::LEVELS)
}

/// Counts the segments of a path of fault domains. Returns `None` if one is empty.
pub fn place_depth(text: &str) -> Option<usize> {
    let whole = text.split('/').all(|segment| !segment.is_empty());
    whole.then(|| text.split('/').count())
}

/// Returns `true` if a place is another or lies in its subtree.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A version: numeric parts, of which missing ones are 0, and an optional pre-release, which sorts before the
/// release. The order is that of Semantic Versioning 2.0.0, § 11, for any number of numeric parts.
///
/// Trailing zeros are dropped, so that `5.10` equals `5.10.0`. Build metadata is kept in the text and ignored
/// by comparisons.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    numbers: Vec<u64>,
    pre: Vec<PreRelease>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum PreRelease {
    Number(u64),
    Text(String),
}

impl Version {
    /// Reads `5.10.3`, `5.10.3-rc.1` or `1.2+build`. Returns `None` if the text is no version.
    pub fn parse(text: &str) -> Option<Version> {
        let without_build = match text.split_once('+') {
            Some((version, build)) if is_identifiers(build) => version,
            Some(_) => return None,
            None => text,
        };
        let (core, pre) = match without_build.split_once('-') {
            Some((core, pre)) if is_identifiers(pre) => (core, pre),
            Some(_) => return None,
            None => (without_build, ""),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let mut numbers = core
            .split('.')
            .map(|part| if digits(part) { part.parse().ok() } else { None })
            .collect::<Option<Vec<u64>>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        let pre = pre.split('.').filter(|part| !part.is_empty()).map(|part| match part.parse() {
            // A number of more than 64 bits is compared as text.
            Ok(number) if digits(part) => PreRelease::Number(number),
            _ => PreRelease::Text(part.to_owned()),
        });
        Some(Version { text: text.to_owned(), numbers, pre: pre.collect() })
    }

    /// Returns a version between two others, exclusive; `number` selects one of many, from 1. Two releases
    /// always have one between them. `None` if none was found.
    ///
    /// The static analysis uses it for values that no policy names. The candidates are, in order: the lower
    /// bound with one of its parts raised, the lower bound with a part added, and a pre-release of 0, which
    /// sorts below every release.
    pub fn between(low: Option<&Version>, high: Option<&Version>, number: u64) -> Option<Version> {
        let written = |numbers: &[u64]| {
            let parts: Vec<String> = numbers.iter().map(u64::to_string).collect();
            Version::parse(&parts.join("."))
        };
        let fits =
            |version: &Version| low.is_none_or(|low| low < version) && high.is_none_or(|high| version < high);
        let numbers = low.map_or(&[][..], |low| &low.numbers);
        let raised = (0..numbers.len().max(1)).filter_map(|at| {
            let mut raised = numbers[..numbers.len().min(at)].to_vec();
            raised.push(numbers.get(at).unwrap_or(&0).checked_add(number - u64::from(low.is_none()))?);
            written(&raised)
        });
        let beyond = || {
            let length = numbers.len().max(high.map_or(0, |high| high.numbers.len()));
            let mut longer = numbers.to_vec();
            longer.resize(length, 0);
            longer.push(number);
            written(&longer)
        };
        let below = || Version::parse(&format!("0-{number}"));
        raised.chain(beyond()).chain(below()).find(fits)
    }
}

fn is_identifiers(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl std::hash::Hash for Version {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.numbers.hash(state);
        self.pre.hash(state);
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // `false < true`: a pre-release sorts before its release.
        let release = |version: &Version| version.pre.is_empty();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| release(self).cmp(&release(other)))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns `true` if a text is `*` or a path of role names of at most [`limits::ROLE_DEPTH`].
pub fn is_role(text: &str) -> bool {
    text == "*" || role_depth(text).is_some_and(|depth| depth <= limits::ROLE_DEPTH)
}

/// Counts the names in the path of a role. Returns `None` if one of them is not a valid name.
pub fn role_depth(text: &str) -> Option<usize> {
    let is_name = |part: &str| !matches!(part, "" | "*" | "." | "..") && !part.contains(is_hidden);
    text.split('/').all(is_name).then(|| text.split('/').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_semver_with_any_number_of_parts() {
        let ordered = [
            "1-alpha",
            "1.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1",
            "1.0.0.1",
            "1.9",
            "1.10",
        ];
        for pair in ordered.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|text| Version::parse(text).expect(text));
            assert!(a < b, "{a} < {b}");
        }
        assert_eq!(Version::parse("5.10"), Version::parse("5.10.0+build"));
        for bad in ["", "1.", "x", "1.-", "1-", "1+", "v1", "1.2 "] {
            assert!(Version::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn versions_lie_between_others() {
        let version = |text: &str| Version::parse(text).expect(text);
        let between = |low: &str, high: &str, number| {
            let ends = [low, high].map(|end| (!end.is_empty()).then(|| version(end)));
            let found = Version::between(ends[0].as_ref(), ends[1].as_ref(), number)?;
            assert!(ends[0].as_ref().is_none_or(|low| *low < found), "{low} < {found}");
            assert!(ends[1].as_ref().is_none_or(|high| found < *high), "{found} < {high}");
            Some(found.to_string())
        };
        let shown = |low, high| (1..=2).filter_map(|number| between(low, high, number)).collect::<Vec<_>>();
        assert_eq!(shown("5.10", ""), ["6", "7"]);
        assert_eq!(shown("5.9", "6.1"), ["6", "5.11"]);
        assert_eq!(shown("5.10", "5.10.0.1"), ["5.10.0.0.1", "5.10.0.0.2"]);
        assert_eq!(shown("", "1"), ["0", "0.2"]);
        assert_eq!(shown("", "0"), ["0-1", "0-2"]);
        assert_eq!(shown("1-alpha", "1-alpha.0"), [""; 0]);
    }

    #[test]
    fn names_are_quoted_only_where_they_must_be() {
        assert_eq!(show_name("aisle-15"), "aisle-15");
        assert_eq!(show_name("eng/ads"), "\"eng/ads\"");
        assert_eq!(join_key(["nvidia.com/gpu", "count"]), "\"nvidia.com/gpu\".count");
        assert_eq!(quote("a\u{202e}b\u{1b}"), "\"a\\u{202e}b\\u{1b}\"");
    }

    #[test]
    fn a_place_is_within_its_ancestors_only() {
        assert!(is_within("us/a/r1", "us/a") && is_within("us", "us"));
        assert!(!is_within("us/ab", "us/a") && !is_within("us", "us/a"));
    }
}
