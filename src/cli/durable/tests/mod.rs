//! Tests of durable files and held states, on a simulated disk that does the worst it may, and on the
//! system's files.
//!
//! `disk` is the simulated disk, and `crash` tries every fault at every step on it. `planted` makes mistakes
//! on purpose, which `crash` must find. `commands` and `holding` run whole commands. See
//! `docs/decisions/0021-a-simulated-disk.md`.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

mod commands;
mod crash;
mod disk;
mod holding;
mod native;
mod planted;

use std::path::Path;

use super::DurableFiles;
use crash::{RunOutcome, Trial};
use disk::SimulatedDisk;

const OLD: &[u8] = b"the old content";
const NEW: &[u8] = b"the new content, which is longer";
const PATH: &str = "/d/file";

/// Makes a disk with the old file.
fn old_disk() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.place(PATH, OLD, 0o640);
    disk
}

/// The outcome of replacing a file.
fn outcome(written: Result<(), super::WriteError>) -> RunOutcome {
    let output =
        written.as_ref().err().map(|error| super::problems::unwritten(Path::new(PATH), error).message);
    RunOutcome { is_reported: written.is_ok(), output: output.unwrap_or_default() }
}

fn replace(disk: &SimulatedDisk) -> RunOutcome {
    outcome(DurableFiles::new(Box::new(disk.clone())).replace(Path::new(PATH), NEW))
}

#[test]
fn a_file_is_old_or_new_whatever_happens() {
    let (old, new) = (Some(OLD), Some(NEW));
    Trial { disk: &old_disk, run: &replace, path: PATH, old, new, mode: 0o640, is_final: true }
        .check()
        .unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn a_new_file_in_a_new_directory_is_there_or_not() {
    let empty = || {
        let disk = SimulatedDisk::new();
        disk.place_directory("/d");
        disk
    };
    let path = "/d/e/file";
    let run =
        |disk: &SimulatedDisk| outcome(DurableFiles::new(Box::new(disk.clone())).put(Path::new(path), NEW));
    Trial { disk: &empty, run: &run, path, old: None, new: Some(NEW), mode: 0o644, is_final: true }
        .check()
        .unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn a_removed_file_is_there_or_not() {
    let run = |disk: &SimulatedDisk| {
        let was_there = disk.content(PATH).is_some();
        let mut outcome = outcome(DurableFiles::new(Box::new(disk.clone())).remove(Path::new(PATH)));
        outcome.is_reported &= was_there;
        outcome
    };
    Trial { disk: &old_disk, run: &run, path: PATH, old: Some(OLD), new: None, mode: 0o640, is_final: false }
        .check()
        .unwrap_or_else(|why| panic!("{why}"));
}
