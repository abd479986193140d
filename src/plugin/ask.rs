//! The questions to a filter and its answers, in terms of the broker's own fleet: rows are indices of agents
//! and supplies. `filter` translates them to and from the plugin's numbers.

use crate::{
    engine::Subject,
    inventory::{ledger::Ledger, world::World},
    ir::{Plan, Volume},
    logic::Truth,
};

/// A fleet at one moment, with the policy that it is bound to.
#[derive(Clone, Copy, Debug)]
pub struct FleetView<'a> {
    /// The policy. Its columns include those of the plugin; see [`add_columns`](super::add_columns).
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// The used amounts.
    pub ledger: &'a Ledger,
}

/// The rows of one side that a question tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriedRows<'a> {
    /// The side is not tried.
    None,
    /// All rows that the filter sees, in order.
    All,
    /// These rows, by their index in the fleet.
    These(&'a [usize]),
}

/// A question about rules, for each row of a side or each pair of an agent and a supply.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The framework and need that ask.
    pub subject: Option<Subject<'a>>,
    /// The volume that is to be served.
    pub volume: Option<&'a Volume>,
    /// The rules, by their index in [`About::rules`](super::About::rules).
    pub rules: &'a [u32],
    /// The agents to try.
    pub agents: TriedRows<'a>,
    /// The supplies to try.
    pub pools: TriedRows<'a>,
}

/// A question about conditions of one candidate.
#[derive(Clone, Copy, Debug)]
pub struct CandidateQuestion<'a> {
    /// The framework and need that ask.
    pub subject: Option<Subject<'a>>,
    /// The volume that is to be served.
    pub volume: Option<&'a Volume>,
    /// The conditions, by their index in [`About::conditions`](super::About::conditions).
    pub conditions: &'a [u32],
    /// The agent.
    pub agent: Option<usize>,
    /// The supply.
    pub pool: Option<usize>,
}

/// The rows that a change of the fleet touched.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed<'a> {
    /// Agents, ascending.
    pub agents: &'a [usize],
    /// Supplies, ascending.
    pub pools: &'a [usize],
    /// True if only free and used amounts changed, as by a grant.
    pub only_counted: bool,
}

/// The place of a rule's answers in the lists of an [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "only a filter makes answers"))]
pub(super) enum Plane {
    /// A bitmap, by its index in `holds` and `unknown`.
    Bits(usize),
    /// Numbers, by their index in `earned`.
    Earned(usize),
}

/// The answer to a [`Question`]. Rules, agents and supplies are counted by their order in the question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub(super) planes: Vec<Plane>,
    /// The number of agents tried, or 1.
    pub(super) agents: usize,
    /// The number of supplies tried, or 1.
    pub(super) pools: usize,
    /// True if both sides are tried: then each agent has a bitmap of the supplies, padded to whole words.
    /// Otherwise each plane is one bitmap of the side that is tried.
    pub(super) by_agent: bool,
    pub(super) holds: Vec<u64>,
    pub(super) unknown: Vec<u64>,
    pub(super) earned: Vec<i32>,
}

impl Answer {
    /// Returns the number of agents tried, and of supplies tried; 1 for a side that is not tried.
    pub fn shape(&self) -> (usize, usize) {
        (self.agents, self.pools)
    }

    /// Returns the number of words in one bitmap.
    fn words(&self) -> usize {
        if self.by_agent { self.pools.div_ceil(64) } else { (self.agents * self.pools).div_ceil(64) }
    }

    /// Returns the number of words in the plane of one rule.
    pub(super) fn plane_words(&self) -> usize {
        if self.by_agent { self.agents * self.words() } else { self.words() }
    }

    /// Returns the answer of a rule for one candidate. For a preference, `True` if it earns anything.
    pub fn truth(&self, rule: usize, agent: usize, pool: usize) -> Truth {
        let plane = match self.planes.get(rule) {
            Some(Plane::Bits(plane)) if agent < self.agents && pool < self.pools => *plane,
            Some(Plane::Earned(_)) => {
                return self.earned(rule, agent, pool).map_or(Truth::Unknown, |earned| (earned > 0).into());
            }
            _ => return Truth::Unknown,
        };
        let start = plane * self.plane_words();
        let (start, bit) = if self.by_agent {
            (start + agent * self.words(), pool)
        } else {
            (start, agent * self.pools + pool)
        };
        let has = |bits: &[u64]| bits[start + bit / 64] >> (bit % 64) & 1 == 1;
        match (has(&self.holds), has(&self.unknown)) {
            (true, _) => Truth::True,
            (_, true) => Truth::Unknown,
            _ => Truth::False,
        }
    }

    /// Returns the bits of a rule that is not a preference: where it is true, and where it is unknown. If
    /// both sides are tried there is a bitmap of the supplies for each agent, in whole words; otherwise one
    /// bitmap.
    pub fn bits(&self, rule: usize) -> Option<(&[u64], &[u64])> {
        let Some(Plane::Bits(plane)) = self.planes.get(rule) else { return None };
        let words = self.plane_words();
        let range = plane * words..(plane + 1) * words;
        Some((&self.holds[range.clone()], &self.unknown[range]))
    }

    /// Returns what a preference earns for one candidate, in millionths. `None` if that is unknown, or if the
    /// rule is no preference.
    pub fn earned(&self, rule: usize, agent: usize, pool: usize) -> Option<i64> {
        let Some(Plane::Earned(plane)) = self.planes.get(rule) else { return None };
        let at = (plane * self.agents + agent) * self.pools + pool;
        self.earned.get(at).filter(|earned| **earned >= 0).map(|earned| i64::from(*earned))
    }
}

/// The cause of an expression without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputationFailure {
    /// The result does not fit 64 bits.
    Overflow,
    /// A division by zero.
    DivisionByZero,
}

/// The result of a condition for one candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionOutcome {
    /// The truth of the condition.
    pub truth: Truth,
    /// True if the condition could hold with other free or used amounts, everything else being the same.
    pub may_hold: bool,
    /// True if the condition could be false with other free or used amounts.
    pub may_fail: bool,
    /// The failure, and the expression without a value, by its index in
    /// [`About::expressions`](super::About::expressions).
    pub failure: Option<(ComputationFailure, u32)>,
    /// The value that the subject is compared with, as a policy would write it.
    pub operand: Option<String>,
    /// The difference of two amounts that are compared by order, in base units.
    pub distance: Option<u64>,
}
