//! The wire forms of offers, candidates, fleets and shares, version 1. Fields are only ever added.

use serde::Serialize;

pub use super::{
    fields::{OrderedFields, WrittenAmount},
    rejections::RejectionList,
};
use crate::cycle::WhyKind;

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

/// The offers of a cycle.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// `bourse.offers`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// `operator` or `framework`.
    pub view: &'static str,
    /// The framework that the document is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    /// The result of each need.
    pub needs: Vec<WireNeed>,
    /// The offers, in the order in which they were made. A framework gets them in the order of its needs.
    pub offers: Vec<Offer>,
    /// The rejections of everything else.
    pub rejections: RejectionList<'a>,
    /// The offers with the shares after them. For the operator only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<WireGrant>>,
    /// The free amounts after the cycle. For the operator only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Remaining>,
    /// The roles and their shares after the cycle. For the operator only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<WireRole>>,
}

/// A need and its result.
#[derive(Debug, Serialize)]
pub struct WireNeed {
    /// The framework.
    pub framework: String,
    /// The name.
    pub need: String,
    /// `met`, `partial` or `unmet`.
    pub outcome: &'static str,
    /// The cause for which it got no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<WireWhy>,
    /// The instances wanted.
    pub wanted: u64,
    /// The instances before the cycle.
    pub allocated: u64,
    /// The instances offered.
    pub offered: u64,
    /// The instances still missing.
    pub missing: u64,
    /// The missing instances that would have fitted, of a need that is granted whole or not at all and was
    /// not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fitted: Option<u64>,
    /// The agents that could take an instance when the need was last tried. For the operator only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feasible_agents: Option<usize>,
    /// The rejections that were counted and not kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub rejections_dropped: usize,
    /// The label of the need in texts.
    #[serde(skip)]
    pub label: String,
    /// The number of the need in the cycle.
    #[serde(skip)]
    pub at: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The cause for which a need got no more.
#[derive(Debug, Serialize)]
pub struct WireWhy {
    /// `proved`, `contended` or `bounded`.
    #[serde(serialize_with = "by_name")]
    pub kind: WhyKind,
    /// The bound of the cycle that cut the need short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<&'static str>,
    /// The number of offers that it was lost to.
    #[serde(skip_serializing_if = "is_zero")]
    pub lost_to_count: usize,
    /// The first of these offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost_to: Vec<LostTo>,
}

fn by_name<S: serde::Serializer>(kind: &WhyKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// An offer that won what a need lacks.
#[derive(Debug, Serialize)]
pub struct LostTo {
    /// The id of the offer.
    pub offer: String,
    /// The agent of the offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// An offer.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// `FRAMEWORK.NEED#INSTANCE`
    pub id: String,
    /// The framework.
    pub framework: String,
    /// The need that it serves.
    pub need: String,
    /// The number of the instance of the need, from 1, counting allocations.
    pub instance: u64,
    /// The framework's role.
    pub role: String,
    /// The agent it runs on. Left out if the need wants no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<WireAgent>,
    /// The amounts that it takes of the agent, by part.
    pub amounts: Parts,
    /// The amounts that it takes of the agent, all parts together.
    #[serde(skip)]
    pub taken: OrderedFields<WrittenAmount>,
    /// The share of `amounts` that the operator's rules charge.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub charges: OrderedFields<WrittenAmount>,
    /// The supplies of its volumes.
    pub volumes: Vec<WireVolume>,
    /// The score.
    pub score: WireScore,
    /// The number of its need in the cycle.
    #[serde(skip)]
    pub need_at: usize,
}

/// Amounts by part.
#[derive(Debug, Default, Serialize)]
pub struct Parts {
    /// Amounts reserved for the role or one above it, by the role of the reservation.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub reserved: OrderedFields<OrderedFields<WrittenAmount>>,
    /// Amounts that are not reserved.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub unreserved: OrderedFields<WrittenAmount>,
    /// Amounts that may be revoked.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub revocable: OrderedFields<WrittenAmount>,
    /// Amounts reserved for other roles, which may be revoked, by the role of the reservation. A framework
    /// sees them under `revocable`.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub lent: OrderedFields<OrderedFields<WrittenAmount>>,
}

impl Parts {
    /// Returns `true` if all amounts are unreserved.
    pub fn is_plain(&self) -> bool {
        self.reserved.is_empty() && self.revocable.is_empty() && self.lent.is_empty()
    }

    /// Describes the amounts of a resource that are not unreserved: `2 reserved for ads`.
    pub fn notes(&self, resource: &str) -> Vec<String> {
        let of = |amounts: &OrderedFields<WrittenAmount>| amounts.get(resource).cloned();
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
pub struct WireAgent {
    /// The name.
    pub name: String,
    /// The place in the tree of fault domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The classes of the agent that the need asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// The exposed keys, with values as the language writes them.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub keys: OrderedFields<String>,
}

/// A volume of an offer.
#[derive(Debug, Serialize)]
pub struct WireVolume {
    /// The name.
    pub name: String,
    /// The number among the volumes of this name, from 1.
    pub number: u32,
    /// The path of the pool or the existing volume.
    pub supply: String,
    /// `carved` or `existing`.
    pub kind: &'static str,
    /// The place of the supply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The classes of the supply that the need asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// The exposed keys of the supply, with values as the language writes them.
    #[serde(skip_serializing_if = "OrderedFields::is_empty")]
    pub keys: OrderedFields<String>,
    /// The amounts asked for.
    pub asked: OrderedFields<WrittenAmount>,
    /// The amounts taken.
    pub taken: OrderedFields<WrittenAmount>,
    /// The taken amounts by part. Left out if all are unreserved.
    #[serde(skip_serializing_if = "Parts::is_plain")]
    pub parts: Parts,
    /// The path of the volume that it is to be a snapshot of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The file system that it has, or is to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<String>,
    /// The size taken less the size asked for.
    pub waste: String,
}

/// A score.
#[derive(Debug, Serialize)]
pub struct WireScore {
    /// The number among the need's offers in the order in which they were made, from 1. Shown to frameworks
    /// in place of the exact score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// The score as a decimal, rounded half to even to six digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The numerator of the exact score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numerator: Option<String>,
    /// The denominator of the exact score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denominator: Option<String>,
    /// The credit of each preference. For the operator only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
}

/// The credit of a preference.
#[derive(Debug, Serialize)]
pub struct Item {
    /// The label, or the position in the source if there is none.
    pub label: String,
    /// The volume that the preference is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The weight.
    pub weight: String,
    /// The credit, from 0 to 1. Left out if it is unknown, which earns nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// The reason for which a row was no candidate.
#[derive(Clone, Debug, Serialize)]
pub struct WireReason {
    /// The label or position of the rule, the name of the class or resource, or a built-in word.
    pub label: String,
    /// The kind of condition.
    pub kind: &'static str,
    /// The details. For the operator only.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub detail: Option<ReasonDetail>,
}

/// The details of a reason.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonDetail {
    /// The side of the key or amount.
    pub side: &'static str,
    /// The key or resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The values found. In a group, those nearest to what is wanted.
    pub have: Vec<String>,
    /// The demand.
    pub want: String,
    /// The keys that are absent or of another type.
    pub absent: Vec<String>,
    /// True if no change of free amounts can remove it.
    pub permanent: bool,
}

/// A group of like reasons.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// The framework.
    pub framework: String,
    /// The need.
    pub need: String,
    /// The places that it is about, for a framework: `agents`, `storage`, `both` or `others`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub places: Option<&'static str>,
    /// The volumes that supplies were tried for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// The amounts that the need asks for, in a group about `others`, who leave too little of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// The reason.
    #[serde(flatten)]
    pub reason: WireReason,
    /// The excluded agents.
    #[serde(skip_serializing_if = "Excluded::is_none")]
    pub agents: Excluded,
    /// The excluded supplies.
    #[serde(skip_serializing_if = "Excluded::is_none")]
    pub supplies: Excluded,
}

/// The number of excluded rows, and the first of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Excluded {
    /// The number.
    pub count: usize,
    /// Up to ten names. For the operator only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Excluded {
    fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// A rejection.
#[derive(Debug, Serialize)]
pub struct WireRejection {
    /// The framework.
    pub framework: String,
    /// The need.
    pub need: String,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The supply that was tried for the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply: Option<String>,
    /// All reasons against it.
    pub reasons: Vec<WireReason>,
}

/// An offer, in the order of the cycle.
#[derive(Debug, Serialize)]
pub struct WireGrant {
    /// The id of the offer.
    pub offer: String,
    /// The role that was served.
    pub role: String,
    /// The dominant share of the role after the grant, as an exact fraction.
    pub share: String,
}

/// The free amounts after the cycle.
#[derive(Debug, Serialize)]
pub struct Remaining {
    /// The free amounts by agent.
    pub agents: OrderedFields<OrderedFields<WrittenAmount>>,
    /// The free amounts by the path of the tier that has them.
    pub pools: OrderedFields<OrderedFields<WrittenAmount>>,
    /// The remainders of limits, by role.
    pub roles: OrderedFields<OrderedFields<WrittenAmount>>,
    /// The free amounts of each part, for holdings with other parts than an unreserved one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartLeft>,
}

/// The free amount of one part of a holding.
#[derive(Debug, Serialize)]
pub struct PartLeft {
    /// The agent's name, or the path of the tier.
    pub holder: String,
    /// The resource.
    pub resource: String,
    /// `reserved`, `unreserved` or `revocable`.
    pub part: &'static str,
    /// The role that it is reserved for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The free amount.
    pub free: WrittenAmount,
}

/// A role.
#[derive(Debug, Serialize)]
pub struct WireRole {
    /// The path.
    pub role: String,
    /// The weight.
    pub weight: String,
    /// The dominant share including sub-roles, before division by the weight, as an exact fraction.
    pub share: String,
    /// The resource of the dominant share: `agent.cpus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dominant: Option<String>,
    /// The share before the cycle.
    pub share_before: String,
    /// The resource of the share before the cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dominant_before: Option<String>,
    /// The limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<WireLimit>,
}

/// A limit of a role.
#[derive(Debug, Serialize)]
pub struct WireLimit {
    /// The limited resource: `agent.cpus`.
    pub resource: String,
    /// The most that the role and those below it may use.
    pub limit: WrittenAmount,
    /// The amount used before the cycle.
    pub used_before: WrittenAmount,
    /// The amount used after the cycle.
    pub used: WrittenAmount,
}

/// Roles and their shares.
#[derive(Debug, Serialize)]
pub struct WireShares {
    /// `bourse.shares`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// The roles, by path.
    pub roles: Vec<WireRole>,
}

/// The feasible candidates of needs.
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
    /// The framework.
    pub framework: String,
    /// The name.
    pub need: String,
    /// The number of candidates.
    pub feasible: usize,
    /// True if a bound ended the search of some candidate.
    pub bounded: bool,
    /// The best candidates, best first.
    pub candidates: Vec<Offer>,
    /// The label of the need in texts.
    #[serde(skip)]
    pub label: String,
}

/// A fleet before any offer.
#[derive(Debug, Serialize)]
pub struct FleetDocument {
    /// `bourse.fleet`
    pub format: &'static str,
    /// 1
    pub version: u32,
    /// The agents, by name.
    pub agents: Vec<AgentStock>,
    /// The providers, instances, pools and existing volumes, each after the tier it belongs to.
    pub storage: Vec<TierStock>,
    /// The sums of each side.
    pub sums: Sums,
}

/// An agent and its resources.
#[derive(Debug, Serialize)]
pub struct AgentStock {
    /// The name.
    pub name: String,
    /// The place in the tree of fault domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The totals by resource.
    pub resources: OrderedFields<Totals>,
}

/// A storage tier and the resources of its own.
#[derive(Debug, Serialize)]
pub struct TierStock {
    /// `provider`, `instance`, `pool` or `volume`.
    pub kind: &'static str,
    /// The names of the tiers down to it.
    pub path: String,
    /// The totals by resource.
    pub resources: OrderedFields<Totals>,
}

/// Sums by resource. For ranges and items, their number. An amount that several pools share is counted once.
#[derive(Debug, Serialize)]
pub struct Sums {
    /// The sums over all agents.
    pub agents: OrderedFields<Totals>,
    /// The sums over all pools.
    pub storage: OrderedFields<Totals>,
}

/// The totals of a resource.
#[derive(Clone, Debug, Serialize)]
pub struct Totals {
    /// The usable amount.
    pub total: WrittenAmount,
    /// The used amount.
    pub used: WrittenAmount,
    /// The free amount.
    pub free: WrittenAmount,
    /// The parts, if there are others than an unreserved one. The revocable part is not included in the
    /// amounts above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartTotals>,
}

/// The totals of a part of a holding.
#[derive(Clone, Debug, Serialize)]
pub struct PartTotals {
    /// `reserved`, `unreserved` or `revocable`.
    pub part: &'static str,
    /// The role that it is reserved for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The usable amount.
    pub total: WrittenAmount,
    /// The used amount.
    pub used: WrittenAmount,
    /// The free amount.
    pub free: WrittenAmount,
}
