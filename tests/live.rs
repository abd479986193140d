//! A fleet that changes in place is the fleet that is bound anew: after each of many generated changes it makes the
//! same offers, byte for byte, and has the same left of everything; what it refuses, binding refuses too, and nothing
//! has changed then. What it says has changed is all that has.

mod cost;
pub mod mirror;
pub mod model;

use std::collections::{BTreeMap, BTreeSet};

use bourse::{
    Delta, Inventory, Live, Policy,
    diagnostic::Code,
    live::{FleetChanges, Holder, RowChanges},
    quantity::Quantity,
};
use serde_json::{Value, json};

use crate::properties::Numbers;
use mirror::{Mirror, digest, offers};
use model::{Model, Step, policy, start};

#[test]
fn a_fleet_that_changed_is_the_fleet_bound_anew() {
    let (mut made, mut refused, mut of_policy) = (0, 0, 0);
    for seed in 0..30 {
        let mut n = Numbers((seed + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let policy = policy(seed);
        let mut model = start(&mut n, &policy);
        let mut live = Live::bind(&policy, &[&model.inventory()]).expect("binds");
        let mut mirror = Mirror::of(live.fleet());
        for at in 0..14 {
            let what = format!("seed {seed}, step {at}");
            let step = Step::make(&mut n, &model);
            let next = step.on_model(&model);
            let anew = policy.fleet(&[&next.inventory()]);
            let before = (digest(live.fleet()), offers(live.fleet()));
            match step.on_live(&mut live) {
                Ok(changed) => {
                    let anew =
                        anew.unwrap_or_else(|error| panic!("{what}: made, and refused anew:\n{error}"));
                    assert_eq!(digest(live.fleet()), digest(&anew), "{what}");
                    assert_eq!(offers(live.fleet()), offers(&anew), "{what}");
                    mirror.follow(live.fleet(), &changed);
                    mirror.assert_is(live.fleet(), &what);
                    model = next;
                    made += 1;
                }
                Err(error) => {
                    let codes: BTreeSet<Code> =
                        error.report().diagnostics.iter().map(|problem| problem.code).collect();
                    assert!(
                        !codes.contains(&Code::B0518) || codes.len() == 1 || anew.is_err(),
                        "{what}: {error}"
                    );
                    of_policy += usize::from(codes.contains(&Code::B0518));
                    assert!(
                        codes.contains(&Code::B0518) || anew.is_err(),
                        "{what}: refused, and bound anew:\n{error}"
                    );
                    assert_eq!(
                        before,
                        (digest(live.fleet()), offers(live.fleet())),
                        "{what}: a refusal left something"
                    );
                    mirror.assert_is(live.fleet(), &what);
                    refused += 1;
                }
            }
        }
    }
    assert!(made > 150 && refused > 50 && of_policy > 2, "all were seen: {made}, {refused}, {of_policy}");
}

/// Sets a total of the fleet and of the data.
fn heartbeat(n: &mut Numbers, next: &mut Model, live: &mut Live) -> Result<FleetChanges, bourse::Error> {
    let pools = next.pools();
    let (of_agent, total) = (n.chance(60) || pools.is_empty(), 1 + n.below(20));
    if of_agent {
        let row = n.below(next.agents.len() as u64) as usize;
        let row = &mut next.agents[row];
        row["resources"]["cpus"] = json!(total);
        let name = row["name"].as_str().expect("a name").to_owned();
        live.set_total(Holder::Agent(&name), "cpus", Quantity::parse(&total.to_string()).expect("reads"))
    } else {
        let path = &pools[n.below(pools.len() as u64) as usize];
        let names: Vec<&str> = path.split('/').collect();
        let text = format!("{}GB", total * 5);
        for provider in next.providers.iter_mut().filter(|row| row["name"] == json!(names[0])) {
            let pools = provider["instances"][0]["pools"].as_array_mut().expect("pools");
            for pool in pools.iter_mut().filter(|row| row["name"] == json!(names[2])) {
                match &mut pool["resources"]["size"] {
                    Value::Object(options) => drop(options.insert("total".to_owned(), json!(text))),
                    size => *size = json!(text),
                }
            }
        }
        live.set_total(Holder::Storage(path), "size", Quantity::parse(&text).expect("reads"))
    }
}

#[test]
fn totals_that_heartbeats_set_are_those_bound_anew() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..60 {
        let mut n = Numbers((seed + 7_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let policy = policy(seed);
        let mut model = start(&mut n, &policy);
        let mut live = Live::bind(&policy, &[&model.inventory()]).expect("binds");
        let mut mirror = Mirror::of(live.fleet());
        for at in 0..8 {
            let what = format!("seed {seed}, step {at}");
            let mut next = model.clone();
            let before = digest(live.fleet());
            let result = heartbeat(&mut n, &mut next, &mut live);
            let anew = policy.fleet(&[&next.inventory()]);
            match result {
                Ok(changed) => {
                    let anew =
                        anew.unwrap_or_else(|error| panic!("{what}: made, and refused anew:\n{error}"));
                    assert_eq!(digest(live.fleet()), digest(&anew), "{what}");
                    mirror.follow(live.fleet(), &changed);
                    mirror.assert_is(live.fleet(), &what);
                    model = next;
                    made += 1;
                }
                Err(error) => {
                    let alone = error.report().diagnostics[0].code == Code::B0518;
                    assert!(alone || anew.is_err(), "{what}: refused, and bound anew:\n{error}");
                    assert_eq!(before, digest(live.fleet()), "{what}");
                    refused += 1;
                }
            }
            // What tiers have is bound again from records: they have followed.
            if n.chance(20) && !model.volumes.is_empty() {
                let step = Step {
                    puts: BTreeMap::from([("volumes", vec![model.volumes[0].clone()])]),
                    ..Step::default()
                };
                let changed = step.on_live(&mut live).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(changed.supplies, RowChanges::default(), "{what}");
                assert_eq!(
                    digest(live.fleet()),
                    digest(&policy.fleet(&[&model.inventory()]).expect("binds")),
                    "{what}"
                );
                mirror.follow(live.fleet(), &changed);
            }
        }
    }
    assert!(made > 100 && refused > 50, "both were seen: {made}, {refused}");
}

const FORMAT: &str = r#"{"format": "bourse.inventory", "version": 1"#;

fn read(rows: &str) -> Inventory {
    Inventory::from_json("delta.json", &format!("{FORMAT}, {rows}}}"))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What a refused change removes.
enum Gone {
    Nothing,
    Agent,
    Storage,
    Allocation,
}

/// Changes that are refused: rows given, what is removed, and what is said of it.
const REFUSED: &[(&str, (Gone, &str), Code, &str)] = &[
    (
        r#""needs": [{"name": "n"}]"#,
        (Gone::Nothing, ""),
        Code::B0518,
        "needs cannot be changed while the fleet is bound",
    ),
    (r#""broker": {"domain": "us"}"#, (Gone::Nothing, ""), Code::B0518, "the broker cannot be changed"),
    (
        r#""reservations": [{"name": "r", "role": "x", "agent": "a1", "resources": {"cpus": 1}}]"#,
        (Gone::Nothing, ""),
        Code::B0518,
        "reservations cannot",
    ),
    (
        r#""agents": [{"name": "a3", "require": ["need.name != \"z\""]}]"#,
        (Gone::Nothing, ""),
        Code::B0518,
        "the rules of agent `a3` were not compiled",
    ),
    (
        r#""agents": [{"name": "a3", "resources": {"disk": "9GB"}}]"#,
        (Gone::Nothing, ""),
        Code::B0502,
        "`disk` is a number elsewhere, and here a size",
    ),
    (
        r#""agents": [{"name": "a3", "keys": {"zone": "us"}}]"#,
        (Gone::Nothing, ""),
        Code::B0211,
        "the key `zone` is named like a built-in",
    ),
    (
        r#""agents": [{"name": "a2"}]"#,
        (Gone::Agent, "a2"),
        Code::B0506,
        "agent `a2` is both given and removed",
    ),
    (
        r#""agents": [{"name": "a1", "resources": {"cpus": 2}}]"#,
        (Gone::Nothing, ""),
        Code::B0508,
        "3 of `cpus` allocated, and only 2 can be used",
    ),
    (
        r#""agents": []"#,
        (Gone::Agent, "a1"),
        Code::B0525,
        "agent `a1` cannot be removed: allocation `w1` takes from it",
    ),
    (r#""agents": []"#, (Gone::Agent, "a9"), Code::B0523, "no agent is named `a9`"),
    (
        r#""agents": []"#,
        (Gone::Storage, "p/i/s"),
        Code::B0525,
        "storage `p/i/s` cannot be removed: allocation `w1`",
    ),
    (r#""agents": []"#, (Gone::Storage, "p/i/t"), Code::B0523, "no storage is named `p/i/t`"),
    (r#""agents": []"#, (Gone::Allocation, "w2"), Code::B0523, "no allocation is named `w2`"),
    (
        r#""volumes": [{"path": "p/i/s/w", "resources": {"size": "4GB"}}]"#,
        (Gone::Nothing, ""),
        Code::B0508,
        "10GB of `size` allocated, and only 9GB can be used",
    ),
    (
        r#""volumes": [{"path": "q/i/s/w", "resources": {"size": "4GB"}}]"#,
        (Gone::Nothing, ""),
        Code::B0509,
        "no pool is named `q/i/s`",
    ),
    (
        r#""allocations": [{"name": "w2", "agents": {"a1": {"cpus": 2}}}]"#,
        (Gone::Nothing, ""),
        Code::B0508,
        "of `cpus` allocated",
    ),
    (
        r#""allocations": [{"name": "w2", "agents": {"a7": {"cpus": 2}}}]"#,
        (Gone::Nothing, ""),
        Code::B0509,
        "no agent is named `a7`",
    ),
    (
        r#""agents": [{"name": "a3", "resources": {"tokens": 9}}], "allocations": [{"name": "w2", "role": "x", "agents": {"a3": {"tokens": 5}}}]"#,
        (Gone::Nothing, ""),
        Code::B0516,
        "its limit is 4",
    ),
];

#[test]
fn what_a_change_cannot_do_it_says() {
    let policy = Policy::compile([(
        "small.policy",
        "broker main { levels region > zone } role \"x\" { limit { agent.tokens = 4 } }
         need web { agent { cpus = 1 }, volume data { size = 1GB } }",
    )]);
    let fleet = read(
        r#""agents": [{"name": "a1", "resources": {"cpus": 4, "disk": 9}, "require": [{"label": "own", "rule": "need.name != \"y\""}]},
                      {"name": "a2", "resources": {"cpus": {"total": 4, "reserved": 1}}}],
           "providers": [{"name": "p", "instances": [{"name": "i", "pools": [{"name": "s", "resources": {"size": "9GB"},
             "volumes": [{"name": "v", "resources": {"size": "1GB"}}]}]}]}],
           "allocations": [{"name": "w1", "framework": "web", "role": "x", "agents": {"a1": {"cpus": 3}}, "pools": {"p/i/s": {"size": "5GB"}}}]"#,
    );
    let mut live = Live::bind(&policy.unwrap_or_else(|error| panic!("{error}")), &[&fleet]).expect("binds");
    let before = (digest(live.fleet()), offers(live.fleet()));
    for (rows, (gone, name), code, message) in REFUSED {
        let delta = match gone {
            Gone::Nothing => Delta::default(),
            Gone::Agent => Delta::default().remove_agent(*name),
            Gone::Storage => Delta::default().remove_storage(*name),
            Gone::Allocation => Delta::default().end(*name),
        };
        let error = live.apply(&delta.put(&read(rows))).expect_err(message);
        let first = &error.report().diagnostics[0];
        assert!(first.code == *code && first.message.contains(message), "{rows}\n{error}");
        assert!(first.help.is_some(), "{rows}\n{error}");
        assert_eq!(before, (digest(live.fleet()), offers(live.fleet())), "{rows}");
    }
    let twice = read(r#""agents": [{"name": "a3"}]"#);
    let error = live.apply(&Delta::default().put(&twice).put(&twice)).expect_err("is given twice");
    assert_eq!(error.report().diagnostics[0].code, Code::B0506);
    let set = |live: &mut Live, holder, resource, total| {
        let total = Quantity::parse(total).expect("reads");
        live.set_total(holder, resource, total).expect_err("refused").report().diagnostics[0].code
    };
    assert_eq!(set(&mut live, Holder::Agent("a1"), "cpus", "2"), Code::B0508);
    assert_eq!(set(&mut live, Holder::Agent("a1"), "cpus", "9GB"), Code::B0502);
    assert_eq!(set(&mut live, Holder::Agent("a1"), "gpus", "2"), Code::B0523);
    assert_eq!(set(&mut live, Holder::Agent("a2"), "cpus", "2"), Code::B0518);
    assert_eq!(set(&mut live, Holder::Storage("p/i/t"), "size", "2GB"), Code::B0523);
    assert_eq!(before, (digest(live.fleet()), offers(live.fleet())));
}

/// An allocation that is put stands before another by name, and takes what that one has of one holder, while of another
/// holder, which has parts, all is taken again.
#[test]
fn what_stays_taken_is_not_taken_twice() {
    let policy = Policy::compile([(
        "small.policy",
        "role \"x\" { limit { agent.tokens = 4 } } need web { agent { cpus = 1 } }",
    )]);
    let fleet = read(
        r#""agents": [{"name": "a1", "resources": {"cpus": 4, "ports": ["1..9"], "tokens": 9}},
                      {"name": "a2", "resources": {"cpus": 8}, "reserved": {"y": {"cpus": 4}}}],
           "providers": [{"name": "p", "instances": [{"name": "i", "pools": [{"name": "s", "resources": {"size": "9GB"},
             "volumes": [{"name": "v", "resources": {"size": "1GB"}}]}]}]}],
           "allocations": [{"name": "w2", "role": "x", "agents": {"a1": {"cpus": 3, "ports": ["4..6"], "tokens": 3}, "a2": {"cpus": 2}},
             "pools": {"p/i/s": {"size": "5GB"}}, "volumes": ["p/i/s/v"]}]"#,
    );
    let mut live = Live::bind(&policy.expect("compiles"), &[&fleet]).expect("binds");
    let before = (digest(live.fleet()), offers(live.fleet()));
    for (takes, code, message) in [
        (
            r#""agents": {"a1": {"cpus": 2}, "a2": {"cpus": 1}}"#,
            Code::B0508,
            "5 of `cpus` allocated, and only 4",
        ),
        (
            r#""agents": {"a1": {"ports": ["6..6"]}, "a2": {"cpus": 1}}"#,
            Code::B0508,
            "some of these `ports` are taken",
        ),
        (r#""agents": {"a1": {"tokens": 2}, "a2": {"cpus": 1}}"#, Code::B0516, "uses 5 of `tokens` already"),
        (
            r#""agents": {"a2": {"cpus": 1}}, "pools": {"p/i/s": {"size": "4GB"}}"#,
            Code::B0508,
            "10GB of `size` allocated",
        ),
        (r#""agents": {"a2": {"cpus": 1}}, "volumes": ["p/i/s/v"]"#, Code::B0508, "more users than the 1"),
    ] {
        let rows = format!(r#""allocations": [{{"name": "w1", "role": "x", {takes}}}]"#);
        let error = live.apply(&Delta::default().put(&read(&rows))).expect_err(message);
        let problems = &error.report().diagnostics;
        assert!(
            problems.iter().any(|one| one.code == code && one.message.contains(message)),
            "{rows}\n{error}"
        );
        assert_eq!(before, (digest(live.fleet()), offers(live.fleet())), "{rows}");
    }
    // What there is room for is taken.
    let rows = r#""allocations": [{"name": "w1", "role": "x", "agents": {"a1": {"cpus": 1, "ports": ["7..7"], "tokens": 1}, "a2": {"cpus": 1}}}]"#;
    live.apply(&Delta::default().put(&read(rows))).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn numbers_and_sources_are_used_again() {
    let policy = Policy::compile([("small.policy", "need web { agent { cpus = 1 } }")]).expect("compiles");
    let mut live = Live::bind(&policy, &[]).expect("binds");
    let mut sizes = Vec::new();
    for at in 0..20 {
        let row = read(&format!(r#""agents": [{{"name": "a{at}", "resources": {{"cpus": 4, "disk": 9}}}}]"#));
        live.apply(&Delta::default().put(&row)).unwrap_or_else(|error| panic!("{error}"));
        live.apply(&Delta::default().remove_agent(format!("a{at}")))
            .unwrap_or_else(|error| panic!("{error}"));
        let (world, sources) = (live.fleet().world(), live.fleet().warnings().sources.len());
        sizes.push((world.stocks.len(), world.holdings.len(), sources));
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[test]
fn a_fleet_that_is_kept_stays_as_it_is() {
    let policy =
        Policy::compile([("small.policy", "need web { count = 9, agent { cpus = 1 } }")]).expect("compiles");
    let one = read(r#""agents": [{"name": "a1", "resources": {"cpus": 2}}]"#);
    let mut live = Live::bind(&policy, &[&one]).expect("binds");
    let before = live.offers();
    let two = read(r#""agents": [{"name": "a2", "resources": {"cpus": 2}}]"#);
    live.apply(&Delta::default().put(&two)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(before.fleet().offers().cycle().grants.len(), 2);
    assert_eq!(live.offers().cycle().grants.len(), 4);
}
