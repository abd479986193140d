//! Kernels: comparisons of 64 rows of a column with one operand.
//!
//! Hosts count fuel and check deadlines at each turn of a loop. A kernel has no calls, and handles many rows
//! per turn, so that this costs little beside the comparisons.
//!
//! A kernel takes a slot and the first row. It reads the operand from [`VALUE`] and the known rows from
//! [`FAILS`], and leaves a word with a bit per row in [`VALUE`]. Rows that are not known may hold anything:
//! kernels mask them before they use a value as an index, and the caller drops their bits.

use wasm_encoder::ValType::I32;

use super::{
    asm::{Ex, FunctionBody, Local, Mem, St, count, put, step, when},
    feed::slot,
    helpers::{Helper, rank},
    module::{Builder, FAILS, OF_ROWS, SYMBOLS, VALUE},
};

/// The kinds of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Booleans that are true.
    Bits,
    /// Amounts below the operand.
    Less,
    /// Amounts equal to the operand.
    Equal,
    /// Symbols equal to the operand.
    Symbols,
    /// Versions with a rank below the operand.
    Ranks,
    /// Symbols that the operand, a table of bytes from [`within`], marks with 1.
    Marked,
    /// Sets of texts that contain the operand.
    Has,
}

fn is_known(known: Local, row: u32) -> Ex {
    known.get().shr64(i64::from(row)).and64(1_i64)
}

impl Kernel {
    /// Returns the number of rows per turn. A row with a table lookup takes more code than one without.
    fn turn(self) -> u32 {
        match self {
            Kernel::Ranks | Kernel::Marked => 8,
            _ => 16,
        }
    }

    /// Generates the function.
    pub fn body(self) -> FunctionBody {
        let mut body = FunctionBody::new(&OF_ROWS.0, OF_ROWS.1);
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
            // Reads one member past the end of a set, and ignores it. Memory follows every list that the host
            // wrote.
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

/// Handles 64 rows, `turn` of them per turn of the loop. `row` returns the expression for a row, 1 or 0, from
/// the address of the turn's first cell. A cell has `1 << shift` bytes.
fn turns(body: &mut FunctionBody, turn: u32, shift: i32, row: impl Fn(Ex, u32, Local, Local) -> Ex) {
    let (slot, start) = (body.param(0), body.param(1));
    let (at, done) = (body.int(), body.int());
    let (operand, known, word) = (body.long(), body.long(), body.long());
    // The last row of a turn is the highest bit.
    let bits = (0..turn).rev().map(|bit| row(at.get(), bit, operand, known));
    let bits = bits.reduce(|above, bit| above.shl(1).or(bit)).unwrap_or(Ex::Int(0));
    let all = vec![
        word.set(word.get().or64(bits.wide().shl64(done.get().wide()))),
        // The next turn finds its rows in the lowest bits again.
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

/// Handles the known rows among 64, one by one. `row` returns the code for a row, from the address of its
/// cell, and the expression that holds.
fn row_by_row(
    body: &mut FunctionBody,
    shift: i32,
    row: impl Fn(&mut FunctionBody, Ex, Local) -> (Vec<St>, Ex),
) {
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

/// `condition, first row`: calls a condition for 64 rows of supplies or of agents.
pub fn by_rows(of_supplies: bool) -> FunctionBody {
    let mut body = FunctionBody::new(&OF_ROWS.0, OF_ROWS.1);
    let (condition, row) = (body.param(0), body.param(1));
    let (verdict, done) = (body.int(), body.long());
    let (holds, fails) = (body.long(), body.long());
    // The other side has no row.
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

/// `outer symbol, note`: returns a table of bytes with a 1 for each symbol within the outer one. It is built
/// once per question; the note caches its address.
pub fn within(builder: &mut Builder) -> FunctionBody {
    let (cleared, within) = (builder.helper(Helper::Cleared), builder.helper(Helper::Within));
    let mut body = FunctionBody::new(&[I32, I32], Some(I32));
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
