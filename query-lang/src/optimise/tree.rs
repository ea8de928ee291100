//! Walking plans and expressions, and small tools that the rules share.

use std::collections::BTreeSet;

use crate::function::{FunctionId, FunctionKind, OperatorFunction};
use crate::plan::{Expr, ExprKind, Operator, Plan};
use crate::types::Type;

/// Calls `visit` for every expression of the operator itself, not for parts of expressions.
pub(crate) fn visit_expressions<'a>(operator: &'a Operator, visit: &mut dyn FnMut(&'a Expr)) {
    match operator {
        Operator::External(_)
        | Operator::Values { .. }
        | Operator::Union { .. }
        | Operator::Argument
        | Operator::Plugin { .. }
        | Operator::Serialize { .. }
        | Operator::Shared { .. } => {}
        Operator::Scan { predicate, .. } => predicate.iter().for_each(visit),
        Operator::Range { from, to, step } => [from, to, step].into_iter().for_each(visit),
        Operator::Filter { predicate, .. } => visit(predicate),
        Operator::Project { expressions, .. } => expressions.iter().for_each(visit),
        Operator::Summarize { keys, aggregates, .. } => {
            keys.iter().for_each(&mut *visit);
            for aggregate in aggregates {
                aggregate.arguments.iter().chain(&aggregate.condition).for_each(&mut *visit);
            }
        }
        Operator::Sort { keys, .. } => keys.iter().for_each(|key| visit(&key.expression)),
        Operator::Top { keys, limit, .. } => {
            keys.iter().for_each(|key| visit(&key.expression));
            visit(limit);
        }
        Operator::Take { limit, .. } => visit(limit),
        Operator::Join { left_keys, right_keys, .. } => left_keys.iter().chain(right_keys).for_each(visit),
        Operator::MvExpand { expansions, .. } | Operator::MvApply { expansions, .. } => {
            expansions.iter().for_each(|expansion| visit(&expansion.source));
        }
        Operator::Parse { source, .. }
        | Operator::ParseKv { source, .. }
        | Operator::Reduce { source, .. } => visit(source),
        Operator::MakeSeries { aggregates, series, axis, from, to, step, keys, .. } => {
            for aggregate in aggregates {
                aggregate.arguments.iter().chain(&aggregate.condition).for_each(&mut *visit);
            }
            for series in series {
                visit(&series.value);
                visit(&series.default);
            }
            [axis, step].into_iter().chain(from).chain(to).chain(keys).for_each(visit);
        }
        Operator::ScanSteps { partition, steps, .. } => {
            partition.iter().for_each(&mut *visit);
            for step in steps {
                visit(&step.condition);
                step.assignments.iter().for_each(|(_, value)| visit(value));
            }
        }
        Operator::ScalarApply { parameters, .. } => parameters.iter().for_each(|(_, value)| visit(value)),
        Operator::Sample { count, .. } => visit(count),
        Operator::SampleDistinct { count, of, .. } => [count, of].into_iter().for_each(visit),
        Operator::Partition { key, .. } => visit(key),
        // How a graph is built holds nothing but columns and conversions of them.
        Operator::GraphSearch(search) => search.expressions().for_each(visit),
        Operator::GraphTable { .. } | Operator::GraphPartition { .. } => {}
    }
}

/// As `visit_expressions`, to change them.
pub(crate) fn change_expressions(operator: &mut Operator, change: &mut dyn FnMut(&mut Expr)) {
    match operator {
        Operator::External(_)
        | Operator::Values { .. }
        | Operator::Union { .. }
        | Operator::Argument
        | Operator::Plugin { .. }
        | Operator::Serialize { .. }
        | Operator::Shared { .. } => {}
        Operator::Scan { predicate, .. } => predicate.iter_mut().for_each(change),
        Operator::Range { from, to, step } => [from, to, step].into_iter().for_each(change),
        Operator::Filter { predicate, .. } => change(predicate),
        Operator::Project { expressions, .. } => expressions.iter_mut().for_each(change),
        Operator::Summarize { keys, aggregates, .. } => {
            keys.iter_mut().for_each(&mut *change);
            for aggregate in aggregates {
                aggregate.arguments.iter_mut().chain(&mut aggregate.condition).for_each(&mut *change);
            }
        }
        Operator::Sort { keys, .. } => keys.iter_mut().for_each(|key| change(&mut key.expression)),
        Operator::Top { keys, limit, .. } => {
            keys.iter_mut().for_each(|key| change(&mut key.expression));
            change(limit);
        }
        Operator::Take { limit, .. } => change(limit),
        Operator::Join { left_keys, right_keys, .. } => {
            left_keys.iter_mut().chain(right_keys).for_each(change);
        }
        Operator::MvExpand { expansions, .. } | Operator::MvApply { expansions, .. } => {
            expansions.iter_mut().for_each(|expansion| change(&mut expansion.source));
        }
        Operator::Parse { source, .. }
        | Operator::ParseKv { source, .. }
        | Operator::Reduce { source, .. } => change(source),
        Operator::MakeSeries { aggregates, series, axis, from, to, step, keys, .. } => {
            for aggregate in aggregates {
                aggregate.arguments.iter_mut().chain(&mut aggregate.condition).for_each(&mut *change);
            }
            for series in series {
                change(&mut series.value);
                change(&mut series.default);
            }
            [axis, step].into_iter().chain(from).chain(to).chain(keys).for_each(change);
        }
        Operator::ScanSteps { partition, steps, .. } => {
            partition.iter_mut().for_each(&mut *change);
            for step in steps {
                change(&mut step.condition);
                step.assignments.iter_mut().for_each(|(_, value)| change(value));
            }
        }
        Operator::ScalarApply { parameters, .. } => {
            parameters.iter_mut().for_each(|(_, value)| change(value));
        }
        Operator::Sample { count, .. } => change(count),
        Operator::SampleDistinct { count, of, .. } => [count, of].into_iter().for_each(change),
        Operator::Partition { key, .. } => change(key),
        Operator::GraphSearch(search) => search.expressions_mut().for_each(change),
        Operator::GraphTable { .. } | Operator::GraphPartition { .. } => {}
    }
}

/// The plans an operator works on, subqueries of `mv-apply` and `partition` among them.
pub(crate) fn inputs_mut(operator: &mut Operator) -> Vec<&mut Plan> {
    match operator {
        Operator::Scan { .. }
        | Operator::External(_)
        | Operator::Values { .. }
        | Operator::Range { .. }
        | Operator::Argument => Vec::new(),
        Operator::Filter { input, .. }
        | Operator::Project { input, .. }
        | Operator::Summarize { input, .. }
        | Operator::Sort { input, .. }
        | Operator::Top { input, .. }
        | Operator::Take { input, .. }
        | Operator::MvExpand { input, .. }
        | Operator::Parse { input, .. }
        | Operator::ParseKv { input, .. }
        | Operator::MakeSeries { input, .. }
        | Operator::Serialize { input }
        | Operator::Shared { input, .. }
        | Operator::Reduce { input, .. }
        | Operator::ScanSteps { input, .. }
        | Operator::Sample { input, .. }
        | Operator::SampleDistinct { input, .. } => vec![input],
        Operator::MvApply { input, subquery, .. }
        | Operator::ScalarApply { input, subquery, .. }
        | Operator::Partition { input, subquery, .. } => {
            vec![input, subquery]
        }
        Operator::Join { left, right, .. } => vec![left, right],
        Operator::GraphSearch(search) => search.graph.inputs_mut(),
        Operator::GraphTable { graph, .. } => graph.inputs_mut(),
        Operator::GraphPartition { build, subquery, .. } => {
            let mut plans = build.inputs_mut();
            plans.push(subquery);
            plans
        }
        Operator::Union { inputs, .. } | Operator::Plugin { inputs, .. } => inputs.iter_mut().collect(),
    }
}

/// Applies a change to every operator, inputs first, also within the subqueries of expressions.
pub(crate) fn bottom_up(plan: &mut Plan, change: &mut dyn FnMut(&mut Plan)) {
    for input in inputs_mut(&mut plan.operator) {
        bottom_up(input, change);
    }
    change_expressions(&mut plan.operator, &mut |expression| {
        change_subqueries(expression, &mut |subquery| bottom_up(subquery, change));
    });
    change(plan);
}

/// Calls `change` for the plans within an expression.
pub(crate) fn change_subqueries(expression: &mut Expr, change: &mut dyn FnMut(&mut Plan)) {
    match &mut expression.kind {
        ExprKind::Column(_) | ExprKind::Constant(_) | ExprKind::Parameter(_) => {}
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| change_subqueries(argument, change));
        }
        ExprKind::ScalarSubquery(plan) => change(plan),
        ExprKind::CorrelatedSubquery { plan, parameters } => {
            parameters.iter_mut().for_each(|(_, value)| change_subqueries(value, change));
            change(plan);
        }
        ExprKind::InSubquery { value, plan, .. } => {
            change_subqueries(value, change);
            change(plan);
        }
    }
}

/// Takes an operator out of its plan, to put another in its place.
pub(crate) fn take(plan: &mut Plan) -> Plan {
    std::mem::replace(plan, Plan::new(Operator::Argument, Vec::new()))
}

/// The columns an expression reads.
pub(crate) fn columns_of(expression: &Expr, columns: &mut BTreeSet<usize>) {
    match &expression.kind {
        ExprKind::Column(position) => {
            columns.insert(*position);
        }
        ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_) => {}
        ExprKind::Call { arguments, .. } => {
            arguments.iter().for_each(|argument| columns_of(argument, columns));
        }
        ExprKind::CorrelatedSubquery { parameters, .. } => {
            parameters.iter().for_each(|(_, value)| columns_of(value, columns));
        }
        ExprKind::InSubquery { value, .. } => columns_of(value, columns),
    }
}

/// Puts what `place` says in the place of columns.
pub(crate) fn substitute(expression: &mut Expr, place: &dyn Fn(usize) -> Option<Expr>) {
    match &mut expression.kind {
        ExprKind::Column(position) => {
            if let Some(replacement) = place(*position) {
                *expression = replacement;
            }
        }
        ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_) => {}
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| substitute(argument, place));
        }
        ExprKind::CorrelatedSubquery { parameters, .. } => {
            parameters.iter_mut().for_each(|(_, value)| substitute(value, place));
        }
        ExprKind::InSubquery { value, .. } => substitute(value, place),
    }
}

/// Moves columns to where `position` says.
pub(crate) fn renumber(expression: &mut Expr, position: &dyn Fn(usize) -> usize) {
    match &mut expression.kind {
        ExprKind::Column(column) => *column = position(*column),
        ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_) => {}
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| renumber(argument, position));
        }
        ExprKind::CorrelatedSubquery { parameters, .. } => {
            parameters.iter_mut().for_each(|(_, value)| renumber(value, position));
        }
        ExprKind::InSubquery { value, .. } => renumber(value, position),
    }
}

/// Whether an expression gives another value at each call, or depends on the rows around it.
pub(crate) fn depends_on_place(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Column(_)
        | ExprKind::Constant(_)
        | ExprKind::Parameter(_)
        | ExprKind::ScalarSubquery(_) => false,
        ExprKind::Call { function, arguments } => {
            let spec = function.spec();
            spec.volatile || spec.kind == FunctionKind::Window || arguments.iter().any(depends_on_place)
        }
        ExprKind::CorrelatedSubquery { parameters, .. } => {
            parameters.iter().any(|(_, value)| depends_on_place(value))
        }
        ExprKind::InSubquery { value, .. } => depends_on_place(value),
    }
}

/// Whether an expression holds a function over rows in order.
pub(crate) fn has_window(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Call { function, arguments } => {
            function.spec().kind == FunctionKind::Window || arguments.iter().any(has_window)
        }
        ExprKind::InSubquery { value, .. } => has_window(value),
        _ => false,
    }
}

/// The conditions that `and` joins, from left to right.
pub(crate) fn conjuncts(predicate: Expr, found: &mut Vec<Expr>) {
    match predicate {
        Expr {
            kind: ExprKind::Call { function: FunctionId::Operator(OperatorFunction::And), arguments },
            ..
        } => {
            for argument in arguments {
                conjuncts(argument, found);
            }
        }
        other => found.push(other),
    }
}

/// Conditions joined by `and`; `None` if there are none. The tree stays shallow.
pub(crate) fn conjunction(mut conditions: Vec<Expr>) -> Option<Expr> {
    match conditions.len() {
        0 => None,
        1 => conditions.pop(),
        count => {
            let right = conjunction(conditions.split_off(count / 2))?;
            let left = conjunction(conditions)?;
            let function = FunctionId::Operator(OperatorFunction::And);
            Some(Expr::call(function, vec![left, right], Type::Bool))
        }
    }
}
