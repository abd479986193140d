//! The formatter: prints a policy in its one canonical form.
//!
//! The order of statements, the comments and the blank lines between paragraphs stay. Only what has no
//! meaning changes: spaces, line breaks, commas between statements, needless quotes and parentheses. The
//! steps:
//!
//! 1. `tokens` splits the text, comments included, since the syntax tree has no spaces.
//! 2. `marks` walks the tree and notes at each token what it is: the start of a statement, a column, a word
//!    to break at.
//! 3. `body` arranges statements and comments in lines. `write` prints each statement, at increasing levels
//!    of breaking until it fits. `align` pads neighbouring statements into columns.
//!
//! At last the result is parsed and compared with the original, so that a defect here cannot change a policy.

mod align;
mod body;
mod marks;
mod tokens;
mod write;

use tokens::TokenKind;

use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    parse::{self, ast::Ast},
    source::Span,
};

/// The width that lines should not exceed, in characters.
const WIDTH: usize = 110;
/// The indentation of a body, and of a continued statement.
const STEP: usize = 2;

/// Formats a source that was parsed without an error.
///
/// # Errors
/// Returns an error if the result would mean something else, which is a defect of this module, or if it is
/// too large for a source.
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

/// Returns `true` if two texts are the same policy: equal statements with equal documentation, and equal
/// comments.
pub fn is_same(one: &str, other: &str) -> bool {
    // Every span is the default one, so that two trees differ only if their contents do.
    let read = |text| parse::statements(text, Span::default());
    let ((left, left_problems), (right, right_problems)) = (read(one), read(other));
    let statements = left.len() == right.len()
        && left.iter().zip(&right).all(|(left, right)| format!("{left:?}") == format!("{right:?}"));
    let problems = left_problems.len() == right_problems.len();
    statements && problems && comments(one) == comments(other)
}

/// Returns the comments of a text, in order.
fn comments(text: &str) -> Option<Vec<&str>> {
    let tokens = tokens::read(text)?;
    Some(tokens.iter().filter(|token| token.kind == TokenKind::Comment).map(|token| token.text).collect())
}
