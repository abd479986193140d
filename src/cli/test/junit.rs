//! Writes results as the XML of JUnit, with a suite for each policy file.

use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{
    output::printable_name,
    testing::{TestReport, TestResult, Verdict},
};

pub fn text(report: &TestReport) -> String {
    let mut suites: IndexMap<String, TestSuite> = IndexMap::new();
    for result in &report.results {
        let file = printable_name(&report.sources.get(result.span.source).name);
        let suite = suites.entry(file.clone()).or_insert_with(|| TestSuite::new(file.clone()));
        let mut case = TestCase::new(printable_name(&result.name), status(report, result));
        case.set_classname(file);
        case.extra.insert("line".into(), report.sources.line_column(result.span).line.to_string().into());
        suite.add_test_case(case);
    }
    let mut whole = Report::new("bourse test");
    whole.add_test_suites(suites.into_values());
    whole.to_string().unwrap_or_default() + "\n"
}

fn status(report: &TestReport, result: &TestResult) -> TestCaseStatus {
    match &result.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed(failures) => {
            let mut lines = Vec::new();
            for failure in failures {
                lines.push(report.sources.place(failure.span));
                lines.push(format!("  expected: {}", failure.expected));
                lines.push(format!("  actual: {}", failure.actual));
                lines.extend(failure.reasons.iter().map(|reason| format!("  because: {reason}")));
            }
            let first = failures.first().map(|failure| failure.actual.as_str()).unwrap_or_default();
            unsuccessful(NonSuccessKind::Failure, first, &lines)
        }
        Verdict::Broken(problems) => {
            let errors = problems.diagnostics.iter().filter(|problem| problem.is_error());
            let lines: Vec<String> =
                errors.map(|problem| format!("{}: {}", problem.code, problem.message)).collect();
            let first = lines.first().cloned().unwrap_or_default();
            unsuccessful(NonSuccessKind::Error, &first, &lines)
        }
    }
}

fn unsuccessful(kind: NonSuccessKind, message: &str, lines: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(printable_name(message));
    let lines: Vec<String> = lines.iter().map(|line| printable_name(line)).collect();
    status.set_description(lines.join("\n"));
    status
}
