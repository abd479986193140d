//! Resource records → stocks: amounts typed, options applied.

use super::{
    bind::Part,
    records::{RawAmount, Reserved, ResourceRecord},
    values::scalar_of,
    world::{Quota, Stock},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    quantity::{Dimension, MILLION, Quantity},
    source::Span,
    symbol::{Symbol, Symbols},
    types::Side,
};

/// The highest overcommit, in millionths.
const MOST_OVERCOMMIT: i64 = 1_000 * MILLION;

/// A stock without options.
pub(super) fn plain(resource: Symbol, side: Side, dimension: Dimension, quota: Quota, span: Span) -> Stock {
    Stock {
        resource,
        side,
        dimension,
        declared: quota.clone(),
        usable: quota,
        step: 0,
        min: 0,
        max: None,
        span,
    }
}

/// The stock of a record. `dimension` is what the policy set says of the resource.
pub(super) fn stock(
    part: &Part<'_>,
    side: Side,
    record: &ResourceRecord,
    resource: Symbol,
    dimension: Option<Dimension>,
    symbols: &mut Symbols,
) -> Result<Stock, Diagnostic> {
    let span = part.lift(record.span);
    let (dimension, declared) = match &record.amount {
        RawAmount::Unlimited => (dimension.unwrap_or(Dimension::Number), Quota::Unlimited),
        RawAmount::Ranges(ranges) => (Dimension::Number, Quota::Ranges(ranges.clone())),
        RawAmount::Items(items) => (Dimension::Number, Quota::Items(sorted(items, symbols))),
        scalar => {
            let found = scalar_of(scalar, dimension)
                .ok_or_else(|| wrong_dimension(record, scalar, dimension, span))?;
            (found.0, Quota::Scalar(found.1))
        }
    };
    if matches!(declared, Quota::Scalar(amount) if amount < 0) {
        let message = format!("a negative amount of `{}`", record.name);
        return Err(Diagnostic::error(Code::B0507, span, message).help("an amount is 0 or more"));
    }
    let mut stock = plain(resource, side, dimension, declared, span);
    options(part, record, &mut stock)?;
    Ok(stock)
}

fn sorted(items: &[String], symbols: &mut Symbols) -> Vec<Symbol> {
    let mut names: Vec<&String> = items.iter().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| symbols.intern(name)).collect()
}

fn wrong_dimension(
    record: &ResourceRecord,
    amount: &RawAmount,
    wanted: Option<Dimension>,
    span: Span,
) -> Diagnostic {
    let found = match amount {
        RawAmount::Quantity(quantity) => format!("a {}", quantity.dimension),
        _ => "an amount that is too large".to_owned(),
    };
    let wanted = wanted.map_or("number", Dimension::name);
    let message = format!("`{}` is a {wanted} elsewhere, and here {found}", record.name);
    Diagnostic::error(Code::B0502, span, message).help("give it in the same unit everywhere")
}

fn options(part: &Part<'_>, record: &ResourceRecord, stock: &mut Stock) -> Result<(), Diagnostic> {
    let options = &record.options;
    let any = options.reserved.as_ref().map(|one| one.1);
    let any = any.or(options.step.as_ref().map(|one| one.1)).or(options.min.as_ref().map(|one| one.1));
    let any = any.or(options.max.as_ref().map(|one| one.1)).or(options.overcommit.map(|one| one.1));
    let Some(span) = any.map(|span| part.lift(span)) else { return Ok(()) };
    let wrong =
        |span: Span, message: String, help: &str| Diagnostic::error(Code::B0510, span, message).help(help);
    let Quota::Scalar(total) = stock.declared else {
        let message = format!("`{}` has options, and is no plain amount", record.name);
        return Err(wrong(
            span,
            message,
            "options are for numbers and quantities; leave the ranges or items out instead",
        ));
    };
    let dimension = stock.dimension;
    let amount = |name: &str, raw: &RawAmount, span: Span| match scalar_of(raw, Some(dimension)) {
        Some((_, amount)) if amount >= 0 => Ok(amount),
        _ => {
            let message = format!("`{name}` is not an amount of `{}`", record.name);
            Err(wrong(part.lift(span), message, "write it in the unit of the resource"))
        }
    };
    if let Some((step, span)) = &options.step {
        stock.step = amount("step", step, *span)?;
        if stock.step == 0 {
            return Err(wrong(
                part.lift(*span),
                "`step` is 0".to_owned(),
                "a step is above 0; leave it out for none",
            ));
        }
    }
    if let Some((min, span)) = &options.min {
        stock.min = amount("min", min, *span)?;
    }
    if let Some((max, span)) = &options.max {
        let max = amount("max", max, *span)?;
        if max < stock.min {
            let message = "`max` is below `min`: nothing could be asked for".to_owned();
            return Err(wrong(part.lift(*span), message, "raise `max`, or lower `min`"));
        }
        stock.max = Some(max);
    }
    // Kept exact until the end: (total - reserved) * overcommit, rounded down.
    let one = i128::from(MILLION);
    let mut left = i128::from(total) * one;
    if let Some((reserved, span)) = &options.reserved {
        left -= match reserved {
            Reserved::Amount(raw) => i128::from(amount("reserved", raw, *span)?) * one,
            Reserved::Fraction(fraction) => i128::from(total) * i128::from(*fraction),
        };
        let negative = matches!(reserved, Reserved::Fraction(fraction) if *fraction < 0);
        if left < 0 || negative {
            let message =
                format!("`reserved` is more than the {} there are", Quantity { dimension, amount: total });
            return Err(wrong(part.lift(*span), message, "reserve at most the total"));
        }
    }
    let factor = match options.overcommit {
        Some((factor, span)) if !(1..=MOST_OVERCOMMIT).contains(&factor) => {
            let message = "`overcommit` is above 0 and at most 1000".to_owned();
            return Err(wrong(part.lift(span), message, "write `overcommit = 1.5` for half as much again"));
        }
        Some((factor, _)) => i128::from(factor),
        None => one,
    };
    let usable = i64::try_from((left * factor).div_euclid(one * one)).map_err(|_| {
        wrong(span, format!("`{}` is too large once overcommitted", record.name), "lower `overcommit`")
    })?;
    stock.usable = Quota::Scalar(usable);
    Ok(())
}
