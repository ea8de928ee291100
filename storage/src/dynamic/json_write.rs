//! Prints dynamic values as JSON the way Kusto does.
//!
//! No blanks; datetimes, timespans, guids, decimals and the special reals as strings; reals always with a
//! point or an exponent, so that they read back as reals.

use std::fmt::Write;

use super::{DynamicKind, DynamicRef, MAX_DEPTH};
use crate::ticks;

impl DynamicRef<'_> {
    /// Appends the value as JSON. What is nested below [`MAX_DEPTH`] prints as null.
    pub fn to_json(&self, out: &mut String) {
        self.write_json(out, 0);
    }

    /// The value as JSON.
    pub fn to_json_string(&self) -> String {
        let mut out = String::new();
        self.to_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String, depth: usize) {
        if depth > MAX_DEPTH {
            out.push_str("null");
            return;
        }
        match self.kind() {
            DynamicKind::Null => out.push_str("null"),
            DynamicKind::Bool => out.push_str(if self.as_bool() == Some(true) { "true" } else { "false" }),
            DynamicKind::Long => write_long(self.as_long().unwrap_or_default(), out),
            DynamicKind::Real => write_json_real(self.as_real().unwrap_or(f64::NAN), out),
            DynamicKind::String => write_json_string(self.as_str().unwrap_or_default(), out),
            DynamicKind::Array => {
                out.push('[');
                for (index, element) in self.iter_array().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write_json(out, depth + 1);
                }
                out.push(']');
            }
            DynamicKind::Object => {
                out.push('{');
                for (index, (key, value)) in self.iter_object().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_json_string(key, out);
                    out.push(':');
                    value.write_json(out, depth + 1);
                }
                out.push('}');
            }
            DynamicKind::Decimal | DynamicKind::DateTime | DynamicKind::TimeSpan | DynamicKind::Guid => {
                out.push('"');
                self.write_plain(out);
                out.push('"');
            }
        }
    }

    /// Appends the value as `tostring` gives it: a string without quotes, everything else as in JSON but
    /// datetimes, timespans, guids and decimals without quotes; null is the empty text.
    pub fn to_text(&self, out: &mut String) {
        match self.kind() {
            DynamicKind::Null => {}
            DynamicKind::String => out.push_str(self.as_str().unwrap_or_default()),
            DynamicKind::Real => format_real(self.as_real().unwrap_or(f64::NAN), out),
            DynamicKind::Decimal | DynamicKind::DateTime | DynamicKind::TimeSpan | DynamicKind::Guid => {
                self.write_plain(out);
            }
            _ => self.to_json(out),
        }
    }

    fn write_plain(&self, out: &mut String) {
        match self.kind() {
            DynamicKind::Decimal => out.push_str(self.as_decimal().map_or("", |decimal| decimal.1)),
            DynamicKind::DateTime => ticks::format_datetime(self.as_datetime().unwrap_or_default(), out),
            DynamicKind::TimeSpan => ticks::format_timespan(self.as_timespan().unwrap_or_default(), out),
            _ => {
                let guid = uuid::Uuid::from_bytes(self.as_guid().unwrap_or_default());
                let mut text = uuid::Uuid::encode_buffer();
                out.push_str(guid.hyphenated().encode_lower(&mut text));
            }
        }
    }
}

/// Appends an integer in decimal.
pub(crate) fn write_long(value: i64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

fn write_json_real(value: f64, out: &mut String) {
    if value.is_finite() {
        let start = out.len();
        format_real(value, out);
        if !out[start..].contains(['.', 'E']) {
            out.push_str(".0");
        }
    } else {
        out.push('"');
        format_real(value, out);
        out.push('"');
    }
}

/// Appends a number of at most nine digits before the point and five behind it, `false` for others: measurements
/// mostly, and much faster than by the general way. No two decimals of so few digits read as the same double, so that
/// the one found is the shortest.
fn short_decimal(value: f64, out: &mut String) -> bool {
    const POWERS: [f64; 6] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5];
    let magnitude = value.abs();
    if !(1e-3..1e9).contains(&magnitude) {
        return false;
    }
    let found = POWERS.iter().enumerate().find_map(|(places, power)| {
        let number = (magnitude * power).round();
        (number / power == magnitude).then_some((places, number as u64))
    });
    let Some((places, number)) = found else { return false };
    if value < 0.0 {
        out.push('-');
    }
    let power = 10u64.pow(places as u32);
    write_long((number / power) as i64, out);
    if places > 0 {
        out.push('.');
        let mut digits = [b'0'; 5];
        let mut fraction = number % power;
        for digit in digits[..places].iter_mut().rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        out.extend(digits[..places].iter().map(|digit| char::from(*digit)));
    }
    true
}

/// Appends the shortest text that reads back as the same double, in the form of .NET: exponents from
/// `E+15` up and from `E-05` down, `NaN`, `Infinity`, `-Infinity`; whole numbers have no point.
pub fn format_real(value: f64, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    if value == 0.0 {
        return out.push_str(if value.is_sign_negative() { "-0" } else { "0" });
    }
    if short_decimal(value, out) {
        return;
    }
    let mut scientific = FixedText { bytes: [0; 40], length: 0 };
    // The text is long enough for any double.
    let _ = write!(scientific, "{value:e}");
    let (mantissa, exponent) = scientific.as_str().split_once('e').unwrap_or_default();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..15).contains(&exponent) {
        out.push_str(mantissa);
        out.push_str(if exponent < 0 { "E-" } else { "E+" });
        if exponent.unsigned_abs() < 10 {
            out.push('0');
        }
        write_long(exponent.unsigned_abs().into(), out);
        return;
    }
    let mantissa = mantissa.strip_prefix('-').inspect(|_| out.push('-')).unwrap_or(mantissa);
    let (head, tail) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if exponent < 0 {
        out.push_str("0.");
        out.push_str(&"000"[..(-exponent - 1) as usize]);
        out.push_str(head);
        out.push_str(tail);
        return;
    }
    let exponent = exponent as usize;
    out.push_str(head);
    match tail.split_at_checked(exponent) {
        Some((whole, "")) => out.push_str(whole),
        Some((whole, fraction)) => {
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        None => {
            out.push_str(tail);
            out.push_str(&"00000000000000"[tail.len()..exponent]);
        }
    }
}

/// A text of at most 40 bytes on the stack: longer than any double in scientific form.
struct FixedText {
    bytes: [u8; 40],
    length: usize,
}

impl FixedText {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for FixedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let slot = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        slot.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Bytes that a JSON string cannot hold as they are.
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Appends a text as a JSON string with its quotes.
pub fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| ESCAPED[byte as usize]) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            // Writing into a String cannot fail.
            control => drop(write!(out, "\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn real(value: f64) -> String {
        let mut out = String::new();
        format_real(value, &mut out);
        out
    }

    #[test]
    fn reals_print_like_dotnet() {
        let cases = [
            (0.1, "0.1"),
            (-0.0001234, "-0.0001234"),
            (0.00001234, "1.234E-05"),
            (100.0, "100"),
            (123456.789, "123456.789"),
            (-120.0, "-120"),
            (999999999999999.0, "999999999999999"),
            (1e15, "1E+15"),
            (-1.5e300, "-1.5E+300"),
            (5e-324, "5E-324"),
            (f64::MAX, "1.7976931348623157E+308"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            assert_eq!(real(value), expected);
        }
    }

    proptest! {
        #[test]
        fn printed_reals_read_back(value in prop_oneof![any::<f64>(), (-1e7..1e7f64), (any::<i32>(), 0..6i32).prop_map(|(n, d)| f64::from(n) / 10f64.powi(d))]) {
            prop_assume!(value.is_finite());
            prop_assert_eq!(real(value).parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }

        #[test]
        fn printed_decimals_are_the_shortest(number: i32, places in 0i32..8) {
            let value = f64::from(number) / 10f64.powi(places);
            prop_assume!(value == 0.0 || value.abs() >= 1e-3);
            prop_assert_eq!(real(value), value.to_string());
        }

        #[test]
        fn printed_longs_read_back(value: i64) {
            let mut out = String::new();
            write_long(value, &mut out);
            prop_assert_eq!(out, value.to_string());
        }
    }
}
