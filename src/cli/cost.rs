//! `bourse check --cost`: prints what each rule is about, and the most that a decision about each need can
//! cost.
//!
//! The figures are those of the index (`matching::Index`), from counts of alike rows. No cycle runs.

use super::table::{columns, count, grouped};
use crate::{
    Fleet,
    cycle::every_need,
    limits,
    matching::{Index, Matcher, NeedId, RuleCost, RuleSides, Strategy},
};

/// Writes the costs of rules and needs as text.
pub fn show(fleet: &Fleet) -> String {
    let (plan, world) = (fleet.plan(), fleet.world());
    let moment = fleet.moment();
    let mut index = Index::new(plan, world);
    let needs: Vec<NeedId> = every_need(plan).collect();
    let Some(first) = needs.first() else {
        return "no need is declared, so nothing is asked of the fleet\n".to_owned();
    };
    let mut out = String::new();
    let rules = index.rule_costs(&Matcher::new(moment, *first));
    if !rules.is_empty() {
        out.push_str("rules\n");
        let rows: Vec<Vec<String>> = rules.iter().map(rule).collect();
        out.push_str(&columns("  ", &rows));
    }
    out.push_str("needs\n");
    let mut rows = Vec::new();
    for id in needs.iter().take(limits::PAGE_ROWS) {
        let cost = index.need_cost(&Matcher::new(moment, *id));
        let framework = &plan.frameworks[id.framework];
        let need = &framework.needs[id.need];
        let name = (plan.symbols.text(framework.name), plan.symbols.text(need.name));
        let name = if name.0 == name.1 { name.1.to_owned() } else { format!("{}.{}", name.0, name.1) };
        let mut of = Vec::new();
        if cost.way != Strategy::Alone {
            of.push(count(cost.agents, "agent", "agents"));
        }
        if cost.groups > 0 {
            of.push(count(cost.groups, "group of supplies", "groups of supplies"));
        }
        if cost.apart > 0 {
            of.push(format!("{} looked at one by one", count(cost.apart, "agent", "agents")));
        }
        let steps = format!("at most {}", count(cost.steps as usize, "step", "steps"));
        rows.push(vec![name, cost.way.words().to_owned(), of.join(", "), steps]);
    }
    out.push_str(&columns("  ", &rows));
    if needs.len() > limits::PAGE_ROWS {
        out.push_str(&format!("  and {} more needs\n", grouped(needs.len() - limits::PAGE_ROWS)));
    }
    out
}

/// The row of one rule. A rule is evaluated once for each kind of alike rows; on rows whose amounts move
/// during a cycle it is evaluated again when something is taken of them.
fn rule(cost: &RuleCost) -> Vec<String> {
    let agents = || count(cost.agents, "kind of agents", "kinds of agents");
    let supplies = || count(cost.supplies, "kind of supplies", "kinds of supplies");
    let again = |what: &str| format!("looked at again for {what} of which something is taken");
    if cost.apart {
        let how = "on each agent that brings it, with each supply".to_owned();
        return vec![cost.label.clone(), cost.about.name().to_owned(), how];
    }
    let how = match (cost.about, cost.agents_move, cost.supplies_move) {
        (RuleSides::Neither, ..) => "once for a need".to_owned(),
        (RuleSides::Agents, false, _) => format!("once for each of {}", agents()),
        (RuleSides::Agents, true, _) => again("agents"),
        (RuleSides::Supplies, _, false) => format!("once for each of {}", supplies()),
        (RuleSides::Supplies, _, true) => again("supplies"),
        (RuleSides::Both, false, false) => {
            format!("once for each of {} with each of {}", agents(), supplies())
        }
        (RuleSides::Both, true, false) => format!("for each of {}, {}", supplies(), again("agents")),
        (RuleSides::Both, _, true) => {
            format!("not kept: {} for each supply of which something is taken", agents())
        }
    };
    vec![cost.label.clone(), cost.about.name().to_owned(), how]
}
