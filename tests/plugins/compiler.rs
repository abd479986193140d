//! Compiling in a process of its own: what takes too long or too much is ended and refused, and what is no compiler is not
//! believed. No time is measured: what is looked at is how it ends, and the limits that were set.

use std::fmt::Write as _;

use bourse::plugin::{Broken, Compiler, Fault, Grants, Host, Limits, Plugin};

use super::made::Made;

fn bourse() -> Compiler {
    Compiler::bourse(env!("CARGO_BIN_EXE_bourse"))
}

fn install(limits: Limits, compiler: Compiler, bytes: &[u8]) -> Result<Plugin, Fault> {
    Host::with_compiler(limits, compiler)?.install("bomb.wasm", bytes, &Grants::all())
}

fn with(more: String) -> Vec<u8> {
    Made { more, ..Made::default() }.component()
}

/// Values that are all live at once, since what adds them up has no effect of its own and is put off to the end; as a tree of
/// additions, each function as large as may be.
fn trees() -> Vec<u8> {
    fn tree(leaves: usize, at: &mut usize) -> String {
        if leaves == 1 {
            *at += 1;
            return format!("(i64.div_u (i64.const {at}) (local.get 0))");
        }
        let left = tree(leaves / 2, at);
        format!("(i64.add {left} {})", tree(leaves - leaves / 2, at))
    }
    let one = format!("(func (param i64) (result i64) {})", tree(6_500, &mut 0));
    with(one.repeat(9))
}

/// Results of calls, all on the stack before the first is used.
fn live_results() -> Vec<u8> {
    let calls = "(call_indirect (type $one) (i32.const 1))".repeat(8_000);
    let one = format!("(func (result i64) {calls} {})", "i64.add ".repeat(7_999));
    with(format!("(type $one (func (result i64))) (table 10 funcref) {}", one.repeat(14)))
}

/// Calls through a table, each of which becomes blocks and checks.
fn indirect() -> Vec<u8> {
    let one = format!("(func {})", "(call_indirect (type $none) (i32.const 1))".repeat(10_000));
    with(format!("(type $none (func)) (table 10 funcref) {}", one.repeat(15)))
}

fn bombs() -> [(&'static str, Vec<u8>); 3] {
    [("trees", trees()), ("live results", live_results()), ("indirect calls", indirect())]
}

#[test]
fn bombs_are_refused_by_their_form() {
    for (name, bytes) in bombs() {
        let host = Host::in_process(Limits::default()).expect("runs");
        let fault = host.install("bomb.wasm", &bytes, &Grants::all()).expect_err("is refused");
        assert_eq!(fault.broken, Broken::Size, "{name}: {fault}");
        assert!(fault.message.contains("steps of compiling"), "{name}: {fault}");
    }
}

#[test]
fn bombs_that_no_look_finds_are_ended_by_their_limits() {
    // Nothing is refused by what it seems to cost: what is left is what the system bounds.
    let unlooked = Limits { compile_work: u64::MAX, compile_seconds: 1, ..Limits::default() };
    for (name, bytes) in bombs() {
        let fault = install(unlooked.clone(), bourse(), &bytes).expect_err("is ended");
        assert_eq!((fault.broken, fault.code().name()), (Broken::Compile, "B0815"), "{name}: {fault}");
        assert!(fault.message.contains("more than 1 s of CPU time"), "{name}: {fault}");
    }
    let small = Limits {
        compile_work: u64::MAX,
        compile_seconds: 600,
        compile_memory_bytes: 96 << 20,
        ..Limits::default()
    };
    let fault = install(small, bourse(), &live_results()).expect_err("is ended");
    assert_eq!(fault.broken, Broken::Compile, "{fault}");
    assert!(fault.message.contains("bytes of memory do not suffice"), "{fault}");
}

#[test]
fn what_is_compiled_apart_is_what_is_compiled_here() {
    let bytes = Made::default().component();
    let apart = install(Limits::default(), bourse(), &bytes).expect("installs");
    let here = Host::in_process(Limits::default()).expect("runs");
    let here = here.install("bomb.wasm", &bytes, &Grants::all()).expect("installs");
    assert_eq!((apart.about(), apart.hash()), (here.about(), here.hash()));
    // What is wrong with a component is told as if it had been compiled here.
    let mut text = String::from("(component (core module");
    write!(text, " (func (result i32) i64.const 1)").expect("writes");
    let bad = wat::parse_str(format!("{text}))")).expect("parses");
    let said = |host: Result<Plugin, Fault>| host.expect_err("is invalid");
    let apart = said(install(Limits::default(), bourse(), &bad));
    let here = Host::in_process(Limits::default()).expect("runs");
    assert_eq!(apart, said(here.install("bomb.wasm", &bad, &Grants::all())));
    assert_eq!(apart.broken, Broken::Valid, "{apart}");
}

#[cfg(unix)]
#[test]
fn what_is_no_compiler_is_not_believed() {
    let bytes = Made::default().component();
    let limits = Limits { compile_wall_seconds: 1, component_bytes: 10_000, ..Limits::default() };
    let shell = |line: &str| Compiler::new("/bin/sh", ["-c", line]);
    for (compiler, broken, said) in [
        (Compiler::bourse("/nowhere/bourse"), Broken::Compiler, "does not start"),
        (Compiler::bourse("/bin/cat"), Broken::Compiler, "gave no answer"),
        (shell("exec cat"), Broken::Compiler, "answers something else"),
        (shell("exit 3"), Broken::Compiler, "gave no answer"),
        // Sealed by nobody, and by another key.
        (shell(r"cat >/dev/null; printf '\001'"), Broken::Compiler, "is not of this version"),
        (shell(r"printf '\001'; exec cat"), Broken::Compiler, "is not of this version"),
        (shell("exec sleep 1000"), Broken::Compile, "within 1 s on the wall"),
        (shell("sleep 1000 & exit 0"), Broken::Compile, "within 1 s on the wall"),
        (shell("exec yes"), Broken::Compile, "machine code has more than"),
        (shell("exec >/dev/null; exec sleep 1000"), Broken::Compiler, "it does not end"),
        (shell("kill -9 $$"), Broken::Compile, "signal 9"),
    ] {
        let shown = format!("{compiler:?}");
        let fault = install(limits.clone(), compiler, &bytes).expect_err("is no compiler");
        assert_eq!(fault.broken, broken, "{shown}: {fault}");
        assert!(fault.message.contains(said), "{shown}: {fault}");
        assert_eq!(fault.code().name(), "B0815");
    }
}

/// The command that compiles bounds itself: the limits are those that the system holds.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_compiled_but_on_request() {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_bourse"))
        .arg("compile-plugin")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("runs");
    assert_ne!(run.status.code(), Some(0));
    assert!(run.stdout.is_empty());
    assert!(String::from_utf8_lossy(&run.stderr).contains("B0815"), "{run:?}");
}
