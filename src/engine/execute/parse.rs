//! `parse` and `parse-where`: texts cut along a pattern into typed columns.
//!
//! Reference: parse-operator. A plain pattern is searched piece by piece: a capture reaches to the next text
//! of the pattern, the last one to the end. A regular pattern becomes one regular expression with a group per
//! capture. `simple` and `regex` are strict: one capture that does not fit its type fails the whole row.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::Type;
use conshelf_kql::plan::{Expr, ParseKind, ParseSegment, Plan};
use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::mv_expand::conversion;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
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
    Regex(Regex, usize),
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
        ParseKind::Regex => Matcher::Regex(expression(flags, segments, outputs)?, outputs.len()),
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
fn expression(flags: &str, segments: &[ParseSegment], outputs: &[Type]) -> Result<Regex> {
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
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'U' => builder.swap_greed(true),
            'x' => builder.ignore_whitespace(true),
            _ => {
                return Err(EngineError::Evaluation(format!(
                    "parse: unknown regular expression flag '{flag}'"
                )));
            }
        };
    }
    builder
        .build()
        .map_err(|error| EngineError::Evaluation(format!("parse: invalid regular expression: {error}")))
}

impl Matcher {
    /// The captured pieces of a text, by output; `None`: the text does not fit the pattern.
    fn captures<'t>(&self, text: &'t str, pieces: &mut Vec<&'t str>) -> bool {
        pieces.clear();
        match self {
            Matcher::Regex(regex, count) => {
                let Some(found) = regex.captures(text) else { return false };
                pieces.extend(
                    (0..*count)
                        .map(|output| found.name(&format!("c{output}")).map_or("", |piece| piece.as_str())),
                );
                true
            }
            Matcher::Plain(segments, types) => {
                pieces.resize(types.len(), "");
                plain(segments, types, text, pieces)
            }
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

impl Transform for Parse {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let source = columns::flatten(&self.source.column(&batch, 0)?)?;
        let texts = columns::texts(&source)?;
        let mut builders: Vec<StringViewBuilder> =
            self.outputs.iter().map(|_| StringViewBuilder::with_capacity(batch.rows)).collect();
        let mut matched: Vec<bool> = Vec::with_capacity(batch.rows);
        let mut pieces = Vec::new();
        for row in 0..batch.rows {
            let fits = self.matcher.captures(texts.value(row), &mut pieces);
            matched.push(fits);
            for (output, builder) in builders.iter_mut().enumerate() {
                builder.append_value(if fits { pieces[output] } else { "" });
            }
        }
        let mut outputs = Vec::with_capacity(builders.len());
        for (mut builder, (_, conversion)) in builders.into_iter().zip(&self.outputs) {
            let captured: ArrayRef = Arc::new(builder.finish());
            let typed = match conversion {
                Some(conversion) => conversion.column(&Batch::new(vec![captured], batch.rows), 0)?,
                None => captured,
            };
            outputs.push(typed);
        }
        if self.strict {
            for ((ty, _), output) in self.outputs.iter().zip(&outputs) {
                let Some(nulls) = output.nulls().filter(|_| *ty != Type::String) else { continue };
                for (matched, valid) in matched.iter_mut().zip(nulls.iter()) {
                    *matched &= valid;
                }
            }
        }
        let mut batch = batch;
        if self.filter {
            batch.columns.extend(outputs);
            let selected: BooleanBuffer = matched.into_iter().collect();
            return emit(columns::filter(&batch, &selected)?);
        }
        if matched.iter().any(|matched| !matched) {
            let rows: UInt32Array =
                matched.iter().zip(0u32..).map(|(matched, row)| matched.then_some(row)).collect();
            for output in &mut outputs {
                *output = columns::take_column(output, &rows)?;
            }
        }
        batch.columns.extend(outputs);
        emit(batch)
    }
}
