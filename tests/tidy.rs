//! The house rules that a compiler does not hold: arrows between modules, sizes of files, words, suppressions.

#![allow(clippy::disallowed_methods, reason = "the sources are read as files")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each module may use of the others. An arrow that is not here is an arrow the wrong way.
const ARROWS: &[(&str, &[&str])] = &[
    ("source", &["limits"]),
    ("symbol", &[]),
    ("limits", &[]),
    ("logic", &[]),
    ("quantity", &[]),
    ("ranges", &[]),
    ("operator", &[]),
    ("place", &[]),
    ("types", &["quantity"]),
    ("keys", &["types"]),
    ("value", &["limits", "quantity", "ranges", "symbol", "types"]),
    ("diagnostic", &["source", "limits", "value"]),
    ("parse", &["diagnostic", "limits", "operator", "quantity", "ranges", "source", "types", "value"]),
    ("format", &["diagnostic", "limits", "parse", "source", "value"]),
    (
        "ir",
        &["keys", "limits", "operator", "place", "quantity", "ranges", "source", "symbol", "types", "value"],
    ),
    (
        "inventory",
        &[
            "diagnostic",
            "ir",
            "keys",
            "limits",
            "operator",
            "parse",
            "quantity",
            "ranges",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    (
        "resolve",
        &[
            "diagnostic",
            "inventory",
            "keys",
            "limits",
            "operator",
            "parse",
            "place",
            "quantity",
            "ranges",
            "source",
            "types",
            "value",
        ],
    ),
    (
        "check",
        &[
            "diagnostic",
            "inventory",
            "ir",
            "keys",
            "limits",
            "operator",
            "parse",
            "quantity",
            "resolve",
            "source",
            "types",
            "value",
        ],
    ),
    (
        "lower",
        &[
            "check",
            "inventory",
            "ir",
            "keys",
            "parse",
            "quantity",
            "resolve",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    ("emit", &["inventory", "ir", "keys", "limits", "operator", "quantity", "symbol", "types", "value"]),
    ("compiled", &["emit", "ir", "operator", "quantity", "ranges", "source", "symbol", "types", "value"]),
    (
        "engine",
        &["inventory", "ir", "keys", "limits", "logic", "operator", "quantity", "symbol", "types", "value"],
    ),
    (
        "matching",
        &[
            "engine",
            "inventory",
            "ir",
            "keys",
            "limits",
            "logic",
            "quantity",
            "ranges",
            "symbol",
            "types",
            "value",
        ],
    ),
    ("cycle", &["engine", "inventory", "ir", "limits", "matching", "quantity", "symbol", "types"]),
    (
        "plugin",
        &[
            "diagnostic",
            "emit",
            "engine",
            "inventory",
            "ir",
            "limits",
            "logic",
            "quantity",
            "ranges",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    (
        "pipeline",
        &["check", "diagnostic", "inventory", "ir", "limits", "lower", "parse", "resolve", "source", "types"],
    ),
    (
        "analyse",
        &[
            "cycle",
            "diagnostic",
            "engine",
            "inventory",
            "ir",
            "keys",
            "limits",
            "logic",
            "matching",
            "operator",
            "parse",
            "pipeline",
            "quantity",
            "ranges",
            "resolve",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    ("error", &["diagnostic"]),
    (
        "policy",
        &[
            "check",
            "cycle",
            "diagnostic",
            "engine",
            "error",
            "inventory",
            "ir",
            "matching",
            "pipeline",
            "plugin",
            "source",
        ],
    ),
    (
        "live",
        &[
            "check",
            "cycle",
            "diagnostic",
            "error",
            "inventory",
            "pipeline",
            "plugin",
            "policy",
            "quantity",
            "source",
        ],
    ),
    ("standing", &["error", "live", "matching", "policy", "quantity"]),
    (
        "explain",
        &[
            "cycle",
            "diagnostic",
            "engine",
            "inventory",
            "ir",
            "limits",
            "logic",
            "matching",
            "operator",
            "policy",
            "quantity",
            "ranges",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    (
        "state",
        &[
            "check",
            "diagnostic",
            "error",
            "inventory",
            "ir",
            "pipeline",
            "plugin",
            "policy",
            "quantity",
            "ranges",
            "source",
            "symbol",
            "value",
        ],
    ),
    (
        "testing",
        &[
            "check",
            "cycle",
            "diagnostic",
            "engine",
            "error",
            "inventory",
            "ir",
            "logic",
            "matching",
            "operator",
            "output",
            "parse",
            "pipeline",
            "plugin",
            "policy",
            "quantity",
            "ranges",
            "resolve",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    (
        "output",
        &[
            "analyse",
            "cycle",
            "diagnostic",
            "engine",
            "explain",
            "inventory",
            "ir",
            "limits",
            "matching",
            "policy",
            "quantity",
            "ranges",
            "source",
            "state",
            "symbol",
            "types",
            "value",
        ],
    ),
    (
        "doc",
        &[
            "inventory",
            "ir",
            "limits",
            "output",
            "parse",
            "pipeline",
            "policy",
            "quantity",
            "resolve",
            "source",
            "symbol",
            "types",
            "value",
        ],
    ),
    (
        "change",
        &[
            "cycle",
            "inventory",
            "ir",
            "matching",
            "output",
            "plugin",
            "policy",
            "quantity",
            "source",
            "types",
        ],
    ),
    ("import", &["diagnostic", "inventory", "limits", "quantity", "source", "value"]),
];

/// Modules that may use everything: the command line, and the crate's own root.
const OUTERMOST: &[&str] = &["cli", "lib", "main"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|known| known == ending) {
            found.push(path);
        }
    }
    found.sort();
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join("src"), "rs", &mut found);
    let name = |path: &Path| path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).expect("readable"))).collect()
}

/// Everything of a file but its tests and comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    body.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The modules that a file names after `crate::`.
fn used(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let word =
        |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            used.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && depth == 0 && c.is_ascii_alphabetic() => {
                    used.insert(word(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn arrows_between_modules_go_one_way() {
    let known: BTreeSet<&str> = ARROWS.iter().map(|arrow| arrow.0).collect();
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let path = name.trim_start_matches("src/");
        let module = path.split('/').next().unwrap_or(path).trim_end_matches(".rs");
        if OUTERMOST.contains(&module) || name.contains("tests") {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|arrow| arrow.0 == module) else {
            wrong.push(format!("{name}: the module `{module}` has no row in the table"));
            continue;
        };
        for other in used(&code(&text)) {
            let inside = other == module || !known.contains(other.as_str());
            if !inside && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{name} uses `{other}`"));
            }
            if other == "cli" {
                wrong.push(format!("{name} uses `cli`"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_itself_has_no_circle() {
    let mut open: Vec<&str> = ARROWS.iter().map(|arrow| arrow.0).collect();
    while !open.is_empty() {
        let free = |module: &&str| {
            let row = ARROWS.iter().find(|arrow| arrow.0 == *module).expect("row");
            row.1.iter().all(|other| !open.contains(other))
        };
        let Some(at) = open.iter().position(free) else {
            panic!("a circle among {open:?}");
        };
        open.remove(at);
    }
}

#[test]
fn files_stay_small() {
    let mut long = Vec::new();
    for (name, text) in sources() {
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text).lines().count();
        if lines > 600 && !name.ends_with("tests.rs") {
            long.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn suppressions_say_why_and_work_is_not_left_behind() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let place = format!("{name}:{}: {}", at + 1, line.trim());
            let suppressed =
                line.trim_start().starts_with("#[allow(") || line.trim_start().starts_with("#![allow(");
            let rest: String = text.lines().skip(at).take(6).collect();
            if suppressed && !rest.split(']').next().is_some_and(|attribute| attribute.contains("reason")) {
                wrong.push(place.clone());
            }
            if ["TODO", "FIXME", "XXX", "HACK"].iter().any(|word| line.contains(word)) {
                wrong.push(place);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_float_and_no_hash_order_decides() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if name.starts_with("src/cli") {
            continue;
        }
        for (at, line) in code(&text).lines().enumerate() {
            let words: BTreeSet<&str> =
                line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            if ["f32", "f64", "HashMap", "HashSet"].iter().any(|word| words.contains(word)) {
                wrong.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `cli/durable` replaces files so that no crash tears them. Compiled plugins are kept in another way: they are made again.
#[test]
fn files_are_written_in_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if name.starts_with("src/cli/durable/") || name == "src/cli/plugin_cache.rs" {
            continue;
        }
        for (at, line) in code(&text).lines().enumerate() {
            let ways =
                ["fs::write", "fs::rename", "fs::remove", "File::create", "File::options", "OpenOptions"];
            if ways.iter().any(|way| line.contains(way)) {
                wrong.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_run() {
    let main = fs::read_to_string(root().join("tests/main.rs")).expect("main");
    let mut missing = Vec::new();
    for entry in fs::read_dir(root().join("tests")).expect("tests") {
        let path = entry.expect("entry").path();
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        if path.extension().is_some_and(|known| known == "rs")
            && name != "main"
            && !main.contains(&format!("mod {name};"))
        {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "not in tests/main.rs: {missing:?}");
}

#[test]
fn every_limit_is_enforced_somewhere() {
    let limits = fs::read_to_string(root().join("src/limits.rs")).expect("limits");
    let names = limits.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let elsewhere: String =
        sources().iter().filter(|(name, _)| name != "src/limits.rs").map(|(_, text)| code(text)).collect();
    let unused: Vec<&str> = names.filter(|name| !elsewhere.contains(&format!("limits::{name}"))).collect();
    assert!(unused.is_empty(), "nothing holds to these: {unused:?}");
}

/// Types that are named alike in several places on purpose.
fn is_named_alike(file: &str, name: &str) -> bool {
    // The stages of the compiler have one name each for what they make of the same statement.
    let staged = ["src/parse/ast.rs", "src/resolve/hir.rs"].contains(&file) || file.starts_with("src/ir/");
    // Each command has its arguments; without the feature, the types of plugins are there and have no values.
    staged || name == "Args" && file.starts_with("src/cli/") || file == "src/plugin/absent.rs"
}

/// The name of the type that a line at the beginning of a file's margin declares.
fn declared(line: &str) -> Option<&str> {
    let visible = line.strip_prefix("pub").map_or(line, |rest| rest.strip_prefix("(crate)").unwrap_or(rest));
    let visible = visible.strip_prefix("(super)").unwrap_or(visible).trim_start();
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let rest = kinds.iter().find_map(|kind| visible.strip_prefix(kind)).filter(|_| !line.starts_with(' '))?;
    rest.split(|letter: char| !letter.is_alphanumeric()).next()
}

#[test]
fn a_type_name_is_used_once() {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut twice = Vec::new();
    for (file, text) in sources() {
        for name in text.lines().filter_map(declared).filter(|name| !is_named_alike(&file, name)) {
            if let Some(first) = known.insert(name.to_owned(), file.clone()) {
                twice.push(format!("`{name}` in {first} and {file}"));
            }
        }
    }
    assert!(known.len() > 500, "only {} types were found", known.len());
    assert!(twice.is_empty(), "rename one of each:\n{}", twice.join("\n"));
}

#[test]
fn decisions_are_numbered_without_gaps_and_listed() {
    let folder = root().join("docs/decisions");
    let index = fs::read_to_string(folder.join("README.md")).expect("the index");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("decisions")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    names.sort_unstable();
    for (number, name) in (1..).zip(&names) {
        assert!(name.starts_with(&format!("{number:04}-")), "`{name}` should have the number {number}");
        let text = fs::read_to_string(folder.join(name)).expect("a decision");
        let title = text.lines().next().and_then(|line| line.strip_prefix(&format!("# {number}. ")));
        let title = title.unwrap_or_else(|| panic!("`{name}` should begin with `# {number}. `"));
        assert!(index.contains(&format!("{number}. [{title}]({name})\n")), "`{name}` is not in the index");
    }
}
