//! Roles of a fleet: the line of each, which decides whose reservations it may use, and the limits.

use indexmap::{IndexMap, IndexSet};

use super::{
    bind::{Binder, SourceRecords},
    ledger,
    stock::without_options,
    world::{StockKind, Total},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest_after},
    ir::Limit,
    quantity::Dimension,
    source::Span,
    symbol::Symbol,
    types::Side,
    value::is_role,
};

impl Binder<'_> {
    /// Enters the line of every role that takes something: the role itself, then those above it, nearest
    /// first.
    pub(super) fn lines(&mut self, parts: &[SourceRecords<'_>]) {
        let mut roles: IndexSet<Symbol> =
            self.plan.frameworks.iter().map(|framework| framework.role).collect();
        for part in parts {
            let named = part.records.allocations.iter().filter_map(|record| record.role.as_ref());
            // A text that is no role is reported with its allocation. It gets no line here, since its depth
            // is not bounded.
            let named = named.filter(|role| is_role(&role.text));
            roles.extend(named.map(|role| self.plan.symbols.intern(&role.text)));
        }
        let volumes = self.world.supplies.iter().filter_map(|supply| supply.existing.as_ref());
        roles.extend(volumes.filter_map(|existing| existing.reserved_for));
        roles.insert(self.plan.symbols.intern("*"));
        for role in roles {
            self.line(role);
        }
    }

    /// Enters the line of a role, unless it is known.
    pub(super) fn line(&mut self, role: Symbol) {
        if self.world.lines.contains_key(&role) {
            return;
        }
        let symbols = &mut self.plan.symbols;
        let path = symbols.text(role).to_owned();
        // The prefixes of `a/b/c`, from the longest: `a/b`, then `a`.
        let above = path.rmatch_indices('/').map(|(end, _)| symbols.intern(&path[..end]));
        let line = std::iter::once(role).chain(above).collect();
        self.world.lines.insert(role, line);
    }

    /// Adds a stock for each limit, so that the ledger counts limits as it counts everything else.
    pub(super) fn limits(&mut self) {
        let roles = self.plan.roles.iter().filter(|role| !role.limits.is_empty());
        let stated: Vec<(String, Vec<Limit>)> =
            roles.map(|role| (role.name.clone(), role.limits.clone())).collect();
        if stated.is_empty() {
            return;
        }
        let known = self.known_resources();
        let mut said: IndexMap<(Symbol, Side, Symbol), Span> = IndexMap::new();
        for (role, limits) in stated {
            let role = self.plan.symbols.intern(&role);
            for limit in limits {
                let Some((side, dimension)) = self.limited(&limit, &known) else { continue };
                let key = (role, side, limit.resource);
                if let Some(first) = said.insert(key, limit.span) {
                    let name = self.plan.symbols.text(limit.resource);
                    let message = format!("the limit of `{side}.{name}` is stated twice");
                    let problem = Diagnostic::error(Code::B0212, limit.span, message);
                    self.problems.push(problem.also(first, "first stated here").help("keep one of them"));
                    continue;
                }
                // A fleet that changes calls this again: limits that it has keep their stock.
                if self.world.limits.contains_key(&key) {
                    continue;
                }
                let quota = Total::Scalar(limit.amount.amount);
                let kind = StockKind::Limit(role);
                let stock = without_options(limit.resource, side, kind, dimension, quota, limit.span);
                let id = self.write_stock(None, stock);
                self.world.limits.insert(key, id);
            }
        }
    }

    /// Returns the known resources by side, with their dimension where one is known. A resource that is
    /// unlimited everywhere has none.
    fn known_resources(&self) -> IndexMap<(Side, Symbol), Option<Dimension>> {
        let mut known: IndexMap<(Side, Symbol), Option<Dimension>> = IndexMap::new();
        for holding in self.world.holdings.iter().filter(|holding| !holding.parts.is_empty()) {
            let endless = holding.parts.iter().all(|part| ledger::total(self.world.stock(part.1)).is_none());
            let dimension = (!endless).then_some(holding.dimension);
            let entry = known.entry((holding.side, holding.resource)).or_insert(dimension);
            *entry = entry.or(dimension);
        }
        for (resource, dimension) in &self.plan.resources {
            known.insert(*resource, Some(*dimension));
        }
        known
    }

    /// Returns the side and dimension of a limited resource, or reports why there is none.
    fn limited(
        &mut self,
        limit: &Limit,
        known: &IndexMap<(Side, Symbol), Option<Dimension>>,
    ) -> Option<(Side, Dimension)> {
        let name = self.plan.symbols.text(limit.resource);
        let sides: Vec<Side> = match limit.side {
            Some(side) => vec![side],
            None => [Side::Agent, Side::Pool]
                .into_iter()
                .filter(|side| known.contains_key(&(*side, limit.resource)))
                .collect(),
        };
        // Without a side in the limit the resource must exist on just one.
        let side = match sides.as_slice() {
            [only] if known.contains_key(&(*only, limit.resource)) => *only,
            [_, _, ..] => {
                let message = format!("`{name}` is a resource of agents and of pools");
                let help = format!("say whose: `agent.{name} = …` or `pool.{name} = …`");
                self.problems.push(Diagnostic::error(Code::B0214, limit.span, message).help(help));
                return None;
            }
            _ => {
                let of_side = known.keys().filter(|key| limit.side.is_none_or(|side| key.0 == side));
                let near = nearest_after(
                    self.problems.len(),
                    name,
                    of_side.map(|key| self.plan.symbols.text(key.1)),
                );
                let message =
                    format!("nothing has or asks for a resource `{name}`: this limit counts nothing");
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "declare the resource, or remove the limit".to_owned(),
                };
                self.problems.push(Diagnostic::warning(Code::B0316, limit.span, message).help(help));
                return None;
            }
        };
        let dimension = known[&(side, limit.resource)].unwrap_or(limit.amount.dimension);
        if dimension != limit.amount.dimension {
            let message =
                format!("`{name}` is a {dimension} elsewhere, and here a {}", limit.amount.dimension);
            let help = "give it in the same unit everywhere";
            self.problems.push(Diagnostic::error(Code::B0502, limit.span, message).help(help));
            return None;
        }
        Some((side, dimension))
    }
}
