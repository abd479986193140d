//! The uses of classes and lets.

use std::collections::{BTreeMap, BTreeSet};

use super::{DocumentedSet, markdown::code};
use crate::resolve::hir::{DefinitionId, DefinitionKind, Expr, ExprKind};

/// Returns the users of each definition, as Markdown.
pub(super) fn of(set: &DocumentedSet<'_>) -> BTreeMap<usize, Vec<String>> {
    let hir = &set.fleet.loaded().hir;
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut tell = |user: String, named: BTreeSet<usize>| {
        for definition in named {
            let users = found.entry(definition).or_default();
            if !users.contains(&user) {
                users.push(user.clone());
            }
        }
    };
    for definition in &hir.definitions {
        let kind = if definition.kind == DefinitionKind::Let { "let" } else { "class" };
        tell(format!("{kind} {}", code(&definition.name)), named(&definition.body));
    }
    for rule in &hir.broker.rules {
        let label = rule.label.as_deref().map_or_else(|| set.place(rule.span), code);
        tell(format!("rule {label}"), named(std::slice::from_ref(&rule.expr)));
    }
    for charge in &hir.broker.charges {
        tell(format!("charge {}", code(&charge.resource)), named(std::slice::from_ref(&charge.amount)));
    }
    let of_records = hir.record_rules.agents.iter().chain(&hir.record_rules.tiers).flatten();
    for rule in of_records {
        let label = rule.label.as_deref().map_or_else(|| set.place(rule.span), code);
        tell(format!("rule {label}"), named(std::slice::from_ref(&rule.expr)));
    }
    for framework in &hir.frameworks {
        for need in &framework.needs {
            let requests = need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request));
            let classes = requests.flat_map(|request| &request.classes).map(|ask| ask.class.0).collect();
            tell(format!("need {}", code(&need.name.text)), classes);
        }
    }
    found
}

/// Returns the classes and lets that expressions refer to.
pub(super) fn named(exprs: &[Expr]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Expr> = exprs.iter().collect();
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Named(DefinitionId(id)) => {
                found.insert(*id);
            }
            ExprKind::Not(inner)
            | ExprKind::Negate(inner)
            | ExprKind::Matches(inner, _)
            | ExprKind::Else(_, inner) => {
                open.push(inner);
            }
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => open.extend(parts),
            ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
                open.extend([left.as_ref(), right.as_ref()])
            }
            ExprKind::Literal(_) | ExprKind::Read(_) | ExprKind::IsAbsent(_) | ExprKind::IsPresent(_) => {}
        }
    }
    found
}
