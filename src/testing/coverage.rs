//! Which conditions of a set its tests have seen true, false and unknown.

use indexmap::IndexMap;

use crate::{
    engine::{Recorder, Seen},
    ir::{Definition, DefinitionId, Key, Node, NodeId, Plan, Rule, Show},
    logic::Truth,
    operator::ArithmeticOp,
    policy::Fleet,
    source::Span,
};

/// A condition of the set, and what the tests have seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `require`, `prefer`, `class` or `need`.
    pub kind: &'static str,
    /// The rule's label, the class, or the need; empty for a rule without a label.
    pub label: String,
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// What it can come out as.
    pub possible: Seen,
    /// What it has come out as.
    pub seen: Seen,
}

impl Condition {
    /// What it has come out as.
    pub fn seen(&self) -> impl Iterator<Item = Truth> {
        let seen = self.seen;
        OUTCOMES.into_iter().filter(move |truth| seen.has(*truth))
    }

    /// What it can come out as and was never seen with.
    pub fn missing(&self) -> impl Iterator<Item = Truth> {
        let (possible, seen) = (self.possible, self.seen);
        OUTCOMES.into_iter().filter(move |truth| possible.has(*truth) && !seen.has(*truth))
    }
}

const OUTCOMES: [Truth; 3] = [Truth::True, Truth::False, Truth::Unknown];

/// What the tests of a set have seen of its conditions.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    conditions: IndexMap<Span, Condition>,
}

impl Coverage {
    /// The conditions of a set and of the plugins beside it, none of them seen.
    pub(super) fn of(fleet: &Fleet) -> Coverage {
        let mut conditions: IndexMap<Span, Condition> = IndexMap::new();
        for (found, _) in conditions_of(fleet) {
            conditions.entry(found.span).or_insert(found);
        }
        conditions.sort_keys();
        Coverage { conditions }
    }

    /// Adds what was seen of a fleet whose plan has the set's conditions among its own.
    pub(super) fn add(&mut self, fleet: &Fleet, recorder: &Recorder) {
        for (found, node) in conditions_of(fleet) {
            if let Some(condition) = self.conditions.get_mut(&found.span) {
                condition.seen = condition.seen.and(recorder.seen(node));
            }
        }
    }

    /// The conditions, in the order of their places.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.values()
    }

    /// How many outcomes there can be, and how many of them were seen.
    pub fn outcomes(&self) -> (usize, usize) {
        let possible =
            |condition: &Condition| OUTCOMES.iter().filter(|truth| condition.possible.has(**truth)).count();
        let all: usize = self.conditions().map(possible).sum();
        let missing: usize = self.conditions().map(|condition| condition.missing().count()).sum();
        (all, all - missing)
    }

    /// The outcomes seen in a hundred, rounded down; a set without conditions is covered.
    pub fn percent(&self) -> usize {
        let (all, seen) = self.outcomes();
        (seen * 100).checked_div(all).unwrap_or(100)
    }
}

/// Every condition that a set says itself: rules, each condition of its classes, and those of needs; and the rules of plugins,
/// whoever is there to have them.
fn conditions_of(fleet: &Fleet) -> Vec<(Condition, NodeId)> {
    let plan = fleet.plan();
    let mut found = Vec::new();
    let mut add = |kind, label: &str, node: NodeId, span| {
        let mut possible = Seen::NONE.with(Truth::True).with(Truth::False);
        if may_be_unknown(plan, node) {
            possible = Seen::ALL;
        }
        let text = Show::new(plan).node(node);
        found.push((
            Condition { kind, label: label.to_owned(), text, span, possible, seen: Seen::NONE },
            node,
        ));
    };
    let rules = plan.broker.requires.iter().chain(&plan.broker.prefers);
    let rules = rules.chain(plan.agent_rules.iter().flatten()).chain(plan.tier_rules.iter().flatten());
    let own = rules.filter(|rule| !matches!(plan.node(rule.root), Node::Asked(_)));
    for rule in own.chain(fleet.rules_of_plugins()) {
        let kind = if rule.weight.is_some() { "prefer" } else { "require" };
        add(kind, own_label(rule), rule.root, rule.span);
    }
    for definition in plan.definitions.iter().filter(|one| one.class_of.is_some() && !one.standard) {
        for node in plan.conjuncts(definition.root) {
            add("class", &definition.name, node, plan.spans[node.0 as usize]);
        }
    }
    for definition in plan.definitions.iter().filter(|one| matches!(plan.node(one.root), Node::Asked(_))) {
        if is_asked_for(plan, definition) {
            add("class", &definition.name, definition.root, definition.span);
        }
    }
    for need in plan.frameworks.iter().flat_map(|framework| &framework.needs) {
        let requests = need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request));
        for rule in requests.flat_map(|request| &request.conditions) {
            add("need", plan.symbols.text(need.name), rule.root, rule.span);
        }
    }
    found
}

/// Whether anything of a set names a class.
fn is_asked_for(plan: &Plan, class: &Definition) -> bool {
    let is_it = |id: DefinitionId| plan.definition(id).root == class.root;
    let needs = plan.frameworks.iter().flat_map(|framework| &framework.needs);
    let mut requests =
        needs.flat_map(|need| need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request)));
    requests.any(|request| request.classes.iter().any(|ask| is_it(ask.class)))
        || plan.nodes.iter().any(|node| matches!(node, Node::Named(id) if is_it(*id)))
}

fn own_label(rule: &Rule) -> &str {
    if rule.labelled { &rule.label } else { "" }
}

/// Whether a condition can be unknown for some candidate: whether it reads a key that may be absent, or divides.
fn may_be_unknown(plan: &Plan, id: NodeId) -> bool {
    let any = |parts: &[NodeId]| parts.iter().any(|part| may_be_unknown(plan, *part));
    match plan.node(id) {
        Node::Constant(_) | Node::IsAbsent(_) | Node::IsPresent(_) => false,
        Node::Asked(_) => true,
        Node::Read(column) => !matches!(plan.column(*column).key, Key::Name | Key::Provider | Key::Instance),
        Node::Else(_, other) => may_be_unknown(plan, *other),
        Node::Named(definition) => may_be_unknown(plan, plan.definition(*definition).root),
        Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) => may_be_unknown(plan, *inner),
        Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => any(parts),
        Node::Test(_, left, right) => any(&[*left, *right]),
        Node::Arithmetic(op, left, right) => *op == ArithmeticOp::Divide || any(&[*left, *right]),
    }
}
