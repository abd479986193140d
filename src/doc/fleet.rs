//! The sections about roles, storage and agents.

use std::collections::BTreeMap;

use super::{
    DocumentedSet,
    markdown::{Page, cell, docs_cell, text},
    rules::strength,
};
use crate::{
    inventory::records::Raw,
    ir::{Rule, Show},
    limits,
    output::{
        self,
        wire::{OrderedFields, Totals},
    },
    parse::ast::{Statement, StatementKind},
    quantity::{MILLION, decimal, render},
    source::Span,
};

pub(super) fn sections(set: &DocumentedSet<'_>, page: &mut Page) {
    page.section("Roles");
    roles(set, page);
    page.section("Storage");
    storage(set, page);
    page.section("Agents");
    agents(set, page);
}

fn roles(set: &DocumentedSet<'_>, page: &mut Page) {
    let hir = &set.fleet.loaded().hir;
    let rows = hir.roles.iter().map(|role| {
        let frameworks = hir.frameworks.iter().filter(|framework| framework.role == role.name.text);
        let frameworks: Vec<String> = frameworks.map(|framework| cell(&framework.name.text)).collect();
        // `principals` has a column of its own. Of other keys only the names are shown.
        let (served, keys): (Vec<_>, Vec<_>) = role.keys.iter().partition(|key| key.key == "principals");
        let keys: Vec<String> = keys.into_iter().map(|key| cell(&key.key)).collect();
        let principals = served.into_iter().flat_map(|key| match &key.value {
            Raw::Texts(names) => names.iter().map(|name| cell(name)).collect(),
            _ => Vec::new(),
        });
        let principals: Vec<String> = principals.collect();
        let limits = role.limits.iter().map(|limit| {
            let side = limit.side.map_or(String::new(), |side| format!("{side}."));
            let amount = render(limit.amount.dimension, i128::from(limit.amount.amount));
            format!("{} {}", cell(&format!("{side}{}", limit.resource)), text(&amount))
        });
        let limits: Vec<String> = limits.collect();
        vec![
            cell(&role.name.text),
            decimal(i128::from(role.weight), i128::from(MILLION)),
            limits.join(", "),
            principals.join(", "),
            keys.join(", "),
            frameworks.join(", "),
            docs_cell(&role.docs),
        ]
    });
    page.table(
        &["role", "weight", "limits", "principals", "keys", "frameworks", "meaning"],
        rows.collect(),
        limits::PAGE_ROWS,
    );
}

fn storage(set: &DocumentedSet<'_>, page: &mut Page) {
    let (stock, docs) = (output::stock(set.fleet), docs(set));
    let tiers = &set.fleet.world().tiers;
    let rows = stock.storage.iter().zip(tiers).map(|(tier, known)| {
        let docs = docs.get(&known.span).map_or(String::new(), |docs| docs_cell(docs));
        vec![tier.kind.to_owned(), cell(&tier.path), resources(&tier.resources), docs]
    });
    page.table(&["tier", "path", "has", "meaning"], rows.collect(), limits::PAGE_ROWS);
    let plan = set.fleet.plan();
    let ruled = tiers
        .iter()
        .filter_map(|tier| Some((plan.symbols.text(tier.path), plan.tier_rules.get(tier.rules)?)));
    rules(set, page, ruled);
}

fn agents(set: &DocumentedSet<'_>, page: &mut Page) {
    let (stock, docs) = (output::stock(set.fleet), docs(set));
    let (plan, world) = (set.fleet.plan(), set.fleet.world());
    let rows = stock.agents.iter().zip(&world.agents).map(|(agent, known)| {
        let domain = agent.domain.as_deref().map_or(String::new(), cell);
        let docs = docs.get(&known.span).map_or(String::new(), |docs| docs_cell(docs));
        vec![cell(&agent.name), domain, resources(&agent.resources), docs]
    });
    page.table(&["agent", "domain", "has", "meaning"], rows.collect(), limits::PAGE_ROWS);
    let ruled = world.agents.iter();
    let ruled =
        ruled.filter_map(|agent| Some((plan.symbols.text(agent.name), plan.agent_rules.get(agent.rules)?)));
    rules(set, page, ruled);
}

/// Adds a table of the holders' own rules.
fn rules<'a>(
    set: &DocumentedSet<'_>,
    page: &mut Page,
    ruled: impl Iterator<Item = (&'a str, &'a Vec<Rule>)>,
) {
    let show = Show::new(set.fleet.plan());
    let rows = ruled.flat_map(|(holder, rules)| {
        rules.iter().map(move |rule| {
            vec![
                cell(holder),
                if rule.labelled { cell(&rule.label) } else { String::new() },
                strength(rule.strength),
                cell(&show.node(rule.root)),
                docs_cell(&rule.docs),
            ]
        })
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        page.paragraph("Rules of their own:");
        page.table(&["of", "label", "how", "rule", "meaning"], rows, limits::PAGE_ROWS);
    }
}

/// Returns the documentation of blocks, by the spans of their names.
fn docs<'a>(set: &'a DocumentedSet<'_>) -> BTreeMap<Span, &'a [String]> {
    let mut found = BTreeMap::new();
    let mut open: Vec<&Statement> = set.parsed.files.iter().flat_map(|ast| &ast.items).collect();
    while let Some(statement) = open.pop() {
        let StatementKind::Block(block) = &statement.kind else { continue };
        if let (Some(name), false) = (&block.name, statement.docs.is_empty()) {
            found.insert(name.span, statement.docs.as_slice());
        }
        open.extend(&block.body.statements);
    }
    found
}

/// Returns the amounts of resources: `cpus` 12 free of 16, `mem` 64GiB.
fn resources(resources: &OrderedFields<Totals>) -> String {
    let shown = resources.0.iter().map(|(name, totals)| {
        let (free, total) = (totals.free.to_string(), totals.total.to_string());
        if free == total {
            format!("{} {}", cell(name), text(&total))
        } else {
            format!("{} {} free of {}", cell(name), text(&free), text(&total))
        }
    });
    let shown: Vec<String> = shown.collect();
    shown.join(", ")
}
