//! Kernels of conversions between types. What has no meaning in the target type is null.
//!
//! Integers that do not fit wrap; reals that do not fit take the nearest integer in a column, and the
//! smallest integer where the argument is a constant, which is how the engine folds them.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, new_null_array};
use conshelf_kql::function::ConversionFunction;
use conshelf_kql::time::{MAX_DATETIME_TICKS, parse_datetime, parse_timespan};
use conshelf_kql::{Decimal, Type};
use conshelf_storage::{DynamicKind, DynamicRef};

use crate::engine::batch::arrow_type;
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{
    Bools, Bytes16, Dynamics, Ints, Longs, Numbers, Reals, Texts, argument, bytes16, decimals, dynamics,
    nullable_bools, numbers, texts,
};
use crate::engine::kernel::text;
use crate::engine::kernel::{Datum, Kernel, KernelCall};

/// The kernel of a function of the family.
pub fn kernel(function: ConversionFunction) -> Kernel {
    match function {
        ConversionFunction::ToBool => |call, arguments| first(call, arguments, Type::Bool),
        ConversionFunction::ToInt => |call, arguments| first(call, arguments, Type::Int),
        ConversionFunction::ToLong => |call, arguments| first(call, arguments, Type::Long),
        ConversionFunction::ToReal => |call, arguments| first(call, arguments, Type::Real),
        ConversionFunction::ToDecimal => |call, arguments| first(call, arguments, Type::Decimal),
        ConversionFunction::ToDateTime => |call, arguments| first(call, arguments, Type::DateTime),
        ConversionFunction::ToTimeSpan => |call, arguments| first(call, arguments, Type::TimeSpan),
        ConversionFunction::ToString => |call, arguments| first(call, arguments, Type::String),
        ConversionFunction::ToGuid => |call, arguments| first(call, arguments, Type::Guid),
        ConversionFunction::ToDynamic => |call, arguments| first(call, arguments, Type::Dynamic),
    }
}

fn first(call: &KernelCall<'_>, arguments: &[Datum], to: Type) -> Result<ArrayRef> {
    let from = call.argument_types.first().copied().unwrap_or(to);
    convert(argument(arguments, 0)?, from, to, call.rows)
}

/// A column of one type as a column of another.
pub fn convert(value: &Datum, from: Type, to: Type, rows: usize) -> Result<ArrayRef> {
    if from == to {
        return match value {
            Datum::Array(array) => Ok(array.clone()),
            Datum::Constant(array) => crate::engine::literal::repeat(array, rows),
        };
    }
    match to {
        Type::Bool => to_bool(value, from, rows),
        Type::Int => to_int(value, from, rows),
        Type::Long => to_long(value, from, rows),
        Type::Real => to_real(value, from, rows),
        Type::Decimal => to_decimal(value, from, rows),
        Type::DateTime => to_datetime(value, from, rows),
        Type::TimeSpan => to_timespan(value, from, rows),
        Type::String => to_string(value, from, rows),
        Type::Guid => to_guid(value, from, rows),
        Type::Dynamic => to_dynamic(value, from, rows),
    }
}

fn nothing(to: Type, rows: usize) -> Result<ArrayRef> {
    Ok(new_null_array(&arrow_type(to), rows))
}

fn mismatch(from: Type, to: Type) -> EngineError {
    EngineError::Internal(format!("no conversion from {from} to {to}"))
}

fn to_bool(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    Ok(match from {
        Type::Int => {
            let values = Ints::new(value)?;
            nullable_bools(rows, |row| values.get(row).map(|value| value != 0))
        }
        Type::Long | Type::TimeSpan | Type::DateTime => {
            let values = Longs::new(value)?;
            nullable_bools(rows, |row| values.get(row).map(|value| value != 0))
        }
        Type::Real => {
            let values = Reals::new(value)?;
            nullable_bools(rows, |row| values.get(row).map(|value| value != 0.0))
        }
        Type::Decimal => {
            let values = Bytes16::new(value)?;
            nullable_bools(rows, |row| values.decimal(row).map(|value| !value.is_zero()))
        }
        Type::String => {
            let values = Texts::new(value)?;
            nullable_bools(rows, |row| text::parse_bool(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            nullable_bools(rows, |row| bool_of_dynamic(values.get(row)))
        }
        Type::Guid => return nothing(Type::Bool, rows),
        Type::Bool => return Err(mismatch(from, Type::Bool)),
    })
}

fn bool_of_dynamic(value: DynamicRef<'_>) -> Option<bool> {
    match value.kind() {
        DynamicKind::Bool => value.as_bool(),
        DynamicKind::String => text::parse_bool(value.as_str()?),
        DynamicKind::Decimal => value.as_decimal().map(|(bytes, _)| !Decimal::from_bytes(bytes).is_zero()),
        _ => value.as_number().map(|value| value != 0.0),
    }
}

/// A double without its fraction, see the head of the file for what does not fit.
fn truncate_to_long(value: f64, constant: bool) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.is_nan() {
        None
    } else if constant && !(-LIMIT..LIMIT).contains(&value) {
        Some(i64::MIN)
    } else {
        Some(value as i64)
    }
}

fn truncate_to_int(value: f64, constant: bool) -> Option<i32> {
    if value.is_nan() {
        None
    } else if constant && !(-2_147_483_649.0 < value && value < 2_147_483_648.0) {
        Some(i32::MIN)
    } else {
        Some(value as i32)
    }
}

fn to_int(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    let constant = matches!(value, Datum::Constant(_));
    Ok(match from {
        Type::Bool => {
            let values = Bools::new(value)?;
            numbers::<Int32Type>(rows, |row| values.get(row).map(i32::from))
        }
        Type::Long | Type::TimeSpan | Type::DateTime => {
            let values = Longs::new(value)?;
            numbers::<Int32Type>(rows, |row| values.get(row).map(|value| value as i32))
        }
        Type::Real => {
            let values = Reals::new(value)?;
            numbers::<Int32Type>(rows, |row| truncate_to_int(values.get(row)?, constant))
        }
        Type::Decimal => {
            let values = Bytes16::new(value)?;
            numbers::<Int32Type>(rows, |row| i32::try_from(values.decimal(row)?.to_i64()?).ok())
        }
        Type::String => {
            let values = Texts::new(value)?;
            numbers::<Int32Type>(rows, |row| i32::try_from(text::parse_long(values.get(row))?).ok())
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            numbers::<Int32Type>(rows, |row| {
                let value = values.get(row);
                match value.as_real() {
                    Some(real) => truncate_to_int(real, false),
                    None if value.kind() == DynamicKind::String => {
                        i32::try_from(text::parse_long(value.as_str()?)?).ok()
                    }
                    None => long_of_dynamic(value).map(|value| value as i32),
                }
            })
        }
        Type::Guid => return nothing(Type::Int, rows),
        Type::Int => return Err(mismatch(from, Type::Int)),
    })
}

fn long_of_dynamic(value: DynamicRef<'_>) -> Option<i64> {
    match value.kind() {
        DynamicKind::Long => value.as_long(),
        DynamicKind::Real => truncate_to_long(value.as_real()?, false),
        DynamicKind::Bool => value.as_bool().map(i64::from),
        DynamicKind::String => text::parse_long(value.as_str()?),
        DynamicKind::Decimal => Decimal::from_bytes(value.as_decimal()?.0).to_i64(),
        DynamicKind::DateTime => value.as_datetime(),
        DynamicKind::TimeSpan => value.as_timespan(),
        _ => None,
    }
}

fn to_long(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    let constant = matches!(value, Datum::Constant(_));
    Ok(match from {
        Type::Bool => {
            let values = Bools::new(value)?;
            numbers::<Int64Type>(rows, |row| values.get(row).map(i64::from))
        }
        Type::Int => widened::<Int32Type, Int64Type>(value, rows, i64::from)?,
        Type::TimeSpan | Type::DateTime => return convert(value, Type::Long, Type::Long, rows),
        Type::Real => {
            let values = Reals::new(value)?;
            numbers::<Int64Type>(rows, |row| truncate_to_long(values.get(row)?, constant))
        }
        Type::Decimal => {
            let values = Bytes16::new(value)?;
            numbers::<Int64Type>(rows, |row| values.decimal(row)?.to_i64())
        }
        Type::String => {
            let values = Texts::new(value)?;
            numbers::<Int64Type>(rows, |row| text::parse_long(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            numbers::<Int64Type>(rows, |row| long_of_dynamic(values.get(row)))
        }
        Type::Guid => return nothing(Type::Long, rows),
        Type::Long => return Err(mismatch(from, Type::Long)),
    })
}

/// A conversion that always succeeds, without a branch per row.
fn widened<A, R>(value: &Datum, rows: usize, f: impl Fn(A::Native) -> R::Native) -> Result<ArrayRef>
where
    A: arrow_array::ArrowPrimitiveType,
    R: arrow_array::ArrowPrimitiveType,
{
    if let Datum::Constant(_) = value {
        let values = Numbers::<A>::new(value)?;
        return Ok(numbers::<R>(rows, |row| values.get(row).map(&f)));
    }
    crate::engine::kernel::access::map_numbers::<A, R>(value, f)
}

fn real_of_dynamic(value: DynamicRef<'_>) -> Option<f64> {
    match value.kind() {
        DynamicKind::Long | DynamicKind::Real => value.as_number(),
        DynamicKind::Bool => value.as_bool().map(|value| f64::from(u8::from(value))),
        DynamicKind::String => text::parse_real(value.as_str()?),
        DynamicKind::Decimal => Some(Decimal::from_bytes(value.as_decimal()?.0).to_f64()),
        DynamicKind::DateTime => value.as_datetime().map(|ticks| ticks as f64),
        DynamicKind::TimeSpan => value.as_timespan().map(|ticks| ticks as f64),
        _ => None,
    }
}

fn to_real(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    Ok(match from {
        Type::Bool => {
            let values = Bools::new(value)?;
            numbers::<Float64Type>(rows, |row| values.get(row).map(|value| f64::from(u8::from(value))))
        }
        Type::Int => widened::<Int32Type, Float64Type>(value, rows, f64::from)?,
        Type::Long | Type::TimeSpan | Type::DateTime => {
            widened::<Int64Type, Float64Type>(value, rows, |value| value as f64)?
        }
        Type::Decimal => {
            let values = Bytes16::new(value)?;
            numbers::<Float64Type>(rows, |row| values.decimal(row).map(Decimal::to_f64))
        }
        Type::String => {
            let values = Texts::new(value)?;
            numbers::<Float64Type>(rows, |row| text::parse_real(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            numbers::<Float64Type>(rows, |row| real_of_dynamic(values.get(row)))
        }
        Type::Guid => return nothing(Type::Real, rows),
        Type::Real => return Err(mismatch(from, Type::Real)),
    })
}

fn to_decimal(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    match from {
        Type::Bool => {
            let values = Bools::new(value)?;
            decimals(rows, |row| values.get(row).map(|value| Decimal::from(i64::from(value))))
        }
        Type::Int => {
            let values = Ints::new(value)?;
            decimals(rows, |row| values.get(row).map(|value| Decimal::from(i64::from(value))))
        }
        Type::Long | Type::TimeSpan | Type::DateTime => {
            let values = Longs::new(value)?;
            decimals(rows, |row| values.get(row).map(Decimal::from))
        }
        Type::Real => {
            let values = Reals::new(value)?;
            decimals(rows, |row| Decimal::from_f64(values.get(row)?))
        }
        Type::String => {
            let values = Texts::new(value)?;
            decimals(rows, |row| Decimal::parse(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            decimals(rows, |row| {
                let value = values.get(row);
                match value.kind() {
                    DynamicKind::Decimal => value.as_decimal().map(|(bytes, _)| Decimal::from_bytes(bytes)),
                    DynamicKind::Real => Decimal::from_f64(value.as_real()?),
                    DynamicKind::String => Decimal::parse(value.as_str()?),
                    _ => long_of_dynamic(value).map(Decimal::from),
                }
            })
        }
        Type::Guid => nothing(Type::Decimal, rows),
        Type::Decimal => Err(mismatch(from, Type::Decimal)),
    }
}

fn in_calendar(ticks: i64) -> Option<i64> {
    (0..=MAX_DATETIME_TICKS).contains(&ticks).then_some(ticks)
}

fn to_datetime(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    Ok(match from {
        Type::Int => {
            let values = Ints::new(value)?;
            numbers::<Int64Type>(rows, |row| in_calendar(i64::from(values.get(row)?)))
        }
        Type::Long | Type::TimeSpan => {
            let values = Longs::new(value)?;
            numbers::<Int64Type>(rows, |row| in_calendar(values.get(row)?))
        }
        Type::Real => {
            let values = Reals::new(value)?;
            numbers::<Int64Type>(rows, |row| in_calendar(truncate_to_long(values.get(row)?, false)?))
        }
        Type::Decimal => {
            let values = Bytes16::new(value)?;
            numbers::<Int64Type>(rows, |row| in_calendar(values.decimal(row)?.to_i64()?))
        }
        Type::String => {
            let values = Texts::new(value)?;
            numbers::<Int64Type>(rows, |row| parse_datetime(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            numbers::<Int64Type>(rows, |row| {
                let value = values.get(row);
                match value.kind() {
                    DynamicKind::DateTime => value.as_datetime(),
                    DynamicKind::String => parse_datetime(value.as_str()?),
                    DynamicKind::Long | DynamicKind::Real => in_calendar(long_of_dynamic(value)?),
                    _ => None,
                }
            })
        }
        Type::Bool | Type::Guid => return nothing(Type::DateTime, rows),
        Type::DateTime => return Err(mismatch(from, Type::DateTime)),
    })
}

fn to_timespan(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    Ok(match from {
        Type::Int => widened::<Int32Type, Int64Type>(value, rows, i64::from)?,
        Type::Long | Type::DateTime => return convert(value, Type::Long, Type::Long, rows),
        Type::Real => {
            let values = Reals::new(value)?;
            numbers::<Int64Type>(rows, |row| truncate_to_long(values.get(row)?, false))
        }
        Type::Decimal => {
            let values = Bytes16::new(value)?;
            numbers::<Int64Type>(rows, |row| values.decimal(row)?.to_i64())
        }
        Type::String => {
            let values = Texts::new(value)?;
            numbers::<Int64Type>(rows, |row| parse_timespan(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            numbers::<Int64Type>(rows, |row| {
                let value = values.get(row);
                match value.kind() {
                    DynamicKind::TimeSpan => value.as_timespan(),
                    DynamicKind::String => parse_timespan(value.as_str()?),
                    DynamicKind::Long | DynamicKind::Real => long_of_dynamic(value),
                    _ => None,
                }
            })
        }
        Type::Bool | Type::Guid => return nothing(Type::TimeSpan, rows),
        Type::TimeSpan => return Err(mismatch(from, Type::TimeSpan)),
    })
}

/// Prints the values of a column, row by row, without looking at its type each time.
pub enum Printer<'a> {
    Bool(Bools<'a>),
    Int(Ints<'a>),
    Long(Longs<'a>),
    Real(Reals<'a>),
    Decimal(Bytes16<'a>),
    DateTime(Longs<'a>),
    TimeSpan(Longs<'a>),
    Text(Texts<'a>),
    Guid(Bytes16<'a>),
    Dynamic(Dynamics<'a>),
}

impl<'a> Printer<'a> {
    pub fn new(value: &'a Datum, ty: Type) -> Result<Printer<'a>> {
        Ok(match ty {
            Type::Bool => Printer::Bool(Bools::new(value)?),
            Type::Int => Printer::Int(Ints::new(value)?),
            Type::Long => Printer::Long(Longs::new(value)?),
            Type::Real => Printer::Real(Reals::new(value)?),
            Type::Decimal => Printer::Decimal(Bytes16::new(value)?),
            Type::DateTime => Printer::DateTime(Longs::new(value)?),
            Type::TimeSpan => Printer::TimeSpan(Longs::new(value)?),
            Type::String => Printer::Text(Texts::new(value)?),
            Type::Guid => Printer::Guid(Bytes16::new(value)?),
            Type::Dynamic => Printer::Dynamic(Dynamics::new(value)?),
        })
    }

    /// Appends the value of a row as `tostring` gives it; nothing for null.
    #[inline]
    pub fn print(&self, row: usize, out: &mut String) {
        match self {
            Printer::Text(values) => out.push_str(values.get(row)),
            Printer::Bool(values) => {
                values.get(row).into_iter().for_each(|value| text::print_bool(value, out))
            }
            Printer::Int(values) => {
                values.get(row).into_iter().for_each(|value| text::print_long(i64::from(value), out));
            }
            Printer::Long(values) => {
                values.get(row).into_iter().for_each(|value| text::print_long(value, out))
            }
            Printer::Real(values) => {
                values.get(row).into_iter().for_each(|value| text::print_real(value, out))
            }
            Printer::Decimal(values) => {
                values.decimal(row).into_iter().for_each(|value| out.push_str(&value.to_string()));
            }
            Printer::DateTime(values) => {
                values.get(row).into_iter().for_each(|value| text::print_datetime(value, out));
            }
            Printer::TimeSpan(values) => {
                values.get(row).into_iter().for_each(|value| text::print_timespan(value, out));
            }
            Printer::Guid(values) => {
                values.get(row).into_iter().for_each(|value| text::print_guid(value, out))
            }
            Printer::Dynamic(values) => text::print_dynamic(values.get(row), out),
        }
    }
}

fn to_string(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    let printer = Printer::new(value, from)?;
    Ok(texts(rows, |row, out| printer.print(row, out)))
}

fn to_guid(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    match from {
        Type::String => {
            let values = Texts::new(value)?;
            bytes16(rows, |row| text::parse_guid(values.get(row)))
        }
        Type::Dynamic => {
            let values = Dynamics::new(value)?;
            bytes16(rows, |row| {
                let value = values.get(row);
                value.as_guid().or_else(|| text::parse_guid(value.as_str()?))
            })
        }
        Type::Guid => Err(mismatch(from, Type::Guid)),
        _ => nothing(Type::Guid, rows),
    }
}

fn to_dynamic(value: &Datum, from: Type, rows: usize) -> Result<ArrayRef> {
    macro_rules! wrap {
        ($accessor:ident, $value:ident, $builder:ident => $append:expr) => {{
            let values = $accessor::new(value)?;
            dynamics(rows, |row, $builder| match values.get(row) {
                Some($value) => {
                    $append;
                    true
                }
                None => false,
            })
        }};
    }
    Ok(match from {
        Type::Bool => wrap!(Bools, value, builder => builder.bool(value)),
        Type::Int => wrap!(Ints, value, builder => builder.long(i64::from(value))),
        Type::Long => wrap!(Longs, value, builder => builder.long(value)),
        Type::Real => wrap!(Reals, value, builder => builder.real(value)),
        Type::DateTime => wrap!(Longs, value, builder => builder.datetime(value)),
        Type::TimeSpan => wrap!(Longs, value, builder => builder.timespan(value)),
        Type::Guid => wrap!(Bytes16, value, builder => builder.guid(value)),
        Type::Decimal => wrap!(Bytes16, value, builder => {
            builder.decimal(value, &Decimal::from_bytes(value).to_string());
        }),
        Type::String => {
            let values = Texts::new(value)?;
            dynamics(rows, |row, builder| {
                builder.string(values.get(row));
                true
            })
        }
        Type::Dynamic => Arc::clone(value.parts().0),
    })
}
