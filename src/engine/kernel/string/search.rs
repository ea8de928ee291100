//! Functions that look for something in texts.

use std::cmp::Ordering;

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use conshelf_kql::Type;
use conshelf_storage::terms::{TermFinder, TermMatch};
use memchr::memmem;
use regex::Regex;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Dynamics, Longs, Texts, argument, borrowed_texts, dynamics, numbers};
use crate::engine::kernel::conversion::Printer;
use crate::engine::kernel::string::edit::{byte_position, character_count};
use crate::engine::kernel::{Datum, KernelCall, regular, text};

/// Runs a function with the compiled pattern of each row; the first bad pattern fails the call.
fn with_regexes(
    patterns: &Texts<'_>,
    rows: usize,
    mut f: impl FnMut(usize, &Regex) -> Result<()>,
) -> Result<()> {
    let mut current: Option<(&str, Regex)> = None;
    for row in 0..rows {
        let pattern = patterns.get(row);
        let regex = match &current {
            Some((known, regex)) if *known == pattern => regex,
            _ => &current.insert((pattern, regular::compile(pattern)?)).1,
        };
        f(row, regex)?;
    }
    Ok(())
}

pub fn extract(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let patterns = Texts::new(argument(arguments, 0)?)?;
    let groups = Longs::new(argument(arguments, 1)?)?;
    let sources = Texts::new(argument(arguments, 2)?)?;
    let mut found: Vec<&str> = Vec::with_capacity(call.rows);
    let mut locations = None;
    with_regexes(&patterns, call.rows, |row, regex| {
        let source = sources.get(row);
        let part = match groups.get(row) {
            Some(0) => regex.find(source).map(|whole| whole.as_str()),
            Some(group @ 1..) => {
                let count = regex.captures_len();
                let slots = match &mut locations {
                    Some((pattern, slots)) if *pattern == regex.as_str() => slots,
                    slot => &mut slot.insert((regex.as_str().to_owned(), regex.capture_locations())).1,
                };
                usize::try_from(group).ok().filter(|group| *group < count).and_then(|group| {
                    regex.captures_read(slots, source)?;
                    slots.get(group).map(|(start, end)| &source[start..end])
                })
            }
            _ => None,
        };
        found.push(part.unwrap_or_default());
        Ok(())
    })?;
    Ok(borrowed_texts(call.rows, |row| found[row]))
}

/// The groups that `extract_all` is asked for: by number, or by name.
fn wanted_groups(regex: &Regex, groups: Option<conshelf_storage::DynamicRef<'_>>) -> Result<Vec<usize>> {
    if regex.captures_len() < 2 {
        return Err(EngineError::Evaluation(format!(
            "extract_all(): the regular expression '{}' must have at least one group",
            regex.as_str()
        )));
    }
    let Some(groups) = groups.filter(|groups| !groups.is_null()) else {
        return Ok((1..regex.captures_len()).collect());
    };
    let mut wanted = Vec::new();
    for group in groups.iter_array() {
        let number = match group.as_str() {
            Some(name) => regex.capture_names().position(|known| known == Some(name)),
            None => group.as_long().and_then(|number| usize::try_from(number).ok()),
        };
        match number.filter(|number| *number < regex.captures_len()) {
            Some(number) => wanted.push(number),
            None => {
                return Err(EngineError::Evaluation(format!(
                    "extract_all(): the regular expression '{}' has no group {}",
                    regex.as_str(),
                    group.to_json_string()
                )));
            }
        }
    }
    Ok(wanted)
}

pub fn extract_all(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let patterns = Texts::new(argument(arguments, 0)?)?;
    let (groups, sources) = match arguments {
        [_, groups, sources] => (Some(Dynamics::new(groups)?), Texts::new(sources)?),
        _ => (None, Texts::new(argument(arguments, 1)?)?),
    };
    let mut current: Option<(&str, Regex)> = None;
    let mut failure = None;
    let all = dynamics(call.rows, |row, builder| {
        let pattern = patterns.get(row);
        let mut run = || -> Result<bool> {
            let regex = match &current {
                Some((known, regex)) if *known == pattern => regex,
                _ => &current.insert((pattern, regular::compile(pattern)?)).1,
            };
            let wanted = wanted_groups(regex, groups.as_ref().map(|groups| groups.get(row)))?;
            let mut matched = false;
            builder.begin_array();
            for captures in regex.captures_iter(sources.get(row)) {
                matched = true;
                if wanted.len() != 1 {
                    builder.begin_array();
                }
                for group in &wanted {
                    builder.string(captures.get(*group).map_or("", |part| part.as_str()));
                }
                if wanted.len() != 1 {
                    builder.end_array();
                }
            }
            builder.end_array();
            Ok(matched)
        };
        run().unwrap_or_else(|error| {
            // A pattern that only some rows have must not cost the others their answer.
            if patterns.constant().is_some() {
                failure.get_or_insert(error);
            }
            false
        })
    });
    failure.map_or(Ok(all), Err)
}

/// Byte range of the places where a match may start, by characters; `None` where the arguments have no
/// meaning. A negative start counts from the end if `from_end`.
fn window(source: &str, start: i64, length: i64, from_end: bool) -> Option<(usize, usize)> {
    let start = if start < 0 && from_end { start + character_count(source) as i64 } else { start };
    let start = usize::try_from(start).ok()?;
    let from = byte_position(source, start);
    let to = match length {
        -1 => source.len(),
        length => from + byte_position(&source[from..], usize::try_from(length).ok()?),
    };
    Some((from, to))
}

fn positions(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    from_end: bool,
    mut nth: impl FnMut(&str, &str, usize) -> Result<Option<usize>>,
) -> Result<ArrayRef> {
    let value = |position: usize| -> Result<Printer<'_>> {
        let ty = call.argument_types.get(position).copied().unwrap_or(Type::String);
        Printer::new(argument(arguments, position)?, ty)
    };
    let (sources, lookups) = (value(0)?, value(1)?);
    let number = |position: usize| arguments.get(position).map(Longs::new).transpose();
    let (starts, lengths, occurrences) = (number(2)?, number(3)?, number(4)?);
    let (mut source, mut lookup) = (String::new(), String::new());
    let mut found = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        source.clear();
        lookup.clear();
        sources.print(row, &mut source);
        lookups.print(row, &mut lookup);
        let or = |numbers: &Option<Longs<'_>>, otherwise: i64| match numbers {
            Some(numbers) => numbers.get(row),
            None => Some(otherwise),
        };
        let asked = or(&starts, 0).zip(or(&lengths, -1)).zip(or(&occurrences, 1));
        let position = match asked {
            Some(((start, length), occurrence)) if occurrence >= 1 && !lookup.is_empty() => {
                match window(&source, start, length, from_end) {
                    None => None,
                    Some((from, to)) => {
                        let occurrence = usize::try_from(occurrence - 1).unwrap_or(usize::MAX);
                        let place = nth(&source[from..], &lookup, occurrence)?;
                        let place = place.map(|place| from + place).filter(|place| *place < to);
                        Some(place.map_or(-1, |place| character_count(&source[..place]) as i64))
                    }
                }
            }
            _ => None,
        };
        found.push(position);
    }
    Ok(std::sync::Arc::new(arrow_array::Int64Array::from(found)))
}

pub fn indexof(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    positions(call, arguments, true, |text, lookup, occurrence| {
        Ok(memmem::find_iter(text.as_bytes(), lookup.as_bytes()).nth(occurrence))
    })
}

pub fn indexof_regex(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    positions(call, arguments, false, |text, lookup, occurrence| {
        let regex = regular::compile(lookup)?;
        Ok(regex.find_iter(text).nth(occurrence).map(|found| found.start()))
    })
}

/// Occurrences of a text, overlapping ones too.
fn occurrences(text: &str, lookup: &str) -> i64 {
    let (Some(first), bytes) = (lookup.chars().next(), text.as_bytes()) else { return 0 };
    let finder = memmem::Finder::new(lookup.as_bytes());
    let (mut from, mut count) = (0, 0);
    while let Some(found) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
        count += 1;
        from += found + first.len_utf8();
    }
    count
}

pub fn countof(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let lookups = Texts::new(argument(arguments, 1)?)?;
    let kinds = arguments.get(2).map(Texts::new).transpose()?;
    let is_regex = |row| kinds.as_ref().is_some_and(|kinds| kinds.get(row).eq_ignore_ascii_case("regex"));
    if (0..call.rows).any(is_regex) {
        let mut counts = Vec::with_capacity(call.rows);
        with_regexes(&lookups, call.rows, |row, regex| {
            let source = sources.get(row);
            counts.push(if is_regex(row) {
                regex.find_iter(source).count() as i64
            } else {
                occurrences(source, lookups.get(row))
            });
            Ok(())
        })?;
        return Ok(numbers::<Int64Type>(call.rows, |row| Some(counts[row])));
    }
    Ok(numbers::<Int64Type>(call.rows, |row| Some(occurrences(sources.get(row), lookups.get(row)))))
}

pub fn strcmp(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = Texts::new(argument(arguments, 0)?)?;
    let right = Texts::new(argument(arguments, 1)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        Some(match left.get(row).cmp(right.get(row)) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })
    }))
}

pub fn has_any_index(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let values = Dynamics::new(argument(arguments, 1)?)?;
    let finders = |row: usize| -> Vec<TermFinder> {
        let term = |value| {
            let mut term = String::new();
            text::print_dynamic(value, &mut term);
            TermFinder::new(&term, false, TermMatch::Whole)
        };
        values.get(row).iter_array().map(term).collect()
    };
    let constant = values.constant().map(|_| finders(0));
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let own;
        let finders = match &constant {
            Some(finders) => finders,
            None => {
                own = finders(row);
                &own
            }
        };
        let found = finders.iter().position(|finder| finder.is_match(sources.get(row)));
        Some(found.map_or(-1, |position| position as i64))
    }))
}
