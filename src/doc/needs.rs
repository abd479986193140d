//! The section about frameworks and their needs.

use super::{
    DocumentedSet,
    markdown::{Page, code, text},
};
use crate::resolve::hir::{AskAmount, Framework, Need, Place, Request, Volume};

pub(super) fn section(set: &DocumentedSet<'_>, page: &mut Page) {
    page.section("Frameworks");
    for framework in &set.fleet.loaded().hir.frameworks {
        // A top-level need is a framework of the same name.
        let alone = matches!(framework.needs.as_slice(), [need] if need.name.text == framework.name.text);
        if !alone {
            page.heading(3, &framework.name.text, &words(set, framework));
            page.docs(&framework.docs);
        }
        for need in &framework.needs {
            let words = if alone { words(set, framework) } else { String::new() };
            page.heading(if alone { 3 } else { 4 }, &need.name.text, &words);
            page.docs(&need.docs);
            page.list(&items(set, need));
        }
    }
}

fn words(set: &DocumentedSet<'_>, framework: &Framework) -> String {
    format!("Role {}, {}.", code(&framework.role), set.place(framework.name.span))
}

fn items(set: &DocumentedSet<'_>, need: &Need) -> Vec<String> {
    let mut items =
        vec![if need.count == 1 { "1 instance".to_owned() } else { format!("{} instances", need.count) }];
    items.extend(need.keys.iter().map(|key| format!("key {}", code(&key.key))));
    if let Some(request) = &need.agent {
        items.push(format!("agent: {}", asked(set, request)));
    }
    items.extend(need.volumes.iter().map(|volume| one_volume(set, volume)));
    if need.all_or_nothing {
        items.push(code("all or nothing"));
    }
    if need.accept_revocable {
        items.push(code("accept revocable"));
    }
    items.extend(need.places.iter().map(|place| one_place(set, place)));
    items
}

fn one_volume(set: &DocumentedSet<'_>, volume: &Volume) -> String {
    let mut parts = vec![asked(set, &volume.request)];
    if volume.count > 1 {
        parts.push(format!("{} alike", volume.count));
    }
    parts.extend(volume.filesystem.iter().map(|name| format!("file system {}", code(&name.text))));
    parts.extend(volume.source.iter().map(|path| format!("a snapshot of {}", code(&path.text))));
    if volume.read_only {
        parts.push("read only".to_owned());
    }
    parts.extend(volume.places.iter().map(|place| one_place(set, place)));
    parts.retain(|part| !part.is_empty());
    format!("volume {}: {}", code(&volume.name.text), parts.join(", "))
}

fn one_place(set: &DocumentedSet<'_>, place: &Place) -> String {
    code(&set.line(place.span))
}

fn asked(set: &DocumentedSet<'_>, request: &Request) -> String {
    let definitions = &set.fleet.loaded().hir.definitions;
    let mut parts: Vec<String> = request
        .amounts
        .iter()
        .map(|ask| format!("{} {}", code(&ask.resource), amount(&ask.amount)))
        .collect();
    for ask in &request.classes {
        let name = definitions.get(ask.class.0).map_or("", |definition| definition.name.as_str());
        parts.push(format!("{} {}", if ask.negated { "not" } else { "is" }, code(name)));
    }
    parts.extend(request.conditions.iter().map(|rule| code(&set.line(rule.expr.span))));
    parts.join(", ")
}

fn amount(amount: &AskAmount) -> String {
    let render = |dimension, amount: i64| crate::quantity::render(dimension, i128::from(amount));
    text(&match amount {
        AskAmount::Scalar(dimension, low, high) if low == high => render(*dimension, *low),
        AskAmount::Scalar(dimension, low, high) => {
            format!("{}..{}", render(*dimension, *low), render(*dimension, *high))
        }
        AskAmount::Ranges(ranges) => ranges.to_string(),
        AskAmount::Items(items) => crate::output::wire::WrittenAmount::Items(items.clone()).to_string(),
    })
}
