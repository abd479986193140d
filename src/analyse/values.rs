//! Chooses representatives: a finite set of values for each variable, such that whatever is possible at all
//! is possible with these.
//!
//! The argument is that of a small model. Conditions tell values apart only by comparing them with the
//! constants and the other variables of their group (see `group`). So what matters of an assignment is its
//! arrangement: for amounts and versions, between which constants each value lies and in which order those of
//! one gap are; for texts, which are equal; for sets, which constants are members and how sets overlap; for
//! places, which path is below which. With `k` variables in a group it is enough to offer every constant, and
//! `k` further values in each gap or of each kind: every arrangement then occurs among the assignments.
//!
//! If the values may not cover every arrangement (there are too many, or keys meet in arithmetic) a
//! [`Doubt`] says so. A candidate that is found is right in any case, as the engine evaluates it. Only "there
//! is none" needs representatives that are complete, and is withheld in doubt.
//!
//! Round and small values come first: the search takes the first that fits, and that one is shown to people.

use std::collections::BTreeSet;

use super::{
    Doubt,
    candidate::{HypotheticalCandidate, Variable, VariableId, VariableValue},
    group::ComparedGroup,
};
use crate::{
    engine::Keys,
    ir::{Column, ColumnId, Key},
    keys::{self, BuiltIn, Presence},
    limits,
    quantity::{Dimension, MILLION},
    ranges::Ranges,
    symbol::Symbol,
    types::{Side, Type},
    value::{Value, Version, is_place},
};

/// The representatives of the variables of a group.
pub struct Domains {
    /// The values of each variable.
    pub values: Vec<(VariableId, Vec<VariableValue>)>,
    /// Opaque texts of each variable that patterns apply to. They may stand for texts that do not exist, so
    /// they can show that nothing is possible, and nothing else.
    pub opaque: Vec<(VariableId, Vec<VariableValue>)>,
    /// The reason why the values do not stand for all others, if they do not.
    pub doubt: Option<Doubt>,
}

/// Returns the representatives of the variables of a group.
pub fn domains(group: &ComparedGroup, hypothetical: &mut HypotheticalCandidate<'_>) -> Domains {
    let kinds = group.variables.values().map(|columns| hypothetical.type_of(columns[0]));
    let kinds: Vec<Option<Type>> = kinds.collect();
    let is_set = |kind: &Option<Type>| matches!(kind, Some(Type::Texts | Type::Numbers | Type::Ranges));
    let mut representatives = Representatives {
        group,
        doubt: group.doubt,
        variables: kinds.len(),
        sets_vary: kinds.iter().any(is_set),
    };
    // A key without a type may be a set or a member of one. Members of a set that varies are not tried as
    // places.
    if group.has_sets && (kinds.contains(&None) || group.places && representatives.sets_vary) {
        representatives.doubt = Some(Doubt::Sets);
    }
    let mut domains = Domains { values: Vec::new(), opaque: Vec::new(), doubt: None };
    let paths = if group.places { representatives.paths(hypothetical) } else { Vec::new() };
    let texts = representatives.texts(hypothetical);
    for (id, columns) in &group.variables {
        let first = columns[0];
        let kind = hypothetical.type_of(first).unwrap_or_else(|| representatives.type_seen());
        let mut values = match hypothetical.variable(*id) {
            Variable::Stock(..) => representatives.stock(columns, kind, hypothetical),
            Variable::Place(_) => {
                paths.iter().map(|path| VariableValue::Value(Value::Place(*path))).collect()
            }
            Variable::Key(_) => representatives.of_type(kind, first, &paths, &texts, hypothetical),
        };
        let column = hypothetical.plan().column(first);
        if may_be_absent(column, hypothetical) {
            values.push(VariableValue::Absent);
        }
        // Only the keys of data may hold another type; a policy with one does not compile.
        let of_data = matches!(column.side, Side::Agent | Side::Pool);
        if of_data && matches!(column.key, Key::Attribute(_)) && hypothetical.type_of(first).is_some() {
            values.push(VariableValue::Mismatch);
        }
        if kind == Type::Text && !group.patterns.is_empty() {
            domains.opaque.push((*id, representatives.opaque(hypothetical)));
        }
        domains.values.push((*id, values));
    }
    domains.doubt = representatives.doubt;
    domains
}

/// Returns `true` if a candidate may lack the value of a column.
fn may_be_absent(column: Column, hypothetical: &HypotheticalCandidate<'_>) -> bool {
    let word = match column.key {
        Key::Name => BuiltIn::Name.text(),
        Key::Provider => BuiltIn::Provider.text(),
        Key::Instance => BuiltIn::Instance.text(),
        Key::Attribute(key) => hypothetical.plan().symbols.text(key),
        Key::Domain | Key::Level(_) | Key::Total(_) | Key::Free(_) | Key::Used(_) => return true,
    };
    keys::find(column.side, word).is_none_or(|known| known.presence != Presence::Always)
}

/// Returns the property that a column reads, if it is no open key.
fn property(column: Column, hypothetical: &HypotheticalCandidate<'_>) -> Option<BuiltIn> {
    let Key::Attribute(key) = column.key else { return None };
    keys::property(column.side, hypothetical.plan().symbols.text(key)).map(|known| known.word)
}

/// Returns the least amount that a column can have, if it has one.
fn least(column: Column, hypothetical: &HypotheticalCandidate<'_>) -> Option<i64> {
    match column.key {
        Key::Total(_) | Key::Used(_) => Some(0),
        Key::Attribute(_) => match property(column, hypothetical) {
            Some(BuiltIn::Count) => Some(MILLION),
            Some(BuiltIn::Weight) => Some(1),
            None if column.side == Side::Volume => Some(0),
            _ => None,
        },
        _ => None,
    }
}

/// Makes the values of one group, and collects the doubt that arises.
struct Representatives<'g> {
    group: &'g ComparedGroup,
    doubt: Option<Doubt>,
    /// The number of variables in the group. As many values are needed wherever all of them could differ.
    variables: usize,
    /// `true` if one of the variables is a set.
    sets_vary: bool,
}

impl Representatives<'_> {
    /// Returns the type to try for a key that has none of its own, from the constants it is compared with.
    fn type_seen(&self) -> Type {
        match self.group {
            ComparedGroup { places: true, .. } => Type::Place,
            ComparedGroup { has_sets: true, .. } => Type::Texts,
            ComparedGroup { quantities, ordered, .. } if *ordered || !quantities.is_empty() => Type::NUMBER,
            _ => Type::Text,
        }
    }

    fn of_type(
        &mut self,
        kind: Type,
        column: ColumnId,
        paths: &[Symbol],
        texts: &[Symbol],
        hypothetical: &mut HypotheticalCandidate<'_>,
    ) -> Vec<VariableValue> {
        let plan = hypothetical.plan();
        let place = plan.column(column);
        let values: Vec<Value> = match kind {
            Type::Bool => vec![Value::Bool(true), Value::Bool(false)],
            // A number that may be a member of a set takes its values from the members that sets are made of.
            Type::Quantity(dimension) if self.sets_vary => {
                self.members().into_iter().map(|amount| Value::Quantity(dimension, amount)).collect()
            }
            Type::Quantity(dimension) => {
                let amounts = self.amounts(least(place, hypothetical), unit(dimension));
                amounts.into_iter().map(|amount| Value::Quantity(dimension, amount)).collect()
            }
            Type::Text if is_access(place, hypothetical) => {
                let words = ["rw", "ro"].map(|word| Value::Text(hypothetical.symbols.intern(word)));
                words.to_vec()
            }
            Type::Text if self.group.places => paths.iter().map(|path| Value::Text(*path)).collect(),
            Type::Text => texts.iter().map(|text| Value::Text(*text)).collect(),
            Type::Place => paths.iter().map(|path| Value::Place(*path)).collect(),
            Type::Version => {
                self.versions().into_iter().map(|version| Value::Version(version.into())).collect()
            }
            Type::Texts => self.sets(texts, Value::texts),
            Type::Numbers => {
                let members = self.members();
                self.sets(&members, Value::numbers)
            }
            Type::Ranges => self.ranges(),
        };
        values.into_iter().map(VariableValue::Value).collect()
    }

    /// Returns members of sets: every number of the group, and some others.
    fn members(&mut self) -> Vec<i64> {
        if self.group.ordered {
            self.doubt = Some(Doubt::Sets);
        }
        let fresh = self.fresh_members();
        let mut members: Vec<i64> = self.group.quantities.iter().copied().collect();
        members.extend(above(members.last().copied(), MILLION, fresh));
        members
    }

    /// Returns every amount of the group that is at least `least`, and some in each gap below, between and
    /// above.
    ///
    /// A gap with fewer amounts than needed gives all it has, so the values of narrow gaps are complete as
    /// well.
    fn amounts(&mut self, least: Option<i64>, unit: i64) -> Vec<i64> {
        // Both ends are exclusive, so they need more than 64 bits.
        let floor = least.map_or(i128::from(i64::MIN), i128::from) - 1;
        let ceiling = i128::from(i64::MAX) + 1;
        let constants: Vec<i64> =
            self.group.quantities.iter().copied().filter(|amount| i128::from(*amount) > floor).collect();
        let mut found = constants.clone();
        // Without constants only the order of the variables matters.
        let (Some(first), Some(last)) = (constants.first().copied(), constants.last().copied()) else {
            let mut found = above(None, unit, self.variables.min(limits::REPRESENTATIVES));
            found.retain(|amount| i128::from(*amount) > floor);
            return found;
        };
        let each = self.in_each_gap(constants.len());
        found.extend(gap(i128::from(last), ceiling, each, next_above(last, unit)));
        for pair in constants.windows(2) {
            found.extend(gap(i128::from(pair[0]), i128::from(pair[1]), each, None));
        }
        found.extend(gap(floor, i128::from(first), each, next_below(first, unit)));
        found
    }

    /// Returns the number of values for each gap: one for each variable of the group, or fewer (in doubt)
    /// where all together would be too many.
    fn in_each_gap(&mut self, constants: usize) -> usize {
        let most = (2 * limits::REPRESENTATIVES / (constants + 1)).max(1);
        if self.variables > most {
            self.doubt = Some(Doubt::Steps);
        }
        self.variables.min(most)
    }

    /// Returns values of a resource, which has a total and a used amount.
    ///
    /// If one column alone reads it, that amount is all that matters, and the other can follow from it. With
    /// several columns the values are pairs of known amounts. These are not complete: a condition on `free`
    /// distinguishes differences, which need not be among the amounts.
    fn stock(
        &mut self,
        columns: &[ColumnId],
        kind: Type,
        hypothetical: &HypotheticalCandidate<'_>,
    ) -> Vec<VariableValue> {
        // A resource without a dimension is never compared with an amount, only tested for presence. Any will
        // do.
        let dimension = if let Type::Quantity(known) = kind { known } else { Dimension::Number };
        let plan = hypothetical.plan();
        let keys: Vec<Key> = columns.iter().map(|column| plan.column(*column).key).collect();
        let amounts = self.amounts(least(plan.column(columns[0]), hypothetical), unit(dimension));
        if let [only] = keys.as_slice() {
            let used = matches!(only, Key::Used(_));
            let pair = |amount: i64| VariableValue::Stock(dimension, amount, if used { amount } else { 0 });
            return amounts.into_iter().map(pair).collect();
        }
        self.doubt = Some(Doubt::Amounts);
        let totals = amounts.iter().copied().filter(|total| *total >= 0);
        let mut pairs: Vec<(i64, i64)> = Vec::new();
        for total in totals {
            let used = amounts.iter().copied().chain([0]).filter(|used| (0..=total).contains(used));
            pairs.extend(used.map(|used| (total, used)));
        }
        pairs.truncate(limits::REPRESENTATIVES);
        pairs.into_iter().map(|(total, used)| VariableValue::Stock(dimension, total, used)).collect()
    }

    /// Returns the number of members that are needed beside those that conditions name.
    fn fresh_members(&self) -> usize {
        if !self.group.has_sets {
            return self.variables;
        }
        // `k` sets divide what no condition names into 2^k - 1 regions of a Venn diagram, beside the outside.
        // One member for each makes every overlap possible.
        let choices = 1_usize.checked_shl(self.variables as u32).unwrap_or(usize::MAX);
        choices.saturating_sub(1).min(limits::REPRESENTATIVES)
    }

    /// Returns every text of the group, samples of its patterns, and some other texts.
    fn texts(&mut self, hypothetical: &mut HypotheticalCandidate<'_>) -> Vec<Symbol> {
        let mut found: Vec<Symbol> = self.group.texts.iter().copied().collect();
        let samples: Vec<String> =
            self.group.patterns.iter().flat_map(|pattern| super::sample::of_pattern(pattern)).collect();
        for sample in samples {
            let sample = hypothetical.symbols.intern(&sample);
            if !found.contains(&sample) {
                found.push(sample);
            }
        }
        let mut number = 1;
        let mut missing = self.fresh_members();
        while missing > 0 {
            let text = if number == 1 { "other".to_owned() } else { format!("other-{number}") };
            let text = hypothetical.symbols.intern(&text);
            if !found.contains(&text) {
                found.push(text);
                missing -= 1;
            }
            number += 1;
        }
        found
    }

    /// Returns an opaque text for each subset of the patterns: it stands for the texts that match just those.
    ///
    /// There may be no such text, and deciding that takes products of automata. So opaque texts only ever
    /// show that a question has no answer: if not even they meet the conditions, no text does.
    fn opaque(&mut self, hypothetical: &mut HypotheticalCandidate<'_>) -> Vec<VariableValue> {
        let patterns: Vec<&String> = self.group.patterns.iter().collect();
        if patterns.len() > limits::ANALYSED_PATTERNS {
            self.doubt = Some(Doubt::Patterns);
            return Vec::new();
        }
        if self.variables > 1 {
            // Two texts that match alike may be equal or not; one of each kind does not tell.
            self.doubt = Some(Doubt::Patterns);
        }
        let choices = 0..1_u32 << patterns.len();
        let chosen = choices.map(|choice| {
            let matched = patterns.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
            VariableValue::Value(Value::Text(
                hypothetical.opaque(matched.map(|(_, text)| (*text).clone()).collect()),
            ))
        });
        chosen.collect()
    }

    /// Returns every set of some members. Of many members (in doubt) those with one, those that are written,
    /// the whole and the empty one.
    fn sets<M: Copy + Ord>(&mut self, members: &[M], make: impl Fn(Vec<M>) -> Value) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        if members.len() <= limits::ANALYSED_MEMBERS {
            // Each bit of a choice says if the set has the member of that number.
            let mut choices: Vec<u32> = (0..1_u32 << members.len()).collect();
            // Small sets first, and the empty one last of all: it is the least telling witness.
            choices.sort_by_key(|choice| if *choice == 0 { u32::MAX } else { choice.count_ones() });
            for choice in choices {
                let chosen = members.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
                found.push(make(chosen.map(|(_, member)| *member).collect()));
            }
            return found;
        }
        self.doubt = Some(Doubt::Sets);
        found.extend(members.iter().take(limits::REPRESENTATIVES).map(|member| make(vec![*member])));
        found.extend(self.group.sets.iter().filter(|set| !matches!(set, Value::Ranges(_))).cloned());
        found.push(make(members.to_vec()));
        found.push(make(Vec::new()));
        // The sets as written may be of another type, where keys of two types meet in the group.
        found.retain(|value| value.type_of() == make(Vec::new()).type_of());
        found
    }

    /// Returns ranges: those that are written, some single points, one from the first to the last, and the
    /// empty one. Always in doubt.
    fn ranges(&mut self) -> Vec<Value> {
        self.doubt = Some(Doubt::Sets);
        let whole = self.group.quantities.iter().filter(|amount| *amount % MILLION == 0);
        let points: Vec<i64> = whole.map(|amount| amount / MILLION).take(limits::REPRESENTATIVES).collect();
        let mut found: Vec<Ranges> = points.iter().map(|point| Ranges::new([(*point, *point)])).collect();
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            found.push(Ranges::new([(*first, *last)]));
        }
        let mut values: Vec<Value> =
            self.group.sets.iter().filter(|set| matches!(set, Value::Ranges(_))).cloned().collect();
        values.extend(found.into_iter().map(|ranges| Value::Ranges(ranges.into())));
        values.push(Value::Ranges(Ranges::default().into()));
        values
    }

    /// Returns every version of the group, and some in each gap below, between and above.
    fn versions(&mut self) -> Vec<Version> {
        let constants: Vec<Version> = self.group.versions.iter().cloned().collect();
        let mut found: BTreeSet<Version> = constants.iter().cloned().collect();
        let mut fresh = Vec::new();
        let each = self.in_each_gap(constants.len());
        for at in 0..=constants.len() {
            let (low, high) = (at.checked_sub(1).map(|at| &constants[at]), constants.get(at));
            for number in 1..=each as u64 {
                match Version::between(low, high, number) {
                    Some(version) if found.insert(version.clone()) => fresh.push(version),
                    // Between pre-releases there may be no version that `between` can make.
                    _ => self.doubt = Some(Doubt::Versions),
                }
            }
        }
        constants.into_iter().chain(fresh).collect()
    }

    /// Returns every path of the group, the paths above it, and below each of these some that the group does
    /// not have.
    ///
    /// The result is a tree: below each known path (and at the root) as many new branches as variables could
    /// need, down past the deepest known path and the last level. Its size is exponential in the depth, so it
    /// is cut, in doubt, to [`limits::REPRESENTATIVES`].
    fn paths(&mut self, hypothetical: &mut HypotheticalCandidate<'_>) -> Vec<Symbol> {
        // The empty path is the root. It is no value, but new paths grow from it.
        let mut nodes: Vec<String> = vec![String::new()];
        for text in &self.group.texts {
            let text = hypothetical.symbols.text(*text).to_owned();
            if !is_place(&text) {
                self.doubt = Some(Doubt::Places);
                continue;
            }
            let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
            for end in ends {
                if !nodes.iter().any(|known| *known == text[..end]) {
                    nodes.push(text[..end].to_owned());
                }
            }
        }
        let depth = |path: &str| if path.is_empty() { 0 } else { path.split('/').count() };
        let deepest = nodes.iter().map(|node| depth(node)).max().unwrap_or(0);
        let beyond = if self.group.nested { self.variables } else { 1 };
        let mut deepest = deepest.max(hypothetical.plan().levels.len()) + beyond;
        let mut branches = self.variables;
        // First fewer branches, then less depth, until the tree fits.
        while size(branches, deepest).saturating_mul(nodes.len()) > limits::REPRESENTATIVES
            && (branches > 1 || deepest > 2)
        {
            self.doubt = Some(Doubt::Places);
            if branches > 1 { branches -= 1 } else { deepest -= 1 }
        }
        let mut found: Vec<String> = nodes[1..].to_vec();
        for node in &nodes {
            grow(node, depth(node), deepest, branches, &nodes, &mut found);
        }
        if found.len() > limits::REPRESENTATIVES {
            self.doubt = Some(Doubt::Places);
            found.truncate(limits::REPRESENTATIVES);
        }
        // The value of a level is a start of the path, and `HypotheticalCandidate` looks its symbol up.
        for path in &found {
            for (at, _) in path.match_indices('/') {
                hypothetical.symbols.intern(&path[..at]);
            }
        }
        found.iter().map(|path| hypothetical.symbols.intern(path)).collect()
    }
}

fn is_access(column: Column, hypothetical: &HypotheticalCandidate<'_>) -> bool {
    column.side == Side::Volume && property(column, hypothetical) == Some(BuiltIn::Access)
}

/// Returns the number of paths in a tree of this depth below one path.
fn size(branches: usize, deepest: usize) -> usize {
    (0..deepest).fold(0_usize, |sum, _| sum.saturating_add(1).saturating_mul(branches))
}

/// Adds a tree of paths below `node` that are not in `known`.
fn grow(
    node: &str,
    depth: usize,
    deepest: usize,
    branches: usize,
    known: &[String],
    found: &mut Vec<String>,
) {
    if depth >= deepest || found.len() > limits::REPRESENTATIVES {
        return;
    }
    let mut made = 0;
    let mut number = 1;
    while made < branches {
        let name = if number == 1 { "other".to_owned() } else { format!("other-{number}") };
        number += 1;
        let path = if node.is_empty() { name } else { format!("{node}/{name}") };
        if known.contains(&path) {
            continue;
        }
        made += 1;
        found.push(path.clone());
        grow(&path, depth + 1, deepest, branches, known, found);
    }
}

/// Returns the amount, in base units, that people count a dimension in.
fn unit(dimension: Dimension) -> i64 {
    match dimension {
        Dimension::Number | Dimension::Duration => MILLION,
        Dimension::Size | Dimension::Bandwidth => 1_000_000_000,
    }
}

/// Returns the next round amount above one.
fn next_above(amount: i64, unit: i64) -> Option<i64> {
    let step = magnitude(amount.checked_abs()?).max(unit);
    (amount.div_euclid(step) + 1).checked_mul(step)
}

/// Returns the next round amount below one.
fn next_below(amount: i64, unit: i64) -> Option<i64> {
    let step = match amount {
        1.. => magnitude(amount - 1).max(if amount > unit { unit } else { 1 }),
        _ => magnitude(amount.checked_abs()?).max(unit),
    };
    (amount.checked_sub(1)?.div_euclid(step)).checked_mul(step)
}

/// Returns the largest power of ten that is at most an amount, or 1.
fn magnitude(amount: i64) -> i64 {
    amount.checked_ilog10().map_or(1, |digits| 10_i64.pow(digits))
}

/// Returns the next `count` round amounts above one.
fn above(amount: Option<i64>, unit: i64, count: usize) -> Vec<i64> {
    let mut found = Vec::new();
    let mut at = amount.unwrap_or(0);
    for _ in 0..count {
        let Some(next) = next_above(at, unit) else { break };
        found.push(next);
        at = next;
    }
    found
}

/// Returns `count` amounts strictly between two, or all of them if there are fewer. `nice` comes first if it
/// is among them.
///
/// Splits the gap at its roundest amount, then both halves, breadth first: the amounts are round and spread
/// out, and none is made twice.
fn gap(low: i128, high: i128, count: usize, nice: Option<i64>) -> Vec<i64> {
    let mut found: Vec<i64> = Vec::new();
    let mut open = vec![(low, high)];
    if let Some(nice) = nice.filter(|nice| low < i128::from(*nice) && i128::from(*nice) < high) {
        found.push(nice);
        open = vec![(i128::from(nice), high), (low, i128::from(nice))];
    }
    while found.len() < count && !open.is_empty() {
        let mut next = Vec::new();
        for (low, high) in std::mem::take(&mut open) {
            let Some(middle) = roundest(low, high) else { continue };
            if found.len() < count {
                found.extend(i64::try_from(middle));
                next.extend([(middle, high), (low, middle)]);
            }
        }
        open = next;
    }
    found
}

/// Returns the roundest number strictly between two: the least multiple of the largest power of ten that has
/// any there.
fn roundest(low: i128, high: i128) -> Option<i128> {
    let mut step: i128 = 1_000_000_000_000_000_000;
    while step > 0 {
        let first = (low.div_euclid(step) + 1) * step;
        if first < high {
            return Some(first);
        }
        step /= 10;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_with_round_amounts_and_to_the_last() {
        let one = MILLION;
        assert_eq!(next_above(10_000 * one, one), Some(20_000 * one));
        assert_eq!(next_above(7_200 * one, one), Some(8_000 * one));
        assert_eq!(next_above(0, one), Some(one));
        assert_eq!(next_below(2 * one, one), Some(one));
        assert_eq!(next_below(10_000 * one, one), Some(9_000 * one));
        assert_eq!(next_below(0, one), Some(-one));
        assert_eq!(gap(5, 7, 3, None), [6]);
        assert_eq!(gap(5, 6, 3, None), [0; 0]);
        let all: BTreeSet<i64> = gap(5, 10, 9, None).into_iter().collect();
        assert_eq!(all, BTreeSet::from([6, 7, 8, 9]));
        let edge = gap(i128::from(i64::MAX), i128::from(i64::MAX) + 1, 2, None);
        assert!(edge.is_empty());
    }
}
