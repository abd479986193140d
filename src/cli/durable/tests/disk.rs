//! A simulated disk, which loses everything that POSIX lets a file system lose, and can stop or fail at any
//! operation.
//!
//! Each operation is a **step**. The disk has two contents: `seen` is what processes see, and `kept` what
//! survives a stop. A sync copies `seen` to `kept`. A stop leaves many possible disks
//! ([`SimulatedDisk::after_stop`]). Each directory has any subset of the changes since its last sync, each
//! whole. Each file has the content of its last sync, or a cut of what was written since, or zeros in its
//! length. Permissions are the old or the new ones. A sync that fails loses its data for good, even if a
//! later sync succeeds, as on Linux.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use handles::SimulatedDirectory;

use crate::cli::durable::system::{
    Access, Directory, FileId, FileKind, FileStat, FileSystem, HoldResult, OpenFile, OpenMode, Replace,
};

#[path = "handles.rs"]
mod handles;

/// A fault at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// The machine stops before the step.
    Stop,
    /// The step fails, and does nothing.
    Fails(io::ErrorKind),
    /// Every step from this one on that writes fails, and does nothing.
    FailsFromHere(io::ErrorKind),
    /// The step does its work, and reports a failure.
    FailsAfter,
    /// A write takes one byte.
    Short,
}

/// The operations that a machine skips and reports as done, as if a program had left them out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skips {
    pub file_syncs: bool,
    pub directory_syncs: bool,
    pub locks: bool,
    /// Locks on files with content.
    pub holds: bool,
}

#[derive(Clone, Debug)]
enum DiskNode {
    File(FileNode),
    Directory(DirectoryNode),
    Link(PathBuf),
    Pipe,
}

#[derive(Clone, Debug, Default)]
struct FileNode {
    seen: Vec<u8>,
    kept: Vec<u8>,
    /// The length of `seen` after each write since the last sync.
    cuts: Vec<usize>,
    seen_mode: u32,
    kept_mode: u32,
    /// `true` once a sync failed. From then on nothing more is kept.
    is_lost: bool,
}

#[derive(Clone, Debug, Default)]
struct DirectoryNode {
    seen: BTreeMap<String, usize>,
    kept: BTreeMap<String, usize>,
    changes: Vec<DirectoryChange>,
}

/// A change of a directory, which is on the disk whole or not at all.
#[derive(Clone, Debug)]
enum DirectoryChange {
    Set(String, usize),
    Unset(String),
    Move(String, String, usize),
}

/// The actions of another program at a step.
type Other = Box<dyn FnOnce(&SimulatedDisk)>;

struct Machine {
    nodes: Vec<DiskNode>,
    /// The handle that has the lock of each file.
    locks: BTreeMap<usize, u64>,
    handles: u64,
    steps: Vec<String>,
    fault: Option<(usize, DiskFault)>,
    other: Option<(usize, Other)>,
    forgets: Skips,
    is_stopped: bool,
    now: Duration,
    names: u128,
}

/// The root directory.
const ROOT: usize = 0;
/// The user of all processes of the machine.
const USER: u32 = 1000;
/// The device of every file.
const DEVICE: u64 = 1;

#[derive(Clone)]
pub struct SimulatedDisk(Rc<RefCell<Machine>>);

impl std::fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedDisk")
    }
}

impl SimulatedDisk {
    pub fn new() -> SimulatedDisk {
        SimulatedDisk::of(vec![DiskNode::Directory(DirectoryNode::default())], Skips::default())
    }

    fn of(nodes: Vec<DiskNode>, forgets: Skips) -> SimulatedDisk {
        SimulatedDisk(Rc::new(RefCell::new(Machine {
            nodes,
            locks: BTreeMap::new(),
            handles: 0,
            steps: Vec::new(),
            fault: None,
            other: None,
            forgets,
            is_stopped: false,
            now: Duration::ZERO,
            names: 0,
        })))
    }

    /// Plans a fault at a step, counted from 1.
    pub fn fault_at(&self, step: usize, fault: DiskFault) {
        self.0.borrow_mut().fault = Some((step, fault));
    }

    /// Plans another program to run before a step.
    pub fn other_at(&self, step: usize, other: impl FnOnce(&SimulatedDisk) + 'static) {
        self.0.borrow_mut().other = Some((step, Box::new(other)));
    }

    pub fn forget(&self, forgets: Skips) {
        self.0.borrow_mut().forgets = forgets;
    }

    /// Returns the steps so far, in words.
    pub fn steps(&self) -> Vec<String> {
        self.0.borrow().steps.clone()
    }

    pub fn is_stopped(&self) -> bool {
        self.0.borrow().is_stopped
    }

    pub fn now(&self) -> Duration {
        self.0.borrow().now
    }

    /// Places a file and its directories, durably, without a step.
    pub fn place(&self, path: &str, bytes: &[u8], mode: u32) {
        let file = FileNode {
            seen: bytes.to_vec(),
            kept: bytes.to_vec(),
            seen_mode: mode,
            kept_mode: mode,
            ..FileNode::default()
        };
        self.place_node(path, DiskNode::File(file));
    }

    pub fn place_link(&self, path: &str, to: &str) {
        self.place_node(path, DiskNode::Link(to.into()));
    }

    pub fn place_pipe(&self, path: &str) {
        self.place_node(path, DiskNode::Pipe);
    }

    /// Gives a file a second name.
    pub fn place_hard_link(&self, path: &str, to: &str) {
        let number = self.0.borrow().find(Path::new(to), true).expect("there");
        let (folder, name) = path.rsplit_once('/').expect("absolute");
        let mut machine = self.0.borrow_mut();
        let folder = machine.make_directories(folder);
        machine.set(folder, name, number);
    }

    pub fn place_directory(&self, path: &str) {
        self.0.borrow_mut().make_directories(path);
    }

    fn place_node(&self, path: &str, node: DiskNode) {
        let (folder, name) = path.rsplit_once('/').expect("absolute");
        let mut machine = self.0.borrow_mut();
        let folder = machine.make_directories(folder);
        machine.nodes.push(node);
        let number = machine.nodes.len() - 1;
        machine.set(folder, name, number);
    }

    /// Replaces or removes a file as another program would.
    pub fn meddle(&self, path: &str, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.place(path, bytes, 0o644),
            None => {
                let (folder, name) = path.rsplit_once('/').expect("absolute");
                let mut machine = self.0.borrow_mut();
                let folder = machine.make_directories(folder);
                let DiskNode::Directory(folder) = &mut machine.nodes[folder] else { panic!("no directory") };
                folder.seen.remove(name);
                folder.kept.remove(name);
            }
        }
    }

    /// Returns the content that a process sees at a path, and the permissions, without a step.
    pub fn content(&self, path: &str) -> Option<(Vec<u8>, u32)> {
        let machine = self.0.borrow();
        let number = machine.find(Path::new(path), true).ok()?;
        match &machine.nodes[number] {
            DiskNode::File(file) => Some((file.seen.clone(), file.seen_mode)),
            _ => None,
        }
    }

    /// Returns the names in a directory.
    pub fn listing(&self, path: &str) -> Vec<String> {
        let machine = self.0.borrow();
        let Ok(number) = machine.find(Path::new(path), true) else { return Vec::new() };
        machine.directory(number).map_or_else(|_| Vec::new(), |found| found.seen.keys().cloned().collect())
    }

    /// Returns all files, to compare disks. Leaves out the content of lock files, which does not matter.
    pub fn signature(&self) -> BTreeSet<(String, Vec<u8>, u32)> {
        let machine = self.0.borrow();
        let mut open = vec![(String::new(), ROOT)];
        let mut found = BTreeSet::new();
        while let Some((path, number)) = open.pop() {
            match &machine.nodes[number] {
                DiskNode::File(_) if path.ends_with(".lock") => drop(found.insert((path, Vec::new(), 0))),
                DiskNode::File(file) => drop(found.insert((path, file.seen.clone(), file.seen_mode))),
                DiskNode::Directory(folder) => {
                    open.extend(folder.seen.iter().map(|(name, number)| (format!("{path}/{name}"), *number)));
                }
                DiskNode::Link(_) | DiskNode::Pipe => drop(found.insert((path, Vec::new(), 0))),
            }
        }
        found
    }

    /// Returns every disk that may remain if the machine stops now. Returns `None` if there are more than
    /// [`IMAGES`].
    ///
    /// Files and directories lose data independently of each other, so the disks are the product of
    /// what may remain of each.
    pub fn after_stop(&self) -> Option<Vec<SimulatedDisk>> {
        let machine = self.0.borrow();
        let axes: Vec<Vec<DiskNode>> = machine.nodes.iter().map(DiskNode::after_stop).collect();
        let count = axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.len()))?;
        if count > IMAGES {
            return None;
        }
        let image = |at: usize| {
            let mut rest = at;
            let chosen = axes.iter().map(|axis| {
                let node = axis[rest % axis.len()].clone();
                rest /= axis.len();
                node
            });
            SimulatedDisk::of(chosen.collect(), machine.forgets)
        };
        Some((0..count).map(image).collect())
    }

    /// Returns the disk after all processes were killed: everything seen remains, and no locks.
    pub fn after_kill(&self) -> SimulatedDisk {
        let machine = self.0.borrow();
        SimulatedDisk::of(machine.nodes.clone(), machine.forgets)
    }

    /// Counts a step, and applies the fault that is planned for it. `writes` marks a step that a full or
    /// read-only disk refuses.
    ///
    /// The caller does the work on success, and then reports a failure if the result is `Ok(true)`.
    fn step(&self, what: &str, writes: bool) -> io::Result<bool> {
        let at = self.0.borrow().steps.len() + 1;
        let due = self.0.borrow().other.as_ref().is_some_and(|(step, _)| *step == at);
        let other = if due { self.0.borrow_mut().other.take() } else { None };
        if let Some((_, other)) = other {
            other(self);
        }
        let mut machine = self.0.borrow_mut();
        if machine.is_stopped {
            return Err(io::Error::other("the machine has stopped"));
        }
        machine.steps.push(what.to_owned());
        match machine.fault {
            Some((step, DiskFault::Stop)) if step == at => {
                machine.is_stopped = true;
                Err(io::Error::other("the machine has stopped"))
            }
            Some((step, DiskFault::Fails(kind))) if step == at => Err(kind.into()),
            Some((step, DiskFault::FailsFromHere(kind))) if writes && step <= at => Err(kind.into()),
            Some((step, DiskFault::FailsAfter)) if step == at => Ok(true),
            _ => Ok(false),
        }
    }

    /// Returns `true` if the write at this step takes one byte only.
    fn is_short(&self) -> bool {
        let machine = self.0.borrow();
        machine.fault == Some((machine.steps.len(), DiskFault::Short))
    }
}

/// The most disks that are checked after one stop.
const IMAGES: usize = 20_000;

impl DiskNode {
    /// Returns all that may remain of the node after a stop.
    fn after_stop(&self) -> Vec<DiskNode> {
        match self {
            DiskNode::Link(_) | DiskNode::Pipe => vec![self.clone()],
            DiskNode::File(file) => file.after_stop().into_iter().map(DiskNode::File).collect(),
            DiskNode::Directory(folder) => folder.after_stop().into_iter().map(DiskNode::Directory).collect(),
        }
    }
}

impl FileNode {
    fn after_stop(&self) -> Vec<FileNode> {
        let mut contents = vec![self.kept.clone()];
        if self.seen != self.kept || !self.cuts.is_empty() {
            let cuts = self.cuts.iter().copied().chain([self.seen.len() / 2, self.seen.len()]);
            contents.extend(cuts.map(|cut| self.seen[..cut.min(self.seen.len())].to_vec()));
            contents.push(vec![0; self.seen.len()]);
        }
        contents.sort();
        contents.dedup();
        let mut modes = vec![self.kept_mode, self.seen_mode];
        modes.dedup();
        let of = |content: &Vec<u8>, mode: u32| FileNode {
            seen: content.clone(),
            kept: content.clone(),
            seen_mode: mode,
            kept_mode: mode,
            ..FileNode::default()
        };
        contents.iter().flat_map(|content| modes.iter().map(move |mode| of(content, *mode))).collect()
    }
}

impl DirectoryNode {
    fn after_stop(&self) -> Vec<DirectoryNode> {
        let subset = |chosen: usize| {
            let mut names = self.kept.clone();
            for (at, change) in self.changes.iter().enumerate() {
                if chosen >> at & 1 == 1 {
                    change.make(&mut names);
                }
            }
            names
        };
        let mut all: Vec<BTreeMap<String, usize>> = (0..1 << self.changes.len()).map(subset).collect();
        all.sort();
        all.dedup();
        let of = |names: BTreeMap<String, usize>| DirectoryNode {
            seen: names.clone(),
            kept: names,
            changes: Vec::new(),
        };
        all.into_iter().map(of).collect()
    }

    fn change(&mut self, change: DirectoryChange) {
        change.make(&mut self.seen);
        self.changes.push(change);
    }
}

impl DirectoryChange {
    fn make(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            DirectoryChange::Set(name, number) => drop(names.insert(name.clone(), *number)),
            DirectoryChange::Unset(name) => drop(names.remove(name)),
            DirectoryChange::Move(from, to, number) => {
                names.remove(from);
                names.insert(to.clone(), *number);
            }
        }
    }
}

impl Machine {
    fn set(&mut self, folder: usize, name: &str, number: usize) {
        let DiskNode::Directory(folder) = &mut self.nodes[folder] else { panic!("no directory") };
        folder.seen.insert(name.to_owned(), number);
        folder.kept.insert(name.to_owned(), number);
    }

    fn make_directories(&mut self, path: &str) -> usize {
        let mut at = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let found = self.directory(at).expect("a directory").seen.get(name).copied();
            at = found.unwrap_or_else(|| {
                self.nodes.push(DiskNode::Directory(DirectoryNode::default()));
                let number = self.nodes.len() - 1;
                self.set(at, name, number);
                number
            });
        }
        at
    }

    fn directory(&self, number: usize) -> io::Result<&DirectoryNode> {
        match &self.nodes[number] {
            DiskNode::Directory(folder) => Ok(folder),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn directory_mut(&mut self, number: usize) -> &mut DirectoryNode {
        match &mut self.nodes[number] {
            DiskNode::Directory(folder) => folder,
            _ => panic!("no directory"),
        }
    }

    fn file(&mut self, number: usize) -> &mut FileNode {
        match &mut self.nodes[number] {
            DiskNode::File(file) => file,
            _ => panic!("no file"),
        }
    }

    /// Finds the node at a path.
    fn find(&self, path: &Path, follow: bool) -> io::Result<usize> {
        let mut trail = vec![ROOT];
        let mut parts: Vec<OsString> = Vec::new();
        let push = |parts: &mut Vec<OsString>, path: &Path| {
            let names = path.components().rev().filter(|part| !matches!(part, Component::CurDir));
            parts.extend(names.map(|part| part.as_os_str().to_owned()));
        };
        push(&mut parts, path);
        let mut links = 0;
        while let Some(part) = parts.pop() {
            if part == "/" {
                trail.truncate(1);
                continue;
            }
            if part == ".." {
                trail.truncate((trail.len() - 1).max(1));
                continue;
            }
            let here = self.directory(*trail.last().expect("the root"))?;
            let number = *here.seen.get(&*part.to_string_lossy()).ok_or(io::ErrorKind::NotFound)?;
            match &self.nodes[number] {
                DiskNode::Link(to) if follow || !parts.is_empty() => {
                    links += 1;
                    if links > 40 {
                        return Err(io::Error::other("a circle of links"));
                    }
                    push(&mut parts, to);
                }
                _ => trail.push(number),
            }
        }
        Ok(*trail.last().expect("the root"))
    }

    fn stat(&self, number: usize) -> FileStat {
        let names = |node: &DiskNode| match node {
            DiskNode::Directory(folder) => {
                folder.seen.values().filter(|named| **named == number).count() as u64
            }
            _ => 0,
        };
        let (kind, mode) = match &self.nodes[number] {
            DiskNode::File(file) => (FileKind::File, file.seen_mode),
            DiskNode::Directory(_) => (FileKind::Directory, 0o755),
            DiskNode::Link(_) => (FileKind::Link, 0o777),
            DiskNode::Pipe => (FileKind::Other, 0o644),
        };
        FileStat {
            id: Some(FileId { device: DEVICE, number: number as u64 }),
            kind,
            links: self.nodes.iter().map(names).sum(),
            access: Access { mode, user: USER, group: USER },
        }
    }
}

impl FileSystem for SimulatedDisk {
    fn directory(&self, path: &Path) -> io::Result<Box<dyn Directory>> {
        self.step("open directory", false)?;
        let number = self.0.borrow().find(path, true)?;
        self.0.borrow().directory(number)?;
        Ok(Box::new(SimulatedDirectory { disk: self.clone(), number }))
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        self.step("kind", false)?;
        let machine = self.0.borrow();
        match machine.find(path, true) {
            Ok(number) => Ok(Some(machine.stat(number).kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn stream(&self, _: &Path) -> io::Result<Box<dyn Write>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn own_access(&self) -> Access {
        Access { mode: 0o644, user: USER, group: USER }
    }

    fn random(&self) -> io::Result<u128> {
        let mut machine = self.0.borrow_mut();
        machine.names += 1;
        Ok(machine.names)
    }

    fn elapsed(&self) -> Duration {
        self.now()
    }

    fn pause(&self, time: Duration) {
        self.0.borrow_mut().now += time;
    }

    fn process(&self) -> String {
        "process 1 on simulated".to_owned()
    }
}
