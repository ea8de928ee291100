//! Summaries of a piece of a table from its statistics alone.
//!
//! A piece whose rows all fall into one group (no keys, one time bin, one value) gives its number of rows,
//! least and greatest values unread. Conservative: whatever is not certain is read.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, NullArray, StringViewArray,
};
use conshelf_kql::function::{AggregateFunction, FunctionId};
use conshelf_kql::plan::{Aggregate, Expr, ExprKind};
use conshelf_storage::{ColumnStatistics, Literal};

use crate::engine::aggregate::Accumulator;
use crate::engine::batch::Batch;
use crate::engine::error::Result;
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
        let mut extremes = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            extremes.push(match call {
                KnownCall::Count => None,
                KnownCall::Extreme(position, ty) => {
                    match known.column(*position).and_then(|column| bounds(&column, *ty, false)) {
                        Some(bounds) => Some(bounds),
                        None => return Ok(None),
                    }
                }
            });
        }
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
        for (accumulator, extreme) in accumulators.iter_mut().zip(extremes) {
            accumulator.resize(table.len());
            match extreme {
                None => accumulator.update_count(group, known.rows() as u64)?,
                Some(bounds) => accumulator.update(&[group, group], &[bounds], None)?,
            }
        }
        Ok(Some(group))
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
