//! Text → tree. Always gives a tree, with the problems beside it.

pub mod ast;
mod error;
mod pairs;
#[cfg(test)]
mod tests;
mod text;

use ast::{Ast, Expr, Statement};

use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    source::{SourceId, Sources, Span},
};

/// A tree, and what is wrong with its text.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Every statement that could be read.
    pub ast: Ast,
    /// In the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one source. A statement with a mistake in it is reported and left out; the others are read.
pub fn parse(sources: &Sources, source: SourceId) -> Parsed {
    let text = sources.get(source).text;
    let (items, comments, mut diagnostics) = read(&text, Place::In(source));
    if items.is_empty() && diagnostics.is_empty() {
        let problem = Diagnostic::error(Code::B0116, Span::new(source, 0, 0), "nothing is declared here");
        diagnostics.push(problem.help("begin with `agent`, `provider`, `broker` or `need`"));
    }
    Parsed { ast: Ast { source, items, comments }, diagnostics }
}

/// Reads statements that stand in another format. Every place in the result is `at`.
pub fn statements(text: &str, at: Span) -> (Vec<Statement>, Vec<Diagnostic>) {
    let (items, _, diagnostics) = read(text, Place::At(at));
    (items, diagnostics)
}

/// Reads one expression, the whole of `text`, that stands in another format. Every place in the result is `at`.
///
/// # Errors
/// What is wrong with it.
pub fn expression(text: &str, at: Span) -> Result<Expr, Vec<Diagnostic>> {
    one_expression(text, Place::At(at))
}

/// Reads a source that is one expression.
///
/// # Errors
/// What is wrong with it.
pub fn lone(sources: &Sources, source: SourceId) -> Result<Expr, Vec<Diagnostic>> {
    one_expression(&sources.get(source).text, Place::In(source))
}

fn one_expression(text: &str, place: Place) -> Result<Expr, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let scan = text::scan(text, place, &mut problems);
    let expr = if scan.broken { None } else { pairs::expression(text, place, scan, &mut problems) };
    let problems = problems.finish();
    match expr {
        Some(expr) if problems.is_empty() => Ok(expr),
        _ => Err(problems),
    }
}

/// Adds bytes as a source: what is not UTF-8, or too large, is said.
pub fn decode(sources: &mut Sources, name: &str, bytes: &[u8]) -> (SourceId, Vec<Diagnostic>) {
    text::decode(sources, name, bytes)
}

fn read(text: &str, place: Place) -> (Vec<Statement>, Vec<Span>, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    if text.len() > limits::SOURCE_BYTES {
        let message = format!("a text of {} bytes; at most {} are read", text.len(), limits::SOURCE_BYTES);
        problems.push(Diagnostic::error(Code::B0106, place.span(0, 0), message).help("split it"));
        return (Vec::new(), Vec::new(), problems.finish());
    }
    let mut scan = text::scan(text, place, &mut problems);
    let items = if scan.broken { Vec::new() } else { pairs::file(text, place, &mut scan, &mut problems) };
    let comments = scan.plain_comments().map(|comment| place.span(comment.start, comment.end)).collect();
    (items, comments, problems.finish())
}

/// Where a text stands, and so where its spans point.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// It is a source.
    In(SourceId),
    /// It stands inside another format, at one place.
    At(Span),
}

impl Place {
    fn span(self, start: usize, end: usize) -> Span {
        match self {
            Place::In(source) => Span::new(source, start, end),
            Place::At(span) => span,
        }
    }
}

/// The problems of one text, with a bound on how many are kept.
#[derive(Debug, Default)]
struct Problems {
    kept: Vec<Diagnostic>,
    more: usize,
    /// Where characters were reported that the grammar will stumble over.
    marks: Vec<usize>,
}

impl Problems {
    fn push(&mut self, problem: Diagnostic) {
        if self.is_full() { self.more += 1 } else { self.kept.push(problem) }
    }

    /// Whether no more are kept.
    fn is_full(&self) -> bool {
        self.kept.len() >= limits::PROBLEMS_PER_SOURCE
    }

    /// Keeps a problem of a single character, at a byte of the text.
    fn push_mark(&mut self, at: usize, problem: Diagnostic) {
        if !self.is_full() {
            self.marks.push(at);
        }
        self.push(problem);
    }

    /// Whether such a character lies inside a place: what follows from it is not worth telling.
    fn has_mark(&self, start: usize, end: usize) -> bool {
        self.marks.iter().any(|at| (start..end).contains(at))
    }

    /// In the order of their places.
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
