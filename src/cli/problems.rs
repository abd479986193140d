//! The problems of a set as one framework may see them (`--as framework=NAME`).
//!
//! A framework sees the problems whose place is in its own declarations. Of all others it learns only that
//! there are some, if they are errors. Labels outside its declarations are removed.

use std::sync::Arc;

use crate::{
    Inventory,
    diagnostic::{Code, Diagnostic, Report},
    inventory::records::{DeclarationRecord, FrameworkRecord},
    parse::ast::{Block, BlockKind, StatementKind},
    pipeline::Parsed,
    source::{Sources, Span},
};

/// The framework that a run is for.
#[derive(Debug)]
pub struct FrameworkFilter {
    name: String,
    /// The places of its declarations: the name of the source, the first byte, and one past the last.
    places: Vec<(Arc<str>, u32, u32)>,
}

impl FrameworkFilter {
    pub fn new(name: &str) -> FrameworkFilter {
        FrameworkFilter { name: name.to_owned(), places: Vec::new() }
    }

    fn add(&mut self, sources: &Sources, span: Span) {
        self.places.push((Arc::clone(&sources.get(span.source).name), span.start, span.end));
    }

    /// Adds its declarations in a set.
    pub fn find(&mut self, parsed: &Parsed) {
        for statement in parsed.files.iter().flat_map(|ast| &ast.items) {
            // A need at the top of a file makes a framework of its own name.
            if let StatementKind::Block(Block { kind, name: Some(name), .. }) = &statement.kind
                && matches!(kind, BlockKind::Framework | BlockKind::Need)
                && name.text == self.name
            {
                self.add(&parsed.sources, statement.span);
            }
        }
    }

    /// Adds its declarations in an inventory.
    pub fn find_in(&mut self, inventory: &Inventory) {
        let (records, sources) = inventory.parts();
        let own = records.frameworks.iter().filter(|known| known.declaration.name.text == self.name);
        let own: Vec<Span> = own.flat_map(spans).collect();
        own.into_iter().for_each(|span| self.add(sources, span));
    }

    fn sees(&self, sources: &Sources, span: Span) -> bool {
        let name = &sources.get(span.source).name;
        self.places.iter().any(|(own, start, end)| own == name && *start <= span.start && span.end <= *end)
    }

    /// Returns the part of a report that the framework may see.
    pub fn restrict(&self, mut report: Report) -> Report {
        let mut hidden = false;
        let sources = report.sources.clone();
        report.diagnostics.retain_mut(|problem| {
            let is_told = match problem.labels.first() {
                Some(label) => self.sees(&sources, label.span),
                None => OF_THE_RUN.contains(&problem.code),
            };
            problem.labels.retain(|label| self.sees(&sources, label.span));
            hidden |= !is_told && problem.is_error();
            is_told
        });
        if hidden {
            let message = "the set has problems that this framework is not told of";
            let problem = Diagnostic::without_place(Code::B0908, message);
            report.diagnostics.push(problem.help("its operator sees them with `bourse check`"));
        }
        report
    }
}

/// The codes of problems about the command itself. Without a place, only these are shown.
const OF_THE_RUN: [Code; 4] = [Code::B0901, Code::B0902, Code::B0903, Code::B0907];

/// Returns the places of all declarations of a framework in an inventory.
fn spans(framework: &FrameworkRecord) -> Vec<Span> {
    let of = |record: &DeclarationRecord| -> Vec<Span> {
        std::iter::once(record.name.span).chain(record.statements.iter().map(|one| one.span)).collect()
    };
    let mut all = of(&framework.declaration);
    for need in &framework.needs {
        all.extend(of(&need.declaration));
        all.extend(need.agent.iter().flat_map(|(statements, span)| {
            std::iter::once(*span).chain(statements.iter().map(|one| one.span))
        }));
        all.extend(need.volumes.iter().flat_map(of));
    }
    all
}
