//! Date and time functions: now, calendar parts and periods, construction, formatting, time zones.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;
use crate::value::Value;

const PERIOD: &[&str] = &["(date: datetime, offset: long = 0) -> datetime"];
const ZONE: &[&str] = &["(from: datetime, timezone: string) -> datetime"];

/// Start or end of a period.
const fn period(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    FunctionSpec::scalar(name, PERIOD, summary).examples(examples)
}

/// An int taken from a datetime.
const fn part(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    FunctionSpec::scalar(name, &["(date: datetime) -> int"], summary).examples(examples)
}

macro_rules! example {
    ($query:literal, $answer:literal) => {
        &[Example { query: $query, answer: $answer }]
    };
}

function_family! {
    /// Date and time functions.
    DateTimeFunction {
        Now => FunctionSpec::scalar("now", &["(offset: timespan = 0) -> datetime"], "The time at which the query started, shifted by an offset; the same throughout a query.")
            .examples(example!("print now() - now(-1h)", "01:00:00")),
        Ago => FunctionSpec::scalar("ago", &["(distance: timespan) -> datetime"], "The start of the query less a distance.")
            .examples(example!("print now() - ago(1h)", "01:00:00")),
        StartOfDay => period("startofday", "Start of the day, shifted by an offset of days.", example!("print startofday(datetime(2017-01-01 10:10:17), -1)", "2016-12-31T00:00:00Z")),
        StartOfWeek => period("startofweek", "Start of the week (a Sunday), shifted by an offset of weeks.", example!("print startofweek(datetime(2020-06-15 13:45))", "2020-06-14T00:00:00Z")),
        StartOfMonth => period("startofmonth", "Start of the month, shifted by an offset of months.", example!("print startofmonth(datetime(2020-06-15), -1)", "2020-05-01T00:00:00Z")),
        StartOfYear => period("startofyear", "Start of the year, shifted by an offset of years.", example!("print startofyear(datetime(2020-06-15), 1)", "2021-01-01T00:00:00Z")),
        EndOfDay => period("endofday", "Last tick of the day, shifted by an offset of days.", example!("print endofday(datetime(2017-01-01 10:10:17))", "2017-01-01T23:59:59.9999999Z")),
        EndOfWeek => period("endofweek", "Last tick of the week (on a Saturday), shifted by an offset of weeks.", example!("print endofweek(datetime(2020-01-05 12:00))", "2020-01-11T23:59:59.9999999Z")),
        EndOfMonth => period("endofmonth", "Last tick of the month, shifted by an offset of months.", example!("print endofmonth(datetime(2020-01-31), 1)", "2020-02-29T23:59:59.9999999Z")),
        EndOfYear => period("endofyear", "Last tick of the year, shifted by an offset of years.", example!("print endofyear(datetime(2020-06-15))", "2020-12-31T23:59:59.9999999Z")),
        DayOfWeek => FunctionSpec::scalar("dayofweek", &["(date: datetime) -> timespan"], "Days since the last Sunday, as a timespan.")
            .examples(example!("print dayofweek(datetime(1970-05-11))", "1.00:00:00")),
        DayOfMonth => part("dayofmonth", "Day of the month.", example!("print dayofmonth(datetime(2015-12-14))", "14")),
        DayOfYear => part("dayofyear", "Day of the year.", example!("print dayofyear(datetime(2020-12-31))", "366")),
        MonthOfYear => part("monthofyear", "Month of the year.", example!("print monthofyear(datetime(2015-12-14))", "12")),
        GetMonth => part("getmonth", "Month of the year.", example!("print getmonth(datetime(2015-10-12))", "10")),
        GetYear => part("getyear", "The year.", example!("print getyear(datetime(2015-10-12))", "2015")),
        HourOfDay => part("hourofday", "Hour of the day.", example!("print hourofday(datetime(2015-12-14 18:54))", "18")),
        WeekOfYear => part("week_of_year", "Number of the week of the year (ISO 8601).", example!("print week_of_year(datetime(2020-12-31))", "53")).aliases(&["weekofyear"]),
        DateTimeAdd => FunctionSpec::scalar("datetime_add", &["(period: literal string in year|quarter|month|week|day|hour|minute|second|millisecond|microsecond|nanosecond, amount: integer, date: datetime) -> datetime"], "Adds an amount of periods: year, quarter, month, week, day, hour, minute, second, millisecond, microsecond, nanosecond.")
            .examples(example!("print datetime_add('month', 1, datetime(2020-01-31))", "2020-02-29T00:00:00Z")),
        DateTimeDiff => FunctionSpec::scalar("datetime_diff", &["(period: literal string in year|quarter|month|week|day|hour|minute|second|millisecond|microsecond|nanosecond, left: datetime, right: datetime) -> rule"], "How many borders of a period lie between two datetimes, left minus right.").returns(difference_type)
            .examples(example!("print datetime_diff('hour', datetime(2017-10-31 01:00), datetime(2017-10-30 23:59))", "2")),
        DateTimePart => FunctionSpec::scalar("datetime_part", &["(part: literal string in year|quarter|month|week_of_year|day|dayofyear|hour|minute|second|millisecond|microsecond|nanosecond, date: datetime) -> long"], "A part of a datetime: year, quarter, month, week_of_year, day, dayOfYear, hour, minute, second, millisecond, microsecond, nanosecond.").aliases(&["datepart"])
            .examples(example!("print datetime_part('quarter', datetime(2017-10-30))", "4")),
        MakeDateTime => FunctionSpec::scalar("make_datetime", &["(year: whole, month: whole, day: whole) -> datetime", "(year: whole, month: whole, day: whole, hour: whole, minute: whole) -> datetime", "(year: whole, month: whole, day: whole, hour: whole, minute: whole, second: floating) -> datetime", "(text: string) -> datetime", "(value: datetime) -> datetime"], "The datetime of its parts; null if there is none.")
            .examples(example!("print make_datetime(2017, 10, 1, 12, 10)", "2017-10-01T12:10:00Z")),
        MakeTimeSpan => FunctionSpec::scalar("make_timespan", &["(hour: integer, minute: integer) -> timespan", "(hour: integer, minute: integer, second: real) -> timespan", "(day: integer, hour: integer, minute: integer, second: real) -> timespan", "(text: string) -> timespan", "(value: timespan) -> timespan"], "The timespan of its parts; null if one is out of range.")
            .examples(example!("print make_timespan(1, 12, 30, 55.123)", "1.12:30:55.1230000")),
        FormatDateTime => FunctionSpec::scalar("format_datetime", &["(date: datetime, format: literal string) -> string"], "A datetime as text by a pattern of d dd f F h hh H HH m mm M MM s ss y yy yyyy tt.")
            .examples(example!("print format_datetime(datetime(2017-01-29 09:00:05), 'yy-MM-dd [HH:mm:ss]')", "17-01-29 [09:00:05]")),
        FormatTimeSpan => FunctionSpec::scalar("format_timespan", &["(timespan: timespan, format: literal string) -> string"], "A timespan as text by a pattern of d f F h H m s.")
            .examples(example!("print format_timespan(time(29.09:00:05.12345), 'dd.hh:mm:ss:FF')", "29.09:00:05:12")),
        UnixSeconds => FunctionSpec::scalar("unixtime_seconds_todatetime", &["(value: whole) -> datetime", "(value: floating) -> datetime"], "The datetime of seconds since 1970.")
            .examples(example!("print unixtime_seconds_todatetime(1546300800)", "2019-01-01T00:00:00Z")),
        UnixMilliseconds => FunctionSpec::scalar("unixtime_milliseconds_todatetime", &["(value: whole) -> datetime", "(value: floating) -> datetime"], "The datetime of milliseconds since 1970.")
            .examples(example!("print unixtime_milliseconds_todatetime(1546300800000)", "2019-01-01T00:00:00Z")),
        UnixMicroseconds => FunctionSpec::scalar("unixtime_microseconds_todatetime", &["(value: whole) -> datetime", "(value: floating) -> datetime"], "The datetime of microseconds since 1970.")
            .examples(example!("print unixtime_microseconds_todatetime(1546300800000000)", "2019-01-01T00:00:00Z")),
        UnixNanoseconds => FunctionSpec::scalar("unixtime_nanoseconds_todatetime", &["(value: whole) -> datetime", "(value: floating) -> datetime"], "The datetime of nanoseconds since 1970.")
            .examples(example!("print unixtime_nanoseconds_todatetime(1546300800000000000)", "2019-01-01T00:00:00Z")),
        UtcToLocal => FunctionSpec::scalar("datetime_utc_to_local", ZONE, "A UTC datetime in the local time of a zone.")
            .examples(example!("print datetime_utc_to_local(datetime(2015-12-31 23:59:59), 'US/Eastern')", "2015-12-31T18:59:59Z")),
        LocalToUtc => FunctionSpec::scalar("datetime_local_to_utc", ZONE, "A local datetime of a zone in UTC.")
            .examples(example!("print datetime_local_to_utc(datetime(2020-02-02 20:02:20), 'Europe/Paris')", "2020-02-02T19:02:20Z")),
        ListTimeZones => FunctionSpec::scalar("datetime_list_timezones", &["() -> array"], "Names of the time zones.")
            .examples(example!("print set_has_element(datetime_list_timezones(), 'Europe/Paris')", "true")),
    }
}

/// Whole numbers, as reals for weeks: so the engine.
fn difference_type(arguments: &[ArgumentInfo<'_>]) -> Type {
    match arguments.first().and_then(|argument| argument.constant) {
        Some(Value::String(period)) if period.eq_ignore_ascii_case("week") => Type::Real,
        _ => Type::Long,
    }
}
