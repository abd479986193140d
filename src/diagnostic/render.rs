//! The rendering of diagnostics: through miette for people, as JSON or SARIF for programs.

use std::fmt;

use miette::{LabeledSpan, SourceCode};
use serde::Serialize;

use super::{Diagnostic, Label, Severity, window::Window};
use crate::{
    limits,
    source::{Sources, Span},
    value,
};

/// The diagnostics of a run, with the sources they point into.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The sources of the spans.
    pub sources: Sources,
    /// The diagnostics, in order of their spans.
    pub diagnostics: Vec<Diagnostic>,
}

/// The output format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Render {
    /// Excerpts of the sources with labels; `true` for colour.
    Human(bool),
    /// One JSON object, described by `schema/diagnostics.schema.json`.
    Json,
    /// One SARIF 2.1.0 log.
    Sarif,
}

impl Report {
    /// Returns `true` if a diagnostic keeps the policy from compiling.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Moves the diagnostics of another report into this one, with their sources.
    pub fn absorb(&mut self, other: Report) {
        if other.diagnostics.is_empty() {
            return;
        }
        // The sources are appended, so spans move by the number of sources before them.
        let first = self.sources.append(&other.sources);
        self.diagnostics.extend(other.diagnostics.into_iter().map(|mut diagnostic| {
            for label in &mut diagnostic.labels {
                label.span = label.span.lifted(first);
            }
            diagnostic
        }));
    }

    /// Sorts by span, then severity, and removes duplicates.
    pub fn sort(&mut self) {
        self.diagnostics.sort_by_cached_key(|diagnostic| {
            let at = diagnostic.labels.first().map(|label| label.span);
            (at, diagnostic.severity, diagnostic.code, diagnostic.message.clone())
        });
        self.diagnostics.dedup();
    }

    /// Keeps at most `most` diagnostics, errors before others. The last one mentions how many were left out.
    pub fn limit(&mut self, most: usize) {
        let more = self.diagnostics.len().saturating_sub(most);
        if more == 0 {
            return;
        }
        // The sort is stable: diagnostics of one severity stay in order of their spans.
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.severity);
        self.diagnostics.truncate(most);
        self.sort();
        if let Some(last) = self.diagnostics.last_mut() {
            last.message.push_str(&format!(" (and {more} more problems that are not listed)"));
        }
    }

    /// Renders the report. Text for people ends with a line that counts the problems. An empty report is
    /// empty text.
    pub fn render(&self, how: Render) -> String {
        match how {
            Render::Human(colour) => self.human(colour),
            Render::Json => self.json(),
            Render::Sarif => super::sarif::log(self),
        }
    }

    fn human(&self, colour: bool) -> String {
        let mut out = String::new();
        let mut shown: Vec<&Diagnostic> = self.diagnostics.iter().collect();
        // Errors are kept before warnings and notes.
        if shown.len() > limits::PROBLEMS_SHOWN {
            shown.sort_by_key(|diagnostic| diagnostic.severity);
            shown.truncate(limits::PROBLEMS_SHOWN);
        }
        for diagnostic in &shown {
            out.push_str(&frame(&self.sources, diagnostic, colour));
            out.push('\n');
        }
        let count = |severity| self.diagnostics.iter().filter(|d| d.severity == severity).count();
        let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .filter(|severity| count(*severity) > 0)
            .map(|severity| {
                let n = count(severity);
                format!("{n} {}{}", severity.name(), if n == 1 { "" } else { "s" })
            })
            .collect();
        if !counts.is_empty() {
            out.push_str(&counts.join(", "));
            if shown.len() < self.diagnostics.len() {
                out.push_str(&format!("; the first {} are shown", shown.len()));
            }
            out.push('\n');
        }
        out
    }

    fn json(&self) -> String {
        let problems = self.diagnostics.iter().map(|d| WireDiagnostic::new(&self.sources, d)).collect();
        let wire = WireReport { format: "bourse.diagnostics", version: 1, diagnostics: problems };
        serde_json::to_string_pretty(&wire).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct WireReport {
    format: &'static str,
    version: u32,
    diagnostics: Vec<WireDiagnostic>,
}

#[derive(Serialize)]
struct WireDiagnostic {
    code: &'static str,
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    places: Vec<WireSpan>,
}

#[derive(Serialize)]
struct WireSpan {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
}

impl WireDiagnostic {
    fn new(sources: &Sources, diagnostic: &Diagnostic) -> Self {
        let places = diagnostic.labels.iter().map(|label| {
            let start = sources.line_column(label.span);
            let end = sources.line_column(Span { start: label.span.end, ..label.span });
            WireSpan {
                file: sources.get(label.span.source).name.to_string(),
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
                text: label.text.clone(),
            }
        });
        WireDiagnostic {
            code: diagnostic.code.name(),
            severity: diagnostic.severity.name(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            places: places.collect(),
        }
    }
}

/// A diagnostic in the form that miette expects. It shows labels of one source; labels elsewhere become part
/// of the help.
struct Dressed<'a> {
    diagnostic: &'a Diagnostic,
    source: Option<Window>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    message: String,
}

impl fmt::Debug for Dressed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Dressed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Dressed<'_> {}

impl miette::Diagnostic for Dressed<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("{} {}", self.diagnostic.severity.name(), self.diagnostic.code)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}

fn frame(sources: &Sources, diagnostic: &Diagnostic, colour: bool) -> String {
    let mut dressed = Dressed {
        diagnostic,
        source: None,
        labels: Vec::new(),
        help: diagnostic.help.as_deref().map(printable),
        message: printable(&diagnostic.message),
    };
    let mut elsewhere = Vec::new();
    if let Some(first) = diagnostic.labels.first() {
        let home = sources.get(first.span.source);
        let at_home = |label: &&Label| label.span.source == first.span.source;
        let places: Vec<Span> = diagnostic.labels.iter().filter(at_home).map(|label| label.span).collect();
        let window = Window::around(&home, printable(&home.name), &places);
        for label in &diagnostic.labels {
            let found = window.as_ref().filter(|_| at_home(&label)).and_then(|it| it.find(&home, label.span));
            match found {
                Some((start, length)) => {
                    dressed.labels.push(LabeledSpan::new(Some(printable(&label.text)), start, length));
                }
                // A span that cannot be shown is mentioned by its position.
                None if label == first => {
                    elsewhere.push(format!("at {}", printable(&sources.place(label.span))))
                }
                None => elsewhere.push(format!(
                    "{}: {}",
                    printable(&sources.place(label.span)),
                    printable(&label.text)
                )),
            }
        }
        dressed.source = window;
    }
    if !elsewhere.is_empty() {
        let help = dressed.help.into_iter().chain(elsewhere).collect::<Vec<_>>();
        dressed.help = Some(help.join("\n"));
    }
    draw(&dressed, colour)
}

/// Replaces characters that could move the cursor, change colours, reorder the text or hide in it. Line ends
/// stay.
fn printable(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(value::printable).collect();
    lines.join("\n")
}

fn draw(dressed: &Dressed<'_>, colour: bool) -> String {
    let mut out = String::new();
    // If the excerpt cannot be rendered, the message is still shown.
    if dress(&mut out, dressed, colour).is_ok() {
        return out;
    }
    let severity = dressed.diagnostic.severity.name();
    format!("{severity} {}: {}\n", dressed.diagnostic.code, dressed.message)
}

#[cfg(feature = "cli")]
fn dress(out: &mut String, dressed: &Dressed<'_>, colour: bool) -> fmt::Result {
    let theme =
        if colour { miette::GraphicalTheme::unicode() } else { miette::GraphicalTheme::unicode_nocolor() };
    let handler = miette::GraphicalReportHandler::new_themed(theme).with_width(110).with_links(false);
    handler.render_report(out, dressed)
}

/// Builds without a terminal render plain text, without excerpts and colours.
#[cfg(not(feature = "cli"))]
fn dress(out: &mut String, dressed: &Dressed<'_>, _colour: bool) -> fmt::Result {
    miette::NarratableReportHandler::new().render_report(out, dressed)
}
