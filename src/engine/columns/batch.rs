//! Quantities of all rows at once, with the operators of the plan.

use super::{bits::Bits, terms::Terms};
use crate::{
    engine::{Gap, Scene},
    ir::{ColumnId, Node, NodeId, op},
    operator::{Function, TestOp},
    quantity::Dimension,
    value::Value,
};

/// The quantities of an expression, by row.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub dimension: Dimension,
    /// The amounts of all rows, or the single amount that all share.
    pub amounts: Amounts,
    /// The rows that have a quantity.
    pub known: Bits,
    /// The rows on which the key is absent. Rows in neither set have no quantity for another reason.
    pub absent: Bits,
}

#[derive(Clone, Debug)]
pub(super) enum Amounts {
    One(i64),
    Each(Vec<i64>),
}

impl Amounts {
    fn at(&self, row: usize) -> i64 {
        match self {
            Amounts::One(amount) => *amount,
            Amounts::Each(amounts) => amounts[row],
        }
    }
}

impl Numbers {
    /// Reads rows one by one. Returns `None` if a row has no quantity but another value, or dimensions
    /// differ.
    pub fn read(rows: usize, mut value: impl FnMut(usize) -> Result<Value, Gap>) -> Option<Numbers> {
        let mut numbers = Numbers {
            dimension: Dimension::Number,
            amounts: Amounts::One(0),
            known: Bits::none(rows),
            absent: Bits::none(rows),
        };
        let mut amounts = vec![0; rows];
        let mut dimension = None;
        for (row, amount) in amounts.iter_mut().enumerate() {
            match value(row) {
                Ok(Value::Quantity(own, here)) if *dimension.get_or_insert(own) == own => {
                    *amount = here;
                    numbers.known.set(row, true);
                }
                Ok(_) => return None,
                Err(gap) => numbers.absent.set(row, matches!(gap, Gap::Absent(_))),
            }
        }
        numbers.dimension = dimension.unwrap_or(Dimension::Number);
        numbers.amounts = Amounts::Each(amounts);
        Some(numbers)
    }

    /// Returns the same value for all rows; `None` if it is not a quantity.
    fn same(rows: usize, value: &Result<Value, Gap>) -> Option<Numbers> {
        let (dimension, amount, known, absent) = match value {
            Ok(Value::Quantity(dimension, amount)) => (*dimension, *amount, true, false),
            Ok(_) => return None,
            Err(gap) => (Dimension::Number, 0, false, matches!(gap, Gap::Absent(_))),
        };
        let set = |on: bool| if on { Bits::all(rows) } else { Bits::none(rows) };
        Some(Numbers { dimension, amounts: Amounts::One(amount), known: set(known), absent: set(absent) })
    }

    /// Returns the quantity of a row.
    pub fn value(&self, row: usize) -> Value {
        Value::Quantity(self.dimension, self.amounts.at(row))
    }

    /// Replaces the value of a row. Returns `false` if the column cannot hold it: it is then no column of
    /// quantities.
    pub fn set(&mut self, row: usize, value: &Result<Value, Gap>) -> bool {
        let Amounts::Each(amounts) = &mut self.amounts else { return false };
        match value {
            Ok(Value::Quantity(dimension, amount)) if *dimension == self.dimension => amounts[row] = *amount,
            Ok(_) => return false,
            Err(_) => {}
        }
        self.known.set(row, value.is_ok());
        self.absent.set(row, matches!(value, Err(Gap::Absent(_))));
        true
    }

    /// Applies an operator to the rows where all operands are known. Returns `None` if the dimensions of the
    /// results differ.
    fn map(
        rows: usize,
        operands: &[&Numbers],
        apply: impl Fn(&[Value]) -> Result<Value, op::OpFault>,
    ) -> Option<Self> {
        let mut known = Bits::all(rows);
        operands.iter().for_each(|operand| known.and(&operand.known));
        let mut here = Vec::with_capacity(operands.len());
        Numbers::read(rows, |row| {
            if !known.has(row) {
                // Callers only look at whether a row is known, so the cause does not matter.
                return Err(Gap::Fault(NodeId(0), op::OpFault::Mismatch));
            }
            here.clear();
            here.extend(operands.iter().map(|operand| operand.value(row)));
            apply(&here).map_err(|fault| Gap::Fault(NodeId(0), fault))
        })
    }
}

impl Terms {
    /// Evaluates a node that is a quantity for all rows; `None` if it cannot be done by columns.
    pub(super) fn numbers(&mut self, scene: &Scene<'_>, id: NodeId) -> Option<Numbers> {
        let rows = self.rows();
        // Without a key of the rows, the node has one value for all of them.
        if self.reads(scene.plan, id).own.is_empty() {
            return Numbers::same(rows, &scene.value(id));
        }
        match scene.plan.node(id) {
            Node::Read(column) => self.column(scene, *column),
            Node::Named(definition) => self.numbers(scene, scene.plan.definition(*definition).root),
            Node::Arithmetic(operator, left, right) => {
                let (left, right) = (self.numbers(scene, *left)?, self.numbers(scene, *right)?);
                Numbers::map(rows, &[&left, &right], |of| op::arithmetic(*operator, &of[0], &of[1]))
            }
            Node::Negate(inner) => {
                let inner = self.numbers(scene, *inner)?;
                Numbers::map(rows, &[&inner], |of| op::negate(&of[0]))
            }
            Node::Else(column, other) => {
                // Only absence takes the default. A row with a key of another type stays unknown.
                let (column, other) = (self.either(scene, *column)?, self.numbers(scene, *other)?);
                Numbers::read(rows, |row| match () {
                    () if column.known.has(row) => Ok(column.value(row)),
                    () if column.absent.has(row) && other.known.has(row) => Ok(other.value(row)),
                    () => Err(Gap::Fault(id, op::OpFault::Mismatch)),
                })
            }
            Node::Call(function, arguments) if *function != Function::Closeness => {
                let operands: Option<Vec<Numbers>> =
                    arguments.iter().map(|argument| self.numbers(scene, *argument)).collect();
                let operands = operands?;
                let operands: Vec<&Numbers> = operands.iter().collect();
                let (levels, symbols) = (scene.plan.levels.len(), &scene.plan.symbols);
                Numbers::map(rows, &operands, |of| op::call(*function, of, levels, symbols))
            }
            Node::Call(..) => {
                // `closeness` compares places, which are no quantities. Its result is one, and is computed
                // per class.
                let classes = self.classes(scene, id)?;
                let of = classes.each(|row| self.at(scene, row).value(id));
                Numbers::read(rows, |row| of[classes.class(row)].clone())
            }
            _ => None,
        }
    }

    /// Returns a key of the rows, or a key of another side that all rows share.
    fn either(&mut self, scene: &Scene<'_>, column: ColumnId) -> Option<Numbers> {
        if scene.plan.column(column).side == self.side() {
            self.column(scene, column)
        } else {
            Numbers::same(self.rows(), &scene.read(column))
        }
    }

    /// Compares two quantities in all rows. Returns the rows that hold and those that fail; `None` if an
    /// operand is no quantity.
    pub(super) fn compare(
        &mut self,
        scene: &Scene<'_>,
        operator: TestOp,
        left: NodeId,
        right: NodeId,
    ) -> Option<(Bits, Bits)> {
        let (left, right) = (self.numbers(scene, left)?, self.numbers(scene, right)?);
        let mut known = left.known.clone();
        known.and(&right.known);
        let symbols = &scene.plan.symbols;
        let test = |row: usize| op::test(operator, &left.value(row), &right.value(row), symbols);
        let holds = Bits::of(self.rows(), |row| known.has(row) && test(row) == Ok(true));
        let fails = Bits::of(self.rows(), |row| known.has(row) && test(row) == Ok(false));
        Some((holds, fails))
    }
}
