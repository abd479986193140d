//! `bourse doc`: a policy set as a page of Markdown.

use std::path::PathBuf;

use super::{
    CommandFailure, Exit,
    files::Console,
    plugins::{self, FleetArgs},
    view::Audience,
};
use crate::{check::Strictness, doc, output::View};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    fleet: FleetArgs,
    /// For whom: `operator`; `framework` for what needs may use, and nothing else; `framework=NAME` for that one
    #[arg(long = "as", default_value = "operator", value_name = "WHO")]
    view: Audience,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    args.view.restrict_problems(console);
    let (fleet, parsed) = args.fleet.parsed_fleet(console, Strictness::default())?;
    let page = match &args.view {
        Audience::Operator => doc::document(&fleet, &parsed),
        Audience::Frameworks => doc::vocabulary(&fleet, &parsed, None),
        Audience::Framework(name) => match View::of(&fleet, name)? {
            View::Framework(at) => doc::vocabulary(&fleet, &parsed, Some(at)),
            View::Operator => doc::document(&fleet, &parsed),
        },
    };
    match &args.output {
        None => console.print(&page)?,
        Some(path) => console.replace_file(path, page.as_bytes())?,
    }
    Ok(plugins::exit(&fleet, console))
}
