//! Small operations on whole columns: absent columns, changed types, flat strings, concatenation.
//!
//! Knows the ten types and their arrays, not where the rows come from.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, FixedSizeBinaryArray, Float64Array, Int64Array, StringViewArray,
    new_null_array,
};
use arrow_schema::DataType;

use crate::dynamic::{DynamicBuilder, DynamicRef};
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

/// A column of one type as another one: numbers widen, everything becomes dynamic or text without loss,
/// other pairs are empty (as in Kusto, where a changed column type leaves old rows null).
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
        (_, ColumnType::Dynamic) => {
            let mut builder = BinaryViewBuilder::with_capacity(array.len());
            let mut value = DynamicBuilder::new();
            for row in 0..array.len() {
                if array.is_valid(row) && write_dynamic(array, from, row, &mut value) {
                    value.finish_with(|bytes| builder.append_value(bytes));
                } else {
                    builder.append_null();
                }
            }
            Arc::new(builder.finish())
        }
        (_, ColumnType::String) => {
            let mut builder = StringViewBuilder::with_capacity(array.len());
            let mut value = DynamicBuilder::new();
            let mut text = String::new();
            for row in 0..array.len() {
                text.clear();
                if array.is_valid(row) && write_dynamic(array, from, row, &mut value) {
                    value.finish_with(|bytes| DynamicRef::new(bytes).to_text(&mut text));
                }
                builder.append_value(&text);
            }
            Arc::new(builder.finish())
        }
        _ => absent(to, array.len()),
    }
}

/// Writes the value of a row that is not null; `false`: it is an empty string, which stands for no value.
fn write_dynamic(array: &ArrayRef, ty: ColumnType, row: usize, out: &mut DynamicBuilder) -> bool {
    match ty {
        ColumnType::Bool => out.bool(array.as_boolean().value(row)),
        ColumnType::Int => out.long(array.as_primitive::<Int32Type>().value(row).into()),
        ColumnType::Long => out.long(array.as_primitive::<Int64Type>().value(row)),
        ColumnType::DateTime => out.datetime(array.as_primitive::<Int64Type>().value(row)),
        ColumnType::TimeSpan => out.timespan(array.as_primitive::<Int64Type>().value(row)),
        ColumnType::Real => out.real(array.as_primitive::<Float64Type>().value(row)),
        ColumnType::Guid | ColumnType::Decimal => {
            let bytes: [u8; 16] = array.as_fixed_size_binary().value(row).try_into().unwrap_or_default();
            match ty {
                ColumnType::Guid => out.guid(bytes),
                _ => out.decimal(bytes, &decimal_text(bytes)),
            }
        }
        ColumnType::String => {
            let text = match array.as_dictionary_opt::<UInt32Type>() {
                Some(codes) => codes.keys().value(row) as usize,
                None => row,
            };
            let values = array.as_dictionary_opt::<UInt32Type>().map_or(array, |codes| codes.values());
            let text = values.as_string_view().value(text);
            if text.is_empty() {
                return false;
            }
            out.string(text);
        }
        ColumnType::Dynamic => out.value(DynamicRef::new(array.as_binary_view().value(row))),
    }
    true
}

/// The digits of a decimal's canonical bytes: big-endian, coefficient above 14 bits of exponent + 8192.
fn decimal_text(bytes: [u8; 16]) -> String {
    let packed = i128::from_be_bytes(bytes);
    let (coefficient, exponent) = (packed >> 14, (packed & 16_383) as i32 - 8192);
    let digits = coefficient.unsigned_abs().to_string();
    let sign = if coefficient < 0 { "-" } else { "" };
    match usize::try_from(exponent) {
        Ok(zeros) => format!("{sign}{digits}{}", "0".repeat(zeros)),
        Err(_) => {
            let scale = exponent.unsigned_abs() as usize;
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
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

/// The same values in little memory: views that keep much more alive than they show are copied out.
pub fn compact(array: &ArrayRef) -> ArrayRef {
    const SLACK_BYTES: u64 = 64 << 10;
    let wasteful = |buffers: &[arrow_buffer::Buffer]| {
        let held: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        held as u64 > 2 * crate::row_store::array_bytes(array) + SLACK_BYTES
    };
    match array.data_type() {
        DataType::Utf8View if wasteful(array.as_string_view().data_buffers()) => {
            Arc::new(array.as_string_view().gc())
        }
        DataType::BinaryView if wasteful(array.as_binary_view().data_buffers()) => {
            Arc::new(array.as_binary_view().gc())
        }
        _ => array.clone(),
    }
}

/// An Arrow failure as ours. Arrow only fails here when arrays contradict each other.
pub fn arrow_error(error: arrow_schema::ArrowError) -> StorageError {
    StorageError::Invalid(format!("columns do not fit together: {error}"))
}
