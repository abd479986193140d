//! `--as`: who looks at what a command tells.

use std::str::FromStr;

use super::{Failure, files::Console};
use crate::{Fleet, output::View};

/// Who looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The operator: everything.
    Operator,
    /// Each framework, its view apart from the others'.
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
    /// From here on the run tells only what this one may see of its problems.
    pub fn reads(&self, console: &mut Console) {
        if let Who::Framework(name) = self {
            console.reader = Some(super::problems::Reader::new(name));
        }
    }

    /// Whether the operator looks.
    pub fn is_operator(&self) -> bool {
        *self == Who::Operator
    }

    /// Whether the run is one framework's, which is told nothing of how it went for others.
    pub fn is_one(&self) -> bool {
        matches!(self, Who::Framework(_))
    }

    /// The views that are told.
    pub fn views(&self, fleet: &Fleet) -> Result<Vec<View>, Failure> {
        Ok(match self {
            Who::Operator => vec![View::Operator],
            Who::Frameworks => View::each(fleet).collect(),
            Who::Framework(name) => vec![View::of(fleet, name)?],
        })
    }
}
