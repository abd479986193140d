//! Results for people.

use super::{DEMO, Folder};

fn shown(args: &[&str]) -> String {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    let output = folder.run(&[&[args[0], "p.policy"], &args[1..]].concat());
    assert_eq!(output.stderr, "");
    output.stdout
}

#[test]
fn offers() {
    insta::assert_snapshot!("offers", shown(&["offers"]));
    insta::assert_snapshot!("offers_all", shown(&["offers", "--reasons", "all", "--need", "db"]));
    insta::assert_snapshot!("offers_framework", shown(&["offers", "--as", "framework"]));
}

#[test]
fn candidates() {
    insta::assert_snapshot!(shown(&["match"]));
}

#[test]
fn inventory() {
    insta::assert_snapshot!(shown(&["inventory"]));
}

/// However many agents there are, there are as many lines as kinds of reasons.
#[test]
fn large_fleets_stay_readable() {
    let mut text = "need n { agent { cpus = 100 } }\n".to_owned();
    for agent in 0..1_523 {
        text.push_str(&format!("agent a{agent} {{ resources {{ cpus = {} }} }}\n", agent % 7));
    }
    let folder = Folder::new(&[("p.policy", &text)]);
    let output = folder.run(&["offers", "p.policy"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stdout);
}
