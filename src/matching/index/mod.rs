//! An index of a fleet at one moment of its ledger: the columns that needs read, kept current as amounts are taken.
//!
//! It answers what [`Matcher::best`] answers, the same to the last digit, and looks at what has changed only. A need is
//! planned by sides: what is asked of agents alone and of supplies alone gives a set of rows each; the rules that speak of
//! both part the supplies into groups that they cannot tell apart, each with the agents that it may serve. Candidates are
//! the product, which is never written out. Holders that are unlike the others are looked at one by one, with the very
//! checks of the plain engine; the candidate that wins is completed by it.

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

/// Columns of a fleet, and what needs ask of them.
#[derive(Clone, Debug)]
pub struct Index {
    agents: Terms,
    supplies: Terms,
    free_columns: FreeColumns,
    place_values: RowsByPlace,
    spots_of_supplies: RowsByPlace,
    own: HolderRules,
    /// Supplies that exist already.
    existing: Bits,
    /// Of each node of the plan, the first that says the same.
    canonical: Vec<NodeId>,
    owners: StockOwners,
    roles: Roles,
    /// How often the limit of a role has been drawn on or given back.
    limits_changed: usize,
    /// Where no framework's promises concern another.
    apart: Option<FrameworkJournals>,
    shapes: IndexSet<ShapeKey>,
    /// By shape; taken out while it is asked.
    asked: Vec<Option<ShapeRequest>>,
    shape_of: IndexMap<NeedId, usize>,
    /// Over which spots needs of a shape are spread, by key.
    eligible: IndexMap<(usize, PlaceKey), Arc<IndexSet<PlaceValue>>>,
    /// What agents earn; `None`: too large for the columns.
    scores: IndexMap<ScoreKey, Option<Scores>>,
}

/// What needs of one shape ask.
#[derive(Clone, Debug)]
struct ShapeRequest {
    /// A need of this shape.
    one: NeedId,
    agents: Option<AgentFilter>,
    volumes: Vec<SupplyFilter>,
    kinds: KnownKinds,
    /// By number, those of its agents.
    scores: usize,
}

/// Whose each stock is.
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
    /// The index of a fleet of which only what is taken changes.
    pub fn new(plan: &Plan, world: &World) -> Index {
        Index::of(plan, world, false)
    }

    /// The index of a fleet whose totals change too.
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

    /// Told that a framework took something of stocks or gave it back, once the ledger has it; `None`, of a fleet whose
    /// totals change: that their totals are others.
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
        // A grant takes much of few.
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

    /// The agent that a stock is of, by its number.
    pub fn agent_of(&self, stock: StockId) -> Option<usize> {
        self.owners.agents.get(stock.0 as usize).copied().flatten().map(|row| row as usize)
    }

    /// The best candidate of a need: as [`Matcher::best`], of which `search` is told the same.
    pub fn best(&mut self, matcher: &Matcher<'_>, search: &mut Search) -> Option<Candidate> {
        self.ask(matcher, search, None).unwrap_or_else(|| matcher.best(search))
    }

    /// As [`Index::best`], with every agent that the need could have and the supplies that it would get, in order of name.
    /// `None` where that is to be found out plainly.
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

    /// Whether everything holds that must hold of an agent alone: as [`Matcher::agent_holds`].
    pub fn agent_holds(&mut self, matcher: &Matcher<'_>, agent: usize) -> bool {
        if matcher.is_special() || matcher.subject.need.agent.is_none() {
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
        let mut hard = matcher.subject.need.places.iter().filter(|place| place.weight.is_none());
        holds && hard.all(|place| matcher.agent_place(place, agent, &[]).holds())
    }

    /// The values of a place over which agents are spread, in order of the first agent with each: where some agent could ever
    /// run, with everything free. The moment is one where nothing is taken. `None` where that is to be found out plainly:
    /// where something but amounts may change, or limits or existing volumes are in it.
    pub fn eligible(&mut self, matcher: &Matcher<'_>, place: &Place) -> Option<Arc<IndexSet<PlaceValue>>> {
        let world = matcher.moment.world;
        let key = place.kind.key()?;
        let plain = !world.limits.is_empty() || !self.existing.is_empty() || !self.own.crossing.is_empty();
        let need = matcher.subject.need;
        let placed =
            need.volumes.iter().flat_map(|volume| &volume.places).any(|place| place.weight.is_none());
        if plain || placed || matcher.is_special() || matcher.charges().next().is_some() {
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
        let found = self.place_values.rows_by_value(matcher, key).firsts(&rows);
        let found: Arc<IndexSet<PlaceValue>> = Arc::new(found.into_iter().map(|one| one.1).collect());
        self.eligible.insert((shape, key), Arc::clone(&found));
        Some(found)
    }

    /// Follows what has changed, for every need that was asked so far: nothing is left to do when one is asked next.
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

    /// `None`: the columns do not tell.
    fn ask(
        &mut self,
        matcher: &Matcher<'_>,
        search: &mut Search,
        served: Option<&mut Vec<Served>>,
    ) -> Option<Option<Candidate>> {
        if matcher.is_special() {
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

    /// The number of what a need asks, which needs that ask alike share.
    fn shape(&mut self, matcher: &Matcher<'_>) -> usize {
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

    /// The agents for which everything holds that must hold of an agent alone.
    fn agents_of(&mut self, matcher: &Matcher<'_>, asked: &mut AgentFilter) -> Bits {
        let parts = AgentSets {
            terms: &mut self.agents,
            free_columns: &mut self.free_columns,
            apart: self.apart.as_ref(),
            limits_changed: self.limits_changed,
        };
        let mut rows = asked.rows(parts, matcher).clone();
        for place in matcher.subject.need.places.iter().filter(|place| place.weight.is_none()) {
            // Those that the inventory alone decides are among the rows.
            if !place.kind.is_subtree() {
                rows.and(self.place_values.placed(matcher, place, None));
            }
        }
        rows
    }

    /// The supplies that hold for a volume whatever the agent.
    fn supplies_of(&mut self, matcher: &Matcher<'_>, at: usize, asked: &mut SupplyFilter) -> Bits {
        let parts = AgentSets {
            terms: &mut self.supplies,
            free_columns: &mut self.free_columns,
            apart: self.apart.as_ref(),
            limits_changed: self.limits_changed,
        };
        let mut rows = asked.rows(parts, matcher).clone();
        let volume = &matcher.subject.need.volumes[at];
        for place in volume.places.iter().filter(|place| place.weight.is_none()) {
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
