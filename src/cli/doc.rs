//! `bourse doc`: a policy set as a page of Markdown.

use std::path::PathBuf;

use super::{Exit, Failure, files::Console, offers::ViewArg, set::SetArgs};
use crate::{check::Strictness, doc};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
    /// For whom; a framework sees what needs may use, and nothing else
    #[arg(long = "as", value_enum, default_value_t = ViewArg::Operator, value_name = "WHO")]
    view: ViewArg,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let (fleet, parsed) = args.set.fleet(console, Strictness::default())?;
    let page = doc::document(&fleet, &parsed, args.view.into());
    match &args.output {
        None => console.print(&page)?,
        Some(path) => console.replace_file(path, page.as_bytes())?,
    }
    Ok(Exit::Yes)
}
