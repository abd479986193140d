//! The sample filter in Rust, without the standard library: the records of the interface, as they lie in memory, are
//! `repr(C)` structs. See ../README.md for what it does and how it is built.
#![no_std]
#![allow(unknown_lints, static_mut_refs)]

use core::{arch::wasm32, ptr, slice};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    wasm32::unreachable()
}

// ----- memory: an arena that only grows, and is cut back after each answer -----

extern "C" {
    static __heap_base: u8;
}

static mut TOP: usize = 0;
static mut KEPT: usize = 0;

unsafe fn take(align: usize, bytes: usize) -> *mut u8 {
    if TOP == 0 {
        TOP = ptr::addr_of!(__heap_base) as usize;
    }
    let at = (TOP + align - 1) & !(align - 1);
    TOP = at + bytes;
    let have = wasm32::memory_size(0) * 65536;
    if TOP > have && wasm32::memory_grow(0, (TOP - have + 65535) / 65536) == usize::MAX {
        wasm32::unreachable();
    }
    at as *mut u8
}

#[no_mangle]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    let made = take(align, size);
    ptr::copy_nonoverlapping(old, made, old_size.min(size));
    made
}

// ----- the records of the interface -----

#[repr(C)]
#[derive(Clone, Copy)]
struct List<T> {
    at: *const T,
    len: usize,
}

unsafe impl<T> Sync for List<T> {}

impl<T> List<T> {
    const fn of(items: &'static [T]) -> Self {
        List { at: items.as_ptr(), len: items.len() }
    }

    const fn none() -> Self {
        List { at: ptr::null(), len: 0 }
    }

    unsafe fn get(&self) -> &'static mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        slice::from_raw_parts_mut(self.at as *mut T, self.len)
    }

    unsafe fn made(len: usize) -> Self {
        List { at: take(8, len * core::mem::size_of::<T>()) as *const T, len }
    }
}

type Text = List<u8>;

const fn text(text: &'static str) -> Text {
    List::of(text.as_bytes())
}

#[repr(C)]
struct Key {
    kind: u8,
    name: Text,
}

#[repr(C)]
struct Column {
    side: u8,
    key: Key,
    kind: u8,
    required: bool,
}

#[repr(C)]
struct Purpose {
    kind: u8,
    weight: i64,
}

#[repr(C)]
struct Rule {
    label: Text,
    labelled: bool,
    purpose: Purpose,
    scope: Key,
    sides: u8,
    whole: u32,
    conditions: List<u32>,
}

#[repr(C)]
struct Maybe {
    some: bool,
    value: u32,
}

#[repr(C)]
struct Condition {
    text: Text,
    want: Text,
    subject: Maybe,
    operand: bool,
    reads: List<u32>,
}

#[repr(C)]
struct Descriptor {
    name: Text,
    producer: Text,
    columns: List<Column>,
    rules: List<Rule>,
    conditions: List<Condition>,
    expressions: List<Text>,
    literals: List<Text>,
    versions: List<Text>,
    wants: u8,
}

unsafe impl Sync for Descriptor {}

/// Values of one kind: a list, of bits, amounts or symbols as the kind says.
#[repr(C)]
struct Cells {
    kind: u8,
    list: List<u64>,
    more: [u32; 4],
}

impl Cells {
    unsafe fn amounts(&self) -> &'static mut [i64] {
        List { at: self.list.at as *const i64, len: self.list.len }.get()
    }

    unsafe fn symbols(&self) -> &'static mut [u32] {
        List { at: self.list.at as *const u32, len: self.list.len }.get()
    }
}

#[repr(C)]
struct Data {
    column: u32,
    known: List<u64>,
    mismatched: List<u64>,
    cells: Cells,
}

#[repr(C)]
struct Table {
    rows: u32,
    columns: List<Data>,
}

#[repr(C)]
struct Symbols {
    count: u32,
    lists: [List<u32>; 4],
}

#[repr(C)]
struct Snapshot {
    symbols: Symbols,
    literals: List<u32>,
    versions: List<u32>,
    version_literals: List<u32>,
    tables: [Table; 2],
}

#[repr(C)]
struct TableChanges {
    rows: u32,
    changed: List<u32>,
    columns: List<Data>,
}

#[repr(C)]
struct Changes {
    symbols: Symbols,
    versions: List<u32>,
    tables: [TableChanges; 2],
}

#[repr(C)]
struct Outcome {
    error: u8,
    why: Text,
}

unsafe impl Sync for Outcome {}

#[repr(C)]
struct Answer {
    holds: List<u64>,
    unknown: List<u64>,
    earned: List<i32>,
}

// ----- what this filter is -----

const AGENT: u8 = 0;
const POOL: u8 = 1;
const BOOLEAN: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 5;

const GPUS: usize = 0;
const AGENT_SITE: usize = 1;
const POOL_SITE: usize = 2;
const CLASS: usize = 3;
const SSD: usize = 4;

const fn column(side: u8, name: &'static str, kind: u8) -> Column {
    Column { side, key: Key { kind: 0, name: text(name) }, kind, required: false }
}

const fn condition(words: &'static str, want: &'static str, subject: u32, reads: &'static [u32]) -> Condition {
    let subject = Maybe { some: true, value: subject };
    Condition { text: text(words), want: text(want), subject, operand: false, reads: List::of(reads) }
}

const fn rule(label: &'static str, purpose: Purpose, sides: u8, whole: &'static [u32; 1]) -> Rule {
    let scope = Key { kind: 0, name: List::none() };
    Rule { label: text(label), labelled: true, purpose, scope, sides, whole: whole[0], conditions: List::of(whole) }
}

const REQUIRE: Purpose = Purpose { kind: 0, weight: 0 };

static COLUMNS: [Column; 5] = [
    column(AGENT, "gpus", NUMBER),
    column(AGENT, "site", TEXT),
    column(POOL, "site", TEXT),
    column(POOL, "class", TEXT),
    column(POOL, "ssd", BOOLEAN),
];

static CONDITIONS: [Condition; 4] = [
    condition("agent.gpus >= 2", ">= 2", 0, &[0]),
    condition("agent.site == pool.site", "== pool.site", 1, &[1, 2]),
    condition("pool.class != \"archive\"", "!= \"archive\"", 3, &[3]),
    condition("pool.ssd == true", "== true", 4, &[4]),
];

static RULES: [Rule; 4] = [
    rule("gpus", REQUIRE, 1 << AGENT, &[0]),
    rule("site", REQUIRE, 1 << AGENT | 1 << POOL, &[1]),
    rule("not-archive", REQUIRE, 1 << POOL, &[2]),
    rule("ssd", Purpose { kind: 1, weight: 10_000_000 }, 1 << POOL, &[3]),
];

static LITERALS: [Text; 1] = [text("archive")];

static SELF: Descriptor = Descriptor {
    name: text("sample"),
    producer: text("by hand, in Rust"),
    columns: List::of(&COLUMNS),
    rules: List::of(&RULES),
    conditions: List::of(&CONDITIONS),
    expressions: List::none(),
    literals: List::of(&LITERALS),
    versions: List::none(),
    wants: 0,
};

#[export_name = "bourse:filter/filter@0.1.0#describe"]
extern "C" fn describe() -> &'static Descriptor {
    &SELF
}

// ----- the fleet: the columns stay where the host has put them -----

static mut FLEET: [Option<&'static Data>; 5] = [None; 5];
static mut ROWS: [u32; 2] = [0; 2];
static mut ARCHIVE: u32 = 0;

static DONE: Outcome = Outcome { error: 0, why: List::none() };
static REFUSED: Outcome = Outcome { error: 1, why: text("it takes no new rows") };

#[export_name = "bourse:filter/filter@0.1.0#load"]
unsafe extern "C" fn load(given: &'static Snapshot) -> &'static Outcome {
    ARCHIVE = given.literals.get()[0];
    for (side, table) in given.tables.iter().enumerate() {
        ROWS[side] = table.rows;
        for data in table.columns.get() {
            FLEET[data.column as usize] = Some(data);
        }
    }
    KEPT = TOP;
    &DONE
}

fn bit(words: &[u64], row: usize) -> bool {
    words.get(row / 64).map_or(false, |word| word >> (row % 64) & 1 == 1)
}

fn set(words: &mut [u64], row: usize, value: bool) {
    if let Some(word) = words.get_mut(row / 64) {
        *word = *word & !(1 << (row % 64)) | u64::from(value) << (row % 64);
    }
}

/// Rows that are changed are written over. What is not known has no value here, absent or of another kind.
#[export_name = "bourse:filter/filter@0.1.0#update"]
unsafe extern "C" fn update(given: &Changes) -> &'static Outcome {
    for (side, table) in given.tables.iter().enumerate() {
        if table.rows != ROWS[side] {
            return &REFUSED;
        }
        for from in table.columns.get() {
            let to = match FLEET[from.column as usize] {
                Some(to) => to,
                None => continue,
            };
            for (at, row) in table.changed.get().iter().map(|row| *row as usize).enumerate() {
                set(to.known.get(), row, bit(from.known.get(), at));
                match from.cells.kind {
                    0 => set(to.cells.list.get(), row, bit(from.cells.list.get(), at)),
                    1 => to.cells.amounts()[row] = from.cells.amounts()[at],
                    _ => to.cells.symbols()[row] = from.cells.symbols()[at],
                }
            }
        }
    }
    &DONE
}

// ----- the rules -----

/// A column's data, where the row has a value in it.
unsafe fn known(column: usize, row: Option<usize>) -> Option<(&'static Cells, usize)> {
    let data = FLEET[column]?;
    let row = row?;
    bit(data.known.get(), row).then(|| (&data.cells, row))
}

unsafe fn symbol(column: usize, row: Option<usize>) -> Option<u32> {
    known(column, row).map(|(cells, row)| cells.symbols()[row])
}

/// What a rule says of a candidate; nothing where it is unknown.
unsafe fn judge(rule: u32, agent: Option<usize>, pool: Option<usize>) -> Option<bool> {
    match rule {
        0 => known(GPUS, agent).map(|(cells, row)| cells.amounts()[row] >= 2_000_000),
        1 => Some(symbol(AGENT_SITE, agent)? == symbol(POOL_SITE, pool)?),
        2 => symbol(CLASS, pool).map(|class| class != ARCHIVE),
        _ => known(SSD, pool).map(|(cells, row)| bit(cells.list.get(), row)),
    }
}

/// The rows of a question: how many, and which is which.
struct Rows {
    which: u32,
    these: List<u32>,
    all: u32,
}

impl Rows {
    fn count(&self) -> usize {
        match self.which {
            0 => 1,
            1 => self.all as usize,
            _ => self.these.len,
        }
    }

    unsafe fn row(&self, at: usize) -> Option<usize> {
        match self.which {
            0 => None,
            1 => Some(at),
            _ => Some(self.these.get()[at] as usize),
        }
    }
}

static mut TOLD: Answer = Answer { holds: List::none(), unknown: List::none(), earned: List::none() };

#[export_name = "bourse:filter/filter@0.1.0#evaluate"]
#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn evaluate(
    _facts: usize,
    _facts_len: usize,
    asked: *const u32,
    asked_len: usize,
    which_agents: u32,
    agents: *const u32,
    agents_len: usize,
    which_pools: u32,
    pools: *const u32,
    pools_len: usize,
) -> &'static Answer {
    let asked = List { at: asked, len: asked_len }.get();
    let agents = Rows { which: which_agents, these: List { at: agents, len: agents_len }, all: ROWS[0] };
    let pools = Rows { which: which_pools, these: List { at: pools, len: pools_len }, all: ROWS[1] };
    let (a, p) = (agents.count(), pools.count());
    let both = which_agents != 0 && which_pools != 0;
    let line = if both { (p + 63) / 64 } else { (a * p + 63) / 64 };
    let words = if both { a * line } else { line };
    let prefers = |rule: u32| RULES[rule as usize].purpose.kind == 1;
    let numbers = asked.iter().filter(|rule| prefers(**rule)).count();
    let planes = asked.len() - numbers;
    TOLD.holds = List::made(planes * words);
    TOLD.unknown = List::made(planes * words);
    TOLD.earned = List::made(numbers * a * p);
    let (holds, unknown, earned) = (TOLD.holds.get(), TOLD.unknown.get(), TOLD.earned.get());
    holds.fill(0);
    unknown.fill(0);
    let (mut plane, mut next) = (0, 0);
    for rule in asked.iter().copied() {
        for i in 0..a {
            for j in 0..p {
                let said = judge(rule, agents.row(i), pools.row(j));
                if prefers(rule) {
                    earned[next] = said.map_or(-1, |said| i32::from(said) * 1_000_000);
                    next += 1;
                    continue;
                }
                let at = plane * words * 64 + if both { i * line * 64 + j } else { i * p + j };
                match said {
                    Some(said) => set(holds, at, said),
                    None => set(unknown, at, true),
                }
            }
        }
        plane += usize::from(!prefers(rule));
    }
    &TOLD
}

#[export_name = "cabi_post_bourse:filter/filter@0.1.0#update"]
unsafe extern "C" fn after_update(_: usize) {
    TOP = KEPT;
}

#[export_name = "cabi_post_bourse:filter/filter@0.1.0#evaluate"]
unsafe extern "C" fn after_evaluate(_: usize) {
    TOP = KEPT;
}
