//! A fleet with plugins that changes in place is the fleet that is bound anew with them: after each of many generated changes it
//! offers the same, byte for byte, and the same as the native engine by the rules that the plugin was built from.

use bourse::{
    Delta, Fleet, Inventory, Live, Policy, Standing,
    emit::{self, Owners},
    live::Holder,
    plugin::{Broken, Grants, Host, Limits, Plugin, about::KeyName},
    quantity::Quantity,
    types::Side,
};

use super::made::Made;
use crate::{
    live::{
        mirror::{Mirror, digest, offers},
        model::{Model, Step, policy, start},
    },
    properties::{Numbers, declarations},
};

/// What the plugin is called, which stands before the labels of its rules.
const NAME: &str = "the-plugin";

fn host() -> Host {
    Host::in_process(Limits::default()).expect("runs")
}

fn built(fleet: &Fleet) -> Vec<u8> {
    let owners = Owners::of(fleet.plan(), fleet.world());
    emit::plugin(fleet.plan(), &owners, NAME).unwrap_or_else(|refusal| panic!("{refusal:?}")).bytes
}

/// The policy of a seed without what its broker requires and prefers.
fn without_rules(seed: u64) -> Policy {
    let all = declarations(seed);
    let of_policy = all.iter().filter(|text| !text.starts_with("agent ") && !text.starts_with("provider "));
    let plain = regex::Regex::new(r"(?m)^\s*(require|prefer)\b.*$").expect("is one");
    let text: Vec<String> = of_policy
        .map(|text| {
            if text.starts_with("broker ") { plain.replace_all(text, "").into_owned() } else { text.clone() }
        })
        .collect();
    Policy::compile([("live.policy", text.join("\n").as_str())]).unwrap_or_else(|error| panic!("{error}"))
}

/// Rules of some agents, providers and pools, whether or not these are there.
const OF_SOME: &str = r#"
    broker b { levels region > zone > rack, require small: agent.free.cpus < 20, prefer full: agent.used.cpus / 10 weight 3 }
    agent a0 { require few: agent.free.cpus <= 6 }
    agent a7 { require os: agent.os == "linux", prefer roomy: agent.free.cpus / 9 weight 4 }
    provider p1 {
      prefer fit: pool.tier / 4 weight 7
      instance i { pool s0 { require room: pool.free.size >= 20GB, resources { size = 1GB } } }
    }
    provider p3 { require tier: pool.tier >= 1 or agent.os == "linux", instance i { pool s1 { resources { size = 1GB } } } }"#;

fn of_some() -> Vec<u8> {
    built(&Policy::compile([("some.policy", OF_SOME)]).expect("compiles").fleet(&[]).expect("binds"))
}

fn install(bytes: &[u8]) -> Plugin {
    host().install("some.wasm", bytes, &Grants::all()).unwrap_or_else(|fault| panic!("{fault}"))
}

/// One change of a fleet with a plugin, and of the data that it is bound anew from.
struct Changing {
    policy: Policy,
    plugins: Vec<Plugin>,
    live: Live,
    /// Without the plugins: what it takes and refuses is the same.
    plain: Live,
    model: Model,
    mirror: Mirror,
}

impl Changing {
    fn new(policy: Policy, model: Model, plugins: Vec<Plugin>) -> Changing {
        let live = Live::bind_with(&policy, &[&model.inventory()], &plugins).expect("binds");
        let plain = Live::bind(&policy, &[&model.inventory()]).expect("binds");
        let mirror = Mirror::of(live.fleet());
        Changing { policy, plugins, live, plain, model, mirror }
    }

    /// Gives whether the change was made.
    fn step(&mut self, n: &mut Numbers, what: &str) -> bool {
        let step = Step::make(n, &self.model);
        let next = step.on_model(&self.model);
        let before = offers(self.live.fleet());
        // Now and then another fleet has the plugins too, and stays as it is.
        let kept = n.chance(30).then(|| self.live.fleet().clone());
        let plainly = step.on_live(&mut self.plain);
        let made = step.on_live(&mut self.live);
        assert_eq!(plainly.is_ok(), made.is_ok(), "{what}");
        let made = match made {
            Ok(changed) => {
                self.model = next;
                self.mirror.follow(self.live.fleet(), &changed);
                true
            }
            Err(_) => false,
        };
        self.mirror.assert_is(self.live.fleet(), what);
        let anew = self.policy.fleet_with(&[&self.model.inventory()], &self.plugins);
        let anew = anew.unwrap_or_else(|error| panic!("{what}, made: {made}: {error}"));
        assert_eq!(digest(self.live.fleet()), digest(&anew), "{what}");
        assert_eq!(offers(self.live.fleet()), offers(&anew), "{what}");
        assert_eq!(self.live.fleet().faults(), [], "{what}");
        if let Some(kept) = kept {
            assert_eq!(offers(&kept), before, "{what}: what was kept");
        }
        made
    }
}

#[test]
fn a_fleet_with_plugins_that_changed_is_the_fleet_bound_anew() {
    let (mut made, mut ruled_out) = (0, 0);
    for seed in 0..12 {
        let mut n = Numbers((seed + 3_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let native = policy(seed);
        let model = start(&mut n, &native);
        let broker = built(&native.fleet(&[]).expect("binds"));
        let own = Changing::new(without_rules(seed), model.clone(), vec![install(&broker)]);
        let mut own = own;
        let mut some = Changing::new(native.clone(), model, vec![install(&of_some())]);
        for at in 0..6 {
            let what = format!("seed {seed}, step {at}");
            made += usize::from(own.step(&mut n, &what));
            // The native engine, by the same rules: they are called otherwise.
            let anew = native.fleet(&[&own.model.inventory()]).expect("binds");
            let called = offers(own.live.fleet()).replace(&format!("{NAME}/"), "");
            assert_eq!(called, offers(&anew), "{what}: by the native engine");
            made += usize::from(some.step(&mut n, &what));
            ruled_out += usize::from(offers(some.live.fleet()).contains("the-plugin/"));
        }
    }
    assert!(made > 60 && ruled_out > 20, "{made} changes, {ruled_out} with the plugin's rules in reasons");
}

fn read(rows: &str) -> Inventory {
    let text = format!(r#"{{"format": "bourse.inventory", "version": 1, {rows}}}"#);
    Inventory::from_json("delta.json", &text).unwrap_or_else(|error| panic!("{error}"))
}

const NEEDS: &str = "need web { count = 4, at most 1 per agent, agent { cpus = 1 } }
    need db { agent { cpus = 1 }, volume v { size = 1GB } }";

/// A plugin may read totals, which heartbeats set, and what is free.
const TOTALS: &str = "broker b { require large: agent.total.cpus >= 4, prefer roomy: agent.free.cpus / 20 }
    provider p { require size: pool.total.size >= 5GB, instance i { pool s { resources { size = 1GB } } } }";

const AGENTS: &str = r#""agents": [{"name": "a1", "resources": {"cpus": 8}}, {"name": "a2", "resources": {"cpus": 2}}],
    "providers": [{"name": "p", "instances": [{"name": "i", "pools": [{"name": "s", "resources": {"size": "9GB"}}]}]}]"#;

#[test]
fn heartbeats_are_told_and_needs_that_stand_follow() {
    let policy = Policy::compile([("needs.policy", NEEDS)]).expect("compiles");
    let bytes = built(&Policy::compile([("t.policy", TOTALS)]).expect("compiles").fleet(&[]).expect("binds"));
    let plugins = [install(&bytes)];
    let anew = |cpus: u64, size: u64| {
        let rows =
            AGENTS.replace("\"cpus\": 2", &format!("\"cpus\": {cpus}")).replace("9GB", &format!("{size}GB"));
        policy.fleet_with(&[&read(&rows)], &plugins).expect("binds")
    };
    let live = || Live::bind_with(&policy, &[&read(AGENTS)], &plugins).expect("binds");
    let (mut plain, mut standing) = (live(), Standing::new(live()));
    let needs: Vec<_> = bourse::cycle::every_need(plain.fleet().plan()).collect();
    for (cpus, size) in [(2, 9), (9, 9), (9, 3), (1, 7), (30, 9), (3, 4)] {
        let amount = |text: String| Quantity::parse(&text).expect("reads");
        let set = |live: &mut dyn FnMut(Holder<'_>, &str, Quantity)| {
            live(Holder::Agent("a2"), "cpus", amount(cpus.to_string()));
            live(Holder::Storage("p/i/s"), "size", amount(format!("{size}GB")));
        };
        set(&mut |holder, what, total| drop(plain.set_total(holder, what, total).expect("is set")));
        set(&mut |holder, what, total| drop(standing.set_total(holder, what, total).expect("is set")));
        let fresh = anew(cpus, size);
        assert_eq!(offers(plain.fleet()), offers(&fresh), "{cpus} and {size}");
        let mut fresh = Standing::new(
            Live::bind_with(
                &policy,
                &[&read(
                    &AGENTS
                        .replace("\"cpus\": 2", &format!("\"cpus\": {cpus}"))
                        .replace("9GB", &format!("{size}GB")),
                )],
                &plugins,
            )
            .expect("binds"),
        );
        for need in &needs {
            let told = |answer: Option<bourse::matching::MatchCount>| {
                answer.map(|answer| {
                    (answer.pairs, answer.best.iter().map(|one| (one.agent, one.score)).collect::<Vec<_>>())
                })
            };
            assert_eq!(told(standing.answer(*need, 5)), told(fresh.answer(*need, 5)), "{cpus} and {size}");
            let best = |standing: &mut Standing| standing.best(*need).map(|one| (one.agent, one.score));
            assert_eq!(best(&mut standing), best(&mut fresh), "{cpus} and {size}");
        }
    }
    // Rows that come are told, too.
    let more = read(r#""agents": [{"name": "a0", "resources": {"cpus": 16}}]"#);
    standing.apply(&Delta::default().put(&more)).expect("is made");
    assert_eq!(standing.best(needs[0]).and_then(|best| best.agent), Some(0));
}

/// A total that a heartbeat set was told; what is taken of it later brings back what the plugin was told before.
#[test]
fn what_is_free_is_told_again_when_it_is_what_it_was() {
    let policy = Policy::compile([("needs.policy", NEEDS)]).expect("compiles");
    let roomy = "broker b { require roomy: agent.free.cpus >= 7 }";
    let bytes = built(&Policy::compile([("r.policy", roomy)]).expect("compiles").fleet(&[]).expect("binds"));
    let plugins = [install(&bytes)];
    let used = |name: &str| format!(r#"{{"name": "{name}", "agents": {{"a1": {{"cpus": 2}}}}}}"#);
    let fleet = |cpus: u64, used: &str| {
        let agent = format!(r#""agents": [{{"name": "a1", "resources": {{"cpus": {cpus}}}}}]"#);
        read(&format!(r#"{agent}, "allocations": [{used}]"#))
    };
    let mut live = Live::bind_with(&policy, &[&fleet(8, &used("w1"))], &plugins).expect("binds");
    live.set_total(Holder::Agent("a1"), "cpus", Quantity::parse("10").expect("reads")).expect("is set");
    let more = read(&format!(r#""allocations": [{}]"#, used("w2")));
    live.apply(&Delta::default().put(&more)).expect("is made");
    let both = fleet(10, &format!("{}, {}", used("w1"), used("w2")));
    let anew = policy.fleet_with(&[&both], &plugins).expect("binds");
    assert_eq!(offers(live.fleet()), offers(&anew));
    assert_eq!(live.offers().cycle().grants.len(), 0, "six are free");
}

#[test]
fn a_plugin_that_breaks_a_rule_stays_closed_whatever_changes() {
    let policy = Policy::compile([("needs.policy", NEEDS)]).expect("compiles");
    let made = Made { evaluate: "(loop $on (br $on)) unreachable".to_owned(), ..Made::default() };
    let plugin = install(&made.component());
    let mut live = Live::bind_with(&policy, &[&read(AGENTS)], &[plugin]).expect("binds");
    assert_eq!(live.offers().cycle().grants.len(), 0);
    let faults = live.fleet().faults();
    assert_eq!(faults[0].broken, Broken::Fuel);
    let kept = live.fleet().clone();
    for at in 3..6 {
        let more = read(&format!(r#""agents": [{{"name": "a{at}", "resources": {{"cpus": 16}}}}]"#));
        live.apply(&Delta::default().put(&more)).expect("is made");
        live.set_total(Holder::Agent("a1"), "cpus", Quantity::parse("9").expect("reads")).expect("is set");
        assert_eq!((live.offers().cycle().grants.len(), live.fleet().faults()), (0, faults.clone()));
    }
    assert_eq!(kept.faults(), faults);
    // One that does not take a change as such is given the fleet anew; what it then breaks closes it.
    let update = "(global.set $calls (i32.const 1)) unreachable".to_owned();
    let plugin = install(&Made { update, ..Made::default() }.component());
    let mut live = Live::bind_with(&policy, &[&read(AGENTS)], &[plugin]).expect("binds");
    assert_eq!(live.fleet().faults(), []);
    let other = read(r#""agents": [{"name": "a1", "keys": {"gpus": 4}, "resources": {"cpus": 8}}]"#);
    live.apply(&Delta::default().put(&other)).expect("is made");
    assert_eq!(live.fleet().faults().len(), 1);
    assert_eq!(live.offers().cycle().grants.len(), 0);
}

/// A provider's plugin has a say about supplies that come later, too.
#[test]
fn supplies_that_come_are_a_provider_s_plugin_s_business() {
    let policy = Policy::compile([("needs.policy", NEEDS)]).expect("compiles");
    let vendor = r#"provider p { require driver: agent.drivers has "p", instance i { pool s { resources { size = 1GB } } } }"#;
    let bytes = built(&Policy::compile([("v.policy", vendor)]).expect("compiles").fleet(&[]).expect("binds"));
    let grants = Grants::provider("p").key(Side::Agent, KeyName::Attribute("drivers".to_owned()));
    let plugin = host().install("v.wasm", &bytes, &grants).expect("installs");
    let agents = r#""agents": [{"name": "a1", "keys": {"drivers": ["q"]}, "resources": {"cpus": 8}}]"#;
    let mut live = Live::bind_with(&policy, &[&read(agents)], std::slice::from_ref(&plugin)).expect("binds");
    let on = |live: &Live| {
        let (offers, world) = (live.offers(), live.fleet().world());
        let grants = offers.cycle().grants.iter();
        let volumes = grants.filter_map(|grant| grant.candidate.volumes.first()).map(|volume| volume.supply);
        let path = |supply: usize| live.fleet().plan().symbols.text(world.supplies[supply].path).to_owned();
        volumes.map(path).collect::<Vec<_>>()
    };
    let storage = |name: &str| {
        read(&format!(
            r#""providers": [{{"name": "{name}", "instances": [{{"name": "i", "pools": [{{"name": "s", "resources": {{"size": "9GB"}}}}]}}]}}]"#
        ))
    };
    live.apply(&Delta::default().put(&storage("p"))).expect("is made");
    assert_eq!(on(&live), [""; 0], "the agent lacks its driver");
    live.apply(&Delta::default().put(&storage("q"))).expect("is made");
    assert_eq!(on(&live), ["q/i/s"]);
    let agent = read(&agents.replace("[\"q\"]", "[\"p\", \"q\"]"));
    live.apply(&Delta::default().put(&agent)).expect("is made");
    assert_eq!(on(&live), ["p/i/s"]);
    live.apply(&Delta::default().remove_storage("p")).expect("is made");
    assert_eq!(on(&live), ["q/i/s"]);
}
