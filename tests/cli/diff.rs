//! `bourse diff`: each case is a folder of `tests/cli/diff` with `old.policy` and `new.policy`, perhaps with
//! `fleet.json`. What it gives is its snapshot.

use std::{fs, path::Path};

use super::{Folder, Output, json, schema_problems};

fn cases() -> Vec<(String, Folder)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/diff");
    let mut paths: Vec<_> =
        fs::read_dir(root).expect("cases").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let case = |path: &std::path::PathBuf| {
        let folder = Folder::new(&[]);
        for file in ["old.policy", "new.policy", "fleet.json"] {
            if let Ok(text) = fs::read_to_string(path.join(file)) {
                folder.write(file, &text);
            }
        }
        (path.file_name().expect("a name").to_string_lossy().into_owned(), folder)
    };
    paths.iter().map(case).collect()
}

fn diff(folder: &Folder, args: &[&str]) -> Output {
    let mut all = vec!["diff", "old.policy", "new.policy"];
    if folder.path().join("fleet.json").exists() {
        all.extend(["--inventory", "fleet.json"]);
    }
    all.extend(args);
    folder.run(&all)
}

#[test]
fn each_case_gives_its_snapshot() {
    let cases = cases();
    assert!(cases.len() >= 15, "only {} cases", cases.len());
    for (name, folder) in cases {
        let run = diff(&folder, &[]);
        assert_eq!(run.stderr, "", "{name}");
        assert_eq!(run.code, i32::from(!run.stdout.starts_with("no change")), "{name}: {run:?}");
        insta::with_settings!({ snapshot_path => "snapshots/diff", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, run.stdout);
        });
    }
}

/// Every kind of difference has a cause, and the form is that of the schema.
#[test]
fn each_case_is_as_the_schema_says() {
    for (name, folder) in cases() {
        let run = diff(&folder, &["--format", "json"]);
        let wire = json(&run.stdout);
        let problems = schema_problems("schema/diff.schema.json", &wire);
        assert!(problems.is_empty(), "{name}: {problems:#?}\n{}", run.stdout);
        assert_eq!(wire["changed"], run.code == 1, "{name}");
        for need in wire["needs"].as_array().expect("needs") {
            for offer in need["offers"].as_array().expect("offers") {
                assert!(
                    offer["causes"].as_array().is_some_and(|causes| !causes.is_empty()),
                    "{name}: {offer}"
                );
            }
        }
        assert_eq!(run.stdout, diff(&folder, &["--format", "json"]).stdout, "{name}: the same bytes");
    }
}

/// Whatever the change, the other way round it is the other way round.
#[test]
fn the_other_way_round() {
    for (name, folder) in cases() {
        let counts = |args: &[&str]| json(&folder.run(args).stdout)["counts"].clone();
        let mut fleet = Vec::new();
        if folder.path().join("fleet.json").exists() {
            fleet = vec!["-i", "fleet.json"];
        }
        let there = counts(&[&["diff", "old.policy", "new.policy", "--format", "json"], &fleet[..]].concat());
        let back = counts(&[&["diff", "new.policy", "old.policy", "--format", "json"], &fleet[..]].concat());
        assert_eq!((&there["lost"], &there["gained"]), (&back["gained"], &back["lost"]), "{name}");
        for same in ["moved", "reranked", "resized", "kept", "needs_changed"] {
            assert_eq!(there[same], back[same], "{name}: {same}");
        }
        assert_eq!(
            folder.run(&[&["diff", "new.policy", "new.policy"], &fleet[..]].concat()).code,
            0,
            "{name}"
        );
    }
}

/// Nothing that a policy can hold becomes markup, a mention, a link or a row of a table.
#[test]
fn markdown_is_text_where_it_is_the_policy_s() {
    let folder = cases().into_iter().find(|(name, _)| name == "hostile").expect("the case").1;
    let run = diff(&folder, &["--format", "markdown"]);
    insta::assert_snapshot!("diff_markdown", run.stdout);
    for line in run.stdout.lines() {
        let outside = outside_of_code(line);
        for bad in ["@", "<", "http", "[", "|", "**x", "\u{1b}"] {
            assert!(!outside.contains(bad), "{bad} in {outside}");
        }
    }
    let text = diff(&folder, &[]).stdout;
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
}

/// What of a line stands in no code span, as CommonMark reads it.
fn outside_of_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let fence: String = rest[at..].chars().take_while(|c| *c == '`').collect();
        rest = &rest[at + fence.len()..];
        let mut from = 0;
        let end = loop {
            let Some(found) = rest[from..].find('`').map(|found| found + from) else { break None };
            let length = rest[found..].chars().take_while(|c| *c == '`').count();
            if length == fence.len() {
                break Some(found + length);
            }
            from = found + length;
        };
        match end {
            Some(end) => rest = &rest[end..],
            None => out.push_str(&fence),
        }
    }
    out + rest
}

#[test]
fn wrong_input_is_told_of_both() {
    let folder = Folder::new(&[
        ("old.policy", "agent a { resources { mem = 4m } }"),
        ("new.policy", "need n { agent { cpus = 1 } }\nneed n { agent { cpus = 1 } }"),
        ("fine.policy", "need n { agent { cpus = 1 } }"),
    ]);
    let run = folder.run(&["diff", "old.policy", "new.policy"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert!(run.stderr.contains("B0109") && run.stderr.contains("B0201"), "{run:?}");
    assert_eq!(folder.run(&["diff", "fine.policy", "none.policy"]).code, 2);
    assert_eq!(folder.run(&["diff", "fine.policy"]).code, 2);
    let run = folder.run(&["diff", "fine.policy", "fine.policy", "--need", "m"]);
    assert!(run.code == 2 && run.stderr.contains("B0903"), "{run:?}");
    assert_eq!(folder.run(&["diff", "fine.policy", "fine.policy", "--need", "n"]).code, 0);
}
