//! Summaries of a piece of a table from its statistics alone.
//!
//! A piece whose rows all fall into one group (no keys, one time bin, one value) gives its number of rows,
//! least and greatest values and sums unread. Conservative: whatever is not certain is read.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, NullArray, StringViewArray,
};
use conshelf_kql::function::{AggregateFunction, FunctionId};
use conshelf_kql::plan::{Aggregate, Expr, ExprKind};
use conshelf_storage::{ColumnStatistics, Literal, Sum};

use crate::engine::aggregate::Accumulator;
use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use conshelf_kql::Type;

/// What is known of a morsel of which every row passes.
pub trait KnownRows {
    fn rows(&self) -> usize;

    /// Statistics of the column at a position of the source's output.
    fn column(&self, position: usize) -> Option<ColumnStatistics>;
}

/// A summary that statistics may answer.
pub struct Shortcut {
    /// The input column each key depends on, in one direction.
    key_columns: Vec<(usize, Type)>,
    keys: Expressions,
    calls: Vec<KnownCall>,
    /// Columns of the input.
    width: usize,
}

enum KnownCall {
    Count,
    /// `min` or `max` of a column.
    Extreme(usize, Type),
    /// `sum` or `avg` of a column.
    Sum(usize),
}

/// What is known for a call.
enum Known {
    Count,
    Extremes(ArrayRef),
    /// The sum of so many values.
    Sum(Sum, u64),
}

/// Functions that never decrease as their first argument grows, the others being constant.
const MONOTONIC: &[&str] = &[
    "bin",
    "floor",
    "startofday",
    "startofweek",
    "startofmonth",
    "startofyear",
    "endofday",
    "endofweek",
    "endofmonth",
    "endofyear",
];

impl Shortcut {
    /// The shortcut of a summary directly over a scan, if all of it can be known.
    pub fn of(
        executor: &Executor,
        keys: &[Expr],
        aggregates: &[&Aggregate],
        width: usize,
    ) -> Result<Option<Shortcut>> {
        let key_columns: Option<Vec<(usize, Type)>> = keys.iter().map(monotonic_column).collect();
        let calls: Option<Vec<KnownCall>> =
            aggregates.iter().map(|aggregate| known_call(aggregate)).collect();
        let (Some(key_columns), Some(calls)) = (key_columns, calls) else { return Ok(None) };
        Ok(Some(Shortcut { key_columns, keys: Expressions::new(executor, keys)?, calls, width }))
    }

    /// Adds a morsel from what is known of it, if `allowed` (asked last) agrees. `None`: it must be read; else the number of its group.
    pub fn add(
        &self,
        known: &dyn KnownRows,
        table: &mut KeyTable,
        accumulators: &mut [Box<dyn Accumulator>],
        allowed: &dyn Fn() -> bool,
    ) -> Result<Option<u32>> {
        if known.rows() == 0 {
            return Ok(None);
        }
        let placeholder: ArrayRef = Arc::new(NullArray::new(2));
        let mut columns: Vec<ArrayRef> = vec![placeholder; self.width];
        for (position, ty) in &self.key_columns {
            match known.column(*position).and_then(|column| bounds(&column, *ty, true)) {
                Some(bounds) => columns[*position] = bounds,
                None => return Ok(None),
            }
        }
        let found: Option<Vec<Known>> = self.calls.iter().map(|call| call.of(known)).collect();
        let Some(found) = found else { return Ok(None) };
        let keys = self.keys.columns(&Batch::new(columns, 2))?;
        if keys.iter().any(|key| key.slice(0, 1).as_ref() != key.slice(1, 1).as_ref()) {
            return Ok(None);
        }
        if !allowed() {
            return Ok(None);
        }
        let first: Vec<ArrayRef> = keys.iter().map(|key| key.slice(0, 1)).collect();
        let mut group_of = Vec::new();
        table.assign(&first, 1, &mut group_of)?;
        let group = group_of.first().copied().unwrap_or(0);
        for (accumulator, found) in accumulators.iter_mut().zip(found) {
            accumulator.resize(table.len());
            match found {
                Known::Count => accumulator.update_count(group, known.rows() as u64)?,
                Known::Extremes(bounds) => accumulator.update(&[group, group], &[bounds], None)?,
                Known::Sum(sum, values) => {
                    if !accumulator.update_sum(group, sum, values) {
                        return Err(EngineError::Internal(String::from("a sum is not of its column's type")));
                    }
                }
            }
        }
        Ok(Some(group))
    }
}

impl KnownCall {
    fn of(&self, known: &dyn KnownRows) -> Option<Known> {
        match self {
            KnownCall::Count => Some(Known::Count),
            KnownCall::Extreme(position, ty) => {
                known.column(*position).and_then(|column| bounds(&column, *ty, false)).map(Known::Extremes)
            }
            KnownCall::Sum(position) => {
                let column = known.column(*position)?;
                let values = u64::from(column.rows.checked_sub(column.nulls)?);
                // A sum that overflowed on the way says nothing of values that cancel out.
                let sum = column.sum.filter(|sum| !matches!(sum, Sum::Real(sum) if !sum.is_finite()))?;
                Some(Known::Sum(sum, values))
            }
        }
    }
}

fn monotonic_column(key: &Expr) -> Option<(usize, Type)> {
    match &key.kind {
        ExprKind::Column(position) => Some((*position, key.ty)),
        ExprKind::Call { function, arguments } if MONOTONIC.contains(&function.spec().name) => {
            let (first, rest) = arguments.split_first()?;
            let constant = rest.iter().all(|argument| matches!(argument.kind, ExprKind::Constant(_)));
            monotonic_column(first).filter(|_| constant)
        }
        _ => None,
    }
}

fn known_call(aggregate: &Aggregate) -> Option<KnownCall> {
    if aggregate.condition.is_some() {
        return None;
    }
    match (aggregate.function, &aggregate.arguments[..]) {
        (FunctionId::Aggregate(AggregateFunction::Count), []) => Some(KnownCall::Count),
        (FunctionId::Aggregate(AggregateFunction::Min | AggregateFunction::Max), [argument]) => {
            match argument.kind {
                ExprKind::Column(position) => Some(KnownCall::Extreme(position, argument.ty)),
                _ => None,
            }
        }
        (FunctionId::Aggregate(AggregateFunction::Sum | AggregateFunction::Avg), [argument]) => {
            match (&argument.kind, argument.ty) {
                (ExprKind::Column(position), Type::Int | Type::Long | Type::TimeSpan | Type::Real) => {
                    Some(KnownCall::Sum(*position))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Least and greatest value as a column of two rows. `all`: every row must have a value between them.
fn bounds(column: &ColumnStatistics, ty: Type, all: bool) -> Option<ArrayRef> {
    if !column.exact_bounds || column.nans > 0 || (all && column.nulls > 0) {
        return None;
    }
    let (min, max) = (column.min.as_ref()?, column.max.as_ref()?);
    Some(match (ty, min, max) {
        (Type::Bool, Literal::Bool(min), Literal::Bool(max)) => {
            Arc::new(BooleanArray::from(vec![*min, *max]))
        }
        (Type::Int, Literal::Integer(min), Literal::Integer(max)) => {
            Arc::new(Int32Array::from(vec![i32::try_from(*min).ok()?, i32::try_from(*max).ok()?]))
        }
        (Type::Long | Type::DateTime | Type::TimeSpan, Literal::Integer(min), Literal::Integer(max)) => {
            Arc::new(Int64Array::from(vec![*min, *max]))
        }
        (Type::Real, Literal::Real(min), Literal::Real(max)) => {
            Arc::new(Float64Array::from(vec![*min, *max]))
        }
        (Type::String, Literal::String(min), Literal::String(max)) => {
            Arc::new(StringViewArray::from_iter_values([min, max]))
        }
        _ => return None,
    })
}
