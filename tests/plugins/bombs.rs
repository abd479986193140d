//! Components made to be slow to compile: refused by their form, or compiled in bounded time.

use std::{collections::BTreeMap, fmt::Write as _, time::Instant};

use bourse::plugin::{Broken, Fault, Grants, Host, Limits};

use super::{generated, made::Made};

/// An honest plugin with more in its core module.
fn with(more: &str) -> Vec<u8> {
    Made { more: more.to_owned(), ..Made::default() }.component()
}

fn install(bytes: &[u8]) -> Result<(), Fault> {
    let host = Host::in_process(Limits::default()).expect("runs");
    host.install("bomb.wasm", bytes, &Grants::all()).map(drop)
}

#[track_caller]
fn too_large(bytes: &[u8], said: &str) {
    let start = Instant::now();
    let fault = install(bytes).expect_err("is too large");
    assert_eq!(fault.broken, Broken::Size, "{fault}");
    assert!(fault.message.contains(said), "`{said}` is not said by: {fault}");
    // It is refused before anything compiles it.
    assert!(start.elapsed().as_secs() < 20, "{fault}");
}

#[test]
fn what_is_beyond_the_form_is_not_compiled() {
    too_large(&with(&"(func)".repeat(5_000)), "functions; at most 4000");
    too_large(&with("(func (local i32 i32) (local i64))").repeat(2_000), "bytes; at most 1048576");
    too_large(
        &with(&format!("(func (local {}))", "i64 ".repeat(600))),
        "locals in one function; at most 512",
    );
    let deep = format!("(func {} {})", "(block ".repeat(200), ")".repeat(200));
    too_large(&with(&deep), "blocks open at once; at most 128");
    let targets = "0 ".repeat(600);
    too_large(
        &with(&format!("(func (block (br_table {targets} (i32.const 0))))")),
        "targets in one `br_table`",
    );
    let long = "(drop (i32.const 1000000))".repeat(14_000);
    too_large(&with(&format!("(func {long})")), "bytes in one function; at most 65536");
    too_large(&with(&format!("(func (param {}))", "i64 ".repeat(100))), "parameters in one function");
    too_large(&with(&format!("(type (func (result {})))", "i64 ".repeat(100))), "results in one function");
    let steps = format!("(func (local {}) {})", "i64 ".repeat(500), "(br_if 0 (i32.const 0))".repeat(9_000));
    too_large(&with(&steps), "steps of compiling");
    too_large(&with(&"(global i32 (i32.const 0))".repeat(5_000)), "types, imports, exports and the like");
    let types: String =
        (0..5_000).map(|at| format!("(type (func (param i32) (result i64)) (; {at} ;))")).collect();
    too_large(&with(&types), "types, imports, exports and the like");
    let mut nested = String::from("(component)");
    for _ in 0..12 {
        nested = format!("(component {nested})");
    }
    too_large(&wat::parse_str(nested).expect("parses"), "components within it");
    let record = format!(
        "(component (type (record {})))",
        (0..90).map(|at| format!("(field \"f{at}\" u8)")).collect::<String>()
    );
    too_large(&wat::parse_str(record).expect("parses"), "fields in one record");
}

#[test]
fn types_that_grow_are_refused() {
    for levels in [16, 30, 60] {
        let mut text = String::from("(component (type $t0 (tuple u64 u64))");
        for at in 1..levels {
            write!(text, "(type $t{at} (tuple $t{0} $t{0}))", at - 1).expect("writes");
        }
        write!(text, "(import \"f\" (func (param \"x\" $t{}))))", levels - 1).expect("writes");
        let start = Instant::now();
        let fault = install(&wat::parse_str(text).expect("parses")).expect_err("is refused");
        assert!(matches!(fault.broken, Broken::Valid | Broken::NoImports), "{fault}");
        assert!(start.elapsed().as_secs() < 20, "{levels}: {fault}");
    }
}

/// Code that is as slow to compile as the limits let it be: many values that live across many blocks.
pub fn slow(functions: usize, locals: usize, blocks: usize) -> String {
    let mut body = String::new();
    for at in 0..blocks {
        let (a, b, c) = (at % locals, (at * 7 + 3) % locals, (at * 13 + 5) % locals);
        write!(
            body,
            "(if (i64.eqz (local.get {a})) (then (local.set {b} (i64.add (local.get {c}) (local.get {b})))))"
        )
        .expect("writes");
    }
    format!("(func (param i64) (result i64) (local {}) {body} local.get 0)", "i64 ".repeat(locals - 1))
        .repeat(functions)
}

#[test]
fn the_slowest_that_is_allowed_is_compiled_in_time() {
    let slowest = [slow(1, 400, 600), slow(5, 150, 250), slow(80, 30, 80)];
    for (at, code) in slowest.iter().enumerate() {
        let start = Instant::now();
        install(&with(code)).unwrap_or_else(|fault| panic!("{at}: {fault}"));
        let took = start.elapsed();
        eprintln!("slow code {at}: {took:?}");
        assert!(took.as_secs() < 120, "{at}: {took:?}");
    }
}

#[test]
fn whatever_is_generated_ends_in_an_answer_or_a_fault() {
    let honest = Made::default().component();
    let mut seen: BTreeMap<Option<Broken>, usize> = BTreeMap::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for case in 0..200_usize {
        let mut data = vec![case as u8];
        let length = if case % 4 == 0 { 4 } else { 1_500 };
        data.extend((0..length).map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        }));
        let ended = generated::install(&data, &honest);
        if let Err(fault) = &ended {
            assert_eq!(fault.plugin, "generated.wasm");
        }
        *seen.entry(ended.err().map(|fault| fault.broken)).or_default() += 1;
    }
    // Some are harmless, some are not: else it looks at nothing.
    let met = [None, Some(Broken::Valid), Some(Broken::Memory), Some(Broken::NoTrap)];
    assert!(met.iter().all(|kind| seen.contains_key(kind)), "{seen:?}");
}
