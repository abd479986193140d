//! Plugins made by hand: a core module as text around the data of a description, wrapped into a component.

use std::fmt::Write;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The interface, as its functions are exported by a core module.
pub const FILTER: &str = "bourse:filter/filter@0.1.0";

/// The interface of explanations.
pub const EXPLAIN: &str = "bourse:filter/explain@0.1.0";

/// A key that a made plugin says it reads: side, key (case, name), kind, required.
#[derive(Clone, Debug)]
pub struct Column {
    pub side: u8,
    pub key: (u8, String),
    pub kind: u8,
    pub required: bool,
}

/// A rule: label, purpose (case, weight), sides as bits, the whole condition, its conditions.
#[derive(Clone, Debug)]
pub struct Rule {
    pub label: String,
    pub purpose: (u8, i64),
    pub sides: u8,
    pub whole: u32,
    pub conditions: Vec<u32>,
}

/// A condition: text, subject, the columns it reads.
#[derive(Clone, Debug)]
pub struct Condition {
    pub text: String,
    pub subject: Option<u32>,
    pub reads: Vec<u32>,
}

/// What a made plugin says of itself.
#[derive(Clone, Debug, Default)]
pub struct Description {
    pub name: String,
    pub columns: Vec<Column>,
    pub rules: Vec<Rule>,
    pub conditions: Vec<Condition>,
    pub literals: Vec<String>,
    pub version_literals: Vec<String>,
    pub wants: u8,
}

impl Description {
    /// One requirement on `agent.gpus`.
    pub fn gpus() -> Self {
        Description {
            name: "made".to_owned(),
            columns: vec![Column { side: 0, key: (0, "gpus".to_owned()), kind: 1, required: false }],
            rules: vec![Rule {
                label: "gpus".to_owned(),
                purpose: (0, 0),
                sides: 1,
                whole: 0,
                conditions: vec![0],
            }],
            conditions: vec![Condition { text: "gpus >= 2".to_owned(), subject: Some(0), reads: vec![0] }],
            ..Description::default()
        }
    }

    /// Its bytes as the canonical ABI has them, from `base` on; gives where the record is.
    pub fn lower(&self, base: u32) -> (Vec<u8>, u32) {
        let mut data = Data { base, bytes: Vec::new() };
        let name = data.text(&self.name);
        let producer = data.text("by hand");
        let columns: Vec<_> = self.columns.iter().map(|column| (column, data.text(&column.key.1))).collect();
        let columns: Vec<Vec<u8>> = columns
            .into_iter()
            .map(|(column, key)| {
                let mut bytes = vec![column.side, 0, 0, 0, column.key.0, 0, 0, 0];
                bytes.extend(pair(key));
                bytes.extend([column.kind, u8::from(column.required), 0, 0]);
                bytes
            })
            .collect();
        let columns = data.list(&columns, 4);
        let rules: Vec<_> = self
            .rules
            .iter()
            .map(|rule| (rule, data.text(&rule.label), data.numbers(&rule.conditions)))
            .collect();
        let rules: Vec<Vec<u8>> = rules
            .into_iter()
            .map(|(rule, label, conditions)| {
                let mut bytes = pair(label);
                bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, rule.purpose.0, 0, 0, 0, 0, 0, 0, 0]);
                bytes.extend(rule.purpose.1.to_le_bytes());
                bytes.extend([0; 12]);
                bytes.extend([rule.sides, 0, 0, 0]);
                bytes.extend(rule.whole.to_le_bytes());
                bytes.extend(pair(conditions));
                bytes.extend([0; 4]);
                bytes
            })
            .collect();
        let rules = data.list(&rules, 8);
        let conditions: Vec<_> =
            self.conditions.iter().map(|one| (one, data.text(&one.text), data.numbers(&one.reads))).collect();
        let conditions: Vec<Vec<u8>> = conditions
            .into_iter()
            .map(|(condition, text, reads)| {
                let mut bytes = [pair(text), pair(text)].concat();
                bytes.extend([u8::from(condition.subject.is_some()), 0, 0, 0]);
                bytes.extend(condition.subject.unwrap_or(0).to_le_bytes());
                bytes.extend([0; 4]);
                bytes.extend(pair(reads));
                bytes
            })
            .collect();
        let conditions = data.list(&conditions, 4);
        let literals = data.texts(&self.literals);
        let versions = data.texts(&self.version_literals);
        let none = (0, 0);
        let record = [name, producer, columns, rules, conditions, none, literals, versions];
        let mut record: Vec<u8> = record.into_iter().flat_map(pair).collect();
        record.extend([self.wants, 0, 0, 0]);
        let at = data.put(&record, 8);
        (data.bytes, at)
    }
}

fn pair((start, count): (u32, u32)) -> Vec<u8> {
    [start.to_le_bytes(), count.to_le_bytes()].concat()
}

struct Data {
    base: u32,
    bytes: Vec<u8>,
}

impl Data {
    fn put(&mut self, bytes: &[u8], align: usize) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
        self.bytes.extend_from_slice(bytes);
        self.base + (self.bytes.len() - bytes.len()) as u32
    }

    fn text(&mut self, text: &str) -> (u32, u32) {
        (self.put(text.as_bytes(), 1), text.len() as u32)
    }

    fn list(&mut self, items: &[Vec<u8>], align: usize) -> (u32, u32) {
        (self.put(&items.concat(), align), items.len() as u32)
    }

    fn numbers(&mut self, numbers: &[u32]) -> (u32, u32) {
        let items: Vec<Vec<u8>> = numbers.iter().map(|number| number.to_le_bytes().to_vec()).collect();
        self.list(&items, 4)
    }

    fn texts(&mut self, texts: &[String]) -> (u32, u32) {
        let items: Vec<Vec<u8>> = texts.iter().map(|text| pair(self.text(text))).collect();
        self.list(&items, 4)
    }
}

/// A plugin by hand. Each part is the body of a function of the core module, as text; what is left as it is, is honest:
/// it takes every fleet, and answers `true` for every row of one side.
#[derive(Clone, Debug)]
pub struct Made {
    pub description: Description,
    pub describe: String,
    pub load: String,
    pub update: String,
    pub evaluate: String,
    pub realloc: String,
    pub start: String,
    pub after: String,
    pub memory: String,
    pub more: String,
    /// The body of `explain`, where it has one.
    pub explain: Option<String>,
}

/// Where descriptions stand, and where answers are put.
pub const TOLD: u32 = 0x1_0000;
pub const ANSWER: u32 = 0x8_0000;

impl Default for Made {
    fn default() -> Self {
        Made {
            description: Description::gpus(),
            describe: "global.get $told".to_owned(),
            // The rows of both sides are kept; then the answer is `ok`.
            load: "(i32.store (i32.const 16) (i32.load offset=60 (local.get 0)))
                   (i32.store (i32.const 20) (i32.load offset=72 (local.get 0)))
                   (i32.store8 (i32.const 32) (i32.const 0)) i32.const 32"
                .to_owned(),
            update: "(i32.store8 (i32.const 32) (i32.const 0)) i32.const 32".to_owned(),
            evaluate: honest(),
            realloc: bump(),
            start: String::new(),
            after: String::new(),
            memory: "(memory (export \"memory\") 32)".to_owned(),
            more: String::new(),
            explain: None,
        }
    }
}

/// `true` for every row of the one side that is tried, for one rule.
pub fn honest() -> String {
    format!(
        "(local $rows i32) (local $words i32)
         (local.set $rows (i32.load (select (i32.const 16) (i32.const 20) (local.get 4))))
         (if (i32.eq (local.get 4) (i32.const 2)) (then (local.set $rows (local.get 6))))
         (if (i32.eq (local.get 7) (i32.const 2)) (then (local.set $rows (local.get 9))))
         (local.set $words (i32.div_u (i32.add (local.get $rows) (i32.const 63)) (i32.const 64)))
         (memory.fill (i32.const {held}) (i32.const 255) (i32.mul (local.get $words) (i32.const 8)))
         (if (i32.rem_u (local.get $rows) (i32.const 64)) (then
           (i64.store
             (i32.add (i32.const {held}) (i32.mul (i32.sub (local.get $words) (i32.const 1)) (i32.const 8)))
             (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (i32.rem_u (local.get $rows) (i32.const 64)))) (i64.const 1)))))
         (memory.fill (i32.const {unknown}) (i32.const 0) (i32.mul (local.get $words) (i32.const 8)))
         (i32.store (i32.const {at}) (i32.const {held}))
         (i32.store offset=4 (i32.const {at}) (local.get $words))
         (i32.store offset=8 (i32.const {at}) (i32.const {unknown}))
         (i32.store offset=12 (i32.const {at}) (local.get $words))
         (i32.store offset=16 (i32.const {at}) (i32.const 0))
         (i32.store offset=20 (i32.const {at}) (i32.const 0))
         i32.const {at}",
        at = ANSWER,
        held = ANSWER + 64,
        unknown = ANSWER + 0x4_0000,
    )
}

/// An allocator that only goes up.
fn bump() -> String {
    "(local $at i32)
     (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
     (global.set $top (i32.add (local.get $at) (local.get 3)))
     (block $enough
       (loop $more
         (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
         (br_if $enough (i32.eq (memory.grow (i32.const 16)) (i32.const -1)))
         (br $more)))
     local.get $at"
        .to_owned()
}

/// An answer with these lists: pointer and length each of `holds`, `unknown` and `earned`.
pub fn answer(lists: [(u32, u32); 3]) -> String {
    let mut text = String::new();
    for (at, word) in lists.into_iter().flat_map(|(start, count)| [start, count]).enumerate() {
        write!(text, "(i32.store offset={} (i32.const {ANSWER}) (i32.const {})) ", at * 4, word as i32)
            .expect("writes");
    }
    format!("{text} i32.const {ANSWER}")
}

impl Made {
    /// The core module, as text.
    pub fn text(&self) -> String {
        let (data, told) = self.description.lower(TOLD);
        let data: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let Made { describe, load, update, evaluate, realloc, start, after, memory, more, .. } = self;
        let start = match start.as_str() {
            "" => String::new(),
            body => format!("(func $start {body}) (start $start)"),
        };
        let after = match after.as_str() {
            "" => String::new(),
            body => format!("(func (export \"cabi_post_{FILTER}#evaluate\") (param i32) {body})"),
        };
        let explain = self.explain.as_ref().map_or(String::new(), |body| {
            let parameters = "i32 ".repeat(8);
            format!(r#"(func (export "{EXPLAIN}#explain") (param {parameters}) (result i32) {body})"#)
        });
        format!(
            r#"(module
              {memory}
              (global $top (mut i32) (i32.const 0x100000))
              (global $told (mut i32) (i32.const {told}))
              (global $calls (mut i32) (i32.const 0))
              (data (i32.const {TOLD}) "{data}")
              {more} {start} {after} {explain}
              (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
              (func (export "{FILTER}#describe") (result i32) {describe})
              (func (export "{FILTER}#load") (param i32) (result i32) {load})
              (func (export "{FILTER}#update") (param i32) (result i32) {update})
              (func (export "{FILTER}#evaluate")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {evaluate}))"#
        )
    }

    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let world = if self.explain.is_some() { "explaining-plugin" } else { "plugin" };
        wrap(&self.text(), world, |wit| wit)
    }
}

/// A core module as text → a component of a world of `wit/`, which may be changed first.
pub fn wrap(text: &str, world: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    wrap_module(module, world, change)
}

/// A core module → a component of a world of `wit/`.
pub fn wrap_module(mut module: Vec<u8>, world: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let wit = change(include_str!("../../wit/bourse-filter.wit").to_owned());
    let mut resolve = Resolve::default();
    let package = resolve.push_str("filter.wit", &wit).expect("the interface parses");
    let world = resolve.select_world(&[package], Some(world)).expect("the world is there");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("is embedded");
    let mut encoder = ComponentEncoder::default().validate(false).module(&module).expect("is a module");
    encoder.encode().unwrap_or_else(|error| panic!("{error:#}"))
}
