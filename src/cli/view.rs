//! The argument `--as`: for whom a command writes its results.

use std::str::FromStr;

use super::{Failure, files::Console};
use crate::{Fleet, output::View};

/// The reader of results, as given on the command line. [`View`] is the same for a fleet that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The operator: everything.
    Operator,
    /// Every framework, each with a view of its own.
    Frameworks,
    /// The framework with this name.
    Framework(String),
}

impl FromStr for Who {
    type Err = String;

    /// Reads `operator`, `framework` or `framework=NAME`.
    fn from_str(text: &str) -> Result<Who, String> {
        match (text, text.strip_prefix("framework=")) {
            ("operator", _) => Ok(Who::Operator),
            ("framework", _) => Ok(Who::Frameworks),
            (_, Some(name)) if !name.is_empty() => Ok(Who::Framework(name.to_owned())),
            _ => Err("it is `operator`, `framework`, or `framework=NAME`".to_owned()),
        }
    }
}

impl Who {
    /// Restricts the problems that the run reports from here on to those that the reader may see.
    pub fn reads(&self, console: &mut Console) {
        if let Who::Framework(name) = self {
            console.reader = Some(super::problems::Reader::new(name));
        }
    }

    /// Returns `true` if the reader is the operator.
    pub fn is_operator(&self) -> bool {
        *self == Who::Operator
    }

    /// Returns `true` if the reader is one framework, which learns nothing of the results for others.
    pub fn is_one(&self) -> bool {
        matches!(self, Who::Framework(_))
    }

    /// Returns the views to write.
    pub fn views(&self, fleet: &Fleet) -> Result<Vec<View>, Failure> {
        Ok(match self {
            Who::Operator => vec![View::Operator],
            Who::Frameworks => View::each(fleet).collect(),
            Who::Framework(name) => vec![View::of(fleet, name)?],
        })
    }
}
