//! A need as its framework is told of it: outcome, offers and obstacles.
//!
//! It tells exactly as much of the need as the offers do. Any further explanation would reveal places that
//! were not offered: see `docs/security.md`.

use super::{
    Permissions, View, VisibleCycle,
    build::{WireWriter, offers_of},
    names::printable_name,
    text::{instances, offer_cells, seen_cells, volume_cells, why_words},
    view,
    wire::{Group, Offer, WireNeed, WireWhy},
};
use crate::{
    Fleet, Offers,
    explain::{self, columns},
    matching::NeedId,
};

/// A need as its framework is told of it.
#[derive(Debug)]
pub struct SeenNeed {
    pub(super) need: WireNeed,
    pub(super) offers: Vec<Offer>,
    pub(super) groups: Vec<Group>,
    /// True if no cycle was run.
    pub(super) alone: bool,
}

impl SeenNeed {
    /// Makes the answer from a cycle. `None` if the view does not see the need.
    pub fn new(offers: &Offers, view: View, id: NeedId) -> Option<SeenNeed> {
        let visible = VisibleCycle::only(offers, view, &[id]);
        let (at, need) = visible.needs().next()?;
        let writer = WireWriter {
            fleet: offers.fleet(),
            ledger: &offers.cycle().ledger,
            permissions: visible.permissions,
        };
        let need = writer.need(&visible, need, at);
        Some(SeenNeed {
            need,
            offers: offers_of(&visible, &writer),
            groups: visible.groups(at),
            alone: false,
        })
    }

    /// Makes the answer from the state before any offer: the obstacles of the need.
    pub fn alone(fleet: &Fleet, view: View, id: NeedId) -> SeenNeed {
        let plan = fleet.plan();
        let permissions: Permissions = view.permissions(plan);
        let barriers = explain::barriers(fleet, id);
        let (framework, name) = WireWriter { fleet, ledger: fleet.ledger(), permissions }.names(id);
        let wanted = plan.frameworks[id.framework].needs[id.need].count;
        let allocated = fleet.placed().of(id).len() as u64;
        let need = WireNeed {
            framework,
            need: name,
            outcome: "",
            why: Some(WireWhy {
                kind: view::why_seen(&barriers),
                cut: None,
                lost_to_count: 0,
                lost_to: Vec::new(),
            }),
            wanted,
            allocated,
            offered: 0,
            missing: wanted.saturating_sub(allocated),
            fitted: None,
            feasible_agents: None,
            rejections_dropped: 0,
            label: id.label(plan),
            at: 0,
        };
        // Without a cycle it is not known if others leave enough.
        let groups = view::groups(fleet, permissions, id, &barriers);
        let groups = groups.into_iter().filter(|group| group.places != Some("others")).collect();
        SeenNeed { need, offers: Vec::new(), groups, alone: true }
    }

    /// Returns the answer as text, the same for every width and terminal.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        let need = &self.need;
        if self.alone {
            lines.push(format!("{}  wants {}, has {}", need.label, need.wanted, need.allocated));
        } else {
            lines.push(format!("{}  {}  {}", need.label, need.outcome, instances(need)));
            let own: Vec<&Offer> = self.offers.iter().collect();
            lines.extend(need.why.as_ref().map(|why| format!("  {}", why_words(why, &own))));
        }
        for offer in &self.offers {
            lines.push(format!("  #{}  {}", offer.instance, offer_cells(offer).join("  ")));
            for volume in &offer.volumes {
                let [name, what] = volume_cells(volume);
                lines.push(format!("    {}  {what}", name.trim()));
            }
        }
        if !self.groups.is_empty() {
            lines.extend([String::new(), "  in the way".to_owned()]);
        }
        let head: String = lines.iter().map(|line| printable_name(line) + "\n").collect();
        let rows: Vec<[String; 3]> = self.groups.iter().map(seen_cells).collect();
        head + &columns(&rows)
    }
}
