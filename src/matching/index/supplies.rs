//! The filter of supplies for one volume: the bitmap of those that hold whatever the agent, their order,
//! and groups of supplies that serve the same agents.
//!
//! A rule that reads both sides, applied to one supply, leaves a condition on agents. Its bitmap is cached
//! by the condition and the values that it reads of the supply, and has a number. A supply's group is
//! found by the numbers of all its rules and preferences: supplies with equal numbers serve the same
//! agents and earn the same with each. Rules that compare few distinct values make few groups, and work
//! that would be agents × supplies becomes agents × groups, 64 agents at a time.
//!
//! Groups are added, never removed. A supply whose values change moves to another group, and its old one
//! may be left empty.

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
    ir::{NodeId, OwnedRule, RuleOwner, RuleSubject, Strength, Volume},
    limits,
    matching::{Choice, Matcher, check::Reach, score::added},
    symbol::Symbol,
    types::Side,
};

/// The hard conditions of one volume on supplies, and the supplies that satisfy them.
#[derive(Clone, Debug)]
pub(super) struct SupplyFilter {
    /// The index of the volume in the need.
    at: usize,
    filter: SideFilter,
    columns: Vec<ColumnFilter>,
    /// `true` if only free amounts can change the bitmap, and all supplies are judged by columns.
    by_room: bool,
    /// `true` if the fleet has limits of roles.
    limited: bool,
    /// The supplies that hold, as of the entry `read` of the journal and `limits_read` changes of limits.
    rows: Bits,
    read: usize,
    limits_read: usize,
    /// By supply, the values that it is ordered by, without soft places.
    pub ranks: Vec<SupplyRank>,
    /// `true` if taking amounts of supplies can change ranks, or groups.
    ranks_move: bool,
    groups_move: bool,
    /// `true` if the orders within and of groups must be computed anew.
    stale: bool,
    /// The entries of the journal of supplies, and of that of agents, that ranks and groups have read.
    shared_read: usize,
    agents_read: usize,
    pub groups: Vec<SupplyGroup>,
    by_terms: IndexMap<GroupKey, usize>,
    /// By supply, its group. `None` if it fails whatever the agent.
    pub group_of: Vec<Option<u32>>,
    /// The groups, ordered so that those that share their first terms follow each other, as in a trie. A
    /// reader keeps the intersection of the shared terms instead of computing it for each group.
    pub order: Arc<[u32]>,
}

#[derive(Clone, Debug)]
struct ColumnFilter {
    resource: Symbol,
    column: usize,
    bound: AmountBound,
    /// `true` if a supply without the resource serves, since a charge takes it from the agent.
    charged: bool,
}

/// The values that a supply is ordered by, without what depends on the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SupplyRank {
    /// `true` if it is reserved for the role.
    pub kept: bool,
    /// The score, in 10⁻¹².
    pub numerator: i128,
    /// The size taken minus the size asked, in bytes.
    pub waste: i64,
    /// `true` for an existing volume.
    pub exists: bool,
}

impl SupplyRank {
    /// Returns a supply of this rank as a choice, for an agent that earns nothing with it.
    pub fn choice(&self, supply: usize) -> Choice {
        let SupplyRank { kept, numerator, waste, exists } = *self;
        Choice { supply, kept, numerator, waste, exists }
    }
}

/// The key of a group: the numbers of its bitmaps, and the weights of its preferences with the numbers of
/// their scores.
type GroupKey = (Vec<usize>, Vec<(i64, usize)>);

/// A score that agents of a group may earn by preferences that read both sides, and the level of each
/// preference that makes it. `None`: the agents have no level of that preference, and earn nothing of it.
#[derive(Clone, Debug)]
pub(super) struct JointScore {
    pub earned: i128,
    pub levels: Vec<Option<usize>>,
}

/// Supplies that no rule about both sides can tell apart.
#[derive(Clone, Debug)]
pub(super) struct SupplyGroup {
    /// The bitmaps of agents of the rules. The group serves the agents in their intersection.
    pub terms: Vec<Arc<Bits>>,
    /// The preferences: the weight, and the levels that agents earn.
    pub scores: Vec<(i64, Arc<Levels>)>,
    /// In order of path.
    pub supplies: Vec<u32>,
    /// The supplies by rank, and by score, best first. Computed again when either changes.
    pub by_rank: Vec<u32>,
    pub by_score: Vec<u32>,
    /// The joint scores that agents may earn. Empty if there are too many to tell apart.
    pub ways: Vec<JointScore>,
    /// The numbers of the bitmaps in `terms`.
    pub ids: Vec<usize>,
    /// The agents of the smallest bitmap, as a list, if they are few.
    pub few: Option<Arc<[u32]>>,
    /// The terms, and scores, that change as amounts of agents are taken: the position, and the node to
    /// evaluate.
    moving_terms: Vec<(usize, NodeId)>,
    moving_scores: Vec<(usize, NodeId)>,
}

impl SupplyGroup {
    /// Returns every joint score that agents may earn: the product of the levels of all preferences.
    /// Returns none if they are too many to tell apart.
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

    /// Returns the agents in word `at` of `rows` that the group serves and that earn this joint score.
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
        let shared = plan.rules_of(RuleOwner::Operator).filter(OwnedRule::is_required);
        for one in shared.filter(|one| one.subject == RuleSubject::Supply) {
            asked.extend(matcher.terms(one.rule.root).into_iter().map(|node| (node, true)));
        }
        self.filter.ask(&mut index.supplies, &index.canonical, &scene, asked);
        // Tiers have rules of their own, for the supplies on them only.
        self.filter.ask_some(&mut index.supplies, &index.canonical, &scene, &index.own.of_supplies);
    }

    fn amounts(&mut self, index: &mut Index, matcher: &Matcher<'_>, volume: &Volume) {
        // A snapshot depends on where its source is, and an existing volume on its users and its role. No
        // column has these.
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

    /// Returns the supplies that hold now, apart from places.
    pub fn rows(&mut self, mut parts: AgentSets<'_>, matcher: &Matcher<'_>) -> &Bits {
        let journal = if self.by_room { parts.journal(matcher) } else { &parts.terms.journal };
        let now = journal.len();
        let limits = self.limited && self.limits_read != parts.limits_changed;
        if self.read == now && !limits {
            return &self.rows;
        }
        self.limits_read = parts.limits_changed;
        // Beyond this number of changed rows, whole words of the columns are cheaper than single rows.
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

    /// Computes the bitmap of all supplies.
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

    /// Returns `true` if one supply holds. The columns must be up to date.
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

    /// Computes the ranks and groups of all supplies.
    fn shared(&mut self, index: &mut Index, matcher: &Matcher<'_>, volume: &Volume) {
        let demand = matcher.demand();
        let plan = matcher.moment.plan;
        for one in (0..self.group_of.len()).flat_map(|row| demand.of_supply_with_any(row)) {
            let moves = index.supplies.moves(plan, index.canonical[one.rule.root.0 as usize]);
            match one.subject.has_agent() {
                true => self.groups_move |= moves,
                false => self.ranks_move |= moves && one.is_preferred(),
            }
        }
        self.ranks = (0..self.group_of.len()).map(|row| rank(matcher, volume, row)).collect();
        for row in 0..self.group_of.len() {
            // A supply that fails whatever the agent serves none, and needs no group.
            if self.filter.fixed.has(row) {
                self.put(index, matcher, volume, row);
            }
        }
        self.arrange();
    }

    /// Orders the terms of each group, the most common first, and then the groups by their terms, so that
    /// groups with common terms follow each other.
    fn arrange(&mut self) {
        let mut often: IndexMap<usize, usize> = IndexMap::new();
        for id in self.groups.iter().flat_map(|group| &group.ids) {
            *often.entry(*id).or_insert(0) += 1;
        }
        // Moving terms are found by their position, so those groups keep their order.
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

    /// Returns `true` if only amounts of supplies can change the result, and no supply is checked one by
    /// one. Places are not considered.
    pub fn stays(&self) -> bool {
        let moves = |group: &SupplyGroup| !group.moving_terms.is_empty();
        self.filter.moving.is_empty()
            && self.filter.plain.is_empty()
            && !self.groups_move
            && !self.groups.iter().any(moves)
    }

    /// Returns `true` if no free amount of agents decides which supplies serve them or what they earn with
    /// them.
    pub fn groups_stay(&self) -> bool {
        self.groups.iter().all(|group| group.moving_terms.is_empty() && group.moving_scores.is_empty())
    }

    /// Returns the agents, of `rows` in all, that some supply in `open` serves.
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

    /// Returns `true` if every group has its joint scores listed.
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
        let pairs = matcher.demand().of_supply_with_any(row).filter(|one| one.subject.has_agent());
        for rule in pairs.map(|one| one.rule) {
            match rule.strength {
                Strength::Require => {
                    for node in matcher.terms(rule.root) {
                        let node = index.canonical[node.0 as usize];
                        let holds = index.agents.rows_where(&scene, node, true);
                        let moves = index.agents.moves(plan, node);
                        // A fixed term that all agents satisfy, or a repeated one, adds nothing to the
                        // intersection.
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
                Strength::Prefer(weight) => {
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

    /// Brings ranks and groups up to date: first those of supplies that changed, then the order, then
    /// terms and scores that depend on amounts of agents.
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
                // Dropping this reference first lets the cache update the bitmap in place instead of
                // copying it.
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

/// Computes the rank of a supply.
fn rank(matcher: &Matcher<'_>, volume: &Volume, supply: usize) -> SupplyRank {
    let existing = matcher.moment.world.supplies[supply].existing.as_ref();
    let scene = matcher.scene(None, Some(supply), Some(volume));
    SupplyRank {
        kept: existing.is_some_and(|existing| existing.reserved_for.is_some()),
        numerator: added(&scene, matcher.demand().of_supply(None, supply)),
        waste: matcher.waste(volume, supply),
        exists: existing.is_some(),
    }
}

/// Checks everything that must hold for a supply whatever the agent, apart from places that depend on
/// where instances are.
fn holds_plainly(matcher: &Matcher<'_>, at: usize, row: usize) -> bool {
    let volume = &matcher.subject.need.volumes[at];
    matcher.supply_checks(None, volume, row, Reach::WithoutAgent, &mut stop).is_continue()
}
