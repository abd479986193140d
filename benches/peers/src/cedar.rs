//! Cedar: one authorisation for each pair, the agent as principal, the pool as resource, the need as context.

use std::str::FromStr;

use bourse_yardstick::{Fleet, Refusal, Work};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use serde_json::{Value, json};

use crate::rows::Rows;

const POLICY: &str = include_str!("policy.cedar");

/// The engine.
#[derive(Default)]
pub struct Cedar {
    loaded: Option<Loaded>,
}

struct Loaded {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    agents: Vec<EntityUid>,
    pools: Vec<EntityUid>,
    action: EntityUid,
    context: Context,
}

fn uid(kind: &str, row: usize) -> Result<EntityUid, Refusal> {
    EntityUid::from_str(&format!("{kind}::\"{row}\"")).map_err(|error| error.to_string())
}

fn entity(kind: &str, row: usize, attributes: &Value) -> Value {
    json!({ "uid": { "type": kind, "id": row.to_string() }, "attrs": attributes, "parents": [] })
}

impl Rows for Cedar {
    const NAME: &'static str = "cedar, every pair";
    const MOST: usize = 1_000_000;

    fn load(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        let agents = fleet.agents.iter().enumerate().map(|(row, agent)| entity("Agent", row, &json!({
            "cpus": agent.cpus, "mem": agent.mem, "disk": agent.disk, "ports": agent.ports, "net": agent.net,
            "vlan": agent.vlan, "drivers": agent.drivers, "region": agent.place.map(|place| place.region()),
        })));
        let pools = fleet.pools.iter().enumerate().map(|(row, pool)| entity("Pool", row, &json!({
            "size": pool.size, "iops": pool.iops, "media": pool.media, "replicas": pool.replicas,
            "region": pool.place.map(|place| place.region()), "driver": pool.driver.unwrap_or(""),
            "vlan": pool.vlan.unwrap_or(0), "net": if work.rules.net { pool.min_net.unwrap_or(0) } else { 0 },
        })));
        let all = Value::Array(agents.chain(pools).collect());
        let need = &work.needs[0];
        let context = json!({
            "cpus": need.cpus, "mem": need.mem, "disk": need.disk, "ports": need.ports, "regions": need.regions,
            "size": need.size, "iops": need.iops, "media": need.media, "replicas": need.replicas,
        });
        self.loaded = Some(Loaded {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(POLICY).map_err(|error| error.to_string())?,
            entities: Entities::from_json_value(all, None).map_err(|error| error.to_string())?,
            agents: (0..fleet.agents.len()).map(|row| uid("Agent", row)).collect::<Result<_, _>>()?,
            pools: (0..fleet.pools.len()).map(|row| uid("Pool", row)).collect::<Result<_, _>>()?,
            action: uid("Action", 0)?,
            context: Context::from_json_value(context, None).map_err(|error| error.to_string())?,
        });
        Ok(())
    }

    fn agent(&mut self, _row: usize) -> bool {
        true
    }

    fn pool(&mut self, _row: usize) -> bool {
        true
    }

    fn pair(&mut self, agent: usize, pool: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        let (agent, pool) = (loaded.agents[agent].clone(), loaded.pools[pool].clone());
        let request = Request::new(agent, loaded.action.clone(), pool, loaded.context.clone(), None);
        let request = request.expect("no schema to go against");
        let response = loaded.authorizer.is_authorized(&request, &loaded.policies, &loaded.entities);
        response.decision() == Decision::Allow
    }
}
