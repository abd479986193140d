//! Volumes that places tie to their agent and to each other: what is tried for them, by both engines the same.

use bourse::{
    Fleet, Offers,
    check::Strictness,
    cycle::{self, CycleRequest, Engine, Reasons, Why},
    matching::{Index, Matcher, Moment, Search},
    output::{Detail, View, offers_json},
    pipeline::Parsed,
};

fn fleet(text: &str) -> Fleet {
    let parsed = Parsed::new([("tied.policy", text.as_bytes())]);
    Fleet::load(&parsed, Strictness::default(), &[]).expect("a fleet")
}

fn run(fleet: &Fleet, engine: Engine) -> Offers {
    fleet.cycle(CycleRequest { reasons: Reasons::None, engine, ..CycleRequest::default() })
}

/// So many zones with an agent and a pool each.
fn zones(zones: usize) -> String {
    let agents =
        (0..zones).map(|at| format!("agent a{at} {{ domain = \"r/z{at}\", resources {{ cpus = 4 }} }}\n"));
    let instances = (0..zones).map(|at| {
        format!("instance i{at} {{ domain = \"r/z{at}\", pool q {{ resources {{ size = 100GB }} }} }}\n")
    });
    format!(
        "broker main {{ levels region > zone }}\n{}provider p {{\n{}}}\n",
        agents.collect::<String>(),
        instances.collect::<String>()
    )
}

/// A need of so many instances, each with an agent and two volumes in one zone.
fn in_one_zone(count: usize) -> String {
    zones(count)
        + &format!(
            "need d {{ count = {count}, near v in zone, agent {{ cpus = 3 }}
volume v {{ size = 40GB }}
volume w {{ size = 40GB, near v in zone }} }}
"
        )
}

/// Returns the tries of each need's first candidate, in the indexed engine and in the plain one.
fn tried(fleet: &Fleet) -> Vec<(u64, u64)> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let (ledger, placed) = cycle::start(plan, world);
    let moment = Moment { plan, world, ledger: &ledger, placed: &placed, filters: None, recorder: None };
    let mut index = Index::new(plan, world);
    let each = cycle::every_need(plan).map(|need| {
        let matcher = Matcher::new(moment, need);
        let (mut fast, mut plain) = (Search::default(), Search::default());
        index.best(&matcher, &mut fast);
        matcher.best(&mut plain);
        (fast.tries(), plain.tries())
    });
    each.collect()
}

/// A pool in another zone than its agent, or than the first volume, is not tried: with a zone for each agent, nothing is cut.
#[test]
fn pools_of_other_zones_are_not_tried() {
    let offers = run(&fleet(&in_one_zone(130)), Engine::Indexed);
    let need = &offers.cycle().needs[0];
    assert_eq!((need.offered, need.cut), (130, None));
}

#[test]
fn both_engines_give_and_count_the_same() {
    let mut text = in_one_zone(12);
    for (agent, volume) in [
        ("near v in zone", ""),
        ("", ", near v in zone"),
        ("avoid v in zone", ", near v in zone"),
        ("near w in zone", ", avoid v in zone"),
        ("near v in region, near w in zone", ", avoid v in instance"),
        ("", ", count = 3, at most 1 per zone"),
        ("near w in region", ", count = 2, spread over zone, avoid v in zone"),
    ] {
        let number = text.len();
        text += &format!(
            "need n{number} {{ {agent}{} agent {{ cpus = 1 }}, volume v {{ size = 9GB }}\nvolume w {{ size = 60GB{volume} }} }}\n",
            if agent.is_empty() { "" } else { "," }
        );
    }
    let fleet = fleet(&text);
    let json = |engine| offers_json(&run(&fleet, engine), View::Operator, Detail::All);
    assert_eq!(json(Engine::Indexed), json(Engine::Plain));
    let tried = tried(&fleet);
    assert!(tried.iter().all(|(fast, plain)| fast == plain && *fast > 0), "{tried:?}");
}

/// A charge that reads the pool is worked out for each agent: one that gets the first supply tried is little work.
#[test]
fn agents_that_get_the_first_pool_are_not_what_cuts_a_need() {
    let agents = (0..900).map(|at| format!("agent a{at} {{ resources {{ cpus = 1, mem = 64GiB }} }}\n"));
    let text = format!(
        "broker main {{ charge agent.mem pool.tier * 1MiB per volume }}\n{}
provider p {{ instance i {{ pool q {{ tier = 1, resources {{ size = 100TB }} }} }} }}
need d {{ count = 900, agent {{ cpus = 1 }}, volume v {{ size = 1GB }} }}",
        agents.collect::<String>()
    );
    let offers = run(&fleet(&text), Engine::Indexed);
    assert_eq!((offers.cycle().needs[0].offered, offers.cycle().needs[0].cut), (900, None));
}

/// To tell why a need that wants all or nothing got nothing takes no more than may be granted, whatever it asks for.
#[test]
fn what_is_granted_and_taken_back_is_bounded() {
    let prefers = (0..60).map(|at| format!("prefer agent.x weight {}\n", at + 1));
    let gangs = (0..9).map(|at| {
        format!("framework g{at} {{ need d {{ count = 900000, all or nothing, agent {{ cpus = 1 }} }} }}\n")
    });
    let text = format!(
        "broker main {{\n{}}}\nagent a {{ x = true, resources {{ cpus = 1000000 }} }}
framework a {{ need all {{ agent {{ cpus = 999999 }} }} }}\n{}",
        prefers.collect::<String>(),
        gangs.collect::<String>()
    );
    let fleet = fleet(&text);
    let [fast, plain] = [Engine::Indexed, Engine::Plain].map(|engine| run(&fleet, engine));
    let json = |offers: &Offers| offers_json(offers, View::Operator, Detail::All);
    assert_eq!(json(&fast), json(&plain));
    let bounded = fast.cycle().needs.iter().filter(|need| need.why == Some(Why::Bounded)).count();
    assert_eq!(bounded, 9);
}

/// A pool whose region spans the zones of agents is near each of them, though it is in no zone.
#[test]
fn a_pool_around_an_agent_is_near_it() {
    let text = zones(5)
        + "provider r { instance all { domain = \"r\", pool q { resources { size = 900GB } } } }
need d { count = 5, near v in zone, agent { cpus = 3 }
volume v { size = 200GB }
volume w { size = 1GB } }
";
    let fleet = fleet(&text);
    for engine in [Engine::Indexed, Engine::Plain] {
        assert_eq!(run(&fleet, engine).cycle().needs[0].offered, 4);
    }
}

/// Pairs of agents and supplies that a place ties are not counted side by side: there is no such answer, rather than a wrong one.
#[test]
fn tied_pairs_are_not_counted_apart() {
    for place in ["near v in zone", "prefer near v in zone weight 5", "avoid v in zone"] {
        let text =
            zones(3) + &format!("need d {{ {place}, agent {{ cpus = 1 }}, volume v {{ size = 1GB }} }}\n");
        let fleet = fleet(&text);
        let need = cycle::every_need(fleet.plan()).next().expect("a need");
        let matcher = Matcher::new(fleet.moment(), need);
        let mut index = Index::new(fleet.plan(), fleet.world());
        assert_eq!(index.answer(&matcher, 9), None, "{place}");
        assert!(!index.pairs(&matcher, |_, _| ()), "{place}");
        let best = |candidate: Option<bourse::matching::Candidate>| {
            candidate.map(|one| (one.agent, one.volumes, one.score))
        };
        let fast = best(index.best(&matcher, &mut Search::default()));
        assert_eq!(fast, best(matcher.best(&mut Search::default())), "{place}");
        assert!(fast.is_some(), "{place}");
    }
}
