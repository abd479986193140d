//! One question, asked of the native engine and of the plugin that the same policy compiles to: what each rule about agents
//! says of each agent.

use std::{fmt::Write as _, hint::black_box};

use bourse::{
    Fleet, Policy,
    emit::{self, KeyName, Manifest, Owners},
    engine::{Gap, Scene, columns::Terms},
    ir::{self, ColumnId, Plan},
    matching::{Matcher, NeedId},
    plugin::{Filter, FleetView, Question, TriedRows},
    symbol::Symbols,
    types::Side,
    value::Value,
};
use wasmtime::{Config, Engine, OptLevel};

use super::{
    host::{self, Cell, Fact, Numbering, Running, Snapshot, Table},
    measure::Took,
};

const RULES: &str = include_str!("rules.policy");

/// The policy with so many agents, each of which lacks a key or not.
pub fn fleet(agents: usize) -> Fleet {
    let mut files = vec![("rules.policy".to_owned(), RULES.to_owned())];
    for at in 0..agents {
        if at % 10_000 == 0 {
            files.push((format!("agents-{at}.policy"), String::new()));
        }
        let (_, text) = files.last_mut().expect("a file");
        let _ = write!(text, "agent a{at} {{ domain = \"{}/z{}\"", ["us", "eu", "ap"][at % 3], at % 20);
        let keys = [
            format!("gpus = {}", at % 9),
            format!("mem = {}MiB", 1 + at * 7_919 % 50_021),
            format!("os = \"linux-{}\"", at % 40),
            format!("kernel = v\"{}.{}\"", 3 + at % 4, at % 13),
            format!("ssd = {}", at % 5 == 0),
        ];
        for (number, key) in keys.iter().enumerate() {
            if (at + number) % 11 != 0 {
                let _ = write!(text, ", {key}");
            }
        }
        text.push_str(" }\n");
    }
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let policy = Policy::compile(files).expect("a policy");
    policy.fleet(&[]).expect("a fleet")
}

/// The plugin of a fleet's policy.
pub fn plugin(fleet: &Fleet) -> emit::BuiltPlugin {
    let owners = Owners::of(fleet.plan(), fleet.world());
    emit::plugin(fleet.plan(), &owners, "rules").expect("a plugin")
}

/// A fleet, as a filter is shown it.
pub fn view(fleet: &Fleet) -> FleetView<'_> {
    FleetView { plan: fleet.plan(), world: fleet.world(), ledger: fleet.ledger() }
}

/// The rules by their labels, with what they cost: native, and as a plugin.
pub fn ask(fleet: &Fleet, filter: &mut Filter) -> Vec<(String, Took, Took)> {
    let matcher = Matcher::new(fleet.moment(), NeedId { framework: 0, need: 0 });
    let scene = matcher.scene(None, None, None);
    let mut terms = Terms::new(Side::Agent, fleet.world().agents.len(), false);
    let rules: Vec<&ir::Rule> = fleet.plan().broker.requires.iter().collect();
    let labels = filter.plugin().about().rules.clone();
    let view = view(fleet);
    let mut costs = Vec::new();
    for number in 0..rules.len() {
        assert_eq!(labels[number].label, rules[number].label);
        let (native, plugin) = timed(&mut terms, &scene, &rules[number..=number], filter, view, number);
        costs.push((rules[number].label.clone(), native, plugin));
    }
    let (native, plugin) = timed(&mut terms, &scene, &rules, filter, view, 0);
    costs.push(("(all six)".to_owned(), native, plugin));
    costs
}

/// What rules from number `first` on cost, once both are seen to be of one opinion.
fn timed(
    terms: &mut Terms,
    scene: &Scene<'_>,
    rules: &[&ir::Rule],
    filter: &mut Filter,
    view: FleetView<'_>,
    first: usize,
) -> (Took, Took) {
    let subject = Some(scene.subject);
    let numbers: Vec<u32> = (first..first + rules.len()).map(|number| number as u32).collect();
    let question =
        Question { subject, volume: None, rules: &numbers, agents: TriedRows::All, pools: TriedRows::None };
    let answer = filter.evaluate(view, &question).expect("answers");
    for (plane, rule) in rules.iter().enumerate() {
        let native = terms.rows_where(scene, rule.root, true);
        let (holds, _) = answer.bits(plane).expect("a rule that is no preference");
        assert_eq!(native.bits.words(), holds, "rule `{}`", rule.label);
        assert!(native.bits.count() > 0 && native.bits.count() < native.bits.rows());
    }
    // What is asked anew is worked out anew; columns stay, as they do in the plugin's memory.
    let native = Took::of(60, || {
        terms.clear();
        for rule in rules {
            black_box(terms.rows_where(scene, rule.root, true));
        }
    });
    let plugin = Took::of(60, || filter.evaluate(view, &question).expect("answers"));
    (native, plugin)
}

/// The same question to the plugin alone: without fuel and deadlines, and with both.
pub fn metering(fleet: &Fleet, built: &emit::BuiltPlugin) -> (Took, Took) {
    let engine = |metered: bool| {
        let mut config = Config::new();
        config.consume_fuel(metered).epoch_interruption(metered);
        config.cranelift_opt_level(OptLevel::Speed).cranelift_nan_canonicalization(true);
        Engine::new(&config).expect("an engine")
    };
    let mut plain = Running::on(&engine(false), &built.bytes, |_| ());
    let mut metered = Running::on(&engine(true), &built.bytes, |store| {
        store.set_fuel(u64::MAX).expect("counts fuel");
        store.set_epoch_deadline(1 << 40);
    });
    let (snapshot, facts) = snapshot(fleet, &built.manifest);
    for running in [&mut plain, &mut metered] {
        running.load(&snapshot).expect("loads");
    }
    let rules = (0..fleet.plan().broker.requires.len() as u32).collect();
    let question = host::Question { facts, rules, agents: host::Rows::All, pools: host::Rows::None };
    assert_eq!(plain.evaluate(&question).holds, metered.evaluate(&question).holds);
    // In turn, so that what else the machine does meets both alike.
    Took::in_turn(200, || plain.evaluate(&question), || metered.evaluate(&question))
}

fn snapshot(fleet: &Fleet, manifest: &Manifest) -> (Snapshot, Vec<Fact>) {
    let plan = fleet.plan();
    let matcher = Matcher::new(fleet.moment(), NeedId { framework: 0, need: 0 });
    // Texts that no column holds have no numbers, as in a host.
    let mut symbols = Symbols::default();
    let mut own = |value: Value| match value {
        Value::Text(text) => Value::Text(symbols.intern(plan.symbols.text(text))),
        Value::Place(place) => Value::Place(symbols.intern(plan.symbols.text(place))),
        other => other,
    };
    let mut read: Vec<(u32, &emit::ManifestColumn, Vec<Cell>)> = Vec::new();
    let (mut columns, mut facts) = (Vec::new(), Vec::new());
    let rows = fleet.world().agents.len();
    for (number, column) in manifest.columns.iter().enumerate() {
        let (number, id) = (number as u32, column_of(plan, column));
        let tried = if column.side == Side::Agent { (0..rows).map(Some).collect() } else { vec![None] };
        let cell = |row| match matcher.scene(row, None, None).read(id) {
            Ok(value) => Cell::Value(own(value)),
            Err(Gap::Absent(_)) => Cell::Absent,
            Err(_) => Cell::Mismatch,
        };
        read.push((number, column, tried.into_iter().map(cell).collect()));
    }
    manifest.literals.iter().for_each(|text| {
        symbols.intern(text);
    });
    let mut numbering = Numbering::new(symbols);
    for (number, column, cells) in read {
        if column.side == Side::Agent {
            columns.push(numbering.column(number, column.kind, &cells));
        } else if let [Cell::Value(value)] = cells.as_slice() {
            facts.push(Fact { column: number, value: numbering.given(value) });
        }
    }
    let literal = |text: &String| numbering.symbols.find(text).expect("known").index() as u32;
    let literals = manifest.literals.iter().map(literal).collect();
    let version = |text: &String| bourse::value::Version::parse(text).expect("a version");
    let version_literals = manifest.versions.iter().map(|text| numbering.version(&version(text))).collect();
    let count = numbering.symbols.len();
    let symbols = numbering.table(count);
    let agents = Table { rows: rows as u32, columns };
    let pools = Table { rows: 0, columns: Vec::new() };
    let versions = numbering.ranks();
    (Snapshot { symbols, literals, versions, version_literals, agents, pools }, facts)
}

fn column_of(plan: &Plan, column: &emit::ManifestColumn) -> ColumnId {
    let key = match &column.key {
        KeyName::Attribute(key) => ir::Key::Attribute(plan.symbols.find(key).expect("known")),
        KeyName::Domain => ir::Key::Domain,
        other => panic!("a key that the policy does not read: {other:?}"),
    };
    plan.find_column(ir::Column { side: column.side, key }).expect("a column")
}
