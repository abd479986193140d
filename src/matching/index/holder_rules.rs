//! Collects the rules that agents and tiers have of their own, each with the set of rows that it belongs to.
//! Rules with equal expressions are merged.

use indexmap::IndexMap;

use crate::{
    engine::columns::Bits,
    inventory::world::World,
    ir::{NodeId, Plan, Rule},
    limits,
    types::Side,
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
        let of_agent = |row: usize| world.rules_of_agent(plan, Some(row));
        let alone = |rule: &&Rule| rule.strength.is_required() && !rule.sides.of_volume();
        let (of_agents, unindexed_agents) =
            gather(canonical, agents, |row| of_agent(row).iter().filter(alone));
        let fixed = |rule: &&Rule| rule.strength.is_required() && !rule.sides.has(Side::Agent);
        let (of_supplies, unindexed_supplies) =
            gather(canonical, world.supplies.len(), |row| world.rules_of_supply(plan, row).filter(fixed));
        HolderRules {
            of_agents,
            of_supplies,
            unindexed_agents,
            unindexed_supplies,
            preferring: Bits::of(agents, |row| {
                of_agent(row).iter().any(|rule| rule.strength.is_preferred() && !rule.sides.of_volume())
            }),
            crossing: Bits::of(agents, |row| of_agent(row).iter().any(|rule| rule.sides.of_volume())),
        }
    }
}

/// Collects the rows of each distinct rule. Rules beyond the bound go to no set; their rows are returned as
/// the second part.
fn gather<'a, R: Iterator<Item = &'a Rule>>(
    canonical: &[NodeId],
    rows: usize,
    rules: impl Fn(usize) -> R,
) -> (Vec<(NodeId, Bits)>, Bits) {
    let mut found: IndexMap<NodeId, Bits> = IndexMap::new();
    let mut unindexed = Bits::none(rows);
    for row in 0..rows {
        for rule in rules(row) {
            let root = canonical[rule.root.0 as usize];
            if found.len() < limits::OWN_RULES_INDEXED || found.contains_key(&root) {
                found.entry(root).or_insert_with(|| Bits::none(rows)).set(row, true);
            } else {
                unindexed.set(row, true);
            }
        }
    }
    (found.into_iter().collect(), unindexed)
}
