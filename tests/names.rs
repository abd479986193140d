//! Names that a reader cannot tell apart: what nobody sees is refused in every name, however it is written, and what looks
//! like another name is told.

use bourse::{
    check::Strictness,
    diagnostic::{Code, Severity},
    pipeline::{Extra, Parsed},
};

use crate::harness;

/// What a name may not hold: a control character, a bidirectional one, and what is zero-width or fills.
const HIDDEN: [&str; 9] =
    ["\\u{7}", "\\n", "\\t", "\\u{202e}", "\\u{200b}", "\\u{200d}", "\\u{feff}", "\\u{3164}", "\\u{e0061}"];

/// Every place of a policy where a name may stand in quotes, `@` for the name.
const NAMES: &[&str] = &[
    "agent \"@\" {}",
    "provider \"@\" {}",
    "provider p { instance \"@\" {} }",
    "provider p { instance i { pool \"@\" {} } }",
    "provider p { instance i { pool q { resources { size = 2GB }\nvolume \"@\" { resources { size = 1GB } } } } }",
    "provider p { instance i { pool q { resources { size = 2GB }\nvolume v { resources { size = 1GB }, reserved for \"@\" } } } }",
    "agent a { \"@\" = 1 }",
    "agent a { rack.\"@\" = 1 }",
    "agent a { \"@\" { x = 1 } }",
    "agent a { domain = \"us/@\" }",
    "agent a { resources { \"@\" = 1 } }",
    "agent a { resources { gpus = [\"@\"] } }",
    "agent a { resources for \"@\" { cpus = 1 } }",
    "role \"@\" { weight = 2 }",
    "role e { limit { \"@\" = 1 } }",
    "class \"@\" for agent { x == 1 }",
    "class c for agent { agent.\"@\" == 1 }",
    "class c for agent { agent is \"@\" }",
    "let \"@\" = agent.x",
    "schema agent { \"@\": text }",
    "broker \"@\" {}",
    "broker b { levels region > \"@\" }",
    "broker b { expose agent.\"@\" }",
    "broker b { require \"@\": agent.x == 1 }",
    "framework \"@\" { need n { agent { cpus = 1 } } }",
    "framework f { role = \"@\", need n { agent { cpus = 1 } } }",
    "framework f { principal = \"@\", need n { agent { cpus = 1 } } }",
    "framework f { need \"@\" { agent { cpus = 1 } } }",
    "need n { agent { \"@\" = 1 } }",
    "need n { agent { cpus = 1 }, within \"us/@\" }",
    "need n { agent { cpus = 1 }, volume \"@\" { size = 1GB } }",
    "need n { agent { cpus = 1 }, volume v { size = 1GB, filesystem = \"@\" } }",
    "allocation \"@\" { framework = \"f\", agent a { cpus = 1 } }",
    "allocation l { framework = \"@\", agent a { cpus = 1 } }",
    "allocation l { framework = \"f\", role = \"@\", agent a { cpus = 1 } }",
    "allocation l { framework = \"f\", need = \"@\", agent a { cpus = 1 } }",
    "allocation l { framework = \"f\", agent \"@\" { cpus = 1 } }",
    "allocation l { framework = \"f\", pool \"@\" { size = 1GB } }",
    "test \"@\" {}",
];

fn codes(policy: &str) -> Vec<Code> {
    let run = harness::load(&[("p.policy", policy.as_bytes())], &[]);
    run.reports.iter().flat_map(|report| &report.diagnostics).map(|problem| problem.code).collect()
}

#[test]
fn no_name_of_a_policy_hides_anything() {
    for form in NAMES {
        for hidden in HIDDEN {
            let policy = form.replace('@', &format!("a{hidden}b"));
            assert!(codes(&policy).contains(&Code::B0102), "{policy}: {:?}", codes(&policy));
        }
        let policy = form.replace('@', "größe");
        assert!(!codes(&policy).contains(&Code::B0102), "{policy}");
    }
}

#[test]
fn a_text_holds_what_its_escapes_say() {
    for hidden in HIDDEN {
        let policy = format!(
            "agent a {{ x = \"a{hidden}b\", y = [\"{hidden}\"] }}\nclass c for agent {{ x == \"{hidden}\" }}\n"
        );
        assert!(!codes(&policy).contains(&Code::B0102), "{policy}");
    }
}

/// The texts that a set is warned of.
fn told(policy: &str, strict: bool) -> Vec<String> {
    let parsed = Parsed::new([("p.policy", policy.as_bytes())]);
    let strictness = Strictness { lookalikes: strict, ..Strictness::default() };
    let checked = parsed.check(&Extra::default(), strictness);
    let wanted = if strict { Severity::Error } else { Severity::Warning };
    let found = checked.report.diagnostics.iter().filter(|problem| problem.code == Code::B0220);
    found
        .map(|problem| {
            assert_eq!(problem.severity, wanted, "{problem:?}");
            let place = problem.labels[0].span;
            assert!(!checked.report.sources.text(place).is_ascii(), "{problem:?}");
            problem.message.split('`').nth(1).expect("names what is meant").to_owned()
        })
        .collect()
}

#[test]
fn names_that_look_like_others_are_told() {
    let cases: &[(&str, &[&str])] = &[
        // A Cyrillic letter in a Latin word, whatever names it.
        ("agent \"r\u{430}ck1\" {}", &["\"r\u{430}ck1\""]),
        ("class c for agent { os == \"linu\u{445}\" }", &["\"linu\u{445}\""]),
        ("agent a { os = \"linu\u{445}\" }", &["\"linu\u{445}\""]),
        ("agent a { resources { \"\u{441}pus\" = 4 } }", &["\"\u{441}pus\""]),
        // A whole word of them beside the Latin one.
        (
            "agent a { os = \"coco\" }\nclass c for agent { os == \"\u{441}\u{43e}\u{441}\u{43e}\" }",
            &["\"\u{441}\u{43e}\u{441}\u{43e}\""],
        ),
        // Compatibility forms, and accents in two forms.
        (
            "agent a { os = \"ssd\" }\nagent b { os = \"\u{ff53}\u{ff53}\u{ff44}\" }",
            &["\"\u{ff53}\u{ff53}\u{ff44}\""],
        ),
        ("agent \"gr\u{f6}n\" {}\nagent \"gro\u{308}n\" {}", &["\"gr\u{f6}n\""]),
        // What people write.
        (
            "agent \"größe\" {}\nagent \"名前-rack\" {}\nagent \"серверы\" {}\nagent \"خادم-1\" {}\nagent \"λ\" {}\n",
            &[],
        ),
        ("agent a { os = \"l\" }\nagent b { os = \"I\" }", &[]),
    ];
    for (policy, want) in cases {
        for strict in [false, true] {
            assert_eq!(told(policy, strict), *want, "{policy}");
        }
    }
}

#[test]
fn names_of_data_that_look_like_others_are_told_at_their_place() {
    let data = "{\"format\": \"bourse.inventory\", \"version\": 1, \"agents\": [{\"name\": \"rack1\"}, {\"name\": \"r\u{430}ck1\"}]}";
    let run = harness::load(&[("p.policy", b"broker main {}\n")], &[("f.json", data.as_bytes())]);
    let report = run.reports.last().expect("a report");
    let problem = report.diagnostics.iter().find(|problem| problem.code == Code::B0220).expect("is told");
    assert_eq!(report.sources.text(problem.labels[0].span), "r\u{430}ck1");
    assert_eq!(report.sources.text(problem.labels[1].span), "rack1");
    assert!(run.loaded.is_some(), "it is a warning");
}
