//! Literals: values of keys and amounts of resources.

use super::{Resolver, once::FirstSpans};
use crate::{
    diagnostic::{Code, Diagnostic, hidden_character},
    inventory::records::{
        KeyRecord, Located, PartRecord, Raw, RawAmount, Reserved, ResourceOptions, ResourceRecord,
    },
    limits,
    parse::ast::{self, Expr, ExprKind, Literal, StatementKind},
    quantity::{Dimension, MILLION, Quantity},
    ranges::Ranges,
    source::Span,
    value::{place_depth, show_name},
};

impl Resolver {
    /// Returns the literal that an expression is. Reports any other expression, since values of keys are
    /// literals.
    pub(super) fn literal<'e>(&mut self, expr: &'e Expr) -> Option<&'e Literal> {
        if let ExprKind::Literal(literal) = &expr.kind {
            return Some(literal);
        }
        let help = match &expr.kind {
            ExprKind::Path(path) => {
                format!(
                    "a text is quoted: `\"{}\"`",
                    path.segments.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(".")
                )
            }
            _ => "write the value itself; `let` and rules compute".to_owned(),
        };
        self.problem(
            Diagnostic::error(Code::B0312, expr.span, "a value is expected here, not an expression")
                .help(help),
        );
        None
    }

    /// Returns the value of a key.
    pub(super) fn raw(&mut self, expr: &Expr) -> Option<Raw> {
        let raw = match self.literal(expr)? {
            Literal::Bool(value) => Raw::Bool(*value),
            Literal::Quantity(quantity) | Literal::Percent(quantity) => Raw::Quantity(*quantity),
            Literal::Text(text) => Raw::Text(text.clone()),
            Literal::Version(version) => Raw::Version(version.clone()),
            Literal::EmptyList => Raw::Empty,
            Literal::Texts(texts) => Raw::Texts(texts.iter().map(|text| text.text.clone()).collect()),
            Literal::Numbers(numbers) => {
                Raw::Numbers(numbers.iter().map(|number| number.millionths).collect())
            }
            Literal::Ranges(ranges) => Raw::Ranges(ranges.clone()),
            Literal::Unlimited | Literal::Span(..) => {
                let message = "this is an amount of a resource, not the value of a key";
                let help = "resources stand in `resources { … }`";
                self.problem(Diagnostic::error(Code::B0314, expr.span, message).help(help));
                return None;
            }
        };
        Some(raw)
    }

    /// Returns a text that names something: a role, a framework, a place.
    pub(super) fn text(&mut self, expr: &Expr, what: &str) -> Option<Located> {
        match self.literal(expr)? {
            Literal::Text(text) => match hidden_character(text, expr.span) {
                None => Some(Located { text: text.clone(), span: expr.span }),
                Some(problem) => {
                    self.problem(problem);
                    None
                }
            },
            _ => {
                let message = format!("`{what}` is a text");
                self.problem(
                    Diagnostic::error(Code::B0301, expr.span, message)
                        .help(format!("write `{what} = \"…\"`")),
                );
                None
            }
        }
    }

    /// Returns a place: a path of fault domains, outermost first.
    pub(super) fn place_text(&mut self, expr: &Expr) -> Option<Located> {
        let text = self.text(expr, "domain")?;
        self.valid_place(&text.text, text.span).then_some(text)
    }

    pub(super) fn valid_place(&mut self, text: &str, span: Span) -> bool {
        let Some(depth) = place_depth(text) else {
            let message = format!("`\"{text}\"` is not a place");
            let help = "a place is a path of names, outermost first: `\"us-west/a/r1\"`";
            self.problem(Diagnostic::error(Code::B0311, span, message).help(help));
            return false;
        };
        if depth > limits::LEVELS {
            let message = format!("a place of {depth} levels; at most {} are held", limits::LEVELS);
            self.problem(Diagnostic::error(Code::B0311, span, message).help("leave the innermost parts out"));
            return false;
        }
        true
    }

    /// Returns a whole number within bounds, for `count`, `at most`, `skew` and `at least`.
    pub(super) fn whole(
        &mut self,
        millionths: i64,
        span: Span,
        what: &str,
        least: i64,
        most: i64,
    ) -> Option<u64> {
        let whole = (millionths % MILLION == 0).then_some(millionths / MILLION);
        match whole {
            Some(whole) if (least..=most).contains(&whole) => u64::try_from(whole).ok(),
            _ => {
                let message = format!("`{what}` is a whole number from {least} to {most}");
                let equals = if what == "count" { " =" } else { "" };
                let help = format!("write for example `{what}{equals} {}`", least.max(1));
                self.problem(Diagnostic::error(Code::B0308, span, message).help(help));
                None
            }
        }
    }

    /// Returns a key with its value as a record.
    pub(super) fn key_record(&mut self, key: String, assign: &ast::Assign, span: Span) -> Option<KeyRecord> {
        self.no_options(assign);
        Some(KeyRecord { key, value: self.raw(&assign.value)?, span })
    }

    /// Reports options after anything but a resource.
    pub(super) fn no_options(&mut self, assign: &ast::Assign) {
        if let Some(options) = &assign.options {
            let message = "only a resource has options in braces";
            let help = "resources stand in `resources { … }` of an agent, provider, instance, pool or volume";
            self.problem(Diagnostic::error(Code::B0208, options.span, message).help(help));
        }
    }

    /// Reads the statements of `resources { … }`.
    pub(super) fn resources(
        &mut self,
        part: &PartRecord,
        body: &ast::Body,
        first_spans: &mut FirstSpans,
    ) -> Vec<ResourceRecord> {
        let mut resources: Vec<ResourceRecord> = Vec::new();
        for statement in &body.statements {
            let StatementKind::Assign(assign) = &statement.kind else {
                self.misplaced(statement, "`resources`", "it holds `NAME = AMOUNT` only");
                continue;
            };
            let name = super::expr::show_path(&assign.key);
            if self.is_again(first_spans, &name, statement.span) {
                continue;
            }
            let Some(amount) = self.amount(&assign.value) else { continue };
            let options = assign.options.as_ref().map(|body| Box::new(self.options(body)));
            resources.push(ResourceRecord {
                part: part.clone(),
                name,
                amount,
                options,
                span: statement.span,
            });
        }
        resources
    }

    /// Returns the amount of a resource.
    pub(super) fn amount(&mut self, expr: &Expr) -> Option<RawAmount> {
        let problem = match self.literal(expr)? {
            Literal::Quantity(quantity) if quantity.amount < 0 => {
                Diagnostic::error(Code::B0507, expr.span, format!("a negative amount: `{quantity}`"))
                    .help("an amount is 0 or more")
            }
            Literal::Quantity(quantity) => return Some(RawAmount::Quantity(*quantity)),
            Literal::Unlimited => return Some(RawAmount::Unlimited),
            Literal::Ranges(ranges) => return Some(RawAmount::Ranges(ranges.clone())),
            // An empty list has no kind of its own. As items it means that there is none of the resource.
            Literal::EmptyList => return Some(RawAmount::Items(Vec::new())),
            Literal::Texts(texts) => return self.items(texts).map(RawAmount::Items),
            Literal::Numbers(numbers) => {
                if let Some(ranges) = whole_ranges(numbers) {
                    return Some(RawAmount::Ranges(ranges));
                }
                Diagnostic::error(Code::B0314, expr.span, "ranges are of whole numbers")
                    .help("write `[31000..32000]` or `[1, 2, 3]`")
            }
            _ => Diagnostic::error(Code::B0314, expr.span, "this is not an amount")
                .help("an amount is a number, a quantity with its unit, ranges such as `[1..9]`, named items such as `[\"g0\"]`, or `unlimited`"),
        };
        self.problem(problem);
        None
    }

    /// Returns named items. Each may occur once, since they are counted one by one.
    pub(super) fn items(&mut self, texts: &[ast::Name]) -> Option<Vec<String>> {
        let mut first_spans = FirstSpans::default();
        let mut once = true;
        for text in texts {
            once &= !self.is_again(&mut first_spans, &text.text, text.span);
            if let Some(problem) = hidden_character(&text.text, text.span) {
                self.problem(problem);
                once = false;
            }
        }
        once.then(|| texts.iter().map(|text| text.text.clone()).collect())
    }

    fn options(&mut self, body: &ast::Body) -> ResourceOptions {
        let mut options = ResourceOptions::default();
        for statement in &body.statements {
            let StatementKind::Assign(assign) = &statement.kind else {
                self.misplaced(statement, "the options of a resource", OPTIONS_HELP);
                continue;
            };
            let span = statement.span;
            let name = super::expr::show_path(&assign.key);
            let twice = match name.as_str() {
                "reserved" => {
                    let reserved = match &assign.value.kind {
                        ExprKind::Literal(Literal::Percent(part)) => Some(Reserved::Fraction(part.amount)),
                        _ => self.amount(&assign.value).map(Reserved::Amount),
                    };
                    set(&mut options.reserved, reserved, span)
                }
                "step" => set(&mut options.step, self.amount(&assign.value), span),
                "min" => set(&mut options.min, self.amount(&assign.value), span),
                "max" => set(&mut options.max, self.amount(&assign.value), span),
                "overcommit" => set(&mut options.overcommit, self.factor(&assign.value), span),
                _ => {
                    let message = format!("a resource has no option `{name}`");
                    self.problem(Diagnostic::error(Code::B0203, assign.key.span, message).help(OPTIONS_HELP));
                    None
                }
            };
            if let Some(first) = twice {
                let problem = said_twice(&name, span, first);
                self.problem(problem);
            }
        }
        options
    }

    fn factor(&mut self, expr: &Expr) -> Option<i64> {
        match self.literal(expr)? {
            Literal::Quantity(Quantity { dimension: Dimension::Number, amount })
            | Literal::Percent(Quantity { amount, .. }) => Some(*amount),
            _ => {
                let message = "`overcommit` is a number";
                self.problem(
                    Diagnostic::error(Code::B0314, expr.span, message)
                        .help("write `overcommit = 1.5` or `150%`"),
                );
                None
            }
        }
    }
}

const OPTIONS_HELP: &str = "the options are `reserved`, `step`, `min`, `max` and `overcommit`";

/// Sets an option. Returns the span of the first occurrence if it was set before.
fn set<T>(slot: &mut Option<(T, Span)>, value: Option<T>, span: Span) -> Option<Span> {
    if let Some((_, first)) = slot {
        return Some(*first);
    }
    *slot = value.map(|value| (value, span));
    None
}

/// Returns whole numbers as ranges, or `None` if one is not whole.
pub(super) fn whole_ranges(numbers: &[ast::Number]) -> Option<Ranges> {
    let whole = |number: &ast::Number| {
        (number.millionths % MILLION == 0)
            .then_some((number.millionths / MILLION, number.millionths / MILLION))
    };
    numbers.iter().map(whole).collect::<Option<Vec<_>>>().map(Ranges::new)
}

/// Returns the error for a key or statement that occurs twice.
pub(super) fn said_twice(name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::B0212, second, format!("`{}` is said twice", show_name_or_key(name)))
        .label("again here")
        .also(first, "first here")
        .help("keep one of them")
}

fn show_name_or_key(name: &str) -> String {
    if name.contains(['.', '"', ' ']) { name.to_owned() } else { show_name(name) }
}
