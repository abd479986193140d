//! Plugins that attack their host. Each gives a fault that names the plugin and the rule that it broke, within its limits:
//! nothing panics, hangs, or takes more than it may.

use std::time::{Duration, Instant};

use bourse::{
    inventory::ledger::Ledger,
    plugin::{Broken, CandidateQuestion, Changed, Fault, Grants, Host, Limits, Question, TriedRows},
};

use super::{
    bound,
    made::{ANSWER, Description, FILTER, Made, TOLD, answer, wrap},
    view,
};

/// How long one attack may take at the most, on a machine that does much else: no call has half of it.
const PATIENCE: Duration = Duration::from_secs(60);

const FLEET: &str = "agent a1 { gpus = 4 } agent a2 { gpus = 1 } agent a3 { os = \"linux\" }
    need n { agent { cpus = 1 } }";

/// The same fleet, in which two agents have changed.
const LATER: &str = "agent a1 { gpus = 5 } agent a2 { gpus = 1 } agent a3 { gpus = 2, os = \"linux\" }
    need n { agent { cpus = 1 } }";

/// Installs a plugin, gives it a fleet, changes this, asks, and asks for reasons; gives the first fault.
fn run(limits: Limits, bytes: &[u8]) -> Result<(), Fault> {
    let host = Host::in_process(limits)?;
    let plugin = host.install("evil.wasm", bytes, &Grants::all())?;
    let loaded = bound(FLEET, &[plugin.about()]);
    let ledger = Ledger::new(&loaded.world);
    let view = view(&loaded, &ledger);
    let mut filter = plugin.load(view)?;
    let later = bound(LATER, &[plugin.about()]);
    let later = super::view(&later, &ledger);
    let question =
        Question { subject: None, volume: None, rules: &[0], agents: TriedRows::All, pools: TriedRows::None };
    let mut asked = || {
        filter.update(later, Changed { agents: &[0, 2], ..Changed::default() })?;
        filter.evaluate(view, &question)?;
        // What `evaluate` leaves behind is met at the next one.
        filter.evaluate(view, &question)?;
        let candidate =
            CandidateQuestion { subject: None, volume: None, conditions: &[0], agent: Some(1), pool: None };
        filter.explain(view, &candidate).map(drop)
    };
    let result = asked();
    if let Err(fault) = &result {
        // It is gone: whatever is asked next says so.
        assert!(!filter.is_sound(), "{fault}");
        let again = filter.evaluate(view, &question).expect_err("is gone");
        assert_eq!(again.broken, Broken::Sound, "{again}");
    }
    result
}

#[track_caller]
fn breaks(limits: Limits, bytes: &[u8], broken: Broken, said: &str) {
    let start = Instant::now();
    let fault = run(limits, bytes).expect_err("breaks a rule");
    let took = start.elapsed();
    assert_eq!((fault.plugin.as_str(), fault.broken), ("evil.wasm", broken), "{fault}");
    assert!(fault.message.contains(said), "`{said}` is not said by: {fault}");
    let text = fault.diagnostic().message;
    assert!(text.contains("`evil.wasm`") && text.contains(&format!("(rule `{broken}`)")), "{text}");
    assert!(took < PATIENCE, "{fault}: {took:?}");
}

/// A plugin that is honest but for one thing.
#[track_caller]
fn breaks_with(change: impl FnOnce(&mut Made), broken: Broken, said: &str) {
    let mut made = Made::default();
    change(&mut made);
    breaks(Limits::default(), &made.component(), broken, said);
}

/// A plugin whose description is honest but for one thing.
#[track_caller]
fn describes(change: impl FnOnce(&mut Description), broken: Broken, said: &str) {
    breaks_with(|made| change(&mut made.description), broken, said);
}

const ENDLESS: &str = "(loop $on (br $on)) unreachable";

#[test]
fn the_plugin_that_attacks_begin_with_is_honest() {
    run(Limits::default(), &Made::default().component()).expect("keeps the rules");
}

#[test]
fn what_is_no_component_is_refused() {
    let no = |bytes: &[u8], broken, said| breaks(Limits::default(), bytes, broken, said);
    no(b"", Broken::Wasm, "it is empty");
    no(b"MZ\x90\0 some program", Broken::Wasm, "not WebAssembly");
    no(b"(module)", Broken::Wasm, "as text");
    no(b"\0asm", Broken::Valid, "within its header");
    no(b"\0asm\x01\0\0\0", Broken::Component, "core module");
    no(b"\0asm\x77\0\0\0", Broken::Component, "unknown version");
    let whole = Made::default().component();
    for part in [9, 100, whole.len() / 2, whole.len() - 1] {
        let fault = run(Limits::default(), &whole[..part]).expect_err("is cut short");
        assert!(matches!(fault.broken, Broken::Valid | Broken::World), "{part}: {fault}");
    }
    let memory64 = "(component (core module (memory i64 1)))";
    no(&wat::parse_str(memory64).expect("parses"), Broken::Valid, "memory64");
    let shared = "(component (core module (memory 1 1 shared)))";
    no(&wat::parse_str(shared).expect("parses"), Broken::Valid, "thread");
    let relaxed = "(component (core module (func (param v128 v128) (result v128)
        (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))))";
    no(&wat::parse_str(relaxed).expect("parses"), Broken::Valid, "relaxed");
}

#[test]
fn another_world_or_version_is_refused() {
    let honest = Made::default().text();
    breaks(Limits::default(), b"\0asm\x0d\0\x01\0", Broken::World, "exports no `bourse:filter/filter@0.1.0`");
    let later = honest.replace("@0.1.0", "@0.2.0");
    let later = wrap(&later, "plugin", |wit| wit.replace("filter@0.1.0;", "filter@0.2.0;"));
    breaks(Limits::default(), &later, Broken::Version, "`bourse:filter/filter@0.2.0`");
    let other = honest.replace("bourse:filter/", "acme:filter/");
    let other = wrap(&other, "plugin", |wit| wit.replace("package bourse:", "package acme:"));
    breaks(Limits::default(), &other, Broken::World, "`acme:filter/filter@0.1.0`");
    let wit = |wit: String| wit.replace("holds: list<u64>,", "holds: list<s64>,");
    breaks(Limits::default(), &wrap(&honest, "plugin", wit), Broken::World, "");
    let fewer = honest.replace(&format!("{FILTER}#update"), "gone");
    let wit = |wit: String| wit.replace("  update: func(what: changes) -> result<_, string>;", "");
    breaks(Limits::default(), &wrap(&fewer, "plugin", wit), Broken::World, "update");
}

#[test]
fn nothing_is_had_from_outside() {
    let text = Made::default().text().replacen("(module", "(module (import \"$root\" \"clock\" (func))", 1);
    let import = |wit: String| wit.replace("world plugin {", "world plugin { import clock: func();");
    breaks(Limits::default(), &wrap(&text, "plugin", import), Broken::NoImports, "`clock`");
}

#[test]
fn what_does_not_end_is_ended() {
    let fuel = |change: fn(&mut Made)| breaks_with(change, Broken::Fuel, "50");
    fuel(|made| made.start = ENDLESS.to_owned());
    fuel(|made| made.describe = ENDLESS.to_owned());
    fuel(|made| made.realloc = ENDLESS.to_owned());
    fuel(|made| made.load = ENDLESS.to_owned());
    fuel(|made| made.update = ENDLESS.to_owned());
    fuel(|made| made.evaluate = ENDLESS.to_owned());
    fuel(|made| made.after = ENDLESS.to_owned());
    // Nor is one that calls into the engine, nor one that clears memory: fuel is in proportion to time.
    fuel(|made| {
        made.describe = "(loop $on (drop (memory.grow (i32.const 0))) (br $on)) unreachable".to_owned();
    });
    // An instruction that fills all memory is not one instruction.
    fuel(|made| {
        made.describe =
            "(loop $on (memory.fill (i32.const 0) (i32.const 0) (i32.const 2097152)) (br $on)) unreachable"
                .to_owned();
    });
}

#[test]
fn a_deadline_ends_what_fuel_does_not() {
    let limits = Limits { fuel: u64::MAX / 2, deadline_ms: 100, ..Limits::default() };
    let made = Made { describe: ENDLESS.to_owned(), ..Made::default() };
    breaks(limits.clone(), &made.component(), Broken::Deadline, "100 ms on the wall");
    let made = Made { start: ENDLESS.to_owned(), ..Made::default() };
    breaks(limits, &made.component(), Broken::Deadline, "100 ms");
}

#[test]
fn memory_tables_and_stack_are_bounded() {
    breaks_with(
        |made| made.memory = "(memory (export \"memory\") 65536)".to_owned(),
        Broken::Memory,
        "asks for 4294967296 bytes",
    );
    let grows = "(loop $on (drop (memory.grow (i32.const 64))) (br $on)) unreachable";
    breaks_with(|made| made.describe = grows.to_owned(), Broken::Memory, "of memory");
    breaks_with(|made| made.evaluate = grows.to_owned(), Broken::Memory, "of memory");
    breaks_with(|made| made.more = "(table 1000000 funcref)".to_owned(), Broken::Table, "1000000 elements");
    breaks_with(
        |made| {
            made.more = "(table $t 1 funcref)".to_owned();
            made.load =
                "(loop $on (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $on)) unreachable"
                    .to_owned();
        },
        Broken::Table,
        "elements of tables",
    );
    let memories = "(memory 600)".repeat(8);
    breaks_with(|made| made.more = memories, Broken::Memory, "of memory");
    let memories = "(memory 0)".repeat(40);
    breaks_with(|made| made.more = memories, Broken::Instances, "instances, memories or tables");
    breaks_with(
        |made| {
            made.more = "(func $deep (param i64 i64 i64) (result i64)
                (i64.add (local.get 0) (call $deep (local.get 1) (local.get 2) (local.get 0))))"
                .to_owned();
            made.describe =
                "(drop (call $deep (i64.const 1) (i64.const 2) (i64.const 3))) unreachable".to_owned();
        },
        Broken::Stack,
        "used up its stack",
    );
}

#[test]
fn instances_are_bounded() {
    let instances = "(core instance (instantiate $m))".repeat(100);
    let text = format!("(component (core module $m) {instances})");
    let many = wat::parse_str(text).expect("parses");
    breaks(Limits::default(), &many, Broken::World, "exports no");
    let instances = "(core instance (instantiate $m))".repeat(1000);
    let text = format!("(component (core module $m) {instances})");
    breaks(Limits::default(), &wat::parse_str(text).expect("parses"), Broken::Size, "instances");
    let modules = "(core module)".repeat(100);
    let text = format!("(component {modules})");
    breaks(Limits::default(), &wat::parse_str(text).expect("parses"), Broken::Size, "core modules");
}

#[test]
fn traps_are_faults() {
    for body in ["unreachable", "(i32.div_u (i32.const 1) (i32.const 0))", "(i32.load (i32.const -4))"] {
        breaks_with(|made| made.describe = body.to_owned(), Broken::NoTrap, "it was stopped");
        breaks_with(|made| made.load = body.to_owned(), Broken::NoTrap, "it was stopped");
        breaks_with(|made| made.evaluate = body.to_owned(), Broken::NoTrap, "it was stopped");
    }
    breaks_with(|made| made.start = "unreachable".to_owned(), Broken::NoTrap, "it was stopped");
    breaks_with(
        |made| made.more = "(data (i32.const -1) \"x\")".to_owned(),
        Broken::NoTrap,
        "it was stopped",
    );
}

#[test]
fn wild_pointers_and_lengths_are_faults() {
    for pointer in ["i32.const -16", "i32.const 2097148", "i32.const 65537"] {
        breaks_with(|made| made.describe = pointer.to_owned(), Broken::Form, "");
        breaks_with(|made| made.load = pointer.to_owned(), Broken::Form, "");
        breaks_with(|made| made.evaluate = pointer.to_owned(), Broken::Form, "");
    }
    breaks_with(|made| made.realloc = "i32.const -16".to_owned(), Broken::Form, "");
    breaks_with(|made| made.realloc = "i32.const 3".to_owned(), Broken::Form, "");
    for lists in [
        [(8, u32::MAX), (8, 1), (0, 0)],
        [(u32::MAX - 7, 1), (8, 1), (0, 0)],
        [(9, 1), (8, 1), (0, 0)],
        [(8, 1), (0x20_0000, 1), (0, 0)],
        [(8, 1), (8, 1), (8, 0x4000_0000)],
    ] {
        breaks_with(|made| made.evaluate = answer(lists), Broken::Form, "");
    }
}

#[test]
fn what_is_no_text_or_no_case_is_a_fault() {
    let bend = |at: i32, byte: u8, broken, said: &str| {
        breaks_with(
            |made| {
                made.describe = format!(
                    "(i32.store8 (i32.add (global.get $told) (i32.const {at})) (i32.const {byte})) global.get $told"
                );
            },
            broken,
            said,
        );
    };
    // The first bytes of the texts, and of the list of columns, are reached by what points at them.
    let at_pointer = |field: i32, offset: i32, byte: u8, broken, said: &str| {
        breaks_with(
            |made| {
                made.describe = format!(
                    "(i32.store8 (i32.add (i32.load (i32.add (global.get $told) (i32.const {field}))) (i32.const {offset}))
                       (i32.const {byte})) global.get $told"
                );
            },
            broken,
            said,
        );
    };
    at_pointer(0, 0, 0xff, Broken::Form, "utf-8");
    at_pointer(16, 0, 200, Broken::Form, "");
    at_pointer(16, 4, 99, Broken::Form, "");
    at_pointer(16, 16, 12, Broken::Form, "");
    at_pointer(24, 16, 3, Broken::Form, "");
    // The name's length: a text that ends beyond memory.
    bend(7, 0x7f, Broken::Form, "");
}

#[test]
fn a_plugin_cannot_claim_more_results_than_it_may() {
    // Some kilobytes of plugin, gigabytes of results: a long list of texts that are all the same bytes.
    breaks_with(
        |made| {
            made.describe = format!(
                "(local $at i32)
                 (loop $on
                   (i32.store (i32.add (i32.const 0x100000) (local.get $at)) (i32.const 0))
                   (i32.store offset=4 (i32.add (i32.const 0x100000) (local.get $at)) (i32.const 65536))
                   (local.set $at (i32.add (local.get $at) (i32.const 8)))
                   (br_if $on (i32.lt_u (local.get $at) (i32.const 800000))))
                 (i32.store offset=48 (global.get $told) (i32.const 0x100000))
                 (i32.store offset=52 (global.get $told) (i32.const 100000))
                 (memory.fill (i32.const 0) (i32.const 97) (i32.const {TOLD}))
                 global.get $told"
            );
        },
        Broken::Results,
        "hands back more than",
    );
    let all = (8, 0x3_0000);
    breaks_with(|made| made.evaluate = answer([all, all, (0, 0)]), Broken::Results, "hands back more");
    // A long reason for a refusal is one, too.
    breaks_with(
        |made| {
            made.load = "(i32.store8 (i32.const 32) (i32.const 1)) (i32.store (i32.const 36) (i32.const 64))
                (i32.store (i32.const 40) (i32.const 2000000)) i32.const 32"
                .to_owned();
        },
        Broken::Results,
        "hands back more",
    );
}

#[test]
fn a_description_that_does_not_hold_is_refused() {
    describes(|told| told.rules[0].whole = 9, Broken::Description, "condition 9, which is not there");
    describes(|told| told.rules[0].conditions = vec![0, 1], Broken::Description, "condition 1");
    describes(|told| told.conditions[0].reads = vec![0, 4], Broken::Description, "column 4");
    describes(|told| told.conditions[0].subject = Some(u32::MAX), Broken::Description, "column 4294967295");
    describes(
        |told| told.columns.push(told.columns[0].clone()),
        Broken::Description,
        "`agent.gpus` as two columns",
    );
    describes(|told| told.columns[0].key.1.clear(), Broken::Description, "without a name");
    describes(|told| told.rules[0].sides = 2, Broken::Description, "reads keys of the agent");
    describes(|told| told.rules[0].purpose = (1, i64::MIN), Broken::Description, "out of range");
    describes(|told| told.version_literals = vec!["v?".to_owned()], Broken::Description, "`v?`");
    describes(|told| told.name = "x".repeat(5_000), Broken::Description, "5000 bytes");
    describes(
        |told| {
            let column = |at| super::made::Column { key: (0, format!("k{at}")), ..told.columns[0].clone() };
            told.columns = (0..1_001).map(column).collect();
        },
        Broken::Description,
        "1001 columns",
    );
    // So many rules are more than an answer may hold by default.
    let limits = Limits { result_bytes: 8 << 20, ..Limits::default() };
    let mut made = Made::default();
    made.description.rules = vec![made.description.rules[0].clone(); 10_001];
    breaks(limits, &made.component(), Broken::Description, "10001 rules");
    breaks(Limits::default(), &made.component(), Broken::Results, "hands back more");
}

#[test]
fn columns_that_are_not_granted_are_not_seen() {
    let host = Host::in_process(Limits::default()).expect("runs");
    let mut made = Made::default();
    let plugin = host.install("vendor.wasm", &made.component(), &Grants::none()).expect("can do without");
    assert_eq!(plugin.withheld(), [0]);
    made.description.columns[0].required = true;
    let fault = host.install("vendor.wasm", &made.component(), &Grants::none()).expect_err("needs it");
    assert_eq!(fault.broken, Broken::Grant, "{fault}");
    assert!(fault.message.contains("`agent.gpus`"), "{fault}");
    let grants = Grants::none()
        .key(bourse::types::Side::Agent, bourse::plugin::about::KeyName::Attribute("gpus".into()));
    host.install("vendor.wasm", &made.component(), &grants).expect("is granted");
}

/// Preferences of a stranger add up to no more than was granted.
#[test]
fn weights_are_capped() {
    let host = Host::in_process(Limits::default()).expect("runs");
    let mut made = Made::default();
    let preference = |weight| super::made::Rule { purpose: (1, weight), ..made.description.rules[0].clone() };
    let rules = [preference(60_000_000), preference(-40_000_000)];
    let more = [&rules[..], &[preference(1)]].concat();
    made.description.rules = rules.to_vec();
    let hundred = made.component();
    made.description.rules = more;
    let over = made.component();
    let install = |bytes: &[u8], grants: &Grants| host.install("vendor.wasm", bytes, grants);
    for strangers in [Grants::none(), Grants::provider("array")] {
        install(&hundred, &strangers).expect("weighs 100");
        let fault = install(&over, &strangers).expect_err("weighs more");
        assert_eq!((fault.broken, fault.code().name()), (Broken::Weight, "B0804"), "{fault}");
        assert!(fault.message.contains("weigh 101 together; at most 100 is granted"), "{fault}");
        install(&over, &strangers.clone().weight_at_most(101)).expect("is granted");
        install(&hundred, &strangers.weight_at_most(0)).expect_err("may only require");
    }
    install(&over, &Grants::all()).expect("is the operator's own");
    install(&over, &Grants::all().weight_at_most(100)).expect_err("is capped by name");
}

#[test]
fn answers_of_the_wrong_shape_are_faults() {
    let lists = |lists| breaks_with(|made| made.evaluate = answer(lists), Broken::Length, "instead of");
    lists([(8, 0), (8, 1), (0, 0)]);
    lists([(8, 2), (8, 2), (0, 0)]);
    lists([(8, 1), (8, 0), (0, 0)]);
    lists([(8, 1), (8, 1), (8, 3)]);
    let words = |holds: i64, unknown: i64, broken, said: &str| {
        let fill = format!(
            "(i64.store (i32.const {0}) (i64.const {holds})) (i64.store (i32.const {1}) (i64.const {unknown})) {2}",
            ANSWER + 64,
            ANSWER + 72,
            answer([(ANSWER + 64, 1), (ANSWER + 72, 1), (0, 0)])
        );
        breaks_with(|made| made.evaluate = fill, broken, said);
    };
    words(8, 0, Broken::Rows, "beyond the 3");
    words(0, -8, Broken::Rows, "beyond the 3");
    words(3, 2, Broken::Range, "both true and unknown");
    for earned in [-2, 1_000_001, i32::MIN] {
        let fill = format!(
            "(i32.store (i32.const {0}) (i32.const {earned})) {1}",
            ANSWER + 64,
            answer([(8, 0), (8, 0), (ANSWER + 64, 3)])
        );
        breaks_with(
            |made| {
                made.description.rules[0].purpose = (1, 5_000_000);
                made.evaluate = fill;
            },
            Broken::Range,
            &format!("earns {earned}"),
        );
    }
}

#[test]
fn a_refusal_is_told_and_safe_to_print() {
    let refuses = "(i32.store8 (i32.const 32) (i32.const 1)) (i32.store (i32.const 36) (i32.const 64))
        (i32.store (i32.const 40) (i32.const 8)) i32.const 32";
    breaks_with(
        |made| {
            made.more = "(data (i32.const 64) \"no \\1b[31mX\")".to_owned();
            made.load = refuses.to_owned();
        },
        Broken::Accept,
        "does not take the fleet: no \\u{1b}[31",
    );
    // One that takes no changes is given the fleet anew: it only fails where it refuses that too.
    let made = Made { update: refuses.to_owned(), ..Made::default() };
    run(Limits::default(), &made.component()).expect("is loaded again");
}

#[test]
fn explanations_are_checked() {
    // The list of outcomes of one condition: 56 bytes each, at 128.
    let told = |stores: &str, count: u32| {
        format!(
            "{stores} (i32.store (i32.const {ANSWER}) (i32.const 128)) (i32.store offset=4 (i32.const {ANSWER}) (i32.const {count}))
             i32.const {ANSWER}"
        )
    };
    let explains = |stores: &str, count, broken, said: &str| {
        breaks_with(|made| made.explain = Some(told(stores, count)), broken, said);
    };
    let made = Made { explain: Some(told("", 1)), ..Made::default() };
    run(Limits::default(), &made.component()).expect("explains");
    explains("", 0, Broken::Length, "0 conditions instead of 1");
    explains("", 9, Broken::Length, "9 conditions instead of 1");
    explains("(i32.store8 (i32.const 128) (i32.const 3))", 1, Broken::Form, "");
    explains(
        "(i32.store8 (i32.const 132) (i32.const 1))",
        1,
        Broken::Range,
        "expression 0, which is not there",
    );
    let operand = |case: u8, word: u64| {
        format!(
            "(i32.store8 (i32.const 144) (i32.const 1)) (i32.store8 (i32.const 152) (i32.const {case}))
             (i64.store (i32.const 160) (i64.const {word}))"
        )
    };
    explains(&operand(5, 999), 1, Broken::Range, "text 999, which is not there");
    explains(&operand(6, 0), 1, Broken::Range, "version 0, which is not there");
    explains(&operand(10, 3 << 32 | 160), 1, Broken::Range, "a range without an end");
    explains(&operand(9, 2 << 32 | 256), 1, Broken::Range, "out of order");
    explains(&operand(11, 0), 1, Broken::Form, "");
    explains("", u32::MAX, Broken::Form, "");
    breaks_with(|made| made.explain = Some(ENDLESS.to_owned()), Broken::Fuel, "instructions");
}
