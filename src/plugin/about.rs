//! What a plugin says it is, once that is checked: every number is in its range, every name is there.

pub use crate::emit::{Condition, Key, Purpose, Scope};
use crate::{
    limits,
    types::{Side, Type},
};

/// A key that a plugin reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Whose.
    pub side: Side,
    /// Which.
    pub key: Key,
    /// What it holds; `None`: whatever each row has.
    pub kind: Option<Type>,
    /// Whether the plugin is of no use without it.
    pub required: bool,
}

impl Column {
    /// As a policy writes it: `agent.gpus`.
    pub fn show(&self) -> String {
        format!("{}.{}", self.side, self.key.show())
    }
}

/// A rule of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Names it in reasons; of a class, its name.
    pub label: String,
    /// Whether its author chose the label.
    pub labelled: bool,
    /// What it is for.
    pub purpose: Purpose,
    /// Whom it is about.
    pub scope: Scope,
    /// The sides whose keys it reads, in order.
    pub sides: Vec<Side>,
    /// The rule as a condition, by its place in [`About::conditions`].
    pub whole: u32,
    /// The conditions that must all hold for it.
    pub conditions: Vec<u32>,
}

impl Rule {
    /// Whether it reads keys of this side.
    pub fn reads(&self, side: Side) -> bool {
        self.sides.contains(&side)
    }
}

/// What a plugin is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its own name, for reasons.
    pub name: String,
    /// What made it.
    pub producer: String,
    /// What it reads.
    pub columns: Vec<Column>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Conditions of its rules.
    pub conditions: Vec<Condition>,
    /// Expressions that faults of explanations are told of.
    pub expressions: Vec<String>,
    /// Texts that it compares with.
    pub literals: Vec<String>,
    /// Versions that it compares with, as text.
    pub version_literals: Vec<String>,
    /// Whether it reads texts letter by letter.
    pub wants_texts: bool,
    /// Whether it looks up and down the tree of places.
    pub wants_places: bool,
    /// Whether it explains itself.
    pub explains: bool,
}

impl About {
    /// The rules that read keys of agents, and of supplies, or not, by their place: who asks about which rows. Rules
    /// about neither are asked once for a need.
    pub fn rules_of(&self, agents: bool, pools: bool) -> Vec<u32> {
        let chosen = |rule: &Rule| rule.reads(Side::Agent) == agents && rule.reads(Side::Pool) == pools;
        let rules = self.rules.iter().enumerate();
        rules.filter(|(_, rule)| chosen(rule)).map(|(at, _)| at as u32).collect()
    }

    /// The columns of one side that rules about both read: rows that are alike in these are of one class.
    pub fn pair_columns(&self, side: Side) -> Vec<u32> {
        let pairs = self.rules.iter().filter(|rule| rule.reads(Side::Agent) && rule.reads(Side::Pool));
        let read = |rule: &Rule| self.conditions[rule.whole as usize].reads.clone();
        let mut columns: Vec<u32> = pairs.flat_map(read).collect();
        columns.retain(|column| self.columns[*column as usize].side == side);
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The requirements among rules.
    pub fn is_requirement(&self, rule: u32) -> bool {
        self.rules.get(rule as usize).is_some_and(|rule| rule.purpose == Purpose::Require)
    }
}

/// What a plugin may see. Where a column is not granted, no row has its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The columns; `None`: all.
    columns: Option<Vec<(Side, Option<Key>)>>,
    /// Only the supplies of this provider.
    provider: Option<String>,
    /// What its preferences may weigh together; `None`: as much as those of a policy.
    weight: Option<u64>,
}

impl Grants {
    /// Everything that the broker's own policy may read, and any weight: for filters of the operator.
    pub fn all() -> Self {
        Grants::default()
    }

    /// Nothing, until something is granted; but preferences may weigh 100 together, see [`Grants::weight_at_most`].
    pub fn none() -> Self {
        Grants { columns: Some(Vec::new()), provider: None, weight: Some(limits::PLUGIN_WEIGHT) }
    }

    /// What a provider's plugin may see by itself: its own supplies, with all their keys, and what is asked of them (the
    /// volume). Its rules are about candidates with one of these supplies, whatever scope they claim: see
    /// [`Filter::sees_pool`](super::Filter::sees_pool).
    pub fn provider(name: &str) -> Self {
        let mut grants = Grants::none().side(Side::Pool).side(Side::Volume);
        grants.provider = Some(name.to_owned());
        grants
    }

    /// One key more.
    #[must_use]
    pub fn key(mut self, side: Side, key: Key) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.push((side, Some(key)));
        }
        self
    }

    /// Every key of a side more.
    #[must_use]
    pub fn side(mut self, side: Side) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.push((side, None));
        }
        self
    }

    /// What its preferences may weigh together, whichever way each counts: no candidate gains or loses more by its word. A plugin
    /// whose preferences weigh more is refused, so that it cannot outrank the operator's own; 0 lets it only require. Without
    /// this it is 100 for all but [`Grants::all`].
    #[must_use]
    pub fn weight_at_most(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// What its preferences may weigh together; `None`: as much as those of a policy.
    pub fn weight(&self) -> Option<u64> {
        self.weight
    }

    /// Whether a column may be seen.
    pub fn allows(&self, column: &Column) -> bool {
        self.columns.as_ref().is_none_or(|granted| {
            granted
                .iter()
                .any(|(side, key)| *side == column.side && key.as_ref().is_none_or(|key| *key == column.key))
        })
    }

    /// The provider whose supplies alone are seen; `None`: all supplies.
    pub fn only_provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }
}
