//! Properties of operations, over generated fleets and random operations on them: nothing is ever taken beyond what
//! there is (counted again here, from the documents alone), what is undone leaves no trace, and what has nothing to do
//! with each other can be done in any order.

use std::collections::{BTreeMap, BTreeSet};

use bourse::{Policy, output, state::State};
use serde_json::{Value, json};

use crate::{properties::Numbers, state::Scene};

const ROLES: [&str; 3] = ["db", "web", "batch"];

/// A fleet whose totals are known here: CPUs of agents, sizes of pools in GB.
struct World {
    scene: Scene,
    cpus: BTreeMap<String, u64>,
    pools: BTreeMap<String, u64>,
}

fn world(n: &mut Numbers) -> World {
    let overlap = n.pick(&["0%", "50%", "200%", "unlimited"]);
    let lend = n.pick(&["", ", lend reserved"]);
    let mut policy = format!("broker main {{ overlap = {overlap}{lend} }}\nprovider p {{ instance i {{\n");
    let mut pools = BTreeMap::new();
    for at in 0..1 + n.below(2) {
        let size = 6 + n.below(12);
        policy.push_str(&format!(
            "pool n{at} {{ resources {{ size = {size}GB }}\n volume v {{ resources {{ size = 2GB }} }} }}\n"
        ));
        pools.insert(format!("p/i/n{at}"), size);
    }
    policy.push_str("} }\n");
    for role in ROLES {
        let accept = if role == "batch" { ", accept revocable" } else { "" };
        let (cpus, size, count) = (1 + n.below(3), 1 + n.below(4), 1 + n.below(4));
        let ports = n.pick(&["", ", ports = 1", ", ports = [81]"]);
        policy.push_str(&format!(
            "framework {role} {{ role = \"{role}\"
               need t {{ count = {count}{accept}, agent {{ cpus = {cpus}{ports} }} }}
               need s {{ count = 2, agent {{ cpus = 1 }}, volume d {{ size = {size}GB, filesystem = \"xfs\" }} }} }}\n"
        ));
    }
    let (mut agents, mut cpus) = (Vec::new(), BTreeMap::new());
    for at in 0..2 + n.below(3) {
        let (own, kept) = (2 + n.below(5), n.below(3));
        agents.push(json!({"name": format!("a{at}"), "resources": {"cpus": own, "ports": ["80..83"]},
                           "reserved": {"db": {"cpus": kept}}, "revocable": {"cpus": 1}}));
        cpus.insert(format!("a{at}"), own + kept + 1);
    }
    World { scene: Scene::new(&policy, json!({"agents": agents})), cpus, pools }
}

/// One operation, or two that belong together; some of them cannot be done.
fn operations(n: &mut Numbers, scene: &Scene, offers: &Value, at: u64) -> Value {
    let all = offers["offers"].as_array().expect("offers");
    let name = format!("x{at}");
    let any = |n: &mut Numbers, names: Vec<&str>| {
        let known: Vec<&str> = names.into_iter().chain(["nobody"]).collect();
        known[n.below(known.len() as u64) as usize].to_owned()
    };
    let offer = (!all.is_empty()).then(|| all[n.below(all.len() as u64) as usize].clone());
    match (n.below(8), offer) {
        (0..=2, Some(offer)) => json!([{"op": "launch", "offer": offer, "as": name}]),
        (3, Some(offer)) if offer["volumes"][0]["kind"] == "carved" => {
            let supply = offer["volumes"][0]["supply"].as_str().expect("a path");
            let path = format!("{supply}/{name}-d");
            json!([{"op": "create", "offer": offer, "as": name},
                   {"op": "launch", "offer": offer, "as": name, "volumes": {"d": path}}])
        }
        (4, _) => json!([{"op": "release", "allocation": any(n, scene.state.allocations().collect())}]),
        (5, _) => {
            let volumes: Vec<&str> = scene.state.volumes().collect();
            let path = if volumes.is_empty() { "p/i/n0/none".to_owned() } else { any(n, volumes) };
            let path = if path == "nobody" { "p/i/n0/v".to_owned() } else { path };
            json!([{"op": "destroy", "volume": path}])
        }
        (6, _) => json!([{"op": "reserve", "name": name, "role": n.pick(&ROLES), "agent": "a0",
                          "resources": {"cpus": 1 + n.below(3), "ports": [80 + n.below(4)]}}]),
        _ => json!([{"op": "release", "reservation": any(n, scene.state.reservations().collect())}]),
    }
}

fn number(value: &Value) -> u64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.trim_end_matches("GB").parse().unwrap_or_else(|_| panic!("{value}"))
}

fn entries<'a>(state: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    state[list].as_array().into_iter().flatten()
}

/// Counts a state from its document alone: firm and revocable CPUs, ports, sizes, users.
fn count(world: &World, seed: u64) {
    let state: Value = serde_json::from_str(&world.scene.state.to_json()).expect("JSON");
    let mut cpus: BTreeMap<&str, u64> = BTreeMap::new();
    let mut firm_of_others: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut ports: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut users: BTreeSet<&str> = BTreeSet::new();
    for allocation in entries(&state, "allocations") {
        let uses = |part: &'static str, kind| match part {
            "" => allocation[kind].as_object(),
            part => allocation[part][kind].as_object(),
        };
        for part in ["", "revocable"] {
            for (agent, amounts) in uses(part, "agents").into_iter().flatten() {
                let amount = amounts.get("cpus").map_or(0, number);
                *cpus.entry(agent).or_insert(0) += amount;
                for role in ROLES.into_iter().filter(|role| part.is_empty() && allocation["role"] != *role) {
                    *firm_of_others.entry((agent, role)).or_insert(0) += amount;
                }
                for port in entries(amounts, "ports") {
                    assert!(
                        ports.insert((agent, port.to_string())),
                        "seed {seed}: {agent} gives {port} twice"
                    );
                }
            }
            for (pool, amounts) in uses(part, "pools").into_iter().flatten() {
                *sizes.entry(pool).or_insert(0) += number(&amounts["size"]);
            }
        }
        for volume in entries(allocation, "volumes") {
            let path = volume.as_str().expect("a path");
            assert!(users.insert(path), "seed {seed}: {path} has two writers");
        }
    }
    for volume in entries(&state, "volumes") {
        let path = volume["path"].as_str().expect("a path");
        let pool = path.rsplit_once('/').expect("in a pool").0;
        *sizes.entry(pool).or_insert(0) += number(&volume["resources"]["size"]);
    }
    for (agent, used) in cpus {
        assert!(
            used <= world.cpus[agent],
            "seed {seed}: {used} of the {} CPUs of {agent}",
            world.cpus[agent]
        );
    }
    for (pool, used) in sizes {
        // Each has an existing volume of 2 GB of its own.
        assert!(
            used + 2 <= world.pools[pool],
            "seed {seed}: {used} + 2 of the {} GB of {pool}",
            world.pools[pool]
        );
    }
    let fleet = &world.scene.fleet;
    for ((agent, role), used) in firm_of_others {
        let own = entries(fleet, "agents").find(|known| known["name"] == agent).expect("there");
        let declared = own["reserved"][role]["cpus"].as_u64().unwrap_or(0);
        let made = entries(&state, "reservations").filter(|one| one["role"] == role && one["agent"] == agent);
        let made: u64 = made.map(|one| number(&one["resources"]["cpus"])).sum();
        // One of the CPUs is revocable only.
        let open = world.cpus[agent] - 1 - declared - made;
        assert!(used <= open, "seed {seed}: others than {role} have {used} of {open} on {agent}");
    }
}

/// What is free of storage, and what is in all.
fn storage(policy: &Policy, scene: &Scene) -> String {
    let state = scene.state.inventory().expect("an inventory");
    let fleet = policy.fleet(&[&scene.inventory(), &state]).unwrap_or_else(|error| panic!("{error}"));
    serde_json::to_string(&output::stock(&fleet).storage).expect("JSON")
}

/// A state without its serial.
fn body(state: &State) -> String {
    state.to_json().replace(&format!("\"serial\": {}", state.serial()), "")
}

const SEEDS: u64 = 30;
const STEPS: u64 = 14;

#[test]
fn nothing_is_ever_taken_beyond_what_there_is() {
    let (mut done, mut refused, mut undone) = (0, 0, 0);
    for seed in 1..=SEEDS {
        let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut world = world(&mut n);
        let mut offers = world.scene.offers();
        for at in 0..STEPS {
            // Some decide on what was offered long ago.
            if n.chance(40) {
                offers = world.scene.offers();
            }
            let operations = operations(&mut n, &world.scene, &offers, at);
            let Ok(after) = world.scene.apply(&operations) else {
                refused += 1;
                continue;
            };
            assert_eq!(after.serial(), world.scene.state.serial() + 1);
            let before = std::mem::replace(&mut world.scene.state, after);
            count(&world, seed);
            done += 1;
            undone += usize::from(leaves_no_trace(&world.scene, &operations, &before, seed));
        }
    }
    assert!(done > 150 && refused > 40 && undone > 60, "{done} done, {refused} refused, {undone} undone");
}

/// What was just made and is ended again leaves the bytes that were there. Says whether there was something to end.
fn leaves_no_trace(scene: &Scene, operations: &Value, before: &State, seed: u64) -> bool {
    let mut back = Vec::new();
    for operation in operations.as_array().expect("operations").iter().rev() {
        back.push(match operation["op"].as_str() {
            Some("launch") => json!({"op": "release", "allocation": operation["as"]}),
            Some("create") => {
                let path = format!(
                    "{}/{}-d",
                    operation["offer"]["volumes"][0]["supply"].as_str().expect("a path"),
                    operation["as"].as_str().expect("a name")
                );
                json!({"op": "destroy", "volume": path})
            }
            Some("reserve") => json!({"op": "release", "reservation": operation["name"]}),
            _ => return false,
        });
    }
    let after = scene.apply(&Value::from(back)).unwrap_or_else(|refusal| panic!("seed {seed}: {refusal}"));
    assert_eq!(body(&after), body(before), "seed {seed}: {operations}");
    true
}

#[test]
fn what_is_offered_without_overlap_is_taken_in_any_order() {
    let mut pairs = 0;
    for seed in 1..=SEEDS {
        let mut n = Numbers(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1);
        let world = world(&mut n);
        let offers = world.scene.offers();
        let all = offers["offers"].as_array().expect("offers");
        let launch = |at: &usize| json!({"op": "launch", "offer": all[*at]});
        let order: Vec<usize> = (0..all.len()).collect();
        let mut shuffled = order.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, n.below(at as u64 + 1) as usize);
        }
        let run = |order: &[usize]| world.scene.apply(&order.iter().map(launch).collect());
        match (run(&order), run(&shuffled)) {
            (Ok(one), Ok(other)) => assert_eq!(one.to_json(), other.to_json(), "seed {seed}"),
            // Where offers overlap, some order or other cannot be done; that is no question of order.
            (Err(_), Err(_)) => continue,
            (one, other) => panic!("seed {seed}: {one:?} and {other:?}"),
        }
        pairs += usize::from(order != shuffled);
    }
    assert!(pairs > 5, "only {pairs} lists were done in two orders");
}

#[test]
fn agents_come_and_go_and_pools_stay_as_they_are() {
    for seed in 1..=SEEDS / 2 {
        let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut world = world(&mut n);
        for at in 0..STEPS / 2 {
            let offers = world.scene.offers();
            let operations = operations(&mut n, &world.scene, &offers, at);
            if let Ok(after) = world.scene.apply(&operations) {
                world.scene.state = after;
            }
        }
        let policy = world.scene.policy.clone();
        let before = storage(&policy, &world.scene);
        let agents = world.scene.fleet["agents"].as_array_mut().expect("agents");
        agents.push(json!({"name": "late", "resources": {"cpus": 9}}));
        assert_eq!(storage(&policy, &world.scene), before, "seed {seed}: an agent came");
        // Lost with all that ran on it: once that is released, its part of the pools is free, and no more.
        let agents = world.scene.fleet["agents"].as_array_mut().expect("agents");
        agents.retain(|agent| agent["name"] != "a0" && agent["name"] != "late");
        let state: Value = serde_json::from_str(&world.scene.state.to_json()).expect("JSON");
        let on_it = |one: &&Value| {
            one["agents"].get("a0").is_some() || one["revocable"]["agents"].get("a0").is_some()
        };
        let lost: Vec<Value> = entries(&state, "allocations")
            .filter(on_it)
            .map(|one| json!({"op": "release", "allocation": one["name"]}))
            .chain(
                entries(&state, "reservations")
                    .map(|one| json!({"op": "release", "reservation": one["name"]})),
            )
            .collect();
        let after =
            world.scene.apply(&Value::from(lost)).unwrap_or_else(|refusal| panic!("seed {seed}: {refusal}"));
        world.scene.state = after;
        count(&world, seed);
        let held: u64 =
            entries(&serde_json::from_str(&world.scene.state.to_json()).expect("JSON"), "volumes")
                .map(|volume| number(&volume["resources"]["size"]))
                .sum();
        let carved: u64 =
            entries(&serde_json::from_str(&world.scene.state.to_json()).expect("JSON"), "allocations")
                .flat_map(|one| [&one["pools"], &one["revocable"]["pools"]])
                .flat_map(|pools| pools.as_object().into_iter().flatten())
                .map(|(_, amounts)| number(&amounts["size"]))
                .sum();
        let used: u64 = serde_json::from_str::<Value>(&storage(&policy, &world.scene))
            .expect("JSON")
            .as_array()
            .expect("tiers")
            .iter()
            .filter(|tier| tier["kind"] == "pool")
            .map(|tier| {
                number(&json!(
                    tier["resources"]["size"]["used"]
                        .as_str()
                        .expect("used")
                        .trim_end_matches('B')
                        .trim_end_matches('G')
                ))
            })
            .sum();
        assert_eq!(used, held + carved + 2 * world.pools.len() as u64, "seed {seed}");
    }
}
