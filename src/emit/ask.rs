//! `evaluate` and `explain`: a question as the host asks it, rule by rule over the rows it names.

use wasm_encoder::ValType::I32;

use super::{
    Layout,
    asm::{Body, Ex, Fn, Local, Mem, St, count, put, step, when},
    feed::slot,
    helpers::{Helper, OVERFLOW},
    memory::put_long,
    module::{Builder, FAILS, FLOOR, HEAP, KIND, POOL_ROWS, ROWS, VALUE},
};

/// Bytes of a fact, and of an outcome.
const FACT: i32 = 24;
const OUTCOME: i32 = 56;

fn give(value: impl Into<Ex>) -> St {
    St::Return(value.into())
}

/// What stands in the table of functions, by number: conditions, then rules, then what each condition could be, then
/// what its subject is compared with, then how far the sides of each are apart.
fn condition_at(number: Ex) -> Ex {
    number
}

fn rule_at(layout: &Layout, number: Ex) -> Ex {
    number.add(layout.conditions)
}

fn possible_at(layout: &Layout, number: Ex) -> Ex {
    number.add(layout.conditions + layout.rules)
}

fn operand_at(layout: &Layout, number: Ex) -> Ex {
    number.add(2 * layout.conditions + layout.rules)
}

fn distance_at(layout: &Layout, number: Ex) -> Ex {
    number.add(3 * layout.conditions + layout.rules)
}

fn call_at(number: Ex, agent: Local, pool: Local) -> Ex {
    Ex::CallAt(Box::new(number), vec![agent.into(), pool.into()])
}

/// `facts, how many`: what is known of what is asked; all else of it is absent.
pub fn facts(layout: &Layout) -> Body {
    let mut body = Body::new(&[I32, I32], None);
    let (fact, end, column, slot) = (body.param(0), body.param(1), body.int(), body.int());
    let kind = body.int();
    let (first, last) = (layout.rows, layout.columns);
    let value = |load: Ex| put_long(slot, slot::DATA, load);
    let place = vec![
        kind.set(fact.get().load(Mem::Byte, 8)),
        slot.set(column.get().mul(slot::SIZE).add(layout.slots)),
        put(slot, slot::KNOWN, kind.get().add(1)),
        St::If(
            kind.get().not(),
            vec![value(fact.get().load(Mem::Byte, 16).wide())],
            vec![St::If(
                kind.get().sub(5).lt(3),
                vec![value(fact.get().load(Mem::WordWide, 16))],
                // Amounts are as they are; a list is an address and a length, as a set is.
                vec![value(fact.get().long(16))],
            )],
        ),
    ];
    let each = vec![
        column.set(fact.get().word(0)),
        when(column.get().ge(first).and(column.get().lt(last)), place),
        step(fact, FACT),
    ];
    body.add([
        end.set(fact.get().add(end.get().mul(FACT))),
        St::Clear(Ex::from(layout.slots + first * slot::SIZE), Ex::from((last - first) * slot::SIZE)),
        St::While(fact.get().lt(end), each),
    ]);
    body
}

/// The rows of one side that a question names: how it names them, the list and its length. Gives how many.
struct Rows {
    how: Local,
    list: Local,
    length: Local,
    all: super::asm::Global,
}

impl Rows {
    fn counted(&self) -> St {
        // 0: none, which is one row that is not there; 1: all; 2: those of the list.
        let given = self.how.get().eq(1).choose(self.all, self.length);
        self.length.set(self.how.get().choose(given, 1))
    }

    fn row(&self, at: Local) -> Vec<St> {
        let listed = when(self.how.get().eq(2), vec![at.set(self.list.get().add(at.get().shl(2)).word(0))]);
        vec![listed, when(self.how.get().not(), vec![at.set(-1)])]
    }
}

/// `evaluate`, with its ten words: facts, rules, agents, pools.
pub fn evaluate(builder: &mut Builder, layout: &Layout, facts: Fn) -> Body {
    let (allocate, cleared) = (builder.helper(Helper::Allocate), builder.helper(Helper::Cleared));
    let mut body = Body::new(&[I32; 10], Some(I32));
    let param = |at: u32| Local(at);
    let (rules, end) = (param(2), param(3));
    let agents = Rows { how: param(4), list: param(5), length: param(6), all: ROWS };
    let pools = Rows { how: param(7), list: param(8), length: param(9), all: POOL_ROWS };
    let [verdicts, earning, rule, words, answer, rows, columns] = [(); 7].map(|()| body.int());
    let [holds, unknown, earned] = [(); 3].map(|()| body.int());
    let is_preference = |rule: Ex| rule.add(layout.preferences).load(Mem::Byte, 0);
    let counted = vec![
        when(rules.get().word(0).ge(layout.rules), vec![St::Trap]),
        St::If(is_preference(rules.get().word(0)), vec![step(earning, 1)], vec![step(verdicts, 1)]),
        step(rules, 4),
    ];
    let new = |helper: Fn, size: Ex| Ex::Call(helper, vec![size]);
    // Rows of a plane are agents where both sides are tried; else there is one, over the side that is.
    let pair = agents.how.get().ne(0).and(pools.how.get().ne(0));
    body.add([
        St::Do(Ex::Call(facts, vec![param(0).into(), param(1).into()]), false),
        agents.counted(),
        pools.counted(),
        rows.set(pair.choose(agents.length, 1)),
        columns.set(pools.how.get().choose(pools.length, agents.length)),
        words.set(columns.get().add(63).shr(6)),
        rule.set(rules),
        end.set(rules.get().add(end.get().shl(2))),
        St::While(rules.get().lt(end), counted),
        rules.set(rule),
        verdicts.set(verdicts.get().mul(rows).mul(words)),
        earning.set(earning.get().mul(rows).mul(columns)),
        answer.set(new(allocate, Ex::Int(24))),
        holds.set(new(cleared, verdicts.get().shl(3))),
        unknown.set(new(cleared, verdicts.get().shl(3))),
        earned.set(new(allocate, earning.get().shl(2))),
    ]);
    body.add(layout.notes.iter().map(|note| put(*note, 0, 0)));
    let lists = [holds, verdicts, unknown, verdicts, earned, earning];
    body.add(lists.iter().zip(0..).map(|(word, at)| put(answer, 4 * at, *word)));
    let [row, column, number, preferred] = [(); 4].map(|()| body.int());
    let place =
        tried(&mut body, [&agents, &pools], [row, column, number, preferred], [holds, unknown, earned]);
    let mut inner = vec![column.set(0)];
    if layout.words > 0 {
        inner.extend(by_words(
            &mut body,
            layout,
            [rule, column, columns],
            [&agents, &pools],
            [holds, unknown],
        ));
    }
    inner.push(St::While(column.get().lt(columns), place));
    let rest = columns.get().and(63).ne(0).and(preferred.get().not());
    inner.push(when(rest, vec![step(holds, 8), step(unknown, 8)]));
    let mut each = vec![
        rule.set(rules.get().word(0)),
        number.set(rule_at(layout, rule.get())),
        preferred.set(is_preference(rule.get())),
    ];
    each.extend(count(row, rows, inner));
    each.push(step(rules, 4));
    body.add([St::While(rules.get().lt(end), each), give(answer)]);
    body
}

/// One candidate: what the function with a number says of it, and on to the next.
fn tried(
    body: &mut Body,
    [agents, pools]: [&Rows; 2],
    [row, column, number, preferred]: [Local; 4],
    [holds, unknown, earned]: [Local; 3],
) -> Vec<St> {
    let (agent, pool, verdict, bit) = (body.int(), body.int(), body.int(), body.long());
    let mut place =
        vec![pool.set(pools.how.get().choose(column, row)), agent.set(pools.how.get().choose(row, column))];
    place.extend(agents.row(agent));
    place.extend(pools.row(pool));
    let mark = |list: Local| put_long(list, 0, list.get().long(0).or64(bit));
    let judged = vec![
        verdict.set(call_at(number.into(), agent, pool)),
        when(
            verdict.into(),
            vec![
                bit.set(Ex::Long(1).shl64(column.get().wide())),
                St::If(verdict.get().eq(1), vec![mark(holds)], vec![mark(unknown)]),
            ],
        ),
        // A word is full after 64 rows.
        when(column.get().and(63).eq(63), vec![step(holds, 8), step(unknown, 8)]),
    ];
    let scored = vec![put(earned, 0, call_at(number.into(), agent, pool)), step(earned, 4)];
    place.extend([St::If(preferred.into(), scored, judged), step(column, 1)]);
    place
}

/// Where all rows of one side are tried and no other, and the rule has a function for sixty-four of them: these first.
fn by_words(
    body: &mut Body,
    layout: &Layout,
    [rule, column, columns]: [Local; 3],
    [agents, pools]: [&Rows; 2],
    [holds, unknown]: [Local; 2],
) -> Vec<St> {
    let number = body.int();
    let call = Ex::CallAt(Box::new(number.get().shr(1)), vec![column.into(), 0.into()]);
    let whole = vec![
        St::Do(call, true),
        put_long(holds, 0, VALUE),
        put_long(unknown, 0, VALUE.get().or64(FAILS).xor64(-1_i64)),
        step(holds, 8),
        step(unknown, 8),
        step(column, 64),
    ];
    let full = number.get().ne(0).and(column.get().add(64).le(columns));
    let of_side = agents.how.get().add(pools.how).eq(1).and(number.get().and(1).eq(pools.how));
    vec![
        number.set(rule.get().shl(1).add(layout.words).load(Mem::Half, 0)),
        number.set(of_side.choose(number, 0)),
        St::While(full, whole),
    ]
}

/// `explain`, with its eight words: facts, conditions, the agent, the supply.
pub fn explain(builder: &mut Builder, layout: &Layout, facts: Fn) -> Body {
    let cleared = builder.helper(Helper::Cleared);
    let mut body = Body::new(&[I32; 8], Some(I32));
    let param = |at: u32| Local(at);
    let (list, length) = (param(2), param(3));
    let (agent, pool) = (param(5), param(7));
    let (answer, out, at, condition) = (body.int(), body.int(), body.int(), body.int());
    let (status, could) = (body.int(), body.int());
    let byte = |offset: u32, value: Ex| St::Store(Mem::Byte, out.into(), offset, value);
    let fault = status.get().sub(OVERFLOW);
    let told = |value: Ex| vec![byte(16, Ex::Int(1)), byte(24, KIND.get()), put_long(out, 32, value)];
    let possible = call_at(possible_at(layout, condition.get()), agent, pool);
    let operand = call_at(operand_at(layout, condition.get()), agent, pool);
    let distance = call_at(distance_at(layout, condition.get()), agent, pool);
    let each = vec![
        condition.set(list.get().add(at.get().shl(2)).word(0)),
        when(condition.get().ge(layout.conditions), vec![St::Trap]),
        status.set(call_at(condition_at(condition.get()), agent, pool)),
        // No, unknown, yes.
        byte(0, status.get().gt(1).choose(1, status.get().shl(1))),
        could.set(possible),
        // Where nothing varies it could only be what it is.
        when(could.get().eq(-1), vec![could.set(status.get().gt(1).choose(0, Ex::Int(2).sub(status)))]),
        byte(1, could.get().and(1)),
        byte(2, could.get().shr(1)),
        when(
            status.get().ge(OVERFLOW),
            vec![byte(4, Ex::Int(1)), byte(8, fault.clone().and(1)), put(out, 12, fault.shr(1))],
        ),
        status.set(operand),
        when(status.get().not(), told(VALUE.get())),
        status.set(distance),
        when(status.get().not(), vec![byte(40, Ex::Int(1)), put_long(out, 48, VALUE)]),
        step(out, OUTCOME),
    ];
    body.add([
        St::Do(Ex::Call(facts, vec![param(0).into(), param(1).into()]), false),
        agent.set(param(4).get().choose(agent, -1)),
        pool.set(param(6).get().choose(pool, -1)),
        answer.set(Ex::Call(cleared, vec![length.get().mul(OUTCOME).add(8)])),
        put(answer, 0, answer.get().add(8)),
        put(answer, 4, length),
        out.set(answer.get().add(8)),
    ]);
    let all = count(at, length, each);
    body.add(all).add([give(answer)]);
    body
}

/// After an answer has been read, its memory is free again.
pub fn free() -> Body {
    let mut body = Body::new(&[I32], None);
    body.add([HEAP.set(FLOOR)]);
    body
}
