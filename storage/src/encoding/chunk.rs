//! A whole column chunk: Arrow array to bytes and back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    Float64Array, Int32Array, Int64Array, StringArray, StringViewArray, UInt32Array, new_null_array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use super::dictionary;
use super::input::{Decoded, Input, Malformed};
use super::series::{self, Series, SeriesKey};
use super::shaped::{self, PathValues};
use super::text::{self, DecodedText, Texts};
use super::text_question::{self, Effort, TextAnswer, TextQuestion};
use super::validity::{self, Validity};
use super::{EncodeOptions, bitmap, choose, fixed16, integer, real};
use crate::dynamic::DynamicRef;
use crate::error::{Result, StorageError};
use crate::format::{ROW_GROUP_ROWS_MAX, TEXT_BYTES_MAX, encoding_tag as tag};
use crate::terms::TermFinder;
use crate::types::ColumnType;

/// Rows on which texts are tried before dynamic values are encoded by shapes.
const SHAPED_SAMPLE_ROWS: usize = 4096;

/// The distinct texts of a chunk that became a dictionary, and which of them each row has.
pub(crate) type DistinctTexts<'a> = Option<dictionary::Coded<&'a [u8]>>;

/// Appends the chunk of an array of the given column type. Null strings become "", the binary value
/// `dynamic(null)` becomes null.
pub fn encode_chunk(
    ty: ColumnType,
    array: &ArrayRef,
    options: &EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<()> {
    encode_with_distinct(ty, array, options, None, out).map(|_| ())
}

/// [`encode_chunk`] of a row group whose rows belong to series, giving back the distinct texts where it found
/// them.
pub(crate) fn encode_with_distinct<'a>(
    ty: ColumnType,
    array: &'a ArrayRef,
    options: &EncodeOptions,
    series: Option<&Series>,
    out: &mut Vec<u8>,
) -> Result<DistinctTexts<'a>> {
    let rows = array.len();
    if rows > ROW_GROUP_ROWS_MAX {
        return Err(StorageError::Invalid(format!("a row group of {rows} rows is too large")));
    }
    let is_dictionary = ty == ColumnType::String && array.as_any_dictionary_opt().is_some();
    if *array.data_type() != ty.arrow_type() && !is_dictionary {
        let found = array.data_type();
        return Err(StorageError::Invalid(format!("a {} column cannot hold {found}", ty.name())));
    }
    if matches!(ty, ColumnType::String | ColumnType::Dynamic) {
        let texts = if is_dictionary { dictionary_texts(array)? } else { flat_texts(ty, array) };
        return encode_texts(ty, texts, array, options, out);
    }
    validity::encode(array.nulls(), rows, out);
    if rows > 0 && array.null_count() == rows {
        return Ok(None);
    }
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    match ty {
        ColumnType::Bool => {
            let array = array.as_boolean();
            bitmap::encode(&filled(array.values().iter(), nulls), out);
        }
        ColumnType::Int => {
            let values = array.as_primitive::<Int32Type>().values();
            encode_integers(&filled(values.iter().map(|value| i64::from(*value)), nulls), nulls, series, out);
        }
        ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
            let values = array.as_primitive::<Int64Type>().values();
            match nulls {
                None => encode_integers(values, None, series, out),
                Some(_) => encode_integers(&filled(values.iter().copied(), nulls), nulls, series, out),
            }
        }
        ColumnType::Real => {
            let values = array.as_primitive::<Float64Type>().values();
            let level = options.zstd_level;
            match nulls {
                None => choose::encode_reals(values, None, series, level, out),
                Some(_) => {
                    choose::encode_reals(&filled(values.iter().copied(), nulls), nulls, series, level, out);
                }
            }
        }
        ColumnType::Decimal | ColumnType::Guid => {
            let array = array.as_fixed_size_binary();
            let values = (0..rows).map(|row| array.value(row).try_into().unwrap_or([0; 16]));
            fixed16::encode(&filled(values, nulls), options.zstd_level, out);
        }
        ColumnType::String | ColumnType::Dynamic => {}
    }
    Ok(None)
}

fn encode_integers(values: &[i64], nulls: Option<&NullBuffer>, series: Option<&Series>, out: &mut Vec<u8>) {
    if !series.is_some_and(|series| series::encode_integers(values, nulls, series, out)) {
        choose::encode_integers(values, 0, out);
    }
}

/// The values with every null slot holding the value before it (the first one: after it), which costs the
/// encodings least.
fn filled<T: Copy>(values: impl Iterator<Item = T>, nulls: Option<&NullBuffer>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    let Some(nulls) = nulls else { return values };
    let Some(first) = nulls.inner().set_indices().next() else { return values };
    let mut last = values[first];
    for (slot, valid) in values.iter_mut().zip(nulls.iter()) {
        if valid {
            last = *slot;
        } else {
            *slot = last;
        }
    }
    values
}

/// The texts of a chunk before it is encoded.
enum TextRows<'a> {
    Flat(Vec<&'a [u8]>),
    /// Distinct values and the position of each row's.
    Coded(dictionary::Coded<&'a [u8]>),
}

fn flat_texts(ty: ColumnType, array: &ArrayRef) -> TextRows<'_> {
    TextRows::Flat(if ty == ColumnType::String {
        let array = array.as_string_view();
        (0..array.len())
            .map(|row| if array.is_valid(row) { array.value(row).as_bytes() } else { &[] })
            .collect()
    } else {
        let array = array.as_binary_view();
        (0..array.len()).map(|row| if array.is_valid(row) { array.value(row) } else { &[] }).collect()
    })
}

fn dictionary_texts(array: &ArrayRef) -> Result<TextRows<'_>> {
    let wrong =
        || StorageError::Invalid("a string dictionary has other keys or values than u32 and text".to_owned());
    let array = array.as_dictionary_opt::<UInt32Type>().ok_or_else(wrong)?;
    let values = array.values().as_string_view_opt().ok_or_else(wrong)?;
    let keys = array.keys();
    // Position of each used value in `used`; position 0 stands for "" where a row is null.
    let mut used: Vec<&[u8]> = Vec::new();
    let mut position: Vec<Option<u32>> = vec![None; values.len()];
    let mut empty: Option<u32> = None;
    let mut codes = Vec::with_capacity(keys.len());
    for row in 0..keys.len() {
        let key = keys.is_valid(row).then(|| keys.value(row) as usize).filter(|key| values.is_valid(*key));
        let slot = match key {
            Some(key) => &mut position[key],
            None => &mut empty,
        };
        let code = *slot.get_or_insert_with(|| {
            used.push(key.map_or(&[][..], |key| values.value(key).as_bytes()));
            used.len() as u32 - 1
        });
        codes.push(i64::from(code));
    }
    // Equal values under different keys fall together here.
    let distinct = dictionary::assign(used.iter().copied(), used.len()).ok_or_else(wrong)?;
    for code in &mut codes {
        *code = distinct.codes[*code as usize];
    }
    Ok(TextRows::Coded(dictionary::Coded { values: distinct.values, codes }))
}

fn encode_texts<'a>(
    ty: ColumnType,
    texts: TextRows<'a>,
    array: &'a ArrayRef,
    options: &EncodeOptions,
    out: &mut Vec<u8>,
) -> Result<DistinctTexts<'a>> {
    let rows = array.len();
    let total: usize = match &texts {
        TextRows::Flat(values) => values.iter().map(|value| value.len()).sum(),
        TextRows::Coded(coded) => coded.values.iter().map(|value| value.len()).sum(),
    };
    if total > TEXT_BYTES_MAX {
        return Err(StorageError::Invalid(format!("{total} bytes of text are too many for one row group")));
    }
    if ty == ColumnType::Dynamic {
        let nulls = dynamic_nulls(array);
        validity::encode(nulls.as_ref(), rows, out);
        if rows > 0 && nulls.as_ref().is_some_and(|nulls| nulls.null_count() == rows) {
            return Ok(None);
        }
    } else {
        validity::encode(None, rows, out);
    }
    let coded = match texts {
        TextRows::Flat(values) if ty == ColumnType::Dynamic => {
            let nulls = dynamic_nulls(array);
            let valid = |row| nulls.as_ref().is_none_or(|nulls: &NullBuffer| nulls.is_valid(row));
            encode_dynamics(&values, valid, total, options.zstd_level, out)
        }
        TextRows::Flat(values) => choose::encode_texts(&values, options.zstd_level, out),
        TextRows::Coded(coded) => {
            // Expanding a dictionary must not break the limit that the flat form has.
            let expanded: usize = coded.codes.iter().map(|code| coded.values[*code as usize].len()).sum();
            if expanded > TEXT_BYTES_MAX {
                text::encode_dictionary(&coded, options.zstd_level, out);
                Some(coded)
            } else {
                choose::encode_coded_texts(coded, options.zstd_level, out)
            }
        }
    };
    Ok(coded)
}

/// Appends the node of dynamic values: by shapes, unless that is clearly larger than texts are.
fn encode_dynamics<'a>(
    values: &[&'a [u8]],
    valid: impl Fn(usize) -> bool,
    total: usize,
    level: i32,
    out: &mut Vec<u8>,
) -> Option<dictionary::Coded<&'a [u8]>> {
    let mut node = Vec::new();
    if !shaped::encode(values, valid, level, &mut node) {
        return choose::encode_texts(values, level, out);
    }
    // The texts of a sample tell what all would take, unless they are few: then a dictionary does better.
    let sample = &values[..values.len().min(SHAPED_SAMPLE_ROWS)];
    let repeats = dictionary::assign(sample.iter().copied(), sample.len() / 2).is_some();
    if !repeats {
        let bytes: usize = sample.iter().map(|value| value.len()).sum();
        let mut packed = Vec::new();
        text::encode_flat(sample, level, &mut packed);
        let estimate = packed.len() as f64 * (total as f64 / bytes.max(1) as f64);
        if sample.len() < values.len() && (node.len() as f64) < estimate {
            out.extend_from_slice(&node);
            return None;
        }
    }
    let mut flat = Vec::new();
    let coded = choose::encode_texts(values, level, &mut flat);
    if node.len() * 10 <= flat.len() * 11 {
        out.extend_from_slice(&node);
        return None;
    }
    out.extend_from_slice(&flat);
    coded
}

/// The nulls of a dynamic column, the binary value null included.
pub(crate) fn dynamic_nulls(array: &ArrayRef) -> Option<NullBuffer> {
    let array = array.as_binary_view();
    let hidden =
        (0..array.len()).any(|row| array.is_valid(row) && array.value(row) == DynamicRef::NULL.bytes());
    if !hidden {
        return array.nulls().cloned();
    }
    Some(NullBuffer::from_iter(
        (0..array.len()).map(|row| array.is_valid(row) && array.value(row) != DynamicRef::NULL.bytes()),
    ))
}

/// The columns whose codes are the key of a chunk; none where it decodes without others.
pub(crate) fn key_columns(bytes: &[u8], rows: usize) -> Decoded<Vec<u32>> {
    let mut input = Input::new(bytes);
    if matches!(validity::decode(&mut input, rows)?, Validity::AllNull) {
        return Ok(Vec::new());
    }
    Ok(series::parts(input)?.map(|(keys, _)| keys).unwrap_or_default())
}

/// The code of every row of a chunk of text, and how many codes there are; `None` where it is no dictionary.
pub(crate) fn decode_codes(bytes: &[u8], rows: usize) -> Decoded<Option<(ScalarBuffer<u32>, usize)>> {
    let mut input = Input::new(bytes);
    match begin(ColumnType::String, &mut input, rows)? {
        Begun::AllNull => Ok(None),
        Begun::Values(_) => Ok(text::decode_codes(input, rows)?.map(|(codes, count)| (codes.into(), count))),
    }
}

/// Decodes a chunk of exactly `rows` rows into the array of its column type; strings with few distinct
/// values into a dictionary of u32 keys. Chunks in the order of series do not decode without their key.
pub fn decode_chunk(ty: ColumnType, bytes: &[u8], rows: usize) -> Decoded<ArrayRef> {
    decode_chunk_by(ty, bytes, rows, None)
}

/// [`decode_chunk`] with the key of the columns that [`key_columns`] names.
pub(crate) fn decode_chunk_by(
    ty: ColumnType,
    bytes: &[u8],
    rows: usize,
    key: Option<&SeriesKey>,
) -> Decoded<ArrayRef> {
    let mut input = Input::new(bytes);
    match begin(ty, &mut input, rows)? {
        Begun::AllNull => Ok(new_null_array(&ty.arrow_type(), rows)),
        Begun::Values(nulls) => match ty {
            ColumnType::String => string_array(text::decode(input, rows)?),
            ColumnType::Dynamic => match shaped_body(input) {
                Some(body) => dynamic_array(DecodedText::Flat(shaped::decode(body, rows)?), nulls),
                None => dynamic_array(text::decode(input, rows)?, nulls),
            },
            _ => match series::parts(input)? {
                Some((_, node)) => series_array(ty, node, key_of(key, rows)?, nulls),
                None => fixed_array(ty, input, rows, nulls),
            },
        },
    }
}

fn key_of(key: Option<&SeriesKey>, rows: usize) -> Decoded<&SeriesKey> {
    key.filter(|key| key.rows() == rows).ok_or(Malformed("the key of the series is missing"))
}

/// An array of values that stand in the order of series.
fn series_array(
    ty: ColumnType,
    node: Input<'_>,
    key: &SeriesKey,
    nulls: Option<NullBuffer>,
) -> Decoded<ArrayRef> {
    match ty {
        ColumnType::Real => Ok(real_array(series::decode_reals(node, key)?, nulls)),
        ColumnType::Int => {
            let values: Vec<i32> = series::decode_integers(node, key)?;
            Ok(Arc::new(Int32Array::new(ScalarBuffer::from(values), nulls)))
        }
        _ => integer_array(ty, series::decode_integers(node, key)?, nulls),
    }
}

fn real_array(values: Vec<f64>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(Float64Array::new(ScalarBuffer::from(values), nulls))
}

fn integer_array(ty: ColumnType, values: Vec<i64>, nulls: Option<NullBuffer>) -> Decoded<ArrayRef> {
    match ty {
        ColumnType::Int => {
            let values: Vec<i32> = values.iter().map(|value| *value as i32).collect();
            Ok(Arc::new(Int32Array::new(ScalarBuffer::from(values), nulls)))
        }
        ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
            Ok(Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls)))
        }
        _ => Err(Malformed("values of this type never stand in the order of series")),
    }
}

/// Decodes the given rows of a chunk, which must ascend. Of long text only the pieces that hold them are
/// unpacked. Chunks in the order of series do not decode without their key.
pub fn decode_chunk_rows(ty: ColumnType, bytes: &[u8], rows: usize, wanted: &[u32]) -> Decoded<ArrayRef> {
    decode_chunk_rows_by(ty, bytes, rows, wanted, None)
}

/// [`decode_chunk_rows`] with the key of the columns that [`key_columns`] names.
pub(crate) fn decode_chunk_rows_by(
    ty: ColumnType,
    bytes: &[u8],
    rows: usize,
    wanted: &[u32],
    key: Option<&SeriesKey>,
) -> Decoded<ArrayRef> {
    // Without a branch a row: nearly always they do.
    let ascending = wanted.windows(2).fold(true, |ascending, pair| ascending & (pair[0] < pair[1]));
    if !ascending || wanted.last().is_some_and(|last| *last as usize >= rows) {
        return Err(Malformed("the rows asked for do not ascend, or do not exist"));
    }
    let mut input = Input::new(bytes);
    let take = |array: &dyn Array| {
        let wanted = UInt32Array::from(wanted.to_vec());
        arrow_select::take::take(array, &wanted, None).map_err(|_| Malformed("rows cannot be taken"))
    };
    match begin(ty, &mut input, rows)? {
        Begun::AllNull => Ok(new_null_array(&ty.arrow_type(), wanted.len())),
        Begun::Values(nulls) => match ty {
            ColumnType::String => string_array(text::decode_rows(input, rows, wanted)?),
            ColumnType::Dynamic => {
                let nulls =
                    nulls.map(|nulls| wanted.iter().map(|row| nulls.is_valid(*row as usize)).collect());
                match shaped_body(input) {
                    Some(body) => {
                        dynamic_array(DecodedText::Flat(shaped::decode_rows(body, rows, wanted)?), nulls)
                    }
                    None => dynamic_array(text::decode_rows(input, rows, wanted)?, nulls),
                }
            }
            _ => match series::parts(input)? {
                Some((_, node)) => {
                    let key = key_of(key, rows)?;
                    // Nearly all blocks would be touched.
                    if wanted.len() * 8 > rows {
                        return take(&series_array(ty, node, key, nulls)?);
                    }
                    let places = key.places(wanted);
                    let nulls =
                        nulls.map(|nulls| wanted.iter().map(|row| nulls.is_valid(*row as usize)).collect());
                    match ty {
                        ColumnType::Real => Ok(real_array(series::pick_reals(node, key, &places)?, nulls)),
                        _ => integer_array(ty, series::pick_integers(node, key, &places)?, nulls),
                    }
                }
                None if integer::are_few(wanted.len(), rows) => {
                    let some = |nulls: &NullBuffer| {
                        wanted.iter().map(|row| nulls.is_valid(*row as usize)).collect::<NullBuffer>()
                    };
                    match ty {
                        ColumnType::Real => {
                            let values = real::pick(input, rows, wanted)?;
                            Ok(real_array(values, nulls.as_ref().map(some)))
                        }
                        ColumnType::Int | ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
                            let values = integer::pick(input, rows, 0, wanted)?;
                            integer_array(ty, values, nulls.as_ref().map(some))
                        }
                        _ => take(&fixed_array(ty, input, rows, nulls)?),
                    }
                }
                None => take(&fixed_array(ty, input, rows, nulls)?),
            },
        },
    }
}

/// The values of a string chunk that is a dictionary, without its codes; `None` where it is none.
pub fn decode_chunk_distinct(bytes: &[u8], rows: usize) -> Decoded<Option<StringViewArray>> {
    let mut input = Input::new(bytes);
    match begin(ColumnType::String, &mut input, rows)? {
        Begun::AllNull => Ok(None),
        Begun::Values(_) => text::decode_dictionary_values(input, rows)?.map(string_views).transpose(),
    }
}

/// What stands under a path of keys in each row of a dynamic chunk, without decoding the rest of the values;
/// `None` where the chunk is not encoded by shapes, or the path leads to objects.
pub fn decode_chunk_path(bytes: &[u8], rows: usize, keys: &[&str]) -> Decoded<Option<PathValues>> {
    let mut input = Input::new(bytes);
    match begin(ColumnType::Dynamic, &mut input, rows)? {
        Begun::AllNull => Ok(Some(PathValues::absent(rows))),
        Begun::Values(nulls) => match shaped_body(input) {
            Some(body) => shaped::read_path(body, rows, keys, nulls.as_ref()),
            None => Ok(None),
        },
    }
}

/// What is asked of the texts of a string chunk, an answer to each question, without an array of them.
pub fn decode_chunk_texts(
    bytes: &[u8],
    rows: usize,
    questions: &[TextQuestion<'_>],
    effort: Effort,
) -> Decoded<Option<Vec<TextAnswer>>> {
    let mut input = Input::new(bytes);
    begin(ColumnType::String, &mut input, rows)?;
    text_question::answer(input, rows, questions, effort)
}

/// Which values of a dynamic chunk, written as text, the finder finds something in; `None` where the chunk is not
/// encoded by shapes, or it takes the texts to tell. What is looked for must not be empty.
pub fn decode_chunk_dynamics(
    bytes: &[u8],
    rows: usize,
    finder: &TermFinder,
) -> Decoded<Option<BooleanBuffer>> {
    let mut input = Input::new(bytes);
    match begin(ColumnType::Dynamic, &mut input, rows)? {
        Begun::AllNull => Ok(Some(BooleanBuffer::new_unset(rows))),
        Begun::Values(nulls) => {
            let Some(body) = shaped_body(input) else { return Ok(None) };
            let found = shaped::search(body, rows, finder)?;
            Ok(match (found, nulls) {
                (Some(found), Some(nulls)) => Some(&found & nulls.inner()),
                (found, _) => found,
            })
        }
    }
}

/// The body of a node of shapes.
fn shaped_body(mut input: Input<'_>) -> Option<Input<'_>> {
    matches!(input.u8(), Ok(tag::SHAPED)).then_some(input)
}

/// What the validity of a chunk leaves to decode.
enum Begun {
    AllNull,
    Values(Option<NullBuffer>),
}

fn begin(ty: ColumnType, input: &mut Input<'_>, rows: usize) -> Decoded<Begun> {
    if rows > ROW_GROUP_ROWS_MAX {
        return Err(Malformed("the row group is too large"));
    }
    match validity::decode(input, rows)? {
        Validity::AllValid => Ok(Begun::Values(None)),
        _ if ty == ColumnType::String => Err(Malformed("strings are never null")),
        Validity::Some(nulls) => Ok(Begun::Values(Some(nulls))),
        Validity::AllNull => {
            input.finish()?;
            Ok(Begun::AllNull)
        }
    }
}

/// An array of a type whose values all have one width.
fn fixed_array(
    ty: ColumnType,
    input: Input<'_>,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> Decoded<ArrayRef> {
    Ok(match ty {
        ColumnType::Bool => Arc::new(BooleanArray::new(bitmap::decode(input, rows)?, nulls)),
        ColumnType::Int => {
            let values: Vec<i32> = integer::decode(input, rows, 0)?;
            Arc::new(Int32Array::new(ScalarBuffer::from(values), nulls))
        }
        ColumnType::Real => {
            Arc::new(Float64Array::new(ScalarBuffer::from(real::decode(input, rows)?), nulls))
        }
        ColumnType::Decimal | ColumnType::Guid => {
            let array = FixedSizeBinaryArray::try_new(16, fixed16::decode(input, rows)?.into(), nulls);
            Arc::new(array.map_err(|_| Malformed("16-byte values of the wrong length"))?)
        }
        ColumnType::Long
        | ColumnType::DateTime
        | ColumnType::TimeSpan
        | ColumnType::String
        | ColumnType::Dynamic => {
            let values: Vec<i64> = integer::decode(input, rows, 0)?;
            Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls))
        }
    })
}

fn string_array(texts: DecodedText) -> Decoded<ArrayRef> {
    Ok(match texts {
        DecodedText::Flat(texts) => Arc::new(string_views(texts)?),
        DecodedText::Dictionary { values, codes } => {
            let keys = UInt32Array::new(ScalarBuffer::from(codes), None);
            let array = DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(string_views(values)?));
            Arc::new(array.map_err(|_| Malformed("a dictionary code has no value"))?)
        }
    })
}

fn dynamic_array(texts: DecodedText, nulls: Option<NullBuffer>) -> Decoded<ArrayRef> {
    let (views, buffers) = match texts {
        DecodedText::Flat(texts) => {
            let (views, buffers, _) = binary_views(texts)?.into_parts();
            (views, buffers)
        }
        DecodedText::Dictionary { values, codes } => {
            let (views, buffers, _) = binary_views(values)?.into_parts();
            (codes.iter().map(|code| views[*code as usize]).collect(), buffers)
        }
    };
    let array = BinaryViewArray::try_new(views, buffers, nulls);
    Ok(Arc::new(array.map_err(|_| Malformed("texts lie outside their buffer"))?))
}

/// Checks UTF-8 once for the whole chunk, then only makes views.
pub(crate) fn string_views(texts: Texts) -> Decoded<StringViewArray> {
    let flat =
        StringArray::try_new(texts.offsets, texts.bytes, None).map_err(|_| Malformed("text is not UTF-8"))?;
    Ok(StringViewArray::from(&flat))
}

fn binary_views(texts: Texts) -> Decoded<BinaryViewArray> {
    let flat = BinaryArray::try_new(texts.offsets, texts.bytes, None)
        .map_err(|_| Malformed("texts lie outside their buffer"))?;
    Ok(BinaryViewArray::from(&flat))
}
