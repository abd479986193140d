//! Rules that holders bring themselves, with whose they are. Rules that say the same are one.

use indexmap::IndexMap;

use crate::{
    engine::columns::Bits,
    inventory::world::World,
    ir::{NodeId, Plan, Rule},
    limits,
    types::Side,
};

/// Requirements and preferences of holders' own, by what they say.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// Requirements of agents about themselves.
    pub of_agents: Vec<(NodeId, Bits)>,
    /// Requirements of tiers that do not speak of the agent.
    pub of_supplies: Vec<(NodeId, Bits)>,
    /// Agents with too many different requirements to keep apart, looked at one by one.
    pub odd_agents: Bits,
    /// Supplies of this kind.
    pub odd_supplies: Bits,
    /// Agents with preferences about themselves.
    pub preferring: Bits,
    /// Agents with rules about volumes.
    pub crossing: Bits,
}

impl Own {
    pub fn new(plan: &Plan, world: &World, alike: &[NodeId]) -> Own {
        let agents = world.agents.len();
        let of_agent = |row: usize| world.rules_of_agent(plan, Some(row));
        let alone = |rule: &&Rule| rule.weight.is_none() && !rule.sides.of_volume();
        let (of_agents, odd_agents) = gather(alike, agents, |row| of_agent(row).iter().filter(alone));
        let fixed = |rule: &&Rule| rule.weight.is_none() && !rule.sides.has(Side::Agent);
        let (of_supplies, odd_supplies) =
            gather(alike, world.supplies.len(), |row| world.rules_of_supply(plan, row).filter(fixed));
        Own {
            of_agents,
            of_supplies,
            odd_agents,
            odd_supplies,
            preferring: Bits::of(agents, |row| {
                of_agent(row).iter().any(|rule| rule.weight.is_some() && !rule.sides.of_volume())
            }),
            crossing: Bits::of(agents, |row| of_agent(row).iter().any(|rule| rule.sides.of_volume())),
        }
    }
}

/// Rows by the rules that are theirs; those with rules past a bound are told apart.
fn gather<'a, R: Iterator<Item = &'a Rule>>(
    alike: &[NodeId],
    rows: usize,
    rules: impl Fn(usize) -> R,
) -> (Vec<(NodeId, Bits)>, Bits) {
    let mut found: IndexMap<NodeId, Bits> = IndexMap::new();
    let mut odd = Bits::none(rows);
    for row in 0..rows {
        for rule in rules(row) {
            let root = alike[rule.root.0 as usize];
            if found.len() < limits::OWN_RULES_INDEXED || found.contains_key(&root) {
                found.entry(root).or_insert_with(|| Bits::none(rows)).set(row, true);
            } else {
                odd.set(row, true);
            }
        }
    }
    (found.into_iter().collect(), odd)
}
