//! `bourse compare`: prints the relation of two classes, with candidates that show it.

use std::path::PathBuf;

use super::{
    CommandFailure, Exit, Format,
    files::Console,
    set::SetArgs,
    table::{Paint, columns, paint},
};
use crate::{
    Fleet,
    analyse::{Comparison, Region, Relation, compare},
    check::Strictness,
    diagnostic::{Code, Diagnostic, nearest},
    ir::{DefinitionId, Plan},
    output::{comparison_json, printable_name},
    pipeline::Parsed,
    resolve::library,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A class
    #[arg(value_name = "CLASS")]
    first: String,
    /// Another class of the same side
    #[arg(value_name = "CLASS")]
    second: String,
    /// Policy files, directories with policies, or `-`; without any, the standard library
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A fleet as JSON or NDJSON, or `-` for standard input; may be repeated
    #[arg(short, long, value_name = "FILE")]
    inventory: Vec<PathBuf>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let set = SetArgs { paths: args.paths.clone(), inventory: args.inventory.clone() };
    let fleet = if args.paths.is_empty() && args.inventory.is_empty() {
        let uses: String =
            library::MODULES.iter().map(|module| format!("use std.{}\n", module.name)).collect();
        Fleet::load(&Parsed::new([("std", uses.as_bytes())]), Strictness::default(), &[])?
    } else {
        set.fleet(console, Strictness::default())?.0
    };
    let plan = fleet.plan();
    let classes = [class(plan, &args.first)?, class(plan, &args.second)?];
    let Some(found) = compare(fleet.loaded(), classes) else {
        return Err(other_sides(plan, classes).into());
    };
    match args.format {
        Format::Json => console.print(&comparison_json(&found))?,
        Format::Table => {
            let text = text(&found, console.colour);
            console.print(&text)?;
        }
    }
    Ok(if found.relation == Relation::NotKnown { Exit::Undecided } else { Exit::Yes })
}

/// Finds the class of a name: the full name, or else the name of one in a module without the module's.
fn class(plan: &Plan, name: &str) -> Result<DefinitionId, Diagnostic> {
    let classes = plan.definitions.iter().enumerate().filter(|(_, known)| known.class_of.is_some());
    let classes: Vec<(usize, &str)> = classes.map(|(at, known)| (at, known.name.as_str())).collect();
    let bare = |full: &str| full.split_once('.').is_some_and(|(_, bare)| bare == name);
    let whole = classes.iter().filter(|(_, known)| *known == name);
    let mut found = whole.chain(classes.iter().filter(|(_, known)| bare(known)));
    if let Some((at, _)) = found.next() {
        return Ok(DefinitionId(*at as u32));
    }
    let name = printable_name(name);
    let message = format!("no class is named `{name}`");
    let bare = classes.iter().filter_map(|(_, known)| known.split_once('.').map(|(_, bare)| bare));
    let help = match nearest(&name, classes.iter().map(|(_, known)| *known).chain(bare)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "name a class that the policies declare, or one of a standard module that they use".to_owned()
        }
    };
    Err(Diagnostic::without_place(Code::B0907, message).help(help))
}

fn other_sides(plan: &Plan, classes: [DefinitionId; 2]) -> Diagnostic {
    let [first, second] = classes.map(|class| {
        let known = plan.definition(class);
        format!("`{}` is a class of {}s", known.name, known.class_of.map_or("", |side| side.name()))
    });
    let message = format!("{first}, and {second}");
    Diagnostic::without_place(Code::B0907, message).help("compare two classes of one side")
}

fn text(found: &Comparison, colour: bool) -> String {
    let ([first, second], side) = (&found.names, found.side);
    let told = match found.relation {
        Relation::Equal => format!("each {side} of `{first}` is in `{second}`, and the other way round"),
        Relation::Contained => format!("every {side} of `{first}` is in `{second}`"),
        Relation::Contains => format!("every {side} of `{second}` is in `{first}`"),
        Relation::Disjoint => format!("no {side} is in both"),
        Relation::Overlapping => format!("some {side}s are in both, and each class has some of its own"),
        Relation::NotKnown => "not every part is decided".to_owned(),
    };
    let head = match found.relation {
        Relation::Overlapping | Relation::NotKnown => Paint::Yellow,
        _ => Paint::Bold,
    };
    let rows = [
        ("in both".to_owned(), &found.both),
        (format!("only in {first}"), &found.only[0]),
        (format!("only in {second}"), &found.only[1]),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, region)| vec![what, cell(region)]).collect();
    format!("{}: {told}\n{}", paint(found.relation.name(), head, colour), columns("  ", &rows))
}

fn cell(region: &Region) -> String {
    match region {
        Region::Candidate(keys) if keys.is_empty() => "any".to_owned(),
        Region::Candidate(keys) => keys.join(", "),
        Region::Empty(conditions) => {
            let conditions: Vec<String> = conditions.iter().map(|one| format!("`{one}`")).collect();
            match conditions.as_slice() {
                [only] => format!("none: {only} can never hold"),
                conditions => format!("none: {} exclude each other", conditions.join(" and ")),
            }
        }
        Region::NotKnown(doubt) => format!("not known: {doubt}"),
    }
}
