//! The result of a cycle: grants, the outcome of each need, rejections, and shares.
//!
//! Plain data, written by the cycle and read by the output, explanations and comparisons of policies.

use std::sync::Arc;

use indexmap::IndexSet;

use super::share::{Dominant, Fraction};
use crate::{
    inventory::ledger::Ledger,
    ir::Plan,
    matching::{Candidate, NeedId, Placed, Reason},
};

/// The outcome of a need, by the number of its instances that have a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All instances, allocations included.
    Met,
    /// Some of them.
    Partial,
    /// None of them.
    Unmet,
}

impl Outcome {
    /// Returns the name of the outcome, as the output writes it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Met => "met",
            Outcome::Partial => "partial",
            Outcome::Unmet => "unmet",
        }
    }
}

/// The grants that a need was lost to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Winners {
    /// The indices of the grants, those on the need's best candidate first. At most
    /// `limits::WINNERS_KEPT`.
    pub grants: Vec<usize>,
    /// The number of all such grants, including those that are not listed.
    pub count: usize,
}

/// The reason why a need got no more instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is proved that there is no candidate, even with every grant of the cycle undone.
    Proved,
    /// The need lost to other grants.
    Contended(Winners),
    /// A budget or the greedy order ended the search.
    Bounded,
}

impl Why {
    /// Returns the kind of the reason.
    pub fn kind(&self) -> WhyKind {
        match self {
            Why::Proved => WhyKind::Proved,
            Why::Contended(_) => WhyKind::Contended,
            Why::Bounded => WhyKind::Bounded,
        }
    }
}

/// The kind of a [`Why`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyKind {
    /// There is no candidate.
    Proved,
    /// Other grants took what the need lacks.
    Contended,
    /// A budget or the greedy order ended the search.
    Bounded,
}

impl WhyKind {
    /// Returns the name of the kind, as the output writes it.
    pub fn name(self) -> &'static str {
        match self {
            WhyKind::Proved => "proved",
            WhyKind::Contended => "contended",
            WhyKind::Bounded => "bounded",
        }
    }
}

/// The bound of a cycle that cut a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The number of supplies that may be tried: `limits::CYCLE_TRIES`.
    Tries,
    /// The number of parts that granted instances may have: `limits::GRANTED_PARTS`.
    Parts,
}

impl Cut {
    /// Returns a description of the bound.
    pub fn words(self) -> &'static str {
        match self {
            Cut::Tries => "its framework has tried as many supplies as it may in one cycle",
            Cut::Parts => "its framework has as many offers as one cycle may hold",
        }
    }
}

/// One instance granted.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The need.
    pub id: NeedId,
    /// The number of the instance within the need, from 1. Allocations count too.
    pub instance: u64,
    /// The agent and supplies, and the amounts taken.
    pub candidate: Candidate,
    /// The dominant share of the framework's role after this grant.
    pub role_share: Fraction,
}

/// The reasons against one agent, one supply, or both together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The agent. `None` if the supply is rejected whatever the agent.
    pub agent: Option<usize>,
    /// The number of the volume, and the supply tried for it.
    pub supply: Option<(usize, usize)>,
    /// The indices of the reasons in [`Cycle::reasons`]. The list is shared, since millions of rejections
    /// may have few distinct lists.
    pub reasons: Arc<[usize]>,
}

/// The rejections of a need when it closed.
#[derive(Clone, Debug, Default)]
pub struct Rejections {
    /// The rejections of agents alone, then those of supplies alone, then those of both together.
    pub list: Vec<Rejection>,
    /// The number of rejections that were not kept (`limits::REJECTIONS_KEPT`).
    pub dropped: usize,
    /// The agents that were feasible when the need closed.
    pub feasible: Vec<usize>,
}

/// The result of one need.
#[derive(Clone, Debug)]
pub struct NeedResult {
    /// The need.
    pub id: NeedId,
    /// The number of instances wanted.
    pub count: u64,
    /// The number of instances allocated before the cycle.
    pub allocated: u64,
    /// The number of instances granted in the cycle.
    pub offered: u64,
    /// The indices of its grants.
    pub grants: Vec<usize>,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason why it got no more. `None` if it is met.
    pub why: Option<Why>,
    /// The number of agents that could take an instance when the need was last tried.
    pub feasible_agents: usize,
    /// `true` if a bound ended some search for it.
    pub bounded: bool,
    /// The bound of the cycle that cut it, if one did.
    pub cut: Option<Cut>,
    /// The number of missing instances that fitted, for a need that is granted whole or not at all, and
    /// was not granted.
    pub fitted: Option<u64>,
    /// The number of grants of the cycle when the need closed.
    pub closed_after: usize,
    /// The rejections of all other agents and supplies, if they were requested.
    pub rejections: Rejections,
}

impl NeedResult {
    pub(super) fn new(plan: &Plan, id: NeedId) -> Self {
        NeedResult {
            id,
            count: plan.frameworks[id.framework].needs[id.need].count,
            allocated: 0,
            offered: 0,
            grants: Vec::new(),
            outcome: Outcome::Unmet,
            why: None,
            feasible_agents: 0,
            bounded: false,
            cut: None,
            fitted: None,
            closed_after: 0,
            rejections: Rejections::default(),
        }
    }

    /// Returns the number of instances that are still missing.
    pub fn missing(&self) -> u64 {
        self.count.saturating_sub(self.allocated + self.offered)
    }
}

/// A role and its shares before and after the cycle.
#[derive(Clone, Debug)]
pub struct RoleShare {
    /// The path of the role.
    pub path: String,
    /// The weight, in millionths.
    pub weight: i64,
    /// The dominant share after the cycle, including sub-roles, before division by the weight.
    pub dominant: Dominant,
    /// The same share before the cycle.
    pub before: Dominant,
}

/// The result of a cycle.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// The needs that took part, in order of declaration unless the caller asked for another order.
    pub needs: Vec<NeedResult>,
    /// The grants, in the order in which they were made.
    pub grants: Vec<Grant>,
    /// The amounts in use after the cycle.
    pub ledger: Ledger,
    /// The positions of instances after the cycle.
    pub placed: Placed,
    /// The distinct reasons. Rejections refer to them by index.
    pub reasons: IndexSet<Reason>,
    /// All roles, sorted by path.
    pub roles: Vec<RoleShare>,
}

impl Cycle {
    /// Returns the result of a need, if it took part.
    pub fn need(&self, id: NeedId) -> Option<&NeedResult> {
        // A binary search fails at most when the caller asked for the needs in another order.
        match self.needs.binary_search_by_key(&id, |need| need.id) {
            Ok(at) => self.needs.get(at),
            Err(_) => self.needs.iter().find(|need| need.id == id),
        }
    }

    /// Returns a reason by its index.
    pub fn reason(&self, number: usize) -> &Reason {
        &self.reasons[number]
    }
}
