//! Expressions: every path becomes a key of a side, a class or a let.
//!
//! A bare name means different things in a rule, a class and a need. [`ExprContext`] says which of them
//! surrounds the expression. The view of a need also guards what frameworks may learn: it lets exposed keys
//! through and no others.

use super::{
    Resolver,
    hir::{DefinitionId, DefinitionKind, Expr, ExprKind, Key, Read},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    keys::{self, BuiltIn},
    operator::Function,
    parse::ast,
    source::Span,
    types::Side,
    value::{is_plain_name, join_key, quote, show_name},
};

/// The context of an expression, which decides what a bare name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExprContext {
    /// A rule, let or charge. A key is written with its side, and a bare name is a let.
    Rules,
    /// The body of a class. A bare name is a key of the candidate.
    Class(Side),
    /// A condition of a need. A bare name is an exposed key of the side.
    Need(Side),
}

impl Resolver {
    /// Binds an expression. Returns `None` after reporting a problem in it.
    pub(super) fn expr(&mut self, view: ExprContext, expr: &ast::Expr) -> Option<Expr> {
        let kind = match &expr.kind {
            ast::ExprKind::Literal(ast::Literal::Unlimited) => {
                self.problem(
                    Diagnostic::error(
                        Code::B0314,
                        expr.span,
                        "`unlimited` is an amount of a resource, not a value",
                    )
                    .help("compare with a quantity, or leave the condition out"),
                );
                return None;
            }
            ast::ExprKind::Literal(ast::Literal::Span(..)) => {
                self.problem(
                    Diagnostic::error(
                        Code::B0314,
                        expr.span,
                        "a lower and an upper end are for amounts of a need",
                    )
                    .help("write two conditions with `and`"),
                );
                return None;
            }
            ast::ExprKind::Literal(literal) => ExprKind::Literal(literal.clone()),
            ast::ExprKind::Path(path) => self.path(view, path)?,
            ast::ExprKind::Not(inner) => ExprKind::Not(Box::new(self.expr(view, inner)?)),
            ast::ExprKind::Negate(inner) => ExprKind::Negate(Box::new(self.expr(view, inner)?)),
            ast::ExprKind::And(parts) => ExprKind::And(self.exprs(view, parts)?),
            ast::ExprKind::Or(parts) => ExprKind::Or(self.exprs(view, parts)?),
            ast::ExprKind::Test(op, left, right) => {
                let (left, right) = (self.expr(view, left), self.expr(view, right));
                // Both operands are bound before either is given up, so that problems of both are reported.
                let (left, right) = (left?, right?);
                self.two_literals(view, expr.span, &left, &right)?;
                ExprKind::Test(*op, Box::new(left), Box::new(right))
            }
            ast::ExprKind::Matches(subject, pattern) => {
                ExprKind::Matches(Box::new(self.expr(view, subject)?), pattern.clone())
            }
            ast::ExprKind::Is(subject, class) => {
                let side = self.subject(view, subject.as_ref(), expr.span)?;
                ExprKind::Named(self.class_for(class, side)?)
            }
            ast::ExprKind::IsAbsent(path) => ExprKind::IsAbsent(self.key(view, path)?),
            ast::ExprKind::IsPresent(path) => ExprKind::IsPresent(self.key(view, path)?),
            ast::ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (self.expr(view, left), self.expr(view, right));
                ExprKind::Arithmetic(*op, Box::new(left?), Box::new(right?))
            }
            ast::ExprKind::Else(path, default) => {
                let (key, default) = (self.key(view, path), self.expr(view, default));
                ExprKind::Else(key?, Box::new(default?))
            }
            ast::ExprKind::Call(name, arguments) => self.call(view, name, arguments)?,
        };
        Some(Expr { span: expr.span, kind })
    }

    /// Binds several expressions and reports the problems of all.
    pub(super) fn exprs(&mut self, view: ExprContext, exprs: &[ast::Expr]) -> Option<Vec<Expr>> {
        let bound: Vec<_> = exprs.iter().map(|expr| self.expr(view, expr)).collect();
        bound.into_iter().collect()
    }

    /// Reports a comparison of two literals, which has the same result for every candidate. The author likely
    /// quoted a key.
    fn two_literals(&mut self, view: ExprContext, span: Span, left: &Expr, right: &Expr) -> Option<()> {
        let (ExprKind::Literal(value), ExprKind::Literal(_)) = (&left.kind, &right.kind) else {
            return Some(());
        };
        let help = match (value, view) {
            (ast::Literal::Text(text), ExprContext::Class(side) | ExprContext::Need(side)) => {
                format!("in quotes it is a text; for the key write `{side}.{}`", quote(text))
            }
            (ast::Literal::Text(text), ExprContext::Rules) => {
                format!("in quotes it is a text; for a key write its side: `agent.{}`", quote(text))
            }
            _ => "compare a key with a value".to_owned(),
        };
        let message = "two values are compared here, and no key";
        self.problem(Diagnostic::error(Code::B0303, span, message).help(help));
        None
    }

    fn call(&mut self, view: ExprContext, name: &ast::Name, arguments: &[ast::Expr]) -> Option<ExprKind> {
        let Some(function) = Function::from_name(&name.text) else {
            let known = Function::ALL.map(Function::name);
            let help = match nearest(&name.text, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the functions are `{}`", known.join("`, `")),
            };
            let message = format!("no function is named `{}`", name.text);
            self.problem(Diagnostic::error(Code::B0218, name.span, message).help(help));
            return None;
        };
        let (least, most) = function.arity();
        if arguments.len() < least || arguments.len() > most {
            let message = format!("`{}` with {} arguments", function.name(), arguments.len());
            let help = format!("it is called as `{}`", function.signature());
            self.problem(Diagnostic::error(Code::B0306, name.span, message).help(help));
            return None;
        }
        Some(ExprKind::Call(function, self.exprs(view, arguments)?))
    }

    /// Returns the class of a name. Reports a class that is unknown or for another side.
    pub(super) fn class_for(&mut self, class: &ast::ClassName, side: Side) -> Option<DefinitionId> {
        let path = &class.path;
        let plugin = class.plugin.as_ref().map(|plugin| show_name(&plugin.text));
        let name = match &plugin {
            Some(plugin) => format!("{plugin}/{}", show_path(path)),
            None => show_path(path),
        };
        let Some(id) = self.scope.class(self.home.as_deref(), &name) else {
            if self.broken_classes.contains(&name) {
                return None;
            }
            let problem = match plugin {
                Some(plugin) => self.scope.unknown_plugin_class(&plugin, &name, path.span),
                None => self.scope.unknown_class(self.home.as_deref(), &name, path.span),
            };
            self.problem(problem);
            return None;
        };
        let info = &self.scope.definitions[id.0];
        let DefinitionKind::Class(for_side) = info.kind else { return None };
        // A volume is asked for a class of its supply.
        if for_side == side || (for_side == Side::Pool && side == Side::Volume) {
            return Some(id);
        }
        let asked = if side == Side::Pool { "the supply of a volume" } else { side.name() };
        let problem = Diagnostic::error(
            Code::B0307,
            path.span,
            format!("class `{name}` is for {for_side}s, not for {asked}"),
        )
        .label(format!("asked of {asked}"))
        .help(format!("ask it of the {for_side}, or use a class `for {side}` here"));
        let problem = match info.span {
            Some(span) => problem.also(span, format!("declared for {for_side} here")),
            None => problem,
        };
        self.problem(problem);
        None
    }

    /// Returns the side that `is` tests.
    fn subject(&mut self, view: ExprContext, subject: Option<&ast::DottedName>, span: Span) -> Option<Side> {
        match (view, subject) {
            (ExprContext::Class(side) | ExprContext::Need(side), None) => Some(side),
            (ExprContext::Rules, None) => {
                self.problem(
                    Diagnostic::error(Code::B0402, span, "a rule must say what `is` speaks of")
                        .help("write `agent is …` or `pool is …`"),
                );
                None
            }
            (_, Some(path)) => {
                let side = match path.segments.as_slice() {
                    [only] => Side::from_name(&only.text),
                    _ => None,
                };
                // Only rules name a side. In a class its own side is allowed, since it changes nothing.
                let ok = matches!(side, Some(Side::Agent | Side::Pool)) && view == ExprContext::Rules
                    || matches!((view, side), (ExprContext::Class(own), Some(side)) if own == side);
                if !ok {
                    let message = format!("`{}` cannot be asked for a class here", show_path(path));
                    let help = match view {
                        ExprContext::Rules => "classes are of agents and pools: `agent is …`, `pool is …`",
                        _ => "write `is CLASS` alone: the side is understood",
                    };
                    self.problem(Diagnostic::error(Code::B0402, path.span, message).help(help));
                    return None;
                }
                side
            }
        }
    }

    /// Binds a path that stands for a value: a key or a let.
    fn path(&mut self, view: ExprContext, path: &ast::DottedName) -> Option<ExprKind> {
        if view == ExprContext::Rules && Side::from_name(&path.segments[0].text).is_none() {
            let name = show_path(path);
            if let Some(id) = self.scope.named(self.home.as_deref(), &name) {
                return Some(ExprKind::Named(id));
            }
            let problem = match self.scope.class(self.home.as_deref(), &name) {
                Some(_) => {
                    Diagnostic::error(Code::B0203, path.span, format!("`{name}` is a class, not a value"))
                        .help(format!("write `agent is {name}` or `pool is {name}`"))
                }
                None => self.scope.unknown_name(self.home.as_deref(), &name, path.span),
            };
            self.problem(problem);
            return None;
        }
        self.key(view, path).map(ExprKind::Read)
    }

    /// Binds a path as a key of a side.
    pub(super) fn key(&mut self, view: ExprContext, path: &ast::DottedName) -> Option<Read> {
        let named = Side::from_name(&path.segments[0].text);
        match (view, named) {
            (ExprContext::Rules, Some(side)) => self.side_key(side, &path.segments[1..], path),
            (ExprContext::Rules, None) => {
                let problem = self.scope.unknown_name(self.home.as_deref(), &show_path(path), path.span);
                self.problem(problem);
                None
            }
            // A quoted key is written with its side even here. Without it, it would be a text literal.
            (ExprContext::Class(own), Some(side)) if side == own && has_quoted_key(path) => {
                self.side_key(own, &path.segments[1..], path)
            }
            (ExprContext::Need(own), Some(side)) if side == own && has_quoted_key(path) => {
                let read = self.side_key(own, &path.segments[1..], path)?;
                self.coarse(&read, path.span)?;
                Some(read)
            }
            (ExprContext::Class(own), Some(side)) if path.segments.len() > 1 => {
                let rest = show_segments(&path.segments[1..]);
                let (message, help) = if side == own {
                    (format!("in a class for {own} the side is understood"), format!("write `{rest}`"))
                } else {
                    (
                        format!("a class for {own} sees only the {own}, not the {side}"),
                        format!("say it in a rule of the broker: `require {side}.{rest} …`"),
                    )
                };
                self.problem(Diagnostic::error(Code::B0402, path.span, message).help(help));
                None
            }
            (ExprContext::Class(own), _) => self.side_key(own, &path.segments, path),
            (ExprContext::Need(own), Some(side)) if path.segments.len() > 1 => {
                let rest = show_segments(&path.segments[1..]);
                let message = format!("a need does not name sides: `{}`", show_path(path));
                let help = if side == own {
                    format!("write `{rest}`: in this block it is the {own}'s")
                } else {
                    "ask for amounts, classes, places and exposed keys in the `agent` and `volume` blocks"
                        .to_owned()
                };
                self.problem(Diagnostic::error(Code::B0402, path.span, message).help(help));
                None
            }
            (ExprContext::Need(own), _) => {
                let read = self.side_key(own, &path.segments, path)?;
                self.coarse(&read, path.span)?;
                Some(read)
            }
        }
    }

    /// Binds a key of a side: a built-in key, a level or an open key.
    fn side_key(&mut self, side: Side, segments: &[ast::Name], path: &ast::DottedName) -> Option<Read> {
        // Built-in keys exist on some sides only. On others the same word is an open key.
        let word = segments.first().and_then(|first| keys::find(side, &first.text)).map(|known| known.word);
        let key = match segments {
            [] => {
                let problem =
                    Diagnostic::error(Code::B0203, path.span, format!("`{side}` alone is not a value"))
                        .help(format!("name one of its keys: `{side}.name`, `{side}.KEY`"));
                self.problem(problem);
                return None;
            }
            [only] => match word {
                Some(BuiltIn::Name) => Key::Name,
                Some(BuiltIn::Domain) => Key::Domain,
                Some(BuiltIn::Provider) => Key::Provider,
                Some(BuiltIn::Instance) => Key::Instance,
                Some(BuiltIn::Total | BuiltIn::Free | BuiltIn::Used) => {
                    let message = format!("`{}` of which resource?", only.text);
                    let help = format!("write `{}.RESOURCE`, for example `{}.size`", only.text, only.text);
                    self.problem(Diagnostic::error(Code::B0203, path.span, message).help(help));
                    return None;
                }
                // Properties are attributes, which the engine gives their values.
                _ => match self.scope.levels.iter().position(|level| *level == only.text) {
                    Some(depth) if keys::is_placed(side) => Key::Level(depth as u8),
                    _ => Key::Attribute(join_key([only.text.as_str()])),
                },
            },
            [_, rest @ ..] => match word {
                Some(BuiltIn::Total) => Key::Total(show_segments(rest)),
                Some(BuiltIn::Free) => Key::Free(show_segments(rest)),
                Some(BuiltIn::Used) => Key::Used(show_segments(rest)),
                _ => Key::Attribute(show_segments(segments)),
            },
        };
        Some(Read { side, key })
    }

    /// Lets a need read an exposed key. Reports any other with the help that fits; open keys are reported
    /// later, by `fine`.
    fn coarse(&mut self, read: &Read, span: Span) -> Option<()> {
        if self.scope.exposed.contains(read) {
            return Some(());
        }
        let shown = show_read(read, &self.scope.levels);
        let bare = shown.split_once('.').map_or(shown.as_str(), |(_, key)| key).to_owned();
        if matches!(read.key, Key::Domain | Key::Level(_)) {
            let message = format!("a need does not test `{bare}`: where a grant goes is said by places");
            let help =
                "write `within \"path\"`, `avoid \"path\"`, `near X in LEVEL` or `at most N per LEVEL`";
            self.problem(Diagnostic::error(Code::B0401, span, message).help(help));
            return None;
        }
        let help = match read.key {
            Key::Name => {
                "the broker chooses; to keep to some candidates, ask for a class that only they are in"
            }
            Key::Total(_) | Key::Free(_) | Key::Used(_) => {
                "ask for what is needed: `cpus = 4`, or at least so much: `cpus = 4..8`"
            }
            _ => {
                self.fine_reads.push((read.clone(), shown, bare, span));
                return None;
            }
        };
        let message = format!("a need does not test `{bare}`");
        self.problem(Diagnostic::error(Code::B0401, span, message).help(help));
        None
    }
}

/// Returns `true` if the first key after the side needs quotes.
fn has_quoted_key(path: &ast::DottedName) -> bool {
    path.segments.get(1).is_some_and(|segment| !is_plain_name(&segment.text))
}

/// Returns a path as the language writes it.
pub(super) fn show_path(path: &ast::DottedName) -> String {
    show_segments(&path.segments)
}

pub(super) fn show_segments(segments: &[ast::Name]) -> String {
    join_key(segments.iter().map(|segment| segment.text.as_str()))
}

/// Returns a key with its side, as rules write it.
pub fn show_read(read: &Read, levels: &[String]) -> String {
    let side = read.side;
    match &read.key {
        Key::Attribute(key) => format!("{side}.{key}"),
        Key::Name => format!("{side}.{}", BuiltIn::Name.text()),
        Key::Domain => format!("{side}.{}", BuiltIn::Domain.text()),
        Key::Level(depth) => {
            format!("{side}.{}", levels.get(usize::from(*depth)).map_or("?", String::as_str))
        }
        Key::Total(resource) => format!("{side}.{}", BuiltIn::Total.of(resource)),
        Key::Free(resource) => format!("{side}.{}", BuiltIn::Free.of(resource)),
        Key::Used(resource) => format!("{side}.{}", BuiltIn::Used.of(resource)),
        Key::Provider => format!("{side}.{}", BuiltIn::Provider.text()),
        Key::Instance => format!("{side}.{}", BuiltIn::Instance.text()),
    }
}
