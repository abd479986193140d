//! What an index knows of the supplies of a need's volumes: instead of looking at each for each agent.

use std::sync::Arc;

use super::supplies::{AskedOfSupplies, Rank};
use crate::{
    engine::columns::{Bits, Levels},
    matching::{Choice, Matcher},
};

/// The supplies that are open to a need's volumes.
#[derive(Debug, Default)]
pub struct Open {
    volumes: Vec<OpenVolume>,
}

#[derive(Debug)]
struct OpenVolume {
    /// In order of path, with their group.
    supplies: Vec<(usize, usize)>,
    ranks: Vec<Rank>,
    groups: Vec<OpenGroup>,
}

#[derive(Debug)]
struct OpenGroup {
    /// `None`: every agent.
    agents: Option<Bits>,
    scores: Vec<(i64, Arc<Levels>)>,
}

impl Open {
    /// The supplies of volumes that hold whatever the agent.
    pub(super) fn new(asked: &[AskedOfSupplies], open: &[Bits]) -> Open {
        Open { volumes: asked.iter().zip(open).map(|(asked, open)| OpenVolume::new(asked, open)).collect() }
    }

    /// What tells agents apart that may not choose from the same.
    pub(super) fn class(&self, agent: usize) -> Vec<i64> {
        let mut class = Vec::new();
        for group in self.volumes.iter().flat_map(|volume| &volume.groups) {
            class.extend(group.agents.as_ref().map(|agents| i64::from(agents.has(agent))));
            class.extend(group.scores.iter().map(|(_, levels)| levels.get(agent)));
        }
        class
    }

    /// The supplies that hold for a volume on their own, in order of path.
    pub(in crate::matching) fn choices(
        &self,
        matcher: &Matcher<'_>,
        agent: Option<usize>,
        at: usize,
        before: &[usize],
    ) -> Vec<Choice> {
        let open = &self.volumes[at];
        let serves = |group: &OpenGroup| match (&group.agents, agent) {
            (Some(agents), Some(agent)) => agents.has(agent),
            _ => true,
        };
        let open_to = open.supplies.iter().filter(|(_, group)| serves(&open.groups[*group]));
        let choice = |(supply, group): &(usize, usize)| {
            let mut choice = open.ranks[*supply].choice(*supply);
            if let Some(agent) = agent {
                for (weight, levels) in &open.groups[*group].scores {
                    choice.numerator += i128::from(*weight) * i128::from(levels.get(agent));
                }
            }
            choice.numerator += matcher.soft_of_supply(at, *supply, before);
            choice
        };
        open_to.map(choice).collect()
    }
}

impl OpenVolume {
    fn new(asked: &AskedOfSupplies, open: &Bits) -> OpenVolume {
        let supplies =
            open.iter().filter_map(|row| asked.group_of[row].map(|group| (row, group as usize))).collect();
        let groups = asked.groups.iter().map(|group| {
            let mut terms = group.terms.iter();
            let agents = terms.next().map(|first| {
                let mut agents = Bits::clone(first);
                terms.for_each(|term| agents.and(term));
                agents
            });
            OpenGroup { agents, scores: group.scores.clone() }
        });
        OpenVolume { supplies, ranks: asked.ranks.clone(), groups: groups.collect() }
    }
}
