//! What a plugin that keeps the rules is given, and what it answers.

use bourse::{
    inventory::ledger::Ledger,
    logic::Truth,
    plugin::{Broken, Grants, Host, Limits, Question, TriedRows},
};

use super::{
    bound,
    made::{Column, Made},
    view,
};

const FLEET: &str = "agent a1 { gpus = 4 } agent a2 { gpus = 1 } agent a3 { os = \"linux\" }
    need n { agent { cpus = 1 } }";

#[test]
fn an_honest_plugin_is_installed_loaded_and_asked() {
    let host = Host::in_process(Limits::default()).expect("runs");
    let plugin = host.install("made.wasm", &Made::default().component(), &Grants::all()).expect("installs");
    assert_eq!(plugin.about().rules[0].label, "gpus");
    let loaded = bound(FLEET, &[plugin.about()]);
    let ledger = Ledger::new(&loaded.world);
    let mut filter = plugin.load(view(&loaded, &ledger)).expect("loads");
    let question =
        Question { subject: None, volume: None, rules: &[0], agents: TriedRows::All, pools: TriedRows::None };
    let answer = filter.evaluate(view(&loaded, &ledger), &question).expect("answers");
    assert_eq!(answer.shape(), (3, 1));
    assert_eq!([0, 1, 2].map(|agent| answer.truth(0, agent, 0)), [Truth::True; 3]);
    assert_eq!(answer.bits(0), Some((&[7][..], &[0][..])));
}

#[test]
fn a_provider_s_plugin_sees_the_provider_s_supplies() {
    let fleet = "provider ours { instance i { pool p1 { ssd = true } pool p2 { } } }
        provider theirs { instance i { pool p0 { ssd = false } pool p9 { } } }
        need n { volume v { size = 1GB } }";
    let mut made = Made::default();
    made.description.columns = vec![
        Column { side: 1, key: (0, "ssd".to_owned()), kind: 0, required: true },
        Column { side: 0, key: (0, "tenant".to_owned()), kind: 5, required: false },
    ];
    made.description.rules[0].sides = 2;
    let host = Host::in_process(Limits::default()).expect("runs");
    let plugin = host.install("ours.wasm", &made.component(), &Grants::provider("ours")).expect("installs");
    assert_eq!(plugin.withheld(), [1], "the agents' keys are not its business");
    let loaded = bound(fleet, &[plugin.about()]);
    let ledger = Ledger::new(&loaded.world);
    let mut filter = plugin.load(view(&loaded, &ledger)).expect("loads");
    let path = |supply: &usize| loaded.plan.symbols.text(loaded.world.supplies[*supply].path);
    assert_eq!(filter.pools().iter().map(path).collect::<Vec<_>>(), ["ours/i/p1", "ours/i/p2"]);
    let ask = |pools| Question { subject: None, volume: None, rules: &[0], agents: TriedRows::None, pools };
    let answer = filter.evaluate(view(&loaded, &ledger), &ask(TriedRows::All)).expect("answers");
    assert_eq!((answer.shape(), answer.bits(0)), ((1, 2), Some((&[3][..], &[0][..]))));
    let theirs = (0..4).find(|supply| !filter.sees_pool(*supply)).expect("is there");
    let fault =
        filter.evaluate(view(&loaded, &ledger), &ask(TriedRows::These(&[theirs]))).expect_err("is not seen");
    assert_eq!(fault.broken, Broken::Bound, "{fault}");
    // The question was wrong, not the plugin: it goes on.
    assert!(filter.is_sound());
}

#[test]
fn a_fleet_without_the_plugin_s_columns_is_refused() {
    let host = Host::in_process(Limits::default()).expect("runs");
    let plugin = host.install("made.wasm", &Made::default().component(), &Grants::all()).expect("installs");
    let loaded = bound("agent a { gpus = 1 } need n { agent { cpus = 1 } }", &[]);
    let ledger = Ledger::new(&loaded.world);
    let fault = plugin.load(view(&loaded, &ledger)).expect_err("lacks a column");
    assert!(fault.broken == Broken::Bound && fault.message.contains("`agent.gpus`"), "{fault}");
}
