//! Constants between their three shapes: values of the language, one-row arrays, literals of storage.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array,
    Int64Array, StringViewArray, UInt32Array, new_null_array,
};
use arrow_schema::DataType;
use conshelf_kql::{Decimal, Dynamic, Type, Value};
use conshelf_storage::{ColumnType, DynamicBuilder, DynamicKind, DynamicRef, Literal};

use crate::engine::batch::arrow_type;
use crate::engine::error::{EngineError, Result};

/// A column of nulls; of empty texts for strings.
pub fn null_column(ty: Type, rows: usize) -> ArrayRef {
    match ty {
        Type::String => Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n("", rows))),
        _ => new_null_array(&arrow_type(ty), rows),
    }
}

/// The value as a column of one row.
pub fn value_to_array(value: &Value) -> ArrayRef {
    let sixteen = |bytes: [u8; 16]| -> ArrayRef {
        Arc::new(
            FixedSizeBinaryArray::try_new(16, bytes.to_vec().into(), None)
                .expect("sixteen bytes are one value"),
        )
    };
    match value {
        Value::Null(ty) => null_column(*ty, 1),
        Value::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Value::Int(value) => Arc::new(Int32Array::from(vec![*value])),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => {
            Arc::new(Int64Array::from(vec![*value]))
        }
        Value::Real(value) => Arc::new(Float64Array::from(vec![*value])),
        Value::Decimal(value) => sixteen(value.to_bytes()),
        Value::String(value) => Arc::new(StringViewArray::from_iter_values([value.as_str()])),
        Value::Guid(value) => sixteen(*value),
        Value::Dynamic(Dynamic::Null) => null_column(Type::Dynamic, 1),
        Value::Dynamic(value) => {
            let mut builder = DynamicBuilder::new();
            write_dynamic(value, &mut builder);
            Arc::new(BinaryViewArray::from_iter_values([builder.finish()]))
        }
    }
}

/// Appends the value to the one being built.
pub fn write_dynamic(value: &Dynamic, builder: &mut DynamicBuilder) {
    match value {
        Dynamic::Null => builder.null(),
        Dynamic::Bool(value) => builder.bool(*value),
        Dynamic::Long(value) => builder.long(*value),
        Dynamic::Real(value) => builder.real(*value),
        Dynamic::Decimal(value) => builder.decimal(value.to_bytes(), &value.to_string()),
        Dynamic::DateTime(value) => builder.datetime(*value),
        Dynamic::TimeSpan(value) => builder.timespan(*value),
        Dynamic::String(value) => builder.string(value),
        Dynamic::Guid(value) => builder.guid(*value),
        Dynamic::Array(elements) => {
            builder.begin_array();
            for element in elements {
                write_dynamic(element, builder);
            }
            builder.end_array();
        }
        Dynamic::Object(properties) => {
            builder.begin_object();
            for (key, property) in properties {
                builder.key(key);
                write_dynamic(property, builder);
            }
            builder.end_object();
        }
    }
}

/// The dynamic value as a constant of the language.
pub fn read_dynamic(value: DynamicRef<'_>) -> Dynamic {
    let read = match value.kind() {
        DynamicKind::Null => Some(Dynamic::Null),
        DynamicKind::Bool => value.as_bool().map(Dynamic::Bool),
        DynamicKind::Long => value.as_long().map(Dynamic::Long),
        DynamicKind::Real => value.as_real().map(Dynamic::Real),
        DynamicKind::Decimal => {
            value.as_decimal().map(|(bytes, _)| Dynamic::Decimal(Decimal::from_bytes(bytes)))
        }
        DynamicKind::DateTime => value.as_datetime().map(Dynamic::DateTime),
        DynamicKind::TimeSpan => value.as_timespan().map(Dynamic::TimeSpan),
        DynamicKind::String => value.as_str().map(|text| Dynamic::String(text.to_owned())),
        DynamicKind::Guid => value.as_guid().map(Dynamic::Guid),
        DynamicKind::Array => Some(Dynamic::Array(value.iter_array().map(read_dynamic).collect())),
        DynamicKind::Object => {
            let properties = value.iter_object().map(|(key, part)| (key.to_owned(), read_dynamic(part)));
            Some(Dynamic::Object(properties.collect()))
        }
    };
    read.unwrap_or(Dynamic::Null)
}

/// The value in a row of a column, which may be a dictionary of texts.
pub fn array_to_value(array: &ArrayRef, row: usize, ty: Type) -> Result<Value> {
    if let DataType::Dictionary(_, _) = array.data_type() {
        return array_to_value(&flatten(&array.slice(row, 1))?, 0, ty);
    }
    let mismatch = || EngineError::Internal(format!("a column of {ty} is held as {}", array.data_type()));
    if array.is_null(row) {
        return Ok(match ty {
            Type::String => Value::String(String::new()),
            _ => Value::Null(ty),
        });
    }
    let long = || array.as_primitive_opt::<Int64Type>().map(|longs| longs.value(row));
    let sixteen = || {
        let fixed = array.as_any().downcast_ref::<FixedSizeBinaryArray>()?;
        <[u8; 16]>::try_from(fixed.value(row)).ok()
    };
    let value = match ty {
        Type::Bool => array.as_boolean_opt().map(|bools| Value::Bool(bools.value(row))),
        Type::Int => array.as_primitive_opt::<Int32Type>().map(|ints| Value::Int(ints.value(row))),
        Type::Long => long().map(Value::Long),
        Type::Real => array.as_primitive_opt::<Float64Type>().map(|reals| Value::Real(reals.value(row))),
        Type::Decimal => sixteen().map(|bytes| Value::Decimal(Decimal::from_bytes(bytes))),
        Type::DateTime => long().map(Value::DateTime),
        Type::TimeSpan => long().map(Value::TimeSpan),
        Type::String => array.as_string_view_opt().map(|texts| Value::String(texts.value(row).to_owned())),
        Type::Guid => sixteen().map(Value::Guid),
        Type::Dynamic => array
            .as_binary_view_opt()
            .map(|values| Value::Dynamic(read_dynamic(DynamicRef::new(values.value(row))))),
    };
    value.ok_or_else(mismatch)
}

/// The column without its dictionary, if it has one. Texts are never null afterwards.
pub fn flatten(array: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Dictionary(_, _) = array.data_type() else { return Ok(array.clone()) };
    let dictionary = array.as_any_dictionary();
    let keys: UInt32Array =
        dictionary.normalized_keys().into_iter().map(|key| u32::try_from(key).unwrap_or(0)).collect();
    if dictionary.values().is_empty() {
        return Ok(null_column(Type::String, array.len()));
    }
    let keys = UInt32Array::new(keys.values().clone(), dictionary.keys().nulls().cloned());
    let texts = arrow_select::take::take(dictionary.values(), &keys, None)
        .map_err(|error| EngineError::Internal(error.to_string()))?;
    if texts.null_count() == 0 || *texts.data_type() == DataType::BinaryView {
        return Ok(texts);
    }
    let texts = texts
        .as_string_view_opt()
        .ok_or_else(|| EngineError::Internal(String::from("a dictionary holds something else than texts")))?;
    Ok(Arc::new(StringViewArray::from_iter_values(texts.iter().map(Option::unwrap_or_default))))
}

/// The first value of the column for every one of `rows` rows.
pub fn repeat(array: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    if rows == 1 && array.len() == 1 {
        return Ok(array.clone());
    }
    let first = UInt32Array::from_value(0, rows);
    arrow_select::take::take(array, &first, None).map_err(|error| EngineError::Internal(error.to_string()))
}

/// The storage type of a type of the language.
pub fn column_type(ty: Type) -> ColumnType {
    match ty {
        Type::Bool => ColumnType::Bool,
        Type::Int => ColumnType::Int,
        Type::Long => ColumnType::Long,
        Type::Real => ColumnType::Real,
        Type::Decimal => ColumnType::Decimal,
        Type::DateTime => ColumnType::DateTime,
        Type::TimeSpan => ColumnType::TimeSpan,
        Type::String => ColumnType::String,
        Type::Guid => ColumnType::Guid,
        Type::Dynamic => ColumnType::Dynamic,
    }
}

/// The type of the language of a storage type.
pub fn kusto_type(ty: ColumnType) -> Type {
    match ty {
        ColumnType::Bool => Type::Bool,
        ColumnType::Int => Type::Int,
        ColumnType::Long => Type::Long,
        ColumnType::Real => Type::Real,
        ColumnType::Decimal => Type::Decimal,
        ColumnType::DateTime => Type::DateTime,
        ColumnType::TimeSpan => Type::TimeSpan,
        ColumnType::String => Type::String,
        ColumnType::Guid => Type::Guid,
        ColumnType::Dynamic => Type::Dynamic,
    }
}

/// The constant as storage compares with it; `None` for nulls and dynamic values.
pub fn storage_literal(value: &Value) -> Option<Literal> {
    Some(match value {
        Value::Null(_) | Value::Dynamic(_) => return None,
        Value::Bool(value) => Literal::Bool(*value),
        Value::Int(value) => Literal::Integer(i64::from(*value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Literal::Integer(*value),
        Value::Real(value) => Literal::Real(*value),
        Value::Decimal(value) => Literal::Bytes16(value.to_bytes()),
        Value::String(value) => Literal::String(value.clone()),
        Value::Guid(value) => Literal::Bytes16(*value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_a_column() {
        let bag = Dynamic::Object(vec![
            (String::from("a"), Dynamic::Array(vec![Dynamic::Long(1), Dynamic::Null, Dynamic::Real(2.5)])),
            (String::from("t"), Dynamic::DateTime(5)),
        ]);
        let values = [
            Value::Bool(true),
            Value::Int(-7),
            Value::Long(i64::MAX),
            Value::Real(1.5),
            Value::Decimal(Decimal::new(125, -2)),
            Value::DateTime(1),
            Value::TimeSpan(-1),
            Value::String(String::from("a text longer than twelve bytes")),
            Value::Guid([7; 16]),
            Value::Dynamic(bag),
            Value::Null(Type::Real),
            Value::Null(Type::Dynamic),
        ];
        for value in values {
            let array = value_to_array(&value);
            assert_eq!(array.len(), 1);
            assert_eq!(array_to_value(&array, 0, value.ty()).expect("readable"), value);
            let many = repeat(&array, 3).expect("repeatable");
            assert_eq!(array_to_value(&many, 2, value.ty()).expect("readable"), value);
        }
    }
}
