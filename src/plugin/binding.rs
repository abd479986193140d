//! The columns of a plugin among those of a plan.

use super::{
    Plugin,
    about::{self, About, Column},
    composed, rules,
};
#[cfg(feature = "wasm")]
use crate::ir::ColumnId;
use crate::{
    ir::{self, Key, Plan},
    types::{PluginClass, Side, Type},
};

/// Adds the columns of a plugin to a plan that is not bound yet, so that a fleet that is bound to it has them. A key that the
/// policy gives another type keeps that; the plugin finds a value of the wrong kind.
pub fn add_columns(plan: &mut Plan, about: &About) {
    for column in &about.columns {
        let key = match &column.key {
            about::Key::Attribute(key) => Key::Attribute(plan.symbols.intern(key)),
            about::Key::Total(resource) => Key::Total(plan.symbols.intern(resource)),
            about::Key::Free(resource) => Key::Free(plan.symbols.intern(resource)),
            about::Key::Used(resource) => Key::Used(plan.symbols.intern(resource)),
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
    // A rule about one agent is asked by that agent's name, whether or not the plugin reads it; a class of supplies by whose
    // they are.
    let of_agents = about.rules.iter().any(|rule| matches!(rule.scope, about::Scope::Agent(_)));
    let of_pools = about.rules.iter().any(|rule| rule.purpose == about::Purpose::Class(Side::Pool));
    let named = [(of_agents, AGENT_NAME), (of_pools, POOL_PROVIDER)];
    for column in named.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, column)| column) {
        let (_, is_new) = plan.columns.insert_full(column);
        if is_new {
            plan.column_types.push(Some(Type::Text));
        }
    }
}

/// Plugins that stand beside a policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The plugins.
    pub plugins: &'a [Plugin],
    /// Whether they do what the policy itself requires and prefers, which is then left out.
    pub instead_of_rules: bool,
}

impl Beside<'_> {
    /// The classes that needs may ask for.
    pub fn classes(&self) -> Vec<PluginClass> {
        let named = composed::names(self.plugins).zip(self.plugins);
        named
            .flat_map(|(name, plugin)| rules::classes(plugin.about(), name))
            .map(|(_, class)| class)
            .collect()
    }

    /// Makes a plan that is not bound yet ready for the plugins.
    pub fn prepare(&self, plan: &mut Plan) {
        self.plugins.iter().for_each(|plugin| add_columns(plan, plugin.about()));
        if self.instead_of_rules {
            plan.clear_rules();
        }
    }
}

/// By what a class of a provider's plugin is asked.
pub(super) const POOL_PROVIDER: ir::Column = ir::Column { side: Side::Pool, key: Key::Provider };

/// By what a rule about one agent is asked.
pub(super) const AGENT_NAME: ir::Column = ir::Column { side: Side::Agent, key: Key::Name };

/// The plan's column of a plugin's; `None` where no row can have the key.
pub(super) fn of_plan(plan: &Plan, column: &Column) -> Option<ir::Column> {
    let symbol = |text: &String| plan.symbols.find(text);
    let key = match &column.key {
        about::Key::Attribute(key) => Key::Attribute(symbol(key)?),
        about::Key::Name => Key::Name,
        about::Key::Domain => Key::Domain,
        about::Key::Level(level) => {
            let level = symbol(level)?;
            Key::Level(u8::try_from(plan.levels.iter().position(|known| *known == level)?).ok()?)
        }
        about::Key::Total(resource) => Key::Total(symbol(resource)?),
        about::Key::Free(resource) => Key::Free(symbol(resource)?),
        about::Key::Used(resource) => Key::Used(symbol(resource)?),
        about::Key::Provider => Key::Provider,
        about::Key::Instance => Key::Instance,
    };
    Some(ir::Column { side: column.side, key })
}

/// The columns of a plan that a plugin sees, by the plugin's numbers; `None` where no row has the key.
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
