//! The budget of a search for candidates, and its outcome.
//!
//! Work is counted in *looks*, so that budgets are the same on every machine and in both engines. The
//! cycle creates a [`Search`], and matching spends from it.

use super::failure::Shortage;

/// The looks that a supply costs which is tried in vain. Listing a supply costs one look.
pub(super) const LOOKS_PER_TRY: u64 = 32;
/// The looks that a supply costs which serves.
pub(super) const LOOKS_OF_SERVING: u64 = 8;
/// The looks that all checks of one agent cost, or of one supply for one volume.
pub(super) const LOOKS_OF_ASKING: u64 = 4;

/// The counters and the outcome of a search for candidates.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The number of agents checked and supplies tried.
    pub steps: u64,
    /// `true` if a bound ended the search for some candidate.
    pub bounded: bool,
    /// The looks spent so far.
    looks: u64,
    /// The number of supplies that may be tried in vain. `None`: no limit.
    pub left: Option<u64>,
    /// `true` if the budget ran out. The search then has no result, not even a negative one.
    pub cut: bool,
    /// The number of feasible agents.
    pub feasible: usize,
    /// The amount that ran out as volumes were added, for the last volume that was reached: the volume's
    /// number, the supply, and the shortage.
    pub ran_out: Option<(usize, usize, Shortage)>,
    /// The assignments whose parts hold one by one but not together. Of those that end with the same
    /// volume and supply, the first is kept. `None`: they are not collected.
    pub refused: Option<Vec<Vec<usize>>>,
}

impl Search {
    /// Creates a search without a limit that collects assignments that do not hold together.
    pub fn explaining() -> Search {
        Search { refused: Some(Vec::new()), ..Search::default() }
    }

    /// Creates a search that collects assignments that do not hold together, and may try `tries` supplies.
    pub fn explaining_within(tries: u64) -> Search {
        Search { left: Some(tries), ..Search::explaining() }
    }

    /// Creates a search that may try `tries` supplies.
    pub fn within(tries: u64) -> Search {
        Search { left: Some(tries), ..Search::default() }
    }

    /// Returns the looks spent, in supplies tried in vain, rounded up.
    pub fn tries(&self) -> u64 {
        self.looks.div_ceil(LOOKS_PER_TRY)
    }

    /// Spends looks, and cuts the search if they exceed the budget.
    pub(super) fn spend(&mut self, looks: u64) {
        self.looks += looks;
        if self.left.is_some_and(|left| self.looks > left.saturating_mul(LOOKS_PER_TRY)) {
            self.cut = true;
            self.bounded = true;
        }
    }

    /// Records an assignment that does not hold together, if these are collected.
    pub(super) fn refuse(&mut self, supplies: &[usize]) {
        let Some(refused) = &mut self.refused else { return };
        if !refused.iter().any(|known| known.len() == supplies.len() && known.last() == supplies.last()) {
            refused.push(supplies.to_vec());
        }
    }
}
