//! Bound expressions rewritten: columns replaced, constants computed, columns listed.

use std::sync::Arc;

use conshelf_kql::plan::{Expr, ExprKind};

use crate::engine::context::QueryContext;
use crate::engine::evaluate;

/// The expression with every part that reads no column computed.
pub fn fold_constants(expression: &Expr, query: &Arc<QueryContext>) -> Expr {
    let ExprKind::Call { function, arguments } = &expression.kind else { return expression.clone() };
    let mut used = Vec::new();
    columns_of(expression, &mut used);
    if used.is_empty()
        && let Some(value) = evaluate::fold(expression, query)
    {
        return Expr { kind: ExprKind::Constant(value), ty: expression.ty };
    }
    let arguments = arguments.iter().map(|argument| fold_constants(argument, query)).collect();
    Expr { kind: ExprKind::Call { function: *function, arguments }, ty: expression.ty }
}

/// Positions of all columns that an expression reads.
pub fn columns_of(expression: &Expr, used: &mut Vec<usize>) {
    match &expression.kind {
        ExprKind::Column(position) => {
            if !used.contains(position) {
                used.push(*position);
            }
        }
        ExprKind::Constant(_)
        | ExprKind::CorrelatedSubquery { .. }
        | ExprKind::Parameter(_)
        | ExprKind::ScalarSubquery(_) => {}
        ExprKind::Call { arguments, .. } => {
            arguments.iter().for_each(|argument| columns_of(argument, used));
        }
        ExprKind::InSubquery { value, .. } => columns_of(value, used),
    }
}

/// The expression with columns replaced; `None` where that could change its meaning or run things twice.
pub fn substitute(expression: &Expr, columns: &[Expr]) -> Option<Expr> {
    let kind = match &expression.kind {
        ExprKind::Column(position) => return columns.get(*position).cloned(),
        ExprKind::Constant(_) => return Some(expression.clone()),
        ExprKind::Call { function, arguments } => {
            if function.spec().volatile {
                return None;
            }
            let arguments =
                arguments.iter().map(|argument| substitute(argument, columns)).collect::<Option<_>>()?;
            ExprKind::Call { function: *function, arguments }
        }
        ExprKind::Parameter(_)
        | ExprKind::CorrelatedSubquery { .. }
        | ExprKind::ScalarSubquery(_)
        | ExprKind::InSubquery { .. } => return None,
    };
    Some(Expr { kind, ty: expression.ty })
}
