//! Collects the names that the tests of a set use, and the needs that they expect to be unmet.
//!
//! `unused` does not warn of a name that a test uses. `needs` and `fleet` do not warn that a need cannot be
//! served if a test expects just that. Tests are read as syntax, so a name counts wherever it is written: the
//! collection is larger than what is really used, and a warning is rather missed than wrong.

use std::collections::BTreeSet;

use crate::{
    parse::ast::{
        Block, DottedName, Expect, ExpectedOutcome, Expr, ExprKind, Literal, Place, Statement, StatementKind,
        Use,
    },
    resolve::hir::Hir,
};

/// The names and expectations of tests.
#[derive(Clone, Debug, Default)]
pub struct TestNames {
    /// Every path (and each start of it), name and text that a test writes.
    words: BTreeSet<String>,
    /// The needs that a test expects not to be met in full, as written: `NEED` or `FRAMEWORK.NEED`.
    unmet: BTreeSet<String>,
}

impl TestNames {
    /// Collects from all tests of a set.
    pub fn of(hir: &Hir) -> TestNames {
        let mut names = TestNames::default();
        hir.tests.iter().flat_map(|test| &test.statements).for_each(|statement| names.statement(statement));
        names
    }

    /// Returns `true` if a test uses a name.
    pub fn names(&self, name: &str) -> bool {
        self.words.contains(name)
    }

    /// Returns `true` if a test expects that a need is not met, or not in full.
    pub fn expects_unmet(&self, framework: &str, need: &str) -> bool {
        self.unmet.contains(need) || self.unmet.contains(&format!("{framework}.{need}"))
    }

    fn path(&mut self, path: &DottedName) {
        let texts: Vec<&str> = path.segments.iter().map(|segment| segment.text.as_str()).collect();
        for end in 1..=texts.len() {
            self.words.insert(texts[..end].join("."));
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Block(block) => self.block(block),
            StatementKind::Let(_, expr) | StatementKind::Condition(expr) => self.expr(expr),
            StatementKind::Require(rule) | StatementKind::Prefer(rule) => self.expr(&rule.expr),
            StatementKind::Assign(assign) => {
                self.path(&assign.key);
                self.expr(&assign.value);
            }
            StatementKind::Charge(charge) => self.expr(&charge.amount),
            StatementKind::Expose(path) | StatementKind::Field(path, _) => self.path(path),
            StatementKind::Place(place) => match place {
                Place::Near { target, .. } | Place::Apart { target, .. } => self.path(target),
                Place::Within(_)
                | Place::Outside(_)
                | Place::AtMost { .. }
                | Place::Spread { .. }
                | Place::Together { .. } => {}
            },
            StatementKind::Use(Use::Module { path, .. }) => self.path(path),
            StatementKind::Expect(expect) => self.expect(expect),
            _ => {}
        }
    }

    fn block(&mut self, block: &Block) {
        if let Some(name) = &block.name {
            self.words.insert(name.text.clone());
        }
        block.body.statements.iter().for_each(|statement| self.statement(statement));
    }

    fn expect(&mut self, expect: &Expect) {
        match expect {
            Expect::Outcome(need, outcome) => {
                self.path(need);
                if *outcome != ExpectedOutcome::Met {
                    let texts: Vec<&str> =
                        need.segments.iter().map(|segment| segment.text.as_str()).collect();
                    self.unmet.insert(texts.join("."));
                }
            }
            Expect::On { need, agent, because, .. } => {
                self.path(need);
                self.words.insert(agent.text.clone());
                self.words.extend(because.iter().map(|label| label.text.clone()));
            }
            Expect::From { volume, because, .. } => {
                self.path(volume);
                self.words.extend(because.iter().map(|label| label.text.clone()));
            }
            Expect::Share { role, .. } => {
                self.words.insert(role.text.clone());
            }
            Expect::Free { .. } | Expect::Snapshot => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path(path) | ExprKind::IsAbsent(path) | ExprKind::IsPresent(path) => self.path(path),
            ExprKind::Is(subject, class) => {
                subject.iter().for_each(|subject| self.path(subject));
                self.path(&class.path);
            }
            ExprKind::Literal(Literal::Text(text)) => {
                self.words.insert(text.clone());
            }
            ExprKind::Literal(_) => {}
            ExprKind::Not(inner) | ExprKind::Negate(inner) | ExprKind::Matches(inner, _) => self.expr(inner),
            ExprKind::Else(path, inner) => {
                self.path(path);
                self.expr(inner);
            }
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => {
                parts.iter().for_each(|part| self.expr(part));
            }
            ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
        }
    }
}
