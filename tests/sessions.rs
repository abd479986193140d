//! Sessions of the documentation: each is run, and must give what the page shows.
//!
//! A fence with `file=NAME` is written to that file. A fence ```` ```console ```` holds lines `$ bourse …`, each with
//! what it writes to standard output and then to standard error; `> FILE` and `< FILE` at the end are as in a shell. With `BOURSE_SESSIONS=update` the pages are written
//! anew; look at the difference.

use std::{fs, path::Path};

use crate::cli::{Folder, finish};

const PAGES: &[&str] = &["diff.md", "openb.md", "security.md", "testing.md"];

/// What a page says and the tables beside it.
const TABLES: &[(&str, &[&str])] = &[("openb.md", &["nodes.csv", "pods.csv"])];

/// A page as it would be with what the commands say now.
fn replayed(page: &str, text: &str) -> String {
    let folder = Folder::new(&[]);
    let tables = TABLES.iter().filter(|(of, _)| *of == page).flat_map(|(_, names)| *names);
    for name in tables {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page.trim_end_matches(".md"));
        folder.write(name, &fs::read_to_string(beside.join(name)).expect("a table"));
    }
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        // A fence that holds fences is longer than they are.
        let info = line.trim_start_matches('`');
        let fence = &line[..line.len() - info.len()];
        if fence.len() < 3 || info.is_empty() {
            continue;
        }
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
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
        out.push_str(&format!("{fence}\n"));
    }
    out
}

fn run(folder: &Folder, line: &str) -> String {
    let mut words = words(line.strip_prefix("$ bourse ").expect("a command of ours"));
    let mut redirected = |sign: &str| {
        let at = words.iter().position(|word| word == sign)?;
        words.remove(at);
        Some(words.remove(at))
    };
    let (from, to) = (redirected("<"), redirected(">"));
    let mut command = folder.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    command.env_remove("CI");
    let output = finish(command, &from.map(|name| folder.read(&name)).unwrap_or_default());
    let shown = match to {
        Some(name) => {
            folder.write(&name, &output.stdout);
            String::new()
        }
        None => output.stdout,
    };
    format!("{line}\n{shown}{}", output.stderr)
}

/// The words of a line, where single quotes keep one together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is one").push(c),
        }
    }
    words
}

#[test]
fn every_session_is_what_the_commands_say() {
    for page in PAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
        let text = fs::read_to_string(&path).expect("readable");
        let now = replayed(page, &text);
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
