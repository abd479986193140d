//! The head of every document: its format and version.

use super::{
    VERSION,
    json::{Field, JsonNode, JsonNumber, ValueKind, number},
    reader::{Fields, Path, Reader, quoted},
};
use crate::diagnostic::Code;

/// Returns `true` if a value is this text, with or without escapes.
pub(super) fn is_key(node: JsonNode<'_>, name: &str) -> bool {
    node.text().is_ok_and(|text| text == name)
}

impl Reader {
    /// Checks the format and version, if they are given. A file of another format is read no further: its
    /// fields would be reported as unknown, one by one.
    pub fn is_understood(&mut self, found: &[Field<'_>], format: &str) -> bool {
        let mut unknown = Vec::new();
        for &Field { key, value } in found {
            if is_key(key, "format") && value.kind() == ValueKind::Text && !is_key(value, format) {
                let message = format!("unknown format {}", quoted(value.inner()));
                unknown.push((value, message, format!("`{format}` is read")));
            }
            let is_number = value.kind() == ValueKind::Number;
            if is_key(key, "version") && is_number && number(value.raw) != JsonNumber::Whole(VERSION) {
                let help = format!("version {VERSION} is read: convert the file, or use a newer bourse");
                unknown.push((value, format!("unknown version {}", quoted(value.raw)), help));
            }
        }
        for (value, message, help) in &unknown {
            self.problem(Code::B0505, *value, &Path::ROOT, message).help(help.clone());
        }
        unknown.is_empty()
    }

    /// Checks that format and version are given, and their types.
    pub fn format_and_version(&mut self, fields: &Fields<'_>) {
        let path = Path::ROOT;
        if let Some(node) = self.required(fields, "format", &path) {
            self.text(node, &path.field("format"), "the name of the format (a text)");
        }
        if let Some(node) = self.required(fields, "version", &path)
            && node.kind() != ValueKind::Number
        {
            self.wrong_type(node, &path.field("version"), "a whole number");
        }
    }

    /// Reads the `known` fields of an object and ignores all others. Used for offers, which have more fields
    /// than operations read.
    pub fn fields_among<'a>(
        &mut self,
        node: JsonNode<'a>,
        path: &Path<'_>,
        what: &str,
        known: &'static [&'static str],
    ) -> Option<Fields<'a>> {
        if node.kind() != ValueKind::Object {
            self.wrong_type(node, path, &format!("{what} (an object)"));
            return None;
        }
        let is_known = |field: &Field<'_>| known.iter().any(|known| is_key(field.key, known));
        Some(self.known_fields(node, node.fields().filter(is_known), path, known))
    }
}
