//! Diagnostics: problems with a severity, a code, a cause, labelled spans and a help. [`Code`] lists all
//! kinds.
//!
//! Every stage reports through this module. `render` is the only place that turns diagnostics into text.

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

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The policy does not compile.
    Error,
    /// The policy compiles, but is likely not what was meant.
    Warning,
    /// A fact that is worth knowing.
    Note,
}

impl Severity {
    /// Returns the word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A place, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// The span.
    pub span: Span,
    /// The remark, in a few words.
    pub text: String,
}

/// One problem: what is wrong, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The kind of problem. A page of the documentation explains it.
    pub code: Code,
    /// The severity.
    pub severity: Severity,
    /// The cause. Lower case, with backticks around what the user wrote.
    pub message: String,
    /// The labelled spans, the most important first.
    pub labels: Vec<Label>,
    /// The advice.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Returns an error at a span.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: shortened(message.into(), limits::MESSAGE_CHARS),
            labels: vec![Label { span, text: "here".to_owned() }],
            help: None,
        }
    }

    /// Returns a warning at a span.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// Returns a note at a span.
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Note, ..Diagnostic::error(code, span, message) }
    }

    /// Returns an error that concerns no source, such as a missing file or a wrong argument.
    pub fn without_place(code: Code, message: impl Into<String>) -> Self {
        Diagnostic { labels: Vec::new(), ..Diagnostic::error(code, Span::default(), message) }
    }

    /// Returns a warning that concerns no source.
    pub fn warning_without_place(code: Code, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::without_place(code, message) }
    }

    /// Sets the remark at the first span, which is `here` by default.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = shortened(text.into(), limits::LABEL_CHARS);
        }
        self
    }

    /// Adds another span, unless there are too many already.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        if self.labels.len() < limits::PLACES_KEPT {
            self.labels.push(Label { span, text: shortened(text.into(), limits::LABEL_CHARS) });
        }
        self
    }

    /// Puts the subject of the problem before the message.
    pub fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = shortened(format!("{what}: {}", self.message), limits::MESSAGE_CHARS);
        self
    }

    /// Sets the advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shortened(help.into(), limits::MESSAGE_CHARS));
        self
    }

    /// Returns `true` if it keeps the policy from compiling.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Shortens a text to at most `most` characters. Text from users may be long. The middle is left out, since
/// the cause stands at one end or the other.
fn shortened(text: String, most: usize) -> String {
    if text.len() <= most || text.chars().count() <= most {
        return text;
    }
    let half = most / 2;
    let head: String = text.chars().take(half).collect();
    let tail: Vec<char> = text.chars().rev().take(most - half - 1).collect();
    format!("{head}…{}", tail.into_iter().rev().collect::<String>())
}

/// Returns the known name that is most similar to a wrong one, if the edit distance (Damerau–Levenshtein) is
/// at most a third of its length plus one. The first in order of name wins a tie.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Bounds on the search: it costs time for every known name.
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

/// Like [`nearest`], but returns `None` after as many problems as are shown. A search compares with every
/// known name, and an input may have many problems and many names; their product must stay bounded.
pub fn nearest_after<'a>(
    problems: usize,
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    (problems < limits::PROBLEMS_SHOWN).then(|| nearest(wrong, known)).flatten()
}
