//! The table of built-in keys, held against the language page and against the cases that read each key.

use std::collections::BTreeMap;

use bourse::{
    keys::{self, BuiltInKind, Presence},
    types::Side,
};

/// The type of a key and the words for when it is absent, by the key as a rule writes it.
type Keys = BTreeMap<String, (String, String)>;

#[allow(clippy::disallowed_methods, reason = "pages and cases are files")]
fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("readable")
}

/// Returns the rows of the page's table, without the keys whose names a set chooses.
fn of_the_page() -> Keys {
    let page = read("docs/language.md");
    let rows = page.lines().skip_while(|line| *line != "| key | value | type | absent |").skip(2);
    let mut found = Keys::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [written, _, kind, absent] = cells.as_slice() else { panic!("four cells: {row}") };
        for key in written.split(", ").map(|key| key.trim_matches('`')) {
            let chosen = key.ends_with(".LEVEL") || key.split_once('.').is_some_and(|(_, name)| name == "R");
            if !chosen {
                let twice = found.insert(key.to_owned(), ((*kind).to_owned(), (*absent).to_owned()));
                assert!(twice.is_none(), "{key} stands twice");
            }
        }
    }
    found
}

fn of_the_table() -> Keys {
    let mut found = Keys::new();
    for side in Side::ALL {
        for key in keys::of(side) {
            let word = key.word.text();
            let (name, kind) = match key.kind {
                BuiltInKind::Of(kind) | BuiltInKind::Open(kind) => (format!("{side}.{word}"), kind.name()),
                BuiltInKind::Amount => (format!("{side}.{word}.R"), "amount"),
            };
            let absent = match key.presence {
                Presence::Always => "never",
                Presence::Stated => "if not stated",
            };
            found.insert(name, (kind.to_owned(), absent.to_owned()));
        }
    }
    found
}

#[test]
fn the_page_has_the_table() {
    assert_eq!(of_the_page(), of_the_table());
}

/// The cases state what each key gives. `engines` and `plugins` run them with the index and with plugins.
#[test]
fn a_case_reads_every_key() {
    let cases = read("tests/cases/keys.policy");
    for (key, (_, absent)) in of_the_table() {
        let key = key.trim_end_matches('R');
        assert!(cases.contains(key), "no case reads {key}");
        let reads_absent = cases.contains(&format!("{key} is absent"));
        // A broker in a policy has a name, and resources are not absent where they are read.
        let stated = key == "broker.name" || key.ends_with('.');
        assert_eq!(reads_absent, absent != "never" && !stated, "a case reads {key} where it is absent");
    }
}
