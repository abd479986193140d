//! What a cycle may spend: one framework that asks for much leaves enough to the others.

/// A sum that frameworks spend. Half of it is theirs in equal parts; of the other half each may have no more than it
/// leaves.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    own: u64,
    common: u64,
    spent: Vec<u64>,
}

impl Budget {
    /// Of so much, for so many frameworks, of which so many take part.
    pub fn new(total: u64, frameworks: usize, taking_part: usize) -> Budget {
        let own = total / 2 / (taking_part.max(1) as u64);
        Budget { own, common: total / 2, spent: vec![0; frameworks] }
    }

    /// What a framework may still spend.
    pub fn left(&self, framework: usize) -> u64 {
        let spent = self.spent[framework];
        let drawn = spent.saturating_sub(self.own);
        self.own.saturating_sub(spent) + self.common.saturating_sub(drawn) / 2
    }

    /// A framework spends.
    pub fn spend(&mut self, framework: usize, amount: u64) {
        let before = self.spent[framework].saturating_sub(self.own);
        self.spent[framework] += amount;
        self.common = self.common.saturating_sub(self.spent[framework].saturating_sub(self.own) - before);
    }

    /// Gives back what a framework spent.
    pub fn give_back(&mut self, framework: usize, amount: u64) {
        let before = self.spent[framework].saturating_sub(self.own);
        self.spent[framework] = self.spent[framework].saturating_sub(amount);
        self.common += before - self.spent[framework].saturating_sub(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn one_that_spends_all_it_may_leaves_the_others_their_part() {
        let mut budget = Budget::new(1_000, 5, 5);
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
        let mut budget = Budget::new(1_000, 2, 2);
        budget.spend(0, 400);
        budget.give_back(0, 400);
        assert_eq!((budget.left(0), budget.left(1)), (500, 500));
    }
}
