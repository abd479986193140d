//! The cache of conditions over rows: a bitmap per condition, brought up to date from a journal of changed
//! rows.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::{batch::Numbers, bits::Bits, classes::Classes};
use crate::{
    engine::{Filters, Gap, Scene},
    ir::{Column, ColumnId, ExternalRule, Key, Node, NodeId, Plan, op},
    limits,
    logic::Truth,
    types::Side,
    value::Value,
};

/// A log of changed rows. Each reader remembers the length up to which it has read. A log that grows too long
/// is replaced by one entry, "any row", so that its size is bounded.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    rows: Vec<u32>,
    /// The number of changes that are no longer listed by row.
    forgotten: usize,
    /// The number of rows of the side.
    of_rows: usize,
}

impl Journal {
    /// Returns an empty log for a number of rows.
    pub fn new(of_rows: usize) -> Journal {
        Journal { of_rows, ..Journal::default() }
    }

    /// Marks a row as changed.
    pub fn push(&mut self, row: usize) {
        if self.rows.len() >= limits::JOURNAL_ROWS {
            self.push_all();
        } else {
            self.rows.push(row as u32);
        }
    }

    /// Marks several rows as changed. If they are more than half of all rows, marks every row instead.
    pub fn push_each(&mut self, rows: &[u32]) {
        if rows.len() > self.of_rows / 2 + 8 {
            self.push_all();
        } else {
            rows.iter().for_each(|row| self.push(*row as usize));
        }
    }

    /// Marks every row as changed.
    pub fn push_all(&mut self) {
        // Counts the dropped entries and this one, so that lengths that readers remember keep their meaning.
        self.forgotten += self.rows.len() + 1;
        self.rows.clear();
    }

    /// Returns the number of changes so far.
    pub fn len(&self) -> usize {
        self.forgotten + self.rows.len()
    }

    /// Returns `true` if nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the rows that changed after the first `read` changes. `None` if any row may have changed, or
    /// if there are more changes than rows, so that looking at all rows is cheaper.
    pub fn since(&self, read: usize) -> Option<impl Iterator<Item = usize> + '_> {
        // A reader from before the last "any row" cannot be told rows.
        let told = self.rows.get(read.checked_sub(self.forgotten)?..)?;
        if told.len() > self.of_rows {
            return None;
        }
        Some(told.iter().map(|row| *row as usize))
    }
}

/// The keys that a node reads.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// The keys of the rows.
    pub own: Vec<ColumnId>,
    /// The keys of other sides.
    pub others: Vec<ColumnId>,
    /// `true` if a key of the rows changes as resources are taken and given back.
    pub moves: bool,
}

/// The scores of a preference by row, in millionths.
#[derive(Clone, Debug)]
pub enum Levels {
    /// A bitmap per distinct score, in ascending order. Rows in none of them score 0.
    Few(Vec<(i64, Bits)>),
    /// A score per row, if there are too many distinct ones.
    Each(Vec<i64>),
}

impl Levels {
    fn of(rows: usize, mut earned: impl FnMut(usize) -> i64) -> Levels {
        let each: Vec<i64> = (0..rows).map(&mut earned).collect();
        let mut distinct: IndexSet<i64> = IndexSet::new();
        for amount in each.iter().filter(|amount| **amount != 0) {
            if distinct.insert(*amount) && distinct.len() > limits::SCORE_LEVELS {
                return Levels::Each(each);
            }
        }
        distinct.sort_unstable();
        let of_amount = |amount: i64| (amount, Bits::of(rows, |row| each[row] == amount));
        Levels::Few(distinct.into_iter().map(of_amount).collect())
    }

    /// Returns the scores of rows from the scores of their classes.
    fn of_classes(rows: usize, classes: &Classes, of: &[i64]) -> Levels {
        let mut distinct: IndexSet<i64> = of.iter().copied().filter(|amount| *amount != 0).collect();
        if distinct.len() > limits::SCORE_LEVELS {
            return Levels::Each((0..rows).map(|row| of[classes.class(row)]).collect());
        }
        distinct.sort_unstable();
        let of_amount = |amount: i64| {
            let among: Vec<bool> = of.iter().map(|own| *own == amount).collect();
            (amount, classes.rows(&among))
        };
        Levels::Few(distinct.into_iter().map(of_amount).collect())
    }

    /// Returns the score of a row.
    pub fn get(&self, row: usize) -> i64 {
        match self {
            Levels::Few(levels) => levels.iter().find(|level| level.1.has(row)).map_or(0, |level| level.0),
            Levels::Each(each) => each[row],
        }
    }

    /// Replaces the score of a row. `rows` is the number of all rows.
    fn set(&mut self, rows: usize, row: usize, earned: i64) {
        match self {
            Levels::Each(each) => each[row] = earned,
            Levels::Few(levels) => {
                levels.iter_mut().for_each(|(amount, of)| of.set(row, *amount == earned));
                if earned != 0 && levels.iter().all(|level| level.0 != earned) {
                    let mut new = Bits::none(rows);
                    new.set(row, true);
                    levels.push((earned, new));
                    levels.sort_unstable_by_key(|level| level.0);
                }
            }
        }
    }
}

/// The rows for which a condition has the requested verdict.
#[derive(Clone, Debug)]
pub struct ConditionRows {
    /// A number that is equal for the same condition and verdict with equal keys of other sides.
    pub id: usize,
    /// The rows.
    pub bits: Arc<Bits>,
}

/// The scores of a preference.
#[derive(Clone, Debug)]
pub struct PreferenceScores {
    /// A number that is equal for the same preference with equal keys of other sides.
    pub id: usize,
    /// The scores.
    pub levels: Arc<Levels>,
}

/// A cached result, and the length of the journal that it reflects.
#[derive(Clone, Debug)]
struct Cached<T> {
    what: Arc<T>,
    moves: bool,
    read: usize,
}

type TermKey = (NodeId, bool, usize);

/// The cached conditions of a side.
#[derive(Clone, Debug)]
pub struct Terms {
    side: Side,
    rows: usize,
    totals_move: bool,
    reads: IndexMap<NodeId, Arc<Reads>>,
    /// The distinct values of keys of other sides. Their positions stand for them in cache keys.
    fixed: IndexSet<Vec<Result<Value, Gap>>>,
    classes: IndexMap<Vec<ColumnId>, Arc<Classes>>,
    /// The rows that have each open key, by its place in
    /// [`World::cell`](crate::inventory::world::World::cell); `None` for a key that many rows have. Built
    /// only if there are many keys.
    few: Option<Vec<Option<Vec<u32>>>>,
    columns: IndexMap<ColumnId, Option<Cached<Numbers>>>,
    truths: IndexMap<TermKey, Cached<Bits>>,
    earned: IndexMap<(NodeId, usize), Cached<Levels>>,
    /// The rows that have changed.
    pub journal: Journal,
}

impl Terms {
    /// Returns an empty cache for agents ([`Side::Agent`]) or supplies ([`Side::Pool`]). `totals_move` is
    /// `true` if totals of resources may change too.
    pub fn new(side: Side, rows: usize, totals_move: bool) -> Terms {
        Terms {
            side,
            rows,
            totals_move,
            reads: IndexMap::new(),
            fixed: IndexSet::new(),
            classes: IndexMap::new(),
            few: None,
            columns: IndexMap::new(),
            truths: IndexMap::new(),
            earned: IndexMap::new(),
            journal: Journal::new(rows),
        }
    }

    /// Returns the side of the rows.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the memory for data by rows, in bytes.
    pub fn bytes(&self) -> usize {
        let levels = |kept: &Cached<Levels>| match &*kept.what {
            Levels::Few(levels) => levels.len() * self.rows / 8,
            Levels::Each(_) => self.rows * size_of::<i64>(),
        };
        self.classes.values().map(|classes| classes.bytes()).sum::<usize>()
            + self.columns.values().flatten().count() * (self.rows * size_of::<i64>() + self.rows / 4)
            + self.truths.len() * self.rows / 8
            + self.earned.values().map(levels).sum::<usize>()
    }

    /// Returns `true` if the cache exceeds its limit.
    pub fn is_full(&self) -> bool {
        (self.truths.len() + self.earned.len()).saturating_mul(self.rows / 8 + 64) > limits::INDEX_BYTES
            || self.fixed.len() > limits::INDEX_BYTES / 1_024
    }

    /// Returns `true` if a node reads keys of the rows that change as resources are taken.
    pub fn moves(&mut self, plan: &Plan, id: NodeId) -> bool {
        self.reads(plan, id).moves
    }

    /// Drops the cached results, which can be computed again. Classes and columns stay.
    pub fn clear(&mut self) {
        self.fixed.clear();
        self.truths.clear();
        self.earned.clear();
    }

    pub(super) fn at<'a>(&self, scene: &Scene<'a>, row: usize) -> Scene<'a> {
        at(self.side, scene, row)
    }

    pub(super) fn reads(&mut self, plan: &Plan, id: NodeId) -> Arc<Reads> {
        let (side, totals_move) = (self.side, self.totals_move);
        let reads = self.reads.entry(id).or_insert_with(|| {
            let (own, others): (Vec<_>, Vec<_>) =
                plan.reads(id).into_iter().partition(|column| plan.column(*column).side == side);
            let moves = own.iter().any(|column| moves(plan.column(*column).key, totals_move));
            Arc::new(Reads { own, others, moves })
        });
        Arc::clone(reads)
    }

    /// Returns a number for the values of the keys of other sides that a node reads. Equal values have equal
    /// numbers.
    fn fixed(&mut self, scene: &Scene<'_>, others: &[ColumnId]) -> usize {
        let values = others.iter().map(|column| scene.read(*column)).collect();
        self.fixed.insert_full(values).0
    }

    /// Returns the classes of rows by the keys that a node reads; `None` if these change as resources are
    /// taken.
    pub(super) fn classes(&mut self, scene: &Scene<'_>, id: NodeId) -> Option<Arc<Classes>> {
        let reads = self.reads(scene.plan, id);
        if reads.moves {
            return None;
        }
        let mut own = reads.own.clone();
        own.sort_unstable();
        Some(self.by_columns(scene, &own))
    }

    /// Returns the classes of rows by the keys that several nodes read. None of them may change as resources
    /// are taken.
    pub fn classes_of(&mut self, scene: &Scene<'_>, ids: &[NodeId]) -> Arc<Classes> {
        let mut own: Vec<ColumnId> = Vec::new();
        for id in ids {
            own.extend(&self.reads(scene.plan, *id).own);
        }
        own.sort_unstable();
        own.dedup();
        self.by_columns(scene, &own)
    }

    fn by_columns(&mut self, scene: &Scene<'_>, columns: &[ColumnId]) -> Arc<Classes> {
        if let Some(known) = self.classes.get(columns) {
            return Arc::clone(known);
        }
        let classes = match columns {
            [] => Classes::of(self.rows, |_| ()),
            [column] => {
                self.find_few(scene);
                let place = scene.world.cell(*column);
                let few = self.few.as_ref().zip(place).and_then(|(few, place)| few.get(place)?.as_ref());
                let key = |row| self.at(scene, row).read(*column).map_err(|gap| kind(&gap));
                match few {
                    Some(few) => Classes::of_few(self.rows, few, key),
                    None => Classes::of(self.rows, key),
                }
            }
            // The refinement of the partitions by all keys but the last, and by the last. Prefixes are
            // cached, so that conditions with common keys share work.
            [rest @ .., last] => {
                let (rest, last) = (self.by_columns(scene, rest), self.by_columns(scene, &[*last]));
                rest.both(&last)
            }
        };
        let classes = Arc::new(classes);
        self.classes.insert(columns.to_vec(), Arc::clone(&classes));
        classes
    }

    /// Lists the rows that have each open key. Only done if there are so many keys that reading every row for
    /// each key would cost more: one pass over the cells takes time proportional to the data of the fleet,
    /// not to rows times keys.
    fn find_few(&mut self, scene: &Scene<'_>) {
        let open = |column: &&Column| column.side == self.side && matches!(column.key, Key::Attribute(_));
        if self.few.is_some() || scene.plan.columns.iter().filter(open).count() <= limits::KEYS_BY_ROW {
            return;
        }
        let mut few: Vec<Option<Vec<u32>>> = Vec::new();
        for row in 0..self.rows {
            let cells = match self.side {
                Side::Agent => &scene.world.agents[row].cells,
                _ => &scene.world.supplies[row].cells,
            };
            for (place, _) in cells.iter() {
                if few.len() <= place {
                    few.resize(place + 1, Some(Vec::new()));
                }
                if let Some(rows) = &mut few[place] {
                    rows.push(row as u32);
                    // A list of more than a sixteenth of the rows saves nothing.
                    if rows.len() > self.rows / 16 + 1 {
                        few[place] = None;
                    }
                }
            }
        }
        // Keys that no row has get an empty list.
        let places = scene.plan.columns.len();
        if few.len() < places {
            few.resize(places, Some(Vec::new()));
        }
        self.few = Some(few);
    }

    /// Returns a key of the rows as quantities, if all rows have it in one dimension.
    pub(super) fn column(&mut self, scene: &Scene<'_>, column: ColumnId) -> Option<Numbers> {
        let moves = moves(scene.plan.column(column).key, self.totals_move);
        if !self.columns.contains_key(&column) {
            let numbers = Numbers::read(self.rows, |row| self.at(scene, row).read(column));
            let read = self.journal.len();
            self.columns.insert(column, numbers.map(|what| Cached { what: Arc::new(what), moves, read }));
        }
        // Taken out while it is updated. A column that ceases to be one of quantities is not put back, and
        // stays `None`.
        let mut kept = self.columns.get_mut(&column)?.take()?;
        if kept.moves && kept.read < self.journal.len() {
            let numbers = Arc::make_mut(&mut kept.what);
            let mut stays = true;
            let mut again = |row| stays &= numbers.set(row, &at(self.side, scene, row).read(column));
            match self.journal.since(kept.read) {
                Some(rows) => rows.for_each(&mut again),
                None => (0..self.rows).for_each(&mut again),
            }
            kept.read = self.journal.len();
            if !stays {
                return None;
            }
        }
        let numbers = Numbers::clone(&kept.what);
        self.columns.insert(column, Some(kept));
        Some(numbers)
    }

    /// Returns the rows for which a condition is true, or false, as `wanted` says. `scene` provides
    /// everything but the row.
    pub fn rows_where(&mut self, scene: &Scene<'_>, id: NodeId, wanted: bool) -> ConditionRows {
        let reads = self.reads(scene.plan, id);
        // Needs with equal keys share an entry: only the values that the condition reads count.
        let key = (id, wanted, self.fixed(scene, &reads.others));
        if let Some((term, _, kept)) = self.truths.get_full_mut(&key) {
            if kept.moves && kept.read < self.journal.len() {
                // Copies only if a caller still holds the previous result.
                let rows = Arc::make_mut(&mut kept.what);
                let mut again =
                    |row| rows.set(row, at(self.side, scene, row).truth(id) == Truth::from(wanted));
                match self.journal.since(kept.read) {
                    Some(rows) => rows.for_each(&mut again),
                    None => (0..self.rows).for_each(&mut again),
                }
                kept.read = self.journal.len();
            }
            return ConditionRows { id: term, bits: Arc::clone(&kept.what) };
        }
        let (holds, fails) = self.truths_of(scene, id);
        let what = Arc::new(if wanted { holds } else { fails });
        let kept = Cached { what: Arc::clone(&what), moves: reads.moves, read: self.journal.len() };
        ConditionRows { id: self.truths.insert_full(key, kept).0, bits: what }
    }

    /// Returns the scores of a preference by row.
    pub fn earned(&mut self, scene: &Scene<'_>, id: NodeId) -> PreferenceScores {
        let reads = self.reads(scene.plan, id);
        let key = (id, self.fixed(scene, &reads.others));
        let side = self.side;
        let of_row = |row: usize| at(side, scene, row).earned(id).unwrap_or(0);
        if let Some((term, _, kept)) = self.earned.get_full_mut(&key) {
            if kept.moves && kept.read < self.journal.len() {
                let levels = Arc::make_mut(&mut kept.what);
                let mut again = |row| levels.set(self.rows, row, of_row(row));
                match self.journal.since(kept.read) {
                    Some(rows) => rows.for_each(&mut again),
                    None => (0..self.rows).for_each(&mut again),
                }
                kept.read = self.journal.len();
            }
            return PreferenceScores { id: term, levels: Arc::clone(&kept.what) };
        }
        // A plugin may score all rows in one call.
        let all = asked_of(scene, id).filter(|_| !reads.own.is_empty());
        let all = all.and_then(|(filters, asked)| filters.earned(scene, side, asked));
        let levels = match self.classes(scene, id) {
            _ if all.is_some() => Levels::of(self.rows, |row| all.as_ref().map_or(0, |all| all[row])),
            Some(classes) if classes.count() <= limits::CLASSES_TRIED.max(self.rows / 8) => {
                Levels::of_classes(self.rows, &classes, &classes.each(of_row))
            }
            _ => match self.numbers(scene, id) {
                Some(numbers) => Levels::of(self.rows, |row| match numbers.known.has(row) {
                    true => op::earned(&numbers.value(row)).unwrap_or(0),
                    false => 0,
                }),
                None => Levels::of(self.rows, of_row),
            },
        };
        let what = Arc::new(levels);
        let kept = Cached { what: Arc::clone(&what), moves: reads.moves, read: self.journal.len() };
        PreferenceScores { id: self.earned.insert_full(key, kept).0, levels: what }
    }

    /// Returns the rows for which a node is true, and those for which it is false. Tries the cheap ways
    /// first: no key of the rows, a plugin that answers all rows, few classes, columns, and at last every
    /// class or row.
    fn truths_of(&mut self, scene: &Scene<'_>, id: NodeId) -> (Bits, Bits) {
        let reads = self.reads(scene.plan, id);
        if reads.own.is_empty() {
            let truth = scene.truth(id);
            let all = |on: bool| if on { Bits::all(self.rows) } else { Bits::none(self.rows) };
            return (all(truth == Truth::True), all(truth == Truth::False));
        }
        if let Some(truths) =
            asked_of(scene, id).and_then(|(filters, asked)| filters.truths(scene, self.side, asked))
        {
            let of = |truth| Bits::of(self.rows, |row| truths[row] == truth);
            return (of(Truth::True), of(Truth::False));
        }
        let classes = self.classes(scene, id);
        // Few classes take few evaluations, so they come before a pass over columns.
        if let Some(classes) = classes.as_ref().filter(|classes| classes.count() <= limits::CLASSES_TRIED) {
            return self.by_class(scene, id, classes);
        }
        match scene.plan.node(id) {
            Node::Named(definition) => return self.truths_of(scene, scene.plan.definition(*definition).root),
            Node::Not(inner) => {
                let (holds, fails) = self.truths_of(scene, *inner);
                return (fails, holds);
            }
            Node::And(parts) => return self.join(scene, parts, false),
            Node::Or(parts) => return self.join(scene, parts, true),
            Node::Test(operator, left, right) => {
                if let Some(found) = self.compare(scene, *operator, *left, *right) {
                    return found;
                }
            }
            _ => {}
        }
        match classes {
            Some(classes) => self.by_class(scene, id, &classes),
            None => {
                let truths: Vec<Truth> = (0..self.rows).map(|row| self.at(scene, row).truth(id)).collect();
                let of = |truth| Bits::of(self.rows, |row| truths[row] == truth);
                (of(Truth::True), of(Truth::False))
            }
        }
    }

    fn by_class(&self, scene: &Scene<'_>, id: NodeId, classes: &Classes) -> (Bits, Bits) {
        let truths = classes.each(|row| self.at(scene, row).truth(id));
        let of = |truth| {
            let among: Vec<bool> = truths.iter().map(|own| *own == truth).collect();
            classes.rows(&among)
        };
        (of(Truth::True), of(Truth::False))
    }

    /// Evaluates Kleene's `or` (if `decides`) or `and` over bitmaps: one operand decides a row, or all must
    /// agree.
    fn join(&mut self, scene: &Scene<'_>, parts: &[NodeId], decides: bool) -> (Bits, Bits) {
        let (mut any, mut every) = (Bits::none(self.rows), Bits::all(self.rows));
        for part in parts {
            let (holds, fails) = self.truths_of(scene, *part);
            let (decided, rest) = if decides { (holds, fails) } else { (fails, holds) };
            any.or(&decided);
            every.and(&rest);
        }
        if decides { (any, every) } else { (every, any) }
    }
}

/// Returns the plugins and the question, if a node is answered by a plugin.
fn asked_of<'a>(scene: &Scene<'a>, id: NodeId) -> Option<(&'a dyn Filters, &'a ExternalRule)> {
    match scene.plan.node(id) {
        Node::External(asked) => Some((scene.filters?, scene.plan.asked(*asked))),
        _ => None,
    }
}

/// Returns a scene with one row in it.
fn at<'a>(side: Side, scene: &Scene<'a>, row: usize) -> Scene<'a> {
    match side {
        Side::Agent => Scene { agent: Some(row), ..*scene },
        _ => Scene { supply: Some(row), ..*scene },
    }
}

/// Returns `true` if a key changes as resources are taken.
fn moves(key: Key, totals: bool) -> bool {
    matches!(key, Key::Free(_) | Key::Used(_)) || totals && matches!(key, Key::Total(_))
}

/// Distinguishes the gaps that readers of a key can tell apart.
fn kind(gap: &Gap) -> bool {
    matches!(gap, Gap::Absent(_))
}
