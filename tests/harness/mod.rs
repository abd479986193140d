//! A whole run over texts: policies and inventories in, every problem out. Fuzzing includes this file by its path, so
//! it uses the library alone.

use bourse::{
    analyse::analyse,
    check::Strictness,
    cycle,
    diagnostic::{Code, Diagnostic, Report},
    format,
    inventory::{records::Records, wire},
    limits, parse,
    pipeline::{Extra, Loaded, Parsed},
    source::Sources,
};

/// What a run gave.
pub struct Run {
    /// The reports of the inventories, then that of the policy set with them.
    pub reports: Vec<Report>,
    /// What can be asked for offers; `None` where something is wrong.
    pub loaded: Option<Loaded>,
    /// What the analysis says of it, in the sources of the last report.
    pub analysis: Vec<Diagnostic>,
}

/// Reads inventories and a policy set, and binds them.
pub fn load(policies: &[(&str, &[u8])], inventories: &[(&str, &[u8])]) -> Run {
    let mut reports = Vec::new();
    let mut read: Vec<(Records, Sources)> = Vec::new();
    for (name, bytes) in inventories {
        let mut sources = Sources::default();
        let (records, diagnostics) = wire::read(&mut sources, name, bytes);
        let mut report = Report { sources: sources.clone(), diagnostics };
        report.sort();
        reports.push(report);
        read.push((records, sources));
    }
    if reports.iter().any(Report::has_errors) {
        return Run { reports, loaded: None, analysis: Vec::new() };
    }
    let parsed = Parsed::new(policies.iter().copied());
    let inventories = read.iter().map(|(records, sources)| (records, sources)).collect();
    let extra = Extra { inventories, ..Extra::default() };
    match parsed.check(&extra, Strictness::default()).load(&extra) {
        Ok(loaded) => {
            reports.push(loaded.report.clone());
            let analysis = analyse(&parsed, &loaded);
            Run { reports, loaded: Some(loaded), analysis }
        }
        Err(report) => {
            reports.push(*report);
            Run { reports, loaded: None, analysis: Vec::new() }
        }
    }
}

/// Instances times what each could be tried on: more than this takes longer than one case may.
const WORK: u64 = 20_000;

/// Reads a text as a policy. Nothing may panic, whatever the text.
#[allow(dead_code, reason = "each of the programs that include this file uses one of the two")]
pub fn parse(data: &[u8]) {
    let run = load(&[("fuzz.policy", data)], &[]);
    for report in &run.reports {
        assert!(report.diagnostics.len() <= 4 * limits::PROBLEMS_PER_SOURCE, "problems are bounded");
    }
    if let Some(once) = canonical(data) {
        assert_eq!(canonical(once.as_bytes()), Some(once), "the form of the form is itself");
    }
}

/// The canonical form of a policy that can be read. It means the same, or there is none.
fn canonical(data: &[u8]) -> Option<String> {
    let mut sources = Sources::default();
    let (source, problems) = parse::decode(&mut sources, "fuzz.policy", data);
    let read = parse::parse(&sources, source);
    if !problems.is_empty() || !read.diagnostics.is_empty() {
        return None;
    }
    match format::format(&sources.get(source).text, &read.ast) {
        Ok(text) => Some(text),
        Err(problem) => {
            assert_ne!(problem.code, Code::B0906, "every policy has a form that means the same");
            None
        }
    }
}

/// A whole run: the text before the first byte 0 is the policy, what follows an inventory. An inventory that begins
/// with a line for the header is NDJSON.
#[allow(dead_code, reason = "each of the programs that include this file uses one of the two")]
pub fn offers(data: &[u8]) {
    let (policy, inventory) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], Some(&data[at + 1..])),
        None => (data, None),
    };
    let name = match inventory {
        Some(text) if text.windows(9).any(|part| part == b"\"record\":") => "fuzz.ndjson",
        _ => "fuzz.json",
    };
    let inventories: Vec<(&str, &[u8])> = inventory.into_iter().map(|text| (name, text)).collect();
    let run = load(&[("fuzz.policy", policy)], &inventories);
    let Some(loaded) = run.loaded else { return };
    if work(&loaded) > WORK {
        return;
    }
    let first = cycle::run(&loaded.plan, &loaded.world, cycle::CycleRequest::default());
    let again = cycle::run(&loaded.plan, &loaded.world, cycle::CycleRequest::default());
    let grants = |cycle: &cycle::Cycle| {
        cycle.grants.iter().map(|grant| (grant.id, grant.candidate.clone())).collect::<Vec<_>>()
    };
    assert_eq!(
        format!("{:?}", grants(&first)),
        format!("{:?}", grants(&again)),
        "a cycle is a pure function"
    );
    for need in &first.needs {
        let wanted = loaded.plan.frameworks[need.id.framework].needs[need.id.need].count;
        assert!(need.offered <= wanted, "no need is offered more than it asks for");
    }
}

/// How much a cycle may have to try.
fn work(loaded: &Loaded) -> u64 {
    let needs = loaded.plan.frameworks.iter().flat_map(|framework| &framework.needs);
    let agents = loaded.world.agents.len() as u64 + 1;
    let supplies = loaded.world.supplies.len() as u64 + 1;
    let tries = needs.map(|need| {
        let assignments = supplies.saturating_pow(need.volumes.len().min(64) as u32);
        need.count.saturating_mul(agents).saturating_mul(assignments)
    });
    tries.fold(0, u64::saturating_add)
}
