//! Every rule of a plan, with its owner and its subject.
//!
//! A candidate faces rules of the operator, of its agent, and of the tiers of its supplies. Which rule is checked
//! with which part of a candidate is decided here and nowhere else: a rule has one [`RuleSubject`], and checks,
//! scores, the index, explanations and coverage select rules by it.

use super::{Plan, Rule};
use crate::types::Side;

/// The owner of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleOwner {
    /// The operator: it applies to every candidate.
    Operator,
    /// The agents with this list in [`Plan::agent_rules`]: it applies to their candidates.
    Agent(usize),
    /// The tiers with this list in [`Plan::tier_rules`]: it applies to the supplies on and below them.
    Tier(usize),
}

/// The part of a candidate that a rule is checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleSubject {
    /// The request alone: neither agent nor supply.
    Need,
    /// An agent.
    Agent,
    /// A supply, for each volume, whatever the agent.
    Supply,
    /// An agent and a supply together, for each volume.
    Pair,
}

impl RuleSubject {
    /// Determines the subject of a rule. A holder's rule is about the holder, whatever it mentions.
    fn of(rule: &Rule, owner: RuleOwner) -> RuleSubject {
        let (reads_agent, reads_supply) = (rule.sides.has(Side::Agent), rule.sides.of_volume());
        match owner {
            RuleOwner::Operator => match (reads_agent, reads_supply) {
                (false, false) => RuleSubject::Need,
                (true, false) => RuleSubject::Agent,
                (false, true) => RuleSubject::Supply,
                (true, true) => RuleSubject::Pair,
            },
            RuleOwner::Agent(_) if reads_supply => RuleSubject::Pair,
            RuleOwner::Agent(_) => RuleSubject::Agent,
            RuleOwner::Tier(_) if reads_agent => RuleSubject::Pair,
            RuleOwner::Tier(_) => RuleSubject::Supply,
        }
    }

    /// Returns `true` if the rule is checked with an agent. Without one it does not apply.
    pub fn has_agent(self) -> bool {
        match self {
            RuleSubject::Agent | RuleSubject::Pair => true,
            RuleSubject::Need | RuleSubject::Supply => false,
        }
    }

    /// Returns `true` if the rule is checked with a supply, once for each volume.
    pub fn has_supply(self) -> bool {
        match self {
            RuleSubject::Supply | RuleSubject::Pair => true,
            RuleSubject::Need | RuleSubject::Agent => false,
        }
    }
}

/// A rule of a plan, with its owner and subject.
#[derive(Clone, Copy, Debug)]
pub struct OwnedRule<'p> {
    /// The rule.
    pub rule: &'p Rule,
    /// Its owner.
    pub owner: RuleOwner,
    /// The part of a candidate that it is checked with.
    pub subject: RuleSubject,
}

impl OwnedRule<'_> {
    /// Returns `true` for a requirement.
    pub fn is_required(&self) -> bool {
        self.rule.strength.is_required()
    }

    /// Returns `true` for a preference.
    pub fn is_preferred(&self) -> bool {
        self.rule.strength.is_preferred()
    }
}

impl Plan {
    /// The rules of an owner, in order: for the operator, requirements before preferences.
    pub fn rules_of(&self, owner: RuleOwner) -> impl Iterator<Item = OwnedRule<'_>> + Clone {
        let (first, rest): (&[Rule], &[Rule]) = match owner {
            RuleOwner::Operator => (&self.broker.requires, &self.broker.prefers),
            RuleOwner::Agent(list) => (&self.agent_rules[list], &[]),
            RuleOwner::Tier(list) => (&self.tier_rules[list], &[]),
        };
        let owned = move |rule| OwnedRule { rule, owner, subject: RuleSubject::of(rule, owner) };
        first.iter().chain(rest).map(owned)
    }

    /// Every rule: the operator's, those of agents, and those of tiers.
    pub fn rules(&self) -> impl Iterator<Item = OwnedRule<'_>> + Clone {
        let agents = (0..self.agent_rules.len()).map(RuleOwner::Agent);
        let tiers = (0..self.tier_rules.len()).map(RuleOwner::Tier);
        let owners = std::iter::once(RuleOwner::Operator).chain(agents).chain(tiers);
        owners.flat_map(|owner| self.rules_of(owner))
    }
}
