//! Roles and their shares, as wire forms.

use super::{
    build::roles,
    wire::{SHARES_FORMAT, VERSION, WireShares},
};
use crate::Offers;

/// Makes the wire form of the shares of a cycle.
pub fn shares(offers: &Offers) -> WireShares {
    WireShares { format: SHARES_FORMAT, version: VERSION, roles: roles(offers) }
}
