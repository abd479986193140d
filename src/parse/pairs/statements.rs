//! The conversion of statements and blocks.

use super::{Pair, PairReader, Rule, child, children};
use crate::{
    diagnostic::{Code, Diagnostic},
    parse::ast::{
        Assign, Block, BlockKind, Body, Charge, ChargePer, DottedName, Expect, ExpectedOutcome, Name, Number,
        OnMode, Place, Rule as RuleStatement, Statement, StatementKind, TypeName, Use,
    },
    types::Side,
};

impl PairReader<'_> {
    /// Reads the statements of a file or body. Reports those that are invalid, and leaves them out.
    pub(super) fn statements(&mut self, pair: Pair<'_>) -> Vec<Statement> {
        children(pair).filter_map(|inner| self.statement(inner)).collect()
    }

    fn statement(&mut self, pair: Pair<'_>) -> Option<Statement> {
        let start = pair.as_span().start();
        // Taken even if the statement turns out to be invalid, so that its documentation does not count as an
        // ordinary comment.
        let docs = self.scan.docs(self.text, start);
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::bad => {
                self.bad(pair);
                None
            }
            Rule::assign => self.assign(pair),
            Rule::block => self.block(pair),
            Rule::keys => self.keys(pair),
            Rule::mistake_colon => self.colon(pair),
            Rule::field => self.field(pair),
            Rule::condition => self.condition(pair),
            Rule::use_names | Rule::use_file | Rule::use_module => self.use_(pair).map(StatementKind::Use),
            Rule::let_ => self.let_(pair),
            Rule::require => self.rule(pair).map(StatementKind::Require),
            Rule::prefer => self.rule(pair).map(StatementKind::Prefer),
            Rule::prefer_place => self.prefer_place(pair),
            Rule::charge => self.charge(pair),
            Rule::expect => self.expect(pair).map(StatementKind::Expect),
            _ => self.short(pair),
        };
        kind.map(|kind| Statement { docs, span, kind })
    }

    /// Reads a statement of a few fixed words.
    fn short(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        Some(match pair.as_rule() {
            Rule::expose => StatementKind::Expose(self.path(child(pair, Rule::by)?)?),
            Rule::levels => {
                let mut levels = Vec::new();
                for name in children(pair).filter(|inner| inner.as_rule() != Rule::above) {
                    levels.push(self.name(name)?);
                }
                StatementKind::Levels(levels)
            }
            Rule::lend_reserved => StatementKind::LendReserved,
            Rule::reserved_for => StatementKind::ReservedFor(self.only_name(pair)?),
            Rule::all_or_nothing => StatementKind::AllOrNothing,
            Rule::accept_revocable => StatementKind::AcceptRevocable,
            Rule::with_inventory => StatementKind::WithInventory,
            Rule::volume_reference => StatementKind::VolumeReference(self.only_name(pair)?),
            _ => StatementKind::Place(self.place(pair)?),
        })
    }

    /// Returns the only name in a statement.
    fn only_name(&mut self, pair: Pair<'_>) -> Option<Name> {
        let name = children(pair).find(|inner| matches!(inner.as_rule(), Rule::word | Rule::string))?;
        self.name(name)
    }

    fn only_path(&mut self, pair: Pair<'_>, rule: Rule) -> Option<DottedName> {
        self.path(child(pair, rule)?)
    }

    fn body(&mut self, pair: Pair<'_>) -> Body {
        let span = self.span(&pair);
        Body { statements: self.statements(pair), span }
    }

    fn assign(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let (mut key, mut value, mut options) = (None, None, None);
        for inner in children(pair) {
            match inner.as_rule() {
                Rule::key => key = self.path(inner),
                Rule::expression => value = self.expression(inner),
                _ => options = Some(self.body(inner)),
            }
        }
        Some(StatementKind::Assign(Assign { key: key?, value: value?, options }))
    }

    fn condition(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        self.expression(child(pair, Rule::expression)?).map(StatementKind::Condition)
    }

    fn colon(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let colon = child(pair.clone(), Rule::colon)?;
        let key = child(pair, Rule::key)?;
        let help = format!("write `{} = …`; `:` gives a key of a schema its type", key.as_str());
        self.error(Code::B0107, self.span(&colon), "a key is given a value with `=`, not `:`", help);
        None
    }

    fn field(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let key = self.only_path(pair.clone(), Rule::key)?;
        let words = child(pair, Rule::type_name)?;
        let text = words.as_str().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        Some(StatementKind::Field(key, TypeName { text, span: self.span(&words) }))
    }

    fn keys(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let mut inner = children(pair);
        let (key, body) = (inner.next()?, inner.next()?);
        let head = self.span(&key);
        // The body is read before a bad head is given up, so that its problems are reported too.
        let path = self.path(key);
        let body = self.body(body);
        let path = path?;
        let name = path.segments.first().cloned();
        Some(StatementKind::Block(Block { kind: BlockKind::Keys(path), name, head, body }))
    }

    fn block(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let mut inner = children(pair);
        let (head, body) = (inner.next()?, inner.next()?);
        let span = self.span(&head);
        let head = children(head).next().and_then(|head| self.head(head));
        let body = self.body(body);
        let (kind, name) = head?;
        Some(StatementKind::Block(Block { kind, name, head: span, body }))
    }

    /// Returns the kind of block that a head begins, and its name.
    fn head(&mut self, pair: Pair<'_>) -> Option<(BlockKind, Option<Name>)> {
        let (rule, span) = (pair.as_rule(), self.span(&pair));
        let shown = pair.as_str().to_owned();
        // `resources "x"` and `resources for "x"` have the same children, apart from the word `for`.
        let reserved = rule == Rule::resources_head && child(pair.clone(), Rule::for_word).is_some();
        // Heads have at most two words beside `for`: a name and a side, or a role.
        let mut words = children(pair).filter(|inner| inner.as_rule() != Rule::for_word);
        let (first, second) = (words.next(), words.next());
        Some(match rule {
            Rule::schema_head => (BlockKind::Schema(side(self.name(first?)?)), None),
            Rule::class_head => match second {
                Some(second) => (BlockKind::Class(side(self.name(second)?)), Some(self.name(first?)?)),
                None => (BlockKind::Class(side(self.name(first?)?)), None),
            },
            Rule::mistake_class => {
                let help = format!("write `{shown} for agent {{` or `{shown} for pool {{`");
                self.error(Code::B0107, span, "a class says what it is for", help);
                return None;
            }
            Rule::resources_head => match first {
                None => (BlockKind::Resources, None),
                Some(first) if first.as_rule() == Rule::revocable => (BlockKind::ResourcesRevocable, None),
                Some(first) if reserved => (BlockKind::ResourcesFor(self.name(first)?), None),
                Some(first) => (BlockKind::Resources, Some(self.name(first)?)),
            },
            _ => {
                let name = match second {
                    Some(name) => Some(self.name(name)?),
                    None => None,
                };
                (block_kind(first?.as_str()), name)
            }
        })
    }

    fn use_(&mut self, pair: Pair<'_>) -> Option<Use> {
        let (mut path, mut names) = (None, None);
        for inner in children(pair) {
            match inner.as_rule() {
                Rule::string => return self.name(inner).map(Use::File),
                Rule::module => path = Some(self.path(inner)?),
                _ => {
                    let mut list = Vec::new();
                    for name in children(inner) {
                        list.push(self.name(name)?);
                    }
                    names = Some(list);
                }
            }
        }
        Some(Use::Module { path: path?, names })
    }

    fn let_(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let mut inner = children(pair);
        let name = self.name(inner.next()?);
        let expr = self.expression(inner.next()?);
        Some(StatementKind::Let(name?, expr?))
    }

    fn rule(&mut self, pair: Pair<'_>) -> Option<RuleStatement> {
        let (mut label, mut expr, mut weight) = (None, None, None);
        for inner in children(pair) {
            match inner.as_rule() {
                Rule::label => label = Some(self.only_name(inner)?),
                Rule::weight => weight = Some(self.number_in(inner)?),
                _ => expr = self.expression(inner),
            }
        }
        Some(RuleStatement { label, expr: expr?, weight })
    }

    fn number_in(&mut self, pair: Pair<'_>) -> Option<Number> {
        self.number(&child(pair, Rule::signed)?)
    }

    fn prefer_place(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let mut inner = children(pair);
        let place = self.place(inner.next()?)?;
        let weight = match inner.next() {
            Some(weight) => Some(self.number_in(weight)?),
            None => None,
        };
        Some(StatementKind::PreferPlace { place, weight })
    }

    fn charge(&mut self, pair: Pair<'_>) -> Option<StatementKind> {
        let (mut target, mut amount, mut per) = (None, None, ChargePer::Volume);
        for inner in children(pair) {
            match inner.as_rule() {
                Rule::path => target = self.path(inner),
                Rule::expression => amount = self.expression(inner),
                Rule::per_what if inner.as_str() == "need" => per = ChargePer::Need,
                _ => {}
            }
        }
        Some(StatementKind::Charge(Charge { target: target?, amount: amount?, per }))
    }

    fn place(&mut self, pair: Pair<'_>) -> Option<Place> {
        let pair = if pair.as_rule() == Rule::place { children(pair).next()? } else { pair };
        let rule = pair.as_rule();
        Some(match rule {
            Rule::within | Rule::outside => {
                let mut places = Vec::new();
                for text in children(child(pair, Rule::places)?) {
                    places.push(self.name(text)?);
                }
                if rule == Rule::within { Place::Within(places) } else { Place::Outside(places) }
            }
            Rule::near | Rule::apart => {
                let target = self.only_path(pair.clone(), Rule::key)?;
                let key = self.only_path(pair, Rule::by)?;
                if rule == Rule::near { Place::Near { target, key } } else { Place::Apart { target, key } }
            }
            Rule::at_most => Place::AtMost {
                count: self.number_in(pair.clone())?,
                among_framework: child(pair.clone(), Rule::among).is_some(),
                key: self.only_path(pair, Rule::by)?,
            },
            Rule::spread => {
                let (mut skew, mut at_least) = (None, None);
                for inner in children(pair.clone()) {
                    match inner.as_rule() {
                        Rule::skew => skew = Some(self.number_in(inner)?),
                        Rule::at_least => at_least = Some(self.number_in(inner)?),
                        _ => {}
                    }
                }
                Place::Spread { key: self.only_path(pair, Rule::by)?, skew, at_least }
            }
            _ => Place::Together { key: self.only_path(pair, Rule::by)? },
        })
    }

    fn expect(&mut self, pair: Pair<'_>) -> Option<Expect> {
        let pair = children(pair).next()?;
        match pair.as_rule() {
            Rule::snapshot => Some(Expect::Snapshot),
            Rule::free => {
                let side = child(pair.clone(), Rule::holder_side)?;
                let side = if side.as_str() == "agent" { Side::Agent } else { Side::Pool };
                let holder = self.only_name(pair.clone())?;
                let resource = self.only_path(pair.clone(), Rule::key)?;
                let amount = self.expression(child(pair, Rule::expression)?)?;
                Some(Expect::Free { side, holder, resource, amount })
            }
            Rule::share => self.share(pair),
            Rule::expect_on | Rule::expect_from => self.placed(pair),
            _ => {
                let need = self.only_path(pair.clone(), Rule::key)?;
                let word = child(pair.clone(), Rule::outcome_word)?;
                let count = match child(pair, Rule::digits) {
                    Some(digits) => Some((self.digits(&digits)?, self.span(&digits))),
                    None => None,
                };
                let outcome = self.outcome(&word, count)?;
                Some(Expect::Outcome(need, outcome))
            }
        }
    }

    fn outcome(
        &mut self,
        word: &Pair<'_>,
        count: Option<(u64, crate::source::Span)>,
    ) -> Option<ExpectedOutcome> {
        Some(match (word.as_str(), count) {
            ("met", None) => ExpectedOutcome::Met,
            ("partial", None) => ExpectedOutcome::Partial,
            ("unmet", None) => ExpectedOutcome::Unmet,
            ("offered", Some((count, _))) => ExpectedOutcome::Offered(count),
            (_, None) => {
                let help = "say how many: `offered 2`";
                self.error(Code::B0107, self.span(word), "expected a number after `offered`", help);
                return None;
            }
            (word, Some((_, span))) => {
                let message = format!("`{word}` takes no number");
                self.error(Code::B0107, span, message, "to expect so many, write `offered N`");
                return None;
            }
        })
    }

    fn share(&mut self, pair: Pair<'_>) -> Option<Expect> {
        let role = self.only_name(pair.clone())?;
        let fraction = child(pair, Rule::fraction)?;
        let span = self.span(&fraction);
        let mut digits = children(fraction);
        let numerator = self.digits(&digits.next()?)?;
        let denominator = match digits.next() {
            Some(digits) => self.digits(&digits)?,
            None => 1,
        };
        if denominator == 0 {
            let problem = Diagnostic::error(Code::B0112, span, "a share of nothing: the divisor is 0");
            self.problem(problem.help("write a fraction such as `2/3`"));
            return None;
        }
        Some(Expect::Share { role, numerator, denominator, span })
    }

    /// Reads `NEED on AGENT` or `NEED.VOLUME from "p/i/n"`, in all their forms.
    fn placed(&mut self, pair: Pair<'_>) -> Option<Expect> {
        let on = pair.as_rule() == Rule::expect_on;
        let (mut mode, mut negative, mut because) = (OnMode::On, false, None);
        for inner in children(pair.clone()) {
            match inner.as_rule() {
                Rule::mode => {
                    mode = match children(inner).next()?.as_rule() {
                        Rule::not_on => OnMode::NotOn,
                        Rule::best_on => OnMode::BestOn,
                        _ => OnMode::On,
                    };
                }
                Rule::not_from => negative = true,
                Rule::because => because = Some(self.only_name(inner)?),
                _ => {}
            }
        }
        let what = self.only_path(pair.clone(), Rule::key)?;
        let name = self.only_name(pair)?;
        Some(if on {
            Expect::On { need: what, mode, agent: name, because }
        } else {
            Expect::From { volume: what, negative, supply: name, because }
        })
    }
}

fn side(name: Name) -> Result<Side, Name> {
    Side::from_name(&name.text).ok_or(name)
}

fn block_kind(word: &str) -> BlockKind {
    match word {
        "agent" => BlockKind::Agent,
        "allocation" => BlockKind::Allocation,
        "broker" => BlockKind::Broker,
        "framework" => BlockKind::Framework,
        "instance" => BlockKind::Instance,
        "limit" => BlockKind::Limit,
        "need" => BlockKind::Need,
        "pool" => BlockKind::Pool,
        "provider" => BlockKind::Provider,
        "revocable" => BlockKind::Revocable,
        "role" => BlockKind::Role,
        "test" => BlockKind::Test,
        _ => BlockKind::Volume,
    }
}
