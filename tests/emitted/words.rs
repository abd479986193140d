//! Sixty-four rows at once and row by row: a plugin says the same either way, of every comparison that has a form of its own,
//! for rows with a value, without one, with one of another type, and with anything at all where no value is known.

use bourse::{
    Policy, emit,
    symbol::Symbols,
    types::Side,
    value::{Value, Version},
};

use super::host::{Cell, Cells, Fact, Numbering, Question, Rows, Running, Snapshot, Table};
use crate::properties::Numbers;

/// What a rule asks of a side, `SIDE` being its name.
const CONDITIONS: [&str; 24] = [
    "SIDE.n >= 2",
    "SIDE.n > 2",
    "SIDE.n <= 2",
    "SIDE.n < 2",
    "SIDE.n == 2",
    "SIDE.n != 2",
    "3 > SIDE.n",
    "3 <= SIDE.n",
    "SIDE.n >= framework.n and framework.n < 100",
    "SIDE.t == \"a\"",
    "SIDE.t != \"b\"",
    "SIDE.t == framework.t or framework.t == \"nobody\"",
    "SIDE.d within \"us\"",
    "SIDE.d within \"us/a\" and SIDE.n < 4",
    "SIDE.d within framework.d or framework.d within \"nowhere\"",
    "SIDE.v < v\"5.0\"",
    "SIDE.v >= v\"5.0\"",
    "SIDE.s has \"a\"",
    "\"b\" in SIDE.s",
    "SIDE.b",
    "not SIDE.b",
    "SIDE.b or SIDE.t == \"a\"",
    "not (SIDE.b and (SIDE.n < 2 or SIDE.t matches \"a|b\"))",
    "SIDE is odd-SIDE",
];
const TEXTS: [&str; 9] = ["a", "b", "c", "us", "us/a", "us/a/r", "us/b", "eu", "eu/a"];
const VERSIONS: [&str; 4] = ["4.9", "5.0", "5.0.0", "6"];

fn policy() -> String {
    let mut text = "class odd-agent for agent { b or n == 3 }\nclass odd-pool for pool { b or n == 3 }
        framework f { role = \"r\", n = 2, t = \"b\", d = \"us\"
          need x { agent { cpus = 1 } } }\nbroker main { levels region > zone\n"
        .to_owned();
    for side in ["agent", "pool"] {
        // What `d`, `s` and `t` are is told once for all.
        let typed = CONDITIONS.iter().map(|condition| condition.replace("SIDE", side));
        text.extend(typed.map(|condition| format!("require {condition}\n")));
    }
    text + "}"
}

fn value(n: &mut Numbers, symbols: &Symbols, key: &str) -> Value {
    let text = |n: &mut Numbers, from: usize, count: u64| {
        symbols.find(TEXTS[from + n.below(count) as usize]).expect("known")
    };
    match key {
        "n" => Value::Quantity(bourse::quantity::Dimension::Number, n.below(5) as i64 * 1_000_000),
        "t" => Value::Text(text(n, 0, 3)),
        "d" => Value::Place(text(n, 3, 6)),
        "v" => Value::Version(Version::parse(VERSIONS[n.below(4) as usize]).expect("a version").into()),
        "b" => Value::Bool(n.chance(50)),
        _ => {
            let mut members: Vec<_> = (0..n.below(4)).map(|_| text(n, 0, 3)).collect();
            members.sort_unstable();
            members.dedup();
            Value::Texts(members.into())
        }
    }
}

/// Puts anything where no value is known.
fn spoil(n: &mut Numbers, cells: &mut Cells, known: &[u64]) {
    let unknown = |row: usize| known[row / 64] >> (row % 64) & 1 == 0;
    match cells {
        Cells::Booleans(words) => words.iter_mut().zip(known).for_each(|(word, known)| *word |= !known),
        Cells::Integers(cells) => {
            cells.iter_mut().enumerate().filter(|(row, _)| unknown(*row)).for_each(|(_, cell)| {
                *cell = n.next() as i64;
            });
        }
        Cells::Numbers(cells) => {
            cells.iter_mut().enumerate().filter(|(row, _)| unknown(*row)).for_each(|(_, cell)| {
                *cell = n.next() as u32;
            });
        }
        Cells::Sets(sets) => {
            sets.spans.iter_mut().enumerate().filter(|(row, _)| unknown(*row)).for_each(|(_, span)| {
                *span = n.next();
            });
        }
        Cells::Mixed(_) => {}
    }
}

fn compare(seed: u64, rows: usize, given: bool) -> [u64; 3] {
    let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let text = policy();
    let policy = Policy::compile([("words.policy", text.as_str())]).unwrap_or_else(|error| panic!("{error}"));
    let fleet = policy.fleet(&[]).expect("a fleet");
    let plugin = emit::plugin(fleet.plan(), &emit::Owners::default(), "words").expect("a plugin");
    let mut symbols = fleet.plan().symbols.clone();
    TEXTS.iter().for_each(|text| {
        symbols.intern(text);
    });
    let mut numbering = Numbering::new(symbols);
    let mut running = Running::new(&plugin.bytes);
    let (mut tables, mut facts) = ([Vec::new(), Vec::new()], Vec::new());
    for (number, column) in plugin.manifest.columns.iter().enumerate() {
        let emit::KeyName::Attribute(key) = &column.key else { panic!("{column:?}") };
        assert_ne!(column.kind, emit::ColumnKind::Mixed, "{column:?}");
        let cell = |n: &mut Numbers| match n.below(10) {
            0 => Cell::Absent,
            1 => Cell::Mismatch,
            _ => Cell::Value(value(n, &numbering.symbols, key)),
        };
        match column.side {
            Side::Agent | Side::Pool => {
                let cells: Vec<Cell> = (0..rows).map(|_| cell(&mut n)).collect();
                let mut data = numbering.column(number as u32, column.kind, &cells);
                spoil(&mut n, &mut data.cells, &data.known);
                tables[usize::from(column.side == Side::Pool)].push(data);
            }
            _ if given => {
                let value = value(&mut n, &numbering.symbols, key);
                facts.push(Fact { column: number as u32, value: numbering.given(&value) });
            }
            _ => {}
        }
    }
    let literal = |text: &String| numbering.symbols.find(text).expect("known").index() as u32;
    let literals = plugin.manifest.literals.iter().map(literal).collect();
    let parse = |text: &String| Version::parse(text).expect("a version");
    let version_literals =
        plugin.manifest.versions.iter().map(|text| numbering.version(&parse(text))).collect();
    let count = numbering.symbols.len();
    let symbols = numbering.table(count);
    let [agents, pools] = tables.map(|columns| Table { rows: rows as u32, columns });
    let versions = numbering.ranks();
    running
        .load(&Snapshot { symbols, literals, versions, version_literals, agents, pools })
        .expect("takes it");
    let mut seen = [0; 3];
    let rules: Vec<u32> = (0..plugin.manifest.rules.len() as u32).collect();
    for of_agents in [true, false] {
        let mut ask = |tried: Rows| {
            let (agents, pools) = if of_agents { (tried, Rows::None) } else { (Rows::None, tried) };
            running.evaluate(&Question { facts: facts.clone(), rules: rules.clone(), agents, pools })
        };
        let (words, by_rows) = (ask(Rows::All), ask(Rows::These((0..rows as u32).collect())));
        let each = rows.div_ceil(64);
        for rule in &rules {
            let plane = *rule as usize * each..(*rule as usize + 1) * each;
            let shown =
                &plugin.manifest.conditions[plugin.manifest.rules[*rule as usize].whole as usize].text;
            assert_eq!(words.holds[plane.clone()], by_rows.holds[plane.clone()], "seed {seed}: {shown}");
            assert_eq!(words.unknown[plane.clone()], by_rows.unknown[plane], "seed {seed}: {shown}");
        }
        let ones = |words: &[u64]| words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        let (holds, unknown) = (ones(&words.holds), ones(&words.unknown));
        let all = (rules.len() * rows) as u64;
        seen = [seen[0] + holds, seen[1] + unknown, seen[2] + all - holds - unknown];
    }
    seen
}

#[test]
fn sixty_four_rows_are_judged_as_each_of_them() {
    let mut seen = [0; 3];
    for seed in 0..6 {
        for (rows, given) in [(200, true), (64, true), (128, false), (63, true), (0, true)] {
            let more = compare(seed, rows, given);
            seen.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
    assert!(seen.iter().all(|count| *count > 1_000), "holds, unknown, false: {seen:?}");
}
