//! Checks the expectations of a test against the offers of a cycle.

use indexmap::IndexMap;

use super::{FailedExpectation, names::Needs};
use crate::{
    cycle::NeedResult,
    diagnostic::{Code, Diagnostic, nearest_after},
    inventory::{
        ledger,
        world::{HoldingId, Total},
    },
    matching::NeedId,
    output::text::{count, reason_line},
    parse::ast::{DottedName, Expect, ExpectedOutcome, Expr, ExprKind, Literal, Name, OnMode},
    policy::{Fleet, Offers},
    quantity::{MILLION, render},
    ranges::Ranges,
    source::{Sources, Span},
    symbol::Symbol,
    types::Side,
    value::{join_key, quote, show_name},
};

/// A problem of the expectation itself, such as a name that does not exist.
pub(super) type ExpectationProblem = Box<Diagnostic>;

/// Returns the diagnostic of an unknown name. `told` is the number of problems so far.
pub(super) fn unknown<'a>(
    kind: &str,
    name: &Name,
    known: impl Iterator<Item = &'a str>,
    told: usize,
) -> ExpectationProblem {
    let Name { text: name, span, .. } = name;
    let help = match nearest_after(told, name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "name one that this test sees; a test that declares agents or providers sees no others without \
                 `with inventory`"
                .to_owned()
        }
    };
    Box::new(Diagnostic::error(Code::B0213, *span, format!("no {kind} is named `{name}`")).help(help))
}

/// Checks one expectation against the offers. Returns `None` if it is met. `told` is the number of problems
/// so far.
pub(super) fn hold(
    offers: &Offers,
    names: &Needs,
    (expect, span): (&Expect, Span),
    sources: &Sources,
    told: usize,
) -> Result<Option<FailedExpectation>, ExpectationProblem> {
    let holder = ExpectationChecker { offers, fleet: offers.fleet(), names, told };
    let found = match expect {
        Expect::Outcome(need, outcome) => holder.outcome(need, *outcome)?,
        Expect::On { need, mode, agent, because } => holder.on(need, *mode, agent, because.as_ref())?,
        Expect::From { volume, negative, supply, because } => {
            holder.from(volume, *negative, supply, because.as_ref())?
        }
        Expect::Free { side, holder: name, resource, amount } => {
            holder.free(*side, name, resource, amount)?
        }
        Expect::Share { role, numerator, denominator, span } => {
            holder.share(role, *numerator, *denominator, *span)?
        }
        Expect::Snapshot => None,
    };
    let expected = sources.text(span).trim().to_owned();
    Ok(found.map(|(actual, reasons)| FailedExpectation { span, expected, actual, reasons }))
}

/// The actual result and the reasons behind it, where an expectation is not met.
type Difference = Option<(String, Vec<String>)>;

struct ExpectationChecker<'a> {
    offers: &'a Offers,
    fleet: &'a Fleet,
    names: &'a Needs,
    told: usize,
}

impl ExpectationChecker<'_> {
    fn result(&self, id: NeedId) -> Option<&NeedResult> {
        self.offers.cycle().need(id)
    }

    fn text(&self, symbol: Symbol) -> &str {
        self.fleet.plan().symbols.text(symbol)
    }

    fn agent(&self, name: &Name) -> Result<usize, ExpectationProblem> {
        let found =
            self.fleet.plan().symbols.find(&name.text).and_then(|symbol| self.fleet.world().agent(symbol));
        let known = self.fleet.world().agents.iter().map(|agent| self.text(agent.name));
        found.ok_or_else(|| unknown("agent", name, known, self.told))
    }

    fn supply(&self, path: &Name) -> Result<usize, ExpectationProblem> {
        let found =
            self.fleet.plan().symbols.find(&path.text).and_then(|symbol| self.fleet.world().supply(symbol));
        let known = self.fleet.world().supplies.iter().map(|supply| self.text(supply.path));
        found.ok_or_else(|| unknown("pool", path, known, self.told))
    }

    fn outcome(
        &self,
        need: &DottedName,
        expected: ExpectedOutcome,
    ) -> Result<Difference, ExpectationProblem> {
        use crate::cycle::Outcome as Is;
        let id = self.names.need(&need.segments, need.span, self.told)?;
        let Some(result) = self.result(id) else {
            return Ok(Some(("it took no part".to_owned(), Vec::new())));
        };
        let holds = match expected {
            ExpectedOutcome::Met => result.outcome == Is::Met,
            ExpectedOutcome::Partial => result.outcome == Is::Partial,
            ExpectedOutcome::Unmet => result.outcome == Is::Unmet,
            ExpectedOutcome::Offered(number) => result.offered == number,
        };
        if holds {
            return Ok(None);
        }
        let why = result.why.as_ref().map_or(String::new(), |why| format!(", {}", why.kind().name()));
        let actual =
            format!("{}: {} of {} offered{why}", result.outcome.name(), result.offered, result.count);
        Ok(Some((actual, self.reasons(result, |_| true))))
    }

    /// Returns the agents that a need was granted, in the order of its grants.
    fn granted(&self, result: &NeedResult) -> Vec<usize> {
        let grants = result.grants.iter().map(|at| &self.offers.cycle().grants[*at]);
        grants.filter_map(|grant| grant.candidate.agent).collect()
    }

    fn show_granted(&self, result: &NeedResult) -> String {
        let granted = self.granted(result);
        if granted.is_empty() {
            return "granted nowhere".to_owned();
        }
        let names: Vec<String> = granted
            .iter()
            .map(|agent| show_name(self.text(self.fleet.world().agents[*agent].name)))
            .collect();
        format!("granted on {}", names.join(", "))
    }

    fn on(
        &self,
        need: &DottedName,
        mode: OnMode,
        agent: &Name,
        because: Option<&Name>,
    ) -> Result<Difference, ExpectationProblem> {
        let id = self.names.need(&need.segments, need.span, self.told)?;
        let at = self.agent(agent)?;
        let Some(result) = self.result(id) else {
            return Ok(Some(("it took no part".to_owned(), Vec::new())));
        };
        let granted = self.granted(result);
        let of_agent = |rejection: &crate::cycle::Rejection| rejection.agent.is_none_or(|agent| agent == at);
        match mode {
            OnMode::On if granted.contains(&at) => Ok(None),
            OnMode::BestOn if granted.first() == Some(&at) => Ok(None),
            OnMode::On | OnMode::BestOn => {
                Ok(Some((self.show_granted(result), self.reasons(result, of_agent))))
            }
            OnMode::NotOn if granted.contains(&at) => Ok(Some((self.show_granted(result), Vec::new()))),
            OnMode::NotOn if result.rejections.feasible.contains(&at) => {
                let actual =
                    format!("`{}` was not granted, but still feasible when the need closed", agent.text);
                Ok(Some((actual, Vec::new())))
            }
            OnMode::NotOn => Ok(self.because(result, because, of_agent)),
        }
    }

    /// Returns a difference if a label is not among the reasons of the selected rejections.
    fn because(
        &self,
        result: &NeedResult,
        because: Option<&Name>,
        which: impl Fn(&crate::cycle::Rejection) -> bool + Copy,
    ) -> Difference {
        let label = because?;
        let among = result.rejections.list.iter().filter(|rejection| which(rejection));
        let mut reasons = among.flat_map(|rejection| rejection.reasons.iter());
        if reasons.any(|number| self.offers.cycle().reason(*number).label == label.text) {
            return None;
        }
        Some((format!("`{}` is not among the reasons", label.text), self.reasons(result, which)))
    }

    fn from(
        &self,
        volume: &DottedName,
        negative: bool,
        supply: &Name,
        because: Option<&Name>,
    ) -> Result<Difference, ExpectationProblem> {
        let (id, name) = self.names.volume(volume, self.told)?;
        let name = self.fleet.plan().symbols.find(&name);
        let at = self.supply(supply)?;
        let Some(result) = self.result(id) else {
            return Ok(Some(("it took no part".to_owned(), Vec::new())));
        };
        let volumes = &self.fleet.plan().frameworks[id.framework].needs[id.need].volumes;
        let grants =
            result.grants.iter().map(|number| &self.offers.cycle().grants[*number].candidate.volumes);
        let from: Vec<usize> = grants
            .flat_map(|granted| volumes.iter().zip(granted))
            .filter(|(volume, _)| Some(volume.name) == name)
            .map(|(_, grant)| grant.supply)
            .collect();
        let of_supply = |rejection: &crate::cycle::Rejection| {
            rejection.supply.is_none_or(|(volume, supply)| supply == at && Some(volumes[volume].name) == name)
        };
        let paths = || {
            let paths: Vec<String> = from
                .iter()
                .map(|supply| quote(self.text(self.fleet.world().supplies[*supply].path)))
                .collect();
            if paths.is_empty() {
                "granted from nowhere".to_owned()
            } else {
                format!("granted from {}", paths.join(", "))
            }
        };
        match (negative, from.contains(&at)) {
            (false, true) => Ok(None),
            (false, false) => Ok(Some((paths(), self.reasons(result, of_supply)))),
            (true, true) => Ok(Some((paths(), Vec::new()))),
            (true, false) => {
                let of_this =
                    |rejection: &crate::cycle::Rejection| rejection.supply.is_some() && of_supply(rejection);
                if let Some(agent) = self.feasible_with(result, &of_this) {
                    let actual =
                        format!("not granted from it, but still feasible {agent} when the need closed");
                    return Ok(Some((actual, Vec::new())));
                }
                Ok(self.because(result, because, of_supply))
            }
        }
    }

    /// Returns an agent with which a supply was still feasible when the need closed, as words of a message.
    fn feasible_with(
        &self,
        result: &NeedResult,
        of_supply: &dyn Fn(&crate::cycle::Rejection) -> bool,
    ) -> Option<String> {
        let list = &result.rejections.list;
        if list.iter().any(|rejection| rejection.agent.is_none() && of_supply(rejection)) {
            return None;
        }
        let world = self.fleet.world();
        let need = &self.fleet.plan().frameworks[result.id.framework].needs[result.id.need];
        if need.agent.is_none() {
            return Some("without an agent".to_owned());
        }
        let rejected = |agent: usize| {
            list.iter().any(|rejection| {
                rejection.agent == Some(agent) && (rejection.supply.is_none() || of_supply(rejection))
            })
        };
        let free = (0..world.agents.len()).find(|agent| !rejected(*agent))?;
        Some(format!("on {}", show_name(self.text(world.agents[free].name))))
    }

    fn free(
        &self,
        side: Side,
        holder: &Name,
        resource: &DottedName,
        amount: &Expr,
    ) -> Result<Difference, ExpectationProblem> {
        let (world, plan) = (self.fleet.world(), self.fleet.plan());
        let name = join_key(resource.segments.iter().map(|segment| segment.text.as_str()));
        let symbol = plan.symbols.find(&name);
        let (holding, known): (Option<HoldingId>, Vec<Symbol>) = if side == Side::Agent {
            let agent = self.agent(holder)?;
            let known = world.agents[agent].resources.iter().map(|held| held.resource).collect();
            (symbol.and_then(|symbol| world.agent_holding(agent, symbol)), known)
        } else {
            let supply = &world.supplies[self.supply(holder)?];
            let known = supply.resources.iter().map(|known| *known.0).collect();
            (symbol.and_then(|symbol| supply.holdings(symbol)?.first().copied()), known)
        };
        let Some(holding) = holding else {
            let known = known.into_iter().map(|symbol| self.text(symbol));
            let name = Name { text: name, span: resource.span };
            return Err(unknown("resource", &name, known, self.told));
        };
        self.amount(holding, amount)
    }

    /// Compares an amount with the free amount of the firm parts of a holding.
    fn amount(&self, id: HoldingId, expected: &Expr) -> Result<Difference, ExpectationProblem> {
        let world = self.fleet.world();
        let holding = world.holding(id);
        let remaining = &self.offers.cycle().ledger;
        let free = holding.firm().try_fold(0, |sum, part| Some(sum + remaining.free(world, part)?));
        let wrong = |help: &str| {
            let message = "this is not an amount of the resource";
            Box::new(Diagnostic::error(Code::B0314, expected.span, message).help(help.to_owned()))
        };
        let ExprKind::Literal(literal) = &expected.kind else { return Err(wrong("write a literal")) };
        let mut ranges = Ranges::default();
        let mut items: Vec<&str> = Vec::new();
        let mut of_items = false;
        for part in holding.firm() {
            let Some(set) = remaining.free_set(world, part) else { continue };
            if let Total::Items(all) = &world.stock(part).usable {
                of_items = true;
                let here = all.iter().enumerate().filter(|(at, _)| set.contains(*at as i64));
                items.extend(here.map(|(_, item)| self.text(*item)));
            } else {
                ranges = ranges.union(&set);
            }
        }
        items.sort_unstable();
        let is_set = holding.firm().any(|part| ledger::is_set(world.stock(part)));
        let shown = || match free {
            Some(_) if of_items => {
                let names: Vec<String> = items.iter().map(|item| quote(item)).collect();
                format!("{} free: [{}]", names.len(), names.join(", "))
            }
            Some(_) if is_set => format!("{} free: {ranges}", ranges.count()),
            Some(free) => format!("{} free", render(holding.dimension, free)),
            None => "unlimited".to_owned(),
        };
        let holds = match literal {
            Literal::Unlimited => free.is_none(),
            Literal::Quantity(quantity) => {
                if quantity.dimension != holding.dimension {
                    return Err(wrong("compare with an amount of the same dimension"));
                }
                free == Some(i128::from(quantity.amount))
            }
            Literal::EmptyList if is_set => ranges.is_empty() && items.is_empty(),
            Literal::Ranges(expected) if is_set && !of_items => ranges == *expected,
            Literal::Numbers(numbers) if is_set && !of_items => {
                let whole = numbers.iter().map(|number| number.millionths / MILLION);
                ranges == Ranges::new(whole.map(|number| (number, number)))
            }
            Literal::Texts(texts) if of_items => {
                let mut wanted: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
                wanted.sort_unstable();
                items == wanted
            }
            Literal::Texts(_) if is_set => {
                return Err(wrong("compare with ranges, or with how many there are"));
            }
            _ => return Err(wrong("compare with an amount of the same kind")),
        };
        Ok((!holds).then(|| (shown(), Vec::new())))
    }

    fn share(
        &self,
        role: &Name,
        numerator: u64,
        denominator: u64,
        span: Span,
    ) -> Result<Difference, ExpectationProblem> {
        let cycle = self.offers.cycle();
        let Some(found) = cycle.roles.iter().find(|known| known.path == role.text) else {
            let known = cycle.roles.iter().map(|known| known.path.as_str());
            return Err(unknown("role", role, known, self.told));
        };
        if denominator == 0 {
            let message = "a share with 0 below the line";
            return Err(Box::new(
                Diagnostic::error(Code::B0308, span, message).help("write a fraction such as `2/3`"),
            ));
        }
        let expected = crate::cycle::Fraction::new(u128::from(numerator), u128::from(denominator));
        let actual = found.dominant.share;
        let resource = found.dominant.resource.map(|(side, name)| format!(", of {side}.{}", self.text(name)));
        Ok((expected != actual).then(|| (format!("{actual}{}", resource.unwrap_or_default()), Vec::new())))
    }

    /// Lists the reasons of the selected rejections, one line for each, with the candidates that it excludes.
    fn reasons(&self, result: &NeedResult, which: impl Fn(&crate::cycle::Rejection) -> bool) -> Vec<String> {
        const MOST: usize = 8;
        const NAMES: usize = 3;
        let world = self.fleet.world();
        let mut excluded: IndexMap<String, Vec<String>> = IndexMap::new();
        for rejection in result.rejections.list.iter().filter(|rejection| which(rejection)) {
            let agent = rejection.agent.map(|agent| show_name(self.text(world.agents[agent].name)));
            let supply =
                rejection.supply.map(|(_, supply)| self.text(world.supplies[supply].path).to_owned());
            let at: Vec<String> = agent.into_iter().chain(supply).collect();
            for number in rejection.reasons.iter() {
                let line = reason_line(self.offers.cycle().reason(*number));
                excluded.entry(line).or_default().push(at.join(" with "));
            }
        }
        let more = excluded.len().saturating_sub(MOST);
        let mut lines: Vec<String> = Vec::new();
        for (line, names) in excluded.iter().take(MOST) {
            let shown = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
            let others = match names.len().saturating_sub(NAMES) {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            lines.push(format!("{shown}{others}: {line}"));
        }
        if more > 0 {
            lines.push(format!("and {}", count(more, "more reason", "more reasons")));
        }
        lines
    }
}
