//! Existing volumes that data puts into pools by path. They are bound as if they were declared in the pool; a
//! state keeps the volumes it has made in this form.

use super::{
    bind::{Binder, SourceRecords, TierLayer},
    records::{AttachedVolume, TierRecord},
};
use crate::diagnostic::{Code, Diagnostic, declared_twice, nearest_after};

/// A volume that waits for its pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingVolume<'a> {
    part: SourceRecords<'a>,
    record: &'a AttachedVolume,
    /// The position of its rules in `Plan::tier_rules`.
    rules: usize,
}

impl<'a> Binder<'a> {
    /// Registers a volume of a fleet that changes. The caller knows its rules.
    pub(super) fn attach_later(&mut self, part: SourceRecords<'a>, record: &'a AttachedVolume, rules: usize) {
        self.puts.entry(record.pool()).or_default().push(PendingVolume { part, record, rules });
    }

    /// Registers all volumes, by the path of their pool. Their rules are numbered after those of all tiers.
    pub(super) fn put(&mut self, parts: &[SourceRecords<'a>]) {
        let tiers = |tier: &TierRecord| {
            let (mut open, mut count) = (vec![tier], 0);
            while let Some(tier) = open.pop() {
                count += 1;
                open.extend(&tier.children);
            }
            count
        };
        let mut rules = parts.iter().flat_map(|part| &part.records.providers).map(tiers).sum();
        for part in parts {
            for record in &part.records.volumes {
                self.puts.entry(record.pool()).or_default().push(PendingVolume {
                    part: *part,
                    record,
                    rules,
                });
                rules += 1;
            }
        }
    }

    /// Binds the volumes registered for a pool. `at` is the position of its tier, and `above` has the records
    /// of its tiers.
    pub(super) fn attach_to(&mut self, pool: &str, at: usize, above: &mut Vec<TierLayer<'a>>) {
        let Some(puts) = self.puts.shift_remove(pool) else { return };
        for PendingVolume { part, record, rules } in puts {
            let path = &record.path.text;
            // The path may be that of a declared volume, or of another one put by path.
            let first = self.plan.symbols.find(path).and_then(|path| {
                let same = |tier: &&super::world::Tier| tier.path == path;
                self.world.tiers.iter().find(same).map(|tier| tier.span)
            });
            if let Some(first) = first {
                let problem = declared_twice("volume", path, part.to_run_span(record.path.span), first);
                self.problems.push(Diagnostic { code: Code::B0506, ..problem });
                continue;
            }
            self.tier(&part, &record.tier, Some(at), above, &mut std::iter::once(rules), false);
        }
    }

    /// Reports the volumes whose pool does not exist.
    pub(super) fn report_unattached(&mut self) {
        for (pool, puts) in std::mem::take(&mut self.puts) {
            let pools = self.world.tiers.iter().filter(|tier| tier.kind == super::records::TierKind::Pool);
            let help = match nearest_after(
                self.problems.len(),
                pool,
                pools.map(|tier| self.plan.symbols.text(tier.path)),
            ) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare the pool, or remove the volume".to_owned(),
            };
            for put in puts {
                let message = format!("no pool is named `{pool}`");
                let span = put.part.to_run_span(put.record.path.span);
                self.problems.push(Diagnostic::error(Code::B0509, span, message).help(help.clone()));
            }
        }
    }
}
