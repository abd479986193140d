// The sample filter in AssemblyScript, without its runtime: the records of the interface are read where they lie in
// memory, as classes of the same layout, and written word by word. See ../README.md for what it does and how it is built.

// ----- memory: an arena that only grows, and is cut back after each answer -----

let top: usize = 0;
let kept: usize = 0;

function take(align: usize, bytes: usize): usize {
  if (top == 0) top = __heap_base;
  const at = (top + align - 1) & ~(align - 1);
  top = at + bytes;
  const have = <usize>memory.size() << 16;
  if (top > have && memory.grow(<i32>((top - have + 65535) >> 16)) < 0) unreachable();
  return at;
}

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const made = take(align, size);
  memory.copy(made, old, min(oldSize, size));
  return made;
}

// ----- the records of the interface that are read: a list is where it is, and how long -----

@unmanaged
class Data {
  column: u32;
  known: usize;
  knownWords: u32;
  mismatched: usize;
  mismatchedWords: u32;
  // Of the cells: booleans, integers, numbers or what this filter does not read; then their list.
  form: u8;
  cells: usize;
  length: u32;
  more0: u64;
  more1: u64;
}

@unmanaged
class Table {
  rows: u32;
  columns: usize;
  length: u32;
}

@unmanaged
class TableChanges {
  rows: u32;
  changed: usize;
  count: u32;
  columns: usize;
  length: u32;
}

// Where the parts of `snapshot` and `changes` begin that are read; symbols are the first of both, and not looked at.
const LITERALS: usize = 36;
const TABLES: usize = 60;
const CHANGED_TABLES: usize = 44;

// ----- what this filter is -----

const AGENT: u8 = 0;
const POOL: u8 = 1;
const BOOLEAN: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 5;

const GPUS: u32 = 0;
const AGENT_SITE: u32 = 1;
const POOL_SITE: u32 = 2;
const CLASS: u32 = 3;
const SSD: u32 = 4;
const COLUMNS: u32 = 5;

// The only preference.
const PREFERENCE: u32 = 3;

let self: usize = 0;
let next: usize = 0;

function byte(value: u8): void {
  store<u8>(next, value);
  next += 1;
}

function word(value: usize): void {
  next = (next + 3) & ~3;
  store<u32>(next, <u32>value);
  next += 4;
}

function long(value: i64): void {
  next = (next + 7) & ~7;
  store<i64>(next, value);
  next += 8;
}

// Texts are ASCII here: one byte of each character.
function text(value: string): void {
  const at = take(1, value.length);
  for (let i = 0; i < value.length; i++) store<u8>(at + i, value.charCodeAt(i));
  word(at);
  word(value.length);
}

// A list of so many records. What follows is written into it; `next` then goes back to what this gives.
function list(count: u32, size: u32): usize {
  const at = take(8, count * size);
  word(at);
  word(count);
  const back = next;
  next = at;
  return back;
}

function words(count: u32, first: u32): void {
  const back = list(count, 4);
  for (let i: u32 = 0; i < count; i++) word(first + i);
  next = back;
}

function column(side: u8, name: string, kind: u8): void {
  byte(side);
  word(0);
  text(name);
  byte(kind);
  byte(0);
  next += 2;
}

function rule(label: string, prefers: bool, weight: i64, sides: u8, whole: u32): void {
  text(label);
  byte(1);
  next = (next + 7) & ~7;
  byte(prefers);
  long(weight);
  next += 12;
  byte(sides);
  word(whole);
  words(1, whole);
  next = (next + 7) & ~7;
}

function condition(what: string, want: string, subject: u32, reads: u32): void {
  text(what);
  text(want);
  word(1);
  word(subject);
  word(0);
  words(reads, subject);
}

export function describe(): usize {
  if (self != 0) return self;
  next = self = take(8, 68);
  text("sample");
  text("by hand, in AssemblyScript");
  let back = list(COLUMNS, 20);
  column(AGENT, "gpus", NUMBER);
  column(AGENT, "site", TEXT);
  column(POOL, "site", TEXT);
  column(POOL, "class", TEXT);
  column(POOL, "ssd", BOOLEAN);
  next = back;
  back = list(4, 64);
  rule("gpus", false, 0, 1 << AGENT, 0);
  rule("site", false, 0, (1 << AGENT) | (1 << POOL), 1);
  rule("not-archive", false, 0, 1 << POOL, 2);
  rule("ssd", true, 10_000_000, 1 << POOL, 3);
  next = back;
  back = list(4, 36);
  condition("agent.gpus >= 2", ">= 2", GPUS, 1);
  condition("agent.site == pool.site", "== pool.site", AGENT_SITE, 2);
  condition('pool.class != "archive"', '!= "archive"', CLASS, 1);
  condition("pool.ssd == true", "== true", SSD, 1);
  next = back;
  words(0, 0);
  back = list(1, 8);
  text("archive");
  next = back;
  words(0, 0);
  word(0);
  return self;
}

// ----- the fleet: the columns stay where the host has put them -----

// Of each column, where its data is; 0 where it was not given.
const fleet = memory.data(20, 4);
// What `load`, `update` and `evaluate` give.
const answer = memory.data(24, 4);
let agents: u32 = 0;
let pools: u32 = 0;
let archive: u32 = 0;

@inline
function slot(column: u32): usize {
  return fleet + column * sizeof<usize>();
}

// The columns of a table, each a record of so many bytes.
@inline
function data(columns: usize, at: u32): Data {
  return changetype<Data>(columns + at * offsetof<Data>());
}

function ok(): usize {
  store<u8>(answer, 0);
  return answer;
}

export function loadFleet(given: usize): usize {
  archive = load<u32>(load<usize>(given + LITERALS));
  for (let side = 0; side < 2; side++) {
    const table = changetype<Table>(given + TABLES + side * offsetof<Table>());
    if (side == 0) agents = table.rows;
    else pools = table.rows;
    for (let i: u32 = 0; i < table.length; i++) {
      const from = data(table.columns, i);
      store<usize>(slot(from.column), changetype<usize>(from));
    }
  }
  kept = top;
  return ok();
}

function bit(at: usize, length: u32, row: u32): bool {
  return length > row >> 6 && ((load<u64>(at + ((row >> 6) << 3)) >> (row & 63)) & 1) == 1;
}

function set(at: usize, length: u32, row: u32, value: bool): void {
  if (length <= row >> 6) return;
  const word = at + ((row >> 6) << 3);
  const one = (<u64>1) << (row & 63);
  store<u64>(word, value ? load<u64>(word) | one : load<u64>(word) & ~one);
}

// Rows that are changed are written over. What is not known has no value here, absent or of another kind.
function change(given: TableChanges, rows: u32): bool {
  if (given.rows != rows) return false;
  for (let i: u32 = 0; i < given.length; i++) {
    const from = data(given.columns, i);
    const to = changetype<Data>(load<usize>(slot(from.column)));
    for (let j: u32 = 0; j < given.count; j++) {
      const row = load<u32>(given.changed + (j << 2));
      set(to.known, to.knownWords, row, bit(from.known, from.knownWords, j));
      if (to.form == 0) set(to.cells, to.length, row, bit(from.cells, from.length, j));
      if (to.form == 1) store<i64>(to.cells + (row << 3), load<i64>(from.cells + (j << 3)));
      if (to.form == 2) store<u32>(to.cells + (row << 2), load<u32>(from.cells + (j << 2)));
    }
  }
  return true;
}

export function update(given: usize): usize {
  const ofAgents = changetype<TableChanges>(given + CHANGED_TABLES);
  const ofPools = changetype<TableChanges>(given + CHANGED_TABLES + offsetof<TableChanges>());
  if (change(ofAgents, agents) && change(ofPools, pools)) return ok();
  store<u8>(answer, 1);
  next = answer + 4;
  text("it takes no new rows");
  return answer;
}

// ----- the rules -----

const NO: i32 = 0;
const YES: i32 = 1;
const UNKNOWN: i32 = -1;

// The row of a side that is not tried.
const NOWHERE: u32 = u32.MAX_VALUE;

function knows(column: u32, row: u32): bool {
  const at = load<usize>(slot(column));
  if (row == NOWHERE || at == 0) return false;
  const data = changetype<Data>(at);
  return bit(data.known, data.knownWords, row);
}

// Where the value of a row stands, of so many bytes.
@inline
function value(column: u32, row: u32, bytes: u32): usize {
  return changetype<Data>(load<usize>(slot(column))).cells + row * bytes;
}

function judge(rule: u32, agent: u32, pool: u32): i32 {
  if (rule == 0) return knows(GPUS, agent) ? i32(load<i64>(value(GPUS, agent, 8)) >= 2_000_000) : UNKNOWN;
  if (rule == 1) {
    if (!knows(AGENT_SITE, agent) || !knows(POOL_SITE, pool)) return UNKNOWN;
    return i32(load<u32>(value(AGENT_SITE, agent, 4)) == load<u32>(value(POOL_SITE, pool, 4)));
  }
  if (rule == 2) return knows(CLASS, pool) ? i32(load<u32>(value(CLASS, pool, 4)) != archive) : UNKNOWN;
  if (!knows(SSD, pool)) return UNKNOWN;
  const ssd = changetype<Data>(load<usize>(slot(SSD)));
  return bit(ssd.cells, ssd.length, pool) ? YES : NO;
}

// Which rows are tried: none, all, these.
const NONE: u32 = 0;
const ALL: u32 = 1;

function count(which: u32, these: u32, rows: u32): u32 {
  return which == NONE ? 1 : which == ALL ? rows : these;
}

function row(which: u32, these: usize, at: u32): u32 {
  return which == NONE ? NOWHERE : which == ALL ? at : load<u32>(these + (at << 2));
}

function zeros(words: u32): usize {
  const at = take(8, words << 3);
  memory.fill(at, 0, words << 3);
  return at;
}

export function evaluate(
  facts: usize,
  factsCount: u32,
  asked: usize,
  askedCount: u32,
  whichAgents: u32,
  theseAgents: usize,
  agentsCount: u32,
  whichPools: u32,
  thesePools: usize,
  poolsCount: u32,
): usize {
  const a = count(whichAgents, agentsCount, agents);
  const p = count(whichPools, poolsCount, pools);
  // Each agent has a bitmap of its own where both sides are tried.
  const both = whichAgents != NONE && whichPools != NONE;
  const line = ((both ? p : a * p) + 63) >> 6;
  const words = both ? a * line : line;
  let numbers: u32 = 0;
  for (let i: u32 = 0; i < askedCount; i++) numbers += u32(load<u32>(asked + (i << 2)) == PREFERENCE);
  const planes = (askedCount - numbers) * words;
  const holds = zeros(planes);
  const unknown = zeros(planes);
  const earned = take(4, numbers * a * p * 4);
  let first: u32 = 0;
  let told = earned;
  for (let i: u32 = 0; i < askedCount; i++) {
    const rule = load<u32>(asked + (i << 2));
    for (let j: u32 = 0; j < a; j++) {
      for (let k: u32 = 0; k < p; k++) {
        const said = judge(rule, row(whichAgents, theseAgents, j), row(whichPools, thesePools, k));
        if (rule == PREFERENCE) {
          store<i32>(told, said == UNKNOWN ? -1 : said * 1_000_000);
          told += 4;
        } else {
          const at = first + (both ? j * (line << 6) + k : j * p + k);
          if (said == YES) set(holds, planes, at, true);
          if (said == UNKNOWN) set(unknown, planes, at, true);
        }
      }
    }
    if (rule != PREFERENCE) first += words << 6;
  }
  next = answer;
  word(holds);
  word(planes);
  word(unknown);
  word(planes);
  word(earned);
  word(numbers * a * p);
  return answer;
}

export function afterUpdate(told: usize): void {
  top = kept;
}

export function afterEvaluate(told: usize): void {
  top = kept;
}
