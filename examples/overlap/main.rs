//! What is gained between pessimistic and optimistic offers: `cargo run --release --example overlap` simulates an hour
//! at each overlap, and writes the figures of `docs/overlap.md` and `docs/overlap.svg`. The same crate gives the same
//! bytes.

#![allow(clippy::disallowed_methods, reason = "an example writes its pages")]

mod page;
mod simulation;

use std::{fs, io, path::Path};

/// An hour.
const SECONDS: u64 = 3_600;

fn main() -> io::Result<()> {
    let mut rows = Vec::new();
    for overlap in page::OVERLAPS {
        let figures = simulation::simulate(overlap, SECONDS);
        println!("{}", page::row(overlap, &figures));
        rows.push((overlap, figures));
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let text = fs::read_to_string(docs.join("overlap.md"))?;
    fs::write(docs.join("overlap.md"), page::with_table(&text, &rows))?;
    fs::write(docs.join("overlap.svg"), page::plot(&rows))
}
