//! Classes of plugins that needs ask for: they hold for what the class of the policy holds for, and the reasons are the same.

use std::fs;

use bourse::{
    Fleet, Inventory, Policy,
    cycle::{CycleRequest, Engine, Reasons},
    emit::{self, Owners},
    explain::{self, DetailLevel},
    output::{Detail, View, offers_json},
    plugin::{Grants, Host, Limits, Plugin, about::KeyName},
    types::Side,
};

use serde_json::json;

use super::made::{Column, Condition, Made, Rule};
use crate::cli::{Folder, json};

const CLASSES: &str = r#"class flash for pool { media == "ssd", size-class >= 2 }
    class connected for agent { drivers has "array", kernel >= v"4.18" }
    class driven for agent { drivers has "array" }
    class roomy for pool { pool is flash, free.size >= 2TB }
    "#;

const FLEET: &str = r#"
    agent a1 { drivers = ["array"], kernel = v"5.10", resources { cpus = 8 } }
    agent a2 { drivers = ["nfs"], kernel = v"5.10", resources { cpus = 8 } }
    agent a3 { drivers = ["array"], kernel = v"4.4", resources { cpus = 8 } }
    agent a4 { drivers = ["array"], resources { cpus = 8 } }
    provider array {
      instance i {
        pool ssd { media = "ssd", size-class = 3, resources { size = 3TB } }
        pool hdd { media = "hdd", size-class = 3, resources { size = 90TB } }
      }
    }
    provider other { instance i { pool ssd { media = "ssd", size-class = 2, resources { size = 90TB } } } }
    "#;

/// Needs, rules and a class that name the classes; `PLUGIN/` stands before each.
const NEEDS: &str = r#"
    class good for pool { is PLUGIN/flash, size-class >= 3 }
    broker b {
      require fit: not agent is PLUGIN/connected or pool is PLUGIN/flash or need.slack is present
      prefer near: agent is PLUGIN/connected weight 5
    }
    need all { count = 3, agent { cpus = 1, is PLUGIN/connected }, volume v { size = 1TB, is PLUGIN/flash } }
    need room { count = 2, agent { cpus = 1 }, volume v { size = 1TB, is PLUGIN/roomy } }
    need others { slack = 1, agent { cpus = 1, not is PLUGIN/connected }, volume v { size = 1TB, not is PLUGIN/flash } }
    need own { agent { cpus = 1 }, volume v { size = 1TB, is good } }
    "#;

fn host() -> Host {
    Host::in_process(Limits::default()).expect("runs")
}

fn built(policy: &str) -> Vec<u8> {
    let fleet = Policy::compile([("built.policy", policy)]).unwrap_or_else(|error| panic!("{error}"));
    let fleet = fleet.fleet(&[]).expect("binds");
    let owners = Owners::of(fleet.plan(), fleet.world());
    emit::plugin(fleet.plan(), &owners, "vendor").expect("builds").bytes
}

fn install(bytes: &[u8], grants: &Grants) -> Plugin {
    host().install("vendor.wasm", bytes, grants).unwrap_or_else(|fault| panic!("{fault}"))
}

fn bind(policy: &str, plugins: &[Plugin]) -> Fleet {
    let policy = Policy::compile_with([("site.policy", policy)], plugins);
    policy.unwrap_or_else(|error| panic!("{error}")).fleet_with(&[], plugins).expect("binds")
}

/// Offers and rejections, then the lines of explanations in order of their text, with the classes called as the policy's own: what
/// is told of as many goes by name.
fn told(fleet: &Fleet, engine: Engine) -> Vec<String> {
    let offers = fleet.cycle(CycleRequest { reasons: Reasons::All, engine, ..CycleRequest::default() });
    assert_eq!(fleet.faults(), []);
    let own = |text: String| {
        let place = regex::Regex::new(r"(site\.policy|vendor\.wasm):\d+").expect("is one");
        let text = place.replace_all(&text.replace("vendor/", ""), "(place)").into_owned();
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let mut told = own(offers_json(&offers, View::Operator, Detail::All));
    for need in &offers.cycle().needs {
        let look = DetailLevel { all: true };
        let mut lines = own(explain::need_text(&explain::need(&offers, need.id), look));
        lines.sort();
        told.extend(lines);
    }
    told
}

#[test]
fn a_plugin_s_classes_say_what_the_policy_s_own_say() {
    let native = bind(&format!("{CLASSES}{FLEET}{}", NEEDS.replace("PLUGIN/", "")), &[]);
    let plugin = install(&built(CLASSES), &Grants::all());
    let asked = bind(&format!("{FLEET}{}", NEEDS.replace("PLUGIN/", "vendor/")), &[plugin]);
    for engine in [Engine::Indexed, Engine::Plain] {
        let (native, asked) = (told(&native, engine), told(&asked, engine));
        assert!(native.iter().any(|line| line == "\"outcome\": \"met\","), "{native:#?}");
        assert!(native.iter().any(|line| line.contains("connected")), "{native:#?}");
        for (one, other) in native.iter().zip(&asked) {
            assert_eq!(one, other, "{engine:?}");
        }
        assert_eq!(native.len(), asked.len(), "{engine:?}");
    }
}

/// A provider's plugin says nothing of others' supplies: they are in none of its classes.
#[test]
fn others_supplies_are_in_no_class_of_a_provider_s_plugin() {
    let grants = Grants::provider("array").key(Side::Agent, KeyName::Attribute("drivers".to_owned()));
    let plugin = install(&built(CLASSES), &grants);
    // What it says of an agent holds beside whatever supply.
    let policy = format!(
        "{FLEET}
         broker b {{ require driven: agent is vendor/driven or pool.media == \"none\" or need.name == \"host\" }}
         need fast {{ count = 9, agent {{ cpus = 1 }}, volume v {{ size = 1TB, is vendor/flash }} }}
         need slow {{ count = 9, at most 1 per pool, agent {{ cpus = 1 }}, volume v {{ size = 1TB, not is vendor/flash, at most 1 per pool }} }}
         need host {{ agent {{ cpus = 1, is vendor/connected }} }}"
    );
    let policy = policy.replace("count = 9, at most 1 per pool, agent", "count = 9, agent");
    let fleet = bind(&policy, &[plugin]);
    let offers = fleet.cycle(CycleRequest { reasons: Reasons::All, ..CycleRequest::default() });
    assert_eq!(fleet.faults(), []);
    let on = |need: &str| {
        let id = fleet.needs(need).expect("is there")[0];
        let of_need = offers.cycle().grants.iter().filter(move |grant| grant.id == id);
        let paths = of_need.filter_map(|grant| grant.candidate.volumes.first());
        let mut paths: Vec<&str> = paths
            .map(|volume| fleet.plan().symbols.text(fleet.world().supplies[volume.supply].path))
            .collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(on("fast"), ["array/i/ssd"; 3]);
    assert_eq!(on("slow"), ["array/i/hdd", "other/i/ssd"]);
    // It is not granted the kernel, so that no agent is known to be connected.
    let reasons: Vec<String> = offers
        .cycle()
        .reasons
        .iter()
        .map(|reason| format!("{} {} {}", reason.label, reason.want, reason.have.as_deref().unwrap_or("-")))
        .collect();
    for said in [
        "vendor/flash == \"ssd\" a supply of another provider",
        "vendor/connected >= v\"4.18\" nothing: `agent.kernel` is not granted",
    ] {
        assert!(reasons.iter().any(|reason| reason == said), "{reasons:#?}");
    }
    let need = fleet.needs("fast").expect("is there")[0];
    let plainly = fleet.cycle(CycleRequest { engine: Engine::Plain, ..CycleRequest::default() });
    let made = |offers: &bourse::Offers| {
        offers
            .cycle()
            .grants
            .iter()
            .map(|grant| (grant.id, grant.candidate.agent, grant.candidate.score))
            .collect::<Vec<_>>()
    };
    assert_eq!(made(&plainly), made(&offers));
    let text = explain::need_text(&explain::need(&offers, need), DetailLevel::default());
    assert!(text.contains("vendor/flash"), "{text}");
}

#[test]
fn a_class_of_a_plugin_that_fails_holds_for_nothing() {
    let mut made = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    made.description.name = "vendor".to_owned();
    made.description.rules =
        vec![Rule { label: "fast".to_owned(), purpose: (2, 0), sides: 1, whole: 0, conditions: vec![0] }];
    for grants in [Grants::all(), Grants::provider("array").side(Side::Agent)] {
        let plugin = install(&made.component(), &grants);
        let policy = format!(
            "{FLEET} need yes {{ agent {{ cpus = 1, is vendor/fast }} }} need no {{ agent {{ cpus = 1, not is vendor/fast }} }}"
        );
        let fleet = bind(&policy, &[plugin]);
        assert_eq!(fleet.offers().cycle().grants.len(), 0, "{grants:?}");
        assert_eq!(fleet.faults().len(), 1, "{grants:?}");
    }
}

/// A plugin by hand may call a class of agents and one of supplies alike: each is answered for by its own rule.
#[test]
fn classes_of_two_sides_may_be_called_alike() {
    let mut made = Made::default();
    made.description.name = "vendor".to_owned();
    made.description.columns.push(Column { side: 1, key: (0, "media".to_owned()), kind: 5, required: false });
    made.description.conditions.push(Condition { text: "any".to_owned(), subject: None, reads: vec![1] });
    let fast = |side, sides, whole| Rule {
        label: "fast".to_owned(),
        purpose: (2, side),
        sides,
        whole,
        conditions: vec![whole],
    };
    made.description.rules = vec![fast(0, 1, 0), fast(1, 2, 1)];
    let plugin = install(&made.component(), &Grants::all());
    let policy =
        format!("{FLEET} need n {{ agent {{ cpus = 1 }}, volume v {{ size = 1TB, is vendor/fast }} }}");
    let fleet = bind(&policy, &[plugin]);
    assert_eq!((fleet.offers().cycle().grants.len(), fleet.faults()), (1, Vec::new()));
}

#[test]
fn data_may_ask_for_them_and_a_set_without_the_plugin_says_so() {
    let plugin = install(&built(CLASSES), &Grants::all());
    let needs = r#"{"format": "bourse.inventory", "version": 1, "needs": [{"name": "n", "agent": {"amounts": {"cpus": 1}, "is": ["vendor/connected"]}}]}"#;
    let needs = Inventory::from_json("needs.json", needs).unwrap_or_else(|error| panic!("{error}"));
    let policy = Policy::compile([("site.policy", FLEET)]).expect("compiles");
    let fleet = policy.fleet_with(&[&needs], &[plugin]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(fleet.offers().cycle().grants.len(), 1);
    let error = policy.fleet(&[&needs]).expect_err("without the plugin there is none");
    assert!(error.to_string().contains("no plugin is given that has a class `vendor/connected`"), "{error}");
}

const SITE: &str = r#"agent a1 { drivers = ["array"], kernel = v"5.10", resources { cpus = 8 } }
agent a2 { drivers = ["nfs"], kernel = v"5.10", resources { cpus = 8 } }
need db { count = 2, agent { cpus = 1, is vendor/connected } }
test "db" { expect db on a1, expect db not on a2 }
"#;

#[test]
fn every_command_that_takes_plugins_knows_their_classes() {
    let folder = Folder::new(&[("site.policy", SITE), ("vendor.policy", CLASSES)]);
    let built = folder.run(&["build", "vendor.policy", "-o", "vendor.wasm"]);
    assert_eq!((built.code, built.stderr.as_str()), (0, ""));
    let with = ["site.policy", "--plugin", "vendor.wasm"];
    for (command, code) in [
        (&["offers"][..], 0),
        (&["match"], 0),
        (&["explain", "db"], 0),
        (&["test"], 0),
        (&["check"], 0),
        (&["shares"], 0),
        (&["doc"], 0),
        (&["inventory"], 0),
    ] {
        let output = folder.run(&[command, &with].concat());
        assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{command:?}");
    }
    let output = folder.run(&["diff", "site.policy", "site.policy", "--plugin", "vendor.wasm"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let covered = folder.run(&["test", "site.policy", "--plugin", "vendor.wasm", "--coverage"]);
    assert!(covered.stdout.contains("class vendor/connected: never unknown"), "{}", covered.stdout);
    assert!(!covered.stdout.contains("vendor/flash"), "nobody asks for it: {}", covered.stdout);
    let page = folder.run(&[&["doc"], &with[..]].concat()).stdout;
    assert!(
        page.contains("| `is vendor/connected` |") && page.contains("Of plugins, these are used:"),
        "{page}"
    );
    let offers = folder.run(&[&["offers", "--format", "json"], &with[..]].concat());
    let operations = json!({"format": "bourse.operations", "version": 1,
        "operations": [{"op": "launch", "offer": json(&offers.stdout)["offers"][0], "as": "db-1"}]});
    folder.write("launch.json", &operations.to_string());
    let apply = ["apply", "--state", "state.json", "--init"];
    let applied = folder.run(&[&apply, &with[..], &["launch.json"]].concat());
    assert_eq!((applied.code, applied.stderr.as_str()), (0, ""), "{}", applied.stdout);
    let next = folder.run(&[&["offers", "--inventory", "state.json"], &with[..]].concat());
    assert!(next.stdout.contains("1 offer;"), "{}{}", next.stdout, next.stderr);
    let refused = folder.run(&[&apply[..], &["site.policy", "launch.json"]].concat());
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    // The form that `fmt` gives is the one that is written.
    folder.write("wild.policy", "need n { agent { is   vendor/\"connected\" } }");
    folder.run(&["fmt", "wild.policy"]);
    let text = fs::read_to_string(folder.path().join("wild.policy")).expect("is there");
    assert!(text.contains("is vendor/connected"), "{text}");
    assert_eq!(folder.run(&["fmt", "--check", "wild.policy"]).code, 0);
    folder.write("near.policy", &SITE.replace("vendor/connected", "vendor/conected"));
    folder.write("side.policy", &SITE.replace("vendor/connected", "vendor/flash"));
    folder.write("far.policy", &SITE.replace("vendor/connected", "vendor/unlike-any"));
    for (set, plugin, said) in [
        ("site.policy", false, "no plugin is given that has a class `vendor/connected`"),
        ("near.policy", true, "did you mean `vendor/connected`?"),
        ("far.policy", true, "`bourse inspect` lists the classes of a plugin"),
        ("side.policy", true, "class `vendor/flash` is for pools, not for agent"),
    ] {
        let mut args = vec!["check", set];
        args.extend(plugin.then_some(["--plugin", "vendor.wasm"]).into_iter().flatten());
        let output = folder.run(&args);
        let told = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.code, 3, "{set}: {told}");
        assert!(told.contains(said), "{set}: {told}");
    }
}

/// The help for a class of a missing plugin names every command that takes no plugins.
#[test]
fn commands_that_take_no_plugins_are_named() {
    let folder = Folder::new(&[("site.policy", SITE)]);
    let refused = |args: &[&str]| {
        let output = folder.run(args);
        assert_eq!(output.code, 3, "{args:?}: {}", output.stderr);
        output.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
    };
    let without = [
        &["build", "site.policy", "-o", "site.wasm"][..],
        &["compare", "a", "b", "site.policy"],
        &["repl", "site.policy"],
    ];
    for args in without {
        let told = refused(args);
        assert!(
            told.contains(
                "`build`, `compare` and `repl` take no plugin, and no set that asks for a class of one"
            ),
            "{told}"
        );
        assert!(!folder.run(&[args[0], "--help"]).stdout.contains("--plugin"), "{args:?}");
    }
    for args in [
        &["offers"][..],
        &["match"],
        &["explain", "db"],
        &["test"],
        &["check"],
        &["shares"],
        &["doc"],
        &["inventory"],
    ] {
        let told = refused(&[args, &["site.policy"]].concat());
        assert!(told.contains("give the plugin that is called `vendor` with `--plugin FILE`"), "{told}");
        assert!(folder.run(&[args[0], "--help"]).stdout.contains("--plugin"), "{args:?}");
    }
    for command in ["apply", "diff"] {
        assert!(folder.run(&[command, "--help"]).stdout.contains("--plugin"), "{command}");
    }
}
