//! Between texts and dynamic values: JSON, CSV records, command lines, joined arrays.

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_storage::dynamic::{from_json, write_json_string};
use conshelf_storage::{DynamicKind, DynamicRef};

use super::path;
use super::value::Values;
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Dynamics, Texts, argument, dynamics, texts};
use crate::engine::kernel::{Datum, KernelCall};

/// Whether a JSON string holds a raw control character, which makes the text malformed.
fn has_control_character_in_string(text: &str) -> bool {
    if !text.bytes().any(|byte| byte < 0x20) {
        return false;
    }
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().any(|byte| {
        let inside = quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        inside && byte < 0x20
    })
}

/// The empty text is null, a text that is not JSON is itself.
pub fn parse_json(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    if call.argument_types.first() != Some(&Type::String) {
        let values = Values::at(call, arguments, 0)?;
        return Ok(dynamics(call.rows, |row, builder| {
            values.put(row, builder);
            true
        }));
    }
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let text = values.get(row);
        if text.trim().is_empty() {
            return false;
        }
        if has_control_character_in_string(text) || builder.json(text).is_err() {
            builder.clear();
            builder.string(text);
        }
        true
    }))
}

/// JSON with the keys of every object sorted.
fn put_canonical(value: DynamicRef<'_>, out: &mut String) {
    match value.kind() {
        DynamicKind::Array => {
            out.push('[');
            for (position, element) in value.iter_array().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                put_canonical(element, out);
            }
            out.push(']');
        }
        DynamicKind::Object => {
            let mut properties: Vec<_> = value.iter_object().collect();
            properties.sort_by(|left, right| left.0.cmp(right.0));
            out.push('{');
            for (position, (key, value)) in properties.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_json_string(key, out);
                out.push(':');
                put_canonical(value, out);
            }
            out.push('}');
        }
        _ => value.to_json(out),
    }
}

pub fn dynamic_to_json(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Values::at(call, arguments, 0)?;
    Ok(texts(call.rows, |row, out| put_canonical(DynamicRef::new(&values.bytes(row)), out)))
}

pub fn extract_json(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let paths = Texts::new(argument(arguments, 0)?)?;
    let sources = Texts::new(argument(arguments, 1)?)?;
    let constant = paths.constant().map(path::parse);
    if let (Some(None), Some(text)) = (&constant, paths.constant()) {
        return Err(EngineError::Evaluation(format!(
            "extract_json(): '{text}' is not a JSON path such as $.a[0]"
        )));
    }
    Ok(texts(call.rows, |row, out| {
        let steps = match &constant {
            Some(steps) => steps.clone(),
            None => path::parse(paths.get(row)),
        };
        let (Some(steps), Ok(value)) = (steps, from_json(sources.get(row))) else { return };
        if let Some(found) = path::follow(DynamicRef::new(&value), &steps) {
            found.to_text(out);
        }
    }))
}

/// Nulls are empty texts.
pub fn strcat_array(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    let delimiters = Texts::new(argument(arguments, 1)?)?;
    Ok(texts(call.rows, |row, out| {
        for (position, element) in arrays.get(row).iter_array().enumerate() {
            if position > 0 {
                out.push_str(delimiters.get(row));
            }
            if !element.is_null() {
                element.to_text(out);
            }
        }
    }))
}

/// Calls `take` with each field of the first record.
fn csv_fields(text: &str, mut take: impl FnMut(&str)) {
    let mut characters = text.chars().peekable();
    let mut field = String::new();
    loop {
        field.clear();
        if characters.next_if_eq(&'"').is_some() {
            while let Some(character) = characters.next() {
                if character != '"' {
                    field.push(character);
                } else if characters.next_if_eq(&'"').is_some() {
                    field.push('"');
                } else {
                    break;
                }
            }
        }
        while let Some(character) = characters.next_if(|c| !matches!(c, ',' | '\n' | '\r')) {
            field.push(character);
        }
        take(&field);
        if characters.next() != Some(',') {
            return;
        }
    }
}

pub fn parse_csv(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        builder.begin_array();
        csv_fields(values.get(row), |field| builder.string(field));
        builder.end_array();
        true
    }))
}

/// The arguments of a Windows command line, by the rules of `CommandLineToArgvW`: the program first, with
/// quotes but without escapes; then 2n backslashes before a quote are n of them and the quote delimits,
/// 2n + 1 are n and the quote is literal.
fn windows_arguments(line: &str, mut take: impl FnMut(&str)) {
    let mut rest = line;
    if let Some(quoted) = rest.strip_prefix('"') {
        let end = quoted.find('"').unwrap_or(quoted.len());
        take(&quoted[..end]);
        rest = quoted.get(end + 1..).unwrap_or("");
    } else {
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        take(&rest[..end]);
        rest = &rest[end..];
    }
    let mut characters = rest.chars().peekable();
    loop {
        while characters.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if characters.peek().is_none() {
            return;
        }
        let (mut argument, mut quoted) = (String::new(), false);
        while let Some(character) = characters.next_if(|c| quoted || !matches!(c, ' ' | '\t')) {
            match character {
                '\\' => {
                    let mut slashes = 1;
                    while characters.next_if_eq(&'\\').is_some() {
                        slashes += 1;
                    }
                    if characters.peek() != Some(&'"') {
                        argument.extend(std::iter::repeat_n('\\', slashes));
                        continue;
                    }
                    argument.extend(std::iter::repeat_n('\\', slashes / 2));
                    if slashes % 2 == 1 {
                        characters.next();
                        argument.push('"');
                    }
                }
                '"' => {
                    if quoted && characters.next_if_eq(&'"').is_some() {
                        argument.push('"');
                    } else {
                        quoted = !quoted;
                    }
                }
                other => argument.push(other),
            }
        }
        take(&argument);
    }
}

pub fn parse_command_line(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let lines = Texts::new(argument(arguments, 0)?)?;
    let parsers = Texts::new(argument(arguments, 1)?)?;
    if let Some(parser) = parsers.constant()
        && !parser.eq_ignore_ascii_case("windows")
    {
        return Err(EngineError::Evaluation(format!(
            "parse_command_line(): the parser must be 'windows', not '{parser}'"
        )));
    }
    Ok(dynamics(call.rows, |row, builder| {
        let line = lines.get(row).trim_start();
        if line.is_empty() || !parsers.get(row).eq_ignore_ascii_case("windows") {
            return false;
        }
        builder.begin_array();
        windows_arguments(line, |argument| builder.string(argument));
        builder.end_array();
        true
    }))
}
