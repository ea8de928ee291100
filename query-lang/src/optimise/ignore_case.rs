//! `tolower(column) == 'text'` is `column =~ 'text'`, which an index can answer and which copies nothing.

use crate::function::{FunctionId, OperatorFunction};
use crate::plan::{Expr, ExprKind, Plan};
use crate::value::Value;

use super::tree::{bottom_up, change_expressions};

pub(super) fn apply(plan: &mut Plan) {
    bottom_up(plan, &mut |plan| change_expressions(&mut plan.operator, &mut rewrite));
}

fn rewrite(expression: &mut Expr) {
    let ExprKind::Call { function, arguments } = &mut expression.kind else { return };
    arguments.iter_mut().for_each(rewrite);
    let replacement = match function {
        FunctionId::Operator(OperatorFunction::Equal) => OperatorFunction::EqualIgnoreCase,
        FunctionId::Operator(OperatorFunction::NotEqual) => OperatorFunction::NotEqualIgnoreCase,
        _ => return,
    };
    if matches!(arguments[0].kind, ExprKind::Constant(_)) {
        arguments.swap(0, 1);
    }
    let [value, text] = arguments.as_mut_slice() else { return };
    let ExprKind::Constant(Value::String(text)) = &text.kind else { return };
    let ExprKind::Call { function: FunctionId::String(string), arguments: inner } = &mut value.kind else {
        return;
    };
    // Only texts without letters of other scripts: their cases are not all in pairs.
    let fits = match string.spec().name {
        "tolower" => text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()),
        "toupper" => text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_lowercase()),
        _ => false,
    };
    if fits && inner.len() == 1 {
        let column = inner.swap_remove(0);
        *value = column;
        *function = FunctionId::Operator(replacement);
    }
}
