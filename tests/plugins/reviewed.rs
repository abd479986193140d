//! `bourse test` and `bourse diff` with plugins.

use std::fs;

use super::made::Made;
use crate::cli::{Folder, json};

const SITE: &str = r#"agent a1 { drivers = ["x"], kernel = v"5.10", resources { cpus = 8 } }
agent a2 { drivers = ["y"], kernel = v"4.4", resources { cpus = 8 } }
provider x { instance i { pool ssd { resources { size = 9TB } } } }
need db { count = 2, agent { cpus = 2 }, at most 1 per agent, volume data { size = 2TB } }
test "db goes where the driver is" {
  expect db on a1
  expect db partial
}
test "everything" { expect snapshot }
test "another array" {
  agent a3 { drivers = ["x"], kernel = v"5.10", resources { cpus = 8 } }
  agent a4 { drivers = ["x"], kernel = v"4.4", resources { cpus = 8 } }
  provider x { instance j { pool hdd { resources { size = 9TB } } } }
  expect db met
}
"#;

const VENDOR: &str = r#"provider x {
  require driver: agent.drivers has "x"
  prefer new: agent.kernel >= v"5.0" weight 20
  instance i { pool ssd { require large: volume.size >= 1TB, resources { size = 9TB } } }
}
"#;

fn folder() -> Folder {
    let folder = Folder::new(&[("site.policy", SITE), ("vendor.policy", VENDOR)]);
    build(&folder, "vendor.policy", "vendor.wasm");
    folder
}

fn build(folder: &Folder, policy: &str, plugin: &str) {
    let built = folder.run(&["build", policy, "-o", plugin, "--name", "vendor"]);
    assert_eq!((built.code, built.stderr.as_str()), (0, ""));
}

fn shown(folder: &Folder, args: &[&str]) -> String {
    let output = folder.run(args);
    format!("$ bourse {}\n{}exit {}\n{}", args.join(" "), output.stdout, output.code, output.stderr)
}

#[test]
fn tests_are_run_with_plugins() {
    let folder = folder();
    let own = ["test", "site.policy", "--plugin", "x=vendor.wasm", "--grant", "x=agent.drivers,agent.kernel"];
    let with = |more: &[&str]| shown(&folder, &[&own, more].concat());
    let told = [
        shown(&folder, &["test", "site.policy"]),
        with(&["--run", "^db|^another"]),
        with(&["--accept"]),
        with(&["--coverage", "--threshold", "100"]),
        shown(&folder, &["test", "site.policy", "--plugin", "x=vendor.wasm", "--run", "^db"]),
        fs::read_to_string(folder.path().join("snapshots/site__everything.snap")).expect("is accepted"),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

/// The rules of a set as a plugin hold its tests as the set does.
#[test]
fn a_set_s_plugin_passes_the_tests_of_the_set() {
    let policy = r#"broker b { require linux: agent.os == "linux", prefer big: agent.total.cpus / 16 weight 5 }
        agent a1 { os = "linux", resources { cpus = 4 } }
        agent a2 { os = "linux", resources { cpus = 16 } }
        agent a3 { os = "plan9", resources { cpus = 16 } }
        need n { count = 2, at most 1 per agent, agent { cpus = 1 } }
        test "t" { expect n best on a2, expect n not on a3 }"#;
    let folder = Folder::new(&[("set.policy", policy)]);
    build(&folder, "set.policy", "set.wasm");
    let native = folder.run(&["test", "set.policy"]);
    let plugin = folder.run(&["test", "set.policy", "--no-rules", "--plugin", "set.wasm"]);
    assert_eq!((native.code, &native.stdout), (plugin.code, &plugin.stdout), "{}", plugin.stderr);
    assert_eq!(native.code, 0, "{}{}", native.stdout, native.stderr);
    assert_eq!(folder.run(&["test", "set.policy", "--no-rules"]).code, 2);
}

#[test]
fn a_plugin_that_breaks_a_rule_lets_no_test_pass() {
    let folder = Folder::new(&[
        // What it expects is so of a plugin that offers nothing: that is no reason to pass.
        (
            "site.policy",
            "agent a1 { resources { cpus = 8 } }\nneed db { agent { cpus = 2 } }\ntest \"t\" { expect db unmet }",
        ),
    ]);
    let endless = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    fs::write(folder.path().join("endless.wasm"), endless.component()).expect("written");
    for format in ["pretty", "json", "junit", "github"] {
        let output = folder.run(&["test", "site.policy", "--plugin", "endless.wasm", "--format", format]);
        assert_eq!(output.code, 4, "{format}: {}", output.stderr);
        assert!(
            output.stderr.contains("endless.wasm") || output.stdout.contains("B08"),
            "{format}: {}",
            output.stderr
        );
    }
    let output = folder.run(&["test", "site.policy", "--plugin", "endless.wasm"]);
    assert!(output.stdout.contains("a plugin broke a rule"), "{}", output.stdout);
    assert!(output.stderr.contains("B0808"), "{}", output.stderr);
    for (args, said) in [
        (&["--plugin", "z=endless.wasm"][..], "no provider is named `z`"),
        (&["--plugin", "none.wasm"], "B0901"),
        (&["--plugin", "endless.wasm", "--grant", "z=agent.os"], "no plugin is given"),
    ] {
        let output = folder.run(&[&["test", "site.policy"], args].concat());
        assert_eq!(output.code, 2, "{args:?}");
        assert!(output.stderr.contains(said), "{args:?}: {}", output.stderr);
    }
}

#[test]
fn a_change_of_a_plugin_is_reviewed() {
    let folder = folder();
    // The driver is asked for no more, a newer kernel is, and counts for less.
    let next = VENDOR
        .replace("require driver: agent.drivers has \"x\"", "require kernel: agent.kernel >= v\"4.0\"")
        .replace("weight 20", "weight 5");
    folder.write("next.policy", &next);
    build(&folder, "next.policy", "next.wasm");
    folder.write("other.policy", &SITE.replace("cpus = 8", "cpus = 1"));
    let same = ["diff", "site.policy", "site.policy"];
    let with = |more: &[&str]| shown(&folder, &[&same, more].concat());
    let told = [
        with(&["--old-plugin", "vendor.wasm", "--new-plugin", "next.wasm"]),
        // A plugin comes; beside each version the same.
        with(&["--new-plugin", "x=vendor.wasm", "--grant", "x=agent.drivers,agent.kernel"]),
        with(&["--plugin", "vendor.wasm"]),
        shown(&folder, &["diff", "site.policy", "other.policy", "--plugin", "vendor.wasm"]),
        with(&["--old-plugin", "vendor.wasm", "--new-plugin", "next.wasm", "--format", "markdown"]),
    ];
    insta::assert_snapshot!(told.join("\n"));
    let wire = folder.run(
        &[&same[..], &["--old-plugin", "vendor.wasm", "--new-plugin", "next.wasm", "--format", "json"]]
            .concat(),
    );
    assert_eq!(json(&wire.stdout)["changed"], true);
    let endless = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    fs::write(folder.path().join("endless.wasm"), endless.component()).expect("written");
    for side in ["--plugin", "--old-plugin", "--new-plugin"] {
        let output = folder.run(&[&same[..], &[side, "endless.wasm"]].concat());
        assert_eq!(output.code, 4, "{side}: {}", output.stderr);
        assert!(output.stderr.contains("B0808"), "{side}: {}", output.stderr);
    }
    for (args, said) in [
        (&["--new-plugin", "z=vendor.wasm"][..], "no provider is named `z`"),
        (&["--plugin", "vendor.wasm", "--new-plugin", "vendor.wasm"], "is given twice"),
        (&["--grant", "x=agent.os"], "no plugin is given"),
        (&["--no-rules"], "no plugin that has rules instead"),
    ] {
        let output = folder.run(&[&same[..], args].concat());
        assert_eq!(output.code, 2, "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains(said), "{args:?}: {}", output.stderr);
    }
}
