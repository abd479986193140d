//! The columns: what an embedder asks, by way of `Standing`.

use bourse::{
    Inventory, Live, Policy, Standing,
    cycle::{CycleRequest, Reasons},
    live::Holder,
    matching::{MatchCount, NeedId},
    quantity::{Dimension, Quantity},
};
use bourse_yardstick::{Answer, Pair, Refusal, System, Update, Work, judge::BEST};

use super::bourse_form as form;

/// One point of a score, in the unit scores are counted in.
const POINT: i128 = 1_000_000_000_000;
const ONE: i64 = 1_000_000;
const MIB: i64 = 1 << 20;

/// The system.
#[derive(Default)]
pub struct Fast {
    bound: Option<(Standing, Vec<NeedId>, Vec<String>)>,
    answers: Vec<Answer>,
}

impl Fast {
    fn bound(&mut self) -> &mut (Standing, Vec<NeedId>, Vec<String>) {
        self.bound.as_mut().expect("prepared")
    }
}

fn answer_of(found: MatchCount) -> Answer {
    let point = |score: i128| i64::try_from(score / POINT).expect("small");
    let top = found
        .best
        .iter()
        .map(|pair| (point(pair.score.numerator), pair.agent as u32, pair.supply.unwrap_or_default() as u32));
    Answer { count: found.pairs as u64, top: top.collect() }
}

impl System for Fast {
    fn name(&self) -> &'static str {
        "bourse"
    }

    fn prepare(&mut self, work: &Work, fleet: &bourse_yardstick::Fleet) -> Result<(), Refusal> {
        let inventory = Inventory::from_ndjson("fleet.ndjson", &form::ndjson(fleet));
        let inventory = inventory.map_err(|error| error.to_string())?;
        let files = form::policies(work);
        let policy = Policy::compile(files.iter().map(|(name, text)| (*name, text.as_str())));
        let live = policy.and_then(|policy| Live::bind(&policy, &[&inventory]));
        let standing = Standing::new(live.map_err(|error| error.to_string())?);
        let needs = (0..work.needs.len()).map(|number| standing.fleet().needs(&format!("f{number}.n")));
        let needs: Result<Vec<_>, _> = needs.collect();
        let needs = needs.map_err(|error| error.to_string())?.into_iter().flatten().collect();
        let bound = standing.fleet();
        let agents = bound.world().agents.iter();
        let names = agents.map(|agent| bound.plan().symbols.text(agent.name).to_owned()).collect();
        self.bound = Some((standing, needs, names));
        Ok(())
    }

    fn answer(&mut self, need: usize) -> Answer {
        let (standing, needs, _) = self.bound();
        standing.answer(needs[need], BEST).map(answer_of).expect("an answer")
    }

    fn pairs(&mut self, need: usize, pairs: &mut Vec<Pair>) -> bool {
        pairs.clear();
        let (standing, needs, _) = self.bound();
        standing.pairs(needs[need], |supply, agents| {
            let supply = supply.unwrap_or_default() as u32;
            pairs.extend(agents.iter().map(|agent| (*agent, supply)));
        })
    }

    fn stand(&mut self) -> bool {
        let (standing, needs, _) = self.bound();
        let found = needs.iter().map(|need| standing.answer(*need, BEST).map(answer_of));
        let found: Option<Vec<Answer>> = found.collect();
        self.answers = found.unwrap_or_default();
        true
    }

    fn update(&mut self, update: Update) {
        let (standing, _, names) = self.bound();
        let agent = Holder::Agent(&names[update.agent as usize]);
        let amounts = [
            ("cpus", Dimension::Number, i64::from(update.cpus) * ONE),
            ("mem", Dimension::Size, i64::from(update.mem) * MIB),
        ];
        for (resource, dimension, amount) in amounts {
            standing.set_total(agent, resource, Quantity { dimension, amount }).expect("a total");
        }
        standing.refresh();
    }

    fn standing(&self, need: usize) -> Answer {
        // Asking needs the columns to itself, and here they are shared: a copy is asked.
        let (standing, needs, _) = self.bound.as_ref().expect("prepared");
        standing.clone().answer(needs[need], BEST).map(answer_of).expect("an answer")
    }

    fn bytes_per_agent(&self) -> Option<f64> {
        let (standing, ..) = self.bound.as_ref()?;
        let agents = standing.fleet().world().agents.len();
        (agents > 0).then(|| standing.bytes_of_agents() as f64 / agents as f64)
    }

    fn cycle(&mut self) -> Option<u64> {
        let (standing, ..) = self.bound();
        let offers =
            standing.fleet().cycle(CycleRequest { reasons: Reasons::None, ..CycleRequest::default() });
        Some(offers.cycle().grants.len() as u64)
    }
}
