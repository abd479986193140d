//! `bourse inspect`: describes a plugin or a compiled policy without running it.
//!
//! The file may come from anywhere, so every text of it is made safe for a terminal.

use std::{fmt::Write as _, path::PathBuf};

use super::{CommandFailure, Exit, files::Console, set::shown};
use crate::{
    compiled::{self, Refused},
    diagnostic::{Code, Diagnostic},
    emit::{self, Manifest, ManifestRule, Purpose, RuleScope},
    ir::PLAN_VERSION,
    value::printable,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A plugin or a compiled policy
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let bytes = console.built(&args.file)?;
    let name = shown(&args.file);
    let (form, manifest) = if compiled::is_compiled(&bytes) {
        let compiled = compiled::read(&bytes).map_err(|refused| broken(&name, refused))?;
        let manifest = emit::manifest(&compiled.plan, &compiled.owners, &compiled.name);
        ("compiled policy", Some(manifest))
    } else if emit::is_component(&bytes) {
        ("plugin", emit::read(&bytes))
    } else {
        return Err(other(&name).into());
    };
    console.print(&text(form, &bytes, manifest.as_ref()))?;
    Ok(Exit::Yes)
}

fn other(name: &str) -> Diagnostic {
    let message = format!("`{name}` is neither a plugin nor a compiled policy");
    let help =
        "make one with `bourse build`; a core module becomes a plugin once it is wrapped in a component";
    Diagnostic::without_place(Code::B0812, message).help(help)
}

fn broken(name: &str, refused: Refused) -> Diagnostic {
    let problem = Diagnostic::without_place;
    match refused {
        Refused::Other => other(name),
        Refused::Version(version) => {
            let message = format!(
                "`{name}` is a compiled policy of version {version}, and this bourse reads version {PLAN_VERSION}"
            );
            problem(Code::B0813, message).help("build it again from its policies")
        }
        Refused::Length(says, is) => {
            let message = format!("`{name}` is not whole: it should have {says} bytes, and has {is}");
            problem(Code::B0814, message).help("copy it again, or build it again")
        }
        Refused::Checksum => {
            let message = format!("`{name}` was changed: its checksum does not fit");
            problem(Code::B0814, message).help("copy it again, or build it again")
        }
        Refused::Broken(what) => {
            let message = format!("`{name}` holds no policy: {}", printable(&what));
            problem(Code::B0814, message).help("build it again from its policies")
        }
    }
}

fn text(form: &str, bytes: &[u8], manifest: Option<&Manifest>) -> String {
    let mut out = String::new();
    let name = manifest.map_or(String::new(), |manifest| format!(" {}", printable(&manifest.name)));
    let _ = writeln!(out, "{form}{name}");
    let _ = writeln!(out, "  size    {} bytes", bytes.len());
    let _ = writeln!(out, "  sha256  {}", compiled::hash(bytes));
    match manifest {
        Some(manifest) => manifest_text(&mut out, manifest),
        None => out.push_str("  it does not say what it reads: it was not made by `bourse build`\n"),
    }
    out
}

fn manifest_text(out: &mut String, manifest: &Manifest) {
    let _ = writeln!(out, "  made by {}", printable(&manifest.producer));
    let _ = writeln!(out, "\nreads {}", counted(manifest.columns.len(), "key"));
    for column in &manifest.columns {
        let _ = writeln!(
            out,
            "  {:<32} {}",
            printable(&format!("{}.{}", column.side, column.key.show())),
            column.kind.name()
        );
    }
    let wants = [("texts", manifest.wants_texts), ("the tree of places", manifest.wants_places)];
    let wants: Vec<&str> = wants.into_iter().filter(|want| want.1).map(|want| want.0).collect();
    if !wants.is_empty() {
        let _ = writeln!(out, "  and {}", wants.join(" and "));
    }
    let _ = writeln!(out, "\n{}", counted(manifest.rules.len(), "rule"));
    for rule in &manifest.rules {
        let _ = writeln!(out, "  {}", printable(&rule_line(rule)));
        for condition in &rule.conditions {
            let text = manifest.conditions.get(*condition as usize).map_or("", |known| known.text.as_str());
            let _ = writeln!(out, "    {}", printable(text));
        }
    }
}

fn rule_line(rule: &ManifestRule) -> String {
    let about = match &rule.scope {
        RuleScope::Everyone => String::new(),
        RuleScope::Agent(name) => format!(", of agent {name}"),
        RuleScope::Tier(path) => format!(", of {path}"),
    };
    match rule.purpose {
        Purpose::Require => format!("require {}{about}", rule.label),
        Purpose::Prefer(weight) => {
            let one = i128::from(crate::quantity::MILLION);
            format!(
                "prefer {}{about}, weight {}",
                rule.label,
                crate::quantity::decimal(i128::from(weight), one)
            )
        }
        Purpose::Class(side) => format!("class {} for {side}{about}", rule.label),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
