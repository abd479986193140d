//! Divides a bound of the cycle among frameworks, so that one framework with large needs leaves enough to the
//! others.

/// A total that frameworks spend from. Half of it is divided into equal parts, one for each. The other half
/// is common: each framework may draw from it as long as what it has drawn is no more than what remains.
///
/// So the first of `n` frameworks that spends all it may takes a quarter of the total beside its own part,
/// and the last always has its own part. What a framework may spend does not depend on what the others will
/// ask for, only on what they have spent.
#[derive(Clone, Debug)]
pub(super) struct CycleBudget {
    /// The part of each framework.
    own: u64,
    /// The rest of the common half.
    common: u64,
    /// By framework, everything it has spent.
    spent: Vec<u64>,
}

impl CycleBudget {
    /// Divides a total. `frameworks` is the number of the plan's frameworks, `taking_part` of those that
    /// share the total.
    pub fn new(total: u64, frameworks: usize, taking_part: usize) -> CycleBudget {
        let own = total / 2 / (taking_part.max(1) as u64);
        CycleBudget { own, common: total / 2, spent: vec![0; frameworks] }
    }

    /// Returns the amount that a framework may still spend.
    pub fn left(&self, framework: usize) -> u64 {
        let spent = self.spent[framework];
        let drawn = spent.saturating_sub(self.own);
        self.own.saturating_sub(spent) + self.common.saturating_sub(drawn) / 2
    }

    /// Counts an amount that a framework spends.
    pub fn spend(&mut self, framework: usize, amount: u64) {
        let before = self.spent[framework].saturating_sub(self.own);
        self.spent[framework] += amount;
        self.common = self.common.saturating_sub(self.spent[framework].saturating_sub(self.own) - before);
    }

    /// Takes back an amount that a framework spent.
    pub fn refund(&mut self, framework: usize, amount: u64) {
        let before = self.spent[framework].saturating_sub(self.own);
        self.spent[framework] = self.spent[framework].saturating_sub(amount);
        self.common += before - self.spent[framework].saturating_sub(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::CycleBudget;

    #[test]
    fn one_that_spends_all_it_may_leaves_the_others_their_part() {
        let mut budget = CycleBudget::new(1_000, 5, 5);
        for framework in 0..4 {
            let left = budget.left(framework);
            assert!(left >= 100);
            budget.spend(framework, left);
            assert_eq!(budget.left(framework), 0);
        }
        assert!(budget.left(4) >= 100);
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let mut budget = CycleBudget::new(1_000, 2, 2);
        budget.spend(0, 400);
        budget.refund(0, 400);
        assert_eq!((budget.left(0), budget.left(1)), (500, 500));
    }
}
