//! What changes cost on a large fleet. Wall time gates nothing: run it by hand, in release.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "time is measured")]

use std::time::{Duration, Instant};

use bourse::{Delta, Inventory, Live, Policy, live::Holder, quantity::Quantity};
use serde_json::{Value, json};

const AGENTS: usize = 50_000;
const POOLS: usize = 1_000;

fn agent(at: usize, cpus: usize) -> Value {
    json!({"name": format!("a{at:05}"), "domain": format!("us/z{}/r{}", at % 10, at % 400),
        "keys": {"os": "linux", "drivers": ["nvme", "array-client"], "kernel": "6.1"},
        "resources": {"cpus": cpus, "mem": "64GiB", "ports": ["31000..32000"], "mounts": 16}})
}

fn provider(at: usize, size: usize) -> Value {
    let pools: Vec<Value> = (0..POOLS / 10)
        .map(|pool| json!({"name": format!("s{pool}"), "keys": {"media": "ssd"}, "resources": {"size": format!("{size}TB"), "iops": 9_000}}))
        .collect();
    json!({"name": format!("p{at}"), "instances": [{"name": "i", "domain": "us/z1", "pools": pools}]})
}

fn read(rows: Value) -> Inventory {
    let mut document = rows;
    document["format"] = json!("bourse.inventory");
    document["version"] = json!(1);
    Inventory::from_json("fleet.json", &document.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// The time of one of many, and how many there were.
fn each<T>(what: &str, many: &mut [T], mut one: impl FnMut(&mut T)) -> Duration {
    let start = Instant::now();
    many.iter_mut().for_each(&mut one);
    let mean = start.elapsed() / many.len() as u32;
    println!("{what:<58} {mean:>10.2?}");
    mean
}

#[test]
#[ignore = "measures; run with --release --ignored --nocapture"]
fn what_changes_cost() {
    let policy = Policy::compile([(
        "cost.policy",
        "class nvme for agent { drivers has \"nvme\" }
         class flash for pool { media == \"ssd\" }
         broker main { levels region > zone > rack \n require linux: agent.os == \"linux\" \n prefer agent.free.cpus weight 1 }
         need web { count = 3, agent { cpus = 4, mem = 8GiB, is nvme }, volume data { size = 1TB, is flash } }",
    )])
    .unwrap_or_else(|error| panic!("{error}"));
    let agents: Vec<Value> = (0..AGENTS).map(|at| agent(at, 32)).collect();
    let providers: Vec<Value> = (0..10).map(|at| provider(at, 500)).collect();
    let allocations: Vec<Value> = (0..20_000)
        .map(|at| json!({"name": format!("w{at:05}"), "framework": "web", "agents": {format!("a{:05}", at * 2): {"cpus": 2, "ports": [31_000]}}}))
        .collect();
    let fleet = read(json!({"agents": agents, "providers": providers, "allocations": allocations}));
    let start = Instant::now();
    let mut live = Live::bind(&policy, &[&fleet]).unwrap_or_else(|error| panic!("{error}"));
    println!("{:<58} {:>10.2?}", "bind all of it", start.elapsed());

    let names: Vec<String> = (0..20_000).map(|at| format!("a{:05}", (at * 7) % AGENTS)).collect();
    let mut named: Vec<(usize, &String)> = names.iter().enumerate().collect();
    each("set one total of an agent", &mut named, |(at, name)| {
        let total = Quantity::parse(if *at % 2 == 0 { "33" } else { "31" }).expect("reads");
        live.set_total(Holder::Agent(name), "cpus", total).unwrap_or_else(|error| panic!("{error}"));
    });
    each("set one total of a pool", &mut (0..2_000).collect::<Vec<usize>>(), |at| {
        let total = Quantity::parse(&format!("{}TB", 400 + *at % 7)).expect("reads");
        let path = format!("p{}/i/s{}", *at % 10, *at % 100);
        live.set_total(Holder::Storage(&path), "size", total).unwrap_or_else(|error| panic!("{error}"));
    });
    let mut put = |what: &str, rows: Vec<Value>| {
        let mut given: Vec<Inventory> = rows.into_iter().map(read).collect();
        each(what, &mut given, |row| {
            live.apply(&Delta::default().put(row)).unwrap_or_else(|error| panic!("{error}"));
        });
    };
    let of_agent = |at: usize, cpus: usize| json!({"agents": [agent(at, cpus)]});
    put("put an agent again, free", (0..20_000).map(|at| of_agent(at * 2 + 1, 30 + at % 3)).collect());
    put(
        "put an agent again, with allocations",
        (0..20_000).map(|at| of_agent(at * 2, 30 + at % 3)).collect(),
    );
    put("put a new agent", (0..500).map(|at| of_agent(AGENTS + at * 7, 32)).collect());
    put(
        "put a provider of 100 pools again",
        (0..50).map(|at| json!({"providers": [provider(at % 10, 300 + at)]})).collect(),
    );
    let launch = |at: usize| {
        json!({"allocations": [{"name": format!("x{at:05}"), "framework": "web",
        "agents": {format!("a{:05}", at * 3): {"cpus": 1}}, "pools": {format!("p{}/i/s{}", at % 10, at % 100): {"size": "1TB"}}}]})
    };
    put("put an allocation, of an agent and a pool", (0..2_000).map(launch).collect());
    each("end an allocation", &mut (0..2_000).map(|at| format!("x{at:05}")).collect::<Vec<_>>(), |name| {
        live.apply(&Delta::default().end(name.as_str())).unwrap_or_else(|error| panic!("{error}"));
    });
    each(
        "remove an agent",
        &mut (0..500).map(|at| format!("a{:05}", at * 2 + 1)).collect::<Vec<_>>(),
        |name| {
            live.apply(&Delta::default().remove_agent(name.as_str()))
                .unwrap_or_else(|error| panic!("{error}"));
        },
    );
    let many = read(json!({"agents": (0..5_000).map(|at| agent(60_000 + at, 8)).collect::<Vec<Value>>()}));
    each("put 5,000 new agents in one change", &mut [many], |many| {
        live.apply(&Delta::default().put(many)).unwrap_or_else(|error| panic!("{error}"));
    });
}
