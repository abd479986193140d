//! The memory of a plugin at run time: the allocator, bitmaps, spans and the matching of patterns.
//!
//! The heap is a bump allocator between the globals `HEAP` and `FLOOR`. Nothing is freed one by one: after an
//! answer has been read, `HEAP` falls back to `FLOOR`, which `load` and `update` raise over the data that
//! stays. Columns are used where the host wrote them.

use wasm_encoder::ValType::I32;

use super::{
    asm::{Ex, FunctionBody, Local, Mem, St, count, step, when},
    helpers::{ABSENT, Helper, MISMATCH, TEXTS},
    module::{Builder, HEAP, KEEP, MATCHED, TEXTS as SYMBOL_TEXTS},
};

fn give(value: impl Into<Ex>) -> St {
    St::Return(value.into())
}

/// Returns a bit of a bitmap. The interface has words of 64 bits; in little-endian memory, a bitmap of bytes
/// is the same.
pub fn bit(bitmap: Ex, row: Local) -> Ex {
    bitmap.add(row.get().shr(3)).load(Mem::Byte, 0).shr(row.get().and(7)).and(1)
}

/// `slot, row`: returns 0 if the row has a value, else [`ABSENT`] or [`MISMATCH`].
pub fn state() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32], Some(I32));
    let (slot, row) = (body.param(0), body.param(1));
    let bitmap = body.int();
    body.add([
        bitmap.set(slot.get().word(0)),
        // Row −1 is no row. A column that was not given is absent on every row.
        when(row.get().eq(-1).or(bitmap.get().not()), vec![give(ABSENT)]),
        when(bit(bitmap.get(), row), vec![give(0)]),
        bitmap.set(slot.get().word(4)),
        when(bitmap.get(), vec![when(bit(bitmap.get(), row), vec![give(MISMATCH)])]),
        give(ABSENT),
    ]);
    body
}

/// `bytes`: returns memory at a multiple of 8. Traps if there is none.
pub fn allocate() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32], Some(I32));
    let size = body.param(0);
    let (at, end, pages) = (body.int(), body.int(), body.int());
    body.add([
        at.set(HEAP),
        when(size.get().gt(i32::MAX), vec![St::Trap]),
        // Rounds the size up to a multiple of 8.
        end.set(at.get().add(size.get().add(7).and(-8))),
        when(end.get().lt(at), vec![St::Trap]),
        pages.set(end.get().add(-1).shr(16).add(1)),
        when(
            pages.get().gt(Ex::Pages),
            vec![when(Ex::Grow(Box::new(pages.get().sub(Ex::Pages))).eq(-1), vec![St::Trap])],
        ),
        HEAP.set(end),
        give(at),
    ]);
    body
}

/// `bytes`: returns zeroed memory.
pub fn cleared(builder: &mut Builder) -> FunctionBody {
    let allocate = builder.helper(Helper::Allocate);
    let mut body = FunctionBody::new(&[I32], Some(I32));
    let size = body.param(0);
    let at = body.int();
    body.add([at.set(Ex::Call(allocate, vec![size.into()])), St::Clear(at.into(), size.into()), give(at)]);
    body
}

/// `list, old bytes, new bytes`: copies a list to a longer one. The new part is zeroed.
pub fn extend(builder: &mut Builder) -> FunctionBody {
    let cleared = builder.helper(Helper::Cleared);
    let mut body = FunctionBody::new(&[I32, I32, I32], Some(I32));
    let (list, old, new) = (body.param(0), body.param(1), body.param(2));
    let at = body.int();
    body.add([
        // The new list outlives this update, so `update` must not free what it allocated.
        KEEP.set(1),
        at.set(Ex::Call(cleared, vec![new.into()])),
        St::Copy(at.into(), list.into(), old.into()),
        give(at),
    ]);
    body
}

/// `cabi_realloc` of the canonical ABI: `old, old bytes, align, bytes`. The allocator aligns to 8, the
/// largest alignment of the interface.
pub fn reallocate(builder: &mut Builder) -> FunctionBody {
    let allocate = builder.helper(Helper::Allocate);
    let mut body = FunctionBody::new(&[I32, I32, I32, I32], Some(I32));
    let (old, old_size, size) = (body.param(0), body.param(1), body.param(3));
    let at = body.int();
    // A block may shrink too.
    let less = old_size.get().lt(size).choose(old_size, size);
    body.add([
        at.set(Ex::Call(allocate, vec![size.into()])),
        St::Copy(at.into(), old.into(), less),
        give(at),
    ]);
    body
}

/// `spans, rows, members, kinds or 0`: turns spans (start and end, in members) into values of sets (address
/// and length), in place. With kinds, rows of scalar kinds are left alone.
pub fn spans() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32, I32, I32], Some(I32));
    let (spans, rows, members, kinds) = (body.param(0), body.param(1), body.param(2), body.param(3));
    let (row, at, value, scalar) = (body.int(), body.int(), body.long(), body.int());
    // The lower half of a span is its start, the upper half its end.
    let start = value.get().low();
    let length = value.get().shr64(32_i64).low().sub(start.clone());
    let address = members.get().add(start.shl(3)).wide();
    let kind = kinds.get().add(row).load(Mem::Byte, 0);
    let turn = vec![
        value.set(at.get().long(0)),
        St::Store(Mem::Long, at.into(), 0, address.or64(length.wide().shl64(32_i64))),
    ];
    let code = count(
        row,
        rows,
        vec![
            scalar.set(0),
            when(kinds.into(), vec![scalar.set(kind.lt(TEXTS))]),
            at.set(spans.get().add(row.get().shl(3))),
            when(scalar.get().not(), turn),
        ],
    );
    body.add(code).add([give(0)]);
    body
}

/// `table, pattern, patterns, symbol`: runs the automaton of a pattern over the text of a symbol. The result
/// is cached per symbol and pattern in a byte: 0 unknown, 1 no, 2 yes.
pub fn matches() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32, I32, I32], Some(I32));
    let [table, number, of, symbol] = [0, 1, 2, 3].map(|at| body.param(at));
    let (memo, at, end, state) = (body.int(), body.int(), body.int(), body.int());
    let text = SYMBOL_TEXTS.get().add(symbol.get().shl(3));
    let class = table.get().add(at.get().load(Mem::Byte, 0)).load(Mem::Byte, super::pattern::CLASSES);
    let cell = state.get().mul(table.get().word(0)).add(class).shl(1);
    let next = vec![state.set(table.get().word(12).add(cell).load(Mem::Half, 0)), step(at, 1)];
    body.add([
        memo.set(MATCHED.get().add(symbol.get().mul(of)).add(number)),
        state.set(memo.get().load(Mem::Byte, 0)),
        when(state.into(), vec![give(state.get().sub(1))]),
        at.set(text.clone().word(0)),
        end.set(at.get().add(text.word(4))),
        state.set(table.get().word(4)),
        // State 0 is the dead state: no text that goes on from it matches.
        St::While(at.get().lt(end).and(state.get().ne(0)), next),
        state.set(table.get().word(8).add(state).load(Mem::Byte, 0)),
        St::Store(Mem::Byte, memo.into(), 0, state.get().add(1)),
        give(state),
    ]);
    body
}

/// `bitmap, row, bit`: writes a bit.
pub fn set_bit() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32, I32], None);
    let (bitmap, row, bit) = (body.param(0), body.param(1), body.param(2));
    let shift = row.get().and(7);
    let others = bitmap.get().load(Mem::Byte, 0).and(Ex::Int(1).shl(shift.clone()).xor(-1));
    body.add([
        bitmap.set(bitmap.get().add(row.get().shr(3))),
        St::Store(Mem::Byte, bitmap.into(), 0, others.or(bit.get().shl(shift))),
    ]);
    body
}

/// Stores 64 bits.
pub fn put_long(address: impl Into<Ex>, offset: u32, value: impl Into<Ex>) -> St {
    St::Store(Mem::Long, address.into(), offset, value.into())
}
