//! `bourse test`: the tests that stand in policies.

use regex::Regex;

use super::{
    Exit, Failure,
    files::Console,
    set::SetArgs,
    table::{Paint, count, paint},
};
use crate::{
    Inventory,
    check::Strictness,
    diagnostic::{Code, Diagnostic},
    output,
    testing::{self, TestReport, TestResult, Verdict},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
    /// Only tests whose name matches
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    format: Format,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Pretty,
    /// For programs
    Json,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let strictness = Strictness::default();
    let parsed = args.set.parse(console)?;
    let inventories = args.set.inventories(console)?;
    let checked = parsed.check(&Inventory::extra(&inventories), strictness);
    if checked.report.has_errors() {
        return Err(Failure(Box::new(checked.report)));
    }
    let wanted = |name: &str| args.run.as_ref().is_none_or(|pattern| pattern.is_match(name));
    let report = testing::run(&parsed, &checked, &inventories, strictness, &wanted);
    if report.results.is_empty() {
        return Err(none_found(args, testing::list(&checked).len()).into());
    }
    match args.format {
        Format::Json => console.print(&output::tests_json(&report))?,
        Format::Pretty => {
            let colour = console.colour;
            console.print(&pretty(&report, colour))?;
        }
    }
    for result in &report.results {
        if let Verdict::Broken(problems) = &result.verdict {
            console.problems.absorb((**problems).clone());
        }
    }
    Ok(match (report.broken(), report.failed()) {
        (0, 0) => Exit::Yes,
        (0, _) => Exit::No,
        _ => Exit::Invalid,
    })
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

fn pretty(report: &TestReport, colour: bool) -> String {
    let mut out = String::new();
    for result in &report.results {
        out.push_str(&one(report, result, colour));
    }
    let mut line = format!("{} passed, {} failed", report.passed(), report.failed());
    if report.broken() > 0 {
        line.push_str(&format!(", {} could not be run", report.broken()));
    }
    out.push_str(&line);
    out.push('\n');
    out
}

fn one(report: &TestReport, result: &TestResult, colour: bool) -> String {
    let name = output::printable_name(&result.name);
    match &result.verdict {
        Verdict::Passed => format!("{} {name}\n", paint("ok    ", Paint::Green, colour)),
        Verdict::Broken(_) => {
            let place = report.sources.place(result.span);
            format!("{} {name}  ({place}: it does not compile)\n", paint("BROKEN", Paint::Red, colour))
        }
        Verdict::Failed(failures) => {
            let mut out = format!("{} {name}\n", paint("FAILED", Paint::Red, colour));
            for failure in failures {
                out.push_str(&format!("  {}\n", report.sources.place(failure.span)));
                out.push_str(&format!("    expected  {}\n", failure.expected));
                out.push_str(&format!("    actual    {}\n", failure.actual));
                for (at, reason) in failure.reasons.iter().enumerate() {
                    let head = if at == 0 { "because   " } else { "          " };
                    out.push_str(&format!("    {head}{reason}\n"));
                }
            }
            out
        }
    }
}
