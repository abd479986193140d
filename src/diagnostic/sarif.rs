//! Diagnostics in the Static Analysis Results Interchange Format, SARIF 2.1.0 (OASIS), which code scanning
//! tools read.

use indexmap::IndexSet;
use serde::Serialize;

use super::{Code, Diagnostic, Label, Report, explain};
use crate::source::{Sources, Span};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<SarifRule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: &'static str,
    short_description: SarifText,
    help: Help,
}

#[derive(Serialize)]
struct SarifText {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

/// A `result` in SARIF.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: SarifText,
    locations: Vec<SarifLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<SarifLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifLocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<SarifText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[LogicalLocation; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: SarifRegion,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRegion {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// Returns a report as a SARIF log with one run.
pub(super) fn log(report: &Report) -> String {
    let codes: IndexSet<Code> = report.diagnostics.iter().map(|problem| problem.code).collect();
    let results =
        report.diagnostics.iter().map(|problem| finding(&report.sources, &codes, problem)).collect();
    let rules = codes.iter().map(|code| SarifRule {
        id: code.name(),
        short_description: SarifText { text: code.title().to_owned() },
        help: Help { text: explain(*code), markdown: explain(*code) },
    });
    let driver = Driver { name: "bourse", version: env!("CARGO_PKG_VERSION"), rules: rules.collect() };
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [SarifRun { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    };
    serde_json::to_string_pretty(&log).unwrap_or_default()
}

fn finding(sources: &Sources, codes: &IndexSet<Code>, problem: &Diagnostic) -> Finding {
    let help = problem.help.as_ref().map_or(String::new(), |help| format!("\nhelp: {help}"));
    // The first label is the location of the result; the others are related locations.
    let (first, others) = problem.labels.split_at(problem.labels.len().min(1));
    Finding {
        rule_id: problem.code.name(),
        rule_index: codes.get_index_of(&problem.code).unwrap_or(0),
        level: problem.severity.name(),
        message: SarifText { text: format!("{}{help}", problem.message) },
        locations: first.iter().map(|label| location(sources, label, None)).collect(),
        related_locations: others
            .iter()
            .enumerate()
            .map(|(at, label)| location(sources, label, Some(at)))
            .collect(),
    }
}

fn location(sources: &Sources, label: &Label, id: Option<usize>) -> SarifLocation {
    let name = sources.get(label.span.source).name;
    let message = Some(SarifText { text: label.text.clone() });
    if !is_file(&name) {
        let named = LogicalLocation { fully_qualified_name: sources.place(label.span) };
        return SarifLocation { id, message, physical_location: None, logical_locations: Some([named]) };
    }
    let start = sources.line_column(label.span);
    let end = sources.line_column(Span { start: label.span.end, ..label.span });
    let region = SarifRegion {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    };
    let place = PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(&name) }, region };
    SarifLocation { id, message, physical_location: Some(place), logical_locations: None }
}

/// Returns `true` if a source is a file that a reader could open. Standard input and standard modules are
/// not.
fn is_file(name: &str) -> bool {
    let standard = name.starts_with("std.") && !name.contains('/') && !name.ends_with(".policy");
    !standard && !name.starts_with('<')
}

/// Returns a path as a URI reference (RFC 3986), relative if the path is.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    // The colon is escaped too: in the first segment it would end a scheme.
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("policies/a b.policy"), "policies/a%20b.policy");
        assert_eq!(uri("/tmp/ä.policy"), "file:///tmp/%C3%A4.policy");
        assert_eq!(uri("c:x.policy"), "c%3Ax.policy");
        assert!(is_file("std.policy") && !is_file("std.storage") && !is_file("<stdin>"));
    }
}
