//! `make-series`: aggregates per bin of an axis, as arrays without gaps.
//!
//! Reference: make-series-operator. Rows are grouped by the keys and their bin; the groups of each key then
//! become arrays from the first bin to the last, with defaults where there was no row. With `from` bins are
//! counted from it, else they are multiples of the step; without bounds each series reaches from its first
//! bin with data to its last.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::{Array, ArrayRef, Int64Array};
use conshelf_kql::plan::{Aggregate, Expr, Plan, Series};
use conshelf_kql::{Column, Dynamic, Schema, Type, Value};
use conshelf_storage::dynamic::DynamicBuilder;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::{self, Expressions};
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::partial::Reuse;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
use crate::engine::execute::summarize;
use crate::engine::literal::{array_to_value, write_dynamic};
use crate::engine::profile::OperatorProfile;

/// Reference: "limited to 1,048,576 values".
const BINS_MAX: i64 = 1 << 20;

/// The operator's parameters.
pub struct MakeSeries<'a> {
    pub aggregates: &'a [Aggregate],
    pub series: &'a [Series],
    pub axis: &'a Expr,
    pub from: Option<&'a Expr>,
    pub to: Option<&'a Expr>,
    pub step: &'a Expr,
    pub keys: &'a [Expr],
}

/// Where the bins of the axis lie.
#[derive(Clone, Copy, Debug)]
enum Axis {
    /// int, long, datetime, timespan.
    Integer {
        origin: i64,
        step: i64,
        ty: Type,
    },
    Real {
        origin: f64,
        step: f64,
    },
}

impl Axis {
    /// The value at which a bin starts.
    fn start(self, bin: i64) -> Dynamic {
        match self {
            Axis::Integer { origin, step, ty } => {
                let value = origin.saturating_add(bin.saturating_mul(step));
                match ty {
                    Type::DateTime => Dynamic::DateTime(value),
                    Type::TimeSpan => Dynamic::TimeSpan(value),
                    _ => Dynamic::Long(value),
                }
            }
            Axis::Real { origin, step } => Dynamic::Real(origin + bin as f64 * step),
        }
    }

    fn bin_of(self, value: &Value) -> Option<i64> {
        match (self, integer(value), value) {
            (Axis::Integer { origin, step, .. }, Some(value), _) => {
                Some(value.saturating_sub(origin).div_euclid(step))
            }
            (Axis::Real { origin, step }, _, value) => {
                let bin = ((real(value)? - origin) / step).floor();
                (bin.abs() < 9e18).then_some(bin as i64)
            }
            _ => None,
        }
    }

    /// Number of bins from the origin that start before `end`.
    fn bins_before(self, end: &Value) -> Option<i64> {
        match (self, integer(end), end) {
            (Axis::Integer { origin, step, .. }, Some(end), _) => {
                let distance = i128::from(end) - i128::from(origin);
                let step = i128::from(step);
                i64::try_from((distance + step - 1).div_euclid(step)).ok()
            }
            (Axis::Real { origin, step }, _, end) => {
                let bins = ((real(end)? - origin) / step).ceil();
                (bins.abs() < 9e18).then_some(bins as i64)
            }
            _ => None,
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Some(*value),
        _ => None,
    }
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Real(value) => Some(*value),
        _ => integer(value).map(|value| value as f64),
    }
}

/// Appends the bin of each row; drops rows without one or outside of the bounds.
struct Bins {
    axis_value: Expressions,
    ty: Type,
    axis: Axis,
    first: Option<i64>,
    /// Exclusive.
    last: Option<i64>,
}

impl Transform for Bins {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let values = self.axis_value.column(&batch, 0)?;
        let inside = |bin: &i64| {
            self.first.is_none_or(|first| *bin >= first) && self.last.is_none_or(|last| *bin < last)
        };
        let mut bins: Vec<Option<i64>> = Vec::with_capacity(batch.rows);
        match (self.axis, self.ty) {
            (Axis::Integer { origin, step, .. }, Type::Long | Type::DateTime | Type::TimeSpan) => {
                let values = columns::longs(&values)?.iter();
                bins.extend(values.map(|value| {
                    value.map(|value| value.saturating_sub(origin).div_euclid(step)).filter(inside)
                }));
            }
            (axis, ty) => {
                for row in 0..batch.rows {
                    bins.push(axis.bin_of(&array_to_value(&values, row, ty)?).filter(inside));
                }
            }
        }
        let selected = bins.iter().map(Option::is_some).collect();
        let mut batch = batch;
        batch.columns.push(Arc::new(bins.into_iter().collect::<Int64Array>()));
        emit(columns::filter(&batch, &selected)?)
    }
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    call: &MakeSeries<'_>,
    schema: &Schema,
) -> Result<Pipeline> {
    let bound = |bound: Option<&Expr>| -> Result<Option<Value>> {
        let value = bound.map(|bound| expression::constant(executor, bound)).transpose()?;
        Ok(value.filter(|value| !value.is_null()))
    };
    let from = bound(call.from)?;
    let to = bound(call.to)?;
    let step = expression::constant(executor, call.step)?;
    let axis = axis(call.axis.ty, from.as_ref(), &step)?;
    let first = from.is_some().then_some(0);
    let last = to.as_ref().and_then(|to| axis.bins_before(to));
    if let (Some(first), Some(last)) = (first, last)
        && last.saturating_sub(first) > BINS_MAX
    {
        return Err(too_many());
    }
    let bins = Bins {
        axis_value: Expressions::new(executor, std::slice::from_ref(call.axis))?,
        ty: call.axis.ty,
        axis,
        first,
        last,
    };
    let below = executor.pipeline(input)?.then(Arc::new(bins), profile);
    let mut keys = call.keys.to_vec();
    keys.push(Expr::column(input.schema.len(), Type::Long));
    let aggregates: Vec<&Aggregate> = call.aggregates.iter().collect();
    let binning = ("make-series", call.axis.ty, axis, first, last);
    let reuse = Reuse::after(executor, input, &keys, &aggregates, Some((call.axis, &binning)));
    let extras = summarize::Extras { reuse, ..summarize::Extras::default() };
    let batches = summarize::groups(executor, profile, &below, &keys, &aggregates, extras)?;
    let started = std::time::Instant::now();
    let mut grouped: Schema = keys.iter().map(|key| Column::new("", key.ty)).collect();
    grouped.extend(aggregates.iter().flat_map(|a| a.outputs.iter().map(|ty| Column::new("", *ty))));
    let groups = columns::concat(&batches, &grouped)?;
    let result = arrays(executor, call, axis, first, last, &groups)?;
    profile.add_time(started.elapsed());
    if result.columns.len() != schema.len() {
        return Err(EngineError::Internal(String::from("make-series yields other columns than planned")));
    }
    let rows = Materialised::new(&executor.query, vec![result])?;
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), false))
}

fn too_many() -> EngineError {
    EngineError::Evaluation(format!("make-series: a series may have at most {BINS_MAX} values"))
}

fn axis(ty: Type, from: Option<&Value>, step: &Value) -> Result<Axis> {
    let invalid = || EngineError::Evaluation(String::from("make-series: the step must be greater than zero"));
    if ty == Type::Real || matches!(step, Value::Real(_)) {
        let step = real(step).filter(|step| *step > 0.0 && step.is_finite()).ok_or_else(invalid)?;
        return Ok(Axis::Real { origin: from.and_then(real).unwrap_or(0.0), step });
    }
    let step = integer(step).filter(|step| *step > 0).ok_or_else(invalid)?;
    Ok(Axis::Integer { origin: from.and_then(integer).unwrap_or(0), step, ty })
}

/// Lines the groups up to one row per key.
fn arrays(
    executor: &Executor,
    call: &MakeSeries<'_>,
    axis: Axis,
    first: Option<i64>,
    last: Option<i64>,
    groups: &Batch,
) -> Result<Batch> {
    let width = call.keys.len();
    let key_types: Vec<Type> = call.keys.iter().map(|key| key.ty).collect();
    let mut table = KeyTable::new(&key_types);
    let mut series_of = Vec::new();
    table.assign(&groups.columns[..width], groups.rows, &mut series_of)?;
    let bins = columns::longs(&groups.columns[width])?;
    let count = table.len();
    let mut members: Vec<Vec<(i64, usize)>> = vec![Vec::new(); count];
    for (row, series) in series_of.iter().enumerate() {
        members[*series as usize].push((bins.value(row), row));
    }
    let defaults = call
        .series
        .iter()
        .map(|series| expression::constant(executor, &series.default))
        .collect::<Result<Vec<_>>>()?;
    let expressions: Vec<Expr> = call.series.iter().map(|series| series.value.clone()).collect();
    let outputs = Batch::new(groups.columns[width + 1..].to_vec(), groups.rows);
    let values = Expressions::new(executor, &expressions)?.columns(&outputs)?;
    let mut builders: Vec<BinaryViewBuilder> =
        (0..=call.series.len()).map(|_| BinaryViewBuilder::with_capacity(count)).collect();
    let mut scratch = DynamicBuilder::new();
    for rows in &mut members {
        executor.query.check()?;
        rows.sort_unstable();
        let start = first.or_else(|| rows.first().map(|(bin, _)| *bin)).unwrap_or(0);
        let end = last.or_else(|| rows.last().map(|(bin, _)| bin + 1)).unwrap_or(start).max(start);
        if end.saturating_sub(start) > BINS_MAX {
            return Err(too_many());
        }
        for ((column, series), (default, builder)) in
            values.iter().zip(call.series).zip(defaults.iter().zip(&mut builders))
        {
            let ty = series.value.ty;
            scratch.begin_array();
            let mut row = rows.iter().peekable();
            for bin in start..end {
                match row.next_if(|(at, _)| *at == bin) {
                    Some((_, row)) => put(&mut scratch, &array_to_value(column, *row, ty)?),
                    None => put(&mut scratch, default),
                }
            }
            scratch.end_array();
            builder.append_value(scratch.finish());
        }
        scratch.begin_array();
        (start..end).for_each(|bin| write_dynamic(&axis.start(bin), &mut scratch));
        scratch.end_array();
        if let Some(builder) = builders.last_mut() {
            builder.append_value(scratch.finish());
        }
    }
    let mut columns = table.columns()?;
    columns.extend(builders.into_iter().map(|mut builder| Arc::new(builder.finish()) as ArrayRef));
    debug_assert!(columns.iter().all(|column| column.len() == count));
    Ok(Batch { columns, rows: count })
}

/// A scalar as an element of an array.
fn put(builder: &mut DynamicBuilder, value: &Value) {
    let value = match value {
        Value::Null(_) => Dynamic::Null,
        Value::Bool(value) => Dynamic::Bool(*value),
        Value::Int(value) => Dynamic::Long(i64::from(*value)),
        Value::Long(value) => Dynamic::Long(*value),
        Value::Real(value) => Dynamic::Real(*value),
        Value::Decimal(value) => Dynamic::Decimal(*value),
        Value::DateTime(value) => Dynamic::DateTime(*value),
        Value::TimeSpan(value) => Dynamic::TimeSpan(*value),
        Value::String(value) => Dynamic::String(value.clone()),
        Value::Guid(value) => Dynamic::Guid(*value),
        Value::Dynamic(value) => value.clone(),
    };
    write_dynamic(&value, builder);
}
