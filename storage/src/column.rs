//! Small operations on whole columns: absent columns, changed types, flat strings, concatenation.
//!
//! Knows the ten types and their arrays, not where the rows come from.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, FixedSizeBinaryArray, Float64Array, Int64Array, StringViewArray,
    new_null_array,
};
use arrow_schema::DataType;

use crate::error::{Result, StorageError};
use crate::row_store::Chunk;
use crate::types::ColumnType;

/// What a column holds where it has no data: nulls, or empty strings.
pub fn absent(ty: ColumnType, rows: usize) -> ArrayRef {
    match ty {
        ColumnType::String => {
            let views = vec![0u128; rows];
            let empty = StringViewArray::try_new(views.into(), Vec::<arrow_buffer::Buffer>::new(), None);
            Arc::new(
                empty.unwrap_or_else(|_| StringViewArray::from_iter_values(std::iter::repeat_n("", rows))),
            )
        }
        ColumnType::Decimal | ColumnType::Guid => {
            Arc::new(FixedSizeBinaryArray::new_null(16, rows)) as ArrayRef
        }
        _ => new_null_array(&ty.arrow_type(), rows),
    }
}

/// The column of that id in a chunk as a column of type `ty`; absent and unconvertible ones are empty.
pub fn chunk_array(chunk: &Chunk, id: u32, ty: ColumnType) -> Result<ArrayRef> {
    match chunk.column(id) {
        Some(column) => Ok(convert(&column.array, column.ty, ty)),
        None => Ok(absent(ty, chunk.rows)),
    }
}

/// A column of one type as another one: numbers widen, everything else that differs is empty (as in Kusto,
/// where a changed column type leaves old rows null).
pub fn convert(array: &ArrayRef, from: ColumnType, to: ColumnType) -> ArrayRef {
    if from == to {
        return array.clone();
    }
    match (from, to) {
        (ColumnType::Int, ColumnType::Long) => {
            let values = array.as_primitive::<Int32Type>();
            Arc::new(Int64Array::from_iter(values.iter().map(|value| value.map(i64::from))))
        }
        (ColumnType::Int, ColumnType::Real) => {
            let values = array.as_primitive::<Int32Type>();
            Arc::new(Float64Array::from_iter(values.iter().map(|value| value.map(f64::from))))
        }
        (ColumnType::Long, ColumnType::Real) => {
            let values = array.as_primitive::<Int64Type>();
            Arc::new(Float64Array::from_iter(values.iter().map(|value| value.map(|v| v as f64))))
        }
        _ => absent(to, array.len()),
    }
}

/// A string column without a dictionary.
pub fn flatten(array: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Dictionary(_, _) = array.data_type() else { return Ok(array.clone()) };
    let dictionary = array
        .as_dictionary_opt::<UInt32Type>()
        .ok_or_else(|| StorageError::Invalid("a dictionary column has other keys than u32".to_owned()))?;
    arrow_select::take::take(dictionary.values().as_ref(), dictionary.keys(), None).map_err(arrow_error)
}

/// Several columns of one type, one after the other. Views are compacted: the result shares no memory with
/// the request bodies that the parts came from.
pub fn concat(arrays: &[ArrayRef], ty: ColumnType) -> Result<ArrayRef> {
    match ty {
        ColumnType::String => {
            let rows = arrays.iter().map(|array| array.len()).sum();
            let mut builder = StringViewBuilder::with_capacity(rows);
            for array in arrays {
                let flat = flatten(array)?;
                for value in flat.as_string_view().iter() {
                    builder.append_value(value.unwrap_or_default());
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        ColumnType::Dynamic => {
            let rows = arrays.iter().map(|array| array.len()).sum();
            let mut builder = BinaryViewBuilder::with_capacity(rows);
            for array in arrays {
                let values: &BinaryViewArray = array.as_binary_view();
                for value in values.iter() {
                    builder.append_option(value);
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        _ => {
            let parts: Vec<&dyn Array> = arrays.iter().map(|array| array.as_ref()).collect();
            arrow_select::concat::concat(&parts).map_err(arrow_error)
        }
    }
}

/// An Arrow failure as ours. Arrow only fails here when arrays contradict each other.
pub fn arrow_error(error: arrow_schema::ArrowError) -> StorageError {
    StorageError::Invalid(format!("columns do not fit together: {error}"))
}
