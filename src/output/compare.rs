//! The relation of two classes, as JSON: `bourse.comparison`, version 1.

use serde::Serialize;

use crate::analyse::{Comparison, Region, Relation};

#[derive(Serialize)]
struct WireComparison<'a> {
    format: &'static str,
    version: u32,
    side: &'static str,
    classes: &'a [String; 2],
    relation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contained: Option<&'a str>,
    both: WireRegion<'a>,
    only: [WireRegion<'a>; 2],
}

#[derive(Serialize)]
struct WireRegion<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

impl<'a> WireRegion<'a> {
    fn new(region: &'a Region) -> Self {
        let empty = WireRegion { kind: "", keys: None, conditions: None, why: None };
        match region {
            Region::Candidate(keys) => WireRegion { kind: "candidate", keys: Some(keys), ..empty },
            Region::Empty(conditions) => WireRegion { kind: "none", conditions: Some(conditions), ..empty },
            Region::NotKnown(doubt) => WireRegion { kind: "not known", why: Some(doubt.words()), ..empty },
        }
    }
}

/// Writes a comparison as JSON, indented.
pub fn comparison_json(comparison: &Comparison) -> String {
    let [first, second] = &comparison.names;
    let contained = match comparison.relation {
        Relation::Contained => Some(first.as_str()),
        Relation::Contains => Some(second.as_str()),
        _ => None,
    };
    let wire = WireComparison {
        format: "bourse.comparison",
        version: 1,
        side: comparison.side.name(),
        classes: &comparison.names,
        relation: comparison.relation.name(),
        contained,
        both: WireRegion::new(&comparison.both),
        only: [WireRegion::new(&comparison.only[0]), WireRegion::new(&comparison.only[1])],
    };
    serde_json::to_string_pretty(&wire).unwrap_or_default() + "\n"
}
