//! Periods and parts of the proleptic Gregorian calendar. Weeks start on Sunday, except the numbered weeks
//! of ISO 8601, which start on Monday.

use conshelf_storage::ticks::{
    Civil, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND,
    civil_from_ticks, days_from_civil,
};

/// Days since the last Sunday. 0001-01-01 was a Monday.
pub fn weekday(ticks: i64) -> i64 {
    (ticks.div_euclid(TICKS_PER_DAY) + 1).rem_euclid(7)
}

fn days_of_month(year: i32, month: u32) -> u32 {
    (days_from_civil(year, month as i32 + 1, 1) - days_from_civil(year, month as i32, 1)) as u32
}

/// Months since year 0.
fn month_number(ticks: i64) -> i64 {
    let civil = civil_from_ticks(ticks);
    i64::from(civil.year) * 12 + i64::from(civil.month) - 1
}

/// Midnight of the first day of a month counted from year 0; `None` far outside the calendar.
fn month_start(number: i64) -> Option<i64> {
    let year = i32::try_from(number.div_euclid(12)).ok().filter(|year| (-1..=10_001).contains(year))?;
    days_from_civil(year, number.rem_euclid(12) as i32 + 1, 1).checked_mul(TICKS_PER_DAY)
}

/// Moves a datetime by months; a day that the month has not becomes its last.
fn add_months(ticks: i64, months: i64) -> Option<i64> {
    let civil = civil_from_ticks(ticks);
    let number = month_number(ticks).checked_add(months)?;
    let start = month_start(number)?;
    let year = i32::try_from(number.div_euclid(12)).ok()?;
    let day = civil.day.min(days_of_month(year, number.rem_euclid(12) as u32 + 1));
    Some(start + i64::from(day - 1) * TICKS_PER_DAY + ticks.rem_euclid(TICKS_PER_DAY))
}

/// The periods that have a start and an end.
#[derive(Clone, Copy, Debug)]
pub enum Period {
    Day,
    Week,
    Month,
    Year,
}

impl Period {
    /// Start of the period that the datetime lies in, moved by a number of periods.
    pub fn start(self, ticks: i64, offset: i64) -> Option<i64> {
        let day = ticks.div_euclid(TICKS_PER_DAY);
        match self {
            Period::Day => day.checked_add(offset)?.checked_mul(TICKS_PER_DAY),
            Period::Week => {
                (day - weekday(ticks)).checked_add(offset.checked_mul(7)?)?.checked_mul(TICKS_PER_DAY)
            }
            Period::Month => month_start(month_number(ticks).checked_add(offset)?),
            Period::Year => {
                let year = i64::from(civil_from_ticks(ticks).year);
                month_start(year.checked_add(offset)?.checked_mul(12)?)
            }
        }
    }
}

/// A part of a datetime, or a step between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Unit {
    /// The unit of a name, without regard to case.
    pub fn named(name: &str) -> Option<Unit> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Unit::Year,
            "quarter" => Unit::Quarter,
            "month" => Unit::Month,
            "week" | "week_of_year" | "weekofyear" => Unit::Week,
            "day" => Unit::Day,
            "dayofyear" => Unit::DayOfYear,
            "hour" => Unit::Hour,
            "minute" => Unit::Minute,
            "second" => Unit::Second,
            "millisecond" => Unit::Millisecond,
            "microsecond" => Unit::Microsecond,
            "nanosecond" => Unit::Nanosecond,
            _ => return None,
        })
    }

    /// Ticks of a unit of constant length (nanoseconds have none).
    fn ticks(self) -> Option<i64> {
        Some(match self {
            Unit::Week => 7 * TICKS_PER_DAY,
            Unit::Day | Unit::DayOfYear => TICKS_PER_DAY,
            Unit::Hour => TICKS_PER_HOUR,
            Unit::Minute => TICKS_PER_MINUTE,
            Unit::Second => TICKS_PER_SECOND,
            Unit::Millisecond => TICKS_PER_MILLISECOND,
            Unit::Microsecond => 10,
            Unit::Year | Unit::Quarter | Unit::Month | Unit::Nanosecond => return None,
        })
    }

    /// That part of a datetime.
    pub fn part(self, ticks: i64) -> i64 {
        match self {
            Unit::Hour => return ticks.rem_euclid(TICKS_PER_DAY) / TICKS_PER_HOUR,
            Unit::Minute => return ticks.rem_euclid(TICKS_PER_HOUR) / TICKS_PER_MINUTE,
            Unit::Second => return ticks.rem_euclid(TICKS_PER_MINUTE) / TICKS_PER_SECOND,
            _ => {}
        }
        let Civil { year, month, day, hour, minute, second, fraction } = civil_from_ticks(ticks);
        match self {
            Unit::Year => year.into(),
            Unit::Quarter => i64::from((month - 1) / 3 + 1),
            Unit::Month => month.into(),
            Unit::Week => iso_week(ticks),
            Unit::Day => day.into(),
            Unit::DayOfYear => ticks.div_euclid(TICKS_PER_DAY) - days_from_civil(year, 1, 1) + 1,
            Unit::Hour => hour.into(),
            Unit::Minute => minute.into(),
            Unit::Second => second.into(),
            Unit::Millisecond => i64::from(fraction / 10_000),
            Unit::Microsecond => i64::from(fraction / 10),
            Unit::Nanosecond => i64::from(fraction) * 100,
        }
    }

    /// Whether the part is the same all day long.
    pub fn is_of_day(self) -> bool {
        !matches!(
            self,
            Unit::Hour
                | Unit::Minute
                | Unit::Second
                | Unit::Millisecond
                | Unit::Microsecond
                | Unit::Nanosecond
        )
    }

    /// How many borders of the unit lie before a datetime, from some fixed start; of nanoseconds, the ticks.
    pub fn border(self, ticks: i64) -> i64 {
        match self {
            Unit::Year => civil_from_ticks(ticks).year.into(),
            Unit::Quarter => month_number(ticks).div_euclid(3),
            Unit::Month => month_number(ticks),
            Unit::Week => (ticks.div_euclid(TICKS_PER_DAY) + 1).div_euclid(7),
            unit => ticks.div_euclid(unit.ticks().unwrap_or(1)),
        }
    }

    /// Borders of the unit between two datetimes.
    pub fn difference(self, left: i64, right: i64) -> i64 {
        match self {
            Unit::Nanosecond => (left - right).saturating_mul(100),
            unit => unit.border(left) - unit.border(right),
        }
    }

    /// The datetime that is an amount of units later.
    pub fn add(self, ticks: i64, amount: i64) -> Option<i64> {
        match self {
            Unit::Year => add_months(ticks, amount.checked_mul(12)?),
            Unit::Quarter => add_months(ticks, amount.checked_mul(3)?),
            Unit::Month => add_months(ticks, amount),
            Unit::Nanosecond => ticks.checked_add(amount / 100),
            unit => ticks.checked_add(unit.ticks()?.checked_mul(amount)?),
        }
    }
}

/// The number of the week, of the year to which its Thursday belongs.
fn iso_week(ticks: i64) -> i64 {
    let day = ticks.div_euclid(TICKS_PER_DAY);
    let monday = day - (weekday(ticks) + 6).rem_euclid(7);
    let thursday = monday + 3;
    let (year, ..) = conshelf_storage::ticks::civil_from_days(thursday);
    (thursday - days_from_civil(year, 1, 1)) / 7 + 1
}
