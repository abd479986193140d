//! Explanations as text. The text is the same for every width and terminal, and contains no control
//! characters but line ends.

use super::{
    Cause, Check, Counts, Ending, Explanation, OfferExplanation, Step, When, candidate::CandidateExplanation,
};
use crate::{logic::Truth, quantity::grouped, value::printable};

/// The level of detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetailLevel {
    /// True for everything, false for a screenful.
    pub all: bool,
}

/// The number of conditions and relaxations that fit a screen.
const SCREENFUL: usize = 10;

/// Writes the explanation of a need.
pub fn need_text(explanation: &Explanation, detail: DetailLevel) -> String {
    let mut out = heading(explanation, detail);
    let causes = &explanation.causes;
    let most = if detail.all { usize::MAX } else { SCREENFUL };
    if !causes.is_empty() {
        out.push_str("\n  in the way\n");
        let counts: Vec<String> = causes.iter().take(most).map(|cause| counts(explanation, cause)).collect();
        let width = counts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        for (cause, counts) in causes.iter().zip(&counts) {
            let lines = cause_lines(cause, detail);
            for (at, line) in lines.iter().enumerate() {
                let first = if at == 0 { counts.as_str() } else { "" };
                out.push_str(&line_of(&format!("    {first:width$}  {line}")));
            }
        }
        if causes.len() > most {
            out.push_str(&format!("    and {} more: see --all\n", causes.len() - most));
        }
    }
    if explanation.counts_stopped {
        out.push_str("    some candidates were not looked at: there were more than the bounds allow\n");
    }
    out.push_str(&relaxations(explanation, detail));
    out
}

fn line_of(text: &str) -> String {
    format!("{}\n", printable(text).trim_end())
}

fn heading(explanation: &Explanation, detail: DetailLevel) -> String {
    let mut out = printable(&explanation.label);
    match &explanation.ending {
        Some(ending) => {
            let there = explanation.allocated + ending.offered;
            out.push_str(&format!("  {}  {there} of {}", ending.outcome.name(), explanation.wanted));
            if explanation.allocated > 0 {
                out.push_str(&format!(" ({} before)", explanation.allocated));
            }
            if let Some(fitted) = ending.fitted {
                out.push_str(&format!(" (all or nothing: {fitted} would fit)"));
            }
            out.push('\n');
            if let Some(why) = why(ending, detail) {
                out.push_str(&line_of(&format!("  {why}")));
            }
        }
        None => out.push_str(&format!("  wants {}, has {}\n", explanation.wanted, explanation.allocated)),
    }
    let when = match explanation.when {
        When::Closed => "when the need closed",
        When::Alone => "before any offer",
    };
    let there = explanation.missing() < explanation.wanted;
    let one = if there { "one more instance" } else { "an instance" };
    let can = match (explanation.wants_agent, explanation.feasible) {
        (true, 0) => format!("none of {} could take {one}", many(explanation.agents, "agent")),
        (true, some) => {
            format!("{} of {} could take {one}", grouped(some), many(explanation.agents, "agent"))
        }
        (false, 0) => format!("nothing could serve {one}"),
        (false, _) => format!("{one} could be served"),
    };
    out.push_str(&format!("  {can} {when}\n"));
    out
}

fn why(ending: &Ending, detail: DetailLevel) -> Option<String> {
    Some(match ending.why? {
        "proved" => "proved: no candidate even with every offer of this cycle undone".to_owned(),
        "bounded" => "bounded: the search ended before it was decided".to_owned(),
        kind if ending.lost_to.is_empty() && ending.lost_to_own => {
            format!("{kind}: its own offers took what there is")
        }
        kind if ending.lost_to.is_empty() => format!("{kind}: what it needs went to other offers"),
        kind => {
            let most = if detail.all { usize::MAX } else { 3 };
            let lost = ending.lost_to.iter().take(most).map(|(offer, agent)| match agent {
                Some(agent) => format!("{offer} on {agent}"),
                None => offer.clone(),
            });
            let mut words = format!("{kind}: lost to {}", lost.collect::<Vec<_>>().join(", "));
            let told = ending.lost_to.len().min(most);
            if ending.lost_count > told {
                words.push_str(&format!(" and {} more", ending.lost_count - told));
            }
            if ending.lost_to_own {
                words.push_str(", and to its own offers");
            }
            words
        }
    })
}

/// Returns `3 of 12 agents, 2 alone`.
fn counts(explanation: &Explanation, cause: &Cause) -> String {
    let mut parts = Vec::new();
    let mut add = |counts: Counts, all: u64, word: &str| {
        if counts.excluded == 0 {
            return;
        }
        let of = if counts.excluded == all {
            format!("all {}", many(all, word))
        } else {
            format!("{} of {}", grouped(counts.excluded), many(all, word))
        };
        parts.push(match counts.alone {
            0 => of,
            alone if alone == counts.excluded => format!("{of}, alone"),
            alone => format!("{of}, {} alone", grouped(alone)),
        });
    };
    if explanation.wants_agent {
        add(cause.agents, explanation.agents, "agent");
    }
    add(cause.supplies, explanation.supplies, "supply");
    if cause.agents.excluded == 0 && cause.supplies.excluded == 0 {
        add(cause.pairs, explanation.agents.saturating_mul(explanation.supplies), "pair");
    }
    if parts.is_empty() { "the need itself".to_owned() } else { parts.join("; ") }
}

/// `1 agent`, `12 supplies`
fn many(count: u64, word: &str) -> String {
    match (count, word) {
        (1, word) => format!("1 {word}"),
        (count, "supply") => format!("{} supplies", grouped(count)),
        (count, word) => format!("{} {word}s", grouped(count)),
    }
}

fn cause_lines(cause: &Cause, detail: DetailLevel) -> Vec<String> {
    let of_volume = cause.volume.as_ref().map_or(String::new(), |volume| format!("{volume}: "));
    let key = match &cause.key {
        Some(key) if *key != cause.label && !cause.want.contains(key.as_str()) => {
            format!("{}.{key} ", cause.side)
        }
        _ => String::new(),
    };
    let lasting = match cause.permanent {
        (0, _) => "for now",
        (permanent, noted) if permanent == noted => "permanent",
        _ => "for some permanent",
    };
    let together = if cause.together { ", put together" } else { "" };
    let place = place_of(&cause.label, cause.place.as_deref());
    let want = format!("{of_volume}{}  wants {key}{}", cause.label, cause.want);
    let mut lines = vec![format!("{want}  ({lasting}{together}){place}")];
    lines.extend(absent_lines(cause));
    let told = if detail.all { cause.nearest.len() } else { 1 };
    let near = cause.nearest.iter().filter_map(|near| {
        let on: Vec<&str> = near.agent.iter().chain(&near.supply).map(String::as_str).collect();
        let have = near.have.as_ref()?;
        Some(if on.is_empty() { have.clone() } else { format!("{have} on {}", on.join(" with ")) })
    });
    let near: Vec<String> = near.take(told).collect();
    if !near.is_empty() {
        let word = if cause.measured { "nearest" } else { "has" };
        lines.push(format!("  {word}: {}", near.join(", or ")));
    }
    lines.extend(cause.hint.iter().map(|hint| format!("  {hint}")));
    if detail.all {
        lines.extend(cause.docs.iter().map(|docs| format!("  /// {docs}")));
    }
    lines
}

/// Returns the position, unless the label already contains it: a rule without a label is named by its
/// position.
fn place_of(label: &str, place: Option<&str>) -> String {
    place.filter(|place| !label.starts_with(place)).map_or(String::new(), |place| format!("  {place}"))
}

fn absent_lines(cause: &Cause) -> impl Iterator<Item = String> + '_ {
    cause.absent.iter().map(|absent| {
        let on = if absent.count == absent.of {
            "on all that it excludes".to_owned()
        } else {
            format!("on {} of the {} that it excludes", grouped(absent.count), grouped(absent.of))
        };
        let meant = absent.meant.as_ref().map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        format!("  `{}` is absent {on}{meant}", absent.key)
    })
}

fn relaxations(explanation: &Explanation, detail: DetailLevel) -> String {
    if explanation.lacking() == 0 || explanation.feasible > 0 {
        return String::new();
    }
    let mut known: Vec<String> = Vec::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    let most = if detail.all { usize::MAX } else { SCREENFUL / 2 };
    for one in &explanation.relaxations {
        let words = one.dropped.iter().map(|drop| &drop.words);
        let mut words: Vec<&str> = words.map(String::as_str).collect();
        words.dedup();
        let words = words.join(", ");
        if known.contains(&words) {
            continue;
        }
        known.push(words.clone());
        let least = if one.relaxation.at_least { "at least " } else { "" };
        let of = explanation.lacking();
        rows.push((format!("{least}{} of {of} missing", one.relaxation.offers), words));
    }
    let mut out = String::from("\n");
    if rows.is_empty() {
        let bound = if explanation.relaxations_stopped { " within the bounds of the search" } else { "" };
        out.push_str(&format!(
            "  no set of conditions was found{bound} without which there would be an offer\n"
        ));
        return out;
    }
    out.push_str("  would be offered\n");
    let width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    for (count, words) in rows.iter().take(most) {
        out.push_str(&line_of(&format!("    {count:width$}  {words}")));
    }
    if rows.len() > most {
        out.push_str(&format!("    and {} more ways: see --all\n", rows.len() - most));
    }
    let stopped =
        if explanation.relaxations_stopped { "; there may be others, the search was bounded" } else { "" };
    out.push_str(&format!("    (each was tried, with no other need in between{stopped})\n"));
    out
}

/// Writes the explanation of a candidate.
pub fn candidate_text(explanation: &CandidateExplanation) -> String {
    let who: Vec<&str> = explanation.agent.iter().chain(&explanation.supply).map(String::as_str).collect();
    let failing = explanation.checks.iter().filter(|check| !check.truth.holds()).count();
    let mut out = line_of(&format!("{} for {}", who.join(" with "), explanation.label));
    let all = explanation.checks.len();
    out.push_str(&match (failing, explanation.feasible) {
        (0, Some(false)) => {
            format!("  all {all} conditions hold, and yet it could not take an instance\n")
        }
        (0, _) => format!("  all {all} conditions hold\n"),
        (1, _) => format!("  1 of {all} conditions does not hold\n"),
        (failing, _) => format!("  {failing} of {all} conditions do not hold\n"),
    });
    if let Some(score) = &explanation.score {
        let served = explanation.served_by.iter().map(|(volume, supply)| format!(", {volume} from {supply}"));
        out.push_str(&line_of(&format!(
            "  it can take an instance: score {score}{}",
            served.collect::<String>()
        )));
    }
    for note in &explanation.notes {
        out.push_str(&line_of(&format!("  {note}")));
    }
    let mut section = "";
    for check in &explanation.checks {
        let of = check.volume.as_deref().unwrap_or_default();
        if of != section {
            out.push_str(&line_of(&format!("  volume {of}")));
            section = of;
        }
        out.push_str(&check_text(check));
    }
    if !explanation.preferences.is_empty() {
        out.push_str("  preferences\n");
        explanation.preferences.iter().for_each(|check| out.push_str(&check_text(check)));
    }
    out
}

fn check_text(check: &Check) -> String {
    let first = match &check.earned {
        None => check.truth.to_string(),
        Some((_, None)) => "unknown".to_owned(),
        Some((weight, Some(value))) => format!("{value} × {weight}"),
    };
    let labelled = check.label == check.want || check.want.ends_with(&check.label);
    let label = if labelled { String::new() } else { format!("{}: ", check.label) };
    let have = check.have.as_ref().map_or(String::new(), |have| match have.ends_with(" absent") {
        true => format!("  {have}"),
        false => format!("  has {have}"),
    });
    let lasting = match (check.truth, check.permanent) {
        (Truth::True, _) | (_, None) => "",
        (_, Some(true)) => "  (permanent)",
        (_, Some(false)) => "  (for now)",
    };
    let place = place_of(&check.label, check.place.as_deref());
    let mut out = line_of(&format!("    {first:8} {label}{}{have}{lasting}{place}", check.want));
    for docs in &check.docs {
        out.push_str(&line_of(&format!("             /// {docs}")));
    }
    if let Some(step) = &check.step {
        // The first line has shown the expression itself.
        let steps = if step.text == check.want { step.parts.as_slice() } else { std::slice::from_ref(step) };
        let own = steps.is_empty().then_some(step).filter(|step| step.gap.is_some());
        steps.iter().chain(own).for_each(|step| step_text(step, 7, &mut out));
    }
    out
}

fn step_text(step: &Step, depth: usize, out: &mut String) {
    let value = match (&step.value, &step.gap) {
        (Some(value), _) => format!("= {value}"),
        (None, Some(gap)) => format!("unknown: {gap}"),
        (None, None) => "unknown".to_owned(),
    };
    out.push_str(&line_of(&format!("{:indent$}{}  {value}", "", step.text, indent = depth * 2 - 1)));
    step.parts.iter().for_each(|part| step_text(part, depth + 1, out));
}

/// Writes the explanation of an offer.
pub fn offer_text(explanation: &OfferExplanation) -> String {
    let on = explanation.agent.as_ref().map_or(String::new(), |agent| format!(" on {agent}"));
    let mut out = line_of(&format!("{}{on}  score {}", explanation.id, explanation.score));
    if explanation.agent.is_some() {
        let next = match &explanation.other {
            Some((agent, score)) => format!("next best: {agent}, score {score}; {}", explanation.because),
            None => explanation.because.clone(),
        };
        let could = many(explanation.feasible, "agent");
        out.push_str(&line_of(&format!("  {could} could take it when it was made; {next}")));
    }
    if !explanation.items.is_empty() {
        let chosen = explanation.agent.clone().unwrap_or_else(|| "it".to_owned());
        let other = explanation.other.as_ref().map_or("-".to_owned(), |other| other.0.clone());
        let mut rows = vec![["preference".to_owned(), chosen, other, "difference".to_owned()]];
        rows.extend(explanation.items.iter().map(|item| {
            let volume = item.volume.as_ref().map_or(String::new(), |volume| format!(" ({volume})"));
            let other = if explanation.other.is_some() { item.other.clone() } else { String::new() };
            [format!("{}{volume}", item.label), item.chosen.clone(), other, item.difference.clone()]
        }));
        out.push_str(&columns(&rows));
    }
    for supplied in &explanation.supplies {
        let next = match (&supplied.next, &supplied.because) {
            (Some(next), Some(because)) => format!("; next best: {next}; {because}"),
            _ => "; no other supply holds for it".to_owned(),
        };
        out.push_str(&line_of(&format!("  {} from {}{next}", supplied.volume, supplied.supply)));
    }
    out
}

/// Returns rows as indented lines whose cells are aligned.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| rows.iter().map(|row| printable(&row[at]).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", printable(cell)));
        line_of(&format!("    {}", cells.collect::<Vec<_>>().join("  ")))
    };
    rows.iter().map(line).collect()
}
