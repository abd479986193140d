//! `bourse inventory`: the fleet, with the totals and free amounts of its resources.

use super::{
    CommandFailure, Exit, Format,
    files::Console,
    plugins::{self, FleetArgs},
    table::{Paint, columns, count, paint},
};
use crate::{
    check::Strictness,
    output::{
        self,
        wire::{FleetDocument, OrderedFields, Totals, WrittenAmount},
    },
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,
    /// How the fleet is written
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let fleet = args.fleet.fleet(console, Strictness::default())?;
    match args.format {
        Format::Json => console.write(|out| output::write_json(&output::stock(&fleet), out))?,
        Format::Table => {
            let text = table(&output::stock(&fleet), console.colour);
            console.print(&text)?;
        }
    }
    Ok(plugins::exit(&fleet, console))
}

fn table(stock: &FleetDocument, colour: bool) -> String {
    let head = |text: &str| format!("{}\n", paint(text, Paint::Bold, colour));
    let mut out = String::new();
    let mut tell = |title: &str, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            out.push_str(&head(title));
            out.push_str(&columns("  ", &rows));
        }
    };
    let agents = stock.agents.iter().map(|agent| {
        let domain = agent.domain.clone().unwrap_or_default();
        vec![agent.name.clone(), domain, resources(&agent.resources)]
    });
    tell("agents", agents.collect());
    let storage = stock.storage.iter().map(|tier| {
        let depth = tier.path.matches('/').count();
        let name = tier.path.rsplit('/').next().unwrap_or_default();
        vec![format!("{}{} {name}", "  ".repeat(depth), tier.kind), resources(&tier.resources)]
    });
    tell("storage", storage.collect());
    let sum = |side: &str, sums: &OrderedFields<Totals>| {
        let rows = sums.0.iter().map(|(name, totals)| {
            let Totals { total, used, free, .. } = totals;
            vec![
                format!("{side}.{name}"),
                format!("{total} in all"),
                format!("{used} used"),
                format!("{free} free"),
            ]
        });
        rows.collect::<Vec<_>>()
    };
    let mut sums = sum("agent", &stock.sums.agents);
    sums.extend(sum("pool", &stock.sums.storage));
    tell("sums", sums);
    let pools = stock.storage.iter().filter(|tier| tier.kind == "pool").count();
    let counts = [count(stock.agents.len(), "agent", "agents"), count(pools, "pool", "pools")].join(", ");
    out.push_str(&head(&counts));
    out
}

/// Formats resources, such as `cpus 12 free of 16, mem 64GiB`: the free amount and the total, or only the
/// total if all of it is free.
fn resources(resources: &OrderedFields<Totals>) -> String {
    let one = |(name, totals): &(String, Totals)| {
        let amount = |free: &WrittenAmount, total: &WrittenAmount| {
            if free == total { total.to_string() } else { format!("{free} free of {total}") }
        };
        let parts =
            totals.parts.iter().filter(|part| part.part != "unreserved").map(|part| match &part.role {
                Some(role) => format!("{} reserved for {role}", amount(&part.free, &part.total)),
                None => format!("{} revocable besides", amount(&part.free, &part.total)),
            });
        let parts: Vec<String> = parts.collect();
        let whole = amount(&totals.free, &totals.total);
        if parts.is_empty() {
            format!("{name} {whole}")
        } else {
            format!("{name} {whole} ({})", parts.join(", "))
        }
    };
    resources.0.iter().map(one).collect::<Vec<_>>().join(", ")
}
