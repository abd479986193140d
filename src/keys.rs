//! The built-in keys: the words that mean something on a side, the type of their values, and when they have
//! one. `docs/language.md`, *Expressions*, has the same table, and a test compares the two.
//!
//! Some words have a key of their own in a plan (`name`, `domain`, `total`), and no open key may be named like
//! them. The others are properties: a declaration states them as it states open keys (`role = "db"`), and a
//! plan reads them as attributes.
//!
//! Levels of places (`agent.zone`) and amounts that are asked for (`volume.size`) are not in the table: the
//! set chooses their names.

use crate::types::{Side, Type};

/// A word that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuiltIn {
    /// The name in the head of a declaration.
    Name,
    /// The place in the tree of fault domains.
    Domain,
    /// The name of a supply's provider.
    Provider,
    /// The name of a supply's instance.
    Instance,
    /// The usable total of a resource.
    Total,
    /// The free amount of a resource.
    Free,
    /// The used amount of a resource.
    Used,
    /// The file system of a volume.
    Filesystem,
    /// The access to a volume: `"rw"` or `"ro"`.
    Access,
    /// The number of users that an existing volume may have at once.
    Users,
    /// True for a pool that new volumes are carved from.
    Carve,
    /// The path of the existing volume that a volume is a snapshot of.
    Source,
    /// The number of instances of a need, or of volumes of one name.
    Count,
    /// The role of a framework.
    Role,
    /// The principal of a framework.
    Principal,
    /// The capabilities of a framework.
    Capabilities,
    /// The weight of a role.
    Weight,
    /// The principals that a role serves.
    Principals,
}

impl BuiltIn {
    /// Every word.
    pub const ALL: [BuiltIn; 18] = [
        BuiltIn::Name,
        BuiltIn::Domain,
        BuiltIn::Provider,
        BuiltIn::Instance,
        BuiltIn::Total,
        BuiltIn::Free,
        BuiltIn::Used,
        BuiltIn::Filesystem,
        BuiltIn::Access,
        BuiltIn::Users,
        BuiltIn::Carve,
        BuiltIn::Source,
        BuiltIn::Count,
        BuiltIn::Role,
        BuiltIn::Principal,
        BuiltIn::Capabilities,
        BuiltIn::Weight,
        BuiltIn::Principals,
    ];

    /// Returns the word in the language.
    pub const fn text(self) -> &'static str {
        match self {
            BuiltIn::Name => "name",
            BuiltIn::Domain => "domain",
            BuiltIn::Provider => "provider",
            BuiltIn::Instance => "instance",
            BuiltIn::Total => "total",
            BuiltIn::Free => "free",
            BuiltIn::Used => "used",
            BuiltIn::Filesystem => "filesystem",
            BuiltIn::Access => "access",
            BuiltIn::Users => "users",
            BuiltIn::Carve => "carve",
            BuiltIn::Source => "source",
            BuiltIn::Count => "count",
            BuiltIn::Role => "role",
            BuiltIn::Principal => "principal",
            BuiltIn::Capabilities => "capabilities",
            BuiltIn::Weight => "weight",
            BuiltIn::Principals => "principals",
        }
    }

    /// Returns the built-in word with this text.
    pub fn from_text(text: &str) -> Option<BuiltIn> {
        BuiltIn::ALL.into_iter().find(|known| known.text() == text)
    }

    /// Returns `true` if a plan has a key of its own for the word, so that no open key may be named like it.
    pub const fn has_own_key(self) -> bool {
        matches!(self, BuiltIn::Name | BuiltIn::Domain | BuiltIn::Provider | BuiltIn::Instance)
            || self.is_amount()
    }

    /// Returns the word with the resource that follows it: `free.cpus`.
    pub fn of(self, resource: &str) -> String {
        format!("{}.{resource}", self.text())
    }

    /// Returns `true` if a resource follows the word: `free.cpus`.
    pub const fn is_amount(self) -> bool {
        matches!(self, BuiltIn::Total | BuiltIn::Free | BuiltIn::Used)
    }
}

/// The kind of values of a built-in key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInKind {
    /// Values of one type.
    Of(Type),
    /// Amounts of the resource that follows.
    Amount,
    /// An open key, which has this type where it is stated of an existing volume (`carve`: of a pool).
    Open(Type),
}

/// When a built-in key has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always. It has a default if it need not be stated.
    Always,
    /// If it is stated.
    Stated,
}

/// A built-in key of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInKey {
    /// The word.
    pub word: BuiltIn,
    /// The kind of its values.
    pub kind: BuiltInKind,
    /// When it has a value.
    pub presence: Presence,
}

impl BuiltInKey {
    /// Returns the type of its values wherever it is read, if it has one.
    pub fn type_read(self) -> Option<Type> {
        match self.kind {
            BuiltInKind::Of(kind) => Some(kind),
            BuiltInKind::Amount | BuiltInKind::Open(_) => None,
        }
    }

    /// Returns the type that it must be stated with.
    pub fn type_stated(self) -> Option<Type> {
        match self.kind {
            BuiltInKind::Of(kind) | BuiltInKind::Open(kind) => Some(kind),
            BuiltInKind::Amount => None,
        }
    }
}

const fn always(word: BuiltIn, kind: Type) -> BuiltInKey {
    BuiltInKey { word, kind: BuiltInKind::Of(kind), presence: Presence::Always }
}

const fn stated(word: BuiltIn, kind: Type) -> BuiltInKey {
    BuiltInKey { word, kind: BuiltInKind::Of(kind), presence: Presence::Stated }
}

const fn open(word: BuiltIn, kind: Type) -> BuiltInKey {
    BuiltInKey { word, kind: BuiltInKind::Open(kind), presence: Presence::Stated }
}

const fn amount(word: BuiltIn) -> BuiltInKey {
    BuiltInKey { word, kind: BuiltInKind::Amount, presence: Presence::Stated }
}

const AGENT: &[BuiltInKey] = &[
    always(BuiltIn::Name, Type::Text),
    stated(BuiltIn::Domain, Type::Place),
    amount(BuiltIn::Total),
    amount(BuiltIn::Free),
    amount(BuiltIn::Used),
];

const POOL: &[BuiltInKey] = &[
    always(BuiltIn::Name, Type::Text),
    stated(BuiltIn::Domain, Type::Place),
    amount(BuiltIn::Total),
    amount(BuiltIn::Free),
    amount(BuiltIn::Used),
    always(BuiltIn::Provider, Type::Text),
    always(BuiltIn::Instance, Type::Text),
    open(BuiltIn::Filesystem, Type::Text),
    open(BuiltIn::Access, Type::Text),
    open(BuiltIn::Users, Type::NUMBER),
    open(BuiltIn::Carve, Type::Bool),
];

const VOLUME: &[BuiltInKey] = &[
    always(BuiltIn::Name, Type::Text),
    stated(BuiltIn::Filesystem, Type::Text),
    always(BuiltIn::Access, Type::Text),
    stated(BuiltIn::Source, Type::Text),
    always(BuiltIn::Count, Type::NUMBER),
];

const NEED: &[BuiltInKey] = &[always(BuiltIn::Name, Type::Text), always(BuiltIn::Count, Type::NUMBER)];

const FRAMEWORK: &[BuiltInKey] = &[
    always(BuiltIn::Name, Type::Text),
    always(BuiltIn::Role, Type::Text),
    stated(BuiltIn::Principal, Type::Text),
    stated(BuiltIn::Capabilities, Type::Texts),
];

const ROLE: &[BuiltInKey] = &[
    always(BuiltIn::Name, Type::Text),
    always(BuiltIn::Weight, Type::NUMBER),
    stated(BuiltIn::Principals, Type::Texts),
];

const BROKER: &[BuiltInKey] = &[stated(BuiltIn::Name, Type::Text), stated(BuiltIn::Domain, Type::Place)];

/// Returns the built-in keys of a side.
pub const fn of(side: Side) -> &'static [BuiltInKey] {
    match side {
        Side::Agent => AGENT,
        Side::Pool => POOL,
        Side::Volume => VOLUME,
        Side::Need => NEED,
        Side::Framework => FRAMEWORK,
        Side::Role => ROLE,
        Side::Broker => BROKER,
    }
}

/// Returns the built-in key of a side with this word.
pub fn find(side: Side, text: &str) -> Option<BuiltInKey> {
    of(side).iter().copied().find(|known| known.word.text() == text)
}

/// Returns `true` if a word is a built-in key of a side. Data must not state it as an open key.
pub fn is_word(side: Side, text: &str) -> bool {
    find(side, text).is_some()
}

/// Returns the properties of a side: the built-in keys that a declaration states as it states open keys.
pub fn properties(side: Side) -> impl Iterator<Item = BuiltInKey> {
    of(side).iter().copied().filter(|known| !known.word.has_own_key())
}

/// Returns the property of a side with this word.
pub fn property(side: Side, text: &str) -> Option<BuiltInKey> {
    find(side, text).filter(|known| !known.word.has_own_key())
}

/// Returns `true` if a side has a place, and with it the levels as keys.
pub fn is_placed(side: Side) -> bool {
    is_word(side, BuiltIn::Domain.text())
}

/// Returns `true` if a level must not have this name, since the word means something else in the same
/// positions: as a key, or as what a place goes by.
pub fn is_no_level(name: &str) -> bool {
    let goes_by = [Side::Agent, Side::Pool].map(Side::name);
    BuiltIn::from_text(name).is_some_and(BuiltIn::has_own_key) || goes_by.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_a_key_of_some_side_and_of_each_side_once() {
        for word in BuiltIn::ALL {
            assert_eq!(BuiltIn::from_text(word.text()), Some(word));
            assert!(Side::ALL.into_iter().any(|side| is_word(side, word.text())), "{word:?}");
        }
        for side in Side::ALL {
            for (at, key) in of(side).iter().enumerate() {
                assert!(of(side)[..at].iter().all(|other| other.word != key.word), "{side}: {key:?}");
                assert_eq!(key.kind == BuiltInKind::Amount, key.word.is_amount(), "{side}: {key:?}");
            }
        }
    }
}
