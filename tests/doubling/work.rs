//! What is done with an input, as the commands do it. Reading comes before what is counted, but where it is what is counted.

use std::hint::black_box;

use bourse::{
    Delta, Fleet, Inventory, Live, Offers, Policy,
    analyse::analyse,
    change,
    check::Strictness,
    compiled::{self, Compiled},
    cycle,
    diagnostic::{Render, Report},
    doc, emit, explain, format,
    import::csv::{self, CsvImport},
    output::{self, Detail, Explained, SeenNeed, View},
    parse,
    pipeline::{Extra, Parsed},
    plugin::Beside,
    source::Sources,
    state::{self, Operations, State},
    testing::{self, tests_json},
};

use crate::Case;

/// Texts that are given to the product.
#[derive(Clone, Default)]
pub struct Input {
    /// Files of a policy set.
    pub policies: Vec<(String, String)>,
    /// Inventories, as JSON.
    pub inventories: Vec<String>,
    /// A state, as JSON.
    pub state: Option<String>,
    /// Operations on it, as JSON.
    pub operations: String,
    /// A table, and how it is imported.
    pub table: Option<(String, CsvImport)>,
}

/// What is done with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Reads, compiles and binds.
    Load,
    /// Reads, and tells everything that is wrong; there must be something.
    Refuse,
    /// The other half of `check`: the analysis, and what is wrong with the tests.
    Analyse,
    /// A cycle, and its offers as JSON with every reason.
    Offers,
    /// The views of all frameworks, one by one, with explanations.
    Views,
    /// Explains the first need.
    Explain,
    /// Every candidate of the first need.
    Match,
    /// The page of the set.
    Doc,
    /// The offers with the inventories against those without the last of them.
    Diff,
    /// The canonical text of every file.
    Format,
    /// Runs the tests.
    Test,
    /// Runs the tests, of which the first has a snapshot of which every line is another now.
    Snapshot,
    /// Operations on a state.
    Apply,
    /// A table as an inventory.
    Import,
    /// The set as a plugin.
    Build,
    /// The set as a compiled policy, written and read.
    Keep,
    /// What there is, what is used of it, and shares.
    Stock,
    /// The last inventory as a change of a fleet that is kept.
    Change,
}

/// Work that is ready to be done.
pub type Work = Box<dyn FnOnce()>;

/// The cases of an input: one for each task.
pub fn cases(name: &str, size: usize, input: fn(usize) -> Input, tasks: &[Task]) -> Vec<Case> {
    let case = |task: &Task| {
        let task = *task;
        Case {
            name: format!("{name}/{}", format!("{task:?}").to_lowercase()),
            size,
            prepare: Box::new(move |size| task.prepare(input(size))),
            excuse: None,
        }
    };
    tasks.iter().map(case).collect()
}

/// These cases, of which the one with a task may grow faster than its input, and why.
pub fn growing(mut cases: Vec<Case>, task: Task, excuse: &'static str) -> Vec<Case> {
    let name = format!("/{}", format!("{task:?}").to_lowercase());
    let case = cases.iter_mut().find(|case| case.name.ends_with(&name)).expect("a case with this task");
    case.excuse = Some(excuse);
    cases
}

fn parsed(input: &Input) -> Parsed {
    Parsed::new(input.policies.iter().map(|(name, text)| (name.as_str(), text.as_bytes())))
}

fn inventories(input: &Input) -> Vec<Inventory> {
    let texts = input.inventories.iter().chain(&input.state);
    texts
        .map(|text| Inventory::from_json("fleet.json", text).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

fn fleet(input: &Input) -> Fleet {
    let fleet = Fleet::load(&parsed(input), Strictness::default(), &inventories(input));
    fleet.unwrap_or_else(|error| panic!("{error}"))
}

fn first_need(fleet: &Fleet) -> bourse::matching::NeedId {
    cycle::every_need(fleet.plan()).next().expect("a need")
}

/// As every command writes them on a terminal.
fn rendered(mut report: Report) -> String {
    report.limit(bourse::limits::PROBLEMS_SHOWN);
    report.render(Render::Human(false))
}

/// The problems of the first inventories that have any, or else of the set with them.
fn problems(input: &Input) -> Report {
    let mut read = Vec::new();
    for text in &input.inventories {
        match Inventory::from_json("fleet.json", text) {
            Ok(inventory) => read.push(inventory),
            Err(error) => return error.report().clone(),
        }
    }
    let extra = Inventory::extra(&read);
    match parsed(input).check(&extra, Strictness::default()).load(&extra) {
        Ok(loaded) => loaded.report,
        Err(report) => *report,
    }
}

fn explained(offers: &Offers) {
    let id = first_need(offers.fleet());
    let told = explain::need(offers, id);
    black_box(explain::need_text(&told, explain::DetailLevel { all: true }));
    let form = output::explanation(&[Explained::Need(Box::new(told), Vec::new())], View::Operator);
    black_box(serde_json::to_string(&form).expect("a document"));
}

fn formatted(input: &Input) {
    for (name, text) in &input.policies {
        let mut sources = Sources::default();
        let (source, _) = parse::decode(&mut sources, name, text.as_bytes());
        let read = parse::parse(&sources, source);
        black_box(format::format(&sources.get(source).text, &read.ast).expect("a file without mistakes"));
    }
}

fn viewed(offers: &Offers) {
    let fleet = offers.fleet();
    let views = View::each(fleet).map(|view| output::document(offers, view, Detail::All));
    let mut out = Vec::new();
    output::write_views(&views.collect::<Vec<_>>(), &mut out).expect("documents");
    let id = first_need(fleet);
    let seen = SeenNeed::new(offers, View::Framework(id.framework), id).map(|seen| seen.text());
    black_box((out, seen));
}

fn with_snapshot(input: &Input) -> Work {
    let input = input.clone();
    let run = |input: &Input, file: Option<&str>| {
        let parsed = parsed(input);
        let checked = parsed.check(&Extra::default(), Strictness::default());
        let read = |_: &str| Ok(file.map(str::to_owned));
        testing::run(&parsed, &checked, testing::Options { snapshots: &read, ..testing::Options::default() })
    };
    let mut taken = run(&input, None).results[0].snapshot.clone().expect("a snapshot").taken;
    taken.text = taken.text.lines().map(|line| format!("{line} then\n")).collect();
    let file = taken.to_string();
    Box::new(move || {
        let report = run(&input, Some(&file));
        let snapshot = report.results[0].snapshot.as_ref().expect("a snapshot");
        assert!(matches!(snapshot.state, testing::SnapshotResult::Changed(_)), "other lines");
        black_box(tests_json(&report));
    })
}

fn tested(input: &Input) {
    let parsed = parsed(input);
    let checked = parsed.check(&Extra::default(), Strictness::default());
    let report = testing::run(&parsed, &checked, testing::Options::default());
    assert!(!report.results.is_empty() && report.broken() == 0, "tests that run");
    black_box(report);
}

fn applied(input: &Input) {
    let parsed = parsed(input);
    let inventories: Vec<Inventory> = inventories(&Input { state: None, ..input.clone() });
    let state = match &input.state {
        Some(text) => State::from_json("state.json", text).unwrap_or_else(|error| panic!("{error}")),
        None => State::default(),
    };
    let read = Operations::from_json("operations.json", input.operations.as_bytes());
    let operations = read.unwrap_or_else(|error| panic!("{error}"));
    match state::apply(&parsed, &inventories.iter().collect::<Vec<_>>(), &state, &operations) {
        Ok(state) => drop(black_box(state)),
        Err(refusal) => drop(black_box(refusal.to_string())),
    }
}

fn imported(input: &Input) {
    let (table, options) = input.table.as_ref().expect("a table");
    let (mut sources, mut out) = (Sources::default(), Vec::new());
    match csv::import(&mut sources, table.as_bytes(), "table.csv", options, &mut out) {
        Ok(summary) => drop(black_box((summary, out))),
        Err(diagnostics) => drop(black_box(rendered(Report { sources, diagnostics }))),
    }
}

fn changed(input: &Input) -> Work {
    let mut read = inventories(input);
    let last = read.pop().expect("an inventory to put");
    let policies = input.policies.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let policy = Policy::compile(policies).unwrap_or_else(|error| panic!("{error}"));
    let live = Live::bind(&policy, &read.iter().collect::<Vec<_>>());
    let mut live = live.unwrap_or_else(|error| panic!("{error}"));
    Box::new(move || drop(black_box(live.apply(&Delta::default().put(&last)).map(|_| live.offers()))))
}

impl Task {
    /// Makes ready what is done with an input.
    pub fn prepare(self, input: Input) -> Work {
        match self {
            Task::Load => Box::new(move || drop(black_box(fleet(&input)))),
            Task::Refuse => Box::new(move || {
                let report = problems(&input);
                assert!(!report.diagnostics.is_empty(), "something is wrong");
                black_box(rendered(report));
            }),
            Task::Analyse => {
                let (parsed, fleet) = (parsed(&input), fleet(&input));
                let inventories = inventories(&input);
                Box::new(move || {
                    let checked = parsed.check(&Inventory::extra(&inventories), Strictness::default());
                    black_box(testing::check(
                        &parsed,
                        &checked,
                        (&inventories, Beside::default()),
                        Strictness::default(),
                    ));
                    let diagnostics = analyse(&parsed, fleet.loaded());
                    black_box(rendered(Report { sources: fleet.warnings().sources.clone(), diagnostics }));
                })
            }
            Task::Offers => {
                let fleet = fleet(&input);
                Box::new(move || {
                    let offers = fleet.offers();
                    black_box(output::offers_json(&offers, View::Operator, Detail::All));
                    black_box(output::offers_json(&offers, View::Framework(0), Detail::Grouped));
                })
            }
            Task::Views => {
                let offers = fleet(&input).offers();
                Box::new(move || viewed(&offers))
            }
            Task::Explain => {
                let offers = fleet(&input).offers();
                Box::new(move || explained(&offers))
            }
            Task::Match => {
                let fleet = fleet(&input);
                Box::new(move || {
                    let found = output::matches(&fleet, &[first_need(&fleet)], None);
                    black_box(serde_json::to_string(&found).expect("a document"));
                })
            }
            _ => self.of_whole(input),
        }
    }

    /// As [`Task::prepare`], of what is not asked of needs.
    fn of_whole(self, input: Input) -> Work {
        match self {
            Task::Doc => {
                let (parsed, fleet) = (parsed(&input), fleet(&input));
                Box::new(move || {
                    black_box(doc::document(&fleet, &parsed));
                    black_box(doc::vocabulary(&fleet, &parsed, Some(0)));
                })
            }
            Task::Diff => {
                let mut without = input.clone();
                without.inventories.pop();
                let (old, new) = (fleet(&without).offers(), fleet(&input).offers());
                Box::new(move || {
                    let change = change::compare(&old, &new);
                    black_box(change::text(&change));
                    black_box(change::json(&change));
                    black_box(change::markdown(&change));
                })
            }
            Task::Format => Box::new(move || formatted(&input)),
            Task::Test => Box::new(move || tested(&input)),
            Task::Snapshot => with_snapshot(&input),
            Task::Apply => Box::new(move || applied(&input)),
            Task::Import => Box::new(move || imported(&input)),
            Task::Build => {
                let fleet = fleet(&input);
                let owners = emit::Owners::of(fleet.plan(), fleet.world());
                Box::new(move || {
                    black_box(emit::plugin(fleet.plan(), &owners, "doubling").expect("a plugin"));
                })
            }
            Task::Keep => {
                let fleet = fleet(&input);
                let owners = emit::Owners::of(fleet.plan(), fleet.world());
                let plan = fleet.plan().clone();
                Box::new(move || {
                    let bytes = compiled::write(&Compiled { name: "doubling".to_owned(), owners, plan });
                    black_box(compiled::read(&bytes).expect("a compiled policy"));
                })
            }
            Task::Stock => {
                let fleet = fleet(&input);
                Box::new(move || {
                    black_box(serde_json::to_string(&output::stock(&fleet)).expect("a document"));
                    black_box(serde_json::to_string(&output::shares(&fleet.offers())).expect("a document"));
                })
            }
            Task::Change => changed(&input),
            _ => unreachable!("prepared with the needs"),
        }
    }
}
