//! regorus: the whole fleet as data, the policy in Rego, factored by hand as a user of OPA would.

use bourse_yardstick::{Answer, Fleet, Pair, Refusal, Rules, System, Work};
use regorus::{Engine, Value};
use serde_json::json;

use crate::rows::{Found, covered};

const POLICY: &str = include_str!("policy.rego");

/// The system.
#[derive(Default)]
pub struct Rego {
    engine: Option<Engine>,
    fleet: Option<Fleet>,
    rules: Rules,
}

impl Rego {
    fn found(&mut self) -> Vec<Pair> {
        let engine = self.engine.as_mut().expect("prepared");
        // The input is given again so that nothing is remembered from the time before.
        engine.set_input(Value::from_json_str("{}").expect("an object"));
        let pairs = engine.eval_rule("data.hall.pairs".to_owned()).expect("evaluates");
        let number = |value: &Value| value.as_u64().expect("a row") as u32;
        let pair = |value: &Value| {
            let pair = value.as_array().expect("a pair");
            (number(&pair[0]), number(&pair[1]))
        };
        pairs.as_set().expect("a set").iter().map(pair).collect()
    }
}

impl System for Rego {
    fn name(&self) -> &'static str {
        "regorus, two stages"
    }

    fn prepare(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        covered(work, 1_000_000, fleet)?;
        let agents: Vec<_> = fleet.agents.iter().map(|agent| json!({
            "cpus": agent.cpus, "mem": agent.mem, "disk": agent.disk, "ports": agent.ports, "net": agent.net,
            "vlan": agent.vlan, "drivers": agent.drivers, "region": agent.place.map(|place| place.region()),
        })).collect();
        let pools: Vec<_> = fleet.pools.iter().map(|pool| json!({
            "size": pool.size, "iops": pool.iops, "media": pool.media, "replicas": pool.replicas,
            "region": pool.place.map(|place| place.region()), "driver": pool.driver.unwrap_or(""),
            "vlan": pool.vlan.unwrap_or(0), "net": if work.rules.net { pool.min_net.unwrap_or(0) } else { 0 },
        })).collect();
        let need = &work.needs[0];
        let need = json!({
            "cpus": need.cpus, "mem": need.mem, "disk": need.disk, "ports": need.ports, "regions": need.regions,
            "size": need.size, "iops": need.iops, "media": need.media, "replicas": need.replicas,
        });
        let data = json!({ "agents": agents, "pools": pools, "need": need }).to_string();
        let mut engine = Engine::new();
        engine.add_policy("policy.rego".to_owned(), POLICY.to_owned()).map_err(|error| error.to_string())?;
        engine
            .add_data(Value::from_json_str(&data).map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        self.engine = Some(engine);
        self.fleet = Some(fleet.clone());
        self.rules = work.rules;
        Ok(())
    }

    fn answer(&mut self, _need: usize) -> Answer {
        let pairs = self.found();
        let fleet = self.fleet.as_ref().expect("prepared");
        let mut found = Found::default();
        pairs.into_iter().for_each(|pair| found.add(fleet, self.rules, pair));
        found.answer()
    }

    fn pairs(&mut self, _need: usize, pairs: &mut Vec<Pair>) -> bool {
        *pairs = self.found();
        true
    }
}
