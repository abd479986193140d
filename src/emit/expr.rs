//! Nodes of a plan as code. A node gives a status (0: it has a value; else why it has none, the first cause in order of
//! reading) and a value; what a kind says is known when the plugin is built is not asked when it runs.

use indexmap::{IndexMap, IndexSet};

use super::{
    Layout, arithmetic,
    asm::{Body, Ex, Fn, Local, Mem, St, when},
    feed::slot,
    helpers::{ABSENT, BY_ZERO, DURATION, Helper, MISMATCH, NUMBER, OVERFLOW, PLACE, TEXT},
    manifest::{Kind, Used, kind_of},
    memory,
    module::{Builder, KIND, LITERALS, OF_ROWS, VALUE, VERSIONS},
};
use crate::{
    ir::{ColumnId, Node, NodeId, Plan},
    operator::{ArithmeticOp, Function, TestOp},
    quantity::{Dimension, MILLION},
    types::{Side, Type},
    value::Value,
};

const CONDITION: Kind = Kind::Of(Type::Bool);

/// A value in code.
#[derive(Clone, Debug)]
struct Val {
    kind: Kind,
    /// 32 bits for a condition, else 64.
    value: Ex,
    /// The kind, where it is not known before there is data.
    tag: Option<Local>,
    /// Whether it always has a value: then the status is not touched.
    certain: bool,
}

impl Val {
    fn tag(&self) -> Ex {
        match self.tag {
            Some(tag) => tag.get(),
            None => Ex::Int(i32::from(self.kind.number())),
        }
    }

    fn wide(&self) -> Ex {
        if self.kind == CONDITION { self.value.clone().wide() } else { self.value.clone() }
    }

    fn dimension(&self) -> Option<Dimension> {
        match self.kind {
            Kind::Of(Type::Quantity(dimension)) => Some(dimension),
            _ => None,
        }
    }

    fn is_path(&self) -> bool {
        matches!(self.kind, Kind::Of(Type::Text | Type::Place))
    }
}

/// The rows that a function is about, and where it writes its status.
#[derive(Clone, Copy, Debug)]
struct Frame {
    agent: Local,
    pool: Local,
    status: Local,
}

/// Writes the functions of a plan.
pub struct Emitter<'a> {
    plan: &'a Plan,
    used: &'a Used,
    layout: &'a Layout,
    /// The module they are written to.
    pub builder: &'a mut Builder,
    /// The tables of patterns, by their number.
    patterns: Vec<u32>,
    kinds: Vec<Kind>,
    /// Nodes with a function of their own: conditions, classes and lets.
    functions: IndexMap<NodeId, Fn>,
    /// The roots of classes and lets.
    named: IndexSet<NodeId>,
    possible: IndexMap<NodeId, Fn>,
}

impl<'a> Emitter<'a> {
    /// For what of a plan is used.
    pub fn new(
        plan: &'a Plan,
        used: &'a Used,
        layout: &'a Layout,
        builder: &'a mut Builder,
        patterns: Vec<u32>,
    ) -> Emitter<'a> {
        let kinds = kinds(plan);
        let named = plan.definitions.iter().map(|definition| definition.root).collect();
        let (functions, possible) = (IndexMap::new(), IndexMap::new());
        Emitter { plan, used, layout, builder, patterns, kinds, functions, named, possible }
    }

    fn kind(&self, id: NodeId) -> Kind {
        self.kinds[id.0 as usize]
    }

    fn has_function(&self, id: NodeId) -> bool {
        self.used.conditions.contains(&id) || self.named.contains(&id)
    }

    /// The function of a node: of a condition 0, 1 or a status; else a status, with the value in [`VALUE`] and its
    /// kind in [`KIND`].
    pub fn function(&mut self, id: NodeId) -> Fn {
        if let Some(known) = self.functions.get(&id) {
            return *known;
        }
        let function = self.builder.declare();
        self.functions.insert(id, function);
        let body = self.body(id);
        self.builder.define(function, body);
        function
    }

    fn frame() -> (Body, Frame) {
        let mut body = Body::new(&OF_ROWS.0, OF_ROWS.1);
        let (agent, pool, status) = (body.param(0), body.param(1), body.int());
        (body, Frame { agent, pool, status })
    }

    fn body(&mut self, id: NodeId) -> Body {
        let (mut body, frame) = Self::frame();
        let mut code = Vec::new();
        let val = self.compute(&mut body, &mut code, frame, id);
        if self.kind(id) == CONDITION {
            code.push(St::Return(if val.certain {
                val.value
            } else {
                frame.status.get().choose(frame.status, val.value)
            }));
        } else {
            if val.certain {
                code.push(frame.status.set(0));
            }
            let tag = val.tag();
            code.extend([VALUE.set(val.wide()), KIND.set(tag), St::Return(frame.status.into())]);
        }
        body.add(code);
        body
    }

    /// A function of a node that gives 0, 1 or a status whatever its kind: what is no condition has no verdict.
    pub fn verdict(&mut self, id: NodeId) -> Fn {
        let function = self.function(id);
        if self.kind(id) == CONDITION {
            return function;
        }
        let (mut body, frame) = Self::frame();
        let call = Ex::Call(function, vec![frame.agent.into(), frame.pool.into()]);
        let holds = KIND.get().choose(MISMATCH, VALUE.get().low());
        body.add([frame.status.set(call), St::Return(frame.status.get().choose(frame.status, holds))]);
        self.builder.function(body)
    }

    /// What a preference earns, in millionths; −1 where it is unknown.
    pub fn earned(&mut self, id: NodeId) -> Fn {
        let function = self.function(id);
        let (mut body, frame) = Self::frame();
        let call = Ex::Call(function, vec![frame.agent.into(), frame.pool.into()]);
        body.add([frame.status.set(call)]);
        let one = MILLION as i32;
        if self.kind(id) == CONDITION {
            let earned = frame.status.get().mul(one);
            body.add([St::Return(frame.status.get().gt(1).choose(-1, earned))]);
            return self.builder.function(body);
        }
        let least = VALUE.get().lt64_s(0_i64).choose(Ex::Long(0), VALUE);
        let most = VALUE.get().gt64_s(MILLION).choose(Ex::Long(MILLION), least);
        body.add([
            when(frame.status.into(), vec![St::Return(Ex::Int(-1))]),
            when(KIND.get().not(), vec![St::Return(VALUE.get().low().mul(one))]),
            when(KIND.get().ne(NUMBER), vec![St::Return(Ex::Int(-1))]),
            St::Return(most.low()),
        ]);
        self.builder.function(body)
    }

    /// What a condition's subject is compared with: as a function that is no condition.
    pub fn operand(&mut self, id: NodeId) -> Fn {
        let (mut body, frame) = Self::frame();
        let mut code = Vec::new();
        let val = self.node(&mut body, &mut code, frame, id);
        if val.certain {
            code.push(frame.status.set(0));
        }
        let tag = val.tag();
        code.extend([VALUE.set(val.wide()), KIND.set(tag), St::Return(frame.status.into())]);
        body.add(code);
        self.builder.function(body)
    }

    // ----- what could be -----

    /// What a condition could be if what is free and used were otherwise: 1 for true, 2 for false. `None` where
    /// nothing of it follows what is taken.
    pub fn possible(&mut self, id: NodeId) -> Option<Fn> {
        let reads = self.plan.reads(id);
        if !reads.iter().any(|column| self.plan.column(*column).key.is_varying()) {
            return None;
        }
        if let Some(known) = self.possible.get(&id) {
            return Some(*known);
        }
        let function = self.builder.declare();
        self.possible.insert(id, function);
        let (mut body, frame) = Self::frame();
        let mut code = Vec::new();
        let possible = self.could_be(&mut body, &mut code, frame, id);
        code.push(St::Return(possible));
        body.add(code);
        self.builder.define(function, body);
        Some(function)
    }

    fn could_be(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Ex {
        let plan = self.plan;
        match plan.node(id) {
            Node::Named(definition) => {
                let root = plan.definition(*definition).root;
                match self.possible(root) {
                    Some(function) => Ex::Call(function, vec![frame.agent.into(), frame.pool.into()]),
                    None => self.as_it_is(body, out, frame, root),
                }
            }
            Node::Not(inner) => {
                let known = body.int();
                let inner = self.could_be(body, out, frame, *inner);
                out.push(known.set(inner));
                known.get().shr(1).or(known.get().and(1).shl(1))
            }
            Node::And(parts) | Node::Or(parts) => {
                // Of `and` all must be able to hold and one to fail; of `or` the other way round.
                let (every, some) = if matches!(plan.node(id), Node::And(_)) { (1, 2) } else { (2, 1) };
                let (all, any, one) = (body.int(), body.int(), body.int());
                out.extend([all.set(every), any.set(0)]);
                for part in parts {
                    let part = self.could_be(body, out, frame, *part);
                    out.extend([
                        one.set(part),
                        all.set(all.get().and(one)),
                        any.set(any.get().or(one.get().and(some))),
                    ]);
                }
                all.get().or(any)
            }
            _ => self.leaf(body, out, frame, id),
        }
    }

    fn leaf(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Ex {
        let reads = self.plan.reads(id);
        let varies = reads.iter().any(|column| self.plan.column(*column).key.is_varying());
        let truth = self.as_it_is(body, out, frame, id);
        if !varies {
            return truth;
        }
        let gaps = reads.iter().map(|column| self.state(frame, *column)).reduce(|all, one| all.or(one));
        gaps.map_or(truth.clone(), |gaps| gaps.choose(truth, 3))
    }

    /// What a condition could be where nothing changes: as it is.
    fn as_it_is(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Ex {
        let holds = body.int();
        let val = self.node(body, out, frame, id);
        if val.certain {
            out.push(frame.status.set(0));
        }
        let value = if val.kind == CONDITION { val.value.clone() } else { val.value.clone().low() };
        let is_condition = val.tag().not();
        // 1 for true, 2 for false, 0 for unknown.
        let known = frame.status.get().not().and(is_condition);
        out.push(holds.set(known.choose(Ex::Int(2).sub(value), 0)));
        holds.into()
    }

    // ----- values -----

    /// A node, by its function where it has one.
    fn node(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Val {
        if matches!(self.plan.node(id), Node::Constant(_) | Node::Named(_)) || !self.has_function(id) {
            return self.compute(body, out, frame, id);
        }
        self.call(body, out, frame, id)
    }

    fn call(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Val {
        let function = self.function(id);
        let kind = self.kind(id);
        let call = Ex::Call(function, vec![frame.agent.into(), frame.pool.into()]);
        if kind == CONDITION {
            let holds = body.int();
            out.push(holds.set(call));
            out.push(frame.status.set(holds.get().gt(1).choose(holds, 0)));
            return Val { kind, value: holds.into(), tag: None, certain: false };
        }
        out.push(frame.status.set(call));
        let val = self.target(body, kind);
        out.extend(put(&val, VALUE.get(), KIND.get()));
        val
    }

    /// Locals for a value.
    fn target(&self, body: &mut Body, kind: Kind) -> Val {
        let tag = (kind == Kind::Mixed).then(|| body.int());
        let value = if kind == CONDITION { body.int() } else { body.long() };
        Val { kind, value: value.into(), tag, certain: false }
    }

    fn compute(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Val {
        let plan = self.plan;
        match plan.node(id) {
            Node::Constant(value) => self.constant(value),
            Node::Read(column) => self.read(body, out, frame, *column),
            Node::Named(definition) => self.call(body, out, frame, plan.definition(*definition).root),
            Node::Not(inner) => {
                let val = self.node(body, out, frame, *inner);
                let value = condition(&val).not();
                if val.kind == CONDITION {
                    return Val { value, ..val };
                }
                if val.certain {
                    out.push(frame.status.set(0));
                }
                expect_condition(out, frame, &val);
                Val { kind: CONDITION, value, tag: None, certain: false }
            }
            Node::And(parts) => self.join(body, out, frame, parts, false),
            Node::Or(parts) => self.join(body, out, frame, parts, true),
            Node::Test(op, left, right) => self.test(body, out, frame, *op, [*left, *right]),
            Node::Matches(subject, pattern) => {
                let text = &plan.patterns[*pattern as usize].text;
                let number = self.used.patterns.get_index_of(text).unwrap_or(0);
                self.matches(body, out, frame, *subject, number)
            }
            Node::IsAbsent(column) => self.presence(frame, *column, true),
            Node::IsPresent(column) => self.presence(frame, *column, false),
            Node::Arithmetic(op, left, right) => self.arithmetic(body, out, frame, id, *op, [*left, *right]),
            Node::Negate(inner) => {
                let val = self.node(body, out, frame, *inner);
                self.negate(body, out, frame, id, &val, false)
            }
            Node::Else(column, other) => self.or_else(body, out, frame, id, *column, *other),
            Node::Call(function, arguments) => {
                let mut vals = Vec::new();
                let result = self.target(body, self.kind(id));
                self.arguments(body, out, frame, arguments, &mut vals, &mut |own, body, out, vals| {
                    own.apply(body, out, frame, id, *function, vals, &result);
                });
                vals.iter().for_each(|val| release(body, val));
                result
            }
        }
    }

    fn constant(&mut self, value: &Value) -> Val {
        let literal = |at: usize| LITERALS.get().load(Mem::WordWide, 4 * at as u32);
        let data = &mut self.builder.data;
        let mut list = |numbers: Vec<i64>| Ex::Long(data.list(&numbers));
        let ex = match value {
            Value::Bool(holds) => Ex::Int(i32::from(*holds)),
            Value::Quantity(_, amount) => Ex::Long(*amount),
            Value::Text(symbol) | Value::Place(symbol) => {
                literal(self.used.literals.get_index_of(symbol).unwrap_or(0))
            }
            Value::Version(version) => {
                let at = self.used.versions.get_index_of(&version.to_string()).unwrap_or(0);
                VERSIONS.get().load(Mem::WordWide, 4 * at as u32)
            }
            Value::Texts(members) if members.is_empty() => Ex::Long(0),
            Value::Texts(members) => {
                let literal = |member| self.used.literals.get_index_of(member).unwrap_or(0) as u32;
                let set: Vec<u32> = members.iter().map(literal).collect();
                let at = self.used.sets.get_index_of(&set).unwrap_or(0) as u32;
                Ex::from(self.layout.set_values + 8 * at).long(0)
            }
            Value::Numbers(members) => list(members.to_vec()),
            Value::Ranges(ranges) => {
                list(ranges.parts().iter().flat_map(|&(low, high)| [low, high]).collect())
            }
        };
        Val { kind: Kind::Of(value.type_of()), value: ex, tag: None, certain: true }
    }

    fn slot(&self, column: ColumnId) -> u32 {
        self.layout.slots + slot::SIZE * self.used.column(column)
    }

    /// The status of a key.
    fn state(&mut self, frame: Frame, column: ColumnId) -> Ex {
        let slot = self.slot(column);
        let row = match self.plan.column(column).side {
            Side::Agent => frame.agent,
            Side::Pool => frame.pool,
            _ => {
                let given = Ex::from(slot).word(slot::KNOWN);
                let kind = kind_of(self.plan, column);
                if kind == Kind::Mixed {
                    return given.choose(0, ABSENT);
                }
                let fits = given.clone().eq(i32::from(kind.number()) + 1);
                return given.choose(fits.choose(0, MISMATCH), ABSENT);
            }
        };
        Ex::Call(self.builder.helper(Helper::State), vec![slot.into(), row.into()])
    }

    fn presence(&mut self, frame: Frame, column: ColumnId, absent: bool) -> Val {
        let state = self.state(frame, column);
        let value = if absent { state.eq(ABSENT) } else { state.ne(ABSENT) };
        Val { kind: CONDITION, value, tag: None, certain: true }
    }

    fn read(&mut self, body: &mut Body, out: &mut Vec<St>, frame: Frame, column: ColumnId) -> Val {
        let kind = kind_of(self.plan, column);
        let slot = self.slot(column);
        let state = self.state(frame, column);
        let val = self.target(body, kind);
        let row = match self.plan.column(column).side {
            Side::Agent => frame.agent,
            Side::Pool => frame.pool,
            _ => {
                let value = Ex::from(slot).long(slot::DATA);
                let tag = Ex::from(slot).word(slot::KNOWN).sub(1);
                let value = if kind == CONDITION { value.low() } else { value };
                out.push(frame.status.set(state));
                out.extend(put(&val, value, tag));
                return val;
            }
        };
        let data = Ex::from(slot).word(slot::DATA);
        let value = match kind {
            CONDITION => memory::bit(data, row),
            Kind::Of(Type::Text | Type::Place | Type::Version) => {
                data.add(row.get().shl(2)).load(Mem::WordWide, 0)
            }
            _ => data.add(row.get().shl(3)).long(0),
        };
        let tag = Ex::from(slot).word(slot::KINDS).add(row).load(Mem::Byte, 0);
        out.push(frame.status.set(state));
        out.push(when(frame.status.get().not(), put(&val, value, tag)));
        val
    }

    fn or_else(
        &mut self,
        body: &mut Body,
        out: &mut Vec<St>,
        frame: Frame,
        id: NodeId,
        column: ColumnId,
        other: NodeId,
    ) -> Val {
        let result = self.target(body, self.kind(id));
        let own = self.read(body, out, frame, column);
        out.extend(put(&result, widened(&own, result.kind), own.tag()));
        let mut instead = Vec::new();
        let val = self.node(body, &mut instead, frame, other);
        if val.certain {
            instead.push(frame.status.set(0));
        }
        instead.extend(put(&result, widened(&val, result.kind), val.tag()));
        out.push(when(frame.status.get().eq(ABSENT), instead));
        result
    }

    /// Kleene's `and` (decided by false) and `or` (decided by true).
    fn join(
        &mut self,
        body: &mut Body,
        out: &mut Vec<St>,
        frame: Frame,
        parts: &[NodeId],
        decides: bool,
    ) -> Val {
        let (gap, holds, label) = (body.int(), body.int(), body.label());
        let mut code = Vec::new();
        for part in parts {
            let val = self.node(body, &mut code, frame, *part);
            if val.certain {
                code.push(frame.status.set(0));
            }
            expect_condition(&mut code, frame, &val);
            let value = condition(&val);
            let decided = if decides { value } else { value.not() };
            code.push(St::If(
                frame.status.into(),
                vec![when(gap.get().not(), vec![gap.set(frame.status)])],
                vec![when(decided, vec![gap.set(0), holds.set(i32::from(decides)), St::Leave(label)])],
            ));
            release(body, &val);
        }
        out.extend([gap.set(0), holds.set(i32::from(!decides)), St::Block(label, code)]);
        out.push(frame.status.set(gap));
        body.release(gap);
        Val { kind: CONDITION, value: holds.into(), tag: None, certain: false }
    }

    /// Operands in order, the next only where the one before has a value; then what is done with all.
    fn arguments(
        &mut self,
        body: &mut Body,
        out: &mut Vec<St>,
        frame: Frame,
        rest: &[NodeId],
        vals: &mut Vec<Val>,
        then: &mut dyn FnMut(&mut Self, &mut Body, &mut Vec<St>, &[Val]),
    ) {
        let Some((first, rest)) = rest.split_first() else {
            if vals.iter().all(|val| val.certain) {
                out.push(frame.status.set(0));
            }
            return then(self, body, out, vals);
        };
        let val = self.node(body, out, frame, *first);
        let certain = val.certain;
        vals.push(val);
        if certain {
            return self.arguments(body, out, frame, rest, vals, then);
        }
        let mut inner = Vec::new();
        self.arguments(body, &mut inner, frame, rest, vals, then);
        out.push(when(frame.status.get().not(), inner));
    }

    fn test(
        &mut self,
        body: &mut Body,
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
            TestOp::Has if left.kind == Kind::Of(Type::Texts) && right.is_path() => {
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

    /// A call with the kinds and values of two operands.
    fn ask(&mut self, helper: Helper, left: &Val, right: &Val) -> Ex {
        let function = self.builder.helper(helper);
        Ex::Call(function, vec![left.tag(), left.wide(), right.tag(), right.wide()])
    }

    fn matches(
        &mut self,
        body: &mut Body,
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

    /// The status of a computation, from that of a function that knows no expressions.
    fn status(&self, id: NodeId, status: impl Into<Ex>) -> Ex {
        let number = self.used.expressions.get_index_of(&id).unwrap_or(0) as i32;
        let status: Ex = status.into();
        if number == 0 {
            return status;
        }
        status.clone().ge(OVERFLOW).mul(2 * number).add(status)
    }

    fn arithmetic(
        &mut self,
        body: &mut Body,
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
                Kind::Of(_) => {
                    let function = own.builder.helper(arithmetic::of_amounts(op));
                    Ex::Call(function, vec![left.wide(), right.wide()])
                }
                Kind::Mixed => {
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

    /// The value with its sign turned; `only_negative`: where it has one.
    fn negate(
        &mut self,
        body: &mut Body,
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

    /// A function of known values.
    #[allow(clippy::too_many_arguments, reason = "the place in the code, the node and its operands")]
    fn apply(
        &mut self,
        body: &mut Body,
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
            _ => out.push(frame.status.set(MISMATCH)),
        }
    }

    /// The order of two values; where there is none, the status says so and the block is left.
    fn ordered(&mut self, frame: Frame, order: Local, a: &Val, b: &Val, end: super::asm::Label) -> Vec<St> {
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
        body: &mut Body,
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
        let whole = Ex::Bin(
            super::asm::Bin::Div64,
            Box::new(fraction.clone().wide()),
            Box::new(i64::from(levels).into()),
        );
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

/// The locals of a value that is not used any more.
fn release(body: &mut Body, val: &Val) {
    if let Ex::Get(local) = val.value {
        body.release(local);
    }
    if let Some(local) = val.tag {
        body.release(local);
    }
}

/// Sets the locals of a value.
fn put(target: &Val, value: Ex, tag: Ex) -> Vec<St> {
    let mut code = Vec::new();
    if let Ex::Get(local) = target.value {
        code.push(local.set(value));
    }
    if let Some(local) = target.tag {
        code.push(local.set(tag));
    }
    code
}

/// A value as wide as a kind has it.
fn widened(val: &Val, kind: Kind) -> Ex {
    if kind == CONDITION { condition(val) } else { val.wide() }
}

/// A value as a condition.
fn condition(val: &Val) -> Ex {
    if val.kind == CONDITION { val.value.clone() } else { val.value.clone().low() }
}

/// What is no condition has no verdict.
fn expect_condition(out: &mut Vec<St>, frame: Frame, val: &Val) {
    match val.kind {
        CONDITION => {}
        _ => {
            let other = when(val.tag(), vec![frame.status.set(MISMATCH)]);
            out.push(when(frame.status.get().not(), vec![other]));
        }
    }
}

/// Whether both are paths.
fn paths(a: &Val, b: &Val) -> Ex {
    let path = |val: &Val| match val.kind {
        Kind::Mixed => val.tag().eq(TEXT).or(val.tag().eq(PLACE)),
        _ => Ex::Int(i32::from(val.is_path())),
    };
    path(a).and(path(b))
}

/// The kind of each node, where it is known before there is data.
fn kinds(plan: &Plan) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let of = |id: &NodeId| kinds[id.0 as usize];
        let kind = match node {
            Node::Constant(value) => Kind::Of(value.type_of()),
            Node::Read(column) => kind_of(plan, *column),
            Node::Named(definition) => of(&plan.definition(*definition).root),
            Node::Not(_)
            | Node::And(_)
            | Node::Or(_)
            | Node::Test(..)
            | Node::Matches(..)
            | Node::IsAbsent(_)
            | Node::IsPresent(_) => CONDITION,
            Node::Arithmetic(op, left, right) => computed(*op, of(left), of(right)),
            Node::Negate(inner) => of(inner),
            Node::Else(column, other) => {
                let own = kind_of(plan, *column);
                if own == of(other) { own } else { Kind::Mixed }
            }
            Node::Call(Function::Closeness, _) => Kind::Of(Type::NUMBER),
            Node::Call(_, arguments) => {
                let first = arguments.first().map_or(Kind::Mixed, of);
                if arguments.iter().all(|other| of(other) == first) { first } else { Kind::Mixed }
            }
        };
        kinds.push(kind);
    }
    kinds
}

/// The kind of a computation; mixed where it may have no value for its operands' kinds.
fn computed(op: ArithmeticOp, left: Kind, right: Kind) -> Kind {
    let (Kind::Of(Type::Quantity(a)), Kind::Of(Type::Quantity(b))) = (left, right) else {
        return Kind::Mixed;
    };
    let dimension = match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract if a == b => Some(a),
        ArithmeticOp::Multiply if a == Dimension::Number => Some(b),
        ArithmeticOp::Multiply if b == Dimension::Number => Some(a),
        ArithmeticOp::Divide if a == b => Some(Dimension::Number),
        ArithmeticOp::Divide if b == Dimension::Number => Some(a),
        _ => None,
    };
    dimension.map_or(Kind::Mixed, |dimension| Kind::Of(Type::Quantity(dimension)))
}
