//! The wire form of offers, version 1. Fields are only ever added.

use std::fmt;

use serde::{Serialize, Serializer};

pub use super::rejections::RejectionList;

/// The `format` of offers.
pub const FORMAT: &str = "bourse.offers";
/// The `format` of candidates.
pub const MATCHES_FORMAT: &str = "bourse.matches";
/// The `format` of fleets.
pub const FLEET_FORMAT: &str = "bourse.fleet";
/// The `version` of all of them.
pub const VERSION: u32 = 1;

/// One cycle.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// `bourse.offers`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// `operator` or `framework`.
    pub view: &'static str,
    /// What became of each need.
    pub needs: Vec<Need>,
    /// The offers, in the order they were made.
    pub offers: Vec<Offer>,
    /// What was against everything else.
    pub rejections: RejectionList<'a>,
    /// The offers with shares; the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grant>>,
    /// What is free after the cycle; the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Remaining>,
    /// Roles and their shares after the cycle; the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
}

/// A need and what became of it.
#[derive(Debug, Serialize)]
pub struct Need {
    /// Whose it is.
    pub framework: String,
    /// Its name.
    pub need: String,
    /// `met`, `partial` or `unmet`.
    pub outcome: &'static str,
    /// Why it got no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// Instances wanted.
    pub wanted: u64,
    /// Instances there before the cycle.
    pub allocated: u64,
    /// Instances offered.
    pub offered: u64,
    /// Instances still missing.
    pub missing: u64,
    /// Agents that could take an instance when the need was last tried.
    pub feasible_agents: usize,
    /// Rejections that were counted and not kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub rejections_dropped: usize,
    /// How the need is called in texts.
    #[serde(skip)]
    pub label: String,
    /// Its number in the cycle.
    #[serde(skip)]
    pub at: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Why a need got no more.
#[derive(Debug, Serialize)]
pub struct Why {
    /// `proved`, `contended` or `bounded`.
    pub kind: &'static str,
    /// How many offers it was lost to.
    #[serde(skip_serializing_if = "is_zero")]
    pub lost_to_count: usize,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost_to: Vec<LostTo>,
}

/// An offer that something was lost to.
#[derive(Debug, Serialize)]
pub struct LostTo {
    /// Its id.
    pub offer: String,
    /// Its agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// An offer.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// `FRAMEWORK.NEED#INSTANCE`
    pub id: String,
    /// Whose it is.
    pub framework: String,
    /// The need it serves.
    pub need: String,
    /// Which instance of the need, from 1, allocations counted.
    pub instance: u64,
    /// The framework's role.
    pub role: String,
    /// Where it runs; left out where the need wants no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// What it takes of the agent, by part.
    pub amounts: Parts,
    /// What of `amounts` is charged by the operator's rules.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub charges: Fields<Amount>,
    /// What serves its volumes.
    pub volumes: Vec<Volume>,
    /// How good it is.
    pub score: Score,
    /// Which need of the cycle it serves.
    #[serde(skip)]
    pub need_at: usize,
}

/// Amounts by part.
#[derive(Debug, Default, Serialize)]
pub struct Parts {
    /// Reserved for nobody.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub unreserved: Fields<Amount>,
}

/// An agent of an offer.
#[derive(Debug, Serialize)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Classes of it that the need asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// Exposed keys, as the language writes their values.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub keys: Fields<String>,
}

/// A volume of an offer.
#[derive(Debug, Serialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Which of those of this name, from 1.
    pub number: u32,
    /// The path of the pool or the existing volume.
    pub supply: String,
    /// `carved` or `existing`.
    pub kind: &'static str,
    /// Where the supply is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Classes of the supply that the need asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// Exposed keys of the supply, as the language writes their values.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub keys: Fields<String>,
    /// What was asked.
    pub asked: Fields<Amount>,
    /// What is taken.
    pub taken: Fields<Amount>,
    /// Size taken − size asked.
    pub waste: String,
}

/// A score.
#[derive(Debug, Serialize)]
pub struct Score {
    /// As a decimal, rounded half to even to six digits.
    pub value: String,
    /// The exact score, above the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numerator: Option<String>,
    /// The exact score, below the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denominator: Option<String>,
    /// What each preference earned; the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
}

/// What a preference earned.
#[derive(Debug, Serialize)]
pub struct Item {
    /// Its label, or its place in the source.
    pub label: String,
    /// The volume it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its weight.
    pub weight: String,
    /// What it earned of its weight, 0 to 1; left out where it is unknown, which earns nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Why something was no candidate.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    /// The rule's label or place, the class, the resource, or the built-in word.
    pub label: String,
    /// Which kind of condition.
    pub kind: &'static str,
    /// Everything else; the operator's.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub detail: Option<ReasonDetail>,
}

/// What only the operator sees of a reason.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonDetail {
    /// Whose key or amount.
    pub side: &'static str,
    /// The key or resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What there is. Grouped: the values nearest to what is wanted.
    pub have: Vec<String>,
    /// What is wanted.
    pub want: String,
    /// Keys that are absent or of another type.
    pub absent: Vec<String>,
    /// Whether no change in what is free can cure it.
    pub permanent: bool,
}

/// Like reasons together.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Whose need.
    pub framework: String,
    /// The need.
    pub need: String,
    /// The volumes that supplies were tried for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// The reason.
    #[serde(flatten)]
    pub reason: Reason,
    /// The agents it excludes.
    #[serde(skip_serializing_if = "Excluded::is_none")]
    pub agents: Excluded,
    /// The supplies it excludes.
    #[serde(skip_serializing_if = "Excluded::is_none")]
    pub supplies: Excluded,
}

/// How many are excluded, and the first of them.
#[derive(Debug, Default, Serialize)]
pub struct Excluded {
    /// How many.
    pub count: usize,
    /// Up to ten names.
    pub names: Vec<String>,
}

impl Excluded {
    fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// One rejection.
#[derive(Debug, Serialize)]
pub struct Rejection {
    /// Whose need.
    pub framework: String,
    /// The need.
    pub need: String,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The supply tried for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply: Option<String>,
    /// Everything against it.
    pub reasons: Vec<Reason>,
}

/// An offer in the order of the cycle.
#[derive(Debug, Serialize)]
pub struct Grant {
    /// The offer.
    pub offer: String,
    /// The role that was served.
    pub role: String,
    /// The role's dominant share after it, an exact fraction.
    pub share: String,
}

/// What is free after the cycle.
#[derive(Debug, Serialize)]
pub struct Remaining {
    /// By agent.
    pub agents: Fields<Fields<Amount>>,
    /// By the path of the tier that has it.
    pub pools: Fields<Fields<Amount>>,
    /// By role: what is left of its limits.
    pub roles: Fields<Fields<Amount>>,
}

/// A role.
#[derive(Debug, Serialize)]
pub struct Role {
    /// Its path.
    pub role: String,
    /// Its weight.
    pub weight: String,
    /// Its dominant share, sub-roles included, before the weight: an exact fraction.
    pub share: String,
    /// The resource that makes it: `agent.cpus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dominant: Option<String>,
}

/// Every feasible candidate of some needs.
#[derive(Debug, Serialize)]
pub struct Matches {
    /// `bourse.matches`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// The needs.
    pub needs: Vec<MatchedNeed>,
}

/// A need and its candidates.
#[derive(Debug, Serialize)]
pub struct MatchedNeed {
    /// Whose it is.
    pub framework: String,
    /// Its name.
    pub need: String,
    /// How many candidates there are.
    pub feasible: usize,
    /// Whether a bound ended the search of some candidate.
    pub bounded: bool,
    /// The best of them, best first.
    pub candidates: Vec<Offer>,
    /// How the need is called in texts.
    #[serde(skip)]
    pub label: String,
}

/// A fleet before any offer.
#[derive(Debug, Serialize)]
pub struct Stock {
    /// `bourse.fleet`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// The agents, by name.
    pub agents: Vec<AgentStock>,
    /// Providers, instances, pools and existing volumes, each after the tier it belongs to.
    pub storage: Vec<TierStock>,
    /// The sums of each side.
    pub sums: Sums,
}

/// What an agent has.
#[derive(Debug, Serialize)]
pub struct AgentStock {
    /// Its name.
    pub name: String,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// By resource.
    pub resources: Fields<Totals>,
}

/// What a tier has itself.
#[derive(Debug, Serialize)]
pub struct TierStock {
    /// `provider`, `instance`, `pool` or `volume`.
    pub kind: &'static str,
    /// Names down to it.
    pub path: String,
    /// By resource.
    pub resources: Fields<Totals>,
}

/// Sums by resource; of ranges and items how many. What pools share is counted once.
#[derive(Debug, Serialize)]
pub struct Sums {
    /// Of all agents.
    pub agents: Fields<Totals>,
    /// Of all pools.
    pub storage: Fields<Totals>,
}

/// What there is of a resource.
#[derive(Clone, Debug, Serialize)]
pub struct Totals {
    /// What can be used.
    pub total: Amount,
    /// How much is used.
    pub used: Amount,
    /// What is free.
    pub free: Amount,
}

/// An amount, as the language writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// With its unit; a range as `LOW..HIGH`.
    Scalar(String),
    /// Ranges.
    Ranges(Vec<(i64, i64)>),
    /// Names of items.
    Items(Vec<String>),
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Amount::Scalar(text) => serializer.serialize_str(text),
            // As inventories have them, so that an offer can be given back as an allocation.
            Amount::Ranges(parts) => serializer.collect_seq(parts.iter().map(|(low, high)| {
                if low == high { Member::One(*low) } else { Member::Text(format!("{low}..{high}")) }
            })),
            Amount::Items(names) => serializer.collect_seq(names),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Member {
    One(i64),
    Text(String),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = match self {
            Amount::Scalar(text) => return f.write_str(text),
            Amount::Ranges(parts) => {
                let part = |(low, high): &(i64, i64)| {
                    if low == high { low.to_string() } else { format!("{low}..{high}") }
                };
                parts.iter().map(part).collect()
            }
            Amount::Items(names) => names.iter().map(|name| crate::value::quote(name)).collect(),
        };
        write!(f, "[{}]", members.join(", "))
    }
}

/// An object whose fields keep their order.
#[derive(Clone, Debug)]
pub struct Fields<V>(pub Vec<(String, V)>);

impl<V> Fields<V> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V> Default for Fields<V> {
    fn default() -> Self {
        Fields(Vec::new())
    }
}

impl<V> FromIterator<(String, V)> for Fields<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(fields: I) -> Self {
        Fields(fields.into_iter().collect())
    }
}

impl<V: Serialize> Serialize for Fields<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
