//! Whole documents and NDJSON: dispatches each record to its reader, and enforces the limits on their number.

use super::{
    FORMAT, VERSION,
    head::is_key,
    json::{JsonNode, ValueKind},
    names,
    reader::{Fields, Path, Reader, quoted},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    inventory::records::{DeclarationRecord, FrameworkRecord, Located, NeedRecord, Records, TierKind},
    limits,
    source::SourceId,
};

const DOCUMENT: &[&str] = &[
    "format",
    "version",
    "serial",
    "broker",
    "agents",
    "providers",
    "reservations",
    "volumes",
    "allocations",
    "roles",
    "frameworks",
    "needs",
];
const HEADER: &[&str] = &["format", "version", "serial", "broker"];
const RECORDS: &[&str] =
    &["agent", "provider", "reservation", "volume", "allocation", "role", "framework", "need"];
/// The fields of a document that hold lists of records, with the word for one record.
const LISTS: [(&str, &str); 8] = [
    ("agents", "agent"),
    ("providers", "provider"),
    ("reservations", "reservation"),
    ("volumes", "volume"),
    ("allocations", "allocation"),
    ("roles", "role"),
    ("frameworks", "framework"),
    ("needs", "need"),
];

/// A document or file while it is read.
struct DocumentReader {
    reader: Reader,
    records: Records,
    /// The number of pools and existing volumes so far.
    supplies: usize,
    /// The needs that name their framework. They are added at the end, since the framework may come later.
    owned: Vec<(NeedRecord, Located)>,
    /// The number of frameworks and needs so far.
    needs: usize,
    /// `true` if reading stops: a limit is exceeded, or the format is unknown.
    full: bool,
}

pub(super) fn document(source: SourceId, text: &str) -> (Records, Vec<Diagnostic>) {
    let mut intake = DocumentReader::new(source, false);
    match JsonNode::parse(text, 0) {
        Ok(node) => intake.document(node),
        Err(error) => {
            let help = error
                .is_trailing
                .then_some("a file of one record a line is NDJSON: let its name end in `.ndjson`");
            intake.reader.syntax(&error, help);
        }
    }
    intake.finish()
}

pub(super) fn lines(source: SourceId, text: &str) -> (Records, Vec<Diagnostic>) {
    let mut intake = DocumentReader::new(source, true);
    let mut start = 0;
    let mut has_header = false;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        if line.trim().is_empty() {
            continue;
        }
        match JsonNode::parse(line.trim_end(), at) {
            Ok(node) if has_header => intake.line(node),
            Ok(node) => intake.header(node),
            Err(error) => {
                let help = error.is_truncated.then_some("each line of NDJSON is one whole record");
                intake.reader.syntax(&error, help);
            }
        }
        has_header = true;
        if intake.full {
            break;
        }
    }
    if !has_header {
        let span = intake.reader.span_of(0, 0);
        intake.reader.push(no_header(span));
    }
    intake.finish()
}

fn no_header(span: crate::source::Span) -> Diagnostic {
    Diagnostic::error(Code::B0504, span, "the header is missing")
        .help(format!("begin with the line `{{\"format\": \"{FORMAT}\", \"version\": {VERSION}}}`"))
}

impl DocumentReader {
    fn new(source: SourceId, lines: bool) -> DocumentReader {
        DocumentReader {
            reader: Reader::new(source, lines),
            records: Records::default(),
            supplies: 0,
            owned: Vec::new(),
            needs: 0,
            full: false,
        }
    }

    fn document(&mut self, node: JsonNode<'_>) {
        let path = Path::ROOT;
        if node.kind() != ValueKind::Object {
            self.reader.wrong_type(node, &path, "an inventory (an object)");
            return;
        }
        // The top object may be large: its fields are found once.
        let found: Vec<_> = node.fields().collect();
        if !self.reader.is_understood(&found, FORMAT) {
            return;
        }
        let fields = self.reader.known_fields(node, found.into_iter(), &path, DOCUMENT);
        self.head(&fields);
        for (field, record) in LISTS {
            let Some(list) = fields.get(field) else { continue };
            let path = path.field(field);
            if list.kind() != ValueKind::List {
                self.reader.wrong_type(list, &path, "a list");
            }
            for (i, member) in list.elements().enumerate() {
                self.record(record, member, &path.index(i));
                if self.full {
                    return;
                }
            }
        }
    }

    /// Reads the fields that a document and the header of NDJSON have in common.
    fn head(&mut self, fields: &Fields<'_>) {
        let path = Path::ROOT;
        self.reader.format_and_version(fields);
        if let Some(node) = fields.get("serial") {
            self.records.serial = self.reader.serial(node, &path.field("serial"));
        }
        if let Some(node) = fields.get("broker") {
            self.records.broker = self.reader.broker(node, &path.field("broker"));
        }
    }

    /// Reads the first line of NDJSON.
    fn header(&mut self, node: JsonNode<'_>) {
        let has = |name: &str| node.fields().any(|field| is_key(field.key, name));
        // A record where the header should be: report the header once, and read the record all the same.
        if has("record") && !has("format") {
            let span = self.reader.span_of(node.start, node.start + 1);
            self.reader.push(no_header(span));
            self.line(node);
            return;
        }
        if !self.reader.is_understood(&node.fields().collect::<Vec<_>>(), FORMAT) {
            self.full = true;
            return;
        }
        let path = Path::ROOT;
        // The header is no record: in it, `record` is an unknown field.
        self.reader.lines = false;
        if let Some(fields) = self.reader.fields(node, &path, "the header", HEADER) {
            self.head(&fields);
        }
        self.reader.lines = true;
    }

    /// Reads one line of NDJSON, which names its kind of record.
    fn line(&mut self, node: JsonNode<'_>) {
        let path = Path::ROOT;
        if node.kind() != ValueKind::Object {
            self.reader.wrong_type(node, &path, "a record (an object)");
            return;
        }
        let mut records = node.fields().filter(|field| is_key(field.key, "record"));
        let Some(field) = records.next() else {
            let span = self.reader.span_of(node.start, node.start + 1);
            let known = RECORDS.join("\", \"");
            self.reader.push(
                Diagnostic::error(Code::B0504, span, "the field `record` is missing")
                    .help(format!("say what the line is: one of \"{known}\"")),
            );
            return;
        };
        if let Some(again) = records.next() {
            self.reader.problem(Code::B0212, again.key, &path.field("record"), "given twice");
        }
        let at = path.field("record");
        let Some(kind) = self.reader.text(field.value, &at, "what the line is (a text)") else { return };
        let Some(record) = RECORDS.iter().find(|known| **known == kind) else {
            let known = RECORDS.join("\", \"");
            let near = nearest(&kind, RECORDS.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
            self.reader
                .problem(Code::B0502, field.value, &at, &format!("unknown record {}", quoted(&kind)))
                .help(format!("{near}known: \"{known}\""));
            return;
        };
        self.record(record, node, &path);
    }

    /// Reads one record of a kind of [`RECORDS`].
    fn record(&mut self, kind: &str, node: JsonNode<'_>, path: &Path<'_>) {
        let DocumentReader { reader, records, supplies, .. } = self;
        match kind {
            "agent" => records.agents.extend(reader.agent(node, path)),
            "provider" => records.providers.extend(reader.tier(TierKind::Provider, node, path, supplies)),
            "reservation" => records.reservations.extend(reader.reservation(node, path)),
            "volume" => {
                *supplies += 1;
                records.volumes.extend(reader.put_volume(node, path));
            }
            "allocation" => records.allocations.extend(reader.allocation(node, path)),
            "role" => records.roles.extend(reader.role(node, path)),
            "framework" => records.frameworks.extend(reader.framework(node, path)),
            _ => match reader.top_need(node, path) {
                Some((need, Some(framework))) => self.owned.push((need, framework)),
                Some((need, None)) => records.needs.push(need),
                None => {}
            },
        }
        self.check_rows(kind, node);
    }

    /// Stops reading once there are more records of a kind than the limit.
    fn check_rows(&mut self, kind: &str, node: JsonNode<'_>) {
        let records = &self.records;
        let rows = limits::INVENTORY_ROWS;
        let (count, limit, what) = match kind {
            "agent" => (records.agents.len(), rows, "agents"),
            "provider" | "volume" => (self.supplies.max(records.providers.len()), rows, "pools and volumes"),
            "reservation" => (records.reservations.len(), rows, "reservations"),
            "allocation" => (records.allocations.len(), rows, "allocations"),
            "role" => (records.roles.len(), rows, "roles"),
            _ => {
                let last = records.frameworks.last().filter(|_| kind == "framework");
                self.needs += last.map_or(1, |framework| framework.needs.len().max(1));
                (self.needs, limits::NEEDS, "frameworks and needs")
            }
        };
        if count > limit {
            let span = self.reader.span(node);
            let message = format!("more than {limit} {what}");
            let help = "what follows was not read: split the inventory";
            self.reader.push(Diagnostic::error(Code::B0514, span, message).help(help));
            self.full = true;
        }
    }

    /// Adds needs to the frameworks that they name, creates those that are missing, and checks names.
    fn finish(mut self) -> (Records, Vec<Diagnostic>) {
        let mut places: indexmap::IndexMap<String, usize> = indexmap::IndexMap::new();
        for (i, framework) in self.records.frameworks.iter().enumerate() {
            places.entry(framework.declaration.name.text.clone()).or_insert(i);
        }
        for (need, framework) in self.owned {
            // An unknown framework gets a record of its own, which may add to one of the policy.
            let at = *places.entry(framework.text.clone()).or_insert(self.records.frameworks.len());
            if at == self.records.frameworks.len() {
                let declaration = DeclarationRecord { name: framework, statements: Vec::new() };
                self.records.frameworks.push(FrameworkRecord { declaration, needs: Vec::new() });
            }
            self.records.frameworks[at].needs.push(need);
        }
        names::check(&self.records, &mut self.reader);
        (self.records, self.reader.finish())
    }
}
