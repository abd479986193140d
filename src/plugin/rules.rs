//! The rules of a plugin among those of a plan.

use indexmap::IndexMap;

use super::{
    Fault, Plugin,
    about::{About, Column, Purpose, Rule, Scope},
    binding,
    fault::Broken,
};
use crate::{
    inventory::world::World,
    ir::{self, Asked, ColumnId, Node, NodeId, Plan, Question, SideSet},
    source::{SourceId, Sources, Span},
};

/// The column of a plan that a plugin's is; `None` where no row can have the key.
pub(super) fn column(plan: &Plan, column: &Column) -> Option<ColumnId> {
    plan.find_column(binding::of_plan(plan, column)?)
}

/// Adds the rules of a plugin, which is the `at`th and is called `name` in reasons, and one that it has to be sound.
///
/// # Errors
/// A rule that the plugin may not have. Those that it may have are added all the same.
pub(super) fn add(
    plan: &mut Plan,
    world: &mut World,
    sources: &mut Sources,
    plugin: &Plugin,
    (at, name): (usize, &str),
) -> Result<(), Fault> {
    let about = plugin.about();
    let (text, lines) = listing(about, name);
    let source = sources.add(plugin.name(), text);
    let provider = plugin.provider();
    let conditions = IndexMap::new();
    let mut adder = Adder { plan, world, about, filter: at, name, source, provider, conditions };
    adder.sound();
    let mut refused = Ok(());
    for (number, rule) in about.rules.iter().enumerate() {
        let span = Span::new(source, lines[number].0, lines[number].1);
        let added = adder.rule(number as u32, rule, span);
        refused = refused.and(added.map_err(|said| Fault::new(plugin.name(), Broken::Grant, said)));
    }
    refused
}

/// The rules as a policy would write them, a line each, and where each line is.
fn listing(about: &About, name: &str) -> (String, Vec<(usize, usize)>) {
    let mut text = format!("// the rules of {name}\n");
    let lines = about.rules.iter().map(|rule| {
        let start = text.len();
        let word = match rule.purpose {
            Purpose::Require => "require",
            Purpose::Prefer(_) => "prefer",
            Purpose::Class(_) => "class",
        };
        let condition = about.conditions.get(rule.whole as usize).map_or("", |whole| &whole.text);
        text.push_str(&format!("{word} {}: {condition}\n", rule.label));
        (start, text.len() - 1)
    });
    let lines = lines.collect();
    (text, lines)
}

struct Adder<'a> {
    plan: &'a mut Plan,
    world: &'a mut World,
    about: &'a About,
    filter: usize,
    name: &'a str,
    source: SourceId,
    /// Whose supplies alone it has a say about.
    provider: Option<&'a str>,
    /// Those that were added.
    conditions: IndexMap<u32, NodeId>,
}

impl Adder<'_> {
    /// A plugin that has broken a rule offers nothing that it has a say about, whatever its rules are about.
    fn sound(&mut self) {
        let text = "the plugin answers".to_owned();
        let asked = Asked {
            filter: self.filter,
            question: Question::Sound,
            want: text.clone(),
            text,
            subject: None,
            reads: Vec::new(),
            conditions: Vec::new(),
        };
        let span = Span::new(self.source, 0, 0);
        let root = self.ask(asked, span);
        let rule = ir::Rule {
            label: self.name.to_owned(),
            labelled: true,
            weight: None,
            root,
            sides: SideSet::default(),
            span,
            docs: Vec::new(),
        };
        match self.provider {
            Some(provider) => self.of_tiers(provider, &rule),
            None => self.plan.broker.requires.push(rule),
        }
    }

    fn rule(&mut self, number: u32, rule: &Rule, span: Span) -> Result<(), String> {
        let weight = match rule.purpose {
            Purpose::Require => None,
            Purpose::Prefer(weight) => Some(weight),
            // What a policy asks for by name is its own.
            Purpose::Class(_) => return Ok(()),
        };
        let conditions = match weight {
            None if self.about.explains => rule.conditions.clone(),
            _ => Vec::new(),
        };
        let conditions = conditions.into_iter().map(|condition| self.condition(condition, span)).collect();
        let asked = self.asked(Question::Rule(number), rule.whole, conditions);
        let root = self.ask(asked, span);
        let rule_of_plan = ir::Rule {
            label: format!("{}/{}", self.name, rule.label),
            labelled: rule.labelled,
            weight,
            root,
            sides: rule.sides.iter().fold(SideSet::default(), |sides, side| sides.with(*side)),
            span,
            docs: Vec::new(),
        };
        self.place(rule, rule_of_plan)
    }

    /// A condition, which rules may share.
    fn condition(&mut self, condition: u32, span: Span) -> NodeId {
        if let Some(known) = self.conditions.get(&condition) {
            return *known;
        }
        let node = self.ask(self.asked(Question::Condition(condition), condition, Vec::new()), span);
        self.conditions.insert(condition, node);
        node
    }

    /// Puts a rule to whom it is about.
    fn place(&mut self, rule: &Rule, of_plan: ir::Rule) -> Result<(), String> {
        match (&rule.scope, self.provider) {
            (Scope::Everyone, None) if of_plan.weight.is_some() => self.plan.broker.prefers.push(of_plan),
            (Scope::Everyone, None) => self.plan.broker.requires.push(of_plan),
            (Scope::Everyone, Some(provider)) => self.of_tiers(provider, &of_plan),
            (Scope::Tier(path), provider) => {
                let within = |provider: &str| crate::value::is_within(path, provider);
                if provider.is_none_or(within) {
                    self.of_tiers(path, &of_plan);
                }
            }
            (Scope::Agent(name), None) => self.of_agent(name, of_plan),
            (Scope::Agent(name), Some(provider)) => {
                return Err(format!(
                    "its rule `{}` is about the agent `{name}`, and it has a say about the supplies of `{provider}` alone",
                    rule.label
                ));
            }
        }
        Ok(())
    }

    fn of_tiers(&mut self, path: &str, rule: &ir::Rule) {
        let Some(path) = self.plan.symbols.find(path) else { return };
        let tiers: Vec<usize> = self.world.tiers.iter().map(|tier| tier.rules).collect();
        for tier in self.world.tiers.iter_mut().filter(|tier| tier.path == path) {
            add_to(&mut self.plan.tier_rules, &tiers, &mut tier.rules, rule.clone());
        }
    }

    fn of_agent(&mut self, name: &str, rule: ir::Rule) {
        let Some(agent) = self.plan.symbols.find(name).and_then(|name| self.world.agent(name)) else {
            return;
        };
        let agents: Vec<usize> = self.world.agents.iter().map(|agent| agent.rules).collect();
        add_to(&mut self.plan.agent_rules, &agents, &mut self.world.agents[agent].rules, rule);
    }

    fn asked(&self, question: Question, condition: u32, conditions: Vec<NodeId>) -> Asked {
        let of_plan = |at: &u32| column(self.plan, &self.about.columns[*at as usize]);
        let said = &self.about.conditions[condition as usize];
        Asked {
            filter: self.filter,
            question,
            text: said.text.clone(),
            want: said.want.clone(),
            subject: said.subject.as_ref().and_then(of_plan),
            reads: said.reads.iter().filter_map(of_plan).collect(),
            conditions,
        }
    }

    fn ask(&mut self, asked: Asked, span: Span) -> NodeId {
        let node = NodeId(self.plan.nodes.len() as u32);
        self.plan.nodes.push(Node::Asked(self.plan.asked.len() as u32));
        self.plan.spans.push(span);
        self.plan.asked.push(asked);
        node
    }
}

/// Adds a rule to one holder's list, which is then its own where others have the same.
fn add_to(lists: &mut Vec<Vec<ir::Rule>>, holders: &[usize], own: &mut usize, rule: ir::Rule) {
    if holders.iter().filter(|list| *list == own).count() > 1 {
        lists.push(lists[*own].clone());
        *own = lists.len() - 1;
    }
    lists[*own].push(rule);
}
