"""Runs a compiled policy over a fleet: `python host.py FILTER.wasm FLEET.json`. See ../README.md.

Columns go straight into the memory of the core module. Through the component they would be converted number by number.
"""

import json
import struct
import sys

from wasmtime import Config, Engine, Instance, Module, Store

# The interface's numbers for what this host has: see `wit/bourse-filter.wit`.
SIDES = AGENT, POOL = 0, 1
ATTRIBUTE, PREFER, NONE, THESE = 0, 1, 0, 2

BOOLEAN, NUMBER, TEXT, MIXED = KINDS = 0, 1, 5, 11


def core_module(component):
    """The core module of a built plugin: the content of the first section with the number 1."""
    at = 8
    while True:
        section, size, shift = component[at], 0, 0
        while True:
            at, shift = at + 1, shift + 7
            size |= (component[at] & 127) << shift - 7
            if component[at] < 128:
                break
        if section == 1:
            return component[at + 1 : at + 1 + size]
        at += 1 + size


class Filter:
    def __init__(self, component):
        config = Config()
        config.consume_fuel = True
        self.store = Store(Engine(config))
        # What it may take: bytes of memory; instructions, here of all calls together.
        self.store.set_limits(memory_size=128 << 20)
        self.store.set_fuel(10_000_000_000)
        module = Module(self.store.engine, core_module(component))
        self.exports = Instance(self.store, module, []).exports(self.store)
        self.describe()

    def call(self, name, *arguments):
        return self.exports[name](self.store, *arguments)

    # ----- memory: numbers, records and lists as the canonical ABI lays them out -----

    def read(self, form, at):
        size = struct.calcsize("<" + form)
        return struct.unpack("<" + form, self.exports["memory"].read(self.store, at, at + size))

    def read_list(self, form, at):
        """The records of the list whose place and length stand at an address."""
        start, count = self.read("II", at)
        size = struct.calcsize("<" + form)
        return [self.read(form, start + size * item) for item in range(count)]

    def text(self, start, length):
        return self.read(f"{length}s", start)[0].decode()

    def write(self, form, *values):
        data = struct.pack("<" + form, *values)
        at = self.call("cabi_realloc", 0, 0, 8, len(data))
        self.exports["memory"].write(self.store, data, at)
        return at

    def write_list(self, form, items):
        """A list of numbers: where it is, and how long."""
        return self.write(f"{len(items)}{form}", *items), len(items)

    def write_bits(self, bits):
        words = [0] * ((len(bits) + 63) // 64)
        for row, bit in enumerate(bits):
            words[row // 64] |= bool(bit) << row % 64
        return self.write_list("Q", words)

    # ----- what is asked of the filter -----

    def describe(self):
        at = self.call("describe")
        # Side, key, kind and number of each column that rows have; what is asked for is not in this host.
        self.columns = []
        for column, (side, key, start, length, kind) in enumerate(self.read_list("B3xB3xIIB3x", at + 16)):
            if side in SIDES and (key != ATTRIBUTE or kind not in KINDS):
                sys.exit("this sample has attributes that are truths, numbers and texts; the filter reads another key")
            if side in SIDES:
                self.columns.append((side, self.text(start, length), kind, column))
        conditions = self.read("II", at + 32)[0]
        self.rules = []
        for start, length, purpose, sides, whole in self.read_list("II8xB27xB3xI12x", at + 24):
            reads = [column for (column,) in self.read_list("I", conditions + 36 * whole + 28)]
            self.rules.append((self.text(start, length), purpose == PREFER, sides, reads))
        self.literals = [self.text(*literal) for literal in self.read_list("II", at + 48)]
        if self.read("IB", at + 60) != (0, 0):
            sys.exit("this sample has no versions, patterns and places; the filter needs them")

    def load(self, agents, pools):
        """Gives the fleet: of each side its rows, each the values of its keys."""
        # Texts are numbers, which the host gives: those that the filter compares with, then those of the fleet.
        symbols = {}

        def symbol(text):
            return symbols.setdefault(text, len(symbols))

        def cell(value):
            """A value of JSON: its kind, and what stands for it. No kind: it is not there."""
            if value is None:
                return None, 0
            if isinstance(value, bool):
                return BOOLEAN, int(value)
            return (TEXT, symbol(value)) if isinstance(value, str) else (NUMBER, round(value * 1_000_000))

        literals = self.write_list("I", [symbol(text) for text in self.literals])
        tables = []
        for side, rows in ((AGENT, agents), (POOL, pools)):
            columns = []
            for _, key, kind, column in (one for one in self.columns if one[0] == side):
                cells = [cell(row.get(key)) for row in rows]
                known = [of is not None and kind in (of, MIXED) for of, _ in cells]
                mismatched = [of is not None and not knows for (of, _), knows in zip(cells, known)]
                values = [value if knows else 0 for (_, value), knows in zip(cells, known)]
                columns += [column, *self.write_bits(known), *self.write_bits(mismatched)]
                if kind == BOOLEAN:
                    columns += [0, *self.write_bits(values), 0, 0, 0, 0]
                elif kind == NUMBER:
                    columns += [1, *self.write_list("q", values), 0, 0, 0, 0]
                elif kind == TEXT:
                    columns += [2, *self.write_list("I", values), 0, 0, 0, 0]
                else:
                    kinds = self.write_list("B", [of or 0 for of, _ in cells])
                    columns += [4, *kinds, *self.write_list("q", values), 0, 0]
            tables += [len(rows), self.write_list("I", columns)[0], len(columns) // 12]
        # Nobody wants to know of symbols more than how many there are, and of versions there are none.
        result = self.call("load", self.write("21I", len(symbols), *[0] * 8, *literals, *[0] * 4, *tables))
        if self.read("B", result) != (0,):
            sys.exit("the filter takes no such fleet: " + self.text(*self.read("II", result + 4)))

    def evaluate(self, rule, agents, pools):
        """What a rule says of some agents and some pools; `None` is a side that it does not read."""
        tried = []
        for rows in (agents, pools):
            tried += [NONE, 0, 0] if rows is None else [THESE, *self.write_list("I", rows)]
        answer = self.call("evaluate", 0, 0, *self.write_list("I", [rule]), *tried)
        holds, unknown = ([word for (word,) in self.read_list("Q", answer + at)] for at in (0, 8))
        earned = [earned for (earned,) in self.read_list("i", answer + 16)]
        self.call("free", answer)
        width, height = (1 if rows is None else len(rows) for rows in (pools, agents))
        # Each agent has a bitmap of its own, in whole words, where both sides are tried.
        line = width if agents is None or pools is None else (width + 63) // 64 * 64

        def bit(words, at):
            return words[at // 64] >> at % 64 & 1

        def verdict(i, j):
            if self.rules[rule][1]:
                return earned[i * width + j]
            at = i * line + j
            return "true" if bit(holds, at) else "unknown" if bit(unknown, at) else "false"

        return [[verdict(i, j) for j in range(width)] for i in range(height)]


def classes(plugin, side, reads, rows):
    """Rows that are alike in what a rule reads are asked about once: one row of each class, and the class of each row."""
    keys = [key for of, key, _, column in plugin.columns if of == side and column in reads]
    found, classed = {}, []
    for at, row in enumerate(rows):
        alike = json.dumps([row.get(key) for key in keys])
        classed.append(found.setdefault(alike, (len(found), at))[0])
    return [at for _, at in found.values()], classed


def main(path, fleet):
    with open(path, "rb") as file:
        plugin = Filter(file.read())
    with open(fleet, encoding="utf-8") as file:
        fleet = json.load(file)
    fleet = fleet["agents"], fleet["pools"]
    plugin.load(*([row["keys"] for row in rows] for rows in fleet))
    for rule, (label, _, sides, reads) in enumerate(plugin.rules):
        asked, lines = [], []
        for side in SIDES:
            if sides >> side & 1:
                some, classed = classes(plugin, side, reads, [row["keys"] for row in fleet[side]])
                asked.append(some)
                lines.append([(row["name"], at) for row, at in zip(fleet[side], classed)])
            else:
                asked.append(None)
                lines.append([("-", 0)])
        verdicts = plugin.evaluate(rule, *asked)
        for agent, i in lines[AGENT]:
            for pool, j in lines[POOL]:
                print(label, agent, pool, verdicts[i][j], sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
