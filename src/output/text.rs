//! The words in which texts for people describe offers, in tables and in snapshots. Nothing here depends on
//! colour or on the width of a terminal; callers lay the words out.

use super::{
    rejections::wire_reason,
    wire::{Group, Offer, Parts, WireNeed, WireReason, WireVolume, WireWhy, WrittenAmount},
};
use crate::{cycle::WhyKind, matching, quantity};

/// `1 need`, `2 needs`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `1,523`
pub fn grouped(number: usize) -> String {
    quantity::grouped(number as u64)
}

/// Returns `2 of 3 (1 before)`: the instances that a need has after the cycle.
pub fn instances(need: &WireNeed) -> String {
    let there = grouped((need.allocated + need.offered) as usize);
    let mut of = format!("{there} of {}", grouped(need.wanted as usize));
    if need.allocated > 0 {
        of.push_str(&format!(" ({} before)", grouped(need.allocated as usize)));
    }
    if let Some(fitted) = need.fitted {
        of.push_str(&format!(" (all or nothing: {} would fit)", grouped(fitted as usize)));
    }
    of
}

/// Returns `2 of 5 agents` or `all 5 agents`, and an empty text for none.
pub fn part_of(part: usize, all: usize, one: &str, many: &str) -> String {
    match part {
        0 => String::new(),
        part if part == all => format!("all {}", count(all, one, many)),
        part => format!("{} of {}", grouped(part), count(all, one, many)),
    }
}

/// The number of offers named in a contended need.
const WINNERS: usize = 3;

/// Returns the cause for which a need got no more. `own` are its own offers.
pub fn why_words(why: &WireWhy, own: &[&Offer]) -> String {
    match why.kind {
        WhyKind::Proved => "proved: no candidate even with every offer of this cycle undone".to_owned(),
        WhyKind::Bounded if why.cut.is_some() => format!("bounded: {}", why.cut.unwrap_or_default()),
        WhyKind::Bounded => "bounded: the search ended before it was decided".to_owned(),
        WhyKind::Contended if why.lost_to.is_empty() => {
            "contended: others, or its own offers, leave too little".to_owned()
        }
        WhyKind::Contended => {
            // Its own offers are worth a mention only beside those of others.
            let (own, others): (Vec<_>, Vec<_>) =
                why.lost_to.iter().partition(|lost| own.iter().any(|offer| offer.id == lost.offer));
            if others.is_empty() {
                return "contended: its own offers took what there is".to_owned();
            }
            let more = (why.lost_to_count - own.len()).saturating_sub(WINNERS);
            let lost = others.iter().take(WINNERS).map(|lost| match &lost.agent {
                Some(agent) => format!("{} on {agent}", lost.offer),
                None => lost.offer.clone(),
            });
            let mut words = format!("contended: lost to {}", lost.collect::<Vec<_>>().join(", "));
            if more > 0 {
                words.push_str(&format!(" and {} more", grouped(more)));
            }
            if !own.is_empty() {
                words.push_str(", and to its own offers");
            }
            words
        }
    }
}

/// Returns the cells of an offer: its place, its score, its amounts.
pub fn offer_cells(offer: &Offer) -> Vec<String> {
    let place = match &offer.agent {
        Some(agent) => match &agent.domain {
            Some(domain) => format!("on {} ({domain})", agent.name),
            None => format!("on {}", agent.name),
        },
        None => "no agent".to_owned(),
    };
    let charged = |name: &str| offer.charges.0.iter().find(|(charged, _)| charged == name);
    let amounts = offer.taken.0.iter().map(|(name, amount)| {
        let charge = match charged(name) {
            Some((_, charge)) if charge == amount => Some("charge".to_owned()),
            Some((_, charge)) => Some(format!("{charge} of it charged")),
            None => None,
        };
        amount_words(name, amount, charge, &offer.amounts)
    });
    let amounts = amounts.collect::<Vec<_>>().join(", ");
    let score = match (&offer.score.value, offer.score.rank) {
        (Some(value), _) => format!("score {value}"),
        (None, rank) => format!("rank {}", rank.unwrap_or_default()),
    };
    vec![place, score, amounts]
}

/// `cpus 4 (2 reserved for ads)`
fn amount_words(name: &str, amount: &WrittenAmount, note: Option<String>, parts: &Parts) -> String {
    let notes: Vec<String> = note.into_iter().chain(parts.notes(name)).collect();
    if notes.is_empty() {
        format!("{name} {amount}")
    } else {
        format!("{name} {amount} ({})", notes.join(", "))
    }
}

/// Returns the name of a volume, and the description of its supply.
pub fn volume_cells(volume: &WireVolume) -> [String; 2] {
    let name = match volume.number {
        1 => volume.name.clone(),
        number => format!("{} #{number}", volume.name),
    };
    let amounts = volume.taken.0.iter().map(|(name, amount)| amount_words(name, amount, None, &volume.parts));
    let amounts = amounts.collect::<Vec<_>>().join(", ");
    let waste = if volume.waste == "0B" { String::new() } else { format!(", {} wasted", volume.waste) };
    let from = if volume.kind == "existing" { "the existing " } else { "" };
    [format!("  {name}"), format!("{amounts} from {from}{}{waste}", volume.supply)]
}

/// Returns the cells of an obstacle as a framework is told it: its places, its label and its kind.
pub fn seen_cells(group: &Group) -> [String; 3] {
    let volumes = group.volumes.join(", ");
    let agents = |word: &str| match group.agents.count {
        0 => word.to_owned(),
        count => self::count(count, "agent", "agents"),
    };
    let storage = match group.supplies.count {
        0 => "storage".to_owned(),
        count => self::count(count, "supply", "supplies"),
    };
    let places = match group.places {
        Some("storage") => format!("{storage} of {volumes}"),
        Some("both") => format!("agents with storage of {volumes}"),
        Some("others") => {
            let what = match group.asked.is_empty() {
                true => "leave nothing".to_owned(),
                false => format!("leave too little of {}", group.asked.join(", ")),
            };
            let on = match group.agents.count {
                0 => String::new(),
                _ => format!("on {}", agents("")),
            };
            return ["others".to_owned(), what, on];
        }
        _ => agents("agents"),
    };
    [places, group.reason.label.clone(), group.reason.kind.to_owned()]
}

/// Returns the cells of a reason: the demand, the values found, and `permanent` or `for now`.
pub fn reason_cells(reason: &WireReason, volumes: &str) -> Vec<String> {
    let Some(detail) = &reason.detail else { return vec![reason.kind.to_owned()] };
    let key = match &detail.key {
        Some(key) if *key != reason.label => format!("{}.{key} ", detail.side),
        _ => String::new(),
    };
    let of_volumes = if volumes.is_empty() { String::new() } else { format!("{volumes}: ") };
    let wanted = format!("{of_volumes}wants {key}{}", detail.want);
    let mut found = Vec::new();
    if !detail.have.is_empty() {
        found.push(format!("has {}", alternatives(&detail.have)));
    }
    if !detail.absent.is_empty() {
        found.push(format!("{} absent", detail.absent.join(", ")));
    }
    let lasting = if detail.permanent { "permanent" } else { "for now" };
    vec![wanted, found.join("; "), lasting.to_owned()]
}

/// Returns a reason in a line: `driver: wants agent.drivers has "rexray"; agent.drivers absent; permanent`.
pub fn reason_line(reason: &matching::Reason) -> String {
    let wire = wire_reason(reason, reason.have.iter().cloned().collect(), reason.absent.clone());
    let cells = reason_cells(&wire, "");
    let cells: Vec<String> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
    format!("{}: {}", reason.label, cells.join("; "))
}

/// `6, 5 or 4 free`
fn alternatives(have: &[String]) -> String {
    let amounts: Option<Vec<&str>> = have.iter().map(|have| have.strip_suffix(" free")).collect();
    let (values, end) = match &amounts {
        Some(amounts) => (amounts.clone(), " free"),
        None => (have.iter().map(String::as_str).collect(), ""),
    };
    match values.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}{end}", others.join(", ")),
        _ => format!("{}{end}", values.concat()),
    }
}
