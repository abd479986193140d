//! Existing volumes: their properties, and the amounts that their pools gave up for them.
//!
//! A volume is part of what its pool has used. Its resources are taken from the pool and the tiers above when
//! the fleet is bound, and a user gets them whole, without taking from those tiers again.

use indexmap::IndexMap;

use super::{
    availability::{Availability, Requester, Revocable, Shortfall},
    bind::{Binder, SourceRecords},
    ledger::Ledger,
    records::{Located, Raw, TierRecord},
    stock::without_options,
    world::{Existing, HoldingId, HoldingRef, PartKind, StockId, StockKind, Total},
};
use crate::{
    diagnostic::{Code, Diagnostic, no_reservation},
    ir::Amount,
    keys::BuiltIn,
    quantity::{Dimension, MILLION},
    source::Span,
    symbol::Symbol,
    types::Side,
};

/// One resource of an existing volume, to be taken from the pool and the tiers above.
#[derive(Clone, Debug)]
pub(super) struct Carved {
    path: String,
    /// The holdings it is taken from, lowest first.
    pub tiers: Vec<HoldingId>,
    dimension: Dimension,
    amount: i64,
    /// The role that the volume is kept for. Its reservation is used up first.
    role: Option<Symbol>,
    span: Span,
}

impl Binder<'_> {
    /// Reads the properties of an existing volume. Removes its own resources from `above`, the holdings of
    /// its tiers, since a user takes none of them there.
    pub(super) fn existing(
        &mut self,
        part: &SourceRecords<'_>,
        record: &TierRecord,
        path: &str,
        own: &[HoldingRef],
        above: &mut IndexMap<Symbol, Vec<HoldingId>>,
    ) -> Existing {
        let mut whole = Vec::new();
        let reserved_for = record.reserved_for.as_ref().and_then(|role| self.kept_for(part, role));
        for held in own {
            let holding = self.world.holding(held.holding);
            let (dimension, span) = (holding.dimension, holding.span);
            // A volume is one definite thing: its amounts have neither parts nor sets.
            let only = match holding.parts.as_slice() {
                [(PartKind::Unreserved, stock)] => match self.world.stock(*stock).usable {
                    Total::Scalar(amount) => Some(amount),
                    _ => None,
                },
                _ => None,
            };
            let Some(amount) = only else {
                let name = self.plan.symbols.text(held.resource);
                let message = format!("`{name}` of an existing volume is a fixed amount");
                let help = "write a quantity in `resources { … }`; for whom it is kept says `reserved for`";
                self.problems.push(Diagnostic::error(Code::B0510, span, message).help(help));
                continue;
            };
            whole.push((held.resource, dimension, amount));
            // The whole chain for this resource leaves the supply and is charged once, in `carve`.
            let tiers = above.shift_remove(&held.resource).unwrap_or_default();
            let path = path.to_owned();
            self.carved.push(Carved { path, tiers, dimension, amount, role: reserved_for, span });
        }
        // After the loop `above` holds what the volume does not declare. Without its `size` the pool would
        // count its space as free.
        let size = self.plan.symbols.find("size");
        if let Some(tier) = size.and_then(|size| above.get(&size)).and_then(|tiers| tiers.first()) {
            let message = format!("the existing volume `{}` does not say its `size`", record.name.text);
            let problem = Diagnostic::error(Code::B0219, part.to_run_span(record.name.span), message)
                .also(self.world.holding(*tier).span, "its pool counts `size`")
                .help("add `resources { size = … }` to it");
            self.problems.push(problem);
        }
        let stated = |word: BuiltIn| record.keys.iter().find(|own| own.key == word.text());
        let access = stated(BuiltIn::Access);
        let read_only = access.is_some_and(|own| matches!(&own.value, Raw::Text(access) if access == "ro"));
        if let Some(access) = access
            && !matches!(&access.value, Raw::Text(access) if access == "ro" || access == "rw")
        {
            let message = "`access` of a volume is `\"rw\"` or `\"ro\"`";
            self.problems.push(
                Diagnostic::error(Code::B0510, part.to_run_span(access.span), message)
                    .help("write one of them"),
            );
        }
        let filesystem = match stated(BuiltIn::Filesystem).map(|own| &own.value) {
            Some(Raw::Text(name)) => Some(self.plan.symbols.intern(name)),
            _ => None,
        };
        let users = self.user_places(part, record, path, read_only);
        Existing { filesystem, read_only, users, whole, reserved_for, takes: Vec::new() }
    }

    /// Adds the stock of the user slots of a volume.
    fn user_places(
        &mut self,
        part: &SourceRecords<'_>,
        record: &TierRecord,
        path: &str,
        read_only: bool,
    ) -> StockId {
        let key = record.keys.iter().find(|own| own.key == BuiltIn::Users.text());
        let users = match key.map(|own| &own.value) {
            None => Some(MILLION),
            Some(Raw::Integer(users)) => users.checked_mul(MILLION),
            Some(Raw::Quantity(users)) if users.dimension == Dimension::Number => Some(users.amount),
            Some(_) => None,
        };
        let valid = users.filter(|users| *users >= MILLION && users % MILLION == 0);
        let span = part.to_run_span(key.map_or(record.name.span, |own| own.span));
        if valid.is_none() {
            let message = "`users` of a volume is a whole number from 1";
            self.problems.push(Diagnostic::error(Code::B0510, span, message).help("write `users = 1`"));
        }
        let quota = if read_only { Total::Unlimited } else { Total::Scalar(valid.unwrap_or(MILLION)) };
        let resource = self.plan.symbols.intern(BuiltIn::Users.text());
        let before = self.plan.symbols.find(path).and_then(|path| self.before.get_mut(&path)?.users.take());
        self.write_stock(
            before,
            without_options(resource, Side::Pool, StockKind::Users, Dimension::Number, quota, span),
        )
    }

    /// Returns the role that a volume is kept for, if it can have a reservation.
    fn kept_for(&mut self, part: &SourceRecords<'_>, role: &Located) -> Option<Symbol> {
        match no_reservation(&role.text, part.to_run_span(role.span)) {
            None => Some(self.plan.symbols.intern(&role.text)),
            Some(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Takes the resources of all existing volumes from their pools, in order of path.
    pub(super) fn carve(&mut self, ledger: &mut Ledger) {
        let mut carved = std::mem::take(&mut self.carved);
        carved.sort_by(|a, b| a.path.cmp(&b.path));
        for Carved { path, tiers, dimension, amount, role, span } in carved {
            let line = role.map(|role| self.world.line(role)).unwrap_or_default();
            let requester = Requester { framework: None, line, revocable: Revocable::Exclude, exempt: &[] };
            let availability =
                Availability { world: self.world, ledger: Some(ledger), requester, pending: &[] };
            // The size of a volume is a fact: options of the pool do not apply to it.
            match availability.take_exact(&tiers, &Amount::Scalar(dimension, amount, amount)) {
                Ok(portion) => {
                    let takes: Vec<_> = portion.own.into_iter().chain(portion.above).collect();
                    takes.iter().for_each(|take| ledger.take(take));
                    let supply = self.plan.symbols.find(&path).and_then(|path| self.world.supply(path));
                    let volume = supply.and_then(|at| self.world.supplies[at].existing.as_mut());
                    volume.into_iter().for_each(|volume| volume.takes.extend_from_slice(&takes));
                }
                // `take_exact` asks for no limits.
                Err(Shortfall::Limit(_)) => {}
                Err(Shortfall::Holding(tier)) => {
                    let holding = self.world.holding(tier);
                    let name = self.plan.symbols.text(holding.resource);
                    let message = format!("the existing volumes hold more `{name}` than their pool has");
                    let problem = Diagnostic::error(Code::B0508, span, message)
                        .label("more than is left")
                        .also(holding.span, "the whole is declared here")
                        .help("correct one of the amounts");
                    self.problems.push(problem);
                }
            }
        }
    }
}
