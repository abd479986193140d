//! `expect snapshot`: what is new, changed, accepted, damaged and left behind.

use super::{Folder, Output, finish, json, schema_problems};

const SET: &str = r#"
agent a { os = "linux", resources { cpus = 4 } }
agent b { resources { cpus = 8 } }
broker main { require os: agent.os == "linux", prefer pack: agent.used.cpus / agent.total.cpus weight 2 }
need n { count = 2, agent { cpus = 3 } }
test "The whole fleet" { expect snapshot }
"#;
const FILE: &str = "snapshots/p__the-whole-fleet.snap";
const NEW: &str = "snapshots/p__the-whole-fleet.snap.new";

fn set() -> Folder {
    Folder::new(&[("p.policy", SET)])
}

fn accepted() -> Folder {
    let folder = set();
    let run = test(&folder, &["--accept"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (0, "accepted snapshots/p__the-whole-fleet.snap\n"),
        "{run:?}"
    );
    folder
}

/// A run as at a desk, whatever runs the tests.
fn test(folder: &Folder, args: &[&str]) -> Output {
    let mut command = folder.command(&[&["test", "p.policy"], args].concat());
    command.env_remove("CI");
    finish(command, "")
}

#[test]
fn a_new_snapshot_fails_until_it_is_accepted() {
    let folder = set();
    let run = test(&folder, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    insta::assert_snapshot!(run.stdout);
    assert!(folder.path().join(NEW).exists() && !folder.path().join(FILE).exists());
    assert_eq!(test(&folder, &[]).code, 1, "it stays new");
    let text = folder.read(NEW);
    assert_eq!(test(&folder, &["--accept"]).code, 0);
    assert_eq!(folder.read(FILE), text);
    assert!(!folder.path().join(NEW).exists());
    let run = test(&folder, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok     The whole fleet\n1 passed, 0 failed\n"));
}

#[test]
fn a_changed_snapshot_fails_and_shows_what_changed() {
    let folder = accepted();
    folder.write("p.policy", &SET.replace("weight 2", "weight 7").replace("cpus = 3", "cpus = 2"));
    let run = test(&folder, &[]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stdout);
    assert!(folder.path().join(NEW).exists());
    let wire = json(&test(&folder, &["--format", "json"]).stdout);
    assert_eq!(schema_problems("schema/tests.schema.json", &wire), Vec::<String>::new());
    let snapshot = &wire["tests"][0]["snapshot"];
    assert_eq!((&snapshot["state"], &snapshot["file"]), (&"changed".into(), &FILE.into()));
    assert!(snapshot["expected"].as_str().is_some_and(|text| text.contains("cpus 3")));
    assert!(snapshot["actual"].as_str().is_some_and(|text| text.contains("cpus 2")));
    // Once the offers are the old ones again, nothing waits any more.
    folder.write("p.policy", SET);
    assert_eq!(test(&folder, &[]).code, 0);
    assert!(!folder.path().join(NEW).exists());
}

#[test]
fn nothing_is_left_behind_where_nobody_looks() {
    let folder = set();
    let run = |ci: &str| {
        let mut command = folder.command(&["test", "p.policy"]);
        command.env("CI", ci);
        finish(command, "").code
    };
    assert_eq!(run("true"), 1);
    assert!(!folder.path().join("snapshots").exists());
    assert_eq!(run("false"), 1);
    assert!(folder.path().join(NEW).exists());
}

/// What was done to a file is told apart from offers that changed, and only what is ours is written over.
#[test]
fn damaged_files_are_told_as_what_they_are() {
    let whole = accepted().read(FILE);
    let cut = whole.lines().take(11).collect::<Vec<_>>().join("\n");
    let cases = [
        ("edited", whole.replace("score 0", "score 9"), "B0701", true),
        ("cut off", cut, "B0702", true),
        ("cut off in its head", whole[..40].to_owned(), "B0702", true),
        ("foreign", "---\nsource: tests/x.rs\n---\ntext\n".to_owned(), "B0702", false),
        ("no snapshot", "hello\n".to_owned(), "B0702", false),
        ("newer", whole.replace("bourse snapshot 1", "bourse snapshot 2"), "B0703", false),
    ];
    for (what, text, code, is_replaced) in cases {
        assert_ne!(text, whole, "{what}");
        let folder = set();
        folder.write(FILE, &text);
        let run = test(&folder, &[]);
        assert_eq!(run.code, 2, "{what}: {run:?}");
        assert!(
            run.stdout.starts_with("BROKEN The whole fleet  (p.policy:6:6: its snapshot cannot"),
            "{what}: {run:?}"
        );
        assert!(run.stderr.contains(code) && run.stderr.contains(FILE), "{what}: {run:?}");
        assert_eq!(folder.read(FILE), text, "{what}");
        let run = test(&folder, &["--accept"]);
        assert_eq!(run.code, if is_replaced { 0 } else { 2 }, "{what}: {run:?}");
        assert_eq!(folder.read(FILE), if is_replaced { whole.clone() } else { text }, "{what}");
    }
}

#[test]
fn other_line_ends_and_fields_of_insta_are_no_edit() {
    let folder = accepted();
    let text = folder.read(FILE).replace("info:", "snapshot_kind: text\ninfo:").replace('\n', "\r\n");
    folder.write(FILE, &text);
    assert_eq!(test(&folder, &[]).code, 0);
}

/// insta finds the file by its name, reads it, and takes its text for the same.
#[test]
fn insta_reads_the_file() {
    let folder = accepted();
    let file = folder.read(FILE);
    let (_, text) = file.split_once("\n---\n").expect("a head and a text");
    insta::with_settings!({
        snapshot_path => folder.path().join("snapshots"),
        prepend_module_to_snapshot => false,
    }, {
        insta::assert_snapshot!("p__the-whole-fleet", text);
    });
    assert_eq!(folder.read(FILE), file, "insta has nothing to write");
}

#[test]
fn what_no_test_expects_is_told_and_removed_once_the_rest_is_accepted() {
    let folder = accepted();
    folder.write("p.policy", &SET.replace("The whole", "All of the"));
    folder.write("snapshots/p__by-insta.snap", "---\nsource: src/p.rs\n---\ntext\n");
    assert_eq!(
        test(&folder, &["--accept"]).stderr,
        "accepted snapshots/p__all-of-the-fleet.snap\n\
        removed snapshots/p__the-whole-fleet.snap: no test expects it\n"
    );
    assert!(!folder.path().join(FILE).exists() && folder.path().join("snapshots/p__by-insta.snap").exists());
    folder.write("p.policy", &SET.replace("expect snapshot", "expect n partial"));
    let run = test(&folder, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("warning B0705") && run.stderr.contains("p__all-of-the-fleet.snap"),
        "{run:?}"
    );
    // Another policy that begins alike keeps its own.
    folder.write("p__all.policy", &SET.replace("The whole fleet", "of the fleet"));
    assert_eq!(folder.run(&["test", "p__all.policy", "--accept"]).code, 0);
    assert!(test(&folder, &["--accept"]).stderr.contains("removed"));
    assert_eq!(folder.run(&["test", "p__all.policy"]).code, 0);
}

#[test]
fn what_is_filtered_out_is_no_orphan() {
    let folder = accepted();
    folder.write("p.policy", &format!("{SET}test \"other\" {{ expect n partial }}"));
    let run = test(&folder, &["--run", "other", "--accept"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(folder.path().join(FILE).exists());
}

#[test]
fn two_tests_cannot_share_a_file() {
    let folder =
        Folder::new(&[("p.policy", &format!("{SET}test \"the whole, fleet!\" {{ expect snapshot }}"))]);
    for command in ["test", "check"] {
        let run = folder.run(&[command, "p.policy"]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains("B0704") && run.stderr.contains(FILE), "{run:?}");
    }
    let twice =
        Folder::new(&[("p.policy", &SET.replace("expect snapshot", "expect snapshot, expect snapshot"))]);
    let run = twice.run(&["check", "p.policy"]);
    assert!(run.code == 3 && run.stderr.contains("B0212"), "{run:?}");
}

#[test]
fn standard_input_has_no_place_beside_it() {
    let folder = Folder::new(&[]);
    let run = folder.run_with(&["test", "-"], SET);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("B0901") && run.stderr.contains("no place"), "{run:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_review_needs_somebody() {
    let run = test(&set(), &["--review"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("B0706") && run.stderr.contains("--accept"), "{run:?}");
}

/// The answers for a recorded fleet are held as well, and a run without it says what is missing.
#[test]
fn a_recorded_inventory_is_pinned() {
    let fleet = r#"{"format": "bourse.inventory", "version": 1, "agents": [{"name": "big", "keys": {"os": "linux"}, "resources": {"cpus": 64}}]}"#;
    let folder = Folder::new(&[("p.policy", SET), ("f/fleet.json", fleet)]);
    let with = ["-i", "f/fleet.json"];
    assert_eq!(test(&folder, &[&with[..], &["--accept"]].concat()).code, 0);
    assert!(folder.read(FILE).contains("on big") && folder.read(FILE).contains("- \"fleet.json\""));
    assert_eq!(test(&folder, &with).code, 0);
    let run = test(&folder, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("it was taken with `fleet.json`, and this run has no inventory"), "{run:?}");
}

/// Names and values cannot leave their line, whatever they hold.
#[test]
fn nothing_in_a_test_moves_the_cursor() {
    let policy = r#"
agent a { os = "\u{1b}[2J\nneed n: met\u{202e}", resources { cpus = 4 } }
broker main { require os: agent.os == "\u{1b}[31mlinux", prefer os: agent.os == "\u{1b}[0m\n::error::x" }
need n { agent { cpus = 3 } }
test "::error::x" { expect n met, expect n on a, expect snapshot }
"#;
    let folder = Folder::new(&[("p.policy", policy)]);
    for format in ["pretty", "github", "junit", "json"] {
        let run = test(&folder, &["--coverage", "--format", format]);
        assert_eq!(run.code, 1, "{run:?}");
        let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}' && format != "json";
        assert!(!run.stdout.contains(bad) && !run.stderr.contains(bad), "{run:?}");
        assert!(run.stdout.lines().all(|line| !line.starts_with("::error::")), "{run:?}");
    }
    let text = folder.read("snapshots/p__error-x.snap.new");
    assert!(!text.contains(['\u{1b}', '\u{202e}']) && text.matches("\nneed n: ").count() == 1, "{text}");
}
