//! Plugins beside a policy of the broker's own: whose supplies they judge, what they are called in reasons, and what is offered
//! once one has failed.

use bourse::{
    Fleet, Offers, Policy,
    cycle::{CycleRequest, Engine},
    emit::{self, Owners},
    explain::{self, DetailLevel},
    plugin::{Broken, Grants, Host, Limits, Plugin, about::KeyName},
    types::Side,
};

use super::made::{Made, Rule};

/// A site with two providers; the rules of `array` are its vendor's to say.
const SITE: &str = r#"
    broker site { require firm: agent.lease is absent, prefer calm: agent.load < 2 weight 5 }
    agent a1 { drivers = ["array"], load = 1, resources { cpus = 8 } }
    agent a2 { drivers = ["nfs"], load = 1, resources { cpus = 8 } }
    agent a3 { drivers = ["array"], load = 3, resources { cpus = 8 } }
    agent a4 { drivers = ["array"], lease = 1h, resources { cpus = 8 } }
    provider array { instance i { pool ssd { media = "ssd", resources { size = 90TB } } } }
    provider other { instance i { pool hdd { media = "hdd", resources { size = 90TB } } } }
    class flash for pool { media == "ssd" }
    need fast { count = 3, agent { cpus = 1 }, at most 1 per agent, volume v { size = 1TB, is flash } }
    need any { count = 3, agent { cpus = 1 }, at most 1 per agent, volume v { size = 1TB } }
    need none { agent { cpus = 1 } }"#;

const VENDOR: &str = r#"
    provider array {
      require driver: agent.drivers has "array"
      prefer idle: agent.load <= 1 weight 20
      instance i { pool ssd { resources { size = 90TB } } }
    }"#;

fn host() -> Host {
    Host::in_process(Limits::default()).expect("runs")
}

fn built(policy: &str, name: &str) -> Vec<u8> {
    let fleet = Policy::compile([("built.policy", policy)]).expect("compiles").fleet(&[]).expect("binds");
    let owners = Owners::of(fleet.plan(), fleet.world());
    emit::plugin(fleet.plan(), &owners, name).expect("builds").bytes
}

fn fleet(plugins: &[Plugin]) -> Fleet {
    Policy::compile([("site.policy", SITE)]).expect("compiles").fleet_with(&[], plugins).expect("binds")
}

/// The offers of each need: agent, pool, score.
fn made(offers: &Offers) -> Vec<String> {
    let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
    let one = |grant: &bourse::cycle::Grant| {
        let need = &plan.frameworks[grant.id.framework].needs[grant.id.need];
        let agent = grant.candidate.agent.map_or("-", |agent| plan.symbols.text(world.agents[agent].name));
        let supply = grant.candidate.volumes.first().map(|volume| volume.supply);
        let supply = supply.map_or("-", |supply| plan.symbols.text(world.supplies[supply].path));
        format!("{} {agent} {supply} {}", plan.symbols.text(need.name), grant.candidate.score.show())
    };
    offers.cycle().grants.iter().map(one).collect()
}

/// The labels of all reasons, with what there is.
fn reasons(offers: &Offers) -> Vec<String> {
    let mut told: Vec<String> = offers
        .cycle()
        .reasons
        .iter()
        .map(|reason| format!("{} {}", reason.label, reason.have.as_deref().unwrap_or("-")))
        .collect();
    told.sort_unstable();
    told.dedup();
    told
}

#[test]
fn a_vendor_s_plugin_and_the_broker_s_policy_both_count() {
    let grants = Grants::provider("array")
        .key(Side::Agent, KeyName::Attribute("drivers".to_owned()))
        .key(Side::Agent, KeyName::Attribute("load".to_owned()));
    let bytes = built(VENDOR, "vendor");
    let plugin = host().install("vendor.wasm", &bytes, &grants).expect("installs");
    let offers = fleet(&[plugin]).offers();
    assert_eq!(offers.fleet().faults(), []);
    // Of the pair with the array alone the vendor has a say: `any` takes the other's pool where it must.
    assert_eq!(
        made(&offers),
        [
            "any a1 array/i/ssd 25",
            "fast a1 array/i/ssd 25",
            "none a1 - 5",
            "any a2 other/i/hdd 5",
            "fast a3 array/i/ssd 0",
            "any a3 array/i/ssd 0",
        ]
    );
    let told = reasons(&offers);
    assert!(told.contains(&"vendor/driver [\"nfs\"]".to_owned()), "{told:#?}");
    assert!(told.contains(&"firm 1h".to_owned()), "{told:#?}");
}

#[test]
fn what_is_not_granted_is_unknown_and_named() {
    let bytes = built(VENDOR, "vendor");
    let plugin = host().install("vendor.wasm", &bytes, &Grants::provider("array")).expect("installs");
    let offers = fleet(&[plugin]).offers();
    assert!(made(&offers).iter().all(|offer| !offer.contains("array")), "{:#?}", made(&offers));
    let told = reasons(&offers);
    let named = "vendor/driver nothing: `agent.drivers` is not granted".to_owned();
    assert!(told.contains(&named), "{told:#?}");
    // Not even values of the keys: the reason is another.
    assert!(told.iter().all(|reason| !reason.starts_with("vendor/driver [")), "{told:#?}");
}

/// A plugin that answers as it should until it is asked.
fn failing(rule: Rule) -> Vec<u8> {
    let mut made = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    made.description.rules = vec![rule];
    made.component()
}

fn rule(purpose: (u8, i64), sides: u8) -> Rule {
    Rule { label: "ask".to_owned(), purpose, sides, whole: 0, conditions: vec![0] }
}

#[test]
fn a_provider_s_plugin_that_fails_takes_its_supplies_with_it_and_nothing_else() {
    let plugin =
        host().install("p.wasm", &failing(rule((0, 0), 1)), &Grants::provider("array")).expect("installs");
    let fleet = fleet(&[plugin]);
    let offers = fleet.offers();
    let fault = &fleet.faults()[0];
    assert_eq!((fault.plugin.as_str(), fault.broken), ("p.wasm", Broken::Fuel));
    let offered = made(&offers);
    assert_eq!(offered.len(), 4, "{offered:#?}");
    assert!(offered.iter().all(|offer| !offer.contains("array")), "{offered:#?}");
    let told = reasons(&offers);
    assert!(told.contains(&"made no answer: it broke the rule `fuel`".to_owned()), "{told:#?}");
    // It is not asked again, and the next cycle gives the same.
    assert_eq!(made(&fleet.offers()), offered);
    assert_eq!(fleet.faults().len(), 1);
}

#[test]
fn an_operator_s_plugin_that_fails_lets_nothing_be_offered_not_even_by_what_it_only_prefers() {
    for purpose in [(0, 0), (1, 1_000_000)] {
        let plugin = host().install("p.wasm", &failing(rule(purpose, 1)), &Grants::all()).expect("installs");
        let fleet = fleet(&[plugin]);
        assert_eq!(made(&fleet.offers()), [""; 0], "{purpose:?}");
        assert_eq!(fleet.faults().len(), 1, "{purpose:?}");
    }
}

#[test]
fn a_plugin_that_does_not_take_the_fleet_has_failed() {
    let refuses = "(i32.store8 (i32.const 32) (i32.const 1)) (i32.store (i32.const 36) (i32.const 64))
        (i32.store (i32.const 40) (i32.const 0)) i32.const 32";
    let made_by_hand = Made { load: refuses.to_owned(), ..Made::default() };
    let plugin = host().install("p.wasm", &made_by_hand.component(), &Grants::all()).expect("installs");
    let fleet = fleet(&[plugin]);
    assert_eq!(fleet.faults()[0].broken, Broken::Accept);
    assert_eq!(made(&fleet.offers()), [""; 0]);
}

#[test]
fn plugins_of_one_name_are_told_apart_by_their_files() {
    let bytes = built("broker b { require linux: agent.os == \"linux\" }", "b");
    let install = |name| host().install(name, &bytes, &Grants::all()).expect("installs");
    let told = reasons(&fleet(&[install("one.wasm"), install("two.wasm")]).offers());
    for label in ["one.wasm/linux -", "two.wasm/linux -"] {
        assert!(told.contains(&label.to_owned()), "{told:#?}");
    }
}

/// What a provider's plugin says of one agent holds for that agent's candidates with the provider's supplies, as if the provider
/// said it in the policy, and for no others.
#[test]
fn a_provider_s_plugin_has_a_say_about_one_agent_with_its_supplies_alone() {
    let policy = "agent a1 {
            require quiet: need.slack is present
            require calm: agent.load < 1
        }
        agent a3 { require heavy: agent.load >= 3, prefer idle: 1 - agent.load / 4 weight 8 }
        provider array { instance i { pool ssd { resources { size = 1TB } } } }";
    let bytes = built(policy, "vendor");
    let grants = Grants::provider("array").side(Side::Need).side(Side::Agent);
    let plugin = host().install("v.wasm", &bytes, &grants).expect("installs");
    let offers = fleet(&[plugin]).offers();
    assert_eq!(offers.fleet().faults(), []);
    assert_eq!(
        made(&offers),
        [
            // With the other provider's pool, or with none, `a1` is as good as any.
            "any a1 other/i/hdd 5",
            "fast a2 array/i/ssd 5",
            "none a1 - 5",
            "any a2 array/i/ssd 5",
            "fast a3 array/i/ssd 2",
            "any a3 array/i/ssd 2",
        ]
    );
    let told = reasons(&offers);
    assert!(told.contains(&"vendor/quiet -".to_owned()), "{told:#?}");
    assert!(told.contains(&"vendor/calm 1".to_owned()), "{told:#?}");
    // By the plain engine too, and explained as it is.
    let plainly = CycleRequest { engine: Engine::Plain, ..CycleRequest::default() };
    assert_eq!(made(&offers.fleet().cycle(plainly)), made(&offers));
    let need = offers.fleet().needs("fast").expect("is there")[0];
    let text = explain::need_text(&explain::need(&offers, need), DetailLevel::default());
    assert!(text.contains("vendor/calm") && text.contains("a1"), "{text}");
    // The operator's own plugin has a say about the agent whatever its storage.
    let plugin = host().install("v.wasm", &bytes, &Grants::all()).expect("installs");
    let offered = made(&fleet(&[plugin]).offers());
    assert!(offered.iter().all(|offer| !offer.contains(" a1 ")), "{offered:#?}");
}
