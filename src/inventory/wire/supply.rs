//! Readers of supply: the broker, agents, and the tiers of storage.

use super::{
    json::{JsonNode, ValueKind},
    reader::{Path, Reader},
};
use crate::{
    diagnostic::Code,
    inventory::records::{
        AgentRecord, AttachedVolume, BrokerRecord, Located, PartRecord, ResourceRecord, RuleRecord, RuleText,
        TierKind, TierRecord, UseKind,
    },
    limits,
    operator::Strength,
    quantity::MILLION,
};

const BROKER: &[&str] = &["domain", "levels", "keys"];
const AGENT: &[&str] = &["name", "domain", "keys", "resources", "reserved", "revocable", "require", "prefer"];
const PROVIDER: &[&str] =
    &["name", "domain", "keys", "resources", "reserved", "revocable", "require", "prefer", "instances"];
const INSTANCE: &[&str] =
    &["name", "domain", "keys", "resources", "reserved", "revocable", "require", "prefer", "pools"];
const POOL: &[&str] =
    &["name", "domain", "keys", "resources", "reserved", "revocable", "require", "prefer", "volumes"];
const VOLUME: &[&str] =
    &["name", "domain", "keys", "resources", "reserved", "revocable", "require", "prefer", "reserved_for"];
const PUT_VOLUME: &[&str] = &["path", "domain", "keys", "resources", "require", "prefer", "reserved_for"];
const REQUIRE: &[&str] = &["label", "rule", "doc"];
const PREFER: &[&str] = &["label", "rule", "weight", "doc"];
const RULE: &str = "a rule such as \"agent is rexray\" (a text or an object)";

/// Returns the fields of a tier, and the field and kind of the tiers below.
fn tier_fields(kind: TierKind) -> (&'static [&'static str], Option<(&'static str, TierKind)>) {
    match kind {
        TierKind::Provider => (PROVIDER, Some(("instances", TierKind::Instance))),
        TierKind::Instance => (INSTANCE, Some(("pools", TierKind::Pool))),
        TierKind::Pool => (POOL, Some(("volumes", TierKind::Volume))),
        TierKind::Volume => (VOLUME, None),
    }
}

impl Reader {
    /// Reads the broker.
    pub fn broker(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> BrokerRecord {
        let mut broker = BrokerRecord::default();
        let Some(fields) = self.fields(node, path, "the broker", BROKER) else { return broker };
        broker.domain = fields.get("domain").and_then(|node| self.place(node, &path.field("domain")));
        if let Some(node) = fields.get("levels") {
            broker.levels = self.levels(node, &path.field("levels"));
        }
        broker.keys = self.holder_keys(fields.get("keys"), &path.field("keys"));
        broker
    }

    fn levels(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<(Vec<String>, crate::source::Span)> {
        let members = self.list(node, path, "a list of names, outermost first")?;
        if members.is_empty() || members.len() > limits::LEVELS {
            let message = format!("{} levels, where 1 to {} may be declared", members.len(), limits::LEVELS);
            self.problem(Code::B0502, node, path, &message);
            return None;
        }
        let mut names: Vec<String> = Vec::with_capacity(members.len());
        for (i, member) in members.into_iter().enumerate() {
            let name = self.name(member, &path.index(i))?;
            if names.contains(&name.text) {
                self.problem(
                    Code::B0212,
                    member,
                    &path.index(i),
                    &format!("the level `{}` is given twice", name.text),
                );
                return None;
            }
            names.push(name.text);
        }
        Some((names, self.span(node)))
    }

    /// Reads an agent.
    pub fn agent(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<AgentRecord> {
        let fields = self.fields(node, path, "an agent", AGENT)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.segment_name(node, &path.field("name")));
        let held = self.holder(&fields, path);
        let HolderFields { domain, keys, resources, rules } = held;
        Some(AgentRecord { name: name?, domain, keys, resources, rules })
    }

    /// Reads a storage tier with all tiers below it. `supplies` counts pools and volumes; beyond the limit
    /// tiers are skipped, and the caller reports it.
    pub fn tier(
        &mut self,
        kind: TierKind,
        node: JsonNode<'_>,
        path: &Path<'_>,
        supplies: &mut usize,
    ) -> Option<TierRecord> {
        let (known, below) = tier_fields(kind);
        let what = match kind {
            TierKind::Instance => "an instance",
            TierKind::Provider => "a provider",
            TierKind::Pool => "a pool",
            TierKind::Volume => "a volume",
        };
        // Counted before the tier is read: a large subtree must stop in the middle.
        *supplies += usize::from(matches!(kind, TierKind::Pool | TierKind::Volume));
        if *supplies > limits::INVENTORY_ROWS {
            return None;
        }
        let fields = self.fields(node, path, what, known)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.segment_name(node, &path.field("name")));
        let HolderFields { domain, keys, resources, rules } = self.holder(&fields, path);
        let reserved_for =
            fields.get("reserved_for").and_then(|node| self.role_path(node, &path.field("reserved_for")));
        let mut children = Vec::new();
        if let Some((list, (field, kind))) = below.and_then(|below| Some((fields.get(below.0)?, below))) {
            let path = path.field(field);
            if list.kind() != ValueKind::List {
                self.wrong_type(list, &path, "a list");
            }
            for (i, child) in list.elements().enumerate() {
                children.extend(self.tier(kind, child, &path.index(i), supplies));
            }
        }
        Some(TierRecord { kind, name: name?, domain, keys, resources, rules, reserved_for, children })
    }

    /// Reads an existing volume that names its pool by path.
    pub fn put_volume(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<AttachedVolume> {
        let fields = self.fields(node, path, "a volume", PUT_VOLUME)?;
        let whole = self.required(&fields, "path", path);
        let whole = whole.and_then(|node| self.supply_path(node, &path.field("path"), UseKind::Volume));
        let HolderFields { domain, keys, resources, rules } = self.holder(&fields, path);
        let reserved_for =
            fields.get("reserved_for").and_then(|node| self.role_path(node, &path.field("reserved_for")));
        let whole = whole?;
        let own = whole.text.rsplit('/').next().unwrap_or_default().to_owned();
        let name = Located { text: own, span: whole.span };
        let (kind, children) = (TierKind::Volume, Vec::new());
        let tier = TierRecord { kind, name, domain, keys, resources, rules, reserved_for, children };
        Some(AttachedVolume { path: whole, tier })
    }

    /// Reads the fields that agents and tiers have in common.
    fn holder(&mut self, fields: &super::reader::Fields<'_>, path: &Path<'_>) -> HolderFields {
        let mut resources = Vec::new();
        let domain = fields.get("domain").and_then(|node| self.place(node, &path.field("domain")));
        let keys = self.holder_keys(fields.get("keys"), &path.field("keys"));
        let unreserved = fields.get("resources");
        self.resources(unreserved, &path.field("resources"), &PartRecord::Unreserved, &mut resources);
        self.reservations(fields.get("reserved"), &path.field("reserved"), &mut resources);
        let revocable = fields.get("revocable");
        self.resources(revocable, &path.field("revocable"), &PartRecord::Revocable, &mut resources);
        let mut rules = Vec::new();
        self.rules(fields.get("require"), &path.field("require"), false, &mut rules);
        self.rules(fields.get("prefer"), &path.field("prefer"), true, &mut rules);
        HolderFields { domain, keys, resources, rules }
    }

    /// Reads a list of rules.
    fn rules(
        &mut self,
        node: Option<JsonNode<'_>>,
        path: &Path<'_>,
        preferred: bool,
        into: &mut Vec<RuleRecord>,
    ) {
        let Some(node) = node else { return };
        for (i, member) in
            self.list(node, path, "a list of rules").unwrap_or_default().into_iter().enumerate()
        {
            into.extend(self.rule(member, &path.index(i), preferred));
        }
    }

    /// Reads a rule: a text, or an object with options.
    fn rule(&mut self, node: JsonNode<'_>, path: &Path<'_>, preferred: bool) -> Option<RuleRecord> {
        let span = self.span(node);
        let mut rule = RuleRecord {
            label: None,
            strength: if preferred { Strength::Prefer(MILLION) } else { Strength::Require },
            text: RuleText::Text(Located { text: String::new(), span }),
            span,
            docs: Vec::new(),
        };
        if node.kind() != ValueKind::Object {
            rule.text = RuleText::Text(self.language(node, path, RULE)?);
            return Some(rule);
        }
        let fields = self.fields(node, path, "a rule", if preferred { PREFER } else { REQUIRE })?;
        rule.label = fields.get("label").and_then(|node| self.name(node, &path.field("label")));
        if let Some(node) = fields.get("doc") {
            let at = path.field("doc");
            let doc = self.text(node, &at, "a text");
            // Line breaks and tabs are part of documentation.
            let doc = doc.filter(|doc| self.is_clean(&doc.replace(['\n', '\t'], " "), node, &at));
            rule.docs = doc.map_or_else(Vec::new, |doc| doc.lines().map(str::to_owned).collect());
        }
        if let Some(node) = fields.get("weight") {
            let at = path.field("weight");
            match node.kind() {
                ValueKind::Number => {
                    rule.strength = self.millionths(node, &at).map_or(rule.strength, Strength::Prefer);
                }
                _ => drop(self.wrong_type(node, &at, "a number")),
            }
        }
        let text = self.required(&fields, "rule", path)?;
        rule.text = RuleText::Text(self.language(text, &path.field("rule"), "a condition (a text)")?);
        Some(rule)
    }
}

/// The fields that agents and tiers have in common.
struct HolderFields {
    domain: Option<Located>,
    keys: Vec<crate::inventory::records::KeyRecord>,
    resources: Vec<ResourceRecord>,
    rules: Vec<RuleRecord>,
}
