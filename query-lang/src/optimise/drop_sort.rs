//! Sorting whose order nobody sees: below aggregates that do not depend on it, or below the same sort again.

use crate::function::{AggregateFunction, FunctionId};
use crate::plan::{Aggregate, Operator, Plan};

use super::tree::{bottom_up, has_window, take};

pub(super) fn apply(plan: &mut Plan) {
    bottom_up(plan, &mut |plan| match plan.operator.as_mut() {
        Operator::Summarize { input, aggregates, .. } if aggregates.iter().all(ignores_order) => {
            unsort(input)
        }
        Operator::Sort { input, keys } => {
            if matches!(input.operator.as_ref(), Operator::Sort { keys: inner, .. } if inner == keys) {
                unsort(input);
            }
        }
        _ => {}
    });
}

/// Takes sorts away that only rows-for-rows operators separate from here.
fn unsort(plan: &mut Plan) {
    match plan.operator.as_mut() {
        Operator::Sort { input, .. } | Operator::Serialize { input } => {
            let mut input = take(input);
            unsort(&mut input);
            *plan = input;
        }
        Operator::Project { input, expressions } if !expressions.iter().any(has_window) => unsort(input),
        Operator::Filter { input, predicate } if !has_window(predicate) => unsort(input),
        _ => {}
    }
}

/// Whether the answer is the same whatever the order of the rows. Sums of reals are not among them to the last
/// digit, which no order promises anyway.
fn ignores_order(aggregate: &Aggregate) -> bool {
    use AggregateFunction as A;
    matches!(
        aggregate.function,
        FunctionId::Aggregate(
            A::Count
                | A::Sum
                | A::Avg
                | A::Min
                | A::Max
                | A::Dcount
                | A::CountDistinct
                | A::Stdev
                | A::Stdevp
                | A::Variance
                | A::Variancep
                | A::BinaryAllAnd
                | A::BinaryAllOr
                | A::BinaryAllXor
        )
    )
}
