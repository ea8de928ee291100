//! Tables of cases from the reference and the recorded engine, and properties of the calendar.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringViewArray};
use arrow_schema::DataType;
use conshelf_kql::Type;
use conshelf_kql::function::DateTimeFunction;
use conshelf_kql::time::{parse_datetime, parse_timespan};
use conshelf_storage::ticks::{MAX_DATETIME_TICKS, TICKS_PER_DAY, format_datetime, format_timespan};
use proptest::prelude::*;

use super::calendar::{Period, Unit, weekday};
use super::kernel;
use crate::engine::context::{QueryContext, QueryLimits};
use crate::engine::kernel::{Datum, KernelCall};

/// An argument: `@text` is a datetime, `~text` a timespan, `=text` a text, else a number.
fn parse(text: &str) -> (Type, ArrayRef) {
    let ticks = |ticks: Option<i64>| Arc::new(Int64Array::from(vec![ticks])) as ArrayRef;
    match text.split_at(1) {
        ("@", text) => (Type::DateTime, ticks(parse_datetime(text))),
        ("~", text) => (Type::TimeSpan, ticks(parse_timespan(text))),
        ("=", text) => (Type::String, Arc::new(StringViewArray::from_iter_values([text]))),
        _ => match text.parse::<i64>() {
            Ok(value) => (Type::Long, ticks(Some(value))),
            Err(_) => (Type::Real, Arc::new(Float64Array::from(vec![text.parse::<f64>().unwrap()]))),
        },
    }
}

fn run(function: DateTimeFunction, arguments: &[&str], returns: Type) -> ArrayRef {
    let (types, values): (Vec<Type>, Vec<ArrayRef>) = arguments.iter().map(|text| parse(text)).unzip();
    let now = parse_datetime("2024-05-06 07:08:09").unwrap();
    let query = QueryContext::new(QueryLimits::default(), now);
    let call = KernelCall { rows: 1, argument_types: &types, return_type: returns, query: &query };
    let arguments: Vec<Datum> = values.into_iter().map(Datum::Constant).collect();
    kernel(function)(&call, &arguments).unwrap()
}

fn show(function: DateTimeFunction, arguments: &[&str], returns: Type) -> String {
    let array = run(function, arguments, returns);
    assert_eq!(array.len(), 1);
    if array.is_null(0) {
        return String::from("null");
    }
    let mut text = String::new();
    match (returns, array.data_type()) {
        (Type::DateTime, _) => format_datetime(array.as_primitive::<Int64Type>().value(0), &mut text),
        (Type::TimeSpan, _) => format_timespan(array.as_primitive::<Int64Type>().value(0), &mut text),
        (_, DataType::Int64) => text = array.as_primitive::<Int64Type>().value(0).to_string(),
        (_, DataType::Int32) => text = array.as_primitive::<Int32Type>().value(0).to_string(),
        (_, DataType::Float64) => text = array.as_primitive::<Float64Type>().value(0).to_string(),
        _ => text = array.as_string_view().value(0).to_string(),
    }
    text
}

#[test]
fn datetimes_out() {
    use DateTimeFunction::*;
    for (function, arguments, expected) in [
        (Now, vec![], "2024-05-06T07:08:09"),
        (Now, vec!["~-1d"], "2024-05-05T07:08:09"),
        (Ago, vec!["~1h"], "2024-05-06T06:08:09"),
        (StartOfDay, vec!["@2017-01-01 10:10:17", "-1"], "2016-12-31T00:00:00"),
        (StartOfWeek, vec!["@2020-01-05 12:00", "0"], "2020-01-05T00:00:00"),
        (StartOfWeek, vec!["@2020-06-15 13:45", "0"], "2020-06-14T00:00:00"),
        (StartOfMonth, vec!["@2020-06-15", "-7"], "2019-11-01T00:00:00"),
        (StartOfYear, vec!["@2020-06-15", "1"], "2021-01-01T00:00:00"),
        (StartOfYear, vec!["@2020-06-15", "9000"], "null"),
        (EndOfDay, vec!["@2017-01-01 10:10:17", "1"], "2017-01-02T23:59:59.9999999"),
        (EndOfWeek, vec!["@2020-06-15 13:45", "2"], "2020-07-04T23:59:59.9999999"),
        (EndOfMonth, vec!["@2020-01-31", "13"], "2021-02-28T23:59:59.9999999"),
        (EndOfYear, vec!["@2999-06-15", "0"], "2999-12-31T23:59:59.9999999"),
        (DateTimeAdd, vec!["=month", "1", "@2020-01-31 23:59:59.9999999"], "2020-02-29T23:59:59.9999999"),
        (DateTimeAdd, vec!["=Quarter", "-3", "@2020-02-29 12:00"], "2019-05-29T12:00:00"),
        (DateTimeAdd, vec!["=day", "-1", "@0001-01-01 12:00"], "null"),
        (DateTimeAdd, vec!["=year", "9999999999", "@2020-01-01"], "null"),
        (DateTimeAdd, vec!["=hour", "100000", "@2020-01-01"], "2031-05-29T16:00:00"),
        (DateTimeAdd, vec!["=week", "-53", "@2021-03-15 12:00"], "2020-03-09T12:00:00"),
        (MakeDateTime, vec!["2017", "10", "1"], "2017-10-01T00:00:00"),
        (MakeDateTime, vec!["2017", "10", "1", "12", "11", "0.1234567"], "2017-10-01T12:11:00.1234567"),
        (MakeDateTime, vec!["2020", "13", "1"], "null"),
        (MakeDateTime, vec!["=2020-01-02"], "2020-01-02T00:00:00"),
        (UnixSeconds, vec!["1546300800"], "2019-01-01T00:00:00"),
        (UnixSeconds, vec!["1546300800.5"], "2019-01-01T00:00:00.5000000"),
        (UnixMilliseconds, vec!["-1"], "1969-12-31T23:59:59.9990000"),
        (UnixNanoseconds, vec!["1546300800000000100"], "2019-01-01T00:00:00.0000001"),
        (UtcToLocal, vec!["@2015-12-31 23:59:59.9", "=US/Eastern"], "2015-12-31T18:59:59.9000000"),
        (LocalToUtc, vec!["@2020-02-02 20:02:20", "=US/Pacific"], "2020-02-03T04:02:20"),
        (LocalToUtc, vec!["@2022-03-27 02:00", "=Europe/Brussels"], "2022-03-27T00:00:00"),
        (LocalToUtc, vec!["@2022-03-27 03:00", "=Europe/Brussels"], "2022-03-27T01:00:00"),
    ] {
        let found = show(function, &arguments, Type::DateTime);
        let found = found.trim_end_matches('Z').trim_end_matches(".0000000").to_string();
        assert_eq!(found, expected, "{function:?}{arguments:?}");
    }
}

#[test]
fn numbers_and_timespans_out() {
    use DateTimeFunction::*;
    use Type::*;
    for (function, arguments, returns, expected) in [
        (DayOfWeek, vec!["@1947-11-30 10:00:05"], TimeSpan, "00:00:00"),
        (DayOfWeek, vec!["@0001-01-01"], TimeSpan, "1.00:00:00"),
        (DayOfWeek, vec!["@9999-12-31"], TimeSpan, "null"),
        (DayOfYear, vec!["@2021-12-31"], Int, "365"),
        (WeekOfYear, vec!["@2016-01-01"], Int, "53"),
        (WeekOfYear, vec!["@2018-12-31"], Int, "1"),
        (WeekOfYear, vec!["@2023-01-01"], Int, "52"),
        (WeekOfYear, vec!["@0001-01-01"], Int, "1"),
        (GetMonth, vec!["@2024-12-31"], Int, "12"),
        (HourOfDay, vec!["@2020-06-15 23:59:59.9999999"], Int, "23"),
        (DateTimePart, vec!["=dayOfYear", "@2017-10-30 01:02:03.7654321"], Long, "303"),
        (DateTimePart, vec!["=nanosecond", "@2017-10-30 01:02:03.7654321"], Long, "765432100"),
        (DateTimePart, vec!["=microsecond", "@2017-10-30 01:02:03.7654321"], Long, "765432"),
        (DateTimeDiff, vec!["=year", "@2017-01-01", "@2000-12-31"], Long, "17"),
        (DateTimeDiff, vec!["=quarter", "@2024-03-31", "@2020-04-01"], Long, "15"),
        (DateTimeDiff, vec!["=week", "@2021-03-01", "@2020-12-31"], Real, "9"),
        (DateTimeDiff, vec!["=week", "@2017-10-29 00:00", "@2017-09-30 23:59"], Real, "5"),
        (DateTimeDiff, vec!["=hour", "@2017-10-31 01:00", "@2017-10-30 23:59"], Long, "2"),
        (DateTimeDiff, vec!["=second", "@2017-10-30 23:00:10.100", "@2017-10-30 23:00:00.900"], Long, "10"),
        (DateTimeDiff, vec!["=nanosecond", "@2017-10-30", "@2017-10-30 00:00:00.0000007"], Long, "-700"),
        (MakeTimeSpan, vec!["25", "70"], TimeSpan, "null"),
        (MakeTimeSpan, vec!["2", "30"], TimeSpan, "02:30:00"),
        (MakeTimeSpan, vec!["1", "15", "10.0"], TimeSpan, "01:15:10"),
        (MakeTimeSpan, vec!["1", "12", "30", "55.123"], TimeSpan, "1.12:30:55.1230000"),
    ] {
        assert_eq!(show(function, &arguments, returns), expected, "{function:?}{arguments:?}");
    }
}

#[test]
fn texts_out() {
    use DateTimeFunction::{FormatDateTime, FormatTimeSpan};
    for (function, value, pattern, expected) in [
        (FormatDateTime, "@2020-06-15 13:45:09.123", "yyyy-MM-dd HH:mm:ss.fff", "2020-06-15 13:45:09.123"),
        (FormatDateTime, "@2007-03-09 05:04:03.5", "s.f", "3.5"),
        (FormatDateTime, "@2020-06-15 13:45:09.0000007", "FFFFFFF", "0000007"),
        (FormatDateTime, "@2009-06-15 13:45:30.0001150", "FFFFFFF", "000115"),
        (FormatDateTime, "@2020-06-15 13:45:09", "FFF", ""),
        (FormatDateTime, "@2007-03-09 00:30", "hh:mm tt", "12:30 AM"),
        (FormatDateTime, "@2007-03-09 17:04", "h tt", "5 PM"),
        (FormatDateTime, "@2020-01-05", "dddd ddd MMMM MMM", "0505 055 0101 011"),
        (FormatDateTime, "@2009-06-15", "y", "9"),
        (FormatDateTime, "@2020-06-15 09:05:03.007", "M/d/yy H:m:s", "6/15/20 9:5:3"),
        (FormatDateTime, "@2017-01-29 09:00:05", "yyyy-M-dd [H:mm:ss]", "2017-1-29 [9:00:05]"),
        (FormatTimeSpan, "~1.02:01:00", "hh:mm", "02:01"),
        (FormatTimeSpan, "~2d", "d", "2"),
        (FormatTimeSpan, "~-1.02:30:00", "d.hh:mm:ss", "-1.02:30:00"),
        (FormatTimeSpan, "~29.09:00:05.12345", "ddd.h:mm:ss [fffffff]", "029.9:00:05 [1234500]"),
        (FormatTimeSpan, "~29.09:00:05.12345", "dd.hh:mm:ss:FF", "29.09:00:05:12"),
        (FormatTimeSpan, "~10675199.02:48:05.4775807", "d.hh:mm:ss", "10675199.02:48:05"),
    ] {
        let pattern = format!("={pattern}");
        assert_eq!(show(function, &[value, &pattern], Type::String), expected, "{value} {pattern}");
    }
}

#[test]
fn unknown_parts_and_zones_are_named() {
    let (types, values): (Vec<Type>, Vec<ArrayRef>) =
        ["=fortnight", "@2020-01-01"].map(parse).into_iter().unzip();
    let query = QueryContext::new(QueryLimits::default(), 0);
    let call = KernelCall { rows: 1, argument_types: &types, return_type: Type::Long, query: &query };
    let arguments: Vec<Datum> = values.into_iter().map(Datum::Constant).collect();
    let error = kernel(DateTimeFunction::DateTimePart)(&call, &arguments).unwrap_err().to_string();
    assert!(error.contains("fortnight"), "{error}");
    let arguments = [arguments[1].clone(), arguments[0].clone()];
    let error = kernel(DateTimeFunction::LocalToUtc)(&call, &arguments).unwrap_err().to_string();
    assert!(error.contains("fortnight"), "{error}");
}

proptest! {
    #[test]
    fn periods_hold_their_datetimes(ticks in TICKS_PER_DAY * 400..MAX_DATETIME_TICKS - TICKS_PER_DAY * 400) {
        for period in [Period::Day, Period::Week, Period::Month, Period::Year] {
            let (start, next) = (period.start(ticks, 0).unwrap(), period.start(ticks, 1).unwrap());
            prop_assert!(start <= ticks && ticks < next);
            prop_assert_eq!(period.start(next, -1), Some(start));
            prop_assert_eq!(period.start(start, 0), Some(start));
        }
        prop_assert_eq!(weekday(Period::Week.start(ticks, 0).unwrap()), 0);
        let week = Unit::Week.part(ticks);
        prop_assert!((1..=53).contains(&week));
    }

    #[test]
    fn adding_moves_by_as_many_borders(ticks in TICKS_PER_DAY * 400_000..TICKS_PER_DAY * 800_000, amount in -500i64..500) {
        for unit in [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
            let later = unit.add(ticks, amount).unwrap();
            prop_assert_eq!(unit.border(later) - unit.border(ticks), amount, "{:?}", unit);
        }
    }
}
