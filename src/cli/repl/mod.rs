//! `bourse repl`: evaluates expressions for an agent, a pool, a need and a volume that the user chooses.
//!
//! Each expression is compiled as a `let` of the set would be, by the same stages. So it has the same types,
//! names and messages, at the price of checking the set again for each line.

mod answer;
mod command;
mod input;
mod keys;
mod session;

use super::{
    CommandFailure, Exit,
    files::{Console, is_stdin},
    set::SetArgs,
};
use crate::diagnostic::{Code, Diagnostic, Report};
use command::Done;
use session::Session;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    if args.set.paths.iter().chain(&args.set.inventory).any(|path| is_stdin(path)) {
        let problem = Diagnostic::without_place(Code::B0901, "standard input is named twice");
        return Err(problem.help("expressions are read from it: write the policy to a file").into());
    }
    let parsed = args.set.parse(console)?;
    let inventories = args.set.inventories(console)?;
    let mut session = Session::new(parsed, inventories)?;
    let mut input = input::LineSource::new();
    if input.is_terminal() {
        let warnings = session.warnings();
        console.report(warnings)?;
        console.print(&format!("{}`:help` says what can be typed.\n", command::chosen(&session)))?;
        console.finish()?;
    }
    let mut exit = Exit::Yes;
    let mut number = 0;
    while let Some(line) = input.next(&session)? {
        number += 1;
        let line = line.trim_end_matches(['\r', '\n']);
        match command::one(&mut session, number, line) {
            Ok(Done::Printed(text, warnings)) => {
                console.print(&text)?;
                if !warnings.diagnostics.is_empty() {
                    console.report(warnings)?;
                }
            }
            Ok(Done::Quit) => break,
            Err(problems) => {
                exit = CommandFailure(Box::new(Report {
                    diagnostics: problems.diagnostics.clone(),
                    ..Report::default()
                }))
                .exit();
                console.report(*problems)?;
            }
        }
        console.finish()?;
    }
    // On a terminal the user has seen every mistake. In a script the last one decides the exit code.
    Ok(if input.is_terminal() { Exit::Yes } else { exit })
}
