//! The policies people copy: every folder of `policies` is a set, perhaps with an inventory. Its tests must pass, and
//! its offers are those of its snapshot.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use bourse::{
    Inventory, Offers, Policy,
    check::Strictness,
    diagnostic::Render,
    pipeline::{Extra, Parsed},
    testing::{self, Verdict},
};

/// The files below a folder with this ending, in order of their names.
#[allow(clippy::disallowed_methods, reason = "policies are files")]
fn files(folder: &Path, ending: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let wanted =
        paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == ending));
    wanted
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("readable"))
        })
        .collect()
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let entries = fs::read_dir(root).expect("policies").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// One folder: what fails, as text, and its offers.
fn check(folder: &Path) -> (usize, String, String) {
    let texts = files(folder, "policy");
    let parsed = Parsed::new(texts.iter().map(|(name, text)| (name.as_str(), text.as_slice())));
    let inventories: Vec<Inventory> = files(folder, "json")
        .iter()
        .map(|(name, bytes)| {
            Inventory::from_bytes(name, bytes)
                .unwrap_or_else(|error| panic!("{}", error.render(Render::Human(false))))
        })
        .collect();
    let checked = parsed.check(&Extra::default(), Strictness::default());
    let mut out = checked.report.render(Render::Human(false));
    if checked.report.has_errors() {
        return (0, out, String::new());
    }
    let read = |path: &str| Ok(fs::read_to_string(folder.join(path)).ok());
    let options = testing::Options { inventories: &inventories, snapshots: &read, ..Default::default() };
    let report = testing::run(&parsed, &checked, options);
    let expected = testing::snapshots(&checked);
    for (name, _) in files(&folder.join("snapshots"), "snap") {
        let path = format!("snapshots/{name}");
        assert!(expected.contains_key(&path), "no test expects {}", folder.join(path).display());
    }
    for result in &report.results {
        match &result.verdict {
            Verdict::Passed => assert!(result.expectations > 0, "`{}` expects nothing", result.name),
            Verdict::Failed(failures) => {
                for failure in failures {
                    let _ = writeln!(out, "{}: {} → {}", result.name, failure.expected, failure.actual);
                    if let Some(snapshot) = &result.snapshot {
                        out.push_str(&snapshot.taken.text);
                    }
                }
            }
            Verdict::Broken(problems) => out.push_str(&problems.render(Render::Human(false))),
        }
    }
    let fleet = Policy::from_parsed(parsed, Strictness::default())
        .and_then(|policy| policy.fleet(&inventories.iter().collect::<Vec<_>>()));
    let fleet = fleet.unwrap_or_else(|error| panic!("{}", error.render(Render::Human(false))));
    out.push_str(&fleet.warnings().render(Render::Human(false)));
    (report.results.len(), out, show(&fleet.offers()))
}

/// Grants in order: where, from which supplies, and what is wasted; then what became of each need.
fn show(offers: &Offers) -> String {
    let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
    let name = |id: bourse::matching::NeedId| {
        let framework = &plan.frameworks[id.framework];
        let need = &framework.needs[id.need];
        format!("{}.{}", plan.symbols.text(framework.name), plan.symbols.text(need.name))
    };
    let mut out = String::new();
    for grant in &offers.cycle().grants {
        let _ = write!(out, "{}", name(grant.id));
        if let Some(agent) = grant.candidate.agent {
            let _ = write!(out, " on {}", plan.symbols.text(world.agents[agent].name));
        }
        let _ = write!(out, ", score {}", grant.candidate.score.show());
        for volume in &grant.candidate.volumes {
            let path = plan.symbols.text(world.supplies[volume.supply].path);
            let _ = write!(out, ", from {path} wasting {} GB", volume.waste / 1_000_000_000);
        }
        out.push('\n');
    }
    for need in &offers.cycle().needs {
        let why = need.why.as_ref().map_or(String::new(), |why| format!(", {}", why.kind().name()));
        let outcome = need.outcome.name();
        let _ = writeln!(out, "{}: {outcome}, {} of {}{why}", name(need.id), need.offered, need.count);
    }
    out
}

#[test]
fn every_policy_gives_what_its_tests_say() {
    let folders = folders();
    assert!(folders.len() >= 7, "only {} policies were found", folders.len());
    let mut failed = String::new();
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(folder.join("README.md").is_file(), "policies/{name} has no README.md");
        let (tests, out, offers) = check(&folder);
        assert!(tests > 0 || !out.is_empty(), "policies/{name} has no test");
        if !out.is_empty() {
            let _ = writeln!(failed, "policies/{name}:\n{out}");
        }
        insta::with_settings!({ snapshot_path => "snapshots/policies", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, offers);
        });
    }
    assert!(failed.is_empty(), "{failed}");
}
