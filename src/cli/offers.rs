//! `bourse offers`: runs one cycle, and prints the offers with the reasons of rejections.

use clap::ValueEnum;
use indexmap::IndexMap;

use super::{
    CommandFailure, Exit, Format,
    files::Console,
    plugins::{self, FleetArgs},
    table::{Paint, columns, count, grouped, paint},
    view::Audience,
};
use crate::{
    Fleet, Offers,
    check::Strictness,
    cycle::{self, NeedResult, Reasons, Why},
    matching::NeedId,
    output::{
        self, Detail, VisibleCycle, printable_name,
        text::{instances, offer_cells, part_of, reason_cells, seen_cells, volume_cells, why_words},
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
    /// Who looks: `operator`; `framework=NAME` for what that one may know; `framework` for each one's view apart
    #[arg(long = "as", default_value = "operator", value_name = "WHO")]
    view: Audience,
}

/// The detail of rejections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReasonsArg {
    /// Like reasons of unmet needs together
    Grouped,
    /// Every reason against every agent and supply, of every need
    All,
    /// None
    None,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    args.view.restrict_problems(console);
    let fleet = args.fleet.fleet(console, Strictness::default())?;
    let views = args.view.views(&fleet)?;
    let (reasons, detail) = match args.reasons {
        ReasonsArg::Grouped => (Reasons::Unmet, Detail::Grouped),
        ReasonsArg::All => (Reasons::All, Detail::All),
        ReasonsArg::None => (Reasons::None, Detail::None),
    };
    // The reasons that a framework may see do not come from the cycle. They are derived for its view alone.
    let reasons = if args.view.is_operator() { reasons } else { Reasons::None };
    // One framework's run: nothing is shown that depends on the size or the progress of the cycle.
    if let [view] = views.as_slice()
        && args.view.is_one()
    {
        // The cycle runs with all needs, as it does for the operator. Names only choose what is shown.
        let mut asked = Vec::new();
        for name in &args.need {
            asked.extend(view.needs(&fleet, name)?);
        }
        let offers = fleet.cycle(cycle::CycleRequest { reasons, ..cycle::CycleRequest::default() });
        let visible = match args.need.is_empty() {
            true => VisibleCycle::new(&offers, *view),
            false => VisibleCycle::only(&offers, *view, &asked),
        };
        let document = output::document_of(&visible, detail);
        write(args.format, &offers, &[document], console)?;
        return Ok(exit(visible.needs().map(|(_, need)| need), false));
    }
    let needs = needs_of(&fleet, &args.need)?;
    if cycle::every_need(fleet.plan()).next().is_none() {
        console.note_line("there are no needs: declare one, or give an inventory that has some");
    }
    let total = needs.as_ref().map_or_else(|| cycle::every_need(fleet.plan()).count(), Vec::len);
    let bar = console.progress(total, "offering");
    let mut step = |done: usize, _: usize| bar.set_position(done as u64);
    let progress = Some(&mut step as &mut dyn FnMut(usize, usize));
    let offers =
        fleet.cycle(cycle::CycleRequest { needs, reasons, progress, ..cycle::CycleRequest::default() });
    bar.finish_and_clear();
    let documents: Vec<Document<'_>> =
        views.iter().map(|view| output::document(&offers, *view, detail)).collect();
    if args.format == Format::Json && !args.view.is_operator() {
        console.write(|out| output::write_views(&documents, out))?;
    } else {
        write(args.format, &offers, &documents, console)?;
    }
    let failed = plugins::report_faults(&fleet, console);
    Ok(if failed { Exit::Undecided } else { exit(offers.cycle().needs.iter(), true) })
}

fn write(
    format: Format,
    offers: &Offers,
    documents: &[Document<'_>],
    console: &mut Console,
) -> Result<(), CommandFailure> {
    for (at, document) in documents.iter().enumerate() {
        match format {
            Format::Json => console.write(|out| output::write_json(document, out))?,
            Format::Table => {
                if documents.len() > 1 {
                    let name = document.framework.as_deref().unwrap_or_default();
                    let head =
                        paint(&format!("framework {}", printable_name(name)), Paint::Bold, console.colour);
                    console.print(&format!("{}{head}\n", if at == 0 { "" } else { "\n" }))?;
                }
                table(offers, document, console)?;
            }
        }
    }
    Ok(())
}

/// Returns the needs that some names mean, in order of declaration, or `None` if there are no names.
pub fn needs_of(fleet: &Fleet, names: &[String]) -> Result<Option<Vec<NeedId>>, CommandFailure> {
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

/// Returns the outcome of a run. With `tells_bounds` it is undecided if a bound ended a search. A framework
/// is not told that, as the needs of others may have caused it.
fn exit<'a>(needs: impl Iterator<Item = &'a NeedResult>, tells_bounds: bool) -> Exit {
    let needs: Vec<&NeedResult> = needs.collect();
    let missing = || needs.iter().any(|need| need.missing() > 0);
    let made = needs.iter().any(|need| need.offered > 0);
    if tells_bounds && needs.iter().any(|need| need.why == Some(Why::Bounded)) {
        Exit::Undecided
    } else if !made && missing() {
        Exit::No
    } else {
        Exit::Yes
    }
}

fn table(offers: &Offers, document: &Document<'_>, console: &mut Console) -> Result<(), CommandFailure> {
    let colour = console.colour;
    let detail = document.rejections.detail();
    let mut by_need: Vec<Vec<&Offer>> = vec![Vec::new(); offers.cycle().needs.len()];
    for offer in &document.offers {
        by_need[offer.need_at].push(offer);
    }
    // The reasons that were printed, with the first need they were printed for. Later needs refer to it.
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
            Detail::All if document.rejections.tells_each() => {
                for rejection in document.rejections.all_of(need.at) {
                    console.print(&rejection_lines(&rejection))?;
                }
            }
            Detail::Grouped | Detail::All if need.missing == 0 => {}
            Detail::Grouped | Detail::All => {
                let lines = grouped_reasons(offers, document, need, colour);
                match told.get(&lines) {
                    Some(like) => console.print(&format!("  excluded as for {}\n", printable_name(like)))?,
                    None => console.print(&lines)?,
                }
                told.entry(lines).or_insert(&need.label);
            }
        }
    }
    console.print(&summary(offers, document, colour))
}

/// Returns `true` if a need and its offer fit in one line.
fn is_short(need: &wire::WireNeed, offers: &[&Offer]) -> bool {
    need.missing == 0 && matches!(offers, [only] if only.volumes.is_empty())
}

fn heading(need: &wire::WireNeed, offers: &[&Offer], colour: bool) -> String {
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

/// Writes a line for each offer, and one for each of its volumes.
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

fn grouped_reasons(offers: &Offers, document: &Document<'_>, need: &wire::WireNeed, colour: bool) -> String {
    let world = offers.fleet().world();
    let rows: Vec<Vec<String>> = document
        .rejections
        .groups_of(need.at)
        .iter()
        .map(|group| {
            if group.places.is_some() {
                return seen_cells(group).into();
            }
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

fn rejection_lines(rejection: &wire::WireRejection) -> String {
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

fn summary(offers: &Offers, document: &Document<'_>, colour: bool) -> String {
    let with =
        |outcome: cycle::Outcome| document.needs.iter().filter(|need| need.outcome == outcome.name()).count();
    let outcomes = [cycle::Outcome::Met, cycle::Outcome::Partial, cycle::Outcome::Unmet];
    let outcomes = outcomes.map(|outcome| format!("{} {}", grouped(with(outcome)), outcome.name()));
    let mut line = format!(
        "{}; {}: {}",
        count(document.offers.len(), "offer", "offers"),
        count(document.needs.len(), "need", "needs"),
        outcomes.join(", "),
    );
    // A view that may not see what is left may not see the size of the fleet either.
    if document.remaining.is_some() {
        let world = offers.fleet().world();
        line.push_str(&format!("; {}", count(world.agents.len(), "agent", "agents")));
        if !world.supplies.is_empty() {
            line.push_str(&format!(", {}", count(world.supplies.len(), "supply", "supplies")));
        }
    }
    format!("{}\n", paint(&line, Paint::Bold, colour))
}
