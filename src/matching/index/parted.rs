//! What is asked of one side, parted by whether it changes as amounts are taken.

use crate::{
    engine::{
        Scene,
        columns::{Bits, Terms},
    },
    ir::NodeId,
};

/// Conditions on the rows of one side.
#[derive(Clone, Debug)]
pub(super) struct Parted {
    /// The rows for which everything holds that does not change as amounts are taken.
    pub fixed: Bits,
    /// Conditions that do change, and how they must come out.
    pub moving: Vec<(NodeId, bool)>,
    /// Rows that are looked at one by one, whatever they have.
    pub plain: Bits,
}

impl Parted {
    /// Nothing is asked; these are looked at one by one.
    pub fn new(plain: Bits) -> Parted {
        Parted { fixed: Bits::all(plain.rows()), moving: Vec::new(), plain }
    }

    /// What every row is asked. `scene` has everything but the row.
    pub fn ask(
        &mut self,
        terms: &mut Terms,
        alike: &[NodeId],
        scene: &Scene<'_>,
        asked: Vec<(NodeId, bool)>,
    ) {
        for (node, wanted) in asked {
            let node = alike[node.0 as usize];
            if terms.moves(scene.plan, node) {
                self.moving.push((node, wanted));
            } else {
                self.fixed.and(&terms.rows_where(scene, node, wanted).bits);
            }
        }
    }

    /// What rows ask by rules of their own: by the root of each, whose it is.
    pub fn ask_some(
        &mut self,
        terms: &mut Terms,
        alike: &[NodeId],
        scene: &Scene<'_>,
        own: &[(NodeId, Bits)],
    ) {
        for (root, whose) in own {
            for node in scene.plan.terms(*root) {
                let node = alike[node.0 as usize];
                if terms.moves(scene.plan, node) {
                    self.plain.or(whose);
                    continue;
                }
                let mut holds = Bits::clone(&terms.rows_where(scene, node, true).bits);
                let mut others = Bits::all(holds.rows());
                others.and_not(whose);
                holds.or(&others);
                self.fixed.and(&holds);
            }
        }
    }

    /// The rows for which all of it holds now, those that are looked at one by one among them.
    pub fn now(&self, terms: &mut Terms, scene: &Scene<'_>) -> Bits {
        let mut rows = self.fixed.clone();
        for (node, wanted) in &self.moving {
            rows.and(&terms.rows_where(scene, *node, *wanted).bits);
        }
        rows
    }

    /// Whether what changes comes out as it must for the row in `scene`.
    pub fn moving_holds(&self, scene: &Scene<'_>) -> bool {
        self.moving.iter().all(|(node, wanted)| scene.truth(*node) == (*wanted).into())
    }
}
