//! Classes and rules that can never hold, or always do.

use indexmap::IndexSet;

use super::{
    Set,
    solve::{Answer, Goal, Solver, Want},
    witness,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    ir::{Node, NodeId, Plan, Rule},
    source::Span,
    types::Type,
    value::Value,
};

/// Classes: gives, by definition, which can never hold.
pub(super) fn classes(set: &Set<'_>, solver: &mut Solver<'_>, problems: &mut Vec<Diagnostic>) -> Vec<bool> {
    let mut never = vec![false; set.plan.definitions.len()];
    for (at, definition) in set.plan.definitions.iter().enumerate() {
        let Some(side) = definition.class_of.filter(|_| !definition.standard) else { continue };
        let name = &definition.name;
        match solver.solve(&[(definition.root, Want::True)]) {
            Answer::Never(goals) => {
                never[at] = true;
                // What includes a class that never holds is not to blame.
                if set.names(definition.root).iter().any(|inner| never[inner.0 as usize]) {
                    continue;
                }
                let message = format!("no {side} can ever be in class `{name}`");
                let problem = Diagnostic::warning(Code::B0601, definition.span, message);
                problems.push(set.with_goals(solver, problem.label("it never holds"), &goals));
            }
            _ if solver.solve(&[(definition.root, Want::NotTrue)]).is_never() => {
                let message = format!("every {side} is in class `{name}`");
                let problem = Diagnostic::warning(Code::B0602, definition.span, message);
                problems.push(set.with_tautology(problem.label("it always holds"), definition.root));
            }
            _ => {}
        }
    }
    never
}

/// What is known of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It can hold, as far as is known.
    Open,
    /// It can never hold.
    Never,
}

/// Requirements: of the operator, of agents and of providers. Gives what is known of the operator's.
pub(super) fn rules(set: &Set<'_>, solver: &mut Solver<'_>, problems: &mut Vec<Diagnostic>) -> Vec<Known> {
    let plan = set.plan;
    let found = plan.broker.requires.iter().map(|rule| one(set, solver, rule, problems)).collect();
    for rule in plan.agent_rules.iter().chain(&plan.tier_rules).flatten() {
        if rule.weight.is_none() {
            one(set, solver, rule, problems);
        }
    }
    found
}

fn one(set: &Set<'_>, solver: &mut Solver<'_>, rule: &Rule, problems: &mut Vec<Diagnostic>) -> Known {
    let span = set.plan.spans[rule.root.0 as usize];
    let name = if rule.labelled {
        format!("the requirement `{}`", rule.label)
    } else {
        "this requirement".to_owned()
    };
    match solver.solve(&[(rule.root, Want::True)]) {
        Answer::Never(goals) => {
            let message = format!("{name} can never hold: it refuses every candidate");
            let problem = Diagnostic::warning(Code::B0603, span, message).label("it never holds");
            problems.push(set.with_goals(solver, problem, &goals));
            Known::Never
        }
        _ => {
            if solver.solve(&[(rule.root, Want::NotTrue)]).is_never() {
                let message = format!("{name} always holds: it refuses nothing");
                let problem = Diagnostic::warning(Code::B0604, span, message).label("it always holds");
                problems.push(set.with_tautology(problem, rule.root));
            }
            Known::Open
        }
    }
}

impl Set<'_> {
    /// Names the conditions that exclude each other, and shows them.
    pub(super) fn with_goals(&self, solver: &Solver<'_>, problem: Diagnostic, goals: &[Goal]) -> Diagnostic {
        let mut problem = problem.help(self.conflict(solver, goals, |_| String::new()));
        let spans: Vec<Span> = goals.iter().map(|goal| self.plan.spans[goal.shown.0 as usize]).collect();
        let whole = problem.labels.first().map(|label| label.span);
        let inside = |span: &Span| {
            whole.is_some_and(|whole| {
                whole.source == span.source && whole.start <= span.start && span.end <= whole.end
            })
        };
        if let [_] = spans.as_slice() {
            let label = spans.into_iter().filter(|span| !inside(span));
            return label.fold(problem, |problem, span| problem.also(span, "this never holds"));
        }
        // Where the conditions are parts of the place itself, they tell more than the whole.
        if spans.iter().all(inside) {
            problem.labels.clear();
        }
        for (at, span) in spans.into_iter().enumerate() {
            problem = problem.also(span, if at == 0 { "this" } else { "and this" });
        }
        problem
    }

    /// Says of what holds whatever a candidate has that it does.
    pub(super) fn with_tautology(&self, problem: Diagnostic, root: NodeId) -> Diagnostic {
        let conditions = self.plan.conjuncts(root);
        let texts: Vec<String> = conditions
            .iter()
            .map(|node| format!("`{}`", witness::condition(self.plan, self.sources, *node)))
            .collect();
        let verb = if texts.len() == 1 { "holds" } else { "hold" };
        problem.help(format!("{} {verb} whatever the candidate has", texts.join(" and ")))
    }

    /// The conditions that a class joins with `and`, those of the classes it names included.
    pub(super) fn opened(&self, root: NodeId) -> IndexSet<NodeId> {
        let (mut found, mut seen) = (IndexSet::new(), IndexSet::new());
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            match self.plan.node(id) {
                _ if !seen.insert(id) => {}
                Node::And(parts) => open.extend(parts.iter().rev()),
                Node::Named(definition) => open.push(self.plan.definition(*definition).root),
                _ => {
                    found.insert(id);
                }
            }
        }
        found
    }

    /// The classes and lets that a condition names, one inside the other.
    pub(super) fn names(&self, root: NodeId) -> Vec<crate::ir::DefinitionId> {
        let plan = self.plan;
        let mut found = Vec::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            match plan.node(id) {
                Node::Named(definition) => {
                    if !found.contains(definition) {
                        found.push(*definition);
                        open.push(plan.definition(*definition).root);
                    }
                }
                Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) | Node::Else(_, inner) => {
                    open.push(*inner);
                }
                Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => open.extend(parts.iter()),
                Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => open.extend([*left, *right]),
                Node::Constant(_)
                | Node::Read(_)
                | Node::IsAbsent(_)
                | Node::IsPresent(_)
                | Node::Asked(_) => {}
            }
        }
        found
    }
}

/// Whether a node is a condition, and no amount.
pub(super) fn is_condition(plan: &Plan, id: NodeId) -> bool {
    match plan.node(id) {
        Node::Not(_)
        | Node::And(_)
        | Node::Or(_)
        | Node::Test(..)
        | Node::Matches(..)
        | Node::IsAbsent(_)
        | Node::IsPresent(_)
        | Node::Asked(_)
        | Node::Constant(Value::Bool(_)) => true,
        Node::Named(definition) => is_condition(plan, plan.definition(*definition).root),
        Node::Read(column) | Node::Else(column, _) => {
            plan.column_types.get(column.0 as usize).copied().flatten() == Some(Type::Bool)
        }
        Node::Constant(_) | Node::Negate(_) | Node::Arithmetic(..) | Node::Call(..) => false,
    }
}
