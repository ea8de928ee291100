//! Operators that search in texts: `has`, `contains`, `startswith`, `matches regex`, `=~` and their kin.
//!
//! A constant pattern is got ready once per query, any other once per run of equal patterns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::function::OperatorFunction;
use conshelf_storage::terms::{TermFinder, TermMatch, fold, fold_character};

use crate::engine::error::Result;
use crate::engine::kernel::access::{Texts, argument, bools};
use crate::engine::kernel::regular::{self, Pattern};
use crate::engine::kernel::{Datum, Prepared};

/// What an operator asks of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Equals,
    Term(TermMatch),
    StartsWith,
    EndsWith,
    Regex,
}

#[derive(Clone, Copy, Debug)]
struct Form {
    question: Question,
    case_sensitive: bool,
    negated: bool,
}

fn form(function: OperatorFunction) -> Option<Form> {
    use OperatorFunction as F;
    let (question, case_sensitive, negated) = match function {
        F::EqualIgnoreCase => (Question::Equals, false, false),
        F::NotEqualIgnoreCase => (Question::Equals, false, true),
        F::Has => (Question::Term(TermMatch::Whole), false, false),
        F::HasCs => (Question::Term(TermMatch::Whole), true, false),
        F::NotHas => (Question::Term(TermMatch::Whole), false, true),
        F::NotHasCs => (Question::Term(TermMatch::Whole), true, true),
        F::HasPrefix => (Question::Term(TermMatch::Prefix), false, false),
        F::HasPrefixCs => (Question::Term(TermMatch::Prefix), true, false),
        F::NotHasPrefix => (Question::Term(TermMatch::Prefix), false, true),
        F::NotHasPrefixCs => (Question::Term(TermMatch::Prefix), true, true),
        F::HasSuffix => (Question::Term(TermMatch::Suffix), false, false),
        F::HasSuffixCs => (Question::Term(TermMatch::Suffix), true, false),
        F::NotHasSuffix => (Question::Term(TermMatch::Suffix), false, true),
        F::NotHasSuffixCs => (Question::Term(TermMatch::Suffix), true, true),
        F::Contains => (Question::Term(TermMatch::Anywhere), false, false),
        F::ContainsCs => (Question::Term(TermMatch::Anywhere), true, false),
        F::NotContains => (Question::Term(TermMatch::Anywhere), false, true),
        F::NotContainsCs => (Question::Term(TermMatch::Anywhere), true, true),
        F::StartsWith => (Question::StartsWith, false, false),
        F::StartsWithCs => (Question::StartsWith, true, false),
        F::NotStartsWith => (Question::StartsWith, false, true),
        F::NotStartsWithCs => (Question::StartsWith, true, true),
        F::EndsWith => (Question::EndsWith, false, false),
        F::EndsWithCs => (Question::EndsWith, true, false),
        F::NotEndsWith => (Question::EndsWith, false, true),
        F::NotEndsWithCs => (Question::EndsWith, true, true),
        F::MatchesRegex => (Question::Regex, true, false),
        _ => return None,
    };
    Some(Form { question, case_sensitive, negated })
}

/// A pattern ready to be looked for.
#[derive(Debug)]
enum Search {
    Equals(String),
    Finder(Box<TermFinder>),
    StartsWith(String, bool),
    EndsWith(String, bool),
    Regex(Arc<Pattern>),
}

impl Search {
    fn new(form: Form, pattern: &str) -> Result<Search> {
        let folded = |pattern: &str| {
            if form.case_sensitive { pattern.to_owned() } else { fold(pattern).into_owned() }
        };
        Ok(match form.question {
            Question::Equals => Search::Equals(folded(pattern)),
            Question::Term(kind) => {
                Search::Finder(Box::new(TermFinder::new(pattern, form.case_sensitive, kind)))
            }
            Question::StartsWith => Search::StartsWith(folded(pattern), form.case_sensitive),
            Question::EndsWith => Search::EndsWith(folded(pattern), form.case_sensitive),
            Question::Regex => Search::Regex(regular::compile(pattern)?),
        })
    }

    /// The rows for which it holds, by a search through all of them; `None`: each must be looked at.
    fn rows(&self, texts: &Texts<'_>, rows: usize) -> Option<BooleanBuffer> {
        let Search::Regex(pattern) = self else { return None };
        if texts.constant().is_some() || texts.array().len() != rows {
            return None;
        }
        let candidates = pattern.candidates(texts.array())?;
        let holds = |row: usize| candidates.value(row) && pattern.is_match(texts.get(row));
        Some(BooleanBuffer::collect_bool(rows, holds))
    }

    #[inline]
    fn holds(&self, text: &str) -> bool {
        match self {
            Search::Equals(pattern) => equals_folded(text, pattern),
            Search::Finder(finder) => finder.is_match(text),
            Search::StartsWith(pattern, true) => text.starts_with(pattern.as_str()),
            Search::StartsWith(pattern, false) => {
                if pattern.is_ascii() {
                    let head = text.as_bytes().get(..pattern.len());
                    return head.is_some_and(|head| head.eq_ignore_ascii_case(pattern.as_bytes()));
                }
                let mut characters = text.chars();
                pattern.chars().all(|expected| characters.next().map(fold_character) == Some(expected))
            }
            Search::EndsWith(pattern, true) => text.ends_with(pattern.as_str()),
            Search::EndsWith(pattern, false) => {
                if pattern.is_ascii() {
                    let start = text.len().checked_sub(pattern.len());
                    let tail = start.and_then(|start| text.as_bytes().get(start..));
                    return tail.is_some_and(|tail| tail.eq_ignore_ascii_case(pattern.as_bytes()));
                }
                let mut characters = text.chars().rev();
                pattern.chars().rev().all(|expected| characters.next().map(fold_character) == Some(expected))
            }
            Search::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Whether the text equals, without regard to case, a text that is folded already.
pub fn equals_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() && folded.is_ascii() {
        return text.eq_ignore_ascii_case(folded);
    }
    text.chars().map(fold_character).eq(folded.chars())
}

/// The search for a constant pattern.
pub fn prepare(function: OperatorFunction, constants: &[Option<&ArrayRef>]) -> Result<Option<Prepared>> {
    let (Some(form), [_, Some(pattern)]) = (form(function), constants) else { return Ok(None) };
    let Some(pattern) = pattern.as_string_view_opt() else { return Ok(None) };
    let search = Search::new(form, pattern.iter().next().flatten().unwrap_or_default())?;
    Ok(Some(Box::new(move |call, arguments| {
        let texts = Texts::new(argument(arguments, 0)?)?;
        if let Some(found) = search.rows(&texts, call.rows) {
            return Ok(Arc::new(BooleanArray::new(if form.negated { !&found } else { found }, None)));
        }
        Ok(bools(call.rows, |row| search.holds(texts.get(row)) != form.negated))
    })))
}

/// Patterns that differ from row to row.
pub fn rows(function: OperatorFunction, arguments: &[Datum]) -> Result<ArrayRef> {
    let form = form(function).ok_or_else(|| {
        crate::engine::error::EngineError::Internal(format!("{function:?} does not search in texts"))
    })?;
    let (text, pattern) = (argument(arguments, 0)?, argument(arguments, 1)?);
    let rows = [text, pattern].iter().map(|datum| datum.parts()).find(|(_, constant)| !constant);
    let rows = rows.map_or(1, |(array, _)| array.len());
    let (texts, patterns) = (Texts::new(text)?, Texts::new(pattern)?);
    let mut current: Option<(&str, Search)> = None;
    let mut holds = Vec::with_capacity(rows);
    for row in 0..rows {
        let pattern = patterns.get(row);
        let search = match &mut current {
            Some((known, search)) if *known == pattern => search,
            slot => &mut slot.insert((pattern, Search::new(form, pattern)?)).1,
        };
        holds.push(search.holds(texts.get(row)) != form.negated);
    }
    Ok(Arc::new(BooleanArray::from(holds)))
}
