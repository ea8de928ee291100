//! Kusto's clock: 100 ns ticks since 0001-01-01T00:00:00Z, their calendar fields and their text.
//!
//! The proleptic Gregorian calendar without time zones; knows nothing of columns or files.

/// Ticks of one microsecond, millisecond, second, minute, hour and day.
pub const TICKS_PER_MICROSECOND: i64 = 10;
pub const TICKS_PER_MILLISECOND: i64 = 10_000;
pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
pub const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;

/// 1970-01-01T00:00:00Z in ticks.
pub const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// The last tick of the year 9999.
pub const MAX_DATETIME_TICKS: i64 = 3_155_378_975_999_999_999;

/// Days from 0001-01-01 to 1970-01-01.
const UNIX_EPOCH_DAYS: i64 = 719_162;

/// The calendar fields of a datetime; `fraction` counts ticks within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub fraction: u32,
}

/// Splits ticks into calendar fields. Ticks outside 0..=[`MAX_DATETIME_TICKS`] give years outside 1..=9999.
pub fn civil_from_ticks(ticks: i64) -> Civil {
    let days = ticks.div_euclid(TICKS_PER_DAY);
    let within = ticks.rem_euclid(TICKS_PER_DAY);
    let (year, month, day) = civil_from_days(days);
    let seconds = within / TICKS_PER_SECOND;
    Civil {
        year,
        month,
        day,
        hour: (seconds / 3600) as u32,
        minute: (seconds / 60 % 60) as u32,
        second: (seconds % 60) as u32,
        fraction: (within % TICKS_PER_SECOND) as u32,
    }
}

/// Year, month and day of a count of days since 0001-01-01.
///
/// The era arithmetic of Howard Hinnant's `civil_from_days`: years run from March so that the leap day
/// comes last.
pub fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let shifted = days - UNIX_EPOCH_DAYS + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

/// Days since 0001-01-01 of a calendar date. Months outside 1..=12 and days outside the month carry over.
pub fn days_from_civil(year: i32, month: i32, day: i32) -> i64 {
    let months = i64::from(year) * 12 + i64::from(month) - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + UNIX_EPOCH_DAYS
}

fn push_digits(out: &mut String, value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    let mut at = digits.len();
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let at = at.min(digits.len() - width.min(20));
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// Appends `yyyy-MM-ddTHH:mm:ss.fffffffZ`, always seven digits of fraction.
pub fn format_datetime(ticks: i64, out: &mut String) {
    let civil = civil_from_ticks(ticks);
    if civil.year < 0 {
        out.push('-');
    }
    push_digits(out, u64::from(civil.year.unsigned_abs()), 4);
    out.push('-');
    push_digits(out, civil.month.into(), 2);
    out.push('-');
    push_digits(out, civil.day.into(), 2);
    out.push('T');
    push_digits(out, civil.hour.into(), 2);
    out.push(':');
    push_digits(out, civil.minute.into(), 2);
    out.push(':');
    push_digits(out, civil.second.into(), 2);
    out.push('.');
    push_digits(out, civil.fraction.into(), 7);
    out.push('Z');
}

/// Appends `[-][d.]hh:mm:ss[.fffffff]`: days only when there are any, seven digits of fraction or none.
pub fn format_timespan(ticks: i64, out: &mut String) {
    if ticks < 0 {
        out.push('-');
    }
    let magnitude = ticks.unsigned_abs();
    let days = magnitude / TICKS_PER_DAY as u64;
    if days > 0 {
        push_digits(out, days, 1);
        out.push('.');
    }
    let seconds = magnitude / TICKS_PER_SECOND as u64;
    push_digits(out, seconds / 3600 % 24, 2);
    out.push(':');
    push_digits(out, seconds / 60 % 60, 2);
    out.push(':');
    push_digits(out, seconds % 60, 2);
    let fraction = magnitude % TICKS_PER_SECOND as u64;
    if fraction > 0 {
        out.push('.');
        push_digits(out, fraction, 7);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datetime(ticks: i64) -> String {
        let mut text = String::new();
        format_datetime(ticks, &mut text);
        text
    }

    fn timespan(ticks: i64) -> String {
        let mut text = String::new();
        format_timespan(ticks, &mut text);
        text
    }

    #[test]
    fn datetimes_print_with_seven_digits() {
        let cases = [
            (0, "0001-01-01T00:00:00.0000000Z"),
            (UNIX_EPOCH_TICKS, "1970-01-01T00:00:00.0000000Z"),
            (MAX_DATETIME_TICKS, "9999-12-31T23:59:59.9999999Z"),
            (
                days_from_civil(2024, 2, 29) * TICKS_PER_DAY + 13 * TICKS_PER_HOUR + 1,
                "2024-02-29T13:00:00.0000001Z",
            ),
        ];
        for (ticks, expected) in cases {
            assert_eq!(datetime(ticks), expected);
        }
    }

    #[test]
    fn timespans_print_like_dotnet() {
        let cases = [
            (0, "00:00:00"),
            (TICKS_PER_SECOND, "00:00:01"),
            (-TICKS_PER_SECOND * 3 / 2, "-00:00:01.5000000"),
            (TICKS_PER_DAY + TICKS_PER_HOUR, "1.01:00:00"),
            (i64::MIN, "-10675199.02:48:05.4775808"),
            (i64::MAX, "10675199.02:48:05.4775807"),
        ];
        for (ticks, expected) in cases {
            assert_eq!(timespan(ticks), expected);
        }
    }

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-1000..3_652_059).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month as i32, day as i32), days);
        }
        assert_eq!(days_from_civil(1, 1, 1), 0);
        assert_eq!(days_from_civil(2023, 14, 1), days_from_civil(2024, 2, 1));
    }
}
