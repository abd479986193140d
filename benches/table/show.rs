//! Rows as a table of Markdown.

use std::fmt::Write as _;

use bourse_yardstick::Row;

/// A time in the unit that suits it.
fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n if n < 1e9 => format!("{:.1} ms", n / 1e6),
        n => format!("{:.1} s", n / 1e9),
    }
}

/// Three digits, and no more.
fn ratio(ratio: f64) -> String {
    match ratio {
        r if r < 10.0 => format!("{r:.2}"),
        r if r < 100.0 => format!("{r:.1}"),
        r => format!("{r:.0}"),
    }
}

/// The table, then what there is no row for.
pub fn table(rows: &[Row], refused: &[String]) -> String {
    let mut text = String::from(
        "| work | agents × pools | system | time | × k | agrees | note |\n| --- | --- | --- | ---: | ---: | --- | --- |\n",
    );
    for row in rows {
        let same = |other: &&Row| {
            (&other.work, other.agents, other.pools) == (&row.work, row.agents, row.pools)
                && other.system == "k"
        };
        let yardstick = rows.iter().find(same).map(|k| row.timing.nanos / k.timing.nanos);
        let agrees = match row.agrees {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let _ = writeln!(
            text,
            "| {} | {} × {} | {} | {} | {} | {agrees} | {} |",
            row.work,
            row.agents,
            row.pools,
            row.system,
            time(row.timing.nanos),
            yardstick.map_or_else(String::new, ratio),
            row.note
        );
    }
    if !refused.is_empty() {
        let _ = writeln!(text, "\nNo figure:");
        refused.iter().for_each(|line| {
            let _ = writeln!(text, "- {line}");
        });
    }
    text
}
