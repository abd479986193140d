//! Warns of classes and requirements that can never hold, or that always do (`B0601` to `B0604`).
//!
//! The other checks use the results: `needs` does not report again that a need fails on a class that never
//! holds. Helpers on [`AnalysedSet`] that several checks share are here as well.

use indexmap::IndexSet;

use super::{
    AnalysedSet,
    solve::{Goal, Solution, Solver, WantedTruth},
    witness,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    ir::{Node, NodeId, Plan, Rule, RuleOwner},
    source::Span,
    types::Type,
    value::Value,
};

/// Checks the classes. Returns, for each definition of the plan, `true` if it is a class that can never hold.
pub(super) fn classes(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<bool> {
    let mut never = vec![false; set.plan.definitions.len()];
    for (at, definition) in set.plan.definitions.iter().enumerate() {
        let Some(side) = definition.class_of.filter(|_| !definition.standard) else { continue };
        let name = &definition.name;
        match solver.solve(&[(definition.root, WantedTruth::True)]) {
            Solution::Never(goals) => {
                never[at] = true;
                // A class that includes one that never holds is not to blame. Definitions use only earlier
                // ones, so the inner class has been judged by now.
                if set.names(definition.root).iter().any(|inner| never[inner.0 as usize]) {
                    continue;
                }
                let message = format!("no {side} can ever be in class `{name}`");
                let problem = Diagnostic::warning(Code::B0601, definition.span, message);
                problems.push(set.with_goals(solver, problem.label("it never holds"), &goals));
            }
            _ if solver.solve(&[(definition.root, WantedTruth::NotTrue)]).is_never() => {
                let message = format!("every {side} is in class `{name}`");
                let problem = Diagnostic::warning(Code::B0602, definition.span, message);
                problems.push(set.with_tautology(problem.label("it always holds"), definition.root));
            }
            _ => {}
        }
    }
    never
}

/// The result of checking a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RuleVerdict {
    /// The requirement can hold, or it is not known.
    Open,
    /// The requirement can never hold.
    Never,
}

/// Checks the requirements of the operator, of agents and of providers. Returns the results for the
/// operator's.
pub(super) fn rules(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<RuleVerdict> {
    let plan = set.plan;
    let found = plan.broker.requires.iter().map(|rule| one(set, solver, rule, problems)).collect();
    let held = plan.rules().filter(|rule| rule.is_required() && rule.owner != RuleOwner::Operator);
    for rule in held {
        one(set, solver, rule.rule, problems);
    }
    found
}

fn one(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    rule: &Rule,
    problems: &mut Vec<Diagnostic>,
) -> RuleVerdict {
    let span = set.plan.spans[rule.root.0 as usize];
    let name = if rule.labelled {
        format!("the requirement `{}`", rule.label)
    } else {
        "this requirement".to_owned()
    };
    match solver.solve(&[(rule.root, WantedTruth::True)]) {
        Solution::Never(goals) => {
            let message = format!("{name} can never hold: it refuses every candidate");
            let problem = Diagnostic::warning(Code::B0603, span, message).label("it never holds");
            problems.push(set.with_goals(solver, problem, &goals));
            RuleVerdict::Never
        }
        _ => {
            if solver.solve(&[(rule.root, WantedTruth::NotTrue)]).is_never() {
                let message = format!("{name} always holds: it refuses nothing");
                let problem = Diagnostic::warning(Code::B0604, span, message).label("it always holds");
                problems.push(set.with_tautology(problem, rule.root));
            }
            RuleVerdict::Open
        }
    }
}

impl AnalysedSet<'_> {
    /// Adds the conditions that exclude each other to a problem: as help, and as labels at their places.
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
        // Conditions inside the place of the problem say more than the whole.
        if spans.iter().all(inside) {
            problem.labels.clear();
        }
        for (at, span) in spans.into_iter().enumerate() {
            problem = problem.also(span, if at == 0 { "this" } else { "and this" });
        }
        problem
    }

    /// Adds the conditions that hold for every candidate to a problem, as help.
    pub(super) fn with_tautology(&self, problem: Diagnostic, root: NodeId) -> Diagnostic {
        let conditions = self.plan.conjuncts(root);
        let texts: Vec<String> = conditions
            .iter()
            .map(|node| format!("`{}`", witness::condition(self.plan, self.sources, *node)))
            .collect();
        let verb = if texts.len() == 1 { "holds" } else { "hold" };
        problem.help(format!("{} {verb} whatever the candidate has", texts.join(" and ")))
    }

    /// Returns the conditions that a class joins with `and`, with those of the classes it names in their
    /// place.
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

    /// Returns the classes and lets that a condition names, directly or through others.
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
                | Node::External(_) => {}
            }
        }
        found
    }
}

/// Returns `true` if a node is a condition rather than an amount.
pub(super) fn is_condition(plan: &Plan, id: NodeId) -> bool {
    match plan.node(id) {
        Node::Not(_)
        | Node::And(_)
        | Node::Or(_)
        | Node::Test(..)
        | Node::Matches(..)
        | Node::IsAbsent(_)
        | Node::IsPresent(_)
        | Node::External(_)
        | Node::Constant(Value::Bool(_)) => true,
        Node::Named(definition) => is_condition(plan, plan.definition(*definition).root),
        Node::Read(column) | Node::Else(column, _) => {
            plan.column_types.get(column.0 as usize).copied().flatten() == Some(Type::Bool)
        }
        Node::Constant(_) | Node::Negate(_) | Node::Arithmetic(..) | Node::Call(..) => false,
    }
}
