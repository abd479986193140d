//! Other engines on the workload of the benchmarks: `bourse-peers FOLDER WORK AGENTS POOLS` prints a row of JSON for each of
//! them, and one for k, measured in the same run. The folder is for peers that read files; these draw the fleet anew.

mod cedar;
mod cel_rows;
mod rego;
mod roto_rows;
mod rows;

use std::process::ExitCode;

use bourse_yardstick::{System, Truth, Work, measure};

/// CPU time for one row, in nanoseconds.
const BUDGET: f64 = 1e9;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [_, name, agents, pools] = words.as_slice() else {
        eprintln!("usage: bourse-peers FOLDER WORK AGENTS POOLS");
        return ExitCode::from(2);
    };
    let works = Work::all();
    let work = works.iter().find(|work| work.name == name);
    let (Some(work), Ok(agents), Ok(pools)) = (work, agents.parse(), pools.parse()) else {
        eprintln!("no such work or size: {name} {agents} {pools}");
        return ExitCode::from(2);
    };
    let fleet = work.fleet(agents, pools);
    let truth = Truth::new(work, &fleet);
    let systems: Vec<Box<dyn System>> = vec![
        Box::new(rego::Rego::default()),
        Box::new(rows::TwoStage::new(cel_rows::Cel::default())),
        Box::new(rows::TwoStage::new(roto_rows::Roto::default())),
        Box::new(rows::EveryPair::new(cedar::Cedar::default())),
    ];
    for mut system in systems {
        match measure(system.as_mut(), work, &fleet, &truth, BUDGET) {
            Ok(row) => println!("{}", row.json()),
            Err(why) => eprintln!("{}: {why}", system.name()),
        }
    }
    ExitCode::SUCCESS
}
