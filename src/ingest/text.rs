//! Texts to typed values, the fast way, for the decoders.
//!
//! Each function gives `None` for a text that is not such a value. What counts as one is Kusto's ingestion
//! rule; unusual datetime forms go to the general parser of the `todatetime` function.

use conshelf_storage::ticks::{
    MAX_DATETIME_TICKS, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, days_from_civil,
};

/// A whole decimal number, possibly signed, possibly hexadecimal (`0x…`).
pub fn long(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok().map(u64::cast_signed);
    }
    text.parse().ok()
}

/// A number, or one of the names of the values that are none.
pub fn real(text: &str) -> Option<f64> {
    let text = text.trim();
    let first = *text.as_bytes().first()?;
    if (first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.'))
        && let Ok(value) = text.parse::<f64>()
    {
        // A text such as "-infinity" parses; only the spelled forms below are meant to.
        return Some(value);
    }
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "infinity" | "+inf" | "+infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// `true`, `false`, `1`, `0`, without regard to case.
pub fn bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") || text == "1" {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// A guid of 32 hexadecimal digits, with or without hyphens in their places, possibly in braces.
pub fn guid(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    let text = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text).as_bytes();
    let hyphenated = match text.len() {
        32 => false,
        36 => true,
        _ => return None,
    };
    let mut bytes = [0u8; 16];
    let mut at = 0;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if hyphenated && matches!(index, 4 | 6 | 8 | 10) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        let high = char::from(text[at]).to_digit(16)?;
        let low = char::from(text[at + 1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
        at += 2;
    }
    Some(bytes)
}

/// Reads `count` digits at `at`.
fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let slice = text.get(at..at + count)?;
    slice
        .iter()
        .try_fold(0i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// A datetime in ticks: `yyyy-MM-dd`, then optionally `T` or a blank and `HH:mm[:ss[.fraction]]`, then
/// optionally `Z` or an offset. Digits of the fraction past the seventh are cut off.
pub fn iso_datetime(text: &str) -> Option<i64> {
    let text = text.trim().as_bytes();
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?);
    if !(1..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || day < 1
        || day > days_in_month(year, month)
    {
        return None;
    }
    let mut ticks = days_from_civil(year as i32, month as i32, day as i32) * TICKS_PER_DAY;
    let mut at = 10;
    if at < text.len() {
        if !matches!(text[at], b'T' | b't' | b' ') {
            return None;
        }
        let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
        if text[13] != b':' || hour > 23 || minute > 59 {
            return None;
        }
        ticks += hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE;
        at = 16;
        if text.get(at) == Some(&b':') {
            let second = digits(text, 17, 2)?;
            if second > 59 {
                return None;
            }
            ticks += second * TICKS_PER_SECOND;
            at = 19;
            if matches!(text.get(at), Some(b'.' | b',')) {
                at += 1;
                let mut unit = TICKS_PER_SECOND / 10;
                let first = at;
                while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
                    ticks += i64::from(digit - b'0') * unit;
                    unit /= 10;
                    at += 1;
                }
                if at == first {
                    return None;
                }
            }
        }
        ticks -= offset(&text[at..])?;
    }
    (0..=MAX_DATETIME_TICKS).contains(&ticks).then_some(ticks)
}

/// Ticks of a zone designator: nothing, `Z`, `+hh:mm`, `+hhmm`, `+hh`.
fn offset(text: &[u8]) -> Option<i64> {
    let sign = match text {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        [b' ', rest @ ..] => return offset(rest),
        _ => return None,
    };
    let hours = digits(text, 1, 2)?;
    let minutes = match text.len() {
        3 => 0,
        5 => digits(text, 3, 2)?,
        6 if text[3] == b':' => digits(text, 4, 2)?,
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conshelf_storage::ticks::format_datetime;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        match iso_datetime(text) {
            Some(ticks) => format_datetime(ticks, &mut out),
            None => out.push('-'),
        }
        out
    }

    #[test]
    fn datetimes() {
        for (text, expected) in [
            ("2024-02-29", "2024-02-29T00:00:00.0000000Z"),
            ("2024-02-29T12:30", "2024-02-29T12:30:00.0000000Z"),
            ("2024-02-29 12:30:15", "2024-02-29T12:30:15.0000000Z"),
            ("2024-02-29T12:30:15.123456789Z", "2024-02-29T12:30:15.1234567Z"),
            ("2024-02-29T12:30:15+02:00", "2024-02-29T10:30:15.0000000Z"),
            ("2024-02-29T12:30:15.5-0130", "2024-02-29T14:00:15.5000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z"),
            ("0001-01-01T00:00:00+01:00", "-"),
            ("2023-02-29", "-"),
            ("2024-13-01", "-"),
            ("2024-02-29T24:00:00", "-"),
            ("2024-02-29T12", "-"),
            ("2024-02-29T12:30:15.", "-"),
            ("2024-02-29T12:30:15 nonsense", "-"),
            ("yesterday", "-"),
            ("", "-"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_words_and_guids() {
        assert_eq!((long(" -12 "), long("0x1F"), long("1.0"), long("")), (Some(-12), Some(31), None, None));
        assert_eq!(
            (real("1e3"), real("-Infinity"), real("x")),
            (Some(1000.0), Some(f64::NEG_INFINITY), None)
        );
        assert!(real("NaN").is_some_and(f64::is_nan));
        assert_eq!((bool("TRUE"), bool("0"), bool("yes")), (Some(true), Some(false), None));
        let bytes = guid("74be27de-1e4e-49d9-b579-fe0b331d3642").expect("a guid");
        assert_eq!(guid("{74BE27DE1E4E49D9B579FE0B331D3642}"), Some(bytes));
        assert_eq!(bytes[0], 0x74);
        assert_eq!(guid("74be27de-1e4e-49d9-b579-fe0b331d364"), None);
        assert_eq!(guid("74be27de+1e4e-49d9-b579-fe0b331d3642"), None);
        assert_eq!(guid("ééééééééééééééééé"), None);
    }
}
