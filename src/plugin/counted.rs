//! What is free and used, as a plugin was last told: it moves with every grant, and is told when rows are asked about.

use super::{Changed, Fault, Filter, Plugin, View, nobody::Nobody, rules};
use crate::{
    engine::{Gap, Scene},
    ir::ColumnId,
    types::Side,
    value::Value,
};

/// The columns of one side that move, and what each row was told to have.
#[derive(Debug)]
struct Told {
    side: Side,
    columns: Vec<ColumnId>,
    /// By row, a value for each column.
    rows: Vec<Vec<Result<Value, Gap>>>,
}

/// What of a plugin's columns moves as amounts are taken.
#[derive(Debug)]
pub(super) struct Counted {
    agents: Told,
    supplies: Told,
}

impl Counted {
    /// As the plugin is told when it is loaded.
    pub(super) fn new(plugin: &Plugin, view: View<'_>) -> Counted {
        Counted {
            agents: Told::new(plugin, Side::Agent, view),
            supplies: Told::new(plugin, Side::Pool, view),
        }
    }

    /// That the plugin was told all of these rows.
    pub(super) fn told(&mut self, view: View<'_>, agents: &[usize], supplies: &[usize]) {
        let nobody = Nobody::new();
        let scene = nobody.scene(view);
        self.agents.changed(agents, &scene);
        self.supplies.changed(supplies, &scene);
    }

    /// Tells the plugin what these rows have at the moment, where that differs.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub(super) fn tell(
        &mut self,
        filter: &mut Filter,
        (scene, view): (&Scene<'_>, View<'_>),
        agents: &[usize],
        supplies: &[usize],
    ) -> Result<(), Fault> {
        filter
            .work(agents.len() * self.agents.columns.len() + supplies.len() * self.supplies.columns.len())?;
        let agents = self.agents.changed(agents, scene);
        let pools = self.supplies.changed(supplies, scene);
        if agents.is_empty() && pools.is_empty() {
            return Ok(());
        }
        filter.update(view, Changed { agents: &agents, pools: &pools, only_counted: true })
    }
}

impl Told {
    fn new(plugin: &Plugin, side: Side, view: View<'_>) -> Told {
        let withheld = plugin.withheld();
        let columns = plugin.about().columns.iter().enumerate();
        let counted = columns
            .filter(|(at, column)| column.side == side && column.key.is_counted() && !withheld.contains(at));
        let columns: Vec<ColumnId> =
            counted.filter_map(|(_, column)| rules::column(view.plan, column)).collect();
        let count = match side {
            _ if columns.is_empty() => 0,
            Side::Agent => view.world.agents.len(),
            _ => view.world.supplies.len(),
        };
        let nobody = Nobody::new();
        let scene = nobody.scene(view);
        let rows = (0..count).map(|row| values(&scene, side, &columns, row)).collect();
        Told { side, columns, rows }
    }

    /// The rows among these that have something else than was told.
    fn changed(&mut self, rows: &[usize], scene: &Scene<'_>) -> Vec<usize> {
        let mut changed = Vec::new();
        if self.columns.is_empty() {
            return changed;
        }
        for row in rows {
            let now = values(scene, self.side, &self.columns, *row);
            if let Some(told) = self.rows.get_mut(*row).filter(|told| **told != now) {
                *told = now;
                changed.push(*row);
            }
        }
        changed
    }
}

fn values(scene: &Scene<'_>, side: Side, columns: &[ColumnId], row: usize) -> Vec<Result<Value, Gap>> {
    let scene = match side {
        Side::Agent => Scene { agent: Some(row), ..*scene },
        _ => Scene { supply: Some(row), ..*scene },
    };
    columns.iter().map(|column| scene.read(*column)).collect()
}
