//! Conditions on the bin or the period of a time are ranges of the time itself, by which data are pruned:
//! `bin(t, 1h) >= K` is `t >= K`, rounded up to a bin; `startofmonth(t) == K` needs `K <= t < K + 31d`.
//!
//! Bins are replaced, since the range says the same; of calendar periods the range stands beside the
//! condition, as it may let too much through.

use crate::function::{DateTimeFunction, FunctionId, MathFunction, OperatorFunction};
use crate::plan::{Expr, ExprKind, Operator, Plan};
use crate::time::{MAX_DATETIME_TICKS, TICKS_PER_DAY};
use crate::types::Type;
use crate::value::Value;

use super::tree::{bottom_up, change_expressions, conjunction, conjuncts};

pub(super) fn apply(plan: &mut Plan) {
    bottom_up(plan, &mut |plan| {
        change_expressions(&mut plan.operator, &mut replace);
        match plan.operator.as_mut() {
            Operator::Filter { predicate, .. } | Operator::Scan { predicate: Some(predicate), .. } => {
                imply(predicate);
            }
            _ => {}
        }
    });
}

/// A comparison of a time with a constant, the constant on the right.
struct Comparison<'a> {
    operator: OperatorFunction,
    value: &'a Expr,
    bound: i64,
}

fn comparison(expression: &Expr) -> Option<Comparison<'_>> {
    use OperatorFunction as F;
    let ExprKind::Call { function: FunctionId::Operator(operator), arguments } = &expression.kind else {
        return None;
    };
    let [left, right] = arguments.as_slice() else { return None };
    let mirrored = match operator {
        F::Equal => F::Equal,
        F::Less => F::Greater,
        F::LessOrEqual => F::GreaterOrEqual,
        F::Greater => F::Less,
        F::GreaterOrEqual => F::LessOrEqual,
        _ => return None,
    };
    let (operator, value, bound) = match (&left.kind, &right.kind) {
        (_, ExprKind::Constant(Value::DateTime(bound))) => (*operator, left, *bound),
        (ExprKind::Constant(Value::DateTime(bound)), _) => (mirrored, right, *bound),
        _ => return None,
    };
    Some(Comparison { operator, value, bound })
}

/// The time that a call bins, and the size of its bins in ticks.
fn binned(value: &Expr) -> Option<(&Expr, i64)> {
    let ExprKind::Call { function, arguments } = &value.kind else { return None };
    let (time, size) = match (function, arguments.as_slice()) {
        (FunctionId::Math(MathFunction::Bin), [time, size]) => match size.kind {
            ExprKind::Constant(Value::TimeSpan(size)) => (time, size),
            _ => return None,
        },
        (FunctionId::DateTime(DateTimeFunction::StartOfDay), [time, offset]) if is_zero(offset) => {
            (time, TICKS_PER_DAY)
        }
        _ => return None,
    };
    (time.ty == Type::DateTime && size > 0).then_some((time, size))
}

fn compare(time: &Expr, operator: OperatorFunction, bound: i64) -> Expr {
    let arguments = vec![time.clone(), Expr::constant(Value::DateTime(bound))];
    Expr::call(FunctionId::Operator(operator), arguments, Type::Bool)
}

fn is_zero(offset: &Expr) -> bool {
    matches!(offset.kind, ExprKind::Constant(Value::Int(0) | Value::Long(0)))
}

fn is_time(bound: &Expr) -> bool {
    matches!(bound.kind, ExprKind::Constant(Value::DateTime(_)))
}

/// `between (start .. length)` ends at `start + length`.
fn name_end(arguments: &mut [Expr]) {
    let [value, low, high] = arguments else { return };
    if let (
        Type::DateTime,
        ExprKind::Constant(Value::DateTime(start)),
        ExprKind::Constant(Value::TimeSpan(length)),
    ) = (value.ty, &low.kind, &high.kind)
        && let Some(end) = start.checked_add(*length).filter(|end| (0..=MAX_DATETIME_TICKS).contains(end))
    {
        *high = Expr::constant(Value::DateTime(end));
    }
}

/// Replaces comparisons of bins, wherever they stand.
fn replace(expression: &mut Expr) {
    use OperatorFunction as F;
    if let ExprKind::Call { arguments, function } = &mut expression.kind {
        if matches!(function, FunctionId::Operator(F::Between | F::NotBetween)) {
            name_end(arguments);
        }
        if *function == FunctionId::Operator(F::Between)
            && let [value, low, high] = arguments.as_slice()
            && is_time(low)
            && is_time(high)
            && binned(value).is_some()
        {
            let side = |operator, bound: &Expr| {
                Expr::call(FunctionId::Operator(operator), vec![value.clone(), bound.clone()], Type::Bool)
            };
            let sides = vec![side(F::GreaterOrEqual, low), side(F::LessOrEqual, high)];
            *function = FunctionId::Operator(F::And);
            *arguments = sides;
        }
        arguments.iter_mut().for_each(replace);
    }
    let Some(Comparison { operator, value, bound }) = comparison(expression) else { return };
    let Some((time, size)) = binned(value) else { return };
    let floor = bound - bound.rem_euclid(size);
    let whole = floor == bound;
    let Some(next) = floor.checked_add(size).filter(|next| *next <= MAX_DATETIME_TICKS) else { return };
    let range = match operator {
        F::GreaterOrEqual if whole => compare(time, F::GreaterOrEqual, floor),
        F::GreaterOrEqual | F::Greater => compare(time, F::GreaterOrEqual, next),
        F::Less if whole => compare(time, F::Less, floor),
        F::Less | F::LessOrEqual => compare(time, F::Less, next),
        F::Equal if whole => Expr::call(
            FunctionId::Operator(F::And),
            vec![compare(time, F::GreaterOrEqual, floor), compare(time, F::Less, next)],
            Type::Bool,
        ),
        _ => return,
    };
    *expression = range;
}

/// Adds what conditions on the start of a week, month or year say of the time itself.
fn imply(predicate: &mut Expr) {
    let mut all = Vec::new();
    conjuncts(predicate.clone(), &mut all);
    let implied: Vec<Expr> =
        all.iter().flat_map(implied_of).filter(|condition| !all.contains(condition)).collect();
    if !implied.is_empty()
        && let Some(joined) = conjunction(implied.into_iter().chain(all).collect())
    {
        *predicate = joined;
    }
}

fn implied_of(condition: &Expr) -> Vec<Expr> {
    use OperatorFunction as F;
    if let ExprKind::Call { function: FunctionId::Operator(F::Between), arguments } = &condition.kind
        && let [value, low, high] = arguments.as_slice()
        && is_time(low)
        && is_time(high)
    {
        return [(F::GreaterOrEqual, low), (F::LessOrEqual, high)]
            .into_iter()
            .flat_map(|(operator, bound)| {
                let arguments = vec![value.clone(), bound.clone()];
                implied_of(&Expr::call(FunctionId::Operator(operator), arguments, Type::Bool))
            })
            .collect();
    }
    let Some(Comparison { operator, value, bound }) = comparison(condition) else { return Vec::new() };
    let ExprKind::Call { function: FunctionId::DateTime(period), arguments } = &value.kind else {
        return Vec::new();
    };
    // The longest such period.
    let days = match period {
        DateTimeFunction::StartOfWeek => 7,
        DateTimeFunction::StartOfMonth => 31,
        DateTimeFunction::StartOfYear => 366,
        _ => return Vec::new(),
    };
    let [time, offset] = arguments.as_slice() else { return Vec::new() };
    if !is_zero(offset) {
        return Vec::new();
    }
    let from = || compare(time, F::GreaterOrEqual, bound);
    let to = || {
        bound
            .checked_add(days * TICKS_PER_DAY)
            .filter(|end| *end <= MAX_DATETIME_TICKS)
            .map(|end| compare(time, F::Less, end))
    };
    match operator {
        F::GreaterOrEqual | F::Greater => vec![from()],
        F::Less | F::LessOrEqual => to().into_iter().collect(),
        F::Equal => std::iter::once(from()).chain(to()).collect(),
        _ => Vec::new(),
    }
}
