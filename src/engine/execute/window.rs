//! Functions over rows in order: row_number, prev, next, row_cumsum, ranks, sessions.
//!
//! The whole input is brought together in order; each call becomes a column behind the input's, innermost
//! first, so that what stands around it is an ordinary expression. References: the pages of each function.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, UInt32Array};
use conshelf_kql::function::{FunctionId, WindowFunction};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Decimal, Schema, Type, Value};

use crate::engine::batch::Batch;
use crate::engine::constant;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::collect::collect;
use crate::engine::execute::columns;
use crate::engine::execute::expression::{self, Expressions};
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::literal::array_to_value;
use crate::engine::profile::OperatorProfile;

/// Whether a window function stands somewhere in an expression.
pub fn has_window(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Call { function: FunctionId::Window(_), .. } => true,
        ExprKind::Call { arguments, .. } => arguments.iter().any(has_window),
        ExprKind::InSubquery { value, .. } => has_window(value),
        ExprKind::Column(_)
        | ExprKind::CorrelatedSubquery { .. }
        | ExprKind::Constant(_)
        | ExprKind::Parameter(_)
        | ExprKind::ScalarSubquery(_) => false,
    }
}

/// Computes all window functions of the expressions. Yields the input with their columns behind it, and the
/// expressions over that.
pub fn compute(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    below: &Pipeline,
    expressions: &[Expr],
    schema: &Schema,
) -> Result<(Pipeline, Vec<Expr>)> {
    let input = collect(below, &executor.query, executor.workers)?;
    let started = std::time::Instant::now();
    let rows = columns::concat(&input.batches, schema)?;
    drop(input);
    if rows.rows >= u32::MAX as usize {
        return Err(EngineError::Evaluation(String::from("too many rows to be numbered in order")));
    }
    let mut windows = Windows { executor, rows, known: Vec::new() };
    let expressions =
        expressions.iter().map(|expression| windows.replace(expression)).collect::<Result<_>>()?;
    let rows = Materialised::new(&executor.query, vec![windows.rows])?;
    profile.add_time(started.elapsed());
    Ok((Pipeline::of(Arc::new(rows), Arc::default(), true), expressions))
}

struct Windows<'a> {
    executor: &'a Executor,
    rows: Batch,
    /// Calls computed so far and their columns.
    known: Vec<(Expr, usize)>,
}

impl Windows<'_> {
    fn replace(&mut self, expression: &Expr) -> Result<Expr> {
        let kind = match &expression.kind {
            ExprKind::Call { function, arguments } => {
                let arguments =
                    arguments.iter().map(|argument| self.replace(argument)).collect::<Result<Vec<_>>>()?;
                if let FunctionId::Window(window) = function {
                    let call = Expr::call(*function, arguments, expression.ty);
                    return self.column(*window, call);
                }
                ExprKind::Call { function: *function, arguments }
            }
            ExprKind::InSubquery { value, plan, negated, ignore_case } => ExprKind::InSubquery {
                value: Box::new(self.replace(value)?),
                plan: plan.clone(),
                negated: *negated,
                ignore_case: *ignore_case,
            },
            ExprKind::Column(_)
            | ExprKind::CorrelatedSubquery { .. }
            | ExprKind::Constant(_)
            | ExprKind::Parameter(_)
            | ExprKind::ScalarSubquery(_) => {
                return Ok(expression.clone());
            }
        };
        Ok(Expr { kind, ty: expression.ty })
    }

    fn column(&mut self, window: WindowFunction, call: Expr) -> Result<Expr> {
        if let Some((_, position)) = self.known.iter().find(|(known, _)| *known == call) {
            return Ok(Expr::column(*position, call.ty));
        }
        let ExprKind::Call { arguments, .. } = &call.kind else {
            return Err(EngineError::Internal(String::from("a window function is not a call")));
        };
        let column = self.compute(window, arguments, call.ty)?;
        self.executor.query.check()?;
        let position = self.rows.columns.len();
        self.rows.columns.push(column);
        self.known.push((call.clone(), position));
        Ok(Expr::column(position, call.ty))
    }

    fn evaluate(&self, argument: &Expr) -> Result<ArrayRef> {
        Expressions::new(self.executor, std::slice::from_ref(argument))?.column(&self.rows, 0)
    }

    /// Where the `restart` argument is true.
    fn restarts(&self, argument: Option<&Expr>) -> Result<Option<arrow_buffer::BooleanBuffer>> {
        match argument.map(|argument| &argument.kind) {
            None | Some(ExprKind::Constant(Value::Bool(false) | Value::Null(_))) => Ok(None),
            Some(_) => {
                let values = argument.map(|argument| self.evaluate(argument)).transpose()?;
                values.map(|values| Ok(columns::selection(columns::booleans(&values)?))).transpose()
            }
        }
    }

    fn constant_long(&self, argument: Option<&Expr>, default: i64) -> Result<i64> {
        match argument {
            None => Ok(default),
            Some(argument) => Ok(match expression::constant(self.executor, argument)? {
                Value::Int(value) => i64::from(value),
                Value::Long(value) | Value::TimeSpan(value) | Value::DateTime(value) => value,
                Value::Real(value) => value as i64,
                _ => default,
            }),
        }
    }

    fn compute(&self, window: WindowFunction, arguments: &[Expr], ty: Type) -> Result<ArrayRef> {
        let rows = self.rows.rows;
        let first = || {
            arguments
                .first()
                .ok_or_else(|| EngineError::Internal(String::from("a window function without arguments")))
        };
        match window {
            WindowFunction::RowNumber => {
                let start = self.constant_long(arguments.first(), 1)?;
                let restarts = self.restarts(arguments.get(1))?;
                let mut next = start;
                let numbers = (0..rows).map(|row| {
                    if restarts.as_ref().is_some_and(|restarts| restarts.value(row)) {
                        next = start;
                    }
                    next = next.wrapping_add(1);
                    next.wrapping_sub(1)
                });
                Ok(Arc::new(Int64Array::from_iter_values(numbers)))
            }
            WindowFunction::RowCumsum => {
                cumulative(&self.evaluate(first()?)?, first()?.ty, ty, self.restarts(arguments.get(1))?)
            }
            WindowFunction::RowRankDense | WindowFunction::RowRankMin => {
                let terms = self.evaluate(first()?)?;
                let restarts = self.restarts(arguments.get(1))?;
                let mut groups = Vec::new();
                KeyTable::new(&[first()?.ty]).assign(std::slice::from_ref(&terms), rows, &mut groups)?;
                let (mut rank, mut number) = (0i64, 0i64);
                let ranks = (0..rows).map(|row| {
                    if row == 0 || restarts.as_ref().is_some_and(|restarts| restarts.value(row)) {
                        (rank, number) = (1, 1);
                        return rank;
                    }
                    number += 1;
                    if groups[row] != groups[row - 1] {
                        rank = if window == WindowFunction::RowRankDense { rank + 1 } else { number };
                    }
                    rank
                });
                Ok(Arc::new(Int64Array::from_iter_values(ranks)))
            }
            WindowFunction::RowWindowSession => {
                let times = self.evaluate(first()?)?;
                let times = columns::longs(&times)?;
                let from_first = self.constant_long(arguments.get(1), i64::MAX)?;
                let between = self.constant_long(arguments.get(2), i64::MAX)?;
                let restarts = self.restarts(arguments.get(3))?;
                let mut session: Option<(i64, i64)> = None;
                let starts = (0..rows).map(|row| {
                    if times.is_null(row) {
                        return None;
                    }
                    let time = times.value(row);
                    let restart = restarts.as_ref().is_some_and(|restarts| restarts.value(row));
                    let start = match session {
                        Some((start, last))
                            if !restart
                                && time.saturating_sub(start) <= from_first
                                && time.saturating_sub(last) <= between =>
                        {
                            start
                        }
                        _ => time,
                    };
                    session = Some((start, time));
                    Some(start)
                });
                Ok(Arc::new(starts.collect::<Int64Array>()))
            }
            WindowFunction::Prev | WindowFunction::Next => {
                let values = self.evaluate(first()?)?;
                let offset = self.constant_long(arguments.get(1), 1)?;
                let offset = if window == WindowFunction::Prev { offset.saturating_neg() } else { offset };
                let default = arguments.get(2).map(|default| expression::constant(self.executor, default));
                let default = default.transpose()?.unwrap_or(Value::Null(ty));
                let default = constant::array_of(ty, std::iter::once(&default))?;
                let padded = columns::concat_column(&[&values, &default])?;
                let picks = (0..rows as i64).map(|row| {
                    let other = row.saturating_add(offset);
                    if (0..rows as i64).contains(&other) { other as u32 } else { rows as u32 }
                });
                columns::take_column(&padded, &UInt32Array::from_iter_values(picks))
            }
        }
    }
}

/// Running sums; a null adds nothing.
fn cumulative(
    terms: &ArrayRef,
    term_type: Type,
    ty: Type,
    restarts: Option<arrow_buffer::BooleanBuffer>,
) -> Result<ArrayRef> {
    let restart = |row: usize| restarts.as_ref().is_some_and(|restarts| restarts.value(row));
    match term_type {
        Type::Real => {
            let values = columns::reals(terms)?;
            let mut sum = 0.0;
            let sums = (0..values.len()).map(|row| {
                if restart(row) {
                    sum = 0.0;
                }
                if values.is_valid(row) {
                    sum += values.value(row);
                }
                sum
            });
            Ok(Arc::new(Float64Array::from_iter_values(sums)))
        }
        Type::Decimal => {
            let mut sum = Decimal::ZERO;
            let mut sums = Vec::with_capacity(terms.len());
            for row in 0..terms.len() {
                if restart(row) {
                    sum = Decimal::ZERO;
                }
                if let Value::Decimal(value) = array_to_value(terms, row, Type::Decimal)? {
                    sum = sum.plus(value);
                }
                sums.push(Value::Decimal(sum));
            }
            constant::array_of(ty, sums.iter())
        }
        Type::Int => {
            let values = columns::ints(terms)?;
            let mut sum = 0i64;
            let sums = (0..values.len()).map(|row| {
                if restart(row) {
                    sum = 0;
                }
                if values.is_valid(row) {
                    sum = sum.wrapping_add(i64::from(values.value(row)));
                }
                sum
            });
            if ty == Type::Int {
                return Ok(Arc::new(Int32Array::from_iter_values(sums.map(|sum| sum as i32))));
            }
            Ok(Arc::new(Int64Array::from_iter_values(sums)))
        }
        _ => {
            let values = columns::longs(terms)?;
            let mut sum = 0i64;
            let sums = (0..values.len()).map(|row| {
                if restart(row) {
                    sum = 0;
                }
                if values.is_valid(row) {
                    sum = sum.wrapping_add(values.value(row));
                }
                sum
            });
            Ok(Arc::new(Int64Array::from_iter_values(sums)))
        }
    }
}
