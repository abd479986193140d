//! Offers as the text of a snapshot: the result of each need, and the reasons against everything else. Every
//! fact is on a line of its own, without columns, so that one change is one changed line.

use super::{
    Detail, View, document, printable_name,
    text::{count, instances, offer_cells, part_of, reason_cells, volume_cells, why_words},
    wire::{Document, Excluded, Group, Offer, WireNeed, WireRole},
};
use crate::Offers;

/// The version of the text. Texts of different versions are not compared.
pub const TEXT_VERSION: u32 = 1;

/// Returns the offers and their explanation as text. The same offers give the same text.
pub fn snapshot(offers: &Offers) -> String {
    let document = document(offers, View::Operator, Detail::Grouped);
    let mut by_need: Vec<Vec<&Offer>> = vec![Vec::new(); document.needs.len()];
    for offer in &document.offers {
        by_need[offer.need_at].push(offer);
    }
    let mut lines: Vec<String> = Vec::new();
    for need in &document.needs {
        let own = &by_need[need.at];
        let why = need.why.as_ref().map_or(String::new(), |why| format!("; {}", why_words(why, own)));
        lines.push(format!("need {}: {}, {}{why}", need.label, need.outcome, instances(need)));
        own.iter().for_each(|offer| lines.extend(offer_lines(offer)));
        lines.extend(explanation(offers, &document, need));
    }
    if lines.is_empty() {
        lines.push("no need takes part".to_owned());
    }
    lines.extend(document.roles.iter().flatten().filter(|role| tells(role)).map(role_line));
    lines.iter().map(|line| printable_name(line) + "\n").collect()
}

/// Lists the reasons for which nothing else was offered to a need.
fn explanation(offers: &Offers, document: &Document<'_>, need: &WireNeed) -> Vec<String> {
    let mut groups = document.rejections.groups_of(need.at);
    // Sorted by name, not by the number that each excludes: a line keeps its position when a number in it
    // changes.
    groups.sort_by(|a, b| a.reason.label.cmp(&b.reason.label));
    let mut lines: Vec<String> = groups.iter().map(|group| group_line(offers, group)).collect();
    if need.rejections_dropped > 0 {
        lines.push(format!("  and {} more", count(need.rejections_dropped, "rejection", "rejections")));
    }
    lines
}

fn offer_lines(offer: &Offer) -> Vec<String> {
    let cells = offer_cells(offer);
    let mut lines = vec![format!("  offer #{}: {}", offer.instance, joined(&cells, "; "))];
    for volume in &offer.volumes {
        let [name, what] = volume_cells(volume);
        lines.push(format!("    volume {}: {what}", name.trim()));
    }
    for item in offer.score.items.iter().flatten() {
        let of_volume = item.volume.as_ref().map_or(String::new(), |volume| format!(" for {volume}"));
        let earned = item.value.as_deref().unwrap_or("unknown");
        lines.push(format!("    score {}{of_volume}: {earned} × {}", item.label, item.weight));
    }
    lines
}

fn group_line(offers: &Offers, group: &Group) -> String {
    let world = offers.fleet().world();
    let who = [
        named(&group.agents, part_of(group.agents.count, world.agents.len(), "agent", "agents")),
        named(&group.supplies, part_of(group.supplies.count, world.supplies.len(), "supply", "supplies")),
    ];
    let why = joined(&reason_cells(&group.reason, &group.volumes.join(", ")), "; ");
    format!("  excluded by {}: {}: {why}", group.reason.label, joined(&who, " with "))
}

/// `2 of 5 agents (c1, e1)`
fn named(excluded: &Excluded, part: String) -> String {
    let more = if excluded.count > excluded.names.len() { ", …" } else { "" };
    if part.is_empty() { part } else { format!("{part} ({}{more})", excluded.names.join(", ")) }
}

fn joined(parts: &[String], by: &str) -> String {
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(by)
}

/// Returns `true` if the share of a role is worth a line. The role `*` stands for frameworks without a role.
fn tells(role: &WireRole) -> bool {
    role.role != "*" && role.dominant.is_some()
}

fn role_line(role: &WireRole) -> String {
    let resource = role.dominant.as_deref().unwrap_or_default();
    format!("role {}: share {} of {resource}", role.role, role.share)
}
