//! The walk over a set: adds the type constraints of schemas, records, needs, definitions and rules, and runs
//! the checks on the set as a whole.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use super::{
    Strictness, cost,
    infer::{Checker, with_article},
    types::{Bound, Var},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity, nearest_after},
    inventory::records::{KeyRecord, Raw, RawAmount, Reserved, ResourceRecord, TierKind, TierRecord},
    keys::{self, BuiltIn, BuiltInKey},
    parse::ast::ChargePer,
    quantity::Dimension,
    resolve::{
        DEFAULT_LEVELS,
        hir::{
            AskAmount, Definition, DefinitionId, DefinitionKind, Expr, ExprKind, Hir, Key, Read, Request,
            Rule,
        },
        walk,
    },
    source::Span,
    types::{Side, Type},
};

/// Visits a set, or with `addition` a test on top of it. The first `seen` classes and lets have been visited
/// before. Checks on the set as a whole run for the set only.
pub(super) fn visit(checker: &mut Checker<'_>, seen: usize, addition: bool, strictness: Strictness) {
    schema(checker);
    records(checker);
    frameworks(checker);
    definitions(checker, seen);
    every_rule(checker);
    if addition {
        return;
    }
    undeclared(checker, strictness);
    super::traps::resources_as_keys(checker);
    super::traps::misspelt(checker);
    missing_levels(checker);
    cost::check(checker);
}

fn schema(checker: &mut Checker<'_>) {
    for field in &checker.hir.schema {
        let var = checker.key(field.side, &field.key);
        checker.expect(var, Bound::Known(field.kind), field.span, "a schema declares a key once");
    }
}

fn key(checker: &mut Checker<'_>, side: Side, record: &KeyRecord) {
    let bound = match &record.value {
        Raw::Bool(_) => Bound::Known(Type::Bool),
        Raw::Quantity(quantity) => Bound::Known(Type::Quantity(quantity.dimension)),
        Raw::Text(_) => Bound::Quoted,
        Raw::Version(_) => Bound::Known(Type::Version),
        Raw::Empty => Bound::Set,
        Raw::Texts(_) => Bound::Known(Type::Texts),
        Raw::Numbers(_) => Bound::NumberList,
        Raw::Ranges(_) => Bound::Known(Type::Ranges),
        // Data writes numbers and base units alike. The type of the key decides, once it is known.
        Raw::Integer(_) => return,
    };
    let var = checker.key(side, &record.key);
    checker.expect(var, bound, record.span, &format!("`{side}.{}` has one type", record.key));
}

fn amount(checker: &mut Checker<'_>, side: Side, resource: &str, amount: &RawAmount, span: Span) {
    let dimension = match amount {
        RawAmount::Quantity(quantity) => quantity.dimension,
        RawAmount::Ranges(_) | RawAmount::Items(_) => Dimension::Number,
        RawAmount::Unlimited | RawAmount::Integer(_) => return,
    };
    let var = checker.resource(side, resource);
    let why = format!("`{resource}` of {}s has one dimension", side_word(side));
    checker.expect(var, Bound::Known(Type::Quantity(dimension)), span, &why);
}

fn side_word(side: Side) -> &'static str {
    if side == Side::Pool { "storage pool" } else { side.name() }
}

fn resource(checker: &mut Checker<'_>, side: Side, record: &ResourceRecord) {
    amount(checker, side, &record.name, &record.amount, record.span);
    let Some(options) = &record.options else { return };
    if let Some((Reserved::Amount(reserved), span)) = &options.reserved {
        amount(checker, side, &record.name, reserved, *span);
    }
    for (value, span) in [&options.step, &options.min, &options.max].into_iter().flatten() {
        amount(checker, side, &record.name, value, *span);
    }
}

fn records(checker: &mut Checker<'_>) {
    let hir = checker.hir;
    for record in &hir.records.broker.keys {
        key(checker, Side::Broker, record);
    }
    for agent in &hir.records.agents {
        agent.keys.iter().for_each(|record| key(checker, Side::Agent, record));
        agent.resources.iter().for_each(|record| resource(checker, Side::Agent, record));
    }
    for provider in &hir.records.providers {
        tier(checker, provider);
    }
    for taken in hir.records.allocations.iter().flat_map(|allocation| &allocation.uses) {
        let side = match taken.kind {
            crate::inventory::records::UseKind::Agent => Side::Agent,
            _ => Side::Pool,
        };
        taken
            .amounts
            .iter()
            .for_each(|record| amount(checker, side, &record.name, &record.amount, record.span));
    }
    for role in &hir.roles {
        for record in &role.keys {
            key(checker, Side::Role, record);
            property(checker, Side::Role, record, "role");
        }
    }
}

/// Requires a property to have its type where it is stated.
fn property(checker: &mut Checker<'_>, side: Side, record: &KeyRecord, holder: &str) {
    let Some(wanted) = keys::property(side, &record.key).and_then(BuiltInKey::type_stated) else { return };
    // An open key may still turn out to be a place, elsewhere.
    let bound = match wanted {
        Type::Text if side == Side::Pool => Bound::Quoted,
        wanted => Bound::Known(wanted),
    };
    let var = checker.key(side, &record.key);
    checker.expect(var, bound, record.span, &format!("`{}` of a {holder} is built in", record.key));
}

fn tier(checker: &mut Checker<'_>, record: &TierRecord) {
    for own in &record.keys {
        key(checker, Side::Pool, own);
        let carve = own.key == BuiltIn::Carve.text();
        match record.kind {
            TierKind::Pool if carve => property(checker, Side::Pool, own, "pool"),
            TierKind::Volume if !carve => property(checker, Side::Pool, own, "volume"),
            _ => {}
        }
    }
    record.resources.iter().for_each(|own| resource(checker, Side::Pool, own));
    record.children.iter().for_each(|child| tier(checker, child));
}

fn frameworks(checker: &mut Checker<'_>) {
    let hir = checker.hir;
    for framework in &hir.frameworks {
        for record in &framework.keys {
            key(checker, Side::Framework, record);
            property(checker, Side::Framework, record, "framework");
        }
        for need in &framework.needs {
            need.keys.iter().for_each(|record| key(checker, Side::Need, record));
            if let Some(agent) = &need.agent {
                request(checker, Side::Agent, agent);
            }
            for volume in &need.volumes {
                request(checker, Side::Pool, &volume.request);
            }
        }
    }
}

fn request(checker: &mut Checker<'_>, side: Side, request: &Request) {
    for ask in &request.amounts {
        let dimension = match &ask.amount {
            AskAmount::Scalar(dimension, ..) => *dimension,
            AskAmount::Ranges(_) | AskAmount::Items(_) => Dimension::Number,
        };
        let var = checker.resource(side, &ask.resource);
        let why = format!("`{}` of {}s has one dimension", ask.resource, side_word(side));
        checker.expect(var, Bound::Known(Type::Quantity(dimension)), ask.span, &why);
    }
    for condition in &request.conditions {
        checker.condition(&condition.expr, "a need's condition holds or not");
    }
}

fn definitions(checker: &mut Checker<'_>, seen: usize) {
    let hir = checker.hir;
    for (at, definition) in hir.definitions.iter().enumerate().skip(seen) {
        let var = checker.definition(DefinitionId(at));
        match definition.kind {
            DefinitionKind::Class(_) => {
                checker.expect(var, Bound::Known(Type::Bool), definition.span, "a class holds or not");
                for expr in &definition.body {
                    checker.condition(expr, "a class holds one condition a line");
                }
            }
            DefinitionKind::Let => {
                for expr in &definition.body {
                    let body = checker.infer(expr);
                    checker.join(var, body, definition.span, "a let has the type of its expression");
                }
            }
        }
    }
}

fn every_rule(checker: &mut Checker<'_>) {
    let hir = checker.hir;
    let recorded = hir.record_rules.agents.iter().chain(&hir.record_rules.tiers).flatten();
    for rule in hir.broker.rules.iter().chain(recorded) {
        one_rule(checker, rule);
    }
    for charge in &hir.broker.charges {
        let amount = checker.infer(&charge.amount);
        let taken = checker.resource(Side::Agent, &charge.resource);
        let why = format!("a charge on `agent.{}` has its dimension", charge.resource);
        checker.join(taken, amount, charge.amount.span, &why);
        let sides = sides_of(checker, &charge.amount);
        if charge.per == ChargePer::Need
            && let Some(side) = [Side::Pool, Side::Volume].into_iter().find(|side| sides.contains(side))
        {
            let message = format!("a charge per need does not see a {side}");
            let help = "a need may have several volumes, or none: charge `per volume`";
            checker.problems.push(Diagnostic::error(Code::B0402, charge.amount.span, message).help(help));
        }
    }
    // An exposed key gets a type variable even if no rule reads it.
    for (read, _) in &hir.broker.exposed {
        if let Key::Attribute(name) = &read.key {
            checker.key(read.side, name);
        }
    }
    without_volumes(checker);
}

fn one_rule(checker: &mut Checker<'_>, rule: &Rule) {
    if rule.strength.is_required() {
        checker.condition(&rule.expr, "`require` takes a condition");
        return;
    }
    let var = checker.infer(&rule.expr);
    preference(checker, var, rule);
}

/// Requires a condition or a number; a number is clamped to 0…1 when it is scored.
fn preference(checker: &mut Checker<'_>, var: Var, rule: &Rule) {
    let bound = checker.table.get(var);
    let fits = match bound {
        Bound::Known(Type::Bool | Type::Quantity(Dimension::Number)) | Bound::Free => true,
        _ => checker.table.narrow(var, Bound::Known(Type::Bool), rule.expr.span).is_ok(),
    };
    if !fits {
        let message =
            format!("a preference is a condition or a number, and this is {}", with_article(bound.words()));
        let help = "compare it with something, or divide it by an amount of the same dimension";
        checker.problems.push(Diagnostic::error(Code::B0303, rule.expr.span, message).help(help));
    }
}

/// Returns the sides that an expression refers to, directly or through classes and lets.
fn sides_of(checker: &Checker<'_>, expr: &Expr) -> BTreeSet<Side> {
    let mut sides = BTreeSet::new();
    let mut seen: BTreeSet<DefinitionId> = BTreeSet::new();
    let mut open: Vec<&Expr> = vec![expr];
    while let Some(expr) = open.pop() {
        walk(expr, &mut |expr| match &expr.kind {
            ExprKind::Read(read)
            | ExprKind::IsAbsent(read)
            | ExprKind::IsPresent(read)
            | ExprKind::Else(read, _) => {
                sides.insert(read.side);
            }
            // Each let is followed once. A class refers to its side only.
            ExprKind::Named(id) if seen.insert(*id) => match checker.hir.definitions.get(id.0) {
                Some(Definition { kind: DefinitionKind::Class(side), .. }) => {
                    sides.insert(*side);
                }
                Some(named) => open.extend(&named.body),
                None => {}
            },
            _ => {}
        });
    }
    sides
}

/// Notes a requirement that refers to a supply and also has a part about the agent alone. Needs without
/// volumes skip the whole rule, and its author may rely on that part.
fn without_volumes(checker: &mut Checker<'_>) {
    for rule in checker.hir.broker.rules.iter().filter(|rule| rule.strength.is_required()) {
        let sides = sides_of(checker, &rule.expr);
        let ExprKind::And(parts) = &rule.expr.kind else { continue };
        if !sides.contains(&Side::Pool) && !sides.contains(&Side::Volume) {
            continue;
        }
        let alone = parts.iter().find(|part| {
            let sides = sides_of(checker, part);
            sides.contains(&Side::Agent) && !sides.contains(&Side::Pool) && !sides.contains(&Side::Volume)
        });
        if let Some(part) = alone {
            let message =
                "this part speaks of the agent alone, but the rule does not apply to needs without volumes";
            let help = "if it should always hold, make it a `require` of its own";
            checker.problems.push(Diagnostic::note(Code::B0405, part.span, message).help(help));
        }
    }
}

/// Reports keys that the set's own schema of their side does not declare.
fn undeclared(checker: &mut Checker<'_>, strictness: Strictness) {
    let hir = checker.hir;
    for side in Side::ALL {
        let own: Vec<&str> = hir
            .schema
            .iter()
            .filter(|field| field.side == side && !field.standard)
            .map(|field| field.key.as_str())
            .collect();
        // Standard modules declare keys too, but only a schema of the set itself claims to be complete.
        if own.is_empty() {
            continue;
        }
        let declared: IndexSet<&str> =
            hir.schema.iter().filter(|field| field.side == side).map(|field| field.key.as_str()).collect();
        let mut told = 0;
        for (key, span) in uses(checker, side) {
            // Other keys of volumes are amounts, which no schema declares.
            let is_known = side == Side::Volume || keys::is_word(side, &key);
            if declared.contains(key.as_str()) || is_known {
                continue;
            }
            let message = format!("the schema of `{side}` does not declare `{key}`");
            let help = match nearest_after(told, &key, declared.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{key}: TYPE` to a `schema {side} {{ … }}`"),
            };
            let mut problem = Diagnostic::warning(Code::B0309, span, message).help(help);
            if strictness.undeclared_keys {
                problem.severity = Severity::Error;
            }
            checker.problems.push(problem);
            told += 1;
        }
    }
}

/// Returns the uses of open keys of a side in records and rules, with spans.
fn uses(checker: &Checker<'_>, side: Side) -> Vec<(String, Span)> {
    let hir = checker.hir;
    let mut found: Vec<(String, Span)> = Vec::new();
    let own: Vec<&KeyRecord> = match side {
        Side::Agent => hir.records.agents.iter().flat_map(|agent| &agent.keys).collect(),
        Side::Pool => tiers(&hir.records.providers).into_iter().flat_map(|tier| &tier.keys).collect(),
        Side::Framework => hir.frameworks.iter().flat_map(|framework| &framework.keys).collect(),
        Side::Need => hir.frameworks.iter().flat_map(|f| &f.needs).flat_map(|need| &need.keys).collect(),
        Side::Role => hir.roles.iter().flat_map(|role| &role.keys).collect(),
        Side::Broker => hir.records.broker.keys.iter().collect(),
        Side::Volume => Vec::new(),
    };
    found.extend(own.into_iter().map(|record| (record.key.clone(), record.span)));
    found.extend(uses_in_rules(checker, side));
    found
}

/// Returns the reads of open keys of a side in rules, classes, lets, charges and needs, with spans.
pub(super) fn uses_in_rules(checker: &Checker<'_>, side: Side) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for expr in every_expr(checker) {
        walk(expr, &mut |expr| {
            if let ExprKind::Read(read)
            | ExprKind::IsAbsent(read)
            | ExprKind::IsPresent(read)
            | ExprKind::Else(read, _) = &expr.kind
                && read.side == side
                && let Key::Attribute(key) = &read.key
            {
                found.push((key.clone(), expr.span));
            }
        });
    }
    found
}

/// Returns every tier, in no particular order.
pub(super) fn tiers(records: &[TierRecord]) -> Vec<&TierRecord> {
    let mut all = Vec::new();
    let mut open: Vec<&TierRecord> = records.iter().collect();
    while let Some(tier) = open.pop() {
        all.push(tier);
        open.extend(&tier.children);
    }
    all
}

fn every_expr<'a>(checker: &Checker<'a>) -> Vec<&'a Expr> {
    let own = checker.hir.definitions.iter().filter(|definition| !definition.standard);
    own.flat_map(|definition| &definition.body).chain(rules(checker.hir)).collect()
}

/// Returns the expressions that are evaluated: rules, charges and conditions of needs.
pub(super) fn rules(hir: &Hir) -> Vec<&Expr> {
    let recorded = hir.record_rules.agents.iter().chain(&hir.record_rules.tiers).flatten();
    let needs = hir.frameworks.iter().flat_map(|framework| &framework.needs);
    let requests =
        needs.flat_map(|need| need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request)));
    let asked = requests.flat_map(|request| &request.conditions);
    let rules = hir.broker.rules.iter().chain(recorded).chain(asked).map(|rule| &rule.expr);
    rules.chain(hir.broker.charges.iter().map(|charge| &charge.amount)).collect()
}

/// Reports uses of standard definitions that read a level which the set does not have. The standard library
/// means the level by `region` and `zone`; without it, they would be open keys that nothing has, and `is
/// absent` would hold.
fn missing_levels(checker: &mut Checker<'_>) {
    let (hir, levels) = (checker.hir, &checker.hir.levels);
    let mut missing: Vec<Option<&str>> = vec![None; hir.definitions.len()];
    let standard: Vec<usize> =
        (0..hir.definitions.len()).filter(|at| hir.definitions[*at].standard).collect();
    // A definition may refer to a later one. As many rounds as there are definitions reach the fixpoint.
    for _ in &standard {
        for &at in &standard {
            for expr in &hir.definitions[at].body {
                walk(expr, &mut |expr| {
                    let level = match &expr.kind {
                        ExprKind::Named(id) => missing[id.0],
                        ExprKind::Read(read) | ExprKind::IsAbsent(read) | ExprKind::IsPresent(read) => {
                            missing_level(read, levels)
                        }
                        _ => None,
                    };
                    missing[at] = missing[at].or(level);
                });
            }
        }
    }
    let mut problems = Vec::new();
    for expr in every_expr(checker) {
        walk(expr, &mut |expr| {
            let ExprKind::Named(id) = expr.kind else { return };
            let Some(level) = missing[id.0] else { return };
            let name = &hir.definitions[id.0].name;
            let message = format!("`{name}` goes by the level `{level}`, which this set does not have");
            let help = format!(
                "the levels are `{}`; write a `let` of your own with one of them",
                levels.join("`, `")
            );
            problems.push(Diagnostic::error(Code::B0203, expr.span, message).help(help));
        });
    }
    checker.problems.extend(problems);
}

fn missing_level(read: &Read, levels: &[String]) -> Option<&'static str> {
    let placed = matches!(read.side, Side::Agent | Side::Pool | Side::Broker);
    let Key::Attribute(key) = &read.key else { return None };
    let level = DEFAULT_LEVELS.into_iter().find(|level| level == key)?;
    (placed && !levels.iter().any(|known| known == level)).then_some(level)
}
