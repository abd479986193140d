//! Readers of claims: allocations and reservations.

use super::{
    json::{JsonNode, ValueKind},
    reader::{Fields, Numeric, Path, Reader, quoted},
};
use crate::{
    diagnostic::Code,
    inventory::records::{AllocationRecord, Located, ReservationRecord, UseKind, UseRecord},
};

const ALLOCATION: &[&str] = &["name", "framework", "role", "need", "agents", "pools", "volumes", "revocable"];
const REVOCABLE: &[&str] = &["agents", "pools"];
const RESERVATION: &[&str] = &["name", "role", "agent", "pool", "resources"];

impl Reader {
    /// Reads an allocation.
    pub fn allocation(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<AllocationRecord> {
        let fields = self.fields(node, path, "an allocation", ALLOCATION)?;
        let name = self.required(&fields, "name", path);
        let name = name.and_then(|node| self.name(node, &path.field("name")));
        let [framework, need] = ["framework", "need"]
            .map(|field| fields.get(field).and_then(|node| self.name(node, &path.field(field))));
        let role = fields.get("role").and_then(|node| self.role_path(node, &path.field("role")));
        let mut uses = Vec::new();
        self.uses(fields.get("agents"), &path.field("agents"), UseKind::Agent, false, &mut uses);
        self.uses(fields.get("pools"), &path.field("pools"), UseKind::Pool, false, &mut uses);
        if let Some(node) = fields.get("volumes") {
            self.volumes_used(node, &path.field("volumes"), &mut uses);
        }
        if let Some(node) = fields.get("revocable") {
            let path = path.field("revocable");
            if let Some(fields) = self.fields(node, &path, "what may be taken back", REVOCABLE) {
                self.uses(fields.get("agents"), &path.field("agents"), UseKind::Agent, true, &mut uses);
                self.uses(fields.get("pools"), &path.field("pools"), UseKind::Pool, true, &mut uses);
            }
        }
        Some(AllocationRecord { name: name?, framework, role, need, uses })
    }

    /// Reads the serial of a state: a whole number, 0 or more.
    pub fn serial(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<u64> {
        let whole = match node.kind() {
            ValueKind::Number => match self.number(node, path)? {
                Numeric::Whole(value) => u64::try_from(value).ok(),
                Numeric::Decimal(_) => None,
            },
            _ => None,
        };
        if whole.is_none() {
            self.wrong_type(node, path, "a whole number, 0 or more");
        }
        whole
    }

    /// Reads a reservation.
    pub fn reservation(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<ReservationRecord> {
        let fields = self.fields(node, path, "a reservation", RESERVATION)?;
        self.reservation_of(&fields, path)
    }

    /// Reads a reservation from its fields.
    pub fn reservation_of(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<ReservationRecord> {
        let name = self.required(fields, "name", path);
        let name = name.and_then(|node| self.name(node, &path.field("name")));
        let role = self.required(fields, "role", path);
        let role = role.and_then(|node| self.role_path(node, &path.field("role")));
        let of = self.reserved_amounts(fields, path);
        Some(ReservationRecord { name: name?, role: role?, of: of? })
    }

    /// Reads the holder of a reservation, in `agent` or `pool`, and its `resources`.
    fn reserved_amounts(&mut self, fields: &Fields<'_>, path: &Path<'_>) -> Option<UseRecord> {
        let (kind, field, node) = match (fields.get("agent"), fields.get("pool")) {
            (Some(node), None) => (UseKind::Agent, "agent", node),
            (None, pool) => (UseKind::Pool, "pool", pool.or_else(|| self.required(fields, "agent", path))?),
            (Some(_), Some(node)) => {
                self.problem(Code::B0212, node, &path.field("pool"), "`agent` is given too")
                    .help("a reservation is of one of them: write two reservations");
                return None;
            }
        };
        let at = path.field(field);
        let holder = self.supply_path(node, &at, kind);
        let amounts = self.required(fields, "resources", path);
        let amounts = amounts.map(|node| self.amounts_taken(node, &path.field("resources")));
        Some(UseRecord { holder: holder?, kind, amounts: amounts?, revocable: false })
    }

    /// Reads the uses of one kind of holder: amounts by name of the holder.
    fn uses(
        &mut self,
        node: Option<JsonNode<'_>>,
        path: &Path<'_>,
        kind: UseKind,
        revocable: bool,
        into: &mut Vec<UseRecord>,
    ) {
        let Some(node) = node else { return };
        for entry in self.entries(node, path, "amounts by name (an object)").unwrap_or_default() {
            let at = path.field(&entry.name);
            if self.is_holder(&entry.name, entry.key, &at, kind) {
                let holder = self.located(&entry.name, entry.key);
                let amounts = self.amounts_taken(entry.value, &at);
                into.push(UseRecord { holder, kind, amounts, revocable });
            }
        }
    }

    /// Reads the existing volumes of an allocation, and reports repeated ones.
    fn volumes_used(&mut self, node: JsonNode<'_>, path: &Path<'_>, into: &mut Vec<UseRecord>) {
        let mut seen: Vec<Located> = Vec::new();
        let members = self.list(node, path, "a list of paths of volumes").unwrap_or_default();
        for (i, member) in members.into_iter().enumerate() {
            let at = path.index(i);
            let Some(holder) = self.supply_path(member, &at, UseKind::Volume) else { continue };
            seen.push(holder.clone());
            into.push(UseRecord { holder, kind: UseKind::Volume, amounts: Vec::new(), revocable: false });
        }
        // Sorted by text, repeats are neighbours.
        seen.sort_by(|a, b| a.text.cmp(&b.text).then(a.span.cmp(&b.span)));
        for pair in seen.windows(2).filter(|pair| pair[0].text == pair[1].text) {
            let message = format!("{path}: the volume {} is given twice", quoted(&pair[1].text));
            let diagnostic = crate::diagnostic::Diagnostic::error(Code::B0212, pair[1].span, message);
            self.push(diagnostic.also(pair[0].span, "and here").help("keep one of them"));
        }
    }

    /// Reads the name of an agent, or the path of a pool or existing volume.
    pub fn supply_path(&mut self, node: JsonNode<'_>, path: &Path<'_>, kind: UseKind) -> Option<Located> {
        if node.kind() != ValueKind::Text {
            let what = match kind {
                UseKind::Agent => "the name of an agent (a text)",
                UseKind::Pool => "the path of a pool (a text)",
                UseKind::Volume => "the path of a volume (a text)",
            };
            self.wrong_type(node, path, what);
            return None;
        }
        let text = self.decoded(node)?;
        self.is_holder(&text, node, path, kind).then(|| self.located(&text, node))
    }

    /// Checks that a text has the form of a holder of this kind.
    fn is_holder(&mut self, text: &str, node: JsonNode<'_>, path: &Path<'_>, kind: UseKind) -> bool {
        if !self.is_name(text, node, path) {
            return false;
        }
        let (wanted, form) = match kind {
            UseKind::Agent => (1, "a name without `/`"),
            UseKind::Pool => (3, "`provider/instance/pool`"),
            UseKind::Volume => (4, "`provider/instance/pool/volume`"),
        };
        let fits = text.split('/').count() == wanted && text.split('/').all(|segment| !segment.is_empty());
        if !fits {
            self.problem(Code::B0502, node, path, &format!("expected {form}, found {}", quoted(text)));
        }
        fits
    }
}
