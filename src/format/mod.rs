//! A policy in its one canonical form: tree, comments and blank lines → text. Only what says nothing is changed, and
//! the result is read again to be sure of it.

mod align;
mod body;
mod marks;
mod tokens;
mod write;

use tokens::Kind;

use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    parse::{self, ast::Ast},
    source::Span,
};

/// Columns that a line should not go beyond.
const WIDTH: usize = 110;
/// Columns that a body stands in from its head, and what continues a statement from where that began.
const STEP: usize = 2;

/// The canonical form of a source that was read without an error.
///
/// # Errors
/// A defect: the result would not mean the same. A result that is larger than a source may be.
pub fn format(text: &str, ast: &Ast) -> Result<String, Box<Diagnostic>> {
    let whole = Span::new(ast.source, 0, 0);
    let Some(tokens) = tokens::read(text) else { return Err(defect(whole)) };
    let marks = marks::of(ast, &tokens);
    let formatted = body::file(&body::Marked { tokens: &tokens, marks: &marks });
    if formatted.len() > limits::SOURCE_BYTES && text.len() <= limits::SOURCE_BYTES {
        let most = limits::SOURCE_BYTES;
        let message =
            format!("the canonical form is a text of {} bytes; at most {most} are read", formatted.len());
        return Err(Box::new(Diagnostic::error(Code::B0106, whole, message).help("split it")));
    }
    if is_same(text, &formatted) { Ok(formatted) } else { Err(defect(whole)) }
}

fn defect(whole: Span) -> Box<Diagnostic> {
    let message = "the canonical form of this file would not mean the same; it is left as it is";
    let problem = Diagnostic::error(Code::B0906, whole, message);
    Box::new(problem.help("this is a defect of bourse; please report it"))
}

/// Whether two texts are the same policy: the same statements with the same documentation, and the same comments.
pub fn is_same(one: &str, other: &str) -> bool {
    // Every place is the same one, so that only what is said can differ.
    let read = |text| parse::statements(text, Span::default());
    let ((left, left_problems), (right, right_problems)) = (read(one), read(other));
    let statements = left.len() == right.len()
        && left.iter().zip(&right).all(|(left, right)| format!("{left:?}") == format!("{right:?}"));
    let problems = left_problems.len() == right_problems.len();
    statements && problems && comments(one) == comments(other)
}

/// Every comment of a text, in order.
fn comments(text: &str) -> Option<Vec<&str>> {
    let tokens = tokens::read(text)?;
    Some(tokens.iter().filter(|token| token.kind == Kind::Comment).map(|token| token.text).collect())
}
