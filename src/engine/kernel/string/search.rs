//! Functions that look for something in texts.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::Type;
use conshelf_storage::terms::{TermFinder, TermMatch};
use memchr::memmem;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Dynamics, Longs, Texts, argument, borrowed_texts, dynamics, numbers};
use crate::engine::kernel::conversion::Printer;
use crate::engine::kernel::regular::Pattern;
use crate::engine::kernel::string::edit::{byte_position, character_count};
use crate::engine::kernel::{Datum, KernelCall, regular, text};

/// Runs a function with the compiled pattern of each row; the first bad pattern fails the call.
fn with_patterns(
    patterns: &Texts<'_>,
    rows: usize,
    mut f: impl FnMut(usize, &Arc<Pattern>) -> Result<()>,
) -> Result<()> {
    if let (Some(pattern), 1..) = (patterns.constant(), rows) {
        let pattern = regular::compile(pattern)?;
        return (0..rows).try_for_each(|row| f(row, &pattern));
    }
    let mut current: Option<(&str, Arc<Pattern>)> = None;
    for row in 0..rows {
        let pattern = patterns.get(row);
        let compiled = match &current {
            Some((known, compiled)) if *known == pattern => compiled,
            _ => &current.insert((pattern, regular::compile(pattern)?)).1,
        };
        f(row, compiled)?;
    }
    Ok(())
}

/// The rows that may match a constant pattern; `None`: all may.
fn candidates(patterns: &Texts<'_>, sources: &Texts<'_>, rows: usize) -> Result<Option<BooleanBuffer>> {
    let Some(pattern) = patterns.constant() else { return Ok(None) };
    if rows == 0 || sources.constant().is_some() || sources.array().len() != rows {
        return Ok(None);
    }
    Ok(regular::compile(pattern)?.candidates(sources.array()))
}

pub fn extract(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let patterns = Texts::new(argument(arguments, 0)?)?;
    let groups = Longs::new(argument(arguments, 1)?)?;
    let sources = Texts::new(argument(arguments, 2)?)?;
    let mut found: Vec<&str> = Vec::with_capacity(call.rows);
    let mut places: Option<(Arc<Pattern>, regular::Groups)> = None;
    let candidates = candidates(&patterns, &sources, call.rows)?;
    with_patterns(&patterns, call.rows, |row, pattern| {
        let source = sources.get(row);
        let part = match groups.get(row) {
            _ if candidates.as_ref().is_some_and(|candidates| !candidates.value(row)) => None,
            Some(0) => pattern.find_at(source, 0),
            Some(group @ 1..) => {
                let places = match &mut places {
                    Some((known, places)) if Arc::ptr_eq(known, pattern) => places,
                    slot => &mut slot.insert((pattern.clone(), pattern.groups())).1,
                };
                usize::try_from(group).ok().filter(|group| *group < pattern.group_count()).and_then(|group| {
                    pattern.captures_at(source, 0, places)?;
                    places.get(group)
                })
            }
            _ => None,
        };
        found.push(part.map_or("", |(start, end)| &source[start..end]));
        Ok(())
    })?;
    Ok(borrowed_texts(call.rows, |row| found[row]))
}

/// The groups that `extract_all` is asked for: by number, or by name.
fn wanted_groups(pattern: &Pattern, groups: Option<conshelf_storage::DynamicRef<'_>>) -> Result<Vec<usize>> {
    if pattern.group_count() < 2 {
        return Err(EngineError::Evaluation(format!(
            "extract_all(): the regular expression '{}' must have at least one group",
            pattern.as_str()
        )));
    }
    let Some(groups) = groups.filter(|groups| !groups.is_null()) else {
        return Ok((1..pattern.group_count()).collect());
    };
    let mut wanted = Vec::new();
    for group in groups.iter_array() {
        let number = match group.as_str() {
            Some(name) => pattern.group_named(name),
            None => group.as_long().and_then(|number| usize::try_from(number).ok()),
        };
        match number.filter(|number| *number < pattern.group_count()) {
            Some(number) => wanted.push(number),
            None => {
                return Err(EngineError::Evaluation(format!(
                    "extract_all(): the regular expression '{}' has no group {}",
                    pattern.as_str(),
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
    let mut current: Option<(&str, Arc<Pattern>, regular::Groups)> = None;
    // A bad pattern is reported where it is compiled for its row.
    let candidates = candidates(&patterns, &sources, call.rows).unwrap_or(None);
    // The groups are the same for all rows unless they or the pattern vary.
    let constant_groups = groups.as_ref().is_none_or(|groups| groups.constant().is_some());
    let mut wanted: Option<Vec<usize>> = None;
    let mut failure = None;
    let all = dynamics(call.rows, |row, builder| {
        let text = patterns.get(row);
        let mut run = || -> Result<bool> {
            let (pattern, places) = match &mut current {
                Some((known, pattern, places)) if *known == text => (pattern, places),
                slot => {
                    wanted = None;
                    let pattern = regular::compile(text)?;
                    let places = pattern.groups();
                    let slot = slot.insert((text, pattern, places));
                    (&mut slot.1, &mut slot.2)
                }
            };
            if wanted.is_none() || !constant_groups {
                wanted = Some(wanted_groups(pattern, groups.as_ref().map(|groups| groups.get(row)))?);
            }
            let wanted = wanted.as_deref().unwrap_or_default();
            let source = match &candidates {
                Some(candidates) if !candidates.value(row) => return Ok(false),
                _ => sources.get(row),
            };
            let mut matched = false;
            builder.begin_array();
            let mut matches = pattern.matches(source);
            while matches.next_by(|pattern, text, from| pattern.captures_at(text, from, places)).is_some() {
                matched = true;
                if wanted.len() != 1 {
                    builder.begin_array();
                }
                for group in wanted {
                    builder.string(places.get(*group).map_or("", |(start, end)| &source[start..end]));
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

/// An argument as text.
enum Printed<'a> {
    Text(Texts<'a>),
    Value(Printer<'a>),
}

impl<'a> Printed<'a> {
    fn new(call: &KernelCall<'_>, arguments: &'a [Datum], position: usize) -> Result<Printed<'a>> {
        let ty = call.argument_types.get(position).copied().unwrap_or(Type::String);
        let datum = argument(arguments, position)?;
        Ok(match ty {
            Type::String => Printed::Text(Texts::new(datum)?),
            _ => Printed::Value(Printer::new(datum, ty)?),
        })
    }

    fn get<'t>(&'t self, row: usize, buffer: &'t mut String) -> &'t str {
        match self {
            Printed::Text(texts) => texts.get(row),
            Printed::Value(printer) => {
                buffer.clear();
                printer.print(row, buffer);
                buffer
            }
        }
    }
}

/// The rows of the first argument, texts, that have the second, a constant text; `None`: all may.
fn rows_with(arguments: &[Datum], call: &KernelCall<'_>) -> Option<BooleanBuffer> {
    let [Datum::Array(_), Datum::Constant(_), ..] = arguments else { return None };
    let is_text = |position: usize| call.argument_types.get(position) == Some(&Type::String);
    if !is_text(0) || !is_text(1) {
        return None;
    }
    let (sources, lookups) = (Texts::new(&arguments[0]).ok()?, Texts::new(&arguments[1]).ok()?);
    let finder = memmem::Finder::new(lookups.constant()?);
    regular::rows::rows_with(sources.array(), regular::rows::Literal::Exact(&finder))
}

fn positions(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    from_end: bool,
    may_have: impl Fn(usize) -> bool,
    mut nth: impl FnMut(&str, &str, usize) -> Result<Option<usize>>,
) -> Result<ArrayRef> {
    let sources = Printed::new(call, arguments, 0)?;
    let lookups = Printed::new(call, arguments, 1)?;
    let number = |position: usize| arguments.get(position).map(Longs::new).transpose();
    let (starts, lengths, occurrences) = (number(2)?, number(3)?, number(4)?);
    let (mut source, mut lookup) = (String::new(), String::new());
    let mut found = Vec::with_capacity(call.rows);
    let whole = starts.is_none() && lengths.is_none() && occurrences.is_none();
    for row in 0..call.rows {
        if whole && !may_have(row) {
            found.push(Some(-1));
            continue;
        }
        let source = sources.get(row, &mut source);
        let lookup = lookups.get(row, &mut lookup);
        let or = |numbers: &Option<Longs<'_>>, otherwise: i64| match numbers {
            Some(numbers) => numbers.get(row),
            None => Some(otherwise),
        };
        let asked = or(&starts, 0).zip(or(&lengths, -1)).zip(or(&occurrences, 1));
        let position = match asked {
            Some(((start, length), occurrence)) if occurrence >= 1 && !lookup.is_empty() => {
                match window(source, start, length, from_end) {
                    None => None,
                    Some((from, to)) => {
                        let occurrence = usize::try_from(occurrence - 1).unwrap_or(usize::MAX);
                        let place = nth(&source[from..], lookup, occurrence)?;
                        let place = place.map(|place| from + place).filter(|place| *place < to);
                        Some(place.map_or(-1, |place| character_count(&source[..place]) as i64))
                    }
                }
            }
            _ => None,
        };
        found.push(position);
    }
    Ok(Arc::new(arrow_array::Int64Array::from(found)))
}

pub fn indexof(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let mut finder = memmem::Finder::new("").into_owned();
    let rows = rows_with(arguments, call);
    let may_have = |row: usize| rows.as_ref().is_none_or(|rows| rows.value(row));
    positions(call, arguments, true, may_have, |text, lookup, occurrence| {
        if finder.needle() != lookup.as_bytes() {
            finder = memmem::Finder::new(lookup.as_bytes()).into_owned();
        }
        Ok(match occurrence {
            0 => finder.find(text.as_bytes()),
            _ => finder.find_iter(text.as_bytes()).nth(occurrence),
        })
    })
}

pub fn indexof_regex(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    positions(
        call,
        arguments,
        false,
        |_| true,
        |text, lookup, occurrence| {
            let pattern = regular::compile(lookup)?;
            Ok(pattern.matches(text).nth(occurrence).map(|(start, _)| start))
        },
    )
}

/// Occurrences of the finder's text, overlapping ones too.
fn occurrences(text: &str, finder: &memmem::Finder<'_>) -> i64 {
    let bytes = text.as_bytes();
    // The next one begins a character later at the least.
    let Some(step) = finder.needle().first().map(|first| match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }) else {
        return 0;
    };
    let (mut from, mut count) = (0, 0);
    while let Some(found) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
        count += 1;
        from += found + step;
    }
    count
}

pub fn countof(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let lookups = Texts::new(argument(arguments, 1)?)?;
    let kinds = arguments.get(2).map(Texts::new).transpose()?;
    let is_regex = |row| kinds.as_ref().is_some_and(|kinds| kinds.get(row).eq_ignore_ascii_case("regex"));
    let mut finder = memmem::Finder::new("").into_owned();
    let rows = rows_with(arguments, call);
    let mut plain = |row: usize| {
        if rows.as_ref().is_some_and(|rows| !rows.value(row)) {
            return 0;
        }
        let lookup = lookups.get(row).as_bytes();
        if finder.needle() != lookup {
            finder = memmem::Finder::new(lookup).into_owned();
        }
        occurrences(sources.get(row), &finder)
    };
    if (0..call.rows).any(is_regex) {
        let mut counts = Vec::with_capacity(call.rows);
        with_patterns(&lookups, call.rows, |row, pattern| {
            let regex = is_regex(row);
            counts.push(if regex { pattern.matches(sources.get(row)).count() as i64 } else { plain(row) });
            Ok(())
        })?;
        return Ok(numbers::<Int64Type>(call.rows, |row| Some(counts[row])));
    }
    Ok(numbers::<Int64Type>(call.rows, |row| Some(plain(row))))
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
