//! Why operations cannot be done as things are now.

use std::fmt;

use crate::{
    Error,
    diagnostic::{Code, Diagnostic, Render, Report},
    source::{Sources, Span},
};

/// Why operations were not done. Nothing of them was.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// Policies, inventories and state do not go together, whatever the operations.
    Invalid(Error),
    /// The operations conflict with what is taken, or with each other.
    Conflicts(Conflicts),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Invalid(error) => error.fmt(f),
            Refusal::Conflicts(conflicts) => f.write_str(&conflicts.report.render(Render::Human(false))),
        }
    }
}

impl std::error::Error for Refusal {}

/// The conflicts of a list of operations.
#[derive(Clone, Debug)]
pub struct Conflicts {
    /// In the order of the operations.
    pub list: Vec<Conflict>,
    report: Report,
}

impl Conflicts {
    pub(super) fn new(list: Vec<Conflict>, sources: &Sources) -> Conflicts {
        let diagnostics = list.iter().map(|conflict| conflict.diagnostic(sources)).collect();
        Conflicts { list, report: Report { sources: sources.clone(), diagnostics } }
    }

    /// The same as problems, each at its operation.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// Why one operation cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which operation, from 0.
    pub operation: usize,
    /// Which kind of conflict; a page explains it.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The resource that is short; of existing volumes `users`.
    pub resource: Option<String>,
    /// Who has it: an agent's name, or the path of a tier or an existing volume.
    pub holder: Option<String>,
    /// How much the operation takes.
    pub wanted: Option<String>,
    /// How much is free to it.
    pub free: Option<String>,
    /// Who has the rest.
    pub held_by: Vec<HeldBy>,
    /// What to do.
    pub help: String,
    pub(super) span: Span,
}

/// Who has some of what an operation wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBy {
    /// `allocation`, `volume`, or `reservation` (what is kept for a role).
    pub kind: &'static str,
    /// Its name; of a volume its path, of what is kept the role.
    pub name: String,
    /// How much of it.
    pub amount: String,
}

/// Lines of more bytes than this show nobody anything.
const WIDE: usize = 300;

/// More names than these are counted.
const NAMED: usize = 4;

impl Conflict {
    pub(crate) fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Conflict {
        Conflict {
            operation: 0,
            code,
            message: message.into(),
            resource: None,
            holder: None,
            wanted: None,
            free: None,
            held_by: Vec::new(),
            help: help.into(),
            span: Span::default(),
        }
    }

    /// Stands at an operation.
    pub(super) fn at(self, operation: usize, span: Span) -> Conflict {
        Conflict { operation, span, ..self }
    }

    /// As a problem. What a program wrote on one line is not shown: the number says which operation it is.
    fn diagnostic(&self, sources: &Sources) -> Diagnostic {
        let message = match self.code {
            Code::B0526 => self.message.clone(),
            _ => format!("operations[{}]: {}", self.operation, self.message),
        };
        let text = &sources.get(self.span.source).text;
        let before = text.get(..self.span.start as usize).unwrap_or_default();
        let after = text.get(self.span.start as usize..).unwrap_or_default();
        let line = before.len() - before.rfind('\n').map_or(0, |at| at + 1)
            + after.find('\n').unwrap_or(after.len());
        let problem = if line > WIDE {
            Diagnostic::without_place(self.code, message)
        } else {
            Diagnostic::error(self.code, self.span, message)
        };
        problem.help(self.help.clone())
    }
}

/// `x1 has 4, x2 has 2, and 3 more`
pub(super) fn holders(held_by: &[HeldBy]) -> String {
    let named = held_by.iter().take(NAMED).map(|held| match held.kind {
        "reservation" => format!("{} is kept for role `{}`", held.amount, held.name),
        kind => format!("{kind} `{}` has {}", held.name, held.amount),
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if held_by.len() > NAMED {
        text.push_str(&format!(", and {} more", held_by.len() - NAMED));
    }
    text
}

/// Operations that were made for another state.
pub(super) fn of_other_serial(wanted: u64, there: u64, span: Span) -> Conflict {
    let message = format!("these operations are for the state of serial {wanted}, and it is at {there}");
    let help = "ask for offers again, and decide on what is there now";
    Conflict::new(Code::B0526, message, help).at(0, span)
}
