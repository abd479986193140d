//! The filter of agents: the bitmap of those for which everything holds that must hold for an agent alone.
//!
//! The filter combines a fixed bitmap, conditions that move with the free amounts, and comparisons with
//! columns of free amounts. Rows that these cannot judge are checked one by one with the plain engine's
//! checks. The bitmap is updated row by row from a journal, and computed anew if many rows changed. Places
//! that depend on where instances are differ from need to need of one shape, so they are left to the
//! caller.

use std::ops::ControlFlow;

use super::{
    Index,
    framework_journals::{self, FrameworkJournals},
    free_columns::{AmountBound, FreeColumn, FreeColumns},
    side_filter::SideFilter,
};
use crate::{
    engine::columns::{Bits, Journal, Terms},
    ir::{NodeId, OwnedRule, RuleOwner},
    matching::{Matcher, check::Want, demand::required, failure::Failure},
    types::Side,
};

/// The hard conditions of a need on agents, and the agents that satisfy them.
#[derive(Clone, Debug)]
pub(super) struct AgentFilter {
    filter: SideFilter,
    /// The amounts taken. Charges may make them differ between agents.
    wants: Vec<AmountFilters>,
    /// `true` if only free amounts can change the bitmap, and all agents are judged by columns. The
    /// journal of the framework then suffices.
    by_room: bool,
    /// `true` if the fleet has limits of roles.
    limited: bool,
    /// The agents for which all of it holds, as of the entry `read` of the journal and `limits_read`
    /// changes of limits.
    rows: Bits,
    read: usize,
    limits_read: usize,
}

/// The amounts asked of some agents.
#[derive(Clone, Debug)]
struct AmountFilters {
    /// The agents. `None`: all of them.
    of: Option<Bits>,
    wants: Vec<Want>,
    /// For each want, the index of its column, the bound on it, and `true` if the want is zero.
    columns: Vec<(usize, AmountBound, bool)>,
}

/// The columns of one side, borrowed from the index to update a bitmap. Used for supplies too.
pub(super) struct AgentSets<'i> {
    pub terms: &'i mut Terms,
    pub free_columns: &'i mut FreeColumns,
    pub apart: Option<&'i FrameworkJournals>,
    pub limits_changed: usize,
}

impl AgentSets<'_> {
    /// Returns the journal of changes of free amounts, as the need's framework sees them.
    pub fn journal(&self, matcher: &Matcher<'_>) -> &Journal {
        framework_journals::journal(self.apart, self.terms, matcher.id.framework, self.terms.side())
    }

    /// Returns a column, brought up to date.
    pub fn current(&mut self, at: usize, matcher: &Matcher<'_>) -> &FreeColumn {
        let side = self.terms.side();
        let journal = framework_journals::journal(self.apart, self.terms, matcher.id.framework, side);
        self.free_columns.current(at, matcher, journal)
    }
}

impl AgentFilter {
    pub fn new(index: &mut Index, matcher: &Matcher<'_>) -> AgentFilter {
        let rows = index.agents.rows();
        let mut asked = AgentFilter {
            wants: Vec::new(),
            filter: SideFilter::new(index.own.unindexed_agents.clone()),
            by_room: false,
            limited: !matcher.moment.world.limits.is_empty(),
            rows: Bits::none(rows),
            read: 0,
            limits_read: index.limits_changed,
        };
        if matcher.principal_check(&mut |_| ControlFlow::Break(())).is_break() {
            asked.filter.fixed = Bits::none(rows);
            asked.filter.plain = Bits::none(rows);
            return asked;
        }
        asked.conditions(index, matcher);
        asked.amounts(index, matcher);
        asked.filter.plain.and(&asked.filter.fixed);
        asked.by_room = asked.stays();
        let mut parts = AgentSets {
            terms: &mut index.agents,
            free_columns: &mut index.free_columns,
            apart: index.apart.as_ref(),
            limits_changed: index.limits_changed,
        };
        asked.read = asked.journal(&parts, matcher).len();
        asked.all(&mut parts, matcher);
        asked
    }

    /// Adds rules, classes, conditions, and places in subtrees.
    fn conditions(&mut self, index: &mut Index, matcher: &Matcher<'_>) {
        let plan = matcher.moment.plan;
        let need = matcher.subject.need;
        let scene = matcher.scene(None, None, None);
        let shared = plan.rules_of(RuleOwner::Operator).filter(OwnedRule::is_required);
        let mut asked: Vec<(NodeId, bool)> = Vec::new();
        for one in shared.filter(|one| !one.subject.has_supply()) {
            asked.extend(matcher.terms(one.rule.root).into_iter().map(|node| (node, true)));
        }
        asked.extend(need.agent.iter().flat_map(|request| matcher.asked_conditions(request)));
        self.filter.ask(&mut index.agents, &index.canonical, &scene, asked);
        self.filter.ask_some(&mut index.agents, &index.canonical, &scene, &index.own.of_agents);
        for place in required(&need.places).filter(|place| place.kind.is_subtree()) {
            let places = index.place_values.domains(matcher);
            self.filter.fixed.and(&places.rows_where(|row| matcher.agent_place(place, row, &[]).holds()));
        }
    }

    /// Adds the amounts that are taken of each agent.
    ///
    /// Charges that read the agent divide agents into classes of equal keys. The wants are computed once
    /// for each class, and classes with equal wants share an entry. If a charge moves with the free
    /// amounts, all agents are checked one by one instead.
    fn amounts(&mut self, index: &mut Index, matcher: &Matcher<'_>) {
        let plan = matcher.moment.plan;
        let rows = self.filter.fixed.rows();
        let charges = matcher.charges().filter(|charge| !charge.sides.has(Side::Pool));
        let read: Vec<NodeId> =
            charges.filter(|charge| charge.sides.has(Side::Agent)).map(|charge| charge.root).collect();
        let mut wants: Vec<(Option<Bits>, Vec<Want>)> = Vec::new();
        if read.is_empty() {
            // The wants are the same for all agents, so any one will do.
            match matcher.agent_wants((rows > 0).then_some(0), &[]) {
                Ok(same) => wants.push((None, same)),
                Err(_) => self.filter.fixed = Bits::none(rows),
            }
        } else if read.iter().any(|root| index.agents.moves(plan, *root)) {
            self.filter.plain = Bits::all(rows);
        } else {
            let scene = matcher.scene(None, None, None);
            let classes = index.agents.classes_of(&scene, &read);
            let each = classes.each(|row| matcher.agent_wants(Some(row), &[]).ok());
            let mut distinct: Vec<&Vec<Want>> = Vec::new();
            for one in each.iter().flatten() {
                if !distinct.contains(&one) {
                    distinct.push(one);
                }
            }
            for same in distinct {
                let among: Vec<bool> = each.iter().map(|one| one.as_ref() == Some(same)).collect();
                wants.push((Some(classes.rows(&among)), same.clone()));
            }
            // An agent whose charge has no value cannot serve.
            let known: Vec<bool> = each.iter().map(Option::is_some).collect();
            self.filter.fixed.and(&classes.rows(&known));
        }
        for (of, wants) in wants {
            let mut columns = Vec::with_capacity(wants.len());
            for want in &wants {
                let journal = framework_journals::journal(
                    index.apart.as_ref(),
                    &index.agents,
                    matcher.id.framework,
                    Side::Agent,
                );
                let at = index.free_columns.column(matcher, Side::Agent, want.resource, journal);
                let column = index.free_columns.current(at, matcher, journal);
                let bound = column.bound(&want.amount, want.charged);
                let nothing = want.amount.is_nothing() && want.charged == 0;
                if bound == AmountBound::Plainly {
                    match &of {
                        Some(of) => self.filter.plain.or(of),
                        None => self.filter.plain = Bits::all(rows),
                    }
                }
                columns.push((at, bound, nothing));
            }
            self.wants.push(AmountFilters { of, wants, columns });
        }
    }

    /// Returns `true` if only amounts can change the bitmap, and no agent is checked one by one.
    pub fn stays(&self) -> bool {
        self.filter.moving.is_empty() && self.filter.plain.is_empty()
    }

    /// Returns the agents for which all of it holds now, apart from places that depend on where instances
    /// are.
    pub fn rows(&mut self, mut parts: AgentSets<'_>, matcher: &Matcher<'_>) -> &Bits {
        let journal = self.journal(&parts, matcher);
        let now = journal.len();
        let limits = self.limited && self.limits_read != parts.limits_changed;
        if self.read == now && !limits {
            return &self.rows;
        }
        self.limits_read = parts.limits_changed;
        // Beyond this number of changed rows, whole words of the columns are cheaper than single rows.
        let few = self.rows.rows() / 64 + 8;
        let changed = journal.since(self.read);
        let changed: Option<Vec<usize>> = changed.map(|rows| rows.take(few + 1).collect());
        match changed.filter(|rows| !limits && rows.len() <= few) {
            Some(changed) => {
                // Rows read the columns without updating them, so update each once before.
                for (column, ..) in self.wants.iter().flat_map(|group| &group.columns) {
                    parts.current(*column, matcher);
                }
                for row in changed {
                    let holds = self.row(parts.free_columns, matcher, row);
                    self.rows.set(row, holds);
                }
            }
            None => self.all(&mut parts, matcher),
        }
        self.read = now;
        &self.rows
    }

    /// Returns the journal that has every change of the bitmap.
    fn journal<'p>(&self, parts: &'p AgentSets<'_>, matcher: &Matcher<'_>) -> &'p Journal {
        if self.by_room { parts.journal(matcher) } else { &parts.terms.journal }
    }

    fn all(&mut self, parts: &mut AgentSets<'_>, matcher: &Matcher<'_>) {
        let scene = matcher.scene(None, None, None);
        let rows = self.filter.now(parts.terms, &scene);
        let mut odd = self.filter.plain.clone();
        let mut fit = Bits::none(rows.rows());
        for group in &self.wants {
            let mut here = rows.clone();
            if let Some(of) = &group.of {
                here.and(of);
            }
            for (want, (column, bound, nothing)) in group.wants.iter().zip(&group.columns) {
                let column = parts.current(*column, matcher);
                odd.or(column.row_by_row());
                column.fits(bound.within_limits(matcher, Side::Agent, want.resource), *nothing, &mut here);
            }
            fit.or(&here);
        }
        odd.and(&rows);
        fit.and_not(&odd);
        // Columns cannot judge these rows.
        for row in odd.iter() {
            fit.set(row, holds_plainly(matcher, row));
        }
        self.rows = fit;
    }

    /// Returns `true` if all of it holds for one agent. The columns must be up to date.
    fn row(&self, free_columns: &FreeColumns, matcher: &Matcher<'_>, row: usize) -> bool {
        if !self.filter.fixed.has(row) {
            return false;
        }
        if self.filter.plain.has(row) {
            return holds_plainly(matcher, row);
        }
        if !self.filter.moving_holds(&matcher.scene(Some(row), None, None)) {
            return false;
        }
        let group = self.wants.iter().find(|group| group.of.as_ref().is_none_or(|of| of.has(row)));
        let Some(group) = group else { return false };
        for (want, (column, bound, nothing)) in group.wants.iter().zip(&group.columns) {
            let column = free_columns.known(*column);
            if column.row_by_row().has(row) {
                return holds_plainly(matcher, row);
            }
            if !column.fits_row(bound.within_limits(matcher, Side::Agent, want.resource), *nothing, row) {
                return false;
            }
        }
        true
    }
}

/// Checks everything that must hold for an agent alone, apart from places that depend on where instances
/// are.
fn holds_plainly(matcher: &Matcher<'_>, row: usize) -> bool {
    matcher.agent_checks(Some(row), &mut stop).is_continue()
}

/// A sink that breaks at every failure but those of places that depend on where instances are.
pub(super) fn stop(failure: Failure<'_>) -> ControlFlow<()> {
    match failure {
        Failure::Place(place, ..) if !place.kind.is_subtree() => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    }
}
