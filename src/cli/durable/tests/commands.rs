//! Whole commands on the simulated disk: `apply`, and `test --accept`. Policies are read from the system's
//! files.

use std::{cell::RefCell, fs, path::Path, rc::Rc};

use clap::Parser;
use tempfile::TempDir;

use super::{
    crash::{OutputStream, RunOutcome, Tally, Trial},
    disk::{SimulatedDisk, Skips},
};
use crate::cli::{
    Cli, Exit, complete,
    durable::DurableFiles,
    files::{Console, OutputSink},
};

const POLICY: &str = "agent a1 { resources { cpus = 8 } }\n";
const STATE: &str = "/data/state.json";

/// The result of a command: its exit code, standard output, and standard error.
pub struct CommandResult {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Runs a command over a disk.
pub fn run(disk: &SimulatedDisk, args: &[&str]) -> CommandResult {
    let heard = || OutputStream { disk: disk.clone(), bytes: Rc::new(RefCell::new(Vec::new())) };
    let (out, err) = (heard(), heard());
    let cli = Cli::try_parse_from([&["bourse"], args].concat()).expect("usage");
    let files = DurableFiles::new(Box::new(disk.clone()));
    let mut console = Console::over(
        &cli.global,
        files,
        OutputSink(Box::new(out.clone())),
        OutputSink(Box::new(err.clone())),
    );
    let exit = complete(cli.command, &mut console);
    drop(console);
    let text = |heard: OutputStream| String::from_utf8(heard.bytes.take()).expect("UTF-8");
    CommandResult { exit, out: text(out), err: text(err) }
}

/// A policy and operations, in the system's files.
pub struct Inputs {
    folder: TempDir,
}

impl Inputs {
    pub fn new() -> Inputs {
        let inputs = Inputs { folder: TempDir::new().expect("a scratch folder") };
        inputs.write("p.policy", POLICY);
        for name in ["one", "two"] {
            let text = format!(
                r#"{{"format": "bourse.operations", "version": 1, "operations": [
                {{"op": "reserve", "name": "{name}", "role": "db", "agent": "a1", "resources": {{"cpus": 1}}}}]}}"#
            );
            inputs.write(name, &text);
        }
        inputs
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("writable");
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("text").to_owned()
    }

    /// Applies operations to a state.
    pub fn apply(&self, disk: &SimulatedDisk, operations: &str, state: &str, more: &[&str]) -> CommandResult {
        let (policy, operations) = (self.path("p.policy"), self.path(operations));
        let args = ["apply", &policy, &operations, "--state", state];
        run(disk, &[&args, more].concat())
    }
}

/// The state that the operations result in.
pub fn state(names: &[&str], serial: u64) -> String {
    let reservation = |name: &&str| {
        format!(r#"{{"name": "{name}", "role": "db", "agent": "a1", "resources": {{"cpus": "1"}}}}"#)
    };
    let list: Vec<String> = names.iter().map(reservation).collect();
    let list = if list.is_empty() { "[]".to_owned() } else { format!("[{}]", list.join(",")) };
    format!(r#"{{"format": "bourse.inventory", "version": 1, "serial": {serial}, "reservations": {list}}}"#)
}

/// Tries everything on an `apply` that begins with this state.
fn applied(before: Option<&str>, mode: u32, more: &[&str], forgets: Skips) -> Result<Tally, String> {
    let inputs = Inputs::new();
    let disk = || {
        let disk = SimulatedDisk::new();
        disk.place_directory("/data");
        if let Some(before) = before {
            disk.place(STATE, before.as_bytes(), mode);
        }
        disk.place_link("/data/link.json", "state.json");
        disk.forget(forgets);
        disk
    };
    let new = {
        let disk = disk();
        let ran = inputs.apply(&disk, "one", STATE, more);
        assert_eq!(ran.exit, Exit::Yes, "{}", ran.err);
        disk.content(STATE).expect("written").0
    };
    let run = |disk: &SimulatedDisk| {
        let ran = inputs.apply(disk, "one", "/data/link.json", more);
        let is_reported = ran.out.contains("`/data/link.json` is at serial ");
        // A machine that has stopped reports nothing.
        assert!(disk.is_stopped() || is_reported == (ran.exit == Exit::Yes), "{}{}", ran.out, ran.err);
        RunOutcome { is_reported, output: ran.out + &ran.err }
    };
    let old = before.map(str::as_bytes);
    Trial { disk: &disk, run: &run, path: STATE, old, new: Some(&new), mode, is_final: true }.check()
}

#[test]
fn a_state_is_old_or_new_whatever_happens_to_apply() {
    let tally = applied(Some(&state(&[], 3)), 0o640, &[], Skips::default());
    let tally = tally.unwrap_or_else(|why| panic!("{why}"));
    assert!(tally.steps > 20 && tally.disks > 1_000, "{tally:?}");
}

#[test]
fn a_first_state_is_there_or_not_whatever_happens_to_apply() {
    let tally = applied(None, 0o644, &["--init"], Skips::default());
    let tally = tally.unwrap_or_else(|why| panic!("{why}"));
    assert!(tally.steps > 20 && tally.disks > 1_000, "{tally:?}");
}

#[test]
fn an_apply_that_forgets_a_sync_is_found() {
    for forgets in
        [Skips { file_syncs: true, ..Skips::default() }, Skips { directory_syncs: true, ..Skips::default() }]
    {
        for (before, more) in [(Some(state(&[], 3)), &[][..]), (None, &["--init"])] {
            let why = applied(before.as_deref(), 0o644, more, forgets).map(|tally| format!("{tally:?}"));
            let why = why.expect_err("nothing is found");
            assert!(why.contains("what was told is not there"), "{why}");
        }
    }
}

/// Tries everything on a `test --accept`. `before` is the content of the folder of snapshots.
fn accepted(policy: &str, before: &[(&str, &str)], name: &str, new: Option<&str>, report: &str) -> Tally {
    let inputs = Inputs::new();
    inputs.write("p.policy", policy);
    let at = |name: &str| inputs.path(&format!("snapshots/{name}"));
    let disk = || {
        let disk = SimulatedDisk::new();
        disk.place_directory(inputs.folder.path().to_str().expect("text"));
        for (name, text) in before {
            disk.place(&at(name), text.as_bytes(), 0o644);
        }
        disk
    };
    let run = |disk: &SimulatedDisk| {
        let ran = run(disk, &["test", &inputs.path("p.policy"), "--accept"]);
        RunOutcome { is_reported: ran.err.contains(report), output: ran.out + &ran.err }
    };
    let path = at(name);
    let old = before.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_bytes());
    let new = new.map(str::as_bytes);
    // Another run does not accept a snapshot that is right already, so it makes nothing durable.
    Trial { disk: &disk, run: &run, path: &path, old, new, mode: 0o644, is_final: false }
        .check()
        .unwrap_or_else(|why| panic!("{why}"))
}

const TESTED: &str =
    "agent a { resources { cpus = 4 } }\nneed n { agent { cpus = 3 } }\ntest \"T\" { expect snapshot }\n";
const SNAPSHOT: &str = "p__t.snap";

/// Returns the snapshot of a policy.
fn snapshot(policy: &str) -> String {
    let folder = TempDir::new().expect("a scratch folder");
    let path = folder.path().join("p.policy");
    fs::write(&path, policy).expect("writable");
    let disk = SimulatedDisk::new();
    disk.place_directory(folder.path().to_str().expect("text"));
    assert_eq!(run(&disk, &["test", path.to_str().expect("text"), "--accept"]).exit, Exit::Yes);
    let path = Path::new(path.parent().expect("a folder")).join("snapshots").join(SNAPSHOT);
    String::from_utf8(disk.content(path.to_str().expect("text")).expect("accepted").0).expect("text")
}

#[test]
fn a_first_snapshot_is_there_or_not_whatever_happens() {
    let new = snapshot(TESTED);
    let tally = accepted(TESTED, &[], SNAPSHOT, Some(&new), "accepted ");
    assert!(tally.steps > 10 && tally.disks > 500, "{tally:?}");
}

#[test]
fn a_changed_snapshot_is_old_or_new_whatever_happens() {
    let new = snapshot(TESTED);
    let old = snapshot(&TESTED.replace("cpus = 3", "cpus = 2"));
    let pending = format!("{SNAPSHOT}.new");
    let before = [(SNAPSHOT, old.as_str()), (&*pending, new.as_str())];
    let tally = accepted(TESTED, &before, SNAPSHOT, Some(&new), "accepted ");
    assert!(tally.steps > 10 && tally.disks > 500, "{tally:?}");
}

#[test]
fn a_snapshot_without_its_test_is_there_or_not_whatever_happens() {
    let kept = snapshot(TESTED);
    let orphan = kept.replace("test \"T\"", "test \"Gone\"");
    let before = [(SNAPSHOT, kept.as_str()), ("p__gone.snap", orphan.as_str())];
    accepted(TESTED, &before, "p__gone.snap", None, "removed ");
}
