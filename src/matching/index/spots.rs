//! Agents by what places go by.

use indexmap::IndexMap;

use crate::{
    engine::columns::{Bits, Classes},
    ir::PlaceKey,
    matching::{Matcher, Spot},
};

/// The agents at each spot of a key.
#[derive(Clone, Debug)]
pub(super) struct BySpot {
    pub rows: IndexMap<Spot, Vec<u32>>,
    /// Agents that are at any.
    pub known: Bits,
}

/// Agents by what places go by, for the keys that were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Spots {
    rows: usize,
    by_spot: IndexMap<PlaceKey, BySpot>,
    domains: Option<Classes>,
    with_domains: IndexMap<PlaceKey, Classes>,
}

impl Spots {
    pub fn new(rows: usize) -> Spots {
        Spots { rows, ..Spots::default() }
    }

    pub fn bytes(&self) -> usize {
        let classes = self.with_domains.len() + usize::from(self.domains.is_some());
        (self.by_spot.len() + classes) * self.rows * size_of::<u32>()
    }

    pub fn by_spot(&mut self, matcher: &Matcher<'_>, key: PlaceKey) -> &BySpot {
        let rows = self.rows;
        self.by_spot.entry(key).or_insert_with(|| {
            let mut by_spot = BySpot { rows: IndexMap::new(), known: Bits::none(rows) };
            for row in 0..rows {
                if let Some(spot) = matcher.agent_value(row, key) {
                    by_spot.rows.entry(spot).or_default().push(row as u32);
                    by_spot.known.set(row, true);
                }
            }
            by_spot
        })
    }

    /// Agents by their place.
    pub fn domains(&mut self, matcher: &Matcher<'_>) -> &Classes {
        let agents = &matcher.moment.world.agents;
        self.domains.get_or_insert_with(|| Classes::of(agents.len(), |row| agents[row].placement.domain))
    }

    /// Agents by their spot and their place.
    pub fn with_domains(&mut self, matcher: &Matcher<'_>, key: PlaceKey) -> &Classes {
        let agents = &matcher.moment.world.agents;
        self.with_domains.entry(key).or_insert_with(|| {
            Classes::of(agents.len(), |row| (matcher.agent_value(row, key), agents[row].placement.domain))
        })
    }
}
