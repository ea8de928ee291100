//! Parts of expressions that an operator cannot compute become columns below it: functions over rows in order
//! (`prev`, `row_number` …) outside of `extend` and `project`, and subqueries that depend on the row.

use crate::optimise::tree::{change_expressions, has_window, inputs_mut, take};
use crate::plan::{Expr, ExprKind, Operator, Plan};
use crate::types::{Column, Schema, Type};

/// The operator over columns that hold its window functions. Operators that yield their input's columns are
/// followed by a projection that leaves those out again.
pub(super) fn lifted(mut operator: Operator, schema: Schema) -> Plan {
    let below = inputs_mut(&mut operator).first().map(|input| input.schema.clone());
    if let Some(below) = below
        && apply_subqueries(&mut operator)
    {
        // What passes its input's columns leaves the new ones out.
        if matches!(operator, Operator::Filter { .. } | Operator::Sort { .. } | Operator::Top { .. }) {
            let wide = inputs_mut(&mut operator).first().map(|input| input.schema.clone()).unwrap_or(below);
            let inner = lifted(operator, wide);
            let expressions =
                schema.iter().enumerate().map(|(at, column)| Expr::column(at, column.ty)).collect();
            return Plan::new(Operator::Project { input: inner, expressions }, schema);
        }
        return lifted(operator, schema);
    }
    let passes_columns =
        matches!(operator, Operator::Filter { .. } | Operator::Sort { .. } | Operator::Top { .. });
    if !passes_columns && !matches!(operator, Operator::Summarize { .. }) {
        return Plan::new(operator, schema);
    }
    let Some(width) = inputs_mut(&mut operator).first().map(|input| input.schema.len()) else {
        return Plan::new(operator, schema);
    };
    let mut windows: Vec<Expr> = Vec::new();
    change_expressions(&mut operator, &mut |expression| {
        if has_window(expression) {
            let column = Expr::column(width + windows.len(), expression.ty);
            windows.push(std::mem::replace(expression, column));
        }
    });
    if windows.is_empty() {
        return Plan::new(operator, schema);
    }
    let mut wide: Schema = Vec::new();
    if let Some(input) = inputs_mut(&mut operator).into_iter().next() {
        let below = take(input);
        wide.clone_from(&below.schema);
        let mut expressions: Vec<Expr> =
            below.schema.iter().enumerate().map(|(at, column)| Expr::column(at, column.ty)).collect();
        for (number, window) in windows.into_iter().enumerate() {
            wide.push(Column::new(format!("$window{number}"), window.ty));
            expressions.push(window);
        }
        *input = Plan::new(Operator::Project { input: below, expressions }, wide.clone());
    }
    if !passes_columns {
        return Plan::new(operator, schema);
    }
    let expressions = schema.iter().enumerate().map(|(at, column)| Expr::column(at, column.ty)).collect();
    Plan::new(Operator::Project { input: Plan::new(operator, wide), expressions }, schema)
}

/// A subquery, the values it takes from the row, and the type of what it yields.
type Subquery = (Plan, Vec<(u32, Expr)>, Type);

/// Puts subqueries that depend on the row into operators below this one; `false`: there are none.
fn apply_subqueries(operator: &mut Operator) -> bool {
    let takes = matches!(
        operator,
        Operator::Filter { .. }
            | Operator::Sort { .. }
            | Operator::Top { .. }
            | Operator::Project { .. }
            | Operator::Summarize { .. }
    );
    let Some(width) = inputs_mut(operator).first().map(|input| input.schema.len()).filter(|_| takes) else {
        return false;
    };
    let mut found: Vec<Subquery> = Vec::new();
    change_expressions(operator, &mut |expression| collect(expression, width, &mut found));
    if found.is_empty() {
        return false;
    }
    if let Some(input) = inputs_mut(operator).into_iter().next() {
        for (number, (subquery, parameters, ty)) in found.into_iter().enumerate() {
            let below = take(input);
            let mut schema = below.schema.clone();
            schema.push(Column::new(format!("$subquery{number}"), ty));
            *input = Plan::new(Operator::ScalarApply { input: below, parameters, subquery }, schema);
        }
    }
    true
}

fn collect(expression: &mut Expr, width: usize, found: &mut Vec<Subquery>) {
    match &mut expression.kind {
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| collect(argument, width, found));
        }
        ExprKind::InSubquery { value, .. } => collect(value, width, found),
        ExprKind::CorrelatedSubquery { .. } => {
            let column = Expr::column(width + found.len(), expression.ty);
            let subquery = std::mem::replace(expression, column);
            if let ExprKind::CorrelatedSubquery { plan, parameters } = subquery.kind {
                found.push((*plan, parameters, subquery.ty));
            }
        }
        _ => {}
    }
}
