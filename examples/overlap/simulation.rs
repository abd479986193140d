//! An hour of frameworks that are made offers, think, and accept or decline, second by second. Everything that is
//! decided is decided by the crate: offers by the cycle, launches and releases by operations on a state.
//!
//! An offer that is still thought about is passed to the next cycle as an allocation of `1 / (1 + overlap)` of what it
//! promises, as far as that is still free: then what is promised in all keeps to `(1 + overlap) × free`, whichever cycle
//! promised it.

use std::{collections::BTreeMap, fmt::Write as _};

use bourse::{
    Inventory, Policy,
    cycle::{self, CycleRequest, Reasons},
    output::{self, Detail, View},
    state::{self, Operations, Refusal, State},
};
use serde_json::{Value, json};

/// By how much offers may overlap, in percent; `None`: without limit.
pub type Overlap = Option<u64>;

/// What was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Offers that frameworks were made.
    pub offers: u64,
    /// Offers that they accepted.
    pub accepted: u64,
    /// Of these, how many were launched.
    pub launched: u64,
    /// And how many met a conflict.
    pub conflicts: u64,
    /// CPUs in use, in thousandths of all, over the whole time.
    pub used: u64,
}

const AGENTS: u64 = 12;
const CPUS: u64 = 16;

/// The least and the most seconds.
type Seconds = (u64, u64);
type Framework = (u64, u64, Seconds, Seconds);

/// Frameworks: CPUs of a task, tasks wanted at once, and the least and most seconds of thinking about offers and of
/// running a task. Two think fast, four take their time, two ask a person.
const FRAMEWORKS: [Framework; 8] = [
    (1, 40, (1, 3), (5, 40)),
    (2, 20, (1, 3), (5, 40)),
    (1, 30, (5, 20), (20, 80)),
    (2, 20, (5, 20), (20, 80)),
    (4, 10, (5, 20), (20, 80)),
    (4, 10, (5, 20), (40, 160)),
    (2, 20, (30, 90), (40, 160)),
    (8, 6, (30, 90), (40, 160)),
];
/// How many of a hundred offers are accepted.
const ACCEPTED: u64 = 70;
/// Seconds that a framework waits after it has answered.
const PAUSE: u64 = 2;

/// A small generator of numbers (xorshift64*), so that a run can be repeated.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        low + self.next() % (high - low + 1)
    }
}

/// Offers that a framework thinks about, and until when.
struct Thinking {
    until: u64,
    offers: Vec<Value>,
}

struct Simulation {
    overlap: Overlap,
    policy: Policy,
    fleet: Inventory,
    state: State,
    numbers: Numbers,
    /// By framework.
    thinking: BTreeMap<usize, Thinking>,
    /// When a framework wants offers again.
    ready: Vec<u64>,
    /// Ends of tasks: when, and which; how many CPUs, and where.
    ends: BTreeMap<(u64, String), (u64, String)>,
    named: u64,
    figures: Figures,
}

/// Runs so many seconds of it.
pub fn simulate(overlap: Overlap, seconds: u64) -> Figures {
    let mut simulation = Simulation::new(overlap);
    let mut used = 0;
    for now in 0..seconds {
        simulation.end_tasks(now);
        simulation.answer(now);
        simulation.offer(now);
        used += simulation.ends.values().map(|(cpus, _)| cpus).sum::<u64>();
    }
    Figures { used: used * 1_000 / (AGENTS * CPUS * seconds), ..simulation.figures }
}

impl Simulation {
    fn new(overlap: Overlap) -> Simulation {
        let shown = overlap.map_or("unlimited".to_owned(), |percent| format!("{percent}%"));
        let mut policy = format!("broker main {{ overlap = {shown} }}\n");
        for (at, (cpus, count, ..)) in FRAMEWORKS.into_iter().enumerate() {
            let _ = writeln!(
                policy,
                "framework f{at} {{ role = \"r{at}\", need t {{ count = {count}, agent {{ cpus = {cpus} }} }} }}"
            );
        }
        let agents = (0..AGENTS).map(|at| json!({"name": format!("a{at:02}"), "resources": {"cpus": CPUS}}));
        Simulation {
            overlap,
            policy: Policy::compile([("overlap.policy", policy.as_str())]).expect("compiles"),
            fleet: inventory("agents", agents.collect()),
            state: State::default(),
            numbers: Numbers(0x9E37_79B9_7F4A_7C15),
            thinking: BTreeMap::new(),
            ready: vec![0; FRAMEWORKS.len()],
            ends: BTreeMap::new(),
            named: 0,
            figures: Figures::default(),
        }
    }

    /// Does operations, or says that they conflict.
    fn apply(&mut self, operations: Vec<Value>) -> bool {
        let document = json!({"format": "bourse.operations", "version": 1, "operations": operations});
        let operations = Operations::from_json("operations", document.to_string().as_bytes()).expect("reads");
        match state::apply(self.policy.parsed(), &[&self.fleet], &self.state, &operations) {
            Ok(state) => {
                self.state = state;
                true
            }
            Err(Refusal::Conflicts(_)) => false,
            Err(Refusal::Invalid(error)) => panic!("{error}"),
        }
    }

    fn end_tasks(&mut self, now: u64) {
        let ended: Vec<(u64, String)> = self.ends.keys().take_while(|end| end.0 <= now).cloned().collect();
        let releases = ended.iter().map(|(_, name)| json!({"op": "release", "allocation": name}));
        let releases: Vec<Value> = releases.collect();
        assert!(releases.is_empty() || self.apply(releases), "what runs can be ended");
        for end in ended {
            self.ends.remove(&end);
        }
    }

    /// Frameworks that have thought enough accept or decline, offer by offer.
    fn answer(&mut self, now: u64) {
        let done = self.thinking.iter().filter(|(_, thinking)| thinking.until <= now);
        let done: Vec<usize> = done.map(|(framework, _)| *framework).collect();
        for framework in done {
            let Some(thinking) = self.thinking.remove(&framework) else { continue };
            let (cpus, _, _, runs) = FRAMEWORKS[framework];
            for offer in thinking.offers {
                if self.numbers.between((1, 100)) > ACCEPTED {
                    continue;
                }
                self.figures.accepted += 1;
                self.named += 1;
                let name = format!("t{}", self.named);
                let end = now + self.numbers.between(runs);
                if self.apply(vec![json!({"op": "launch", "offer": &offer, "as": &name})]) {
                    self.figures.launched += 1;
                    self.ends.insert((end, name), (cpus, agent_of(&offer).to_owned()));
                } else {
                    self.figures.conflicts += 1;
                }
            }
            self.ready[framework] = now + PAUSE;
        }
    }

    /// One cycle over the frameworks that think about nothing.
    fn offer(&mut self, now: u64) {
        let asks =
            |framework: &usize| !self.thinking.contains_key(framework) && self.ready[*framework] <= now;
        let asking: Vec<usize> = (0..FRAMEWORKS.len()).filter(asks).collect();
        if asking.is_empty() {
            return;
        }
        let (state, outstanding) = (self.state.inventory().expect("a state"), self.outstanding());
        let fleet = self.policy.fleet(&[&self.fleet, &state, &outstanding]).expect("binds");
        let needs = cycle::every_need(fleet.plan()).filter(|need| asking.contains(&need.framework));
        let request =
            CycleRequest { needs: Some(needs.collect()), reasons: Reasons::None, ..CycleRequest::default() };
        let offers = output::offers_json(&fleet.cycle(request), View::Operator, Detail::None);
        let offers: Value = serde_json::from_str(&offers).expect("JSON");
        for offer in offers["offers"].as_array().into_iter().flatten() {
            let name = offer["framework"].as_str().unwrap_or_default();
            let framework: usize = name.trim_start_matches('f').parse().expect("a number");
            let until = now + self.numbers.between(FRAMEWORKS[framework].2);
            let thinking = Thinking { until, offers: Vec::new() };
            self.thinking.entry(framework).or_insert(thinking).offers.push(offer.clone());
            self.figures.offers += 1;
        }
    }

    /// What is promised and not answered, as allocations: of each offer, as much of what is free as it uses up.
    fn outstanding(&self) -> Inventory {
        let mut promised: BTreeMap<&str, u64> = BTreeMap::new();
        let Some(percent) = self.overlap else { return inventory("allocations", Vec::new()) };
        for (framework, thinking) in &self.thinking {
            let millionths = FRAMEWORKS[*framework].0 * MILLION * 100 / (100 + percent);
            for offer in &thinking.offers {
                *promised.entry(agent_of(offer)).or_insert(0) += millionths;
            }
        }
        for (agent, millionths) in &mut promised {
            let here = self.ends.values().filter(|(_, on)| on == agent).map(|(cpus, _)| cpus);
            *millionths = (*millionths).min((CPUS - here.sum::<u64>()) * MILLION);
        }
        let entry = |(agent, millionths): (&str, u64)| {
            let cpus = format!("{}.{:06}", millionths / MILLION, millionths % MILLION);
            json!({"name": format!("offers on {agent}"), "agents": {agent: {"cpus": cpus}}})
        };
        inventory("allocations", promised.into_iter().map(entry).collect())
    }
}

const MILLION: u64 = 1_000_000;

fn agent_of(offer: &Value) -> &str {
    offer["agent"]["name"].as_str().unwrap_or_default()
}

fn inventory(list: &str, entries: Vec<Value>) -> Inventory {
    let document = json!({"format": "bourse.inventory", "version": 1, list: entries});
    Inventory::from_json(list, &document.to_string()).expect("an inventory")
}
