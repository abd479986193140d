//! Fine-grained keys in needs, told once every class is bound: the help names those that speak of the key.

use super::{
    Resolver,
    hir::{DefinitionKind, Expr, ExprKind, Read},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::records::TierRecord,
    types::Side,
};

impl Resolver {
    /// Needs that name fine-grained keys: the help names the classes that mention the key.
    pub(super) fn report_fine_reads(&mut self) {
        for (read, shown, bare, span) in std::mem::take(&mut self.fine_reads) {
            let classes: Vec<String> = self
                .hir
                .definitions
                .iter()
                .filter(
                    |definition| matches!(definition.kind, DefinitionKind::Class(side) if side == read.side),
                )
                .filter(|definition| definition.body.iter().any(|expr| reads(expr, &read)))
                .map(|definition| format!("`is {}`", definition.name))
                .collect();
            if self.is_resource(read.side, &bare) {
                let message = format!("`{bare}` is a resource: a need asks for an amount of it");
                let help =
                    format!("write `{bare} = …` with the least that will do, or a range: `{bare} = 2..8`");
                self.problems.push(Diagnostic::error(Code::B0401, span, message).help(help));
                continue;
            }
            let message = format!("a need does not name fine-grained keys: `{bare}`");
            let ask = if classes.is_empty() {
                format!("ask for a class (`class NAME for {} {{ {bare} … }}`)", read.side)
            } else {
                format!("ask for a class that speaks of it: {}", classes.join(", "))
            };
            let help = format!("{ask}; or the operator adds `expose {shown}` to the broker");
            self.problems.push(
                Diagnostic::error(Code::B0401, span, message)
                    .label("only the operator's policy sees it")
                    .help(help),
            );
        }
    }
}

/// Calls `visit` with an expression and everything in it.
pub fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Read(_)
        | ExprKind::Named(_)
        | ExprKind::IsAbsent(_)
        | ExprKind::IsPresent(_) => {}
        ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Matches(inner, _)
        | ExprKind::Else(_, inner) => {
            walk(inner, visit);
        }
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => {
            parts.iter().for_each(|part| walk(part, visit));
        }
        ExprKind::Test(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
            walk(left, visit);
            walk(right, visit);
        }
    }
}

impl Resolver {
    /// Whether some agent, or some tier of storage, declares a resource of this name.
    fn is_resource(&self, side: Side, name: &str) -> bool {
        let records = &self.hir.records;
        if side == Side::Agent {
            return records.agents.iter().any(|agent| agent.resources.iter().any(|known| known.name == name));
        }
        let mut open: Vec<&TierRecord> = records.providers.iter().collect();
        while let Some(tier) = open.pop() {
            if tier.resources.iter().any(|known| known.name == name) {
                return true;
            }
            open.extend(&tier.children);
        }
        false
    }
}

fn reads(expr: &Expr, wanted: &Read) -> bool {
    let mut found = false;
    walk(expr, &mut |expr| {
        found |= match &expr.kind {
            ExprKind::Read(read)
            | ExprKind::IsAbsent(read)
            | ExprKind::IsPresent(read)
            | ExprKind::Else(read, _) => read == wanted,
            _ => false,
        };
    });
    found
}
