//! `bourse test`: runs the tests that are written in policies.
//!
//! `testing` runs them and compares snapshots. This module reads and writes the files, and writes the results
//! in one of four forms.

mod github;
mod junit;
mod pretty;
mod snapshots;
mod watch;

use regex::Regex;

use super::{CommandFailure, Exit, files::Console, plugins::PluginArgs, set::SetArgs, table::count};
use crate::{
    check::Strictness,
    diagnostic::{Code, Diagnostic},
    testing::{self, Coverage, TestReport, Verdict},
};

const SNAPSHOTS: &str = "Snapshots";
const COVERAGE: &str = "Coverage";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    plugins: PluginArgs,
    /// Only tests whose name matches
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// How results are written
    #[arg(long, value_enum, default_value_t = ReportFormat::Pretty)]
    format: ReportFormat,
    /// Run again whenever a file of the set changes
    #[arg(long, conflicts_with_all = ["accept", "review"])]
    watch: bool,
    /// Take every new and changed snapshot for what is expected, and remove those without a test
    #[arg(long, help_heading = SNAPSHOTS, conflicts_with = "review")]
    accept: bool,
    /// Show new and changed snapshots one by one, and ask
    #[arg(long, help_heading = SNAPSHOTS)]
    review: bool,
    /// Say which conditions were never seen true, false or unknown
    #[arg(long, help_heading = COVERAGE)]
    coverage: bool,
    /// Fail if fewer outcomes in a hundred were seen
    #[arg(long, help_heading = COVERAGE, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
}

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ReportFormat {
    /// For people
    Pretty,
    /// For programs
    Json,
    /// As JUnit's XML
    Junit,
    /// As annotations of GitHub Actions
    Github,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    if args.review {
        console.require_terminal()?;
    }
    if args.watch { watch::run(args, console) } else { once(args, console).result }
}

/// The outcome of a run, and the files that it depends on, as far as it got to read them.
struct SuiteRun {
    result: Result<Exit, CommandFailure>,
    files: Vec<String>,
}

fn once(args: &Args, console: &mut Console) -> SuiteRun {
    let mut files = Vec::new();
    let result = run_once(args, console, &mut files);
    SuiteRun { result, files }
}

fn run_once(args: &Args, console: &mut Console, files: &mut Vec<String>) -> Result<Exit, CommandFailure> {
    let strictness = Strictness::default();
    let plugins = args.plugins.install(console)?;
    let parsed = args.set.parse(console)?;
    // Collected step by step: after an error, `--watch` waits for changes of the files known so far.
    files.extend(parsed.sources.iter().map(|(_, source)| source.name.to_string()));
    let inventories = args.set.inventories(console)?;
    let checked = parsed.check(&plugins.extra(&inventories), strictness);
    if checked.report.has_errors() {
        return Err(CommandFailure(Box::new(checked.report)));
    }
    files.extend(args.plugins.files());
    files.extend(testing::snapshots(&checked).into_keys());
    let providers = testing::providers(&checked, &inventories);
    plugins.are_there(&providers.iter().map(String::as_str).collect::<Vec<_>>())?;
    plugins.report_withheld(console);
    let beside = plugins.beside();
    let coverage =
        if args.coverage { Some(testing::coverage(&checked, &inventories, beside)?) } else { None };
    let options = testing::Options {
        inventories: &inventories,
        strictness,
        beside,
        wanted: &|name| args.run.as_ref().is_none_or(|pattern| pattern.is_match(name)),
        snapshots: &|path| snapshots::read(&console.files, path),
        replaces_damaged: args.accept || args.review,
        coverage,
        ..testing::Options::default()
    };
    let mut report = testing::run(&parsed, &checked, options);
    if report.results.is_empty() {
        return Err(none_found(args, testing::list(&checked).len()).into());
    }
    snapshots::settle(args, &checked, &mut report, console)?;
    tell(args, &report, console)?;
    for result in &report.results {
        if let Verdict::Broken(problems) = &result.verdict {
            console.problems.absorb((**problems).clone());
        }
    }
    Ok(exit(args, &report))
}

fn tell(args: &Args, report: &TestReport, console: &mut Console) -> Result<(), CommandFailure> {
    let text = match args.format {
        ReportFormat::Json => testing::tests_json(report),
        ReportFormat::Junit => junit::text(report),
        ReportFormat::Github => github::text(report, args.threshold),
        ReportFormat::Pretty => pretty::text(report, args.threshold, console.colour),
    };
    console.print(&text)
}

/// Returns `true` if the coverage is below the threshold. Compares products, so nothing is rounded.
fn is_below(coverage: &Coverage, threshold: Option<u8>) -> bool {
    let (all, seen) = coverage.outcomes();
    threshold.is_some_and(|threshold| seen * 100 < all * usize::from(threshold))
}

/// Returns the outcome of a run. The gravest kind of problem decides: policies, then plugins, then files,
/// then tests.
fn exit(args: &Args, report: &TestReport) -> Exit {
    let is_of_file = |problem: &Diagnostic| is_run_code(problem.code) || is_fault_code(problem.code);
    let of_files = |verdict: &Verdict| match verdict {
        Verdict::Broken(problems) => {
            problems.diagnostics.iter().filter(|problem| problem.is_error()).all(is_of_file)
        }
        _ => true,
    };
    if !report.results.iter().all(|result| of_files(&result.verdict)) {
        Exit::Invalid
    } else if report.results.iter().any(|result| has_fault(&result.verdict)) {
        Exit::Undecided
    } else if report.broken() > 0 {
        Exit::Usage
    } else if report.failed() > 0
        || report.coverage.as_ref().is_some_and(|coverage| is_below(coverage, args.threshold))
    {
        Exit::No
    } else {
        Exit::Yes
    }
}

/// Returns `true` if a problem is about a file rather than about a policy.
fn is_run_code(code: Code) -> bool {
    matches!(code, Code::B0701 | Code::B0702 | Code::B0703 | Code::B0901)
}

/// Returns `true` if a problem is a rule that a plugin broke while it ran.
fn is_fault_code(code: Code) -> bool {
    (Code::B0801..=Code::B0809).contains(&code)
}

/// Returns `true` if a plugin broke a rule in a test. The test is then undecided.
fn has_fault(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Broken(problems) => problems.diagnostics.iter().any(|problem| is_fault_code(problem.code)),
        _ => false,
    }
}

fn none_found(args: &Args, declared: usize) -> Diagnostic {
    match &args.run {
        Some(pattern) if declared > 0 => {
            let message = format!("no test has a name that matches `{pattern}`");
            let help =
                format!("{} declared; leave `--run` out to run all", count(declared, "test is", "tests are"));
            Diagnostic::without_place(Code::B0904, message).help(help)
        }
        _ => Diagnostic::without_place(Code::B0904, "no tests found")
            .help("write one: `test \"name\" { … expect NEED met }`"),
    }
}
