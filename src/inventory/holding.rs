//! What a holder has of a resource, from the records of its parts.

use super::{
    bind::{Binder, Part},
    ledger,
    records::{PartRecord, ResourceRecord},
    stock::{Steps, stock, wrong},
    world::{Held, Holding, HoldingId, PartKind, Quota, Stock, StockId},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    symbol::Symbol,
    types::Side,
    value::is_role,
};

impl Binder<'_> {
    /// The holdings of a holder, each with its parts.
    pub(super) fn holdings(&mut self, part: &Part<'_>, side: Side, records: &[ResourceRecord]) -> Vec<Held> {
        let mut held: Vec<Held> = Vec::with_capacity(records.len());
        let mut stated: Vec<Steps> = Vec::with_capacity(records.len());
        for record in records {
            let Some(kind) = self.part_kind(part, record) else { continue };
            let resource = self.plan.symbols.intern(&record.name);
            let of_policy = self.dimensions.get(&(side, resource)).copied();
            let of_data = || self.units.get(&(side, record.name.clone())).map(|unit| unit.0);
            let dimension = of_policy.or_else(of_data);
            let symbols = &mut self.plan.symbols;
            let (stock, steps) = match stock(part, side, record, (resource, kind), dimension, symbols) {
                Ok(stock) => stock,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            let at = held.iter().position(|held| held.resource == resource);
            let at = at.unwrap_or_else(|| {
                held.push(self.holding(&stock));
                stated.push(Steps::default());
                held.len() - 1
            });
            let whole = self.add_part(held[at].holding, kind, stock);
            self.problems.extend(whole.err());
            let agreed = agree(&mut stated[at], &steps, &record.name);
            self.problems.extend(agreed.err());
        }
        for (held, steps) in held.iter().zip(&stated) {
            let holding = &mut self.world.holdings[held.holding.0 as usize];
            holding.step = steps.step.map_or(0, |step| step.0);
            holding.min = steps.min.map_or(0, |min| min.0);
            holding.max = steps.max.map(|max| max.0);
            if let (Some((max, span)), min) = (steps.max, holding.min)
                && max < min
            {
                let message = "`max` is below `min`: nothing could be asked for";
                self.problems.push(wrong(span, message, "raise `max`, or lower `min`"));
            }
        }
        held
    }

    fn part_kind(&mut self, part: &Part<'_>, record: &ResourceRecord) -> Option<PartKind> {
        match &record.part {
            PartRecord::Unreserved => Some(PartKind::Unreserved),
            PartRecord::Revocable => Some(PartKind::Revocable),
            PartRecord::Reserved(role) if is_role(role) && role != "*" => {
                Some(PartKind::Reserved(self.plan.symbols.intern(role)))
            }
            PartRecord::Reserved(role) => {
                let message = format!("nothing can be reserved for `{role}`");
                let help = "a reservation is for a role by its path: `\"eng/ads\"`; what is for everyone stands in `resources`";
                let problem = Diagnostic::error(Code::B0209, part.lift(record.span), message).help(help);
                self.problems.push(problem);
                None
            }
        }
    }

    fn holding(&mut self, stock: &Stock) -> Held {
        let id = HoldingId(self.world.holdings.len() as u32);
        self.world.holdings.push(Holding {
            resource: stock.resource,
            side: stock.side,
            dimension: stock.dimension,
            parts: Vec::with_capacity(1),
            step: 0,
            min: 0,
            max: None,
            span: stock.span,
        });
        Held { resource: stock.resource, holding: id }
    }

    /// Adds a part; all parts of a resource are of one form.
    fn add_part(&mut self, id: HoldingId, kind: PartKind, stock: Stock) -> Result<(), Diagnostic> {
        let name = || self.plan.symbols.text(stock.resource);
        let holding = &self.world.holdings[id.0 as usize];
        if let Some((_, first)) = holding.parts.first().map(|part| (part.0, self.world.stock(part.1))) {
            let form = |stock: &Stock| match stock.usable {
                Quota::Ranges(_) => "ranges",
                Quota::Items(_) => "named items",
                Quota::Unlimited | Quota::Scalar(_) => "an amount",
            };
            let empty = |stock: &Stock| ledger::all(stock).is_some_and(|all| all.is_empty());
            let alike = form(first) == form(&stock)
                || (ledger::is_set(first) && ledger::is_set(&stock) && (empty(first) || empty(&stock)));
            if !alike {
                let message =
                    format!("`{}` is {} here, and {} in another part", name(), form(&stock), form(first));
                return Err(Diagnostic::error(Code::B0510, stock.span, message)
                    .also(first.span, "the other part")
                    .help("write all parts of a resource in one form"));
            }
        }
        if let Some((_, twice)) = holding.parts.iter().find(|part| self.shares(part.1, &stock)) {
            let message = format!("some of these `{}` are in another part already", name());
            return Err(Diagnostic::error(Code::B0510, stock.span, message)
                .also(self.world.stock(*twice).span, "the other part")
                .help("the parts of a resource are disjoint: give each one to one part"));
        }
        let number = StockId(self.world.stocks.len() as u32);
        self.world.stocks.push(stock);
        self.world.holdings[id.0 as usize].parts.push((kind, number));
        Ok(())
    }

    /// Whether two parts hold the same port or item.
    fn shares(&self, known: StockId, stock: &Stock) -> bool {
        match (&self.world.stock(known).usable, &stock.usable) {
            (Quota::Ranges(one), Quota::Ranges(other)) => !one.common(other).is_empty(),
            (Quota::Items(one), Quota::Items(other)) => one.iter().any(|item: &Symbol| other.contains(item)),
            _ => false,
        }
    }
}

/// Joins the options of one part with those of the others: they are of the resource, whichever part states them.
fn agree(stated: &mut Steps, steps: &Steps, resource: &str) -> Result<(), Diagnostic> {
    let join = |name: &str, known: &mut Option<(i64, Span)>, new: Option<(i64, Span)>| match (*known, new) {
        (Some((first, at)), Some((second, span))) if first != second => {
            let message = format!("`{name}` of `{resource}` is stated in two ways");
            let help = "`step`, `min` and `max` are of the resource, all its parts together: state each once";
            Err(wrong(span, message, help).also(at, "first stated here"))
        }
        _ => {
            *known = known.or(new);
            Ok(())
        }
    };
    join("step", &mut stated.step, steps.step)?;
    join("min", &mut stated.min, steps.min)?;
    join("max", &mut stated.max, steps.max)
}
