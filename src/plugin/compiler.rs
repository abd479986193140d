//! Compiling in a process of its own, whose CPU time and memory the system bounds: what a compiler takes for some code, no look at its
//! form tells for sure.
//!
//! The parent hands over a request on the child's standard input: a head of fixed length, then the component. The child bounds
//! itself by what the head says before it reads a byte of the component, compiles, and answers on its standard output: a byte
//! that says how it ended, then sealed machine code or what is wrong with the component. The key of the seal is made for this one
//! request. Only a child that was handed it, and compiled just these bytes with an engine of the same version and settings,
//! makes a seal that the parent opens; so an answer that is cut short, of another program or of another version is never run.
//!
//! What comes back is trusted as far as the compiler is: as far as if it had run here.

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

/// The argument with which the `bourse` program compiles for its parent.
const ARGUMENT: &str = "compile-plugin";
/// What a request begins with.
const MAGIC: &[u8; 16] = b"bourse-compile-1";
/// Bytes before the component: magic, the numbers of [`RequestHead`], the key.
const HEAD: usize = MAGIC.len() + 5 * 8 + 32;
/// How an answer begins: sealed code follows.
const COMPILED: u8 = 1;
/// How an answer begins: what is wrong with the component follows.
const INVALID: u8 = 2;
/// Bytes of an answer beyond machine code.
const ROOM: u64 = 1 << 20;
/// How often, and how long apart, an ending child is looked after before it is killed.
const PATIENCE: (u32, Duration) = (200, Duration::from_millis(10));

/// A program that compiles plugins in a process of its own, with limits of CPU time and memory.
///
/// It is the `bourse` program of this very version, or one that answers by [`serve_compiler`] when it is started with these
/// arguments. The machine code that it gives is run: name it by a path that only who runs this may write.
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

    /// Compiles a component that was looked over.
    ///
    /// # Errors
    /// That it is invalid, that compiling it takes more than it may, or that the compiler is not one.
    pub(super) fn compile(
        &self,
        name: &str,
        bytes: &[u8],
        (engine, limits): (&Engine, &Limits),
    ) -> Result<Component, Fault> {
        let failed = |said: String| Fault::new(name, Broken::Compiler, said);
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| failed(format!("the system has no randomness: {error}")))?;
        let request = RequestHead::of(limits, bytes.len()).request(key, bytes);
        let (answer, ended) =
            self.run(request, limits).map_err(|(broken, said)| Fault::new(name, broken, said))?;
        let of = Name::new(engine, &Sha256::digest(bytes).into(), env!("CARGO_PKG_VERSION"));
        match answer.split_first() {
            Some((&COMPILED, sealed)) => bourse_sealed::open(&Key::new(key), &of, engine, sealed)
                .ok_or_else(|| failed(format!("{} is not of this version", self.shown()))),
            Some((&INVALID, said)) => Err(Fault::new(name, Broken::Valid, String::from_utf8_lossy(said))),
            Some(_) => Err(failed(format!("{} answers something else", self.shown()))),
            None => {
                let (broken, said) = self.cause(ended, limits);
                Err(Fault::new(name, broken, said))
            }
        }
    }

    fn shown(&self) -> String {
        format!("the compiler `{}`", self.program.display())
    }

    /// The child's answer, and how it ended, where it did by itself. Neither a child that says nothing nor one that does not
    /// stop holds up who waits.
    fn run(
        &self,
        request: Vec<u8>,
        limits: &Limits,
    ) -> Result<(Vec<u8>, Option<ExitStatus>), (Broken, String)> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if cfg!(unix) {
            // What this process keeps in its environment is nothing that a compiler needs.
            command.env_clear();
        }
        let started =
            |error: io::Error| (Broken::Compiler, format!("{} does not start: {error}", self.shown()));
        let mut child = command.spawn().map_err(started)?;
        let (told, answer) = mpsc::channel();
        let most =
            (limits.component_bytes as u64).saturating_mul(limits::PLUGIN_CODE_TIMES).saturating_add(ROOM);
        // Threads of their own: a child may well answer before it has read all, or never.
        if let Some(mut input) = child.stdin.take() {
            // A child that ends early says why by how it ends.
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

    /// Why a child ended without an answer.
    fn cause(&self, ended: Option<ExitStatus>, limits: &Limits) -> (Broken, String) {
        #[cfg(unix)]
        if let Some(signal) = ended.and_then(|ended| std::os::unix::process::ExitStatusExt::signal(&ended)) {
            use rustix::process::Signal;
            if signal == Signal::XCPU.as_raw() {
                let seconds = limits.compile_seconds;
                return (Broken::Compile, format!("compiling it takes more than {seconds} s of CPU time"));
            }
            let memory = limits.compile_memory_bytes;
            let said = format!(
                "compiling it was ended by signal {signal}, as where {memory} bytes of memory do not suffice"
            );
            return (Broken::Compile, said);
        }
        let _ = limits;
        let how = ended.map_or_else(|| "does not end".to_owned(), |ended| format!("ended with {ended}"));
        (Broken::Compiler, format!("{} gave no answer: it {how}", self.shown()))
    }
}

/// Waits for a child that has answered; kills one that then does not end, or `at_once`. `None`: it was killed.
fn end(child: &mut Child, at_once: bool) -> Option<ExitStatus> {
    for _ in 0..if at_once { 0 } else { PATIENCE.0 } {
        if let Ok(Some(ended)) = child.try_wait() {
            return Some(ended);
        }
        thread::sleep(PATIENCE.1);
    }
    // Where it has ended meanwhile there is nothing to kill, and it is waited for all the same.
    drop(child.kill());
    drop(child.wait());
    None
}

/// What a request says before the component.
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

/// Compiles one plugin for the process that started this one, from standard input to standard output: what a program does that is
/// named as a [`Compiler`]. The process is bounded for the rest of its life by what its parent says, so it should do nothing
/// else.
///
/// # Errors
/// That nothing was asked, that the bounds cannot be set, or that the answer cannot be written.
pub fn serve_compiler() -> io::Result<()> {
    serve(io::stdin().lock(), io::stdout().lock(), bound)
}

fn serve(
    mut input: impl Read,
    mut output: impl Write,
    bound: impl FnOnce(&RequestHead) -> io::Result<()>,
) -> io::Result<()> {
    let wrong = |said: &str| io::Error::new(io::ErrorKind::InvalidData, said.to_owned());
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
        Err(said) => output.write_all(&[INVALID]).and_then(|()| output.write_all(said.as_bytes()))?,
    }
    output.flush()
}

/// Compiles in this process. The compiler is the one part that strangers' bytes could lead to a defect of: a panic of it is
/// their fault, not the end of who runs this.
///
/// # Errors
/// What is wrong with the bytes, lower case, in a line.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    match catch_unwind(AssertUnwindSafe(|| Component::from_binary(engine, bytes))) {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(format!("it is cut short or invalid: {error:#}")),
        Err(_) => Err("it cannot be compiled".to_owned()),
    }
}

/// Bounds this process: CPU time, memory, and neither files nor a core dump of it. Who bounds it more closely already is obeyed.
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
    // At the first a signal says what was met; at the second it is over whatever becomes of the signal.
    set(Resource::Cpu, head.seconds, head.seconds.saturating_add(1))?;
    // Apple's systems take no bound of memory that they would keep, OpenBSD has none of address space.
    #[cfg(not(any(target_vendor = "apple", target_os = "openbsd")))]
    set(Resource::As, head.memory, head.memory)?;
    #[cfg(target_os = "openbsd")]
    set(Resource::Data, head.memory, head.memory)?;
    Ok(())
}

/// Here only the parent's deadline ends this process.
#[cfg(not(unix))]
fn bound(_: &RequestHead) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn served(request: &[u8]) -> io::Result<(Vec<u8>, Option<(u64, u64)>)> {
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
