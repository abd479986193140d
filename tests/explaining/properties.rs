//! What is counted by classes is what brute force counts over all pairs, and what is said to help does help.

use std::collections::{BTreeMap, BTreeSet};

use bourse::{
    Fleet, Offers,
    cycle::CycleRequest,
    explain::{self, Counts, Explanation, Relaxation},
    inventory::{ledger::Ledger, world::World},
    ir::{Amount, Need, Node, Plan},
    matching::{Constraint, Instance, Matcher, Moment, NeedId, Placed, Reach, Search},
    value::Value,
};

use crate::properties::{declarations, fleet};

/// The moment when a need closed, made again from the grants alone.
fn closed(offers: &Offers, id: NeedId) -> (Ledger, Placed) {
    let fleet = offers.fleet();
    let (plan, world) = (fleet.plan(), fleet.world());
    let (mut ledger, mut placed) = bourse::cycle::start(plan, world);
    let after = offers.cycle().need(id).expect("the need").closed_after;
    for grant in &offers.cycle().grants[..after] {
        grant.candidate.takes().for_each(|take| ledger.grant(world, grant.id.framework, take));
        let need = &plan.frameworks[grant.id.framework].needs[grant.id.need];
        placed.push(plan, world, grant.id, Instance::of(&grant.candidate, need));
    }
    if let Some(settled) = offers.cycle().placed.settled(id) {
        placed.settle(id, settled.clone());
    }
    // Of a need that is granted whole or not at all: with the instances that fitted in place.
    for _ in 0..offers.cycle().need(id).and_then(|need| need.fitted).unwrap_or(0) {
        let moment = Moment { plan, world, ledger: &ledger, placed: &placed, filters: None, recorder: None };
        let matcher = Matcher::new(moment, id);
        let candidate = matcher.best(&mut Search::default()).expect("one that fitted");
        let instance = Instance::of(&candidate, matcher.subject.need);
        candidate.takes().for_each(|take| ledger.grant(world, id.framework, take));
        placed.push(plan, world, id, instance);
    }
    (ledger, placed)
}

type Key = (Constraint, Option<usize>);
type Set = BTreeSet<Constraint>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    agents: BTreeMap<Key, (u64, u64)>,
    supplies: BTreeMap<Key, (u64, u64)>,
    pairs: BTreeMap<Key, (u64, u64)>,
}

fn add(counts: &mut BTreeMap<Key, (u64, u64)>, key: Key, alone: bool) {
    let entry = counts.entry(key).or_default();
    entry.0 += 1;
    entry.1 += u64::from(alone);
}

/// Every agent with every supply, one by one.
fn brute_force(matcher: &Matcher<'_>) -> Counted {
    let need = matcher.subject.need;
    let world = matcher.moment.world;
    let volumes: Vec<usize> = (0..need.volumes.len()).filter(|at| need.volumes[*at].ordinal.0 == 0).collect();
    let mut counted = Counted::default();
    let own = |at: usize, supply: usize| -> Set {
        let volume = &need.volumes[at];
        let failures = matcher.supply_failures(None, volume, supply, Reach::WithoutAgent);
        failures.iter().map(|failure| failure.constraint(Some(volume))).collect()
    };
    for at in &volumes {
        for supply in 0..world.supplies.len() {
            let set = own(*at, supply);
            for condition in &set {
                add(&mut counted.supplies, (*condition, Some(*at)), set.len() == 1);
            }
        }
    }
    for agent in matcher.agents() {
        let failures = matcher.agent_failures(agent);
        let set: Set = failures.iter().map(|failure| failure.constraint(None)).collect();
        // The ways to serve each volume.
        let mut ways: Vec<Vec<Set>> = Vec::new();
        for at in &volumes {
            let mut of_volume = Vec::new();
            for supply in 0..world.supplies.len() {
                let alone = own(*at, supply);
                let volume = &need.volumes[*at];
                let failures = matcher.supply_failures(agent, volume, supply, Reach::All);
                let both: Set = failures.iter().map(|failure| failure.constraint(Some(volume))).collect();
                if agent.is_some() {
                    for condition in both.difference(&alone) {
                        let only = set.is_empty() && both.len() == 1;
                        add(&mut counted.pairs, (*condition, Some(*at)), only);
                    }
                }
                of_volume.push(both);
            }
            ways.push(of_volume);
        }
        // Whether it would do if one condition were dropped.
        let open = |dropped: &Set| {
            set.is_subset(dropped) && ways.iter().all(|ways| ways.iter().any(|way| way.is_subset(dropped)))
        };
        let is_open = open(&Set::new());
        let frees = |condition: &Constraint| !is_open && open(&Set::from([*condition]));
        for condition in &set {
            add(&mut counted.agents, (*condition, None), frees(condition));
        }
        for (at, ways) in volumes.iter().zip(&ways).filter(|_| agent.is_some()) {
            if ways.iter().any(BTreeSet::is_empty) {
                continue;
            }
            let all: Set = ways.iter().flatten().copied().collect();
            for condition in &all {
                add(&mut counted.agents, (*condition, Some(*at)), frees(condition));
            }
        }
    }
    counted
}

/// What an explanation says, in the same form. What was found only where parts are put together is left out.
fn said(explanation: &Explanation, need: &Need, plan: &Plan) -> Counted {
    let mut counted = Counted::default();
    for cause in &explanation.causes {
        let volume = cause.volume.as_ref().map(|name| {
            need.volumes.iter().position(|volume| plan.symbols.text(volume.name) == name).expect("a volume")
        });
        let key = (cause.condition, volume);
        let put = |counts: &mut BTreeMap<Key, (u64, u64)>, of: Counts| {
            if of.excluded > 0 {
                counts.insert(key, (of.excluded, of.alone));
            }
        };
        put(&mut counted.agents, cause.agents);
        put(&mut counted.supplies, cause.supplies);
        put(&mut counted.pairs, cause.pairs);
    }
    counted
}

/// The generated sets, some with other places and more rules.
fn varied(seed: u64) -> Fleet {
    let text: Vec<String> = declarations(seed)
        .into_iter()
        .map(|text| match seed % 4 {
            1 => text
                .replace("at most 2 per zone", "spread over zone")
                .replace("at most 1 per agent", "together in region"),
            2 => text.replace(
                "broker main {\n",
                "broker main {\nrequire two: agent.free.cpus >= 2 and pool.tier >= 1\n",
            ),
            3 => text
                .replace("agent a0 {\n", "agent a0 {\nrequire pool.tier >= 2\nrequire need.count < 3\n")
                .replace("provider p0 {\n", "provider p0 {\nrequire agent.os == \"linux\"\n"),
            _ => text,
        })
        .collect();
    fleet(&text)
}

const SEEDS: u64 = 120;

#[test]
fn classes_count_as_brute_force_does() {
    let mut causes = 0;
    for seed in 0..SEEDS {
        let fleet = varied(seed);
        let offers = fleet.cycle(CycleRequest::default());
        for need in &offers.cycle().needs {
            let (ledger, placed) = closed(&offers, need.id);
            let moment = Moment {
                plan: fleet.plan(),
                world: fleet.world(),
                ledger: &ledger,
                placed: &placed,
                filters: None,
                recorder: None,
            };
            let matcher = Matcher::new(moment, need.id);
            let explanation = explain::need(&offers, need.id);
            let mut counted = brute_force(&matcher);
            let mut said = said(&explanation, matcher.subject.need, fleet.plan());
            for cause in explanation.causes.iter().filter(|cause| cause.together) {
                let same = |key: &Key| key.0 != cause.condition;
                counted.agents.retain(|key, _| same(key));
                said.agents.retain(|key, _| same(key));
            }
            assert_eq!(said, counted, "seed {seed}, {}", explanation.label);
            let mut search = Search::default();
            let agents = matcher.agents();
            let feasible = agents.iter().filter(|agent| matcher.candidate(**agent, &mut search).is_some());
            assert_eq!(explanation.feasible, feasible.count() as u64, "seed {seed}, {}", explanation.label);
            causes += explanation.causes.len();
        }
    }
    assert!(causes > 500, "there was something to count: {causes}");
}

/// The plan and fleet without some conditions, by editing them: nothing that explains has a part in it.
fn without(
    plan: &Plan,
    world: &World,
    id: NeedId,
    drops: &[(Constraint, Option<Amount>)],
) -> Option<(Plan, World)> {
    let (mut plan, mut world) = (plan.clone(), world.clone());
    for (condition, instead) in drops {
        let need = &mut plan.frameworks[id.framework].needs[id.need];
        match condition {
            Constraint::Rule(_, node) | Constraint::Asked(_, _, node) => {
                plan.nodes[node.0 as usize] = Node::Constant(Value::Bool(true));
            }
            Constraint::Class(volume, class, _) => {
                if let Some(request) = need.agent.as_mut().filter(|_| volume.is_none()) {
                    request.classes.retain(|ask| ask.class != *class);
                }
                for asked in need.volumes.iter_mut().filter(|asked| Some(asked.name) == *volume) {
                    asked.request.classes.retain(|ask| ask.class != *class);
                }
            }
            Constraint::Amount(volume, resource) => {
                let requests = match volume {
                    None => need.agent.iter_mut().collect::<Vec<_>>(),
                    Some(name) => {
                        let named = need.volumes.iter_mut().filter(|volume| volume.name == *name);
                        named.map(|volume| &mut volume.request).collect()
                    }
                };
                for request in requests {
                    match instead {
                        None => request.amounts.retain(|ask| ask.resource != *resource),
                        Some(level) => {
                            for ask in request.amounts.iter_mut().filter(|ask| ask.resource == *resource) {
                                ask.amount = level.clone();
                            }
                        }
                    }
                }
                if instead.is_none() && volume.is_none() {
                    plan.broker.charges.retain(|charge| charge.resource != *resource);
                }
            }
            Constraint::Place(number) => {
                need.places.retain(|place| place.number != *number);
                for volume in &mut need.volumes {
                    volume.places.retain(|place| place.number != *number);
                }
            }
            Constraint::Limit(role, resource) => {
                world.limits.retain(|known, _| known.0 != *role || known.2 != *resource);
            }
            _ => return None,
        }
    }
    Some((plan, world))
}

/// How many of the missing instances the edited plan gives, one after another.
fn offered(plan: &Plan, world: &World, id: NeedId, (ledger, placed): &(Ledger, Placed), missing: u64) -> u64 {
    let (mut ledger, mut placed) = (ledger.clone(), placed.clone());
    if bourse::matching::has_unsettled(&plan.frameworks[id.framework].needs[id.need]) {
        let moment = Moment { plan, world, ledger: &ledger, placed: &placed, filters: None, recorder: None };
        // As the cycle does: from what was used when it began.
        let (settled, _) = bourse::matching::settle(moment, &Ledger::new(world), id, None);
        placed.settle(id, settled.into());
    }
    let mut count = 0;
    while count < missing {
        let moment = Moment { plan, world, ledger: &ledger, placed: &placed, filters: None, recorder: None };
        let matcher = Matcher::new(moment, id);
        let Some(candidate) = matcher.best(&mut Search::default()) else { break };
        let instance = Instance::of(&candidate, matcher.subject.need);
        candidate.takes().for_each(|take| ledger.grant(world, id.framework, take));
        placed.push(plan, world, id, instance);
        count += 1;
    }
    count
}

fn drops(relaxation: &Relaxation) -> Vec<(Constraint, Option<Amount>)> {
    relaxation.drops.iter().map(|drop| (drop.condition, drop.instead.clone())).collect()
}

/// Every relaxation gives just the offers that it says, once its conditions are really gone.
#[test]
fn relaxations_give_what_they_say() {
    let (mut tried, mut several) = (0, 0);
    for seed in 0..SEEDS {
        let fleet = varied(seed);
        let offers = fleet.cycle(CycleRequest::default());
        for need in offers.cycle().needs.iter().filter(|need| need.missing() > 0) {
            let state = closed(&offers, need.id);
            let explanation = explain::need(&offers, need.id);
            for one in &explanation.relaxations {
                let edited = without(fleet.plan(), fleet.world(), need.id, &drops(&one.relaxation));
                let Some((plan, world)) = edited else { continue };
                let given = offered(&plan, &world, need.id, &state, explanation.lacking());
                let told = one.relaxation.offers;
                assert!(told > 0 && !one.relaxation.at_least, "seed {seed}");
                assert_eq!(given, told, "seed {seed}, {}: {:?}", explanation.label, one.dropped);
                tried += 1;
                several += usize::from(one.relaxation.drops.len() > 1);
            }
        }
    }
    assert!(tried > 100 && several > 25, "there was something to relax: {tried}, {several}");
}

/// No smaller set of the conditions in the way would do, and none that would do is missing.
#[test]
fn no_smaller_relaxation_is_missed() {
    let mut subsets = 0;
    for seed in 0..SEEDS / 2 {
        let fleet = varied(seed);
        let offers = fleet.cycle(CycleRequest::default());
        for need in offers.cycle().needs.iter().filter(|need| need.missing() > 0) {
            let explanation = explain::need(&offers, need.id);
            if explanation.relaxations_stopped || explanation.feasible > 0 {
                continue;
            }
            let state = closed(&offers, need.id);
            let asked = &fleet.plan().frameworks[need.id.framework].needs[need.id.need];
            let all: BTreeSet<Constraint> = explanation.causes.iter().map(|cause| cause.condition).collect();
            let all: Vec<Constraint> = all.into_iter().collect();
            let told: Vec<BTreeSet<Constraint>> = explanation
                .relaxations
                .iter()
                .map(|one| one.relaxation.drops.iter().map(|drop| drop.condition).collect())
                .collect();
            for bits in 1_u32..1 << all.len().min(8) {
                if bits.count_ones() > 3 {
                    continue;
                }
                let set: BTreeSet<Constraint> =
                    (0..all.len()).filter(|at| bits >> at & 1 == 1).map(|at| all[at]).collect();
                let holds_one = told.iter().any(|told| told.is_subset(&set));
                let edits: Vec<_> = set.iter().map(|condition| (*condition, None)).collect();
                let Some((plan, world)) = without(fleet.plan(), fleet.world(), need.id, &edits) else {
                    continue;
                };
                let would = offered(&plan, &world, need.id, &state, 1) > 0;
                // What is settled for a need may be settled for the worse where more is dropped.
                let settles = bourse::matching::has_unsettled(asked);
                let as_told = would == holds_one || settles && holds_one;
                assert!(as_told, "seed {seed}, {}: {set:?}, told {told:?}", explanation.label);
                subsets += 1;
            }
        }
    }
    assert!(subsets > 1_000, "there were subsets to try: {subsets}");
}
