//! Deep input on a small stack: whatever people nest, join into a path or chain has a bound that stands before any code
//! that goes down it, or is gone through in a loop. An embedder's thread has 2 MiB, and that is enough without optimisation too;
//! with it, a quarter is.

use std::{fmt::Write, process::Command, thread};

use bourse::{
    Inventory,
    compiled::{self, Compiled},
    diagnostic::{Code, Report},
    pipeline::Parsed,
    state::{self, Operations, Refusal, State},
};

use crate::{cli::Folder, harness};

const STACK_BYTES: usize = if cfg!(debug_assertions) { 2 << 20 } else { 512 << 10 };
const DEEP: usize = 20_000;

const FLEET: &str = "agent x { resources { cpus = 4, gpus = [\"g0\"] } }\n";
const NEED: &str = "framework f { need n { agent { cpus = 1 } } }\n";

fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK_BYTES);
        builder.spawn_scoped(scope, work).expect("a thread starts").join().expect("it ends")
    })
}

fn path(names: usize) -> String {
    vec!["a"; names].join("/")
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

/// Lets that name each other in a row, and the rule that names the last.
fn chain(links: usize) -> String {
    let mut text = String::from("let l0 = agent.weight\nagent heavy { weight = 1 }\n");
    for at in 1..links {
        writeln!(text, "let l{at} = l{} + 1", at - 1).expect("is written");
    }
    writeln!(text, "broker main {{ prefer l{} > 0 }}", links - 1).expect("is written");
    text
}

/// Classes that include each other in a row, and a need for the last.
fn classes(links: usize) -> String {
    let mut text = String::from("class c0 for agent { weight > 0 }\n");
    for at in 1..links {
        writeln!(text, "class c{at} for agent {{ is c{} }}", at - 1).expect("is written");
    }
    writeln!(text, "need m {{ agent {{ is c{} }} }}", links - 1).expect("is written");
    text
}

fn document(lists: &str) -> String {
    format!(r#"{{"format": "bourse.inventory", "version": 1, {lists}}}"#)
}

/// Deep policies, and the code that refuses each.
fn policies() -> Vec<(&'static str, String, Code)> {
    let rule = |expression: String| format!("broker main {{ require {expression} }}\n");
    let role = path(DEEP);
    vec![
        ("a role", format!("role \"{role}\" {{ weight = 2 }}\n"), Code::B0209),
        (
            "a framework's role",
            format!("framework g {{ role = \"{role}\", need n {{ agent {{ cpus = 1 }} }} }}\n"),
            Code::B0209,
        ),
        (
            "a part for a role",
            format!("agent y {{ resources for \"{role}\" {{ cpus = 1 }} }}\n"),
            Code::B0209,
        ),
        (
            "an allocation's role",
            format!("allocation z {{ framework = \"f\", role = \"{role}\", agent x {{ cpus = 1 }} }}\n"),
            Code::B0209,
        ),
        (
            "a volume for a role",
            format!(
                "provider p {{ instance i {{ pool q {{ resources {{ size = 2GB }}\n\
                 volume v {{ resources {{ size = 1GB }}, reserved for \"{role}\" }} }} }} }}\n"
            ),
            Code::B0209,
        ),
        ("a place", format!("agent y {{ domain = \"{role}\" }}\n"), Code::B0311),
        ("a place of a need", format!("need m {{ agent {{ cpus = 1 }}, within \"{role}\" }}\n"), Code::B0311),
        ("a place that a key is compared with", rule(format!("agent.domain within \"{role}\"")), Code::B0311),
        ("brackets", rule(nested("(", "true", ")", DEEP)), Code::B0105),
        ("lists", rule(format!("agent.x in {}", nested("[", "1", "]", DEEP))), Code::B0105),
        ("blocks", nested("agent y { ", "", " }", DEEP), Code::B0105),
        ("blocks of keys", format!("agent y {{ {} }}\n", nested("k { ", "z = 1", " }", DEEP)), Code::B0105),
        ("calls", rule(format!("{} > 1", nested("min(", "1", ", 2)", DEEP))), Code::B0105),
        ("negations", rule(format!("{}true", "not ".repeat(DEEP))), Code::B0114),
        ("signs", rule(format!("{}agent.x > 1", "- ".repeat(DEEP))), Code::B0114),
        ("sums", rule(format!("1{} > 1", " + 1".repeat(DEEP))), Code::B0114),
        ("defaults", rule(format!("{}1 > 1", "agent.x else ".repeat(DEEP))), Code::B0114),
        ("a pattern", rule(format!("agent.x matches \"{}\"", nested("(", "a", ")", DEEP))), Code::B0310),
        (
            "a pattern of repetitions",
            rule(format!("agent.x matches \"a{}\"", "{2}".repeat(DEEP))),
            Code::B0310,
        ),
        ("lets", chain(DEEP), Code::B0313),
        ("classes", classes(DEEP), Code::B0313),
    ]
}

/// Deep data, and the code that refuses each.
fn inventories() -> Vec<(&'static str, String, Code)> {
    let role = path(DEEP);
    let lists = nested("[", "1", "]", DEEP);
    let objects = nested("{\"k\": ", "1", "}", DEEP);
    let data = |text: String| document(&text);
    vec![
        ("a role", data(format!(r#""roles": [{{"name": "{role}"}}]"#)), Code::B0209),
        (
            "a framework's role",
            data(format!(r#""frameworks": [{{"name": "g", "role": "{role}"}}]"#)),
            Code::B0209,
        ),
        (
            "an allocation's role",
            data(format!(
                r#""allocations": [{{"name": "z", "role": "{role}", "agents": {{"x": {{"cpus": 1}}}}}}]"#
            )),
            Code::B0209,
        ),
        (
            "a part for a role",
            data(format!(r#""agents": [{{"name": "y", "reserved": {{"{role}": {{"cpus": 1}}}}}}]"#)),
            Code::B0209,
        ),
        (
            "a reservation",
            data(format!(
                r#""reservations": [{{"name": "r", "role": "{role}", "agent": "x", "resources": {{"cpus": 1}}}}]"#
            )),
            Code::B0209,
        ),
        (
            "a volume",
            data(format!(
                r#""volumes": [{{"path": "p/i/q/v", "resources": {{"size": "1GB"}}, "reserved_for": "{role}"}}]"#
            )),
            Code::B0209,
        ),
        ("a place", data(format!(r#""agents": [{{"name": "y", "domain": "{role}"}}]"#)), Code::B0311),
        ("keys", data(format!(r#""agents": [{{"name": "y", "keys": {objects}}}]"#)), Code::B0105),
        (
            "a key's lists",
            data(format!(r#""agents": [{{"name": "y", "keys": {{"k": {lists}}}}}]"#)),
            Code::B0502,
        ),
        (
            "amounts",
            data(format!(r#""agents": [{{"name": "y", "resources": {{"gpus": {lists}}}}}]"#)),
            Code::B0502,
        ),
        ("a list of agents", data(format!(r#""agents": {lists}"#)), Code::B0502),
        ("a name", data(format!(r#""agents": [{{"name": {objects}}}]"#)), Code::B0502),
        ("nothing else", lists.clone(), Code::B0502),
    ]
}

/// The most that is accepted: it goes through everything.
fn accepted() -> Vec<(&'static str, String)> {
    let rule = |name: &str, expression: String| format!("broker {name} {{ prefer {expression} }}\n");
    vec![
        ("roles", format!("framework g {{ role = \"{}\", need n {{ agent {{ cpus = 1 }} }} }}\n", path(16))),
        ("places", format!("agent far {{ domain = \"{}\" }}\n", path(16))),
        ("brackets", rule("brackets", nested("(", "agent.x > 1", ")", 60))),
        ("calls", rule("calls", format!("{} > 1", nested("min(", "agent.x", ", 2)", 60)))),
        ("negations", rule("negations", format!("{}(agent.x > 1)", "not ".repeat(125)))),
        ("sums", rule("sums", format!("agent.x{} > 1", " + 1".repeat(124)))),
        ("defaults", rule("defaults", format!("{}1 > 1", "agent.x else ".repeat(124)))),
        ("a pattern", rule("patterns", format!("agent.os matches \"{}\"", nested("(?:", "a", ")", 60)))),
        ("blocks of keys", format!("agent keys {{ {} }}\n", nested("k { ", "z = 1", " }", 60))),
        ("lets", chain(169)),
        ("classes", classes(250)),
        (
            "volumes",
            "provider p { instance i { pool q { resources { size = 100GB } } } }\n\
             need stored { agent { cpus = 1 }, volume v { count = 64, size = 1GB } }\n"
                .to_owned(),
        ),
    ]
}

fn codes(reports: &[Report]) -> Vec<Code> {
    reports.iter().flat_map(|report| &report.diagnostics).map(|problem| problem.code).collect()
}

#[test]
fn deep_policies_are_refused() {
    for (what, text, code) in policies() {
        let text = format!("{FLEET}{NEED}{text}");
        let found = on_small_stack(|| {
            let run = harness::load(&[("deep.policy", text.as_bytes())], &[]);
            assert!(run.loaded.is_none(), "{what} are loaded");
            codes(&run.reports)
        });
        assert!(found.contains(&code), "{what}: {found:?}");
    }
}

#[test]
fn deep_data_is_refused() {
    let policy =
        format!("{FLEET}{NEED}provider p {{ instance i {{ pool q {{ resources {{ size = 9GB }} }} }} }}\n");
    for (what, text, code) in inventories() {
        let line = format!("{{\"format\": \"bourse.inventory\", \"version\": 1}}\n{}\n", as_record(&text));
        for (name, text) in [("deep.json", &text), ("deep.ndjson", &line)] {
            let found = on_small_stack(|| {
                let run = harness::load(&[("p.policy", policy.as_bytes())], &[(name, text.as_bytes())]);
                assert!(run.loaded.is_none(), "{what} are loaded");
                codes(&run.reports)
            });
            assert!(found.contains(&code) || name == "deep.ndjson" && !found.is_empty(), "{what}: {found:?}");
        }
    }
}

/// The first entry of a document as a line of its own.
fn as_record(document: &str) -> String {
    let kinds = ["agents", "roles", "frameworks", "allocations", "reservations", "volumes"];
    let found = kinds.iter().find_map(|list| {
        let entry = document.split_once(&format!("\"{list}\": [{{"))?.1.strip_suffix("}]}")?;
        Some(format!("{{\"record\": \"{}\", {entry}}}", list.trim_end_matches('s')))
    });
    found.unwrap_or_else(|| document.to_owned())
}

#[test]
fn a_key_of_a_place_is_as_deep_as_a_place() {
    let policy = format!(
        "{FLEET}{NEED}schema agent {{ site: place }}\nbroker main {{ prefer agent.site within \"us\" }}\n"
    );
    let deep = document(&format!(r#""agents": [{{"name": "y", "keys": {{"site": "{}"}}}}]"#, path(DEEP)));
    let found = on_small_stack(|| {
        codes(&harness::load(&[("p.policy", policy.as_bytes())], &[("a.json", deep.as_bytes())]).reports)
    });
    assert!(found.contains(&Code::B0511), "{found:?}");
}

#[test]
fn the_deepest_that_is_accepted_goes_through_the_library() {
    for (what, text) in accepted() {
        let text = format!("{FLEET}{NEED}{text}");
        on_small_stack(|| {
            let run = harness::load(&[("deep.policy", text.as_bytes())], &[]);
            assert!(run.loaded.is_some(), "{what}: {:?}", codes(&run.reports));
            harness::parse(text.as_bytes());
            harness::offers(text.as_bytes());
        });
    }
}

#[test]
fn deep_operations_and_states_are_refused() {
    let policy = format!("{FLEET}{NEED}");
    let role = path(DEEP);
    let lists = nested("[", "1", "]", DEEP);
    let offer = |role: &str| {
        format!(
            r#"{{"op": "launch", "as": "z", "offer": {{"id": "o", "framework": "f", "need": "n", "role": "{role}",
            "agent": {{"name": "x"}}, "amounts": {{"unreserved": {{"cpus": 1}}}}, "volumes": []}}}}"#
        )
    };
    let reserve = |role: &str, amounts: &str| {
        format!(
            r#"{{"op": "reserve", "name": "r", "role": "{role}", "agent": "x", "resources": {{"gpus": {amounts}}}}}"#
        )
    };
    let cases = [
        (offer(&role), Code::B0209),
        (reserve(&role, "1"), Code::B0209),
        (reserve("eng", &lists), Code::B0502),
        (reserve("eng", &nested("{\"k\": ", "1", "}", DEEP)), Code::B0502),
    ];
    for (operation, code) in cases {
        let text = format!(r#"{{"format": "bourse.operations", "version": 1, "operations": [{operation}]}}"#);
        let found = on_small_stack(|| match Operations::from_json("o.json", text.as_bytes()) {
            Err(error) => error.report().diagnostics.iter().map(|problem| problem.code).collect(),
            Ok(operations) => {
                let parsed = Parsed::new([("p.policy", policy.as_bytes())]);
                match state::apply(&parsed, &[], &State::default(), &operations) {
                    Err(Refusal::Invalid(error)) => codes(std::slice::from_ref(error.report())),
                    Err(Refusal::Conflicts(_)) => Vec::new(),
                    Ok(_) => panic!("{:.80} is done", operation),
                }
            }
        });
        assert!(found.contains(&code), "{found:?} for {operation:.80}");
    }
    // What is read is kept whole, at its deepest too.
    let keys = nested("{\"k\": ", "[\"z\"]", "}", 64);
    let state = document(&format!(r#""serial": 1, "volumes": [{{"path": "p/i/q/v", "keys": {keys}}}]"#));
    let kept = on_small_stack(|| State::from_json("state.json", &state).expect("is read").to_json());
    assert_eq!((kept.matches("\"k\"").count(), kept.contains("[\"z\"]")), (64, true), "{kept}");
    // What an older version wrote is read back by the same limits.
    let state = document(&format!(
        r#""serial": 1, "allocations": [{{"name": "z", "framework": "f", "role": "{role}", "agents": {{"x": {{"cpus": 1}}}}}}]"#
    ));
    let error = on_small_stack(|| State::from_json("state.json", &state).expect_err("is too deep"));
    assert_eq!(codes(std::slice::from_ref(error.report())), [Code::B0209]);
    assert!(Inventory::from_json("state.json", &state).is_err());
}

#[test]
fn files_that_use_each_other_in_a_row_are_followed_in_a_loop() {
    let text = |at: usize| format!("use \"./f{}.policy\"\nagent a{at} {{}}\n", at + 1);
    let found = on_small_stack(|| {
        let first = text(0);
        let parsed = Parsed::following([("f0.policy", first.as_bytes())], |name| {
            let at: usize = name.strip_prefix('f')?.strip_suffix(".policy")?.parse().ok()?;
            Some(if at < 2_000 { text(at) } else { "agent last {}\n".to_owned() }.into_bytes())
        });
        (parsed.files.len(), parsed.problems.len())
    });
    assert_eq!(found, (2_001, 0));
}

/// A compiled policy is held to what a policy is: anybody can write one with a true checksum.
#[test]
fn deep_compiled_policies_are_refused() {
    let text = format!("{FLEET}{NEED}broker main {{ require {}(agent.x > 1) }}\n", "not ".repeat(100));
    let run = harness::load(&[("deep.policy", text.as_bytes())], &[]);
    let plan = run.loaded.expect("is loaded").plan;
    let written = |plan| {
        let compiled = Compiled { name: "deep".to_owned(), owners: bourse::emit::Owners::default(), plan };
        on_small_stack(move || {
            compiled::read(&compiled::write(&compiled)).map(|_| ()).map_err(|refused| format!("{refused:?}"))
        })
    };
    let mut fine = plan.clone();
    fine.agent_rules.clear();
    fine.tier_rules.clear();
    assert_eq!(written(fine.clone()), Ok(()));
    let mut deep = fine.clone();
    for _ in 0..DEEP {
        let last = bourse::ir::NodeId(deep.nodes.len() as u32 - 1);
        deep.nodes.push(bourse::ir::Node::Not(last));
        deep.spans.push(bourse::source::Span::default());
    }
    let refused = written(deep).expect_err("is too deep");
    assert!(refused.contains("nodes deep"), "{refused}");
    let mut role = fine;
    role.frameworks[0].role = role.symbols.intern(&path(DEEP));
    let refused = written(role).expect_err("is too deep");
    assert!(refused.contains("is not the path of a role"), "{refused:.200}");
}

#[cfg(unix)]
mod commands {
    use super::*;

    /// Runs the command with a small stack.
    fn run(folder: &Folder, args: &[&str], stdin: &str) -> crate::cli::Output {
        let mut command = Command::new("sh");
        let kib = STACK_BYTES / 1024;
        command.arg("-c").arg(format!("ulimit -s {kib} && exec \"$0\" \"$@\""));
        command.arg(env!("CARGO_BIN_EXE_bourse")).args(args).current_dir(folder.path());
        crate::cli::finish(command, stdin)
    }

    #[test]
    fn every_command_that_reads_refuses_deep_input() {
        for (what, text, code) in policies() {
            let folder = Folder::new(&[("p.policy", &format!("{FLEET}{NEED}{text}"))]);
            for command in ["check", "fmt"] {
                let output = run(&folder, &[command, "p.policy"], "");
                // A form is given to what can be read, whatever it means.
                let read = command == "fmt" && output.code == 0;
                let told = output.code == 3 && output.stderr.contains(code.name());
                assert!(told || read, "{command}, {what}: {output:?}");
            }
        }
        for (what, text, code) in inventories() {
            let folder = Folder::new(&[("p.policy", FLEET), ("i.json", &text)]);
            let output = run(&folder, &["shares", "p.policy", "-i", "i.json"], "");
            assert_eq!(output.code, 3, "{what}: {output:?}");
            assert!(output.stderr.contains(code.name()), "{what}: {output:?}");
        }
    }

    #[test]
    fn the_deepest_that_is_accepted_goes_through_every_command() {
        let all: String = accepted().into_iter().map(|(_, text)| text).collect();
        let text = format!("{FLEET}{NEED}{all}test \"t\" {{ expect f.n met }}\n");
        let folder = Folder::new(&[("p.policy", &text)]);
        let runs: [&[&str]; 12] = [
            &["check", "p.policy"],
            &["offers", "p.policy"],
            &["match", "p.policy"],
            &["explain", "f.n", "p.policy"],
            &["shares", "p.policy"],
            &["doc", "p.policy"],
            &["inventory", "p.policy"],
            &["diff", "p.policy", "p.policy"],
            &["test", "p.policy"],
            &["build", "p.policy", "-o", "p.wasm"],
            &["build", "p.policy", "--target", "native", "-o", "p.plan"],
            &["fmt", "p.policy"],
        ];
        for args in runs {
            let output = run(&folder, args, "");
            assert!(matches!(output.code, 0 | 1), "{args:?}: {output:?}");
        }
        let output = run(&folder, &["repl", "p.policy"], ":agent x\nagent.name\n");
        assert_eq!(output.code, 0, "{output:?}");
    }

    #[test]
    fn expressions_of_the_repl_are_held_to_the_same_bounds() {
        let folder = Folder::new(&[("p.policy", FLEET)]);
        for line in [
            nested("(", "1", ")", DEEP),
            format!("{}true", "not ".repeat(DEEP)),
            format!("1{}", " + 1".repeat(DEEP)),
        ] {
            let output = run(&folder, &["repl", "p.policy"], &format!("{line}\n"));
            assert_eq!(output.code, 3, "{output:?}");
        }
    }

    /// Types of a component within types: three bytes for each step down.
    #[test]
    #[cfg(feature = "wasm")]
    fn plugins_are_held_to_bounds_of_their_own() {
        let folder = Folder::new(&[("p.policy", &format!("{FLEET}{NEED}"))]);
        for kind in [0x41, 0x42] {
            let mut section = vec![1];
            (0..DEEP).for_each(|_| section.extend([kind, 1, 1]));
            section.extend([kind, 0]);
            let mut plugin = b"\0asm\x0d\0\x01\0\x07".to_vec();
            // Its length in LEB128: three bytes of seven bits.
            let length = section.len();
            plugin.extend([
                (length & 0x7f) as u8 | 0x80,
                (length >> 7 & 0x7f) as u8 | 0x80,
                (length >> 14) as u8,
            ]);
            plugin.extend(section);
            std::fs::write(folder.path().join("deep.wasm"), plugin).expect("is written");
            let output = run(&folder, &["offers", "p.policy", "--plugin", "deep.wasm"], "");
            assert!(output.stderr.contains("B0803"), "{output:?}");
            assert_eq!(run(&folder, &["inspect", "deep.wasm"], "").code, 0);
        }
    }

    #[test]
    fn tables_are_held_to_the_same_bounds() {
        let folder = Folder::new(&[("t.csv", &format!("name,team\nn,{}\n", path(DEEP)))]);
        let output =
            run(&folder, &["import", "csv", "t.csv", "--needs", "--name", "name", "--role", "team"], "");
        assert!(output.stderr.contains("B0209"), "{output:?}");
    }
}
