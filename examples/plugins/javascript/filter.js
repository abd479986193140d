// The sample filter in JavaScript. See ../README.md for what it does and how it is built. Lists of 64-bit numbers are
// `BigUint64Array` and `BigInt64Array`, so that every bit of a bitmap is exact.

const MILLION = 1_000_000;

const [GPUS, AGENT_SITE, POOL_SITE, CLASS, SSD] = [0, 1, 2, 3, 4];

const column = (side, name, kind) => ({ side, key: { tag: "attribute", val: name }, kind, required: false });

// A condition about the first column it reads.
const condition = (text, want, ...reads) => ({ text, want, subject: reads[0], operand: false, reads });

const rule = (label, purpose, sides, whole) => ({
  label,
  labelled: true,
  purpose,
  scope: { tag: "everyone" },
  sides,
  whole,
  conditions: [whole],
});

const required = { tag: "require" };

const self = {
  name: "sample",
  producer: "by hand, in JavaScript",
  columns: [
    column("agent", "gpus", "number"),
    column("agent", "site", "text"),
    column("pool", "site", "text"),
    column("pool", "class", "text"),
    column("pool", "ssd", "boolean"),
  ],
  rules: [
    rule("gpus", required, { agent: true }, 0),
    rule("site", required, { agent: true, pool: true }, 1),
    rule("not-archive", required, { pool: true }, 2),
    rule("ssd", { tag: "prefer", val: 10n * BigInt(MILLION) }, { pool: true }, 3),
  ],
  conditions: [
    condition("agent.gpus >= 2", ">= 2", GPUS),
    condition("agent.site == pool.site", "== pool.site", AGENT_SITE, POOL_SITE),
    condition('pool.class != "archive"', '!= "archive"', CLASS),
    condition("pool.ssd == true", "== true", SSD),
  ],
  expressions: [],
  literals: ["archive"],
  versionLiterals: [],
  wants: {},
};

// ----- the fleet: by column, and without those that were never given -----

const fleet = [];
const rows = { agents: 0, pools: 0 };
let archive;

const bit = (words, row) => ((words[row >>> 6] >> BigInt(row & 63)) & 1n) === 1n;

// A column as JavaScript has it: the value of each row, or nothing, where it is absent or of another kind.
function values({ known, cells }, count) {
  const value = cells.tag === "booleans" ? (row) => bit(cells.val, row) : (row) => cells.val[row];
  return Array.from({ length: count }, (_, row) => (bit(known, row) ? value(row) : undefined));
}

function load(given) {
  [archive] = given.literals;
  for (const side of ["agents", "pools"]) {
    rows[side] = given[side].rows;
    for (const data of given[side].columns) fleet[data.column] = values(data, rows[side]);
  }
}

function update(what) {
  for (const side of ["agents", "pools"]) {
    const { rows: count, changed, columns } = what[side];
    if (count !== rows[side]) throw "it takes no new rows";
    for (const data of columns) {
      const news = values(data, changed.length);
      changed.forEach((row, at) => (fleet[data.column][row] = news[at]));
    }
  }
}

// ----- the rules -----

// A side that is not tried has one candidate, of no row and without any keys.
const value = (column, row) => (row === undefined ? undefined : fleet[column]?.[row]);

// True, false, or nothing where it is unknown.
function judge(rule, agent, pool) {
  switch (rule) {
    case 0: {
      const gpus = value(GPUS, agent);
      return gpus === undefined ? undefined : gpus >= 2n * BigInt(MILLION);
    }
    case 1: {
      const [site, other] = [value(AGENT_SITE, agent), value(POOL_SITE, pool)];
      return site === undefined || other === undefined ? undefined : site === other;
    }
    case 2: {
      const kind = value(CLASS, pool);
      return kind === undefined ? undefined : kind !== archive;
    }
    default:
      return value(SSD, pool);
  }
}

function tried({ tag, val }, count) {
  if (tag === "none") return [undefined];
  return tag === "all" ? Array.from({ length: count }, (_, row) => row) : Array.from(val);
}

// One bit for each truth, in whole words.
function bitmap(truths) {
  const words = new BigUint64Array(Math.ceil(truths.length / 64));
  truths.forEach((truth, at) => truth && (words[at >>> 6] |= 1n << BigInt(at & 63)));
  return words;
}

function evaluate(asked) {
  const agents = tried(asked.agents, rows.agents);
  const pools = tried(asked.pools, rows.pools);
  // Each agent has a bitmap of its own where both sides are tried.
  const both = asked.agents.tag !== "none" && asked.pools.tag !== "none";
  const [holds, unknown, earned] = [[], [], []];
  for (const rule of asked.rules) {
    const said = agents.map((agent) => pools.map((pool) => judge(rule, agent, pool)));
    for (const line of both ? said : [said.flat()]) {
      if (self.rules[rule].purpose.tag === "prefer") {
        earned.push(...line.map((truth) => (truth === undefined ? -1 : Number(truth) * MILLION)));
      } else {
        holds.push(...bitmap(line.map((truth) => truth === true)));
        unknown.push(...bitmap(line.map((truth) => truth === undefined)));
      }
    }
  }
  return {
    holds: BigUint64Array.from(holds),
    unknown: BigUint64Array.from(unknown),
    earned: Int32Array.from(earned),
  };
}

export const filter = { describe: () => self, load, update, evaluate };
