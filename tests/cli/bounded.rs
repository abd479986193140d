//! What is written of problems is bounded, whatever was read: a line may have megabytes, and a thousand problems.

use bourse::{
    diagnostic::{Render, Report},
    inventory::wire,
    limits,
    pipeline::Parsed,
    source::Sources,
};

use super::Folder;

/// Bytes that a run may write of the problems of one source, for people and for programs.
const FOR_PEOPLE: usize = 1 << 20;
const FOR_PROGRAMS: usize = 4 << 20;

/// A policy of one line, wrong from end to end.
fn policy(bytes: usize) -> String {
    let mut text = String::from("agent a { ");
    while text.len() < bytes - 100 {
        text.push_str(
            "größe = 4m, ooooooooooooooooooooooooooooooooooooooooo = \"xxxxxxxxxxxxxxxxxxxxxxxxxx\", ",
        );
    }
    text + "}"
}

fn inventory(bytes: usize) -> String {
    let mut text = String::from(r#"{"format": "bourse.inventory", "version": 1, "agents": ["#);
    while text.len() < bytes {
        text.push_str(r#"{"name": "größe/x", "keys": {"kkkkkkkkkkkkkkkkkkkkkkkkkkkk": null}}, "#);
    }
    text.truncate(text.len() - 2);
    text + "]}"
}

#[test]
fn a_line_of_megabytes_makes_no_megabytes_of_output() {
    let policy = policy(limits::SOURCE_BYTES);
    let of_policy = Parsed::new([("p.policy", policy.as_bytes())]);
    let of_policy = Report { sources: of_policy.sources, diagnostics: of_policy.problems };
    let mut sources = Sources::default();
    let (_, diagnostics) = wire::read(&mut sources, "i.json", inventory(4 << 20).as_bytes());
    let of_inventory = Report { sources, diagnostics };
    for (report, kept) in [(of_policy, limits::PROBLEMS_PER_SOURCE), (of_inventory, limits::PROBLEMS_KEPT)] {
        assert!(report.diagnostics.len() >= kept, "{}", report.diagnostics.len());
        // An inventory keeps ten times as many.
        let most = FOR_PROGRAMS * kept / limits::PROBLEMS_PER_SOURCE;
        let ways = [
            (Render::Human(false), FOR_PEOPLE),
            (Render::Human(true), FOR_PEOPLE),
            (Render::Json, most),
            (Render::Sarif, most),
        ];
        for (how, most) in ways {
            let written = report.render(how).len();
            assert!(written > 1_000 && written < most, "{how:?} writes {written} bytes");
        }
    }
}

#[test]
fn no_command_writes_more() {
    let files = [
        ("p.policy", policy(200_000)),
        ("q.policy", "agent x {}\n".to_owned()),
        ("i.json", inventory(200_000)),
    ];
    let folder = Folder::new(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let runs: [(&[&str], usize); 9] = [
        (&["check", "p.policy"], FOR_PEOPLE),
        (&["check", "p.policy", "--color", "always"], FOR_PEOPLE),
        (&["offers", "p.policy"], FOR_PEOPLE),
        (&["fmt", "p.policy"], FOR_PEOPLE),
        (&["check", "p.policy", "--error-format", "json"], FOR_PROGRAMS),
        (&["check", "p.policy", "--format", "sarif"], FOR_PROGRAMS),
        (&["test", "p.policy", "--format", "github"], FOR_PROGRAMS),
        (&["check", "q.policy", "-i", "i.json"], FOR_PEOPLE),
        (&["offers", "q.policy", "-i", "i.json", "--error-format", "json"], FOR_PROGRAMS),
    ];
    for (args, most) in runs {
        let output = folder.run(args);
        assert_eq!(output.code, 3, "{args:?}");
        let written = output.stdout.len() + output.stderr.len();
        assert!(written > 1_000 && written < most, "{args:?} writes {written} bytes");
    }
}

#[test]
fn a_long_name_is_said_in_part() {
    let name = "n".repeat(60_000);
    let cases = [
        format!("agent \"{name}\" {{}}\nagent \"{name}\" {{}}\n"),
        format!("need n {{ agent {{ is {name} }} }}\n"),
        format!("agent a {{ domain = \"{name}//{name}\" }}\n"),
        format!("framework f {{ role = \"{name}//\", need n {{ agent {{ cpus = 1 }} }} }}\n"),
        format!("use std.{name}\n"),
        format!("use \"./{name}.policy\"\n"),
        format!("agent a {{ x = 4{name} }}\n"),
        format!("broker main {{ prefer {name}: agent.x > \"{name}\" }}\nagent a {{ x = 1 }}\n"),
        format!("agent a {{ \"{name}\" = 1, \"{name}\" = 2 }}\n"),
    ];
    for text in cases {
        let folder = Folder::new(&[("p.policy", &text)]);
        for args in [&["check", "p.policy"][..], &["check", "p.policy", "--error-format", "json"]] {
            let output = folder.run(args);
            assert_eq!(output.code, 3, "{:.60}: {output:.2000?}", text);
            let written = output.stdout.len() + output.stderr.len();
            assert!(written < 16_000, "{args:?}: {written} bytes for {text:.60}");
        }
    }
}
