//! Collects the rules that agents and tiers have of their own, each with the set of rows that it belongs to.
//! Rules with equal expressions are merged.

use indexmap::IndexMap;

use crate::{
    engine::columns::Bits,
    inventory::world::World,
    ir::{NodeId, OwnedRule, Plan, RuleOwner, RuleSubject},
    limits,
};

/// The rules that holders have of their own, by expression.
#[derive(Clone, Debug, Default)]
pub(super) struct HolderRules {
    /// Requirements of agents that read no volume or supply.
    pub of_agents: Vec<(NodeId, Bits)>,
    /// Requirements of tiers that do not read the agent.
    pub of_supplies: Vec<(NodeId, Bits)>,
    /// Agents with more distinct requirements than are indexed. They are checked one by one.
    pub unindexed_agents: Bits,
    /// Supplies with more distinct requirements than are indexed.
    pub unindexed_supplies: Bits,
    /// Agents with preferences that read no volume or supply.
    pub preferring: Bits,
    /// Agents with rules that read volumes or supplies.
    pub crossing: Bits,
}

impl HolderRules {
    pub fn new(plan: &Plan, world: &World, canonical: &[NodeId]) -> HolderRules {
        let agents = world.agents.len();
        let of_agent = |row: usize| plan.rules_of(RuleOwner::Agent(world.agents[row].rules));
        let of_supply = |row: usize| {
            let tiers = world.supplies[row].chain.iter();
            tiers.flat_map(|tier| plan.rules_of(RuleOwner::Tier(world.tiers[*tier].rules)))
        };
        let alone = |one: &OwnedRule<'_>| one.is_required() && one.subject != RuleSubject::Pair;
        let (of_agents, unindexed_agents) = gather(canonical, agents, |row| of_agent(row).filter(alone));
        let (of_supplies, unindexed_supplies) =
            gather(canonical, world.supplies.len(), |row| of_supply(row).filter(alone));
        HolderRules {
            of_agents,
            of_supplies,
            unindexed_agents,
            unindexed_supplies,
            preferring: Bits::of(agents, |row| {
                of_agent(row).any(|one| one.is_preferred() && one.subject != RuleSubject::Pair)
            }),
            crossing: Bits::of(agents, |row| of_agent(row).any(|one| one.subject == RuleSubject::Pair)),
        }
    }
}

/// Collects the rows of each distinct rule. Rules beyond the bound go to no set; their rows are returned as
/// the second part.
fn gather<'a, R: Iterator<Item = OwnedRule<'a>>>(
    canonical: &[NodeId],
    rows: usize,
    rules: impl Fn(usize) -> R,
) -> (Vec<(NodeId, Bits)>, Bits) {
    let mut found: IndexMap<NodeId, Bits> = IndexMap::new();
    let mut unindexed = Bits::none(rows);
    for row in 0..rows {
        for one in rules(row) {
            let root = canonical[one.rule.root.0 as usize];
            if found.len() < limits::OWN_RULES_INDEXED || found.contains_key(&root) {
                found.entry(root).or_insert_with(|| Bits::none(rows)).set(row, true);
            } else {
                unindexed.set(row, true);
            }
        }
    }
    (found.into_iter().collect(), unindexed)
}
