//! The vocabulary of needs. It is all that frameworks may learn about a set, so nothing else belongs here.

use std::collections::BTreeSet;

use super::{
    DocumentedSet, Readers,
    markdown::{Page, cell, code, docs_cell},
};
use crate::{
    ir::{Column, Key, Show},
    limits,
    quantity::Dimension,
    resolve::hir::DefinitionKind,
    symbol::Symbol,
    types::Side,
};

pub(super) fn sections(set: &DocumentedSet<'_>, page: &mut Page, readers: Readers) {
    if readers == Readers::Operator {
        page.section("What frameworks may ask for");
    }
    amounts(set, page, readers);
    classes(set, page);
    keys(set, page);
    places(set, page);
    roles(set, page, readers);
}

fn amounts(set: &DocumentedSet<'_>, page: &mut Page, readers: Readers) {
    let plan = set.fleet.plan();
    let there = there(set);
    let mut known: Vec<(Side, &str, Dimension)> = plan
        .resources
        .iter()
        .filter(|(resource, _)| readers == Readers::Operator || there.contains(*resource))
        .map(|((side, name), dimension)| (*side, plan.symbols.text(*name), *dimension))
        .collect();
    known.sort_unstable();
    known.dedup();
    let rows = known.into_iter().map(|(side, name, dimension)| {
        let sample = match dimension {
            Dimension::Number => "`4`".to_owned(),
            dimension => code(&format!("4{}", dimension.sample_unit())),
        };
        let block = if side == Side::Agent { "agent" } else { "volume" };
        vec![cell(name), code(block), dimension.name().to_owned(), sample]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        page.paragraph("**Amounts.** What an `agent` or `volume` block of a need may take.");
        page.table(&["amount", "block", "is a", "for example"], rows, limits::PAGE_ROWS);
    }
}

/// Returns the resources of agents and pools, and those of volumes that a charge reads. Resources that only
/// needs request, or only existing volumes have, belong to other frameworks and are left out.
fn there(set: &DocumentedSet<'_>) -> BTreeSet<(Side, Symbol)> {
    let (plan, world) = (set.fleet.plan(), set.fleet.world());
    let of_agents = world.agents.iter().flat_map(|agent| &agent.resources);
    // Resources of existing volumes belong to whoever uses these, and are not told to others.
    let pools = world.supplies.iter().filter(|supply| supply.existing.is_none());
    let of_pools = pools.flat_map(|pool| &pool.resources).map(|(resource, _)| (Side::Pool, *resource));
    let charged = plan.broker.charges.iter().flat_map(|charge| plan.reads(charge.root));
    let charged = charged.filter_map(|id| match plan.column(id) {
        Column { side: Side::Volume, key: Key::Attribute(key) } => Some((Side::Pool, key)),
        _ => None,
    });
    of_agents.map(|held| (Side::Agent, held.resource)).chain(of_pools).chain(charged).collect()
}

fn classes(set: &DocumentedSet<'_>, page: &mut Page) {
    let hir = &set.fleet.loaded().hir;
    let mut rows = Vec::new();
    for definition in &hir.definitions {
        let DefinitionKind::Class(side) = definition.kind else { continue };
        let block = if side == Side::Agent { "agent" } else { "volume" };
        // The name of a plugin's class is as it is written.
        let name = if definition.asked { definition.name.clone() } else { shown(&definition.name) };
        rows.push((block, name, docs_cell(&definition.docs)));
    }
    rows.sort();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(block, name, docs)| vec![cell(&format!("is {name}")), code(block), docs])
        .collect();
    if !rows.is_empty() {
        page.paragraph("**Classes.** What the agent, or the storage of a volume, must be.");
        page.table(&["class", "block", "meaning"], rows, limits::PAGE_ROWS);
    }
}

/// Returns a dotted name as policies write it.
fn shown(name: &str) -> String {
    match name.split_once('.') {
        Some((module, class)) if crate::value::is_plain_name(module) => {
            format!("{module}.{}", crate::value::show_name(class))
        }
        _ => crate::value::show_name(name),
    }
}

fn keys(set: &DocumentedSet<'_>, page: &mut Page) {
    let plan = set.fleet.plan();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for id in &plan.broker.exposed {
        let kind = plan.column_types.get(id.0 as usize).copied().flatten();
        rows.push(vec![
            cell(&Show::new(plan).column(*id)),
            kind.map_or(String::new(), |kind| kind.name().to_owned()),
        ]);
    }
    rows.sort();
    rows.dedup();
    if !rows.is_empty() {
        page.paragraph("**Keys.** What a condition may test, and what places may go by.");
        page.table(&["key", "is a"], rows, limits::PAGE_ROWS);
    }
}

fn places(set: &DocumentedSet<'_>, page: &mut Page) {
    let plan = set.fleet.plan();
    let levels: Vec<String> = plan.levels.iter().map(|level| code(plan.symbols.text(*level))).collect();
    page.paragraph(&format!(
        "**Places.** `within`, `avoid`, `near`, `at most`, `spread over` and `together in` go by these levels, outermost first: {}.",
        levels.join(", ")
    ));
}

/// Adds the roles. A framework sees its own role only.
fn roles(set: &DocumentedSet<'_>, page: &mut Page, readers: Readers) {
    let plan = set.fleet.plan();
    match readers {
        Readers::Operator => {
            let mut names: Vec<&str> = plan.roles.iter().map(|role| role.name.as_str()).collect();
            names.sort_unstable();
            if !names.is_empty() {
                let names: Vec<String> = names.into_iter().map(code).collect();
                page.paragraph(&format!("**Roles.** {}.", names.join(", ")));
            }
        }
        Readers::Frameworks(Some(at)) => {
            let role = plan.frameworks.get(at).map(|framework| plan.symbols.text(framework.role));
            page.paragraph(&format!("**Role.** {}.", code(role.unwrap_or_default())));
        }
        Readers::Frameworks(None) => {}
    }
}
