//! The examples of the documentation. A fence ```` ```policy ```` is a set without problems, whose tests pass;
//! `fragment=broker` wraps it into a broker first; `error=B0301` says that it has just this problem.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bourse::{
    check::Strictness,
    diagnostic::Render,
    limits,
    pipeline::{Extra, Parsed},
};

use crate::cases::failures_of;

/// A page of `docs`.
#[allow(clippy::disallowed_methods, reason = "pages are files")]
fn page(file: &str) -> String {
    fs::read_to_string(folder().join(file)).expect("readable")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// One example: the words after `policy`, its text, and the line it begins at.
struct Example {
    words: Vec<String>,
    text: String,
    line: usize,
}

fn examples(markdown: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut open: Option<bool> = None;
    for (at, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(info), None) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let policy = words.next().is_some_and(|word| word == "policy");
                open = Some(policy);
                if policy {
                    found.push(Example { words: words.collect(), text: String::new(), line: at + 1 });
                }
            }
            (Some(_), Some(_)) => open = None,
            (None, Some(true)) => {
                if let Some(example) = found.last_mut() {
                    example.text.push_str(line);
                    example.text.push('\n');
                }
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// What is wrong with an example, as text: empty where nothing is.
fn run(file: &str, example: &Example) -> String {
    let name = format!("{file}:{}", example.line);
    let mut text = example.text.clone();
    let mut error = None;
    for word in &example.words {
        match word.split_once('=') {
            Some(("fragment", "broker")) => text = format!("broker example {{\n{text}}}\n"),
            Some(("fragment", "need")) => text = format!("need example {{\n{text}}}\n"),
            Some(("error", code)) => error = Some(code),
            _ => return format!("{name}: `{word}` says nothing about an example\n"),
        }
    }
    let Some(code) = error else { return failures_of(&name, &text).1 };
    let parsed = Parsed::new([(name.as_str(), text.as_bytes())]);
    let report = parsed.check(&Extra::default(), Strictness::default()).report;
    let codes: Vec<&str> = report.diagnostics.iter().map(|problem| problem.code.name()).collect();
    if codes == [code] {
        return String::new();
    }
    format!(
        "{name}: {code} is expected, and these are given: {codes:?}\n{}",
        report.render(Render::Human(false))
    )
}

#[test]
fn every_example_does_what_it_says() {
    let mut wrong = String::new();
    let text = page("language.md");
    let examples = examples(&text);
    assert!(examples.len() >= 30, "only {} examples", examples.len());
    examples.iter().for_each(|example| wrong.push_str(&run("language.md", example)));
    assert!(wrong.is_empty(), "{wrong}");
}

/// A link to a heading of the same page leads to one.
#[test]
fn links_lead_somewhere() {
    for file in ["language.md", "README.md", "analysis.md", "diff.md", "testing.md"] {
        let text = page(file);
        let headings: Vec<String> = text.lines().filter_map(anchor).collect();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            match link.strip_prefix('#') {
                Some(heading) => assert!(headings.iter().any(|known| known == heading), "{file}: #{heading}"),
                None => {
                    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
                    assert!(folder().join(path).exists(), "{file}: {link}");
                    let there = || page(path).lines().filter_map(anchor).any(|known| known == heading);
                    assert!(heading.is_empty() || there(), "{file}: {link}");
                }
            }
        }
    }
}

/// The anchor of a heading, as Markdown viewers make it.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}

/// Every standard class and let is in the reference's table.
#[test]
fn the_reference_names_the_whole_library() {
    let text = page("language.md");
    for module in bourse::resolve::library::MODULES {
        let row = text.lines().find(|line| line.starts_with(&format!("| `std.{}` |", module.name)));
        let row = row.unwrap_or_else(|| panic!("std.{} has no row", module.name));
        let set = format!("use std.{}\n", module.name);
        let parsed = Parsed::new([("all.policy", set.as_bytes())]);
        let checked = parsed.check(&Extra::default(), Strictness::default());
        for definition in &checked.hir.definitions {
            let Some(name) = definition.name.strip_prefix(&format!("{}.", module.name)) else { continue };
            assert!(row.contains(&format!("`{name}`")), "the reference does not name `{}`", definition.name);
        }
    }
}

/// The reference's limits are those of the code.
#[test]
fn the_reference_states_the_limits() {
    let text = page("language.md");
    let rows = [
        ("brackets open at once", limits::NESTING),
        ("statements of one source", limits::STATEMENTS),
        ("nodes of an expression, as written", limits::EXPRESSION_NODES),
        ("depth of an expression", limits::EXPRESSION_DEPTH),
        ("steps of a rule, its classes and lets counted in", limits::RULE_COST as usize),
        ("members of a list", limits::LIST_MEMBERS),
        ("bytes of a text", limits::TEXT_BYTES),
        ("levels of places", limits::LEVELS),
        ("volumes of a need, `count` applied", limits::VOLUMES_PER_NEED),
        ("instances of a need", limits::NEED_COUNT as usize),
        ("needs of a cycle", limits::NEEDS),
        ("supplies tried for one candidate", limits::ASSIGNMENT_STEPS as usize),
        ("supplies tried in a cycle", limits::CYCLE_TRIES as usize),
        ("parts of the instances granted in a cycle", limits::GRANTED_PARTS as usize),
        ("parts of instances granted and taken back in a cycle", limits::UNDONE_PARTS as usize),
        ("different reasons kept in a cycle", limits::REASONS_KEPT),
    ];
    for (what, most) in rows {
        let row = text.lines().find(|line| line.starts_with(&format!("| {what} |")));
        let stated = row.and_then(|row| row.split('|').nth(2)).map(|cell| cell.trim().replace(',', ""));
        assert_eq!(stated.as_deref(), Some(most.to_string().as_str()), "{what}");
    }
    assert_eq!(
        (limits::SOURCE_BYTES, limits::PATTERN_BYTES),
        (4 << 20, 1 << 20),
        "4 MiB and 1 MiB are stated"
    );
}

/// What pages show of the command is what it says.
#[test]
fn what_the_command_says_is_shown_as_it_is() {
    let text = page("doc.md") + &page("explain.md");
    let mut shown = 0;
    for part in text.split("````console\n$ bourse ").skip(1) {
        let block = part.split("````").next().expect("a block");
        let (command, wanted) = block.split_once('\n').expect("a command");
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_bourse"))
            .args(command.split(' '))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("runs");
        assert_eq!(String::from_utf8_lossy(&run.stdout), wanted, "bourse {command}");
        shown += 1;
    }
    assert!(shown >= 5, "only {shown} commands are shown");
}

/// What the page about `repl` shows is what is answered, line by line.
#[test]
fn what_is_typed_is_answered_as_shown() {
    let text = page("repl.md");
    let start = "```console\n$ bourse repl policies/quickstart\n";
    let session = text.split_once(start).and_then(|(_, rest)| rest.split_once("```")).expect("a session").0;
    let (typed, shown): (Vec<&str>, Vec<&str>) = session.lines().partition(|line| line.starts_with("> "));
    let typed: String = typed.iter().map(|line| format!("{}\n", &line[2..])).collect();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bourse"));
    command.args(["repl", "policies/quickstart"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = crate::cli::finish(command, &typed);
    assert_eq!((output.stderr.as_str(), output.code), ("", 0));
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), shown);
}
