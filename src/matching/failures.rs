//! Judges a candidate that is given, instead of searching for one: its failures, and what it would take and
//! earn. Used by explanations of a certain agent and supplies.

use super::{Matcher, amounts::Draft, check::Reach, failure::Failure};

impl<'a> Matcher<'a> {
    /// Returns every failure of an agent with exactly these supplies, one for each volume, each with the
    /// index of its volume. First each part is checked alone. Only if all hold, the parts are checked
    /// together, since a joint failure would repeat those of its parts.
    pub fn failures_of(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<(Failure<'a>, Option<usize>)> {
        let mut found: Vec<(Failure<'a>, Option<usize>)> = Vec::new();
        found.extend(self.agent_failures(agent).into_iter().map(|failure| (failure, None)));
        let volumes = self.subject.need.volumes.iter().zip(supplies);
        for (at, (volume, supply)) in volumes.enumerate() {
            let failures = self.supply_failures(agent, volume, *supply, Reach::All);
            found.extend(failures.into_iter().map(|failure| (failure, Some(at))));
        }
        if !found.is_empty() {
            return found;
        }
        let mut draft = Draft::default();
        for (at, supply) in supplies.iter().enumerate() {
            let failures = self.joint_failures(agent, &supplies[..=at]);
            found.extend(failures.into_iter().map(|failure| (failure, Some(at))));
            if let Err(shortage) = self.draft_volume(&mut draft, at, *supply) {
                found.push((Failure::Amount(*shortage), Some(at)));
            }
        }
        found
    }
}
