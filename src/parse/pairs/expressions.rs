//! Operator precedence. The grammar gives a flat row of operands and operators; this module builds the tree.
//!
//! It is a recursive-descent parser with one method per level, loosest first: `or`, `and`, `not`, tests, `+
//! -`, `* /`, unary `-`, `else`. The recursion goes through all levels once per pair of parentheses, whose
//! depth the scan has bounded. `make` bounds the depth and size of the resulting tree, on which later stages
//! recurse. Operators of other languages (`&&`, `=>`) are reported and read as the operator that was meant.

use std::{iter::Peekable, vec::IntoIter};

use super::{Pair, PairReader, Rule, child, children};
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    parse::{
        ast::{ArithmeticOp, DottedName, Expr, ExprKind, Literal, Name, TestOp},
        error,
    },
    quantity::Quantity,
};

/// The rest of a row.
type RowPairs<'i> = Peekable<IntoIter<Pair<'i>>>;

/// An expression, with the facts needed to build on it.
struct ExprPart {
    expr: Expr,
    /// Its byte range in the text. The span of `expr` does not tell: it may point into another format.
    start: usize,
    end: usize,
    /// The height of the tree.
    depth: usize,
}

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq)]
enum Operator {
    And,
    Or,
    Else,
    Test(TestOp),
    NotIn,
    Arithmetic(ArithmeticOp),
}

impl PairReader<'_> {
    /// Reads a row of operands and operators.
    pub(super) fn expression(&mut self, pair: Pair<'_>) -> Option<Expr> {
        self.nodes = 0;
        self.row(pair).map(|part| part.expr)
    }

    fn row(&mut self, pair: Pair<'_>) -> Option<ExprPart> {
        let mut row = children(pair).collect::<Vec<_>>().into_iter().peekable();
        self.disjunction(&mut row)
    }

    fn disjunction(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        self.junction(row, Operator::Or, PairReader::conjunction, ExprKind::Or)
    }

    fn conjunction(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        self.junction(row, Operator::And, PairReader::negation, ExprKind::And)
    }

    /// Reads `a and b and …` or `a or b or …` as one node with many operands.
    fn junction(
        &mut self,
        row: &mut RowPairs<'_>,
        operator: Operator,
        tighter: fn(&mut Self, &mut RowPairs<'_>) -> Option<ExprPart>,
        make: fn(Vec<Expr>) -> ExprKind,
    ) -> Option<ExprPart> {
        let first = tighter(self, row)?;
        if peek(row) != Some(operator) {
            return Some(first);
        }
        let (start, mut end, mut depth) = (first.start, first.end, first.depth);
        let mut parts = vec![first.expr];
        while peek(row) == Some(operator) {
            self.operator(row);
            let part = tighter(self, row)?;
            (end, depth) = (part.end, depth.max(part.depth));
            parts.push(part.expr);
        }
        self.make(make(parts), start, end, depth)
    }

    fn negation(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        let mut starts = Vec::new();
        while let Some(prefix) = row.next_if(|pair| pair.as_rule() == Rule::prefix && pair.as_str() != "-") {
            if prefix.as_str() == "!" {
                let help = "write `not` before a condition";
                self.error(Code::B0107, self.span(&prefix), "`!` is no operator", help);
            }
            starts.push(prefix.as_span().start());
        }
        // `not not a` is read in a loop: prefixes are not bounded by brackets, and must not deepen the stack.
        let mut part = self.test(row)?;
        for start in starts.into_iter().rev() {
            let (end, depth) = (part.end, part.depth);
            part = self.make(ExprKind::Not(Box::new(part.expr)), start, end, depth)?;
        }
        Some(part)
    }

    fn test(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        // A second test after the first is an error: `a < b < c` has no meaning here.
        let left = self.sum(row)?;
        let middle = left.end;
        let (left_start, part) = (left.start, self.one_test(left, row)?);
        let Some(next) = row.peek().filter(|pair| is_test(pair)) else {
            return Some(part);
        };
        let (span, next_start, sign) = (self.span(next), next.as_span().start(), is_sign(next.as_str()));
        let end = row.last().map_or(next_start, |pair| pair.as_span().end());
        let cut = |start, end| self.text.get(start..end).unwrap_or("").trim();
        let first = cut(middle, part.end);
        let shared = first.trim_start_matches(['<', '>', '=', '!']);
        // In `1 < a < 2` the operand in the middle belongs to both tests.
        let help = if sign && shared.len() < first.len() {
            let both =
                format!("{} and {} {}", cut(left_start, part.end), shared.trim(), cut(next_start, end));
            format!("write `{}`", error::shown(&both))
        } else {
            "join two conditions with `and`, or put one in parentheses".to_owned()
        };
        let problem = Diagnostic::error(Code::B0113, span, "comparisons do not chain")
            .label("a second one")
            .also(part.expr.span, "the first")
            .help(help);
        self.problem(problem);
        None
    }

    /// Reads the test to the right of `left`, if there is one.
    fn one_test(&mut self, left: ExprPart, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        let Some(pair) = row.peek().filter(|pair| is_test(pair)) else {
            return Some(left);
        };
        let (start, end, depth) = (left.start, pair.as_span().end(), left.depth);
        match pair.as_rule() {
            Rule::presence | Rule::class | Rule::mistake_is_not => {
                let pair = row.next()?;
                self.is_test(left, pair)
            }
            Rule::pattern => {
                let text = children(row.next()?).next()?;
                let pattern = self.text_name(text)?;
                self.make(ExprKind::Matches(Box::new(left.expr), pattern), start, end, depth)
            }
            _ => {
                let operator = self.operator(row)?;
                let right = self.sum(row)?;
                let (end, depth) = (right.end, depth.max(right.depth));
                // `not in` is read as `not (a in b)`.
                let (op, negative) = match operator {
                    Operator::Test(op) => (op, false),
                    _ => (TestOp::In, true),
                };
                let test = ExprKind::Test(op, Box::new(left.expr), Box::new(right.expr));
                let part = self.make(test, start, end, depth)?;
                if !negative {
                    return Some(part);
                }
                self.make(ExprKind::Not(Box::new(part.expr)), start, end, part.depth)
            }
        }
    }

    /// Reads `KEY is absent`, `KEY is present` or `SIDE is CLASS`.
    fn is_test(&mut self, left: ExprPart, pair: Pair<'_>) -> Option<ExprPart> {
        let (span, start, end) = (self.span(&pair), left.start, pair.as_span().end());
        let ExprKind::Path(subject) = left.expr.kind else {
            let message = "only a side or a key stands before `is`";
            self.error(Code::B0107, left.expr.span, message, "write `agent is CLASS` or `KEY is absent`");
            return None;
        };
        // `is not` is reported, and then read as it was meant.
        let negative = pair.as_rule() == Rule::mistake_is_not;
        let what = if negative { children(pair).next()? } else { pair };
        let key = self.text.get(start..left.end).unwrap_or("");
        let (kind, right) = match (what.as_rule(), (what.as_str() == "absent") != negative) {
            (Rule::class, _) => (
                ExprKind::Is(Some(subject), self.class(what.clone())?),
                format!("not {key} is {}", what.as_str()),
            ),
            (_, true) => (ExprKind::IsAbsent(subject), format!("{key} is absent")),
            (_, false) => (ExprKind::IsPresent(subject), format!("{key} is present")),
        };
        let part = self.make(kind, start, end, left.depth)?;
        if !negative {
            return Some(part);
        }
        let help = format!("write `{}`", error::shown(&right));
        self.error(Code::B0107, span, "`is not` is no operator", help);
        if what.as_rule() != Rule::class {
            return Some(part);
        }
        self.make(ExprKind::Not(Box::new(part.expr)), start, end, part.depth)
    }

    fn sum(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        self.arithmetic(row, [ArithmeticOp::Add, ArithmeticOp::Subtract], PairReader::product)
    }

    fn product(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        self.arithmetic(row, [ArithmeticOp::Multiply, ArithmeticOp::Divide], PairReader::unary)
    }

    /// Reads `a + b - c`, from left to right.
    fn arithmetic(
        &mut self,
        row: &mut RowPairs<'_>,
        level: [ArithmeticOp; 2],
        tighter: fn(&mut Self, &mut RowPairs<'_>) -> Option<ExprPart>,
    ) -> Option<ExprPart> {
        // A loop and no recursion: operators of one level associate to the left.
        let mut left = tighter(self, row)?;
        while let Some(Operator::Arithmetic(op)) = peek(row) {
            if !level.contains(&op) {
                break;
            }
            self.operator(row);
            let right = tighter(self, row)?;
            let (start, end, depth) = (left.start, right.end, left.depth.max(right.depth));
            let kind = ExprKind::Arithmetic(op, Box::new(left.expr), Box::new(right.expr));
            left = self.make(kind, start, end, depth)?;
        }
        Some(left)
    }

    fn unary(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        let mut starts = Vec::new();
        while let Some(prefix) = row.next_if(|pair| pair.as_rule() == Rule::prefix) {
            if prefix.as_str() != "-" {
                let message = format!("`{}` binds looser than what stands before it", prefix.as_str());
                self.error(
                    Code::B0107,
                    self.span(&prefix),
                    message,
                    "put the condition in parentheses: `(not …)`",
                );
                return None;
            }
            starts.push(prefix.as_span().start());
        }
        if let Some(number) = row.next_if(|pair| pair.as_rule() == Rule::number) {
            // The sign is part of the literal: the least value of a type has no positive counterpart.
            return self.bounds_or_number(&starts, number, row);
        }
        let mut part = self.value(row)?;
        for start in starts.into_iter().rev() {
            let (end, depth) = (part.end, part.depth);
            part = self.make(ExprKind::Negate(Box::new(part.expr)), start, end, depth)?;
        }
        Some(part)
    }

    fn bounds_or_number(
        &mut self,
        signs: &[usize],
        number: Pair<'_>,
        row: &mut RowPairs<'_>,
    ) -> Option<ExprPart> {
        let span = number.as_span();
        let start = signs.first().copied().unwrap_or(span.start());
        let text =
            if signs.len() % 2 == 1 { format!("-{}", number.as_str()) } else { number.as_str().to_owned() };
        match row.next_if(|pair| pair.as_rule() == Rule::up_to) {
            Some(high) => {
                let end = high.as_span().end();
                let low: Quantity = self.quantity(&text, &number)?;
                let literal = self.bounds((low, &text), &high, number)?;
                self.make(ExprKind::Literal(literal), start, end, 0)
            }
            None => {
                let literal = self.quantity_literal(&text, &number)?;
                self.not_before_else(row)?;
                self.make(ExprKind::Literal(literal), start, span.end(), 0)
            }
        }
    }

    /// Reads a primary, or `key else value`.
    fn value(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        let first = self.primary(row)?;
        if peek(row) != Some(Operator::Else) {
            return Some(first);
        }
        // `else` associates to the right: `a else b else 0` is `a else (b else 0)`.
        let mut keys: Vec<(DottedName, usize)> = Vec::new();
        let mut last = first;
        while peek(row) == Some(Operator::Else) {
            let ExprKind::Path(key) = last.expr.kind else {
                self.not_before_else(row)?;
                return None;
            };
            keys.push((key, last.start));
            self.operator(row);
            let signed =
                row.peek().is_some_and(|pair| matches!(pair.as_str(), "-") || pair.as_rule() == Rule::number);
            last = if signed { self.unary(row)? } else { self.primary(row)? };
        }
        for (key, start) in keys.into_iter().rev() {
            let (end, depth) = (last.end, last.depth);
            last = self.make(ExprKind::Else(key, Box::new(last.expr)), start, end, depth)?;
        }
        Some(last)
    }

    /// Reports an `else` that follows anything but a key.
    fn not_before_else(&mut self, row: &mut RowPairs<'_>) -> Option<()> {
        if peek(row) != Some(Operator::Else) {
            return Some(());
        }
        let span = row.peek().map(|pair| self.span(pair)).unwrap_or_default();
        let help = "`KEY else VALUE` gives a value where the key is absent";
        self.error(Code::B0107, span, "only a key stands before `else`", help);
        None
    }

    fn primary(&mut self, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        let pair = row.next()?;
        let (start, end) = (pair.as_span().start(), pair.as_span().end());
        let literal = match pair.as_rule() {
            Rule::path => return self.path_or_call(pair, row),
            Rule::group => {
                let inner = child(pair, Rule::inner)?;
                let part = self.row(inner)?;
                // The part now begins and ends at its parentheses; the span of the expression stays inside.
                return Some(ExprPart { start, end, ..part });
            }
            Rule::is_class => {
                let class = child(pair, Rule::class)?;
                let class = self.class(class)?;
                return self.make(ExprKind::Is(None, class), start, end, 0);
            }
            Rule::prefix => {
                let help = "put what follows in parentheses";
                let message = format!("`{}` may not stand here", pair.as_str());
                self.error(Code::B0107, self.span(&pair), message, help);
                return None;
            }
            Rule::string => Literal::Text(self.string(&pair)?),
            Rule::mistake_quotes => Literal::Text(self.text_name(pair)?.text),
            Rule::version => Literal::Version(self.version(pair)?),
            Rule::list => self.list(pair)?,
            _ => boolean(pair.as_str()),
        };
        self.make(ExprKind::Literal(literal), start, end, 0)
    }

    fn path_or_call(&mut self, pair: Pair<'_>, row: &mut RowPairs<'_>) -> Option<ExprPart> {
        let span = pair.as_span();
        let path = self.path(pair)?;
        let Some(arguments) = row.next_if(|pair| pair.as_rule() == Rule::arguments) else {
            return self.make(ExprKind::Path(path), span.start(), span.end(), 0);
        };
        // A function has a plain name. A dotted one stays whole, so that `resolve` reports it as unknown.
        let DottedName { mut segments, span: place } = path;
        let name = match (segments.pop(), segments.is_empty()) {
            (Some(name), true) => name,
            _ => Name { text: span.as_str().to_owned(), span: place },
        };
        let end = arguments.as_span().end();
        let (mut values, mut depth) = (Vec::new(), 0);
        for argument in children(arguments) {
            let part = self.row(argument)?;
            depth = depth.max(part.depth);
            values.push(part.expr);
        }
        self.make(ExprKind::Call(name, values), span.start(), end, depth)
    }

    /// Makes a node above operands of height `below`. Reports an expression that is too deep or too large.
    fn make(&mut self, kind: ExprKind, start: usize, end: usize, below: usize) -> Option<ExprPart> {
        let span = self.place.span(start, end);
        self.nodes += 1;
        let depth = below + 1;
        let bound = if depth > limits::EXPRESSION_DEPTH {
            format!("an expression more than {} operators deep", limits::EXPRESSION_DEPTH)
        } else if self.nodes > limits::EXPRESSION_NODES {
            format!("an expression of more than {} parts", limits::EXPRESSION_NODES)
        } else {
            return Some(ExprPart { expr: Expr { span, kind }, start, end, depth });
        };
        self.error(Code::B0114, span, bound, "name a part of it with `let` or a class");
        None
    }

    /// Takes an operator. Reports an operator of another language, and returns the one that was meant.
    fn operator(&mut self, row: &mut RowPairs<'_>) -> Option<Operator> {
        let pair = row.next()?;
        let (operator, mistake) = meaning(pair.as_str())?;
        if let Some(right) = mistake {
            let (message, help) = error::wrong_operator(pair.as_str(), right);
            self.error(Code::B0107, self.span(&pair), message, help);
        }
        Some(operator)
    }
}

/// Returns `true` if an operator is a sign and not a word.
fn is_sign(operator: &str) -> bool {
    operator.starts_with(['<', '>', '=', '!'])
}

fn boolean(word: &str) -> Literal {
    match word {
        "unlimited" => Literal::Unlimited,
        word => Literal::Bool(word == "true"),
    }
}

fn is_test(pair: &Pair<'_>) -> bool {
    match pair.as_rule() {
        Rule::presence | Rule::class | Rule::mistake_is_not | Rule::pattern => true,
        Rule::operator => {
            matches!(meaning(pair.as_str()), Some((Operator::Test(_) | Operator::NotIn, _)))
        }
        _ => false,
    }
}

fn peek(row: &mut RowPairs<'_>) -> Option<Operator> {
    let pair = row.peek().filter(|pair| matches!(pair.as_rule(), Rule::operator | Rule::joint))?;
    meaning(pair.as_str()).map(|(operator, _)| operator)
}

/// Returns the meaning of an operator, and its correct form if the language writes it differently.
fn meaning(text: &str) -> Option<(Operator, Option<&'static str>)> {
    use Operator::{Arithmetic, Test};
    let test = |op: TestOp| (Test(op), None);
    Some(match text {
        "and" => (Operator::And, None),
        "or" => (Operator::Or, None),
        "else" => (Operator::Else, None),
        "+" => (Arithmetic(ArithmeticOp::Add), None),
        "-" => (Arithmetic(ArithmeticOp::Subtract), None),
        "*" => (Arithmetic(ArithmeticOp::Multiply), None),
        "/" => (Arithmetic(ArithmeticOp::Divide), None),
        "==" => test(TestOp::Equal),
        "!=" => test(TestOp::NotEqual),
        "<" => test(TestOp::Less),
        "<=" => test(TestOp::LessOrEqual),
        ">" => test(TestOp::Greater),
        ">=" => test(TestOp::GreaterOrEqual),
        "in" => test(TestOp::In),
        "has" => test(TestOp::Has),
        "within" => test(TestOp::Within),
        "&&" => (Operator::And, Some("and")),
        "||" => (Operator::Or, Some("or")),
        "=" => (Test(TestOp::Equal), Some("==")),
        "=>" => (Test(TestOp::GreaterOrEqual), Some(">=")),
        "=<" => (Test(TestOp::LessOrEqual), Some("<=")),
        "<>" => (Test(TestOp::NotEqual), Some("!=")),
        text if text.starts_with("has") && text.ends_with("any") => test(TestOp::HasAny),
        text if text.starts_with("has") && text.ends_with("all") => test(TestOp::HasAll),
        text if text.starts_with("not") => (Operator::NotIn, Some("not KEY in SET")),
        _ => return None,
    })
}
