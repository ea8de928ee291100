//! Parts of dynamic values: `bag.name`, `bag["name"]`, `array[index]`. What is not there is null.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::{Array, ArrayRef, BinaryViewArray, new_null_array};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use conshelf_storage::DynamicRef;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Longs, Texts, argument};
use crate::engine::kernel::{Datum, KernelCall};
use crate::engine::literal::repeat;

/// Views up to this long hold their bytes themselves.
const INLINE_BYTES: usize = 12;

/// A part of each value, in the buffers of the whole ones.
fn parts<'a>(
    values: &'a BinaryViewArray,
    part: impl Fn(usize, DynamicRef<'a>) -> Option<DynamicRef<'a>>,
) -> Result<ArrayRef> {
    let mut views: Vec<u128> = Vec::with_capacity(values.len());
    let mut valid: Vec<bool> = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        let whole: &[u8] = if values.is_null(row) { DynamicRef::NULL.bytes() } else { values.value(row) };
        let found = part(row, DynamicRef::new(whole)).filter(|found| !found.is_null());
        valid.push(found.is_some());
        views.push(match found {
            None => 0,
            Some(found) if found.bytes().len() <= INLINE_BYTES => make_view(found.bytes(), 0, 0),
            Some(found) => {
                // The view of the whole value says where its bytes are: buffer, then offset.
                let view = values.views()[row];
                let inside = (found.bytes().as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
                make_view(found.bytes(), (view >> 64) as u32, (view >> 96) as u32 + inside as u32)
            }
        });
    }
    let buffers = values.data_buffers().to_vec();
    let array = BinaryViewArray::try_new(views.into(), buffers, Some(NullBuffer::from(valid)))
        .map_err(|error| EngineError::Internal(error.to_string()))?;
    Ok(Arc::new(array))
}

fn dynamic_values(datum: &Datum, rows: usize) -> Result<ArrayRef> {
    match datum {
        Datum::Array(array) => Ok(array.clone()),
        Datum::Constant(array) => repeat(array, rows),
    }
}

fn binary_views(array: &ArrayRef) -> Result<&BinaryViewArray> {
    use arrow_array::cast::AsArray;
    array
        .as_binary_view_opt()
        .ok_or_else(|| EngineError::Internal(format!("dynamic values are held as {}", array.data_type())))
}

/// The property of one name of every value.
pub fn members(array: &ArrayRef, name: &str) -> Result<ArrayRef> {
    let values = binary_views(array)?;
    if values.null_count() == values.len() {
        return Ok(new_null_array(&DataType::BinaryView, values.len()));
    }
    parts(values, |_, value| value.get(name))
}

pub fn member(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = dynamic_values(argument(arguments, 0)?, call.rows)?;
    let names = Texts::new(argument(arguments, 1)?)?;
    parts(binary_views(&bags)?, |row, value| value.get(names.get(row)))
}

pub fn element(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = dynamic_values(argument(arguments, 0)?, call.rows)?;
    let indexes = Longs::new(argument(arguments, 1)?)?;
    parts(binary_views(&arrays)?, |row, value| value.at(indexes.get(row)?))
}
