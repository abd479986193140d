//! What a condition could be at another moment, as code: see `engine::possible`.

use super::{CONDITION, Emitter, Frame};
use crate::{
    emit::asm::{Body, Ex, Fn, St},
    ir::{Node, NodeId},
};

impl Emitter<'_> {
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
}
