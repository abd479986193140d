//! What a search for candidates may cost, and how it ended.

use super::check::Shortage;

/// Looks that are as much work as a supply that is tried in vain. One that is listed is a look.
pub(super) const LOOKS_PER_TRY: u64 = 32;
/// Looks of a supply that serves.
pub(super) const LOOKS_OF_SERVING: u64 = 8;
/// Looks of an agent, or of a supply for a volume, of which everything is asked.
pub(super) const LOOKS_OF_ASKING: u64 = 4;

/// How a search for candidates ended.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Agents looked at, and supplies tried.
    pub steps: u64,
    /// Whether a bound ended the search of some candidate.
    pub bounded: bool,
    /// What was looked at for volumes that are assigned one by one, in parts of a supply that was tried in vain.
    looks: u64,
    /// How many supplies may be tried.
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

    /// The same, that may try so many supplies.
    pub fn explaining_within(tries: u64) -> Search {
        Search { left: Some(tries), ..Search::explaining() }
    }

    /// A search that may try so many supplies.
    pub fn within(tries: u64) -> Search {
        Search { left: Some(tries), ..Search::default() }
    }

    /// Supplies tried: what was looked at for volumes that are assigned one by one.
    pub fn tries(&self) -> u64 {
        self.looks.div_ceil(LOOKS_PER_TRY)
    }

    /// Counts what was looked at.
    pub(super) fn spend(&mut self, looks: u64) {
        self.looks += looks;
        if self.left.is_some_and(|left| self.looks > left.saturating_mul(LOOKS_PER_TRY)) {
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
