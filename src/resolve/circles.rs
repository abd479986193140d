//! Detection of classes and lets that include each other.
//!
//! A depth-first search over the references between definitions marks each as new, open (on the current path)
//! or done. A reference to an open definition closes a cycle, which is the end of the current path. The
//! search keeps its own stack, since a chain of definitions may be as long as the set. Every definition and
//! every reference is visited once.

use std::collections::BTreeSet;

use super::{
    Resolver,
    hir::{Definition, DefinitionId, ExprKind},
    walk,
};
use crate::diagnostic::{Code, Diagnostic};

/// The state of a definition in the search.
#[derive(Clone, Copy, PartialEq)]
enum VisitState {
    New,
    /// On the current path.
    Open,
    Done,
}

/// The number of names of a cycle that a message shows.
const SHOWN: usize = 8;

impl Resolver {
    /// Reports cycles of classes and lets, one per reference that closes one.
    pub(super) fn circles(&mut self) {
        let edges: Vec<Vec<usize>> = self.hir.definitions.iter().map(named_in).collect();
        let mut marks = vec![VisitState::New; edges.len()];
        let mut found = false;
        for start in 0..edges.len() {
            if marks[start] != VisitState::New {
                continue;
            }
            marks[start] = VisitState::Open;
            // The current path: each definition, and the number of its references that were followed.
            let mut way: Vec<(usize, usize)> = vec![(start, 0)];
            while let Some((at, next)) = way.last_mut() {
                let Some(&named) = edges[*at].get(*next) else {
                    marks[*at] = VisitState::Done;
                    way.pop();
                    continue;
                };
                *next += 1;
                match marks[named] {
                    VisitState::New => {
                        marks[named] = VisitState::Open;
                        way.push((named, 0));
                    }
                    VisitState::Open => {
                        let first = way.iter().position(|(on, _)| *on == named).unwrap_or(0);
                        let circle: Vec<usize> = way[first..].iter().map(|(on, _)| *on).collect();
                        self.circle(&circle);
                        found = true;
                    }
                    VisitState::Done => {}
                }
            }
        }
        if found {
            // Later stages recurse through definitions and would not end on a cycle. A set with errors yields
            // no plan, so nothing is lost.
            self.hir.definitions.iter_mut().for_each(|definition| definition.body.clear());
        }
    }

    fn circle(&mut self, circle: &[usize]) {
        let Some(first) = circle.first().map(|at| &self.hir.definitions[*at]) else { return };
        let (name, span) = (first.name.clone(), first.span);
        let mut names: Vec<&str> =
            circle.iter().take(SHOWN).map(|at| self.hir.definitions[*at].name.as_str()).collect();
        if circle.len() > SHOWN {
            names.push("…");
        }
        let message = format!("`{name}` includes itself: `{} → {name}`", names.join(" → "));
        let problem = Diagnostic::error(Code::B0207, span, message)
            .label("the circle begins here")
            .help("take one of the steps out");
        self.problem(problem);
    }
}

/// Returns the classes and lets that a definition refers to, in order of declaration.
fn named_in(definition: &Definition) -> Vec<usize> {
    let mut named: BTreeSet<DefinitionId> = BTreeSet::new();
    for expr in &definition.body {
        walk(expr, &mut |expr| {
            if let ExprKind::Named(id) = expr.kind {
                named.insert(id);
            }
        });
    }
    named.into_iter().map(|id| id.0).collect()
}
