//! `take` moves below operators that keep rows one for one, and into the inputs of unions.

use crate::plan::{ExprKind, Operator, Plan};
use crate::value::Value;

use super::tree::{change_expressions, change_subqueries, has_window, inputs_mut, take};

pub(super) fn apply(plan: &mut Plan) {
    push(plan);
    change_expressions(&mut plan.operator, &mut |expression| change_subqueries(expression, &mut apply));
    for input in inputs_mut(&mut plan.operator) {
        apply(input);
    }
}

fn push(plan: &mut Plan) {
    let Operator::Take { input, limit } = plan.operator.as_mut() else { return };
    match input.operator.as_mut() {
        Operator::Project { expressions, .. } if !expressions.iter().any(has_window) => {
            // take over project ─▶ project over take
            let mut projection = take(input);
            if let Operator::Project { input: inner, .. } = projection.operator.as_mut() {
                let below = take(inner);
                let schema = below.schema.clone();
                *inner = Plan::new(Operator::Take { input: below, limit: limit.clone() }, schema);
            }
            *plan = projection;
        }
        Operator::Take { limit: inner, .. } => {
            if let (ExprKind::Constant(Value::Long(outer)), ExprKind::Constant(Value::Long(inner_limit))) =
                (&limit.kind, &inner.kind)
            {
                let least = *outer.min(inner_limit);
                *inner = crate::plan::Expr::constant(Value::Long(least));
                let merged = take(input);
                *plan = merged;
                push(plan);
            }
        }
        Operator::Union { inputs, .. } => {
            for part in inputs {
                if matches!(part.operator.as_ref(), Operator::Take { .. }) {
                    continue;
                }
                let below = take(part);
                let schema = below.schema.clone();
                *part = Plan::new(Operator::Take { input: below, limit: limit.clone() }, schema);
            }
        }
        _ => {}
    }
}
