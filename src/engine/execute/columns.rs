//! Moving whole columns: flatten, repeat, slice, filter, take, join end to end.
//!
//! Knows the arrays of `batch::arrow_type` and dictionaries of strings; knows no operator and no plan.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray, UInt32Array, new_null_array,
};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::{Schema, Type};

use crate::engine::batch::{Batch, arrow_type};
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::Datum;

impl From<arrow_schema::ArrowError> for EngineError {
    fn from(error: arrow_schema::ArrowError) -> EngineError {
        EngineError::Internal(error.to_string())
    }
}

/// The dictionary form of a string column, if it has it.
pub fn as_dictionary(array: &dyn Array) -> Option<&DictionaryArray<UInt32Type>> {
    array.as_any().downcast_ref::<DictionaryArray<UInt32Type>>()
}

/// The column without a dictionary.
pub fn flatten(array: &ArrayRef) -> Result<ArrayRef> {
    match as_dictionary(array) {
        Some(dictionary) => Ok(arrow_select::take::take(dictionary.values(), dictionary.keys(), None)?),
        None => Ok(array.clone()),
    }
}

/// A value for each of `rows` rows; strings that are the same in all rows become a dictionary.
pub fn expand(datum: &Datum, rows: usize) -> Result<ArrayRef> {
    match datum {
        Datum::Array(array) => Ok(array.clone()),
        Datum::Constant(value) => repeat(value, rows),
    }
}

/// The one value of `value`, `rows` times.
pub fn repeat(value: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    if rows == 1 && as_dictionary(value).is_none() {
        return Ok(value.clone());
    }
    let keys = UInt32Array::from(vec![0u32; rows]);
    if value.as_any().is::<StringViewArray>() {
        return Ok(Arc::new(DictionaryArray::try_new(keys, value.clone())?));
    }
    if value.null_count() > 0 {
        return Ok(new_null_array(value.data_type(), rows));
    }
    if let Some(value) = value.as_any().downcast_ref::<Int64Array>() {
        return Ok(Arc::new(Int64Array::from_value(value.value(0), rows)));
    }
    Ok(arrow_select::take::take(value, &keys, None)?)
}

/// `rows` nulls of a type (for strings: empty texts).
pub fn nulls(ty: Type, rows: usize) -> ArrayRef {
    match ty {
        Type::String => Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n("", rows))),
        _ => new_null_array(&arrow_type(ty), rows),
    }
}

/// A batch of no rows with the columns of a schema.
pub fn empty(schema: &Schema) -> Batch {
    Batch::new(schema.iter().map(|column| nulls(column.ty, 0)).collect(), 0)
}

/// The conditions as a selection: null does not select.
pub fn selection(condition: &BooleanArray) -> BooleanBuffer {
    match condition.nulls() {
        Some(nulls) => condition.values() & nulls.inner(),
        None => condition.values().clone(),
    }
}

/// A boolean column as such.
pub fn booleans(array: &ArrayRef) -> Result<&BooleanArray> {
    array
        .as_any()
        .downcast_ref::<BooleanArray>()
        .ok_or_else(|| EngineError::Internal(String::from("a condition is not boolean")))
}

/// The selected rows of a batch.
pub fn filter(batch: &Batch, selected: &BooleanBuffer) -> Result<Batch> {
    let count = selected.count_set_bits();
    if count == batch.rows {
        return Ok(batch.clone());
    }
    let mask = BooleanArray::new(selected.clone(), None);
    let mut builder = arrow_select::filter::FilterBuilder::new(&mask);
    if batch.columns.len() > 1 {
        builder = builder.optimize();
    }
    let predicate = builder.build();
    let columns =
        batch.columns.iter().map(|column| Ok(predicate.filter(column)?)).collect::<Result<Vec<_>>>()?;
    Ok(Batch::new(columns, count))
}

/// The selected values of one column.
pub fn filter_column(column: &ArrayRef, selected: &BooleanBuffer) -> Result<ArrayRef> {
    Ok(arrow_select::filter::filter(column, &BooleanArray::new(selected.clone(), None))?)
}

/// The bits of the selected rows.
pub fn filter_buffer(bits: &BooleanBuffer, selected: &BooleanBuffer) -> BooleanBuffer {
    selected.set_indices().map(|row| bits.value(row)).collect()
}

/// The rows at the given positions.
pub fn take(batch: &Batch, rows: &UInt32Array) -> Result<Batch> {
    let columns = batch.columns.iter().map(|column| take_column(column, rows)).collect::<Result<_>>()?;
    Ok(Batch::new(columns, rows.len()))
}

/// The values at the given positions; a null position yields null (for strings: the empty text).
pub fn take_column(column: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef> {
    let taken = arrow_select::take::take(column, rows, None)?;
    if rows.null_count() > 0 { strings_without_nulls(taken) } else { Ok(taken) }
}

/// Replaces nulls that a join or padding brought into a string column by empty texts.
pub fn strings_without_nulls(column: ArrayRef) -> Result<ArrayRef> {
    if column.null_count() == 0 {
        return Ok(column);
    }
    let flat = match as_dictionary(&column) {
        Some(_) => flatten(&column)?,
        None => column,
    };
    match flat.as_any().downcast_ref::<StringViewArray>() {
        Some(texts) => {
            let views: Vec<u128> = match texts.nulls() {
                Some(nulls) => texts
                    .views()
                    .iter()
                    .zip(nulls.iter())
                    .map(|(view, valid)| if valid { *view } else { 0 })
                    .collect(),
                None => texts.views().to_vec(),
            };
            Ok(Arc::new(StringViewArray::try_new(views.into(), texts.data_buffers().clone(), None)?))
        }
        None => Ok(flat),
    }
}

/// Rows `offset .. offset + rows`.
pub fn slice(batch: &Batch, offset: usize, rows: usize) -> Batch {
    if offset == 0 && rows == batch.rows {
        return batch.clone();
    }
    Batch::new(batch.columns.iter().map(|column| column.slice(offset, rows)).collect(), rows)
}

/// Batches end to end. `schema` gives the columns when there is no batch.
pub fn concat(batches: &[Batch], schema: &Schema) -> Result<Batch> {
    match batches {
        [] => Ok(empty(schema)),
        [one] => Ok(one.clone()),
        _ => {
            let rows = batches.iter().map(|batch| batch.rows).sum();
            let columns = (0..schema.len())
                .map(|index| {
                    let parts: Vec<&ArrayRef> = batches.iter().map(|batch| &batch.columns[index]).collect();
                    concat_column(&parts)
                })
                .collect::<Result<_>>()?;
            Ok(Batch::new(columns, rows))
        }
    }
}

/// One column's parts end to end: dictionaries stay only when all parts share one.
pub fn concat_column(parts: &[&ArrayRef]) -> Result<ArrayRef> {
    if let [one] = parts {
        return Ok((*one).clone());
    }
    let first = parts.first().and_then(|part| as_dictionary(*part));
    if let Some(first) = first {
        let shared = parts
            .iter()
            .all(|part| as_dictionary(*part).is_some_and(|d| Arc::ptr_eq(d.values(), first.values())));
        if shared {
            let keys: Vec<&dyn Array> = parts
                .iter()
                .filter_map(|part| as_dictionary(*part))
                .map(|d| d.keys() as &dyn Array)
                .collect();
            let keys = arrow_select::concat::concat(&keys)?;
            let keys = keys.as_primitive::<UInt32Type>().clone();
            return Ok(Arc::new(DictionaryArray::try_new(keys, first.values().clone())?));
        }
    }
    let flat = parts.iter().map(|part| flatten(part)).collect::<Result<Vec<_>>>()?;
    let flat: Vec<&dyn Array> = flat.iter().map(|part| part.as_ref()).collect();
    Ok(arrow_select::concat::concat(&flat)?)
}

/// Copies texts out of buffers they fill only a small part of, so that a few rows do not keep many alive.
pub fn compact(batch: Batch) -> Batch {
    let Batch { columns, rows } = batch;
    let columns = columns
        .into_iter()
        .map(|column| match column.data_type() {
            arrow_schema::DataType::Utf8View => {
                let texts = column.as_string_view();
                let held: usize = texts.data_buffers().iter().map(|buffer| buffer.len()).sum();
                if held > 4096 && held > 4 * texts.total_buffer_bytes_used() {
                    Arc::new(texts.gc()) as ArrayRef
                } else {
                    column
                }
            }
            arrow_schema::DataType::BinaryView => {
                let values = column.as_binary_view();
                let held: usize = values.data_buffers().iter().map(|buffer| buffer.len()).sum();
                if held > 4096 && held > 4 * values.total_buffer_bytes_used() {
                    Arc::new(values.gc()) as ArrayRef
                } else {
                    column
                }
            }
            arrow_schema::DataType::Dictionary(_, _) => match as_dictionary(&column) {
                Some(dictionary) if dictionary.values().len() > 64 + 4 * dictionary.len() => {
                    flatten(&column).unwrap_or(column)
                }
                _ => column,
            },
            _ => column,
        })
        .collect();
    Batch { columns, rows }
}

/// Bytes that holding on to a batch costs: its own rows, not what slices share.
pub fn held_bytes(batch: &Batch) -> u64 {
    batch.columns.iter().map(column_bytes).sum()
}

fn column_bytes(column: &ArrayRef) -> u64 {
    let rows = column.len();
    let bytes = match column.data_type() {
        arrow_schema::DataType::Boolean => rows / 8 + 1,
        arrow_schema::DataType::Int32 => rows * 4,
        arrow_schema::DataType::Utf8View => rows * 16 + column.as_string_view().total_buffer_bytes_used(),
        arrow_schema::DataType::BinaryView => rows * 16 + column.as_binary_view().total_buffer_bytes_used(),
        arrow_schema::DataType::FixedSizeBinary(_) => rows * 16,
        arrow_schema::DataType::Dictionary(_, _) => {
            let values = as_dictionary(column).map_or(0, |d| d.values().len());
            rows * 4 + values.min(rows) * 32
        }
        _ => rows * 8,
    };
    bytes as u64
}

/// The column as 64-bit integers (long, datetime, timespan).
pub fn longs(column: &ArrayRef) -> Result<&Int64Array> {
    typed(column, "a 64-bit integer")
}

/// The column as 32-bit integers.
pub fn ints(column: &ArrayRef) -> Result<&Int32Array> {
    typed(column, "a 32-bit integer")
}

/// The column as reals.
pub fn reals(column: &ArrayRef) -> Result<&Float64Array> {
    typed(column, "a real")
}

/// The column as flat texts.
pub fn texts(column: &ArrayRef) -> Result<&StringViewArray> {
    typed(column, "text")
}

/// The column as dynamic values.
pub fn dynamics(column: &ArrayRef) -> Result<&BinaryViewArray> {
    typed(column, "dynamic")
}

/// The column as 16-byte values (decimal, guid).
pub fn bytes16(column: &ArrayRef) -> Result<&FixedSizeBinaryArray> {
    typed(column, "of 16 bytes")
}

fn typed<'a, A: Array + 'static>(column: &'a ArrayRef, what: &str) -> Result<&'a A> {
    column
        .as_any()
        .downcast_ref::<A>()
        .ok_or_else(|| EngineError::Internal(format!("a column of {} is not {what}", column.data_type())))
}
