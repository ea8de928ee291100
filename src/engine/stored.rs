//! Stored forms of what queries keep: tags of the kinds, and columns as bytes.
//!
//! Little-endian numbers and counted runs (`aggregate::StateWriter`). A column: u8 tag (1 bool, 2 int, 3 long or
//! datetime or timespan, 4 real, 5 sixteen bytes, 6 string, 7 dynamic), u64 rows, u8 whether there are nulls, then
//! a bitmap of the rows that are not null if there are, then values: of bool a bitmap; numbers and sixteen bytes
//! as they are; of string and dynamic a u32 length of each, then the bytes of all. Dictionaries are stored as
//! the texts of their rows. Whoever reads checks every length; what a value means is not said here, so a form may
//! only change together with `saved_cache::VERSION`.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

pub use crate::engine::aggregate::{StateReader as Reader, StateWriter as Writer};
use crate::engine::cache::Keep;
use crate::engine::execute::latest::KeptTexts;
use crate::engine::execute::partial::{Partial, Results, TooLarge};
use crate::engine::execute::selection::Kept;

/// Groups of a piece of an extent.
pub const PARTIAL: u8 = 1;
/// That such groups are too many.
pub const TOO_LARGE: u8 = 2;
/// Rows that a filter lets through.
pub const SELECTION: u8 = 3;
/// The different texts of a column.
pub const TEXTS: u8 = 4;
/// Results over all rows of a table that a query reads.
pub const RESULTS: u8 = 5;

/// Appends a bitmap with its length.
pub fn put_bits(out: &mut Writer<'_>, bits: &BooleanBuffer) {
    out.number(bits.len() as u64);
    out.0.extend_from_slice(&bits.sliced().as_slice()[..bits.len().div_ceil(8)]);
}

pub fn take_bits(from: &mut Reader<'_>) -> Option<BooleanBuffer> {
    let length = usize::try_from(from.number::<u64>().ok()?).ok()?;
    let bytes = take(from, length.div_ceil(8))?;
    Some(BooleanBuffer::new(Buffer::from(bytes), 0, length))
}

fn take<'a>(from: &mut Reader<'a>, length: usize) -> Option<&'a [u8]> {
    let (head, rest) = from.0.split_at_checked(length)?;
    from.0 = rest;
    Some(head)
}

fn tag_of(array: &dyn Array) -> Option<u8> {
    use arrow_schema::DataType;
    Some(match array.data_type() {
        DataType::Boolean => 1,
        DataType::Int32 => 2,
        DataType::Int64 => 3,
        DataType::Float64 => 4,
        DataType::FixedSizeBinary(16) => 5,
        DataType::Utf8View => 6,
        DataType::BinaryView => 7,
        _ => return None,
    })
}

/// Appends a column; `false`: there is no form for its type, and part of one may have been appended.
pub fn put_array(out: &mut Writer<'_>, array: &dyn Array) -> bool {
    let any = array.as_any();
    if let Some(dictionary) = any.downcast_ref::<DictionaryArray<UInt32Type>>() {
        let flat = arrow_select::take::take(dictionary.values(), dictionary.keys(), None);
        return flat.is_ok_and(|flat| tag_of(&flat).is_some() && put_array(out, &flat));
    }
    let Some(tag) = tag_of(array) else { return false };
    out.number(tag);
    out.number(array.len() as u64);
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    out.number(nulls.is_some());
    if let Some(nulls) = nulls {
        put_bits(out, nulls.inner());
    }
    macro_rules! raw {
        ($array:ty) => {
            if let Some(array) = any.downcast_ref::<$array>() {
                out.0.reserve(array.len() * 8);
                array.values().iter().for_each(|value| out.number(*value));
            }
        };
    }
    raw!(Int32Array);
    raw!(Int64Array);
    raw!(Float64Array);
    if let Some(array) = any.downcast_ref::<BooleanArray>() {
        put_bits(out, array.values());
    } else if let Some(array) = any.downcast_ref::<FixedSizeBinaryArray>() {
        (0..array.len()).for_each(|row| out.0.extend_from_slice(array.value(row)));
    } else if let Some(array) = any.downcast_ref::<StringViewArray>() {
        put_runs(out, || array.iter().map(|text| text.unwrap_or_default().as_bytes()));
    } else if let Some(array) = any.downcast_ref::<BinaryViewArray>() {
        put_runs(out, || array.iter().map(Option::unwrap_or_default));
    }
    true
}

fn put_runs<'a, I: Iterator<Item = &'a [u8]>>(out: &mut Writer<'_>, values: impl Fn() -> I) {
    // A value of more than 4 GB does not exist.
    values().for_each(|value| out.number(value.len() as u32));
    values().for_each(|value| out.0.extend_from_slice(value));
}

/// The column that `put_array` appended; `None`: the bytes are not one.
pub fn take_array(from: &mut Reader<'_>) -> Option<ArrayRef> {
    let tag = from.number::<u8>().ok()?;
    let rows = usize::try_from(from.number::<u64>().ok()?).ok()?;
    let nulls = match from.number::<u8>().ok()? {
        0 => None,
        1 => Some(NullBuffer::new(take_bits(from).filter(|bits| bits.len() == rows)?)),
        _ => return None,
    };
    macro_rules! raw {
        ($array:ty, $value:ty) => {{
            let bytes = take(from, rows.checked_mul(size_of::<$value>())?)?;
            let values = bytes.chunks_exact(size_of::<$value>());
            let values: Vec<$value> = values
                .map(|value| Some(<$value>::from_le_bytes(value.try_into().ok()?)))
                .collect::<Option<_>>()?;
            Arc::new(<$array>::new(values.into(), nulls))
        }};
    }
    Some(match tag {
        1 => Arc::new(BooleanArray::new(take_bits(from).filter(|bits| bits.len() == rows)?, nulls)),
        2 => raw!(Int32Array, i32),
        3 => raw!(Int64Array, i64),
        4 => raw!(Float64Array, f64),
        5 => {
            let bytes = take(from, rows.checked_mul(16)?)?;
            if rows == 0 {
                return Some(arrow_array::new_empty_array(&arrow_schema::DataType::FixedSizeBinary(16)));
            }
            Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from(bytes), nulls).ok()?)
        }
        6 | 7 => {
            let lengths = take(from, rows.checked_mul(4)?)?.chunks_exact(4);
            let lengths = lengths.map(|length| Some(u32::from_le_bytes(length.try_into().ok()?) as usize));
            let lengths: Vec<usize> = lengths.collect::<Option<_>>()?;
            let total = lengths.iter().try_fold(0usize, |total, length| total.checked_add(*length))?;
            let mut bytes = take(from, total)?;
            let block = u32::try_from(total.max(1)).ok()?;
            let mut values = lengths.iter().enumerate().map(|(row, length)| {
                let (value, rest) = bytes.split_at(*length);
                bytes = rest;
                nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then_some(value)
            });
            if tag == 6 {
                let mut builder = StringViewBuilder::with_capacity(rows).with_fixed_block_size(block);
                for value in values {
                    match value {
                        Some(value) => builder.append_value(simdutf8::basic::from_utf8(value).ok()?),
                        None => builder.append_null(),
                    }
                }
                Arc::new(builder.finish())
            } else {
                let mut builder = BinaryViewBuilder::with_capacity(rows).with_fixed_block_size(block);
                values.by_ref().for_each(|value| builder.append_option(value));
                Arc::new(builder.finish())
            }
        }
        _ => return None,
    })
}

/// Reads any bytes as each kind of value, and what is one again; for fuzzing. Must neither panic nor hang.
pub fn fuzz_values(data: &[u8]) {
    fn check<T: Keep + PartialEq>(data: &[u8]) {
        let Some(value) = T::decode(data) else { return };
        let mut bytes = Vec::new();
        assert!(value.encode(&mut bytes), "what was read has a form");
        let again = T::decode(&bytes).expect("what was written can be read");
        let mut twice = Vec::new();
        assert!(again.encode(&mut twice));
        assert!(bytes == twice, "a value comes back as it was");
    }
    check::<Partial>(data);
    check::<TooLarge>(data);
    check::<Kept>(data);
    check::<KeptTexts>(data);
    check::<Results>(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn columns() -> impl Strategy<Value = Vec<ArrayRef>> {
        let row = (
            proptest::option::of(any::<i64>()),
            proptest::option::of(any::<f64>()),
            proptest::option::of(any::<bool>()),
            proptest::option::of(".{0,20}"),
            proptest::option::of(any::<[u8; 16]>()),
        );
        proptest::collection::vec(row, 0..70).prop_map(|rows| -> Vec<ArrayRef> {
            let texts = || rows.iter().map(|row| row.3.clone());
            let fixed = rows.iter().map(|row| row.4);
            let dictionary = arrow_select::take::take(
                &StringViewArray::from(vec!["", "a", "a text of more than twelve bytes"]),
                &rows.iter().map(|row| row.0.unwrap_or(0) as u32 % 3).collect::<arrow_array::UInt32Array>(),
                None,
            );
            let codes = rows.iter().map(|row| row.0.unwrap_or(0) as u32 % 3).collect();
            let values = Arc::new(StringViewArray::from(vec!["", "a", "a text of more than twelve bytes"]));
            vec![
                Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
                Arc::new(rows.iter().map(|row| row.0.map(|value| value as i32)).collect::<Int32Array>()),
                Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>()),
                Arc::new(rows.iter().map(|row| row.2).collect::<BooleanArray>()),
                Arc::new(texts().collect::<StringViewArray>()),
                Arc::new(texts().map(|text| text.map(String::into_bytes)).collect::<BinaryViewArray>()),
                crate::engine::aggregate::fixed_array(fixed),
                dictionary.expect("flat"),
                Arc::new(DictionaryArray::<UInt32Type>::new(codes, values)),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn columns_come_back_as_they_were(columns in columns(), cut in 0usize..64) {
            let rows = columns[0].len();
            let cut = cut.min(rows);
            // Parts of arrays begin within a byte of their bitmaps.
            let keys: Vec<ArrayRef> = columns.iter().map(|column| column.slice(cut, rows - cut)).collect();
            let partial = Partial {
                groups: rows - cut,
                first: (0..(rows - cut) as u64).collect(),
                states: vec![vec![1, 2, 3], Vec::new()],
                keys,
            };
            let mut bytes = Vec::new();
            prop_assert!(partial.encode(&mut bytes));
            let back = Partial::decode(&bytes).expect("whole");
            let last = back.keys.len() - 1;
            prop_assert_eq!(&back.keys[..last], &partial.keys[..last]);
            prop_assert_eq!(&back.keys[last], &partial.keys[last - 1], "a dictionary comes back as its texts");
            prop_assert_eq!((&back.first, &back.states), (&partial.first, &partial.states));
            for length in 0..bytes.len() {
                prop_assert!(Partial::decode(&bytes[..length]).is_none());
            }
            fuzz_values(&bytes);
        }

        #[test]
        fn other_values_come_back_as_they_were(bits in proptest::collection::vec(any::<bool>(), 0..200)) {
            let rows = bits.iter().enumerate().filter(|(_, bit)| **bit).map(|(row, _)| row as u16).collect();
            for kept in [Kept::None, Kept::All, Kept::Rows(rows), Kept::Bits(bits.into_iter().collect())] {
                let mut bytes = Vec::new();
                prop_assert!(kept.encode(&mut bytes));
                prop_assert_eq!(Kept::decode(&bytes), Some(kept));
                fuzz_values(&bytes);
            }
        }

        #[test]
        fn any_bytes_are_a_value_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            fuzz_values(&bytes);
        }
    }
}
