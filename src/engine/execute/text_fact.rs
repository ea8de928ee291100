//! Functions of one text column that storage answers without an array of the texts: `strlen`, `isempty`,
//! `contains` with a constant, and their like.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array};
use conshelf_kql::function::{ConditionalFunction, FunctionId, OperatorFunction, StringFunction};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Type, Value};
use conshelf_storage::terms::{TermFinder, TermMatch};
use conshelf_storage::{TextAnswer, TextQuestion};

/// Something about a text.
pub enum TextFact {
    Characters,
    Bytes,
    IsEmpty(bool),
    Contains { finder: Box<TermFinder>, pattern: String, case_sensitive: bool, negated: bool },
}

/// The column and the fact, if a call is one.
pub fn text_fact(function: FunctionId, arguments: &[Expr]) -> Option<(usize, TextFact)> {
    let text = arguments.first().filter(|text| text.ty == Type::String)?;
    let ExprKind::Column(column) = text.kind else { return None };
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
            _ => false,
        }
    }

    /// Whether the texts themselves must be unpacked for it.
    pub fn reads_texts(&self) -> bool {
        matches!(self, TextFact::Contains { .. })
    }

    pub fn question(&self) -> TextQuestion<'_> {
        match self {
            TextFact::Characters => TextQuestion::Characters,
            TextFact::Bytes | TextFact::IsEmpty(_) => TextQuestion::Bytes,
            TextFact::Contains { finder, .. } => TextQuestion::Has(finder),
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
            (TextFact::Contains { negated: true, .. }, TextAnswer::Found(found)) => {
                Arc::new(BooleanArray::new(!&found, None))
            }
            (_, TextAnswer::Lengths(lengths)) => Arc::new(Int64Array::from(lengths)),
            (_, TextAnswer::Found(found)) => Arc::new(BooleanArray::new(found, None)),
        }
    }
}
