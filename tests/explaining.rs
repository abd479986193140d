//! Explanations. Every file of `tests/explain` begins with the commands that are run over it; source and answers
//! stand together in its snapshot. The counts are computed by hand in the sources, and by brute force in
//! `properties`.

mod properties;

use std::{fs, path::Path, process::Command};

/// What one command says of a file.
fn answer(folder: &Path, file: &str, command: &str) -> String {
    let args: Vec<&str> = command.split_whitespace().collect();
    let output = Command::new(env!("CARGO_BIN_EXE_bourse"))
        .arg("explain")
        .arg(args[0])
        .arg(file)
        .args(&args[1..])
        .current_dir(folder)
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_case_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    assert!(files.len() >= 8, "only {} cases", files.len());
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let source = fs::read_to_string(&file).expect("readable");
        let commands: Vec<&str> =
            source.lines().filter_map(|line| line.strip_prefix("// $ explain ")).collect();
        assert!(!commands.is_empty(), "{name} says no command");
        let mut out = source.clone();
        for command in commands {
            let said = answer(&folder, &name, command);
            assert!(said.lines().all(|line| line.trim_end() == line), "{name}: spaces at the end of a line");
            out.push_str(&format!("\n──────── explain {command}\n{said}"));
        }
        insta::with_settings!({ snapshot_path => "explaining/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".policy"), out);
        });
    }
}

/// A key with a letter missing, and a rate in bytes where bits were meant: both are found from the text alone.
#[test]
fn planted_faults_are_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    let said = answer(&folder, "mistyped-key.policy", "job");
    assert!(
        said.contains("`agent.drvers` is absent on all that it excludes; did you mean `agent.drivers`?"),
        "{said}"
    );
    let said = answer(&folder, "bits-for-bytes.policy", "stream");
    assert!(said.contains("10GB/s = 80Gbps") && said.contains("were bits meant?"), "{said}");
}

/// Names, labels and documentation of a policy are shown as they are, and none of them reaches a terminal's controls.
#[test]
fn nothing_that_a_policy_says_moves_a_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"
/// docs
broker b { require label: agent.k == "v\u{1b}[2J", require agent.k != "\u{1b}]0;x\u{7}" }
agent a { k = "\u{202e}w", resources { cpus = 1 } }
provider p { instance i { pool q { k = "\u{1b}[1m", resources { size = 1GB }, require pool.k == "s\u{9b}2J" } } }
need n { agent { cpus = 2 }, volume v { size = 2GB } }
"#;
    let escaped = fs::write(folder.path().join("p.policy"), text);
    escaped.expect("written");
    let asked: [&[&str]; 4] = [&[], &["--all"], &["--agent", "a", "--pool", "p/i/q"], &["--as", "framework"]];
    for args in asked {
        let output = Command::new(env!("CARGO_BIN_EXE_bourse"))
            .args(["explain", "n", "p.policy"])
            .args(args)
            .current_dir(folder.path())
            .output()
            .expect("runs");
        let said = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!said.is_empty() && said.lines().count() > 2, "{said}");
        let moves = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert!(!said.contains(moves), "{said:?}");
    }
}

/// A framework is told labels, kinds and what it asks for: no key, no value, nobody else.
#[test]
fn a_framework_sees_nothing_fine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    for file in ["tour.policy", "contended.policy", "tied.policy"] {
        for format in ["text", "json"] {
            let said = answer(&folder, file, &format!("mine.work --as framework=mine --format {format}"));
            for secret in [
                "agent.",
                "pool.",
                "drivers",
                "media",
                "array-client",
                "nearest",
                "theirs",
                "tests/",
                ".policy:",
            ] {
                assert!(!said.contains(secret), "{file}: {secret} in {said}");
            }
        }
    }
}
