//! Converts the rules of a plugin to rules of a plan, whose values the plugin is asked for.

use indexmap::IndexMap;

use super::{
    Plugin,
    about::{About, AboutColumn, AboutRule, Purpose, RuleScope},
    besides::Besides,
    binding,
};
use crate::{
    ir::{self, ColumnId, ExternalQuestion, ExternalRule, Node, NodeId, Plan, SideSet, Strength},
    source::{SourceId, Sources, Span},
    symbol::Symbol,
    types::{PluginClass, Side},
    value::show_name,
};

/// Returns the plan's column for a plugin's. `None` if no row can have the key.
pub(super) fn column(plan: &Plan, column: &AboutColumn) -> Option<ColumnId> {
    plan.find_column(binding::of_plan(plan, column)?)
}

/// Returns the classes of a plugin that is called `name`, as policies write them, each with the index of its
/// rule. A class that reads the other side is left out, because a need asks for a class of one row.
pub(super) fn classes<'a>(about: &'a About, name: &'a str) -> impl Iterator<Item = (u32, PluginClass)> + 'a {
    about.rules.iter().enumerate().filter_map(move |(number, rule)| {
        let Purpose::Class(side) = rule.purpose else { return None };
        let other = if side == Side::Agent { Side::Pool } else { Side::Agent };
        let is_one = matches!(side, Side::Agent | Side::Pool) && !rule.reads(other);
        let name = format!("{}/{}", show_name(name), rule.label);
        is_one.then_some((number as u32, PluginClass { name, side }))
    })
}

/// Adds the rules of the plugin with index `at`, which is called `name` in reasons, and a rule that requires
/// the plugin to be sound. Rules for everyone go into the plan. Rules of agents and tiers go into `besides`
/// only, since those rows may not exist yet. Returns all rules but the classes.
pub(super) fn add(
    plan: &mut Plan,
    besides: &mut Besides,
    plugin: &Plugin,
    (at, name): (usize, &str),
    listing: &Listing,
) -> Vec<ir::Rule> {
    let (about, provider, source) = (plugin.about(), plugin.provider(), listing.source);
    let (withheld, conditions) = (plugin.withheld(), IndexMap::new());
    let mut adder = Adder { plan, besides, about, filter: at, name, source, provider, withheld, conditions };
    adder.sound();
    for (number, class) in classes(about, name) {
        adder.class(number, &class, listing.lines[number as usize]);
    }
    let rules = about.rules.iter().enumerate();
    let rules = rules.filter_map(|(number, rule)| adder.rule(number as u32, rule, listing.lines[number]));
    rules.collect()
}

/// The text of a plugin's rules, a line each, as a policy would write them.
pub(super) struct Listing {
    source: SourceId,
    lines: Vec<Span>,
}

impl Listing {
    /// Adds the text as a source with the plugin's name.
    pub(super) fn new(sources: &mut Sources, plugin: &Plugin, name: &str) -> Listing {
        let about = plugin.about();
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
        let lines: Vec<(usize, usize)> = lines.collect();
        let source = sources.add(plugin.name(), text);
        Listing {
            source,
            lines: lines.into_iter().map(|(start, end)| Span::new(source, start, end)).collect(),
        }
    }
}

/// The kind of rule that a condition belongs to, which adds a key to those that the condition reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ConditionOwner {
    /// Rules, or classes of agents: no key more.
    Rules,
    /// Rules of a provider's plugin about one agent: its name.
    RulesOf(Symbol),
    /// Classes of supplies: the provider, if the plugin belongs to one.
    ClassOfSupplies,
}

struct Adder<'a> {
    plan: &'a mut Plan,
    besides: &'a mut Besides,
    about: &'a About,
    /// The index of the plugin among those of the fleet.
    filter: usize,
    name: &'a str,
    source: SourceId,
    /// The only provider whose supplies the plugin has a say about.
    provider: Option<&'a str>,
    /// The columns that it may not see.
    withheld: Vec<usize>,
    /// The conditions that were added, by their index and kind.
    conditions: IndexMap<(u32, ConditionOwner), NodeId>,
}

impl Adder<'_> {
    /// Adds the rule that a plugin must be sound. After a fault nothing that the plugin had a say about is
    /// offered, whatever its rules read.
    fn sound(&mut self) {
        let text = "the plugin answers".to_owned();
        let asked = ExternalRule {
            filter: self.filter,
            question: ExternalQuestion::Healthy,
            want: text.clone(),
            text,
            subject: None,
            reads: Vec::new(),
            agent: None,
            conditions: Vec::new(),
        };
        let span = Span::new(self.source, 0, 0);
        let root = self.ask(asked, span);
        let rule = ir::Rule {
            label: self.name.to_owned(),
            labelled: true,
            strength: Strength::Require,
            root,
            sides: SideSet::default(),
            span,
            docs: Vec::new(),
        };
        match self.provider {
            Some(provider) => self.of_tier(provider, rule),
            None => self.plan.broker.requires.push(rule),
        }
    }

    fn rule(&mut self, number: u32, rule: &AboutRule, span: Span) -> Option<ir::Rule> {
        let strength = match rule.purpose {
            Purpose::Require => Strength::Require,
            Purpose::Prefer(weight) => Strength::Prefer(weight),
            Purpose::Class(_) => return None,
        };
        // A provider's rule about one agent is attached to the provider's supplies, since only those are its
        // own. It is evaluated with every agent, and says nothing about others than that one.
        let agent = match (&rule.scope, self.provider) {
            (RuleScope::Agent(name), Some(_)) => Some(self.plan.symbols.intern(name)),
            _ => None,
        };
        let conditions = match strength {
            Strength::Require if self.about.explains => rule.conditions.clone(),
            Strength::Require | Strength::Prefer(_) => Vec::new(),
        };
        let owner = agent.map_or(ConditionOwner::Rules, ConditionOwner::RulesOf);
        let conditions = conditions.into_iter().map(|condition| self.condition(condition, owner, span));
        let conditions = conditions.collect();
        let asked =
            ExternalRule { conditions, ..self.asked(ExternalQuestion::Rule(number), rule.whole, owner) };
        let root = self.ask(asked, span);
        let sides = rule.sides.iter().fold(SideSet::default(), |sides, side| sides.with(*side));
        let rule_of_plan = ir::Rule {
            label: format!("{}/{}", self.name, rule.label),
            labelled: rule.labelled,
            strength,
            root,
            sides: if agent.is_some() { sides.with(Side::Agent) } else { sides },
            span,
            docs: Vec::new(),
        };
        self.place(rule, rule_of_plan.clone());
        Some(rule_of_plan)
    }

    /// Adds a condition, unless another rule has added it.
    fn condition(&mut self, condition: u32, owner: ConditionOwner, span: Span) -> NodeId {
        if let Some(known) = self.conditions.get(&(condition, owner)) {
            return *known;
        }
        let node = self.ask(self.asked(ExternalQuestion::Condition(condition), condition, owner), span);
        self.conditions.insert((condition, owner), node);
        node
    }

    /// Attaches a rule to the broker, the tier or the agent that it is about. A provider's plugin reaches no
    /// tier outside of the provider.
    fn place(&mut self, rule: &AboutRule, of_plan: ir::Rule) {
        match (&rule.scope, self.provider) {
            (RuleScope::Everyone, None) if of_plan.strength.is_preferred() => {
                self.plan.broker.prefers.push(of_plan)
            }
            (RuleScope::Everyone, None) => self.plan.broker.requires.push(of_plan),
            (RuleScope::Everyone | RuleScope::Agent(_), Some(provider)) => self.of_tier(provider, of_plan),
            (RuleScope::Tier(path), provider) => {
                let within = |provider: &str| crate::value::is_within(path, provider);
                if provider.is_none_or(within) {
                    self.of_tier(path, of_plan);
                }
            }
            (RuleScope::Agent(name), None) => self.besides.agents.add(name, of_plan),
        }
    }

    fn of_tier(&mut self, path: &str, rule: ir::Rule) {
        self.besides.tiers.add(path, rule);
    }

    /// Makes the plugin answer for a class, if the policy asks for it.
    fn class(&mut self, number: u32, class: &PluginClass, span: Span) {
        let definitions = self.plan.definitions.iter_mut();
        let own =
            |known: &&mut ir::Definition| known.class_of == Some(class.side) && known.name == class.name;
        let Some(definition) = definitions.into_iter().find(own) else { return };
        let Some(Node::External(at)) = self.plan.nodes.get(definition.root.0 as usize) else { return };
        definition.span = span;
        self.plan.spans[definition.root.0 as usize] = span;
        let (at, rule) = (*at as usize, &self.about.rules[number as usize]);
        let owner =
            if class.side == Side::Pool { ConditionOwner::ClassOfSupplies } else { ConditionOwner::Rules };
        let conditions = if self.about.explains { rule.conditions.clone() } else { Vec::new() };
        let conditions = conditions.into_iter().map(|condition| self.condition(condition, owner, span));
        let conditions = conditions.collect();
        let asked = self.asked(ExternalQuestion::Rule(number), rule.whole, owner);
        self.plan.asked[at] = ExternalRule { conditions, ..asked };
    }

    fn asked(&self, question: ExternalQuestion, condition: u32, owner: ConditionOwner) -> ExternalRule {
        let of_plan = |at: &u32| column(self.plan, &self.about.columns[*at as usize]);
        let condition_text = &self.about.conditions[condition as usize];
        // Withheld columns are left out even of the cache key and the classes of alike rows, so that a plugin
        // cannot infer them from which rows it is asked about.
        let seen = condition_text.reads.iter().filter(|at| !self.withheld.contains(&(**at as usize)));
        let mut reads: Vec<ColumnId> = seen.filter_map(of_plan).collect();
        let (agent, more) = match owner {
            ConditionOwner::RulesOf(agent) => (Some(agent), Some(binding::AGENT_NAME)),
            // A provider's plugin answers no for every other provider's supplies.
            ConditionOwner::ClassOfSupplies => (None, self.provider.map(|_| binding::POOL_PROVIDER)),
            ConditionOwner::Rules => (None, None),
        };
        let more = more.and_then(|column| self.plan.find_column(column));
        reads.extend(more.filter(|column| !reads.contains(column)));
        ExternalRule {
            filter: self.filter,
            question,
            text: condition_text.text.clone(),
            want: condition_text.want.clone(),
            subject: condition_text.subject.as_ref().and_then(of_plan),
            reads,
            agent,
            conditions: Vec::new(),
        }
    }

    fn ask(&mut self, asked: ExternalRule, span: Span) -> NodeId {
        let node = NodeId(self.plan.nodes.len() as u32);
        self.plan.nodes.push(Node::External(self.plan.asked.len() as u32));
        self.plan.spans.push(span);
        self.plan.asked.push(asked);
        node
    }
}
