//! The building blocks of outputs: amounts, and objects whose fields keep their order.

use std::fmt;

use serde::{Serialize, Serializer};

/// An amount, as the language writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenAmount {
    /// An amount with its unit. A range is written `LOW..HIGH`.
    Scalar(String),
    /// Ranges.
    Ranges(Vec<(i64, i64)>),
    /// The names of items.
    Items(Vec<String>),
}

impl Serialize for WrittenAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            WrittenAmount::Scalar(text) => serializer.serialize_str(text),
            // The form of inventories, so that an offer can be given back as an allocation.
            WrittenAmount::Ranges(parts) => serializer.collect_seq(parts.iter().map(|(low, high)| {
                if low == high { WireMember::One(*low) } else { WireMember::Text(format!("{low}..{high}")) }
            })),
            WrittenAmount::Items(names) => serializer.collect_seq(names),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireMember {
    One(i64),
    Text(String),
}

impl fmt::Display for WrittenAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = match self {
            WrittenAmount::Scalar(text) => return f.write_str(text),
            WrittenAmount::Ranges(parts) => {
                let part = |(low, high): &(i64, i64)| {
                    if low == high { low.to_string() } else { format!("{low}..{high}") }
                };
                parts.iter().map(part).collect()
            }
            WrittenAmount::Items(names) => names.iter().map(|name| crate::value::quote(name)).collect(),
        };
        write!(f, "[{}]", members.join(", "))
    }
}

/// A JSON object whose fields keep their order.
#[derive(Clone, Debug)]
pub struct OrderedFields<V>(pub Vec<(String, V)>);

impl<V> OrderedFields<V> {
    /// Returns `true` if there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of a field.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|field| field.0 == name).map(|field| &field.1)
    }
}

impl<V> Default for OrderedFields<V> {
    fn default() -> Self {
        OrderedFields(Vec::new())
    }
}

impl<V> FromIterator<(String, V)> for OrderedFields<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(fields: I) -> Self {
        OrderedFields(fields.into_iter().collect())
    }
}

impl<V: Serialize> Serialize for OrderedFields<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
