//! Constant values: what literals mean and what folding yields.
//!
//! Datetimes are 100 ns ticks since 0001-01-01T00:00:00Z, timespans signed 100 ns ticks.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::types::Type;

/// A scalar constant. Strings are never null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Null(Type),
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    Decimal(Decimal),
    DateTime(i64),
    TimeSpan(i64),
    String(String),
    /// Bytes in the order of the text form.
    Guid([u8; 16]),
    Dynamic(Dynamic),
}

impl Value {
    pub fn ty(&self) -> Type {
        match self {
            Value::Null(ty) => *ty,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Long(_) => Type::Long,
            Value::Real(_) => Type::Real,
            Value::Decimal(_) => Type::Decimal,
            Value::DateTime(_) => Type::DateTime,
            Value::TimeSpan(_) => Type::TimeSpan,
            Value::String(_) => Type::String,
            Value::Guid(_) => Type::Guid,
            Value::Dynamic(_) => Type::Dynamic,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null(_) | Value::Dynamic(Dynamic::Null))
    }
}

/// A dynamic constant. Objects keep the order of their keys; scalars inside keep their type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Dynamic {
    Null,
    Bool(bool),
    Long(i64),
    Real(f64),
    Decimal(Decimal),
    DateTime(i64),
    TimeSpan(i64),
    String(String),
    Guid([u8; 16]),
    Array(Vec<Dynamic>),
    Object(Vec<(String, Dynamic)>),
}
