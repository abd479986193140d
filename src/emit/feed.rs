//! Generates `load` and `update`, which take the fleet from the host. Columns are used where the host wrote
//! them; only spans of sets are turned into addresses, in place. Updates overwrite single rows.

use wasm_encoder::ValType::I32;

use super::{
    Layout,
    asm::{Ex, Fn, FunctionBody, Global, Local, Mem, St, count, put, step, when},
    helpers::Helper,
    memory::{self, bit, put_long},
    module::{
        Builder, DEPTHS, FLOOR, HEAP, KEEP, LITERALS, MATCHED, PARENTS, POOL_ROWS, POOL_SPACE, RANKS, ROWS,
        SPACE, SYMBOL_SPACE, SYMBOLS, TEXTS, VERSIONS,
    },
};

/// Offsets in `column-data`, by the canonical ABI.
mod at {
    pub const KNOWN: u32 = 4;
    pub const MISMATCHED: u32 = 12;
    pub const FORM: u32 = 20;
    pub const CELLS: u32 = 24;
    pub const SIZE: i32 = 48;
}

/// Offsets in a slot, the record of a column that is in use.
pub mod slot {
    /// The bitmap of known rows; 0 for a column that was not given. For a fact of the question: its kind plus
    /// 1, or 0 if it is absent.
    pub const KNOWN: u32 = 0;
    /// The bitmap of mismatched rows, or 0.
    pub const MISMATCHED: u32 = 4;
    /// The address of the values. For a fact of the question, the value itself.
    pub const DATA: u32 = 8;
    /// The address of the kinds of a mixed column, or 0.
    pub const KINDS: u32 = 12;
    /// The size of a slot, in bytes.
    pub const SIZE: u32 = 16;
}

/// The forms of cells: the cases of `cells` in the interface.
pub mod form {
    /// A bitmap.
    pub const BOOLEANS: u8 = 0;
    /// Values of 64 bits.
    pub const INTEGERS: u8 = 1;
    /// Values of 32 bits.
    pub const NUMBERS: u8 = 2;
    /// Spans of members.
    pub const SETS: u8 = 3;
    /// Values of any kind.
    pub const MIXED: u8 = 4;
}

fn give(value: impl Into<Ex>) -> St {
    St::Return(value.into())
}

/// Generates `load` and `update`.
pub fn feed(builder: &mut Builder, layout: &Layout) -> (Fn, Fn) {
    let extend = builder.helper(Helper::Extend);
    let symbols = builder.function(symbols_of(extend, layout));
    let spans = builder.helper(Helper::Spans);
    let column = builder.function(column_of(spans, layout));
    let load = load(builder, layout, symbols, column);
    let load = builder.function(load);
    let update = update(builder, layout, symbols, column);
    (load, builder.function(update))
}

/// `symbols record`: appends the new symbols. Lists grow to twice the number of symbols, so that appending
/// takes constant time per symbol, amortised.
fn symbols_of(extend: Fn, layout: &Layout) -> FunctionBody {
    let mut body = FunctionBody::new(&[I32], None);
    let record = body.param(0);
    let (total, space, at, end) = (body.int(), body.int(), body.int(), body.int());
    let longer = |list: Global, size: Ex| {
        let (old, new) = (SYMBOLS.get().mul(size.clone()), space.get().mul(size));
        list.set(Ex::Call(extend, vec![list.into(), old, new]))
    };
    let mut more = vec![space.set(SYMBOLS.get().choose(total.get().shl(1), total))];
    let mut copies = Vec::new();
    let added = total.get().sub(SYMBOLS);
    if layout.places {
        more.extend([longer(PARENTS, Ex::Int(4)), longer(DEPTHS, Ex::Int(4))]);
        for (list, offset) in [(PARENTS, 4), (DEPTHS, 12)] {
            let to = list.get().add(SYMBOLS.get().shl(2));
            copies.push(St::Copy(to, record.get().word(offset), added.clone().shl(2)));
        }
    }
    if layout.patterns > 0 {
        more.extend([longer(TEXTS, Ex::Int(8)), longer(MATCHED, Ex::Int(layout.patterns as i32))]);
        let entry = TEXTS.get().add(SYMBOLS.get().add(at).shl(3));
        let text = body.int();
        let one = vec![
            text.set(entry),
            put(text, 0, record.get().word(28).add(end)),
            put(text, 4, record.get().word(20).add(at.get().shl(2)).word(0).sub(end)),
            end.set(end.get().add(text.get().word(4))),
        ];
        copies.push(KEEP.set(1));
        copies.extend(count(at, added, one));
    }
    more.push(SYMBOL_SPACE.set(space));
    body.add([
        total.set(record.get().word(0)),
        when(total.get().le(SYMBOLS), vec![St::End]),
        when(total.get().gt(SYMBOL_SPACE), more),
    ]);
    body.add(copies).add([SYMBOLS.set(total)]);
    body
}

/// Returns the address of the slot of a column.
fn slot_of(layout: &Layout, column: impl Into<Ex>) -> Ex {
    column.into().mul(slot::SIZE).add(layout.slots)
}

/// `column data, first column, end`: turns the spans of a column into addresses and returns its slot. Returns
/// 0 if the column is out of range or of another form.
fn column_of(spans: Fn, layout: &Layout) -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32, I32], Some(I32));
    let (data, from, to) = (body.param(0), body.param(1), body.param(2));
    let (column, form) = (body.int(), body.int());
    let cells = |offset: u32| data.get().word(at::CELLS + offset);
    let turn = |rows: Ex, list: Ex, members: Ex, kinds: Ex| {
        St::Do(Ex::Call(spans, vec![list, rows, members, kinds]), true)
    };
    body.add([
        // The generated code reads cells by the form of their column without further checks, so data of
        // another form or side is refused.
        column.set(data.get().word(0)),
        when(column.get().lt(from).or(column.get().ge(to)), vec![give(0)]),
        form.set(data.get().load(Mem::Byte, at::FORM)),
        when(form.get().ne(column.get().load(Mem::Byte, layout.forms)), vec![give(0)]),
        when(
            form.get().eq(i32::from(form::SETS)),
            vec![turn(cells(4), cells(0), cells(8), Ex::Int(0)), when(cells(12), vec![KEEP.set(1)])],
        ),
        when(
            form.get().eq(i32::from(form::MIXED)),
            vec![turn(cells(12), cells(8), cells(16), cells(0)), when(cells(20), vec![KEEP.set(1)])],
        ),
        give(slot_of(layout, column)),
    ]);
    body
}

/// Returns the address of the values in a column's data. Those of a mixed column follow its kinds.
fn values_at(data: Local, column_form: Ex) -> Ex {
    column_form.eq(i32::from(form::MIXED)).choose(data.get().word(at::CELLS + 8), data.get().word(at::CELLS))
}

/// Reports unexpected data: an `err` with a text, in the result of `load` and `update`.
fn refuse(layout: &Layout) -> Vec<St> {
    let (text, length) = layout.refusal;
    vec![
        put(layout.result, 0, 1),
        put(layout.result, 4, text),
        put(layout.result, 8, length),
        give(layout.result),
    ]
}

/// `table, first column, end`: puts each column into its slot. Returns 0 if one does not belong.
fn table_of(column: Fn) -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32, I32], Some(I32));
    let [table, from, to] = [0, 1, 2].map(|at| body.param(at));
    let (data, end, slot) = (body.int(), body.int(), body.int());
    let form = data.get().load(Mem::Byte, at::FORM);
    let mixed = form.clone().eq(i32::from(form::MIXED));
    let list =
        |offset: u32, missing: i32| data.get().word(offset + 4).choose(data.get().word(offset), missing);
    let each = vec![
        slot.set(Ex::Call(column, vec![data.into(), from.into(), to.into()])),
        when(slot.get().not(), vec![give(0)]),
        // A column without rows has no bitmap, but its slot must not read as "not given".
        put(slot, slot::KNOWN, list(at::KNOWN, 8)),
        put(slot, slot::MISMATCHED, list(at::MISMATCHED, 0)),
        put(slot, slot::DATA, values_at(data, form)),
        put(slot, slot::KINDS, mixed.choose(data.get().word(at::CELLS), 0)),
        step(data, at::SIZE),
    ];
    body.add([
        data.set(table.get().word(4)),
        end.set(data.get().add(table.get().word(8).mul(at::SIZE))),
        St::While(data.get().lt(end), each),
        give(1),
    ]);
    body
}

fn load(builder: &mut Builder, layout: &Layout, symbols: Fn, column: Fn) -> FunctionBody {
    let table = builder.function(table_of(column));
    let mut body = FunctionBody::new(&[I32], Some(I32));
    let snapshot = body.param(0);
    body.add([
        put(layout.result, 0, 0),
        St::Do(Ex::Call(symbols, vec![snapshot.into()]), false),
        LITERALS.set(snapshot.get().word(36)),
        RANKS.set(snapshot.get().word(44)),
        VERSIONS.set(snapshot.get().word(52)),
    ]);
    let sides =
        [(60, ROWS, SPACE, 0, layout.agents), (72, POOL_ROWS, POOL_SPACE, layout.agents, layout.rows)];
    for (offset, rows, space, from, to) in sides {
        let whole = Ex::Call(table, vec![snapshot.get().add(offset), from.into(), to.into()]);
        body.add([
            when(whole.not(), refuse(layout)),
            rows.set(snapshot.get().word(offset as u32)),
            space.set(rows),
        ]);
    }
    if layout.sets > 0 {
        let sets = sets_of(builder, layout);
        let sets = builder.function(sets);
        body.add([St::Do(Ex::Call(sets, vec![]), false)]);
    }
    // Everything so far stays: answers begin above it.
    body.add([FLOOR.set(HEAP), give(layout.result)]);
    body
}

/// Builds the sets of text literals. Symbols are known only now, so members are sorted here, by Shell's sort:
/// literals are few, and it needs neither recursion nor memory.
fn sets_of(builder: &mut Builder, layout: &Layout) -> FunctionBody {
    let allocate = builder.helper(Helper::Allocate);
    let mut body = FunctionBody::new(&[], None);
    let [set, from, at, length, list, gap, to] = [(); 7].map(|()| body.int());
    let value = body.long();
    let cell = |at: Ex| list.get().add(at.shl(3));
    let literal = LITERALS.get().add(from.get().word(0).shl(2)).load(Mem::WordWide, 0);
    let fill = count(at, length, vec![put_long(cell(at.get()), 0, literal), step(from, 4)]);
    let before = || cell(to.get().sub(gap)).long(0);
    let label = body.label();
    let sink = vec![
        when(before().le64_s(value), vec![St::Leave(label)]),
        put_long(cell(to.get()), 0, before()),
        to.set(to.get().sub(gap)),
    ];
    let place = vec![
        value.set(cell(at.get()).long(0)),
        to.set(at),
        St::Block(label, vec![St::While(to.get().ge(gap), sink)]),
        put_long(cell(to.get()), 0, value),
        step(at, 1),
    ];
    let pass = vec![at.set(gap), St::While(at.get().lt(length), place), gap.set(gap.get().shr(1))];
    let mut one = vec![length.set(from.get().word(0)), step(from, 4)];
    one.push(list.set(Ex::Call(allocate, vec![length.get().shl(3)])));
    one.extend(fill);
    one.extend([gap.set(length.get().shr(1)), St::While(gap.into(), pass)]);
    let set_value = list.get().wide().or64(length.get().wide().shl64(32_i64));
    one.push(put_long(set.get().shl(3).add(layout.set_values), 0, set_value));
    body.add([from.set(layout.set_members)]);
    let all = count(set, layout.sets, one);
    body.add(all);
    body
}

/// `table changes, first column, end, space`: writes the changed rows of each column. Returns 0 if a column
/// does not belong, or was not given to `load`.
fn changed_of(column: Fn, write: Fn) -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32, I32, I32], Some(I32));
    let [changes, from, to, space] = [0, 1, 2, 3].map(|at| body.param(at));
    let (data, end, slot) = (body.int(), body.int(), body.int());
    let each = vec![
        slot.set(Ex::Call(column, vec![data.into(), from.into(), to.into()])),
        when(slot.get().not(), vec![give(0)]),
        when(slot.get().word(slot::KNOWN).not(), vec![give(0)]),
        St::Do(Ex::Call(write, vec![slot.into(), data.into(), changes.into(), space.into()]), false),
        step(data, at::SIZE),
    ];
    body.add([
        data.set(changes.get().word(12)),
        end.set(data.get().add(changes.get().word(16).mul(at::SIZE))),
        St::While(data.get().lt(end), each),
        give(1),
    ]);
    body
}

fn update(builder: &mut Builder, layout: &Layout, symbols: Fn, column: Fn) -> FunctionBody {
    let set_bit = builder.function(memory::set_bit());
    let grow = grow(builder, layout);
    let grow = builder.function(grow);
    let write = write(builder, set_bit);
    let write = builder.function(write);
    let mut body = FunctionBody::new(&[I32], Some(I32));
    let changes = body.param(0);
    let changed = builder.function(changed_of(column, write));
    body.add([
        put(layout.result, 0, 0),
        KEEP.set(0),
        // Symbols come first: the changed cells may refer to new ones.
        St::Do(Ex::Call(symbols, vec![changes.into()]), false),
        when(changes.get().word(40), vec![RANKS.set(changes.get().word(36)), KEEP.set(1)]),
    ]);
    let sides =
        [(44, ROWS, SPACE, 0, layout.agents), (64, POOL_ROWS, POOL_SPACE, layout.agents, layout.rows)];
    for (offset, rows, space, from, to) in sides {
        let total = changes.get().word(offset as u32);
        // Space for twice the rows, so that adding rows takes constant time per row, amortised.
        let longer = Ex::Call(grow, vec![from.into(), to.into(), rows.into(), total.clone().shl(1)]);
        let whole = Ex::Call(changed, vec![changes.get().add(offset), from.into(), to.into(), space.into()]);
        body.add([
            when(total.clone().gt(space), vec![St::Do(longer, false), space.set(total.clone().shl(1))]),
            rows.set(total),
            when(whole.not(), refuse(layout)),
        ]);
    }
    // Frees what the host wrote for this update, unless a part of it is in use from now on.
    body.add([St::If(KEEP.into(), vec![FLOOR.set(HEAP)], vec![HEAP.set(FLOOR)]), give(layout.result)]);
    body
}

/// `first column, end, rows, space`: moves each column to lists with space for more rows.
fn grow(builder: &mut Builder, layout: &Layout) -> FunctionBody {
    let extend = builder.helper(Helper::Extend);
    let mut body = FunctionBody::new(&[I32, I32, I32, I32], None);
    let [from, to, rows, space] = [0, 1, 2, 3].map(|at| body.param(at));
    let (slot, form) = (body.int(), body.int());
    let bits = |rows: Ex| rows.add(7).shr(3);
    let longer = |offset: u32, old: Ex, new: Ex| {
        let list = Ex::Call(extend, vec![slot.get().word(offset), old, new]);
        when(slot.get().word(offset), vec![put(slot, offset, list)])
    };
    let bitmap = |offset: u32| longer(offset, bits(rows.get()), bits(space.get()));
    let data = |shift: i32| longer(slot::DATA, rows.get().shl(shift), space.get().shl(shift));
    let each = vec![
        slot.set(slot_of(layout, from)),
        when(
            slot.get().word(slot::KNOWN),
            vec![
                bitmap(slot::KNOWN),
                bitmap(slot::MISMATCHED),
                longer(slot::KINDS, rows.get(), space.get()),
                form.set(from.get().load(Mem::Byte, layout.forms)),
                St::If(
                    form.get().not(),
                    vec![bitmap(slot::DATA)],
                    vec![St::If(form.get().eq(i32::from(form::NUMBERS)), vec![data(2)], vec![data(3)])],
                ),
            ],
        ),
        step(from, 1),
    ];
    body.add([St::While(from.get().lt(to), each)]);
    body
}

/// `slot, column data, table changes, space`: writes the changed rows of a column.
fn write(builder: &mut Builder, set_bit: Fn) -> FunctionBody {
    let extend = builder.helper(Helper::Extend);
    let mut body = FunctionBody::new(&[I32, I32, I32, I32], None);
    let [slot, data, changes, space] = [0, 1, 2, 3].map(|at| body.param(at));
    let [at_row, row, form, values, list] = [(); 5].map(|()| body.int());
    let mark = |bitmap: Ex, bit: Ex| St::Do(Ex::Call(set_bit, vec![bitmap, row.into(), bit]), false);
    let given = data.get().word(at::MISMATCHED + 4);
    // The first mismatch of a column creates its bitmap.
    let fresh = Ex::Call(extend, vec![0.into(), 0.into(), space.get().add(7).shr(3)]);
    let mismatch = vec![
        row.set(changes.get().word(4).add(at_row.get().shl(2)).word(0)),
        list.set(0),
        when(given.clone(), vec![list.set(bit(data.get().word(at::MISMATCHED), at_row))]),
        mark(slot.get().word(slot::MISMATCHED), list.into()),
    ];
    let cell = |base: Ex, row: Local, shift: i32| base.add(row.get().shl(shift));
    let to = |row, shift| cell(slot.get().word(slot::DATA), row, shift);
    let narrow = vec![put(to(row, 2), 0, cell(values.get(), at_row, 2).word(0))];
    let wide = vec![put_long(to(row, 3), 0, cell(values.get(), at_row, 3).long(0))];
    let kind = data.get().word(at::CELLS).add(at_row).load(Mem::Byte, 0);
    let kinds = vec![St::Store(Mem::Byte, slot.get().word(slot::KINDS).add(row), 0, kind)];
    let is = |number: u8| form.get().eq(i32::from(number));
    let each = vec![
        row.set(changes.get().word(4).add(at_row.get().shl(2)).word(0)),
        mark(slot.get().word(slot::KNOWN), bit(data.get().word(at::KNOWN), at_row)),
        when(is(form::MIXED), kinds),
        St::If(
            is(form::BOOLEANS),
            vec![mark(slot.get().word(slot::DATA), bit(values.get(), at_row))],
            vec![St::If(is(form::NUMBERS), narrow, wide)],
        ),
    ];
    body.add([
        form.set(data.get().load(Mem::Byte, at::FORM)),
        values.set(values_at(data, form.get())),
        when(
            given.ne(0).and(slot.get().word(slot::MISMATCHED).not()),
            vec![put(slot, slot::MISMATCHED, fresh)],
        ),
    ]);
    let rows = || changes.get().word(8);
    body.add([when(slot.get().word(slot::MISMATCHED), count(at_row, rows(), mismatch))]);
    let all = count(at_row, rows(), each);
    body.add(all);
    body
}
