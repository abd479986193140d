//! Sequences of operations: every file of `tests/state` is a policy, a fleet and steps. A step does operations, whose
//! offers are named by their ids (`db.ring#1` of the offers made now, `early/db.ring#1` of those kept under `early`),
//! and says what becomes of them, of the state, and of the next offers. A new sequence is a new file.

use std::{fs, path::Path};

use bourse::{
    Inventory, Policy,
    output::{self, Detail, View},
    state::{self, Operations, Refusal, State},
};
use serde_json::{Map, Value, json};

/// A policy, a fleet and a state: what operations are done on.
pub struct Scene {
    pub policy: Policy,
    pub fleet: Value,
    pub state: State,
}

impl Scene {
    pub fn new(policy: &str, fleet: Value) -> Scene {
        let policy = Policy::compile([("state.policy", policy)]).unwrap_or_else(|error| panic!("{error}"));
        Scene { policy, fleet, state: State::default() }
    }

    /// The fleet as an inventory.
    pub fn inventory(&self) -> Inventory {
        let mut fleet = self.fleet.clone();
        fleet["format"] = json!("bourse.inventory");
        fleet["version"] = json!(1);
        Inventory::from_json("fleet.json", &fleet.to_string()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The next offers, as a program reads them.
    pub fn offers(&self) -> Value {
        let state = self.state.inventory().expect("a state is an inventory");
        let offers = bourse::offers(&self.policy, &[&self.inventory(), &state]);
        let offers = offers.unwrap_or_else(|error| panic!("{error}"));
        let text = output::offers_json(&offers, View::Operator, Detail::None);
        serde_json::from_str(&text).expect("JSON")
    }

    /// What becomes of operations; the state is not changed by asking.
    pub fn apply(&self, operations: &Value) -> Result<State, Refusal> {
        let document = json!({"format": "bourse.operations", "version": 1, "operations": operations});
        let operations = Operations::from_json("operations.json", document.to_string().as_bytes());
        let operations = operations.unwrap_or_else(|error| panic!("{error}"));
        state::apply(self.policy.parsed(), &[&self.inventory()], &self.state, &operations)
    }
}

/// The offer of an id.
pub fn offer<'a>(offers: &'a Value, id: &str) -> &'a Value {
    let all = offers["offers"].as_array().expect("offers");
    let found = all.iter().find(|offer| offer["id"] == id);
    found.unwrap_or_else(|| {
        panic!("no offer {id} among {:?}", all.iter().map(|o| &o["id"]).collect::<Vec<_>>())
    })
}

/// Operations with their offers in the place of names.
fn with_offers(operations: &Value, kept: &Map<String, Value>, now: &Value) -> Value {
    let mut operations = operations.clone();
    for operation in operations.as_array_mut().expect("operations") {
        let Some(id) = operation["offer"].as_str().map(str::to_owned) else { continue };
        operation["offer"] = match id.split_once('/') {
            Some((name, id)) => offer(&kept[name], id).clone(),
            None => offer(now, &id).clone(),
        };
    }
    operations
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    Value::from(names.collect::<Vec<_>>())
}

/// What is wrong with a step, as text.
fn step(scene: &mut Scene, step: &Value, kept: &mut Map<String, Value>) -> String {
    for (key, value) in step["fleet"].as_object().into_iter().flatten() {
        scene.fleet[key] = value.clone();
    }
    let mut wrong = String::new();
    if let Some(operations) = step.get("do") {
        let needs_offers = operations
            .as_array()
            .expect("operations")
            .iter()
            .any(|one| one["offer"].as_str().is_some_and(|id| !id.contains('/')));
        let now = if needs_offers { scene.offers() } else { Value::Null };
        let operations = with_offers(operations, kept, &now);
        let problems = schema_problems(
            "operations",
            &json!({
                "format": "bourse.operations", "version": 1, "operations": &operations,
            }),
        );
        wrong.push_str(&problems);
        match scene.apply(&operations) {
            Ok(after) => {
                if let Some(conflicts) = step.get("conflicts") {
                    wrong.push_str(&format!("applied, where {conflicts} is expected\n"));
                }
                let text = after.to_json();
                let again = State::from_json("again.json", &text).expect("a state reads back");
                assert_eq!(again.to_json(), text, "the same state is the same bytes");
                wrong.push_str(&schema_problems("inventory", &serde_json::from_str(&text).expect("JSON")));
                scene.state = after;
            }
            Err(Refusal::Conflicts(conflicts)) => {
                let told = conflicts.list.iter();
                let told = told.map(|one| format!("{} {} {}", one.operation, one.code, one.message));
                let told = Value::from(told.collect::<Vec<_>>());
                let expected = step.get("conflicts").cloned().unwrap_or(json!([]));
                if told != expected {
                    wrong.push_str(&format!("conflicts {told:#}\n"));
                }
            }
            Err(Refusal::Invalid(error)) => {
                let codes = error.report().diagnostics.iter().filter(|problem| problem.is_error());
                let codes = Value::from(codes.map(|problem| problem.code.name()).collect::<Vec<_>>());
                if step.get("invalid") != Some(&codes) {
                    wrong.push_str(&format!("invalid {codes}\n{error}\n"));
                }
            }
        }
    }
    if let Some(name) = step["keep"].as_str() {
        kept.insert(name.to_owned(), scene.offers());
    }
    wrong + &holds(scene, step)
}

/// What of a state and its offers is not as a step says.
fn holds(scene: &Scene, step: &Value) -> String {
    let mut wrong = String::new();
    let mut same = |what: &str, is: Value| {
        if let Some(expected) = step.get(what).filter(|expected| **expected != is) {
            wrong.push_str(&format!("{what}: {expected} is expected, and it is {is}\n"));
        }
    };
    same("serial", json!(scene.state.serial()));
    same("allocations", names(scene.state.allocations()));
    same("reservations", names(scene.state.reservations()));
    same("volumes", names(scene.state.volumes()));
    let asked = ["offers", "remaining"].iter().any(|field| step.get(field).is_some());
    if asked {
        let offers = scene.offers();
        let told = offers["offers"].as_array().expect("offers").iter().map(|offer| {
            let mut text = format!("{} on {}", offer["id"], offer["agent"]["name"]).replace('"', "");
            for volume in offer["volumes"].as_array().expect("volumes") {
                text.push_str(&format!(" {} {}", volume["kind"], volume["supply"]).replace('"', ""));
            }
            text
        });
        same("offers", Value::from(told.collect::<Vec<_>>()));
        if let Some(expected) = step["remaining"].as_object() {
            let remaining = &offers["remaining"];
            let picked: Map<String, Value> = expected
                .keys()
                .map(|path| (path.clone(), path.split('>').fold(remaining, |at, key| &at[key]).clone()))
                .collect();
            same("remaining", Value::from(picked));
        }
    }
    wrong
}

fn schema_problems(name: &str, value: &Value) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"));
    crate::cli::schema_problems(path.to_str().expect("UTF-8"), value).join("\n")
}

#[test]
#[allow(clippy::disallowed_methods, reason = "cases are files")]
fn every_sequence_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    let (mut out, mut steps) = (String::new(), 0);
    for file in &files {
        let name = file.file_name().expect("name").to_string_lossy().into_owned();
        let case: Value = serde_json::from_str(&fs::read_to_string(file).expect("readable"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines: Vec<&str> =
            case["policy"].as_array().expect("lines").iter().filter_map(Value::as_str).collect();
        let mut scene = Scene::new(&lines.join("\n"), case["fleet"].clone());
        let mut kept = Map::new();
        for one in case["steps"].as_array().expect("steps") {
            steps += 1;
            let wrong = step(&mut scene, one, &mut kept);
            if !wrong.is_empty() {
                out.push_str(&format!("{name}: {}\n{wrong}\n", one["say"]));
            }
        }
    }
    assert!(out.is_empty(), "{out}");
    assert!(steps >= 30, "only {steps} steps were found");
}

/// More operations than a number has bits go through before one that does not: each of them doubles the next part.
#[test]
fn the_last_of_many_operations_conflicts() {
    let scene = Scene::new(
        "agent a { resources { cpus = 80 } } \n framework f { need n { count = 90, agent { cpus = 1 } } }",
        json!({"agents": []}),
    );
    let launch = |at: usize| {
        let offer = json!({
            "id": format!("f.n#{}", at + 1), "framework": "f", "need": "n", "role": "*", "agent": {"name": "a"},
            "amounts": {"unreserved": {"cpus": "1"}}, "volumes": [],
        });
        json!({"op": "launch", "as": format!("x{at}"), "offer": offer})
    };
    match scene.apply(&Value::Array((0..81).map(launch).collect())) {
        Err(Refusal::Conflicts(conflicts)) => {
            let found: Vec<usize> = conflicts.list.iter().map(|conflict| conflict.operation).collect();
            assert_eq!(found, [80]);
        }
        Err(Refusal::Invalid(error)) => panic!("{error}"),
        Ok(_) => panic!("81 of 80 cpus were launched"),
    }
}

/// Long lists are held against the state in parts; which operations conflict, and what is said of them, must be as if each stood alone.
#[test]
fn conflicts_of_long_lists_are_those_of_each_operation() {
    let scene = Scene::new(
        "agent a { resources { cpus = 40 } } \n need n { agent { cpus = 1 } }",
        json!({"agents": []}),
    );
    let reserve = |at: usize, cpus: u32| json!({"op": "reserve", "name": format!("r{at}"), "role": "db", "agent": "a", "resources": {"cpus": cpus}});
    for in_the_way in [vec![], vec![0], vec![29], vec![7, 8, 9], vec![0, 11, 12, 29], (0..30).collect()] {
        let operations: Vec<Value> =
            (0..30).map(|at| reserve(at, if in_the_way.contains(&at) { 41 } else { 1 })).collect();
        match scene.apply(&Value::Array(operations)) {
            Ok(state) => assert!(in_the_way.is_empty() && state.reservations().count() == 30),
            Err(Refusal::Conflicts(conflicts)) => {
                let found: Vec<usize> = conflicts.list.iter().map(|conflict| conflict.operation).collect();
                assert_eq!(found, in_the_way);
                for conflict in &conflicts.list {
                    let before =
                        conflict.operation - in_the_way.iter().filter(|at| **at < conflict.operation).count();
                    assert_eq!(conflict.free.as_deref(), Some((40 - before).to_string().as_str()));
                }
            }
            Err(Refusal::Invalid(error)) => panic!("{error}"),
        }
    }
}
