//! Marks: walks the tree to note at each token where statements and columns begin, where a line may be
//! broken, and what can be left out.

use super::tokens::{Token, TokenKind};
use crate::{
    parse::{
        ast::{
            Ast, Block, BlockKind, DottedName, Expect, Expr, ExprKind, Name, Number, Place, Rule, Statement,
            StatementKind, Use,
        },
        words,
    },
    value::is_plain_name,
};

/// A word at which an expression may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    Or,
    And,
    Else,
}

/// The kind of a run: neighbouring statements of one kind are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatementRun {
    /// Statements that are never aligned.
    None,
    Assign,
    Let,
    Charge,
    /// `true` if it has a label.
    Require(bool),
    Prefer(bool),
    /// A request of a need: `agent { … }`, `volume data { … }`.
    Request,
    /// A block with a name, by its keyword.
    Block(&'static str),
}

/// The marks of a token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// The run of the statement that begins here.
    pub statement: Option<StatementRun>,
    /// `true` if a column of its statement begins here.
    pub column: bool,
    pub joint: Option<Joint>,
    /// `true` for the word `weight` of a preference.
    pub weight: bool,
    /// `true` for the `:` of a label and the `=` of a `let`: the expression may begin on the next line.
    pub head: bool,
    /// `true` if no space stands before it.
    pub tight_before: bool,
    pub tight_after: bool,
    /// `true` for parentheses without a meaning, which are left out.
    pub hidden: bool,
    /// `true` for a quoted name that needs no quotes.
    pub bare: bool,
    /// `true` if a line end before it must stay. On one line, the statement could be read as another one.
    pub kept: bool,
}

/// Returns the marks of all tokens.
pub(super) fn of(ast: &Ast, tokens: &[Token<'_>]) -> Vec<Mark> {
    let mut walk = Walk { tokens, marks: vec![Mark::default(); tokens.len()] };
    walk.statements(&ast.items, false);
    walk.marks
}

struct Walk<'t> {
    tokens: &'t [Token<'t>],
    marks: Vec<Mark>,
}

impl Walk<'_> {
    /// Returns the first token at or after a byte.
    fn at(&self, byte: u32) -> usize {
        self.tokens.partition_point(|token| token.start < byte as usize)
    }

    /// Returns the first word at or after a byte. Closing parentheses may stand between an operand and the
    /// word.
    fn word_at(&self, byte: u32) -> usize {
        let from = self.at(byte);
        let word =
            self.tokens[from.min(self.tokens.len())..].iter().position(|token| token.kind == TokenKind::Word);
        word.map_or(self.tokens.len(), |word| from + word)
    }

    fn set(&mut self, token: usize, set: impl FnOnce(&mut Mark)) {
        if let Some(mark) = self.marks.get_mut(token) {
            set(mark);
        }
    }

    fn statements(&mut self, statements: &[Statement], in_need: bool) {
        for statement in statements {
            let run = self.statement(&statement.kind, in_need);
            let start = self.at(statement.span.start);
            self.set(start, |mark| mark.statement = Some(run));
        }
    }

    fn statement(&mut self, kind: &StatementKind, in_need: bool) -> StatementRun {
        match kind {
            StatementKind::Use(used) => self.used(used),
            StatementKind::Let(name, expr) => {
                self.name(name);
                // The `=` is the next token after the name.
                let equals = self.at(name.span.end);
                self.set(equals, |mark| (mark.column, mark.head) = (true, true));
                self.whole(expr);
                return StatementRun::Let;
            }
            StatementKind::Block(block) => return self.block(block, in_need),
            StatementKind::Field(key, _) => self.path(key),
            StatementKind::Assign(assign) => {
                self.path(&assign.key);
                let equals = self.at(assign.key.span.end);
                self.set(equals, |mark| mark.column = true);
                self.expr(&assign.value);
                if let Some(options) = &assign.options {
                    self.statements(&options.statements, false);
                }
                return StatementRun::Assign;
            }
            StatementKind::Condition(expr) => {
                self.whole(expr);
            }
            StatementKind::Require(rule) => return StatementRun::Require(self.rule(rule)),
            StatementKind::Prefer(rule) => return StatementRun::Prefer(self.rule(rule)),
            StatementKind::PreferPlace { place, weight } => {
                self.place(place);
                self.weight(*weight);
            }
            StatementKind::Charge(charge) => {
                self.path(&charge.target);
                let amount = self.at(charge.target.span.end);
                self.set(amount, |mark| mark.column = true);
                self.expr(&charge.amount);
                let per = self.word_at(charge.amount.span.end);
                self.set(per, |mark| mark.column = true);
                return StatementRun::Charge;
            }
            StatementKind::Expose(key) => self.path(key),
            StatementKind::Levels(names) => names.iter().for_each(|name| self.name(name)),
            StatementKind::Place(place) => self.place(place),
            StatementKind::Expect(expect) => self.expect(expect),
            StatementKind::LendReserved
            | StatementKind::ReservedFor(_)
            | StatementKind::AllOrNothing
            | StatementKind::AcceptRevocable
            | StatementKind::VolumeReference(_)
            | StatementKind::WithInventory => {}
        }
        StatementRun::None
    }

    fn used(&mut self, used: &Use) {
        let Use::Module { path, names } = used else { return };
        self.path(path);
        // Names between braces are laid out like statements.
        for name in names.iter().flatten() {
            self.name(name);
            let start = self.at(name.span.start);
            self.set(start, |mark| mark.statement = Some(StatementRun::None));
        }
    }

    fn block(&mut self, block: &Block, in_need: bool) -> StatementRun {
        let run = match &block.kind {
            BlockKind::Agent | BlockKind::Volume if in_need => StatementRun::Request,
            BlockKind::Agent => StatementRun::Block("agent"),
            BlockKind::Volume => StatementRun::Block("volume"),
            BlockKind::Resources | BlockKind::ResourcesFor(_) | BlockKind::ResourcesRevocable => {
                StatementRun::Block("resources")
            }
            BlockKind::Schema(_) => StatementRun::Block("schema"),
            BlockKind::Class(_) => StatementRun::Block("class"),
            BlockKind::Role => StatementRun::Block("role"),
            BlockKind::Provider => StatementRun::Block("provider"),
            BlockKind::Instance => StatementRun::Block("instance"),
            BlockKind::Pool => StatementRun::Block("pool"),
            BlockKind::Framework => StatementRun::Block("framework"),
            BlockKind::Need => StatementRun::Block("need"),
            BlockKind::Allocation => StatementRun::Block("allocation"),
            _ => StatementRun::None,
        };
        match (&block.kind, &block.name) {
            (BlockKind::Keys(path), _) => self.path(path),
            // The names of tests and roles are texts.
            (BlockKind::Test | BlockKind::Role, _) => {}
            (_, Some(name)) => self.name(name),
            _ => {}
        }
        let body = self.at(block.head.end);
        if let (BlockKind::Class(_), Some(name)) = (&block.kind, &block.name) {
            let side = self.at(name.span.end);
            self.set(side, |mark| mark.column = true);
        }
        self.set(body, |mark| mark.column = true);
        self.statements(&block.body.statements, block.kind == BlockKind::Need);
        run
    }

    /// Marks a rule. Returns `true` if it has a label.
    fn rule(&mut self, rule: &Rule) -> bool {
        if let Some(label) = &rule.label {
            self.name(label);
            let colon = self.at(label.span.end);
            self.set(colon, |mark| mark.head = true);
        }
        let first = self.whole(&rule.expr);
        if rule.label.is_some() {
            self.set(first, |mark| mark.column = true);
        }
        self.weight(rule.weight);
        rule.label.is_some()
    }

    fn weight(&mut self, weight: Option<Number>) {
        let Some(weight) = weight else { return };
        let number = self.at(weight.span.start);
        self.minus(weight.span.start);
        let word = self.tokens[..number.min(self.tokens.len())]
            .iter()
            .rposition(|token| token.kind == TokenKind::Word);
        if let Some(word) = word {
            self.set(word, |mark| (mark.weight, mark.column) = (true, true));
        }
    }

    /// Marks an expression that ends its statement, apart from a weight. Parentheses around the whole are
    /// left out. Returns its first token that is kept.
    fn whole(&mut self, expr: &Expr) -> usize {
        let first = self.at(expr.span.start);
        let (mut open, mut close) = (first, self.at(expr.span.end));
        // Peels off pairs of parentheses around the whole. A comment inside keeps them, since it could end up
        // on another line.
        while let Some(before) = open.checked_sub(1)
            && self.tokens.get(before).is_some_and(|token| token.is("(") && token.partner == close)
            && self.tokens[before..=close].iter().all(|token| token.kind != TokenKind::Comment)
        {
            self.set(before, |mark| mark.hidden = true);
            self.set(close, |mark| mark.hidden = true);
            (open, close) = (before, close + 1);
        }
        // `together in` with `zone` on the next line is a condition. On one line it would be a placement
        // constraint.
        let is_word = |token: &Token<'_>| token.kind == TokenKind::Word && words::ALL.contains(&token.text);
        let is_key = self.tokens.get(first + 1).is_some_and(|token| token.is("."));
        if self.tokens.get(first).is_some_and(is_word) && !is_key {
            (first..close).for_each(|at| self.set(at, |mark| mark.kept = true));
        }
        self.expr(expr);
        first
    }

    /// Marks the signs in front of an operand.
    fn minus(&mut self, start: u32) {
        let mut at = self.at(start);
        while self.tokens.get(at).is_some_and(|token| token.is("-")) {
            self.set(at, |mark| mark.tight_after = true);
            at += 1;
        }
    }

    fn joint(&mut self, after: u32, joint: Joint) {
        let word = self.word_at(after);
        self.set(word, |mark| mark.joint = Some(joint));
    }

    fn expr(&mut self, expr: &Expr) {
        self.minus(expr.span.start);
        match &expr.kind {
            ExprKind::Literal(_) => self.literal(expr),
            ExprKind::Path(path) | ExprKind::IsAbsent(path) | ExprKind::IsPresent(path) => self.path(path),
            ExprKind::Not(inner) | ExprKind::Negate(inner) | ExprKind::Matches(inner, _) => self.expr(inner),
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                let joint = if matches!(expr.kind, ExprKind::And(_)) { Joint::And } else { Joint::Or };
                for (at, part) in parts.iter().enumerate() {
                    self.expr(part);
                    if at + 1 < parts.len() {
                        self.joint(part.span.end, joint);
                    }
                }
            }
            ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Is(subject, class) => {
                subject.iter().for_each(|subject| self.path(subject));
                if let Some(plugin) = &class.plugin {
                    self.name(plugin);
                    let slash = self.at(plugin.span.end);
                    self.set(slash, |mark| mark.tight_before = true);
                    self.set(slash + 1, |mark| mark.tight_before = true);
                }
                self.path(&class.path);
            }
            ExprKind::Else(key, value) => {
                self.path(key);
                self.joint(key.span.end, Joint::Else);
                self.expr(value);
            }
            ExprKind::Call(name, arguments) => {
                let open = self.at(name.span.end);
                self.set(open, |mark| mark.tight_before = true);
                arguments.iter().for_each(|argument| self.expr(argument));
            }
        }
    }

    /// In a literal every `-` is a sign.
    fn literal(&mut self, expr: &Expr) {
        for at in self.at(expr.span.start)..self.at(expr.span.end) {
            if self.tokens.get(at).is_some_and(|token| token.is("-")) {
                self.set(at, |mark| mark.tight_after = true);
            }
        }
    }

    fn place(&mut self, place: &Place) {
        match place {
            Place::Within(_) | Place::Outside(_) => {}
            Place::Near { target, key } | Place::Apart { target, key } => {
                self.path(target);
                self.path(key);
            }
            Place::AtMost { count, key, .. } => {
                self.minus(count.span.start);
                self.path(key);
            }
            Place::Spread { key, skew, at_least } => {
                self.path(key);
                skew.iter().chain(at_least).for_each(|number| self.minus(number.span.start));
            }
            Place::Together { key } => self.path(key),
        }
    }

    fn expect(&mut self, expect: &Expect) {
        match expect {
            Expect::Outcome(need, _) => self.path(need),
            Expect::On { need, agent, because, .. } => {
                self.path(need);
                self.name(agent);
                because.iter().for_each(|label| self.name(label));
            }
            Expect::From { volume, because, .. } => {
                self.path(volume);
                because.iter().for_each(|label| self.name(label));
            }
            Expect::Free { resource, amount, .. } => {
                self.path(resource);
                self.expr(amount);
            }
            Expect::Share { span, .. } => {
                for at in self.at(span.start)..self.at(span.end) {
                    if self.tokens.get(at).is_some_and(|token| token.is("/")) {
                        self.set(at, |mark| (mark.tight_before, mark.tight_after) = (true, true));
                    }
                }
            }
            Expect::Snapshot => {}
        }
    }

    fn path(&mut self, path: &DottedName) {
        path.segments.iter().for_each(|segment| self.name(segment));
    }

    /// Marks quotes that a name does not need.
    fn name(&mut self, name: &Name) {
        let at = self.at(name.span.start);
        let quoted = |token: &Token<'_>| {
            token.kind == TokenKind::Text
                && token.text.get(1..token.text.len() - 1) == Some(name.text.as_str())
        };
        if self.tokens.get(at).is_some_and(quoted)
            && is_plain_name(&name.text)
            && !words::ALL.contains(&name.text.as_str())
        {
            self.set(at, |mark| mark.bare = true);
        }
    }
}
