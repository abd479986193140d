//! Compiled policies in the host, as any other plugin: within the default limits, and with the policy's own verdicts.

use std::{fs, path::Path};

use bourse::{
    emit::{self, Owners},
    engine::Subject,
    inventory::ledger::Ledger,
    pipeline::{Extra, Loaded, Parsed},
    plugin::{CandidateQuestion, Grants, Host, Limits, Question, TriedRows},
};

use super::{languages, view};

fn compiled(loaded: &Loaded, name: &str) -> Option<Vec<u8>> {
    emit::plugin(&loaded.plan, &Owners::of(&loaded.plan, &loaded.world), name).ok().map(|plugin| plugin.bytes)
}

#[test]
fn the_sample_compiled_says_what_the_sample_says() {
    let loaded = languages::fleet();
    let bytes = compiled(&loaded, "sample").expect("compiles");
    languages::as_the_policy("sample.wasm", &bytes, Limits::default());
}

/// Every rule is asked about every row, and every condition explained for one, without a fault.
fn is_sound(name: &str, loaded: &Loaded) -> usize {
    let Some(bytes) = compiled(loaded, name) else { return 0 };
    let host = Host::in_process(Limits::default()).expect("runs");
    let plugin = host.install(name, &bytes, &Grants::all()).unwrap_or_else(|fault| panic!("{fault}"));
    let ledger = Ledger::new(&loaded.world);
    let view = view(loaded, &ledger);
    let mut filter = plugin.load(view).unwrap_or_else(|fault| panic!("{fault}"));
    let framework = loaded.plan.frameworks.first();
    let need = framework.and_then(|framework| framework.needs.first());
    let subject = framework.zip(need).map(|(framework, need)| Subject { framework, need });
    let volume = need.and_then(|need| need.volumes.first());
    for (agents, pools) in [(true, false), (false, true), (true, true), (false, false)] {
        let rules = plugin.about().rules_of(agents, pools);
        let rows = |tried| if tried { TriedRows::All } else { TriedRows::None };
        let question = Question { subject, volume, rules: &rules, agents: rows(agents), pools: rows(pools) };
        filter.evaluate(view, &question).unwrap_or_else(|fault| panic!("{fault}"));
    }
    let conditions: Vec<u32> = (0..plugin.about().conditions.len() as u32).collect();
    let agent = (!loaded.world.agents.is_empty()).then_some(0);
    let pool = (!filter.pools().is_empty()).then(|| filter.pools()[0]);
    let candidate = CandidateQuestion { subject, volume, conditions: &conditions, agent, pool };
    let told = filter.explain(view, &candidate).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(told.map(|told| told.len()), Some(conditions.len()), "{name} explains each condition");
    plugin.about().rules.len()
}

#[test]
fn compiled_policies_keep_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("tests/cases")];
    found.extend(
        fs::read_dir(root.join("policies")).expect("policies").map(|entry| entry.expect("entry").path()),
    );
    let (mut sets, mut rules) = (0, 0);
    for folder in found.iter().filter(|path| path.is_dir()) {
        let mut files: Vec<_> =
            fs::read_dir(folder).expect("reads").map(|entry| entry.expect("entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "policy"));
        files.sort();
        for path in files {
            let bytes = fs::read(&path).expect("reads");
            let name = path.file_name().expect("named").to_string_lossy().into_owned();
            let extra = Extra::default();
            let parsed = Parsed::new([(name.as_str(), bytes.as_slice())]);
            let Ok(loaded) = parsed.check(&extra, Default::default()).load(&extra) else { continue };
            sets += 1;
            rules += is_sound(&name, &loaded);
        }
    }
    assert!(sets > 20 && rules > 30, "{sets} sets, {rules} rules");
}
