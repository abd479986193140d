//! Queries over the nodes of a plan: equal nodes, operands, the terms of a conjunction, the keys that are
//! read.

use indexmap::{IndexMap, IndexSet};

use super::plan::{ColumnId, Node, NodeId, Plan};

impl Plan {
    /// Returns, for each node, the first node with the same expression, so that rules written alike are
    /// evaluated once.
    ///
    /// This is hash-consing in one pass. Operands precede their users, so a node is compared with its
    /// operands already replaced by their representatives, and equal trees become equal keys. The cost is
    /// linear in the size of the plan.
    pub fn canonical_nodes(&self) -> Vec<NodeId> {
        let mut first: Vec<NodeId> = Vec::with_capacity(self.nodes.len());
        let mut known: IndexMap<Node, NodeId> = IndexMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let own = |id: &NodeId| first[id.0 as usize];
            let all = |parts: &[NodeId]| parts.iter().map(own).collect();
            let same = match node {
                Node::Constant(_)
                | Node::Read(_)
                | Node::Named(_)
                | Node::IsAbsent(_)
                | Node::IsPresent(_)
                | Node::External(_) => node.clone(),
                Node::Not(inner) => Node::Not(own(inner)),
                Node::Negate(inner) => Node::Negate(own(inner)),
                Node::Matches(inner, pattern) => Node::Matches(own(inner), *pattern),
                Node::And(parts) => Node::And(all(parts)),
                Node::Or(parts) => Node::Or(all(parts)),
                Node::Call(function, parts) => Node::Call(*function, all(parts)),
                Node::Test(operator, left, right) => Node::Test(*operator, own(left), own(right)),
                Node::Arithmetic(operator, left, right) => Node::Arithmetic(*operator, own(left), own(right)),
                Node::Else(column, other) => Node::Else(*column, own(other)),
            };
            first.push(*known.entry(same).or_insert(NodeId(at as u32)));
        }
        first
    }

    /// Calls `visit` with the nodes that a node is computed from, those of a class or let it names included.
    pub fn operands(&self, node: &Node, visit: &mut dyn FnMut(NodeId)) {
        match node {
            Node::Constant(_) | Node::Read(_) | Node::IsAbsent(_) | Node::IsPresent(_) => {}
            Node::Named(definition) => visit(self.definition(*definition).root),
            Node::External(asked) => self.asked(*asked).conditions.iter().for_each(|id| visit(*id)),
            Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) | Node::Else(_, inner) => {
                visit(*inner)
            }
            Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => {
                parts.iter().for_each(|id| visit(*id))
            }
            Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => {
                visit(*left);
                visit(*right);
            }
        }
    }

    /// Removes the requirements and preferences of the broker, of agents and of tiers. Charges stay.
    pub fn clear_rules(&mut self) {
        self.broker.requires.clear();
        self.broker.prefers.clear();
        self.agent_rules.iter_mut().chain(&mut self.tier_rules).for_each(Vec::clear);
    }

    /// The terms of a conjunction as it stands, without those of the classes that it names. A reason names
    /// the term that failed.
    pub fn conjuncts(&self, root: NodeId) -> Vec<NodeId> {
        match self.node(root) {
            Node::And(parts) => parts.iter().flat_map(|part| self.conjuncts(*part)).collect(),
            _ => vec![root],
        }
    }

    /// The conditions that a rule or class joins with `and`, including those of the classes that it names and
    /// of plugins' rules. Each may be a reason.
    pub fn conditions(&self, root: NodeId) -> Vec<NodeId> {
        let terms = self.terms(root);
        if self.asked.is_empty() {
            return terms;
        }
        let mut found = Vec::with_capacity(terms.len());
        for id in terms {
            match self.node(id) {
                Node::External(asked) if !self.asked(*asked).conditions.is_empty() => {
                    found.extend(&self.asked(*asked).conditions);
                }
                _ => found.push(id),
            }
        }
        found
    }

    /// Like [`Plan::conditions`], but a plugin's rule stays whole: its value decides, and its conditions only
    /// explain it.
    pub fn terms(&self, root: NodeId) -> Vec<NodeId> {
        let mut open = vec![root];
        let mut found = Vec::new();
        while let Some(id) = open.pop() {
            match self.node(id) {
                // A stack: pushing in reverse keeps the order of the source.
                Node::And(parts) => open.extend(parts.iter().rev()),
                Node::Named(definition) => open.push(self.definition(*definition).root),
                _ => found.push(id),
            }
        }
        found
    }

    /// The key that a condition constrains, if it constrains a single one.
    pub fn subject(&self, node: NodeId) -> Option<ColumnId> {
        match self.node(node) {
            Node::Test(_, left, _) | Node::Matches(left, _) => match self.node(*left) {
                Node::Read(column) => Some(*column),
                _ => None,
            },
            Node::IsAbsent(column) | Node::IsPresent(column) => Some(*column),
            Node::External(asked) => self.asked(*asked).subject,
            _ => None,
        }
    }

    /// The columns that a node reads, through classes and lets, in order of first reading.
    pub fn reads(&self, root: NodeId) -> IndexSet<ColumnId> {
        let mut found = IndexSet::new();
        let mut seen: IndexSet<NodeId> = IndexSet::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match self.node(id) {
                Node::Constant(_) => {}
                Node::External(asked) => found.extend(&self.asked(*asked).reads),
                Node::Read(column) | Node::IsAbsent(column) | Node::IsPresent(column) => {
                    found.insert(*column);
                }
                Node::Else(column, other) => {
                    found.insert(*column);
                    open.push(*other);
                }
                Node::Named(definition) => open.push(self.definition(*definition).root),
                Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) => open.push(*inner),
                Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => open.extend(parts.iter().rev()),
                Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => open.extend([*right, *left]),
            }
        }
        found
    }
}
