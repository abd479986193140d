//! Counting: this program runs itself, once for each processor, under callgrind where there is one.
//!
//! A child does the work of its cases one after the other, at n, 2n and 4n, and prints what was allocated. Callgrind writes down
//! what was executed each time that [`measured`] begins and ends: its counts come in the order of the lines.
//!
//! Only an optimised build is run under callgrind. One that is not takes some twenty times as long, and its instructions say less:
//! what the optimiser takes away hides what grows.

use std::{
    fs,
    hint::black_box,
    io::Write,
    num::NonZero,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::{Case, figures::Figures};

/// The flag of a child.
pub const CHILD: &str = "--child";

/// The work that is counted. Callgrind finds it by its name, and starts a new count before it.
#[inline(never)]
fn measured(work: Box<dyn FnOnce()>) {
    work();
}

/// The end of the work: callgrind writes the count down before it. That `measured` returns it does not always see, where the
/// last thing done there is a call.
#[inline(never)]
fn ended() {
    black_box(0_u8);
}

/// Does the work of the named cases, and prints a line for each size: bytes in all, and at most.
pub fn child(cases: &[Case], names: &[String]) {
    for name in names {
        let case = cases.iter().find(|case| case.name == *name).expect("a case of the parent");
        // What is made once for the whole process belongs to no size.
        (case.prepare)(2)();
        for size in [case.size, 2 * case.size, 4 * case.size] {
            let work = (case.prepare)(size);
            let counted = allocation_counter::measure(|| {
                measured(work);
                ended();
            });
            println!("{} {}", counted.bytes_total, counted.bytes_max);
        }
        std::io::stdout().flush().expect("a parent that reads");
    }
}

/// The figures of each case at n, 2n and 4n; `None` of one that did not end.
pub fn measure(cases: &[Case]) -> Vec<Option<[Figures; 3]>> {
    let has_valgrind =
        Command::new("valgrind").arg("--version").output().is_ok_and(|said| said.status.success());
    let uncounted = match (has_valgrind, cfg!(debug_assertions)) {
        (_, true) => Some("the build is not optimised; `.ci/doubling` runs one that is"),
        (false, _) => Some("there is no valgrind"),
        (true, false) => None,
    };
    if let Some(reason) = uncounted {
        println!("doubling: bytes are counted, instructions are not: {reason}");
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let children = thread::available_parallelism().map_or(1, NonZero::get);
    let counted: Vec<Vec<Option<[Figures; 3]>>> = thread::scope(|scope| {
        let share = |child: usize| names.iter().skip(child).step_by(children).copied().collect();
        let run = |child: usize| scope.spawn(move || in_children(share(child), uncounted.is_none()));
        let running: Vec<_> = (0..children).map(run).collect();
        running.into_iter().map(|child| child.join().expect("a child that is read")).collect()
    });
    (0..cases.len()).map(|at| counted[at % children][at / children]).collect()
}

/// The figures of some cases. A child that dies of one is followed by another for the rest.
fn in_children(names: Vec<&str>, under_valgrind: bool) -> Vec<Option<[Figures; 3]>> {
    let mut found = Vec::new();
    while found.len() < names.len() {
        found.extend(in_child(&names[found.len()..], under_valgrind).into_iter().map(Some));
        if found.len() < names.len() {
            found.push(None);
        }
    }
    found
}

/// The figures of the cases of one child, as far as it came.
fn in_child(names: &[&str], under_valgrind: bool) -> Vec<[Figures; 3]> {
    let program = std::env::current_exe().expect("the path of this program");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let counts = folder.path().join("counts");
    let mut command = Command::new(if under_valgrind { Path::new("valgrind") } else { &program });
    if under_valgrind {
        command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", counts.display()));
        command.args(["--combine-dumps=yes", "--dump-line=no", "--read-inline-info=no", "-q"]);
        command.args(["--dump-before=*doubling::runs::measured*", "--dump-before=*doubling::runs::ended*"]);
        command.arg(&program);
    }
    let output =
        command.arg(CHILD).args(names).stderr(Stdio::inherit()).output().expect("a child that starts");
    let lines = String::from_utf8(output.stdout).expect("the lines of a child");
    let counts = fs::read_to_string(counts).unwrap_or_default();
    // A part ends before the work, and one after it.
    let after =
        counts.split("part: ").filter(|part| part.contains("Trigger: --dump-before=doubling::runs::ended"));
    let mut counts = after.filter_map(|part| part.lines().find_map(|line| line.strip_prefix("totals: ")));
    let mut figures = lines.lines().map(|line| {
        let mut numbers = line.split(' ').map(|number| number.parse().expect("a number of a child"));
        Figures {
            instructions: under_valgrind.then(|| {
                let count = counts.next().expect("callgrind counts every size");
                count.parse().expect("a number of callgrind")
            }),
            bytes: numbers.next().expect("bytes in all"),
            peak: numbers.next().expect("bytes at most"),
        }
    });
    std::iter::from_fn(|| Some([figures.next()?, figures.next()?, figures.next()?])).collect()
}
