//! Why a need got what it got: over the whole fleet, for one candidate, for one offer. Agents and supplies that are
//! alike are looked at once.

mod analysis;
mod barriers;
mod candidate;
mod cause;
mod classes;
mod crossing;
mod near;
mod offer;
mod relaxations;
mod state;
mod text;
mod words;

pub use analysis::Counts;
pub use barriers::{Barrier, Barriers, PlaceClass, barriers};
pub use candidate::{CandidateExplanation, Check, Step, candidate};
pub use cause::{Absent, Cause, Near};
pub use offer::{Compared, OfferExplanation, Supplied, offer};
pub use relaxations::{Drop, Relaxation};
pub use text::{Look, candidate_text, need_text, offer_text};
pub use words::Dropped;

use analysis::Analysis;
use state::State;

use crate::{
    Fleet, Offers,
    cycle::{Outcome, Why},
    limits,
    matching::NeedId,
};

/// Which moment is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When the need closed in the cycle.
    Closed,
    /// Before any offer, with no other need.
    Alone,
}

/// What became of a need in the cycle.
#[derive(Clone, Debug)]
pub struct Ending {
    /// How it ended.
    pub outcome: Outcome,
    /// `proved`, `contended` or `bounded`.
    pub why: Option<&'static str>,
    /// The offers of others that it was lost to, and their agents: the first of them.
    pub lost_to: Vec<(String, Option<String>)>,
    /// How many offers of others it was lost to, at the least.
    pub lost_count: usize,
    /// Whether it was lost to its own offers too.
    pub lost_to_own: bool,
    /// Instances offered.
    pub offered: u64,
    /// Of a need that is granted whole or not at all, and was not: how many fitted.
    pub fitted: Option<u64>,
}

/// A set of conditions without which there would be offers.
#[derive(Clone, Debug)]
pub struct Instead {
    /// What would have to go.
    pub dropped: Vec<Dropped>,
    /// The same, for the library.
    pub relaxation: Relaxation,
}

/// Why a need got what it got, over the whole fleet.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Which need.
    pub id: NeedId,
    /// Its framework's name.
    pub framework: String,
    /// Its own name.
    pub need: String,
    /// How it is called in texts.
    pub label: String,
    /// The moment that is explained.
    pub when: When,
    /// Instances wanted.
    pub wanted: u64,
    /// Instances there before the cycle.
    pub allocated: u64,
    /// What the cycle made of it; `None` where none was run.
    pub ending: Option<Ending>,
    /// Whether it wants an agent.
    pub wants_agent: bool,
    /// Agents of the fleet.
    pub agents: u64,
    /// Supplies of the fleet; 0 where the need wants no volume.
    pub supplies: u64,
    /// Agents that can take an instance at this moment; of a need without an agent, 1 where something serves it.
    pub feasible: u64,
    /// The conditions that do not hold for all, those first that exclude most alone.
    pub causes: Vec<Cause>,
    /// The smallest sets without which there would be offers, smallest first.
    pub relaxations: Vec<Instead>,
    /// Whether a bound ended the search for them.
    pub relaxations_stopped: bool,
    /// Whether there were more candidates than were looked at.
    pub counts_stopped: bool,
}

impl Explanation {
    /// Instances still missing.
    pub fn missing(&self) -> u64 {
        let offered = self.ending.as_ref().map_or(0, |ending| ending.offered);
        self.wanted.saturating_sub(self.allocated + offered)
    }

    /// Instances that nothing was found for: of a need that is granted whole, those beside the ones that fitted.
    pub fn lacking(&self) -> u64 {
        let fitted = self.ending.as_ref().and_then(|ending| ending.fitted).unwrap_or(0);
        self.missing().saturating_sub(fitted)
    }
}

/// Explains a need as it was when it closed in a cycle.
pub fn need(offers: &Offers, id: NeedId) -> Explanation {
    let _run = offers.fleet().plugin_run();
    let state = State::closed(offers, id);
    explain(offers.fleet(), &state, id, Some(offers))
}

/// Explains a need as things are before any offer, as if it were the only one.
pub fn need_alone(fleet: &Fleet, id: NeedId) -> Explanation {
    let _run = fleet.plugin_run();
    let state = State::start(fleet, id);
    explain(fleet, &state, id, None)
}

fn explain(fleet: &Fleet, state: &State, id: NeedId, offers: Option<&Offers>) -> Explanation {
    let (plan, world) = (fleet.plan(), fleet.world());
    let mut analysis = Analysis::new(fleet, state, id);
    let framework = &plan.frameworks[id.framework];
    let need = &framework.needs[id.need];
    let text = |symbol| plan.symbols.text(symbol).to_owned();
    let mut explanation = Explanation {
        id,
        framework: text(framework.name),
        need: text(need.name),
        label: words::need_label(plan, id),
        when: if offers.is_some() { When::Closed } else { When::Alone },
        wanted: need.count,
        allocated: fleet.placed().of(id).len() as u64,
        ending: offers.and_then(|offers| ending(offers, id)),
        wants_agent: need.agent.is_some(),
        agents: if need.agent.is_some() { world.agents.len() as u64 } else { 0 },
        supplies: if need.volumes.is_empty() { 0 } else { world.supplies.len() as u64 },
        feasible: analysis.feasible,
        causes: Vec::new(),
        relaxations: Vec::new(),
        relaxations_stopped: false,
        counts_stopped: analysis.unlooked > 0,
    };
    explanation.causes = cause::causes(fleet, &analysis);
    let missing = explanation.lacking();
    if missing > 0 && explanation.feasible == 0 {
        let found = relaxations::Trial::new(&mut analysis, fleet, state, id, missing).run();
        let say = |relaxation: Relaxation| {
            let dropped = relaxation.drops.iter().map(|drop| words::dropped(fleet, id, drop)).collect();
            Instead { dropped, relaxation }
        };
        explanation.relaxations = found.list.into_iter().map(say).collect();
        explanation.relaxations_stopped = found.stopped;
    }
    explanation
}

/// What a cycle made of a need.
fn ending(offers: &Offers, id: NeedId) -> Option<Ending> {
    let need = offers.cycle().need(id)?;
    let mut ending = Ending {
        outcome: need.outcome,
        why: need.why.as_ref().map(Why::name),
        lost_to: Vec::new(),
        lost_count: 0,
        lost_to_own: false,
        offered: need.offered,
        fitted: need.fitted,
    };
    if let Some(Why::Contended(winners)) = &need.why {
        let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
        let grants = winners.grants.iter().map(|grant| &offers.cycle().grants[*grant]);
        let (own, others): (Vec<_>, Vec<_>) = grants.partition(|grant| grant.id == id);
        ending.lost_to_own = !own.is_empty();
        ending.lost_count = winners.count - own.len();
        let lost = others.into_iter().map(|grant| {
            let agent = grant.candidate.agent.map(|agent| plan.symbols.text(world.agents[agent].name));
            (words::offer_id(plan, grant), agent.map(str::to_owned))
        });
        ending.lost_to = lost.take(limits::WINNERS_KEPT).collect();
    }
    Some(ending)
}
