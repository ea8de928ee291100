//! The text of single values, shared by every format: the forms of Kusto's wire protocol.
//!
//! Writes into byte buffers; knows nothing of columns or of the format around the value.

use std::sync::LazyLock;

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
    if few_decimals(value, out) {
        return;
    }
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(special_real(value).as_bytes());
    }
}

/// The same for JSON: the values that JSON numbers cannot be are strings.
pub fn real_json(value: f64, out: &mut Vec<u8>) {
    if few_decimals(value, out) {
        return;
    }
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(special_real(value).as_bytes());
        out.push(b'"');
    }
}

/// Writes a value that is a decimal of up to three places, as percentages, prices and durations are;
/// `false`: it is none, or unusually small or large. A decimal of at most 15 digits is the only one so short
/// near its double, so that this is the shortest text.
fn few_decimals(value: f64, out: &mut Vec<u8>) -> bool {
    let magnitude = value.abs();
    if !(0.001..1e9).contains(&magnitude) {
        return false;
    }
    let thousandths = (magnitude * 1000.0 + 0.5) as u64;
    if thousandths as f64 / 1000.0 != magnitude {
        return false;
    }
    let (whole, rest) = (thousandths / 1000, (thousandths % 1000) as u32);
    let digits = [rest / 100, rest / 10 % 10, rest % 10].map(|digit| b'0' + digit as u8);
    let places = match digits {
        [_, b'0', b'0'] => 1,
        [_, _, b'0'] => 2,
        _ => 3,
    };
    let mut text = [b'.'; 16];
    let mut length = usize::from(value < 0.0);
    text[0] = b'-';
    if whole < 100 {
        text[length] = b'0' + (whole / 10) as u8;
        length += usize::from(whole >= 10);
        text[length] = b'0' + (whole % 10) as u8;
        length += 1;
    } else {
        let mut buffer = itoa::Buffer::new();
        let whole = buffer.format(whole).as_bytes();
        text[length..length + whole.len()].copy_from_slice(whole);
        length += whole.len();
    }
    text[length] = b'.';
    text[length + 1..length + 4].copy_from_slice(&digits);
    out.extend_from_slice(&text[..length + 1 + places]);
    true
}

/// Texts of 0.00 to 100.00, as percentages are: byte 0 is free, the last one is the length with it.
static HUNDREDTHS: LazyLock<Vec<[u8; 8]>> = LazyLock::new(|| {
    (0..=10_000u32)
        .map(|hundredths| {
            let mut text = Vec::with_capacity(8);
            text.push(0);
            integer(i64::from(hundredths / 100), &mut text);
            text.extend_from_slice(&[b'.', b'0' + (hundredths / 10 % 10) as u8]);
            if hundredths % 10 > 0 {
                text.push(b'0' + (hundredths % 10) as u8);
            }
            let mut entry = [0; 8];
            entry[..text.len()].copy_from_slice(&text);
            entry[7] = text.len() as u8;
            entry
        })
        .collect()
});

/// The texts of 0.00 to 100.00, see `HUNDREDTHS`.
pub fn hundredths_texts() -> &'static [[u8; 8]] {
    &HUNDREDTHS
}

conshelf_storage::widest_vectors! {
    /// How many hundredths each value is; a number beyond `hundredths_texts` where it is no whole number of them, or
    /// not one of those.
    pub fn hundredths(values: &[f64], out: &mut Vec<u32>) {
        /// Adding this rounds a double below 2^51 to a whole number, which the lower bits then are.
        const ROUNDER: f64 = 6_755_399_441_055_744.0;
        out.clear();
        out.extend(values.iter().map(|value| {
            let sum = value * 100.0 + ROUNDER;
            let is_exact = ((sum - ROUNDER) / 100.0).to_bits() == value.to_bits();
            let is_small = sum.to_bits() >> 32 == ROUNDER.to_bits() >> 32;
            if is_exact & is_small { sum.to_bits() as u32 } else { u32::MAX }
        }));
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

/// `false` only if none of the bytes needs an escape. By words: compilers make less of it byte by byte.
#[inline(always)]
fn any_escape(bytes: &[u8; 16]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let any = |word: u64| {
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        below(word, 0x20) | equal(b'"') | equal(b'\\') | equal(0x7f)
    };
    let (words, _) = bytes.as_chunks::<8>();
    let any = words.iter().fold(0, |found, word| found | any(u64::from_le_bytes(*word)));
    any & (ONES << 7) != 0
}

/// How many bytes stand before the first that needs an escape in a JSON string.
#[inline]
pub fn plain_bytes(bytes: &[u8]) -> usize {
    let (pieces, _) = bytes.as_chunks::<16>();
    let clean = pieces.iter().take_while(|piece| !any_escape(piece)).count() * 16;
    // The last piece again, as far as it was looked at already.
    if bytes.len() - clean < 16
        && let Some(last) = bytes.last_chunk()
        && !any_escape(last)
    {
        return bytes.len();
    }
    let rest = bytes[clean..].iter().take_while(|byte| ESCAPES[usize::from(**byte)] == 0);
    clean + rest.count()
}

/// The inside of a JSON string.
pub fn json_string_content(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at(plain_bytes(rest));
        out.extend_from_slice(plain);
        let Some((byte, after)) = after.split_first() else { return };
        let escape = ESCAPES[usize::from(*byte)];
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        rest = after;
    }
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
    fn hundredths_are_the_shortest_texts() {
        let text_of = |value: f64| {
            let mut found = Vec::new();
            hundredths(&[value], &mut found);
            let text = hundredths_texts().get(found[0] as usize)?;
            String::from_utf8(text[1..usize::from(text[7])].to_vec()).ok()
        };
        for number in 0..=10_000 {
            let value = f64::from(number) / 100.0;
            assert_eq!(text_of(value).as_deref(), Some(zmij::Buffer::new().format_finite(value)));
            assert_eq!(text_of(-value), None, "{value}");
            assert_eq!(text_of(value.next_up()), None, "{value}");
            assert_eq!(text_of(value.next_down()), None, "{value}");
        }
        for shift in 0..64 {
            let value = (1u64 << shift) as f64 / 100.0;
            for value in [value, value + 0.01, value * 100.0, -value] {
                if !(0.0..=100.0).contains(&value) {
                    assert_eq!(text_of(value), None, "{value}");
                }
            }
        }
        for value in [-0.0, -1.0, 0.001, 100.01, 12.345, f64::NAN, -f64::NAN, f64::INFINITY, 1e300, 5e-324] {
            assert_eq!(text_of(value), None, "{value}");
        }
    }

    #[test]
    fn json_strings_escape_what_must_be() {
        let plain = "only plain text, é😀 ";
        for (character, escaped) in [
            ("\"", "\\\""),
            ("\\", "\\\\"),
            ("\n", "\\n"),
            ("\u{1f}", "\\u001f"),
            ("\u{7f}", "\\u007f"),
            ("\u{80}", "\u{80}"),
            ("ÿ", "ÿ"),
        ] {
            for before in 0..20 {
                let (before, after) = ("x".repeat(before), plain);
                let expected = format!("\"{before}{escaped}{after}\"");
                assert_eq!(quoted(&format!("{before}{character}{after}")), expected);
            }
        }
        assert_eq!(quoted("a\"b\\c\n\t\u{1}é\u{7f}😀"), "\"a\\\"b\\\\c\\n\\t\\u0001é\\u007f😀\"");
    }

    #[test]
    fn decimals_are_as_short_as_others() {
        let same = |value: f64| {
            let shortest = zmij::Buffer::new().format_finite(value).to_owned();
            assert_eq!(written(|out| real(value, out)), shortest);
            assert_eq!(written(|out| real_json(value, out)), shortest);
        };
        let mut state = 1u64;
        for step in 0..200_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (state >> 24) >> (step % 40);
            for value in [number as f64 / 1000.0, number as f64 / 100.0, number as f64 / 8.0, number as f64] {
                let neighbours = [value, -value, value.next_up(), value.next_down()];
                neighbours.into_iter().filter(|value| value.is_finite()).for_each(same);
            }
        }
        [0.0, 0.001, 0.0009, 0.01, 0.1, 1e9, 999_999_999.999, 1e9 - 0.5, 99.99, 100.0]
            .into_iter()
            .for_each(same);
    }

    #[test]
    fn guids() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(written(|out| guid(&bytes, out)), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
