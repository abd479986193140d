//! Bounds on rules with their classes and lets expanded: the number of nodes to evaluate and their depth.
//!
//! A class that includes another one twice doubles the nodes, so a short policy can stand for exponentially
//! many. Costs are computed once per definition, callees first, and added up with saturation; nothing is
//! expanded.

use super::{infer::Checker, set::rules};
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    resolve::hir::{Expr, ExprKind},
    source::Span,
};

/// The cost of an expression, definitions included.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// The number of nodes evaluated at most.
    steps: u64,
    /// The height of the tree.
    depth: u64,
}

impl Cost {
    fn inside(self, inner: Cost) -> Cost {
        Cost { steps: self.steps.saturating_add(inner.steps), depth: self.depth.max(inner.depth + 1) }
    }

    fn is_too_much(self) -> bool {
        self.steps > limits::RULE_COST || self.depth > limits::RULE_DEPTH
    }
}

/// Reports classes, lets and rules that exceed a limit. A user of a reported definition is not reported
/// again.
pub(super) fn check(checker: &mut Checker<'_>) {
    let hir = checker.hir;
    let mut known: Vec<Option<Cost>> = vec![None; hir.definitions.len()];
    let mut problems = Vec::new();
    for start in 0..hir.definitions.len() {
        // `resolve` has reported cycles, so the stack shrinks again: a definition waits for those it refers
        // to, at most once.
        let mut open = vec![start];
        while let Some(at) = open.last().copied() {
            if known[at].is_some() {
                open.pop();
                continue;
            }
            // Push the definitions without a known cost. If there are any, this one is visited again after
            // them.
            let before = open.len();
            let definition = &hir.definitions[at];
            definition.body.iter().for_each(|expr| unknown_in(expr, &known, &mut open));
            if open.len() > before {
                continue;
            }
            let parts = definition.body.iter().map(|expr| cost(expr, &known));
            let sum = parts.fold(Cost { steps: 1, depth: 1 }, Cost::inside);
            let excused = definition.body.iter().any(|expr| is_reported(expr, &known));
            if sum.is_too_much() && !excused {
                problems.push(too_much(definition.span, &format!("`{}`", definition.name), sum));
            }
            known[at] = Some(sum);
            open.pop();
        }
    }
    for expr in rules(hir).into_iter().filter(|expr| !is_reported(expr, &known)) {
        let sum = cost(expr, &known);
        if sum.is_too_much() {
            problems.push(too_much(expr.span, "this rule", sum));
        }
    }
    checker.problems.extend(problems);
}

fn unknown_in(expr: &Expr, known: &[Option<Cost>], open: &mut Vec<usize>) {
    crate::resolve::walk(expr, &mut |expr| {
        if let ExprKind::Named(id) = expr.kind
            && known.get(id.0).is_some_and(Option::is_none)
        {
            open.push(id.0);
        }
    });
}

/// Returns `true` if the expression refers to a definition that was reported.
fn is_reported(expr: &Expr, known: &[Option<Cost>]) -> bool {
    let mut found = false;
    crate::resolve::walk(expr, &mut |expr| {
        if let ExprKind::Named(id) = expr.kind {
            found |= known.get(id.0).copied().flatten().is_some_and(Cost::is_too_much);
        }
    });
    found
}

fn cost(expr: &Expr, known: &[Option<Cost>]) -> Cost {
    let one = Cost { steps: 1, depth: 1 };
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Read(_) | ExprKind::IsAbsent(_) | ExprKind::IsPresent(_) => one,
        ExprKind::Named(id) => one.inside(known.get(id.0).copied().flatten().unwrap_or_default()),
        ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Matches(inner, _)
        | ExprKind::Else(_, inner) => one.inside(cost(inner, known)),
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => {
            parts.iter().fold(one, |sum, part| sum.inside(cost(part, known)))
        }
        ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
            one.inside(cost(left, known)).inside(cost(right, known))
        }
    }
}

fn too_much(span: Span, what: &str, cost: Cost) -> Diagnostic {
    let (message, help) = if cost.steps > limits::RULE_COST {
        let most = limits::RULE_COST;
        let message = format!("{what} takes more than {most} steps once its classes and lets are counted in");
        (message, "include each class once, or split it")
    } else {
        let most = limits::RULE_DEPTH;
        let message = format!(
            "{what} goes through more than {most} conditions, classes and lets, one inside the other"
        );
        (message, "say in one class what a long chain of them says")
    };
    Diagnostic::error(Code::B0313, span, message).help(help)
}
