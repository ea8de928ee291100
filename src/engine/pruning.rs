//! From a condition of the plan to what storage can prune by.
//!
//! Conservative: where the translated predicate is false for a row, the condition is not true for it. A
//! translation is *exact* when both are true for the same rows; only then may statistics replace reading.

use std::cmp::Ordering;

use conshelf_kql::function::{ConditionalFunction, ConversionFunction, FunctionId, OperatorFunction};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Dynamic, Type, Value};
use conshelf_storage::statistics::compare_literals;
use conshelf_storage::{ColumnStatistics, ColumnType, Comparison, Literal, Predicate, terms};

use crate::engine::execute::path::path_of;
use crate::engine::execute::text_fact::dynamic_column;
use crate::engine::kernel::regular::needed;

/// A column of the scanned table: its stable id and type.
pub type ScanColumn = (u32, ColumnType);

/// A predicate and whether it says all that the condition says.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    pub predicate: Predicate,
    pub exact: bool,
}

/// What storage can use of a condition over the given columns; `None`: nothing.
pub fn translate(condition: &Expr, columns: &[ScanColumn]) -> Option<Translation> {
    if let Some(emptiness) = emptiness(condition, columns) {
        return Some(emptiness);
    }
    let ExprKind::Call { function: FunctionId::Operator(function), arguments } = &condition.kind else {
        return match (&condition.kind, condition.ty) {
            (ExprKind::Column(_), Type::Bool) => {
                let (column, ty) = column_of(condition, columns)?;
                exact(Predicate::Compare {
                    column,
                    ty,
                    operator: Comparison::Equal,
                    value: Literal::Bool(true),
                })
            }
            (ExprKind::Constant(Value::Bool(true)), _) => exact(Predicate::And(Vec::new())),
            (ExprKind::Constant(_), Type::Bool) => exact(Predicate::Or(Vec::new())),
            _ => None,
        };
    };
    use OperatorFunction as F;
    match (function, &arguments[..]) {
        (F::And, parts) => {
            let translated: Vec<Option<Translation>> =
                parts.iter().map(|part| translate(part, columns)).collect();
            let exact = translated.iter().all(|part| part.as_ref().is_some_and(|part| part.exact));
            let parts: Vec<Predicate> = translated.into_iter().flatten().map(|part| part.predicate).collect();
            (!parts.is_empty()).then_some(Translation { predicate: Predicate::And(parts), exact })
        }
        (F::Or, parts) => {
            let translated: Vec<Translation> =
                parts.iter().map(|part| translate(part, columns)).collect::<Option<_>>()?;
            let exact = translated.iter().all(|part| part.exact);
            let parts = translated.into_iter().map(|part| part.predicate).collect();
            Some(Translation { predicate: Predicate::Or(parts), exact })
        }
        (
            F::Equal | F::NotEqual | F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual,
            [left, right],
        ) => {
            let operator = comparison(*function)?;
            compare(left, operator, right, columns)
                .or_else(|| compare(right, mirrored(operator), left, columns))
                .or_else(|| path_equals(left, operator, right, columns))
                .or_else(|| path_equals(right, operator, left, columns))
        }
        (F::Between, [value, low, high]) => {
            let low = compare(value, Comparison::GreaterOrEqual, low, columns)?;
            let high = compare(value, Comparison::LessOrEqual, high, columns)?;
            let exact = low.exact && high.exact;
            Some(Translation { predicate: Predicate::And(vec![low.predicate, high.predicate]), exact })
        }
        (F::In, [value, others @ ..]) => {
            let (column, ty) = column_of(value, columns)?;
            let values = members(ty, others)?;
            Some(Translation { predicate: Predicate::In { column, ty, values }, exact: false })
        }
        (F::InIgnoreCase, [value, others @ ..]) => {
            let (column, ty) = column_of(value, columns)?;
            let same = members(ty, others)?
                .into_iter()
                .map(|value| match value {
                    Literal::String(value) => Some(Predicate::EqualIgnoreCase { column, value }),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>()?;
            inexact(Predicate::Or(same))
        }
        (F::EqualIgnoreCase, [text, pattern]) => {
            let (column, value) = text_test(text, pattern, columns)?;
            inexact(Predicate::EqualIgnoreCase { column, value })
        }
        (searched, [text, pattern]) if is_search(*searched) && dynamic_column(text).is_some() => {
            dynamic_terms(*function, text, pattern, columns)
        }
        (searched, [text, pattern]) if is_search(*searched) && is_integer_text(text, columns) => {
            let ExprKind::Constant(Value::String(pattern)) = &pattern.kind else { return None };
            let never = pattern.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'-');
            if never { exact(Predicate::Or(Vec::new())) } else { None }
        }
        (F::Has | F::HasCs, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            has(column, &pattern)
                .map(|found| Translation { exact: found.exact && *function == F::Has, ..found })
        }
        (F::NotHas, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            single_term(column, &pattern)
                .map(|part| Translation { predicate: Predicate::Not(Box::new(part)), exact: true })
        }
        (F::HasAny, [text, patterns @ ..]) => {
            let (column, ty) = column_of(text, columns).filter(|(_, ty)| *ty == ColumnType::String)?;
            let any = members(ty, patterns)?
                .into_iter()
                .map(|pattern| match pattern {
                    Literal::String(pattern) => has(column, &pattern),
                    _ => None,
                })
                .collect::<Option<Vec<Translation>>>()?;
            let exact = no_nulls(patterns) && any.iter().all(|part| part.exact);
            let any = any.into_iter().map(|part| part.predicate).collect();
            Some(Translation { predicate: Predicate::Or(any), exact })
        }
        (F::HasAll, [text, patterns @ ..]) => {
            let (column, ty) = column_of(text, columns).filter(|(_, ty)| *ty == ColumnType::String)?;
            let all: Vec<Option<Translation>> = members(ty, patterns)?
                .into_iter()
                .map(|pattern| match pattern {
                    Literal::String(pattern) => has(column, &pattern),
                    _ => None,
                })
                .collect();
            let exact = no_nulls(patterns)
                && !all.is_empty()
                && all.iter().all(|part| part.as_ref().is_some_and(|part| part.exact));
            let all = all.into_iter().flatten().map(|part| part.predicate).collect();
            Some(Translation { predicate: Predicate::And(all), exact })
        }
        (F::HasPrefix | F::HasPrefixCs, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            some_terms(column, &pattern, true, false, true)
        }
        (F::HasSuffix | F::HasSuffixCs, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            some_terms(column, &pattern, false, true, false)
        }
        (F::StartsWith | F::StartsWithCs, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            some_terms(column, &pattern, true, false, true)
        }
        (F::EndsWith | F::EndsWithCs, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            some_terms(column, &pattern, false, true, false)
        }
        (F::Contains | F::ContainsCs, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            some_terms(column, &pattern, false, false, false)
        }
        (F::MatchesRegex, [text, pattern]) => {
            let (column, pattern) = text_test(text, pattern, columns)?;
            matches_regex(column, &pattern)
        }
        _ => None,
    }
}

/// Whether a text column is empty, or not.
fn emptiness(condition: &Expr, columns: &[ScanColumn]) -> Option<Translation> {
    let ExprKind::Call { function: FunctionId::Conditional(function), arguments } = &condition.kind else {
        return None;
    };
    let operator = match function {
        ConditionalFunction::IsEmpty => Comparison::Equal,
        ConditionalFunction::IsNotEmpty => Comparison::Greater,
        _ => return None,
    };
    let (column, ty) = column_of(arguments.first()?, columns).filter(|(_, ty)| *ty == ColumnType::String)?;
    exact(Predicate::Compare { column, ty, operator, value: Literal::String(String::new()) })
}

/// Whether it looks for something inside a text.
fn is_search(function: OperatorFunction) -> bool {
    use OperatorFunction as F;
    matches!(
        function,
        F::Has
            | F::HasCs
            | F::HasPrefix
            | F::HasPrefixCs
            | F::HasSuffix
            | F::HasSuffixCs
            | F::Contains
            | F::ContainsCs
    )
}

/// Whether an expression is the text of an integer column: digits, perhaps behind a minus.
fn is_integer_text(text: &Expr, columns: &[ScanColumn]) -> bool {
    match &text.kind {
        ExprKind::Call { function: FunctionId::Conversion(ConversionFunction::ToString), arguments } => {
            matches!(&arguments[..], [inner] if matches!(
                column_of(inner, columns),
                Some((_, ColumnType::Int | ColumnType::Long))
            ))
        }
        _ => false,
    }
}

/// The terms inside the literals that every match has.
fn matches_regex(column: u32, pattern: &str) -> Option<Translation> {
    let mut any = Vec::new();
    for texts in needed::folded_texts(pattern)? {
        let parts = texts.iter().filter_map(|text| some_terms(column, text, false, false, false));
        let parts: Vec<Predicate> = parts.map(|part| part.predicate).collect();
        if parts.is_empty() {
            return None;
        }
        any.push(Predicate::And(parts));
    }
    inexact(Predicate::Or(any))
}

/// Whether an exact predicate holds for every row that has these statistics. `None` for a column: unknown.
pub fn always_true(predicate: &Predicate, statistics: &dyn Fn(u32) -> Option<ColumnStatistics>) -> bool {
    match predicate {
        Predicate::And(parts) => parts.iter().all(|part| always_true(part, statistics)),
        Predicate::Or(parts) => parts.iter().any(|part| always_true(part, statistics)),
        Predicate::Compare { column, operator, value, .. } => {
            let Some(known) = statistics(*column) else { return false };
            let (Some(min), Some(max)) = (&known.min, &known.max) else { return false };
            if known.nulls > 0 || known.nans > 0 {
                return false;
            }
            let (low, high) = (compare_literals(min, value), compare_literals(max, value));
            match operator {
                Comparison::Equal => low == Some(Ordering::Equal) && high == Some(Ordering::Equal),
                Comparison::NotEqual => low == Some(Ordering::Greater) || high == Some(Ordering::Less),
                Comparison::Less => high == Some(Ordering::Less),
                Comparison::LessOrEqual => matches!(high, Some(Ordering::Less | Ordering::Equal)),
                Comparison::Greater => low == Some(Ordering::Greater),
                Comparison::GreaterOrEqual => matches!(low, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
        _ => false,
    }
}

fn exact(predicate: Predicate) -> Option<Translation> {
    Some(Translation { predicate, exact: true })
}

fn inexact(predicate: Predicate) -> Option<Translation> {
    Some(Translation { predicate, exact: false })
}

fn comparison(function: OperatorFunction) -> Option<Comparison> {
    Some(match function {
        OperatorFunction::Equal => Comparison::Equal,
        OperatorFunction::NotEqual => Comparison::NotEqual,
        OperatorFunction::Less => Comparison::Less,
        OperatorFunction::LessOrEqual => Comparison::LessOrEqual,
        OperatorFunction::Greater => Comparison::Greater,
        OperatorFunction::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn mirrored(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
    }
}

/// The column an expression is, also one that is only widened from int to long.
fn column_of(expression: &Expr, columns: &[ScanColumn]) -> Option<ScanColumn> {
    match &expression.kind {
        ExprKind::Column(position) => columns.get(*position).copied(),
        ExprKind::Call { function: FunctionId::Conversion(ConversionFunction::ToLong), arguments } => {
            match &arguments[..] {
                [inner] if inner.ty == Type::Int => {
                    column_of(inner, columns).filter(|(_, ty)| *ty == ColumnType::Int)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn compare(left: &Expr, operator: Comparison, right: &Expr, columns: &[ScanColumn]) -> Option<Translation> {
    let (column, ty) = column_of(left, columns)?;
    let ExprKind::Constant(value) = &right.kind else { return None };
    let value = literal(ty, value)?;
    // Only what has an order that storage shares: of guids and decimals equality alone. A NaN is unequal to
    // everything, which statistics may count differently.
    let ordered = !matches!(ty, ColumnType::Decimal | ColumnType::Guid | ColumnType::Dynamic);
    if operator == Comparison::NotEqual || (!ordered && operator != Comparison::Equal) {
        return None;
    }
    if matches!(value, Literal::Real(value) if value.is_nan()) {
        return None;
    }
    let is_exact = matches!(
        ty,
        ColumnType::Int | ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan | ColumnType::Bool
    );
    Some(Translation { predicate: Predicate::Compare { column, ty, operator, value }, exact: is_exact })
}

/// A path into a dynamic column, as it is or as text, equals a text: the column has the terms of the text.
fn path_equals(
    path: &Expr,
    operator: Comparison,
    text: &Expr,
    columns: &[ScanColumn],
) -> Option<Translation> {
    if operator != Comparison::Equal {
        return None;
    }
    let text = match &text.kind {
        ExprKind::Constant(Value::String(text) | Value::Dynamic(Dynamic::String(text))) => text,
        _ => return None,
    };
    let path = match &path.kind {
        ExprKind::Call { function: FunctionId::Conversion(ConversionFunction::ToString), arguments } => {
            arguments.first()?
        }
        _ => path,
    };
    let (position, _) = path_of(path)?;
    let (column, _) = columns.get(position).filter(|(_, ty)| *ty == ColumnType::Dynamic)?;
    if !only_a_string(text) {
        return None;
    }
    whole_terms(*column, text)
}

/// The terms that a dynamic value must have for its text to have a pattern. Terms that a number may have in its text
/// are passed over: the engine does not write all of them as storage does.
fn dynamic_terms(
    function: OperatorFunction,
    text: &Expr,
    pattern: &Expr,
    columns: &[ScanColumn],
) -> Option<Translation> {
    use OperatorFunction as F;
    let (column, _) =
        columns.get(dynamic_column(text)?).filter(|(_, ty)| *ty == ColumnType::Dynamic).copied()?;
    let ExprKind::Constant(Value::String(pattern)) = &pattern.kind else { return None };
    let starts = matches!(function, F::Has | F::HasCs | F::HasPrefix | F::HasPrefixCs);
    let ends = matches!(function, F::Has | F::HasCs | F::HasSuffix | F::HasSuffixCs);
    let Predicate::And(parts) = some_terms(column, pattern, starts, ends, false)?.predicate else {
        return None;
    };
    let is_word = |part: &Predicate| match part {
        Predicate::HasTerm { term, .. } => {
            term.contains(|letter: char| letter.is_ascii_alphabetic() && !"abcdefintyz".contains(letter))
        }
        _ => false,
    };
    let parts: Vec<Predicate> = parts.into_iter().filter(is_word).collect();
    if parts.is_empty() { None } else { inexact(Predicate::And(parts)) }
}

/// Whether no value but a string has this text: others begin with a digit, a sign or a bracket, are words, or
/// are guids. Their terms may stand differently in the column.
fn only_a_string(text: &str) -> bool {
    let words = ["true", "false", "null", "nan", "inf", "infinity"];
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.contains(|letter: char| letter.is_ascii_alphabetic() && !letter.is_ascii_hexdigit())
        && !words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn literal(ty: ColumnType, value: &Value) -> Option<Literal> {
    Some(match (ty, value) {
        (ColumnType::Bool, Value::Bool(value)) => Literal::Bool(*value),
        (ColumnType::Int | ColumnType::Long, Value::Int(value)) => Literal::Integer(i64::from(*value)),
        (ColumnType::Int | ColumnType::Long, Value::Long(value)) => Literal::Integer(*value),
        (ColumnType::Real, Value::Real(value)) => Literal::Real(*value),
        (ColumnType::DateTime, Value::DateTime(value)) => Literal::Integer(*value),
        (ColumnType::TimeSpan, Value::TimeSpan(value)) => Literal::Integer(*value),
        (ColumnType::String, Value::String(value)) => Literal::String(value.clone()),
        (ColumnType::Guid, Value::Guid(value)) => Literal::Bytes16(*value),
        (ColumnType::Decimal, Value::Decimal(value)) => Literal::Bytes16(value.to_bytes()),
        _ => return None,
    })
}

/// Constants of a list, dynamic arrays opened.
fn members(ty: ColumnType, list: &[Expr]) -> Option<Vec<Literal>> {
    let mut values = Vec::new();
    for member in list {
        let ExprKind::Constant(value) = &member.kind else { return None };
        match value {
            Value::Dynamic(Dynamic::Array(members)) => {
                for member in members {
                    let value = match (ty, member) {
                        (ColumnType::String, Dynamic::String(value)) => Literal::String(value.clone()),
                        (ColumnType::Int | ColumnType::Long, Dynamic::Long(value)) => {
                            Literal::Integer(*value)
                        }
                        _ => return None,
                    };
                    values.push(value);
                }
            }
            Value::Null(_) => {}
            value => values.push(literal(ty, value)?),
        }
    }
    Some(values)
}

fn no_nulls(list: &[Expr]) -> bool {
    list.iter().all(|member| !matches!(member.kind, ExprKind::Constant(Value::Null(_))))
}

/// A test of a text column against a constant pattern.
fn text_test(text: &Expr, pattern: &Expr, columns: &[ScanColumn]) -> Option<(u32, String)> {
    let (column, _) = column_of(text, columns).filter(|(_, ty)| *ty == ColumnType::String)?;
    match &pattern.kind {
        ExprKind::Constant(Value::String(pattern)) => Some((column, pattern.clone())),
        _ => None,
    }
}

/// The text has the pattern, in whatever case, as `has` asks.
fn has(column: u32, pattern: &str) -> Option<Translation> {
    match single_term(column, pattern) {
        Some(predicate) => exact(predicate),
        None => whole_terms(column, pattern),
    }
}

/// A pattern that is one term of ASCII letters and digits: to have it is to have the term.
fn single_term(column: u32, pattern: &str) -> Option<Predicate> {
    let plain = !pattern.is_empty() && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| Predicate::HasTerm { column, term: pattern.to_ascii_lowercase() })
}

/// The pattern stands between term boundaries: all its terms are whole terms of the text.
fn whole_terms(column: u32, pattern: &str) -> Option<Translation> {
    some_terms(column, pattern, true, true, false)
}

/// The terms of a pattern that a text containing it must have as whole terms: those inside, the first if
/// the pattern starts at a boundary, the last if it ends at one (else perhaps as a prefix).
fn some_terms(
    column: u32,
    pattern: &str,
    starts_at_boundary: bool,
    ends_at_boundary: bool,
    last_is_prefix: bool,
) -> Option<Translation> {
    let found: Vec<String> = terms::terms(pattern).map(|term| terms::fold(term).into_owned()).collect();
    let begins = pattern.chars().next().is_some_and(terms::is_term_character);
    let ends = pattern.chars().next_back().is_some_and(terms::is_term_character);
    let last = found.len().checked_sub(1)?;
    let mut parts = Vec::new();
    for (index, term) in found.into_iter().enumerate() {
        let first_is_open = index == 0 && begins && !starts_at_boundary;
        let last_is_open = index == last && ends && !ends_at_boundary;
        if first_is_open {
            continue;
        }
        if !last_is_open {
            parts.push(Predicate::HasTerm { column, term });
        } else if last_is_prefix {
            parts.push(Predicate::HasTermPrefix { column, prefix: term });
        }
    }
    match parts.len() {
        0 => None,
        _ => inexact(Predicate::And(parts)),
    }
}
