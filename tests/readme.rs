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

/// The page on static analysis is a session: its files are written as they stand, its commands run in order, and they
/// give just what it shows.
#[test]
fn the_session_of_the_analysis_is_real() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = fs::read_to_string(format!("{root}/docs/analysis.md")).expect("readable");
    let folder = tempfile::tempdir().expect("a folder");
    let quickstart = folder.path().join("policies/quickstart");
    fs::create_dir_all(&quickstart).expect("a folder");
    let file = "quickstart.policy";
    fs::copy(format!("{root}/policies/quickstart/{file}"), quickstart.join(file)).expect("copied");
    let mut commands = 0;
    for fence in page.split("\n```").skip(1).step_by(2) {
        let (info, text) = fence.split_once('\n').expect("a fence");
        if let Some(name) = info.strip_prefix("policy name=") {
            fs::write(folder.path().join(name), format!("{text}\n")).expect("written");
        }
        if info != "console" {
            continue;
        }
        for session in text.strip_prefix("$ bourse ").expect("a command").split("\n$ bourse ") {
            let (args, shown) = session.split_once('\n').expect("an answer");
            let run = Command::new(env!("CARGO_BIN_EXE_bourse"))
                .args(args.split(' '))
                .current_dir(folder.path())
                .output()
                .expect("runs");
            let told = [run.stdout, run.stderr].map(|told| String::from_utf8(told).expect("text")).concat();
            assert_eq!(told.trim_end(), shown, "bourse {args}");
            commands += 1;
        }
    }
    assert!(commands >= 5, "only {commands} commands were found");
}
