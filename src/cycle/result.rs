//! What a cycle gives.

use std::sync::Arc;

use indexmap::IndexSet;

use super::share::{Dominant, Fraction};
use crate::{
    inventory::ledger::Ledger,
    ir::Plan,
    matching::{Candidate, NeedId, Placed, Reason},
};

/// How a need ended.
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
    /// Its word.
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
    /// By their numbers, those on the need's best candidate first; at most `limits::WINNERS_KEPT`.
    pub grants: Vec<usize>,
    /// How many there are.
    pub count: usize,
}

/// Why a need got no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no candidate even with every grant of the cycle undone.
    Proved,
    /// Lost to other grants.
    Contended(Winners),
    /// A budget or the greedy order ended the search.
    Bounded,
}

impl Why {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Why::Proved => "proved",
            Why::Contended(_) => "contended",
            Why::Bounded => "bounded",
        }
    }
}

/// Which bound of a cycle cut a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The supplies that may be tried: `limits::CYCLE_TRIES`.
    Tries,
    /// What instances may take to hold: `limits::GRANTED_PARTS`.
    Parts,
}

impl Cut {
    /// Its words.
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
    /// Whose.
    pub id: NeedId,
    /// Which instance of the need, from 1, allocations counted.
    pub instance: u64,
    /// Where, and what it takes.
    pub candidate: Candidate,
    /// The dominant share of the framework's role after it.
    pub role_share: Fraction,
}

/// Reasons against one agent, one supply, or both together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The agent; `None` where it does not matter.
    pub agent: Option<usize>,
    /// The volume, by its number, and the supply tried for it.
    pub supply: Option<(usize, usize)>,
    /// The reasons, by their numbers in [`Cycle::reasons`]. Millions of rejections share few lists.
    pub reasons: Arc<[usize]>,
}

/// Every rejection of a need when it closed.
#[derive(Clone, Debug, Default)]
pub struct Rejections {
    /// Agents alone, then supplies alone, then both together.
    pub list: Vec<Rejection>,
    /// How many more there are that were not kept (`limits::REJECTIONS_KEPT`).
    pub dropped: usize,
    /// Agents that were feasible when the need closed.
    pub feasible: Vec<usize>,
}

/// One need and what became of it.
#[derive(Clone, Debug)]
pub struct NeedResult {
    /// Which need.
    pub id: NeedId,
    /// Instances wanted.
    pub count: u64,
    /// Instances allocated before the cycle.
    pub allocated: u64,
    /// Instances granted in the cycle.
    pub offered: u64,
    /// Its grants, by their numbers.
    pub grants: Vec<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it got no more; `None` once it is met.
    pub why: Option<Why>,
    /// Agents that could take an instance when the need was last tried.
    pub feasible_agents: usize,
    /// Whether a bound ended some search of it.
    pub bounded: bool,
    /// Which bound of the cycle cut it, if one did.
    pub cut: Option<Cut>,
    /// Of a need that is granted whole or not at all, and was not: how many of its missing instances fitted.
    pub fitted: Option<u64>,
    /// How many grants there were when it closed.
    pub closed_after: usize,
    /// What was against everything else, where asked for.
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

    /// Instances still missing.
    pub fn missing(&self) -> u64 {
        self.count.saturating_sub(self.allocated + self.offered)
    }
}

/// A role and its share after the cycle.
#[derive(Clone, Debug)]
pub struct RoleShare {
    /// Its path.
    pub path: String,
    /// Its weight, in millionths.
    pub weight: i64,
    /// Its dominant share, sub-roles included, before its weight.
    pub dominant: Dominant,
    /// The same before the cycle.
    pub before: Dominant,
}

/// A whole cycle.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// The needs that took part, in order of declaration.
    pub needs: Vec<NeedResult>,
    /// The grants, in order.
    pub grants: Vec<Grant>,
    /// What is used after it.
    pub ledger: Ledger,
    /// Where instances are after it.
    pub placed: Placed,
    /// Every reason, once.
    pub reasons: IndexSet<Reason>,
    /// Every role, by path.
    pub roles: Vec<RoleShare>,
}

impl Cycle {
    /// A need that took part.
    pub fn need(&self, id: NeedId) -> Option<&NeedResult> {
        // They are in order of declaration, unless they were asked for in another.
        match self.needs.binary_search_by_key(&id, |need| need.id) {
            Ok(at) => self.needs.get(at),
            Err(_) => self.needs.iter().find(|need| need.id == id),
        }
    }

    /// A reason.
    pub fn reason(&self, number: usize) -> &Reason {
        &self.reasons[number]
    }
}
