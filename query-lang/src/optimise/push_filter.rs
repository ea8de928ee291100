//! Filters move towards the data: merged with one another, through operators that do not change what they
//! test, into both sides of unions, into the sides of joins that allow it, at last into the scan.

use std::collections::BTreeSet;

use crate::plan::{Expr, ExprKind, JoinKind, Operator, Plan};

use super::tree::{
    change_expressions, change_subqueries, columns_of, conjunction, conjuncts, depends_on_place, has_window,
    inputs_mut, renumber, substitute, take,
};

pub(super) fn apply(plan: &mut Plan) {
    push(plan, Vec::new());
}

/// Puts one more condition at or below the plan.
pub(super) fn restrict(plan: &mut Plan, condition: Expr) {
    push(plan, vec![condition]);
}

/// Puts the conditions at or below the plan.
fn push(plan: &mut Plan, conditions: Vec<Expr>) {
    change_expressions(&mut plan.operator, &mut |expression| {
        change_subqueries(expression, &mut |subquery| push(subquery, Vec::new()));
    });
    let mut conditions = conditions;
    match plan.operator.as_mut() {
        Operator::Filter { input, predicate } if !depends_on_place(predicate) => {
            let mut input = take(input);
            let predicate = std::mem::replace(predicate, Expr::column(0, crate::types::Type::Bool));
            // The lower filter stands first: it may guard the upper one.
            let mut all = Vec::new();
            conjuncts(predicate, &mut all);
            all.append(&mut conditions);
            push(&mut input, all);
            *plan = input;
        }
        Operator::Project { input, expressions } => {
            if expressions.iter().any(has_window) {
                push(input, Vec::new());
                return keep(plan, conditions);
            }
            let (below, above) = divide(conditions, |columns| {
                columns
                    .iter()
                    .all(|column| expressions.get(*column).is_some_and(|found| !depends_on_place(found)))
            });
            let below = below
                .into_iter()
                .map(|mut condition| {
                    substitute(&mut condition, &|column| expressions.get(column).cloned());
                    condition
                })
                .collect();
            push(input, below);
            keep(plan, above);
        }
        Operator::Sort { input, .. } | Operator::Serialize { input } => push(input, conditions),
        Operator::Union { inputs, .. } => {
            for input in inputs {
                push(input, conditions.clone());
            }
        }
        Operator::Summarize { input, keys, .. } if !keys.is_empty() => {
            let (below, above) = divide(conditions, |columns| {
                columns.iter().all(|column| keys.get(*column).is_some_and(|key| !depends_on_place(key)))
            });
            let below = below
                .into_iter()
                .map(|mut condition| {
                    substitute(&mut condition, &|column| keys.get(column).cloned());
                    condition
                })
                .collect();
            push(input, below);
            keep(plan, above);
        }
        Operator::Join { kind, left, right, left_keys, right_keys } => {
            let width = left.schema.len();
            let (kind, left_width) = (*kind, width);
            let unique_keys: BTreeSet<usize> = left_keys
                .iter()
                .filter_map(|key| match key.kind {
                    ExprKind::Column(position) => Some(position),
                    _ => None,
                })
                .collect();
            let (to_left, rest) = divide(conditions, |columns| match kind {
                JoinKind::Inner | JoinKind::LeftOuter => columns.iter().all(|column| *column < left_width),
                JoinKind::LeftSemi | JoinKind::LeftAnti => true,
                // Of the rows of a key one is taken: only conditions on keys leave that choice as it was.
                JoinKind::InnerUnique => columns.iter().all(|column| unique_keys.contains(column)),
                _ => false,
            });
            let (to_right, above) = divide(rest, |columns| match kind {
                JoinKind::Inner | JoinKind::InnerUnique | JoinKind::RightOuter => {
                    columns.iter().all(|column| *column >= left_width)
                }
                JoinKind::RightSemi | JoinKind::RightAnti => true,
                _ => false,
            });
            let shift = if matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti) { 0 } else { width };
            let mut to_right: Vec<Expr> = to_right
                .into_iter()
                .map(|mut condition| {
                    renumber(&mut condition, &|column| column - shift);
                    condition
                })
                .collect();
            if matches!(
                kind,
                JoinKind::Inner
                    | JoinKind::InnerUnique
                    | JoinKind::LeftOuter
                    | JoinKind::LeftSemi
                    | JoinKind::LeftAnti
            ) {
                to_right.extend(
                    to_left.iter().filter_map(|condition| of_other_side(condition, left_keys, right_keys)),
                );
            }
            push(left, to_left);
            push(right, to_right);
            keep(plan, above);
        }
        Operator::MvExpand { input, expansions, .. } => {
            let width = input.schema.len();
            let replaced: BTreeSet<usize> =
                expansions.iter().filter_map(|expansion| expansion.replaces).collect();
            let (below, above) = divide(conditions, |columns| {
                columns.iter().all(|column| *column < width && !replaced.contains(column))
            });
            push(input, below);
            keep(plan, above);
        }
        Operator::MvApply { input, kept, subquery, .. } => {
            let (below, above) =
                divide(conditions, |columns| columns.iter().all(|column| *column < kept.len()));
            let below = below
                .into_iter()
                .map(|mut condition| {
                    renumber(&mut condition, &|column| kept.get(column).copied().unwrap_or(column));
                    condition
                })
                .collect();
            push(input, below);
            push(subquery, Vec::new());
            keep(plan, above);
        }
        Operator::Parse { input, .. } | Operator::ParseKv { input, .. } => {
            let width = input.schema.len();
            let (below, above) = divide(conditions, |columns| columns.iter().all(|column| *column < width));
            push(input, below);
            keep(plan, above);
        }
        Operator::Scan { predicate, .. } => {
            let (into_scan, above) = divide(conditions, |_| true);
            let mut all = Vec::new();
            if let Some(predicate) = predicate.take() {
                conjuncts(predicate, &mut all);
            }
            for condition in into_scan {
                if !all.contains(&condition) {
                    all.push(condition);
                }
            }
            *predicate = conjunction(all);
            keep(plan, above);
        }
        _ => {
            for input in inputs_mut(&mut plan.operator) {
                push(input, Vec::new());
            }
            keep(plan, conditions);
        }
    }
}

/// A condition on key columns of the left side, for the keys of the right side that must equal them: rows that
/// fail it find no partner anyway.
fn of_other_side(condition: &Expr, left_keys: &[Expr], right_keys: &[Expr]) -> Option<Expr> {
    let mut columns = BTreeSet::new();
    columns_of(condition, &mut columns);
    let partner = |column: usize| {
        left_keys.iter().zip(right_keys).find_map(|(left, right)| {
            let same = left.kind == ExprKind::Column(column) && matches!(right.kind, ExprKind::Column(_));
            same.then(|| right.clone())
        })
    };
    if columns.is_empty() || !columns.iter().all(|column| partner(*column).is_some()) {
        return None;
    }
    let mut moved = condition.clone();
    substitute(&mut moved, &partner);
    Some(moved)
}

/// Splits off the conditions whose columns pass the test; what depends on its place stays where it is.
fn divide(conditions: Vec<Expr>, test: impl Fn(&BTreeSet<usize>) -> bool) -> (Vec<Expr>, Vec<Expr>) {
    conditions.into_iter().partition(|condition| {
        let mut columns = BTreeSet::new();
        columns_of(condition, &mut columns);
        !depends_on_place(condition) && test(&columns)
    })
}

/// Leaves conditions as a filter above the plan.
fn keep(plan: &mut Plan, conditions: Vec<Expr>) {
    if let Some(predicate) = conjunction(conditions) {
        let input = take(plan);
        let schema = input.schema.clone();
        *plan = Plan::new(Operator::Filter { input, predicate }, schema);
    }
}
