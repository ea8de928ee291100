//! Typed, row-wise access to arguments, and loops that build results from it.
//!
//! A constant argument answers the same value for every row, so that kernels write one loop; hot kernels
//! look at `constant()` first. Texts are never null: an absent one is empty.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray,
    StringViewArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use conshelf_storage::DynamicRef;

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::Datum;

fn wrong_type(expected: &str, found: &ArrayRef) -> EngineError {
    EngineError::Internal(format!("a kernel expected {expected} and was given {}", found.data_type()))
}

/// The argument at a position.
pub fn argument(arguments: &[Datum], position: usize) -> Result<&Datum> {
    arguments
        .get(position)
        .ok_or_else(|| EngineError::Internal(format!("a kernel misses its argument {position}")))
}

/// A column of texts.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    array: &'a StringViewArray,
    constant: bool,
}

impl<'a> Texts<'a> {
    pub fn new(datum: &'a Datum) -> Result<Texts<'a>> {
        let (array, constant) = datum.parts();
        let texts = array.as_string_view_opt().ok_or_else(|| wrong_type("texts", array))?;
        Ok(Texts { array: texts, constant })
    }

    #[inline]
    pub fn get(&self, row: usize) -> &'a str {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) { "" } else { self.array.value(row) }
    }

    /// The value, if it is the same for all rows.
    pub fn constant(&self) -> Option<&'a str> {
        self.constant.then(|| self.get(0))
    }

    pub fn array(&self) -> &'a StringViewArray {
        self.array
    }
}

/// A column of fixed-width numbers: int, long, real, datetime, timespan.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a, T: ArrowPrimitiveType> {
    values: &'a [T::Native],
    nulls: Option<&'a NullBuffer>,
    constant: bool,
}

/// Longs, datetimes and timespans.
pub type Longs<'a> = Numbers<'a, Int64Type>;
pub type Ints<'a> = Numbers<'a, Int32Type>;
pub type Reals<'a> = Numbers<'a, Float64Type>;

impl<'a, T: ArrowPrimitiveType> Numbers<'a, T> {
    pub fn new(datum: &'a Datum) -> Result<Numbers<'a, T>> {
        let (array, constant) = datum.parts();
        let numbers = array.as_primitive_opt::<T>().ok_or_else(|| wrong_type("numbers", array))?;
        Ok(Numbers { values: numbers.values(), nulls: numbers.nulls(), constant })
    }

    /// The value of a row; anything where it is null.
    #[inline]
    pub fn raw(&self, row: usize) -> T::Native {
        self.values[if self.constant { 0 } else { row }]
    }

    #[inline]
    pub fn get(&self, row: usize) -> Option<T::Native> {
        let row = if self.constant { 0 } else { row };
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.values[row]),
        }
    }

    /// `Some(None)`: null for all rows.
    pub fn constant(&self) -> Option<Option<T::Native>> {
        self.constant.then(|| self.get(0))
    }

    /// Values of the rows; one value when constant.
    pub fn values(&self) -> &'a [T::Native] {
        self.values
    }
}

/// A column of truth values.
#[derive(Clone, Copy, Debug)]
pub struct Bools<'a> {
    array: &'a BooleanArray,
    constant: bool,
}

impl<'a> Bools<'a> {
    pub fn new(datum: &'a Datum) -> Result<Bools<'a>> {
        let (array, constant) = datum.parts();
        let array = array.as_boolean_opt().ok_or_else(|| wrong_type("truth values", array))?;
        Ok(Bools { array, constant })
    }

    #[inline]
    pub fn get(&self, row: usize) -> Option<bool> {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) { None } else { Some(self.array.value(row)) }
    }

    pub fn constant(&self) -> Option<Option<bool>> {
        self.constant.then(|| self.get(0))
    }
}

/// A column of guids or decimals.
#[derive(Clone, Copy, Debug)]
pub struct Bytes16<'a> {
    array: &'a FixedSizeBinaryArray,
    constant: bool,
}

impl<'a> Bytes16<'a> {
    pub fn new(datum: &'a Datum) -> Result<Bytes16<'a>> {
        let (array, constant) = datum.parts();
        match array.as_any().downcast_ref::<FixedSizeBinaryArray>() {
            Some(fixed) if fixed.value_length() == 16 => Ok(Bytes16 { array: fixed, constant }),
            _ => Err(wrong_type("16-byte values", array)),
        }
    }

    #[inline]
    pub fn get(&self, row: usize) -> Option<[u8; 16]> {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) { None } else { self.array.value(row).try_into().ok() }
    }

    pub fn decimal(&self, row: usize) -> Option<conshelf_kql::Decimal> {
        self.get(row).map(conshelf_kql::Decimal::from_bytes)
    }
}

/// A column of dynamic values; a null slot is the null value.
#[derive(Clone, Copy, Debug)]
pub struct Dynamics<'a> {
    array: &'a BinaryViewArray,
    constant: bool,
}

impl<'a> Dynamics<'a> {
    pub fn new(datum: &'a Datum) -> Result<Dynamics<'a>> {
        let (array, constant) = datum.parts();
        let array = array.as_binary_view_opt().ok_or_else(|| wrong_type("dynamic values", array))?;
        Ok(Dynamics { array, constant })
    }

    #[inline]
    pub fn get(&self, row: usize) -> DynamicRef<'a> {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) { DynamicRef::NULL } else { DynamicRef::new(self.array.value(row)) }
    }

    pub fn constant(&self) -> Option<DynamicRef<'a>> {
        self.constant.then(|| self.get(0))
    }
}

/// Applies a function to every number, nulls included: the caller masks them.
pub fn map_numbers<A, R>(datum: &Datum, f: impl Fn(A::Native) -> R::Native) -> Result<ArrayRef>
where
    A: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
{
    let numbers = Numbers::<A>::new(datum)?;
    let values: ScalarBuffer<R::Native> =
        numbers.values.iter().map(|value| f(*value)).collect::<Vec<_>>().into();
    Ok(Arc::new(PrimitiveArray::<R>::new(values, numbers.nulls.cloned())))
}

/// Applies a function to every row's numbers; `None` is null. Nulls of the arguments give null.
pub fn try_map_numbers<A, R>(
    datum: &Datum,
    rows: usize,
    f: impl Fn(A::Native) -> Option<R::Native>,
) -> Result<ArrayRef>
where
    A: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
{
    let numbers = Numbers::<A>::new(datum)?;
    Ok(Arc::new((0..rows).map(|row| numbers.get(row).and_then(&f)).collect::<PrimitiveArray<R>>()))
}

/// Applies a function to the numbers of each row, nulls included: the caller masks them.
pub fn zip_numbers<A, B, R>(
    left: &Datum,
    right: &Datum,
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> R::Native,
) -> Result<ArrayRef>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
{
    let left = Numbers::<A>::new(left)?;
    let right = Numbers::<B>::new(right)?;
    let values: Vec<R::Native> = match (left.constant, right.constant) {
        (false, false) => left.values.iter().zip(right.values).map(|(a, b)| f(*a, *b)).collect(),
        (false, true) => {
            let b = right.raw(0);
            left.values.iter().map(|a| f(*a, b)).collect()
        }
        (true, false) => {
            let a = left.raw(0);
            right.values.iter().map(|b| f(a, *b)).collect()
        }
        (true, true) => vec![f(left.raw(0), right.raw(0)); rows],
    };
    Ok(Arc::new(PrimitiveArray::<R>::new(values.into(), None)))
}

/// Like [`zip_numbers`] where the function may give null; nulls of the arguments give null.
pub fn try_zip_numbers<A, B, R>(
    left: &Datum,
    right: &Datum,
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> Option<R::Native>,
) -> Result<ArrayRef>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
{
    let left = Numbers::<A>::new(left)?;
    let right = Numbers::<B>::new(right)?;
    let value = |row| f(left.get(row)?, right.get(row)?);
    Ok(Arc::new((0..rows).map(value).collect::<PrimitiveArray<R>>()))
}

/// A truth value for every row.
pub fn bools(rows: usize, f: impl FnMut(usize) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(rows, f), None))
}

/// A truth value or null for every row.
pub fn nullable_bools(rows: usize, f: impl Fn(usize) -> Option<bool>) -> ArrayRef {
    Arc::new((0..rows).map(f).collect::<BooleanArray>())
}

/// A number or null for every row.
pub fn numbers<R: ArrowPrimitiveType>(rows: usize, f: impl FnMut(usize) -> Option<R::Native>) -> ArrayRef {
    Arc::new((0..rows).map(f).collect::<PrimitiveArray<R>>())
}

/// 16 bytes or null for every row.
pub fn bytes16(rows: usize, mut f: impl FnMut(usize) -> Option<[u8; 16]>) -> Result<ArrayRef> {
    let mut values = Vec::with_capacity(rows * 16);
    let mut valid = Vec::with_capacity(rows);
    for row in 0..rows {
        let value = f(row);
        values.extend_from_slice(&value.unwrap_or_default());
        valid.push(value.is_some());
    }
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    let array = FixedSizeBinaryArray::try_new(16, values.into(), nulls);
    Ok(Arc::new(array.map_err(|error| EngineError::Internal(error.to_string()))?))
}

/// A decimal or null for every row.
pub fn decimals(rows: usize, mut f: impl FnMut(usize) -> Option<conshelf_kql::Decimal>) -> Result<ArrayRef> {
    bytes16(rows, |row| f(row).map(conshelf_kql::Decimal::to_bytes))
}

/// A text for every row: the function appends it to the (empty) string it is given.
pub fn texts(rows: usize, mut f: impl FnMut(usize, &mut String)) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(rows);
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        f(row, &mut text);
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}

/// A text for every row, cut out of what is there already.
pub fn borrowed_texts<'a>(rows: usize, mut f: impl FnMut(usize) -> &'a str) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(rows);
    for row in 0..rows {
        builder.append_value(f(row));
    }
    Arc::new(builder.finish())
}

/// A dynamic value for every row: the function builds it; nothing built is null.
pub fn dynamics(
    rows: usize,
    mut f: impl FnMut(usize, &mut conshelf_storage::DynamicBuilder) -> bool,
) -> ArrayRef {
    let mut values = arrow_array::builder::BinaryViewBuilder::with_capacity(rows);
    let mut builder = conshelf_storage::DynamicBuilder::new();
    for row in 0..rows {
        if f(row, &mut builder) {
            builder.finish_with(|bytes| values.append_value(bytes));
        } else {
            builder.clear();
            values.append_null();
        }
    }
    Arc::new(values.finish())
}

/// Rows where any of the arguments is null; texts never are. `None`: nowhere.
pub fn union_of_nulls<'a>(arguments: impl IntoIterator<Item = &'a Datum>, rows: usize) -> Option<NullBuffer> {
    let mut union: Option<NullBuffer> = None;
    for datum in arguments {
        let (array, constant) = datum.parts();
        if array.as_string_view_opt().is_some() {
            continue;
        }
        if constant {
            if array.is_null(0) {
                return Some(NullBuffer::new_null(rows));
            }
        } else if array.null_count() > 0 {
            union = NullBuffer::union(union.as_ref(), array.nulls());
        }
    }
    union
}
