//! `bourse test`: what passes, fails, cannot be run, and is not there.

use super::{Folder, json, schema_problems};

const SET: &str = r#"
agent a { os = "linux", resources { cpus = 4 } }
need n { count = 3, agent { cpus = 3, gpus = 1 } }
"#;

fn set(tests: &str) -> Folder {
    Folder::new(&[("p.policy", &format!("{SET}{tests}"))])
}

#[test]
fn what_is_so_passes() {
    let run =
        set("test \"refused\" { expect n unmet, expect n not on a because gpus }").run(&["test", "p.policy"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, "ok     refused\n1 passed, 0 failed\n");
}

#[test]
fn what_is_not_so_is_shown_with_its_reasons() {
    let run = set("test \"wrong\" {\n  expect n met\n}").run(&["test", "p.policy"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    insta::assert_snapshot!(run.stdout, @r"
    FAILED wrong
      p.policy:5:3
        expected  n met
        actual    unmet: 0 of 3 offered, proved
        because   a: gpus: wants 1; agent.gpus absent; permanent
    0 passed, 1 failed
    ");
}

#[test]
fn what_cannot_be_run_is_told_and_the_others_are_run() {
    let tests =
        "test \"typo\" { expect m met }\ntest \"fine\" { expect n unmet }\ntest \"agent\" { expect n on b }";
    let run = set(tests).run(&["test", "p.policy"]);
    assert_eq!(run.code, 3);
    assert!(
        run.stdout.contains("ok     fine\n")
            && run.stdout.ends_with("1 passed, 0 failed, 2 could not be run\n")
    );
    assert!(run.stderr.contains("B0213") && run.stderr.contains("no need is named `m`"));
    assert!(run.stderr.contains("no agent is named `b`"));
}

#[test]
fn a_set_that_does_not_compile_runs_no_test() {
    let run = set("test \"t\" { expect n unmet }\nneed n { agent { cpus = 1 } }").run(&["test", "p.policy"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert!(run.stderr.contains("B0201"));
}

#[test]
fn tests_are_chosen_by_name() {
    let tests = "test \"one\" { expect n unmet }\ntest \"two\" { expect n met }";
    let chosen = set(tests).run(&["test", "p.policy", "--run", "^o"]);
    assert_eq!((chosen.code, chosen.stdout.as_str()), (0, "ok     one\n1 passed, 0 failed\n"));
    let none = set(tests).run(&["test", "p.policy", "--run", "three"]);
    assert_eq!((none.code, none.stdout.as_str()), (2, ""));
    assert!(none.stderr.contains("B0904") && none.stderr.contains("2 tests are declared"));
    let absent = set("").run(&["test", "p.policy"]);
    assert_eq!(absent.code, 2);
    assert!(absent.stderr.contains("B0904"));
}

#[test]
fn json_has_every_test_and_failure() {
    let run = set("test \"a\" { expect n unmet }\ntest \"b\" { expect n met }")
        .run(&["test", "p.policy", "--format", "json"]);
    assert_eq!(run.code, 1);
    let found = json(&run.stdout);
    assert_eq!((&found["format"], &found["version"]), (&"bourse.tests".into(), &1.into()));
    assert_eq!((&found["passed"], &found["failed"], &found["broken"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(schema_problems("schema/tests.schema.json", &found), Vec::<String>::new());
    assert_eq!(found["tests"][1]["failures"][0]["expected"], "expect n met");
    assert_eq!(found["tests"][1]["failures"][0]["place"]["line"], 5);
}

#[test]
fn an_inventory_is_seen_by_tests_that_declare_no_fleet_or_say_so() {
    let fleet = r#"{"format": "bourse.inventory", "version": 1, "agents": [{"name": "big", "resources": {"cpus": 64, "gpus": 8}}]}"#;
    let tests = r#"
        test "seen"     { expect n best on big }
        test "not seen" { agent c { resources { cpus = 1 } }, expect n unmet }
        test "with it"  { with inventory, agent c { resources { cpus = 1 } }, expect n offered 3 }
    "#;
    let folder = set(tests);
    folder.write("fleet.json", fleet);
    let run = folder.run(&["test", "p.policy", "--inventory", "fleet.json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
}

#[test]
fn check_looks_into_tests() {
    let run = set("test \"t\" { agent b { vlan = 4m }, expect n unmet }").run(&["check", "p.policy"]);
    assert_eq!(run.code, 3);
    let named = set("test \"t\" { expect nn unmet }").run(&["check", "p.policy"]);
    assert_eq!(named.code, 3);
    assert!(named.stderr.contains("B0213") && named.stderr.contains("did you mean `n`?"));
    for (expect, wrong) in
        [("n on b", "no agent is named `b`"), ("agent aa free cpus == 4", "did you mean `a`?")]
    {
        let fleet = set(&format!("test \"t\" {{ expect {expect} }}")).run(&["check", "p.policy"]);
        assert_eq!(fleet.code, 3);
        assert!(fleet.stderr.contains("B0213") && fleet.stderr.contains(wrong), "{}", fleet.stderr);
    }
}

const COVERED: &str = r#"
class big for agent {
  size >= 3
  name == "a" or kind is present
}
broker main {
  expose agent.os
  require linux: agent.os == "linux"
  prefer near: agent.size / 4 weight 2
}
agent a { os = "linux", size = 4, resources { cpus = 4 } }
agent b { os = "bsd", size = 1, resources { cpus = 4 } }
need n { agent { cpus = 3, is big, os == "linux" } }
test "both" { expect n on a }
"#;

#[test]
fn coverage_names_what_was_never_seen() {
    let folder = Folder::new(&[("p.policy", COVERED)]);
    let run = folder.run(&["test", "p.policy", "--coverage"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout, @r#"
    ok     both
    not covered
      p.policy:3:3  class big: never unknown  (agent.size >= 3)
      p.policy:8:3  require linux: never unknown  (agent.os == "linux")
      p.policy:9:3  prefer near: never false, never unknown  (agent.size / 4)
      p.policy:13:36  need n: never unknown  (agent.os == "linux")
    coverage: 9 of 14 outcomes seen (64%)
    1 passed, 0 failed
    "#);
    let wire = json(&folder.run(&["test", "p.policy", "--coverage", "--format", "json"]).stdout);
    assert_eq!(wire["coverage"]["conditions"][0]["label"], "big");
    assert_eq!(schema_problems("schema/tests.schema.json", &wire), Vec::<String>::new());
    let below = folder.run(&["test", "p.policy", "--coverage", "--threshold", "90"]);
    assert_eq!(below.code, 1);
    assert!(below.stdout.contains("and 90% is asked for"), "{}", below.stdout);
    assert_eq!(folder.run(&["test", "p.policy", "--coverage", "--threshold", "10"]).code, 0);
    assert_eq!(folder.run(&["test", "p.policy", "--threshold", "10"]).code, 2, "nothing to hold it against");
    assert_eq!(folder.run(&["test", "p.policy", "--coverage", "--threshold", "101"]).code, 2);
}

/// The order in which conditions are written changes nothing of what is seen.
#[test]
fn coverage_does_not_depend_on_order() {
    let turned = COVERED.replace(
        "  size >= 3\n  name == \"a\" or kind is present\n",
        "  kind is present or name == \"a\"\n  size >= 3\n",
    );
    assert_ne!(turned, COVERED);
    let seen = |text: &str| {
        let folder = Folder::new(&[("p.policy", text)]);
        let wire = json(&folder.run(&["test", "p.policy", "--coverage", "--format", "json"]).stdout);
        (wire["coverage"]["seen"].clone(), wire["coverage"]["possible"].clone())
    };
    assert_eq!(seen(COVERED), seen(&turned));
}

#[test]
fn results_for_junit_and_github() {
    let tests = "test \"a, b: 100%\" { expect n met }\ntest \"typo\" { expect m met }\ntest \"so\" { expect n unmet }";
    let folder = set(tests);
    let junit = folder.run(&["test", "p.policy", "--format", "junit"]);
    assert_eq!(junit.code, 3);
    insta::assert_snapshot!("junit", junit.stdout);
    let github = folder.run(&["test", "p.policy", "--format", "github"]);
    assert_eq!(github.code, 3);
    insta::assert_snapshot!("github", github.stdout);
}

/// A change of a file leads to another run. Each step waits for what the one before has led to, not for a time.
#[test]
fn watching_runs_again() {
    use std::io::{BufRead, BufReader};
    let folder = set("test \"t\" { expect n unmet }");
    let mut command = folder.command(&["test", "p.policy", "--watch"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut results = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut remarks = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(results.any(|line| line == "1 passed, 0 failed"));
    assert!(remarks.any(|line| line == "watching 1 file; end with Ctrl-C"));
    folder.write("p.policy", &format!("{SET}test \"t\" {{ expect n met }}"));
    assert!(remarks.any(|line| line == "changed: p.policy"));
    assert!(results.any(|line| line == "0 passed, 1 failed"));
    folder.write("p.policy", "agent {");
    assert!(remarks.any(|line| line == "changed: p.policy"));
    assert!(
        remarks.any(|line| line.starts_with("watching 1 file")),
        "a set that does not compile is waited for"
    );
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}
