//! A change as JSON: `bourse.diff`, version 1.

use serde::Serialize;

use super::{
    Change, DifferenceCause, DifferenceKind, EarnedCredit, FilePosition, NeedChange, NeedOutcome,
    OfferChange, Position,
};

#[derive(Serialize)]
struct WireDiff<'a> {
    format: &'static str,
    version: u32,
    changed: bool,
    counts: ChangeCounts,
    needs: Vec<WireNeedChange<'a>>,
    responsible: Vec<Responsible>,
}

#[derive(Serialize)]
struct ChangeCounts {
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
struct WireNeedChange<'a> {
    framework: &'a str,
    need: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<WireEnded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<WireEnded>,
    offers: Vec<WireOfferChange<'a>>,
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
struct WireOfferChange<'a> {
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<WireMade<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<WireMade<'a>>,
    causes: Vec<WireChangeCause<'a>>,
}

#[derive(Serialize)]
struct WireMade<'a> {
    instance: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    volumes: Vec<WireVolumeChange<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    score: &'a str,
}

#[derive(Serialize)]
struct WireVolumeChange<'a> {
    name: &'a str,
    number: u32,
    supply: &'a str,
}

#[derive(Serialize)]
struct WireFilePosition<'a> {
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
struct WireChangeCause<'a> {
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
    place: Option<WireFilePosition<'a>>,
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
        counts: ChangeCounts {
            needs: change.needs_in_all,
            needs_changed: change.needs.len(),
            lost: change.count(DifferenceKind::Lost),
            gained: change.count(DifferenceKind::Gained),
            moved: change.count(DifferenceKind::Moved),
            reranked: change.count(DifferenceKind::Ranked),
            resized: change.count(DifferenceKind::Sized),
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

fn need(need: &NeedChange) -> WireNeedChange<'_> {
    WireNeedChange {
        framework: &need.framework,
        need: &need.need,
        old: need.old.as_ref().map(ended),
        new: need.new.as_ref().map(ended),
        offers: need.offers.iter().map(offer).collect(),
    }
}

fn ended(ended: &NeedOutcome) -> WireEnded {
    let NeedOutcome { outcome, why, wanted, there } = *ended;
    WireEnded { outcome, why, wanted, there }
}

fn offer(offer: &OfferChange) -> WireOfferChange<'_> {
    WireOfferChange {
        change: offer.kind.name(),
        old: offer.old.as_ref().map(made),
        new: offer.new.as_ref().map(made),
        causes: offer.causes.iter().map(cause).collect(),
    }
}

fn made(made: &Position) -> WireMade<'_> {
    WireMade {
        instance: made.instance,
        agent: made.agent.as_deref(),
        volumes: made
            .volumes
            .iter()
            .map(|(name, number, supply)| WireVolumeChange { name, number: *number, supply })
            .collect(),
        score: &made.score,
    }
}

fn place(place: &FilePosition) -> WireFilePosition<'_> {
    WireFilePosition { file: &place.file, line: place.line, column: place.column }
}

fn earned(earned: &EarnedCredit) -> WireEarned<'_> {
    WireEarned { weight: &earned.weight, value: earned.value.as_deref() }
}

fn cause(cause: &DifferenceCause) -> WireChangeCause<'_> {
    let of = |word| WireChangeCause { cause: word, ..WireChangeCause::default() };
    match cause {
        DifferenceCause::Reason { version, reason, volume, place: at } => WireChangeCause {
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
        DifferenceCause::Contended { version, offers, count } => {
            WireChangeCause { version: Some(version.name()), offers, count: Some(*count), ..of("contended") }
        }
        DifferenceCause::Score { version, label, volume, old, new, was, place: at } => WireChangeCause {
            version: version.map(|version| version.name()),
            label: Some(label),
            volume: volume.as_deref(),
            earned_old: old.as_ref().map(earned),
            earned_new: new.as_ref().map(earned),
            weight_was: was.as_deref(),
            place: at.as_ref().map(place),
            ..of("score")
        },
        DifferenceCause::Amount { resource, volume, old, new, place: at } => WireChangeCause {
            name: Some(resource),
            volume: volume.as_deref(),
            old: old.clone(),
            new: new.clone(),
            place: at.as_ref().map(place),
            ..of("amount")
        },
        DifferenceCause::Count { old, new } => {
            WireChangeCause { old: Some(old.to_string()), new: Some(new.to_string()), ..of("count") }
        }
        DifferenceCause::Missing { version, what, name } => WireChangeCause {
            version: Some(version.name()),
            kind: Some(what),
            name: Some(name),
            ..of("missing")
        },
        DifferenceCause::Whole { version, fitted, wanted } => WireChangeCause {
            version: Some(version.name()),
            fitted: Some(*fitted),
            wanted: Some(*wanted),
            ..of("whole")
        },
        DifferenceCause::Tie { version } => WireChangeCause { version: Some(version.name()), ..of("tie") },
        DifferenceCause::Bounded { version } => {
            WireChangeCause { version: Some(version.name()), ..of("bounded") }
        }
        DifferenceCause::Order => of("order"),
    }
}
