//! What a framework may learn: two sets that differ only in what it may not see, and that offer it the same, tell it the same,
//! byte for byte. The walls are tested by planted leaks too: whatever is hidden must be found where it is shown.

mod said;
mod sets;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use bourse::{
    Fleet, Offers, change,
    check::Strictness,
    cycle::{CycleRequest, Reasons},
    doc,
    matching::ReasonKind,
    output::{self, Detail, SeenNeed, View, VisibleCycle},
    pipeline::Parsed,
};
use sets::{Hidden, Set};

use crate::cli::Folder;

/// One set, compiled, bound and cycled.
pub struct Ran {
    pub parsed: Parsed,
    pub fleet: Fleet,
    pub offers: Offers,
}

impl Ran {
    pub fn new(set: &Set) -> Ran {
        let (rest, mine) = set.texts();
        let parsed = Parsed::new([("rest.policy", rest.as_bytes()), ("mine.policy", mine.as_bytes())]);
        let fleet = Fleet::load(&parsed, Strictness::default(), &[])
            .unwrap_or_else(|error| panic!("{error}\n{rest}\n{mine}"));
        let offers = fleet.cycle(CycleRequest { reasons: Reasons::All, ..CycleRequest::default() });
        Ran { parsed, fleet, offers }
    }

    fn view(&self) -> View {
        View::of(&self.fleet, "mine").expect("it is there")
    }

    /// What its offers tell: where, and what they take; and of needs that got no more the labels of what shuts places out for
    /// good. Found from the operator's reasons alone, and never from what is told.
    fn answer(&self) -> String {
        let (plan, world, cycle) = (self.fleet.plan(), self.fleet.world(), self.offers.cycle());
        let View::Framework(own) = self.view() else { unreachable!() };
        let text = |symbol| plan.symbols.text(symbol);
        let mut out = String::new();
        for grant in cycle.grants.iter().filter(|grant| grant.id.framework == own) {
            let agent = grant.candidate.agent.map(|agent| text(world.agents[agent].name));
            let volumes =
                grant.candidate.volumes.iter().map(|volume| text(world.supplies[volume.supply].path));
            let _ = write!(
                out,
                "{}#{} {agent:?} {:?}",
                grant.id.need,
                grant.instance,
                volumes.collect::<Vec<_>>()
            );
            for taking in &grant.candidate.takings {
                let amounts: Vec<_> = taking.portion.own.iter().map(|take| &take.amount).collect();
                let _ = write!(out, " {} {amounts:?}", text(taking.resource));
            }
            out.push('\n');
        }
        for need in cycle.needs.iter().filter(|need| need.id.framework == own && need.missing() > 0) {
            let volumes = &plan.frameworks[own].needs[need.id.need].volumes;
            let mut labels: BTreeSet<(bool, Option<&str>, String)> = BTreeSet::new();
            let (mut agents, mut both) = (BTreeSet::new(), BTreeSet::new());
            let mut supplies: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            for rejection in &need.rejections.list {
                if rejection.supply.is_some_and(|(_, supply)| world.supplies[supply].existing.is_some()) {
                    continue;
                }
                for reason in rejection.reasons.iter().map(|number| cycle.reason(*number)) {
                    use ReasonKind::{Charge, Class, Condition, Place, Principal, Rule, Source};
                    let by_keys = [Rule, Class, Condition, Charge, Place, Principal, Source];
                    if !reason.permanent || !by_keys.contains(&reason.kind) {
                        continue;
                    }
                    // A rule without a label has its place in the file for one.
                    let label = if reason.label.contains(".policy:") { "" } else { reason.label.as_str() };
                    let volume = rejection.supply.map(|(at, _)| text(volumes[at].name));
                    labels.insert((rejection.agent.is_some(), volume, format!("{:?} {label}", reason.kind)));
                    match (rejection.agent, rejection.supply) {
                        (agent, None) => {
                            agents.insert(agent);
                        }
                        (None, Some((at, supply))) => {
                            supplies.entry(at).or_default().insert(supply);
                        }
                        (Some(agent), Some((at, supply))) => {
                            both.insert((agent, at, supply));
                        }
                    }
                }
            }
            let pools: Vec<usize> =
                (0..world.supplies.len()).filter(|at| world.supplies[*at].existing.is_none()).collect();
            let distinct: Vec<usize> = (0..volumes.len()).filter(|at| volumes[*at].ordinal.0 == 0).collect();
            let serves = |agent: usize| {
                distinct.iter().all(|at| {
                    let shut = supplies.get(at);
                    let open = |pool: &&usize| {
                        shut.is_none_or(|shut| !shut.contains(*pool)) && !both.contains(&(agent, *at, **pool))
                    };
                    pools.iter().any(|pool| open(&pool))
                })
            };
            let open = (0..world.agents.len()).any(|agent| !agents.contains(&Some(agent)) && serves(agent));
            let _ = writeln!(out, "{} {:?} {open} {labels:?}", need.id.need, need.outcome);
        }
        out
    }
}

/// Everything that its framework is told of a set, and of a change from `before` to it.
fn told(before: &Ran, ran: &Ran) -> Vec<(&'static str, String)> {
    let view = ran.view();
    let View::Framework(own) = view else { unreachable!() };
    let offers = output::offers_json(&ran.offers, view, Detail::Grouped);
    let all = output::offers_json(&ran.offers, view, Detail::All);
    let sight = VisibleCycle::new(&ran.offers, view);
    let explained: String = sight
        .needs()
        .map(|(_, need)| {
            let seen = SeenNeed::new(&ran.offers, view, need.id).expect("it took part");
            format!("{}{}", seen.text(), SeenNeed::alone(&ran.fleet, view, need.id).text())
        })
        .collect();
    let change = change::compare_for(&before.offers, &ran.offers, "mine");
    vec![
        ("offers", offers),
        ("offers, all reasons", all),
        ("explain", explained),
        ("doc", doc::vocabulary(&ran.fleet, &ran.parsed, Some(own))),
        ("diff", format!("{}{}{}", change::text(&change), change::json(&change), change::markdown(&change))),
    ]
}

/// What the operator is told: a wall with everything let through.
fn leaked(before: &Ran, ran: &Ran) -> Vec<(&'static str, String)> {
    let change = change::compare(&before.offers, &ran.offers);
    vec![
        ("offers", output::offers_json(&ran.offers, View::Operator, Detail::All)),
        ("doc", doc::document(&ran.fleet, &ran.parsed)),
        ("keys", format!("{:?}", ran.fleet.world().keys)),
        ("diff", change::text(&change)),
    ]
}

type Teller = fn(&Ran, &Ran) -> Vec<(&'static str, String)>;

/// Pairs of sets that differ in one hidden thing, of which the framework is offered the same: how many pairs there were, how many
/// qualified, and the first difference in what is told.
struct Tried {
    pairs: usize,
    qualified: usize,
    difference: Option<String>,
}

/// `is_enough` ends it at the first difference.
fn try_pairs(hidden: Hidden, seeds: std::ops::Range<u64>, tell: Teller, is_enough: bool) -> Tried {
    let mut tried = Tried { pairs: 0, qualified: 0, difference: None };
    for seed in seeds {
        if is_enough && tried.difference.is_some() {
            break;
        }
        let set = Set::generated(seed);
        let Some(other) = set.with_other(hidden, seed) else { continue };
        tried.pairs += 1;
        let (one, two) = (Ran::new(&set), Ran::new(&other));
        if one.answer() != two.answer() {
            continue;
        }
        tried.qualified += 1;
        // A change is told from a third set to each of the two.
        let before = Ran::new(&Set::generated(seed).with_own_count(1));
        for ((what, first), (_, second)) in tell(&before, &one).iter().zip(&tell(&before, &two)) {
            if first != second && tried.difference.is_none() {
                let lines = first.lines().zip(second.lines()).find(|(a, b)| a != b);
                tried.difference = Some(format!("{hidden:?}, seed {seed}, {what}: {lines:?}"));
            }
        }
    }
    tried
}

const SEEDS: u64 = 24;

/// Which hidden thing is not the same does not matter to what is told.
#[test]
fn what_is_hidden_does_not_interfere() {
    let (mut pairs, mut qualified) = (0, 0);
    for hidden in Hidden::ALL {
        let tried = try_pairs(hidden, 0..SEEDS, told, false);
        println!("{hidden:?}: {} of {} pairs qualified", tried.qualified, tried.pairs);
        assert_eq!(tried.difference, None);
        assert!(tried.qualified * 10 >= tried.pairs * 3, "{hidden:?}: too few pairs qualified");
        (pairs, qualified) = (pairs + tried.pairs, qualified + tried.qualified);
    }
    println!("{qualified} of {pairs} pairs qualified");
    assert!(qualified >= 100);
}

/// Each hidden thing is found where nothing is held back: the test above can fail.
#[test]
fn what_is_hidden_is_found_where_it_leaks() {
    for hidden in Hidden::ALL {
        let tried = try_pairs(hidden, 0..SEEDS, leaked, true);
        assert!(tried.difference.is_some(), "{hidden:?} is not found in what the operator is told");
    }
}

/// The same of what the command says: tables, pages, problems and exit codes.
#[test]
fn the_command_says_the_same() {
    let commands: [&[&str]; 6] = [
        &["offers", "set"],
        &["offers", "set", "--reasons", "all", "--format", "json"],
        &["explain", "mine", "set"],
        &["explain", "mine", "set", "--alone", "--format", "json"],
        &["doc", "set"],
        &["diff", "before", "set"],
    ];
    for hidden in Hidden::ALL {
        let pair = (0..SEEDS).find_map(|seed| {
            let set = Set::generated(seed);
            let other = set.with_other(hidden, seed)?;
            (Ran::new(&set).answer() == Ran::new(&other).answer()).then_some((set, other))
        });
        let (one, two) = pair.expect("a pair qualifies");
        let said = |set: &Set, wrong: &str, command: &[&str]| {
            let (rest, mine) = set.texts();
            // A change is told from one set to each of the two.
            let (mine, before) = (mine.replace("agent {", wrong), one.clone().with_own_count(1).texts());
            let folder = Folder::new(&[
                ("set/rest.policy", &rest),
                ("set/mine.policy", &mine),
                ("before/rest.policy", &before.0),
                ("before/mine.policy", &before.1),
            ]);
            let output = folder.run(&[command, &["--as", "framework=mine"]].concat());
            (output.code, output.stdout, output.stderr)
        };
        // As it is, with an error of its own, and with a hidden key named in it.
        for (wrong, commands) in [
            ("agent {", &commands[..]),
            ("agent { is linus,", &commands[..1]),
            ("agent { spare > 1,", &commands[..1]),
        ] {
            for command in commands {
                assert_eq!(said(&one, wrong, command), said(&two, wrong, command), "{hidden:?}: {command:?}");
            }
        }
    }
}
