//! Lists the keys of a side, with the values that the fleet has for them.

use indexmap::IndexMap;

use super::session::Session;
use crate::{
    Inventory,
    cli::table::columns,
    inventory::records::{KeyRecord, Raw, Records, TierRecord},
    quantity::{Dimension, render},
    types::Side,
    value::quote,
};

/// The most values shown of one key.
const VALUES: usize = 5;

/// Writes a table of the keys of a side: key, type, and values with the number of times that each occurs.
pub fn table(session: &Session, side: Side) -> String {
    let mut seen: IndexMap<&str, IndexMap<String, usize>> = IndexMap::new();
    let hir = &session.fleet().loaded().hir;
    let mut tell = |key: &'_ KeyRecord| -> (String, String) { (key.key.clone(), show(&key.value)) };
    let mut values: Vec<(String, String)> = Vec::new();
    let records = session.inventories().iter().map(|inventory| Inventory::parts(inventory).0);
    for records in std::iter::once(&hir.records).chain(records) {
        values.extend(of_records(records, side).into_iter().map(&mut tell));
    }
    let needs = hir.frameworks.iter().flat_map(|framework| &framework.needs);
    match side {
        Side::Framework => values.extend(hir.frameworks.iter().flat_map(|known| &known.keys).map(&mut tell)),
        Side::Need => values.extend(needs.flat_map(|need| &need.keys).map(&mut tell)),
        Side::Role => values.extend(hir.roles.iter().flat_map(|role| &role.keys).map(&mut tell)),
        _ => {}
    }
    for (key, value) in &values {
        *seen.entry(key.as_str()).or_default().entry(value.clone()).or_default() += 1;
    }
    let mut rows: Vec<Vec<String>> = session
        .types()
        .keys()
        .filter(|(of, ..)| *of == side)
        .map(|(_, key, kind)| {
            let kind = kind.map_or(String::new(), |kind| kind.name().to_owned());
            let values = seen.get(key).map_or("none seen".to_owned(), counted);
            vec![format!("{side}.{key}"), kind, values]
        })
        .collect();
    let resources = session.types().resources().filter(|(of, ..)| *of == side);
    rows.extend(resources.map(|(_, name, dimension)| {
        let key = format!("{side}.total.{name}, .free, .used");
        vec![key, dimension.name().to_owned(), String::new()]
    }));
    rows.sort();
    if rows.is_empty() { format!("nothing is known of any key of `{side}`\n") } else { columns("", &rows) }
}

/// Writes the most frequent values, and the number of others.
fn counted(values: &IndexMap<String, usize>) -> String {
    let mut all: Vec<(&String, &usize)> = values.iter().collect();
    all.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
    let shown = all.iter().take(VALUES).map(|(value, count)| match count {
        1 => (*value).clone(),
        count => format!("{value} ×{count}"),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = all.len().saturating_sub(VALUES) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn of_records(records: &Records, side: Side) -> Vec<&KeyRecord> {
    match side {
        Side::Agent => records.agents.iter().flat_map(|agent| &agent.keys).collect(),
        Side::Broker => records.broker.keys.iter().collect(),
        Side::Pool => {
            let mut found = Vec::new();
            let mut open: Vec<&TierRecord> = records.providers.iter().collect();
            while let Some(tier) = open.pop() {
                found.extend(&tier.keys);
                open.extend(&tier.children);
            }
            found
        }
        _ => Vec::new(),
    }
}

fn show(value: &Raw) -> String {
    let list = |members: Vec<String>| format!("[{}]", members.join(", "));
    match value {
        Raw::Bool(value) => value.to_string(),
        Raw::Integer(value) => value.to_string(),
        Raw::Quantity(value) => render(value.dimension, i128::from(value.amount)),
        Raw::Text(value) => quote(value),
        Raw::Version(value) => format!("v\"{value}\""),
        Raw::Empty => "[]".to_owned(),
        Raw::Texts(values) => list(values.iter().map(|value| quote(value)).collect()),
        Raw::Numbers(values) => {
            list(values.iter().map(|value| render(Dimension::Number, i128::from(*value))).collect())
        }
        Raw::Ranges(ranges) => ranges.to_string(),
    }
}
