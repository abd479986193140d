//! Comparisons of sixty-four rows of a column with one operand: loops without calls, with many rows for each turn, so that
//! what a host counts and checks at each turn (fuel, deadlines) costs little beside the work.
//!
//! A kernel takes a slot and the first row. The operand is in [`VALUE`], and so is the word that it leaves; the rows that are
//! known are in [`FAILS`]. What a row that is not known holds may be anything, and so leads nowhere.

use wasm_encoder::ValType::I32;

use super::{
    asm::{Body, Ex, Local, Mem, St, count, put, step, when},
    feed::slot,
    helpers::{Helper, rank},
    module::{Builder, FAILS, OF_ROWS, SYMBOLS, VALUE},
};

/// Which comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// What is true.
    Bits,
    /// Amounts below the operand.
    Less,
    /// Amounts that are the operand.
    Equal,
    /// Symbols that are the operand.
    Symbols,
    /// Versions whose rank is below the operand.
    Ranks,
    /// Symbols that have a 1 in the table of bytes at the operand: see [`within`].
    Marked,
    /// Sets of texts with the operand.
    Has,
}

fn is_known(known: Local, row: u32) -> Ex {
    known.get().shr64(i64::from(row)).and64(1_i64)
}

impl Kernel {
    /// Rows of one turn: more where a row takes fewer bytes.
    fn turn(self) -> u32 {
        match self {
            Kernel::Ranks | Kernel::Marked => 8,
            _ => 16,
        }
    }

    /// What it does.
    pub fn body(self) -> Body {
        let mut body = Body::new(&OF_ROWS.0, OF_ROWS.1);
        let (slot, start) = (body.param(0), body.param(1));
        match self {
            Kernel::Bits => {
                let word = slot.get().word(slot::DATA).add(start.get().shr(3)).load(Mem::Long, 0);
                body.add([VALUE.set(word), St::Return(Ex::Int(0))]);
            }
            Kernel::Less => {
                turns(&mut body, self.turn(), 3, |at, row, operand, _| at.long(8 * row).lt64_s(operand))
            }
            Kernel::Equal => {
                turns(&mut body, self.turn(), 3, |at, row, operand, _| at.long(8 * row).eq64(operand))
            }
            Kernel::Symbols => {
                turns(&mut body, self.turn(), 2, |at, row, operand, _| {
                    at.load(Mem::WordWide, 4 * row).eq64(operand)
                });
            }
            Kernel::Ranks => turns(&mut body, self.turn(), 2, |at, row, operand, known| {
                rank(at.load(Mem::WordWide, 4 * row).mul64(is_known(known, row))).wide().lt64(operand)
            }),
            Kernel::Marked => turns(&mut body, self.turn(), 2, |at, row, table, known| {
                let symbol = at.load(Mem::WordWide, 4 * row).mul64(is_known(known, row));
                table.get().add64(symbol).low().load(Mem::Byte, 0)
            }),
            // A member behind the last may be looked at, and is not heeded: there is memory behind every list that was given.
            Kernel::Has => row_by_row(&mut body, 3, |body, at, operand| {
                let (set, member, end) = (body.long(), body.int(), body.int());
                let below = member.get().lt(end).and(member.get().long(0).lt64_s(operand));
                let code = vec![
                    set.set(at.long(0)),
                    member.set(set.get().low()),
                    end.set(member.get().add(set.get().shr64(32_i64).low().shl(3))),
                    St::While(below, vec![step(member, 8)]),
                ];
                (code, member.get().lt(end).and(member.get().long(0).eq64(operand)))
            }),
        }
        body
    }
}

/// Sixty-four rows, `turn` of them at a turn, from the last to the first; `row` gives 1 or 0 of a row, from the address of the
/// turn's first cell. Cells have `1 << shift` bytes.
fn turns(body: &mut Body, turn: u32, shift: i32, row: impl Fn(Ex, u32, Local, Local) -> Ex) {
    let (slot, start) = (body.param(0), body.param(1));
    let (at, done) = (body.int(), body.int());
    let (operand, known, word) = (body.long(), body.long(), body.long());
    let bits = (0..turn).rev().map(|bit| row(at.get(), bit, operand, known));
    let bits = bits.reduce(|above, bit| above.shl(1).or(bit)).unwrap_or(Ex::Int(0));
    let all = vec![
        word.set(word.get().or64(bits.wide().shl64(done.get().wide()))),
        known.set(known.get().shr64(i64::from(turn))),
        step(at, (turn << shift) as i32),
        step(done, turn as i32),
    ];
    body.add([
        operand.set(VALUE),
        known.set(FAILS),
        at.set(slot.get().word(slot::DATA).add(start.get().shl(shift))),
        St::While(done.get().lt(64), all),
        VALUE.set(word),
        St::Return(Ex::Int(0)),
    ]);
}

/// Sixty-four rows, those that are known one by one: `row` gives what to do for a row, from the address of its cell, and then
/// whether it holds.
fn row_by_row(body: &mut Body, shift: i32, row: impl Fn(&mut Body, Ex, Local) -> (Vec<St>, Ex)) {
    let (slot, start) = (body.param(0), body.param(1));
    let (at, done) = (body.int(), body.long());
    let (operand, known, word) = (body.long(), body.long(), body.long());
    let (mut code, holds) = row(body, at.get(), operand);
    code.push(word.set(word.get().or64(holds.wide().shl64(done))));
    let is_known = known.get().shr64(done).low().and(1);
    body.add([
        operand.set(VALUE),
        known.set(FAILS),
        at.set(slot.get().word(slot::DATA).add(start.get().shl(shift))),
        St::While(
            done.get().lt64(64_i64),
            vec![when(is_known, code), step(at, 1 << shift), done.set(done.get().add64(1_i64))],
        ),
        VALUE.set(word),
        St::Return(Ex::Int(0)),
    ]);
}

/// `condition, first row`: asks it of sixty-four rows of supplies, or else of agents.
pub fn by_rows(of_supplies: bool) -> Body {
    let mut body = Body::new(&OF_ROWS.0, OF_ROWS.1);
    let (condition, row) = (body.param(0), body.param(1));
    let (verdict, done) = (body.int(), body.long());
    let (holds, fails) = (body.long(), body.long());
    let rows = if of_supplies { vec![Ex::Int(-1), row.into()] } else { vec![row.into(), Ex::Int(-1)] };
    let mark = |word: Local, of: i32| word.set(word.get().or64(verdict.get().eq(of).wide().shl64(done)));
    body.add([
        St::While(
            done.get().lt64(64_i64),
            vec![
                verdict.set(Ex::CallAt(Box::new(condition.into()), rows)),
                mark(holds, 1),
                mark(fails, 0),
                step(row, 1),
                done.set(done.get().add64(1_i64)),
            ],
        ),
        VALUE.set(holds),
        FAILS.set(fails),
        St::Return(Ex::Int(0)),
    ]);
    body
}

/// `outer symbol, note`: a table with a 1 for each symbol within the outer one. It is made once for a question: the note says
/// where it is, and is 0 before.
pub fn within(builder: &mut Builder) -> Body {
    let (cleared, within) = (builder.helper(Helper::Cleared), builder.helper(Helper::Within));
    let mut body = Body::new(&[I32, I32], Some(I32));
    let (outer, note) = (body.param(0), body.param(1));
    let (table, symbol) = (body.int(), body.int());
    let inside = Ex::Call(within, vec![symbol.into(), outer.into()]);
    body.add([
        table.set(note.get().word(0)),
        when(table.into(), vec![St::Return(table.into())]),
        table.set(Ex::Call(cleared, vec![SYMBOLS.get()])),
        put(note, 0, table),
    ]);
    let all = count(symbol, SYMBOLS, vec![St::Store(Mem::Byte, table.get().add(symbol), 0, inside)]);
    body.add(all).add([St::Return(table.into())]);
    body
}
