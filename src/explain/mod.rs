//! Explanations of results: of a need over the whole fleet, of one candidate, of one offer.
//!
//! 1. `state` rebuilds the moment that is explained.
//! 2. `analysis` finds the conditions that each class of agents and supplies fails, with the help of
//!    `classes` and `crossing`.
//! 3. `cause` turns the counts of these conditions into the list of causes.
//! 4. `relaxations` proposes small sets of conditions to drop, each the set that some class fails, and keeps
//!    those that give offers when tried.
//! 5. `text` prints the result; `output` has its JSON.
//!
//! `barriers` is separate: it finds the little that a framework may learn of all this.

mod analysis;
mod barriers;
mod candidate;
mod cause;
mod classes;
mod crossing;
mod near;
mod offer;
mod relaxations;
mod sets;
mod state;
mod text;
mod words;

pub use analysis::Counts;
pub(crate) use barriers::barriers_in_run;
pub use barriers::{Barrier, Barriers, PlaceClass, barriers};
pub use candidate::{CandidateExplanation, Check, Step, candidate};
pub use cause::{Absent, Cause, Near};
pub use offer::{Compared, OfferExplanation, Supplied, offer};
pub use relaxations::{DroppedCondition, Relaxation};
pub(crate) use text::columns;
pub use text::{DetailLevel, candidate_text, need_text, offer_text};
pub use words::Dropped;

use analysis::Analysis;
use state::MomentState;

use crate::{
    Fleet, Offers,
    cycle::{Outcome, Why},
    limits,
    matching::NeedId,
};

/// The moment that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The moment at which the need closed in the cycle.
    Closed,
    /// The state before any offer, without other needs.
    Alone,
}

/// The result of a need in the cycle.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The outcome.
    pub outcome: Outcome,
    /// The cause for which it got no more: `proved`, `contended` or `bounded`.
    pub why: Option<&'static str>,
    /// The first offers of others that it was lost to, with their agents.
    pub lost_to: Vec<(String, Option<String>)>,
    /// The number of offers of others that it was lost to. Includes its own offers beyond the winners that
    /// the cycle keeps.
    pub lost_count: usize,
    /// True if it was also lost to its own offers.
    pub lost_to_own: bool,
    /// The instances offered.
    pub offered: u64,
    /// The instances that fitted, of a need that is granted whole or not at all and was not.
    pub fitted: Option<u64>,
}

/// A set of conditions without which there would be offers, in words.
#[derive(Clone, Debug)]
pub struct RelaxationInWords {
    /// The conditions, in words.
    pub dropped: Vec<Dropped>,
    /// The relaxation itself, for programs.
    pub relaxation: Relaxation,
}

/// The explanation of a need over the whole fleet.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The need.
    pub id: NeedId,
    /// The name of its framework.
    pub framework: String,
    /// The name of the need.
    pub need: String,
    /// The label in texts.
    pub label: String,
    /// The moment that is explained.
    pub when: When,
    /// The instances wanted.
    pub wanted: u64,
    /// The instances before the cycle.
    pub allocated: u64,
    /// The result in the cycle. `None` if none was run.
    pub ending: Option<Ending>,
    /// True if the need wants an agent.
    pub wants_agent: bool,
    /// The agents of the fleet. 0 if the need wants no agent.
    pub agents: u64,
    /// The supplies of the fleet. 0 if the need wants no volume.
    pub supplies: u64,
    /// The agents that can take an instance at this moment. For a need without an agent, 1 if it can be
    /// served.
    pub feasible: u64,
    /// The conditions that some rows fail. The one that alone excludes the largest share comes first.
    pub causes: Vec<Cause>,
    /// The smallest sets of conditions without which there would be offers, smallest first.
    pub relaxations: Vec<RelaxationInWords>,
    /// True if a bound ended the search for relaxations.
    pub relaxations_stopped: bool,
    /// True if a bound left candidates out of the counts.
    pub counts_stopped: bool,
}

impl Explanation {
    /// The instances still missing.
    pub fn missing(&self) -> u64 {
        let offered = self.ending.as_ref().map_or(0, |ending| ending.offered);
        self.wanted.saturating_sub(self.allocated + offered)
    }

    /// The instances for which nothing was found. For a need that is granted whole, those that fitted are not
    /// among them.
    pub fn lacking(&self) -> u64 {
        let fitted = self.ending.as_ref().and_then(|ending| ending.fitted).unwrap_or(0);
        self.missing().saturating_sub(fitted)
    }
}

/// Explains a need at the moment when it closed in a cycle.
pub fn need(offers: &Offers, id: NeedId) -> Explanation {
    let _run = offers.fleet().plugin_run();
    let state = MomentState::closed(offers, id);
    explain(offers.fleet(), &state, id, Some(offers))
}

/// Explains a need before any offer, as if there were no other need.
pub fn need_alone(fleet: &Fleet, id: NeedId) -> Explanation {
    let _run = fleet.plugin_run();
    let state = MomentState::start(fleet, id);
    explain(fleet, &state, id, None)
}

fn explain(fleet: &Fleet, state: &MomentState, id: NeedId, offers: Option<&Offers>) -> Explanation {
    let (plan, world) = (fleet.plan(), fleet.world());
    let mut analysis = Analysis::new(fleet, state, id);
    let framework = &plan.frameworks[id.framework];
    let need = &framework.needs[id.need];
    let text = |symbol| plan.symbols.text(symbol).to_owned();
    let mut explanation = Explanation {
        id,
        framework: text(framework.name),
        need: text(need.name),
        label: id.label(plan),
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
        counts_stopped: analysis.skipped > 0 || analysis.left_out,
    };
    explanation.causes = cause::causes(fleet, &analysis);
    let missing = explanation.lacking();
    if missing > 0 && explanation.feasible == 0 {
        let left_out = analysis.left_out;
        let found = relaxations::RelaxationTrial::new(&mut analysis, fleet, state, id, missing).run();
        let say = |relaxation: Relaxation| {
            let dropped = relaxation.drops.iter().map(|drop| words::dropped(fleet, id, drop)).collect();
            RelaxationInWords { dropped, relaxation }
        };
        explanation.relaxations_stopped = found.stopped || left_out;
        explanation.relaxations = found.list.into_iter().map(say).collect();
    }
    explanation
}

/// Returns the result of a need in a cycle.
fn ending(offers: &Offers, id: NeedId) -> Option<Ending> {
    let need = offers.cycle().need(id)?;
    let mut ending = Ending {
        outcome: need.outcome,
        why: need.why.as_ref().map(|why| why.kind().name()),
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
            (grant.id.offer_id(plan, grant.instance), agent.map(str::to_owned))
        });
        ending.lost_to = lost.take(limits::WINNERS_KEPT).collect();
    }
    Some(ending)
}
