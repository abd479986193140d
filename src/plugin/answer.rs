//! Checks the lengths, rows and ranges of what a plugin returns, before any other code reads it.
//!
//! An answer is a list of *planes*, one for each rule. Requirements and classes have two bitmaps (true and
//! unknown; neither is false). Preferences have one number for each candidate. `filter` gives each answer a
//! shape, which follows from the question alone, and a returned answer must fit it exactly.

use super::{
    About,
    about::Purpose,
    ask::{Answer, ComputationFailure, ConditionOutcome, Plane},
    fault::Broken,
    texts::Texts,
    wire::{explain as said, filter as wire},
};
use crate::{
    logic::Truth,
    quantity::{Dimension, MILLION},
    ranges::Ranges,
    symbol::Symbols,
    value::{Value, quote},
};

/// Returns an empty answer of the shape that a question asks for. `None` for a side that is not tried.
pub(super) fn shape(about: &About, rules: &[u32], agents: Option<usize>, pools: Option<usize>) -> Answer {
    let (mut bits, mut numbers) = (0, 0);
    let planes = rules.iter().map(|rule| match about.rules.get(*rule as usize).map(|rule| rule.purpose) {
        Some(Purpose::Prefer(_)) => {
            numbers += 1;
            Plane::Earned(numbers - 1)
        }
        _ => {
            bits += 1;
            Plane::Bits(bits - 1)
        }
    });
    Answer {
        planes: planes.collect(),
        agents: agents.unwrap_or(1),
        pools: pools.unwrap_or(1),
        by_agent: agents.is_some() && pools.is_some(),
        ..Answer::default()
    }
}

impl Answer {
    /// Returns the number of planes of bits, and of planes of numbers.
    fn planes(&self) -> (usize, usize) {
        let numbers = self.planes.iter().filter(|plane| matches!(plane, Plane::Earned(_))).count();
        (self.planes.len() - numbers, numbers)
    }

    /// Returns the size of the filled answer in bytes.
    pub(super) fn bytes(&self) -> usize {
        let (bits, numbers) = self.planes();
        bits * self.plane_words() * 16 + numbers * self.agents * self.pools * 4
    }

    /// Joins the answers of a question that was asked in parts, in order. The parts divide the agents; or, if
    /// only one side is tried, the rows of that side at multiples of 64, so that bitmaps join by whole words.
    pub(super) fn of_parts(mut self, parts: &[Answer]) -> Answer {
        let (bits, numbers) = self.planes();
        for plane in 0..bits {
            // The planes of a part are adjacent in its lists, so each plane is gathered from all parts in
            // turn.
            for part in parts {
                let words = part.plane_words();
                let range = plane * words..(plane + 1) * words;
                self.holds.extend_from_slice(&part.holds[range.clone()]);
                self.unknown.extend_from_slice(&part.unknown[range]);
            }
        }
        for plane in 0..numbers {
            for part in parts {
                let count = part.agents * part.pools;
                self.earned.extend_from_slice(&part.earned[plane * count..(plane + 1) * count]);
            }
        }
        self
    }

    /// Takes over what a filter returned, after checking it.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn fill(&mut self, answer: wire::Answer) -> Result<(), (Broken, String)> {
        let (bits, numbers) = self.planes();
        let words = bits * self.plane_words();
        let length = |what: &str, found: usize, wanted: usize| {
            if found == wanted {
                Ok(())
            } else {
                Err((Broken::Length, format!("`{what}` has {found} entries instead of {wanted}")))
            }
        };
        length("holds", answer.holds.len(), words)?;
        length("unknown", answer.unknown.len(), words)?;
        length("earned", answer.earned.len(), numbers * self.agents * self.pools)?;
        if answer.holds.iter().zip(&answer.unknown).any(|(holds, unknown)| holds & unknown != 0) {
            return Err((Broken::Range, "it says of a row that it is both true and unknown".to_owned()));
        }
        // A bitmap of `width` bits is padded to whole words. Bits in the padding are about rows that do not
        // exist.
        let width = if self.by_agent { self.pools } else { self.agents * self.pools };
        if width % 64 != 0 {
            let beyond = !0 << (width % 64);
            let last = |bits: &[u64]| {
                bits.chunks(width.div_ceil(64)).any(|row| row.last().is_some_and(|word| word & beyond != 0))
            };
            if last(&answer.holds) || last(&answer.unknown) {
                return Err((Broken::Rows, format!("it answers for rows beyond the {width} that there are")));
            }
        }
        if let Some(wrong) = answer.earned.iter().find(|earned| !(-1..=MILLION as i32).contains(*earned)) {
            return Err((
                Broken::Range,
                format!("a preference earns {wrong}, which is not from -1 to {MILLION}"),
            ));
        }
        (self.holds, self.unknown, self.earned) = (answer.holds, answer.unknown, answer.earned);
        Ok(())
    }
}

/// Checks the explanations of the conditions that were asked about.
///
/// # Errors
/// The rule that it breaks.
pub(super) fn outcomes(
    about: &About,
    asked: &[u32],
    told: Vec<said::Outcome>,
    texts: &Texts,
    symbols: &Symbols,
) -> Result<Vec<ConditionOutcome>, (Broken, String)> {
    if told.len() != asked.len() {
        return Err((
            Broken::Length,
            format!("it explains {} conditions instead of {}", told.len(), asked.len()),
        ));
    }
    told.into_iter()
        .map(|outcome| {
            let failure = match outcome.fault {
                Some(fault) if fault.expression as usize >= about.expressions.len() => {
                    let said = format!("it names expression {}, which is not there", fault.expression);
                    return Err((Broken::Range, said));
                }
                Some(fault) => Some((
                    match fault.failure {
                        said::Failure::Overflow => ComputationFailure::Overflow,
                        said::Failure::DivisionByZero => ComputationFailure::DivisionByZero,
                    },
                    fault.expression,
                )),
                None => None,
            };
            let operand = outcome.operand.map(|value| show(&value, texts, symbols)).transpose();
            Ok(ConditionOutcome {
                truth: match outcome.truth {
                    said::Truth::No => Truth::False,
                    said::Truth::Unknown => Truth::Unknown,
                    said::Truth::Yes => Truth::True,
                },
                may_hold: outcome.may_hold,
                may_fail: outcome.may_fail,
                failure,
                operand: operand.map_err(|what| (Broken::Range, what))?,
                distance: outcome.distance,
            })
        })
        .collect()
}

/// Writes a value as a policy would.
fn show(value: &wire::Value, texts: &Texts, symbols: &Symbols) -> Result<String, String> {
    let quantity = |dimension, amount: &i64| Value::Quantity(dimension, *amount).show(symbols);
    let text = |number: u32| match texts.text(symbols, number) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("it tells the text {number}, which is not there")),
    };
    let ascending = |members: &[i64]| {
        if members.windows(2).all(|pair| pair[0] < pair[1]) {
            Ok(())
        } else {
            Err("it tells a set out of order".to_owned())
        }
    };
    Ok(match value {
        wire::Value::Boolean(value) => value.to_string(),
        wire::Value::Number(amount) => quantity(Dimension::Number, amount),
        wire::Value::Size(amount) => quantity(Dimension::Size, amount),
        wire::Value::Bandwidth(amount) => quantity(Dimension::Bandwidth, amount),
        wire::Value::Duration(amount) => quantity(Dimension::Duration, amount),
        wire::Value::Text(number) | wire::Value::Place(number) => quote(&text(*number)?),
        wire::Value::Version(number) => match texts.version(*number) {
            Some(version) => format!("v\"{version}\""),
            None => return Err(format!("it tells the version {number}, which is not there")),
        },
        wire::Value::Texts(members) => {
            ascending(members)?;
            let number = |member: &i64| {
                u32::try_from(*member).map_err(|_| "it tells a text that is not there".to_owned())
            };
            let mut members =
                members.iter().map(|member| text(number(member)?)).collect::<Result<Vec<_>, _>>()?;
            members.sort_unstable();
            format!("[{}]", members.iter().map(|member| quote(member)).collect::<Vec<_>>().join(", "))
        }
        wire::Value::Numbers(members) => {
            ascending(members)?;
            Value::Numbers(members.as_slice().into()).show(symbols)
        }
        wire::Value::Ranges(ends) => {
            if ends.len() % 2 != 0 {
                return Err("it tells a range without an end".to_owned());
            }
            Ranges::new(ends.chunks(2).map(|pair| (pair[0], pair[1]))).to_string()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(planes: &[Plane], (agents, pools): (usize, usize), by_agent: bool) -> Answer {
        Answer { planes: planes.to_vec(), agents, pools, by_agent, ..Answer::default() }
    }

    fn filled(mut answer: Answer, holds: Vec<u64>, earned: Vec<i32>) -> Answer {
        let unknown = vec![0; holds.len()];
        answer.fill(wire::Answer { holds, unknown, earned }).expect("fits");
        answer
    }

    #[test]
    fn parts_of_one_side_are_joined_plane_by_plane() {
        let planes = [Plane::Bits(0), Plane::Earned(0), Plane::Bits(1)];
        let first = filled(answer(&planes, (64, 1), false), vec![1, 1 << 63], vec![5; 64]);
        let second = filled(answer(&planes, (2, 1), false), vec![2, 3], vec![7, -1]);
        let joined = answer(&planes, (66, 1), false).of_parts(&[first, second]);
        let holding =
            |rule| (0..66).filter(|agent| joined.truth(rule, *agent, 0) == Truth::True).collect::<Vec<_>>();
        assert_eq!((holding(0), holding(2)), (vec![0, 65], vec![63, 64, 65]));
        assert_eq!(
            [0, 63, 64, 65].map(|agent| joined.earned(1, agent, 0)),
            [Some(5), Some(5), Some(7), None]
        );
    }

    #[test]
    fn parts_of_pairs_keep_a_bitmap_for_each_agent() {
        let planes = [Plane::Bits(0), Plane::Bits(1)];
        let first = filled(answer(&planes, (1, 65), true), vec![1, 1, 0, 0], Vec::new());
        let second = filled(answer(&planes, (2, 65), true), vec![2, 0, 4, 0, 0, 1, 0, 0], Vec::new());
        let joined = answer(&planes, (3, 65), true).of_parts(&[first, second]);
        let pairs = (0..3).flat_map(|agent| (0..65).map(move |pool| (agent, pool)));
        let holding = |rule| {
            pairs
                .clone()
                .filter(|(agent, pool)| joined.truth(rule, *agent, *pool) == Truth::True)
                .collect::<Vec<_>>()
        };
        assert_eq!(holding(0), [(0, 0), (0, 64), (1, 1), (2, 2)]);
        assert_eq!(holding(1), [(1, 64)]);
        assert_eq!(joined.truth(0, 3, 0), Truth::Unknown, "nobody is there");
    }

    #[test]
    fn bits_beyond_the_last_supply_of_any_agent_are_seen() {
        let mut asked = answer(&[Plane::Bits(0)], (2, 65), true);
        let told = |holds| wire::Answer { holds, unknown: vec![0; 4], earned: Vec::new() };
        assert!(asked.fill(told(vec![0, 1, !0, 1])).is_ok());
        let (broken, _) = asked.fill(told(vec![0, 2, 0, 0])).expect_err("of the first agent");
        assert_eq!(broken, Broken::Rows);
    }
}
