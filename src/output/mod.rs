//! Offers as data for people and programs: the versioned wire form, and the text made from it. See
//! `docs/output.md`; the schema is `schema/offers.schema.json`.

mod amounts;
mod applied;
mod build;
mod compare;
mod explained;
mod fields;
mod group;
mod matches;
mod names;
mod rejections;
mod seen;
mod shares;
mod snapshot;
mod stock;
pub mod text;
mod view;
pub mod wire;

pub use applied::{APPLIED_FORMAT, Applied, AppliedChange, AppliedConflict, AppliedHolder, applied};
pub use build::{document, document_of, score_items};
pub use compare::comparison_json;
pub use explained::{Explained, explanation};
pub use matches::matches;
pub use names::{need_label, printable_name};
pub use seen::SeenNeed;
pub use shares::shares;
pub use snapshot::{TEXT_VERSION, snapshot};
pub use stock::stock;
pub use view::{May, Sight, View};

use std::io;

use crate::{Offers, cycle::Cycle};

/// How rejections are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Like reasons together, with how many agents and supplies each excludes.
    #[default]
    Grouped,
    /// Every rejection on its own.
    All,
    /// Not at all.
    None,
}

/// The offers as one JSON document. The same offers give the same bytes.
///
/// ```
/// use bourse::output::{Detail, View, offers_json};
///
/// let policy = bourse::Policy::compile([(
///     "demo.policy",
///     "agent a { resources { cpus = 8 } } \n need n { agent { cpus = 2 } }",
/// )])?;
/// let json = offers_json(&bourse::offers(&policy, &[])?, View::Operator, Detail::Grouped);
/// assert!(json.contains(r#""outcome": "met""#));
/// # Ok::<(), bourse::Error>(())
/// ```
pub fn offers_json(offers: &Offers, view: View, detail: Detail) -> String {
    let mut bytes = Vec::new();
    // Writing to memory does not fail, and what is written is UTF-8.
    let _ = write_offers(offers, view, detail, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes the offers as one JSON document, without holding all of it in memory.
///
/// # Errors
/// What the writer says.
pub fn write_offers(
    offers: &Offers,
    view: View,
    detail: Detail,
    out: &mut dyn io::Write,
) -> Result<(), io::Error> {
    write_json(&document(offers, view, detail), out)
}

/// The views of several frameworks as one JSON document: `bourse.views`, with each one's document apart.
#[derive(serde::Serialize)]
struct Views<'a> {
    format: &'static str,
    version: u32,
    views: &'a [wire::Document<'a>],
}

/// Writes what each of several frameworks sees of a cycle, apart from what the others see.
///
/// # Errors
/// What the writer says.
pub fn write_views(views: &[wire::Document<'_>], out: &mut dyn io::Write) -> Result<(), io::Error> {
    write_json(&Views { format: "bourse.views", version: wire::VERSION, views }, out)
}

/// Writes a wire form as JSON, with a line end.
pub(crate) fn write_json(form: &impl serde::Serialize, out: &mut dyn io::Write) -> Result<(), io::Error> {
    serde_json::to_writer_pretty(&mut *out, form)?;
    out.write_all(b"\n")
}

/// How an offer is called: its need and the number of the instance.
pub(crate) fn offer_id(offers: &Offers, grant: usize) -> String {
    let cycle: &Cycle = offers.cycle();
    let grant = &cycle.grants[grant];
    format!("{}#{}", need_label(offers.fleet().plan(), grant.id), grant.instance)
}
