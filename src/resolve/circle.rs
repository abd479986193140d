//! What is found once every name is bound: circles of classes and lets, and fine-grained keys in needs.

use std::collections::BTreeSet;

use super::{
    Resolver,
    hir::{Definition, DefinitionId, DefinitionKind, Expr, ExprKind, Read},
};
use crate::diagnostic::{Code, Diagnostic};

impl Resolver {
    /// Classes and lets that include each other are an error, shown once per cycle.
    pub(super) fn cycles(&mut self) {
        let edges: Vec<BTreeSet<DefinitionId>> = self.hir.definitions.iter().map(named_in).collect();
        let mut done = vec![false; edges.len()];
        for start in 0..edges.len() {
            let mut path: Vec<(usize, Vec<usize>)> = vec![(start, Vec::new())];
            if done[start] {
                continue;
            }
            path[0].1 = edges[start].iter().map(|id| id.0).collect();
            while let Some((_, rest)) = path.last_mut() {
                let Some(next) = rest.pop() else {
                    if let Some((finished, _)) = path.pop() {
                        done[finished] = true;
                    }
                    continue;
                };
                if let Some(at) = path.iter().position(|(on, _)| *on == next) {
                    let names: Vec<String> =
                        path[at..].iter().map(|(on, _)| self.hir.definitions[*on].name.clone()).collect();
                    let first = &self.hir.definitions[next];
                    let message =
                        format!("`{}` includes itself: {} → {}", first.name, names.join(" → "), first.name);
                    let problem = Diagnostic::error(Code::B0207, first.span, message)
                        .label("the circle begins here")
                        .help("take one of the steps out");
                    self.problems.push(problem);
                    done[next] = true;
                } else if !done[next] {
                    path.push((next, edges[next].iter().map(|id| id.0).collect()));
                }
            }
        }
        if self.problems.iter().any(|problem| problem.code == Code::B0207) {
            // Bodies of a circle cannot be followed; nothing else is read from a set with errors.
            self.hir.definitions.iter_mut().for_each(|definition| definition.body.clear());
        }
    }

    /// Needs that name fine-grained keys: the help names the classes that mention the key.
    pub(super) fn report_fine_reads(&mut self) {
        for (read, shown, bare, span) in std::mem::take(&mut self.fine_reads) {
            let classes: Vec<String> = self
                .hir
                .definitions
                .iter()
                .filter(
                    |definition| matches!(definition.kind, DefinitionKind::Class(side) if side == read.side),
                )
                .filter(|definition| definition.body.iter().any(|expr| reads(expr, &read)))
                .map(|definition| format!("`is {}`", definition.name))
                .collect();
            let message = format!("a need does not name fine-grained keys: `{bare}`");
            let ask = if classes.is_empty() {
                format!("ask for a class (`class NAME for {} {{ {bare} … }}`)", read.side)
            } else {
                format!("ask for a class that speaks of it: {}", classes.join(", "))
            };
            let help = format!("{ask}; or the operator adds `expose {shown}` to the broker");
            self.problems.push(
                Diagnostic::error(Code::B0401, span, message)
                    .label("only the operator's policy sees it")
                    .help(help),
            );
        }
    }
}

/// Calls `visit` with an expression and everything in it.
pub fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Read(_)
        | ExprKind::Named(_)
        | ExprKind::IsAbsent(_)
        | ExprKind::IsPresent(_) => {}
        ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Matches(inner, _)
        | ExprKind::Else(_, inner) => {
            walk(inner, visit);
        }
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => {
            parts.iter().for_each(|part| walk(part, visit));
        }
        ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
            walk(left, visit);
            walk(right, visit);
        }
    }
}

fn named_in(definition: &Definition) -> BTreeSet<DefinitionId> {
    let mut named = BTreeSet::new();
    for expr in &definition.body {
        walk(expr, &mut |expr| {
            if let ExprKind::Named(id) = expr.kind {
                named.insert(id);
            }
        });
    }
    named
}

fn reads(expr: &Expr, wanted: &Read) -> bool {
    let mut found = false;
    walk(expr, &mut |expr| {
        found |= match &expr.kind {
            ExprKind::Read(read)
            | ExprKind::IsAbsent(read)
            | ExprKind::IsPresent(read)
            | ExprKind::Else(read, _) => read == wanted,
            _ => false,
        };
    });
    found
}
