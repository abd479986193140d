//! The operator's side: levels, exposed keys, rules, charges and roles.

use super::{
    Resolver,
    expr::{ExprContext, show_path, show_segments},
    hir::{Charge, Key, Limit, Role},
    literal::said_twice,
    once::{FirstSpans, HolderKeys},
    scope::NameKind,
};
use crate::{
    diagnostic::{Code, Diagnostic, no_role},
    inventory::records::Located,
    keys::{self, BuiltIn},
    limits,
    parse::ast::{self, Block, BlockKind, Literal, Statement, StatementKind},
    quantity::{Dimension, MILLION, Overlap},
    source::Span,
    types::Side,
};

impl Resolver {
    /// Binds `levels`. It comes before everything else, since levels are names of keys.
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
                if levels.contains(&name.text) || keys::is_no_level(&name.text) {
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

    /// Binds `expose`. It comes before needs, which may read exposed keys.
    pub(super) fn exposures(&mut self, statements: &[&Statement]) {
        for statement in broker_statements(statements) {
            let StatementKind::Expose(path) = &statement.kind else { continue };
            if let [word] = path.segments.as_slice()
                && matches!(word.text.as_str(), "counts" | "scores")
            {
                self.tells(&word.text, statement.span);
                continue;
            }
            // `expose counts` and `expose scores` are handled above; everything else is a key of a side.
            let side = Side::from_name(&path.segments[0].text);
            if !matches!(side, Some(Side::Agent | Side::Pool)) {
                let message = format!("`{}` cannot be exposed", show_path(path));
                let help = "keys of agents and pools can, and what is told of reasons and offers: `expose agent.KEY`, `expose pool.KEY`, `expose counts`, `expose scores`";
                self.problem(Diagnostic::error(Code::B0215, path.span, message).help(help));
                continue;
            }
            let Some(read) = self.key(ExprContext::Rules, path) else { continue };
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

    /// Handles `expose counts` and `expose scores`.
    fn tells(&mut self, word: &str, span: Span) {
        let broker = &mut self.hir.broker;
        let stated = if word == "counts" { &mut broker.counts } else { &mut broker.scores };
        match *stated {
            Some(first) => {
                let problem = said_twice(&format!("expose {word}"), span, first);
                self.problem(problem);
            }
            None => *stated = Some(span),
        }
    }

    pub(super) fn broker(&mut self, block: &Block) {
        let Some(name) = self.required_name(block, "broker") else { return };
        if !self.declare(NameKind::Broker, &name) {
            return;
        }
        self.hir.broker.name.get_or_insert(name);
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Levels(_) | StatementKind::Expose(_) => {}
                StatementKind::Assign(assign) => self.broker_key(assign, statement.span),
                StatementKind::Require(rule) | StatementKind::Prefer(rule) => {
                    let required = matches!(statement.kind, StatementKind::Require(_));
                    let rule = self.rule(rule, required, statement, ExprContext::Rules);
                    self.hir.broker.rules.extend(rule);
                }
                StatementKind::Charge(charge) => self.charge(charge, statement.span),
                StatementKind::LendReserved => match self.hir.broker.lends {
                    Some(first) => {
                        let problem = said_twice("lend reserved", statement.span, first);
                        self.problem(problem);
                    }
                    None => self.hir.broker.lends = Some(statement.span),
                },
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
                    "it holds `domain`, `levels`, `expose`, `require`, `prefer`, `charge`, `lend reserved`, `overlap` and keys",
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
            "overlap" => self.overlap(assign, span),
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

    fn overlap(&mut self, assign: &ast::Assign, span: Span) {
        let overlap = match self.literal(&assign.value) {
            Some(Literal::Unlimited) => Some(Overlap::Unlimited),
            Some(Literal::Percent(part)) if (0..=MOST_OVERLAP).contains(&part.amount) => {
                Some(Overlap::Part(part.amount))
            }
            Some(_) => {
                let message = "by how much offers may overlap is from `0%` to `100_000%`, or `unlimited`";
                let help = "`overlap = 0%` makes offers disjoint; `overlap = 50%` promises half as much again as is free";
                self.problem(Diagnostic::error(Code::B0308, assign.value.span, message).help(help));
                None
            }
            None => None,
        };
        match (self.hir.broker.overlap, overlap) {
            (Some((_, first)), Some(_)) => {
                let problem = said_twice("overlap", span, first);
                self.problem(problem);
            }
            (None, Some(overlap)) => self.hir.broker.overlap = Some((overlap, span)),
            (_, None) => {}
        }
    }

    fn charge(&mut self, charge: &ast::Charge, span: Span) {
        let amount = self.expr(ExprContext::Rules, &charge.amount);
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
        if !self.declare(NameKind::Role, &name) {
            return;
        }
        let mut keys = HolderKeys::default();
        let mut weight = MILLION;
        let mut limits = Vec::new();
        let mut stated = FirstSpans::default();
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    let key = show_path(&assign.key);
                    if self.is_built_in(Side::Role, &key, assign.key.span) {
                        continue;
                    }
                    if key == BuiltIn::Weight.text() {
                        weight = self.weight(assign).unwrap_or(weight);
                    }
                    self.add_key(&mut keys, key, assign, statement.span);
                }
                StatementKind::Block(Block { kind: BlockKind::Limit, body, .. }) => {
                    self.role_limits(body, &mut stated, &mut limits);
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
        // The weight is a field of the role, and no open key.
        keys.records.retain(|key| key.key != BuiltIn::Weight.text());
        self.hir.roles.push(Role { name, weight, keys: keys.records, limits, docs: docs.to_vec() });
    }

    /// Binds `limit { cpus = 400, pool.size = 10TB }`.
    fn role_limits(&mut self, body: &ast::Body, stated: &mut FirstSpans, limits: &mut Vec<Limit>) {
        for statement in &body.statements {
            let StatementKind::Assign(assign) = &statement.kind else {
                self.misplaced(statement, "`limit`", "it holds `RESOURCE = AMOUNT` only");
                continue;
            };
            self.no_options(assign);
            let key = show_path(&assign.key);
            if self.is_again(stated, &key, statement.span) {
                continue;
            }
            // `pool.size` names a side first; a resource whose first segment is no side may have dots too.
            let (side, resource) = match assign.key.segments.as_slice() {
                [side, resource @ ..] if !resource.is_empty() => match Side::from_name(&side.text) {
                    Some(side @ (Side::Agent | Side::Pool)) => (Some(side), show_segments(resource)),
                    _ => (None, key),
                },
                _ => (None, key),
            };
            let amount = match self.literal(&assign.value) {
                Some(Literal::Quantity(amount)) if amount.amount >= 0 => *amount,
                // An unlimited amount is the absence of a limit.
                Some(Literal::Unlimited) => continue,
                Some(_) => {
                    let message = "a limit is an amount, 0 or more";
                    let help = "write a number or a quantity with its unit; of ports and items, how many";
                    self.problem(Diagnostic::error(Code::B0314, assign.value.span, message).help(help));
                    continue;
                }
                None => continue,
            };
            limits.push(Limit { side, resource, amount, span: statement.span });
        }
    }

    /// Returns `true` if a text is the path of a role. Reports it otherwise.
    pub(super) fn is_role(&mut self, name: &Located) -> bool {
        let problem = no_role(&name.text, name.span);
        let valid = problem.is_none();
        problem.into_iter().for_each(|problem| self.problem(problem));
        valid
    }

    /// Returns the weight of a role, in millionths.
    fn weight(&mut self, assign: &ast::Assign) -> Option<i64> {
        match self.literal(&assign.value)? {
            Literal::Quantity(weight)
                if weight.dimension == Dimension::Number && (1..=MOST_WEIGHT).contains(&weight.amount) =>
            {
                Some(weight.amount)
            }
            _ => {
                let message = "the weight of a role is a number above 0, up to a million";
                self.problem(
                    Diagnostic::error(Code::B0308, assign.value.span, message).help("write `weight = 1`"),
                );
                None
            }
        }
    }
}

/// The largest weight of a role, in millionths.
const MOST_WEIGHT: i64 = 1_000_000 * MILLION;
/// The largest overlap, in millionths: a thousand times the free amount.
const MOST_OVERLAP: i64 = 1_000 * MILLION;

fn broker_statements<'a>(statements: &'a [&'a Statement]) -> impl Iterator<Item = &'a Statement> {
    statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            StatementKind::Block(block) if block.kind == BlockKind::Broker => Some(&block.body.statements),
            _ => None,
        })
        .flatten()
}
