//! The wording of syntax errors: message and help for text that the grammar rejects.
//!
//! The rules of the grammar stay in `pairs`. This module receives the expected tokens as the words a user
//! types, and guesses from the text around the error what was meant.

use std::borrow::Cow;

use super::{
    TextOrigin,
    words::{HEADS, OPERATORS, PLACES},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    quantity::{QuantityError, unit_names},
    source::Span,
};

/// The furthest point that the grammar reached in a statement, and the tokens it expected there.
#[derive(Debug)]
pub(super) struct Missing {
    /// The offset at which it stopped.
    pub at: usize,
    /// The expected tokens, as shown to users.
    pub wanted: Vec<&'static str>,
}

/// Tokens that can continue a statement of any kind. They say little about the error.
const COMMON: &[&str] = &["`{`", "`=`", "`:`", "`==`", "`)`", "`,` or `)`", "`,` or `]`"];

/// Tokens that are optional wherever they are expected.
const OPTIONAL: &[&str] = &["`because`", "`skew`", "`at least`", "`among framework`", "`weight`", "`>`"];

/// Returns the error for text that is no statement.
pub(super) fn unexpected(
    text: &str,
    start: usize,
    end: usize,
    missing: &Missing,
    place: TextOrigin,
) -> Diagnostic {
    // Guards the slices below: the point lies inside the statement.
    let at = missing.at.clamp(start, end);
    let start = start + leading_blanks(&text[start..end]);
    if let Some(problem) = wrong_head(text, start, at, place) {
        return problem;
    }
    let (at, length, found) = token(text, at);
    let message = format!("expected {}, found {found}", listed(&missing.wanted));
    // At the end of a line the label points just after its last token.
    let problem = Diagnostic::error(Code::B0107, place.span(at, at + length), message);
    problem.help(help(text, start, at, missing).unwrap_or_else(|| general_help(&missing.wanted).to_owned()))
}

/// Returns the help for an error about which only the expected tokens are known.
fn general_help(wanted: &[&'static str]) -> &'static str {
    if wanted.contains(&"a value") {
        "a value is a number, a quantity such as `64GiB`, a quoted text, a list or a key"
    } else if wanted.contains(&"an operator") {
        "on one line, statements stand with a comma between; in an expression, an operator stands between values"
    } else if wanted.contains(&"a name") || wanted.contains(&"a text") {
        "a name is letters, digits, `_` and `-`, and begins with a letter; any other name is quoted"
    } else if wanted.contains(&"the end of the statement") {
        "begin the next statement on a line of its own, or after a comma"
    } else {
        "put it there, or correct what stands before it"
    }
}

/// Reports a first word that begins no statement: `agnet a1 {`, `vlan 19`.
fn wrong_head(text: &str, start: usize, at: usize, place: TextOrigin) -> Option<Diagnostic> {
    let head = word(&text[start..]);
    let after = start + head.len();
    let next = &text[after..];
    let gap = leading_blanks(next);
    let second = &next[gap..];
    let separate = gap > 0 && second.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '"' || c == '[');
    if head.is_empty() || !separate || HEADS.contains(&head) || at > after + gap {
        return None;
    }
    // A word that is similar to a keyword is a typing error. Any other is taken for a key with a missing `=`,
    // unless what follows shows that the statement is an expression.
    let near = nearest(head, HEADS.iter().copied().filter(|known| similar(head, known)));
    let operator = nearest(word(second), OPERATORS.iter().copied());
    if near.is_none() && (operator.is_some() || OPERATORS.contains(&head)) {
        return None;
    }
    let message = format!("`{}` begins no declaration or statement", shown(head));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("a key is given a value with `=`: `{} = {}`", shown(head), shown(line(second))),
    };
    Some(Diagnostic::error(Code::B0108, place.span(start, after), message).help(help))
}

/// Returns `true` if two words share their first or last letter. Edit distance alone makes short words
/// similar to everything.
fn similar(wrong: &str, known: &str) -> bool {
    let ends = |word: &str| (word.bytes().next(), word.bytes().last());
    let ((first, last), (known_first, known_last)) = (ends(wrong), ends(known));
    wrong.len() > 2 && (first == known_first || last == known_last)
}

fn help(text: &str, start: usize, at: usize, missing: &Missing) -> Option<String> {
    let rest = &text[at..];
    let head = word(&text[start..]);
    let before = text[start..at].trim_ascii_end();
    if rest.starts_with('{') && before.ends_with([':', '=']) {
        return Some("a block has neither `:` nor `=` before its `{`".to_owned());
    }
    // If the second token is wrong, show the form that the first word requires.
    if before.len() == head.len()
        && let Some(form) = form(head)
    {
        return Some(format!("it is written `{form}`"));
    }
    if head == "prefer" && before.rsplit(':').next().is_some_and(|last| PLACES.contains(&last.trim_ascii())) {
        return Some("a preferred place has no label: `prefer near NAME in LEVEL`".to_owned());
    }
    if missing.wanted.contains(&"an operator")
        && let found = word(rest)
        && !found.is_empty()
    {
        // A unit after a space: `64 GiB`.
        let digits =
            before.rsplit(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.')).next().unwrap_or_default();
        if digits.starts_with(|c: char| c.is_ascii_digit()) && unit_names().any(|unit| unit == found) {
            return Some(format!("a unit stands at its number, without a space: `{digits}{found}`"));
        }
        if let Some(near) = nearest(found, OPERATORS.iter().copied()).filter(|near| *near != found) {
            return Some(format!("did you mean `{near}`?"));
        }
        if found == "weight" {
            return Some("only `prefer` has a weight, and it is a number: `weight 50`".to_owned());
        }
    }
    // The brace of a block on the line below its head.
    let line_ends = rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n');
    if line_ends && rest.trim_ascii_start().starts_with('{') {
        return Some("the `{` of a block stands on the line of its head".to_owned());
    }
    if HEADS.contains(&head) {
        return form(head).map(|form| format!("it is written `{form}`"));
    }
    if missing.wanted.contains(&"a value") && line_ends {
        return Some("put the value on this line".to_owned());
    }
    None
}

/// Returns the form of statements that begin with this word.
fn form(head: &str) -> Option<&'static str> {
    Some(match head {
        "accept" => "accept revocable",
        "all" => "all or nothing",
        "at" => "at most N per KEY",
        "avoid" => "avoid NAME in KEY` or `avoid \"a/place\"",
        "charge" => "charge agent.RESOURCE AMOUNT per volume",
        "class" => "class NAME for agent { … }",
        "expect" => "expect NEED met",
        "expose" => "expose agent.KEY",
        "lend" => "lend reserved",
        "let" => "let NAME = VALUE",
        "levels" => "levels region > zone > rack",
        "near" => "near NAME in LEVEL",
        "reserved" => "reserved for \"ROLE\"",
        "schema" => "schema agent { … }",
        "spread" => "spread over KEY",
        "together" => "together in KEY",
        "use" => "use std.MODULE` or `use \"./file.policy\"",
        "with" => "with inventory",
        "within" => "within \"a/place\"",
        _ => return None,
    })
}

/// Returns `true` if a text begins as a block does: a word, an optional name, an optional `for` and word, a
/// brace.
pub(super) fn has_block_head(text: &str) -> bool {
    let Some((head, _)) = text.split_once('{') else {
        return false;
    };
    let words: Vec<&str> = head.split_ascii_whitespace().collect();
    let plain = |word: &&str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.\"/".contains(&b));
    !words.is_empty() && words.len() <= 4 && words.iter().all(plain)
}

/// Returns the offset and length of the token at `at`, and its text for a message.
fn token(text: &str, at: usize) -> (usize, usize, String) {
    let next = at + leading_blanks(&text[at..]);
    let rest = &text[next..];
    let line_end = ["\n", "\r", "//", "#"].iter().any(|end| rest.starts_with(end));
    let Some(first) = rest.chars().next().filter(|_| !line_end) else {
        let what = if line_end { "the end of the line" } else { "the end of the text" };
        return (at, 0, what.to_owned());
    };
    let is_sign = |c| matches!(c, '=' | '<' | '>' | '&' | '|' | '!');
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let length = match first {
        '"' => quoted(rest),
        '-' => 1,
        c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        c if is_sign(c) => rest.find(|c| !is_sign(c)).unwrap_or(rest.len()),
        c => c.len_utf8(),
    };
    (next, length, format!("`{}`", shown(&rest[..length])))
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    rest.len()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) { &text[..end] } else { "" }
}

fn line(text: &str) -> &str {
    text[..text.find(['\n', ',', '{', '}']).unwrap_or(text.len())].trim_ascii()
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// Joins expected tokens for a message: `a`, `a or b`, `a, b or c`. Drops tokens that another one makes
/// redundant.
fn listed(wanted: &[&'static str]) -> String {
    let wants = |words| wanted.contains(&words);
    // A name can stand wherever a value can.
    let (value, operator) = (wants("a value"), wants("an operator"));
    // A token that a started statement requires is more precise than one that any statement could take.
    let weak = |words: &&str| COMMON.contains(words) || OPTIONAL.contains(words);
    let precise = wanted.iter().any(|words| words.starts_with('`') && !weak(words));
    // The grammar lists every token that any alternative would take. Those implied by another are noise.
    let drop = |words: &&str| match *words {
        "a name" | "a text" | "a number" | "a type" => value,
        "an operator" | "the end of the statement" => value || precise,
        "`=`" => value || precise,
        "`:`" => value || precise || operator,
        // A parenthesis after a word could have begun a call, so both ends are expected.
        "`,` or `)`" => wants("`)`"),
        "`{`" => value || precise || operator,
        _ => false,
    };
    let mut kept: Vec<&str> = wanted.iter().copied().filter(|words| !drop(words)).collect();
    // Ends of statements and lists come last, since they are the least likely intention.
    kept.sort_by_key(|words| *words == "the end of the statement" || words.starts_with("`,`"));
    match kept.split_last() {
        None => "a statement".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// Returns text of the user for a message: on one line, and cut if it is long.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    const MOST: usize = 60;
    if text.len() <= MOST && !text.contains(['\n', '\r']) {
        return Cow::Borrowed(text);
    }
    // A word may be as long as the source. Look at no more than could be shown.
    let head = (0..=MOST * 4).rev().find_map(|end| text.get(..end)).unwrap_or(text);
    let mut cut = head.split_whitespace().collect::<Vec<_>>().join(" ");
    if cut.len() > MOST {
        let end = (0..=MOST).rev().find(|end| cut.is_char_boundary(*end)).unwrap_or(0);
        cut.truncate(end);
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// Returns message and help for an operator of another language.
pub(super) fn wrong_operator(wrong: &str, right: &str) -> (String, String) {
    let wrong = shown(wrong);
    let help = match right {
        "==" => "`==` compares; `=` gives a key its value".to_owned(),
        right => format!("write `{right}`"),
    };
    (format!("`{wrong}` is no operator here"), help)
}

/// Returns message and help for a range with its ends swapped.
pub(super) fn backwards(low: &str, high: &str) -> (String, String) {
    let (low, high) = (shown(low), shown(high));
    (format!("`{low}..{high}` runs backwards"), format!("write `{high}..{low}`"))
}

/// Returns the error for a malformed quantity.
pub(super) fn quantity(text: &str, cause: &QuantityError, span: Span) -> Diagnostic {
    let cut = shown(text);
    match cause {
        QuantityError::Malformed => Diagnostic::error(Code::B0112, span, format!("`{cut}` is no number"))
            .help(if text.bytes().filter(|b| *b == b'.').count() > 1 {
                format!("a version is quoted: `v\"{cut}\"`")
            } else {
                "numbers are like `7_200` or `2.5`".to_owned()
            }),
        QuantityError::UnknownUnit(unit) => {
            let number = text.strip_suffix(unit.as_str()).unwrap_or(text);
            Diagnostic::error(Code::B0109, span, format!("`{cut}`: there is no unit `{}`", shown(unit)))
                .help(unit_help(number, unit))
        }
        QuantityError::Precision(dimension) => {
            let base = match dimension.sample_unit() {
                "" => "a millionth",
                "GB" => "a byte",
                "Gbps" => "a bit per second",
                _ => "a nanosecond",
            };
            Diagnostic::error(Code::B0110, span, format!("`{cut}` is finer than {base}"))
                .help(format!("a {dimension} is a whole number of these: drop digits"))
        }
        QuantityError::Overflow(dimension) => {
            Diagnostic::error(Code::B0111, span, format!("`{cut}` is too large for a {dimension}"))
                .help("a quantity has 64 bits; `unlimited` is an amount of any kind")
        }
    }
}

/// Units as other systems write them, with ours.
const ALIASES: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("mins", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("kbit", "kbps"),
    ("mbit", "Mbps"),
    ("gbit", "Gbps"),
    ("bytes", "B"),
];

/// Returns the help for an unknown unit: the units that were likely meant.
fn unit_help(number: &str, unit: &str) -> String {
    let number = shown(number);
    let sizes = |unit: &str| format!("for a size write `{number}{unit}B`");
    match unit {
        "m" => {
            let thousandths = thousandths(&number).map(|text| format!("for thousandths write `{text}`, "));
            let thousandths = thousandths.unwrap_or_default();
            format!("{thousandths}for megabytes `{number}MB`, for minutes `{number}min`")
        }
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => sizes(unit),
        "K" => format!("for thousands write `{number}k`, for a size `{number}kB` or `{number}KiB`"),
        "G" | "T" | "P" | "E" | "g" | "t" => {
            let unit = unit.to_uppercase();
            format!("{} or `{number}{unit}iB`, for a bandwidth `{number}{unit}bps`", sizes(&unit))
        }
        unit => {
            if let Some((_, right)) = ALIASES.iter().find(|alias| unit.eq_ignore_ascii_case(alias.0)) {
                return format!("write `{number}{right}`");
            }
            // Many wrong units differ by case only.
            let same = unit_names().find(|known| known.eq_ignore_ascii_case(unit));
            match same.or_else(|| nearest(unit, unit_names())) {
                Some(near) => format!("did you mean `{number}{near}`?"),
                None => "units are `k M %`, `kB MB GB TB`, `KiB MiB GiB TiB`, `Mbps Gbps`, `ms s min h d`"
                    .to_owned(),
            }
        }
    }
}

/// Returns a whole number of thousandths as a decimal.
fn thousandths(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(|c| *c != '_').collect();
    let value: u64 = digits.parse().ok()?;
    let fraction = format!("{:03}", value % 1_000);
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() {
        (value / 1_000).to_string()
    } else {
        format!("{}.{fraction}", value / 1_000)
    })
}
