//! Generates `evaluate` and `explain`: the rules of a question, one after the other, over the rows it names.

use wasm_encoder::ValType::I32;

use super::{
    Layout,
    asm::{Ex, Fn, FunctionBody, Local, Mem, St, count, put, step, when},
    feed::slot,
    helpers::{Helper, OVERFLOW},
    memory::put_long,
    module::{Builder, FAILS, FLOOR, HEAP, KIND, POOL_ROWS, ROWS, VALUE},
};

/// The sizes of `fact` and `outcome` in the canonical ABI, in bytes.
const FACT: i32 = 24;
const OUTCOME: i32 = 56;

fn give(value: impl Into<Ex>) -> St {
    St::Return(value.into())
}

/// The sections of the table of functions, in order: conditions, rules, what each condition could be, the
/// operand of its comparison, and the distance between the sides of it. Each maps a number to its entry.
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

/// `facts, count`: stores the facts of a question in their slots. Columns without a fact are absent.
pub fn facts(layout: &Layout) -> FunctionBody {
    let mut body = FunctionBody::new(&[I32, I32], None);
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
                // Amounts are stored as they are. A list is an address and a length, which is the form of a
                // set too.
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

/// The rows of one side that a question names: the case of `rows`, and the address and length of the list.
/// `counted` turns the length into the number of rows.
struct QuestionRows {
    how: Local,
    list: Local,
    length: Local,
    all: super::asm::Global,
}

impl QuestionRows {
    fn counted(&self) -> St {
        // 0 is `none`, one row that is absent; 1 is `all`; 2 is `these`, the rows of the list.
        let given = self.how.get().eq(1).choose(self.all, self.length);
        self.length.set(self.how.get().choose(given, 1))
    }

    fn row(&self, at: Local) -> Vec<St> {
        let listed = when(self.how.get().eq(2), vec![at.set(self.list.get().add(at.get().shl(2)).word(0))]);
        vec![listed, when(self.how.get().not(), vec![at.set(-1)])]
    }
}

/// `evaluate`. Its ten parameters are the flattened `question`: facts, rules, agents, pools.
///
/// For each rule, the answer has a plane: rows by columns, where rows are agents and columns are pools if
/// both are tried, else one row over the side that is. Requirements have a bit per candidate in `holds` and
/// in `unknown`, each row padded to words of 64; preferences have 32 bits per candidate in `earned`.
pub fn evaluate(builder: &mut Builder, layout: &Layout, facts: Fn) -> FunctionBody {
    let (allocate, cleared) = (builder.helper(Helper::Allocate), builder.helper(Helper::Cleared));
    let mut body = FunctionBody::new(&[I32; 10], Some(I32));
    let param = |at: u32| Local(at);
    let (rules, end) = (param(2), param(3));
    let agents = QuestionRows { how: param(4), list: param(5), length: param(6), all: ROWS };
    let pools = QuestionRows { how: param(7), list: param(8), length: param(9), all: POOL_ROWS };
    let [verdicts, earning, rule, words, answer, rows, columns] = [(); 7].map(|()| body.int());
    let [holds, unknown, earned] = [(); 3].map(|()| body.int());
    let is_preference = |rule: Ex| rule.add(layout.preferences).load(Mem::Byte, 0);
    // Counts the rules of both kinds, which gives the sizes of the three lists.
    let counted = vec![
        when(rules.get().word(0).ge(layout.rules), vec![St::Trap]),
        St::If(is_preference(rules.get().word(0)), vec![step(earning, 1)], vec![step(verdicts, 1)]),
        step(rules, 4),
    ];
    let new = |helper: Fn, size: Ex| Ex::Call(helper, vec![size]);
    // Agents are the rows of a plane if both sides are tried. Otherwise the only row covers the side that is.
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
    // A row of the plane that ends within a word starts the next one afresh.
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

/// Judges one candidate by the function of the rule, records the result and moves to the next.
fn tried(
    body: &mut FunctionBody,
    [agents, pools]: [&QuestionRows; 2],
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
        // A word is full after 64 columns.
        when(column.get().and(63).eq(63), vec![step(holds, 8), step(unknown, 8)]),
    ];
    let scored = vec![put(earned, 0, call_at(number.into(), agent, pool)), step(earned, 4)];
    place.extend([St::If(preferred.into(), scored, judged), step(column, 1)]);
    place
}

/// Judges 64 rows at a time as long as 64 are left. Applies if all rows of one side are tried and none of the
/// other, and the rule has such a function.
fn by_words(
    body: &mut FunctionBody,
    layout: &Layout,
    [rule, column, columns]: [Local; 3],
    [agents, pools]: [&QuestionRows; 2],
    [holds, unknown]: [Local; 2],
) -> Vec<St> {
    let number = body.int();
    let call = Ex::CallAt(Box::new(number.get().shr(1)), vec![column.into(), 0.into()]);
    let whole = vec![
        St::Do(call, true),
        put_long(holds, 0, VALUE),
        // A row that neither holds nor fails is unknown.
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

/// `explain`. Its eight parameters are the flattened `candidate`: facts, conditions, agent, supply.
pub fn explain(builder: &mut Builder, layout: &Layout, facts: Fn) -> FunctionBody {
    let cleared = builder.helper(Helper::Cleared);
    let mut body = FunctionBody::new(&[I32; 8], Some(I32));
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
        // The cases of `truth` are no 0, unknown 1, yes 2.
        byte(0, status.get().gt(1).choose(1, status.get().shl(1))),
        could.set(possible),
        // −1 marks a condition that does not depend on free amounts: it can only be what it is.
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

/// Frees the memory of an answer, after the host has read it.
pub fn free() -> FunctionBody {
    let mut body = FunctionBody::new(&[I32], None);
    body.add([HEAP.set(FLOOR)]);
    body
}
