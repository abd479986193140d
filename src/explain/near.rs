//! The distance of a failing condition from passing.

use crate::{
    engine::Scene,
    ir::{Amount, Node, NodeId},
    matching::Failure,
    operator::TestOp,
    value::Value,
};

/// Returns the distance from passing in base units, if the values have an order.
pub(super) fn distance(scene: &Scene<'_>, failure: &Failure<'_>) -> Option<u128> {
    if let Some(node) = failure.node() {
        return between(scene, node);
    }
    let shortage = failure.shortage()?;
    let asked = match (&shortage.want, shortage.takes) {
        (_, Some(takes)) => i128::from(takes),
        (Amount::Scalar(dimension, low, _), None) if *dimension == shortage.dimension => {
            i128::from(*low) + i128::from(shortage.charged)
        }
        _ => return None,
    };
    // A request above `max` is measured against the maximum, not against the free amount.
    let most = shortage.above.map_or(shortage.have?, i128::from);
    Some((asked - most).max(0).unsigned_abs())
}

/// Returns the distance between the two sides of a comparison by order.
fn between(scene: &Scene<'_>, node: NodeId) -> Option<u128> {
    let (op, left, right) = match scene.plan.node(node) {
        Node::Test(op, left, right) => (op, left, right),
        Node::External(asked) => {
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
