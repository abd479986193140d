//! Coverage: the outcomes (true, false, unknown) that each condition of a set had while its tests ran.
//!
//! Each test runs on a plan of its own, because its declarations replace some of the set's. Node numbers
//! therefore mean nothing from one test to the next, and conditions are identified by their [`Span`] in the
//! sources. The engine's [`Recorder`] collects outcomes by node during one cycle; [`Coverage::add`] folds
//! them into the spans.

use indexmap::IndexMap;

use crate::{
    engine::{Recorder, Seen},
    ir::{Definition, DefinitionId, Key, Node, NodeId, Plan, Rule, Show},
    logic::Truth,
    operator::ArithmeticOp,
    policy::Fleet,
    source::Span,
};

/// A condition of the set, with the outcomes that it can have and those that it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredCondition {
    /// `require`, `prefer`, `class` or `need`.
    pub kind: &'static str,
    /// The rule's label, the class, or the need; empty for a rule without a label.
    pub label: String,
    /// The condition, as the language writes it.
    pub text: String,
    /// The place of the condition.
    pub span: Span,
    /// The outcomes that the condition can have.
    pub possible: Seen,
    /// The outcomes that the condition had.
    pub seen: Seen,
}

impl CoveredCondition {
    /// The outcomes that the condition had.
    pub fn seen(&self) -> impl Iterator<Item = Truth> {
        let seen = self.seen;
        OUTCOMES.into_iter().filter(move |truth| seen.has(*truth))
    }

    /// The outcomes that the condition can have and never had.
    pub fn missing(&self) -> impl Iterator<Item = Truth> {
        let (possible, seen) = (self.possible, self.seen);
        OUTCOMES.into_iter().filter(move |truth| possible.has(*truth) && !seen.has(*truth))
    }
}

const OUTCOMES: [Truth; 3] = [Truth::True, Truth::False, Truth::Unknown];

/// The conditions of a set, with the outcomes that its tests gave them.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    conditions: IndexMap<Span, CoveredCondition>,
}

impl Coverage {
    /// Lists the conditions of a set and of the plugins beside it, without an outcome yet.
    pub(super) fn of(fleet: &Fleet) -> Coverage {
        let mut conditions: IndexMap<Span, CoveredCondition> = IndexMap::new();
        for (found, _) in conditions_of(fleet) {
            conditions.entry(found.span).or_insert(found);
        }
        conditions.sort_keys();
        Coverage { conditions }
    }

    /// Adds the outcomes of one test, whose fleet has the conditions of the set among its own. Conditions
    /// that the test itself declares are not counted.
    pub(super) fn add(&mut self, fleet: &Fleet, recorder: &Recorder) {
        for (found, node) in conditions_of(fleet) {
            if let Some(condition) = self.conditions.get_mut(&found.span) {
                // `and` is the union of both.
                condition.seen = condition.seen.and(recorder.seen(node));
            }
        }
    }

    /// The conditions, in the order of their places.
    pub fn conditions(&self) -> impl Iterator<Item = &CoveredCondition> {
        self.conditions.values()
    }

    /// Returns the number of possible outcomes of all conditions, and the number of those seen.
    pub fn outcomes(&self) -> (usize, usize) {
        let possible = |condition: &CoveredCondition| {
            OUTCOMES.iter().filter(|truth| condition.possible.has(**truth)).count()
        };
        let all: usize = self.conditions().map(possible).sum();
        let missing: usize = self.conditions().map(|condition| condition.missing().count()).sum();
        (all, all - missing)
    }

    /// Returns the share of possible outcomes that were seen, in percent, rounded down. It is 100 for a set
    /// without conditions.
    pub fn percent(&self) -> usize {
        let (all, seen) = self.outcomes();
        (seen * 100).checked_div(all).unwrap_or(100)
    }
}

/// Lists the conditions of a set with their nodes in the plan: its rules, those of plugins beside it, each
/// condition of its classes, and the conditions of its needs.
///
/// Classes of the standard library are left out, as their conditions are not the set's to test. Rules of
/// plugins are taken from the plugins, not from the agents and tiers that carry them, so they count in a
/// fleet where nothing carries them.
fn conditions_of(fleet: &Fleet) -> Vec<(CoveredCondition, NodeId)> {
    let plan = fleet.plan();
    let mut found = Vec::new();
    let mut add = |kind, label: &str, node: NodeId, span| {
        let mut possible = Seen::NONE.with(Truth::True).with(Truth::False);
        if may_be_unknown(plan, node) {
            possible = Seen::ALL;
        }
        let text = Show::new(plan).node(node);
        found.push((
            CoveredCondition { kind, label: label.to_owned(), text, span, possible, seen: Seen::NONE },
            node,
        ));
    };
    let own =
        plan.rules().map(|one| one.rule).filter(|rule| !matches!(plan.node(rule.root), Node::External(_)));
    for rule in own.chain(fleet.rules_of_plugins()) {
        let kind = if rule.strength.is_preferred() { "prefer" } else { "require" };
        add(kind, written_label(rule), rule.root, rule.span);
    }
    for definition in plan.definitions.iter().filter(|one| one.class_of.is_some() && !one.standard) {
        for node in plan.conjuncts(definition.root) {
            add("class", &definition.name, node, plan.spans[node.0 as usize]);
        }
    }
    for definition in plan.definitions.iter().filter(|one| matches!(plan.node(one.root), Node::External(_))) {
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

/// Returns `true` if a request or an expression of the plan names this class.
fn is_asked_for(plan: &Plan, class: &Definition) -> bool {
    let is_it = |id: DefinitionId| plan.definition(id).root == class.root;
    let needs = plan.frameworks.iter().flat_map(|framework| &framework.needs);
    let mut requests =
        needs.flat_map(|need| need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request)));
    requests.any(|request| request.classes.iter().any(|ask| is_it(ask.class)))
        || plan.nodes.iter().any(|node| matches!(node, Node::Named(id) if is_it(*id)))
}

fn written_label(rule: &Rule) -> &str {
    if rule.labelled { &rule.label } else { "" }
}

/// Returns `true` if a condition can be unknown for some candidate: if it reads a key that may be absent,
/// divides, or asks a plugin.
///
/// Overflow makes a value unknown, too. It is left out: almost every sum could overflow, and few tests can
/// show it.
fn may_be_unknown(plan: &Plan, id: NodeId) -> bool {
    let any = |parts: &[NodeId]| parts.iter().any(|part| may_be_unknown(plan, *part));
    match plan.node(id) {
        Node::Constant(_) | Node::IsAbsent(_) | Node::IsPresent(_) => false,
        Node::External(_) => true,
        Node::Read(column) => !matches!(plan.column(*column).key, Key::Name | Key::Provider | Key::Instance),
        // The fallback takes the place of an unknown value, so only the fallback's own can remain.
        Node::Else(_, other) => may_be_unknown(plan, *other),
        Node::Named(definition) => may_be_unknown(plan, plan.definition(*definition).root),
        Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) => may_be_unknown(plan, *inner),
        Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => any(parts),
        Node::Test(_, left, right) => any(&[*left, *right]),
        Node::Arithmetic(op, left, right) => *op == ArithmeticOp::Divide || any(&[*left, *right]),
    }
}
