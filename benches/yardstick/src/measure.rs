//! Medians of CPU time. Wall time never decides anything.

use std::hint::black_box;

use cpu_time::ProcessTime;

/// How one row was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Median of the samples, in nanoseconds of CPU time.
    pub nanos: f64,
    /// The least of them.
    pub least: f64,
    /// How many samples.
    pub samples: usize,
}

impl Timing {
    /// The same for one of `parts`.
    #[must_use]
    pub fn divided(self, parts: f64) -> Timing {
        Timing { nanos: self.nanos / parts, least: self.least / parts, samples: self.samples }
    }
}

/// CPU time of one run, in nanoseconds, with what it gave.
pub fn once<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = ProcessTime::now();
    let value = black_box(run());
    (start.elapsed().as_nanos() as f64, value)
}

/// The median of repeated runs: as many as fit in `budget` nanoseconds, 1 to 200 samples, each of as many runs as
/// take 200 µs.
pub fn median<T>(budget: f64, mut run: impl FnMut() -> T) -> Timing {
    let (first, _) = once(&mut run);
    let each = first.max(10.0);
    let inner = (200_000.0 / each).ceil().clamp(1.0, 20_000.0) as usize;
    // The first run warms up; where it alone takes the whole budget, it is the sample.
    if each > budget {
        return Timing { nanos: first, least: first, samples: 1 };
    }
    let wanted = ((budget / (each * inner as f64)) as usize).clamp(3, 200);
    let mut samples = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let (nanos, ()) = once(|| {
            for _ in 0..inner {
                black_box(run());
            }
        });
        samples.push(nanos / inner as f64);
    }
    samples.sort_by(f64::total_cmp);
    Timing { nanos: samples[samples.len() / 2], least: samples[0], samples: samples.len() }
}
