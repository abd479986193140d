//! Warnings about policies that compile but are rarely meant.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    infer::Checker,
    set::{tiers, uses_in_rules},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest_after},
    keys::{self, BuiltIn},
    source::Span,
    types::Side,
};

/// Warns of a resource that is read as a key. As a key it is absent everywhere, so the condition never holds.
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

/// Warns of keys and resources that nothing in the set has and that are similar to one that something has.
/// Others are left alone, since an inventory may bring them.
pub(super) fn misspelt(checker: &mut Checker<'_>) {
    let mut problems = Vec::new();
    for side in [Side::Agent, Side::Pool] {
        let (resources, mut keys) = names(checker, side);
        let built_in = keys::of(side).iter().map(|known| known.word);
        for word in built_in.filter(|word| !word.is_amount()) {
            keys.insert(word.text());
        }
        keys.extend(checker.hir.levels.iter().map(String::as_str));
        // A word is searched once, however often it is read.
        let mut seen: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (key, span) in uses_in_rules(checker, side) {
            let first = key.split('.').next().unwrap_or(&key);
            let known = keys.contains(key.as_str()) || resources.contains(key.as_str());
            let amount = BuiltIn::from_text(first).is_some_and(BuiltIn::is_amount);
            if !known && !amount {
                let looked = seen.len();
                let meant =
                    seen.entry(key.clone()).or_insert_with(|| near(looked, &key, keys.iter().copied()));
                let what = format!("no {side} of this set has a key `{key}`");
                problems.extend(meant.as_ref().map(|meant| warn(&what, span, meant)));
            }
        }
    }
    let hir = checker.hir;
    let read: BTreeSet<String> = [Side::Need, Side::Framework]
        .into_iter()
        .flat_map(|side| uses_in_rules(checker, side))
        .map(|(key, _)| key)
        .collect();
    for framework in &hir.frameworks {
        let own = framework.keys.iter().map(|key| (key, Side::Framework));
        let of_needs = framework.needs.iter().flat_map(|need| &need.keys).map(|key| (key, Side::Need));
        for (key, side) in own.chain(of_needs) {
            if !keys::is_word(side, &key.key) && !read.contains(&key.key) {
                let what = format!("nothing reads the key `{}`", key.key);
                let words = keys::properties(side).map(|known| known.word.text());
                let meant = near(0, &key.key, words);
                problems.extend(meant.map(|meant| warn(&what, key.span, &meant)));
            }
        }
    }
    problems.extend(misspelt_resources(checker));
    checker.problems.extend(problems);
}

/// Warns of requested resources that nothing in the set has and that are similar to one that something has.
fn misspelt_resources(checker: &Checker<'_>) -> Vec<Diagnostic> {
    let hir = checker.hir;
    let agents = hir.records.agents.iter().flat_map(|agent| &agent.resources);
    let of_agents: BTreeSet<&str> = agents.map(|resource| resource.name.as_str()).collect();
    let tiers = tiers(&hir.records.providers);
    let mut of_pools: BTreeSet<&str> =
        tiers.iter().flat_map(|tier| &tier.resources).map(|resource| resource.name.as_str()).collect();
    let counted = uses_in_rules(checker, Side::Volume);
    of_pools.extend(counted.iter().map(|(key, _)| key.as_str()));
    let mut problems = Vec::new();
    let mut looked = 0;
    for need in hir.frameworks.iter().flat_map(|framework| &framework.needs) {
        let asked =
            need.agent.iter().flat_map(|request| &request.amounts).map(|ask| (ask, &of_agents, "agent"));
        let volumes = need.volumes.iter().flat_map(|volume| &volume.request.amounts);
        for (ask, known, side) in asked.chain(volumes.map(|ask| (ask, &of_pools, "pool"))) {
            if !known.contains(ask.resource.as_str()) {
                let what = format!("no {side} of this set has `{}`", ask.resource);
                let meant = near(looked, &ask.resource, known.iter().copied());
                looked += 1;
                problems.extend(meant.map(|meant| warn(&what, ask.span, &meant)));
            }
        }
    }
    problems
}

fn near<'n>(looked: usize, word: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    nearest_after(looked, word, known.filter(|known| known.len() > 2)).map(str::to_owned)
}

fn warn(what: &str, span: Span, meant: &str) -> Diagnostic {
    Diagnostic::warning(Code::B0316, span, what).help(format!("did you mean `{meant}`?"))
}

/// Returns the resources and the keys that the set knows for a side.
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
