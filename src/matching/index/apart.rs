//! What changed of each framework's own room, in a fleet where no framework's promises concern another.

use indexmap::IndexMap;

use crate::{
    engine::columns::{Journal, Terms},
    types::Side,
};

/// Rows whose room changed for one framework.
#[derive(Clone, Debug)]
struct Own {
    agents: Journal,
    supplies: Journal,
}

/// Rows whose room changed, by framework.
#[derive(Clone, Debug)]
pub(super) struct Apart {
    none: Own,
    of: IndexMap<usize, Own>,
}

impl Apart {
    pub fn new(agents: usize, supplies: usize) -> Apart {
        let none = Own { agents: Journal::new(agents), supplies: Journal::new(supplies) };
        Apart { none, of: IndexMap::new() }
    }

    /// Rows changed for a framework; `None`: for all.
    pub fn push(&mut self, framework: Option<usize>, agents: &[u32], supplies: &[u32]) {
        let Some(framework) = framework else {
            for own in self.of.values_mut().chain([&mut self.none]) {
                own.agents.push_each(agents);
                own.supplies.push_each(supplies);
            }
            return;
        };
        let own = self.of.entry(framework).or_insert_with(|| self.none.clone());
        own.agents.push_each(agents);
        own.supplies.push_each(supplies);
    }

    fn of(&self, framework: usize, side: Side) -> &Journal {
        let own = self.of.get(&framework).unwrap_or(&self.none);
        if side == Side::Agent { &own.agents } else { &own.supplies }
    }
}

/// What tells how the room of a framework changed: its own changes, where others' do not concern it.
pub(super) fn journal<'i>(
    apart: Option<&'i Apart>,
    terms: &'i Terms,
    framework: usize,
    side: Side,
) -> &'i Journal {
    apart.map_or(&terms.journal, |apart| apart.of(framework, side))
}
