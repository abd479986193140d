//! Names and texts that look like others: another script's `а` beside `a`, or a whole word of them. A reader takes one for
//! the other, and a rule about one does not hold for the other (Unicode Technical Standard 39, mixed scripts and
//! confusables; Cedar warns of the same).

use std::collections::BTreeMap;

use indexmap::IndexSet;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton};

use super::Strictness;
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    inventory::{
        Part,
        records::{KeyRecord, Raw, ResourceRecord, TierRecord},
    },
    parse::ast::Literal,
    resolve::{
        hir::{Expr, ExprKind, Hir, Key},
        walk,
    },
    source::Span,
    value::quote,
};

/// Where a text stands first.
type First<'a> = BTreeMap<&'a str, Span>;

/// Warns of each text of a set and its inventories that looks like another one, or mixes scripts. Names without quotes
/// are ASCII: a set of those alone costs a look at each.
pub fn lookalikes(hir: &Hir, parts: &[Part<'_>], strictness: Strictness) -> Vec<Diagnostic> {
    let mut foreign = First::new();
    each_text(hir, parts, &mut |text, span| {
        if !text.is_ascii() {
            foreign.entry(text).or_insert(span);
        }
    });
    if foreign.is_empty() {
        return Vec::new();
    }
    // Of each look, the first text that has it; ASCII before others.
    let mut looks: BTreeMap<String, (&str, Span)> = BTreeMap::new();
    for (text, span) in &foreign {
        looks.entry(skeleton(text).collect()).or_insert((text, *span));
    }
    each_text(hir, parts, &mut |text, span| {
        if text.is_ascii()
            && let Some(first) = looks.get_mut(&skeleton(text).collect::<String>())
            && !first.0.is_ascii()
        {
            *first = (text, span);
        }
    });
    let told = foreign.iter().filter_map(|(text, span)| {
        let other = looks.get(&skeleton(text).collect::<String>()).filter(|other| other.0 != *text);
        let mut problem = match other {
            Some((other, first)) => looks_like(text, *span, other, *first),
            None if mixes_scripts(text) => mixed(text, *span),
            None => return None,
        };
        if strictness.lookalikes {
            problem.severity = Severity::Error;
        }
        Some(problem)
    });
    told.collect()
}

fn looks_like(text: &str, span: Span, other: &str, first: Span) -> Diagnostic {
    let message = format!("{} looks like {}, and is another name{}", shown(text), shown(other), odd(text));
    Diagnostic::warning(Code::B0220, span, message)
        .also(first, "the other one")
        .help("write one name in one way, or two that nobody takes for each other")
}

fn mixed(text: &str, span: Span) -> Diagnostic {
    let message = format!("{} mixes letters of scripts that look alike{}", shown(text), odd(text));
    Diagnostic::warning(Code::B0220, span, message).help("write each name in the letters of one script")
}

fn shown(text: &str) -> String {
    format!("`{}`", quote(text))
}

/// Which characters of a text are no ASCII: the first ones.
fn odd(text: &str) -> String {
    const SHOWN: usize = 3;
    let odd: IndexSet<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    let named: Vec<String> =
        odd.iter().take(SHOWN).map(|c| format!("`{c}` is U+{:04X}", u32::from(*c))).collect();
    if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
}

/// Whether letters are of scripts that nobody writes together: those which look alike, such as Latin and Cyrillic.
/// Japanese with Latin, or Arabic with Latin, is what people write.
fn mixes_scripts(text: &str) -> bool {
    let is_letter = |c: &char| c.is_alphanumeric() && GeneralSecurityProfile::identifier_allowed(*c);
    let letters: String = text.chars().filter(is_letter).collect();
    letters.as_str().detect_restriction_level() > RestrictionLevel::ModeratelyRestrictive
}

/// Calls `visit` with every name and text of a set and its inventories.
fn each_text<'a>(hir: &'a Hir, parts: &[Part<'a>], visit: &mut dyn FnMut(&'a str, Span)) {
    declared(hir, visit);
    let own = Part { records: &hir.records, first_source: 0 };
    for part in std::iter::once(&own).chain(parts) {
        let mut visit = |text: &'a str, span: Span| visit(text, part.lift(span));
        let records = part.records;
        keys(&records.broker.keys, &mut visit);
        for agent in &records.agents {
            visit(&agent.name.text, agent.name.span);
            agent.domain.iter().for_each(|domain| visit(&domain.text, domain.span));
            keys(&agent.keys, &mut visit);
            resources(&agent.resources, &mut visit);
        }
        records.providers.iter().for_each(|tier| tiers(tier, &mut visit));
        for put in &records.volumes {
            tiers(&put.tier, &mut visit);
        }
        for reservation in &records.reservations {
            visit(&reservation.role.text, reservation.role.span);
        }
        for allocation in &records.allocations {
            let named = [&allocation.framework, &allocation.role, &allocation.need];
            named.into_iter().flatten().for_each(|name| visit(&name.text, name.span));
        }
    }
}

/// What the set itself says: classes, rules, roles, frameworks and needs, those of inventories too.
fn declared<'a>(hir: &'a Hir, visit: &mut dyn FnMut(&'a str, Span)) {
    for definition in hir.definitions.iter().filter(|definition| !definition.standard) {
        visit(bare(&definition.name), definition.span);
        definition.body.iter().for_each(|expr| texts(expr, visit));
    }
    super::set::rules(hir).into_iter().for_each(|expr| texts(expr, visit));
    for field in hir.schema.iter().filter(|field| !field.standard) {
        visit(bare(&field.key), field.span);
    }
    for role in &hir.roles {
        visit(&role.name.text, role.name.span);
        keys(&role.keys, visit);
    }
    for framework in &hir.frameworks {
        visit(&framework.name.text, framework.name.span);
        keys(&framework.keys, visit);
        for need in &framework.needs {
            visit(&need.name.text, need.name.span);
            keys(&need.keys, visit);
            need.volumes.iter().for_each(|volume| visit(&volume.name.text, volume.name.span));
        }
    }
}

fn tiers<'a>(tier: &'a TierRecord, visit: &mut dyn FnMut(&'a str, Span)) {
    // A provider, an instance, a pool and a volume: no deeper.
    let mut open = vec![tier];
    while let Some(tier) = open.pop() {
        visit(&tier.name.text, tier.name.span);
        tier.domain.iter().for_each(|domain| visit(&domain.text, domain.span));
        keys(&tier.keys, visit);
        resources(&tier.resources, visit);
        open.extend(&tier.children);
    }
}

/// A key or name without the quotes that the language shows it in.
fn bare(shown: &str) -> &str {
    shown.trim_matches('"')
}

fn keys<'a>(records: &'a [KeyRecord], visit: &mut dyn FnMut(&'a str, Span)) {
    for record in records {
        visit(bare(&record.key), record.span);
        match &record.value {
            Raw::Text(text) => visit(text, record.span),
            Raw::Texts(texts) => texts.iter().for_each(|text| visit(text, record.span)),
            _ => {}
        }
    }
}

fn resources<'a>(records: &'a [ResourceRecord], visit: &mut dyn FnMut(&'a str, Span)) {
    records.iter().for_each(|record| visit(bare(&record.name), record.span));
}

fn texts<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a str, Span)) {
    walk(expr, &mut |expr| match &expr.kind {
        ExprKind::Literal(Literal::Text(text)) => visit(text, expr.span),
        ExprKind::Literal(Literal::Texts(texts)) => {
            texts.iter().for_each(|text| visit(&text.text, text.span));
        }
        ExprKind::Read(read) | ExprKind::IsAbsent(read) | ExprKind::IsPresent(read) => {
            if let Key::Attribute(key) = &read.key {
                visit(bare(key), expr.span);
            }
        }
        _ => {}
    });
}
