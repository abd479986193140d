//! The supplies that hold for a volume whatever the agent, what they are ordered by, and, for the rules that speak of
//! both, which agents each may serve: supplies that these rules cannot tell apart are one group.

use std::{cmp::Reverse, sync::Arc};

use indexmap::IndexMap;

use super::{
    Index,
    agents::{AgentSets, stop},
    framework_journals,
    free_columns::AmountBound,
    side_filter::SideFilter,
};
use crate::{
    engine::columns::{Bits, Levels},
    ir::{NodeId, Rule, Volume},
    limits,
    matching::{Choice, Matcher, check::Reach, score::added},
    symbol::Symbol,
    types::Side,
};

/// What a need asks for one of its volumes.
#[derive(Clone, Debug)]
pub(super) struct SupplyFilter {
    /// Which volume of the need.
    at: usize,
    filter: SideFilter,
    columns: Vec<ColumnFilter>,
    /// Whether nothing but room changes what is asked.
    by_room: bool,
    limited: bool,
    rows: Bits,
    read: usize,
    limits_read: usize,
    /// What each supply is ordered by, soft places aside.
    pub ranks: Vec<SupplyRank>,
    /// Whether ranks, and groups, change as amounts are taken.
    ranks_move: bool,
    groups_move: bool,
    /// Whether the orders of groups are to be made again.
    stale: bool,
    shared_read: usize,
    agents_read: usize,
    pub groups: Vec<SupplyGroup>,
    by_terms: IndexMap<GroupKey, usize>,
    pub group_of: Vec<Option<u32>>,
    /// Groups so that those with terms in common follow each other: terms that many have stand first.
    pub order: Arc<[u32]>,
}

#[derive(Clone, Debug)]
struct ColumnFilter {
    resource: Symbol,
    column: usize,
    bound: AmountBound,
    /// Whether a supply without the resource serves, since a charge takes it elsewhere.
    charged: bool,
}

/// What a supply is ordered by, but for what speaks of the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SupplyRank {
    /// Whether it is kept for the role.
    pub kept: bool,
    /// What it earns, in 10⁻¹².
    pub numerator: i128,
    /// Size taken − size asked, in bytes.
    pub waste: i64,
    /// Whether it exists already.
    pub exists: bool,
}

impl SupplyRank {
    /// What a supply of this rank is, for an agent that earns nothing of both.
    pub fn choice(&self, supply: usize) -> Choice {
        let SupplyRank { kept, numerator, waste, exists } = *self;
        Choice { supply, kept, numerator, waste, exists }
    }
}

/// By the terms and preferences about both, as numbers of the index.
type GroupKey = (Vec<usize>, Vec<(i64, usize)>);

/// What agents of a group earn of both, and by which level of each score; `None`: by none of them.
#[derive(Clone, Debug)]
pub(super) struct JointScore {
    pub earned: i128,
    pub levels: Vec<Option<usize>>,
}

/// Supplies that rules about agent and supply cannot tell apart.
#[derive(Clone, Debug)]
pub(super) struct SupplyGroup {
    /// The agents that each of these has are served.
    pub terms: Vec<Arc<Bits>>,
    /// Weights, and what agents earn of them.
    pub scores: Vec<(i64, Arc<Levels>)>,
    /// In order of path.
    pub supplies: Vec<u32>,
    /// By rank, and by what they earn, best first: as long as neither changes.
    pub by_rank: Vec<u32>,
    pub by_score: Vec<u32>,
    /// The ways in which its agents may earn.
    pub ways: Vec<JointScore>,
    /// Numbers of the terms.
    pub ids: Vec<usize>,
    /// The agents of a term that few have.
    pub few: Option<Arc<[u32]>>,
    /// What of the terms and scores changes as amounts of agents are taken.
    moving_terms: Vec<(usize, NodeId)>,
    moving_scores: Vec<(usize, NodeId)>,
}

impl SupplyGroup {
    /// Every way in which agents may earn; none where there are too many to tell apart.
    fn every_way(&self) -> Vec<JointScore> {
        let mut found = vec![JointScore { earned: 0, levels: Vec::new() }];
        for (weight, levels) in &self.scores {
            let Levels::Few(levels) = &**levels else { return Vec::new() };
            let before = std::mem::take(&mut found);
            if before.len().saturating_mul(levels.len() + 1) > limits::SCORE_LEVELS * limits::SCORE_LEVELS {
                return Vec::new();
            }
            for way in before {
                for level in (0..levels.len()).map(Some).chain([None]) {
                    let earned = level.map_or(0, |level| i128::from(*weight) * i128::from(levels[level].0));
                    let levels = way.levels.iter().copied().chain([level]).collect();
                    found.push(JointScore { earned: way.earned + earned, levels });
                }
            }
        }
        found
    }

    /// The agents of a word of rows that earn in this way.
    pub fn word(&self, way: &JointScore, at: usize, mut rows: u64) -> u64 {
        for term in &self.terms {
            rows &= term.words()[at];
            if rows == 0 {
                return 0;
            }
        }
        for ((_, levels), level) in self.scores.iter().zip(&way.levels) {
            let Levels::Few(levels) = &**levels else { return 0 };
            match level {
                Some(level) => rows &= levels[*level].1.words()[at],
                None => levels.iter().for_each(|level| rows &= !level.1.words()[at]),
            }
        }
        rows
    }
}

impl SupplyFilter {
    pub fn new(index: &mut Index, matcher: &Matcher<'_>, at: usize) -> SupplyFilter {
        let rows = index.supplies.rows();
        let mut asked = SupplyFilter {
            at,
            columns: Vec::new(),
            by_room: false,
            filter: SideFilter::new(index.own.unindexed_supplies.clone()),
            limited: !matcher.moment.world.limits.is_empty(),
            rows: Bits::none(rows),
            read: index.supplies.journal.len(),
            limits_read: index.limits_changed,
            ranks: Vec::new(),
            ranks_move: false,
            groups_move: false,
            stale: false,
            agents_read: index.agents.journal.len(),
            shared_read: index.supplies.journal.len(),
            groups: Vec::new(),
            by_terms: IndexMap::new(),
            group_of: vec![None; rows],
            order: Arc::default(),
        };
        let volume = &matcher.subject.need.volumes[at];
        asked.conditions(index, matcher, volume);
        asked.amounts(index, matcher, volume);
        asked.filter.plain.and(&asked.filter.fixed);
        asked.by_room = asked.filter.moving.is_empty() && asked.filter.plain.is_empty();
        let mut parts = AgentSets {
            terms: &mut index.supplies,
            free_columns: &mut index.free_columns,
            apart: index.apart.as_ref(),
            limits_changed: index.limits_changed,
        };
        if asked.by_room {
            asked.read = parts.journal(matcher).len();
        }
        asked.all(&mut parts, matcher);
        asked.shared(index, matcher, volume);
        asked
    }

    fn conditions(&mut self, index: &mut Index, matcher: &Matcher<'_>, volume: &Volume) {
        let plan = matcher.moment.plan;
        let scene = matcher.scene(None, None, Some(volume));
        let mut asked = matcher.asked_conditions(&volume.request);
        let shared = plan.broker.requires.iter();
        for rule in shared.filter(|rule| rule.sides.of_volume() && !rule.sides.has(Side::Agent)) {
            asked.extend(matcher.terms(rule.root).into_iter().map(|node| (node, true)));
        }
        self.filter.ask(&mut index.supplies, &index.canonical, &scene, asked);
        self.filter.ask_some(&mut index.supplies, &index.canonical, &scene, &index.own.of_supplies);
    }

    fn amounts(&mut self, index: &mut Index, matcher: &Matcher<'_>, volume: &Volume) {
        if volume.source.is_some() {
            self.filter.plain = Bits::all(self.filter.fixed.rows());
        }
        self.filter.plain.or(&index.existing);
        for ask in &volume.request.amounts {
            let journal = framework_journals::journal(
                index.apart.as_ref(),
                &index.supplies,
                matcher.id.framework,
                Side::Pool,
            );
            let column = index.free_columns.column(matcher, Side::Pool, ask.resource, journal);
            let bound = index.free_columns.current(column, matcher, journal).bound(&ask.amount, 0);
            if bound == AmountBound::Plainly {
                self.filter.plain = Bits::all(self.filter.fixed.rows());
            }
            let charged = matcher.is_charged(ask.resource);
            self.columns.push(ColumnFilter { resource: ask.resource, column, bound, charged });
        }
    }

    /// The supplies that hold now, but for places.
    pub fn rows(&mut self, mut parts: AgentSets<'_>, matcher: &Matcher<'_>) -> &Bits {
        let journal = if self.by_room { parts.journal(matcher) } else { &parts.terms.journal };
        let now = journal.len();
        let limits = self.limited && self.limits_read != parts.limits_changed;
        if self.read == now && !limits {
            return &self.rows;
        }
        self.limits_read = parts.limits_changed;
        let few = self.rows.rows() / 16 + 8;
        let changed = journal.since(self.read);
        let changed: Option<Vec<usize>> = changed.map(|rows| rows.take(few + 1).collect());
        match changed.filter(|rows| !limits && rows.len() <= few) {
            Some(changed) => {
                for asked in &self.columns {
                    parts.current(asked.column, matcher);
                }
                for row in changed {
                    let holds = self.row(&parts, matcher, row);
                    self.rows.set(row, holds);
                }
            }
            None => self.all(&mut parts, matcher),
        }
        self.read = now;
        &self.rows
    }

    fn all(&mut self, parts: &mut AgentSets<'_>, matcher: &Matcher<'_>) {
        let volume = &matcher.subject.need.volumes[self.at];
        let scene = matcher.scene(None, None, Some(volume));
        let rows = self.filter.now(parts.terms, &scene);
        let mut odd = self.filter.plain.clone();
        let mut fit = rows.clone();
        for asked in &self.columns {
            let column = parts.current(asked.column, matcher);
            odd.or(column.row_by_row());
            column.fits(
                asked.bound.within_limits(matcher, Side::Pool, asked.resource),
                asked.charged,
                &mut fit,
            );
        }
        odd.and(&rows);
        fit.and_not(&odd);
        for row in odd.iter() {
            fit.set(row, holds_plainly(matcher, self.at, row));
        }
        self.rows = fit;
    }

    fn row(&self, parts: &AgentSets<'_>, matcher: &Matcher<'_>, row: usize) -> bool {
        let volume = &matcher.subject.need.volumes[self.at];
        if !self.filter.fixed.has(row) {
            return false;
        }
        if self.filter.plain.has(row) {
            return holds_plainly(matcher, self.at, row);
        }
        if !self.filter.moving_holds(&matcher.scene(None, Some(row), Some(volume))) {
            return false;
        }
        for asked in &self.columns {
            let column = parts.free_columns.known(asked.column);
            if column.row_by_row().has(row) {
                return holds_plainly(matcher, self.at, row);
            }
            if !column.fits_row(
                asked.bound.within_limits(matcher, Side::Pool, asked.resource),
                asked.charged,
                row,
            ) {
                return false;
            }
        }
        true
    }

    /// Ranks and groups of all supplies.
    fn shared(&mut self, index: &mut Index, matcher: &Matcher<'_>, volume: &Volume) {
        let rules: Vec<&Rule> = (0..self.group_of.len()).flat_map(|row| matcher.rules_of(row)).collect();
        let plan = matcher.moment.plan;
        for rule in rules {
            let moves = index.supplies.moves(plan, index.canonical[rule.root.0 as usize]);
            match rule.sides.has(Side::Agent) {
                true => self.groups_move |= moves,
                false => self.ranks_move |= moves && rule.weight.is_some(),
            }
        }
        self.ranks = (0..self.group_of.len()).map(|row| rank(matcher, volume, row)).collect();
        for row in 0..self.group_of.len() {
            // What does not hold whatever the agent serves nobody.
            if self.filter.fixed.has(row) {
                self.put(index, matcher, volume, row);
            }
        }
        self.arrange();
    }

    /// Orders the terms of each group, and the groups, so that what they have in common is in front.
    fn arrange(&mut self) {
        let mut often: IndexMap<usize, usize> = IndexMap::new();
        for id in self.groups.iter().flat_map(|group| &group.ids) {
            *often.entry(*id).or_insert(0) += 1;
        }
        for group in self.groups.iter_mut().filter(|group| group.moving_terms.is_empty()) {
            let mut terms: Vec<(usize, Arc<Bits>)> = group.ids.drain(..).zip(group.terms.drain(..)).collect();
            terms.sort_by_key(|(id, _)| (Reverse(often[id]), *id));
            (group.ids, group.terms) = terms.into_iter().unzip();
        }
        let mut order: Vec<u32> = (0..self.groups.len() as u32).collect();
        for group in &mut self.groups {
            let choice = |row: &u32| self.ranks[*row as usize].choice(*row as usize);
            group.by_rank.clone_from(&group.supplies);
            group.by_rank.sort_by_key(|row| choice(row).rank());
            group.by_score.clone_from(&group.supplies);
            group.by_score.sort_by_key(|row| (Reverse(choice(row).numerator), *row));
            group.ways = group.every_way();
        }
        order.sort_by(|a, b| self.groups[*a as usize].ids.cmp(&self.groups[*b as usize].ids));
        self.order = order.into();
    }

    /// Whether nothing but amounts decides, of every supply in the same way, and places do not.
    pub fn stays(&self) -> bool {
        let moves = |group: &SupplyGroup| !group.moving_terms.is_empty();
        self.filter.moving.is_empty()
            && self.filter.plain.is_empty()
            && !self.groups_move
            && !self.groups.iter().any(moves)
    }

    /// Whether no amount of agents decides which supplies serve them, and what they earn of them.
    pub fn groups_stay(&self) -> bool {
        self.groups.iter().all(|group| group.moving_terms.is_empty() && group.moving_scores.is_empty())
    }

    /// The agents, of so many, that some open supply serves.
    pub fn reached(&self, open: &Bits, rows: usize) -> Bits {
        let mut reached = Bits::none(rows);
        for group in &self.groups {
            if !group.supplies.iter().any(|row| open.has(*row as usize)) {
                continue;
            }
            let Some((first, rest)) = group.terms.split_first() else { return Bits::all(rows) };
            let mut agents = Bits::clone(first);
            rest.iter().for_each(|term| agents.and(term));
            reached.or(&agents);
        }
        reached
    }

    /// Whether what agents earn of both comes in so few values that they can be told apart by them.
    pub fn tells_ways(&self) -> bool {
        self.groups.iter().all(|group| !group.ways.is_empty())
    }

    /// Puts a supply into its group.
    fn put(&mut self, index: &mut Index, matcher: &Matcher<'_>, volume: &Volume, row: usize) {
        let plan = matcher.moment.plan;
        let scene = matcher.scene(None, Some(row), Some(volume));
        let mut key: GroupKey = (Vec::new(), Vec::new());
        let mut group = SupplyGroup {
            terms: Vec::new(),
            scores: Vec::new(),
            supplies: Vec::new(),
            by_rank: Vec::new(),
            by_score: Vec::new(),
            ways: Vec::new(),
            ids: Vec::new(),
            few: None,
            moving_terms: Vec::new(),
            moving_scores: Vec::new(),
        };
        for rule in matcher.rules_of(row).filter(|rule| rule.sides.has(Side::Agent)) {
            match rule.weight {
                None => {
                    for node in matcher.terms(rule.root) {
                        let node = index.canonical[node.0 as usize];
                        let holds = index.agents.rows_where(&scene, node, true);
                        let moves = index.agents.moves(plan, node);
                        if !moves && holds.bits.count() == holds.bits.rows() || key.0.contains(&holds.id) {
                            continue;
                        }
                        if moves {
                            group.moving_terms.push((group.terms.len(), node));
                        }
                        key.0.push(holds.id);
                        group.terms.push(holds.bits);
                    }
                }
                Some(weight) => {
                    let node = index.canonical[rule.root.0 as usize];
                    let earned = index.agents.earned(&scene, node);
                    if index.agents.moves(plan, node) {
                        group.moving_scores.push((group.scores.len(), node));
                    }
                    key.1.push((weight, earned.id));
                    group.scores.push((weight, earned.levels));
                }
            }
        }
        let next = self.groups.len();
        let at = *self.by_terms.entry(key).or_insert(next);
        if at == next {
            let (key, _) = self.by_terms.get_index(at).expect("it was put there");
            group.ids.clone_from(&key.0);
            let few = group.terms.iter().min_by_key(|term| term.count());
            let few = few.filter(|term| group.moving_terms.is_empty() && term.count() <= term.rows() / 256);
            group.few = few.map(|term| term.iter().map(|row| row as u32).collect());
            self.groups.push(group);
        }
        self.group_of[row] = Some(at as u32);
        let supplies = &mut self.groups[at].supplies;
        if let Err(place) = supplies.binary_search(&(row as u32)) {
            supplies.insert(place, row as u32);
        }
    }

    /// Brings ranks and groups up to date.
    pub fn follow(&mut self, index: &mut Index, matcher: &Matcher<'_>) {
        let volume = &matcher.subject.need.volumes[self.at];
        let now = index.supplies.journal.len();
        if self.shared_read < now && (self.ranks_move || self.groups_move) {
            let changed: Vec<usize> = match index.supplies.journal.since(self.shared_read) {
                Some(rows) => rows.collect(),
                None => (0..self.group_of.len()).collect(),
            };
            self.stale |= !changed.is_empty();
            for row in changed {
                if self.ranks_move {
                    self.ranks[row] = rank(matcher, volume, row);
                }
                if let Some(group) = self.group_of[row].filter(|_| self.groups_move) {
                    self.groups[group as usize].supplies.retain(|supply| *supply != row as u32);
                    self.put(index, matcher, volume, row);
                }
            }
        }
        self.shared_read = now;
        let others = self.order.len() != self.groups.len() || self.stale;
        if others {
            self.arrange();
            self.stale = false;
        }
        let agents = index.agents.journal.len();
        if !others && self.agents_read == agents {
            return;
        }
        self.agents_read = agents;
        for group in &mut self.groups {
            let Some(one) = group.supplies.first() else { continue };
            let scene = matcher.scene(None, Some(*one as usize), Some(volume));
            for (at, node) in &group.moving_terms {
                group.terms[*at] = Arc::default();
                group.terms[*at] = index.agents.rows_where(&scene, *node, true).bits;
            }
            for (at, node) in &group.moving_scores {
                group.scores[*at].1 = Arc::new(Levels::Few(Vec::new()));
                group.scores[*at].1 = index.agents.earned(&scene, *node).levels;
            }
            if !group.moving_scores.is_empty() {
                group.ways = group.every_way();
            }
        }
    }
}

impl<'a> Matcher<'a> {
    /// The rules about volumes of the operator, and those of a supply's tiers.
    fn rules_of(&self, supply: usize) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let (plan, world) = (self.moment.plan, self.moment.world);
        let shared = plan.broker.requires.iter().chain(&plan.broker.prefers);
        shared.filter(|rule| rule.sides.of_volume()).chain(world.rules_of_supply(plan, supply))
    }
}

fn rank(matcher: &Matcher<'_>, volume: &Volume, supply: usize) -> SupplyRank {
    let existing = matcher.moment.world.supplies[supply].existing.as_ref();
    let scene = matcher.scene(None, Some(supply), Some(volume));
    let rules = matcher.rules_of(supply).filter(|rule| !rule.sides.has(Side::Agent));
    SupplyRank {
        kept: existing.is_some_and(|existing| existing.reserved_for.is_some()),
        numerator: added(&scene, rules),
        waste: matcher.waste(volume, supply),
        exists: existing.is_some(),
    }
}

/// Everything that must hold of a supply whatever the agent, but for places that go by where instances are.
fn holds_plainly(matcher: &Matcher<'_>, at: usize, row: usize) -> bool {
    let volume = &matcher.subject.need.volumes[at];
    matcher.supply_checks(None, volume, row, Reach::WithoutAgent, &mut stop).is_continue()
}
