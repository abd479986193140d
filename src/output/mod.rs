//! Offers, fleets, shares and explanations as data for people and programs: versioned wire forms, and the
//! texts made from them. See `docs/output.md`. The schemas are in `schema/`.
//!
//! Internal types are never serialized. Each wire form is a type of its own, so that a format changes only on
//! purpose.

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

pub use applied::{
    APPLIED_FORMAT, AppliedChange, AppliedConflict, AppliedHolder, AppliedOperations, applied,
};
pub use build::{document, document_of, score_items};
pub use compare::comparison_json;
pub use explained::{Explained, explanation};
pub use matches::matches;
pub use names::printable_name;
pub use seen::SeenNeed;
pub use shares::shares;
pub use snapshot::{TEXT_VERSION, snapshot};
pub use stock::stock;
pub use view::{Permissions, View, VisibleCycle};

use std::io;

use crate::Offers;

/// The level of detail of rejections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Like reasons are joined, with the numbers of agents and supplies that they exclude.
    #[default]
    Grouped,
    /// Every rejection is listed by itself.
    All,
    /// No rejection is listed.
    None,
}

/// Returns the offers as a JSON document. The same offers give the same bytes.
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
    // Writing to memory does not fail, and JSON is UTF-8.
    let _ = write_offers(offers, view, detail, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes the offers as a JSON document, without holding all of it in memory.
///
/// # Errors
/// An error of the writer.
pub fn write_offers(
    offers: &Offers,
    view: View,
    detail: Detail,
    out: &mut dyn io::Write,
) -> Result<(), io::Error> {
    write_json(&document(offers, view, detail), out)
}

/// The views of several frameworks in one JSON document, `bourse.views`, each as a document of its own.
#[derive(serde::Serialize)]
struct Views<'a> {
    format: &'static str,
    version: u32,
    views: &'a [wire::Document<'a>],
}

/// Writes the views of several frameworks, each as a document of its own.
///
/// # Errors
/// An error of the writer.
pub fn write_views(views: &[wire::Document<'_>], out: &mut dyn io::Write) -> Result<(), io::Error> {
    write_json(&Views { format: "bourse.views", version: wire::VERSION, views }, out)
}

/// Writes a wire form as JSON, ended by a newline.
pub(crate) fn write_json(form: &impl serde::Serialize, out: &mut dyn io::Write) -> Result<(), io::Error> {
    serde_json::to_writer_pretty(&mut *out, form)?;
    out.write_all(b"\n")
}
