//! The seeded fleet. Agent `i` and pool `j` depend on the seed and their own number alone, so that a small fleet is the
//! beginning of a large one. The draws and their order are fixed: figures of different runs are of the same data.

/// The seed of everything.
const SEED: u64 = 0x5EED_2026;
/// Regions; each has three zones (`us-east-a` …), each zone forty racks.
pub const REGIONS: [&str; 5] = ["us-east", "us-west", "eu-central", "eu-north", "ap-south"];
/// Storage drivers that an agent may have.
pub const DRIVERS: [&str; 8] = ["rexray", "ebs", "nfs", "ceph", "local", "iscsi", "portworx", "gluster"];
/// Media of pools.
pub const MEDIA: [&str; 3] = ["hdd", "ssd", "nvme"];

/// The finaliser of splitmix64: 64 bits well mixed.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Draws of one row: a stream of its own for each kind of row and number.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The stream of row `number` of a kind.
    pub fn new(kind: u64, number: u64) -> Self {
        Draw(mix(SEED ^ mix(kind) ^ mix(number.wrapping_mul(0x1234_5678_9ABC_DEF1))))
    }

    /// A number from 0 up to, not including, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        ((u128::from(mix(self.0)) * u128::from(end)) >> 64) as u64
    }

    /// A number from 0 up to, not including, `end`.
    pub fn small(&mut self, end: u32) -> u32 {
        self.below(u64::from(end)) as u32
    }

    /// True `percent` times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How the fleet is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// 32 VLANs, every value there.
    Plain,
    /// 4,096 VLANs, and three pools in ten serve one rack alone.
    ManyKeys,
    /// One value in five is absent.
    Absent,
}

/// A machine, with what is free on it. `None` is a value that its row does not have.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its number, and its place in the order of names.
    pub id: u32,
    /// `agent-000000`.
    pub name: String,
    /// Cores.
    pub cpus: Option<u32>,
    /// MiB.
    pub mem: Option<u32>,
    /// GiB.
    pub disk: Option<u32>,
    /// How many ports.
    pub ports: Option<u32>,
    /// Its storage drivers.
    pub drivers: Option<Vec<&'static str>>,
    /// From 1.
    pub vlan: Option<u32>,
    /// Whether it has an InfiniBand adapter.
    pub infiniband: Option<bool>,
    /// Its place; a zone is inside its region, a rack inside its zone.
    pub place: Option<Place>,
    /// Mbit/s.
    pub net: Option<u32>,
}

/// A place down to a zone or a rack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Of [`REGIONS`].
    pub region: u8,
    /// 0 to 2 in the region.
    pub zone: u8,
    /// 0 to 39 in the zone.
    pub rack: Option<u8>,
}

impl Place {
    /// The name of its region.
    pub fn region(self) -> &'static str {
        REGIONS[usize::from(self.region)]
    }

    /// The name of its zone.
    pub fn zone(self) -> String {
        format!("{}-{}", self.region(), char::from(b'a' + self.zone))
    }

    /// The name of its rack, or nothing.
    pub fn rack(self) -> Option<String> {
        self.rack.map(|rack| format!("{}-{rack:02}", self.zone()))
    }

    /// The path of its names.
    pub fn path(self) -> String {
        let rack = self.rack().map(|rack| format!("/{rack}")).unwrap_or_default();
        format!("{}/{}{rack}", self.region(), self.zone())
    }
}

/// A storage pool, with what is free in it.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its number.
    pub id: u32,
    /// `prov00/inst0/pool-0000`.
    pub path: String,
    /// Of 16.
    pub provider: u32,
    /// Of 4 of the provider.
    pub instance: u32,
    /// GiB.
    pub size: Option<u32>,
    /// Operations a second.
    pub iops: Option<u32>,
    /// Of [`MEDIA`].
    pub media: Option<&'static str>,
    /// Copies.
    pub replicas: Option<u32>,
    /// Its place.
    pub place: Option<Place>,
    /// The driver that its provider asks of an agent.
    pub driver: Option<&'static str>,
    /// The VLAN it is reached by; every one, where it has none.
    pub vlan: Option<u32>,
    /// 0 to 9.
    pub tier: Option<u32>,
    /// Mbit/s an agent must have, in W2.
    pub min_net: Option<u32>,
}

/// What provider number `provider` asks of an agent.
pub fn driver_of(provider: u32) -> Option<&'static str> {
    (provider % 4 != 3).then(|| DRIVERS[(provider % 8) as usize])
}

/// A fleet.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// How it was drawn.
    pub data: Data,
    /// In order of name, which is that of their numbers.
    pub agents: Vec<Agent>,
    /// In order of path, which ties are decided by.
    pub pools: Vec<Pool>,
}

impl Fleet {
    /// The first `agents` agents and `pools` pools.
    pub fn new(agents: usize, pools: usize, data: Data) -> Fleet {
        let mut pools: Vec<Pool> = (0..pools as u32).map(|number| pool(number, data)).collect();
        pools.sort_by(|one, other| one.path.cmp(&other.path));
        Fleet { data, agents: (0..agents as u32).map(|number| agent(number, data)).collect(), pools }
    }
}

fn agent(id: u32, data: Data) -> Agent {
    let mut draw = Draw::new(1, u64::from(id));
    let cpus = if draw.percent(40) { draw.small(2) } else { draw.small(65) };
    let mem = draw.small(513) * 512;
    let disk = draw.small(4_001);
    let ports = if draw.percent(5) { 0 } else { draw.small(1_001) };
    let drivers = DRIVERS.into_iter().filter(|_| draw.percent(40)).collect();
    let vlan = 1 + draw.small(32);
    let infiniband = draw.percent(25);
    let (region, zone) = (draw.small(5) as u8, draw.small(3) as u8);
    let rack = Some(draw.small(40) as u8);
    let net = [1_000, 10_000, 25_000, 40_000, 100_000][draw.below(5) as usize] - draw.small(500);
    let mut agent = Agent {
        id,
        name: format!("agent-{id:06}"),
        cpus: Some(cpus),
        mem: Some(mem),
        disk: Some(disk),
        ports: Some(ports),
        drivers: Some(drivers),
        vlan: Some(vlan),
        infiniband: Some(infiniband),
        place: Some(Place { region, zone, rack }),
        net: Some(net),
    };
    match data {
        Data::Plain => {}
        Data::ManyKeys => agent.vlan = Some(1 + Draw::new(3, u64::from(id)).small(4_096)),
        Data::Absent => {
            let mut gap = Gaps(Draw::new(5, u64::from(id)));
            gap.maybe(&mut agent.cpus);
            gap.maybe(&mut agent.mem);
            gap.maybe(&mut agent.disk);
            gap.maybe(&mut agent.ports);
            gap.maybe(&mut agent.drivers);
            gap.maybe(&mut agent.vlan);
            gap.maybe(&mut agent.infiniband);
            gap.maybe(&mut agent.place);
            gap.maybe(&mut agent.net);
        }
    }
    agent
}

fn pool(id: u32, data: Data) -> Pool {
    let mut draw = Draw::new(2, u64::from(id));
    let (provider, instance) = (draw.small(16), draw.small(4));
    let (size, iops) = (draw.small(20_001), draw.small(20_001));
    let media = match draw.below(100) {
        0..35 => "hdd",
        35..85 => "ssd",
        _ => "nvme",
    };
    let replicas = 1 + draw.small(3);
    let (region, zone) = (draw.small(5) as u8, draw.small(3) as u8);
    let vlan = if draw.percent(60) { None } else { Some(1 + draw.small(32)) };
    let (tier, min_net) = (draw.small(10), draw.small(501) * 100);
    let mut pool = Pool {
        id,
        path: format!("prov{provider:02}/inst{instance}/pool-{id:04}"),
        provider,
        instance,
        size: Some(size),
        iops: Some(iops),
        media: Some(media),
        replicas: Some(replicas),
        place: Some(Place { region, zone, rack: None }),
        driver: driver_of(provider),
        vlan,
        tier: Some(tier),
        min_net: Some(min_net),
    };
    match data {
        Data::Plain => {}
        Data::ManyKeys => {
            let mut draw = Draw::new(4, u64::from(id));
            pool.vlan = pool.vlan.map(|_| 1 + draw.small(4_096));
            let rack = draw.percent(30).then(|| draw.small(40) as u8);
            pool.place = Some(Place { region, zone, rack });
        }
        Data::Absent => {
            let mut gap = Gaps(Draw::new(6, u64::from(id)));
            gap.maybe(&mut pool.size);
            gap.maybe(&mut pool.iops);
            gap.maybe(&mut pool.media);
            gap.maybe(&mut pool.replicas);
            gap.maybe(&mut pool.place);
            gap.maybe(&mut pool.vlan);
            gap.maybe(&mut pool.tier);
            gap.maybe(&mut pool.min_net);
        }
    }
    pool
}

/// Takes one value in five away.
struct Gaps(Draw);

impl Gaps {
    fn maybe<T>(&mut self, value: &mut Option<T>) {
        if self.0.percent(20) {
            *value = None;
        }
    }
}
