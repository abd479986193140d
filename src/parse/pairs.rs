//! The conversion of grammar matches (pest's pairs) into the tree. Only this file and its folder know the
//! rules of the grammar.

mod expressions;
mod lists;
mod literals;
mod statements;

use pest::{
    Parser,
    error::{ErrorVariant, InputLocation},
    iterators::Pair as AnyPair,
};
use pest_derive::Parser;

use super::{
    Problems, TextOrigin,
    ast::{ClassName, DottedName, Expr, Name, Statement},
    error::{self, Missing},
    text::TextScan,
};
use crate::{
    diagnostic::{Code, Diagnostic, hidden_character},
    source::Span,
};

#[derive(Parser)]
#[grammar = "../grammar/policy.pest"]
struct Grammar;

type Pair<'i> = AnyPair<'i, Rule>;

/// Reads the statements of a whole text. Its brackets must match.
pub(super) fn file(
    text: &str,
    place: TextOrigin,
    scan: &mut TextScan,
    problems: &mut Problems,
) -> Vec<Statement> {
    let mut reader = PairReader { text, place, scan, problems, nodes: 0, report: true };
    match Grammar::parse(Rule::file, text) {
        Ok(mut pairs) => pairs.next().map(|pair| reader.statements(pair)).unwrap_or_default(),
        Err(error) => {
            // Not expected: the last alternative of the grammar matches any text with balanced brackets. It
            // is reported all the same, since no input may panic.
            let missing = missing(&error, 0);
            reader.problem(error::unexpected(text, 0, text.len(), &missing, place));
            Vec::new()
        }
    }
}

/// Reads a text that consists of one expression.
pub(super) fn expression(
    text: &str,
    place: TextOrigin,
    mut scan: TextScan,
    problems: &mut Problems,
) -> Option<Expr> {
    let mut reader = PairReader { text, place, scan: &mut scan, problems, nodes: 0, report: true };
    match Grammar::parse(Rule::lone, text) {
        Ok(mut pairs) => {
            let inner = children(pairs.next()?).find(|pair| pair.as_rule() == Rule::inner)?;
            reader.expression(inner)
        }
        Err(error) => {
            let missing = missing(&error, 0);
            reader.problem(error::unexpected(text, 0, text.len(), &missing, place));
            None
        }
    }
}

/// The state of a conversion. Its methods report a match that cannot become a part of the tree, and return
/// `None`.
struct PairReader<'t> {
    text: &'t str,
    place: TextOrigin,
    scan: &'t mut TextScan,
    problems: &'t mut Problems,
    /// The number of nodes of the expression being read.
    nodes: usize,
    /// `false` while reading inside text that was reported as a whole.
    report: bool,
}

/// Returns the matches inside another, without those that only mark a position.
fn children(pair: Pair<'_>) -> impl Iterator<Item = Pair<'_>> {
    pair.into_inner().filter(|pair| {
        !matches!(
            pair.as_rule(),
            Rule::comment_rest
                | Rule::end
                | Rule::EOI
                | Rule::equals
                | Rule::list_end
                | Rule::group_end
                | Rule::call_end
        )
    })
}

/// Returns the first match of a rule inside another.
fn child(pair: Pair<'_>, rule: Rule) -> Option<Pair<'_>> {
    pair.into_inner().find(|inner| inner.as_rule() == rule)
}

impl PairReader<'_> {
    fn problem(&mut self, problem: Diagnostic) {
        if self.report {
            self.problems.push(problem);
        }
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problem(Diagnostic::error(code, span, message).help(help));
    }

    fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        self.place.span(span.start(), span.end())
    }

    /// Reads a bare or quoted name. Escaped control and invisible characters are allowed in texts, but not in
    /// names.
    fn name(&mut self, pair: Pair<'_>) -> Option<Name> {
        let span = self.span(&pair);
        if pair.as_rule() != Rule::string {
            return Some(Name { text: pair.as_str().to_owned(), span });
        }
        let text = self.string(&pair)?;
        match hidden_character(&text, span) {
            None => Some(Name { text, span }),
            Some(problem) => {
                self.problem(problem);
                None
            }
        }
    }

    /// Reads a dotted name.
    fn path(&mut self, pair: Pair<'_>) -> Option<DottedName> {
        let span = self.span(&pair);
        let mut segments = Vec::new();
        for inner in children(pair) {
            segments.push(self.name(inner)?);
        }
        Some(DottedName { segments, span })
    }

    fn class(&mut self, pair: Pair<'_>) -> Option<ClassName> {
        let span = self.span(&pair);
        let (mut plugin, mut segments) = (None, Vec::new());
        for inner in children(pair) {
            match inner.as_rule() {
                Rule::of_plugin => plugin = Some(self.name(children(inner).next()?)?),
                _ => segments.push(self.name(inner)?),
            }
        }
        Some(ClassName { plugin, path: DottedName { segments, span } })
    }

    /// Reports text that is no statement. The normal grammar has accepted it by its last alternative; running
    /// the `strict` rule on it tells how far a real statement would have reached.
    fn bad(&mut self, pair: Pair<'_>) {
        let span = pair.as_span();
        let text = &self.text[span.start()..span.end()];
        if !self.report || self.problems.is_full() {
            self.problems.more += usize::from(self.report);
            return;
        }
        // A character or comma that was reported inside it explains the error already.
        if !self.problems.has_mark(span.start(), span.end()) {
            let problem = match Grammar::parse(Rule::strict, text) {
                Ok(_) => Diagnostic::error(Code::B0107, self.span(&pair), "this is no statement")
                    .help("begin with a key and `=`, or with the word of a declaration"),
                Err(error) => {
                    let missing = missing(&error, span.start());
                    error::unexpected(self.text, span.start(), span.end(), &missing, self.place)
                }
            };
            self.problem(problem);
        }
        // If only the head is wrong, the statements in the block are still checked.
        let told = self.report;
        self.report = error::has_block_head(text);
        for body in children(pair).filter(|inner| inner.as_rule() == Rule::body) {
            self.statements(body);
        }
        self.report = told;
    }
}

/// Returns how far the grammar reached, and the tokens it expected there.
fn missing(error: &pest::error::Error<Rule>, offset: usize) -> Missing {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at + offset,
    };
    let mut wanted = Vec::new();
    if let ErrorVariant::ParsingError { positives, .. } = &error.variant {
        for words in positives.iter().filter_map(|rule| words(*rule)) {
            if !wanted.contains(&words) {
                wanted.push(words);
            }
        }
    }
    Missing { at, wanted }
}

/// Returns the name of a rule for messages, or `None` if it would not help.
fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::word | Rule::key | Rule::path | Rule::by => "a name",
        Rule::string => "a text",
        Rule::number | Rule::signed => "a number",
        Rule::expression | Rule::inner | Rule::prefix | Rule::group | Rule::list | Rule::boolean => "a value",
        Rule::operator | Rule::joint => "an operator",
        Rule::end | Rule::EOI => "the end of the statement",
        Rule::list_end => "`,` or `]`",
        Rule::call_end => "`,` or `)`",
        Rule::group_end => "`)`",
        Rule::equals => "`=`",
        Rule::equal => "`==`",
        Rule::colon => "`:`",
        Rule::body => "`{`",
        Rule::for_word => "`for`",
        Rule::in_word => "`in`",
        Rule::per => "`per`",
        Rule::per_what => "`volume` or `need`",
        Rule::most => "`most`",
        Rule::over => "`over`",
        Rule::free_word => "`free`",
        Rule::share_word => "`share`",
        Rule::above => "`>`",
        Rule::among => "`among framework`",
        Rule::skew => "`skew`",
        Rule::at_least => "`at least`",
        Rule::weight => "`weight`",
        Rule::because => "`because`",
        Rule::revocable => "`revocable`",
        Rule::class => "a class",
        Rule::presence => "`absent` or `present`",
        Rule::module => "a module",
        Rule::type_name => "a type",
        Rule::digits | Rule::fraction => "a whole number",
        Rule::mode | Rule::not_on | Rule::best_on | Rule::on => "`on`",
        Rule::from | Rule::not_from => "`from`",
        Rule::outcome_word => "`met`, `partial`, `unmet` or `offered`",
        Rule::places => "a text or a list of texts",
        _ => return None,
    })
}
