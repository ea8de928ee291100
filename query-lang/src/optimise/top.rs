//! `sort | take` keeps only the rows it shows, and does so before anything is computed for rows it drops.

use crate::plan::{ExprKind, Operator, Plan};

use super::tree::{
    bottom_up, change_expressions, change_subqueries, has_window, inputs_mut, substitute, take,
};

pub(super) fn apply(plan: &mut Plan) {
    bottom_up(plan, &mut fuse);
    sink(plan);
}

fn fuse(plan: &mut Plan) {
    let Operator::Take { input, limit } = plan.operator.as_mut() else { return };
    if !matches!(input.operator.as_ref(), Operator::Sort { .. }) {
        return;
    }
    let (sorted, limit) = (take(input), limit.clone());
    if let Operator::Sort { input, keys } = *sorted.operator {
        *plan.operator = Operator::Top { input, keys, limit };
    }
}

/// Moves tops below projections whose columns they sort by as these stand.
fn sink(plan: &mut Plan) {
    sink_one(plan);
    change_expressions(&mut plan.operator, &mut |expression| change_subqueries(expression, &mut sink));
    for input in inputs_mut(&mut plan.operator) {
        sink(input);
    }
}

fn sink_one(plan: &mut Plan) {
    let Operator::Top { input, keys, limit } = plan.operator.as_mut() else { return };
    let Operator::Project { expressions, .. } = input.operator.as_ref() else { return };
    if expressions.iter().any(has_window) {
        return;
    }
    let mut moved = keys.clone();
    for key in &mut moved {
        substitute(&mut key.expression, &|column| expressions.get(column).cloned());
        // Computed keys would be computed twice.
        if !matches!(key.expression.kind, ExprKind::Column(_)) {
            return;
        }
    }
    let limit = limit.clone();
    let mut projection = take(input);
    if let Operator::Project { input: inner, .. } = projection.operator.as_mut() {
        let below = take(inner);
        let schema = below.schema.clone();
        *inner = Plan::new(Operator::Top { input: below, keys: moved, limit }, schema);
    }
    *plan = projection;
}
