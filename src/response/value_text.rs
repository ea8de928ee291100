//! The text of single values, shared by every format: the forms of Kusto's wire protocol.
//!
//! Writes into byte buffers; knows nothing of columns or of the format around the value.

use conshelf_kql::Decimal;

const TICKS_PER_SECOND: u64 = 10_000_000;
const TICKS_PER_DAY: u64 = 864_000_000_000;

/// Two digits.
fn two(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
}

/// `.fffffff`, or nothing when zero.
fn fraction(ticks: u64, out: &mut Vec<u8>) {
    if ticks == 0 {
        return;
    }
    let mut digits = *b".0000000";
    let mut rest = ticks;
    for digit in digits[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

/// `yyyy-MM-ddTHH:mm:ss[.fffffff]Z`: seven digits of fraction, or none when zero. Ticks outside the years
/// 1 to 9999 are drawn to the nearest end.
pub fn datetime(ticks: i64, out: &mut Vec<u8>) {
    let ticks = ticks.clamp(0, 3_155_378_975_999_999_999) as u64;
    let (days, within) = (ticks / TICKS_PER_DAY, ticks % TICKS_PER_DAY);
    // Howard Hinnant's civil_from_days, with the epoch moved from 0001-01-01 to 0000-03-01.
    let shifted = days + 306;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    two(year / 100, out);
    two(year % 100, out);
    out.push(b'-');
    two(month, out);
    out.push(b'-');
    two(day, out);
    out.push(b'T');
    clock(within, out);
    out.push(b'Z');
}

/// `hh:mm:ss[.fffffff]` of ticks within a day.
fn clock(within: u64, out: &mut Vec<u8>) {
    let seconds = within / TICKS_PER_SECOND;
    two(seconds / 3600, out);
    out.push(b':');
    two(seconds / 60 % 60, out);
    out.push(b':');
    two(seconds % 60, out);
    fraction(within % TICKS_PER_SECOND, out);
}

/// `[-][d.]hh:mm:ss[.fffffff]`: days only when there are any.
pub fn timespan(ticks: i64, out: &mut Vec<u8>) {
    if ticks < 0 {
        out.push(b'-');
    }
    let magnitude = ticks.unsigned_abs();
    let days = magnitude / TICKS_PER_DAY;
    if days > 0 {
        integer(days as i64, out);
        out.push(b'.');
    }
    clock(magnitude % TICKS_PER_DAY, out);
}

pub fn integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that reads back as the same number, always with a point or an exponent; `NaN`,
/// `Infinity`, `-Infinity`.
pub fn real(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(special_real(value).as_bytes());
    }
}

/// The same for JSON: the values that JSON numbers cannot be are strings.
pub fn real_json(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(special_real(value).as_bytes());
        out.push(b'"');
    }
}

fn special_real(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Lower-case `8-4-4-4-12`; bytes in the order of the text.
pub fn guid(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in bytes.iter().enumerate().take(16) {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
}

/// Plain notation of canonical decimal bytes.
pub fn decimal(bytes: &[u8], out: &mut Vec<u8>) {
    let mut fixed = [0u8; 16];
    for (to, from) in fixed.iter_mut().zip(bytes) {
        *to = *from;
    }
    out.extend_from_slice(Decimal::from_bytes(fixed).to_string().as_bytes());
}

/// For each byte: 0 when it stands for itself in a JSON string, else the letter after the backslash
/// (`u`: as `\u00xx`).
const ESCAPES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut at = 0;
    while at < 0x20 {
        table[at] = b'u';
        at += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0x7f] = b'u';
    table
};

/// A JSON string with its quotes.
pub fn json_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    json_string_content(text, out);
    out.push(b'"');
}

/// The inside of a JSON string.
pub fn json_string_content(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[usize::from(*byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        out.push(b'\\');
        out.push(escape);
        if escape == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    out.extend_from_slice(&bytes[plain..]);
}

/// The JSON string of a text, as text: for messages built with `format!`.
pub fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json_string(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// [`datetime`] as text.
pub fn datetime_text(ticks: i64) -> String {
    let mut out = Vec::with_capacity(28);
    datetime(ticks, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// [`timespan`] as text.
pub fn timespan_text(ticks: i64) -> String {
    let mut out = Vec::with_capacity(28);
    timespan(ticks, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn datetimes() {
        let cases = [
            (0, "0001-01-01T00:00:00Z"),
            (1, "0001-01-01T00:00:00.0000001Z"),
            (621_355_968_000_000_000, "1970-01-01T00:00:00Z"),
            (638_447_616_000_000_000 + 36_000_000_000, "2024-02-29T01:00:00Z"),
            (3_155_378_975_999_999_999, "9999-12-31T23:59:59.9999999Z"),
            (630_822_816_000_000_000, "2000-01-01T00:00:00Z"),
            (-5, "0001-01-01T00:00:00Z"),
        ];
        for (ticks, text) in cases {
            assert_eq!(datetime_text(ticks), text);
        }
    }

    #[test]
    fn timespans() {
        let cases = [
            (0, "00:00:00"),
            (-(2 * 864_000_000_000 + 20_020_020), "-2.00:00:02.0020020"),
            (10 * 864_000_000_000, "10.00:00:00"),
            (1, "00:00:00.0000001"),
            (i64::MIN, "-10675199.02:48:05.4775808"),
            (i64::MAX, "10675199.02:48:05.4775807"),
        ];
        for (ticks, text) in cases {
            assert_eq!(timespan_text(ticks), text);
        }
    }

    #[test]
    fn reals_show_that_they_are_reals() {
        let cases = [
            (2.0, "2.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e300, "1e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in cases {
            assert_eq!(written(|out| real(value, out)), text);
        }
        assert_eq!(written(|out| real_json(f64::NAN, out)), "\"NaN\"");
        for value in [1e16, 123_456_789_012_345_680.0, 5e-324, f64::MAX] {
            let text = written(|out| real_json(value, out));
            assert!(text.contains(['.', 'e']), "{text}");
            assert_eq!(text.parse::<f64>(), Ok(value));
        }
    }

    #[test]
    fn json_strings_escape_what_must_be() {
        assert_eq!(quoted("a\"b\\c\n\t\u{1}é\u{7f}😀"), "\"a\\\"b\\\\c\\n\\t\\u0001é\\u007f😀\"");
    }

    #[test]
    fn guids() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(written(|out| guid(&bytes, out)), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
