//! Engines that decide one row at a time. What they decide is theirs; walking the rows, scores and the best ten are done here,
//! in compiled code, which is in their favour.

use bourse_yardstick::{
    Answer, Fleet, Pair, Refusal, Rules, System, Work,
    judge::{self, BEST, Best},
};

/// The rules of the work as the peers have them: those of W1, with or without the inequality of W2.
pub fn covered(work: &Work, most: usize, fleet: &Fleet) -> Result<(), Refusal> {
    if !matches!(work.name, "W1" | "W2" | "W5") {
        return Err("not written for this work".to_owned());
    }
    let pairs = fleet.agents.len() * fleet.pools.len();
    if pairs > most { Err(format!("{pairs} pairs take too long")) } else { Ok(()) }
}

/// An engine that decides rows.
pub trait Rows {
    /// Its name.
    const NAME: &'static str;
    /// Pairs above which it is not asked.
    const MOST: usize;
    /// Takes the work in.
    fn load(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal>;
    /// Whether an agent alone holds.
    fn agent(&mut self, row: usize) -> bool;
    /// Whether a pool alone holds.
    fn pool(&mut self, row: usize) -> bool;
    /// Whether the two go together.
    fn pair(&mut self, agent: usize, pool: usize) -> bool;
}

/// Agents and pools are decided alone first, and only those that hold are paired.
pub struct TwoStage<R> {
    rows: R,
    fleet: Option<Fleet>,
    rules: Rules,
}

impl<R: Rows> TwoStage<R> {
    /// Of an engine.
    pub fn new(rows: R) -> Self {
        TwoStage { rows, fleet: None, rules: Rules::default() }
    }

    fn visit(&mut self, mut each: impl FnMut(&Fleet, Rules, Pair)) {
        let fleet = self.fleet.as_ref().expect("prepared");
        let rows = &mut self.rows;
        let pools: Vec<usize> = (0..fleet.pools.len()).filter(|row| rows.pool(*row)).collect();
        for agent in 0..fleet.agents.len() {
            if rows.agent(agent) {
                for pool in &pools {
                    if rows.pair(agent, *pool) {
                        each(fleet, self.rules, (agent as u32, *pool as u32));
                    }
                }
            }
        }
    }
}

impl<R: Rows> System for TwoStage<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn prepare(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        covered(work, R::MOST, fleet)?;
        self.rows.load(work, fleet)?;
        self.fleet = Some(fleet.clone());
        self.rules = work.rules;
        Ok(())
    }

    fn answer(&mut self, _need: usize) -> Answer {
        let mut found = Found::default();
        self.visit(|fleet, rules, pair| found.add(fleet, rules, pair));
        found.answer()
    }

    fn pairs(&mut self, _need: usize, pairs: &mut Vec<Pair>) -> bool {
        pairs.clear();
        self.visit(|_, _, pair| pairs.push(pair));
        true
    }
}

/// Every pair is decided whole.
pub struct EveryPair<R> {
    rows: R,
    fleet: Option<Fleet>,
    rules: Rules,
}

impl<R: Rows> EveryPair<R> {
    /// Of an engine.
    pub fn new(rows: R) -> Self {
        EveryPair { rows, fleet: None, rules: Rules::default() }
    }
}

impl<R: Rows> System for EveryPair<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn prepare(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        covered(work, R::MOST, fleet)?;
        self.rows.load(work, fleet)?;
        self.fleet = Some(fleet.clone());
        self.rules = work.rules;
        Ok(())
    }

    fn answer(&mut self, _need: usize) -> Answer {
        let fleet = self.fleet.as_ref().expect("prepared");
        let mut found = Found::default();
        for agent in 0..fleet.agents.len() {
            for pool in 0..fleet.pools.len() {
                if self.rows.pair(agent, pool) {
                    found.add(fleet, self.rules, (agent as u32, pool as u32));
                }
            }
        }
        found.answer()
    }
}

/// Count and best ten as they grow.
pub struct Found {
    count: u64,
    best: Best,
}

impl Default for Found {
    fn default() -> Self {
        Found { count: 0, best: Best::new(BEST) }
    }
}

impl Found {
    /// One more pair.
    pub fn add(&mut self, fleet: &Fleet, rules: Rules, (agent, pool): Pair) {
        self.count += 1;
        let score = judge::score(&fleet.agents[agent as usize], &fleet.pools[pool as usize], rules);
        self.best.offer((score, agent, pool));
    }

    /// All of them.
    pub fn answer(self) -> Answer {
        Answer { count: self.count, top: self.best.sorted() }
    }
}
