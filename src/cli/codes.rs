//! `bourse explain-code`: prints the page about a code.

use super::{CommandFailure, Exit, files::Console};
use crate::{
    diagnostic::{Code, explain},
    output::printable_name,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as B0301
    #[arg(required_unless_present = "list", value_name = "CODE", value_parser = code)]
    code: Option<Code>,
    /// List every code with its title
    #[arg(long)]
    list: bool,
}

fn code(text: &str) -> Result<Code, String> {
    text.parse().map_err(|error: String| printable_name(&error))
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    if args.list {
        let lines = Code::ALL.iter().map(|code| format!("{code}  {}\n", code.title()));
        console.print(&lines.collect::<String>())?;
    }
    if let Some(code) = args.code {
        console.print(&format!("{}\n", explain(code).trim_end()))?;
    }
    Ok(Exit::Yes)
}
