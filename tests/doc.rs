//! Pages of policy sets: whatever a policy calls things or says of them is shown as text.

use bourse::{
    Fleet,
    check::Strictness,
    diagnostic::Render,
    doc::{document, vocabulary},
    output::View,
    pipeline::Parsed,
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn page(text: &str, view: View) -> String {
    let parsed = Parsed::new([("set.policy", text.as_bytes())]);
    let fleet = Fleet::load(&parsed, Strictness::default(), &[]);
    let fleet = fleet.unwrap_or_else(|error| panic!("{}\n{text}", error.render(Render::Human(false))));
    match view {
        View::Operator => document(&fleet, &parsed),
        View::Framework(at) => vocabulary(&fleet, &parsed, Some(at)),
    }
}

/// What a reader makes of a page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    headings: usize,
    tables: usize,
    rows: usize,
    cells: usize,
    lists: usize,
    code_blocks: usize,
    paragraphs: usize,
    links: Vec<String>,
    /// What has no business on a page.
    foreign: Vec<String>,
}

fn shape(page: &str) -> (Shape, String) {
    let mut shape = Shape::default();
    let mut words = String::new();
    for event in Parser::new_ext(page, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Start(Tag::Heading { .. }) => shape.headings += 1,
            Event::Start(Tag::Table(_)) => shape.tables += 1,
            Event::Start(Tag::TableRow) => shape.rows += 1,
            Event::Start(Tag::TableCell) => shape.cells += 1,
            Event::Start(Tag::List(_)) => shape.lists += 1,
            Event::Start(Tag::CodeBlock(_)) => shape.code_blocks += 1,
            Event::Start(Tag::Paragraph) => shape.paragraphs += 1,
            Event::Start(Tag::Link { dest_url, .. }) => shape.links.push(dest_url.to_string()),
            Event::Start(Tag::Strong | Tag::Item | Tag::TableHead) | Event::SoftBreak => {}
            Event::End(TagEnd::Heading(_) | TagEnd::TableCell | TagEnd::Paragraph | TagEnd::CodeBlock) => {
                words.push('\n');
            }
            Event::End(_) => {}
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            other => shape.foreign.push(format!("{other:?}")),
        }
    }
    (shape, words)
}

/// Every kind of thing that a page tells of. `NAME` is a name, or a text; `PART` one that may be part of a path; `DOCS` a line of documentation.
const SET: &str = r#"
use std.storage
/// DOCS
/// and DOCS
class "NAME" for pool { media == "NAME", is storage.flash }
/// DOCS
let "l NAME" = agent."k NAME" == "NAME"
broker "main" {
  expose agent."k NAME"
  /// DOCS
  require "NAME": agent."k NAME" == "NAME" or agent."k NAME" is absent
  require agent."k NAME" != "NAME one"
  /// DOCS
  prefer "x NAME": agent."k NAME" == "NAME" weight 3
  /// DOCS
  charge agent."r NAME" 1 per volume
}
/// DOCS
role "PART" { "k NAME" = "NAME", limit { agent."r NAME" = 3 }, principals = ["NAME"] }
/// DOCS
agent "PART" {
  domain = "d"
  "k NAME" = "NAME"
  resources { "r NAME" = 4, cpus = ["NAME", "b"] }
  /// DOCS
  require "NAME": framework."k NAME" == "NAME"
}
/// DOCS
provider "PART" {
  instance "PART" {
    pool "PART" { media = "x", resources { "r NAME" = 4 }, require "NAME": agent."k NAME" == "NAME" }
  }
}
/// DOCS
framework "NAME f" {
  role = "PART"
  principal = "NAME"
  "k NAME" = "NAME"
  /// DOCS
  need "NAME" {
    agent { "r NAME" = 1, cpus = ["NAME"], agent."k NAME" == "NAME" }
    volume "NAME" { "r NAME" = 2, is "NAME", filesystem = "NAME" }
    near "NAME" in "k NAME"
  }
}
"#;

/// As a policy writes it in quotes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

fn set(name: &str, docs: &str) -> String {
    SET.replace("NAME", &escaped(name))
        .replace("PART", &escaped(&name.replace('/', ".")))
        .replace("DOCS", docs)
}

const HOSTILE: &[&str] = &[
    "](javascript:alert(1))",
    "[x](javascript:alert(1))",
    "![x](https://x.example/p.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "--> <!-- x",
    "&lt;b&gt; &amp; &#60;",
    "`",
    "``",
    "```",
    "`x",
    "a ``` b",
    "~~~",
    "~~x~~",
    "|",
    "a | b",
    "a \\| b",
    "\\",
    "a\\",
    "||||",
    "| --- |",
    "# heading",
    "## x",
    "=====",
    "-----",
    "***",
    "___",
    "* * *",
    "- item",
    "+ item",
    "1. item",
    "1) item",
    "- [ ] task",
    "> quote",
    ": definition",
    "*bold* __bold__ _x_",
    "$x$ and $$y$$",
    "{{ site.x }} {% x %}",
    "^sup^ ~sub~",
    "[^1]",
    "[^1]: note",
    "[x]: https://x.example",
    "https://x.example/a?b=c&d",
    "www.x.example",
    "a@x.example",
    "<https://x.example>",
    "<a@x.example>",
    ":smile:",
    "@someone",
    "a  ",
    "&nbsp;",
    "%3Cscript%3E",
    "'\"",
    "{#id .class}",
    "{: onclick=x}",
    "::: div",
    "!!! note",
    "+++",
    "---",
    "|x|\u{a0}|y|",
    "é ü 漢字",
];

#[test]
fn hostile_names_and_texts_change_nothing_but_words() {
    for view in [View::Operator, View::Framework(0)] {
        let (plain, words) = shape(&page(&set("plain", "plain words"), view));
        assert!(words.contains("plain words"), "{words}");
        assert!(plain.links.iter().all(|link| link.starts_with('#')), "{plain:?}");
        assert!(view == View::Framework(0) || plain.headings > 12 && plain.tables > 6, "{plain:?}");
        for hostile in HOSTILE {
            for (name, docs) in [(*hostile, "words"), ("plain", *hostile), (*hostile, *hostile)] {
                let made = page(&set(name, docs), view);
                let (found, words) = shape(&made);
                assert_eq!(found, plain, "{hostile:?} in\n{made}");
                assert!(words.contains(hostile.trim()), "{hostile:?} is not shown in\n{made}\nbut\n{words}");
            }
        }
    }
}

#[test]
fn terminals_are_told_nothing() {
    for hostile in ["\u{1b}[2J", "\u{7}", "a\nb", "a\r\n\n# b", "\t", "\u{202e}abc", "\u{9b}31m", "\u{0}"] {
        for view in [View::Operator, View::Framework(0)] {
            let (plain, _) = shape(&page(&set("plain", "words"), view));
            // Names hold none of it; texts hold what their escapes say.
            let text = format!("== \"{}\"", escaped(hostile));
            let made = page(&set("plain", "words").replace("== \"plain\"", &text), view);
            let moves = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!made.contains(moves), "{hostile:?} in {made:?}");
            assert_eq!(shape(&made).0, plain, "{hostile:?} in\n{made}");
        }
    }
}

/// Nothing fine-grained, and nothing of the operator's, of frameworks' or of the fleet.
#[test]
fn a_framework_sees_what_it_may_use() {
    let made = page(
        r#"
/// Fast enough.
class fast for pool { secret-media == "secret-nvme" }
let secret-let = agent.secret-key == "secret"
broker secret-broker {
  domain = "secret-place"
  levels region > zone
  expose agent.os
  /// Secret words.
  require secret-label: agent.secret-key == "secret"
  charge agent.mounts 1 per volume
}
agent secret-agent { os = "secret-os", secret-key = "secret", resources { cpus = 4, mounts = 1 } }
provider secret-provider { instance secret-instance { pool secret-pool { resources { size = 4TB } } } }
role "eng" { secret-paid = true }
role "secret-role" { weight = 2 }
framework secret-rival { role = "secret-role", need secret-want { agent { secret-resource = 1 } } }
framework secret-framework { role = "eng", need secret-need { agent { cpus = 1 }, volume secret-volume { size = 1TB } } }
"#,
        View::Framework(1),
    );
    assert!(!made.contains("secret") && !made.contains("Secret"), "{made}");
    for word in ["`is fast`", "Fast enough.", "`agent.os`", "`zone`", "`cpus`", "`size`", "`4GB`", "`eng`"] {
        assert!(made.contains(word), "{word} is not in\n{made}");
    }
}

#[test]
fn the_same_set_gives_the_same_page() {
    let text = set("plain", "words");
    assert_eq!(page(&text, View::Operator), page(&text, View::Operator));
}
