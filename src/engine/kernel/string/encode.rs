//! Functions about the characters of texts, and texts of numbers and URLs.

use std::fmt::Write;

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use conshelf_kql::Type;

use crate::engine::error::Result;
use crate::engine::kernel::access::{
    Dynamics, Ints, Longs, Numbers, Reals, Texts, argument, bools, borrowed_texts, dynamics, texts,
};
use crate::engine::kernel::{Datum, KernelCall};

pub fn isascii(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(bools(call.rows, |row| values.get(row).is_ascii()))
}

/// Texts are UTF-8 from the door on.
pub fn isutf8(call: &KernelCall<'_>, _: &[Datum]) -> Result<ArrayRef> {
    Ok(bools(call.rows, |_| true))
}

pub fn codepoints_of_text(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        builder.begin_array();
        values.get(row).chars().for_each(|character| builder.long(i64::from(u32::from(character))));
        builder.end_array();
        true
    }))
}

fn character(codepoint: Option<i64>) -> Option<char> {
    char::from_u32(u32::try_from(codepoint?).ok()?)
}

/// Empty where any argument is no code point.
pub fn text_of_codepoints(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    enum Source<'a> {
        Longs(Numbers<'a, Int64Type>),
        Dynamics(Dynamics<'a>),
    }
    let sources = arguments
        .iter()
        .zip(call.argument_types)
        .map(|(value, ty)| {
            Ok(match ty {
                Type::Dynamic => Source::Dynamics(Dynamics::new(value)?),
                _ => Source::Longs(Longs::new(value)?),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(texts(call.rows, |row, out| {
        let mut valid = true;
        let mut push = |codepoint| match character(codepoint) {
            Some(character) => out.push(character),
            None => valid = false,
        };
        for source in &sources {
            match source {
                Source::Longs(values) => push(values.get(row)),
                Source::Dynamics(values) => {
                    let value = values.get(row);
                    match value.len() {
                        Some(_) => value.iter_array().for_each(|element| push(element.as_long())),
                        None => push(value.as_long()),
                    }
                }
            }
        }
        if !valid {
            out.clear();
        }
    }))
}

pub fn regex_quote(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        for character in values.get(row).chars() {
            if character.is_ascii_punctuation() && character != '_' {
                out.push('\\');
            }
            out.push(character);
        }
    }))
}

/// Two's complement of the argument's width without leading zeros, but at least `length` digits.
pub fn tohex(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    enum Source<'a> {
        Ints(Ints<'a>),
        Longs(Longs<'a>),
    }
    let value = argument(arguments, 0)?;
    let source = match call.argument_types.first() {
        Some(Type::Int) => Source::Ints(Ints::new(value)?),
        _ => Source::Longs(Longs::new(value)?),
    };
    let lengths = arguments.get(1).map(Longs::new).transpose()?;
    Ok(texts(call.rows, |row, out| {
        let bits = match &source {
            Source::Ints(values) => values.get(row).map(|value| u64::from(value as u32)),
            Source::Longs(values) => values.get(row).map(|value| value as u64),
        };
        let length = lengths.as_ref().and_then(|lengths| lengths.get(row)).unwrap_or(1).clamp(1, 16) as usize;
        if let Some(bits) = bits {
            // Writing into a String cannot fail.
            let _ = write!(out, "{bits:0length$x}");
        }
    }))
}

const UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];

pub fn format_bytes(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sizes = Reals::new(argument(arguments, 0)?)?;
    let precisions = arguments.get(1).map(Longs::new).transpose()?;
    let units = arguments.get(2).map(Texts::new).transpose()?;
    Ok(texts(call.rows, |row, out| {
        let Some(size) = sizes.get(row).filter(|size| size.is_finite()) else { return };
        let precision = precisions.as_ref().and_then(|values| values.get(row)).unwrap_or(0);
        let precision = usize::try_from(precision).unwrap_or(0).min(15);
        let wanted = units.as_ref().map_or("", |units| units.get(row));
        let power = if wanted.is_empty() {
            let mut power = 0;
            let mut rest = size.abs();
            while rest >= 1024.0 && power + 1 < UNITS.len() {
                rest /= 1024.0;
                power += 1;
            }
            power
        } else {
            match UNITS.iter().position(|unit| unit.eq_ignore_ascii_case(wanted)) {
                Some(power) => power,
                None => return,
            }
        };
        let scaled = size / 1024f64.powi(power as i32);
        let scale = 10f64.powi(precision as i32);
        let rounded = (scaled * scale).round() / scale;
        // Writing into a String cannot fail.
        let _ = write!(out, "{rounded} {}", UNITS[power]);
    }))
}

fn percent(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

pub fn url_encode(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        for byte in values.get(row).bytes() {
            match byte {
                b' ' => out.push('+'),
                b'-' | b'_' | b'.' | b'!' | b'*' | b'(' | b')' => out.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
                _ => percent(byte, out),
            }
        }
    }))
}

pub fn url_encode_component(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        for byte in values.get(row).bytes() {
            match byte {
                b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
                _ => percent(byte, out),
            }
        }
    }))
}

/// Undoes percent escapes, and `+` if it stands for a blank. Bytes that are no UTF-8 become U+FFFD.
pub fn decode_url(text: &str, plus_is_blank: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let escaped = (byte == b'%')
            .then(|| bytes.get(position + 1..position + 3))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match escaped {
            Some(value) => {
                decoded.push(value);
                position += 3;
            }
            None => {
                decoded.push(if byte == b'+' && plus_is_blank { b' ' } else { byte });
                position += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

pub fn url_decode(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    let decoded: Vec<String> = (0..call.rows).map(|row| decode_url(values.get(row), true)).collect();
    Ok(borrowed_texts(call.rows, |row| decoded[row].as_str()))
}
