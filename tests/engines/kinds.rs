//! The sets that the engines are compared on meet every kind of place, rule and constraint. A new kind is an error of the
//! compiler here, and then a failing test until some set has it.

use std::{cell::RefCell, collections::BTreeSet, fmt::Write as _};

use bourse::{
    Fleet, Offers,
    check::Strictness,
    ir::{CountRule, PlaceKind, RuleOwner, RuleSubject, Strength, Target},
    matching::{DemandPart, Matcher, NeedId, ReasonKind},
    pipeline::Parsed,
};

use super::{every_test_of_the_suite, judge};
use crate::properties;

type Met = BTreeSet<String>;

fn strength(of: Strength) -> &'static str {
    match of {
        Strength::Require => "required",
        Strength::Prefer(_) => "preferred",
    }
}

fn place(kind: &PlaceKind) -> String {
    let target = match kind.test() {
        bourse::ir::PlaceTest::Subtree { .. } => "",
        bourse::ir::PlaceTest::Compared { target, .. } => match target {
            Target::Volume(_) => " a volume",
            Target::Need(_) => " a need",
            Target::NeedVolume(..) => " a need's volume",
        },
        bourse::ir::PlaceTest::Counted { rule, .. } => match rule {
            CountRule::AtMost { among_framework: true, .. } => " among a framework",
            CountRule::AtMost { among_framework: false, .. }
            | CountRule::Spread { .. }
            | CountRule::Together => "",
        },
    };
    let name = match kind {
        PlaceKind::Within(_) => "within",
        PlaceKind::Outside(_) => "outside",
        PlaceKind::Near(..) => "near",
        PlaceKind::Apart(..) => "apart from",
        PlaceKind::AtMost { .. } => "at most",
        PlaceKind::Spread { .. } => "spread",
        PlaceKind::Together(_) => "together",
    };
    format!("{name}{target}")
}

/// Places of an agent or a volume, with a target of each form. `TARGET` is a volume of the same need.
const PLACES: [&str; 14] = [
    "within \"r/a\"",
    "avoid [\"r/a/1\", \"r/c\"]",
    "at most 1 per zone",
    "at most 2 per KEY among framework",
    "spread over KEY",
    "spread over zone skew 2 at least 2",
    "together in zone",
    "near TARGET in zone",
    "near first in zone",
    "near first.w in KEY",
    "avoid TARGET in rack",
    "avoid TARGET in KEY",
    "avoid first in zone",
    "avoid first.w in rack",
];

/// Rules, each of which every owner may have.
const RULES: [&str; 5] = [
    "agent.speed >= 2",
    "pool.media == \"ssd\"",
    "agent.speed <= pool.speed",
    "agent.domain within pool.domain or pool.media == \"hdd\"",
    "agent.free.cpus >= 3 and pool.speed >= 2",
];

/// A fleet of three zones with an agent of each speed in each, and pools of both media, one of them for a region. `rules` are
/// the operator's, an agent's own and a tier's.
fn fleet(rules: [&str; 3], needs: &str) -> Fleet {
    let [operator, of_agent, of_tier] = rules;
    let mut text = format!(
        "broker main {{ levels region > zone > rack, expose agent.os, expose pool.media\n{operator} }}\nprovider p {{\n"
    );
    for (at, domain) in ["r/a/1", "r/a/2", "r/b/1", "r/c/1", "r"].into_iter().enumerate() {
        let media = if at % 2 == 0 { "ssd" } else { "hdd" };
        let own = if at % 3 == 0 { of_tier } else { "" };
        let _ = writeln!(
            text,
            "instance i{at} {{ domain = \"{domain}\"\npool p {{ media = \"{media}\", speed = {}\n{own}\nresources {{ size = 3TB }} }} }}",
            1 + at % 3
        );
    }
    text.push_str("}\n");
    for at in 0..9 {
        let (zone, rack, own) =
            (["a", "b", "c"][at / 3], 1 + at % 2, if at % 4 == 1 { of_agent } else { "" });
        let os = if at % 3 == 2 { "plan9" } else { "linux" };
        let _ = writeln!(
            text,
            "agent a{at} {{ domain = \"r/{zone}/{rack}\", os = \"{os}\", speed = {}\n{own}\nresources {{ cpus = 4 }} }}",
            1 + at % 3
        );
    }
    text.push_str(needs);
    let parsed = Parsed::new([("kinds.policy", text.as_bytes())]);
    let fleet = Fleet::load(&parsed, Strictness::default(), &[]);
    fleet.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A set for every place, of an agent and of a volume, required and preferred, and for every rule of every owner.
fn of_each_kind(told: &mut dyn FnMut(&Offers)) {
    for place in PLACES {
        for how in ["", "prefer "] {
            let weight = if how.is_empty() { "" } else { " weight 7" };
            let of_agent = place.replace("TARGET", "v").replace("KEY", "os");
            let of_volume = place.replace("TARGET", "w").replace("KEY", "media");
            for (agent, volume) in [(of_agent.as_str(), ""), ("", of_volume.as_str())] {
                let one = |place: &str| {
                    if place.is_empty() { String::new() } else { format!("{how}{place}{weight}") }
                };
                let needs = format!(
                    "framework f {{\nneed first {{ count = 2, agent {{ cpus = 1 }}, volume w {{ size = 500GB }} }}\n\
                     need second {{ count = 9, agent {{ cpus = 3 }}\nvolume w {{ size = 200GB }}\n\
                     volume v {{ size = 700GB\n{} }}\n{} }}\n}}\n",
                    one(volume),
                    one(agent)
                );
                told(&fleet([""; 3], &needs).offers());
            }
        }
    }
    let needs = "need n { count = 9, agent { cpus = 3 }, volume v { size = 900GB } }\n";
    for rule in RULES {
        for how in ["require", "prefer"] {
            for owner in 0..3 {
                let line = format!("{how} known: {rule}");
                let mut rules = [""; 3];
                rules[owner] = &line;
                told(&fleet(rules, needs).offers());
            }
        }
    }
}

#[test]
fn each_kind_gives_the_same() {
    let (mut sets, mut unmet) = (0, 0);
    of_each_kind(&mut |offers| {
        judge(offers);
        sets += 1;
        unmet += usize::from(offers.cycle().needs.iter().any(|need| need.missing() > 0));
    });
    assert_eq!(sets, PLACES.len() * 4 + RULES.len() * 6);
    assert!(unmet > sets / 3, "only {unmet} sets leave a need unmet: nothing was excluded");
}

/// All that may be met: places of agents and volumes, rules by owner and subject, and constraints that fail.
fn wanted() -> Met {
    let mut wanted = Met::new();
    let targets = ["a need", "a need's volume", "a volume"];
    let compared =
        ["near", "apart from"].into_iter().flat_map(|name| targets.map(|of| format!("{name} {of}")));
    let others = ["within", "outside", "at most", "at most among a framework", "spread", "together"];
    for place in others.map(str::to_owned).into_iter().chain(compared) {
        for part in ["agent", "volume"] {
            for how in ["required", "preferred"] {
                wanted.insert(format!("{how} place of {part}: {place}"));
            }
        }
    }
    for (owner, subjects) in [
        ("operator", &["agent", "supply", "pair"][..]),
        ("agent", &["agent", "pair"][..]),
        ("tier", &["supply", "pair"][..]),
    ] {
        for subject in subjects {
            for how in ["required", "preferred"] {
                wanted.insert(format!("{how} rule of {owner} about {subject}"));
            }
        }
    }
    for kind in ReasonKind::ALL {
        wanted.insert(format!("reason: {}", kind.name()));
    }
    wanted
}

fn meet(offers: &Offers, met: &mut Met) {
    let plan = offers.fleet().plan();
    for one in plan.rules() {
        let owner = match one.owner {
            RuleOwner::Operator => "operator",
            RuleOwner::Agent(_) => "agent",
            RuleOwner::Tier(_) => "tier",
        };
        let subject = match one.subject {
            RuleSubject::Need => "need",
            RuleSubject::Agent => "agent",
            RuleSubject::Supply => "supply",
            RuleSubject::Pair => "pair",
        };
        met.insert(format!("{} rule of {owner} about {subject}", strength(one.rule.strength)));
    }
    for (framework, known) in plan.frameworks.iter().enumerate() {
        for need in 0..known.needs.len() {
            let demand = Matcher::new(offers.fleet().moment(), NeedId { framework, need }).demand();
            for (part, one) in demand.places() {
                let part = match part {
                    DemandPart::Agent => "agent",
                    DemandPart::Volume(_) => "volume",
                };
                met.insert(format!("{} place of {part}: {}", strength(one.strength), place(&one.kind)));
            }
        }
    }
    for need in &offers.cycle().needs {
        for one in need.rejections.list.iter().flat_map(|rejection| rejection.reasons.iter()) {
            met.insert(format!("reason: {}", offers.cycle().reason(*one).kind.name()));
        }
    }
}

#[test]
fn every_kind_is_compared() {
    let met = RefCell::new(Met::new());
    every_test_of_the_suite(&|offers| meet(offers, &mut met.borrow_mut()));
    of_each_kind(&mut |offers| meet(offers, &mut met.borrow_mut()));
    for seed in 0..properties::SEEDS {
        meet(&properties::cycle(&properties::fleet(&properties::declarations(seed))), &mut met.borrow_mut());
    }
    let missing: Vec<String> = wanted().difference(&met.into_inner()).cloned().collect();
    assert!(missing.is_empty(), "no set that the engines are compared on has: {missing:#?}");
}
