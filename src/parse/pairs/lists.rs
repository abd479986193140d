//! List literals: `["a", "b"]`, `[1..5, 9]`, `[]`.

use super::{Pair, PairReader, Rule, children};
use crate::{
    diagnostic::Code,
    limits,
    parse::{
        ast::{Literal, Name, Number},
        error,
    },
    quantity::{Dimension, MILLION},
    ranges::Ranges,
    source::Span,
};

/// A member of a list.
enum Member {
    Text(Name),
    Number(Number),
    Range(i64, i64),
}

impl PairReader<'_> {
    /// Reads a list of texts, or of numbers and ranges.
    pub(super) fn list(&mut self, pair: Pair<'_>) -> Option<Literal> {
        let whole = self.span(&pair);
        let mut texts = Vec::new();
        let mut numbers: Vec<Number> = Vec::new();
        let mut ranges = Vec::new();
        for (index, pair) in children(pair).enumerate() {
            if index >= limits::LIST_MEMBERS {
                let message = format!("a list of more than {} members", limits::LIST_MEMBERS);
                self.error(Code::B0114, whole, message, "keep such data in an inventory, not in a policy");
                return None;
            }
            let span = self.span(&pair);
            let member = self.member(pair)?;
            // The first member of the other kind, for the second label of the error.
            let unlike = match &member {
                Member::Text(_) => numbers.first().map(|number| number.span),
                Member::Number(_) | Member::Range(..) => texts.first().map(|name: &Name| name.span),
            };
            if let Some(first) = unlike {
                let message = "a list holds texts, or numbers and ranges, not both";
                let problem = crate::diagnostic::Diagnostic::error(Code::B0115, span, message)
                    .also(first, "another kind")
                    .help("quote the numbers if they are names");
                self.problem(problem);
                return None;
            }
            match member {
                Member::Text(name) => texts.push(name),
                Member::Number(number) => numbers.push(number),
                Member::Range(low, high) => {
                    // A range holds a place among the numbers too, so that spans and order are kept.
                    numbers.push(Number { millionths: 0, span });
                    ranges.push((numbers.len() - 1, low, high));
                }
            }
        }
        Some(match (texts.is_empty(), numbers.is_empty(), ranges.is_empty()) {
            (true, true, _) => Literal::EmptyList,
            (false, ..) => Literal::Texts(texts),
            (_, _, true) => Literal::Numbers(numbers),
            _ => Literal::Ranges(self.ranges(&numbers, ranges)?),
        })
    }

    /// Returns ranges and single numbers as ranges. Reports a number that is not whole.
    fn ranges(&mut self, numbers: &[Number], ranges: Vec<(usize, i64, i64)>) -> Option<Ranges> {
        let mut parts: Vec<(i64, i64)> = ranges.iter().map(|&(_, low, high)| (low, high)).collect();
        // The indices of `numbers` that only hold the place of a range.
        let mut holes = ranges.iter().map(|range| range.0).peekable();
        for (index, number) in numbers.iter().enumerate() {
            if holes.next_if_eq(&index).is_some() {
                continue;
            }
            // A single number among ranges is a range of one.
            let whole = self.whole(number.millionths, number.span)?;
            parts.push((whole, whole));
        }
        Some(Ranges::new(parts))
    }

    fn whole(&mut self, millionths: i64, span: Span) -> Option<i64> {
        if millionths % MILLION != 0 {
            let message = "a list of ranges holds whole numbers";
            self.error(Code::B0115, span, message, "round it, or leave the ranges out");
            return None;
        }
        Some(millionths / MILLION)
    }

    fn member(&mut self, pair: Pair<'_>) -> Option<Member> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::string | Rule::mistake_quotes => self.text_name(pair).map(Member::Text),
            Rule::signed => {
                let quantity = self.quantity(pair.as_str(), &pair)?;
                if quantity.dimension != Dimension::Number {
                    self.no_member(&pair, &format!("a {}", quantity.dimension));
                    return None;
                }
                Some(Member::Number(Number { millionths: quantity.amount, span }))
            }
            Rule::range => self.range(pair),
            rule => {
                let kind = match rule {
                    Rule::version => "a version",
                    Rule::list => "a list",
                    Rule::path => "a name",
                    _ => "this",
                };
                self.no_member(&pair, kind);
                None
            }
        }
    }

    fn no_member(&mut self, pair: &Pair<'_>, kind: &str) {
        let message = format!("a list holds texts, or numbers and ranges, not {kind}");
        let help = if pair.as_rule() == Rule::path {
            format!("texts are quoted: `\"{}\"`", error::shown(pair.as_str()))
        } else {
            "write `x == … or x == …`".to_owned()
        };
        self.error(Code::B0115, self.span(pair), message, help);
    }

    fn range(&mut self, pair: Pair<'_>) -> Option<Member> {
        let span = self.span(&pair);
        let mut ends = children(pair);
        let (low, high) = (ends.next()?, ends.next()?);
        let mut values = [0; 2];
        for (value, end) in values.iter_mut().zip([&low, &high]) {
            let quantity = self.quantity(end.as_str(), end)?;
            if quantity.dimension != Dimension::Number {
                let message = format!("a range in a list holds whole numbers, not a {}", quantity.dimension);
                self.error(Code::B0115, self.span(end), message, "write it without a unit");
                return None;
            }
            *value = self.whole(quantity.amount, self.span(end))?;
        }
        if values[0] > values[1] {
            let (message, help) = error::backwards(low.as_str(), high.as_str());
            self.error(Code::B0112, span, message, help);
            return None;
        }
        Some(Member::Range(values[0], values[1]))
    }
}
