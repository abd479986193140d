//! One need against a fleet at one moment: feasible → score → supplies → candidate; and every reason of a no.

mod amounts;
mod assign;
mod assigned;
mod check;
mod explain;
mod failures;
mod index;
mod place;
mod placed;
mod relax;
mod score;
mod search;
mod settle;
mod tie;

pub use amounts::{Draft, Taking};
pub use assign::{Candidate, Choice, VolumeGrant};
pub use check::{Failure, Reach, Shortage};
pub use explain::{Reason, ReasonKind, is_permanent};
pub use index::{Index, MatchCount, NeedCost, RuleCost, RuleSides, ScoredPair, Served, Strategy};
pub use place::PlaceVerdict;
pub use placed::{Instance, PlaceValue, Placed, Settled};
pub use relax::{Condition, Relaxed};
pub use score::{Score, ScoreItem};
pub use search::Search;
pub use settle::{Free, has_unsettled, settle, settle_for};

use crate::{
    engine::{Filters, Recorder, Scene, Subject},
    inventory::{ledger::Ledger, world::World},
    ir::{Plan, Volume},
};

/// A need of the plan, by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NeedId {
    /// Of the framework.
    pub framework: usize,
    /// Of the need in it.
    pub need: usize,
}

/// Everything one decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The policy.
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// What is used.
    pub ledger: &'a Ledger,
    /// Where instances are.
    pub placed: &'a Placed,
    /// Who answers for rules that others wrote.
    pub filters: Option<&'a dyn Filters>,
    /// Who is told what conditions come out as.
    pub recorder: Option<&'a Recorder>,
}

/// One need at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Matcher<'a> {
    /// The moment.
    pub moment: Moment<'a>,
    /// Which need.
    pub id: NeedId,
    /// Who asks for what.
    pub subject: Subject<'a>,
    /// What is not looked at.
    relaxed: Option<&'a Relaxed>,
    /// The supplies that are tried; `None`: all.
    among: Option<&'a [usize]>,
    /// What an index knows of the supplies.
    open: Option<&'a index::OpenSupplies<'a>>,
}

impl<'a> Matcher<'a> {
    /// A matcher of one need.
    pub fn new(moment: Moment<'a>, id: NeedId) -> Self {
        let framework = &moment.plan.frameworks[id.framework];
        let subject = Subject { framework, need: &framework.needs[id.need] };
        Matcher { moment, id, subject, relaxed: None, among: None, open: None }
    }

    /// What expressions see of a candidate.
    pub fn scene(
        &self,
        agent: Option<usize>,
        supply: Option<usize>,
        volume: Option<&'a Volume>,
    ) -> Scene<'a> {
        let Moment { plan, world, ledger, filters, recorder, .. } = self.moment;
        Scene { plan, world, ledger, subject: self.subject, agent, supply, volume, filters, recorder }
    }

    /// Agents to try: every one, in order of name; `None` alone for a need that wants no agent.
    pub fn agents(&self) -> Vec<Option<usize>> {
        match self.subject.need.agent {
            Some(_) => (0..self.moment.world.agents.len()).map(Some).collect(),
            None => vec![None],
        }
    }
}
