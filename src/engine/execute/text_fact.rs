//! Functions of one text column, or of a dynamic one as text, that storage answers without an array of the texts: `strlen`, `isempty`,
//! `contains` with a constant, and their like.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array};
use conshelf_kql::function::{
    ConditionalFunction, ConversionFunction, FunctionId, OperatorFunction, StringFunction,
};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Type, Value};
use conshelf_storage::terms::{TermFinder, TermMatch};
use conshelf_storage::{TextAnswer, TextQuestion};

/// Something about a text.
pub enum TextFact {
    Characters,
    Bytes,
    IsEmpty(bool),
    Contains {
        finder: Box<TermFinder>,
        pattern: String,
        case_sensitive: bool,
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
        (FunctionId::Operator(operator), [pattern]) => {
            let (case_sensitive, negated) = match operator {
                OperatorFunction::Contains => (false, false),
                OperatorFunction::ContainsCs => (true, false),
                OperatorFunction::NotContains => (false, true),
                OperatorFunction::NotContainsCs => (true, true),
                _ => return None,
            };
            let ExprKind::Constant(Value::String(pattern)) = &pattern.kind else { return None };
            let finder = Box::new(TermFinder::new(pattern, case_sensitive, TermMatch::Anywhere));
            if !finder.searches_bytes() {
                return None;
            }
            TextFact::Contains { finder, pattern: pattern.clone(), case_sensitive, negated }
        }
        _ => return None,
    };
    Some((column, fact))
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
            (
                TextFact::Contains { pattern, case_sensitive, negated, .. },
                TextFact::Contains {
                    pattern: other, case_sensitive: other_case, negated: other_negated, ..
                },
            ) => (pattern, case_sensitive, negated) == (other, other_case, other_negated),
            (
                TextFact::InDynamic { pattern, search, negated, .. },
                TextFact::InDynamic { pattern: other, search: other_search, negated: other_negated, .. },
            ) => (pattern, search, negated) == (other, other_search, other_negated),
            _ => false,
        }
    }

    /// Whether the texts themselves must be unpacked for it.
    pub fn reads_texts(&self) -> bool {
        matches!(self, TextFact::Contains { .. } | TextFact::InDynamic { .. })
    }

    pub fn question(&self) -> TextQuestion<'_> {
        match self {
            TextFact::Characters => TextQuestion::Characters,
            TextFact::Bytes | TextFact::IsEmpty(_) => TextQuestion::Bytes,
            TextFact::Contains { finder, .. } | TextFact::InDynamic { finder, .. } => {
                TextQuestion::Has(finder)
            }
        }
    }

    /// The column of the fact.
    pub fn of_answer(&self, answer: TextAnswer) -> ArrayRef {
        match (self, answer) {
            (TextFact::IsEmpty(wanted), TextAnswer::Lengths(lengths)) => {
                let found: BooleanArray =
                    lengths.iter().map(|length| Some((*length == 0) == *wanted)).collect();
                Arc::new(found)
            }
            (
                TextFact::Contains { negated: true, .. } | TextFact::InDynamic { negated: true, .. },
                TextAnswer::Found(found),
            ) => Arc::new(BooleanArray::new(!&found, None)),
            (_, TextAnswer::Lengths(lengths)) => Arc::new(Int64Array::from(lengths)),
            (_, TextAnswer::Found(found)) => Arc::new(BooleanArray::new(found, None)),
        }
    }
}
