//! The conflicts of operations with a state: as data for programs, and as diagnostics for people.
//!
//! `claims` and `operation` make a conflict without knowing where it stands. [`apply`](super::apply) adds the
//! number and the place of its operation.

use std::fmt;

use crate::{
    Error,
    diagnostic::{Code, Diagnostic, Render, Report},
    source::{Sources, Span},
};

/// The reason why operations were not done. None of them was: a list of operations is one transaction.
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

    /// The same conflicts as diagnostics, each at its operation.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// A reason why one operation cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The number of the operation in its list, from 0.
    pub operation: usize,
    /// The kind of conflict. Each code has a page that explains it.
    pub code: Code,
    /// The message: one sentence, with names and amounts.
    pub message: String,
    /// The resource that is short. `users` if an existing volume has no place left.
    pub resource: Option<String>,
    /// The holder of the resource: the name of an agent, the path of a tier or of an existing volume, or
    /// `role ROLE` if a limit is short.
    pub holder: Option<String>,
    /// The amount that the operation takes, as the language writes it.
    pub wanted: Option<String>,
    /// The amount that is free to the operation, as the language writes it.
    pub free: Option<String>,
    /// The holders of the rest, where they are known.
    pub held_by: Vec<HeldBy>,
    /// The way out.
    pub help: String,
    pub(super) span: Span,
}

/// A holder of some of what an operation takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBy {
    /// `allocation`, `volume`, or `reservation`.
    pub kind: &'static str,
    /// The name of the allocation, the path of the volume, or the role of the reservation.
    pub name: String,
    /// The amount it has, as the language writes it.
    pub amount: String,
}

/// The longest line, in bytes, of which a diagnostic shows an excerpt. Programs write whole documents on one
/// line, and an excerpt of that helps nobody.
const WIDE: usize = 300;

/// The most holders that a message names. Those beyond are counted.
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

    /// Places the conflict at an operation.
    pub(super) fn at(self, operation: usize, span: Span) -> Conflict {
        Conflict { operation, span, ..self }
    }

    /// Returns the conflict as a diagnostic. Without an excerpt of its source where the line is longer than
    /// [`WIDE`]: the number in the message says which operation it is.
    fn diagnostic(&self, sources: &Sources) -> Diagnostic {
        // A serial that does not match is about the whole list, not about one operation.
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

/// Lists holders for a message: ``allocation `x1` has 4, allocation `x2` has 2, and 3 more``.
pub(super) fn list_holders(held_by: &[HeldBy]) -> String {
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

/// The conflict of operations that were made for a state of another serial.
pub(super) fn of_other_serial(wanted: u64, there: u64, span: Span) -> Conflict {
    let message = format!("these operations are for the state of serial {wanted}, and it is at {there}");
    let help = "ask for offers again, and decide on what is there now";
    Conflict::new(Code::B0526, message, help).at(0, span)
}
