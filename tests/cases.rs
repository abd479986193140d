//! The meaning of the language, case by case: every file of `tests/cases` is a set whose tests say what each
//! thing gives. Any engine is held against them. A new case is a new file, or a new `test` in one.

use std::{fs, path::Path};

use bourse::{
    check::Strictness,
    diagnostic::Render,
    pipeline::{Extra, Parsed},
    testing::{self, Verdict},
};

/// Every test of a set, as text: empty where all hold.
pub fn failures_of(name: &str, text: &str) -> (usize, String) {
    let parsed = Parsed::new([(name, text.as_bytes())]);
    let checked = parsed.check(&Extra::default(), Strictness::default());
    let mut out = checked.report.render(Render::Human(false));
    if checked.report.has_errors() {
        return (0, out);
    }
    let report = testing::run(&parsed, &checked, testing::Options::default());
    for result in &report.results {
        match &result.verdict {
            Verdict::Passed => {}
            Verdict::Failed(failures) => {
                for failure in failures {
                    let place = report.sources.place(failure.span);
                    let reasons = failure.reasons.join("\n    ");
                    out.push_str(&format!(
                        "{place}: {}: expected `{}`, and it is: {}\n    {reasons}\n",
                        result.name, failure.expected, failure.actual
                    ));
                }
            }
            Verdict::Broken(problems) => out.push_str(&problems.render(Render::Human(false))),
        }
    }
    (report.results.len(), out)
}

#[test]
#[allow(clippy::disallowed_methods, reason = "cases are files")]
fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    let mut out = String::new();
    let mut tests = 0;
    for file in &files {
        let name = file.file_name().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(file).expect("readable");
        let (ran, failures) = failures_of(&name, &text);
        assert!(ran > 0 || !failures.is_empty(), "{name} has no test");
        tests += ran;
        out.push_str(&failures);
    }
    assert!(out.is_empty(), "{out}");
    assert!(tests >= 60, "only {tests} tests were found");
}
