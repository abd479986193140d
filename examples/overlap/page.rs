//! The figures as a table and as a plot.

use std::fmt::Write as _;

use super::simulation::{Figures, Overlap};

/// What is compared.
pub const OVERLAPS: [Overlap; 7] = [Some(0), Some(10), Some(25), Some(50), Some(100), Some(200), None];

const HEAD: &str = "\
| overlap | offers | accepted | launched | conflicts | of accepted | CPUs in use |
| --- | --- | --- | --- | --- | --- | --- |";
const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- end of figures -->";

/// How an overlap is written.
pub fn name(overlap: Overlap) -> String {
    overlap.map_or("unlimited".to_owned(), |percent| format!("{percent} %"))
}

/// A row of the table.
pub fn row(overlap: Overlap, figures: &Figures) -> String {
    let Figures { offers, accepted, launched, conflicts, used } = *figures;
    let lost = conflicts * 1_000 / accepted.max(1);
    format!(
        "| {} | {offers} | {accepted} | {launched} | {conflicts} | {}.{} % | {}.{} % |",
        name(overlap),
        lost / 10,
        lost % 10,
        used / 10,
        used % 10
    )
}

/// The page with a new table.
pub fn with_table(page: &str, rows: &[(Overlap, Figures)]) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the page says where its table begins");
    let (_, after) = rest.split_once(END).expect("the page says where its table ends");
    let rows: String = rows.iter().map(|(overlap, figures)| row(*overlap, figures) + "\n").collect();
    format!("{before}{BEGIN}\n{HEAD}\n{rows}\n{END}{after}")
}

const WIDTH: u64 = 640;
const PANEL: u64 = 150;
const LEFT: u64 = 70;
const RIGHT: u64 = 20;
const TOP: u64 = 34;
const GAP: u64 = 58;

/// One of the plot's panels.
struct Panel {
    title: &'static str,
    colour: &'static str,
    value: fn(&Figures) -> u64,
    show: fn(u64) -> String,
    /// The end of its scale, where it has one of its own.
    most: Option<u64>,
}

/// Offers, conflicts and use against overlap, one above the other.
pub fn plot(rows: &[(Overlap, Figures)]) -> String {
    let panels = [
        Panel {
            title: "offers made in an hour",
            colour: "#2a6f97",
            value: |figures| figures.offers,
            show: |value| value.to_string(),
            most: None,
        },
        Panel {
            title: "conflicts at launch, of offers accepted",
            colour: "#b23a48",
            value: |figures| figures.conflicts * 1_000 / figures.accepted.max(1),
            show: tenths,
            most: None,
        },
        Panel {
            title: "CPUs in use",
            colour: "#4f772d",
            value: |figures| figures.used,
            show: tenths,
            most: Some(1_000),
        },
    ];
    let height = TOP + panels.len() as u64 * (PANEL + GAP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Offers, conflicts and use against overlap</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (at, panel) in panels.iter().enumerate() {
        draw(&mut out, panel, rows, TOP + at as u64 * (PANEL + GAP));
    }
    out.push_str("</svg>\n");
    out
}

/// Thousandths as a percentage.
fn tenths(thousandths: u64) -> String {
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

fn draw(out: &mut String, panel: &Panel, rows: &[(Overlap, Figures)], top: u64) {
    let Panel { title, colour, value, show, most } = panel;
    let values: Vec<u64> = rows.iter().map(|(_, figures)| value(figures)).collect();
    let highest = values.iter().copied().max().unwrap_or(1).max(1);
    let most = most.unwrap_or_else(|| nice(highest));
    let bottom = top + PANEL;
    let x = |at: usize| LEFT + 30 + at as u64 * (WIDTH - LEFT - RIGHT - 60) / (rows.len().max(2) as u64 - 1);
    let y = |value: u64| bottom - value * PANEL / most;
    let _ = writeln!(out, "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{title}</text>", top - 12);
    for part in 0..=4 {
        let (line, shown) = (y(most * part / 4), show(most * part / 4));
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {line}H{}\" stroke=\"#dddddd\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#666666\">{shown}</text>",
            WIDTH - RIGHT,
            LEFT - 6,
            line + 4
        );
    }
    let points: Vec<String> =
        values.iter().enumerate().map(|(at, value)| format!("{},{}", x(at), y(*value))).collect();
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        points.join(" ")
    );
    for (at, ((overlap, _), value)) in rows.iter().zip(&values).enumerate() {
        let _ = writeln!(
            out,
            "<circle cx=\"{0}\" cy=\"{1}\" r=\"3\" fill=\"{colour}\"/><text x=\"{0}\" y=\"{2}\" text-anchor=\"middle\">{3}</text><text x=\"{0}\" y=\"{4}\" text-anchor=\"middle\" fill=\"#666666\">{5}</text>",
            x(at),
            y(*value),
            y(*value) - 7,
            show(*value),
            bottom + 16,
            name(*overlap)
        );
    }
}

/// The next number above whose quarters are easily read.
fn nice(value: u64) -> u64 {
    let mut step = 1;
    loop {
        let fits = |factor: &u64| value * 10 <= step * factor * 9;
        if let Some(factor) = (4..=40).step_by(4).find(fits) {
            return step * factor;
        }
        step *= 10;
    }
}
