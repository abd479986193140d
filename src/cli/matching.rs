//! `bourse match`: lists the feasible candidates of each need. Each need is matched as if it were the only
//! one.

use super::{
    CommandFailure, Exit, Format,
    files::Console,
    offers::needs_of,
    plugins::{self, FleetArgs},
    table::{Paint, columns, count, grouped, paint},
};
use crate::{
    check::Strictness,
    cycle,
    output::{
        self, printable_name,
        text::{offer_cells, volume_cells},
        wire::{MatchedNeed, Offer},
    },
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only these needs: NEED, FRAMEWORK.NEED or FRAMEWORK; may be repeated
    #[arg(long, value_name = "NEED")]
    need: Vec<String>,
    /// Show only the best so many candidates of each need
    #[arg(long, value_name = "COUNT")]
    top: Option<usize>,
    /// How the candidates are written
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let fleet = args.fleet.fleet(console, Strictness::default())?;
    let needs = needs_of(&fleet, &args.need)?;
    let needs = needs.unwrap_or_else(|| cycle::every_need(fleet.plan()).collect());
    let found = output::matches(&fleet, &needs, args.top);
    match args.format {
        Format::Json => console.write(|out| output::write_json(&found, out))?,
        Format::Table => {
            for need in &found.needs {
                let lines = lines(need, console.colour);
                console.print(&lines)?;
            }
            let agents = count(fleet.world().agents.len(), "agent", "agents");
            console.print(&format!("{}; {agents}\n", count(needs.len(), "need", "needs")))?;
        }
    }
    let bounded = found.needs.iter().any(|need| need.bounded && need.feasible == 0);
    let none = found.needs.iter().all(|need| need.feasible == 0) && !found.needs.is_empty();
    let bounded = plugins::report_faults(&fleet, console) || bounded;
    Ok(match (bounded, none) {
        (true, _) => Exit::Undecided,
        (false, true) => Exit::No,
        (false, false) => Exit::Yes,
    })
}

fn lines(need: &MatchedNeed, colour: bool) -> String {
    let name = paint(&printable_name(&need.label), Paint::Bold, colour);
    let feasible = count(need.feasible, "candidate", "candidates");
    let bounded = if need.bounded { " at least; a bound ended the search" } else { "" };
    let mut out = format!("{name}  {feasible}{bounded}\n");
    let mut rows = Vec::new();
    for candidate in &need.candidates {
        let mut row = vec![format!("{}.", candidate.instance)];
        row.extend(offer_cells(candidate));
        rows.push(row);
        rows.extend(candidate.volumes.iter().map(|volume| {
            let [name, what] = volume_cells(volume);
            vec![String::new(), name, String::new(), what]
        }));
        let items = items(candidate);
        if !items.is_empty() {
            rows.push(vec![String::new(), "  earned".to_owned(), String::new(), items]);
        }
    }
    if !rows.is_empty() {
        out.push_str(&columns("  ", &rows));
    }
    if need.feasible > need.candidates.len() {
        out.push_str(&format!("  and {} more\n", grouped(need.feasible - need.candidates.len())));
    }
    out
}

/// Writes the preferences that a candidate earned: `same-zone 1 × 50, rexray 0 × 2`.
fn items(offer: &Offer) -> String {
    let items = offer.score.items.iter().flatten().map(|item| {
        let value = item.value.as_deref().unwrap_or("unknown");
        let volume = item.volume.as_ref().map_or(String::new(), |volume| format!(" ({volume})"));
        format!("{}{volume} {value} × {}", item.label, item.weight)
    });
    items.collect::<Vec<_>>().join(", ")
}
