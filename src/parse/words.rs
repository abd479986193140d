//! The words of the grammar, for code that looks at words outside of the parser: the formatter, the wording of
//! syntax errors, and the readers of data. A test compares each list with the rules of the grammar.

/// Every word that the grammar gives a meaning, and `std`, which begins the path of a standard module. The
/// formatter keeps the quotes of names like these.
pub const ALL: &[&str] = &[
    "absent",
    "accept",
    "agent",
    "all",
    "allocation",
    "among",
    "and",
    "any",
    "at",
    "avoid",
    "because",
    "best",
    "broker",
    "charge",
    "class",
    "else",
    "expect",
    "expose",
    "false",
    "for",
    "framework",
    "free",
    "from",
    "has",
    "in",
    "instance",
    "inventory",
    "is",
    "least",
    "lend",
    "let",
    "levels",
    "limit",
    "matches",
    "met",
    "most",
    "near",
    "need",
    "not",
    "nothing",
    "offered",
    "on",
    "or",
    "over",
    "partial",
    "per",
    "pool",
    "prefer",
    "present",
    "provider",
    "require",
    "reserved",
    "resources",
    "revocable",
    "role",
    "schema",
    "share",
    "skew",
    "snapshot",
    "spread",
    "std",
    "test",
    "together",
    "true",
    "unlimited",
    "unmet",
    "use",
    "v",
    "volume",
    "weight",
    "with",
    "within",
];

/// The words that begin a statement: the rule `keyword`.
pub const HEADS: &[&str] = &[
    "accept",
    "agent",
    "all",
    "allocation",
    "at",
    "avoid",
    "broker",
    "charge",
    "class",
    "expect",
    "expose",
    "framework",
    "instance",
    "lend",
    "let",
    "levels",
    "limit",
    "near",
    "need",
    "pool",
    "prefer",
    "provider",
    "require",
    "reserved",
    "resources",
    "revocable",
    "role",
    "schema",
    "spread",
    "test",
    "together",
    "use",
    "volume",
    "with",
    "within",
];

/// The words that begin a placement constraint: those of the alternatives of `place`.
pub const PLACES: &[&str] = &["near", "avoid", "within", "at", "spread", "together"];

/// The words that stand between two operands, or after one: those of `joint`, `operator` and `test_tail`.
pub const OPERATORS: &[&str] = &["and", "or", "in", "has", "is", "else", "within", "matches"];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const GRAMMAR: &str = include_str!("../../grammar/policy.pest");

    /// Returns the text of each rule, by name.
    fn rules() -> BTreeMap<&'static str, String> {
        let mut rules: BTreeMap<&str, String> = BTreeMap::new();
        let mut last = "";
        for line in GRAMMAR.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // A rule begins at the margin; the lines after it are indented, or a brace alone.
            let body = match line.split_once('=') {
                Some((name, body)) if line.starts_with(|c: char| c.is_ascii_lowercase()) => {
                    last = name.trim();
                    body
                }
                _ => line,
            };
            rules.entry(last).or_default().push_str(body);
        }
        rules
    }

    /// Returns the texts in quotes that are words.
    fn words(rule: &str) -> BTreeSet<&str> {
        let quoted = rule.split('"').skip(1).step_by(2);
        quoted.filter(|text| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase())).collect()
    }

    #[track_caller]
    fn same(list: &[&str], grammar: &BTreeSet<&str>) {
        assert_eq!(list.len(), list.iter().collect::<BTreeSet<_>>().len(), "a word stands twice");
        assert_eq!(&list.iter().copied().collect::<BTreeSet<_>>(), grammar);
    }

    #[test]
    fn all_are_the_words_of_the_grammar() {
        let rules = rules();
        // Escaped quotes would shift what is between quotes.
        let texts: Vec<String> = rules.values().map(|rule| rule.replace("\\\"", "")).collect();
        let mut grammar: BTreeSet<&str> = texts.iter().flat_map(|rule| words(rule)).collect();
        grammar.insert("std");
        same(ALL, &grammar);
    }

    #[test]
    fn heads_are_the_keywords() {
        same(HEADS, &words(&rules()["keyword"]));
    }

    #[test]
    fn places_are_the_first_words_of_the_alternatives_of_a_place() {
        let rules = rules();
        let alternatives = rules["place"].trim().trim_start_matches("_{").trim_end_matches('}').split('|');
        let first = |name: &str| rules[name.trim()].split('"').nth(1).expect("begins with a word");
        same(PLACES, &alternatives.map(first).collect());
    }

    #[test]
    fn operators_are_the_words_after_an_operand() {
        let rules = rules();
        let names = ["joint", "operator", "is_word", "test_tail"];
        let mut grammar: BTreeSet<&str> = names.iter().flat_map(|name| words(&rules[*name])).collect();
        // `has any` and `has all` begin with `has`.
        grammar.retain(|word| !matches!(*word, "any" | "all"));
        same(OPERATORS, &grammar);
    }
}
