//! Checked arithmetic of 64 bits with intermediate products of 128 bits, rounded half to even. The result of
//! a function is a status; the value is left in [`VALUE`].

use wasm_encoder::ValType::{I32, I64};

use super::{
    asm::{Ex, Fn, FunctionBody, Local, St, step, when},
    helpers::{BY_ZERO, DURATION, Helper, MISMATCH, NUMBER, OVERFLOW},
    module::{Builder, KIND, VALUE},
};
use crate::{operator::ArithmeticOp, quantity::MILLION};

/// Returns the number of an operator for [`Helper::Arithmetic`].
pub fn number(op: ArithmeticOp) -> i32 {
    match op {
        ArithmeticOp::Add => 0,
        ArithmeticOp::Subtract => 1,
        ArithmeticOp::Multiply => 2,
        ArithmeticOp::Divide => 3,
    }
}

/// Returns the function of an operator, for amounts whose dimensions are known to fit.
pub fn of_amounts(op: ArithmeticOp) -> Helper {
    match op {
        ArithmeticOp::Add => Helper::Add,
        ArithmeticOp::Subtract => Helper::Subtract,
        ArithmeticOp::Multiply => Helper::Multiply,
        ArithmeticOp::Divide => Helper::Divide,
    }
}

fn give(value: impl Into<Ex>) -> St {
    St::Return(value.into())
}

fn amounts() -> (FunctionBody, Local, Local) {
    let body = FunctionBody::new(&[I64, I64], Some(I32));
    let (x, y) = (body.param(0), body.param(1));
    (body, x, y)
}

pub fn add() -> FunctionBody {
    let (mut body, x, y) = amounts();
    // Overflow: the sum has another sign than both operands. The status [`OVERFLOW`] is 4, one shifted by
    // two.
    let sum = VALUE.get();
    let over = x.get().xor64(sum.clone()).and64(y.get().xor64(sum)).lt64_s(0_i64);
    body.add([VALUE.set(x.get().add64(y)), give(over.shl(2))]);
    body
}

pub fn subtract() -> FunctionBody {
    let (mut body, x, y) = amounts();
    // Overflow: the operands differ in sign, and the result differs in sign from the first.
    let over = x.get().xor64(y).and64(x.get().xor64(VALUE)).lt64_s(0_i64);
    body.add([VALUE.set(x.get().sub64(y)), give(over.shl(2))]);
    body
}

/// Returns the magnitude of a number, as unsigned: it exists for the least number too.
fn magnitude(value: Local) -> Ex {
    value.get().lt64_s(0_i64).choose(Ex::Long(0).sub64(value), value)
}

pub fn multiply(builder: &mut Builder) -> FunctionBody {
    let scale = builder.helper(Helper::Scale);
    let (mut body, x, y) = amounts();
    let sign = x.get().xor64(y).lt64_s(0_i64);
    body.add([give(scaled(scale, magnitude(x), magnitude(y), Ex::Long(MILLION), sign))]);
    body
}

pub fn divide(builder: &mut Builder) -> FunctionBody {
    let scale = builder.helper(Helper::Scale);
    let (mut body, x, y) = amounts();
    let sign = x.get().xor64(y).lt64_s(0_i64);
    body.add([
        when(y.get().zero64(), vec![give(BY_ZERO)]),
        give(scaled(scale, magnitude(x), Ex::Long(MILLION), magnitude(y), sign)),
    ]);
    body
}

fn scaled(scale: Fn, a: Ex, b: Ex, c: Ex, sign: Ex) -> Ex {
    Ex::Call(scale, vec![a, b, c, sign])
}

/// `a, b, c, sign`: computes `a * b / c` of unsigned numbers.
///
/// The product of 128 bits is added up from four products of 32-bit halves. The quotient must fit 64 bits, so
/// `high >= c` is an overflow. There are three ways to divide: by one instruction if the product fits 64
/// bits; by two digits in base 2³² if the divisor fits 32 bits; else by shifting and subtracting, bit by bit.
pub fn scale() -> FunctionBody {
    let mut body = FunctionBody::new(&[I64, I64, I64, I32], Some(I32));
    let (a, b, c, sign) = (body.param(0), body.param(1), body.param(2), body.param(3));
    let (high, low, middle, rest) = (body.long(), body.long(), body.long(), body.long());
    let (bits, carry) = (body.int(), body.int());
    let half = 0xffff_ffff_i64;
    let (a_low, a_high) = (a.get().and64(half), a.get().shr64(32_i64));
    let (b_low, b_high) = (b.get().and64(half), b.get().shr64(32_i64));
    // Neither sum overflows: the product of two halves plus two more halves fits 64 bits.
    let first = a_low.clone().mul64(b_low.clone()).shr64(32_i64);
    body.add([
        middle.set(a_high.clone().mul64(b_low).add64(first)),
        low.set(a_low.mul64(b_high.clone()).add64(middle.get().and64(half))),
        high.set(a_high.mul64(b_high).add64(middle.get().shr64(32_i64)).add64(low.get().shr64(32_i64))),
        low.set(a.get().mul64(b)),
        when(high.get().ge64(c), vec![give(OVERFLOW)]),
    ]);
    let fits = vec![rest.set(low.get().rem64(c)), low.set(low.get().div64(c))];
    // Long division by two digits of 32 bits.
    let digit = |low: Ex| rest.get().shl64(32_i64).or64(low);
    let digits = vec![
        rest.set(high),
        middle.set(digit(low.get().shr64(32_i64))),
        rest.set(middle.get().rem64(c)),
        high.set(middle.get().div64(c).shl64(32_i64)),
        middle.set(digit(low.get().and64(half))),
        rest.set(middle.get().rem64(c)),
        low.set(high.get().or64(middle.get().div64(c))),
    ];
    let bit = vec![
        // The bit that the shift drops makes the remainder larger than any divisor.
        carry.set(rest.get().lt64_s(0_i64)),
        rest.set(rest.get().shl64(1_i64).or64(low.get().shr64(63_i64))),
        low.set(low.get().shl64(1_i64)),
        when(
            carry.get().or(rest.get().ge64(c)),
            vec![rest.set(rest.get().sub64(c)), low.set(low.get().or64(1_i64))],
        ),
        step(bits, -1),
    ];
    let by_bits = vec![rest.set(high), bits.set(64), St::While(bits.get(), bit)];
    let other = vec![St::If(c.get().shr64(32_i64).zero64(), digits, by_bits)];
    let twin = i64::MIN;
    // Rounds up above one half, and at one half if the quotient is odd. `c - rest` avoids doubling, which may
    // overflow.
    let up = rest
        .get()
        .gt64(c.get().sub64(rest))
        .or(rest.get().eq64(c.get().sub64(rest)).and(low.get().low().and(1)));
    body.add([
        St::If(high.get().zero64(), fits, other),
        when(low.get().gt64(twin), vec![give(OVERFLOW)]),
        low.set(low.get().add64(up.wide())),
        // A negative result may have the magnitude of the least number, one more than the largest.
        when(low.get().gt64(Ex::Long(i64::MAX).add64(sign.get().wide())), vec![give(OVERFLOW)]),
        VALUE.set(sign.get().choose(Ex::Long(0).sub64(low), low)),
        give(0),
    ]);
    body
}

/// `operator, kind, value, kind, value`: arithmetic of values whose kinds are known at run time only. The
/// kind of the result is left in [`KIND`].
pub fn any(builder: &mut Builder) -> FunctionBody {
    let of = [ArithmeticOp::Add, ArithmeticOp::Subtract, ArithmeticOp::Multiply, ArithmeticOp::Divide];
    let mut body = FunctionBody::new(&[I32, I32, I64, I32, I64], Some(I32));
    let [op, a, x, b, y] = [0, 1, 2, 3, 4].map(|at| body.param(at));
    let quantity = |kind: Local| kind.get().sub(NUMBER).lt(DURATION);
    let unless = |holds: Ex| when(holds.not(), vec![give(MISMATCH)]);
    body.add([unless(quantity(a).and(quantity(b)))]);
    for kind in of {
        let call = Ex::Call(builder.helper(of_amounts(kind)), vec![x.into(), y.into()]);
        let same = a.get().eq(b);
        let mut then = match kind {
            ArithmeticOp::Add | ArithmeticOp::Subtract => vec![unless(same), KIND.set(a)],
            ArithmeticOp::Multiply => vec![
                unless(a.get().eq(NUMBER).or(b.get().eq(NUMBER))),
                KIND.set(a.get().eq(NUMBER).choose(b, a)),
            ],
            ArithmeticOp::Divide => {
                vec![unless(same.clone().or(b.get().eq(NUMBER))), KIND.set(same.choose(NUMBER, a))]
            }
        };
        then.push(give(call));
        body.add([when(op.get().eq(number(kind)), then)]);
    }
    body
}
