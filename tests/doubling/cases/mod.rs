//! The cases: every list, path, count and nesting that an input can grow.

mod changes;
mod cycle;
mod fleet;
mod needs;
mod rules;
mod text;

use crate::{Case, planted};

/// All of them.
pub fn all() -> Vec<Case> {
    let parts = [
        planted::cases(),
        fleet::cases(),
        text::cases(),
        rules::cases(),
        needs::cases(),
        changes::cases(),
        cycle::cases(),
    ];
    parts.into_iter().flatten().collect()
}
