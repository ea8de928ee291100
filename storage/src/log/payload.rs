//! The payload of a row record: a batch's columns, numbers in few bits, texts behind everything else and compressed.
//!
//! Made for speed of writing before size: the rows move to extents within minutes. `packed` has the numbers.

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
use crate::encoding::input::{Decoded, Input};
use crate::encoding::integer::Target;
use crate::error::{Result, StorageError};
use crate::limits::{APPEND_ROWS_MAX, LOG_COMPRESS_BYTES_MIN, LOG_RECORD_BYTES_MAX};
use crate::log::packed;
use crate::row_store::ChunkColumn;
use crate::types::ColumnType;

const _: () = assert!(cfg!(target_endian = "little"), "buffers are written as they are in memory");

const FORM_FLAT: u8 = 0;
const FORM_DICTIONARY: u8 = 1;
/// Dictionaries whose codes take one byte or two.
const FORM_DICTIONARY_8: u8 = 2;
const FORM_DICTIONARY_16: u8 = 3;
/// Since version 2 of the log, where there are rows enough: numbers as nodes of integers, ...
const FORM_PACKED: u8 = 4;
/// ... doubles as decimals, ...
const FORM_DECIMALS: u8 = 5;
/// ... texts with their lengths as a node, ...
const FORM_TEXTS: u8 = 6;
/// ... dictionaries with lengths and codes as nodes, ...
const FORM_DICTIONARY_PACKED: u8 = 7;
/// ... and hexadecimal ids of one length.
const FORM_HEX: u8 = 8;

/// Bytes of memory that the rows of all columns may take where columns are packed: so much may come out of few bytes.
const PACKED_BYTES_MAX: usize = 256 << 20;
/// Bytes that a row of a packed column is counted for.
const PACKED_ROW_BYTES: usize = 16;

/// Flags of a payload.
const HAS_KEY: u8 = 1;
/// Lengths and bytes of all texts stand behind everything else.
const TEXTS_APART: u8 = 2;

const TEXTS_PLAIN: u8 = 0;
const TEXTS_ZSTD: u8 = 1;

/// Level of zstd for texts: below the ordinary ones literals are not packed. It takes about two thirds of the time of
/// level 1 for a third more bytes.
const COMPRESSION_LEVEL: i32 = -1;

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
    integers: Vec<i64>,
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
            scratch.integers = Vec::new();
            scratch.compressed = Vec::new();
        }
        stored
    })
}

fn encode_with(payload: &RowsPayload, scratch: &mut Scratch) -> Result<StoredPayload> {
    let (raw, texts, integers) = (&mut scratch.raw, &mut scratch.texts, &mut scratch.integers);
    let is_packed = payload.rows >= packed::ROWS_MIN
        && payload.rows * payload.columns.len() * PACKED_ROW_BYTES <= PACKED_BYTES_MAX;
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
        if !is_packed || !encode_packed(raw, texts, integers, &column.array, column.ty)? {
            encode_column(raw, texts, &column.array, column.ty)?;
        }
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

fn put_nulls(out: &mut Vec<u8>, array: &ArrayRef) {
    match array.nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            out.push(1);
            put_bits(out, nulls.inner());
        }
        _ => out.push(0),
    }
}

/// Writes a column of enough rows in few bits; `false`, and nothing: it takes none of these forms. Texts go to `texts`,
/// all else to `out`.
fn encode_packed(
    out: &mut Vec<u8>,
    texts: &mut Vec<u8>,
    integers: &mut Vec<i64>,
    array: &ArrayRef,
    ty: ColumnType,
) -> Result<bool> {
    if let Some(dictionary) = array.as_dictionary_opt::<UInt32Type>() {
        let values = dictionary.values().as_string_view();
        if values.len() > array.len() {
            return Ok(false);
        }
        out.push(FORM_DICTIONARY_PACKED);
        put_length(out, values.len())?;
        put_texts(out, texts, integers, values.iter().map(|value| value.map(str::as_bytes)))?;
        integers.clear();
        integers.extend(dictionary.keys().values().iter().map(|key| i64::from(*key)));
        packed::put_integers(integers, false, out);
        return Ok(true);
    }
    let start = out.len();
    match ty {
        ColumnType::Int => {
            begin(out, FORM_PACKED, array);
            integers.clear();
            integers.extend(array.as_primitive::<Int32Type>().values().iter().map(|value| i64::from(*value)));
            packed::put_integers(integers, false, out);
        }
        ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
            begin(out, FORM_PACKED, array);
            packed::put_integers(array.as_primitive::<Int64Type>().values(), true, out);
        }
        ColumnType::Real => {
            begin(out, FORM_DECIMALS, array);
            if !packed::put_decimals(array.as_primitive::<Float64Type>().values(), integers, out) {
                out.truncate(start);
                return Ok(false);
            }
        }
        ColumnType::String => {
            let values = array.as_string_view();
            begin(out, FORM_HEX, array);
            let bytes = values.iter().map(|value| value.unwrap_or_default().as_bytes());
            if packed::put_hex(bytes, out) {
                return Ok(true);
            }
            out.truncate(start);
            begin(out, FORM_TEXTS, array);
            put_texts(out, texts, integers, values.iter().map(|value| value.map(str::as_bytes)))?;
        }
        ColumnType::Dynamic => {
            begin(out, FORM_TEXTS, array);
            put_texts(out, texts, integers, array.as_binary_view().iter())?;
        }
        ColumnType::Bool | ColumnType::Decimal | ColumnType::Guid => return Ok(false),
    }
    Ok(true)
}

fn begin(out: &mut Vec<u8>, form: u8, array: &ArrayRef) {
    out.push(form);
    put_nulls(out, array);
}

/// The lengths of texts as a node to `out`, their bytes to `texts`.
fn put_texts<'a>(
    out: &mut Vec<u8>,
    texts: &mut Vec<u8>,
    lengths: &mut Vec<i64>,
    values: impl ExactSizeIterator<Item = Option<&'a [u8]>>,
) -> Result<()> {
    lengths.clear();
    for value in values {
        let value = value.unwrap_or_default();
        lengths.push(value.len() as i64);
        texts.extend_from_slice(value);
        if texts.len() > LOG_RECORD_BYTES_MAX as usize {
            return Err(too_much_text());
        }
    }
    packed::put_integers(lengths, false, out);
    Ok(())
}

fn too_much_text() -> StorageError {
    StorageError::Invalid("a batch has more text than one log record holds".to_owned())
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
    put_nulls(out, array);
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
        return Err(too_much_text());
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
    let mut packed_left = PACKED_BYTES_MAX;
    for _ in 0..count {
        let id = u32::from_le_bytes(reader.array()?);
        let ty = ColumnType::from_tag(reader.byte()?).ok_or("unknown column type")?;
        let array = decode_column(&mut reader, texts.as_mut(), ty, rows, &mut packed_left)?;
        columns.push(ChunkColumn { id, ty, array });
    }
    if !reader.is_at_end() || texts.is_some_and(|texts| !texts.is_at_end()) {
        return Err("bytes are left over after the last column".to_owned());
    }
    Ok(RowsPayload { appended_ticks, key, tags, rows, columns })
}

type Views = (ScalarBuffer<u128>, Vec<Buffer>);

fn string_views((views, buffers): Views) -> std::result::Result<StringViewArray, String> {
    StringViewArray::try_new(views, buffers, None).map_err(|error| error.to_string())
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

    fn nulls(&mut self, rows: usize) -> std::result::Result<Option<NullBuffer>, String> {
        match self.byte()? {
            0 => Ok(None),
            1 => Ok(Some(NullBuffer::new(self.bits(rows)?))),
            _ => Err("unknown null form".to_owned()),
        }
    }

    /// Values of a fixed width, copied so that they are aligned.
    fn values<T: ArrowNativeType>(&mut self, rows: usize) -> std::result::Result<ScalarBuffer<T>, String> {
        let bytes = rows.checked_mul(size_of::<T>()).ok_or("too many rows")?;
        let bytes = self.take(bytes)?;
        let mut aligned = MutableBuffer::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        Ok(ScalarBuffer::new(aligned.into(), 0, rows))
    }

    /// What a reader of nodes takes from here.
    fn packed<T>(
        &mut self,
        read: impl FnOnce(&mut Input<'_>) -> Decoded<T>,
    ) -> std::result::Result<T, String> {
        let mut input = Input::new(&self.buffer.as_slice()[self.at..]);
        let value = read(&mut input).map_err(|error| error.to_string())?;
        self.at = self.buffer.len() - input.remaining();
        Ok(value)
    }

    fn integers<T: Target>(&mut self, count: usize) -> std::result::Result<Vec<T>, String> {
        self.packed(|input| packed::integers(input.part()?, count))
    }

    /// Views into the payload itself, behind their lengths.
    fn views(&mut self, rows: usize) -> std::result::Result<Views, String> {
        let bytes = self.take(rows.checked_mul(4).ok_or("too many rows")?)?;
        let lengths: Vec<u32> =
            bytes.as_chunks::<4>().0.iter().map(|length| u32::from_le_bytes(*length)).collect();
        self.views_of(&lengths)
    }

    fn views_of(&mut self, lengths: &[u32]) -> std::result::Result<Views, String> {
        let total = lengths.iter().map(|length| u64::from(*length)).sum::<u64>();
        let start = self.at;
        let data = self.take(usize::try_from(total).map_err(|_| "too many bytes")?)?;
        let mut offset = 0usize;
        let mut views = Vec::with_capacity(lengths.len());
        for length in lengths {
            let length = *length as usize;
            views.push(make_view(&data[offset..offset + length], 0, offset as u32));
            offset += length;
        }
        Ok((views.into(), vec![self.buffer.slice_with_length(start, offset)]))
    }
}

/// `texts`: where they stand, if not among the rest. `packed_left`: bytes that packed columns may still take.
fn decode_column(
    reader: &mut Reader,
    texts: Option<&mut Reader>,
    ty: ColumnType,
    rows: usize,
    packed_left: &mut usize,
) -> std::result::Result<ArrayRef, String> {
    let form = reader.byte()?;
    if form >= FORM_PACKED {
        let bytes = rows.saturating_mul(PACKED_ROW_BYTES);
        *packed_left = packed_left.checked_sub(bytes).ok_or("packed columns of too many rows")?;
        return decode_packed(reader, texts, form, ty, rows);
    }
    match form {
        FORM_FLAT => {}
        form @ (FORM_DICTIONARY | FORM_DICTIONARY_8 | FORM_DICTIONARY_16) if ty == ColumnType::String => {
            let count = reader.length()?;
            let values = match texts {
                Some(texts) => string_views(texts.views(count)?)?,
                None => string_views(reader.views(count)?)?,
            };
            let keys: ScalarBuffer<u32> = match form {
                FORM_DICTIONARY_8 => reader.take(rows)?.iter().map(|key| u32::from(*key)).collect(),
                FORM_DICTIONARY_16 => reader.values::<u16>(rows)?.iter().map(|key| u32::from(*key)).collect(),
                _ => reader.values(rows)?,
            };
            return dictionary(keys, values);
        }
        _ => return Err("unknown column form".to_owned()),
    }
    let nulls = reader.nulls(rows)?;
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
                return Err(NULLS_IN_STRINGS.to_owned());
            }
            Arc::new(string_views(texts.unwrap_or(reader).views(rows)?)?)
        }
        ColumnType::Dynamic => {
            let (views, buffers) = texts.unwrap_or(reader).views(rows)?;
            Arc::new(BinaryViewArray::try_new(views, buffers, nulls).map_err(|error| error.to_string())?)
        }
    };
    Ok(array)
}

const NULLS_IN_STRINGS: &str = "a string column has nulls";

fn dictionary(keys: ScalarBuffer<u32>, values: StringViewArray) -> std::result::Result<ArrayRef, String> {
    let keys = PrimitiveArray::<UInt32Type>::new(keys, None);
    let array = DictionaryArray::try_new(keys, Arc::new(values)).map_err(|error| error.to_string())?;
    Ok(Arc::new(array))
}

/// A column in one of the forms that pack, after the byte of the form.
fn decode_packed(
    reader: &mut Reader,
    texts: Option<&mut Reader>,
    form: u8,
    ty: ColumnType,
    rows: usize,
) -> std::result::Result<ArrayRef, String> {
    let texts = || texts.ok_or("packed texts stand among the rest");
    if form == FORM_DICTIONARY_PACKED && ty == ColumnType::String {
        let count = reader.length()?;
        if count > rows {
            return Err("a dictionary has more values than rows".to_owned());
        }
        let lengths: Vec<u32> = reader.integers(count)?;
        let values = string_views(texts()?.views_of(&lengths)?)?;
        return dictionary(reader.integers::<u32>(rows)?.into(), values);
    }
    let nulls = reader.nulls(rows)?;
    if nulls.is_some() && ty == ColumnType::String {
        return Err(NULLS_IN_STRINGS.to_owned());
    }
    Ok(match (form, ty) {
        (FORM_PACKED, ColumnType::Int) => {
            Arc::new(Int32Array::new(reader.integers::<i32>(rows)?.into(), nulls))
        }
        (FORM_PACKED, ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan) => {
            Arc::new(Int64Array::new(reader.integers::<i64>(rows)?.into(), nulls))
        }
        (FORM_DECIMALS, ColumnType::Real) => {
            let values = reader.packed(|input| packed::decimals(input, rows))?;
            Arc::new(Float64Array::new(values.into(), nulls))
        }
        (FORM_TEXTS, ColumnType::String) => {
            let lengths: Vec<u32> = reader.integers(rows)?;
            Arc::new(string_views(texts()?.views_of(&lengths)?)?)
        }
        (FORM_TEXTS, ColumnType::Dynamic) => {
            let lengths: Vec<u32> = reader.integers(rows)?;
            let (views, buffers) = texts()?.views_of(&lengths)?;
            Arc::new(BinaryViewArray::try_new(views, buffers, nulls).map_err(|error| error.to_string())?)
        }
        (FORM_HEX, ColumnType::String) => {
            let (length, bytes) = reader.packed(|input| packed::hex(input, rows))?;
            let mut ids = Reader { buffer: Buffer::from_vec(bytes), at: 0 };
            Arc::new(string_views(ids.views_of(&vec![length as u32; rows])?)?)
        }
        _ => return Err("unknown column form".to_owned()),
    })
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
        let mut columns: Vec<ChunkColumn> = ColumnType::ALL
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
            .collect();
        let ids = (0..rows).map(|row| format!("{:032x}", value(row).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let prices = (0..rows).map(|row| some(row).map(|value| value as f64 / 100.0));
        let values: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..7).map(text)));
        let keys = PrimitiveArray::<UInt32Type>::from_iter_values((0..rows).map(|row| value(row) as u32 % 7));
        columns.extend([
            ChunkColumn {
                id: 20,
                ty: ColumnType::String,
                array: Arc::new(StringViewArray::from_iter_values(ids)),
            },
            ChunkColumn { id: 21, ty: ColumnType::Real, array: Arc::new(prices.collect::<Float64Array>()) },
            ChunkColumn {
                id: 22,
                ty: ColumnType::String,
                array: Arc::new(DictionaryArray::try_new(keys, values).unwrap()),
            },
        ]);
        columns
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
        fn every_type_survives_the_round_trip(rows in 0usize..700, seed: u64, nulls: bool, offset in 0usize..20) {
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
            crate::log::fuzz::fuzz_packed(&bytes);
        }

        #[test]
        fn damaged_bytes_do_not_panic(position in 0usize..20_000, value: u8, is_packed: bool) {
            let rows = if is_packed { 300 } else { 20 };
            let payload = RowsPayload { appended_ticks: 1, key: None, tags: vec![], rows, columns: columns(rows, 3, true) };
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
    fn payloads_of_version_1_are_still_read() {
        let bytes = include_bytes!("../../tests/golden/log-payload-v1.bin");
        let expected = RowsPayload {
            appended_ticks: 77,
            key: Some((7, 5)),
            tags: vec!["a".into(), "".into()],
            rows: 100,
            columns: columns(100, 5, true),
        };
        assert_same(&expected, &decode(bytes, false, bytes.len() as u32).unwrap());
    }

    #[test]
    fn packed_columns_do_not_grow_without_bound() {
        let column = |id| ChunkColumn {
            id,
            ty: ColumnType::Long,
            array: Arc::new(Int64Array::from_value(7, 1 << 22)),
        };
        let payload = |columns: Vec<ChunkColumn>| RowsPayload {
            appended_ticks: 1,
            key: None,
            tags: vec![],
            rows: 1 << 22,
            columns,
        };
        let few = payload((0..4).map(column).collect());
        assert!(encode(&few).unwrap().length < 1000);
        assert_same(&few, &round_trip(&few));
        let mut many = encode(&few).unwrap().bytes;
        let count_at = 8 + 1 + 9 + 4 + 4;
        assert_eq!(many[count_at..count_at + 4], 4u32.to_le_bytes());
        many[count_at] = 5;
        many.extend_from_within(count_at + 4..count_at + 4 + (many.len() - count_at - 4) / 4);
        assert!(decode(&many, false, many.len() as u32).is_err());
        let five = payload((0..5).map(column).collect());
        assert!(encode(&five).unwrap().length > 5 << 25);
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
