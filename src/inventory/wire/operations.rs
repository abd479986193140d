//! Reader of operations on a state. `docs/state.md` describes them, and their schema is published as
//! [`OPERATIONS_SCHEMA`].

use super::{
    json::{JsonNode, ValueKind},
    read_text,
    reader::{Fields, Path, Reader, quoted},
    write::Json,
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    inventory::{
        operations::{
            self, OfferRecord, OfferVolume, OfferedAmount, OperationKind, OperationRecord, OperationsRecord,
            ReserveEntry,
        },
        records::{AmountRecord, Located, RawAmount, UseKind},
    },
    limits,
    ranges::Ranges,
    source::{SourceId, Sources},
    value,
};

/// The value of the field `format`.
pub const OPERATIONS_FORMAT: &str = "bourse.operations";
/// The JSON Schema of operations (draft 2020-12).
pub const OPERATIONS_SCHEMA: &str = include_str!("../../../schema/operations.schema.json");

const DOCUMENT: &[&str] = &["format", "version", "serial", "operations"];
const WORDS: [&str; 5] = ["reserve", "create", "launch", "release", "destroy"];
const OP: &[&str] = &["op"];
const RESERVE: &[&str] = &["op", "name", "role", "agent", "pool", "resources"];
const CREATE: &[&str] = &["op", "offer", "as", "volumes"];
const LAUNCH: &[&str] = &["op", "offer", "as", "volumes"];
const RELEASE: &[&str] = &["op", "allocation", "reservation"];
const DESTROY: &[&str] = &["op", "volume"];
const OFFER: &[&str] = &["id", "framework", "need", "role", "agent", "amounts", "volumes"];
const OFFER_AGENT: &[&str] = &["name"];
const OFFER_VOLUME: &[&str] = &["name", "number", "supply", "kind", "taken", "parts", "filesystem"];
const PARTS: &[&str] = &["reserved", "unreserved", "revocable", "lent"];

/// Reads a list of operations. It is complete if no diagnostic is an error.
pub fn read_operations(
    sources: &mut Sources,
    name: &str,
    bytes: &[u8],
) -> (OperationsRecord, Vec<Diagnostic>) {
    if bytes.len() > limits::INVENTORY_BYTES {
        let source = sources.add(name, "");
        return (OperationsRecord::default(), vec![super::too_large(source, bytes.len())]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            read_text(sources, name, text.into(), document)
        }
        Err(error) => {
            let problem = super::not_utf8(sources, name, bytes, error.valid_up_to());
            (OperationsRecord::default(), vec![problem])
        }
    }
}

fn document(source: SourceId, text: &str) -> (OperationsRecord, Vec<Diagnostic>) {
    let mut reader = Reader::new(source, false);
    let mut record = OperationsRecord::default();
    match JsonNode::parse(text, 0) {
        Ok(node) => whole(&mut reader, node, &mut record),
        Err(error) => reader.syntax(&error, None),
    }
    (record, reader.finish())
}

fn whole(reader: &mut Reader, node: JsonNode<'_>, record: &mut OperationsRecord) {
    let path = Path::ROOT;
    if node.kind() != ValueKind::Object {
        reader.wrong_type(node, &path, "operations (an object)");
        return;
    }
    let found: Vec<_> = node.fields().collect();
    if !reader.is_understood(&found, OPERATIONS_FORMAT) {
        return;
    }
    let fields = reader.known_fields(node, found.into_iter(), &path, DOCUMENT);
    reader.format_and_version(&fields);
    if let Some(node) = fields.get("serial") {
        let serial = reader.serial(node, &path.field("serial"));
        record.serial = serial.map(|serial| (serial, reader.span(node)));
    }
    let Some(list) = reader.required(&fields, "operations", &path) else { return };
    let path = path.field("operations");
    for (i, member) in
        reader.list(list, &path, "a list of operations").unwrap_or_default().into_iter().enumerate()
    {
        record.operations.extend(reader.operation(member, &path.index(i)));
    }
}

impl Reader {
    fn operation(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<OperationRecord> {
        let word = self.fields_among(node, path, "an operation", OP)?;
        let word = self.required(&word, "op", path)?;
        let text = self.text(word, &path.field("op"), "what is done (a text)")?;
        // Problems point at the word: the offer of an operation may be very long.
        let span = self.span(word);
        let what = "an operation";
        let kind = match text.as_ref() {
            "reserve" => {
                let fields = self.fields(node, path, what, RESERVE)?;
                self.reserve(&fields, path)
            }
            "create" => {
                let fields = self.fields(node, path, what, CREATE)?;
                self.create(&fields, path)
            }
            "launch" => {
                let fields = self.fields(node, path, what, LAUNCH)?;
                self.launch(&fields, path)
            }
            "release" => {
                let fields = self.fields(node, path, what, RELEASE)?;
                self.release(&fields, path)
            }
            "destroy" => {
                let fields = self.fields(node, path, what, DESTROY)?;
                let node = self.required(&fields, "volume", path)?;
                let volume = self.supply_path(node, &path.field("volume"), UseKind::Volume);
                volume.map(OperationKind::Destroy)
            }
            other => {
                let near = nearest(other, WORDS).map(|near| format!("did you mean \"{near}\"? "));
                let known = WORDS.join("\", \"");
                let message = format!("unknown operation {}", quoted(other));
                self.problem(Code::B0502, word, &path.field("op"), &message)
                    .help(format!("{}known: \"{known}\"", near.unwrap_or_default()));
                None
            }
        };
        Some(OperationRecord { kind: kind?, span })
    }

    fn reserve(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<OperationKind> {
        let record = self.reservation_of(fields, path)?;
        // All fields but `op`: a state stores the reservation as it was written.
        let entry = RESERVE[1..].iter().filter_map(|field| {
            let value = Json::of(fields.get(field)?)?;
            Some(((*field).to_owned(), value))
        });
        let entry = ReserveEntry(Json::Object(entry.collect()));
        Some(OperationKind::Reserve(record, entry))
    }

    fn create(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<OperationKind> {
        let offer = self.offer(fields, path)?;
        let only = match fields.get("volumes") {
            None => None,
            Some(node) => {
                let at = path.field("volumes");
                let members = self.list(node, &at, "a list of the offer's volumes")?;
                let read = members.into_iter().enumerate();
                let names = read.map(|(i, node)| self.volume_of(&offer, node, &at.index(i)));
                Some(names.collect::<Option<Vec<_>>>()?)
            }
        };
        let name = self.new_name(fields, &offer, path)?;
        if name.text.contains('/') {
            self.problem(Code::B0502, fields.node, path, &format!("the name `{}` holds a `/`", name.text))
                .help("say with `as` what the names of the volumes begin with, without a `/`");
            return None;
        }
        Some(OperationKind::Create { offer, name, only })
    }

    fn launch(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<OperationKind> {
        let offer = self.offer(fields, path)?;
        let mut made = Vec::new();
        if let Some(node) = fields.get("volumes") {
            let at = path.field("volumes");
            for entry in self.entries(node, &at, "paths by the offer's volumes (an object)")? {
                let at = at.field(&entry.name);
                let volume = self.volume_of(&offer, entry.key, &at)?;
                made.push((volume, self.supply_path(entry.value, &at, UseKind::Volume)?));
            }
        }
        let name = self.new_name(fields, &offer, path)?;
        Some(OperationKind::Launch { offer, name, made })
    }

    fn release(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<OperationKind> {
        match (fields.get("allocation"), fields.get("reservation")) {
            (Some(_), Some(node)) => {
                self.problem(Code::B0212, node, &path.field("reservation"), "`allocation` is given too")
                    .help("one operation releases one of them: write two");
                None
            }
            (None, Some(node)) => self.name(node, &path.field("reservation")).map(OperationKind::Unreserve),
            (allocation, None) => {
                let node = allocation.or_else(|| self.required(fields, "allocation", path))?;
                self.name(node, &path.field("allocation")).map(OperationKind::Release)
            }
        }
    }

    /// Reads the name of what an operation makes: the field `as`, or else the id of the offer.
    fn new_name(&mut self, fields: &Fields<'_>, offer: &OfferRecord, path: &Path<'_>) -> Option<Located> {
        match fields.get("as") {
            Some(node) => self.name(node, &path.field("as")),
            None => Some(offer.id.clone()),
        }
    }

    /// Reads the name of a volume of the offer.
    fn volume_of(&mut self, offer: &OfferRecord, node: JsonNode<'_>, path: &Path<'_>) -> Option<Located> {
        let name = self.name(node, path)?;
        if offer.volumes.iter().any(|volume| volume.name == name.text) {
            return Some(name);
        }
        let near = nearest(&name.text, offer.volumes.iter().map(|volume| volume.name.as_str()));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        let message = format!("the offer has no volume {}", quoted(&name.text));
        self.problem(Code::B0502, node, path, &message)
            .help(help.unwrap_or_else(|| "name a volume as the offer does".to_owned()));
        None
    }

    /// Reads the part of an offer that says what it takes and for whom. Other fields are ignored.
    fn offer(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<OfferRecord> {
        let node = self.required(fields, "offer", path)?;
        let path = path.field("offer");
        let what = "an offer, as `bourse offers --format json` writes it";
        let fields = self.fields_among(node, &path, what, OFFER)?;
        let [id, framework, need] = ["id", "framework", "need"].map(|field| {
            let node = self.required(&fields, field, &path)?;
            self.name(node, &path.field(field))
        });
        let role = self.required(&fields, "role", &path);
        let role = role.and_then(|node| self.role_path(node, &path.field("role")));
        let mut agent = None;
        if let Some(node) = fields.get("agent") {
            let at = path.field("agent");
            let fields = self.fields_among(node, &at, "an agent", OFFER_AGENT)?;
            let node = self.required(&fields, "name", &at)?;
            agent = Some(self.supply_path(node, &at.field("name"), UseKind::Agent)?);
        }
        let (mut firm, mut revocable) = (Vec::new(), Vec::new());
        if let Some(node) = fields.get("amounts") {
            self.parts(node, &path.field("amounts"), &mut firm, &mut revocable)?;
        }
        let mut volumes = Vec::new();
        if let Some(node) = fields.get("volumes") {
            let at = path.field("volumes");
            for (i, member) in self.list(node, &at, "the offer's volumes")?.into_iter().enumerate() {
                volumes.push(self.offer_volume(member, &at.index(i))?);
            }
        }
        number_repeated(&mut volumes);
        let volumes = volumes.into_iter().map(|(volume, _)| volume).collect();
        Some(OfferRecord {
            id: id?,
            framework: framework?,
            need: need?,
            role: role?,
            agent,
            firm,
            revocable,
            volumes,
        })
    }

    fn offer_volume(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<(OfferVolume, i64)> {
        let fields = self.fields_among(node, path, "a volume", OFFER_VOLUME)?;
        let [name, kind, supply] =
            ["name", "kind", "supply"].map(|field| self.required(&fields, field, path));
        let name = self.name(name?, &path.field("name"));
        let kind = self.text(kind?, &path.field("kind"), "`carved` or `existing`");
        let exists = match kind.as_deref() {
            Some("carved") => false,
            Some("existing") => true,
            Some(other) => {
                let message = format!("expected \"carved\" or \"existing\", found {}", quoted(other));
                self.problem(Code::B0502, fields.node, &path.field("kind"), &message);
                return None;
            }
            None => return None,
        };
        let wanted = if exists { UseKind::Volume } else { UseKind::Pool };
        let supply = self.supply_path(supply?, &path.field("supply"), wanted);
        let number = match fields.get("number") {
            Some(node) => self.count(node, &path.field("number"), limits::NEED_COUNT)?,
            None => 1,
        };
        let (mut firm, mut revocable) = (Vec::new(), Vec::new());
        if let Some(node) = fields.get("parts") {
            self.parts(node, &path.field("parts"), &mut firm, &mut revocable)?;
        } else if let Some(node) = fields.get("taken") {
            self.claims(node, &path.field("taken"), &mut firm)?;
        }
        let filesystem = fields.get("filesystem").and_then(|node| self.name(node, &path.field("filesystem")));
        let name = name?.text;
        let supply = supply?;
        Some((OfferVolume { name, supply, exists, firm, revocable, filesystem }, number))
    }

    /// Reads amounts by part. Reserved and unreserved amounts are firm; revocable and lent ones are
    /// revocable.
    fn parts(
        &mut self,
        node: JsonNode<'_>,
        path: &Path<'_>,
        firm: &mut Vec<OfferedAmount>,
        revocable: &mut Vec<OfferedAmount>,
    ) -> Option<()> {
        let fields = self.fields_among(node, path, "amounts by part", PARTS)?;
        for (part, into) in [("reserved", &mut *firm), ("lent", &mut *revocable)] {
            let Some(node) = fields.get(part) else { continue };
            let at = path.field(part);
            for entry in self.entries(node, &at, "amounts by role (an object)")? {
                self.claims(entry.value, &at.field(&entry.name), into)?;
            }
        }
        for (part, into) in [("unreserved", firm), ("revocable", revocable)] {
            if let Some(node) = fields.get(part) {
                self.claims(node, &path.field(part), into)?;
            }
        }
        Some(())
    }

    /// Reads amounts and adds them to those of the same resource.
    fn claims(&mut self, node: JsonNode<'_>, path: &Path<'_>, into: &mut Vec<OfferedAmount>) -> Option<()> {
        for entry in self.entries(node, path, "amounts (an object)")? {
            let at = path.field(&entry.name);
            // Offers write names in the form of the language.
            let name = value::unquoted(&entry.name).unwrap_or_else(|| entry.name.to_string());
            if !self.is_name(&name, entry.key, &at) {
                return None;
            }
            let amount = self.amount(entry.value, &at)?;
            let span = self.span(entry.key).to(self.span(entry.value));
            match into.iter_mut().find(|claim| claim.name == name) {
                None => {
                    let record = AmountRecord { name: value::show_name(&name), amount, span };
                    into.push(OfferedAmount { name, record });
                }
                Some(known) => match operations::sum(&known.record.amount, &amount) {
                    Some(both) => known.record.amount = both,
                    None => {
                        let message = format!("this and another part of {} cannot be added", quoted(&name));
                        self.problem(Code::B0502, entry.value, &at, &message);
                        return None;
                    }
                },
            }
        }
        Some(())
    }
}

/// Adds its number to the name of each volume whose name occurs several times.
fn number_repeated(volumes: &mut [(OfferVolume, i64)]) {
    let names: Vec<String> = volumes.iter().map(|(volume, _)| volume.name.clone()).collect();
    for (volume, number) in volumes {
        if names.iter().filter(|name| **name == volume.name).count() > 1 {
            volume.name = format!("{}-{number}", volume.name);
        }
    }
}

/// Returns amounts as a state stores them.
pub(crate) fn amounts_json(claims: &[OfferedAmount]) -> Json {
    let field = |claim: &OfferedAmount| (claim.name.clone(), amount_json(&claim.record.amount));
    Json::Object(claims.iter().map(field).collect())
}

fn amount_json(amount: &RawAmount) -> Json {
    let ranges = |ranges: &Ranges| {
        let part = |(low, high): &(i64, i64)| match low == high {
            true => Json::Number(low.to_string()),
            false => Json::Text(format!("{low}..{high}")),
        };
        Json::List(ranges.parts().iter().map(part).collect())
    };
    match amount {
        RawAmount::Integer(whole) => Json::Number(whole.to_string()),
        RawAmount::Quantity(quantity) => Json::text(quantity.to_string()),
        RawAmount::Unlimited => Json::text("unlimited"),
        RawAmount::Ranges(set) => ranges(set),
        RawAmount::Items(items) => Json::List(items.iter().map(Json::text).collect()),
    }
}

/// Returns the entries of a state, each with its list and its name. The state must have been read without
/// errors.
pub(crate) fn entries(text: &str) -> Vec<(&'static str, String, Json)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(node) = JsonNode::parse(text, 0) else { return Vec::new() };
    let mut found = Vec::new();
    for field in node.fields() {
        let list = field.key.text().ok();
        let known = [("reservations", "name"), ("volumes", "path"), ("allocations", "name")];
        let Some((list, key)) = known.into_iter().find(|known| Some(known.0) == list.as_deref()) else {
            continue;
        };
        for member in field.value.elements() {
            let name = member.fields().find(|field| field.key.text().is_ok_and(|text| text == key));
            let name = name.and_then(|field| field.value.text().ok()).unwrap_or_default().into_owned();
            found.extend(Json::of(member).map(|json| (list, name, json)));
        }
    }
    found
}

impl Json {
    /// Converts a value to [`Json`]. Returns `None` for `null`, and for values nested deeper than readers go.
    fn of(node: JsonNode<'_>) -> Option<Json> {
        // An entry, the nested objects of its keys, and a list in the innermost one.
        Json::within(node, limits::NESTING + 3)
    }

    fn within(node: JsonNode<'_>, depth: usize) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        Some(match node.kind() {
            ValueKind::Null => return None,
            ValueKind::Bool(value) => Json::Bool(value),
            ValueKind::Number => Json::Number(node.raw.to_owned()),
            ValueKind::Text => Json::Text(node.text().ok()?.into_owned()),
            ValueKind::List => {
                Json::List(node.elements().filter_map(|member| Json::within(member, depth)).collect())
            }
            ValueKind::Object => {
                let field = |field: super::json::Field<'_>| {
                    Some((field.key.text().ok()?.into_owned(), Json::within(field.value, depth)?))
                };
                Json::Object(node.fields().filter_map(field).collect())
            }
        })
    }
}
