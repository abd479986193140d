//! Estimates the cost of rules and needs, before any decision. `bourse check --cost` shows the figures.

use super::{Index, ShapeRequest};
use crate::{
    engine::columns::Levels,
    ir::{NodeId, OwnedRule, Rule, RuleOwner, RuleSubject, Strength},
    limits,
    matching::Matcher,
    types::Side,
};

/// The sides that a rule reads, of the two that have many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleSides {
    /// Neither: the rule has the same value for every candidate of a need.
    Neither,
    /// Agents only.
    Agents,
    /// Supplies only.
    Supplies,
    /// Of both.
    Both,
}

impl RuleSides {
    /// Returns its name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            RuleSides::Neither => "the need",
            RuleSides::Agents => "agents",
            RuleSides::Supplies => "supplies",
            RuleSides::Both => "both",
        }
    }
}

/// The cost of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCost {
    /// The label, or the place in the source.
    pub label: String,
    /// The sides that it reads.
    pub about: RuleSides,
    /// The number of classes of agents that are alike in what the rule reads.
    pub agents: usize,
    /// The number of such classes of supplies.
    pub supplies: usize,
    /// True if it reads amounts of agents, which change from grant to grant.
    pub agents_move: bool,
    /// True if it reads amounts of supplies.
    pub supplies_move: bool,
    /// True if it belongs to an agent and reads volumes. Then its agents are checked one by one.
    pub apart: bool,
}

/// The method by which the candidates of a need are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// By sets of agents and groups of supplies.
    Sets,
    /// Agent by agent, its volumes assigned one after the other: several volumes.
    Volumes,
    /// Agent by agent: a place ties the agent to its volume.
    Tied,
    /// Agent by agent: a charge reads the supply.
    Charged,
    /// Agent by agent: a preference about both earns too many different amounts.
    Graded,
    /// One candidate: no agent is wanted.
    Alone,
}

impl Strategy {
    /// Returns its words in outputs.
    pub fn words(self) -> &'static str {
        match self {
            Strategy::Sets => "by sets",
            Strategy::Volumes => "agent by agent: it has several volumes",
            Strategy::Tied => "agent by agent: a place ties the agent to its volume",
            Strategy::Charged => "agent by agent: a charge reads the supply",
            Strategy::Graded => "agent by agent: a preference about both earns many different amounts",
            Strategy::Alone => "one candidate: it wants no agent",
        }
    }
}

/// An upper bound of the cost of one decision about a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedCost {
    /// The method by which its candidates are found.
    pub way: Strategy,
    /// The number of agents for which everything holds that must hold for an agent alone.
    pub agents: usize,
    /// The number of groups of supplies that rules about both sides cannot tell apart, over all volumes.
    pub groups: usize,
    /// The number of agents that are checked one by one, because they have rules of their own about volumes.
    pub apart: usize,
    /// An upper bound of the steps. A word of 64 agents of a set is one step, and so is one supply tried with
    /// one agent.
    pub steps: u64,
}

impl Index {
    /// Returns the bytes that the index holds for agents: columns, classes and sets of rows.
    pub fn bytes_of_agents(&self) -> usize {
        let sets = self.asked.iter().flatten().filter(|asked| asked.agents.is_some()).count() * 3;
        let rows = self.agents.rows();
        self.agents.bytes()
            + self.free_columns.bytes(Side::Agent)
            + self.scores.values().flatten().map(super::scores::Scores::bytes).sum::<usize>()
            + self.place_values.bytes()
            + sets * rows.div_ceil(8)
            + rows * size_of::<Option<u32>>()
    }

    /// Returns the cost of the rules of a policy on a fleet, in order: those of the operator first, then the
    /// distinct ones of holders.
    pub fn rule_costs(&mut self, matcher: &Matcher<'_>) -> Vec<RuleCost> {
        let plan = matcher.moment.plan;
        let mut seen: Vec<(NodeId, Strength)> = Vec::new();
        let mut costs = Vec::new();
        for OwnedRule { rule, owner, subject } in plan.rules() {
            let apart = matches!(owner, RuleOwner::Agent(_)) && subject == RuleSubject::Pair;
            let same = (self.canonical[rule.root.0 as usize], rule.strength);
            if !seen.contains(&same) && seen.len() < limits::PAGE_ROWS {
                seen.push(same);
                costs.push(RuleCost { apart, ..self.rule_cost(matcher, rule) });
            }
        }
        costs
    }

    fn rule_cost(&mut self, matcher: &Matcher<'_>, rule: &Rule) -> RuleCost {
        let scene = matcher.scene(None, None, None);
        let about = match (rule.sides.has(Side::Agent), rule.sides.has(Side::Pool)) {
            (true, true) => RuleSides::Both,
            (true, false) => RuleSides::Agents,
            (false, true) => RuleSides::Supplies,
            (false, false) => RuleSides::Neither,
        };
        let plan = scene.plan;
        let agents_move = self.agents.moves(plan, rule.root);
        let supplies_move = self.supplies.moves(plan, rule.root);
        let classes = |terms: &mut crate::engine::columns::Terms, moves: bool| match moves {
            true => terms.rows(),
            false => terms.classes_of(&scene, &[rule.root]).count(),
        };
        let agents = classes(&mut self.agents, agents_move);
        let supplies = classes(&mut self.supplies, supplies_move);
        RuleCost {
            label: rule.label.clone(),
            about,
            agents,
            supplies,
            agents_move,
            supplies_move,
            apart: false,
        }
    }

    /// Returns the cost of a decision about a need on a fleet.
    pub fn need_cost(&mut self, matcher: &Matcher<'_>) -> NeedCost {
        let shape = self.shape(matcher);
        let asked = self.asked.get_mut(shape).and_then(Option::take);
        let Some(mut asked) = asked else {
            return NeedCost { way: Strategy::Volumes, agents: 0, groups: 0, apart: 0, steps: 0 };
        };
        let rows = asked.agents.as_mut().map(|agents| self.agents_of(matcher, agents));
        let cost = self.cost_of(matcher, &asked, rows);
        self.asked[shape] = Some(asked);
        cost
    }

    fn cost_of(
        &self,
        matcher: &Matcher<'_>,
        asked: &ShapeRequest,
        rows: Option<crate::engine::columns::Bits>,
    ) -> NeedCost {
        let groups: usize = asked.volumes.iter().map(|volume| volume.groups.len()).sum();
        let ways: usize =
            asked.volumes.iter().flat_map(|volume| &volume.groups).map(|group| group.ways.len()).sum();
        let graded = |levels: &Levels| matches!(levels, Levels::Each(_));
        let each = asked.volumes.iter().flat_map(|volume| &volume.groups);
        let is_graded = each.flat_map(|group| &group.scores).any(|(_, levels)| graded(levels))
            || !asked.volumes.iter().all(super::supplies::SupplyFilter::tells_ways);
        let way = match asked.volumes.len() {
            _ if rows.is_none() => Strategy::Alone,
            0 => Strategy::Sets,
            1 if matcher.charges().any(|charge| charge.sides.has(Side::Pool)) => Strategy::Charged,
            1 if !matcher.is_apart() => Strategy::Tied,
            1 if is_graded => Strategy::Graded,
            1 => Strategy::Sets,
            _ => Strategy::Volumes,
        };
        let agents = rows.as_ref().map_or(0, |rows| rows.count());
        let apart = rows.map_or(0, |mut rows| {
            rows.and(&self.own.crossing);
            if asked.volumes.is_empty() { 0 } else { rows.count() }
        });
        let words = self.agents.rows().div_ceil(64) as u64;
        let supplies = self.supplies.rows() as u64 * asked.volumes.len() as u64;
        let steps = match way {
            Strategy::Sets => words * (1 + ways as u64) + apart as u64 * supplies,
            Strategy::Alone => supplies,
            _ => words + agents as u64 * supplies,
        };
        NeedCost { way, agents, groups, apart, steps }
    }
}
