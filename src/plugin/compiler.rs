//! Compiles plugins in a separate process, whose CPU time and memory the operating system bounds. The scan of
//! a component's form cannot tell for sure how much its compilation takes.
//!
//! The protocol has one request and one answer:
//!
//! 1. The parent writes a head of fixed length to the child's standard input, then the component. The head
//!    has the bounds, and a key that was made for this request.
//! 2. The child sets the bounds for itself before it reads any byte of the component.
//! 3. It compiles the component, and writes a byte for the outcome to its standard output, then sealed
//!    machine code or the error.
//!
//! The seal covers the component's hash, and the version and settings of the engine. Only a child that had
//! the key, and compiled these bytes with the same engine, can make a seal that the parent opens. So machine
//! code that is cut short, or comes from another program or version, never runs.
//!
//! The compiler itself is trusted: no more than if it ran in this process, and no less.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use bourse_sealed::{Key, Name};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use super::{
    Limits,
    fault::{Broken, Fault},
    host::config,
};
use crate::limits;

/// The argument that makes the `bourse` program compile for its parent.
const ARGUMENT: &str = "compile-plugin";
/// The first bytes of a request.
const MAGIC: &[u8; 16] = b"bourse-compile-1";
/// The number of bytes before the component: magic, the numbers of [`RequestHead`], the key.
const HEAD: usize = MAGIC.len() + 5 * 8 + 32;
/// The first byte of an answer with sealed code.
const COMPILED: u8 = 1;
/// The first byte of an answer with an error in the component.
const INVALID: u8 = 2;
/// The number of bytes of an answer beyond the machine code.
const ROOM: u64 = 1 << 20;
/// The number of times that an ending child is polled, and the pause between two, before it is killed.
const PATIENCE: (u32, Duration) = (200, Duration::from_millis(10));

/// A program that compiles plugins in a separate process, within limits of CPU time and memory.
///
/// It is the `bourse` program of this very version, or any program that calls [`serve_compiler`] when it is
/// started with these arguments. The machine code that it returns is run as it is, so name a path that only
/// trusted users can write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Compiler {
    /// The `bourse` program at this path.
    pub fn bourse(program: impl Into<PathBuf>) -> Compiler {
        Compiler::new(program, [ARGUMENT])
    }

    /// A program that calls [`serve_compiler`] when it is started with these arguments.
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Compiler {
        Compiler { program: program.into(), arguments: arguments.into_iter().map(Into::into).collect() }
    }

    /// Compiles a component that was scanned.
    ///
    /// # Errors
    /// The component is invalid, its compilation exceeds a limit, or the program is not a compiler of this
    /// version.
    pub(super) fn compile(
        &self,
        name: &str,
        bytes: &[u8],
        (engine, limits): (&Engine, &Limits),
    ) -> Result<Component, Fault> {
        let failed = |message: String| Fault::new(name, Broken::Compiler, message);
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| failed(format!("the system has no randomness: {error}")))?;
        let request = RequestHead::of(limits, bytes.len()).request(key, bytes);
        let (answer, ended) =
            self.run(request, limits).map_err(|(broken, message)| Fault::new(name, broken, message))?;
        let of = Name::new(engine, &Sha256::digest(bytes).into(), env!("CARGO_PKG_VERSION"));
        match answer.split_first() {
            Some((&COMPILED, sealed)) => bourse_sealed::open(&Key::new(key), &of, engine, sealed)
                .ok_or_else(|| failed(format!("{} is not of this version", self.shown()))),
            Some((&INVALID, message)) => {
                Err(Fault::new(name, Broken::Valid, String::from_utf8_lossy(message)))
            }
            Some(_) => Err(failed(format!("{} answers something else", self.shown()))),
            None => {
                let (broken, message) = self.cause(ended, limits);
                Err(Fault::new(name, broken, message))
            }
        }
    }

    fn shown(&self) -> String {
        format!("the compiler `{}`", self.program.display())
    }

    /// Runs the child, and returns its answer and its exit status (`None` if it was killed). A child that
    /// says nothing, or does not stop, delays the caller by a bounded time.
    fn run(
        &self,
        request: Vec<u8>,
        limits: &Limits,
    ) -> Result<(Vec<u8>, Option<ExitStatus>), (Broken, String)> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if cfg!(unix) {
            // A compiler needs nothing from the environment, which may hold secrets.
            command.env_clear();
        }
        let started =
            |error: io::Error| (Broken::Compiler, format!("{} does not start: {error}", self.shown()));
        let mut child = command.spawn().map_err(started)?;
        let (told, answer) = mpsc::channel();
        let most =
            (limits.component_bytes as u64).saturating_mul(limits::PLUGIN_CODE_TIMES).saturating_add(ROOM);
        // Threads write the request and read the answer, because a child may answer before it has read
        // everything, or never.
        if let Some(mut input) = child.stdin.take() {
            // An error is ignored: a child that ends early says why by its exit status.
            thread::spawn(move || drop(input.write_all(&request)));
        }
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let read = output.take(most + 1).read_to_end(&mut bytes);
                drop(told.send(read.map(|_| bytes)));
            });
        }
        let answer = answer.recv_timeout(Duration::from_secs(limits.compile_wall_seconds));
        let ended = end(&mut child, answer.is_err());
        match answer {
            Err(_) => {
                let wall = limits.compile_wall_seconds;
                Err((Broken::Compile, format!("compiling it did not end within {wall} s on the wall")))
            }
            Ok(Err(error)) => Err((Broken::Compiler, format!("{} cannot be read: {error}", self.shown()))),
            Ok(Ok(bytes)) if bytes.len() as u64 > most => {
                Err((Broken::Compile, format!("its machine code has more than {most} bytes")))
            }
            Ok(Ok(bytes)) => Ok((bytes, ended)),
        }
    }

    /// Returns the reason why a child ended without an answer.
    fn cause(&self, ended: Option<ExitStatus>, limits: &Limits) -> (Broken, String) {
        #[cfg(unix)]
        if let Some(signal) = ended.and_then(|ended| std::os::unix::process::ExitStatusExt::signal(&ended)) {
            use rustix::process::Signal;
            if signal == Signal::XCPU.as_raw() {
                let seconds = limits.compile_seconds;
                return (Broken::Compile, format!("compiling it takes more than {seconds} s of CPU time"));
            }
            let memory = limits.compile_memory_bytes;
            let message = format!(
                "compiling it was ended by signal {signal}, as where {memory} bytes of memory do not suffice"
            );
            return (Broken::Compile, message);
        }
        let _ = limits;
        let how = ended.map_or_else(|| "does not end".to_owned(), |ended| format!("ended with {ended}"));
        (Broken::Compiler, format!("{} gave no answer: it {how}", self.shown()))
    }
}

/// Waits for a child that has answered, and kills it if it does not end, or `at_once`. Returns `None` if it
/// was killed.
fn end(child: &mut Child, at_once: bool) -> Option<ExitStatus> {
    for _ in 0..if at_once { 0 } else { PATIENCE.0 } {
        if let Ok(Some(ended)) = child.try_wait() {
            return Some(ended);
        }
        thread::sleep(PATIENCE.1);
    }
    // If the child has ended meanwhile, `kill` fails and `wait` still reaps it.
    drop(child.kill());
    drop(child.wait());
    None
}

/// The numbers at the start of a request.
struct RequestHead {
    seconds: u64,
    memory: u64,
    stack: u64,
    component: u64,
    length: u64,
}

impl RequestHead {
    fn of(limits: &Limits, length: usize) -> RequestHead {
        RequestHead {
            seconds: limits.compile_seconds,
            memory: limits.compile_memory_bytes,
            stack: limits.stack_bytes as u64,
            component: limits.component_bytes as u64,
            length: length as u64,
        }
    }

    fn request(&self, key: [u8; 32], bytes: &[u8]) -> Vec<u8> {
        let numbers = [self.seconds, self.memory, self.stack, self.component, self.length];
        let mut request = Vec::with_capacity(HEAD + bytes.len());
        request.extend_from_slice(MAGIC);
        numbers.iter().for_each(|number| request.extend_from_slice(&number.to_le_bytes()));
        request.extend_from_slice(&key);
        request.extend_from_slice(bytes);
        request
    }

    fn read(head: &[u8; HEAD]) -> Option<(RequestHead, [u8; 32])> {
        let (numbers, key) = head.strip_prefix(MAGIC)?.split_at_checked(5 * 8)?;
        let mut numbers = numbers
            .chunks_exact(8)
            .map(|bytes| bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
        let mut next = || numbers.next();
        let (seconds, memory, stack) = (next()?, next()?, next()?);
        let (component, length) = (next()?, next()?);
        Some((RequestHead { seconds, memory, stack, component, length }, key.try_into().ok()?))
    }
}

/// Compiles one plugin for the process that started this one, from standard input to standard output. A
/// program that is named as a [`Compiler`] calls this. The bounds of the request hold for the rest of the
/// process, so it should do nothing else.
///
/// # Errors
/// There is no request, the bounds cannot be set, or the answer cannot be written.
pub fn serve_compiler() -> io::Result<()> {
    serve(io::stdin().lock(), io::stdout().lock(), bound)
}

fn serve(
    mut input: impl Read,
    mut output: impl Write,
    bound: impl FnOnce(&RequestHead) -> io::Result<()>,
) -> io::Result<()> {
    let wrong = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message.to_owned());
    let mut head = [0; HEAD];
    input.read_exact(&mut head)?;
    let (head, key) =
        RequestHead::read(&head).ok_or_else(|| wrong("this is no request to compile a plugin"))?;
    bound(&head)?;
    let mut bytes = Vec::new();
    input.take(head.length.min(head.component)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != head.length {
        return Err(wrong("the plugin is cut short"));
    }
    let size = |number: u64| usize::try_from(number).map_err(|_| wrong("a limit is out of range"));
    let limits = Limits {
        stack_bytes: size(head.stack)?,
        component_bytes: size(head.component)?,
        ..Limits::default()
    };
    let engine = Engine::new(&config(&limits)).map_err(|error| wrong(&format!("{error:#}")))?;
    let sealed = compile(&engine, &bytes).and_then(|component| {
        let of = Name::new(&engine, &Sha256::digest(&bytes).into(), env!("CARGO_PKG_VERSION"));
        bourse_sealed::seal(&Key::new(key), &of, &component)
            .ok_or_else(|| "its machine code cannot be written down".to_owned())
    });
    match sealed {
        Ok(sealed) => output.write_all(&[COMPILED]).and_then(|()| output.write_all(&sealed))?,
        Err(message) => output.write_all(&[INVALID]).and_then(|()| output.write_all(message.as_bytes()))?,
    }
    output.flush()
}

/// Compiles in this process. A defect of the compiler that these bytes reach may panic, so a panic counts as
/// an error of the component instead of ending the caller.
///
/// # Errors
/// The error in the bytes, lower case, in a line.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    match catch_unwind(AssertUnwindSafe(|| Component::from_binary(engine, bytes))) {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(format!("it is cut short or invalid: {error:#}")),
        Err(_) => Err("it cannot be compiled".to_owned()),
    }
}

/// Bounds the CPU time and memory of this process, and forbids it to write files or a core dump. Limits that
/// are lower already stay.
#[cfg(unix)]
fn bound(head: &RequestHead) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let set = |resource, soft: u64, hard: u64| {
        let hard = getrlimit(resource).maximum.map_or(hard, |own| own.min(hard));
        setrlimit(resource, Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) })
            .map_err(|error| io::Error::from_raw_os_error(error.raw_os_error()))
    };
    set(Resource::Core, 0, 0)?;
    set(Resource::Fsize, 0, 0)?;
    // The soft limit sends SIGXCPU, which tells the parent the cause. The hard limit kills the process even
    // if the signal is handled.
    set(Resource::Cpu, head.seconds, head.seconds.saturating_add(1))?;
    // Apple's systems accept a limit of memory and do not enforce it. OpenBSD has no limit of address space.
    #[cfg(not(any(target_vendor = "apple", target_os = "openbsd")))]
    set(Resource::As, head.memory, head.memory)?;
    #[cfg(target_os = "openbsd")]
    set(Resource::Data, head.memory, head.memory)?;
    Ok(())
}

/// Does nothing. Without resource limits only the parent's wall-clock deadline ends this process.
#[cfg(not(unix))]
fn bound(_: &RequestHead) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    /// The seconds and bytes that a request sets as limits.
    type Bounds = Option<(u64, u64)>;

    fn served(request: &[u8]) -> io::Result<(Vec<u8>, Bounds)> {
        let (mut answer, mut bounds) = (Vec::new(), None);
        serve(request, &mut answer, |head| {
            bounds = Some((head.seconds, head.memory));
            Ok(())
        })?;
        Ok((answer, bounds))
    }

    #[test]
    fn an_answer_opens_for_its_key_and_bytes_alone() {
        let limits = Limits { compile_seconds: 3, compile_memory_bytes: 5, ..Limits::default() };
        let request = RequestHead::of(&limits, EMPTY.len()).request([7; 32], EMPTY);
        let (answer, bounds) = served(&request).expect("compiles");
        assert_eq!((answer[0], bounds), (COMPILED, Some((3, 5))));
        let engine = Engine::new(&config(&limits)).expect("runs");
        let name =
            |bytes: &[u8]| Name::new(&engine, &Sha256::digest(bytes).into(), env!("CARGO_PKG_VERSION"));
        let open = |key, of: &Name| bourse_sealed::open(&Key::new(key), of, &engine, &answer[1..]).is_some();
        assert!(open([7; 32], &name(EMPTY)));
        assert!(!open([8; 32], &name(EMPTY)), "another request's key");
        assert!(!open([7; 32], &name(b"other")), "another plugin's code");
    }

    #[test]
    fn what_is_no_request_is_not_compiled() {
        let request = RequestHead::of(&Limits::default(), EMPTY.len()).request([7; 32], EMPTY);
        assert!(served(&request[..HEAD + 3]).is_err(), "cut short");
        assert!(served(&request[..HEAD - 1]).is_err(), "no head");
        assert!(served(&[&[b'x'; HEAD][..], EMPTY].concat()).is_err(), "another program's");
        let bad = RequestHead::of(&Limits::default(), 3).request([7; 32], b"bad");
        assert_eq!(served(&bad).expect("answers").0[0], INVALID);
    }

    #[test]
    fn a_child_that_cannot_be_bounded_reads_no_plugin() {
        let request = RequestHead::of(&Limits::default(), EMPTY.len()).request([7; 32], EMPTY);
        let mut rest = request.as_slice();
        let refused = serve(&mut rest, Vec::new(), |_| Err(io::Error::other("no")));
        assert!(refused.is_err());
        assert_eq!(rest, EMPTY, "the component is still unread");
    }
}
