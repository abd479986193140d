//! Renders nodes as text of the language, for reasons, explanations and the printed plan.

use std::fmt::{self, Write as _};

use super::{Column, ColumnId, Key, Node, NodeId, PlaceKey, Plan, Rule};
use crate::{keys::BuiltIn, value::quote};

/// Renders parts of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Show<'a> {
    plan: &'a Plan,
}

/// The binding strength of an operator. An operand that binds less tightly is put in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Not,
    Test,
    Sum,
    Product,
    Unary,
    Atom,
}

impl<'a> Show<'a> {
    /// A renderer for a plan.
    pub fn new(plan: &'a Plan) -> Self {
        Show { plan }
    }

    /// A column, with its side: `agent.vlan`.
    pub fn column(self, id: ColumnId) -> String {
        let Column { side, .. } = self.plan.column(id);
        format!("{side}.{}", self.key(id))
    }

    /// A column, without its side: `vlan`.
    pub fn key(self, id: ColumnId) -> String {
        let text = |symbol| self.plan.symbols.text(symbol);
        match self.plan.column(id).key {
            Key::Attribute(key) => text(key).to_owned(),
            Key::Name => BuiltIn::Name.text().to_owned(),
            Key::Domain => BuiltIn::Domain.text().to_owned(),
            Key::Level(depth) => self.level(depth).to_owned(),
            Key::Total(resource) => BuiltIn::Total.of(text(resource)),
            Key::Free(resource) => BuiltIn::Free.of(text(resource)),
            Key::Used(resource) => BuiltIn::Used.of(text(resource)),
            Key::Provider => BuiltIn::Provider.text().to_owned(),
            Key::Instance => BuiltIn::Instance.text().to_owned(),
        }
    }

    /// A level's name.
    pub fn level(self, depth: u8) -> &'a str {
        self.plan.levels.get(usize::from(depth)).map_or("?", |level| self.plan.symbols.text(*level))
    }

    /// An expression.
    pub fn node(self, id: NodeId) -> String {
        self.at(id, Tightness::Or)
    }

    /// The demand of a two-sided condition on its left side, such as `>= 2` or `has "rexray"`. Other
    /// conditions are rendered whole.
    pub fn want(self, id: NodeId) -> String {
        match self.plan.node(id) {
            Node::Test(op, _, right) => format!("{} {}", op.text(), self.at(*right, Tightness::Sum)),
            Node::Matches(_, pattern) => format!("matches {}", self.pattern(*pattern)),
            Node::IsAbsent(_) => "is absent".to_owned(),
            Node::IsPresent(_) => "is present".to_owned(),
            Node::External(asked) => self.plan.asked(*asked).want.clone(),
            _ => self.node(id),
        }
    }

    fn pattern(self, id: u32) -> String {
        quote(self.plan.patterns.get(id as usize).map_or("", |pattern| &pattern.text))
    }

    fn at(self, id: NodeId, outer: Tightness) -> String {
        let (tightness, text) = self.parts(id);
        if tightness < outer { format!("({text})") } else { text }
    }

    fn parts(self, id: NodeId) -> (Tightness, String) {
        match self.plan.node(id) {
            Node::Constant(value) => (Tightness::Atom, value.show(&self.plan.symbols)),
            Node::Read(column) => (Tightness::Atom, self.column(*column)),
            Node::Named(definition) => {
                let definition = self.plan.definition(*definition);
                match definition.class_of {
                    Some(side) => (Tightness::Test, format!("{side} is {}", definition.name)),
                    None => (Tightness::Atom, definition.name.clone()),
                }
            }
            Node::Not(inner) => (Tightness::Not, format!("not {}", self.at(*inner, Tightness::Not))),
            Node::And(parts) => (Tightness::And, self.joined(parts, " and ", Tightness::Not)),
            Node::Or(parts) => (Tightness::Or, self.joined(parts, " or ", Tightness::And)),
            Node::Test(op, left, right) => {
                let (left, right) = (self.at(*left, Tightness::Sum), self.at(*right, Tightness::Sum));
                (Tightness::Test, format!("{left} {} {right}", op.text()))
            }
            Node::Matches(subject, pattern) => (
                Tightness::Test,
                format!("{} matches {}", self.at(*subject, Tightness::Sum), self.pattern(*pattern)),
            ),
            Node::IsAbsent(column) => (Tightness::Test, format!("{} is absent", self.column(*column))),
            Node::IsPresent(column) => (Tightness::Test, format!("{} is present", self.column(*column))),
            Node::Arithmetic(op, left, right) => {
                use crate::operator::ArithmeticOp::{Add, Divide, Multiply, Subtract};
                let (own, inner) = match op {
                    Add | Subtract => (Tightness::Sum, Tightness::Product),
                    Multiply | Divide => (Tightness::Product, Tightness::Unary),
                };
                // Operators associate to the left: `a - b - c` needs no brackets, and `a - (b - c)` does.
                (own, format!("{} {} {}", self.at(*left, own), op.text(), self.at(*right, inner)))
            }
            Node::External(asked) => (Tightness::Atom, self.plan.asked(*asked).text.clone()),
            Node::Negate(inner) => (Tightness::Unary, format!("-{}", self.at(*inner, Tightness::Unary))),
            Node::Else(column, other) => (
                Tightness::Unary,
                format!("{} else {}", self.column(*column), self.at(*other, Tightness::Atom)),
            ),
            Node::Call(function, arguments) => (
                Tightness::Atom,
                format!("{}({})", function.name(), self.joined(arguments, ", ", Tightness::Or)),
            ),
        }
    }

    fn joined(self, parts: &[NodeId], between: &str, inner: Tightness) -> String {
        parts.iter().map(|part| self.at(*part, inner)).collect::<Vec<_>>().join(between)
    }

    /// The key of a place, as a need writes it.
    pub fn place_key(self, key: PlaceKey) -> String {
        match key {
            PlaceKey::Level(depth) => self.level(depth).to_owned(),
            PlaceKey::Agent => "agent".to_owned(),
            PlaceKey::Pool => "pool".to_owned(),
            PlaceKey::Instance => BuiltIn::Instance.text().to_owned(),
            PlaceKey::Provider => BuiltIn::Provider.text().to_owned(),
            PlaceKey::Key(column) => self.key(column),
        }
    }

    /// A rule, in the form in which a policy would state it.
    pub fn rule(self, rule: &Rule) -> String {
        let word = if rule.strength.is_preferred() { "prefer" } else { "require" };
        let label = if rule.labelled { format!(" {}:", rule.label) } else { String::new() };
        let weight = rule.strength.weight().map_or(String::new(), |weight| {
            format!(
                " weight {}",
                crate::quantity::decimal(i128::from(weight), i128::from(crate::quantity::MILLION))
            )
        });
        format!("{word}{label} {}{weight}", self.node(rule.root))
    }
}

impl fmt::Display for Plan {
    /// The plan as text: definitions, the operator's rules, and each need.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = Show::new(self);
        let mut out = format!("plan version {}\n", super::PLAN_VERSION);
        for definition in &self.definitions {
            let kind = definition.class_of.map_or("let".to_owned(), |side| format!("class for {side}"));
            writeln!(out, "{kind} {} = {}", definition.name, show.node(definition.root))?;
        }
        for rule in self.broker.requires.iter().chain(&self.broker.prefers) {
            writeln!(out, "{}", show.rule(rule))?;
        }
        for charge in &self.broker.charges {
            let per = if charge.per == super::ChargePer::Volume { "volume" } else { "need" };
            writeln!(
                out,
                "charge agent.{} {} per {per}",
                self.symbols.text(charge.resource),
                show.node(charge.root)
            )?;
        }
        for framework in &self.frameworks {
            for need in &framework.needs {
                let (framework, name) = (self.symbols.text(framework.name), self.symbols.text(need.name));
                writeln!(out, "need {framework}.{name} × {}", need.count)?;
            }
        }
        f.write_str(&out)
    }
}
