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
/// Dictionaries whose codes take one byte or two.
const FORM_DICTIONARY_8: u8 = 2;
const FORM_DICTIONARY_16: u8 = 3;

/// Flags of a payload.
const HAS_KEY: u8 = 1;
/// Lengths and bytes of all texts stand behind everything else.
const TEXTS_APART: u8 = 2;

const TEXTS_PLAIN: u8 = 0;
const TEXTS_ZSTD: u8 = 1;

/// Level of zstd for texts: the fastest of its ordinary levels. Numbers stay as they are: compressing them costs
/// ingestion more time than writing them.
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
    pub length: u32,
}

/// Scratch past this size is not kept for the next payload.
const SCRATCH_BYTES_MAX: usize = 16 << 20;

/// What a thread uses again for each payload: fresh memory would cost more than the copying.
#[derive(Default)]
struct Scratch {
    raw: Vec<u8>,
    texts: Vec<u8>,
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
        let held = scratch.raw.capacity() + scratch.texts.capacity() + scratch.compressed.capacity();
        if held > SCRATCH_BYTES_MAX {
            scratch.raw = Vec::new();
            scratch.texts = Vec::new();
            scratch.compressed = Vec::new();
        }
        stored
    })
}

fn encode_with(payload: &RowsPayload, scratch: &mut Scratch) -> Result<StoredPayload> {
    let (raw, texts) = (&mut scratch.raw, &mut scratch.texts);
    raw.clear();
    texts.clear();
    raw.extend_from_slice(&payload.appended_ticks.to_le_bytes());
    raw.push(TEXTS_APART | if payload.key.is_some() { HAS_KEY } else { 0 });
    // Where the texts begin, their form and length, once they are known.
    let apart = raw.len();
    raw.extend_from_slice(&[0; 9]);
    if let Some((hash, rows)) = payload.key {
        raw.extend_from_slice(&hash.to_le_bytes());
        raw.extend_from_slice(&rows.to_le_bytes());
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
        encode_column(raw, texts, &column.array, column.ty)?;
    }
    let total = raw.len() + texts.len();
    if total > LOG_RECORD_BYTES_MAX as usize {
        return Err(StorageError::Invalid(format!(
            "a batch of {total} bytes is too large for one log record: append smaller ones"
        )));
    }
    let compressed = if texts.len() >= LOG_COMPRESS_BYTES_MIN {
        compress(texts, &mut scratch.compressed, &mut scratch.compressor)
    } else {
        None
    };
    let (form, tail) = match compressed {
        Some(length) if length < texts.len() - texts.len() / 8 => (TEXTS_ZSTD, &scratch.compressed[..length]),
        _ => (TEXTS_PLAIN, texts.as_slice()),
    };
    let begin = (raw.len() as u32).to_le_bytes();
    raw[apart..apart + 4].copy_from_slice(&begin);
    raw[apart + 4] = form;
    raw[apart + 5..apart + 9].copy_from_slice(&(texts.len() as u32).to_le_bytes());
    let length = raw.len() + tail.len();
    let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
    bytes.extend_from_slice(raw);
    bytes.extend_from_slice(tail);
    bytes.resize(length.next_multiple_of(8), 0);
    Ok(StoredPayload { bytes, length: length as u32 })
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

/// Texts go to `texts`, all else to `out`.
fn encode_column(out: &mut Vec<u8>, texts: &mut Vec<u8>, array: &ArrayRef, ty: ColumnType) -> Result<()> {
    if let DataType::Dictionary(_, _) = array.data_type() {
        let dictionary = array
            .as_dictionary_opt::<UInt32Type>()
            .ok_or_else(|| StorageError::Invalid("a dictionary column has other keys than u32".to_owned()))?;
        let count = dictionary.values().len();
        if count > array.len() {
            return encode_column(out, texts, &crate::column::flatten(array)?, ty);
        }
        let keys = dictionary.keys().values();
        out.push(match count {
            0..=0x100 => FORM_DICTIONARY_8,
            0x101..=0x1_0000 => FORM_DICTIONARY_16,
            _ => FORM_DICTIONARY,
        });
        put_length(out, count)?;
        put_views(texts, dictionary.values().as_string_view().iter().map(|value| value.map(str::as_bytes)))?;
        match count {
            0..=0x100 => out.extend(keys.iter().map(|key| *key as u8)),
            0x101..=0x1_0000 => out.extend(keys.iter().flat_map(|key| (*key as u16).to_le_bytes())),
            _ => out.extend_from_slice(keys.inner().as_slice()),
        }
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
            put_views(texts, array.as_string_view().iter().map(|value| value.map(str::as_bytes)))?
        }
        ColumnType::Dynamic => put_views(texts, array.as_binary_view().iter())?,
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
    let mut reader = Reader { buffer: raw, at: 0 };
    let appended_ticks = i64::from_le_bytes(reader.array()?);
    let flags = reader.byte()?;
    if flags & !(HAS_KEY | TEXTS_APART) != 0 {
        return Err("unknown flags of a payload".to_owned());
    }
    let mut texts = if flags & TEXTS_APART != 0 { Some(reader.texts_apart()?) } else { None };
    let key = if flags & HAS_KEY != 0 {
        Some((u128::from_le_bytes(reader.array()?), u64::from_le_bytes(reader.array()?)))
    } else {
        None
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
        let array = decode_column(&mut reader, texts.as_mut(), ty, rows)?;
        columns.push(ChunkColumn { id, ty, array });
    }
    if !reader.is_at_end() || texts.is_some_and(|texts| !texts.is_at_end()) {
        return Err("bytes are left over after the last column".to_owned());
    }
    Ok(RowsPayload { appended_ticks, key, tags, rows, columns })
}

struct Reader {
    buffer: Buffer,
    at: usize,
}

impl Reader {
    /// Cuts the texts off that stand behind everything else.
    fn texts_apart(&mut self) -> std::result::Result<Reader, String> {
        let begin = self.length()?;
        let form = self.byte()?;
        let length = self.length()?;
        if begin < self.at || begin > self.buffer.len() || length > LOG_RECORD_BYTES_MAX as usize {
            return Err("the texts stand outside of the payload".to_owned());
        }
        let stored = self.buffer.slice(begin);
        self.buffer = self.buffer.slice_with_length(0, begin);
        let buffer = match form {
            TEXTS_PLAIN => stored,
            TEXTS_ZSTD => {
                Buffer::from_vec(zstd::bulk::decompress(&stored, length).map_err(|error| error.to_string())?)
            }
            _ => return Err("unknown form of texts".to_owned()),
        };
        if buffer.len() != length {
            return Err("the texts have another length than announced".to_owned());
        }
        Ok(Reader { buffer, at: 0 })
    }

    fn is_at_end(&self) -> bool {
        self.at == self.buffer.len()
    }

    fn take(&mut self, length: usize) -> std::result::Result<&[u8], String> {
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
        let lengths_at = self.at;
        let lengths_bytes = rows.checked_mul(4).ok_or("too many rows")?;
        let (lengths, _) = self.take(lengths_bytes)?.as_chunks::<4>();
        let total = lengths.iter().map(|length| u64::from(u32::from_le_bytes(*length))).sum::<u64>();
        let start = self.at;
        self.take(usize::try_from(total).map_err(|_| "too many bytes")?)?;
        let bytes = self.buffer.as_slice();
        let (lengths, _) = bytes[lengths_at..start].as_chunks::<4>();
        let data = &bytes[start..self.at];
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

/// `texts`: where they stand, if not among the rest.
fn decode_column(
    reader: &mut Reader,
    texts: Option<&mut Reader>,
    ty: ColumnType,
    rows: usize,
) -> std::result::Result<ArrayRef, String> {
    match reader.byte()? {
        FORM_FLAT => {}
        form @ (FORM_DICTIONARY | FORM_DICTIONARY_8 | FORM_DICTIONARY_16) if ty == ColumnType::String => {
            let count = reader.length()?;
            let values = match texts {
                Some(texts) => texts.string_views(count)?,
                None => reader.string_views(count)?,
            };
            let keys: ScalarBuffer<u32> = match form {
                FORM_DICTIONARY_8 => reader.take(rows)?.iter().map(|key| u32::from(*key)).collect(),
                FORM_DICTIONARY_16 => reader.values::<u16>(rows)?.iter().map(|key| u32::from(*key)).collect(),
                _ => reader.values(rows)?,
            };
            let keys = PrimitiveArray::<UInt32Type>::new(keys, None);
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
            Arc::new(texts.unwrap_or(reader).string_views(rows)?)
        }
        ColumnType::Dynamic => {
            let (views, buffers) = texts.unwrap_or(reader).views(rows)?;
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
        decode(&stored.bytes[..stored.length as usize], false, stored.length).unwrap()
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
            let length = stored.length as usize;
            stored.bytes[position % length] = value;
            let _ = decode(&stored.bytes[..length], false, stored.length);
        }
    }

    #[test]
    fn payloads_with_texts_among_the_rest_are_still_read() {
        let mut bytes = 9i64.to_le_bytes().to_vec();
        bytes.push(1);
        bytes.extend_from_slice(&7u128.to_le_bytes());
        bytes.extend_from_slice(&2u64.to_le_bytes());
        for number in [0u32, 2, 2] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&4u32.to_le_bytes());
        bytes.extend_from_slice(&[ColumnType::String as u8, FORM_FLAT, 0]);
        bytes.extend_from_slice(&[1, 0, 0, 0, 2, 0, 0, 0]);
        bytes.extend_from_slice(b"abb");
        bytes.extend_from_slice(&5u32.to_le_bytes());
        bytes.extend_from_slice(&[ColumnType::String as u8, FORM_DICTIONARY, 1, 0, 0, 0, 3, 0, 0, 0]);
        bytes.extend_from_slice(b"xyz");
        bytes.extend_from_slice(&[0; 8]);
        let text = |values: [&str; 2]| Arc::new(StringViewArray::from(values.to_vec())) as ArrayRef;
        let expected = RowsPayload {
            appended_ticks: 9,
            key: Some((7, 2)),
            tags: vec![],
            rows: 2,
            columns: vec![
                ChunkColumn { id: 4, ty: ColumnType::String, array: text(["a", "bb"]) },
                ChunkColumn { id: 5, ty: ColumnType::String, array: text(["xyz", "xyz"]) },
            ],
        };
        assert_same(&expected, &decode(&bytes, false, bytes.len() as u32).unwrap());
        let frame = zstd::bulk::compress(&bytes, 1).unwrap();
        assert_same(&expected, &decode(&frame, true, bytes.len() as u32).unwrap());
    }

    #[test]
    fn codes_of_dictionaries_of_every_width_come_back() {
        for count in [1usize, 256, 257, 65_536, 65_537] {
            let values: ArrayRef =
                Arc::new(StringViewArray::from_iter_values((0..count).map(|value| format!("value {value}"))));
            let keys = PrimitiveArray::<UInt32Type>::from_iter_values((0..count as u32).rev());
            let array: ArrayRef = Arc::new(DictionaryArray::try_new(keys, values).unwrap());
            let columns = vec![ChunkColumn { id: 1, ty: ColumnType::String, array }];
            let payload = RowsPayload { appended_ticks: 1, key: None, tags: vec![], rows: count, columns };
            assert_same(&payload, &round_trip(&payload));
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
