//! The simulation behind `docs/overlap.md`: what it shows must be so, and its page and plot must tell the same. Nothing
//! is timed.

#[path = "../examples/overlap/page.rs"]
mod page;
#[path = "../examples/overlap/simulation.rs"]
mod simulation;

use std::fs;

use simulation::{Figures, simulate};

/// Long enough for conflicts, short enough for a test.
const SECONDS: u64 = 90;

#[test]
fn pessimistic_has_no_conflicts_and_optimistic_has_more_offers() {
    let [none, half, all] = [Some(0), Some(50), None].map(|overlap| simulate(overlap, SECONDS));
    assert_eq!(none.conflicts, 0, "{none:?}");
    assert!(none.launched == none.accepted && none.launched > 50, "{none:?}");
    assert!(all.conflicts > 0 && all.offers > none.offers, "{none:?} {all:?}");
    assert!((none.conflicts..=all.conflicts).contains(&half.conflicts), "{half:?} {all:?}");
    assert!((none.offers..=all.offers).contains(&half.offers), "{none:?} {half:?} {all:?}");
    assert_eq!(simulate(Some(50), SECONDS), half, "a run can be repeated");
}

/// The figures of a row of the table.
fn figures(row: &str) -> Figures {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let whole = |at: usize| cells[at].replace(['.', '%', ' '], "").parse().expect("a number");
    Figures { offers: whole(2), accepted: whole(3), launched: whole(4), conflicts: whole(5), used: whole(7) }
}

#[test]
fn the_page_and_the_plot_tell_the_same() {
    let text = fs::read_to_string("docs/overlap.md").expect("the page");
    let table = text.lines().filter(|line| line.starts_with("| ") && line.contains('%'));
    let rows: Vec<_> = page::OVERLAPS.into_iter().zip(table.map(figures)).collect();
    assert_eq!(rows.len(), page::OVERLAPS.len(), "a row for each");
    assert_eq!(page::with_table(&text, &rows), text, "the table is as the example writes it");
    let plot = fs::read_to_string("docs/overlap.svg").expect("the plot");
    assert_eq!(page::plot(&rows), plot, "the plot is of the table's figures");
}
