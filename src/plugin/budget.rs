//! The limits of a plugin over one run of questions (a cycle, an explanation or a list of matches), in
//! addition to the limits of a call. A run can make thousands of calls, each within its own limit.

use super::{Limits, fault::Broken};

/// The cost, in instructions, of one value that the host writes for a plugin or reads from it. Fuel does not
/// count the work of the host, so that without this a plugin could make the host work for nothing.
const HOST_FUEL: u64 = 10;

/// Instructions and questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Allowance {
    fuel: u64,
    questions: u64,
}

/// The allowance that is left for the runs that are open.
///
/// Threads may share a fleet, and then their runs overlap. Each run adds its allowance to a common pool, and
/// a run that ends leaves at most the allowances of the runs still open. The pool is not divided: an open run
/// can use what another one brought, but the sum of all runs is bounded. Outside of runs only the limits of
/// each call hold.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// The allowance of one run.
    each: Allowance,
    /// The sum that is left.
    left: Allowance,
    /// The number of open runs.
    runs: u64,
}

impl Budget {
    /// Creates the budget for a fleet of this many rows and needs.
    pub(super) fn new(limits: &Limits, (rows, needs): (usize, usize)) -> Budget {
        let fuel = limits.cycle_fuel_for(rows, needs);
        let each = Allowance { fuel, questions: limits.cycle_questions };
        Budget { each, left: Allowance::default(), runs: 0 }
    }

    /// Begins a run.
    pub(super) fn begin(&mut self) {
        self.runs += 1;
        self.left.fuel = self.left.fuel.saturating_add(self.each.fuel);
        self.left.questions = self.left.questions.saturating_add(self.each.questions);
    }

    /// Ends a run. What it has left goes to no other run.
    pub(super) fn end(&mut self) {
        self.runs = self.runs.saturating_sub(1);
        self.left.fuel = self.left.fuel.min(self.each.fuel.saturating_mul(self.runs));
        self.left.questions = self.left.questions.min(self.each.questions.saturating_mul(self.runs));
    }

    /// Counts a question, for which the host handles `values` values.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(super) fn ask(&mut self, values: usize) -> Result<(), (Broken, String)> {
        if self.runs == 0 {
            return Ok(());
        }
        let Some(questions) = self.left.questions.checked_sub(1) else {
            let message = format!("it was asked {} times in one cycle or explanation", self.each.questions);
            return Err((Broken::CycleQuestions, message));
        };
        self.left.questions = questions;
        self.handle(values)
    }

    /// Counts values that the host handled.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(super) fn handle(&mut self, values: usize) -> Result<(), (Broken, String)> {
        self.spend(HOST_FUEL.saturating_mul(values as u64))
    }

    /// Counts instructions that ran.
    ///
    /// # Errors
    /// The limit that is exceeded. Nothing is left then.
    pub(super) fn spend(&mut self, fuel: u64) -> Result<(), (Broken, String)> {
        if self.runs == 0 {
            return Ok(());
        }
        match self.left.fuel.checked_sub(fuel) {
            Some(left) => {
                self.left.fuel = left;
                Ok(())
            }
            None => {
                self.left.fuel = 0;
                Err(self.out_of_fuel())
            }
        }
    }

    /// Returns the fault of running out of instructions.
    pub(super) fn out_of_fuel(&self) -> (Broken, String) {
        let message = format!("it ran {} instructions in one cycle or explanation", self.each.fuel);
        (Broken::CycleFuel, message)
    }

    /// Returns the most instructions that a call may run, or `None` outside of runs.
    pub(super) fn most(&self) -> Option<u64> {
        (self.runs > 0).then_some(self.left.fuel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Budget {
        let limits =
            Limits { cycle_fuel: 400, cycle_fuel_per_row: 100, cycle_questions: 3, ..Limits::default() };
        Budget::new(&limits, (2, 3))
    }

    #[test]
    fn each_run_has_its_own_and_no_more() {
        let mut budget = budget();
        assert_eq!((budget.spend(u64::MAX), budget.most()), (Ok(()), None), "no run is open");
        for _ in 0..2 {
            budget.begin();
            (0..3).for_each(|_| budget.ask(0).expect("is left"));
            assert_eq!(budget.ask(0).map_err(|found| found.0), Err(Broken::CycleQuestions));
            budget.spend(600).expect("is left");
            assert_eq!(budget.most(), Some(400));
            assert_eq!(budget.spend(401).map_err(|found| found.0), Err(Broken::CycleFuel));
            budget.end();
        }
        budget.begin();
        assert_eq!(
            budget.ask(101).map_err(|found| found.0),
            Err(Broken::CycleFuel),
            "the host's own work counts"
        );
    }

    #[test]
    fn runs_that_overlap_leave_each_other_what_is_theirs() {
        let mut budget = budget();
        budget.begin();
        budget.spend(900).expect("is left");
        budget.begin();
        budget.spend(1_000).expect("is the other's");
        assert_eq!(budget.most(), Some(100));
        budget.end();
        budget.spend(100).expect("is left");
        assert!(budget.spend(1).is_err());
        budget.end();
        budget.begin();
        assert_eq!(budget.most(), Some(1_000));
    }
}
