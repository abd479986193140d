//! Tests that stand in policies (section 11 of the language reference): each adds its declarations to the set,
//! runs a cycle, and holds its expectations against it.

mod expect;
mod names;
mod overlay;

use crate::{
    check::Strictness,
    cycle::{self, Reasons},
    diagnostic::{Diagnostic, Report},
    matching::NeedId,
    parse::ast::{Expect, Statement, StatementKind},
    pipeline::{Checked, Parsed},
    policy::{Fleet, Inventory, Offers},
    resolve::hir,
    source::{Sources, Span},
};

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where it stands.
    pub span: Span,
    /// What it says.
    pub expected: String,
    /// What is so instead.
    pub actual: String,
    /// Reasons that have to do with it, a line each.
    pub reasons: Vec<String>,
}

/// How a test ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Everything it expects is so.
    Passed,
    /// These expectations do not hold.
    Failed(Vec<Failure>),
    /// It could not be run: what it declares does not compile, or what it names is not there.
    Broken(Box<Report>),
}

/// A test and how it ended.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    /// How many expectations it has.
    pub expectations: usize,
    /// How it ended.
    pub verdict: Verdict,
}

/// The tests of a set, run.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// Each test, in the order of its place.
    pub results: Vec<TestResult>,
    /// What the spans point into.
    pub sources: Sources,
}

impl TestReport {
    /// Tests that passed.
    pub fn passed(&self) -> usize {
        self.results.iter().filter(|result| matches!(result.verdict, Verdict::Passed)).count()
    }

    /// Tests that failed.
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| matches!(result.verdict, Verdict::Failed(_))).count()
    }

    /// Tests that could not be run.
    pub fn broken(&self) -> usize {
        self.results.len() - self.passed() - self.failed()
    }
}

/// The tests of a set that compiles. `checked` is its check.
pub fn list(checked: &Checked) -> &[hir::Test] {
    &checked.hir.tests
}

/// Runs the tests of a set whose names `wanted` takes. The set must compile.
pub fn run(
    parsed: &Parsed,
    checked: &Checked,
    inventories: &[Inventory],
    strictness: Strictness,
    wanted: &dyn Fn(&str) -> bool,
) -> TestReport {
    let tests = list(checked).iter().filter(|test| wanted(&test.name.text));
    let results = tests.map(|test| {
        let expectations = expectations(test).count();
        let verdict = match one(parsed, inventories, strictness, test) {
            Ok(failures) if failures.is_empty() => Verdict::Passed,
            Ok(failures) => Verdict::Failed(failures),
            Err(report) => Verdict::Broken(report),
        };
        TestResult { name: test.name.text.clone(), span: test.name.span, expectations, verdict }
    });
    TestReport { results: results.collect(), sources: checked.report.sources.clone() }
}

/// What is wrong with the tests of a set, beyond what is wrong with the set: found without running them.
pub fn check(
    parsed: &Parsed,
    checked: &Checked,
    inventories: &[Inventory],
    strictness: Strictness,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for test in list(checked) {
        let overlay = overlay::Overlay::new(parsed, inventories, test);
        let (problems, needs) = match overlay.addition() {
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
        let known =
            |problem: &Diagnostic| checked.report.diagnostics.contains(problem) || found.contains(problem);
        let new: Vec<Diagnostic> = problems.into_iter().filter(|problem| !known(problem)).collect();
        let sound = new.iter().all(|problem| !problem.is_error());
        found.extend(new);
        found.extend(overlay.problems.iter().cloned());
        if sound {
            let fleet = overlay.fleet();
            for (_, expect) in expectations(test) {
                found.extend(needs.named(expect).err().map(|problem| *problem));
                found.extend(names::of_fleet(&fleet, expect).err().map(|problem| *problem));
            }
        }
    }
    found
}

fn expectations(test: &hir::Test) -> impl Iterator<Item = (&Statement, &Expect)> {
    test.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Expect(expect) => Some((statement, expect)),
        _ => None,
    })
}

fn one(
    parsed: &Parsed,
    inventories: &[Inventory],
    strictness: Strictness,
    test: &hir::Test,
) -> Result<Vec<Failure>, Box<Report>> {
    let overlay = overlay::Overlay::new(parsed, inventories, test);
    let extra = overlay.extra();
    let checked = parsed.check(&extra, strictness);
    let sources = checked.report.sources.clone();
    let broken =
        |problems: Vec<Diagnostic>| Box::new(Report { sources: sources.clone(), diagnostics: problems });
    if !overlay.problems.is_empty() {
        return Err(broken(overlay.problems.clone()));
    }
    let fleet = Fleet::new(checked.load(&extra)?);
    let mut problems = Vec::new();
    let mut needs: Vec<NeedId> = overlay.frameworks(&fleet);
    let names = names::Needs::of(&fleet.loaded().hir.frameworks);
    for (_, expect) in expectations(test) {
        match names.named(expect) {
            Ok(named) => needs.extend(overlay::whole_frameworks(&fleet, &named)),
            Err(problem) => problems.push(*problem),
        }
    }
    if !problems.is_empty() {
        return Err(broken(problems));
    }
    needs.sort_unstable();
    needs.dedup();
    let request = cycle::Request { needs: Some(needs), reasons: Reasons::All, progress: None };
    let offers: Offers = fleet.cycle(request);
    let mut failures = Vec::new();
    for (statement, expect) in expectations(test) {
        match expect::hold(&offers, &names, expect, statement.span, &sources) {
            Ok(failure) => failures.extend(failure),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok(failures) } else { Err(broken(problems)) }
}
