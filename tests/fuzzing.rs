//! The harness of `fuzz/`, over the files of `tests/corpus/` and a fixed number of mutations of each. A file
//! `NAME.policy` is a case, with `NAME.json` or `NAME.ndjson` as its inventory.

use std::{fs, path::Path};

use crate::harness;

/// Mutations of each case: enough to meet most branches, few enough for every run of the tests.
const MUTATIONS: u32 = 200;

/// xorshift64*: small, fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() >> 11) as usize % bound }
    }
}

/// Name and data of each case, policy and inventory with a byte 0 between.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut cases = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&folder).expect("the folder is there").flatten().collect();
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        if path.extension().is_none_or(|ending| ending != "policy") {
            continue;
        }
        let mut data = fs::read(&path).expect("is readable");
        let inventory = ["json", "ndjson"].map(|ending| fs::read(path.with_extension(ending)));
        if let Some(inventory) = inventory.into_iter().flatten().next() {
            data.push(0);
            data.extend(inventory);
        }
        cases.push((file.file_name().to_string_lossy().into_owned(), data));
    }
    assert!(cases.len() >= 15, "the corpus is there");
    cases
}

/// Words that mean something: a mutation puts them where they may not be.
const WORDS: &[&[u8]] = &[
    b"agent",
    b"pool",
    b"volume",
    b"need",
    b"is",
    b"not ",
    b"and",
    b"or",
    b"else",
    b"has",
    b"in",
    b"within",
    b"weight",
    b"unlimited",
    b"{",
    b"}",
    b"(",
    b")",
    b"[",
    b"]",
    b",",
    b"\n",
    b"\"",
    b"..",
    b"=",
    b"==",
    b"-",
    b"/",
    b"*",
    b".",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"0",
    b"1",
    b"64GiB",
    b"80%",
    b"v\"1\"",
    b"at most 0 per agent",
    b"near data in zone",
    b"count = 64",
    b"null",
    b"true",
    b"//",
    b"///",
    b"'",
    b"\\",
    b"\xff",
    b"\xe2\x80\xae",
    b":",
];

fn mutate(data: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(data.len() + 1);
        let end = (at + random.below(24)).min(data.len());
        match random.below(6) {
            0 => {
                data.drain(at..end);
            }
            1 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            2 => {
                let word = WORDS[random.below(WORDS.len())];
                data.splice(at..end.min(at + 1), word.iter().copied());
            }
            3 => {
                let word = WORDS[random.below(WORDS.len())];
                data.splice(at..at, word.iter().copied());
            }
            4 => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(80)).min(other.len());
                data.splice(at..end, other[from..to].iter().copied());
            }
            _ => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

#[test]
fn the_corpus_is_read_and_most_of_it_makes_offers() {
    let mut loaded = 0;
    let cases = corpus();
    for (name, data) in &cases {
        harness::offers(data);
        let mut parts = data.splitn(2, |byte| *byte == 0);
        let policy = parts.next().unwrap_or_default();
        let inventory = parts.next();
        let ending = if name.starts_with("lines") { "a.ndjson" } else { "a.json" };
        let inventories: Vec<(&str, &[u8])> = inventory.into_iter().map(|text| (ending, text)).collect();
        let run = harness::load(&[(name, policy)], &inventories);
        loaded += usize::from(run.loaded.is_some());
        if run.loaded.is_none() && name != "wrong.policy" {
            let shown: Vec<String> = run
                .reports
                .iter()
                .map(|report| report.render(bourse::diagnostic::Render::Human(false)))
                .collect();
            panic!("{name}\n{}", shown.concat());
        }
    }
    assert_eq!(loaded, cases.len() - 1);
}

#[test]
fn mutations_of_the_corpus_are_read_or_refused() {
    let cases = corpus();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for at in 0..cases.len() {
        for _ in 0..MUTATIONS {
            let mut data = cases[at].1.clone();
            let other = &cases[random.below(cases.len())].1;
            mutate(&mut data, other, &mut random);
            harness::parse(&data);
            harness::offers(&data);
        }
    }
}
