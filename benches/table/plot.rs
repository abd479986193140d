//! A row's time as the fleet grows, as a picture: both axes in powers of ten.

use std::fmt::Write as _;

use bourse_yardstick::Row;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = ["#1b6ca8", "#d1495b", "#2e8b57", "#8a5fbf", "#c98b00", "#4a4a4a"];

/// A line of the picture: a system with so many pools.
fn lines(rows: &[Row]) -> Vec<(String, Vec<(f64, f64)>)> {
    let mut lines: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for row in rows {
        let name = format!("{}, {} pools", row.system, row.pools);
        let point = (row.agents as f64, row.timing.nanos / 1e3);
        match lines.iter_mut().find(|line| line.0 == name) {
            Some(line) => line.1.push(point),
            None => lines.push((name, vec![point])),
        }
    }
    lines
}

/// The rows of one work as an SVG document.
pub fn plot(rows: &[Row]) -> String {
    let lines = lines(rows);
    let points = || lines.iter().flat_map(|line| &line.1);
    let ends = |value: fn(&(f64, f64)) -> f64| {
        let low = points().map(value).fold(f64::INFINITY, f64::min).log10().floor();
        let high = points().map(value).fold(f64::NEG_INFINITY, f64::max).log10().ceil();
        (low, high.max(low + 1.0))
    };
    let (x, y) = (ends(|point| point.0), ends(|point| point.1));
    let across = |value: f64| LEFT + (value.log10() - x.0) / (x.1 - x.0) * (WIDTH - LEFT - RIGHT);
    let up = |value: f64| HEIGHT - BOTTOM - (value.log10() - y.0) / (y.1 - y.0) * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let powers = |ends: (f64, f64)| (ends.0 as i32..=ends.1 as i32).map(|power| 10f64.powi(power));
    for value in powers(x) {
        let at = across(value);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0
        );
    }
    for value in powers(y) {
        let at = up(value);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
    }
    let middle = (WIDTH - RIGHT + LEFT) / 2.0;
    let _ = writeln!(
        out,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">agents</text>\n\
         <text x=\"{LEFT}\" y=\"18\">µs of CPU time for one answer: the count of all pairs, and the best ten</text>",
        HEIGHT - 12.0
    );
    for (at, (name, points)) in lines.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|(agents, time)| format!("{:.1},{:.1}", across(*agents), up(*time))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            path.join(" "),
            WIDTH - RIGHT + 8.0,
            TOP + 16.0 * at as f64 + 10.0
        );
    }
    out.push_str("</svg>\n");
    out
}
