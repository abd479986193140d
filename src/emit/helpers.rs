//! Functions that stand in a plugin where it needs them: what operators mean, on values of any kind. Each follows the
//! scalar meaning in `ir::op` case by case, and is tested against it.
//!
//! A value is 64 bits and a kind (the numbers of the interface). A set is the address of its members and, in the upper
//! half, how many there are; ranges have two members each.

use wasm_encoder::ValType::{self, I32, I64};

use super::{
    arithmetic,
    asm::{Body, Ex, Local, Mem, St, count, step, when},
    memory,
    module::{Builder, PARENTS, RANKS},
};
use crate::quantity::MILLION;

/// Millionths.
pub const NUMBER: i32 = 1;
/// The last of the quantities.
pub const DURATION: i32 = 4;
/// A text.
pub const TEXT: i32 = 5;
/// A version.
pub const VERSION: i32 = 6;
/// A place.
pub const PLACE: i32 = 7;
/// A set of texts, the first of the sets.
pub const TEXTS: i32 = 8;
/// A set of numbers.
pub const NUMBERS: i32 = 9;
/// Ranges.
pub const RANGES: i32 = 10;

/// A key is absent.
pub const ABSENT: i32 = 2;
/// A value of another type: of a key, or for an operator. A condition that comes to this has no verdict.
pub const MISMATCH: i32 = 3;
/// An overflow in expression 0; of expression `e`, `2 * e` more.
pub const OVERFLOW: i32 = 4;
/// A division by zero in expression 0.
pub const BY_ZERO: i32 = 5;

/// A function that is there where something calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Helper {
    /// Whether a sorted set has a member.
    Search,
    /// Whether ranges have a whole number.
    InRanges,
    /// `has`: kind and value of the set, kind and value of the member.
    Has,
    /// `has any`.
    HasAny,
    /// `has all`.
    HasAll,
    /// `==`.
    Equal,
    /// 0 for less, 1 for equal, 2 for greater, 3 where there is no order.
    Order,
    /// Whether a symbol lies within another.
    Within,
    /// How many parts the paths of two symbols share.
    Shared,
    /// Whether a text matches the pattern with a table: the table, the pattern's number, how many there are, the symbol.
    Matches,
    /// The arithmetic of two values of any kind: which, then kinds and values.
    Arithmetic,
    /// The arithmetic of two amounts.
    Add,
    /// The arithmetic of two amounts.
    Subtract,
    /// The arithmetic of two amounts.
    Multiply,
    /// The arithmetic of two amounts.
    Divide,
    /// `a * b / c` of unsigned numbers with a sign, rounded half to even.
    Scale,
    /// Whether a row has a column: 0, [`ABSENT`] or [`MISMATCH`].
    State,
    /// New memory.
    Allocate,
    /// New memory, zeroed.
    Cleared,
    /// More space for a list: its address, bytes there are, bytes there will be.
    Extend,
    /// Sixty-four rows of a column by a kernel: see `expr::words`.
    Apply,
    /// A table of the symbols within another: see `kernels`.
    Inside,
    /// Sixty-four rows, of supplies or else of agents, by a condition that is asked row by row.
    ByRows(bool),
    /// Spans of members → addresses: of how many rows, where the members are, and the kinds or 0.
    Spans,
}

/// The address of a set's members.
pub fn members(set: Local) -> Ex {
    set.get().low()
}

/// How many members a set has.
pub fn length(set: Local) -> Ex {
    set.get().shr64(32_i64).low()
}

/// The rank of a version, of 64 bits.
pub fn rank(version: Ex) -> Ex {
    RANKS.get().add(version.low().shl(2)).word(0)
}

/// A member of a set, by a local that counts them.
pub fn member(set: Local, at: impl Into<Ex>) -> Ex {
    members(set).add(at.into().shl(3)).long(0)
}

/// The member after it.
fn next_member(set: Local, at: Local) -> Ex {
    members(set).add(at.get().shl(3)).long(8)
}

impl Helper {
    /// What it does.
    pub fn body(self, builder: &mut Builder) -> Body {
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

fn two_values() -> (Body, [Local; 4]) {
    let body = Body::new(&TWO_VALUES, Some(I32));
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

/// `set, member`: by halves.
fn search() -> Body {
    let mut body = Body::new(&[I64, I64], Some(I32));
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

/// `ranges, whole number`: the first range that does not end below it.
fn in_ranges() -> Body {
    let mut body = Body::new(&[I64, I64], Some(I32));
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

fn has(builder: &mut Builder) -> Body {
    let (search, in_ranges) = (builder.helper(Helper::Search), builder.helper(Helper::InRanges));
    let (mut body, [kind, set, of, wanted]) = two_values();
    let find = || vec![give(Ex::Call(search, vec![set.into(), wanted.into()]))];
    let whole = wanted.get().rem64_s(MILLION).zero64();
    let inside = Ex::Call(in_ranges, vec![set.into(), wanted.get().div64_s(MILLION)]);
    body.add([
        when(kind.get().eq(TEXTS).and(is_path(of)), find()),
        when(both(kind, NUMBERS, of, NUMBER), find()),
        when(both(kind, RANGES, of, NUMBER), vec![give(whole.and(inside))]),
        // `[]` is empty whatever it would hold.
        when(kind.get().eq(TEXTS).and(is_empty(kind, set)), vec![give(0)]),
        give(MISMATCH),
    ]);
    body
}

/// Whether two sets share a member.
fn any(builder: &mut Builder) -> Body {
    let (search, in_ranges) = (builder.helper(Helper::Search), builder.helper(Helper::InRanges));
    let (mut body, [a, x, b, y]) = two_values();
    let (at, other, value) = (body.int(), body.int(), body.long());
    let swap = body.long();
    let found = Ex::Call(search, vec![y.into(), member(x, at)]);
    let mut one_by_one = count(at, length(x), vec![when(found, vec![give(1)])]);
    one_by_one.push(give(0));
    // The ranges in order: the one that ends first cannot meet what follows the other.
    let (low, high) = (member(x, at), next_member(x, at));
    let (other_low, other_high) = (member(y, other), next_member(y, other));
    let next = vec![St::If(
        high.lt64_s(other_low),
        vec![step(at, 2)],
        vec![St::If(other_high.lt64_s(low), vec![step(other, 2)], vec![give(1)])],
    )];
    let ranges =
        vec![at.set(0), St::While(at.get().lt(length(x)).and(other.get().lt(length(y))), next), give(0)];
    // Numbers on the right, ranges on the left.
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

/// Whether every member of the right set is in the left one.
fn all(builder: &mut Builder) -> Body {
    let (search, in_ranges) = (builder.helper(Helper::Search), builder.helper(Helper::InRanges));
    let (mut body, [a, x, b, y]) = two_values();
    let (at, value, high) = (body.int(), body.long(), body.long());
    let find = |value: Ex| Ex::Call(search, vec![x.into(), value]);
    let mut one_by_one = count(at, length(y), vec![when(find(member(y, at)).not(), vec![give(0)])]);
    one_by_one.push(give(1));
    // Ranges are merged: a range is inside when the one that holds its low end holds its high end too.
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
    // Ranges of which every number is to be among some numbers: short ones, each number looked up.
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

fn equal(builder: &mut Builder) -> Body {
    let all = builder.helper(Helper::HasAll);
    let (mut body, [a, x, b, y]) = two_values();
    let at = body.int();
    let quantities = a.get().sub(NUMBER).lt(DURATION).and(b.get().sub(NUMBER).lt(DURATION));
    let both_ways = |left: [Local; 2], right: [Local; 2]| {
        Ex::Call(all, [left, right].concat().into_iter().map(Ex::from).collect())
    };
    let mix = both(a, RANGES, b, NUMBERS).or(both(a, NUMBERS, b, RANGES));
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

fn order() -> Body {
    let (mut body, [a, x, b, y]) = two_values();
    let (left, right) = (body.int(), body.int());
    let rank = |value: Local| rank(value.get());
    let versions =
        vec![left.set(rank(x)), right.set(rank(y)), give(left.get().gt(right).add(left.get().ge(right)))];
    body.add([
        when(a.get().ne(b), vec![give(MISMATCH)]),
        when(a.get().eq(VERSION), versions),
        when(a.get().sub(NUMBER).ge(DURATION), vec![give(MISMATCH)]),
        give(x.get().gt64_s(y).add(x.get().ge64_s(y))),
    ]);
    body
}

fn parent(symbol: Local) -> Ex {
    PARENTS.get().add(symbol.get().shl(2)).word(0)
}

/// `inner, outer`, as symbols.
fn within() -> Body {
    let mut body = Body::new(&[I32, I32], Some(I32));
    let (inner, outer) = (body.param(0), body.param(1));
    let up = vec![when(inner.get().eq(outer), vec![give(1)]), inner.set(parent(inner))];
    body.add([St::While(inner.get().ne(-1), up), give(0)]);
    body
}

/// The depth of the deepest place that holds both.
fn shared() -> Body {
    let mut body = Body::new(&[I32, I32], Some(I32));
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
        // At depth 0 both are past the top, and so equal.
        St::While(a.get().ne(b), together),
        give(deep),
    ]);
    body
}
