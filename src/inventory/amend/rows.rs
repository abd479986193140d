//! What a change did to rows, for whoever keeps something beside them.

use super::super::world::StockId;

/// What a change did to the rows of one kind.
///
/// Whoever keeps a row of its own for each takes out those at `removed`, puts new ones at `inserted`, and makes those
/// at `changed` anew, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChanges {
    /// Where rows were that are gone: positions before the change, ascending.
    pub removed: Vec<usize>,
    /// Where rows are that were not: positions after the change, ascending.
    pub inserted: Vec<usize>,
    /// Where rows are that have other keys, places, rules, resources or totals: positions after the change, ascending.
    pub changed: Vec<usize>,
}

impl RowChanges {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.inserted.is_empty() && self.changed.is_empty()
    }

    /// Whether rows are where they were.
    pub fn keeps_positions(&self) -> bool {
        self.removed.is_empty() && self.inserted.is_empty()
    }
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetChanges {
    /// To agents: positions in [`World::agents`](crate::inventory::world::World::agents).
    pub agents: RowChanges,
    /// To pools and existing volumes: positions in [`World::supplies`](crate::inventory::world::World::supplies).
    pub supplies: RowChanges,
    /// Stocks of which the total, or what is used, may be another: ascending. Those of rows that are gone are among
    /// them; their numbers go to the next rows that need some.
    pub stocks: Vec<StockId>,
}

/// Where rows go when some are taken out and others put between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved {
    /// Positions before, ascending.
    pub removed: Vec<usize>,
    /// Of each new one how many of those that stay are before it, ascending.
    pub ranks: Vec<usize>,
}

impl Moved {
    /// Whether every row stays where it is.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.ranks.is_empty()
    }

    /// Where a row is that stays.
    pub fn to(&self, at: usize) -> usize {
        let stays = at - self.removed.partition_point(|removed| *removed < at);
        stays + self.ranks.partition_point(|rank| *rank <= stays)
    }

    /// Where a row was that stays.
    pub fn from(&self, at: usize) -> usize {
        let inserted = self.inserted();
        let mut was = at - inserted.partition_point(|inserted| *inserted < at);
        for removed in &self.removed {
            was += usize::from(*removed <= was);
        }
        was
    }

    /// Where the new ones are.
    pub fn inserted(&self) -> Vec<usize> {
        self.ranks.iter().enumerate().map(|(at, rank)| rank + at).collect()
    }
}

/// Takes out the rows at ascending positions.
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

/// Puts rows in, each before the one that had its rank.
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
