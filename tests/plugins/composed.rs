//! A policy whose rules are run as a plugin gives what the policy gives: the same offers, reasons and explanations, byte for
//! byte, in every test of the suite and on generated policies and fleets.

use std::cell::Cell;

use bourse::{
    Fleet, Offers,
    cycle::{CycleRequest, Engine, Reasons},
    emit::{self, BuiltPlugin, ColumnKind, Manifest, ManifestColumn, ManifestRule, Owners},
    explain, ir,
    output::{self, Detail, View, offers_json},
    pipeline::Loaded,
    plugin::{About, AboutColumn, AboutRule, Grants, Host, Limits, Plugin},
    types::Side,
};

use crate::{engines, properties};

/// What the plugin is called, which stands before each of its rules' labels.
const NAME: &str = "the-plugin";

fn host() -> Host {
    Host::in_process(Limits::default()).expect("runs")
}

/// The rules of a set as a plugin; `None` where no plugin can hold them.
fn compiled(host: &Host, loaded: &Loaded) -> Option<Plugin> {
    let owners = Owners::of(&loaded.plan, &loaded.world);
    let BuiltPlugin { bytes, manifest } = emit::plugin(&loaded.plan, &owners, NAME).ok()?;
    let plugin = host.install(NAME, &bytes, &Grants::all()).unwrap_or_else(|fault| panic!("{fault}"));
    described(manifest, plugin.about());
    Some(plugin)
}

/// The host reads of a plugin what its builder wrote. The patterns name every field, so that one that is added to
/// either description is compared or left out on purpose.
fn described(manifest: Manifest, about: &About) {
    let Manifest {
        name,
        producer,
        columns,
        rules,
        conditions,
        expressions,
        literals,
        versions: version_literals,
        wants_texts,
        wants_places,
    } = manifest;
    let columns = columns.into_iter().map(|ManifestColumn { side, key, kind, required }| {
        let kind = match kind {
            ColumnKind::Of(kind) => Some(kind),
            ColumnKind::Mixed => None,
        };
        AboutColumn { side, key, kind, required }
    });
    let rules = rules.into_iter().map(|rule| {
        let ManifestRule { label, labelled, purpose, scope, sides, whole, conditions } = rule;
        let sides = Side::ALL.into_iter().filter(|side| sides.has(*side)).collect();
        AboutRule { label, labelled, purpose, scope, sides, whole, conditions }
    });
    let written = About {
        name,
        producer,
        columns: columns.collect(),
        rules: rules.collect(),
        conditions,
        expressions,
        literals,
        version_literals,
        wants_texts,
        wants_places,
        explains: true,
    };
    assert_eq!(&written, about);
}

/// The set without its rules, which the plugin has instead; and the set with its rules called as the plugin's are.
fn without_and_with_rules(loaded: &Loaded) -> (Loaded, Loaded) {
    let (mut without, mut with) = (loaded.clone(), loaded.clone());
    without.plan.clear_rules();
    let ir::Plan { broker, agent_rules, tier_rules, .. } = &mut with.plan;
    let rules = broker.requires.iter_mut().chain(&mut broker.prefers);
    for rule in rules.chain(agent_rules.iter_mut().chain(tier_rules).flatten()) {
        rule.label = format!("{NAME}/{}", rule.label);
    }
    (without, with)
}

fn run(fleet: &Fleet, like: &Offers, engine: Engine) -> Offers {
    let needs = Some(like.cycle().needs.iter().map(|need| need.id).collect());
    fleet.cycle(CycleRequest { needs, reasons: Reasons::All, engine, ..CycleRequest::default() })
}

/// Explanations of every need, as JSON: why it got what it got, what would help, and what each offer rests on. Where a rule
/// stands, and what is written over it, only its own source says.
fn explained(offers: &Offers) -> String {
    let mut told = Vec::new();
    for need in &offers.cycle().needs {
        let own = offers.cycle().grants.iter().enumerate().filter(|(_, grant)| grant.id == need.id);
        let own = own.map(|(at, _)| explain::offer(offers, at)).collect();
        told.push(output::Explained::Need(Box::new(explain::need(offers, need.id)), own));
    }
    let mut json = serde_json::to_value(output::explanation(&told, View::Operator)).expect("writes");
    without_docs(&mut json);
    let place = regex::Regex::new(r"([\w.-]+\.policy|std\.\w+|the-plugin):\d+").expect("is one");
    place.replace_all(&format!("{json:#}"), "(place)").into_owned()
}

fn without_docs(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(fields) => {
            fields.remove("docs");
            fields.values_mut().for_each(without_docs);
        }
        serde_json::Value::Array(parts) => parts.iter_mut().for_each(without_docs),
        _ => {}
    }
}

#[track_caller]
fn same(what: &str, native: &str, plugin: &str) {
    if native != plugin {
        let at = native.lines().zip(plugin.lines()).take_while(|(native, plugin)| native == plugin).count();
        let shown =
            |text: &str| text.lines().skip(at.saturating_sub(12)).take(24).collect::<Vec<_>>().join("\n");
        panic!("{what} differ in line {at}:\n{}\n--- the plugin:\n{}", shown(native), shown(plugin));
    }
}

/// Holds the plugin of a set against the set; gives whether there is one with rules.
fn judge(offers: &Offers) -> bool {
    let fleet = offers.fleet();
    let Some(plugin) = compiled(&host(), fleet.loaded()) else { return false };
    let rules = plugin.about().rules.len();
    let (without, with) = without_and_with_rules(fleet.loaded());
    let composed = Fleet::with_plugins(without, &[plugin]);
    let native = run(&Fleet::with_plugins(with, &[]), offers, Engine::Indexed);
    let json = |offers: &Offers| offers_json(offers, View::Operator, Detail::All);
    let [asked, plainly] = [Engine::Indexed, Engine::Plain].map(|engine| run(&composed, offers, engine));
    assert_eq!(composed.faults(), [], "it keeps the rules");
    same("offers", &json(&native), &json(&asked));
    same("offers found plainly", &json(&native), &json(&plainly));
    same("explanations", &explained(&native), &explained(&asked));
    rules > 0
}

#[test]
fn every_test_of_the_suite_gives_the_same() {
    let judged = Cell::new(0);
    engines::every_test_of_the_suite(&|offers| judged.set(judged.get() + usize::from(judge(offers))));
    assert!(judged.get() > 60, "only {} sets had rules", judged.get());
}

#[test]
fn generated_sets_give_the_same() {
    let mut judged = 0;
    for seed in 0..properties::SEEDS / 4 {
        judged += usize::from(judge(&properties::cycle(&properties::fleet(&properties::declarations(seed)))));
    }
    // The last ones have more agents than a word has bits.
    for (seed, agents) in (0..20).map(|seed| (seed, 14 + seed % 9)).chain([(20, 150), (21, 150), (22, 150)]) {
        judged += usize::from(judge(&properties::fleet(&[engines::set(seed, agents)]).offers()));
    }
    assert!(judged > 24, "only {judged} sets had rules");
}
