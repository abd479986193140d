//! The plan: a policy set compiled to nodes over columns. Versioned, verified and printable; no tree is left.

pub mod op;
mod place;
mod plan;
mod show;
mod verify;
mod walk;

pub use place::{Place, PlaceKey, PlaceKind, Target};
pub use plan::{
    Amount, Ask, Asked, Broker, Charge, ChargePer, ClassAsk, Column, ColumnId, Definition, DefinitionId,
    Framework, Key, Limit, Need, Node, NodeId, Pattern, Plan, Question, Request, Role, Rule, SideSet, Volume,
    pattern,
};
pub use show::Show;
pub use verify::verify;

/// The version of the plan's form: a plan of another version is never run.
pub const PLAN_VERSION: u32 = 3;

/// What the operator lets frameworks know beside their offers: `expose counts`, `expose scores`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disclosed {
    /// How many agents and pools a reason shuts out.
    pub counts: bool,
    /// The scores of their own offers.
    pub scores: bool,
}
