//! Sessions of the documentation: each is run, and must give what the page shows.
//!
//! A fence with `file=NAME` is written to that file. A fence ```` ```console ```` holds lines `$ bourse …`, each with
//! what it writes to standard output and then to standard error. With `BOURSE_SESSIONS=update` the pages are written
//! anew; look at the difference.

use std::{fs, path::Path};

use crate::cli::{Folder, finish};

const PAGES: &[&str] = &["diff.md", "testing.md"];

/// A page as it would be with what the commands say now.
fn replayed(text: &str) -> String {
    let folder = Folder::new(&[]);
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(name) = info.split(' ').find_map(|word| word.strip_prefix("file=")) {
            folder.write(name, &(body.join("\n") + "\n"));
        }
        if info == "console" {
            body.iter()
                .filter(|line| line.starts_with("$ "))
                .for_each(|line| out.push_str(&run(&folder, line)));
        } else {
            body.iter().for_each(|line| out.push_str(&format!("{line}\n")));
        }
        out.push_str("```\n");
    }
    out
}

fn run(folder: &Folder, line: &str) -> String {
    let words: Vec<&str> = line.strip_prefix("$ bourse ").expect("a command of ours").split(' ').collect();
    let mut command = folder.command(&words);
    command.env_remove("CI");
    let output = finish(command, "");
    format!("{line}\n{}{}", output.stdout, output.stderr)
}

#[test]
fn every_session_is_what_the_commands_say() {
    for page in PAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
        let text = fs::read_to_string(&path).expect("readable");
        let now = replayed(&text);
        if std::env::var("BOURSE_SESSIONS").is_ok_and(|value| value == "update") {
            fs::write(&path, &now).expect("writable");
        } else {
            for (shown, real) in text.lines().zip(now.lines()) {
                assert_eq!(shown, real, "docs/{page}");
            }
            assert_eq!(text, now, "docs/{page}");
        }
    }
}
