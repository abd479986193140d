//! Matches one need against a fleet at one moment: finds the feasible agents, scores them, assigns a
//! supply to each volume, and returns the best candidate, or the reasons why there is none.
//!
//! There are two engines. The plain one walks every agent and supply ([`Matcher::best`]) and is the
//! specification. The [`Index`] answers from cached sets of rows, and must give the same candidate and
//! count the same work. Cycles and explanations call them. The module knows nothing of shares or the order
//! of needs.

mod amounts;
mod assign;
mod assigned;
mod check;
mod demand;
mod explain;
mod failure;
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
pub use check::Reach;
pub use demand::{Demand, DemandPart};
pub use explain::{Reason, ReasonKind};
pub use failure::{Constraint, Failure, Shortage};
pub use index::{Index, MatchCount, NeedCost, RuleCost, RuleSides, ScoredPair, Served, Strategy};
pub use place::PlaceVerdict;
pub use placed::{Instance, PlaceValue, Placed, Settled};
pub use relax::Relaxed;
pub use score::{Score, ScoreItem};
pub use search::Search;
pub use settle::{Free, has_unsettled, settle, settle_for};

use std::ops::ControlFlow;

use crate::{
    engine::{Filters, Recorder, Scene, Subject},
    inventory::{ledger::Ledger, world::World},
    ir::{OwnedRule, Plan, RuleOwner, Volume},
    limits,
};

/// The identity of a need in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NeedId {
    /// The index of the framework.
    pub framework: usize,
    /// The index of the need in the framework.
    pub need: usize,
}

impl NeedId {
    /// Returns the label of the need: `FRAMEWORK.NEED`, or its name alone if the framework has the same name
    /// and no other need.
    pub fn label(self, plan: &Plan) -> String {
        let framework = &plan.frameworks[self.framework];
        let need = plan.symbols.text(framework.needs[self.need].name);
        let name = plan.symbols.text(framework.name);
        if name == need && framework.needs.len() == 1 { need.to_owned() } else { format!("{name}.{need}") }
    }

    /// Returns the id of an offer: the label of its need and the number of the instance.
    pub fn offer_id(self, plan: &Plan, instance: u64) -> String {
        format!("{}#{instance}", self.label(plan))
    }
}

/// Everything that one decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The policy.
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// The amounts in use.
    pub ledger: &'a Ledger,
    /// The positions of granted instances.
    pub placed: &'a Placed,
    /// The plugins, which evaluate external rules.
    pub filters: Option<&'a dyn Filters>,
    /// The recorder of the outcomes of conditions, for tests of coverage.
    pub recorder: Option<&'a Recorder>,
}

/// The constraints that a matcher applies.
#[derive(Clone, Copy, Debug)]
enum ConstraintScope<'a> {
    /// All of them, as the need is written.
    Whole,
    /// Those that are left of a relaxed need, for explanations.
    Relaxed(&'a Relaxed),
}

/// The supplies that a matcher tries.
#[derive(Clone, Copy, Debug)]
enum SupplyScope<'a> {
    /// All of the fleet, each checked when it is tried.
    All,
    /// These only, in order of path, each checked when it is tried.
    Among(&'a [usize]),
    /// Those that the index has found to hold. They are not checked again.
    Indexed(&'a index::OpenSupplies<'a>),
}

/// One need at one moment. Its methods are the plain engine.
///
/// The index answers for a matcher of the whole need and all supplies only, since its cached sets hold for no
/// other.
#[derive(Clone, Copy, Debug)]
pub struct Matcher<'a> {
    /// The moment.
    pub moment: Moment<'a>,
    /// The need.
    pub id: NeedId,
    /// The framework and the need, as expressions see them.
    pub subject: Subject<'a>,
    /// The constraints that it applies.
    constraints: ConstraintScope<'a>,
    /// The supplies that it tries.
    scope: SupplyScope<'a>,
}

impl<'a> Matcher<'a> {
    /// Creates a matcher of one need.
    pub fn new(moment: Moment<'a>, id: NeedId) -> Self {
        let framework = &moment.plan.frameworks[id.framework];
        let subject = Subject { framework, need: &framework.needs[id.need] };
        Matcher { moment, id, subject, constraints: ConstraintScope::Whole, scope: SupplyScope::All }
    }

    /// Returns the values that expressions read for a candidate.
    pub fn scene(
        &self,
        agent: Option<usize>,
        supply: Option<usize>,
        volume: Option<&'a Volume>,
    ) -> Scene<'a> {
        let Moment { plan, world, ledger, filters, recorder, .. } = self.moment;
        Scene { plan, world, ledger, subject: self.subject, agent, supply, volume, filters, recorder }
    }

    /// Returns the agents to try: all of them in order of name, or only `None` for a need without an
    /// agent.
    pub fn agents(&self) -> Vec<Option<usize>> {
        match self.subject.need.agent {
            Some(_) => (0..self.moment.world.agents.len()).map(Some).collect(),
            None => vec![None],
        }
    }

    /// Returns `true` if a supply could serve a volume, whatever the agent.
    pub fn supply_holds(&self, volume: &'a Volume, supply: usize) -> bool {
        let stop = &mut |_| ControlFlow::Break(());
        self.supply_checks(None, volume, supply, Reach::WithoutAgent, stop).is_continue()
    }

    /// Returns the looks that a candidate counts as where all its failures are told: one, and one more for
    /// each condition beyond `limits::CONDITIONS_PER_LOOK`, since every one of them is then evaluated.
    pub fn looks(&self) -> usize {
        let plan = self.moment.plan;
        let asked = self.demand().requests().flat_map(|(_, request)| {
            let classes = request.classes.iter().map(|ask| plan.definition(ask.class).root);
            classes.chain(request.conditions.iter().map(|rule| rule.root))
        });
        let shared = plan.rules_of(RuleOwner::Operator).filter(OwnedRule::is_required);
        let roots = shared.map(|one| one.rule.root).chain(asked);
        let conditions: usize = roots.map(|root| plan.conditions(root).len()).sum();
        1 + conditions.saturating_sub(limits::CONDITIONS_PER_LOOK)
    }
}
