//! `range`: from, from + step, … up to and including `to`, made morsel by morsel.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array};
use conshelf_kql::plan::Expr;
use conshelf_kql::{Decimal, Type, Value};

use crate::engine::batch::Batch;
use crate::engine::constant;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::expression;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{BATCH_ROWS, Emit, Flow, Pipeline, Source};
use crate::engine::profile::OperatorProfile;

/// Most rows of one range.
const ROWS_MAX: u64 = 1 << 32;

enum Progression {
    Integer { from: i64, step: i64, narrow: bool },
    Real { from: f64, step: f64 },
}

struct Range {
    progression: Progression,
    rows: u64,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    from: &Expr,
    to: &Expr,
    step: &Expr,
) -> Result<Pipeline> {
    let values: Vec<Value> = [from, to, step]
        .into_iter()
        .map(|expression| expression::constant(executor, expression))
        .collect::<Result<_>>()?;
    let range = match (from.ty, &values[..]) {
        (Type::Int | Type::Long | Type::DateTime | Type::TimeSpan, [from_value, to, step]) => {
            match (integer(from_value), integer(to), integer(step)) {
                (Some(start), Some(to), Some(step)) => Range {
                    rows: integer_rows(start, to, step),
                    progression: Progression::Integer { from: start, step, narrow: from.ty == Type::Int },
                },
                _ => return nothing(executor, profile),
            }
        }
        (Type::Real, [Value::Real(from), Value::Real(to), Value::Real(step)]) => {
            let steps = ((to - from) / step).floor();
            let rows = if *step != 0.0 && steps >= 0.0 { (steps + 1.0).min(1e18) as u64 } else { 0 };
            Range { rows, progression: Progression::Real { from: *from, step: *step } }
        }
        (Type::Decimal, [Value::Decimal(from), Value::Decimal(to), Value::Decimal(step)]) => {
            return decimals(executor, profile, *from, *to, *step);
        }
        _ => return nothing(executor, profile),
    };
    if range.rows > ROWS_MAX {
        return Err(EngineError::Evaluation(format!("range: {} rows are too many", range.rows)));
    }
    Ok(Pipeline::of(Arc::new(range), profile.clone(), true))
}

fn nothing(executor: &Executor, profile: &Arc<OperatorProfile>) -> Result<Pipeline> {
    Ok(Pipeline::of(Arc::new(Materialised::empty(&executor.query)?), profile.clone(), true))
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Some(*value),
        _ => None,
    }
}

fn integer_rows(from: i64, to: i64, step: i64) -> u64 {
    let distance = i128::from(to) - i128::from(from);
    if step == 0 || (distance != 0 && (distance > 0) != (step > 0)) {
        return 0;
    }
    u64::try_from(distance / i128::from(step) + 1).unwrap_or(u64::MAX)
}

fn decimals(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    from: Decimal,
    to: Decimal,
    step: Decimal,
) -> Result<Pipeline> {
    // Exact while all three can be written in units of the finest of them.
    let unit = from.exponent().min(to.exponent()).min(step.exponent());
    let scaled = |value: Decimal| {
        10i128
            .checked_pow(u32::from(value.exponent().abs_diff(unit)))
            .and_then(|factor| value.coefficient().checked_mul(factor))
    };
    let (Some(start), Some(end), Some(step)) = (scaled(from), scaled(to), scaled(step)) else {
        return Err(EngineError::Evaluation(String::from("range: the decimals differ too much in size")));
    };
    let mut values = Vec::new();
    let mut current = start;
    while step != 0 && ((step > 0 && current <= end) || (step < 0 && current >= end)) {
        values.push(Value::Decimal(Decimal::new(current, unit)));
        if values.len() % BATCH_ROWS == 0 {
            executor.query.check()?;
            drop(executor.query.reserve((values.len() * size_of::<Value>()) as u64)?);
        }
        current = match current.checked_add(step) {
            Some(next) => next,
            None => break,
        };
    }
    let array = constant::array_of(Type::Decimal, values.iter())?;
    let rows = Materialised::new(&executor.query, vec![Batch::new(vec![array], values.len())])?;
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), true))
}

impl Source for Range {
    fn morsels(&self) -> usize {
        self.rows.div_ceil(BATCH_ROWS as u64) as usize
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let first = (morsel * BATCH_ROWS) as u64;
        let last = (first + BATCH_ROWS as u64).min(self.rows);
        let array: ArrayRef = match &self.progression {
            Progression::Integer { from, step, narrow } => {
                let value = |row: u64| from.wrapping_add((row as i64).wrapping_mul(*step));
                if *narrow {
                    Arc::new(Int32Array::from_iter_values((first..last).map(|row| value(row) as i32)))
                } else {
                    Arc::new(Int64Array::from_iter_values((first..last).map(value)))
                }
            }
            Progression::Real { from, step } => {
                Arc::new(Float64Array::from_iter_values((first..last).map(|row| from + row as f64 * step)))
            }
        };
        emit(Batch::new(vec![array], (last - first) as usize))
    }
}
