//! The policies of the benchmarks mean what the benchmarks' judge means: on every work, over a small fleet, the plain
//! evaluator finds the same pairs with the same scores.

#[path = "../benches/table/bourse.rs"]
mod bourse_form;
#[path = "../benches/table/plain.rs"]
mod plain;

use bourse_yardstick::{Data, Fleet, K, Rules, System, Truth, Work, work::Act};

/// A fleet of few agents of which many are feasible: the first of the seeded one hardly meet the drawn needs.
fn small(work: &Work) -> Fleet {
    let mut fleet = work.fleet(900, 60);
    let eager = |agent: &&bourse_yardstick::Agent| agent.cpus.is_none_or(|cpus| cpus > 1);
    fleet.agents = fleet.agents.iter().filter(eager).take(200).cloned().collect();
    fleet
}

#[test]
fn the_policies_of_the_benchmarks_mean_what_the_judge_means() {
    let mut seen = Vec::new();
    for mut work in Work::all() {
        let cycle = work.act == Act::Cycle;
        if cycle || matches!(work.act, Act::Follow(_)) {
            // The needs are what is compared here.
            work.act = Act::Answer;
        }
        work.needs.truncate(6);
        let fleet = small(&work);
        let truth = Truth::new(&work, &fleet);
        let [mut plain, mut yardstick]: [Box<dyn System>; 2] =
            [Box::new(plain::Plain::default()), Box::new(K::default())];
        for system in [&mut plain, &mut yardstick] {
            system.prepare(&work, &fleet).expect("covered");
        }
        let mut pairs = 0;
        for need in 0..work.needs.len() {
            let digest = truth.digest(need).expect("asked");
            assert_eq!(plain.answer(need), digest.answer, "{}, need {need}", work.name);
            assert_eq!(yardstick.answer(need), digest.answer, "{}, need {need}", work.name);
            pairs += digest.answer.count;
        }
        seen.push((work.name, work.data, work.rules, pairs));
    }
    // That there was something to find, for every kind of fleet and rule.
    let found = |of: &dyn Fn(Data, Rules) -> bool| {
        seen.iter().any(|(_, data, rules, pairs)| of(*data, *rules) && *pairs > 3)
    };
    assert!(found(&|data, _| data == Data::Plain) && found(&|data, _| data == Data::Absent), "{seen:?}");
    assert!(
        found(&|_, rules| rules.net) && found(&|_, rules| rules.flat) && found(&|_, rules| rules.racks),
        "{seen:?}"
    );
}

/// The two forms in which Bourse is given the fleet say the same.
#[test]
fn records_and_text_of_the_fleet_say_the_same() {
    use bourse::{
        Inventory,
        check::Strictness,
        pipeline::{Extra, Parsed},
        source::Sources,
    };
    for work in Work::all().iter().filter(|work| work.needs.len() == 1) {
        let fleet = work.fleet(200, 40);
        let files = bourse_form::policies(work);
        let text = Inventory::from_ndjson("fleet.ndjson", &bourse_form::ndjson(&fleet)).expect("reads");
        let read = plain::bind(work, &text).expect("binds");
        let parsed = Parsed::new(files.iter().map(|(name, text)| (*name, text.as_bytes())));
        let records = bourse_form::records(&fleet);
        let mut sources = Sources::default();
        sources.add("structs", "");
        let extra = Extra { inventories: vec![(&records, &sources)], ..Extra::default() };
        let given = parsed.check(&extra, Strictness::default()).load(&extra).expect("binds");
        let (one, other) = (read.world(), &given.world);
        let symbols = |plan: &bourse::ir::Plan, symbol| plan.symbols.text(symbol).to_owned();
        assert_eq!(one.agents.len(), other.agents.len());
        for (a, b) in one.agents.iter().zip(&other.agents) {
            assert_eq!(symbols(read.plan(), a.name), symbols(&given.plan, b.name));
            assert_eq!(a.resources.list().len(), b.resources.list().len());
        }
        let usable = |world: &bourse::inventory::world::World| {
            let mut all: Vec<String> =
                world.stocks.iter().map(|stock| format!("{:?}", stock.usable)).collect();
            all.sort();
            all
        };
        assert_eq!(usable(one), usable(other), "{}", work.name);
        assert_eq!(one.supplies.len(), other.supplies.len());
    }
}
