//! Resolves the names of needs and volumes in expectations.

use indexmap::IndexMap;

use super::{
    expect::{ExpectationProblem, unknown},
    overlay::FleetNames,
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest_after},
    matching::NeedId,
    parse::ast::{DottedName, Expect, Name},
    resolve::hir::Framework,
    source::Span,
    types::Side,
    value::{join_key, show_name},
};

/// The needs of a set, indexed by name. Their ids are those of the plan.
pub(super) struct Needs {
    needs: Vec<NeedNames>,
    /// The positions in `needs` of all needs of a name.
    named: IndexMap<String, Vec<usize>>,
}

struct NeedNames {
    id: NeedId,
    framework: String,
    need: String,
    volumes: Vec<String>,
}

impl Needs {
    pub(super) fn of<'h>(frameworks: impl IntoIterator<Item = &'h Framework>) -> Needs {
        let mut needs = Vec::new();
        for (framework, known) in frameworks.into_iter().enumerate() {
            needs.extend(known.needs.iter().enumerate().map(|(need, one)| NeedNames {
                id: NeedId { framework, need },
                framework: known.name.text.clone(),
                need: one.name.text.clone(),
                volumes: one.volumes.iter().map(|volume| volume.name.text.clone()).collect(),
            }));
        }
        let mut named: IndexMap<String, Vec<usize>> = IndexMap::new();
        for (at, entry) in needs.iter().enumerate() {
            named.entry(entry.need.clone()).or_default().push(at);
        }
        Needs { needs, named }
    }

    /// Returns the need that an expectation is about, if it is about one. `told` is the number of problems so
    /// far.
    pub(super) fn named(&self, expect: &Expect, told: usize) -> Result<Option<NeedId>, ExpectationProblem> {
        match expect {
            Expect::Outcome(need, _) | Expect::On { need, .. } => {
                self.need(&need.segments, need.span, told).map(Some)
            }
            Expect::From { volume, .. } => self.volume(volume, told).map(|(id, _)| Some(id)),
            Expect::Free { .. } | Expect::Share { .. } | Expect::Snapshot => Ok(None),
        }
    }

    /// Resolves `NEED` or `FRAMEWORK.NEED`.
    pub(super) fn need(
        &self,
        segments: &[Name],
        span: Span,
        told: usize,
    ) -> Result<NeedId, ExpectationProblem> {
        self.entry(segments, span, told).map(|entry| entry.id)
    }

    fn entry(&self, segments: &[Name], span: Span, told: usize) -> Result<&NeedNames, ExpectationProblem> {
        let texts: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
        let last = texts.last().copied().unwrap_or_default();
        let of_name = self.named.get(last).into_iter().flatten().map(|at| &self.needs[*at]);
        let fits = |entry: &&NeedNames| match texts.as_slice() {
            [_] => true,
            [framework, _] => entry.framework == *framework,
            _ => false,
        };
        let found: Vec<&NeedNames> = of_name.filter(fits).collect();
        let shown = join_key(texts.iter().copied());
        match found.as_slice() {
            [only] => Ok(only),
            [] => {
                let known = self.needs.iter().map(|entry| entry.need.as_str());
                let help = match nearest_after(told, last, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write NEED or FRAMEWORK.NEED of a need that is declared".to_owned(),
                };
                let message = format!("no need is named `{shown}`");
                Err(Box::new(Diagnostic::error(Code::B0213, span, message).help(help)))
            }
            [first, ..] => {
                let message = format!("`{shown}` could be the need of {} frameworks", found.len());
                let help = format!("write which: `{}.{shown}`", show_name(&first.framework));
                Err(Box::new(Diagnostic::error(Code::B0214, span, message).help(help)))
            }
        }
    }

    /// Resolves `NEED.VOLUME` or `FRAMEWORK.NEED.VOLUME` to the need and the name of the volume.
    pub(super) fn volume(
        &self,
        path: &DottedName,
        told: usize,
    ) -> Result<(NeedId, String), ExpectationProblem> {
        let Some((volume, need)) = path.segments.split_last().filter(|(_, need)| !need.is_empty()) else {
            let message = "the volume of which need?";
            return Err(Box::new(
                Diagnostic::error(Code::B0213, path.span, message).help("write NEED.VOLUME"),
            ));
        };
        let entry = self.entry(need, path.span, told)?;
        if entry.volumes.contains(&volume.text) {
            return Ok((entry.id, volume.text.clone()));
        }
        Err(unknown("volume", volume, entry.volumes.iter().map(String::as_str), told))
    }
}

/// Checks that the agent, pool or existing volume of an expectation is one that its test sees.
pub(super) fn of_fleet(fleet: &FleetNames, expect: &Expect, told: usize) -> Result<(), ExpectationProblem> {
    let (kind, known, name) = match expect {
        Expect::On { agent, .. } => ("agent", &fleet.agents, agent),
        Expect::Free { side: Side::Agent, holder, .. } => ("agent", &fleet.agents, holder),
        Expect::From { supply, .. } => ("pool", &fleet.supplies, supply),
        Expect::Free { holder, .. } => ("pool", &fleet.supplies, holder),
        Expect::Outcome(..) | Expect::Share { .. } | Expect::Snapshot => return Ok(()),
    };
    if known.contains(&name.text) {
        return Ok(());
    }
    Err(unknown(kind, name, known.iter().map(String::as_str), told))
}
