//! The argument `--as`: for whom a command writes its results.

use std::str::FromStr;

use super::{CommandFailure, files::Console};
use crate::{Fleet, output::View};

/// The reader of results, as given on the command line. [`View`] is the same for a fleet that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The operator: everything.
    Operator,
    /// Every framework, each with a view of its own.
    Frameworks,
    /// The framework with this name.
    Framework(String),
}

impl FromStr for Audience {
    type Err = String;

    /// Reads `operator`, `framework` or `framework=NAME`.
    fn from_str(text: &str) -> Result<Audience, String> {
        match (text, text.strip_prefix("framework=")) {
            ("operator", _) => Ok(Audience::Operator),
            ("framework", _) => Ok(Audience::Frameworks),
            (_, Some(name)) if !name.is_empty() => Ok(Audience::Framework(name.to_owned())),
            _ => Err("it is `operator`, `framework`, or `framework=NAME`".to_owned()),
        }
    }
}

impl Audience {
    /// Restricts the problems that the run reports from here on to those that the reader may see.
    pub fn restrict_problems(&self, console: &mut Console) {
        if let Audience::Framework(name) = self {
            console.reader = Some(super::problems::FrameworkFilter::new(name));
        }
    }

    /// Returns `true` if the reader is the operator.
    pub fn is_operator(&self) -> bool {
        *self == Audience::Operator
    }

    /// Returns `true` if the reader is one framework, which learns nothing of the results for others.
    pub fn is_one(&self) -> bool {
        matches!(self, Audience::Framework(_))
    }

    /// Returns the views to write.
    pub fn views(&self, fleet: &Fleet) -> Result<Vec<View>, CommandFailure> {
        Ok(match self {
            Audience::Operator => vec![View::Operator],
            Audience::Frameworks => View::each(fleet).collect(),
            Audience::Framework(name) => vec![View::of(fleet, name)?],
        })
    }
}
