//! Functions of one text column, or of a dynamic one as text, that storage answers without an array of the texts: `strlen`, `isempty`,
//! `contains`, `startswith`, `==` with a constant, and their like. Also what must hold of a text for other conditions.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::function::{
    ConditionalFunction, ConversionFunction, FunctionId, OperatorFunction, StringFunction,
};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Dynamic, Type, Value};
use conshelf_storage::terms::{TermFinder, TermMatch};
use conshelf_storage::{Anchor, TextAnswer, TextQuestion, TextTest};

use crate::engine::kernel::regular::needed;

/// Most texts of a list that each text is compared with beforehand.
const HINT_NEEDLES_MAX: usize = 16;

/// Something about a text.
pub enum TextFact {
    Characters,
    Bytes,
    IsEmpty(bool),
    Fits {
        test: Box<TextTest>,
        negated: bool,
    },
    /// Of the text of a dynamic value.
    InDynamic {
        finder: Box<TermFinder>,
        pattern: String,
        search: (TermMatch, bool),
        negated: bool,
    },
}

/// The column and the fact, if a call is one.
pub fn text_fact(function: FunctionId, arguments: &[Expr]) -> Option<(usize, TextFact)> {
    let text = arguments.first().filter(|text| text.ty == Type::String)?;
    let ExprKind::Column(column) = text.kind else { return dynamic_fact(function, text, &arguments[1..]) };
    let fact = match (function, &arguments[1..]) {
        (FunctionId::String(StringFunction::Strlen), []) => TextFact::Characters,
        (FunctionId::String(StringFunction::StringSize), []) => TextFact::Bytes,
        (FunctionId::Conditional(ConditionalFunction::IsEmpty), []) => TextFact::IsEmpty(true),
        (FunctionId::Conditional(ConditionalFunction::IsNotEmpty), []) => TextFact::IsEmpty(false),
        (FunctionId::Operator(operator), patterns) => {
            let (test, negated) = test_of(operator, patterns)?;
            TextFact::Fits { test: Box::new(test), negated }
        }
        _ => return None,
    };
    Some((column, fact))
}

/// The test that an operator makes of a text, if bytes tell, and whether it must fail.
fn test_of(operator: OperatorFunction, patterns: &[Expr]) -> Option<(TextTest, bool)> {
    use OperatorFunction as F;
    let (anchor, case_sensitive, negated) = match operator {
        F::Contains => (Anchor::Anywhere, false, false),
        F::ContainsCs => (Anchor::Anywhere, true, false),
        F::NotContains => (Anchor::Anywhere, false, true),
        F::NotContainsCs => (Anchor::Anywhere, true, true),
        F::StartsWith => (Anchor::Start, false, false),
        F::StartsWithCs => (Anchor::Start, true, false),
        F::NotStartsWith => (Anchor::Start, false, true),
        F::NotStartsWithCs => (Anchor::Start, true, true),
        F::EndsWith => (Anchor::End, false, false),
        F::EndsWithCs => (Anchor::End, true, false),
        F::NotEndsWith => (Anchor::End, false, true),
        F::NotEndsWithCs => (Anchor::End, true, true),
        F::Equal => (Anchor::Whole, true, false),
        F::NotEqual => (Anchor::Whole, true, true),
        F::EqualIgnoreCase => (Anchor::Whole, false, false),
        F::NotEqualIgnoreCase => (Anchor::Whole, false, true),
        F::MatchesRegex => {
            let [pattern] = patterns else { return None };
            let (needles, anchor) = needed::plain_texts(constant(pattern)?)?;
            return Some((TextTest::new(needles.iter().map(String::as_str), true, anchor)?, false));
        }
        _ => return None,
    };
    let [pattern] = patterns else { return None };
    Some((TextTest::new([constant(pattern)?], case_sensitive, anchor)?, negated))
}

/// A test that every text passes for which the condition may hold, where the condition itself is none.
pub fn hint(condition: &Expr) -> Option<(usize, TextTest)> {
    use OperatorFunction as F;
    let ExprKind::Call { function: FunctionId::Operator(operator), arguments } = &condition.kind else {
        return None;
    };
    let [text, patterns @ ..] = &arguments[..] else { return None };
    let ExprKind::Column(column) = text.kind else { return None };
    if text.ty != Type::String {
        return None;
    }
    let texts = || constants(patterns).filter(|texts| texts.len() <= HINT_NEEDLES_MAX);
    let test = match operator {
        F::Has | F::HasPrefix | F::HasSuffix | F::HasAny => TextTest::new(texts()?, false, Anchor::Anywhere),
        F::HasCs | F::HasPrefixCs | F::HasSuffixCs => TextTest::new(texts()?, true, Anchor::Anywhere),
        F::HasAll => {
            TextTest::new(texts()?.into_iter().max_by_key(|text| text.len()), false, Anchor::Anywhere)
        }
        F::In => TextTest::new(texts()?, true, Anchor::Whole),
        F::InIgnoreCase => TextTest::new(texts()?, false, Anchor::Whole),
        F::MatchesRegex => {
            let [pattern] = patterns else { return None };
            let (needle, anchor) = needed::needle(constant(pattern)?)?;
            TextTest::new([needle.as_str()], true, anchor)
        }
        _ => None,
    };
    Some((column, test?))
}

/// The texts of a list, arrays opened.
fn constants(patterns: &[Expr]) -> Option<Vec<&str>> {
    let mut texts = Vec::new();
    for pattern in patterns {
        match &pattern.kind {
            ExprKind::Constant(Value::String(text)) => texts.push(text.as_str()),
            ExprKind::Constant(Value::Dynamic(Dynamic::Array(members))) => {
                for member in members {
                    let Dynamic::String(text) = member else { return None };
                    texts.push(text.as_str());
                }
            }
            _ => return None,
        }
    }
    Some(texts)
}

fn constant(pattern: &Expr) -> Option<&str> {
    match &pattern.kind {
        ExprKind::Constant(Value::String(pattern)) => Some(pattern),
        _ => None,
    }
}

/// A search in the text of a dynamic column.
fn dynamic_fact(function: FunctionId, text: &Expr, patterns: &[Expr]) -> Option<(usize, TextFact)> {
    use OperatorFunction as F;
    let column = dynamic_column(text)?;
    let (FunctionId::Operator(operator), [pattern]) = (function, patterns) else { return None };
    let (kind, case_sensitive, negated) = match operator {
        F::Contains => (TermMatch::Anywhere, false, false),
        F::ContainsCs => (TermMatch::Anywhere, true, false),
        F::NotContains => (TermMatch::Anywhere, false, true),
        F::NotContainsCs => (TermMatch::Anywhere, true, true),
        F::Has => (TermMatch::Whole, false, false),
        F::HasCs => (TermMatch::Whole, true, false),
        F::NotHas => (TermMatch::Whole, false, true),
        F::NotHasCs => (TermMatch::Whole, true, true),
        F::HasPrefix => (TermMatch::Prefix, false, false),
        F::HasPrefixCs => (TermMatch::Prefix, true, false),
        F::NotHasPrefix => (TermMatch::Prefix, false, true),
        F::NotHasPrefixCs => (TermMatch::Prefix, true, true),
        F::HasSuffix => (TermMatch::Suffix, false, false),
        F::HasSuffixCs => (TermMatch::Suffix, true, false),
        F::NotHasSuffix => (TermMatch::Suffix, false, true),
        F::NotHasSuffixCs => (TermMatch::Suffix, true, true),
        _ => return None,
    };
    let ExprKind::Constant(Value::String(pattern)) = &pattern.kind else { return None };
    if pattern.is_empty() {
        return None;
    }
    let finder = Box::new(TermFinder::new(pattern, case_sensitive, kind));
    let fact =
        TextFact::InDynamic { finder, pattern: pattern.clone(), search: (kind, case_sensitive), negated };
    Some((column, fact))
}

/// The dynamic column that an expression is the text of.
pub fn dynamic_column(text: &Expr) -> Option<usize> {
    let ExprKind::Call { function: FunctionId::Conversion(ConversionFunction::ToString), arguments } =
        &text.kind
    else {
        return None;
    };
    match &arguments[..] {
        [Expr { kind: ExprKind::Column(column), ty: Type::Dynamic }] => Some(*column),
        _ => None,
    }
}

impl TextFact {
    /// Whether both are always equal.
    pub fn is_same(&self, other: &TextFact) -> bool {
        match (self, other) {
            (TextFact::Characters, TextFact::Characters) | (TextFact::Bytes, TextFact::Bytes) => true,
            (TextFact::IsEmpty(this), TextFact::IsEmpty(other)) => this == other,
            (TextFact::Fits { test, negated }, TextFact::Fits { test: other, negated: other_negated }) => {
                (test, negated) == (other, other_negated)
            }
            (
                TextFact::InDynamic { pattern, search, negated, .. },
                TextFact::InDynamic { pattern: other, search: other_search, negated: other_negated, .. },
            ) => (pattern, search, negated) == (other, other_search, other_negated),
            _ => false,
        }
    }

    /// Whether the texts themselves must be unpacked for it.
    pub fn reads_texts(&self) -> bool {
        matches!(self, TextFact::Fits { .. } | TextFact::InDynamic { .. })
    }

    /// `None`: it is not about the texts of a string column.
    pub fn question(&self) -> Option<TextQuestion<'_>> {
        match self {
            TextFact::Characters => Some(TextQuestion::Characters),
            TextFact::Bytes | TextFact::IsEmpty(_) => Some(TextQuestion::Bytes),
            TextFact::Fits { test, .. } => Some(TextQuestion::Fits(test)),
            TextFact::InDynamic { .. } => None,
        }
    }

    /// The column of the fact.
    pub fn of_answer(&self, answer: TextAnswer) -> ArrayRef {
        match (self, answer) {
            (TextFact::IsEmpty(wanted), TextAnswer::Lengths(lengths)) => {
                let found = |row: usize| (lengths[row] == 0) == *wanted;
                Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(lengths.len(), found), None))
            }
            (
                TextFact::Fits { negated: true, .. } | TextFact::InDynamic { negated: true, .. },
                TextAnswer::Found(found),
            ) => Arc::new(BooleanArray::new(!&found, None)),
            (_, TextAnswer::Lengths(lengths)) => Arc::new(Int64Array::from(lengths)),
            (_, TextAnswer::Found(found)) => Arc::new(BooleanArray::new(found, None)),
        }
    }
}
