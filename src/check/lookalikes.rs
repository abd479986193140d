//! Names and texts that look like others, such as Cyrillic `а` beside Latin `a`. A reader takes one for the
//! other, but a rule about one does not hold for the other. The tests follow Unicode Technical Standard 39
//! (confusables and mixed scripts).

use std::collections::BTreeMap;

use indexmap::IndexSet;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton};

use super::Strictness;
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    inventory::{
        SourceRecords,
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

/// Texts with the span of their first occurrence.
type First<'a> = BTreeMap<&'a str, Span>;

/// Warns of each text of a set and its inventories that looks like another, or mixes scripts. Unquoted names
/// are ASCII, and a set without other characters takes one pass.
pub fn lookalikes(hir: &Hir, parts: &[SourceRecords<'_>], strictness: Strictness) -> Vec<Diagnostic> {
    // Only texts with characters beyond ASCII are reported. ASCII texts matter as what they may be taken for.
    let mut foreign = First::new();
    each_text(hir, parts, &mut |text, span| {
        if !text.is_ascii() {
            foreign.entry(text).or_insert(span);
        }
    });
    if foreign.is_empty() {
        return Vec::new();
    }
    // The first text of each skeleton, ASCII texts before others. Texts with equal skeletons look alike.
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

/// Returns the first characters of a text that are not ASCII, for a message.
fn odd(text: &str) -> String {
    const SHOWN: usize = 3;
    let odd: IndexSet<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    let named: Vec<String> =
        odd.iter().take(SHOWN).map(|c| format!("`{c}` is U+{:04X}", u32::from(*c))).collect();
    if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
}

/// Returns `true` if the letters mix scripts that look alike, such as Latin and Cyrillic. Common mixtures
/// such as Japanese or Arabic with Latin are allowed.
fn mixes_scripts(text: &str) -> bool {
    let is_letter = |c: &char| c.is_alphanumeric() && GeneralSecurityProfile::identifier_allowed(*c);
    let letters: String = text.chars().filter(is_letter).collect();
    letters.as_str().detect_restriction_level() > RestrictionLevel::ModeratelyRestrictive
}

/// Calls `visit` with every name and text of a set and its inventories.
fn each_text<'a>(hir: &'a Hir, parts: &[SourceRecords<'a>], visit: &mut dyn FnMut(&'a str, Span)) {
    declared(hir, visit);
    let own = SourceRecords { records: &hir.records, first_source: 0 };
    for part in std::iter::once(&own).chain(parts) {
        let mut visit = |text: &'a str, span: Span| visit(text, part.to_run_span(span));
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

/// Calls `visit` with the names and texts of classes, rules, roles, frameworks and needs. Rules and
/// frameworks of inventories are part of the set here.
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
    // Providers, instances, pools and volumes: four levels at most.
    let mut open = vec![tier];
    while let Some(tier) = open.pop() {
        visit(&tier.name.text, tier.name.span);
        tier.domain.iter().for_each(|domain| visit(&domain.text, domain.span));
        keys(&tier.keys, visit);
        resources(&tier.resources, visit);
        open.extend(&tier.children);
    }
}

/// Returns a key or name without the quotes around it.
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
