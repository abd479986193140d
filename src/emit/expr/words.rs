//! Conditions over 64 rows of one side at once, as two words: the rows where a condition holds, and those
//! where it fails. A row in neither is unknown, so `not` swaps the words, and `and` and `or` combine them bit
//! by bit (Kleene's logic).
//!
//! A comparison of a key with an operand that is the same for all rows runs as a kernel over the column. Any
//! other part is evaluated row by row.

use super::{CONDITION, Emitter, Frame};
use crate::{
    emit::{
        asm::{Ex, Fn, FunctionBody, Local, St, when},
        helpers::{Helper, rank},
        kernels::Kernel,
        manifest::{ColumnKind, kind_of},
        module::{FAILS, OF_ROWS, VALUE},
    },
    ir::{ColumnId, Node, NodeId},
    operator::TestOp,
    types::{Side, Type},
};

/// A comparison of a key of the rows with an operand that is the same for all rows.
struct Leaf {
    column: ColumnId,
    kernel: Kernel,
    /// `true` if it holds for the rows that the kernel excludes.
    inverted: bool,
    operand: Operand,
}

/// The operand of a kernel.
enum Operand {
    Nothing,
    Amount(i64),
    /// The value of a node.
    Of(NodeId),
}

impl Emitter<'_> {
    /// Returns the function of a condition over 64 rows of one side, and the side. Its first parameter is the
    /// first row. Returns `None` if the condition reads both sides, or neither, or no part of it can use a
    /// kernel.
    pub fn words(&mut self, id: NodeId) -> Option<(Fn, Side)> {
        let mut side = None;
        for column in self.plan.reads(id) {
            let own = self.plan.column(column).side;
            if matches!(own, Side::Agent | Side::Pool) && *side.get_or_insert(own) != own {
                return None;
            }
        }
        let side = side?;
        (self.leaves(id)? > 0).then(|| (self.words_of(id, side), side))
    }

    /// Returns the number of parts that can use a kernel; `None` if a part has neither a kernel nor a
    /// function per row.
    fn leaves(&self, id: NodeId) -> Option<usize> {
        match self.plan.node(id) {
            Node::Named(definition) => self.leaves(self.plan.definition(*definition).root),
            Node::Not(inner) if self.kind(*inner) == CONDITION => self.leaves(*inner),
            Node::And(parts) | Node::Or(parts) => {
                parts.iter().try_fold(0, |sum, part| Some(sum + self.leaves(*part)?))
            }
            _ if self.by_columns(id).is_some() => Some(1),
            _ if self.used.conditions.contains(&id) => Some(0),
            _ => None,
        }
    }

    fn words_of(&mut self, id: NodeId, side: Side) -> Fn {
        if let Some(known) = self.words.get(&id) {
            return *known;
        }
        let function = self.builder.declare();
        self.words.insert(id, function);
        let mut body = FunctionBody::new(&OF_ROWS.0, OF_ROWS.1);
        let mut code = Vec::new();
        self.planes(&mut body, &mut code, id, side);
        code.push(St::Return(Ex::Int(0)));
        body.add(code);
        self.builder.define(function, body);
        function
    }

    /// Generates code that leaves the rows where a condition holds in [`VALUE`], and where it fails in
    /// [`FAILS`].
    fn planes(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, id: NodeId, side: Side) {
        let plan = self.plan;
        let start = body.param(0);
        match plan.node(id) {
            Node::Named(definition) => {
                let function = self.words_of(plan.definition(*definition).root, side);
                out.push(St::Do(Ex::Call(function, vec![start.into(), 0.into()]), true));
            }
            Node::Not(inner) => {
                let holds = body.long();
                self.planes(body, out, *inner, side);
                out.extend([holds.set(VALUE), VALUE.set(FAILS), FAILS.set(holds)]);
                body.release(holds);
            }
            Node::And(parts) | Node::Or(parts) => {
                let both = matches!(plan.node(id), Node::And(_));
                let (holds, fails) = (body.long(), body.long());
                for (at, part) in parts.iter().enumerate() {
                    self.planes(body, out, *part, side);
                    // `and` holds where all hold and fails where any fails; `or` is the reverse.
                    let join = |own: Local, new: Ex, all: bool| match (at, all) {
                        (0, _) => own.set(new),
                        (_, true) => own.set(new.and64(own)),
                        _ => own.set(new.or64(own)),
                    };
                    out.extend([join(holds, VALUE.get(), both), join(fails, FAILS.get(), !both)]);
                }
                out.extend([VALUE.set(holds), FAILS.set(fails)]);
                body.release(holds);
                body.release(fails);
            }
            _ => match self.by_columns(id) {
                Some(leaf) => self.compared(body, out, &leaf),
                None => {
                    let number = self.used.conditions.get_index_of(&id).unwrap_or(0) as u32;
                    let by_rows = self.builder.helper(Helper::ByRows(side == Side::Pool));
                    out.push(St::Do(Ex::Call(by_rows, vec![number.into(), start.into()]), true));
                }
            },
        }
    }

    fn compared(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, leaf: &Leaf) {
        let kernel = leaf.kernel;
        let number = match self.kernels.get_index_of(&kernel) {
            Some(known) => known,
            None => {
                let function = self.builder.function(kernel.body());
                self.kernels.insert_full(kernel, function).0
            }
        };
        let number = 2 * (self.layout.kernels + number as u32) + u32::from(leaf.inverted);
        let slot = self.slot(leaf.column);
        let apply = self.builder.helper(Helper::Apply);
        let call = Ex::Call(apply, vec![slot.into(), body.param(0).into(), number.into()]);
        let call = St::Do(call, true);
        match leaf.operand {
            Operand::Nothing => out.push(call),
            Operand::Amount(amount) => out.extend([VALUE.set(amount), call]),
            Operand::Of(id) => {
                // The operand reads no row, so any row will do.
                let nobody = body.int();
                let frame = Frame { agent: nobody, pool: nobody, status: body.int() };
                let val = self.node(body, out, frame, id);
                let operand = match kernel {
                    Kernel::Ranks => rank(val.wide()).wide(),
                    Kernel::Marked => {
                        let inside = self.builder.helper(Helper::Inside);
                        let note = self.builder.data.space(4, 4);
                        self.notes.push(note);
                        Ex::Call(inside, vec![val.wide().low(), note.into()]).wide()
                    }
                    _ => val.wide(),
                };
                if val.certain {
                    out.extend([VALUE.set(operand), call]);
                } else {
                    let known = vec![VALUE.set(operand), call];
                    let unknown = vec![VALUE.set(0_i64), FAILS.set(0_i64)];
                    out.push(St::If(frame.status.into(), unknown, known));
                }
            }
        }
    }

    /// Returns a condition as one comparison by a kernel, if it is one.
    fn by_columns(&self, id: NodeId) -> Option<Leaf> {
        match self.plan.node(id) {
            Node::Read(column) if self.is_of_rows(*column) && self.kind(id) == CONDITION => Some(Leaf {
                column: *column,
                kernel: Kernel::Bits,
                inverted: false,
                operand: Operand::Nothing,
            }),
            Node::Test(op, left, right) => {
                // Either operand may be the key.
                self.test_leaf(*op, *left, *right).or_else(|| self.test_leaf(turned(*op)?, *right, *left))
            }
            _ => None,
        }
    }

    fn is_of_rows(&self, column: ColumnId) -> bool {
        matches!(self.plan.column(column).side, Side::Agent | Side::Pool)
    }

    /// Returns the comparison of a key on the left with an operand on the right that is the same for all
    /// rows.
    fn test_leaf(&self, op: TestOp, left: NodeId, right: NodeId) -> Option<Leaf> {
        let Node::Read(column) = *self.plan.node(left) else { return None };
        if !self.is_of_rows(column) || self.plan.reads(right).iter().any(|read| self.is_of_rows(*read)) {
            return None;
        }
        let (ColumnKind::Of(kind), ColumnKind::Of(other)) = (kind_of(self.plan, column), self.kind(right))
        else {
            return None;
        };
        let is_path = |kind: Type| matches!(kind, Type::Text | Type::Place);
        let leaf = |kernel, inverted| Some(Leaf { column, kernel, inverted, operand: Operand::Of(right) });
        match (op, kind) {
            (TestOp::Equal, kind) if is_path(kind) && is_path(other) => leaf(Kernel::Symbols, false),
            (TestOp::NotEqual, kind) if is_path(kind) && is_path(other) => leaf(Kernel::Symbols, true),
            (TestOp::Within, kind) if is_path(kind) && is_path(other) => leaf(Kernel::Marked, false),
            (TestOp::Has, Type::Texts) if is_path(other) => leaf(Kernel::Has, false),
            (TestOp::Less, Type::Version) if other == kind => leaf(Kernel::Ranks, false),
            (TestOp::GreaterOrEqual, Type::Version) if other == kind => leaf(Kernel::Ranks, true),
            (TestOp::Equal, Type::Quantity(_)) if other == kind => leaf(Kernel::Equal, false),
            (TestOp::NotEqual, Type::Quantity(_)) if other == kind => leaf(Kernel::Equal, true),
            (TestOp::Less, Type::Quantity(_)) if other == kind => leaf(Kernel::Less, false),
            (TestOp::GreaterOrEqual, Type::Quantity(_)) if other == kind => leaf(Kernel::Less, true),
            // `x <= n` is `x < n + 1`.
            (TestOp::LessOrEqual | TestOp::Greater, Type::Quantity(_)) if other == kind => {
                let amount = self.amount(right)?.checked_add(1)?;
                let operand = Operand::Amount(amount);
                Some(Leaf { column, kernel: Kernel::Less, inverted: op == TestOp::Greater, operand })
            }
            _ => None,
        }
    }

    fn amount(&self, id: NodeId) -> Option<i64> {
        match self.plan.node(id) {
            Node::Constant(crate::value::Value::Quantity(_, amount)) => Some(*amount),
            _ => None,
        }
    }
}

/// Returns the operator that means the same with its operands swapped.
fn turned(op: TestOp) -> Option<TestOp> {
    Some(match op {
        TestOp::Equal | TestOp::NotEqual => op,
        TestOp::Less => TestOp::Greater,
        TestOp::LessOrEqual => TestOp::GreaterOrEqual,
        TestOp::Greater => TestOp::Less,
        TestOp::GreaterOrEqual => TestOp::LessOrEqual,
        TestOp::In => TestOp::Has,
        TestOp::Has | TestOp::HasAny | TestOp::HasAll | TestOp::Within => return None,
    })
}

/// `slot, first row, kernel`: sets [`VALUE`] and [`FAILS`] from the known rows and the result of a kernel.
/// The kernel's number is shifted left by one; the lowest bit is set if its result is inverted.
pub fn apply() -> FunctionBody {
    use crate::emit::{asm::Mem, feed::slot};
    use wasm_encoder::ValType::I32;
    let mut body = FunctionBody::new(&[I32; 3], Some(I32));
    let [slot, start, kernel] = [0, 1, 2].map(|at| body.param(at));
    let (bitmap, known) = (body.int(), body.long());
    let call = Ex::CallAt(Box::new(kernel.get().shr(1)), vec![slot.into(), start.into()]);
    // All ones if the result is inverted, else 0.
    let inverted = Ex::Long(0).sub64(kernel.get().and(1).wide());
    body.add([
        bitmap.set(slot.get().word(slot::KNOWN)),
        when(bitmap.into(), vec![known.set(bitmap.get().add(start.get().shr(3)).load(Mem::Long, 0))]),
        FAILS.set(known),
        St::Do(call, true),
        VALUE.set(VALUE.get().xor64(inverted).and64(known)),
        FAILS.set(VALUE.get().xor64(known)),
        St::Return(Ex::Int(0)),
    ]);
    body
}
