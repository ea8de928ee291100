//! Texts of points in time, spans of time and guids to their values. The literals of the language and the
//! conversions of text (`todatetime`, `totimespan`, `toguid`) take the same forms. Knows no clock.

use crate::lexer::ticks_of_unit;

pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;

/// The last tick of the year 9999.
pub const MAX_DATETIME: i64 = 3_155_378_975_999_999_999;

/// 100 ns ticks since 0001-01-01T00:00:00Z of a text in ISO 8601, RFC 822 or RFC 850 form. A zone is applied, without
/// one the text is in UTC. `None` if it is no such text or out of range.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let mut scan = Scan { rest: text.trim() };
    let (year, month, day) = match scan.date_of_numbers() {
        Some(date) => date,
        None => {
            scan = Scan { rest: text.trim() };
            scan.date_with_month_name()?
        }
    };
    let days = days_before(year, month, day)?;
    let mut ticks = i128::from(days) * i128::from(TICKS_PER_DAY);
    let separated = scan.take(&['T', 't']) || scan.skip_blanks() || scan.take(&[':']);
    if separated && !scan.rest.is_empty() {
        if scan.rest.starts_with(|c: char| c.is_ascii_digit()) {
            ticks += i128::from(scan.time_of_day()?);
        }
        scan.skip_blanks();
        ticks -= i128::from(scan.zone()?);
    } else if !scan.rest.is_empty() {
        ticks -= i128::from(scan.zone()?);
    }
    scan.skip_blanks();
    if !scan.rest.is_empty() || !(0..=i128::from(MAX_DATETIME)).contains(&ticks) {
        return None;
    }
    Some(ticks as i64)
}

/// 100 ns ticks of `[-][d.]hh:mm[:ss[.fffffff]]`, of a number with a unit (`1.5h`, `15 seconds`) or of a plain number,
/// which counts days.
pub fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if text.contains(':') { clock_span(text)? } else { counted_span(text)? };
    let ticks = if negative { -ticks } else { ticks };
    i64::try_from(ticks).ok()
}

fn counted_span(text: &str) -> Option<i128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    let (multiply, divide) = if unit.is_empty() { (TICKS_PER_DAY, 1) } else { ticks_of_unit(unit)? };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Eighteen digits of the fraction are finer than a tick of any unit.
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = 10_i128.pow(fraction.len() as u32);
    let digits = format!("{whole}{fraction}");
    let value: i128 = if digits.len() > 30 { return None } else { digits.parse().ok()? };
    Some(value.checked_mul(i128::from(multiply))? / (scale * i128::from(divide)))
}

/// `[d.]hh:mm[:ss[.fffffff]]`
fn clock_span(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    let (days, hours) = match first.split_once('.') {
        Some((days, hours)) => (number(days, 8)?, number(hours, 2)?),
        None => (0, number(first, 2)?),
    };
    let minutes = number(parts.next()?, 2)?;
    let mut ticks = 0;
    let mut seconds = 0;
    if let Some(last) = parts.next() {
        let (whole, fraction) = last.split_once('.').unwrap_or((last, ""));
        seconds = number(whole, 2)?;
        ticks = if last.contains('.') { fraction_ticks(fraction)? } else { 0 };
    }
    if parts.next().is_some() || hours > 24 || minutes > 59 || seconds > 59 {
        return None;
    }
    let total = i128::from(days) * 86_400 + i128::from(hours * 3_600 + minutes * 60 + seconds);
    Some(total * i128::from(TICKS_PER_SECOND) + i128::from(ticks))
}

/// Digits after the dot of the seconds; what is finer than a tick is cut.
fn fraction_ticks(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kept = &digits[..digits.len().min(7)];
    Some(kept.parse::<i64>().ok()? * 10_i64.pow(7 - kept.len() as u32))
}

fn number(digits: &str, longest: usize) -> Option<i64> {
    let fits = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

/// Days from 0001-01-01 to a date of the Gregorian calendar; `None` if there is no such date.
pub fn days_before(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let whole = year - 1;
    let before: i64 = lengths.iter().take(month as usize - 1).sum();
    Some(whole * 365 + whole / 4 - whole / 100 + whole / 400 + before + day - 1)
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What is left to read of a text.
struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn take(&mut self, any: &[char]) -> bool {
        match self.rest.strip_prefix(any) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest.trim_start();
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some
    }

    fn digits(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    fn letters(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (letters, rest) = self.rest.split_at(end);
        self.rest = rest;
        letters
    }

    /// `2014-11-08`, `2014/11/8`, `2014-11`, `2014`, `20141108` or `11/8/2014`
    fn date_of_numbers(&mut self) -> Option<(i64, i64, i64)> {
        let first = self.digits();
        let separators = ['-', '/', '.'];
        match first.len() {
            8 => {
                let part = |from: usize, to: usize| first[from..to].parse::<i64>().ok();
                Some((part(0, 4)?, part(4, 6)?, part(6, 8)?))
            }
            4 => {
                let year = first.parse().ok()?;
                if !self.take(&separators) {
                    return Some((year, 1, 1));
                }
                let month = number(self.digits(), 2)?;
                let day = if self.take(&separators) { number(self.digits(), 2)? } else { 1 };
                Some((year, month, day))
            }
            1 | 2 if self.take(&['/']) => {
                let month = first.parse().ok()?;
                let day = number(self.digits(), 2)?;
                if !self.take(&['/']) {
                    return None;
                }
                let year = self.digits();
                if year.len() == 4 { Some((year.parse().ok()?, month, day)) } else { None }
            }
            _ => None,
        }
    }

    /// `Sat, 8 Nov 14` and `Saturday, 08-Nov-14`
    fn date_with_month_name(&mut self) -> Option<(i64, i64, i64)> {
        if !self.letters().is_empty() && !self.take(&[',']) {
            return None;
        }
        self.skip_blanks();
        let day = number(self.digits(), 2)?;
        let separator = |scan: &mut Self| scan.take(&['-']) || scan.skip_blanks();
        if !separator(self) {
            return None;
        }
        let name = self.letters().to_ascii_lowercase();
        let month = MONTHS.iter().position(|month| name.len() >= 3 && name.starts_with(month))? as i64 + 1;
        if !separator(self) {
            return None;
        }
        let digits = self.digits();
        let year: i64 = digits.parse().ok()?;
        let year = match digits.len() {
            2 if year < 50 => 2000 + year,
            2 => 1900 + year,
            4 => year,
            _ => return None,
        };
        Some((year, month, day))
    }

    /// `15:05[:02[.1234567]] [AM|PM]` in ticks
    fn time_of_day(&mut self) -> Option<i64> {
        let mut hours = number(self.digits(), 2)?;
        let mut minutes = 0;
        let mut seconds = 0;
        let mut fraction = 0;
        if self.take(&[':']) {
            minutes = number(self.digits(), 2)?;
            if self.take(&[':']) {
                seconds = number(self.digits(), 2)?;
                if self.take(&['.', ',']) {
                    fraction = fraction_ticks(self.digits())?;
                }
            }
        }
        let before = self.rest;
        self.skip_blanks();
        match self.letters().to_ascii_lowercase().as_str() {
            "am" if (1..=12).contains(&hours) => hours %= 12,
            "pm" if (1..=12).contains(&hours) => hours = hours % 12 + 12,
            _ => self.rest = before,
        }
        let day_end = hours == 24 && minutes == 0 && seconds == 0 && fraction == 0;
        if (hours > 23 && !day_end) || minutes > 59 || seconds > 59 {
            return None;
        }
        Some((hours * 3_600 + minutes * 60 + seconds) * TICKS_PER_SECOND + fraction)
    }

    /// The ticks that a zone is ahead of UTC; none is UTC.
    fn zone(&mut self) -> Option<i64> {
        self.skip_blanks();
        if self.rest.is_empty() {
            return Some(0);
        }
        let negative = self.rest.starts_with('-');
        if self.take(&['+', '-']) {
            let digits = self.digits();
            let (hours, minutes) = match digits.len() {
                4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
                1 | 2 => {
                    let hours: i64 = digits.parse().ok()?;
                    (hours, if self.take(&[':']) { number(self.digits(), 2)? } else { 0 })
                }
                _ => return None,
            };
            if hours > 14 || minutes > 59 {
                return None;
            }
            let ahead = (hours * 60 + minutes) * 60 * TICKS_PER_SECOND;
            return Some(if negative { -ahead } else { ahead });
        }
        matches!(self.letters().to_ascii_lowercase().as_str(), "z" | "gmt" | "utc").then_some(0)
    }
}

/// The bytes of a guid, in the order of its text. Dashes may be left out, braces may be around it.
pub fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let dashes_in_place = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-');
    if !dashes_in_place && text.len() != 32 {
        return None;
    }
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, pair) in digits.chunks_exact(2).enumerate() {
        let pair =
            std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes[at] = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

/// A datetime as ISO 8601 with as many fraction digits as it needs: `2014-11-08T15:05:02.5Z`.
pub fn format_datetime(ticks: i64) -> String {
    let (year, month, day) = date_of_days(ticks.div_euclid(TICKS_PER_DAY));
    let rest = ticks.rem_euclid(TICKS_PER_DAY);
    let (seconds, fraction) = (rest / TICKS_PER_SECOND, rest % TICKS_PER_SECOND);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}");
    if fraction != 0 {
        text.push_str(format!(".{fraction:07}").trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// Year, month and day of a count of days since 0001-01-01.
pub fn date_of_days(days: i64) -> (i64, i64, i64) {
    // Years that begin in March put the leap day at their end.
    let shifted = days + 306;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A timespan as `[-][d.]hh:mm:ss[.fffffff]`.
pub fn format_timespan(ticks: i64) -> String {
    let magnitude = ticks.unsigned_abs();
    let second = TICKS_PER_SECOND as u64;
    let (days, rest) = (magnitude / (86_400 * second), magnitude % (86_400 * second));
    let (seconds, fraction) = (rest / second, rest % second);
    let mut text = String::new();
    if ticks < 0 {
        text.push('-');
    }
    if days > 0 {
        text.push_str(&format!("{days}."));
    }
    text.push_str(&format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60));
    if fraction > 0 {
        text.push_str(&format!(".{fraction:07}"));
    }
    text
}

/// A guid in lower case with dashes.
pub fn format_guid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn datetimes_of_every_form_agree() {
        let expected = parse_datetime("2014-11-08T15:05:02Z");
        assert_eq!(expected, Some(635_510_559_020_000_000));
        for text in [
            "2014-11-08 15:05:02",
            " 2014-11-08T15:05:02 ",
            "2014-11-08 15:05:02.0000000Z",
            "2014-11-08 17:05:02+02:00",
            "2014-11-08T10:35:02 -0430",
            "2014-11-08 15:05:02 GMT",
            "Sat, 8 Nov 14 15:05:02 GMT",
            "8 Nov 14 15:05:02",
            "Saturday, 08-Nov-14 15:05:02 GMT",
            "08-Nov-2014 15:05:02",
            "2014/11/8 3:05:02 PM",
            "11/8/2014 15:05:02",
        ] {
            assert_eq!(parse_datetime(text), expected, "{text}");
        }
        assert_eq!(parse_datetime("0001-01-01"), Some(0));
        assert_eq!(parse_datetime("9999-12-31T23:59:59.9999999Z"), Some(MAX_DATETIME));
        assert_eq!(parse_datetime("2014"), parse_datetime("2014-01-01"));
        for text in ["", "x", "2014-13-01", "2014-02-29", "2014-11-08T25:00", "2014-11-08 x", "0000-01-01"] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }

    #[test]
    fn timespans_of_every_form() {
        let cases = [
            ("1d", TICKS_PER_DAY),
            ("1.5h", 54_000_000_000),
            ("15 seconds", 150_000_000),
            ("2", 2 * TICKS_PER_DAY),
            ("0.12:34:56.7", 452_967_000_000),
            ("-01:00:00", -36_000_000_000),
            ("00:01", 600_000_000),
            ("1tick", 1),
            ("100nanoseconds", 1),
            ("1microsecond", 10),
        ];
        for (text, ticks) in cases {
            assert_eq!(parse_timespan(text), Some(ticks), "{text}");
        }
        for text in ["", "x", "1w", "1:2:3:4", "1:99", "d", "99999999999999999999d"] {
            assert_eq!(parse_timespan(text), None, "{text}");
        }
    }

    #[test]
    fn guids_keep_the_order_of_their_text() {
        let text = "74be27de-1e4e-49d9-b579-fe0b331d3642";
        let bytes = parse_guid(text).expect("a guid");
        assert_eq!(bytes[0], 0x74);
        assert_eq!(format_guid(&bytes), text);
        assert_eq!(parse_guid("74be27de1e4e49d9b579fe0b331d3642"), Some(bytes));
        assert_eq!(parse_guid("74be27de-1e4e-49d9-b579-fe0b331d364"), None);
        assert_eq!(parse_guid("74be27de-1e4e-49d9-b579-fe0b331d36é"), None);
    }

    proptest! {
        #[test]
        fn printed_values_read_back(datetime in 0..=MAX_DATETIME, timespan in any::<i64>()) {
            prop_assert_eq!(parse_datetime(&format_datetime(datetime)), Some(datetime));
            prop_assume!(timespan != i64::MIN);
            prop_assert_eq!(parse_timespan(&format_timespan(timespan)), Some(timespan));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = (parse_datetime(&text), parse_timespan(&text), parse_guid(&text));
        }
    }
}
