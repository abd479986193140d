//! Writes results as workflow commands, which GitHub shows beside the lines of a pull request.

use super::{is_below, pretty};
use crate::{
    output::printable_name,
    source::{Sources, Span},
    testing::{TestReport, Verdict},
};

pub fn text(report: &TestReport, threshold: Option<u8>) -> String {
    let mut out = String::new();
    for result in &report.results {
        match &result.verdict {
            Verdict::Passed => {}
            Verdict::Failed(failures) => {
                for failure in failures {
                    let mut lines = vec![
                        format!("expected: {}", failure.expected),
                        format!("actual: {}", failure.actual),
                    ];
                    lines.extend(failure.reasons.iter().map(|reason| format!("because: {reason}")));
                    out.push_str(&command(
                        "error",
                        &report.sources,
                        Some(failure.span),
                        &result.name,
                        &lines,
                    ));
                }
            }
            Verdict::Broken(problems) => {
                for problem in problems.diagnostics.iter().filter(|problem| problem.is_error()) {
                    let span = problem.labels.first().map(|label| label.span);
                    let mut lines = vec![format!("{}: {}", problem.code, problem.message)];
                    lines.extend(problem.help.clone());
                    out.push_str(&command("error", &problems.sources, span, &result.name, &lines));
                }
            }
        }
    }
    if let Some(coverage) = &report.coverage {
        for condition in coverage.conditions() {
            let missing = pretty::missing(condition);
            if !missing.is_empty() {
                out.push_str(&command(
                    "notice",
                    &report.sources,
                    Some(condition.span),
                    "coverage",
                    &[missing],
                ));
            }
        }
        let line = pretty::coverage_line(coverage, threshold);
        if is_below(coverage, threshold) {
            out.push_str(&command("error", &report.sources, None, "coverage", &[line]));
        } else {
            out.push_str(&format!("{line}\n"));
        }
    }
    out + &pretty::summary(report) + "\n"
}

fn command(kind: &str, sources: &Sources, span: Option<Span>, title: &str, lines: &[String]) -> String {
    let place = span.map_or(String::new(), |span| {
        let at = sources.line_column(span);
        let file = property(&sources.get(span.source).name);
        format!("file={file},line={},col={},", at.line, at.column)
    });
    let message: Vec<String> = lines.iter().map(|line| data(&printable_name(line))).collect();
    format!("::{kind} {place}title={}::{}\n", property(title), message.join("%0A"))
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command, with the characters that would end it.
fn property(text: &str) -> String {
    data(&printable_name(text)).replace(':', "%3A").replace(',', "%2C")
}
