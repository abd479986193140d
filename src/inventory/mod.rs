//! Providers, agents, domains and allocations: as read, and bound to a policy.

pub mod records;
pub mod wire;
