//! A column that grows row by row while a batch is decoded.
//!
//! Typed vectors, no object per value. A builder can be cut back to an earlier row (a bad row is undone) and
//! can change its type in place: a value that does not fit either becomes null (strict doors) or widens the
//! column, to real or decimal where every number stays exact, else to dynamic, so that no value is lost.
//! Knows nothing of formats or tables.

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringArray, StringViewArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use conshelf_kql::Decimal;
use conshelf_storage::ColumnType;
use conshelf_storage::dynamic::{DynamicBuilder, DynamicRef, format_real};

use crate::ingest::{coding, text};

/// One decoded value, borrowed from the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer past 64 bits, in digits.
    BigInteger(&'a str),
    Real(f64),
    /// A datetime or timespan.
    Ticks(ColumnType, i64),
    /// A guid or decimal in its column form.
    Fixed(ColumnType, [u8; 16]),
    Text(&'a str),
    /// An object or array: its binary form and its JSON text.
    Nested {
        binary: &'a [u8],
        json: &'a str,
    },
}

/// The value does not fit the column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

/// Variable-length values end to end.
#[derive(Clone, Debug)]
struct Texts {
    bytes: Vec<u8>,
    /// Start of each value, and the end of the last.
    offsets: Vec<i32>,
}

impl Texts {
    fn new() -> Texts {
        Texts { bytes: Vec::new(), offsets: vec![0] }
    }

    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.offsets.push(self.bytes.len() as i32);
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.bytes.truncate(self.offsets[rows] as usize);
    }

    fn get(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

#[derive(Clone, Debug)]
enum Values {
    Bool(Vec<bool>),
    Int(Vec<i32>),
    /// long, datetime, timespan
    Long(Vec<i64>),
    Real(Vec<f64>),
    /// decimal, guid
    Fixed(Vec<[u8; 16]>),
    /// string, dynamic
    Texts(Texts),
}

/// Memory of finished columns that a thread keeps for the next ones: fresh memory would cost more than the copy of the
/// values out of it, which then takes no more than they need.
const SPARE_BYTES_MAX: usize = 16 << 20;
/// How many of them.
const SPARE_COUNT_MAX: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Values>> = const { RefCell::new(Vec::new()) };
}

impl Values {
    fn new(ty: ColumnType) -> Values {
        let values = match ty {
            ColumnType::Bool => Values::Bool(Vec::new()),
            ColumnType::Int => Values::Int(Vec::new()),
            ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => Values::Long(Vec::new()),
            ColumnType::Real => Values::Real(Vec::new()),
            ColumnType::Decimal | ColumnType::Guid => Values::Fixed(Vec::new()),
            ColumnType::String | ColumnType::Dynamic => Values::Texts(Texts::new()),
        };
        let kind = std::mem::discriminant(&values);
        let spare = SPARE.try_with(|spare| {
            let mut spare = spare.try_borrow_mut().ok()?;
            let place = spare.iter().rposition(|values| std::mem::discriminant(values) == kind)?;
            Some(spare.swap_remove(place))
        });
        spare.ok().flatten().unwrap_or(values)
    }

    fn clear(&mut self) {
        match self {
            Values::Bool(values) => values.clear(),
            Values::Int(values) => values.clear(),
            Values::Long(values) => values.clear(),
            Values::Real(values) => values.clear(),
            Values::Fixed(values) => values.clear(),
            Values::Texts(texts) => texts.truncate(0),
        }
    }

    /// Bytes of memory, used or not.
    fn capacity(&self) -> usize {
        match self {
            Values::Bool(values) => values.capacity(),
            Values::Int(values) => values.capacity() * 4,
            Values::Long(values) => values.capacity() * 8,
            Values::Real(values) => values.capacity() * 8,
            Values::Fixed(values) => values.capacity() * 16,
            Values::Texts(texts) => texts.bytes.capacity() + texts.offsets.capacity() * 4,
        }
    }

    /// Keeps the memory for the next column of this thread.
    fn give_back(mut self) {
        self.clear();
        // At the end of a thread there is nothing left to keep it.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.len() < SPARE_COUNT_MAX
                && spare.iter().map(Values::capacity).sum::<usize>() + self.capacity() <= SPARE_BYTES_MAX
            {
                spare.push(self);
            }
        });
    }
}

/// A growing column.
#[derive(Debug)]
pub struct ColumnBuilder {
    ty: ColumnType,
    values: Values,
    /// Present once a null was seen; strings have none.
    validity: Option<BooleanBufferBuilder>,
    rows: usize,
    scratch: DynamicBuilder,
}

impl ColumnBuilder {
    pub fn new(ty: ColumnType) -> ColumnBuilder {
        ColumnBuilder { ty, values: Values::new(ty), validity: None, rows: 0, scratch: DynamicBuilder::new() }
    }

    pub fn ty(&self) -> ColumnType {
        self.ty
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes held by the values.
    pub fn memory_bytes(&self) -> usize {
        match &self.values {
            Values::Bool(values) => values.len(),
            Values::Int(values) => values.len() * 4,
            Values::Long(values) => values.len() * 8,
            Values::Real(values) => values.len() * 8,
            Values::Fixed(values) => values.len() * 16,
            Values::Texts(texts) => texts.bytes.len() + texts.offsets.len() * 4,
        }
    }

    /// Cuts the column back to its first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.rows {
            return;
        }
        match &mut self.values {
            Values::Bool(values) => values.truncate(rows),
            Values::Int(values) => values.truncate(rows),
            Values::Long(values) => values.truncate(rows),
            Values::Real(values) => values.truncate(rows),
            Values::Fixed(values) => values.truncate(rows),
            Values::Texts(texts) => texts.truncate(rows),
        }
        if let Some(validity) = &mut self.validity {
            validity.truncate(rows);
        }
        self.rows = rows;
    }

    /// Appends nulls (empty texts in a string column) up to `rows` rows.
    pub fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.rows);
        if missing == 0 {
            return;
        }
        if self.ty != ColumnType::String {
            let held = self.rows;
            let validity = self.validity.get_or_insert_with(|| {
                let mut validity = BooleanBufferBuilder::new(held + missing);
                validity.append_n(held, true);
                validity
            });
            validity.append_n(missing, false);
        }
        match &mut self.values {
            Values::Bool(values) => values.resize(rows, false),
            Values::Int(values) => values.resize(rows, 0),
            Values::Long(values) => values.resize(rows, 0),
            Values::Real(values) => values.resize(rows, 0.0),
            Values::Fixed(values) => values.resize(rows, [0; 16]),
            Values::Texts(texts) => {
                let end = texts.bytes.len() as i32;
                texts.offsets.resize(rows + 1, end);
            }
        }
        self.rows = rows;
    }

    fn pushed(&mut self) {
        self.rows += 1;
        if let Some(validity) = &mut self.validity {
            validity.append(true);
        }
    }

    /// Appends a value, converted as Kusto converts at ingestion; one that does not fit changes nothing.
    pub fn append(&mut self, value: Scalar<'_>) -> Result<(), Mismatch> {
        if matches!(value, Scalar::Null) {
            self.pad(self.rows + 1);
            return Ok(());
        }
        match self.ty {
            ColumnType::String => self.append_as_text(value),
            ColumnType::Dynamic => self.append_as_dynamic(value),
            _ => return self.append_typed(value),
        }
        self.pushed();
        Ok(())
    }

    fn append_typed(&mut self, value: Scalar<'_>) -> Result<(), Mismatch> {
        if matches!(value, Scalar::Text("")) {
            self.pad(self.rows + 1);
            return Ok(());
        }
        match (&mut self.values, self.ty) {
            (Values::Bool(values), _) => values.push(match value {
                Scalar::Bool(value) => value,
                Scalar::Integer(value) => value != 0,
                Scalar::Text(text) => text::bool(text).ok_or(Mismatch)?,
                _ => return Err(Mismatch),
            }),
            (Values::Int(values), _) => {
                values.push(i32::try_from(as_integer(value).ok_or(Mismatch)?).map_err(|_| Mismatch)?);
            }
            (Values::Long(values), ColumnType::DateTime) => values.push(match value {
                Scalar::Ticks(ColumnType::DateTime, ticks) => ticks,
                Scalar::Text(text) => datetime(text).ok_or(Mismatch)?,
                _ => return Err(Mismatch),
            }),
            (Values::Long(values), ColumnType::TimeSpan) => values.push(match value {
                Scalar::Ticks(ColumnType::TimeSpan, ticks) => ticks,
                Scalar::Text(text) => timespan(text).ok_or(Mismatch)?,
                _ => return Err(Mismatch),
            }),
            (Values::Long(values), _) => values.push(as_integer(value).ok_or(Mismatch)?),
            (Values::Real(values), _) => values.push(match value {
                Scalar::Real(value) => value,
                Scalar::Integer(value) => value as f64,
                Scalar::BigInteger(text) | Scalar::Text(text) => text::real(text).ok_or(Mismatch)?,
                _ => return Err(Mismatch),
            }),
            (Values::Fixed(values), ColumnType::Guid) => values.push(match value {
                Scalar::Fixed(ColumnType::Guid, bytes) => bytes,
                Scalar::Text(text) => text::guid(text).ok_or(Mismatch)?,
                _ => return Err(Mismatch),
            }),
            (Values::Fixed(values), _) => values.push(match value {
                Scalar::Fixed(ColumnType::Decimal, bytes) => bytes,
                _ => as_decimal(value).ok_or(Mismatch)?.to_bytes(),
            }),
            (Values::Texts(_), _) => return Err(Mismatch),
        }
        self.pushed();
        Ok(())
    }

    fn append_as_text(&mut self, value: Scalar<'_>) {
        let Values::Texts(texts) = &mut self.values else { return };
        match value {
            Scalar::Null => texts.push(b""),
            Scalar::Bool(value) => texts.push(if value { b"true" } else { b"false" }),
            Scalar::Integer(value) => texts.push(itoa::Buffer::new().format(value).as_bytes()),
            Scalar::Real(value) => {
                let mut text = String::new();
                format_real(value, &mut text);
                texts.push(text.as_bytes());
            }
            Scalar::BigInteger(text) | Scalar::Text(text) => texts.push(text.as_bytes()),
            Scalar::Ticks(..) | Scalar::Fixed(..) => {
                let mut text = String::new();
                write_dynamic(&mut self.scratch, value);
                self.scratch.finish_with(|bytes| DynamicRef::new(bytes).to_text(&mut text));
                texts.push(text.as_bytes());
            }
            Scalar::Nested { json, .. } => texts.push(json.as_bytes()),
        }
    }

    fn append_as_dynamic(&mut self, value: Scalar<'_>) {
        let Values::Texts(texts) = &mut self.values else { return };
        if let Scalar::Nested { binary, .. } = value {
            texts.push(binary);
            return;
        }
        write_dynamic(&mut self.scratch, value);
        self.scratch.finish_with(|bytes| texts.push(bytes));
    }

    /// The narrowest type that holds every value of the column and this one too.
    pub fn widened_for(&self, value: Scalar<'_>) -> ColumnType {
        match (self.ty, value) {
            (ColumnType::Int, Scalar::Integer(_)) => ColumnType::Long,
            (ColumnType::Int, Scalar::Real(_)) => ColumnType::Real,
            (ColumnType::Int | ColumnType::Long, Scalar::BigInteger(_)) => ColumnType::Decimal,
            (ColumnType::Long, Scalar::Real(_)) if self.longs_fit_real() => ColumnType::Real,
            _ => ColumnType::Dynamic,
        }
    }

    /// Every integer of the column is a double without loss.
    pub fn longs_fit_real(&self) -> bool {
        match &self.values {
            Values::Long(values) => values.iter().all(|value| fits_real(*value)),
            _ => true,
        }
    }

    /// Changes the type, keeping every value. Int widens to long, real and decimal, long to real and
    /// decimal, anything to string and dynamic; other pairs leave the column as it is.
    pub fn widen(&mut self, ty: ColumnType) {
        if ty == self.ty {
            return;
        }
        let rows = self.rows;
        let old = std::mem::replace(self, ColumnBuilder::new(ty));
        let mut text = String::new();
        for row in 0..rows {
            if self.append(old.scalar(row, &mut text)).is_err() {
                *self = old;
                return;
            }
        }
    }

    /// The value of a row; `text` holds the JSON of an array or object.
    fn scalar<'a>(&'a self, row: usize, text: &'a mut String) -> Scalar<'a> {
        if !self.is_valid(row) {
            return Scalar::Null;
        }
        match (&self.values, self.ty) {
            (Values::Bool(values), _) => Scalar::Bool(values[row]),
            (Values::Int(values), _) => Scalar::Integer(values[row].into()),
            (Values::Long(values), ColumnType::Long) => Scalar::Integer(values[row]),
            (Values::Long(values), ty) => Scalar::Ticks(ty, values[row]),
            (Values::Real(values), _) => Scalar::Real(values[row]),
            (Values::Fixed(values), ty) => Scalar::Fixed(ty, values[row]),
            (Values::Texts(texts), ColumnType::String) => {
                Scalar::Text(std::str::from_utf8(texts.get(row)).unwrap_or_default())
            }
            (Values::Texts(texts), _) => {
                text.clear();
                DynamicRef::new(texts.get(row)).to_text(text);
                Scalar::Nested { binary: texts.get(row), json: text }
            }
        }
    }

    fn is_valid(&self, row: usize) -> bool {
        self.validity.as_ref().is_none_or(|validity| validity.get_bit(row))
    }

    /// The texts of a string column, for deciding what they are.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = match &self.values {
            Values::Texts(texts) if self.ty == ColumnType::String => Some(texts),
            _ => None,
        };
        (0..self.rows)
            .filter_map(move |row| texts.map(|texts| std::str::from_utf8(texts.get(row)).unwrap_or_default()))
    }

    /// A column of another type with the texts of this string column; `None` when one does not fit.
    pub fn converted(&self, ty: ColumnType) -> Option<ColumnBuilder> {
        let mut converted = ColumnBuilder::new(ty);
        for text in self.texts() {
            converted.append(Scalar::Text(text)).ok()?;
        }
        Some(converted)
    }

    /// A column with the values of an array of `ty` (see `ColumnType::arrow_type`).
    pub fn from_array(ty: ColumnType, array: &ArrayRef) -> ColumnBuilder {
        let mut column = ColumnBuilder::new(ty);
        let mut text = String::new();
        for row in 0..array.len() {
            let value = match array.is_valid(row) {
                true => scalar_at(ty, array, row, &mut text),
                false => Scalar::Null,
            };
            // Cannot mismatch: the scalar has the column's type.
            if column.append(value).is_err() {
                column.pad(row + 1);
            }
        }
        column
    }

    /// The finished array; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        self.finish_as(false)
    }

    /// Like [`ColumnBuilder::finish`], with texts that repeat themselves as a dictionary.
    pub fn finish_coded(&mut self) -> ArrayRef {
        self.finish_as(true)
    }

    fn finish_as(&mut self, coded: bool) -> ArrayRef {
        let nulls = self
            .validity
            .take()
            .map(|mut validity| NullBuffer::new(validity.finish()))
            .filter(|nulls| nulls.null_count() > 0);
        let array = self.array(coded, nulls);
        self.values.clear();
        self.rows = 0;
        array
    }

    fn array(&self, coded: bool, nulls: Option<NullBuffer>) -> ArrayRef {
        match &self.values {
            Values::Bool(values) => {
                Arc::new(BooleanArray::new(BooleanBuffer::from(values.as_slice()), nulls))
            }
            Values::Int(values) => {
                Arc::new(Int32Array::new(ScalarBuffer::from(values.as_slice().to_vec()), nulls))
            }
            Values::Long(values) => {
                Arc::new(Int64Array::new(ScalarBuffer::from(values.as_slice().to_vec()), nulls))
            }
            Values::Real(values) => {
                Arc::new(Float64Array::new(ScalarBuffer::from(values.as_slice().to_vec()), nulls))
            }
            Values::Fixed(values) => {
                let buffer = Buffer::from_vec(values.as_flattened().to_vec());
                Arc::new(FixedSizeBinaryArray::new(16, buffer, nulls))
            }
            Values::Texts(texts) => {
                if coded
                    && self.ty == ColumnType::String
                    && let Some(array) = coding::dictionary(&texts.offsets, &texts.bytes)
                {
                    return Arc::new(array);
                }
                let offsets = OffsetBuffer::new(ScalarBuffer::from(texts.offsets.as_slice().to_vec()));
                let bytes = Buffer::from_vec(texts.bytes.as_slice().to_vec());
                if self.ty == ColumnType::String {
                    Arc::new(StringViewArray::from(&StringArray::new(offsets, bytes, nulls)))
                } else {
                    Arc::new(BinaryViewArray::from(&BinaryArray::new(offsets, bytes, nulls)))
                }
            }
        }
    }
}

impl Drop for ColumnBuilder {
    fn drop(&mut self) {
        std::mem::replace(&mut self.values, Values::Bool(Vec::new())).give_back();
    }
}

fn scalar_at<'a>(ty: ColumnType, array: &'a ArrayRef, row: usize, text: &'a mut String) -> Scalar<'a> {
    match ty {
        ColumnType::Bool => Scalar::Bool(array.as_boolean().value(row)),
        ColumnType::Int => Scalar::Integer(array.as_primitive::<Int32Type>().value(row).into()),
        ColumnType::Long => Scalar::Integer(array.as_primitive::<Int64Type>().value(row)),
        ColumnType::DateTime | ColumnType::TimeSpan => {
            Scalar::Ticks(ty, array.as_primitive::<Int64Type>().value(row))
        }
        ColumnType::Real => Scalar::Real(array.as_primitive::<Float64Type>().value(row)),
        ColumnType::Decimal | ColumnType::Guid => {
            let bytes = array.as_fixed_size_binary().value(row);
            Scalar::Fixed(ty, bytes.try_into().unwrap_or_default())
        }
        ColumnType::String => match array.as_dictionary_opt::<UInt32Type>() {
            Some(codes) => {
                Scalar::Text(codes.values().as_string_view().value(codes.keys().value(row) as usize))
            }
            None => Scalar::Text(array.as_string_view().value(row)),
        },
        ColumnType::Dynamic => {
            let binary = array.as_binary_view().value(row);
            text.clear();
            DynamicRef::new(binary).to_text(text);
            Scalar::Nested { binary, json: text }
        }
    }
}

/// Whether an integer is a double without loss.
pub fn fits_real(value: i64) -> bool {
    value.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS
}

fn as_integer(value: Scalar<'_>) -> Option<i64> {
    match value {
        Scalar::Integer(value) => Some(value),
        Scalar::Bool(value) => Some(value.into()),
        Scalar::Real(value) if value.fract() == 0.0 && value.abs() <= (1u64 << 53) as f64 => {
            Some(value as i64)
        }
        Scalar::Text(text) => text::long(text),
        _ => None,
    }
}

fn as_decimal(value: Scalar<'_>) -> Option<Decimal> {
    match value {
        Scalar::Integer(value) => Some(Decimal::new(value.into(), 0)),
        Scalar::Real(value) => Decimal::parse(&value.to_string()),
        Scalar::BigInteger(text) | Scalar::Text(text) => Decimal::parse(text),
        _ => None,
    }
}

fn datetime(text: &str) -> Option<i64> {
    text::iso_datetime(text).or_else(|| conshelf_kql::time::parse_datetime(text))
}

fn timespan(text: &str) -> Option<i64> {
    conshelf_kql::time::parse_timespan(text)
}

fn write_dynamic(out: &mut DynamicBuilder, value: Scalar<'_>) {
    match value {
        Scalar::Null => out.null(),
        Scalar::Bool(value) => out.bool(value),
        Scalar::Integer(value) => out.long(value),
        Scalar::Real(value) => out.real(value),
        Scalar::BigInteger(text) => match Decimal::parse(text) {
            Some(value) => out.decimal(value.to_bytes(), &value.to_string()),
            None => out.string(text),
        },
        Scalar::Ticks(ColumnType::DateTime, ticks) => out.datetime(ticks),
        Scalar::Ticks(_, ticks) => out.timespan(ticks),
        Scalar::Fixed(ColumnType::Guid, bytes) => out.guid(bytes),
        Scalar::Fixed(_, bytes) => out.decimal(bytes, &Decimal::from_bytes(bytes).to_string()),
        Scalar::Text(text) => out.string(text),
        Scalar::Nested { binary, .. } => out.value(DynamicRef::new(binary)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dynamics(array: &ArrayRef) -> Vec<String> {
        let array = array.as_binary_view();
        (0..array.len())
            .map(|row| match array.is_valid(row) {
                true => DynamicRef::new(array.value(row)).to_json_string(),
                false => String::from("-"),
            })
            .collect()
    }

    #[test]
    fn values_that_do_not_fit_are_refused_and_leave_the_column_as_it_was() {
        for (ty, value) in [
            (ColumnType::Long, Scalar::Real(1.5)),
            (ColumnType::Long, Scalar::Text("x")),
            (ColumnType::Int, Scalar::Integer(1 << 40)),
            (ColumnType::DateTime, Scalar::Integer(5)),
            (ColumnType::Guid, Scalar::Text("not a guid")),
            (ColumnType::Bool, Scalar::Text("maybe")),
            (ColumnType::Real, Scalar::Text("1,5")),
        ] {
            let mut column = ColumnBuilder::new(ty);
            assert_eq!(column.append(value), Err(Mismatch), "{ty:?} {value:?}");
            assert_eq!((column.rows(), column.finish().len()), (0, 0));
        }
    }

    #[test]
    fn widening_keeps_every_value() {
        let seven_and_null = || {
            let mut column = ColumnBuilder::new(ColumnType::Long);
            column.append(Scalar::Integer(7)).expect("fits");
            column.append(Scalar::Null).expect("fits");
            column
        };
        let (mut column, mut dynamic) = (seven_and_null(), seven_and_null());
        assert_eq!(column.widened_for(Scalar::Real(0.5)), ColumnType::Real);
        assert_eq!(column.widened_for(Scalar::Text("x")), ColumnType::Dynamic);
        column.widen(ColumnType::Real);
        column.append(Scalar::Real(0.5)).expect("fits");
        let array = column.finish();
        assert_eq!(array.as_primitive::<Float64Type>().value(0), 7.0);
        assert_eq!(array.null_count(), 1);
        dynamic.widen(ColumnType::Dynamic);
        dynamic.append(Scalar::Text("x")).expect("fits");
        assert_eq!(dynamics(&dynamic.finish()), ["7", "-", "\"x\""]);

        let mut big = ColumnBuilder::new(ColumnType::Long);
        big.append(Scalar::Integer(i64::MAX)).expect("fits");
        assert_eq!(big.widened_for(Scalar::Real(0.5)), ColumnType::Dynamic);

        let mut time = ColumnBuilder::new(ColumnType::DateTime);
        time.append(Scalar::Text("2024-01-01")).expect("fits");
        time.widen(ColumnType::Dynamic);
        assert_eq!(dynamics(&time.finish()), ["\"2024-01-01T00:00:00.0000000Z\""]);
    }

    #[test]
    fn a_row_can_be_undone() {
        for ty in ColumnType::ALL {
            let mut column = ColumnBuilder::new(ty);
            column.pad(2);
            let _ = column.append(Scalar::Text("1"));
            column.truncate(1);
            column.pad(3);
            let array = column.finish();
            assert_eq!(array.len(), 3, "{ty:?}");
            assert_eq!(array.null_count(), if ty == ColumnType::String { 0 } else { 3 }, "{ty:?}");
        }
    }
}
