//! CEL: one expression for agents, one for pools, one for pairs.

use std::{collections::HashMap, sync::Arc};

use bourse_yardstick::{Fleet, Refusal, Work};
use cel::{
    Context, Env, Program, Value,
    common::value::{CowVal, Val},
    context::VariableResolver,
};

use crate::rows::Rows;

const AGENT: &str =
    "a.cpus >= n.cpus && a.mem >= n.mem && a.disk >= n.disk && a.ports >= n.ports && a.region in n.regions";
const POOL: &str = "p.size >= n.size && p.iops >= n.iops && p.media == n.media && p.replicas >= n.replicas";
const PAIR: &str = "a.region == p.region && (p.driver == '' || p.driver in a.drivers) && (p.vlan == 0 || p.vlan == a.vlan) && a.net >= p.net";

/// The engine.
#[derive(Default)]
pub struct Cel {
    loaded: Option<Loaded>,
}

struct Loaded {
    env: Arc<Env>,
    need: Box<dyn Val>,
    agent: Program,
    pool: Program,
    pair: Program,
    agents: Vec<Box<dyn Val>>,
    pools: Vec<Box<dyn Val>>,
}

fn number(value: Option<u32>) -> Value {
    Value::Int(i64::from(value.unwrap_or(0)))
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Box<dyn Val> {
    let fields = HashMap::<String, Value>::from(fields.map(|(name, value)| (name.to_owned(), value)));
    Box::try_from(Value::from(fields)).expect("a map")
}

/// What one expression sees, without a copy of it.
struct Row<'a> {
    a: Option<&'a dyn Val>,
    p: Option<&'a dyn Val>,
    n: &'a dyn Val,
}

impl VariableResolver for Row<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value = match variable {
            "a" => self.a?,
            "p" => self.p?,
            "n" => self.n,
            _ => return None,
        };
        Some(CowVal::Borrowed(value))
    }
}

impl Loaded {
    fn holds(&self, program: &Program, agent: Option<usize>, pool: Option<usize>) -> bool {
        let a = agent.map(|row| self.agents[row].as_ref());
        let row = Row { a, p: pool.map(|row| self.pools[row].as_ref()), n: self.need.as_ref() };
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(&row);
        program.execute(&context).expect("evaluates") == Value::Bool(true)
    }
}

impl Rows for Cel {
    const NAME: &'static str = "cel, two stages";
    const MOST: usize = 5_000_000;

    fn load(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        let env = Arc::new(Env::stdlib());
        let compile = |text| env.compile(text).map_err(|error| error.to_string());
        let need = &work.needs[0];
        let agents = fleet.agents.iter().map(|agent| {
            object([
                ("cpus", number(agent.cpus)),
                ("mem", number(agent.mem)),
                ("disk", number(agent.disk)),
                ("ports", number(agent.ports)),
                ("net", number(agent.net)),
                ("vlan", number(agent.vlan)),
                ("drivers", Value::from(agent.drivers.clone().unwrap_or_default())),
                ("region", Value::from(agent.place.map_or("", |place| place.region()))),
            ])
        });
        let pools = fleet.pools.iter().map(|pool| {
            object([
                ("size", number(pool.size)),
                ("iops", number(pool.iops)),
                ("media", Value::from(pool.media.unwrap_or(""))),
                ("replicas", number(pool.replicas)),
                ("region", Value::from(pool.place.map_or("", |place| place.region()))),
                ("driver", Value::from(pool.driver.unwrap_or(""))),
                ("vlan", number(pool.vlan)),
                ("net", number(pool.min_net.filter(|_| work.rules.net))),
            ])
        });
        let asked = object([
            ("cpus", number(Some(need.cpus))),
            ("mem", number(Some(need.mem))),
            ("disk", number(Some(need.disk))),
            ("ports", number(Some(need.ports))),
            ("regions", Value::from(need.regions.clone())),
            ("size", number(Some(need.size))),
            ("iops", number(Some(need.iops))),
            ("media", Value::from(need.media)),
            ("replicas", number(Some(need.replicas))),
        ]);
        self.loaded = Some(Loaded {
            agent: compile(AGENT)?,
            pool: compile(POOL)?,
            pair: compile(PAIR)?,
            agents: agents.collect(),
            pools: pools.collect(),
            env,
            need: asked,
        });
        Ok(())
    }

    fn agent(&mut self, row: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        loaded.holds(&loaded.agent, Some(row), None)
    }

    fn pool(&mut self, row: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        loaded.holds(&loaded.pool, None, Some(row))
    }

    fn pair(&mut self, agent: usize, pool: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        loaded.holds(&loaded.pair, Some(agent), Some(pool))
    }
}
