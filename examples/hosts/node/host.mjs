// Runs a compiled policy over a fleet: `node host.mjs FILTER.wasm FLEET.json`. See ../README.md.
//
// It needs no package: Node runs the core module itself, and columns go straight into its memory.

import { readFileSync } from "node:fs";

// The interface's numbers for what this host has: see `wit/bourse-filter.wit`.
const [AGENT, POOL] = [0, 1];
const [ATTRIBUTE, PREFER, NONE, THESE] = [0, 1, 0, 2];
const [BOOLEAN, NUMBER, TEXT, MIXED] = [0, 1, 5, 11];

const stop = (why) => {
  console.error(why);
  process.exit(1);
};

// The core module of a built plugin: the content of the first section with the number 1.
function coreModule(component) {
  for (let at = 8; ; ) {
    const section = component[at];
    let [size, shift] = [0, 0];
    do {
      at += 1;
      size += (component[at] & 127) * 2 ** shift;
      shift += 7;
    } while (component[at] > 127);
    if (section === 1) return component.subarray(at + 1, at + 1 + size);
    at += 1 + size;
  }
}

class Filter {
  constructor(component) {
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(coreModule(component))).exports;
    this.describe();
  }

  // ----- memory: numbers, records and lists as the canonical ABI lays them out -----

  // Memory that grows is another buffer: it is looked up each time.
  get view() {
    return new DataView(this.exports.memory.buffer);
  }

  word(at) {
    return this.view.getUint32(at, true);
  }

  // Where the records of the list begin whose place and length stand at an address.
  records(at, size) {
    return Array.from({ length: this.word(at + 4) }, (_, record) => this.word(at) + record * size);
  }

  text(at) {
    const bytes = new Uint8Array(this.exports.memory.buffer, this.word(at), this.word(at + 4));
    return new TextDecoder().decode(bytes);
  }

  // A list of numbers, of the type of its array: where it is, and how long.
  write(array) {
    const at = this.exports.cabi_realloc(0, 0, 8, array.byteLength) >>> 0;
    new array.constructor(this.exports.memory.buffer, at, array.length).set(array);
    return [at, array.length];
  }

  writeBits(bits) {
    const words = new BigUint64Array(Math.ceil(bits.length / 64));
    bits.forEach((bit, row) => bit && (words[row >>> 6] |= 1n << BigInt(row & 63)));
    return this.write(words);
  }

  // ----- what is asked of the filter -----

  describe() {
    const at = this.exports.describe() >>> 0;
    // The columns that rows have; what is asked for is not in this host.
    const columns = this.records(at + 16, 20).map((one, column) => {
      const [side, key, kind] = [0, 4, 16].map((offset) => this.view.getUint8(one + offset));
      if (side > POOL) return undefined;
      if (key !== ATTRIBUTE || ![BOOLEAN, NUMBER, TEXT, MIXED].includes(kind)) {
        stop("this sample has attributes that are truths, numbers and texts; the filter reads another key");
      }
      return { side, key: this.text(one + 8), kind, column };
    });
    this.columns = columns.filter(Boolean);
    const reads = this.records(at + 32, 36).map((one) => this.records(one + 28, 4).map((column) => this.word(column)));
    this.rules = this.records(at + 24, 64).map((one) => ({
      label: this.text(one),
      prefers: this.view.getUint8(one + 16) === PREFER,
      sides: this.view.getUint8(one + 44),
      reads: reads[this.word(one + 48)],
    }));
    this.literals = this.records(at + 48, 8).map((one) => this.text(one));
    if (this.word(at + 60) !== 0 || this.view.getUint8(at + 64) !== 0) {
      stop("this sample has no versions, patterns and places; the filter needs them");
    }
  }

  // Gives the fleet: of each side its rows, each the values of its keys.
  load(agents, pools) {
    // Texts are numbers, which the host gives: those that the filter compares with, then those of the fleet.
    const symbols = new Map();
    const symbol = (text) => {
      if (!symbols.has(text)) symbols.set(text, symbols.size);
      return symbols.get(text);
    };
    const literals = this.write(Uint32Array.from(this.literals, symbol));
    // A value of JSON: its kind, and what stands for it.
    const cell = (value) => {
      if (value === undefined || value === null) return undefined;
      if (typeof value === "boolean") return [BOOLEAN, Number(value)];
      if (typeof value === "string") return [TEXT, symbol(value)];
      return [NUMBER, Number.isInteger(value) ? BigInt(value) * 1_000_000n : Math.round(value * 1_000_000)];
    };
    const table = (rows, side) => {
      const columns = this.columns.filter((one) => one.side === side).flatMap(({ key, kind, column }) => {
        const cells = rows.map((row) => cell(row[key]));
        const known = cells.map((cell) => cell && [cell[0], MIXED].includes(kind));
        const values = cells.map((cell, row) => (known[row] ? cell[1] : 0));
        const list = { [BOOLEAN]: () => [0, ...this.writeBits(values), 0, 0, 0, 0] };
        list[NUMBER] = () => [1, ...this.write(BigInt64Array.from(values, BigInt)), 0, 0, 0, 0];
        list[TEXT] = () => [2, ...this.write(Uint32Array.from(values)), 0, 0, 0, 0];
        list[MIXED] = () => {
          const kinds = this.write(Uint8Array.from(cells, (cell) => cell?.[0] ?? 0));
          return [4, ...kinds, ...this.write(BigInt64Array.from(values, BigInt)), 0, 0];
        };
        const mismatched = cells.map((cell, row) => cell && !known[row]);
        return [column, ...this.writeBits(known), ...this.writeBits(mismatched), ...list[kind]()];
      });
      return [rows.length, this.write(Uint32Array.from(columns))[0], columns.length / 12];
    };
    const tables = [agents, pools].flatMap(table);
    // Nobody wants to know of symbols more than how many there are, and of versions there are none.
    const none = (words) => Array(words).fill(0);
    const snapshot = Uint32Array.from([symbols.size, ...none(8), ...literals, ...none(4), ...tables]);
    const result = this.exports.load(this.write(snapshot)[0]) >>> 0;
    if (this.view.getUint8(result) !== 0) stop(`the filter takes no such fleet: ${this.text(result + 4)}`);
  }

  // What a rule says of some agents and some pools: a function of their places. A side that it does not read is not given.
  evaluate(rule, agents, pools) {
    const side = (rows) => (rows ? [THESE, ...this.write(Uint32Array.from(rows))] : [NONE, 0, 0]);
    const asked = this.write(Uint32Array.of(rule));
    const answer = this.exports.evaluate(0, 0, ...asked, ...side(agents), ...side(pools)) >>> 0;
    const list = (at, type) => {
      return new type(this.exports.memory.buffer, this.word(answer + at), this.word(answer + at + 4)).slice();
    };
    const [holds, unknown, earned] = [list(0, BigUint64Array), list(8, BigUint64Array), list(16, Int32Array)];
    this.exports.free(answer);
    const bit = (words, at) => (words[at >>> 6] >> BigInt(at & 63)) & 1n;
    const width = pools ? pools.length : 1;
    // Each agent has a bitmap of its own, in whole words, where both sides are tried.
    const line = agents && pools ? Math.ceil(width / 64) * 64 : width;
    return (i, j) => {
      if (this.rules[rule].prefers) return earned[i * width + j];
      const at = i * line + j;
      return bit(holds, at) ? "true" : bit(unknown, at) ? "unknown" : "false";
    };
  }
}

// Rows that are alike in what a rule reads are asked about once: one row of each class, and the class of each row.
function classes(keys, rows) {
  const found = new Map();
  const some = [];
  const classed = rows.map((row, at) => {
    const alike = JSON.stringify(keys.map((key) => row[key]));
    if (!found.has(alike)) found.set(alike, some.push(at) - 1);
    return found.get(alike);
  });
  return { some, classed };
}

function main(path, fleet) {
  const filter = new Filter(readFileSync(path));
  const { agents, pools } = JSON.parse(readFileSync(fleet, "utf8"));
  const tables = [agents, pools];
  filter.load(...tables.map((rows) => rows.map((row) => row.keys)));
  filter.rules.forEach(({ label, sides, reads }, rule) => {
    const tried = tables.map((rows, side) => {
      if (((sides >> side) & 1) === 0) return { lines: [["-", 0]] };
      const keys = filter.columns.filter((one) => one.side === side && reads.includes(one.column)).map((one) => one.key);
      const { some, classed } = classes(keys, rows.map((row) => row.keys));
      return { some, lines: rows.map((row, at) => [row.name, classed[at]]) };
    });
    const verdict = filter.evaluate(rule, tried[AGENT].some, tried[POOL].some);
    for (const [agent, i] of tried[AGENT].lines) {
      for (const [pool, j] of tried[POOL].lines) console.log([label, agent, pool, verdict(i, j)].join("\t"));
    }
  });
}

main(...process.argv.slice(2));
