//! The kinds of nodes, as far as they are known at build time.

use crate::{
    emit::manifest::{ColumnKind, kind_of},
    ir::{Node, NodeId, Plan},
    operator::{ArithmeticOp, Function},
    quantity::Dimension,
    types::Type,
};

use super::CONDITION;

/// Returns the kind of each node; `Mixed` if only the data decides. Nodes are in post-order, so operands come
/// first.
pub(super) fn kinds(plan: &Plan) -> Vec<ColumnKind> {
    let mut kinds: Vec<ColumnKind> = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let of = |id: &NodeId| kinds[id.0 as usize];
        let kind = match node {
            Node::Constant(value) => ColumnKind::Of(value.type_of()),
            Node::Read(column) => kind_of(plan, *column),
            Node::Named(definition) => of(&plan.definition(*definition).root),
            Node::Not(_)
            | Node::External(_)
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
                if own == of(other) { own } else { ColumnKind::Mixed }
            }
            Node::Call(Function::Closeness, _) => ColumnKind::Of(Type::NUMBER),
            Node::Call(Function::Min | Function::Max | Function::Abs | Function::Clamp, arguments) => {
                let first = arguments.first().map_or(ColumnKind::Mixed, of);
                if arguments.iter().all(|other| of(other) == first) { first } else { ColumnKind::Mixed }
            }
        };
        kinds.push(kind);
    }
    kinds
}

/// Returns the kind of an arithmetic operation; `Mixed` if its operands may not fit.
fn computed(op: ArithmeticOp, left: ColumnKind, right: ColumnKind) -> ColumnKind {
    let (ColumnKind::Of(Type::Quantity(a)), ColumnKind::Of(Type::Quantity(b))) = (left, right) else {
        return ColumnKind::Mixed;
    };
    let dimension = match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract if a == b => Some(a),
        ArithmeticOp::Multiply if a == Dimension::Number => Some(b),
        ArithmeticOp::Multiply if b == Dimension::Number => Some(a),
        ArithmeticOp::Divide if a == b => Some(Dimension::Number),
        ArithmeticOp::Divide if b == Dimension::Number => Some(a),
        ArithmeticOp::Add | ArithmeticOp::Subtract | ArithmeticOp::Multiply | ArithmeticOp::Divide => None,
    };
    dimension.map_or(ColumnKind::Mixed, |dimension| ColumnKind::Of(Type::Quantity(dimension)))
}
