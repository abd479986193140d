//! `check --format sarif`.

use serde_json::Value;

use super::{Folder, json};

const WRONG: &str = "agent a { resources { mem = 4m } }\n";
const WARNING: &str = "use std.storage\n// é\nclass fast for pool { is storage.flash, media == \"hdd\" }\n";

/// The one run of a log, after what the format asks of every log has been seen (SARIF 2.1.0, sections 3.13 to 3.30).
fn run_of(log: &Value) -> &Value {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-2.1.0.json")));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "bourse");
    for result in run["results"].as_array().expect("results") {
        let rule = &driver["rules"][result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!(rule["id"], result["ruleId"], "the index is that of the rule");
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string());
        assert!(["error", "warning", "note"].iter().any(|level| result["level"] == *level));
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let related = result["relatedLocations"].as_array().cloned().unwrap_or_default();
        for location in result["locations"].as_array().expect("locations").iter().chain(&related) {
            let Some(place) = location.get("physicalLocation") else {
                assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
                continue;
            };
            assert!(place["artifactLocation"]["uri"].as_str().is_some_and(|uri| !uri.contains(' ')));
            let at = |key: &str| place["region"][key].as_u64().expect(key);
            assert!(at("startLine") >= 1 && at("startColumn") >= 1);
            assert!((at("endLine"), at("endColumn")) >= (at("startLine"), at("startColumn")));
        }
    }
    run
}

#[test]
fn warnings_with_their_places() {
    let folder = Folder::new(&[("my rules.policy", WARNING)]);
    let output = folder.run(&["check", "my rules.policy", "--format", "sarif", "--deny-warnings"]);
    assert_eq!((output.code, output.stderr.as_str()), (1, ""), "{output:?}");
    let log = json(&output.stdout);
    let results = run_of(&log)["results"].as_array().expect("results");
    assert_eq!(results.len(), 1, "{output:?}");
    let result = &results[0];
    assert_eq!((&result["ruleId"], &result["level"]), (&Value::from("B0601"), &Value::from("warning")));
    let message = result["message"]["text"].as_str().expect("a text");
    assert!(message.contains("\nhelp: `media in [\"ssd\", \"nvme\"]` and"), "{message}");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "my%20rules.policy");
    let region = serde_json::json!({"startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 11});
    assert_eq!(place["region"], region);
    // One of the conditions stands in the standard library, which is no file of the user's.
    let related = result["relatedLocations"].as_array().expect("related");
    let module = &related[0]["logicalLocations"][0]["fullyQualifiedName"];
    assert!(module.as_str().is_some_and(|place| place.starts_with("std.storage:")), "{related:?}");
    assert_eq!(related[1]["physicalLocation"]["region"]["startColumn"], 41, "{related:?}");
}

#[test]
fn errors_and_missing_files_too() {
    let folder = Folder::new(&[("p.policy", WRONG)]);
    for (path, code, rule) in [("p.policy", 3, "B0109"), ("q.policy", 2, "B0901")] {
        let output = folder.run(&["check", path, "--format", "sarif"]);
        assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{output:?}");
        let log = json(&output.stdout);
        let results = run_of(&log)["results"].as_array().expect("results");
        assert_eq!((results.len(), &results[0]["ruleId"]), (1, &Value::from(rule)), "{output:?}");
    }
}

#[test]
fn nothing_to_say_is_a_log_too() {
    let folder = Folder::new(&[("p.policy", "agent a { resources { cpus = 1 } }\n")]);
    let output = folder.run(&["check", "p.policy", "--format", "sarif"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(run_of(&json(&output.stdout))["results"], serde_json::json!([]));
    // Who asks for both gets both.
    let output = folder.run(&["check", "p.policy", "--format", "sarif", "--error-format", "json"]);
    assert_eq!(json(&output.stderr)["format"], "bourse.diagnostics");
}
