//! A fleet that changes in place is the fleet that is bound anew: after each of many generated changes it makes the
//! same offers, byte for byte, and has the same left of everything; what it refuses, binding refuses too, and nothing
//! has changed then. What it says has changed is all that has.

use std::collections::{BTreeMap, BTreeSet};

use bourse::{
    Delta, Fleet, Inventory, Live, Policy,
    diagnostic::Code,
    inventory::{
        ledger,
        world::{HoldingId, StockId, StockKind, World},
    },
    live::{Changed, Holder, Rows},
    output::{self, Detail, View},
    quantity::Quantity,
};
use serde_json::{Map, Value, json};

use crate::properties::{Numbers, cycle, declarations};

const RULES: [&str; 3] = ["framework.name != \"f1\"", "need.name != \"n1\"", "framework.name != \"f2\""];

/// A fleet as data: what a broker would bind anew.
#[derive(Clone, Default)]
struct Model {
    agents: Vec<Value>,
    providers: Vec<Value>,
    volumes: Vec<Value>,
    reservations: Vec<Value>,
    allocations: Vec<Value>,
}

/// Puts a row in the place of the one of its name, or at the end.
fn put(rows: &mut Vec<Value>, key: &str, row: &Value) {
    match rows.iter_mut().find(|known| known[key] == row[key]) {
        Some(known) => *known = row.clone(),
        None => rows.push(row.clone()),
    }
}

fn list(rows: Vec<(&str, &[Value])>) -> Inventory {
    let mut document = Map::new();
    document.insert("format".to_owned(), json!("bourse.inventory"));
    document.insert("version".to_owned(), json!(1));
    document.extend(rows.into_iter().map(|(key, rows)| (key.to_owned(), json!(rows))));
    let text = Value::Object(document).to_string();
    Inventory::from_json("fleet.json", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

impl Model {
    fn inventory(&self) -> Inventory {
        list(vec![
            ("agents", &self.agents),
            ("providers", &self.providers),
            ("volumes", &self.volumes),
            ("reservations", &self.reservations),
            ("allocations", &self.allocations),
        ])
    }

    fn names(&self, rows: &[Value], key: &str) -> Vec<String> {
        rows.iter().map(|row| row[key].as_str().expect("a text").to_owned()).collect()
    }

    /// Every pool, by its path.
    fn pools(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for provider in &self.providers {
            for pool in provider["instances"][0]["pools"].as_array().expect("pools") {
                let text = |value: &Value| value["name"].as_str().expect("a name").to_owned();
                paths.push(format!("{}/i/{}", text(provider), text(pool)));
            }
        }
        paths
    }

    /// Every existing volume, by its path.
    fn existing(&self) -> Vec<String> {
        let mut paths = self.names(&self.volumes, "path");
        for provider in &self.providers {
            for pool in provider["instances"][0]["pools"].as_array().expect("pools") {
                if pool.get("volumes").is_some() {
                    paths.push(format!("{}/i/{}/v", provider["name"].as_str().expect("a name"), pool["name"].as_str().expect("a name")));
                }
            }
        }
        paths
    }
}

fn parts(n: &mut Numbers, row: &mut Value, resource: &str, unit: &str) {
    for role in ["x", "x/y"] {
        if n.chance(25) {
            row["reserved"][role][resource] = json!(format!("{}{unit}", 1 + n.below(4)));
        }
    }
    if n.chance(20) {
        row["revocable"][resource] = json!(format!("{}{unit}", 1 + n.below(4)));
    }
}

fn agent(n: &mut Numbers, name: &str) -> Value {
    let mut row = json!({"name": name, "keys": {}, "resources": {
        "cpus": 1 + n.below(9), "mem": format!("{}GiB", 1 + n.below(32)), "ports": [format!("31000..{}", 31_000 + n.below(6))],
        "mounts": n.below(5)}});
    if n.chance(80) {
        row["domain"] = json!(n.pick(&["us/a", "us/b", "eu/a", "us", "eu/b/r1"]));
    }
    if n.chance(80) {
        row["keys"]["os"] = match n.below(8) {
            0 => json!(7),
            1 => json!("plan9"),
            _ => json!("linux"),
        };
    }
    if n.chance(30) {
        parts(n, &mut row, "cpus", "");
    }
    if n.chance(15) {
        row["resources"]["cpus"] = json!({"total": 4 + n.below(6), "reserved": "25%", "overcommit": 2, "step": 0.5});
    }
    if n.chance(20) {
        row["resources"]["gpus"] = json!(1 + n.below(3));
    }
    if n.chance(10) {
        row["resources"].as_object_mut().expect("an object").remove("mounts");
    }
    if n.chance(20) {
        row["reserved"]["z"]["ports"] = json!(["5000..5002"]);
    }
    if n.chance(25) {
        let rule = n.pick(&RULES);
        row["require"] = json!([{"label": "own", "rule": rule}]);
    }
    row
}

fn provider(n: &mut Numbers, name: &str) -> Value {
    let pools = 1 + n.below(3);
    let pools: Vec<Value> = (0..pools)
        .filter_map(|at| {
            let mut pool = json!({"name": format!("s{at}"), "keys": {"tier": n.below(4)},
                "resources": {"size": format!("{}GB", 20 + n.below(90))}});
            if n.chance(30) {
                pool["resources"]["size"] = json!({"total": format!("{}GB", 20 + n.below(90)), "step": "4GB", "min": "3GB"});
            }
            if n.chance(50) {
                pool["resources"]["iops"] = json!(100 + n.below(900));
            }
            parts(n, &mut pool, "size", "GB");
            if n.chance(10) {
                pool["keys"]["carve"] = json!(false);
            }
            if n.chance(40) {
                pool["volumes"] = json!([volume(n, "name", "v")]);
            }
            n.chance(90).then_some(pool)
        })
        .collect();
    let mut row = json!({"name": name, "instances": [{"name": "i", "pools": pools}]});
    if n.chance(60) {
        row["instances"][0]["domain"] = json!(n.pick(&["us/a", "us/b", "eu/a"]));
    }
    if n.chance(50) {
        row["instances"][0]["resources"]["iops"] = json!(1_000);
        let instance = &mut row["instances"][0];
        parts(n, instance, "iops", "");
    }
    if n.chance(20) {
        row["resources"]["size"] = json!("150GB");
    }
    row
}

fn volume(n: &mut Numbers, key: &str, name: &str) -> Value {
    let mut row = json!({key: name, "keys": {}, "resources": {"size": format!("{}GB", 1 + n.below(9))}});
    match n.below(4) {
        0 => row["reserved_for"] = json!("x"),
        1 => row["keys"]["users"] = json!(2),
        2 => row["keys"]["access"] = json!("ro"),
        _ => {}
    }
    row
}

fn allocation(n: &mut Numbers, name: &str, model: &Model) -> Value {
    let mut row = json!({"name": name, "framework": format!("f{}", n.below(3)), "need": "n0"});
    if n.chance(70) {
        row["role"] = json!(n.pick(&["*", "x", "x/y", "z"]));
    }
    let pick = |n: &mut Numbers, names: &[String]| names[n.below(names.len() as u64) as usize].clone();
    let agents = model.names(&model.agents, "name");
    for _ in 0..n.below(3) {
        if !agents.is_empty() {
            let agent = pick(n, &agents);
            row["agents"][&agent]["cpus"] = json!(1 + n.below(3));
            if n.chance(30) {
                row["agents"][&agent]["ports"] = json!([31_000 + n.below(6)]);
            }
            if n.chance(10) {
                row["revocable"]["agents"][&agent]["cpus"] = json!(1);
            }
        }
    }
    let pools = model.pools();
    if !pools.is_empty() && n.chance(50) {
        row["pools"][pick(n, &pools)]["size"] = json!(format!("{}GB", 1 + n.below(12)));
    }
    let volumes = model.existing();
    if !volumes.is_empty() && n.chance(30) {
        row["volumes"] = json!([pick(n, &volumes)]);
    }
    row
}

/// A change, said to the fleet and to the model.
#[derive(Default)]
struct Step {
    puts: BTreeMap<&'static str, Vec<Value>>,
    agents: Vec<String>,
    storage: Vec<String>,
    ended: Vec<String>,
}

impl Step {
    fn put(&mut self, kind: &'static str, key: &str, row: Value) {
        put(self.puts.entry(kind).or_default(), key, &row);
    }

    fn make(n: &mut Numbers, model: &Model) -> Step {
        let mut step = Step::default();
        let name = |n: &mut Numbers, letter: &str, bound: u64| format!("{letter}{}", n.below(bound));
        for _ in 0..1 + n.below(3) {
            match n.below(12) {
                0..=2 => {
                    let name = name(n, "a", 9);
                    step.put("agents", "name", agent(n, &name));
                }
                3 => step.remove_agent(n, model),
                4 | 5 => {
                    let name = name(n, "p", 4);
                    step.put("providers", "name", provider(n, &name));
                }
                6 => step.remove_storage(n, model),
                7 => {
                    let pools = model.pools();
                    if !pools.is_empty() {
                        let path = format!("{}/{}", n.pick(&pools.iter().map(String::as_str).collect::<Vec<_>>()), n.pick(&["v", "w"]));
                        step.put("volumes", "path", volume(n, "path", &path));
                    }
                }
                8 => {
                    let names = model.names(&model.allocations, "name");
                    if let Some(name) = names.get(n.below(names.len().max(1) as u64) as usize) {
                        step.ended.push(name.clone());
                    }
                }
                _ => {
                    let name = name(n, "w", 12);
                    step.put("allocations", "name", allocation(n, &name, model));
                }
            }
        }
        // What is given takes the place of what there is: both at once are refused.
        let given = |kind: &str, key: &str| -> BTreeSet<String> {
            let rows = step.puts.get(kind).into_iter().flatten();
            rows.map(|row| row[key].as_str().expect("a name").to_owned()).collect()
        };
        let (agents, ended, providers, volumes) =
            (given("agents", "name"), given("allocations", "name"), given("providers", "name"), given("volumes", "path"));
        step.agents.retain(|name| !agents.contains(name));
        step.ended.retain(|name| !ended.contains(name));
        step.storage.retain(|path| {
            !providers.contains(path.split('/').next().expect("a name")) && !volumes.iter().any(|volume| volume.starts_with(path))
        });
        for names in [&mut step.agents, &mut step.ended, &mut step.storage] {
            names.sort();
            names.dedup();
        }
        let all = step.storage.clone();
        step.storage.retain(|path| !all.iter().any(|other| path.starts_with(&format!("{other}/"))));
        step
    }

    fn remove_agent(&mut self, n: &mut Numbers, model: &Model) {
        let names = model.names(&model.agents, "name");
        let Some(name) = names.get(n.below(names.len().max(1) as u64) as usize) else { return };
        self.agents.push(name.clone());
        if n.chance(80) {
            let on_it = model.allocations.iter().filter(|row| row["agents"].get(name).is_some() || row["revocable"]["agents"].get(name).is_some());
            self.ended.extend(on_it.map(|row| row["name"].as_str().expect("a name").to_owned()));
        }
    }

    fn remove_storage(&mut self, n: &mut Numbers, model: &Model) {
        let (pools, volumes) = (model.pools(), model.existing());
        let from = if n.chance(50) && !volumes.is_empty() { volumes } else { pools };
        let Some(path) = from.get(n.below(from.len().max(1) as u64) as usize) else { return };
        let path = if n.chance(20) { path.split('/').next().expect("a name").to_owned() } else { path.clone() };
        if n.chance(80) {
            let below = |known: &str| known == path || known.starts_with(&format!("{path}/"));
            let on_it = model.allocations.iter().filter(|row| {
                let pools = row["pools"].as_object().is_some_and(|pools| pools.keys().any(|pool| below(pool)));
                let volumes = row["volumes"].as_array().into_iter().flatten();
                pools || volumes.into_iter().any(|volume| below(volume.as_str().expect("a path")))
            });
            self.ended.extend(on_it.map(|row| row["name"].as_str().expect("a name").to_owned()));
        }
        self.storage.push(path);
    }

    fn on_model(&self, model: &Model) -> Model {
        let mut next = model.clone();
        let rows = |kind: &str| self.puts.get(kind).map_or(&[][..], Vec::as_slice);
        rows("agents").iter().for_each(|row| put(&mut next.agents, "name", row));
        rows("providers").iter().for_each(|row| put(&mut next.providers, "name", row));
        rows("allocations").iter().for_each(|row| put(&mut next.allocations, "name", row));
        next.agents.retain(|row| !self.agents.iter().any(|name| row["name"] == json!(name)));
        next.allocations.retain(|row| !self.ended.iter().any(|name| row["name"] == json!(name)));
        let given = |name: &Value| rows("providers").iter().any(|row| row["name"] == *name);
        let mut gone: Vec<String> = self.storage.clone();
        gone.extend(rows("volumes").iter().map(|row| row["path"].as_str().expect("a path").to_owned()));
        for (at, path) in gone.iter().enumerate() {
            let names: Vec<&str> = path.split('/').collect();
            let is_put = at >= self.storage.len();
            if let [name] = names.as_slice() {
                next.providers.retain(|row| row["name"] != json!(name));
            }
            for provider in next.providers.iter_mut().filter(|row| row["name"] == json!(names[0])) {
                if is_put && given(&provider["name"]) {
                    continue;
                }
                let pools = provider["instances"][0]["pools"].as_array_mut().expect("pools");
                match names.as_slice() {
                    [_, _, pool] => pools.retain(|row| row["name"] != json!(pool)),
                    [_, _, pool, _] => {
                        for row in pools.iter_mut().filter(|row| row["name"] == json!(pool)) {
                            let is_it = row["volumes"][0]["name"] == json!(names[3]);
                            if is_it {
                                row.as_object_mut().expect("an object").remove("volumes");
                            } else if row["volumes"].is_null() {
                                row.as_object_mut().expect("an object").remove("volumes");
                            }
                        }
                    }
                    _ => {}
                }
            }
            if !is_put {
                next.volumes.retain(|row| {
                    let known = row["path"].as_str().expect("a path");
                    known != path && !known.starts_with(&format!("{path}/"))
                });
            }
        }
        rows("volumes").iter().for_each(|row| put(&mut next.volumes, "path", row));
        next
    }

    fn on_live(&self, live: &mut Live) -> Result<Changed, bourse::Error> {
        let rows = self.puts.iter().map(|(kind, rows)| (*kind, rows.as_slice())).collect();
        let given = list(rows);
        let mut delta = Delta::default().put(&given);
        delta = self.agents.iter().fold(delta, |delta, name| delta.remove_agent(name));
        delta = self.storage.iter().fold(delta, |delta, path| delta.remove_storage(path));
        delta = self.ended.iter().fold(delta, |delta, name| delta.end(name));
        live.apply(&delta).map(|applied| applied.changed)
    }
}

/// Where a stock is, in words that do not depend on numbers.
fn holders(fleet: &Fleet) -> BTreeMap<StockId, String> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let text = |symbol| plan.symbols.text(symbol);
    let mut out = BTreeMap::new();
    let mut add = |holder: &str, id: HoldingId| {
        let holding = world.holding(id);
        for (_, stock) in &holding.parts {
            let kind = match world.stock(*stock).kind {
                StockKind::Part(bourse::inventory::world::PartKind::Reserved(role)) => text(role).to_owned(),
                other => format!("{other:?}"),
            };
            let (step, min, max) = (holding.step, holding.min, holding.max);
            let name = format!("{holder} {} {kind} {step} {min} {max:?}", text(holding.resource));
            assert!(out.insert(*stock, name).is_none(), "a stock is of two holders");
        }
    };
    for agent in &world.agents {
        agent.resources.iter().for_each(|held| add(&format!("agent {}", text(agent.name)), held.holding));
    }
    for tier in &world.tiers {
        tier.resources.iter().for_each(|held| add(text(tier.path), held.holding));
    }
    for supply in world.supplies.iter() {
        if let Some(existing) = &supply.existing {
            out.insert(existing.users, format!("{} users", text(supply.path)));
        }
    }
    for ((role, side, resource), id) in &world.limits {
        out.insert(*id, format!("limit of {} {side} {}", text(*role), text(*resource)));
    }
    out
}

/// Everything that is to be the same, in words.
fn digest(fleet: &Fleet) -> Vec<String> {
    let (plan, world, ledger) = (fleet.plan(), fleet.world(), fleet.ledger());
    let text = |symbol| plan.symbols.text(symbol);
    let holders = holders(fleet);
    let mut out: Vec<String> = Vec::new();
    for (id, holder) in &holders {
        let (total, used) = (ledger::total(world.stock(*id)), ledger.used(*id));
        out.push(format!("{holder}: {total:?} {used} {:?}", ledger.free_set(world, *id)));
    }
    for ((side, resource), total) in world.totals.iter().filter(|(_, total)| **total != 0) {
        out.push(format!("total {side} {} {total}", text(*resource)));
    }
    for allocation in &world.allocations {
        let mut takes: Vec<String> =
            allocation.takes.iter().map(|take| format!("{} {:?}", holders[&take.stock], take.amount)).collect();
        takes.sort();
        let agent = allocation.agent.map(|at| text(world.agents[at].name));
        let supplies: Vec<&str> = allocation.supplies.iter().map(|at| text(world.supplies[*at].path)).collect();
        let mut shares: Vec<String> = allocation
            .shares
            .iter()
            .map(|(side, resource, amount)| format!("{side} {} {amount}", text(*resource)))
            .collect();
        shares.sort();
        out.push(format!("{} {agent:?} {supplies:?} {takes:?} {shares:?}", text(allocation.name)));
    }
    out.sort();
    let again = ledger::Ledger::new(world);
    assert!(holders.keys().all(|id| again.used(*id) == ledger.used(*id)), "the ledger is not of the allocations");
    out
}

fn offers(fleet: &Fleet) -> String {
    output::offers_json(&cycle(fleet), View::Operator, Detail::All)
}

/// What someone keeps beside the rows, who looks only at what is said to have changed.
#[derive(Default)]
struct Mirror {
    agents: Vec<String>,
    supplies: Vec<String>,
    stocks: BTreeMap<StockId, String>,
}

fn held(world: &World, id: HoldingId) -> String {
    let holding = world.holding(id);
    let totals: Vec<_> = holding.parts.iter().map(|part| (part, &world.stock(part.1).usable)).collect();
    format!("{id:?} {totals:?} {} {} {:?}", holding.step, holding.min, holding.max)
}

fn agent_row(fleet: &Fleet, at: usize) -> String {
    let row = &fleet.world().agents[at];
    let resources: Vec<String> = row.resources.iter().map(|one| held(fleet.world(), one.holding)).collect();
    format!("{:?} {:?} {:?} {} {resources:?}", row.name, row.placement, row.cells, row.rules)
}

fn supply_row(fleet: &Fleet, at: usize) -> String {
    let (world, row) = (fleet.world(), &fleet.world().supplies[at]);
    let resources: Vec<String> = row.resources.iter().flat_map(|(_, tiers)| tiers).map(|id| held(world, *id)).collect();
    let volume = row.existing.as_ref().map(|one| {
        (one.filesystem, one.read_only, one.users, &world.stock(one.users).usable, &one.whole, one.reserved_for)
    });
    let rules: Vec<usize> = row.chain.iter().map(|tier| world.tiers[*tier].rules).collect();
    format!("{:?} {:?} {:?} {rules:?} {resources:?} {volume:?}", row.path, row.placement, row.cells)
}

fn stock_row(fleet: &Fleet, id: StockId) -> String {
    format!("{:?} {}", fleet.world().stock(id).usable, fleet.ledger().used(id))
}

fn follow(kept: &mut Vec<String>, rows: &Rows, row: impl Fn(usize) -> String) {
    rows.removed.iter().rev().for_each(|at| drop(kept.remove(*at)));
    rows.inserted.iter().for_each(|at| kept.insert(*at, row(*at)));
    rows.changed.iter().for_each(|at| kept[*at] = row(*at));
}

impl Mirror {
    fn of(fleet: &Fleet) -> Mirror {
        let (agents, supplies) = (fleet.world().agents.len(), fleet.world().supplies.len());
        Mirror {
            agents: (0..agents).map(|at| agent_row(fleet, at)).collect(),
            supplies: (0..supplies).map(|at| supply_row(fleet, at)).collect(),
            stocks: holders(fleet).into_keys().map(|id| (id, stock_row(fleet, id))).collect(),
        }
    }

    fn follow(&mut self, fleet: &Fleet, changed: &Changed) {
        follow(&mut self.agents, &changed.agents, |at| agent_row(fleet, at));
        follow(&mut self.supplies, &changed.supplies, |at| supply_row(fleet, at));
        changed.stocks.iter().filter(|id| (id.0 as usize) < fleet.world().stocks.len()).for_each(|id| {
            self.stocks.insert(*id, stock_row(fleet, *id));
        });
    }

    fn assert_is(&self, fleet: &Fleet, what: &str) {
        let now = Mirror::of(fleet);
        assert_eq!(self.agents, now.agents, "{what}: what changed of agents");
        assert_eq!(self.supplies, now.supplies, "{what}: what changed of supplies");
        for (id, row) in &now.stocks {
            assert_eq!(self.stocks.get(id), Some(row), "{what}: what changed of stocks");
        }
    }
}

fn policy(seed: u64) -> Policy {
    let all = declarations(seed);
    let of_policy = all.iter().filter(|text| !text.starts_with("agent ") && !text.starts_with("provider "));
    let text: Vec<&str> = of_policy.map(String::as_str).collect();
    Policy::compile([("live.policy", text.join("\n").as_str())]).unwrap_or_else(|error| panic!("{error}"))
}

/// A fleet that binds.
fn start(n: &mut Numbers, policy: &Policy) -> Model {
    let mut model = Model::default();
    for at in 0..3 + n.below(4) {
        model.agents.push(agent(n, &format!("a{at}")));
    }
    for at in 0..1 + n.below(3) {
        model.providers.push(provider(n, &format!("p{at}")));
    }
    let mut try_row = |n: &mut Numbers, kind: u8| {
        let mut next = model.clone();
        let pools = next.pools();
        let at = next.allocations.len();
        match kind {
            0 => next.reservations.push(json!({"name": format!("r{}", next.reservations.len()), "role": n.pick(&["x", "x/y", "z"]),
                "agent": format!("a{}", n.below(3)), "resources": {"cpus": 1 + n.below(2)}})),
            1 if !pools.is_empty() => next.reservations.push(json!({"name": format!("r{}", next.reservations.len()), "role": "x",
                "pool": pools[n.below(pools.len() as u64) as usize], "resources": {"size": "2GB"}})),
            2 if !pools.is_empty() => {
                let path = format!("{}/w", pools[n.below(pools.len() as u64) as usize]);
                put(&mut next.volumes, "path", &volume(n, "path", &path));
            }
            _ => next.allocations.push(allocation(n, &format!("w{at}"), &next)),
        }
        if policy.fleet(&[&next.inventory()]).is_ok() {
            model = next;
        }
    };
    for kind in [0, 0, 1, 2, 2, 3, 3, 3, 3, 3] {
        try_row(n, kind);
    }
    model
}

#[test]
fn a_fleet_that_changed_is_the_fleet_bound_anew() {
    let (mut made, mut refused, mut of_policy) = (0, 0, 0);
    for seed in 0..60 {
        let mut n = Numbers((seed + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let policy = policy(seed);
        let mut model = start(&mut n, &policy);
        let mut live = Live::bind(&policy, &[&model.inventory()]).expect("binds");
        let mut mirror = Mirror::of(live.fleet());
        for at in 0..14 {
            let what = format!("seed {seed}, step {at}");
            let step = Step::make(&mut n, &model);
            let next = step.on_model(&model);
            let anew = policy.fleet(&[&next.inventory()]);
            let before = (digest(live.fleet()), offers(live.fleet()));
            match step.on_live(&mut live) {
                Ok(changed) => {
                    let anew = anew.unwrap_or_else(|error| panic!("{what}: made, and refused anew:\n{error}"));
                    assert_eq!(digest(live.fleet()), digest(&anew), "{what}");
                    assert_eq!(offers(live.fleet()), offers(&anew), "{what}");
                    mirror.follow(live.fleet(), &changed);
                    mirror.assert_is(live.fleet(), &what);
                    model = next;
                    made += 1;
                }
                Err(error) => {
                    let codes: BTreeSet<Code> =
                        error.report().diagnostics.iter().map(|problem| problem.code).collect();
                    assert!(!codes.contains(&Code::B0518) || codes.len() == 1 || anew.is_err(), "{what}: {error}");
                    of_policy += usize::from(codes.contains(&Code::B0518));
                    assert!(codes.contains(&Code::B0518) || anew.is_err(), "{what}: refused, and bound anew:\n{error}");
                    assert_eq!(before, (digest(live.fleet()), offers(live.fleet())), "{what}: a refusal left something");
                    mirror.assert_is(live.fleet(), &what);
                    refused += 1;
                }
            }
        }
    }
    assert!(made > 300 && refused > 50 && of_policy > 5, "all were seen: {made}, {refused}, {of_policy}");
}

#[test]
fn totals_that_heartbeats_set_are_those_bound_anew() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..60 {
        let mut n = Numbers((seed + 7_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let policy = policy(seed);
        let mut model = start(&mut n, &policy);
        let mut live = Live::bind(&policy, &[&model.inventory()]).expect("binds");
        let mut mirror = Mirror::of(live.fleet());
        for at in 0..8 {
            let what = format!("seed {seed}, step {at}");
            let mut next = model.clone();
            let before = digest(live.fleet());
            let pools = next.pools();
            let (of_agent, total) = (n.chance(60) || pools.is_empty(), 1 + n.below(20));
            let result = if of_agent {
                let row = n.below(next.agents.len() as u64) as usize;
                let row = &mut next.agents[row];
                row["resources"]["cpus"] = json!(total);
                let name = row["name"].as_str().expect("a name").to_owned();
                live.set_total(Holder::Agent(&name), "cpus", Quantity::parse(&total.to_string()).expect("reads"))
            } else {
                let path = &pools[n.below(pools.len() as u64) as usize];
                let names: Vec<&str> = path.split('/').collect();
                let text = format!("{}GB", total * 5);
                for provider in next.providers.iter_mut().filter(|row| row["name"] == json!(names[0])) {
                    let pools = provider["instances"][0]["pools"].as_array_mut().expect("pools");
                    for pool in pools.iter_mut().filter(|row| row["name"] == json!(names[2])) {
                        match &mut pool["resources"]["size"] {
                            Value::Object(options) => drop(options.insert("total".to_owned(), json!(text))),
                            size => *size = json!(text),
                        }
                    }
                }
                live.set_total(Holder::Storage(path), "size", Quantity::parse(&text).expect("reads"))
            };
            let anew = policy.fleet(&[&next.inventory()]);
            match result {
                Ok(changed) => {
                    let anew = anew.unwrap_or_else(|error| panic!("{what}: made, and refused anew:\n{error}"));
                    assert_eq!(digest(live.fleet()), digest(&anew), "{what}");
                    mirror.follow(live.fleet(), &changed);
                    mirror.assert_is(live.fleet(), &what);
                    model = next;
                    made += 1;
                }
                Err(error) => {
                    let alone = error.report().diagnostics[0].code == Code::B0518;
                    assert!(alone || anew.is_err(), "{what}: refused, and bound anew:\n{error}");
                    assert_eq!(before, digest(live.fleet()), "{what}");
                    refused += 1;
                }
            }
            // What tiers have is bound again from records: they have followed.
            if n.chance(20) && !model.volumes.is_empty() {
                let step = Step { puts: BTreeMap::from([("volumes", vec![model.volumes[0].clone()])]), ..Step::default() };
                let changed = step.on_live(&mut live).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(changed.supplies, Rows::default(), "{what}");
                assert_eq!(digest(live.fleet()), digest(&policy.fleet(&[&model.inventory()]).expect("binds")), "{what}");
                mirror.follow(live.fleet(), &changed);
            }
        }
    }
    assert!(made > 100 && refused > 50, "both were seen: {made}, {refused}");
}
