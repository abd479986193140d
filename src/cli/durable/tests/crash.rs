//! Exhaustive tests of crashes: stops, kills or fails a run at each of its steps, and checks everything that
//! may be left.
//!
//! A run is deterministic, so its steps can be counted once and then failed one by one. After a stop every
//! disk that POSIX allows is checked, and another run must recover on each that differs from those seen.

use std::{cell::RefCell, collections::BTreeSet, io, rc::Rc};

use super::disk::{DiskFault, SimulatedDisk};

/// The report of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// `true` if it reported that the new content is there.
    pub is_reported: bool,
    /// All of its output.
    pub output: String,
}

/// A run that replaces a file, and the content before and after.
pub struct Trial<'a> {
    pub disk: &'a dyn Fn() -> SimulatedDisk,
    pub run: &'a dyn Fn(&SimulatedDisk) -> RunOutcome,
    pub path: &'a str,
    pub old: Option<&'a [u8]>,
    pub new: Option<&'a [u8]>,
    /// The permissions of the file, before and after.
    pub mode: u32,
    /// `true` if another run makes the file durable, also if it reports only that there is nothing to do.
    pub is_final: bool,
}

/// The number of cases that were tried.
#[derive(Debug, Default)]
pub struct Tally {
    pub steps: usize,
    pub faults: usize,
    pub disks: usize,
    pub recoveries: usize,
}

const ERRORS: [io::ErrorKind; 5] = [
    io::ErrorKind::StorageFull,
    io::ErrorKind::QuotaExceeded,
    io::ErrorKind::ReadOnlyFilesystem,
    io::ErrorKind::Other,
    io::ErrorKind::Interrupted,
];

impl Trial<'_> {
    /// Tries every fault at every step, and every disk that a stop may leave.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn check(&self) -> Result<Tally, String> {
        let disk = (self.disk)();
        let outcome = (self.run)(&disk);
        let mut tally = Tally { steps: disk.steps().len(), ..Tally::default() };
        let mut known = BTreeSet::new();
        if !outcome.is_reported {
            return Err(format!("without a fault it fails: {outcome:?}"));
        }
        self.stopped(&disk, &outcome, &mut tally, &mut known).map_err(|why| format!("at the end: {why}"))?;
        let mut faults = vec![DiskFault::Stop, DiskFault::Short, DiskFault::FailsAfter];
        faults.extend(ERRORS.map(DiskFault::Fails));
        faults.extend(ERRORS.map(DiskFault::FailsFromHere).iter().take(4));
        for step in 1..=tally.steps {
            for fault in &faults {
                let disk = (self.disk)();
                disk.fault_at(step, *fault);
                let outcome = (self.run)(&disk);
                tally.faults += 1;
                self.left(&disk, *fault, &outcome)
                    .and_then(|()| self.stopped(&disk, &outcome, &mut tally, &mut known))
                    .and_then(|()| self.recovers(&disk.after_kill(), &mut tally))
                    .map_err(|why| {
                        let done = disk.steps();
                        let what = done.get(step - 1).map_or("", String::as_str);
                        format!("{fault:?} at step {step} ({what}): {why}; it told {:?}", outcome.output)
                    })?;
            }
        }
        Ok(tally)
    }

    /// Checks that the file is whole, and that it is the new one if the run reported so.
    fn whole(&self, disk: &SimulatedDisk, outcome: &RunOutcome) -> Result<(), String> {
        let found = disk.content(self.path);
        let bytes = found.as_ref().map(|(bytes, _)| bytes.as_slice());
        if outcome.is_reported && bytes != self.new {
            return Err(format!("what was told is not there: {:?}", bytes.map(String::from_utf8_lossy)));
        }
        if bytes != self.new && bytes != self.old {
            return Err(format!("neither old nor new: {:?}", bytes.map(String::from_utf8_lossy)));
        }
        match found {
            Some((_, mode)) if mode != self.mode => Err(format!("its permissions are {mode:o}")),
            _ => Ok(()),
        }
    }

    /// Checks a run after a fault without a stop: it reports an error, which says if the new file is there.
    fn left(&self, disk: &SimulatedDisk, fault: DiskFault, outcome: &RunOutcome) -> Result<(), String> {
        self.whole(disk, outcome)?;
        if fault == DiskFault::Stop || outcome.is_reported {
            return Ok(());
        }
        let found = disk.content(self.path);
        let is_old = found.as_ref().map(|(bytes, _)| bytes.as_slice()) == self.old;
        if outcome.output.is_empty() {
            return Err("nothing is told".to_owned());
        }
        let is_warned = outcome.output.contains("if the machine stops");
        if is_old == is_warned {
            return Err(format!("the old file is there: {is_old}; it is told: {}", !is_warned));
        }
        Ok(())
    }

    /// Checks every disk that a stop may leave: the file is whole, and another run completes the change.
    fn stopped(
        &self,
        disk: &SimulatedDisk,
        outcome: &RunOutcome,
        tally: &mut Tally,
        known: &mut BTreeSet<BTreeSet<(String, Vec<u8>, u32)>>,
    ) -> Result<(), String> {
        for image in disk.after_stop().ok_or("too many disks")? {
            tally.disks += 1;
            self.whole(&image, outcome).map_err(|why| format!("after a stop, {why}"))?;
            if known.insert(image.signature()) {
                self.recovers(&image, tally).map_err(|why| format!("after a stop and a new run, {why}"))?;
            }
        }
        Ok(())
    }

    /// Checks that another run makes the new file, durably, and removes left-overs.
    fn recovers(&self, disk: &SimulatedDisk, tally: &mut Tally) -> Result<(), String> {
        tally.recoveries += 1;
        let RunOutcome { is_reported, output } = (self.run)(disk);
        let mut done = RunOutcome { is_reported: true, output };
        self.whole(disk, &done).map_err(|why| format!("{why}; the new run told {:?}", done.output))?;
        done.is_reported = is_reported || self.is_final;
        for image in disk.after_stop().ok_or("too many disks")? {
            self.whole(&image, &done).map_err(|why| format!("after another stop, {why}"))?;
        }
        let (folder, _) = self.path.rsplit_once('/').expect("absolute");
        let over: Vec<String> =
            disk.listing(folder).into_iter().filter(|name| name.starts_with(".bourse-")).collect();
        if over.is_empty() { Ok(()) } else { Err(format!("left over: {over:?}")) }
    }
}

/// A stream that collects the output of a run, until its machine stops.
#[derive(Clone)]
pub struct OutputStream {
    pub disk: SimulatedDisk,
    pub bytes: Rc<RefCell<Vec<u8>>>,
}

impl io::Write for OutputStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.disk.is_stopped() {
            self.bytes.borrow_mut().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
