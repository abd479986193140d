//! The parser: text to syntax tree. It always returns a tree, and the problems beside it.
//!
//! Parsing takes three steps:
//!
//! 1. `text` scans the bytes once. It finds comments, forbidden characters, and brackets or quotes without a
//!    partner. If brackets do not match, parsing stops here.
//! 2. The grammar in `grammar/policy.pest` splits the text into statements. Its last alternative matches
//!    anything up to the end of a statement, so that one mistake costs one statement.
//! 3. `pairs` turns the matches into the tree and binds operators by precedence. Nothing else sees the rules
//!    of the grammar.
//!
//! The pipeline and the readers of inventory data call this module. It does not know what a name means.

pub mod ast;
mod error;
mod pairs;
#[cfg(test)]
mod tests;
mod text;
pub mod words;

use ast::{Ast, Expr, Statement};

use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    source::{SourceId, Sources, Span},
};

/// A syntax tree and the problems of its text.
#[derive(Clone, Debug, Default)]
pub struct ParsedText {
    /// The statements that could be read.
    pub ast: Ast,
    /// The problems, in order of their spans.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses one source. Reports and omits a statement with a mistake, and reads the others.
pub fn parse(sources: &Sources, source: SourceId) -> ParsedText {
    let text = sources.get(source).text;
    let (items, comments, mut diagnostics) = read(&text, TextOrigin::In(source));
    if items.is_empty() && diagnostics.is_empty() {
        let problem = Diagnostic::error(Code::B0116, Span::new(source, 0, 0), "nothing is declared here");
        diagnostics.push(problem.help("begin with `agent`, `provider`, `broker` or `need`"));
    }
    ParsedText { ast: Ast { source, items, comments }, diagnostics }
}

/// Parses statements that are embedded in another format. Every span in the result is `at`.
pub fn statements(text: &str, at: Span) -> (Vec<Statement>, Vec<Diagnostic>) {
    let (items, _, diagnostics) = read(text, TextOrigin::At(at));
    (items, diagnostics)
}

/// Parses `text`, embedded in another format, as one expression. Every span in the result is `at`.
///
/// # Errors
/// Returns the problems of the text.
pub fn expression(text: &str, at: Span) -> Result<Expr, Vec<Diagnostic>> {
    one_expression(text, TextOrigin::At(at))
}

/// Parses a source that consists of one expression.
///
/// # Errors
/// Returns the problems of the text.
pub fn lone(sources: &Sources, source: SourceId) -> Result<Expr, Vec<Diagnostic>> {
    one_expression(&sources.get(source).text, TextOrigin::In(source))
}

fn one_expression(text: &str, place: TextOrigin) -> Result<Expr, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let scan = text::scan(text, place, &mut problems);
    let expr = if scan.broken { None } else { pairs::expression(text, place, scan, &mut problems) };
    let problems = problems.finish();
    match expr {
        Some(expr) if problems.is_empty() => Ok(expr),
        _ => Err(problems),
    }
}

/// Adds bytes as a source. Reports bytes that are not UTF-8 or exceed the size limit.
pub fn decode(sources: &mut Sources, name: &str, bytes: &[u8]) -> (SourceId, Vec<Diagnostic>) {
    text::decode(sources, name, bytes)
}

fn read(text: &str, place: TextOrigin) -> (Vec<Statement>, Vec<Span>, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    if text.len() > limits::SOURCE_BYTES {
        let message = format!("a text of {} bytes; at most {} are read", text.len(), limits::SOURCE_BYTES);
        problems.push(Diagnostic::error(Code::B0106, place.span(0, 0), message).help("split it"));
        return (Vec::new(), Vec::new(), problems.finish());
    }
    let mut scan = text::scan(text, place, &mut problems);
    // Without matching brackets, the grammar could not tell one statement from the next.
    let items = if scan.broken { Vec::new() } else { pairs::file(text, place, &mut scan, &mut problems) };
    let comments = scan.plain_comments().map(|comment| place.span(comment.start, comment.end)).collect();
    (items, comments, problems.finish())
}

/// The origin of a text, which decides what its spans point to.
#[derive(Clone, Copy, Debug)]
enum TextOrigin {
    /// The text is a source; spans are byte ranges in it.
    In(SourceId),
    /// The text is embedded in another format; every span is this one.
    At(Span),
}

impl TextOrigin {
    fn span(self, start: usize, end: usize) -> Span {
        match self {
            TextOrigin::In(source) => Span::new(source, start, end),
            TextOrigin::At(span) => span,
        }
    }
}

/// The problems of one text. At most `limits::PROBLEMS_PER_SOURCE` are kept; the rest are counted.
#[derive(Debug, Default)]
struct Problems {
    kept: Vec<Diagnostic>,
    more: usize,
    /// The offsets of characters reported by the scan. The grammar fails on them again.
    marks: Vec<usize>,
}

impl Problems {
    fn push(&mut self, problem: Diagnostic) {
        if self.is_full() { self.more += 1 } else { self.kept.push(problem) }
    }

    /// Returns `true` if further problems are counted and not kept.
    fn is_full(&self) -> bool {
        self.kept.len() >= limits::PROBLEMS_PER_SOURCE
    }

    /// Keeps a problem of a single character at a byte offset.
    fn push_mark(&mut self, at: usize, problem: Diagnostic) {
        if !self.is_full() {
            self.marks.push(at);
        }
        self.push(problem);
    }

    /// Returns `true` if a reported character lies in the range. A syntax error there only repeats it.
    fn has_mark(&self, start: usize, end: usize) -> bool {
        self.marks.iter().any(|at| (start..end).contains(at))
    }

    /// Returns the problems in order of their spans, with a note on how many were left out.
    fn finish(mut self) -> Vec<Diagnostic> {
        let place = |problem: &Diagnostic| problem.labels.first().map(|label| label.span);
        self.kept.sort_by_key(place);
        if let (1.., Some(last)) = (self.more, self.kept.last()) {
            let at = place(last).unwrap_or_default();
            let message = format!("{} more problems of this source are not listed", self.more);
            self.kept.push(Diagnostic::note(last.code, at, message));
        }
        self.kept
    }
}
