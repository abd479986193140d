//! Code generation for the nodes of a plan.
//!
//! The code of a node leaves a status and a value. Status 0 means that there is a value; any other says why
//! there is none, by the first cause in reading order. A [`Val`] holds what is known at build time: its kind,
//! and if it is certain to have a value. The generated code tests only what is not known then.
//!
//! Conditions, classes and lets become functions of two rows (agent, supply; −1 is none), since several rules
//! may use them. All other nodes are generated in place.

mod kinds;
mod operate;
mod possible;
mod words;

pub use words::apply;

use indexmap::{IndexMap, IndexSet};

use super::{
    Layout,
    asm::{Ex, Fn, FunctionBody, Local, Mem, St, when},
    feed::slot,
    helpers::{ABSENT, DURATION, Helper, MISMATCH, NUMBER, PLACE, TEXT},
    kernels::Kernel,
    manifest::{ColumnKind, PluginParts, kind_of},
    memory,
    module::{Builder, KIND, LITERALS, OF_ROWS, VALUE, VERSIONS},
};
use crate::{
    ir::{ColumnId, Node, NodeId, Plan},
    quantity::{Dimension, MILLION},
    types::{Side, Type},
    value::Value,
};

const CONDITION: ColumnKind = ColumnKind::Of(Type::Bool);

/// The value of a node in generated code.
#[derive(Clone, Debug)]
struct Val {
    kind: ColumnKind,
    /// The expression of the value: 32 bits for a condition, else 64.
    value: Ex,
    /// The local with the kind, if only the data decides it.
    tag: Option<Local>,
    /// `true` if it always has a value. The code leaves the status untouched then.
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
            ColumnKind::Of(Type::Quantity(dimension)) => Some(dimension),
            _ => None,
        }
    }

    fn is_path(&self) -> bool {
        matches!(self.kind, ColumnKind::Of(Type::Text | Type::Place))
    }
}

/// The continuation of an operation, once all operands have a value.
type Then<'t, Own> = dyn FnMut(&mut Own, &mut FunctionBody, &mut Vec<St>, &[Val]) + 't;

/// The rows that a function judges, and the local for its status.
#[derive(Clone, Copy, Debug)]
struct Frame {
    agent: Local,
    pool: Local,
    status: Local,
}

/// The generator of a plan's functions.
pub struct Emitter<'a> {
    plan: &'a Plan,
    used: &'a PluginParts,
    layout: &'a Layout,
    /// The module that the functions are added to.
    pub builder: &'a mut Builder,
    /// The addresses of the tables of patterns, by number.
    patterns: Vec<u32>,
    kinds: Vec<ColumnKind>,
    /// The nodes with a function: conditions, classes and lets.
    functions: IndexMap<NodeId, Fn>,
    /// The roots of classes and lets.
    named: IndexSet<NodeId>,
    possible: IndexMap<NodeId, Fn>,
    /// The functions that judge 64 rows, by condition.
    words: IndexMap<NodeId, Fn>,
    /// The kernels, in the order of the table.
    pub kernels: IndexMap<Kernel, Fn>,
    /// The addresses of words that cache results during one question.
    pub notes: Vec<u32>,
}

impl<'a> Emitter<'a> {
    /// Returns a generator for the used part of a plan.
    pub fn new(
        plan: &'a Plan,
        used: &'a PluginParts,
        layout: &'a Layout,
        builder: &'a mut Builder,
        patterns: Vec<u32>,
    ) -> Emitter<'a> {
        let kinds = kinds::kinds(plan);
        let named = plan.definitions.iter().map(|definition| definition.root).collect();
        let (functions, possible) = (IndexMap::new(), IndexMap::new());
        let (words, kernels) = (IndexMap::new(), IndexMap::new());
        Emitter {
            plan,
            used,
            layout,
            builder,
            patterns,
            kinds,
            functions,
            named,
            possible,
            words,
            kernels,
            notes: Vec::new(),
        }
    }

    fn kind(&self, id: NodeId) -> ColumnKind {
        self.kinds[id.0 as usize]
    }

    fn has_function(&self, id: NodeId) -> bool {
        self.used.conditions.contains(&id) || self.named.contains(&id)
    }

    /// Returns the function of a node. For a condition it returns 0, 1 or a status; for any other node a
    /// status, with the value in [`VALUE`] and its kind in [`KIND`].
    pub fn function(&mut self, id: NodeId) -> Fn {
        if let Some(known) = self.functions.get(&id) {
            return *known;
        }
        // Registered before its body is generated.
        let function = self.builder.declare();
        self.functions.insert(id, function);
        let body = self.body(id);
        self.builder.define(function, body);
        function
    }

    fn frame() -> (FunctionBody, Frame) {
        let mut body = FunctionBody::new(&OF_ROWS.0, OF_ROWS.1);
        let (agent, pool, status) = (body.param(0), body.param(1), body.int());
        (body, Frame { agent, pool, status })
    }

    fn body(&mut self, id: NodeId) -> FunctionBody {
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

    /// Returns a function that returns 0, 1 or a status for any node. A value that is no condition has no
    /// verdict.
    pub fn verdict(&mut self, id: NodeId) -> Fn {
        let function = self.function(id);
        if self.kind(id) == CONDITION {
            return function;
        }
        let (mut body, frame) = Self::frame();
        let call = Ex::Call(function, vec![frame.agent.into(), frame.pool.into()]);
        // Kind 0 is boolean.
        let holds = KIND.get().choose(MISMATCH, VALUE.get().low());
        body.add([frame.status.set(call), St::Return(frame.status.get().choose(frame.status, holds))]);
        self.builder.function(body)
    }

    /// Returns the function of a preference: the score in millionths, or −1 if it is unknown.
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
        // Scores are clamped to 0…1.
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

    /// Returns a function of the value that a condition's subject is compared with. It returns a status, the
    /// value and its kind.
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

    /// Returns a function of the distance between two amounts. It returns a status and the value.
    pub fn distance(&mut self, sides: [NodeId; 2]) -> Fn {
        let (mut body, frame) = Self::frame();
        let (mut code, mut vals) = (Vec::new(), Vec::new());
        self.arguments(&mut body, &mut code, frame, &sides, &mut vals, &mut |_, _, out, vals| {
            let [left, right] = vals else { return };
            let (a, b) = (left.wide(), right.wide());
            // The difference as unsigned: it fits 64 bits even between extremes.
            let apart = a.clone().lt64_s(b.clone()).choose(b.clone().sub64(a.clone()), a.sub64(b));
            let amounts = left.tag().eq(right.tag()).and(left.tag().sub(NUMBER).lt(DURATION));
            out.extend([VALUE.set(apart), frame.status.set(amounts.choose(0, MISMATCH))]);
        });
        code.push(St::Return(frame.status.into()));
        body.add(code);
        self.builder.function(body)
    }

    /// Generates a node: a call if it has a function, else its code in place.
    fn node(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Val {
        // A constant is shorter than a call; a reference to a class or let calls the function of its root.
        if matches!(self.plan.node(id), Node::Constant(_) | Node::Named(_)) || !self.has_function(id) {
            return self.compute(body, out, frame, id);
        }
        self.call(body, out, frame, id)
    }

    fn call(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Val {
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

    /// Reserves locals for a value of a kind.
    fn target(&self, body: &mut FunctionBody, kind: ColumnKind) -> Val {
        let tag = (kind == ColumnKind::Mixed).then(|| body.int());
        let value = if kind == CONDITION { body.int() } else { body.long() };
        Val { kind, value: value.into(), tag, certain: false }
    }

    fn compute(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Val {
        let plan = self.plan;
        match plan.node(id) {
            Node::Constant(value) => self.constant(value),
            // `plugin` refuses plans with such a node.
            Node::External(_) => self.constant(&Value::Bool(false)),
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
        Val { kind: ColumnKind::Of(value.type_of()), value: ex, tag: None, certain: true }
    }

    fn slot(&self, column: ColumnId) -> u32 {
        self.layout.slots + slot::SIZE * self.used.column(column)
    }

    /// Returns the status of a key.
    fn state(&mut self, frame: Frame, column: ColumnId) -> Ex {
        let slot = self.slot(column);
        let row = match self.plan.column(column).side {
            Side::Agent => frame.agent,
            Side::Pool => frame.pool,
            _ => {
                // A fact of the question: its slot holds the kind plus 1, or 0.
                let given = Ex::from(slot).word(slot::KNOWN);
                let kind = kind_of(self.plan, column);
                if kind == ColumnKind::Mixed {
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

    fn read(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, column: ColumnId) -> Val {
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
            ColumnKind::Of(Type::Text | Type::Place | Type::Version) => {
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
        body: &mut FunctionBody,
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
        // Only absence takes the default. A mismatch stays unknown.
        out.push(when(frame.status.get().eq(ABSENT), instead));
        result
    }

    /// Generates Kleene's `and` (decided by false) or `or` (decided by true). `gap` keeps the status of the
    /// first part without a verdict; a part that decides overrides it and ends the evaluation.
    fn join(
        &mut self,
        body: &mut FunctionBody,
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

    /// Generates operands in order. The code of the next one, and of `then` at last, runs only if the one
    /// before has a value.
    fn arguments(
        &mut self,
        body: &mut FunctionBody,
        out: &mut Vec<St>,
        frame: Frame,
        rest: &[NodeId],
        vals: &mut Vec<Val>,
        then: &mut Then<'_, Self>,
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
}

/// Frees the locals of a value that is not used any more.
fn release(body: &mut FunctionBody, val: &Val) {
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

/// Returns a value in the width of a kind.
fn widened(val: &Val, kind: ColumnKind) -> Ex {
    if kind == CONDITION { condition(val) } else { val.wide() }
}

/// Returns a value as a condition.
fn condition(val: &Val) -> Ex {
    if val.kind == CONDITION { val.value.clone() } else { val.value.clone().low() }
}

/// Sets the status of a value that is no condition: it has no verdict.
fn expect_condition(out: &mut Vec<St>, frame: Frame, val: &Val) {
    match val.kind {
        CONDITION => {}
        _ => {
            let other = when(val.tag(), vec![frame.status.set(MISMATCH)]);
            out.push(when(frame.status.get().not(), vec![other]));
        }
    }
}

/// Returns code that tests if both are paths.
fn paths(a: &Val, b: &Val) -> Ex {
    let path = |val: &Val| match val.kind {
        ColumnKind::Mixed => val.tag().eq(TEXT).or(val.tag().eq(PLACE)),
        _ => Ex::Int(i32::from(val.is_path())),
    };
    path(a).and(path(b))
}
