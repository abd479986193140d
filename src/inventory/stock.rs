//! Stocks: one resource record gives one stock, with its amount typed and its options applied.

use super::{
    bind::SourceRecords,
    records::{RawAmount, Reserved, ResourceRecord},
    values::scalar_of,
    world::{PartKind, Stock, StockKind, Total},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    quantity::{Dimension, MILLION, Quantity},
    source::Span,
    symbol::{Symbol, Symbols},
    types::Side,
};

/// The highest `overcommit`, in millionths.
const MOST_OVERCOMMIT: i64 = 1_000 * MILLION;

/// Creates a stock without options: all of the total can be used.
pub(super) fn without_options(
    resource: Symbol,
    side: Side,
    kind: StockKind,
    dimension: Dimension,
    quota: Total,
    span: Span,
) -> Stock {
    Stock {
        resource,
        side,
        kind,
        dimension,
        declared: quota.clone(),
        usable: quota,
        is_adjusted: false,
        span,
    }
}

/// The bounds on requests that one record states, each with its place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RequestBounds {
    /// The step; above 0.
    pub step: Option<(i64, Span)>,
    pub min: Option<(i64, Span)>,
    pub max: Option<(i64, Span)>,
}

/// Creates the stock of a record, and returns the bounds it states on requests. `dimension` is the one that
/// the resource has elsewhere, if that is known.
pub(super) fn stock(
    part: &SourceRecords<'_>,
    side: Side,
    record: &ResourceRecord,
    (resource, kind): (Symbol, PartKind),
    dimension: Option<Dimension>,
    symbols: &mut Symbols,
) -> Result<(Stock, RequestBounds), Diagnostic> {
    let span = part.to_run_span(record.span);
    let (dimension, declared) = match &record.amount {
        RawAmount::Unlimited => (dimension.unwrap_or(Dimension::Number), Total::Unlimited),
        RawAmount::Ranges(ranges) => (Dimension::Number, Total::Ranges(ranges.clone())),
        RawAmount::Items(items) => (Dimension::Number, Total::Items(sorted(items, symbols))),
        scalar => {
            let found = scalar_of(scalar, dimension)
                .ok_or_else(|| wrong_dimension(record, scalar, dimension, span))?;
            (found.0, Total::Scalar(found.1))
        }
    };
    if matches!(declared, Total::Scalar(amount) if amount < 0) {
        let message = format!("a negative amount of `{}`", record.name);
        return Err(Diagnostic::error(Code::B0507, span, message).help("an amount is 0 or more"));
    }
    let mut stock = without_options(resource, side, StockKind::Part(kind), dimension, declared, span);
    let steps = options(part, record, &mut stock)?;
    Ok((stock, steps))
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

/// Creates the error for an option. `span` refers to the sources of the run.
pub(super) fn option_error(span: Span, message: impl Into<String>, help: &str) -> Diagnostic {
    Diagnostic::error(Code::B0510, span, message).help(help)
}

fn options(
    part: &SourceRecords<'_>,
    record: &ResourceRecord,
    stock: &mut Stock,
) -> Result<RequestBounds, Diagnostic> {
    let mut steps = RequestBounds::default();
    let Some(options) = &record.options else { return Ok(steps) };
    // Options calculate with the total, and only plain amounts have one.
    let Total::Scalar(total) = stock.declared else {
        let message = format!("`{}` has options, and is no plain amount", record.name);
        let help = "options are for numbers and quantities; leave the ranges or items out instead";
        return Err(option_error(part.to_run_span(record.span), message, help));
    };
    let dimension = stock.dimension;
    let amount = |name: &str, raw: &RawAmount, span: Span| match scalar_of(raw, Some(dimension)) {
        Some((_, amount)) if amount >= 0 => Ok(amount),
        _ => {
            let message = format!("`{name}` is not an amount of `{}`", record.name);
            Err(option_error(part.to_run_span(span), message, "write it in the unit of the resource"))
        }
    };
    let read = |name: &str, option: &Option<(RawAmount, Span)>| {
        option
            .as_ref()
            .map(|(raw, span)| Ok((amount(name, raw, *span)?, part.to_run_span(*span))))
            .transpose()
    };
    steps.step = read("step", &options.step)?;
    if let Some((0, span)) = steps.step {
        return Err(option_error(span, "`step` is 0", "a step is above 0; leave it out for none"));
    }
    (steps.min, steps.max) = (read("min", &options.min)?, read("max", &options.max)?);
    let reserved = match &options.reserved {
        Some((Reserved::Amount(raw), span)) => {
            // Both forms in millionths of the base unit: a fraction times the total is exact there.
            Some((i128::from(amount("reserved", raw, *span)?) * ONE, *span))
        }
        Some((Reserved::Fraction(part), span)) => Some((i128::from(total) * i128::from(*part), *span)),
        None => None,
    };
    stock.is_adjusted = options.reserved.is_some() || options.overcommit.is_some();
    stock.usable = Total::Scalar(usable(part, record, Quantity { dimension, amount: total }, reserved)?);
    Ok(steps)
}

/// One, in the millionths that fractions of totals are counted in.
const ONE: i128 = MILLION as i128;

/// Returns `(total - reserved) * overcommit`, rounded down once at the end. `reserved` is in millionths of
/// the base unit.
///
/// The product fits in 128 bits: the total has 63 bits, a million 20, and the highest overcommit 30.
fn usable(
    part: &SourceRecords<'_>,
    record: &ResourceRecord,
    total: Quantity,
    reserved: Option<(i128, Span)>,
) -> Result<i64, Diagnostic> {
    let mut left = i128::from(total.amount) * ONE;
    if let Some((reserved, span)) = reserved {
        left -= reserved;
        if left < 0 || reserved < 0 {
            let message = format!("`reserved` is not a part of the {total} there are");
            return Err(option_error(
                part.to_run_span(span),
                message,
                "reserve from nothing up to the total",
            ));
        }
    }
    let overcommit = record.options.as_ref().and_then(|options| options.overcommit);
    let factor = match overcommit {
        Some((factor, span)) if !(1..=MOST_OVERCOMMIT).contains(&factor) => {
            let message = "`overcommit` is above 0 and at most 1000";
            return Err(option_error(
                part.to_run_span(span),
                message,
                "write `overcommit = 1.5` for half as much again",
            ));
        }
        Some((factor, _)) => i128::from(factor),
        None => ONE,
    };
    i64::try_from((left * factor).div_euclid(ONE * ONE)).map_err(|_| {
        let message = format!("`{}` is too large once overcommitted", record.name);
        option_error(part.to_run_span(record.span), message, "lower `overcommit`")
    })
}
