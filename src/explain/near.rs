//! How near a failing condition is to holding.

use crate::{
    engine::Scene,
    ir::{Amount, Node, NodeId},
    matching::Failure,
    operator::TestOp,
    value::Value,
};

/// The distance from holding, in base units, where there is an order to measure it in.
pub(super) fn distance(scene: &Scene<'_>, failure: &Failure<'_>) -> Option<u128> {
    match failure {
        Failure::Rule(_, node) | Failure::Class(_, _, node) | Failure::Condition(_, _, node) => {
            between(scene, *node)
        }
        Failure::Amount(shortage) => {
            let asked = match (&shortage.want, shortage.takes) {
                (_, Some(takes)) => i128::from(takes),
                (Amount::Scalar(dimension, low, _), None) if *dimension == shortage.dimension => {
                    i128::from(*low) + i128::from(shortage.charged)
                }
                _ => return None,
            };
            let most = shortage.above.map_or(shortage.have?, i128::from);
            Some((asked - most).max(0).unsigned_abs())
        }
        _ => None,
    }
}

/// Between the two sides of a comparison by order.
fn between(scene: &Scene<'_>, node: NodeId) -> Option<u128> {
    let (op, left, right) = match scene.plan.node(node) {
        Node::Test(op, left, right) => (op, left, right),
        Node::Asked(asked) => {
            let outcome = scene.filters?.outcome(scene, scene.plan.asked(*asked))?;
            return outcome.distance.map(u128::from);
        }
        _ => return None,
    };
    if matches!(op, TestOp::Equal | TestOp::NotEqual) {
        return None;
    }
    match (scene.value(*left).ok()?, scene.value(*right).ok()?) {
        (Value::Quantity(a, left), Value::Quantity(b, right)) if a == b => {
            Some(i128::from(left).abs_diff(i128::from(right)))
        }
        _ => None,
    }
}
