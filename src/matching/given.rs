//! A candidate that is given, rather than looked for: what is against it, and what it would take and earn.

use super::{
    Candidate, Matcher,
    amounts::Draft,
    check::{Failure, Reach},
};

impl<'a> Matcher<'a> {
    /// Every failure of an agent with these very supplies, one for each volume: of each part alone; where there is
    /// none, of the parts together. With each the number of the volume it is of.
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

    /// The candidate that an agent with these supplies is. What does not fit is left out.
    pub fn given(&self, agent: Option<usize>, supplies: &[usize]) -> Candidate {
        self.complete(agent, supplies)
    }
}
