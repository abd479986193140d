//! What is measured: a system is given a work and its fleet, and asked.

use crate::{
    Columns, Fleet,
    judge::{Answer, Pair},
    standing::Standing,
    work::{Act, Update, Work},
};

/// Why a system has no figure for a row of the table.
pub type Refusal = String;

/// A system under measurement. Rows of agents are in order of name, rows of pools in order of path.
pub trait System {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// Takes in a fleet and all needs of a work; asked once before anything else. Not part of the time of an answer.
    ///
    /// # Errors
    /// Why there will be no answers: the work is not covered, or is too large for this system.
    fn prepare(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal>;

    /// Timed: how many pairs are feasible for a need, and the best ten.
    fn answer(&mut self, need: usize) -> Answer;

    /// Timed in W3: all needs of the work, in order.
    fn answers(&mut self, needs: usize) -> Vec<Answer> {
        (0..needs).map(|need| self.answer(need)).collect()
    }

    /// Timed in W6, and what the digest is made of: every feasible pair of a need, in any order. False: it cannot.
    fn pairs(&mut self, _need: usize, _pairs: &mut Vec<Pair>) -> bool {
        false
    }

    /// Makes the needs of the work stand. False: it cannot.
    fn stand(&mut self) -> bool {
        false
    }

    /// Timed in W4: changes what is free on an agent. [`System::standing`] is current afterwards.
    fn update(&mut self, _update: Update) {}

    /// The answer of a standing need.
    fn standing(&self, _need: usize) -> Answer {
        Answer::default()
    }

    /// Timed in W10: a full offer cycle from the start; gives how many instances were granted. `None`: it cannot.
    fn cycle(&mut self) -> Option<u64> {
        None
    }

    /// Bytes held for each agent, where known.
    fn bytes_per_agent(&self) -> Option<f64> {
        None
    }
}

/// The yardstick itself.
#[derive(Debug, Default)]
pub struct K {
    work: Option<Work>,
    columns: Option<Columns>,
    standing: Option<Standing>,
    bits: Vec<u64>,
}

impl K {
    fn parts(&self) -> (&Work, &Columns) {
        (self.work.as_ref().expect("prepared"), self.columns.as_ref().expect("prepared"))
    }
}

impl System for K {
    fn name(&self) -> &'static str {
        "k"
    }

    fn prepare(&mut self, work: &Work, fleet: &Fleet) -> Result<(), Refusal> {
        if work.act == Act::Cycle {
            return Err("k answers needs; it grants nothing".to_owned());
        }
        self.columns = Some(Columns::new(fleet, work.rules));
        self.work = Some(work.clone());
        self.standing = None;
        Ok(())
    }

    fn answer(&mut self, need: usize) -> Answer {
        let mut bits = std::mem::take(&mut self.bits);
        let (work, columns) = self.parts();
        let answer = columns.answer(&work.needs[need], &mut bits);
        self.bits = bits;
        answer
    }

    fn pairs(&mut self, need: usize, pairs: &mut Vec<Pair>) -> bool {
        let mut bits = std::mem::take(&mut self.bits);
        let (work, columns) = self.parts();
        columns.pairs(&work.needs[need], &mut bits, pairs);
        self.bits = bits;
        true
    }

    fn stand(&mut self) -> bool {
        let (work, columns) = self.parts();
        self.standing = Some(Standing::new(columns.clone(), &work.needs));
        true
    }

    fn update(&mut self, update: Update) {
        self.standing.as_mut().expect("standing").update(update);
    }

    fn standing(&self, need: usize) -> Answer {
        self.standing.as_ref().expect("standing").answer(need).clone()
    }

    fn bytes_per_agent(&self) -> Option<f64> {
        self.columns.as_ref().map(Columns::bytes_per_agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge;

    /// k says what the judge says, on every work, with the loops of this machine and with the plain ones.
    #[test]
    fn k_agrees_with_the_judge() {
        for work in Work::all().iter().filter(|work| work.act != Act::Cycle) {
            for (agents, pools) in [(1, 1), (63, 40), (1_000, 100), (2_000, 1_000)] {
                let fleet = work.fleet(agents, pools);
                for columns in [Columns::new(&fleet, work.rules), Columns::plain(&fleet, work.rules)] {
                    for need in work.needs.iter().take(20) {
                        let mut bits = Vec::new();
                        let mut pairs = Vec::new();
                        columns.pairs(need, &mut bits, &mut pairs);
                        let wanted = judge::pairs(&fleet, need, work.rules);
                        let digest = judge::digest(&fleet, &wanted, work.rules);
                        assert_eq!(
                            judge::digest(&fleet, &pairs, work.rules),
                            digest,
                            "{} {agents}",
                            work.name
                        );
                        assert_eq!(columns.answer(need, &mut bits), digest.answer, "{} {agents}", work.name);
                    }
                }
            }
        }
    }

    /// Standing answers are those of the changed fleet, after every change.
    #[test]
    fn standing_needs_stay_answered() {
        for work in Work::all().iter().filter(|work| matches!(work.act, Act::Follow(_))) {
            let mut fleet = work.fleet(300, 200);
            let needs = &work.needs[..work.needs.len().min(40)];
            let mut standing = Standing::new(Columns::new(&fleet, work.rules), needs);
            for number in 0..400 {
                let update = Update::drawn(number, fleet.agents.len());
                let agent = &mut fleet.agents[update.agent as usize];
                (agent.cpus, agent.mem) = (Some(update.cpus), Some(update.mem));
                standing.update(update);
                for (at, need) in needs.iter().enumerate().filter(|(at, _)| (at + number) % 7 == 0) {
                    let pairs = judge::pairs(&fleet, need, work.rules);
                    let digest = judge::digest(&fleet, &pairs, work.rules);
                    assert_eq!(standing.answer(at), &digest.answer, "{} change {number}", work.name);
                }
            }
        }
    }
}
