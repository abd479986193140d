//! What is said of names, wherever they are read: in policies, in data, and where they are bound.

use super::{Code, Diagnostic};
use crate::{
    limits,
    source::Span,
    value::{is_hidden, is_role, quote, role_depth, show_name},
};

/// The error for a name with a character that nobody sees, if it has one.
pub fn hidden_character(name: &str, span: Span) -> Option<Diagnostic> {
    let hidden = name.chars().find(|c| is_hidden(*c))?;
    let message = format!("the character U+{:04X} may not stand in a name", u32::from(hidden));
    Some(Diagnostic::error(Code::B0102, span, message).help("nobody sees that it is there: remove it"))
}

/// The error for a text that is no path of a role, if it is none.
pub fn no_role(text: &str, span: Span) -> Option<Diagnostic> {
    if is_role(text) {
        return None;
    }
    let (message, help) = match role_depth(text) {
        Some(depth) => (
            format!("a role of {depth} names; at most {} are held", limits::ROLE_DEPTH),
            "leave the innermost names out",
        ),
        None => (
            format!("`{}` is not the path of a role", quote(text)),
            "a role is `\"*\"`, or names with `/` between: `\"eng/ads\"`",
        ),
    };
    Some(Diagnostic::error(Code::B0209, span, message).help(help))
}

/// The error for a text for which nothing can be reserved, if that is so.
pub fn no_reservation(text: &str, span: Span) -> Option<Diagnostic> {
    if text != "*" {
        return no_role(text, span);
    }
    let message = "nothing is reserved for `\"*\"`: that is everyone";
    let help = "leave it unreserved, or name a role by its path: `\"eng/ads\"`";
    Some(Diagnostic::error(Code::B0209, span, message).help(help))
}

/// The error for a second declaration, which shows both.
pub fn declared_twice(word: &str, name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::B0201, second, format!("{word} `{}` is declared twice", show_name(name)))
        .label("declared again here")
        .also(first, "first declared here")
        .help("rename one of them, or remove it")
}
