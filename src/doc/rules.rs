//! The sections about classes, lets, rules and charges.

use std::collections::BTreeMap;

use super::{
    DocumentedSet,
    markdown::{Page, cell, code, docs_cell},
    uses,
};
use crate::{
    ir::{Show, Strength},
    limits,
    parse::ast::{BlockKind, ChargePer, Statement, StatementKind},
    quantity::{MILLION, decimal},
    resolve::hir::{Definition, DefinitionKind, Rule},
    source::Span,
};

pub(super) fn sections(set: &DocumentedSet<'_>, page: &mut Page) {
    let users = uses::of(set);
    page.section("Classes");
    definitions(set, page, &users, |definition| definition.kind != DefinitionKind::Let);
    page.section("Lets");
    definitions(set, page, &users, |definition| definition.kind == DefinitionKind::Let);
    page.section("Rules");
    for rule in &set.fleet.loaded().hir.broker.rules {
        one_rule(set, page, rule);
    }
    of_plugins(set, page);
    page.section("Charges");
    charges(set, page);
}

fn definitions(
    set: &DocumentedSet<'_>,
    page: &mut Page,
    users: &BTreeMap<usize, Vec<String>>,
    wanted: impl Fn(&Definition) -> bool,
) {
    let hir = &set.fleet.loaded().hir;
    let own = |definition: &Definition| !definition.standard && wanted(definition);
    for (at, definition) in hir.definitions.iter().enumerate().filter(|(_, definition)| own(definition)) {
        let mut words = match definition.kind {
            DefinitionKind::Class(side) => format!("For {}, ", code(side.name())),
            DefinitionKind::Let => String::new(),
        };
        words.push_str(&format!("{}.", set.place(definition.span)));
        page.heading(3, &definition.name, &words);
        page.docs(&definition.docs);
        page.policy(&definition.body.iter().map(|expr| set.line(expr.span)).collect::<Vec<_>>());
        match users.get(&at) {
            Some(users) => page.paragraph(&format!("Used by {}.", users.join(", "))),
            None => page.paragraph("Used by nothing."),
        }
    }
    for (whose, asked) in [("the standard library", false), ("plugins", true)] {
        let of_others = |(_, definition): &(usize, &Definition)| {
            definition.standard && definition.asked == asked && wanted(definition)
        };
        let used = hir.definitions.iter().enumerate().filter(of_others).filter_map(|(at, definition)| {
            let users = users.get(&at)?;
            Some(vec![
                cell(&definition.name),
                docs_cell(&definition.docs),
                users.join(", ").replace('|', "&#124;"),
            ])
        });
        let used: Vec<_> = used.collect();
        if !used.is_empty() {
            page.paragraph(&format!("Of {whose}, these are used:"));
            page.table(&["name", "meaning", "used by"], used, limits::PAGE_ROWS);
        }
    }
}

/// The rules of plugins, whoever they are about.
fn of_plugins(set: &DocumentedSet<'_>, page: &mut Page) {
    let show = Show::new(set.fleet.plan());
    let rows = set.fleet.rules_of_plugins().iter().map(|rule| {
        vec![cell(&rule.label), strength(rule.strength), cell(&show.node(rule.root)), set.place(rule.span)]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        page.paragraph("Of plugins, these hold besides:");
        page.table(&["label", "how", "rule", "place"], rows, limits::PAGE_ROWS);
    }
}

/// Returns `Required`, or `Preferred with weight 10`.
pub(super) fn strength(strength: Strength) -> String {
    match strength {
        Strength::Require => "Required".to_owned(),
        Strength::Prefer(weight) => {
            format!("Preferred with weight {}", decimal(i128::from(weight), i128::from(MILLION)))
        }
    }
}

fn one_rule(set: &DocumentedSet<'_>, page: &mut Page, rule: &Rule) {
    let words = format!("{}, {}.", strength(rule.strength), set.place(rule.span));
    match &rule.label {
        Some(label) => page.heading(3, label, &words),
        None => page.heading(3, &set.line(rule.expr.span), &words),
    }
    page.docs(&rule.docs);
    if rule.label.is_some() {
        page.policy(&[set.line(rule.expr.span)]);
    }
}

fn charges(set: &DocumentedSet<'_>, page: &mut Page) {
    let docs = charge_docs(set);
    let charges = set.fleet.loaded().hir.broker.charges.iter();
    let rows = charges.map(|charge| {
        // The span of a charge in the tree encloses that of the resolved one.
        let docs = docs.iter().find(|(span, _)| span.to(charge.span) == *span);
        let per = if charge.per == ChargePer::Volume { "volume" } else { "need" };
        vec![
            cell(&format!("agent.{}", charge.resource)),
            cell(&set.line(charge.amount.span)),
            per.to_owned(),
            docs.map_or(String::new(), |(_, docs)| docs_cell(docs)),
        ]
    });
    page.table(&["takes", "as much as", "per", "meaning"], rows.collect(), limits::PAGE_ROWS);
}

/// Returns the documentation of charges, by their spans.
fn charge_docs<'a>(set: &'a DocumentedSet<'_>) -> Vec<(Span, &'a [String])> {
    let brokers = set.parsed.files.iter().flat_map(|ast| &ast.items).filter_map(|item| match &item.kind {
        StatementKind::Block(block) if block.kind == BlockKind::Broker => Some(&block.body.statements),
        _ => None,
    });
    let is_charge = |statement: &&Statement| matches!(statement.kind, StatementKind::Charge(_));
    brokers.flatten().filter(is_charge).map(|charge| (charge.span, charge.docs.as_slice())).collect()
}
