//! The vocabulary of manifests: keys, purposes, scopes and conditions. The builder of a plugin and its host
//! share it, also where plugins cannot run.

use crate::{keys::BuiltIn, types::Side, value::is_within};

/// The key of a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyName {
    /// An open key, dotted if nested. For the need and the volume, also a requested amount.
    Attribute(String),
    /// The name.
    Name,
    /// The place.
    Domain,
    /// The path down to the level with this name.
    Level(String),
    /// The usable total of a resource.
    Total(String),
    /// The free amount of a resource.
    Free(String),
    /// The used amount of a resource.
    Used(String),
    /// The provider's name.
    Provider,
    /// The instance's name.
    Instance,
}

impl KeyName {
    /// Returns the key as a policy writes it after its side: `gpus`, `rack`, `free.cpus`.
    pub fn show(&self) -> String {
        match self {
            KeyName::Attribute(key) => key.clone(),
            KeyName::Name => BuiltIn::Name.text().to_owned(),
            KeyName::Domain => BuiltIn::Domain.text().to_owned(),
            KeyName::Level(level) => level.clone(),
            KeyName::Total(resource) => BuiltIn::Total.of(resource),
            KeyName::Free(resource) => BuiltIn::Free.of(resource),
            KeyName::Used(resource) => BuiltIn::Used.of(resource),
            KeyName::Provider => BuiltIn::Provider.text().to_owned(),
            KeyName::Instance => BuiltIn::Instance.text().to_owned(),
        }
    }

    /// Returns `true` if it changes as offers are made.
    pub fn is_counted(&self) -> bool {
        matches!(self, KeyName::Free(_) | KeyName::Used(_))
    }
}

impl KeyName {
    /// Returns the keys that this text may stand for after a side. Only the levels of a fleet tell whether
    /// `rack` is a level or an open key.
    pub fn written(text: &str) -> Vec<KeyName> {
        let (first, rest) = text.split_once('.').map_or((text, None), |(first, rest)| (first, Some(rest)));
        match (BuiltIn::from_text(first), rest) {
            (Some(BuiltIn::Name), None) => vec![KeyName::Name],
            (Some(BuiltIn::Domain), None) => vec![KeyName::Domain],
            (Some(BuiltIn::Provider), None) => vec![KeyName::Provider],
            (Some(BuiltIn::Instance), None) => vec![KeyName::Instance],
            (Some(BuiltIn::Total), Some(resource)) => vec![KeyName::Total(resource.to_owned())],
            (Some(BuiltIn::Free), Some(resource)) => vec![KeyName::Free(resource.to_owned())],
            (Some(BuiltIn::Used), Some(resource)) => vec![KeyName::Used(resource.to_owned())],
            _ => vec![KeyName::Attribute(text.to_owned()), KeyName::Level(text.to_owned())],
        }
    }
}

/// The purpose of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A requirement.
    Require,
    /// A preference, with its weight in millionths.
    Prefer(i64),
    /// A class of candidates on this side, which needs may ask for.
    Class(Side),
}

/// The candidates that a rule applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleScope {
    /// Every candidate.
    Everyone,
    /// The agent with this name.
    Agent(String),
    /// The supplies at this path and below.
    Tier(String),
}

impl RuleScope {
    /// Returns `true` if the rule applies to the agent with this name.
    pub fn has_agent(&self, name: &str) -> bool {
        match self {
            RuleScope::Everyone => true,
            RuleScope::Agent(own) => own == name,
            RuleScope::Tier(_) => false,
        }
    }

    /// Returns `true` if the rule applies to the supply with this path.
    pub fn has_supply(&self, path: &str) -> bool {
        match self {
            RuleScope::Everyone => true,
            RuleScope::Agent(_) => false,
            RuleScope::Tier(own) => is_within(path, own),
        }
    }
}

/// A condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCondition {
    /// The condition as a policy would write it.
    pub text: String,
    /// The part that its subject must satisfy: `>= 2`. The whole text if there is no subject.
    pub want: String,
    /// The column that it tests, if there is one.
    pub subject: Option<u32>,
    /// `true` if explanations show the value that the subject is compared with.
    pub operand: bool,
    /// The columns that it reads, in order of first use.
    pub reads: Vec<u32>,
}
