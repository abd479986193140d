//! One row of the table: a system on a work, its answers held against the judge before anything is timed.

use std::fmt::Write as _;

use crate::{
    fleet::Fleet,
    judge::{self, Digest},
    measure::{Timing, median, once},
    system::{Refusal, System},
    work::{Act, Update, Work},
};

/// Standing needs whose answers are compared at the end of W4, and needs in other works.
const COMPARED: usize = 64;

/// What the judge says of a work at one size.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Needs by number, with their digest; in W4 after all changes.
    needs: Vec<(usize, Digest)>,
}

impl Truth {
    /// Asks the judge.
    pub fn new(work: &Work, fleet: &Fleet) -> Truth {
        let after;
        let fleet = match work.act {
            Act::Cycle => return Truth::default(),
            Act::Follow(changes) => {
                after = changed(fleet, changes);
                &after
            }
            Act::Answer | Act::Pairs => fleet,
        };
        let digest = |need: usize| {
            let pairs = judge::pairs(fleet, &work.needs[need], work.rules);
            (need, judge::digest(fleet, &pairs, work.rules))
        };
        Truth { needs: (0..work.needs.len().min(COMPARED)).map(digest).collect() }
    }

    /// The digest of a need.
    pub fn digest(&self, need: usize) -> Option<&Digest> {
        self.needs.iter().find(|known| known.0 == need).map(|known| &known.1)
    }
}

/// A fleet after its changes.
fn changed(fleet: &Fleet, changes: usize) -> Fleet {
    let mut fleet = fleet.clone();
    for number in 0..changes {
        let update = Update::drawn(number, fleet.agents.len());
        let agent = &mut fleet.agents[update.agent as usize];
        (agent.cpus, agent.mem) = (Some(update.cpus), Some(update.mem));
    }
    fleet
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// `W1` to `W10`.
    pub work: String,
    /// Who.
    pub system: String,
    /// How many agents.
    pub agents: usize,
    /// How many pools.
    pub pools: usize,
    /// How long.
    pub timing: Timing,
    /// Whether the answers are the judge's; `None` where there is nothing to compare.
    pub agrees: Option<bool>,
    /// What else is to be said.
    pub note: String,
}

impl Row {
    /// As a line of JSON: what programs of other languages print too.
    pub fn json(&self) -> String {
        let Row { work, system, agents, pools, timing, agrees, note } = self;
        let quoted = |text: &str| {
            let mut out = String::from("\"");
            for c in text.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    c if c.is_control() => {
                        let _ = write!(out, "\\u{:04x}", c as u32);
                    }
                    c => out.push(c),
                }
            }
            out + "\""
        };
        let agrees = agrees.map_or("null", |agrees| if agrees { "true" } else { "false" });
        format!(
            "{{\"work\":{},\"system\":{},\"agents\":{agents},\"pools\":{pools},\"nanos\":{:.1},\"least\":{:.1},\"samples\":{},\
             \"agrees\":{agrees},\"note\":{}}}",
            quoted(work),
            quoted(system),
            timing.nanos,
            timing.least,
            timing.samples,
            quoted(note)
        )
    }
}

/// Measures a system on a work; `budget` is in nanoseconds.
///
/// # Errors
/// Why there is no figure.
pub fn measure(
    system: &mut dyn System,
    work: &Work,
    fleet: &Fleet,
    truth: &Truth,
    budget: f64,
) -> Result<Row, Refusal> {
    system.prepare(work, fleet)?;
    let needs = work.needs.len();
    let mut note = String::new();
    let (timing, agrees) = match work.act {
        Act::Answer => {
            let agrees = answers_agree(system, fleet, truth);
            (median(budget, || system.answers(needs)), Some(agrees))
        }
        Act::Pairs => {
            let mut pairs = Vec::new();
            if !system.pairs(0, &mut pairs) {
                return Err("writes no pairs".to_owned());
            }
            let agrees = answers_agree(system, fleet, truth);
            let _ = write!(note, "{} pairs", pairs.len());
            (median(budget, || system.pairs(0, &mut pairs)), Some(agrees))
        }
        Act::Follow(changes) => {
            if !system.stand() {
                return Err("keeps no answers".to_owned());
            }
            let updates: Vec<Update> =
                (0..changes).map(|number| Update::drawn(number, fleet.agents.len())).collect();
            // Not the median: what a change costs now and then belongs to the mean.
            let (nanos, ()) = once(|| updates.iter().for_each(|update| system.update(*update)));
            let agrees = truth.needs.iter().all(|(need, digest)| system.standing(*need) == digest.answer);
            let timing = Timing { nanos, least: nanos, samples: changes };
            (timing.divided(changes as f64), Some(agrees))
        }
        Act::Cycle => {
            let (nanos, granted) = once(|| system.cycle());
            let granted = granted.ok_or_else(|| "makes no offers".to_owned())?;
            let _ = write!(note, "{granted} instances granted");
            (Timing { nanos, least: nanos, samples: 1 }, None)
        }
    };
    Ok(Row {
        work: work.name.to_owned(),
        system: system.name().to_owned(),
        agents: fleet.agents.len(),
        pools: fleet.pools.len(),
        timing,
        agrees,
        note,
    })
}

fn answers_agree(system: &mut dyn System, fleet: &Fleet, truth: &Truth) -> bool {
    let mut pairs = Vec::new();
    truth.needs.iter().all(|(need, digest)| {
        let same = system.answer(*need) == digest.answer;
        let all = system.pairs(*need, &mut pairs);
        same && (!all || judge::sum(fleet, pairs.iter().copied()) == digest.sum)
    })
}
