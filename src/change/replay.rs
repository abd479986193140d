//! The candidates of one version of a set, tried in the other version at the moment when that one decided
//! otherwise.
//!
//! The causes of a lost or moved offer are found by asking the version that did not make it. Its grants are
//! replayed in order on a copy of its ledger. Questions are sorted by the grant that was made instead, so a
//! single replay answers all of them. At each stop the candidate is checked three times, and the first result
//! counts:
//!
//! 1. against the state before any offer: a failure here is a condition that rules the candidate out;
//! 2. against the state at that moment: a failure here is due to earlier grants, which are named;
//! 3. by score against the candidate that was taken.
//!
//! `docs/decisions/0012-a-change-is-explained-at-its-moment.md` gives the reasons.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{
    VersionOffers,
    cause::{self, DifferenceCause, FilePosition, WhichVersion},
    pairs::OfferPair,
};
use crate::{
    cycle::NeedResult,
    inventory::{ledger::Ledger, world::StockId},
    ir::Plan,
    matching::{Candidate, Failure, Instance, Matcher, NeedId, Placed},
    output::{self, wire::Offer},
    plugin::PluginRun,
    source::Span,
    types::Side,
};

/// The number of offers that a contended candidate names.
const NAMED: usize = 3;

/// The number of a need, and of one of its offers, in the list of changes.
type OfferNumber = (usize, usize);

/// The agent, and the supplies of the volumes in order.
type FoundCandidate = (Option<usize>, Vec<usize>);

/// A candidate of one version that the other version did not grant.
struct CandidateQuery {
    number: OfferNumber,
    /// The need in the other version.
    id: NeedId,
    /// The number of the candidate's offer in its own version.
    made: usize,
    /// The grant that the other version made in its place. `None` if it made none.
    instead: Option<usize>,
    /// The instances wanted in the old version and in the new one.
    wanted: (u64, u64),
}

/// The questions to both versions, and the causes that are known without asking.
#[derive(Default)]
pub(super) struct Questions {
    /// The offers of the old version, to be tried in the new one.
    of_old: Vec<CandidateQuery>,
    /// The offers of the new version, to be tried in the old one.
    of_new: Vec<CandidateQuery>,
    known: Vec<(OfferNumber, Vec<DifferenceCause>)>,
}

impl Questions {
    /// Adds the questions of a pair. A moved offer asks both versions: the new one for the reason that it
    /// left, the old one for the reason that it was not there before.
    pub(super) fn add(
        &mut self,
        old: &VersionOffers<'_>,
        new: &VersionOffers<'_>,
        pair: &OfferPair,
        number: OfferNumber,
        needs: (Option<&NeedResult>, Option<&NeedResult>),
    ) {
        use super::DifferenceKind;
        let wanted = (needs.0.map_or(0, |need| need.count), needs.1.map_or(0, |need| need.count));
        let question =
            |need: &NeedResult, made, instead| CandidateQuery { number, id: need.id, made, instead, wanted };
        let missing = |told: &VersionOffers<'_>, made: usize, version| {
            let name = told.made[made].id.rsplit_once('#').map_or("", |(need, _)| need).to_owned();
            (number, vec![DifferenceCause::Missing { version, what: "need", name }])
        };
        let is_moved = pair.kind == DifferenceKind::Moved;
        if let Some(made) = pair.old.filter(|_| is_moved || pair.kind == DifferenceKind::Lost) {
            match needs.1 {
                Some(need) => self.of_old.push(question(need, made, pair.new)),
                None => self.known.push(missing(old, made, WhichVersion::New)),
            }
        }
        if let Some(made) = pair.new.filter(|_| is_moved || pair.kind == DifferenceKind::Gained) {
            match needs.0 {
                Some(need) => self.of_new.push(question(need, made, pair.old)),
                None => self.known.push(missing(new, made, WhichVersion::Old)),
            }
        }
    }
}

/// A version, with its grants replayed up to some point.
pub(super) struct Replay<'a> {
    version: WhichVersion,
    /// This version.
    own: &'a VersionOffers<'a>,
    /// The version whose candidates are tried.
    other: &'a VersionOffers<'a>,
    ledger: Ledger,
    placed: Placed,
    /// The number of grants that have been replayed.
    granted: usize,
    /// The replayed grants that took from each stock.
    holders: IndexMap<StockId, Vec<usize>>,
    /// All that is asked of the version's plugins here is one run.
    _run: Option<PluginRun>,
}

impl<'a> Replay<'a> {
    /// Answers all questions.
    pub(super) fn all(
        old: &'a VersionOffers<'a>,
        new: &'a VersionOffers<'a>,
        open: Questions,
    ) -> IndexMap<OfferNumber, Vec<DifferenceCause>> {
        let mut found: IndexMap<OfferNumber, Vec<DifferenceCause>> = open.known.into_iter().collect();
        found.extend(Replay::new(WhichVersion::New, new, old).answer(open.of_old));
        for (number, before) in Replay::new(WhichVersion::Old, old, new).answer(open.of_new) {
            let causes = found.entry(number).or_default();
            *causes = cause::merged(std::mem::take(causes), before);
        }
        found
    }

    fn new(version: WhichVersion, own: &'a VersionOffers<'a>, other: &'a VersionOffers<'a>) -> Replay<'a> {
        let fleet = own.offers.fleet();
        let (ledger, placed) = (fleet.ledger().clone(), fleet.placed().clone());
        Replay {
            version,
            own,
            other,
            ledger,
            placed,
            granted: 0,
            holders: IndexMap::new(),
            _run: fleet.plugin_run(),
        }
    }

    fn answer(mut self, mut questions: Vec<CandidateQuery>) -> Vec<(OfferNumber, Vec<DifferenceCause>)> {
        let all = self.own.offers.cycle().grants.len();
        // A candidate without a grant in its place is tried after all grants.
        questions.sort_by_key(|question| question.instead.unwrap_or(all));
        let mut found = Vec::with_capacity(questions.len());
        for question in questions {
            self.advance(question.instead.unwrap_or(all));
            found.push((question.number, self.causes(&question)));
        }
        found
    }

    /// Replays the grants before a grant.
    fn advance(&mut self, to: usize) {
        let (plan, world) = (self.own.offers.fleet().plan(), self.own.offers.fleet().world());
        let grants = &self.own.offers.cycle().grants;
        while self.granted < to {
            let grant = &grants[self.granted];
            for take in grant.candidate.takes() {
                self.ledger.grant(world, grant.id.framework, take);
                self.holders.entry(take.stock).or_default().push(self.granted);
            }
            let need = &plan.frameworks[grant.id.framework].needs[grant.id.need];
            self.placed.push(plan, world, grant.id, Instance::of(&grant.candidate, need));
            self.granted += 1;
        }
    }

    fn causes(&mut self, question: &CandidateQuery) -> Vec<DifferenceCause> {
        let made = &self.other.made[question.made];
        let (agent, supplies) = match self.found(question.id, made) {
            Ok(found) => found,
            Err(missing) => return vec![*missing],
        };
        let fleet = self.own.offers.fleet();
        let start = Matcher::new(fleet.moment(), question.id);
        let ruled_out = self.reasons(&start, agent, &supplies);
        if !ruled_out.is_empty() {
            return ruled_out;
        }
        let candidate = start.candidate_from(agent, &supplies);
        self.settle(question.id);
        let moment = fleet.moment_with(&self.ledger, &self.placed);
        let now = Matcher::new(moment, question.id);
        let failures = now.failures_of(agent, &supplies);
        if !failures.is_empty() {
            let mut causes = self.reasons(&now, agent, &supplies);
            causes.extend(self.winners(&candidate, &failures));
            return causes;
        }
        match question.instead {
            Some(taken) => self.passed_over(&now.candidate_from(agent, &supplies), taken, question.id),
            None => vec![self.not_tried(question)],
        }
    }

    /// Finds the agent and the supplies of a candidate of the other version, by name.
    fn found(&self, id: NeedId, made: &Offer) -> Result<FoundCandidate, Box<DifferenceCause>> {
        let fleet = self.own.offers.fleet();
        let (plan, world) = (fleet.plan(), fleet.world());
        let version = self.version;
        let missing =
            |what, name: &str| Box::new(DifferenceCause::Missing { version, what, name: name.to_owned() });
        let need = &plan.frameworks[id.framework].needs[id.need];
        let symbol = |text: &str| plan.symbols.find(text);
        let agent = match &made.agent {
            Some(agent) => {
                let at = symbol(&agent.name).and_then(|name| world.agent(name));
                Some(at.ok_or_else(|| missing("agent", &agent.name))?)
            }
            None => None,
        };
        let mut supplies = Vec::with_capacity(need.volumes.len());
        for volume in &need.volumes {
            let name = plan.symbols.text(volume.name);
            let same =
                |made: &&output::wire::WireVolume| made.name == name && made.number == volume.ordinal.0 + 1;
            let served = made.volumes.iter().find(same).ok_or_else(|| missing("volume", name))?;
            let at = symbol(&served.supply).and_then(|path| world.supply(path));
            supplies.push(at.ok_or_else(|| missing("supply", &served.supply))?);
        }
        Ok((agent, supplies))
    }

    fn reasons(
        &self,
        matcher: &Matcher<'_>,
        agent: Option<usize>,
        supplies: &[usize],
    ) -> Vec<DifferenceCause> {
        let fleet = self.own.offers.fleet();
        let need = matcher.subject.need;
        let cause = |(failure, at): (Failure<'_>, Option<usize>)| {
            let volume = at.map(|at| &need.volumes[at]);
            let supply = at.map(|at| supplies[at]);
            let span = span_of(fleet.plan(), matcher, &failure, at);
            DifferenceCause::Reason {
                version: self.version,
                reason: Box::new(matcher.reason(&failure, agent, supply, volume)),
                volume: volume.map(|volume| fleet.plan().symbols.text(volume.name).to_owned()),
                place: span.map(|span| FilePosition::of(&fleet.warnings().sources, span)),
            }
        };
        matcher.failures_of(agent, supplies).into_iter().map(cause).collect()
    }

    /// Copies the values that the cycle settled for the places of a need.
    fn settle(&mut self, id: NeedId) {
        if let Some(settled) = self.own.offers.cycle().placed.settled(id) {
            self.placed.settle(id, Arc::clone(settled));
        }
    }

    /// Names the grants that took from the stocks that the candidate lacks.
    fn winners(
        &self,
        candidate: &Candidate,
        failures: &[(Failure<'_>, Option<usize>)],
    ) -> Option<DifferenceCause> {
        let short = |side: Side, resource| {
            failures.iter().any(|(failure, _)| match failure {
                Failure::Amount(short) => short.side == side && short.resource == resource,
                Failure::Users { .. } => side == Side::Pool,
                _ => false,
            })
        };
        let takings = candidate.takings.iter().filter(|taking| {
            let side = if taking.volume.is_some() { Side::Pool } else { Side::Agent };
            short(side, taking.resource)
        });
        let stocks = takings.flat_map(|taking| taking.portion.takes()).map(|take| take.stock);
        let mut grants: Vec<usize> =
            stocks.filter_map(|stock| self.holders.get(&stock)).flatten().copied().collect();
        grants.sort_unstable();
        grants.dedup();
        let named = grants.iter().take(NAMED).map(|at| {
            let made = &self.own.made[*at];
            match &made.agent {
                Some(agent) => format!("{} on {}", made.id, agent.name),
                None => made.id.clone(),
            }
        });
        let (offers, count) = (named.collect(), grants.len());
        (count > 0).then_some(DifferenceCause::Contended { version: self.version, offers, count })
    }

    /// Returns the preferences by which a candidate scored less than the one that was taken.
    fn passed_over(&self, candidate: &Candidate, taken: usize, id: NeedId) -> Vec<DifferenceCause> {
        let grant = &self.own.offers.cycle().grants[taken];
        let items = |candidate| output::score_items(self.own.offers.fleet().plan(), id, candidate);
        if candidate.score == grant.candidate.score {
            return vec![DifferenceCause::Tie { version: self.version }];
        }
        let mut causes = cause::items(Some(self.version), &items(candidate), &items(&grant.candidate));
        cause::placed(&mut causes, self.own, self.other);
        if causes.is_empty() { vec![DifferenceCause::Order] } else { causes }
    }

    /// Returns the cause for which a candidate was not tried, although it fits even after all grants.
    fn not_tried(&self, question: &CandidateQuery) -> DifferenceCause {
        let need = self.own.offers.cycle().need(question.id);
        let (old, new) = question.wanted;
        match need {
            Some(NeedResult { fitted: Some(fitted), count, .. }) => {
                DifferenceCause::Whole { version: self.version, fitted: *fitted, wanted: *count }
            }
            Some(need) if need.bounded => DifferenceCause::Bounded { version: self.version },
            _ if old != new => DifferenceCause::Count { old, new },
            _ => DifferenceCause::Order,
        }
    }
}

/// Returns the source text of the condition that failed.
fn span_of(plan: &Plan, matcher: &Matcher<'_>, failure: &Failure<'_>, volume: Option<usize>) -> Option<Span> {
    let need = matcher.subject.need;
    Some(match failure {
        Failure::Rule(rule, _) | Failure::Condition(rule, ..) => rule.span,
        Failure::Class(_, _, node) => plan.spans[node.0 as usize],
        Failure::Charge(charge, _) => charge.span,
        Failure::Place(place, ..) => place.span,
        Failure::Amount(short) => {
            let request = match volume {
                Some(at) => Some(&need.volumes[at].request),
                None => need.agent.as_ref(),
            };
            let asked =
                request.and_then(|request| request.amounts.iter().find(|ask| ask.resource == short.resource));
            let charged = plan.broker.charges.iter().find(|charge| charge.resource == short.resource);
            let charged = charged.filter(|_| short.charged > 0).map(|charge| charge.span);
            return charged.or(asked.map(|ask| ask.span)).or(Some(need.span));
        }
        Failure::Filesystem { .. }
        | Failure::Access
        | Failure::Nothing(..)
        | Failure::Users { .. }
        | Failure::Reserved { .. }
        | Failure::Source { .. }
        | Failure::Principal { .. } => need.span,
    })
}
