//! The core module under construction: functions, static memory, globals, and the table of functions that are
//! called by number.

use indexmap::{IndexMap, IndexSet};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection,
    FunctionSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module, RefType, TableSection,
    TableType, TypeSection, ValType,
};

use super::{
    asm::{Fn, FunctionBody, Global},
    helpers::Helper,
};

/// The end of the heap.
pub const HEAP: Global = Global(0);
/// The address that the heap falls back to after an answer has been read.
pub const FLOOR: Global = Global(1);
/// The number of rows of agents.
pub const ROWS: Global = Global(2);
/// The number of rows of supplies.
pub const POOL_ROWS: Global = Global(3);
/// The number of rows of agents that lists have space for.
pub const SPACE: Global = Global(4);
/// The number of rows of supplies that lists have space for.
pub const POOL_SPACE: Global = Global(5);
/// The number of symbols.
pub const SYMBOLS: Global = Global(6);
/// The number of symbols that lists have space for.
pub const SYMBOL_SPACE: Global = Global(7);
/// The parents of symbols.
pub const PARENTS: Global = Global(8);
/// The depths of symbols.
pub const DEPTHS: Global = Global(9);
/// The address and length of each symbol's text.
pub const TEXTS: Global = Global(10);
/// The cached results of patterns, a byte per symbol and pattern: 0 unknown, 1 no, 2 yes.
pub const MATCHED: Global = Global(11);
/// The ranks of versions.
pub const RANKS: Global = Global(12);
/// The symbols of literals.
pub const LITERALS: Global = Global(13);
/// The numbers of version literals.
pub const VERSIONS: Global = Global(14);
/// 1 if memory that was allocated during an update stays in use.
pub const KEEP: Global = Global(15);
/// The kind of the value in [`VALUE`].
pub const KIND: Global = Global(16);
/// The value that a function returns beside its status.
pub const VALUE: Global = Global(17);
/// The rows among 64 for which a condition fails. [`VALUE`] has those for which it holds.
pub const FAILS: Global = Global(18);

const GLOBALS: u32 = 19;

/// The lowest address in use, so that 0 can mean "no list".
const START: u32 = 16;

/// The type of functions of two rows, by far the most frequent. It has number 0.
pub const OF_ROWS: ([ValType; 2], Option<ValType>) = ([ValType::I32, ValType::I32], Some(ValType::I32));

/// The static memory of the module.
#[derive(Debug, Default)]
pub struct Data {
    bytes: Vec<u8>,
    texts: IndexMap<String, u32>,
    lists: IndexMap<Vec<i64>, u32>,
    words: IndexMap<Vec<u8>, u32>,
}

impl Data {
    /// Reserves zeroed space at a multiple of `align` and returns its address.
    pub fn space(&mut self, bytes: u32, align: u32) -> u32 {
        let at = (self.bytes.len() as u32).next_multiple_of(align);
        self.bytes.resize((at + bytes) as usize, 0);
        START + at
    }

    /// Writes bytes at a multiple of `align` and returns their address.
    pub fn put(&mut self, bytes: &[u8], align: u32) -> u32 {
        let at = self.space(bytes.len() as u32, align);
        self.write(at, bytes);
        at
    }

    /// Overwrites reserved space.
    pub fn write(&mut self, at: u32, bytes: &[u8]) {
        let from = (at - START) as usize;
        self.bytes[from..from + bytes.len()].copy_from_slice(bytes);
    }

    /// Writes a text and returns its address. Equal texts share one.
    pub fn text(&mut self, text: &str) -> u32 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let at = self.put(text.as_bytes(), 1);
        self.texts.insert(text.to_owned(), at);
        at
    }

    /// Returns the address of `end`: inside `whole` if it is a suffix of that, else of its own.
    pub fn end_of(&mut self, whole: &str, end: &str) -> u32 {
        let at = self.text(whole);
        if whole.ends_with(end) { at + (whole.len() - end.len()) as u32 } else { self.text(end) }
    }

    /// Writes words of four bytes that are never modified, and returns their address. Equal lists share one.
    pub fn words(&mut self, words: &[u8]) -> u32 {
        if let Some(known) = self.words.get(words) {
            return *known;
        }
        let at = self.put(words, 4);
        self.words.insert(words.to_owned(), at);
        at
    }

    /// Writes numbers and returns the value of a set. Equal lists share memory.
    pub fn list(&mut self, numbers: &[i64]) -> i64 {
        let at = match self.lists.get(numbers) {
            Some(known) => *known,
            None => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                let at = self.put(&bytes, 8);
                self.lists.insert(numbers.to_vec(), at);
                at
            }
        };
        i64::from(at) | (numbers.len() as i64) << 32
    }

    fn end(&self) -> u32 {
        (START + self.bytes.len() as u32).next_multiple_of(8)
    }
}

/// A core module under construction.
#[derive(Debug, Default)]
pub struct Builder {
    types: IndexSet<(Vec<ValType>, Option<ValType>)>,
    functions: Vec<Option<FunctionBody>>,
    helpers: IndexMap<Helper, Fn>,
    exports: Vec<(String, Fn)>,
    /// The table of functions that are called by number.
    pub table: Vec<Fn>,
    /// The static memory.
    pub data: Data,
}

impl Builder {
    /// Returns the number of a function that is defined later. Recursive generation needs it.
    pub fn declare(&mut self) -> Fn {
        self.functions.push(None);
        Fn(self.functions.len() as u32 - 1)
    }

    /// Defines a declared function.
    pub fn define(&mut self, function: Fn, body: FunctionBody) {
        self.functions[function.0 as usize] = Some(body);
    }

    /// Adds a function.
    pub fn function(&mut self, body: FunctionBody) -> Fn {
        let function = self.declare();
        self.define(function, body);
        function
    }

    /// Returns a library function, which is added at its first use.
    pub fn helper(&mut self, helper: Helper) -> Fn {
        if let Some(known) = self.helpers.get(&helper) {
            return *known;
        }
        let function = self.declare();
        self.helpers.insert(helper, function);
        // Registered first: helpers may call each other.
        let body = helper.body(self);
        self.define(function, body);
        function
    }

    /// Exports a function.
    pub fn export(&mut self, name: String, function: Fn) {
        self.exports.push((name, function));
    }

    /// Writes the module out.
    pub fn finish(mut self) -> Vec<u8> {
        let heap = self.data.end();
        // `call_indirect` in `asm` refers to this type by number 0.
        self.types.insert((OF_ROWS.0.to_vec(), OF_ROWS.1));
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for body in self.functions.iter().flatten() {
            let at = self.types.insert_full(body.signature()).0;
            functions.function(at as u32);
            code.function(&body.finish());
        }
        let mut types = TypeSection::new();
        for (params, result) in &self.types {
            types.ty().function(params.iter().copied(), *result);
        }
        let mut module = Module::new();
        module.section(&types).section(&functions);
        let count = self.table.len() as u64;
        let mut tables = TableSection::new();
        let (minimum, maximum) = (count, Some(count));
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum,
            maximum,
            shared: false,
        });
        module.section(&tables);
        let mut memory = MemorySection::new();
        let pages = u64::from(heap.div_ceil(1 << 16));
        memory.memory(MemoryType {
            minimum: pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        module.section(&memory).section(&globals(heap));
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        for (name, function) in &self.exports {
            exports.export(name, ExportKind::Func, function.0);
        }
        module.section(&exports);
        let mut elements = ElementSection::new();
        let called: Vec<u32> = self.table.iter().map(|function| function.0).collect();
        elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(called.into()));
        module.section(&elements).section(&code);
        let mut data = DataSection::new();
        // Memory starts zeroed, so leading zeros are left out.
        let zeros = self.data.bytes.iter().take_while(|byte| **byte == 0).count();
        let start = ConstExpr::i32_const(START as i32 + zeros as i32);
        data.active(0, &start, self.data.bytes[zeros..].iter().copied());
        module.section(&data);
        module.finish()
    }
}

fn globals(heap: u32) -> GlobalSection {
    let mut globals = GlobalSection::new();
    for at in 0..GLOBALS {
        let at = Global(at);
        let (val_type, start) = match at {
            VALUE | FAILS => (ValType::I64, ConstExpr::i64_const(0)),
            HEAP | FLOOR => (ValType::I32, ConstExpr::i32_const(heap as i32)),
            _ => (ValType::I32, ConstExpr::i32_const(0)),
        };
        globals.global(GlobalType { val_type, mutable: true, shared: false }, &start);
    }
    globals
}
