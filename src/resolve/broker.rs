//! The operator's side: levels, exposure, rules, charges, roles.

use super::{
    Resolver,
    expr::{View, show_path, show_segments},
    hir::{Charge, Key, Role},
    literal::said_twice,
    once::Keys,
    scope::Kind,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::records::{Located, Raw},
    limits,
    parse::ast::{self, Block, BlockKind, Literal, Statement, StatementKind},
    quantity::{Dimension, MILLION},
    source::Span,
    types::Side,
    value::quote,
};

impl Resolver {
    /// `levels` of the broker blocks: before all else, since they name keys.
    pub(super) fn levels(&mut self, statements: &[&Statement]) {
        for statement in broker_statements(statements) {
            let StatementKind::Levels(names) = &statement.kind else { continue };
            if let Some(first) = self.scope.levels_span {
                let problem = said_twice("levels", statement.span, first);
                self.problem(problem);
                continue;
            }
            if names.len() > limits::LEVELS {
                let message = format!("{} levels; at most {} are held", names.len(), limits::LEVELS);
                self.problem(
                    Diagnostic::error(Code::B0308, statement.span, message).help("leave the innermost out"),
                );
                continue;
            }
            let mut levels: Vec<String> = Vec::new();
            for name in names {
                if levels.contains(&name.text) || crate::types::NO_LEVELS.contains(&name.text.as_str()) {
                    let message = format!("a level cannot be named `{}`", name.text);
                    let help = if levels.contains(&name.text) {
                        "each level stands once"
                    } else {
                        "that word is built in; choose another"
                    };
                    self.problem(Diagnostic::error(Code::B0211, name.span, message).help(help));
                    continue;
                }
                levels.push(name.text.clone());
            }
            self.scope.levels = levels;
            self.scope.levels_span = Some(statement.span);
        }
    }

    /// `expose` of the broker blocks: before needs, which may use them.
    pub(super) fn exposures(&mut self, statements: &[&Statement]) {
        for statement in broker_statements(statements) {
            let StatementKind::Expose(path) = &statement.kind else { continue };
            let side = Side::from_name(&path.segments[0].text);
            if !matches!(side, Some(Side::Agent | Side::Pool)) {
                let message = format!("`{}` cannot be exposed", show_path(path));
                let help = "keys of agents and pools can: `expose agent.KEY`, `expose pool.KEY`";
                self.problem(Diagnostic::error(Code::B0215, path.span, message).help(help));
                continue;
            }
            let Some(read) = self.key(View::Rules, path) else { continue };
            if !matches!(read.key, Key::Attribute(_) | Key::Provider | Key::Instance) {
                let message = format!("`{}` need not be exposed", show_path(path));
                let help = "names, places and amounts are in the coarse vocabulary already, or never";
                self.problem(Diagnostic::error(Code::B0208, path.span, message).help(help));
                continue;
            }
            if let Some((_, first)) = self.hir.broker.exposed.iter().find(|known| known.0 == read) {
                let problem = said_twice(&show_path(path), statement.span, *first);
                self.problem(problem);
                continue;
            }
            self.scope.exposed.push(read.clone());
            self.hir.broker.exposed.push((read, statement.span));
        }
    }

    pub(super) fn broker(&mut self, block: &Block) {
        let Some(name) = self.required_name(block, "broker") else { return };
        if !self.declare(Kind::Broker, &name) {
            return;
        }
        self.hir.broker.name.get_or_insert(name);
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Levels(_) | StatementKind::Expose(_) => {}
                StatementKind::Assign(assign) => self.broker_key(assign, statement.span),
                StatementKind::Require(rule) | StatementKind::Prefer(rule) => {
                    let required = matches!(statement.kind, StatementKind::Require(_));
                    let rule = self.rule(rule, required, statement, View::Rules);
                    self.hir.broker.rules.extend(rule);
                }
                StatementKind::Charge(charge) => self.charge(charge, statement.span),
                StatementKind::LendReserved => self.not_yet(statement.span, "`lend reserved`", "leave it out"),
                StatementKind::Block(Block { kind: BlockKind::Keys(path), body, .. }) => {
                    let mut keys = std::mem::take(&mut self.broker_keys);
                    self.plain_keys(&show_path(path), body, &mut keys);
                    self.broker_keys = keys;
                }
                StatementKind::PreferPlace { .. } | StatementKind::Place(_) => self.misplaced(
                    statement,
                    "`broker`",
                    "places are a need's; the operator writes a rule: `require agent.domain within \"us-west\"`",
                ),
                _ => self.misplaced(
                    statement,
                    "`broker`",
                    "it holds `domain`, `levels`, `expose`, `require`, `prefer`, `charge` and keys",
                ),
            }
        }
    }

    fn broker_key(&mut self, assign: &ast::Assign, span: Span) {
        let key = show_path(&assign.key);
        self.no_options(assign);
        match key.as_str() {
            "domain" => {
                let domain = self.place_text(&assign.value);
                match (&self.hir.records.broker.domain, domain) {
                    (Some(first), Some(_)) => {
                        let problem = said_twice("domain", span, first.span);
                        self.problem(problem);
                    }
                    (None, domain) => self.hir.records.broker.domain = domain,
                    (Some(_), None) => {}
                }
            }
            "overlap" => match self.literal(&assign.value) {
                Some(Literal::Percent(part)) if part.amount == 0 => {}
                Some(_) => {
                    self.not_yet(span, "`overlap` other than `0%`", "leave it out: offers are disjoint")
                }
                None => {}
            },
            _ => {
                if self.is_built_in(Side::Broker, &key, assign.key.span) {
                    return;
                }
                let mut keys = std::mem::take(&mut self.broker_keys);
                self.add_key(&mut keys, key, assign, span);
                self.broker_keys = keys;
            }
        }
    }

    fn charge(&mut self, charge: &ast::Charge, span: Span) {
        let amount = self.expr(View::Rules, &charge.amount);
        match charge.target.segments.as_slice() {
            [side, resource @ ..] if side.text == "agent" && !resource.is_empty() => {
                let resource = show_segments(resource);
                if let Some(amount) = amount {
                    self.hir.broker.charges.push(Charge { resource, amount, per: charge.per, span });
                }
            }
            _ => {
                let message = format!("`{}` cannot be charged", show_path(&charge.target));
                let help = "a charge takes from the agent: `charge agent.mounts 1 per volume`";
                self.problem(Diagnostic::error(Code::B0403, charge.target.span, message).help(help));
            }
        }
    }

    pub(super) fn role(&mut self, block: &Block, docs: &[String]) {
        let Some(name) = self.required_name(block, "role") else { return };
        if !self.is_role(&name) {
            return;
        }
        if !self.declare(Kind::Role, &name) {
            return;
        }
        let mut keys = Keys::default();
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    let key = show_path(&assign.key);
                    if self.is_built_in(Side::Role, &key, assign.key.span) {
                        continue;
                    }
                    if key == "principals" {
                        self.not_yet(statement.span, "a role with `principals`", "leave it out");
                    } else if key == "weight" && !self.weight_of_one(assign, statement.span) {
                        continue;
                    }
                    self.add_key(&mut keys, key, assign, statement.span);
                }
                StatementKind::Block(Block { kind: BlockKind::Limit, head, .. }) => {
                    self.not_yet(*head, "a `limit` of a role", "leave it out");
                }
                StatementKind::Block(Block { kind: BlockKind::Keys(path), body, .. }) => {
                    self.plain_keys(&show_path(path), body, &mut keys);
                }
                _ => self.misplaced(
                    statement,
                    "`role`",
                    "it holds `weight`, `limit { … }`, `principals` and keys",
                ),
            }
        }
        keys.records.retain(|key| !(key.key == "weight" && matches!(key.value, Raw::Quantity(_))));
        self.hir.roles.push(Role { name, weight: MILLION, keys: keys.records, docs: docs.to_vec() });
    }

    /// Whether a text is a role's path; if not, that is said.
    pub(super) fn is_role(&mut self, name: &Located) -> bool {
        let valid = valid_role(&name.text);
        if !valid {
            let message = format!("`{}` is not the path of a role", quote(&name.text));
            let help = "a role is `\"*\"`, or names with `/` between: `\"eng/ads\"`";
            self.problem(Diagnostic::error(Code::B0209, name.span, message).help(help));
        }
        valid
    }

    /// Weights above 0 are right, and all but 1 wait for the shares.
    fn weight_of_one(&mut self, assign: &ast::Assign, span: Span) -> bool {
        match self.literal(&assign.value) {
            Some(Literal::Quantity(weight)) if weight.dimension == Dimension::Number && weight.amount > 0 => {
                if weight.amount != MILLION {
                    self.not_yet(
                        span,
                        "a role's `weight` other than 1",
                        "leave it out: every role has weight 1",
                    );
                }
                true
            }
            Some(_) => {
                let message = "the weight of a role is a number above 0";
                self.problem(
                    Diagnostic::error(Code::B0308, assign.value.span, message).help("write `weight = 1`"),
                );
                false
            }
            None => false,
        }
    }
}

/// Whether a text is `*` or a path of role names.
pub fn valid_role(text: &str) -> bool {
    text == "*"
        || !text.is_empty()
            && text.split('/').all(|part| !part.is_empty() && part != "*" && part != "." && part != "..")
}

fn broker_statements<'a>(statements: &'a [&'a Statement]) -> impl Iterator<Item = &'a Statement> {
    statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            StatementKind::Block(block) if block.kind == BlockKind::Broker => Some(&block.body.statements),
            _ => None,
        })
        .flatten()
}
