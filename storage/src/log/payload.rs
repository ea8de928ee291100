//! The payload of a row record: a batch's columns as plain little-endian buffers, perhaps compressed.
//!
//! Made for speed of writing, not for size: the rows move to extents within minutes.

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, PrimitiveArray, StringViewArray,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, MutableBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::column::{absent, arrow_error};
use crate::error::{Result, StorageError};
use crate::limits::{APPEND_ROWS_MAX, LOG_COMPRESS_BYTES_MIN, LOG_RECORD_BYTES_MAX};
use crate::row_store::ChunkColumn;
use crate::types::ColumnType;

const _: () = assert!(cfg!(target_endian = "little"), "buffers are written as they are in memory");

const FORM_FLAT: u8 = 0;
const FORM_DICTIONARY: u8 = 1;

/// Compression level of zstd: the fastest of its ordinary levels.
const COMPRESSION_LEVEL: i32 = 1;

/// A batch and what belongs to it, as a record carries them.
#[derive(Clone, Debug)]
pub struct RowsPayload {
    pub appended_ticks: i64,
    /// Hash of the idempotency key, and how many rows the whole request has.
    pub key: Option<(u128, u64)>,
    pub tags: Vec<String>,
    pub rows: usize,
    pub columns: Vec<ChunkColumn>,
}

/// Payload bytes ready for a record.
#[derive(Clone, Debug)]
pub struct StoredPayload {
    /// Padded to a multiple of 8.
    pub bytes: Vec<u8>,
    /// Length without padding.
    pub stored_length: u32,
    pub raw_length: u32,
    pub compressed: bool,
}

/// Scratch past this size is not kept for the next payload.
const SCRATCH_BYTES_MAX: usize = 16 << 20;

/// What a thread uses again for each payload: fresh memory would cost more than the copying.
#[derive(Default)]
struct Scratch {
    raw: Vec<u8>,
    compressed: Vec<u8>,
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Encodes a payload; `columns` without the hidden ones (the ingestion time is `appended_ticks`).
pub fn encode(payload: &RowsPayload) -> Result<StoredPayload> {
    SCRATCH.with_borrow_mut(|scratch| {
        let stored = encode_with(payload, scratch);
        if scratch.raw.capacity() + scratch.compressed.capacity() > SCRATCH_BYTES_MAX {
            scratch.raw = Vec::new();
            scratch.compressed = Vec::new();
        }
        stored
    })
}

fn encode_with(payload: &RowsPayload, scratch: &mut Scratch) -> Result<StoredPayload> {
    let raw = &mut scratch.raw;
    raw.clear();
    raw.extend_from_slice(&payload.appended_ticks.to_le_bytes());
    match payload.key {
        None => raw.push(0),
        Some((hash, rows)) => {
            raw.push(1);
            raw.extend_from_slice(&hash.to_le_bytes());
            raw.extend_from_slice(&rows.to_le_bytes());
        }
    }
    put_length(raw, payload.tags.len())?;
    for tag in &payload.tags {
        put_length(raw, tag.len())?;
        raw.extend_from_slice(tag.as_bytes());
    }
    put_length(raw, payload.rows)?;
    put_length(raw, payload.columns.len())?;
    for column in &payload.columns {
        raw.extend_from_slice(&column.id.to_le_bytes());
        raw.push(column.ty as u8);
        encode_column(raw, &column.array, column.ty)?;
    }
    if raw.len() > LOG_RECORD_BYTES_MAX as usize {
        return Err(StorageError::Invalid(format!(
            "a batch of {} bytes is too large for one log record: append smaller ones",
            raw.len()
        )));
    }
    let raw_length = raw.len() as u32;
    let mut stored =
        StoredPayload { bytes: Vec::new(), stored_length: raw_length, raw_length, compressed: false };
    let compressed = if raw.len() >= LOG_COMPRESS_BYTES_MIN {
        compress(raw, &mut scratch.compressed, &mut scratch.compressor)
    } else {
        None
    };
    let bytes = match compressed {
        Some(length) if length < raw.len() - raw.len() / 8 => {
            stored.stored_length = length as u32;
            stored.compressed = true;
            &scratch.compressed[..length]
        }
        _ => raw.as_slice(),
    };
    stored.bytes.reserve_exact(bytes.len().next_multiple_of(8));
    stored.bytes.extend_from_slice(bytes);
    stored.bytes.resize(stored.bytes.len().next_multiple_of(8), 0);
    Ok(stored)
}

/// Compresses into the front of `out`; says how many bytes, `None` when it cannot be done.
fn compress(
    raw: &[u8],
    out: &mut Vec<u8>,
    compressor: &mut Option<zstd::bulk::Compressor<'static>>,
) -> Option<usize> {
    if compressor.is_none() {
        *compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).ok();
    }
    let bound = zstd::zstd_safe::compress_bound(raw.len());
    if out.len() < bound {
        out.resize(bound, 0);
    }
    compressor.as_mut()?.compress_to_buffer(raw, out.as_mut_slice()).ok()
}

fn put_length(out: &mut Vec<u8>, length: usize) -> Result<()> {
    let length = u32::try_from(length)
        .map_err(|_| StorageError::Invalid("a batch has more than 4 G of something".to_owned()))?;
    out.extend_from_slice(&length.to_le_bytes());
    Ok(())
}

fn encode_column(out: &mut Vec<u8>, array: &ArrayRef, ty: ColumnType) -> Result<()> {
    if let DataType::Dictionary(_, _) = array.data_type() {
        let dictionary = array
            .as_dictionary_opt::<UInt32Type>()
            .ok_or_else(|| StorageError::Invalid("a dictionary column has other keys than u32".to_owned()))?;
        if dictionary.values().len() > array.len() {
            return encode_column(out, &crate::column::flatten(array)?, ty);
        }
        out.push(FORM_DICTIONARY);
        put_length(out, dictionary.values().len())?;
        put_views(out, dictionary.values().as_string_view().iter().map(|value| value.map(str::as_bytes)))?;
        out.extend_from_slice(dictionary.keys().values().inner().as_slice());
        return Ok(());
    }
    out.push(FORM_FLAT);
    match array.nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            out.push(1);
            put_bits(out, nulls.inner());
        }
        _ => out.push(0),
    }
    match ty {
        ColumnType::Bool => put_bits(out, array.as_boolean().values()),
        ColumnType::Int => {
            out.extend_from_slice(array.as_primitive::<Int32Type>().values().inner().as_slice())
        }
        ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
            out.extend_from_slice(array.as_primitive::<Int64Type>().values().inner().as_slice());
        }
        ColumnType::Real => {
            out.extend_from_slice(array.as_primitive::<Float64Type>().values().inner().as_slice())
        }
        ColumnType::Decimal | ColumnType::Guid => {
            let values = array.as_fixed_size_binary();
            out.reserve(values.len() * 16);
            for row in 0..values.len() {
                out.extend_from_slice(values.value(row));
            }
        }
        ColumnType::String => {
            put_views(out, array.as_string_view().iter().map(|value| value.map(str::as_bytes)))?
        }
        ColumnType::Dynamic => put_views(out, array.as_binary_view().iter())?,
    }
    Ok(())
}

fn put_bits(out: &mut Vec<u8>, bits: &BooleanBuffer) {
    if bits.offset().is_multiple_of(8) {
        let start = bits.offset() / 8;
        let bytes = &bits.values()[start..start + bits.len().div_ceil(8)];
        out.extend_from_slice(bytes);
        return;
    }
    let aligned = bits.sliced();
    out.extend_from_slice(&aligned.as_slice()[..bits.len().div_ceil(8)]);
}

/// All lengths first, then all bytes.
fn put_views<'a>(
    out: &mut Vec<u8>,
    values: impl ExactSizeIterator<Item = Option<&'a [u8]>> + Clone,
) -> Result<()> {
    let mut total = 0usize;
    out.reserve(values.len() * 4);
    for value in values.clone() {
        let length = value.map_or(0, <[u8]>::len);
        total += length;
        out.extend_from_slice(&(length as u32).to_le_bytes());
    }
    if total > LOG_RECORD_BYTES_MAX as usize {
        return Err(StorageError::Invalid("a batch has more text than one log record holds".to_owned()));
    }
    out.reserve(total);
    for value in values.flatten() {
        out.extend_from_slice(value);
    }
    Ok(())
}

/// Decodes a payload. The error says what is wrong with the bytes; no bytes make it panic.
pub fn decode(stored: &[u8], compressed: bool, raw_length: u32) -> std::result::Result<RowsPayload, String> {
    let raw: Buffer = if compressed {
        let raw = zstd::bulk::decompress(stored, raw_length as usize).map_err(|error| error.to_string())?;
        Buffer::from_vec(raw)
    } else {
        Buffer::from(stored)
    };
    if raw.len() != raw_length as usize {
        return Err("the payload has another length than announced".to_owned());
    }
    let mut reader = Reader { buffer: &raw, at: 0 };
    let appended_ticks = i64::from_le_bytes(reader.array()?);
    let key = match reader.byte()? {
        0 => None,
        1 => Some((u128::from_le_bytes(reader.array()?), u64::from_le_bytes(reader.array()?))),
        _ => return Err("unknown key form".to_owned()),
    };
    let mut tags = Vec::new();
    for _ in 0..reader.length()? {
        let length = reader.length()?;
        let text = std::str::from_utf8(reader.take(length)?).map_err(|error| error.to_string())?;
        tags.push(text.to_owned());
    }
    let rows = reader.length()?;
    let count = reader.length()?;
    if rows > APPEND_ROWS_MAX || (count == 0 && rows > 0) {
        return Err("a number of rows that no batch has".to_owned());
    }
    let mut columns = Vec::new();
    for _ in 0..count {
        let id = u32::from_le_bytes(reader.array()?);
        let ty = ColumnType::from_tag(reader.byte()?).ok_or("unknown column type")?;
        let array = decode_column(&mut reader, ty, rows)?;
        columns.push(ChunkColumn { id, ty, array });
    }
    if reader.at != raw.len() {
        return Err("bytes are left over after the last column".to_owned());
    }
    Ok(RowsPayload { appended_ticks, key, tags, rows, columns })
}

struct Reader<'a> {
    buffer: &'a Buffer,
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> std::result::Result<&'a [u8], String> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.buffer.len());
        let end = end.ok_or("the payload ends too early")?;
        let bytes = &self.buffer.as_slice()[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> std::result::Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> std::result::Result<[u8; N], String> {
        let mut value = [0u8; N];
        value.copy_from_slice(self.take(N)?);
        Ok(value)
    }

    fn length(&mut self) -> std::result::Result<usize, String> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn bits(&mut self, rows: usize) -> std::result::Result<BooleanBuffer, String> {
        let bytes = self.take(rows.div_ceil(8))?;
        Ok(BooleanBuffer::new(Buffer::from(bytes), 0, rows))
    }

    /// Values of a fixed width, copied so that they are aligned.
    fn values<T: ArrowNativeType>(&mut self, rows: usize) -> std::result::Result<ScalarBuffer<T>, String> {
        let bytes = rows.checked_mul(size_of::<T>()).ok_or("too many rows")?;
        let bytes = self.take(bytes)?;
        let mut aligned = MutableBuffer::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        Ok(ScalarBuffer::new(aligned.into(), 0, rows))
    }

    /// Views into the payload itself.
    fn views(&mut self, rows: usize) -> std::result::Result<(ScalarBuffer<u128>, Vec<Buffer>), String> {
        let lengths = self.take(rows.checked_mul(4).ok_or("too many rows")?)?;
        let (lengths, _) = lengths.as_chunks::<4>();
        let total = lengths.iter().map(|length| u64::from(u32::from_le_bytes(*length))).sum::<u64>();
        let start = self.at;
        let data = self.take(usize::try_from(total).map_err(|_| "too many bytes")?)?;
        let mut offset = 0usize;
        let mut views = Vec::with_capacity(rows);
        for length in lengths {
            let length = u32::from_le_bytes(*length) as usize;
            views.push(make_view(&data[offset..offset + length], 0, offset as u32));
            offset += length;
        }
        Ok((views.into(), vec![self.buffer.slice_with_length(start, data.len())]))
    }

    fn string_views(&mut self, rows: usize) -> std::result::Result<StringViewArray, String> {
        let (views, buffers) = self.views(rows)?;
        StringViewArray::try_new(views, buffers, None).map_err(|error| error.to_string())
    }
}

fn decode_column(
    reader: &mut Reader<'_>,
    ty: ColumnType,
    rows: usize,
) -> std::result::Result<ArrayRef, String> {
    match reader.byte()? {
        FORM_FLAT => {}
        FORM_DICTIONARY if ty == ColumnType::String => {
            let count = reader.length()?;
            let values = reader.string_views(count)?;
            let keys = PrimitiveArray::<UInt32Type>::new(reader.values::<u32>(rows)?, None);
            let array =
                DictionaryArray::try_new(keys, Arc::new(values)).map_err(|error| error.to_string())?;
            return Ok(Arc::new(array));
        }
        _ => return Err("unknown column form".to_owned()),
    }
    let nulls = match reader.byte()? {
        0 => None,
        1 => Some(NullBuffer::new(reader.bits(rows)?)),
        _ => return Err("unknown null form".to_owned()),
    };
    let array: ArrayRef = match ty {
        ColumnType::Bool => Arc::new(BooleanArray::new(reader.bits(rows)?, nulls)),
        ColumnType::Int => Arc::new(Int32Array::new(reader.values(rows)?, nulls)),
        ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
            Arc::new(Int64Array::new(reader.values(rows)?, nulls))
        }
        ColumnType::Real => Arc::new(Float64Array::new(reader.values(rows)?, nulls)),
        ColumnType::Decimal | ColumnType::Guid => {
            let bytes = reader.take(rows.checked_mul(16).ok_or("too many rows")?)?;
            if rows == 0 {
                absent(ty, 0)
            } else {
                let array = FixedSizeBinaryArray::try_new(16, Buffer::from(bytes), nulls);
                Arc::new(array.map_err(|error| arrow_error(error).to_string())?)
            }
        }
        ColumnType::String => {
            if nulls.is_some() {
                return Err("a string column has nulls".to_owned());
            }
            Arc::new(reader.string_views(rows)?)
        }
        ColumnType::Dynamic => {
            let (views, buffers) = reader.views(rows)?;
            Arc::new(BinaryViewArray::try_new(views, buffers, nulls).map_err(|error| error.to_string())?)
        }
    };
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One column of every type with `rows` rows, from a seed.
    fn columns(rows: usize, seed: u64, with_nulls: bool) -> Vec<ChunkColumn> {
        let value = |row: usize| seed.wrapping_mul(0x9E37_79B9).wrapping_add(row as u64 * 7919) % 1000;
        let null = |row: usize| with_nulls && value(row) % 3 == 0;
        let some = |row: usize| (!null(row)).then(|| value(row) as i64);
        let text = |row: usize| "x".repeat((value(row) % 40) as usize);
        ColumnType::ALL
            .iter()
            .zip(0u32..)
            .map(|(ty, id)| {
                let array: ArrayRef = match ty {
                    ColumnType::Bool => {
                        Arc::new((0..rows).map(|row| some(row).map(|v| v % 2 == 0)).collect::<BooleanArray>())
                    }
                    ColumnType::Int => {
                        Arc::new((0..rows).map(|row| some(row).map(|v| v as i32)).collect::<Int32Array>())
                    }
                    ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
                        Arc::new((0..rows).map(some).collect::<Int64Array>())
                    }
                    ColumnType::Real => Arc::new(
                        (0..rows).map(|row| some(row).map(|v| v as f64 / 3.0)).collect::<Float64Array>(),
                    ),
                    ColumnType::Decimal | ColumnType::Guid => {
                        let values: Vec<Option<[u8; 16]>> = (0..rows)
                            .map(|row| some(row).map(|v| u128::from(v as u64).to_le_bytes()))
                            .collect();
                        let array =
                            FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 16);
                        Arc::new(array.unwrap())
                    }
                    ColumnType::String => Arc::new(StringViewArray::from_iter_values((0..rows).map(text))),
                    ColumnType::Dynamic => Arc::new(BinaryViewArray::from_iter(
                        (0..rows).map(|row| some(row).map(|_| text(row).into_bytes())),
                    )),
                };
                ChunkColumn { id, ty: *ty, array }
            })
            .collect()
    }

    fn round_trip(payload: &RowsPayload) -> RowsPayload {
        let stored = encode(payload).unwrap();
        assert_eq!(stored.bytes.len() % 8, 0);
        let bytes = &stored.bytes[..stored.stored_length as usize];
        decode(bytes, stored.compressed, stored.raw_length).unwrap()
    }

    fn assert_same(left: &RowsPayload, right: &RowsPayload) {
        assert_eq!(
            (left.appended_ticks, left.key, &left.tags, left.rows),
            (right.appended_ticks, right.key, &right.tags, right.rows)
        );
        assert_eq!(left.columns.len(), right.columns.len());
        for (left, right) in left.columns.iter().zip(&right.columns) {
            assert_eq!((left.id, left.ty), (right.id, right.ty));
            let flat = |array: &ArrayRef| crate::column::flatten(array).unwrap();
            assert_eq!(&flat(&left.array), &flat(&right.array), "{:?}", left.ty);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_type_survives_the_round_trip(rows in 0usize..300, seed: u64, nulls: bool, offset in 0usize..20) {
            let mut columns = columns(rows + offset, seed, nulls);
            for column in &mut columns {
                column.array = column.array.slice(offset, rows);
            }
            let key = (seed % 2 == 0).then_some((u128::from(seed) << 64, 5));
            let payload = RowsPayload { appended_ticks: 77, key, tags: vec!["a".into(), "".into()], rows, columns };
            assert_same(&payload, &round_trip(&payload));
        }

        #[test]
        fn arbitrary_bytes_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes, false, bytes.len() as u32);
            let _ = decode(&bytes, true, 4096);
        }

        #[test]
        fn arbitrary_records_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            crate::log::fuzz::fuzz_segment(&bytes);
            crate::log::fuzz::fuzz_payload(&bytes);
        }

        #[test]
        fn damaged_bytes_do_not_panic(position in 0usize..10_000, value: u8) {
            let payload = RowsPayload { appended_ticks: 1, key: None, tags: vec![], rows: 20, columns: columns(20, 3, true) };
            let mut stored = encode(&payload).unwrap();
            let length = stored.stored_length as usize;
            stored.bytes[position % length] = value;
            let _ = decode(&stored.bytes[..length], stored.compressed, stored.raw_length);
        }
    }

    #[test]
    fn dictionaries_stay_dictionaries() {
        let values: ArrayRef =
            Arc::new(StringViewArray::from(vec!["a long enough value of a dictionary", "b"]));
        let keys = PrimitiveArray::<UInt32Type>::from_iter_values([0u32, 1, 1, 0, 1]);
        let array: ArrayRef = Arc::new(DictionaryArray::try_new(keys, values).unwrap());
        let columns = vec![ChunkColumn { id: 4, ty: ColumnType::String, array }];
        let payload = RowsPayload { appended_ticks: 1, key: None, tags: vec![], rows: 5, columns };
        let back = round_trip(&payload);
        assert!(matches!(back.columns[0].array.data_type(), DataType::Dictionary(_, _)));
        assert_same(&payload, &back);
    }
}
