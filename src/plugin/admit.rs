//! Checks the description that a plugin gives of itself, and compares it with what the plugin was granted.
//! Called by `host` while a plugin is installed.

use super::{
    about::{About, AboutColumn, AboutRule, KeyName, Purpose, RuleCondition, RuleScope},
    fault::{Broken, Fault},
    host::InstalledPlugin,
    wire::filter as wire,
};
use crate::{
    quantity::{Dimension, MILLION},
    types::{Side, Type},
    value::Version,
};

/// The largest absolute weight of a preference, in millionths. It is the bound of the language.
const HEAVIEST: u64 = 1_000_000 * MILLION.unsigned_abs();
/// The longest text of a description, in bytes.
const LONGEST: usize = 4_096;

/// Checks a description, and converts it.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn check(plugin: &InstalledPlugin, descriptor: &wire::Descriptor) -> Result<About, Fault> {
    let checked = DescriptorCheck { descriptor, explains: plugin.explain.is_some() };
    checked.about(plugin).map_err(|problem| Fault::new(&plugin.name, Broken::Description, problem))
}

struct DescriptorCheck<'a> {
    descriptor: &'a wire::Descriptor,
    explains: bool,
}

impl DescriptorCheck<'_> {
    fn about(&self, plugin: &InstalledPlugin) -> Result<About, String> {
        let (descriptor, limits) = (self.descriptor, plugin.host.limits());
        at_most("columns", descriptor.columns.len(), limits.columns)?;
        at_most("rules", descriptor.rules.len(), limits.rules)?;
        at_most("conditions", descriptor.conditions.len(), limits.rules.saturating_mul(16))?;
        at_most("literals", descriptor.literals.len() + descriptor.version_literals.len(), limits.literals)?;
        let about = About {
            name: text("its name", &descriptor.name)?,
            producer: text("what made it", &descriptor.producer)?,
            columns: descriptor.columns.iter().map(column).collect::<Result<_, _>>()?,
            rules: descriptor
                .rules
                .iter()
                .enumerate()
                .map(|(at, rule)| self.rule(at, rule))
                .collect::<Result<_, _>>()?,
            conditions: descriptor
                .conditions
                .iter()
                .map(|one| self.condition(one))
                .collect::<Result<_, _>>()?,
            expressions: texts("an expression", &descriptor.expressions)?,
            literals: texts("a literal", &descriptor.literals)?,
            version_literals: texts("a version", &descriptor.version_literals)?,
            wants_texts: descriptor.wants.contains(wire::Wants::TEXTS),
            wants_places: descriptor.wants.contains(wire::Wants::PLACES),
            explains: self.explains,
        };
        if let Some(wrong) = about.version_literals.iter().find(|version| Version::parse(version).is_none()) {
            return Err(format!("it compares with the version `{wrong}`, which is none"));
        }
        self.each_column_once(&about)?;
        Ok(about)
    }

    fn each_column_once(&self, about: &About) -> Result<(), String> {
        let mut keys: Vec<(Side, &KeyName)> =
            about.columns.iter().map(|column| (column.side, &column.key)).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("it reads `{}.{}` as two columns", pair[0].0, pair[0].1.show())),
            None => Ok(()),
        }
    }

    fn rule(&self, at: usize, rule: &wire::Rule) -> Result<AboutRule, String> {
        let label = text("a label", &rule.label)?;
        let called = || if label.is_empty() { format!("rule {at}") } else { format!("rule `{label}`") };
        let sides: Vec<Side> =
            SIDES.iter().filter(|(flag, _)| rule.sides.contains(*flag)).map(|(_, side)| *side).collect();
        let purpose = match rule.purpose {
            wire::Purpose::Require => Purpose::Require,
            wire::Purpose::Prefer(weight) if weight.unsigned_abs() <= HEAVIEST => Purpose::Prefer(weight),
            wire::Purpose::Prefer(weight) => {
                return Err(format!("the weight {weight} of {} is out of range", called()));
            }
            wire::Purpose::Class(class) => Purpose::Class(side(class)),
        };
        let scope = match &rule.scope {
            wire::Scope::Everyone => RuleScope::Everyone,
            wire::Scope::Agent(name) => RuleScope::Agent(text("a name", name)?),
            wire::Scope::Tier(path) => RuleScope::Tier(text("a path", path)?),
        };
        for condition in rule.conditions.iter().chain([&rule.whole]) {
            let Some(condition) = self.descriptor.conditions.get(*condition as usize) else {
                return Err(format!("{} has condition {condition}, which is not there", called()));
            };
            // The index and `Composed` group rows by what a rule reads. A rule that hid a side would be
            // judged by the keys of another row.
            for column in &condition.reads {
                let hidden = self.descriptor.columns.get(*column as usize).map(|column| side(column.side));
                if let Some(hidden) = hidden.filter(|hidden| !sides.contains(hidden)) {
                    return Err(format!("{} reads keys of the {hidden}, and does not say so", called()));
                }
            }
        }
        at_most("conditions in one rule", rule.conditions.len(), self.descriptor.conditions.len())?;
        let conditions = rule.conditions.clone();
        Ok(AboutRule { label, labelled: rule.labelled, purpose, scope, sides, whole: rule.whole, conditions })
    }

    fn condition(&self, condition: &wire::Condition) -> Result<RuleCondition, String> {
        if let Some(column) = condition
            .reads
            .iter()
            .chain(&condition.subject)
            .find(|column| **column as usize >= self.descriptor.columns.len())
        {
            return Err(format!("a condition reads column {column}, which is not there"));
        }
        at_most("columns in one condition", condition.reads.len(), self.descriptor.columns.len())?;
        Ok(RuleCondition {
            text: text("a condition", &condition.text)?,
            want: text("what a condition wants", &condition.want)?,
            subject: condition.subject,
            operand: condition.operand,
            reads: condition.reads.clone(),
        })
    }
}

/// Returns which columns the plugin sees, one flag for each.
///
/// # Errors
/// A required column that is not granted.
pub(super) fn granted(plugin: &InstalledPlugin) -> Result<Vec<bool>, Fault> {
    let columns = &plugin.about.columns;
    let seen: Vec<bool> = columns.iter().map(|column| plugin.grants.allows(column)).collect();
    let wanted = |(column, seen): &(&AboutColumn, &bool)| column.required && !**seen;
    match columns.iter().zip(&seen).find(wanted) {
        Some((column, _)) => {
            let descriptor = format!("it needs `{}`, which it was not granted", column.show());
            Err(Fault::new(&plugin.name, Broken::Grant, descriptor))
        }
        None => Ok(seen),
    }
}

/// Checks that its preferences weigh no more than was granted.
///
/// # Errors
/// The sum of their weights, if it is larger.
pub(super) fn weight(plugin: &InstalledPlugin) -> Result<(), Fault> {
    let Some(granted) = plugin.grants.weight() else { return Ok(()) };
    let weights = plugin.about.rules.iter().filter_map(|rule| match rule.purpose {
        Purpose::Prefer(weight) => Some(u128::from(weight.unsigned_abs())),
        _ => None,
    });
    let millionths: u128 = weights.sum();
    let million = u128::from(MILLION.unsigned_abs());
    if millionths <= u128::from(granted) * million {
        return Ok(());
    }
    let weight = millionths.div_ceil(million);
    let descriptor = format!("its preferences weigh {weight} together; at most {granted} is granted");
    Err(Fault::new(&plugin.name, Broken::Weight, descriptor))
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if count <= limit { Ok(()) } else { Err(format!("it has {count} {what}; at most {limit} are allowed")) }
}

fn text(what: &str, text: &str) -> Result<String, String> {
    if text.len() > LONGEST {
        return Err(format!("{what} has {} bytes; at most {LONGEST} are allowed", text.len()));
    }
    Ok(text.to_owned())
}

fn texts(what: &str, list: &[String]) -> Result<Vec<String>, String> {
    list.iter().map(|one| text(what, one)).collect()
}

const SIDES: [(wire::Sides, Side); 7] = [
    (wire::Sides::AGENT, Side::Agent),
    (wire::Sides::POOL, Side::Pool),
    (wire::Sides::VOLUME, Side::Volume),
    (wire::Sides::NEED, Side::Need),
    (wire::Sides::FRAMEWORK, Side::Framework),
    (wire::Sides::ROLE, Side::Role),
    (wire::Sides::BROKER, Side::Broker),
];

fn side(side: wire::Side) -> Side {
    match side {
        wire::Side::Agent => Side::Agent,
        wire::Side::Pool => Side::Pool,
        wire::Side::Volume => Side::Volume,
        wire::Side::Need => Side::Need,
        wire::Side::Framework => Side::Framework,
        wire::Side::Role => Side::Role,
        wire::Side::Broker => Side::Broker,
    }
}

fn column(column: &wire::Column) -> Result<AboutColumn, String> {
    let named = |name: &String| {
        if name.is_empty() { Err("it reads a key without a name".to_owned()) } else { text("a key", name) }
    };
    let key = match &column.key {
        wire::Key::Attribute(key) => KeyName::Attribute(named(key)?),
        wire::Key::Name => KeyName::Name,
        wire::Key::Domain => KeyName::Domain,
        wire::Key::Level(level) => KeyName::Level(named(level)?),
        wire::Key::Total(resource) => KeyName::Total(named(resource)?),
        wire::Key::Free(resource) => KeyName::Free(named(resource)?),
        wire::Key::Used(resource) => KeyName::Used(named(resource)?),
        wire::Key::Provider => KeyName::Provider,
        wire::Key::Instance => KeyName::Instance,
    };
    Ok(AboutColumn { side: side(column.side), key, kind: kind(column.kind), required: column.required })
}

fn kind(kind: wire::Kind) -> Option<Type> {
    Some(match kind {
        wire::Kind::Boolean => Type::Bool,
        wire::Kind::Number => Type::Quantity(Dimension::Number),
        wire::Kind::Size => Type::Quantity(Dimension::Size),
        wire::Kind::Bandwidth => Type::Quantity(Dimension::Bandwidth),
        wire::Kind::Duration => Type::Quantity(Dimension::Duration),
        wire::Kind::Text => Type::Text,
        wire::Kind::Version => Type::Version,
        wire::Kind::Place => Type::Place,
        wire::Kind::Texts => Type::Texts,
        wire::Kind::Numbers => Type::Numbers,
        wire::Kind::Ranges => Type::Ranges,
        wire::Kind::Mixed => return None,
    })
}
