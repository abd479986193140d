//! Plugins: the host, hostile plugins, plugins of other languages, and hosts of other languages.

#![allow(clippy::disallowed_types, reason = "attacks are held to a time")]

mod beside;
mod bombs;
mod classes;
mod command;
mod compiled;
mod compiler;
mod composed;
mod cycles;
mod generated;
mod hostile;
mod hosts;
mod kept;
mod languages;
mod live;
mod made;
mod reviewed;
mod runs;

use bourse::{
    check::Strictness,
    inventory::ledger::Ledger,
    pipeline::{Extra, Loaded, Parsed},
    plugin::{About, FleetView, add_columns},
};

/// A policy with its fleet, bound with the columns of plugins.
pub fn bound(policy: &str, plugins: &[&About]) -> Loaded {
    let parsed = Parsed::new([("test.policy", policy.as_bytes())]);
    let extra = Extra::default();
    let checked = parsed.check(&extra, Strictness::default());
    let loaded = checked.load_with(&extra, |plan| plugins.iter().for_each(|about| add_columns(plan, about)));
    loaded.unwrap_or_else(|report| panic!("{}", report.render(bourse::diagnostic::Render::Human(false))))
}

/// A fleet as it is at first, for as long as a test looks at it.
pub fn view<'a>(loaded: &'a Loaded, ledger: &'a Ledger) -> FleetView<'a> {
    FleetView { plan: &loaded.plan, world: &loaded.world, ledger }
}
