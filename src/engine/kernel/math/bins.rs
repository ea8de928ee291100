//! `bin` and `bin_at`: rounding down to a multiple of a size, below zero as well. A size that is not
//! positive gives null.

use std::cell::Cell;
use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use conshelf_kql::{Decimal, Type};

use super::unsupported;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Bytes16, Numbers, argument, decimals, map_numbers, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// The last tick of the year 9999.
const MAX_DATETIME: i64 = conshelf_storage::ticks::MAX_DATETIME_TICKS;

/// Numbers that can be rounded down to a multiple of a size from a start.
trait Binned: ArrowPrimitiveType + Sized {
    fn bin(value: Self::Native, size: Self::Native, start: Self::Native) -> Option<Self::Native>;
    /// Whether every value has a bin of that size counted from zero, so that no null can arise.
    fn is_plain(size: Self::Native) -> bool;
    const ZERO: Self::Native;
    /// The bins of all values, which have one each.
    fn bins(values: &Datum, size: Self::Native) -> Result<ArrayRef> {
        map_numbers::<Self, Self>(values, |value| Self::bin(value, size, Self::ZERO).unwrap_or(value))
    }
}

impl Binned for Int64Type {
    #[inline]
    fn bin(value: i64, size: i64, start: i64) -> Option<i64> {
        if size <= 0 {
            return None;
        }
        let distance = value.checked_sub(start)?;
        value.checked_sub(distance.rem_euclid(size))
    }
    fn is_plain(size: i64) -> bool {
        size > 0
    }
    const ZERO: i64 = 0;
    /// Times come in order, so that a value is mostly in the bin of the one before: a comparison, no division.
    fn bins(values: &Datum, size: i64) -> Result<ArrayRef> {
        let bin = Cell::new(0);
        map_numbers::<Int64Type, Int64Type>(values, |value| {
            if value < bin.get() || value.wrapping_sub(bin.get()) as u64 >= size as u64 {
                match Int64Type::bin(value, size, 0) {
                    Some(start) => bin.set(start),
                    None => return value,
                }
            }
            bin.get()
        })
    }
}

impl Binned for Int32Type {
    #[inline]
    fn bin(value: i32, size: i32, start: i32) -> Option<i32> {
        let bin = Int64Type::bin(i64::from(value), i64::from(size), i64::from(start))?;
        i32::try_from(bin).ok()
    }
    fn is_plain(size: i32) -> bool {
        size > 0
    }
    const ZERO: i32 = 0;
}

impl Binned for Float64Type {
    #[inline]
    fn bin(value: f64, size: f64, start: f64) -> Option<f64> {
        if size.is_nan() || size <= 0.0 {
            return None;
        }
        Some(floor((value - start) / size) * size + start)
    }
    fn is_plain(size: f64) -> bool {
        size > 0.0
    }
    const ZERO: f64 = 0.0;
}

/// Below this a double may have a fraction, and twice as much can be added to it without losing a whole.
const WHOLE: f64 = (1u64 << 51) as f64;

/// `f64::floor` by additions: not all processors that the program runs on have an instruction for it.
#[inline]
pub(super) fn floor(value: f64) -> f64 {
    if value.abs() >= WHOLE || value.is_nan() || value == 0.0 {
        return value.floor();
    }
    let nearest = (value + 3.0 * WHOLE) - 3.0 * WHOLE;
    if nearest > value { nearest - 1.0 } else { nearest }
}

/// `f64::round` likewise: halves go away from zero.
#[inline]
pub(super) fn round_half(value: f64) -> f64 {
    if value.abs() >= WHOLE || value.is_nan() {
        return value.round();
    }
    let whole = floor(value.abs());
    let rounded = if value.abs() - whole >= 0.5 { whole + 1.0 } else { whole };
    rounded.copysign(value)
}

fn bin_numbers<T: Binned>(call: &KernelCall<'_>, arguments: &[Datum], is_datetime: bool) -> Result<ArrayRef> {
    let value = argument(arguments, 0)?;
    let values = Numbers::<T>::new(value)?;
    let sizes = Numbers::<T>::new(argument(arguments, 1)?)?;
    let start = match arguments.get(2) {
        Some(datum) => Some(Numbers::<T>::new(datum)?),
        None => None,
    };
    // The hot case, `bin(column, constant)`: no nulls of our own, one tight loop.
    if let (Datum::Array(_), Some(Some(size)), None) = (value, sizes.constant(), &start)
        && T::is_plain(size)
    {
        return T::bins(value, size);
    }
    let bin = |row: usize| {
        let start = match &start {
            Some(start) => start.get(row)?,
            None => T::ZERO,
        };
        T::bin(values.get(row)?, sizes.get(row)?, start)
    };
    let result = numbers::<T>(call.rows, bin);
    Ok(if is_datetime { within_calendar(result) } else { result })
}

/// Bins of datetimes that fall before year 1 do not exist.
fn within_calendar(array: ArrayRef) -> ArrayRef {
    let Some(ticks) = array.as_any().downcast_ref::<PrimitiveArray<Int64Type>>() else { return array };
    let inside = |ticks: Option<i64>| ticks.filter(|ticks| (0..=MAX_DATETIME).contains(ticks));
    Arc::new(ticks.iter().map(inside).collect::<PrimitiveArray<Int64Type>>())
}

fn bin_decimal(value: Decimal, size: Decimal, start: Decimal) -> Option<Decimal> {
    if size.is_negative() || size.is_zero() {
        return None;
    }
    Some(value.minus(start).divided_by(size)?.floored().times(size).plus(start))
}

/// `bin(value, size)`.
pub fn bin(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    match call.argument_types.first() {
        Some(Type::Int) => bin_numbers::<Int32Type>(call, arguments, false),
        Some(Type::Long | Type::TimeSpan) => bin_numbers::<Int64Type>(call, arguments, false),
        Some(Type::DateTime) => bin_numbers::<Int64Type>(call, arguments, true),
        Some(Type::Real) => bin_numbers::<Float64Type>(call, arguments, false),
        Some(Type::Decimal) => {
            let values = Bytes16::new(argument(arguments, 0)?)?;
            let sizes = Bytes16::new(argument(arguments, 1)?)?;
            let start = match arguments.get(2) {
                Some(datum) => Some(Bytes16::new(datum)?),
                None => None,
            };
            decimals(call.rows, |row| {
                let start = match &start {
                    Some(start) => start.decimal(row)?,
                    None => Decimal::ZERO,
                };
                bin_decimal(values.decimal(row)?, sizes.decimal(row)?, start)
            })
        }
        _ => Err(unsupported("bin", call)),
    }
}

/// `bin_at(value, size, fixed point)`.
pub fn bin_at(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    bin(call, arguments)
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::{Array, Int64Array};

    use super::*;

    #[test]
    fn bins_of_a_column_are_the_bins_of_its_values() {
        let values = [
            0,
            1,
            599,
            600,
            601,
            1200,
            599,
            -1,
            -600,
            -601,
            0,
            i64::MAX,
            i64::MIN,
            i64::MIN + 5,
            7,
            i64::MAX - 1,
        ];
        for size in [1, 7, 600, 1 << 40, i64::MAX] {
            let column = Datum::Array(Arc::new(Int64Array::from(values.to_vec())));
            let bins = Int64Type::bins(&column, size).expect("a column of longs");
            let expected: Vec<i64> =
                values.iter().map(|value| Int64Type::bin(*value, size, 0).unwrap_or(*value)).collect();
            assert_eq!(bins.as_primitive::<Int64Type>().values(), &expected[..], "{size}");
            assert_eq!(bins.null_count(), 0);
        }
    }
}

#[cfg(test)]
mod rounding_tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounding_is_that_of_the_standard_library(value in any::<f64>(), whole in -1000i64..1000, steps in -2i64..3) {
            let near = |base: f64| f64::from_bits((base.to_bits() as i64 + steps) as u64);
            let whole = whole as f64;
            let others = [near(whole), near(whole + 0.5), near(whole * 1e12), near(WHOLE + whole), near(whole / 3.0)];
            for value in [value].into_iter().chain(others) {
                for value in [value, -value] {
                    let same = |ours: f64, theirs: f64| ours.to_bits() == theirs.to_bits() || theirs.is_nan();
                    prop_assert!(same(floor(value), value.floor()), "floor {}", value);
                    prop_assert!(same(round_half(value), value.round()), "round {}", value);
                }
            }
        }
    }
}
