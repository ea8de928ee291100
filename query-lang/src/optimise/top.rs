//! `sort | take` keeps only the rows it shows.

use crate::plan::{Operator, Plan};

use super::tree::{bottom_up, take};

pub(super) fn apply(plan: &mut Plan) {
    bottom_up(plan, &mut |plan| {
        let Operator::Take { input, limit } = plan.operator.as_mut() else { return };
        if !matches!(input.operator.as_ref(), Operator::Sort { .. }) {
            return;
        }
        let (sorted, limit) = (take(input), limit.clone());
        if let Operator::Sort { input, keys } = *sorted.operator {
            *plan.operator = Operator::Top { input, keys, limit };
        }
    });
}
