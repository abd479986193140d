//! The ten works: which fleet, which rules, which needs.

use crate::fleet::{Data, Draw, Fleet, REGIONS};

/// What is asked. An amount of 0, and no region, are not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Cores.
    pub cpus: u32,
    /// MiB.
    pub mem: u32,
    /// GiB.
    pub disk: u32,
    /// How many ports.
    pub ports: u32,
    /// The agent is in one of them.
    pub regions: Vec<&'static str>,
    /// GiB of the pool.
    pub size: u32,
    /// Operations a second of the pool.
    pub iops: u32,
    /// The pool's media.
    pub media: &'static str,
    /// Copies at the least.
    pub replicas: u32,
}

impl Need {
    /// The need of W1.
    pub fn first() -> Need {
        Need {
            cpus: 2,
            mem: 4_096,
            disk: 10,
            ports: 1,
            regions: REGIONS[..3].to_vec(),
            size: 500,
            iops: 900,
            media: "ssd",
            replicas: 2,
        }
    }

    /// One that most agents meet.
    pub fn easy() -> Need {
        let regions = Vec::new();
        Need { cpus: 0, mem: 512, disk: 1, ports: 1, regions, size: 1, iops: 1, media: "ssd", replicas: 1 }
    }

    /// Need `number` of a row of different ones.
    pub fn drawn(number: usize) -> Need {
        let mut draw = Draw::new(7, number as u64);
        let (first, many) = (draw.below(5) as usize, 1 + draw.below(3) as usize);
        Need {
            cpus: 1 + draw.small(16),
            mem: (1 + draw.small(64)) * 512,
            disk: 1 + draw.small(400),
            ports: 1 + draw.small(5),
            regions: (0..many).map(|step| REGIONS[(first + step) % REGIONS.len()]).collect(),
            size: 1 + draw.small(5_000),
            iops: 1 + draw.small(8_000),
            media: ["ssd", "hdd", "nvme"][draw.below(3) as usize],
            replicas: 1 + draw.small(3),
        }
    }
}

/// What the policy says beside what every work has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// An agent must be as fast as the pool asks (W2).
    pub net: bool,
    /// A pool in a rack serves that rack alone (W7).
    pub racks: bool,
    /// No preferences: every score is 0 (W5).
    pub flat: bool,
}

/// One change of an agent: what is free on it now.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// Which agent.
    pub agent: u32,
    /// Cores.
    pub cpus: u32,
    /// MiB.
    pub mem: u32,
}

impl Update {
    /// Change `number` of a fleet of so many agents.
    pub fn drawn(number: usize, agents: usize) -> Update {
        let mut draw = Draw::new(8, number as u64);
        let agent = draw.small(agents as u32);
        let cpus = if draw.percent(40) { draw.small(2) } else { draw.small(65) };
        Update { agent, cpus, mem: draw.small(513) * 512 }
    }
}

/// What a row of the table measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Filter, exact count and the best ten, for every need of the work.
    Answer,
    /// So many changes of single agents, the answers of all needs current after each.
    Follow(usize),
    /// Every feasible pair, written out.
    Pairs,
    /// A full offer cycle.
    Cycle,
}

/// A work.
#[derive(Clone, Debug)]
pub struct Work {
    /// `W1` to `W10`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The fleet it runs over.
    pub data: Data,
    /// Its rules.
    pub rules: Rules,
    /// Its needs.
    pub needs: Vec<Need>,
    /// What is measured.
    pub act: Act,
}

impl Work {
    /// All ten. W4 comes twice: for one standing need, and for a thousand.
    pub fn all() -> Vec<Work> {
        let work = |name, title, needs: Vec<Need>| Work {
            name,
            title,
            data: Data::Plain,
            rules: Rules::default(),
            needs,
            act: Act::Answer,
        };
        let first = || vec![Need::first()];
        let many = |count: usize| (0..count).map(Need::drawn).collect::<Vec<_>>();
        let follow = Act::Follow(20_000);
        vec![
            work("W1", "filter, count, best ten", first()),
            Work {
                rules: Rules { net: true, ..Rules::default() },
                ..work("W2", "W1 with an inequality between agent and pool", first())
            },
            work("W3", "64 needs at once", many(64)),
            Work { act: follow, ..work("W4", "20,000 changed agents, 1 standing need", first()) },
            Work { act: follow, ..work("W4k", "20,000 changed agents, 1,000 standing needs", many(1_000)) },
            Work {
                rules: Rules { flat: true, ..Rules::default() },
                ..work("W5", "every score the same", first())
            },
            Work { act: Act::Pairs, ..work("W6", "every feasible pair written out", first()) },
            Work {
                data: Data::ManyKeys,
                rules: Rules { racks: true, ..Rules::default() },
                ..work("W7", "4,096 VLANs, pools of one rack", first())
            },
            Work { data: Data::Absent, ..work("W8", "one value in five absent", first()) },
            work("W9", "a need that most agents meet", vec![Need::easy()]),
            Work {
                act: Act::Cycle,
                ..work("W10", "an offer cycle: 100 roles, 1,000 needs of ten", many(1_000))
            },
        ]
    }

    /// Its fleet at a size.
    pub fn fleet(&self, agents: usize, pools: usize) -> Fleet {
        Fleet::new(agents, pools, self.data)
    }
}
