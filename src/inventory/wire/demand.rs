//! Readers of demand: roles, frameworks and needs become statements of the language (decision 2).
//!
//! Data must not be able to add statements. A value becomes exactly one literal: names and texts are quoted
//! with escapes, and numbers and amounts are parsed and formatted anew. Only the fields `where`, `places` and
//! `prefer` hold language. Each of their texts must be one line, and is parsed as one statement.

use super::{
    amounts::first_segment,
    json::{JsonNode, ValueKind},
    reader::{Fields, Numeric, Path, Reader, quoted},
};
use crate::{
    diagnostic::Code,
    inventory::records::{DeclarationRecord, FrameworkRecord, Located, NeedRecord, Raw, RawAmount, UseKind},
    keys, limits,
    parse::words,
    quantity::{self, Dimension, Quantity},
    types::Side,
    value,
};

const ROLE: &[&str] = &["name", "weight", "limit", "principals"];
const FRAMEWORK: &[&str] = &["name", "role", "principal", "capabilities", "keys", "needs"];
const NEED: &[&str] =
    &["name", "count", "all_or_nothing", "accept_revocable", "keys", "agent", "volumes", "places", "prefer"];
const TOP_NEED: &[&str] = &[
    "name",
    "framework",
    "count",
    "all_or_nothing",
    "accept_revocable",
    "keys",
    "agent",
    "volumes",
    "places",
    "prefer",
];
const NEED_AGENT: &[&str] = &["amounts", "is", "not", "where"];
const NEED_VOLUME: &[&str] =
    &["name", "count", "amounts", "filesystem", "access", "source", "is", "not", "where", "places", "prefer"];

type Statements = Vec<Located>;

impl Reader {
    /// Reads a role.
    pub fn role(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<DeclarationRecord> {
        let fields = self.fields(node, path, "a role", ROLE)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.name(node, &path.field("name")));
        let mut statements = Vec::new();
        if let Some(node) = fields.get("weight") {
            let at = path.field("weight");
            if node.kind() == ValueKind::Number {
                let weight = self.number(node, &at).map(numeric_literal);
                self.assign("weight", weight, node, &mut statements);
            } else {
                self.wrong_type(node, &at, "a number");
            }
        }
        if let Some(node) = fields.get("limit") {
            self.limit(node, &path.field("limit"), &mut statements);
        }
        self.texts_statement(&fields, "principals", path, &mut statements);
        Some(DeclarationRecord { name: name?, statements })
    }

    fn limit(&mut self, node: JsonNode<'_>, path: &Path<'_>, into: &mut Statements) {
        let mut limits = Vec::new();
        for entry in self.entries(node, path, "amounts (an object)").unwrap_or_default() {
            let at = path.field(&entry.name);
            // The prefix names the side; any other point belongs to the name.
            let side =
                ["agent.", "pool."].into_iter().find(|side| entry.name.starts_with(side)).unwrap_or("");
            let resource = entry.name.strip_prefix(side).unwrap_or("");
            if self.is_name(resource, entry.key, &at)
                && let Some(amount) = self.limit_literal(entry.value, &at)
            {
                limits.push(format!("{side}{} = {amount}", value::show_name(resource)));
            }
        }
        let text = format!("limit {{ {} }}", limits.join(", "));
        into.push(Located { text, span: self.span(node) });
    }

    fn limit_literal(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<String> {
        if node.kind() == ValueKind::List {
            self.wrong_type(node, path, "an amount");
            return None;
        }
        self.amount(node, path).map(|amount| amount_literal(&amount))
    }

    /// Reads a framework with its needs.
    pub fn framework(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<FrameworkRecord> {
        let fields = self.fields(node, path, "a framework", FRAMEWORK)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.name(node, &path.field("name")));
        let mut statements = Vec::new();
        for word in ["role", "principal"] {
            if let Some(node) = fields.get(word) {
                let at = path.field(word);
                let name = if word == "role" { self.role_path(node, &at) } else { self.name(node, &at) };
                let text = name.map(|name| value::quote(&name.text));
                self.assign(word, text, node, &mut statements);
            }
        }
        self.texts_statement(&fields, "capabilities", path, &mut statements);
        self.key_statements(&fields, path, Side::Framework, &mut statements);
        let mut needs = Vec::new();
        if let Some(list) = fields.get("needs") {
            let path = path.field("needs");
            if list.kind() != ValueKind::List {
                self.wrong_type(list, &path, "a list of needs");
            }
            // One over the limit, so that the excess is reported and not cut off in silence.
            for (i, member) in list.elements().take(limits::NEEDS + 1).enumerate() {
                needs.extend(self.need(member, &path.index(i), NEED).map(|(need, _)| need));
            }
        }
        Some(FrameworkRecord { declaration: DeclarationRecord { name: name?, statements }, needs })
    }

    /// Reads a need at the top of a document, with the framework that it names.
    pub fn top_need(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<(NeedRecord, Option<Located>)> {
        self.need(node, path, TOP_NEED)
    }

    /// Reads a need. `known` lists its fields.
    fn need(
        &mut self,
        node: JsonNode<'_>,
        path: &Path<'_>,
        known: &'static [&'static str],
    ) -> Option<(NeedRecord, Option<Located>)> {
        let fields = self.fields(node, path, "a need", known)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.name(node, &path.field("name")));
        let framework = fields.get("framework").and_then(|node| self.name(node, &path.field("framework")));
        let mut statements = Vec::new();
        self.count_statement(&fields, path, limits::NEED_COUNT, &mut statements);
        for (field, text) in [("all_or_nothing", "all or nothing"), ("accept_revocable", "accept revocable")]
        {
            if let Some(node) = fields.get(field)
                && self.boolean(node, &path.field(field)) == Some(true)
            {
                statements.push(Located { text: text.to_owned(), span: self.span(node) });
            }
        }
        self.key_statements(&fields, path, Side::Need, &mut statements);
        self.place_statements(&fields, path, &mut statements);
        let agent = fields.get("agent").and_then(|node| self.need_agent(node, &path.field("agent")));
        let mut volumes = Vec::new();
        if let Some(node) = fields.get("volumes") {
            let at = path.field("volumes");
            let members = self.list(node, &at, "a list of volumes").unwrap_or_default();
            for (i, member) in members.into_iter().enumerate() {
                volumes.extend(self.need_volume(member, &at.index(i)));
            }
        }
        let declaration = DeclarationRecord { name: name?, statements };
        Some((NeedRecord { declaration, agent, volumes }, framework))
    }

    fn need_agent(
        &mut self,
        node: JsonNode<'_>,
        path: &Path<'_>,
    ) -> Option<(Statements, crate::source::Span)> {
        let fields = self.fields(node, path, "what is asked of an agent", NEED_AGENT)?;
        let mut statements = Vec::new();
        if let Some(node) = fields.get("amounts") {
            self.amount_statements(node, &path.field("amounts"), None, &mut statements);
        }
        self.condition_statements(&fields, path, &mut statements);
        Some((statements, self.span(node)))
    }

    fn need_volume(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<DeclarationRecord> {
        let fields = self.fields(node, path, "a volume", NEED_VOLUME)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.segment_name(node, &path.field("name")));
        let mut statements = Vec::new();
        self.count_statement(&fields, path, limits::VOLUMES_PER_NEED as i64, &mut statements);
        if let Some(node) = self.required(&fields, "amounts", path) {
            self.amount_statements(node, &path.field("amounts"), Some(Side::Volume), &mut statements);
        }
        if let Some(node) = fields.get("filesystem") {
            let name = self.name(node, &path.field("filesystem"));
            self.assign("filesystem", name.map(|name| value::quote(&name.text)), node, &mut statements);
        }
        if let Some(node) = fields.get("access") {
            let at = path.field("access");
            let access = self.text(node, &at, "\"rw\" or \"ro\"");
            if let Some(access) = access.filter(|access| !matches!(access.as_ref(), "rw" | "ro")) {
                let message = format!("expected \"rw\" or \"ro\", found the text {}", quoted(&access));
                self.problem(Code::B0502, node, &at, &message);
            } else {
                self.assign("access", Some(node.raw.to_owned()), node, &mut statements);
            }
        }
        if let Some(node) = fields.get("source") {
            let source = self.supply_path(node, &path.field("source"), UseKind::Volume);
            self.assign("source", source.map(|source| value::quote(&source.text)), node, &mut statements);
        }
        self.condition_statements(&fields, path, &mut statements);
        self.place_statements(&fields, path, &mut statements);
        Some(DeclarationRecord { name: name?, statements })
    }

    /// Adds the statement `word = literal`, if there is a literal.
    fn assign(&self, word: &str, literal: Option<String>, node: JsonNode<'_>, into: &mut Statements) {
        if let Some(literal) = literal {
            into.push(Located { text: format!("{word} = {literal}"), span: self.span(node) });
        }
    }

    fn count_statement(&mut self, fields: &Fields<'_>, path: &Path<'_>, high: i64, into: &mut Statements) {
        if let Some(node) = fields.get("count") {
            let count = self.count(node, &path.field("count"), high);
            self.assign("count", count.map(|count| count.to_string()), node, into);
        }
    }

    fn texts_statement(&mut self, fields: &Fields<'_>, word: &str, path: &Path<'_>, into: &mut Statements) {
        let Some(node) = fields.get(word) else { return };
        let at = path.field(word);
        let members = self.list(node, &at, "a list of texts").unwrap_or_default();
        let mut texts = Vec::with_capacity(members.len());
        for (i, member) in members.into_iter().enumerate() {
            texts.extend(self.name(member, &at.index(i)).map(|name| value::quote(&name.text)));
        }
        self.assign(word, Some(format!("[{}]", texts.join(", "))), node, into);
    }

    /// Adds the statements of open keys. Keys named like a built-in key of the side are refused: as statements
    /// they would set a property.
    fn key_statements(&mut self, fields: &Fields<'_>, path: &Path<'_>, side: Side, into: &mut Statements) {
        let Some(node) = fields.get("keys") else { return };
        let at = path.field("keys");
        for key in self.keys(Some(node), &at) {
            if keys::is_word(side, first_segment(&key)) {
                self.taken_word(first_segment(&key), node, &at);
                continue;
            }
            into.push(Located { text: format!("{} = {}", key.key, key_literal(&key.value)), span: key.span });
        }
    }

    fn taken_word(&mut self, word: &str, node: JsonNode<'_>, path: &Path<'_>) {
        let message = format!("`{word}` is no key here: it says something else of its holder");
        self.problem(Code::B0211, node, path, &message)
            .help("use the field of that name beside this one, or choose another key");
    }

    fn amount_statements(
        &mut self,
        node: JsonNode<'_>,
        path: &Path<'_>,
        side: Option<Side>,
        into: &mut Statements,
    ) {
        for entry in self.entries(node, path, "amounts (an object)").unwrap_or_default() {
            let at = path.field(&entry.name);
            if !self.is_name(&entry.name, entry.key, &at) {
                continue;
            }
            if side.is_some_and(|side| keys::is_word(side, &entry.name)) {
                self.taken_word(&entry.name, entry.key, path);
                continue;
            }
            let literal = self.asked_literal(entry.value, &at);
            self.assign(&value::show_name(&entry.name), literal, entry.value, into);
        }
    }

    /// Reads an amount of a need: one amount, or a range of amounts such as `"2..8"`.
    fn asked_literal(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<String> {
        if node.kind() == ValueKind::Text
            && let Some((low, high)) = node.inner().split_once("..")
        {
            let ends = [low, high].map(|end| self.asked_end(end, node, path));
            let [Some(low), Some(high)] = ends else { return None };
            if low.dimension != high.dimension || low.amount > high.amount {
                let message = format!("{} does not go from a lower to an upper end", quoted(node.inner()));
                self.problem(Code::B0502, node, path, &message);
                return None;
            }
            return Some(format!("{low}..{high}"));
        }
        self.amount(node, path).map(|amount| amount_literal(&amount))
    }

    fn asked_end(&mut self, text: &str, node: JsonNode<'_>, path: &Path<'_>) -> Option<Quantity> {
        if text.ends_with('%') || text.starts_with('-') {
            let message = format!("expected amounts at both ends, found the text {}", quoted(node.inner()));
            self.problem(Code::B0502, node, path, &message);
            return None;
        }
        self.quantity(text, node, path)
    }

    fn condition_statements(&mut self, fields: &Fields<'_>, path: &Path<'_>, into: &mut Statements) {
        for (field, words) in [("is", "is"), ("not", "not is")] {
            let Some(node) = fields.get(field) else { continue };
            let at = path.field(field);
            let members = self.list(node, &at, "a list of classes").unwrap_or_default();
            for (i, member) in members.into_iter().enumerate() {
                if let Some(class) = self.class(member, &at.index(i)) {
                    into.push(Located { text: format!("{words} {class}"), span: self.span(member) });
                }
            }
        }
        if let Some(node) = fields.get("where") {
            let at = path.field("where");
            let members = self.list(node, &at, "a list of conditions").unwrap_or_default();
            for (i, member) in members.into_iter().enumerate() {
                into.extend(self.language(member, &at.index(i), "a condition (a text)"));
            }
        }
    }

    /// Reads the name of a class, in the form of the language.
    fn class(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<String> {
        let text = self.text(node, path, "the name of a class (a text)")?;
        if !is_class_name(&text) {
            self.problem(Code::B0502, node, path, &format!("{} is no name of a class", quoted(&text))).help(
                "write names with points between, as in `storage.flash`, or a plugin's as in `vendor/fast`; what is no plain name in quotes",
            );
            return None;
        }
        Some(text.into_owned())
    }

    fn place_statements(&mut self, fields: &Fields<'_>, path: &Path<'_>, into: &mut Statements) {
        for (field, before) in [("places", ""), ("prefer", "prefer ")] {
            let Some(node) = fields.get(field) else { continue };
            let at = path.field(field);
            let members = self.list(node, &at, "a list of places").unwrap_or_default();
            for (i, member) in members.into_iter().enumerate() {
                let at = at.index(i);
                let Some(place) = self.language(member, &at, "a place (a text)") else { continue };
                if !words::PLACES.contains(&place.text.split([' ', '\t']).next().unwrap_or("")) {
                    self.problem(Code::B0502, member, &at, &format!("{} is no place", quoted(&place.text))).help(
                        "a place begins with `within`, `avoid`, `near`, `at most`, `spread over` or `together in`",
                    );
                    continue;
                }
                into.push(Located { text: format!("{before}{}", place.text), span: place.span });
            }
        }
    }
}

/// Returns `true` if a text is a class name: names joined by points, each plain or in quotes, after an
/// optional `PLUGIN/`.
pub(crate) fn is_class_name(text: &str) -> bool {
    let Some(mut after) = after_name(text) else { return false };
    if let Some(class) = after.strip_prefix('/') {
        let Some(rest) = after_name(class) else { return false };
        after = rest;
    }
    while let Some(next) = after.strip_prefix('.') {
        let Some(rest) = after_name(next) else { return false };
        after = rest;
    }
    after.is_empty()
}

/// Returns the rest of a text after the name it begins with.
fn after_name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, after) = quoted.split_once('"')?;
        return is_quotable(name).then_some(after);
    }
    let (name, after) = text.split_at(text.find(['.', '/']).unwrap_or(text.len()));
    value::is_plain_name(name).then_some(after)
}

/// Returns `true` if a name can stand in quotes without escapes.
fn is_quotable(name: &str) -> bool {
    !name.is_empty() && !name.contains('\\') && !name.contains(value::is_hidden)
}

fn numeric_literal(number: Numeric) -> String {
    match number {
        Numeric::Whole(value) => value.to_string(),
        Numeric::Decimal(quantity) => quantity.to_string(),
    }
}

fn quoted_list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| value::quote(text)).collect::<Vec<_>>().join(", "))
}

fn amount_literal(amount: &RawAmount) -> String {
    match amount {
        RawAmount::Integer(value) => value.to_string(),
        RawAmount::Quantity(quantity) => quantity.to_string(),
        RawAmount::Unlimited => "unlimited".to_owned(),
        RawAmount::Ranges(ranges) => ranges.to_string(),
        RawAmount::Items(items) => quoted_list(items),
    }
}

fn key_literal(raw: &Raw) -> String {
    match raw {
        Raw::Bool(value) => value.to_string(),
        Raw::Integer(value) => value.to_string(),
        Raw::Quantity(quantity) => quantity.to_string(),
        Raw::Text(text) => value::quote(text),
        Raw::Version(version) => format!("v\"{version}\""),
        Raw::Empty => "[]".to_owned(),
        Raw::Texts(texts) => quoted_list(texts),
        Raw::Numbers(numbers) => {
            let shown = numbers.iter().map(|n| quantity::render(Dimension::Number, i128::from(*n)));
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        }
        Raw::Ranges(ranges) => ranges.to_string(),
    }
}
