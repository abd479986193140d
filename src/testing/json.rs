//! Results of tests as JSON. The wire types stand apart from [`TestReport`], so that the format changes only
//! on purpose.

use serde::Serialize;

use super::{Coverage, CoveredCondition, SnapshotResult, TestReport, TestResult, Verdict};
use crate::{
    logic::Truth,
    source::{Sources, Span},
};

#[derive(Serialize)]
struct WireTests {
    format: &'static str,
    version: u32,
    passed: usize,
    failed: usize,
    broken: usize,
    tests: Vec<WireTest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<WireCoverage>,
}

#[derive(Serialize)]
struct WireTest {
    name: String,
    place: WireTestPosition,
    verdict: &'static str,
    expectations: usize,
    failures: Vec<WireFailure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<WireSnapshot>,
}

#[derive(Serialize)]
struct WireSnapshot {
    file: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    actual: String,
}

#[derive(Serialize)]
struct WireCoverage {
    possible: usize,
    seen: usize,
    percent: usize,
    conditions: Vec<WireCondition>,
}

#[derive(Serialize)]
struct WireCondition {
    kind: &'static str,
    label: String,
    text: String,
    place: WireTestPosition,
    seen: Vec<&'static str>,
    never: Vec<&'static str>,
}

#[derive(Serialize)]
struct WireFailure {
    place: WireTestPosition,
    expected: String,
    actual: String,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct WireTestPosition {
    file: String,
    line: u32,
    column: u32,
}

impl WireTestPosition {
    fn new(sources: &Sources, span: Span) -> WireTestPosition {
        let at = sources.line_column(span);
        WireTestPosition { file: sources.get(span.source).name.to_string(), line: at.line, column: at.column }
    }
}

impl WireTest {
    fn new(sources: &Sources, result: &TestResult) -> WireTest {
        let (verdict, failures) = match &result.verdict {
            Verdict::Passed => ("passed", [].as_slice()),
            Verdict::Failed(failures) => ("failed", failures.as_slice()),
            Verdict::Broken(_) => ("broken", [].as_slice()),
        };
        let failures = failures.iter().map(|failure| WireFailure {
            place: WireTestPosition::new(sources, failure.span),
            expected: failure.expected.clone(),
            actual: failure.actual.clone(),
            reasons: failure.reasons.clone(),
        });
        WireTest {
            name: result.name.clone(),
            place: WireTestPosition::new(sources, result.span),
            verdict,
            expectations: result.expectations,
            failures: failures.collect(),
            snapshot: result.snapshot.as_ref().map(|snapshot| WireSnapshot {
                file: snapshot.path.clone(),
                state: snapshot.state.name(),
                expected: match &snapshot.state {
                    SnapshotResult::Changed(expected) => Some(expected.clone()),
                    _ => None,
                },
                actual: snapshot.taken.text.clone(),
            }),
        }
    }
}

impl WireCoverage {
    fn new(sources: &Sources, coverage: &Coverage) -> WireCoverage {
        let (possible, seen) = coverage.outcomes();
        let condition = |condition: &CoveredCondition| WireCondition {
            kind: condition.kind,
            label: condition.label.clone(),
            text: condition.text.clone(),
            place: WireTestPosition::new(sources, condition.span),
            seen: condition.seen().map(Truth::name).collect(),
            never: condition.missing().map(Truth::name).collect(),
        };
        let conditions = coverage.conditions().map(condition).collect();
        WireCoverage { possible, seen, percent: coverage.percent(), conditions }
    }
}

/// Writes the results of tests as one JSON object: `bourse.tests`, version 1.
///
/// The problems of tests that could not be run are not in it. The caller reports them as diagnostics.
pub fn tests_json(report: &TestReport) -> String {
    let wire = WireTests {
        format: "bourse.tests",
        version: 1,
        passed: report.passed(),
        failed: report.failed(),
        broken: report.broken(),
        tests: report.results.iter().map(|result| WireTest::new(&report.sources, result)).collect(),
        coverage: report.coverage.as_ref().map(|coverage| WireCoverage::new(&report.sources, coverage)),
    };
    let mut text = serde_json::to_string_pretty(&wire).unwrap_or_default();
    text.push('\n');
    text
}
