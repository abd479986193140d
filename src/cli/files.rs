//! The console: all access of a command to files and the terminal.
//!
//! Every input is read up to a limit, and a read that fails becomes a diagnostic. Results go to standard
//! output, problems to standard error. With `--error-format json` standard error holds one object and nothing
//! else, so remarks, questions and progress are left out.

use std::{
    fs::File,
    io::{self, BufRead, BufWriter, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};

use super::{
    Colour, CommandFailure, ErrorFormat, GlobalArgs,
    durable::{self, DurableFiles, HoldError, StateFile, WaitPolicy, problems},
    folder::{FoundPolicies, below, is_policy},
    set::shown,
};
use crate::{
    Inventory,
    diagnostic::{Code, Diagnostic, Render, Report, Severity},
    limits,
    pipeline::normal_path,
    state::{Operations, State},
};

/// The name of standard input in messages.
pub const STDIN: &str = "<stdin>";

/// The terminal and the files of a run, and the problems that it reports at its end.
#[derive(Debug)]
pub struct Console {
    /// The problems so far.
    pub problems: Report,
    /// `true` if notes are reported too, as in commands whose result is the problems.
    pub report_notes: bool,
    /// `true` if the result of the run has reported the problems to people already.
    pub has_reported: bool,
    /// The framework that the run is for, if it is for one. It is told of its own problems alone.
    pub reader: Option<super::problems::FrameworkFilter>,
    /// `true` if results are coloured.
    pub colour: bool,
    errors: ErrorFormat,
    colour_errors: bool,
    stdin_read: bool,
    /// The files that commands write, and read in order to write them anew.
    pub files: DurableFiles,
    out: BufWriter<OutputSink>,
    err: OutputSink,
    /// `true` once the reader of standard output has gone.
    closed: bool,
}

/// A stream that a run writes to: of the process, or of a test.
pub struct OutputSink(pub Box<dyn Write>);

impl std::fmt::Debug for OutputSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}

impl Write for OutputSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Console {
    pub(super) fn new(global: &GlobalArgs) -> Console {
        let (out, err) = (OutputSink(Box::new(io::stdout())), OutputSink(Box::new(io::stderr())));
        Console::over(global, DurableFiles::new(durable::native()), out, err)
    }

    /// Creates a console over given files and streams, instead of those of the process.
    pub fn over(global: &GlobalArgs, files: DurableFiles, out: OutputSink, err: OutputSink) -> Console {
        let colour = |auto: ColorChoice| match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => auto != ColorChoice::Never,
        };
        Console {
            problems: Report::default(),
            report_notes: false,
            has_reported: false,
            reader: None,
            colour: colour(AutoStream::choice(&io::stdout())),
            errors: global.error_format,
            colour_errors: colour(AutoStream::choice(&io::stderr())),
            stdin_read: false,
            files,
            out: BufWriter::with_capacity(1 << 16, out),
            err,
            closed: false,
        }
    }

    /// Writes a result.
    pub fn print(&mut self, text: &str) -> Result<(), CommandFailure> {
        self.write(|out| out.write_all(text.as_bytes()))
    }

    /// Writes a result in pieces. A closed pipe is no problem: its reader has seen enough.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CommandFailure> {
        if self.closed {
            return Ok(());
        }
        let result = write(&mut self.out);
        self.written(result)
    }

    /// Flushes the results.
    pub fn finish(&mut self) -> Result<(), CommandFailure> {
        self.write(|out| out.flush())
    }

    fn written(&mut self, result: io::Result<()>) -> Result<(), CommandFailure> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(problems::unwritten_to("the standard output", &error).into()),
        }
    }

    /// Returns `true` if standard error is for programs: it then holds one object and nothing else.
    fn is_quiet(&self) -> bool {
        self.errors == ErrorFormat::Json
    }

    /// Reports the problems of the run on standard error. The form for programs is one object, also if there
    /// are none.
    pub fn report_problems(&mut self) {
        if self.has_reported && !self.is_quiet() {
            return;
        }
        let mut report = std::mem::take(&mut self.problems);
        if let Some(reader) = &self.reader {
            report = reader.restrict(report);
        }
        if !self.report_notes && !report.has_errors() {
            report.diagnostics.retain(|problem| problem.severity != Severity::Note);
        }
        let text = match self.errors {
            ErrorFormat::Human => report.render(Render::Human(self.colour_errors)),
            ErrorFormat::Json => report.render(Render::Json) + "\n",
        };
        // A closed standard error leaves no way to report anything.
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Reports problems while the run goes on. For programs they are kept for the one object at its end.
    pub fn report(&mut self, report: Report) -> Result<(), CommandFailure> {
        self.finish()?;
        if self.is_quiet() {
            self.problems.absorb(report);
        } else {
            let _ = self.err.write_all(report.render(Render::Human(self.colour_errors)).as_bytes());
        }
        Ok(())
    }

    /// Keeps a problem to report at the end, as a warning.
    pub fn warn(&mut self, mut problem: Diagnostic) {
        problem.severity = Severity::Warning;
        self.problems.diagnostics.push(problem);
    }

    /// Prepares for another run of the same command.
    pub fn reset(&mut self) {
        self.problems = Report::default();
        self.stdin_read = false;
    }

    /// Checks that there is a terminal to ask questions on.
    pub fn require_terminal(&self) -> Result<(), CommandFailure> {
        if io::stdin().is_terminal() && io::stdout().is_terminal() && !self.is_quiet() {
            return Ok(());
        }
        let message = "`--review` asks, and there is no terminal to ask on";
        let help = "run it on a terminal, or accept every snapshot with `--accept`";
        Err(Diagnostic::without_place(Code::B0706, message).help(help).into())
    }

    /// Asks a question, and returns the line that answers it. Returns `None` at the end of input.
    pub fn ask(&mut self, question: &str) -> Result<Option<String>, CommandFailure> {
        self.print(question)?;
        self.finish()?;
        let mut line = String::new();
        let read = io::stdin().lock().take(ANSWER_BYTES).read_line(&mut line);
        match read {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line)),
            Err(error) => {
                let message = format!("cannot read the answer: {}", problems::words(&error));
                Err(Diagnostic::without_place(Code::B0901, message).help("answer with a letter").into())
            }
        }
    }

    /// Writes a line on standard error, for people only.
    pub fn note_line(&mut self, line: &str) {
        if !self.is_quiet() {
            let _ = writeln!(self.err, "{line}");
        }
    }

    /// Shows a progress bar on standard error for long work. It is hidden if that is no terminal.
    pub fn progress(&self, total: usize, what: &'static str) -> indicatif::ProgressBar {
        if self.is_quiet() || !io::stderr().is_terminal() || total < SHORT_WORK {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new(total as u64);
        let style = indicatif::ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }

    /// Reads the policies at some paths, with those below folders. Adds what cannot be read to `problems`.
    pub fn policies(&mut self, paths: &[PathBuf], problems: &mut Vec<Diagnostic>) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut known: indexmap::IndexSet<PathBuf> = indexmap::IndexSet::new();
        for path in paths {
            let found = if is_stdin(path) || !path.is_dir() {
                FoundPolicies { policies: vec![path.clone()], problems: Vec::new() }
            } else {
                below(path)
            };
            problems.extend(found.problems);
            for path in found.policies {
                let name = if is_stdin(&path) { STDIN.to_owned() } else { name_of(&path) };
                if let Some(help) = other_use(&path) {
                    let message = format!("`{name}` is no policy");
                    problems.push(Diagnostic::without_place(Code::B0902, message).help(help));
                    continue;
                }
                // A file is read once, however many names and links lead to it. One file beyond the limit is
                // read: it makes the parser report that there are too many.
                let file = std::fs::canonicalize(&path).unwrap_or_else(|_| normal_path(&name).into());
                if files.len() > limits::SOURCES || !known.insert(file) {
                    continue;
                }
                match self.read(&path, limits::SOURCE_BYTES, Code::B0106) {
                    Ok(bytes) => files.push((name, bytes)),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        files
    }

    /// Reads a policy that another one uses. Returns `None` if there is no file of this name.
    pub fn used_policy(&mut self, name: &str, problems: &mut Vec<Diagnostic>) -> Option<Vec<u8>> {
        let path = Path::new(name);
        if !is_policy(path) || !path.is_file() {
            return None;
        }
        match self.read(path, limits::SOURCE_BYTES, Code::B0106) {
            Ok(bytes) => Some(bytes),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }

    /// Reads an inventory.
    pub fn inventory(&mut self, path: &Path) -> Result<Inventory, CommandFailure> {
        let bytes = self.read(path, limits::INVENTORY_BYTES, Code::B0514)?;
        let name = if is_stdin(path) { STDIN.to_owned() } else { name_of(path) };
        let read = match std::str::from_utf8(&bytes) {
            Ok(text) if !has_known_ending(path) && is_ndjson(text) => Inventory::from_ndjson(&name, text),
            _ => Inventory::from_bytes(&name, &bytes),
        };
        Ok(read?)
    }

    /// Reads operations on a state.
    pub fn operations(&mut self, path: &Path) -> Result<Operations, CommandFailure> {
        let bytes = self.read(path, limits::INVENTORY_BYTES, Code::B0514)?;
        let name = if is_stdin(path) { STDIN.to_owned() } else { name_of(path) };
        Ok(Operations::from_json(&name, &bytes)?)
    }

    /// Reads a state without holding it. With `begin`, a missing file is an empty state.
    pub fn state(&mut self, path: &Path, begin: bool) -> Result<State, CommandFailure> {
        if begin && !path.exists() {
            return Ok(State::default());
        }
        let bytes = self.read(path, limits::INVENTORY_BYTES, Code::B0514).map_err(|problem| {
            let missing = !path.exists() && problem.code == Code::B0901;
            if missing { problem.help(problems::BEGIN) } else { problem }
        })?;
        read_state(path, &bytes)
    }

    /// Waits until no other run holds a state file, and reads it. The file is held until the returned
    /// [`StateFile`] is dropped. With `begin`, a missing file is an empty state.
    pub fn hold_state(
        &mut self,
        path: &Path,
        begin: bool,
        wait: Option<Duration>,
    ) -> Result<(State, StateFile), CommandFailure> {
        if is_stdin(path) {
            return Err(problems::unheld(path, &HoldError::NoFile).into());
        }
        let (quiet, name) = (self.is_quiet(), shown(path));
        let err = &mut self.err;
        let mut tell = |holder: Option<String>| {
            if !quiet {
                let _ = writeln!(
                    err,
                    "waiting for `{name}`, which {} holds",
                    problems::holder(holder.as_deref())
                );
            }
        };
        let mut wait_policy = WaitPolicy::new(wait, &mut tell);
        let held = self.files.hold(path, begin, limits::INVENTORY_BYTES, &mut wait_policy);
        let held = held.map_err(|error| problems::unheld(path, &error))?;
        let state = held.bytes().map_or_else(|| Ok(State::default()), |bytes| read_state(path, bytes))?;
        Ok((state, held))
    }

    /// Writes a state, unless the file has changed since it was read.
    pub fn store_state(
        &mut self,
        path: &Path,
        held: &StateFile,
        state: &State,
    ) -> Result<(), CommandFailure> {
        let stored = self.files.store(held, state.to_json().as_bytes());
        Ok(stored.map_err(|error| problems::unstored(path, &error))?)
    }

    /// Reads a table to import, and returns its name as well.
    pub fn table(&mut self, path: &Path) -> Result<(String, Vec<u8>), CommandFailure> {
        let bytes = self.read(path, limits::INVENTORY_BYTES, Code::B0514)?;
        Ok((if is_stdin(path) { STDIN.to_owned() } else { name_of(path) }, bytes))
    }

    /// Reads a plugin or a compiled policy.
    pub fn built(&mut self, path: &Path) -> Result<Vec<u8>, CommandFailure> {
        Ok(self.read(path, limits::BUILT_BYTES, Code::B0812).map_err(|problem| {
            let large = problem.code == Code::B0812;
            if large { problem.help("no plugin is as large") } else { problem }
        })?)
    }

    /// Reads a file, or standard input, up to a limit. A file whose stated size is too large is not read at
    /// all.
    fn read(&mut self, path: &Path, limit: usize, too_large: Code) -> Result<Vec<u8>, Diagnostic> {
        let name = if is_stdin(path) { "standard input".to_owned() } else { format!("`{}`", shown(path)) };
        let large = || {
            let message = format!("{name} is larger than {}", problems::size(limit));
            Diagnostic::without_place(too_large, message).help("split it")
        };
        let unread = |error: &io::Error| {
            let message = format!("cannot read {name}: {}", problems::words(error));
            Diagnostic::without_place(Code::B0901, message).help(match error.kind() {
                io::ErrorKind::NotFound => "check the path; it is relative to the current directory",
                io::ErrorKind::IsADirectory => "name a file in it",
                _ => "check that it is a file you may read",
            })
        };
        let mut bytes = Vec::new();
        if is_stdin(path) {
            if std::mem::replace(&mut self.stdin_read, true) {
                let problem = Diagnostic::without_place(Code::B0901, "standard input is named twice");
                return Err(problem.help("`-` can be read once: write one of them to a file"));
            }
            let stdin = io::stdin().lock();
            stdin.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
        } else {
            let file = File::open(path).map_err(|error| unread(&error))?;
            let size = file.metadata().map_err(|error| unread(&error))?;
            if size.is_dir() {
                return Err(unread(&io::ErrorKind::IsADirectory.into()));
            }
            if size.len() > limit as u64 {
                return Err(large());
            }
            // A pipe states no size, so the limit also holds while it is read.
            bytes.reserve_exact(usize::try_from(size.len()).unwrap_or(0) + 1);
            file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
        }
        if bytes.len() > limit { Err(large()) } else { Ok(bytes) }
    }

    /// Replaces a file, and makes its folder if there is none.
    pub fn put_file(&mut self, path: &Path, text: &str) -> Result<(), Diagnostic> {
        self.files.put(path, text.as_bytes()).map_err(|error| problems::unwritten(path, &error))
    }

    /// Replaces a file in one step, and keeps its permissions. Readers see the old content or the whole new
    /// one. Follows links: the file that they lead to is replaced.
    pub fn replace_file(&mut self, path: &Path, bytes: &[u8]) -> Result<(), CommandFailure> {
        Ok(self.files.replace(path, bytes).map_err(|error| problems::unwritten(path, &error))?)
    }
}

fn read_state(path: &Path, bytes: &[u8]) -> Result<State, CommandFailure> {
    let text = String::from_utf8_lossy(bytes);
    Ok(State::from_json(&name_of(path), text.strip_prefix('\u{feff}').unwrap_or(&text))?)
}

/// The most bytes of an answer. More than anybody types.
const ANSWER_BYTES: u64 = 1 << 10;

/// The fewest steps with a progress bar. Shorter work ends before a bar could be read.
const SHORT_WORK: usize = 200;

pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns help for a path that is given as a policy, if its ending shows that it is something else.
fn other_use(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "json" | "ndjson" | "jsonl" => Some("it looks like an inventory: give it with `--inventory`"),
        "csv" => Some("it looks like a table: make an inventory of it with `bourse import csv`"),
        _ => None,
    }
}

/// Returns a path in the form of messages and of `use`: with `/` between its parts.
fn name_of(path: &Path) -> String {
    let name = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { name.into_owned() } else { name.replace('\\', "/") }
}

fn has_known_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json" || ending == "ndjson" || ending == "jsonl")
}

/// Guesses the form of an inventory whose name does not tell. Returns `true` for NDJSON: the first line is a
/// whole object, and more follows.
fn is_ndjson(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let whole = serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    whole && first.trim_start().starts_with('{') && lines.next().is_some()
}
