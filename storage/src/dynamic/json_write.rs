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

fn write_long(value: i64, out: &mut String) {
    // Writing into a String cannot fail.
    let _ = write!(out, "{value}");
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
    let mut scientific = FixedText { bytes: [0; 40], length: 0 };
    let _ = write!(scientific, "{value:e}");
    let text = scientific.as_str();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        let _ = write!(out, "{value}");
    } else {
        out.push_str(mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "E{sign}{:02}", exponent.unsigned_abs());
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

/// Appends a text as a JSON string with its quotes.
pub fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        written = at + 1;
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}
