//! What is told of each failing condition: whom it excludes, how near the nearest came, what is absent.

use indexmap::IndexSet;

use super::{
    analysis::{Analysis, Counts, Example, Tally},
    words,
};
use crate::{
    Fleet,
    diagnostic::nearest,
    ir::{Column, ColumnId, Key, Show},
    matching::{Condition, Reach, Reason},
    quantity::{Dimension, Quantity, render},
    types::Side,
};

/// A condition that does not hold for all.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Which.
    pub condition: Condition,
    /// The rule's label or place, the class, the resource, or the built-in word.
    pub label: String,
    /// Which kind of condition.
    pub kind: &'static str,
    /// The volume it was tried for; `None` for the agent.
    pub volume: Option<String>,
    /// Whose key or amount.
    pub side: &'static str,
    /// The key or resource it turns on.
    pub key: Option<String>,
    /// What is wanted.
    pub want: String,
    /// What the need itself asks of an amount, which is no secret to it.
    pub asked: Option<String>,
    /// Agents: those it is against, those left without a supply by it, and those that it alone keeps out.
    pub agents: Counts,
    /// Supplies of the volume, whatever the agent.
    pub supplies: Counts,
    /// Pairs of an agent and a supply, of rules about both.
    pub pairs: Counts,
    /// Of how many it is known whether they are excluded for good, and of how many they are.
    pub permanent: (u64, u64),
    /// Whether it was met only where parts that hold were put together.
    pub together: bool,
    /// Whether it can be said how near one came.
    pub measured: bool,
    /// What there is, nearest to what is wanted first.
    pub nearest: Vec<Near>,
    /// Keys that it reads and that are absent, or of another type.
    pub absent: Vec<Absent>,
    /// What else is worth knowing.
    pub hint: Option<String>,
    /// Where it stands.
    pub place: Option<String>,
    /// The `///` lines of its rule or class.
    pub docs: Vec<String>,
}

/// What one that is excluded has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// What there is; `None`: nothing.
    pub have: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The supply.
    pub supply: Option<String>,
}

/// A key that is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// With its side: `agent.drivers`.
    pub key: String,
    /// For how many of those that were looked at.
    pub count: u64,
    /// How many that is of.
    pub of: u64,
    /// A key that some have, and that may be meant.
    pub meant: Option<String>,
}

/// How many values are told of a condition.
const TOLD: usize = 3;

/// Every condition that does not hold for all, those first that exclude most alone.
pub(super) fn causes(fleet: &Fleet, analysis: &Analysis<'_>) -> Vec<Cause> {
    let agents = fleet.world().agents.len() as u64;
    let supplies = fleet.world().supplies.len() as u64;
    let mut causes: Vec<Cause> = analysis
        .tallies
        .iter()
        .map(|((number, volume), tally)| cause(fleet, analysis, *number, *volume, tally))
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

fn cause(
    fleet: &Fleet,
    analysis: &Analysis<'_>,
    number: usize,
    volume: Option<usize>,
    tally: &Tally,
) -> Cause {
    let plan = fleet.plan();
    let condition = analysis.conditions[number];
    let id = analysis.matcher.id;
    let (label, kind, want) = words::named(fleet, id, &condition);
    let reasons = reasons(analysis, condition, volume, tally);
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
        together: !tally.said.is_empty(),
        measured: tally.examples.first().is_some_and(|example| example.distance.is_some()),
        nearest: near(fleet, &reasons),
        absent: absent(fleet, tally),
        hint: None,
        place: words::span_of(fleet, id, &condition).map(|span| words::line(fleet, span)),
        docs: words::docs_of(plan, &condition),
    };
    if let Condition::Amount(in_volume, resource) = condition {
        cause.asked = words::asked(plan, id, in_volume, resource).map(|amount| words::amount(plan, amount));
    }
    if let Some((_, reason)) = reasons.first() {
        cause.side = reason.side.name();
        cause.key = reason.key.clone();
        // What is wanted may differ from one to the next; then the condition itself is told.
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

fn condition_is_amount(condition: &Condition) -> bool {
    matches!(condition, Condition::Amount(..))
}

/// The reasons of the examples, distinct by what there is.
fn reasons(
    analysis: &Analysis<'_>,
    condition: Condition,
    volume: Option<usize>,
    tally: &Tally,
) -> Vec<(Example, Reason)> {
    let matcher = analysis.matcher;
    let asked = volume.map(|at| &matcher.subject.need.volumes[at]);
    let mut found: Vec<(Example, Reason)> = Vec::new();
    for example in tally.examples.iter().filter(|example| !example.together) {
        let failures = match (example.supply, asked) {
            (Some(supply), Some(volume)) => {
                let reach = if example.agent.is_some() { Reach::All } else { Reach::WithoutAgent };
                matcher.supply_failures(example.agent, volume, supply, reach)
            }
            _ => matcher.agent_failures(example.agent),
        };
        let failure = failures.iter().find(|failure| Condition::of(failure, asked) == condition);
        let Some(failure) = failure else { continue };
        let reason = matcher.reason(failure, example.agent, example.supply, asked);
        if found.iter().all(|known| known.1.have != reason.have) {
            found.push((*example, reason));
        }
    }
    found.extend(tally.said.iter().cloned());
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
fn absent(fleet: &Fleet, tally: &Tally) -> Vec<Absent> {
    let plan = fleet.plan();
    let show = Show::new(plan);
    let one = |(column, count): (&ColumnId, &u64)| Absent {
        key: show.column(*column),
        count: *count,
        of: tally.noted,
        meant: meant(fleet, *column),
    };
    tally.absent.iter().map(one).collect()
}

/// The key of the fleet that is nearest to one that nobody has.
pub(super) fn meant(fleet: &Fleet, column: ColumnId) -> Option<String> {
    let (plan, world) = (fleet.plan(), fleet.world());
    let Column { side, key: Key::Attribute(key) } = plan.column(column) else { return None };
    if world.keys.contains(&(side, key)) {
        return None;
    }
    let mut names: IndexSet<&str> =
        world.keys.iter().filter(|known| known.0 == side).map(|known| plan.symbols.text(known.1)).collect();
    names.sort_unstable();
    nearest(plan.symbols.text(key), names).map(|near| format!("{side}.{near}"))
}

/// A rate in bytes: what it is in bits, and whether that is the mistake.
fn units(fleet: &Fleet, analysis: &Analysis<'_>, cause: &mut Cause, tally: &Tally) {
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
    // Just eight times, or a rate in bytes of which as many bits are there.
    if best > 0 && (best == bits || written.is_some() && bits <= best) {
        let bits = render(Dimension::Bandwidth, bits);
        cause.hint = Some(match written {
            Some(written) => format!("{written} is {shown}: {bits} would hold; were bits meant?"),
            None => format!("just 8 times what there is, {bits}: were bytes meant there, or bits here?"),
        });
    }
}
