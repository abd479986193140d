//! README is true: its policy gives just the offers that it shows, and its tests hold.

use std::{fs, process::Command};

use crate::cases::failures_of;

/// The first fenced block with this info word.
fn block<'a>(text: &'a str, info: &str) -> &'a str {
    let start = text.find(&format!("```{info}\n")).expect("a block") + info.len() + 4;
    let length = text[start..].find("```").expect("its end");
    &text[start..start + length]
}

#[test]
fn the_first_screen_is_what_the_command_says() {
    let readme = fs::read_to_string(format!("{}/README.md", env!("CARGO_MANIFEST_DIR"))).expect("readable");
    let policy = block(&readme, "policy");
    let (tests, failures) = failures_of("demo.policy", policy);
    assert!(tests > 0 && failures.is_empty(), "{failures}");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("demo.policy"), policy).expect("written");
    let run = Command::new(env!("CARGO_BIN_EXE_bourse"))
        .args(["offers", "demo.policy"])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    let shown = block(&readme, "console").strip_prefix("$ bourse offers demo.policy\n").expect("the command");
    assert_eq!(String::from_utf8_lossy(&run.stdout), shown);
}
