//! The types of values, and the sides that an expression may name.

use std::fmt;

use crate::quantity::Dimension;

/// The type of a key or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A number, size, bandwidth or duration.
    Quantity(Dimension),
    /// Text, compared exactly.
    Text,
    /// A version such as `v"5.10.3"`.
    Version,
    /// A path in the fault-domain tree.
    Place,
    /// A set of text.
    Texts,
    /// A set of number.
    Numbers,
    /// Inclusive integer ranges.
    Ranges,
}

impl Type {
    /// A plain number.
    pub const NUMBER: Type = Type::Quantity(Dimension::Number);

    /// Every type.
    pub const ALL: [Type; 11] = [
        Type::Bool,
        Type::Quantity(Dimension::Number),
        Type::Quantity(Dimension::Size),
        Type::Quantity(Dimension::Bandwidth),
        Type::Quantity(Dimension::Duration),
        Type::Text,
        Type::Version,
        Type::Place,
        Type::Texts,
        Type::Numbers,
        Type::Ranges,
    ];

    /// The words for the type in the language.
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Quantity(dimension) => dimension.name(),
            Type::Text => "text",
            Type::Version => "version",
            Type::Place => "place",
            Type::Texts => "set of text",
            Type::Numbers => "set of number",
            Type::Ranges => "ranges",
        }
    }

    /// The type with these words.
    pub fn from_name(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Returns `true` if `<`, `<=`, `>` and `>=` apply to values of the type.
    pub fn is_ordered(self) -> bool {
        matches!(self, Type::Quantity(_) | Type::Version)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The subject of a key: the word before the first dot in `agent.vlan`. See `docs/language.md`,
/// *Expressions*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The agent being tried.
    Agent,
    /// The supply being tried: a pool, or an existing volume with its pool's keys.
    Pool,
    /// The volume asked for.
    Volume,
    /// The need.
    Need,
    /// The framework that has the need.
    Framework,
    /// The framework's role.
    Role,
    /// The broker.
    Broker,
}

impl Side {
    /// Every side.
    pub const ALL: [Side; 7] =
        [Side::Agent, Side::Pool, Side::Volume, Side::Need, Side::Framework, Side::Role, Side::Broker];

    /// The word for the side in the language.
    pub fn name(self) -> &'static str {
        match self {
            Side::Agent => "agent",
            Side::Pool => "pool",
            Side::Volume => "volume",
            Side::Need => "need",
            Side::Framework => "framework",
            Side::Role => "role",
            Side::Broker => "broker",
        }
    }

    /// The side with this word.
    pub fn from_name(name: &str) -> Option<Side> {
        Side::ALL.into_iter().find(|side| side.name() == name)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A class that a plugin offers and needs may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginClass {
    /// The name as the language writes it: `vendor/fast`.
    pub name: String,
    /// The side that it classifies: agents or supplies.
    pub side: Side,
}
