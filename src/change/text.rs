//! A change as text for people. Markdown uses the same lines.

use super::{Change, DifferenceCause, DifferenceKind, NeedChange, NeedOutcome, OfferChange, Position};
use crate::output::{printable_name, text::count};

/// The number of needs that are listed.
const NEEDS: usize = 200;

/// The number of causes that are listed.
const RESPONSIBLE: usize = 30;

/// Writes the change as text.
pub fn text(change: &Change) -> String {
    let mut out = format!("{}\n", summary(change));
    for need in change.needs.iter().take(NEEDS) {
        out.push_str(&format!("\n{}  {}\n", printable_name(&need.label), ended(need)));
        for offer in &need.offers {
            out.push_str(&format!("  {:<9}  {}\n", offer.kind.name(), printable_name(&what(offer))));
            offer
                .causes
                .iter()
                .for_each(|cause| out.push_str(&format!("             {}\n", cause_line(cause))));
        }
    }
    let more = change.needs.len().saturating_sub(NEEDS);
    if more > 0 {
        out.push_str(&format!("\nand {}; `--format json` has all\n", count(more, "more need", "more needs")));
    }
    let responsible = change.responsible();
    if !responsible.is_empty() {
        out.push_str("\nresponsible\n");
        let width = responsible.first().map_or(0, |(_, offers)| offers.to_string().len());
        let more = responsible.len().saturating_sub(RESPONSIBLE);
        for (name, offers) in responsible.into_iter().take(RESPONSIBLE) {
            let word = if offers == 1 { "offer " } else { "offers" };
            out.push_str(&format!("  {offers:>width$} {word}  {}\n", printable_name(&name)));
        }
        if more > 0 {
            out.push_str(&format!("  and {more} more\n"));
        }
    }
    out
}

fn cause_line(cause: &DifferenceCause) -> String {
    let (name, detail) = (cause.name(), cause.detail());
    printable_name(&if detail.is_empty() { name } else { format!("{name}: {detail}") })
}

/// `2 of 12 needs changed: 1 lost, 1 moved; 9 offers kept`
pub(super) fn summary(change: &Change) -> String {
    let kept = count(change.kept, "offer", "offers");
    if change.is_empty() {
        return format!("no change: {kept} of {}", count(change.needs_in_all, "need", "needs"));
    }
    let kinds = DifferenceKind::ALL.iter().filter(|kind| change.count(**kind) > 0);
    let kinds: Vec<String> = kinds.map(|kind| format!("{} {}", change.count(*kind), kind.name())).collect();
    let kinds = if kinds.is_empty() { "no offer differs".to_owned() } else { kinds.join(", ") };
    let of = count(change.needs_in_all, "need", "needs");
    format!("{} of {of} changed: {kinds}; {kept} kept", change.needs.len())
}

/// `met 2 of 2 → partial 1 of 2 (contended)`
pub(super) fn ended(need: &NeedChange) -> String {
    let one = |ended: &NeedOutcome| {
        let why = ended.why.map_or(String::new(), |why| format!(" ({why})"));
        format!("{} {} of {}{why}", ended.outcome, ended.there, ended.wanted)
    };
    match (&need.old, &need.new) {
        (Some(old), Some(new)) if old == new => one(new),
        (Some(old), Some(new)) => format!("{} → {}", one(old), one(new)),
        (Some(old), None) => format!("{} → no such need", one(old)),
        (None, Some(new)) => format!("new: {}", one(new)),
        (None, None) => String::new(),
    }
}

/// Returns the offer, and its old and new positions.
pub(super) fn what(offer: &OfferChange) -> String {
    match (&offer.old, &offer.new) {
        (Some(old), Some(new)) => match offer.kind {
            DifferenceKind::Ranked if old.score != new.score => {
                format!("{}: score {} → {}", made(old), old.score, new.score)
            }
            DifferenceKind::Ranked if old.instance == new.instance => {
                format!("{}: score {}", made(old), old.score)
            }
            // Without permission to see scores, the number alone is shown.
            DifferenceKind::Ranked if new.score.is_empty() => format!("{}: now #{}", made(old), new.instance),
            DifferenceKind::Ranked => format!("{}: now #{}, score {}", made(old), new.instance, new.score),
            DifferenceKind::Sized => made(new),
            _ => format!("{} → {}", made(old), place(new)),
        },
        (Some(one), None) | (None, Some(one)) => made(one),
        (None, None) => String::new(),
    }
}

fn made(made: &Position) -> String {
    format!("#{} {}", made.instance, place(made))
}

fn place(made: &Position) -> String {
    let agent = made.agent.as_ref().map(|agent| format!("on {agent}"));
    let volumes = made.volumes.iter().map(|(name, number, supply)| match number {
        1 => format!("{name} from {supply}"),
        number => format!("{name} #{number} from {supply}"),
    });
    agent.into_iter().chain(volumes).collect::<Vec<_>>().join(", ")
}
