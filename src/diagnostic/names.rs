//! The errors about names, shared by all readers of names: policies, data and the resolver.

use super::{Code, Diagnostic};
use crate::{
    limits,
    source::Span,
    value::{is_hidden, is_role, quote, role_depth, show_name},
};

/// Returns the error for a name with an invisible character, if it has one.
pub fn hidden_character(name: &str, span: Span) -> Option<Diagnostic> {
    let hidden = name.chars().find(|c| is_hidden(*c))?;
    let message = format!("the character U+{:04X} may not stand in a name", u32::from(hidden));
    Some(Diagnostic::error(Code::B0102, span, message).help("nobody sees that it is there: remove it"))
}

/// Returns the error for a text that is not the path of a role, if it is not.
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

/// Returns the error for a text that no reservation can name, if it is such a text.
pub fn no_reservation(text: &str, span: Span) -> Option<Diagnostic> {
    if text != "*" {
        return no_role(text, span);
    }
    let message = "nothing is reserved for `\"*\"`: that is everyone";
    let help = "leave it unreserved, or name a role by its path: `\"eng/ads\"`";
    Some(Diagnostic::error(Code::B0209, span, message).help(help))
}

/// Returns the error for a second declaration, which shows both.
pub fn declared_twice(word: &str, name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::B0201, second, format!("{word} `{}` is declared twice", show_name(name)))
        .label("declared again here")
        .also(first, "first declared here")
        .help("rename one of them, or remove it")
}
