//! The inputs of most commands: a policy set, and inventories.

use std::path::PathBuf;

use super::{CommandFailure, files::Console};
use crate::{
    Fleet, Inventory,
    check::Strictness,
    diagnostic::{Code, Diagnostic, Report},
    pipeline::Parsed,
};

/// Policies and inventories.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// Policy files, directories with policies, or `-` for standard input
    #[arg(required_unless_present = "inventory", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A fleet as JSON or NDJSON, or `-` for standard input; may be repeated
    #[arg(short, long, value_name = "FILE")]
    pub inventory: Vec<PathBuf>,
}

impl SetArgs {
    /// Reads the policies, and those that they use.
    pub fn parse(&self, console: &mut Console) -> Result<Parsed, CommandFailure> {
        let mut problems = Vec::new();
        let files = console.policies(&self.paths, &mut problems);
        let parsed =
            Parsed::following(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())), |name| {
                console.used_policy(name, &mut problems)
            });
        if let Some(reader) = &mut console.reader {
            reader.find(&parsed);
        }
        if !problems.is_empty() {
            return Err(CommandFailure(Box::new(Report { diagnostics: problems, ..Report::default() })));
        }
        some_policies(&self.paths, files.is_empty())?;
        Ok(parsed)
    }

    /// Reads the inventories. Their warnings are reported at the end of the run.
    pub fn inventories(&self, console: &mut Console) -> Result<Vec<Inventory>, CommandFailure> {
        let mut read = Vec::new();
        let mut broken = Report::default();
        for path in &self.inventory {
            match console.inventory(path) {
                Ok(inventory) => {
                    console.problems.absorb(inventory.warnings().clone());
                    if let Some(reader) = &mut console.reader {
                        reader.find_in(&inventory);
                    }
                    read.push(inventory);
                }
                Err(failure) => broken.absorb(*failure.0),
            }
        }
        if broken.has_errors() { Err(CommandFailure(Box::new(broken))) } else { Ok(read) }
    }

    /// Reads, compiles and binds everything.
    pub fn fleet(
        &self,
        console: &mut Console,
        strictness: Strictness,
    ) -> Result<(Fleet, Parsed), CommandFailure> {
        let parsed = self.parse(console)?;
        let inventories = self.inventories(console)?;
        let fleet = Fleet::load(&parsed, strictness, &inventories)?;
        console.problems.absorb(fleet.warnings().clone());
        Ok((fleet, parsed))
    }
}

/// Returns an error if paths were given and none of them has a policy.
pub fn some_policies(paths: &[PathBuf], none: bool) -> Result<(), CommandFailure> {
    if !none || paths.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = paths.iter().map(|path| format!("`{}`", shown(path))).collect();
    let message = format!("no policies found in {}", named.join(", "));
    let problem = Diagnostic::without_place(Code::B0902, message);
    Err(problem.help("policies are files that end in `.policy`").into())
}

/// Returns a path as text that is safe for a terminal.
pub fn shown(path: &std::path::Path) -> String {
    crate::output::printable_name(&path.to_string_lossy())
}
