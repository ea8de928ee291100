//! Columns of constants of the plan.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
    StringViewArray,
};
use conshelf_kql::{Dynamic, Type, Value};
use conshelf_storage::dynamic::DynamicBuilder;

use crate::engine::error::Result;
use crate::engine::literal::write_dynamic;

/// One array of a type from constants of that type (a constant of another type counts as null).
pub fn array_of<'a>(ty: Type, values: impl Iterator<Item = &'a Value>) -> Result<ArrayRef> {
    Ok(match ty {
        Type::Bool => Arc::new(
            values
                .map(|value| if let Value::Bool(value) = value { Some(*value) } else { None })
                .collect::<BooleanArray>(),
        ),
        Type::Int => Arc::new(
            values
                .map(|value| if let Value::Int(value) = value { Some(*value) } else { None })
                .collect::<Int32Array>(),
        ),
        Type::Long | Type::DateTime | Type::TimeSpan => Arc::new(
            values
                .map(|value| match value {
                    Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => Some(*value),
                    Value::Int(value) => Some(i64::from(*value)),
                    _ => None,
                })
                .collect::<Int64Array>(),
        ),
        Type::Real => Arc::new(
            values
                .map(|value| if let Value::Real(value) = value { Some(*value) } else { None })
                .collect::<Float64Array>(),
        ),
        Type::Decimal | Type::Guid => {
            let bytes = values.map(|value| match value {
                Value::Decimal(value) => Some(value.to_bytes()),
                Value::Guid(value) => Some(*value),
                _ => None,
            });
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16)?)
        }
        Type::String => Arc::new(StringViewArray::from_iter_values(values.map(|value| match value {
            Value::String(value) => value.as_str(),
            _ => "",
        }))),
        Type::Dynamic => {
            let mut builder = DynamicBuilder::new();
            Arc::new(
                values
                    .map(|value| match value {
                        Value::Dynamic(Dynamic::Null) => None,
                        Value::Dynamic(value) => {
                            write_dynamic(value, &mut builder);
                            Some(builder.finish())
                        }
                        _ => None,
                    })
                    .collect::<BinaryViewArray>(),
            )
        }
    })
}
