//! What plugins cost: `cargo bench --features wasm --bench plugins`. Prints the best and the median of many runs; nothing is
//! asserted. Says as well how long the slowest code takes to compile that the limits let through.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads the clock, and files"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hint::black_box,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bourse::{
    check::Strictness,
    inventory::ledger::Ledger,
    pipeline::{Extra, Loaded, Parsed},
    plugin::{Changed, Grants, Host, Kept, Limits, Question, Rows, Shelf, View, add_columns},
};

#[path = "../tests/plugins/made.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod made;

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Shelf for Memory {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().expect("held").get(name).cloned()
    }

    fn put(&self, name: &str, sealed: &[u8]) {
        self.0.lock().expect("held").insert(name.to_owned(), sealed.to_owned());
    }
}

fn measure<R>(what: &str, runs: usize, mut run: impl FnMut() -> R) {
    let mut took: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("{what:<52} best {:>10.1?}   median {:>10.1?}   of {runs}", took[0], took[runs / 2]);
}

fn fleet(agents: usize, about: &bourse::plugin::About) -> Loaded {
    let mut text = String::from("need n { agent { cpus = 1 } }\n");
    for at in 0..agents {
        let _ = writeln!(
            text,
            "agent a{at} {{ gpus = {}, os = \"linux-{}\", site = \"s{}\" }}",
            at % 9,
            at % 40,
            at % 100
        );
    }
    let parsed = Parsed::new([("fleet.policy", text.as_bytes())]);
    let extra = Extra::default();
    let checked = parsed.check(&extra, Strictness::default());
    checked.load_with(&extra, |plan| add_columns(plan, about)).expect("binds")
}

/// Code that is as slow to compile as the limits let it be.
fn slow(functions: usize, locals: usize, blocks: usize) -> Vec<u8> {
    let mut body = String::new();
    for at in 0..blocks {
        let (a, b, c) = (at % locals, (at * 7 + 3) % locals, (at * 13 + 5) % locals);
        let _ = write!(
            body,
            "(if (i64.eqz (local.get {a})) (then (local.set {b} (i64.add (local.get {c}) (local.get {b})))))"
        );
    }
    let more =
        format!("(func (param i64) (result i64) (local {}) {body} local.get 0)", "i64 ".repeat(locals - 1));
    made::Made { more: more.repeat(functions), ..made::Made::default() }.component()
}

fn main() {
    let host = Host::new(Limits::default()).expect("runs");
    let mut plain = made::Made::default();
    // Columns of the shape that policies read: an amount and two texts.
    for (name, kind) in [("os", 5), ("site", 5)] {
        plain.description.columns.push(made::Column {
            side: 0,
            key: (0, name.to_owned()),
            kind,
            required: false,
        });
    }
    let bytes = plain.component();
    println!("a plugin of {} bytes, by hand", bytes.len());
    measure("install, cold: look over, compile, try", 50, || {
        host.install("p", &bytes, &Grants::all()).expect("installs")
    });
    let shelf = Arc::new(Memory::default());
    let kept = Kept::new([7; 32], shelf);
    host.install_kept("p", &bytes, &Grants::all(), &kept).expect("installs");
    measure("install, kept: unseal, load, try", 200, || {
        host.install_kept("p", &bytes, &Grants::all(), &kept).expect("installs")
    });
    let plugin = host.install("p", &bytes, &Grants::all()).expect("installs");
    let none = fleet(0, plugin.about());
    let nothing = Ledger::new(&none.world);
    let nobody = View { plan: &none.plan, world: &none.world, ledger: &nothing };
    measure("an instance with an empty fleet", 200, || plugin.load(nobody).expect("loads"));
    for agents in [5_000, 50_000] {
        let loaded = fleet(agents, plugin.about());
        let ledger = Ledger::new(&loaded.world);
        let view = View { plan: &loaded.plan, world: &loaded.world, ledger: &ledger };
        measure(&format!("load {agents} agents, 3 columns"), 30, || plugin.load(view).expect("loads"));
        let mut filter = plugin.load(view).expect("loads");
        let question =
            Question { subject: None, volume: None, rules: &[0], agents: Rows::All, pools: Rows::None };
        measure(&format!("ask about {agents} agents (constant rule)"), 200, || {
            filter.evaluate(view, &question).expect("answers")
        });
        measure("tell that one agent changed", 200, || {
            filter
                .update(view, Changed { agents: &[agents / 2], pools: &[], only_counted: false })
                .expect("takes")
        });
    }
    for (what, (functions, locals, blocks)) in [
        ("one function, 500 values", (1, 500, 1_800)),
        ("9 functions, 200 values", (9, 200, 500)),
        ("250 functions, 30 values", (250, 30, 100)),
    ] {
        let bytes = slow(functions, locals, blocks);
        let what = format!("slowest to compile: {what}, {} KiB", bytes.len() >> 10);
        measure(&what, 3, || host.install("slow", &bytes, &Grants::all()).expect("installs"));
    }
}
