//! `bourse offers`: one cycle, with the reasons of every no.

use clap::ValueEnum;
use indexmap::IndexMap;

use super::{
    Exit, Failure, Format,
    files::Console,
    plugins::{self, FleetArgs},
    table::{Paint, columns, count, grouped, paint},
};
use crate::{
    Fleet, Offers,
    check::Strictness,
    cycle::{self, Reasons, Why},
    matching::NeedId,
    output::{
        self, Detail, View, printable_name,
        text::{instances, offer_cells, part_of, reason_cells, volume_cells, why_words},
        wire::{self, Document, Offer},
    },
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only these needs take part: NEED, FRAMEWORK.NEED or FRAMEWORK; may be repeated
    #[arg(long, value_name = "NEED")]
    need: Vec<String>,
    /// How the offers are written
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
    /// How rejections are told
    #[arg(long, value_enum, default_value_t = ReasonsArg::Grouped, value_name = "HOW")]
    reasons: ReasonsArg,
    /// Who looks: a framework is shown no fine-grained keys, values, or items of scores
    #[arg(long = "as", value_enum, default_value_t = ViewArg::Operator, value_name = "WHO")]
    view: ViewArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReasonsArg {
    /// Like reasons of unmet needs together
    Grouped,
    /// Every reason against every agent and supply, of every need
    All,
    /// None
    None,
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ViewArg {
    /// Everything
    Operator,
    /// What a framework may see
    Framework,
}

impl From<ViewArg> for View {
    fn from(view: ViewArg) -> View {
        match view {
            ViewArg::Operator => View::Operator,
            ViewArg::Framework => View::Framework,
        }
    }
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let fleet = args.fleet.fleet(console, Strictness::default())?;
    let needs = needs_of(&fleet, &args.need)?;
    let (reasons, detail) = match args.reasons {
        ReasonsArg::Grouped => (Reasons::Unmet, Detail::Grouped),
        ReasonsArg::All => (Reasons::All, Detail::All),
        ReasonsArg::None => (Reasons::None, Detail::None),
    };
    if cycle::every_need(fleet.plan()).next().is_none() {
        console.remark("there are no needs: declare one, or give an inventory that has some");
    }
    let total = needs.as_ref().map_or_else(|| cycle::every_need(fleet.plan()).count(), Vec::len);
    let bar = console.progress(total, "offering");
    let mut step = |done: usize, _: usize| bar.set_position(done as u64);
    let offers = fleet.cycle(cycle::Request {
        needs,
        reasons,
        progress: Some(&mut step),
        ..cycle::Request::default()
    });
    bar.finish_and_clear();
    match args.format {
        Format::Json => {
            console.write(|out| output::write_offers(&offers, args.view.into(), detail, out))?;
        }
        Format::Table => table(&offers, args.view.into(), detail, console)?,
    }
    let failed = plugins::tell_faults(&fleet, console);
    Ok(if failed { Exit::Undecided } else { exit(&offers) })
}

/// The needs that some names mean, in order of declaration; `None` where there are no names.
pub fn needs_of(fleet: &Fleet, names: &[String]) -> Result<Option<Vec<NeedId>>, Failure> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut needs = Vec::new();
    for name in names {
        needs.extend(fleet.needs(name)?);
    }
    needs.sort_unstable();
    needs.dedup();
    Ok(Some(needs))
}

fn exit(offers: &Offers) -> Exit {
    let cycle = offers.cycle();
    let missing = || cycle.needs.iter().any(|need| need.missing() > 0);
    if cycle.needs.iter().any(|need| need.why == Some(Why::Bounded)) {
        Exit::Undecided
    } else if cycle.grants.is_empty() && missing() {
        Exit::No
    } else {
        Exit::Yes
    }
}

fn table(offers: &Offers, view: View, detail: Detail, console: &mut Console) -> Result<(), Failure> {
    let colour = console.colour;
    let document = output::document(offers, view, detail);
    let mut by_need: Vec<Vec<&Offer>> = vec![Vec::new(); document.needs.len()];
    for offer in &document.offers {
        by_need[offer.need_at].push(offer);
    }
    // Needs that are refused for the same reasons need not tell them all.
    let mut told: IndexMap<String, &str> = IndexMap::new();
    for need in &document.needs {
        let offers_of = &by_need[need.at];
        console.print(&heading(need, offers_of, colour))?;
        // One simple offer stands in the heading.
        if !is_short(need, offers_of) {
            console.print(&offer_lines(offers_of))?;
        }
        match detail {
            Detail::None => {}
            Detail::Grouped if need.missing == 0 => {}
            Detail::Grouped => {
                let lines = grouped_reasons(offers, &document, need, colour);
                match told.get(&lines) {
                    Some(like) => console.print(&format!("  excluded as for {}\n", printable_name(like)))?,
                    None => console.print(&lines)?,
                }
                told.entry(lines).or_insert(&need.label);
            }
            Detail::All => {
                for rejection in document.rejections.all_of(need.at) {
                    console.print(&rejection_lines(&rejection))?;
                }
            }
        }
    }
    console.print(&summary(offers, colour))
}

/// Whether a need and its offer are told in one line.
fn is_short(need: &wire::Need, offers: &[&Offer]) -> bool {
    need.missing == 0 && matches!(offers, [only] if only.volumes.is_empty())
}

fn heading(need: &wire::Need, offers: &[&Offer], colour: bool) -> String {
    let tone = match need.outcome {
        "met" => Paint::Green,
        "partial" => Paint::Yellow,
        _ => Paint::Red,
    };
    let name = paint(&printable_name(&need.label), Paint::Bold, colour);
    let outcome = paint(need.outcome, tone, colour);
    if is_short(need, offers) {
        let line = offers.iter().map(|offer| offer_cells(offer).join("  ")).collect::<String>();
        return format!("{name}  {outcome}  {}\n", printable_name(&line));
    }
    let mut line = format!("{name}  {outcome}  {}", instances(need));
    if let Some(why) = &need.why {
        line.push_str(&format!("  {}", printable_name(&why_words(why, offers))));
    }
    line.push('\n');
    line
}

/// Offers with a line each, and one for each of their volumes.
fn offer_lines(offers: &[&Offer]) -> String {
    let mut rows = Vec::new();
    for offer in offers {
        let mut row = vec![format!("#{}", offer.instance)];
        row.extend(offer_cells(offer));
        rows.push(row);
        rows.extend(offer.volumes.iter().map(|volume| {
            let [name, what] = volume_cells(volume);
            vec![String::new(), name, String::new(), what]
        }));
    }
    columns("  ", &rows)
}

fn grouped_reasons(offers: &Offers, document: &Document<'_>, need: &wire::Need, colour: bool) -> String {
    let world = offers.fleet().world();
    let rows: Vec<Vec<String>> = document
        .rejections
        .groups_of(need.at)
        .iter()
        .map(|group| {
            let who = [
                part_of(group.agents.count, world.agents.len(), "agent", "agents"),
                part_of(group.supplies.count, world.supplies.len(), "supply", "supplies"),
            ];
            let who: Vec<&str> = who.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            let mut row = vec![who.join(" with "), group.reason.label.clone()];
            row.extend(reason_cells(&group.reason, &group.volumes.join(", ")));
            row
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = paint("excluded, because of", Paint::Dim, colour);
    format!("  {head}\n{}", columns("    ", &rows))
}

fn rejection_lines(rejection: &wire::Rejection) -> String {
    let subject = match (&rejection.agent, &rejection.supply) {
        (Some(agent), Some(supply)) => format!("{agent} with {supply}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    };
    let reasons = rejection.reasons.iter().map(|reason| {
        let cells = reason_cells(reason, rejection.volume.as_deref().unwrap_or_default());
        let cells = cells.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
        format!("      {}: {}\n", printable_name(&reason.label), printable_name(&cells.join("; ")))
    });
    format!("    {}\n{}", printable_name(&subject), reasons.collect::<String>())
}

fn summary(offers: &Offers, colour: bool) -> String {
    let cycle = offers.cycle();
    let world = offers.fleet().world();
    let with = |outcome| cycle.needs.iter().filter(|need| need.outcome == outcome).count();
    let outcomes = [cycle::Outcome::Met, cycle::Outcome::Partial, cycle::Outcome::Unmet];
    let outcomes = outcomes.map(|outcome| format!("{} {}", grouped(with(outcome)), outcome.name()));
    let mut line = format!(
        "{}; {}: {}; {}",
        count(cycle.grants.len(), "offer", "offers"),
        count(cycle.needs.len(), "need", "needs"),
        outcomes.join(", "),
        count(world.agents.len(), "agent", "agents"),
    );
    if !world.supplies.is_empty() {
        line.push_str(&format!(", {}", count(world.supplies.len(), "supply", "supplies")));
    }
    format!("{}\n", paint(&line, Paint::Bold, colour))
}
