//! What is said of keys, rules and conditions on both sides of the interface: by who builds a plugin, and by who runs one.

use crate::{types::Side, value::is_within};

/// Which key of a side a column holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An open key, dotted where it is nested. Of the need and the volume also an amount asked for.
    Attribute(String),
    /// The name.
    Name,
    /// The place.
    Domain,
    /// The path down to the level of this name.
    Level(String),
    /// Usable total of a resource.
    Total(String),
    /// What is free of a resource.
    Free(String),
    /// What is used of a resource.
    Used(String),
    /// The provider's name.
    Provider,
    /// The instance's name.
    Instance,
}

impl Key {
    /// As a policy writes it after its side: `gpus`, `rack`, `free.cpus`.
    pub fn show(&self) -> String {
        match self {
            Key::Attribute(key) => key.clone(),
            Key::Name => "name".to_owned(),
            Key::Domain => "domain".to_owned(),
            Key::Level(level) => level.clone(),
            Key::Total(resource) => format!("total.{resource}"),
            Key::Free(resource) => format!("free.{resource}"),
            Key::Used(resource) => format!("used.{resource}"),
            Key::Provider => "provider".to_owned(),
            Key::Instance => "instance".to_owned(),
        }
    }

    /// Whether it changes as offers are made.
    pub fn is_counted(&self) -> bool {
        matches!(self, Key::Free(_) | Key::Used(_))
    }
}

impl Key {
    /// The keys that one could be that a policy writes like this after its side: what `rack` is, only the fleet's levels
    /// tell.
    pub fn written(text: &str) -> Vec<Key> {
        match (text, text.split_once('.')) {
            ("name", _) => vec![Key::Name],
            ("domain", _) => vec![Key::Domain],
            ("provider", _) => vec![Key::Provider],
            ("instance", _) => vec![Key::Instance],
            (_, Some(("total", resource))) => vec![Key::Total(resource.to_owned())],
            (_, Some(("free", resource))) => vec![Key::Free(resource.to_owned())],
            (_, Some(("used", resource))) => vec![Key::Used(resource.to_owned())],
            _ => vec![Key::Attribute(text.to_owned()), Key::Level(text.to_owned())],
        }
    }
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It must hold.
    Require,
    /// It adds to the score, at this weight in millionths.
    Prefer(i64),
    /// A class that needs may ask for.
    Class(Side),
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every candidate.
    Everyone,
    /// The agent of this name.
    Agent(String),
    /// The supplies of this path and below.
    Tier(String),
}

impl Scope {
    /// Whether a rule is about the agent of this name.
    pub fn has_agent(&self, name: &str) -> bool {
        match self {
            Scope::Everyone => true,
            Scope::Agent(own) => own == name,
            Scope::Tier(_) => false,
        }
    }

    /// Whether a rule is about the supply with this path.
    pub fn has_supply(&self, path: &str) -> bool {
        match self {
            Scope::Everyone => true,
            Scope::Agent(_) => false,
            Scope::Tier(own) => is_within(path, own),
        }
    }
}

/// A condition of a plugin's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// As a policy would write it.
    pub text: String,
    /// What it wants of its subject.
    pub want: String,
    /// The column it is about.
    pub subject: Option<u32>,
    /// Whether an explanation tells what the subject is compared with.
    pub operand: bool,
    /// The columns it reads, in order of first reading.
    pub reads: Vec<u32>,
}
