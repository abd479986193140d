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

/// Each way of finding candidates, and each kind of rule, with its cost.
#[test]
fn costs() {
    let text = "broker b {
  levels region > zone
  require os: agent.os == \"linux\"
  require same: agent.region == pool.region
  require room: agent.free.cpus >= 1
  prefer full: pool.free.size / pool.total.size
  prefer grown: agent.free.cpus / 10 + pool.tier / 10
  prefer asked: volume.size <= 1GB
}
provider p { instance i { domain = \"us\", pool s { tier = 1, resources { size = 9GB } }, pool t { tier = 2, resources { size = 9GB } } } }
agent a { os = \"linux\", domain = \"us/a\", resources { cpus = 4 } }
agent b { os = \"linux\", domain = \"us/b\", require pool.tier >= 1, resources { cpus = 4 } }
agent c { domain = \"eu/b\", resources { cpus = 4 } }
need none { agent { cpus = 1 } }
need one { agent { cpus = 1 }, volume v { size = 1GB } }
need tied { agent { cpus = 1 }, volume v { size = 1GB }, near v in zone }
need two { agent { cpus = 1 }, volume v { size = 1GB, count = 2 } }
need alone { volume v { size = 1GB } }
";
    let folder = Folder::new(&[("p.policy", text)]);
    let output = folder.run(&["check", "p.policy", "--cost"]);
    insta::assert_snapshot!(output.stdout);
}
