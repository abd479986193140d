//! Explanations as JSON: `bourse.explanation`, version 1. The schema is `schema/explanation.schema.json`.
//!
//! The private types mirror those of [`explain`](crate::explain) field by field, so that internal types can
//! change without changing the format.

use serde::Serialize;

use super::{SeenNeed, View, wire};
use crate::explain::{
    Absent, CandidateExplanation, Cause, Check, Compared, Counts, Explanation, Near, OfferExplanation,
    RelaxationInWords, Step, Supplied, When,
};

/// An explanation of any kind.
#[derive(Debug)]
pub enum Explained {
    /// An explanation of a need, with the first offers of a need that is met.
    Need(Box<Explanation>, Vec<OfferExplanation>),
    /// An explanation of one candidate.
    Candidate(CandidateExplanation),
    /// Explanations of offers.
    Offers(Vec<OfferExplanation>),
    /// An explanation of a need for its framework.
    Seen(Box<SeenNeed>),
}

/// A document of explanations.
#[derive(Debug, Serialize)]
pub struct ExplanationDocument {
    format: &'static str,
    version: u32,
    view: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<WireNeedExplanation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<WireCandidate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offers: Vec<WireOfferExplanation>,
}

/// Makes the wire form of explanations.
pub fn explanation(explanations: &[Explained], view: View) -> ExplanationDocument {
    let mut document = ExplanationDocument {
        format: "bourse.explanation",
        version: 1,
        view: view.name(),
        needs: Vec::new(),
        candidates: Vec::new(),
        offers: Vec::new(),
    };
    for one in explanations {
        match one {
            Explained::Need(need, offers) => {
                document.needs.push(need_form(need));
                document.offers.extend(offers.iter().map(offer));
            }
            Explained::Candidate(of) => document.candidates.push(candidate(of)),
            Explained::Seen(seen) => document.needs.push(seen_form(seen)),
            Explained::Offers(offers) => document.offers.extend(offers.iter().map(offer)),
        }
    }
    document
}

#[derive(Debug, Serialize)]
struct WireNeedExplanation {
    framework: String,
    need: String,
    /// `closed` for the moment at which the need closed in the cycle, `alone` for the state before any offer.
    when: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost_to: Vec<WireLost>,
    wanted: u64,
    allocated: u64,
    offered: u64,
    missing: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fitted: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agents: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplies: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feasible: Option<u64>,
    causes: WireCauses,
    #[serde(skip_serializing_if = "Option::is_none")]
    relaxations: Option<Vec<WireRelaxation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<WireStopped>,
}

/// The obstacles of a need, for the operator or for a framework.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum WireCauses {
    Every(Vec<WireExplainedCause>),
    Seen(Vec<WireSeen>),
}

/// An obstacle as a framework is told it.
#[derive(Debug, Serialize)]
struct WireSeen {
    label: String,
    kind: &'static str,
    places: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    asked: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

/// Makes the wire form of a need for its framework. It tells no more than the offers do.
fn seen_form(seen: &SeenNeed) -> WireNeedExplanation {
    let need = &seen.need;
    let causes = seen.groups.iter().map(|group: &wire::Group| WireSeen {
        label: group.reason.label.clone(),
        kind: group.reason.kind,
        places: group.places.unwrap_or_default(),
        volume: group.volumes.first().cloned(),
        asked: group.asked.clone(),
        count: Some(group.agents.count.max(group.supplies.count)).filter(|count| *count > 0),
    });
    WireNeedExplanation {
        framework: need.framework.clone(),
        need: need.need.clone(),
        when: if seen.alone { "alone" } else { "closed" },
        outcome: (!seen.alone).then_some(need.outcome),
        why: need.why.as_ref().map(|why| why.kind.name()).filter(|_| !seen.alone),
        lost_to: Vec::new(),
        wanted: need.wanted,
        allocated: need.allocated,
        offered: need.offered,
        missing: need.missing,
        fitted: None,
        agents: None,
        supplies: None,
        feasible: None,
        causes: WireCauses::Seen(causes.collect()),
        relaxations: None,
        stopped: None,
    }
}

#[derive(Debug, Serialize)]
struct WireStopped {
    counts: bool,
    relaxations: bool,
}

#[derive(Debug, Serialize)]
struct WireLost {
    offer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
}

#[derive(Debug, Serialize)]
struct WireExplainedCause {
    label: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    #[serde(flatten)]
    detail: WireDetail,
    agents: WireCounts,
    supplies: WireCounts,
    pairs: WireCounts,
}

#[derive(Debug, Serialize)]
struct WireDetail {
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    want: String,
    nearest: Vec<WireNear>,
    absent: Vec<WireAbsent>,
    permanent: u64,
    of: u64,
    together: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    docs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct WireCounts {
    excluded: u64,
    alone: u64,
}

#[derive(Debug, Serialize)]
struct WireNear {
    #[serde(skip_serializing_if = "Option::is_none")]
    have: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supply: Option<String>,
}

#[derive(Debug, Serialize)]
struct WireAbsent {
    key: String,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    meant: Option<String>,
}

#[derive(Debug, Serialize)]
struct WireRelaxation {
    drops: Vec<WireDrop>,
    offers: u64,
    at_least: bool,
}

#[derive(Debug, Serialize)]
struct WireDrop {
    label: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    want: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<String>,
    words: String,
}

fn need_form(need: &Explanation) -> WireNeedExplanation {
    let ending = need.ending.as_ref();
    let lost = ending.iter().flat_map(|ending| &ending.lost_to);
    WireNeedExplanation {
        framework: need.framework.clone(),
        need: need.need.clone(),
        when: if need.when == When::Closed { "closed" } else { "alone" },
        outcome: ending.map(|ending| ending.outcome.name()),
        why: ending.and_then(|ending| ending.why),
        lost_to: lost.map(|(offer, agent)| WireLost { offer: offer.clone(), agent: agent.clone() }).collect(),
        wanted: need.wanted,
        allocated: need.allocated,
        offered: ending.map_or(0, |ending| ending.offered),
        missing: need.missing(),
        fitted: ending.and_then(|ending| ending.fitted),
        agents: Some(need.agents),
        supplies: Some(need.supplies),
        feasible: Some(need.feasible),
        causes: WireCauses::Every(need.causes.iter().map(cause).collect()),
        relaxations: Some(need.relaxations.iter().map(relaxation).collect()),
        stopped: Some(WireStopped { counts: need.counts_stopped, relaxations: need.relaxations_stopped }),
    }
}

fn counts(counts: Counts) -> WireCounts {
    WireCounts { excluded: counts.excluded, alone: counts.alone }
}

fn cause(cause: &Cause) -> WireExplainedCause {
    let near = |near: &Near| WireNear {
        have: near.have.clone(),
        agent: near.agent.clone(),
        supply: near.supply.clone(),
    };
    let absent = |absent: &Absent| WireAbsent {
        key: absent.key.clone(),
        count: absent.count,
        meant: absent.meant.clone(),
    };
    let detail = WireDetail {
        side: cause.side,
        key: cause.key.clone(),
        want: cause.want.clone(),
        nearest: cause.nearest.iter().map(near).collect(),
        absent: cause.absent.iter().map(absent).collect(),
        permanent: cause.permanent.0,
        of: cause.permanent.1,
        together: cause.together,
        hint: cause.hint.clone(),
        place: cause.place.clone(),
        docs: cause.docs.clone(),
    };
    WireExplainedCause {
        label: cause.label.clone(),
        kind: cause.kind,
        volume: cause.volume.clone(),
        asked: cause.asked.clone(),
        detail,
        agents: counts(cause.agents),
        supplies: counts(cause.supplies),
        pairs: counts(cause.pairs),
    }
}

fn relaxation(one: &RelaxationInWords) -> WireRelaxation {
    let drops = one.dropped.iter().map(|drop| WireDrop {
        label: drop.label.clone(),
        kind: drop.kind,
        volume: drop.volume.clone(),
        want: drop.want.clone(),
        instead: drop.instead.clone(),
        words: drop.words.clone(),
    });
    WireRelaxation {
        drops: drops.collect(),
        offers: one.relaxation.offers,
        at_least: one.relaxation.at_least,
    }
}

#[derive(Debug, Serialize)]
struct WireCandidate {
    need: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supply: Option<String>,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    feasible: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    served_by: Vec<WireServed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    checks: Vec<WireCheck>,
    preferences: Vec<WireCheck>,
}

#[derive(Debug, Serialize)]
struct WireServed {
    volume: String,
    supply: String,
}

#[derive(Debug, Serialize)]
struct WireCheck {
    label: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    truth: String,
    want: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    have: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permanent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earned: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<WireStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    docs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct WireStep {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<WireStep>,
}

fn candidate(of: &CandidateExplanation) -> WireCandidate {
    let served = of.served_by.iter();
    WireCandidate {
        need: of.label.clone(),
        agent: of.agent.clone(),
        supply: of.supply.clone(),
        holds: of.holds,
        feasible: of.feasible,
        score: of.score.clone(),
        served_by: served
            .map(|(volume, supply)| WireServed { volume: volume.clone(), supply: supply.clone() })
            .collect(),
        notes: of.notes.clone(),
        checks: of.checks.iter().map(check).collect(),
        preferences: of.preferences.iter().map(check).collect(),
    }
}

fn check(check: &Check) -> WireCheck {
    WireCheck {
        label: check.label.clone(),
        kind: check.kind,
        volume: check.volume.clone(),
        truth: check.truth.to_string(),
        want: check.want.clone(),
        have: check.have.clone(),
        permanent: check.permanent,
        weight: check.earned.as_ref().map(|earned| earned.0.clone()),
        earned: check.earned.as_ref().and_then(|earned| earned.1.clone()),
        step: check.step.as_ref().map(step),
        place: check.place.clone(),
        docs: check.docs.clone(),
    }
}

fn step(of: &Step) -> WireStep {
    WireStep {
        text: of.text.clone(),
        value: of.value.clone(),
        unknown: of.gap.clone(),
        parts: of.parts.iter().map(step).collect(),
    }
}

#[derive(Debug, Serialize)]
struct WireOfferExplanation {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    score: String,
    feasible: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<WireNext>,
    because: String,
    items: Vec<WireCompared>,
    volumes: Vec<WireSupplied>,
}

#[derive(Debug, Serialize)]
struct WireNext {
    agent: String,
    score: String,
}

#[derive(Debug, Serialize)]
struct WireCompared {
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    chosen: String,
    next: String,
    difference: String,
}

#[derive(Debug, Serialize)]
struct WireSupplied {
    volume: String,
    supply: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

fn offer(of: &OfferExplanation) -> WireOfferExplanation {
    let item = |item: &Compared| WireCompared {
        label: item.label.clone(),
        volume: item.volume.clone(),
        chosen: item.chosen.clone(),
        next: item.other.clone(),
        difference: item.difference.clone(),
    };
    let volume = |of: &Supplied| WireSupplied {
        volume: of.volume.clone(),
        supply: of.supply.clone(),
        next: of.next.clone(),
        because: of.because.clone(),
    };
    WireOfferExplanation {
        id: of.id.clone(),
        agent: of.agent.clone(),
        score: of.score.clone(),
        feasible: of.feasible,
        next: of.other.as_ref().map(|(agent, score)| WireNext { agent: agent.clone(), score: score.clone() }),
        because: of.because.clone(),
        items: of.items.iter().map(item).collect(),
        volumes: of.supplies.iter().map(volume).collect(),
    }
}
