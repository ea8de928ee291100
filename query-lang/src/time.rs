//! Texts of points and lengths of time: what `datetime(…)` and `timespan(…)` literals, `todatetime` and
//! `totimespan` accept (reference: the datetime and timespan data types). All in 100 ns ticks; the calendar
//! is the proleptic Gregorian one, in UTC.

pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
pub const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;

/// The last tick of the year 9999.
pub const MAX_DATETIME_TICKS: i64 = 3_155_378_975_999_999_999;

/// Ticks of a unit of a timespan text (`d`, `hours`, `ms` …) as a ratio: nanoseconds are a hundredth.
pub fn ticks_of_unit(unit: &str) -> Option<(i64, i64)> {
    Some(match unit {
        "d" | "day" | "days" => (TICKS_PER_DAY, 1),
        "h" | "hr" | "hrs" | "hour" | "hours" => (TICKS_PER_HOUR, 1),
        "m" | "min" | "minute" | "minutes" => (TICKS_PER_MINUTE, 1),
        "s" | "sec" | "second" | "seconds" => (TICKS_PER_SECOND, 1),
        "ms" | "milli" | "millis" | "millisec" | "millisecond" | "milliseconds" => (10_000, 1),
        "micro" | "micros" | "microsec" | "microsecond" | "microseconds" => (10, 1),
        "nano" | "nanos" | "nanosec" | "nanosecond" | "nanoseconds" => (1, 100),
        "tick" | "ticks" => (1, 1),
        _ => return None,
    })
}

/// Ticks of midnight of a date, if there is such a date in the years 1 to 9999.
pub fn ticks_of_date(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=days_of_month).contains(&day) {
        return None;
    }
    const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = year - 1;
    let days = before * 365 + before / 4 - before / 100
        + before / 400
        + DAYS_BEFORE[(month - 1) as usize]
        + i64::from(leap && month > 2)
        + day
        - 1;
    Some(days * TICKS_PER_DAY)
}

/// Ticks since 0001-01-01T00:00:00Z of a text in one of Kusto's formats: ISO 8601 (down to a year alone),
/// `month/day/year`, RFC 822, RFC 850 and their variants; zones are `Z`, `GMT`, `UTC` or an offset.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let mut reader = Reader::new(text.trim());
    let date = reader.date()?;
    let time = reader.time_of_day()?;
    let zone = reader.zone()?;
    if !reader.is_done() {
        return None;
    }
    let ticks = date.checked_add(time)?.checked_sub(zone)?;
    (0..=MAX_DATETIME_TICKS).contains(&ticks).then_some(ticks)
}

/// Ticks of a text such as `1.02:03:04.5`, `00:10:00`, `1.5h`, `10 seconds` or `2` (days), each with an
/// optional sign.
pub fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks: i128 = if rest.contains(':') {
        clock_ticks(rest)?
    } else {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unit = rest[end..].trim();
        if rest[..end].is_empty() || (!unit.is_empty() && !unit.bytes().all(|b| b.is_ascii_alphabetic())) {
            return None;
        }
        let (multiplier, divisor) =
            if unit.is_empty() { (TICKS_PER_DAY, 1) } else { ticks_of_unit(&unit.to_ascii_lowercase())? };
        scaled(&rest[..end], multiplier)? / i128::from(divisor)
    };
    i64::try_from(if negative { -ticks } else { ticks }).ok()
}

/// `number × multiplier`, exactly, without the fraction of a tick.
fn scaled(number: &str, multiplier: i64) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty())
        || whole.len() > 20
        || !is_digits(whole)
        || !is_digits(fraction)
    {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits = &fraction[..fraction.len().min(18)];
    let part: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let multiplier = i128::from(multiplier);
    Some(whole * multiplier + part * multiplier / 10i128.pow(digits.len() as u32))
}

/// `[days.]hours:minutes[:seconds[.fraction]]`
fn clock_ticks(text: &str) -> Option<i128> {
    let number = |digits: &str| -> Option<i64> {
        if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    };
    let mut parts = text.split(':');
    let first = parts.next()?;
    let (days, hours) = match first.split_once('.') {
        Some((days, hours)) => (number(days)?, number(hours)?),
        None => (0, number(first)?),
    };
    let mut minutes = number(parts.next()?)?;
    let mut hours = hours;
    let mut days = days;
    let mut seconds = parts.next();
    if let Some(last) = parts.next() {
        // days:hours:minutes:seconds
        if parts.next().is_some() || days != 0 {
            return None;
        }
        (days, hours, minutes) = (hours, minutes, number(seconds?)?);
        seconds = Some(last);
    }
    let second_ticks = match seconds {
        None => 0,
        Some(seconds) => {
            let whole = seconds.split('.').next()?;
            if number(whole)? > 59 {
                return None;
            }
            scaled(seconds, TICKS_PER_SECOND)?
        }
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(
        i128::from(days) * i128::from(TICKS_PER_DAY)
            + i128::from(hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE)
            + second_ticks,
    )
}

/// A cursor over the text of a datetime.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Reader<'a> {
        Reader { rest: text }
    }

    fn is_done(&self) -> bool {
        self.rest.trim_start().is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        match self.peek() {
            Some(byte) if wanted(byte) => {
                self.rest = &self.rest[1..];
                true
            }
            _ => false,
        }
    }

    fn skip_blanks(&mut self) {
        while self.skip(|byte| byte == b' ') {}
    }

    /// Blanks around the separators of a date that begins with its year, as in `2025, 6, 14`.
    fn skip_blanks_before_separator(&mut self) {
        let rest = self.rest.trim_start_matches(' ');
        if rest.starts_with(['-', '/', '.', ',']) {
            self.rest = rest;
        }
    }

    /// A run of ASCII digits and its value.
    fn number(&mut self) -> Option<(i64, usize)> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 || length > 9 {
            return None;
        }
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some((digits.parse().ok()?, length))
    }

    fn word(&mut self) -> &'a str {
        let length = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        word
    }

    fn date(&mut self) -> Option<i64> {
        if self.peek()?.is_ascii_alphabetic() {
            let weekday = self.word();
            const DAYS: [&str; 7] =
                ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
            let lower = weekday.to_ascii_lowercase();
            if lower.len() < 3 || !DAYS.iter().any(|day| *day == lower || day[..3] == lower) {
                return None;
            }
            self.skip(|byte| byte == b',');
            self.skip_blanks();
        }
        let (first, digits) = self.number()?;
        if digits == 4 {
            self.skip_blanks_before_separator();
        }
        let separator = self.peek();
        match separator {
            None => return ticks_of_date((digits == 4).then_some(first)?, 1, 1),
            // `datetime(2025, 6, 14)`
            Some(b',') if digits == 4 => {
                let mut part = || {
                    self.skip(|byte| byte == b',');
                    self.skip_blanks();
                    self.number()
                };
                let (month, day) = (part()?.0, part()?.0);
                return ticks_of_date(first, month, day);
            }
            Some(b',') if digits != 4 => return None,
            Some(b'-' | b'/' | b'.' | b' ' | b',') => self.rest = &self.rest[1..],
            Some(_) => return None,
        }
        if digits == 4 && separator != Some(b' ') {
            self.skip_blanks();
        }
        if self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            let month = month_of_name(self.word())?;
            if !self.skip(|byte| matches!(byte, b'-' | b' ')) {
                return None;
            }
            let (year, digits) = self.number()?;
            return ticks_of_date(full_year(year, digits), month, first);
        }
        if separator == Some(b' ') {
            return None;
        }
        let (second, _) = self.number()?;
        if digits == 4 {
            self.skip_blanks_before_separator();
            if self.peek() != separator {
                return ticks_of_date(first, second, 1);
            }
            self.rest = &self.rest[1..];
            self.skip_blanks();
            let (day, _) = self.number()?;
            return ticks_of_date(first, second, day);
        }
        if !self.skip(|byte| Some(byte) == separator) {
            return None;
        }
        let (year, digits) = self.number()?;
        ticks_of_date(full_year(year, digits), first, second)
    }

    /// Ticks within the day; nothing is midnight.
    fn time_of_day(&mut self) -> Option<i64> {
        let before = self.rest;
        if !self.skip(|byte| matches!(byte, b'T' | b't' | b' ')) {
            return Some(0);
        }
        self.skip_blanks();
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.rest = before;
            return Some(0);
        }
        let (mut hour, _) = self.number()?;
        let mut minute = 0;
        let mut second = 0;
        let mut fraction = 0;
        if self.skip(|byte| byte == b':') {
            minute = self.number()?.0;
            if self.skip(|byte| byte == b':') {
                second = self.number()?.0;
                if self.skip(|byte| matches!(byte, b'.' | b',')) {
                    fraction = self.fraction();
                }
            }
        }
        let after = self.rest;
        self.skip_blanks();
        match self.word() {
            half @ ("AM" | "PM" | "am" | "pm") => {
                if !(1..=12).contains(&hour) {
                    return None;
                }
                hour = hour % 12 + if half.eq_ignore_ascii_case("pm") { 12 } else { 0 };
            }
            _ => self.rest = after,
        }
        let carry = hour == 24 && minute == 0 && second == 0 && fraction == 0;
        if (hour > 23 && !carry) || minute > 59 || second > 59 {
            return None;
        }
        Some(hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND + fraction)
    }

    /// Ticks of a fraction of a second; digits past the seventh are dropped.
    fn fraction(&mut self) -> i64 {
        let mut ticks = 0;
        let mut weight = TICKS_PER_SECOND / 10;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            ticks += i64::from(byte - b'0') * weight;
            weight /= 10;
            self.rest = &self.rest[1..];
        }
        ticks
    }

    /// Ticks the zone is ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        self.skip_blanks();
        match self.peek() {
            Some(b'+' | b'-') => {}
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name = self.word().to_ascii_uppercase();
                if !matches!(name.as_str(), "Z" | "GMT" | "UTC" | "UT") {
                    return None;
                }
                if !matches!(self.peek(), Some(b'+' | b'-')) || name == "Z" {
                    return Some(0);
                }
            }
            _ => return Some(0),
        }
        let negative = self.peek() == Some(b'-');
        self.rest = &self.rest[1..];
        let (first, digits) = self.number()?;
        let (hours, minutes) = match digits {
            1 | 2 => {
                self.skip(|byte| byte == b':');
                let minutes = match self.peek() {
                    Some(byte) if byte.is_ascii_digit() => self.number()?.0,
                    _ => 0,
                };
                (first, minutes)
            }
            4 => (first / 100, first % 100),
            _ => return None,
        };
        if hours > 23 || minutes > 59 {
            return None;
        }
        let ahead = hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE;
        Some(if negative { -ahead } else { ahead })
    }
}

fn month_of_name(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let lower = name.to_ascii_lowercase();
    let position = MONTHS.iter().position(|month| *month == lower || month[..3] == lower)?;
    Some(position as i64 + 1)
}

/// Two digits name a year between 1930 and 2029.
fn full_year(year: i64, digits: usize) -> i64 {
    match (digits, year) {
        (1 | 2, 0..=29) => 2000 + year,
        (1 | 2, _) => 1900 + year,
        _ => year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64, seconds: i64) -> Option<i64> {
        Some(ticks_of_date(year, month, day)? + seconds * TICKS_PER_SECOND)
    }

    #[test]
    fn datetimes_of_every_documented_format() {
        let afternoon = 15 * 3600 + 5 * 60;
        let cases = [
            ("2014-05-25T08:20:03.123456Z", at(2014, 5, 25, 8 * 3600 + 20 * 60 + 3).map(|t| t + 1_234_560)),
            ("2014-05-25T08:20", at(2014, 5, 25, 8 * 3600 + 20 * 60)),
            ("2014-11-08 15:05", at(2014, 11, 8, afternoon)),
            ("2014-11-08", at(2014, 11, 8, 0)),
            (" 2014-11 ", at(2014, 11, 1, 0)),
            ("2014", at(2014, 1, 1, 0)),
            ("2015.12.31 23:59:59.9", at(2015, 12, 31, 86_399).map(|t| t + 9_000_000)),
            ("Sat, 8 Nov 14 15:05:02 GMT", at(2014, 11, 8, afternoon + 2)),
            ("Sat, 8 Nov 14 15:05", at(2014, 11, 8, afternoon)),
            ("8 Nov 14 15:05 GMT", at(2014, 11, 8, afternoon)),
            ("Saturday, 08-Nov-14 15:05:02 GMT", at(2014, 11, 8, afternoon + 2)),
            ("08-Nov-2014 15:05", at(2014, 11, 8, afternoon)),
            ("2014-11-08T15:05:25 GMT", at(2014, 11, 8, afternoon + 25)),
            ("2014-11-08T15:05:00+02:00", at(2014, 11, 8, afternoon - 7200)),
            ("2014-11-08T15:05:00-0130", at(2014, 11, 8, afternoon + 5400)),
            ("12-02-2022", at(2022, 12, 2, 0)),
            ("2024/01/15 12:35:35", at(2024, 1, 15, 12 * 3600 + 35 * 60 + 35)),
            ("1/2/2023 3:04:05 PM", at(2023, 1, 2, 15 * 3600 + 245)),
            ("2025, 6, 14", at(2025, 6, 14, 0)),
            ("2017 - 08 - 01", at(2017, 8, 1, 0)),
            ("2017-08-01 -05:00", at(2017, 8, 1, 5 * 3600)),
            ("0001-01-01", Some(0)),
            ("9999-12-31T23:59:59.99999999", Some(MAX_DATETIME_TICKS)),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("2023-01-01T25:00", None),
            ("not a date", None),
            ("", None),
            ("2023-01-01 garbage", None),
            ("12", None),
            ("é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_datetime(text), expected, "{text}");
        }
    }

    #[test]
    fn timespans_of_every_form() {
        let cases = [
            ("1.02:03:04.5", Some(937_845_000_000)),
            ("-1.02:03:04.5", Some(-937_845_000_000)),
            ("00:10:00", Some(10 * TICKS_PER_MINUTE)),
            ("13:00", Some(13 * TICKS_PER_HOUR)),
            ("23:59:59.9999999", Some(TICKS_PER_DAY - 1)),
            ("100.00:00:00", Some(100 * TICKS_PER_DAY)),
            ("1:2:3:4", Some(93_784 * TICKS_PER_SECOND)),
            ("1d", Some(TICKS_PER_DAY)),
            ("1.5h", Some(TICKS_PER_HOUR * 3 / 2)),
            ("10 seconds", Some(10 * TICKS_PER_SECOND)),
            ("100ms", Some(1_000_000)),
            ("5microseconds", Some(50)),
            ("3tick", Some(3)),
            ("2", Some(2 * TICKS_PER_DAY)),
            ("10675199.02:48:05.4775807", Some(i64::MAX)),
            ("-10675199.02:48:05.4775808", Some(i64::MIN)),
            ("10675199.02:48:05.4775808", None),
            ("25:00:00", None),
            ("00:60:00", None),
            ("abc", None),
            ("1w", None),
            ("", None),
            ("1.2.3", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_timespan(text), expected, "{text}");
        }
    }
}
