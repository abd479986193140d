//! `bourse offers --plugin`, as its users run it.

use std::fs;

use serde_json::json;

use super::made::{Made, answer};
use crate::cli::{Folder, json};

const SITE: &str = r#"broker site {
  levels region > zone > rack
  require firm: agent.lease is absent
}
agent a1 { domain = "us-west/a/r1", drivers = ["scaleio"], kernel = v"5.10", resources { cpus = 8 } }
agent a2 { domain = "us-west/a/r2", drivers = ["nfs"], kernel = v"5.10", resources { cpus = 8 } }
agent a3 { domain = "us-west/b/r1", drivers = ["scaleio"], kernel = v"4.4", resources { cpus = 8 } }
agent a4 { domain = "us-west/b/r1", drivers = ["scaleio"], kernel = v"5.4", lease = 1h, resources { cpus = 8 } }
provider scaleio { instance aisle-15 { domain = "us-west/a/r1", pool ssd { resources { size = 500TB } } } }
provider other { instance i { domain = "us-west/b/r1", pool hdd { resources { size = 4TB } } } }
need db { count = 4, agent { cpus = 2 }, at most 1 per agent, volume data { size = 2TB } }
"#;

const VENDOR: &str = r#"provider scaleio {
  require driver: agent.drivers has "scaleio"
  require kernel: agent.kernel >= v"4.18"
  prefer same-rack: closeness(agent.domain, pool.domain) weight 20
  instance aisle-15 { pool ssd { resources { size = 500TB }, require big-enough: volume.size >= 1TB } }
}
"#;

fn folder() -> Folder {
    let folder = Folder::new(&[("site.policy", SITE), ("vendor.policy", VENDOR)]);
    let built = folder.run(&["build", "vendor.policy", "-o", "vendor.wasm"]);
    assert_eq!((built.code, built.stderr.as_str()), (0, ""));
    folder
}

#[test]
fn a_vendor_s_plugin_runs_beside_the_policy() {
    let folder = folder();
    let shown = |args: &[&str]| {
        let output = folder.run(args);
        format!("$ bourse {}\n{}exit {}\n{}", args.join(" "), output.stdout, output.code, output.stderr)
    };
    let trusted = shown(&["offers", "site.policy", "--plugin", "vendor.wasm"]);
    let kept_apart = shown(&["offers", "site.policy", "--plugin", "scaleio=vendor.wasm"]);
    let granted = shown(&[
        "offers",
        "site.policy",
        "--plugin",
        "scaleio=vendor.wasm",
        "--grant",
        "scaleio=agent.drivers,agent.kernel",
        "--grant",
        "scaleio=agent.domain",
    ]);
    let explained = shown(&["explain", "db", "site.policy", "--plugin", "vendor.wasm", "--agent", "a2"]);
    insta::assert_snapshot!([trusted, kept_apart, granted, explained].join("\n"));
    // A page of the set says whose rules hold besides.
    let page = folder.run(&["doc", "site.policy", "--plugin", "vendor.wasm"]).stdout;
    let rows = page.split_once("Of plugins, these hold besides:").map_or("", |(_, rows)| rows);
    let row = "| `scaleio/driver` | Required | `agent.drivers has \"scaleio\"` | `vendor.wasm:2` |";
    assert!(
        rows.contains(row) && rows.contains("| `scaleio/same-rack` | Preferred with weight 20 |"),
        "{page}"
    );
    // What a plugin rules out is no role's.
    let share = |more: &[&str]| {
        let shares = folder.run(&[&["shares", "site.policy", "--format", "json"], more].concat());
        json(&shares.stdout)["roles"][0]["share"].clone()
    };
    assert_eq!((share(&[]), share(&["--plugin", "scaleio=vendor.wasm"])), (json!("3/16"), json!("1/8")));
    // Compiled once: what is kept gives the same.
    let again = folder.run(&["offers", "site.policy", "--plugin", "vendor.wasm"]);
    assert!(folder.path().join("cache/bourse/plugins/key").exists());
    assert_eq!(again.stdout, folder.run(&["offers", "site.policy", "--plugin", "vendor.wasm"]).stdout);
}

/// Each set of `policies/` offers the same when its rules are run as a plugin.
#[test]
fn every_policy_s_rules_run_as_a_plugin() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
    let mut sets: Vec<_> =
        fs::read_dir(root).expect("policies").map(|set| set.expect("one").path()).collect();
    sets.retain(|path| path.is_dir());
    sets.sort();
    assert!(sets.len() >= 10);
    let folder = Folder::new(&[]);
    for set in sets {
        let path = set.to_str().expect("UTF-8");
        let files = fs::read_dir(&set).expect("a set").map(|file| file.expect("one").path());
        let inventories: Vec<String> = files
            .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
            .flat_map(|file| ["-i".to_owned(), file.to_str().expect("UTF-8").to_owned()])
            .collect();
        let with = |args: &[&str]| {
            let mut all = args.to_vec();
            all.extend(inventories.iter().map(String::as_str));
            folder.run(&all)
        };
        let built = with(&["build", path, "-o", "set.wasm"]);
        assert_eq!((built.code, built.stderr.as_str()), (0, ""), "{path}");
        let native = with(&["offers", path, "--reasons", "none"]);
        let plugin = with(&["offers", path, "--reasons", "none", "--no-rules", "--plugin", "set.wasm"]);
        assert_eq!((native.code, native.stdout), (plugin.code, plugin.stdout), "{path}");
    }
}

#[test]
fn what_cannot_be_run_beside_a_policy_says_why() {
    let folder = folder();
    let good = fs::read(folder.path().join("vendor.wasm")).expect("built");
    let mut needs = Made::default();
    needs.description.columns[0].required = true;
    let endless = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    // It says `true` of 64 rows, whatever it is asked about.
    let rows = "(i64.store (i32.const 600000) (i64.const -1)) (i64.store (i32.const 600008) (i64.const 0))";
    let rows = format!("{rows} {}", answer([(600_000, 1), (600_008, 1), (0, 0)]));
    let rows = Made { evaluate: rows, ..Made::default() };
    let version = String::from_utf8_lossy(b"bourse:filter/filter@0.1.0").into_owned();
    let other: Vec<u8> = {
        let mut bytes = good.clone();
        let from = version.as_bytes();
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(from.len()).position(|part| part == from) {
            at += found + from.len();
            bytes[at - 3] = b'9';
        }
        bytes
    };
    for (name, bytes) in [
        ("text.wasm", b"agent a1 {}".to_vec()),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec()),
        ("cut.wasm", good[..good.len() / 2].to_vec()),
        ("other.wasm", other),
        ("large.wasm", [good.as_slice(), &[0; 2 << 20]].concat()),
        ("needs.wasm", needs.component()),
        ("endless.wasm", endless.component()),
        ("rows.wasm", rows.component()),
    ] {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder.run(&["build", "vendor.policy", "--target", "native", "-o", "vendor.plan"]);
    for (plugin, more, code, said) in [
        ("text.wasm", "", 3, "B0801"),
        ("core.wasm", "", 3, "B0801"),
        ("vendor.plan", "", 3, "B0801"),
        ("cut.wasm", "", 3, "B0801"),
        ("other.wasm", "", 3, "B0802"),
        ("large.wasm", "", 3, "B0803"),
        ("scaleio=needs.wasm", "", 3, "B0804"),
        ("endless.wasm", "", 4, "plugin `endless.wasm`"),
        ("scaleio=rows.wasm", "", 4, "(rule `rows`)"),
        ("there-is-none.wasm", "", 2, "B0901"),
        ("scaleoi=vendor.wasm", "", 2, "did you mean `scaleio`?"),
        ("scaleio=vendor.wasm", "--grant=agent.drivers", 2, "names no provider"),
        ("scaleio=vendor.wasm", "--grant=scaloi=agent.drivers", 2, "did you mean `scaleio`?"),
        ("scaleio=vendor.wasm", "--grant=scaleio=agnet.drivers", 2, "did you mean `agent`?"),
        ("vendor.wasm", "--grant=scaleio=agent.drivers", 2, "sees everything already"),
        ("vendor.wasm", "--plugin=vendor.wasm", 2, "`vendor.wasm` is given twice"),
        ("scaleio=", "", 2, "names no file"),
        ("scaleio=vendor.wasm", "--grant=scaleio=agent.driver", 0, "did you mean `agent.drivers`?"),
    ] {
        let mut args = vec!["offers", "site.policy", "--plugin", plugin];
        args.extend((!more.is_empty()).then_some(more));
        let output = folder.run(&args);
        let told = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.code, code, "{plugin}: {told}");
        assert!(told.contains(said), "{plugin}: `{said}` is not said by: {told}");
    }
    // The broker goes on: the other provider's pool is offered, and the fault is told.
    let output = folder.run(&["offers", "site.policy", "--plugin", "scaleio=endless.wasm"]);
    assert_eq!(output.code, 4);
    assert!(
        output.stdout.contains("other/i/hdd") && !output.stdout.contains("aisle-15"),
        "{}",
        output.stdout
    );
    assert!(output.stderr.contains("B0808"), "{}", output.stderr);
}

/// What a plugin says of itself is shown as text, whatever it holds.
#[test]
fn what_a_plugin_says_of_itself_is_safe_to_print() {
    let folder = folder();
    let mut made = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    let wild = "\u{1b}[31mred\n\u{202e}";
    made.description.name = wild.to_owned();
    made.description.rules[0].label = wild.to_owned();
    made.description.conditions[0].text = wild.to_owned();
    made.description.columns[0].key.1 = wild.to_owned();
    fs::write(folder.path().join("wild.wasm"), made.component()).expect("written");
    for (args, code) in [
        (&["offers", "site.policy", "--plugin", "wild.wasm"][..], 4),
        (&["offers", "site.policy", "--plugin", "wild.wasm", "--reasons", "all"], 4),
        (&["offers", "site.policy", "--plugin", "scaleio=wild.wasm"], 4),
        (&["match", "site.policy", "--plugin", "wild.wasm"], 4),
        (&["explain", "db", "site.policy", "--plugin", "wild.wasm"], 4),
        (&["explain", "db", "site.policy", "--plugin", "wild.wasm", "--agent", "a1"], 4),
        (&["shares", "site.policy", "--plugin", "wild.wasm"], 4),
        // These ask it nothing.
        (&["doc", "site.policy", "--plugin", "wild.wasm"], 0),
        (&["inventory", "site.policy", "--plugin", "wild.wasm"], 0),
    ] {
        let output = folder.run(args);
        assert_eq!(output.code, code, "{args:?}: {}", output.stderr);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{args:?}: {text:?}");
        }
    }
}
