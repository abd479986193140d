//! The plain evaluator, row by row: the meaning that every faster engine is held to.

use bourse::{
    Fleet, Inventory, Policy,
    cycle::{CycleRequest, Engine, Reasons},
    matching::{Matcher, NeedId},
};
use bourse_yardstick::{
    Answer, Pair, Refusal, System, Work,
    judge::{BEST, Best},
    work::Act,
};

use super::bourse_form as form;

/// Pairs of agent and pool, over all needs, above which the plain evaluator is not asked.
const MOST: usize = 1_500_000;
/// Instances wanted times agents times pools, above which it makes no cycle.
const MOST_OF_CYCLE: usize = 200_000_000;
/// One point of a score, in the unit scores are counted in.
const POINT: i128 = 1_000_000_000_000;

/// The system.
#[derive(Debug, Default)]
pub struct Plain {
    bound: Option<(Fleet, Vec<NeedId>)>,
}

/// A set and a fleet, bound.
pub fn bind(work: &Work, inventory: &Inventory) -> Result<Fleet, Refusal> {
    let files = form::policies(work);
    let policy = Policy::compile(files.iter().map(|(name, text)| (*name, text.as_str())));
    policy.and_then(|policy| policy.fleet(&[inventory])).map_err(|error| error.to_string())
}

impl Plain {
    fn bound(&self) -> &(Fleet, Vec<NeedId>) {
        self.bound.as_ref().expect("prepared")
    }

    fn visit(&self, need: usize, mut each: impl FnMut(i128, Pair)) {
        let (fleet, needs) = self.bound();
        let matcher = Matcher::new(fleet.moment(), needs[need]);
        for agent in matcher.agents() {
            if !matcher.agent_holds(agent) {
                continue;
            }
            let choices = matcher.choices(agent, 0, &[]);
            if choices.is_empty() {
                continue;
            }
            let own: i128 = matcher.agent_items(agent, &[]).iter().map(|item| item.numerator()).sum();
            for choice in choices {
                each(own + choice.numerator, (agent.unwrap_or(0) as u32, choice.supply as u32));
            }
        }
    }
}

impl System for Plain {
    fn name(&self) -> &'static str {
        "bourse, plain"
    }

    fn prepare(&mut self, work: &Work, fleet: &bourse_yardstick::Fleet) -> Result<(), Refusal> {
        let pairs = fleet.agents.len() * fleet.pools.len() * work.needs.len();
        let most = if work.act == Act::Cycle { MOST_OF_CYCLE } else { MOST };
        if pairs > most {
            return Err(format!("{pairs} pairs are too many for the plain evaluator"));
        }
        let inventory = Inventory::from_ndjson("fleet.ndjson", &form::ndjson(fleet));
        let bound = bind(work, &inventory.map_err(|error| error.to_string())?)?;
        let needs = (0..work.needs.len()).map(|number| bound.needs(&format!("f{number}.n")));
        let needs: Result<Vec<_>, _> = needs.collect();
        let needs = needs.map_err(|error| error.to_string())?.into_iter().flatten().collect();
        self.bound = Some((bound, needs));
        Ok(())
    }

    fn answer(&mut self, need: usize) -> Answer {
        let mut best = Best::new(BEST);
        let mut count = 0;
        self.visit(need, |score, (agent, pool)| {
            count += 1;
            best.offer((i64::try_from(score / POINT).expect("small"), agent, pool));
        });
        Answer { count, top: best.sorted() }
    }

    fn pairs(&mut self, need: usize, pairs: &mut Vec<Pair>) -> bool {
        pairs.clear();
        self.visit(need, |_, pair| pairs.push(pair));
        true
    }

    fn cycle(&mut self) -> Option<u64> {
        let (fleet, _) = self.bound();
        let offers = fleet.cycle(CycleRequest {
            reasons: Reasons::None,
            engine: Engine::Plain,
            ..CycleRequest::default()
        });
        Some(offers.cycle().grants.len() as u64)
    }
}
