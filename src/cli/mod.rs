//! The `bourse` command: arguments, exit codes, and a file for each command.
//!
//! A command reads through its `Console`, calls the library, and prints. Access to files and the terminal
//! is in `files` and `disk`, the search for policies in `folder`, and the typed lines of `repl` in
//! `repl/input`. Files are written in `durable` alone, except for the cache of compiled plugins
//! (`plugin_cache`). The library never uses this module.

mod apply;
mod build;
mod check;
mod codes;
mod compare;
mod cost;
mod diff;
mod disk;
mod doc;
mod durable;
mod explain;
mod files;
mod fleet;
mod fmt;
mod folder;
mod import;
mod inspect;
mod matching;
mod offers;
#[cfg(all(feature = "wasm", unix))]
pub mod plugin_cache;
mod plugins;
mod problems;
mod repl;
mod set;
mod shares;
mod shell;
mod table;
mod test;
mod view;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::diagnostic::{Code, Report};
use files::Console;

/// The outcome of a run, which decides the exit code. [`EXIT_CODES`] is the text that users read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// A positive answer, or no problem.
    Yes,
    /// A negative answer.
    No,
    /// Wrong usage, or a file that cannot be read or written.
    Usage,
    /// A policy or an inventory does not compile, or a plugin is refused.
    Invalid,
    /// A bound ended the search, a plugin failed, or others held the state.
    Undecided,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Yes => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Invalid => 3,
            Exit::Undecided => 4,
        }
    }
}

/// The problems that kept a command from answering. Their codes decide the exit code.
#[derive(Debug)]
struct CommandFailure(Box<Report>);

impl CommandFailure {
    fn exit(&self) -> Exit {
        // Codes about the run: arguments and files. All others are about what the files say.
        let of_run = [
            Code::B0706,
            Code::B0812,
            Code::B0813,
            Code::B0814,
            Code::B0901,
            Code::B0902,
            Code::B0903,
            Code::B0904,
            Code::B0907,
        ];
        let mut errors = self.0.diagnostics.iter().filter(|problem| problem.is_error());
        if errors.clone().any(|problem| problem.code == Code::B0527) {
            return Exit::Undecided;
        }
        if errors.any(|problem| of_run.contains(&problem.code)) { Exit::Usage } else { Exit::Invalid }
    }
}

impl From<crate::Error> for CommandFailure {
    fn from(error: crate::Error) -> CommandFailure {
        CommandFailure(Box::new(error.report().clone()))
    }
}

impl From<crate::diagnostic::Diagnostic> for CommandFailure {
    fn from(problem: crate::diagnostic::Diagnostic) -> CommandFailure {
        CommandFailure(Box::new(Report { diagnostics: vec![problem], ..Report::default() }))
    }
}

const EVERYWHERE: &str = "Options of every command";

const EXIT_CODES: &str = "\
Exit codes:
  0  yes, or nothing to complain about
  1  a negative answer: nothing offered or applied, a test failed, a new snapshot, offers
     that differ, a file would change, warnings that are denied
  2  wrong usage, or a file that cannot be read or written
  3  a policy or an inventory does not compile, or a plugin is refused
  4  undecided: a bound ended the search for some need, the answer is not known, a plugin
     failed, or others held the state for too long";

/// Policies for resource brokers: match what is needed against agents and storage, and make offers.
#[derive(Debug, Parser)]
#[command(name = "bourse", version, about, after_help = EXIT_CODES, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct GlobalArgs {
    /// How problems are told, on standard error
    #[arg(long, global = true, help_heading = EVERYWHERE, display_order = 100, value_enum, default_value_t = ErrorFormat::Human, value_name = "FORMAT")]
    error_format: ErrorFormat,
    /// Colour; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, help_heading = EVERYWHERE, display_order = 100, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

/// The form of problems on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ErrorFormat {
    /// Frames with source lines
    Human,
    /// One JSON object
    Json,
}

/// The use of colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check policies, and how inventories fit them
    Check(check::Args),
    /// Say how two classes lie to each other: equal, contained, disjoint or overlapping
    Compare(compare::Args),
    /// Make the offers of one cycle, with the reasons of every no
    Offers(offers::Args),
    /// List the feasible candidates of each need, best first
    Match(matching::Args),
    /// Explain why a need, a candidate or an offer is what it is
    Explain(explain::Args),
    /// Change a state: reserve, create, launch, release, destroy
    Apply(apply::Args),
    /// Show each role's share of the fleet, before and after a cycle
    Shares(shares::Args),
    /// Show the fleet: agents, storage, and what is free
    Inventory(fleet::Args),
    /// Make an inventory from another system's data
    #[command(subcommand)]
    Import(import::Import),
    /// Show what a change of the policies changes of the offers, and what is responsible
    Diff(diff::Args),
    /// Run the tests that stand in policies
    Test(test::Args),
    /// Write policies in their canonical form
    Fmt(fmt::Args),
    /// Write a page about a policy set, as Markdown
    Doc(doc::Args),
    /// Build a plugin or a compiled policy
    Build(build::Args),
    /// Say what a plugin or a compiled policy is: keys it reads, rules, size, hash
    Inspect(inspect::Args),
    /// Evaluate expressions against an agent, a pool and a need
    Repl(repl::Args),
    /// Explain a code such as B0301
    ExplainCode(codes::Args),
    /// Print the JSON Schema of a format
    Schema(shell::SchemaArgs),
    /// Print completions for a shell
    Completions(shell::CompletionsArgs),
    /// Compile a plugin for the process that started this one, from standard input to standard output
    #[command(hide = true)]
    CompilePlugin,
}

/// Runs the command that the process was started with, and returns its exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // The reader of a pipe may end before the help does. That is no failure.
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { Exit::Usage.code() } else { Exit::Yes.code() });
        }
    };
    let mut console = Console::new(&cli.global);
    ExitCode::from(complete(cli.command, &mut console).code())
}

/// Runs a command, and reports its problems. Separate from [`run`] so that tests can pass another console.
fn complete(command: Command, console: &mut Console) -> Exit {
    let result = dispatch(command, console).and_then(|exit| console.finish().map(|()| exit));
    let exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            let exit = failure.exit();
            console.problems.absorb(*failure.0);
            exit
        }
    };
    console.report_problems();
    exit
}

fn dispatch(command: Command, console: &mut Console) -> Result<Exit, CommandFailure> {
    match command {
        Command::Check(args) => check::run(&args, console),
        Command::Compare(args) => compare::run(&args, console),
        Command::Offers(args) => offers::run(&args, console),
        Command::Match(args) => matching::run(&args, console),
        Command::Explain(args) => explain::run(&args, console),
        Command::Apply(args) => apply::run(&args, console),
        Command::Shares(args) => shares::run(&args, console),
        Command::Inventory(args) => fleet::run(&args, console),
        Command::Diff(args) => diff::run(&args, console),
        Command::Test(args) => test::run(&args, console),
        Command::Import(import) => import::run(import, console),
        Command::Fmt(args) => fmt::run(&args, console),
        Command::Doc(args) => doc::run(&args, console),
        Command::Build(args) => build::run(&args, console),
        Command::Inspect(args) => inspect::run(&args, console),
        Command::Repl(args) => repl::run(&args, console),
        Command::ExplainCode(args) => codes::run(&args, console),
        Command::Schema(args) => shell::schema(&args, console),
        Command::Completions(args) => shell::completions(&args, console),
        Command::CompilePlugin => plugins::compile(),
    }
}
