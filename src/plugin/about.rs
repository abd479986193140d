//! The description of a plugin after it was checked, and the permissions that an operator grants.
//!
//! `admit` makes an [`About`] from the bytes that the plugin sends. Every number in it is in its range, and
//! every reference points to something.

pub use crate::emit::{KeyName, Purpose, RuleCondition, RuleScope};
use crate::{
    limits,
    types::{Side, Type},
};

/// A key that a plugin reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutColumn {
    /// The side of the key.
    pub side: Side,
    /// The key.
    pub key: KeyName,
    /// The type of its values. `None` if it accepts a value of any type.
    pub kind: Option<Type>,
    /// True if the plugin cannot work without it.
    pub required: bool,
}

impl AboutColumn {
    /// Returns the key as a policy writes it: `agent.gpus`.
    pub fn show(&self) -> String {
        format!("{}.{}", self.side, self.key.show())
    }
}

/// A rule of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutRule {
    /// The label, which names the rule in reasons. For a class, the name of the class.
    pub label: String,
    /// True if the author chose the label.
    pub labelled: bool,
    /// The effect of the rule: a requirement, a preference or a class.
    pub purpose: Purpose,
    /// The agents or tiers that the rule is about.
    pub scope: RuleScope,
    /// The sides whose keys it reads, in order.
    pub sides: Vec<Side>,
    /// The index of the whole rule as one condition in [`About::conditions`].
    pub whole: u32,
    /// The indices of the conditions that must all hold for the rule.
    pub conditions: Vec<u32>,
}

impl AboutRule {
    /// Returns `true` if the rule reads keys of this side.
    pub fn reads(&self, side: Side) -> bool {
        self.sides.contains(&side)
    }
}

/// The checked description of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The plugin's own name, used in reasons.
    pub name: String,
    /// The program that built the plugin.
    pub producer: String,
    /// The keys that it reads.
    pub columns: Vec<AboutColumn>,
    /// Its rules.
    pub rules: Vec<AboutRule>,
    /// The conditions of its rules.
    pub conditions: Vec<RuleCondition>,
    /// The expressions that an explanation can name as the place of a failure.
    pub expressions: Vec<String>,
    /// The texts that it compares keys with.
    pub literals: Vec<String>,
    /// The versions that it compares keys with, as text.
    pub version_literals: Vec<String>,
    /// True if it reads the characters of texts, rather than only their numbers.
    pub wants_texts: bool,
    /// True if it walks the tree of places.
    pub wants_places: bool,
    /// True if it exports the interface for explanations.
    pub explains: bool,
}

impl About {
    /// Returns the indices of the rules that read keys of agents exactly if `agents`, and keys of supplies
    /// exactly if `pools`. So the flags tell which rows a rule is asked about; rules about neither are asked
    /// once for a need.
    pub fn rules_of(&self, agents: bool, pools: bool) -> Vec<u32> {
        let chosen = |rule: &AboutRule| rule.reads(Side::Agent) == agents && rule.reads(Side::Pool) == pools;
        let rules = self.rules.iter().enumerate();
        rules.filter(|(_, rule)| chosen(rule)).map(|(at, _)| at as u32).collect()
    }

    /// Returns the columns of one side that rules about both sides read. Rows that are alike in these columns
    /// are in one class: such rules answer the same for them.
    pub fn pair_columns(&self, side: Side) -> Vec<u32> {
        let pairs = self.rules.iter().filter(|rule| rule.reads(Side::Agent) && rule.reads(Side::Pool));
        let read = |rule: &AboutRule| self.conditions[rule.whole as usize].reads.clone();
        let mut columns: Vec<u32> = pairs.flat_map(read).collect();
        columns.retain(|column| self.columns[*column as usize].side == side);
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Returns `true` if the rule is a requirement.
    pub fn is_requirement(&self, rule: u32) -> bool {
        self.rules.get(rule as usize).is_some_and(|rule| rule.purpose == Purpose::Require)
    }
}

/// The keys and supplies that a plugin may see, and the weight of its preferences. A plugin reads a column
/// that is not granted as absent in every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The granted columns, with `None` for every key of a side. `None` grants everything.
    columns: Option<Vec<(Side, Option<KeyName>)>>,
    /// The only provider whose supplies are seen. `None` for all supplies.
    provider: Option<String>,
    /// The largest sum of the weights of its preferences. `None` leaves them as free as those of a policy.
    weight: Option<u64>,
}

impl Grants {
    /// Grants everything that the broker's own policy may read, and any weight. For filters that the operator
    /// wrote.
    pub fn all() -> Self {
        Grants::default()
    }

    /// Grants nothing to read. Preferences may weigh 100 together; see [`Grants::weight_at_most`].
    pub fn none() -> Self {
        Grants { columns: Some(Vec::new()), provider: None, weight: Some(limits::PLUGIN_WEIGHT) }
    }

    /// Grants what a plugin of this provider may see by default: the provider's own supplies with all their
    /// keys, and the volume that is asked of them. The plugin's rules apply only to candidates with one of
    /// these supplies, whatever scope they claim; see [`Filter::sees_pool`](super::Filter::sees_pool).
    pub fn provider(name: &str) -> Self {
        let mut grants = Grants::none().side(Side::Pool).side(Side::Volume);
        grants.provider = Some(name.to_owned());
        grants
    }

    /// Grants one more key.
    #[must_use]
    pub fn key(mut self, side: Side, key: KeyName) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.push((side, Some(key)));
        }
        self
    }

    /// Grants every key of one more side.
    #[must_use]
    pub fn side(mut self, side: Side) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.push((side, None));
        }
        self
    }

    /// Sets the largest sum of the absolute weights of its preferences, which bounds how much the plugin can
    /// add to or take from the score of a candidate. A plugin whose preferences weigh more is refused, so
    /// that it cannot outrank the operator's own. With 0 it can only require. The default is 100, except for
    /// [`Grants::all`].
    #[must_use]
    pub fn weight_at_most(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Returns the largest sum of the weights of its preferences. `None` leaves them as free as those of a
    /// policy.
    pub fn weight(&self) -> Option<u64> {
        self.weight
    }

    /// Returns `true` if the plugin may see a column.
    pub fn allows(&self, column: &AboutColumn) -> bool {
        self.columns.as_ref().is_none_or(|granted| {
            granted
                .iter()
                .any(|(side, key)| *side == column.side && key.as_ref().is_none_or(|key| *key == column.key))
        })
    }

    /// Returns the only provider whose supplies are seen, or `None` for all supplies.
    pub fn only_provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }
}
