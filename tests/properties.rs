//! What must hold of every cycle, on generated policies and fleets: nothing is taken twice or beyond what there
//! is, the order of the input does not matter, and what was refused could not have been granted.

use std::collections::BTreeMap;

use bourse::{
    Fleet, Offers, Policy,
    cycle::{CycleRequest, Outcome, Reasons, Why},
    inventory::{
        ledger::{self, Ledger},
        world::{StockId, Taken},
    },
    matching::{Matcher, Search},
};

/// A small generator of numbers (xorshift64*), so that a failing case can be repeated by its seed.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

const PLACES: [&str; 5] = ["us/a", "us/b", "eu/a", "us", "eu/b/r1"];

/// The declarations of a set, each on its own, so that they can be put in any order.
pub fn declarations(seed: u64) -> Vec<String> {
    let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut out = vec![
        "class fast for pool { tier >= 2 }".to_owned(),
        "class linux for agent { os == \"linux\" }".to_owned(),
        broker(&mut n),
    ];
    for role in ["x", "x/y", "z"] {
        if n.chance(50) {
            out.push(format!("role \"{role}\" {{ {} }}", role_body(&mut n)));
        }
    }
    for at in 0..2 + n.below(5) {
        out.push(agent(&mut n, at));
    }
    for at in 0..1 + n.below(2) {
        out.push(provider(&mut n, at));
    }
    for at in 0..1 + n.below(4) {
        out.push(framework(&mut n, at));
    }
    out
}

fn broker(n: &mut Numbers) -> String {
    let mut rules = String::from("domain = \"us/a\"\n levels region > zone > rack\n expose agent.os\n");
    for (rule, percent) in [
        ("require agent.free.cpus >= 1", 20),
        ("require same: agent.region == pool.region", 30),
        ("prefer agent.free.cpus / agent.total.cpus weight 3", 50),
        ("prefer pool.tier / 10 weight 2", 50),
        ("prefer agent.domain within pool.domain weight 5", 50),
        ("charge agent.mounts 1 per volume", 50),
        ("lend reserved", 30),
    ] {
        if n.chance(percent) {
            rules.push_str(rule);
            rules.push('\n');
        }
    }
    format!("broker main {{\n{rules}}}")
}

fn role_body(n: &mut Numbers) -> String {
    let weight = n.pick(&["weight = 2", "weight = 0.5", "weight = 1"]);
    let limit = n.pick(&[
        "",
        ", limit { agent.cpus = 3 }",
        ", limit { pool.size = 25GB, agent.ports = 2 }",
        ", limit { agent.cpus = 6, agent.mem = 8GiB }",
    ]);
    format!("{weight}{limit}")
}

/// What is kept for roles, and what may be taken back, beside the unreserved part.
fn parts(n: &mut Numbers, amount: &str) -> String {
    let mut out = String::new();
    for part in ["for \"x\"", "for \"x/y\"", "revocable"] {
        if n.chance(20) {
            out.push_str(&format!("resources {part} {{ {amount} }}\n"));
        }
    }
    out
}

fn agent(n: &mut Numbers, at: u64) -> String {
    let domain = if n.chance(80) { format!("domain = \"{}\"\n", n.pick(&PLACES)) } else { String::new() };
    let os = if n.chance(80) { format!("os = \"{}\"\n", n.pick(&["linux", "plan9"])) } else { String::new() };
    let (cpus, mem, top, mounts) = (1 + n.below(9), 1 + n.below(32), 31_000 + n.below(6), n.below(5));
    let kept = 1 + n.below(3);
    let parts = parts(n, &format!("cpus = {kept}, mem = {kept}GiB"));
    let ports = if n.chance(20) { "resources for \"z\" { ports = [5_000..5_002] }\n" } else { "" };
    format!(
        "agent a{at} {{\n{domain}{os}{parts}{ports}resources {{ cpus = {cpus}, mem = {mem}GiB, ports = [31000..{top}], mounts = {mounts} }}\n}}"
    )
}

fn provider(n: &mut Numbers, at: u64) -> String {
    let mut pools = String::new();
    for pool in 0..1 + n.below(3) {
        let (tier, size) = (n.below(4), 10 + n.below(90));
        let step = if n.chance(30) { " { step = 4GB, min = 3GB, max = 64GB }" } else { "" };
        let volume = if n.chance(40) {
            let kept = n.pick(&["", ", reserved for \"x\"", ", users = 2"]);
            format!("volume v {{ resources {{ size = {}GB }}{kept} }}\n", 1 + n.below(10))
        } else {
            String::new()
        };
        let iops = if n.chance(50) { format!(", iops = {}", 100 + n.below(900)) } else { String::new() };
        let parts = parts(n, "size = 7GB");
        pools.push_str(&format!(
            "pool s{pool} {{ tier = {tier}\n resources {{ size = {size}GB{step}{iops} }}\n {parts}{volume} }}\n"
        ));
    }
    let iops = if n.chance(50) { "resources { iops = 1_000 }\n" } else { "" };
    format!("provider p{at} {{\n instance i {{\n domain = \"{}\"\n {iops}{pools} }}\n}}", n.pick(&PLACES))
}

fn framework(n: &mut Numbers, at: u64) -> String {
    let role = n.pick(&["*", "x", "x/y", "z"]);
    let mut needs = String::new();
    for need in 0..1 + n.below(3) {
        let mut body = format!("count = {}\n", 1 + n.below(4));
        if n.chance(80) {
            let amounts = n.pick(&[
                "cpus = 1",
                "cpus = 2, mem = 2GiB",
                "cpus = 1..4",
                "ports = 2",
                "cpus = 0.5, ports = 1..3",
            ]);
            let class = n.pick(&["", ", is linux", ", not is linux", ", os == \"linux\""]);
            body.push_str(&format!("agent {{ {amounts}{class} }}\n"));
            body.push_str(n.pick(&[
                "",
                "at most 1 per agent\n",
                "at most 2 per zone\n",
                "prefer at most 1 per region\n",
                "spread over zone\n",
                "spread over agent skew 2\n",
                "together in region\n",
                "prefer spread over zone weight 4\n",
            ]));
        } else {
            body.push_str("volume base { size = 1GB }\n");
        }
        body.push_str(n.pick(&["", "", "", "accept revocable\n", "all or nothing\n"]));
        for volume in 0..n.below(3) {
            let amounts = n.pick(&["size = 5GB", "size = 2GB..9GB", "size = 20GB, iops = 100"]);
            let more = n.pick(&[
                "",
                ", is fast",
                ", at most 1 per pool",
                ", count = 2",
                ", within \"us\"",
                ", spread over pool, count = 2",
                ", together in instance",
            ]);
            body.push_str(&format!("volume v{volume} {{ {amounts}{more} }}\n"));
        }
        needs.push_str(&format!("need n{need} {{\n{body}}}\n"));
    }
    format!("framework f{at} {{\n role = \"{role}\"\n{needs}}}")
}

pub fn fleet(declarations: &[String]) -> Fleet {
    let text = declarations.join("\n");
    let policy = Policy::compile([("generated.policy", text.as_str())])
        .unwrap_or_else(|error| panic!("{}\n{text}", error.render(bourse::diagnostic::Render::Human(false))));
    policy.fleet(&[]).expect("a fleet")
}

pub fn cycle(fleet: &Fleet) -> Offers {
    fleet.cycle(CycleRequest { reasons: Reasons::All, ..CycleRequest::default() })
}

/// The offers as text: everything that is decided.
pub fn show(offers: &Offers) -> Vec<String> {
    let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
    let text = |symbol| plan.symbols.text(symbol).to_owned();
    let grants = offers.cycle().grants.iter().map(|grant| {
        let framework = &plan.frameworks[grant.id.framework];
        let agent = grant.candidate.agent.map_or(String::new(), |agent| text(world.agents[agent].name));
        let takes = grant.candidate.takes().map(|take| {
            let stock = world.stock(take.stock);
            format!("{}.{}: {:?}", stock.side, text(stock.resource), take.amount)
        });
        let volumes = grant.candidate.volumes.iter().map(|volume| text(world.supplies[volume.supply].path));
        format!(
            "{}.{}#{} on {agent} from {:?} takes {:?} score {} share {}",
            text(framework.name),
            text(framework.needs[grant.id.need].name),
            grant.instance,
            volumes.collect::<Vec<_>>(),
            takes.collect::<Vec<_>>(),
            grant.candidate.score.show(),
            grant.role_share,
        )
    });
    grants.collect()
}

pub const SEEDS: u64 = 240;

#[test]
fn nothing_is_taken_beyond_what_there_is() {
    let mut granted = 0;
    for seed in 0..SEEDS {
        let fleet = fleet(&declarations(seed));
        let offers = cycle(&fleet);
        let world = fleet.world();
        // Counted again here, from the grants alone.
        let mut scalars: BTreeMap<StockId, i128> = BTreeMap::new();
        let mut sets: BTreeMap<StockId, Vec<i64>> = BTreeMap::new();
        let of_grants = offers.cycle().grants.iter().flat_map(|grant| grant.candidate.takes());
        for take in world.carved().chain(of_grants) {
            match &take.amount {
                Taken::Scalar(amount) => *scalars.entry(take.stock).or_insert(0) += i128::from(*amount),
                Taken::Set(set) => {
                    let members = sets.entry(take.stock).or_default();
                    set.parts().iter().for_each(|(low, high)| members.extend(*low..=*high));
                }
            }
        }
        for (stock, used) in &scalars {
            let total = ledger::total(world.stock(*stock));
            assert!(total.is_none_or(|total| *used <= total), "seed {seed}: {used} of {total:?}");
        }
        for (stock, mut members) in sets {
            let count = members.len();
            members.sort_unstable();
            members.dedup();
            assert_eq!(count, members.len(), "seed {seed}: a port was granted twice");
            let all = ledger::all(world.stock(stock)).expect("a set");
            assert!(members.iter().all(|member| all.contains(*member)), "seed {seed}");
        }
        granted += offers.cycle().grants.len();
    }
    assert!(granted > SEEDS as usize, "the generator makes needs that can be met: {granted}");
}

#[test]
fn the_ledger_returns_to_where_it_was() {
    for seed in 0..SEEDS / 4 {
        let fleet = fleet(&declarations(seed));
        let offers = cycle(&fleet);
        let mut ledger = offers.cycle().ledger.clone();
        for grant in &offers.cycle().grants {
            grant.candidate.takes().for_each(|take| ledger.revoke(grant.id.framework, take));
        }
        let before = Ledger::new(fleet.world());
        for at in 0..fleet.world().stocks.len() {
            let stock = StockId(at as u32);
            assert_eq!(ledger.used(stock), before.used(stock), "seed {seed}");
        }
    }
}

#[test]
fn the_order_of_declarations_does_not_matter() {
    for seed in 0..SEEDS / 2 {
        let forward = declarations(seed);
        let mut shuffled = forward.clone();
        let mut n = Numbers(seed | 1);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, n.below(at as u64 + 1) as usize);
        }
        assert_eq!(show(&cycle(&fleet(&forward))), show(&cycle(&fleet(&shuffled))), "seed {seed}");
    }
}

#[test]
fn what_was_refused_could_not_have_been_granted() {
    let (mut proved, mut contended) = (0, 0);
    for seed in 0..SEEDS {
        let fleet = fleet(&declarations(seed));
        let offers = cycle(&fleet);
        for need in offers.cycle().needs.iter().filter(|need| need.outcome != Outcome::Met) {
            // Grants only ever take: what does not fit at the end did not fit when the need closed.
            let moment = fleet.moment_with(&offers.cycle().ledger, &offers.cycle().placed);
            let matcher = Matcher::new(moment, need.id);
            let mut search = Search::default();
            let now: Vec<_> = matcher
                .agents()
                .into_iter()
                .filter(|agent| matcher.candidate(*agent, &mut search).is_some())
                .collect();
            let explained = need.rejections.list.iter().all(|rejection| !rejection.reasons.is_empty());
            let whole = fleet.plan().frameworks[need.id.framework].needs[need.id.need].all_or_nothing;
            assert!(now.is_empty() || whole, "seed {seed}: {now:?} could still serve");
            assert!(explained, "seed {seed}");
            match &need.why {
                Some(Why::Proved) => proved += 1,
                Some(Why::Contended(winners)) => {
                    assert!(!winners.grants.is_empty(), "seed {seed}");
                    contended += 1;
                }
                Some(Why::Bounded) => {}
                None => panic!("seed {seed}: a need that is not met says why"),
            }
        }
    }
    assert!(proved > 20 && contended > 20, "both kinds were seen: {proved}, {contended}");
}

#[test]
fn every_agent_is_feasible_or_says_why_not() {
    for seed in 0..SEEDS / 2 {
        let fleet = fleet(&declarations(seed));
        let offers = cycle(&fleet);
        let plan = fleet.plan();
        for need in &offers.cycle().needs {
            let asked = &plan.frameworks[need.id.framework].needs[need.id.need];
            if asked.agent.is_none() {
                continue;
            }
            for agent in 0..fleet.world().agents.len() {
                let feasible = need.rejections.feasible.contains(&agent);
                let reasons = need.rejections.list.iter().any(|rejection| {
                    rejection.agent == Some(agent)
                        || (rejection.agent.is_none() && rejection.supply.is_some())
                });
                assert!(feasible || reasons, "seed {seed}: agent {agent} is neither");
                let alone = need
                    .rejections
                    .list
                    .iter()
                    .any(|rejection| rejection.agent == Some(agent) && rejection.supply.is_none());
                assert!(!(feasible && alone), "seed {seed}: agent {agent} is both");
            }
        }
    }
}
