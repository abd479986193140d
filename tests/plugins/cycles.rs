//! What a plugin may take of a whole cycle, and what it learns of changes.

use std::fmt::Write as _;

use bourse::{
    Fleet, Live, Policy, Standing, change,
    cycle::{CycleRequest, Engine, Reasons},
    explain,
    inventory::ledger::Ledger,
    matching::NeedId,
    pipeline::Loaded,
    plugin::{Broken, Changed, Grants, Host, Limits, Plugin, about::KeyName},
    types::Side,
};

use super::{
    bound,
    made::{ANSWER, Column, Condition, Made, Rule, answer, honest},
    view,
};

/// A plugin whose rule reads a key of the need besides, so that each need is asked for anew.
fn of_needs(evaluate: String) -> Made {
    let mut made = Made { evaluate, ..Made::default() };
    let told = &mut made.description;
    told.columns.push(Column { side: 3, key: (0, "size".to_owned()), kind: 1, required: false });
    told.rules = vec![Rule { sides: 1 | 8, ..told.rules[0].clone() }];
    told.conditions = vec![Condition { reads: vec![0, 1], ..told.conditions[0].clone() }];
    made
}

/// Many instructions, and then an honest answer.
fn slow(turns: u32) -> String {
    let honest = honest();
    let (locals, body) = honest.split_at(honest.find("(local.set $rows").expect("is there"));
    format!(
        "{locals} (local $turn i32)
         (loop $on (br_if $on (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const {turns}))))
         {body}"
    )
}

fn install(limits: Limits, made: &Made) -> Plugin {
    let host = Host::in_process(limits).expect("runs");
    host.install("made.wasm", &made.component(), &Grants::all()).expect("installs")
}

fn fleet_text(needs: usize) -> String {
    let mut text = String::from(
        "agent a1 { gpus = 4, resources { cpus = 1000 } }\nagent a2 { gpus = 1, resources { cpus = 1000 } }\n",
    );
    for at in 0..needs {
        writeln!(text, "need n{at} {{ size = {at}, agent {{ cpus = 1 }} }}").expect("writes");
    }
    text
}

fn fleet(needs: usize, plugin: &Plugin) -> Fleet {
    let text = fleet_text(needs);
    let policy = Policy::compile([("site.policy", text.as_str())]).expect("compiles");
    policy.fleet_with(&[], std::slice::from_ref(plugin)).expect("binds")
}

#[track_caller]
fn fails(fleet: &Fleet, broken: Broken, said: &str) {
    let faults = fleet.faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!((faults[0].broken, faults[0].code().name()), (broken, "B0808"), "{}", faults[0]);
    assert!(faults[0].message.contains(said), "{}", faults[0]);
}

#[test]
fn a_cycle_has_a_budget_of_instructions() {
    // A call stays far within what one call may run; sixty of them do not within what a cycle may.
    let limits = Limits { cycle_fuel: 100_000_000, cycle_fuel_per_row: 0, ..Limits::default() };
    let plugin = install(limits.clone(), &of_needs(slow(1_000_000)));
    let asked = fleet(60, &plugin);
    assert!(asked.offers().cycle().grants.is_empty(), "it has failed for all of the cycle");
    fails(&asked, Broken::CycleFuel, "100000000 instructions in one cycle");
    // Ten do, every time: what one cycle took is not the next one's.
    let asked = fleet(5, &plugin);
    for _ in 0..5 {
        assert_eq!((asked.offers().cycle().grants.len(), asked.faults()), (5, Vec::new()));
    }
    // A call ends where the cycle's budget does, however much it may run by itself.
    let endless = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    let asked = fleet(1, &install(Limits { cycle_fuel: 1_000_000, ..limits.clone() }, &endless));
    asked.offers();
    fails(&asked, Broken::CycleFuel, "1000000 instructions");
    // One explanation, and one list of matches, is bounded as a cycle is.
    let tight = install(Limits { cycle_fuel: 1_000_000, ..limits }, &of_needs(slow(1_000_000)));
    let id = NeedId { framework: 0, need: 0 };
    for ask in [
        |fleet: &Fleet, id| drop(fleet.matches(id)),
        |fleet: &Fleet, id| drop(explain::need_alone(fleet, id)),
        |fleet: &Fleet, id| drop(explain::candidate(fleet, None, id, Some(0), None)),
    ] {
        let asked = fleet(1, &tight);
        ask(&asked, id);
        fails(&asked, Broken::CycleFuel, "1000000 instructions");
    }
}

#[test]
fn a_cycle_has_a_budget_of_questions() {
    let limits = Limits { cycle_questions: 20, ..Limits::default() };
    let plugin = install(limits, &of_needs(honest()));
    let asked = fleet(60, &plugin);
    assert!(asked.offers().cycle().grants.is_empty());
    fails(&asked, Broken::CycleQuestions, "asked 20 times in one cycle");
    // An honest plugin is far from what is allowed by default.
    let plugin = install(Limits::default(), &of_needs(honest()));
    let asked = fleet(60, &plugin);
    assert_eq!((asked.offers().cycle().grants.len(), asked.faults()), (60, Vec::new()));
}

/// Instructions that take longer count for more: a load may wait for memory that is in no cache, and the next one for it.
#[test]
fn what_takes_long_counts_for_more() {
    let chain =
        |one: &str, first: &str| format!("{}{first}{}", format!("({one} ").repeat(100), ")".repeat(100));
    let honest = honest();
    let (locals, body) = honest.split_at(honest.find("(local.set $rows").expect("is there"));
    let limits = Limits { fuel: 1_000_000, fuel_per_row: 0, ..Limits::default() };
    let asked = |of: &str, first: &str, one: &str| {
        let evaluate = format!(
            "{locals} (local $value {of}) (local $turn i32)
             (loop $on (local.set $value {})
               (br_if $on (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 2000))))
             {body}",
            chain(one, first)
        );
        let fleet = fleet(1, &install(limits.clone(), &of_needs(evaluate)));
        fleet.offers();
        fleet.faults().first().map(|fault| fault.broken)
    };
    assert_eq!(asked("i32", "(local.get $value)", "i32.eqz"), None);
    assert_eq!(asked("i32", "(i32.const 64)", "i32.load8_u"), Some(Broken::Fuel));
    assert_eq!(asked("i32", "(i32.const 64)", "i32.load offset=128"), Some(Broken::Fuel));
    assert_eq!(asked("f64", "(f64.const 2)", "f64.sqrt"), Some(Broken::Fuel));
    assert_eq!(asked("i64", "(i64.const 1)", "i64.div_u (i64.const 1)"), Some(Broken::Fuel));
}

/// Values that the host sends to a plugin, and rows that it compares for changes, use up the plugin's instructions.
#[test]
fn what_the_host_does_for_a_plugin_counts() {
    let mut text: String =
        (0..640).map(|at| format!("agent a{at} {{ gpus = 1, resources {{ cpus = 1 }} }}\n")).collect();
    text.push_str("need n { agent { cpus = 1 } }");
    let policy = Policy::compile([("site.policy", text.as_str())]).expect("compiles");
    let mut made = Made::default();
    let cycle = |made: &Made| {
        let limits = Limits { cycle_fuel: 6_000, cycle_fuel_per_row: 0, ..Limits::default() };
        let fleet = policy.fleet_with(&[], &[install(limits, made)]).expect("binds");
        fleet.cycle(CycleRequest { reasons: Reasons::None, ..CycleRequest::default() });
        fleet
    };
    assert_eq!(cycle(&made).faults(), []);
    let free = Column { side: 0, key: (5, "cpus".to_owned()), kind: 1, required: false };
    made.description.columns.push(free);
    fails(&cycle(&made), Broken::CycleFuel, "6000 instructions");
}

/// Rows that are alike in what a plugin sees are one question, whatever they have besides: how often it is asked tells it nothing.
#[test]
fn rows_that_differ_in_others_keys_are_one_question() {
    let mut text: String = (0..9)
        .map(|at| format!("agent a{at} {{ gpus = 4, os = \"x{at}\", resources {{ cpus = 1 }} }}\n"))
        .collect();
    text.push_str("need n { count = 9, agent { cpus = 1 } }");
    let policy = Policy::compile([("site.policy", text.as_str())]).expect("compiles");
    let mut made = Made::default();
    made.description.columns.push(Column { side: 0, key: (0, "os".to_owned()), kind: 5, required: false });
    made.description.conditions[0].reads = vec![0, 1];
    let host = Host::in_process(Limits { cycle_questions: 4, ..Limits::default() }).expect("runs");
    let gpus = Grants::none().key(Side::Agent, KeyName::Attribute("gpus".to_owned()));
    for (grants, faults) in [(&gpus, 0), (&Grants::all(), 1)] {
        let plugin = host.install("made.wasm", &made.component(), grants).expect("installs");
        let fleet = policy.fleet_with(&[], &[plugin]).expect("binds");
        fleet.cycle(CycleRequest {
            engine: Engine::Plain,
            reasons: Reasons::None,
            ..CycleRequest::default()
        });
        assert_eq!(fleet.faults().len(), faults, "{grants:?}: {:?}", fleet.faults());
    }
}

/// A plugin of which every call but so many first ones never ends.
fn tires(calls: u32) -> Made {
    let honest = honest();
    let (locals, body) = honest.split_at(honest.find("(local.set $rows").expect("is there"));
    of_needs(format!(
        "{locals} (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
         (if (i32.gt_u (global.get $calls) (i32.const {calls})) (then (loop $on (br $on)))) {body}"
    ))
}

fn standing(needs: usize, plugin: &Plugin) -> Standing {
    let text = fleet_text(needs);
    let policy = Policy::compile([("site.policy", text.as_str())]).expect("compiles");
    Standing::new(Live::bind_with(&policy, &[], std::slice::from_ref(plugin)).expect("binds"))
}

/// Every way in which a need that stands is asked about.
const ASKED: [fn(&mut Standing, NeedId) -> usize; 4] = [
    |standing, need| standing.answer(need, 9).map_or(0, |answer| answer.pairs as usize),
    |standing, need| {
        let mut pairs = 0;
        standing.pairs(need, |_, agents| pairs += agents.len());
        pairs
    },
    |standing, need| usize::from(standing.best(need).is_some()),
    |standing, need| usize::from(standing.agent_holds(need, 0)),
];

#[test]
fn an_answer_that_stands_has_the_budget_of_a_cycle() {
    let limits = Limits { cycle_fuel: 1_000_000, cycle_fuel_per_row: 0, ..Limits::default() };
    let plugin = install(limits, &of_needs(slow(1_000_000)));
    let id = NeedId { framework: 0, need: 0 };
    for (at, ask) in ASKED.into_iter().enumerate() {
        let mut asked = standing(1, &plugin);
        assert_eq!(ask(&mut asked, id), 0, "{at}");
        fails(asked.fleet(), Broken::CycleFuel, "1000000 instructions");
    }
}

/// Answers that rest on a plugin are dropped once it has failed, in a cycle or in the answer to another need.
#[test]
fn answers_that_stand_do_not_outlive_the_plugin() {
    let plugin = install(Limits::default(), &tires(4));
    let needs = 20;
    let id = |need| NeedId { framework: need, need: 0 };
    for (at, ask) in ASKED.into_iter().enumerate() {
        let mut asked = standing(needs, &plugin);
        assert!(ask(&mut asked, id(0)) > 0, "{at}");
        let offers = asked.fleet().offers();
        fails(asked.fleet(), Broken::Fuel, "");
        assert!(offers.cycle().grants.is_empty());
        assert_eq!(ask(&mut asked, id(0)), 0, "{at}: in a cycle");
        let mut asked = standing(needs, &plugin);
        let found: Vec<usize> = (0..needs).map(|need| ask(&mut asked, id(need))).collect();
        assert!(found[0] > 0 && found[needs - 1] == 0, "{at}: {found:?}");
        assert_eq!(ask(&mut asked, id(0)), 0, "{at}: to another need");
    }
}

/// The search for the causes of a change asks plugins again, within a budget of its own.
#[test]
fn the_reasons_of_a_change_have_a_budget() {
    let mut text: String =
        (0..30).map(|at| format!("agent a{at} {{ gpus = {at}, resources {{ cpus = 1 }} }}\n")).collect();
    text.push_str("need n { count = 30, agent { cpus = 1 } }");
    let policy = Policy::compile([("site.policy", text.as_str())]).expect("compiles");
    let before = policy.fleet(&[]).expect("binds").offers();
    let none = answer([(ANSWER + 64, 1), (ANSWER + 64, 1), (0, 0)]);
    let limits = Limits { cycle_questions: 10, ..Limits::default() };
    let plugin = install(limits, &Made { evaluate: none, ..Made::default() });
    let fleet = policy.fleet_with(&[], &[plugin]).expect("binds");
    let after = fleet.cycle(CycleRequest { reasons: Reasons::None, ..CycleRequest::default() });
    assert_eq!((after.cycle().grants.len(), fleet.faults()), (0, Vec::new()));
    change::compare(&before, &after);
    fails(&fleet, Broken::CycleQuestions, "asked 10 times");
}

const FLEET: &str =
    "agent a1 { gpus = 4, os = \"x\" } agent a2 { gpus = 4, os = \"y\" } agent a3 { gpus = 1, os = \"x\" }
    need n { agent { cpus = 1 } }";

/// Told of changes of so many rows, it fails unless it is of this many.
fn counts_rows(rows: u32) -> Made {
    let mut made = Made {
        update: format!(
            "(if (i32.ne (i32.load offset=52 (local.get 0)) (i32.const {rows})) (then unreachable))
             (i32.store8 (i32.const 32) (i32.const 0)) i32.const 32"
        ),
        ..Made::default()
    };
    made.description.columns.push(Column { side: 0, key: (0, "os".to_owned()), kind: 5, required: false });
    made
}

/// Tells of changes of all rows, of which so many have changed in what is seen; none: the plugin is not called at all.
#[track_caller]
fn told(grants: &Grants, rows: u32, change: impl Fn(&mut Loaded)) {
    let tell = |expected: u32| {
        let host = Host::in_process(Limits::default()).expect("runs");
        let plugin = host.install("made.wasm", &counts_rows(expected).component(), grants).expect("installs");
        let before = bound(FLEET, &[plugin.about()]);
        let mut after = before.clone();
        change(&mut after);
        let ledger = Ledger::new(&before.world);
        let mut filter = plugin.load(view(&before, &ledger)).expect("loads");
        let changed = Changed { agents: &[0, 1, 2], ..Changed::default() };
        filter.update(view(&after, &ledger), changed)?;
        // What it was told once is no news.
        filter.update(view(&after, &ledger), changed)
    };
    tell(rows).unwrap_or_else(|fault| panic!("{rows}: {fault}"));
    let another = tell(99).map_err(|fault| fault.broken);
    assert_eq!(another, if rows == 0 { Ok(()) } else { Err(Broken::NoTrap) });
}

#[test]
fn rows_in_which_only_others_keys_changed_are_not_told() {
    let gpus = Grants::none().key(Side::Agent, KeyName::Attribute("gpus".to_owned()));
    let agents = |fleet: &Loaded| fleet.world.agents.clone();
    // The first gets the keys of the second, which differ in `os` alone; the third those of the first, with other `gpus`.
    let os = |fleet: &mut Loaded| fleet.world.agents[0].cells = agents(fleet)[1].cells.clone();
    let both = |fleet: &mut Loaded| {
        fleet.world.agents[2].cells = agents(fleet)[0].cells.clone();
        os(fleet);
    };
    told(&gpus, 0, os);
    told(&Grants::all(), 1, os);
    told(&gpus, 1, both);
    told(&Grants::all(), 2, both);
    told(&gpus, 0, |_| {});
}
