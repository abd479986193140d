//! The rules of plugins that belong to single agents and tiers, besides the rules that the policy gives them.
//!
//! The rules of a row are a list in the plan, which rows with the same rules share. A row that gets more
//! rules gets another list, with the shared rules copied into it. The shared list stays as it is, so that
//! other rows are not affected.

use indexmap::IndexMap;

use crate::{
    inventory::world::World,
    ir::{Plan, Rule},
};

/// The rules of plugins for named agents and tiers. A name stays known while no such row exists, since a
/// later change of the fleet may add it.
#[derive(Clone, Debug, Default)]
pub(super) struct Besides {
    /// By the agent's name.
    pub agents: MoreRules,
    /// By the tier's path.
    pub tiers: MoreRules,
}

/// The additional rules of rows of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct MoreRules {
    /// By name or path, the rules that the row gets in addition.
    of: IndexMap<String, Vec<Rule>>,
    /// For each list that was made, its source: the list of the row's own rules, and the index in `of`.
    made: IndexMap<usize, (usize, usize)>,
    /// The reverse of `made`, so that rows with the same rules and the same additions share a list.
    known: IndexMap<(usize, usize), usize>,
}

impl MoreRules {
    pub fn add(&mut self, whose: &str, rule: Rule) {
        self.of.entry(whose.to_owned()).or_default().push(rule);
    }

    /// Returns the lists that were made, each with the list of the row's own rules.
    pub fn lists(&self) -> impl Iterator<Item = (usize, usize)> {
        self.made.iter().map(|(made, (own, _))| (*made, *own))
    }

    /// Returns the list for a row that now has the list `now`, with the rules of entry `whose` of `of` added.
    /// Idempotent: a list that was made for `whose` is returned as it is.
    fn list(&mut self, lists: &mut Vec<Vec<Rule>>, now: usize, whose: usize) -> usize {
        if self.made.get(&now).is_some_and(|(_, of)| *of == whose) {
            return now;
        }
        if let Some(known) = self.known.get(&(now, whose)) {
            return *known;
        }
        let made = lists.len();
        let all = lists[now].iter().chain(&self.of[whose]).cloned().collect();
        lists.push(all);
        self.made.insert(made, (now, whose));
        self.known.insert((now, whose), made);
        made
    }
}

impl Besides {
    /// Gives the rows that exist their additional rules, unless they have them.
    pub fn give(&mut self, plan: &mut Plan, world: &mut World) {
        let agents = &mut self.agents;
        for whose in 0..agents.of.len() {
            let Some(row) = plan.symbols.find(&agents.of.keys()[whose]).and_then(|name| world.agent(name))
            else {
                continue;
            };
            let row = &mut world.agents[row].rules;
            *row = agents.list(&mut plan.agent_rules, *row, whose);
        }
        let tiers = &mut self.tiers;
        if tiers.of.is_empty() {
            return;
        }
        for tier in &mut world.tiers {
            if let Some(whose) = tiers.of.get_index_of(plan.symbols.text(tier.path)) {
                tier.rules = tiers.list(&mut plan.tier_rules, tier.rules, whose);
            }
        }
    }
}
