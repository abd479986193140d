//! Tests that are written in policies (section 11 of the language reference).
//!
//! Each test runs in four steps:
//!
//! 1. `overlay` lays the declarations of the test over the set and the inventories. A declaration replaces
//!    one of the same kind and name.
//! 2. The result is checked and bound like any set. A problem makes the test [`Verdict::Broken`], not failed.
//! 3. One cycle runs, for the needs that the test declares or names.
//! 4. `expect` compares each expectation with the offers, and `snapshot` compares all of them with a file.
//!
//! The module reads and writes no files: [`Options::snapshots`] reads for it, and the command line writes.

mod coverage;
mod expect;
mod json;
mod names;
mod overlay;
mod snapshot;

pub use coverage::{Coverage, CoveredCondition};
pub use json::tests_json;
pub use snapshot::{Damage, Snapshot, SnapshotFile, SnapshotResult, path as snapshot_path};

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use crate::{
    check::Strictness,
    cycle::{self, Reasons, every_need},
    diagnostic::{Code, Diagnostic, Report},
    engine::Recorder,
    error::Error,
    matching::NeedId,
    output,
    parse::ast::{Expect, Statement, StatementKind},
    pipeline::{Checked, Parsed},
    plugin::{Beside, Fault, add_sources},
    policy::{Fleet, Inventory, Offers},
    resolve::{
        hir,
        scope::{NameKind, declaration},
    },
    source::{Sources, Span},
};

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedExpectation {
    /// The place of the expectation.
    pub span: Span,
    /// The text of the expectation.
    pub expected: String,
    /// The outcome instead.
    pub actual: String,
    /// The reasons for that outcome, one line each.
    pub reasons: Vec<String>,
}

/// The outcome of a test.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// All expectations hold.
    Passed,
    /// These expectations do not hold.
    Failed(Vec<FailedExpectation>),
    /// The test could not run: its declarations do not compile, it names something that is not there, or its
    /// snapshot cannot be read.
    Broken(Box<Report>),
}

/// A test and its outcome.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// The name of the test.
    pub name: String,
    /// The place of the name.
    pub span: Span,
    /// The number of expectations.
    pub expectations: usize,
    /// The outcome.
    pub verdict: Verdict,
    /// The snapshot that the test expects. `None` if it expects none, or is broken.
    pub snapshot: Option<Snapshot>,
}

/// The results of the tests of a set.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// The tests that ran, in the order of their places.
    pub results: Vec<TestResult>,
    /// The coverage of conditions, if [`Options::coverage`] asked for it.
    pub coverage: Option<Coverage>,
    /// The sources that the spans point into.
    pub sources: Sources,
}

impl TestReport {
    /// The number of tests that passed.
    pub fn passed(&self) -> usize {
        self.results.iter().filter(|result| matches!(result.verdict, Verdict::Passed)).count()
    }

    /// The number of tests that failed.
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| matches!(result.verdict, Verdict::Failed(_))).count()
    }

    /// The number of tests that could not run.
    pub fn broken(&self) -> usize {
        self.results.len() - self.passed() - self.failed()
    }
}

impl TestResult {
    /// Accepts the snapshot as it is now, and drops the failure that it made. The caller writes the file.
    ///
    /// Does nothing for a broken test.
    pub fn accept(&mut self) {
        let Some(snapshot) = &mut self.snapshot else { return };
        match &mut self.verdict {
            Verdict::Passed => {}
            Verdict::Failed(failures) => {
                failures.retain(|failure| failure.span != snapshot.span);
                if failures.is_empty() {
                    self.verdict = Verdict::Passed;
                }
            }
            Verdict::Broken(_) => return,
        }
        snapshot.state = SnapshotResult::Accepted;
    }
}

/// The text of a snapshot's file, `None` if there is no file, or the problem if it cannot be read.
pub type ReadSnapshot = Result<Option<String>, Box<Diagnostic>>;

/// The options of a run.
pub struct Options<'a> {
    /// The inventories that tests see.
    pub inventories: &'a [Inventory],
    /// The strictness with which sets are checked.
    pub strictness: Strictness,
    /// The plugins beside the set.
    pub beside: Beside<'a>,
    /// Returns `true` for the names of the tests to run.
    pub wanted: &'a dyn Fn(&str) -> bool,
    /// Reads a snapshot's file by its path.
    pub snapshots: &'a dyn Fn(&str) -> ReadSnapshot,
    /// `true` if a damaged snapshot is to be replaced. Then it is a failure that [`TestResult::accept`]
    /// removes; else it breaks the test.
    pub replaces_damaged: bool,
    /// The coverage to add outcomes to; see [`coverage()`]. `None` records nothing.
    pub coverage: Option<Coverage>,
    /// Called with the offers of each test that runs.
    pub offers: Option<&'a dyn Fn(&Offers)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            inventories: &[],
            strictness: Strictness::default(),
            beside: Beside::default(),
            wanted: &|_| true,
            snapshots: &|_| Ok(None),
            replaces_damaged: false,
            coverage: None,
            offers: None,
        }
    }
}

/// Returns the tests of a set that compiles. `checked` is the result of checking it.
pub fn list(checked: &Checked) -> &[hir::Test] {
    &checked.hir.tests
}

fn is_snapshot(expect: &Expect) -> bool {
    matches!(expect, Expect::Snapshot)
}

/// Returns the snapshots that the tests of a set expect: the path of each, with its test. If two tests share
/// a path, the first one has it.
pub fn snapshots(checked: &Checked) -> IndexMap<String, &hir::Test> {
    // Backwards, as the last one inserted stays.
    let tests = list(checked).iter().rev();
    let expecting = tests.filter(|test| expectations(test).any(|(_, expect)| is_snapshot(expect)));
    expecting.map(|test| (path_of(&checked.report.sources, test), test)).collect()
}

fn path_of(sources: &Sources, test: &hir::Test) -> String {
    snapshot::path(&sources.get(test.name.span.source).name, &test.name.text)
}

/// Lists the conditions of a set with its inventories and plugins, for [`Options::coverage`].
///
/// # Errors
/// Every problem, where the set does not compile.
pub fn coverage(checked: &Checked, inventories: &[Inventory], beside: Beside<'_>) -> Result<Coverage, Error> {
    let fleet = Fleet::bind(checked.clone(), &Inventory::extra(inventories), beside)?;
    Ok(Coverage::of(&fleet))
}

/// Returns the names of the providers that a set, its inventories or its tests declare.
pub fn providers(checked: &Checked, inventories: &[Inventory]) -> BTreeSet<String> {
    let records = inventories.iter().map(|inventory| inventory.parts().0).chain([&checked.hir.records]);
    let known = records.flat_map(|records| &records.providers).map(|provider| provider.name.text.clone());
    let of_tests = list(checked).iter().flat_map(|test| &test.statements);
    let of_tests = of_tests.filter_map(|statement| match declaration(statement) {
        Some((NameKind::Provider, name)) => Some(name.to_owned()),
        _ => None,
    });
    known.chain(of_tests).collect()
}

/// Runs the tests of a set that compiles. `checked` is the result of checking it.
pub fn run(parsed: &Parsed, checked: &Checked, mut options: Options<'_>) -> TestReport {
    let mut coverage = options.coverage.take();
    let mut run =
        Runner { parsed, options: &options, coverage: coverage.as_mut(), known: snapshots(checked) };
    let tests = list(checked).iter().filter(|test| (options.wanted)(&test.name.text));
    let results = tests.map(|test| {
        let expectations = expectations(test).count();
        let (verdict, snapshot) = match run.one(test) {
            Ok((failures, snapshot)) if failures.is_empty() => (Verdict::Passed, snapshot),
            Ok((failures, snapshot)) => (Verdict::Failed(failures), snapshot),
            Err(report) => (Verdict::Broken(report), None),
        };
        TestResult { name: test.name.text.clone(), span: test.name.span, expectations, verdict, snapshot }
    });
    let results = results.collect();
    let mut sources = checked.report.sources.clone();
    add_sources(&mut sources, options.beside.plugins);
    TestReport { results, coverage, sources }
}

/// Finds the problems of the tests of a set without running them. Problems of the set itself are left out.
///
/// The additions of a test that only adds agents, providers, allocations or needs are checked against the set
/// as it is. For any other test the whole set is checked again with the test's replacements, which costs the
/// size of the set each time.
pub fn check(
    parsed: &Parsed,
    checked: &Checked,
    (inventories, beside): (&[Inventory], Beside<'_>),
    strictness: Strictness,
) -> Vec<Diagnostic> {
    let mut found: IndexSet<Diagnostic> = IndexSet::new();
    let known: IndexSet<&Diagnostic> = checked.report.diagnostics.iter().collect();
    let expected = snapshots(checked);
    for test in list(checked) {
        let overlay = overlay::Overlay::new(parsed, inventories, beside, test);
        let (problems, needs) = match overlay.only_additions() {
            Some(added) => {
                let (problems, added) = parsed.check_more(checked, &added, strictness);
                let of_set = checked.hir.frameworks.iter();
                let of_set = of_set.filter(|known| !overlay.declares(&known.name.text));
                (problems, names::Needs::of(of_set.chain(&added.frameworks)))
            }
            None => {
                let overlaid = parsed.check(&overlay.extra(), strictness);
                (overlaid.report.diagnostics, names::Needs::of(&overlaid.hir.frameworks))
            }
        };
        let new: Vec<Diagnostic> = problems
            .into_iter()
            .filter(|problem| !known.contains(problem) && !found.contains(problem))
            .collect();
        let sound = new.iter().all(|problem| !problem.is_error());
        found.extend(new);
        found.extend(overlay.problems.iter().cloned());
        found.extend(shared_snapshot(&expected, &checked.report.sources, test));
        if sound {
            let fleet = overlay.fleet();
            for (_, expect) in expectations(test) {
                found.extend(needs.named(expect, found.len()).err().map(|problem| *problem));
                found.extend(names::of_fleet(&fleet, expect, found.len()).err().map(|problem| *problem));
            }
        }
    }
    found.into_iter().collect()
}

fn expectations(test: &hir::Test) -> impl Iterator<Item = (&Statement, &Expect)> {
    test.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Expect(expect) => Some((statement, expect)),
        _ => None,
    })
}

/// A run of tests: the inputs that all of them share, and the coverage they add to.
struct Runner<'a> {
    parsed: &'a Parsed,
    options: &'a Options<'a>,
    coverage: Option<&'a mut Coverage>,
    known: IndexMap<String, &'a hir::Test>,
}

/// The failures and the snapshot of a test that ran, or the problems of one that could not.
type TestRun = Result<(Vec<FailedExpectation>, Option<Snapshot>), Box<Report>>;

impl Runner<'_> {
    /// Runs one test.
    fn one(&mut self, test: &hir::Test) -> TestRun {
        let overlay = overlay::Overlay::new(self.parsed, self.options.inventories, self.options.beside, test);
        let extra = overlay.extra();
        let checked = self.parsed.check(&extra, self.options.strictness);
        let sources = checked.report.sources.clone();
        let broken =
            |problems: Vec<Diagnostic>| Box::new(Report { sources: sources.clone(), diagnostics: problems });
        let mut problems: Vec<Diagnostic> =
            shared_snapshot(&self.known, &sources, test).into_iter().collect();
        problems.extend(overlay.problems.iter().cloned());
        if !problems.is_empty() {
            return Err(broken(problems));
        }
        let fleet = Fleet::bind(checked, &extra, self.options.beside).map_err(Error::into_report)?;
        let names = names::Needs::of(&fleet.loaded().hir.frameworks);
        let needs = taking_part(&fleet, &overlay, &names, test).map_err(broken)?;
        let recorder = self.coverage.as_ref().map(|_| Recorder::new(fleet.plan()));
        let request = cycle::CycleRequest {
            needs,
            reasons: Reasons::All,
            recorder: recorder.as_ref(),
            ..cycle::CycleRequest::default()
        };
        let offers: Offers = fleet.cycle(request);
        // A plugin that failed excludes what it was asked about. Expectations would then pass or fail for the
        // wrong reason, so the test is broken.
        let faults = fleet.faults();
        if !faults.is_empty() {
            return Err(broken(faults.iter().map(Fault::diagnostic).collect()));
        }
        if let Some(told) = self.options.offers {
            told(&offers);
        }
        if let (Some(coverage), Some(recorder)) = (self.coverage.as_mut(), &recorder) {
            coverage.add(&fleet, recorder);
        }
        let (mut failures, mut snapshot) = (Vec::new(), None);
        for (statement, expect) in expectations(test) {
            let span = statement.span;
            if is_snapshot(expect) {
                match self.snapshot(test, span, &offers, &sources) {
                    Ok(held) => {
                        failures.extend(snapshot_failure(&held, &sources));
                        snapshot = Some(held);
                    }
                    Err(problem) => problems.push(*problem),
                }
                continue;
            }
            match expect::hold(&offers, &names, (expect, span), &sources, problems.len()) {
                Ok(failure) => failures.extend(failure),
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() { Ok((failures, snapshot)) } else { Err(broken(problems)) }
    }

    /// Takes the snapshot of a test, and compares it with its file.
    ///
    /// A damaged file is an error, unless this run retakes snapshots and the damage may be written over.
    fn snapshot(
        &self,
        test: &hir::Test,
        span: Span,
        offers: &Offers,
        sources: &Sources,
    ) -> Result<Snapshot, Box<Diagnostic>> {
        let path = path_of(sources, test);
        let file = (self.options.snapshots)(&path)?;
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let inventories = self.options.inventories.iter().filter_map(|one| one.parts().1.iter().next());
        let taken = SnapshotFile {
            source: last(&sources.get(test.name.span.source).name),
            test: test.name.text.clone(),
            inventories: inventories.map(|(_, source)| last(&source.name)).collect(),
            text: output::snapshot(offers),
        };
        let held = snapshot::compare(path, span, taken, file.as_deref());
        match &held.state {
            SnapshotResult::Damaged(damage)
                if !(self.options.replaces_damaged && damage.may_be_replaced()) =>
            {
                Err(Box::new(damage.diagnostic(&held.path, span)))
            }
            _ => Ok(held),
        }
    }
}

/// Returns a problem if another test has the same snapshot file: their names differ only in marks and
/// capitals.
fn shared_snapshot(
    known: &IndexMap<String, &hir::Test>,
    sources: &Sources,
    test: &hir::Test,
) -> Option<Diagnostic> {
    let path = path_of(sources, test);
    let other = known.get(&path).filter(|other| other.name.span != test.name.span)?;
    expectations(test).find(|(_, expect)| is_snapshot(expect))?;
    let message = format!("two tests would keep their snapshots in one file, `{path}`");
    let problem = Diagnostic::error(Code::B0704, test.name.span, message).label("this test");
    let help = "rename one of them: capitals and marks do not count in the name of a file";
    Some(problem.also(other.name.span, "and this one").help(help))
}

/// Selects the needs that take part in a test: all needs of the frameworks that it declares, or of which it
/// names a need.
///
/// A test that declares and names none, and expects a snapshot, runs with every need: `None`.
fn taking_part(
    fleet: &Fleet,
    overlay: &overlay::Overlay<'_>,
    names: &names::Needs,
    test: &hir::Test,
) -> Result<Option<Vec<NeedId>>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut needs: Vec<NeedId> = overlay.frameworks(fleet);
    // All needs of a framework take part with any of them.
    let mut named: BTreeSet<usize> = BTreeSet::new();
    for (_, expect) in expectations(test) {
        match names.named(expect, problems.len()) {
            Ok(need) => named.extend(need.map(|need| need.framework)),
            Err(problem) => problems.push(*problem),
        }
    }
    needs.extend(every_need(fleet.plan()).filter(|id| named.contains(&id.framework)));
    if !problems.is_empty() {
        return Err(problems);
    }
    if needs.is_empty() && expectations(test).any(|(_, expect)| is_snapshot(expect)) {
        return Ok(None);
    }
    needs.sort_unstable();
    needs.dedup();
    Ok(Some(needs))
}

/// Returns the failure of a snapshot that is not the same as its file.
fn snapshot_failure(snapshot: &Snapshot, sources: &Sources) -> Option<FailedExpectation> {
    let path = &snapshot.path;
    let actual = match &snapshot.state {
        SnapshotResult::Same | SnapshotResult::Accepted => return None,
        SnapshotResult::New => format!("there is no snapshot `{path}` yet"),
        SnapshotResult::Changed(_) => format!("the offers differ from the snapshot `{path}`"),
        SnapshotResult::Damaged(_) => format!("the snapshot `{path}` is to be taken anew"),
    };
    let expected = sources.text(snapshot.span).trim().to_owned();
    let reasons = snapshot.note.iter().cloned().collect();
    Some(FailedExpectation { span: snapshot.span, expected, actual, reasons })
}
