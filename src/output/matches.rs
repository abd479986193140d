//! Candidates, as wire forms.

use super::{
    View,
    build::WireWriter,
    wire::{MATCHES_FORMAT, MatchedNeed, Matches, VERSION},
};
use crate::{Fleet, matching::NeedId};

/// Returns the feasible candidates of needs, best first, with nothing counted between them. `top` bounds the
/// number shown for each need.
pub fn matches(fleet: &Fleet, needs: &[NeedId], top: Option<usize>) -> Matches {
    let writer =
        WireWriter { fleet, ledger: fleet.ledger(), permissions: View::Operator.permissions(fleet.plan()) };
    let matched = needs.iter().enumerate().map(|(at, id)| {
        let (candidates, search) = fleet.matches(*id);
        let (framework, need) = writer.names(*id);
        let shown = candidates.iter().take(top.unwrap_or(usize::MAX)).zip(1..);
        MatchedNeed {
            framework,
            need,
            feasible: candidates.len(),
            bounded: search.bounded,
            candidates: shown.map(|(candidate, n)| writer.offer(*id, n, candidate, (at, 1))).collect(),
            label: id.label(fleet.plan()),
        }
    });
    Matches { format: MATCHES_FORMAT, version: VERSION, needs: matched.collect() }
}
