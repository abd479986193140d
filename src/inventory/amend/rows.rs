//! Changes of rows by position, for tables and indexes that keep an entry per row.

use super::super::world::StockId;

/// The positions of removed, inserted and changed rows of one kind.
///
/// To bring a table with an entry per row up to date, remove the entries at `removed`, insert new ones at
/// `inserted`, then compute those at `changed` again, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChanges {
    /// Positions of removed rows, before the change, ascending.
    pub removed: Vec<usize>,
    /// Positions of inserted rows, after the change, ascending.
    pub inserted: Vec<usize>,
    /// Positions of rows with other keys, places, rules, resources or totals, after the change, ascending.
    pub changed: Vec<usize>,
}

impl RowChanges {
    /// Returns `true` if no row differs.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.inserted.is_empty() && self.changed.is_empty()
    }

    /// Returns `true` if no row has moved.
    pub fn keeps_positions(&self) -> bool {
        self.removed.is_empty() && self.inserted.is_empty()
    }
}

/// The rows and stocks that a change modified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetChanges {
    /// Changes of agents, by position in [`World::agents`](crate::inventory::world::World::agents).
    pub agents: RowChanges,
    /// Changes of pools and existing volumes, by position in
    /// [`World::supplies`](crate::inventory::world::World::supplies).
    pub supplies: RowChanges,
    /// Stocks whose total or use may differ, ascending. They include the stocks of removed rows, whose
    /// numbers are given to the next rows that need some.
    pub stocks: Vec<StockId>,
}

/// A mapping between positions before and after rows are removed and inserted.
///
/// Removal comes first: ranks count only the rows that stay. Both lists are short in relation to the table,
/// so that a position is mapped by search in them, and no map of all rows is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved {
    /// Positions of removed rows, before the change, ascending.
    pub removed: Vec<usize>,
    /// The number of staying rows before each new row, ascending.
    pub ranks: Vec<usize>,
}

impl Moved {
    /// Returns `true` if every row keeps its position.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.ranks.is_empty()
    }

    /// Returns the position after the change of a row that stays.
    pub fn to(&self, at: usize) -> usize {
        let stays = at - self.removed.partition_point(|removed| *removed < at);
        stays + self.ranks.partition_point(|rank| *rank <= stays)
    }

    /// Returns the position before the change of a row that stays. The inverse of [`Moved::to`].
    pub fn from(&self, at: usize) -> usize {
        let inserted = self.inserted();
        let mut was = at - inserted.partition_point(|inserted| *inserted < at);
        for removed in &self.removed {
            was += usize::from(*removed <= was);
        }
        was
    }

    /// Returns the positions of the new rows after the change. Each is shifted by the new rows before it.
    pub fn inserted(&self) -> Vec<usize> {
        self.ranks.iter().enumerate().map(|(at, rank)| rank + at).collect()
    }
}

/// Removes the rows at ascending positions, and returns them. One row shifts those behind it; several are
/// removed in a single pass.
pub(super) fn take_out<T>(rows: &mut Vec<T>, positions: &[usize]) -> Vec<T> {
    match positions {
        [] => Vec::new(),
        [only] => vec![rows.remove(*only)],
        _ => {
            let mut next = positions.iter().copied().peekable();
            let mut at = 0;
            let (out, stay) = std::mem::take(rows).into_iter().partition(|_| {
                let is_out = next.next_if_eq(&at).is_some();
                at += 1;
                is_out
            });
            *rows = stay;
            out
        }
    }
}

/// Inserts rows in a single pass, each before the old row that has its rank.
pub(super) fn put_in<T>(rows: &mut Vec<T>, ranks: &[usize], new: Vec<T>) {
    if let ([rank], true) = (ranks, new.len() == 1) {
        rows.splice(*rank..*rank, new);
        return;
    }
    if new.is_empty() {
        return;
    }
    let mut merged = Vec::with_capacity(rows.len() + new.len());
    let mut old = std::mem::take(rows).into_iter();
    let mut taken = 0;
    for (rank, row) in ranks.iter().zip(new) {
        merged.extend(old.by_ref().take(rank - taken));
        taken = *rank;
        merged.push(row);
    }
    merged.extend(old);
    *rows = merged;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_where_it_says() {
        let before: Vec<u32> = vec![10, 20, 30, 40, 50];
        for (removed, new) in [
            (vec![], vec![]),
            (vec![0], vec![]),
            (vec![4], vec![45]),
            (vec![1, 3], vec![5, 35, 60]),
            (vec![0, 1, 2, 3, 4], vec![1, 2]),
            (vec![], vec![1, 2, 55]),
        ] {
            let mut rows = before.clone();
            let out = take_out(&mut rows, &removed);
            assert_eq!(out, removed.iter().map(|at| before[*at]).collect::<Vec<_>>());
            let ranks: Vec<usize> = new.iter().map(|row| rows.partition_point(|known| known < row)).collect();
            put_in(&mut rows, &ranks, new.clone());
            assert!(rows.is_sorted(), "{rows:?}");
            let moved = Moved { removed: removed.clone(), ranks };
            for (at, row) in before.iter().enumerate().filter(|(at, _)| !removed.contains(at)) {
                assert_eq!(rows[moved.to(at)], *row);
                assert_eq!(moved.from(moved.to(at)), at);
            }
            for (at, row) in moved.inserted().into_iter().zip(new) {
                assert_eq!(rows[at], row);
            }
        }
    }
}
