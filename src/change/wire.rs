//! A change as JSON: `bourse.diff`, version 1.

use serde::Serialize;

use super::{Cause, Change, Earned, Ended, Kind, Made, NeedChange, OfferChange, Place};

#[derive(Serialize)]
struct WireDiff<'a> {
    format: &'static str,
    version: u32,
    changed: bool,
    counts: Counts,
    needs: Vec<WireNeed<'a>>,
    responsible: Vec<Responsible>,
}

#[derive(Serialize)]
struct Counts {
    needs: usize,
    needs_changed: usize,
    lost: usize,
    gained: usize,
    moved: usize,
    reranked: usize,
    resized: usize,
    kept: usize,
}

#[derive(Serialize)]
struct Responsible {
    name: String,
    offers: usize,
}

#[derive(Serialize)]
struct WireNeed<'a> {
    framework: &'a str,
    need: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<WireEnded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<WireEnded>,
    offers: Vec<WireOffer<'a>>,
}

#[derive(Serialize)]
struct WireEnded {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    wanted: u64,
    there: u64,
}

#[derive(Serialize)]
struct WireOffer<'a> {
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<WireMade<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<WireMade<'a>>,
    causes: Vec<WireCause<'a>>,
}

#[derive(Serialize)]
struct WireMade<'a> {
    instance: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    volumes: Vec<WireVolume<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    score: &'a str,
}

#[derive(Serialize)]
struct WireVolume<'a> {
    name: &'a str,
    number: u32,
    supply: &'a str,
}

#[derive(Serialize)]
struct WirePlace<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct WireEarned<'a> {
    weight: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

#[derive(Default, Serialize)]
struct WireCause<'a> {
    cause: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<WirePlace<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    have: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    want: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    absent: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    permanent: Option<bool>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    offers: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fitted: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earned_old: Option<WireEarned<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earned_new: Option<WireEarned<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_was: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// Writes the change as a JSON object. The same change gives the same bytes.
pub fn json(change: &Change) -> String {
    let wire = WireDiff {
        format: "bourse.diff",
        version: 1,
        changed: !change.is_empty(),
        counts: Counts {
            needs: change.needs_in_all,
            needs_changed: change.needs.len(),
            lost: change.count(Kind::Lost),
            gained: change.count(Kind::Gained),
            moved: change.count(Kind::Moved),
            reranked: change.count(Kind::Ranked),
            resized: change.count(Kind::Sized),
            kept: change.kept,
        },
        needs: change.needs.iter().map(need).collect(),
        responsible: change
            .responsible()
            .into_iter()
            .map(|(name, offers)| Responsible { name, offers })
            .collect(),
    };
    serde_json::to_string_pretty(&wire).unwrap_or_default() + "\n"
}

fn need(need: &NeedChange) -> WireNeed<'_> {
    WireNeed {
        framework: &need.framework,
        need: &need.need,
        old: need.old.as_ref().map(ended),
        new: need.new.as_ref().map(ended),
        offers: need.offers.iter().map(offer).collect(),
    }
}

fn ended(ended: &Ended) -> WireEnded {
    let Ended { outcome, why, wanted, there } = *ended;
    WireEnded { outcome, why, wanted, there }
}

fn offer(offer: &OfferChange) -> WireOffer<'_> {
    WireOffer {
        change: offer.kind.name(),
        old: offer.old.as_ref().map(made),
        new: offer.new.as_ref().map(made),
        causes: offer.causes.iter().map(cause).collect(),
    }
}

fn made(made: &Made) -> WireMade<'_> {
    WireMade {
        instance: made.instance,
        agent: made.agent.as_deref(),
        volumes: made
            .volumes
            .iter()
            .map(|(name, number, supply)| WireVolume { name, number: *number, supply })
            .collect(),
        score: &made.score,
    }
}

fn place(place: &Place) -> WirePlace<'_> {
    WirePlace { file: &place.file, line: place.line, column: place.column }
}

fn earned(earned: &Earned) -> WireEarned<'_> {
    WireEarned { weight: &earned.weight, value: earned.value.as_deref() }
}

fn cause(cause: &Cause) -> WireCause<'_> {
    let of = |word| WireCause { cause: word, ..WireCause::default() };
    match cause {
        Cause::Reason { version, reason, volume, place: at } => WireCause {
            version: Some(version.name()),
            kind: Some(reason.kind.name()),
            label: Some(&reason.label),
            volume: volume.as_deref(),
            place: at.as_ref().map(place),
            key: reason.key.as_deref(),
            have: reason.have.as_deref(),
            want: Some(&reason.want),
            absent: &reason.absent,
            permanent: Some(reason.permanent),
            ..of("reason")
        },
        Cause::Contended { version, offers, count } => {
            WireCause { version: Some(version.name()), offers, count: Some(*count), ..of("contended") }
        }
        Cause::Score { version, label, volume, old, new, was, place: at } => WireCause {
            version: version.map(|version| version.name()),
            label: Some(label),
            volume: volume.as_deref(),
            earned_old: old.as_ref().map(earned),
            earned_new: new.as_ref().map(earned),
            weight_was: was.as_deref(),
            place: at.as_ref().map(place),
            ..of("score")
        },
        Cause::Amount { resource, volume, old, new, place: at } => WireCause {
            name: Some(resource),
            volume: volume.as_deref(),
            old: old.clone(),
            new: new.clone(),
            place: at.as_ref().map(place),
            ..of("amount")
        },
        Cause::Count { old, new } => {
            WireCause { old: Some(old.to_string()), new: Some(new.to_string()), ..of("count") }
        }
        Cause::Missing { version, what, name } => {
            WireCause { version: Some(version.name()), kind: Some(what), name: Some(name), ..of("missing") }
        }
        Cause::Whole { version, fitted, wanted } => WireCause {
            version: Some(version.name()),
            fitted: Some(*fitted),
            wanted: Some(*wanted),
            ..of("whole")
        },
        Cause::Tie { version } => WireCause { version: Some(version.name()), ..of("tie") },
        Cause::Bounded { version } => WireCause { version: Some(version.name()), ..of("bounded") },
        Cause::Order => of("order"),
    }
}
