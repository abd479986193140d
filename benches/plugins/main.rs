//! What plugins cost: `cargo bench --features wasm --bench plugins`. Prints the best and the median of many runs, and at the
//! end every goal with what was measured; no time is asserted. What is compared with the native engine is the same question,
//! seen to have the same answer, in the same run. Says as well how long the slowest code takes to compile that the limits let
//! through.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::float_arithmetic,
    reason = "a benchmark reads the clock, and files, and shows ratios"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bourse::{
    Policy,
    check::Strictness,
    inventory::ledger::Ledger,
    pipeline::{Extra, Loaded, Parsed},
    plugin::{
        Changed, CodeCache, FleetView, Grants, Host, Limits, Question, SealedCache, TriedRows, add_columns,
    },
};

#[path = "../../tests/emitted/host.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod host;
#[path = "../../tests/plugins/made.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod made;
mod measure;
mod query;

use measure::{Goals, Took};

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl CodeCache for Memory {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().expect("held").get(name).cloned()
    }

    fn put(&self, name: &str, sealed: &[u8]) {
        self.0.lock().expect("held").insert(name.to_owned(), sealed.to_owned());
    }
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

fn show(what: &str, took: Took) -> Took {
    println!("{what:<60} best {:>10.1?}   median {:>10.1?}", took.best, took.median);
    took
}

/// The plugins of `policies/`, by folder: text to bytes.
fn compiled(goals: &mut Goals) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let folders = fs::read_dir(root).expect("policies").map(|entry| entry.expect("an entry").path());
    let mut built: Vec<(String, Vec<u8>, Took)> = Vec::new();
    for folder in folders.filter(|path| path.is_dir()) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join(format!("{name}.policy"))).expect("a policy");
        let compile = || {
            let policy = Policy::compile([(name.as_str(), text.as_str())]).expect("a policy");
            query::plugin(&policy.fleet(&[]).expect("a fleet")).bytes
        };
        let took = Took::of(20, compile);
        built.push((name.clone(), compile(), took));
    }
    built.sort_by_key(|(_, bytes, _)| bytes.len());
    for (name, bytes, took) in &built {
        show(&format!("compile {name}, {} bytes", bytes.len()), *took);
    }
    let slowest = built.iter().max_by_key(|one| one.2.median).expect("policies");
    let (name, largest, _) = built.last().expect("policies");
    goals.bytes(format!("the largest plugin of policies/ ({name})"), 8 << 10, largest.len());
    goals.time(
        format!("compile, the slowest of policies/ ({})", slowest.0),
        Duration::from_millis(5),
        slowest.2,
    );
    largest.clone()
}

fn install(goals: &mut Goals, host: &Host, bytes: &[u8]) {
    let cold = Took::of(50, || host.install("p", bytes, &Grants::all()).expect("installs"));
    show("install, cold: look over, compile, try", cold);
    goals.time("install the largest, cold", Duration::from_millis(10), cold);
    let kept = SealedCache::new([7; 32], Arc::new(Memory::default()));
    host.install_kept("p", bytes, &Grants::all(), &kept).expect("installs");
    let warm = Took::of(400, || host.install_kept("p", bytes, &Grants::all(), &kept).expect("installs"));
    show("install, kept: unseal, load, try", warm);
    goals.time("install it from what is kept, an instance included", Duration::from_micros(100), warm);
}

fn load(goals: &mut Goals, host: &Host) {
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
    let plugin = host.install("p", &bytes, &Grants::all()).expect("installs");
    let none = fleet(0, plugin.about());
    let nothing = Ledger::new(&none.world);
    let nobody = FleetView { plan: &none.plan, world: &none.world, ledger: &nothing };
    show("an instance with an empty fleet", Took::of(200, || plugin.load(nobody).expect("loads")));
    let agents = 50_000;
    let loaded = fleet(agents, plugin.about());
    let ledger = Ledger::new(&loaded.world);
    let view = FleetView { plan: &loaded.plan, world: &loaded.world, ledger: &ledger };
    let took = Took::of(30, || plugin.load(view).expect("loads"));
    show("load 50000 agents, 3 columns", took);
    goals.time("load 50,000 agents, 3 columns", Duration::from_millis(5), took);
    let mut filter = plugin.load(view).expect("loads");
    let question =
        Question { subject: None, volume: None, rules: &[0], agents: TriedRows::All, pools: TriedRows::None };
    let asked = Took::of(200, || filter.evaluate(view, &question).expect("answers"));
    show("ask about 50000 agents (constant rule)", asked);
    let changed = Changed { agents: &[agents / 2], pools: &[], only_counted: false };
    // The fleet of `view`, in which this agent alone has other keys: told by turns, so that each time one row has changed.
    let mut later = loaded.clone();
    later.world.agents[agents / 2].cells = later.world.agents[agents / 2 + 1].cells.clone();
    let views = [FleetView { plan: &later.plan, world: &later.world, ledger: &ledger }, view];
    let mut turn = 0;
    let told = Took::of(200, || {
        turn += 1;
        filter.update(views[(turn - 1) % 2], changed).expect("takes");
    });
    show("tell that one agent changed", told);
}

fn ask(goals: &mut Goals, host: &Host) {
    let fleet = query::fleet(50_000);
    let built = query::plugin(&fleet);
    let view = query::view(&fleet);
    let plugin = host.install("rules", &built.bytes, &Grants::all()).expect("installs");
    let loaded = Took::of(20, || plugin.load(view).expect("loads"));
    show("load 50000 agents, 6 columns and the tree of places", loaded);
    let mut filter = plugin.load(view).expect("loads");
    for (label, native, plugin) in query::ask(&fleet, &mut filter) {
        println!(
            "rule {label:<10} of 50000 agents   native {:>9.1?}   plugin {:>9.1?}   {:.2} x",
            native.median,
            plugin.median,
            plugin.ratio(&native)
        );
        let what = format!("rule {label} of 50,000 agents, times native");
        goals.times(what, 12.0, plugin.ratio(&native));
    }
    let (plain, metered) = query::metering(&fleet, &built);
    show("all rules without fuel and deadline", plain);
    show("all rules with fuel and deadline", metered);
    goals.percent("fuel and deadlines, of the same question", 10.0, 100.0 * (metered.ratio(&plain) - 1.0));
}

fn main() {
    let host = Host::in_process(Limits::default()).expect("runs");
    let mut goals = Goals::default();
    let largest = compiled(&mut goals);
    install(&mut goals, &host, &largest);
    load(&mut goals, &host);
    ask(&mut goals, &host);
    for (what, (functions, locals, blocks)) in [
        ("one function, 500 values", (1, 500, 1_800)),
        ("9 functions, 200 values", (9, 200, 500)),
        ("250 functions, 30 values", (250, 30, 100)),
    ] {
        let bytes = slow(functions, locals, blocks);
        let what = format!("slowest to compile: {what}, {} KiB", bytes.len() >> 10);
        show(&what, Took::of(3, || host.install("slow", &bytes, &Grants::all()).expect("installs")));
    }
    goals.print();
}
