//! The plan: a policy set compiled to nodes over columns. It is versioned, verified and printable, and holds
//! no syntax tree.
//!
//! [`lower`](crate::lower) makes a plan, and the engines run it. [`op`] gives each operator its meaning.
//! Nothing here knows how a policy is written, or what a fleet holds.

pub mod op;
mod place;
mod plan;
mod rules;
mod show;
mod verify;
mod walk;

pub use place::{CountRule, Place, PlaceKey, PlaceKind, PlaceRelation, PlaceTest, Target};
pub use plan::{
    Amount, Ask, Broker, Charge, ChargePer, ClassAsk, Column, ColumnId, Definition, DefinitionId,
    ExternalQuestion, ExternalRule, Framework, Key, Limit, Need, Node, NodeId, Pattern, Plan, Request, Role,
    Rule, SideSet, Strength, Volume, pattern,
};
pub use rules::{OwnedRule, RuleOwner, RuleSubject};
pub use show::Show;
pub use verify::verify;

/// The version of the plan's form. A plan of another version is never run.
pub const PLAN_VERSION: u32 = 3;

/// The facts that the operator discloses to frameworks beside their offers: `expose counts`, `expose scores`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disclosed {
    /// True if reasons tell the number of agents and pools that they exclude.
    pub counts: bool,
    /// True if offers tell their scores.
    pub scores: bool,
}
