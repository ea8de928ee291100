//! `and`, `or` and `not` of true, false and null: `false and null` is false, `true or null` is true, every
//! other mixture with null is null.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::argument;
use crate::engine::kernel::{Datum, KernelCall};

fn truths(datum: &Datum, rows: usize) -> Result<BooleanArray> {
    let (array, constant) = datum.parts();
    let truths = array
        .as_boolean_opt()
        .ok_or_else(|| EngineError::Internal(format!("a condition is held as {}", array.data_type())))?;
    if !constant {
        return Ok(truths.clone());
    }
    Ok(if truths.is_null(0) {
        BooleanArray::new_null(rows)
    } else if truths.value(0) {
        BooleanArray::new(BooleanBuffer::new_set(rows), None)
    } else {
        BooleanArray::new(BooleanBuffer::new_unset(rows), None)
    })
}

/// Rows that are true, rows that are false.
fn sides(truths: &BooleanArray) -> (BooleanBuffer, BooleanBuffer) {
    match truths.nulls() {
        None => (truths.values().clone(), !truths.values()),
        Some(nulls) => (truths.values() & nulls.inner(), &!truths.values() & nulls.inner()),
    }
}

/// The conjunction.
pub fn both(left: &BooleanArray, right: &BooleanArray) -> BooleanArray {
    if left.null_count() == 0 && right.null_count() == 0 {
        return BooleanArray::new(left.values() & right.values(), None);
    }
    let ((left_true, left_false), (right_true, right_false)) = (sides(left), sides(right));
    let holds = &left_true & &right_true;
    let fails = &left_false | &right_false;
    let known = NullBuffer::new(&holds | &fails);
    BooleanArray::new(holds, Some(known))
}

/// The disjunction.
pub fn either(left: &BooleanArray, right: &BooleanArray) -> BooleanArray {
    if left.null_count() == 0 && right.null_count() == 0 {
        return BooleanArray::new(left.values() | right.values(), None);
    }
    let ((left_true, left_false), (right_true, right_false)) = (sides(left), sides(right));
    let holds = &left_true | &right_true;
    let fails = &left_false & &right_false;
    let known = NullBuffer::new(&holds | &fails);
    BooleanArray::new(holds, Some(known))
}

/// The negation; null stays null.
pub fn opposite(truths: &BooleanArray) -> BooleanArray {
    BooleanArray::new(!truths.values(), truths.nulls().cloned())
}

pub fn and(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = truths(argument(arguments, 0)?, call.rows)?;
    let right = truths(argument(arguments, 1)?, call.rows)?;
    Ok(Arc::new(both(&left, &right)))
}

pub fn or(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let left = truths(argument(arguments, 0)?, call.rows)?;
    let right = truths(argument(arguments, 1)?, call.rows)?;
    Ok(Arc::new(either(&left, &right)))
}

pub fn not(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    Ok(Arc::new(opposite(&truths(argument(arguments, 0)?, call.rows)?)))
}
