//! The table of the performance goals: `cargo bench --bench table`. Every figure is a ratio to **k**, the yardstick written by
//! hand, inside one run; `docs/performance.md` says what is measured. Nothing here is asserted but that answers agree.

#![allow(clippy::float_arithmetic, reason = "times and ratios are shown; nothing is decided by them")]
#![allow(clippy::disallowed_methods, reason = "a program of its own: it has arguments and files")]

#[path = "bourse.rs"]
mod bourse_form;
mod export;
mod fast;
mod ingest;
mod plain;
mod plot;
mod show;

use std::process::ExitCode;

use bourse_yardstick::{K, Row, System, Truth, Work, measure};

const USAGE: &str = "\
usage: cargo bench --bench table -- [options]

  --only W1,W3        these works; also `ingest`
  --sizes 1000x10,…   agents × pools; `all` for the twelve of the design
  --systems k,…       these systems only, by a part of their name
  --budget MS         CPU time for one row, 300 ms if not given
  --peer COMMAND      also what this command prints, run for each work and size (repeatable): see benches/peers
  --keep DIR          keep the files that peers read there
  --json              rows as lines of JSON instead of the table
  --plot FILE         also an SVG of time by agents, for one work
";

/// The sizes of the design.
const ALL: [(usize, usize); 12] = [
    (1_000, 10),
    (1_000, 100),
    (1_000, 1_000),
    (10_000, 10),
    (10_000, 100),
    (10_000, 1_000),
    (50_000, 10),
    (50_000, 100),
    (50_000, 1_000),
    (100_000, 10),
    (100_000, 100),
    (100_000, 1_000),
];
/// The sizes of a run without `--sizes`.
const USUAL: [(usize, usize); 4] = [(1_000, 10), (1_000, 100), (50_000, 100), (50_000, 1_000)];

/// What is measured.
struct Options {
    only: Vec<String>,
    sizes: Vec<(usize, usize)>,
    systems: Vec<String>,
    budget: f64,
    peers: Vec<String>,
    keep: Option<String>,
    json: bool,
    plot: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        only: Vec::new(),
        sizes: USUAL.to_vec(),
        systems: Vec::new(),
        budget: 300e6,
        peers: Vec::new(),
        keep: None,
        json: false,
        plot: None,
    };
    let mut words = std::env::args().skip(1);
    let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<String>>();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n\n{USAGE}"));
        match word.as_str() {
            // Said by `cargo bench` to every target.
            "--bench" => {}
            "--only" => options.only = list(value()?),
            "--systems" => options.systems = list(value()?),
            "--peer" => options.peers.push(value()?),
            "--keep" => options.keep = Some(value()?),
            "--json" => options.json = true,
            "--plot" => options.plot = Some(value()?),
            "--budget" => {
                let millis: f64 = value()?.parse().map_err(|_| "`--budget` is a number of ms".to_owned())?;
                options.budget = millis * 1e6;
            }
            "--sizes" => {
                let text = value()?;
                options.sizes = if text == "all" { ALL.to_vec() } else { sizes(&text)? };
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

fn sizes(text: &str) -> Result<Vec<(usize, usize)>, String> {
    let size = |text: &str| {
        let (agents, pools) = text.split_once('x')?;
        Some((agents.parse().ok()?, pools.parse().ok()?))
    };
    let wrong = |text: &str| format!("`{text}` is not a size: write AGENTSxPOOLS, as `1000x10`");
    text.split(',').map(|text| size(text).ok_or_else(|| wrong(text))).collect()
}

/// Every system that is measured in this process. A new one is a line here.
fn systems() -> Vec<Box<dyn System>> {
    vec![Box::new(K::default()), Box::new(fast::Fast::default()), Box::new(plain::Plain::default())]
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let (rows, refused) = run(&options);
    if options.json {
        rows.iter().for_each(|row| println!("{}", row.json()));
    } else {
        print!("{}", show::table(&rows, &refused));
    }
    if let Some(path) = &options.plot
        && let Err(error) = std::fs::write(path, plot::plot(&rows))
    {
        eprintln!("cannot write `{path}`: {error}");
        return ExitCode::FAILURE;
    }
    if rows.iter().any(|row| row.agrees == Some(false)) {
        eprintln!("some answers are not the judge's");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The rows, and what there is no row for.
fn run(options: &Options) -> (Vec<Row>, Vec<String>) {
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    for work in Work::all().iter().filter(|work| wanted(work.name)) {
        for (agents, pools) in &options.sizes {
            let fleet = work.fleet(*agents, *pools);
            let truth = Truth::new(work, &fleet);
            for mut system in systems() {
                let chosen = options.systems.iter().any(|part| system.name().contains(part.as_str()));
                if !chosen && !options.systems.is_empty() {
                    continue;
                }
                eprintln!("{} {agents}x{pools} {}", work.name, system.name());
                match measure(system.as_mut(), work, &fleet, &truth, options.budget) {
                    Ok(row) => rows.push(row),
                    Err(why) => {
                        refused.push(format!("{} {agents}x{pools} {}: {why}", work.name, system.name()));
                    }
                }
            }
            for peer in &options.peers {
                match export::ask(peer, work, &fleet, &truth, options.keep.as_deref()) {
                    Ok(found) => rows.extend(found),
                    Err(why) => refused.push(format!("{} {agents}x{pools} {peer}: {why}", work.name)),
                }
            }
        }
    }
    if wanted("ingest") {
        let sizes = options.sizes.iter();
        sizes.for_each(|(agents, pools)| rows.extend(ingest::rows(*agents, *pools, options.budget)));
    }
    (rows, refused)
}
