//! Each code has a page, and the example of the page gives just that code.

use std::collections::BTreeSet;

use bourse::{
    Policy,
    diagnostic::{Code, Render, explain},
};

use crate::harness::load;

/// Codes of the command line: what they need (files, arguments) is there only, and so is their test.
const COMMAND_LINE: [Code; 16] = [
    Code::B0527,
    Code::B0701,
    Code::B0702,
    Code::B0703,
    Code::B0704,
    Code::B0705,
    Code::B0706,
    Code::B0811,
    Code::B0812,
    Code::B0813,
    Code::B0814,
    Code::B0901,
    Code::B0902,
    Code::B0904,
    Code::B0907,
    Code::B0908,
];
/// Codes of plugins: their examples are components, and stand with the tests of plugins.
const PLUGINS: [Code; 11] = [
    Code::B0801,
    Code::B0802,
    Code::B0803,
    Code::B0804,
    Code::B0805,
    Code::B0806,
    Code::B0807,
    Code::B0808,
    Code::B0809,
    Code::B0810,
    Code::B0815,
];
/// Codes whose example cannot stand in Markdown, and is made here: bytes that are no text, large things, changes.
const MADE_HERE: [Code; 5] = [Code::B0101, Code::B0106, Code::B0514, Code::B0518, Code::B0903];
/// What no input is known to lead to.
const DEFECTS: [Code; 1] = [Code::B0906];

/// A part of a page between fences.
struct Fence {
    kind: String,
    name: String,
    is_fixed: bool,
    flags: Vec<String>,
    text: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut words = info.split(' ').map(str::to_owned);
        let kind = words.next().unwrap_or_default();
        let rest: Vec<String> = words.collect();
        let name = rest.iter().find_map(|word| word.strip_prefix("name=")).map(str::to_owned);
        let name = name.unwrap_or_else(|| format!("example.{kind}"));
        let is_fixed = rest.iter().any(|word| word == "fixed");
        let flags = rest.into_iter().filter(|word| word != "fixed" && word != "inventory").collect();
        // Characters that must not stand in a page are spelled out.
        let text = text.join("\n").replace("⟨U+202E⟩", "\u{202e}");
        found.push(Fence { kind, name, is_fixed, flags, text: format!("{text}\n") });
    }
    found
}

/// The codes that an example gives, and its problems as text.
fn codes_of(example: &[&Fence]) -> (BTreeSet<Code>, String) {
    let (mut codes, mut text) = (BTreeSet::new(), String::new());
    let flagged = |fence: &Fence, flag: &str| fence.flags.iter().any(|known| known == flag);
    let of_kind = |kinds: &[&str]| -> Vec<(&str, &[u8])> {
        let plain = |fence: &&&Fence| !flagged(fence, "state") && !flagged(fence, "operations");
        let fences = example.iter().filter(plain).filter(|fence| kinds.contains(&fence.kind.as_str()));
        fences.map(|fence| (fence.name.as_str(), fence.text.as_bytes())).collect()
    };
    let mut policies = of_kind(&["policy"]);
    if policies.is_empty() {
        policies.push(("trivial.policy", b"broker main {}"));
    }
    let mut run = load(&policies, &of_kind(&["json", "ndjson"]));
    if let Some(last) = run.reports.last_mut() {
        last.diagnostics.append(&mut run.analysis);
    }
    for report in run.reports {
        codes.extend(report.diagnostics.iter().map(|problem| problem.code));
        text.push_str(&report.render(Render::Human(false)));
    }
    if let Some(state) = example.iter().find(|fence| flagged(fence, "state")) {
        let operations = example.iter().find(|fence| flagged(fence, "operations"));
        let inventories = of_kind(&["json", "ndjson"]);
        codes.extend(operations::codes_of(policies[0], &inventories, state, operations.copied()));
    }
    for table in example.iter().filter(|fence| fence.kind == "csv") {
        codes.extend(csv::codes_of(table));
    }
    (codes, text)
}

#[test]
fn every_code_has_a_page_under_its_title() {
    for code in Code::ALL {
        let page = explain(*code);
        let title = format!("# {code}: {}", code.title());
        assert_eq!(page.lines().next(), Some(title.as_str()), "docs/codes/{code}.md");
        let lines = page.lines().count();
        assert!((12..=60).contains(&lines), "docs/codes/{code}.md has {lines} lines");
        for section in ["\n## Why it is", "\n## Cure\n"] {
            assert!(page.contains(section), "docs/codes/{code}.md has no section `{}`", section.trim());
        }
        let long = page.lines().find(|line| line.chars().count() > 140);
        assert_eq!(long, None, "docs/codes/{code}.md has a long line");
    }
}

#[test]
fn every_page_is_that_of_a_code() {
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes");
    for entry in std::fs::read_dir(pages).expect("the folder is there") {
        let name = entry.expect("is readable").file_name().into_string().expect("is a text");
        let code = name.strip_suffix(".md").unwrap_or("none");
        assert!(Code::ALL.iter().any(|known| known.name() == code), "docs/codes/{name} is of no code");
    }
}

#[test]
fn every_example_gives_just_its_code() {
    let mut wrong = String::new();
    for code in Code::ALL {
        let fences = fences(explain(*code));
        let (fixed, example): (Vec<&Fence>, Vec<&Fence>) =
            fences.iter().filter(|fence| fence.kind != "console").partition(|fence| fence.is_fixed);
        let elsewhere =
            [&COMMAND_LINE[..], &PLUGINS[..], &MADE_HERE[..], &DEFECTS[..]].concat().contains(code);
        assert_eq!(example.is_empty(), elsewhere, "{code} has an example, or its example is made elsewhere");
        if elsewhere {
            continue;
        }
        let (found, text) = codes_of(&example);
        if found != BTreeSet::from([*code]) {
            wrong.push_str(&format!("\n{code} gives {found:?}\n{text}"));
        }
        if !fixed.is_empty() {
            let (found, text) = codes_of(&fixed);
            if !found.is_empty() {
                wrong.push_str(&format!("\nthe cure of {code} gives {found:?}\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_no_text_or_too_large_gives_just_its_code() {
    let codes = |policy: &[u8], inventory: &str| -> Vec<Code> {
        let inventories = [("large.json", inventory.as_bytes())];
        let given = if inventory.is_empty() { &[][..] } else { &inventories[..] };
        let run = load(&[("large.policy", policy)], given);
        run.reports.iter().flat_map(|report| &report.diagnostics).map(|problem| problem.code).collect()
    };
    assert_eq!(codes(b"agent a { os = \"\xff\" }", ""), [Code::B0101]);
    assert_eq!(codes(&b"// \n".repeat(2 << 20), ""), [Code::B0106]);
    let list = vec!["1"; 100_001].join(",");
    let large = format!(
        r#"{{"format": "bourse.inventory", "version": 1, "agents": [{{"name": "a", "keys": {{"vlans": [{list}]}}}}]}}"#
    );
    assert_eq!(codes(b"broker main {}", &large), [Code::B0514]);
    let policy = Policy::compile([("one.policy", "need ring { agent { cpus = 1 } }")]).expect("compiles");
    let error = policy.fleet(&[]).expect("is bound").needs("rng").expect_err("is not there");
    assert_eq!(error.report().diagnostics[0].code, Code::B0903);
    let mut live = bourse::Live::bind(&policy, &[]).expect("is bound");
    let needs = r#"{"format": "bourse.inventory", "version": 1, "needs": [{"name": "other"}]}"#;
    let needs = bourse::Inventory::from_json("needs.json", needs).expect("is read");
    let error = live.apply(&bourse::Delta::default().put(&needs)).expect_err("is compiled");
    assert_eq!(error.report().diagnostics[0].code, Code::B0518);
}

/// Examples that are operations on a state.
mod operations {
    use bourse::{
        Inventory,
        diagnostic::Code,
        pipeline::Parsed,
        state::{self, Operations, Refusal, State},
    };

    use super::Fence;

    pub fn codes_of(
        policy: (&str, &[u8]),
        inventories: &[(&str, &[u8])],
        state: &Fence,
        operations: Option<&Fence>,
    ) -> Vec<Code> {
        let state = match State::from_json("state.json", &state.text) {
            Ok(state) => state,
            Err(error) => return error.report().diagnostics.iter().map(|problem| problem.code).collect(),
        };
        let Some(operations) = operations else { return Vec::new() };
        let parsed = Parsed::new([policy]);
        let read = |(name, bytes): &(&str, &[u8])| Inventory::from_bytes(name, bytes).expect("an inventory");
        let inventories: Vec<Inventory> = inventories.iter().map(read).collect();
        let inventories: Vec<&Inventory> = inventories.iter().collect();
        let operations = Operations::from_json("operations.json", operations.text.as_bytes());
        match state::apply(&parsed, &inventories, &state, &operations.expect("operations")) {
            Ok(_) => Vec::new(),
            Err(Refusal::Conflicts(conflicts)) => conflicts.list.iter().map(|one| one.code).collect(),
            Err(Refusal::Invalid(error)) => panic!("{error}"),
        }
    }
}

/// Examples that are tables.
mod csv {
    use bourse::{
        diagnostic::Code,
        import::csv::{AgentColumns, CsvImport, CsvRecords, import},
        source::Sources,
    };

    use super::Fence;

    pub fn codes_of(table: &Fence) -> Vec<Code> {
        let value = |flag: &str| {
            let at = table.flags.iter().position(|word| word == flag)?;
            table.flags.get(at + 1).cloned()
        };
        let columns = AgentColumns {
            name: value("--name").expect("the example has a name"),
            resources: value("--resource").iter().map(|text| text.parse().expect("reads")).collect(),
            ..AgentColumns::default()
        };
        let options = CsvImport::new(CsvRecords::Agents(columns));
        let mut out = Vec::new();
        match import(&mut Sources::default(), table.text.as_bytes(), "table.csv", &options, &mut out) {
            Ok(summary) => summary.notes.iter().map(|problem| problem.code).collect(),
            Err(problems) => problems.iter().map(|problem| problem.code).collect(),
        }
    }
}
