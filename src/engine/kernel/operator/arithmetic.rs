//! Sums, products and their kin.
//!
//! Integers wrap; an integer or decimal divided by zero is null, a real follows IEEE 754. Remainders are
//! never negative. A datetime outside the years 1 to 9999 is null. Nulls are masked by the caller.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, Int64Array};
use conshelf_kql::time::MAX_DATETIME_TICKS;
use conshelf_kql::{Decimal, Type};

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{
    Bytes16, Longs, argument, decimals, map_numbers, try_zip_numbers, zip_numbers,
};
use crate::engine::kernel::{Datum, KernelCall};

fn unexpected(name: &str, call: &KernelCall<'_>) -> EngineError {
    EngineError::Internal(format!("no {name} of {:?}", call.argument_types))
}

fn pair(arguments: &[Datum]) -> Result<(&Datum, &Datum)> {
    Ok((argument(arguments, 0)?, argument(arguments, 1)?))
}

fn with_decimals(
    arguments: &[Datum],
    rows: usize,
    f: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<ArrayRef> {
    let (left, right) = pair(arguments)?;
    let (left, right) = (Bytes16::new(left)?, Bytes16::new(right)?);
    decimals(rows, |row| f(left.decimal(row)?, right.decimal(row)?))
}

/// A datetime moved by a timespan; null where that leaves the calendar.
fn shift(
    date: &Datum,
    span: &Datum,
    rows: usize,
    f: impl Fn(i64, i64) -> Option<i64> + Copy,
) -> Result<ArrayRef> {
    let in_calendar = |ticks: &i64| (0..=MAX_DATETIME_TICKS).contains(ticks);
    let (dates, spans) = (Longs::new(date)?, Longs::new(span)?);
    if let Some(Some(span)) = spans.constant()
        && dates.constant().is_none()
    {
        let moved: Vec<i64> =
            dates.values().iter().map(|date| f(*date, span).filter(in_calendar).unwrap_or(-1)).collect();
        if moved.iter().all(|ticks| *ticks >= 0) {
            return Ok(Arc::new(Int64Array::new(moved.into(), None)));
        }
    }
    try_zip_numbers::<Int64Type, Int64Type, Int64Type>(date, span, rows, |date, span| {
        f(date, span).filter(in_calendar)
    })
}

/// The ticks of a double; null where they are out of range.
fn ticks(value: f64) -> Option<i64> {
    (value.abs() < 9_223_372_036_854_775_808.0).then_some(value as i64)
}

pub fn add(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = pair(arguments)?;
    match call.argument_types {
        [Type::Long, Type::Long] | [Type::TimeSpan, Type::TimeSpan] => {
            zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, i64::wrapping_add)
        }
        [Type::Real, Type::Real] => {
            zip_numbers::<Float64Type, Float64Type, Float64Type>(left, right, call.rows, |a, b| a + b)
        }
        [Type::Decimal, Type::Decimal] => with_decimals(arguments, call.rows, |a, b| Some(a.plus(b))),
        [Type::DateTime, Type::TimeSpan] => shift(left, right, call.rows, i64::checked_add),
        [Type::TimeSpan, Type::DateTime] => shift(right, left, call.rows, i64::checked_add),
        _ => Err(unexpected("sum", call)),
    }
}

pub fn subtract(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = pair(arguments)?;
    match call.argument_types {
        [Type::Long, Type::Long] | [Type::TimeSpan, Type::TimeSpan] | [Type::DateTime, Type::DateTime] => {
            zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, i64::wrapping_sub)
        }
        [Type::Real, Type::Real] => {
            zip_numbers::<Float64Type, Float64Type, Float64Type>(left, right, call.rows, |a, b| a - b)
        }
        [Type::Decimal, Type::Decimal] => with_decimals(arguments, call.rows, |a, b| Some(a.minus(b))),
        [Type::DateTime, Type::TimeSpan] => shift(left, right, call.rows, i64::checked_sub),
        _ => Err(unexpected("difference", call)),
    }
}

pub fn multiply(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = pair(arguments)?;
    match call.argument_types {
        [Type::Long | Type::TimeSpan, Type::Long] | [Type::Long, Type::TimeSpan] => {
            zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, i64::wrapping_mul)
        }
        [Type::Real, Type::Real] => {
            zip_numbers::<Float64Type, Float64Type, Float64Type>(left, right, call.rows, |a, b| a * b)
        }
        [Type::Decimal, Type::Decimal] => with_decimals(arguments, call.rows, |a, b| Some(a.times(b))),
        [Type::TimeSpan, Type::Real] => {
            try_zip_numbers::<Int64Type, Float64Type, Int64Type>(left, right, call.rows, |a, b| {
                ticks(a as f64 * b)
            })
        }
        [Type::Real, Type::TimeSpan] => {
            try_zip_numbers::<Float64Type, Int64Type, Int64Type>(left, right, call.rows, |a, b| {
                ticks(a * b as f64)
            })
        }
        _ => Err(unexpected("product", call)),
    }
}

pub fn divide(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = pair(arguments)?;
    match call.argument_types {
        [Type::Long | Type::TimeSpan, Type::Long] => {
            if let Some(Some(divisor)) = Longs::new(right)?.constant()
                && divisor != 0
            {
                return zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, |a, _| {
                    a.wrapping_div(divisor)
                });
            }
            try_zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, |a, b| {
                (b != 0).then(|| a.wrapping_div(b))
            })
        }
        [Type::Real, Type::Real] => {
            zip_numbers::<Float64Type, Float64Type, Float64Type>(left, right, call.rows, |a, b| a / b)
        }
        [Type::Decimal, Type::Decimal] => with_decimals(arguments, call.rows, Decimal::divided_by),
        [Type::TimeSpan, Type::TimeSpan] => {
            zip_numbers::<Int64Type, Int64Type, Float64Type>(left, right, call.rows, |a, b| {
                a as f64 / b as f64
            })
        }
        [Type::TimeSpan, Type::Real] => {
            try_zip_numbers::<Int64Type, Float64Type, Int64Type>(left, right, call.rows, |a, b| {
                ticks(a as f64 / b)
            })
        }
        _ => Err(unexpected("quotient", call)),
    }
}

/// `i64::rem_euclid` that neither overflows nor divides by zero.
fn remainder(left: i64, right: i64) -> Option<i64> {
    left.checked_rem_euclid(right).or((right != 0).then_some(0))
}

pub fn modulo(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = pair(arguments)?;
    match call.argument_types {
        [Type::Long, Type::Long] | [Type::TimeSpan | Type::DateTime, Type::TimeSpan] => {
            if let Some(Some(divisor)) = Longs::new(right)?.constant()
                && divisor > 0
            {
                return zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, |a, _| {
                    a.rem_euclid(divisor)
                });
            }
            try_zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, remainder)
        }
        [Type::Real, Type::Real] => {
            zip_numbers::<Float64Type, Float64Type, Float64Type>(left, right, call.rows, f64::rem_euclid)
        }
        [Type::Decimal, Type::Decimal] => with_decimals(arguments, call.rows, Decimal::modulo),
        _ => Err(unexpected("remainder", call)),
    }
}

pub fn negate(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let value = argument(arguments, 0)?;
    match call.argument_types {
        [Type::Int] => map_numbers::<Int32Type, Int32Type>(value, i32::wrapping_neg),
        [Type::Long | Type::TimeSpan] => map_numbers::<Int64Type, Int64Type>(value, i64::wrapping_neg),
        [Type::Real] => map_numbers::<Float64Type, Float64Type>(value, |value| -value),
        [Type::Decimal] => {
            let values = Bytes16::new(value)?;
            decimals(call.rows, |row| values.decimal(row).map(Decimal::negated))
        }
        _ => Err(unexpected("negative", call)),
    }
}
