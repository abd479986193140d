//! The one error of the library: opaque, with predicates.

use std::fmt;

use crate::diagnostic::{Code, Render, Report};

/// The error of a policy, an inventory or a query. It holds every problem of the run, each with its code,
/// place, cause and remedy.
///
/// ```
/// let error = bourse::Policy::compile([("demo.policy", "agent a { resources { mem = 4m } }")]).unwrap_err();
/// assert!(error.is_policy());
/// assert_eq!(error.report().diagnostics[0].code.name(), "B0109");
/// assert!(error.to_string().contains("demo.policy:1:"));
/// ```
#[derive(Clone)]
pub struct Error {
    report: Box<Report>,
}

impl Error {
    pub(crate) fn new(report: Report) -> Self {
        Error { report: Box::new(report) }
    }

    pub(crate) fn into_report(self) -> Box<Report> {
        self.report
    }

    /// The problems, with the sources that they point into.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Renders the problems as text, with source lines. See [`Render`].
    pub fn render(&self, how: Render) -> String {
        self.report.render(how)
    }

    fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        self.report.diagnostics.iter().any(|problem| problem.is_error() && test(problem.code.name()))
    }

    /// Returns `true` if a policy does not compile.
    pub fn is_policy(&self) -> bool {
        self.any(|code| ["B01", "B02", "B03", "B04"].iter().any(|group| code.starts_with(group)))
    }

    /// Returns `true` if an inventory cannot be read, or does not fit the policy.
    pub fn is_inventory(&self) -> bool {
        self.any(|code| code.starts_with("B05"))
    }

    /// Returns `true` if a query names a need that does not exist.
    pub fn is_unknown_need(&self) -> bool {
        self.any(|code| code == Code::B0903.name())
    }
}

impl fmt::Display for Error {
    /// Writes one line: the first problem, its position, and the number of further problems.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.report.diagnostics.iter().filter(|problem| problem.is_error());
        let Some(first) = errors.next() else { return f.write_str("unknown error") };
        if let Some(label) = first.labels.first() {
            write!(f, "{}: ", self.report.sources.place(label.span))?;
        }
        write!(f, "{}: {}", first.code, first.message)?;
        match errors.count() {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}
