//! Inventories as JSON and NDJSON. `docs/inventory.md` describes the format, and its schema is published as
//! [`INVENTORY_SCHEMA`].
//!
//! The layers, from the text up: `json` finds values and their places, `reader` turns them into checked
//! texts, names and numbers, `amounts`, `supply`, `claims` and `demand` read one kind of record each, and
//! `document` reads whole files. They produce [`Records`] and bind nothing: a name may be
//! unknown, and a key has no type.
//!
//! Reading reports all problems of a file, each with its place.

mod amounts;
mod claims;
mod demand;
mod document;
mod head;
mod json;
mod names;
mod operations;
mod reader;
mod supply;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

#[cfg(feature = "cli")]
pub(crate) use demand::is_class_name;
pub use operations::{OPERATIONS_FORMAT, OPERATIONS_SCHEMA, read_operations};
pub(crate) use operations::{amounts_json, entries};
pub(crate) use write::Json;

use super::records::Records;
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    source::{SourceId, Sources, Span},
};

/// The value of the field `format`.
pub const FORMAT: &str = "bourse.inventory";
/// The version that is read and written.
pub const VERSION: i64 = 1;
/// The JSON Schema of an inventory (draft 2020-12). `#/$defs/line` is the schema of a line of NDJSON.
pub const INVENTORY_SCHEMA: &str = include_str!("../../../schema/inventory.schema.json");

/// Reads a file as NDJSON if its name ends in `.ndjson` or `.jsonl`, and as one JSON document otherwise.
/// Returns the records that could be read; they are complete if no diagnostic is an error.
pub fn read(sources: &mut Sources, name: &str, bytes: &[u8]) -> (Records, Vec<Diagnostic>) {
    if bytes.len() > limits::INVENTORY_BYTES {
        let source = sources.add(name, "");
        return (Records::default(), vec![too_large(source, bytes.len())]);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return (Records::default(), vec![not_utf8(sources, name, bytes, error.valid_up_to())]),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if ending.eq_ignore_ascii_case("ndjson") || ending.eq_ignore_ascii_case("jsonl") {
        read_ndjson(sources, name, text)
    } else {
        read_json(sources, name, text)
    }
}

/// Reads a JSON document.
pub fn read_json(sources: &mut Sources, name: &str, text: impl Into<Arc<str>>) -> (Records, Vec<Diagnostic>) {
    read_text(sources, name, text.into(), document::document)
}

/// Reads NDJSON: a header, then one record in each line.
pub fn read_ndjson(
    sources: &mut Sources,
    name: &str,
    text: impl Into<Arc<str>>,
) -> (Records, Vec<Diagnostic>) {
    read_text(sources, name, text.into(), document::lines)
}

fn read_text<R: Default>(
    sources: &mut Sources,
    name: &str,
    text: Arc<str>,
    read: fn(SourceId, &str) -> (R, Vec<Diagnostic>),
) -> (R, Vec<Diagnostic>) {
    if text.len() > limits::INVENTORY_BYTES {
        let source = sources.add(name, "");
        return (R::default(), vec![too_large(source, text.len())]);
    }
    let source = sources.add(name, text.clone());
    read(source, &text)
}

fn too_large(source: SourceId, bytes: usize) -> Diagnostic {
    let message = format!("{bytes} bytes, where an inventory has at most {}", limits::INVENTORY_BYTES);
    Diagnostic::error(Code::B0514, Span::new(source, 0, 0), message).help("split it into several files")
}

/// Returns the error for a file that is not UTF-8. The source holds the part before the first bad byte, since
/// nothing after it can be shown.
pub(crate) fn not_utf8(sources: &mut Sources, name: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let source = sources.add(name, String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default()));
    let message = format!("the byte at offset {valid} is not UTF-8");
    Diagnostic::error(Code::B0101, Span::new(source, valid, valid), message)
        .help("save the file as UTF-8 (without a byte order mark)")
}
