//! Finds the columns of a plugin in a plan, and adds those that are missing before a fleet is bound.

use super::{
    Plugin,
    about::{self, About, AboutColumn},
    composed, rules,
};
#[cfg(feature = "wasm")]
use crate::ir::ColumnId;
use crate::{
    ir::{self, Key, Plan},
    types::{PluginClass, Side, Type},
};

/// Adds the columns of a plugin to a plan, so that a fleet that is bound to the plan afterwards has values
/// for them. A key that the policy gives another type keeps the policy's type, and the plugin gets its values
/// as mismatched.
pub fn add_columns(plan: &mut Plan, about: &About) {
    for column in &about.columns {
        let key = match &column.key {
            about::KeyName::Attribute(key) => Key::Attribute(plan.symbols.intern(key)),
            about::KeyName::Total(resource) => Key::Total(plan.symbols.intern(resource)),
            about::KeyName::Free(resource) => Key::Free(plan.symbols.intern(resource)),
            about::KeyName::Used(resource) => Key::Used(plan.symbols.intern(resource)),
            _ => match of_plan(plan, column) {
                Some(known) => known.key,
                None => continue,
            },
        };
        let (_, is_new) = plan.columns.insert_full(ir::Column { side: column.side, key });
        if is_new {
            plan.column_types.push(column.kind);
        }
    }
    // `rules` makes questions depend on two more keys, which the plugin need not read: a rule about one agent
    // depends on the agent's name, and a class of supplies on the provider.
    let of_agents = about.rules.iter().any(|rule| matches!(rule.scope, about::RuleScope::Agent(_)));
    let of_pools = about.rules.iter().any(|rule| rule.purpose == about::Purpose::Class(Side::Pool));
    let named = [(of_agents, AGENT_NAME), (of_pools, POOL_PROVIDER)];
    for column in named.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, column)| column) {
        let (_, is_new) = plan.columns.insert_full(column);
        if is_new {
            plan.column_types.push(Some(Type::Text));
        }
    }
}

/// The plugins to use with a policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The plugins.
    pub plugins: &'a [Plugin],
    /// True if the plugins replace the rules of the policy, whose own requirements and preferences are then
    /// left out.
    pub instead_of_rules: bool,
}

impl Beside<'_> {
    /// Returns the classes that needs may ask for.
    pub fn classes(&self) -> Vec<PluginClass> {
        let named = composed::names(self.plugins).zip(self.plugins);
        named
            .flat_map(|(name, plugin)| rules::classes(plugin.about(), name))
            .map(|(_, class)| class)
            .collect()
    }

    /// Adds the columns of the plugins to a plan, and clears its own rules if the plugins replace them. Call
    /// before a fleet is bound to it.
    pub fn prepare(&self, plan: &mut Plan) {
        self.plugins.iter().for_each(|plugin| add_columns(plan, plugin.about()));
        if self.instead_of_rules {
            plan.clear_rules();
        }
    }
}

/// The key that tells a class of a provider's plugin whose supply it is asked about.
pub(super) const POOL_PROVIDER: ir::Column = ir::Column { side: Side::Pool, key: Key::Provider };

/// The key that tells a rule about one agent which agent it is asked about.
pub(super) const AGENT_NAME: ir::Column = ir::Column { side: Side::Agent, key: Key::Name };

/// Returns the plan's column for a plugin's. `None` if no row can have the key, because the plan does not
/// know a name in it.
pub(super) fn of_plan(plan: &Plan, column: &AboutColumn) -> Option<ir::Column> {
    let symbol = |text: &String| plan.symbols.find(text);
    let key = match &column.key {
        about::KeyName::Attribute(key) => Key::Attribute(symbol(key)?),
        about::KeyName::Name => Key::Name,
        about::KeyName::Domain => Key::Domain,
        about::KeyName::Level(level) => {
            let level = symbol(level)?;
            Key::Level(u8::try_from(plan.levels.iter().position(|known| *known == level)?).ok()?)
        }
        about::KeyName::Total(resource) => Key::Total(symbol(resource)?),
        about::KeyName::Free(resource) => Key::Free(symbol(resource)?),
        about::KeyName::Used(resource) => Key::Used(symbol(resource)?),
        about::KeyName::Provider => Key::Provider,
        about::KeyName::Instance => Key::Instance,
    };
    Some(ir::Column { side: column.side, key })
}

/// Returns the plan's column for each column of a plugin. `None` for one that is not granted, or that no row
/// can have.
///
/// # Errors
/// A column that the plan lacks, since it was bound without [`add_columns`].
#[cfg(feature = "wasm")]
pub(super) fn of_view(about: &About, seen: &[bool], plan: &Plan) -> Result<Vec<Option<ColumnId>>, String> {
    let columns = about.columns.iter().zip(seen);
    columns
        .map(|(column, seen)| {
            let known = of_plan(plan, column).filter(|_| *seen);
            match known.map(|known| plan.find_column(known)) {
                Some(None) => Err(column.show()),
                Some(found) => Ok(found),
                None => Ok(None),
            }
        })
        .collect()
}
