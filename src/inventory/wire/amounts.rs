//! Readers of amounts, of resources with their options, and of keys.

use super::{
    json::{JsonNode, ValueKind},
    reader::{NamedField, Numeric, Path, Reader, quoted},
};
use crate::{
    diagnostic::Code,
    inventory::records::{
        AmountRecord, KeyRecord, PartRecord, Raw, RawAmount, Reserved, ResourceOptions, ResourceRecord,
    },
    limits,
    quantity::MILLION,
    ranges::Ranges,
    value,
};

const AMOUNT: &str = "an amount";
const OPTIONS: &[&str] = &["total", "reserved", "step", "min", "max", "overcommit"];

/// Parses a text such as `31000..32000`. Returns `None` if it is no range, and an error if it is one with
/// impossible ends.
pub(super) fn range(text: &str) -> Option<Result<(i64, i64), &'static str>> {
    let (low, high) = text.split_once("..")?;
    let whole = |end: &str| {
        let digits = end.strip_prefix('-').unwrap_or(end);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if !whole(low) || !whole(high) {
        return None;
    }
    Some(match (low.parse(), high.parse()) {
        (Ok(low), Ok(high)) if low <= high => Ok((low, high)),
        (Ok(_), Ok(_)) => Err("a range whose first number is above its last"),
        _ => Err("a range of numbers that are too large"),
    })
}

/// Returns the first segment of a dotted key. A name that contains a point is in quotes, so its part before
/// the point begins with a quote and equals no word of the language.
pub(super) fn first_segment(key: &KeyRecord) -> &str {
    key.key.split('.').next().unwrap_or("")
}

/// The members of a list, by form.
#[derive(Default)]
struct Members {
    texts: Vec<String>,
    numbers: Vec<i64>,
    ranges: Vec<(i64, i64)>,
    has_range: bool,
    /// `true` if a problem was reported.
    bad: bool,
}

impl Reader {
    /// Reads the resources of one part of a holder.
    pub fn resources(
        &mut self,
        node: Option<JsonNode<'_>>,
        path: &Path<'_>,
        part: &PartRecord,
        into: &mut Vec<ResourceRecord>,
    ) {
        let Some(node) = node else { return };
        let entries = self.entries(node, path, "resources (an object)").unwrap_or_default();
        // An exact size: records are large, and a fleet has many.
        into.reserve_exact(entries.len());
        for entry in entries {
            let at = path.field(&entry.name);
            if !self.is_name(&entry.name, entry.key, &at) {
                continue;
            }
            let Some((amount, options)) = self.resource(entry.value, &at) else { continue };
            let span = self.span(entry.key).to(self.span(entry.value));
            let name = value::show_name(&entry.name);
            into.push(ResourceRecord { part: part.clone(), name, amount, options, span });
        }
    }

    /// Reads the reserved resources of a holder, by role.
    pub fn reservations(
        &mut self,
        node: Option<JsonNode<'_>>,
        path: &Path<'_>,
        into: &mut Vec<ResourceRecord>,
    ) {
        let Some(node) = node else { return };
        for entry in self.entries(node, path, "resources by role (an object)").unwrap_or_default() {
            let at = path.field(&entry.name);
            if self.is_name(&entry.name, entry.key, &at) {
                let part = PartRecord::Reserved(entry.name.to_string());
                self.resources(Some(entry.value), &at, &part, into);
            }
        }
    }

    /// Reads an amount: plain, or an object with `total` and options.
    fn resource(
        &mut self,
        node: JsonNode<'_>,
        path: &Path<'_>,
    ) -> Option<(RawAmount, Option<Box<ResourceOptions>>)> {
        if node.kind() != ValueKind::Object {
            return Some((self.amount(node, path)?, None));
        }
        let fields = self.fields(node, path, AMOUNT, OPTIONS)?;
        let mut options = ResourceOptions::default();
        if let Some(node) = fields.get("reserved") {
            options.reserved =
                self.kept_back(node, &path.field("reserved")).map(|kept| (kept, self.span(node)));
        }
        let slots = [("step", &mut options.step), ("min", &mut options.min), ("max", &mut options.max)];
        for (name, slot) in slots {
            if let Some(node) = fields.get(name) {
                *slot = self.scalar(node, &path.field(name)).map(|amount| (amount, self.span(node)));
            }
        }
        if let Some(node) = fields.get("overcommit") {
            options.overcommit = self.factor(node, &path.field("overcommit")).map(|it| (it, self.span(node)));
        }
        let total = self.required(&fields, "total", path)?;
        let amount = self.amount(total, &path.field("total"))?;
        let options = (options != ResourceOptions::default()).then(|| Box::new(options));
        Some((amount, options))
    }

    fn kept_back(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Reserved> {
        if let Some(fraction) = self.percentage(node, path) {
            return fraction.map(Reserved::Fraction);
        }
        self.scalar(node, path).map(Reserved::Amount)
    }

    /// Reads a percentage. Returns `None` if the value is no text that ends in `%`, and `Some(None)` if it is
    /// one that cannot be read.
    fn percentage(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Option<i64>> {
        if node.kind() != ValueKind::Text || !node.inner().ends_with('%') {
            return None;
        }
        let text = self.text(node, path, AMOUNT);
        let read = text.and_then(|text| self.quantity(&text, node, path));
        Some(read.and_then(|quantity| self.not_negative(quantity.amount, node, path)))
    }

    fn factor(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<i64> {
        if let Some(fraction) = self.percentage(node, path) {
            return fraction;
        }
        if node.kind() != ValueKind::Number {
            self.wrong_type(node, path, "a factor (a number, or a text such as \"150%\")");
            return None;
        }
        let millionths = self.millionths(node, path)?;
        self.not_negative(millionths, node, path)
    }

    fn not_negative(&mut self, amount: i64, node: JsonNode<'_>, path: &Path<'_>) -> Option<i64> {
        if amount < 0 {
            let message = format!("{} is negative", quoted(node.raw));
            self.problem(Code::B0507, node, path, &message).help("amounts are 0 or more");
            return None;
        }
        Some(amount)
    }

    /// Reads an amount of any form.
    pub fn amount(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<RawAmount> {
        match node.kind() {
            ValueKind::List => self.listed_amount(node, path),
            _ => self.scalar(node, path),
        }
    }

    /// Reads an amount that is not a list.
    fn scalar(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<RawAmount> {
        match node.kind() {
            ValueKind::Number => match self.number(node, path)? {
                Numeric::Whole(value) => self.not_negative(value, node, path).map(RawAmount::Integer),
                Numeric::Decimal(quantity) => {
                    self.not_negative(quantity.amount, node, path)?;
                    Some(RawAmount::Quantity(quantity))
                }
            },
            ValueKind::Text => {
                let text = self.text(node, path, AMOUNT)?;
                if text == "unlimited" {
                    return Some(RawAmount::Unlimited);
                }
                if text.ends_with('%') {
                    let message = format!("expected an amount, found the percentage {}", quoted(&text));
                    self.problem(Code::B0502, node, path, &message);
                    return None;
                }
                let quantity = self.quantity(&text, node, path)?;
                self.not_negative(quantity.amount, node, path)?;
                Some(RawAmount::Quantity(quantity))
            }
            _ => {
                self.wrong_type(node, path, AMOUNT);
                None
            }
        }
    }

    fn listed_amount(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<RawAmount> {
        let members = self.members(node, path, true)?;
        if members.texts.is_empty() {
            return Some(RawAmount::Ranges(Ranges::new(members.ranges)));
        }
        let mut sorted: Vec<&str> = members.texts.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!("the item {} is given twice", quoted(twice[0]));
            self.problem(Code::B0212, node, path, &message).help("items are counted one by one: keep one");
            return None;
        }
        Some(RawAmount::Items(members.texts))
    }

    /// Reads the members of a list, and refuses a mixture of forms.
    ///
    /// In an amount, texts such as `"1..5"` are ranges, and numbers are whole. In a key they may be plain
    /// texts, since the type of the key is not known here: they count as ranges only beside numbers.
    fn members(&mut self, node: JsonNode<'_>, path: &Path<'_>, is_amount: bool) -> Option<Members> {
        let mut members = Members::default();
        let mut range_texts = 0;
        for (i, member) in self.list(node, path, "a list")?.into_iter().enumerate() {
            let at = path.index(i);
            match member.kind() {
                ValueKind::Number => self.number_member(member, &at, is_amount, &mut members),
                ValueKind::Text => {
                    range_texts += usize::from(self.text_member(member, &at, is_amount, &mut members))
                }
                _ => {
                    self.wrong_type(member, &at, "a text or a number");
                    members.bad = true;
                }
            }
        }
        if members.bad {
            return None;
        }
        // The texts of a key that read as ranges are in both lists; the other members decide.
        let is_unlike = if is_amount {
            !members.ranges.is_empty() && !members.texts.is_empty()
        } else {
            let is_all_ranges = members.ranges.len() == members.numbers.len() + members.texts.len();
            !members.numbers.is_empty() && !members.texts.is_empty() && !is_all_ranges
        };
        if is_unlike {
            self.problem(Code::B0115, node, path, "a list of unlike members")
                .help("write only texts, only numbers, or only ranges such as \"1..5\" with whole numbers");
            return None;
        }
        members.has_range = range_texts > 0;
        Some(members)
    }

    fn number_member(&mut self, member: JsonNode<'_>, at: &Path<'_>, is_amount: bool, into: &mut Members) {
        match self.number(member, at) {
            Some(Numeric::Whole(value)) => {
                into.ranges.push((value, value));
                match value.checked_mul(MILLION) {
                    Some(scaled) => into.numbers.push(scaled),
                    None if is_amount => {}
                    None => {
                        self.problem(Code::B0111, member, at, &format!("`{value}` is too large"));
                        into.bad = true;
                    }
                }
            }
            Some(Numeric::Decimal(quantity)) if !is_amount => into.numbers.push(quantity.amount),
            Some(Numeric::Decimal(quantity)) => {
                let message = format!("expected a whole number, found `{quantity}`");
                self.problem(Code::B0502, member, at, &message);
                into.bad = true;
            }
            None => into.bad = true,
        }
    }

    /// Adds a text of a list. Returns `true` if it reads as a range.
    fn text_member(
        &mut self,
        member: JsonNode<'_>,
        at: &Path<'_>,
        is_amount: bool,
        into: &mut Members,
    ) -> bool {
        let Some(text) = self.text(member, at, "a text") else {
            into.bad = true;
            return false;
        };
        match range(&text) {
            Some(Ok(range)) => {
                into.ranges.push(range);
                if !is_amount {
                    into.texts.push(text.into_owned());
                }
                true
            }
            Some(Err(problem)) if is_amount => {
                self.problem(Code::B0502, member, at, &format!("{} is {problem}", quoted(&text)));
                into.bad = true;
                true
            }
            _ if is_amount && !self.is_name(&text, member, at) => {
                into.bad = true;
                false
            }
            _ => {
                into.texts.push(text.into_owned());
                false
            }
        }
    }

    /// Reads the amounts that an allocation takes of one holder.
    pub fn amounts_taken(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Vec<AmountRecord> {
        let mut amounts = Vec::new();
        for entry in self.entries(node, path, "amounts (an object)").unwrap_or_default() {
            let at = path.field(&entry.name);
            if !self.is_name(&entry.name, entry.key, &at) {
                continue;
            }
            let Some(amount) = self.amount(entry.value, &at) else { continue };
            if amount == RawAmount::Unlimited {
                self.problem(Code::B0502, entry.value, &at, "an allocation takes a definite amount");
                continue;
            }
            let span = self.span(entry.key).to(self.span(entry.value));
            amounts.push(AmountRecord { name: value::show_name(&entry.name), amount, span });
        }
        amounts
    }

    /// Reads the keys of a holder. `domain` is refused: it is a field of its own beside the keys.
    pub fn holder_keys(&mut self, node: Option<JsonNode<'_>>, path: &Path<'_>) -> Vec<KeyRecord> {
        let mut keys = self.keys(node, path);
        if let (Some(node), Some(at)) = (node, keys.iter().position(|key| first_segment(key) == "domain")) {
            keys.remove(at);
            self.problem(Code::B0211, node, path, "`domain` is no ordinary key: it says where its holder is")
                .help("move `domain` out of `keys`, beside `name`");
        }
        keys
    }

    /// Reads keys. Nested objects give dotted keys.
    pub fn keys(&mut self, node: Option<JsonNode<'_>>, path: &Path<'_>) -> Vec<KeyRecord> {
        let mut keys = Vec::new();
        if let Some(node) = node {
            self.keys_below(node, path, "", 0, &mut keys);
        }
        keys
    }

    fn keys_below(
        &mut self,
        node: JsonNode<'_>,
        path: &Path<'_>,
        prefix: &str,
        depth: usize,
        into: &mut Vec<KeyRecord>,
    ) {
        if depth >= limits::NESTING {
            let message = format!("objects nested more than {} deep", limits::NESTING);
            self.problem(Code::B0105, node, path, &message);
            return;
        }
        for NamedField { name, key, value: node } in
            self.entries(node, path, "keys (an object)").unwrap_or_default()
        {
            let at = path.field(&name);
            if !self.is_name(&name, key, &at) {
                continue;
            }
            let shown = value::show_name(&name);
            let whole = if prefix.is_empty() { shown } else { format!("{prefix}.{shown}") };
            if node.kind() == ValueKind::Object {
                self.keys_below(node, &at, &whole, depth + 1, into);
            } else if let Some(value) = self.key_value(node, &at) {
                let span = self.span(key).to(self.span(node));
                into.push(KeyRecord { key: whole, value, span });
            }
        }
    }

    /// Reads the value of a key.
    fn key_value(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Raw> {
        Some(match node.kind() {
            ValueKind::Bool(value) => Raw::Bool(value),
            ValueKind::Number => match self.number(node, path)? {
                Numeric::Whole(value) => Raw::Integer(value),
                Numeric::Decimal(quantity) => Raw::Quantity(quantity),
            },
            ValueKind::Text => Raw::Text(self.text(node, path, "a text")?.into_owned()),
            ValueKind::List => self.key_list(node, path)?,
            ValueKind::Null | ValueKind::Object => {
                self.wrong_type(node, path, "a value").help("leave out a key that is not known");
                return None;
            }
        })
    }

    fn key_list(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Raw> {
        let members = self.members(node, path, false)?;
        Some(if members.numbers.is_empty() && members.texts.is_empty() {
            Raw::Empty
        } else if members.numbers.is_empty() {
            Raw::Texts(members.texts)
        } else if members.has_range {
            Raw::Ranges(Ranges::new(members.ranges))
        } else {
            Raw::Numbers(members.numbers)
        })
    }
}
