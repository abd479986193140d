//! Holdings: the resource records of a holder, joined by resource and entered into the tables of a world.
//!
//! This takes two steps. [`Binder::drafts`] reads records and touches no table, so that a change can be
//! checked before it is made. [`Binder::place`] then enters the drafts.
//!
//! A fleet that changes keeps the numbers of stocks and holdings wherever possible, because the ledger,
//! allocations and index refer to them. A slot that nothing uses goes to a free list. Every write to the
//! tables is recorded in an undo log ([`UndoEntry`]) while a change is under way; `amend::undo` replays it
//! backwards.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    bind::{Binder, SourceRecords},
    ledger,
    records::{PartRecord, ResourceRecord},
    stock::{RequestBounds, option_error, stock, without_options},
    world::{Holding, HoldingId, HoldingRef, PartKind, Stock, StockId, StockKind, Total},
};
use crate::{
    diagnostic::{Code, Diagnostic, no_reservation},
    source::Span,
    symbol::Symbol,
    types::Side,
};

/// A holding as its records say, not yet in a table.
#[derive(Clone, Debug)]
pub(super) struct HoldingDraft {
    /// The holding without parts: they get their numbers when the stocks are placed.
    pub holding: Holding,
    /// The future parts.
    pub stocks: Vec<(PartKind, Stock)>,
}

/// The resources that a row had before it is bound again. What stays the same keeps its number.
#[derive(Clone, Debug, Default)]
pub(super) struct PreviousRow {
    pub held: Vec<HoldingRef>,
    /// The user slots, for an existing volume.
    pub users: Option<StockId>,
}

/// One record of the undo log for the tables of stocks and holdings.
#[derive(Clone, Debug)]
pub(super) enum UndoEntry {
    /// A stock was replaced; holds the old one.
    Stock(StockId, Box<Stock>),
    /// A stock was added at the end of the table.
    StockAdded,
    /// A free slot of a stock was put to use.
    StockTaken(StockId),
    /// The slot of a stock was freed.
    StockFreed,
    /// A holding was replaced; holds the old one.
    Holding(HoldingId, Box<Holding>),
    /// A holding was added at the end of the table.
    HoldingAdded,
    /// A free slot of a holding was put to use.
    HoldingTaken(HoldingId),
    /// The slot of a holding was freed.
    HoldingFreed,
}

impl Binder<'_> {
    /// Reads the resource records of a holder and joins those of one resource into one draft, with a stock
    /// for each part.
    pub(super) fn drafts(
        &mut self,
        part: &SourceRecords<'_>,
        side: Side,
        records: &[ResourceRecord],
    ) -> Vec<HoldingDraft> {
        let mut drafts: Vec<HoldingDraft> = Vec::with_capacity(records.len());
        // A tree: most holders have few resources, and a hash for each would cost more than it saves.
        let mut draft_of: BTreeMap<Symbol, usize> = BTreeMap::new();
        let mut stated: Vec<RequestBounds> = Vec::with_capacity(records.len());
        for record in records {
            let Some(kind) = self.part_kind(part, record) else { continue };
            let resource = self.plan.symbols.intern(&record.name);
            // The policy knows the dimension of a resource; otherwise the first amount with a unit decides.
            let of_policy = self.typing.dimensions.get(&(side, resource));
            let dimension = of_policy.or_else(|| self.typing.units.get(&(side, resource))).copied();
            let symbols = &mut self.plan.symbols;
            let (stock, steps) = match stock(part, side, record, (resource, kind), dimension, symbols) {
                Ok(stock) => stock,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            let at = *draft_of.entry(resource).or_insert_with(|| {
                stated.push(RequestBounds::default());
                drafts.push(draft(&stock));
                drafts.len() - 1
            });
            let whole = add_part(&mut drafts[at], kind, stock, &record.name);
            self.problems.extend(whole.err());
            let agreed = agree(&mut stated[at], &steps, &record.name);
            self.problems.extend(agreed.err());
        }
        for (draft, steps) in drafts.iter_mut().zip(&stated) {
            let holding = &mut draft.holding;
            holding.step = steps.step.map_or(0, |step| step.0);
            holding.min = steps.min.map_or(0, |min| min.0);
            holding.max = steps.max.map(|max| max.0);
            if let (Some((max, span)), min) = (steps.max, holding.min)
                && max < min
            {
                let message = "`max` is below `min`: nothing could be asked for";
                self.problems.push(option_error(span, message, "raise `max`, or lower `min`"));
            }
        }
        drafts
    }

    /// Enters drafts into the tables and returns the resources of the holder. `before` lists those it had: a
    /// resource that it still has keeps its holding, and a part of the same kind keeps its stock.
    pub(super) fn place(&mut self, drafts: Vec<HoldingDraft>, before: &[HoldingRef]) -> Vec<HoldingRef> {
        let mut held = Vec::with_capacity(drafts.len());
        let mut before: BTreeMap<Symbol, HoldingId> =
            before.iter().map(|held| (held.resource, held.holding)).collect();
        for HoldingDraft { mut holding, stocks } in drafts {
            let same = before.remove(&holding.resource);
            let old = same.map(|id| std::mem::take(&mut self.world.holdings[id.0 as usize].parts));
            // The parts were moved out above: the log needs the holding as it was.
            if let (Some(id), Some(old), Some(journal)) = (same, &old, &mut self.undo_log) {
                let holding = Holding { parts: old.clone(), ..self.world.holding(id).clone() };
                journal.push(UndoEntry::Holding(id, Box::new(holding)));
            }
            let old = old.unwrap_or_default();
            // A part of the same kind takes over the slot, so that takes of it stay valid.
            for (kind, stock) in stocks {
                let at = old.iter().find(|part| part.0 == kind).map(|part| part.1);
                let id = self.write_stock(at, stock);
                holding.parts.push((kind, id));
            }
            let gone: Vec<(PartKind, StockId)> =
                old.into_iter().filter(|part| !holding.parts.iter().any(|new| new.1 == part.1)).collect();
            let resource = holding.resource;
            let id = self.put_holding(same, holding);
            held.push(HoldingRef { resource, holding: id });
            // Not freed yet: a reservation of the state may create the same part again, which then keeps its
            // number.
            self.orphaned_parts.extend(gone.into_iter().map(|(kind, stock)| ((id, kind), stock)));
        }
        // Resources that the holder no longer has.
        for gone in before.into_values() {
            self.free_holding(gone);
        }
        held
    }

    /// Frees the stocks of parts that no reservation has created again.
    pub(super) fn free_orphans(&mut self) {
        for (_, stock) in std::mem::take(&mut self.orphaned_parts) {
            self.free_stock(stock);
        }
    }

    /// Writes a stock to slot `at`, or else to a free slot, or else to the end of the table. Returns its
    /// number.
    pub(super) fn write_stock(&mut self, at: Option<StockId>, stock: Stock) -> StockId {
        let stocks = &mut self.world.stocks;
        let free = if at.is_none() { self.world.free_stocks.pop() } else { None };
        if let (Some(id), Some(journal)) = (free, &mut self.undo_log) {
            journal.push(UndoEntry::StockTaken(id));
        }
        let Some(id) = at.or(free) else {
            stocks.push(stock);
            self.undo_log.iter_mut().for_each(|journal| journal.push(UndoEntry::StockAdded));
            return StockId(stocks.len() as u32 - 1);
        };
        let old = std::mem::replace(&mut stocks[id.0 as usize], stock);
        self.undo_log
            .iter_mut()
            .for_each(|journal| journal.push(UndoEntry::Stock(id, Box::new(old.clone()))));
        id
    }

    /// Frees the slot of a stock. An empty stock stays there, so that no reader of the table has to know of
    /// free slots.
    pub(super) fn free_stock(&mut self, id: StockId) {
        let old = self.world.stock(id);
        let kind = StockKind::Part(PartKind::Unreserved);
        let none = Stock {
            kind,
            ..without_options(old.resource, old.side, kind, old.dimension, Total::Scalar(0), old.span)
        };
        self.write_stock(Some(id), none);
        self.world.free_stocks.push(id);
        self.undo_log.iter_mut().for_each(|journal| journal.push(UndoEntry::StockFreed));
    }

    /// Writes a holding as [`Binder::write_stock`] writes a stock.
    fn put_holding(&mut self, at: Option<HoldingId>, holding: Holding) -> HoldingId {
        let holdings = &mut self.world.holdings;
        if let Some(id) = at {
            // The caller has logged the holding that is replaced.
            holdings[id.0 as usize] = holding;
            return id;
        }
        let Some(id) = self.world.free_holdings.pop() else {
            holdings.push(holding);
            self.undo_log.iter_mut().for_each(|journal| journal.push(UndoEntry::HoldingAdded));
            return HoldingId(holdings.len() as u32 - 1);
        };
        let old = std::mem::replace(&mut holdings[id.0 as usize], holding);
        if let Some(journal) = &mut self.undo_log {
            journal.push(UndoEntry::HoldingTaken(id));
            journal.push(UndoEntry::Holding(id, Box::new(old)));
        }
        id
    }

    /// Frees the slot of a holding and those of its stocks.
    pub(super) fn free_holding(&mut self, id: HoldingId) {
        let holding = &mut self.world.holdings[id.0 as usize];
        let old = holding.clone();
        for (_, stock) in std::mem::take(&mut holding.parts) {
            self.free_stock(stock);
        }
        self.world.free_holdings.push(id);
        if let Some(journal) = &mut self.undo_log {
            journal.push(UndoEntry::Holding(id, Box::new(old)));
            journal.push(UndoEntry::HoldingFreed);
        }
    }

    /// Logs a holding before its caller changes it.
    pub(super) fn note_holding(&mut self, id: HoldingId) {
        if let Some(journal) = &mut self.undo_log {
            journal.push(UndoEntry::Holding(id, Box::new(self.world.holding(id).clone())));
        }
    }

    fn part_kind(&mut self, part: &SourceRecords<'_>, record: &ResourceRecord) -> Option<PartKind> {
        match &record.part {
            PartRecord::Unreserved => Some(PartKind::Unreserved),
            PartRecord::Revocable => Some(PartKind::Revocable),
            PartRecord::Reserved(role) => match no_reservation(role, part.to_run_span(record.span)) {
                None => Some(PartKind::Reserved(self.plan.symbols.intern(role))),
                Some(problem) => {
                    self.problems.push(problem);
                    None
                }
            },
        }
    }
}

fn draft(stock: &Stock) -> HoldingDraft {
    let holding = Holding {
        resource: stock.resource,
        side: stock.side,
        dimension: stock.dimension,
        parts: Vec::with_capacity(1),
        step: 0,
        min: 0,
        max: None,
        span: stock.span,
    };
    HoldingDraft { holding, stocks: Vec::with_capacity(1) }
}

/// Adds a part to a draft. All parts of a resource must have one form, and parts of ranges or items must be
/// disjoint.
fn add_part(draft: &mut HoldingDraft, kind: PartKind, stock: Stock, name: &str) -> Result<(), Diagnostic> {
    if let Some((_, first)) = draft.stocks.first() {
        let form = |stock: &Stock| match stock.usable {
            Total::Ranges(_) => "ranges",
            Total::Items(_) => "named items",
            Total::Unlimited | Total::Scalar(_) => "an amount",
        };
        // `[]` is ranges as well as items: an empty set goes with either.
        let empty = |stock: &Stock| ledger::all(stock).is_some_and(|all| all.is_empty());
        let alike = form(first) == form(&stock)
            || (ledger::is_set(first) && ledger::is_set(&stock) && (empty(first) || empty(&stock)));
        if !alike {
            let message = format!("`{name}` is {} here, and {} in another part", form(&stock), form(first));
            return Err(Diagnostic::error(Code::B0510, stock.span, message)
                .also(first.span, "the other part")
                .help("write all parts of a resource in one form"));
        }
    }
    if let Some((_, twice)) = draft.stocks.iter().find(|part| shares(&part.1, &stock)) {
        let message = format!("some of these `{name}` are in another part already");
        return Err(Diagnostic::error(Code::B0510, stock.span, message)
            .also(twice.span, "the other part")
            .help("the parts of a resource are disjoint: give each one to one part"));
    }
    draft.stocks.push((kind, stock));
    Ok(())
}

/// Returns `true` if two parts have a member in common.
fn shares(known: &Stock, stock: &Stock) -> bool {
    match (&known.usable, &stock.usable) {
        (Total::Ranges(one), Total::Ranges(other)) => !one.common(other).is_empty(),
        (Total::Items(one), Total::Items(other)) => {
            let one: BTreeSet<&Symbol> = one.iter().collect();
            other.iter().any(|item| one.contains(item))
        }
        _ => false,
    }
}

/// Merges the options of one part with those of the others. Options apply to the resource as a whole, so each
/// may be stated in any part, or in several if they agree.
fn agree(stated: &mut RequestBounds, steps: &RequestBounds, resource: &str) -> Result<(), Diagnostic> {
    let join = |name: &str, known: &mut Option<(i64, Span)>, new: Option<(i64, Span)>| match (*known, new) {
        (Some((first, at)), Some((second, span))) if first != second => {
            let message = format!("`{name}` of `{resource}` is stated in two ways");
            let help = "`step`, `min` and `max` are of the resource, all its parts together: state each once";
            Err(option_error(span, message, help).also(at, "first stated here"))
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
