use super::*;

/// The tour of the language reference.
const TOUR: &str = include_str!("testdata/tour.policy");

fn parse_text(text: &str) -> (Sources, Parsed) {
    let mut sources = Sources::default();
    let id = sources.add("test.policy", text);
    let parsed = parse(&sources, id);
    (sources, parsed)
}

/// Each problem in a line: code, the text at its first place, message, help.
fn problems(text: &str) -> Vec<String> {
    let (sources, parsed) = parse_text(text);
    let line = |problem: &Diagnostic| {
        let at = problem.labels.first().map(|label| sources.text(label.span)).unwrap_or_default();
        let help = problem.help.as_deref().unwrap_or("-");
        format!("{} `{at}` {} | {help}", problem.code, problem.message)
    };
    parsed.diagnostics.iter().map(line).collect()
}

#[test]
fn the_tour_is_read_without_a_problem() {
    let found = problems(TOUR);
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(parse_text(TOUR).1.ast.items.len(), 11);
}
