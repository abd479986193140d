//! The sample filter by hand, in several languages: the same verdicts as the policy that says the same. Where the tools of
//! a language are not there, its test says so and is over.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bourse::{
    engine::{Scene, Subject},
    inventory::ledger::Ledger,
    logic::Truth,
    pipeline::Loaded,
    plugin::{Answer, Changed, Filter, Grants, Host, Limits, Plugin, Question, TriedRows},
    quantity::MILLION,
};

use super::{made::wrap_module, view};

pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Agents and pools of every kind: keys that are there, absent, and of another type; more rows than a word has bits.
pub fn rows() -> (String, String) {
    let gpus = [r#""gpus": 4"#, r#""gpus": 1"#, r#""gpus": 2"#, "", r#""gpus": "many""#];
    let sites = [r#""site": "s1""#, r#""site": "s2""#, "", r#""site": "s3""#];
    let classes = [r#""class": "archive""#, r#""class": "hot""#, ""];
    let disks = [r#""ssd": true"#, r#""ssd": false"#, "", r#""ssd": 1"#];
    let row = |name: String, keys: &[&str]| {
        let keys: Vec<&str> = keys.iter().copied().filter(|key| !key.is_empty()).collect();
        format!(r#"{{"name": "{name}", "keys": {{{}}}}}"#, keys.join(", "))
    };
    let agents: Vec<String> =
        (0..150).map(|at| row(format!("a{at}"), &[gpus[at % 5], sites[at % 4]])).collect();
    let pools: Vec<String> = (0..70)
        .map(|at| row(format!("p{at}"), &[classes[at % 3], disks[at % 4], sites[at / 3 % 4]]))
        .collect();
    (agents.join(", "), pools.join(", "))
}

/// A fleet of these rows.
pub fn fleet() -> Loaded {
    let (agents, pools) = rows();
    let inventory = format!(
        r#"{{"format": "bourse.inventory", "version": 1, "agents": [{agents}],
            "providers": [{{"name": "p", "instances": [{{"name": "i", "pools": [{pools}]}}]}}]}}"#,
    );
    let mut policy = fs::read_to_string(examples().join("plugins/sample.policy")).expect("the sample");
    policy.push_str("need n { agent { cpus = 1 } volume v { size = 1GB } }\n");
    let run = crate::harness::load(
        &[("sample.policy", policy.as_bytes())],
        &[("fleet.json", inventory.as_bytes())],
    );
    let shown = |report: &bourse::diagnostic::Report| report.render(bourse::diagnostic::Render::Human(false));
    run.loaded.unwrap_or_else(|| panic!("{}", run.reports.iter().map(shown).collect::<String>()))
}

/// What the policy says of each rule, as the plain engine has it: three requirements, then the preference.
pub fn native(
    loaded: &Loaded,
    ledger: &Ledger,
    rule: usize,
    agent: Option<usize>,
    pool: Option<usize>,
) -> Truth {
    let framework = &loaded.plan.frameworks[0];
    let subject = Subject { framework, need: &framework.needs[0] };
    let broker = &loaded.plan.broker;
    let rules: Vec<_> = broker.requires.iter().chain(&broker.prefers).collect();
    let volume = framework.needs[0].volumes.first();
    let scene = Scene {
        plan: &loaded.plan,
        world: &loaded.world,
        ledger,
        subject,
        agent,
        supply: pool,
        volume,
        filters: None,
        recorder: None,
    };
    scene.truth(rules[rule].root)
}

#[track_caller]
fn same(loaded: &Loaded, ledger: &Ledger, filter: &mut Filter) {
    let view = view(loaded, ledger);
    let (agents, pools) = (loaded.world.agents.len(), loaded.world.supplies.len());
    let mut ask = |rules: &[u32], agents, pools| {
        let framework = &loaded.plan.frameworks[0];
        let subject = Some(Subject { framework, need: &framework.needs[0] });
        let volume = framework.needs[0].volumes.first();
        filter.evaluate(view, &Question { subject, volume, rules, agents, pools }).expect("answers")
    };
    let of_agents = ask(&[0], TriedRows::All, TriedRows::None);
    for agent in 0..agents {
        assert_eq!(
            of_agents.truth(0, agent, 0),
            native(loaded, ledger, 0, Some(agent), None),
            "agent {agent}"
        );
    }
    let of_pools = ask(&[3, 2], TriedRows::None, TriedRows::All);
    let earned = |answer: &Answer, pool| answer.earned(0, 0, pool);
    for pool in 0..pools {
        assert_eq!(of_pools.truth(1, 0, pool), native(loaded, ledger, 2, None, Some(pool)), "pool {pool}");
        let wanted = match native(loaded, ledger, 3, None, Some(pool)) {
            Truth::True => Some(MILLION),
            Truth::False => Some(0),
            Truth::Unknown => None,
        };
        assert_eq!(earned(&of_pools, pool), wanted, "pool {pool}");
    }
    let all = ask(&[1], TriedRows::All, TriedRows::All);
    let (some_agents, some_pools) = ([7, 3, 149], [69, 0, 64]);
    let some = ask(&[0, 1], TriedRows::These(&some_agents), TriedRows::These(&some_pools));
    for agent in 0..agents {
        for pool in 0..pools {
            let wanted = native(loaded, ledger, 1, Some(agent), Some(pool));
            assert_eq!(all.truth(0, agent, pool), wanted, "agent {agent}, pool {pool}");
        }
    }
    for (i, agent) in some_agents.into_iter().enumerate() {
        for (j, pool) in some_pools.into_iter().enumerate() {
            assert_eq!(some.truth(0, i, j), native(loaded, ledger, 0, Some(agent), Some(pool)));
            assert_eq!(some.truth(1, i, j), native(loaded, ledger, 1, Some(agent), Some(pool)));
        }
    }
}

/// Installs a component, and holds it against the policy: as loaded, and as rows change.
#[track_caller]
pub fn as_the_policy(language: &str, component: &[u8], limits: Limits) -> Plugin {
    let host = Host::in_process(limits).expect("runs");
    let plugin = host.install(language, component, &Grants::all()).unwrap_or_else(|fault| panic!("{fault}"));
    // The policy reads the same keys: the fleet has the plugin's columns.
    let loaded = fleet();
    let ledger = Ledger::new(&loaded.world);
    let mut filter = plugin.load(view(&loaded, &ledger)).unwrap_or_else(|fault| panic!("{fault}"));
    same(&loaded, &ledger, &mut filter);
    // The same agents with each other's keys: the rows that changed are told.
    let mut changed = loaded.clone();
    let cells: Vec<_> = changed.world.agents.iter().map(|agent| agent.cells.clone()).collect();
    let rows: Vec<usize> = (0..cells.len() - 1).filter(|row| row % 3 != 1).collect();
    for row in &rows {
        changed.world.agents[*row].cells = cells[row + 1].clone();
    }
    let of_pools = changed.world.supplies[1].cells.clone();
    changed.world.supplies[0].cells = of_pools;
    let told = Changed { agents: &rows, pools: &[0], only_counted: false };
    filter.update(view(&changed, &ledger), told).unwrap_or_else(|fault| panic!("{fault}"));
    same(&changed, &ledger, &mut filter);
    plugin
}

pub fn is_there(tool: &str, argument: &str) -> bool {
    Command::new(tool).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Runs a build; what it says goes with a failure.
pub fn build(command: &mut Command) {
    let output = command.output().expect("the tool runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn in_c() {
    let Some(clang) = ["clang-14", "clang"].into_iter().find(|tool| is_there(tool, "--version")) else {
        return eprintln!("skipped: no clang");
    };
    if !["wasm-ld-14", "wasm-ld"].into_iter().any(|tool| is_there(tool, "--version")) {
        return eprintln!("skipped: no wasm-ld");
    }
    let place = tempfile::tempdir().expect("a folder");
    let core = place.path().join("core.wasm");
    build(
        Command::new(clang)
            .args([
                "--target=wasm32",
                "-std=c11",
                "-O2",
                "-nostdlib",
                "-Wl,--no-entry,-z,stack-size=16384",
                "-o",
            ])
            .arg(&core)
            .arg(examples().join("plugins/c/filter.c")),
    );
    let module = fs::read(core).expect("is built");
    let plugin = as_the_policy("sample.c", &wrap_module(module, "plugin", |wit| wit), Limits::default());
    assert_eq!(plugin.about().producer, "by hand, in C");
}

#[test]
fn in_rust() {
    let has_target = |rustc: &&str| {
        let found = Command::new(rustc)
            .args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"])
            .output();
        found.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
    };
    let Some(rustc) = ["rustc", "/usr/bin/rustc"].into_iter().find(has_target) else {
        return eprintln!("skipped: no rustc for wasm32-unknown-unknown");
    };
    let place = tempfile::tempdir().expect("a folder");
    let core = place.path().join("core.wasm");
    let mut command = Command::new(rustc);
    command.args(["--edition", "2021", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib"]);
    command
        .args(["-O", "-C", "panic=abort", "-C", "strip=symbols", "-C", "link-arg=-zstack-size=16384", "-o"])
        .arg(&core);
    if rustc.starts_with('/') {
        command.args(["-C", "linker=wasm-ld-14"]);
    }
    build(command.arg(examples().join("plugins/rust/filter.rs")));
    let module = fs::read(core).expect("is built");
    let plugin = as_the_policy("sample.rs", &wrap_module(module, "plugin", |wit| wit), Limits::default());
    assert_eq!(plugin.about().producer, "by hand, in Rust");
}

#[test]
fn in_assemblyscript() {
    if !is_there("asc", "--version") {
        return eprintln!("skipped: no asc");
    }
    let place = tempfile::tempdir().expect("a folder");
    let core = place.path().join("core.wasm");
    let mut command = Command::new("asc");
    command.current_dir(examples().join("plugins")).args(["assemblyscript/filter.ts", "--transform"]);
    command.args(["./assemblyscript/names.mjs", "--runtime", "stub", "--use", "abort=", "-O3", "-o"]);
    build(command.arg(&core));
    let module = fs::read(core).expect("is built");
    let plugin = as_the_policy("sample.ts", &wrap_module(module, "plugin", |wit| wit), Limits::default());
    assert_eq!(plugin.about().producer, "by hand, in AssemblyScript");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "compiling an interpreter takes a debug build minutes")]
fn in_javascript() {
    if !is_there("componentize-js", "--version") {
        return eprintln!("skipped: no componentize-js");
    }
    let place = tempfile::tempdir().expect("a folder");
    let component = place.path().join("sample.wasm");
    let mut command = Command::new("componentize-js");
    command.current_dir(examples().join("plugins")).args([
        "javascript/filter.js",
        "--wit",
        "../../wit",
        "-n",
        "plugin",
    ]);
    command.args(["-d", "stdio", "random", "clocks", "http", "fetch-event", "-o"]);
    build(command.arg(&component));
    let component = fs::read(component).expect("is built");
    let plugin = as_the_policy("sample.js", &component, Limits::with_interpreter());
    assert_eq!(plugin.about().producer, "by hand, in JavaScript");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "compiling an interpreter takes a debug build minutes")]
fn in_python() {
    if !is_there("componentize-py", "--version") {
        return eprintln!("skipped: no componentize-py");
    }
    let place = tempfile::tempdir().expect("a folder");
    let component = place.path().join("sample.wasm");
    let mut command = Command::new("componentize-py");
    command.current_dir(examples().join("plugins")).args([
        "-d",
        "../../wit",
        "-w",
        "plugin",
        "componentize",
        "--stub-wasi",
    ]);
    command.args(["-p", "python", "filter_in_python", "-o"]);
    build(command.arg(&component));
    let component = fs::read(component).expect("is built");
    let plugin = as_the_policy("sample.py", &component, Limits::with_interpreter());
    assert_eq!(plugin.about().producer, "by hand, in Python");
}
