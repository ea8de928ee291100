//! The time scope of a request (`query_datetimescope_*`): only rows whose column lies within it are read from
//! any table that has the column. Not a rewrite that keeps answers: it is asked for.

use crate::function::{FunctionId, OperatorFunction};
use crate::optimise::tree::{bottom_up, conjunction, take};
use crate::plan::{Expr, Operator, Plan, QueryPlan};
use crate::types::Type;
use crate::value::Value;

/// Bounds of a column in ticks, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeScope {
    pub column: String,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// Filters every scan of a table that has the column. To be applied to a plan as it was bound.
pub fn restrict(plan: &mut QueryPlan, scope: &TimeScope) {
    for result in &mut plan.results {
        bottom_up(&mut result.plan, &mut |plan| restrict_scan(plan, scope));
    }
}

fn restrict_scan(plan: &mut Plan, scope: &TimeScope) {
    if !matches!(*plan.operator, Operator::Scan { .. }) {
        return;
    }
    let named = |column: &crate::types::Column| column.name == scope.column && column.ty == Type::DateTime;
    let Some(position) = plan.schema.iter().position(named) else { return };
    let bound = |function: OperatorFunction, ticks: i64| {
        let arguments = vec![Expr::column(position, Type::DateTime), Expr::constant(Value::DateTime(ticks))];
        Expr::call(FunctionId::Operator(function), arguments, Type::Bool)
    };
    let from = scope.from.map(|ticks| bound(OperatorFunction::GreaterOrEqual, ticks));
    let to = scope.to.map(|ticks| bound(OperatorFunction::LessOrEqual, ticks));
    let Some(predicate) = conjunction(from.into_iter().chain(to).collect()) else { return };
    let schema = plan.schema.clone();
    let input = take(plan);
    *plan = Plan::new(Operator::Filter { input, predicate }, schema);
}
