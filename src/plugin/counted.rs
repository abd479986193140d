//! Keeps a plugin's copy of free and used amounts up to date.
//!
//! These amounts change with every grant. Sending each change at once would call the plugin for rows that it
//! is never asked about again, so that [`Counted`] remembers what the plugin was sent, and sends the
//! differences of the rows of a question just before it.

use super::{Changed, Fault, Filter, FleetView, Plugin, placeholder::PlaceholderSubject, rules};
use crate::{
    engine::{Gap, Scene},
    ir::ColumnId,
    types::Side,
    value::Value,
};

/// The columns of one side that change, and the values that each row was last sent with.
#[derive(Debug)]
struct SentRows {
    side: Side,
    columns: Vec<ColumnId>,
    /// By row, a value for each column.
    rows: Vec<Vec<Result<Value, Gap>>>,
}

/// The free and used amounts among a plugin's columns.
#[derive(Debug)]
pub(super) struct Counted {
    agents: SentRows,
    supplies: SentRows,
}

impl Counted {
    /// Creates the state after loading: the plugin has the values of `view`.
    pub(super) fn new(plugin: &Plugin, view: FleetView<'_>) -> Counted {
        Counted {
            agents: SentRows::new(plugin, Side::Agent, view),
            supplies: SentRows::new(plugin, Side::Pool, view),
        }
    }

    /// Records that the plugin was sent these rows.
    pub(super) fn note_sent(&mut self, view: FleetView<'_>, agents: &[usize], supplies: &[usize]) {
        let placeholder = PlaceholderSubject::new();
        let scene = placeholder.scene(view);
        self.agents.changed(agents, &scene);
        self.supplies.changed(supplies, &scene);
    }

    /// Sends the present amounts of these rows, if they differ from those that were sent.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub(super) fn tell(
        &mut self,
        filter: &mut Filter,
        (scene, view): (&Scene<'_>, FleetView<'_>),
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

impl SentRows {
    fn new(plugin: &Plugin, side: Side, view: FleetView<'_>) -> SentRows {
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
        let placeholder = PlaceholderSubject::new();
        let scene = placeholder.scene(view);
        let rows = (0..count).map(|row| values(&scene, side, &columns, row)).collect();
        SentRows { side, columns, rows }
    }

    /// Records the present values of these rows, and returns the rows that differ from before.
    fn changed(&mut self, rows: &[usize], scene: &Scene<'_>) -> Vec<usize> {
        let mut changed = Vec::new();
        if self.columns.is_empty() {
            return changed;
        }
        for row in rows {
            let now = values(scene, self.side, &self.columns, *row);
            if let Some(sent) = self.rows.get_mut(*row).filter(|sent| **sent != now) {
                *sent = now;
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
