//! The causes that an explanation lists: each failing condition with its counts, the nearest values, and
//! absent keys.

use indexmap::IndexMap;

use super::{
    analysis::{Analysis, ConditionTally, Counts, Example},
    words,
};
use crate::{
    Fleet,
    diagnostic::nearest_after,
    ir::{Column, ColumnId, Key, Show},
    matching::{Constraint, Failure, Matcher, Reach, Reason},
    quantity::{Dimension, Quantity, render},
    types::Side,
};

/// A condition that some rows fail.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The condition.
    pub condition: Constraint,
    /// The label or position of the rule, the name of the class or resource, or a built-in word.
    pub label: String,
    /// The kind of condition.
    pub kind: &'static str,
    /// The volume that it applies to. `None` for the agent.
    pub volume: Option<String>,
    /// The side of the key or amount.
    pub side: &'static str,
    /// The key or resource that it depends on.
    pub key: Option<String>,
    /// The demand.
    pub want: String,
    /// The amount that the need itself asks for.
    pub asked: Option<String>,
    /// The agents that fail it or are left without a supply by it, and those that it alone excludes.
    pub agents: Counts,
    /// The supplies of the volume that fail it, whatever the agent.
    pub supplies: Counts,
    /// The pairs of agent and supply that fail it, for rules about both sides.
    pub pairs: Counts,
    /// The failures that are permanent, and all failures that were counted.
    pub permanent: (u64, u64),
    /// True if parts that pass one by one failed it in combination.
    pub together: bool,
    /// True if the distance from passing can be measured.
    pub measured: bool,
    /// The values found, nearest first.
    pub nearest: Vec<Near>,
    /// The keys that it reads and that are absent, or of another type.
    pub absent: Vec<Absent>,
    /// A further hint.
    pub hint: Option<String>,
    /// The position in the source.
    pub place: Option<String>,
    /// The `///` lines of the rule or class.
    pub docs: Vec<String>,
}

/// The value of an excluded row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The value. `None` if there is none.
    pub have: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The supply.
    pub supply: Option<String>,
}

/// A key that is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The key with its side: `agent.drivers`.
    pub key: String,
    /// The number of failures in which it is absent.
    pub count: u64,
    /// The number of failures that were counted.
    pub of: u64,
    /// A similar key that rows of the fleet have.
    pub meant: Option<String>,
}

/// The number of values that a cause shows.
const TOLD: usize = 3;

/// Returns the conditions that some rows fail. The one that alone excludes the largest share comes first.
pub(super) fn causes(fleet: &Fleet, analysis: &Analysis<'_>) -> Vec<Cause> {
    let agents = fleet.world().agents.len() as u64;
    let supplies = fleet.world().supplies.len() as u64;
    let mut looked = Looked { matcher: analysis.matcher, kept: IndexMap::new(), keys: 0 };
    let mut causes: Vec<Cause> = analysis
        .tallies
        .iter()
        .map(|((number, volume), tally)| cause(fleet, analysis, &mut looked, (*number, *volume), tally))
        .collect();
    let part = |of: u64, all: u64| u128::from(of) * 1_000_000 / u128::from(all.max(1));
    let rank = |cause: &Cause| {
        let alone = part(cause.agents.alone, agents).max(part(cause.supplies.alone, supplies));
        let all = part(cause.agents.excluded, agents).max(part(cause.supplies.excluded, supplies));
        (alone, part(cause.pairs.alone, agents.saturating_mul(supplies)), all)
    };
    causes.sort_by(|a, b| {
        rank(b)
            .cmp(&rank(a))
            .then_with(|| (&a.volume, &a.label, &a.want).cmp(&(&b.volume, &b.label, &b.want)))
    });
    causes
}

fn cause<'a>(
    fleet: &Fleet,
    analysis: &Analysis<'a>,
    looked: &mut Looked<'a>,
    (number, volume): (usize, Option<usize>),
    tally: &ConditionTally,
) -> Cause {
    let plan = fleet.plan();
    let condition = analysis.conditions[number];
    let id = analysis.matcher.id;
    let (label, kind, want) = words::named(fleet, id, &condition);
    let reasons = reasons(looked, condition, volume, tally);
    let mut cause = Cause {
        condition,
        label,
        kind,
        volume: volume.map(|at| plan.symbols.text(analysis.matcher.subject.need.volumes[at].name).to_owned()),
        side: Side::Need.name(),
        key: None,
        want,
        asked: None,
        agents: tally.agents,
        supplies: tally.supplies,
        pairs: tally.pairs,
        permanent: (tally.permanent, tally.noted),
        together: !tally.joint_reasons.is_empty(),
        measured: tally.examples.first().is_some_and(|example| example.distance.is_some()),
        nearest: near(fleet, &reasons),
        absent: absent(fleet, looked, tally),
        hint: None,
        place: words::span_of(fleet, id, &condition).map(|span| words::line(fleet, span)),
        docs: words::docs_of(plan, &condition),
    };
    if let Constraint::Amount(in_volume, resource) = condition {
        cause.asked = words::asked(plan, id, in_volume, resource).map(|amount| words::amount(plan, amount));
    }
    if let Some((_, reason)) = reasons.first() {
        cause.side = reason.side.name();
        cause.key = reason.key.clone();
        // The demand may differ between examples. Then the condition itself is shown.
        if reasons.iter().all(|other| other.1.want == reason.want) || condition_is_amount(&condition) {
            cause.want = reason.want.clone();
        }
        if reason.have.is_none() && cause.absent.is_empty() && !reason.absent.is_empty() {
            let absent =
                |key: &String| Absent { key: key.clone(), count: tally.noted, of: tally.noted, meant: None };
            cause.absent = reason.absent.iter().map(absent).collect();
        }
    }
    units(fleet, analysis, &mut cause, tally);
    cause
}

fn condition_is_amount(condition: &Constraint) -> bool {
    matches!(condition, Constraint::Amount(..))
}

/// An agent, and a supply for a volume.
type CandidateKey = (Option<usize>, Option<usize>, Option<usize>);

/// A cache of the failures of recent candidates, since many conditions share their examples.
struct Looked<'a> {
    matcher: Matcher<'a>,
    kept: IndexMap<CandidateKey, IndexMap<Constraint, Failure<'a>>>,
    /// The number of keys for which a nearest one was looked for.
    keys: usize,
}

impl<'a> Looked<'a> {
    /// The number of candidates that the cache holds.
    const MOST: usize = 16;

    /// Returns the failure of a condition for a candidate, if it fails.
    fn failure(&mut self, candidate: CandidateKey, condition: Constraint) -> Option<&Failure<'a>> {
        if !self.kept.contains_key(&candidate) {
            if self.kept.len() == Self::MOST {
                self.kept.shift_remove_index(0);
            }
            let failures = self.failures(candidate);
            self.kept.insert(candidate, failures);
        }
        self.kept.get(&candidate)?.get(&condition)
    }

    fn failures(&self, (agent, supply, volume): CandidateKey) -> IndexMap<Constraint, Failure<'a>> {
        let asked = volume.map(|at| &self.matcher.subject.need.volumes[at]);
        let failures = match (supply, asked) {
            (Some(supply), Some(volume)) => {
                let reach = if agent.is_some() { Reach::All } else { Reach::WithoutAgent };
                self.matcher.supply_failures(agent, volume, supply, reach)
            }
            _ => self.matcher.agent_failures(agent),
        };
        let mut first = IndexMap::new();
        for failure in failures {
            first.entry(failure.constraint(asked)).or_insert(failure);
        }
        first
    }
}

/// Returns the reasons of the examples, one for each value found.
fn reasons(
    looked: &mut Looked<'_>,
    condition: Constraint,
    volume: Option<usize>,
    tally: &ConditionTally,
) -> Vec<(Example, Reason)> {
    let matcher = looked.matcher;
    let asked = volume.map(|at| &matcher.subject.need.volumes[at]);
    let mut found: Vec<(Example, Reason)> = Vec::new();
    for example in tally.examples.iter().filter(|example| !example.together) {
        let candidate = (example.agent, example.supply, volume);
        let Some(failure) = looked.failure(candidate, condition) else { continue };
        let reason = matcher.reason(failure, example.agent, example.supply, asked);
        if found.iter().all(|known| known.1.have != reason.have) {
            found.push((*example, reason));
        }
    }
    found.extend(tally.joint_reasons.iter().cloned());
    found.truncate(TOLD);
    found
}

fn near(fleet: &Fleet, reasons: &[(Example, Reason)]) -> Vec<Near> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let near = |(example, reason): &(Example, Reason)| Near {
        have: reason.have.clone(),
        agent: example.agent.map(|agent| plan.symbols.text(world.agents[agent].name).to_owned()),
        supply: example.supply.map(|supply| plan.symbols.text(world.supplies[supply].path).to_owned()),
    };
    reasons.iter().map(near).collect()
}

/// Keys that are absent, with one of the fleet's that may be meant where none has this one.
fn absent(fleet: &Fleet, looked: &mut Looked<'_>, tally: &ConditionTally) -> Vec<Absent> {
    let plan = fleet.plan();
    let show = Show::new(plan);
    let one = |(column, count): (&ColumnId, &u64)| {
        let meant = meant(fleet, *column, looked.keys);
        looked.keys += 1;
        Absent { key: show.column(*column), count: *count, of: tally.noted, meant }
    };
    tally.absent.iter().map(one).collect()
}

/// Returns the key of the fleet that is nearest to one that nobody has. `told` is the number of keys for
/// which this was done already.
pub(super) fn meant(fleet: &Fleet, column: ColumnId, told: usize) -> Option<String> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let Column { side, key: Key::Attribute(key) } = plan.column(column) else { return None };
    if world.keys.contains(&(side, key)) {
        return None;
    }
    let names = world.keys.iter().filter(|known| known.0 == side).map(|known| plan.symbols.text(known.1));
    nearest_after(told, plan.symbols.text(key), names).map(|near| format!("{side}.{near}"))
}

/// Shows a rate that was written in bytes with its value in bits, and hints at a confusion of the two.
fn units(fleet: &Fleet, analysis: &Analysis<'_>, cause: &mut Cause, tally: &ConditionTally) {
    let written = words::written(fleet, analysis.matcher.id, &cause.condition);
    let word =
        cause.want.split([' ', ',']).find_map(|word| Some((word.to_owned(), Quantity::parse(word).ok()?)));
    let Some((shown, wanted)) = word.filter(|word| word.1.dimension == Dimension::Bandwidth) else { return };
    if let Some(written) = &written {
        cause.want = cause.want.replacen(&shown, &format!("{written} = {shown}"), 1);
    }
    let Some(distance) = tally.examples.first().and_then(|example| example.distance) else { return };
    let best = i128::from(wanted.amount) - i128::try_from(distance).unwrap_or(i128::MAX);
    let bits = i128::from(wanted.amount) / 8;
    // The best value is exactly an eighth, or the rate was written in bytes and would pass if it meant bits.
    if best > 0 && (best == bits || written.is_some() && bits <= best) {
        let bits = render(Dimension::Bandwidth, bits);
        cause.hint = Some(match written {
            Some(written) => format!("{written} is {shown}: {bits} would hold; were bits meant?"),
            None => format!("just 8 times what there is, {bits}: were bytes meant there, or bits here?"),
        });
    }
}
