//! JSON for output, with exact numbers and fields in the given order.

use std::fmt;

/// A JSON value. Numbers keep their digits, so that a value read from a state is written back unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Bool(bool),
    /// The digits of a number, as written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// The fields, in order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Creates a text.
    pub fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }
}

impl fmt::Display for Json {
    /// Writes the value on one line, with a space after `:` and `,`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Bool(value) => value.fmt(f),
            Json::Number(digits) => f.write_str(digits),
            Json::Text(text) => write_text(text, f),
            Json::List(members) => {
                f.write_str("[")?;
                for (i, member) in members.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { "" })?;
                    member.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(fields) => {
                f.write_str("{")?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { "" })?;
                    write_text(name, f)?;
                    write!(f, ": {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
