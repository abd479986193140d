//! Sets with one framework that looks, `mine`, and with all that is hidden from it: keys, amounts, weights, others.

use std::fmt::Write as _;

use crate::properties::Numbers;

/// A kind of hidden thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// The value of a key that no need may name.
    KeyValue,
    /// Whether there is such a key at all.
    KeyExistence,
    /// The names of another framework, its role, its need and its volume.
    RivalNames,
    /// What another framework asks for.
    RivalAmounts,
    /// Whether there is another need.
    RivalNeed,
    /// What an agent has beyond what was offered of it.
    FreeAmount,
    /// What a pool has beyond what was offered of it.
    FreeSize,
    /// The weight of a preference.
    Weight,
    /// Where rules stand in their file.
    RulePlace,
    /// How many agents there are.
    AgentCount,
    /// The name of an agent that was not offered.
    AgentName,
    /// What the limit of another role leaves.
    Limit,
}

impl Hidden {
    pub const ALL: [Hidden; 12] = [
        Hidden::KeyValue,
        Hidden::KeyExistence,
        Hidden::RivalNames,
        Hidden::RivalAmounts,
        Hidden::RivalNeed,
        Hidden::FreeAmount,
        Hidden::FreeSize,
        Hidden::Weight,
        Hidden::RulePlace,
        Hidden::AgentCount,
        Hidden::AgentName,
        Hidden::Limit,
    ];
}

#[derive(Clone)]
struct Agent {
    name: String,
    zone: &'static str,
    os: &'static str,
    vlan: u64,
    power: u64,
    spare: Option<u64>,
    cpus: u64,
    mem: u64,
}

#[derive(Clone)]
struct Pool {
    vlan: u64,
    tier: u64,
    size: u64,
}

#[derive(Clone)]
struct Rival {
    name: String,
    role: String,
    need: String,
    volume: String,
    count: u64,
    cpus: u64,
    size: u64,
}

/// A set.
#[derive(Clone)]
pub struct Set {
    blank_lines: usize,
    weight: u64,
    limit: u64,
    lan: bool,
    powered: bool,
    agents: Vec<Agent>,
    pools: Vec<Pool>,
    rivals: Vec<Rival>,
    mine: Vec<(u64, String)>,
}

impl Set {
    pub fn generated(seed: u64) -> Set {
        let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let agents = (0..3 + n.below(4)).map(|at| Agent {
            name: format!("a{at}"),
            zone: n.pick(&["us/a", "us/b", "eu/a"]),
            os: n.pick(&["linux", "linux", "plan9"]),
            vlan: n.below(2),
            power: n.below(8),
            spare: n.chance(50).then(|| n.below(9)),
            cpus: 2 + n.below(8),
            mem: 2 + n.below(16),
        });
        let agents = agents.collect();
        let pools =
            (0..1 + n.below(3)).map(|_| Pool { vlan: n.below(2), tier: n.below(4), size: 10 + n.below(40) });
        let pools = pools.collect();
        let rivals = (0..1 + n.below(2)).map(|at| Rival {
            name: format!("rival{at}"),
            role: format!("enemies{at}"),
            need: format!("want{at}"),
            volume: format!("vol{at}"),
            count: 1 + n.below(4),
            cpus: 1 + n.below(4),
            size: 1 + n.below(10),
        });
        let rivals = rivals.collect();
        let mine = (0..1 + n.below(3)).map(|_| {
            let class = n.pick(&["", ", is linux", ", os == \"linux\"", ", not is linux"]);
            let amounts = n.pick(&["cpus = 2", "cpus = 3, mem = 4GiB", "cpus = 1, mem = 12GiB"]);
            let places = n.pick(&["", "", "at most 1 per agent\n", "within \"us\"\n", "spread over zone\n"]);
            let volume =
                n.pick(&["", "", "volume data { size = 5GB }\n", "volume data { size = 9GB, is fast }\n"]);
            (1 + n.below(6), format!("agent {{ {amounts}{class} }}\n{places}{volume}"))
        });
        let mine = mine.collect();
        Set {
            blank_lines: 0,
            weight: 2,
            limit: 4,
            lan: n.chance(40),
            powered: n.chance(40),
            agents,
            pools,
            rivals,
            mine,
        }
    }

    /// The same with so many instances of its needs.
    pub fn with_own_count(mut self, count: u64) -> Set {
        self.mine.iter_mut().for_each(|need| need.0 = count);
        self
    }

    /// The same with another of one hidden thing; `None` where there is nothing to change.
    pub fn with_other(&self, hidden: Hidden, seed: u64) -> Option<Set> {
        let mut n = Numbers(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1);
        let mut other = self.clone();
        let at = n.below(other.agents.len() as u64) as usize;
        match hidden {
            Hidden::KeyValue => {
                let agent = &mut other.agents[at];
                agent.power += 9;
                agent.vlan += 2 * n.below(2);
            }
            Hidden::KeyExistence => {
                let agent = &mut other.agents[at];
                agent.spare = if agent.spare.is_some() { None } else { Some(3) };
                // No other has it.
                (0..other.agents.len())
                    .filter(|one| *one != at)
                    .for_each(|one| other.agents[one].spare = None);
                let mut set = self.clone();
                (0..set.agents.len()).for_each(|one| set.agents[one].spare = None);
                if set.texts() == other.texts() {
                    return None;
                }
            }
            Hidden::RivalNames => {
                let rival = other.rivals.first_mut()?;
                rival.name = "zorro".to_owned();
                rival.role = "enemies0b".to_owned();
                rival.need = "quiet".to_owned();
                rival.volume = "loot".to_owned();
            }
            Hidden::RivalAmounts => {
                let rival = other.rivals.last_mut()?;
                rival.cpus += 1 + n.below(3);
                rival.size += 1 + n.below(5);
            }
            Hidden::RivalNeed => {
                let last = other.rivals.last()?.clone();
                let name = "zeta".to_owned();
                other.rivals.push(Rival { name, count: 1, cpus: 1, ..last });
            }
            Hidden::FreeAmount => {
                let agent = &mut other.agents[at];
                agent.mem += 1 + n.below(3);
                agent.cpus += n.below(2);
            }
            Hidden::FreeSize => other.pools.first_mut()?.size += 1 + n.below(4),
            Hidden::Weight => other.weight = 7,
            Hidden::RulePlace => other.blank_lines = 3,
            Hidden::AgentCount => {
                // Like another in its keys, and with nothing to give.
                let like = Agent { name: "b9".to_owned(), cpus: 0, mem: 0, ..other.agents[at].clone() };
                other.agents.push(like);
            }
            Hidden::AgentName => {
                let last = other.agents.last_mut()?;
                last.name = "zz".to_owned();
            }
            Hidden::Limit => other.limit = 3,
        }
        Some(other)
    }

    /// What others declare, and what the framework declares.
    pub fn texts(&self) -> (String, String) {
        let mut rest = "\n".repeat(self.blank_lines);
        let _ = writeln!(
            rest,
            "class fast for pool {{ tier >= 2 }}\nclass linux for agent {{ os == \"linux\" }}"
        );
        let lan = if self.lan { "require lan: agent.vlan == pool.vlan\n" } else { "" };
        let powered = if self.powered { "require agent.power >= 2\n" } else { "" };
        let weight = self.weight;
        let _ = writeln!(
            rest,
            "broker main {{\n domain = \"us/a\"\n levels region > zone\n expose agent.os\n {lan} {powered} \
             require headroom: agent.free.cpus >= 1\n prefer agent.free.cpus / agent.total.cpus weight {weight}\n \
             prefer pool.tier / 10 weight 2\n}}"
        );
        for agent in &self.agents {
            let Agent { name, zone, os, vlan, power, cpus, mem, .. } = agent;
            let spare = agent.spare.map_or(String::new(), |spare| format!("spare = {spare}, "));
            let _ = writeln!(
                rest,
                "agent {name} {{ domain = \"{zone}\", os = \"{os}\", vlan = {vlan}, power = {power}, {spare}\
                 resources {{ cpus = {cpus}, mem = {mem}GiB }} }}"
            );
        }
        let mut pools = String::new();
        let role = self.rivals.first().map_or("*", |rival| rival.role.as_str());
        for (at, Pool { vlan, tier, size }) in self.pools.iter().enumerate() {
            let kept = match at {
                0 => format!("volume kept {{ resources {{ size = 2GB }}, reserved for \"{role}\" }}\n"),
                _ => String::new(),
            };
            let _ = writeln!(
                pools,
                "pool s{at} {{ vlan = {vlan}, tier = {tier}, resources {{ size = {size}GB }}\n {kept} }}"
            );
        }
        let _ = writeln!(rest, "provider p {{ instance i {{ domain = \"us\"\n {pools} }} }}");
        for (at, rival) in self.rivals.iter().enumerate() {
            let Rival { name, role, need, volume, count, cpus, size } = rival;
            // A role is declared once, whoever has it.
            if self.rivals[..at].iter().all(|known| known.role != *role) {
                let _ = writeln!(rest, "role \"{role}\" {{ limit {{ agent.cpus = {} }} }}", 3 * self.limit);
            }
            let _ = writeln!(
                rest,
                "framework {name} {{ role = \"{role}\"\n need {need} {{ count = {count}, agent {{ cpus = {cpus} }}, \
                 volume {volume} {{ size = {size}GB }} }} }}"
            );
        }
        let needs: String = self
            .mine
            .iter()
            .enumerate()
            .map(|(at, (count, body))| format!("need n{at} {{\ncount = {count}\n{body}}}\n"))
            .collect();
        (rest, format!("framework mine {{\nrole = \"ours\"\n{needs}}}\n"))
    }
}
