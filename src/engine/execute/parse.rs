//! `parse` and `parse-where`: texts cut along a pattern into typed columns.
//!
//! Reference: parse-operator. A plain pattern is searched piece by piece: a capture reaches to the next text
//! of the pattern, the last one to the end. A regular pattern becomes one regular expression with a group per
//! capture. `simple` and `regex` are strict: one capture that does not fit its type fails the whole row.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use conshelf_kql::Type;
use conshelf_kql::plan::{Expr, ParseKind, ParseSegment, Plan};
use conshelf_kql::time::{parse_datetime, parse_timespan};
use memchr::memmem::Finder;
use regex::RegexBuilder;
use regex_syntax::ParserBuilder;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::mv_expand::conversion;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
use crate::engine::kernel::regular::rows::{Literal, rows_with};
use crate::engine::kernel::regular::{Groups, Pattern};
use crate::engine::kernel::text;
use crate::engine::profile::OperatorProfile;

/// Largest compiled regular expression.
const REGEX_BYTES: usize = 10 << 20;

struct Parse {
    source: Expressions,
    matcher: Matcher,
    outputs: Vec<(Type, Option<Expressions>)>,
    strict: bool,
    filter: bool,
}

enum Matcher {
    Plain(Vec<Piece>, Vec<Type>),
    /// The pattern and the group of each output.
    Regex(Box<Pattern>, Vec<Option<usize>>),
}

/// A segment of a plain pattern, its text prepared for searching.
enum Piece {
    Star,
    Text(Box<Finder<'static>>),
    Capture { output: usize },
}

impl Piece {
    fn of(segment: &ParseSegment) -> Piece {
        match segment {
            ParseSegment::Star => Piece::Star,
            ParseSegment::Text(text) => Piece::Text(Box::new(Finder::new(text.as_bytes()).into_owned())),
            ParseSegment::Capture { output } => Piece::Capture { output: *output },
        }
    }
}

#[allow(clippy::too_many_arguments)]
pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    source: &Expr,
    kind: ParseKind,
    flags: &str,
    segments: &[ParseSegment],
    outputs: &[Type],
    filter: bool,
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let matcher = match kind {
        ParseKind::Regex => {
            let pattern = expression(flags, segments, outputs)?;
            let groups = (0..outputs.len()).map(|output| pattern.group_named(&format!("c{output}")));
            let groups = groups.collect();
            Matcher::Regex(Box::new(pattern), groups)
        }
        ParseKind::Simple | ParseKind::Relaxed => {
            Matcher::Plain(segments.iter().map(Piece::of).collect(), outputs.to_vec())
        }
    };
    let parse = Parse {
        source: Expressions::new(executor, std::slice::from_ref(source))?,
        matcher,
        outputs: outputs
            .iter()
            .map(|ty| Ok((*ty, conversion(executor, Type::String, *ty)?)))
            .collect::<Result<_>>()?,
        strict: kind != ParseKind::Relaxed,
        filter,
    };
    Ok(below.then(Arc::new(parse), profile))
}

/// The regular expression of a pattern.
fn expression(flags: &str, segments: &[ParseSegment], outputs: &[Type]) -> Result<Pattern> {
    let mut text = String::from("^");
    for segment in segments {
        match segment {
            ParseSegment::Star => text.push_str(".*?"),
            ParseSegment::Text(piece) => {
                let _ = write!(text, "(?:{piece})");
            }
            ParseSegment::Capture { output } => {
                let shape = match outputs.get(*output) {
                    Some(Type::Int | Type::Long) => r"-?\d+",
                    Some(Type::Real | Type::Decimal) => r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?",
                    _ => ".*",
                };
                let _ = write!(text, "(?P<c{output}>{shape})");
            }
        }
    }
    if matches!(segments.last(), Some(ParseSegment::Capture { .. })) {
        text.push('$');
    }
    let mut builder = RegexBuilder::new(&text);
    builder.size_limit(REGEX_BYTES);
    let mut parser = ParserBuilder::new();
    for flag in flags.chars() {
        match flag {
            'i' => (builder.case_insensitive(true), parser.case_insensitive(true)),
            'm' => (builder.multi_line(true), parser.multi_line(true)),
            's' => (builder.dot_matches_new_line(true), parser.dot_matches_new_line(true)),
            'U' => (builder.swap_greed(true), parser.swap_greed(true)),
            'x' => (builder.ignore_whitespace(true), parser.ignore_whitespace(true)),
            _ => {
                return Err(EngineError::Evaluation(format!(
                    "parse: unknown regular expression flag '{flag}'"
                )));
            }
        };
    }
    let regex = builder
        .build()
        .map_err(|error| EngineError::Evaluation(format!("parse: invalid regular expression: {error}")))?;
    let hir = parser.build().parse(&text).ok();
    Ok(Pattern::with(regex, hir.as_ref()))
}

impl Matcher {
    /// Room for the groups of matches.
    fn groups(&self) -> Option<Groups> {
        match self {
            Matcher::Regex(pattern, _) => Some(pattern.groups()),
            Matcher::Plain(..) => None,
        }
    }

    /// The texts that may fit the pattern; `None`: each must be looked at.
    fn candidates(&self, texts: &StringViewArray) -> Option<BooleanBuffer> {
        match self {
            Matcher::Regex(pattern, _) => pattern.candidates(texts),
            Matcher::Plain(segments, _) => {
                // A text at the start is compared and not searched.
                let mut segments = segments.iter();
                segments.next().filter(|first| !matches!(first, Piece::Text(_)))?;
                let finder = segments.find_map(|segment| match segment {
                    Piece::Text(finder) => Some(finder),
                    _ => None,
                })?;
                rows_with(texts, Literal::Exact(finder))
            }
        }
    }

    /// The captured pieces of a text, by output. Whether the text fits the pattern.
    fn captures<'t>(&self, text: &'t str, groups: &mut Option<Groups>, pieces: &mut [&'t str]) -> bool {
        match (self, groups) {
            (Matcher::Regex(pattern, outputs), Some(places)) => {
                if pattern.captures_at(text, 0, places).is_none() {
                    return false;
                }
                for (piece, group) in pieces.iter_mut().zip(outputs) {
                    let place = group.and_then(|group| places.get(group));
                    *piece = place.map_or("", |(start, end)| &text[start..end]);
                }
                true
            }
            (Matcher::Plain(segments, types), _) => plain(segments, types, text, pieces),
            (Matcher::Regex(..), None) => false,
        }
    }
}

fn plain<'t>(segments: &[Piece], types: &[Type], text: &'t str, pieces: &mut [&'t str]) -> bool {
    let mut rest = text;
    // What waits for the next text of the pattern: a capture, and whether something may be skipped.
    let mut capture: Option<usize> = None;
    let mut skip = false;
    for segment in segments {
        match segment {
            Piece::Star => {
                if let Some(output) = capture.take() {
                    let end = value_end(rest, types[output]);
                    pieces[output] = &rest[..end];
                    rest = &rest[end..];
                }
                skip = true;
            }
            Piece::Text(piece) => {
                let here = capture.is_none() && !skip;
                let at = if here {
                    rest.as_bytes().starts_with(piece.needle()).then_some(0)
                } else {
                    piece.find(rest.as_bytes())
                };
                let Some(at) = at else { return false };
                if let Some(output) = capture.take() {
                    pieces[output] = &rest[..at];
                }
                rest = &rest[at + piece.needle().len()..];
                skip = false;
            }
            Piece::Capture { output } => {
                if let Some(before) = capture.replace(*output) {
                    // Two captures side by side: the first takes what its type allows.
                    let end = value_end(rest, types[before]);
                    pieces[before] = &rest[..end];
                    rest = &rest[end..];
                }
                skip = false;
            }
        }
    }
    if let Some(output) = capture {
        pieces[output] = rest;
    }
    true
}

/// How far the text at the start reads as a value of the type.
fn value_end(text: &str, ty: Type) -> usize {
    let allowed = |place: usize, character: char| match ty {
        Type::Int | Type::Long => {
            character.is_ascii_digit() || (place == 0 && matches!(character, '-' | '+'))
        }
        Type::Real | Type::Decimal => {
            character.is_ascii_digit()
                || matches!(character, '.' | 'e' | 'E')
                || (place == 0 && matches!(character, '-' | '+'))
        }
        Type::Bool => character.is_ascii_alphanumeric(),
        Type::Guid => character.is_ascii_hexdigit() || character == '-',
        Type::TimeSpan => character.is_ascii_alphanumeric() || matches!(character, '.' | ':' | '-'),
        Type::DateTime => {
            character.is_ascii_alphanumeric() || matches!(character, '.' | ':' | '-' | '/' | '+' | ' ')
        }
        Type::String | Type::Dynamic => true,
    };
    text.char_indices()
        .find(|(place, character)| !allowed(*place, *character))
        .map_or(text.len(), |(at, _)| at)
}

/// Values of one output as they are read.
enum Values {
    Ints(Vec<i32>, Vec<bool>),
    Longs(fn(&str) -> Option<i64>, Vec<i64>, Vec<bool>),
    Reals(Vec<f64>, Vec<bool>),
    /// Of other types, converted when all are there.
    Texts(Box<StringViewBuilder>),
}

impl Values {
    fn new(ty: Type, rows: usize) -> Values {
        let valid = Vec::with_capacity(rows);
        match ty {
            Type::Int => Values::Ints(Vec::with_capacity(rows), valid),
            Type::Long => Values::Longs(text::parse_long, Vec::with_capacity(rows), valid),
            Type::TimeSpan => Values::Longs(parse_timespan, Vec::with_capacity(rows), valid),
            Type::DateTime => Values::Longs(parse_datetime, Vec::with_capacity(rows), valid),
            Type::Real => Values::Reals(Vec::with_capacity(rows), valid),
            _ => Values::Texts(Box::new(StringViewBuilder::with_capacity(rows))),
        }
    }

    /// Appends the value of a text, or none.
    fn push(&mut self, text: Option<&str>) {
        match self {
            Values::Ints(values, valid) => {
                let value =
                    text.and_then(|text| text::parse_long(text).and_then(|long| i32::try_from(long).ok()));
                values.push(value.unwrap_or_default());
                valid.push(value.is_some());
            }
            Values::Longs(read, values, valid) => {
                let value = text.and_then(*read);
                values.push(value.unwrap_or_default());
                valid.push(value.is_some());
            }
            Values::Reals(values, valid) => {
                let value = text.and_then(text::parse_real);
                values.push(value.unwrap_or_default());
                valid.push(value.is_some());
            }
            Values::Texts(builder) => builder.append_value(text.unwrap_or_default()),
        }
    }

    fn finish(self, conversion: Option<&Expressions>, rows: usize) -> Result<ArrayRef> {
        let nulls = |valid: Vec<bool>| Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
        Ok(match self {
            Values::Ints(values, valid) => Arc::new(Int32Array::new(values.into(), nulls(valid))),
            Values::Longs(_, values, valid) => Arc::new(Int64Array::new(values.into(), nulls(valid))),
            Values::Reals(values, valid) => Arc::new(Float64Array::new(values.into(), nulls(valid))),
            Values::Texts(mut builder) => {
                let captured: ArrayRef = Arc::new(builder.finish());
                match conversion {
                    Some(conversion) => conversion.column(&Batch::new(vec![captured], rows), 0)?,
                    None => captured,
                }
            }
        })
    }
}

impl Parse {
    /// The outputs for some texts, and which of these fit the pattern.
    fn parse(&self, texts: &StringViewArray) -> Result<(Vec<ArrayRef>, Vec<bool>)> {
        let rows = texts.len();
        let mut columns: Vec<Values> = self.outputs.iter().map(|(ty, _)| Values::new(*ty, rows)).collect();
        let mut matched: Vec<bool> = Vec::with_capacity(rows);
        let mut pieces = vec![""; columns.len()];
        let mut groups = self.matcher.groups();
        let candidates = self.matcher.candidates(texts);
        for row in 0..rows {
            let may_fit = candidates.as_ref().is_none_or(|candidates| candidates.value(row));
            let fits = may_fit && {
                pieces.fill("");
                self.matcher.captures(texts.value(row), &mut groups, &mut pieces)
            };
            matched.push(fits);
            for (column, piece) in columns.iter_mut().zip(&pieces) {
                column.push(fits.then_some(*piece));
            }
        }
        let outputs = columns
            .into_iter()
            .zip(&self.outputs)
            .map(|(column, (_, conversion))| column.finish(conversion.as_ref(), rows))
            .collect::<Result<Vec<_>>>()?;
        let mut is_cut = false;
        if self.strict {
            for ((ty, _), output) in self.outputs.iter().zip(&outputs) {
                let Some(nulls) = output.nulls().filter(|_| *ty != Type::String) else { continue };
                for (matched, valid) in matched.iter_mut().zip(nulls.iter()) {
                    is_cut |= *matched && !valid;
                    *matched &= valid;
                }
            }
        }
        if self.filter || matched.iter().all(|matched| *matched) {
            return Ok((outputs, matched));
        }
        // What did not fit has no values: those of the rows that were cut off later go, too.
        let rows: UInt32Array =
            matched.iter().zip(0u32..).map(|(matched, row)| matched.then_some(row)).collect();
        let outputs = outputs.into_iter().zip(&self.outputs).map(|(output, (ty, _))| {
            let nulls = output.nulls();
            let is_blank = match ty {
                Type::String => !is_cut,
                _ => nulls.is_some_and(|nulls| {
                    matched.iter().zip(nulls.iter()).all(|(matched, valid)| *matched || !valid)
                }),
            };
            if is_blank { Ok(output) } else { columns::take_column(&output, &rows) }
        });
        Ok((outputs.collect::<Result<Vec<_>>>()?, matched))
    }
}

impl Transform for Parse {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let source = self.source.column(&batch, 0)?;
        let (outputs, matched) = match columns::as_dictionary(&source) {
            // Each text of a dictionary is taken apart once.
            Some(dictionary) if dictionary.values().len() < batch.rows && dictionary.null_count() == 0 => {
                let (outputs, matched) = self.parse(columns::texts(dictionary.values())?)?;
                let spread = |output| columns::take_column(output, dictionary.keys());
                let keys = dictionary.keys().values();
                let matched = keys.iter().map(|key| matched[*key as usize]).collect();
                (outputs.iter().map(spread).collect::<Result<Vec<_>>>()?, matched)
            }
            _ => self.parse(columns::texts(&columns::flatten(&source)?)?)?,
        };
        let mut batch = batch;
        if self.filter {
            batch.columns.extend(outputs);
            let selected: BooleanBuffer = matched.into_iter().collect();
            return emit(columns::filter(&batch, &selected)?);
        }
        batch.columns.extend(outputs);
        emit(batch)
    }
}
