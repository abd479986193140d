//! Journals of changed free amounts, by framework.
//!
//! With unlimited overlap of offers, an amount that is promised to one framework stays free to the others. So
//! a grant changes the free amounts of one framework only, and a journal for each keeps the others from
//! reading rows that did not change for them. Otherwise the index has no [`FrameworkJournals`], and all use
//! one journal.

use indexmap::IndexMap;

use crate::{
    engine::columns::{Journal, Terms},
    types::Side,
};

/// The rows whose free amounts changed for one framework.
#[derive(Clone, Debug)]
struct SideJournals {
    agents: Journal,
    supplies: Journal,
}

/// The rows whose free amounts changed, by framework.
#[derive(Clone, Debug)]
pub(super) struct FrameworkJournals {
    /// The journals of a framework without an entry in `of`: the changes that concern all.
    none: SideJournals,
    of: IndexMap<usize, SideJournals>,
}

impl FrameworkJournals {
    pub fn new(agents: usize, supplies: usize) -> FrameworkJournals {
        let none = SideJournals { agents: Journal::new(agents), supplies: Journal::new(supplies) };
        FrameworkJournals { none, of: IndexMap::new() }
    }

    /// Records that rows changed for a framework, or for all if it is `None`.
    pub fn push(&mut self, framework: Option<usize>, agents: &[u32], supplies: &[u32]) {
        let Some(framework) = framework else {
            for own in self.of.values_mut().chain([&mut self.none]) {
                own.agents.push_each(agents);
                own.supplies.push_each(supplies);
            }
            return;
        };
        // The clone includes the earlier changes that concern all.
        let own = self.of.entry(framework).or_insert_with(|| self.none.clone());
        own.agents.push_each(agents);
        own.supplies.push_each(supplies);
    }

    fn of(&self, framework: usize, side: Side) -> &Journal {
        let own = self.of.get(&framework).unwrap_or(&self.none);
        if side == Side::Agent { &own.agents } else { &own.supplies }
    }
}

/// Returns the journal of the free amounts of a side as one framework sees them.
pub(super) fn journal<'i>(
    journals: Option<&'i FrameworkJournals>,
    terms: &'i Terms,
    framework: usize,
    side: Side,
) -> &'i Journal {
    journals.map_or(&terms.journal, |journals| journals.of(framework, side))
}
