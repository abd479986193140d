//! Finds the best candidate of a need from bitmaps of rows.
//!
//! There are three ways, the first that applies:
//!
//! - Without volumes, the agent with the best score wins.
//! - With one volume that nothing but rules ties to the agent, supplies are visited best first. The first
//!   that serves an agent is the one it gets, so each agent is removed once it is served.
//! - Otherwise the volumes are assigned by search, once for each kind of agents if that is possible
//!   ([`Matcher::assigns_once`]), or else for each agent.
//!
//! All but the search for each agent skip a word of 64 agents if the most that any of them can earn does
//! not beat the best so far.

use indexmap::IndexMap;

use super::{
    Index, OpenSupplies, ShapeRequest,
    kinds::Kinds,
    open,
    scores::Earned,
    supplies::{JointScore, SupplyFilter, SupplyGroup},
};
use crate::{
    engine::columns::{Bits, ones},
    ir::Strength,
    matching::{
        Candidate, Choice, ConstraintScope, Matcher, ScoreItem, Search, SupplyScope,
        assigned::{Assigned, Tied},
    },
    quantity::MILLION,
    types::Side,
};

/// An agent that a need could have, and the supplies of its volumes.
pub type Served = (usize, Vec<usize>);
/// The score that the supplies of an agent's volumes add, and the supplies.
type RankedSupplies = (i128, Vec<usize>);

/// Returns the best candidate of a need without an agent.
pub(super) fn without_agent(
    index: &mut Index,
    matcher: &Matcher<'_>,
    volumes: &mut [SupplyFilter],
    search: &mut Search,
) -> Option<Candidate> {
    let open = supplies_of(index, matcher, volumes);
    let rows_by_value = open::rows_by_value(index, matcher);
    let open = OpenSupplies::new(volumes, &open, rows_by_value);
    let matcher = Matcher { scope: SupplyScope::Indexed(&open), ..*matcher };
    let found = matcher.candidate(None, search);
    search.feasible += usize::from(found.is_some());
    found
}

/// Returns the best candidate of a need. If `served` is given, lists all agents that the need could have,
/// in order of name.
pub(super) fn best(
    index: &mut Index,
    matcher: &Matcher<'_>,
    asked: &mut ShapeRequest,
    search: &mut Search,
    served: Option<&mut Vec<Served>>,
) -> Option<Candidate> {
    let ShapeRequest { agents: of_agents, volumes, kinds, scores, .. } = asked;
    let of_agents = of_agents.as_mut()?;
    let rows = index.agents_of(matcher, of_agents);
    search.steps += rows.rows() as u64;
    let soft = soft_places(index, matcher);
    let open = supplies_of(index, matcher, volumes);
    let soft_of_volume = soft_of_volume(index, matcher);
    let rows_by_value = open::rows_by_value(index, matcher);
    let index = &*index;
    let scores = index.scores[*scores].as_ref()?;
    let mut choosing = Choosing {
        earned: Earned::new(scores, soft),
        soft: soft_of_volume,
        best: None,
        served: served.as_ref().map(|_| Vec::new()),
    };
    match volumes.as_mut_slice() {
        [] => {
            search.feasible += rows.count();
            choosing.among(&rows);
            if let Some(served) = &mut choosing.served {
                served.extend(rows.iter().map(|row| (row, Vec::new())));
            }
        }
        [volume] if matcher.is_apart() && volume.tells_ways() => {
            let mut alone = rows.clone();
            alone.and_not(&index.own.crossing);
            let feasible = choosing.with(volume, &open[0], &alone);
            search.feasible += feasible;
            search.steps += feasible as u64;
            let mut others = rows;
            others.and(&index.own.crossing);
            for row in others.iter() {
                choosing.plainly(matcher, row, search);
            }
        }
        _ => {
            let mut open = OpenSupplies::new(volumes, &open, rows_by_value);
            let kinds = matcher.assigns_once().then(|| kinds.now(&open, volumes, matcher, rows.rows()));
            open.kinds.clone_from(&kinds);
            let open = Matcher { scope: SupplyScope::Indexed(&open), ..*matcher };
            if let Some(kinds) = kinds {
                choosing.once([matcher, &open], &kinds, &rows, &index.own.crossing, search);
            } else {
                for row in rows.iter() {
                    if search.cut {
                        break;
                    }
                    let crossing = index.own.crossing.has(row);
                    choosing.plainly(if crossing { matcher } else { &open }, row, search);
                }
            }
        }
    }
    if let (Some(served), Some(mut found)) = (served, choosing.served) {
        found.sort_unstable_by_key(|one| one.0);
        *served = found;
    }
    if search.cut {
        return None;
    }
    let Chosen { row, supplies, .. } = choosing.best?;
    Some(matcher.candidate_from(Some(row), &supplies))
}

/// Returns the supplies that hold for each volume whatever the agent.
pub(super) fn supplies_of(
    index: &mut Index,
    matcher: &Matcher<'_>,
    volumes: &mut [SupplyFilter],
) -> Vec<Bits> {
    volumes.iter_mut().enumerate().map(|(at, volume)| index.supplies_of(matcher, at, volume)).collect()
}

/// Returns the soft places of the need: the score of each, and the agents that earn it. A place that refers
/// to a volume of the need holds for all agents here, since no supply is assigned. [`best`] scores the
/// agents of such a need one by one instead.
pub(super) fn soft_places(index: &mut Index, matcher: &Matcher<'_>) -> Vec<(i128, Bits)> {
    let mut soft = Vec::new();
    for place in &matcher.subject.need.places {
        let Strength::Prefer(weight) = place.strength else { continue };
        let rows = index.place_values.placed(matcher, place, None).clone();
        soft.push((i128::from(weight) * i128::from(MILLION), rows));
    }
    soft
}

/// Returns the soft places of the volume of a need with one volume: the score of each, and the supplies
/// that earn it.
fn soft_of_volume(index: &mut Index, matcher: &Matcher<'_>) -> Vec<(i128, Bits)> {
    let [volume] = matcher.subject.need.volumes.as_slice() else { return Vec::new() };
    let soft = volume.places.iter().filter_map(|place| {
        let weight = place.strength.weight()?;
        let rows = index.spots_of_supplies.placed(matcher, place, Some(volume)).clone();
        Some((i128::from(weight) * i128::from(MILLION), rows))
    });
    soft.collect()
}

impl Matcher<'_> {
    /// Returns `true` if the index can answer: the whole need is asked of all supplies, no outcome is recorded,
    /// and an answer takes something.
    pub(super) fn is_indexed(&self) -> bool {
        let whole = match (self.constraints, self.scope) {
            (ConstraintScope::Whole, SupplyScope::All) => true,
            (ConstraintScope::Whole, SupplyScope::Among(_) | SupplyScope::Indexed(_))
            | (ConstraintScope::Relaxed(_), _) => false,
        };
        whole && self.moment.recorder.is_none() && self.may_take_nothing().is_none()
    }

    /// Returns `true` if only rules relate the agent to the supplies, and neither a place nor a charge
    /// does.
    pub(in crate::matching) fn is_apart(&self) -> bool {
        let need = self.subject.need;
        let places = need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places));
        !places.into_iter().any(|place| place.kind.is_tie())
            && !self.charges().any(|charge| charge.sides.has(Side::Pool))
    }
}

/// The best candidate so far.
struct Chosen {
    total: i128,
    row: usize,
    supplies: Vec<usize>,
}

struct Choosing<'m> {
    earned: Earned<'m>,
    /// The soft places of the only volume: the score of each, and the supplies that earn it.
    soft: Vec<(i128, Bits)>,
    best: Option<Chosen>,
    /// All agents that are served, if they were requested.
    served: Option<Vec<Served>>,
}

/// A cache of assignments by kind of agent. Kinds whose choices turn out to be equal, and whose ties are,
/// share an entry.
struct Once<'k> {
    kinds: &'k Kinds,
    known: Assigned,
    /// By the number that [`Kinds`] gives to choices, the number that `known` gives to them.
    choices: Vec<Option<usize>>,
    found: IndexMap<(usize, Tied), Option<RankedSupplies>>,
    /// By kind, the position of its result in `found`.
    of_kind: Vec<Option<usize>>,
    /// The number of kinds without an assignment: not asked yet, or without one that holds.
    without: usize,
    /// The largest score that supplies add in any result so far.
    most: i128,
}

impl<'k> Once<'k> {
    fn new(kinds: &'k Kinds) -> Once<'k> {
        Once {
            kinds,
            known: Assigned::default(),
            choices: vec![None; kinds.distinct()],
            found: IndexMap::new(),
            of_kind: vec![None; kinds.len()],
            without: kinds.len(),
            most: i128::MIN,
        }
    }

    /// Returns the largest score that supplies add, if every kind has an assignment. Only then may a word
    /// of agents be skipped, since all of them are known to be feasible and count as such.
    fn most(&self) -> Option<i128> {
        (self.without == 0).then_some(self.most)
    }

    /// Returns the assignment of an agent with rules of its own about volumes, which no kind covers.
    fn own(&mut self, matcher: &Matcher<'_>, row: usize, search: &mut Search) -> Option<&RankedSupplies> {
        let choices = self.known.choices(matcher, Some(row));
        let at = self.find(matcher, choices, row, search);
        self.found[at].as_ref()
    }

    /// Returns the assignment of the kind of an agent.
    fn of_kind(&mut self, matcher: &Matcher<'_>, row: usize, search: &mut Search) -> Option<&RankedSupplies> {
        let kind = self.kinds.of(row);
        let at = match self.of_kind[kind] {
            Some(known) => known,
            None => {
                let number = self.kinds.choices(kind);
                let choices = match self.choices[number] {
                    Some(known) => known,
                    None => *self.choices[number].insert(self.known.choices(matcher, Some(row))),
                };
                let at = self.find(matcher, choices, row, search);
                self.without -= usize::from(self.found[at].is_some());
                self.of_kind[kind] = Some(at);
                at
            }
        };
        self.found[at].as_ref()
    }

    fn find(&mut self, matcher: &Matcher<'_>, choices: usize, row: usize, search: &mut Search) -> usize {
        let entry = self.found.entry((choices, matcher.tied(Some(row))));
        let at = entry.index();
        let found = entry.or_insert_with(|| {
            let supplies = matcher.assigned(Some(row), search)?;
            let items = matcher.volume_items(Some(row), &supplies);
            Some((items.iter().map(ScoreItem::numerator).sum::<i128>(), supplies))
        });
        self.most = found.as_ref().map_or(self.most, |(of_supplies, _)| self.most.max(*of_supplies));
        at
    }
}

/// The best supply of a group for those of its agents that earn the same joint score.
struct ForSome<'g> {
    choice: Choice,
    group: &'g SupplyGroup,
    way: &'g JointScore,
}

impl Choosing<'_> {
    /// Returns `true` if a total of an agent with this index, or a higher one, could win.
    fn wins(&self, total: i128, row: usize) -> bool {
        self.best.as_ref().is_none_or(|best| total > best.total || (total == best.total && row < best.row))
    }

    /// Finds the best of some agents for a need without volumes.
    fn among(&mut self, rows: &Bits) {
        for (at, word) in rows.words().iter().enumerate().filter(|(_, word)| **word != 0) {
            if !self.wins(self.earned.most_of(at), at * 64) {
                continue;
            }
            for bit in ones(*word) {
                self.weigh(at * 64 + bit, 0, &[]);
            }
        }
    }

    /// Compares one candidate with the best so far.
    fn weigh(&mut self, row: usize, of_supplies: i128, supplies: &[usize]) {
        let total = self.earned.of(row) + of_supplies;
        if self.wins(total, row) {
            self.best = Some(Chosen { total, row, supplies: supplies.to_vec() });
        }
    }

    /// Finds the best of some agents, with an assignment for each kind. Agents in `crossing` have rules of
    /// their own about volumes, so each is assigned with the first matcher. The second one reads the
    /// supplies that the index has found.
    fn once(
        &mut self,
        [matcher, open]: [&Matcher<'_>; 2],
        kinds: &Kinds,
        rows: &Bits,
        crossing: &Bits,
        search: &mut Search,
    ) {
        let volumes = matcher.subject.need.volumes.len() as i128;
        let mut once = Once::new(kinds);
        for (at, word) in rows.words().iter().enumerate().filter(|(_, word)| **word != 0) {
            let crossing = crossing.words()[at];
            let beaten = |most: i128| !self.wins(self.earned.most_of(at) * volumes + most, at * 64);
            if crossing & word == 0 && self.served.is_none() && once.most().is_some_and(beaten) {
                search.feasible += word.count_ones() as usize;
                continue;
            }
            for bit in ones(*word) {
                let row = at * 64 + bit;
                let found = match crossing >> bit & 1 {
                    1 => once.own(matcher, row, search),
                    _ => once.of_kind(open, row, search),
                };
                if search.cut {
                    return;
                }
                let Some((of_supplies, supplies)) = found else { continue };
                search.feasible += 1;
                if let Some(served) = &mut self.served {
                    served.push((row, supplies.clone()));
                }
                let total = self.earned.of(row) * volumes + of_supplies;
                if self.wins(total, row) {
                    self.best = Some(Chosen { total, row, supplies: supplies.clone() });
                }
            }
        }
    }

    /// Assigns the volumes of one agent by search, and compares the candidate with the best so far.
    fn plainly(&mut self, matcher: &Matcher<'_>, row: usize, search: &mut Search) {
        let mut supplies = Vec::with_capacity(matcher.subject.need.volumes.len());
        if !matcher.assign_all(Some(row), &mut supplies, search) {
            return;
        }
        search.feasible += 1;
        if let Some(served) = &mut self.served {
            served.push((row, supplies.clone()));
        }
        let mut items = matcher.agent_items(Some(row), &supplies);
        items.extend(matcher.volume_items(Some(row), &supplies));
        let total = matcher.total(&items).numerator;
        if self.wins(total, row) {
            self.best = Some(Chosen { total, row, supplies });
        }
    }

    /// Finds the best of some agents with one supply each. Returns the number of agents that get one.
    /// Supplies are visited best first, so the first that serves an agent is the one that it gets.
    fn with(&mut self, volume: &SupplyFilter, open: &Bits, rows: &Bits) -> usize {
        let options = self.options(volume, open);
        // `ahead[k]` is the most that the last `k + 1` options earn. Options are ordered by more than the
        // score, such as reservations, so a later one may earn more.
        let mut ahead: Vec<i128> = options.iter().rev().map(|option| option.choice.numerator).collect();
        for at in 1..ahead.len() {
            ahead[at] = ahead[at].max(ahead[at - 1]);
        }
        let most = self.earned.most();
        let mut left = rows.clone();
        let mut served = 0;
        for (at, option) in options.iter().enumerate() {
            // Once no agent can win, the rest are counted but not compared.
            let hopeless = !self.wins(ahead[options.len() - 1 - at] + most, 0);
            for (word, rows) in left.words_mut().iter_mut().enumerate().filter(|(_, rows)| **rows != 0) {
                let hit = option.group.word(option.way, word, *rows);
                if hit == 0 {
                    continue;
                }
                *rows &= !hit;
                served += hit.count_ones() as usize;
                let numerator = option.choice.numerator;
                if let Some(served) = &mut self.served {
                    served.extend(ones(hit).map(|bit| (word * 64 + bit, vec![option.choice.supply])));
                }
                if hopeless || !self.wins(self.earned.most_of(word) + numerator, word * 64) {
                    continue;
                }
                for bit in ones(hit) {
                    self.weigh(word * 64 + bit, numerator, &[option.choice.supply]);
                }
            }
        }
        served
    }

    /// Returns the best supply of each group for each joint score that its agents may earn, best first.
    fn options<'g>(&self, volume: &'g SupplyFilter, open: &Bits) -> Vec<ForSome<'g>> {
        let mut options = Vec::new();
        for group in &volume.groups {
            let best = if !self.soft.is_empty() {
                let open = group.supplies.iter().map(|row| *row as usize).filter(|row| open.has(*row));
                open.map(|supply| self.with_places(volume, supply)).min_by_key(Choice::rank)
            } else {
                let first = group.by_rank.iter().map(|row| *row as usize).find(|row| open.has(*row));
                first.map(|supply| volume.ranks[supply].choice(supply))
            };
            let Some(best) = best else { continue };
            options.extend(group.ways.iter().map(|way| {
                let choice = Choice { numerator: best.numerator + way.earned, ..best };
                ForSome { choice, group, way }
            }));
        }
        options.sort_by_key(|option| option.choice.rank());
        options
    }

    /// Returns the choice of a supply, including its score of soft places.
    fn with_places(&self, volume: &SupplyFilter, supply: usize) -> Choice {
        let mut choice = volume.ranks[supply].choice(supply);
        let soft = self.soft.iter().filter(|(_, rows)| rows.has(supply));
        choice.numerator += soft.map(|(earned, _)| earned).sum::<i128>();
        choice
    }
}

impl Matcher<'_> {
    /// Returns the score of a supply in the soft places of a volume, given the supplies of the volumes
    /// before it.
    pub(super) fn soft_of_supply(&self, at: usize, supply: usize, before: &[usize]) -> i128 {
        let volume = &self.subject.need.volumes[at];
        let soft = volume.places.iter().filter_map(|place| {
            let weight = place.strength.weight()?;
            let holds = self.supply_place(place, supply, before, volume).holds();
            holds.then_some(i128::from(weight) * i128::from(MILLION))
        });
        soft.sum()
    }
}
