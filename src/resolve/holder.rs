//! Holders of resources: declarations of agents, providers, instances, pools, volumes and allocations to
//! records.

use indexmap::IndexMap;

use super::{
    Resolver,
    expr::{ExprContext, show_path},
    hir::Rule,
    literal::said_twice,
    once::{FirstSpans, HolderKeys},
    scope::NameKind,
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, no_reservation},
    inventory::{
        built_in,
        records::{
            AgentRecord, AllocationRecord, AmountRecord, Located, PartRecord, ResourceRecord, TierKind,
            TierRecord, UseKind, UseRecord,
        },
    },
    operator::Strength,
    parse::ast::{self, Block, BlockKind, ExprKind, Literal, Statement, StatementKind},
    source::Span,
    types::Side,
    value::{join_key, show_name},
};

/// The contents of the body of a holder.
#[derive(Default)]
struct HolderBody {
    domain: Option<Located>,
    keys: HolderKeys,
    resources: Vec<ResourceRecord>,
    first_spans: IndexMap<PartRecord, FirstSpans>,
    rules: Vec<Rule>,
    children: Vec<(TierRecord, Vec<Vec<Rule>>)>,
    reserved_for: Option<Located>,
}

/// A tier with the rules of its subtree, depth first.
type TierWithRules = (TierRecord, Vec<Vec<Rule>>);

impl Resolver {
    pub(super) fn agent(&mut self, block: &Block) {
        let Some(name) = self.required_name(block, "agent") else { return };
        if self.holds_slash(&name, "agent") || !self.declare(NameKind::Agent, &name) {
            return;
        }
        let holder = self.holder(&block.body, Side::Agent, None);
        self.hir.records.agents.push(AgentRecord {
            name,
            domain: holder.domain,
            keys: holder.keys.records,
            resources: holder.resources,
            rules: Vec::new(),
        });
        self.hir.record_rules.agents.push(holder.rules);
    }

    pub(super) fn provider(&mut self, block: &Block) {
        let Some((tier, rules)) = self.tier(block, TierKind::Provider) else { return };
        if self.declare(NameKind::Provider, &tier.name) {
            self.hir.records.providers.push(tier);
            self.hir.record_rules.tiers.extend(rules);
        }
    }

    fn tier(&mut self, block: &Block, kind: TierKind) -> Option<TierWithRules> {
        let name = self.required_name(block, kind.name())?;
        if self.holds_slash(&name, kind.name()) {
            return None;
        }
        let holder = self.holder(&block.body, Side::Pool, Some(kind));
        let mut rules = vec![holder.rules];
        let mut children: Vec<TierRecord> = Vec::new();
        let mut first_spans = FirstSpans::default();
        for (child, child_rules) in holder.children {
            if let Some(first) = first_spans.get(&child.name.text) {
                let word = child.kind.name();
                let problem = declared_twice(word, &child.name.text, child.name.span, *first);
                self.problem(problem);
                continue;
            }
            first_spans.insert(child.name.text.clone(), child.name.span);
            children.push(child);
            rules.extend(child_rules);
        }
        let tier = TierRecord {
            kind,
            name,
            domain: holder.domain,
            keys: holder.keys.records,
            resources: holder.resources,
            rules: Vec::new(),
            reserved_for: holder.reserved_for,
            children,
        };
        Some((tier, rules))
    }

    /// Reports a name with a `/`, which separates the names of a path. Names in data are held to the same.
    fn holds_slash(&mut self, name: &Located, word: &str) -> bool {
        let holds = name.text.contains('/');
        if holds {
            let article = if word.starts_with(['a', 'i']) { "an" } else { "a" };
            let message = format!("the name of {article} {word} holds no `/`: paths are written with it");
            self.problem(Diagnostic::error(Code::B0209, name.span, message).help("use `-` instead"));
        }
        holds
    }

    fn holder(&mut self, body: &ast::Body, side: Side, tier: Option<TierKind>) -> HolderBody {
        let mut holder = HolderBody::default();
        for statement in &body.statements {
            self.holder_statement(statement, side, tier, &mut holder);
        }
        holder
    }

    fn holder_statement(
        &mut self,
        statement: &Statement,
        side: Side,
        tier: Option<TierKind>,
        holder: &mut HolderBody,
    ) {
        match &statement.kind {
            StatementKind::Assign(assign) => self.holder_key(assign, statement.span, side, "", holder),
            StatementKind::Require(rule) | StatementKind::Prefer(rule) if tier != Some(TierKind::Volume) => {
                let required = matches!(statement.kind, StatementKind::Require(_));
                holder.rules.extend(self.rule(rule, required, statement, ExprContext::Rules));
            }
            StatementKind::ReservedFor(role) if tier == Some(TierKind::Volume) => {
                let role = Located { text: role.text.clone(), span: role.span };
                match &holder.reserved_for {
                    Some(first) => {
                        let problem = said_twice("reserved for", statement.span, first.span);
                        self.problem(problem);
                    }
                    None if self.is_reserving(&role) => holder.reserved_for = Some(role),
                    None => {}
                }
            }
            StatementKind::Block(block) => self.holder_block(block, statement, side, tier, holder),
            _ => {
                let inside = tier.map_or("agent", TierKind::name);
                let help = match tier {
                    Some(TierKind::Volume) => "an existing volume holds keys, `resources` and `reserved for`",
                    _ => "it holds keys, `resources`, `require` and `prefer`",
                };
                self.misplaced(statement, &format!("`{inside}`"), help);
            }
        }
    }

    fn holder_block(
        &mut self,
        block: &Block,
        statement: &Statement,
        side: Side,
        tier: Option<TierKind>,
        holder: &mut HolderBody,
    ) {
        // Tiers nest in one order: provider, instance, pool, volume.
        let below = match (tier, &block.kind) {
            (Some(TierKind::Provider), BlockKind::Instance) => Some(TierKind::Instance),
            (Some(TierKind::Instance), BlockKind::Pool) => Some(TierKind::Pool),
            (Some(TierKind::Pool), BlockKind::Volume) => Some(TierKind::Volume),
            _ => None,
        };
        if let Some(below) = below {
            holder.children.extend(self.tier(block, below));
            return;
        }
        match &block.kind {
            BlockKind::Keys(path) => self.nested_keys(&show_path(path), &block.body, side, holder),
            BlockKind::Resources => {
                self.part(PartRecord::Unreserved, &block.body, holder);
            }
            BlockKind::ResourcesFor(role) => {
                if self.is_reserving(&Located { text: role.text.clone(), span: role.span }) {
                    self.part(PartRecord::Reserved(role.text.clone()), &block.body, holder);
                }
            }
            BlockKind::ResourcesRevocable => self.part(PartRecord::Revocable, &block.body, holder),
            BlockKind::Instance | BlockKind::Pool | BlockKind::Volume => {
                let (inside, help) = match (&block.kind, tier) {
                    (BlockKind::Pool, Some(TierKind::Provider)) => {
                        ("`provider`", "put it into an `instance NAME { … }`")
                    }
                    (BlockKind::Volume, _) => ("this block", "an existing volume stands in its `pool`"),
                    _ => (
                        "this block",
                        "the tiers are provider, instance, pool, volume, each inside the one before",
                    ),
                };
                self.misplaced(statement, inside, help);
            }
            _ => self.misplaced(statement, "this block", "it stands at the top of a file"),
        }
    }

    /// Adds the resources of one part (unreserved, reserved for a role, revocable). A part may be spread over
    /// several blocks.
    fn part(&mut self, part: PartRecord, body: &ast::Body, holder: &mut HolderBody) {
        let first_spans = holder.first_spans.entry(part.clone()).or_default();
        let resources = self.resources(&part, body, first_spans);
        holder.resources.extend(resources);
    }

    /// Returns `true` if resources can be reserved for the role. Reports it otherwise.
    fn is_reserving(&mut self, role: &Located) -> bool {
        let problem = no_reservation(&role.text, role.span);
        let valid = problem.is_none();
        problem.into_iter().for_each(|problem| self.problem(problem));
        valid
    }

    fn nested_keys(&mut self, prefix: &str, body: &ast::Body, side: Side, holder: &mut HolderBody) {
        for statement in &body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    self.holder_key(assign, statement.span, side, prefix, holder)
                }
                StatementKind::Block(Block { kind: BlockKind::Keys(path), body, .. }) => {
                    self.nested_keys(&format!("{prefix}.{}", show_path(path)), body, side, holder);
                }
                _ => self.misplaced(
                    statement,
                    &format!("the keys of `{prefix}`"),
                    "it holds `key = value` only",
                ),
            }
        }
    }

    fn holder_key(
        &mut self,
        assign: &ast::Assign,
        span: Span,
        side: Side,
        prefix: &str,
        holder: &mut HolderBody,
    ) {
        let bare = show_path(&assign.key);
        if prefix.is_empty() && bare == "domain" {
            self.no_options(assign);
            if let Some(first) = &holder.domain {
                let problem = said_twice("domain", span, first.span);
                self.problem(problem);
            } else {
                holder.domain = self.place_text(&assign.value);
            }
            return;
        }
        let key = if prefix.is_empty() { bare } else { format!("{prefix}.{bare}") };
        if self.is_built_in(side, &key, assign.key.span) {
            return;
        }
        self.add_key(&mut holder.keys, key, assign, span);
    }

    /// Returns `true` if a key is named like a built-in key of its side, or like a level. Reports it then.
    pub(super) fn is_built_in(&mut self, side: Side, key: &str, span: Span) -> bool {
        let levels = self.scope.levels.iter().map(String::as_str);
        let Some(problem) = built_in(side, key, levels, span) else { return false };
        self.problem(problem);
        true
    }

    pub(super) fn allocation(&mut self, block: &Block) {
        let Some(name) = self.required_name(block, "allocation") else { return };
        if !self.declare(NameKind::Allocation, &name) {
            return;
        }
        let mut record = AllocationRecord { name, framework: None, role: None, need: None, uses: Vec::new() };
        let mut first_spans = FirstSpans::default();
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    let key = show_path(&assign.key);
                    let slot = match key.as_str() {
                        "framework" => &mut record.framework,
                        "role" => &mut record.role,
                        "need" => &mut record.need,
                        _ => {
                            let message = format!("an allocation has no key `{key}`");
                            let help = "it holds `framework`, `role`, `need`, and what it takes: `agent A { … }`, `pool \"p/i/n\" { … }`, `volume \"p/i/n/v\"`";
                            self.problem(Diagnostic::error(Code::B0203, assign.key.span, message).help(help));
                            continue;
                        }
                    };
                    if let Some(first) = slot {
                        let problem = said_twice(&key, statement.span, first.span);
                        self.problem(problem);
                    } else if let Some(text) = self.text(&assign.value, &key)
                        && (key != "role" || self.is_role(&text))
                    {
                        *slot = Some(text);
                    }
                }
                StatementKind::VolumeReference(volume) => {
                    let name = format!("volume {}", show_name(&volume.text));
                    if !self.is_again(&mut first_spans, &name, volume.span) {
                        record.uses.push(UseRecord {
                            holder: Located { text: volume.text.clone(), span: volume.span },
                            kind: UseKind::Volume,
                            amounts: Vec::new(),
                            revocable: false,
                        });
                    }
                }
                StatementKind::Block(Block { kind: BlockKind::Revocable, body, .. }) => {
                    for statement in &body.statements {
                        let StatementKind::Block(block) = &statement.kind else {
                            let help = "it holds what may be taken back: `agent A { cpus = 2 }`";
                            self.misplaced(statement, "`revocable`", help);
                            continue;
                        };
                        self.allocation_uses(block, statement, true, &mut first_spans, &mut record);
                    }
                }
                StatementKind::Block(block) => {
                    self.allocation_uses(block, statement, false, &mut first_spans, &mut record);
                }
                _ => self.misplaced(
                    statement,
                    "`allocation`",
                    "it holds what is taken: `agent A { cpus = 2 }`",
                ),
            }
        }
        self.hir.records.allocations.push(record);
    }

    fn allocation_uses(
        &mut self,
        block: &Block,
        statement: &Statement,
        revocable: bool,
        first_spans: &mut FirstSpans,
        record: &mut AllocationRecord,
    ) {
        let Some(taken) = self.allocation_use(block, statement) else { return };
        // A holder may be used once per part: once as firm and once as revocable.
        let word = if taken.kind == UseKind::Agent { "agent" } else { "pool" };
        let part = if revocable { "revocable " } else { "" };
        let name = format!("{part}{word} {}", show_name(&taken.holder.text));
        if !self.is_again(first_spans, &name, taken.holder.span) {
            record.uses.push(UseRecord { revocable, ..taken });
        }
    }

    fn allocation_use(&mut self, block: &Block, statement: &Statement) -> Option<UseRecord> {
        let kind = match &block.kind {
            BlockKind::Agent => UseKind::Agent,
            BlockKind::Pool => UseKind::Pool,
            BlockKind::Volume => {
                let help = "an existing volume is taken whole: write `volume \"p/i/n/v\"`; for a carved one `pool \"p/i/n\" { size = … }`";
                self.misplaced(statement, "`allocation` with amounts", help);
                return None;
            }
            _ => {
                self.misplaced(statement, "`allocation`", "it holds what is taken: `agent A { cpus = 2 }`");
                return None;
            }
        };
        let holder = self.required_name(block, if kind == UseKind::Agent { "agent" } else { "pool" })?;
        let mut amounts: Vec<AmountRecord> = Vec::new();
        let mut first_spans = FirstSpans::default();
        for statement in &block.body.statements {
            let StatementKind::Assign(assign) = &statement.kind else {
                self.misplaced(statement, "what an allocation takes", "it holds `RESOURCE = AMOUNT` only");
                continue;
            };
            self.no_options(assign);
            let name = show_path(&assign.key);
            if self.is_again(&mut first_spans, &name, statement.span) {
                continue;
            }
            if let Some(amount) = self.amount(&assign.value) {
                amounts.push(AmountRecord { name, amount, span: statement.span });
            }
        }
        Some(UseRecord { holder, kind, amounts, revocable: false })
    }

    /// Returns the name in the head of a block. Reports a missing or empty one.
    pub(super) fn required_name(&mut self, block: &Block, word: &str) -> Option<Located> {
        match &block.name {
            Some(name) if name.text.is_empty() => {
                self.problem(
                    Diagnostic::error(Code::B0209, name.span, format!("the {word} has an empty name"))
                        .help("name it"),
                );
                None
            }
            Some(name) => Some(Located { text: name.text.clone(), span: name.span }),
            None => {
                let message = format!("this `{word}` has no name");
                self.problem(
                    Diagnostic::error(Code::B0209, block.head, message)
                        .help(format!("write `{word} NAME {{ … }}`")),
                );
                None
            }
        }
    }

    /// Declares a name. Reports a second declaration and returns `false`.
    pub(super) fn declare(&mut self, kind: NameKind, name: &Located) -> bool {
        match self.scope.declare(kind, &name.text, name.span) {
            Ok(()) => true,
            Err(problem) => {
                self.problem(problem);
                false
            }
        }
    }

    /// Adds the keys of a nested block, which may nest further.
    pub(super) fn plain_keys(&mut self, prefix: &str, body: &ast::Body, keys: &mut HolderKeys) {
        for statement in &body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    let key = format!("{prefix}.{}", show_path(&assign.key));
                    self.add_key(keys, key, assign, statement.span);
                }
                StatementKind::Block(Block { kind: BlockKind::Keys(path), body, .. }) => {
                    self.plain_keys(&format!("{prefix}.{}", show_path(path)), body, keys);
                }
                _ => self.misplaced(
                    statement,
                    &format!("the keys of `{prefix}`"),
                    "it holds `key = value` only",
                ),
            }
        }
    }

    /// Returns `true` if a preference may have this weight, in millionths. Reports it otherwise.
    pub(super) fn is_weight(&mut self, weight: i64, span: Span) -> bool {
        let fits = weight.unsigned_abs() <= 1_000_000 * crate::quantity::MILLION.unsigned_abs();
        if !fits {
            let message = "a weight is a number from -1000000 to 1000000";
            self.problem(
                Diagnostic::error(Code::B0308, span, message).help("scale the weights of the set down"),
            );
        }
        fits
    }

    /// Binds a rule with its label and weight.
    pub(super) fn rule(
        &mut self,
        rule: &ast::Rule,
        required: bool,
        statement: &Statement,
        view: ExprContext,
    ) -> Option<Rule> {
        let strength = match (required, rule.weight) {
            (true, Some(weight)) => {
                let help = "only `prefer` has a weight; `require` holds or not";
                self.problem(
                    Diagnostic::error(Code::B0208, weight.span, "a requirement has no weight").help(help),
                );
                Strength::Require
            }
            (true, None) => Strength::Require,
            (false, weight) => {
                Strength::Prefer(weight.map_or(crate::quantity::MILLION, |weight| weight.millionths))
            }
        };
        if let (Some(number), Strength::Prefer(weight)) = (rule.weight, strength)
            && !self.is_weight(weight, number.span)
        {
            return None;
        }
        let expr = self.expr(view, &rule.expr)?;
        let label = rule.label.as_ref().map(|label| label.text.clone());
        Some(Rule { label, strength, expr, span: statement.span, docs: statement.docs.clone() })
    }
}

/// Returns the word of a statement that is a bare word, such as `fast`. The author likely meant `is fast`.
pub(super) fn bare_word(statement: &Statement) -> Option<String> {
    match &statement.kind {
        StatementKind::Condition(ast::Expr { kind: ExprKind::Path(path), .. }) => {
            Some(join_key(path.segments.iter().map(|segment| segment.text.as_str())))
        }
        StatementKind::Condition(ast::Expr { kind: ExprKind::Literal(Literal::Text(text)), .. }) => {
            Some(show_name(text))
        }
        _ => None,
    }
}
