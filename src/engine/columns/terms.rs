//! Which rows a condition holds for, kept as long as nothing that it reads has changed.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::{batch::Numbers, bits::Bits, classes::Classes};
use crate::{
    engine::{Filters, Gap, Scene},
    ir::{Asked, Column, ColumnId, Key, Node, NodeId, Plan, op},
    limits,
    logic::Truth,
    types::Side,
    value::Value,
};

/// Which rows have changed, in order. Who keeps something about rows notes how far it has read.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    rows: Vec<u32>,
    /// Changes that are not told row by row any more.
    forgotten: usize,
    /// How many rows there are.
    of_rows: usize,
}

impl Journal {
    /// Of so many rows.
    pub fn new(of_rows: usize) -> Journal {
        Journal { of_rows, ..Journal::default() }
    }

    /// A row has changed.
    pub fn push(&mut self, row: usize) {
        if self.rows.len() >= limits::JOURNAL_ROWS {
            self.push_all();
        } else {
            self.rows.push(row as u32);
        }
    }

    /// These rows have changed: as [`Journal::push`], or any of them where they are most.
    pub fn push_each(&mut self, rows: &[u32]) {
        if rows.len() > self.of_rows / 2 + 8 {
            self.push_all();
        } else {
            rows.iter().for_each(|row| self.push(*row as usize));
        }
    }

    /// Any row may have changed.
    pub fn push_all(&mut self) {
        self.forgotten += self.rows.len() + 1;
        self.rows.clear();
    }

    /// How many changes there have been.
    pub fn len(&self) -> usize {
        self.forgotten + self.rows.len()
    }

    /// Whether there has been none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows that have changed since there were so many changes; `None`: any may have, or there were more changes than
    /// there are rows.
    pub fn since(&self, read: usize) -> Option<impl Iterator<Item = usize> + '_> {
        let told = self.rows.get(read.checked_sub(self.forgotten)?..)?;
        if told.len() > self.of_rows {
            return None;
        }
        Some(told.iter().map(|row| *row as usize))
    }
}

/// What a node reads of the rows, and of all else.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Keys of the rows.
    pub own: Vec<ColumnId>,
    /// Keys of other sides.
    pub others: Vec<ColumnId>,
    /// Whether keys of the rows change as amounts are taken.
    pub moves: bool,
}

/// What a preference earns, by rows: in millionths.
#[derive(Clone, Debug)]
pub enum Levels {
    /// So much, for these rows; the others earn nothing.
    Few(Vec<(i64, Bits)>),
    /// Each row its own.
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

    /// What rows earn whose classes earn so much each.
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

    /// What a row earns.
    pub fn get(&self, row: usize) -> i64 {
        match self {
            Levels::Few(levels) => levels.iter().find(|level| level.1.has(row)).map_or(0, |level| level.0),
            Levels::Each(each) => each[row],
        }
    }

    /// Changes what a row, of so many, earns.
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

/// The rows for which a condition comes out as asked.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The same for the same condition with the same keys of other sides.
    pub id: usize,
    /// Which.
    pub bits: Arc<Bits>,
}

/// What a preference earns.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The same for the same preference with the same keys of other sides.
    pub id: usize,
    /// How much.
    pub levels: Arc<Levels>,
}

/// Something that is kept by rows, and how much of the journal it has read.
#[derive(Clone, Debug)]
struct Kept<T> {
    what: Arc<T>,
    moves: bool,
    read: usize,
}

type TermKey = (NodeId, bool, usize);

/// Which rows of a side conditions hold for.
#[derive(Clone, Debug)]
pub struct Terms {
    side: Side,
    rows: usize,
    totals_move: bool,
    reads: IndexMap<NodeId, Arc<Reads>>,
    /// What keys of other sides have been.
    fixed: IndexSet<Vec<Result<Value, Gap>>>,
    classes: IndexMap<Vec<ColumnId>, Arc<Classes>>,
    /// The rows that have each open key, by its place ([`World::cell`](crate::inventory::world::World::cell)): `None` of one that
    /// many have. Made when there are many keys.
    few: Option<Vec<Option<Vec<u32>>>>,
    columns: IndexMap<ColumnId, Option<Kept<Numbers>>>,
    truths: IndexMap<TermKey, Kept<Bits>>,
    earned: IndexMap<(NodeId, usize), Kept<Levels>>,
    /// Rows that have changed.
    pub journal: Journal,
}

impl Terms {
    /// About so many agents ([`Side::Agent`]) or supplies ([`Side::Pool`]).
    /// `totals_move`: whether what there is of resources may change too.
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

    /// Whose rows.
    pub fn side(&self) -> Side {
        self.side
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of what is kept by rows.
    pub fn bytes(&self) -> usize {
        let levels = |kept: &Kept<Levels>| match &*kept.what {
            Levels::Few(levels) => levels.len() * self.rows / 8,
            Levels::Each(_) => self.rows * size_of::<i64>(),
        };
        self.classes.values().map(|classes| classes.bytes()).sum::<usize>()
            + self.columns.values().flatten().count() * (self.rows * size_of::<i64>() + self.rows / 4)
            + self.truths.len() * self.rows / 8
            + self.earned.values().map(levels).sum::<usize>()
    }

    /// Whether what is kept takes more than it may.
    pub fn is_full(&self) -> bool {
        (self.truths.len() + self.earned.len()).saturating_mul(self.rows / 8 + 64) > limits::INDEX_BYTES
            || self.fixed.len() > limits::INDEX_BYTES / 1_024
    }

    /// Whether a node reads keys of the rows that change as amounts are taken.
    pub fn moves(&mut self, plan: &Plan, id: NodeId) -> bool {
        self.reads(plan, id).moves
    }

    /// Forgets what can be worked out again.
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

    /// What the keys of other sides are that a node reads, as a number.
    fn fixed(&mut self, scene: &Scene<'_>, others: &[ColumnId]) -> usize {
        let values = others.iter().map(|column| scene.read(*column)).collect();
        self.fixed.insert_full(values).0
    }

    /// The classes of rows by the keys that a node reads; `None` where these change as amounts are taken.
    pub(super) fn classes(&mut self, scene: &Scene<'_>, id: NodeId) -> Option<Arc<Classes>> {
        let reads = self.reads(scene.plan, id);
        if reads.moves {
            return None;
        }
        let mut own = reads.own.clone();
        own.sort_unstable();
        Some(self.by_columns(scene, &own))
    }

    /// The classes of rows by the keys that some nodes read, none of which may change as amounts are taken.
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
            [rest @ .., last] => {
                let (rest, last) = (self.by_columns(scene, rest), self.by_columns(scene, &[*last]));
                rest.both(&last)
            }
        };
        let classes = Arc::new(classes);
        self.classes.insert(columns.to_vec(), Arc::clone(&classes));
        classes
    }

    /// Lists the rows that have each open key, where there are so many keys that looking at every row for each costs more. What it
    /// costs is what the fleet holds, and not its rows times its keys.
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
                    if rows.len() > self.rows / 16 + 1 {
                        few[place] = None;
                    }
                }
            }
        }
        // A key that nobody has at all has no list yet.
        let places = scene.plan.columns.len();
        if few.len() < places {
            few.resize(places, Some(Vec::new()));
        }
        self.few = Some(few);
    }

    /// A key of the rows as numbers, where they all measure the same.
    pub(super) fn column(&mut self, scene: &Scene<'_>, column: ColumnId) -> Option<Numbers> {
        let moves = moves(scene.plan.column(column).key, self.totals_move);
        if !self.columns.contains_key(&column) {
            let numbers = Numbers::read(self.rows, |row| self.at(scene, row).read(column));
            let read = self.journal.len();
            self.columns.insert(column, numbers.map(|what| Kept { what: Arc::new(what), moves, read }));
        }
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

    /// The rows for which a condition comes out as asked, true or false. `scene` has everything but the row.
    pub fn rows_where(&mut self, scene: &Scene<'_>, id: NodeId, wanted: bool) -> Rows {
        let reads = self.reads(scene.plan, id);
        let key = (id, wanted, self.fixed(scene, &reads.others));
        if let Some((term, _, kept)) = self.truths.get_full_mut(&key) {
            if kept.moves && kept.read < self.journal.len() {
                let rows = Arc::make_mut(&mut kept.what);
                let mut again =
                    |row| rows.set(row, at(self.side, scene, row).truth(id) == Truth::from(wanted));
                match self.journal.since(kept.read) {
                    Some(rows) => rows.for_each(&mut again),
                    None => (0..self.rows).for_each(&mut again),
                }
                kept.read = self.journal.len();
            }
            return Rows { id: term, bits: Arc::clone(&kept.what) };
        }
        let (holds, fails) = self.truths_of(scene, id);
        let what = Arc::new(if wanted { holds } else { fails });
        let kept = Kept { what: Arc::clone(&what), moves: reads.moves, read: self.journal.len() };
        Rows { id: self.truths.insert_full(key, kept).0, bits: what }
    }

    /// What a preference earns, by rows.
    pub fn earned(&mut self, scene: &Scene<'_>, id: NodeId) -> Scored {
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
            return Scored { id: term, levels: Arc::clone(&kept.what) };
        }
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
        let kept = Kept { what: Arc::clone(&what), moves: reads.moves, read: self.journal.len() };
        Scored { id: self.earned.insert_full(key, kept).0, levels: what }
    }

    /// The rows for which a node is true, and those for which it is false.
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

    /// Kleene's `or` (`decides`), and `and`.
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

/// Who is asked about a node that a filter of others answers.
fn asked_of<'a>(scene: &Scene<'a>, id: NodeId) -> Option<(&'a dyn Filters, &'a Asked)> {
    match scene.plan.node(id) {
        Node::Asked(asked) => Some((scene.filters?, scene.plan.asked(*asked))),
        _ => None,
    }
}

/// A scene with one row in it.
fn at<'a>(side: Side, scene: &Scene<'a>, row: usize) -> Scene<'a> {
    match side {
        Side::Agent => Scene { agent: Some(row), ..*scene },
        _ => Scene { supply: Some(row), ..*scene },
    }
}

/// Whether a key changes as amounts are taken.
fn moves(key: Key, totals: bool) -> bool {
    matches!(key, Key::Free(_) | Key::Used(_)) || totals && matches!(key, Key::Total(_))
}

/// What tells one gap from another, for whatever reads the key.
fn kind(gap: &Gap) -> bool {
    matches!(gap, Gap::Absent(_))
}
