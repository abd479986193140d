//! Wrong ways of writing a file. The exhaustive test of crashes must find the fault in each of them.

use std::{io, io::Write, path::Path};

use super::{
    NEW, OLD, PATH,
    crash::{RunOutcome, Trial},
    disk::{SimulatedDisk, Skips},
    old_disk, replace,
};
use crate::cli::durable::system::{Access, Directory, FileSystem, OpenFile, OpenMode, Replace};

/// Returns the first promise that a way of writing breaks.
fn broken(disk: &dyn Fn() -> SimulatedDisk, run: &dyn Fn(&SimulatedDisk) -> RunOutcome) -> String {
    let trial = Trial { disk, run, path: PATH, old: Some(OLD), new: Some(NEW), mode: 0o640, is_final: true };
    trial.check().map_or_else(|why| why, |tally| panic!("nothing is found: {tally:?}"))
}

fn forgetting(forgets: Skips) -> impl Fn() -> SimulatedDisk {
    move || {
        let disk = old_disk();
        disk.forget(forgets);
        disk
    }
}

#[test]
fn content_that_is_not_synced_is_found() {
    let why = broken(&forgetting(Skips { file_syncs: true, ..Skips::default() }), &replace);
    assert!(why.contains("after a stop, what was told is not there"), "{why}");
}

#[test]
fn a_directory_that_is_not_synced_is_found() {
    let why = broken(&forgetting(Skips { directory_syncs: true, ..Skips::default() }), &replace);
    assert!(why.contains("after a stop, what was told is not there"), "{why}");
}

/// A way of writing, step by step. The second argument reports that the new content is there.
type Steps = fn(&dyn Directory, &mut dyn FnMut()) -> io::Result<()>;

/// Runs the steps of a way of writing. A report counts from the moment at which it is made.
fn by_hand(steps: Steps) -> String {
    let run = |disk: &SimulatedDisk| {
        let mut is_reported = false;
        let mut report = || is_reported |= !disk.is_stopped();
        let result = disk.directory(Path::new("/d")).and_then(|directory| {
            let _ = directory.remove("new".as_ref());
            steps(&*directory, &mut report)
        });
        let is_new = disk.content(PATH).is_some_and(|(bytes, _)| bytes == NEW);
        let warned = if is_new { "if the machine stops" } else { "not written" };
        let output = if result.is_ok() { String::new() } else { warned.to_owned() };
        RunOutcome { is_reported, output }
    };
    broken(&old_disk, &run)
}

fn new_file(directory: &dyn Directory) -> io::Result<Box<dyn OpenFile>> {
    directory.open("new".as_ref(), OpenMode::NewPrivate)
}

fn rename(directory: &dyn Directory) -> io::Result<()> {
    directory.rename("new".as_ref(), "file".as_ref(), Replace::Any)
}

const ACCESS: Access = Access { mode: 0o640, user: 1000, group: 1000 };

#[test]
fn a_rename_before_the_content_is_found() {
    let why = by_hand(|directory, report| {
        let mut file = new_file(directory)?;
        file.set_access(ACCESS)?;
        rename(directory)?;
        file.write_all(NEW)?;
        file.sync()?;
        directory.sync()?;
        report();
        Ok(())
    });
    assert!(why.contains("neither old nor new"), "{why}");
}

#[test]
fn a_report_before_the_sync_is_found() {
    let why = by_hand(|directory, report| {
        let mut file = new_file(directory)?;
        file.write_all(NEW)?;
        file.set_access(ACCESS)?;
        file.sync()?;
        rename(directory)?;
        report();
        directory.sync()
    });
    assert!(why.contains("what was told is not there"), "{why}");
}

#[test]
fn permissions_after_the_sync_are_found() {
    let why = by_hand(|directory, report| {
        let mut file = new_file(directory)?;
        file.write_all(NEW)?;
        file.sync()?;
        file.set_access(ACCESS)?;
        rename(directory)?;
        directory.sync()?;
        report();
        Ok(())
    });
    assert!(why.contains("its permissions are 600"), "{why}");
}

/// Linux takes what a failed sync was to write for written.
#[test]
fn a_failed_sync_that_is_tried_again_is_found() {
    let why = by_hand(|directory, report| {
        let mut file = new_file(directory)?;
        file.write_all(NEW)?;
        file.set_access(ACCESS)?;
        if file.sync().is_err() {
            file.sync()?;
        }
        rename(directory)?;
        directory.sync()?;
        report();
        Ok(())
    });
    assert!(why.contains("sync file") && why.contains("what was told is not there"), "{why}");
}

#[test]
fn a_write_that_is_taken_for_whole_is_found() {
    let why = by_hand(|directory, report| {
        let mut file = new_file(directory)?;
        let _ = file.write(NEW)?;
        file.set_access(ACCESS)?;
        file.sync()?;
        rename(directory)?;
        directory.sync()?;
        report();
        Ok(())
    });
    assert!(why.contains("Short at step"), "{why}");
}

#[test]
fn a_file_written_in_its_place_is_found() {
    let why = by_hand(|directory, report| {
        let mut file = directory.open("file".as_ref(), OpenMode::Write)?;
        file.clear()?;
        file.write_all(NEW)?;
        file.sync()?;
        report();
        Ok(())
    });
    assert!(why.contains("neither old nor new"), "{why}");
}

#[test]
fn a_left_over_that_nobody_removes_is_found() {
    let why = by_hand(|directory, report| {
        let mut file = directory.open(".bourse-new".as_ref(), OpenMode::NewPrivate)?;
        file.write_all(NEW)?;
        file.set_access(ACCESS)?;
        file.sync()?;
        directory.rename(".bourse-new".as_ref(), "file".as_ref(), Replace::Any)?;
        directory.sync()?;
        report();
        Ok(())
    });
    assert!(why.contains("a new run"), "{why}");
}
