//! Concurrent runs on one state: two runs, runs through links, and programs that take no lock.

use std::{cell::Cell, path::Path, rc::Rc, time::Duration};

use super::{
    commands::{CommandResult, Inputs, state},
    disk::{SimulatedDisk, Skips},
};
use crate::cli::{
    Exit,
    durable::{DurableFiles, HoldError, StateFile, WaitPolicy},
};

const STATE: &str = "/data/state.json";
const LINK: &str = "/other/link.json";
const LOCK: &str = "/data/state.json.lock";

fn disk(before: Option<&str>) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.place_directory("/data");
    if let Some(before) = before {
        disk.place(STATE, before.as_bytes(), 0o644);
    }
    disk.place_link(LINK, "../data/state.json");
    disk
}

fn text(disk: &SimulatedDisk) -> String {
    disk.content(STATE).map_or_else(String::new, |(bytes, _)| String::from_utf8(bytes).expect("text"))
}

/// The result of a run during which another program ran at one step.
struct Interleaving {
    ran: CommandResult,
    /// `true` if the other program reported success.
    is_other_done: bool,
    file: String,
    /// The step at which the other program ran.
    at: String,
}

/// Runs the same command once for each of its steps, with another program at that step.
fn meetings(
    before: Option<&str>,
    forgets: Skips,
    other: impl Fn(&Inputs, &SimulatedDisk) -> bool + 'static,
) -> Vec<Interleaving> {
    let (inputs, other) = (Rc::new(Inputs::new()), Rc::new(other));
    let apply = |disk: &SimulatedDisk| {
        disk.forget(forgets);
        inputs.apply(disk, "one", STATE, &["--init"])
    };
    let alone = disk(before);
    assert_eq!(apply(&alone).exit, Exit::Yes);
    // Both runs are the same up to the step; after it the other program's steps come in between.
    let met = |(step, at): (usize, String)| {
        let disk = disk(before);
        let is_done = Rc::new(Cell::new(false));
        let (inputs, other, done) = (inputs.clone(), other.clone(), is_done.clone());
        disk.other_at(step, move |disk| done.set(other(&inputs, disk)));
        let ran = apply(&disk);
        Interleaving { ran, is_other_done: is_done.get(), file: text(&disk), at }
    };
    (1..).zip(alone.steps()).map(met).collect()
}

/// Checks that the file has everything that either run reported as done, and nothing else.
fn nothing_is_lost(met: &[Interleaving]) -> Result<(), String> {
    for one in met {
        let has = |name: &str| one.file.contains(&format!("\"name\": \"{name}\""));
        let first = one.ran.exit == Exit::Yes;
        if (has("one"), has("two")) != (first, one.is_other_done) {
            let who = format!("first {first}, second {}", one.is_other_done);
            return Err(format!("at `{}`: said by {who}; there is {}", one.at, one.file));
        }
    }
    Ok(())
}

/// Runs another `apply` through a link, without waiting. Returns `true` on success.
fn second(inputs: &Inputs, disk: &SimulatedDisk) -> bool {
    inputs.apply(disk, "two", LINK, &["--init", "--wait", "0s"]).exit == Exit::Yes
}

#[test]
fn runs_through_a_link_and_a_file_lose_nothing() {
    for before in [Some(state(&[], 3)), None] {
        let met = meetings(before.as_deref(), Skips::default(), second);
        nothing_is_lost(&met).unwrap_or_else(|why| panic!("{why}"));
        let kept_out = met.iter().filter(|one| !one.is_other_done).count();
        assert!(kept_out > 10 && kept_out < met.len(), "{kept_out} of {}", met.len());
    }
}

#[test]
fn a_lock_file_that_somebody_removes_lets_nobody_in() {
    for before in [Some(state(&[], 3)), None] {
        let met = meetings(before.as_deref(), Skips::default(), |inputs, disk| {
            disk.meddle(LOCK, None);
            second(inputs, disk)
        });
        nothing_is_lost(&met).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn runs_without_locks_are_found() {
    let forgets = Skips { locks: true, ..Skips::default() };
    let met = meetings(Some(&state(&[], 3)), forgets, second);
    let why = nothing_is_lost(&met).expect_err("two runs without locks lose something");
    assert!(why.contains("rename"), "{why}");
}

#[test]
fn a_removed_lock_file_is_found_where_the_file_itself_is_not_held() {
    let forgets = Skips { holds: true, ..Skips::default() };
    let met = meetings(Some(&state(&[], 3)), forgets, |inputs, disk| {
        disk.meddle(LOCK, None);
        second(inputs, disk)
    });
    let why = nothing_is_lost(&met).expect_err("two runs with two locks lose something");
    assert!(why.contains("rename"), "{why}");
}

/// A program that takes no lock is noticed up to the rename itself: what it writes before is not overwritten.
#[test]
fn what_another_program_writes_is_noticed_until_the_rename() {
    let foreign = state(&["foreign"], 9);
    let written = foreign.clone();
    let met = meetings(Some(&state(&[], 3)), Skips::default(), move |_, disk| {
        disk.meddle(STATE, Some(written.as_bytes()));
        true
    });
    let lost: Vec<&str> =
        met.iter().filter(|one| !one.file.contains("foreign")).map(|one| one.at.as_str()).collect();
    assert_eq!(lost, ["rename"]);
    let noticed = met.iter().filter(|one| one.ran.exit == Exit::No && one.ran.err.contains("B0526"));
    assert!(noticed.count() > 5);
    // If two programs create the first file, the rename decides which was first.
    let written = foreign.clone();
    let met = meetings(None, Skips::default(), move |_, disk| {
        disk.meddle(STATE, Some(written.as_bytes()));
        true
    });
    assert!(met.iter().all(|one| one.file.contains("foreign")));
}

/// The time of each report of a wait, and the holder that it named.
type WaitReports = Vec<(Duration, Option<String>)>;

/// Tries to hold a state. Returns the result, and the reports of waiting.
fn held(disk: &SimulatedDisk, wait: Option<u64>) -> (Result<StateFile, HoldError>, WaitReports) {
    let mut reports = Vec::new();
    let mut tell = |holder| reports.push((disk.now(), holder));
    let mut wait_policy = WaitPolicy::new(wait.map(Duration::from_millis), &mut tell);
    let held =
        DurableFiles::new(Box::new(disk.clone())).hold(Path::new(LINK), false, 1 << 20, &mut wait_policy);
    (held, reports)
}

#[test]
fn a_wait_is_told_after_a_second_and_ends_when_it_should() {
    let disk = disk(Some("state"));
    let (first, _) = held(&disk, None);
    assert!(first.is_ok_and(|first| {
        let (second, reports) = held(&disk, Some(0));
        assert!(matches!(second, Err(HoldError::Busy(Some(who))) if who == "process 1 on simulated"));
        assert_eq!((disk.now(), reports.len()), (Duration::ZERO, 0), "nobody is waited for");
        let (second, reports) = held(&disk, Some(999));
        assert!(matches!(second, Err(HoldError::Busy(_))));
        assert_eq!((disk.now(), reports.len()), (Duration::from_millis(999), 0));
        let (second, reports) = held(&disk, Some(2_500));
        assert!(matches!(second, Err(HoldError::Busy(_))));
        assert_eq!(disk.now(), Duration::from_millis(999 + 2_500));
        let at = Duration::from_millis(999 + 1_000);
        assert_eq!(reports, [(at, Some("process 1 on simulated".to_owned()))]);
        first.bytes() == Some(b"state")
    }));
    assert!(held(&disk, Some(0)).0.is_ok(), "it was dropped");
}

/// If somebody removes the lock file just before it is locked, the lock is on the file that newcomers find.
#[test]
fn a_lock_is_on_what_its_name_leads_to() {
    let alone = disk(Some("state"));
    assert!(held(&alone, None).0.is_ok());
    let lock = alone.steps().iter().position(|step| step == "lock").expect("locked") + 1;
    let disk = disk(Some("state"));
    disk.other_at(lock, |disk| disk.meddle(LOCK, None));
    let (first, _) = held(&disk, None);
    assert!(first.is_ok() && disk.content(LOCK).is_some());
}

/// The description of a killed run in the lock file is not reported.
#[test]
fn a_lock_says_only_who_has_it() {
    let disk = disk(Some("state"));
    disk.place(LOCK, b"process 99 on gone: bourse apply\n", 0o644);
    let (first, _) = held(&disk, None);
    let said = || String::from_utf8(disk.content(LOCK).expect("there").0).expect("text");
    assert_eq!(said(), "process 1 on simulated\n");
    drop(first);
    assert_eq!(said(), "");
}

#[test]
fn what_is_no_file_of_its_own_is_not_held() {
    let problem = |prepare: fn(&SimulatedDisk)| {
        let disk = disk(Some("state"));
        prepare(&disk);
        let before = disk.signature();
        let error = held(&disk, Some(0)).0.err().expect("refused");
        let reports = crate::cli::durable::problems::unheld(Path::new(LINK), &error).message;
        (reports, disk.signature() == before)
    };
    let lock = |why: &str| format!("cannot lock `{LINK}` with the file `state.json.lock` beside it: {why}");
    assert_eq!(problem(|disk| disk.place_link(LOCK, "victim")), (lock("it is a link"), true));
    assert_eq!(problem(|disk| disk.place_pipe(LOCK)), (lock("it is not a file"), true));
    assert_eq!(problem(|disk| disk.place_directory(LOCK)), (lock("it is a directory"), true));
    let shared = |disk: &SimulatedDisk| {
        disk.place("/data/victim", b"precious", 0o644);
        disk.place_hard_link(LOCK, "/data/victim");
    };
    assert_eq!(problem(shared), (lock("it has another name, a hard link"), true));
    let state = |why: &str| format!("cannot read `{LINK}`: {why}");
    let (reports, _) = problem(|disk| disk.place_hard_link("/data/again.json", STATE));
    assert_eq!(reports, state("it has another name, a hard link, under which no change would be seen"));
    assert_eq!(problem(|disk| disk.place_pipe(STATE)).0, state("it is not a file"));
    assert_eq!(problem(|disk| disk.place_link(LINK, "nowhere")), (state("there is no such file"), true));
}

/// Files that may belong to others stay: other names, links, files with two names, and files that are being
/// written.
#[test]
fn only_left_overs_are_removed() {
    let disk = disk(Some("state"));
    let name = |digit: &str| format!("/data/.bourse-{}.new", digit.repeat(32));
    disk.place(&name("a"), b"half", 0o600);
    let kept = [
        "/data/.bourse-0.new".to_owned(),
        "/data/state.json.4711.new".to_owned(),
        format!("/data/.bourse-{}.new", "A".repeat(32)),
        format!("/data/.bourse-{}.new.old", "a".repeat(32)),
    ];
    for path in &kept {
        disk.place(path, b"mine", 0o644);
    }
    disk.place("/data/mine", b"mine", 0o644);
    disk.place_hard_link(&name("b"), "/data/mine");
    disk.place_link(&name("c"), "mine");
    disk.place_pipe(&name("d"));
    drop(held(&disk, None));
    let left = disk.listing("/data");
    let is_there = |path: &String| left.iter().any(|name| path.ends_with(&format!("/{name}")));
    assert!(!is_there(&name("a")), "{left:?}");
    assert!(kept.iter().all(is_there), "{left:?}");
    assert!([name("b"), name("c"), name("d")].iter().all(is_there), "{left:?}");
}

/// A run that removes left-overs while another one writes takes nothing from it.
#[test]
fn a_file_that_is_being_written_is_no_left_over() {
    let write =
        |disk: &SimulatedDisk| DurableFiles::new(Box::new(disk.clone())).replace(Path::new(STATE), b"new");
    let alone = disk(Some("old"));
    write(&alone).expect("written");
    for step in 1..=alone.steps().len() {
        let disk = disk(Some("old"));
        disk.other_at(step, |disk| {
            let mut files = DurableFiles::new(Box::new(disk.clone()));
            files.replace(Path::new("/data/other"), b"other").expect("written");
        });
        write(&disk).unwrap_or_else(|why| panic!("at step {step}: {why:?}"));
        assert_eq!(
            (text(&disk).as_str(), disk.listing("/data")),
            ("new", vec!["other".into(), "state.json".into()])
        );
    }
}
