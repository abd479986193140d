//! The only file that, with those in its folder, knows the rules of the grammar: pairs → tree.

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
    Place, Problems,
    ast::{ClassName, Expr, Name, Path, Statement},
    error::{self, Missing},
    text::Scan,
};
use crate::{
    diagnostic::{Code, Diagnostic, hidden_character},
    source::Span,
};

#[derive(Parser)]
#[grammar = "../grammar/policy.pest"]
struct Grammar;

type Pair<'i> = AnyPair<'i, Rule>;

/// Reads the statements of a whole text whose brackets are balanced.
pub(super) fn file(text: &str, place: Place, scan: &mut Scan, problems: &mut Problems) -> Vec<Statement> {
    let mut reader = Reader { text, place, scan, problems, nodes: 0, report: true };
    match Grammar::parse(Rule::file, text) {
        Ok(mut pairs) => pairs.next().map(|pair| reader.statements(pair)).unwrap_or_default(),
        Err(error) => {
            // The last resort of the grammar matches anything, so this is a text that it ran out of stack on.
            let missing = missing(&error, 0);
            reader.problem(error::unexpected(text, 0, text.len(), &missing, place));
            Vec::new()
        }
    }
}

/// Reads a text that is one expression.
pub(super) fn expression(text: &str, place: Place, mut scan: Scan, problems: &mut Problems) -> Option<Expr> {
    let mut reader = Reader { text, place, scan: &mut scan, problems, nodes: 0, report: true };
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

/// Turns pairs into the tree. A part that cannot become one is reported, and gives `None`.
struct Reader<'t> {
    text: &'t str,
    place: Place,
    scan: &'t mut Scan,
    problems: &'t mut Problems,
    /// Nodes of the expression being read.
    nodes: usize,
    /// Whether problems are told; not inside what is wrong as a whole.
    report: bool,
}

/// What is inside a pair, without what only marks a place.
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

/// The first pair of a rule inside another.
fn child(pair: Pair<'_>, rule: Rule) -> Option<Pair<'_>> {
    pair.into_inner().find(|inner| inner.as_rule() == rule)
}

impl Reader<'_> {
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

    /// A bare or quoted name. An escape hides nothing in a text, and everything in a name.
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

    /// Names with dots between.
    fn path(&mut self, pair: Pair<'_>) -> Option<Path> {
        let span = self.span(&pair);
        let mut segments = Vec::new();
        for inner in children(pair) {
            segments.push(self.name(inner)?);
        }
        Some(Path { segments, span })
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
        Some(ClassName { plugin, path: Path { segments, span } })
    }

    /// A statement that is none: run again without the last resort, to learn how far it went.
    fn bad(&mut self, pair: Pair<'_>) {
        let span = pair.as_span();
        let text = &self.text[span.start()..span.end()];
        if !self.report || self.problems.is_full() {
            self.problems.more += usize::from(self.report);
            return;
        }
        // What was said of a character or comma inside explains the rest.
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
        // Where only the head is wrong, what the block holds is still worth a look.
        let told = self.report;
        self.report = error::has_block_head(text);
        for body in children(pair).filter(|inner| inner.as_rule() == Rule::body) {
            self.statements(body);
        }
        self.report = told;
    }
}

/// How far the grammar went, and what it would have taken there.
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

/// What users call a rule. `None` where naming it would not help.
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
