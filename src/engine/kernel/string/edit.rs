//! Functions that cut, join and rewrite texts.

use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use conshelf_storage::DynamicRef;
use memchr::memmem;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{
    Dynamics, Longs, Texts, argument, borrowed_texts, dynamics, numbers, texts,
};
use crate::engine::kernel::conversion::Printer;
use crate::engine::kernel::regular::{self, Pattern};
use crate::engine::kernel::{Datum, KernelCall};

/// Number of characters.
#[inline]
pub fn character_count(text: &str) -> usize {
    text.bytes().filter(|byte| (*byte as i8) >= -0x40).count()
}

/// Byte position of the n-th character; the length of the text when there are fewer.
#[inline]
pub fn byte_position(text: &str, character: usize) -> usize {
    if character == 0 {
        return 0;
    }
    if text.is_ascii() {
        return character.min(text.len());
    }
    text.char_indices().nth(character).map_or(text.len(), |(position, _)| position)
}

pub fn strlen(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| Some(character_count(values.get(row)) as i64)))
}

pub fn string_size(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| Some(values.get(row).len() as i64)))
}

/// A negative start counts from the end; one before the start of the text, like a negative length, gives
/// nothing. `length`: `None` to the end.
fn part(text: &str, start: i64, length: Option<i64>) -> &str {
    let start = if start < 0 {
        match usize::try_from(start + character_count(text) as i64) {
            Ok(start) => start,
            Err(_) => return "",
        }
    } else {
        usize::try_from(start).unwrap_or(usize::MAX)
    };
    let rest = &text[byte_position(text, start)..];
    match length {
        None => rest,
        Some(length) => &rest[..byte_position(rest, usize::try_from(length).unwrap_or(0))],
    }
}

pub fn substring(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let starts = Longs::new(argument(arguments, 1)?)?;
    let lengths = arguments.get(2).map(Longs::new).transpose()?;
    Ok(borrowed_texts(call.rows, |row| {
        let length = lengths.as_ref().and_then(|lengths| lengths.get(row));
        starts.get(row).map_or("", |start| part(sources.get(row), start, length))
    }))
}

fn printers<'a>(call: &KernelCall<'_>, arguments: &'a [Datum]) -> Result<Vec<Printer<'a>>> {
    arguments.iter().zip(call.argument_types).map(|(value, ty)| Printer::new(value, *ty)).collect()
}

pub fn strcat(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let parts = printers(call, arguments)?;
    Ok(texts(call.rows, |row, out| parts.iter().for_each(|part| part.print(row, out))))
}

pub fn strcat_delim(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let delimiters = Texts::new(argument(arguments, 0)?)?;
    let parts = printers(call, arguments)?;
    Ok(texts(call.rows, |row, out| {
        for (position, part) in parts.iter().skip(1).enumerate() {
            if position > 0 {
                out.push_str(delimiters.get(row));
            }
            part.print(row, out);
        }
    }))
}

/// Replaces characters by their case mapping where that is one character.
fn map_case<I: Iterator<Item = char>>(text: &str, out: &mut String, mapping: impl Fn(char) -> I) {
    for character in text.chars() {
        let mut mapped = mapping(character);
        match (mapped.next(), mapped.next()) {
            (Some(single), None) => out.push(single),
            _ => out.push(character),
        }
    }
}

pub fn toupper(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        let text = values.get(row);
        if text.is_ascii() {
            out.push_str(text);
            out.make_ascii_uppercase();
        } else {
            map_case(text, out, char::to_uppercase);
        }
    }))
}

pub fn tolower(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        let text = values.get(row);
        if text.is_ascii() {
            out.push_str(text);
            out.make_ascii_lowercase();
        } else {
            map_case(text, out, char::to_lowercase);
        }
    }))
}

/// What is compiled for the pattern of the row before, for as long as the pattern stays the same.
struct Latest<'a, T> {
    known: Option<(&'a str, T)>,
}

impl<'a, T> Latest<'a, T> {
    fn new() -> Latest<'a, T> {
        Latest { known: None }
    }

    fn get(&mut self, pattern: &'a str, make: impl FnOnce(&str) -> Result<T>) -> Result<&mut T> {
        if self.known.as_ref().is_none_or(|(known, _)| *known != pattern) {
            self.known = Some((pattern, make(pattern)?));
        }
        match &mut self.known {
            Some((_, made)) => Ok(made),
            None => Err(EngineError::Internal(String::from("a pattern was not kept"))),
        }
    }
}

/// The pattern at the start of a text, and at its end.
struct Ends {
    start: Arc<Pattern>,
    end: Arc<Pattern>,
}

pub fn trim(call: &KernelCall<'_>, arguments: &[Datum], at_start: bool, at_end: bool) -> Result<ArrayRef> {
    let patterns = Texts::new(argument(arguments, 0)?)?;
    let sources = Texts::new(argument(arguments, 1)?)?;
    let mut latest = Latest::new();
    let mut failure = None;
    let trimmed = borrowed_texts(call.rows, |row| {
        let ends = latest.get(patterns.get(row), |pattern| {
            // The pattern alone first, so that its mistakes are reported as the user wrote it.
            regular::compile(pattern)?;
            Ok(Ends {
                start: regular::compile(&format!(r"\A(?:{pattern})"))?,
                end: regular::compile(&format!(r"(?:{pattern})\z"))?,
            })
        });
        let ends = match ends {
            Ok(ends) => ends,
            Err(error) => {
                failure.get_or_insert(error);
                return "";
            }
        };
        let mut text = sources.get(row);
        if at_start && let Some(found) = ends.start.find_at(text, 0) {
            text = &text[found.1..];
        }
        if at_end && let Some(found) = ends.end.find_at(text, 0) {
            text = &text[..found.0];
        }
        text
    });
    failure.map_or(Ok(trimmed), Err)
}

pub fn split(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let delimiters = Texts::new(argument(arguments, 1)?)?;
    let indexes = arguments.get(2).map(Longs::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let (source, delimiter) = (sources.get(row), delimiters.get(row));
        let index = indexes.as_ref().and_then(|indexes| indexes.get(row));
        builder.begin_array();
        let mut position = 0;
        let mut push = |piece: &str| {
            if index.is_none_or(|index| index == position) {
                builder.string(piece);
            }
            position += 1;
        };
        if delimiter.is_empty() {
            push(source);
        } else {
            source.split(delimiter).for_each(&mut push);
        }
        builder.end_array();
        true
    }))
}

pub fn replace_string(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let lookups = Texts::new(argument(arguments, 1)?)?;
    let rewrites = Texts::new(argument(arguments, 2)?)?;
    let mut latest: Latest<'_, memmem::Finder<'static>> = Latest::new();
    Ok(texts(call.rows, |row, out| {
        let (source, lookup, rewrite) = (sources.get(row), lookups.get(row), rewrites.get(row));
        let finder = latest.get(lookup, |lookup| Ok(memmem::Finder::new(lookup.as_bytes()).into_owned()));
        let mut copied = 0;
        if let (false, Ok(finder)) = (lookup.is_empty(), finder) {
            for found in finder.find_iter(source.as_bytes()) {
                out.push_str(&source[copied..found]);
                out.push_str(rewrite);
                copied = found + lookup.len();
            }
        }
        out.push_str(&source[copied..]);
    }))
}

/// Lookups with their rewrites.
type Rewrites = Vec<(String, String)>;

/// Pairs of a lookup and its rewrite. A lookup that is no string is left out; a rewrite that is none leaves
/// what was found as it is.
fn rewrites_of(lookups: DynamicRef<'_>, rewrites: DynamicRef<'_>) -> Rewrites {
    lookups
        .iter_array()
        .zip(rewrites.iter_array())
        .filter_map(|(lookup, rewrite)| {
            let lookup = lookup.as_str().filter(|lookup| !lookup.is_empty())?;
            Some((lookup.to_owned(), rewrite.as_str().unwrap_or(lookup).to_owned()))
        })
        .collect()
}

/// What is left of a text between rewrites, and the rewrites.
enum Segment<'a> {
    Source(&'a str),
    Rewritten(&'a str),
}

/// One lookup after the other; what one has rewritten the next ones leave alone.
pub fn replace_strings(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let lookups = Dynamics::new(argument(arguments, 1)?)?;
    let rewrites = Dynamics::new(argument(arguments, 2)?)?;
    let constant = lookups.constant().is_some() && rewrites.constant().is_some();
    let mut latest: Option<Rewrites> = None;
    Ok(texts(call.rows, |row, out| {
        let pairs = match &latest {
            Some(pairs) if constant => pairs,
            _ => latest.insert(rewrites_of(lookups.get(row), rewrites.get(row))),
        };
        let mut segments = vec![Segment::Source(sources.get(row))];
        for (lookup, rewrite) in pairs {
            let finder = memmem::Finder::new(lookup.as_bytes());
            let is_left = |segment: &Segment<'_>| match segment {
                Segment::Source(text) => finder.find(text.as_bytes()).is_some(),
                Segment::Rewritten(_) => false,
            };
            if !segments.iter().any(is_left) {
                continue;
            }
            let mut next = Vec::with_capacity(segments.len() + 2);
            for segment in segments {
                let Segment::Source(text) = segment else {
                    next.push(segment);
                    continue;
                };
                let mut copied = 0;
                for found in finder.find_iter(text.as_bytes()) {
                    next.push(Segment::Source(&text[copied..found]));
                    next.push(Segment::Rewritten(rewrite));
                    copied = found + lookup.len();
                }
                next.push(Segment::Source(&text[copied..]));
            }
            segments = next;
        }
        for segment in segments {
            match segment {
                Segment::Source(text) | Segment::Rewritten(text) => out.push_str(text),
            }
        }
    }))
}

/// A piece of a rewrite pattern.
enum Rewrite {
    Text(String),
    Group(usize),
}

/// Reads `\0` … `\9` as groups and `\\` as a backslash.
fn rewrite_pieces(pattern: &str) -> Vec<Rewrite> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            literal.push(character);
            continue;
        }
        match characters.peek().copied() {
            Some(digit @ '0'..='9') => {
                if !literal.is_empty() {
                    pieces.push(Rewrite::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Rewrite::Group(digit as usize - '0' as usize));
                characters.next();
            }
            Some('\\') => {
                literal.push('\\');
                characters.next();
            }
            _ => literal.push('\\'),
        }
    }
    if !literal.is_empty() {
        pieces.push(Rewrite::Text(literal));
    }
    pieces
}

pub fn replace_regex(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let patterns = Texts::new(argument(arguments, 1)?)?;
    let rewrites = Texts::new(argument(arguments, 2)?)?;
    let mut compiled = Latest::new();
    let mut pieces = Latest::new();
    let mut failure: Option<EngineError> = None;
    let candidates = match (patterns.constant(), sources.constant()) {
        (Some(pattern), None) if call.rows > 0 && sources.array().len() == call.rows => {
            regular::compile(pattern)?.candidates(sources.array())
        }
        _ => None,
    };
    let replaced = texts(call.rows, |row, out| {
        let source = sources.get(row);
        if candidates.as_ref().is_some_and(|candidates| !candidates.value(row)) {
            return out.push_str(source);
        }
        let compiled = match compiled.get(patterns.get(row), |pattern| {
            let pattern = regular::compile(pattern)?;
            let groups = pattern.groups();
            Ok((pattern, groups))
        }) {
            Ok(compiled) => compiled,
            Err(error) => {
                failure.get_or_insert(error);
                return;
            }
        };
        let Ok(pieces) = pieces.get(rewrites.get(row), |rewrite| Ok(rewrite_pieces(rewrite))) else { return };
        let needs_groups = pieces.iter().any(|piece| matches!(piece, Rewrite::Group(1..)));
        let (pattern, groups) = compiled;
        let mut copied = 0;
        let mut from = 0;
        while from <= source.len() {
            let found = if needs_groups {
                pattern.captures_at(source, from, groups)
            } else {
                pattern.find_at(source, from)
            };
            let Some((start, end)) = found else { break };
            out.push_str(&source[copied..start]);
            for piece in pieces.iter() {
                match piece {
                    Rewrite::Text(text) => out.push_str(text),
                    Rewrite::Group(0) => out.push_str(&source[start..end]),
                    Rewrite::Group(group) => {
                        if let Some((start, end)) = groups.get(*group) {
                            out.push_str(&source[start..end]);
                        }
                    }
                }
            }
            copied = end;
            from = if start == end {
                copied + source[copied..].chars().next().map_or(1, char::len_utf8)
            } else {
                copied
            };
        }
        out.push_str(&source[copied..]);
    });
    failure.map_or(Ok(replaced), Err)
}

pub fn reverse(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let printers = printers(call, arguments)?;
    let mut text = String::new();
    Ok(texts(call.rows, |row, out| {
        text.clear();
        printers.iter().for_each(|printer| printer.print(row, &mut text));
        out.extend(text.chars().rev());
    }))
}

/// The most repetitions of `strrep`.
const MAX_REPETITIONS: i64 = 1024;

/// The most bytes all texts of a batch that `strrep` yields may have.
const MAX_REPEATED_BYTES: usize = 1 << 30;

pub fn strrep(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let printers = printers(call, arguments)?;
    let counts = Longs::new(argument(arguments, 1)?)?;
    let (mut value, mut delimiter) = (String::new(), String::new());
    let mut bytes = 0usize;
    let repeated = texts(call.rows, |row, out| {
        value.clear();
        delimiter.clear();
        printers.first().into_iter().for_each(|printer| printer.print(row, &mut value));
        printers.get(2).into_iter().for_each(|printer| printer.print(row, &mut delimiter));
        let count = counts.get(row).unwrap_or(0).clamp(0, MAX_REPETITIONS);
        bytes = bytes.saturating_add((value.len() + delimiter.len()).saturating_mul(count as usize));
        if bytes > MAX_REPEATED_BYTES {
            return;
        }
        for repetition in 0..count {
            if repetition > 0 {
                out.push_str(&delimiter);
            }
            out.push_str(&value);
        }
    });
    if bytes > MAX_REPEATED_BYTES {
        return Err(EngineError::Memory { limit_bytes: MAX_REPEATED_BYTES as u64 });
    }
    Ok(repeated)
}

/// Characters without a partner take the last replacement; with no replacements they vanish.
pub fn translate(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let searches = Texts::new(argument(arguments, 0)?)?;
    let replacements = Texts::new(argument(arguments, 1)?)?;
    let sources = Texts::new(argument(arguments, 2)?)?;
    Ok(texts(call.rows, |row, out| {
        let replacement = replacements.get(row);
        for character in sources.get(row).chars() {
            match searches.get(row).chars().position(|searched| searched == character) {
                None => out.push(character),
                Some(position) => {
                    let chosen =
                        replacement.chars().nth(position).or_else(|| replacement.chars().next_back());
                    out.extend(chosen);
                }
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_texts() {
        let cases = [
            ("hello", 1, Some(-1), ""),
            ("hello", 0, Some(0), ""),
            ("hello", 10, Some(5), ""),
            ("abc", -2, Some(5), "bc"),
            ("x", -2, Some(5), ""),
            ("xy", -2, None, "xy"),
            ("añb😀c", 1, Some(3), "ñb😀"),
            ("añb😀c", -2, None, "😀c"),
            ("", i64::MIN, Some(i64::MAX), ""),
            ("abc", i64::MAX, Some(i64::MAX), ""),
        ];
        for (text, start, length, expected) in cases {
            assert_eq!(part(text, start, length), expected, "{text} {start} {length:?}");
        }
    }
}
