//! `parse-kv`: values of named keys out of texts such as `a=1, b="x y"`.
//!
//! Reference: parse-kv-operator. With delimiters, without (anything that is not alphanumeric delimits), or
//! by a regular expression with a group for the key and one for the value. The first value of a key counts.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::StringViewBuilder;
use conshelf_kql::Type;
use conshelf_kql::plan::{Expr, ParseKvOptions, Plan};
use regex::{Regex, RegexBuilder};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::mv_expand::conversion;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Transform};
use crate::engine::profile::OperatorProfile;

struct ParseKv {
    source: Expressions,
    keys: Vec<(String, Option<Expressions>)>,
    splitter: Splitter,
}

enum Splitter {
    Regex(Regex),
    Text {
        pair: Option<String>,
        between: Option<String>,
        quotes: Vec<(char, char)>,
        escape: Option<char>,
        greedy: bool,
    },
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    source: &Expr,
    keys: &[(String, Type)],
    options: &ParseKvOptions,
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let splitter = match &options.regex {
        Some(text) => {
            let regex = RegexBuilder::new(text).size_limit(10 << 20).build().map_err(|error| {
                EngineError::Evaluation(format!("parse-kv: invalid regular expression: {error}"))
            })?;
            if regex.captures_len() != 3 {
                let message =
                    "parse-kv: the regular expression must have two groups, for the key and the value";
                return Err(EngineError::Evaluation(String::from(message)));
            }
            Splitter::Regex(regex)
        }
        None => Splitter::Text {
            pair: options.pair_delimiter.clone().filter(|text| !text.is_empty()),
            between: options.kv_delimiter.clone().filter(|text| !text.is_empty()),
            quotes: options.quotes.iter().filter_map(|quotes| quote_pair(quotes)).collect(),
            escape: options.escape.as_ref().and_then(|escape| escape.chars().next()),
            greedy: options.greedy,
        },
    };
    let parse = ParseKv {
        source: Expressions::new(executor, std::slice::from_ref(source))?,
        keys: keys
            .iter()
            .map(|(name, ty)| Ok((name.clone(), conversion(executor, Type::String, *ty)?)))
            .collect::<Result<_>>()?,
        splitter,
    };
    Ok(below.then(Arc::new(parse), profile))
}

fn quote_pair(quotes: &str) -> Option<(char, char)> {
    let mut characters = quotes.chars();
    let open = characters.next()?;
    Some((open, characters.next().unwrap_or(open)))
}

impl Splitter {
    /// Calls `found` with every key and value, in order.
    fn pairs(&self, text: &str, names: &[&str], found: &mut dyn FnMut(&str, &str)) {
        match self {
            Splitter::Regex(regex) => {
                for pair in regex.captures_iter(text) {
                    if let (Some(key), Some(value)) = (pair.get(1), pair.get(2)) {
                        found(key.as_str().trim(), value.as_str().trim());
                    }
                }
            }
            Splitter::Text { pair, between, quotes, escape, greedy } => {
                let scanner = Scanner { quotes, escape: *escape };
                match (pair, between) {
                    (Some(pair), Some(between)) if *greedy => {
                        scanner.greedy(text, pair, between, names, found)
                    }
                    (Some(pair), Some(between)) => scanner.delimited(text, pair, between, found),
                    _ => scanner.loose(text, found),
                }
            }
        }
    }
}

struct Scanner<'a> {
    quotes: &'a [(char, char)],
    escape: Option<char>,
}

impl Scanner<'_> {
    /// A quoted piece at the start of the text: what it says, and the rest behind it.
    fn quoted<'t>(&self, text: &'t str) -> Option<(String, &'t str)> {
        let first = text.chars().next()?;
        let (_, close) = self.quotes.iter().find(|(open, _)| *open == first)?;
        let mut said = String::new();
        let mut characters = text.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            if Some(character) == self.escape {
                if let Some((_, escaped)) = characters.next() {
                    said.push(escaped);
                }
            } else if character == *close {
                return Some((said, &text[at + character.len_utf8()..]));
            } else {
                said.push(character);
            }
        }
        None
    }

    fn delimited(&self, text: &str, pair: &str, between: &str, found: &mut dyn FnMut(&str, &str)) {
        let mut rest = text;
        while !rest.is_empty() {
            let trimmed = skip_blanks(rest, pair);
            let (key, after) = match self.quoted(trimmed) {
                Some((key, after)) => match after.trim_start().strip_prefix(between) {
                    Some(after) => (key, Some(after)),
                    None => (key, None),
                },
                None => {
                    let end = trimmed.find(pair).unwrap_or(trimmed.len());
                    match trimmed.find(between).filter(|at| *at < end || between == pair) {
                        Some(at) => (trimmed[..at].to_owned(), Some(&trimmed[at + between.len()..])),
                        None => (String::new(), None),
                    }
                }
            };
            let Some(after) = after else {
                rest = behind(trimmed, pair);
                continue;
            };
            let value_text = skip_blanks(after, pair);
            if let Some((value, after)) = self.quoted(value_text) {
                found(key.trim(), &value);
                rest = behind(after, pair);
            } else {
                let end = value_text.find(pair).unwrap_or(value_text.len());
                found(key.trim(), value_text[..end].trim());
                rest = behind(value_text, pair);
            }
        }
    }

    /// Values reach to the next of the wanted keys.
    fn greedy(
        &self,
        text: &str,
        pair: &str,
        between: &str,
        names: &[&str],
        found: &mut dyn FnMut(&str, &str),
    ) {
        let mut starts: Vec<(usize, usize, &str)> = Vec::new();
        for name in names {
            let mut from = 0;
            while let Some(at) = text[from..].find(name).map(|at| at + from) {
                let after = &text[at + name.len()..];
                let at_start =
                    at == 0 || text[..at].ends_with(pair) || text[..at].trim_end().ends_with(pair.trim());
                if at_start && after.starts_with(between) {
                    starts.push((at, at + name.len() + between.len(), name));
                }
                from = at + name.len().max(1);
                if from > text.len() || !text.is_char_boundary(from) {
                    break;
                }
            }
        }
        starts.sort_unstable();
        for (index, (_, value_start, name)) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(text.len(), |(at, _, _)| *at).max(*value_start);
            let value = text[*value_start..end].trim();
            let value = value.strip_suffix(pair).unwrap_or(value).trim();
            match self.quoted(value) {
                Some((said, _)) => found(name, &said),
                None => found(name, value),
            }
        }
    }

    /// Any run of other characters than letters, digits and quotes delimits; words alternate as they come:
    /// a word directly before a delimiter and the next one are a key and its value.
    fn loose(&self, text: &str, found: &mut dyn FnMut(&str, &str)) {
        let mut words: Vec<String> = Vec::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some((said, after)) = self.quoted(rest) {
                words.push(said);
                rest = after;
            } else if character.is_alphanumeric() || character == '_' {
                let end = rest
                    .find(|character: char| !(character.is_alphanumeric() || character == '_'))
                    .unwrap_or(rest.len());
                words.push(rest[..end].to_owned());
                rest = &rest[end..];
            } else {
                rest = &rest[character.len_utf8()..];
            }
        }
        for pair in words.windows(2) {
            found(&pair[0], &pair[1]);
        }
    }
}

/// Drops leading blanks unless blanks delimit pairs (then only those before the first key are dropped by
/// `behind`).
fn skip_blanks<'t>(text: &'t str, pair: &str) -> &'t str {
    if pair.trim().is_empty() { text } else { text.trim_start() }
}

/// What comes after the next pair delimiter.
fn behind<'t>(text: &'t str, pair: &str) -> &'t str {
    text.find(pair).map_or("", |at| &text[at + pair.len()..])
}

impl Transform for ParseKv {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let source = columns::flatten(&self.source.column(&batch, 0)?)?;
        let texts = columns::texts(&source)?;
        let names: Vec<&str> = self.keys.iter().map(|(name, _)| name.as_str()).collect();
        let mut builders: Vec<StringViewBuilder> =
            self.keys.iter().map(|_| StringViewBuilder::with_capacity(batch.rows)).collect();
        let mut values: Vec<Option<String>> = Vec::new();
        for row in 0..batch.rows {
            values.clear();
            values.resize(names.len(), None);
            self.splitter.pairs(texts.value(row), &names, &mut |key, value| {
                if let Some(place) = names.iter().position(|name| *name == key) {
                    values[place].get_or_insert_with(|| value.to_owned());
                }
            });
            for (builder, value) in builders.iter_mut().zip(&values) {
                builder.append_value(value.as_deref().unwrap_or(""));
            }
        }
        let rows = batch.rows;
        let mut batch = batch;
        for (mut builder, (_, conversion)) in builders.into_iter().zip(&self.keys) {
            let captured: ArrayRef = Arc::new(builder.finish());
            batch.columns.push(match conversion {
                Some(conversion) => conversion.column(&Batch::new(vec![captured], rows), 0)?,
                None => captured,
            });
        }
        emit(batch)
    }
}
