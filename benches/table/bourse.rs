//! The workload as Bourse reads it: policies, and the fleet as records and as NDJSON.

use std::fmt::Write as _;

use bourse::{
    inventory::records::{
        AgentRecord, BrokerRecord, KeyRecord, Located, PartRecord, Raw, RawAmount, Records, ResourceRecord,
        RuleRecord, RuleText, TierKind, TierRecord,
    },
    quantity::{Dimension, Quantity},
    ranges::Ranges,
    source::Span,
};
use bourse_yardstick::{
    Agent, Fleet, Need, Pool, Work,
    fleet::{Place, driver_of},
    work::Act,
};

const RULES: &str = include_str!("rules.policy");
const SCORES: &str = include_str!("scores.policy");
const NET: &str = include_str!("net.policy");
const RACKS: &str = include_str!("racks.policy");

/// The first port of an agent; it has so many from there on.
const FIRST_PORT: i64 = 10_000;

/// The files of the policy set of a work: names and texts. Need `number` is the one of framework `f<number>`.
pub fn policies(work: &Work) -> Vec<(&'static str, String)> {
    let mut files = vec![("rules.policy", RULES.to_owned())];
    if !work.rules.flat {
        files.push(("scores.policy", SCORES.to_owned()));
    }
    if work.rules.net {
        files.push(("net.policy", NET.to_owned()));
    }
    if work.rules.racks {
        files.push(("racks.policy", RACKS.to_owned()));
    }
    files.push(("needs.policy", needs(work)));
    files
}

fn needs(work: &Work) -> String {
    let mut text = String::new();
    let cycle = work.act == Act::Cycle;
    for (number, need) in work.needs.iter().enumerate() {
        let role = if cycle { number % 100 } else { 0 };
        let _ = writeln!(text, "framework f{number} {{\n  role = \"team-{role:02}\"\n  need n {{");
        if cycle {
            text.push_str("    count = 10\n    spread over zone\n");
        }
        write_need(&mut text, need);
        text.push_str("  }\n}\n");
    }
    text
}

fn write_need(text: &mut String, need: &Need) {
    let Need { cpus, mem, disk, ports, regions, size, iops, media, replicas } = need;
    let cpus = if *cpus == 0 { String::new() } else { format!("cpus = {cpus}, ") };
    let _ = writeln!(text, "    agent {{ {cpus}mem = {mem}MiB, disk = {disk}GiB, ports = {ports} }}");
    if !regions.is_empty() {
        let _ = writeln!(text, "    within [\"{}\"]", regions.join("\", \""));
    }
    let _ = writeln!(
        text,
        "    volume data {{ size = {size}GiB, iops = {iops}, is {media}, is copies-{replicas} }}"
    );
}

/// A fleet as records: what an embedder who has structs would make.
pub fn records(fleet: &Fleet) -> Records {
    let agents = fleet.agents.iter().map(agent).collect();
    Records { broker: BrokerRecord::default(), agents, providers: providers(fleet), ..Records::default() }
}

fn located(text: impl Into<String>) -> Located {
    Located { text: text.into(), span: Span::default() }
}

fn key(key: &str, value: Raw) -> KeyRecord {
    KeyRecord { key: key.to_owned(), value, span: Span::default() }
}

fn number(name: &str, value: Option<u32>) -> Option<KeyRecord> {
    value.map(|value| key(name, Raw::Integer(i64::from(value))))
}

fn resource(name: &str, amount: RawAmount) -> ResourceRecord {
    let part = PartRecord::Unreserved;
    ResourceRecord { part, name: name.to_owned(), amount, options: None, span: Span::default() }
}

fn bytes(value: u32, unit: i64) -> RawAmount {
    RawAmount::Quantity(Quantity { dimension: Dimension::Size, amount: i64::from(value) * unit })
}

fn agent(agent: &Agent) -> AgentRecord {
    let drivers = agent.drivers.as_ref().map(|own| match own.as_slice() {
        [] => Raw::Empty,
        own => Raw::Texts(own.iter().map(|own| (*own).to_owned()).collect()),
    });
    let ports = |count: u32| {
        Ranges::new([(FIRST_PORT, FIRST_PORT + i64::from(count) - 1)].into_iter().take(count.min(1) as usize))
    };
    let keys = [
        drivers.map(|drivers| key("drivers", drivers)),
        number("vlan", agent.vlan),
        number("net", agent.net),
        agent.infiniband.map(|has| key("adapter.infiniband", Raw::Bool(has))),
    ];
    let resources = [
        agent.cpus.map(|cpus| resource("cpus", RawAmount::Integer(i64::from(cpus)))),
        agent.mem.map(|mem| resource("mem", bytes(mem, 1 << 20))),
        agent.disk.map(|disk| resource("disk", bytes(disk, 1 << 30))),
        agent.ports.map(|count| resource("ports", RawAmount::Ranges(ports(count)))),
    ];
    AgentRecord {
        name: located(agent.name.as_str()),
        domain: agent.place.map(Place::path).map(located),
        keys: keys.into_iter().flatten().collect(),
        resources: resources.into_iter().flatten().collect(),
        rules: Vec::new(),
    }
}

fn tier(kind: TierKind, name: String) -> TierRecord {
    TierRecord {
        kind,
        name: located(name),
        domain: None,
        keys: Vec::new(),
        resources: Vec::new(),
        rules: Vec::new(),
        reserved_for: None,
        children: Vec::new(),
    }
}

/// What a provider asks of an agent.
fn rule(provider: u32) -> Option<String> {
    driver_of(provider).map(|driver| format!("agent.drivers has \"{driver}\""))
}

/// Its last child with this name, which is made where there is none: pools come in order of path.
fn child(children: &mut Vec<TierRecord>, kind: TierKind, name: String) -> &mut TierRecord {
    if children.last().is_none_or(|last| last.name.text != name) {
        children.push(tier(kind, name));
    }
    children.last_mut().expect("just made")
}

fn providers(fleet: &Fleet) -> Vec<TierRecord> {
    let mut providers = Vec::new();
    for pool in &fleet.pools {
        let provider = child(&mut providers, TierKind::Provider, format!("prov{:02}", pool.provider));
        if let (true, Some(rule)) = (provider.rules.is_empty(), rule(pool.provider)) {
            provider.rules.push(RuleRecord {
                label: Some(located("driver")),
                strength: bourse::operator::Strength::Require,
                text: RuleText::Text(located(rule)),
                span: Span::default(),
                docs: Vec::new(),
            });
        }
        let instance = child(&mut provider.children, TierKind::Instance, format!("inst{}", pool.instance));
        instance.children.push(pool_record(pool));
    }
    providers
}

fn pool_name(pool: &Pool) -> String {
    pool.path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn pool_record(pool: &Pool) -> TierRecord {
    let keys = [
        pool.media.map(|media| key("media", Raw::Text(media.to_owned()))),
        number("replicas", pool.replicas),
        number("tier", pool.tier),
        number("vlan", pool.vlan),
        number("min-net", pool.min_net),
    ];
    let resources = [
        pool.size.map(|size| resource("size", bytes(size, 1 << 30))),
        pool.iops.map(|iops| resource("iops", RawAmount::Integer(i64::from(iops)))),
    ];
    TierRecord {
        domain: pool.place.map(Place::path).map(located),
        keys: keys.into_iter().flatten().collect(),
        resources: resources.into_iter().flatten().collect(),
        ..tier(TierKind::Pool, pool_name(pool))
    }
}

/// A fleet as an inventory in NDJSON.
pub fn ndjson(fleet: &Fleet) -> String {
    let mut text = String::from("{\"format\":\"bourse.inventory\",\"version\":1}\n");
    for agent in &fleet.agents {
        let _ = write!(text, "{{\"record\":\"agent\",\"name\":\"{}\"", agent.name);
        if let Some(place) = agent.place {
            let _ = write!(text, ",\"domain\":\"{}\"", place.path());
        }
        let drivers = |own: &Vec<&str>| {
            let quoted: Vec<String> = own.iter().map(|own| format!("\"{own}\"")).collect();
            format!("[{}]", quoted.join(","))
        };
        let keys = [
            field("drivers", agent.drivers.as_ref().map(drivers)),
            field("vlan", agent.vlan),
            field("net", agent.net),
            field("adapter", agent.infiniband.map(|has| format!("{{\"infiniband\":{has}}}"))),
        ];
        let ports = |count: u32| match count {
            0 => "[]".to_owned(),
            count => format!("[\"{FIRST_PORT}..{}\"]", FIRST_PORT + i64::from(count) - 1),
        };
        let resources = [
            field("cpus", agent.cpus),
            field("mem", agent.mem.map(|mem| format!("\"{mem}MiB\""))),
            field("disk", agent.disk.map(|disk| format!("\"{disk}GiB\""))),
            field("ports", agent.ports.map(ports)),
        ];
        let _ = writeln!(text, ",\"keys\":{},\"resources\":{}}}", object(keys), object(resources));
    }
    let mut pools = fleet.pools.iter().peekable();
    while let Some(first) = pools.peek().copied() {
        let rule = rule(first.provider).map(|rule| {
            format!(",\"require\":[{{\"label\":\"driver\",\"rule\":\"{}\"}}]", rule.replace('"', "\\\""))
        });
        let rule = rule.unwrap_or_default();
        let _ = write!(text, "{{\"record\":\"provider\",\"name\":\"prov{:02}\"{rule}", first.provider);
        text.push_str(",\"instances\":[");
        let mut instance = None;
        while let Some(pool) = pools.next_if(|pool| pool.provider == first.provider) {
            if instance != Some(pool.instance) {
                let end = if instance.is_some() { "]}," } else { "" };
                let _ = write!(text, "{end}{{\"name\":\"inst{}\",\"pools\":[", pool.instance);
            } else {
                text.push(',');
            }
            instance = Some(pool.instance);
            write_pool(&mut text, pool);
        }
        text.push_str("]}]}\n");
    }
    text
}

fn write_pool(text: &mut String, pool: &Pool) {
    let _ = write!(text, "{{\"name\":\"{}\"", pool_name(pool));
    if let Some(place) = pool.place {
        let _ = write!(text, ",\"domain\":\"{}\"", place.path());
    }
    let keys = [
        field("media", pool.media.map(|media| format!("\"{media}\""))),
        field("replicas", pool.replicas),
        field("tier", pool.tier),
        field("vlan", pool.vlan),
        field("min-net", pool.min_net),
    ];
    let resources = [field("size", pool.size.map(|size| format!("\"{size}GiB\""))), field("iops", pool.iops)];
    let _ = write!(text, ",\"keys\":{},\"resources\":{}}}", object(keys), object(resources));
}

fn field(name: &str, value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| format!("\"{name}\":{value}"))
}

fn object<const N: usize>(fields: [Option<String>; N]) -> String {
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    format!("{{{}}}", fields.join(","))
}
