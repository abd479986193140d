//! The words for conditions, and their positions in the source.

use super::relaxations::DroppedCondition;
use crate::{
    Fleet,
    ir::{Amount, Node, Plan, Show},
    matching::{Constraint, Matcher, Moment, NeedId},
    quantity::{Dimension, render},
    source::Span,
    symbol::Symbol,
    value::show_name,
};

/// A condition to drop, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The label of its reasons.
    pub label: String,
    /// The kind.
    pub kind: &'static str,
    /// The volume that it applies to.
    pub volume: Option<String>,
    /// The demand.
    pub want: String,
    /// The amount to ask for instead.
    pub instead: Option<String>,
    /// The whole phrase, as the end of `would be offered …`.
    pub words: String,
}

/// Returns `FILE:LINE` of a span.
pub(super) fn line(fleet: &Fleet, span: Span) -> String {
    let sources = &fleet.warnings().sources;
    format!("{}:{}", sources.get(span.source).name, sources.line_column(span).line)
}

/// Returns the span of a condition, if it stands in a source.
pub(super) fn span_of(fleet: &Fleet, id: NeedId, condition: &Constraint) -> Option<Span> {
    let plan = fleet.plan();
    let framework = &plan.frameworks[id.framework];
    let need = &framework.needs[id.need];
    let places = || need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places));
    match condition {
        Constraint::Rule(_, node) | Constraint::Class(_, _, node) | Constraint::Asked(_, _, node) => {
            plan.spans.get(node.0 as usize).copied()
        }
        Constraint::Charge(root) => {
            plan.broker.charges.iter().find(|charge| charge.root == *root).map(|charge| charge.span)
        }
        Constraint::Amount(volume, resource) => {
            let ask = request(need, *volume).and_then(|request| {
                request.amounts.iter().find(|ask| ask.resource == *resource).map(|ask| ask.span)
            });
            let charge = plan.broker.charges.iter().find(|charge| charge.resource == *resource);
            ask.or_else(|| charge.filter(|_| volume.is_none()).map(|charge| charge.span))
        }
        Constraint::Limit(role, resource) => {
            let name = plan.symbols.text(*role);
            let role = plan.roles.iter().find(|role| role.name == name)?;
            role.limits.iter().find(|limit| limit.resource == *resource).map(|limit| limit.span)
        }
        Constraint::Place(number) => places().find(|place| place.number == *number).map(|place| place.span),
        Constraint::Principal => None,
        Constraint::Filesystem(_) | Constraint::Access(_) | Constraint::Source(_) => Some(need.span),
        Constraint::Users(_) | Constraint::Reserved(_) => None,
    }
}

/// Returns the `///` lines of the rule or class that a condition is part of.
pub(super) fn docs_of(plan: &Plan, condition: &Constraint) -> Vec<String> {
    match condition {
        Constraint::Rule(root, _) => every_rule(plan).find(|rule| rule.root == *root).map(|rule| &rule.docs),
        Constraint::Class(_, class, _) => Some(&plan.definition(*class).docs),
        _ => None,
    }
    .cloned()
    .unwrap_or_default()
}

fn every_rule(plan: &Plan) -> impl Iterator<Item = &crate::ir::Rule> {
    plan.rules().map(|one| one.rule)
}

fn request(need: &crate::ir::Need, volume: Option<Symbol>) -> Option<&crate::ir::Request> {
    match volume {
        None => need.agent.as_ref(),
        Some(name) => need.volumes.iter().find(|volume| volume.name == name).map(|volume| &volume.request),
    }
}

/// Returns the amount that a need asks of a volume or of the agent.
pub(super) fn asked(plan: &Plan, id: NeedId, volume: Option<Symbol>, resource: Symbol) -> Option<&Amount> {
    request(&plan.frameworks[id.framework].needs[id.need], volume)?.amount(resource)
}

/// Returns an amount as it was written, if it is a rate in bytes, which is shown in bits.
pub(super) fn written(fleet: &Fleet, id: NeedId, condition: &Constraint) -> Option<String> {
    let plan = fleet.plan();
    let sources = &fleet.warnings().sources;
    let text = match condition {
        Constraint::Amount(_, _) => {
            let text = sources.text(span_of(fleet, id, condition)?);
            text.rsplit(['=', ':']).next()?
        }
        _ => match plan.node(condition.node()?) {
            Node::Test(_, _, right) => match plan.node(*right) {
                Node::Constant(_) => sources.text(plan.spans[right.0 as usize]),
                _ => return None,
            },
            _ => return None,
        },
    };
    let text = text.trim().trim_matches(['"', ',', '}']).trim();
    let quantity = crate::quantity::Quantity::parse(text).ok()?;
    (quantity.dimension == Dimension::Bandwidth && text.ends_with("B/s")).then(|| text.to_owned())
}

/// Returns an amount in words.
pub(super) fn amount(plan: &Plan, amount: &Amount) -> String {
    match amount {
        Amount::Scalar(dimension, low, _) => render(*dimension, i128::from(*low)),
        Amount::Ranges(ranges) => ranges.to_string(),
        Amount::Items(items) => {
            let names = items.iter().map(|item| show_name(plan.symbols.text(*item)));
            format!("[{}]", names.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Describes a condition to drop.
pub(super) fn dropped(fleet: &Fleet, id: NeedId, drop: &DroppedCondition) -> Dropped {
    let plan = fleet.plan();
    let text = |symbol: Symbol| plan.symbols.text(symbol).to_owned();
    let show = Show::new(plan);
    let (label, kind, want) = named(fleet, id, &drop.condition);
    let volume = volume_of(&drop.condition).map(text);
    let of_volume = volume.as_ref().map_or(String::new(), |volume| format!(" of {}", show_name(volume)));
    let some = drop.instead.as_ref().filter(|level| !matches!(level, Amount::Scalar(_, 0, _)));
    let instead = some.map(|level| amount(plan, level));
    let words = match &drop.condition {
        Constraint::Rule(_, node) => {
            let place = span_of(fleet, id, &drop.condition).map(|span| line(fleet, span));
            let place = place.unwrap_or_default();
            format!("without `{}` ({label}, {place})", show.node(*node))
        }
        Constraint::Class(_, class, node) => {
            let name = &plan.definition(*class).name;
            if want.starts_with("not ") {
                format!("without `{want}`{of_volume}")
            } else {
                format!("without `{}` of class {name}{of_volume}", show.node(*node))
            }
        }
        Constraint::Asked(_, _, node) => format!("without `{}`{of_volume}", show.node(*node)),
        Constraint::Amount(in_volume, resource) => {
            let name = show_name(&text(*resource));
            if asked(plan, id, *in_volume, *resource).is_none() {
                format!("without the charge on {name}")
            } else {
                match &instead {
                    Some(level) => format!("with {name}{of_volume} at most {level}"),
                    None => format!("without {name}{of_volume}"),
                }
            }
        }
        Constraint::Limit(role, resource) => {
            let (role, resource) = (show_name(&text(*role)), show_name(&text(*resource)));
            format!("without the limit of role {role} on {resource}")
        }
        Constraint::Charge(_) => {
            format!("without the charge `{want}`")
        }
        Constraint::Place(_) => format!("without `{want}`"),
        Constraint::Filesystem(_) => format!("without a file system{of_volume}"),
        Constraint::Access(_) => format!("with reading only{of_volume}"),
        Constraint::Users(_) => "with one more user of an existing volume".to_owned(),
        Constraint::Reserved(_) => "with volumes that are kept for other roles".to_owned(),
        Constraint::Source(_) => format!("without a source{of_volume}"),
        Constraint::Principal => "with a principal that the role serves".to_owned(),
    };
    Dropped { label, kind, volume, want, instead, words }
}

/// Returns the volume that a condition applies to.
pub(super) fn volume_of(condition: &Constraint) -> Option<Symbol> {
    match condition {
        Constraint::Class(volume, ..) | Constraint::Asked(volume, ..) | Constraint::Amount(volume, _) => {
            *volume
        }
        Constraint::Filesystem(name)
        | Constraint::Access(name)
        | Constraint::Users(name)
        | Constraint::Reserved(name)
        | Constraint::Source(name) => *name,
        Constraint::Rule(..)
        | Constraint::Limit(..)
        | Constraint::Charge(_)
        | Constraint::Place(_)
        | Constraint::Principal => None,
    }
}

/// Returns the label, the kind and the demand of a condition, for no candidate in particular.
pub(super) fn named(fleet: &Fleet, id: NeedId, condition: &Constraint) -> (String, &'static str, String) {
    let plan = fleet.plan();
    let show = Show::new(plan);
    let text = |symbol: Symbol| plan.symbols.text(symbol).to_owned();
    let need = &plan.frameworks[id.framework].needs[id.need];
    match condition {
        Constraint::Rule(root, node) => {
            let label = every_rule(plan).find(|rule| rule.root == *root).map(|rule| rule.label.clone());
            (label.unwrap_or_default(), "rule", show.node(*node))
        }
        Constraint::Class(volume, class, node) => {
            let name = plan.definition(*class).name.clone();
            let negated = request(need, *volume)
                .is_some_and(|request| request.classes.iter().any(|ask| ask.class == *class && ask.negated));
            let want = if negated { format!("not is {name}") } else { show.node(*node) };
            (name, "class", want)
        }
        Constraint::Asked(volume, root, node) => {
            let rules =
                request(need, *volume).map(|request| request.conditions.as_slice()).unwrap_or_default();
            let label = rules.iter().find(|rule| rule.root == *root).map(|rule| rule.label.clone());
            (label.unwrap_or_default(), "condition", show.node(*node))
        }
        Constraint::Amount(volume, resource) => {
            let want = asked(plan, id, *volume, *resource).map(|asked| amount(plan, asked));
            (text(*resource), "amount", want.unwrap_or_else(|| "what is charged".to_owned()))
        }
        Constraint::Limit(role, resource) => {
            ("limit".to_owned(), "limit", format!("{} of {}", text(*resource), text(*role)))
        }
        Constraint::Charge(root) => {
            let charge = plan.broker.charges.iter().find(|charge| charge.root == *root);
            let label = charge.map(|charge| text(charge.resource)).unwrap_or_default();
            (label, "charge", show.node(*root))
        }
        Constraint::Place(number) => {
            let places = need.places.iter().chain(need.volumes.iter().flat_map(|volume| &volume.places));
            let place = places.into_iter().find(|place| place.number == *number);
            let start = fleet.ledger();
            let moment = Moment {
                plan,
                world: fleet.world(),
                ledger: start,
                placed: fleet.placed(),
                filters: fleet.filters(),
                recorder: None,
            };
            let want = place.map(|place| Matcher::new(moment, id).place_words(&place.kind).1);
            let label = place.map_or("place", |place| place.kind.label());
            (label.to_owned(), "place", want.unwrap_or_default())
        }
        Constraint::Filesystem(_) => ("filesystem".to_owned(), "filesystem", "its file system".to_owned()),
        Constraint::Access(_) => ("access".to_owned(), "access", "\"rw\"".to_owned()),
        Constraint::Users(_) => ("users".to_owned(), "users", "one more".to_owned()),
        Constraint::Reserved(_) => ("reserved".to_owned(), "reserved", "open to the role".to_owned()),
        Constraint::Source(_) => ("source".to_owned(), "source", "the source's pool".to_owned()),
        Constraint::Principal => {
            ("principal".to_owned(), "principal", "a principal that is served".to_owned())
        }
    }
}
