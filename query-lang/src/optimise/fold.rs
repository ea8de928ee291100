//! Constant folding: what has no columns is computed once, conditions that are always true or false vanish.

use crate::bind::is_foldable;
use crate::catalog::Catalog;
use crate::function::{FunctionId, OperatorFunction};
use crate::plan::{Expr, ExprKind, Operator, Plan};
use crate::value::Value;

use super::tree::{bottom_up, change_expressions, take};

pub(super) fn apply(plan: &mut Plan, catalog: &dyn Catalog) {
    bottom_up(plan, &mut |plan| {
        change_expressions(&mut plan.operator, &mut |expression| fold(expression, catalog));
        drop_constant_filter(plan);
    });
}

fn fold(expression: &mut Expr, catalog: &dyn Catalog) {
    match &mut expression.kind {
        ExprKind::Column(_)
        | ExprKind::CorrelatedSubquery { .. }
        | ExprKind::Constant(_)
        | ExprKind::Parameter(_)
        | ExprKind::ScalarSubquery(_) => return,
        ExprKind::InSubquery { value, .. } => return fold(value, catalog),
        ExprKind::Call { .. } => {}
    }
    // The largest constant part is computed at once.
    if is_foldable(expression) {
        if let Some(value) = catalog.fold(expression)
            && value.ty() == expression.ty
        {
            *expression = Expr::constant(value);
        }
        return;
    }
    if let ExprKind::Call { arguments, .. } = &mut expression.kind {
        arguments.iter_mut().for_each(|argument| fold(argument, catalog));
    }
    simplify(expression);
}

/// `true and x`, `false or x` and the like.
fn simplify(expression: &mut Expr) {
    let ExprKind::Call { function: FunctionId::Operator(operator), arguments } = &mut expression.kind else {
        return;
    };
    let (neutral, deciding) = match operator {
        OperatorFunction::And => (true, false),
        OperatorFunction::Or => (false, true),
        _ => return,
    };
    let is = |argument: &Expr, flag: bool| argument.kind == ExprKind::Constant(Value::Bool(flag));
    if arguments.iter().any(|argument| is(argument, deciding)) {
        *expression = Expr::constant(Value::Bool(deciding));
    } else if arguments.iter().any(|argument| is(argument, neutral)) && arguments.len() == 2 {
        let kept = if is(&arguments[0], neutral) { arguments.pop() } else { Some(arguments.swap_remove(0)) };
        if let Some(kept) = kept {
            *expression = kept;
        }
    }
}

/// A filter that lets all rows through goes; one that lets none through is no rows.
fn drop_constant_filter(plan: &mut Plan) {
    let Operator::Filter { input, predicate } = plan.operator.as_mut() else { return };
    match &predicate.kind {
        ExprKind::Constant(Value::Bool(true)) => *plan = take(input),
        ExprKind::Constant(Value::Bool(false) | Value::Null(_)) => {
            *plan.operator = Operator::Values { rows: Vec::new() };
        }
        _ => {}
    }
}
