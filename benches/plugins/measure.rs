//! How long something takes, and the table of goals.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// The best and the median of many runs.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    pub best: Duration,
    pub median: Duration,
}

fn once<R>(run: &mut impl FnMut() -> R) -> Duration {
    let start = Instant::now();
    let made = black_box(run());
    let took = start.elapsed();
    drop(made);
    took
}

impl Took {
    fn new(mut took: Vec<Duration>) -> Took {
        took.sort_unstable();
        Took { best: took[0], median: took[took.len() / 2] }
    }

    /// Of so many runs.
    pub fn of<R>(runs: usize, mut run: impl FnMut() -> R) -> Took {
        Took::new((0..runs).map(|_| once(&mut run)).collect())
    }

    /// Of two that run in turn.
    pub fn in_turn<A, B>(
        runs: usize,
        mut one: impl FnMut() -> A,
        mut other: impl FnMut() -> B,
    ) -> (Took, Took) {
        let (ones, others) = (0..runs).map(|_| (once(&mut one), once(&mut other))).unzip();
        (Took::new(ones), Took::new(others))
    }

    /// How many times as long as another.
    pub fn ratio(&self, other: &Took) -> f64 {
        self.median.as_secs_f64() / other.median.as_secs_f64()
    }
}

/// The goals, and what was measured.
#[derive(Debug, Default)]
pub struct Goals(Vec<[String; 4]>);

impl Goals {
    fn line(&mut self, what: String, goal: String, measured: String, met: bool) {
        let met = if met { "met" } else { "missed" };
        self.0.push([what, goal, measured, met.to_owned()]);
    }

    pub fn bytes(&mut self, what: impl Into<String>, goal: usize, measured: usize) {
        self.line(what.into(), format!("< {goal} B"), format!("{measured} B"), measured < goal);
    }

    pub fn time(&mut self, what: impl Into<String>, goal: Duration, took: Took) {
        let measured = format!("{:.1?}", took.median);
        self.line(what.into(), format!("<= {goal:?}"), measured, took.median <= goal);
    }

    pub fn times(&mut self, what: impl Into<String>, goal: f64, measured: f64) {
        self.line(what.into(), format!("<= {goal} x"), format!("{measured:.2} x"), measured <= goal);
    }

    pub fn percent(&mut self, what: impl Into<String>, goal: f64, measured: f64) {
        self.line(what.into(), format!("<= {goal} %"), format!("{measured:.1} %"), measured <= goal);
    }

    pub fn print(&self) {
        println!("\n{:<58} {:>11} {:>11}", "goal", "at most", "median");
        for [what, goal, measured, met] in &self.0 {
            println!("{what:<58} {goal:>11} {measured:>11}  {met}");
        }
    }
}
