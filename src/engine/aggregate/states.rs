//! What the aggregates share: visiting the rows that take part, the adapter from typed states to
//! `Accumulator`, and the byte form of states.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, FixedSizeBinaryBuilder, StringViewBuilder};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use conshelf_storage::Sum;

use crate::engine::aggregate::Accumulator;
use crate::engine::error::{EngineError, Result};

/// Which group each row belongs to.
#[derive(Clone, Copy, Debug)]
pub enum GroupOf<'a> {
    /// Row i belongs to group `[i]`.
    Each(&'a [u32]),
    /// All rows belong to one group.
    One(u32),
}

impl GroupOf<'_> {
    /// Calls `take(group, row)` for the rows 0..rows that `chosen` holds.
    #[inline]
    pub fn visit(self, rows: usize, chosen: Option<&NullBuffer>, mut take: impl FnMut(usize, usize)) {
        let chosen = chosen.filter(|chosen| chosen.null_count() > 0);
        match (self, chosen) {
            (GroupOf::Each(groups), None) => {
                for (row, group) in groups.iter().take(rows).enumerate() {
                    take(*group as usize, row);
                }
            }
            (GroupOf::Each(groups), Some(chosen)) => {
                for row in chosen.valid_indices() {
                    take(groups[row] as usize, row);
                }
            }
            (GroupOf::One(group), None) => {
                for row in 0..rows {
                    take(group as usize, row);
                }
            }
            (GroupOf::One(group), Some(chosen)) => {
                for row in chosen.valid_indices() {
                    take(group as usize, row);
                }
            }
        }
    }
}

/// The rows for which the condition is true; `None`: all.
pub fn chosen_rows(condition: Option<&BooleanArray>) -> Option<NullBuffer> {
    condition.map(|condition| {
        let truth = NullBuffer::new(condition.values().clone());
        NullBuffer::union(Some(&truth), condition.nulls()).unwrap_or(truth)
    })
}

/// The rows of an argument that are not null and for which the condition is true; `None`: all.
pub fn valued_rows(argument: &dyn Array, condition: Option<&BooleanArray>) -> Option<NullBuffer> {
    NullBuffer::union(argument.nulls(), chosen_rows(condition).as_ref())
}

/// An argument as its concrete array.
pub fn argument<A: Array + 'static>(arguments: &[ArrayRef], position: usize) -> Result<&A> {
    let array = arguments
        .get(position)
        .ok_or_else(|| EngineError::Internal(format!("an aggregate misses its argument {position}")))?;
    array.as_any().downcast_ref::<A>().ok_or_else(|| {
        EngineError::Internal(format!("an aggregate got {} as argument {position}", array.data_type()))
    })
}

/// Typed states of groups 0..n; `Typed` makes them an `Accumulator`.
pub trait GroupStates: Send + 'static {
    /// Whether `update` takes texts as dictionaries too; others get them flat.
    const TAKES_DICTIONARIES: bool = false;

    fn resize(&mut self, groups: usize);
    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()>;
    /// Adds rows to an aggregate without arguments.
    fn update_count(&mut self, _group: u32, _rows: u64) -> Result<()> {
        Err(EngineError::Internal(String::from("this aggregate needs its arguments")))
    }
    /// See `Accumulator::update_sum`.
    fn update_sum(&mut self, _group: u32, _sum: Sum, _values: u64) -> bool {
        false
    }
    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()>;
    /// See `Accumulator::settle`.
    fn settle(&mut self) {}
    /// See `Accumulator::held_values`.
    fn held_values(&self) -> usize {
        0
    }
    fn finish(&mut self) -> Result<Vec<ArrayRef>>;
    fn encode(&self, out: &mut StateWriter<'_>);
    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()>;
    fn memory_bytes(&self) -> usize;
}

/// An accumulator made of typed states.
pub struct Typed<S>(pub S);

impl<S: GroupStates> Typed<S> {
    pub fn boxed(states: S) -> Box<dyn Accumulator> {
        Box::new(Typed(states))
    }
}

impl<S: GroupStates> Accumulator for Typed<S> {
    fn resize(&mut self, groups: usize) {
        self.0.resize(groups);
    }

    fn update(
        &mut self,
        group_of: &[u32],
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let arguments = flat(arguments, S::TAKES_DICTIONARIES)?;
        self.0.update(GroupOf::Each(group_of), &arguments, condition)
    }

    fn update_one(
        &mut self,
        group: u32,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let arguments = flat(arguments, S::TAKES_DICTIONARIES)?;
        self.0.update(GroupOf::One(group), &arguments, condition)
    }

    fn update_count(&mut self, group: u32, rows: u64) -> Result<()> {
        self.0.update_count(group, rows)
    }

    fn update_sum(&mut self, group: u32, sum: Sum, values: u64) -> bool {
        self.0.update_sum(group, sum, values)
    }

    fn merge(&mut self, other: Box<dyn Accumulator>, group_of: &[u32]) -> Result<()> {
        let other = other
            .into_any()
            .downcast::<Typed<S>>()
            .map_err(|_| EngineError::Internal(String::from("merge of two different aggregates")))?;
        self.0.merge(other.0, group_of)
    }

    fn settle(&mut self) {
        self.0.settle();
    }

    fn held_values(&self) -> usize {
        self.0.held_values()
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.0.finish()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(&mut StateWriter(out));
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.decode(&mut StateReader(bytes))
    }

    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}

/// Arguments without dictionaries, unless these are welcome.
fn flat(arguments: &[ArrayRef], dictionaries: bool) -> Result<std::borrow::Cow<'_, [ArrayRef]>> {
    let is_dictionary = |array: &ArrayRef| matches!(array.data_type(), DataType::Dictionary(_, _));
    if dictionaries || !arguments.iter().any(is_dictionary) {
        return Ok(std::borrow::Cow::Borrowed(arguments));
    }
    let flattened = arguments
        .iter()
        .map(|array| {
            let dictionary = array.as_any().downcast_ref::<DictionaryArray<arrow_array::types::UInt32Type>>();
            match dictionary {
                Some(dictionary) => arrow_select::take::take(dictionary.values(), dictionary.keys(), None)
                    .map_err(|error| EngineError::Internal(error.to_string())),
                None => Ok(array.clone()),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(std::borrow::Cow::Owned(flattened))
}

/// Writes states as little-endian numbers and length-prefixed runs.
pub struct StateWriter<'a>(pub &'a mut Vec<u8>);

/// Reads what `StateWriter` wrote; every length is checked against the bytes left.
pub struct StateReader<'a>(pub &'a [u8]);

fn cut() -> EngineError {
    EngineError::Internal(String::from("the stored state of an aggregate is damaged"))
}

/// A number of fixed size in a state.
pub trait Fixed: Copy {
    const SIZE: usize;
    fn put(self, out: &mut Vec<u8>);
    /// From exactly `SIZE` bytes.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! fixed {
    ($($ty:ty),*) => {$(
        impl Fixed for $ty {
            const SIZE: usize = size_of::<$ty>();
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                let mut array = [0; size_of::<$ty>()];
                array.copy_from_slice(bytes);
                <$ty>::from_le_bytes(array)
            }
        }
    )*};
}
fixed!(u8, u16, u32, u64, i32, i64, i128, u128, f64);

impl Fixed for bool {
    const SIZE: usize = 1;
    fn put(self, out: &mut Vec<u8>) {
        out.push(u8::from(self));
    }
    fn get(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
}

impl Fixed for [u8; 16] {
    const SIZE: usize = 16;
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self);
    }
    fn get(bytes: &[u8]) -> Self {
        let mut array = [0; 16];
        array.copy_from_slice(bytes);
        array
    }
}

impl StateWriter<'_> {
    pub fn number<T: Fixed>(&mut self, value: T) {
        value.put(self.0);
    }

    pub fn numbers<T: Fixed>(&mut self, values: &[T]) {
        self.number(values.len() as u64);
        self.0.reserve(values.len() * T::SIZE);
        for value in values {
            value.put(self.0);
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// An array of one of the types that carry Kusto values.
    pub fn array(&mut self, array: &dyn Array) {
        self.number(array.len() as u64);
        for row in 0..array.len() {
            let valid = array.is_valid(row);
            self.number(valid);
            if valid {
                self.array_value(array, row);
            }
        }
    }

    fn array_value(&mut self, array: &dyn Array, row: usize) {
        let array = array.as_any();
        if let Some(array) = array.downcast_ref::<BooleanArray>() {
            self.number(array.value(row));
        } else if let Some(array) = array.downcast_ref::<Int32Array>() {
            self.number(array.value(row));
        } else if let Some(array) = array.downcast_ref::<Int64Array>() {
            self.number(array.value(row));
        } else if let Some(array) = array.downcast_ref::<Float64Array>() {
            self.number(array.value(row));
        } else if let Some(array) = array.downcast_ref::<FixedSizeBinaryArray>() {
            self.bytes(array.value(row));
        } else if let Some(array) = array.downcast_ref::<StringViewArray>() {
            self.bytes(array.value(row).as_bytes());
        } else if let Some(array) = array.downcast_ref::<BinaryViewArray>() {
            self.bytes(array.value(row));
        }
    }
}

impl<'a> StateReader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(head)
    }

    pub fn number<T: Fixed>(&mut self) -> Result<T> {
        Ok(T::get(self.take(T::SIZE)?))
    }

    /// A count of things that take at least one byte each.
    pub fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.number::<u64>()?).map_err(|_| cut())?;
        if count > self.0.len() { Err(cut()) } else { Ok(count) }
    }

    pub fn numbers<T: Fixed>(&mut self) -> Result<Vec<T>> {
        let count = self.count()?;
        let bytes = self.take(count.checked_mul(T::SIZE).ok_or_else(cut)?)?;
        Ok(bytes.chunks_exact(T::SIZE).map(T::get).collect())
    }

    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }

    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| cut())
    }

    /// The array that `StateWriter::array` wrote.
    pub fn array(&mut self, ty: &DataType) -> Result<ArrayRef> {
        let rows = self.count()?;
        macro_rules! each {
            ($read:expr) => {{
                let mut values = Vec::with_capacity(rows);
                for _ in 0..rows {
                    values.push(if self.number::<bool>()? { Some($read) } else { None });
                }
                values
            }};
        }
        Ok(match ty {
            DataType::Boolean => Arc::new(BooleanArray::from(each!(self.number::<bool>()?))),
            DataType::Int32 => Arc::new(Int32Array::from(each!(self.number::<i32>()?))),
            DataType::Int64 => Arc::new(Int64Array::from(each!(self.number::<i64>()?))),
            DataType::Float64 => Arc::new(Float64Array::from(each!(self.number::<f64>()?))),
            DataType::FixedSizeBinary(16) => fixed_array(each!({
                let bytes = self.bytes()?;
                if bytes.len() != 16 {
                    return Err(cut());
                }
                <[u8; 16]>::get(bytes)
            })),
            DataType::Utf8View => {
                let mut builder = StringViewBuilder::with_capacity(rows);
                for value in each!(self.text()?) {
                    builder.append_option(value);
                }
                Arc::new(builder.finish())
            }
            DataType::BinaryView => {
                let mut builder = BinaryViewBuilder::with_capacity(rows);
                for value in each!(self.bytes()?) {
                    builder.append_option(value);
                }
                Arc::new(builder.finish())
            }
            _ => return Err(cut()),
        })
    }
}

/// Sixteen-byte values (decimals, guids) as an array.
pub fn fixed_array(values: impl IntoIterator<Item = Option<[u8; 16]>>) -> ArrayRef {
    let values = values.into_iter();
    let mut builder = FixedSizeBinaryBuilder::with_capacity(values.size_hint().0, 16);
    for value in values {
        match value {
            Some(bytes) => builder.append_value(bytes).expect("sixteen bytes fit"),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// The sixteen bytes of a row.
#[inline]
pub fn fixed_value(array: &FixedSizeBinaryArray, row: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(array.value(row));
    bytes
}
