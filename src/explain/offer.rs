//! The explanation of an offer: the chosen candidate beside the next best, preference by preference.

use super::{analysis::Analysis, state::MomentState};
use crate::{
    Offers,
    matching::{Candidate, Matcher, Search},
    quantity::{MILLION, decimal},
};

/// A preference, and its contribution to both scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The label.
    pub label: String,
    /// The volume that the preference is about.
    pub volume: Option<String>,
    /// The contribution to the score of the chosen candidate.
    pub chosen: String,
    /// The contribution to the score of the next best candidate.
    pub other: String,
    /// The difference.
    pub difference: String,
}

/// The supply of a volume, beside the next best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supplied {
    /// The volume.
    pub volume: String,
    /// The supply.
    pub supply: String,
    /// The next best supply for the same agent.
    pub next: Option<String>,
    /// The criterion that decided between the two.
    pub because: Option<String>,
}

/// The explanation of an offer.
#[derive(Clone, Debug)]
pub struct OfferExplanation {
    /// The id of the offer.
    pub id: String,
    /// The agent.
    pub agent: Option<String>,
    /// The score.
    pub score: String,
    /// The agents that could take the instance at that moment.
    pub feasible: u64,
    /// The next best agent, and its score.
    pub other: Option<(String, String)>,
    /// The criterion that decided between the two.
    pub because: String,
    /// The preferences.
    pub items: Vec<Compared>,
    /// The supplies.
    pub supplies: Vec<Supplied>,
}

/// Explains the offer with a number in the cycle, at the moment when it was made.
pub fn offer(offers: &Offers, number: usize) -> OfferExplanation {
    let fleet = offers.fleet();
    let _run = fleet.plugin_run();
    let (plan, world) = (fleet.plan(), fleet.world());
    let grant = &offers.cycle().grants[number];
    let state = MomentState::after(offers, grant.id, number);
    let analysis = Analysis::new(fleet, &state, grant.id);
    let matcher = Matcher::new(state.moment(fleet), grant.id);
    let text = |symbol| plan.symbols.text(symbol).to_owned();
    let name = |agent: Option<usize>| agent.map(|agent| text(world.agents[agent].name));
    let next = runner_up(&analysis, &matcher, grant.candidate.agent);
    let chosen = &grant.candidate;
    let because = match &next {
        None => "no other agent could take it".to_owned(),
        Some(next) if next.score == chosen.score => "equal scores; it comes first by name".to_owned(),
        Some(_) => "it scores more".to_owned(),
    };
    OfferExplanation {
        id: grant.id.offer_id(plan, grant.instance),
        agent: name(chosen.agent),
        score: chosen.score.show(),
        feasible: analysis.feasible,
        because,
        items: compare(&matcher, chosen, next.as_ref()),
        other: next.and_then(|next| Some((name(next.agent)?, next.score.show()))),
        supplies: supplied(&analysis, &matcher, chosen),
    }
}

/// Returns the best candidate among the other agents. One agent of each class is tried: the first that is not
/// the chosen one.
fn runner_up(analysis: &Analysis<'_>, matcher: &Matcher<'_>, chosen: Option<usize>) -> Option<Candidate> {
    chosen?;
    let rows = analysis.rows.iter().filter(|row| analysis.is_open(row));
    let mut agents: Vec<Option<usize>> = rows
        .flat_map(|row| row.members.iter().copied().filter(|agent| Some(*agent) != chosen).take(1))
        .map(Some)
        .collect();
    agents.sort_unstable();
    let supplies = analysis.supplies_to_try(matcher.subject.need.volumes.len(), &[]);
    matcher.among(&supplies).best_of(&agents, &mut Search::default())
}

fn compare(matcher: &Matcher<'_>, chosen: &Candidate, other: Option<&Candidate>) -> Vec<Compared> {
    let need = matcher.subject.need;
    let one = i128::from(MILLION);
    let volumes = i128::from(chosen.score.volumes.max(1));
    // Contributions of volumes are averaged over the need's volumes.
    let adds = |item: &crate::matching::ScoreItem| match item.volume {
        Some(_) => item.numerator() / volumes,
        None => item.numerator(),
    };
    let shown = |numerator: i128| decimal(numerator / one, one);
    let mut items: Vec<Compared> = Vec::new();
    for (at, item) in chosen.items.iter().enumerate() {
        let same =
            |known: &&crate::matching::ScoreItem| known.label == item.label && known.volume == item.volume;
        // Items may share label and volume, so the n-th of one side is compared with the n-th of the other.
        let nth = chosen.items[..at].iter().filter(same).count();
        let theirs = other.and_then(|other| other.items.iter().filter(same).nth(nth));
        let (own, theirs) = (adds(item), theirs.map_or(0, adds));
        let volume = item.volume.and_then(|at| need.volumes.get(at));
        items.push(Compared {
            label: item.label.clone(),
            volume: volume.map(|volume| matcher.moment.plan.symbols.text(volume.name).to_owned()),
            chosen: shown(own),
            other: shown(theirs),
            difference: shown(own - theirs),
        });
    }
    // Preferences that only the other's provider or agent states.
    for item in other.into_iter().flat_map(|other| &other.items) {
        if chosen.items.iter().all(|known| known.label != item.label || known.volume != item.volume) {
            let volume = item.volume.and_then(|at| need.volumes.get(at));
            items.push(Compared {
                label: item.label.clone(),
                volume: volume.map(|volume| matcher.moment.plan.symbols.text(volume.name).to_owned()),
                chosen: "0".to_owned(),
                other: shown(adds(item)),
                difference: shown(-adds(item)),
            });
        }
    }
    items
}

/// Returns the next best supply of each volume, and the criterion that decided.
fn supplied(analysis: &Analysis<'_>, matcher: &Matcher<'_>, chosen: &Candidate) -> Vec<Supplied> {
    let (plan, world, need) = (matcher.moment.plan, matcher.moment.world, matcher.subject.need);
    let text = |symbol| plan.symbols.text(symbol).to_owned();
    let path = |supply: usize| text(world.supplies[supply].path);
    let mut tried = analysis.supplies_to_try(need.volumes.len() + 1, &[]);
    tried.extend(chosen.volumes.iter().map(|grant| grant.supply));
    tried.sort_unstable();
    tried.dedup();
    let among = matcher.among(&tried);
    let before: Vec<usize> = chosen.volumes.iter().map(|grant| grant.supply).collect();
    let mut found = Vec::new();
    for (at, grant) in chosen.volumes.iter().enumerate() {
        let choices = among.choices(chosen.agent, at, &before[..at]);
        let own = choices.iter().find(|choice| choice.supply == grant.supply);
        // A choice that ranks higher than the chosen one did not fit with the other volumes.
        let next = choices.iter().find(|choice| choice.supply != grant.supply);
        let because = own.zip(next).map(|(own, next)| own.before(next));
        found.push(Supplied {
            volume: text(need.volumes[at].name),
            supply: path(grant.supply),
            next: next.map(|choice| path(choice.supply)),
            because: because.map(str::to_owned),
        });
    }
    found
}
