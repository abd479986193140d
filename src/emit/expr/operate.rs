//! Code generation for tests, arithmetic and functions. If the kinds of the operands are known, an
//! instruction or two in place suffice; otherwise a helper looks at the kinds at run time.

use super::{CONDITION, Emitter, Frame, Val, paths, put, release, widened};
use crate::{
    emit::{
        arithmetic,
        asm::{Bin, BlockLabel, Ex, FunctionBody, Local, St, when},
        helpers::{BY_ZERO, DURATION, Helper, MISMATCH, NUMBER, OVERFLOW, TEXT},
        manifest::ColumnKind,
        module::{KIND, VALUE},
    },
    ir::NodeId,
    operator::{ArithmeticOp, Function, TestOp},
    quantity::MILLION,
    types::Type,
};

impl Emitter<'_> {
    pub(super) fn test(
        &mut self,
        body: &mut FunctionBody,
        out: &mut Vec<St>,
        frame: Frame,
        op: TestOp,
        operands: [NodeId; 2],
    ) -> Val {
        let holds = body.int();
        let mut vals = Vec::new();
        self.arguments(body, out, frame, &operands, &mut vals, &mut |own, _, out, vals| {
            let [left, right] = vals else { return };
            out.extend(own.tested(frame, op, left, right, holds));
        });
        vals.iter().for_each(|val| release(body, val));
        Val { kind: CONDITION, value: holds.into(), tag: None, certain: false }
    }

    fn tested(&mut self, frame: Frame, op: TestOp, left: &Val, right: &Val, holds: Local) -> Vec<St> {
        let dimensions = (left.dimension(), right.dimension());
        let values = (left.value.clone(), right.value.clone());
        let same = dimensions.0.is_some() && dimensions.0 == dimensions.1;
        let alike = same || left.is_path() && right.is_path();
        let verdict = |value: Ex| vec![holds.set(value)];
        let asked = |call: Ex, verdict: Ex| {
            vec![
                holds.set(call),
                St::If(holds.get().eq(MISMATCH), vec![frame.status.set(MISMATCH)], vec![holds.set(verdict)]),
            ]
        };
        match op {
            TestOp::Equal if alike => verdict(values.0.eq64(values.1)),
            TestOp::NotEqual if alike => verdict(values.0.ne64(values.1)),
            TestOp::Less if same => verdict(values.0.lt64_s(values.1)),
            TestOp::LessOrEqual if same => verdict(values.0.le64_s(values.1)),
            TestOp::Greater if same => verdict(values.0.gt64_s(values.1)),
            TestOp::GreaterOrEqual if same => verdict(values.0.ge64_s(values.1)),
            TestOp::Equal => asked(self.ask(Helper::Equal, left, right), holds.into()),
            TestOp::NotEqual => asked(self.ask(Helper::Equal, left, right), holds.get().xor(1)),
            TestOp::Less => asked(self.ask(Helper::Order, left, right), holds.get().lt(1)),
            TestOp::LessOrEqual => asked(self.ask(Helper::Order, left, right), holds.get().le(1)),
            TestOp::Greater => asked(self.ask(Helper::Order, left, right), holds.get().gt(1)),
            TestOp::GreaterOrEqual => asked(self.ask(Helper::Order, left, right), holds.get().ge(1)),
            TestOp::In => self.tested(frame, TestOp::Has, right, left, holds),
            TestOp::Has if left.kind == ColumnKind::Of(Type::Texts) && right.is_path() => {
                let search = self.builder.helper(Helper::Search);
                verdict(Ex::Call(search, vec![values.0, values.1]))
            }
            TestOp::Has => asked(self.ask(Helper::Has, left, right), holds.into()),
            TestOp::HasAny => asked(self.ask(Helper::HasAny, left, right), holds.into()),
            TestOp::HasAll => asked(self.ask(Helper::HasAll, left, right), holds.into()),
            TestOp::Within => {
                let within = self.builder.helper(Helper::Within);
                let call = verdict(Ex::Call(within, vec![left.wide().low(), right.wide().low()]));
                vec![St::If(paths(left, right), call, vec![frame.status.set(MISMATCH)])]
            }
        }
    }

    /// Calls a helper with the kinds and values of two operands.
    fn ask(&mut self, helper: Helper, left: &Val, right: &Val) -> Ex {
        let function = self.builder.helper(helper);
        Ex::Call(function, vec![left.tag(), left.wide(), right.tag(), right.wide()])
    }

    pub(super) fn matches(
        &mut self,
        body: &mut FunctionBody,
        out: &mut Vec<St>,
        frame: Frame,
        subject: NodeId,
        number: usize,
    ) -> Val {
        let holds = body.int();
        let mut vals = Vec::new();
        self.arguments(body, out, frame, &[subject], &mut vals, &mut |own, _, out, vals| {
            let [val] = vals else { return };
            let matches = own.builder.helper(Helper::Matches);
            let (table, of) = (own.patterns[number], own.patterns.len() as u32);
            let arguments = vec![table.into(), (number as u32).into(), of.into(), val.wide().low()];
            out.push(St::If(
                val.tag().eq(TEXT),
                vec![holds.set(Ex::Call(matches, arguments))],
                vec![frame.status.set(MISMATCH)],
            ));
        });
        vals.iter().for_each(|val| release(body, val));
        Val { kind: CONDITION, value: holds.into(), tag: None, certain: false }
    }

    /// Returns the status of an expression, from that of a helper, which does not know its number.
    fn status(&self, id: NodeId, status: impl Into<Ex>) -> Ex {
        let number = self.used.expressions.get_index_of(&id).unwrap_or(0) as i32;
        let status: Ex = status.into();
        if number == 0 {
            return status;
        }
        status.clone().ge(OVERFLOW).mul(2 * number).add(status)
    }

    pub(super) fn arithmetic(
        &mut self,
        body: &mut FunctionBody,
        out: &mut Vec<St>,
        frame: Frame,
        id: NodeId,
        op: ArithmeticOp,
        operands: [NodeId; 2],
    ) -> Val {
        let result = self.target(body, self.kind(id));
        let mut vals = Vec::new();
        self.arguments(body, out, frame, &operands, &mut vals, &mut |own, _, out, vals| {
            let [left, right] = vals else { return };
            let call = match own.kind(id) {
                ColumnKind::Of(_) => {
                    let function = own.builder.helper(arithmetic::of_amounts(op));
                    Ex::Call(function, vec![left.wide(), right.wide()])
                }
                ColumnKind::Mixed => {
                    let function = own.builder.helper(Helper::Arithmetic);
                    let kinds = vec![left.tag(), left.wide(), right.tag(), right.wide()];
                    Ex::Call(function, [vec![arithmetic::number(op).into()], kinds].concat())
                }
            };
            out.push(frame.status.set(call));
            out.push(frame.status.set(own.status(id, frame.status)));
            out.extend(put(&result, VALUE.get(), KIND.get()));
        });
        vals.iter().for_each(|val| release(body, val));
        result
    }

    /// Generates the negation of a value; with `only_negative`, its magnitude.
    pub(super) fn negate(
        &mut self,
        body: &mut FunctionBody,
        out: &mut Vec<St>,
        frame: Frame,
        id: NodeId,
        val: &Val,
        only_negative: bool,
    ) -> Val {
        let result = self.target(body, val.kind);
        let value = val.wide();
        let turned = Ex::Long(0).sub64(value.clone());
        let turns = value.clone().lt64_s(0_i64);
        let amount = if only_negative { turns.choose(turned, value.clone()) } else { turned };
        // The least number has no positive counterpart.
        let over = value.eq64(i64::MIN).choose(self.status(id, OVERFLOW), 0);
        let quantity = val.tag().sub(NUMBER).lt(DURATION);
        let mut then = vec![frame.status.set(quantity.choose(over, MISMATCH))];
        if result.kind != CONDITION {
            then.extend(put(&result, amount, val.tag()));
        }
        if val.certain {
            out.extend(then);
        } else {
            out.push(when(frame.status.get().not(), then));
        }
        result
    }

    /// Generates a function over operands that have a value.
    #[allow(clippy::too_many_arguments, reason = "the place in the code, the node and its operands")]
    pub(super) fn apply(
        &mut self,
        body: &mut FunctionBody,
        out: &mut Vec<St>,
        frame: Frame,
        id: NodeId,
        function: Function,
        vals: &[Val],
        result: &Val,
    ) {
        match (function, vals) {
            (Function::Closeness, [a, b]) => {
                let close = self.closeness(body, frame, id, a, b, result);
                out.push(St::If(paths(a, b), close, vec![frame.status.set(MISMATCH)]));
            }
            (Function::Abs, [val]) => {
                let val = Val { certain: true, ..val.clone() };
                let known = self.negate(body, out, frame, id, &val, true);
                out.extend(put(result, widened(&known, result.kind), known.tag()));
            }
            (Function::Clamp, [value, low, high]) => {
                let order = body.int();
                let end = body.label();
                // `clamp` has no value if its bounds are in the wrong order.
                let mut code = self.ordered(frame, order, low, high, end);
                let unfit = vec![frame.status.set(MISMATCH), St::Leave(end)];
                code.push(when(order.get().eq(2), unfit));
                code.extend(put(result, widened(value, result.kind), value.tag()));
                code.extend(self.ordered(frame, order, value, low, end));
                code.push(when(order.get().not(), put(result, widened(low, result.kind), low.tag())));
                code.extend(self.ordered(frame, order, result, high, end));
                let lowered = put(result, widened(high, result.kind), high.tag());
                code.push(when(order.get().eq(2), lowered));
                out.push(St::Block(end, code));
            }
            (Function::Min | Function::Max, [first, rest @ ..]) => {
                let order = body.int();
                let end = body.label();
                let mut code = put(result, widened(first, result.kind), first.tag());
                for other in rest {
                    code.extend(self.ordered(frame, order, other, result, end));
                    let better = if function == Function::Min { 0 } else { 2 };
                    let taken = put(result, widened(other, result.kind), other.tag());
                    code.push(when(order.get().eq(better), taken));
                }
                out.push(St::Block(end, code));
            }
            // Calls with another number of arguments.
            (Function::Closeness | Function::Abs | Function::Clamp | Function::Min | Function::Max, _) => {
                out.push(frame.status.set(MISMATCH));
            }
        }
    }

    /// Generates the comparison of two values. If they have no order, sets the status and leaves the block.
    fn ordered(&mut self, frame: Frame, order: Local, a: &Val, b: &Val, end: BlockLabel) -> Vec<St> {
        if a.dimension().is_some() && a.dimension() == b.dimension() {
            let (x, y) = (a.value.clone(), b.value.clone());
            return vec![order.set(x.clone().gt64_s(y.clone()).add(x.ge64_s(y)))];
        }
        let call = self.ask(Helper::Order, a, b);
        vec![
            order.set(call),
            when(order.get().eq(MISMATCH), vec![frame.status.set(MISMATCH), St::Leave(end)]),
        ]
    }

    fn closeness(
        &mut self,
        body: &mut FunctionBody,
        frame: Frame,
        id: NodeId,
        a: &Val,
        b: &Val,
        result: &Val,
    ) -> Vec<St> {
        let levels = self.plan.levels.len() as i32;
        if levels == 0 {
            return vec![frame.status.set(self.status(id, BY_ZERO))];
        }
        let shared = self.builder.helper(Helper::Shared);
        let (parts, rest) = (body.int(), body.int());
        let call = Ex::Call(shared, vec![a.wide().low(), b.wide().low()]);
        let fraction = parts.get().mul(MILLION as i32);
        let whole =
            Ex::Bin(Bin::Div64, Box::new(fraction.clone().wide()), Box::new(i64::from(levels).into()));
        // The fraction is rounded half to even, as everywhere.
        let twice = rest.get().shl(1);
        let up = twice.clone().gt(levels).or(twice.eq(levels).and(whole.clone().low().and(1)));
        let mut code = vec![
            parts.set(call),
            when(parts.get().gt(levels), vec![parts.set(levels)]),
            rest.set(fraction.rem(levels)),
        ];
        code.extend(put(result, whole.add64(up.wide()), Ex::Int(NUMBER)));
        code
    }
}
