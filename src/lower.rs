//! Lowers a resolved and checked set to a plan. Nothing is decided here: every construct has one form in the
//! plan.
//!
//! The pipeline calls [`lower`] once per set. It relies on `resolve` for names and on `check` for types and
//! the absence of cycles, and reports no problem of its own.

use std::sync::Arc;

use crate::{
    check::Types,
    inventory::records::{KeyRecord, Raw},
    ir,
    keys::{self, BuiltIn, BuiltInKey},
    parse::ast::Literal,
    quantity::Overlap,
    resolve::hir::{self, Expr, ExprKind, Hir},
    source::{Sources, Span},
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// Compiles a set that has no errors.
pub fn lower(hir: &Hir, types: &Types, sources: &Sources) -> ir::Plan {
    let mut lowering = Lowering {
        plan: ir::Plan::default(),
        types,
        sources,
        definitions: Vec::new(),
        sides: Vec::new(),
        hir,
    };
    lowering.plan.levels = hir.levels.iter().map(|level| lowering.plan.symbols.intern(level)).collect();
    // The language itself compares with these words (see `volume.access`), so they have symbols in every
    // plan.
    for word in ["rw", "ro", "size"] {
        lowering.plan.symbols.intern(word);
    }
    lowering.definitions = vec![None; hir.definitions.len()];
    for at in 0..hir.definitions.len() {
        lowering.definition(hir::DefinitionId(at));
    }
    lowering.broker();
    lowering.plan.agent_rules = hir.record_rules.agents.iter().map(|rules| lowering.rules(rules)).collect();
    lowering.plan.tier_rules = hir.record_rules.tiers.iter().map(|rules| lowering.rules(rules)).collect();
    lowering.roles();
    lowering.frameworks();
    lowering.resources();
    lowering.plan
}

struct Lowering<'a> {
    plan: ir::Plan,
    hir: &'a Hir,
    types: &'a Types,
    // By the number of the definition in `hir`; `None` until it is lowered.
    sources: &'a Sources,
    definitions: Vec<Option<ir::DefinitionId>>,
    /// The sides that each node reads, by its number.
    sides: Vec<ir::SideSet>,
}

impl Lowering<'_> {
    /// Lowers a class or let, after those that it names, so that the plan stays in post-order. The recursion
    /// ends because a checked set has no cycle.
    fn definition(&mut self, id: hir::DefinitionId) -> ir::DefinitionId {
        if let Some(done) = self.definitions[id.0] {
            return done;
        }
        let hir = self.hir;
        let definition = &hir.definitions[id.0];
        let parts: Vec<ir::NodeId> = definition.body.iter().map(|expr| self.expr(expr)).collect();
        let root = match parts.as_slice() {
            // A plugin's class has no body: its plugin answers.
            _ if definition.asked => self.asked(definition),
            [only] => *only,
            _ => self.push(ir::Node::And(parts.clone().into()), definition.span),
        };
        let class_of = match definition.kind {
            hir::DefinitionKind::Class(side) => Some(side),
            hir::DefinitionKind::Let => None,
        };
        let lowered = ir::DefinitionId(self.plan.definitions.len() as u32);
        self.plan.definitions.push(ir::Definition {
            name: definition.name.clone(),
            class_of,
            root,
            sides: self.sides(root),
            span: definition.span,
            docs: definition.docs.clone(),
            standard: definition.standard,
        });
        self.definitions[id.0] = Some(lowered);
        lowered
    }

    /// Lowers a class that a plugin brings. Nobody answers for it until its plugin is given. It reads the
    /// name of the row, so that no two rows count as alike and the plugin may answer for each.
    fn asked(&mut self, definition: &hir::Definition) -> ir::NodeId {
        let side = match definition.kind {
            hir::DefinitionKind::Class(side) => side,
            hir::DefinitionKind::Let => Side::Agent,
        };
        let name = self.column(&hir::Read { side, key: hir::Key::Name });
        let at = self.plan.asked.len() as u32;
        self.plan.asked.push(ir::ExternalRule {
            filter: usize::MAX,
            question: ir::ExternalQuestion::Healthy,
            text: definition.name.clone(),
            want: definition.name.clone(),
            subject: None,
            reads: vec![name],
            agent: None,
            conditions: Vec::new(),
        });
        self.push(ir::Node::External(at), definition.span)
    }

    fn sides(&self, root: ir::NodeId) -> ir::SideSet {
        self.sides[root.0 as usize]
    }

    /// The sides that a node reads; those that it is computed from are there already.
    fn sides_of(&self, node: &ir::Node) -> ir::SideSet {
        let of = |sides: ir::SideSet, column: &ir::ColumnId| sides.with(self.plan.column(*column).side);
        let mut sides = match node {
            ir::Node::External(asked) => {
                return self.plan.asked(*asked).reads.iter().fold(ir::SideSet::default(), of);
            }
            ir::Node::Read(column)
            | ir::Node::IsAbsent(column)
            | ir::Node::IsPresent(column)
            | ir::Node::Else(column, _) => of(ir::SideSet::default(), column),
            _ => ir::SideSet::default(),
        };
        self.plan.operands(node, &mut |id| sides = sides.union(self.sides(id)));
        sides
    }

    fn push(&mut self, node: ir::Node, span: Span) -> ir::NodeId {
        let id = ir::NodeId(self.plan.nodes.len() as u32);
        self.sides.push(self.sides_of(&node));
        self.plan.nodes.push(node);
        self.plan.spans.push(span);
        id
    }

    fn column(&mut self, read: &hir::Read) -> ir::ColumnId {
        let key = read.key.map(|name| self.plan.symbols.intern(name));
        let (at, new) = self.plan.columns.insert_full(ir::Column { side: read.side, key });
        if new {
            let kind = match &read.key {
                hir::Key::Attribute(key) => keys::find(read.side, key)
                    .and_then(BuiltInKey::type_read)
                    .or_else(|| self.types.key(read.side, key)),
                _ => None,
            };
            self.plan.column_types.push(kind);
        }
        ir::ColumnId(at as u32)
    }

    fn expr(&mut self, expr: &Expr) -> ir::NodeId {
        let node = match &expr.kind {
            ExprKind::Literal(literal) => ir::Node::Constant(self.literal(literal)),
            ExprKind::Read(read) => ir::Node::Read(self.column(read)),
            ExprKind::Named(id) => ir::Node::Named(self.definition(*id)),
            ExprKind::Not(inner) => ir::Node::Not(self.expr(inner)),
            ExprKind::Negate(inner) => ir::Node::Negate(self.expr(inner)),
            ExprKind::And(parts) => ir::Node::And(self.exprs(parts)),
            ExprKind::Or(parts) => ir::Node::Or(self.exprs(parts)),
            ExprKind::Test(op, left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                ir::Node::Test(*op, left, right)
            }
            ExprKind::Matches(subject, pattern) => {
                let subject = self.expr(subject);
                match ir::pattern(&pattern.text) {
                    Ok(regex) => {
                        let id = self.plan.patterns.len() as u32;
                        self.plan.patterns.push(ir::Pattern { text: pattern.text.clone(), regex });
                        ir::Node::Matches(subject, id)
                    }
                    // `check` refuses such a set. Should one come through, the condition fails closed.
                    Err(_) => ir::Node::Constant(Value::Bool(false)),
                }
            }
            ExprKind::IsAbsent(read) => ir::Node::IsAbsent(self.column(read)),
            ExprKind::IsPresent(read) => ir::Node::IsPresent(self.column(read)),
            ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                ir::Node::Arithmetic(*op, left, right)
            }
            ExprKind::Else(read, other) => {
                let other = self.expr(other);
                ir::Node::Else(self.column(read), other)
            }
            ExprKind::Call(function, arguments) => ir::Node::Call(*function, self.exprs(arguments)),
        };
        self.push(node, expr.span)
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Box<[ir::NodeId]> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn literal(&mut self, literal: &Literal) -> Value {
        match literal {
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Quantity(quantity) | Literal::Percent(quantity) | Literal::Span(quantity, _) => {
                Value::Quantity(quantity.dimension, quantity.amount)
            }
            Literal::Text(text) => Value::Text(self.plan.symbols.intern(text)),
            Literal::Version(version) => Value::Version(version.clone().into()),
            Literal::EmptyList | Literal::Unlimited => Value::texts([]),
            Literal::Texts(texts) => {
                Value::texts(texts.iter().map(|text| self.plan.symbols.intern(&text.text)))
            }
            Literal::Numbers(numbers) => Value::numbers(numbers.iter().map(|number| number.millionths)),
            Literal::Ranges(ranges) => Value::Ranges(ranges.clone().into()),
        }
    }

    fn rules(&mut self, rules: &[hir::Rule]) -> Vec<ir::Rule> {
        rules.iter().map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, rule: &hir::Rule) -> ir::Rule {
        let root = self.expr(&rule.expr);
        ir::Rule {
            label: rule.label.clone().unwrap_or_else(|| self.sources.place(rule.span)),
            labelled: rule.label.is_some(),
            strength: rule.strength,
            root,
            sides: self.sides(root),
            span: rule.span,
            docs: rule.docs.clone(),
        }
    }

    fn broker(&mut self) {
        let hir = self.hir;
        let rules = self.rules(&hir.broker.rules);
        let (requires, prefers) = rules.into_iter().partition(|rule| rule.strength.is_required());
        let mut charges = Vec::new();
        for charge in &hir.broker.charges {
            let resource = self.plan.symbols.intern(&charge.resource);
            let root = self.expr(&charge.amount);
            let reads = self.plan.reads(root).into_iter().collect();
            let sides = self.sides(root);
            charges.push(ir::Charge { resource, root, sides, reads, per: charge.per, span: charge.span });
        }
        let exposed = hir.broker.exposed.iter().map(|(read, _)| self.column(read)).collect();
        let (counts, scores) = (hir.broker.counts.is_some(), hir.broker.scores.is_some());
        let disclosed = ir::Disclosed { counts, scores };
        let lends = hir.broker.lends.is_some();
        let overlap = hir.broker.overlap.map_or_else(Overlap::default, |overlap| overlap.0);
        let name = hir.broker.name.as_ref().map(|name| self.plan.symbols.intern(&name.text));
        self.plan.broker =
            ir::Broker { name, requires, prefers, charges, exposed, disclosed, lends, overlap };
    }

    fn roles(&mut self) {
        let hir = self.hir;
        for role in &hir.roles {
            let keys = self.keys(Side::Role, &role.keys);
            let limits = role.limits.iter().map(|limit| ir::Limit {
                side: limit.side,
                resource: self.plan.symbols.intern(&limit.resource),
                amount: limit.amount,
                span: limit.span,
            });
            let limits = limits.collect();
            let (name, span) = (role.name.text.clone(), role.name.span);
            self.plan.roles.push(ir::Role { name, weight: role.weight, keys, limits, span });
        }
    }

    fn frameworks(&mut self) {
        let hir = self.hir;
        for framework in &hir.frameworks {
            let keys = self.keys(Side::Framework, &framework.keys);
            let needs = framework.needs.iter().map(|need| self.need(need)).collect();
            let (name, role) = (&framework.name, &framework.role);
            let principal = framework.keys.iter().find(|own| own.key == BuiltIn::Principal.text());
            let principal = match principal.map(|own| &own.value) {
                Some(Raw::Text(name)) => Some(self.plan.symbols.intern(name)),
                _ => None,
            };
            let served = self.served(role);
            self.plan.frameworks.push(ir::Framework {
                name: self.plan.symbols.intern(&name.text),
                role: self.plan.symbols.intern(role),
                principal,
                served,
                keys,
                needs,
                span: name.span,
            });
        }
    }

    /// The principals that a role serves, if it names them. An empty list serves nobody.
    fn served(&mut self, role: &str) -> Option<Arc<[Symbol]>> {
        let role = self.hir.roles.iter().find(|known| known.name.text == role)?;
        let principals = role.keys.iter().find(|own| own.key == BuiltIn::Principals.text())?;
        match &principals.value {
            Raw::Texts(names) => Some(self.texts(names).into()),
            _ => Some(Arc::from([])),
        }
    }

    fn need(&mut self, need: &hir::Need) -> ir::Need {
        let keys = self.keys(Side::Need, &need.keys);
        let agent = need.agent.as_ref().map(|agent| self.request(agent));
        let names: Vec<_> =
            need.volumes.iter().map(|volume| self.plan.symbols.intern(&volume.name.text)).collect();
        let mut counted = 0;
        // One counter runs over the places of the need and of its volumes, so that each place has a number of
        // its own.
        let places = self.places(&need.places, &names, &mut counted);
        let mut volumes = Vec::new();
        for volume in &need.volumes {
            let lowered = self.volume(volume, &names, &mut counted);
            let count = volume.count as u32;
            volumes.extend((0..count).map(|at| ir::Volume { ordinal: (at, count), ..lowered.clone() }));
        }
        ir::Need {
            name: self.plan.symbols.intern(&need.name.text),
            count: need.count,
            keys,
            agent,
            places,
            volumes,
            counted,
            all_or_nothing: need.all_or_nothing,
            accept_revocable: need.accept_revocable,
            span: need.name.span,
            docs: need.docs.clone(),
        }
    }

    fn volume(&mut self, volume: &hir::Volume, names: &[Symbol], counted: &mut u32) -> ir::Volume {
        ir::Volume {
            name: self.plan.symbols.intern(&volume.name.text),
            ordinal: (0, 1),
            request: self.request(&volume.request),
            filesystem: volume.filesystem.as_ref().map(|text| self.plan.symbols.intern(&text.text)),
            read_only: volume.read_only,
            source: volume.source.as_ref().map(|path| self.plan.symbols.intern(&path.text)),
            places: self.places(&volume.places, names, counted),
        }
    }

    fn request(&mut self, request: &hir::Request) -> ir::Request {
        let mut amounts = Vec::new();
        for ask in &request.amounts {
            let amount = match &ask.amount {
                hir::AskAmount::Scalar(dimension, low, high) => ir::Amount::Scalar(*dimension, *low, *high),
                hir::AskAmount::Ranges(ranges) => ir::Amount::Ranges(ranges.clone()),
                hir::AskAmount::Items(items) => {
                    ir::Amount::Items(items.iter().map(|item| self.plan.symbols.intern(item)).collect())
                }
            };
            amounts.push(ir::Ask {
                resource: self.plan.symbols.intern(&ask.resource),
                amount,
                span: ask.span,
            });
        }
        let classes = request.classes.iter().map(|ask| ir::ClassAsk {
            class: self.definitions[ask.class.0].unwrap_or(ir::DefinitionId(0)),
            negated: ask.negated,
            span: ask.span,
        });
        ir::Request { amounts, classes: classes.collect(), conditions: self.rules(&request.conditions) }
    }

    fn places(&mut self, places: &[hir::Place], volumes: &[Symbol], counted: &mut u32) -> Vec<ir::Place> {
        let mut lowered = Vec::new();
        for place in places {
            let kind = place.kind.map(
                self,
                |lowering, path| lowering.plan.symbols.intern(path),
                |lowering, target| lowering.target(*target, volumes),
                |lowering, key| key.map(|read| lowering.column(read)),
            );
            lowered.push(ir::Place { kind, strength: place.strength, number: *counted, span: place.span });
            *counted += 1;
        }
        lowered
    }

    fn texts(&mut self, texts: &[String]) -> Vec<Symbol> {
        texts.iter().map(|text| self.plan.symbols.intern(text)).collect()
    }

    fn target(&mut self, target: hir::Target, volumes: &[Symbol]) -> ir::Target {
        match target {
            hir::Target::Volume(at) => ir::Target::Volume(volumes[at]),
            hir::Target::Need(at) => ir::Target::Need(at),
            hir::Target::NeedVolume(need, at) => {
                // The framework that is being lowered is not in the plan yet: its number is the length of the
                // list.
                let name =
                    self.hir.frameworks.get(self.plan.frameworks.len()).map_or("", |framework| {
                        framework.needs[need as usize].volumes[at].name.text.as_str()
                    });
                ir::Target::NeedVolume(need, self.plan.symbols.intern(name))
            }
        }
    }

    fn keys(&mut self, side: Side, records: &[KeyRecord]) -> Vec<(Symbol, Value)> {
        let mut keys = Vec::new();
        for record in records {
            let kind = self.types.key(side, &record.key);
            if let Some(value) = crate::inventory::value_of(&record.value, kind, &mut self.plan.symbols) {
                keys.push((self.plan.symbols.intern(&record.key), value));
            }
        }
        keys
    }

    fn resources(&mut self) {
        for (side, resource, dimension) in self.types.resources() {
            let resource = self.plan.symbols.intern(resource);
            self.plan.resources.insert((side, resource), dimension);
        }
    }
}
