//! Roto: compiled to machine code, over rows whose text is numbers already, which is in its favour.

use bourse_yardstick::{
    Fleet, Need, Refusal, Work,
    fleet::{DRIVERS, MEDIA, REGIONS},
};
use roto::{FileTree, Runtime, SourceFile, TypedFunc, Val, library};

use crate::rows::Rows;

const POLICY: &str = include_str!("policy.roto");

/// A row of an agent.
#[derive(Clone, Copy, PartialEq)]
struct Agent {
    cpus: u32,
    mem: u32,
    disk: u32,
    ports: u32,
    region: u32,
    drivers: u32,
    vlan: u32,
    net: u32,
}

/// A row of a pool.
#[derive(Clone, Copy, PartialEq)]
struct Pool {
    size: u32,
    iops: u32,
    media: u32,
    replicas: u32,
    region: u32,
    driver: u32,
    vlan: u32,
    net: u32,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq)]
struct Asked {
    cpus: u32,
    mem: u32,
    disk: u32,
    ports: u32,
    regions: u32,
    size: u32,
    iops: u32,
    media: u32,
    replicas: u32,
}

type Of<A, B> = TypedFunc<roto::NoCtx, fn(A, B) -> bool>;

/// The engine.
#[derive(Default)]
pub struct Roto {
    loaded: Option<Loaded>,
}

struct Loaded {
    agent: Of<Val<Agent>, Val<Asked>>,
    pool: Of<Val<Pool>, Val<Asked>>,
    pair: Of<Val<Agent>, Val<Pool>>,
    need: Asked,
    agents: Vec<Agent>,
    pools: Vec<Pool>,
}

fn code(list: &[&str], text: &str) -> u32 {
    list.iter().position(|known| *known == text).map_or(99, |at| at as u32)
}

fn asked(need: &Need) -> Asked {
    let Need { cpus, mem, disk, ports, size, iops, replicas, media, ref regions } = *need;
    let regions = regions.iter().fold(0, |mask, region| mask | 1 << code(&REGIONS, region));
    Asked { cpus, mem, disk, ports, regions, size, iops, media: code(&MEDIA, media), replicas }
}

fn agents(fleet: &Fleet) -> Vec<Agent> {
    let drivers = |own: &Vec<&str>| own.iter().fold(0, |mask, own| mask | 1 << code(&DRIVERS, own));
    let row = |agent: &bourse_yardstick::Agent| Agent {
        cpus: agent.cpus.unwrap_or(0),
        mem: agent.mem.unwrap_or(0),
        disk: agent.disk.unwrap_or(0),
        ports: agent.ports.unwrap_or(0),
        region: agent.place.map_or(99, |place| u32::from(place.region)),
        drivers: agent.drivers.as_ref().map_or(0, drivers),
        vlan: agent.vlan.unwrap_or(0),
        net: agent.net.unwrap_or(0),
    };
    fleet.agents.iter().map(row).collect()
}

fn pools(fleet: &Fleet, work: &Work) -> Vec<Pool> {
    let row = |pool: &bourse_yardstick::Pool| Pool {
        size: pool.size.unwrap_or(0),
        iops: pool.iops.unwrap_or(0),
        media: code(&MEDIA, pool.media.unwrap_or("")),
        replicas: pool.replicas.unwrap_or(0),
        region: pool.place.map_or(98, |place| u32::from(place.region)),
        driver: pool.driver.map_or(0, |driver| code(&DRIVERS, driver) + 1),
        vlan: pool.vlan.unwrap_or(0),
        net: pool.min_net.filter(|_| work.rules.net).unwrap_or(0),
    };
    fleet.pools.iter().map(row).collect()
}

impl Rows for Roto {
    const NAME: &'static str = "roto, two stages";
    const MOST: usize = 200_000_000;

    fn load(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        let library = library! {
            /// An agent.
            #[copy] type Agent = Val<Agent>;
            /// A pool.
            #[copy] type Pool = Val<Pool>;
            /// A need.
            #[copy] type Asked = Val<Asked>;

            impl Val<Agent> {
                fn cpus(a: Val<Agent>) -> u32 { a.cpus }
                fn mem(a: Val<Agent>) -> u32 { a.mem }
                fn disk(a: Val<Agent>) -> u32 { a.disk }
                fn ports(a: Val<Agent>) -> u32 { a.ports }
                fn region(a: Val<Agent>) -> u32 { a.region }
                fn vlan(a: Val<Agent>) -> u32 { a.vlan }
                fn net(a: Val<Agent>) -> u32 { a.net }
                fn has(a: Val<Agent>, driver: u32) -> bool { a.drivers >> (driver - 1) & 1 == 1 }
            }
            impl Val<Pool> {
                fn size(p: Val<Pool>) -> u32 { p.size }
                fn iops(p: Val<Pool>) -> u32 { p.iops }
                fn media(p: Val<Pool>) -> u32 { p.media }
                fn replicas(p: Val<Pool>) -> u32 { p.replicas }
                fn region(p: Val<Pool>) -> u32 { p.region }
                fn driver(p: Val<Pool>) -> u32 { p.driver }
                fn vlan(p: Val<Pool>) -> u32 { p.vlan }
                fn net(p: Val<Pool>) -> u32 { p.net }
            }
            impl Val<Asked> {
                fn cpus(n: Val<Asked>) -> u32 { n.cpus }
                fn mem(n: Val<Asked>) -> u32 { n.mem }
                fn disk(n: Val<Asked>) -> u32 { n.disk }
                fn ports(n: Val<Asked>) -> u32 { n.ports }
                fn within(n: Val<Asked>, region: u32) -> bool { region < 32 && n.regions >> region & 1 == 1 }
                fn size(n: Val<Asked>) -> u32 { n.size }
                fn iops(n: Val<Asked>) -> u32 { n.iops }
                fn media(n: Val<Asked>) -> u32 { n.media }
                fn replicas(n: Val<Asked>) -> u32 { n.replicas }
            }
        };
        let runtime = Runtime::from_lib(library).map_err(|error| error.to_string())?;
        let file = SourceFile {
            name: "policy.roto".to_owned(),
            module_name: "pkg".to_owned(),
            contents: POLICY.to_owned(),
            location_offset: 0,
            children: Vec::new(),
        };
        let mut package =
            FileTree { files: vec![file] }.compile(&runtime).map_err(|error| error.to_string())?;
        let missing = |error: &dyn std::fmt::Display| error.to_string();
        self.loaded = Some(Loaded {
            agent: package.get_function("agent").map_err(|error| missing(&error))?,
            pool: package.get_function("pool").map_err(|error| missing(&error))?,
            pair: package.get_function("pair").map_err(|error| missing(&error))?,
            need: asked(&work.needs[0]),
            agents: agents(fleet),
            pools: pools(fleet, work),
        });
        Ok(())
    }

    fn agent(&mut self, row: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        loaded.agent.call(Val(loaded.agents[row]), Val(loaded.need))
    }

    fn pool(&mut self, row: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        loaded.pool.call(Val(loaded.pools[row]), Val(loaded.need))
    }

    fn pair(&mut self, agent: usize, pool: usize) -> bool {
        let loaded = self.loaded.as_ref().expect("loaded");
        loaded.pair.call(Val(loaded.agents[agent]), Val(loaded.pools[pool]))
    }
}
