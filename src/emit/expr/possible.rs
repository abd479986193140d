//! Code for the question which verdicts a condition could have at another moment. See `engine::possible` for
//! the definition.

use super::{CONDITION, Emitter, Frame};
use crate::{
    emit::asm::{Ex, Fn, FunctionBody, St},
    ir::{Node, NodeId},
};

impl Emitter<'_> {
    /// Returns a function whose result has bit 1 if the condition could be true, and bit 2 if it could be
    /// false, given other free and used amounts. Returns `None` if the condition does not depend on these.
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

    fn could_be(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Ex {
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
                // Swaps the two bits.
                let known = body.int();
                let inner = self.could_be(body, out, frame, *inner);
                out.push(known.set(inner));
                known.get().shr(1).or(known.get().and(1).shl(1))
            }
            Node::And(parts) | Node::Or(parts) => {
                // `and` can hold if all parts can, and can fail if one can. `or` is the reverse.
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

    fn leaf(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Ex {
        let reads = self.plan.reads(id);
        let varies = reads.iter().any(|column| self.plan.column(*column).key.is_varying());
        let truth = self.as_it_is(body, out, frame, id);
        // A leaf that depends on amounts may take either value, unless a key of it has no value at all.
        if !varies {
            return truth;
        }
        let gaps = reads.iter().map(|column| self.state(frame, *column)).reduce(|all, one| all.or(one));
        gaps.map_or(truth.clone(), |gaps| gaps.choose(truth, 3))
    }

    /// Returns the possible verdicts of a condition that does not vary: its present one.
    fn as_it_is(&mut self, body: &mut FunctionBody, out: &mut Vec<St>, frame: Frame, id: NodeId) -> Ex {
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
}
