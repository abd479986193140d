//! Roles, frameworks and needs of an inventory, converted to statements of the language. They are then
//! checked and compiled with the policy, so that a need means the same from data and from a policy (decision
//! 2).

use indexmap::{IndexMap, IndexSet};

use super::{
    bind::SourceRecords,
    records::{DeclarationRecord, FrameworkRecord, Located, NeedRecord},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    keys,
    parse::{
        self,
        ast::{Block, BlockKind, Body, Name, Statement, StatementKind},
    },
    source::Span,
};

/// The declarations of all inventories of a run.
#[derive(Clone, Debug, Default)]
pub struct DeclaredBlocks {
    /// The statements.
    pub statements: Vec<Statement>,
    /// The frameworks of the policy that a copy in `statements` replaces, because data adds needs to them.
    pub replaced: IndexSet<String>,
}

/// Converts the declarations of all parts. `own` has the statements of the policy. A framework that has only
/// needs adds them to the one of its name, if data or the policy declares one.
pub fn statements(parts: &[SourceRecords<'_>], own: &[&Statement]) -> (DeclaredBlocks, Vec<Diagnostic>) {
    let mut declared = DeclaredBlocks::default();
    let mut problems = Vec::new();
    // By name, so that adding needs takes constant time.
    let mut frameworks: IndexMap<String, usize> = IndexMap::new();
    let own: IndexMap<&str, &Statement> =
        own.iter().filter_map(|statement| Some((framework_name(statement)?, *statement))).collect();
    for part in parts {
        for role in &part.records.roles {
            let block = block(part, BlockKind::Role, role, Vec::new(), &mut problems);
            declared.statements.push(block);
        }
        for framework in &part.records.frameworks {
            let needs = framework.needs.iter().map(|need| self::need(part, need, &mut problems)).collect();
            add_framework(part, framework, needs, &own, &mut frameworks, &mut declared, &mut problems);
        }
        for record in &part.records.needs {
            let statement = need(part, record, &mut problems);
            declared.statements.push(statement);
        }
    }
    (declared, problems)
}

fn add_framework(
    part: &SourceRecords<'_>,
    framework: &FrameworkRecord,
    needs: Vec<Statement>,
    own: &IndexMap<&str, &Statement>,
    frameworks: &mut IndexMap<String, usize>,
    declared: &mut DeclaredBlocks,
    problems: &mut Vec<Diagnostic>,
) {
    let name = &framework.declaration.name.text;
    let extends = framework.declaration.statements.is_empty();
    if extends && let Some(at) = frameworks.get(name) {
        if let StatementKind::Block(block) = &mut declared.statements[*at].kind {
            block.body.statements.extend(needs);
        }
        return;
    }
    let of_set = own.get(name.as_str());
    let statement = match of_set {
        // The policy declares the framework: a copy with the additional needs takes its place.
        Some(statement) if extends => {
            declared.replaced.insert(name.clone());
            let mut statement = (*statement).clone();
            if let StatementKind::Block(block) = &mut statement.kind {
                block.body.statements.extend(needs);
            }
            statement
        }
        _ => block(part, BlockKind::Framework, &framework.declaration, needs, problems),
    };
    frameworks.insert(name.clone(), declared.statements.len());
    declared.statements.push(statement);
}

/// Returns the name of the framework that a statement declares.
pub fn framework_name(statement: &Statement) -> Option<&str> {
    match &statement.kind {
        StatementKind::Block(Block { kind: BlockKind::Framework, name: Some(name), .. }) => Some(&name.text),
        _ => None,
    }
}

fn need(part: &SourceRecords<'_>, record: &NeedRecord, problems: &mut Vec<Diagnostic>) -> Statement {
    let mut inner = Vec::new();
    if let Some((statements, span)) = &record.agent {
        let span = part.to_run_span(*span);
        let body = Body { statements: read(part, statements, problems), span };
        inner.push(statement(span, Block { kind: BlockKind::Agent, name: None, head: span, body }));
    }
    for volume in &record.volumes {
        inner.push(block(part, BlockKind::Volume, volume, Vec::new(), problems));
    }
    block(part, BlockKind::Need, &record.declaration, inner, problems)
}

/// Builds a block: the statements of a record, then `more`.
fn block(
    part: &SourceRecords<'_>,
    kind: BlockKind,
    record: &DeclarationRecord,
    more: Vec<Statement>,
    problems: &mut Vec<Diagnostic>,
) -> Statement {
    let span = part.to_run_span(record.name.span);
    let mut statements = read(part, &record.statements, problems);
    statements.extend(more);
    let name = Some(Name { text: record.name.text.clone(), span });
    statement(span, Block { kind, name, head: span, body: Body { statements, span } })
}

fn statement(span: Span, block: Block) -> Statement {
    Statement { docs: Vec::new(), span, kind: StatementKind::Block(block) }
}

/// Parses texts that each hold one statement.
fn read(part: &SourceRecords<'_>, texts: &[Located], problems: &mut Vec<Diagnostic>) -> Vec<Statement> {
    let mut statements = Vec::with_capacity(texts.len());
    for text in texts {
        let span = part.to_run_span(text.span);
        let (read, wrong) = parse::statements(&text.text, span);
        if wrong.is_empty() && read.len() != 1 {
            let message = format!("`{}` is not one statement", text.text);
            problems.push(
                Diagnostic::error(Code::B0502, span, message)
                    .help("write each statement as a text of its own"),
            );
            continue;
        }
        problems.extend(wrong);
        statements.extend(read);
    }
    statements
}

/// Returns the levels that the first part with levels states.
pub fn levels(parts: &[SourceRecords<'_>]) -> Option<Vec<String>> {
    parts.iter().find_map(|part| part.records.broker.levels.as_ref()).map(|(levels, _)| levels.clone())
}

/// Reports levels that are reserved words, and levels that differ from those of the policy or of other data.
pub fn level_conflicts(
    parts: &[SourceRecords<'_>],
    declared: &[String],
    at: Option<Span>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for part in parts {
        let Some((levels, span)) = &part.records.broker.levels else { continue };
        if let Some(word) = levels.iter().find(|level| keys::is_no_level(level)) {
            let message = format!("a level cannot be named `{word}`");
            let problem = Diagnostic::error(Code::B0211, part.to_run_span(*span), message);
            problems.push(problem.help("that word is built in; choose another"));
        }
        if levels == declared {
            continue;
        }
        let message =
            format!("levels `{}` here, and `{}` elsewhere", levels.join(" > "), declared.join(" > "));
        let mut problem = Diagnostic::error(Code::B0513, part.to_run_span(*span), message);
        if let Some(span) = at {
            problem = problem.also(span, "declared here");
        }
        problems.push(problem.help("state the levels in one place, or the same everywhere"));
    }
    problems
}
