//! `bourse schema` prints the JSON Schema of a format, and `bourse completions` the completions for a shell.

use clap::{CommandFactory, ValueEnum};

use super::{Cli, CommandFailure, Exit, files::Console};
use crate::inventory::wire::OPERATIONS_SCHEMA;

#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Which format; without it, the names of all
    #[arg(value_enum, value_name = "FORMAT")]
    format: Option<SchemaName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemaName {
    /// What `--inventory` reads
    Inventory,
    /// What `offers --format json` writes
    Offers,
    /// What `apply` reads
    Operations,
    /// What `apply --format json` writes
    Applied,
    /// What `shares --format json` writes
    Shares,
    /// What `test --format json` writes
    Tests,
    /// What `diff --format json` writes
    Diff,
    /// What `--error-format json` writes
    Diagnostics,
    /// What `compare --format json` writes
    Comparison,
    /// What `explain --format json` writes
    Explanation,
}

pub fn schema(args: &SchemaArgs, console: &mut Console) -> Result<Exit, CommandFailure> {
    console.print(match args.format {
        None => "inventory\noffers\noperations\napplied\nshares\ntests\ndiff\ndiagnostics\ncomparison\nexplanation\n",
        Some(SchemaName::Inventory) => include_str!("../../schema/inventory.schema.json"),
        Some(SchemaName::Offers) => include_str!("../../schema/offers.schema.json"),
        Some(SchemaName::Operations) => OPERATIONS_SCHEMA,
        Some(SchemaName::Applied) => include_str!("../../schema/applied.schema.json"),
        Some(SchemaName::Shares) => include_str!("../../schema/shares.schema.json"),
        Some(SchemaName::Tests) => include_str!("../../schema/tests.schema.json"),
        Some(SchemaName::Diff) => include_str!("../../schema/diff.schema.json"),
        Some(SchemaName::Diagnostics) => include_str!("../../schema/diagnostics.schema.json"),
        Some(SchemaName::Explanation) => include_str!("../../schema/explanation.schema.json"),
        Some(SchemaName::Comparison) => include_str!("../../schema/comparison.schema.json"),
    })?;
    Ok(Exit::Yes)
}

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub fn completions(args: &CompletionsArgs, console: &mut Console) -> Result<Exit, CommandFailure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bourse", &mut script);
    console.write(|out| out.write_all(&script))?;
    Ok(Exit::Yes)
}
