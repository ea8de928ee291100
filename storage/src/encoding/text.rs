//! Strings and dynamic values: lengths and concatenated bytes, plain or zstd; or a dictionary of them.

use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::dictionary::{self, Coded};
use super::input::{Decoded, Input, Malformed, put_part};
use super::{choose, integer, zstd_block};
use crate::format::{TEXT_BYTES_MAX, encoding_tag as tag};

/// Texts shorter than this all together are not worth a zstd frame.
const COMPRESS_BYTES_MIN: usize = 256;

/// Decoded text: all bytes end to end, and where each value ends.
pub(crate) struct Texts {
    pub offsets: OffsetBuffer<i32>,
    pub bytes: Buffer,
}

/// A decoded chunk of text.
pub(crate) enum DecodedText {
    Flat(Texts),
    Dictionary { values: Texts, codes: Vec<u32> },
}

/// Appends a node of texts without dictionary. Their bytes must stay within `TEXT_BYTES_MAX`.
pub(crate) fn encode_flat(values: &[&[u8]], level: i32, out: &mut Vec<u8>) {
    let lengths: Vec<i64> = values.iter().map(|value| value.len() as i64).collect();
    let bytes = values.concat();
    let frame = if bytes.len() < COMPRESS_BYTES_MIN { None } else { zstd_block::compress(&bytes, level) };
    out.push(if frame.is_some() { tag::TEXT_ZSTD } else { tag::TEXT });
    put_part(out, |out| choose::encode_integers(&lengths, 1, out));
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(frame.as_deref().unwrap_or(&bytes));
}

pub(crate) fn encode_dictionary(coded: &Coded<&[u8]>, level: i32, out: &mut Vec<u8>) {
    dictionary::encode(coded, 0, out, |values, out| encode_flat(values, level, out));
}

fn decode_flat(mut input: Input<'_>, rows: usize) -> Decoded<Texts> {
    let kind = input.u8()?;
    let lengths: Vec<u32> = integer::decode(input.part()?, rows, 1)?;
    let total = input.count(TEXT_BYTES_MAX)?;
    let mut offsets: Vec<i32> = Vec::with_capacity(rows + 1);
    offsets.push(0);
    let mut end = 0u64;
    for length in lengths {
        end += u64::from(length);
        // Cut values are found below: the sum only grows.
        offsets.push(end as i32);
    }
    if end != total as u64 {
        return Err(Malformed("the lengths of texts do not add up"));
    }
    let bytes = match kind {
        tag::TEXT if input.remaining() == total => input.rest().to_vec(),
        tag::TEXT_ZSTD => zstd_block::decompress(input.rest(), total)?,
        _ => return Err(Malformed("unknown encoding of text, or text of the wrong length")),
    };
    Ok(Texts { offsets: OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes: Buffer::from_vec(bytes) })
}

pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<DecodedText> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return decode_flat(input, rows).map(DecodedText::Flat);
    }
    let (count, values, codes) = dictionary::parts(body, rows)?;
    let values = decode_flat(values, count)?;
    let codes = dictionary::decode_codes(codes, rows, count, 0)?;
    Ok(DecodedText::Dictionary { values, codes })
}

/// The values of a dictionary node, without its codes; `None` for other nodes.
pub(crate) fn decode_dictionary_values(input: Input<'_>, rows: usize) -> Decoded<Option<Texts>> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return Ok(None);
    }
    let (count, values, _) = dictionary::parts(body, rows)?;
    decode_flat(values, count).map(Some)
}
