//! What a filter is asked, and what it answers, in the numbers of the broker's own fleet.

use crate::{
    engine::Subject,
    inventory::{ledger::Ledger, world::World},
    ir::{Plan, Volume},
    logic::Truth,
};

/// A fleet at one moment, with the policy it is bound to.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The policy, whose columns hold those of the plugin (see [`add_columns`](super::add_columns)).
    pub plan: &'a Plan,
    /// The fleet.
    pub world: &'a World,
    /// What is used.
    pub ledger: &'a Ledger,
}

/// Rows of a side that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows<'a> {
    /// None: no such side is tried.
    None,
    /// All that the filter sees, in order.
    All,
    /// These, by their number in the fleet.
    These(&'a [usize]),
}

/// A question: what rules say of each candidate, or of each pair of an agent and a supply.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub subject: Option<Subject<'a>>,
    /// For which volume.
    pub volume: Option<&'a Volume>,
    /// Which rules, by their place in [`About::rules`](super::About::rules).
    pub rules: &'a [u32],
    /// Which agents.
    pub agents: Rows<'a>,
    /// Which supplies.
    pub pools: Rows<'a>,
}

/// A question about conditions of one candidate.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Who asks.
    pub subject: Option<Subject<'a>>,
    /// For which volume.
    pub volume: Option<&'a Volume>,
    /// Which conditions, by their place in [`About::conditions`](super::About::conditions).
    pub conditions: &'a [u32],
    /// The agent.
    pub agent: Option<usize>,
    /// The supply.
    pub pool: Option<usize>,
}

/// Rows that are changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed<'a> {
    /// Agents, ascending.
    pub agents: &'a [usize],
    /// Supplies, ascending.
    pub pools: &'a [usize],
    /// Whether only what is free and used is changed, as by a grant.
    pub only_counted: bool,
}

/// Where the plane of a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "only a filter makes answers"))]
pub(super) enum Plane {
    /// Of bits, in `holds` and `unknown`.
    Bits(usize),
    /// Of numbers, in `earned`.
    Earned(usize),
}

/// What rules say. Rules, agents and supplies are counted as the question has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub(super) planes: Vec<Plane>,
    /// Agents tried, or 1.
    pub(super) agents: usize,
    /// Supplies tried, or 1.
    pub(super) pools: usize,
    /// Whether each agent has a bitmap of its own.
    pub(super) by_agent: bool,
    pub(super) holds: Vec<u64>,
    pub(super) unknown: Vec<u64>,
    pub(super) earned: Vec<i32>,
}

impl Answer {
    /// Agents tried, and supplies tried; 1 where a side is not tried.
    pub fn shape(&self) -> (usize, usize) {
        (self.agents, self.pools)
    }

    /// Words of one bitmap.
    fn words(&self) -> usize {
        if self.by_agent { self.pools.div_ceil(64) } else { (self.agents * self.pools).div_ceil(64) }
    }

    /// Words of the plane of one rule.
    pub(super) fn plane_words(&self) -> usize {
        if self.by_agent { self.agents * self.words() } else { self.words() }
    }

    /// What a rule says of one candidate. Of a preference, whether it earns anything.
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

    /// The bits of a rule that is no preference, where it is true and where it is unknown: of each agent a bitmap of the
    /// supplies in whole words, or one bitmap of the one side that is tried.
    pub fn bits(&self, rule: usize) -> Option<(&[u64], &[u64])> {
        let Some(Plane::Bits(plane)) = self.planes.get(rule) else { return None };
        let words = self.plane_words();
        let range = plane * words..(plane + 1) * words;
        Some((&self.holds[range.clone()], &self.unknown[range]))
    }

    /// What a preference earns of one candidate, in millionths; `None` where it is unknown, or no preference.
    pub fn earned(&self, rule: usize, agent: usize, pool: usize) -> Option<i64> {
        let Some(Plane::Earned(plane)) = self.planes.get(rule) else { return None };
        let at = (plane * self.agents + agent) * self.pools + pool;
        self.earned.get(at).filter(|earned| **earned >= 0).map(|earned| i64::from(*earned))
    }
}

/// Why a computation has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not fit 64 bits.
    Overflow,
    /// A division by zero.
    DivisionByZero,
}

/// What a condition came out as, for one candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it holds.
    pub truth: Truth,
    /// Whether it could hold if only what is free or used were otherwise.
    pub may_hold: bool,
    /// Whether it could be false then.
    pub may_fail: bool,
    /// What has no value, by its place in [`About::expressions`](super::About::expressions).
    pub failure: Option<(Failure, u32)>,
    /// What the subject is compared with, as a policy would write it.
    pub operand: Option<String>,
    /// How far two amounts that are compared by order are apart, in base units.
    pub distance: Option<u64>,
}
