//! Functions over rows in order (`prev`, `row_number` …) outside of `extend` and `project`: they become columns
//! below the operator, since only projections compute them.

use crate::optimise::tree::{change_expressions, has_window, inputs_mut, take};
use crate::plan::{Expr, Operator, Plan};
use crate::types::{Column, Schema};

/// The operator over columns that hold its window functions. Operators that yield their input's columns are
/// followed by a projection that leaves those out again.
pub(super) fn lifted(mut operator: Operator, schema: Schema) -> Plan {
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
