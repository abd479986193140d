//! The wire form of offers, version 1. Fields are only ever added.

use serde::Serialize;

pub use super::{
    fields::{Amount, Fields},
    rejections::RejectionList,
};

/// The `format` of offers.
pub const FORMAT: &str = "bourse.offers";
/// The `format` of candidates.
pub const MATCHES_FORMAT: &str = "bourse.matches";
/// The `format` of fleets.
pub const FLEET_FORMAT: &str = "bourse.fleet";
/// The `format` of shares.
pub const SHARES_FORMAT: &str = "bourse.shares";
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
    /// The framework that it is shown to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
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
    /// Of a need that is granted whole or not at all, and was not: how many of its missing instances fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fitted: Option<u64>,
    /// Agents that could take an instance when the need was last tried; the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feasible_agents: Option<usize>,
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
    /// Of a need that a bound of the cycle cut: which bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<&'static str>,
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
    /// What it takes of the agent, all parts together.
    #[serde(skip)]
    pub taken: Fields<Amount>,
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
    /// Kept for the role or one above it: by that role.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub reserved: Fields<Fields<Amount>>,
    /// Reserved for nobody.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub unreserved: Fields<Amount>,
    /// What may be taken back.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub revocable: Fields<Amount>,
    /// What may be taken back since it is kept for another role: by that role. A framework is shown it as revocable.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub lent: Fields<Fields<Amount>>,
}

impl Parts {
    /// Whether all of it is reserved for nobody.
    pub fn is_plain(&self) -> bool {
        self.reserved.is_empty() && self.revocable.is_empty() && self.lent.is_empty()
    }

    /// What of a resource is not plainly unreserved, in words: `2 reserved for ads`.
    pub fn notes(&self, resource: &str) -> Vec<String> {
        let of = |amounts: &Fields<Amount>| amounts.get(resource).cloned();
        let kept =
            self.reserved.0.iter().filter_map(|(role, amounts)| {
                of(amounts).map(|amount| format!("{amount} reserved for {role}"))
            });
        let revocable = of(&self.revocable).map(|amount| format!("{amount} revocable"));
        let lent = self.lent.0.iter().filter_map(|(role, amounts)| {
            of(amounts).map(|amount| format!("{amount} revocable, lent by {role}"))
        });
        kept.chain(revocable).chain(lent).collect()
    }
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
    /// The same by part, where not all of it is unreserved.
    #[serde(skip_serializing_if = "Parts::is_plain")]
    pub parts: Parts,
    /// The path of the volume that it is a snapshot of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The file system that it has, or is to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<String>,
    /// Size taken − size asked.
    pub waste: String,
}

/// A score.
#[derive(Debug, Serialize)]
pub struct Score {
    /// Which of the need's offers it is, from 1, the best first as they were made; what a framework sees instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// As a decimal, rounded half to even to six digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
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
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Whose need.
    pub framework: String,
    /// The need.
    pub need: String,
    /// Which places it is about, as a framework is told: `agents`, `storage`, `both` or `others`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub places: Option<&'static str>,
    /// The volumes that supplies were tried for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Of what others leave too little: the amounts that the need asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
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
#[derive(Clone, Debug, Default, Serialize)]
pub struct Excluded {
    /// How many.
    pub count: usize,
    /// Up to ten names; the operator's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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
    /// The parts of what there is more than one part of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartLeft>,
}

/// What is free of one part of what an agent or tier has.
#[derive(Debug, Serialize)]
pub struct PartLeft {
    /// The agent's name, or the path of the tier.
    pub holder: String,
    /// The resource.
    pub resource: String,
    /// `reserved`, `unreserved` or `revocable`.
    pub part: &'static str,
    /// For whom it is reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What is free.
    pub free: Amount,
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
    /// Its share before the cycle.
    pub share_before: String,
    /// The resource that made it before the cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dominant_before: Option<String>,
    /// Its limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
}

/// A limit of a role.
#[derive(Debug, Serialize)]
pub struct Limit {
    /// What is limited: `agent.cpus`.
    pub resource: String,
    /// The most that the role and those below it may use.
    pub limit: Amount,
    /// What they used before the cycle.
    pub used_before: Amount,
    /// What they use after it.
    pub used: Amount,
}

/// Roles and their shares.
#[derive(Debug, Serialize)]
pub struct Shares {
    /// `bourse.shares`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// Every role, by path.
    pub roles: Vec<Role>,
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
    /// Its parts, where there is more than an unreserved one. What is revocable is not in the amounts above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartTotals>,
}

/// A part of what there is of a resource.
#[derive(Clone, Debug, Serialize)]
pub struct PartTotals {
    /// `reserved`, `unreserved` or `revocable`.
    pub part: &'static str,
    /// For whom it is reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What can be used.
    pub total: Amount,
    /// How much is used.
    pub used: Amount,
    /// What is free.
    pub free: Amount,
}
