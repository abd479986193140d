//! Computations to the last digit: `explain` tells what a condition's subject is compared with.

use bourse::{
    emit,
    engine::{self, Gap, Keys},
    ir::{Column, ColumnId, Key, Node, NodeId, Plan, Rule, SideSet, op},
    operator::{ArithmeticOp, Function, TestOp},
    quantity::{Dimension, MILLION},
    source::Span,
    symbol::Symbols,
    types::{Side, Type},
    value::Value,
};

use super::host::{Candidate, Cell, Numbering, Running, Snapshot, Table};
use crate::properties::Numbers;

struct Row<'a>(&'a Plan, &'a [Value]);

impl Keys for Row<'_> {
    fn plan(&self) -> &Plan {
        self.0
    }

    fn symbols(&self) -> &Symbols {
        &self.0.symbols
    }

    fn read(&self, id: ColumnId) -> Result<Value, Gap> {
        Ok(self.1[id.0 as usize].clone())
    }
}

/// Amounts whose products and quotients lie on, beside and far from the half.
fn amount(n: &mut Numbers) -> i64 {
    let some = [
        0,
        1,
        2,
        3,
        5,
        7,
        500_000,
        1_500_000,
        2_500_000,
        250_000,
        2 * MILLION,
        4 * MILLION,
        8 * MILLION,
        333_333,
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
        i64::MAX / 2,
        i64::MAX / MILLION,
        1 << 31,
        1 << 32,
        1 << 53,
        1 << 62,
        9_007_199_254_740_993,
        4_294_967_297,
    ];
    let amount = match n.below(3) {
        0 | 1 => some[n.below(some.len() as u64) as usize],
        _ => (n.next() >> n.below(63)) as i64,
    };
    if n.chance(40) { amount.wrapping_neg() } else { amount }
}

const KINDS: [Option<Type>; 7] = [
    Some(Type::NUMBER),
    Some(Type::NUMBER),
    Some(Type::Quantity(Dimension::Size)),
    Some(Type::Quantity(Dimension::Size)),
    Some(Type::Quantity(Dimension::Duration)),
    None,
    None,
];

fn push(plan: &mut Plan, node: Node) -> NodeId {
    plan.nodes.push(node);
    plan.spans.push(Span::default());
    NodeId(plan.nodes.len() as u32 - 1)
}

fn plan() -> (Plan, Vec<NodeId>) {
    let mut plan = Plan::default();
    for (at, kind) in KINDS.into_iter().enumerate() {
        let key = Key::Attribute(plan.symbols.intern(&format!("k{at}")));
        plan.columns.insert(Column { side: Side::Agent, key });
        plan.column_types.push(kind);
    }
    let reads: Vec<NodeId> =
        (0..KINDS.len() as u32).map(|at| push(&mut plan, Node::Read(ColumnId(at)))).collect();
    let mut computed = Vec::new();
    for op in [ArithmeticOp::Add, ArithmeticOp::Subtract, ArithmeticOp::Multiply, ArithmeticOp::Divide] {
        for (a, b) in [(0, 1), (2, 3), (2, 0), (0, 2), (4, 1), (5, 6), (5, 0), (2, 5), (2, 4)] {
            computed.push(push(&mut plan, Node::Arithmetic(op, reads[a], reads[b])));
        }
    }
    for a in [0, 2, 5] {
        computed.push(push(&mut plan, Node::Negate(reads[a])));
        computed.push(push(&mut plan, Node::Call(Function::Abs, [reads[a]].into())));
    }
    for parts in [[0, 1, 0], [2, 3, 2], [5, 6, 0], [2, 2, 3]] {
        for function in [Function::Min, Function::Max, Function::Clamp] {
            computed.push(push(&mut plan, Node::Call(function, parts.map(|at| reads[at]).into())));
        }
    }
    for node in &computed {
        let root = push(&mut plan, Node::Test(TestOp::Equal, reads[0], *node));
        plan.broker.requires.push(Rule {
            label: String::new(),
            labelled: false,
            strength: bourse::ir::Strength::Require,
            root,
            sides: SideSet::default().with(Side::Agent),
            span: Span::default(),
            docs: Vec::new(),
        });
    }
    (plan, computed)
}

#[test]
fn computations_agree_to_the_last_digit() {
    let (plan, computed) = plan();
    let plugin = emit::plugin(&plan, &emit::Owners::default(), "computed").expect("a plugin");
    let mut running = Running::new(&plugin.bytes);
    let mut n = Numbers(7);
    let rows: Vec<Vec<Value>> = (0..400)
        .map(|_| {
            let value = |kind: Option<Type>, n: &mut Numbers| match kind
                .unwrap_or(Type::ALL[1 + n.below(3) as usize])
            {
                Type::Quantity(dimension) => Value::Quantity(dimension, amount(n)),
                other => panic!("{other}"),
            };
            KINDS.iter().map(|kind| value(*kind, &mut n)).collect()
        })
        .collect();
    let mut numbering = Numbering::new(plan.symbols.clone());
    let column = |numbering: &mut Numbering, (at, column): (usize, &emit::ManifestColumn)| {
        let emit::KeyName::Attribute(key) = &column.key else { panic!("a key") };
        let own: usize = key[1..].parse().expect("a number");
        let cells: Vec<Cell> = rows.iter().map(|row| Cell::Value(row[own].clone())).collect();
        numbering.column(at as u32, column.kind, &cells)
    };
    let columns = plugin.manifest.columns.iter().enumerate();
    let columns = columns.map(|one| column(&mut numbering, one)).collect();
    let symbols = numbering.table(0);
    let agents = Table { rows: rows.len() as u32, columns };
    let pools = Table { rows: 0, columns: Vec::new() };
    let (literals, versions, version_literals) = (Vec::new(), Vec::new(), Vec::new());
    running
        .load(&Snapshot { symbols, literals, versions, version_literals, agents, pools })
        .expect("takes it");
    let (mut values, mut overflows, mut ties) = (0, 0, 0);
    for (at, row) in rows.iter().enumerate() {
        let conditions = (0..computed.len() as u32).collect();
        let asked = Candidate { facts: Vec::new(), conditions, agent: Some(at as u32), pool: None };
        for (node, outcome) in computed.iter().zip(running.explain(&asked)) {
            let native = engine::value(&Row(&plan, row), *node);
            let shown = format!("{:?} of {row:?}", plan.node(*node));
            let expected = native.as_ref().ok().map(|value| numbering.given(value));
            assert_eq!(format!("{:?}", outcome.operand), format!("{expected:?}"), "{shown}");
            let fault = matches!(native, Err(Gap::Fault(_, fault)) if fault != op::OpFault::Mismatch);
            assert_eq!(outcome.fault.is_some(), fault, "{shown}");
            values += u64::from(native.is_ok());
            overflows += u64::from(fault);
            ties += u64::from(is_tie(&plan, *node, row));
        }
    }
    println!("{values} values, {overflows} without one, {ties} halves");
    assert!(values > 8_000 && overflows > 500 && ties > 100);
}

/// Whether a product or quotient lies on a half, where half up and half to even may differ.
fn is_tie(plan: &Plan, node: NodeId, row: &[Value]) -> bool {
    let Node::Arithmetic(op, a, b) = plan.node(node) else { return false };
    let amount = |node: &NodeId| match plan.node(*node) {
        Node::Read(column) => match row[column.0 as usize] {
            Value::Quantity(_, amount) => i128::from(amount),
            _ => 0,
        },
        _ => 0,
    };
    let (a, b, one) = (amount(a), amount(b), i128::from(MILLION));
    let (top, bottom) = match op {
        ArithmeticOp::Multiply => (a * b, one),
        ArithmeticOp::Divide => (a * one, b),
        _ => return false,
    };
    bottom != 0 && 2 * (top % bottom).abs() == bottom.abs()
}
