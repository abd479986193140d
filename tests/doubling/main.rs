//! The doubling test: as an input grows from n to 2n to 4n, the work that it makes grows by no more than 2.5 each time.
//!
//! Work is instructions, counted by callgrind, and bytes, counted by the allocator; so is the peak of memory. No clock is read.
//! A case is a line of `cases/`: an input that grows in one respect, and what is done with it. One that may grow faster says why,
//! and fails once it no longer does.
//!
//! With names, or parts of them, only these cases are run. `--list` lists them.

#![allow(
    clippy::disallowed_methods,
    reason = "a program of its own: it has arguments and runs itself under valgrind"
)]

mod cases;
mod figures;
mod input;
mod planted;
mod runs;
mod work;

use std::process::ExitCode;

use figures::Figures;

/// Work whose input grows.
pub struct Case {
    /// How it is called: `INPUT/TASK`.
    pub name: String,
    /// The smallest n.
    pub size: usize,
    /// Makes the input of a size, which is not counted, and gives what is done with it.
    pub prepare: Box<dyn Fn(usize) -> Box<dyn FnOnce()>>,
    /// Why it may grow faster than its input, where it may.
    pub excuse: Option<&'static str>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (flags, names): (Vec<String>, Vec<String>) =
        words.into_iter().partition(|word| word.starts_with('-'));
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let mut cases = cases::all();
    if has(runs::CHILD) {
        runs::child(&cases, &names);
        return ExitCode::SUCCESS;
    }
    cases.retain(|case| names.is_empty() || names.iter().any(|name| case.name.contains(name.as_str())));
    if has("--list") {
        cases.iter().for_each(|case| println!("{}: test", case.name));
        return ExitCode::SUCCESS;
    }
    planted::judge();
    let measured = runs::measure(&cases);
    let mut failed = 0;
    for (case, figures) in cases.iter().zip(measured) {
        let told = tell(case, figures);
        failed += usize::from(told.is_err());
        println!("{}", told.unwrap_or_else(|problem| problem));
    }
    println!("doubling: {} cases, {failed} failed", cases.len());
    if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What is said of a case; an error where it fails.
fn tell(case: &Case, figures: Option<[Figures; 3]>) -> Result<String, String> {
    let name = &case.name;
    let Some(figures) = figures else {
        return Err(format!("FAILED {name}: it ended before it was measured"));
    };
    let lines = Figures::table(case.size, &figures);
    match (Figures::faster(&figures), case.excuse) {
        (None, None) => Ok(format!("ok     {name}\n{lines}")),
        (Some(_), Some(excuse)) => Ok(format!("grows  {name}: {excuse}\n{lines}")),
        (Some(figure), None) => Err(format!("FAILED {name}: {figure} grow faster than the input\n{lines}")),
        // What only instructions show is not seen where none are counted.
        (None, Some(_)) if figures[0].instructions.is_none() => Ok(format!("unseen {name}\n{lines}")),
        (None, Some(_)) => Err(format!(
            "FAILED {name}: it no longer grows faster than its input; take its excuse away\n{lines}"
        )),
    }
}
