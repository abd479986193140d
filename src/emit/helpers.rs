//! Library functions of a plugin: the operators of the language on values of any kind. Each follows the
//! scalar definition in `ir::op` case by case and is tested against it. A function is part of a plugin only
//! if something calls it.
//!
//! A value is 64 bits with a kind, which has the number of the interface. A set is the address of its
//! members, with their count in the upper half; a range counts as two members. Members are sorted and unique,
//! so sets are searched by bisection. Tests return 0 or 1, or [`MISMATCH`] if the operands have no such test.

use wasm_encoder::ValType::{self, I32, I64};

use super::{
    arithmetic,
    asm::{Ex, FunctionBody, Local, Mem, St, count, step, when},
    manifest::ColumnKind,
    memory,
    module::{Builder, PARENTS, RANKS},
};
use crate::{
    quantity::{Dimension, MILLION},
    types::Type,
};

/// Returns the number of a kind in the interface.
const fn number(kind: Type) -> i32 {
    ColumnKind::Of(kind).number() as i32
}

/// The kind of numbers, in millionths.
pub const NUMBER: i32 = number(Type::NUMBER);
/// The kind of durations, the last of the quantities.
pub const DURATION: i32 = number(Type::Quantity(Dimension::Duration));
/// The kind of texts.
pub const TEXT: i32 = number(Type::Text);
/// The kind of versions.
pub const VERSION: i32 = number(Type::Version);
/// The kind of places.
pub const PLACE: i32 = number(Type::Place);
/// The kind of sets of texts, the first of the sets.
pub const TEXTS: i32 = number(Type::Texts);
/// The kind of sets of numbers.
pub const NUMBERS: i32 = number(Type::Numbers);
/// The kind of ranges.
pub const RANGES: i32 = number(Type::Ranges);

/// The status of an absent key.
pub const ABSENT: i32 = 2;
/// The status of a value of the wrong type, in a key or an operand. A condition with this status has no
/// verdict.
pub const MISMATCH: i32 = 3;
/// The status of an overflow in expression 0. Expression `e` adds `2 * e`.
pub const OVERFLOW: i32 = 4;
/// The status of a division by zero in expression 0. Expression `e` adds `2 * e`.
pub const BY_ZERO: i32 = 5;

/// A library function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Helper {
    /// Tests if a sorted set has a member.
    Search,
    /// Tests if ranges contain a whole number.
    InRanges,
    /// `has`: kind and value of the set, kind and value of the member.
    Has,
    /// `has any`.
    HasAny,
    /// `has all`.
    HasAll,
    /// `==`.
    Equal,
    /// The order of two values: 0 less, 1 equal, 2 greater, [`MISMATCH`] unordered.
    Order,
    /// Tests if a symbol lies within another.
    Within,
    /// The number of leading path segments that two symbols share.
    Shared,
    /// Tests a text against a pattern: table, number of the pattern, number of patterns, symbol.
    Matches,
    /// The arithmetic of two values of any kind: operator, then kinds and values.
    Arithmetic,
    /// The sum of two amounts.
    Add,
    /// The difference of two amounts.
    Subtract,
    /// The product of two amounts.
    Multiply,
    /// The quotient of two amounts.
    Divide,
    /// `a * b / c` of magnitudes with a sign, rounded half to even.
    Scale,
    /// The state of a column in a row: 0 known, else [`ABSENT`] or [`MISMATCH`].
    State,
    /// Allocates memory.
    Allocate,
    /// Allocates zeroed memory.
    Cleared,
    /// Copies a list to more space: address, old bytes, new bytes.
    Extend,
    /// Applies a kernel to 64 rows of a column: see `expr::words`.
    Apply,
    /// Builds a table of the symbols within another: see `kernels`.
    Inside,
    /// Judges 64 rows one by one; `true` for rows of supplies, `false` for rows of agents.
    ByRows(bool),
    /// Turns spans of members into addresses: spans, rows, members, kinds or 0.
    Spans,
}

/// Returns the address of a set's members.
pub fn members(set: Local) -> Ex {
    set.get().low()
}

/// Returns the number of a set's members.
pub fn length(set: Local) -> Ex {
    set.get().shr64(32_i64).low()
}

/// Returns the rank of a version.
pub fn rank(version: Ex) -> Ex {
    RANKS.get().add(version.low().shl(2)).word(0)
}

/// Returns the member of a set at a position.
pub fn member(set: Local, at: impl Into<Ex>) -> Ex {
    members(set).add(at.into().shl(3)).long(0)
}

/// Returns the member after that position.
fn next_member(set: Local, at: Local) -> Ex {
    members(set).add(at.get().shl(3)).long(8)
}

impl Helper {
    /// Generates the function.
    pub fn body(self, builder: &mut Builder) -> FunctionBody {
        match self {
            Helper::Search => search(),
            Helper::InRanges => in_ranges(),
            Helper::Has => has(builder),
            Helper::HasAny => any(builder),
            Helper::HasAll => all(builder),
            Helper::Equal => equal(builder),
            Helper::Order => order(),
            Helper::Within => within(),
            Helper::Shared => shared(),
            Helper::Matches => memory::matches(),
            Helper::Arithmetic => arithmetic::any(builder),
            Helper::Add => arithmetic::add(),
            Helper::Subtract => arithmetic::subtract(),
            Helper::Multiply => arithmetic::multiply(builder),
            Helper::Divide => arithmetic::divide(builder),
            Helper::Scale => arithmetic::scale(),
            Helper::State => memory::state(),
            Helper::Allocate => memory::allocate(),
            Helper::Cleared => memory::cleared(builder),
            Helper::Extend => memory::extend(builder),
            Helper::Apply => super::expr::apply(),
            Helper::Inside => super::kernels::within(builder),
            Helper::ByRows(of_supplies) => super::kernels::by_rows(of_supplies),
            Helper::Spans => memory::spans(),
        }
    }
}

const TWO_VALUES: [ValType; 4] = [I32, I64, I32, I64];

fn two_values() -> (FunctionBody, [Local; 4]) {
    let body = FunctionBody::new(&TWO_VALUES, Some(I32));
    let params = [0, 1, 2, 3].map(|at| body.param(at));
    (body, params)
}

fn give(value: impl Into<Ex>) -> St {
    St::Return(value.into())
}

fn is_empty(kind: Local, value: Local) -> Ex {
    kind.get().ge(TEXTS).and(value.get().shr64(32_i64).zero64())
}

fn both(a: Local, x: i32, b: Local, y: i32) -> Ex {
    a.get().eq(x).and(b.get().eq(y))
}

fn is_path(kind: Local) -> Ex {
    kind.get().eq(TEXT).or(kind.get().eq(PLACE))
}

/// `set, member`: bisection.
fn search() -> FunctionBody {
    let mut body = FunctionBody::new(&[I64, I64], Some(I32));
    let (set, wanted) = (body.param(0), body.param(1));
    let (low, high, middle, found) = (body.int(), body.int(), body.int(), body.long());
    let inside = vec![
        middle.set(low.get().add(high).shr(1)),
        found.set(member(set, middle)),
        when(found.get().eq64(wanted), vec![give(1)]),
        St::If(found.get().lt64_s(wanted), vec![low.set(middle.get().add(1))], vec![high.set(middle)]),
    ];
    body.add([high.set(length(set)), St::While(low.get().lt(high), inside), give(0)]);
    body
}

/// `ranges, whole number`: bisection for the first range that does not end below the number.
fn in_ranges() -> FunctionBody {
    let mut body = FunctionBody::new(&[I64, I64], Some(I32));
    let (set, wanted) = (body.param(0), body.param(1));
    let (low, high, middle) = (body.int(), body.int(), body.int());
    let top = member(set, middle.get().shl(1).add(1));
    let inside = vec![
        middle.set(low.get().add(high).shr(1)),
        St::If(top.lt64_s(wanted), vec![low.set(middle.get().add(1))], vec![high.set(middle)]),
    ];
    body.add([
        high.set(length(set).shr(1)),
        St::While(low.get().lt(high), inside),
        when(low.get().eq(length(set).shr(1)), vec![give(0)]),
        give(member(set, low.get().shl(1)).le64_s(wanted)),
    ]);
    body
}

fn has(builder: &mut Builder) -> FunctionBody {
    let (search, in_ranges) = (builder.helper(Helper::Search), builder.helper(Helper::InRanges));
    let (mut body, [kind, set, of, wanted]) = two_values();
    let find = || vec![give(Ex::Call(search, vec![set.into(), wanted.into()]))];
    // Numbers are in millionths, ranges in whole numbers.
    let whole = wanted.get().rem64_s(MILLION).zero64();
    let inside = Ex::Call(in_ranges, vec![set.into(), wanted.get().div64_s(MILLION)]);
    body.add([
        when(kind.get().eq(TEXTS).and(is_path(of)), find()),
        when(both(kind, NUMBERS, of, NUMBER), find()),
        when(both(kind, RANGES, of, NUMBER), vec![give(whole.and(inside))]),
        // An empty list is a set of any kind.
        when(kind.get().eq(TEXTS).and(is_empty(kind, set)), vec![give(0)]),
        give(MISMATCH),
    ]);
    body
}

/// Tests if two sets share a member.
fn any(builder: &mut Builder) -> FunctionBody {
    let (search, in_ranges) = (builder.helper(Helper::Search), builder.helper(Helper::InRanges));
    let (mut body, [a, x, b, y]) = two_values();
    let (at, other, value) = (body.int(), body.int(), body.long());
    let swap = body.long();
    let found = Ex::Call(search, vec![y.into(), member(x, at)]);
    let mut one_by_one = count(at, length(x), vec![when(found, vec![give(1)])]);
    one_by_one.push(give(0));
    // Merges two sorted lists of ranges: the range that ends first cannot meet anything after the other.
    let (low, high) = (member(x, at), next_member(x, at));
    let (other_low, other_high) = (member(y, other), next_member(y, other));
    let next = vec![St::If(
        high.lt64_s(other_low),
        vec![step(at, 2)],
        vec![St::If(other_high.lt64_s(low), vec![step(other, 2)], vec![give(1)])],
    )];
    let ranges =
        vec![at.set(0), St::While(at.get().lt(length(x)).and(other.get().lt(length(y))), next), give(0)];
    // Numbers on the right, ranges on the left. The other order is swapped.
    let inside = Ex::Call(in_ranges, vec![x.into(), value.get().div64_s(MILLION)]);
    let whole = value.get().rem64_s(MILLION).zero64();
    let look = vec![value.set(member(y, at)), when(whole.and(inside), vec![give(1)])];
    let mut numbers = count(at, length(y), look);
    numbers.push(give(0));
    let turn = vec![swap.set(x), x.set(y), y.set(swap), a.set(RANGES), b.set(NUMBERS)];
    body.add([
        when(is_empty(a, x).or(is_empty(b, y)), vec![give(0)]),
        when(both(a, TEXTS, b, TEXTS).or(both(a, NUMBERS, b, NUMBERS)), one_by_one),
        when(both(a, RANGES, b, RANGES), ranges),
        when(both(a, NUMBERS, b, RANGES), turn),
        when(both(a, RANGES, b, NUMBERS), numbers),
        give(MISMATCH),
    ]);
    body
}

/// Tests if every member of the right set is in the left one.
fn all(builder: &mut Builder) -> FunctionBody {
    let (search, in_ranges) = (builder.helper(Helper::Search), builder.helper(Helper::InRanges));
    let (mut body, [a, x, b, y]) = two_values();
    let (at, value, high) = (body.int(), body.long(), body.long());
    let find = |value: Ex| Ex::Call(search, vec![x.into(), value]);
    let mut one_by_one = count(at, length(y), vec![when(find(member(y, at)).not(), vec![give(0)])]);
    one_by_one.push(give(1));
    // Ranges are disjoint and never adjacent, so a range is covered only if one range holds both of its ends.
    let inner = body.int();
    let holds = member(x, inner).le64_s(member(y, at)).and(next_member(x, inner).ge64_s(next_member(y, at)));
    let seek = St::While(
        inner.get().lt(length(x)).and(next_member(x, inner).lt64_s(member(y, at))),
        vec![step(inner, 2)],
    );
    let next = vec![
        seek,
        when(inner.get().ge(length(x)), vec![give(0)]),
        when(holds.not(), vec![give(0)]),
        step(at, 2),
    ];
    let ranges = vec![at.set(0), inner.set(0), St::While(at.get().lt(length(y)), next), give(1)];
    let whole = value.get().rem64_s(MILLION).zero64();
    let inside = Ex::Call(in_ranges, vec![x.into(), value.get().div64_s(MILLION)]);
    let look = vec![value.set(member(y, at)), when(whole.and(inside).not(), vec![give(0)])];
    let mut numbers = count(at, length(y), look);
    numbers.push(give(1));
    // Each number of a range must be a member on the left. A range longer than the left set fails at once,
    // which bounds the work by that set's length.
    let most = i64::MAX / MILLION;
    let fits = value.get().ge64_s(-most).and(value.get().le64_s(most));
    let label = body.label();
    let each = vec![
        when(fits.and(find(value.get().mul64(MILLION))).not(), vec![give(0)]),
        when(value.get().eq64(high), vec![step(at, 2), St::Leave(label)]),
        value.set(value.get().add64(1_i64)),
    ];
    let span = high.get().sub64(value);
    let range = vec![
        value.set(member(y, at)),
        high.set(next_member(y, at)),
        when(span.lt64(length(x).wide()).not(), vec![give(0)]),
        St::Block(label, vec![St::While(Ex::Int(1), each)]),
    ];
    let listed = vec![at.set(0), St::While(at.get().lt(length(y)), range), give(1)];
    body.add([
        when(is_empty(b, y), vec![give(1)]),
        when(is_empty(a, x), vec![give(0)]),
        when(both(a, TEXTS, b, TEXTS).or(both(a, NUMBERS, b, NUMBERS)), one_by_one),
        when(both(a, RANGES, b, RANGES), ranges),
        when(both(a, RANGES, b, NUMBERS), numbers),
        when(both(a, NUMBERS, b, RANGES), listed),
        give(MISMATCH),
    ]);
    body
}

fn equal(builder: &mut Builder) -> FunctionBody {
    let all = builder.helper(Helper::HasAll);
    let (mut body, [a, x, b, y]) = two_values();
    let at = body.int();
    // The four kinds of quantities are adjacent: one unsigned comparison tests for them.
    let quantities = a.get().sub(NUMBER).lt(DURATION).and(b.get().sub(NUMBER).lt(DURATION));
    let both_ways = |left: [Local; 2], right: [Local; 2]| {
        Ex::Call(all, [left, right].concat().into_iter().map(Ex::from).collect())
    };
    let mix = both(a, RANGES, b, NUMBERS).or(both(a, NUMBERS, b, RANGES));
    // Sets are sorted, so equal sets are equal member by member. Ranges equal numbers if each side covers the
    // other.
    let rank = |value: Local| rank(value.get());
    let mut same_members = vec![when(length(x).ne(length(y)), vec![give(0)])];
    same_members.extend(count(at, length(x), vec![when(member(x, at).ne64(member(y, at)), vec![give(0)])]));
    same_members.push(give(1));
    body.add([
        when(quantities.and(a.get().ne(b)), vec![give(MISMATCH)]),
        when(is_path(a).and(is_path(b)), vec![give(x.get().eq64(y))]),
        when(
            mix,
            vec![when(both_ways([a, x], [b, y]).not(), vec![give(0)]), give(both_ways([b, y], [a, x]))],
        ),
        when(is_empty(a, x).or(is_empty(b, y)), vec![give(is_empty(a, x).and(is_empty(b, y)))]),
        when(a.get().ne(b), vec![give(MISMATCH)]),
        when(a.get().eq(VERSION), vec![give(rank(x).eq(rank(y)))]),
        when(a.get().ge(TEXTS), same_members),
        give(x.get().eq64(y)),
    ]);
    body
}

fn order() -> FunctionBody {
    let (mut body, [a, x, b, y]) = two_values();
    let (left, right) = (body.int(), body.int());
    let rank = |value: Local| rank(value.get());
    let versions =
        vec![left.set(rank(x)), right.set(rank(y)), give(left.get().gt(right).add(left.get().ge(right)))];
    body.add([
        when(a.get().ne(b), vec![give(MISMATCH)]),
        when(a.get().eq(VERSION), versions),
        when(a.get().sub(NUMBER).ge(DURATION), vec![give(MISMATCH)]),
        // 0 for less, 1 for equal, 2 for greater.
        give(x.get().gt64_s(y).add(x.get().ge64_s(y))),
    ]);
    body
}

fn parent(symbol: Local) -> Ex {
    PARENTS.get().add(symbol.get().shl(2)).word(0)
}

/// `inner, outer`, as symbols: climbs from `inner` to the root.
fn within() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32], Some(I32));
    let (inner, outer) = (body.param(0), body.param(1));
    let up = vec![when(inner.get().eq(outer), vec![give(1)]), inner.set(parent(inner))];
    body.add([St::While(inner.get().ne(-1), up), give(0)]);
    body
}

/// `a, b`, as symbols: the depth of their lowest common ancestor. Climbs from the deeper one, then from both.
fn shared() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32], Some(I32));
    let (a, b) = (body.param(0), body.param(1));
    let (deep, other) = (body.int(), body.int());
    let depth = |symbol: Local| super::module::DEPTHS.get().add(symbol.get().shl(2)).load(Mem::Word, 0);
    let up = |symbol: Local, depth: Local| vec![symbol.set(parent(symbol)), step(depth, -1)];
    let mut together = up(a, deep);
    together.push(b.set(parent(b)));
    body.add([
        deep.set(depth(a)),
        other.set(depth(b)),
        St::While(deep.get().gt(other), up(a, deep)),
        St::While(other.get().gt(deep), up(b, other)),
        // Past the root, both are −1 at depth 0, and so equal.
        St::While(a.get().ne(b), together),
        give(deep),
    ]);
    body
}
