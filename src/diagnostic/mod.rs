//! What is told to people: severity, code, cause, places and cure. The table of codes is [`Code`].

mod codes;
mod names;
mod render;
mod sarif;
mod window;

pub use codes::{Code, explain, suggest};
use std::fmt;

pub use names::{declared_twice, hidden_character, no_reservation, no_role};
pub use render::{Render, Report};

use crate::{limits, source::Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does not compile.
    Error,
    /// It compiles, and is likely not what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A place, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What, in a few words.
    pub text: String,
}

/// One problem: what is wrong, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of problem; a page explains it.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The cause, lower case, with backticks around what the user wrote.
    pub message: String,
    /// The places: the first is the one to look at.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: shortened(message.into(), limits::MESSAGE_CHARS),
            labels: vec![Label { span, text: "here".to_owned() }],
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// A note at a place.
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Note, ..Diagnostic::error(code, span, message) }
    }

    /// An error of a run rather than of a source: a missing file, a wrong argument.
    pub fn without_place(code: Code, message: impl Into<String>) -> Self {
        Diagnostic { labels: Vec::new(), ..Diagnostic::error(code, Span::default(), message) }
    }

    /// A warning about no place.
    pub fn warning_without_place(code: Code, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::without_place(code, message) }
    }

    /// Says something else than `here` at the first place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = shortened(text.into(), limits::LABEL_CHARS);
        }
        self
    }

    /// Another place that has to do with it, if not too many are named already.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        if self.labels.len() < limits::PLACES_KEPT {
            self.labels.push(Label { span, text: shortened(text.into(), limits::LABEL_CHARS) });
        }
        self
    }

    /// Says before the message what it is about.
    pub fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = shortened(format!("{what}: {}", self.message), limits::MESSAGE_CHARS);
        self
    }

    /// What to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shortened(help.into(), limits::MESSAGE_CHARS));
        self
    }

    /// Whether it keeps the policy from compiling.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A text of at most so many characters: what an author wrote may be long, and a message says it once and not in full.
/// The middle is left out, since what is said stands at either end.
fn shortened(text: String, most: usize) -> String {
    if text.len() <= most || text.chars().count() <= most {
        return text;
    }
    let half = most / 2;
    let head: String = text.chars().take(half).collect();
    let tail: Vec<char> = text.chars().rev().take(most - half - 1).collect();
    format!("{head}…{}", tail.into_iter().rev().collect::<String>())
}

/// The known name nearest to a wrong one, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What takes longer to look through than a reader would: names past these are not near to anything.
    const LOOKED_AT: usize = 20_000;
    const LONGEST: usize = 100;
    let length = wrong.chars().count();
    if length > LONGEST {
        return None;
    }
    let far = length / 3 + 1;
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .take(LOOKED_AT)
        .filter(|name| !name.is_empty() && name.chars().count().abs_diff(length) <= far)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, name)| name)
}

/// As [`nearest`], after this many problems of the same kind: past as many as are shown nothing is looked for. Each is held against
/// every known name, and there may be as many of both as an input has room for.
pub fn nearest_after<'a>(
    problems: usize,
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    (problems < limits::PROBLEMS_SHOWN).then(|| nearest(wrong, known)).flatten()
}
