//! Functions of series: arrays of numbers, element by element and as a whole.
//!
//! An element that is missing or not a number gives null where an element is asked for. Longs stay longs
//! where the operation allows it.

pub mod decompose;
pub mod fill;
pub mod filter;
pub mod fit;
pub mod fourier;
pub mod periods;
pub mod polynomial;
pub mod stats;

use arrow_array::ArrayRef;
use arrow_array::types::Float64Type;
use conshelf_storage::{DynamicBuilder, DynamicRef};

use super::array::elements;
use super::value::Values;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Reals, argument, dynamics, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// A number of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Long(i64),
    Real(f64),
}

impl Number {
    pub fn of(value: DynamicRef<'_>) -> Option<Number> {
        if let Some(long) = value.as_long() {
            return Some(Number::Long(long));
        }
        value.as_number().map(Number::Real)
    }

    pub fn real(self) -> f64 {
        match self {
            Number::Long(value) => value as f64,
            Number::Real(value) => value,
        }
    }

    pub fn put(self, builder: &mut DynamicBuilder) {
        match self {
            Number::Long(value) => builder.long(value),
            Number::Real(value) => builder.real(value),
        }
    }
}

/// The numbers of an array, each with `None` for what is none; `None` if it is no array.
pub(super) fn numbers_of(value: DynamicRef<'_>) -> Option<Vec<Option<Number>>> {
    Some(elements(value)?.into_iter().map(Number::of).collect())
}

/// The numbers of an array as reals; what is none is NaN.
pub(super) fn reals_of(value: DynamicRef<'_>) -> Option<Vec<f64>> {
    Some(numbers_of(value)?.into_iter().map(|number| number.map_or(f64::NAN, Number::real)).collect())
}

pub(super) fn put_reals(builder: &mut DynamicBuilder, values: &[f64]) {
    builder.begin_array();
    for value in values {
        builder.real(*value);
    }
    builder.end_array();
}

/// A series or a number that stands for a series of any length.
enum Operand {
    Series(Vec<Option<Number>>),
    Number(Option<Number>),
}

impl Operand {
    fn of(values: &Values<'_>, row: usize) -> Operand {
        let bytes = values.bytes(row);
        let value = DynamicRef::new(&bytes);
        match numbers_of(value) {
            Some(numbers) => Operand::Series(numbers),
            None => Operand::Number(Number::of(value)),
        }
    }

    fn get(&self, position: usize) -> Option<Number> {
        match self {
            Operand::Series(numbers) => numbers.get(position).copied().flatten(),
            Operand::Number(number) => *number,
        }
    }

    fn len(&self) -> Option<usize> {
        match self {
            Operand::Series(numbers) => Some(numbers.len()),
            Operand::Number(_) => None,
        }
    }
}

/// Combines two operands; as long as the longer, null if neither is a series or one is nothing.
fn zip(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    f: impl Fn(Number, Number, &mut DynamicBuilder),
) -> Result<ArrayRef> {
    let (left, right) = (Values::at(call, arguments, 0)?, Values::at(call, arguments, 1)?);
    Ok(dynamics(call.rows, |row, builder| {
        let (left, right) = (Operand::of(&left, row), Operand::of(&right, row));
        if matches!(left, Operand::Number(None)) || matches!(right, Operand::Number(None)) {
            return false;
        }
        let Some(length) = left.len().max(right.len()) else { return false };
        builder.begin_array();
        for position in 0..length {
            match (left.get(position), right.get(position)) {
                (Some(left), Some(right)) => f(left, right, builder),
                _ => builder.null(),
            }
        }
        builder.end_array();
        true
    }))
}

/// Arithmetic: of longs by `longs` (reals where that gives none), else of reals.
fn arithmetic(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    longs: impl Fn(i64, i64) -> Option<i64>,
    reals: impl Fn(f64, f64) -> f64,
) -> Result<ArrayRef> {
    zip(call, arguments, |left, right, builder| {
        let exact = match (left, right) {
            (Number::Long(left), Number::Long(right)) => longs(left, right),
            _ => None,
        };
        exact.map_or_else(|| Number::Real(reals(left.real(), right.real())), Number::Long).put(builder);
    })
}

pub fn add(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    arithmetic(call, arguments, i64::checked_add, |left, right| left + right)
}

pub fn subtract(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    arithmetic(call, arguments, i64::checked_sub, |left, right| left - right)
}

pub fn multiply(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    arithmetic(call, arguments, i64::checked_mul, |left, right| left * right)
}

pub fn divide(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    arithmetic(call, arguments, |_, _| None, |left, right| left / right)
}

pub fn pow(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    arithmetic(call, arguments, |_, _| None, f64::powf)
}

pub fn compare(call: &KernelCall<'_>, arguments: &[Datum], f: fn(&f64, &f64) -> bool) -> Result<ArrayRef> {
    zip(call, arguments, |left, right, builder| builder.bool(f(&left.real(), &right.real())))
}

/// A function of each element.
fn each(call: &KernelCall<'_>, arguments: &[Datum], f: impl Fn(Number) -> Number) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(values) = numbers_of(series.get(row)) else { return false };
        builder.begin_array();
        for value in values {
            match value {
                Some(value) => f(value).put(builder),
                None => builder.null(),
            }
        }
        builder.end_array();
        true
    }))
}

pub fn map(call: &KernelCall<'_>, arguments: &[Datum], f: fn(f64) -> f64) -> Result<ArrayRef> {
    each(call, arguments, |number| Number::Real(f(number.real())))
}

pub fn absolute(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |number| match number {
        Number::Long(value) => Number::Long(value.wrapping_abs()),
        Number::Real(value) => Number::Real(value.abs()),
    })
}

pub fn sign(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    each(call, arguments, |number| match number {
        Number::Long(value) => Number::Long(value.signum()),
        Number::Real(value) => Number::Real(if value == 0.0 { 0.0 } else { value.signum() }),
    })
}

/// One real of the numbers of a series; null if one is missing.
pub fn reduce(call: &KernelCall<'_>, arguments: &[Datum], f: fn(&[f64]) -> f64) -> Result<ArrayRef> {
    let series = Dynamics::new(argument(arguments, 0)?)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let values: Option<Vec<f64>> =
            numbers_of(series.get(row))?.into_iter().map(|number| number.map(Number::real)).collect();
        Some(f(&values?))
    }))
}

/// Pairs of numbers at one position; pairs with something else are left out.
fn pairs(left: &Operand, right: &Operand) -> Vec<(f64, f64)> {
    let length = match (left.len(), right.len()) {
        (Some(left), Some(right)) => left.min(right),
        (left, right) => left.or(right).unwrap_or(0),
    };
    (0..length)
        .filter_map(|position| Some((left.get(position)?.real(), right.get(position)?.real())))
        .collect()
}

pub fn dot_product(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = (Values::at(call, arguments, 0)?, Values::at(call, arguments, 1)?);
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (left, right) = (Operand::of(&left, row), Operand::of(&right, row));
        left.len().or(right.len())?;
        Some(pairs(&left, &right).iter().map(|(left, right)| left * right).sum())
    }))
}

pub fn cosine_similarity(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = (Values::at(call, arguments, 0)?, Values::at(call, arguments, 1)?);
    let magnitudes = match arguments {
        [_, _, left, right] => Some((Reals::new(left)?, Reals::new(right)?)),
        _ => None,
    };
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (left, right) = (Operand::of(&left, row), Operand::of(&right, row));
        left.len().and(right.len())?;
        let pairs = pairs(&left, &right);
        let dot: f64 = pairs.iter().map(|(left, right)| left * right).sum();
        let (left, right) = match &magnitudes {
            Some((left, right)) => (left.get(row)?, right.get(row)?),
            None => (
                pairs.iter().map(|(left, _)| left * left).sum::<f64>().sqrt(),
                pairs.iter().map(|(_, right)| right * right).sum::<f64>().sqrt(),
            ),
        };
        Some(dot / (left * right))
    }))
}

/// Null if the series differ in length or hold something that is not a number.
pub fn pearson_correlation(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let (left, right) = (Values::at(call, arguments, 0)?, Values::at(call, arguments, 1)?);
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (left, right) = (Operand::of(&left, row), Operand::of(&right, row));
        let pairs = pairs(&left, &right);
        if left.len()? != right.len()? || Some(pairs.len()) != left.len() || pairs.is_empty() {
            return None;
        }
        let count = pairs.len() as f64;
        let (mean_left, mean_right) = (
            pairs.iter().map(|pair| pair.0).sum::<f64>() / count,
            pairs.iter().map(|pair| pair.1).sum::<f64>() / count,
        );
        let (mut cross, mut squares_left, mut squares_right) = (0.0, 0.0, 0.0);
        for (left, right) in pairs {
            let (left, right) = (left - mean_left, right - mean_right);
            cross += left * right;
            squares_left += left * left;
            squares_right += right * right;
        }
        Some(cross / (squares_left.sqrt() * squares_right.sqrt()))
    }))
}
