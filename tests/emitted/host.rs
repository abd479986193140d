//! A small host for tests: values as columns, and the answers of a plugin.

use bourse::{
    emit::{ColumnKind, Manifest},
    symbol::Symbols,
    types::{Side, Type},
    value::{Value, Version, is_within},
};
use wasmtime::{
    Engine, Store,
    component::{Component, Linker},
};

mod bindings {
    wasmtime::component::bindgen!({ path: "wit", world: "explaining-plugin" });
}

pub use bindings::exports::bourse::filter::{
    explain::{Candidate, Outcome, Truth},
    filter::{
        Answer, Cells, Changes, ColumnData, Fact, Mixed, Question, Rows, Sets, Snapshot,
        Symbols as SymbolTable, Table, TableChanges, Value as Given,
    },
};

/// A value of one row: absent, of another type, or there.
#[derive(Clone, Debug)]
pub enum Cell {
    Absent,
    Mismatch,
    Value(Value),
}

/// A plugin that runs.
pub struct Running {
    store: Store<()>,
    plugin: bindings::ExplainingPlugin,
}

impl Running {
    pub fn new(bytes: &[u8]) -> Running {
        Running::on(&Engine::default(), bytes, |_| ())
    }

    /// On an engine of one's own, whose store is made ready for it.
    pub fn on(engine: &Engine, bytes: &[u8], ready: impl FnOnce(&mut Store<()>)) -> Running {
        let component = Component::new(engine, bytes).expect("a component");
        let mut store = Store::new(engine, ());
        ready(&mut store);
        let linker = Linker::new(engine);
        let plugin =
            bindings::ExplainingPlugin::instantiate(&mut store, &component, &linker).expect("no imports");
        Running { store, plugin }
    }

    pub fn describe(&mut self) -> bindings::exports::bourse::filter::filter::Descriptor {
        self.plugin.bourse_filter_filter().call_describe(&mut self.store).expect("describes itself")
    }

    pub fn load(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        self.plugin.bourse_filter_filter().call_load(&mut self.store, snapshot).expect("no trap")
    }

    pub fn update(&mut self, changes: &Changes) -> Result<(), String> {
        self.plugin.bourse_filter_filter().call_update(&mut self.store, changes).expect("no trap")
    }

    pub fn evaluate(&mut self, question: &Question) -> Answer {
        self.plugin.bourse_filter_filter().call_evaluate(&mut self.store, question).expect("no trap")
    }

    pub fn explain(&mut self, candidate: &Candidate) -> Vec<Outcome> {
        self.plugin.bourse_filter_explain().call_explain(&mut self.store, candidate).expect("no trap")
    }
}

/// The numbers that a host gives to texts and versions: symbols as the plan's, with the parents of all paths.
#[derive(Clone, Debug, Default)]
pub struct Numbering {
    pub symbols: Symbols,
    pub versions: Vec<Version>,
    /// How many symbols the plugin knows.
    told: usize,
}

impl Numbering {
    pub fn new(mut symbols: Symbols) -> Numbering {
        let mut at = 0;
        while at < symbols.len() {
            let text = nth(&symbols, at).to_owned();
            if let Some((parent, _)) = text.rsplit_once('/') {
                symbols.intern(parent);
            }
            at += 1;
        }
        Numbering { symbols, versions: Vec::new(), told: 0 }
    }

    pub fn version(&mut self, version: &Version) -> u32 {
        let text = version.to_string();
        let known = self.versions.iter().position(|known| known.to_string() == text);
        known.unwrap_or_else(|| {
            self.versions.push(version.clone());
            self.versions.len() - 1
        }) as u32
    }

    pub fn ranks(&self) -> Vec<u32> {
        let below = |version: &Version| self.versions.iter().filter(|other| *other < version).count() as u32;
        self.versions.iter().map(below).collect()
    }

    /// The symbols up to `count` that have not been told.
    pub fn table(&mut self, count: usize) -> SymbolTable {
        let mut table = SymbolTable {
            count: count as u32,
            parents: Vec::new(),
            depths: Vec::new(),
            ends: Vec::new(),
            bytes: Vec::new(),
        };
        for at in self.told..count {
            let text = nth(&self.symbols, at);
            let parent = text.rsplit_once('/').map(|(parent, _)| parent);
            let parent = parent.and_then(|parent| self.symbols.find(parent));
            assert!(parent.is_none_or(|parent| is_within(text, self.symbols.text(parent))));
            table.parents.push(parent.map_or(u32::MAX, |parent| parent.index() as u32));
            table.depths.push(text.split('/').count() as u32);
            table.bytes.extend(text.as_bytes());
            table.ends.push(table.bytes.len() as u32);
        }
        self.told = count;
        table
    }

    /// A value as 64 bits, its members added where it is a set.
    fn number(&mut self, value: &Value, members: &mut Vec<i64>) -> i64 {
        let mut span = |list: Vec<i64>| {
            let start = members.len() as i64;
            members.extend(list);
            start | (members.len() as i64) << 32
        };
        match value {
            Value::Bool(holds) => i64::from(*holds),
            Value::Quantity(_, amount) => *amount,
            Value::Text(symbol) | Value::Place(symbol) => symbol.index() as i64,
            Value::Version(version) => i64::from(self.version(version)),
            Value::Texts(list) => span(list.iter().map(|member| member.index() as i64).collect()),
            Value::Numbers(list) => span(list.to_vec()),
            Value::Ranges(ranges) => {
                span(ranges.parts().iter().flat_map(|&(low, high)| [low, high]).collect())
            }
        }
    }

    /// Rows of one column.
    pub fn column(&mut self, number: u32, kind: ColumnKind, rows: &[Cell]) -> ColumnData {
        let mut known = vec![0_u64; rows.len().div_ceil(64)];
        let mut mismatched = known.clone();
        let (mut members, mut values, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            let bit = 1 << (at % 64);
            match row {
                Cell::Value(value) => {
                    known[at / 64] |= bit;
                    values.push(self.number(value, &mut members));
                    kinds.push(ColumnKind::Of(value.type_of()).number());
                    continue;
                }
                Cell::Mismatch => mismatched[at / 64] |= bit,
                Cell::Absent => {}
            }
            values.push(0);
            kinds.push(0);
        }
        if mismatched.iter().all(|word| *word == 0) {
            mismatched.clear();
        }
        let cells = match kind {
            ColumnKind::Of(Type::Bool) => {
                let mut bits = vec![0; known.len()];
                values
                    .iter()
                    .enumerate()
                    .for_each(|(at, value)| bits[at / 64] |= (*value as u64) << (at % 64));
                Cells::Booleans(bits)
            }
            ColumnKind::Of(Type::Quantity(_)) => Cells::Integers(values),
            ColumnKind::Of(Type::Text | Type::Place | Type::Version) => {
                Cells::Numbers(values.iter().map(|value| *value as u32).collect())
            }
            ColumnKind::Of(_) => {
                Cells::Sets(Sets { spans: values.iter().map(|value| *value as u64).collect(), members })
            }
            ColumnKind::Mixed => Cells::Mixed(Mixed { kinds, values, members }),
        };
        ColumnData { column: number, known, mismatched, cells }
    }

    pub fn given(&mut self, value: &Value) -> Given {
        let number = self.number(value, &mut Vec::new());
        match value {
            Value::Bool(holds) => Given::Boolean(*holds),
            Value::Quantity(dimension, amount) => {
                use bourse::quantity::Dimension;
                match dimension {
                    Dimension::Number => Given::Number(*amount),
                    Dimension::Size => Given::Size(*amount),
                    Dimension::Bandwidth => Given::Bandwidth(*amount),
                    Dimension::Duration => Given::Duration(*amount),
                }
            }
            Value::Text(_) => Given::Text(number as u32),
            Value::Place(_) => Given::Place(number as u32),
            Value::Version(_) => Given::Version(number as u32),
            Value::Texts(list) => Given::Texts(list.iter().map(|member| member.index() as i64).collect()),
            Value::Numbers(list) => Given::Numbers(list.to_vec()),
            Value::Ranges(ranges) => {
                Given::Ranges(ranges.parts().iter().flat_map(|&(low, high)| [low, high]).collect())
            }
        }
    }
}

fn nth(symbols: &Symbols, at: usize) -> &str {
    symbols.texts().nth(at).expect("a symbol")
}

/// Whether a column is of rows: of agents or of supplies.
pub fn is_of(manifest: &Manifest, column: usize, side: Side) -> bool {
    manifest.columns[column].side == side
}
