//! Fixed work whose instructions are counted: `.ci/kernels` runs each kernel under callgrind and compares with `counts.txt`.
//!
//! A kernel is a name and a function that prepares its input and gives what is counted. To add one, add a line to `KERNELS`,
//! and accept its count with `.ci/kernels accept`.

#![allow(clippy::disallowed_methods, reason = "a program of its own: it has arguments")]
#![allow(clippy::float_arithmetic, reason = "a ratio that the table shows is shared code")]

#[path = "../table/bourse.rs"]
#[allow(dead_code, reason = "shared with the table, which gives the fleet as records too")]
mod bourse_form;
#[path = "../table/fast.rs"]
mod fast;
#[path = "../table/plain.rs"]
mod plain;

use std::{hint::black_box, process::ExitCode};

use bourse::{
    Inventory,
    check::Strictness,
    pipeline::{Extra, Parsed},
};
use bourse_yardstick::{System, Update, Work};

/// What is counted.
type Kernel = Box<dyn FnMut()>;
/// Makes a kernel with its input.
type Prepare = fn() -> Kernel;

/// Every kernel.
const KERNELS: [(&str, Prepare); 8] = [
    ("policy/parse", parse),
    ("policy/check", check),
    ("fleet/read-1000x100", read),
    ("fleet/bind-1000x100", bind),
    ("plain/answer-1000x10", plain_answer),
    ("columns/first-1000x100", first_answer),
    ("columns/answer-1000x100", answer),
    ("columns/update-1000x100", update),
];

/// What is counted: everything below this function, and nothing else. Callgrind finds it by its name.
#[inline(never)]
fn measured(kernel: &mut Kernel) {
    kernel();
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [word] if word == "--path" => {
            println!("{}", std::env::current_exe().expect("a path").display());
            ExitCode::SUCCESS
        }
        [] => {
            KERNELS.iter().for_each(|(name, _)| println!("{name}"));
            ExitCode::SUCCESS
        }
        [name] => {
            let Some((_, prepare)) = KERNELS.iter().find(|known| known.0 == name) else {
                eprintln!("no kernel is named `{name}`; without a name they are listed");
                return ExitCode::from(2);
            };
            measured(&mut prepare());
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: kernels [NAME | --path]");
            ExitCode::from(2)
        }
    }
}

/// The policy with 64 needs.
fn files() -> Vec<(&'static str, String)> {
    let work = Work::all().into_iter().find(|work| work.name == "W3").expect("a work");
    bourse_form::policies(&work)
}

fn parsed() -> Parsed {
    Parsed::new(files().iter().map(|(name, text)| (*name, text.as_bytes())))
}

fn first() -> Work {
    Work::all().swap_remove(0)
}

fn parse() -> Kernel {
    let files = files();
    Box::new(move || {
        black_box(Parsed::new(files.iter().map(|(name, text)| (*name, text.as_bytes()))));
    })
}

fn check() -> Kernel {
    let parsed = parsed();
    Box::new(move || {
        black_box(parsed.check(&Extra::default(), Strictness::default()));
    })
}

fn read() -> Kernel {
    let text = bourse_form::ndjson(&first().fleet(1_000, 100));
    Box::new(move || {
        black_box(Inventory::from_ndjson("fleet.ndjson", &text).expect("a fleet without mistakes"));
    })
}

fn bind() -> Kernel {
    let text = bourse_form::ndjson(&first().fleet(1_000, 100));
    let inventory = [Inventory::from_ndjson("fleet.ndjson", &text).expect("a fleet without mistakes")];
    let parsed = parsed();
    Box::new(move || {
        let extra = Inventory::extra(&inventory);
        let loaded = parsed.check(&extra, Strictness::default()).load(&extra);
        black_box(loaded.expect("a fleet without mistakes"));
    })
}

fn plain_answer() -> Kernel {
    let work = first();
    let mut system = plain::Plain::default();
    system.prepare(&work, &work.fleet(1_000, 10)).expect("covered");
    Box::new(move || {
        black_box(system.answer(0));
    })
}

fn columns() -> fast::Fast {
    let work = first();
    let mut system = fast::Fast::default();
    system.prepare(&work, &work.fleet(1_000, 100)).expect("covered");
    system
}

/// The columns are made, and what the need asks of them.
fn first_answer() -> Kernel {
    let mut system = columns();
    Box::new(move || {
        black_box(system.answer(0));
    })
}

fn answer() -> Kernel {
    let mut system = columns();
    system.answer(0);
    Box::new(move || {
        black_box(system.answer(0));
    })
}

/// A hundred changes, one standing need.
fn update() -> Kernel {
    let mut system = columns();
    system.stand();
    Box::new(move || (0..100).for_each(|number| system.update(Update::drawn(number, 1_000))))
}
