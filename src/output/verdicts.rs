//! Results of tests as JSON.

use serde::Serialize;

use crate::{
    source::{Sources, Span},
    testing::{TestReport, TestResult, Verdict},
};

#[derive(Serialize)]
struct WireTests {
    format: &'static str,
    version: u32,
    passed: usize,
    failed: usize,
    broken: usize,
    tests: Vec<WireTest>,
}

#[derive(Serialize)]
struct WireTest {
    name: String,
    place: WirePlace,
    verdict: &'static str,
    expectations: usize,
    failures: Vec<WireFailure>,
}

#[derive(Serialize)]
struct WireFailure {
    place: WirePlace,
    expected: String,
    actual: String,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct WirePlace {
    file: String,
    line: u32,
    column: u32,
}

impl WirePlace {
    fn new(sources: &Sources, span: Span) -> WirePlace {
        let at = sources.line_column(span);
        WirePlace { file: sources.get(span.source).name.to_string(), line: at.line, column: at.column }
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
            place: WirePlace::new(sources, failure.span),
            expected: failure.expected.clone(),
            actual: failure.actual.clone(),
            reasons: failure.reasons.clone(),
        });
        WireTest {
            name: result.name.clone(),
            place: WirePlace::new(sources, result.span),
            verdict,
            expectations: result.expectations,
            failures: failures.collect(),
        }
    }
}

/// Results of tests as one JSON object: `bourse.tests`, version 1. The problems of tests that could not be run are
/// told as diagnostics, not here.
pub fn tests_json(report: &TestReport) -> String {
    let wire = WireTests {
        format: "bourse.tests",
        version: 1,
        passed: report.passed(),
        failed: report.failed(),
        broken: report.broken(),
        tests: report.results.iter().map(|result| WireTest::new(&report.sources, result)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&wire).unwrap_or_default();
    text.push('\n');
    text
}
