//! What compiles and is hardly ever meant.

use std::collections::BTreeSet;

use super::{
    infer::Checker,
    set::{tiers, uses_in_rules},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    types::Side,
};

/// A resource read as a key is absent on every agent or pool, so that the condition is never true.
pub(super) fn resources_as_keys(checker: &mut Checker<'_>) {
    let mut problems = Vec::new();
    for side in [Side::Agent, Side::Pool] {
        let (resources, keys) = names(checker, side);
        for (key, span) in uses_in_rules(checker, side) {
            if !resources.contains(key.as_str()) || keys.contains(key.as_str()) {
                continue;
            }
            let message = format!("`{key}` is a resource, and no key: as a key it is absent");
            let help = format!(
                "`free.{key}` is what is free of it now, `total.{key}` all there is; in a rule with the side before: `{side}.free.{key}`"
            );
            problems.push(Diagnostic::warning(Code::B0315, span, message).help(help));
        }
    }
    checker.problems.extend(problems);
}

/// The resources and the keys that the set gives a side.
fn names<'a>(checker: &Checker<'a>, side: Side) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let hir = checker.hir;
    let needs = hir.frameworks.iter().flat_map(|framework| &framework.needs);
    let mut resources: BTreeSet<&str> = BTreeSet::new();
    let mut keys: BTreeSet<&str> =
        hir.schema.iter().filter(|field| field.side == side).map(|field| field.key.as_str()).collect();
    if side == Side::Agent {
        resources.extend(
            needs
                .filter_map(|need| need.agent.as_ref())
                .flat_map(|agent| &agent.amounts)
                .map(|ask| ask.resource.as_str()),
        );
        for agent in &hir.records.agents {
            resources.extend(agent.resources.iter().map(|resource| resource.name.as_str()));
            keys.extend(agent.keys.iter().map(|key| key.key.as_str()));
        }
    } else {
        let volumes = needs.flat_map(|need| &need.volumes);
        resources.extend(volumes.flat_map(|volume| &volume.request.amounts).map(|ask| ask.resource.as_str()));
        for tier in tiers(&hir.records.providers) {
            resources.extend(tier.resources.iter().map(|resource| resource.name.as_str()));
            keys.extend(tier.keys.iter().map(|key| key.key.as_str()));
        }
    }
    (resources, keys)
}
