//! What a search for candidates may cost, and how it ended.

use super::check::Shortage;

/// How a search for candidates ended.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Agents looked at, and supplies tried.
    pub steps: u64,
    /// Whether a bound ended the search of some candidate.
    pub bounded: bool,
    /// Supplies listed and tried for volumes that are assigned one by one, some listed ones as much as one tried.
    pub tries: u64,
    /// How many of these there may be.
    pub left: Option<u64>,
    /// Whether there were more: nothing is known then.
    pub cut: bool,
    /// Agents found feasible.
    pub feasible: usize,
    /// The amount that ran out when later volumes were added, with the volume's number and the supply.
    pub ran_out: Option<(usize, usize, Shortage)>,
    /// Assignments that hold part by part and not together, where they are asked for: of those that end in the same
    /// volume and supply, the first.
    pub refused: Option<Vec<Vec<usize>>>,
}

impl Search {
    /// A search that keeps what does not hold together.
    pub fn explaining() -> Search {
        Search { refused: Some(Vec::new()), ..Search::default() }
    }

    /// A search that may try so many supplies.
    pub fn within(tries: u64) -> Search {
        Search { left: Some(tries), ..Search::default() }
    }

    /// Counts supplies that were tried.
    pub(super) fn spend(&mut self, tries: u64) {
        self.tries += tries;
        if self.left.is_some_and(|left| self.tries > left) {
            self.cut = true;
            self.bounded = true;
        }
    }

    /// Keeps an assignment that does not hold together, where they are asked for.
    pub(super) fn refuse(&mut self, supplies: &[usize]) {
        let Some(refused) = &mut self.refused else { return };
        if !refused.iter().any(|known| known.len() == supplies.len() && known.last() == supplies.last()) {
            refused.push(supplies.to_vec());
        }
    }
}
