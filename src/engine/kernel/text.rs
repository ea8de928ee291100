//! Texts of values, and values of texts: what `tostring` prints and what the other conversions read.

use std::fmt::Write;

use conshelf_storage::ticks::{format_datetime, format_timespan};
use conshelf_storage::{DynamicKind, DynamicRef};

/// Prints a double as the engine does: the fewest digits that read back the same, a point always, an
/// exponent from 1e21 up and below 1e-6.
pub fn print_real(value: f64, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let start = out.len();
        // Writing into a String cannot fail.
        let _ = write!(out, "{value:e}");
        if let Some(sign) = out[start..].find('e').map(|at| start + at + 1)
            && !out[sign..].starts_with('-')
        {
            out.insert(sign, '+');
        }
        return;
    }
    let start = out.len();
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if text.contains('e') {
        let _ = write!(out, "{value}");
    } else {
        out.push_str(text);
    }
    match out[start..].contains('.') {
        true => raise_last_digit(value, out, start),
        false => out.push_str(".0"),
    }
}

/// Of the shortest digits that read back as the value the engine prints the largest, not the nearest (recorded:
/// `tostring(0.1 + 0.2)` is `0.30000000000000007`). Below 16 digits there is but one choice.
fn raise_last_digit(value: f64, out: &mut String, start: usize) {
    let digits = out.as_bytes()[start..].iter().filter(|byte| byte.is_ascii_digit());
    let significant = digits.skip_while(|digit| **digit == b'0').count();
    if significant < 16 {
        return;
    }
    while let Some(last @ '0'..='8') = out.pop() {
        let next = char::from(last as u8 + 1);
        out.push(next);
        if out[start..].parse() != Ok(value) {
            out.pop();
            out.push(last);
            return;
        }
    }
    out.push('9');
}

/// Prints an integer.
pub fn print_long(value: i64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

pub fn print_bool(value: bool, out: &mut String) {
    out.push_str(if value { "True" } else { "False" });
}

/// Prints the 32 hexadecimal digits in groups.
pub fn print_guid(bytes: [u8; 16], out: &mut String) {
    let mut text = uuid::Uuid::encode_buffer();
    out.push_str(uuid::Uuid::from_bytes(bytes).hyphenated().encode_lower(&mut text));
}

pub fn print_datetime(ticks: i64, out: &mut String) {
    format_datetime(ticks, out);
}

pub fn print_timespan(ticks: i64, out: &mut String) {
    format_timespan(ticks, out);
}

/// Prints a dynamic value as `tostring` does: texts without quotes, arrays and bags as JSON, null as nothing.
pub fn print_dynamic(value: DynamicRef<'_>, out: &mut String) {
    match value.kind() {
        DynamicKind::Real => print_real(value.as_real().unwrap_or(f64::NAN), out),
        DynamicKind::Bool => out.push_str(if value.as_bool() == Some(true) { "true" } else { "false" }),
        _ => value.to_text(out),
    }
}

/// Reads `true` and `false` in any case, and integers (zero is false).
pub fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        parse_long(text).map(|value| value != 0)
    }
}

/// Reads a decimal or hexadecimal (`0x`) integer with an optional sign, blanks around it.
pub fn parse_long(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        if hexadecimal.is_empty() || !hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let value = u64::from_str_radix(hexadecimal, 16).ok()? as i64;
        return Some(if negative { value.wrapping_neg() } else { value });
    }
    let mut value: i64 = 0;
    if digits.is_empty() {
        return None;
    }
    for byte in digits.bytes() {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?;
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// Reads a floating-point number, `NaN` or an infinity (`Inf`, `Infinity`), blanks around it.
pub fn parse_real(text: &str) -> Option<f64> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned.as_bytes().first()? {
        b'0'..=b'9' | b'.' => text.parse().ok(),
        _ => {
            let negative = text.starts_with('-');
            if unsigned.eq_ignore_ascii_case("nan") {
                Some(f64::NAN)
            } else if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
                Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
            } else {
                None
            }
        }
    }
}

/// Reads the 32 hexadecimal digits of a guid, hyphens anywhere between them, braces or parentheses around.
pub fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    let bare = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')))
        .unwrap_or(text);
    let mut bytes = [0u8; 16];
    let mut digits = 0;
    for character in bare.chars() {
        if character == '-' {
            continue;
        }
        let digit = u8::try_from(character.to_digit(16)?).ok()?;
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | digit;
        digits += 1;
    }
    (digits == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_print_as_the_engine_prints_them() {
        let cases = [
            (1.0, "1.0"),
            (1.5, "1.5"),
            (0.1 + 0.2, "0.30000000000000007"),
            (100_000_000_000.0, "100000000000.0"),
            (-0.5, "-0.5"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"),
            (1.25e-7, "1.25e-7"),
            (0.000001, "0.000001"),
            (123_456.789, "123456.789"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            let mut text = String::new();
            print_real(value, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn numbers_are_read_like_the_engine_reads_them() {
        let longs = [
            ("  45  ", Some(45)),
            ("+7", Some(7)),
            ("-0", Some(0)),
            ("0x1F", Some(31)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("3.14", None),
            ("1e3", None),
            ("1_000", None),
            ("", None),
            ("0x", None),
            ("-", None),
        ];
        for (text, expected) in longs {
            assert_eq!(parse_long(text), expected, "{text}");
        }
        let reals = [
            ("5.", Some(5.0)),
            (".5", Some(0.5)),
            ("+.5", Some(0.5)),
            ("1.5E3", Some(1500.0)),
            ("1e400", Some(f64::INFINITY)),
            ("Inf", Some(f64::INFINITY)),
            ("-infinity", Some(f64::NEG_INFINITY)),
            ("0x1F", None),
            ("1_000", None),
            ("1d", None),
            (".", None),
        ];
        for (text, expected) in reals {
            assert_eq!(parse_real(text), expected, "{text}");
        }
        assert_eq!(parse_bool(" TRUE "), Some(true));
        assert_eq!(parse_bool("0"), Some(false));
        assert_eq!(parse_bool("yes"), None);
        assert_eq!(parse_guid("{74be27de-1e4e-49d9-b579-fe0b331d3642}").map(|bytes| bytes[0]), Some(0x74));
        assert_eq!(parse_guid("74be27de-1e4e-49d9-b579"), None);
    }
}
