//! Compiled policies in the sample hosts of other languages: the same verdicts as the native engine, row by row. Where
//! a language is not there, its test says so and is over.

use std::{collections::BTreeMap, fs, process::Command};

use bourse::{inventory::ledger::Ledger, logic::Truth, quantity::MILLION};

use super::languages::{build, examples, fleet, is_there, native, rows};

/// What a host says: of rule, agent and pool, the verdict; `-` is a side that the rule does not read.
type Said = BTreeMap<[String; 3], String>;

fn said_by(host: &mut Command) -> Said {
    let place = tempfile::tempdir().expect("a folder");
    let (filter, fleet) = (place.path().join("sample.wasm"), place.path().join("fleet.json"));
    let policy = examples().join("plugins/sample.policy");
    build(Command::new(env!("CARGO_BIN_EXE_bourse")).arg("build").arg(policy).arg("-o").arg(&filter));
    let (agents, pools) = rows();
    fs::write(&fleet, format!(r#"{{"agents": [{agents}], "pools": [{pools}]}}"#)).expect("is written");
    let output = host.arg(filter).arg(fleet).output().expect("the host runs");
    assert!(output.status.success(), "{host:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let mut said = Said::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let [rule, agent, pool, verdict] = words[..] else { panic!("{line}") };
        let before = said.insert([rule, agent, pool].map(str::to_owned), verdict.to_owned());
        assert_eq!(before, None, "said twice: {line}");
    }
    said
}

fn said_by_the_engine() -> Said {
    let loaded = fleet();
    let ledger = Ledger::new(&loaded.world);
    let text = |symbol| loaded.plan.symbols.text(symbol);
    let all = |rows: usize| (0..rows).map(Some).collect();
    let (agents, pools): (Vec<_>, Vec<_>) =
        (all(loaded.world.agents.len()), all(loaded.world.supplies.len()));
    let none = vec![None];
    let mut said = Said::new();
    for (rule, label, agents, pools) in [
        (0, "gpus", &agents, &none),
        (1, "site", &agents, &pools),
        (2, "not-archive", &none, &pools),
        (3, "ssd", &none, &pools),
    ] {
        for (agent, pool) in agents.iter().flat_map(|agent| pools.iter().map(|pool| (*agent, *pool))) {
            let verdict = match (native(&loaded, &ledger, rule, agent, pool), label) {
                (Truth::True, "ssd") => MILLION.to_string(),
                (Truth::False, "ssd") => "0".to_owned(),
                (Truth::Unknown, "ssd") => "-1".to_owned(),
                (Truth::True, _) => "true".to_owned(),
                (Truth::False, _) => "false".to_owned(),
                (Truth::Unknown, _) => "unknown".to_owned(),
            };
            let agent = agent.map_or("-", |at| text(loaded.world.agents[at].name));
            let pool = pool.map_or("-", |at| text(loaded.world.supplies[at].path));
            let pool = pool.rsplit('/').next().expect("a name");
            said.insert([label.to_owned(), agent.to_owned(), pool.to_owned()], verdict);
        }
    }
    said
}

#[track_caller]
fn same(host: &mut Command) {
    let (theirs, ours) = (said_by(host), said_by_the_engine());
    assert_eq!(ours.len(), 150 + 150 * 70 + 70 + 70);
    for (row, verdict) in &ours {
        assert_eq!(theirs.get(row), Some(verdict), "{row:?}");
    }
    assert_eq!(theirs.len(), ours.len());
}

#[test]
fn in_python() {
    if !is_there("python3", "-cimport wasmtime") {
        return eprintln!("skipped: no python3 with wasmtime");
    }
    same(Command::new("python3").arg(examples().join("hosts/python/host.py")));
}

#[test]
fn in_node() {
    if !is_there("node", "--version") {
        return eprintln!("skipped: no node");
    }
    same(Command::new("node").arg(examples().join("hosts/node/host.mjs")));
}
