//! Errors for fine-grained keys in needs. They are reported once every class is declared, since their help
//! lists classes.
//!
//! A key that is hidden and a key that does not exist get the same message. Otherwise the author of a need
//! could find out which keys exist.

use super::{
    Resolver,
    hir::{DefinitionKind, Expr, ExprKind, Key},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest_after},
    inventory::records::TierRecord,
    limits,
    types::Side,
};

impl Resolver {
    /// Reports needs that read fine-grained keys. The help mentions only what frameworks may know: classes
    /// and exposed keys.
    pub(super) fn report_fine_reads(&mut self) {
        for (read, shown, bare, span) in std::mem::take(&mut self.fine_reads) {
            if self.is_resource(read.side, &bare) {
                let message = format!("`{bare}` is a resource: a need asks for an amount of it");
                let help =
                    format!("write `{bare} = …` with the least that will do, or a range: `{bare} = 2..8`");
                self.problems.push(Diagnostic::error(Code::B0401, span, message).help(help));
                continue;
            }
            let near = self.near_exposed(read.side, &bare).map(|near| format!("did you mean `{near}`? "));
            let class = self.classes_of(read.side);
            let message = format!("a need does not name fine-grained keys: `{bare}`");
            let help = format!(
                "{}{class}; or the operator adds `expose {shown}` to the broker",
                near.unwrap_or_default()
            );
            self.problems.push(
                Diagnostic::error(Code::B0401, span, message)
                    .label("needs may name exposed keys, and no others")
                    .help(help),
            );
        }
    }

    /// Returns the exposed key that is most similar to a key.
    fn near_exposed(&self, side: Side, bare: &str) -> Option<String> {
        let exposed = self.scope.exposed.iter().filter(|known| known.side == side);
        let keys = exposed.filter_map(|known| match &known.key {
            Key::Attribute(key) => Some(key.as_str()),
            _ => None,
        });
        nearest_after(self.problems.len(), bare, keys).map(str::to_owned)
    }

    /// Returns a help that lists classes of the set for a side, in order of name. The choice does not depend
    /// on their conditions.
    fn classes_of(&self, side: Side) -> String {
        // Each problem looks through all of them: past what is shown none is named.
        if self.problems.len() >= limits::PROBLEMS_SHOWN {
            return format!("ask for a class of {side}s");
        }
        // Classes of plugins and of standard modules are left out.
        let is_own = |kind: DefinitionKind| kind == DefinitionKind::Class(side);
        let own = self.hir.definitions.iter().filter(|known| !known.standard && is_own(known.kind));
        let mut names: Vec<String> = own.map(|known| format!("`is {}`", known.name)).collect();
        names.sort();
        let more = if names.len() > CLASSES_TOLD { ", …" } else { "" };
        names.truncate(CLASSES_TOLD);
        match names.as_slice() {
            [] => format!("ask for a class of {side}s"),
            names => format!("ask for a class: {}{more}", names.join(", ")),
        }
    }
}

/// The number of classes that the help lists.
const CLASSES_TOLD: usize = 10;

/// Calls `visit` with an expression and all expressions inside it, parents first.
pub fn walk<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
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
    /// Returns `true` if any agent, or any tier of storage, declares a resource of this name.
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
