//! What is told to people: severity, code, cause, places and cure. The table of codes is [`Code`].

mod codes;
mod render;
mod sarif;

pub use codes::{Code, explain, suggest};
pub use render::{Render, Report};

use crate::{limits, source::Span, value::show_name};

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
            message: message.into(),
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
            label.text = text.into();
        }
        self
    }

    /// Another place that has to do with it.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// What to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it keeps the policy from compiling.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
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

/// The error for a second declaration, which shows both.
pub fn declared_twice(word: &str, name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::B0201, second, format!("{word} `{}` is declared twice", show_name(name)))
        .label("declared again here")
        .also(first, "first declared here")
        .help("rename one of them, or remove it")
}
