//! Peers that are programs of their own: they read the fleet as CSV and print rows as JSON.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use bourse_yardstick::{Fleet, Row, Truth, Work, measure::Timing};
use serde_json::Value;

/// Writes `agents.csv`, `pools.csv` and `need.json` into a folder.
fn write(folder: &Path, work: &Work, fleet: &Fleet) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("agents.csv"), agents(fleet))?;
    fs::write(folder.join("pools.csv"), pools(fleet))?;
    let need = &work.needs[0];
    let need = serde_json::json!({
        "cpus": need.cpus, "mem": need.mem, "disk": need.disk, "ports": need.ports, "regions": need.regions,
        "size": need.size, "iops": need.iops, "media": need.media, "replicas": need.replicas,
        "net": work.rules.net, "racks": work.rules.racks, "flat": work.rules.flat,
    });
    fs::write(folder.join("need.json"), need.to_string())
}

fn cell(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Drivers are one text with spaces between; an empty cell is an absent value.
fn agents(fleet: &Fleet) -> String {
    let mut text = String::from("id,cpus,mem,disk,ports,drivers,vlan,infiniband,region,zone,rack,net\n");
    for agent in &fleet.agents {
        let place = agent.place;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{}",
            agent.id,
            cell(agent.cpus),
            cell(agent.mem),
            cell(agent.disk),
            cell(agent.ports),
            cell(agent.drivers.as_ref().map(|own| own.join(" "))),
            cell(agent.vlan),
            cell(agent.infiniband),
            cell(place.map(|place| place.region())),
            cell(place.map(|place| place.zone())),
            cell(place.and_then(|place| place.rack())),
            cell(agent.net),
        );
    }
    text
}

/// `id` is the row in the order of paths.
fn pools(fleet: &Fleet) -> String {
    let mut text = String::from("id,size,iops,media,replicas,region,zone,rack,driver,vlan,tier,min_net\n");
    for (row, pool) in fleet.pools.iter().enumerate() {
        let place = pool.place;
        let _ = writeln!(
            text,
            "{row},{},{},{},{},{},{},{},{},{},{},{}",
            cell(pool.size),
            cell(pool.iops),
            cell(pool.media),
            cell(pool.replicas),
            cell(place.map(|place| place.region())),
            cell(place.map(|place| place.zone())),
            cell(place.and_then(|place| place.rack())),
            cell(pool.driver),
            cell(pool.vlan),
            cell(pool.tier),
            cell(pool.min_net),
        );
    }
    text
}

/// Runs `COMMAND FOLDER WORK AGENTS POOLS`, and reads its rows.
pub fn ask(
    command: &str,
    work: &Work,
    fleet: &Fleet,
    truth: &Truth,
    keep: Option<&str>,
) -> Result<Vec<Row>, String> {
    let (agents, pools) = (fleet.agents.len(), fleet.pools.len());
    let name = format!("{}-{agents}x{pools}", work.name);
    let folder = keep.map_or_else(std::env::temp_dir, Into::into).join(format!("bourse-table-{name}"));
    write(&folder, work, fleet).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("an empty command")?;
    eprintln!("{name} {command}");
    let run = Command::new(program)
        .args(words)
        .arg(&folder)
        .args([work.name, &agents.to_string(), &pools.to_string()])
        .stderr(std::process::Stdio::inherit())
        .output();
    if keep.is_none() {
        let _ = fs::remove_dir_all(&folder);
    }
    let run = run.map_err(|error| error.to_string())?;
    if !run.status.success() {
        return Err(format!("ended with {}", run.status));
    }
    let text = String::from_utf8_lossy(&run.stdout);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| row(line, work, fleet, truth).ok_or_else(|| format!("not a row: {line}"))).collect()
}

/// A row of a peer. Where it says what it found, that is held against the judge here.
fn row(line: &str, work: &Work, fleet: &Fleet, truth: &Truth) -> Option<Row> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| value.get(key).and_then(Value::as_f64);
    let found = value.get("count").and_then(Value::as_u64);
    let agrees = match (found, truth.digest(0)) {
        (Some(count), Some(digest)) => {
            let scored = |one: &Value| {
                let part = |at: usize| one.get(at)?.as_i64();
                Some((part(0)?, u32::try_from(part(1)?).ok()?, u32::try_from(part(2)?).ok()?))
            };
            let top = value.get("top").and_then(Value::as_array);
            let top: Option<Vec<_>> = top.map(|top| top.iter().filter_map(scored).collect());
            Some(count == digest.answer.count && top.is_none_or(|top| top == digest.answer.top))
        }
        _ => value.get("agrees").and_then(Value::as_bool),
    };
    Some(Row {
        work: work.name.to_owned(),
        system: text("system"),
        agents: fleet.agents.len(),
        pools: fleet.pools.len(),
        timing: Timing {
            nanos: number("nanos")?,
            least: number("least")?,
            samples: number("samples").unwrap_or(1.0) as usize,
        },
        agrees,
        note: text("note"),
    })
}
