//! The fast engine: an index of a fleet, which gives the same answers as the plain engine
//! ([`Matcher::best`]) and counts the same work, but reads only what has changed since it was last asked.
//!
//! 1. Conditions, free amounts and places are columns over rows. A row is an agent or a supply, and a set
//!    of rows is a bitmap ([`Bits`]). Equal conditions of different needs share a column.
//! 2. A need is split by sides. Conditions on agents alone give a bitmap of agents ([`AgentFilter`]);
//!    those on supplies alone give one of supplies for each volume ([`SupplyFilter`]).
//! 3. Rules that read both sides divide the supplies into groups that these rules cannot tell apart (a
//!    partition refinement), each with the bitmap of the agents that it serves. Candidates are the product
//!    of both, which is never written out.
//! 4. Rows that the columns cannot judge are checked one by one with the checks of the plain engine, which
//!    also builds the winning candidate.
//! 5. Changes of the ledger are written to journals of rows ([`Index::touch`]). Each reader remembers its
//!    position in the journal, and updates the rows behind it, or all if they are many.
//!
//! The owner of an index, such as a cycle or a standing fleet, calls [`Index::touch`] after each change of
//! the ledger. Needs that ask the same thing share what is prepared for them, by their [`ShapeKey`].

mod agents;
mod answer;
mod choose;
mod cost;
mod framework_journals;
mod free_columns;
mod holder_rules;
mod kinds;
mod open;
mod rows_by_place;
mod scores;
mod shape;
mod side_filter;
mod supplies;

pub use answer::{MatchCount, ScoredPair};
pub use choose::Served;
pub use cost::{NeedCost, RuleCost, RuleSides, Strategy};
pub(super) use open::OpenSupplies;

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::{Candidate, Matcher, Moment, NeedId, PlaceValue, Search};
use crate::{
    engine::columns::{Bits, Terms},
    inventory::world::{StockId, StockKind, World},
    ir::{NodeId, Place, PlaceKey, Plan},
    quantity::Overlap,
    types::Side,
};
use agents::{AgentFilter, AgentSets};
use framework_journals::FrameworkJournals;
use free_columns::FreeColumns;
use holder_rules::HolderRules;
use kinds::KnownKinds;
use rows_by_place::RowsByPlace;
use scores::{ScoreKey, Scores};
use shape::{Roles, ShapeKey};
use supplies::SupplyFilter;

/// The columns of a fleet, and the filters of the needs that were asked.
#[derive(Clone, Debug)]
pub struct Index {
    /// The cached conditions on agents.
    agents: Terms,
    /// The cached conditions on supplies.
    supplies: Terms,
    free_columns: FreeColumns,
    /// The agents by the values of places.
    place_values: RowsByPlace,
    /// The supplies by the values of places.
    spots_of_supplies: RowsByPlace,
    own: HolderRules,
    /// The supplies that are existing volumes.
    existing: Bits,
    /// By node of the plan, the first node with an equal expression. Caches use it as the key.
    canonical: Vec<NodeId>,
    owners: StockOwners,
    roles: Roles,
    /// The number of changes of role limits. A limit bounds all rows at once, so it has no journal of
    /// rows.
    limits_changed: usize,
    /// The journals of each framework, if a promise to one framework leaves the amount free to the others.
    apart: Option<FrameworkJournals>,
    shapes: IndexSet<ShapeKey>,
    /// By shape, its filters. An entry is taken out while it is used, so that the index can be borrowed
    /// beside it.
    asked: Vec<Option<ShapeRequest>>,
    shape_of: IndexMap<NeedId, usize>,
    /// By shape and key, the values over which needs are spread.
    eligible: IndexMap<(usize, PlaceKey), Arc<IndexSet<PlaceValue>>>,
    /// The scores of agents. `None`: they do not fit the column.
    scores: IndexMap<ScoreKey, Option<Scores>>,
}

/// The filters of the needs of one shape.
#[derive(Clone, Debug)]
struct ShapeRequest {
    /// A need of this shape, which stands for all of them when the filters are refreshed.
    one: NeedId,
    agents: Option<AgentFilter>,
    volumes: Vec<SupplyFilter>,
    kinds: KnownKinds,
    /// The index of the scores of its agents.
    scores: usize,
}

/// The agent or the supplies that each stock belongs to. A pool's stock serves many supplies.
#[derive(Clone, Debug, Default)]
struct StockOwners {
    agents: Vec<Option<u32>>,
    supplies: IndexMap<StockId, Vec<u32>>,
}

impl StockOwners {
    fn new(world: &World) -> StockOwners {
        let mut owners = StockOwners { agents: vec![None; world.stocks.len()], supplies: IndexMap::new() };
        for (row, agent) in world.agents.iter().enumerate() {
            let held = agent.resources.iter().flat_map(|held| &world.holding(held.holding).parts);
            held.for_each(|part| owners.agents[part.1.0 as usize] = Some(row as u32));
        }
        for (row, supply) in world.supplies.iter().enumerate() {
            let tiers = supply.chain.iter().flat_map(|tier| &world.tiers[*tier].resources);
            let parts = tiers.flat_map(|held| &world.holding(held.holding).parts).map(|part| part.1);
            let users = supply.existing.as_ref().map(|existing| existing.users);
            for stock in parts.chain(users) {
                // Rows ascend, so a repetition can only be the last entry.
                let rows = owners.supplies.entry(stock).or_default();
                if rows.last() != Some(&(row as u32)) {
                    rows.push(row as u32);
                }
            }
        }
        owners
    }
}

impl Index {
    /// Creates the index of a fleet whose totals are fixed: only the amounts taken change.
    pub fn new(plan: &Plan, world: &World) -> Index {
        Index::of(plan, world, false)
    }

    /// Creates the index of a fleet whose totals may change too.
    pub fn of_changing(plan: &Plan, world: &World) -> Index {
        Index::of(plan, world, true)
    }

    fn of(plan: &Plan, world: &World, totals_move: bool) -> Index {
        let canonical = plan.canonical_nodes();
        Index {
            agents: Terms::new(Side::Agent, world.agents.len(), totals_move),
            supplies: Terms::new(Side::Pool, world.supplies.len(), totals_move),
            free_columns: FreeColumns::new(world),
            place_values: RowsByPlace::new(Side::Agent, world.agents.len()),
            spots_of_supplies: RowsByPlace::new(Side::Pool, world.supplies.len()),
            own: HolderRules::new(plan, world, &canonical),
            existing: Bits::of(world.supplies.len(), |row| world.supplies[row].existing.is_some()),
            canonical,
            owners: StockOwners::new(world),
            roles: Roles::new(plan, world),
            limits_changed: 0,
            apart: (world.overlap == Overlap::Unlimited)
                .then(|| FrameworkJournals::new(world.agents.len(), world.supplies.len())),
            shapes: IndexSet::new(),
            asked: Vec::new(),
            shape_of: IndexMap::new(),
            eligible: IndexMap::new(),
            scores: IndexMap::new(),
        }
    }

    /// Marks the rows that depend on `stocks` as changed. Call it after the ledger or a total has changed.
    /// `framework` is the framework that took or released the amounts; `None` if the change concerns all,
    /// such as that of a total.
    pub fn touch(
        &mut self,
        world: &World,
        framework: Option<usize>,
        stocks: impl IntoIterator<Item = StockId>,
    ) {
        let (mut agents, mut supplies) = (Vec::new(), Vec::new());
        for stock in stocks {
            agents.extend(self.owners.agents.get(stock.0 as usize).copied().flatten());
            if let Some(rows) = self.owners.supplies.get(&stock) {
                supplies.extend(rows);
            }
            if matches!(world.stock(stock).kind, StockKind::Limit(_)) {
                self.limits_changed += 1;
            }
        }
        // A grant takes several resources of few rows.
        for rows in [&mut agents, &mut supplies] {
            rows.sort_unstable();
            rows.dedup();
        }
        self.agents.journal.push_each(&agents);
        self.supplies.journal.push_each(&supplies);
        if let Some(apart) = &mut self.apart {
            apart.push(framework, &agents, &supplies);
        }
    }

    /// Returns the index of the agent that a stock belongs to.
    pub fn agent_of(&self, stock: StockId) -> Option<usize> {
        self.owners.agents.get(stock.0 as usize).copied().flatten().map(|row| row as usize)
    }

    /// Returns the best candidate of a need. The result, and what is counted in `search`, equal those of
    /// [`Matcher::best`].
    pub fn best(&mut self, matcher: &Matcher<'_>, search: &mut Search) -> Option<Candidate> {
        self.ask(matcher, search, None).unwrap_or_else(|| matcher.best(search))
    }

    /// Like [`Index::best`], and returns every agent that the need could have with the supplies that it
    /// would get, in order of name. Returns `None` if only the plain engine can tell.
    pub fn served(
        &mut self,
        matcher: &Matcher<'_>,
        search: &mut Search,
    ) -> Option<(Option<Candidate>, Vec<Served>)> {
        matcher.subject.need.agent.as_ref()?;
        let mut served = Vec::new();
        let best = self.ask(matcher, search, Some(&mut served))?;
        Some((best, served))
    }

    /// Returns `true` if everything holds that must hold for an agent alone, like
    /// [`Matcher::agent_holds`].
    pub fn agent_holds(&mut self, matcher: &Matcher<'_>, agent: usize) -> bool {
        if !matcher.is_indexed() || matcher.subject.need.agent.is_none() {
            return matcher.agent_holds(Some(agent));
        }
        let shape = self.shape(matcher);
        let Some(mut asked) = self.asked.get_mut(shape).and_then(Option::take) else {
            return matcher.agent_holds(Some(agent));
        };
        let holds = asked.agents.as_mut().is_some_and(|of_agents| {
            let parts = AgentSets {
                terms: &mut self.agents,
                free_columns: &mut self.free_columns,
                apart: self.apart.as_ref(),
                limits_changed: self.limits_changed,
            };
            of_agents.rows(parts, matcher).has(agent)
        });
        self.asked[shape] = Some(asked);
        let mut hard = matcher.subject.need.places.iter().filter(|place| place.strength.is_required());
        holds && hard.all(|place| matcher.agent_place(place, agent, &[]).holds())
    }

    /// Returns the values over which a place spreads: those of some agent on which the need could ever
    /// run, with everything free, in the order of the first agent with each.
    ///
    /// In the moment of `matcher` nothing may be taken. Returns `None` if only the plain engine can tell:
    /// if anything but amounts may change, or if the fleet has limits, existing volumes or agents' own
    /// rules about volumes.
    pub fn eligible(&mut self, matcher: &Matcher<'_>, place: &Place) -> Option<Arc<IndexSet<PlaceValue>>> {
        let world = matcher.moment.world;
        let key = place.kind.key()?;
        let plain = !world.limits.is_empty() || !self.existing.is_empty() || !self.own.crossing.is_empty();
        let need = matcher.subject.need;
        let placed =
            need.volumes.iter().flat_map(|volume| &volume.places).any(|place| place.strength.is_required());
        if plain || placed || !matcher.is_indexed() || matcher.charges().next().is_some() {
            return None;
        }
        let shape = self.shape(matcher);
        if let Some(known) = self.eligible.get(&(shape, key)) {
            return Some(Arc::clone(known));
        }
        let mut asked = self.asked.get_mut(shape)?.take()?;
        let agents = asked.agents.as_mut().filter(|agents| agents.stays());
        let stays = asked.volumes.iter().all(SupplyFilter::stays);
        let rows = agents.filter(|_| stays).map(|agents| {
            let parts = AgentSets {
                terms: &mut self.agents,
                free_columns: &mut self.free_columns,
                apart: self.apart.as_ref(),
                limits_changed: self.limits_changed,
            };
            agents.rows(parts, matcher).clone()
        });
        let rows = rows.map(|mut rows| {
            for volume in &mut asked.volumes {
                let parts = AgentSets {
                    terms: &mut self.supplies,
                    free_columns: &mut self.free_columns,
                    apart: self.apart.as_ref(),
                    limits_changed: self.limits_changed,
                };
                let open = volume.rows(parts, matcher).clone();
                rows.and(&volume.reached(&open, rows.rows()));
            }
            rows
        });
        self.asked[shape] = Some(asked);
        let rows = rows?;
        // The order of agents makes the order of values, which breaks ties between them.
        let found = self.place_values.rows_by_value(matcher, key).firsts(&rows);
        let found: Arc<IndexSet<PlaceValue>> = Arc::new(found.into_iter().map(|one| one.1).collect());
        self.eligible.insert((shape, key), Arc::clone(&found));
        Some(found)
    }

    /// Brings the filters of all needs that were asked so far up to date, so that the next question finds
    /// nothing to do.
    pub fn refresh(&mut self, moment: Moment<'_>) {
        for asked in self.asked.iter_mut().flatten() {
            let matcher = Matcher::new(moment, asked.one);
            let limits_changed = self.limits_changed;
            if let Some(of_agents) = &mut asked.agents {
                let parts = AgentSets {
                    terms: &mut self.agents,
                    free_columns: &mut self.free_columns,
                    apart: self.apart.as_ref(),
                    limits_changed,
                };
                of_agents.rows(parts, &matcher);
            }
            for volume in &mut asked.volumes {
                let parts = AgentSets {
                    terms: &mut self.supplies,
                    free_columns: &mut self.free_columns,
                    apart: self.apart.as_ref(),
                    limits_changed,
                };
                volume.rows(parts, &matcher);
            }
            if let Some(scores) = &mut self.scores[asked.scores] {
                scores.follow(&matcher, &self.agents.journal);
            }
        }
    }

    /// Asks the index. Returns `None` if only the plain engine can tell.
    fn ask(
        &mut self,
        matcher: &Matcher<'_>,
        search: &mut Search,
        served: Option<&mut Vec<Served>>,
    ) -> Option<Option<Candidate>> {
        if !matcher.is_indexed() {
            return None;
        }
        let shape = self.shape(matcher);
        let mut asked = self.asked.get_mut(shape)?.take()?;
        let best = self.best_asked(matcher, &mut asked, search, served);
        self.asked[shape] = Some(asked);
        best
    }

    fn best_asked(
        &mut self,
        matcher: &Matcher<'_>,
        asked: &mut ShapeRequest,
        search: &mut Search,
        served: Option<&mut Vec<Served>>,
    ) -> Option<Option<Candidate>> {
        self.scores[asked.scores].as_mut()?.follow(matcher, &self.agents.journal);
        for volume in &mut asked.volumes {
            volume.follow(self, matcher);
        }
        Some(match asked.agents {
            Some(_) => choose::best(self, matcher, asked, search, served),
            None => choose::without_agent(self, matcher, &mut asked.volumes, search),
        })
    }

    /// Returns the number of the shape of a need. It prepares the shape's filters if it is new.
    fn shape(&mut self, matcher: &Matcher<'_>) -> usize {
        // Filters refer to cached columns by number, so all is dropped at once and built again on demand.
        if self.agents.is_full() || self.supplies.is_full() {
            self.agents.clear();
            self.supplies.clear();
            self.shapes.clear();
            self.asked.clear();
            self.shape_of.clear();
            self.eligible.clear();
            self.scores.clear();
        }
        if let Some(known) = self.shape_of.get(&matcher.id) {
            return *known;
        }
        let key = ShapeKey::new(matcher, &self.roles, &self.canonical);
        let shape = match self.shapes.get_index_of(&key) {
            Some(known) => known,
            None => {
                let asked = ShapeRequest::new(self, matcher);
                self.asked.push(Some(asked));
                self.shapes.insert_full(key).0
            }
        };
        self.shape_of.insert(matcher.id, shape);
        shape
    }

    /// Returns the agents for which everything holds that must hold for an agent alone.
    fn agents_of(&mut self, matcher: &Matcher<'_>, asked: &mut AgentFilter) -> Bits {
        let parts = AgentSets {
            terms: &mut self.agents,
            free_columns: &mut self.free_columns,
            apart: self.apart.as_ref(),
            limits_changed: self.limits_changed,
        };
        let mut rows = asked.rows(parts, matcher).clone();
        for place in matcher.subject.need.places.iter().filter(|place| place.strength.is_required()) {
            // Subtrees never change, and the filter has them already.
            if !place.kind.is_subtree() {
                rows.and(self.place_values.placed(matcher, place, None));
            }
        }
        rows
    }

    /// Returns the supplies that hold for a volume whatever the agent.
    fn supplies_of(&mut self, matcher: &Matcher<'_>, at: usize, asked: &mut SupplyFilter) -> Bits {
        let parts = AgentSets {
            terms: &mut self.supplies,
            free_columns: &mut self.free_columns,
            apart: self.apart.as_ref(),
            limits_changed: self.limits_changed,
        };
        let mut rows = asked.rows(parts, matcher).clone();
        let volume = &matcher.subject.need.volumes[at];
        for place in volume.places.iter().filter(|place| place.strength.is_required()) {
            rows.and(self.spots_of_supplies.placed(matcher, place, Some(volume)));
        }
        rows
    }
}

impl ShapeRequest {
    fn new(index: &mut Index, matcher: &Matcher<'_>) -> ShapeRequest {
        let need = matcher.subject.need;
        let agents = need.agent.is_some().then(|| AgentFilter::new(index, matcher));
        let volumes = (0..need.volumes.len()).map(|at| SupplyFilter::new(index, matcher, at)).collect();
        let key = scores::key(index, matcher);
        let scores = match index.scores.get_index_of(&key) {
            Some(known) => known,
            None => {
                let scores = Scores::new(index, matcher);
                index.scores.insert_full(key, scores).0
            }
        };
        ShapeRequest { one: matcher.id, agents, volumes, kinds: KnownKinds::default(), scores }
    }
}
