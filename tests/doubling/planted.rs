//! The test of the test: growth that is planted must be caught, and growth that is allowed must not.

use std::hint::black_box;

use crate::{Case, figures::is_faster};

/// Holds the judge of figures against functions whose growth is known.
pub fn judge() {
    type Known = (&'static str, fn(u64) -> u64, bool);
    let known: [Known; 5] = [
        ("a line", |n| 1_000_000 + 1_000 * n, false),
        ("n × log n", |n| 500 + 1_000 * n * u64::from(n.ilog2()), false),
        ("nothing", |_| 7, false),
        ("a square", |n| n * n, true),
        ("a square under a large constant and a line", |n| 100_000_000 + 1_000 * n + 2 * n * n, true),
    ];
    for (name, function, fast) in known {
        assert_eq!(
            is_faster([function(500), function(1_000), function(2_000)]),
            fast,
            "{name} is judged wrongly"
        );
    }
}

/// Work whose growth is known, to be counted as every other case is: an excuse that is not needed fails.
pub fn cases() -> Vec<Case> {
    type Planted = (&'static str, fn(usize), Option<&'static str>);
    let planted: [Planted; 4] = [
        ("planted/linear", linear, None),
        ("planted/instructions", pairs, Some("planted: instructions grow with n × n")),
        ("planted/bytes", many_texts, Some("planted: bytes grow with n × n, and no peak")),
        ("planted/peak", a_table, Some("planted: the peak grows with n × n")),
    ];
    let case = |(name, work, excuse): Planted| Case {
        name: name.to_owned(),
        size: 500,
        prepare: Box::new(move |size| Box::new(move || work(size))),
        excuse,
    };
    planted.into_iter().map(case).collect()
}

fn linear(n: usize) {
    let texts: Vec<String> = (0..n).map(|number| number.to_string()).collect();
    black_box(texts);
}

/// A little beside what each member costs anyhow.
fn pairs(n: usize) {
    let texts: Vec<String> = (0..n).map(|number| number.to_string()).collect();
    let alike = texts.iter().map(|one| texts.iter().filter(|other| *other == one).count());
    black_box(alike.sum::<usize>());
}

fn many_texts(n: usize) {
    for _ in 0..n {
        black_box(" ".repeat(n));
    }
}

fn a_table(n: usize) {
    black_box(vec![vec![0_u8; n]; n]);
}
