//! Type inference for expressions.
//!
//! Most constraints are solved as they are met, by joining variables. `in`, `has`, `*` and `/` relate types
//! that may become known later, so they wait in `Checker::later`; `solve` repeats them until none makes
//! progress. The number of waiting constraints falls with each round, which bounds the rounds. The tests for
//! an order and for numbers run last, when every bound is final.

use indexmap::IndexMap;

use super::{
    Types,
    types::{Bound, TypeConflict, TypeForest, Var},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    keys::{self, BuiltInKey},
    operator::{ArithmeticOp, Function, TestOp},
    parse::ast::Literal,
    quantity::Dimension,
    resolve::{
        hir::{DefinitionId, Expr, ExprKind, Hir, Key, Read},
        show_read,
    },
    source::Span,
    types::{Side, Type},
    value::is_place,
};

/// A constraint that waits until more is known.
enum Later {
    /// An element and the set it belongs to.
    Member(Var, Var, Span),
    /// `left × right = result`.
    Product(Var, Var, Var, Span),
    /// `left / right = result`.
    Quotient(Var, Var, Var, Span),
}

/// The variables of a set with their bounds. The types of a test begin with those of its set.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeVariables {
    table: TypeForest,
    keys: IndexMap<(Side, String), Var>,
    resources: IndexMap<(Side, String), Var>,
    definitions: Vec<Var>,
}

impl TypeVariables {
    /// Returns the number of classes and lets that have variables.
    pub(super) fn definitions(&self) -> usize {
        self.definitions.len()
    }

    /// Returns the type of a class or let.
    pub(super) fn definition(&self, definition: usize) -> Option<Type> {
        self.definitions.get(definition).and_then(|var| self.table.peek(*var).settled())
    }
}

pub(super) struct Checker<'a> {
    pub(super) hir: &'a Hir,
    pub(super) table: TypeForest,
    pub(super) problems: Vec<Diagnostic>,
    keys: IndexMap<(Side, String), Var>,
    resources: IndexMap<(Side, String), Var>,
    definitions: Vec<Var>,
    later: Vec<Later>,
    ordered: Vec<(Var, Span)>,
    arithmetic: Vec<(Var, Span)>,
    /// The reads of amounts.
    amounts: Vec<(Var, Read, Span)>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(hir: &'a Hir, known: TypeVariables) -> Self {
        let TypeVariables { mut table, keys, resources, mut definitions } = known;
        definitions.extend(hir.definitions.iter().skip(definitions.len()).map(|_| table.fresh()));
        Checker {
            hir,
            table,
            problems: Vec::new(),
            keys,
            resources,
            definitions,
            later: Vec::new(),
            ordered: Vec::new(),
            arithmetic: Vec::new(),
            amounts: Vec::new(),
        }
    }

    pub(super) fn key(&mut self, side: Side, key: &str) -> Var {
        if let Some(var) = self.keys.get(&(side, key.to_owned())) {
            return *var;
        }
        let var = self.table.fresh();
        self.keys.insert((side, key.to_owned()), var);
        var
    }

    /// Returns the variable of a resource of agents or of storage.
    pub(super) fn resource(&mut self, side: Side, resource: &str) -> Var {
        if let Some(var) = self.resources.get(&(side, resource.to_owned())) {
            return *var;
        }
        let var = self.table.fresh();
        self.resources.insert((side, resource.to_owned()), var);
        var
    }

    pub(super) fn definition(&self, id: DefinitionId) -> Var {
        self.definitions[id.0]
    }

    /// Returns the type variable of an expression. Adds the constraints of all expressions inside it.
    pub(super) fn infer(&mut self, expr: &Expr) -> Var {
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal, expr.span),
            ExprKind::Read(read) => self.read(read, expr.span),
            ExprKind::Named(id) => self.definition(*id),
            ExprKind::Not(inner) => {
                self.condition(inner, "`not` takes a condition");
                self.known(Type::Bool, expr.span)
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                let word = if matches!(expr.kind, ExprKind::And(_)) { "and" } else { "or" };
                for part in parts {
                    self.condition(part, &format!("`{word}` joins conditions"));
                }
                self.known(Type::Bool, expr.span)
            }
            ExprKind::Test(op, left, right) => {
                self.test(*op, left, right, expr.span);
                self.known(Type::Bool, expr.span)
            }
            ExprKind::Matches(subject, pattern) => {
                let subject_var = self.infer(subject);
                self.expect(subject_var, Bound::Quoted, subject.span, "`matches` tests a text");
                if let Err(problem) = crate::ir::pattern(&pattern.text) {
                    let message = format!("the pattern `{}` cannot be used: {problem}", pattern.text);
                    let help = "patterns are regular expressions without look-around and back-references, and match the whole text";
                    self.problems.push(Diagnostic::error(Code::B0310, pattern.span, message).help(help));
                }
                self.known(Type::Bool, expr.span)
            }
            ExprKind::IsAbsent(read) | ExprKind::IsPresent(read) => {
                self.read(read, expr.span);
                self.known(Type::Bool, expr.span)
            }
            ExprKind::Negate(inner) => {
                let var = self.infer(inner);
                self.arithmetic.push((var, inner.span));
                var
            }
            ExprKind::Arithmetic(op, left, right) => self.arithmetic(*op, left, right, expr.span),
            ExprKind::Else(read, default) => {
                let (key, default_var) = (self.read(read, expr.span), self.infer(default));
                // A text may replace a place: both are paths, though their types differ.
                let paths = self.table.get(key).is_path() && self.table.get(default_var).is_path();
                if !paths && !self.join(key, default_var, expr.span, "both sides of `else` have one type") {
                    // The mismatch is reported once. A fresh variable keeps it from spreading to the
                    // expression around it.
                    return self.table.fresh();
                }
                key
            }
            ExprKind::Call(function, arguments) => self.call(*function, arguments, expr.span),
        }
    }

    pub(super) fn known(&mut self, kind: Type, span: Span) -> Var {
        self.table.bound(Bound::Known(kind), span)
    }

    fn literal(&mut self, literal: &Literal, span: Span) -> Var {
        let bound = match literal {
            Literal::Bool(_) => Bound::Known(Type::Bool),
            Literal::Quantity(quantity) | Literal::Percent(quantity) => {
                Bound::Known(Type::Quantity(quantity.dimension))
            }
            Literal::Text(_) => Bound::Quoted,
            Literal::Version(_) => Bound::Known(Type::Version),
            Literal::EmptyList => Bound::Set,
            Literal::Texts(_) => Bound::Known(Type::Texts),
            Literal::Numbers(_) => Bound::NumberList,
            Literal::Ranges(_) => Bound::Known(Type::Ranges),
            Literal::Unlimited | Literal::Span(..) => Bound::Free,
        };
        self.table.bound(bound, span)
    }

    fn read(&mut self, read: &Read, span: Span) -> Var {
        match &read.key {
            Key::Name | Key::Provider | Key::Instance => self.known(Type::Text, span),
            Key::Domain | Key::Level(_) => self.known(Type::Place, span),
            Key::Total(resource) | Key::Free(resource) | Key::Used(resource) => {
                self.amount(read.side, resource, read, span)
            }
            Key::Attribute(key) => match keys::find(read.side, key).and_then(BuiltInKey::type_read) {
                Some(kind) => self.known(kind, span),
                None if read.side == Side::Volume => self.amount(Side::Pool, key, read, span),
                None if read.side == Side::Need && self.is_asked(key) => {
                    self.amount(Side::Agent, key, read, span)
                }
                None => self.key(read.side, key),
            },
        }
    }

    /// Returns the variable of a resource that is read as an amount. Its bound must turn out to be a quantity.
    fn amount(&mut self, side: Side, resource: &str, read: &Read, span: Span) -> Var {
        let var = self.resource(side, resource);
        self.amounts.push((var, read.clone(), span));
        var
    }

    /// Returns `true` if a need requests this resource of an agent. `need.R` is the requested amount then.
    fn is_asked(&self, resource: &str) -> bool {
        let needs = self.hir.frameworks.iter().flat_map(|framework| &framework.needs);
        needs
            .filter_map(|need| need.agent.as_ref())
            .any(|agent| agent.amounts.iter().any(|ask| ask.resource == resource))
    }

    fn test(&mut self, op: TestOp, left: &Expr, right: &Expr, span: Span) {
        let (a, b) = (self.infer(left), self.infer(right));
        match op {
            TestOp::Equal | TestOp::NotEqual => self.equal(a, b, left, right, span),
            TestOp::Less | TestOp::LessOrEqual | TestOp::Greater | TestOp::GreaterOrEqual => {
                self.join(a, b, span, &format!("`{}` compares like with like", op.text()));
                self.ordered.push((a, span));
            }
            TestOp::In => self.later.push(Later::Member(a, b, right.span)),
            TestOp::Has => self.later.push(Later::Member(b, a, left.span)),
            TestOp::HasAny | TestOp::HasAll => {
                for (var, at) in [(a, left.span), (b, right.span)] {
                    self.expect(var, Bound::Set, at, &format!("`{}` is between sets", op.text()));
                }
                self.join(a, b, span, &format!("`{}` is between sets of one kind", op.text()));
            }
            TestOp::Within => {
                for (var, side) in [(a, left), (b, right)] {
                    self.path_like(var, side, "`within` is between places");
                }
            }
        }
    }

    /// Adds the constraints of an equality: one type on both sides, or a text that stands for a place.
    fn equal(&mut self, a: Var, b: Var, left: &Expr, right: &Expr, span: Span) {
        // A place equals a text that is a path, but neither takes the other's type.
        let place = |bound| bound == Bound::Known(Type::Place);
        let (one, other) = (self.table.get(a), self.table.get(b));
        if place(one) != place(other) {
            let (var, side) = if place(one) { (b, right) } else { (a, left) };
            self.path_like(var, side, "a place equals a place");
            return;
        }
        self.join(a, b, span, "`==` compares like with like");
    }

    fn path_like(&mut self, var: Var, expr: &Expr, why: &str) {
        if !self.table.get(var).is_path() {
            self.expect(var, Bound::Quoted, expr.span, why);
        }
        if let ExprKind::Literal(Literal::Text(text)) = &expr.kind
            && !is_place(text)
        {
            let message = format!("`\"{text}\"` is not a place");
            let help = "a place is a path of names, outermost first: `\"us-west/a\"`";
            self.problems.push(Diagnostic::error(Code::B0311, expr.span, message).help(help));
        }
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: &Expr, right: &Expr, span: Span) -> Var {
        let (a, b) = (self.infer(left), self.infer(right));
        for (var, at) in [(a, left.span), (b, right.span)] {
            self.arithmetic.push((var, at));
        }
        match op {
            ArithmeticOp::Add | ArithmeticOp::Subtract => {
                if !self.join(a, b, span, &format!("`{}` needs equal dimensions", op.text())) {
                    return self.table.fresh();
                }
                a
            }
            ArithmeticOp::Multiply => {
                let result = self.table.fresh();
                self.later.push(Later::Product(a, b, result, span));
                result
            }
            ArithmeticOp::Divide => {
                let result = self.table.fresh();
                self.later.push(Later::Quotient(a, b, result, span));
                result
            }
        }
    }

    fn call(&mut self, function: Function, arguments: &[Expr], span: Span) -> Var {
        let vars: Vec<Var> = arguments.iter().map(|argument| self.infer(argument)).collect();
        match function {
            Function::Closeness => {
                for (var, argument) in vars.iter().zip(arguments) {
                    self.path_like(*var, argument, "`closeness` is between places");
                }
                self.known(Type::NUMBER, span)
            }
            Function::Min | Function::Max | Function::Abs | Function::Clamp => {
                let why = format!("`{}` needs equal dimensions", function.name());
                for (var, argument) in vars.iter().zip(arguments) {
                    self.arithmetic.push((*var, argument.span));
                    self.join(vars[0], *var, argument.span, &why);
                }
                vars[0]
            }
        }
    }

    /// Requires an expression to be a condition.
    pub(super) fn condition(&mut self, expr: &Expr, why: &str) {
        let var = self.infer(expr);
        if let Err(conflict) = self.table.narrow(var, Bound::Known(Type::Bool), expr.span) {
            let found = conflict.left.0.words();
            let message = format!("a condition is expected here, and this is {}", with_article(found));
            let mut problem = Diagnostic::error(Code::B0303, expr.span, message)
                .help(format!("{why}; compare it with something"));
            if let Some(origin) = conflict.left.1.filter(|origin| origin.span != expr.span) {
                problem = problem.also(origin.span, format!("{} here", with_article(found)));
            }
            self.problems.push(problem);
        }
    }

    pub(super) fn expect(&mut self, var: Var, bound: Bound, span: Span, why: &str) {
        if let Err(conflict) = self.table.narrow(var, bound, span) {
            let code = if bound == Bound::Set { Code::B0305 } else { Code::B0301 };
            self.conflict(code, &conflict, span, why);
        }
    }

    /// Requires two variables to have one type. Reports a contradiction and returns `false`.
    pub(super) fn join(&mut self, a: Var, b: Var, span: Span, why: &str) -> bool {
        match self.table.join(a, b) {
            Ok(()) => true,
            Err(conflict) => {
                self.conflict(Code::B0301, &conflict, span, why);
                false
            }
        }
    }

    /// Reports two contradicting uses with both spans.
    fn conflict(&mut self, code: Code, conflict: &TypeConflict, span: Span, why: &str) {
        let ((left, from), (right, to)) = (conflict.left, conflict.right);
        // Two quantities get the code for dimensions, which explains units.
        let both = left.dimension().is_some() && right.dimension().is_some();
        let code = if both { Code::B0302 } else { code };
        let message =
            format!("{why}: here {} meets {}", with_article(left.words()), with_article(right.words()));
        let mut problem = Diagnostic::error(code, span, message);
        for (bound, origin) in [(left, from), (right, to)] {
            if let Some(origin) = origin.filter(|origin| origin.span != span) {
                problem = problem.also(origin.span, format!("this makes it {}", with_article(bound.words())));
            }
        }
        let help = match (left.dimension(), right.dimension()) {
            (Some(Dimension::Number), Some(other)) | (Some(other), Some(Dimension::Number)) => {
                format!("give the number a unit, such as `{}`", other.sample_unit())
            }
            (Some(_), Some(_)) => "check the units on both sides".to_owned(),
            _ => "make both uses agree, or give one of the keys another name".to_owned(),
        };
        self.problems.push(problem.help(help));
    }

    /// Solves the waiting constraints until no more can be solved. Those that remain are tried with defaults.
    fn solve(&mut self) {
        loop {
            let before = self.later.len();
            for constraint in std::mem::take(&mut self.later) {
                if !self.step(&constraint, false) {
                    self.later.push(constraint);
                }
            }
            if self.later.len() == before {
                break;
            }
        }
        for constraint in std::mem::take(&mut self.later) {
            self.step(&constraint, true);
        }
    }

    /// Tries one constraint. Returns `false` if too little is known; with `last`, defaults apply instead.
    fn step(&mut self, constraint: &Later, last: bool) -> bool {
        match *constraint {
            Later::Member(element, set, span) => self.member(element, set, span, last),
            Later::Product(a, b, result, span) => {
                let (left, right) = (self.table.get(a).dimension(), self.table.get(b).dimension());
                // The language has no product of two units, so one operand is a plain number.
                let product = match (left, right) {
                    (Some(Dimension::Number), Some(other)) | (Some(other), Some(Dimension::Number)) => other,
                    (Some(_), Some(_)) => {
                        let message = "`*` needs a number on one side";
                        let help = "multiply a quantity by a number without unit";
                        self.problems.push(Diagnostic::error(Code::B0302, span, message).help(help));
                        return true;
                    }
                    _ => return last,
                };
                self.expect(result, Bound::Known(Type::Quantity(product)), span, "the result of `*`");
                true
            }
            Later::Quotient(a, b, result, span) => {
                let (left, right) = (self.table.get(a).dimension(), self.table.get(b).dimension());
                let quotient = match (left, right) {
                    (Some(left), Some(right)) if left == right => Dimension::Number,
                    (Some(left), Some(Dimension::Number)) => left,
                    (Some(_), Some(_)) => {
                        let message = "`/` divides by a number or by the same dimension";
                        self.problems.push(
                            Diagnostic::error(Code::B0302, span, message)
                                .help("check the units on both sides"),
                        );
                        return true;
                    }
                    _ => return last,
                };
                self.expect(result, Bound::Known(Type::Quantity(quotient)), span, "the result of `/`");
                true
            }
        }
    }

    /// Relates an element and its set: either may determine the other.
    fn member(&mut self, element: Var, set: Var, span: Span, last: bool) -> bool {
        let (one, many) = (self.table.get(element), self.table.get(set));
        match many {
            Bound::Known(Type::Texts) => {
                if !one.is_path() {
                    self.expect(element, Bound::Quoted, span, "a set of text holds texts");
                }
            }
            Bound::Known(Type::Numbers | Type::Ranges) | Bound::NumberList => {
                self.expect(element, Bound::Known(Type::NUMBER), span, "this set holds numbers");
            }
            Bound::Free | Bound::Set => match one {
                Bound::Quoted | Bound::Known(Type::Text | Type::Place) => {
                    self.expect(set, Bound::Known(Type::Texts), span, "a set of text holds texts");
                }
                Bound::Known(Type::Quantity(Dimension::Number)) => {
                    self.expect(set, Bound::NumberList, span, "this set holds numbers");
                }
                Bound::Free if !last => return false,
                Bound::Free => self.expect(set, Bound::Set, span, "a set is expected here"),
                // No set holds such an element. The error says what sets hold.
                _ => self.expect(set, Bound::Known(Type::Texts), span, "sets hold texts or numbers"),
            },
            _ => {
                let message = format!("a set is expected here, and this is {}", with_article(many.words()));
                let help = "write a list such as `[\"a\", \"b\"]`, or a key that holds one";
                self.problems.push(Diagnostic::error(Code::B0305, span, message).help(help));
            }
        }
        true
    }

    /// Reports amounts that are used as something else. No amount is a text or a set, so such a condition
    /// would never hold.
    fn amounts_as_others(&mut self) {
        for (var, read, span) in std::mem::take(&mut self.amounts) {
            let bound = self.table.get(var);
            if bound == Bound::Free || bound.dimension().is_some() {
                continue;
            }
            let shown = show_read(&read, &self.hir.levels);
            let message = format!("`{shown}` is an amount, and is used as {}", with_article(bound.words()));
            let help = match read.side {
                Side::Volume => {
                    let words: Vec<&str> =
                        keys::of(Side::Volume).iter().map(|known| known.word.text()).collect();
                    format!(
                        "a volume has `{}`; its other keys are the amounts that needs ask for",
                        words.join("`, `")
                    )
                }
                _ => "compare it with an amount, such as `4` or `64GiB`".to_owned(),
            };
            self.problems.push(Diagnostic::error(Code::B0301, span, message).help(help));
        }
    }

    /// Solves the waiting constraints and returns the types and problems.
    pub(super) fn finish(mut self) -> (Types, Vec<Diagnostic>) {
        self.solve();
        for (var, span) in std::mem::take(&mut self.ordered) {
            let bound = self.table.get(var);
            // Sides that disagree are reported already. The missing order follows from it.
            let told = |problem: &Diagnostic| problem.labels.first().is_some_and(|label| label.span == span);
            if self.problems.iter().any(told) {
                continue;
            }
            if bound.settled().is_some_and(|kind| !kind.is_ordered()) {
                let message = format!("{} has no order", with_article(bound.words()));
                let help = match bound {
                    Bound::Quoted | Bound::Known(Type::Text) => {
                        "write versions as `v\"5.10\"` and quantities without quotes; texts are compared with `==`"
                    }
                    _ => "quantities and versions are ordered; compare others with `==` or `in`",
                };
                self.problems.push(Diagnostic::error(Code::B0304, span, message).help(help));
            }
        }
        // Checked last: an operand may have got its type from a later use.
        self.amounts_as_others();
        for (var, span) in std::mem::take(&mut self.arithmetic) {
            let (bound, origin) = self.table.get_with_origin(var);
            if bound != Bound::Free && bound.dimension().is_none() {
                let message = format!("arithmetic on {}", with_article(bound.words()));
                let mut problem = Diagnostic::error(Code::B0301, span, message)
                    .help("compute with numbers and quantities only");
                if let Some(origin) = origin.filter(|origin| origin.span != span) {
                    problem = problem.also(origin.span, format!("{} here", with_article(bound.words())));
                }
                self.problems.push(problem);
            }
        }
        let settle = |table: &mut TypeForest, vars: &IndexMap<(Side, String), Var>| {
            vars.iter().map(|(key, var)| (key.clone(), table.get(*var).settled())).collect()
        };
        let keys = settle(&mut self.table, &self.keys);
        let resources = settle(&mut self.table, &self.resources);
        let Checker { table, keys: of_keys, resources: of_resources, definitions, .. } = self;
        let known = TypeVariables { table, keys: of_keys, resources: of_resources, definitions };
        (Types { keys, resources, known }, self.problems)
    }
}

pub(super) fn with_article(words: &str) -> String {
    match words {
        "text" | "ranges" | "of any type" | "a set" => words.to_owned(),
        _ => format!("a {words}"),
    }
}
