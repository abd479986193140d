//! The fleet as k holds it: a column a value, text as small numbers, a bitmap or a list of rows for each value of a key, and
//! pools grouped by all the keys that an agent must share with them.

use std::collections::BTreeMap;

use crate::{
    fleet::{Agent, DRIVERS, Fleet, MEDIA, Place, Pool, REGIONS},
    simd::{Amounts, Level, Wanted},
    work::{Need, Rules},
};

/// The code of a region that is absent; no need names it.
const NO_REGION: u8 = 14;
/// The code of rows that only fill the last block.
const PADDING: u8 = 15;
/// The code of a zone that is absent.
pub(crate) const NO_ZONE: u8 = u8::MAX;
/// With more values than this, a key has lists of rows instead of bitmaps.
const MOST_BITMAPS: usize = 64;

/// Agents and pools of one fleet under one set of rules.
#[derive(Clone, Debug)]
pub struct Columns {
    pub(crate) level: Level,
    pub(crate) rules: Rules,
    /// Agents.
    pub(crate) rows: usize,
    /// Words of a bitmap over agents.
    pub(crate) words: usize,
    pub(crate) cpus: Vec<u32>,
    pub(crate) mem: Vec<u32>,
    disk: Vec<u32>,
    ports: Vec<u32>,
    pub(crate) net: Vec<u32>,
    pub(crate) region: Vec<u8>,
    pub(crate) zone: Vec<u8>,
    pub(crate) drivers: Vec<u8>,
    infiniband: Vec<u8>,
    /// 0: absent.
    vlan: Vec<u16>,
    /// 0: absent; empty where no rule reads it.
    rack: Vec<u16>,
    pub(crate) by_region: Vec<Vec<u64>>,
    pub(crate) by_zone: Vec<Vec<u64>>,
    pub(crate) by_driver: Vec<Vec<u64>>,
    pub(crate) by_vlan: Index,
    pub(crate) by_rack: Index,
    pub(crate) pools: Vec<Row>,
    pub(crate) groups: Vec<Group>,
}

/// The rows of each value of a key.
#[derive(Clone, Debug)]
pub(crate) enum Index {
    Bits(Vec<Vec<u64>>),
    Lists(Vec<Vec<u32>>),
}

impl Index {
    /// By value, 0 for absent.
    fn new(column: &[u16], rows: usize, words: usize) -> Index {
        let values = column.iter().max().map_or(0, |most| usize::from(*most)) + 1;
        let present = column.iter().take(rows).enumerate().filter(|(_, value)| **value != 0);
        if values <= MOST_BITMAPS {
            let mut bits = vec![vec![0; words]; values];
            present.for_each(|(row, value)| set(&mut bits[usize::from(*value)], row));
            Index::Bits(bits)
        } else {
            let mut lists = vec![Vec::new(); values];
            present.for_each(|(row, value)| lists[usize::from(*value)].push(row as u32));
            Index::Lists(lists)
        }
    }

    /// Bytes held.
    fn bytes(&self) -> usize {
        match self {
            Index::Bits(bits) => bits.iter().map(|bits| bits.len() * 8).sum(),
            Index::Lists(lists) => lists.iter().map(|list| list.len() * 4 + 24).sum(),
        }
    }
}

/// A pool, its text as numbers. 0 is absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    size: u32,
    iops: u32,
    replicas: u32,
    media: u8,
    pub(crate) min_net: Option<u32>,
    pub(crate) score: i64,
}

/// Pools that share every key that an agent must share with them.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) keys: Keys,
    pub(crate) pools: Vec<u32>,
}

/// What an agent must share. 0: anything, except of regions and zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Keys {
    pub(crate) region: u8,
    pub(crate) zone: u8,
    /// One bit.
    pub(crate) driver: u8,
    pub(crate) vlan: u16,
    pub(crate) rack: u16,
}

/// A need, its text as numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    size: u32,
    iops: u32,
    replicas: u32,
    media: u8,
}

/// Sets the bit of a row.
pub(crate) fn set(bits: &mut [u64], row: usize) {
    bits[row / 64] |= 1 << (row % 64);
}

fn media_code(media: &str) -> u8 {
    MEDIA.iter().position(|known| *known == media).map_or(0, |at| at as u8 + 1)
}

fn driver_bit(driver: &str) -> u8 {
    DRIVERS.iter().position(|known| *known == driver).map_or(0, |at| 1 << at)
}

fn zone_code(place: Option<Place>) -> u8 {
    place.map_or(NO_ZONE, |place| place.region * 3 + place.zone)
}

fn rack_code(place: Option<Place>) -> u16 {
    let code =
        |place: Place| place.rack.map(|rack| u16::from(zone_code(Some(place))) * 40 + u16::from(rack) + 1);
    place.and_then(code).unwrap_or(0)
}

impl Columns {
    /// Encodes a fleet, for the loops of this machine.
    pub fn new(fleet: &Fleet, rules: Rules) -> Columns {
        Columns::at_level(fleet, rules, Level::detect())
    }

    /// Encodes a fleet, for the plain loops.
    pub fn plain(fleet: &Fleet, rules: Rules) -> Columns {
        Columns::at_level(fleet, rules, Level::plain())
    }

    fn at_level(fleet: &Fleet, rules: Rules, level: Level) -> Columns {
        let rows = fleet.agents.len();
        let words = rows.div_ceil(64);
        let pad = words * 64;
        let numbers = |value: fn(&Agent) -> Option<u32>| {
            let mut column: Vec<u32> = Vec::with_capacity(pad);
            column.extend(fleet.agents.iter().map(|agent| value(agent).unwrap_or(0)));
            column.resize(pad, 0);
            column
        };
        let codes = |padding: u8, value: &dyn Fn(&Agent) -> u8| {
            let mut column: Vec<u8> = Vec::with_capacity(pad);
            column.extend(fleet.agents.iter().map(value));
            column.resize(pad, padding);
            column
        };
        let drivers = |agent: &Agent| {
            agent.drivers.as_ref().map_or(0, |own| own.iter().fold(0, |mask, own| mask | driver_bit(own)))
        };
        let rack = |agent: &Agent| rack_code(agent.place);
        let mut columns = Columns {
            level,
            rules,
            rows,
            words,
            cpus: numbers(|agent| agent.cpus),
            mem: numbers(|agent| agent.mem),
            disk: numbers(|agent| agent.disk),
            ports: numbers(|agent| agent.ports),
            net: numbers(|agent| agent.net),
            region: codes(PADDING, &|agent| agent.place.map_or(NO_REGION, |place| place.region)),
            zone: codes(NO_ZONE, &|agent| zone_code(agent.place)),
            drivers: codes(0, &drivers),
            infiniband: codes(0, &|agent| u8::from(agent.infiniband == Some(true))),
            vlan: fleet.agents.iter().map(|agent| agent.vlan.unwrap_or(0) as u16).collect(),
            rack: if rules.racks { fleet.agents.iter().map(rack).collect() } else { Vec::new() },
            by_region: vec![vec![0; words]; REGIONS.len()],
            by_zone: vec![vec![0; words]; REGIONS.len() * 3],
            by_driver: vec![vec![0; words]; DRIVERS.len()],
            by_vlan: Index::Bits(Vec::new()),
            by_rack: Index::Bits(Vec::new()),
            pools: fleet.pools.iter().map(|pool| row(pool, rules)).collect(),
            groups: Vec::new(),
        };
        columns.index();
        columns.group(fleet);
        columns
    }

    fn index(&mut self) {
        for row in 0..self.rows {
            if self.region[row] < NO_REGION {
                set(&mut self.by_region[usize::from(self.region[row])], row);
                set(&mut self.by_zone[usize::from(self.zone[row])], row);
            }
            let mut drivers = self.drivers[row];
            while drivers != 0 {
                set(&mut self.by_driver[drivers.trailing_zeros() as usize], row);
                drivers &= drivers - 1;
            }
        }
        self.by_vlan = Index::new(&self.vlan, self.rows, self.words);
        self.by_rack = Index::new(&self.rack, self.rows.min(self.rack.len()), self.words);
    }

    fn group(&mut self, fleet: &Fleet) {
        let mut groups: BTreeMap<Keys, Vec<u32>> = BTreeMap::new();
        for (at, pool) in (0..).zip(&fleet.pools) {
            // A pool without a place goes with no agent.
            let Some(place) = pool.place else { continue };
            let keys = Keys {
                region: place.region,
                zone: zone_code(pool.place),
                driver: pool.driver.map_or(0, driver_bit),
                vlan: pool.vlan.unwrap_or(0) as u16,
                rack: if self.rules.racks { rack_code(pool.place) } else { 0 },
            };
            groups.entry(keys).or_default().push(at);
        }
        self.groups = groups.into_iter().map(|(keys, pools)| Group { keys, pools }).collect();
    }

    /// Bytes held for each agent.
    pub fn bytes_per_agent(&self) -> f64 {
        let numbers =
            [&self.cpus, &self.mem, &self.disk, &self.ports, &self.net].map(|column| column.len() * 4);
        let codes = [&self.region, &self.zone, &self.drivers, &self.infiniband].map(Vec::len);
        let keys = (self.vlan.len() + self.rack.len()) * 2;
        let bitmaps = self.by_region.len() + self.by_zone.len() + self.by_driver.len();
        let indexes = bitmaps * self.words * 8 + self.by_vlan.bytes() + self.by_rack.bytes();
        let all = numbers.iter().sum::<usize>() + codes.iter().sum::<usize>() + keys + indexes;
        all as f64 / self.rows.max(1) as f64
    }

    /// The amounts that needs ask for.
    pub(crate) fn amounts(&self) -> Amounts<'_> {
        Amounts { columns: [&self.cpus, &self.mem, &self.disk, &self.ports], region: &self.region }
    }

    /// A need as numbers.
    pub(crate) fn asked(&self, need: &Need) -> Asked {
        let mut regions = [0; 16];
        for (code, name) in REGIONS.iter().enumerate() {
            if need.regions.contains(name) {
                regions[code] = 0xFF;
            }
        }
        if need.regions.is_empty() {
            regions[..usize::from(PADDING)].fill(0xFF);
        }
        Asked {
            wanted: Wanted { least: [need.cpus, need.mem, need.disk, need.ports], regions },
            size: need.size,
            iops: need.iops,
            replicas: need.replicas,
            media: media_code(need.media),
        }
    }

    /// Whether an agent alone holds.
    #[inline]
    pub(crate) fn agent_holds(&self, row: usize, asked: &Asked) -> bool {
        let [cpus, mem, disk, ports] = asked.wanted.least;
        (self.cpus[row] >= cpus)
            & (self.mem[row] >= mem)
            & (self.disk[row] >= disk)
            & (self.ports[row] >= ports)
            & (asked.wanted.regions[usize::from(self.region[row] & 15)] != 0)
    }

    /// Whether a pool alone holds.
    #[inline]
    pub(crate) fn pool_holds(&self, pool: u32, asked: &Asked) -> bool {
        let pool = &self.pools[pool as usize];
        (pool.size >= asked.size)
            & (pool.iops >= asked.iops)
            & (pool.replicas >= asked.replicas)
            & (pool.media == asked.media)
    }

    /// Whether an agent shares every key of a group of pools, its region first.
    #[inline]
    pub(crate) fn shares(&self, row: usize, keys: &Keys) -> bool {
        (self.region[row] == keys.region)
            & (self.drivers[row] & keys.driver == keys.driver)
            & (keys.vlan == 0 || self.vlan[row] == keys.vlan)
            & (keys.rack == 0 || self.rack[row] == keys.rack)
    }

    /// What an agent adds to a score.
    #[inline]
    pub(crate) fn agent_score(&self, row: usize) -> i64 {
        if self.rules.flat { 0 } else { 300 * i64::from(self.infiniband[row]) - i64::from(self.cpus[row]) }
    }

    /// What one zone for both adds to a score.
    #[inline]
    pub(crate) fn zone_score(&self) -> i64 {
        if self.rules.flat { 0 } else { 1_000 }
    }

    /// The most that an agent who has what is asked can add to a score.
    pub(crate) fn most_of_agent(&self, asked: &Asked) -> i64 {
        if self.rules.flat { 0 } else { 300 - i64::from(asked.wanted.least[0]) }
    }
}

fn row(pool: &Pool, rules: Rules) -> Row {
    let (replicas, tier) = (pool.replicas.unwrap_or(0), pool.tier.unwrap_or(0));
    let score = if rules.flat { 0 } else { 100 * i64::from(replicas) + 10 * i64::from(tier) };
    Row {
        size: pool.size.unwrap_or(0),
        iops: pool.iops.unwrap_or(0),
        replicas,
        media: pool.media.map_or(0, media_code),
        min_net: pool.min_net,
        score,
    }
}
