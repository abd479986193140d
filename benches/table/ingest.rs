//! From a fleet to what is ready to be asked: text to records, records to a bound fleet, and how many bytes are held.

use bourse::{
    Inventory,
    check::Strictness,
    inventory::wire,
    pipeline::{Extra, Parsed},
    source::Sources,
};
use bourse_yardstick::{
    Columns, Row, Work,
    measure::{Timing, median},
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
        let extra = Extra { inventories: vec![(&records, &sources)], statements: None };
        parsed.check(&extra, Strictness::default()).load(&extra).expect("a fleet without mistakes")
    };
    rows.push(row("bourse: records → bound fleet", median(budget, bind), String::new()));
    rows
}

/// Sources of records that were not read from a text.
fn sources() -> Sources {
    let mut sources = Sources::default();
    let _ = wire::read_json(&mut sources, "structs", r#"{"format": "bourse.inventory", "version": 1}"#);
    sources
}
