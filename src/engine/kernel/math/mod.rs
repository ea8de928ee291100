//! Kernels of numeric functions.
//!
//! `bins` rounds down to multiples, `special` holds the functions of mathematical statistics, `units` converts
//! units of measure.

mod bins;
mod random;
pub mod special;
mod units;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array};
use conshelf_kql::function::MathFunction;
use conshelf_kql::{Decimal, Type};
use conshelf_storage::DynamicRef;

use crate::engine::aggregate::{number_of, read_digest};
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{
    Bytes16, Dynamics, Longs, Reals, argument, bools, decimals, map_numbers, nullable_bools, numbers,
    try_zip_numbers, zip_numbers,
};
use crate::engine::kernel::{Datum, Kernel, KernelCall};
use special::{beta_cdf, beta_inverse, beta_pdf, erf, erfc, gamma, log_gamma, welch_test};
use units::Measure;

/// The kernel of a function of the family.
pub fn kernel(function: MathFunction) -> Kernel {
    use MathFunction::*;
    match function {
        Abs => absolute,
        Bin => bins::bin,
        BinAt => bins::bin_at,
        Ceiling => ceiling,
        Round => round,
        Sign => |call, arguments| {
            real(call, arguments, |value| {
                if value > 0.0 {
                    1.0
                } else if value < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            })
        },
        Sqrt => |call, arguments| real(call, arguments, f64::sqrt),
        Pow => |call, arguments| two_reals(call, arguments, f64::powf),
        Exp => |call, arguments| real(call, arguments, f64::exp),
        Exp2 => |call, arguments| real(call, arguments, f64::exp2),
        Exp10 => |call, arguments| real(call, arguments, |value| 10f64.powf(value)),
        Log => |call, arguments| real(call, arguments, f64::ln),
        Log2 => |call, arguments| real(call, arguments, f64::log2),
        Log10 => |call, arguments| real(call, arguments, f64::log10),
        LogGamma => |call, arguments| real(call, arguments, log_gamma),
        Gamma => |call, arguments| real(call, arguments, gamma),
        Erf => |call, arguments| real(call, arguments, erf),
        Erfc => |call, arguments| real(call, arguments, erfc),
        Sin => |call, arguments| real(call, arguments, f64::sin),
        Cos => |call, arguments| real(call, arguments, f64::cos),
        Tan => |call, arguments| real(call, arguments, f64::tan),
        Cot => |call, arguments| real(call, arguments, |value| 1.0 / value.tan()),
        Asin => |call, arguments| real(call, arguments, f64::asin),
        Acos => |call, arguments| real(call, arguments, f64::acos),
        Atan => |call, arguments| real(call, arguments, f64::atan),
        Atan2 => |call, arguments| two_reals(call, arguments, f64::atan2),
        Degrees => |call, arguments| real(call, arguments, |value| value * (180.0 / std::f64::consts::PI)),
        Radians => |call, arguments| real(call, arguments, |value| value * (std::f64::consts::PI / 180.0)),
        Pi => |call, _| Ok(Arc::new(Float64Array::from(vec![std::f64::consts::PI; call.rows]))),
        IsNan => |call, arguments| test(call, arguments, f64::is_nan),
        IsInf => |call, arguments| test(call, arguments, f64::is_infinite),
        IsFinite => |call, arguments| test(call, arguments, f64::is_finite),
        Rand => random::rand,
        Around => around,
        ConvertAngle => |call, arguments| units::convert(call, arguments, Measure::Angle),
        ConvertEnergy => |call, arguments| units::convert(call, arguments, Measure::Energy),
        ConvertForce => |call, arguments| units::convert(call, arguments, Measure::Force),
        ConvertLength => |call, arguments| units::convert(call, arguments, Measure::Length),
        ConvertMass => |call, arguments| units::convert(call, arguments, Measure::Mass),
        ConvertSpeed => |call, arguments| units::convert(call, arguments, Measure::Speed),
        ConvertTemperature => |call, arguments| units::convert(call, arguments, Measure::Temperature),
        ConvertVolume => |call, arguments| units::convert(call, arguments, Measure::Volume),
        BinaryAnd => |call, arguments| two_longs(call, arguments, |left, right| Some(left & right)),
        BinaryOr => |call, arguments| two_longs(call, arguments, |left, right| Some(left | right)),
        BinaryXor => |call, arguments| two_longs(call, arguments, |left, right| Some(left ^ right)),
        BinaryNot => {
            |_, arguments| map_numbers::<Int64Type, Int64Type>(argument(arguments, 0)?, |value| !value)
        }
        BinaryShiftLeft => |call, arguments| {
            two_longs(call, arguments, |value, shift| {
                (shift >= 0).then(|| value.wrapping_shl((shift % 64) as u32))
            })
        },
        BinaryShiftRight => |call, arguments| {
            two_longs(call, arguments, |value, shift| {
                (shift >= 0).then(|| value.wrapping_shr((shift % 64) as u32))
            })
        },
        BitsetCountOnes => |_, arguments| {
            map_numbers::<Int64Type, Int64Type>(argument(arguments, 0)?, |value| {
                i64::from(value.count_ones())
            })
        },
        BetaCdf => |call, arguments| three_reals(call, arguments, |x, a, b| Some(beta_cdf(x, a, b))),
        BetaInv => |call, arguments| three_reals(call, arguments, beta_inverse),
        BetaPdf => |call, arguments| three_reals(call, arguments, |x, a, b| Some(beta_pdf(x, a, b))),
        WelchTest => welch,
        PercentRankTdigest => |call, arguments| rank_in_digest(call, arguments, true),
        RankTdigest => |call, arguments| rank_in_digest(call, arguments, false),
    }
}

/// Whether a value lies in [center - delta, center + delta].
fn around(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if call.argument_types.first() == Some(&Type::Real) {
        let [value, center, delta] = reals(arguments)?;
        return Ok(nullable_bools(call.rows, |row| {
            let (value, center, delta) = (value.get(row)?, center.get(row)?, delta.get(row)?);
            Some(value >= center - delta && value <= center + delta)
        }));
    }
    let value = Longs::new(argument(arguments, 0)?)?;
    let center = Longs::new(argument(arguments, 1)?)?;
    let delta = Longs::new(argument(arguments, 2)?)?;
    Ok(nullable_bools(call.rows, |row| {
        let (value, center, delta) = (value.get(row)?, center.get(row)?, delta.get(row)?);
        Some(value >= center.saturating_sub(delta) && value <= center.saturating_add(delta))
    }))
}

fn reals(arguments: &[Datum]) -> Result<[Reals<'_>; 3]> {
    Ok([
        Reals::new(argument(arguments, 0)?)?,
        Reals::new(argument(arguments, 1)?)?,
        Reals::new(argument(arguments, 2)?)?,
    ])
}

/// A function of one real: constants and columns alike.
fn real(call: &KernelCall<'_>, arguments: &[Datum], f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    let datum = argument(arguments, 0)?;
    spread(call, datum, map_numbers::<Float64Type, Float64Type>(datum, f)?)
}

/// A result computed from the one row of a constant, repeated for all rows.
fn spread(call: &KernelCall<'_>, datum: &Datum, result: ArrayRef) -> Result<ArrayRef> {
    match datum {
        Datum::Array(_) => Ok(result),
        Datum::Constant(_) if call.rows == 1 => Ok(result),
        Datum::Constant(_) => {
            let rows = arrow_array::UInt32Array::from(vec![0u32; call.rows]);
            arrow_select::take::take(&result, &rows, None)
                .map_err(|error| EngineError::Internal(error.to_string()))
        }
    }
}

fn two_reals(call: &KernelCall<'_>, arguments: &[Datum], f: impl Fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (argument(arguments, 0)?, argument(arguments, 1)?);
    zip_numbers::<Float64Type, Float64Type, Float64Type>(left, right, call.rows, f)
}

fn three_reals(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    f: impl Fn(f64, f64, f64) -> Option<f64>,
) -> Result<ArrayRef> {
    let [first, second, third] = reals(arguments)?;
    Ok(numbers::<Float64Type>(call.rows, |row| f(first.get(row)?, second.get(row)?, third.get(row)?)))
}

fn two_longs(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    f: impl Fn(i64, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let (left, right) = (argument(arguments, 0)?, argument(arguments, 1)?);
    try_zip_numbers::<Int64Type, Int64Type, Int64Type>(left, right, call.rows, f)
}

fn test(call: &KernelCall<'_>, arguments: &[Datum], f: impl Fn(f64) -> bool) -> Result<ArrayRef> {
    let values = Reals::new(argument(arguments, 0)?)?;
    Ok(bools(call.rows, |row| f(values.raw(row))))
}

fn unsupported(name: &str, call: &KernelCall<'_>) -> EngineError {
    let types = call.argument_types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
    EngineError::NotSupported(format!("{name}({types})"))
}

fn absolute(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let datum = argument(arguments, 0)?;
    let result = match call.argument_types.first() {
        Some(Type::Int) => map_numbers::<Int32Type, Int64Type>(datum, |value| i64::from(value).abs())?,
        Some(Type::Long | Type::TimeSpan) => map_numbers::<Int64Type, Int64Type>(datum, i64::wrapping_abs)?,
        Some(Type::Real) => map_numbers::<Float64Type, Float64Type>(datum, f64::abs)?,
        Some(Type::Decimal) => {
            let values = Bytes16::new(datum)?;
            return decimals(call.rows, |row| values.decimal(row).map(Decimal::absolute));
        }
        _ => return Err(unsupported("abs", call)),
    };
    spread(call, datum, result)
}

fn ceiling(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if call.argument_types.first() == Some(&Type::Decimal) {
        let values = Bytes16::new(argument(arguments, 0)?)?;
        return decimals(call.rows, |row| {
            values.decimal(row).map(|value| value.negated().floored().negated())
        });
    }
    real(call, arguments, f64::ceil)
}

/// Halves go away from zero, as the reference's `round(2.15, 1)` = 2.2 has it.
pub(super) fn round_real(value: f64, digits: i64) -> f64 {
    if !value.is_finite() || digits > 15 {
        return value;
    }
    let scale = 10f64.powi(digits.unsigned_abs().min(308) as i32);
    round_scaled(value, digits, scale)
}

/// `scale` is the power of ten of the digits.
#[inline]
fn round_scaled(value: f64, digits: i64, scale: f64) -> f64 {
    if !value.is_finite() || digits > 15 {
        return value;
    }
    let round = bins::round_half;
    let rounded = if digits >= 0 { round(value * scale) / scale } else { round(value / scale) * scale };
    if rounded.is_finite() { rounded } else { value }
}

fn round_decimal(value: Decimal, digits: i64) -> Decimal {
    let exponent = i16::try_from(digits.clamp(-100, 100)).unwrap_or(0);
    let scale = Decimal::new(1, exponent);
    let half = Decimal::new(5, -1);
    let scaled = value.absolute().times(scale).plus(half).floored();
    let rounded = scaled.times(Decimal::new(1, -exponent));
    if value.is_negative() { rounded.negated() } else { rounded }
}

fn round(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let datum = argument(arguments, 0)?;
    let digits = match arguments.get(1) {
        Some(datum) => Some(Longs::new(datum)?),
        None => None,
    };
    let digits_of = |row| digits.as_ref().map_or(Some(0), |digits| digits.get(row));
    if call.argument_types.first() == Some(&Type::Decimal) {
        let values = Bytes16::new(datum)?;
        return decimals(call.rows, |row| Some(round_decimal(values.decimal(row)?, digits_of(row)?)));
    }
    let constant = digits.as_ref().map_or(Some(Some(0)), |digits| digits.constant());
    if let (Datum::Array(_), Some(Some(digits))) = (datum, constant) {
        let scale = 10f64.powi(digits.unsigned_abs().min(308) as i32);
        return map_numbers::<Float64Type, Float64Type>(datum, |value| round_scaled(value, digits, scale));
    }
    let values = Reals::new(datum)?;
    Ok(numbers::<Float64Type>(call.rows, |row| Some(round_real(values.get(row)?, digits_of(row)?))))
}

fn welch(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let columns = (0..6).map(|i| Reals::new(argument(arguments, i)?)).collect::<Result<Vec<_>>>()?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let mut values = [0.0; 6];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column.get(row)?;
        }
        Some(welch_test(values))
    }))
}

/// A value of any type with an order as a number.
fn as_number(datum: &Datum, ty: Type, row: usize) -> Option<f64> {
    let (array, constant) = datum.parts();
    let row = if constant { 0 } else { row };
    if array.is_null(row) {
        return None;
    }
    let any = array.as_any();
    match ty {
        Type::Real => any.downcast_ref::<Float64Array>().map(|array| array.value(row)),
        Type::Long | Type::DateTime | Type::TimeSpan => {
            any.downcast_ref::<Int64Array>().map(|array| array.value(row) as f64)
        }
        Type::Int => any.downcast_ref::<arrow_array::Int32Array>().map(|array| f64::from(array.value(row))),
        Type::Decimal => Bytes16::new(datum).ok()?.decimal(row).map(Decimal::to_f64),
        Type::Dynamic => number_of(Dynamics::new(datum).ok()?.get(row)),
        Type::Bool | Type::String | Type::Guid => None,
    }
}

fn rank_in_digest(call: &KernelCall<'_>, arguments: &[Datum], percent: bool) -> Result<ArrayRef> {
    let digests = Dynamics::new(argument(arguments, 0)?)?;
    let (datum, ty) = (argument(arguments, 1)?, call.argument_types.get(1).copied().unwrap_or(Type::Real));
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let digest: DynamicRef<'_> = digests.get(row);
        let value = as_number(datum, ty, row)?;
        let (mut below, mut total) = (0.0, 0.0);
        for (centroid, weight) in read_digest(digest)?.parts() {
            total += weight;
            below += if centroid <= value { weight } else { 0.0 };
        }
        if total == 0.0 {
            return None;
        }
        Some(if percent { below / total * 100.0 } else { below })
    }))
}
