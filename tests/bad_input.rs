//! Input that is wrong: each case gives the code that it names, at a place, with a help, in the style of the house, and
//! nothing panics or takes long.
//!
//! A case of `tests/bad/` is a file. Its first line is `// expect: B0102 B0107`; in JSON the codes are in its name
//! (`B0503-unknown-field.json`). A folder `tests/bad/NAME/` is a case of several files, with the codes in its name.

use std::{collections::BTreeSet, fs, path::Path};

use bourse::{
    cycle,
    diagnostic::{Code, Diagnostic, Render, Report},
};

use crate::harness::{Run, load};

/// Every problem that cases give, in the style of the house: or what is wrong with it.
fn against_style(report: &Report, problem: &Diagnostic) -> Option<String> {
    let complain = |what: &str| Some(format!("{what}: {} {}", problem.code, problem.message));
    let message = problem.message.as_str();
    // Data begins with the way to a value, as it is written there.
    let begins = message.split(": ").last().unwrap_or(message);
    if begins.chars().next().is_some_and(char::is_uppercase) && !message.starts_with('`') {
        return complain("begins with a capital letter");
    }
    if message.ends_with('.') {
        return complain("ends in a full stop");
    }
    let help = problem.help.as_deref().unwrap_or("");
    if problem.is_error() && help.is_empty() {
        return complain("has no help");
    }
    for text in [message, help] {
        let rust =
            ["Option", "Some(", "None", "Vec<", "Rule::", "String", "i64", "u32", "usize", "Err(", "::"];
        if let Some(word) = rust.iter().find(|word| text.contains(**word)) {
            return complain(&format!("names `{word}`"));
        }
        if text.chars().count() > 400 {
            return complain("is too long to be read");
        }
    }
    let Some(label) = problem.labels.first() else { return complain("has no place") };
    let text = report.sources.get(label.span.source).text;
    if label.span.end as usize > text.len() || !text.is_char_boundary(label.span.start as usize) {
        return complain("points outside of its source");
    }
    None
}

/// The codes of a run, after its problems have been held against the style.
fn codes(name: &str, run: &Run) -> BTreeSet<Code> {
    let mut found = BTreeSet::new();
    let problems =
        run.reports.iter().flat_map(|report| report.diagnostics.iter().map(move |it| (report, it)));
    let wrong: Vec<String> =
        problems.filter_map(|(report, problem)| against_style(report, problem)).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    for report in &run.reports {
        for problem in &report.diagnostics {
            found.insert(problem.code);
        }
        // Rendering has to hold for every input too.
        assert_eq!(report.render(Render::Human(false)).is_empty(), report.diagnostics.is_empty(), "{name}");
        assert!(serde_json::from_str::<serde_json::Value>(&report.render(Render::Json)).is_ok(), "{name}");
    }
    found
}

fn expect(name: &str, policy: &[u8], inventory: &str, wanted: &[Code]) {
    let inventories = [("bad.json", inventory.as_bytes())];
    let inventories = if inventory.is_empty() { &[][..] } else { &inventories[..] };
    let run = load(&[("bad.policy", policy)], inventories);
    let found = codes(name, &run);
    let shown: String = run.reports.iter().map(|report| report.render(Render::Human(false))).collect();
    assert_eq!(found, wanted.iter().copied().collect(), "{name}\n{shown}");
}

fn inventory(fields: &str) -> String {
    format!(r#"{{"format": "bourse.inventory", "version": 1, {fields}}}"#)
}

fn codes_in(words: &str) -> BTreeSet<Code> {
    words.split([' ', '-']).filter_map(|word| word.trim_end_matches(".json").parse().ok()).collect()
}

#[test]
fn every_case_file_gives_the_codes_that_it_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut entries: Vec<_> = fs::read_dir(folder).expect("the folder is there").flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    assert!(entries.len() >= 60, "{} cases are left", entries.len());
    let mut wrong = String::new();
    for entry in entries {
        let name = entry.file_name().into_string().expect("is a text");
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        if entry.path().is_dir() {
            for file in fs::read_dir(entry.path()).expect("is readable").flatten() {
                let name = file.file_name().into_string().expect("is a text");
                files.push((name, fs::read(file.path()).expect("is readable")));
            }
            files.sort();
        } else {
            files.push((name.clone(), fs::read(entry.path()).expect("is readable")));
        }
        let first = String::from_utf8_lossy(&files[0].1);
        let first = first.lines().next().unwrap_or("");
        let wanted = match first.strip_prefix("// expect: ") {
            Some(words) => codes_in(words),
            None => codes_in(&name),
        };
        let of_policy = |name: &str| name.ends_with(".policy");
        let given = |policy: bool| -> Vec<(&str, &[u8])> {
            let files = files.iter().filter(|(name, _)| of_policy(name) == policy);
            files.map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
        };
        let mut policies = given(true);
        if policies.is_empty() {
            policies.push(("trivial.policy", b"broker main {}"));
        }
        let run = load(&policies, &given(false));
        let found = codes(&name, &run);
        if found != wanted {
            let shown: String =
                run.reports.iter().map(|report| report.render(Render::Human(false))).collect();
            wrong.push_str(&format!("\n{name}: wanted {wanted:?}, found {found:?}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn large_and_deep_sources_are_refused_at_once() {
    expect("10 MB", &b"agent a {}\n".repeat(1 << 20), "", &[Code::B0106]);
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}")] {
        let nested = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        expect("nested", nested.as_bytes(), "", &[Code::B0105]);
        // As deep as may be, and nothing that could stand there.
        for head in ["x ", "x = ", "agent a ", "f", "require f"] {
            let junk = format!("{}= ={}", format!("{head}{open}").repeat(60), close.repeat(60));
            let run = load(&[("junk.policy", junk.as_bytes())], &[]);
            assert!(run.loaded.is_none());
            codes("junk", &run);
        }
    }
    let words = ["not ", "- ", "agent.x else ", "min(", "agent.x + ", "agent.x < "];
    for word in words {
        let close = if word.ends_with('(') { ")".repeat(60) } else { String::new() };
        let count = if close.is_empty() { 30_000 } else { 60 };
        let text = format!("broker b {{ require 1 < {}agent.x{close} }}", word.repeat(count));
        let found = codes(word, &load(&[("chain.policy", text.as_bytes())], &[]));
        let wanted = [Code::B0107, Code::B0113, Code::B0114, Code::B0306];
        assert!(found.iter().all(|code| wanted.contains(code)), "{word}: {found:?}");
    }
}

#[test]
fn what_includes_much_is_bounded_before_it_runs() {
    let class = |name: &str| format!("class {name}0 for agent {{ x == 1 }}\n");
    let mut doubling = class("a");
    let mut crossing = "let a0 = agent.x == 1\nlet b0 = agent.x == 2\n".to_owned();
    for at in 1..=60 {
        let below = at - 1;
        doubling.push_str(&format!("class a{at} for agent {{ is a{below}, is a{below} }}\n"));
        crossing.push_str(&format!("let a{at} = a{below} or b{below}\nlet b{at} = a{below} and b{below}\n"));
    }
    crossing.push_str("broker b { require a60 or pool.x == 1 }\n");
    expect("doubling", doubling.as_bytes(), "", &[Code::B0313]);
    expect("crossing", crossing.as_bytes(), "", &[Code::B0313]);
    // Each names one near and one far: the sum grows slowly, and only a full count finds it.
    let mut slow: String = (0..40).map(|at| format!("let a{at} = agent.x == 1\n")).collect();
    (40..400).for_each(|at| slow.push_str(&format!("let a{at} = a{} or a{}\n", at - 1, at - 40)));
    expect("slow", slow.as_bytes(), "", &[Code::B0313]);
    // A chain, each link after the one that names it, and before.
    let last = 3_000;
    let mut down: String = (0..last).map(|at| format!("let a{at} = a{} or agent.x == 1\n", at + 1)).collect();
    down.push_str(&format!("let a{last} = agent.x == 1\n"));
    expect("chain", down.as_bytes(), "", &[Code::B0313]);
    let circle: String = (0..last).map(|at| format!("let a{at} = a{}\n", (at + 1) % last)).collect();
    expect("circle", circle.as_bytes(), "", &[Code::B0207]);
    // As deep as may be is evaluated without harm.
    let deep: String = (1..120).map(|at| format!("let a{at} = a{} or agent.x == 1\n", at - 1)).collect();
    let deep = format!(
        "let a0 = agent.x == 1\n{deep}broker b {{ require a119 }}\nagent a {{ x = 1 }}\nneed n {{ agent {{}} }}\n"
    );
    offers("deep", deep.as_bytes(), "", 1);
    let long = vec!["agent.x == 1"; 6_000].join(" and ");
    let long = format!("broker b {{ require {long} }}\nagent a {{ x = 1 }}\nneed n {{ agent {{}} }}\n");
    offers("long", long.as_bytes(), "", 1);
}

/// Loads what is odd and not wrong, and makes offers of it.
fn offers(name: &str, policy: &[u8], inventory: &str, wanted: u64) -> cycle::Cycle {
    let inventories = [("odd.json", inventory.as_bytes())];
    let inventories = if inventory.is_empty() { &[][..] } else { &inventories[..] };
    let run = load(&[("odd.policy", policy)], inventories);
    let found = codes(name, &run);
    let Some(loaded) = run.loaded else { panic!("{name}: {found:?}") };
    let cycle = cycle::run(&loaded.plan, &loaded.world, cycle::CycleRequest::default());
    assert_eq!(cycle.needs.iter().map(|need| need.offered).sum::<u64>(), wanted, "{name}");
    cycle
}

#[test]
fn amounts_at_their_bounds_are_exact_or_refused() {
    let ports = r#""agents": [{"name": "a", "resources": {"ports": ["0..9223372036854775807"], "ids": ["-9223372036854775808..-1"]}}]"#;
    let taken = r#", "allocations": [{"name": "x", "agents": {"a": {"ports": ["1..9223372036854775806"]}}}]"#;
    let need = b"need n { count = 2, agent { ports = 1 } }\n";
    offers("ports", need, &inventory(&format!("{ports}{taken}")), 2);
    let need = b"need n { count = 3, agent { ports = [0] } }\n";
    offers("a port once", need, &inventory(ports), 1);
    let need = b"need n { agent { ports = 4_000_000_000_000, ids = 9_000_000_000_000 } }\n";
    offers("many ports", need, &inventory(ports), 1);
    let all = "agent a { resources { cpus = unlimited, mem = unlimited, ports = unlimited } }
        provider p { instance i { resources { iops = unlimited }
            pool q { resources { size = unlimited } } } }
        need n { count = 3, agent { cpus = 9_000_000_000_000, mem = 8EB, ports = 5 }, volume v { count = 2, size = 8EB, iops = 1 } }
        broker b { prefer agent.free.cpus / agent.total.cpus weight 1000000
                   prefer -1 * agent.free.cpus weight -1000000 }";
    offers("unlimited everywhere", all.as_bytes(), "", 3);
    let most = "agent a { resources { cpus = 9_000_000_000 { overcommit = 1000 }, mem = 8EB { overcommit = 0.000001 } } }
        need n { agent { cpus = 9_000_000_000_000, mem = 8TB } }";
    offers("overcommit", most.as_bytes(), "", 1);
    let steps = "agent a { resources { mem = 9EB { step = 9EB, min = 9EB, max = 9EB } } }
        need n { agent { mem = 1B } }
        need m { agent { mem = 0B } }";
    offers("steps", steps.as_bytes(), "", 1);
    let many = "agent a { resources { cpus = 1 } }
        need n { count = 1_000_000, at most 1_000_000 per agent, at most 0 per zone, agent { cpus = 1 } }
        need m { count = 1_000_000, at most 1_000_000 per agent, agent { cpus = 1 } }";
    offers("large counts", many.as_bytes(), "", 1);
    let volumes = "provider p { instance i { pool q { resources { size = 63GB } } } }
        need n { volume v { count = 64, size = 1GB } }
        need m { volume v { count = 32, size = 1GB }, volume w { count = 31, size = 1GB } }";
    offers("many volumes", volumes.as_bytes(), "", 1);
    let empty = r#""agents": [{"name": "a", "keys": {"tags": []}, "resources": {"ports": [], "cpus": 0}}], "providers": [], "needs": []"#;
    // What takes nothing of anything is not offered.
    let need = b"need n { agent { ports = [], cpus = 0 } }\nneed m { agent { cpus = 1 } }";
    offers("empty", need, &inventory(empty), 0);
}

#[test]
fn overflow_at_run_time_is_unknown_and_named() {
    let policy = "agent a { big = 9_000_000_000_000, resources { cpus = 4 } }
        broker b { require huge: agent.big * agent.big > 1
                   require nothing: agent.big / (agent.big - agent.big) > 1 }
        need n { agent { cpus = 1 } }";
    let cycle = offers("overflow", policy.as_bytes(), "", 0);
    let reasons = format!("{:?}", cycle.reasons);
    for word in ["huge", "nothing", "an overflow in", "a division by zero in"] {
        assert!(reasons.contains(word), "{word} is not among {reasons}");
    }
}

#[test]
fn what_roles_reservations_and_places_say_is_understood_in_policies_and_data() {
    let cases = [
        "role \"db\" { weight = 2 }",
        "role \"db\" { limit { cpus = 4 } }",
        "role \"db\" { principals = [\"a\"] }",
        "agent a { resources for \"db\" { cpus = 2 } }",
        "agent a { resources revocable { cpus = 2 } }",
        "broker b { lend reserved }",
        "broker b { overlap = 10% }",
        "broker b { overlap = unlimited }",
        "provider p { instance i { pool q { volume v { resources { size = 1GB }, reserved for \"db\" } } } }",
        "agent a { resources revocable { cpus = 2 } }\nallocation x { revocable { agent a { cpus = 1 } } }",
        "need n { accept revocable, agent { cpus = 1 } }",
        "need n { all or nothing, agent { cpus = 1 } }",
        "need n { spread over zone, agent { cpus = 1 } }",
        "need n { prefer spread over zone weight 3, agent { cpus = 1 } }",
        "need n { together in zone, agent { cpus = 1 } }",
        "need n { volume v { size = 1GB, spread over pool } }",
        "need n { volume v { size = 1GB, source = \"p/i/q/v\" } }",
    ];
    for case in cases {
        is_understood(case, case, "");
    }
    let agent = r#""agents": [{"name": "a", "revocable": {"cpus": 4}}]"#;
    let data = [
        r#""agents": [{"name": "a", "reserved": {"db": {"cpus": 4}}}]"#.to_owned(),
        r#""agents": [{"name": "a", "revocable": {"cpus": 4}}]"#.to_owned(),
        r#""roles": [{"name": "db", "weight": 2}]"#.to_owned(),
        r#""roles": [{"name": "db", "limit": {"cpus": 2}}]"#.to_owned(),
        r#""roles": [{"name": "db", "principals": ["a"]}]"#.to_owned(),
        r#""providers": [{"name": "p", "instances": [{"name": "i", "pools": [{"name": "q",
            "volumes": [{"name": "v", "resources": {"size": "1GB"}, "reserved_for": "db"}]}]}]}]"#
            .to_owned(),
        format!(
            r#"{agent}, "allocations": [{{"name": "x", "revocable": {{"agents": {{"a": {{"cpus": 1}}}}}}}}]"#
        ),
        r#""needs": [{"name": "n", "agent": {}, "all_or_nothing": true}]"#.to_owned(),
        r#""needs": [{"name": "n", "agent": {}, "accept_revocable": true}]"#.to_owned(),
        r#""needs": [{"name": "n", "agent": {}, "places": ["spread over zone"]}]"#.to_owned(),
        r#""needs": [{"name": "n", "agent": {}, "prefer": ["together in zone"]}]"#.to_owned(),
        r#""needs": [{"name": "n", "volumes": [{"name": "v", "amounts": {}, "source": "p/i/q/v"}]}]"#
            .to_owned(),
    ];
    for fields in data {
        is_understood(&fields, "broker b {}", &inventory(&fields));
    }
}

fn is_understood(name: &str, policy: &str, inventory: &str) {
    let inventories = [("later.json", inventory.as_bytes())];
    let inventories = if inventory.is_empty() { &[][..] } else { &inventories[..] };
    let run = load(&[("later.policy", policy.as_bytes())], inventories);
    let errors =
        run.reports.iter().flat_map(|report| &report.diagnostics).filter(|problem| problem.is_error());
    assert_eq!(errors.map(|problem| problem.code).collect::<Vec<_>>(), [], "{name}");
}

#[test]
fn damaged_and_deep_json_is_refused_at_its_place() {
    let whole = inventory(r#""agents": [{"name": "a", "resources": {"cpus": 4}}]"#);
    for end in 1..whole.len() - 1 {
        let run = load(&[("p.policy", b"broker b {}")], &[("cut.json", &whole.as_bytes()[..end])]);
        assert_eq!(codes("cut", &run), BTreeSet::from([Code::B0501]), "{}", &whole[..end]);
    }
    expect("bytes", b"broker b {}", "\u{0}", &[Code::B0501]);
    expect("deep", b"broker b {}", &"[".repeat(1_000_000), &[Code::B0501]);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let deep = inventory(&format!(r#""agents": [{{"name": "a", "keys": {deep}}}]"#));
    expect("deep keys", b"broker b {}", &deep, &[Code::B0105]);
    let utf8 = load(&[("p.policy", b"broker b {}")], &[("bad.json", b"{\"format\": \"\xff\"}")]);
    assert_eq!(codes("utf-8", &utf8), BTreeSet::from([Code::B0101]));
}

#[test]
fn many_problems_are_counted_and_not_all_kept() {
    let unknown: String = (0..5_000).map(|at| format!("require nonsense{at}\n")).collect();
    let known: String = (0..500).map(|at| format!("let known{at} = agent.x == {at}\n")).collect();
    let run = load(&[("many.policy", format!("{known}broker b {{\n{unknown}}}").as_bytes())], &[]);
    assert_eq!(codes("many", &run), BTreeSet::from([Code::B0203]));
    let junk: String = (0..5_000).map(|at| format!("agent a{at} {{ x = = 1 }}\n")).collect();
    let run = load(&[("junk.policy", junk.as_bytes())], &[]);
    assert!(run.reports[0].diagnostics.len() < 2_100, "{}", run.reports[0].diagnostics.len());
}
