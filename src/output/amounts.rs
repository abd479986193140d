//! Amounts of stocks as outputs show them.

use super::wire::Amount;
use crate::{
    inventory::{
        ledger::{self, Ledger},
        world::{Quota, Stock, StockId, Taken, World},
    },
    ir::{self, Plan},
    quantity::{Dimension, render},
    ranges::Ranges,
};

/// What is free of a stock.
pub fn free(plan: &Plan, world: &World, ledger: &Ledger, id: StockId) -> Amount {
    let stock = world.stock(id);
    match ledger.free_set(world, id) {
        Some(set) => set_of(plan, stock, &set),
        None => match ledger.free(world, id) {
            Some(free) => Amount::Scalar(render(stock.dimension, free)),
            None => Amount::Scalar("unlimited".to_owned()),
        },
    }
}

/// What can be used of a stock in all.
pub fn total(plan: &Plan, stock: &Stock) -> Amount {
    match (ledger::all(stock), ledger::total(stock)) {
        (Some(set), _) => set_of(plan, stock, &set),
        (None, Some(total)) => Amount::Scalar(render(stock.dimension, total)),
        (None, None) => Amount::Scalar("unlimited".to_owned()),
    }
}

/// What is taken of a stock.
pub fn taken(plan: &Plan, stock: &Stock, taken: &Taken) -> Amount {
    match taken {
        Taken::Scalar(amount) => Amount::Scalar(render(stock.dimension, i128::from(*amount))),
        Taken::Set(set) => set_of(plan, stock, set),
    }
}

/// Ranges as they are; of items, whose sets hold their numbers, the names.
fn set_of(plan: &Plan, stock: &Stock, set: &Ranges) -> Amount {
    match &stock.usable {
        Quota::Items(items) => {
            let numbers = set.parts().iter().flat_map(|(low, high)| *low..=*high);
            let item = |number: i64| items.get(usize::try_from(number).ok()?);
            Amount::Items(numbers.filter_map(item).map(|item| plan.symbols.text(*item).to_owned()).collect())
        }
        _ => Amount::Ranges(set.parts().to_vec()),
    }
}

/// What a need asks for.
pub fn asked(plan: &Plan, amount: &ir::Amount) -> Amount {
    match amount {
        ir::Amount::Scalar(dimension, low, high) => {
            let end = |amount: i64| render(*dimension, i128::from(amount));
            if low == high {
                Amount::Scalar(end(*low))
            } else {
                Amount::Scalar(format!("{}..{}", end(*low), end(*high)))
            }
        }
        ir::Amount::Ranges(ranges) => Amount::Ranges(ranges.parts().to_vec()),
        ir::Amount::Items(items) => {
            Amount::Items(items.iter().map(|item| plan.symbols.text(*item).to_owned()).collect())
        }
    }
}

/// What an existing volume gives whole.
pub fn whole(dimension: Dimension, amount: i64) -> Amount {
    Amount::Scalar(render(dimension, i128::from(amount)))
}
