//! Frameworks and needs: what is asked for, with the placement constraints on it.

use super::{
    Resolver,
    expr::{ExprContext, show_path},
    hir::{Ask, AskAmount, ClassAsk, ExprKind, Framework, Need, Place, Request, Rule, Volume},
    holder::bare_word,
    literal::{said_twice, whole_ranges},
    once::{FirstSpans, FrameworkNeeds, HolderKeys, volume_named},
    scope::NameKind,
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, no_role},
    inventory::records::{Located, Raw},
    keys::{self, BuiltIn, BuiltInKind},
    limits,
    operator::Strength,
    parse::ast::{self, Block, BlockKind, Literal, Statement, StatementKind},
    quantity::Dimension,
    ranges::Ranges,
    source::Span,
    types::{Side, Type},
};

impl Resolver {
    pub(super) fn framework(&mut self, block: &Block, docs: &[String]) {
        let Some(name) = self.required_name(block, "framework") else { return };
        if !self.declare(NameKind::Framework, &name) {
            return;
        }
        let mut keys = HolderKeys::default();
        let mut needs = FrameworkNeeds::default();
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => self.framework_key(assign, statement.span, &mut keys),
                StatementKind::Block(block) => match &block.kind {
                    BlockKind::Need => {
                        if let Some(need) = self.need(block, &statement.docs, &needs) {
                            needs.push(need);
                        }
                    }
                    BlockKind::Keys(path) => self.plain_keys(&show_path(path), &block.body, &mut keys),
                    _ => self.misplaced(statement, "`framework`", FRAMEWORK_HELP),
                },
                _ => self.misplaced(statement, "`framework`", FRAMEWORK_HELP),
            }
        }
        let (keys, needs) = (keys.records, needs.list);
        let stated = keys.iter().find(|key| key.key == BuiltIn::Role.text());
        let role = match stated.map(|key| &key.value) {
            Some(Raw::Text(role)) => role.clone(),
            _ => "*".to_owned(),
        };
        let span = stated.map_or(name.span, |key| key.span);
        no_role(&role, span).into_iter().for_each(|problem| self.problem(problem));
        self.hir.frameworks.push(Framework { name, role, keys, needs, docs: docs.to_vec() });
    }

    /// Binds a need at top level. It stands for a framework of the same name with role `*`.
    pub(super) fn lone_need(&mut self, block: &Block, docs: &[String]) {
        let Some(name) = self.required_name(block, "need") else { return };
        if !self.declare(NameKind::Framework, &name) {
            return;
        }
        let Some(need) = self.need(block, docs, &FrameworkNeeds::default()) else { return };
        let (role, keys) = ("*".to_owned(), Vec::new());
        self.hir.frameworks.push(Framework { name, role, keys, needs: vec![need], docs: Vec::new() });
    }

    fn framework_key(&mut self, assign: &ast::Assign, span: Span, keys: &mut HolderKeys) {
        let key = show_path(&assign.key);
        if self.is_built_in(Side::Framework, &key, assign.key.span) {
            return;
        }
        let property = keys::property(Side::Framework, &key);
        if property.is_some_and(|known| known.kind == BuiltInKind::Of(Type::Text)) {
            let Some(text) = self.text(&assign.value, &key) else { return };
            if key == BuiltIn::Role.text() && !self.is_role(&text) {
                return;
            }
        }
        self.add_key(keys, key, assign, span);
    }

    fn need(&mut self, block: &Block, docs: &[String], earlier: &FrameworkNeeds) -> Option<Need> {
        let name = self.required_name(block, "need")?;
        if let Some(first) = earlier.find(&name.text) {
            let problem = declared_twice("need", &name.text, name.span, first.name.span);
            self.problem(problem);
            return None;
        }
        let mut need = Need {
            name,
            count: 1,
            keys: Vec::new(),
            agent: None,
            places: Vec::new(),
            volumes: Vec::new(),
            all_or_nothing: false,
            accept_revocable: false,
            docs: docs.to_vec(),
        };
        // Volumes are bound first. Placement constraints of the need may refer to a volume declared below
        // them.
        for statement in &block.body.statements {
            if let StatementKind::Block(inner) = &statement.kind
                && inner.kind == BlockKind::Volume
            {
                let volume = self.volume(inner, &need.volumes, earlier);
                need.volumes.extend(volume);
            }
        }
        let mut seen = SeenStatements::default();
        for statement in &block.body.statements {
            self.need_statement(statement, &mut need, earlier, &mut seen);
        }
        need.keys = seen.keys.records;
        // Placement constraints of a need are about its agent, so they imply one.
        if need.agent.is_none() && !need.places.is_empty() {
            need.agent = Some(Request::default());
        }
        if need.agent.is_none() && need.volumes.is_empty() {
            if self.is_broken(block.body.span) {
                return None;
            }
            let message = format!("need `{}` asks for nothing", need.name.text);
            let help = "ask for something: `agent { cpus = 1 }` or `volume data { size = 1TB }`";
            self.problem(Diagnostic::error(Code::B0404, need.name.span, message).help(help));
            return None;
        }
        // Each volume's count is bounded, so the sum does not overflow.
        let wanted: u64 = need.volumes.iter().map(|volume| volume.count).sum();
        if wanted > limits::VOLUMES_PER_NEED as u64 {
            let message = format!(
                "need `{}` wants {wanted} volumes; at most {} are held",
                need.name.text,
                limits::VOLUMES_PER_NEED
            );
            self.problem(
                Diagnostic::error(Code::B0308, need.name.span, message).help("split it into several needs"),
            );
            return None;
        }
        Some(need)
    }

    fn need_statement(
        &mut self,
        statement: &Statement,
        need: &mut Need,
        earlier: &FrameworkNeeds,
        seen: &mut SeenStatements,
    ) {
        match &statement.kind {
            StatementKind::Assign(assign) => self.need_key(assign, statement.span, need, seen),
            StatementKind::Block(block) => match &block.kind {
                BlockKind::Volume => {}
                BlockKind::Agent => {
                    if let Some(name) = &block.name {
                        let message = "the `agent` of a need has no name: the broker chooses it";
                        let help = "write `agent { … }`; to keep to one agent, ask for a class that only it is in";
                        self.problem(Diagnostic::error(Code::B0209, name.span, message).help(help));
                    }
                    if let Some(first) = seen.agent.replace(block.head) {
                        let problem = said_twice("agent", block.head, first);
                        self.problem(problem);
                        return;
                    }
                    need.agent = Some(self.agent_request(&block.body));
                }
                BlockKind::Keys(path) => self.plain_keys(&show_path(path), &block.body, &mut seen.keys),
                _ => self.misplaced(statement, "`need`", NEED_HELP),
            },
            StatementKind::AllOrNothing => self.flag(statement, "all or nothing", &mut seen.whole, &mut need.all_or_nothing),
            StatementKind::AcceptRevocable => self.flag(statement, "accept revocable", &mut seen.revocable, &mut need.accept_revocable),
            StatementKind::Place(place) => {
                let place = self.place(place, Strength::Require, statement.span, Side::Agent, &need.volumes, earlier);
                need.places.extend(place);
            }
            StatementKind::PreferPlace { place, weight } => {
                let strength = self.preferred_place(*weight);
                let place = self.place(place, strength, statement.span, Side::Agent, &need.volumes, earlier);
                need.places.extend(place);
            }
            StatementKind::Prefer(_) => self.misplaced(
                statement,
                "`need`",
                "a need prefers places only: `prefer within \"us-west/a\" weight 10`; other preferences are the operator's",
            ),
            StatementKind::Condition(_) => self.misplaced(
                statement,
                "`need` itself",
                "conditions stand in its `agent { … }` or in a `volume NAME { … }`",
            ),
            _ => self.misplaced(statement, "`need`", NEED_HELP),
        }
    }

    fn need_key(&mut self, assign: &ast::Assign, span: Span, need: &mut Need, seen: &mut SeenStatements) {
        let key = show_path(&assign.key);
        if key == BuiltIn::Count.text() {
            if let Some(first) = seen.count.replace(span) {
                let problem = said_twice(&key, span, first);
                self.problem(problem);
            } else if let Some(count) = self.count(assign, limits::NEED_COUNT) {
                need.count = count;
            }
            return;
        }
        if self.is_built_in(Side::Need, &key, assign.key.span) {
            return;
        }
        self.add_key(&mut seen.keys, key, assign, span);
    }

    fn count(&mut self, assign: &ast::Assign, most: i64) -> Option<u64> {
        self.no_options(assign);
        match self.literal(&assign.value)? {
            Literal::Quantity(quantity) if quantity.dimension == Dimension::Number => {
                self.whole(quantity.amount, assign.value.span, "count", 1, most)
            }
            _ => self.whole(-1, assign.value.span, "count", 1, most),
        }
    }

    fn agent_request(&mut self, body: &ast::Body) -> Request {
        let mut request = Request::default();
        let mut first_spans = FirstSpans::default();
        for statement in &body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    self.ask(assign, statement.span, &mut request, &mut first_spans)
                }
                StatementKind::Condition(expr) => {
                    self.request_condition(expr, statement, Side::Agent, &mut request)
                }
                StatementKind::Place(_) | StatementKind::PreferPlace { .. } => self.misplaced(
                    statement,
                    "the `agent` of a need",
                    "places of the agent stand beside the block, in the need itself",
                ),
                _ => self.misplaced(statement, "the `agent` of a need", REQUEST_HELP),
            }
        }
        request
    }

    fn volume(&mut self, block: &Block, before: &[Volume], earlier: &FrameworkNeeds) -> Option<Volume> {
        let name = self.required_name(block, "volume")?;
        if let Some(first) = volume_named(before, &name.text).map(|at| &before[at]) {
            let problem = declared_twice("volume", &name.text, name.span, first.name.span);
            self.problem(problem);
            return None;
        }
        let mut volume = Volume {
            name,
            count: 1,
            request: Request::default(),
            filesystem: None,
            read_only: false,
            source: None,
            places: Vec::new(),
        };
        let mut first_spans = FirstSpans::default();
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Assign(assign) => {
                    self.volume_key(assign, statement.span, &mut volume, &mut first_spans)
                }
                StatementKind::Condition(expr) => {
                    self.request_condition(expr, statement, Side::Pool, &mut volume.request);
                }
                StatementKind::Place(place) => {
                    let place =
                        self.place(place, Strength::Require, statement.span, Side::Pool, before, earlier);
                    volume.places.extend(place);
                }
                StatementKind::PreferPlace { place, weight } => {
                    let strength = self.preferred_place(*weight);
                    let place = self.place(place, strength, statement.span, Side::Pool, before, earlier);
                    volume.places.extend(place);
                }
                _ => self.misplaced(statement, "the `volume` of a need", REQUEST_HELP),
            }
        }
        Some(volume)
    }

    fn volume_key(
        &mut self,
        assign: &ast::Assign,
        span: Span,
        volume: &mut Volume,
        first_spans: &mut FirstSpans,
    ) {
        let key = show_path(&assign.key);
        let Some(property) = keys::property(Side::Volume, &key) else {
            self.ask(assign, span, &mut volume.request, first_spans);
            return;
        };
        if self.is_again(first_spans, &key, span) {
            return;
        }
        match property.word {
            BuiltIn::Count => {
                if let Some(count) = self.count(assign, limits::VOLUMES_PER_NEED as i64) {
                    volume.count = count;
                }
            }
            BuiltIn::Filesystem => volume.filesystem = self.text(&assign.value, &key),
            BuiltIn::Access => {
                let Some(access) = self.text(&assign.value, &key) else { return };
                match access.text.as_str() {
                    "ro" => volume.read_only = true,
                    "rw" => {}
                    _ => {
                        let message = format!("no access is named `{}`", access.text);
                        self.problem(
                            Diagnostic::error(Code::B0203, access.span, message)
                                .help("write `\"rw\"` or `\"ro\"`"),
                        );
                    }
                }
            }
            _ => volume.source = self.source(&assign.value),
        }
    }

    /// Binds the path of the existing volume that a volume is a snapshot of.
    fn source(&mut self, value: &ast::Expr) -> Option<Located> {
        let source = self.text(value, "source")?;
        if source.text.split('/').count() == 4 && source.text.split('/').all(|name| !name.is_empty()) {
            return Some(source);
        }
        let message = format!("`{}` is not the path of a volume", source.text);
        let help = "write `source = \"provider/instance/pool/volume\"`";
        self.problem(Diagnostic::error(Code::B0209, source.span, message).help(help));
        None
    }

    /// Binds a request for an amount.
    fn ask(&mut self, assign: &ast::Assign, span: Span, request: &mut Request, first_spans: &mut FirstSpans) {
        self.no_options(assign);
        let resource = show_path(&assign.key);
        if self.is_again(first_spans, &resource, span) {
            return;
        }
        let Some(literal) = self.literal(&assign.value) else { return };
        let problem = |message: &str, help: String| {
            Diagnostic::error(Code::B0314, assign.value.span, message).help(help)
        };
        // Each kind of literal that is no amount gets its own advice; most are conditions written with `=`.
        let result = match literal {
            Literal::Quantity(quantity) => {
                Ok(AskAmount::Scalar(quantity.dimension, quantity.amount, quantity.amount))
            }
            Literal::Span(low, high) if low.amount > high.amount => Err(problem(
                "the lower end is above the upper end",
                format!("write `{resource} = {high}..{low}`"),
            )),
            Literal::Span(low, high) => Ok(AskAmount::Scalar(low.dimension, low.amount, high.amount)),
            Literal::Ranges(ranges) => Ok(AskAmount::Ranges(ranges.clone())),
            Literal::Numbers(numbers) => match whole_ranges(numbers) {
                Some(ranges) => Ok(AskAmount::Ranges(ranges)),
                None => Err(problem(
                    "ranges are of whole numbers",
                    format!("write `{resource} = [8080, 9000..9001]`"),
                )),
            },
            Literal::Texts(texts) => match self.items(texts) {
                Some(items) => Ok(AskAmount::Items(items)),
                None => return,
            },
            // An empty list requests nothing, of items as of ranges.
            Literal::EmptyList => Ok(AskAmount::Ranges(Ranges::default())),
            Literal::Text(text) => Err(problem(
                "an amount is expected here, not a text",
                format!("a condition is written with `==`: `{resource} == \"{text}\"`"),
            )),
            Literal::Unlimited => {
                Err(problem("a need does not ask for `unlimited`", "ask for what is needed".to_owned()))
            }
            Literal::Bool(value) => Err(problem(
                "an amount is expected here",
                format!("a condition is written with `==`: `{resource} == {value}`"),
            )),
            Literal::Percent(_) | Literal::Version(_) => {
                Err(problem("an amount is expected here", format!("write `{resource} = 4` or with a unit")))
            }
        };
        let negative = matches!(result, Ok(AskAmount::Scalar(_, low, _)) if low < 0);
        match result {
            Ok(_) if negative => {
                let message = "a need asks for 0 or more".to_owned();
                self.problem(
                    Diagnostic::error(Code::B0507, assign.value.span, message).help("remove the sign"),
                );
            }
            Ok(amount) => request.amounts.push(Ask { resource, amount, span }),
            Err(problem) => self.problem(problem),
        }
    }

    /// Binds a requested class, or a condition on exposed keys.
    fn request_condition(
        &mut self,
        expr: &ast::Expr,
        statement: &Statement,
        side: Side,
        request: &mut Request,
    ) {
        if let Some(word) = bare_word(statement) {
            let message = format!("`{word}` alone is no condition");
            let help = format!("for a class write `is {word}`; for an amount `{word} = …`");
            self.problem(Diagnostic::error(Code::B0303, statement.span, message).help(help));
            return;
        }
        // `is CLASS` and `not is CLASS` at the top are requests for classes, which are matched and explained
        // apart from conditions.
        let (class, negated) = match &expr.kind {
            ast::ExprKind::Is(None, class) => (Some(class), false),
            ast::ExprKind::Not(inner) => match &inner.kind {
                ast::ExprKind::Is(None, class) => (Some(class), true),
                _ => (None, false),
            },
            _ => (None, false),
        };
        if let Some(class) = class {
            if let Some(class) = self.class_for(class, side) {
                request.classes.push(ClassAsk { class, negated, span: statement.span });
            }
            return;
        }
        let Some(expr) = self.expr(ExprContext::Need(side), expr) else { return };
        // A literal would pass the type check of conditions if it were `true`.
        if let ExprKind::Literal(_) = expr.kind {
            let message = "a value alone is no condition";
            self.problem(
                Diagnostic::error(Code::B0303, statement.span, message).help("compare a key with it"),
            );
            return;
        }
        let docs = statement.docs.clone();
        request.conditions.push(Rule {
            label: None,
            strength: Strength::Require,
            expr,
            span: statement.span,
            docs,
        });
    }

    /// Sets a flag. Reports a second statement that sets it.
    fn flag(&mut self, statement: &Statement, words: &str, seen: &mut Option<Span>, flag: &mut bool) {
        match seen {
            Some(first) => {
                let problem = said_twice(words, statement.span, *first);
                self.problem(problem);
            }
            None => (*seen, *flag) = (Some(statement.span), true),
        }
    }

    fn preferred_place(&mut self, weight: Option<ast::Number>) -> Strength {
        let million = crate::quantity::MILLION;
        let Some(weight) = weight else { return Strength::Prefer(million) };
        if (0..=100 * million).contains(&weight.millionths) {
            return Strength::Prefer(weight.millionths);
        }
        let message = "the weight of a preferred place is a number from 0 to 100";
        self.problem(Diagnostic::error(Code::B0308, weight.span, message).help("write `weight 50`"));
        Strength::Prefer(million)
    }
}

#[derive(Default)]
struct SeenStatements {
    whole: Option<Span>,
    revocable: Option<Span>,
    agent: Option<Span>,
    count: Option<Span>,
    keys: HolderKeys,
}

const FRAMEWORK_HELP: &str = "it holds `role`, `principal`, `capabilities`, other keys and `need NAME { … }`";
const NEED_HELP: &str = "it holds `count`, `agent { … }`, `volume NAME { … }`, places and keys of its own";
const REQUEST_HELP: &str =
    "it holds amounts (`cpus = 4`), classes (`is fast`), exposed conditions (`os == \"linux\"`)";

/// A bound placement constraint; `None` if it was reported and left out.
pub(super) type BoundPlace = Option<Place>;
