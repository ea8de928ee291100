//! Parts of dynamic values: `bag.name`, `bag["name"]`, `array[index]`. What is not there is null.

use arrow_array::ArrayRef;
use arrow_array::builder::BinaryViewBuilder;
use conshelf_storage::DynamicRef;
use std::sync::Arc;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Dynamics, Longs, Texts, argument};
use crate::engine::kernel::{Datum, KernelCall};

fn parts<'a>(rows: usize, part: impl Fn(usize) -> Option<DynamicRef<'a>>) -> ArrayRef {
    let mut builder = BinaryViewBuilder::with_capacity(rows);
    for row in 0..rows {
        match part(row) {
            Some(value) if !value.is_null() => builder.append_value(value.bytes()),
            _ => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

pub fn member(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let bags = Dynamics::new(argument(arguments, 0)?)?;
    let names = Texts::new(argument(arguments, 1)?)?;
    Ok(parts(call.rows, |row| bags.get(row).get(names.get(row))))
}

pub fn element(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let arrays = Dynamics::new(argument(arguments, 0)?)?;
    let indexes = Longs::new(argument(arguments, 1)?)?;
    Ok(parts(call.rows, |row| arrays.get(row).at(indexes.get(row)?)))
}
