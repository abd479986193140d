//! `bourse build`: writes a policy as a plugin, or as a compiled policy.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    CommandFailure, Exit,
    files::Console,
    set::{SetArgs, shown},
};
use crate::{
    Fleet,
    check::Strictness,
    compiled::{self, Compiled},
    diagnostic::{Code, Diagnostic},
    emit::{self, EmitRefusal, Owners},
};

/// The form to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BuildTarget {
    /// A WebAssembly component that any broker runs
    Wasm,
    /// The compiled policy itself
    Native,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What to build
    #[arg(long, value_enum, default_value_t = BuildTarget::Wasm)]
    target: BuildTarget,
    /// What reasons and messages call it; else the name of the broker, or of the only provider
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let (fleet, _) = args.set.fleet(console, Strictness::default())?;
    let name = args.name.clone().unwrap_or_else(|| name_of(&fleet, args));
    let owners = Owners::of(fleet.plan(), fleet.world());
    let bytes = match args.target {
        BuildTarget::Wasm => emit::plugin(fleet.plan(), &owners, &name).map_err(refused)?.bytes,
        BuildTarget::Native => compiled::write(&Compiled { name, owners, plan: fleet.plan().clone() }),
    };
    console.replace_file(&args.output, &bytes)?;
    let size = bytes.len();
    console.print(&format!("{}: {size} bytes, sha256 {}\n", shown(&args.output), compiled::hash(&bytes)))?;
    Ok(Exit::Yes)
}

/// Returns the name of the broker, or else of the only provider, or else of the file.
fn name_of(fleet: &Fleet, args: &Args) -> String {
    let (plan, world) = (fleet.plan(), fleet.world());
    let providers: Vec<_> = world.tiers.iter().filter(|tier| tier.parent.is_none()).collect();
    match (plan.broker.name, providers.as_slice()) {
        (Some(name), _) => plan.symbols.text(name).to_owned(),
        (None, [only]) => plan.symbols.text(only.name).to_owned(),
        _ => args.output.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
    }
}

fn refused(refusal: EmitRefusal) -> Diagnostic {
    let (message, help) = match refusal {
        EmitRefusal::LargePattern(text) => (
            format!("the pattern {} is too large for a plugin", crate::value::quote(&text)),
            "a plugin holds a pattern as a table: shorten its counts, keep them apart from repeats, or name fewer letters",
        ),
        EmitRefusal::Boundary(text) => (
            format!(
                "the pattern {} asks where words of any script begin, which no plugin can",
                crate::value::quote(&text)
            ),
            "write `(?-u:\\b)` for words of ASCII letters",
        ),
        EmitRefusal::Asked => (
            "the set has rules of another plugin".to_owned(),
            "build the set alone: a broker runs any number of plugins",
        ),
        EmitRefusal::TooMuch { what, count, most } => (
            format!("there are {count} {what}, and a plugin has at most {most}"),
            "build several plugins: a broker runs any number of them",
        ),
    };
    Diagnostic::without_place(Code::B0811, message).help(help)
}
