//! Comparisons of two values of one type (reference: null-values, numerical-operators).
//!
//! `==` and `!=` of a value with null are false and true, of two nulls null; the other relations give null
//! with any null. Reals compare as IEEE 754 numbers: NaN differs from everything, itself included. Texts,
//! guids and bools compare by their bytes.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, StringViewArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use conshelf_kql::Type;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Bools, Bytes16, Dynamics, Numbers, Texts, argument};
use crate::engine::kernel::operator::{arithmetic, logic};
use crate::engine::kernel::{Datum, KernelCall};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    /// Whether it holds between values in that order.
    fn admits(self, order: Ordering) -> bool {
        match self {
            Relation::Equal => order == Ordering::Equal,
            Relation::NotEqual => order != Ordering::Equal,
            Relation::Less => order == Ordering::Less,
            Relation::LessOrEqual => order != Ordering::Greater,
            Relation::Greater => order == Ordering::Greater,
            Relation::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

pub fn kernel(relation: Relation, call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let ty = match call.argument_types {
        [left, right] if left == right => *left,
        types => return Err(EngineError::Internal(format!("no comparison of {types:?}"))),
    };
    Ok(Arc::new(compare(relation, ty, argument(arguments, 0)?, argument(arguments, 1)?, call.rows)?))
}

/// Compares the values of each row, both of that type.
pub fn compare(
    relation: Relation,
    ty: Type,
    left: &Datum,
    right: &Datum,
    rows: usize,
) -> Result<BooleanArray> {
    let holds = match ty {
        Type::Int => compare_numbers::<Int32Type>(relation, left, right, rows)?,
        Type::Long | Type::DateTime | Type::TimeSpan => {
            compare_numbers::<Int64Type>(relation, left, right, rows)?
        }
        Type::Real => compare_numbers::<Float64Type>(relation, left, right, rows)?,
        Type::String => return compare_texts(relation, left, right, rows),
        Type::Bool => {
            let (left, right) = (Bools::new(left)?, Bools::new(right)?);
            BooleanBuffer::collect_bool(rows, |row| relation.admits(left.get(row).cmp(&right.get(row))))
        }
        Type::Guid => {
            let (left, right) = (Bytes16::new(left)?, Bytes16::new(right)?);
            BooleanBuffer::collect_bool(rows, |row| relation.admits(left.get(row).cmp(&right.get(row))))
        }
        Type::Decimal => {
            let (left, right) = (Bytes16::new(left)?, Bytes16::new(right)?);
            BooleanBuffer::collect_bool(rows, |row| {
                relation.admits(left.decimal(row).cmp(&right.decimal(row)))
            })
        }
        Type::Dynamic => return compare_dynamics(relation, left, right, rows),
    };
    Ok(with_nulls(relation, holds, left, right, rows))
}

/// The validity of an argument's rows; `None`: all valid.
fn validity(datum: &Datum, rows: usize) -> Option<BooleanBuffer> {
    let (array, constant) = datum.parts();
    if constant {
        return array.is_null(0).then(|| BooleanBuffer::new_unset(rows));
    }
    array.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().clone())
}

fn with_nulls(
    relation: Relation,
    holds: BooleanBuffer,
    left: &Datum,
    right: &Datum,
    rows: usize,
) -> BooleanArray {
    let (left, right) = match (validity(left, rows), validity(right, rows)) {
        (None, None) => return BooleanArray::new(holds, None),
        (left, right) => (
            left.unwrap_or_else(|| BooleanBuffer::new_set(rows)),
            right.unwrap_or_else(|| BooleanBuffer::new_set(rows)),
        ),
    };
    let both = &left & &right;
    match relation {
        Relation::Equal => BooleanArray::new(&holds & &both, Some(NullBuffer::new(&left | &right))),
        Relation::NotEqual => {
            let one = &left ^ &right;
            BooleanArray::new(&(&holds & &both) | &one, Some(NullBuffer::new(&left | &right)))
        }
        _ => BooleanArray::new(holds, Some(NullBuffer::new(both))),
    }
}

fn compare_numbers<T: ArrowPrimitiveType>(
    relation: Relation,
    left: &Datum,
    right: &Datum,
    rows: usize,
) -> Result<BooleanBuffer>
where
    T::Native: PartialOrd,
{
    let (left, right) = (Numbers::<T>::new(left)?, Numbers::<T>::new(right)?);
    Ok(match relation {
        Relation::Equal => test_numbers(&left, &right, rows, |a, b| a == b),
        Relation::NotEqual => test_numbers(&left, &right, rows, |a, b| a != b),
        Relation::Less => test_numbers(&left, &right, rows, |a, b| a < b),
        Relation::LessOrEqual => test_numbers(&left, &right, rows, |a, b| a <= b),
        Relation::Greater => test_numbers(&left, &right, rows, |a, b| a > b),
        Relation::GreaterOrEqual => test_numbers(&left, &right, rows, |a, b| a >= b),
    })
}

#[inline]
fn test_numbers<T: ArrowPrimitiveType>(
    left: &Numbers<'_, T>,
    right: &Numbers<'_, T>,
    rows: usize,
    test: impl Fn(T::Native, T::Native) -> bool,
) -> BooleanBuffer {
    match (left.constant(), right.constant()) {
        (None, None) => {
            let (left, right) = (&left.values()[..rows], &right.values()[..rows]);
            BooleanBuffer::collect_bool(rows, |row| test(left[row], right[row]))
        }
        (None, Some(_)) => {
            let (left, right) = (&left.values()[..rows], right.raw(0));
            BooleanBuffer::collect_bool(rows, |row| test(left[row], right))
        }
        (Some(_), None) => {
            let (left, right) = (left.raw(0), &right.values()[..rows]);
            BooleanBuffer::collect_bool(rows, |row| test(left, right[row]))
        }
        (Some(_), Some(_)) => {
            let (left, right) = (left.raw(0), right.raw(0));
            BooleanBuffer::collect_bool(rows, |_| test(left, right))
        }
    }
}

fn compare_texts(relation: Relation, left: &Datum, right: &Datum, rows: usize) -> Result<BooleanArray> {
    let (left, right) = (Texts::new(left)?, Texts::new(right)?);
    let equality = matches!(relation, Relation::Equal | Relation::NotEqual);
    let holds = if equality && let (Some(_), None) = (left.constant(), right.constant()) {
        equal_to_constant(right.array(), left.array(), relation, rows)
    } else if equality && let (None, Some(_)) = (left.constant(), right.constant()) {
        equal_to_constant(left.array(), right.array(), relation, rows)
    } else if equality {
        let wanted = relation == Relation::Equal;
        BooleanBuffer::collect_bool(rows, |row| (left.get(row) == right.get(row)) == wanted)
    } else {
        BooleanBuffer::collect_bool(rows, |row| relation.admits(left.get(row).cmp(right.get(row))))
    };
    Ok(BooleanArray::new(holds, None))
}

/// Compares views first: a short text is all in its view, of a long one the length and first bytes are.
fn equal_to_constant(
    column: &StringViewArray,
    constant: &StringViewArray,
    relation: Relation,
    rows: usize,
) -> BooleanBuffer {
    const INLINE: usize = 12;
    let wanted = relation == Relation::Equal;
    let text = if constant.is_null(0) { "" } else { constant.value(0) };
    if column.null_count() > 0 {
        let equal = |row| if column.is_null(row) { text.is_empty() } else { column.value(row) == text };
        return BooleanBuffer::collect_bool(rows, |row| equal(row) == wanted);
    }
    let views = &column.views()[..rows];
    let view = if text.is_empty() { 0 } else { constant.views()[0] };
    if text.len() <= INLINE {
        return BooleanBuffer::collect_bool(rows, |row| (views[row] == view) == wanted);
    }
    let head = view as u64;
    BooleanBuffer::collect_bool(rows, |row| {
        (views[row] as u64 == head && column.value(row) == text) == wanted
    })
}

fn compare_dynamics(relation: Relation, left: &Datum, right: &Datum, rows: usize) -> Result<BooleanArray> {
    let (left, right) = (Dynamics::new(left)?, Dynamics::new(right)?);
    let holds = (0..rows).map(|row| {
        let (left, right) = (left.get(row), right.get(row));
        match (relation, left.is_null(), right.is_null()) {
            (_, true, true) => None,
            (Relation::Equal, true, false) | (Relation::Equal, false, true) => Some(false),
            (Relation::NotEqual, true, false) | (Relation::NotEqual, false, true) => Some(true),
            (_, false, false) => Some(relation.admits(conshelf_storage::dynamic::compare(left, right))),
            _ => None,
        }
    });
    Ok(holds.collect())
}

/// `value between (from .. to)`, both ends included; the end of a datetime's interval may be its length.
pub fn between(call: &KernelCall<'_>, arguments: &[Datum], negated: bool) -> Result<ArrayRef> {
    let (value, from, to) = (argument(arguments, 0)?, argument(arguments, 1)?, argument(arguments, 2)?);
    let ty = call.argument_types.first().copied().unwrap_or(Type::Dynamic);
    let constant = matches!((from, to), (Datum::Constant(_), Datum::Constant(_)));
    let end = if let [Type::DateTime, Type::DateTime, Type::TimeSpan] = call.argument_types {
        let shifted = KernelCall {
            rows: if constant { 1 } else { call.rows },
            argument_types: &[Type::DateTime, Type::TimeSpan],
            return_type: Type::DateTime,
            query: call.query,
        };
        let sum = arithmetic::add(&shifted, &[from.clone(), to.clone()])?;
        let nulls = crate::engine::kernel::access::union_of_nulls([from, to], shifted.rows);
        let sum = match (nulls, sum.as_primitive_opt::<Int64Type>()) {
            (Some(nulls), Some(sum)) => {
                let union = NullBuffer::union(sum.nulls(), Some(&nulls));
                Arc::new(arrow_array::Int64Array::new(sum.values().clone(), union))
            }
            _ => sum,
        };
        if constant { Datum::Constant(sum) } else { Datum::Array(sum) }
    } else {
        to.clone()
    };
    let above = compare(Relation::GreaterOrEqual, ty, value, from, call.rows)?;
    let below = compare(Relation::LessOrEqual, ty, value, &end, call.rows)?;
    let inside = logic::both(&above, &below);
    Ok(Arc::new(if negated { logic::opposite(&inside) } else { inside }))
}
