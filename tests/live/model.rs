//! Generated fleets as data, and generated changes of them: said to the data, and to a fleet that is bound.

use std::collections::{BTreeMap, BTreeSet};

use bourse::{Delta, Inventory, Live, Policy, live::FleetChanges};
use serde_json::{Map, Value, json};

use crate::properties::{Numbers, declarations};

const RULES: [&str; 3] = ["framework.name != \"f1\"", "need.name != \"n1\"", "framework.name != \"f2\""];

/// A fleet as data: what a broker would bind anew.
#[derive(Clone, Default)]
pub struct Model {
    pub agents: Vec<Value>,
    pub providers: Vec<Value>,
    pub volumes: Vec<Value>,
    pub reservations: Vec<Value>,
    pub allocations: Vec<Value>,
}

/// Puts a row in the place of the one of its name, or at the end.
pub fn put(rows: &mut Vec<Value>, key: &str, row: &Value) {
    match rows.iter_mut().find(|known| known[key] == row[key]) {
        Some(known) => *known = row.clone(),
        None => rows.push(row.clone()),
    }
}

pub fn list(rows: Vec<(&str, &[Value])>) -> Inventory {
    let mut document = Map::new();
    document.insert("format".to_owned(), json!("bourse.inventory"));
    document.insert("version".to_owned(), json!(1));
    document.extend(rows.into_iter().map(|(key, rows)| (key.to_owned(), json!(rows))));
    let text = Value::Object(document).to_string();
    Inventory::from_json("fleet.json", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

impl Model {
    pub fn inventory(&self) -> Inventory {
        list(vec![
            ("agents", &self.agents),
            ("providers", &self.providers),
            ("volumes", &self.volumes),
            ("reservations", &self.reservations),
            ("allocations", &self.allocations),
        ])
    }

    pub fn names(&self, rows: &[Value], key: &str) -> Vec<String> {
        rows.iter().map(|row| row[key].as_str().expect("a text").to_owned()).collect()
    }

    /// Every pool, by its path.
    pub fn pools(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for provider in &self.providers {
            for pool in provider["instances"][0]["pools"].as_array().expect("pools") {
                let text = |value: &Value| value["name"].as_str().expect("a name").to_owned();
                paths.push(format!("{}/i/{}", text(provider), text(pool)));
            }
        }
        paths
    }

    /// Every existing volume, by its path.
    pub fn existing(&self) -> Vec<String> {
        let mut paths = self.names(&self.volumes, "path");
        for provider in &self.providers {
            for pool in provider["instances"][0]["pools"].as_array().expect("pools") {
                if pool.get("volumes").is_some() {
                    paths.push(format!(
                        "{}/i/{}/v",
                        provider["name"].as_str().expect("a name"),
                        pool["name"].as_str().expect("a name")
                    ));
                }
            }
        }
        paths
    }
}

pub fn parts(n: &mut Numbers, row: &mut Value, resource: &str, unit: &str) {
    for role in ["x", "x/y"] {
        if n.chance(25) {
            row["reserved"][role][resource] = json!(format!("{}{unit}", 1 + n.below(4)));
        }
    }
    if n.chance(20) {
        row["revocable"][resource] = json!(format!("{}{unit}", 1 + n.below(4)));
    }
}

pub fn agent(n: &mut Numbers, name: &str) -> Value {
    let mut row = json!({"name": name, "keys": {}, "resources": {
        "cpus": 1 + n.below(9), "mem": format!("{}GiB", 1 + n.below(32)), "ports": [format!("31000..{}", 31_000 + n.below(6))],
        "mounts": n.below(5)}});
    if n.chance(80) {
        row["domain"] = json!(n.pick(&["us/a", "us/b", "eu/a", "us", "eu/b/r1"]));
    }
    if n.chance(80) {
        row["keys"]["os"] = match n.below(8) {
            0 => json!(7),
            1 => json!("plan9"),
            _ => json!("linux"),
        };
    }
    if n.chance(30) {
        parts(n, &mut row, "cpus", "");
    }
    if n.chance(15) {
        row["resources"]["cpus"] =
            json!({"total": 4 + n.below(6), "reserved": "25%", "overcommit": 2, "step": 0.5});
    }
    if n.chance(20) {
        row["resources"]["gpus"] = json!(1 + n.below(3));
    }
    if n.chance(10) {
        row["resources"].as_object_mut().expect("an object").remove("mounts");
    }
    if n.chance(20) {
        row["reserved"]["z"]["ports"] = json!(["5000..5002"]);
    }
    if n.chance(25) {
        let rule = n.pick(&RULES);
        row["require"] = json!([{"label": "own", "rule": rule}]);
    }
    row
}

pub fn provider(n: &mut Numbers, name: &str) -> Value {
    let pools = 1 + n.below(3);
    let pools: Vec<Value> = (0..pools)
        .filter_map(|at| {
            let mut pool = json!({"name": format!("s{at}"), "keys": {"tier": n.below(4)},
                "resources": {"size": format!("{}GB", 20 + n.below(90))}});
            if n.chance(30) {
                pool["resources"]["size"] =
                    json!({"total": format!("{}GB", 20 + n.below(90)), "step": "4GB", "min": "3GB"});
            }
            if n.chance(50) {
                pool["resources"]["iops"] = json!(100 + n.below(900));
            }
            parts(n, &mut pool, "size", "GB");
            if n.chance(10) {
                pool["keys"]["carve"] = json!(false);
            }
            if n.chance(40) {
                pool["volumes"] = json!([volume(n, "name", "v")]);
            }
            n.chance(90).then_some(pool)
        })
        .collect();
    let mut row = json!({"name": name, "instances": [{"name": "i", "pools": pools}]});
    if n.chance(60) {
        row["instances"][0]["domain"] = json!(n.pick(&["us/a", "us/b", "eu/a"]));
    }
    if n.chance(50) {
        row["instances"][0]["resources"]["iops"] = json!(1_000);
        let instance = &mut row["instances"][0];
        parts(n, instance, "iops", "");
    }
    if n.chance(20) {
        row["resources"]["size"] = json!("150GB");
    }
    row
}

pub fn volume(n: &mut Numbers, key: &str, name: &str) -> Value {
    let mut row = json!({key: name, "keys": {}, "resources": {"size": format!("{}GB", 1 + n.below(9))}});
    match n.below(4) {
        0 => row["reserved_for"] = json!("x"),
        1 => row["keys"]["users"] = json!(2),
        2 => row["keys"]["access"] = json!("ro"),
        _ => {}
    }
    row
}

pub fn allocation(n: &mut Numbers, name: &str, model: &Model) -> Value {
    let mut row = json!({"name": name, "framework": format!("f{}", n.below(3)), "need": "n0"});
    if n.chance(70) {
        row["role"] = json!(n.pick(&["*", "x", "x/y", "z"]));
    }
    let pick = |n: &mut Numbers, names: &[String]| names[n.below(names.len() as u64) as usize].clone();
    let agents = model.names(&model.agents, "name");
    for _ in 0..n.below(3) {
        if !agents.is_empty() {
            let agent = pick(n, &agents);
            row["agents"][&agent]["cpus"] = json!(1 + n.below(3));
            if n.chance(30) {
                row["agents"][&agent]["ports"] = json!([31_000 + n.below(6)]);
            }
            if n.chance(10) {
                row["revocable"]["agents"][&agent]["cpus"] = json!(1);
            }
        }
    }
    let pools = model.pools();
    if !pools.is_empty() && n.chance(50) {
        row["pools"][pick(n, &pools)]["size"] = json!(format!("{}GB", 1 + n.below(12)));
    }
    let volumes = model.existing();
    if !volumes.is_empty() && n.chance(30) {
        row["volumes"] = json!([pick(n, &volumes)]);
    }
    row
}

/// A change, said to the fleet and to the model.
#[derive(Default)]
pub struct Step {
    pub puts: BTreeMap<&'static str, Vec<Value>>,
    pub agents: Vec<String>,
    pub storage: Vec<String>,
    pub ended: Vec<String>,
}

impl Step {
    pub fn put(&mut self, kind: &'static str, key: &str, row: Value) {
        put(self.puts.entry(kind).or_default(), key, &row);
    }

    pub fn make(n: &mut Numbers, model: &Model) -> Step {
        let mut step = Step::default();
        let name = |n: &mut Numbers, letter: &str, bound: u64| format!("{letter}{}", n.below(bound));
        for _ in 0..1 + n.below(3) {
            match n.below(12) {
                0..=2 => {
                    let name = name(n, "a", 9);
                    step.put("agents", "name", agent(n, &name));
                }
                3 => step.remove_agent(n, model),
                4 | 5 => {
                    let name = name(n, "p", 4);
                    step.put("providers", "name", provider(n, &name));
                }
                6 => step.remove_storage(n, model),
                7 => {
                    let pools = model.pools();
                    if !pools.is_empty() {
                        let path = format!(
                            "{}/{}",
                            n.pick(&pools.iter().map(String::as_str).collect::<Vec<_>>()),
                            n.pick(&["v", "w"])
                        );
                        step.put("volumes", "path", volume(n, "path", &path));
                    }
                }
                8 => {
                    let names = model.names(&model.allocations, "name");
                    if let Some(name) = names.get(n.below(names.len().max(1) as u64) as usize) {
                        step.ended.push(name.clone());
                    }
                }
                _ => {
                    let name = name(n, "w", 12);
                    step.put("allocations", "name", allocation(n, &name, model));
                }
            }
        }
        // What is given takes the place of what there is: both at once are refused.
        let given = |kind: &str, key: &str| -> BTreeSet<String> {
            let rows = step.puts.get(kind).into_iter().flatten();
            rows.map(|row| row[key].as_str().expect("a name").to_owned()).collect()
        };
        let (agents, ended, providers, volumes) = (
            given("agents", "name"),
            given("allocations", "name"),
            given("providers", "name"),
            given("volumes", "path"),
        );
        step.agents.retain(|name| !agents.contains(name));
        step.ended.retain(|name| !ended.contains(name));
        step.storage.retain(|path| {
            !providers.contains(path.split('/').next().expect("a name"))
                && !volumes.iter().any(|volume| volume.starts_with(path))
        });
        for names in [&mut step.agents, &mut step.ended, &mut step.storage] {
            names.sort();
            names.dedup();
        }
        let all = step.storage.clone();
        step.storage.retain(|path| !all.iter().any(|other| path.starts_with(&format!("{other}/"))));
        step
    }

    pub fn remove_agent(&mut self, n: &mut Numbers, model: &Model) {
        let names = model.names(&model.agents, "name");
        let Some(name) = names.get(n.below(names.len().max(1) as u64) as usize) else { return };
        self.agents.push(name.clone());
        if n.chance(80) {
            let on_it = model.allocations.iter().filter(|row| {
                row["agents"].get(name).is_some() || row["revocable"]["agents"].get(name).is_some()
            });
            self.ended.extend(on_it.map(|row| row["name"].as_str().expect("a name").to_owned()));
        }
    }

    pub fn remove_storage(&mut self, n: &mut Numbers, model: &Model) {
        let (pools, volumes) = (model.pools(), model.existing());
        let from = if n.chance(50) && !volumes.is_empty() { volumes } else { pools };
        let Some(path) = from.get(n.below(from.len().max(1) as u64) as usize) else { return };
        let path =
            if n.chance(20) { path.split('/').next().expect("a name").to_owned() } else { path.clone() };
        if n.chance(80) {
            let below = |known: &str| known == path || known.starts_with(&format!("{path}/"));
            let on_it = model.allocations.iter().filter(|row| {
                let pools =
                    row["pools"].as_object().is_some_and(|pools| pools.keys().any(|pool| below(pool)));
                let volumes = row["volumes"].as_array().into_iter().flatten();
                pools || volumes.into_iter().any(|volume| below(volume.as_str().expect("a path")))
            });
            self.ended.extend(on_it.map(|row| row["name"].as_str().expect("a name").to_owned()));
        }
        self.storage.push(path);
    }

    pub fn on_model(&self, model: &Model) -> Model {
        let mut next = model.clone();
        let rows = |kind: &str| self.puts.get(kind).map_or(&[][..], Vec::as_slice);
        rows("agents").iter().for_each(|row| put(&mut next.agents, "name", row));
        rows("providers").iter().for_each(|row| put(&mut next.providers, "name", row));
        rows("allocations").iter().for_each(|row| put(&mut next.allocations, "name", row));
        next.agents.retain(|row| !self.agents.iter().any(|name| row["name"] == json!(name)));
        next.allocations.retain(|row| !self.ended.iter().any(|name| row["name"] == json!(name)));
        let given = |name: &Value| rows("providers").iter().any(|row| row["name"] == *name);
        let mut gone: Vec<String> = self.storage.clone();
        gone.extend(rows("volumes").iter().map(|row| row["path"].as_str().expect("a path").to_owned()));
        for (at, path) in gone.iter().enumerate() {
            let names: Vec<&str> = path.split('/').collect();
            let is_put = at >= self.storage.len();
            if let [name] = names.as_slice() {
                next.providers.retain(|row| row["name"] != json!(name));
            }
            for provider in next.providers.iter_mut().filter(|row| row["name"] == json!(names[0])) {
                if is_put && given(&provider["name"]) {
                    continue;
                }
                let pools = provider["instances"][0]["pools"].as_array_mut().expect("pools");
                match names.as_slice() {
                    [_, _, pool] => pools.retain(|row| row["name"] != json!(pool)),
                    [_, _, pool, _] => {
                        for row in pools.iter_mut().filter(|row| row["name"] == json!(pool)) {
                            // Asked for by name, it is there: null, where there is none.
                            let is_other =
                                row.get("volumes").is_some_and(|list| list[0]["name"] != json!(names[3]));
                            if !is_other {
                                row.as_object_mut().expect("an object").remove("volumes");
                            }
                        }
                    }
                    _ => {}
                }
            }
            if !is_put {
                next.volumes.retain(|row| {
                    let known = row["path"].as_str().expect("a path");
                    known != path && !known.starts_with(&format!("{path}/"))
                });
            }
        }
        rows("volumes").iter().for_each(|row| put(&mut next.volumes, "path", row));
        next
    }

    pub fn on_live(&self, live: &mut Live) -> Result<FleetChanges, bourse::Error> {
        let rows = self.puts.iter().map(|(kind, rows)| (*kind, rows.as_slice())).collect();
        let given = list(rows);
        let mut delta = Delta::default().put(&given);
        delta = self.agents.iter().fold(delta, |delta, name| delta.remove_agent(name));
        delta = self.storage.iter().fold(delta, |delta, path| delta.remove_storage(path));
        delta = self.ended.iter().fold(delta, |delta, name| delta.end(name));
        live.apply(&delta).map(|applied| applied.changed)
    }
}

pub fn policy(seed: u64) -> Policy {
    let all = declarations(seed);
    let of_policy = all.iter().filter(|text| !text.starts_with("agent ") && !text.starts_with("provider "));
    let text: Vec<&str> = of_policy.map(String::as_str).collect();
    Policy::compile([("live.policy", text.join("\n").as_str())]).unwrap_or_else(|error| panic!("{error}"))
}

/// A fleet that binds.
pub fn start(n: &mut Numbers, policy: &Policy) -> Model {
    let mut model = Model::default();
    for at in 0..3 + n.below(4) {
        model.agents.push(agent(n, &format!("a{at}")));
    }
    for at in 0..1 + n.below(3) {
        model.providers.push(provider(n, &format!("p{at}")));
    }
    let mut try_row = |n: &mut Numbers, kind: u8| {
        let mut next = model.clone();
        let pools = next.pools();
        let at = next.allocations.len();
        match kind {
            0 => next.reservations.push(
                json!({"name": format!("r{}", next.reservations.len()), "role": n.pick(&["x", "x/y", "z"]),
                "agent": format!("a{}", n.below(3)), "resources": {"cpus": 1 + n.below(2)}}),
            ),
            1 if !pools.is_empty() => {
                next.reservations.push(json!({"name": format!("r{}", next.reservations.len()), "role": "x",
                "pool": pools[n.below(pools.len() as u64) as usize], "resources": {"size": "2GB"}}))
            }
            2 if !pools.is_empty() => {
                let path = format!("{}/w", pools[n.below(pools.len() as u64) as usize]);
                put(&mut next.volumes, "path", &volume(n, "path", &path));
            }
            _ => next.allocations.push(allocation(n, &format!("w{at}"), &next)),
        }
        if policy.fleet(&[&next.inventory()]).is_ok() {
            model = next;
        }
    };
    for kind in [0, 0, 1, 2, 2, 3, 3, 3, 3, 3] {
        try_row(n, kind);
    }
    model
}
