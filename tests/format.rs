//! The canonical form: cases in `tests/format`, and what must hold of it for every policy there is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bourse::{
    diagnostic::{Code, Render, Report},
    format::{format, is_same},
    parse::{self, ast::Ast},
    source::Sources,
};

use crate::properties;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The tree of a text that has no mistake.
fn read(text: &str) -> Option<Ast> {
    let mut sources = Sources::default();
    let (source, problems) = parse::decode(&mut sources, "x.policy", text.as_bytes());
    let read = parse::parse(&sources, source);
    let clean = read.diagnostics.iter().all(|problem| problem.code == Code::B0116);
    (problems.is_empty() && clean).then_some(read.ast)
}

fn formatted(text: &str) -> Result<String, String> {
    let ast = read(text).ok_or("it does not parse")?;
    format(text, &ast).map_err(|problem| {
        Report { diagnostics: vec![*problem], ..Report::default() }.render(Render::Human(false))
    })
}

/// Every comment of a text, in any order. No text of the tests holds two slashes in quotes, but for addresses.
fn comments(text: &str) -> Vec<String> {
    let starts = |line: &str| {
        let found = line.match_indices("//").map(|(at, _)| at);
        let mut outside = found.filter(|at| line[..*at].matches('"').count().is_multiple_of(2));
        outside.next()
    };
    let mut found: Vec<String> =
        text.lines().filter_map(|line| starts(line).map(|at| line[at..].trim_end().to_owned())).collect();
    found.sort();
    found
}

/// What must hold of the form of a text; gives that form.
fn holds(what: &str, text: &str) -> String {
    let once = formatted(text).unwrap_or_else(|problem| panic!("{what}: {problem}\n{text}"));
    assert_eq!(comments(text), comments(&once), "{what}: {text}\n----\n{once}");
    let twice = formatted(&once).unwrap_or_else(|problem| panic!("{what}, again: {problem}\n{once}"));
    assert_eq!(once, twice, "{what}: the form of the form is another:\n{text}");
    assert!(once.is_empty() || once.ends_with('\n') && !once.ends_with("\n\n"), "{what}: {once:?}");
    assert!(once.lines().all(|line| line == line.trim_end()), "{what}: blanks at an end");
    once
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|known| known == ending) {
            found.push(path);
        }
    }
    found.sort();
}

/// Every policy of the tree that can be read: files, and examples of the documentation.
fn policies() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in ["policies", "stdlib", "tests", "benches"] {
        files(&root().join(folder), "policy", &mut paths);
    }
    let mut found = Vec::new();
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        found.push((path.display().to_string(), text));
    }
    let mut pages = vec![root().join("README.md")];
    files(&root().join("docs"), "md", &mut pages);
    for path in pages {
        let text = fs::read_to_string(&path).expect("readable");
        for (at, part) in text.split("```").enumerate() {
            if let Some(example) = part.strip_prefix("policy")
                && let Some((_, example)) = example.split_once('\n')
            {
                found.push((format!("{}, block {at}", path.display()), example.to_owned()));
            }
        }
    }
    found.retain(|(_, text)| read(text).is_some());
    found
}

#[test]
fn cases() {
    let mut paths = Vec::new();
    files(&root().join("tests/format"), "policy", &mut paths);
    assert!(paths.len() >= 8, "only {} cases were found", paths.len());
    let mut wrong = String::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("readable");
        let once = holds(&path.display().to_string(), &text);
        let wanted = fs::read_to_string(path.with_extension("out")).unwrap_or_default();
        if once != wanted {
            wrong.push_str(&format!("{}: expected\n{wanted}----\nfound\n{once}----\n", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_policy_keeps_its_meaning_and_its_comments() {
    let policies = policies();
    assert!(policies.len() > 150, "only {} policies were found", policies.len());
    for (at, (name, text)) in policies.into_iter().enumerate() {
        // `format` refuses what is not the same; here it is asked once more, for the form of each file.
        let once = holds(&name, &text);
        assert!(is_same(&text, &once), "{name}: another meaning:\n{text}\n----\n{once}");
        if at % 5 == 0 && !text.contains('\r') {
            holds(&format!("{name}, line ends of Windows"), &text.replace('\n', "\r\n"));
        }
    }
}

#[test]
fn generated_policies_keep_their_meaning() {
    for seed in 0..200 {
        holds(&format!("seed {seed}"), &properties::declarations(seed).join("\n"));
    }
}

/// The tree's own policies are as `bourse fmt` writes them.
#[test]
fn our_own_policies_are_in_canonical_form() {
    let mut paths = Vec::new();
    for folder in ["policies", "stdlib"] {
        files(&root().join(folder), "policy", &mut paths);
    }
    let other = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("readable");
        formatted(&text).as_ref() != Ok(&text)
    };
    let wrong: Vec<PathBuf> = paths.into_iter().filter(other).collect();
    assert!(wrong.is_empty(), "run `bourse fmt` on {wrong:?}");
}

/// The places between two tokens, as bytes. Inside a text or a comment there is none.
fn places(text: &str) -> Vec<usize> {
    let mut found = vec![0];
    let (mut quoted, mut comment, mut escaped) = (false, false, false);
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '%' | '"');
        let glued = |a: char, b: char| "=<>!/".contains(a) && "=/".contains(b);
        let inside = quoted || comment || glued(last, c) || (word(last) && word(c));
        if !inside {
            found.push(at);
        }
        match c {
            '\n' => comment = false,
            '"' if !comment && !escaped => quoted = !quoted,
            '/' if !quoted && last == '/' => comment = true,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        last = c;
    }
    found.push(text.len());
    found
}

/// Puts something between two tokens of a declaration, at every so many of all such places. Where that can still be
/// read, nothing is lost.
fn inserted(what: &str, stride: usize) {
    let (mut place, mut seen) = (0, 0);
    for (name, text) in policies() {
        let Some(ast) = read(&text) else { continue };
        for item in &ast.items {
            let Some(item) = text.get(item.span.start as usize..item.span.end as usize) else { continue };
            for at in places(item) {
                place += 1;
                if place % stride != 0 || item.len() > 700 {
                    continue;
                }
                let changed = format!("{}{what}{}", &item[..at], &item[at..]);
                if read(&changed).is_some() {
                    holds(&format!("{name}, byte {at} of a declaration"), &changed);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 40, "only {seen} of {place} places took {what:?}");
}

#[test]
fn a_comment_may_stand_anywhere() {
    inserted(" // a comment\n", 75);
    inserted("\n// on its own\n", 83);
}

#[test]
fn documentation_may_stand_anywhere() {
    inserted("\n/// said of what follows\n", 87);
    inserted(" /// not at the head of a line\n", 107);
}

#[test]
fn lines_may_end_anywhere() {
    inserted("\n", 83);
    inserted("\n\n\n\t ", 107);
    inserted(" , ", 87);
}

/// Several comments at once, at the ends of lines and between them.
#[test]
fn comments_on_every_line() {
    for (name, text) in policies().into_iter().step_by(2) {
        let commented: String = text
            .lines()
            .enumerate()
            .map(|(at, line)| format!("// before {at}\n{line} // after {at}\n"))
            .collect();
        // The last one ends with the file.
        let commented = commented.trim_end();
        if read(commented).is_some() {
            holds(&name, commented);
        }
    }
}
