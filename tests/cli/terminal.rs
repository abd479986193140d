//! Colour, pipes, and what must not reach a terminal.

use std::process::Stdio;

use super::{DEMO, Folder, finish};

const ESCAPE: char = '\u{1b}';

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let folder = Folder::new(&[("p.policy", DEMO), ("q.policy", "agent a { resources { mem = 4m } }")]);
    let coloured = |args: &[&str], variable: Option<(&str, &str)>| {
        let mut command = folder.command(args);
        command.envs(variable);
        let output = finish(command, "");
        (output.stdout.contains(ESCAPE), output.stderr.contains(ESCAPE))
    };
    let no = Some(("NO_COLOR", "1"));
    let force = Some(("CLICOLOR_FORCE", "1"));
    assert_eq!(coloured(&["offers", "p.policy"], None), (false, false));
    assert_eq!(coloured(&["offers", "p.policy", "--color", "always"], None), (true, false));
    assert_eq!(coloured(&["offers", "p.policy"], force), (true, false));
    assert_eq!(coloured(&["offers", "p.policy"], no), (false, false));
    assert_eq!(coloured(&["offers", "p.policy", "--color", "never"], force), (false, false));
    assert_eq!(coloured(&["offers", "p.policy", "--color", "always"], no), (true, false));
    assert_eq!(coloured(&["check", "q.policy"], None), (false, false));
    assert_eq!(coloured(&["check", "q.policy", "--color", "always"], None), (false, true));
    let json = ["check", "q.policy", "--color", "always", "--error-format", "json"];
    assert_eq!(coloured(&json, None), (false, false));
}

/// A reader that has seen enough, or none at all.
#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    for args in [&["explain-code", "--list"][..], &["offers", "p.policy", "--format", "json"], &["--help"]] {
        let mut command = folder.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the command ends");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        assert_eq!(output.stderr, b"", "{args:?}");
    }
}

/// Names and values with escapes in them, and a file called like one.
#[test]
fn nothing_moves_the_cursor() {
    let policy = r#"
agent "a" { os = "\u{1b}[2J\u{202e}\u{d}x", resources { cpus = 4 } }
broker main { require os: agent.os == "\u{1b}[31mlinux" }
need n { agent { cpus = 1 } }
"#;
    let folder =
        Folder::new(&[("p.policy", policy), ("f\u{1b}[31m.policy", "agent a { resources { mem = 4m } }")]);
    let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    for args in [
        &["offers", "p.policy"][..],
        &["offers", "p.policy", "--reasons", "all"],
        &["match", "p.policy"],
        &["inventory", "p.policy"],
        &["offers", "p.policy", "--need", "\u{1b}[31m"],
        &["check", "f\u{1b}[31m.policy"],
        &["check", "no\u{1b}\r\u{202e}thing"],
        &["explain-code", "B\u{1b}[31m"],
    ] {
        let output = folder.run(args);
        assert!(!output.stdout.contains(bad), "{args:?}: {output:?}");
        assert!(!output.stderr.contains(bad), "{args:?}: {output:?}");
    }
    assert!(folder.run(&["offers", "p.policy"]).stdout.contains(r"\u{1b}[2J\u{202e}\u{d}x"));
}

#[test]
#[cfg(unix)]
fn sizes_are_looked_at_before_reading() {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    for (name, size) in [("large.policy", 1_u64 << 40), ("large.json", 1 << 40)] {
        let file = std::fs::File::create(folder.path().join(name)).expect("writable");
        file.set_len(size).expect("a sparse file");
    }
    let output = folder.run(&["check", "large.policy"]);
    assert!(output.code == 3 && output.stderr.contains("B0106"), "{output:?}");
    let output = folder.run(&["check", "p.policy", "-i", "large.json"]);
    assert!(output.code == 3 && output.stderr.contains("B0514"), "{output:?}");
    let mut command = folder.command(&["check", "-"]);
    command.stdin(std::fs::File::open(folder.path().join("large.policy")).expect("readable"));
    let output = command.output().expect("the command ends");
    assert!(String::from_utf8_lossy(&output.stderr).contains("B0106"), "{output:?}");
    // Without end, and without a size.
    let output = folder.run(&["check", "/dev/zero"]);
    assert!(output.code == 3 && output.stderr.contains("B0106"), "{output:?}");
}
