//! Lays out a manifest in memory as `descriptor` of the interface, by the canonical ABI of the component
//! model.
//!
//! The layout is computed at build time, so that `describe` returns a constant address. `read` is the
//! inverse.

use super::{
    manifest::{Manifest, ManifestColumn, ManifestRule},
    module::Data,
    vocabulary::{KeyName, Purpose, RuleCondition, RuleScope},
};
use crate::types::Side;

/// The bytes of a record, appended field by field. The canonical ABI aligns each field by its type. Strings
/// and lists are an address and a length; their contents are stored elsewhere in [`Data`].
#[derive(Default)]
struct RecordBytes {
    bytes: Vec<u8>,
}

impl RecordBytes {
    fn align(&mut self, align: usize) -> &mut RecordBytes {
        let length = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(length, 0);
        self
    }

    fn byte(&mut self, value: u8) -> &mut RecordBytes {
        self.bytes.push(value);
        self
    }

    fn word(&mut self, value: u32) -> &mut RecordBytes {
        self.align(4).bytes.extend(value.to_le_bytes());
        self
    }

    fn long(&mut self, value: i64) -> &mut RecordBytes {
        self.align(8).bytes.extend(value.to_le_bytes());
        self
    }

    fn text(&mut self, data: &mut Data, text: &str) -> &mut RecordBytes {
        let at = data.text(text);
        self.word(at).word(text.len() as u32)
    }

    fn words(&mut self, data: &mut Data, words: &[u32]) -> &mut RecordBytes {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let at = data.words(&bytes);
        self.word(at).word(words.len() as u32)
    }

    /// Appends a list of records, each padded to a multiple of `align`.
    fn list<T>(
        &mut self,
        data: &mut Data,
        align: usize,
        items: &[T],
        write: impl Fn(&mut RecordBytes, &mut Data, &T),
    ) -> &mut RecordBytes {
        // Alignment inside an element counts from the list's own start, which is aligned below.
        let mut own = RecordBytes::default();
        for item in items {
            write(own.align(align), data, item);
            own.align(align);
        }
        let at = data.put(&own.bytes, align as u32);
        self.word(at).word(items.len() as u32)
    }
}

/// Writes the descriptor and returns its address.
pub fn descriptor(data: &mut Data, manifest: &Manifest) -> u32 {
    let mut fields = RecordBytes::default();
    fields.text(data, &manifest.name).text(data, &manifest.producer);
    fields.list(data, 4, &manifest.columns, column);
    fields.list(data, 8, &manifest.rules, rule);
    fields.list(data, 4, &manifest.conditions, condition);
    for texts in [&manifest.expressions, &manifest.literals, &manifest.versions] {
        fields.list(data, 4, texts, |fields, data, text| {
            fields.text(data, text);
        });
    }
    // Flags are bits, in order of declaration.
    let wants = u8::from(manifest.wants_texts) | u8::from(manifest.wants_places) << 1;
    fields.byte(wants);
    data.put(&fields.bytes, 4)
}

fn side(side: Side) -> u8 {
    side as u8
}

/// Writes a column: its side, its key (a variant with an optional text), its kind, and the flag `required`.
fn column(fields: &mut RecordBytes, data: &mut Data, column: &ManifestColumn) {
    let (case, text) = match &column.key {
        KeyName::Attribute(key) => (0, Some(key)),
        KeyName::Name => (1, None),
        KeyName::Domain => (2, None),
        KeyName::Level(level) => (3, Some(level)),
        KeyName::Total(resource) => (4, Some(resource)),
        KeyName::Free(resource) => (5, Some(resource)),
        KeyName::Used(resource) => (6, Some(resource)),
        KeyName::Provider => (7, None),
        KeyName::Instance => (8, None),
    };
    fields.byte(side(column.side)).align(4).byte(case);
    text_or_nothing(fields, data, text);
    fields.byte(column.kind.number()).byte(u8::from(column.required));
}

fn text_or_nothing(fields: &mut RecordBytes, data: &mut Data, text: Option<&String>) {
    match text {
        Some(text) => fields.text(data, text),
        None => fields.word(0).word(0),
    };
}

fn rule(fields: &mut RecordBytes, data: &mut Data, rule: &ManifestRule) {
    fields.text(data, &rule.label).byte(u8::from(rule.labelled)).align(8);
    match rule.purpose {
        // A variant is the number of its case and a payload as large as the largest.
        Purpose::Require => fields.byte(0).long(0),
        Purpose::Prefer(weight) => fields.byte(1).long(weight),
        Purpose::Class(of) => fields.byte(2).long(i64::from(side(of))),
    };
    let (case, text) = match &rule.scope {
        RuleScope::Everyone => (0, None),
        RuleScope::Agent(name) => (1, Some(name)),
        RuleScope::Tier(path) => (2, Some(path)),
    };
    fields.byte(case);
    text_or_nothing(fields, data, text);
    let sides = rule.sides.iter().fold(0, |sides, of| sides | 1 << side(of));
    fields.byte(sides).word(rule.whole).words(data, &rule.conditions);
}

fn condition(fields: &mut RecordBytes, data: &mut Data, condition: &RuleCondition) {
    fields.text(data, &condition.text);
    // `>= 2` is the end of `agent.gpus >= 2`, and shares its bytes.
    let want = data.end_of(&condition.text, &condition.want);
    fields.word(want).word(condition.want.len() as u32);
    fields.byte(u8::from(condition.subject.is_some())).word(condition.subject.unwrap_or(0));
    fields.byte(u8::from(condition.operand)).words(data, &condition.reads);
}
