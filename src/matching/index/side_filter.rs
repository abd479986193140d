//! Conditions on the rows of one side, divided by whether taking amounts can change their outcome. The fixed
//! ones are combined to one set of rows once; the others are evaluated for each decision.

use crate::{
    engine::{
        Scene,
        columns::{Bits, Terms},
    },
    ir::NodeId,
};

/// Conditions on the rows of one side.
#[derive(Clone, Debug)]
pub(super) struct SideFilter {
    /// The rows for which every fixed condition holds.
    pub fixed: Bits,
    /// The other conditions, each with the outcome that is wanted.
    pub moving: Vec<(NodeId, bool)>,
    /// The rows that are checked one by one, whatever the conditions say.
    pub plain: Bits,
}

impl SideFilter {
    /// Creates it without conditions. The rows in `plain` are checked one by one.
    pub fn new(plain: Bits) -> SideFilter {
        SideFilter { fixed: Bits::all(plain.rows()), moving: Vec::new(), plain }
    }

    /// Adds conditions on every row. `scene` has everything but the row.
    pub fn ask(
        &mut self,
        terms: &mut Terms,
        canonical: &[NodeId],
        scene: &Scene<'_>,
        asked: Vec<(NodeId, bool)>,
    ) {
        for (node, wanted) in asked {
            let node = canonical[node.0 as usize];
            if terms.moves(scene.plan, node) {
                self.moving.push((node, wanted));
            } else {
                self.fixed.and(&terms.rows_where(scene, node, wanted).bits);
            }
        }
    }

    /// Adds rules that some rows have of their own: the root of each, with its rows.
    pub fn ask_some(
        &mut self,
        terms: &mut Terms,
        canonical: &[NodeId],
        scene: &Scene<'_>,
        own: &[(NodeId, Bits)],
    ) {
        for (root, whose) in own {
            for node in scene.plan.terms(*root) {
                let node = canonical[node.0 as usize];
                if terms.moves(scene.plan, node) {
                    // A set for each rule would have to be evaluated for each decision, so its few rows are
                    // checked one by one instead.
                    self.plain.or(whose);
                    continue;
                }
                // The rule must hold for its own rows, and says nothing about the others.
                let mut holds = Bits::clone(&terms.rows_where(scene, node, true).bits);
                let mut others = Bits::all(holds.rows());
                others.and_not(whose);
                holds.or(&others);
                self.fixed.and(&holds);
            }
        }
    }

    /// Returns the rows for which all conditions hold at present. It may contain rows of `plain`, which the
    /// caller has to check.
    pub fn now(&self, terms: &mut Terms, scene: &Scene<'_>) -> Bits {
        let mut rows = self.fixed.clone();
        for (node, wanted) in &self.moving {
            rows.and(&terms.rows_where(scene, *node, *wanted).bits);
        }
        rows
    }

    /// Returns `true` if the conditions that can change have the wanted outcome for the row in `scene`.
    pub fn moving_holds(&self, scene: &Scene<'_>) -> bool {
        self.moving.iter().all(|(node, wanted)| scene.truth(*node) == (*wanted).into())
    }
}
