//! The columns find what the plain engine finds: the same offers, scores and reasons, byte for byte, in every test of
//! the suite and on generated policies and fleets.

mod kinds;

use std::{cell::Cell, cmp::Reverse, fmt::Write as _, fs, path::Path};

use bourse::{
    Fleet, Inventory, Live, Offers, Policy, Standing,
    check::Strictness,
    cycle::{Cut, CycleRequest, Engine, Reasons},
    limits,
    live::Holder,
    matching::{Candidate, Index, Matcher, Moment, Search},
    output::{Detail, View, offers_json},
    pipeline::{Extra, Parsed},
    quantity::Quantity,
    testing,
};

use crate::properties::{self, Numbers};

/// What the other engine gives for the needs of a cycle differs nowhere.
fn judge(offers: &Offers) {
    let needs = Some(offers.cycle().needs.iter().map(|need| need.id).collect());
    let run = |engine| {
        let needs = Option::clone(&needs);
        offers.fleet().cycle(CycleRequest { needs, reasons: Reasons::All, engine, ..CycleRequest::default() })
    };
    let (fast, plain) = (run(Engine::Indexed), run(Engine::Plain));
    let json = |offers: &Offers| offers_json(offers, View::Operator, Detail::All);
    let (fast_json, plain_json) = (json(&fast), json(&plain));
    if fast_json != plain_json {
        let differs = fast_json.lines().zip(plain_json.lines()).find(|(fast, plain)| fast != plain);
        let shown = properties::show(&fast).into_iter().zip(properties::show(&plain));
        let grants = shown.into_iter().find(|(fast, plain)| fast != plain);
        panic!("the engines differ: {differs:?}\n{grants:#?}");
    }
}

/// A set of files: their names and texts.
type Files = Vec<(String, Vec<u8>)>;

#[allow(clippy::disallowed_methods, reason = "sets are files")]
fn sets_of(folder: &str) -> Vec<(String, Files)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        fs::read_dir(root).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    entries.sort();
    for entry in entries {
        let paths = if entry.is_dir() {
            let files = fs::read_dir(&entry).expect("a folder").map(|entry| entry.expect("one").path());
            files.filter(|path| path.is_file()).collect()
        } else {
            vec![entry.clone()]
        };
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        let files = paths.iter().map(|path| (name(path), fs::read(path).expect("readable")));
        found.push((name(&entry), files.collect()));
    }
    found
}

/// Runs every test of the suite and every set of the folders, and gives the offers of each.
pub fn every_test_of_the_suite(told: &dyn Fn(&Offers)) {
    for folder in ["tests/cases", "tests/stdlib", "policies"] {
        for (_, files) in sets_of(folder) {
            let policies = files.iter().filter(|(name, _)| name.ends_with(".policy"));
            let parsed = Parsed::new(policies.map(|(name, text)| (name.as_str(), text.as_slice())));
            let inventories: Vec<Inventory> = files
                .iter()
                .filter(|(name, _)| name.ends_with(".json"))
                .map(|(name, bytes)| Inventory::from_bytes(name, bytes).expect("an inventory"))
                .collect();
            let checked = parsed.check(&Extra::default(), Strictness::default());
            let options = testing::Options {
                inventories: &inventories,
                offers: Some(told),
                ..testing::Options::default()
            };
            testing::run(&parsed, &checked, options);
            if let Ok(fleet) = Fleet::load(&parsed, Strictness::default(), &inventories) {
                told(&fleet.offers());
            }
        }
    }
}

#[test]
fn every_test_of_the_suite_gives_the_same() {
    let judged = Cell::new(0);
    every_test_of_the_suite(&|offers| {
        judge(offers);
        judged.set(judged.get() + 1);
    });
    assert!(judged.get() > 100, "only {} tests were found", judged.get());
}

#[test]
fn generated_sets_give_the_same() {
    for seed in 0..properties::SEEDS {
        judge(&properties::cycle(&properties::fleet(&properties::declarations(seed))));
    }
}

/// Needs that no assignment of volumes serves, and that take more tries than a cycle has: each is cut, by both engines the
/// same, and a framework that asks for little gets it.
#[test]
fn hard_needs_are_cut_and_leave_others_their_part() {
    let mut text = String::from("broker main { levels region > zone > rack }\nprovider p {\n");
    for at in 0..30 {
        let rack = at % 10;
        let _ = writeln!(
            text,
            "instance i{at} {{ domain = \"r/z/k{rack}\", pool p {{ resources {{ size = 9TB }} }} }}"
        );
    }
    text.push_str("}\n");
    for at in 0..2 {
        // Agents that may choose from the same pools are tried once.
        let _ = writeln!(text, "agent a{at} {{ resources {{ cpus = {} }} }}", 900 + at);
    }
    for at in 0..12 {
        let _ = writeln!(
            text,
            "framework f{at} {{ need d {{ agent {{ cpus = 1 }}, volume v {{ count = 11, size = {}GB, at most 1 per rack }} }} }}",
            at + 1
        );
    }
    text.push_str("framework z { need e { count = 3, agent { cpus = 1 }\nvolume v { size = 1GB }\nvolume w { size = 2GB } } }\n");
    let parsed = Parsed::new([("hard.policy", text.as_bytes())]);
    let fleet = Fleet::load(&parsed, Strictness::default(), &[]).expect("a fleet");
    let run =
        |engine| fleet.cycle(CycleRequest { reasons: Reasons::None, engine, ..CycleRequest::default() });
    let (fast, plain) = (run(Engine::Indexed), run(Engine::Plain));
    let json = |offers: &Offers| offers_json(offers, View::Operator, Detail::All);
    assert_eq!(json(&fast), json(&plain));
    let cut = fast.cycle().needs.iter().filter(|need| need.cut == Some(Cut::Tries)).count();
    assert!((1..=12).contains(&cut), "{cut} needs were cut");
    assert_eq!(fast.cycle().needs.last().map(|need| need.offered), Some(3));
}

/// A cycle holds so many instances of a framework, and one that asks for more leaves others theirs.
#[test]
fn instances_are_bounded_by_what_they_hold() {
    let text = "broker main { expose agent.x }
agent a1 { x = 1, resources { cpus = 4 } }
framework f { need n { count = 1000000, agent { x == 1 } } }
framework g { need n { count = 3, agent { x == 1 } } }";
    let parsed = Parsed::new([("many.policy", text.as_bytes())]);
    let fleet = Fleet::load(&parsed, Strictness::default(), &[]).expect("a fleet");
    let offers = fleet.cycle(CycleRequest::default());
    let [f, g] = offers.cycle().needs.as_slice() else { panic!("two needs") };
    assert_eq!((f.cut, g.cut), (Some(Cut::Parts), None));
    assert!(f.offered < limits::GRANTED_PARTS / limits::INSTANCE_PARTS);
    assert_eq!(g.offered, 3);
}

/// Conditions about the agent, of every kind of key and operator.
const OF_AGENTS: [&str; 16] = [
    "agent.os == \"linux\"",
    "agent.os != \"linux\"",
    "agent.drivers has \"nfs\"",
    "agent.drivers has any [\"nfs\", \"ebs\"]",
    "agent.net >= 10Gbps",
    "agent.net * 2 - 1Gbps > agent.uplink",
    "(agent.net else 1Gbps) >= 5Gbps or agent.os in [\"plan9\"]",
    "agent.kernel >= v\"5.10\"",
    "agent.os matches \"l.*x\"",
    "not agent.drivers has all [\"nfs\", \"ebs\"]",
    "agent.free.cpus >= 1",
    "agent.free.cpus - (need.slack else 0) >= 1",
    "agent.used.mem <= agent.total.mem / 2",
    "max(agent.free.cpus, 2) > min(agent.total.cpus, 3)",
    "agent.zone is present",
    "need.tolerates is absent or agent.os in need.tolerates",
];

/// Conditions about both.
const OF_BOTH: [&str; 12] = [
    "agent.region == pool.region",
    "pool.vlan is absent or agent.vlan == pool.vlan",
    "agent.drivers has pool.driver",
    "agent.net >= pool.min-net",
    "agent.domain within pool.domain",
    "not (agent.os == \"plan9\" and pool.tier < 2)",
    "agent.free.cpus >= pool.tier",
    "pool.free.size >= 10GB or agent.os == \"linux\"",
    "volume.size <= 20GB or agent.vlan == pool.vlan",
    "closeness(agent.domain, pool.domain) >= 0.5",
    "agent.uplink else 1Gbps <= pool.min-net + 40Gbps",
    "agent.kernel < v\"6\" or pool.tier > 0",
];

/// Conditions about the supply alone.
const OF_SUPPLIES: [&str; 5] = [
    "pool.tier >= 1",
    "pool.driver != \"ebs\"",
    "pool.vlan is absent or pool.vlan in [0, 1, 2]",
    "pool.free.size > volume.size + 3GB",
    "pool.min-net >= 9Gbps or pool.tier < 3",
];

/// What preferences may say.
const PREFERRED: [&str; 14] = [
    "agent.used.cpus / agent.total.cpus",
    "1 - agent.free.mem / agent.total.mem",
    "agent.os == \"linux\"",
    "agent.net / 100Gbps",
    "agent.infiniband else false",
    "pool.tier / 4",
    "pool.free.size / pool.total.size",
    "agent.zone == pool.zone",
    "closeness(agent.domain, pool.domain)",
    "agent.net >= pool.min-net",
    "agent.free.cpus / 10 + pool.tier / 10",
    "volume.size / pool.free.size",
    "clamp(agent.free.cpus - need.slack, 0, 1)",
    "pool.tier >= 2",
];

fn broker(n: &mut Numbers, plain: bool) -> String {
    let mut text =
        String::from("domain = \"us/a\"\nlevels region > zone > rack\nexpose agent.os\nexpose agent.net\n");
    for rule in OF_AGENTS {
        if n.chance(8) {
            let _ = writeln!(text, "require {rule}");
        }
    }
    for rule in OF_BOTH {
        if n.chance(12) {
            let _ = writeln!(text, "require {rule}");
        }
    }
    for rule in OF_SUPPLIES {
        if n.chance(10) {
            let _ = writeln!(text, "require {rule}");
        }
    }
    for rule in PREFERRED {
        if n.chance(25) {
            let _ = writeln!(text, "prefer {rule} weight {}", n.below(9) as i64 - 2);
        }
    }
    for (charge, percent) in [
        ("charge agent.mounts 1 per volume", 40),
        ("charge agent.mem need.mem / 10 per need", 15),
        ("charge agent.cpus (agent.overhead else 0) per need", 15),
        ("charge agent.mem volume.size / 10 per volume", 15),
        ("charge agent.mem pool.tier * 1MiB per volume", 10),
    ] {
        if n.chance(percent) && !plain {
            let _ = writeln!(text, "{charge}");
        }
    }
    if n.chance(20) {
        text.push_str("lend reserved\n");
    }
    text.push_str(n.pick(&["", "", "", "overlap = 30%\n", "overlap = unlimited\n"]));
    format!("broker main {{\n{text}}}\n")
}

fn agents(n: &mut Numbers, count: u64, plain: bool) -> String {
    let mut text = String::new();
    for at in 0..count {
        let mut keys = String::new();
        let mut key = |percent: u64, written: String| {
            if n.chance(percent) {
                let _ = writeln!(keys, "{written}");
            }
            n.next()
        };
        let draw = key(100, String::new());
        let place = ["us/a/r1", "us/a/r2", "us/b/r1", "eu/a/r1", "eu/b", "ap"][(draw % 6) as usize];
        key(95, format!("domain = \"{place}\""));
        key(85, format!("os = \"{}\"", ["linux", "linux", "plan9"][(draw >> 8) as usize % 3]));
        key(
            80,
            format!(
                "drivers = [{}]",
                ["", "\"nfs\"", "\"nfs\", \"ebs\"", "\"ebs\""][(draw >> 12) as usize % 4]
            ),
        );
        key(80, format!("net = {}Gbps", [1, 10, 25, 40][(draw >> 16) as usize % 4] as u64 + at % 3));
        key(60, format!("uplink = {}Gbps", 1 + (draw >> 20) % 30));
        key(80, format!("vlan = {}", (draw >> 24) % 4));
        key(70, format!("kernel = v\"{}.{}\"", 4 + (draw >> 28) % 3, (draw >> 32) % 12));
        key(50, "infiniband = true".to_owned());
        key(40, format!("overhead = {}", (draw >> 36) % 2));
        key(8, "require need.tolerates has \"plan9\"".to_owned());
        if !plain {
            key(5, "require pool.tier >= 1".to_owned());
            key(5, "prefer pool.tier == 3 weight 4".to_owned());
        }
        key(5, "prefer need.slack is absent weight 2".to_owned());
        key(12, format!("resources for \"x\" {{ cpus = 2, mem = {}GiB }}", 1 + at % 3));
        key(12, "resources revocable { cpus = 3 }".to_owned());
        let options = ["", "", "", "", " { step = 0.5, min = 1, max = 6 }"][(draw >> 40) as usize % 5];
        let cpus = match (draw >> 44) % 12 {
            0 => "cpus = unlimited".to_owned(),
            other => format!("cpus = {}{options}", other % 9),
        };
        let ports = 31_000 + (draw >> 50) % 5;
        let _ = writeln!(
            text,
            "agent a{at:03} {{\n{keys}resources {{ {cpus}, mem = {}GiB, ports = [31000..{ports}], mounts = {} }}\n}}",
            1 + (draw >> 54) % 16,
            (draw >> 58) % 5
        );
    }
    text
}

fn providers(n: &mut Numbers, plain: bool) -> String {
    let mut text = String::new();
    for at in 0..2 + n.below(3) {
        let mut pools = String::new();
        for pool in 0..1 + n.below(6) {
            let mut keys = format!("tier = {}\n", n.below(4));
            if n.chance(30) {
                let _ = writeln!(keys, "vlan = {}", n.below(4));
            }
            if n.chance(60) {
                let _ = writeln!(keys, "driver = \"{}\"", n.pick(&["nfs", "ebs"]));
            }
            if n.chance(60) {
                let _ = writeln!(keys, "min-net = {}Gbps", n.below(30));
            }
            if n.chance(30) {
                let _ = writeln!(keys, "domain = \"{}\"", n.pick(&["us/a", "us/b", "eu/a", "us"]));
            }
            if n.chance(15) {
                keys.push_str("require agent.os == \"linux\"\n");
            }
            if n.chance(15) {
                keys.push_str("require volume.size <= 8GB\n");
            }
            if n.chance(15) {
                keys.push_str("prefer agent.infiniband weight 3\n");
            }
            if n.chance(15) {
                keys.push_str("resources for \"x/y\" { size = 9GB }\n");
            }
            if n.chance(25) && !plain {
                let kept = n.pick(&["", ", reserved for \"x\"", ", users = 2", ", access = \"ro\""]);
                let _ = writeln!(keys, "volume v {{ resources {{ size = {}GB }}{kept} }}", 1 + n.below(12));
            }
            let step = if n.chance(25) { " { step = 4GB, min = 3GB, max = 64GB }" } else { "" };
            let iops = if n.chance(60) { format!(", iops = {}", 100 + n.below(900)) } else { String::new() };
            let size = 20 + n.below(110);
            let _ = writeln!(pools, "pool s{pool} {{\n{keys}resources {{ size = {size}GB{step}{iops} }}\n}}");
        }
        let shared =
            n.pick(&["", "resources { iops = 1_500 }\n", "require driver: agent.drivers has \"nfs\"\n"]);
        let place = n.pick(&["us/a", "us/b", "eu", "us"]);
        let _ =
            writeln!(text, "provider p{at} {{\ninstance i {{\ndomain = \"{place}\"\n{shared}{pools}}}\n}}");
    }
    text
}

fn asked_volumes(n: &mut Numbers, count: u64) -> String {
    let mut text = String::new();
    for volume in 0..count {
        let amounts = n.pick(&["size = 5GB", "size = 2GB..9GB", "size = 20GB, iops = 100", "size = 1GB"]);
        let more = n.pick(&[
            "",
            "",
            ", is fast",
            ", at most 1 per pool",
            ", count = 2",
            ", within \"us\"",
            ", prefer within \"us/b\" weight 3",
            ", spread over pool",
        ]);
        let _ = writeln!(text, "volume v{volume} {{ {amounts}{more} }}");
    }
    text
}

fn needs(n: &mut Numbers) -> String {
    let mut text = String::new();
    for at in 0..2 + n.below(4) {
        let mut needs = String::new();
        for need in 0..1 + n.below(3) {
            let mut body = format!("count = {}\n", 1 + n.below(8));
            for key in ["slack = 1", "tolerates = [\"plan9\", \"linux\"]"] {
                if n.chance(30) {
                    let _ = writeln!(body, "{key}");
                }
            }
            let volumes = n.below(10);
            let volumes = if volumes < 4 {
                0
            } else if volumes < 8 {
                1
            } else {
                2
            };
            if volumes == 0 || n.chance(90) {
                let amounts = n.pick(&[
                    "cpus = 1",
                    "cpus = 2, mem = 2GiB",
                    "cpus = 1..4",
                    "ports = 2",
                    "ports = [31001]",
                    "cpus = 0.5, ports = 1..3",
                    "cpus = 0, mem = 1GiB",
                ]);
                let more =
                    n.pick(&["", ", is linux", ", not is linux", ", os == \"linux\"", ", net >= 9Gbps"]);
                let _ = writeln!(body, "agent {{ {amounts}{more} }}");
                body.push_str(n.pick(&[
                    "",
                    "at most 1 per agent\n",
                    "at most 2 per zone\n",
                    "prefer at most 1 per region weight 3\n",
                    "spread over zone\n",
                    "spread over agent skew 2\n",
                    "spread over rack at least 2\n",
                    "together in region\n",
                    "prefer spread over zone weight 4\n",
                    "within \"us\"\n",
                    "avoid [\"us/a\", \"ap\"]\n",
                ]));
                if need > 0 {
                    body.push_str(n.pick(&[
                        "",
                        "near n0 in zone\n",
                        "avoid n0 in agent\n",
                        "prefer near n0 in rack\n",
                    ]));
                }
                if volumes > 0 && n.chance(20) {
                    body.push_str(n.pick(&["near v0 in zone\n", "prefer near v0 in zone weight 5\n"]));
                }
            }
            body.push_str(n.pick(&["", "", "", "accept revocable\n", "all or nothing\n"]));
            body.push_str(&asked_volumes(n, volumes));
            let _ = writeln!(needs, "need n{need} {{\n{body}}}");
        }
        let role = n.pick(&["*", "x", "x/y", "z"]);
        let _ = writeln!(text, "framework f{at} {{\nrole = \"{role}\"\n{needs}}}");
    }
    text
}

/// A set with more of everything than [`properties::declarations`] makes.
pub fn set(seed: u64, most_agents: u64) -> String {
    let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut text =
        String::from("class fast for pool { tier >= 2 }\nclass linux for agent { os == \"linux\" }\n");
    // Some sets have nothing that is looked at row by row.
    let plain = n.chance(40);
    text.push_str(&broker(&mut n, plain));
    if !plain && n.chance(25) {
        text.push_str("role \"x\" { limit { agent.cpus = 9, pool.size = 60GB } }\n");
    }
    let count = 3 + n.below(most_agents);
    text.push_str(&agents(&mut n, count, plain));
    text.push_str(&providers(&mut n, plain));
    text.push_str(&needs(&mut n));
    text
}

/// The pairs of a need and what each scores, written out one by one.
fn plain_pairs(matcher: &Matcher<'_>) -> Vec<(i128, usize, Option<usize>)> {
    let mut found = Vec::new();
    for agent in matcher.agents().into_iter().filter(|agent| matcher.agent_holds(*agent)) {
        let own: i128 = matcher.agent_items(agent, &[]).iter().map(|item| item.numerator()).sum();
        let row = agent.expect("an agent");
        if matcher.subject.need.volumes.is_empty() {
            found.push((own, row, None));
            continue;
        }
        let choices = matcher.choices(agent, 0, &[]);
        found.extend(choices.iter().map(|choice| (own + choice.numerator, row, Some(choice.supply))));
    }
    found.sort_by_key(|(score, agent, supply)| (Reverse(*score), *agent, *supply));
    found
}

/// Pairs are counted, ranked and written out as they are one by one, while amounts are taken and given back.
#[test]
fn pairs_are_those_that_hold() {
    let (mut answered, mut pairs) = (0, 0);
    for seed in 0..30 {
        let fleet = properties::fleet(&[set(1_000 + seed, 90)]);
        let (plan, world) = (fleet.plan(), fleet.world());
        let mut index = Index::new(plan, world);
        let mut ledger = fleet.ledger().clone();
        for grant in fleet.offers().cycle().grants.iter().map(Some).chain([None]) {
            for id in bourse::cycle::every_need(plan).step_by(3) {
                let moment = Moment {
                    plan,
                    world,
                    ledger: &ledger,
                    placed: fleet.placed(),
                    filters: None,
                    recorder: None,
                };
                let matcher = Matcher::new(moment, id);
                let Some(answer) = index.answer(&matcher, 10) else { continue };
                let plain = plain_pairs(&matcher);
                let best = plain.iter().take(10).map(|pair| (pair.0, pair.1, pair.2));
                let shown = answer.best.iter().map(|pair| (pair.score.numerator, pair.agent, pair.supply));
                assert_eq!(shown.collect::<Vec<_>>(), best.collect::<Vec<_>>(), "seed {seed}, {id:?}");
                assert_eq!(answer.pairs, plain.len() as u128, "seed {seed}, {id:?}");
                let mut written = Vec::new();
                assert!(index.pairs(&matcher, |supply, agents| {
                    written.extend(agents.iter().map(|agent| (*agent as usize, supply)));
                }));
                let mut plain: Vec<_> = plain.iter().map(|pair| (pair.1, pair.2)).collect();
                written.sort_unstable();
                plain.sort_unstable();
                assert_eq!(written, plain, "seed {seed}, {id:?}");
                answered += 1;
                pairs += plain.len();
            }
            for take in grant.iter().flat_map(|grant| grant.candidate.takes()) {
                ledger.take(take);
                index.touch(world, None, [take.stock]);
            }
        }
    }
    assert!(answered > 200 && pairs > 2_000, "only {answered} answers with {pairs} pairs");
}

/// Answers that are kept while totals change are those of columns made anew, and of the plain engine.
#[test]
fn standing_needs_stay_answered() {
    let (mut changed, mut answered) = (0, 0);
    for seed in 0..20 {
        let text = set(2_000 + seed, 60);
        let policy = Policy::compile([("generated.policy", text.as_str())]).expect("compiles");
        let mut standing = Standing::new(Live::bind(&policy, &[]).expect("binds"));
        let needs: Vec<_> = bourse::cycle::every_need(standing.fleet().plan()).collect();
        let mut n = Numbers(seed | 1);
        for round in 0..24 {
            let fleet = standing.fleet();
            let text = |symbol| fleet.plan().symbols.text(symbol).to_owned();
            let agents = &fleet.world().agents;
            let agent = text(agents[n.below(agents.len() as u64) as usize].name);
            let pools = &fleet.world().supplies;
            let pool = text(pools[n.below(pools.len() as u64) as usize].path);
            let size = format!("{}GB", n.below(90));
            let (holder, resource, total) = match n.below(3) {
                0 => (Holder::Agent(&agent), "cpus", n.below(9).to_string()),
                1 => (Holder::Agent(&agent), "mem", format!("{}GiB", n.below(20))),
                _ => (Holder::Storage(&pool), "size", size),
            };
            let total = Quantity::parse(&total).expect("a quantity");
            // What has parts or options is not set alone.
            changed += usize::from(standing.set_total(holder, resource, total).is_ok());
            if round % 3 == 0 {
                standing.refresh();
            }
            let mut anew = Index::new(standing.fleet().plan(), standing.fleet().world());
            for need in needs.iter().skip(round % 2).step_by(2) {
                let fleet = standing.fleet().clone();
                let matcher = Matcher::new(fleet.moment(), *need);
                let show = |found: Option<Candidate>| found.map(|one| (one.agent, one.volumes, one.score));
                assert_eq!(standing.answer(*need, 5), anew.answer(&matcher, 5), "seed {seed}, {need:?}");
                let plain = show(matcher.best(&mut Search::default()));
                assert_eq!(show(standing.best(*need)), plain, "seed {seed}, {need:?}");
                for agent in matcher.agents().into_iter().flatten().take(8) {
                    let holds = matcher.agent_holds(Some(agent));
                    assert_eq!(
                        standing.agent_holds(*need, agent),
                        holds,
                        "seed {seed}, {need:?}, agent {agent}"
                    );
                }
                answered += 1;
            }
        }
    }
    assert!(changed > 100 && answered > 1_000, "only {changed} changes and {answered} answers");
}

#[test]
fn larger_generated_sets_give_the_same() {
    let mut granted = 0;
    for seed in 0..48 {
        let fleet = properties::fleet(&[set(seed, 90)]);
        let offers = fleet.cycle(CycleRequest { reasons: Reasons::None, ..CycleRequest::default() });
        granted += offers.cycle().grants.len();
        judge(&offers);
    }
    assert!(granted > 400, "only {granted} grants");
}
