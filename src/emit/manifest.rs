//! The manifest of a plugin: the keys it reads, its rules and conditions, and the faults they can have. It is
//! `descriptor` of the interface before it becomes bytes.

use indexmap::{IndexMap, IndexSet};

use super::vocabulary::{KeyName, Purpose, RuleCondition, RuleScope};
use crate::{
    inventory::world::World,
    ir::{self, ColumnId, Definition, Node, NodeId, Plan, Show, SideSet},
    operator::Function,
    quantity::Dimension,
    symbol::Symbol,
    types::{Side, Type},
    value::Value,
};

/// The kind of values in a column, with the numbers of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnKind {
    /// Values of one type.
    Of(Type),
    /// Values of a type per row.
    Mixed,
}

impl ColumnKind {
    /// The kinds, by number.
    pub const ALL: [ColumnKind; 12] = [
        ColumnKind::Of(Type::Bool),
        ColumnKind::Of(Type::Quantity(Dimension::Number)),
        ColumnKind::Of(Type::Quantity(Dimension::Size)),
        ColumnKind::Of(Type::Quantity(Dimension::Bandwidth)),
        ColumnKind::Of(Type::Quantity(Dimension::Duration)),
        ColumnKind::Of(Type::Text),
        ColumnKind::Of(Type::Version),
        ColumnKind::Of(Type::Place),
        ColumnKind::Of(Type::Texts),
        ColumnKind::Of(Type::Numbers),
        ColumnKind::Of(Type::Ranges),
        ColumnKind::Mixed,
    ];

    /// Returns its number in the interface: its position in [`ColumnKind::ALL`].
    pub const fn number(self) -> u8 {
        match self {
            ColumnKind::Of(Type::Bool) => 0,
            ColumnKind::Of(Type::Quantity(Dimension::Number)) => 1,
            ColumnKind::Of(Type::Quantity(Dimension::Size)) => 2,
            ColumnKind::Of(Type::Quantity(Dimension::Bandwidth)) => 3,
            ColumnKind::Of(Type::Quantity(Dimension::Duration)) => 4,
            ColumnKind::Of(Type::Text) => 5,
            ColumnKind::Of(Type::Version) => 6,
            ColumnKind::Of(Type::Place) => 7,
            ColumnKind::Of(Type::Texts) => 8,
            ColumnKind::Of(Type::Numbers) => 9,
            ColumnKind::Of(Type::Ranges) => 10,
            ColumnKind::Mixed => 11,
        }
    }

    /// Returns its name in the interface.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Of(Type::Bool) => "boolean",
            ColumnKind::Of(Type::Quantity(dimension)) => dimension.name(),
            ColumnKind::Of(Type::Texts) => "texts",
            ColumnKind::Of(Type::Numbers) => "numbers",
            ColumnKind::Of(kind) => kind.name(),
            ColumnKind::Mixed => "mixed",
        }
    }
}

/// A key that the plugin reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestColumn {
    /// The side of the key.
    pub side: Side,
    /// The key.
    pub key: KeyName,
    /// The kind of its values.
    pub kind: ColumnKind,
    /// `true` if the filter is useless without it.
    pub required: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRule {
    /// The label, the span in the source, or the name of the class.
    pub label: String,
    /// `true` if the author chose the label.
    pub labelled: bool,
    /// The purpose.
    pub purpose: Purpose,
    /// The candidates that it applies to.
    pub scope: RuleScope,
    /// The sides that it reads.
    pub sides: SideSet,
    /// The number of the condition that is the whole rule.
    pub whole: u32,
    /// The numbers of the conditions that must all hold.
    pub conditions: Vec<u32>,
}

/// The owners of rules: agents by name and tiers by path, with the number of their rules in the plan. Owners
/// without rules are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// The agents, by name.
    pub agents: Vec<(String, usize)>,
    /// The providers, instances, pools and volumes, by path.
    pub tiers: Vec<(String, usize)>,
}

impl Owners {
    /// Returns the owners in a fleet.
    pub fn of(plan: &Plan, world: &World) -> Owners {
        let text = |symbol| plan.symbols.text(symbol).to_owned();
        let agents = world.agents.iter().filter(|agent| !plan.agent_rules[agent.rules].is_empty());
        let tiers = world.tiers.iter().filter(|tier| !plan.tier_rules[tier.rules].is_empty());
        Owners {
            agents: agents.map(|agent| (text(agent.name), agent.rules)).collect(),
            tiers: tiers.map(|tier| (text(tier.path), tier.rules)).collect(),
        }
    }
}

/// The description of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The name of the plugin.
    pub name: String,
    /// The program that built it, with its version.
    pub producer: String,
    /// The keys that it reads: those of agents, then of supplies, then of the question.
    pub columns: Vec<ManifestColumn>,
    /// The rules.
    pub rules: Vec<ManifestRule>,
    /// The conditions.
    pub conditions: Vec<RuleCondition>,
    /// The expressions that faults refer to.
    pub expressions: Vec<String>,
    /// The texts that it compares with.
    pub literals: Vec<String>,
    /// The versions that it compares with.
    pub versions: Vec<String>,
    /// `true` if it needs the texts of symbols.
    pub wants_texts: bool,
    /// `true` if it needs the tree of places.
    pub wants_places: bool,
}

/// The part of a plan that is in a plugin, with the numbers of the plugin: the counterpart of a [`Manifest`]
/// for the generator.
#[derive(Debug, Default)]
pub(super) struct PluginParts {
    /// The roots of rules, by number.
    pub roots: Vec<NodeId>,
    /// The conditions, by number.
    pub conditions: IndexSet<NodeId>,
    /// The columns, by number.
    pub columns: IndexSet<ColumnId>,
    /// The expressions that may fault, by number.
    pub expressions: IndexSet<NodeId>,
    /// The text literals, by number.
    pub literals: IndexSet<Symbol>,
    /// The version literals as written, by number.
    pub versions: IndexSet<String>,
    /// The sets of text literals, as numbers of literals.
    pub sets: IndexSet<Vec<u32>>,
    /// The patterns by text, with their number in the plan.
    pub patterns: IndexMap<String, u32>,
    /// `true` if places are compared.
    pub places: bool,
}

/// Collects the filter that a plan contains: the requirements and preferences of the operator, agents and
/// tiers, and the classes that needs may ask for. Amounts, placement constraints and assignment stay with the
/// host.
pub(super) fn manifest(plan: &Plan, owners: &Owners, name: &str) -> (Manifest, PluginParts) {
    let mut used = PluginParts::default();
    let mut found: Vec<(Purpose, RuleScope, &ir::Rule)> = Vec::new();
    let purpose = |rule: &ir::Rule| match rule.strength {
        ir::Strength::Require => Purpose::Require,
        ir::Strength::Prefer(weight) => Purpose::Prefer(weight),
    };
    for rule in plan.broker.requires.iter().chain(&plan.broker.prefers) {
        found.push((purpose(rule), RuleScope::Everyone, rule));
    }
    for (name, at) in &owners.agents {
        let rules = plan.agent_rules[*at].iter();
        found.extend(rules.map(|rule| (purpose(rule), RuleScope::Agent(name.clone()), rule)));
    }
    for (path, at) in &owners.tiers {
        let rules = plan.tier_rules[*at].iter();
        found.extend(rules.map(|rule| (purpose(rule), RuleScope::Tier(path.clone()), rule)));
    }
    let classes: Vec<(&Definition, Side)> = classes(plan);
    let roots = found.iter().map(|(_, _, rule)| rule.root);
    used.roots = roots.chain(classes.iter().map(|(class, _)| class.root)).collect();
    used.collect(plan);
    let mut rules: Vec<ManifestRule> = Vec::new();
    for (purpose, scope, rule) in found {
        let (whole, conditions) = used.conditions_of(plan, rule.root);
        let (label, labelled, sides) = (rule.label.clone(), rule.labelled, rule.sides);
        rules.push(ManifestRule { label, labelled, purpose, scope, sides, whole, conditions });
    }
    for (class, side) in classes {
        let (whole, conditions) = used.conditions_of(plan, class.root);
        let (label, sides) = (class.name.clone(), class.sides);
        let purpose = Purpose::Class(side);
        rules.push(ManifestRule {
            label,
            labelled: true,
            purpose,
            scope: RuleScope::Everyone,
            sides,
            whole,
            conditions,
        });
    }
    let show = Show::new(plan);
    let manifest = Manifest {
        name: name.to_owned(),
        producer: concat!("bourse ", env!("CARGO_PKG_VERSION")).to_owned(),
        columns: used.columns.iter().map(|id| column(plan, *id)).collect(),
        rules,
        conditions: used.conditions.iter().map(|node| used.condition(plan, *node)).collect(),
        expressions: used.expressions.iter().map(|node| show.node(*node)).collect(),
        literals: used.literals.iter().map(|symbol| plan.symbols.text(*symbol).to_owned()).collect(),
        versions: used.versions.iter().cloned().collect(),
        wants_texts: !used.patterns.is_empty(),
        wants_places: used.places,
    };
    (manifest, used)
}

/// Returns the classes of the set, and those of standard modules that its needs ask for.
fn classes(plan: &Plan) -> Vec<(&Definition, Side)> {
    let needs = plan.frameworks.iter().flat_map(|framework| &framework.needs);
    let requests =
        needs.flat_map(|need| need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request)));
    let asked: IndexSet<u32> = requests.flat_map(|request| &request.classes).map(|ask| ask.class.0).collect();
    let all = plan.definitions.iter().enumerate();
    all.filter(|(at, class)| !class.standard || asked.contains(&(*at as u32)))
        .filter_map(|(_, class)| Some((class, class.class_of?)))
        .collect()
}

/// Returns the kind of a column, as far as it is known at build time.
pub(super) fn kind_of(plan: &Plan, id: ColumnId) -> ColumnKind {
    let ir::Column { side, key } = plan.column(id);
    match key {
        ir::Key::Attribute(_) => {
            plan.column_types.get(id.0 as usize).copied().flatten().map_or(ColumnKind::Mixed, ColumnKind::Of)
        }
        ir::Key::Name | ir::Key::Provider | ir::Key::Instance => ColumnKind::Of(Type::Text),
        ir::Key::Domain | ir::Key::Level(_) => ColumnKind::Of(Type::Place),
        ir::Key::Total(resource) | ir::Key::Free(resource) | ir::Key::Used(resource) => plan
            .dimension(side, resource)
            .map_or(ColumnKind::Mixed, |dimension| ColumnKind::Of(Type::Quantity(dimension))),
    }
}

fn column(plan: &Plan, id: ColumnId) -> ManifestColumn {
    let text = |symbol| plan.symbols.text(symbol).to_owned();
    let ir::Column { side, key } = plan.column(id);
    let key = match key {
        ir::Key::Attribute(key) => KeyName::Attribute(text(key)),
        ir::Key::Name => KeyName::Name,
        ir::Key::Domain => KeyName::Domain,
        ir::Key::Level(depth) => KeyName::Level(Show::new(plan).level(depth).to_owned()),
        ir::Key::Total(resource) => KeyName::Total(text(resource)),
        ir::Key::Free(resource) => KeyName::Free(text(resource)),
        ir::Key::Used(resource) => KeyName::Used(text(resource)),
        ir::Key::Provider => KeyName::Provider,
        ir::Key::Instance => KeyName::Instance,
    };
    ManifestColumn { side, key, kind: kind_of(plan, id), required: false }
}

impl PluginParts {
    /// Collects everything that is reachable from the roots.
    fn collect(&mut self, plan: &Plan) {
        // A stack keeps the order of a depth-first walk, so that items are numbered in reading order.
        let mut seen: IndexSet<NodeId> = IndexSet::new();
        let mut open: Vec<NodeId> = self.roots.iter().rev().copied().collect();
        let mut columns: IndexSet<ColumnId> = IndexSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match plan.node(id) {
                Node::Constant(value) => self.constant(value),
                Node::External(_) => {}
                Node::Read(column) | Node::IsAbsent(column) | Node::IsPresent(column) => {
                    columns.insert(*column);
                }
                Node::Else(column, other) => {
                    columns.insert(*column);
                    open.push(*other);
                }
                Node::Named(definition) => open.push(plan.definition(*definition).root),
                Node::Not(inner) => open.push(*inner),
                Node::Negate(inner) => {
                    self.expressions.insert(id);
                    open.push(*inner);
                }
                Node::Matches(inner, pattern) => {
                    let text = plan.patterns[*pattern as usize].text.clone();
                    self.patterns.entry(text).or_insert(*pattern);
                    open.push(*inner);
                }
                Node::And(parts) | Node::Or(parts) => open.extend(parts.iter().rev()),
                Node::Call(function, parts) => {
                    let (compares_places, may_fail) = match function {
                        Function::Closeness => (true, true),
                        Function::Abs => (false, true),
                        Function::Min | Function::Max | Function::Clamp => (false, false),
                    };
                    self.places |= compares_places;
                    if may_fail {
                        self.expressions.insert(id);
                    }
                    open.extend(parts.iter().rev());
                }
                Node::Test(op, left, right) => {
                    self.places |= *op == crate::operator::TestOp::Within;
                    open.extend([*right, *left]);
                }
                Node::Arithmetic(_, left, right) => {
                    self.expressions.insert(id);
                    open.extend([*right, *left]);
                }
            }
        }
        // Groups columns by side: agents, supplies, then the question. Each side is one range of numbers.
        let rank = |column: &ColumnId| match plan.column(*column).side {
            Side::Agent => 0,
            Side::Pool => 1,
            _ => 2,
        };
        columns.sort_by_key(rank);
        self.columns = columns;
    }

    fn constant(&mut self, value: &Value) {
        match value {
            Value::Text(symbol) | Value::Place(symbol) => {
                self.literals.insert(*symbol);
            }
            Value::Version(version) => {
                self.versions.insert(version.to_string());
            }
            Value::Texts(members) if !members.is_empty() => {
                let literals = members.iter().map(|member| self.literals.insert_full(*member).0 as u32);
                let set = literals.collect();
                self.sets.insert(set);
            }
            _ => {}
        }
    }

    /// Numbers the conditions of a rule. Returns that of the whole rule, and those of its parts.
    fn conditions_of(&mut self, plan: &Plan, root: NodeId) -> (u32, Vec<u32>) {
        let conditions = plan.conditions(root).into_iter();
        let conditions = conditions.map(|node| self.conditions.insert_full(node).0 as u32).collect();
        (self.conditions.insert_full(root).0 as u32, conditions)
    }

    /// Returns the number of a column.
    pub fn column(&self, id: ColumnId) -> u32 {
        self.columns.get_index_of(&id).unwrap_or(0) as u32
    }

    /// Returns the node whose value the condition's subject is compared with, if explanations show it.
    pub fn operand(&self, plan: &Plan, node: NodeId) -> Option<NodeId> {
        match plan.node(node) {
            Node::Test(_, left, right)
                if matches!(plan.node(*left), Node::Read(_))
                    && !matches!(plan.node(*right), Node::Constant(_)) =>
            {
                Some(*right)
            }
            _ => None,
        }
    }

    fn condition(&self, plan: &Plan, node: NodeId) -> RuleCondition {
        let show = Show::new(plan);
        let subject = plan.subject(node);
        let text = show.node(node);
        RuleCondition {
            want: if subject.is_some() { show.want(node) } else { text.clone() },
            text,
            subject: subject.map(|column| self.column(column)),
            operand: self.operand(plan, node).is_some(),
            reads: plan.reads(node).iter().map(|column| self.column(*column)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_by_number() {
        for (at, kind) in ColumnKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), at, "{kind:?}");
        }
        for kind in Type::ALL {
            assert!(ColumnKind::ALL.contains(&ColumnKind::Of(kind)), "{kind}");
        }
    }
}
