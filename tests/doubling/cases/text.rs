//! Texts that grow: lines, lists, nesting, expressions, names, files, and mistakes.

use crate::{
    Case,
    input::{lines, list, policy},
    work::{
        Input,
        Task::{Analyse, Doc, Format, Load, Offers, Refuse},
        cases as of, growing,
    },
};

pub fn cases() -> Vec<Case> {
    let parts = [
        of("comments", 200, comments, &[Load, Format]),
        of("comments-at-ends", 200, comments_at_ends, &[Format]),
        of("documentation", 200, documentation, &[Load, Format, Doc]),
        of("statements-of-a-line", 200, statements_of_a_line, &[Load, Format]),
        of("a-long-text", 2_000, a_long_text, &[Load, Format]),
        of("escapes", 500, escapes, &[Load, Format]),
        of("members-of-a-list", 500, members_of_a_list, &[Load, Format]),
        of("brackets", 15, brackets, &[Load, Format, Analyse]),
        growing(
            of("nested-keys", 12, nested_keys, &[Load, Format]),
            Format,
            "each block is indented by its depth: the text itself grows with n × n, up to `NESTING`",
        ),
        // The depth of an expression, at most 128, leaves the analysis no n at which a square would show.
        of("nots", 25, nots, &[Load, Format]),
        growing(
            of("ands", 25, ands, &[Load, Format, Analyse, Offers]),
            Analyse,
            "the values of each key are tried in the whole expression, up to `QUESTION_STEPS`",
        ),
        of("sum", 25, sum, &[Load, Format]),
        of("segments-of-a-key", 50, segments_of_a_key, &[Load, Format]),
        of("files", 150, files, &[Load]),
        of("uses", 150, uses, &[Load, Format]),
        of("chain-of-files", 150, chain_of_files, &[Load]),
        of("circle-of-files", 150, circle_of_files, &[Refuse]),
        of("unknown-files", 250, unknown_files, &[Refuse]),
        of("broken-statements", 150, broken_statements, &[Refuse]),
        of("open-brackets", 15, open_brackets, &[Refuse]),
        of("unknown-words", 150, unknown_words, &[Refuse]),
        of("unknown-classes", 250, unknown_classes, &[Refuse]),
        of("unknown-lets", 250, unknown_lets, &[Refuse]),
        of("types-that-disagree", 150, types_that_disagree, &[Refuse]),
        of("uses-of-one-key", 200, uses_of_one_key, &[Refuse]),
        of("circle-of-classes", 150, circle_of_classes, &[Refuse]),
        of("bad-records", 600, bad_records, &[Refuse]),
        of("unknown-fields", 150, unknown_fields, &[Refuse]),
    ];
    parts.into_iter().flatten().collect()
}

const NEED: &str = "agent a { x = 1, resources { cpus = 4 } }\nneed n { agent { cpus = 2 } }\n";

fn ruled(expression: &str) -> Input {
    policy(format!("broker main {{ require r: {expression} }}\n{NEED}"))
}

fn comments(n: usize) -> Input {
    policy(lines(n, |c| format!("// comment {c}")) + NEED)
}

fn comments_at_ends(n: usize) -> Input {
    let key = |k| format!("  k{k} = {k} // says {k}\n\n  // alone");
    policy(
        "agent a {\n".to_owned()
            + &lines(n, key)
            + "  resources { cpus = 4 }\n}\nneed n { agent { cpus = 2 } }",
    )
}

fn documentation(n: usize) -> Input {
    policy(lines(n, |c| format!("/// Class {c}.\nclass c{c} for agent {{ x == {c} }}")) + NEED)
}

fn statements_of_a_line(n: usize) -> Input {
    policy(format!("agent a {{ {}, resources {{ cpus = 4 }} }}\n", list(n, |k| format!("k{k} = {k}"))))
}

fn a_long_text(n: usize) -> Input {
    policy(format!("agent a {{ note = \"{}\", resources {{ cpus = 4 }} }}\n", "x".repeat(n)))
}

fn escapes(n: usize) -> Input {
    policy(format!("agent a {{ note = \"{}\", resources {{ cpus = 4 }} }}\n", "\\u{1f4be}".repeat(n)))
}

fn members_of_a_list(n: usize) -> Input {
    ruled(&format!("agent.x in [{}]", list(n, |m| m.to_string())))
}

fn brackets(n: usize) -> Input {
    ruled(&format!("{}agent.x == 1{}", "(".repeat(n), ")".repeat(n)))
}

fn nested_keys(n: usize) -> Input {
    let head: String = (0..n).map(|k| format!("k{k} {{ ")).collect();
    policy(format!("agent b {{ {head} x = 1 {} \n resources {{ cpus = 4 }} }}\n{NEED}", "}".repeat(n)))
}

fn nots(n: usize) -> Input {
    ruled(&format!("{}(agent.x == 1)", "not ".repeat(n)))
}

fn ands(n: usize) -> Input {
    ruled(&(0..n).map(|k| format!("agent.x != {}", k + 2)).collect::<Vec<_>>().join(" and "))
}

fn sum(n: usize) -> Input {
    ruled(&format!("agent.x{} > 0", " + 1".repeat(n)))
}

fn segments_of_a_key(n: usize) -> Input {
    let key = vec!["k"; n].join(".");
    policy(format!(
        "broker main {{ require r: agent.{key} == 1 }}\nagent b {{ {key} = 1, resources {{ cpus = 4 }} }}\n{NEED}"
    ))
}

fn files(n: usize) -> Input {
    let file = |f| (format!("f{f}.policy"), format!("agent f{f} {{ resources {{ cpus = 4 }} }}\n"));
    let mut input = policy(NEED);
    input.policies.extend((0..n).map(file));
    input
}

/// Each file uses the next, and the last one `last`.
fn used(n: usize, last: impl Fn(usize) -> String) -> Input {
    let next = |f: usize| if f + 1 < n { format!("./f{}.policy", f + 1) } else { last(f) };
    let file = |f: usize| {
        let text = format!("use \"{}\"\nagent f{f} {{ resources {{ cpus = 4 }} }}\n", next(f));
        (format!("f{f}.policy"), text)
    };
    let mut input = policy(NEED);
    input.policies.extend((0..n).map(file));
    input
}

fn chain_of_files(n: usize) -> Input {
    used(n, |_| "./doubling.policy".to_owned())
}

fn circle_of_files(n: usize) -> Input {
    used(n, |_| "./f0.policy".to_owned())
}

fn unknown_files(n: usize) -> Input {
    let mut input = policy(NEED);
    let file = |f: usize| (format!("f{f}.policy"), format!("use \"./f{f}x.policy\"\n"));
    input.policies.extend((0..n).map(file));
    input
}

fn uses(n: usize) -> Input {
    policy(lines(n, |u| format!("use std.{}", ["storage", "compute", "domains", "packing"][u % 4])) + NEED)
}

fn broken_statements(n: usize) -> Input {
    policy(lines(n, |b| format!("agent b{b} {{ x == {b} + , }}")) + NEED)
}

/// Each on a line of its own: every problem shows its line.
fn open_brackets(n: usize) -> Input {
    policy("agent a { x = ".to_owned() + &"(\n".repeat(n) + NEED)
}

fn unknown_words(n: usize) -> Input {
    policy(lines(n, |b| format!("agnt b{b} {{ x = 1 }}")) + NEED)
}

fn unknown_classes(n: usize) -> Input {
    let class = |c| format!("class c{c} for agent {{ x == {c} }}");
    let is = |c| format!("  is c{c}x");
    policy(lines(n, class) + "need m { agent {\n" + &lines(n, is) + "} }\n" + NEED)
}

fn unknown_lets(n: usize) -> Input {
    let one = |c| format!("let l{c} = agent.x + {c}");
    let rule = |c| format!("  require l{c}x > 1");
    policy(lines(n, one) + "broker main {\n" + &lines(n, rule) + "}\n" + NEED)
}

fn types_that_disagree(n: usize) -> Input {
    policy(lines(n, |k| format!("agent b{k} {{ k{k} = 1 }}\nagent c{k} {{ k{k} = \"one\" }}")) + NEED)
}

/// One key that is a number, and as often a text.
fn uses_of_one_key(n: usize) -> Input {
    policy(lines(n, |k| format!("agent b{k} {{ x = {k} }}\nagent c{k} {{ x = \"{k}\" }}")) + NEED)
}

fn circle_of_classes(n: usize) -> Input {
    policy(lines(n, |c| format!("class c{c} for agent {{ is c{} }}", (c + 1) % n)) + NEED)
}

fn bad_records(n: usize) -> Input {
    let agent = |a| format!("{{\"name\": \"a{a}\", \"resources\": {{\"cpus\": \"four\"}}}}");
    policy(NEED).with(format!("\"agents\": [{}]", list(n, agent)))
}

fn unknown_fields(n: usize) -> Input {
    let field = |f| format!("\"field-{f}\": {f}");
    policy(NEED).with(format!("\"agents\": [{{\"name\": \"b\", {}}}]", list(n, field)))
}
