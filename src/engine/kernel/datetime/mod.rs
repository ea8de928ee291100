//! Kernels of date and time functions. All in ticks since 0001-01-01T00:00:00Z; what falls outside the
//! years 1 to 9999 is null.
//!
//! `calendar` computes with civil dates, `format` prints by patterns, `zone` knows time zones.

mod calendar;
mod format;
mod zone;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array};
use conshelf_kql::Type;
use conshelf_kql::function::DateTimeFunction;
use conshelf_kql::time::{parse_datetime, parse_timespan};
use conshelf_storage::ticks::{
    MAX_DATETIME_TICKS, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, UNIX_EPOCH_TICKS,
};

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Longs, Reals, Texts, argument, numbers, texts};
use crate::engine::kernel::{Datum, Kernel, KernelCall};
use calendar::Unit;

pub use calendar::Period;

/// The kernel of a function of the family.
pub fn kernel(function: DateTimeFunction) -> Kernel {
    use DateTimeFunction::*;
    match function {
        Now => |call, arguments| shifted_now(call, arguments, 1),
        Ago => |call, arguments| shifted_now(call, arguments, -1),
        StartOfDay => |call, arguments| start(call, arguments, Period::Day),
        StartOfWeek => |call, arguments| start(call, arguments, Period::Week),
        StartOfMonth => |call, arguments| start(call, arguments, Period::Month),
        StartOfYear => |call, arguments| start(call, arguments, Period::Year),
        EndOfDay => |call, arguments| end(call, arguments, Period::Day),
        EndOfWeek => |call, arguments| end(call, arguments, Period::Week),
        EndOfMonth => |call, arguments| end(call, arguments, Period::Month),
        EndOfYear => |call, arguments| end(call, arguments, Period::Year),
        DayOfWeek => day_of_week,
        DayOfMonth => |call, arguments| part(call, arguments, Unit::Day),
        DayOfYear => |call, arguments| part(call, arguments, Unit::DayOfYear),
        MonthOfYear | GetMonth => |call, arguments| part(call, arguments, Unit::Month),
        GetYear => |call, arguments| part(call, arguments, Unit::Year),
        HourOfDay => |call, arguments| part(call, arguments, Unit::Hour),
        WeekOfYear => |call, arguments| part(call, arguments, Unit::Week),
        DateTimeAdd => add,
        DateTimeDiff => difference,
        DateTimePart => named_part,
        MakeDateTime => make_datetime,
        MakeTimeSpan => make_timespan,
        FormatDateTime => |call, arguments| print(call, arguments, format::datetime),
        FormatTimeSpan => |call, arguments| print(call, arguments, format::timespan),
        UnixSeconds => |call, arguments| from_unix(call, arguments, TICKS_PER_SECOND, 1),
        UnixMilliseconds => |call, arguments| from_unix(call, arguments, 10_000, 1),
        UnixMicroseconds => |call, arguments| from_unix(call, arguments, 10, 1),
        UnixNanoseconds => |call, arguments| from_unix(call, arguments, 1, 100),
        UtcToLocal => zone::utc_to_local,
        LocalToUtc => zone::local_to_utc,
        ListTimeZones => zone::list,
    }
}

/// The ticks, if they are of the years 1 to 9999.
fn in_calendar(ticks: i64) -> Option<i64> {
    (0..=MAX_DATETIME_TICKS).contains(&ticks).then_some(ticks)
}

fn shifted_now(call: &KernelCall<'_>, arguments: &[Datum], sign: i64) -> Result<ArrayRef> {
    let now = call.query.now_ticks;
    let Some(offset) = arguments.first() else {
        return Ok(numbers::<Int64Type>(call.rows, |_| Some(now)));
    };
    let offsets = Longs::new(offset)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        in_calendar(now.checked_add(offsets.get(row)?.checked_mul(sign)?)?)
    }))
}

/// Dates and the offsets that may follow them.
fn with_offset(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    f: impl Fn(i64, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let dates = Longs::new(argument(arguments, 0)?)?;
    let Some(offset) = arguments.get(1) else {
        let mut of_day = by_day(|ticks| f(ticks, 0));
        return Ok(numbers::<Int64Type>(call.rows, |row| of_day(dates.get(row)?)));
    };
    let offsets = Longs::new(offset)?;
    Ok(numbers::<Int64Type>(call.rows, |row| f(dates.get(row)?, offsets.get(row)?)))
}

fn start(call: &KernelCall<'_>, arguments: &[Datum], period: Period) -> Result<ArrayRef> {
    with_offset(call, arguments, |ticks, offset| in_calendar(period.start(ticks, offset)?))
}

fn end(call: &KernelCall<'_>, arguments: &[Datum], period: Period) -> Result<ArrayRef> {
    with_offset(call, arguments, |ticks, offset| {
        in_calendar(period.start(ticks, offset.checked_add(1)?)?.checked_sub(1)?)
    })
}

/// Null in the last, unfinished week of the year 9999, as in the engine.
fn day_of_week(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let dates = Longs::new(argument(arguments, 0)?)?;
    let mut of_day = by_day(|ticks| {
        in_calendar(Period::Week.start(ticks, 1)?.checked_sub(1)?)?;
        Some(calendar::weekday(ticks) * TICKS_PER_DAY)
    });
    Ok(numbers::<Int64Type>(call.rows, |row| of_day(dates.get(row)?)))
}

fn part(call: &KernelCall<'_>, arguments: &[Datum], unit: Unit) -> Result<ArrayRef> {
    let dates = Longs::new(argument(arguments, 0)?)?;
    let value = |ticks| i32::try_from(unit.part(ticks)).ok();
    if unit.is_of_day() {
        let mut of_day = by_day(value);
        return Ok(numbers::<Int32Type>(call.rows, |row| of_day(dates.get(row)?)));
    }
    if dates.constant().is_none() && arguments[0].parts().0.null_count() == 0 {
        // No part within a day is larger than an int.
        let values = dates.values().iter().map(|ticks| unit.part(*ticks) as i32);
        return Ok(Arc::new(Int32Array::from_iter_values(values)));
    }
    Ok(numbers::<Int32Type>(call.rows, |row| value(dates.get(row)?)))
}

/// A function that depends on the day alone, computed anew where the day is another than before: rows mostly come in
/// the order of time.
fn by_day<T: Copy>(f: impl Fn(i64) -> Option<T>) -> impl FnMut(i64) -> Option<T> {
    let mut known: Option<(i64, Option<T>)> = None;
    move |ticks| {
        let day = ticks.div_euclid(TICKS_PER_DAY);
        match known {
            Some((last, value)) if last == day => value,
            _ => {
                let value = f(ticks);
                known = Some((day, value));
                value
            }
        }
    }
}

fn unknown_unit(function: &str, name: &str) -> EngineError {
    EngineError::Evaluation(format!("{function}(): '{name}' is not a known part of a datetime"))
}

/// The unit of each row; for a constant one that is unknown, an error.
fn unit_of<'a>(function: &str, names: &'a Texts<'a>) -> Result<impl Fn(usize) -> Option<Unit> + 'a> {
    let constant = match names.constant() {
        Some(name) => Some(Unit::named(name).ok_or_else(|| unknown_unit(function, name))?),
        None => None,
    };
    Ok(move |row| constant.or_else(|| Unit::named(names.get(row))))
}

fn named_part(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let names = Texts::new(argument(arguments, 0)?)?;
    let dates = Longs::new(argument(arguments, 1)?)?;
    let unit = unit_of("datetime_part", &names)?;
    if names.constant().is_some()
        && let Some(unit) = unit(0)
    {
        if unit.is_of_day() {
            let mut of_day = by_day(|ticks| Some(unit.part(ticks)));
            return Ok(numbers::<Int64Type>(call.rows, |row| of_day(dates.get(row)?)));
        }
        if dates.constant().is_none() && arguments[1].parts().0.null_count() == 0 {
            let values = dates.values().iter().map(|ticks| unit.part(*ticks));
            return Ok(Arc::new(Int64Array::from_iter_values(values)));
        }
    }
    Ok(numbers::<Int64Type>(call.rows, |row| Some(unit(row)?.part(dates.get(row)?))))
}

fn add(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let names = Texts::new(argument(arguments, 0)?)?;
    let amounts = Longs::new(argument(arguments, 1)?)?;
    let dates = Longs::new(argument(arguments, 2)?)?;
    let unit = unit_of("datetime_add", &names)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        in_calendar(unit(row)?.add(dates.get(row)?, amounts.get(row)?)?)
    }))
}

fn difference(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let names = Texts::new(argument(arguments, 0)?)?;
    let left = Longs::new(argument(arguments, 1)?)?;
    let right = Longs::new(argument(arguments, 2)?)?;
    let unit = unit_of("datetime_diff", &names)?;
    let value = |row| Some(unit(row)?.difference(left.get(row)?, right.get(row)?));
    Ok(match call.return_type {
        Type::Real => numbers::<Float64Type>(call.rows, |row| value(row).map(|borders| borders as f64)),
        _ => numbers::<Int64Type>(call.rows, value),
    })
}

fn seconds_as_ticks(seconds: f64) -> Option<i64> {
    (0.0..60.0).contains(&seconds).then(|| (seconds * TICKS_PER_SECOND as f64).round() as i64)
}

fn clock(hour: i64, minute: i64, second: f64) -> Option<i64> {
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    Some(hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + seconds_as_ticks(second)?)
}

/// Ticks that are given already, or as text.
fn from_one(call: &KernelCall<'_>, datum: &Datum, parse: fn(&str) -> Option<i64>) -> Result<ArrayRef> {
    if call.argument_types.first() == Some(&Type::String) {
        let values = Texts::new(datum)?;
        return Ok(numbers::<Int64Type>(call.rows, |row| parse(values.get(row))));
    }
    let values = Longs::new(datum)?;
    Ok(numbers::<Int64Type>(call.rows, |row| values.get(row)))
}

/// The long arguments from a position on, and the seconds as the last where there are any.
fn parts<'a>(arguments: &'a [Datum], longs: usize) -> Result<(Vec<Longs<'a>>, Option<Reals<'a>>)> {
    let whole = arguments.iter().take(longs).map(Longs::new).collect::<Result<Vec<_>>>()?;
    let seconds = match arguments.get(longs) {
        Some(datum) => Some(Reals::new(datum)?),
        None => None,
    };
    Ok((whole, seconds))
}

fn make_datetime(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if let [one] = arguments {
        return from_one(call, one, parse_datetime);
    }
    let (whole, seconds) = parts(arguments, 5)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let get = |position: usize| whole.get(position).map_or(Some(0), |values| values.get(row));
        let second = seconds.as_ref().map_or(Some(0.0), |seconds| seconds.get(row))?;
        let date = conshelf_kql::time::ticks_of_date(get(0)?, get(1)?, get(2)?)?;
        in_calendar(date + clock(get(3)?, get(4)?, second)?)
    }))
}

fn make_timespan(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if let [one] = arguments {
        return from_one(call, one, parse_timespan);
    }
    let has_days = arguments.len() == 4;
    let (whole, seconds) = parts(arguments, if has_days { 3 } else { 2 })?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let get = |position: usize| whole.get(position).map_or(Some(0), |values| values.get(row));
        let second = seconds.as_ref().map_or(Some(0.0), |seconds| seconds.get(row))?;
        let (days, first) = if has_days { (get(0)?, 1) } else { (0, 0) };
        days.checked_mul(TICKS_PER_DAY)?.checked_add(clock(get(first)?, get(first + 1)?, second)?)
    }))
}

fn print(call: &KernelCall<'_>, arguments: &[Datum], f: fn(i64, &str, &mut String)) -> Result<ArrayRef> {
    let values = Longs::new(argument(arguments, 0)?)?;
    let formats = Texts::new(argument(arguments, 1)?)?;
    Ok(texts(call.rows, |row, out| {
        if let Some(ticks) = values.get(row) {
            f(ticks, formats.get(row), out);
        }
    }))
}

/// From a count of units since 1970, each `ticks / per` ticks long.
fn from_unix(call: &KernelCall<'_>, arguments: &[Datum], ticks: i64, per: i64) -> Result<ArrayRef> {
    let datum = argument(arguments, 0)?;
    if call.argument_types.first() == Some(&Type::Real) {
        let values = Reals::new(datum)?;
        return Ok(numbers::<Int64Type>(call.rows, |row| {
            let distance = (values.get(row)? * ticks as f64 / per as f64).round();
            if distance.abs() > MAX_DATETIME_TICKS as f64 || distance.is_nan() {
                return None;
            }
            in_calendar(UNIX_EPOCH_TICKS + distance as i64)
        }));
    }
    let values = Longs::new(datum)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let distance = i128::from(values.get(row)?) * i128::from(ticks);
        let distance = distance.div_euclid(i128::from(per));
        in_calendar(UNIX_EPOCH_TICKS.checked_add(i64::try_from(distance).ok()?)?)
    }))
}
