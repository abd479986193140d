//! `bourse explain`: explains the outcome of a need, the conditions of one candidate, or the choice of an
//! offer.

use clap::ValueEnum;

use super::{
    CommandFailure, Exit,
    files::Console,
    plugins::{self, FleetArgs},
    table::{Paint, paint},
    view::Audience,
};
use crate::{
    Fleet, Offers,
    check::Strictness,
    cycle::{self, Outcome, Reasons},
    diagnostic::{Code, Diagnostic, nearest},
    explain::{self, DetailLevel},
    matching::NeedId,
    output::{self, Explained, SeenNeed, View, printable_name},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The need: NEED or FRAMEWORK.NEED; FRAMEWORK for all of its needs
    #[arg(value_name = "NEED")]
    need: String,
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only this agent: every condition asked of it, with the values seen
    #[arg(long, value_name = "AGENT", conflicts_with = "offer")]
    agent: Option<String>,
    /// Only this pool or existing volume, by its path; with --agent, for this agent
    #[arg(long, value_name = "PATH", conflicts_with = "offer")]
    pool: Option<String>,
    /// Why this offer and not the next best: NEED#1, or its number; without ID, all offers of the need
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    offer: Option<String>,
    /// Leave other needs out: as things are before any offer, without running a cycle
    #[arg(long, conflicts_with = "offer")]
    alone: bool,
    /// Tell everything, rather than a screenful
    #[arg(long)]
    all: bool,
    /// Who looks: `operator`; `framework=NAME` or `framework` for what the need's framework may know, without --agent, --pool and
    /// --offer
    #[arg(long = "as", default_value = "operator", value_name = "WHO")]
    view: Audience,
    /// How the explanation is written
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text, value_name = "FORMAT")]
    format: ExplainFormat,
}

/// The form of explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    args.view.restrict_problems(console);
    if !args.view.is_operator() && (args.agent.is_some() || args.pool.is_some() || args.offer.is_some()) {
        let message = "a framework is not told of single agents, pools, and what an offer was chosen from";
        let help = "leave out `--agent`, `--pool` and `--offer`: what is told of a need is told without them";
        return Err(Diagnostic::without_place(Code::B0903, message).help(help).into());
    }
    let fleet = args.fleet.fleet(console, Strictness::default())?;
    if !args.view.is_operator() {
        return seen(args, &fleet, console);
    }
    let needs = fleet.needs(&args.need)?;
    // Before the cycle, which may take long: a name that is wrong is reported at once.
    let question = ExplainSubject::of(args, &fleet)?;
    let offers = (!args.alone).then(|| {
        let total = cycle::every_need(fleet.plan()).count();
        let bar = console.progress(total, "offering");
        let mut step = |done: usize, _: usize| bar.set_position(done as u64);
        let request = cycle::CycleRequest {
            reasons: Reasons::None,
            progress: Some(&mut step),
            ..cycle::CycleRequest::default()
        };
        let offers = fleet.cycle(request);
        bar.finish_and_clear();
        offers
    });
    let detail = DetailLevel { all: args.all };
    let mut explanations = Vec::new();
    for id in needs {
        explanations.push(answer(&fleet, offers.as_ref(), id, &question)?);
    }
    write(args.format, &explanations, View::Operator, detail, console)?;
    Ok(plugins::exit(&fleet, console))
}

fn write(
    format: ExplainFormat,
    explanations: &[Explained],
    view: View,
    detail: DetailLevel,
    console: &mut Console,
) -> Result<(), CommandFailure> {
    if format == ExplainFormat::Json {
        let document = output::explanation(explanations, view);
        return console.write(|out| output::write_json(&document, out));
    }
    for (at, explanations) in explanations.iter().enumerate() {
        let between = if at == 0 { "" } else { "\n" };
        let text = format!("{between}{}", headed(&text(explanations, detail), console.colour));
        console.print(&text)?;
    }
    Ok(())
}

/// Writes an explanation as the framework of the need may see it.
fn seen(args: &Args, fleet: &Fleet, console: &mut Console) -> Result<Exit, CommandFailure> {
    let views = args.view.views(fleet)?;
    let needs = match views.as_slice() {
        [view] => view.needs(fleet, &args.need)?,
        _ => fleet.needs(&args.need)?,
    };
    let view = |id: NeedId| View::Framework(id.framework);
    let explanations: Vec<Explained> = if args.alone {
        needs.iter().map(|id| Explained::Seen(Box::new(SeenNeed::alone(fleet, view(*id), *id)))).collect()
    } else {
        let offers =
            fleet.cycle(cycle::CycleRequest { reasons: Reasons::None, ..cycle::CycleRequest::default() });
        let seen = |id: &NeedId| SeenNeed::new(&offers, view(*id), *id);
        needs.iter().filter_map(seen).map(|seen| Explained::Seen(Box::new(seen))).collect()
    };
    let first = needs.first().map_or(View::Operator, |id| view(*id));
    write(args.format, &explanations, first, DetailLevel { all: args.all }, console)?;
    Ok(Exit::Yes)
}

/// Prints the first line in bold.
fn headed(text: &str, colour: bool) -> String {
    match text.split_once('\n') {
        Some((head, rest)) => format!("{}\n{rest}", paint(head, Paint::Bold, colour)),
        None => text.to_owned(),
    }
}

/// The subject to explain.
enum ExplainSubject {
    Need,
    /// An agent, a supply, or the pair of both.
    Candidate(Option<usize>, Option<usize>),
    /// The offers with this id or number, or all of them if it is empty.
    Offer(String),
}

impl ExplainSubject {
    fn of(args: &Args, fleet: &Fleet) -> Result<ExplainSubject, CommandFailure> {
        if let Some(offer) = &args.offer {
            return Ok(ExplainSubject::Offer(offer.clone()));
        }
        let (plan, world) = (fleet.plan(), fleet.world());
        let agents = || world.agents.iter().map(|agent| plan.symbols.text(agent.name));
        let supplies = || world.supplies.iter().map(|supply| plan.symbols.text(supply.path));
        let find = |name: &str| plan.symbols.find(name);
        let agent = match &args.agent {
            Some(name) => Some(
                find(name)
                    .and_then(|symbol| world.agent(symbol))
                    .ok_or_else(|| unknown("agent", name, agents()))?,
            ),
            None => None,
        };
        let supply = match &args.pool {
            Some(path) => Some(
                find(path)
                    .and_then(|symbol| world.supply(symbol))
                    .ok_or_else(|| unknown("pool or volume", path, supplies()))?,
            ),
            None => None,
        };
        Ok(if agent.is_some() || supply.is_some() {
            ExplainSubject::Candidate(agent, supply)
        } else {
            ExplainSubject::Need
        })
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> CommandFailure {
    let message = format!("no {what} is named `{}`", printable_name(name));
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean `{}`?", printable_name(near)),
        None => "`bourse inventory` lists what there is; a pool is named by its path".to_owned(),
    };
    Diagnostic::without_place(Code::B0903, message).help(help).into()
}

/// The most offers of a met need that are explained with it.
const OFFERS: usize = 3;

fn answer(
    fleet: &Fleet,
    offers: Option<&Offers>,
    id: NeedId,
    question: &ExplainSubject,
) -> Result<Explained, CommandFailure> {
    let need = || match offers {
        Some(offers) => explain::need(offers, id),
        None => explain::need_alone(fleet, id),
    };
    let grants = |offers: &Offers| -> Vec<usize> {
        let all = offers.cycle().grants.iter().enumerate();
        all.filter(|(_, grant)| grant.id == id).map(|(at, _)| at).collect()
    };
    Ok(match question {
        ExplainSubject::Candidate(agent, supply) => {
            Explained::Candidate(explain::candidate(fleet, offers, id, *agent, *supply))
        }
        ExplainSubject::Need => {
            let explanation = need();
            let met = explanation.ending.as_ref().is_some_and(|ending| ending.outcome == Outcome::Met);
            let made = offers.filter(|_| met).map(grants).unwrap_or_default();
            let explanations = made.into_iter().take(OFFERS);
            let explanations =
                offers.iter().flat_map(|offers| explanations.clone().map(|at| explain::offer(offers, at)));
            Explained::Need(Box::new(explanation), explanations.collect())
        }
        ExplainSubject::Offer(wanted) => {
            let Some(offers) = offers else { return Ok(Explained::Need(Box::new(need()), Vec::new())) };
            let made: Vec<_> = grants(offers).into_iter().map(|at| explain::offer(offers, at)).collect();
            let named = |offer: &explain::OfferExplanation| {
                wanted.is_empty() || offer.id == *wanted || offer.id.rsplit('#').next() == Some(wanted)
            };
            let ids: Vec<String> = made.iter().map(|offer| offer.id.clone()).collect();
            let explanations: Vec<_> = made.into_iter().filter(named).collect();
            if explanations.is_empty() {
                return Err(unknown("offer", wanted, ids.iter().map(String::as_str)));
            }
            Explained::Offers(explanations)
        }
    })
}

fn text(explanations: &Explained, detail: DetailLevel) -> String {
    match explanations {
        Explained::Need(explanation, offers) => {
            let mut out = explain::need_text(explanation, detail);
            for offer in offers {
                out.push('\n');
                out.push_str(&explain::offer_text(offer));
            }
            out
        }
        Explained::Seen(seen) => seen.text(),
        Explained::Candidate(candidate) => explain::candidate_text(candidate),
        Explained::Offers(offers) => offers.iter().map(explain::offer_text).collect::<Vec<_>>().join("\n"),
    }
}
