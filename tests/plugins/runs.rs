//! What a plugin that keeps the rules is given, and what it answers.

use bourse::{
    inventory::ledger::Ledger,
    logic::Truth,
    plugin::{Grants, Host, Limits, Question, Rows},
};

use super::{bound, made::Made, view};

const FLEET: &str = "agent a1 { gpus = 4 } agent a2 { gpus = 1 } agent a3 { os = \"linux\" }
    need n { agent { cpus = 1 } }";

#[test]
fn an_honest_plugin_is_installed_loaded_and_asked() {
    let host = Host::new(Limits::default()).expect("runs");
    let plugin = host.install("made.wasm", &Made::default().component(), &Grants::all()).expect("installs");
    assert_eq!(plugin.about().rules[0].label, "gpus");
    let loaded = bound(FLEET, &[plugin.about()]);
    let ledger = Ledger::new(&loaded.world);
    let mut filter = plugin.load(view(&loaded, &ledger)).expect("loads");
    let question =
        Question { subject: None, volume: None, rules: &[0], agents: Rows::All, pools: Rows::None };
    let answer = filter.evaluate(view(&loaded, &ledger), &question).expect("answers");
    assert_eq!(answer.shape(), (3, 1));
    assert_eq!([0, 1, 2].map(|agent| answer.truth(0, agent, 0)), [Truth::True; 3]);
    assert_eq!(answer.bits(0), Some((&[7][..], &[0][..])));
}
