//! Writes results for people.

use similar::{ChangeTag, TextDiff};

use super::is_below;
use crate::{
    cli::table::{Paint, count, paint},
    output::printable_name,
    testing::{Coverage, FailedExpectation, Snapshot, SnapshotResult, TestReport, TestResult, Verdict},
};

/// The most lines of a difference in results. `--review` shows all.
const LINES: usize = 60;

pub fn text(report: &TestReport, threshold: Option<u8>, colour: bool) -> String {
    let mut out = String::new();
    for result in &report.results {
        out.push_str(&one(report, result, colour));
    }
    if let Some(coverage) = &report.coverage {
        out.push_str(&coverage_text(report, coverage, threshold, colour));
    }
    out.push_str(&summary(report));
    out.push('\n');
    out
}

/// Writes the summary: `2 passed, 1 failed`.
pub fn summary(report: &TestReport) -> String {
    let mut line = format!("{} passed, {} failed", report.passed(), report.failed());
    if report.broken() > 0 {
        line.push_str(&format!(", {} could not be run", report.broken()));
    }
    let waits = |result: &&TestResult| {
        matches!(result.verdict, Verdict::Failed(_)) && result.snapshot.as_ref().is_some_and(is_pending)
    };
    match report.results.iter().filter(waits).count() {
        0 => {}
        waiting => {
            let what = count(waiting, "snapshot waits", "snapshots wait");
            line.push_str(&format!("; {what} for `--review` or `--accept`"));
        }
    }
    line
}

pub fn is_pending(snapshot: &Snapshot) -> bool {
    matches!(snapshot.state, SnapshotResult::New | SnapshotResult::Changed(_) | SnapshotResult::Damaged(_))
}

fn one(report: &TestReport, result: &TestResult, colour: bool) -> String {
    let name = printable_name(&result.name);
    match &result.verdict {
        Verdict::Passed => format!("{} {name}\n", paint("ok    ", Paint::Green, colour)),
        Verdict::Broken(problems) => {
            let place = printable_name(&report.sources.place(result.span));
            let of_files = problems
                .diagnostics
                .iter()
                .all(|problem| !problem.is_error() || super::is_run_code(problem.code));
            let why = match of_files {
                _ if super::has_fault(&result.verdict) => "a plugin broke a rule",
                true => "its snapshot cannot be read",
                false => "it does not compile",
            };
            format!("{} {name}  ({place}: {why})\n", paint("BROKEN", Paint::Red, colour))
        }
        Verdict::Failed(failures) => {
            let mut out = format!("{} {name}\n", paint("FAILED", Paint::Red, colour));
            for failure in failures {
                out.push_str(&failed(report, failure, colour));
                let snapshot = result.snapshot.as_ref().filter(|snapshot| snapshot.span == failure.span);
                out.push_str(
                    &snapshot.map_or(String::new(), |snapshot| difference(snapshot, Some(LINES), colour)),
                );
            }
            out
        }
    }
}

fn failed(report: &TestReport, failure: &FailedExpectation, colour: bool) -> String {
    let place = printable_name(&report.sources.place(failure.span));
    let expected = one_line(failure.expected.strip_prefix("expect ").unwrap_or(&failure.expected));
    let mut out = format!("  {}\n", paint(&place, Paint::Dim, colour));
    out.push_str(&format!("    expected  {}\n", paint(&expected, Paint::Green, colour)));
    out.push_str(&format!("    actual    {}\n", paint(&one_line(&failure.actual), Paint::Red, colour)));
    for (at, reason) in failure.reasons.iter().enumerate() {
        let head = if at == 0 { "because   " } else { "          " };
        out.push_str(&format!("    {head}{}\n", one_line(reason)));
    }
    out
}

/// Joins the lines of an expectation.
fn one_line(text: &str) -> String {
    printable_name(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Writes the difference between a snapshot and the present result, line by line. `most` bounds the lines.
pub fn difference(snapshot: &Snapshot, most: Option<usize>, colour: bool) -> String {
    let old = match &snapshot.state {
        SnapshotResult::Changed(old) => old.as_str(),
        _ => "",
    };
    let diff = TextDiff::from_lines(old, &snapshot.taken.text);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(2).iter().enumerate() {
        if at > 0 {
            lines.push(paint("      ⋯", Paint::Dim, colour));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = printable_name(change.value().trim_end());
            lines.push(match change.tag() {
                ChangeTag::Delete => paint(&format!("    - {text}"), Paint::Red, colour),
                ChangeTag::Insert => paint(&format!("    + {text}"), Paint::Green, colour),
                ChangeTag::Equal => format!("      {text}").trim_end().to_owned(),
            });
        }
    }
    let more = lines.len().saturating_sub(most.unwrap_or(usize::MAX));
    if more > 0 {
        lines.truncate(lines.len() - more);
        lines.push(format!("      and {}; `--review` shows all", count(more, "more line", "more lines")));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn coverage_text(report: &TestReport, coverage: &Coverage, threshold: Option<u8>, colour: bool) -> String {
    let mut lines = Vec::new();
    for condition in coverage.conditions() {
        let missing = missing(condition);
        if !missing.is_empty() {
            let place = printable_name(&report.sources.place(condition.span));
            lines.push(format!("  {}  {missing}", paint(&place, Paint::Dim, colour)));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, "not covered".to_owned());
    }
    let tone = if is_below(coverage, threshold) { Paint::Red } else { Paint::Bold };
    lines.push(paint(&coverage_line(coverage, threshold), tone, colour));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Writes the outcomes that a condition never had: `require driver: never unknown  (agent is attached)`.
/// Returns an empty text if it had them all.
pub fn missing(condition: &crate::testing::CoveredCondition) -> String {
    let missing: Vec<String> = condition.missing().map(|truth| format!("never {truth}")).collect();
    if missing.is_empty() {
        return String::new();
    }
    let missing =
        if condition.seen().next().is_none() { "never tried".to_owned() } else { missing.join(", ") };
    let label = if condition.label.is_empty() { String::new() } else { format!(" {}", condition.label) };
    let mut text: String = condition.text.chars().take(TEXT).collect();
    if text.len() < condition.text.len() {
        text.push('…');
    }
    printable_name(&format!("{}{label}: {missing}  ({text})", condition.kind))
}

/// The most characters shown of a condition.
const TEXT: usize = 60;

/// Writes the coverage: `coverage: 41 of 56 outcomes seen (73%)`.
pub fn coverage_line(coverage: &Coverage, threshold: Option<u8>) -> String {
    let (all, seen) = coverage.outcomes();
    let line =
        format!("coverage: {seen} of {} seen ({}%)", count(all, "outcome", "outcomes"), coverage.percent());
    match threshold {
        Some(threshold) if is_below(coverage, Some(threshold)) => {
            format!("{line}, and {threshold}% is asked for")
        }
        _ => line,
    }
}
