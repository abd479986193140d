//! `bourse shares`: the dominant share of each role.

use super::{
    CommandFailure, Exit, Format,
    files::Console,
    offers::needs_of,
    plugins::{self, FleetArgs},
    table::{Paint, columns, paint},
};
use crate::{
    check::Strictness,
    cycle::{self, Reasons},
    output::{
        self,
        wire::{WireRole, WireShares},
    },
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only these needs take part in the cycle: NEED, FRAMEWORK.NEED or FRAMEWORK; may be repeated
    #[arg(long, value_name = "NEED")]
    need: Vec<String>,
    /// How the shares are written
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let fleet = args.fleet.fleet(console, Strictness::default())?;
    let needs = needs_of(&fleet, &args.need)?;
    let request = cycle::CycleRequest { needs, reasons: Reasons::None, ..cycle::CycleRequest::default() };
    let shares = output::shares(&fleet.cycle(request));
    match args.format {
        Format::Json => console.write(|out| output::write_json(&shares, out))?,
        Format::Table if shares.roles.is_empty() => {
            console.note_line("there are no roles: declare a framework, or give an inventory that has some");
        }
        Format::Table => {
            let text = table(&shares, console.colour);
            console.print(&text)?;
        }
    }
    Ok(plugins::exit(&fleet, console))
}

fn table(shares: &WireShares, colour: bool) -> String {
    let head = ["role", "weight", "share before", "", "share after", "", "limits"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for role in &shares.roles {
        let depth = role.role.matches('/').count();
        let known = |path: &str| shares.roles.iter().any(|known| known.role == path);
        // A role below one that is listed is shown by its last name.
        let name = match role.role.rsplit_once('/') {
            Some((above, own)) if known(above) => format!("{}{own}", "  ".repeat(depth)),
            _ => role.role.clone(),
        };
        let dominant = |resource: &Option<String>| resource.clone().unwrap_or_default();
        rows.push(vec![
            name,
            role.weight.clone(),
            percent(&role.share_before),
            dominant(&role.dominant_before),
            percent(&role.share),
            dominant(&role.dominant),
            limits(role),
        ]);
    }
    let text = columns("", &rows);
    match text.split_once('\n') {
        Some((head, rest)) => format!("{}\n{rest}", paint(head, Paint::Bold, colour)),
        None => text,
    }
}

/// Formats an exact fraction in percent, rounded half up to two digits: `37.5%`.
fn percent(fraction: &str) -> String {
    let (numerator, denominator) = fraction.split_once('/').unwrap_or((fraction, "1"));
    let exact = numerator.parse::<u128>().ok().zip(denominator.parse::<u128>().ok());
    let scaled = exact.and_then(|(numerator, denominator)| {
        let double = numerator.checked_mul(20_000)?.checked_add(denominator)?;
        double.checked_div(denominator.checked_mul(2)?)
    });
    let Some(scaled) = scaled else { return fraction.to_owned() };
    let digits = format!("{:02}", scaled % 100);
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{}{point}{digits}%", scaled / 100)
}

/// Formats the limits of a role, with the use before and after the cycle: `agent.cpus 4 → 6 of 8`.
fn limits(role: &WireRole) -> String {
    let limits = role.limits.iter().map(|limit| {
        let used = if limit.used == limit.used_before {
            limit.used.to_string()
        } else {
            format!("{} → {}", limit.used_before, limit.used)
        };
        format!("{} {used} of {}", limit.resource, limit.limit)
    });
    limits.collect::<Vec<_>>().join(", ")
}
