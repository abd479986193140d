//! What must hold of roles, parts, places and overlap in every cycle, counted again from the grants alone.

use std::collections::BTreeMap;

use bourse::{
    Offers,
    inventory::{
        ledger::{self, Ledger},
        world::{PartKind, StockId, StockKind, Taken},
    },
    ir::PlaceKind,
    matching::NeedId,
    quantity::MILLION,
    symbol::Symbol,
    types::Side,
};

use crate::properties::{Numbers, SEEDS, cycle, declarations, fleet, show};

fn amount(taken: &Taken) -> i128 {
    match taken {
        Taken::Scalar(amount) => i128::from(*amount),
        Taken::Set(set) => set.count() as i128 * i128::from(MILLION),
    }
}

/// The role of a need's framework, and those above it, as texts.
fn line(offers: &Offers, id: NeedId) -> Vec<String> {
    let plan = offers.fleet().plan();
    let role = plan.symbols.text(plan.frameworks[id.framework].role);
    let above = role.match_indices('/').map(|(end, _)| role[..end].to_owned());
    above.chain([role.to_owned()]).collect()
}

#[test]
fn no_role_gets_more_than_its_limit() {
    let mut reached = 0;
    for seed in 0..SEEDS {
        let offers = cycle(&fleet(&declarations(seed)));
        let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
        let mut used: BTreeMap<(String, Side, Symbol), i128> = BTreeMap::new();
        for grant in &offers.cycle().grants {
            for role in line(&offers, grant.id) {
                for taking in &grant.candidate.takings {
                    let side = if taking.volume.is_some() { Side::Pool } else { Side::Agent };
                    let own: i128 = taking.portion.own.iter().map(|take| amount(&take.amount)).sum();
                    *used.entry((role.clone(), side, taking.resource)).or_insert(0) += own;
                }
                for volume in &grant.candidate.volumes {
                    let existing = world.supplies[volume.supply].existing.iter();
                    for (resource, _, whole) in existing.flat_map(|existing| &existing.whole) {
                        *used.entry((role.clone(), Side::Pool, *resource)).or_insert(0) += i128::from(*whole);
                    }
                }
            }
        }
        for ((role, side, resource), id) in &world.limits {
            let limit = ledger::total(world.stock(*id)).expect("a limit is an amount");
            let key = (plan.symbols.text(*role).to_owned(), *side, *resource);
            let used = used.get(&key).copied().unwrap_or(0);
            assert!(used <= limit, "seed {seed}: {key:?} uses {used} of {limit}");
            assert_eq!(offers.cycle().ledger.used(*id), used, "seed {seed}: {key:?}");
            reached += usize::from(used == limit);
        }
    }
    assert!(reached > 20, "limits were reached: {reached}");
}

#[test]
fn what_is_kept_goes_to_its_role_or_is_lent() {
    let (mut reserved, mut lent, mut revocable) = (0, 0, 0);
    for seed in 0..SEEDS {
        let offers = cycle(&fleet(&declarations(seed)));
        let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
        for grant in &offers.cycle().grants {
            let line = line(&offers, grant.id);
            let accepts = plan.frameworks[grant.id.framework].needs[grant.id.need].accept_revocable;
            for take in grant.candidate.takes().filter(|take| amount(&take.amount) > 0) {
                match world.stock(take.stock).kind {
                    StockKind::Part(PartKind::Reserved(role)) => {
                        let ours = line.iter().any(|known| known == plan.symbols.text(role));
                        assert!(ours || (world.lends && accepts), "seed {seed}");
                        if ours { reserved += 1 } else { lent += 1 }
                    }
                    StockKind::Part(PartKind::Revocable) => {
                        assert!(accepts, "seed {seed}");
                        revocable += 1;
                    }
                    _ => {}
                }
            }
            for volume in &grant.candidate.volumes {
                let kept =
                    world.supplies[volume.supply].existing.as_ref().and_then(|known| known.reserved_for);
                let ours = kept.is_none_or(|role| line.iter().any(|known| known == plan.symbols.text(role)));
                assert!(ours, "seed {seed}: a volume of another role");
            }
        }
    }
    assert!(reserved > 20 && lent > 2 && revocable > 5, "{reserved}, {lent}, {revocable}");
}

/// What an agent has at a level, or its name.
fn spot(offers: &Offers, agent: usize, key: bourse::ir::PlaceKey) -> Option<Symbol> {
    let agent = &offers.fleet().world().agents[agent];
    match key {
        bourse::ir::PlaceKey::Level(depth) => {
            agent.placement.levels.get(usize::from(depth)).copied().flatten()
        }
        _ => Some(agent.name),
    }
}

#[test]
fn spread_together_and_whole_hold_at_the_end() {
    let (mut spreads, mut togethers, mut wholes) = (0, 0, 0);
    for seed in 0..SEEDS {
        let offers = cycle(&fleet(&declarations(seed)));
        let plan = offers.fleet().plan();
        for result in &offers.cycle().needs {
            let need = &plan.frameworks[result.id.framework].needs[result.id.need];
            if need.all_or_nothing {
                assert!(result.offered == 0 || result.offered == result.count, "seed {seed}");
                wholes += 1;
            }
            for place in need.places.iter().filter(|place| place.strength.is_required()) {
                let Some(key) = place.kind.key() else { continue };
                let grants = offers.cycle().grants.iter().filter(|grant| grant.id == result.id);
                let mut counts: BTreeMap<Option<Symbol>, u64> = BTreeMap::new();
                for agent in grants.filter_map(|grant| grant.candidate.agent) {
                    *counts.entry(spot(&offers, agent, key)).or_insert(0) += 1;
                }
                match place.kind {
                    PlaceKind::Spread { skew, .. } if counts.len() > 1 => {
                        let (most, least) = (counts.values().max(), counts.values().min());
                        assert!(most <= least.map(|least| least + skew).as_ref(), "seed {seed}: {counts:?}");
                        spreads += 1;
                    }
                    PlaceKind::Together(_) if result.offered > 0 => {
                        assert_eq!(counts.len(), 1, "seed {seed}: {counts:?}");
                        togethers += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(spreads > 5 && togethers > 10 && wholes > 10, "{spreads}, {togethers}, {wholes}");
}

/// A set whose offers may overlap by so much.
fn overlapping(seed: u64, overlap: &str) -> Vec<String> {
    let mut declarations = declarations(seed);
    declarations.push(format!("broker sharing {{ overlap = {overlap} }}"));
    declarations
}

#[test]
fn overlap_bounds_what_is_promised() {
    let mut beyond = 0;
    for seed in 0..SEEDS / 4 {
        for (overlap, part) in [("0%", Some(0)), ("50%", Some(50)), ("100%", Some(100)), ("unlimited", None)]
        {
            let fleet = fleet(&overlapping(seed, overlap));
            let offers = cycle(&fleet);
            let world = fleet.world();
            let mut of_all: BTreeMap<StockId, i128> = BTreeMap::new();
            let mut of_each: BTreeMap<(usize, StockId), i128> = BTreeMap::new();
            for grant in &offers.cycle().grants {
                for take in grant.candidate.takes() {
                    *of_all.entry(take.stock).or_insert(0) += amount(&take.amount);
                    *of_each.entry((grant.id.framework, take.stock)).or_insert(0) += amount(&take.amount);
                }
            }
            let before = Ledger::new(world);
            for ((framework, stock), promised) in &of_each {
                let free = before.free(world, *stock);
                assert!(free.is_none_or(|free| *promised <= free), "seed {seed}: f{framework}, {overlap}");
            }
            for (stock, promised) in &of_all {
                let Some(free) = before.free(world, *stock) else { continue };
                let limited = matches!(world.stock(*stock).kind, StockKind::Limit(_));
                let part = if limited { Some(0) } else { part };
                assert!(
                    part.is_none_or(|part| promised * 100 <= free * (100 + part)),
                    "seed {seed}: {promised} of {free}, {overlap}"
                );
                beyond += usize::from(*promised > free);
            }
        }
    }
    assert!(beyond > 20, "offers did overlap: {beyond}");
}

#[test]
fn less_overlap_is_no_more_than_more() {
    let mut more = 0;
    for seed in 0..SEEDS / 4 {
        let none = show(&cycle(&fleet(&overlapping(seed, "0%"))));
        assert_eq!(
            none,
            show(&cycle(&fleet(&declarations(seed)))),
            "seed {seed}: 0% is what is meant without it"
        );
        let all = show(&cycle(&fleet(&overlapping(seed, "unlimited"))));
        more += usize::from(all.len() > none.len());
    }
    assert!(more > 10, "{more}");
}

#[test]
fn losing_an_agent_leaves_the_pools_right() {
    for seed in 0..SEEDS / 4 {
        let all = declarations(seed);
        let agents: Vec<usize> = (0..all.len()).filter(|at| all[*at].starts_with("agent ")).collect();
        let mut n = Numbers(seed | 1);
        let lost = agents[n.below(agents.len() as u64) as usize];
        let fewer: Vec<String> =
            all.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, text)| text.clone()).collect();
        for set in [all, fewer] {
            let offers = cycle(&fleet(&set));
            let world = offers.fleet().world();
            let mut ledger = Ledger::new(world);
            for grant in &offers.cycle().grants {
                grant.candidate.takes().for_each(|take| ledger.grant(world, grant.id.framework, take));
            }
            for at in 0..world.stocks.len() {
                let stock = StockId(at as u32);
                assert_eq!(ledger.used(stock), offers.cycle().ledger.used(stock), "seed {seed}");
            }
            for grant in offers.cycle().grants.iter().rev() {
                grant.candidate.takes().for_each(|take| ledger.revoke(grant.id.framework, take));
            }
            let before = Ledger::new(world);
            assert!((0..world.stocks.len()).all(|at| {
                let stock = StockId(at as u32);
                ledger.used(stock) == before.used(stock)
                    && ledger.free_set(world, stock) == before.free_set(world, stock)
            }));
        }
    }
}
