//! What agents and tiers have of plugins' rules besides their own. A row's rules are a list of the plan, which rows of alike
//! rules share; a row that has more gets a list of its own, and the shared ones stay as they are.

use indexmap::IndexMap;

use crate::{
    inventory::world::World,
    ir::{Plan, Rule},
};

/// The rules of plugins that some rows have besides their own, whether or not these rows are there.
#[derive(Clone, Debug, Default)]
pub(super) struct Besides {
    /// By the agent's name.
    pub agents: MoreRules,
    /// By the tier's path.
    pub tiers: MoreRules,
}

/// What rows of one kind have besides.
#[derive(Clone, Debug, Default)]
pub(super) struct MoreRules {
    of: IndexMap<String, Vec<Rule>>,
    /// The lists that were made: by their number, the number of the row's own rules and whose they are.
    made: IndexMap<usize, (usize, usize)>,
    known: IndexMap<(usize, usize), usize>,
}

impl MoreRules {
    pub fn add(&mut self, whose: &str, rule: Rule) {
        self.of.entry(whose.to_owned()).or_default().push(rule);
    }

    /// The lists that were made, each with that of the row's own rules.
    pub fn lists(&self) -> impl Iterator<Item = (usize, usize)> {
        self.made.iter().map(|(made, (own, _))| (*made, *own))
    }

    /// The number of the rules of a row that has those of `now`, with what it has besides.
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
    /// Gives the rows that are there what they have besides, where they do not have it yet.
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
