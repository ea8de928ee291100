//! Literals of the text to constant values.

use crate::ast::{DynamicLiteral, LiteralValue, TypeKeyword};
use crate::decimal::Decimal;
use crate::types::Type;
use crate::value::{Dynamic, Value};

use super::null_of;

/// The type a type keyword stands for; `None` for an unknown word.
pub(super) fn type_of(keyword: TypeKeyword) -> Option<Type> {
    Some(match keyword {
        TypeKeyword::Bool => Type::Bool,
        TypeKeyword::Int => Type::Int,
        TypeKeyword::Long => Type::Long,
        TypeKeyword::Real => Type::Real,
        TypeKeyword::Decimal => Type::Decimal,
        TypeKeyword::Datetime => Type::DateTime,
        TypeKeyword::Timespan => Type::TimeSpan,
        TypeKeyword::String => Type::String,
        TypeKeyword::Guid => Type::Guid,
        TypeKeyword::Dynamic => Type::Dynamic,
        TypeKeyword::Unknown => return None,
    })
}

/// The value of a literal. A text that its type cannot take is null, as the engine has it.
pub(super) fn value_of(literal: &LiteralValue) -> Value {
    match literal {
        LiteralValue::Bool(flag) => Value::Bool(*flag),
        LiteralValue::Int(number) => Value::Int(*number),
        LiteralValue::Long(number) => Value::Long(*number),
        LiteralValue::Real(number) => Value::Real(*number),
        LiteralValue::Decimal(digits) => {
            Decimal::parse(digits).map_or(Value::Null(Type::Decimal), Value::Decimal)
        }
        LiteralValue::String(text) => Value::String(text.value.clone()),
        LiteralValue::Datetime(ticks) => Value::DateTime(*ticks),
        LiteralValue::Timespan(ticks) => Value::TimeSpan(*ticks),
        LiteralValue::Guid(bytes) => Value::Guid(*bytes),
        LiteralValue::Dynamic(literal) => Value::Dynamic(dynamic_of(literal)),
        LiteralValue::Invalid { keyword: TypeKeyword::Datetime, text } => {
            date_of_parts(text).map_or(Value::Null(Type::DateTime), Value::DateTime)
        }
        LiteralValue::Null(keyword) | LiteralValue::Invalid { keyword, .. } => {
            null_of(type_of(*keyword).unwrap_or(Type::Dynamic))
        }
    }
}

/// `2025, 6, 14`: a date written as its parts.
fn date_of_parts(text: &str) -> Option<i64> {
    let mut parts = text.split(',').map(|part| part.trim().parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() { None } else { crate::time::ticks_of_date(year, month, day) }
}

fn dynamic_of(literal: &DynamicLiteral) -> Dynamic {
    match literal {
        DynamicLiteral::Null => Dynamic::Null,
        DynamicLiteral::Array(items) => Dynamic::Array(items.iter().map(dynamic_of).collect()),
        DynamicLiteral::Bag(pairs) => {
            let mut members: Vec<(String, Dynamic)> = Vec::with_capacity(pairs.len());
            for (name, value) in pairs {
                let value = dynamic_of(value);
                // Of equal names the last one counts, at the place of the first.
                match members.iter_mut().find(|(member, _)| member == name) {
                    Some((_, place)) => *place = value,
                    None => members.push((name.clone(), value)),
                }
            }
            Dynamic::Object(members)
        }
        DynamicLiteral::Scalar(literal) => boxed(value_of(literal)),
    }
}

/// A scalar as a dynamic value.
pub(super) fn boxed(value: Value) -> Dynamic {
    match value {
        Value::Null(_) => Dynamic::Null,
        Value::Bool(flag) => Dynamic::Bool(flag),
        Value::Int(number) => Dynamic::Long(i64::from(number)),
        Value::Long(number) => Dynamic::Long(number),
        Value::Real(number) => Dynamic::Real(number),
        Value::Decimal(number) => Dynamic::Decimal(number),
        Value::DateTime(ticks) => Dynamic::DateTime(ticks),
        Value::TimeSpan(ticks) => Dynamic::TimeSpan(ticks),
        Value::String(text) => Dynamic::String(text),
        Value::Guid(bytes) => Dynamic::Guid(bytes),
        Value::Dynamic(dynamic) => dynamic,
    }
}

/// A constant in another type where that is a matter of form: wider numbers, nulls, boxing. `None`: it takes
/// a conversion function.
pub(super) fn converted(value: &Value, ty: Type) -> Option<Value> {
    if value.ty() == ty {
        return Some(value.clone());
    }
    Some(match (value, ty) {
        (Value::Null(_), ty) => null_of(ty),
        (Value::Dynamic(Dynamic::Null), ty) => null_of(ty),
        (value, Type::Dynamic) => Value::Dynamic(boxed(value.clone())),
        (Value::Int(number), Type::Long) => Value::Long(i64::from(*number)),
        (Value::Int(number), Type::Real) => Value::Real(f64::from(*number)),
        (Value::Int(number), Type::Decimal) => Value::Decimal(Decimal::new(i128::from(*number), 0)),
        (Value::Long(number), Type::Int) => Value::Int(i32::try_from(*number).ok()?),
        (Value::Long(number), Type::Real) => Value::Real(*number as f64),
        (Value::Long(number), Type::Decimal) => Value::Decimal(Decimal::new(i128::from(*number), 0)),
        _ => return None,
    })
}
