//! From a fleet to what is ready to be asked: text to records, records to a bound fleet, and how many bytes are held.

use bourse::{
    Inventory, Live, Policy, Standing,
    check::Strictness,
    inventory::wire,
    pipeline::{Extra, Parsed},
    source::Sources,
};
use bourse_yardstick::{
    Columns, Row, Work,
    measure::{Timing, median, once},
};

use super::bourse_form as form;

/// Rows of one size. The yardstick's encodes structs into columns.
pub fn rows(agents: usize, pools: usize, budget: f64) -> Vec<Row> {
    let work = &Work::all()[0];
    let fleet = work.fleet(agents, pools);
    let row = |system: &str, timing: Timing, note: String| Row {
        work: "ingest".to_owned(),
        system: system.to_owned(),
        agents,
        pools,
        timing,
        agrees: None,
        note,
    };
    eprintln!("ingest {agents}x{pools}");
    let columns = Columns::new(&fleet, work.rules);
    let held = format!("{:.0} B held for each agent", columns.bytes_per_agent());
    let mut rows = vec![row("k", median(budget, || Columns::new(&fleet, work.rules)), held)];

    let text = form::ndjson(&fleet);
    let read = || Inventory::from_ndjson("fleet.ndjson", &text).expect("a fleet without mistakes");
    let note = format!("{} MiB of NDJSON", text.len() >> 20);
    rows.push(row("bourse: NDJSON → records", median(budget, read), note));

    let files = form::policies(work);
    let parsed = Parsed::new(files.iter().map(|(name, text)| (*name, text.as_bytes())));
    let (records, sources) = (form::records(&fleet), sources());
    let bind = || {
        let extra = Extra { inventories: vec![(&records, &sources)], ..Extra::default() };
        parsed.check(&extra, Strictness::default()).load(&extra).expect("a fleet without mistakes")
    };
    rows.push(row("bourse: records → bound fleet", median(budget, bind), String::new()));
    let compile =
        || Policy::compile(files.iter().map(|(name, text)| (*name, text.as_str()))).expect("compiles");
    let lines: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    rows.push(row("bourse: source → plan", median(budget, compile), format!("{lines} lines")));
    rows.extend(decisions(&compile(), &read(), budget).map(|(what, timing, note)| row(what, timing, note)));
    rows
}

/// What one decision about one agent takes once its need has been asked, and the bytes that are held for it.
fn decisions(
    policy: &Policy,
    inventory: &Inventory,
    budget: f64,
) -> impl Iterator<Item = (&'static str, Timing, String)> {
    let mut standing = Standing::new(Live::bind(policy, &[inventory]).expect("binds"));
    let need = standing.fleet().needs("f0.n").expect("a need")[0];
    let agents = standing.fleet().world().agents.len();
    let first = once(|| standing.answer(need, 10));
    let held = format!(
        "{:.0} B held for each agent beside the fleet",
        standing.bytes_of_agents() as f64 / agents as f64
    );
    let all = median(budget, || (0..agents).filter(|agent| standing.agent_holds(need, *agent)).count());
    let one = all.divided(agents as f64);
    let first = Timing { nanos: first.0, least: first.0, samples: 1 };
    [("bourse: one agent, one need", one, String::new()), ("bourse: first answer", first, held)].into_iter()
}

/// Sources of records that were not read from a text.
fn sources() -> Sources {
    let mut sources = Sources::default();
    let _ = wire::read_json(&mut sources, "structs", r#"{"format": "bourse.inventory", "version": 1}"#);
    sources
}
