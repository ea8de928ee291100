//! Literals as text: each value in a form that reads back as the same value.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::ast::{DynamicLiteral, LiteralValue, StringLiteral};
use crate::time::{TICKS_PER_DAY, TICKS_PER_SECOND};

/// A string literal with this value, in double quotes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Display for StringLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.obfuscated { "h" } else { "" }, quote(&self.value))
    }
}

impl Display for LiteralValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            LiteralValue::Bool(value) => write!(f, "{value}"),
            LiteralValue::Int(value) => write!(f, "int({value})"),
            LiteralValue::Long(value) if *value < 0 => write!(f, "long({value})"),
            LiteralValue::Long(value) => write!(f, "{value}"),
            LiteralValue::Real(value) => real(*value, f),
            LiteralValue::Decimal(text) => write!(f, "decimal({text})"),
            LiteralValue::String(value) => value.fmt(f),
            LiteralValue::Datetime(ticks) => write!(f, "datetime({})", datetime_text(*ticks)),
            LiteralValue::Timespan(ticks) => write!(f, "timespan({})", timespan_text(*ticks)),
            LiteralValue::Guid(bytes) => write!(f, "guid({})", guid_text(bytes)),
            LiteralValue::Dynamic(value) => write!(f, "dynamic({value})"),
            LiteralValue::Null(keyword) => write!(f, "{}(null)", keyword.as_str()),
            LiteralValue::Invalid { keyword, text } => write!(f, "{}({text})", keyword.as_str()),
        }
    }
}

fn real(value: f64, f: &mut Formatter<'_>) -> fmt::Result {
    if value.is_nan() {
        f.write_str("real(nan)")
    } else if value.is_infinite() {
        f.write_str(if value > 0.0 { "real(+inf)" } else { "real(-inf)" })
    } else if value.is_sign_negative() {
        write!(f, "real({value:?})")
    } else {
        write!(f, "{value:?}")
    }
}

impl Display for DynamicLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DynamicLiteral::Null => f.write_str("null"),
            DynamicLiteral::Scalar(value) => value.fmt(f),
            DynamicLiteral::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            DynamicLiteral::Bag(pairs) => {
                f.write_str("{")?;
                for (at, (name, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{}: {value}", if at > 0 { ", " } else { "" }, quote(name))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A datetime as ISO 8601 with as many fraction digits as it needs: `2014-11-08T15:05:02.5Z`.
fn datetime_text(ticks: i64) -> String {
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
fn date_of_days(days: i64) -> (i64, i64, i64) {
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
fn timespan_text(ticks: i64) -> String {
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
fn guid_text(bytes: &[u8; 16]) -> String {
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
    use crate::ast::TypeKeyword;
    use crate::parser::literal::{literal_value, parse_guid};
    use crate::time::MAX_DATETIME_TICKS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_read_back(datetime in 0..=MAX_DATETIME_TICKS, timespan in any::<i64>(), guid in any::<[u8; 16]>()) {
            prop_assert_eq!(
                literal_value(TypeKeyword::Datetime, &datetime_text(datetime)),
                Some(LiteralValue::Datetime(datetime))
            );
            prop_assert_eq!(
                literal_value(TypeKeyword::Timespan, &timespan_text(timespan)),
                Some(LiteralValue::Timespan(timespan))
            );
            prop_assert_eq!(parse_guid(&guid_text(&guid)), Some(guid));
        }

        #[test]
        fn quoted_strings_read_back(text in any::<String>()) {
            prop_assert_eq!(crate::lexer::decode_string(&quote(&text)).0, text);
        }
    }
}
