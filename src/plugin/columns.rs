//! Converts the rows of a fleet to the columns that a plugin sees, and the keys of a question to facts. The
//! plain engine's own reader supplies the values, so that a plugin sees what a policy would.

use indexmap::IndexSet;

use super::{
    about::{About, AboutColumn},
    ask::{FleetView, Question},
    placeholder::PlaceholderSubject,
    texts::Texts,
    wire::filter as wire,
};
use crate::{
    emit::ColumnKind,
    engine::{Gap, Scene, Subject},
    inventory::world::Cell,
    ir::{ColumnId, Volume},
    quantity::Dimension,
    symbol::Symbols,
    types::{Side, Type},
    value::Value,
};

/// The value of a row in a column, reduced to what can tell two values apart: the kind and a number. Two
/// special values stand for an absent key and a value of another kind. A set is represented by its number in
/// [`SentColumn::sets`].
pub(super) type SentCell = (u8, i64);

/// The row does not have the key.
const ABSENT: SentCell = (u8::MAX, 0);
/// The row has a value of another kind.
const MISMATCH: SentCell = (u8::MAX, 1);

/// The values of a column that the plugin was last sent. `filter` compares them with new ones, and sends only
/// the rows that differ.
#[derive(Debug, Default)]
pub(super) struct SentColumn {
    /// By row, as the plugin counts rows.
    pub(super) cells: Vec<SentCell>,
    /// The distinct sets so far. A set keeps its number.
    pub(super) sets: IndexSet<Vec<i64>>,
}

/// Returns the values of one column for these rows, and the cell of each row for later comparison.
pub(super) fn data(
    view: FleetView<'_>,
    (texts, sets): (&mut Texts, &mut IndexSet<Vec<i64>>),
    (number, column, id): (usize, &AboutColumn, ColumnId),
    rows: &[usize],
) -> (wire::ColumnData, Vec<SentCell>) {
    let placeholder = PlaceholderSubject::new();
    let scene = placeholder.scene(view);
    let mut made = ColumnBuilder::new(column.kind, rows.len(), sets);
    let attribute = view.world.cell(id);
    for (at, row) in rows.iter().enumerate() {
        // Open keys are read in place: cloning each value would cost more than the rest of the loop.
        if let Some(cell) = attribute {
            let cells = if column.side == Side::Agent {
                &view.world.agents[*row].cells
            } else {
                &view.world.supplies[*row].cells
            };
            match cells.get(cell) {
                Cell::Value(value) => made.value(at, value, texts, &view.plan.symbols),
                Cell::Mismatch(_) => made.mismatch(at),
                Cell::Absent => {}
            }
            continue;
        }
        let scene = match column.side {
            Side::Agent => Scene { agent: Some(*row), ..scene },
            _ => Scene { supply: Some(*row), ..scene },
        };
        match scene.read(id) {
            Ok(value) => made.value(at, &value, texts, &view.plan.symbols),
            Err(Gap::Absent(_)) => {}
            Err(_) => made.mismatch(at),
        }
    }
    let ColumnBuilder { known, mismatched, cells, sent, .. } = made;
    (wire::ColumnData { column: number as u32, known, mismatched, cells }, sent)
}

/// A column that is being filled.
struct ColumnBuilder<'s> {
    kind: Option<Type>,
    rows: usize,
    /// Bitmap of the rows with a value of the expected kind.
    known: Vec<u64>,
    /// Bitmap of the rows with a value of another kind. Empty if there are none.
    mismatched: Vec<u64>,
    cells: wire::Cells,
    sent: Vec<SentCell>,
    /// By the number of a set, the span of its members in this column; 0 if they are not written yet.
    spans: Vec<i64>,
    sets: &'s mut IndexSet<Vec<i64>>,
}

impl<'s> ColumnBuilder<'s> {
    fn new(kind: Option<Type>, rows: usize, sets: &'s mut IndexSet<Vec<i64>>) -> Self {
        let cells = match kind {
            Some(Type::Bool) => wire::Cells::Booleans(vec![0; rows.div_ceil(64)]),
            Some(Type::Quantity(_)) => wire::Cells::Integers(vec![0; rows]),
            Some(Type::Text | Type::Place | Type::Version) => wire::Cells::Numbers(vec![0; rows]),
            Some(Type::Texts | Type::Numbers | Type::Ranges) => {
                wire::Cells::Sets(wire::Sets { spans: vec![0; rows], members: Vec::new() })
            }
            None => wire::Cells::Mixed(wire::Mixed {
                kinds: vec![0; rows],
                values: vec![0; rows],
                members: Vec::new(),
            }),
        };
        let known = vec![0; rows.div_ceil(64)];
        let (mismatched, sent, spans) = (Vec::new(), vec![ABSENT; rows], Vec::new());
        ColumnBuilder { kind, rows, known, mismatched, cells, sent, spans, sets }
    }

    fn mismatch(&mut self, at: usize) {
        self.mismatched.resize(self.rows.div_ceil(64), 0);
        self.mismatched[at / 64] |= 1 << (at % 64);
        self.sent[at] = MISMATCH;
    }

    fn value(&mut self, at: usize, value: &Value, texts: &mut Texts, symbols: &Symbols) {
        if self.kind.is_some_and(|kind| kind != value.type_of()) {
            return self.mismatch(at);
        }
        self.known[at / 64] |= 1 << (at % 64);
        let (number, sent) = match Scalar::of(value, texts, symbols) {
            Scalar::One(number) => (number, number),
            Scalar::Set(members) => self.span(members),
        };
        self.sent[at] = (ColumnKind::Of(value.type_of()).number(), sent);
        match &mut self.cells {
            wire::Cells::Booleans(bits) => bits[at / 64] |= (number as u64) << (at % 64),
            wire::Cells::Integers(cells) => cells[at] = number,
            wire::Cells::Numbers(cells) => cells[at] = number as u32,
            wire::Cells::Sets(sets) => sets.spans[at] = number as u64,
            wire::Cells::Mixed(mixed) => {
                mixed.kinds[at] = ColumnKind::Of(value.type_of()).number();
                mixed.values[at] = number;
            }
        }
    }

    /// Returns the span of a set's members, and the set's number. Equal sets share a span. A span is two
    /// 32-bit halves: the start in the lower, the end in the upper. A set with members ends after 0, so that
    /// 0 never is its span.
    fn span(&mut self, members: Vec<i64>) -> (i64, i64) {
        let number = match self.sets.get_index_of(&members) {
            Some(number) => number,
            None => self.sets.insert_full(members).0,
        };
        if self.spans.len() <= number {
            self.spans.resize(self.sets.len(), 0);
        }
        let members = &self.sets[number];
        let all = match &mut self.cells {
            wire::Cells::Sets(sets) => &mut sets.members,
            wire::Cells::Mixed(mixed) => &mut mixed.members,
            _ => return (0, number as i64),
        };
        // An empty set needs no place: start and end are 0.
        if self.spans[number] == 0 && !members.is_empty() {
            let start = all.len() as u64;
            all.extend_from_slice(members);
            self.spans[number] = (start | (all.len() as u64) << 32) as i64;
        }
        (self.spans[number], number as i64)
    }
}

/// A value as numbers: one, or the members of a set.
enum Scalar {
    One(i64),
    Set(Vec<i64>),
}

impl Scalar {
    fn of(value: &Value, texts: &mut Texts, symbols: &Symbols) -> Scalar {
        match value {
            Value::Bool(value) => Scalar::One(i64::from(*value)),
            Value::Quantity(_, amount) => Scalar::One(*amount),
            Value::Text(text) | Value::Place(text) => Scalar::One(i64::from(texts.number(symbols, *text))),
            Value::Version(version) => Scalar::One(i64::from(texts.version_number(version))),
            Value::Texts(members) => {
                let mut members: Vec<i64> =
                    members.iter().map(|member| i64::from(texts.number(symbols, *member))).collect();
                members.sort_unstable();
                Scalar::Set(members)
            }
            Value::Numbers(members) => Scalar::Set(members.to_vec()),
            Value::Ranges(ranges) => {
                Scalar::Set(ranges.parts().iter().flat_map(|(low, high)| [*low, *high]).collect())
            }
        }
    }
}

/// Converts a value to the type of the interface.
fn value_of(value: &Value, texts: &mut Texts, symbols: &Symbols) -> wire::Value {
    match (Scalar::of(value, texts, symbols), value.type_of()) {
        (Scalar::One(number), Type::Bool) => wire::Value::Boolean(number != 0),
        (Scalar::One(number), Type::Quantity(Dimension::Size)) => wire::Value::Size(number),
        (Scalar::One(number), Type::Quantity(Dimension::Bandwidth)) => wire::Value::Bandwidth(number),
        (Scalar::One(number), Type::Quantity(Dimension::Duration)) => wire::Value::Duration(number),
        (Scalar::One(number), Type::Text) => wire::Value::Text(number as u32),
        (Scalar::One(number), Type::Version) => wire::Value::Version(number as u32),
        (Scalar::One(number), Type::Place) => wire::Value::Place(number as u32),
        (
            Scalar::One(number),
            Type::Quantity(Dimension::Number) | Type::Texts | Type::Numbers | Type::Ranges,
        ) => wire::Value::Number(number),
        (Scalar::Set(members), Type::Texts) => wire::Value::Texts(members),
        (Scalar::Set(members), Type::Ranges) => wire::Value::Ranges(members),
        (Scalar::Set(members), _) => wire::Value::Numbers(members),
    }
}

/// Returns the values of the keys that belong to no row: those of the need, framework, role, volume and
/// broker.
pub(super) fn facts(
    view: FleetView<'_>,
    texts: &mut Texts,
    about: &About,
    columns: &[Option<ColumnId>],
    (subject, volume): (Option<Subject<'_>>, Option<&Volume>),
) -> Vec<wire::Fact> {
    let placeholder = PlaceholderSubject::new();
    let scene = placeholder.scene(view);
    let scene = Scene { subject: subject.unwrap_or(scene.subject), volume, ..scene };
    let mut facts = Vec::new();
    for (number, (column, id)) in about.columns.iter().zip(columns).enumerate() {
        let asks = matches!(column.side, Side::Need | Side::Framework | Side::Role);
        let (Some(id), false) = (id, matches!(column.side, Side::Agent | Side::Pool)) else { continue };
        if asks && subject.is_none() {
            continue;
        }
        let value = match scene.read(*id) {
            Ok(value) => value_of(&value, texts, &view.plan.symbols),
            Err(Gap::Absent(_)) => continue,
            // The interface has no mismatched fact. A value of a kind that the column does not have has the
            // same meaning.
            Err(_) if column.kind == Some(Type::Bool) => wire::Value::Number(0),
            Err(_) => wire::Value::Boolean(false),
        };
        facts.push(wire::Fact { column: number as u32, value });
    }
    facts
}

/// Returns the facts of a question.
pub(super) fn facts_of(
    view: FleetView<'_>,
    texts: &mut Texts,
    about: &About,
    columns: &[Option<ColumnId>],
    asked: &Question<'_>,
) -> Vec<wire::Fact> {
    facts(view, texts, about, columns, (asked.subject, asked.volume))
}
